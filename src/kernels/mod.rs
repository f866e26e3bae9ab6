//! SIMD kernels over slices, each written once over [`pulp::Simd`] and dispatched at run time.

pub(crate) mod dgemm;
mod isa;
pub mod rotation;

pub use isa::Isa;
