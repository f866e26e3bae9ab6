//! Checkpoints: the state of a run on disk, from which it resumes as if it had never stopped.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::progress::{BestError, Progress};
use super::state::{BEST, RunState};
use crate::error::{Error, Place, Result};
use crate::file::write_whole;
use crate::matrix::AlignedBuffer;
use crate::network::Network;
use crate::tensor_file::{self, Kind, Tensor, TensorFile};

// Infinite values are allowed: the moments of huge gradients overflow before a run diverges, and it may be stopped then.
const KIND: Kind = Kind { key: "diabolo-checkpoint", name: "checkpoint", format: 1, is_finite: false };

#[derive(Serialize, Deserialize)]
struct Header {
    /// The settings that must be the same for the run to resume.
    settings: Map<String, Value>,
    progress: Progress,
    /// The progress after the last good epoch, where the run keeps one.
    last_good: Option<Progress>,
}

/// Writes the state of a run with these settings to a file, whole or not at all.
///
/// # Errors
/// When the file cannot be written; what was there before is then still there.
pub(super) fn save(
    path: &Path,
    settings: Map<String, Value>,
    network: &mut Network,
    state: &mut RunState,
) -> Result<()> {
    write_whole(path, |out| write(out, settings, network, state))
}

fn write(
    out: &mut dyn Write,
    settings: Map<String, Value>,
    network: &mut Network,
    state: &mut RunState,
) -> io::Result<()> {
    // Taken out, because the list of buffers borrows the whole state.
    let good = state.last_good.take();
    let header = Header {
        settings,
        progress: state.progress.clone(),
        last_good: good.as_ref().map(|(progress, _)| progress.clone()),
    };
    let buffers = state.buffers(network);
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
    state.last_good = good;
    written
}

/// The learning rate of a checkpoint's run.
///
/// # Errors
/// When the file cannot be read, is no checkpoint, or is damaged.
pub(super) fn learning_rate(path: &Path) -> Result<f32> {
    let bytes = read(path)?;
    let header = TensorFile::parse(KIND, &bytes).and_then(|file| file.header::<Header>());
    let header = header.map_err(|problem| Place::file(path).error(problem))?;
    let rate = header.settings.get("learning-rate").and_then(Value::as_f64);
    rate.map(|rate| rate as f32).ok_or_else(|| Place::file(path).error("the checkpoint has no learning rate"))
}

/// Reads the state of a run from a file. Settings must be the same, except for those that `may_change` names.
///
/// # Errors
/// When the file cannot be read, is no checkpoint, is damaged, or belongs to a run with other settings; network and
/// state are then unchanged.
pub(super) fn load(
    path: &Path,
    settings: &Map<String, Value>,
    may_change: impl Fn(&str) -> bool,
    network: &mut Network,
    state: &mut RunState,
) -> Result<()> {
    let bytes = read(path)?;
    let loaded = TensorFile::parse(KIND, &bytes).and_then(|mut file| {
        let header: Header = file.header()?;
        check_settings(&header.settings, settings, may_change)?;
        restore(header, &mut file, network, state)
    });
    loaded.map_err(|problem| Place::file(path).error(problem))
}

fn check_settings(
    theirs: &Map<String, Value>,
    ours: &Map<String, Value>,
    may_change: impl Fn(&str) -> bool,
) -> std::result::Result<(), String> {
    for (name, here) in ours {
        let there = theirs.get(name).unwrap_or(&Value::Null);
        if !may_change(name) && there != here {
            return Err(format!("the checkpoint is of a run with {name} {there}, not {here}"));
        }
    }
    Ok(())
}

/// Reads all tensors, and only then changes network and state.
fn restore(
    header: Header,
    file: &mut TensorFile<'_>,
    network: &mut Network,
    state: &mut RunState,
) -> std::result::Result<(), String> {
    let lengths: Vec<(String, usize)> =
        state.buffers(network).into_iter().map(|(name, buffer)| (name, buffer.len())).collect();
    // A resumed run may be given patience or lose it. The best weights are then not in the file, or not needed: the search
    // for the smallest error starts from scratch.
    let has_best = !state.best.is_empty() && file.has(BEST);
    let restored = |progress: Progress| match has_best {
        true => progress,
        false => Progress { best: BestError::default(), ..progress },
    };
    let mut take = |name: &str, length| match length > 0 && (has_best || !name.ends_with(BEST)) {
        true => file.read(name, &[length]).map(|values| AlignedBuffer::from(&values[..])),
        false => Ok(AlignedBuffer::zeros(length)),
    };
    // An error in any tensor must leave network and state as they are, so all are read before the first is copied.
    let mut values = Vec::new();
    for (name, length) in &lengths {
        values.push(take(name, *length)?);
    }
    state.last_good = match header.last_good {
        Some(progress) => {
            let kept = lengths.iter().map(|(name, length)| take(&last_good(name), *length));
            Some((restored(progress), kept.collect::<std::result::Result<_, _>>()?))
        }
        None => None,
    };
    for ((_, buffer), values) in state.buffers(network).into_iter().zip(values) {
        buffer.copy_from_slice(&values);
    }
    state.progress = restored(header.progress);
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::Io { path: path.into(), action: "cannot read", source })
}

/// The name of a buffer as it was after the last good epoch.
fn last_good(name: &str) -> String {
    format!("last_good.{name}")
}
