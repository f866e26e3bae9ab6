//! Missing cells of rows.

use crate::augment::Hiding;
use crate::data::dataset::Dataset;
use crate::error::{Error, Result};
use crate::random::{Purpose, generator_of_row};
use crate::rows::{Rows, RowsInMemory};

/// A mask of missing cells: rows × columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    columns: usize,
    cells: Vec<bool>,
}

impl Missing {
    /// The mask of `rows` × `columns` cells, none of which is missing.
    pub fn none(rows: usize, columns: usize) -> Self {
        Self { columns, cells: vec![false; rows * columns] }
    }

    /// The mask that says for each cell, row after row, whether it is missing.
    pub(super) fn from_cells(columns: usize, cells: Vec<bool>) -> Self {
        Self { columns, cells }
    }

    /// The cells of rows that are hidden at random by a seed: the ones that
    /// [`Corruption::corrupted`](crate::augment::Corruption::corrupted) of epoch 0 sets to 0.
    ///
    /// # Errors
    /// The errors of [`Hiding::check`].
    pub fn hidden(rows: &dyn Rows, hiding: Hiding, seed: u64) -> Result<Self> {
        hiding.check(rows)?;
        let mut missing = Self::none(rows.rows(), rows.columns());
        for (row, cells) in missing.cells.chunks_exact_mut(rows.columns()).enumerate() {
            let mut generator = generator_of_row(seed, Purpose::Corruption, 0, row);
            hiding.apply(cells, true, rows.image_shape(), &mut generator);
        }
        Ok(missing)
    }

    /// The cells of a data set where `mask` is not 0. The mask has the same number of rows, or one row for all.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when it has another shape.
    pub fn masked(dataset: &Dataset, mask: &Dataset) -> Result<Self> {
        let fits = mask.columns() == dataset.columns() && [1, dataset.rows()].contains(&mask.rows());
        if !fits {
            return Err(Error::Mismatch(format!(
                "{}: a mask of {} rows and {} columns, but {} has {} rows and {} columns; a mask has the same, or one \
                 row for all",
                mask.source(),
                mask.rows(),
                mask.columns(),
                dataset.source(),
                dataset.rows(),
                dataset.columns()
            )));
        }
        let mut missing = Self::none(dataset.rows(), dataset.columns());
        let mut values = vec![0.0; mask.columns()];
        for (row, cells) in missing.cells.chunks_exact_mut(mask.columns()).enumerate() {
            mask.copy_row(row.min(mask.rows() - 1), &mut values);
            cells.iter_mut().zip(&values).for_each(|(cell, &value)| *cell = value != 0.0);
        }
        Ok(missing)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.cells.len().checked_div(self.columns).unwrap_or(0)
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// For each cell of a row, whether it is missing.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, row: usize) -> &[bool] {
        &self.cells[row * self.columns..][..self.columns]
    }

    /// The number of missing cells.
    pub fn count(&self) -> usize {
        self.cells.iter().filter(|&&missing| missing).count()
    }

    /// The cells missing in either.
    ///
    /// # Panics
    /// When the shapes differ.
    pub fn or(self, other: &Self) -> Self {
        self.combine(other, |here, there| here || there)
    }

    /// The cells missing in this one but not in `other`.
    ///
    /// # Panics
    /// When the shapes differ.
    pub fn without(self, other: &Self) -> Self {
        self.combine(other, |here, there| here && !there)
    }

    fn combine(mut self, other: &Self, with: impl Fn(bool, bool) -> bool) -> Self {
        assert_eq!([self.rows(), self.columns], [other.rows(), other.columns], "the shapes of two masks");
        self.cells.iter_mut().zip(&other.cells).for_each(|(here, &there)| *here = with(*here, there));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::Corruption;
    use crate::matrix::Matrix;

    fn bytes(rows: usize, columns: usize, bytes: &[u8]) -> Dataset {
        Dataset::from_bytes("rows", rows, columns, bytes.to_vec()).unwrap()
    }

    #[test]
    fn a_seed_hides_what_training_sets_to_zero() {
        let ones = bytes(5, 64, &[1; 320]).with_image_shape(8, 8).unwrap();
        for text in ["mask:0.3", "block:3x2", "middle:4x4"] {
            let missing = Missing::hidden(&ones, text.parse().unwrap(), 7).unwrap();
            let corrupted = text.parse::<Corruption>().unwrap().corrupted(&ones, 7, 0);
            let mut row = [f32::NAN; 64];
            for index in 0..5 {
                corrupted.gather(&[index], &mut row).unwrap();
                assert!(
                    row.iter().zip(missing.row(index)).all(|(&value, &missing)| missing == (value == 0.0)),
                    "{text}"
                );
            }
        }
        assert_ne!(
            Missing::hidden(&ones, "block:3x2".parse().unwrap(), 7).unwrap(),
            Missing::hidden(&ones, "block:3x2".parse().unwrap(), 8).unwrap()
        );
    }

    #[test]
    fn a_mask_holds_for_its_row_or_for_all() {
        let rows = bytes(2, 3, &[0; 6]);
        let one = Missing::masked(&rows, &bytes(1, 3, &[0, 7, 0])).unwrap();
        assert_eq!((one.row(0), one.row(1), one.count()), (&[false, true, false][..], &[false, true, false][..], 2));
        let negative = Dataset::from_matrix("mask", Matrix::from_rows(&[[0.0, 0.0, 0.0], [-0.0, -1.0, 0.5]]), None);
        let each = Missing::masked(&rows, &negative.unwrap()).unwrap();
        assert_eq!((each.row(0), each.row(1)), (&[false; 3][..], &[false, true, true][..]));
        assert_eq!(each.clone().or(&one).count(), 3);
        assert_eq!(each.without(&one).row(1), [false, false, true]);
    }

    #[test]
    fn a_mask_of_another_shape_is_an_error() {
        let rows = bytes(3, 2, &[0; 6]);
        for mask in [bytes(2, 2, &[0; 4]), bytes(1, 3, &[0; 3])] {
            let message = Missing::masked(&rows, &mask).unwrap_err().to_string();
            assert!(message.contains("has 3 rows and 2 columns; a mask has the same, or one row"), "{message}");
        }
    }
}
