//! Auto-encoders and PCA, trained on a CPU.

#[cfg(feature = "cli")]
pub mod cli;
pub mod data;
pub mod error;
pub mod evaluate;
pub mod file;
pub mod gemm;
pub mod kernels;
pub mod linalg;
pub mod matrix;
pub mod model;
pub mod network;
pub mod optimizer;
mod parallel;
pub mod pca;
mod random;
pub mod reference;
pub mod train;

pub use error::{Error, Result};
pub use matrix::Matrix;
