//! The gradient that an optimizer is given.

use super::batch::Batch;
use super::curvature::CurvatureBatch;
use super::parameters::Network;
use crate::kernels::Update;

/// The gradient of a minibatch's mean loss by every parameter, laid out as the parameters are.
#[derive(Debug)]
pub struct Gradient<'a> {
    batches: &'a mut [Batch],
    written: Option<&'a [f32]>,
}

impl<'a> Gradient<'a> {
    /// The gradient of the rows that a batch traced last. In tiles it is not written down, but changes the parameters as it
    /// is summed; in a narrow batch it is.
    pub fn traced(batch: &'a mut Batch) -> Self {
        Self { batches: std::slice::from_mut(batch), written: None }
    }

    /// A gradient in a buffer, and parts of the minibatch that it comes from.
    ///
    /// # Panics
    /// When there is no part.
    pub fn written(batches: &'a mut [Batch], values: &'a [f32]) -> Self {
        assert!(!batches.is_empty(), "a part of the minibatch");
        Self { batches, written: Some(values) }
    }

    /// Applies an update to all parameters.
    ///
    /// # Panics
    /// When there is not one element of the gradient for each.
    pub fn apply(&self, update: Update<'_>) {
        match self.written {
            None => self.batches[0].apply(update),
            Some(values) => update.apply(self.batches[0].isa(), values),
        }
    }

    /// The parts of the minibatch, for optimizers that need its curvature; `None` where a part is not in tiles.
    ///
    /// # Panics
    /// When a part was made for another network.
    pub(crate) fn into_curvature(self, network: &'a Network) -> Option<Vec<CurvatureBatch<'a>>> {
        self.batches.iter_mut().map(|batch| batch.curvature(network)).collect()
    }
}
