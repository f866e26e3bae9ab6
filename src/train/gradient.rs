//! The gradient of a minibatch: the rows go through the network, and penalties are added.
//!
//! This is where several processes could share a minibatch, at the end of [`MinibatchGradient::trace`]: each would trace a
//! shard of its rows as a part, weighted by its share of them, and gradients and errors would be summed in a fixed order
//! before `trace` returns, because the trainer then looks at the errors. Everything before depends only on single rows, and
//! everything after only on the sums; but K-FAC asks the parts for their curvature.

use super::batches::{parts, parts_of};
use super::{TrainOptions, regularisation};
use crate::error::Result;
use crate::kernels::Update;
use crate::matrix::AlignedBuffer;
use crate::network::{Batch, BatchError, Examples, Gradient, Network, Objective};
use crate::optimizer::Needs;

/// The gradient of the mean loss of a minibatch by every parameter.
///
/// The gradient of a minibatch in one part is not written to memory first (but for the few parameters of a narrow network):
/// the optimizer's update is fused with its last sum. It is written where the minibatch has several parts, or something is
/// done to it before the update.
pub(super) struct MinibatchGradient {
    /// The parts of a minibatch that are kept until the update.
    parts: Vec<Batch>,
    needs: Needs,
    /// The written gradient, laid out as the parameters are; empty where no minibatch needs it.
    written: AlignedBuffer,
    /// Of the minibatch traced last: the parts that were kept, and whether its gradient is written.
    kept: usize,
    is_written: bool,
}

impl MinibatchGradient {
    /// Buffers for the minibatches of a run over `rows` rows.
    pub fn new(network: &Network, options: &TrainOptions, rows: usize) -> Self {
        let needs = options.optimizer.needs();
        let objective =
            Objective { loss: options.loss, code_l1: options.penalty.code_l1, beta: options.variational.beta };
        let length = if options.writes_gradient(rows) { network.parameters().len() } else { 0 };
        let part = || needs.batch(network, objective, options.part_rows(rows));
        Self {
            parts: (0..options.kept_parts(rows)).map(|_| part()).collect(),
            needs,
            written: AlignedBuffer::zeros(length),
            kept: 0,
            is_written: false,
        }
    }

    /// Sets the weight of the divergence for the next minibatches.
    pub fn set_beta(&mut self, beta: f32) {
        self.parts.iter_mut().for_each(|part| part.set_beta(beta));
    }

    /// Runs the rows of a minibatch through the network and their gradient back, and returns the sums of their errors.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn trace(&mut self, network: &Network, examples: Examples<'_>, minibatch: &[usize]) -> Result<BatchError> {
        let count = parts_of(minibatch.len());
        (self.kept, self.is_written) = (self.needs.kept_parts(count), count > 1);
        if count == 1 {
            return network.trace_examples(examples, minibatch, &mut self.parts[0]);
        }
        self.written.fill(0.0);
        let mut error = BatchError::default();
        for (index, part) in parts(minibatch).enumerate() {
            let batch = &mut self.parts[index % self.kept];
            error += network.trace_examples(examples, part, batch)?;
            // Gradient descent with a negative step size adds the part's share of the mean.
            let share = part.len() as f32 / minibatch.len() as f32;
            batch.apply(Update::sgd(&mut self.written, -share));
        }
        Ok(error)
    }

    /// Adds the gradient of the penalties, sums the gradients of tied weights, and clips.
    pub fn penalise(&mut self, network: &Network, options: &TrainOptions) {
        if regularisation::changes_gradient(options) {
            if !self.is_written {
                self.parts[0].apply(Update::write(&mut self.written));
                self.is_written = true;
            }
            regularisation::change_gradient(network, options, &mut self.written);
        }
    }

    /// The gradient, for the optimizer.
    pub fn get(&mut self) -> Gradient<'_> {
        match self.is_written {
            true => Gradient::written(&mut self.parts[..self.kept], &self.written),
            false => Gradient::traced(&mut self.parts[0]),
        }
    }
}
