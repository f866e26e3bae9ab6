//! Finding the components.

use super::{Components, Pca, PcaOptions, PcaParts, Solver};
use crate::error::{Error, Place, Result};
use crate::kernels::Isa;
use crate::linalg::columns::Columns;
use crate::linalg::eigen::{GramFactors, complete, decompose_gram};
use crate::linalg::gram::Gram;
use crate::linalg::in_pool;
use crate::linalg::moments::moments;
use crate::linalg::randomized::randomized_svd;
use crate::linalg::svd::{factor, signed_rows};
use crate::rows::{Rows, gather_finite};

/// Smaller number of rows and columns above which [`Solver::Auto`] may project at random.
const LARGE: usize = 2000;

impl Pca {
    /// The principal components of rows.
    ///
    /// The Jacobi solver reads the rows once if there are at least as many as columns, and holds 512 of them at a time;
    /// for wider data it holds copies in double precision. The randomized solver reads them four times. All results
    /// are the same bits for any number of threads.
    ///
    /// # Errors
    /// [`Error::Setting`] for components that these rows cannot have; [`Error::Mismatch`] for fewer than 2 rows or no
    /// columns; [`Error::Data`] for a value that is not finite, or a variance beyond the range of `f32`;
    /// [`Error::NotConverged`] if the iteration does not end.
    pub fn fit(rows: &dyn Rows, options: &PcaOptions) -> Result<Self> {
        let isa = Isa::best();
        in_pool(|| fit(isa, rows, options))
    }
}

/// A PCA that learns from rows as they come.
///
/// It keeps the count and mean of the rows, their Gram matrix about the mean in double precision
/// (4 · columns² bytes, and several times that while it finishes), and at most 512 rows that wait for their chunk to be full. What
/// it finds does not depend on how the rows are spread over calls, to the last bit, and equals [`Pca::fit`] with
/// [`Solver::Jacobi`] on all of them, where these are at least as many as columns.
///
/// ```
/// use diabolo::{Matrix, pca::{PcaAccumulator, PcaOptions}};
/// let mut pca = PcaAccumulator::new(3, PcaOptions::default())?;
/// pca.partial_fit(&Matrix::from_rows(&[[1.0, 2.0, 3.0], [2.0, 4.0, 5.0]]))?;
/// pca.partial_fit(&Matrix::from_rows(&[[3.0, 5.0, 8.0]]))?;
/// assert_eq!(pca.finish()?.rows(), 3);
/// # Ok::<(), diabolo::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PcaAccumulator {
    gram: Gram,
    options: PcaOptions,
}

impl PcaAccumulator {
    /// An accumulator for rows of `columns` columns that has seen none yet.
    ///
    /// # Errors
    /// [`Error::Setting`] for components that no data can have, or for [`Solver::Randomized`], which goes over the rows
    /// several times.
    pub fn new(columns: usize, options: PcaOptions) -> Result<Self> {
        Self::on(Isa::best(), columns, options)
    }

    fn on(isa: Isa, columns: usize, options: PcaOptions) -> Result<Self> {
        options.components.check()?;
        if options.solver == Solver::Randomized {
            let problem = "randomized goes over the rows several times, which a stream does not allow; use jacobi";
            return Err(Error::Setting { name: "solver", problem: problem.into() });
        }
        Ok(Self { gram: Gram::new(isa, columns, options.center), options })
    }

    /// The number of rows it has learned from.
    pub fn rows(&self) -> usize {
        self.gram.rows()
    }

    /// Learns from more rows.
    ///
    /// # Errors
    /// [`Error::Data`] for a value that is not finite: some of the rows may then have been learned. [`Error::Mismatch`]
    /// for another number of columns.
    pub fn partial_fit(&mut self, rows: &dyn Rows) -> Result<()> {
        let (expected, columns) = (self.gram.columns(), rows.columns());
        if columns != expected {
            return Err(Error::Mismatch(format!("rows of {columns} columns for a PCA of {expected}")));
        }
        in_pool(|| self.gram.add(rows))
    }

    /// The PCA of all rows so far.
    ///
    /// # Errors
    /// As [`Pca::fit`].
    pub fn finish(self) -> Result<Pca> {
        check(self.gram.rows(), self.gram.columns(), self.options.components)?;
        in_pool(|| {
            let isa = self.gram.isa();
            let finished = self.gram.finish();
            let total = (0..finished.gram.columns()).map(|j| finished.gram.column(j)[j]).sum();
            let factors = decompose_gram(isa, finished.gram)?;
            assemble(isa, finished.rows, finished.mean, factors, total, &self.options)
        })
    }
}

