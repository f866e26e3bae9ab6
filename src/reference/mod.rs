//! The naive scalar twin of kernels, gemm, network and svd: no SIMD, no threads, no cleverness.
//!
//! Only tests, benches and fuzz targets call it.

mod gemm;

pub use gemm::gemm;
