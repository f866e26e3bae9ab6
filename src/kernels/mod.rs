//! SIMD kernels over slices, each written once over [`pulp::Simd`] and dispatched at run time.
//!
//! Every kernel takes an [`Isa`] first, works on slices of one length, and panics when the lengths differ. What it
//! computes depends on its arguments and the instruction set alone: not on the alignment of the slices, nor on the
//! thread. Instruction sets may differ in the last bits, because some fuse multiplications with additions and sums run
//! over more lanes; the error bounds hold on each.
//!
//! Nothing here assumes that denormals are flushed to zero, and nothing breaks if they are.
//!
//! A new kernel is a few lines over one register, which `sweep` runs over slices; a twin in [`crate::reference`]; and
//! an entry in [`crate::reference::pairs`], without which the tests fail.

#[cfg(test)]
mod accuracy;
mod activation;
mod bytes;
mod denormals;
pub(crate) mod double;
mod functions;
mod isa;
mod loss;
mod normal;
mod peak;
mod prefetch;
mod slice;
mod sweep;
#[cfg(test)]
mod tests;
mod update;

// What users name. The rest is how it works inside, and may change with any version; two items are public but hidden,
// because benches and fuzz targets call them.
pub use activation::Activation;
#[doc(hidden)]
pub use bytes::bytes_to_floats;
pub(crate) use denormals::with_denormals_flushed;
pub use isa::Isa;
pub(crate) use loss::{SigmoidCrossEntropy, SquaredDistance, SquaredError};
pub(crate) use loss::{sigmoid_cross_entropy, squared_distance, squared_error};
pub(crate) use normal::{Normals, draw_normals, normals_gradient};
pub(crate) use prefetch::prefetch;
pub(crate) use prefetch::prefetch_line;
pub(crate) use slice::AddSigns;
pub(crate) use slice::{add_signs, approach, axpy, dot, scale, squared_norm, sum};
pub(crate) use sweep::{Kernel, LANE_NUMBERS, Map, lanes_below};
pub(crate) use update::AdamStep;
#[doc(hidden)]
pub use update::Update;
pub(crate) use update::WithRule;
