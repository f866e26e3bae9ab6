//! A double-precision matrix, column after column: what the factorisations work on.

use std::ops::Range;

use rayon::prelude::*;

use crate::gemm::double::{Strided, StridedMut, dgemm};
use crate::matrix::Matrix;

/// `f64` in one cache line, and in one AVX-512 register.
pub(crate) const LINE: usize = 8;

/// A matrix of `f64`, column-major. Every column starts on a 64-byte boundary; the padding below it is zero, and the
/// kernels that run over whole columns keep it so.
#[derive(Debug)]
pub(crate) struct Columns {
    values: Vec<f64>,
    /// The index of the first element on a 64-byte boundary.
    start: usize,
    rows: usize,
    columns: usize,
    stride: usize,
}

impl Columns {
    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        let mut stride = rows.next_multiple_of(LINE);
        if stride.is_multiple_of(512) {
            // Columns a multiple of the page apart would all fight for the same few sets of the cache.
            stride += LINE;
        }
        let length = stride.checked_mul(columns).expect("a matrix has at most usize::MAX elements");
        let values = vec![0.0; length + LINE];
        let start = match values.as_ptr().align_offset(LINE * size_of::<f64>()) {
            offset if offset < LINE => offset,
            _ => 0,
        };
        Self { values, start, rows, columns, stride }
    }

    /// A matrix whose elements a function names by row and column.
    pub(crate) fn from_fn(rows: usize, columns: usize, element: impl Fn(usize, usize) -> f64 + Sync) -> Self {
        /// Columns that one task fills side by side, so that a source that lies row after row is read in whole lines.
        const TASK: usize = 16;
        let mut matrix = Self::zeros(rows, columns);
        let stride = matrix.stride;
        matrix.raw_mut(0..columns).par_chunks_mut(TASK * stride).enumerate().for_each(|(task, part)| {
            for row in 0..rows {
                for (column, to) in (task * TASK..).zip(part[row..].iter_mut().step_by(stride)) {
                    *to = element(row, column);
                }
            }
        });
        matrix
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Drops the last columns, so that the given number is left.
    pub(crate) fn truncate(&mut self, columns: usize) {
        self.columns = self.columns.min(columns);
    }

    /// From the start of one column to the start of the next.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    pub(crate) fn column(&self, column: usize) -> &[f64] {
        &self.values[self.start + column * self.stride..][..self.rows]
    }

    pub(crate) fn column_mut(&mut self, column: usize) -> &mut [f64] {
        &mut self.values[self.start + column * self.stride..][..self.rows]
    }

    /// The columns of a range as they lie in memory, padding included.
    pub(crate) fn raw(&self, columns: Range<usize>) -> &[f64] {
        &self.values[self.start..][columns.start * self.stride..columns.end * self.stride]
    }

    /// The columns of a range as they lie in memory, padding included.
    pub(crate) fn raw_mut(&mut self, columns: Range<usize>) -> &mut [f64] {
        &mut self.values[self.start..][columns.start * self.stride..columns.end * self.stride]
    }

    /// Two ranges of columns side by side: those before `middle`, and the rest.
    pub(crate) fn split_at_mut(&mut self, middle: usize) -> (&mut [f64], &mut [f64]) {
        let stride = self.stride;
        let columns = self.columns;
        self.raw_mut(0..columns).split_at_mut(middle * stride)
    }

    pub(crate) fn swap(&mut self, a: usize, b: usize) {
        if a != b {
            let (a, b) = (a.min(b), a.max(b));
            let (stride, rows) = (self.stride, self.rows);
            let (left, right) = self.split_at_mut(b);
            left[a * stride..][..rows].swap_with_slice(&mut right[..rows]);
        }
    }

    /// A view of all of it, for a product.
    pub(crate) fn whole(&self) -> Strided<'_> {
        self.view(0..self.rows, 0..self.columns)
    }

    /// A view of the part in the given rows and columns, for a product.
    pub(crate) fn view(&self, rows: Range<usize>, columns: Range<usize>) -> Strided<'_> {
        let count = columns.len();
        Strided::columns(part(self.raw(columns), &rows), rows.len(), count, self.stride)
    }

    /// A view of the part in the given rows and columns, for a product to be written to.
    pub(crate) fn view_mut(&mut self, rows: Range<usize>, columns: Range<usize>) -> StridedMut<'_> {
        let (count, stride) = (columns.len(), self.stride);
        let raw = self.raw_mut(columns);
        let start = rows.start.min(raw.len());
        StridedMut::columns(&mut raw[start..], rows.len(), count, stride)
    }

    /// The elements in single precision, row-major, each column times its factor.
    pub(crate) fn to_matrix(&self, factors: &[f64]) -> Matrix {
        const TASK: usize = 16;
        let mut matrix = Matrix::zeros(self.rows, self.columns);
        if self.columns > 0 {
            let parts = matrix.as_mut_slice().par_chunks_mut(TASK * self.columns);
            parts.enumerate().for_each(|(task, part)| {
                for (j, factor) in factors.iter().enumerate() {
                    let column = &self.column(j)[task * TASK..];
                    for (to, value) in part[j..].iter_mut().step_by(self.columns).zip(column) {
                        *to = (value * factor) as f32;
                    }
                }
            });
        }
        matrix
    }

    /// The transpose.
    pub(crate) fn transposed(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |row, column| self.column(row)[column])
    }
}

/// The product of two matrices.
///
/// # Panics
/// When the shapes do not fit together.
pub(crate) fn product(left: Strided<'_>, right: &Columns) -> Columns {
    /// Columns that one task takes.
    const TASK: usize = 128;
    let mut out = Columns::zeros(left.rows(), right.columns());
    let (rows, stride) = (out.rows, out.stride);
    out.raw_mut(0..right.columns()).par_chunks_mut(TASK * stride).enumerate().for_each(|(task, out)| {
        let (start, width) = (task * TASK, out.len() / stride);
        let right = right.view(0..right.rows(), start..start + width);
        dgemm(1.0, left, right, 0.0, StridedMut::columns(out, rows, width, stride));
    });
    out
}

impl Clone for Columns {
    /// Copies column by column: the copy may start elsewhere in its cache line.
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.rows, self.columns);
        copy.raw_mut(0..self.columns).copy_from_slice(self.raw(0..self.columns));
        copy
    }
}

fn part<'a>(raw: &'a [f64], rows: &Range<usize>) -> &'a [f64] {
    &raw[rows.start.min(raw.len())..]
}
