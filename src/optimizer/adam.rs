//! Adam.

use super::step::{Optimizer, Step};
use crate::kernels::{AdamStep, Update};
use crate::matrix::AlignedBuffer;
use crate::network::{Gradient, Network};

/// Adam with its authors' settings, β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸ (Kingma and Ba, "Adam: a method for stochastic
/// optimization", 2015, algorithm 1).
#[derive(Clone, Debug)]
pub struct Adam {
    first_moment: AlignedBuffer,
    second_moment: AlignedBuffer,
}

impl Adam {
    /// For `parameters` parameters.
    pub fn new(parameters: usize) -> Self {
        let zeros = AlignedBuffer::zeros(parameters);
        Self { first_moment: zeros.clone(), second_moment: zeros }
    }
}

impl Optimizer for Adam {
    fn step(&mut self, network: &mut Network, gradient: Gradient<'_>, step: Step) {
        let Step { number, learning_rate, .. } = step;
        let step = AdamStep { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: number };
        let parameters = network.parameters_mut();
        gradient.apply(Update::adam(parameters, &mut self.first_moment, &mut self.second_moment, step));
    }

    fn memory(&mut self) -> Vec<(&'static str, &mut [f32])> {
        vec![("first_moment", &mut self.first_moment), ("second_moment", &mut self.second_moment)]
    }
}
