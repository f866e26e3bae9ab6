//! Householder QR: blocked without pivoting, and with column pivoting, which reveals the rank.
//!
//! Both variants are backward stable column by column: each computed column belongs to a matrix off by a few
//! roundings of *that column*, so columns of very different size keep their own relative accuracy (Higham, Accuracy and
//! Stability, theorem 19.4). Without pivoting, the reflections are applied in blocks. With pivoting (Businger & Golub
//! 1965) the longest remaining column comes next; lengths are brought up to date by what the step took away, and
//! recomputed once too little of them is left to be trusted (Drmač & Bujanović 2008).

use rayon::prelude::*;

use super::columns::{Columns, LINE};
use super::reflections::{BLOCK, Block, Reflections, householder, reflect};
use crate::kernels::{Isa, double};

/// Columns that one task takes.
const TASK: usize = 16;

/// A column of which less than this part is left after the projection is rounding error, and counts as zero.
const NOISE: f64 = 64.0 * f64::EPSILON;

/// Q and R of a matrix, R on and above the diagonal of what holds the reflections.
pub(crate) fn qr(isa: Isa, mut a: Columns) -> Reflections {
    let count = a.rows().min(a.columns());
    let mut tau = vec![0.0; count];
    // Column by column inside a block, whose columns alone each reflection changes at once; then the whole block is applied
    // to the columns on its right by matrix products, which is where almost all of the work is.
    for start in (0..count).step_by(BLOCK) {
        let end = (start + BLOCK).min(count);
        for k in start..end {
            let stride = a.stride();
            let (done, rest) = a.split_at_mut(k + 1);
            tau[k] = householder(isa, &mut done[k * stride..][k..]);
            reflect(isa, &done[k * stride..][k..], tau[k], k, rest[..(end - k - 1) * stride].chunks_exact_mut(stride));
        }
        let block = Block::new(&a, &tau, 0, start..end);
        let (rows, columns, stride) = (a.rows(), a.columns(), a.stride());
        block.apply(true, a.raw_mut(end..columns), rows, stride);
    }
    Reflections::new(a, tau, 0)
}

/// Q and R of a matrix with its columns in a better order.
pub(crate) struct PivotedQr {
    pub(crate) q: Reflections,
    /// The index of the matrix's column at each place.
    pub(crate) order: Vec<usize>,
    /// The number of independent columns, to the last bits of their own length.
    pub(crate) rank: usize,
}

/// Q and R of a matrix whose columns are exchanged so that |r₁₁| ≥ |r₂₂| ≥ …, and its rank.
///
/// A reflection is applied to a column together with taking its product with the next one, in one pass. What the next
/// one is, is known before that: a column's length needs the first of its elements alone to be brought up to date.
pub(crate) fn pivoted_qr(isa: Isa, mut a: Columns) -> PivotedQr {
    let (rows, stride, count) = (a.rows(), a.stride(), a.rows().min(a.columns()));
    let mut columns: Vec<Remainder> =
        (0..a.columns()).map(|place| Remainder::new(isa, place, a.column(place))).collect();
    let mut tau = Vec::with_capacity(count);
    // The vectors of the last reflection and of the next, the one element included.
    let mut vectors = Columns::zeros(rows, 2);
    let (mut last, mut next) = vectors.split_at_mut(1);
    for k in 0..count {
        let pivot =
            (k..columns.len()).fold(k, |best, j| if columns[j].length > columns[best].length { j } else { best });
        // What is left of every column is rounding error: the rank is found.
        if columns[pivot].length == 0.0 {
            break;
        }
        a.swap(k, pivot);
        columns.swap(k, pivot);
        // Whole registers on their boundaries: the vectors are zero above their first element.
        let whole = k.saturating_sub(1) / LINE * LINE..stride;
        let (done, rest) = a.split_at_mut(k + 1);
        let column = &mut done[k * stride..];
        // The pivot column is still due its update by the last reflection, and makes the next one only after it.
        columns[k].settle(isa, &last[whole.clone()], &mut column[whole.clone()]);
        tau.push(householder(isa, &mut column[k..rows]));
        let tau = tau[k];
        next[..=k].fill(0.0);
        next[k] = 1.0;
        next[k + 1..].copy_from_slice(&column[k + 1..]);
        let (previous, vector) = (&last[whole.clone()], &next[whole.clone()]);
        // One pass over the other columns: the last reflection's update, and the product that the next update needs.
        rest.par_chunks_mut(TASK * stride).zip(columns[k + 1..].par_chunks_mut(TASK)).for_each(|(rest, columns)| {
            for (column, remainder) in rest.chunks_exact_mut(stride).zip(columns) {
                if remainder.length > 0.0 {
                    let column = &mut column[whole.clone()];
                    let terms = [(-remainder.product, previous)];
                    remainder.product = tau * double::update_then_dot(isa, column, terms, vector);
                    remainder.shorten(isa, vector, column, k - whole.start);
                }
            }
        });
        std::mem::swap(&mut last, &mut next);
    }
    let rank = tau.len();
    for (j, remainder) in columns.iter_mut().enumerate().skip(rank) {
        remainder.settle(isa, last, a.raw_mut(j..j + 1));
    }
    let order = columns.iter().map(|column| column.place).collect();
    PivotedQr { q: Reflections::new(a, tau, 0), order, rank }
}

