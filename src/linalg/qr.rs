//! Householder QR: blocked without pivoting, and with column pivoting that tells the rank.
//!
//! A reflection H = I − τ v vᵀ takes a column to a multiple of a unit vector; the product of all is Q, and what they
//! leave of the matrix is R (Golub & Van Loan, Matrix Computations, section 5.2). Both variants are backward stable
//! column by column: each computed column is that of a matrix off by a few roundings of *that column*, so columns of
//! very different size keep their own relative accuracy (Higham, Accuracy and Stability, theorem 19.4).
//!
//! Without pivoting, [`BLOCK`] reflections at a time are applied to the rest as I − V T Vᵀ by matrix products
//! (Schreiber & Van Loan 1989). With pivoting (Businger & Golub 1965) the longest remaining column comes next; lengths
//! are brought up to date by what the step took away, and computed afresh once too little of them is left to be
//! trusted (Drmač & Bujanović 2008).

use super::columns::Columns;
use crate::kernels::dgemm::{Strided, StridedMut, dgemm};
use crate::kernels::{Isa, rotation};
use rayon::prelude::*;
use std::ops::Range;

/// Reflections that are applied at once.
const BLOCK: usize = 32;

/// Columns that one task takes.
const TASK: usize = 16;

/// A column of which less than this part is left after the projection is rounding error, and counts as zero.
const NOISE: f64 = 64.0 * f64::EPSILON;

/// A square of a length that no matrix of `f32` leaves but as a rounding error of a rounding error.
const VANISHED: f64 = 1e-200;

/// A factored matrix: R on and above the diagonal, the reflections' vectors below it (their first element, 1, is not
/// stored).
pub(crate) struct Qr {
    factors: Columns,
    tau: Vec<f64>,
}

/// Q and R of a matrix.
pub(crate) fn qr(mut a: Columns) -> Qr {
    let isa = Isa::best();
    let count = a.rows().min(a.columns());
    let mut tau = vec![0.0; count];
    for start in (0..count).step_by(BLOCK) {
        let end = (start + BLOCK).min(count);
        for k in start..end {
            let stride = a.stride();
            let (done, rest) = a.split_at_mut(k + 1);
            tau[k] = householder(isa, &mut done[k * stride..][k..]);
            reflect(isa, &done[k * stride..][k..], tau[k], k, rest[..(end - k - 1) * stride].chunks_exact_mut(stride));
        }
        let block = Block::new(&a, &tau, start..end);
        let (rows, columns, stride) = (a.rows(), a.columns(), a.stride());
        block.apply(true, a.raw_mut(end..columns), rows, stride);
    }
    Qr { factors: a, tau }
}

/// Q and R of a matrix with its columns in a better order.
pub(crate) struct PivotedQr {
    pub(crate) qr: Qr,
    /// Which column of the matrix stands at each place.
    pub(crate) order: Vec<usize>,
    /// How many columns are independent, to the last bits of their own length.
    pub(crate) rank: usize,
}

/// Q and R of a matrix whose columns are exchanged so that |r₁₁| ≥ |r₂₂| ≥ …, and its rank.
pub(crate) fn pivoted_qr(mut a: Columns) -> PivotedQr {
    let isa = Isa::best();
    let count = a.rows().min(a.columns());
    let stride = a.stride();
    let rows = a.rows();
    let mut columns: Vec<Remainder> =
        (0..a.columns()).map(|place| Remainder::new(isa, place, a.column(place))).collect();
    let mut tau = Vec::with_capacity(count);
    for k in 0..count {
        let mut pivot = k;
        for j in k + 1..columns.len() {
            if columns[j].length > columns[pivot].length {
                pivot = j;
            }
        }
        if columns[pivot].length == 0.0 {
            break;
        }
        a.swap(k, pivot);
        columns.swap(k, pivot);
        let (done, rest) = a.split_at_mut(k + 1);
        let v = &mut done[k * stride..][k..rows];
        let reflection = householder(isa, v);
        tau.push(reflection);
        let v = &*v;
        rest.par_chunks_mut(TASK * stride).zip(columns[k + 1..].par_chunks_mut(TASK)).for_each(|(rest, columns)| {
            for (column, remainder) in rest.chunks_exact_mut(stride).zip(columns) {
                let column = &mut column[..rows];
                if remainder.length > 0.0 {
                    reflect(isa, v, reflection, k, std::iter::once(&mut *column));
                    remainder.shorten(isa, column[k], &mut column[k + 1..]);
                }
            }
        });
    }
    let rank = tau.len();
    let order = columns.iter().map(|column| column.place).collect();
    PivotedQr { qr: Qr { factors: a, tau }, order, rank }
}

