//! Stochastic gradient descent.

use super::step::{Optimizer, Step};
use crate::kernels::Update;
use crate::matrix::AlignedBuffer;
use crate::network::{Gradient, Network};

/// W ← W − αG, or with momentum μ: V ← μV + G, W ← W − αV (Polyak, "Some methods of speeding up the convergence of
/// iteration methods", 1964, in the form of Sutskever et al., 2013, §2, with the rate outside); or with Nesterov's
/// momentum W ← W − α(G + μV).
#[derive(Clone, Debug)]
pub struct Sgd {
    momentum: f32,
    nesterov: bool,
    velocity: AlignedBuffer,
}

impl Sgd {
    /// For `parameters` parameters; with a momentum of 0 there is no velocity.
    pub fn new(momentum: f32, nesterov: bool, parameters: usize) -> Self {
        let remembered = if momentum == 0.0 { 0 } else { parameters };
        Self { momentum, nesterov, velocity: AlignedBuffer::zeros(remembered) }
    }
}

impl Optimizer for Sgd {
    fn step(&mut self, network: &mut Network, gradient: Gradient<'_>, step: Step) {
        let (parameters, rate) = (network.parameters_mut(), step.learning_rate);
        gradient.apply(match (self.momentum, self.nesterov) {
            (0.0, _) => Update::sgd(parameters, rate),
            (momentum, false) => Update::momentum(parameters, &mut self.velocity, rate, momentum),
            (momentum, true) => Update::nesterov(parameters, &mut self.velocity, rate, momentum),
        });
    }

    fn memory(&mut self) -> Vec<(&'static str, &mut [f32])> {
        vec![("velocity", &mut self.velocity)]
    }
}
