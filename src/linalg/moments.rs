//! Mean and total variance of rows, in one pass.

use super::chunks::for_each_chunk;
use crate::data::Rows;
use crate::error::Result;
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
    for_each_chunk(rows, CHUNK, |chunk| {
        let added = (chunk.len() / columns.max(1)) as f64;
        let parts = mean.par_chunks_mut(TASK).zip(squares.par_chunks_mut(TASK)).enumerate();
        parts.for_each(|(task, (mean, squares))| {
            let width = mean.len();
            let part = || chunk.chunks_exact(columns).map(|row| &row[task * TASK..][..width]);
            let mut here = vec![0.0; width];
            if center {
                for row in part() {
                    here.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
                }
                here.iter_mut().for_each(|sum| *sum /= added);
            }
            for row in part() {
                for ((sum, &value), here) in squares.iter_mut().zip(row).zip(&here) {
                    *sum += (f64::from(value) - here).powi(2);
                }
            }
            for ((mean, here), sum) in mean.iter_mut().zip(&here).zip(squares) {
                let apart = here - *mean;
                *sum += apart * apart * (before * added / (before + added));
                *mean += apart * (added / (before + added));
            }
        });
        before += added;
    })?;
    Ok((mean, squares.iter().sum()))
}
