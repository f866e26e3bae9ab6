//! The training loop.

use std::time::Instant;

use rand::seq::SliceRandom;

use super::batches::{Batches, parts_of, trace_in_parts};
use super::checkpoint::checksum;
use super::progress::{Lowest, Progress};
use super::{
    Averaging, End, Epoch, Event, History, LearningRate, Schedule, TrainOptions, VariationalEpoch, VariationalLoss,
    penalty,
};
use crate::data::{check_shift, shifted};
use crate::error::{Error, Result};
use crate::evaluate::evaluate;
use crate::kernels::{Activation, Update, approach};
use crate::likelihood;
use crate::matrix::AlignedBuffer;
use crate::network::{Batch, BatchError, Examples, Gradient, Loss, Network, Objective};
use crate::optimizer::{Optimizer, OptimizerChoice, Step};
use crate::random::{self, Purpose};
use crate::rows::{NormalRows, Rows, check_unit_interval};

/// How much larger than the smallest one so far a loss may be at the end of an epoch that is still good.
const GOOD: f64 = 10.0;

/// The name of the buffer of the best weights.
pub(super) const BEST: &str = "best";

/// A run as it was: how far, and all buffers.
pub(super) type Snapshot = (Progress, Vec<AlignedBuffer>);

/// A training run: a network on its way, a minibatch at a time.
///
/// What it does depends on the network, the rows and the options alone: the order of the rows in an epoch is drawn
/// from the seed and the epoch's number, and the result is the same to the bit for any number of threads.
pub struct Trainer<'a> {
    pub(super) network: &'a mut Network,
    pub(super) rows: &'a dyn Rows,
    pub(super) validation: Option<&'a dyn Rows>,
    pub(super) options: TrainOptions,
    /// The parts of a minibatch that are kept.
    parts: Vec<Batch>,
    optimizer: Box<dyn Optimizer>,
    pub(super) progress: Progress,
    /// Since when the time has not been counted yet; not while an epoch is measured or a checkpoint is written.
    clock: Option<Instant>,
    batches: Batches,
    /// The order of the rows in the epoch of this number.
    order: Vec<usize>,
    order_of: usize,
    /// The gradient, where it is summed from parts or something is done to it before the step; the average of the weights,
    /// and the best weights, where they are asked for. Else empty.
    gradient: AlignedBuffer,
    average: AlignedBuffer,
    pub(super) best: AlignedBuffer,
    /// Checksums of the weights before the first step and, once they are asked for, of the rows.
    pub(super) start: String,
    pub(super) rows_checksum: Option<String>,
    /// The run as it was after the last good epoch, to go back to when it diverges.
    pub(super) last_good: Option<Snapshot>,
}

impl<'a> Trainer<'a> {
    /// A run from the network as it is.
    ///
    /// # Errors
    /// Options out of range; a loss that does not go with the output layer or the data; no rows; rows of another width
    /// than the input layer; patience without held-out rows; tied weights of layers that are no mirror of each other.
    pub fn new(
        network: &'a mut Network,
        rows: &'a dyn Rows,
        validation: Option<&'a dyn Rows>,
        options: &TrainOptions,
    ) -> Result<Self> {
        options.check()?;
        check_fit(network, rows, validation, options)?;
        if options.tied {
            penalty::tie(network);
        }
        let objective =
            Objective { loss: options.loss, code_l1: options.penalty.code_l1, beta: options.variational.beta };
        let length = network.parameters().len();
        let buffer = |wanted: bool| AlignedBuffer::zeros(if wanted { length } else { 0 });
        let count = rows.rows();
        let optimizer = options.optimizer.build(network.architecture(), options.has_exact_steps(count));
        let part = || optimizer.needs().batch(network, objective, options.part_rows(count));
        Ok(Self {
            parts: (0..options.kept_parts(count)).map(|_| part()).collect(),
            optimizer,
            progress: Progress::default(),
            clock: None,
            batches: Batches::new(options, count),
            order: (0..count).collect(),
            order_of: 0,
            gradient: buffer(options.writes_gradient(count)),
            average: buffer(options.averaging != Averaging::None),
            best: buffer(options.stopping.patience.is_some()),
            start: checksum(network.parameters()),
            rows_checksum: None,
            last_good: None,
            options: *options,
            network,
            rows,
            validation,
        })
    }

    /// The network as it is.
    pub fn network(&self) -> &Network {
        self.network
    }

