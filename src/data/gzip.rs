//! Unpacking gzip, with errors that tell damage of the data from trouble with the file.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;

use crate::data::read::Malformed;

/// The two bytes that begin a gzip file (RFC 1952, section 2.3.1).
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The unpacked bytes of all members of a gzip file.
pub(super) struct Gunzip<R>(MultiGzDecoder<R>);

impl<R: BufRead> Gunzip<R> {
    pub(super) fn new(input: R) -> Self {
        Self(MultiGzDecoder::new(input))
    }
}

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
