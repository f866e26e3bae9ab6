//! `--config FILE`: a TOML file with the options of a command, and `--dry-run`, which writes one.
//!
//! The keys are the arguments that clap knows of, so an option is a key as soon as it is an option.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Place, Result};

/// The argument that names the file, and the one that asks for a plan: a file sets neither.
const CONFIG: &str = "config";
const DRY_RUN: &str = "dry_run";

/// The similarity, from 0 to 1, above which an unknown key is taken for a misspelling of a known one.
const LIKE: f64 = 0.7;

/// The file with the other options.
#[derive(Debug, Args)]
pub struct ConfigArgument {
    /// A TOML file with options by their long names, as in learning-rate = 0.01, and the data, as in data = "iris";
    /// what the command line says wins. Paths are relative to the current directory
    #[arg(id = CONFIG, long, value_name = "FILE")]
    pub path: Option<PathBuf>,
}

/// The words of a command line, extended by its configuration file, where it names one.
///
/// The file's words precede the command's own, and are left out where these set the same option or exclude it.
///
/// # Errors
/// When the file cannot be read, is not TOML, or has a key or value that the command has no option for.
pub fn expand(mut cli: Command, mut words: Vec<OsString>) -> Result<Vec<OsString>> {
    // Clap reports all other mistakes when it parses the whole.
    let parsed = cli.clone().ignore_errors(true).try_get_matches_from(&words);
    let Ok(Some((name, said))) = parsed.as_ref().map(ArgMatches::subcommand) else { return Ok(words) };
    let Some(path) = said.try_get_one::<PathBuf>(CONFIG).ok().flatten() else { return Ok(words) };
    cli.build();
    let place = words.iter().skip(1).position(|word| word == name);
    let (Some(command), Some(place)) = (cli.find_subcommand(name), place) else { return Ok(words) };
    // What the user typed wins: over the same option of the file, and over any that excludes it.
    let is_said = |argument: &Arg| said.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine);
    let mut added: Vec<(&Arg, OsString)> = Vec::new();
    for Entry { place, argument, word } in read(path, command)? {
        if let Some((other, _)) = added.iter().find(|(other, _)| are_contrary(command, argument, other)) {
            return Err(place.error(format!("`{}` and `{}` exclude each other", key(argument), key(other))));
        }
        let is_overruled = |other: &Arg| is_said(other) && are_contrary(command, argument, other);
        if let Some(word) = word.filter(|_| !is_said(argument) && !command.get_arguments().any(is_overruled)) {
            added.push((argument, word));
        }
    }
    // After the program's name and the subcommand's.
    let place = place + 2;
    words.splice(place..place, added.into_iter().map(|(_, word)| word));
    Ok(words)
}

/// One key of a file.
struct Entry<'a> {
    place: Place,
    argument: &'a Arg,
    /// Its word on a command line; nothing for a switch that is off.
    word: Option<OsString>,
}

fn read<'a>(path: &Path, command: &'a Command) -> Result<Vec<Entry<'a>>> {
    let text =
        fs::read_to_string(path).map_err(|source| Error::Io { path: path.into(), action: "cannot read", source })?;
    let place = |byte: usize| {
        let line = 1 + text.bytes().take(byte).filter(|&byte| byte == b'\n').count();
        Place::file(path).at_line(line as u64)
    };
    let table = DeTable::parse(&text).map_err(|error| {
        let problem = error.message().lines().collect::<Vec<_>>().join("; ");
        place(error.span().map_or(0, |span| span.start)).error(format!("this is no TOML: {problem}"))
    })?;
    let mut entries = Vec::new();
    for (name, value) in table.get_ref() {
        let place = place(name.span().start);
        match translate(command, name.get_ref(), value.get_ref()) {
            Ok((argument, word)) => entries.push(Entry { place, argument, word }),
            Err(problem) => return Err(place.error(problem)),
        }
    }
    Ok(entries)
}

type Checked<T> = std::result::Result<T, String>;

/// The argument of a key, and the key with its value as a word of a command line that clap accepts.
fn translate<'a>(command: &'a Command, name: &str, value: &DeValue<'_>) -> Checked<(&'a Arg, Option<OsString>)> {
    let argument = find(command, name)?;
    let word = word(argument, value)?;
    word.as_ref().map_or(Ok(()), |word| check(command, word))?;
    Ok((argument, word))
}

/// The argument of a key.
fn find<'a>(command: &'a Command, name: &str) -> Checked<&'a Arg> {
    if let Some(argument) = arguments(command).find(|argument| key(argument) == name) {
        return Ok(argument);
    }
    let likeness = |argument: &Arg| strsim::jaro(name, &key(argument));
    let nearest = arguments(command).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let command = command.get_name();
    let advice = match nearest.filter(|nearest| likeness(nearest) > LIKE) {
        Some(nearest) => format!("is `{}` meant?", key(nearest)),
        None => format!("`diabolo {command} --help` lists them"),
    };
    Err(format!("`{}` is no option of `{command}` that a file can set; {advice}", name.escape_debug()))
}

