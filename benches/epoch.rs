//! Epochs of training and passes of reconstruction, on one thread and on two: `cargo bench --bench epoch`.
//!
//! Criterion prints rows per second; a line under it the arithmetic per second, and its share of the most that
//! multiply-adds in registers reached just before. Networks for MNIST are skipped where `DIABOLO_DATA` is not set.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use diabolo::Matrix;
use diabolo::data::{self, Columns, Dataset, ReadOptions, Scaling, ScalingChoice};
use diabolo::evaluate::Reconstruct;
use diabolo::kernels::{Activation, Isa};
use diabolo::network::{Activations, Architecture, Initialisation, Network};
use diabolo::optimizer::OptimizerChoice;
use diabolo::rows::{Rows, RowsInMemory, Subset};
use diabolo::throughput;
use diabolo::train::{LearningRate, TrainOptions, train};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng, rngs::Xoshiro256PlusPlus};
use rayon::ThreadPool;

const SLIDES: &str = "784,100,2,100,784";
const DEEP: &str = "784,1000,500,250,30,250,500,1000,784";
const SGD: OptimizerChoice = OptimizerChoice::SGD;

/// A network and how it is trained.
struct Workload {
    name: &'static str,
    layers: &'static str,
    activation: Activation,
    output: Activation,
    options: TrainOptions,
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(5))
        .configure_from_args();
    let workload = |name, layers, activation, output, optimizer, learning_rate, batch_size| {
        let rate = LearningRate::constant(learning_rate);
        let options = TrainOptions { epochs: 1, batch_size, rate, optimizer, ..TrainOptions::default() };
        Workload { name, layers, activation, output, options }
    };
    let sigmoid = Activation::Sigmoid;
    if let Some(mnist) = mnist() {
        let scaling = Scaling::fit(ScalingChoice::Auto, &mnist, &[]).expect("bytes");
        let rows = scaling.scaled(&mnist);
        let some: Vec<usize> = (0..12_800).collect();
        let adam = OptimizerChoice::Adam;
        for (name, layers, optimizer) in
            [("slides", SLIDES, SGD), ("deep", DEEP, SGD), ("slides-adam", SLIDES, adam), ("deep-adam", DEEP, adam)]
        {
            let workload = workload(name, layers, sigmoid, sigmoid, optimizer, 1e-3, 128);
            epoch(&mut criterion, &workload, &Subset::new(&rows, &some));
        }
        let deep = workload("reconstruct", DEEP, sigmoid, sigmoid, SGD, 1e-3, 128);
        let mut matrix = Matrix::zeros(some.len(), rows.columns());
        rows.copy_rows(&some, matrix.as_mut_slice());
        reconstruct(&mut criterion, &deep, &matrix);
    }
    let mut bytes = vec![0; 128 * 49_152];
    Xoshiro256PlusPlus::seed_from_u64(1).fill_bytes(&mut bytes);
    let images = Dataset::from_bytes("random bytes", 128, 49_152, bytes).expect("whole rows");
    let scaling = Scaling::fit(ScalingChoice::Auto, &images, &[]).expect("bytes");
    let large = workload("large", "49152,1024,49152", Activation::Relu, Activation::Linear, SGD, 1e-7, 64);
    epoch(&mut criterion, &large, &scaling.scaled(&images));

    let columns = Columns::Chosen(vec!["sepal_width".into(), "petal_length".into()]);
    let iris = data::read("iris", &ReadOptions { columns, label: None }).expect("iris is built in");
    let linear = workload("iris", "2,1,2", Activation::Linear, Activation::Linear, SGD, 0.01, 10);
    epoch(&mut criterion, &linear, &iris);
    scalar_loop(&mut criterion, &iris);
    criterion.final_summary();
}

fn mnist() -> Option<Dataset> {
    let Some(folder) = std::env::var_os("DIABOLO_DATA") else {
        eprintln!("SKIPPED: set DIABOLO_DATA to a folder that holds mnist/train-images-idx3-ubyte.gz");
        return None;
    };
    let path = std::path::Path::new(&folder).join("mnist/train-images-idx3-ubyte.gz");
    Some(data::read(path.to_str()?, &ReadOptions::default()).expect("MNIST"))
}

