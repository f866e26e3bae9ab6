//! How fast a network trains and reconstructs here, beside what the processor could do at most.

use std::time::{Duration, Instant};

use rand::Rng;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::evaluate::Reconstruct;
use crate::kernels::Isa;
use crate::network::Network;
use crate::random::{Purpose, generator};
use crate::rows::{Rows, Subset, for_each_chunk};
use crate::train::{TrainOptions, train};

/// Rounds whose median is reported; in each, everything is measured in turn.
const ROUNDS: usize = 5;

/// Epochs of a round at most: of small networks, enough for a median.
const MOST_EPOCHS: usize = 100_000;

/// Batches of the trial that comes first.
const TRIAL_BATCHES: usize = 4;

/// Steps of the multiply-add loop between two looks at the clock: about a millisecond.
const PEAK_STEPS: usize = 1 << 18;

/// The rates of a network on the threads of one pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throughput {
    /// How many threads there were.
    pub threads: usize,
    /// The most floating-point operations per second that multiply-adds in registers reach on all threads together.
    pub peak: f64,
    /// Training, the shuffling and gathering of rows included.
    pub training: Rate,
    /// Reconstruction.
    pub reconstruction: Rate,
}

/// How fast rows pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Rows per second.
    pub rows: f64,
    /// Floating-point operations per second that products with the weights make, two a multiply-add: all else is left
    /// out of the count, not of the time.
    pub operations: f64,
}

/// Trains the network for about `duration` in all, and reconstructs with it, on the rayon pool that it is called from.
/// Where an epoch would take too long, it has the first of the rows alone.
///
/// # Errors
/// Those of [`train`].
pub fn measure(
    network: &mut Network,
    rows: &dyn Rows,
    options: &TrainOptions,
    duration: Duration,
) -> Result<Throughput> {
    let isa = network.isa();
    let share = duration.as_secs_f64() / ROUNDS as f64;
    let mut seconds_of_epoch = |rows: &dyn Rows, epochs: usize| -> Result<f64> {
        let (history, _) =
            train(network, rows, None, &TrainOptions { epochs, double_batch: None, ..*options }, &mut ())?;
        Ok(median(history.epochs.iter().map(|epoch| epoch.seconds).collect()))
    };
    // A few batches tell how many of the rows an epoch can have, or how many epochs a round.
    let all: Vec<usize> = (0..rows.rows()).collect();
    let trial = options.batch_size.saturating_mul(TRIAL_BATCHES).min(all.len());
    let seconds_of_row = seconds_of_epoch(&Subset::new(rows, &all[..trial]), 1)? / trial as f64;
    let affordable = (0.6 * share / seconds_of_row.max(f64::MIN_POSITIVE)) as usize;
    let some = Subset::new(rows, &all[..affordable.clamp(trial, all.len())]);
    let epochs = (affordable / some.rows()).clamp(1, MOST_EPOCHS);
    let (mut peaks, mut training, mut reconstruction) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        peaks.push(peak(isa, Duration::from_secs_f64(0.1 * share)));
        training.push(seconds_of_epoch(&some, epochs)?);
    }
    for _ in 0..ROUNDS {
        reconstruction.push(seconds_of_reconstruction(network, &some, Duration::from_secs_f64(0.3 * share))?);
    }
    let rate = |seconds: Vec<f64>, operations: f64| {
        let rows = some.rows() as f64 / median(seconds);
        Rate { rows, operations: rows * operations }
    };
    let architecture = network.architecture();
    Ok(Throughput {
        threads: rayon::current_num_threads(),
        peak: median(peaks),
        training: rate(training, architecture.training_operations()),
        reconstruction: rate(reconstruction, architecture.forward_operations()),
    })
}

/// Rows of random bytes to measure with, always the same.
///
/// # Errors
/// When there is no memory for them.
pub fn random_bytes(rows: usize, columns: usize) -> Result<Dataset> {
    let too_many = || Error::Setting { name: "rows", problem: format!("{rows} rows of {columns} bytes are too many") };
    let length = rows.checked_mul(columns).ok_or_else(too_many)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| too_many())?;
    bytes.resize(length, 0);
    generator(1, Purpose::Bench).fill_bytes(&mut bytes);
    Dataset::from_bytes("random bytes", rows, columns, bytes)
}

/// Operations per second of multiply-adds on all threads of the pool at once.
pub fn peak(isa: Isa, duration: Duration) -> f64 {
    let rates = rayon::broadcast(|_| {
        let (start, mut operations) = (Instant::now(), 0.0);
        while operations == 0.0 || start.elapsed() < duration {
            operations += isa.multiply_adds(PEAK_STEPS);
        }
        operations / start.elapsed().as_secs_f64()
    });
    rates.iter().sum()
}

/// Seconds that all rows take once.
fn seconds_of_reconstruction(network: &Network, rows: &dyn Rows, duration: Duration) -> Result<f64> {
    let start = Instant::now();
    let mut passes = 0.0;
    while passes == 0.0 || start.elapsed() < duration {
        for_each_chunk(rows, |chunk| {
            std::hint::black_box(network.reconstruct(chunk));
            Ok(())
        })?;
        passes += 1.0;
    }
    Ok(start.elapsed().as_secs_f64() / passes)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