    /// What to train by.
    pub fn options(&self) -> &TrainOptions {
        &self.options
    }

    /// The epochs that are done.
    pub fn history(&self) -> &History {
        &self.progress.history
    }

    /// The rows that were trained on, each as often as it was.
    pub fn rows_done(&self) -> u64 {
        let Progress { history, batches, .. } = &self.progress;
        let rows = self.rows.rows();
        (history.epochs.len() * rows + rows.min(batches * self.batches.size(self.epoch()))) as u64
    }

    /// The rows of all epochs, each as often as it will have been trained on in the end.
    pub fn rows_in_all(&self) -> u64 {
        (self.options.epochs as u64).saturating_mul(self.rows.rows() as u64)
    }

    /// Trains on one minibatch and tells of it; after the last one of an epoch, the next call tells of the epoch. Nothing
    /// when the run is at its end.
    ///
    /// # Errors
    /// Divergence, as soon as a minibatch shows it, when no retry is left. What the very last step did shows only when
    /// the network is evaluated. And when rows cannot be read.
    pub fn advance(&mut self) -> Result<Option<Event>> {
        if self.end().is_some() {
            return Ok(None);
        }
        if self.progress.batches == self.batches.of_epoch(self.epoch())
            || self.is_out_of_time() && self.progress.batches > 0
        {
            return Ok(Some(Event::Epoch(self.end_epoch()?)));
        }
        if self.options.stopping.retries > 0 && self.last_good.is_none() {
            self.last_good = Some(self.snapshot());
        }
        match self.step() {
            Ok(rows) => Ok(Some(Event::Batch { epoch: self.epoch(), rows })),
            Err(Error::Diverged { .. })
                if self.progress.retries < self.options.stopping.retries && !self.is_out_of_time() =>
            {
                Ok(Some(self.retry()))
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the run: the network becomes the average or the best one, where those are asked for.
    pub fn finish(self) -> (History, End) {
        let end = self.end().unwrap_or(End::Interrupted);
        if self.progress.best.error.is_some() && self.options.stopping.patience.is_some() {
            self.network.parameters_mut().copy_from_slice(&self.best);
        } else if self.has_average() {
            self.network.parameters_mut().copy_from_slice(&self.average);
        }
        (self.progress.history, end)
    }

    /// Why the run is at its end, if it is: between two epochs.
    pub fn end(&self) -> Option<End> {
        let Progress { history, batches, best, .. } = &self.progress;
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

    /// The number of the epoch that is on its way, from 1.
    fn epoch(&self) -> usize {
        self.progress.history.epochs.len() + 1
    }

    fn is_out_of_time(&self) -> bool {
        // The clock is not looked at for nothing: a small network's step takes no longer.
        let running = || self.clock.map_or(0.0, |since| since.elapsed().as_secs_f64());
        self.options.stopping.max_seconds.is_some_and(|most| self.progress.total_seconds() + running() >= most)
    }

    /// Counts the time until now, and stops the clock until the next minibatch.
    pub(super) fn stop_clock(&mut self) {
        if let Some(since) = self.clock.take() {
            self.progress.seconds += since.elapsed().as_secs_f64();
        }
    }

    /// One minibatch; how many rows it had.
    fn step(&mut self) -> Result<usize> {
        self.clock.get_or_insert_with(Instant::now);
        self.shuffle();
        let options = &self.options;
        let size = self.batches.size(self.epoch());
        let start = self.progress.batches * size;
        let rows = &self.order[start..self.order.len().min(start + size)];
        let (seed, epoch) = (options.seed, self.epoch() as u64);
        let shifted =
            (options.augmentation.shift > 0).then(|| shifted(self.rows, options.augmentation.shift, seed, epoch));
        let clean = shifted.as_ref().map_or(self.rows, |rows| rows as &dyn Rows);
        let binarised =
            options.augmentation.binarisation.map(|binarisation| binarisation.binarised(clean, seed, epoch));
        let clean = binarised.as_ref().map_or(clean, |rows| rows as &dyn Rows);
        let corrupted = options.augmentation.corruption.map(|corruption| corruption.corrupted(clean, seed, epoch));
        let code_size = self.network.architecture().sizes().code();
        let noise = NormalRows::new(self.rows.rows(), code_size, seed, epoch);
        let is_variational = self.network.architecture().is_variational();
        let examples = Examples {
            inputs: corrupted.as_ref().map_or(clean, |rows| rows),
            targets: corrupted.is_some().then_some(clean),
            noise: is_variational.then_some(&noise),
        };
        if is_variational {
            let beta = options.variational.beta
                * self.share_of_warm_up(options.variational.beta_warm_up, self.progress.steps) as f32;
            self.parts.iter_mut().for_each(|part| part.set_beta(beta));
        }
        let learning_rate = self.learning_rate();
        let count = parts_of(rows.len());
        let parts = &mut self.parts[..options.optimizer.needs().kept_parts(count)];
        let error = match count {
            1 => self.network.trace_examples(examples, rows, &mut parts[0]),
            _ => trace_in_parts(self.network, examples, rows, parts, &mut self.gradient),
        }?;
        check_finite(&error, rows.len(), epoch as usize, learning_rate)?;
        let rows = rows.len();
        self.progress.steps += 1;
        let is_exact = options.is_exact(rows, self.order.len());
        let step = Step { number: self.progress.steps, learning_rate, rows, is_exact };
        let is_changed = penalty::changes_gradient(options);
        if is_changed {
            if count == 1 {
                parts[0].apply(Update::write(&mut self.gradient));
            }
            penalty::change_gradient(self.network, options, &mut self.gradient);
        }
        let gradient = match count > 1 || is_changed {
            true => Gradient::written(parts, &self.gradient),
            false => Gradient::traced(&mut parts[0]),
        };
        penalty::decay(self.network, &self.options, learning_rate);
        self.optimizer.step(self.network, gradient, step);
        if self.options.tied {
            penalty::tie(self.network);
        }
        if let Some(share) = self.options.averaging.share(step.number, self.total_steps()) {
            approach(self.network.isa(), share, self.network.parameters(), &mut self.average);
        }
        self.progress.note_batch(error, rows);
        Ok(rows)
    }

    /// The order of an epoch depends on the seed and its number alone, so that a run can go on anywhere.
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
        self.learning_rate_after(self.progress.steps)
    }

    /// The learning rate of the step that follows so many others, with what plateaus and divergence have made of it by
    /// now.
    fn learning_rate_after(&self, steps: u64) -> f32 {
        let TrainOptions { rate: LearningRate { base, schedule, warm_up }, epochs, .. } = self.options;
        let done = self.batches.epochs(steps);
        let warm = self.share_of_warm_up(warm_up, steps);
        base * (warm * schedule.share(done, epochs as f64)) as f32 * self.progress.rate_share
    }

    /// How far a warm-up of so many epochs is in the step that follows so many others; the first step is no step of zero.
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
        let last = self.progress.steps;
        last > 0 && self.options.averaging.share(last, self.total_steps()).is_some()
    }

    fn end_epoch(&mut self) -> Result<Epoch> {
        self.stop_clock();
        let validation = self.validate()?;
        let rows = self.order.len().min(self.progress.batches * self.batches.size(self.epoch()));
        let learning_rate = self.learning_rate_after(self.progress.steps - 1);
        let variational = self.variational_epoch(rows)?;
        let epoch = self.progress.end_epoch(rows, validation, variational, learning_rate);
        if let Some(error) = validation
            && !self.best.is_empty()
            && self.progress.best.note(error)
        {
            let measured = if self.has_average() { &self.average } else { self.network.parameters() };
            self.best.copy_from_slice(measured);
        }
        if let Schedule::Plateau { patience, factor } = self.options.rate.schedule {
            let bound = epoch.variational.map(|found| -found.elbo);
            self.progress.plateau.note(validation.or(bound).unwrap_or(epoch.error_per_row));
            if self.progress.plateau.epochs_since >= patience {
                self.progress.rate_share *= factor;
                self.progress.plateau = Lowest { epochs_since: 0, ..self.progress.plateau };
            }
        }
        if self.options.stopping.retries > 0 && self.progress.is_good(GOOD) {
            self.last_good = Some(self.snapshot());
        }
        Ok(epoch)
    }

    /// What is known of a variational network, so many rows into an epoch.
    fn variational_epoch(&self, rows: usize) -> Result<Option<VariationalEpoch>> {
        if !self.network.architecture().is_variational() {
            return Ok(None);
        }
        let [loss, divergence] = self.progress.means(rows);
        let log_likelihood = likelihood::constant(self.options.loss, self.rows.columns()) - loss;
        let active_codes = likelihood::active_codes(self.network, self.rows)?;
        Ok(Some(VariationalEpoch { elbo: log_likelihood - divergence, log_likelihood, divergence, active_codes }))
    }

    /// The error on held-out rows of the weights that would be taken now: the average, where there is one.
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
            self.network.parameters_mut().swap_with_slice(&mut self.average);
        }
    }

