//! What the tests of kernels on `f64` share: values between guards of NaN, and lengths that straddle every loop.

use super::Isa;

/// Around the lanes of every instruction set and around the unrolled loop.
pub(super) const LENGTHS: [usize; 16] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 1001];
const GUARD: usize = 9;

pub(super) fn wave(length: usize, seed: usize) -> Vec<f64> {
    (0..length).map(|i| ((i * 37 + seed * 101) as f64 * 0.61).sin() * 3.0).collect()
}

/// The same values with NaN on both sides: what a kernel must neither read nor write.
pub(super) struct Guarded(Vec<f64>);

impl Guarded {
    pub(super) fn new(values: &[f64]) -> Self {
        Self([&[f64::NAN; GUARD], values, &[f64::NAN; GUARD]].concat())
    }

    pub(super) fn inside(&mut self) -> &mut [f64] {
        let end = self.0.len() - GUARD;
        &mut self.0[GUARD..end]
    }

    pub(super) fn check(&mut self, expected: &[f64], isa: Isa) {
        let length = expected.len();
        for (actual, expected) in self.inside().iter().zip(expected) {
            assert!(
                (actual - expected).abs() <= 1e-14 * (1.0 + expected.abs()),
                "{isa}, length {length}: {actual} for {expected}"
            );
        }
        let outside = self.0[..GUARD].iter().chain(&self.0[GUARD + length..]);
        assert!(outside.into_iter().all(|value| value.is_nan()), "{isa}, length {length}: wrote outside");
    }
}

pub(super) fn close(actual: f64, expected: f64, isa: Isa, length: usize) {
    let bound = 1e-15 * (length as f64 + 1.0) * 9.0;
    assert!((actual - expected).abs() <= bound, "{isa}, length {length}: {actual} for {expected}");
}
