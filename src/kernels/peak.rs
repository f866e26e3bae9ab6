//! The fastest that multiply-adds can go: the yardstick for all else.

use super::Isa;
use pulp::{Simd, WithSimd};
use std::hint::black_box;

/// Independent sums: as many as hide the latency of a multiply-add, of which two or four start in each cycle.
const SUMS: usize = if cfg!(target_arch = "aarch64") { 24 } else { 12 };

impl Isa {
    /// Runs `steps` times some independent multiply-adds on whole registers that touch no memory, and returns how many
    /// floating-point operations those were: two a lane.
    pub fn multiply_adds(self, steps: usize) -> f64 {
        self.run(MultiplyAdds { steps })
    }
}

struct MultiplyAdds {
    steps: usize,
}

impl WithSimd for MultiplyAdds {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let (factor, term) = (simd.splat_f32s(black_box(0.5)), simd.splat_f32s(black_box(1.0)));
        let mut sums = [simd.splat_f32s(black_box(1.0)); SUMS];
        for _ in 0..self.steps {
            for sum in &mut sums {
                *sum = simd.mul_add_e_f32s(*sum, factor, term);
            }
        }
        black_box(sums);
        (self.steps * SUMS * S::F32_LANES * 2) as f64
    }
}
