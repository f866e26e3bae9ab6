//! Binarisation: grey values in [0, 1] as probabilities of black and white pixels, for a Bernoulli likelihood.

use rand::RngExt;

use super::draw::Draw;
use crate::random::Purpose;
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
    /// Binarises the row with this index.
    pub(super) fn apply(self, index: usize, row: &mut [f32], draw: Draw) {
        let draw = if self == Self::Fixed { Draw { epoch: 0, ..draw } } else { draw };
        let mut generator = draw.generator(Purpose::Binarisation, index);
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

    fn row(binarisation: Binarisation, epoch: u64) -> Vec<f32> {
        let mut row = vec![0.3; 10_000];
        binarisation.apply(1, &mut row, Draw { image_shape: None, seed: 1, epoch });
        row
    }

    #[test]
    fn a_value_is_1_as_often_as_it_says_and_else_0() {
        let row = row(Binarisation::Stochastic, 1);
        assert!(row.iter().all(|&value| value == 0.0 || value == 1.0));
        assert!((row.iter().sum::<f32>() / 1e4 - 0.3).abs() < 0.015);
        let mut out = [0.0, 1.0];
        Binarisation::Fixed.apply(0, &mut out, Draw { image_shape: None, seed: 1, epoch: 1 });
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
