//! Stochastic gradient descent.

use rayon::prelude::*;

use super::{Optimizer, PIECE};
use crate::kernels::{self, Isa};
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
    fn update(&mut self, isa: Isa, learning_rate: f32, parameters: &mut [f32], gradient: &[f32]) {
        let pieces = parameters.par_chunks_mut(PIECE).zip_eq(gradient.par_chunks(PIECE));
        if self.momentum == 0.0 {
            pieces.for_each(|(parameters, gradient)| kernels::sgd(isa, parameters, gradient, learning_rate));
        } else {
            let momentum = self.momentum;
            pieces.zip_eq(self.velocity.par_chunks_mut(PIECE)).for_each(|((parameters, gradient), velocity)| {
                kernels::momentum(isa, parameters, velocity, gradient, learning_rate, momentum);
            });
        }
    }
}
