//! Writing rows as CSV.

use std::io::{self, Write};

use super::records::io_error;
use crate::data::labels::Labels;
use crate::matrix::Matrix;

/// Writes rows as CSV, between commas, with labels as the last column where there are some.
///
/// Each number is written in the shortest form that reads back as exactly the same `f32`. Text is quoted where it must
/// be, or everywhere, if some of it holds a semicolon or a tab. With a header, labels without a name are called `label`.
pub struct CsvWriter<'a, W: Write> {
    writer: ::csv::Writer<W>,
    /// The header, until the first rows are written.
    header: Option<&'a [String]>,
    columns: usize,
    labels: Option<&'a Labels>,
    written: usize,
}

impl<'a, W: Write> CsvWriter<'a, W> {
    /// A writer of rows of `columns` numbers, under a header if there is one, each with its label if there are labels.
    ///
    /// # Panics
    /// When the header does not name each column.
    pub fn new(out: W, header: Option<&'a [String]>, columns: usize, labels: Option<&'a Labels>) -> Self {
        assert!(header.is_none_or(|header| header.len() == columns), "a header names each column");
        // A reader may take a semicolon or a tab in the first line for what separates cells, if it is not quoted.
        let texts = header.into_iter().flatten().chain(labels.into_iter().flat_map(|labels| &labels.values));
        let names = labels.and_then(|labels| labels.name.as_ref());
        let ambiguous = texts.chain(names).any(|text| text.contains([';', '\t']));
        let quote_style = if ambiguous { ::csv::QuoteStyle::NonNumeric } else { ::csv::QuoteStyle::Necessary };
        let writer = ::csv::WriterBuilder::new().quote_style(quote_style).from_writer(out);
        Self { writer, header, columns, labels, written: 0 }
    }

    /// Writes some more rows, the header before the first of them.
    ///
    /// # Errors
    /// When writing fails.
    ///
    /// # Panics
    /// When the rows have another width, or there are fewer labels than rows.
    pub fn write(&mut self, rows: &Matrix) -> io::Result<()> {
        assert_eq!(rows.columns(), self.columns, "the columns of the rows");
        if let Some(header) = self.header.take() {
            let label = self.labels.map(|labels| labels.name.as_deref().unwrap_or("label"));
            let names = header.iter().map(String::as_str).chain(label);
            self.writer.write_record(names).map_err(io_error)?;
        }
        let mut text = String::new();
        for row in 0..rows.rows() {
            for &value in rows.row(row) {
                text.clear();
                write_shortest(&mut text, value);
                self.writer.write_field(&text).map_err(io_error)?;
            }
            if let Some(labels) = self.labels {
                self.writer.write_field(&labels.values[self.written]).map_err(io_error)?;
            }
            self.writer.write_record(None::<&[u8]>).map_err(io_error)?;
            self.written += 1;
        }
        self.writer.flush()
    }
}

/// Writes all rows at once, as [`CsvWriter`] does.
///
/// # Errors
/// When writing fails.
///
/// # Panics
/// When the header does not name each column, or the labels are not one a row.
pub fn write_csv(out: impl Write, header: Option<&[String]>, rows: &Matrix, labels: Option<&Labels>) -> io::Result<()> {
    assert!(labels.is_none_or(|labels| labels.values.len() == rows.rows()), "there is a label for each row");
    CsvWriter::new(out, header, rows.columns(), labels).write(rows)
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

#[cfg(test)]
mod tests;
