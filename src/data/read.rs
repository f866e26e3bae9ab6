//! The front door: a data set from a file, from any stream of bytes, or from the program itself.

use std::io::{self, Read};

use crate::data::built_in::{BUILT_IN_NAMES, read_built_in};
use crate::data::dataset::Dataset;
use crate::data::formats;
use crate::data::input::Input;
use crate::data::missing::Missing;
use crate::data::options::ReadOptions;
use crate::error::{Error, Result};

/// The sources that [`read()`] accepts, in words: "CSV or IDX file, plain or gzipped, or a built-in set: iris, digits".
pub fn sources() -> String {
    format!("{}, or a built-in set: {}", formats::listed(), BUILT_IN_NAMES.join(", "))
}

/// Reads a data set from a file, or the built-in set of that name: one of [`BUILT_IN_NAMES`].
///
/// A file with the name of a built-in set is found by a path such as `./iris`. The format follows from the
/// content, as the [module](crate::data) says. In a CSV file the first line is a header if it holds text and no
/// number, or if it holds one of the chosen names, or all names that a model knows; else it is a row like the
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
/// When the file cannot be read, is not whole, or holds anything but finite numbers in the chosen columns.
pub fn read(source: &str, options: &ReadOptions) -> Result<Dataset> {
    read_cells(source, options, None)
}

/// As [`read()`], but cells of a CSV file that are empty, or hold `NA` or `NaN`, are no error. They are missing, and 0
/// in the data set.
///
/// # Errors
/// As [`read()`], except for those cells.
pub fn read_incomplete(source: &str, options: &ReadOptions) -> Result<(Dataset, Missing)> {
    let mut cells = Vec::new();
    let dataset = read_cells(source, options, Some(&mut cells))?;
    let missing = match cells.is_empty() {
        true => Missing::none(dataset.rows(), dataset.columns()),
        false => Missing::from_cells(dataset.columns(), cells),
    };
    Ok((dataset, missing))
}

fn read_cells(source: &str, options: &ReadOptions, missing: Option<&mut Vec<bool>>) -> Result<Dataset> {
    if let Some(dataset) = read_built_in(source, options) {
        return Ok(dataset?.read_with(options.clone()));
    }
    let input = Input::open(source).map_err(|error| match error {
        Error::Io { path, action, source } if source.kind() == io::ErrorKind::NotFound => {
            let problem = format!("no such file, nor a built-in data set ({})", BUILT_IN_NAMES.join(", "));
            Error::Io { path, action, source: io::Error::new(source.kind(), problem) }
        }
        other => other,
    })?;
    formats::read(input, options, missing)
}

/// Reads a data set from a stream of bytes, called `name` in messages.
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
    read_input(Input::stream(name, input)?, options)
}

/// Reads a data set from an input, whose [`head`](Input::head) the caller may have seen.
///
/// # Errors
/// As [`read`].
pub fn read_input(input: Input<'_>, options: &ReadOptions) -> Result<Dataset> {
    formats::read(input, options, None)
}

#[cfg(test)]
mod tests;
