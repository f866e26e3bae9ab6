//! The gradient that an optimizer is given.

use super::Batch;
use crate::kernels::{Isa, Update};

/// The gradient of a minibatch's mean loss by every parameter, laid out as the parameters are.
#[derive(Debug)]
pub struct Gradient<'a>(Source<'a>);

#[derive(Debug)]
enum Source<'a> {
    Traced(&'a Batch),
    Written(Isa, &'a [f32]),
}

impl<'a> Gradient<'a> {
    /// That of the rows that a batch traced last: it is never written down, but changes the parameters as it is summed.
    pub fn traced(batch: &'a Batch) -> Self {
        Self(Source::Traced(batch))
    }

    /// One that stands in a buffer.
    pub fn written(isa: Isa, values: &'a [f32]) -> Self {
        Self(Source::Written(isa, values))
    }

    /// Applies an update to all parameters.
    ///
    /// # Panics
    /// When there is not one element of the gradient for each.
    pub fn apply(self, update: Update<'_>) {
        match self.0 {
            Source::Traced(batch) => batch.apply(update),
            Source::Written(isa, values) => update.apply(isa, values),
        }
    }
}
