//! Decompositions: the SVD by one-sided Jacobi, QR, and those under PCA.

mod cholesky;
pub(crate) mod columns;
pub(crate) mod eigen;
pub(crate) mod gram;
pub(crate) mod inverse;
mod jacobi;
pub(crate) mod lbfgs;
pub(crate) mod moments;
pub(crate) mod qr;
pub(crate) mod randomized;
mod reflections;
pub(crate) mod svd;
mod symmetric;

pub use svd::{Svd, svd};

/// Runs all of `work` in the thread pool: entering it for each of many small steps would cost more than the steps.
pub(crate) fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}
