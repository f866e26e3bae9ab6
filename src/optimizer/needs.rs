//! What an optimizer needs of a minibatch.

use crate::network::{Batch, Network, Objective};

/// What an optimizer needs of a minibatch, which goes through the network in one part or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The gradient alone.
    Gradient,
    /// The gradient, and the curvature of the loss over a share of the rows.
    Curvature {
        /// The share is 1 / `divisor`.
        divisor: usize,
    },
}

impl Needs {
    /// Room for up to `rows` rows, with what is needed of them.
    ///
    /// # Panics
    /// As [`Batch::new`].
    pub fn batch(self, network: &Network, objective: impl Into<Objective>, rows: usize) -> Batch {
        match self {
            Self::Gradient => Batch::new(network, objective, rows),
            Self::Curvature { .. } => Batch::in_tiles(network, objective, rows),
        }
    }

    /// The number of a minibatch's `parts` that must be kept until the step.
    pub fn kept_parts(self, parts: usize) -> usize {
        match self {
            Self::Gradient => 1,
            Self::Curvature { divisor } => parts.div_ceil(divisor),
        }
    }
}
