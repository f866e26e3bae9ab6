//! The update of a column by Householder reflections, in double precision: add multiples of their vectors, and take the
//! dot product with the next vector in the same pass.
//!
//! A matrix that is too large for the cache closest to a core is read and written once for each reflection. Taking the
//! next product while the column is there anyway halves that traffic.

use pulp::{Simd, WithSimd};

use super::dot::{UNROLL, reduce};
use crate::kernels::Isa;

/// y ← y + Σ αᵢ xᵢ; returns the dot product of the new y with `next`.
///
/// # Panics
/// When the lengths differ.
pub fn update_then_dot<const TERMS: usize>(
    isa: Isa,
    y: &mut [f64],
    terms: [(f64, &[f64]); TERMS],
    next: &[f64],
) -> f64 {
    struct UpdateThenDot<'a, const TERMS: usize>(&'a mut [f64], [(f64, &'a [f64]); TERMS], &'a [f64]);
    impl<const TERMS: usize> WithSimd for UpdateThenDot<'_, TERMS> {
        type Output = f64;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> f64 {
            let Self(y, terms, next) = self;
            assert!(terms.iter().all(|(_, x)| x.len() == y.len()) && next.len() == y.len());
            let (y, y_tail) = S::as_mut_simd_f64s(y);
            let (next, next_tail) = S::as_simd_f64s(next);
            let factors = terms.map(|(factor, _)| simd.splat_f64s(factor));
            let terms = terms.map(|(_, x)| S::as_simd_f64s(x));
            let update = |y, x: [S::f64s; TERMS]| {
                factors.iter().zip(x).fold(y, |y, (factor, x)| simd.mul_add_e_f64s(*factor, x, y))
            };
            // Some registers at once, with a sum each, which hides the latency of the addition; in the order of `dot`. The
            // new y is multiplied while it is still in its register.
            let mut sums = [simd.splat_f64s(0.0); UNROLL];
            let whole = y.len() - y.len() % UNROLL;
            for start in (0..whole).step_by(UNROLL) {
                for (at, sum) in (start..).zip(&mut sums) {
                    y[at] = update(y[at], terms.map(|(x, _)| x[at]));
                    *sum = simd.mul_add_e_f64s(y[at], next[at], *sum);
                }
            }
            for at in whole..y.len() {
                y[at] = update(y[at], terms.map(|(x, _)| x[at]));
                sums[0] = simd.mul_add_e_f64s(y[at], next[at], sums[0]);
            }
            // A partial load has zeros past the end, which add nothing.
            if !y_tail.is_empty() {
                let new = update(simd.partial_load_f64s(y_tail), terms.map(|(_, tail)| simd.partial_load_f64s(tail)));
                simd.partial_store_f64s(y_tail, new);
                sums[1] = simd.mul_add_e_f64s(new, simd.partial_load_f64s(next_tail), sums[1]);
            }
            reduce(simd, sums)
        }
    }
    isa.run(UpdateThenDot(y, terms, next))
}
