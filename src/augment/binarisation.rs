//! Binarisation: grey values in [0, 1] as probabilities of black and white pixels, for a Bernoulli likelihood.

use rand::RngExt;

use crate::random::{Purpose, generator_of_row};
use crate::rows::{ChangedRows, Rows};
use crate::settings::named_setting;

/// Binarisation of values in [0, 1]: x becomes 1 with probability x, else 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binarisation {
    /// Drawn once, the same in every epoch (Larochelle and Murray, "The neural autoregressive distribution estimator",
    /// 2011).
    Fixed,
    /// Drawn again in every epoch (Burda et al., "Importance weighted autoencoders", 2016, §5).
    Stochastic,
}

impl Binarisation {
    /// The binarised rows of an epoch, counted from 1 in training; epoch 0 is the draw for measurements.
    pub fn binarised(self, rows: &dyn Rows, seed: u64, epoch: u64) -> impl Rows {
        ChangedRows::new(rows, move |index, row: &mut [f32]| self.apply(index, row, seed, epoch))
    }

    /// Binarises the row with this index.
    pub(super) fn apply(self, index: usize, row: &mut [f32], seed: u64, epoch: u64) {
        let turn = if self == Self::Fixed { 0 } else { epoch };
        let mut generator = generator_of_row(seed, Purpose::Binarisation, turn, index);
        // Most pixels are black or white already, and need no draw.
        for value in row.iter_mut().filter(|value| **value > 0.0 && **value < 1.0) {
            *value = f32::from(u8::from(generator.random::<f32>() < *value));
        }
    }
}

named_setting!(Binarisation, "binarise", { Fixed = "fixed", Stochastic = "stochastic" });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    fn row(binarisation: Binarisation, epoch: u64) -> Vec<f32> {
        let grey = Matrix::from_slice(2, 10_000, &[0.3; 20_000]);
        let mut row = vec![f32::NAN; 10_000];
        binarisation.binarised(&grey, 1, epoch).gather(&[1], &mut row).unwrap();
        row
    }

    #[test]
    fn a_value_is_1_as_often_as_it_says_and_else_0() {
        let row = row(Binarisation::Stochastic, 1);
        assert!(row.iter().all(|&value| value == 0.0 || value == 1.0));
        assert!((row.iter().sum::<f32>() / 1e4 - 0.3).abs() < 0.015);
        let certain = Matrix::from_rows(&[[0.0, 1.0]]);
        let mut out = [f32::NAN; 2];
        Binarisation::Fixed.binarised(&certain, 1, 1).gather(&[0], &mut out).unwrap();
        assert_eq!(out, [0.0, 1.0]);
    }

    #[test]
    fn fixed_rows_are_the_same_in_every_epoch_and_stochastic_ones_are_not() {
        assert_eq!(row(Binarisation::Fixed, 1), row(Binarisation::Fixed, 2));
        assert_eq!(row(Binarisation::Stochastic, 2), row(Binarisation::Stochastic, 2));
        assert_ne!(row(Binarisation::Stochastic, 1), row(Binarisation::Stochastic, 2));
        // What is measured on is the same for both.
        assert_eq!(row(Binarisation::Fixed, 1), row(Binarisation::Stochastic, 0));
    }

    #[test]
    fn it_is_read_as_it_is_written_and_nonsense_is_refused() {
        for binarisation in [Binarisation::Fixed, Binarisation::Stochastic] {
            assert_eq!(binarisation.to_string().parse::<Binarisation>().unwrap(), binarisation);
        }
        let message = "grey".parse::<Binarisation>().unwrap_err().to_string();
        assert!(message.contains("there are fixed, stochastic"), "{message}");
    }
}
