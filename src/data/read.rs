//! Reading a data set from a file, from any stream of bytes, or from the program itself.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use crate::data::built_in::{BUILT_IN_NAMES, read_built_in};
use crate::data::dataset::Dataset;
use crate::data::gzip::{self, Gunzip};
use crate::data::missing::Missing;
use crate::data::{csv, idx};
use crate::error::{Error, Place, Result};

/// Which columns of a file to read.
///
/// A column is asked for by the name that the header gives it, or else by its number, counted from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The columns to learn from.
    pub columns: Columns,
    /// The column of a CSV file to keep aside as [`Labels`](crate::data::Labels).
    pub label: Option<String>,
}

/// Which columns to learn from, in the order wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Columns {
    /// All but the label.
    #[default]
    All,
    /// Those asked for, by name or by number.
    Chosen(Vec<String>),
    /// Those of these names where there is a header, else all but the label: what a fitted model takes.
    Named(Vec<String>),
}

impl Columns {
    /// The names and numbers that are asked for.
    pub(super) fn asked(&self) -> &[String] {
        match self {
            Self::All => &[],
            Self::Chosen(columns) | Self::Named(columns) => columns,
        }
    }
}

/// Reads a data set from a file, or the built-in set of that name: one of [`BUILT_IN_NAMES`].
///
/// A file that has the name of a built-in set is reached by a path such as `./iris`. The format follows from the
/// content, as the [module](crate::data) says. In a CSV file the first line is a header if it holds text and no
/// number, or if it holds one of the names asked for, or all names that a model knows; else it is a row like the
/// others, so that no row is lost in silence.
///
/// ```
/// use diabolo::data::{Columns, ReadOptions, read};
/// let columns = Columns::Chosen(vec!["sepal_width".to_string(), "petal_length".to_string()]);
/// let iris = read("iris", &ReadOptions { columns, label: None })?;
/// assert_eq!((iris.rows(), iris.columns()), (150, 2));
/// assert_eq!(iris.labels().unwrap().values[0], "setosa");
/// # Ok::<(), diabolo::Error>(())
/// ```
///
/// # Errors
/// When the file cannot be read, is not whole, or holds anything but finite numbers in the columns asked for.
pub fn read(source: &str, options: &ReadOptions) -> Result<Dataset> {
    read_cells(source, options, None)
}

/// As [`read()`], but cells of a CSV file that are empty, or hold `NA` or `NaN`, are no error. They are missing, and 0
/// in the data set.
///
/// # Errors
/// As [`read()`], those cells excepted.
pub fn read_incomplete(source: &str, options: &ReadOptions) -> Result<(Dataset, Missing)> {
    let mut cells = Vec::new();
    let dataset = read_cells(source, options, Some(&mut cells))?;
    let missing = match cells.is_empty() {
        true => Missing::none(dataset.rows(), dataset.columns()),
        false => Missing::from_cells(dataset.columns(), cells),
    };
    Ok((dataset, missing))
}

/// Reads a data set; of a CSV file, `missing` takes for each cell whether it is missing, or without it none may be.
fn read_cells(source: &str, options: &ReadOptions, missing: Option<&mut Vec<bool>>) -> Result<Dataset> {
    if let Some(dataset) = read_built_in(source, options) {
        return Ok(dataset?.read_with(options.clone()));
    }
    let file = File::open(Path::new(source)).map_err(|error| {
        let error = match error.kind() {
            io::ErrorKind::NotFound => {
                let names = BUILT_IN_NAMES.join(", ");
                io::Error::new(error.kind(), format!("no such file, nor a built-in data set ({names})"))
            }
            _ => error,
        };
        read_error(source, error)
    })?;
    read_cells_from(source, file, options, missing)
}

/// Reads a data set from a stream of bytes; `name` stands for it in messages.
///
/// ```
/// use diabolo::data::{ReadOptions, read_from};
/// let people = read_from("people", &b"height,weight\n170,65\n180,81\n"[..], &ReadOptions::default())?;
/// assert_eq!(people.column_names().unwrap(), ["height", "weight"]);
/// # Ok::<(), diabolo::Error>(())
/// ```
///
/// # Errors
/// As [`read`].
pub fn read_from(name: &str, input: impl Read, options: &ReadOptions) -> Result<Dataset> {
    read_cells_from(name, input, options, None)
}

fn read_cells_from(
    name: &str,
    input: impl Read,
    options: &ReadOptions,
    missing: Option<&mut Vec<bool>>,
) -> Result<Dataset> {
    let (magic, mut input) = unpack(name, input)?;
    let dataset = match magic[..] {
        [] => Err(Place::named(name).error("is empty")),
        [0, 0, ..] => idx::read(name, &mut input, options),
        _ if magic.contains(&0) => Err(Place::named(name)
            .at_byte(0)
            .error(format!("{magic:02x?} begins neither an IDX file (two zero bytes), nor gzip, nor text"))),
        _ => csv::read(name, &mut input, options, missing),
    };
    Ok(dataset?.read_with(options.clone()))
}

/// The first four bytes, or as many as there are, of what was packed or not, and all of it from its beginning.
pub(super) fn unpack<'a>(name: &str, input: impl Read + 'a) -> Result<(Vec<u8>, Box<dyn BufRead + 'a>)> {
    let (magic, input) = peek(name, BufReader::with_capacity(BUFFER, input))?;
    if !magic.starts_with(&gzip::MAGIC) {
        return Ok((magic, Box::new(input)));
    }
    let (magic, input) = peek(name, BufReader::with_capacity(BUFFER, Gunzip::new(input)))?;
    if magic.starts_with(&gzip::MAGIC) {
        return Err(Place::named(name).error("gzip data within gzip data; unpack it once"));
    }
    Ok((magic, Box::new(input)))
}

const BUFFER: usize = 1 << 16;

fn peek<R: BufRead>(name: &str, mut input: R) -> Result<(Vec<u8>, impl BufRead + use<R>)> {
    let mut magic = Vec::new();
    input.by_ref().take(4).read_to_end(&mut magic).map_err(|error| read_error(name, error))?;
    Ok((magic.clone(), Cursor::new(magic).chain(input)))
}

/// What a reader of this module says, within a [`std::io::Error`], of data that the input delivered without trouble.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Malformed(pub(super) String);

/// The error of this crate for one that a reader gave.
pub(super) fn read_error(name: &str, source: io::Error) -> Error {
    match source.get_ref().and_then(|inner| inner.downcast_ref::<Malformed>()) {
        Some(Malformed(problem)) => Place::named(name).error(problem),
        None => Error::Io { path: name.into(), action: "cannot read", source },
    }
}

#[cfg(test)]
mod tests;
