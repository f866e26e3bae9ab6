//! The formats of files, in one table: how each is recognised, read and, where it is, written.
//!
//! A new format is a file beside this one and an entry of [`FORMATS`].

mod csv;
mod format;
mod gzip;
mod idx;

pub use csv::{CsvWriter, write_csv};
pub(super) use format::Content;
pub use format::Format;
use format::Request;

use crate::data::dataset::Dataset;
use crate::data::input::Input;
use crate::data::messages::alternatives;
use crate::data::options::ReadOptions;
use crate::error::{Place, Result};

/// The formats that are read, in the order in which a file's beginning is compared with them.
pub static FORMATS: [&Format; 3] = [&idx::FORMAT, &gzip::FORMAT, &csv::FORMAT];

/// The formats of rows, the most usual first, as help and messages list them: "CSV or IDX file, plain or gzipped".
pub(super) fn listed() -> String {
    let of_rows = FORMATS.iter().rev().filter(|format| !matches!(format.content, Content::Packed(_)));
    let names: Vec<&str> = of_rows.map(|format| format.name).collect();
    format!("{} file, plain or gzipped", alternatives(&names))
}

/// Reads a data set, packed or not; see [`Request::missing`] for `missing`.
pub(super) fn read(input: Input<'_>, options: &ReadOptions, missing: Option<&mut Vec<bool>>) -> Result<Dataset> {
    let input = unpack(input)?;
    if input.head().is_empty() {
        return Err(Place::named(input.name()).error("is empty"));
    }
    let format = recognise(&input).ok_or_else(|| unknown(&input))?;
    let others: Vec<&str> = FORMATS.iter().map(|other| other.name).filter(|&name| name != format.name).collect();
    let request = Request { options, missing, ruled_out: &alternatives(&others) };
    let dataset = match format.content {
        Content::Numbers(read) | Content::Text(read) => read(input, request),
        Content::Packed(_) => unreachable!("what was unpacked is not packed"),
    };
    Ok(dataset?.read_with(options.clone()))
}

/// The file itself, or the one that is packed in it.
pub(super) fn unpack(input: Input<'_>) -> Result<Input<'_>> {
    let Some(&Format { name, content: Content::Packed(unpack), .. }) = recognise(&input) else { return Ok(input) };
    let unpacked = unpack(input)?;
    match recognise(&unpacked) {
        Some(&Format { name: inner, content: Content::Packed(_), .. }) => {
            Err(Place::named(unpacked.name()).error(format!("{inner} data within {name} data; unpack it once")))
        }
        _ => Ok(unpacked),
    }
}

/// The format of a file.
pub(super) fn recognise(input: &Input<'_>) -> Option<&'static Format> {
    FORMATS.into_iter().find(|format| (format.recognises)(input.head()))
}

fn unknown(input: &Input<'_>) -> crate::Error {
    let shown = &input.head()[..input.head().len().min(4)];
    let known: Vec<String> =
        FORMATS.iter().map(|format| format!("{} ({})", format.name, format.recognised_by)).collect();
    let problem = format!("{shown:02x?} begins a file of no known format; known are {}", known.join(", "));
    Place::named(input.name()).at_byte(0).error(problem)
}
