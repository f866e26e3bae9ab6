//! Adam.

use rayon::prelude::*;

use super::{Optimizer, PIECE};
use crate::kernels::{self, AdamStep, Isa};
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
    fn update(&mut self, isa: Isa, learning_rate: f32, parameters: &mut [f32], gradient: &[f32]) {
        self.steps += 1;
        let step = AdamStep { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: self.steps };
        let moments = self.first_moment.par_chunks_mut(PIECE).zip_eq(self.second_moment.par_chunks_mut(PIECE));
        parameters.par_chunks_mut(PIECE).zip_eq(gradient.par_chunks(PIECE)).zip_eq(moments).for_each(
            |((parameters, gradient), (first, second))| kernels::adam(isa, parameters, first, second, gradient, step),
        );
    }
}
