//! The examples of one epoch: augmented inputs and targets.

use super::Augmentation;
use super::draw::Draw;
use crate::rows::{ChangedRows, Rows};

impl Augmentation {
    /// The examples that training sees of `rows` in an epoch, counted from 1.
    ///
    /// They cannot be gathered where [`check`](Self::check) fails.
    pub fn examples<'a>(&self, rows: &'a dyn Rows, seed: u64, epoch: u64) -> AugmentedExamples<'a> {
        let view = |augmentation: Augmentation| -> AugmentedRows<'a> {
            let draw = Draw { image_shape: rows.image_shape(), seed, epoch };
            ChangedRows::new(rows, Box::new(move |index, row: &mut [f32]| augmentation.apply(index, row, draw)))
        };
        let clean = Augmentation { corruption: None, ..*self };
        AugmentedExamples {
            rows,
            clean: clean.changes_targets().then(|| view(clean)),
            corrupted: self.corruption.is_some().then(|| view(*self)),
        }
    }

    /// The rows on which a likelihood is measured: binarised where training binarises, neither shifted nor corrupted.
    /// They are drawn for epoch 0, which no training uses.
    pub fn measured<'a>(&self, rows: &'a dyn Rows, seed: u64) -> AugmentedExamples<'a> {
        Self { binarisation: self.binarisation, ..Self::default() }.examples(rows, seed, 0)
    }
}

/// The examples of an epoch: inputs, and targets where these differ.
pub struct AugmentedExamples<'a> {
    rows: &'a dyn Rows,
    /// `None` where they are the rows themselves.
    clean: Option<AugmentedRows<'a>>,
    corrupted: Option<AugmentedRows<'a>>,
}

impl AugmentedExamples<'_> {
    /// The inputs of the network.
    pub fn inputs(&self) -> &dyn Rows {
        match &self.corrupted {
            Some(corrupted) => corrupted,
            None => self.clean(),
        }
    }

    /// The targets of the network; `None` where they are its inputs.
    pub fn targets(&self) -> Option<&dyn Rows> {
        self.corrupted.as_ref().map(|_| self.clean())
    }

    fn clean(&self) -> &dyn Rows {
        self.clean.as_ref().map_or(self.rows, |rows| rows)
    }
}

/// Rows, each augmented as it is gathered.
type AugmentedRows<'a> = ChangedRows<'a, Box<dyn Fn(usize, &mut [f32]) + Sync>>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::Binarisation;
    use crate::data::Dataset;

    fn images() -> Dataset {
        let pixels = (0..4 * 12).map(|pixel| pixel as u8 % 2).collect();
        Dataset::from_bytes("images", 4, 12, pixels).unwrap().with_image_shape(3, 4).unwrap()
    }

    fn all(rows: &dyn Rows) -> Vec<f32> {
        let mut out = vec![f32::NAN; rows.rows() * rows.columns()];
        rows.gather(&Vec::from_iter(0..rows.rows()), &mut out).unwrap();
        out
    }

    #[test]
    fn without_augmentation_inputs_are_the_rows_themselves_and_there_are_no_targets() {
        let matrix = crate::Matrix::from_rows(&[[1.0, 2.0]]);
        let examples = Augmentation::default().examples(&matrix, 1, 1);
        assert!(examples.targets().is_none());
        assert!(examples.inputs().as_matrix().is_some(), "the matrix can be read in place");
    }

    #[test]
    fn images_are_shifted_then_binarised_then_corrupted_and_targets_are_the_rows_before_the_last() {
        let images = images();
        let halves = ChangedRows::new(&images, |_, row: &mut [f32]| row.iter_mut().for_each(|value| *value /= 2.0));
        let augmentation = Augmentation {
            shift: 1,
            binarisation: Some(Binarisation::Stochastic),
            corruption: Some("mask:0.5".parse().unwrap()),
        };
        let examples = augmentation.examples(&halves, 7, 3);
        let shifted = Augmentation { shift: 1, ..Augmentation::default() };
        let shifted = shifted.examples(&halves, 7, 3);
        let binarised = Augmentation { binarisation: augmentation.binarisation, ..Augmentation::default() };
        let binarised = binarised.examples(shifted.inputs(), 7, 3);
        let targets = all(examples.targets().unwrap());
        assert_eq!(targets, all(binarised.inputs()));
        assert_eq!(all(examples.inputs()), all(&augmentation.corruption.unwrap().corrupted(binarised.inputs(), 7, 3)));
        assert!(targets.iter().all(|&value| value == 0.0 || value == 1.0));
    }
}
