//! The singular value decomposition of square matrices of normal numbers, with both sets of vectors: diabolo's and
//! faer's in turn, in one process, in single precision.
//!
//! `cargo run --release --bin svd [ROUNDS]`, and `RAYON_NUM_THREADS` for both.

use diabolo::Matrix;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use std::hint::black_box;
use std::time::Instant;

fn seconds<R>(work: impl FnOnce() -> R) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let rounds = std::env::args().nth(1).map_or(9, |text| text.parse().expect("a number of rounds"));
    let threads = rayon::current_num_threads();
    faer::set_global_parallelism(faer::Par::rayon(threads));
    println!("threads {threads}, rounds {rounds}, seconds by the median");
    println!("{:>6} {:>10} {:>10} {:>7}", "size", "diabolo", "faer", "ratio");
    for size in [64, 128, 256, 512, 1024] {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(0);
        let values: Vec<f32> = (0..size * size).map(|_| generator.sample(StandardNormal)).collect();
        let ours = Matrix::from_slice(size, size, &values);
        let theirs = faer::Mat::<f32>::from_fn(size, size, |i, j| values[i * size + j]);
        let (mut us, mut them) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            us.push(seconds(|| diabolo::linalg::svd(ours.view()).expect("it converges")));
            them.push(seconds(|| theirs.thin_svd().expect("it converges")));
        }
        let (us, them) = (median(us), median(them));
        println!("{size:>6} {us:>10.4} {them:>10.4} {:>7.2}", us / them);
    }
}
