//! Checkpoints: a run on disk, from which it can go on as if it had never stopped.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use flate2::Crc;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Trainer;
use super::progress::Progress;
use super::trainer::BEST;
use crate::data::{Rows, for_each_chunk};
use crate::error::{Error, Place, Result};
use crate::file::write_whole;
use crate::matrix::AlignedBuffer;
use crate::tensor_file::{self, Kind, Tensor, TensorFile, bytes_of};

const KIND: Kind = Kind { key: "diabolo-checkpoint", name: "checkpoint", format: 1 };

/// Settings that may change when a run goes on.
const FREE: [&str; 4] = ["epochs", "max-time", "patience", "retries"];

#[derive(Serialize, Deserialize)]
struct Header {
    settings: Map<String, Value>,
    progress: Progress,
    /// That of the last good epoch, where the run can go back to one.
    last_good: Option<Progress>,
}

impl Trainer<'_> {
    /// Writes all that the run needs to go on to a file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written; what stood there before then still stands.
    pub fn save_checkpoint(&mut self, path: &Path) -> Result<()> {
        write_whole(path, |out| self.write_checkpoint(out))
    }

    fn write_checkpoint(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.stop_clock();
        let (good, kept) = self.last_good.clone().unzip();
        let settings = self.settings();
        let header = Header { settings, progress: self.progress.clone(), last_good: good };
        let buffers: Vec<(String, &[f32])> =
            self.buffers().into_iter().map(|(name, buffer)| (name, &*buffer)).collect();
        let kept = kept.iter().flatten().zip(&buffers).map(|(kept, (name, _))| (last_good(name), &**kept));
        let tensors: Vec<Tensor<'_>> = buffers
            .iter()
            .map(|(name, values)| (name.clone(), *values))
            .chain(kept)
            .map(|(name, values)| Tensor { name, shape: vec![values.len()], values })
            .collect();
        tensor_file::write(out, KIND, &header, tensors)
    }

    /// Goes on from a checkpoint of the same run: what follows has the same bits as if the run had not stopped.
    ///
    /// The numbers of epochs, patience, retries and the time may be others than before.
    ///
    /// # Errors
    /// When the file cannot be read, is no checkpoint, is damaged, or is one of a run with other settings or data.
    pub fn resume(&mut self, path: &Path) -> Result<()> {
        let bytes = fs::read(path).map_err(|source| Error::Io { path: path.into(), action: "cannot read", source })?;
        self.restore(&bytes).map_err(|problem| Place::file(path).error(problem))
    }

    fn restore(&mut self, bytes: &[u8]) -> std::result::Result<(), String> {
        let mut file = TensorFile::parse(KIND, bytes)?;
        let Header { settings, progress, last_good: good } = file.header()?;
        for (name, here) in &self.settings() {
            let there = settings.get(name).unwrap_or(&Value::Null);
            if !FREE.contains(&name.as_str()) && there != here {
                return Err(format!("the checkpoint is of a run with {name} {there}, not {here}"));
            }
        }
        let lengths: Vec<(String, usize)> =
            self.buffers().into_iter().map(|(name, buffer)| (name, buffer.len())).collect();
        // Patience may be new: then no weights are the best yet.
        let mut read = |name: &str, length| match file.has(name) || !name.ends_with(BEST) {
            true => file.read(name, &[length]).map(|values| AlignedBuffer::from(&values[..])),
            false => Ok(AlignedBuffer::zeros(length)),
        };
        let mut restored = Vec::new();
        for (name, length) in &lengths {
            restored.push(read(name, *length)?);
        }
        self.last_good = match good {
            Some(progress) => {
                let kept = lengths.iter().map(|(name, length)| read(&last_good(name), *length));
                Some((progress, kept.collect::<std::result::Result<_, _>>()?))
            }
            None => None,
        };
        for ((_, buffer), values) in self.buffers().into_iter().zip(restored) {
            buffer.copy_from_slice(&values);
        }
        self.progress = progress;
        Ok(())
    }

    /// What must be the same for a run to go on.
    fn settings(&mut self) -> Map<String, Value> {
        if self.rows_checksum.is_none() {
            let mut crc = Crc::new();
            [Some(self.rows), self.validation].into_iter().flatten().for_each(|rows| add_rows(&mut crc, rows));
            self.rows_checksum = Some(format!("{:08x}", crc.sum()));
        }
        let architecture = self.network.architecture();
        let layers = architecture.layers().iter();
        let mut settings: Map<String, Value> = self.options.settings().into_iter().collect();
        settings.insert("seed".into(), json!(self.options.seed));
        settings.insert("layers".into(), json!(architecture.sizes()));
        settings.insert("activations".into(), layers.clone().map(|layer| layer.activation().name()).collect());
        settings.insert("biases".into(), layers.map(|layer| layer.has_bias()).collect());
        settings.insert("variational".into(), json!(architecture.is_variational()));
        settings.insert("rows".into(), json!(self.rows.rows()));
        settings.insert("rows-checksum".into(), json!(self.rows_checksum));
        settings.insert("start-checksum".into(), json!(self.start));
        settings.insert("validation-rows".into(), json!(self.validation.map(|rows| rows.rows())));
        settings.insert("instruction-set".into(), json!(self.network.isa().name()));
        settings
    }
}

/// The name of what the last good epoch left in a buffer.
fn last_good(name: &str) -> String {
    format!("last_good.{name}")
}

/// The CRC-32 of some values.
pub(super) fn checksum(values: &[f32]) -> String {
    let mut crc = Crc::new();
    add(&mut crc, values);
    format!("{:08x}", crc.sum())
}

fn add_rows(crc: &mut Crc, rows: &dyn Rows) {
    for_each_chunk(rows, |chunk| add(crc, chunk.as_slice()));
}

fn add(crc: &mut Crc, values: &[f32]) {
    bytes_of(values).for_each(|bytes| crc.update(&bytes));
}
