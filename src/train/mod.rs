//! Training: minibatches, epochs, schedules, averages, history, stopping, checkpoints; pretraining and the search for a
//! learning rate.

mod averaging;
mod batches;
mod check;
mod checkpoint;
mod history;
mod learning_rate;
mod options;
mod penalty;
mod pretraining;
mod progress;
mod schedule;
mod tensorboard;
mod trainer;

pub use averaging::Averaging;
pub use history::{Epoch, EpochErrors, History, VariationalEpoch};
pub use learning_rate::find_learning_rate;
pub use options::{Penalty, Stopping, TrainOptions, VariationalLoss};
pub use pretraining::{check_pairs, pretrain};
pub use schedule::{LearningRate, Schedule};
pub use tensorboard::TensorBoard;
pub use trainer::Trainer;

use std::ops::ControlFlow;

use crate::error::Result;
use crate::network::Network;
use crate::rows::Rows;

/// What happened in a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A minibatch is done.
    Batch {
        /// The epoch it belongs to, from 1.
        epoch: usize,
        /// Its rows.
        rows: usize,
    },
    /// An epoch is done.
    Epoch(Epoch),
    /// The run diverged and went back to its last good epoch.
    Retry {
        /// The epoch that begins anew, from 1.
        epoch: usize,
        /// The learning rate that it begins with.
        learning_rate: f32,
    },
}

/// Work that a run may need before its first step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preparation {
    /// The search for a learning rate.
    LearningRate,
    /// Pretraining of the layers.
    Pretraining,
}

impl Preparation {
    /// What is being done, in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::LearningRate => "looking for a learning rate",
            Self::Pretraining => "pretraining",
        }
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All epochs are done.
    Epochs,
    /// The error on held-out rows had not become smaller for too many epochs.
    Patience,
    /// The time was up.
    MaxTime,
    /// An observer broke it off.
    Interrupted,
}

/// Who watches a run, and may end it or write checkpoints.
pub trait Observer {
    /// After each event of the work that comes before the run.
    ///
    /// # Errors
    /// Those end the work, and the run does not begin.
    fn prepare(&mut self, _: Preparation) -> Result<()> {
        Ok(())
    }

    /// Before the first minibatch; [`Trainer::resume`] belongs here.
    ///
    /// # Errors
    /// Those end the run.
    fn start(&mut self, _: &mut Trainer<'_>) -> Result<()> {
        Ok(())
    }

    /// After each event.
    ///
    /// # Errors
    /// Those end the run.
    fn observe(&mut self, trainer: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>>;
}

/// Nobody watches.
impl Observer for () {
    fn observe(&mut self, _: &mut Trainer<'_>, _: Event) -> Result<ControlFlow<()>> {
        Ok(ControlFlow::Continue(()))
    }
}

/// Two watch; the first is told first.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn prepare(&mut self, preparation: Preparation) -> Result<()> {
        self.0.prepare(preparation)?;
        self.1.prepare(preparation)
    }

    fn start(&mut self, trainer: &mut Trainer<'_>) -> Result<()> {
        self.0.start(trainer)?;
        self.1.start(trainer)
    }

    fn observe(&mut self, trainer: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>> {
        let (first, second) = (self.0.observe(trainer, event)?, self.1.observe(trainer, event)?);
        Ok(if first.is_break() { first } else { second })
    }
}

/// Perhaps somebody watches.
impl<O: Observer> Observer for Option<O> {
    fn prepare(&mut self, preparation: Preparation) -> Result<()> {
        self.as_mut().map_or(Ok(()), |observer| observer.prepare(preparation))
    }

    fn start(&mut self, trainer: &mut Trainer<'_>) -> Result<()> {
        self.as_mut().map_or(Ok(()), |observer| observer.start(trainer))
    }

    fn observe(&mut self, trainer: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>> {
        self.as_mut().map_or(Ok(ControlFlow::Continue(())), |observer| observer.observe(trainer, event))
    }
}

/// Watches runs that are a preparation, on behalf of the observer of the run itself.
struct Preparing<'a> {
    preparation: Preparation,
    observer: &'a mut dyn Observer,
}

impl Observer for Preparing<'_> {
    fn observe(&mut self, _: &mut Trainer<'_>, _: Event) -> Result<ControlFlow<()>> {
        self.observer.prepare(self.preparation).map(ControlFlow::Continue)
    }
}

/// Trains a network on rows by minibatches, shuffled anew each epoch, and tells how it went and why it ended.
///
/// It runs on the rayon pool it is called from.
///
/// # Errors
/// Those of [`Trainer::new`] and [`Trainer::advance`], and the observer's.
pub fn train(
    network: &mut Network,
    rows: &dyn Rows,
    validation: Option<&dyn Rows>,
    options: &TrainOptions,
    observer: &mut dyn Observer,
) -> Result<(History, End)> {
    let mut trainer = Trainer::new(network, rows, validation, options)?;
    observer.start(&mut trainer)?;
    while let Some(event) = trainer.advance()? {
        if observer.observe(&mut trainer, event)?.is_break() {
            break;
        }
    }
    Ok(trainer.finish())
}

#[cfg(test)]
mod tests;
