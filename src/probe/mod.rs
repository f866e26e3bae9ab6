//! Probes: the quality of features where few rows have labels.
//!
//! A probe draws a few labelled rows of each class at random, fits classifiers to their features, and counts the test rows
//! that they classify wrongly: *multinomial logistic regression*, which asks whether the classes are separable in the
//! features, and *nearest neighbours*, which ask whether rows of one class lie together. It compares the outputs of a
//! model's layer with principal components of the same width and with the columns themselves.
//!
//! The model and the components are fitted to all rows to draw from, without labels; they see no test rows. The number
//! of neighbours is chosen by leaving one labelled row out, the penalty of logistic regression by cross-validation over
//! the labelled rows.
//!
//! Features are centred, and divided by one number for all columns, by what all rows to draw from say: penalties mean the
//! same for all features then, and columns that vary much still weigh much. (With one variance for each column, the errors
//! on MNIST's pixels are larger.)

mod draws;
mod features;
mod logistic;
mod neighbours;

use draws::Classes;
use features::{Features, Source};
use logistic::Logistic;
use neighbours::Neighbours;

use rayon::prelude::*;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::evaluate::Reconstruct;
use crate::gemm::gemm;
use crate::kernels::Isa;
use crate::matrix::{Matrix, MatrixView};
use crate::model::{HiddenLayer, Model};
use crate::pca::{Components, Pca, PcaOptions};

/// The number of test rows of one task.
const TASK: usize = 256;

/// The largest number of labelled rows in a draw, whose products with each other are held in memory.
pub const MOST_LABELLED: usize = 8192;

/// The largest number of scores, labelled rows × classes: a fit holds some dozens of such matrices.
pub const MOST_SCORES: usize = 1 << 21;

/// The options of a probe.
#[derive(Clone, Debug)]
pub struct ProbeOptions {
    /// The number of labelled rows of each class in a draw.
    pub labels_per_class: usize,
    /// The number of draws.
    pub draws: usize,
    /// The layer whose output is probed; none for the code.
    pub layer: Option<HiddenLayer>,
    /// The seed of the draws.
    pub seed: u64,
}

impl ProbeOptions {
    /// Options with `labels_per_class` labelled rows of each class, ten draws, and the code.
    pub fn new(labels_per_class: usize) -> Self {
        Self { labels_per_class, draws: 10, layer: None, seed: 1 }
    }
}

/// The result of a probe.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// The number of classes.
    pub classes: usize,
    /// The scores of the model's layer.
    pub model: Scores,
    /// The scores of principal components, as many as the layer has columns, or all that exist.
    pub pca: Scores,
    /// The scores of the columns, as the model scales them.
    pub columns: Scores,
}

/// The errors of classifiers on some features.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// The number of columns of the features.
    pub columns: usize,
    /// The errors of logistic regression.
    pub logistic: DrawErrors,
    /// The errors of the nearest neighbours.
    pub neighbours: DrawErrors,
}

/// The error rate of a classifier in each draw: the share of test rows that it classifies wrongly.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawErrors(Vec<f64>);

impl DrawErrors {
    /// The error rate of each draw.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// The mean over the draws.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The standard deviation over the draws, by n − 1; `None` for a single draw.
    pub fn deviation(&self) -> Option<f64> {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|error| (error - mean).powi(2)).sum();
        (self.0.len() > 1).then(|| (squares / (self.0.len() - 1) as f64).sqrt())
    }
}

