//! SIMD kernels over slices, each written once over [`pulp::Simd`] and dispatched at run time.

pub(crate) mod dgemm;
#[cfg(test)]
mod guarded;
mod isa;
pub mod panel;
pub mod reflection;
pub mod rotation;

pub use isa::Isa;
