//! Rows as CSV, to a file or to standard output.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::data::{CsvWriter, Labels};
use crate::error::{Error, Result};
use crate::file::write_whole;
use crate::matrix::Matrix;

/// The header above the rows of a CSV file, and the labels beside them.
pub struct Table<'a> {
    pub header: Option<&'a [String]>,
    pub columns: usize,
    pub labels: Option<&'a Labels>,
}

/// Writes the rows that `each` visits, some at a time: to a file whole or not at all, else as they come.
pub fn write_rows(
    out: Option<&Path>,
    table: &Table<'_>,
    each: impl FnOnce(&mut dyn FnMut(&Matrix) -> Result<()>) -> Result<()>,
) -> Result<()> {
    let name = out.map_or(PathBuf::from("standard output"), Path::to_path_buf);
    let io_error = |source| Error::Io { path: name.clone(), action: "cannot write", source };
    // An error of the rows must survive the writer, which knows only input and output errors.
    let mut failed = None;
    let write = |out: &mut dyn Write| {
        let mut writer = CsvWriter::new(out, table.header, table.columns, table.labels);
        each(&mut |rows| writer.write(rows).map_err(io_error)).map_err(|error| {
            failed = Some(error);
            io::Error::other("the rows end early")
        })
    };
    let written = match out {
        Some(path) => write_whole(path, write),
        None => write(&mut io::stdout().lock()).map_err(io_error),
    };
    failed.map_or(written, Err)
}
