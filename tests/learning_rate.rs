//! `--learning-rate auto` ends within a tenth of the error that a search over a grid finds.

mod common;

use common::mnist;
use diabolo::data::{self, ReadOptions, ScalingChoice};
use diabolo::kernels::Activation;
use diabolo::model::{AutoencoderOptions, Validation, fit_autoencoder};
use diabolo::network::Activations;
use diabolo::optimizer::OptimizerChoice;
use diabolo::train::{LearningRate, Schedule, TrainOptions};

/// The rates of the grid: from 10⁻⁴ to about 2, each 2.15 times the one before.
const RATES: i32 = 14;

fn assert_auto_is_as_good_as_a_grid(source: &str, options: &AutoencoderOptions) {
    let dataset = data::read(source, &ReadOptions::default()).unwrap();
    let error = |learning_rate: Option<f32>| {
        let train = match learning_rate {
            Some(learning_rate) => options.train.with_learning_rate(learning_rate),
            None => options.train,
        };
        let options = AutoencoderOptions { find_learning_rate: learning_rate.is_none(), train, ..options.clone() };
        let fitted = fit_autoencoder(&dataset, &options, Validation::None, &mut ()).ok()?;
        Some((
            fitted.model.provenance.training.error_per_row,
            fitted.model.provenance.settings.by_name()["learning-rate"].clone(),
        ))
    };
    let grid = (0..RATES).filter_map(|step| error(Some(1e-4 * 10_f32.powf(step as f32 / 3.0))));
    let (best, rate) = grid.min_by(|first, second| first.0.total_cmp(&second.0)).unwrap();
    let (found, found_rate) = error(None).unwrap();
    println!("{source}: {found} with {found_rate}; the best of the grid is {best} with {rate}");
    assert!(found <= 1.1 * best, "{source}: {found} with {found_rate}, but {best} with {rate}");
}

fn scheduled(schedule: Schedule) -> LearningRate {
    LearningRate { schedule, ..TrainOptions::default().rate }
}

fn options(layers: &str) -> AutoencoderOptions {
    AutoencoderOptions::new(layers.parse().unwrap())
}

#[test]
fn on_iris() {
    for optimizer in [OptimizerChoice::SGD, OptimizerChoice::Adam] {
        let train = TrainOptions { epochs: 50, batch_size: 10, optimizer, ..TrainOptions::default() };
        assert_auto_is_as_good_as_a_grid("iris", &AutoencoderOptions { train, ..options("4,2,4") });
    }
}

#[test]
fn on_digits() {
    for schedule in [Schedule::Constant, Schedule::Cosine] {
        let train = TrainOptions { epochs: 30, rate: scheduled(schedule), ..TrainOptions::default() };
        let scaling = ScalingChoice::Unit;
        assert_auto_is_as_good_as_a_grid("digits", &AutoencoderOptions { train, scaling, ..options("64,40,2,40,64") });
    }
}

#[test]
fn on_mnist() {
    let Some(folder) = mnist() else { return };
    let train =
        TrainOptions { epochs: 2, batch_size: 128, rate: scheduled(Schedule::Cosine), ..TrainOptions::default() };
    let activations = Activations { output: Activation::Sigmoid, ..Activations::hidden(Activation::Silu) };
    let options = AutoencoderOptions { train, activations, ..options("784,100,2,100,784") };
    assert_auto_is_as_good_as_a_grid(folder.join("train-images-idx3-ubyte.gz").to_str().unwrap(), &options);
}
