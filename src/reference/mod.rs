//! The naive scalar twin of kernels, gemm, network and svd: no SIMD, no threads, no cleverness.
//!
//! Only tests, benches and fuzz targets call it.

mod gemm;
/// The twin of [`crate::kernels::panel`].
pub mod panel;
/// The twins of [`crate::kernels::rotation`] and [`crate::kernels::reflection`].
pub mod rotation;
mod svd;

pub use gemm::gemm;
pub use svd::svd;
