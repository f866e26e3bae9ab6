//! Decompositions: singular values by one-sided Jacobi, QR, and what PCA stands on.

mod columns;
mod jacobi;
mod qr;
mod svd;

pub use svd::{Svd, svd};
