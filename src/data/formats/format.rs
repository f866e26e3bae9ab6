//! An entry of the table of formats.

use crate::data::dataset::Dataset;
use crate::data::input::Input;
use crate::data::options::ReadOptions;
use crate::error::Result;

/// A file format. A file has it by its content, whatever its name.
#[derive(Debug)]
pub struct Format {
    /// Its name: "CSV".
    pub name: &'static str,
    /// The mark by which it is recognised, in words.
    pub recognised_by: &'static str,
    /// The content of such a file, in words.
    pub holds: &'static str,
    /// Whether a file that begins with [`Input::head`] has this format, if it has none of those before it in the table.
    pub(in crate::data) recognises: fn(head: &[u8]) -> bool,
    pub(in crate::data) content: Content,
}

/// The kind of a format's content, and its reader.
#[derive(Debug)]
pub(in crate::data) enum Content {
    /// Rows of numbers.
    Numbers(ReadRows),
    /// Rows of text, whose lines can be labels as well.
    Text(ReadRows),
    /// A file of another format.
    Packed(fn(Input<'_>) -> Result<Input<'_>>),
}

/// Reads a data set.
pub(in crate::data) type ReadRows = fn(Input<'_>, Request<'_>) -> Result<Dataset>;

/// The request to a reader.
pub(in crate::data) struct Request<'a> {
    pub options: &'a ReadOptions,
    /// Takes for each cell, row after row, whether it is missing, and such a cell is 0; without it, a missing cell is an
    /// error. It stays empty where the format has no missing cells.
    pub missing: Option<&'a mut Vec<bool>>,
    /// The names of the formats that the file does not have, for messages.
    pub ruled_out: &'a str,
}
