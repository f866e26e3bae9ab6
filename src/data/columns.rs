//! The choice of a table's columns.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::data::messages::{RENAME_OR_LEAVE_OUT, quoted_names};
use crate::data::options::{Columns, ReadOptions};
use crate::error::{Error, Result};

/// The indices of a table's features, in the order of the choice, and of its label. Indices count from 0.
pub(super) struct Selection {
    pub(super) features: Vec<usize>,
    pub(super) label: Option<usize>,
}

impl Selection {
    /// The columns that the options choose: all but the label, where they name no features.
    pub(super) fn new(names: &ColumnNames<'_>, options: &ReadOptions) -> Result<Self> {
        let label = options.label.as_deref().map(|name| names.by_name_or_number(name)).transpose()?;
        let features: Vec<usize> = match &options.columns {
            Columns::Chosen(asked) => asked.iter().map(|name| names.by_name_or_number(name)).collect::<Result<_>>()?,
            Columns::Named(asked) if names.header.is_some() => {
                asked.iter().map(|name| names.by_name(name)).collect::<Result<_>>()?
            }
            _ => (0..names.width).filter(|&column| Some(column) != label).collect(),
        };
        let source = names.source;
        if features.is_empty() {
            return Err(Error::Mismatch(format!("{source}: no column is left to learn from")));
        }
        if let Some(label) = label.filter(|label| features.contains(label)) {
            let label = names.display(label);
            return Err(Error::Mismatch(format!("{source}: column {label} cannot be both the label and a feature")));
        }
        reject_repeated_columns(names, &features)?;
        if let Some(header) = names.header {
            reject_repeated_names(source, header, features.iter().copied())?;
        }
        Ok(Self { features, label })
    }
}

/// The columns of a table, to be found by name or by number.
pub(super) struct ColumnNames<'a> {
    source: &'a str,
    width: usize,
    header: Option<&'a [String]>,
    /// The first column with a name, and the second where the name is ambiguous.
    places: HashMap<&'a str, (usize, Option<usize>)>,
}

impl<'a> ColumnNames<'a> {
    /// The columns of `source`, `width` of them, with the names that a header gives them.
    pub(super) fn new(source: &'a str, width: usize, header: Option<&'a [String]>) -> Self {
        let mut places: HashMap<&str, (usize, Option<usize>)> = HashMap::new();
        for (index, name) in header.into_iter().flatten().enumerate() {
            match places.entry(name) {
                Entry::Occupied(mut entry) => _ = entry.get_mut().1.get_or_insert(index),
                Entry::Vacant(entry) => _ = entry.insert((index, None)),
            }
        }
        Self { source, width, header, places }
    }

    /// The number of columns.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The index of the column with this name.
    fn by_name(&self, name: &str) -> Result<usize> {
        match self.places.get(name) {
            Some(&(index, None)) => Ok(index),
            Some(&(first, Some(second))) => Err(Error::Mismatch(format!(
                "{}: columns {} and {} are both named `{name}`; choose one by its number",
                self.source,
                first + 1,
                second + 1
            ))),
            None => Err(Error::Mismatch(format!(
                "{}: there is no column `{name}`; {}",
                self.source,
                match self.header {
                    Some(header) => format!("its columns are {}", quoted_names(header)),
                    None => format!("it has no header, and its columns are numbered 1 to {}", self.width),
                }
            ))),
        }
    }

    /// The index of the column with this name, or else with this number, counted from 1.
    pub(super) fn by_name_or_number(&self, asked: &str) -> Result<usize> {
        let asked = asked.trim();
        match asked.parse::<usize>() {
            Ok(number) if !self.places.contains_key(asked) => {
                number.checked_sub(1).filter(|&index| index < self.width).ok_or_else(|| {
                    let (source, width) = (self.source, self.width);
                    Error::Mismatch(format!("{source}: there is no column {number}; they are numbered 1 to {width}"))
                })
            }
            _ => self.by_name(asked),
        }
    }

    /// A column in a message: its name, where it has one, and its number.
    pub(super) fn display(&self, index: usize) -> String {
        match self.header {
            Some(header) => format!("`{}` ({})", header[index], index + 1),
            None => (index + 1).to_string(),
        }
    }
}

/// Checks that no column is chosen twice.
fn reject_repeated_columns(names: &ColumnNames<'_>, columns: &[usize]) -> Result<()> {
    let mut seen = vec![false; names.width];
    for &column in columns {
        if std::mem::replace(&mut seen[column], true) {
            let (source, column) = (names.source, names.display(column));
            return Err(Error::Mismatch(format!("{source}: column {column} is asked for twice")));
        }
    }
    Ok(())
}

/// Checks that no two of the chosen columns have the same name, because later nothing could distinguish them.
pub(super) fn reject_repeated_names(
    source: &str,
    header: &[String],
    columns: impl Iterator<Item = usize>,
) -> Result<()> {
    let mut seen = HashMap::new();
    for column in columns {
        if let Some(earlier) = seen.insert(header[column].as_str(), column) {
            let (name, first, second) = (&header[column], earlier + 1, column + 1);
            return Err(Error::Mismatch(format!(
                "{source}: columns {first} and {second} are both named `{name}`; {RENAME_OR_LEAVE_OUT}"
            )));
        }
    }
    Ok(())
}
