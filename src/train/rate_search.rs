//! The search for a learning rate.

use rand::seq::SliceRandom;

use super::observer::Preparing;
use super::{End, LearningRate, Observer, Preparation, Stopping, TrainOptions, VariationalLoss, train};
use crate::error::{Error, Result};
use crate::evaluate::evaluate;
use crate::network::Network;
use crate::random::{self, Purpose};
use crate::rows::{Rows, Subset};

/// The rates that race: [`RATES`] of them from [`FIRST`] on, evenly spread on a logarithmic scale.
const FIRST: f64 = 1e-5;
const RATES_A_DECADE: i32 = 3;
const RATES: i32 = 19;

/// The heats: the length of a trial, as a share of the longest, and the number of rates that take part.
const HEATS: [(f64, usize); 3] = [(0.125, RATES as usize), (0.33, 7), (1.0, 3)];

/// The floating-point operations of the longest trial: of a longer run it is only a part, but at least the share [`LEAST`].
const WHOLE_RUN: f64 = 2e10;
const LEAST: f64 = 1.0 / 16.0;

/// The largest number of rows whose errors are compared.
const MEASURED_ROWS: usize = 4096;

/// Finds a learning rate for a run from this network by successive halving (Jamieson and Talwalkar, "Non-stochastic best arm
/// identification and hyperparameter optimization", 2016): rates from 10⁻⁵ to 10 train for a short while, those with the
/// lowest errors for longer, and so on. The finalists then compete with rates closer and closer to the best of them, and the
/// rate with the lowest error wins.
///
/// A trial goes through the whole schedule in its own time. All trials together take about as long as the run, or a few
/// seconds where a run takes less than one. The result depends only on the network, the rows and the options. The observer
/// sees each event as a [`Preparation`].
///
/// # Errors
/// [`Error::Diverged`] when even the smallest rate diverges; and the errors of training and of the observer.
pub fn find_learning_rate(
    network: &Network,
    rows: &dyn Rows,
    options: &TrainOptions,
    observer: &mut dyn Observer,
) -> Result<f32> {
    let mut race = Race::new(network, rows, options, observer);
    let finalists = race.heats()?;
    let results = race.refine(finalists)?;
    let diverged = Error::Diverged { epoch: 1, error: f64::INFINITY, learning_rate: FIRST as f32 };
    results.first().map(|&(_, rate)| rate).ok_or(diverged)
}

/// Final errors of trials and their rates, the lowest error first.
type Results = Vec<(f64, f32)>;

/// Trials of different rates from the same network on the same rows.
struct Race<'a> {
    network: &'a Network,
    rows: &'a dyn Rows,
    options: &'a TrainOptions,
    /// The indices of all rows, shuffled: trials shorter than an epoch take the first of them.
    order: Vec<usize>,
    /// The longest trial, as a share of the run.
    longest: f64,
    observer: Preparing<'a>,
}

impl<'a> Race<'a> {
    fn new(
        network: &'a Network,
        rows: &'a dyn Rows,
        options: &'a TrainOptions,
        observer: &'a mut dyn Observer,
    ) -> Self {
        let mut order: Vec<usize> = (0..rows.rows()).collect();
        order.shuffle(&mut random::generator(options.seed, Purpose::Shuffling));
        let operations = network.architecture().training_operations() * rows.rows() as f64 * options.epochs as f64;
        let longest = (WHOLE_RUN / operations).clamp(LEAST, 1.0);
        let observer = Preparing { preparation: Preparation::LearningRate, observer };
        Self { network, rows, options, order, longest, observer }
    }

    /// Successive halving: longer and longer trials of fewer and fewer rates.
    fn heats(&mut self) -> Result<Results> {
        let rates = (0..RATES).map(|step| (FIRST * 10_f64.powf(f64::from(step) / f64::from(RATES_A_DECADE))) as f32);
        let mut ranking: Vec<f32> = rates.collect();
        let mut results = Vec::new();
        for (share, places) in HEATS {
            // Where the best of a short trial all diverge in a longer one, the next best take part.
            for rates in ranking.chunks(places) {
                results = self.run(rates, share)?;
                if !results.is_empty() {
                    break;
                }
            }
            ranking = results.iter().map(|&(_, rate)| rate).collect();
        }
        Ok(results)
    }

