//! The naive scalar twin of kernels, gemm, network, Muon and SVD: no SIMD, no threads, no cleverness.
//!
//! Only tests, benches and fuzz targets call it: hidden from the documentation, because it is no interface to build on.

pub mod activation;
mod gemm;
pub mod kfac;
pub mod muon;
pub mod network;
pub mod pairs;
pub mod panel;
pub mod rotation;
mod slices;
mod svd;
mod ulp;

pub use gemm::{gemm, tile_product};
pub use slices::{
    adam, add_signs, approach, axpy, bytes_to_floats, dot, draw_normals, momentum, nesterov, normals_gradient, scale,
    sgd, sigmoid_cross_entropy, squared_distance, squared_error, squared_norm, sum,
};
pub use svd::svd;
pub use ulp::ulps;
