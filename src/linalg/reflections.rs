//! Products of Householder reflections: an orthogonal matrix Q, kept as the vectors that make it.
//!
//! A reflection H = I − τ v vᵀ takes a vector to a multiple of a unit vector (Golub & Van Loan, Matrix Computations,
//! section 5.1). [`BLOCK`] of them at a time are applied as I − V T Vᵀ, by matrix products (Schreiber & Van Loan 1989).

use std::ops::Range;

use rayon::prelude::*;

use super::columns::Columns;
use crate::gemm::double::{Strided, StridedMut, dgemm};
use crate::kernels::{Isa, double};

/// Reflections that are applied at once.
pub(crate) const BLOCK: usize = 32;

/// Columns that one task takes.
const TASK: usize = 64;

/// A square of a length that no matrix of `f32` leaves but as a rounding error of a rounding error.
const VANISHED: f64 = 1e-200;

/// Q = H₀ H₁ …, where the vector of Hₖ starts with a 1 that is not stored, at row k + offset.
pub(crate) struct Reflections {
    vectors: Columns,
    tau: Vec<f64>,
    offset: usize,
}

impl Reflections {
    /// From a matrix whose column k holds the rest of the vector of Hₖ below row k + `offset`, and anything above.
    pub(crate) fn new(vectors: Columns, tau: Vec<f64>, offset: usize) -> Self {
        Self { vectors, tau, offset }
    }

    /// The elements on and above the diagonal in the first `rows` rows: R, where this comes from a QR factorisation.
    pub(crate) fn upper_triangle(&self, rows: usize) -> Columns {
        let element = |row, column| if row <= column { self.vectors.column(column)[row] } else { 0.0 };
        Columns::from_fn(rows, self.vectors.columns(), element)
    }

    /// C ← Q C.
    ///
    /// # Panics
    /// When C has not as many rows as the matrix had.
    pub(crate) fn apply(&self, c: &mut Columns) {
        assert_eq!(c.rows(), self.vectors.rows());
        let (rows, columns, stride) = (c.rows(), c.columns(), c.stride());
        for start in (0..self.tau.len()).step_by(BLOCK).rev() {
            let end = (start + BLOCK).min(self.tau.len());
            Block::new(&self.vectors, &self.tau, self.offset, start..end).apply(
                false,
                c.raw_mut(0..columns),
                rows,
                stride,
            );
        }
    }
}

/// Makes the reflection that takes x to a multiple of the first unit vector: x becomes that multiple and, below it, the
/// vector v without its first element; returns τ.
pub(crate) fn householder(isa: Isa, x: &mut [f64]) -> f64 {
    let Some((first, rest)) = x.split_first_mut() else { return 0.0 };
    let below = double::dot(isa, rest, rest);
    if below < VANISHED {
        rest.fill(0.0);
        return 0.0;
    }
    let length = (*first * *first + below).sqrt();
    // Of the two reflections, the one whose subtraction cannot cancel.
    let image = if *first > 0.0 { -length } else { length };
    let pivot = *first - image;
    for value in rest {
        *value /= pivot;
    }
    *first = image;
    -pivot / image
}

/// Applies one reflection to columns, of which it changes the rows from `row` on; `v[0]` is taken as 1.
pub(crate) fn reflect<'a>(isa: Isa, v: &[f64], tau: f64, row: usize, columns: impl Iterator<Item = &'a mut [f64]>) {
    if tau != 0.0 {
        for column in columns {
            let column = &mut column[row..];
            let product = tau * (column[0] + double::dot(isa, &v[1..], &column[1..]));
            column[0] -= product;
            double::axpy(isa, -product, &v[1..], &mut column[1..]);
        }
    }
}

/// Some neighbouring reflections as one: I − V T Vᵀ.
pub(crate) struct Block {
    /// The first row that they change.
    row: usize,
    v: Columns,
    t: Columns,
}

impl Block {
    /// Those of a range.
    pub(crate) fn new(vectors: &Columns, tau: &[f64], offset: usize, range: Range<usize>) -> Self {
        let (first, row, count) = (range.start, range.start + offset, range.len());
        let v = Columns::from_fn(vectors.rows() - row, count, |i, j| match i.cmp(&j) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => 1.0,
            std::cmp::Ordering::Greater => vectors.column(first + j)[row + i],
        });
        let mut products = Columns::zeros(count, count);
        let whole = v.view(0..v.rows(), 0..count);
        dgemm(1.0, whole.transposed(), whole, 0.0, products.view_mut(0..count, 0..count));
        let mut t = Columns::zeros(count, count);
        for j in 0..count {
            let tau = tau[first + j];
            for i in 0..j {
                let sum: f64 = (i..j).map(|l| t.column(l)[i] * products.column(j)[l]).sum();
                t.column_mut(j)[i] = -tau * sum;
            }
            t.column_mut(j)[j] = tau;
        }
        Self { row, v, t }
    }

    /// Applies them, or their transpose, to columns of `rows` elements that lie `stride` apart.
    pub(crate) fn apply(&self, transposed: bool, columns: &mut [f64], rows: usize, stride: usize) {
        let (height, count) = (self.v.rows(), self.v.columns());
        let v = self.v.view(0..height, 0..count);
        let t = self.t.view(0..count, 0..count);
        let t = if transposed { t.transposed() } else { t };
        columns.par_chunks_mut(TASK * stride).for_each(|columns| {
            let width = columns.len() / stride;
            let mut products = Columns::zeros(count, width);
            let mut sums = Columns::zeros(count, width);
            let below = Strided::columns(&columns[self.row..], rows - self.row, width, stride);
            dgemm(1.0, v.transposed(), below, 0.0, products.view_mut(0..count, 0..width));
            dgemm(1.0, t, products.view(0..count, 0..width), 0.0, sums.view_mut(0..count, 0..width));
            let below = StridedMut::columns(&mut columns[self.row..], rows - self.row, width, stride);
            dgemm(-1.0, v, sums.view(0..count, 0..width), 1.0, below);
        });
    }
}
