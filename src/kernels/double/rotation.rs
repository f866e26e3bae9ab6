//! Plane rotations of columns in double precision: of a pair, with dot products, as one-sided Jacobi needs them; of a
//! chain of neighbours, as the QL iteration does.
//!
//! # Two columns
//!
//! x and y hold n elements each. [`rotate`] runs over both once: load a register of each, four products and two sums,
//! store both. [`rotate_then_dot`] takes a third column, `next`, because a sweep of Jacobi takes one column x against
//! y₁, y₂, …: dot, rotate, dot, rotate. All this is bound by loads and stores, not by arithmetic, so the new x is
//! multiplied with `next` while it is still in registers: three loads in place of four, and one pass in place of two.
//! Its sum is that of [`dot`](super::dot()), in the same order.
//!
//! # A chain
//!
//! [`rotate_chain`] works on columns of [`HEIGHT`] elements, one after another. Its outer loop goes down the rows, as many
//! registers at once as all columns keep in flight; its inner loop goes from the last column to the first, one rotation a
//! column. Two rotations in a row share a column: it is carried in registers from one to the next, so each column is
//! loaded once and stored once.

use pulp::{Simd, WithSimd};

use super::dot::{UNROLL, reduce};
use crate::kernels::Isa;

/// (x, y) ← (c x − s y, s x + c y).
///
/// # Panics
/// When the lengths differ.
pub fn rotate(isa: Isa, x: &mut [f64], y: &mut [f64], c: f64, s: f64) {
    struct Rotate<'a>(&'a mut [f64], &'a mut [f64], f64, f64);
    impl WithSimd for Rotate<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            rotate_simd(simd, self.0, self.1, self.2, self.3);
        }
    }
    isa.run(Rotate(x, y, c, s));
}

/// [`rotate`], then the dot product of the new x with `next`.
///
/// # Panics
/// When the lengths differ.
pub fn rotate_then_dot(isa: Isa, x: &mut [f64], y: &mut [f64], c: f64, s: f64, next: &[f64]) -> f64 {
    struct RotateThenDot<'a>(&'a mut [f64], &'a mut [f64], f64, f64, &'a [f64]);
    impl WithSimd for RotateThenDot<'_> {
        type Output = f64;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> f64 {
            rotate_then_dot_simd(simd, self.0, self.1, self.2, self.3, self.4)
        }
    }
    isa.run(RotateThenDot(x, y, c, s, next))
}

/// Rows that [`rotate_chain`] works on at once.
pub const HEIGHT: usize = 64;

/// Rotates neighbouring columns, one pair after another: with (c, s) = `rotations[i]` and p = `last` − i,
/// (zₚ₋₁, zₚ) ← (c zₚ₋₁ − s zₚ, s zₚ₋₁ + c zₚ).
///
/// The columns have [`HEIGHT`] elements each and lie one after another. A column is loaded and stored once, though two
/// rotations change it.
///
/// # Panics
/// When there are not as many columns before the last, or it lies past the end.
pub fn rotate_chain(isa: Isa, columns: &mut [f64], last: usize, rotations: &[[f64; 2]]) {
    struct RotateChain<'a>(&'a mut [f64], usize, &'a [[f64; 2]]);
    impl WithSimd for RotateChain<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            rotate_chain_simd(simd, self.0, self.1, self.2);
        }
    }
    isa.run(RotateChain(columns, last, rotations));
}

/// [`rotate`] inside a kernel.
#[inline(always)]
pub(crate) fn rotate_simd<S: Simd>(simd: S, x: &mut [f64], y: &mut [f64], c: f64, s: f64) {
    assert_eq!(x.len(), y.len());
    let plane = Plane::new(simd, c, s);
    let ((x, x_tail), (y, y_tail)) = (S::as_mut_simd_f64s(x), S::as_mut_simd_f64s(y));
    for (x, y) in x.iter_mut().zip(y) {
        (*x, *y) = plane.turn(simd, *x, *y);
    }
    if !x_tail.is_empty() {
        let (x, y) = plane.turn(simd, simd.partial_load_f64s(x_tail), simd.partial_load_f64s(y_tail));
        simd.partial_store_f64s(x_tail, x);
        simd.partial_store_f64s(y_tail, y);
    }
}

