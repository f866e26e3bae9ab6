//! The fastest that multiply-adds can go: the yardstick for all else.

use std::hint::black_box;

use pulp::{Simd, WithSimd};

use super::Isa;

/// Independent sums: as many as hide the latency of a multiply-add, of which two or four start in each cycle.
const SUMS: usize = if cfg!(target_arch = "aarch64") { 24 } else { 12 };

impl Isa {
    /// Runs `steps` times some independent multiply-adds on whole registers that touch no memory, and returns how many
    /// floating-point operations those were: two a lane.
    pub(crate) fn multiply_adds(self, steps: usize) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::super::tests::instruction_sets;

    #[test]
    fn operations_are_two_for_each_lane_of_each_sum_and_step() {
        for isa in instruction_sets() {
            let lanes = match isa.name() {
                "avx512" => 16.0,
                "avx2" => 8.0,
                "neon" => 4.0,
                _ => 1.0,
            };
            let sums = isa.multiply_adds(10) / (2.0 * 10.0 * lanes);
            assert_eq!(sums, super::SUMS as f64, "{isa}");
        }
    }
}
