//! A fitted PCA: codes of rows, and rows of codes.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::gemm::gemm;
use crate::kernels::Isa;
use crate::matrix::{Matrix, MatrixViewMut};

/// Rows that one task encodes or decodes.
const TASK: usize = 128;

/// A fitted principal component analysis of d columns, with k components.
///
/// The sign of a component is fixed: its element of largest absolute value (the first one of those) is positive.
///
/// ```
/// use diabolo::{Matrix, pca::{Components, Pca, PcaOptions}};
/// let rows = Matrix::from_rows(&[[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]);
/// let pca = Pca::fit(&rows, &PcaOptions { components: Components::Count(1), ..PcaOptions::default() })?;
/// assert_eq!(pca.mean(), [2.0, 2.0]);
/// assert_eq!(pca.explained_variance(), [2.0]);
/// let codes = pca.encode(&rows);
/// assert_eq!((codes.rows(), codes.columns()), (3, 1));
/// let back = pca.decode(&codes);
/// assert!((back.row(2)[0] - 3.0).abs() < 1e-6);
/// # Ok::<(), diabolo::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pca {
    pub(super) parts: PcaParts,
    pub(super) isa: Isa,
}

impl PartialEq for Pca {
    /// Whether all parts are equal, on whatever instruction set.
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

/// The parts of a [`Pca`], to write it to a file and to restore it.
#[derive(Clone, Debug, PartialEq)]
pub struct PcaParts {
    /// The mean of each of the d columns; zeros if not centred.
    pub mean: Vec<f32>,
    /// The components as rows: k × d.
    pub components: Matrix,
    /// k singular values of the centred data.
    pub singular_values: Vec<f32>,
    /// The variance along each of the k components.
    pub explained_variance: Vec<f32>,
    /// The variance of all d columns together.
    pub total_variance: f64,
    /// The number of rows it was fitted to.
    pub rows: usize,
    /// Whether the mean is subtracted.
    pub center: bool,
    /// Whether codes are divided by their standard deviation.
    pub whiten: bool,
}

impl Pca {
    /// A PCA from its parts.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if their lengths do not fit together, or a value is one that no fit produces.
    pub fn from_parts(parts: PcaParts) -> Result<Self> {
        let (count, columns) = (parts.components.rows(), parts.components.columns());
        let fits = parts.mean.len() == columns
            && parts.singular_values.len() == count
            && parts.explained_variance.len() == count
            && (1..=columns.min(parts.rows)).contains(&count)
            && parts.rows >= 2;
        if !fits {
            return Err(Error::Mismatch(format!(
                "a PCA of {count} x {columns} components cannot have {} means, {} singular values, {} variances and {} rows",
                parts.mean.len(),
                parts.singular_values.len(),
                parts.explained_variance.len(),
                parts.rows
            )));
        }
        // A file that was tampered with can hold what no decomposition gives: signs, order and lengths are checked once
        // here.
        let falling = |values: &[f32]| values.is_sorted_by(|a, b| a >= b) && values.iter().all(|&value| value >= 0.0);
        let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        if !(finite(&parts.mean)
            && finite(parts.components.as_slice())
            && finite(&parts.singular_values)
            && finite(&parts.explained_variance)
            && parts.total_variance.is_finite()
            && parts.total_variance >= 0.0
            && falling(&parts.singular_values)
            && falling(&parts.explained_variance)
            && (parts.center || parts.mean.iter().all(|&mean| mean == 0.0)))
        {
            return Err(Error::Mismatch(
                "a PCA holds finite numbers, singular values and variances that fall and are not negative, \
                 and no mean if it does not centre"
                    .into(),
            ));
        }
        Ok(Self { parts, isa: Isa::best() })
    }

    /// The same PCA on another instruction set than [`Isa::best`].
    pub fn with_isa(self, isa: Isa) -> Self {
        Self { isa, ..self }
    }

    /// The instruction set that its kernels run on.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Its parts.
    pub fn into_parts(self) -> PcaParts {
        self.parts
    }

