//! The reconstruction error of each row, by which anomalies are recognised.

use super::Model;
use crate::data::Dataset;
use crate::error::{Place, Result};
use crate::evaluate::Reconstruct;
use crate::kernels::sum;
use crate::matrix::Matrix;
use crate::rows::for_each_chunk;

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

    /// Visits the scores of all rows, some rows at a time, together with a matrix, rows × columns, of each column's part of
    /// its row's score.
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
    /// As [`Model::scores`], and the errors of `visit`.
    pub fn score_each(&self, dataset: &Dataset, mut visit: impl FnMut(&[f32], &Matrix) -> Result<()>) -> Result<()> {
        self.check_width(dataset)?;
        let mut done = 0;
        for_each_chunk(&self.scaling.scaled(dataset), |rows| {
            let mut parts = self.body.reconstruct(rows);
            for (part, value) in parts.as_mut_slice().iter_mut().zip(rows.as_slice()) {
                *part = (*part - value).powi(2);
            }
            let scores: Vec<f32> = (0..rows.rows()).map(|row| sum(self.body.isa(), parts.row(row)) as f32).collect();
            if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
                let number = done + row + 1;
                return Err(Place::named(dataset.source()).error(format!(
                    "the error of row {number} is no finite number; its values are too far from the training rows"
                )));
            }
            done += scores.len();
            visit(&scores, &parts)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ReadOptions, ScalingChoice, read};
    use crate::kernels::{Isa, squared_distance};
    use crate::model::{AutoencoderOptions, Body, Validation, fit_autoencoder, fit_pca};
    use crate::pca::{Components, PcaOptions};
    use crate::rows::Rows;
    use crate::score::ThresholdRule;
    use crate::train::TrainOptions;

    fn digits_and_model() -> (Dataset, Model) {
        let digits = read("digits", &ReadOptions::default()).unwrap();
        let options = PcaOptions { components: Components::Count(5), ..PcaOptions::default() };
        let model = fit_pca(&digits, ScalingChoice::Unit, &options, Validation::None).unwrap().model;
        (digits, model)
    }

    #[test]
    fn scores_and_their_parts_are_squared_differences_in_the_units_of_the_body() {
        let (digits, model) = digits_and_model();
        let mut rows = Matrix::zeros(digits.rows(), digits.columns());
        let indices: Vec<usize> = (0..digits.rows()).collect();
        model.scaling.scaled(&digits).gather(&indices, rows.as_mut_slice()).unwrap();
        let reconstructions = model.body.reconstruct(&rows);
        let mut done = 0;
        let each = model.score_each(&digits, |scores, parts| {
            for (row, &score) in scores.iter().enumerate() {
                let pairs = rows.row(done + row).iter().zip(reconstructions.row(done + row));
                let expected: Vec<f64> = pairs.map(|(a, b)| f64::from(a - b).powi(2)).collect();
                for (part, expected) in parts.row(row).iter().zip(&expected) {
                    assert!((f64::from(*part) - expected).abs() <= 1e-6 * expected);
                }
                let sum: f64 = expected.iter().sum();
                assert!((f64::from(score) - sum).abs() <= 1e-6 * sum);
            }
            done += scores.len();
            Ok(())
        });
        each.unwrap();
        assert_eq!(done, digits.rows());
        let scores = model.scores(&digits).unwrap();
        let mean = scores.iter().copied().map(f64::from).sum::<f64>() / scores.len() as f64;
        assert!((mean / model.evaluate(&digits).unwrap().error_per_row - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_model_is_scored_and_evaluated_on_the_instruction_set_of_its_network() {
        let digits = read("digits", &ReadOptions::default()).unwrap();
        let train = TrainOptions { epochs: 1, ..TrainOptions::default() };
        let options = AutoencoderOptions { train, ..AutoencoderOptions::new("64,5,64".parse().unwrap()) };
        let mut model = fit_autoencoder(&digits, &options, Validation::None, &mut ()).unwrap().model;
        let Body::Autoencoder(network) = model.body.clone() else { unreachable!("it was fitted") };
        let indices: Vec<usize> = (0..100).collect();
        let digits = digits.select(&indices).unwrap();
        let mut rows = Matrix::zeros(100, 64);
        model.scaling.scaled(&digits).gather(&indices, rows.as_mut_slice()).unwrap();
        let mut all_scores = Vec::new();
        for isa in Isa::available() {
            let network = network.clone().with_isa(isa);
            let reconstructions = network.reconstruct(&rows);
            let squared = |(a, b): (&f32, &f32)| (a - b).powi(2);
            let parts: Vec<f32> = reconstructions.as_slice().iter().zip(rows.as_slice()).map(squared).collect();
            let expected: Vec<f32> = parts.chunks_exact(64).map(|parts| sum(isa, parts) as f32).collect();
            model.body = Body::Autoencoder(network);
            assert_eq!(model.scores(&digits).unwrap(), expected, "{isa}");
            let expected = squared_distance(isa, reconstructions.as_slice(), rows.as_slice()) / 100.0;
            assert_eq!(model.evaluate(&digits).unwrap().error_per_row, expected, "{isa}");
            all_scores.push(model.scores(&digits).unwrap());
        }
        let (scalar, vector) = all_scores.split_last().unwrap();
        assert!(vector.iter().all(|scores| scores != scalar), "the last bits tell the instruction sets apart");
    }

    #[test]
    fn rows_of_another_width_and_a_visit_that_fails_are_errors() {
        let (digits, model) = digits_and_model();
        let iris = read("iris", &ReadOptions::default()).unwrap();
        assert!(model.scores(&iris).unwrap_err().to_string().contains("4 columns"));
        let failing = model.score_each(&digits, |_, _| Err(Place::named("here").error("enough")));
        assert_eq!(failing.unwrap_err().to_string(), "here: enough");
    }

    #[test]
    fn a_threshold_stands_in_the_models_file_and_its_absence_leaves_no_trace() {
        let (digits, mut model) = digits_and_model();
        let bare = model.to_bytes();
        assert!(!String::from_utf8_lossy(&bare).contains("threshold"));
        for rule in [ThresholdRule::Quantile(0.1), ThresholdRule::Mad(3.5), ThresholdRule::FalsePositiveRate(0.01)] {
            model.threshold = Some(rule.choose(&model.scores(&digits).unwrap()).unwrap());
            let again = Model::from_bytes("again", &model.to_bytes()).unwrap();
            assert_eq!(again.threshold, model.threshold);
            assert_eq!(again.to_bytes(), model.to_bytes());
        }
        model.threshold = None;
        assert!(model.to_bytes() == bare);
    }
}
