//! What Householder reflections do to columns, in double precision: subtract a multiple of a vector, and take the dot
//! product with the next one in the same pass.
//!
//! A matrix that is too large for the cache closest to a core is read and written once for each reflection. Taking the
//! next product while the column is there anyway halves that traffic.

use super::Isa;
use super::rotation::{UNROLL, reduce};
use pulp::{Simd, WithSimd};

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

/// y ← y + α x.
///
/// # Panics
/// When the lengths differ.
pub fn axpy(isa: Isa, alpha: f64, x: &[f64], y: &mut [f64]) {
    struct Axpy<'a>(f64, &'a [f64], &'a mut [f64]);
    impl WithSimd for Axpy<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self(alpha, x, y) = self;
            assert_eq!(x.len(), y.len());
            let alpha = simd.splat_f64s(alpha);
            let ((x, x_tail), (y, y_tail)) = (S::as_simd_f64s(x), S::as_mut_simd_f64s(y));
            for (x, y) in x.iter().zip(y) {
                *y = simd.mul_add_e_f64s(alpha, *x, *y);
            }
            if !y_tail.is_empty() {
                let y = simd.mul_add_e_f64s(alpha, simd.partial_load_f64s(x_tail), simd.partial_load_f64s(y_tail));
                simd.partial_store_f64s(y_tail, y);
            }
        }
    }
    isa.run(Axpy(alpha, x, y));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::guarded::{Guarded, LENGTHS, close, wave};
    use crate::reference::rotation as reference;

    #[test]
    fn every_kernel_agrees_with_the_reference_on_every_instruction_set() {
        for isa in Isa::available() {
            for length in LENGTHS {
                let (x, w, y, next) = (wave(length, 1), wave(length, 2), wave(length, 3), wave(length, 4));
                let (mut gx, mut gw, mut gn) = (Guarded::new(&x), Guarded::new(&w), Guarded::new(&next));

                let mut expected = y.clone();
                reference::axpy(-1.5, &x, &mut expected);
                let mut actual = Guarded::new(&y);
                axpy(isa, -1.5, gx.inside(), actual.inside());
                actual.check(&expected, isa);

                actual = Guarded::new(&y);
                let dot = update_then_dot(isa, actual.inside(), [(-1.5, gx.inside())], gn.inside());
                actual.check(&expected, isa);
                close(dot, reference::dot(&expected, &next), isa, length);

                reference::axpy(0.25, &w, &mut expected);
                actual = Guarded::new(&y);
                let terms = [(-1.5, &*gx.inside()), (0.25, &*gw.inside())];
                let dot = update_then_dot(isa, actual.inside(), terms, gn.inside());
                actual.check(&expected, isa);
                close(dot, reference::dot(&expected, &next), isa, length);
            }
        }
    }
}
