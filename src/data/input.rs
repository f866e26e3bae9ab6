//! Bytes to read a data set from: a file, which may be able to seek, or any stream.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use crate::error::{Error, Place, Result};

/// The number of bytes that are read ahead to recognise the format.
const HEAD: u64 = 1 << 16;

const BUFFER: usize = 1 << 16;

/// A file or a stream of bytes, with its beginning read ahead and a name for messages.
///
/// It may be a pipe, which can be read only once: the bytes of [`head`](Self::head) are read again as the first ones.
pub struct Input<'a> {
    name: String,
    head: Vec<u8>,
    /// The number of bytes of the head that were read.
    used: usize,
    rest: Rest<'a>,
}

/// The input after the head.
enum Rest<'a> {
    File(BufReader<File>),
    Stream(BufReader<Box<dyn Read + 'a>>),
}

impl<'a> Input<'a> {
    /// The file of a path, or a pipe or device.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be opened, or its beginning cannot be read.
    pub fn open(path: &str) -> Result<Self> {
        let file = File::open(path).map_err(|error| read_error(path, error))?;
        Self::new(path, Rest::File(BufReader::with_capacity(BUFFER, file)))
    }

    /// A stream of bytes.
    ///
    /// # Errors
    /// When its beginning cannot be read.
    pub fn stream(name: &str, stream: impl Read + 'a) -> Result<Self> {
        Self::new(name, Rest::Stream(BufReader::with_capacity(BUFFER, Box::new(stream))))
    }

    fn new(name: &str, rest: Rest<'a>) -> Result<Self> {
        let mut input = Self { name: name.to_owned(), head: Vec::new(), used: 0, rest };
        input.head = input.read_up_to(HEAD)?;
        Ok(input)
    }

    /// The name, or the path, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first 64 KiB, or all bytes where there are fewer, whether they were read already or not.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The next `count` bytes: fewer where the input ends before. Memory is allocated only for bytes that exist.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read_up_to(&mut self, count: u64) -> Result<Vec<u8>> {
        let left = &self.head[self.used..];
        let mut bytes = left[..left.len().min(usize::try_from(count).unwrap_or(usize::MAX))].to_vec();
        self.used += bytes.len();
        let more = count - bytes.len() as u64;
        let read = match &mut self.rest {
            Rest::File(file) => file.take(more).read_to_end(&mut bytes),
            Rest::Stream(stream) => stream.take(more).read_to_end(&mut bytes),
        };
        read.map_err(|error| read_error(&self.name, error))?;
        bytes.shrink_to_fit();
        Ok(bytes)
    }

    /// The file, at its first byte, if the input is one that can seek: for formats whose table of contents is at the end,
    /// and for rows that stay on disk. What the input then gives is what follows the file's position.
    pub fn as_file(&mut self) -> Option<&mut File> {
        let Rest::File(file) = &mut self.rest else { return None };
        if !file.get_ref().metadata().is_ok_and(|metadata| metadata.is_file()) {
            return None;
        }
        // Through the buffer, which forgets what it holds.
        file.rewind().ok()?;
        self.used = self.head.len();
        Some(file.get_mut())
    }
}

impl Read for Input<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.used < self.head.len() {
            let read = (&self.head[self.used..]).read(out)?;
            self.used += read;
            return Ok(read);
        }
        match &mut self.rest {
            Rest::File(file) => file.read(out),
            Rest::Stream(stream) => stream.read(out),
        }
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used < self.head.len() {
            return Ok(&self.head[self.used..]);
        }
        match &mut self.rest {
            Rest::File(file) => file.fill_buf(),
            Rest::Stream(stream) => stream.fill_buf(),
        }
    }

    fn consume(&mut self, count: usize) {
        if self.used < self.head.len() {
            self.used += count;
            return;
        }
        match &mut self.rest {
            Rest::File(file) => file.consume(count),
            Rest::Stream(stream) => stream.consume(count),
        }
    }
}

/// A reader's message, within a [`std::io::Error`], about data that the input delivered without trouble.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Malformed(pub(super) String);

/// The error of this crate for one that an input gave.
pub(super) fn read_error(name: &str, source: io::Error) -> Error {
    match source.get_ref().and_then(|inner| inner.downcast_ref::<Malformed>()) {
        Some(Malformed(problem)) => Place::named(name).error(problem),
        None => Error::Io { path: name.into(), action: "cannot read", source },
    }
}

#[cfg(test)]
mod tests {
    use std::io::{SeekFrom, Write};

    use super::*;

    /// More than is read ahead, and more than a buffer.
    fn bytes() -> Vec<u8> {
        (0..200_000_u32).map(|index| (index % 251 * (index % 241)) as u8).collect()
    }

    #[test]
    fn the_head_is_read_again_from_files_and_streams() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes()).unwrap();
        for mut input in [
            Input::open(file.path().to_str().unwrap()).unwrap(),
            Input::stream("stream", io::Cursor::new(bytes())).unwrap(),
        ] {
            assert_eq!(input.head(), &bytes()[..1 << 16]);
            assert_eq!(input.read_up_to(3).unwrap(), bytes()[..3]);
            let mut read = Vec::new();
            input.by_ref().take(100_000).read_to_end(&mut read).unwrap();
            assert_eq!(read, bytes()[3..100_003]);
            assert_eq!(input.read_up_to(1 << 40).unwrap(), bytes()[100_003..]);
        }
    }

    #[test]
    fn a_file_can_seek_and_a_stream_cannot() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes()).unwrap();
        let mut input = Input::open(file.path().to_str().unwrap()).unwrap();
        let file = input.as_file().unwrap();
        let mut first = [0; 2];
        file.read_exact(&mut first).unwrap();
        assert_eq!(first, bytes()[..2]);
        file.seek(SeekFrom::End(-2)).unwrap();
        assert_eq!(input.read_up_to(10).unwrap(), bytes()[bytes().len() - 2..]);
        assert!(Input::stream("stream", &bytes()[..]).unwrap().as_file().is_none());
    }
}
