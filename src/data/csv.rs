//! Reading tables of numbers from text (RFC 4180, and what spreadsheets make of it).

use std::io::{BufRead, Cursor, Read};

use ::csv::{ByteRecord, Reader, ReaderBuilder, Terminator};

use crate::data::columns::{ColumnNames, Selection};
use crate::data::dataset::{Dataset, Labels};
use crate::data::newlines::Newlines;
use crate::data::read::{Columns, ReadOptions, read_error};
use crate::data::write::io_error;
use crate::error::{Place, Result};
use crate::matrix::Matrix;

/// How much of the text the separator is looked for in.
const HEAD: u64 = 1 << 16;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a table from text. `missing` takes for each cell whether it is missing, and such a cell is 0; without it, that
/// is an error.
pub(super) fn read(
    source: &str,
    input: &mut dyn BufRead,
    options: &ReadOptions,
    mut missing: Option<&mut Vec<bool>>,
) -> Result<Dataset> {
    let mut records = Records::new(source, input)?;
    if !records.advance()? {
        return Err(Place::named(source).error("holds no rows"));
    }
    let width = records.record.len();
    let header = if records.is_header(options) { Some(records.header()?) } else { None };
    let names = ColumnNames::new(source, width, header.as_deref());
    let selection = Selection::new(&names, options)?;

    let mut values = Vec::new();
    let mut labels = Vec::new();
    let mut is_first = header.is_none();
    while is_first || records.advance()? {
        if records.record.len() != width {
            let found = records.record.len();
            let problem = format!("number of cells: {found} found, {width} expected as in the first line");
            return Err(records.place().error(problem));
        }
        for &column in &selection.features {
            let mut number_or_missing = |cell: &str| {
                let Some(missing) = missing.as_deref_mut() else { return number(cell) };
                missing.push(is_missing(cell));
                if is_missing(cell) { Ok(0.0) } else { number(cell) }
            };
            let value = records.cell(column).and_then(&mut number_or_missing).map_err(|mut problem| {
                if is_first {
                    problem += "; the first line counts as data, for a header holds names and no number";
                }
                records.place().at_column(names.display(column)).error(problem)
            })?;
            values.push(value);
        }
        if let Some(column) = selection.label {
            let label = records.cell(column);
            let label = label.map_err(|problem| records.place().at_column(names.display(column)).error(problem))?;
            labels.push(label.to_owned());
        }
        is_first = false;
    }

    let columns = selection.features.len();
    if values.is_empty() {
        return Err(Place::named(source).error("holds a header but no rows"));
    }
    let pick = |header: &Vec<String>| selection.features.iter().map(|&column| header[column].clone()).collect();
    let matrix = Matrix::from_slice(values.len() / columns, columns, &values);
    let dataset = Dataset::from_matrix(source, matrix, header.as_ref().map(pick))?;
    match selection.label {
        Some(column) => {
            let name = header.as_ref().map(|header| header[column].clone());
            dataset.with_labels(Labels { name, values: labels })
        }
        None => Ok(dataset),
    }
}

/// The records of a text, one at a time.
struct Records<'a> {
    source: &'a str,
    reader: Reader<Newlines<Box<dyn BufRead + 'a>>>,
    record: ByteRecord,
}

impl<'a> Records<'a> {
    fn new(source: &'a str, input: &'a mut dyn BufRead) -> Result<Self> {
        let mut head = Vec::new();
        input.take(HEAD).read_to_end(&mut head).map_err(|error| read_error(source, error))?;
        if head.starts_with(BYTE_ORDER_MARK) {
            head.drain(..BYTE_ORDER_MARK.len());
        }
        let separator = separator(&head);
        let text: Box<dyn BufRead + 'a> = Box::new(Cursor::new(head).chain(input));
        let reader = ReaderBuilder::new()
            .delimiter(separator)
            .terminator(Terminator::Any(b'\n'))
            .has_headers(false)
            .flexible(true)
            .from_reader(Newlines::new(text));
        Ok(Self { source, reader, record: ByteRecord::new() })
    }

    /// Goes to the next record that is not a blank line; `false` at the end.
    fn advance(&mut self) -> Result<bool> {
        loop {
            let more = self.reader.read_byte_record(&mut self.record);
            if !more.map_err(|error| read_error(self.source, io_error(error)))? {
                return Ok(false);
            }
            if self.reader.get_ref().ended() {
                // The text ends with a newline, which ends its last record, unless that stands within quotes.
                return Err(self.place().error("a cell begins with a quotation mark that is never closed"));
            }
            let blank = self.record.len() == 1 && !self.record[0].is_empty() && self.record[0].trim_ascii().is_empty();
            if !blank {
                return Ok(true);
            }
        }
    }

