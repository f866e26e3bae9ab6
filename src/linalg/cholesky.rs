//! Cholesky factorisation with pivoting: G = L Lᵀ for a Gram matrix of any rank.
//!
//! Each step takes the row with the largest remaining diagonal element (Higham, Analysis of the Cholesky Decomposition
//! of a Semi-definite Matrix, 1990), in blocks whose effect on the rest is one matrix product (LAPACK's `xPSTRF`).
//! The columns of L come out nearly orthogonal and falling in length, which is what makes one-sided Jacobi on them fast
//! (Veselić & Hari, A Note on a One-Sided Jacobi Algorithm, 1989): L V = U Σ, and G = U Σ² Uᵀ, without V.

use rayon::prelude::*;

use super::columns::Columns;
use crate::gemm::double::{StridedMut, dgemm};

/// Columns of L between two products.
const BLOCK: usize = 32;

/// Columns of the rest that one task takes.
const TASK: usize = 64;

/// A diagonal element of which less than this part is left is rounding error, and counts as zero: the column of data
/// behind it depends on the others to 3 · 10⁻⁷ of its length, a few roundings of an `f32`.
const NOISE: f64 = 1e-13;

/// L (d × rank) of a symmetric positive semi-definite matrix, its rows in the matrix's own order.
pub(crate) fn pivoted_cholesky(mut rest: Columns) -> Columns {
    let size = rest.columns();
    let original: Vec<f64> = (0..size).map(|j| rest.column(j)[j]).collect();
    // What is left of the diagonal; zero for rows that are done.
    let mut diagonal = original.clone();
    let mut factor = Columns::zeros(size, size);
    let mut start = 0;
    while start < size {
        let mut rank = start;
        while rank < size.min(start + BLOCK) {
            let pivot = (0..size).fold(0, |best, j| if diagonal[j] > diagonal[best] { j } else { best });
            let root = diagonal[pivot].sqrt();
            if root == 0.0 {
                break;
            }
            let mut column = rest.column(pivot).to_vec();
            for j in start..rank {
                let earlier = factor.column(j);
                let times = earlier[pivot];
                for (value, earlier) in column.iter_mut().zip(earlier) {
                    *value -= times * earlier;
                }
            }
            for (i, value) in factor.column_mut(rank).iter_mut().enumerate() {
                if diagonal[i] > 0.0 {
                    *value = if i == pivot { root } else { column[i] / root };
                    diagonal[i] -= *value * *value;
                    if i == pivot || diagonal[i] <= NOISE * original[i] {
                        diagonal[i] = 0.0;
                    }
                }
            }
            rank += 1;
        }
        if rank < start + BLOCK {
            start = rank;
            break;
        }
        let stride = rest.stride();
        rest.raw_mut(0..size).par_chunks_mut(TASK * stride).enumerate().for_each(|(task, rest)| {
            let width = rest.len() / stride;
            let columns = task * TASK..task * TASK + width;
            let right = factor.view(columns, start..rank).transposed();
            dgemm(-1.0, factor.view(0..size, start..rank), right, 1.0, StridedMut::columns(rest, size, width, stride));
        });
        start = rank;
    }
    factor.truncate(start);
    factor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::rotation::dot;

    fn gram(rows: &[Vec<f64>]) -> Columns {
        Columns::from_fn(rows.len(), rows.len(), |i, j| dot(&rows[i], &rows[j]))
    }

    fn wave(rows: usize, rank: usize) -> Vec<Vec<f64>> {
        (0..rows).map(|i| (0..rank).map(|j| ((i * 31 + j * j * 17 + i * j + 1) as f64).sin()).collect()).collect()
    }

    #[test]
    fn the_factor_times_its_transpose_is_the_matrix() {
        for (rows, rank) in [(1, 1), (5, 5), (40, 40), (100, 70), (70, 33), (64, 32), (33, 1)] {
            let g = gram(&wave(rows, rank));
            let l = pivoted_cholesky(g.clone());
            assert_eq!(l.columns(), rank, "{rows} rows of rank {rank}");
            for i in 0..rows {
                for j in 0..rows {
                    let sum: f64 = (0..rank).map(|k| l.column(k)[i] * l.column(k)[j]).sum();
                    assert!((sum - g.column(j)[i]).abs() < 1e-11, "({i}, {j})");
                }
            }
        }
    }

    #[test]
    fn nothing_and_zeros_have_rank_zero() {
        assert_eq!(pivoted_cholesky(Columns::zeros(0, 0)).columns(), 0);
        assert_eq!(pivoted_cholesky(Columns::zeros(7, 7)).columns(), 0);
    }

    #[test]
    fn a_small_column_is_not_mistaken_for_a_dependent_one() {
        let mut rows = wave(6, 6);
        rows[3].iter_mut().for_each(|value| *value *= 1e-20);
        rows[4] = rows[1].clone();
        assert_eq!(pivoted_cholesky(gram(&rows)).columns(), 5);
    }
}
