//! Filling in missing cells.

use super::check_clean;
use crate::augment::Corruption;
use crate::data::{Dataset, Missing, ScaledRows};
use crate::error::{Error, Result};
use crate::evaluate::Reconstruct;
use crate::matrix::Matrix;
use crate::model::{Body, Model, check_finite};
use crate::rows::{Rows, RowsInMemory, for_each_chunk};

/// The values of missing cells before the first round, in the units that the model sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// 0, as in training with hidden elements.
    Zeros,
    /// The mean of the known cells of the column; in a column without any, PCA's own mean or 0.
    ColumnMeans,
}

impl Start {
    /// The start that suits a model: zeros, if training hid cells by setting them to 0, else the means.
    pub fn usual(model: &Model) -> Self {
        let corruption = model.provenance.settings.corruption();
        if matches!(corruption, Some(Corruption::Hidden(_))) { Self::Zeros } else { Self::ColumnMeans }
    }

    /// The starting value of each column, given the means of its known cells; a column without any gets the model's own
    /// mean.
    fn values(self, model: &Model, known_means: &[Option<f32>]) -> Vec<f32> {
        let own = |column: usize| if let Body::Pca(pca) = &model.body { pca.mean()[column] } else { 0.0 };
        match self {
            Self::Zeros => vec![0.0; known_means.len()],
            Self::ColumnMeans => {
                known_means.iter().enumerate().map(|(column, mean)| mean.unwrap_or_else(|| own(column))).collect()
            }
        }
    }

    /// Its name: `zeros` or `column-means`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zeros => "zeros",
            Self::ColumnMeans => "column-means",
        }
    }
}

/// Options of filling in missing cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FillOptions {
    /// The starting values; [`Start::usual`] by default.
    pub start: Option<Start>,
    /// The largest number of rounds. The default is 1 for a model that starts from zeros, because it has learned to fill
    /// those in at once, and else 100.
    pub rounds: Option<usize>,
    /// The share of its length by which a round may change a row for it to be done.
    pub tolerance: f64,
}

impl Default for FillOptions {
    fn default() -> Self {
        Self { start: None, rounds: None, tolerance: 1e-4 }
    }
}

impl FillOptions {
    fn check(&self) -> Result<()> {
        if self.rounds == Some(0) {
            return Err(Error::Setting { name: "rounds", problem: "at least 1 is needed".into() });
        }
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            let problem = format!("{} is not a finite number from 0 on", self.tolerance);
            return Err(Error::Setting { name: "tolerance", problem });
        }
        Ok(())
    }
}

/// The true values of missing cells, where they are known.
#[derive(Clone, Copy, Debug)]
pub struct Truth<'a> {
    /// Rows with nothing missing.
    pub rows: &'a Dataset,
    /// The cells to measure.
    pub cells: &'a Missing,
}

/// The result of filling in missing cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filling {
    /// The number of missing cells.
    pub missing_cells: usize,
    /// The number of rows with missing cells.
    pub incomplete_rows: usize,
    /// The values that they started from.
    pub start: Start,
    /// The largest number of rounds that a row took.
    pub rounds: usize,
    /// The number of rows that their last round still changed by more than the tolerance.
    pub unsettled_rows: usize,
    /// The errors of the filled cells, where their true values are known.
    pub errors: Option<FillErrors>,
}

/// The errors of filled cells, in the units that the model sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FillErrors {
    /// The number of cells measured.
    pub cells: usize,
    /// The mean squared error of filling in the mean of each column's known cells, or of its true cells where none is known:
    /// the baseline.
    pub mse_of_means: f64,
    /// The mean squared error of what the model filled in.
    pub mse: f64,
}