/// Probes a model: on labelled rows of `train`, tested on all of `test`. Its scaling is applied to the columns.
///
/// ```
/// use diabolo::data::{self, ReadOptions, ScalingChoice};
/// use diabolo::model::{Validation, fit_pca};
/// use diabolo::pca::PcaOptions;
/// use diabolo::probe::{ProbeOptions, probe};
///
/// let digits = data::read("digits", &ReadOptions::default())?;
/// let (train, test) = (digits.select(&Vec::from_iter(0..1500))?, digits.select(&Vec::from_iter(1500..1797))?);
/// let model = fit_pca(&train, ScalingChoice::Auto, &PcaOptions::default(), Validation::None)?.model;
/// let probed = probe(&model, &train, &test, &ProbeOptions::new(10))?;
/// assert_eq!((probed.model.columns, probed.columns.columns), (2, 64));
/// assert!(probed.columns.neighbours.mean() < 0.2 && probed.model.neighbours.mean() > 0.3);
/// # Ok::<(), diabolo::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] when a class has fewer rows, or a draw more than [`MOST_LABELLED`] or [`MOST_SCORES`];
/// [`Error::Mismatch`] when a data set does not have the model's width, or no labels, when there is one class only, when a
/// label of `test` is not in `train`, or a value is out of all proportion.
///
/// # Panics
/// When `labels_per_class` or `draws` is 0, or the layer belongs to another model.
pub fn probe(model: &Model, train: &Dataset, test: &Dataset, options: &ProbeOptions) -> Result<Probed> {
    let ProbeOptions { labels_per_class, draws, layer, seed } = *options;
    assert!(labels_per_class > 0 && draws > 0, "at least one label and one draw");
    model.check_width(train)?;
    model.check_width(test)?;
    let classes = Classes::new(train, test)?;
    let labelled = labels_per_class.saturating_mul(classes.count());
    if labelled > MOST_LABELLED || labelled * classes.count() > MOST_SCORES {
        let (count, most) = (classes.count(), MOST_LABELLED.min(MOST_SCORES / classes.count()));
        let problem = format!(
            "{labels_per_class} of {count} classes are {labelled} rows; for {count} classes at most {most} are taken"
        );
        return Err(Error::Setting { name: "labels-per-class", problem });
    }
    let drawn = (0..draws).map(|number| classes.draw(labels_per_class, train, seed, number as u64));
    let drawn = drawn.collect::<Result<Vec<_>>>()?;
    let task = Task { isa: model.body.isa(), train, test, classes: &classes, drawn: &drawn, labels_per_class };

    let layer = layer.unwrap_or_else(|| model.code_layer());
    let columns = task.score(&Source::Columns(&model.scaling))?;
    let count = layer.columns().min(train.columns()).min(train.rows());
    let components = PcaOptions { components: Components::Count(count), ..PcaOptions::default() };
    let pca = Pca::fit(&model.scaling.scaled(train), &components).map_err(|error| error.of(train.source()))?;
    let pca = task.score(&Source::Components(&pca, &model.scaling))?;
    let model = task.score(&Source::Layer(model, layer))?;
    Ok(Probed { classes: classes.count(), model, pca, columns })
}

/// The task on which all features are scored.
struct Task<'a> {
    /// The probed model's, whatever the features are.
    isa: Isa,
    train: &'a Dataset,
    test: &'a Dataset,
    classes: &'a Classes,
    /// The labelled rows of each draw.
    drawn: &'a [Vec<usize>],
    labels_per_class: usize,
}

/// The number of test rows that each classifier gets wrong in one draw.
struct Wrong {
    logistic: usize,
    neighbours: usize,
}

impl Task<'_> {
    fn score(&self, source: &Source<'_>) -> Result<Scores> {
        let rows = sorted(self.drawn.concat());
        let features = Features::new(self.isa, source, self.train, &rows, self.test)?;
        let drawn = self.drawn.par_iter().map(|drawn| places(&rows, drawn));
        let wrong: Vec<Wrong> = drawn.map(|drawn| self.wrong(&features, &drawn)).collect();
        let errors = |count: fn(&Wrong) -> usize| {
            DrawErrors(wrong.iter().map(|wrong| count(wrong) as f64 / self.test.rows() as f64).collect())
        };
        Ok(Scores {
            columns: source.columns(self.train),
            logistic: errors(|wrong| wrong.logistic),
            neighbours: errors(|wrong| wrong.neighbours),
        })
    }

    /// Fits both classifiers to the drawn rows, which are indices into the features' training rows, and tests them.
    fn wrong(&self, features: &Features, drawn: &[usize]) -> Wrong {
        let labelled = features.train.select_rows(drawn);
        let of_labelled: Vec<usize> = (0..drawn.len()).map(|row| row / self.labels_per_class).collect();
        let among = products(labelled.view(), labelled.view());
        let logistic = Logistic::choose(self.isa, &among, &of_labelled, self.labels_per_class);
        let neighbours = Neighbours::choose(&among, &of_labelled);
        let found: Vec<[usize; 2]> = (0..self.test.rows().div_ceil(TASK))
            .into_par_iter()
            .flat_map_iter(|task| {
                let rows = task * TASK..self.test.rows().min((task + 1) * TASK);
                let products = products(features.test.rows_view(rows), labelled.view());
                let by_logistic = logistic.classify(&products);
                let both = |(row, by_logistic)| [by_logistic, neighbours.classify(products.row(row))];
                by_logistic.into_iter().enumerate().map(both).collect::<Vec<_>>()
            })
            .collect();
        let wrong = |classifier: usize| {
            self.classes.test.iter().zip(&found).filter(|(class, found)| found[classifier] != **class).count()
        };
        Wrong { logistic: wrong(0), neighbours: wrong(1) }
    }
}

/// Numbers in rising order, each once.
fn sorted(mut numbers: Vec<usize>) -> Vec<usize> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The indices of some numbers in a sorted list that holds them.
fn places(sorted: &[usize], some: &[usize]) -> Vec<usize> {
    some.iter().map(|row| sorted.partition_point(|other| other < row)).collect()
}

/// The inner product of each row of one matrix with each row of another.
fn products(left: MatrixView<'_>, right: MatrixView<'_>) -> Matrix {
    let mut products = Matrix::zeros(left.rows(), right.rows());
    gemm(1.0, left, right.transposed(), 0.0, products.view_mut());
    products
}
