//! The watch over a training run at the command line: progress, checkpoints, and signals to stop.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;

use super::progress::{Progress, tell};
use super::train_arguments::seconds;
use crate::error::{Error, Result};
use crate::file;
use crate::train::{Event, Observer, Preparation, Trainer};

/// The file in the folder of checkpoints.
const FILE: &str = "checkpoint.safetensors";

/// The name that a checkpoint of an earlier run gets, when another run writes to the same folder.
const EARLIER: &str = "earlier.safetensors";

/// Set when the user, or the system, asks the program to stop.
static STOP: AtomicBool = AtomicBool::new(false);

/// When and where checkpoints are written.
#[derive(Debug, Args)]
pub struct CheckpointArguments {
    /// Keep a checkpoint in this folder, from which a stopped run can resume [default: none but the one that Ctrl-C
    /// leaves in OUT.checkpoint]
    #[arg(long, value_name = "DIR")]
    checkpoint: Option<PathBuf>,
    /// The interval between checkpoints: a number of epochs, or a time, as in 90s, 15m, 2h [default: 1]
    #[arg(long, value_name = "EPOCHS|TIME", requires = "checkpoint", allow_negative_numbers = true, value_parser = every)]
    checkpoint_every: Option<Every>,
    /// Resume from the checkpoint, if there is one; the result is the same as if the run had not stopped
    #[arg(long)]
    resume: bool,
}

/// The distance between two checkpoints.
#[derive(Clone, Copy, Debug)]
enum Every {
    Epochs(usize),
    Time(Duration),
}

fn every(text: &str) -> std::result::Result<Every, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 epoch lies between two checkpoints".into()),
        Ok(epochs) => Ok(Every::Epochs(epochs)),
        Err(_) => seconds(text).map(|seconds| Every::Time(Duration::from_secs_f64(seconds.min(1e9)))),
    }
}

impl CheckpointArguments {
    /// The folder: the one that was named, or one beside the model.
    fn folder(&self, out: &Path) -> PathBuf {
        self.checkpoint.clone().unwrap_or_else(|| {
            let mut name = out.as_os_str().to_owned();
            name.push(".checkpoint");
            PathBuf::from(name)
        })
    }

    /// The files that may be written, where the user asked for checkpoints.
    pub fn files(&self) -> Vec<PathBuf> {
        self.checkpoint.iter().flat_map(|folder| [FILE, EARLIER].map(|file| folder.join(file))).collect()
    }

    /// The learning rate of the run to resume, where there is one.
    ///
    /// # Errors
    /// When its checkpoint cannot be read.
    pub fn learning_rate(&self, out: &Path) -> Result<Option<f32>> {
        let path = self.folder(out).join(FILE);
        (self.resume && path.exists()).then(|| Trainer::learning_rate_of(&path)).transpose()
    }

    /// Watches a run whose model goes to `out`.
    ///
    /// # Errors
    /// When the user asked for checkpoints, and their folder neither exists nor can be created.
    pub fn watch(&self, progress: Progress, out: &Path) -> Result<Watch> {
        let folder = self.folder(out);
        if self.checkpoint.is_some() {
            create_folder(&folder)?;
            file::check_writable(&folder.join(FILE))?;
        }
        // The first signal stops the run at its next event, with a checkpoint; a second ends the program at once. Where
        // no handler can be set, Ctrl-C ends the program as it does any other.
        let _ = ctrlc::set_handler(|| {
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(1);
            }
        });
        let every = self.checkpoint.is_some().then(|| self.checkpoint_every.unwrap_or(Every::Epochs(1)));
        Ok(Watch { progress, folder, every, resume: self.resume, saved: None, start: Instant::now() })
    }
}

/// Watches a run.
pub struct Watch {
    progress: Progress,
    folder: PathBuf,
    every: Option<Every>,
    resume: bool,
    /// The time when this run last wrote a checkpoint, or read one.
    saved: Option<Instant>,
    start: Instant,
}

impl Watch {
    /// Leaves the last state on the screen.
    pub fn finish(self) {
        self.progress.finish();
    }

    fn save(&mut self, trainer: &mut Trainer<'_>) -> Result<()> {
        let path = self.folder.join(FILE);
        if self.saved.is_none() && path.exists() {
            self.keep_earlier(&path)?;
        }
        trainer.save_checkpoint(&path)?;
        self.saved = Some(Instant::now());
        Ok(())
    }

    /// Puts the checkpoint of another run aside.
    fn keep_earlier(&self, path: &Path) -> Result<()> {
        let aside = self.folder.join(EARLIER);
        let io = |source| Error::Io { path: aside.clone(), action: "cannot keep an earlier checkpoint as", source };
        fs::rename(path, &aside).map_err(io)?;
        tell(&format!("{}: the checkpoint of an earlier run, which this one did not go on with", aside.display()));
        Ok(())
    }

    fn is_due(&self, event: Event) -> bool {
        match (self.every, event) {
            (Some(Every::Epochs(epochs)), Event::Epoch(epoch)) => epoch.number.is_multiple_of(epochs),
            (Some(Every::Time(time)), Event::Batch { .. }) => self.saved.unwrap_or(self.start).elapsed() >= time,
            _ => false,
        }
    }
}

impl Observer for Watch {
    fn prepare(&mut self, preparation: Preparation) -> Result<()> {
        self.progress.prepare(preparation)?;
        if STOP.load(Ordering::Relaxed) {
            return Err(Error::Unprepared { preparation: preparation.name() });
        }
        Ok(())
    }

    fn start(&mut self, trainer: &mut Trainer<'_>) -> Result<()> {
        let path = self.folder.join(FILE);
        if self.resume && path.exists() {
            trainer.resume(&path)?;
            self.saved = Some(Instant::now());
        } else if self.resume {
            tell(&format!("{}: no checkpoint yet; training begins from the start", path.display()));
        }
        self.progress.start(trainer)
    }

    fn observe(&mut self, trainer: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>> {
        let _ = self.progress.observe(trainer, event)?;
        // A run that is at its end has nothing to stop.
        if STOP.load(Ordering::Relaxed) && trainer.end().is_none() {
            create_folder(&self.folder)?;
            self.save(trainer)?;
            let epoch = trainer.history().epochs.len() + 1;
            return Err(Error::Interrupted { epoch, checkpoint: self.folder.clone() });
        }
        if self.is_due(event) {
            self.save(trainer)?;
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn create_folder(folder: &Path) -> Result<()> {
    let created = fs::create_dir_all(folder);
    created.map_err(|source| Error::Io { path: folder.into(), action: "cannot create the folder", source })
}
