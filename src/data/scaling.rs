//! Scaling of columns to a range in which networks train well, and back.

use crate::data::dataset::{Dataset, Values};
use crate::error::{Error, Place, Result};
use crate::kernels::Isa;
use crate::matrix::Matrix;
use crate::rows::{Rows, RowsInMemory};
use crate::settings::named_setting;

/// The choice of a scaling.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScalingChoice {
    /// Bytes are divided by 255; floats are unchanged.
    #[default]
    Auto,
    /// Nothing is changed.
    None,
    /// Each column is mapped to [0, 1] by its smallest and its largest value.
    Unit,
    /// Each column is mapped to mean 0 and standard deviation 1 (the population's, which divides by the number of rows).
    Standard,
}

named_setting!(ScalingChoice, "scale", { Auto = "auto", None = "none", Unit = "unit", Standard = "standard" });

/// A map of columns from the units of a file to the units of a network, and back.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    None,
    Bytes,
    Columns { name: &'static str, offsets: Vec<f32>, scales: Vec<f32> },
}

/// The largest byte.
const BYTE_SCALE: f32 = 255.0;

impl Scaling {
    /// The scaling that changes nothing.
    pub fn none() -> Self {
        Self(Kind::None)
    }

    /// The chosen scaling, fitted on the training rows of `dataset`, which have the indices `rows`.
    ///
    /// Sums run in double precision, in the order of `rows`. A column whose values are all the same, or spread
    /// less than the smallest normal `f32`, is only shifted, not scaled.
    ///
    /// # Errors
    /// When there are no rows to fit on, or the values of a column lie further apart than an `f32` can represent.
    ///
    /// # Panics
    /// When one of the rows does not exist.
    pub fn fit(choice: ScalingChoice, dataset: &Dataset, rows: &[usize]) -> Result<Self> {
        match choice {
            ScalingChoice::None => Ok(Self::none()),
            ScalingChoice::Auto => match dataset.values() {
                Values::Bytes(_) => Ok(Self(Kind::Bytes)),
                Values::Floats(_) => Ok(Self::none()),
            },
            ScalingChoice::Unit => {
                Self::fit_columns(choice, dataset, rows, |column| (column.least, column.greatest - column.least))
            }
            ScalingChoice::Standard => {
                Self::fit_columns(choice, dataset, rows, |column| (column.mean, column.deviation))
            }
        }
    }

    /// The scaling by an offset and a scale, which `fit` computes from each column's statistics.
    fn fit_columns(
        choice: ScalingChoice,
        dataset: &Dataset,
        rows: &[usize],
        fit: impl Fn(&ColumnStatistics) -> (f64, f64),
    ) -> Result<Self> {
        if rows.is_empty() {
            return Err(Place::named(dataset.source()).error("no rows to fit the scaling on"));
        }
        let (mut offsets, mut scales) = (Vec::new(), Vec::new());
        for (index, column) in statistics(dataset, rows).iter().enumerate() {
            // Values this far apart have a difference that is infinite as an `f32`.
            if column.greatest - column.least > f64::from(f32::MAX) {
                return Err(Place::named(dataset.source()).error(format!(
                    "column {}: its values lie further apart than single precision can represent",
                    index + 1
                )));
            }
            let (offset, scale) = fit(column);
            offsets.push(offset as f32);
            // Rounding can give even a constant column a tiny deviation from its mean.
            let constant = column.least == column.greatest || scale < f64::from(f32::MIN_POSITIVE);
            scales.push(if constant { 1.0 } else { scale as f32 });
        }
        Ok(Self(Kind::Columns { name: choice.name(), offsets, scales }))
    }

    /// The scaling with this [`name`](Self::name) and these [`offsets`](Self::offsets) and [`scales`](Self::scales).
    ///
    /// # Errors
    /// [`Error::Mismatch`] when these methods cannot return them.
    pub fn restore(name: &str, offsets: Vec<f32>, scales: Vec<f32>) -> Result<Self> {
        let error = |problem: &str| Err(Error::Mismatch(format!("scaling `{name}`: {problem}")));
        let name = match name {
            "none" | "bytes" if !(offsets.is_empty() && scales.is_empty()) => {
                return error("columns are treated alike, so they have no offsets and scales");
            }
            "none" => return Ok(Self(Kind::None)),
            "bytes" => return Ok(Self(Kind::Bytes)),
            "unit" => "unit",
            "standard" => "standard",
            _ => return error("there is none of this name"),
        };
        let finite = offsets.iter().all(|offset| offset.is_finite());
        let positive = scales.iter().all(|scale| scale.is_normal() && *scale > 0.0);
        if offsets.is_empty() || offsets.len() != scales.len() || !finite || !positive {
            return error("each column needs a finite offset and a positive scale");
        }
        Ok(Self(Kind::Columns { name, offsets, scales }))
    }