    /// Where the record begins.
    fn place(&self) -> Place {
        let within = self.record.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
        let after = self.reader.position().line() - u64::from(!self.reader.get_ref().ended());
        Place::named(self.source).at_line(after - within)
    }

    /// The text of a cell, without white space around it.
    fn cell(&self, column: usize) -> std::result::Result<&str, String> {
        let text = std::str::from_utf8(&self.record[column]);
        text.map(str::trim).map_err(|_| "not UTF-8 text (nor IDX or gzip data)".to_owned())
    }

    /// Whether the record, being the first, names the columns.
    fn is_header(&self, options: &ReadOptions) -> bool {
        let cells = (0..self.record.len()).map(|column| self.cell(column).unwrap_or("not UTF-8"));
        let mut asked = options.columns.asked().iter().chain(&options.label).map(|name| name.trim());
        let holds_no_number = cells.clone().all(|cell| !resembles_number(cell));
        let holds_text = cells.clone().any(|cell| !cell.is_empty());
        let is_known = match &options.columns {
            Columns::Named(names) => names.iter().all(|name| cells.clone().any(|cell| cell == name)),
            _ => false,
        };
        (holds_no_number && holds_text)
            || is_known
            || asked.any(|name| !resembles_number(name) && cells.clone().any(|cell| cell == name))
    }

    fn header(&self) -> Result<Vec<String>> {
        let name = |column| {
            let cell = self.cell(column).map(str::to_owned);
            cell.map_err(|problem| self.place().at_column((column + 1).to_string()).error(problem))
        };
        (0..self.record.len()).map(name).collect()
    }
}

/// What separates the cells of the first line that is not blank: a tab if it has one outside quotes, else a semicolon,
/// else a comma.
fn separator(text: &[u8]) -> u8 {
    let is_newline = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let blank = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let start = text[..blank].iter().rposition(is_newline).map_or(0, |newline| newline + 1);
    let mut quoted = false;
    let mut separator = b',';
    for byte in &text[start..] {
        match byte {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'\t' => return b'\t',
            b';' => separator = b';',
            _ if is_newline(byte) => break,
            _ => {}
        }
    }
    separator
}

/// Whether a cell is meant as a number, be it a usable one or not.
fn resembles_number(cell: &str) -> bool {
    cell.parse::<f32>().is_ok() || has_decimal_comma(cell)
}

fn has_decimal_comma(cell: &str) -> bool {
    cell.matches(',').count() == 1 && cell.replace(',', ".").parse::<f32>().is_ok()
}

/// Whether a cell says that there is no number.
fn is_missing(cell: &str) -> bool {
    cell.is_empty() || cell.eq_ignore_ascii_case("na") || cell.eq_ignore_ascii_case("nan")
}

/// The finite number that a cell holds, or what is wrong with it.
fn number(cell: &str) -> std::result::Result<f32, String> {
    let value = cell.parse::<f32>();
    value.ok().filter(|value| value.is_finite()).ok_or_else(|| why_no_number(cell))
}

#[cold]
fn why_no_number(cell: &str) -> String {
    let shown = shown(cell);
    let mut parts = cell.split_whitespace();
    if cell.is_empty() {
        "the cell is empty; a number is needed".to_owned()
    } else if cell.parse::<f32>().is_ok() {
        match cell.bytes().any(|byte| byte.is_ascii_digit()) {
            true => format!("{shown} is beyond the range of single precision (about 3.4e38)"),
            false => format!("{shown} is not a finite number"),
        }
    } else if has_decimal_comma(cell) {
        format!("{shown} has a decimal comma; write {}", cell.replace(',', "."))
    } else if parts.clone().count() > 1 && parts.all(resembles_number) {
        format!("{shown} is several numbers; separate cells by commas, semicolons or tabs")
    } else {
        format!("{shown} is not a number; keep a column of text aside with --label, or choose others with --columns")
    }
}

/// A cell in a message: its beginning, with control characters made visible.
fn shown(cell: &str) -> String {
    const SHOWN: usize = 40;
    let beginning: String = cell.chars().take(SHOWN).collect();
    let more = if beginning.len() < cell.len() { "…" } else { "" };
    format!("`{}{more}`", beginning.escape_debug())
}

#[cfg(test)]
mod tests;
