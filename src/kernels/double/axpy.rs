//! A multiple of a vector added to another, in double precision.

use pulp::{Simd, WithSimd};

use crate::kernels::Isa;

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
