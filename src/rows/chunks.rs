//! Rows in chunks: one pass over any number of rows in bounded memory.

use std::ops::Range;

use rayon::prelude::*;

use super::Rows;
use crate::error::{Error, Place, Result};
use crate::matrix::Matrix;

/// About the number of elements of a chunk: it bounds the memory, whatever the number of rows and their width.
const CHUNK_ELEMENTS: usize = 1 << 22;

/// The fewest and the most rows of a chunk.
const CHUNK_ROWS: [usize; 2] = [32, 4096];

/// Rows that one task gathers.
const TASK: usize = 32;

/// Calls `visit` with all rows in order, up to some thousand at a time, as chunk × columns.
///
/// # Errors
/// When rows cannot be read, and those of `visit`.
pub fn for_each_chunk(rows: &dyn Rows, mut visit: impl FnMut(&Matrix) -> Result<()>) -> Result<()> {
    let [fewest, most] = CHUNK_ROWS;
    let size = (CHUNK_ELEMENTS / rows.columns().max(1) / fewest * fewest).clamp(fewest, most);
    for start in (0..rows.rows()).step_by(size) {
        let indices: Vec<usize> = (start..rows.rows().min(start + size)).collect();
        let mut chunk = Matrix::zeros(indices.len(), rows.columns());
        rows.gather(&indices, chunk.as_mut_slice())?;
        visit(&chunk)?;
    }
    Ok(())
}

/// Calls `visit` with all rows in order, `size` of them at a time and the rest at the end: what is summed by chunks has
/// the same bits for any number of threads.
///
/// # Errors
/// As [`gather_finite`].
pub(crate) fn for_each_finite_chunk(rows: &dyn Rows, size: usize, mut visit: impl FnMut(&[f32])) -> Result<()> {
    let columns = rows.columns();
    let mut chunk = Matrix::zeros(size.min(rows.rows()), columns);
    for start in (0..rows.rows()).step_by(size) {
        let count = size.min(rows.rows() - start);
        let chunk = &mut chunk.as_mut_slice()[..count * columns];
        gather_finite(rows, start..start + count, chunk)?;
        visit(chunk);
    }
    Ok(())
}

/// Copies the rows of a range to `out` on all threads, and refuses what is not finite.
///
/// # Errors
/// [`Error::Data`] for the first value that is not finite; and when rows cannot be read.
///
/// # Panics
/// When `out` does not hold exactly these rows.
pub(crate) fn gather_finite(rows: &dyn Rows, range: Range<usize>, out: &mut [f32]) -> Result<()> {
    let columns = rows.columns();
    assert_eq!(out.len(), range.len() * columns);
    if columns == 0 {
        return Ok(());
    }
    let tasks = out.par_chunks_mut(TASK * columns).enumerate();
    let problem = tasks.find_map_first(|(task, out)| gather_task(rows, range.start + task * TASK, out).err());
    problem.map_or(Ok(()), Err)
}

/// Copies the rows from `first` on, as many as there is room for in `out`.
fn gather_task(rows: &dyn Rows, first: usize, out: &mut [f32]) -> Result<()> {
    let columns = rows.columns();
    let mut indices = [0; TASK];
    let indices = &mut indices[..out.len() / columns];
    indices.iter_mut().zip(first..).for_each(|(to, index)| *to = index);
    rows.gather(indices, out)?;
    // Branches on no element, and so runs at the speed of memory.
    if out.iter().fold(true, |finite, value| finite & value.is_finite()) {
        return Ok(());
    }
    let index = out.iter().position(|value| !value.is_finite()).expect("one that is not finite was seen");
    Err(not_finite(first + index / columns, index % columns, out[index]))
}

fn not_finite(row: usize, column: usize, value: f32) -> Error {
    let place = Place::named(format!("row {}", row + 1)).at_column((column + 1).to_string());
    place.error(format!("{value} stands there; finite numbers are needed"))
}
