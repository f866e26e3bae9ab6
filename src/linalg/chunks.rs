//! Rows in chunks: one pass over any number of rows in bounded memory.

use crate::data::Rows;
use crate::error::{Place, Result};
use crate::matrix::Matrix;
use rayon::prelude::*;
use std::ops::Range;

/// Rows that one task copies.
const TASK: usize = 32;

/// Copies the rows of a range to `out`, one after another.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) for a value that is not finite: the first one.
///
/// # Panics
/// When `out` does not hold exactly these rows.
pub(crate) fn gather(rows: &dyn Rows, range: Range<usize>, out: &mut [f32]) -> Result<()> {
    let columns = rows.columns();
    assert_eq!(out.len(), range.len() * columns);
    if columns == 0 {
        return Ok(());
    }
    let bad = out.par_chunks_mut(TASK * columns).enumerate().find_map_first(|(task, out)| {
        (range.start + task * TASK..).zip(out.chunks_exact_mut(columns)).find_map(|(row, out)| {
            rows.copy_row(row, out);
            // Branches on no element, and so runs at the speed of memory.
            if out.iter().fold(true, |finite, value| finite & value.is_finite()) {
                return None;
            }
            out.iter().position(|value| !value.is_finite()).map(|column| (row, column, out[column]))
        })
    });
    bad.map_or(Ok(()), |(row, column, value)| {
        let place = Place::named(format!("row {}", row + 1)).at_column((column + 1).to_string());
        Err(place.error(format!("{value} stands there; finite numbers are needed")))
    })
}

/// Visits all rows, `size` of them at a time and the rest at the end.
///
/// # Errors
/// As [`gather`].
pub(crate) fn for_each_chunk(rows: &dyn Rows, size: usize, mut visit: impl FnMut(&[f32])) -> Result<()> {
    let columns = rows.columns();
    let mut chunk = Matrix::zeros(size.min(rows.rows()), columns);
    for start in (0..rows.rows()).step_by(size) {
        let count = size.min(rows.rows() - start);
        let chunk = &mut chunk.as_mut_slice()[..count * columns];
        gather(rows, start..start + count, chunk)?;
        visit(chunk);
    }
    Ok(())
}
