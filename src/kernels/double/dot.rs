//! The dot product in double precision.
//!
//! # How the sum rounds
//!
//! The n terms are added into four registers of L lanes, so a term passes through at most n / (4 L) + 2 + log₂ L
//! additions. The order depends on the length and the instruction set alone.

use pulp::{Simd, WithSimd};

use crate::kernels::Isa;

/// The number of registers in flight, to hide the latency of an addition.
pub(super) const UNROLL: usize = 4;

/// x · y.
///
/// # Panics
/// When the lengths differ.
pub fn dot(isa: Isa, x: &[f64], y: &[f64]) -> f64 {
    struct Dot<'a>(&'a [f64], &'a [f64]);
    impl WithSimd for Dot<'_> {
        type Output = f64;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> f64 {
            dot_simd(simd, self.0, self.1)
        }
    }
    isa.run(Dot(x, y))
}

/// [`dot`] inside a kernel.
#[inline(always)]
pub(crate) fn dot_simd<S: Simd>(simd: S, x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len());
    let ((x, x_tail), (y, y_tail)) = (S::as_simd_f64s(x), S::as_simd_f64s(y));
    let ((x, x_rest), (y, y_rest)) = (pulp::as_arrays::<UNROLL, _>(x), pulp::as_arrays::<UNROLL, _>(y));
    let mut sums = [simd.splat_f64s(0.0); UNROLL];
    for (x, y) in x.iter().zip(y) {
        for i in 0..UNROLL {
            sums[i] = simd.mul_add_e_f64s(x[i], y[i], sums[i]);
        }
    }
    for (x, y) in x_rest.iter().zip(y_rest) {
        sums[0] = simd.mul_add_e_f64s(*x, *y, sums[0]);
    }
    if !x_tail.is_empty() {
        sums[1] = simd.mul_add_e_f64s(simd.partial_load_f64s(x_tail), simd.partial_load_f64s(y_tail), sums[1]);
    }
    reduce(simd, sums)
}

/// The sum of all lanes of the four registers, two and two.
#[inline(always)]
pub(super) fn reduce<S: Simd>(simd: S, [a, b, c, d]: [S::f64s; UNROLL]) -> f64 {
    simd.reduce_sum_f64s(simd.add_f64s(simd.add_f64s(a, b), simd.add_f64s(c, d)))
}
