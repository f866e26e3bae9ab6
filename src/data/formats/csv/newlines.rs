//! Text whose lines all end alike.

use std::io::{self, BufRead, Read};

use crate::data::input::Malformed;

/// The longest line that is read. A longer one is no table, and would be held in memory as a whole.
const LONGEST_LINE: usize = 1 << 28;

/// Text in which `\r\n` and a lone `\r` are read as `\n`, and the last line ends with one too.
///
/// Thereby every record of a CSV file ends in exactly one `\n`, so that the parser's count of lines gives the line
/// on which a record begins.
pub(super) struct Newlines<R> {
    input: R,
    after_return: bool,
    line_length: usize,
    ended: bool,
}

impl<R: BufRead> Newlines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, after_return: false, line_length: 0, ended: false }
    }

    /// Whether the reader of this text has met its end.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Copies what it can of one buffer of the input: the number of bytes used, and of bytes written to `out`.
    fn copy(&mut self, out: &mut [u8]) -> io::Result<(usize, usize)> {
        let bytes = self.input.fill_buf()?;
        let used = bytes.len().min(out.len());
        let mut written = 0;
        for &byte in &bytes[..used] {
            if byte != b'\n' || !self.after_return {
                out[written] = if byte == b'\r' { b'\n' } else { byte };
                written += 1;
            }
            self.after_return = byte == b'\r';
        }
        self.input.consume(used);
        Ok((used, written))
    }
}

impl<R: BufRead> Read for Newlines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            let written = match self.copy(out) {
                Ok((0, _)) if self.line_length > 0 => {
                    out[0] = b'\n';
                    1
                }
                Ok((0, _)) => {
                    self.ended = true;
                    return Ok(0);
                }
                Ok((_, written)) => written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let after_newline = out[..written].iter().rev().position(|&byte| byte == b'\n');
            self.line_length = after_newline.unwrap_or(self.line_length + written);
            if self.line_length > LONGEST_LINE {
                let problem = format!("a line of more than {LONGEST_LINE} bytes; this is no table");
                return Err(io::Error::other(Malformed(problem)));
            }
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn all_ends_of_lines_become_one_newline_whatever_the_buffers() {
        for (text, expected) in
            [("", ""), ("\n", "\n"), ("a", "a\n"), ("a\r", "a\n"), ("a\r\n\r\nb\rc\n\rd", "a\n\nb\nc\n\nd\n")]
        {
            for capacity in 1..8 {
                let mut read = String::new();
                let input = BufReader::with_capacity(capacity, text.as_bytes());
                Newlines::new(input).read_to_string(&mut read).unwrap();
                assert_eq!(read, expected, "from {text:?} with a buffer of {capacity}");
            }
        }
    }

    #[test]
    fn a_line_without_end_is_an_error() {
        let mut endless = Newlines::new(BufReader::with_capacity(1 << 20, io::repeat(b'1')));
        let error = io::copy(&mut endless, &mut io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "a line of more than 268435456 bytes; this is no table");
    }
}
