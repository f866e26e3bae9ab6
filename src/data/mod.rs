//! Where rows come from: readers, built-in sets, scaling.

mod rows;

pub use rows::{Rows, Subset};
