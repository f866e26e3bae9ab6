//! Principal component analysis: the linear auto-encoder whose best weights are known.
//!
//! Of all linear maps to k numbers and back, projection on the k leading right singular vectors of the centred data
//! reconstructs it with the smallest squared error (Eckart & Young 1936): X V Vᵀ. It is the baseline of every
//! auto-encoder.

mod fit;
mod fitted;
mod options;
#[cfg(test)]
mod tests;

pub use fit::PcaAccumulator;
pub use fitted::{Pca, PcaParts};
pub use options::{Components, PcaOptions, Solver};
