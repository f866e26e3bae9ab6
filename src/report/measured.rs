//! Codes, reconstructions and errors of a sample's rows.

use super::sample::Sample;
use crate::error::{Place, Result};
use crate::evaluate::Reconstruct;
use crate::kernels::squared_distance;
use crate::matrix::Matrix;
use crate::model::Model;
use crate::rows::Rows;

/// A model under the name that it has in figures.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its name: "auto-encoder", or its file.
    pub name: &'a str,
    /// The model.
    pub model: &'a Model,
}

/// Codes, reconstructions and errors of a sample's rows.
pub(super) struct Measured<'a> {
    pub name: &'a str,
    pub model: &'a Model,
    /// The codes: rows × code size.
    pub codes: Matrix,
    /// The rows and their reconstructions, in the units that the model sees.
    pub rows: Matrix,
    pub reconstructions: Matrix,
    /// The squared error of each row, summed over its columns.
    pub errors: Vec<f64>,
}

impl<'a> Measured<'a> {
    pub fn new(entry: Entry<'a>, sample: &Sample) -> Result<Self> {
        let (model, dataset) = (entry.model, sample.dataset());
        let codes = model.encode(dataset)?;
        let mut rows = Matrix::zeros(dataset.rows(), dataset.columns());
        let indices: Vec<usize> = (0..dataset.rows()).collect();
        model.scaling.scaled(dataset).gather(&indices, rows.as_mut_slice())?;
        let reconstructions = model.body.reconstruct(&rows);
        let error = |row: usize| squared_distance(model.body.isa(), rows.row(row), reconstructions.row(row));
        let errors: Vec<f64> = indices.iter().map(|&row| error(row)).collect();
        if let Some(row) = errors.iter().position(|error| !error.is_finite()) {
            let number = sample.number(row);
            return Err(Place::named(dataset.source()).error(format!(
                "the error of row {number} is no finite number; its values are too far from the training rows"
            )));
        }
        Ok(Self { name: entry.name, model, codes, rows, reconstructions, errors })
    }

    /// A row's reconstruction in the units of the data.
    pub fn reconstruction(&self, row: usize) -> Vec<f32> {
        let mut values = self.reconstructions.row(row).to_vec();
        self.model.scaling.invert(&mut values);
        values
    }

    /// The mean squared error of each column over some rows.
    pub fn column_errors(&self, rows: &[usize]) -> Vec<f64> {
        let mut errors = vec![0.0; self.rows.columns()];
        for &row in rows {
            for ((error, a), b) in errors.iter_mut().zip(self.rows.row(row)).zip(self.reconstructions.row(row)) {
                *error += f64::from(a - b).powi(2);
            }
        }
        errors.iter_mut().for_each(|error| *error /= rows.len() as f64);
        errors
    }

    /// The quantile of a code over the sample, from 0 to 1.
    pub fn code_quantile(&self, code: usize, quantile: f64) -> f32 {
        let mut values: Vec<f32> = (0..self.codes.rows()).map(|row| self.codes.row(row)[code]).collect();
        values.sort_by(f32::total_cmp);
        values[(quantile * (values.len() - 1) as f64).round() as usize]
    }
}
