//! Writing rows as CSV.

use std::io::{self, Write};

use crate::data::dataset::Labels;
use crate::matrix::Matrix;

/// Writes rows as CSV, between commas, with labels as the last column where there are some.
///
/// Each number is written in the shortest form that reads back as exactly the same `f32`. Text is quoted where it must
/// be, or everywhere, if some of it holds a semicolon or a tab. With a header, labels without a name are called `label`.
///
/// # Errors
/// When writing fails.
///
/// # Panics
/// When the header does not name each column, or the labels are not one a row.
pub fn write_csv(out: impl Write, header: Option<&[String]>, rows: &Matrix, labels: Option<&Labels>) -> io::Result<()> {
    assert!(header.is_none_or(|header| header.len() == rows.columns()), "a header names each column");
    assert!(labels.is_none_or(|labels| labels.values.len() == rows.rows()), "there is a label for each row");
    // A reader may take a semicolon or a tab in the first line for what separates cells, if it is not quoted.
    let texts = header.into_iter().flatten().chain(labels.into_iter().flat_map(|labels| &labels.values));
    let ambiguous = texts.chain(labels.and_then(|labels| labels.name.as_ref())).any(|text| text.contains([';', '\t']));
    let quote_style = if ambiguous { csv::QuoteStyle::NonNumeric } else { csv::QuoteStyle::Necessary };
    let mut writer = csv::WriterBuilder::new().quote_style(quote_style).from_writer(out);
    if let Some(header) = header {
        let label = labels.map(|labels| labels.name.as_deref().unwrap_or("label"));
        let names = header.iter().map(String::as_str).chain(label);
        writer.write_record(names).map_err(io_error)?;
    }
    let mut text = String::new();
    for row in 0..rows.rows() {
        for &value in rows.row(row) {
            text.clear();
            write_shortest(&mut text, value);
            writer.write_field(&text).map_err(io_error)?;
        }
        if let Some(labels) = labels {
            writer.write_field(&labels.values[row]).map_err(io_error)?;
        }
        writer.write_record(None::<&[u8]>).map_err(io_error)?;
    }
    writer.flush()
}

/// Appends a number in the shortest form that reads back exactly, with an exponent only where that is shorter.
fn write_shortest(text: &mut String, value: f32) {
    use std::fmt::Write;
    let magnitude = value.abs();
    let written = if magnitude == 0.0 || (1e-5..1e16).contains(&magnitude) {
        write!(text, "{value}")
    } else {
        write!(text, "{value:e}")
    };
    written.expect("a string takes any text");
}

/// The input or output error within an error of `csv`, which wraps it.
pub(super) fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests;