/// Fills in missing cells by iterating x ← f(x) for them, while the known cells stay. Visits all rows in the user's units,
/// some rows at a time; known cells keep their bits.
///
/// A row has converged after the round that changed it, in the units that the model sees, by no more than
/// [`FillOptions::tolerance`] times its length. A row that diverges, so that the last round changes it more than the first,
/// keeps its starting values. Rows depend on each other only by the means that they may start from.
///
/// # Errors
/// When rows, missing cells, model and truth do not have the same shape; a row has no known cell; options are out of range;
/// or values are out of all proportion; and the errors of `visit`.
pub fn fill(
    model: &Model,
    dataset: &Dataset,
    missing: &Missing,
    truth: Option<Truth<'_>>,
    options: &FillOptions,
    mut visit: impl FnMut(&Matrix) -> Result<()>,
) -> Result<Filling> {
    options.check()?;
    model.check_width(dataset)?;
    check_missing(dataset, missing)?;
    // The means are taken over all rows before the first is filled in, so that no row depends on its place.
    let rows = model.scaling.scaled(dataset);
    let known_means = column_means(&rows, |row, column| !missing.row(row)[column])?;
    let mut measure = match truth {
        Some(truth) => {
            check_clean(truth.rows, dataset)?;
            check_shape(dataset, truth.cells)?;
            Some(Measure::new(model, truth, &known_means)?)
        }
        None => None,
    };
    let start = options.start.unwrap_or_else(|| Start::usual(model));
    let start_values = start.values(model, &known_means);
    let most_rounds = options.rounds.unwrap_or(if start == Start::Zeros { 1 } else { 100 });
    let mut filling = Filling {
        missing_cells: missing.count(),
        incomplete_rows: (0..missing.rows()).filter(|&row| missing.row(row).contains(&true)).count(),
        start,
        rounds: 0,
        unsettled_rows: 0,
        errors: None,
    };
    let mut done = 0;
    for_each_chunk(&rows, |chunk| {
        let missing_of = |row| missing.row(done + row);
        let mut filled = chunk.clone();
        for row in 0..filled.rows() {
            replace_missing(&start_values, missing_of(row), filled.row_mut(row));
        }
        let diverged = iterate(model, &mut filled, missing_of, most_rounds, options.tolerance, &mut filling);
        for row in diverged {
            replace_missing(&start_values, missing_of(row), filled.row_mut(row));
        }
        // Errors are in the units that the model sees, so they are measured before the rows leave these.
        if let Some(measure) = &mut measure {
            (0..filled.rows()).for_each(|row| measure.add(done + row, filled.row(row)));
        }
        invert_missing(model, dataset, done, missing_of, &mut filled);
        check_finite(&filled, done, "what is filled in").map_err(|error| error.of(dataset.source()))?;
        done += filled.rows();
        visit(&filled)
    })?;
    filling.errors = measure.and_then(Measure::finish);
    Ok(filling)
}

/// Converts filled rows, the first of which has the index `start`, to the user's units. Scaling and its inverse round, so
/// known cells are copied from the data set: they keep their bits.
fn invert_missing<'a>(
    model: &Model,
    dataset: &Dataset,
    start: usize,
    missing: impl Fn(usize) -> &'a [bool],
    filled: &mut Matrix,
) {
    let mut original = vec![0.0; dataset.columns()];
    for row in 0..filled.rows() {
        model.scaling.invert(filled.row_mut(row));
        dataset.copy_row(start + row, &mut original);
        let known = filled.row_mut(row).iter_mut().zip(&original).zip(missing(row));
        known.filter(|(_, missing)| !**missing).for_each(|((out, &value), _)| *out = value);
    }
}

/// Sums of squared errors over the cells whose true values are known, in the units that the model sees.
struct Measure<'a> {
    clean: ScaledRows<'a>,
    cells: &'a Missing,
    /// The mean of each column, which is the baseline of its measured cells.
    means: Vec<f32>,
    /// One clean row.
    row: Vec<f32>,
    count: usize,
    of_means: f64,
    of_model: f64,
}

