//! The gradient that an optimizer is given.

use super::Batch;
use crate::kernels::Update;

/// The gradient of a minibatch's mean loss by every parameter, laid out as the parameters are.
#[derive(Debug)]
pub struct Gradient<'a> {
    batch: &'a mut Batch,
    written: Option<&'a [f32]>,
}

impl<'a> Gradient<'a> {
    /// That of the rows that a batch traced last: it is never written down, but changes the parameters as it is summed.
    pub fn traced(batch: &'a mut Batch) -> Self {
        Self { batch, written: None }
    }

    /// What was made of that of a batch, in a buffer.
    pub fn written(batch: &'a mut Batch, values: &'a [f32]) -> Self {
        Self { batch, written: Some(values) }
    }

    /// Applies an update to all parameters.
    ///
    /// # Panics
    /// When there is not one element of the gradient for each.
    pub fn apply(&self, update: Update<'_>) {
        match self.written {
            None => self.batch.apply(update),
            Some(values) => update.apply(self.batch.isa(), values),
        }
    }

    /// The batch that it comes from, for optimizers that look at more than the gradient.
    pub(crate) fn into_batch(self) -> &'a mut Batch {
        self.batch
    }
}
