//! Means and variances of rows, in one pass and in double precision.
//!
//! Both ways sum deviations from a row near the mean, so that nothing is lost however far the mean lies from zero.

use rayon::prelude::*;

use crate::error::Result;
use crate::matrix::Matrix;
use crate::rows::{Rows, for_each_finite_chunk};

const CHUNK: usize = 1024;

/// The number of columns of a task.
const TASK: usize = 64;

/// The mean of all rows (zeros unless `center`), and the sum of all squared deviations from it.
///
/// Chunks are joined after Chan, Golub & LeVeque (1979), as in [`super::gram`].
pub(crate) fn moments(rows: &dyn Rows, center: bool) -> Result<(Vec<f64>, f64)> {
    let columns = rows.columns();
    let (mut mean, mut squares) = (vec![0.0; columns], vec![0.0; columns]);
    let mut before = 0.0;
    for_each_finite_chunk(rows, CHUNK, |chunk| {
        let added = (chunk.len() / columns.max(1)) as f64;
        let parts = mean.par_chunks_mut(TASK).zip(squares.par_chunks_mut(TASK)).enumerate();
        parts.for_each(|(task, (mean, squares))| {
            let width = mean.len();
            // About the chunk's first row: close enough to the mean that nothing is lost when that is taken away.
            let first: Vec<f64> =
                chunk[task * TASK..][..width].iter().map(|&value| if center { value.into() } else { 0.0 }).collect();
            let (mut sums, mut here) = (vec![0.0; width], vec![0.0; width]);
            for row in chunk.chunks_exact(columns).map(|row| &row[task * TASK..][..width]) {
                for (((sum, square), &value), first) in sums.iter_mut().zip(&mut here).zip(row).zip(&first) {
                    let apart = f64::from(value) - first;
                    *sum += apart;
                    *square += apart * apart;
                }
            }
            for ((((mean, total), sum), square), first) in mean.iter_mut().zip(squares).zip(sums).zip(here).zip(first) {
                *total += square;
                if center {
                    let apart = first + sum / added - *mean;
                    *total += apart * apart * (before * added / (before + added)) - sum * sum / added;
                    *mean += apart * (added / (before + added));
                }
            }
        });
        before += added;
    })?;
    Ok((mean, squares.iter().sum()))
}

/// The mean and the variance of each column of rows that come in parts.
#[derive(Clone, Debug)]
pub(crate) struct ColumnMoments {
    rows: f64,
    /// The first row, which the sums are about.
    first: Vec<f64>,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl ColumnMoments {
    /// No rows yet, of `columns` columns.
    pub fn new(columns: usize) -> Self {
        Self { rows: 0.0, first: Vec::new(), sums: vec![0.0; columns], squares: vec![0.0; columns] }
    }

    /// Adds the rows of a matrix.
    pub fn add(&mut self, rows: &Matrix) {
        for row in 0..rows.rows() {
            let row = rows.row(row);
            if self.first.is_empty() {
                self.first = row.iter().copied().map(f64::from).collect();
            }
            let sums = self.sums.iter_mut().zip(&mut self.squares).zip(&self.first);
            for (((sum, square), first), &value) in sums.zip(row) {
                let apart = f64::from(value) - first;
                *sum += apart;
                *square += apart * apart;
            }
        }
        self.rows += rows.rows() as f64;
    }

    /// The mean of each column; nothing when there are no rows.
    pub fn means(&self) -> Vec<f64> {
        self.first.iter().zip(&self.sums).map(|(first, sum)| first + sum / self.rows).collect()
    }

    /// The population variance of each column, NaN when there are no rows.
    pub fn variances(&self) -> impl Iterator<Item = f64> {
        let sums = self.sums.iter().zip(&self.squares);
        sums.map(|(sum, square)| (square - sum * sum / self.rows).max(0.0) / self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_in_parts_have_the_mean_and_the_variance_of_all_rows_however_far_from_zero() {
        let mut moments = ColumnMoments::new(2);
        assert!(moments.variances().all(f64::is_nan) && moments.means().is_empty());
        moments.add(&Matrix::from_rows(&[[4_000_000.0, 1.0]]));
        moments.add(&Matrix::from_rows(&[[4_000_001.0, 1.0], [4_000_005.0, 1.0]]));
        moments.add(&Matrix::zeros(0, 2));
        assert_eq!(moments.means(), [4_000_002.0, 1.0]);
        assert!(moments.variances().zip([14.0 / 3.0, 0.0]).all(|(actual, expected)| (actual - expected).abs() < 1e-12));
    }
}
