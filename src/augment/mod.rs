//! Augmentation: what training does to rows before the network is given them.
//!
//! Each kind has a file, which says what it does to one row: the draw depends on the seed, the epoch and the row's index
//! alone, so that a row is the same whenever it is gathered. [`Augmentation`] puts them together, and is all that training
//! knows. A new kind is a file here, a field of [`Augmentation`] with its line in each of its methods, and an argument.

mod augmentation;
mod binarisation;
mod corruption;
mod examples;
mod hiding;
mod shift;

pub use augmentation::Augmentation;
pub use binarisation::Binarisation;
pub use corruption::Corruption;
pub use examples::AugmentedExamples;
pub use hiding::{BlockSize, Hiding};