impl<'a> Measure<'a> {
    /// A measure of no cells yet.
    fn new(model: &'a Model, truth: Truth<'a>, known_means: &[Option<f32>]) -> Result<Self> {
        let clean = model.scaling.scaled(truth.rows);
        let true_means = column_means(&clean, |row, column| truth.cells.row(row)[column])?;
        let means = known_means.iter().zip(true_means).map(|(known, mean)| known.or(mean).unwrap_or(0.0)).collect();
        let row = vec![0.0; truth.rows.columns()];
        Ok(Self { clean, cells: truth.cells, means, row, count: 0, of_means: 0.0, of_model: 0.0 })
    }

    /// Adds the measured cells of the row with this index.
    fn add(&mut self, index: usize, filled: &[f32]) {
        self.clean.copy_row(index, &mut self.row);
        for (column, _) in self.cells.row(index).iter().enumerate().filter(|(_, measured)| **measured) {
            self.count += 1;
            self.of_means += f64::from(self.means[column] - self.row[column]).powi(2);
            self.of_model += f64::from(filled[column] - self.row[column]).powi(2);
        }
    }

    /// The errors; none where no cell was measured.
    fn finish(self) -> Option<FillErrors> {
        let mean = |sum: f64| sum / self.count as f64;
        let (cells, mse_of_means, mse) = (self.count, mean(self.of_means), mean(self.of_model));
        (cells > 0).then_some(FillErrors { cells, mse_of_means, mse })
    }
}

/// Replaces the missing cells of a row by those of `from`, and returns Σ (new − old)².
fn replace_missing(from: &[f32], missing: &[bool], row: &mut [f32]) -> f64 {
    let mut change = 0.0;
    for ((value, &new), _) in row.iter_mut().zip(from).zip(missing).filter(|(_, missing)| **missing) {
        change += f64::from(new - *value).powi(2);
        *value = new;
    }
    change
}

/// Iterates x ← f(x) for the missing cells of rows, each row until it converges. Returns the rows that diverge: they
/// have not converged, and the last round changed them more than the first.
fn iterate<'a>(
    model: &Model,
    rows: &mut Matrix,
    missing: impl Fn(usize) -> &'a [bool],
    most_rounds: usize,
    tolerance: f64,
    filling: &mut Filling,
) -> Vec<usize> {
    // The squared change of each row in its first and its last round.
    let mut changes = vec![[0.0; 2]; rows.rows()];
    // Only rows that have not converged go through the model again: most are done after a few rounds.
    let mut moving: Vec<usize> = (0..rows.rows()).filter(|&row| missing(row).contains(&true)).collect();
    for round in 1..=most_rounds {
        if moving.is_empty() {
            break;
        }
        filling.rounds = filling.rounds.max(round);
        let reconstructed = model.body.reconstruct(&rows.select_rows(&moving));
        let mut index = 0;
        moving.retain(|&row| {
            let change = replace_missing(reconstructed.row(index), missing(row), rows.row_mut(row));
            let length: f64 = rows.row(row).iter().map(|&value| f64::from(value).powi(2)).sum();
            index += 1;
            changes[row] = [if round == 1 { change } else { changes[row][0] }, change];
            // A change of NaN is no convergence either.
            let converged = change <= tolerance * tolerance * length;
            !converged
        });
    }
    filling.unsettled_rows += moving.len();
    moving.retain(|&row| changes[row][1] > changes[row][0]);
    moving
}

/// The mean of each column over the cells (row, column) for which `counts` holds; `None` for a column without any.
fn column_means(rows: &dyn Rows, counts: impl Fn(usize, usize) -> bool) -> Result<Vec<Option<f32>>> {
    let mut sums = vec![(0.0, 0_usize); rows.columns()];
    let mut done = 0;
    for_each_chunk(rows, |chunk| {
        for row in 0..chunk.rows() {
            let counted = sums.iter_mut().enumerate().filter(|(column, _)| counts(done + row, *column));
            for (column, (sum, count)) in counted {
                *sum += f64::from(chunk.row(row)[column]);
                *count += 1;
            }
        }
        done += chunk.rows();
        Ok(())
    })?;
    Ok(sums.into_iter().map(|(sum, count)| (count > 0).then(|| (sum / count as f64) as f32)).collect())
}

