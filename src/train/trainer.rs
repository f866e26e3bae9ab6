//! The training loop.

use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use rand::seq::SliceRandom;

use super::batches::Batches;
use super::compatibility::check_compatible;
use super::gradient::MinibatchGradient;
use super::identity::Identity;
use super::progress::{BestError, Progress};
use super::state::RunState;
use super::{
    Averaging, End, Epoch, Event, History, LearningRate, Schedule, TrainOptions, VariationalEpoch, checkpoint,
    regularisation,
};
use crate::error::{Error, Result};
use crate::evaluate::evaluate;
use crate::kernels::approach;
use crate::likelihood;
use crate::network::{BatchError, Examples, Network};
use crate::optimizer::Step;
use crate::random::{self, Purpose};
use crate::rows::{NormalRows, Rows};
use crate::settings::by_name;

/// The largest ratio of an epoch's last loss to the smallest loss so far for the epoch to be a good one, to which the
/// run may go back.
const GOOD: f64 = 10.0;

/// A training run: a network and its state, advanced a minibatch at a time.
///
/// Its result depends only on the network, the rows and the options: the order of the rows in an epoch is drawn from
/// the seed and the epoch's number, and the bits are the same for any number of threads.
pub struct Trainer<'a> {
    pub(super) network: &'a mut Network,
    rows: &'a dyn Rows,
    validation: Option<&'a dyn Rows>,
    options: TrainOptions,
    pub(super) state: RunState,
    identity: Identity,
    gradient: MinibatchGradient,
    batches: Batches,
    /// The order of the rows in the epoch of this number.
    order: Vec<usize>,
    order_of: usize,
    /// The time since which seconds have not been counted yet; none while an epoch is measured or a checkpoint is written.
    clock: Option<Instant>,
}

impl<'a> Trainer<'a> {
    /// A run that starts from `network`.
    ///
    /// # Errors
    /// [`Error::Setting`] for options out of range, and [`Error::Setting`] or [`Error::Mismatch`] where network, rows and
    /// options are incompatible: a loss and another output layer or data, no rows, rows of another width than the input
    /// layer, patience without held-out rows, tied weights of layers that do not mirror each other.
    pub fn new(
        network: &'a mut Network,
        rows: &'a dyn Rows,
        validation: Option<&'a dyn Rows>,
        options: &TrainOptions,
    ) -> Result<Self> {
        options.check()?;
        check_compatible(network, rows, validation, options)?;
        if options.tied {
            regularisation::tie(network);
        }
        let count = rows.rows();
        Ok(Self {
            state: RunState::new(network, options, count),
            identity: Identity::new(network),
            gradient: MinibatchGradient::new(network, options, count),
            batches: Batches::new(options, count),
            order: (0..count).collect(),
            order_of: 0,
            clock: None,
            options: *options,
            network,
            rows,
            validation,
        })
    }

    /// The network in its present state.
    pub fn network(&self) -> &Network {
        self.network
    }

    /// The options of the run.
    pub fn options(&self) -> &TrainOptions {
        &self.options
    }

    /// The epochs that are done.
    pub fn history(&self) -> &History {
        &self.state.progress.history
    }

    /// The number of rows that were trained on, counted once for each epoch.
    pub fn rows_done(&self) -> u64 {
        let Progress { history, batches, .. } = &self.state.progress;
        let rows = self.rows.rows();
        (history.epochs.len() * rows + rows.min(batches * self.batches.size(self.epoch()))) as u64
    }

    /// The number of rows of all epochs, counted once for each epoch.
    pub fn rows_in_all(&self) -> u64 {
        (self.options.epochs as u64).saturating_mul(self.rows.rows() as u64)
    }

