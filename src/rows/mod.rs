//! Rows to learn from or to run a model on, whatever holds them: in memory, computed, or streamed from a file.
//!
//! [`Rows`] is what trainer, PCA and models take. What lies in memory is [`RowsInMemory`] too, and copies rows without
//! ever failing.

mod chunks;
mod in_unit_interval;
mod normal;
mod views;

pub use chunks::for_each_chunk;
pub(crate) use chunks::{for_each_finite_chunk, gather_finite};
pub(crate) use in_unit_interval::check_unit_interval;
pub use normal::NormalRows;
pub use views::{ChangedRows, Subset};

use crate::error::Result;
use crate::kernels;
use crate::matrix::Matrix;

/// Rows of `f32`, rows × columns, that can be read in any order, in the units that a network sees.
///
/// Bytes stay bytes, and files stay on disk, until a minibatch is gathered.
pub trait Rows: Sync {
    /// The number of rows.
    fn rows(&self) -> usize;

    /// The number of columns.
    fn columns(&self) -> usize;

    /// Copies the rows of these indices to `out` (indices × columns), one after another.
    ///
    /// # Errors
    /// When a row cannot be read; what `out` holds then is not specified.
    ///
    /// # Panics
    /// When there is no row of an index, or `out` does not have `indices.len() * self.columns()` elements.
    fn gather(&self, indices: &[usize], out: &mut [f32]) -> Result<()>;

    /// Hints that a row will be gathered soon: rows in random order are in no cache.
    fn prefetch(&self, _index: usize) {}

    /// The matrix whose rows these are, as they would be gathered, where there is one.
    fn as_matrix(&self) -> Option<&Matrix> {
        None
    }

    /// Height and width in pixels, where each row is an image: height × width columns.
    fn image_shape(&self) -> Option<(usize, usize)> {
        None
    }
}

/// Rows that lie in memory, or are computed from what does: copying one cannot fail.
pub trait RowsInMemory: Rows {
    /// Copies the row of an index to `out`.
    ///
    /// # Panics
    /// When there is no such row, or `out` does not have [`columns`](Rows::columns) elements.
    fn copy_row(&self, index: usize, out: &mut [f32]);

    /// Copies the rows of these indices to `out`, one after another: [`Rows::gather`] without an error.
    ///
    /// # Panics
    /// As [`Rows::gather`].
    fn copy_rows(&self, indices: &[usize], out: &mut [f32]) {
        each_row(indices, self.columns(), out, |index, out| self.copy_row(index, out));
    }
}

/// Calls `visit` with each index and its row of `out`. (Without a division, which takes longer than to copy a narrow row.)
pub(crate) fn each_row(indices: &[usize], columns: usize, out: &mut [f32], mut visit: impl FnMut(usize, &mut [f32])) {
    assert_eq!(out.len(), indices.len() * columns, "one row of {columns} elements for each index");
    let mut rest = out;
    for &index in indices {
        let (row, after) = rest.split_at_mut(columns);
        visit(index, row);
        rest = after;
    }
}

impl Rows for Matrix {
    fn rows(&self) -> usize {
        self.rows()
    }

    fn columns(&self) -> usize {
        self.columns()
    }

    fn gather(&self, indices: &[usize], out: &mut [f32]) -> Result<()> {
        self.copy_rows(indices, out);
        Ok(())
    }

    fn prefetch(&self, index: usize) {
        kernels::prefetch(self.row(index));
    }

    fn as_matrix(&self) -> Option<&Matrix> {
        Some(self)
    }
}

impl RowsInMemory for Matrix {
    fn copy_row(&self, index: usize, out: &mut [f32]) {
        out.copy_from_slice(self.row(index));
    }
}
