//! Messages of the library, where settings have names, as messages of the program, where they are options with dashes.

use std::collections::BTreeSet;

use clap::{Arg, Command};

use crate::error::Error;

/// The message of an error. The wrong setting, and the settings in parentheses, get dashes where they are options of the
/// program.
pub fn message(error: &Error, program: &Command) -> String {
    let options: BTreeSet<&str> =
        program.get_subcommands().flat_map(Command::get_arguments).filter_map(Arg::get_long).collect();
    let is_option = |name: &str| options.contains(name);
    match error {
        Error::Setting { name, problem } => {
            let name = if is_option(name) { format!("--{name}") } else { (*name).to_string() };
            format!("{name}: {}", with_dashes(problem, is_option))
        }
        error => with_dashes(&error.to_string(), is_option),
    }
}

/// Adds the dashes where parentheses before a comma, a semicolon or the end hold nothing but options: `(label, columns)`
/// becomes `(--label, --columns)`. Other parentheses may come from a user's file.
fn with_dashes(text: &str, is_option: impl Fn(&str) -> bool) -> String {
    let mut message = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('(') {
        message += before;
        message.push('(');
        rest = inside;
        if let Some((names, after)) = inside.split_once(')')
            && (after.is_empty() || after.starts_with([',', ';']))
            && names.split(", ").all(&is_option)
        {
            let options: Vec<String> = names.split(", ").map(|name| format!("--{name}")).collect();
            message += &options.join(", ");
            rest = &inside[names.len()..];
        }
    }
    message + rest
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn settings_in_parentheses_become_options_and_all_else_stays() {
        let shown = |text: &str| message(&Error::Mismatch(text.into()), &Cli::command());
        assert_eq!(shown("choose others (label, columns)"), "choose others (--label, --columns)");
        assert_eq!(shown("name a column (label), or a file (labels)"), "name a column (--label), or a file (--labels)");
        assert_eq!(shown("leave it out (columns); or not (unit)"), "leave it out (--columns); or not (unit)");
        assert_eq!(shown("rows (label).csv: no rows"), "rows (label).csv: no rows");
        assert_eq!(shown("f(x) lies in [0, 1)"), "f(x) lies in [0, 1)");
        assert_eq!(shown("(label, ours)"), "(label, ours)");
    }

    #[test]
    fn a_wrong_setting_is_named_as_an_option_where_it_is_one() {
        let shown = |name| message(&Error::Setting { name, problem: "is wrong".into() }, &Cli::command());
        assert_eq!(shown("learning-rate"), "--learning-rate: is wrong");
        assert_eq!(shown("wishes"), "wishes: is wrong");
    }
}
