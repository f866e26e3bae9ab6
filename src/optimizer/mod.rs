//! Update rules over the flat parameter buffer.

mod adam;
mod choice;
mod kfac;
mod muon;
mod secants;
mod sgd;

pub use adam::Adam;
pub use choice::OptimizerChoice;
pub use kfac::Kfac;
pub use muon::Muon;
pub use sgd::Sgd;

use std::fmt;

use crate::network::{Batch, Gradient, Network};

/// A rule that turns gradients into changes of the parameters, and what it remembers from step to step.
pub trait Optimizer: Send + fmt::Debug {
    /// Makes a batch one that the optimizer can work with: the gradients that it is given must come from such a one.
    fn prepare(&self, batch: Batch) -> Batch {
        batch
    }

    /// Changes the parameters.
    ///
    /// # Panics
    /// When the network is not of the architecture that the optimizer was made for, or the step is exact and it was made for
    /// none that are.
    fn step(&mut self, network: &mut Network, gradient: Gradient<'_>, step: Step);

    /// All that it remembers, by name: what a checkpoint keeps. The names and lengths never change.
    fn memory(&mut self) -> Vec<(&'static str, &mut [f32])>;
}

/// Which step it is, and how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Its number: 1 is the first.
    pub number: u64,
    /// The learning rate α.
    pub learning_rate: f32,
    /// How many rows' mean loss the gradient is that of: more than the batch traced last, where the gradient was summed from
    /// parts.
    pub rows: usize,
    /// Whether these are all rows, without noise: from such a step to the next, the gradient changes with the parameters
    /// alone.
    pub is_exact: bool,
}
