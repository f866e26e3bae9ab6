use super::*;
use crate::error::Error;
use crate::kernels::Activation;
use crate::matrix::Matrix;
use crate::network::{Activations, Architecture, Initialisation, Loss, Network};
use crate::optimizer::OptimizerChoice;
use crate::reference::network as reference;

fn network(activation: Activation, output: Activation) -> Network {
    let activations = Activations { output, ..Activations::hidden(activation) };
    Network::new(Architecture::new("4,3,4".parse().unwrap(), activations, true), Initialisation::FanIn, 1)
}

fn data(rows: usize) -> Matrix {
    Matrix::from_slice(rows, 4, &(0..rows * 4).map(|i| (i as f32 * 0.7).sin().abs()).collect::<Vec<_>>())
}

fn options(optimizer: OptimizerChoice) -> TrainOptions {
    TrainOptions { epochs: 1, batch_size: 1000, learning_rate: 0.05, optimizer, ..TrainOptions::default() }
}

const SGD: OptimizerChoice = OptimizerChoice::Sgd { momentum: 0.0 };

fn run(network: &mut Network, rows: &Matrix, options: &TrainOptions) -> Result<History, Error> {
    train(network, rows, None, options, &mut |_| {})
}

#[test]
fn one_step_of_descent_is_the_reference_step() {
    let rows = data(10);
    let vectors: Vec<Vec<f32>> = (0..10).map(|row| rows.row(row).to_vec()).collect();
    let mut network = network(Activation::Tanh, Activation::Linear);
    let expected = reference::step(&network, &vectors, Loss::SquaredError, 0.05);
    run(&mut network, &rows, &options(SGD)).unwrap();
    for (actual, expected) in network.parameters().iter().zip(expected) {
        assert!((f64::from(*actual) - expected).abs() < 1e-6, "{actual} {expected}");
    }
}

#[test]
fn the_short_last_batch_is_used() {
    let mut sizes = Vec::new();
    let options = TrainOptions { batch_size: 4, epochs: 2, ..options(SGD) };
    train(&mut network(Activation::Relu, Activation::Linear), &data(10), None, &options, &mut |event| {
        if let Event::Batch { epoch, rows } = event {
            sizes.push((epoch, rows));
        }
    })
    .unwrap();
    assert_eq!(sizes, [(1, 4), (1, 4), (1, 2), (2, 4), (2, 4), (2, 2)]);
}

#[test]
fn every_optimizer_and_loss_learns() {
    let rows = data(50);
    for optimizer in [SGD, OptimizerChoice::Sgd { momentum: 0.9 }, OptimizerChoice::Adam] {
        for (loss, output) in [(Loss::SquaredError, Activation::Linear), (Loss::CrossEntropy, Activation::Sigmoid)] {
            let options = TrainOptions {
                epochs: 200,
                batch_size: 10,
                learning_rate: if optimizer == OptimizerChoice::Adam { 0.01 } else { 0.02 },
                loss,
                ..options(optimizer)
            };
            let history = run(&mut network(Activation::Tanh, output), &rows, &options).unwrap();
            let (first, last) = (history.epochs[0].error_per_row, history.epochs[199].error_per_row);
            assert!(last < 0.5 * first, "{optimizer:?}, {loss}: from {first} to {last}");
        }
    }
}

#[test]
fn the_same_seed_trains_the_same_network_and_another_seed_another() {
    let trained = |seed| {
        let mut network = network(Activation::Relu, Activation::Linear);
        run(&mut network, &data(30), &TrainOptions { seed, batch_size: 7, ..options(SGD) }).unwrap();
        network.parameters().to_vec()
    };
    assert_eq!(trained(1), trained(1));
    assert_ne!(trained(1), trained(2));
}

#[test]
fn validation_error_is_measured_on_the_held_out_rows() {
    let (training, held_out) = (data(20), data(5));
    let mut network = network(Activation::Relu, Activation::Linear);
    let history = train(&mut network, &training, Some(&held_out), &options(SGD), &mut |_| {}).unwrap();
    let vectors: Vec<Vec<f32>> = (0..5).map(|row| held_out.row(row).to_vec()).collect();
    let expected = reference::error(&network, &vectors, Loss::SquaredError).squared_error / 5.0;
    let actual = history.epochs[0].validation_error_per_row.unwrap();
    assert!((actual / expected - 1.0).abs() < 1e-5, "{actual} {expected}");
}

#[test]
fn divergence_stops_with_the_epoch_and_advice() {
    let options = TrainOptions { learning_rate: 1e6, epochs: 50, ..options(SGD) };
    let error = run(&mut network(Activation::Linear, Activation::Linear), &data(10), &options).unwrap_err();
    let Error::Diverged { epoch, .. } = error else { panic!("{error}") };
    assert!((2..50).contains(&epoch), "epoch {epoch}");
    assert!(error.to_string().contains("smaller learning rate than 1000000"), "{error}");
}

#[test]
fn options_and_data_that_cannot_be_trained_with_are_errors() {
    let good = options(SGD);
    let linear = || network(Activation::Relu, Activation::Linear);
    let sigmoid = || network(Activation::Relu, Activation::Sigmoid);
    let cross_entropy = TrainOptions { loss: Loss::CrossEntropy, ..good };
    let large = Matrix::from_rows(&[[0.5, 0.5, 0.5, 1.5]]);
    let cases = [
        (linear(), data(5), TrainOptions { epochs: 0, ..good }, "epochs"),
        (linear(), data(5), TrainOptions { batch_size: 0, ..good }, "batch size"),
        (linear(), data(5), TrainOptions { learning_rate: 0.0, ..good }, "learning rate"),
        (linear(), data(5), TrainOptions { learning_rate: f32::NAN, ..good }, "learning rate"),
        (linear(), data(5), options(OptimizerChoice::Sgd { momentum: 1.0 }), "momentum"),
        (linear(), data(5), cross_entropy, "sigmoid output"),
        (sigmoid(), large, cross_entropy, "column 4 has 1.5"),
        (linear(), data(0), good, "no training rows"),
        (linear(), Matrix::zeros(2, 5), good, "have 5 columns"),
    ];
    for (mut network, rows, options, expected) in cases {
        let message = run(&mut network, &rows, &options).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn history_as_csv_has_a_line_an_epoch() {
    let history = run(&mut network(Activation::Relu, Activation::Linear), &data(5), &options(SGD)).unwrap();
    let mut bytes = Vec::new();
    history.write_csv(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].split(',').count(), lines[1].split(',').count());
    assert!(lines[1].starts_with("1,") && lines[1].contains(",,"), "{}", lines[1]);
}