/// What is left of a column below the rows that are done.
struct Remainder {
    /// Where the column stood.
    place: usize,
    /// Its length at first.
    original: f64,
    /// Its length now.
    length: f64,
    /// Its length when it was last computed and not derived.
    computed: f64,
}

impl Remainder {
    fn new(isa: Isa, place: usize, column: &[f64]) -> Self {
        let length = rotation::dot(isa, column, column).sqrt();
        Self { place, original: length, length, computed: length }
    }

    /// The column's uppermost element is done; `rest` lies below it. A rest of nothing but rounding errors is cleared.
    fn shorten(&mut self, isa: Isa, done: f64, rest: &mut [f64]) {
        let part = (done / self.length).abs();
        self.length *= ((1.0 - part) * (1.0 + part)).max(0.0).sqrt();
        if self.length <= 1e-6 * self.computed || self.length <= NOISE * self.original {
            self.length = rotation::dot(isa, rest, rest).sqrt();
            self.computed = self.length;
            if self.length <= NOISE * self.original {
                self.length = 0.0;
                rest.fill(0.0);
            }
        }
    }
}

impl Qr {
    /// R in its first `rank` rows, with the given number of columns.
    pub(crate) fn r(&self, rank: usize) -> Columns {
        Columns::from_fn(rank, self.factors.columns(), |row, column| {
            if row <= column { self.factors.column(column)[row] } else { 0.0 }
        })
    }

    /// C ← Q C.
    ///
    /// # Panics
    /// When C has not as many rows as the matrix had.
    pub(crate) fn apply(&self, c: &mut Columns) {
        assert_eq!(c.rows(), self.factors.rows());
        let (rows, columns, stride) = (c.rows(), c.columns(), c.stride());
        for start in (0..self.tau.len()).step_by(BLOCK).rev() {
            let end = (start + BLOCK).min(self.tau.len());
            Block::new(&self.factors, &self.tau, start..end).apply(false, c.raw_mut(0..columns), rows, stride);
        }
    }
}

/// Makes the reflection that takes x to a multiple of the first unit vector: x becomes that multiple and, below it, the
/// vector v without its first element; returns τ.
fn householder(isa: Isa, x: &mut [f64]) -> f64 {
    let Some((first, rest)) = x.split_first_mut() else { return 0.0 };
    let below = rotation::dot(isa, rest, rest);
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
fn reflect<'a>(isa: Isa, v: &[f64], tau: f64, row: usize, columns: impl Iterator<Item = &'a mut [f64]>) {
    if tau != 0.0 {
        for column in columns {
            let column = &mut column[row..];
            let product = tau * (column[0] + rotation::dot(isa, &v[1..], &column[1..]));
            column[0] -= product;
            rotation::axpy(isa, -product, &v[1..], &mut column[1..]);
        }
    }
}

/// Some neighbouring reflections as one: I − V T Vᵀ.
struct Block {
    /// The first row that they change.
    row: usize,
    v: Columns,
    t: Columns,
}

impl Block {
    fn new(factors: &Columns, tau: &[f64], range: Range<usize>) -> Self {
        let (row, count) = (range.start, range.len());
        let v = Columns::from_fn(factors.rows() - row, count, |i, j| match i.cmp(&j) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => 1.0,
            std::cmp::Ordering::Greater => factors.column(row + j)[row + i],
        });
        let mut products = Columns::zeros(count, count);
        let whole = v.view(0..v.rows(), 0..count);
        dgemm(1.0, whole.transposed(), whole, 0.0, products.view_mut(0..count, 0..count));
        let mut t = Columns::zeros(count, count);
        for j in 0..count {
            let tau = tau[row + j];
            for i in 0..j {
                let sum: f64 = (i..j).map(|l| t.column(l)[i] * products.column(j)[l]).sum();
                t.column_mut(j)[i] = -tau * sum;
            }
            t.column_mut(j)[j] = tau;
        }
        Self { row, v, t }
    }

    /// Applies them, or their transpose, to columns of `rows` elements that lie `stride` apart.
    fn apply(&self, transposed: bool, columns: &mut [f64], rows: usize, stride: usize) {
        let (height, count) = (self.v.rows(), self.v.columns());
        let v = self.v.view(0..height, 0..count);
        let t = self.t.view(0..count, 0..count);
        let t = if transposed { t.transposed() } else { t };
        columns.par_chunks_mut(4 * TASK * stride).for_each(|columns| {
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