    /// Adds trials of rates closer and closer to the best: it may lie between two, and close below one that diverges.
    fn refine(&mut self, mut results: Results) -> Result<Results> {
        for part in [0.5, 0.25, 0.125] {
            if let Some(&(_, rate)) = results.first() {
                let factor = 10_f32.powf(part / RATES_A_DECADE as f32);
                results.extend(self.run(&[rate / factor, rate * factor], 1.0)?);
                results.sort_by(|first, second| first.0.total_cmp(&second.0));
            }
        }
        Ok(results)
    }

    /// Trials of some rates, each a share of the longest trial. Rates that diverge have no result.
    fn run(&mut self, rates: &[f32], share: f64) -> Result<Results> {
        let mut results = Vec::new();
        for &learning_rate in rates {
            let options = self.options.with_learning_rate(learning_rate);
            // Weight decay would multiply weights by 0 or less; no run may do so.
            if options.penalty.leaves_nothing(learning_rate) {
                continue;
            }
            match self.trial(&options, share * self.longest) {
                Ok(error) => results.push((error, learning_rate)),
                Err(Error::Diverged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        results.sort_by(|first, second| first.0.total_cmp(&second.0));
        Ok(results)
    }

    /// The error after a share of the run's steps: fewer epochs, or one epoch of fewer rows, with the schedule
    /// shortened alike. For a variational network, the mean over the last epoch of the loss that it minimises.
    fn trial(&mut self, options: &TrainOptions, share: f64) -> Result<f64> {
        let epochs = share * options.epochs as f64;
        let count = (epochs.min(1.0) * self.order.len() as f64).ceil() as usize;
        let some = Subset::new(self.rows, &self.order[..count.max(options.batch_size).min(self.order.len())]);
        let epochs = (epochs.round() as usize).max(1);
        let options = shortened(options, epochs);
        let mut network = self.network.clone();
        let (history, end) = train(&mut network, &some, None, &options, &mut self.observer)?;
        debug_assert_eq!(end, End::Epochs);
        let measured = &self.order[..self.order.len().min(MEASURED_ROWS)];
        let error = match history.epochs.last().and_then(|epoch| epoch.variational) {
            Some(found) => f64::from(options.variational.beta) * found.divergence - found.log_likelihood,
            None => evaluate(&network, &Subset::new(self.rows, measured))?.error_per_row,
        };
        let diverged = Error::Diverged { epoch: epochs, error, learning_rate: options.rate.base };
        if error.is_finite() { Ok(error) } else { Err(diverged) }
    }
}

/// The options of a run of fewer epochs. Early stopping, limits and retries are left to the run itself.
fn shortened(options: &TrainOptions, epochs: usize) -> TrainOptions {
    let share = epochs as f64 / options.epochs as f64;
    TrainOptions {
        epochs,
        double_batch: options.double_batch.map(|double| ((share * double as f64).round() as usize).max(1)),
        rate: LearningRate {
            base: options.rate.base,
            schedule: options.rate.schedule.shortened(share),
            warm_up: share * options.rate.warm_up,
        },
        variational: VariationalLoss { beta_warm_up: share * options.variational.beta_warm_up, ..options.variational },
        stopping: Stopping::default(),
        ..*options
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Schedule;

    #[test]
    fn a_trial_goes_through_the_whole_schedule_in_its_own_time() {
        let schedule = Schedule::Step { every: 20, factor: 0.5 };
        let options = TrainOptions {
            epochs: 60,
            rate: LearningRate { warm_up: 6.0, schedule, base: 0.01 },
            variational: VariationalLoss { beta_warm_up: 30.0, ..VariationalLoss::default() },
            ..TrainOptions::default()
        };
        let short = shortened(&options, 6);
        assert_eq!((short.epochs, short.rate.warm_up, short.variational.beta_warm_up), (6, 0.1 * 6.0, 3.0));
        assert_eq!(short.rate.schedule, Schedule::Step { every: 2, factor: 0.5 });
    }
}
