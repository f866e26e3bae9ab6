//! Results for standard output: one line a fact, or one JSON object with the same facts.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::report::plain;

/// Named results, in the order in which they are printed.
#[derive(Debug, Default)]
pub struct Facts(Vec<(&'static str, Value)>);

impl Facts {
    /// Adds a fact.
    pub fn add(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    /// Adds several.
    pub fn extend(&mut self, facts: impl IntoIterator<Item = (&'static str, Value)>) {
        self.0.extend(facts);
    }

    /// The same as a JSON object.
    pub fn into_json(self) -> Value {
        Value::Object(self.0.into_iter().map(|(name, value)| (name.to_string(), value)).collect::<Map<_, _>>())
    }

    /// Prints them, as lines or as one JSON object.
    pub fn print(self, json: bool) -> Result<()> {
        if json {
            return print(&format!("{}\n", self.into_json()));
        }
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let line = |(name, value): &(&str, Value)| format!("{:width$}  {}\n", name.replace('_', " "), plain(value));
        print(&self.0.iter().map(line).collect::<String>())
    }
}

/// Prints facts of the same names as a table, one column each, under their titles.
pub fn print_side_by_side(columns: &[(String, Facts)]) -> Result<()> {
    let names = columns[0].1.0.iter().map(|(name, _)| name.replace('_', " "));
    let mut table = vec![std::iter::once(String::new()).chain(names).collect::<Vec<_>>()];
    for (title, Facts(facts)) in columns {
        table.push(std::iter::once(title.clone()).chain(facts.iter().map(|(_, value)| plain(value))).collect());
    }
    let width = |column: &Vec<String>| column.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for line in 0..table[0].len() {
        text += &format!("{:width$}", table[0][line], width = width(&table[0]));
        for column in &table[1..] {
            text += &format!("  {:>width$}", column[line], width = width(column));
        }
        text.push('\n');
    }
    print(&text)
}

/// The shortest decimals of single-precision numbers, as JSON.
pub fn decimals(values: &[f32]) -> Value {
    values.iter().map(|&value| decimal(value)).collect()
}

/// The shortest decimal of a single-precision number, as JSON.
pub fn decimal(value: f32) -> Value {
    value.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// A path as a fact.
pub fn path(path: &Path) -> Value {
    path.display().to_string().into()
}

/// Writes text to standard output.
pub fn print(text: &str) -> Result<()> {
    let written = io::stdout().lock().write_all(text.as_bytes());
    written.map_err(|source| Error::Io { path: "standard output".into(), action: "cannot write", source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_floats_read_back_exactly() {
        let mut facts = Facts::default();
        facts.add("error", 0.1 + 0.2);
        facts.add("ratios", decimals(&[0.1]));
        let json = facts.into_json();
        let back: Value = serde_json::from_str(&json.to_string()).unwrap();
        assert_eq!(back["error"].as_f64(), Some(0.1 + 0.2));
        assert_eq!(back["ratios"][0].as_f64().map(|ratio| ratio as f32), Some(0.1));
    }
}
