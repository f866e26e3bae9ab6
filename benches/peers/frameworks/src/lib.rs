//! What the frameworks share: the workloads, the rows and the clock.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::time::Instant;

/// The rows of a minibatch.
pub const BATCH: usize = 128;
/// The learning rate.
pub const RATE: f64 = 0.01;

const WARM_UP: usize = 10;
const ROWS: usize = 100 * BATCH;

/// The layers of the workload that the command line names, and how many steps to time.
pub fn arguments() -> (Vec<usize>, usize) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let layers = match arguments.first().map(String::as_str) {
        Some("slides") => vec![784, 100, 2, 100, 784],
        Some("deep") => vec![784, 1000, 500, 250, 30, 250, 500, 1000, 784],
        _ => panic!("usage: slides|deep STEPS"),
    };
    (layers, arguments[1].parse().expect("a number of steps"))
}

/// Prints the rows per second of `step`, given `steps` minibatches of random rows, shuffled again each epoch.
///
/// Each minibatch is a buffer of its own, which a framework can take for a tensor without another copy.
pub fn measure(columns: usize, steps: usize, mut step: impl FnMut(Vec<f32>)) {
    let mut random = StdRng::seed_from_u64(0);
    let data: Vec<f32> = (0..ROWS * columns).map(|_| f32::from(random.random::<u8>()) / 255.0).collect();
    let mut order: Vec<usize> = (0..ROWS).collect();
    let mut start = Instant::now();
    for at in 0..WARM_UP + steps {
        if at == WARM_UP {
            start = Instant::now();
        }
        let first = at * BATCH % ROWS;
        if first == 0 {
            order.shuffle(&mut random);
        }
        let rows = order[first..first + BATCH].iter();
        step(rows.flat_map(|row| &data[row * columns..][..columns]).copied().collect());
    }
    println!("{}", (steps * BATCH) as f64 / start.elapsed().as_secs_f64());
}
