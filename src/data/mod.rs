//! SIMD kernels over slices, each written once over [`pulp::Simd`] and dispatched at run time.

mod isa;

pub use isa::Isa;
mod stub;
pub use stub::*;
