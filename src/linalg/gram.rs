//! The Gram matrix of many rows, about their mean, in one pass and in double precision.
//!
//! A product of two `f32` is exact in an `f64`, so XᵀX accumulated in double precision is off by roundings of the sums
//! alone: element (i, j) by a small multiple of ε |xᵢ||xⱼ|, ε = 1.1 · 10⁻¹⁶, whatever the other columns are. So the
//! small singular values of X survive the squaring that is said to lose them, down to about 10⁻⁷ of the largest once
//! columns are scaled to one length: Carson, Ma & Shao, arXiv 2603.11953 (2026).
//!
//! # The mean on the fly
//!
//! Each chunk is taken about its own mean m, exactly to the roundings of the subtraction. Joining n rows of mean μ to
//! c rows of mean m adds nc/(n + c) (m − μ)(m − μ)ᵀ to the sum of both (Chan, Golub & LeVeque 1979), which is one more
//! row √(nc/(n + c)) (m − μ) under the chunk (Ross et al. 2008). Nothing is ever subtracted, so nothing cancels, however
//! far the mean lies from zero.

use super::chunks;
use super::columns::Columns;
use crate::data::Rows;
use crate::error::Result;
use crate::kernels::dgemm::dgemm;
use crate::matrix::Matrix;
use rayon::prelude::*;

/// Rows that are added at once.
const CHUNK: usize = 512;

/// Rows and columns of one tile of the matrix.
const TILE: usize = 128;

/// Count, mean, and Σ (x − μ)(x − μ)ᵀ of the rows seen so far.
#[derive(Clone, Debug)]
pub(crate) struct Gram {
    center: bool,
    rows: usize,
    mean: Vec<f64>,
    /// The tiles on and below the diagonal.
    tiles: Vec<Tile>,
    /// Rows that wait until a chunk is full, so that what comes out does not depend on how they came in.
    pending: Matrix,
    waiting: usize,
}

#[derive(Clone, Debug)]
struct Tile {
    row: usize,
    column: usize,
    values: Columns,
}

/// What [`Gram::finish`] returns.
pub(crate) struct Finished {
    pub(crate) rows: usize,
    /// Zeros if it was not to be subtracted.
    pub(crate) mean: Vec<f64>,
    /// The whole symmetric matrix.
    pub(crate) gram: Columns,
}

impl Gram {
    /// Of no rows; about the mean if `center`, else about zero.
    pub(crate) fn new(columns: usize, center: bool) -> Self {
        let starts = || (0..columns).step_by(TILE);
        let tiles = starts()
            .flat_map(|column| starts().filter(move |&row| row >= column).map(move |row| (row, column)))
            .map(|(row, column)| Tile {
                row,
                column,
                values: Columns::zeros(TILE.min(columns - row), TILE.min(columns - column)),
            })
            .collect();
        let pending = Matrix::zeros(CHUNK, columns);
        Self { center, rows: 0, mean: vec![0.0; columns], tiles, pending, waiting: 0 }
    }

    /// How many columns the rows have.
    pub(crate) fn columns(&self) -> usize {
        self.mean.len()
    }

    /// How many rows it has seen.
    pub(crate) fn rows(&self) -> usize {
        self.rows + self.waiting
    }

    /// Adds rows. The sum does not depend on how the rows are spread over calls, not even in its last bits.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) for a value that is not finite; some of the rows may then have been added.
    ///
    /// # Panics
    /// When the rows have another number of columns.
    pub(crate) fn add(&mut self, rows: &dyn Rows) -> Result<()> {
        let columns = self.columns();
        assert_eq!(rows.columns(), columns, "columns");
        let mut start = 0;
        while start < rows.rows() {
            let count = (CHUNK - self.waiting).min(rows.rows() - start);
            let free = &mut self.pending.as_mut_slice()[self.waiting * columns..][..count * columns];
            chunks::gather(rows, start..start + count, free)?;
            self.waiting += count;
            start += count;
            if self.waiting == CHUNK {
                self.absorb();
            }
        }
        Ok(())
    }

    /// Adds up what is left.
    pub(crate) fn finish(mut self) -> Finished {
        self.absorb();
        let columns = self.columns();
        let mut gram = Columns::zeros(columns, columns);
        for tile in &self.tiles {
            for j in 0..tile.values.columns() {
                for (i, &value) in tile.values.column(j).iter().enumerate() {
                    gram.column_mut(tile.column + j)[tile.row + i] = value;
                    gram.column_mut(tile.row + i)[tile.column + j] = value;
                }
            }
        }
        Finished { rows: self.rows, mean: self.mean, gram }
    }

    fn absorb(&mut self) {
        let (columns, count) = (self.columns(), std::mem::take(&mut self.waiting));
        if count == 0 || columns == 0 {
            self.rows += count;
            return;
        }
        let chunk = &self.pending.as_slice()[..count * columns];
        let mut centered = Columns::zeros(columns, count + usize::from(self.center));
        let mut mean = vec![0.0; columns];
        if self.center {
            for row in chunk.chunks_exact(columns) {
                for (sum, &value) in mean.iter_mut().zip(row) {
                    *sum += f64::from(value);
                }
            }
            mean.iter_mut().for_each(|sum| *sum /= count as f64);
        }
        let stride = centered.stride();
        let rows = centered.raw_mut(0..count).par_chunks_mut(stride).zip(chunk.par_chunks_exact(columns));
        rows.with_min_len(32).for_each(|(to, from)| {
            for ((to, &from), mean) in to.iter_mut().zip(from).zip(&mean) {
                *to = f64::from(from) - mean;
            }
        });
        if self.center {
            let (before, added) = (self.rows as f64, count as f64);
            let weight = (before * added / (before + added)).sqrt();
            for ((to, old), new) in centered.column_mut(count).iter_mut().zip(&mut self.mean).zip(&mean) {
                *to = weight * (new - *old);
                *old += (new - *old) * (added / (before + added));
            }
        }
        self.rows += count;
        let all = 0..centered.columns();
        self.tiles.par_iter_mut().for_each(|Tile { row, column, values }| {
            let (height, width) = (values.rows(), values.columns());
            let left = centered.view(*row..*row + height, all.clone());
            let right = centered.view(*column..*column + width, all.clone());
            dgemm(1.0, left, right.transposed(), 1.0, values.view_mut(0..height, 0..width));
        });
    }
}