    /// Trains on one minibatch and returns its event; after the last one of an epoch, the next call returns the event of the
    /// epoch. `None` when the run is at its end.
    ///
    /// # Errors
    /// [`Error::Diverged`] as soon as a minibatch shows divergence and no retry is left (the effect of the very last
    /// step shows only when the network is evaluated); and when rows cannot be read.
    pub fn advance(&mut self) -> Result<Option<Event>> {
        if self.end().is_some() {
            return Ok(None);
        }
        if self.state.progress.batches == self.batches.of_epoch(self.epoch())
            || self.is_out_of_time() && self.state.progress.batches > 0
        {
            return Ok(Some(Event::Epoch(self.end_epoch()?)));
        }
        if self.options.stopping.retries > 0 && self.state.last_good.is_none() {
            self.state.keep(self.network);
        }
        match self.step() {
            Ok(rows) => Ok(Some(Event::Batch { epoch: self.epoch(), rows })),
            Err(Error::Diverged { .. })
                if self.state.progress.retries < self.options.stopping.retries && !self.is_out_of_time() =>
            {
                Ok(Some(self.retry()))
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the run: the network becomes the average or the best one, where the options require it.
    pub fn finish(self) -> (History, End) {
        let end = self.end().unwrap_or(End::Interrupted);
        if self.state.progress.best.error.is_some() && self.options.stopping.patience.is_some() {
            self.network.parameters_mut().copy_from_slice(&self.state.best);
        } else if self.has_average() {
            self.network.parameters_mut().copy_from_slice(&self.state.average);
        }
        (self.state.progress.history, end)
    }

    /// Why the run is at its end, if it is: between two epochs.
    pub fn end(&self) -> Option<End> {
        let Progress { history, batches, best, .. } = &self.state.progress;
        if *batches > 0 || history.epochs.is_empty() {
            None
        } else if history.epochs.len() >= self.options.epochs {
            Some(End::Epochs)
        } else if self.options.stopping.patience.is_some_and(|patience| best.epochs_since >= patience) {
            Some(End::Patience)
        } else {
            self.is_out_of_time().then_some(End::MaxTime)
        }
    }

    /// The number of the current epoch, from 1.
    fn epoch(&self) -> usize {
        self.state.progress.history.epochs.len() + 1
    }

    fn is_out_of_time(&self) -> bool {
        // The clock is read only where a limit is set: a step of a small network takes no longer than reading it.
        let running = || self.clock.map_or(0.0, |since| since.elapsed().as_secs_f64());
        self.options.stopping.max_seconds.is_some_and(|most| self.state.progress.total_seconds() + running() >= most)
    }

    /// Counts the time until now, and stops the clock until the next minibatch.
    fn stop_clock(&mut self) {
        if let Some(since) = self.clock.take() {
            self.state.progress.seconds += since.elapsed().as_secs_f64();
        }
    }

    /// Trains on one minibatch: examples, gradient, penalties, update, average. Returns its number of rows.
    fn step(&mut self) -> Result<usize> {
        self.clock.get_or_insert_with(Instant::now);
        self.shuffle();
        let minibatch = self.minibatch();
        let (rows, learning_rate) = (minibatch.len(), self.learning_rate());
        let error = self.trace(minibatch)?;
        // Checked before the weights change: the run goes back to a good epoch, or ends with the last finite weights.
        check_finite(&error, rows, self.epoch(), learning_rate)?;
        self.state.progress.steps += 1;
        let is_exact = self.options.is_exact(rows, self.order.len());
        let step = Step { number: self.state.progress.steps, learning_rate, rows, is_exact };
        self.gradient.penalise(self.network, &self.options);
        self.update(step);
        self.average(step);
        self.state.progress.note_batch(error, rows);
        Ok(rows)
    }

    /// The range of the next minibatch within the order of the epoch.
    fn minibatch(&self) -> Range<usize> {
        let size = self.batches.size(self.epoch());
        let start = self.state.progress.batches * size;
        start..self.order.len().min(start + size)
    }

    /// Runs the examples of a minibatch through the network and their gradient back.
    fn trace(&mut self, minibatch: Range<usize>) -> Result<BatchError> {
        let (seed, epoch) = (self.options.seed, self.epoch() as u64);
        let augmented = self.options.augmentation.examples(self.rows, seed, epoch);
        let architecture = self.network.architecture();
        let noise = NormalRows::new(self.rows.rows(), architecture.sizes().code(), seed, epoch);
        let is_variational = architecture.is_variational();
        let examples = Examples {
            inputs: augmented.inputs(),
            targets: augmented.targets(),
            noise: is_variational.then_some(&noise),
        };
        if is_variational {
            let variational = self.options.variational;
            let warm = self.share_of_warm_up(variational.beta_warm_up, self.state.progress.steps) as f32;
            self.gradient.set_beta(variational.beta * warm);
        }
        self.gradient.trace(self.network, examples, &self.order[minibatch])
    }

    /// Decays the weights and takes the optimizer's step.
    fn update(&mut self, step: Step) {
        regularisation::decay(self.network, &self.options, step.learning_rate);
        self.state.optimizer.step(self.network, self.gradient.get(), step);
        if self.options.tied {
            regularisation::tie(self.network);
        }
    }

    /// Adds the weights after a step to their average, where the options require one.
    fn average(&mut self, step: Step) {
        if let Some(share) = self.options.averaging.share(step.number, self.total_steps()) {
            approach(self.network.isa(), share, self.network.parameters(), &mut self.state.average);
        }
    }

    /// Shuffles the rows for a new epoch. Their order depends only on the seed and the epoch's number, so that a run
    /// can resume anywhere.
    fn shuffle(&mut self) {
        let epoch = self.epoch();
        if self.order_of != epoch {
            let mut generator = random::generator_of(self.options.seed, Purpose::Shuffling, epoch as u64);
            self.order.iter_mut().enumerate().for_each(|(index, row)| *row = index);
            self.order.shuffle(&mut generator);
            self.order_of = epoch;
        }
    }

    /// The learning rate of the next step.
    fn learning_rate(&self) -> f32 {
        self.learning_rate_after(self.state.progress.steps)
    }

    /// The learning rate of the step after the first `steps`, as far as plateaus and divergence have lowered it.
    fn learning_rate_after(&self, steps: u64) -> f32 {
        let TrainOptions { rate: LearningRate { base, schedule, warm_up }, epochs, .. } = self.options;
        let done = self.batches.epochs(steps);
        let warm = self.share_of_warm_up(warm_up, steps);
        base * (warm * schedule.share(done, epochs as f64)) as f32 * self.state.progress.rate_share
    }

    /// The share that a warm-up over `epochs` epochs has reached in the step after the first `steps`; it is positive
    /// from the first step on.
    fn share_of_warm_up(&self, epochs: f64, steps: u64) -> f64 {
        match epochs > 0.0 {
            true => (self.batches.epochs(steps + 1) / epochs).min(1.0),
            false => 1.0,
        }
    }

    fn total_steps(&self) -> u64 {
        self.batches.of_epochs(self.options.epochs)
    }

    fn has_average(&self) -> bool {
        let last = self.state.progress.steps;
        last > 0 && self.options.averaging.share(last, self.total_steps()).is_some()
    }

    /// Measures the epoch that is done, and updates whatever depends on it: best weights, plateau, the last good state.
    fn end_epoch(&mut self) -> Result<Epoch> {
        self.stop_clock();
        let validation = self.validate()?;
        // An epoch that ran out of time has fewer rows.
        let rows = self.order.len().min(self.state.progress.batches * self.batches.size(self.epoch()));
        let learning_rate = self.learning_rate_after(self.state.progress.steps - 1);
        let variational = self.variational_epoch(rows)?;
        let epoch = self.state.progress.end_epoch(rows, validation, variational, learning_rate);
        self.keep_best(validation);
        self.follow_plateau(&epoch);
        if self.options.stopping.retries > 0 && self.state.progress.is_good(GOOD) {
            self.state.keep(self.network);
        }
        Ok(epoch)
    }

    /// Keeps the measured weights, if their error on held-out rows is the smallest so far.
    fn keep_best(&mut self, validation: Option<f64>) {
        if let Some(error) = validation
            && !self.state.best.is_empty()
            && self.state.progress.best.note(error)
        {
            let measured = if self.has_average() { &self.state.average } else { self.network.parameters() };
            self.state.best.copy_from_slice(measured);
        }
    }

    /// Lowers the learning rate where the schedule follows plateaus and the error has not fallen for its patience.
    fn follow_plateau(&mut self, epoch: &Epoch) {
        let Schedule::Plateau { patience, factor } = self.options.rate.schedule else { return };
        let bound = epoch.variational.map(|found| -found.elbo);
        let progress = &mut self.state.progress;
        progress.plateau.note(epoch.validation_error_per_row.or(bound).unwrap_or(epoch.error_per_row));
        if progress.plateau.epochs_since >= patience {
            progress.rate_share *= factor;
            progress.plateau = BestError { epochs_since: 0, ..progress.plateau };
        }
    }

    /// The bound and its parts for a variational network, from the first `rows` rows of an epoch.
    fn variational_epoch(&self, rows: usize) -> Result<Option<VariationalEpoch>> {
        if !self.network.architecture().is_variational() {
            return Ok(None);
        }
        let [loss, divergence] = self.state.progress.means(rows);
        let log_likelihood = likelihood::constant(self.options.loss, self.rows.columns()) - loss;
        let active_codes = likelihood::active_codes(self.network, self.rows)?;
        Ok(Some(VariationalEpoch { elbo: log_likelihood - divergence, log_likelihood, divergence, active_codes }))
    }

    /// The error on held-out rows of the average of the weights, where there is one, else of the weights.
    fn validate(&mut self) -> Result<Option<f64>> {
        let Some(rows) = self.validation else { return Ok(None) };
        let averaged = self.has_average();
        self.swap_average(averaged);
        let errors = evaluate(self.network, rows);
        self.swap_average(averaged);
        Ok(Some(errors?.error_per_row))
    }

    fn swap_average(&mut self, averaged: bool) {
        if averaged {
            self.network.parameters_mut().swap_with_slice(&mut self.state.average);
        }
    }

    /// Goes back to the last good epoch, with half the step size.
    fn retry(&mut self) -> Event {
        self.stop_clock();
        self.state.go_back(self.network);
        Event::Retry { epoch: self.epoch(), learning_rate: self.learning_rate() }
    }

    /// Writes everything that the run needs to resume to a file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written; what was there before is then still there.
    pub fn save_checkpoint(&mut self, path: &Path) -> Result<()> {
        self.stop_clock();
        let settings = self.identity.settings(self.network, self.rows, self.validation, &self.options)?;
        checkpoint::save(path, settings, self.network, &mut self.state)
    }

    /// The learning rate of a checkpoint's run.
    ///
    /// # Errors
    /// When the file cannot be read, is no checkpoint, or is damaged.
    pub fn learning_rate_of(path: &Path) -> Result<f32> {
        checkpoint::learning_rate(path)
    }

    /// Resumes from a checkpoint of the same run: the further steps have the same bits as if the run had not stopped.
    ///
    /// The options of [`Stopping`](super::Stopping) may change, and so may the number of epochs, unless the weights are
    /// averaged over a share of them.
    ///
    /// # Errors
    /// When the file cannot be read, is no checkpoint, is damaged, or belongs to a run with other settings or data.
    pub fn resume(&mut self, path: &Path) -> Result<()> {
        let settings = self.identity.settings(self.network, self.rows, self.validation, &self.options)?;
        let stopping = by_name(&self.options.stopping);
        let may_change = |name: &str| match name {
            "epochs" => !matches!(self.options.averaging, Averaging::Tail(_)),
            name => stopping.contains_key(name),
        };
        checkpoint::load(path, &settings, may_change, self.network, &mut self.state)
    }
}

fn check_finite(error: &BatchError, rows: usize, epoch: usize, learning_rate: f32) -> Result<()> {
    if [error.loss, error.squared_error, error.divergence].iter().all(|sum| sum.is_finite()) {
        return Ok(());
    }
    Err(Error::Diverged { epoch, error: error.loss / rows as f64, learning_rate })
}
