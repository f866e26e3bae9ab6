//! Mean and total variance of rows, in one pass.

use crate::error::Result;
use crate::rows::{Rows, for_each_finite_chunk};
use rayon::prelude::*;

const CHUNK: usize = 1024;

/// Columns that one task takes.
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
