//! New codes: drawn at random, interpolated between two rows, or along one element.

use super::{Body, Model};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::mixture::Mixture;

/// Standard deviations from the mean to either end of a walk along one element of the code.
const REACH: f32 = 3.0;

/// The largest number of elements in the codes of a walk.
const MOST_ELEMENTS: usize = 1 << 24;

impl Model {
    /// The distribution of codes: the standard normal for a variational model, for any other a mixture fitted to the
    /// codes of training rows. Draws from it, decoded, are rows like the training data.
    ///
    /// ```
    /// use diabolo::data::{self, ReadOptions, ScalingChoice};
    /// use diabolo::model::{Validation, fit_pca};
    /// use diabolo::pca::PcaOptions;
    ///
    /// let iris = data::read("iris", &ReadOptions::default())?;
    /// let model = fit_pca(&iris, ScalingChoice::Auto, &PcaOptions::default(), Validation::None)?.model;
    /// let flowers = model.decode(&model.code_distribution()?.draws(20, 1))?;
    /// assert_eq!((flowers.rows(), flowers.columns()), (20, 4));
    /// # Ok::<(), diabolo::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the model has none: it is of an earlier version, or its codes are wider than [`Mixture::WIDEST`].
    pub fn code_distribution(&self) -> Result<Mixture> {
        if let Body::Autoencoder(network) = &self.body
            && network.architecture().is_variational()
        {
            return Ok(Mixture::standard(self.body.code_size()));
        }
        self.code_mixture.clone().ok_or_else(|| {
            Error::Mismatch(format!(
                "the model does not say where its codes lie: it is of an earlier version, or its codes have more than {} \
                 numbers or are out of all proportion",
                Mixture::WIDEST
            ))
        })
    }

    /// The codes on the straight line between the codes of two rows (counted from 0), both ends included: steps × code size.
    ///
    /// # Errors
    /// When there is no such row, fewer than two steps or too many, or the rows do not have the model's width.
    pub fn interpolate(&self, dataset: &Dataset, rows: [usize; 2], steps: usize) -> Result<Matrix> {
        for row in rows {
            if row >= dataset.rows() {
                return Err(Error::Mismatch(format!(
                    "{}: there is no row {}; it has {}",
                    dataset.source(),
                    row + 1,
                    dataset.rows()
                )));
            }
        }
        check_steps(steps, self.body.code_size())?;
        let ends = self.encode(&dataset.select(&rows)?)?;
        Ok(walk(steps, ends.columns(), |step, code| {
            let share = step as f32 / (steps - 1) as f32;
            for (value, (from, to)) in code.iter_mut().zip(ends.row(0).iter().zip(ends.row(1))) {
                *value = (1.0 - share) * from + share * to;
            }
        }))
    }

    /// Codes that differ in one element (counted from 0), from three standard deviations below its mean to three above; the
    /// others are at their means: steps × code size.
    ///
    /// # Errors
    /// When there is no such element, fewer than two steps or too many, or the model does not say where codes lie.
    pub fn traverse(&self, element: usize, steps: usize) -> Result<Matrix> {
        let size = self.body.code_size();
        if element >= size {
            return Err(Error::Mismatch(format!("there is no code {}; the model has {size}", element + 1)));
        }
        check_steps(steps, size)?;
        let distribution = self.code_distribution()?.mean_and_deviation();
        Ok(walk(steps, size, |step, code| {
            code.iter_mut().zip(&distribution).for_each(|(value, (mean, _))| *value = *mean);
            let share = step as f32 / (steps - 1) as f32;
            code[element] += REACH * (2.0 * share - 1.0) * distribution[element].1;
        }))
    }
}

/// Checks that a walk of `steps` codes of `size` elements is long enough, and fits into memory.
fn check_steps(steps: usize, size: usize) -> Result<()> {
    let most = (MOST_ELEMENTS / size).max(2);
    if (2..=most).contains(&steps) {
        return Ok(());
    }
    Err(Error::Setting { name: "steps", problem: format!("{steps} is no number of steps from 2 to {most}") })
}

fn walk(steps: usize, size: usize, mut fill: impl FnMut(usize, &mut [f32])) -> Matrix {
    let mut codes = Matrix::zeros(steps, size);
    (0..steps).for_each(|step| fill(step, codes.row_mut(step)));
    codes
}