pub(super) fn fit(isa: Isa, rows: &dyn Rows, options: &PcaOptions) -> Result<Pca> {
    options.components.check()?;
    check(rows.rows(), rows.columns(), options.components)?;
    match (options.solver, options.components) {
        (Solver::Randomized, Components::VarianceShare(_)) => Err(Error::Setting {
            name: "solver",
            problem: "randomized needs a count of components; for a share of the variance, use jacobi".into(),
        }),
        (Solver::Randomized, Components::Count(count)) => randomized(isa, rows, count, options),
        (Solver::Auto, Components::Count(count)) if worth_projecting(rows, count) => {
            randomized(isa, rows, count, options)
        }
        _ if rows.rows() >= rows.columns() => {
            let options = PcaOptions { solver: Solver::Jacobi, ..options.clone() };
            let mut accumulator = PcaAccumulator::on(isa, rows.columns(), options)?;
            accumulator.partial_fit(rows)?;
            accumulator.finish()
        }
        _ => wide(isa, rows, options),
    }
}

fn worth_projecting(rows: &dyn Rows, count: usize) -> bool {
    let smaller = rows.rows().min(rows.columns());
    smaller > LARGE && count <= smaller / 10
}

/// Refuses data that is too small.
fn check(rows: usize, columns: usize, components: Components) -> Result<()> {
    if rows < 2 || columns == 0 {
        return Err(Error::Mismatch(format!(
            "{rows} rows of {columns} columns; PCA needs at least 2 rows and 1 column"
        )));
    }
    match components {
        Components::Count(count) if count > rows.min(columns) => {
            let most = rows.min(columns);
            let problem = format!("{rows} rows of {columns} columns have at most {most}, not {count}");
            Err(Error::Setting { name: "components", problem })
        }
        _ => Ok(()),
    }
}

/// More columns than rows: the decomposition of the transpose, whose columns are the rows.
fn wide(isa: Isa, rows: &dyn Rows, options: &PcaOptions) -> Result<Pca> {
    let (mean, total) = moments(rows, options.center)?;
    let mut transposed = Columns::zeros(rows.columns(), rows.rows());
    let mut row = vec![0.0; rows.columns()];
    for i in 0..rows.rows() {
        gather_finite(rows, i..i + 1, &mut row)?;
        for ((to, &from), mean) in transposed.column_mut(i).iter_mut().zip(&row).zip(&mean) {
            *to = f64::from(from) - mean;
        }
    }
    let factors = factor(isa, transposed)?;
    let factors = GramFactors { singular_values: factors.singular_values, vectors: factors.u };
    assemble(isa, rows.rows(), mean, factors, total, options)
}

fn randomized(isa: Isa, rows: &dyn Rows, count: usize, options: &PcaOptions) -> Result<Pca> {
    let (mean, total) = moments(rows, options.center)?;
    let rounded: Vec<f32> = mean.iter().map(|&mean| mean as f32).collect();
    let factors = randomized_svd(isa, rows, &rounded, count, options.seed)?;
    assemble(isa, rows.rows(), mean, factors, total, options)
}

/// A PCA from singular values and vectors, of which those that are missing belong to values of zero.
fn assemble(
    isa: Isa,
    rows: usize,
    mean: Vec<f64>,
    factors: GramFactors,
    total: f64,
    options: &PcaOptions,
) -> Result<Pca> {
    let most = rows.min(mean.len());
    let mut values = factors.singular_values;
    values.resize(most.max(values.len()), 0.0);
    let count = match options.components {
        Components::Count(count) => count,
        Components::VarianceShare(share) => smallest_count(&values[..most], share),
    };
    let freedom = (rows - 1) as f64;
    let largest = values[0] * values[0] / freedom;
    if largest > f64::from(f32::MAX) {
        let problem =
            format!("the variance along a component is {largest:e}, beyond the range of f32; scale them down");
        return Err(Place::named(Place::ROWS).error(problem));
    }
    let vectors = complete(isa, factors.vectors, count);
    let parts = PcaParts {
        mean: mean.iter().map(|&mean| mean as f32).collect(),
        components: signed_rows(&vectors, count),
        singular_values: values[..count].iter().map(|&value| value as f32).collect(),
        explained_variance: values[..count].iter().map(|value| (value * value / freedom) as f32).collect(),
        total_variance: total / freedom,
        rows,
        center: options.center,
        whiten: options.whiten,
    };
    Ok(Pca { parts, isa })
}

/// The smallest number of leading singular values such that the rest hold at most 1 − share of the sum of squares.
///
/// What is left out is added up from its small end, so a share of 1 takes exactly the values above zero.
fn smallest_count(values: &[f64], share: f64) -> usize {
    let total: f64 = values.iter().rev().map(|value| value * value).sum();
    let allowed = (1.0 - share) * total;
    let mut left_out = 0.0;
    let mut count = values.len();
    while count > 1 {
        left_out += values[count - 1] * values[count - 1];
        if left_out > allowed {
            break;
        }
        count -= 1;
    }
    count
}
