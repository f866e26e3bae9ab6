//! The epochs of a run as an event file, which TensorBoard shows as curves during the run.
//!
//! The file is a sequence of records: the length of the data in 8 bytes, its checksum, the data, its checksum, where
//! integers are little-endian and checksums masked CRC-32C (TensorFlow, `tensorflow/core/lib/io/record_writer.h`). The
//! data are messages `Event` (`event.proto` and `summary.proto`) in the encoding of Protocol Buffers.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crc::{CRC_32_ISCSI, Crc};

use super::{Epoch, Event, Observer, Trainer, VariationalEpoch};
use crate::error::{Error, Result};

const CANNOT_WRITE: &str = "cannot write";

const CRC_32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// An observer that appends each epoch to an event file: `loss`, `error_per_row`, `validation_error_per_row` where
/// there is one, `learning_rate` and `rows_per_second`, and for a variational network `elbo`, `log_likelihood`,
/// `divergence` and `active_codes`, as in [`Epoch`] but in single precision.
///
/// ```no_run
/// use diabolo::train::TensorBoard;
/// let mut board = TensorBoard::create("runs/first".as_ref())?;
/// // … then hand `&mut board` to `train` or `fit_autoencoder`, or `&mut (board, another)` with another observer.
/// # Ok::<(), diabolo::Error>(())
/// ```
#[derive(Debug)]
pub struct TensorBoard {
    file: File,
    path: PathBuf,
}

impl TensorBoard {
    /// Creates a new event file in a directory, and the directory where it does not exist. TensorBoard shows a directory as
    /// one run, of which the latest file counts.
    ///
    /// # Errors
    /// When either cannot be created.
    pub fn create(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory).map_err(failed(directory, "cannot make this directory"))?;
        let now = since_1970();
        // TensorBoard reads the files of a directory in the order of their names.
        let name = format!("events.out.tfevents.{:010}.{:09}.{}", now.as_secs(), now.subsec_nanos(), process::id());
        let path = directory.join(name);
        let file = File::options().append(true).create_new(true).open(&path).map_err(failed(&path, CANNOT_WRITE))?;
        let mut board = Self { file, path };
        let version = |event: &mut Message| event.bytes(field::FILE_VERSION, b"brain.Event:2");
        board.write(0, version)?;
        Ok(board)
    }

    /// The event file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records that the run starts, or restarts, with this epoch: TensorBoard then discards what it has read of it and of
    /// later ones.
    fn start_at(&mut self, epoch: usize) -> Result<()> {
        const START: u64 = 1;
        let mut session = Message::default();
        session.integer(field::STATUS, START);
        self.write(epoch, |event| event.bytes(field::SESSION_LOG, &session.0))
    }

    fn write_epoch(&mut self, epoch: &Epoch) -> Result<()> {
        let variational = |value: fn(VariationalEpoch) -> f64| epoch.variational.map(value);
        let scalars = [
            ("loss", Some(epoch.loss)),
            ("error_per_row", Some(epoch.error_per_row)),
            ("validation_error_per_row", epoch.validation_error_per_row),
            ("learning_rate", Some(f64::from(epoch.learning_rate))),
            ("rows_per_second", Some(epoch.rows_per_second)),
            ("elbo", variational(|found| found.elbo)),
            ("log_likelihood", variational(|found| found.log_likelihood)),
            ("divergence", variational(|found| found.divergence)),
            ("active_codes", variational(|found| found.active_codes as f64)),
        ];
        let mut summary = Message::default();
        for (tag, scalar) in scalars {
            let Some(scalar) = scalar else { continue };
            let mut value = Message::default();
            value.bytes(field::TAG, tag.as_bytes());
            value.float(field::SIMPLE_VALUE, scalar as f32);
            summary.bytes(field::VALUE, &value.0);
        }
        self.write(epoch.number, |event| event.bytes(field::SUMMARY, &summary.0))
    }

    /// Appends an event of an epoch, in one write, because TensorBoard may read at any time.
    fn write(&mut self, epoch: usize, what: impl FnOnce(&mut Message)) -> Result<()> {
        let mut event = Message::default();
        event.double(field::WALL_TIME, since_1970().as_secs_f64());
        event.integer(field::STEP, epoch as u64);
        what(&mut event);
        self.file.write_all(&record(&event.0)).map_err(failed(&self.path, CANNOT_WRITE))
    }
}