    /// The codes of rows: (x − mean) Vᵀ, one row of k numbers a row.
    ///
    /// With whitening, divided by the standard deviation of each component; a component without any variance gives 0.
    /// A row's code does not depend on the other rows.
    ///
    /// # Panics
    /// When the rows do not have d columns.
    pub fn encode(&self, rows: &Matrix) -> Matrix {
        let (count, columns) = (self.parts.components.rows(), self.parts.components.columns());
        assert_eq!(rows.columns(), columns, "columns of the rows, and of the PCA");
        let mut codes = Matrix::zeros(rows.rows(), count);
        let scales =
            self.scales().map(|deviations| deviations.map(|d| if d > 0.0 { 1.0 / d } else { 0.0 }).collect::<Vec<_>>());
        codes.as_mut_slice().par_chunks_mut(TASK * count).enumerate().for_each_init(
            || Matrix::zeros(TASK.min(rows.rows()), columns),
            |centered, (task, codes)| {
                let size = codes.len() / count;
                for i in 0..size {
                    let row = centered.row_mut(i);
                    row.copy_from_slice(rows.row(task * TASK + i));
                    row.iter_mut().zip(&self.parts.mean).for_each(|(value, mean)| *value -= mean);
                }
                let out = MatrixViewMut::new(codes, size, count);
                gemm(1.0, centered.rows_view(0..size), self.parts.components.view().transposed(), 0.0, out);
                if let Some(scales) = &scales {
                    for code in codes.chunks_exact_mut(count) {
                        code.iter_mut().zip(scales).for_each(|(value, scale)| *value *= scale);
                    }
                }
            },
        );
        codes
    }

    /// The rows of codes: mean + code V, undoing the whitening.
    ///
    /// # Panics
    /// When the codes do not have k columns.
    pub fn decode(&self, codes: &Matrix) -> Matrix {
        let (count, columns) = (self.parts.components.rows(), self.parts.components.columns());
        assert_eq!(codes.columns(), count, "columns of the codes, and components");
        let mut rows = Matrix::zeros(codes.rows(), columns);
        let scales = self.scales().map(Iterator::collect::<Vec<_>>);
        rows.as_mut_slice().par_chunks_mut(TASK * columns).enumerate().for_each_init(
            || Matrix::zeros(TASK.min(codes.rows()), count),
            |scaled, (task, rows)| {
                let size = rows.len() / columns;
                for i in 0..size {
                    let code = scaled.row_mut(i);
                    code.copy_from_slice(codes.row(task * TASK + i));
                    if let Some(scales) = &scales {
                        code.iter_mut().zip(scales).for_each(|(value, scale)| *value *= scale);
                    }
                }
                for row in rows.chunks_exact_mut(columns) {
                    row.copy_from_slice(&self.parts.mean);
                }
                let out = MatrixViewMut::new(rows, size, columns);
                gemm(1.0, scaled.rows_view(0..size), self.parts.components.view(), 1.0, out);
            },
        );
        rows
    }

    /// Rows encoded and decoded.
    ///
    /// # Panics
    /// When the rows do not have d columns.
    pub fn reconstruct(&self, rows: &Matrix) -> Matrix {
        self.decode(&self.encode(rows))
    }

    /// The standard deviations along the components, if codes are whitened.
    fn scales(&self) -> Option<impl Iterator<Item = f32>> {
        self.parts.whiten.then(|| self.parts.explained_variance.iter().map(|variance| variance.sqrt()))
    }

    /// The mean of each column that was fitted; zeros if not centred.
    pub fn mean(&self) -> &[f32] {
        &self.parts.mean
    }

    /// The components as rows, orthonormal: k × d.
    pub fn components(&self) -> &Matrix {
        &self.parts.components
    }

    /// The singular values of the (centred) data, the largest first.
    pub fn singular_values(&self) -> &[f32] {
        &self.parts.singular_values
    }

    /// The variance along each component: σ² / (rows − 1).
    pub fn explained_variance(&self) -> &[f32] {
        &self.parts.explained_variance
    }

    /// The variance of all columns together, in the components or not.
    pub fn total_variance(&self) -> f64 {
        self.parts.total_variance
    }

    /// The share that each component has in the total variance; zeros if there is none.
    pub fn explained_variance_ratio(&self) -> Vec<f64> {
        let share = |&variance: &f32| {
            if self.parts.total_variance > 0.0 { f64::from(variance) / self.parts.total_variance } else { 0.0 }
        };
        self.parts.explained_variance.iter().map(share).collect()
    }

    /// The number of rows it was fitted to.
    pub fn rows(&self) -> usize {
        self.parts.rows
    }

    /// Whether the mean is subtracted.
    pub fn center(&self) -> bool {
        self.parts.center
    }

    /// Whether codes are divided by their standard deviation.
    pub fn whiten(&self) -> bool {
        self.parts.whiten
    }
}
