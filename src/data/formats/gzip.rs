//! Unpacking gzip, with errors that distinguish damaged data from trouble with the file.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;

use super::format::{Content, Format};
use crate::data::input::{Input, Malformed};
use crate::error::Result;

pub(super) static FORMAT: Format = Format {
    name: "gzip",
    recognised_by: "its magic number, 1f 8b",
    holds: "one of the others",
    recognises: |head| head.starts_with(&MAGIC),
    content: Content::Packed(unpack),
};

/// The two bytes that begin a gzip file (RFC 1952, section 2.3.1).
const MAGIC: [u8; 2] = [0x1f, 0x8b];

fn unpack(input: Input<'_>) -> Result<Input<'_>> {
    let name = input.name().to_owned();
    Input::stream(&name, Gunzip(MultiGzDecoder::new(input)))
}

/// The unpacked bytes of all members of a gzip file.
struct Gunzip<R>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::other(Malformed("the gzip data is cut short".into())),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                io::Error::other(Malformed(format!("the gzip data is damaged: {error}")))
            }
            _ => error,
        })
    }
}
