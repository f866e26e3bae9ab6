//! Plane rotations of columns in double precision: of a pair, with dot products, as one-sided Jacobi does it; of a chain
//! of neighbours, as the QL iteration does it.
//!
//! # How the sums round
//!
//! A dot product of n terms is added into four registers of L lanes, so a term passes through at most
//! n / (4 L) + 2 + log₂ L additions. The order depends on the length and the instruction set alone.
//!
//! # Why the fused kernel
//!
//! A sweep takes a column x against y₁, y₂, …: dot, rotate, dot, rotate. All this is bound by loads and stores, not by
//! arithmetic. [`rotate_then_dot`] multiplies the new x with the next y while x is still in registers: three loads in
//! place of four, and one pass in place of two.

use super::Isa;
use pulp::{Simd, WithSimd};

/// How many registers are in flight, to hide the latency of an addition.
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

#[inline(always)]
pub(super) fn reduce<S: Simd>(simd: S, [a, b, c, d]: [S::f64s; UNROLL]) -> f64 {
    simd.reduce_sum_f64s(simd.add_f64s(simd.add_f64s(a, b), simd.add_f64s(c, d)))
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
    use super::*;
    use crate::kernels::guarded::{Guarded, LENGTHS, close, wave};
    use crate::reference::rotation as reference;

    #[test]
    fn every_kernel_agrees_with_the_reference_on_every_instruction_set() {
        for isa in Isa::available() {
            for length in LENGTHS {
                let (x, y, z) = (wave(length, 1), wave(length, 2), wave(length, 3));
                let (c, s) = (0.8, -0.6);
                let (mut rotated_x, mut rotated_y) = (x.clone(), y.clone());
                reference::rotate(&mut rotated_x, &mut rotated_y, c, s);

                let (mut a, mut b, mut n) = (Guarded::new(&x), Guarded::new(&y), Guarded::new(&z));
                close(dot(isa, a.inside(), b.inside()), reference::dot(&x, &y), isa, length);

                rotate(isa, a.inside(), b.inside(), c, s);
                a.check(&rotated_x, isa);
                b.check(&rotated_y, isa);

                (a, b) = (Guarded::new(&x), Guarded::new(&y));
                let next = rotate_then_dot(isa, a.inside(), b.inside(), c, s, n.inside());
                a.check(&rotated_x, isa);
                b.check(&rotated_y, isa);
                close(next, reference::dot(&rotated_x, &z), isa, length);
            }
        }
    }

    #[test]
    fn the_fused_rotation_has_the_bits_of_the_two_it_replaces() {
        for isa in Isa::available() {
            for length in LENGTHS {
                let (mut x, mut y, z) = (wave(length, 4), wave(length, 5), wave(length, 6));
                let (mut p, mut q) = (x.clone(), y.clone());
                let fused = rotate_then_dot(isa, &mut x, &mut y, 0.28, 0.96, &z);
                rotate(isa, &mut p, &mut q, 0.28, 0.96);
                assert_eq!((fused, x, y), (dot(isa, &p, &z), p, q), "{isa}, length {length}");
            }
        }
    }

    #[test]
    fn a_chain_agrees_with_rotating_one_pair_after_another() {
        for isa in Isa::available() {
            for (last, count) in [(0, 0), (3, 0), (1, 1), (3, 2), (5, 5), (4, 3)] {
                let columns = 6;
                let values = wave(columns * HEIGHT, 7);
                let rotations: Vec<[f64; 2]> = (0..count).map(|i| [(i as f64).cos(), (i as f64).sin()]).collect();
                let mut expected = values.clone();
                for (i, [c, s]) in rotations.iter().enumerate() {
                    let (left, right) = expected.split_at_mut((last - i) * HEIGHT);
                    let (x, y) = (&mut left[(last - i - 1) * HEIGHT..], &mut right[..HEIGHT]);
                    reference::rotate(x, y, *c, *s);
                }
                let mut actual = Guarded::new(&values);
                rotate_chain(isa, actual.inside(), last, &rotations);
                actual.check(&expected, isa);
            }
        }
    }
}
