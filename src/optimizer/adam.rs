//! Adam.

use super::Optimizer;
use crate::kernels::{AdamStep, Update};
use crate::matrix::AlignedBuffer;

/// Adam with its authors' settings, β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸ (Kingma and Ba, "Adam: a method for stochastic
/// optimization", 2015, algorithm 1).
#[derive(Clone, Debug)]
pub struct Adam {
    first_moment: AlignedBuffer,
    second_moment: AlignedBuffer,
    steps: u64,
}

impl Adam {
    /// For so many parameters.
    pub fn new(parameters: usize) -> Self {
        let zeros = AlignedBuffer::zeros(parameters);
        Self { first_moment: zeros.clone(), second_moment: zeros, steps: 0 }
    }
}

impl Optimizer for Adam {
    fn step<'a>(&'a mut self, learning_rate: f32, parameters: &'a mut [f32]) -> Update<'a> {
        self.steps += 1;
        let step = AdamStep { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: self.steps };
        Update::adam(parameters, &mut self.first_moment, &mut self.second_moment, step)
    }
}