    /// Every buffer that changes as the run goes on, by name.
    pub(super) fn buffers(&mut self) -> Vec<(String, &mut [f32])> {
        let own =
            [("parameters", self.network.parameters_mut()), ("average", &mut *self.average), ("best", &mut *self.best)];
        let own = own.into_iter().map(|(name, buffer)| (name.to_string(), buffer));
        let memory = self.optimizer.memory().into_iter();
        own.chain(memory.map(|(name, buffer)| (format!("optimizer.{name}"), buffer))).collect()
    }

    fn snapshot(&mut self) -> Snapshot {
        let buffers = self.buffers().into_iter().map(|(_, buffer)| AlignedBuffer::from(&*buffer)).collect();
        (self.progress.clone(), buffers)
    }

    /// Goes back to the last good epoch, with half the step size.
    fn retry(&mut self) -> Event {
        let (progress, buffers) = self.last_good.take().expect("kept before the first step");
        let (retries, rate_share) = (self.progress.retries + 1, 0.5 * self.progress.rate_share);
        self.stop_clock();
        let seconds = self.progress.total_seconds() - progress.history.seconds();
        self.progress = Progress { retries, rate_share, seconds, ..progress };
        for ((_, buffer), kept) in self.buffers().into_iter().zip(&buffers) {
            buffer.copy_from_slice(kept);
        }
        self.last_good = Some((self.progress.clone(), buffers));
        Event::Retry { epoch: self.epoch(), learning_rate: self.learning_rate() }
    }
}

