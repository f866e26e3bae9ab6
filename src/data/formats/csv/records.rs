//! The records of a text, one at a time, with their lines.

use std::io::{self, BufRead};

use ::csv::{ByteRecord, Error, ErrorKind, Reader, ReaderBuilder, Terminator};

use super::newlines::Newlines;
use crate::data::input::{Input, read_error};
use crate::error::{Place, Result};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The records of a text: a cursor on the one read last.
pub(super) struct Records<'a> {
    source: String,
    reader: Reader<Newlines<Input<'a>>>,
    record: ByteRecord,
    /// The formats that the text does not have, for messages.
    ruled_out: String,
}

impl<'a> Records<'a> {
    /// A cursor before the first record of `input`; `ruled_out` names the formats that it does not have.
    pub(super) fn new(mut input: Input<'a>, ruled_out: &str) -> Self {
        let mut head = input.head();
        let mut mark = 0;
        if let Some(text) = head.strip_prefix(BYTE_ORDER_MARK) {
            (head, mark) = (text, BYTE_ORDER_MARK.len());
        }
        let separator = separator(head);
        input.consume(mark);
        let source = input.name().to_owned();
        let reader = ReaderBuilder::new()
            .delimiter(separator)
            .terminator(Terminator::Any(b'\n'))
            .has_headers(false)
            .flexible(true)
            .from_reader(Newlines::new(input));
        Self { source, reader, record: ByteRecord::new(), ruled_out: ruled_out.to_owned() }
    }

    /// The name of the text.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Goes to the next record that is not a blank line; `false` at the end.
    pub(super) fn advance(&mut self) -> Result<bool> {
        loop {
            let more = self.reader.read_byte_record(&mut self.record);
            if !more.map_err(|error| read_error(&self.source, io_error(error)))? {
                return Ok(false);
            }
            if self.reader.get_ref().ended() {
                // The text ends with a newline, which ends its last record, unless it is within quotes.
                return Err(self.place().error("a cell begins with a quotation mark that is never closed"));
            }
            let blank = self.record.len() == 1 && !self.record[0].is_empty() && self.record[0].trim_ascii().is_empty();
            if !blank {
                return Ok(true);
            }
        }
    }

    /// The number of cells.
    pub(super) fn width(&self) -> usize {
        self.record.len()
    }

    /// The text of a cell, without white space around it, if it is UTF-8.
    pub(super) fn cell(&self, column: usize) -> Option<&str> {
        std::str::from_utf8(&self.record[column]).ok().map(str::trim)
    }

    /// What is wrong with a cell that is not UTF-8.
    #[cold]
    pub(super) fn not_text(&self) -> String {
        format!("not UTF-8 text (nor {} data)", self.ruled_out)
    }

    /// Where the record begins.
    pub(super) fn place(&self) -> Place {
        // The parser's count is of the line after the record, and a record may hold newlines within quotes.
        let within = self.record.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
        let after = self.reader.position().line() - u64::from(!self.reader.get_ref().ended());
        Place::named(&self.source).at_line(after - within)
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

/// The input or output error within an error of `csv`, which wraps it.
pub(super) fn io_error(error: Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
