//! The naive scalar twin of kernels, gemm, network and svd: no SIMD, no threads, no cleverness.
//!
//! Only tests, benches and fuzz targets call it.

mod gemm;
/// The pairs of [`crate::kernels::rotation`].
pub mod rotation;
mod svd;

pub use gemm::gemm;
pub use svd::svd;
