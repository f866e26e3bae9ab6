//! Update rules: one register of parameters and state in, the same out.
//!
//! A rule is a [`Map`] of a gradient and N buffers. Two loops run it: `sweep`, over a written gradient
//! ([`Update::apply`]), and `gemm::weight_update`, over one that is still in registers ([`Update::with_rule`]).

use pulp::Simd;

use super::Isa;
use super::sweep::{Map, sweep};

/// The settings of one step of [`Update::adam`].
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

/// An update rule and the buffers that it changes: the parameters, and the optimizer's state of each of them.
///
/// The optimizer makes it, and whatever computes the gradient applies it, piece by piece, while the gradient is still in
/// registers or in cache.
#[derive(Debug)]
pub struct Update<'a> {
    rule: Rule,
    /// The parameters, then the state of the rule; the buffers that a rule does without are empty.
    buffers: [&'a mut [f32]; 3],
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    Write(Write),
    Sgd(Sgd),
    Momentum(Momentum),
    Nesterov(Nesterov),
    Adam(Adam),
}

/// Work that is compiled for the kernel of each rule.
pub(crate) trait WithRule {
    /// Runs with the kernel of a rule and the buffers that it changes.
    fn run<K: Map<1, N>, const N: usize>(self, kernel: K, buffers: [&mut [f32]; N]);
}

impl<'a> Update<'a> {
    /// Writes the gradient to a buffer, whatever that held.
    pub fn write(gradient: &'a mut [f32]) -> Self {
        Self { rule: Rule::Write(Write), buffers: [gradient, &mut [], &mut []] }
    }

    /// w ← w − α g.
    pub fn sgd(parameters: &'a mut [f32], learning_rate: f32) -> Self {
        Self { rule: Rule::Sgd(Sgd { learning_rate }), buffers: [parameters, &mut [], &mut []] }
    }

    /// v ← μ v + g, then w ← w − α v: the heavy ball (Polyak, 1964), as Sutskever et al. (2013) write it but for the
    /// learning rate, which multiplies the velocity when it is used, not when it grows.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn momentum(parameters: &'a mut [f32], velocity: &'a mut [f32], learning_rate: f32, momentum: f32) -> Self {
        assert_eq!(parameters.len(), velocity.len(), "slices of different lengths");
        Self { rule: Rule::Momentum(Momentum { learning_rate, momentum }), buffers: [parameters, velocity, &mut []] }
    }

    /// v ← μ v + g, then w ← w − α (g + μ v): Nesterov's accelerated gradient (1983) in the form of Sutskever et al.
    /// (2013), §2, with the parameters kept where the gradient is taken (Bengio et al., 2013, §3.5) and the learning rate
    /// as in [`momentum`](Self::momentum).
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn nesterov(parameters: &'a mut [f32], velocity: &'a mut [f32], learning_rate: f32, momentum: f32) -> Self {
        let rule = Rule::Nesterov(Nesterov { learning_rate, momentum });
        Self { rule, ..Self::momentum(parameters, velocity, learning_rate, momentum) }
    }

    /// Adam (Kingma & Ba, 2015, algorithm 1): m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², then
    /// w ← w − α m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) in step t.
    ///
    /// # Panics
    /// When the lengths differ, or the step is 0.
    pub fn adam(
        parameters: &'a mut [f32],
        first_moment: &'a mut [f32],
        second_moment: &'a mut [f32],
        step: AdamStep,
    ) -> Self {
        let lengths = [parameters.len(), first_moment.len(), second_moment.len()];
        assert!(lengths == [lengths[0]; 3], "slices of different lengths: {lengths:?}");
        Self { rule: Rule::Adam(Adam::new(step)), buffers: [parameters, first_moment, second_moment] }
    }

    /// The number of parameters that it changes.
    pub fn length(&self) -> usize {
        self.buffers[0].len()
    }

    /// The updates of the first `at` parameters and of the others.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn split_at(self, at: usize) -> (Self, Self) {
        assert!(at <= self.length(), "split at {at} of {}", self.length());
        let [first, second, third] = self.buffers.map(|buffer| {
            let at = at.min(buffer.len());
            buffer.split_at_mut(at)
        });
        let with = |buffers| Self { rule: self.rule, buffers };
        (with([first.0, second.0, third.0]), with([first.1, second.1, third.1]))
    }

    /// Changes the parameters.
    ///
    /// # Panics
    /// When there is not one element of the gradient for each.
    pub fn apply(self, isa: Isa, gradient: &[f32]) {
        struct Apply<'a>(Isa, &'a [f32]);
        impl WithRule for Apply<'_> {
            fn run<K: Map<1, N>, const N: usize>(self, kernel: K, buffers: [&mut [f32]; N]) {
                sweep(self.0, [self.1], buffers, kernel);
            }
        }
        self.with_rule(Apply(isa, gradient));
    }

    /// Hands the kernel of the rule and the buffers that it has to `work`.
    pub(crate) fn with_rule(self, work: impl WithRule) {
        let [parameters, first, second] = self.buffers;
        match self.rule {
            Rule::Write(kernel) => work.run(kernel, [parameters]),
            Rule::Sgd(kernel) => work.run(kernel, [parameters]),
            Rule::Momentum(kernel) => work.run(kernel, [parameters, first]),
            Rule::Nesterov(kernel) => work.run(kernel, [parameters, first]),
            Rule::Adam(kernel) => work.run(kernel, [parameters, first, second]),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Write;

impl Map<1, 1> for Write {
    #[inline(always)]
    fn map<S: Simd>(self, _: S, gradient: [S::f32s; 1], _: [S::f32s; 1]) -> [S::f32s; 1] {
        gradient
    }
}

#[derive(Clone, Copy, Debug)]
struct Sgd {
    learning_rate: f32,
}

impl Map<1, 1> for Sgd {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, [gradient]: [S::f32s; 1], [parameters]: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.negate_mul_add_e_f32s(simd.splat_f32s(self.learning_rate), gradient, parameters)]
    }
}

#[derive(Clone, Copy, Debug)]
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

#[derive(Clone, Copy, Debug)]
struct Nesterov {
    learning_rate: f32,
    momentum: f32,
}

impl Map<1, 2> for Nesterov {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, [gradient]: [S::f32s; 1], [parameters, velocity]: [S::f32s; 2]) -> [S::f32s; 2] {
        let momentum = simd.splat_f32s(self.momentum);
        let velocity = simd.mul_add_e_f32s(momentum, velocity, gradient);
        let ahead = simd.mul_add_e_f32s(momentum, velocity, gradient);
        [simd.negate_mul_add_e_f32s(simd.splat_f32s(self.learning_rate), ahead, parameters), velocity]
    }
}

#[derive(Clone, Copy, Debug)]
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
    inverse_root: f32,
}

impl Adam {
    fn new(step: AdamStep) -> Self {
        assert!(step.step > 0, "the first step is 1");
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(step.step as f64);
        Self {
            beta1: step.beta1,
            beta2: step.beta2,
            rest1: 1.0 - step.beta1,
            rest2: 1.0 - step.beta2,
            epsilon: step.epsilon,
            rate: (f64::from(step.learning_rate) / correction(step.beta1)) as f32,
            inverse_root: correction(step.beta2).sqrt().recip() as f32,
        }
    }
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
        let divisor = simd.mul_add_e_f32s(simd.sqrt_f32s(second), of(self.inverse_root), of(self.epsilon));
        let change = simd.div_f32s(simd.mul_f32s(of(self.rate), first), divisor);
        [simd.sub_f32s(parameters, change), first, second]
    }
}
