//! Messages of the library, where settings have names, as messages of the program, where they are options with dashes.

use std::collections::BTreeSet;

use clap::{Arg, Command};

use crate::error::Error;

/// The message of an error. The wrong setting, and the settings in parentheses at the message's end, get dashes where
/// they are options of the program.
pub fn message(error: &Error, program: &Command) -> String {
    let options: BTreeSet<&str> =
        program.get_subcommands().flat_map(Command::get_arguments).filter_map(Arg::get_long).collect();
    let is_option = |name: &str| options.contains(name);
    match error {
        Error::Setting { name, problem } => {
            let option = name.replace(' ', "-");
            let name = if is_option(&option) { format!("--{option}") } else { (*name).to_string() };
            format!("{name}: {}", with_dashes(problem, is_option))
        }
        error => with_dashes(&error.to_string(), is_option),
    }
}

/// Adds the dashes where a message ends in parentheses that hold nothing but options: `(label, columns)` becomes
/// `(--label, --columns)`. Parentheses elsewhere may come from a user's file.
fn with_dashes(text: &str, is_option: impl Fn(&str) -> bool) -> String {
    let last = text.strip_suffix(')').and_then(|text| text.rsplit_once('('));
    match last {
        Some((before, names)) if names.split(", ").all(is_option) => {
            let options: Vec<String> = names.split(", ").map(|name| format!("--{name}")).collect();
            format!("{before}({})", options.join(", "))
        }
        _ => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn settings_in_parentheses_at_the_end_become_options_and_all_else_stays() {
        let shown = |text: &str| message(&Error::Mismatch(text.into()), &Cli::command());
        assert_eq!(shown("choose others (label, columns)"), "choose others (--label, --columns)");
        assert_eq!(shown("rows (label).csv: scale it (unit)"), "rows (label).csv: scale it (unit)");
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
