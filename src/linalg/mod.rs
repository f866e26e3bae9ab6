//! Decompositions: singular values by one-sided Jacobi, QR, and what PCA stands on.

mod cholesky;
pub(crate) mod chunks;
pub(crate) mod columns;
pub(crate) mod eigen;
pub(crate) mod gram;
mod jacobi;
pub(crate) mod moments;
mod qr;
pub(crate) mod randomized;
pub(crate) mod svd;

pub use svd::{Svd, svd};
