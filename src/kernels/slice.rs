//! Arithmetic over slices: scaling, adding, sums.
//!
//! Sums are returned in double precision; [`sweep`](super::sweep) says how their error grows.

use pulp::Simd;

use super::Isa;
use super::sweep::{Kernel, Map, sweep};

/// y ← a x + y, fused where the instruction set can.
///
/// # Panics
/// When the lengths differ.
pub fn axpy(isa: Isa, a: f32, x: &[f32], y: &mut [f32]) {
    sweep(isa, [x], [y], Axpy { a });
}

/// x ← a x.
pub fn scale(isa: Isa, a: f32, x: &mut [f32]) {
    sweep(isa, [], [x], Scale { a });
}

/// y ← y + a (x − y): y moves towards x by the share a.
///
/// # Panics
/// When the lengths differ.
pub fn approach(isa: Isa, a: f32, x: &[f32], y: &mut [f32]) {
    sweep(isa, [x], [y], Approach { a });
}

/// y ← y + a sign(x), where the sign of 0 and of NaN is 0: the gradient of a Σ|x|.
///
/// # Panics
/// When the lengths differ.
pub fn add_signs(isa: Isa, a: f32, x: &[f32], y: &mut [f32]) {
    sweep(isa, [x], [y], AddSigns { a });
}

/// Σ x. Off by at most 70 ε Σ|x|, ε = 2⁻²⁴, however long the slice is.
pub fn sum(isa: Isa, x: &[f32]) -> f64 {
    sweep(isa, [x], [], Sum)
}

/// Σ x y. Off by at most 71 ε Σ|x y|, ε = 2⁻²⁴, however long the slices are.
///
/// # Panics
/// When the lengths differ.
pub fn dot(isa: Isa, x: &[f32], y: &[f32]) -> f64 {
    sweep(isa, [x, y], [], Dot)
}

/// Σ x². Off by at most 71 ε Σ x², ε = 2⁻²⁴, however long the slice is.
pub fn squared_norm(isa: Isa, x: &[f32]) -> f64 {
    sweep(isa, [x], [], SquaredNorm)
}

#[derive(Clone, Copy)]
struct Axpy {
    a: f32,
}

impl Map<1, 1> for Axpy {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, [x]: [S::f32s; 1], [y]: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.mul_add_e_f32s(simd.splat_f32s(self.a), x, y)]
    }
}

#[derive(Clone, Copy)]
struct Scale {
    a: f32,
}

impl Map<0, 1> for Scale {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, []: [S::f32s; 0], [x]: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.mul_f32s(simd.splat_f32s(self.a), x)]
    }
}

#[derive(Clone, Copy)]
struct Approach {
    a: f32,
}

impl Map<1, 1> for Approach {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, [x]: [S::f32s; 1], [y]: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.mul_add_e_f32s(simd.splat_f32s(self.a), simd.sub_f32s(x, y), y)]
    }
}

#[derive(Clone, Copy)]
pub(crate) struct AddSigns {
    pub a: f32,
}

impl Map<1, 1> for AddSigns {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, [x]: [S::f32s; 1], [y]: [S::f32s; 1]) -> [S::f32s; 1] {
        let (zero, a) = (simd.splat_f32s(0.0), simd.splat_f32s(self.a));
        let raised = simd.select_f32s(simd.less_than_f32s(zero, x), simd.add_f32s(y, a), y);
        [simd.select_f32s(simd.less_than_f32s(x, zero), simd.sub_f32s(y, a), raised)]
    }
}

#[derive(Clone, Copy)]
struct Sum;

impl Kernel<1, 0> for Sum {
    #[inline(always)]
    fn apply<S: Simd>(self, _: S, [x]: [S::f32s; 1], []: [S::f32s; 0]) -> ([S::f32s; 0], S::f32s) {
        ([], x)
    }
}

#[derive(Clone, Copy)]
struct Dot;

impl Kernel<2, 0> for Dot {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [x, y]: [S::f32s; 2], []: [S::f32s; 0]) -> ([S::f32s; 0], S::f32s) {
        ([], simd.mul_f32s(x, y))
    }
}

#[derive(Clone, Copy)]
struct SquaredNorm;

impl Kernel<1, 0> for SquaredNorm {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [x]: [S::f32s; 1], []: [S::f32s; 0]) -> ([S::f32s; 0], S::f32s) {
        ([], simd.mul_f32s(x, x))
    }
}
