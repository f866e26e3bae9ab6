//! What every update rule does.

use std::fmt;

use crate::network::{Gradient, Network};

/// A rule that turns gradients into changes of the parameters, and what it remembers from step to step.
pub trait Optimizer: Send + fmt::Debug {
    /// Changes the parameters. The batches of the gradient must come from the [`Needs::batch`](super::Needs::batch) of what
    /// the optimizer [needs](super::OptimizerChoice::needs).
    ///
    /// # Panics
    /// When the network is not of the architecture that the optimizer was made for, or it needs the curvature and the
    /// gradient comes from batches that cannot give it.
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
    /// The number of rows whose mean loss the gradient is of: more than the batch traced last, where the gradient was
    /// summed from parts.
    pub rows: usize,
    /// Whether these are all rows, without noise: from such a step to the next, the gradient changes with the parameters
    /// alone. An optimizer that was built for no such steps takes them as any others.
    pub is_exact: bool,
}