fn network(workload: &Workload) -> Network {
    let activations = Activations { hidden: workload.activation, code: workload.activation, output: workload.output };
    let architecture = Architecture::new(workload.layers.parse().expect("sizes"), activations, true);
    Network::new(architecture, Initialisation::FanIn, 1)
}

/// Runs `pass` for all rows on one thread and on two, and prints how much of the peak it takes.
fn measure(
    criterion: &mut Criterion,
    name: &str,
    rows: usize,
    operations: f64,
    mut pass: impl FnMut(u64) -> Duration + Send,
) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(rows as u64));
    for threads in [1, 2] {
        let pool: ThreadPool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let peak = pool.install(|| throughput::peak(Isa::best(), Duration::from_millis(100)));
        let mut fastest = f64::MAX;
        group.bench_function(BenchmarkId::new("threads", threads), |bencher| {
            bencher.iter_custom(|iterations| {
                let elapsed = pool.install(|| pass(iterations));
                fastest = fastest.min(elapsed.as_secs_f64() / iterations as f64);
                elapsed
            });
        });
        if fastest == f64::MAX {
            continue; // filtered out
        }
        let rate = rows as f64 * operations / fastest;
        println!("{name}, {threads} threads: {:.1} GFLOP/s, {:.1} % of the peak", rate / 1e9, 100.0 * rate / peak);
    }
}

fn epoch(criterion: &mut Criterion, workload: &Workload, rows: &dyn Rows) {
    let mut network = network(workload);
    let operations = network.architecture().training_operations();
    measure(criterion, workload.name, rows.rows(), operations, |epochs| {
        let options = TrainOptions { epochs: epochs as usize, ..workload.options };
        let (history, _) = train(&mut network, rows, None, &options, &mut ()).expect("training");
        Duration::from_secs_f64(history.seconds())
    });
}

fn reconstruct(criterion: &mut Criterion, workload: &Workload, rows: &Matrix) {
    let network = network(workload);
    let operations = network.architecture().forward_operations();
    measure(criterion, workload.name, rows.rows(), operations, |passes| {
        let start = Instant::now();
        for _ in 0..passes {
            black_box(network.reconstruct(black_box(rows)));
        }
        start.elapsed()
    });
}

/// What a person writes who needs this one network and nothing else: 2-1-2 linear, in batches of ten, row by row.
fn scalar_loop(criterion: &mut Criterion, iris: &Dataset) {
    let rows: Vec<[f32; 2]> = (0..iris.rows())
        .map(|row| {
            let mut values = [0.0; 2];
            iris.copy_row(row, &mut values);
            values
        })
        .collect();
    let mut group = criterion.benchmark_group("iris");
    group.throughput(Throughput::Elements(rows.len() as u64));
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(1);
    let (mut encoder, mut code_bias) = ([0.3_f32, 0.2], 0.0_f32);
    let (mut decoder, mut bias) = ([0.1_f32, 0.4], [0.0_f32; 2]);
    group.bench_function("scalar loop", |bencher| {
        bencher.iter(|| {
            order.shuffle(&mut generator);
            let mut loss = 0.0;
            for batch in order.chunks(10) {
                let mut gradient = [0.0_f32; 7];
                for &row in batch {
                    let x = rows[row];
                    let code = encoder[0] * x[0] + encoder[1] * x[1] + code_bias;
                    let error = [decoder[0] * code + bias[0] - x[0], decoder[1] * code + bias[1] - x[1]];
                    loss += error[0] * error[0] + error[1] * error[1];
                    let delta = error.map(|error| 0.2 * error);
                    let back = delta[0] * decoder[0] + delta[1] * decoder[1];
                    for i in 0..2 {
                        gradient[i] += back * x[i];
                        gradient[3 + i] += delta[i] * code;
                        gradient[5 + i] += delta[i];
                    }
                    gradient[2] += back;
                }
                for i in 0..2 {
                    encoder[i] -= 0.01 * gradient[i];
                    decoder[i] -= 0.01 * gradient[3 + i];
                    bias[i] -= 0.01 * gradient[5 + i];
                }
                code_bias -= 0.01 * gradient[2];
            }
            black_box(loss)
        });
    });
}