fn check_finite(error: &BatchError, rows: usize, epoch: usize, learning_rate: f32) -> Result<()> {
    if [error.loss, error.squared_error, error.divergence].iter().all(|sum| sum.is_finite()) {
        return Ok(());
    }
    Err(Error::Diverged { epoch, error: error.loss / rows as f64, learning_rate })
}

fn check_fit(network: &Network, rows: &dyn Rows, validation: Option<&dyn Rows>, options: &TrainOptions) -> Result<()> {
    let architecture = network.architecture();
    options.loss.check(architecture.layers()[architecture.layers().len() - 1].activation())?;
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
    if options.augmentation.shift > 0 {
        check_shift(rows, options.augmentation.shift)?;
    }
    if let Some(corruption) = options.augmentation.corruption {
        corruption.check(rows)?;
    }
    if options.stopping.patience.is_some() && validation.is_none() {
        let problem = "it is counted on held-out rows, and there are none; hold some out (validation)".into();
        return Err(Error::Setting { name: "patience", problem });
    }
    if options.tied && !architecture.sizes().is_mirrored() {
        let problem =
            format!("the layers {} do not mirror each other around a waist in the middle", architecture.sizes());
        return Err(Error::Setting { name: "tied", problem });
    }
    if options.optimizer == OptimizerChoice::Kfac && (options.tied || architecture.is_variational()) {
        let problem = "kfac knows the curvature of neither tied weights nor variational codes; use adam or muon".into();
        return Err(Error::Setting { name: "optimizer", problem });
    }
    check_variational(network, options)?;
    if options.loss == Loss::CrossEntropy {
        check_unit_interval(rows, "cross-entropy", "use squared-error")?;
    }
    if options.augmentation.binarisation.is_some() {
        check_unit_interval(rows, "binarise", "leave it out")
    } else {
        Ok(())
    }
}

/// What goes with a variational network, and what with no other.
fn check_variational(network: &Network, options: &TrainOptions) -> Result<()> {
    let wrong = |name, problem: &str| Err(Error::Setting { name, problem: problem.into() });
    let architecture = network.architecture();
    if !architecture.is_variational() {
        if options.variational != VariationalLoss::default() {
            return wrong("beta", "it weighs what a variational code costs, and these codes are not (variational)");
        }
        return Ok(());
    }
    if architecture.layers()[architecture.encoder_depth() - 1].activation() != Activation::Linear {
        return wrong("code activation", "means and variances of variational codes come from a linear layer");
    }
    if options.tied {
        return wrong(
            "tied",
            "a variational encoder ends in means and variances, which no layer of the decoder mirrors",
        );
    }
    if options.penalty.code_l1 > 0.0 {
        return wrong("code l1", "variational codes are held to their prior already; use beta");
    }
    Ok(())
}
