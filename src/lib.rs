//! Auto-encoders and PCA, trained on a CPU.

pub mod data;
pub mod error;
pub mod gemm;
pub mod kernels;
pub mod linalg;
pub mod matrix;
pub mod pca;
pub mod reference;

pub use error::{Error, Result};
pub use matrix::Matrix;