/// [`rotate_then_dot`] inside a kernel.
#[inline(always)]
pub(crate) fn rotate_then_dot_simd<S: Simd>(
    simd: S,
    x: &mut [f64],
    y: &mut [f64],
    c: f64,
    s: f64,
    next: &[f64],
) -> f64 {
    assert!(x.len() == y.len() && x.len() == next.len());
    let plane = Plane::new(simd, c, s);
    let (x, x_tail) = S::as_mut_simd_f64s(x);
    let (y, y_tail) = S::as_mut_simd_f64s(y);
    let (next, next_tail) = S::as_simd_f64s(next);
    // Some registers at once, with a sum each, which hides the latency of the addition; in the order of `dot`.
    let (x, x_rest) = pulp::as_arrays_mut::<UNROLL, _>(x);
    let (y, y_rest) = pulp::as_arrays_mut::<UNROLL, _>(y);
    let (next, next_rest) = pulp::as_arrays::<UNROLL, _>(next);
    let mut sums = [simd.splat_f64s(0.0); UNROLL];
    for ((x, y), next) in x.iter_mut().zip(y).zip(next) {
        for i in 0..UNROLL {
            (x[i], y[i]) = plane.turn(simd, x[i], y[i]);
            sums[i] = simd.mul_add_e_f64s(x[i], next[i], sums[i]);
        }
    }
    for ((x, y), next) in x_rest.iter_mut().zip(y_rest).zip(next_rest) {
        (*x, *y) = plane.turn(simd, *x, *y);
        sums[0] = simd.mul_add_e_f64s(*x, *next, sums[0]);
    }
    // A partial load has zeros past the end, which add nothing.
    if !x_tail.is_empty() {
        let (x, y) = plane.turn(simd, simd.partial_load_f64s(x_tail), simd.partial_load_f64s(y_tail));
        sums[1] = simd.mul_add_e_f64s(x, simd.partial_load_f64s(next_tail), sums[1]);
        simd.partial_store_f64s(x_tail, x);
        simd.partial_store_f64s(y_tail, y);
    }
    reduce(simd, sums)
}

/// [`rotate_chain`] inside a kernel.
#[inline(always)]
pub(crate) fn rotate_chain_simd<S: Simd>(simd: S, columns: &mut [f64], last: usize, rotations: &[[f64; 2]]) {
    const REGISTERS: usize = 8;
    let first = last.checked_sub(rotations.len()).expect("as many columns before the last as rotations");
    let columns = &mut columns[first * HEIGHT..(last + 1) * HEIGHT];
    for part in 0..HEIGHT / (REGISTERS * S::F64_LANES) {
        let mut rest = columns.chunks_exact_mut(HEIGHT).rev().map(|column| {
            let registers = pulp::as_arrays_mut::<REGISTERS, _>(S::as_mut_simd_f64s(column).0).0;
            &mut registers[part]
        });
        let Some(mut column) = rest.next() else { return };
        let mut carried = *column;
        for ([c, s], next) in rotations.iter().zip(rest) {
            let plane = Plane::new(simd, *c, *s);
            for i in 0..REGISTERS {
                (carried[i], column[i]) = plane.turn(simd, next[i], carried[i]);
            }
            column = next;
        }
        *column = carried;
    }
}

/// A plane rotation: its cosine and sine in every lane.
#[derive(Clone, Copy)]
struct Plane<S: Simd> {
    c: S::f64s,
    s: S::f64s,
}

impl<S: Simd> Plane<S> {
    #[inline(always)]
    fn new(simd: S, c: f64, s: f64) -> Self {
        Self { c: simd.splat_f64s(c), s: simd.splat_f64s(s) }
    }

    #[inline(always)]
    fn turn(self, simd: S, x: S::f64s, y: S::f64s) -> (S::f64s, S::f64s) {
        (
            simd.negate_mul_add_e_f64s(self.s, y, simd.mul_f64s(self.c, x)),
            simd.mul_add_e_f64s(self.s, x, simd.mul_f64s(self.c, y)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::dot;
    use super::*;

    fn wave(length: usize, seed: usize) -> Vec<f64> {
        (0..length).map(|i| ((i * 37 + seed * 101) as f64 * 0.61).sin() * 3.0).collect()
    }

    #[test]
    fn the_fused_rotation_has_the_bits_of_the_two_it_replaces() {
        for isa in Isa::available() {
            for length in [0, 1, 7, 8, 9, 31, 33, 1001] {
                let (mut x, mut y, z) = (wave(length, 4), wave(length, 5), wave(length, 6));
                let (mut p, mut q) = (x.clone(), y.clone());
                let fused = rotate_then_dot(isa, &mut x, &mut y, 0.28, 0.96, &z);
                rotate(isa, &mut p, &mut q, 0.28, 0.96);
                assert_eq!((fused, x, y), (dot(isa, &p, &z), p, q), "{isa}, length {length}");
            }
        }
    }
}
