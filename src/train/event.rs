//! The events of a run, for its observers.

use super::Epoch;

/// An event of a run.
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
        /// The epoch that begins again, from 1.
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
    /// Its description in words.
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
    /// An observer ended it.
    Interrupted,
}
