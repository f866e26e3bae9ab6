//! The progress of a run: with the buffers, everything that it needs to resume.

use serde::{Deserialize, Serialize};

use super::{Epoch, History, VariationalEpoch};
use crate::network::BatchError;

/// The progress of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The epochs that are done.
    pub history: History,
    /// The number of minibatches done in the current epoch.
    pub batches: usize,
    /// The sums of their errors, and the seconds that they took.
    pub sums: BatchError,
    pub seconds: f64,
    /// Steps done in all.
    pub steps: u64,
    /// The mean loss of a row in the last minibatch, and the smallest such mean of the first minibatch and of whole
    /// epochs: a good epoch ends near the latter.
    pub last_loss: f64,
    pub lowest_loss: Option<f64>,
    /// The factor by which plateaus and divergence have lowered the learning rate.
    pub rate_share: f32,
    /// The number of times that it has diverged.
    pub retries: usize,
    /// The smallest error of all epochs: for stopping, and for plateaus, which count epochs since the rate last fell.
    pub best: BestError,
    pub plateau: BestError,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            history: History::default(),
            batches: 0,
            sums: BatchError::default(),
            seconds: 0.0,
            steps: 0,
            last_loss: 0.0,
            lowest_loss: None,
            rate_share: 1.0,
            retries: 0,
            best: BestError::default(),
            plateau: BestError::default(),
        }
    }
}

impl Progress {
    /// Seconds of training so far.
    pub fn total_seconds(&self) -> f64 {
        self.history.seconds() + self.seconds
    }

    /// Counts a minibatch that is done.
    pub fn note_batch(&mut self, error: BatchError, rows: usize) {
        self.sums += error;
        self.batches += 1;
        self.last_loss = error.loss / rows as f64;
        self.lowest_loss.get_or_insert(self.last_loss);
    }

    /// Whether the last minibatch's loss is at most `times` the smallest one.
    pub fn is_good(&self, times: f64) -> bool {
        self.lowest_loss.is_some_and(|lowest| self.last_loss <= times * lowest)
    }

    /// The means over the rows of the current epoch so far: of the loss, and of the codes' divergence.
    pub fn means(&self, rows: usize) -> [f64; 2] {
        [self.sums.loss, self.sums.divergence].map(|sum| sum / rows as f64)
    }

    /// Ends the current epoch, whose last step had this learning rate.
    pub fn end_epoch(
        &mut self,
        rows: usize,
        validation_error_per_row: Option<f64>,
        variational: Option<VariationalEpoch>,
        learning_rate: f32,
    ) -> Epoch {
        let (sums, seconds) = (std::mem::take(&mut self.sums), std::mem::take(&mut self.seconds));
        let count = rows as f64;
        let epoch = Epoch {
            number: self.history.epochs.len() + 1,
            loss: sums.loss / count,
            error_per_row: sums.squared_error / count,
            validation_error_per_row,
            variational,
            seconds,
            rows_per_second: count / seconds,
            learning_rate,
        };
        self.lowest_loss = self.lowest_loss.map(|lowest| lowest.min(epoch.loss));
        self.batches = 0;
        self.history.epochs.push(epoch);
        epoch
    }
}

/// The smallest error so far, and the epochs since: the measure of early stopping and of plateaus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct BestError {
    pub error: Option<f64>,
    pub epochs_since: usize,
}

impl BestError {
    /// Counts an epoch's error, and returns whether it is the smallest.
    pub fn note(&mut self, error: f64) -> bool {
        let lower = error.is_finite() && self.error.is_none_or(|lowest| error < lowest);
        *self = match lower {
            true => Self { error: Some(error), epochs_since: 0 },
            false => Self { epochs_since: self.epochs_since + 1, ..*self },
        };
        lower
    }
}
