//! Checkpoints: a run on disk, from which it can go on as if it had never stopped.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use flate2::Crc;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::progress::{Lowest, Progress};
use super::trainer::BEST;
use super::{Averaging, Trainer};
use crate::error::{Error, Place, Result};
use crate::file::write_whole;
use crate::matrix::AlignedBuffer;
use crate::rows::{Rows, for_each_chunk};
use crate::settings::by_name;
use crate::tensor_file::{self, Kind, Tensor, TensorFile, bytes_of};

// A run that is about to diverge can be stopped too, and the moments of huge gradients overflow.
const KIND: Kind = Kind { key: "diabolo-checkpoint", name: "checkpoint", format: 1, is_finite: false };

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
        self.stop_clock();
        let settings = self.settings()?;
        write_whole(path, |out| self.write_checkpoint(settings, out))
    }

    fn write_checkpoint(&mut self, settings: Map<String, Value>, out: &mut dyn Write) -> io::Result<()> {
        let good = self.last_good.take();
        let header = Header {
            settings,
            progress: self.progress.clone(),
            last_good: good.as_ref().map(|(progress, _)| progress.clone()),
        };
        let buffers = self.buffers();
        let kept = good.iter().flat_map(|(_, kept)| kept).zip(&buffers);
        let kept = kept.map(|(kept, (name, _))| (last_good(name), &**kept));
        let tensors: Vec<Tensor<'_>> = buffers
            .iter()
            .map(|(name, values)| (name.clone(), &**values))
            .chain(kept)
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| Tensor { name, shape: vec![values.len()], values })
            .collect();
        let written = tensor_file::write(out, KIND, &header, tensors);
        self.last_good = good;
        written
    }

    /// The learning rate of the run that a checkpoint is of.
    ///
    /// # Errors
    /// When the file cannot be read, is no checkpoint, or is damaged.
    pub fn learning_rate_of(path: &Path) -> Result<f32> {
        let bytes = read(path)?;
        let header = TensorFile::parse(KIND, &bytes).and_then(|file| file.header::<Header>());
        let header = header.map_err(|problem| Place::file(path).error(problem))?;
        let rate = header.settings.get("learning-rate").and_then(Value::as_f64);
        rate.map(|rate| rate as f32).ok_or_else(|| Place::file(path).error("the checkpoint has no learning rate"))
    }

    /// Goes on from a checkpoint of the same run: what follows has the same bits as if the run had not stopped.
    ///
    /// The numbers of epochs, patience, retries and the time may be others than before; that of epochs not where the
    /// weights are averaged over a share of them.
    ///
    /// # Errors
    /// When the file cannot be read, is no checkpoint, is damaged, or is one of a run with other settings or data.
    pub fn resume(&mut self, path: &Path) -> Result<()> {
        let bytes = read(path)?;
        let here = self.settings()?;
        self.restore(&bytes, &here).map_err(|problem| Place::file(path).error(problem))
    }

    fn restore(&mut self, bytes: &[u8], here: &Map<String, Value>) -> std::result::Result<(), String> {
        let mut file = TensorFile::parse(KIND, bytes)?;
        let Header { settings, progress, last_good: good } = file.header()?;
        let free = by_name(&self.options.stopping);
        for (name, here) in here {
            let there = settings.get(name).unwrap_or(&Value::Null);
            let may_change = match name.as_str() {
                "epochs" => !matches!(self.options.averaging, Averaging::Tail(_)),
                name => free.contains_key(name),
            };
            if !may_change && there != here {
                return Err(format!("the checkpoint is of a run with {name} {there}, not {here}"));
            }
        }
        let lengths: Vec<(String, usize)> =
            self.buffers().into_iter().map(|(name, buffer)| (name, buffer.len())).collect();
        // Patience may be new, or no more asked for: then no weights are the best yet.
        let has_best = !self.best.is_empty() && file.has(BEST);
        let restored = |progress: Progress| match has_best {
            true => progress,
            false => Progress { best: Lowest::default(), ..progress },
        };
        let mut take = |name: &str, length| match length > 0 && (has_best || !name.ends_with(BEST)) {
            true => file.read(name, &[length]).map(|values| AlignedBuffer::from(&values[..])),
            false => Ok(AlignedBuffer::zeros(length)),
        };
        let mut values = Vec::new();
        for (name, length) in &lengths {
            values.push(take(name, *length)?);
        }
        self.last_good = match good {
            Some(progress) => {
                let kept = lengths.iter().map(|(name, length)| take(&last_good(name), *length));
                Some((restored(progress), kept.collect::<std::result::Result<_, _>>()?))
            }
            None => None,
        };
        for ((_, buffer), values) in self.buffers().into_iter().zip(values) {
            buffer.copy_from_slice(&values);
        }
        self.progress = restored(progress);
        Ok(())
    }

    /// What must be the same for a run to go on.
    fn settings(&mut self) -> Result<Map<String, Value>> {
        if self.rows_checksum.is_none() {
            let mut crc = Crc::new();
            [Some(self.rows), self.validation].into_iter().flatten().try_for_each(|rows| add_rows(&mut crc, rows))?;
            self.rows_checksum = Some(format!("{:08x}", crc.sum()));
        }
        let architecture = self.network.architecture();
        let layers = architecture.layers().iter();
        let mut settings: Map<String, Value> = by_name(&self.options).into_iter().collect();
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
        Ok(settings)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::Io { path: path.into(), action: "cannot read", source })
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

fn add_rows(crc: &mut Crc, rows: &dyn Rows) -> Result<()> {
    for_each_chunk(rows, |chunk| {
        add(crc, chunk.as_slice());
        Ok(())
    })
}

fn add(crc: &mut Crc, values: &[f32]) {
    bytes_of(values).for_each(|bytes| crc.update(&bytes));
}
