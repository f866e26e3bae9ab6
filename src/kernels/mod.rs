//! SIMD kernels over slices, each written once over [`pulp::Simd`] and dispatched at run time.
//!
//! Every kernel takes an [`Isa`] first, works on slices of one length, and panics when the lengths differ.

#[cfg(test)]
mod accuracy;
mod activation;
mod bytes;
pub(crate) mod dgemm;
mod functions;
mod isa;
mod loss;
pub mod rotation;
mod rows;
mod slice;
mod sweep;
#[cfg(test)]
mod tests;
mod update;

pub use activation::Activation;
pub use bytes::bytes_to_floats;
pub use isa::Isa;
pub use loss::{sigmoid_cross_entropy, squared_distance, squared_error};
pub use rows::{add_row, column_sums};
pub use slice::{axpy, dot, exp, scale, squared_norm, sum};
pub use update::{AdamStep, adam, momentum, sgd};
