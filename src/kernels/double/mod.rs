//! Kernels over slices of `f64`, which the decompositions are made of. Each function named `…_simd` is the kernel to be
//! called inside another one, which is dispatched already.

mod axpy;
mod dot;
pub(crate) mod panel;
mod reflection;
pub(crate) mod rotation;

pub(crate) use axpy::axpy;
pub(crate) use dot::dot;
pub(crate) use dot::dot_simd;
pub(crate) use reflection::update_then_dot;
