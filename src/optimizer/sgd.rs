//! Stochastic gradient descent.

use super::Optimizer;
use crate::kernels::Update;
use crate::matrix::AlignedBuffer;

/// W ← W − αG, or with momentum μ: V ← μV + G, W ← W − αV (Polyak, "Some methods of speeding up the convergence of
/// iteration methods", 1964, in the form of Sutskever et al., 2013, §2, with the rate outside).
#[derive(Clone, Debug)]
pub struct Sgd {
    momentum: f32,
    velocity: AlignedBuffer,
}

impl Sgd {
    /// For so many parameters; with a momentum of 0 nothing is remembered.
    pub fn new(momentum: f32, parameters: usize) -> Self {
        Self { momentum, velocity: AlignedBuffer::zeros(if momentum == 0.0 { 0 } else { parameters }) }
    }
}

impl Optimizer for Sgd {
    fn step<'a>(&'a mut self, learning_rate: f32, parameters: &'a mut [f32]) -> Update<'a> {
        if self.momentum == 0.0 {
            Update::sgd(parameters, learning_rate)
        } else {
            Update::momentum(parameters, &mut self.velocity, learning_rate, self.momentum)
        }
    }
}