fn check_shape(dataset: &Dataset, missing: &Missing) -> Result<()> {
    if [missing.rows(), missing.columns()] == [dataset.rows(), dataset.columns()] {
        return Ok(());
    }
    Err(Error::Mismatch(format!(
        "{}: {} rows of {} columns, but the missing cells belong to {} rows of {}",
        dataset.source(),
        dataset.rows(),
        dataset.columns(),
        missing.rows(),
        missing.columns()
    )))
}

fn check_missing(dataset: &Dataset, missing: &Missing) -> Result<()> {
    check_shape(dataset, missing)?;
    match (0..missing.rows()).find(|&row| !missing.row(row).contains(&false)) {
        None => Ok(()),
        Some(row) => Err(Error::Mismatch(format!(
            "{}: all cells of row {} are missing, so that nothing tells what they were; leave the row out, or hide \
             less of it",
            dataset.source(),
            row + 1
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::Augmentation;
    use crate::data::ScalingChoice;
    use crate::model::{AutoencoderOptions, Validation, fit_autoencoder};
    use crate::restore::fixtures::{digits, pca};
    use crate::train::{LearningRate, TrainOptions};

    fn mask(rows: usize, columns: usize, is_missing: impl Fn(usize, usize) -> bool) -> Missing {
        let cells = (0..rows * columns).map(|cell| u8::from(is_missing(cell / columns, cell % columns))).collect();
        let mask = Dataset::from_bytes("mask", rows, columns, cells).unwrap();
        Missing::masked(&mask, &mask).unwrap()
    }

    #[test]
    fn what_lies_on_the_plane_of_the_components_is_found_again() {
        let rows: Vec<[f32; 3]> = (0..40).map(|i| i as f32 / 10.0).map(|t| [t, 2.0 * t + 1.0, 5.0 - t]).collect();
        let line = Dataset::from_matrix("line", Matrix::from_rows(&rows), None).unwrap();
        for scaling in [ScalingChoice::None, ScalingChoice::Standard] {
            let model = pca(&line, 1, scaling);
            let missing = mask(40, 3, |row, column| row % 4 == column);
            let truth = Truth { rows: &line, cells: &missing };
            let options = FillOptions { tolerance: 1e-6, rounds: Some(1000), ..FillOptions::default() };
            let filling = fill(&model, &line, &missing, Some(truth), &options, |_| Ok(())).unwrap();
            assert_eq!((filling.missing_cells, filling.incomplete_rows, filling.unsettled_rows), (30, 30, 0));
            assert!(filling.rounds > 1 && filling.errors.unwrap().mse < 1e-8, "{filling:?}");
            assert!(filling.errors.unwrap().mse_of_means > 0.5, "{filling:?}");
        }
    }

    #[test]
    fn known_cells_come_back_to_the_bit_and_a_row_does_not_depend_on_others() {
        let digits = digits();
        let model = pca(&digits, 10, ScalingChoice::Standard);
        let missing = Missing::hidden(&digits, "block:3x3".parse().unwrap(), 3).unwrap();
        let options = FillOptions { start: Some(Start::Zeros), rounds: Some(20), ..FillOptions::default() };
        let filled = |dataset: &Dataset, missing: &Missing| {
            let mut rows = Vec::new();
            let visit = |some: &Matrix| {
                rows.extend_from_slice(some.as_slice());
                Ok(())
            };
            fill(&model, dataset, missing, None, &options, visit).unwrap();
            rows
        };
        let all = filled(&digits, &missing);
        let mut row = vec![0.0; 64];
        for index in 0..digits.rows() {
            digits.copy_row(index, &mut row);
            let known = row.iter().zip(&all[64 * index..]).zip(missing.row(index)).filter(|(_, missing)| !**missing);
            known.for_each(|((given, back), _)| assert_eq!(given.to_bits(), back.to_bits()));
        }
        let alone = mask(1, 64, |_, column| missing.row(700)[column]);
        assert_eq!(filled(&digits.select(&[700]).unwrap(), &alone), all[64 * 700..64 * 701]);
    }

    #[test]
    fn a_network_that_learned_to_fill_zeros_starts_from_them_and_takes_one_round() {
        let digits = digits();
        let train = TrainOptions {
            epochs: 30,
            rate: LearningRate::constant(0.003),
            augmentation: Augmentation { corruption: Some("block:3x3".parse().unwrap()), ..Augmentation::default() },
            ..TrainOptions::default()
        };
        let options = AutoencoderOptions {
            train,
            scaling: ScalingChoice::Unit,
            ..AutoencoderOptions::new("64,200,100,200,64".parse().unwrap())
        };
        let model = fit_autoencoder(&digits, &options, Validation::None, &mut ()).unwrap().model;
        let missing = Missing::hidden(&digits, "block:3x3".parse().unwrap(), 1).unwrap();
        let truth = Truth { rows: &digits, cells: &missing };
        let by =
            |model: &Model| fill(model, &digits, &missing, Some(truth), &FillOptions::default(), |_| Ok(())).unwrap();
        let (network, pca) = (by(&model), by(&pca(&digits, 5, ScalingChoice::Unit)));
        assert_eq!((network.start, network.rounds), (Start::Zeros, 1));
        assert_eq!((pca.start, pca.rounds > 1), (Start::ColumnMeans, true));
        assert!(network.errors.unwrap().mse < 0.75 * pca.errors.unwrap().mse, "{network:?} {pca:?}");
        assert_eq!(network.errors.unwrap().cells, 9 * 1797);
    }

    #[test]
    fn a_column_that_no_row_knows_is_compared_with_its_true_mean() {
        let rows =
            Dataset::from_matrix("rows", Matrix::from_rows(&[[1.0, 2.0], [2.0, 4.0], [3.0, 9.0]]), None).unwrap();
        let missing = mask(3, 2, |_, column| column == 1);
        let truth = Truth { rows: &rows, cells: &missing };
        let model = pca(&rows, 1, ScalingChoice::None);
        let errors = fill(&model, &rows, &missing, Some(truth), &FillOptions::default(), |_| Ok(())).unwrap().errors;
        // The mean is 5, and the variance (9 + 1 + 16) / 3.
        assert!((errors.unwrap().mse_of_means - 26.0 / 3.0).abs() < 1e-5, "{errors:?}");
    }

    #[test]
    fn the_rounds_are_bounded_and_rows_that_have_not_settled_are_counted() {
        let digits = digits();
        let model = pca(&digits, 30, ScalingChoice::Auto);
        let missing = mask(1797, 64, |row, column| row == 2 && column > 30);
        let options = FillOptions { rounds: Some(3), tolerance: 0.0, ..FillOptions::default() };
        let filling = fill(&model, &digits, &missing, None, &options, |_| Ok(())).unwrap();
        assert_eq!((filling.rounds, filling.unsettled_rows, filling.incomplete_rows), (3, 1, 1));
        assert_eq!(filling.errors, None);
    }

    #[test]
    fn what_cannot_be_filled_is_an_error_that_says_why() {
        let digits = digits();
        let model = pca(&digits, 2, ScalingChoice::Auto);
        let message = |missing: &Missing, options: FillOptions| {
            fill(&model, &digits, missing, None, &options, |_| Ok(())).unwrap_err().to_string()
        };
        let usual = FillOptions::default();
        let empty = message(&mask(1797, 64, |row, _| row == 4), usual);
        assert!(empty.starts_with("digits: all cells of row 5 are missing"), "{empty}");
        let shape = message(&Missing::none(3, 64), usual);
        assert!(shape.contains("1797 rows of 64 columns, but the missing cells belong to 3 rows"), "{shape}");
        let none = Missing::none(1797, 64);
        assert!(message(&none, FillOptions { rounds: Some(0), ..usual }).contains("at least 1"));
        assert!(message(&none, FillOptions { tolerance: f64::NAN, ..usual }).contains("from 0 on"));
    }
}
