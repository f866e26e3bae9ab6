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

use rayon::prelude::*;

use super::columns::Columns;
use crate::error::Result;
use crate::kernels::Isa;
use crate::kernels::double::panel::{WIDTH, add_panel_product};
use crate::matrix::Matrix;
use crate::rows::{Rows, gather_finite};

/// Rows that are added at once.
const CHUNK: usize = 512;

/// Count, mean, and Σ (x − μ)(x − μ)ᵀ of the rows seen so far.
#[derive(Clone, Debug)]
pub(crate) struct Gram {
    isa: Isa,
    center: bool,
    rows: usize,
    mean: Vec<f64>,
    /// The tiles on and below the diagonal, each column-major, one after another.
    tiles: Vec<f64>,
    /// The panels that each tile is the product of.
    places: Vec<(usize, usize)>,
    /// Rows that wait until a chunk is full, so that what comes out does not depend on how they came in.
    pending: Matrix,
    waiting: usize,
    /// The chunk less its mean, in panels of columns; zeros where the last panel has too few.
    panels: Columns,
}

/// What [`Gram::finish`] returns.
pub(crate) struct Finished {
    pub(crate) rows: usize,
    /// Zeros if it is not subtracted.
    pub(crate) mean: Vec<f64>,
    /// The whole symmetric matrix.
    pub(crate) gram: Columns,
}

impl Gram {
    /// Of no rows; about the mean if `center`, else about zero.
    pub(crate) fn new(isa: Isa, columns: usize, center: bool) -> Self {
        let panels = columns.div_ceil(WIDTH);
        let places: Vec<_> = (0..panels).flat_map(|column| (column..panels).map(move |row| (row, column))).collect();
        Self {
            isa,
            center,
            rows: 0,
            mean: vec![0.0; columns],
            tiles: vec![0.0; places.len() * WIDTH * WIDTH],
            places,
            pending: Matrix::zeros(CHUNK, columns),
            waiting: 0,
            panels: Columns::zeros((CHUNK + 1) * WIDTH, panels),
        }
    }

    /// The instruction set that its kernels run on.
    pub(crate) fn isa(&self) -> Isa {
        self.isa
    }

    /// The number of columns of the rows.
    pub(crate) fn columns(&self) -> usize {
        self.mean.len()
    }

    /// The number of rows added so far.
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
            gather_finite(rows, start..start + count, free)?;
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
        for (tile, (row, column)) in self.tiles.chunks_exact(WIDTH * WIDTH).zip(self.places) {
            for (j, values) in (column * WIDTH..columns).zip(tile.chunks_exact(WIDTH)) {
                for (i, &value) in (row * WIDTH..columns).zip(values) {
                    gram.column_mut(j)[i] = value;
                    gram.column_mut(i)[j] = value;
                }
            }
        }
        Finished { rows: self.rows, mean: self.mean, gram }
    }

    /// Adds the rows that wait.
    fn absorb(&mut self) {
        let (columns, count) = (self.columns(), std::mem::take(&mut self.waiting));
        if count == 0 || columns == 0 {
            self.rows += count;
            return;
        }
        let chunk = &self.pending.as_slice()[..count * columns];
        let (before, added) = (self.rows as f64, count as f64);
        self.rows += count;
        let used = (count + usize::from(self.center)) * WIDTH;
        let center = self.center;
        let (stride, panels) = (self.panels.stride(), self.panels.columns());
        let panels = self.panels.raw_mut(0..panels).par_chunks_mut(stride);
        panels.zip(self.mean.par_chunks_mut(WIDTH)).enumerate().for_each(|(index, (panel, mean))| {
            let part = || chunk.chunks_exact(columns).map(|row| &row[index * WIDTH..][..mean.len()]);
            let mut here = [0.0; WIDTH];
            if center {
                for row in part() {
                    here.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
                }
                here.iter_mut().for_each(|sum| *sum /= added);
            }
            for (to, from) in panel.chunks_exact_mut(WIDTH).zip(part()) {
                to.iter_mut().zip(from).zip(&here).for_each(|((to, &from), mean)| *to = f64::from(from) - mean);
            }
            if center {
                let weight = (before * added / (before + added)).sqrt();
                for ((to, mean), here) in panel[count * WIDTH..used].iter_mut().zip(mean).zip(here) {
                    let apart = here - *mean;
                    *to = weight * apart;
                    *mean += apart * (added / (before + added));
                }
            }
        });
        let isa = self.isa;
        let panel = |index: usize| &self.panels.column(index)[..used];
        let tiles = self.tiles.par_chunks_mut(WIDTH * WIDTH).zip(&self.places).with_min_len(4);
        tiles.for_each(|(tile, &(row, column))| add_panel_product(isa, panel(row), panel(column), tile));
    }
}