/// A value as a word of the command line.
fn word(argument: &Arg, value: &DeValue<'_>) -> Checked<Option<OsString>> {
    let key = key(argument);
    if !argument.get_action().takes_values() {
        return match value {
            DeValue::Boolean(on) => Ok(on.then(|| format!("--{key}").into())),
            _ => Err(format!("`{key}` is {}; it can be true or false", kind(value))),
        };
    }
    let text = match value {
        DeValue::Array(values) if argument.get_value_delimiter().is_some() || values.iter().all(is_number) => {
            values.iter().map(|value| scalar(value.get_ref())).collect::<Option<Vec<_>>>().map(|texts| texts.join(","))
        }
        _ => scalar(value),
    };
    match text {
        Some(text) if argument.is_positional() => match text.starts_with('-') {
            true => Err(format!("`{key}` is `{text}`, which reads as an option; a file of that name is ./{text}")),
            false => Ok(Some(text.into())),
        },
        Some(text) => Ok(Some(format!("--{key}={text}").into())),
        None => Err(format!("`{key}` is {}; that is nothing that --{key} takes", kind(value))),
    }
}

fn is_number(value: &Spanned<DeValue<'_>>) -> bool {
    matches!(value.get_ref(), DeValue::Integer(_) | DeValue::Float(_))
}

/// A text or a number as it is written on the command line.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            let decimal = i128::from_str_radix(number.as_str(), number.radix());
            Some(decimal.map_or(number.to_string(), |decimal| decimal.to_string()))
        }
        DeValue::Float(number) => Some(number.as_str().to_string()),
        _ => None,
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Whether clap takes a word by itself; arguments that are required may be elsewhere on the command line.
fn check(command: &Command, word: &OsString) -> Checked<()> {
    match command.clone().no_binary_name(true).try_get_matches_from([word]) {
        Err(error) if error.kind() != ErrorKind::MissingRequiredArgument => {
            let text = error.to_string();
            let lines = text.trim_start_matches("error: ").lines().map(str::trim);
            Err(lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" "))
        }
        _ => Ok(()),
    }
}

/// The arguments of a command that a file can set.
fn arguments(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|argument| {
        let is_ours = [CONFIG, DRY_RUN].contains(&argument.get_id().as_str());
        !is_ours && matches!(argument.get_action(), ArgAction::Set | ArgAction::Append | ArgAction::SetTrue)
    })
}

/// Its key in a file: its long name.
fn key(argument: &Arg) -> String {
    argument.get_long().map_or_else(|| argument.get_id().to_string(), str::to_string)
}

fn are_contrary(command: &Command, first: &Arg, second: &Arg) -> bool {
    let excludes = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|argument| argument.get_id() == other.get_id())
    };
    excludes(first, second) || excludes(second, first)
}

/// The text of every argument of a command, from the command line, the configuration file or the default.
///
/// It adds no argument of its own, and must be the first field of a command: the other fields take their values out of what
/// clap found.
#[derive(Clone, Debug)]
pub struct ParsedArguments(BTreeMap<String, Vec<String>>);

impl Args for ParsedArguments {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

impl FromArgMatches for ParsedArguments {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let texts = |name: &str| {
            let words = matches.try_get_raw(name).ok().flatten()?;
            Some((name.to_string(), words.map(|word| word.to_string_lossy().into_owned()).collect()))
        };
        Ok(Self(matches.ids().filter_map(|id| texts(id.as_str())).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl ParsedArguments {
    /// A file for `--config` with the settings of a model, and all other arguments of the subcommand `name`.
    pub fn to_toml(&self, mut cli: Command, name: &str, settings: &BTreeMap<String, Value>) -> String {
        cli.build();
        let arguments = cli.find_subcommand(name).into_iter().flat_map(arguments);
        let line = |argument: &Arg| {
            let key = key(argument);
            let value = match settings.get(&key) {
                Some(setting) => to_value(setting),
                None => self.value(argument),
            };
            value.map(|value| format!("{key} = {value}\n"))
        };
        arguments.filter_map(line).collect()
    }

    /// The value of an argument; nothing for a switch that is off.
    fn value(&self, argument: &Arg) -> Option<toml::Value> {
        let words = self.0.get(argument.get_id().as_str())?.join(",");
        if !argument.get_action().takes_values() {
            return (words == "true").then_some(true.into());
        }
        let number = words.parse::<i64>().ok().filter(|number| number.to_string() == words);
        Some(number.map_or(words.into(), toml::Value::from))
    }
}

/// A setting in TOML, which has no null and no whole numbers above 2⁶³.
fn to_value(setting: &Value) -> Option<toml::Value> {
    match setting {
        Value::Null => None,
        setting => Some(toml::Value::try_from(setting).unwrap_or_else(|_| setting.to_string().into())),
    }
}
