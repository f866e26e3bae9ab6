//! Views of rows: some of them, or all of them changed as they are gathered.

use super::{Rows, each_row};
use crate::error::Result;

/// Rows, each changed as it is gathered: `change` is given a row's index and its values.
pub struct ChangedRows<'a, C> {
    of: &'a dyn Rows,
    change: C,
}

impl<'a, C: Fn(usize, &mut [f32]) + Sync> ChangedRows<'a, C> {
    /// The rows of `of`, changed by `change`, which makes the same of a row whenever it is gathered.
    pub fn new(of: &'a dyn Rows, change: C) -> Self {
        Self { of, change }
    }
}

impl<C: Fn(usize, &mut [f32]) + Sync> Rows for ChangedRows<'_, C> {
    fn rows(&self) -> usize {
        self.of.rows()
    }

    fn columns(&self) -> usize {
        self.of.columns()
    }

    fn gather(&self, indices: &[usize], out: &mut [f32]) -> Result<()> {
        self.of.gather(indices, out)?;
        each_row(indices, self.columns(), out, &self.change);
        Ok(())
    }

    fn prefetch(&self, index: usize) {
        self.of.prefetch(index);
    }

    fn image_shape(&self) -> Option<(usize, usize)> {
        self.of.image_shape()
    }
}

/// Some rows of others, in a given order: one side of a split.
#[derive(Clone, Copy)]
pub struct Subset<'a> {
    of: &'a dyn Rows,
    indices: &'a [usize],
    columns: usize,
}

impl<'a> Subset<'a> {
    /// The rows of `of` that `indices` names.
    ///
    /// # Panics
    /// When one of them does not exist.
    pub fn new(of: &'a dyn Rows, indices: &'a [usize]) -> Self {
        assert!(indices.iter().all(|&index| index < of.rows()), "a subset names rows that exist");
        Self { of, indices, columns: of.columns() }
    }
}

impl Rows for Subset<'_> {
    fn rows(&self) -> usize {
        self.indices.len()
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn gather(&self, indices: &[usize], out: &mut [f32]) -> Result<()> {
        /// Indices that are translated at a time, without an allocation.
        const BLOCK: usize = 32;
        assert_eq!(out.len(), indices.len() * self.columns, "a row of `out` for each index");
        let (mut translated, mut rest) = ([0; BLOCK], out);
        for indices in indices.chunks(BLOCK) {
            let translated = &mut translated[..indices.len()];
            translated.iter_mut().zip(indices).for_each(|(to, &index)| *to = self.indices[index]);
            let (here, after) = rest.split_at_mut(indices.len() * self.columns);
            self.of.gather(translated, here)?;
            rest = after;
        }
        Ok(())
    }

    fn prefetch(&self, index: usize) {
        self.of.prefetch(self.indices[index]);
    }

    fn image_shape(&self) -> Option<(usize, usize)> {
        self.of.image_shape()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    #[test]
    fn a_subset_gives_its_rows_in_its_order_however_many_are_gathered() {
        let all = Matrix::from_slice(200, 3, &(0..600).map(|value| value as f32).collect::<Vec<_>>());
        let indices: Vec<usize> = (0..150).map(|index| 199 - index).collect();
        let subset = Subset::new(&all, &indices);
        for count in [1, 31, 32, 33, 150] {
            let asked: Vec<usize> = (0..count).map(|index| index * 7 % 150).collect();
            let mut out = vec![f32::NAN; count * 3];
            subset.gather(&asked, &mut out).unwrap();
            for (index, row) in asked.iter().zip(out.chunks_exact(3)) {
                assert_eq!(row, all.row(199 - index));
            }
        }
    }

    #[test]
    fn changed_rows_are_changed_by_their_own_index() {
        let ones = Matrix::from_slice(5, 2, &[1.0; 10]);
        let changed = ChangedRows::new(&ones, |index, row: &mut [f32]| row[1] += index as f32);
        let mut out = [f32::NAN; 4];
        changed.gather(&[4, 2], &mut out).unwrap();
        assert_eq!(out, [1.0, 5.0, 1.0, 3.0]);
    }
}