impl Observer for TensorBoard {
    fn start(&mut self, trainer: &mut Trainer<'_>) -> Result<()> {
        self.start_at(trainer.history().epochs.len() + 1)
    }

    fn observe(&mut self, _: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>> {
        match event {
            Event::Batch { .. } => {}
            Event::Epoch(epoch) => self.write_epoch(&epoch)?,
            Event::Retry { epoch, .. } => self.start_at(epoch)?,
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn failed(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { path: path.into(), action, source }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Data with their length and both checksums.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &checksum(&length), data, &checksum(data)].concat()
}

/// The CRC-32C, rotated and moved by a constant, because checksums of data that hold checksums are weak.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    CRC_32C.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// The numbers of the fields that are written.
mod field {
    // Of `Event`.
    pub const WALL_TIME: u64 = 1;
    pub const STEP: u64 = 2;
    pub const FILE_VERSION: u64 = 3;
    pub const SUMMARY: u64 = 5;
    pub const SESSION_LOG: u64 = 7;
    // Of `SessionLog`.
    pub const STATUS: u64 = 1;
    // Of `Summary`.
    pub const VALUE: u64 = 1;
    // Of `Summary.Value`.
    pub const TAG: u64 = 1;
    pub const SIMPLE_VALUE: u64 = 2;
}

/// The bytes of a message: one field after another, each preceded by its number and the kind of its encoding.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn key(&mut self, field: u64, kind: u64) {
        self.variable_length(field << 3 | kind);
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn variable_length(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn integer(&mut self, field: u64, value: u64) {
        self.key(field, 0);
        self.variable_length(value);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
    }

    /// Text, or a message within.
    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.key(field, 2);
        self.variable_length(value.len() as u64);
        self.0.extend(value);
    }

    fn float(&mut self, field: u64, value: f32) {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A field as it is read: its number, and its value's bytes, where an integer is a `u64`.
    type Field = (u64, Vec<u8>);

    /// CRC-32C bit by bit: the twin of the crate's.
    fn bitwise_crc(bytes: &[u8]) -> u32 {
        let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
    }

    fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(count);
        *bytes = rest;
        taken
    }

    fn take_integer(bytes: &mut &[u8]) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = take(bytes, 1)[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    fn fields(mut bytes: &[u8]) -> Vec<Field> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let key = take_integer(&mut bytes);
            let value = match key & 7 {
                0 => take_integer(&mut bytes).to_le_bytes().to_vec(),
                1 => take(&mut bytes, 8).to_vec(),
                2 => {
                    let length = take_integer(&mut bytes) as usize;
                    take(&mut bytes, length).to_vec()
                }
                5 => take(&mut bytes, 4).to_vec(),
                kind => panic!("no value has the kind {kind}"),
            };
            found.push((key >> 3, value));
        }
        found
    }

    fn field(fields: &[Field], number: u64) -> Option<&[u8]> {
        fields.iter().find(|(found, _)| *found == number).map(|(_, value)| &value[..])
    }

    /// The events of a file, each as its fields, with all checksums checked.
    fn events(path: &Path) -> Vec<Vec<Field>> {
        let bytes = fs::read(path).unwrap();
        let (mut rest, mut found) = (&bytes[..], Vec::new());
        let check = |bytes: &[u8], checksum: &[u8]| {
            let masked = u32::from_le_bytes(checksum.try_into().unwrap());
            assert_eq!(masked.wrapping_sub(0xa282_ead8).rotate_left(15), bitwise_crc(bytes));
        };
        while !rest.is_empty() {
            let length = take(&mut rest, 8);
            check(length, take(&mut rest, 4));
            let data = take(&mut rest, u64::from_le_bytes(length.try_into().unwrap()) as usize);
            check(data, take(&mut rest, 4));
            found.push(fields(data));
        }
        found
    }

    fn step(event: &[Field]) -> u64 {
        u64::from_le_bytes(field(event, 2).unwrap().try_into().unwrap())
    }

    fn scalars(event: &[Field]) -> BTreeMap<String, f32> {
        let summary = fields(field(event, 5).unwrap());
        let values = summary.iter().map(|(number, value)| {
            assert_eq!(*number, 1);
            let value = fields(value);
            let tag = String::from_utf8(field(&value, 1).unwrap().to_vec()).unwrap();
            (tag, f32::from_le_bytes(field(&value, 2).unwrap().try_into().unwrap()))
        });
        values.collect()
    }

    fn epoch(number: usize, validation_error_per_row: Option<f64>) -> Epoch {
        Epoch {
            number,
            loss: 0.5,
            error_per_row: 2.25,
            variational: None,
            validation_error_per_row,
            seconds: 0.25,
            rows_per_second: 4000.0,
            learning_rate: 0.001,
        }
    }

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, section B.4, and the check value of CRC-32C.
        assert_eq!(bitwise_crc(&[0; 32]), 0x8a91_36aa);
        assert_eq!(CRC_32C.checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(CRC_32C.checksum(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn the_first_record_is_byte_for_byte_what_tensorflow_writes() {
        let mut event = Message::default();
        event.double(field::WALL_TIME, 1.0);
        event.bytes(field::FILE_VERSION, b"brain.Event:2");
        let record = record(&event.0);
        // Of the length 24, TensorFlow's files have this checksum.
        assert_eq!(record[..12], [24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22]);
        assert_eq!(record[12..36], *b"\x09\0\0\0\0\0\0\xf0\x3f\x1a\x0dbrain.Event:2");
        assert_eq!(record.len(), 40);
    }

    #[test]
    fn numbers_of_any_length_are_written() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut message = Message::default();
            message.integer(20, number);
            assert_eq!(fields(&message.0), [(20, number.to_le_bytes().to_vec())]);
        }
        let mut message = Message::default();
        message.integer(1, 300);
        assert_eq!(message.0, [8, 0xac, 2]);
    }

    #[test]
    fn each_epoch_can_be_read_as_soon_as_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut board = TensorBoard::create(&folder.path().join("runs").join("first")).unwrap();
        let path = board.path().to_owned();
        assert!(path.file_name().unwrap().to_str().unwrap().starts_with("events.out.tfevents."));
        let version = events(&path);
        assert_eq!(field(&version[0], 3), Some(&b"brain.Event:2"[..]));
        let time = f64::from_le_bytes(field(&version[0], 1).unwrap().try_into().unwrap());
        assert!((since_1970().as_secs_f64() - time).abs() < 60.0);

        board.write_epoch(&epoch(1, None)).unwrap();
        let (with, without) = (epoch(200, Some(3.5)), events(&path));
        assert_eq!(without.len(), 2);
        assert_eq!(step(&without[1]), 1);
        assert_eq!(scalars(&without[1]).get("validation_error_per_row"), None);

        board.write_epoch(&with).unwrap();
        let found = events(&path);
        assert_eq!((found.len(), step(&found[2])), (3, 200));
        let expected = [
            ("error_per_row", 2.25),
            ("learning_rate", 0.001),
            ("loss", 0.5),
            ("rows_per_second", 4000.0),
            ("validation_error_per_row", 3.5),
        ];
        let expected = BTreeMap::from(expected.map(|(tag, value)| (tag.to_string(), value)));
        assert_eq!(scalars(&found[2]), expected);

        let variational = VariationalEpoch { elbo: -90.5, log_likelihood: -65.5, divergence: 25.0, active_codes: 20 };
        board.write_epoch(&Epoch { variational: Some(variational), ..with }).unwrap();
        let more = [("elbo", -90.5), ("log_likelihood", -65.5), ("divergence", 25.0), ("active_codes", 20.0)];
        let more = more.map(|(tag, value)| (tag.to_string(), value));
        assert_eq!(scalars(&events(&path)[3]), expected.into_iter().chain(more).collect());
    }

    #[test]
    fn a_start_makes_the_epochs_from_there_on_void() {
        let folder = tempfile::tempdir().unwrap();
        let mut board = TensorBoard::create(folder.path()).unwrap();
        board.start_at(7).unwrap();
        let found = events(board.path());
        assert_eq!(step(&found[1]), 7);
        assert_eq!(fields(field(&found[1], 7).unwrap()), [(1, 1_u64.to_le_bytes().to_vec())]);
    }

    #[test]
    fn a_directory_that_cannot_be_is_an_error_with_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let message = TensorBoard::create(&file).unwrap_err().to_string();
        assert!(message.starts_with(&format!("{}: cannot make this directory: ", file.display())), "{message}");
    }
}
