//! The training loop.

use std::time::Instant;

use rand::seq::SliceRandom;

use super::{Epoch, History};
use crate::data::Rows;
use crate::error::{Error, Result};
use crate::evaluate::evaluate;
use crate::network::{Batch, BatchError, Loss, Network};
use crate::optimizer::OptimizerChoice;
use crate::random::{self, Purpose};

/// How to train.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainOptions {
    /// Passes over the training rows.
    pub epochs: usize,
    /// Rows of a minibatch; the last one of an epoch may be shorter.
    pub batch_size: usize,
    /// The step size α, for the gradient of the mean loss of a row.
    pub learning_rate: f32,
    /// The update rule.
    pub optimizer: OptimizerChoice,
    /// What to make small.
    pub loss: Loss,
    /// Decides the order of the rows in each epoch.
    pub seed: u64,
}

impl Default for TrainOptions {
    fn default() -> Self {
        let optimizer = OptimizerChoice::Adam;
        Self {
            epochs: 100,
            batch_size: 32,
            learning_rate: optimizer.usual_learning_rate(),
            optimizer,
            loss: Loss::SquaredError,
            seed: 1,
        }
    }
}

impl TrainOptions {
    /// Checks the numbers.
    ///
    /// # Errors
    /// When epochs or batch size are 0, or the learning rate is not a finite number above 0.
    pub fn check(&self) -> Result<()> {
        let wrong = |name, problem: String| Err(Error::Setting { name, problem });
        if self.epochs == 0 {
            return wrong("epochs", "0 epochs train nothing; at least 1 is needed".into());
        }
        if self.batch_size == 0 {
            return wrong("batch size", "a minibatch has at least 1 row".into());
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return wrong("learning rate", format!("{} is not a finite number above 0", self.learning_rate));
        }
        self.optimizer.check()
    }
}

/// What an observer of the training loop is told.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A minibatch is done.
    Batch {
        /// The epoch it belongs to, from 1.
        epoch: usize,
        /// Its rows.
        rows: usize,
    },
    /// An epoch is done.
    Epoch(&'a Epoch),
}

/// Trains a network on rows by minibatches, shuffled anew each epoch, and returns the history.
///
/// It runs on the rayon pool it is called from; the result is the same to the bit for any number of threads.
///
/// # Errors
/// Options out of range; a loss that does not go with the output layer or the data; no rows; rows of another width
/// than the input layer; and divergence, as soon as a minibatch shows it. What the very last step did shows only when
/// the network is evaluated.
pub fn train(
    network: &mut Network,
    rows: &dyn Rows,
    validation: Option<&dyn Rows>,
    options: &TrainOptions,
    observer: &mut dyn FnMut(Event<'_>),
) -> Result<History> {
    options.check()?;
    check_fit(network, rows, validation, options.loss)?;
    let mut batch = Batch::new(network, options.loss, options.batch_size.min(rows.rows()));
    let mut optimizer = options.optimizer.build(network.parameters().len());
    let mut order: Vec<usize> = (0..rows.rows()).collect();
    let mut generator = random::generator(options.seed, Purpose::Shuffling);
    let mut history = History::default();
    for number in 1..=options.epochs {
        let start = Instant::now();
        order.shuffle(&mut generator);
        let mut sums = BatchError::default();
        for rows_of_batch in order.chunks(options.batch_size) {
            let error = network.trace(rows, rows_of_batch, &mut batch);
            check_finite(&error, rows_of_batch.len(), number, options)?;
            batch.apply(optimizer.step(options.learning_rate, network.parameters_mut()));
            sums += error;
            observer(Event::Batch { epoch: number, rows: rows_of_batch.len() });
        }
        let seconds = start.elapsed().as_secs_f64();
        let count = rows.rows() as f64;
        let epoch = Epoch {
            number,
            loss: sums.loss / count,
            error_per_row: sums.squared_error / count,
            validation_error_per_row: validation.map(|rows| evaluate(network, rows).error_per_row),
            seconds,
            rows_per_second: count / seconds,
        };
        observer(Event::Epoch(&epoch));
        history.epochs.push(epoch);
    }
    Ok(history)
}

fn check_finite(error: &BatchError, rows: usize, epoch: usize, options: &TrainOptions) -> Result<()> {
    if error.loss.is_finite() && error.squared_error.is_finite() {
        return Ok(());
    }
    Err(Error::Diverged { epoch, error: error.loss / rows as f64, learning_rate: options.learning_rate })
}

fn check_fit(network: &Network, rows: &dyn Rows, validation: Option<&dyn Rows>, loss: Loss) -> Result<()> {
    let architecture = network.architecture();
    loss.check(architecture.layers()[architecture.layers().len() - 1].activation())?;
    for (what, rows) in [("training", Some(rows)), ("validation", validation)] {
        let Some(rows) = rows else { continue };
        if rows.rows() == 0 {
            return Err(Error::Mismatch(format!("there are no {what} rows; at least one is needed")));
        }
        if rows.columns() != architecture.sizes().input() {
            return Err(Error::Mismatch(format!(
                "the {what} rows have {} columns, but the layers {} take {}",
                rows.columns(),
                architecture.sizes(),
                architecture.sizes().input()
            )));
        }
    }
    if loss == Loss::CrossEntropy { check_unit_interval(rows) } else { Ok(()) }
}

fn check_unit_interval(rows: &dyn Rows) -> Result<()> {
    let mut values = vec![0.0; rows.columns()];
    for row in 0..rows.rows() {
        rows.copy_row(row, &mut values);
        if let Some(column) = values.iter().position(|value| !(0.0..=1.0).contains(value)) {
            return Err(Error::Mismatch(format!(
                "cross-entropy needs data in [0, 1], but column {} has {}; scale it (unit), or use squared-error",
                column + 1,
                values[column]
            )));
        }
    }
    Ok(())
}
