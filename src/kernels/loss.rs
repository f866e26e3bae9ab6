//! Losses with their gradients in one pass.
//!
//! Sums are returned in double precision, undivided; [`sweep`](super::sweep) says how their error grows.

use pulp::Simd;

use super::Isa;
use super::functions::{at_least, sigmoid, softplus_of_negative_abs};
use super::sweep::{Kernel, sweep};

/// Σ (output − target)², and `gradient` = scale · 2 (output − target).
///
/// The sum is off by at most 72 ε Σ (output − target)², ε = 2⁻²⁴, however long the slices are.
///
/// # Panics
/// When the lengths differ.
pub fn squared_error(isa: Isa, output: &[f32], target: &[f32], scale: f32, gradient: &mut [f32]) -> f64 {
    sweep(isa, [output, target], [gradient], SquaredError::new(scale))
}

/// Σ (a − b)².
///
/// The sum is off by at most 72 ε Σ (a − b)², ε = 2⁻²⁴, however long the slices are.
///
/// # Panics
/// When the lengths differ.
pub fn squared_distance(isa: Isa, a: &[f32], b: &[f32]) -> f64 {
    sweep(isa, [a, b], [], SquaredDistance)
}

/// The cross-entropy between targets in [0, 1] and the sigmoid of logits,
/// Σ −target ln sigmoid(logit) − (1 − target) ln(1 − sigmoid(logit)), and
/// `gradient` = scale · (sigmoid(logit) − target), the derivative by the logit.
///
/// A term is computed as (max(logit, 0) − target · logit) + ln(1 + e^−|logit|), which neither overflows nor loses the
/// small probabilities, whatever the (finite) logit. The sum is off by at most
/// 75 ε Σ (|logit| (1 + |target|) + ln 2), ε = 2⁻²⁴, however long the slices are; an element of the gradient by
/// 4 ε |scale| (1 + |target|).
///
/// # Panics
/// When the lengths differ.
pub fn sigmoid_cross_entropy(isa: Isa, logits: &[f32], target: &[f32], scale: f32, gradient: &mut [f32]) -> f64 {
    sweep(isa, [logits, target], [gradient], SigmoidCrossEntropy::new(scale))
}

/// The kernel of [`squared_error`].
#[derive(Clone, Copy)]
pub(crate) struct SquaredError {
    factor: f32,
}

impl SquaredError {
    pub(crate) fn new(scale: f32) -> Self {
        Self { factor: 2.0 * scale }
    }
}

impl Kernel<2, 1> for SquaredError {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [output, target]: [S::f32s; 2], _: [S::f32s; 1]) -> ([S::f32s; 1], S::f32s) {
        let difference = simd.sub_f32s(output, target);
        ([simd.mul_f32s(simd.splat_f32s(self.factor), difference)], simd.mul_f32s(difference, difference))
    }
}

/// The kernel of [`squared_distance`].
#[derive(Clone, Copy)]
pub(crate) struct SquaredDistance;

impl Kernel<2, 0> for SquaredDistance {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [a, b]: [S::f32s; 2], _: [S::f32s; 0]) -> ([S::f32s; 0], S::f32s) {
        let difference = simd.sub_f32s(a, b);
        ([], simd.mul_f32s(difference, difference))
    }
}

/// The kernel of [`sigmoid_cross_entropy`].
#[derive(Clone, Copy)]
pub(crate) struct SigmoidCrossEntropy {
    scale: f32,
}

impl SigmoidCrossEntropy {
    pub(crate) fn new(scale: f32) -> Self {
        Self { scale }
    }
}

impl Kernel<2, 1> for SigmoidCrossEntropy {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [logit, target]: [S::f32s; 2], _: [S::f32s; 1]) -> ([S::f32s; 1], S::f32s) {
        // The compiler computes the exponential that the two share once.
        let error = simd.sub_f32s(sigmoid(simd, logit), target);
        let linear = simd.negate_mul_add_e_f32s(target, logit, at_least(simd, 0.0, logit));
        let loss = softplus_of_negative_abs(simd, logit, linear);
        ([simd.mul_f32s(simd.splat_f32s(self.scale), error)], loss)
    }
}
