//! A learning rate for those who do not know one.

use super::{End, TrainOptions, train};
use crate::data::{Rows, Subset};
use crate::error::{Error, Result};
use crate::evaluate::evaluate;
use crate::network::Network;
use crate::random::{self, Purpose};
use rand::seq::SliceRandom;

/// The rates that race: from the first on, each the next root of ten larger.
const FIRST: f64 = 1e-5;
const RATES_A_DECADE: i32 = 3;
const RATES: i32 = 19;

/// The heats: how long a trial is, as a share of the longest, and how many rates go on from it.
const HEATS: [(f64, usize); 3] = [(0.125, 7), (0.33, 3), (1.0, 1)];

/// Floating-point operations of a trial that is as long as the run itself; of longer runs it is a part, but no less
/// than this share.
const WHOLE_RUN: f64 = 2e10;
const LEAST: f64 = 1.0 / 16.0;

/// Rows whose error is compared, at most.
const MEASURED_ROWS: usize = 4096;

/// Finds a learning rate for a run from this network, by a race (successive halving: Jamieson and Talwalkar,
/// "Non-stochastic best arm identification and hyperparameter optimization", 2016): rates from 10⁻⁵ to 10 train for a
/// short while, those with the lowest error for longer, and so on; of the last, and rates closer and closer to the
/// best, the lowest wins.
///
/// A trial goes through the whole schedule in its own time. All together take about as long as the run,
/// or, where a run takes less than a second, some seconds. The result depends on the arguments alone.
///
/// # Errors
/// Those of training, when even the smallest rate diverges or the options do not fit.
pub fn find_learning_rate(network: &Network, rows: &dyn Rows, options: &TrainOptions) -> Result<f32> {
    let mut order: Vec<usize> = (0..rows.rows()).collect();
    order.shuffle(&mut random::generator(options.seed, Purpose::Shuffling));
    let measured = &order[..order.len().min(MEASURED_ROWS)];
    let operations = network.architecture().training_operations() * rows.rows() as f64 * options.epochs as f64;
    let longest = (WHOLE_RUN / operations).clamp(LEAST, 1.0);
    let mut rates: Vec<f32> =
        (0..RATES).map(|step| (FIRST * 10_f64.powf(f64::from(step) / f64::from(RATES_A_DECADE))) as f32).collect();
    let race = |rates: &[f32], share: f64| -> Result<Vec<(f64, f32)>> {
        let mut results = Vec::new();
        for &learning_rate in rates {
            let options = TrainOptions { learning_rate, ..*options };
            match trial(network, rows, &order, measured, &options, share * longest) {
                Ok(error) => results.push((error, learning_rate)),
                Err(Error::Diverged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        results.sort_by(|first, second| first.0.total_cmp(&second.0));
        Ok(results)
    };
    let mut results = Vec::new();
    for (share, places) in HEATS {
        results = race(&rates, share)?;
        rates = results.iter().take(places).map(|&(_, rate)| rate).collect();
    }
    // The best rate may lie between two, and close below one that diverges.
    for part in [0.5, 0.25, 0.125] {
        if let Some(&(_, rate)) = results.first() {
            let factor = 10_f32.powf(part / RATES_A_DECADE as f32);
            results.extend(race(&[rate / factor, rate * factor], 1.0)?);
            results.sort_by(|first, second| first.0.total_cmp(&second.0));
        }
    }
    let best = results.into_iter().min_by(|first, second| first.0.total_cmp(&second.0));
    best.map(|(_, rate)| rate).ok_or(Error::Diverged { epoch: 1, error: f64::INFINITY, learning_rate: FIRST as f32 })
}

/// The error after a run of a share of the steps: fewer epochs, or an epoch of fewer rows. For a variational network
/// it is what it makes small, the mean over the last of these.
fn trial(
    network: &Network,
    rows: &dyn Rows,
    order: &[usize],
    measured: &[usize],
    options: &TrainOptions,
    share: f64,
) -> Result<f64> {
    let epochs = share * options.epochs as f64;
    let count = (epochs.min(1.0) * order.len() as f64).ceil() as usize;
    let some = Subset::new(rows, &order[..count.max(options.batch_size).min(order.len())]);
    let epochs = (epochs.round() as usize).max(1);
    // Held-out rows, and what hangs on them, are left to the run itself.
    let options = TrainOptions { epochs, patience: None, max_seconds: None, retries: 0, ..*options };
    let mut network = network.clone();
    let (history, end) = train(&mut network, &some, None, &options, &mut ())?;
    debug_assert_eq!(end, End::Epochs);
    let error = match history.epochs.last().and_then(|epoch| epoch.variational) {
        Some(found) => f64::from(options.beta) * found.divergence - found.log_likelihood,
        None => evaluate(&network, &Subset::new(rows, measured)).error_per_row,
    };
    let diverged = Error::Diverged { epoch: epochs, error, learning_rate: options.learning_rate };
    if error.is_finite() { Ok(error) } else { Err(diverged) }
}