    /// Its name: `none`; `bytes`, which divides by 255; `unit` or `standard`, by column.
    pub fn name(&self) -> &'static str {
        match &self.0 {
            Kind::None => "none",
            Kind::Bytes => "bytes",
            Kind::Columns { name, .. } => name,
        }
    }

    /// The offset that is subtracted from each column; empty if all columns are scaled alike.
    pub fn offsets(&self) -> &[f32] {
        match &self.0 {
            Kind::Columns { offsets, .. } => offsets,
            _ => &[],
        }
    }

    /// The scale by which each column is then divided; empty if all columns are scaled alike.
    pub fn scales(&self) -> &[f32] {
        match &self.0 {
            Kind::Columns { scales, .. } => scales,
            _ => &[],
        }
    }

    /// The number of columns that it was fitted on; `None` if it fits any number.
    pub fn columns(&self) -> Option<usize> {
        match &self.0 {
            Kind::Columns { scales, .. } => Some(scales.len()),
            _ => None,
        }
    }

    /// Converts a row from the units of the file to the units of the network.
    ///
    /// # Panics
    /// When the row does not have the columns that the scaling was fitted on.
    pub fn apply(&self, row: &mut [f32]) {
        match &self.0 {
            Kind::None => {}
            Kind::Bytes => row.iter_mut().for_each(|value| *value /= BYTE_SCALE),
            Kind::Columns { offsets, scales, .. } => {
                assert_eq!(row.len(), scales.len(), "a row has the columns that its scaling was fitted on");
                for ((value, offset), scale) in row.iter_mut().zip(offsets).zip(scales) {
                    *value = (*value - offset) / scale;
                }
            }
        }
    }

    /// Converts a row from the units of the network back to the units of the file.
    ///
    /// # Panics
    /// When the row does not have the columns that the scaling was fitted on.
    pub fn invert(&self, row: &mut [f32]) {
        match &self.0 {
            Kind::None => {}
            Kind::Bytes => row.iter_mut().for_each(|value| *value *= BYTE_SCALE),
            Kind::Columns { offsets, scales, .. } => {
                assert_eq!(row.len(), scales.len(), "a row has the columns that its scaling was fitted on");
                for ((value, offset), scale) in row.iter_mut().zip(offsets).zip(scales) {
                    *value = *value * scale + offset;
                }
            }
        }
    }

    /// The rows of a data set in the units of the network, each converted when it is copied.
    ///
    /// # Panics
    /// When the data set does not have the columns that the scaling was fitted on.
    pub fn scaled<'a>(&'a self, dataset: &'a Dataset) -> ScaledRows<'a> {
        assert!(
            self.columns().is_none_or(|columns| columns == dataset.columns()),
            "a data set has the columns that its scaling was fitted on"
        );
        // A quotient is rounded correctly on every instruction set: the choice changes no bit.
        ScaledRows { scaling: self, dataset, isa: Isa::best() }
    }
}

/// The rows of a [`Dataset`] in the units of a network: see [`Scaling::scaled`].
#[derive(Debug, Clone, Copy)]
pub struct ScaledRows<'a> {
    scaling: &'a Scaling,
    dataset: &'a Dataset,
    isa: Isa,
}

impl Rows for ScaledRows<'_> {
    fn rows(&self) -> usize {
        self.dataset.rows()
    }

    fn columns(&self) -> usize {
        self.dataset.columns()
    }

    fn gather(&self, indices: &[usize], out: &mut [f32]) -> Result<()> {
        self.copy_rows(indices, out);
        Ok(())
    }

    fn prefetch(&self, row: usize) {
        self.dataset.prefetch(row);
    }

    fn as_matrix(&self) -> Option<&Matrix> {
        if matches!(self.scaling.0, Kind::None) { self.dataset.as_matrix() } else { None }
    }

    fn image_shape(&self) -> Option<(usize, usize)> {
        self.dataset.image_shape()
    }
}

impl RowsInMemory for ScaledRows<'_> {
    fn copy_row(&self, index: usize, out: &mut [f32]) {
        self.copy_rows(&[index], out);
    }

    fn copy_rows(&self, indices: &[usize], out: &mut [f32]) {
        // Bytes are scaled as they are converted; any other scaling is applied to the floats.
        let is_bytes = matches!((&self.scaling.0, self.dataset.values()), (Kind::Bytes, Values::Bytes(_)));
        let divisor = if is_bytes { BYTE_SCALE } else { 1.0 };
        self.dataset.copy_rows_divided(self.isa, indices, divisor, out);
        if !is_bytes && self.scaling.0 != Kind::None {
            out.chunks_exact_mut(self.columns()).for_each(|row| self.scaling.apply(row));
        }
    }
}

#[derive(Clone, Copy)]
struct ColumnStatistics {
    least: f64,
    greatest: f64,
    mean: f64,
    deviation: f64,
}

/// Extremes, mean and population standard deviation of every column over some rows: one pass for the means, one for the
/// squared distances from them, which is accurate however far the means are from 0.
fn statistics(dataset: &Dataset, rows: &[usize]) -> Vec<ColumnStatistics> {
    let none = ColumnStatistics { least: f64::INFINITY, greatest: f64::NEG_INFINITY, mean: 0.0, deviation: 0.0 };
    let mut columns = vec![none; dataset.columns()];
    let mut buffer = vec![0.0; dataset.columns()];
    let count = rows.len() as f64;
    for &row in rows {
        dataset.copy_row(row, &mut buffer);
        for (column, &value) in columns.iter_mut().zip(&buffer) {
            let value = f64::from(value);
            column.least = column.least.min(value);
            column.greatest = column.greatest.max(value);
            column.mean += value;
        }
    }
    columns.iter_mut().for_each(|column| column.mean /= count);
    for &row in rows {
        dataset.copy_row(row, &mut buffer);
        for (column, &value) in columns.iter_mut().zip(&buffer) {
            column.deviation += (f64::from(value) - column.mean).powi(2);
        }
    }
    columns.iter_mut().for_each(|column| column.deviation = (column.deviation / count).sqrt());
    columns
}

#[cfg(test)]
mod tests;
