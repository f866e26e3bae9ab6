//! How far reconstructions are from the rows they came from.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::kernels::{Isa, squared_distance};
use crate::matrix::Matrix;
use crate::rows::{Rows, for_each_chunk};

/// Whatever encodes rows and decodes codes, in the units that it sees.
pub trait Reconstruct {
    /// f(x) for each row of `rows`.
    ///
    /// # Panics
    /// When the rows do not have the width it takes.
    fn reconstruct(&self, rows: &Matrix) -> Matrix;

    /// The instruction set that its kernels run on, which measures its errors too.
    fn isa(&self) -> Isa;
}

/// The reconstruction error of some rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// How many rows there were.
    pub rows: usize,
    /// Σ (f(x) − x)² over the columns, as a mean over the rows.
    pub error_per_row: f64,
    /// The mean of (f(x) − x)² over all elements.
    pub mse: f64,
}

/// Reconstructs all rows, chunk by chunk, and measures the error; no rows have an error of 0.
///
/// # Errors
/// When rows cannot be read.
///
/// # Panics
/// When the rows do not have the width that `model` takes.
pub fn evaluate(model: &dyn Reconstruct, rows: &dyn Rows) -> Result<Errors> {
    let mut sum = 0.0;
    for_each_chunk(rows, |chunk| {
        sum += squared_distance(model.isa(), model.reconstruct(chunk).as_slice(), chunk.as_slice());
        Ok(())
    })?;
    let count = rows.rows().max(1) as f64;
    let error_per_row = sum / count;
    Ok(Errors { rows: rows.rows(), error_per_row, mse: error_per_row / rows.columns().max(1) as f64 })
}
