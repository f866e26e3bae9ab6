//! The reconstruction error of each row, by which anomalies are told.

use super::Model;
use crate::data::{Dataset, try_for_each_chunk};
use crate::error::{Place, Result};
use crate::evaluate::Reconstruct;
use crate::kernels::{Isa, sum};
use crate::matrix::Matrix;

impl Model {
    /// The score of each row: its reconstruction error, (f(x) − x)² summed over the columns, in the units that the body
    /// sees. Their mean is the [error per row](Model::evaluate).
    ///
    /// # Errors
    /// When the rows do not have the model's width, or their values are out of all proportion.
    pub fn scores(&self, dataset: &Dataset) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        self.score_each(dataset, |scores, _| {
            all.extend_from_slice(scores);
            Ok(())
        })?;
        Ok(all)
    }

    /// Visits the scores of all rows, some rows at a time, each time with a matrix, rows × columns, of what each column
    /// adds to its row's score.
    ///
    /// ```
    /// use diabolo::data::{self, ReadOptions, ScalingChoice};
    /// use diabolo::model::{Validation, fit_pca};
    /// use diabolo::pca::{Components, PcaOptions};
    ///
    /// let iris = data::read("iris", &ReadOptions::default())?;
    /// let options = PcaOptions { components: Components::Count(2), ..PcaOptions::default() };
    /// let model = fit_pca(&iris, ScalingChoice::Auto, &options, Validation::None)?.model;
    /// model.score_each(&iris, |scores, parts| {
    ///     assert_eq!((parts.rows(), parts.columns()), (150, 4));
    ///     assert!((parts.row(0).iter().sum::<f32>() - scores[0]).abs() < 1e-6);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), diabolo::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::scores`], and that of `visit`.
    pub fn score_each(&self, dataset: &Dataset, mut visit: impl FnMut(&[f32], &Matrix) -> Result<()>) -> Result<()> {
        self.check_width(dataset)?;
        let mut done = 0;
        try_for_each_chunk(&self.scaling.rows(dataset), |rows| {
            let mut parts = self.body.reconstruct(rows);
            for (part, value) in parts.as_mut_slice().iter_mut().zip(rows.as_slice()) {
                *part = (*part - value).powi(2);
            }
            let scores: Vec<f32> = (0..rows.rows()).map(|row| sum(Isa::best(), parts.row(row)) as f32).collect();
            if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
                let number = done + row + 1;
                return Err(Place::named(dataset.source()).error(format!(
                    "the error of row {number} is no finite number; its values are too far from those of the training"
                )));
            }
            done += scores.len();
            visit(&scores, &parts)
        })
    }
}
