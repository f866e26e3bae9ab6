//! The needs of a run, known before its first step: rows at once, buffers, a written gradient.

use super::batches::{Batches, part_rows, parts_of};
use super::{Averaging, TrainOptions, regularisation};
use crate::network::Architecture;

impl TrainOptions {
    /// The largest number of rows whose activations are kept at once in a run over `rows` rows: larger minibatches go
    /// through the network in parts.
    pub fn rows_at_once(&self, rows: usize) -> usize {
        self.part_rows(rows).saturating_mul(self.kept_parts(rows))
    }

    /// The number of rows of the longest part of a minibatch, in a run over `rows` rows.
    pub(super) fn part_rows(&self, rows: usize) -> usize {
        part_rows(Batches::new(self, rows).largest())
    }

    /// The number of parts of a minibatch that are kept at once, in a run over `rows` rows.
    pub(super) fn kept_parts(&self, rows: usize) -> usize {
        self.optimizer.needs().kept_parts(parts_of(Batches::new(self, rows).largest()))
    }

    /// The number of elements of all buffers of a run over `rows` rows: the parameters, the optimizer's state, and whatever
    /// else the options require; `usize::MAX` when it does not fit a `usize`.
    pub fn elements(&self, architecture: &Architecture, rows: usize) -> usize {
        let copies = |count: usize| architecture.buffer_length().saturating_mul(count);
        let kept = 1 + usize::from(self.averaging != Averaging::None) + usize::from(self.stopping.patience.is_some());
        let kept = copies(kept).saturating_add(self.optimizer.elements(architecture, self.has_exact_steps(rows)));
        let to_go_back_to = if self.stopping.retries > 0 { kept } else { 0 };
        let gradient = copies(usize::from(self.writes_gradient(rows)));
        kept.saturating_add(to_go_back_to).saturating_add(gradient)
    }

    /// Whether some steps of a run over `rows` rows are exact ([`Step::is_exact`](crate::optimizer::Step::is_exact)).
    pub(super) fn has_exact_steps(&self, rows: usize) -> bool {
        self.is_exact(Batches::new(self, rows).largest(), rows)
    }

    /// Whether a step by a minibatch of `batch` rows is exact, in a run over `rows` rows.
    pub(super) fn is_exact(&self, batch: usize, rows: usize) -> bool {
        batch >= rows && !self.augmentation.is_random() && self.clip_norm.is_none()
    }

    /// Whether the gradient must be written to memory before a step, in a run over `rows` rows.
    pub(super) fn writes_gradient(&self, rows: usize) -> bool {
        regularisation::changes_gradient(self) || parts_of(Batches::new(self, rows).largest()) > 1
    }
}
