//! Features of the rows to draw from and of the test rows, centred and in the same units.

use crate::data::{Dataset, Scaling};
use crate::error::{Error, Result};
use crate::kernels::{Isa, squared_norm};
use crate::linalg::moments::ColumnMoments;
use crate::matrix::Matrix;
use crate::model::{HiddenLayer, Model};
use crate::pca::Pca;
use crate::rows::for_each_chunk;

/// The source of features.
pub(super) enum Source<'a> {
    /// The outputs of a layer of a model.
    Layer(&'a Model, HiddenLayer),
    /// Principal components of scaled columns.
    Components(&'a Pca, &'a Scaling),
    /// The columns, scaled.
    Columns(&'a Scaling),
}

impl Source<'_> {
    /// Visits the features of all rows, some rows at a time.
    fn each(&self, dataset: &Dataset, visit: &mut dyn FnMut(&Matrix) -> Result<()>) -> Result<()> {
        match self {
            Self::Layer(model, layer) => model.encode_layer_each(dataset, *layer, visit),
            Self::Components(pca, scaling) => {
                for_each_chunk(&scaling.scaled(dataset), |chunk| visit(&pca.encode(chunk)))
            }
            Self::Columns(scaling) => for_each_chunk(&scaling.scaled(dataset), visit),
        }
    }

    /// The number of columns of the features.
    pub(super) fn columns(&self, dataset: &Dataset) -> usize {
        match self {
            Self::Layer(_, layer) => layer.columns(),
            Self::Components(pca, _) => pca.components().rows(),
            Self::Columns(_) => dataset.columns(),
        }
    }
}

/// Features of some rows, less the mean of all rows of a data set, divided by the root of the sum of the columns'
/// variances: their mean squared length is 1, and the columns keep their weights against each other.
pub(super) struct Features {
    /// The features of the chosen rows of that data set, in their order.
    pub(super) train: Matrix,
    /// The features of all test rows.
    pub(super) test: Matrix,
}

impl Features {
    /// The features of some rows of one data set, in rising order, and of all of another.
    ///
    /// # Errors
    /// As the source; and when a row of features is too far from the others.
    pub(super) fn new(isa: Isa, source: &Source<'_>, train: &Dataset, rows: &[usize], test: &Dataset) -> Result<Self> {
        let columns = source.columns(train);
        let mut kept = Matrix::zeros(rows.len(), columns);
        let mut moments = ColumnMoments::new(columns);
        let (mut before, mut found) = (0, 0);
        source.each(train, &mut |chunk| {
            moments.add(chunk);
            while let Some(row) = rows.get(found).filter(|&&row| row < before + chunk.rows()) {
                kept.row_mut(found).copy_from_slice(chunk.row(row - before));
                found += 1;
            }
            before += chunk.rows();
            Ok(())
        })?;
        let mut tested = Matrix::zeros(test.rows(), columns);
        let mut end = 0;
        source.each(test, &mut |chunk| {
            tested.as_mut_slice()[end..][..chunk.as_slice().len()].copy_from_slice(chunk.as_slice());
            end += chunk.as_slice().len();
            Ok(())
        })?;
        let mean = moments.means();
        let total = moments.variances().sum::<f64>();
        let scale = if total > 0.0 { total.sqrt() } else { 1.0 };
        normalise(isa, &mut kept, &mean, scale, |index| (train, rows[index]))?;
        normalise(isa, &mut tested, &mean, scale, |index| (test, index))?;
        Ok(Self { train: kept, test: tested })
    }
}

/// Subtracts the mean from all rows and divides by the scale; `place` says which row of which data set a row is.
fn normalise<'a>(
    isa: Isa,
    rows: &mut Matrix,
    mean: &[f64],
    scale: f64,
    place: impl Fn(usize) -> (&'a Dataset, usize),
) -> Result<()> {
    /// Squared lengths beyond which distances might not be finite.
    const LONGEST: f64 = 1e36;
    for index in 0..rows.rows() {
        let row = rows.row_mut(index);
        row.iter_mut().zip(mean).for_each(|(value, mean)| *value = ((f64::from(*value) - mean) / scale) as f32);
        let squared = squared_norm(isa, row);
        if squared.is_nan() || squared > LONGEST {
            let (dataset, row) = place(index);
            let problem = format!("{}: row {} is too far from the others", dataset.source(), row + 1);
            return Err(Error::Mismatch(problem));
        }
    }
    Ok(())
}
