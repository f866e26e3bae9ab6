//! Rows to learn from or to run a model on, whatever holds them.

use std::convert::Infallible;

use crate::error::{self, Error};
use crate::kernels;
use crate::matrix::Matrix;

/// Rows of `f32` that can be read in any order, in the units that a network sees.
///
/// Trainer, PCA and models take their data by this trait, so that bytes stay bytes until a minibatch is gathered.
pub trait Rows: Sync {
    /// How many rows there are.
    fn rows(&self) -> usize;

    /// How many columns each has.
    fn columns(&self) -> usize;

    /// Copies one row to `out`.
    ///
    /// # Panics
    /// When there is no such row, or `out` does not have one element a column.
    fn copy_row(&self, row: usize, out: &mut [f32]);

    /// Hints that a row will be copied soon; rows in random order are found in no cache.
    fn prefetch(&self, _row: usize) {}

    /// The matrix whose rows these are, as they would be copied; where there is none, they must be copied.
    fn as_matrix(&self) -> Option<&Matrix> {
        None
    }

    /// Height and width in pixels, where each row is an image: height × width columns.
    fn image_shape(&self) -> Option<(usize, usize)> {
        None
    }

    /// Copies the named rows to `out`, one after another.
    ///
    /// # Panics
    /// When a row does not exist, or `out` does not have `rows.len() * self.columns()` elements.
    fn gather(&self, rows: &[usize], out: &mut [f32]) {
        assert_eq!(out.len(), rows.len() * self.columns());
        if !out.is_empty() {
            for (&row, out) in rows.iter().zip(out.chunks_exact_mut(self.columns())) {
                self.copy_row(row, out);
            }
        }
    }
}

/// Elements that are read together, about: bounds the memory, whatever the number of rows and their width.
const CHUNK_ELEMENTS: usize = 1 << 22;

/// The fewest and the most rows that are read together.
const CHUNK_ROWS: [usize; 2] = [32, 4096];

/// Calls `visit` with all rows in order, up to some thousand at a time.
pub fn for_each_chunk(rows: &dyn Rows, mut visit: impl FnMut(&Matrix)) {
    let Ok(()) = try_for_each_chunk::<Infallible>(rows, |chunk| {
        visit(chunk);
        Ok(())
    });
}

/// As [`for_each_chunk`], until `visit` fails.
///
/// # Errors
/// That of `visit`.
pub fn try_for_each_chunk<E>(rows: &dyn Rows, mut visit: impl FnMut(&Matrix) -> Result<(), E>) -> Result<(), E> {
    let [fewest, most] = CHUNK_ROWS;
    let together = (CHUNK_ELEMENTS / rows.columns().max(1) / fewest * fewest).clamp(fewest, most);
    for start in (0..rows.rows()).step_by(together) {
        let indices: Vec<usize> = (start..rows.rows().min(start + together)).collect();
        let mut chunk = Matrix::zeros(indices.len(), rows.columns());
        rows.gather(&indices, chunk.as_mut_slice());
        visit(&chunk)?;
    }
    Ok(())
}

/// Checks that all elements lie in [0, 1], as what the message names wants it.
///
/// # Errors
/// [`Error::Mismatch`] otherwise.
pub(crate) fn check_unit_interval(rows: &dyn Rows, what: &str, or_else: &str) -> error::Result<()> {
    let mut values = vec![0.0; rows.columns()];
    for row in 0..rows.rows() {
        rows.copy_row(row, &mut values);
        if let Some(column) = values.iter().position(|value| !(0.0..=1.0).contains(value)) {
            return Err(Error::Mismatch(format!(
                "{what} needs data in [0, 1], but column {} has {}; scale it (unit), or {or_else}",
                column + 1,
                values[column]
            )));
        }
    }
    Ok(())
}

impl Rows for Matrix {
    fn rows(&self) -> usize {
        self.rows()
    }

    fn columns(&self) -> usize {
        self.columns()
    }

    fn copy_row(&self, row: usize, out: &mut [f32]) {
        out.copy_from_slice(self.row(row));
    }

    fn prefetch(&self, row: usize) {
        kernels::prefetch(self.row(row));
    }

    fn as_matrix(&self) -> Option<&Matrix> {
        Some(self)
    }
}

/// Rows, each changed as it is copied: `change` is given its number and its values.
pub(super) struct ChangedRows<'a, C> {
    of: &'a dyn Rows,
    change: C,
}

impl<'a, C: Fn(usize, &mut [f32]) + Sync> ChangedRows<'a, C> {
    pub fn new(of: &'a dyn Rows, change: C) -> Self {
        Self { of, change }
    }
}

impl<C: Fn(usize, &mut [f32]) + Sync> Rows for ChangedRows<'_, C> {
    fn rows(&self) -> usize {
        self.of.rows()
    }

    fn columns(&self) -> usize {
        self.of.columns()
    }

    fn copy_row(&self, row: usize, out: &mut [f32]) {
        self.of.copy_row(row, out);
        (self.change)(row, out);
    }

    fn prefetch(&self, row: usize) {
        self.of.prefetch(row);
    }

    fn image_shape(&self) -> Option<(usize, usize)> {
        self.of.image_shape()
    }
}

/// Some rows of others, in a given order: one side of a split.
#[derive(Clone, Copy)]
pub struct Subset<'a> {
    of: &'a dyn Rows,
    rows: &'a [usize],
}

impl<'a> Subset<'a> {
    /// The rows of `of` that `rows` names.
    ///
    /// # Panics
    /// When one of them does not exist.
    pub fn new(of: &'a dyn Rows, rows: &'a [usize]) -> Self {
        assert!(rows.iter().all(|&row| row < of.rows()), "a subset names rows that exist");
        Self { of, rows }
    }
}

impl Rows for Subset<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn columns(&self) -> usize {
        self.of.columns()
    }

    fn copy_row(&self, row: usize, out: &mut [f32]) {
        self.of.copy_row(self.rows[row], out);
    }

    fn prefetch(&self, row: usize) {
        self.of.prefetch(self.rows[row]);
    }

    fn image_shape(&self) -> Option<(usize, usize)> {
        self.of.image_shape()
    }
}