/// What is left of a column below the rows that are done.
struct Remainder {
    /// The index of the column in the matrix.
    place: usize,
    /// Its length at first.
    original: f64,
    /// Its length now.
    length: f64,
    /// Its length when it was last computed and not derived.
    computed: f64,
    /// The multiple of the last reflection's vector that has yet to be subtracted.
    product: f64,
}

impl Remainder {
    fn new(isa: Isa, place: usize, column: &[f64]) -> Self {
        let length = double::dot(isa, column, column).sqrt();
        Self { place, original: length, length, computed: length, product: 0.0 }
    }

    /// Subtracts what has yet to be subtracted.
    fn settle(&mut self, isa: Isa, vector: &[f64], column: &mut [f64]) {
        if self.product != 0.0 {
            double::axpy(isa, -self.product, vector, column);
            self.product = 0.0;
        }
    }

    /// The element at `done` will not change any more; what is left lies below it. If that is nothing but rounding
    /// errors, it is cleared.
    fn shorten(&mut self, isa: Isa, vector: &[f64], column: &mut [f64], done: usize) {
        let part = ((column[done] - self.product) / self.length).abs();
        self.length *= ((1.0 - part) * (1.0 + part)).max(0.0).sqrt();
        if self.length <= 1e-6 * self.computed || self.length <= NOISE * self.original {
            self.settle(isa, vector, column);
            let rest = &mut column[done + 1..];
            self.length = double::dot(isa, rest, rest).sqrt();
            self.computed = self.length;
            if self.length <= NOISE * self.original {
                self.length = 0.0;
                rest.fill(0.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::columns::product;

    fn wave(rows: usize, columns: usize) -> Columns {
        Columns::from_fn(rows, columns, |i, j| ((i * 31 + j * j * 17 + i * j + 1) as f64).sin())
    }

    /// Q as a matrix, and Q R.
    fn multiply(factors: &Reflections, rows: usize, rank: usize) -> (Columns, Columns) {
        let mut q = Columns::from_fn(rows, rank, |i, j| if i == j { 1.0 } else { 0.0 });
        factors.apply(&mut q);
        let product = product(q.whole(), &factors.upper_triangle(rank));
        (q, product)
    }

    fn assert_orthonormal(q: &Columns) {
        let products = product(q.whole().transposed(), q);
        for i in 0..q.columns() {
            for j in 0..q.columns() {
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((products.column(j)[i] - expected).abs() < 1e-13, "({i}, {j})");
            }
        }
    }

    #[test]
    fn q_is_orthonormal_and_q_r_is_the_matrix() {
        for (rows, columns) in [(1, 1), (5, 3), (3, 5), (8, 8), (33, 32), (70, 65), (100, 9)] {
            let a = wave(rows, columns);
            let rank = rows.min(columns);
            let plain = qr(Isa::best(), a.clone());
            let PivotedQr { q: pivoted, order, rank: found } = pivoted_qr(Isa::best(), a.clone());
            assert_eq!(found, rank, "{rows} x {columns}");
            for (factors, order) in [(&plain, (0..columns).collect()), (&pivoted, order)] {
                let (q, back) = multiply(factors, rows, rank);
                assert_orthonormal(&q);
                for (j, &from) in order.iter().enumerate() {
                    for (actual, expected) in back.column(j).iter().zip(a.column(from)) {
                        assert!((actual - expected).abs() < 1e-13, "{rows} x {columns}");
                    }
                }
            }
        }
    }

    #[test]
    fn pivots_fall_and_tell_the_rank_whatever_the_columns_lengths() {
        let (left, right) = (wave(60, 7), wave(7, 40));
        let a = product(left.whole(), &right);
        let graded = Columns::from_fn(60, 40, |i, j| a.column(j)[i] * 10f64.powi(-((j * 11 % 40) as i32)));
        let PivotedQr { q, rank, .. } = pivoted_qr(Isa::best(), graded);
        assert_eq!(rank, 7);
        let r = q.upper_triangle(rank);
        assert!((1..rank).all(|k| r.column(k)[k].abs() <= r.column(k - 1)[k - 1].abs()));
    }

    #[test]
    fn a_tiny_column_is_not_mistaken_for_a_dependent_one() {
        let mut a = wave(20, 6);
        a.column_mut(2).iter_mut().for_each(|value| *value *= 1e-30);
        assert_eq!(pivoted_qr(Isa::best(), a).rank, 6);
    }
}
