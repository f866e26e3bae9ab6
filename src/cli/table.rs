//! Rows as CSV, to a file or to standard output.

use std::io;
use std::path::Path;

use crate::data::{Labels, write_csv};
use crate::error::{Error, Result};
use crate::file::write_whole;
use crate::matrix::Matrix;

/// Writes rows under their column names, with the labels, if any, as the last column.
pub fn write_rows(out: Option<&Path>, names: Option<&[String]>, rows: &Matrix, labels: Option<&Labels>) -> Result<()> {
    match out {
        Some(path) => write_whole(path, |out| write_csv(out, names, rows, labels)),
        None => write_csv(io::stdout().lock(), names, rows, labels).map_err(|source| Error::Io {
            path: "standard output".into(),
            action: "cannot write",
            source,
        }),
    }
}
