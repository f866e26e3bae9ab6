//! Update rules: one pass over flat buffers of parameters, gradients and state.

use super::Isa;
use super::sweep::{Map, sweep};
use pulp::Simd;

/// w ← w − α g.
///
/// # Panics
/// When the lengths differ.
pub fn sgd(isa: Isa, parameters: &mut [f32], gradient: &[f32], learning_rate: f32) {
    sweep(isa, [gradient], [parameters], Sgd { learning_rate });
}

/// v ← μ v + g, then w ← w − α v: the heavy ball (Polyak, 1964), as Sutskever et al. (2013) write it but for the
/// learning rate, which multiplies the velocity when it is used, not when it grows.
///
/// # Panics
/// When the lengths differ.
pub fn momentum(
    isa: Isa,
    parameters: &mut [f32],
    velocity: &mut [f32],
    gradient: &[f32],
    learning_rate: f32,
    momentum: f32,
) {
    sweep(isa, [gradient], [parameters, velocity], Momentum { learning_rate, momentum });
}

/// The settings of one step of [`adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// α.
    pub learning_rate: f32,
    /// β₁, the decay of the first moment, in [0, 1).
    pub beta1: f32,
    /// β₂, the decay of the second moment, in [0, 1).
    pub beta2: f32,
    /// ε, added to the root of the second moment.
    pub epsilon: f32,
    /// The number of this step: 1 is the first.
    pub step: u64,
}

/// Adam (Kingma & Ba, 2015, algorithm 1): m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², then
/// w ← w − α m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) in step t.
///
/// # Panics
/// When the lengths differ, or the step is 0.
pub fn adam(
    isa: Isa,
    parameters: &mut [f32],
    first_moment: &mut [f32],
    second_moment: &mut [f32],
    gradient: &[f32],
    step: AdamStep,
) {
    assert!(step.step > 0, "the first step is 1");
    let correction = |beta: f32| 1.0 - f64::from(beta).powf(step.step as f64);
    let kernel = Adam {
        beta1: step.beta1,
        beta2: step.beta2,
        rest1: 1.0 - step.beta1,
        rest2: 1.0 - step.beta2,
        epsilon: step.epsilon,
        rate: (f64::from(step.learning_rate) / correction(step.beta1)) as f32,
        root: correction(step.beta2).sqrt().recip() as f32,
    };
    sweep(isa, [gradient], [parameters, first_moment, second_moment], kernel);
}

#[derive(Clone, Copy)]
struct Sgd {
    learning_rate: f32,
}

impl Map<1, 1> for Sgd {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, [gradient]: [S::f32s; 1], [parameters]: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.negate_mul_add_e_f32s(simd.splat_f32s(self.learning_rate), gradient, parameters)]
    }
}

#[derive(Clone, Copy)]
struct Momentum {
    learning_rate: f32,
    momentum: f32,
}

impl Map<1, 2> for Momentum {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, [gradient]: [S::f32s; 1], [parameters, velocity]: [S::f32s; 2]) -> [S::f32s; 2] {
        let velocity = simd.mul_add_e_f32s(simd.splat_f32s(self.momentum), velocity, gradient);
        [simd.negate_mul_add_e_f32s(simd.splat_f32s(self.learning_rate), velocity, parameters), velocity]
    }
}

#[derive(Clone, Copy)]
struct Adam {
    beta1: f32,
    beta2: f32,
    /// 1 − β₁ and 1 − β₂.
    rest1: f32,
    rest2: f32,
    epsilon: f32,
    /// α / (1 − β₁ᵗ).
    rate: f32,
    /// 1 / √(1 − β₂ᵗ).
    root: f32,
}

impl Map<1, 3> for Adam {
    #[inline(always)]
    fn map<S: Simd>(
        self,
        simd: S,
        [gradient]: [S::f32s; 1],
        [parameters, first, second]: [S::f32s; 3],
    ) -> [S::f32s; 3] {
        let of = |value| simd.splat_f32s(value);
        let first = simd.mul_add_e_f32s(of(self.beta1), first, simd.mul_f32s(of(self.rest1), gradient));
        let square = simd.mul_f32s(simd.mul_f32s(of(self.rest2), gradient), gradient);
        let second = simd.mul_add_e_f32s(of(self.beta2), second, square);
        let root = simd.mul_add_e_f32s(simd.sqrt_f32s(second), of(self.root), of(self.epsilon));
        let change = simd.div_f32s(simd.mul_f32s(of(self.rate), first), root);
        [simd.sub_f32s(parameters, change), first, second]
    }
}
