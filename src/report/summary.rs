//! A model in a few numbers.

use serde_json::Value;

use crate::data::Dataset;
use crate::error::Result;
use crate::evaluate::Errors;
use crate::linalg::moments::moments;
use crate::model::{Body, Fitted, Model};

/// The numbers that a comparison puts side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    layers: Vec<usize>,
    parameters: usize,
    seconds: Option<f64>,
    errors: Errors,
    validation_error_per_row: Option<f64>,
    variance_explained: f64,
}

impl Summary {
    /// The summary of a model that was just fitted: its errors on training rows and on held-out rows.
    ///
    /// `variance_per_row` is the mean squared distance of those rows to their mean ([`Summary::variance_per_row`]).
    pub fn of_fit(fitted: &Fitted, variance_per_row: f64) -> Self {
        let provenance = &fitted.model.provenance;
        let validation = provenance.validation.map(|errors| errors.error_per_row);
        Self::new(&fitted.model, Some(fitted.seconds), provenance.training, validation, variance_per_row)
    }

    /// The summary of a model on the rows of a data set.
    ///
    /// # Errors
    /// The errors of [`Model::evaluate`].
    pub fn on(model: &Model, dataset: &Dataset) -> Result<Self> {
        let errors = model.evaluate(dataset)?;
        let (_, squares) = moments(&model.scaling.scaled(dataset), true)?;
        Ok(Self::new(model, None, errors, None, squares / dataset.rows() as f64))
    }

    fn new(
        model: &Model,
        seconds: Option<f64>,
        errors: Errors,
        validation_error_per_row: Option<f64>,
        variance_per_row: f64,
    ) -> Self {
        Self {
            layers: model.body.layer_sizes(),
            parameters: model.body.parameters(),
            seconds,
            errors,
            validation_error_per_row,
            variance_explained: 1.0 - errors.error_per_row / variance_per_row,
        }
    }

    /// The mean squared distance of the rows that a PCA was fitted to from their mean: the variance of which it explains a
    /// share.
    pub fn variance_per_row(pca: &Model) -> Option<f64> {
        match &pca.body {
            Body::Pca(pca) => Some(pca.total_variance() * (pca.rows() - 1) as f64 / pca.rows() as f64),
            Body::Autoencoder(_) => None,
        }
    }

    /// All of its numbers, by name.
    pub fn facts(&self) -> [(&'static str, Value); 8] {
        [
            ("layers", self.layers.clone().into()),
            ("columns", self.layers[0].into()),
            ("parameters", self.parameters.into()),
            ("seconds", self.seconds.into()),
            ("error_per_row", self.errors.error_per_row.into()),
            ("validation_error_per_row", self.validation_error_per_row.into()),
            ("mse", self.errors.mse.into()),
            ("variance_explained", self.variance_explained.into()),
        ]
    }
}
