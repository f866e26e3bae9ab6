use std::ops::ControlFlow;
use std::path::Path;

use super::*;
use crate::augment::{Augmentation, Binarisation, Corruption};
use crate::error::{Error, Result};
use crate::evaluate::evaluate;
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
    TrainOptions {
        epochs: 1,
        batch_size: 10_000,
        rate: LearningRate::constant(0.05),
        optimizer,
        ..TrainOptions::default()
    }
}

fn patience(epochs: usize) -> Stopping {
    Stopping { patience: Some(epochs), ..Stopping::default() }
}

fn max_seconds(seconds: f64) -> Stopping {
    Stopping { max_seconds: Some(seconds), ..Stopping::default() }
}

fn retries(times: usize) -> Stopping {
    Stopping { retries: times, ..Stopping::default() }
}

fn binarised(binarisation: Binarisation) -> Augmentation {
    Augmentation { binarisation: Some(binarisation), ..Augmentation::default() }
}

fn noisy() -> Augmentation {
    Augmentation { corruption: Some(Corruption::Gaussian(0.1)), ..Augmentation::default() }
}

const SGD: OptimizerChoice = OptimizerChoice::SGD;
const NESTEROV: OptimizerChoice = OptimizerChoice::Sgd { momentum: 0.9, nesterov: true };

fn run(network: &mut Network, rows: &Matrix, options: &TrainOptions) -> Result<History> {
    train(network, rows, None, options, &mut ()).map(|(history, _)| history)
}

#[test]
fn one_step_of_descent_is_the_reference_step() {
    // The larger minibatch goes through the network in parts.
    for count in [10, 5000] {
        let rows = data(count);
        let mut network = network(Activation::Tanh, Activation::Linear);
        let expected = reference::step(&network, &reference::as_vectors(&rows), Loss::SquaredError, 0.05);
        run(&mut network, &rows, &options(SGD)).unwrap();
        for (actual, expected) in network.parameters().iter().zip(expected) {
            assert!((f64::from(*actual) - expected).abs() < 1e-6, "{count} rows: {actual} {expected}");
        }
    }
}

#[test]
fn the_short_last_batch_is_used() {
    let mut sizes = Vec::new();
    let options = TrainOptions { batch_size: 4, epochs: 2, ..options(SGD) };
    let (mut network, rows) = (network(Activation::Relu, Activation::Linear), data(10));
    let mut trainer = Trainer::new(&mut network, &rows, None, &options).unwrap();
    while let Some(event) = trainer.advance().unwrap() {
        if let Event::Batch { epoch, rows } = event {
            sizes.push((epoch, rows));
        }
    }
    assert_eq!(sizes, [(1, 4), (1, 4), (1, 2), (2, 4), (2, 4), (2, 2)]);
}

#[test]
fn every_optimizer_and_loss_learns() {
    let rows = data(50);
    for optimizer in [
        SGD,
        OptimizerChoice::Sgd { momentum: 0.9, nesterov: false },
        NESTEROV,
        OptimizerChoice::Adam,
        OptimizerChoice::Muon,
        OptimizerChoice::Kfac,
    ] {
        for (loss, output) in [(Loss::SquaredError, Activation::Linear), (Loss::CrossEntropy, Activation::Sigmoid)] {
            let options = TrainOptions {
                epochs: 200,
                batch_size: 10,
                rate: LearningRate::constant(match optimizer {
                    OptimizerChoice::Adam => 0.01,
                    OptimizerChoice::Muon => 0.01,
                    OptimizerChoice::Kfac => 1.0,
                    OptimizerChoice::Sgd { .. } => 0.02,
                }),
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
fn steps_are_exact_when_minibatches_have_all_rows_as_they_are() {
    let all = TrainOptions { batch_size: 30, ..options(OptimizerChoice::Kfac) };
    let doubled = TrainOptions { batch_size: 7, double_batch: Some(1), ..all };
    let fixed = TrainOptions { augmentation: binarised(Binarisation::Fixed), ..all };
    for options in [all, doubled, fixed] {
        assert!(options.has_exact_steps(30) && options.is_exact(30, 30) && !options.is_exact(29, 30));
    }
    for options in [
        TrainOptions { batch_size: 29, ..all },
        TrainOptions { augmentation: noisy(), ..all },
        TrainOptions { augmentation: binarised(Binarisation::Stochastic), ..all },
        TrainOptions { augmentation: Augmentation { shift: 1, ..Augmentation::default() }, ..all },
        TrainOptions { clip_norm: Some(1.0), ..all },
    ] {
        assert!(!options.has_exact_steps(30), "{options:?}");
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
    let history = train(&mut network, &training, Some(&held_out), &options(SGD), &mut ()).unwrap().0;
    let expected =
        reference::error(&network, &reference::as_vectors(&held_out), Loss::SquaredError).squared_error / 5.0;
    let actual = history.epochs[0].validation_error_per_row.unwrap();
    assert!((actual / expected - 1.0).abs() < 1e-5, "{actual} {expected}");
}

#[test]
fn divergence_stops_with_the_epoch_and_advice() {
    let options = TrainOptions { rate: LearningRate::constant(1e6), epochs: 50, ..options(SGD) };
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
        (linear(), data(5), TrainOptions { batch_size: 0, ..good }, "batch-size"),
        (linear(), data(5), good.with_learning_rate(0.0), "learning-rate"),
        (linear(), data(5), good.with_learning_rate(f32::NAN), "learning-rate"),
        (linear(), data(5), options(OptimizerChoice::Sgd { momentum: 1.0, nesterov: false }), "momentum"),
        (linear(), data(5), cross_entropy, "sigmoid output"),
        (sigmoid(), large, cross_entropy, "column 4 has 1.5"),
        (linear(), data(0), good, "no training rows"),
        (linear(), Matrix::zeros(2, 5), good, "have 5 columns"),
        (linear(), data(5), TrainOptions { stopping: patience(1), ..good }, "hold some out"),
        (linear(), data(5), TrainOptions { rate: LearningRate { warm_up: -1.0, ..good.rate }, ..good }, "warm-up"),
        (linear(), data(5), TrainOptions { tied: true, ..options(OptimizerChoice::Kfac) }, "tied weights"),
        (linear(), data(5), TrainOptions { clip_norm: Some(0.0), ..good }, "clip-norm"),
        (linear(), data(5), TrainOptions { stopping: max_seconds(f64::NAN), ..good }, "max-time"),
        (linear(), data(5), TrainOptions { penalty: Penalty { l1: -1.0, ..Penalty::default() }, ..good }, "l1"),
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
    assert!(lines[0].ends_with(",learning_rate") && lines[1].ends_with(",0.05"), "{text}");
}

#[test]
fn an_epoch_has_the_learning_rate_of_its_last_step() {
    let rates = |schedule, warm_up| {
        let options = TrainOptions {
            epochs: 4,
            batch_size: 5,
            rate: LearningRate { base: 0.01, schedule, warm_up },
            ..options(SGD)
        };
        let history = run(&mut network(Activation::Tanh, Activation::Linear), &data(20), &options).unwrap();
        history.epochs.iter().map(|epoch| epoch.learning_rate).collect::<Vec<_>>()
    };
    assert_eq!(rates(Schedule::Step { every: 2, factor: 0.5 }, 0.0), [0.01, 0.01, 0.005, 0.005]);
    assert_eq!(rates(Schedule::Constant, 2.0), [0.005, 0.01, 0.01, 0.01]);
}

#[test]
fn two_observers_see_the_same_events_and_either_ends_the_run() {
    struct Until(usize, Vec<Event>);
    impl Observer for Until {
        fn observe(&mut self, _: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>> {
            self.1.push(event);
            Ok(if self.1.len() == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        }
    }
    for (first, second) in [(3, 9), (9, 3)] {
        let mut observers = (Until(first, Vec::new()), Some(Until(second, Vec::new())));
        let options = TrainOptions { epochs: 4, batch_size: 5, ..options(SGD) };
        let mut network = network(Activation::Tanh, Activation::Linear);
        let (_, end) = train(&mut network, &data(20), None, &options, &mut observers).unwrap();
        assert_eq!(end, End::Interrupted);
        assert_eq!((observers.0.1.len(), &observers.0.1), (3, &observers.1.unwrap().1));
    }
}

#[test]
fn a_run_writes_its_event_file_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let board = TensorBoard::create(folder.path()).unwrap();
    let path = board.path().to_owned();
    let length = || std::fs::metadata(&path).unwrap().len();
    let mut lengths = vec![length()];
    struct Measure<'a>(&'a mut Vec<u64>, &'a dyn Fn() -> u64);
    impl Observer for Measure<'_> {
        fn observe(&mut self, _: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>> {
            if matches!(event, Event::Epoch(_)) {
                self.0.push((self.1)());
            }
            Ok(ControlFlow::Continue(()))
        }
    }
    let options = TrainOptions { epochs: 3, ..options(SGD) };
    let mut network = network(Activation::Tanh, Activation::Linear);
    train(&mut network, &data(20), None, &options, &mut (board, Measure(&mut lengths, &length))).unwrap();
    assert!(lengths.len() == 4 && lengths.is_sorted_by(|before, after| before < after), "{lengths:?}");
}

/// A network's run, and the checkpoint that it leaves after some events.
fn save_after(
    events: usize,
    network: &mut Network,
    [rows, held_out]: [&Matrix; 2],
    options: &TrainOptions,
    path: &Path,
) {
    let mut trainer = Trainer::new(network, rows, Some(held_out), options).unwrap();
    for _ in 0..events {
        trainer.advance().unwrap();
    }
    trainer.save_checkpoint(path).unwrap();
}

/// Goes on from a checkpoint to the end.
fn go_on(network: &mut Network, [rows, held_out]: [&Matrix; 2], options: &TrainOptions, path: &Path) -> (History, End) {
    let mut trainer = Trainer::new(network, rows, Some(held_out), options).unwrap();
    trainer.resume(path).unwrap();
    while trainer.advance().unwrap().is_some() {}
    trainer.finish()
}

/// A run that uses everything that a checkpoint must keep.
fn eventful() -> TrainOptions {
    TrainOptions {
        epochs: 4,
        batch_size: 7,
        double_batch: Some(2),
        rate: LearningRate { base: 0.02, schedule: Schedule::Plateau { patience: 1, factor: 0.5 }, warm_up: 1.0 },
        augmentation: noisy(),
        penalty: Penalty { weight_decay: 0.01, l1: 1e-3, l2: 1e-3, code_l1: 1e-3 },
        clip_norm: Some(0.5),
        averaging: Averaging::Ema(0.9),
        stopping: patience(3),
        ..options(OptimizerChoice::Adam)
    }
}

#[test]
fn a_run_that_is_stopped_anywhere_and_resumed_ends_with_the_same_bits() {
    let (rows, held_out) = (data(30), data(9));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let [adam, muon, kfac] = [OptimizerChoice::Adam, OptimizerChoice::Muon, OptimizerChoice::Kfac]
        .map(|optimizer| TrainOptions { optimizer, ..eventful() });
    // The last three epochs are minibatches of all rows, without noise.
    let exact = TrainOptions {
        epochs: 6,
        double_batch: Some(1),
        augmentation: Augmentation::default(),
        clip_norm: None,
        ..kfac
    };
    for options in [adam, muon, kfac, exact] {
        let whole = {
            let mut network = network(Activation::Silu, Activation::Linear);
            train(&mut network, &rows, Some(&held_out), &options, &mut ()).unwrap();
            network.parameters().to_vec()
        };
        // Two epochs of five minibatches and two of three, or epochs of five, three, two, one, one and one; and an event for
        // each epoch.
        for stop in 0..=20 {
            let mut first = network(Activation::Silu, Activation::Linear);
            save_after(stop, &mut first, [&rows, &held_out], &options, &path);
            let mut second = network(Activation::Silu, Activation::Linear);
            let (history, end) = go_on(&mut second, [&rows, &held_out], &options, &path);
            assert_eq!((history.epochs.len(), end), (options.epochs, End::Epochs));
            assert_eq!(second.parameters(), whole, "{options:?} stopped after {stop} events");
        }
    }
}

#[test]
fn a_checkpoint_of_another_run_or_damaged_is_refused_with_the_difference() {
    let rows = data(30);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let mut first = network(Activation::Silu, Activation::Linear);
    Trainer::new(&mut first, &rows, None, &options(SGD)).unwrap().save_checkpoint(&path).unwrap();
    let resumed_by = |rows: &Matrix, output, options: &TrainOptions| {
        let mut network = network(Activation::Silu, output);
        let mut trainer = Trainer::new(&mut network, rows, None, options).unwrap();
        trainer.resume(&path).map_err(|error| error.to_string())
    };
    let mut changed = rows.clone();
    changed.row_mut(17)[2] += 0.5;
    let resumed = |rows: &Matrix, options: &TrainOptions| resumed_by(rows, Activation::Linear, options);
    let resumed_as = |output| resumed_by(&rows, output, &options(SGD));
    assert_eq!(resumed(&rows, &options(SGD)), Ok(()));
    assert_eq!(resumed(&rows, &TrainOptions { epochs: 9, ..options(SGD) }), Ok(()));
    let faster = options(SGD).with_learning_rate(0.1);
    let cases = [
        (resumed(&rows, &faster), "a run with learning-rate 0.05, not 0.1"),
        (resumed(&data(31), &options(SGD)), "rows 30, not 31"),
        (resumed(&changed, &options(SGD)), "rows-checksum"),
        (resumed_as(Activation::Sigmoid), "activations [\"linear\",\"linear\"], not [\"linear\",\"sigmoid\"]"),
        (resumed(&rows, &options(NESTEROV)), "momentum 0.0, not 0.9"),
    ];
    for (result, expected) in cases {
        let message = result.unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
    let bytes = std::fs::read(&path).unwrap();
    for length in [0, 8, 100, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        assert!(resumed(&rows, &options(SGD)).unwrap_err().contains("damaged or cut short"));
    }
}

#[test]
fn patience_may_be_new_or_dropped_when_a_run_goes_on() {
    let (rows, held_out) = (data(30), data(9));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let plain = TrainOptions { epochs: 3, stopping: retries(1), ..options(SGD) };
    let patient = TrainOptions { stopping: Stopping { patience: Some(2), ..plain.stopping }, ..plain };
    for (before, after) in [(plain, patient), (patient, plain)] {
        let mut first = network(Activation::Tanh, Activation::Linear);
        save_after(4, &mut first, [&rows, &held_out], &before, &path);
        let mut second = network(Activation::Tanh, Activation::Linear);
        let (history, end) = go_on(&mut second, [&rows, &held_out], &after, &path);
        assert_eq!((history.epochs.len(), end), (3, End::Epochs));
        assert_eq!(
            Some(evaluate(&second, &held_out).unwrap().error_per_row),
            history.epochs[2].validation_error_per_row
        );
    }
}

#[test]
fn a_mean_over_the_last_steps_does_not_go_on_with_another_number_of_them() {
    let rows = data(10);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let tail = TrainOptions { epochs: 8, averaging: Averaging::Tail(0.5), ..options(SGD) };
    let mut first = network(Activation::Tanh, Activation::Linear);
    Trainer::new(&mut first, &rows, None, &tail).unwrap().save_checkpoint(&path).unwrap();
    let shorter = TrainOptions { epochs: 4, ..tail };
    let mut second = network(Activation::Tanh, Activation::Linear);
    let error = Trainer::new(&mut second, &rows, None, &shorter).unwrap().resume(&path).unwrap_err().to_string();
    assert!(error.contains("a run with epochs 8, not 4"), "{error}");
}

#[test]
fn a_run_goes_on_though_its_moments_have_overflowed() {
    let huge: Vec<f32> = data(10).as_slice().iter().map(|value| 1e12 * value).collect();
    let rows = Matrix::from_slice(10, 4, &huge);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let adam = options(OptimizerChoice::Adam);
    let mut first = network(Activation::Linear, Activation::Linear);
    let mut trainer = Trainer::new(&mut first, &rows, None, &adam).unwrap();
    trainer.advance().unwrap();
    let buffers = trainer.state.buffers(trainer.network);
    assert!(buffers.iter().any(|(_, buffer)| buffer.contains(&f32::INFINITY)));
    trainer.save_checkpoint(&path).unwrap();
    let mut second = network(Activation::Linear, Activation::Linear);
    Trainer::new(&mut second, &rows, None, &adam).unwrap().resume(&path).unwrap();
    assert_eq!(first.parameters(), second.parameters());
}

#[test]
fn a_run_that_diverges_goes_back_and_is_tried_again_with_half_the_step_size() {
    let rows = data(30);
    let wild = TrainOptions { rate: LearningRate::constant(8.0), epochs: 30, batch_size: 10, ..options(SGD) };
    assert!(run(&mut network(Activation::Linear, Activation::Linear), &rows, &wild).is_err());
    let mut network = network(Activation::Linear, Activation::Linear);
    let patient = TrainOptions { stopping: retries(20), ..wild };
    let mut trainer = Trainer::new(&mut network, &rows, None, &patient).unwrap();
    let mut rates = Vec::new();
    while let Some(event) = trainer.advance().unwrap() {
        if let Event::Retry { learning_rate, .. } = event {
            rates.push(learning_rate);
        }
    }
    let (history, end) = trainer.finish();
    assert_eq!((history.epochs.len(), end), (30, End::Epochs));
    assert!(!rates.is_empty() && rates[0] == 4.0 && rates.is_sorted_by(|before, after| before > after), "{rates:?}");
    assert!(network.parameters().iter().all(|parameter| parameter.is_finite()));
}

#[test]
fn patience_ends_a_run_and_takes_the_best_weights() {
    // The held-out rows are of another kind: what is learned of the others soon makes their error larger.
    let (rows, held_out) = (data(20), Matrix::from_rows(&[[0.9, 0.1, 0.5, 0.2], [0.2, 0.8, 0.1, 0.6]]));
    let options = TrainOptions { epochs: 2000, batch_size: 5, stopping: patience(5), ..options(SGD) };
    let mut network = network(Activation::Tanh, Activation::Linear);
    let (history, end) = train(&mut network, &rows, Some(&held_out), &options, &mut ()).unwrap();
    let errors: Vec<f64> = history.epochs.iter().map(|epoch| epoch.validation_error_per_row.unwrap()).collect();
    let (best, lowest) = errors.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap();
    assert_eq!((end, errors.len()), (End::Patience, best + 6));
    assert_eq!(evaluate(&network, &held_out).unwrap().error_per_row, *lowest);
}

#[test]
fn time_ends_a_run_that_has_trained_something() {
    let options = TrainOptions { epochs: usize::MAX, stopping: max_seconds(1e-9), ..options(SGD) };
    let (history, end) =
        train(&mut network(Activation::Tanh, Activation::Linear), &data(20), None, &options, &mut ()).unwrap();
    assert_eq!((history.epochs.len(), end), (1, End::MaxTime));
}

#[test]
fn tied_weights_stay_each_others_transpose_and_learn() {
    for optimizer in [SGD, OptimizerChoice::Adam] {
        let options = TrainOptions { epochs: 100, tied: true, ..options(optimizer) };
        let mut network = network(Activation::Tanh, Activation::Linear);
        let history = run(&mut network, &data(20), &options).unwrap();
        for output in 0..3 {
            for input in 0..4 {
                let [encoder, decoder] = [0, 1].map(|layer| network.weights(layer).as_slice());
                assert_eq!(encoder[output * 4 + input], decoder[input * 3 + output]);
            }
        }
        assert!(history.epochs[99].error_per_row < 0.7 * history.epochs[0].error_per_row, "{optimizer:?}");
    }
}

#[test]
fn a_step_with_penalties_clipping_and_decay_is_what_their_formulas_say() {
    for count in [10, 5000] {
        let rows = data(count);
        let start = network(Activation::Tanh, Activation::Linear);
        let plain = reference::step(&start, &reference::as_vectors(&rows), Loss::SquaredError, 1.0);
        let mut gradient: Vec<f64> =
            start.parameters().iter().zip(plain).map(|(before, after)| f64::from(*before) - after).collect();
        let mut is_weight = vec![false; gradient.len()];
        for layer in start.architecture().layers() {
            is_weight[layer.weight_range()].fill(true);
        }
        let (l1, l2, decay, longest, rate) = (0.01, 0.02, 0.5, 0.3, 0.05);
        for ((gradient, weight), is_weight) in gradient.iter_mut().zip(start.parameters()).zip(&is_weight) {
            if *is_weight {
                *gradient += l1 * f64::from(weight.signum()) + 2.0 * l2 * f64::from(*weight);
            }
        }
        let norm = gradient.iter().map(|gradient| gradient * gradient).sum::<f64>().sqrt();
        assert!(norm > longest, "the gradient, {norm} long, is cut");
        let options = TrainOptions {
            penalty: Penalty { weight_decay: decay as f32, l1: l1 as f32, l2: l2 as f32, code_l1: 0.0 },
            clip_norm: Some(longest as f32),
            rate: LearningRate::constant(rate as f32),
            ..options(SGD)
        };
        let mut trained = start.clone();
        run(&mut trained, &rows, &options).unwrap();
        for (index, actual) in trained.parameters().iter().enumerate() {
            let weight = f64::from(start.parameters()[index]);
            let kept = if is_weight[index] { 1.0 - rate * decay } else { 1.0 };
            let expected = weight * kept - rate * gradient[index] * longest / norm;
            assert!((f64::from(*actual) - expected).abs() < 1e-6, "{actual} {expected}");
        }
    }
}

#[test]
fn the_gradient_of_tied_weights_is_as_long_as_that_of_the_weights_there_are() {
    let rows = data(10);
    let options = TrainOptions { tied: true, clip_norm: Some(1e-3), rate: LearningRate::constant(1.0), ..options(SGD) };
    let mut trained = network(Activation::Tanh, Activation::Linear);
    let mut trainer = Trainer::new(&mut trained, &rows, None, &options).unwrap();
    let start = trainer.network().clone();
    trainer.advance().unwrap();
    let mut square = 0.0;
    for (index, (before, after)) in start.parameters().iter().zip(trained.parameters()).enumerate() {
        if !start.architecture().layers()[1].weight_range().contains(&index) {
            square += f64::from(after - before).powi(2);
        }
    }
    assert!((square.sqrt() / 1e-3 - 1.0).abs() < 1e-3, "{}", square.sqrt());
}

#[test]
fn the_average_of_the_last_steps_is_what_is_taken() {
    let rows = data(12);
    let options = TrainOptions { epochs: 4, batch_size: 12, ..options(SGD) };
    let mut sum = vec![0.0; network(Activation::Tanh, Activation::Linear).parameters().len()];
    let mut plain = network(Activation::Tanh, Activation::Linear);
    let mut trainer = Trainer::new(&mut plain, &rows, None, &options).unwrap();
    while let Some(event) = trainer.advance().unwrap() {
        if matches!(event, Event::Epoch(epoch) if epoch.number > 2) {
            sum.iter_mut().zip(trainer.network().parameters()).for_each(|(sum, parameter)| *sum += parameter / 2.0);
        }
    }
    let mut averaged = network(Activation::Tanh, Activation::Linear);
    run(&mut averaged, &rows, &TrainOptions { averaging: Averaging::Tail(0.5), ..options }).unwrap();
    for (actual, expected) in averaged.parameters().iter().zip(&sum) {
        assert!((actual - expected).abs() < 1e-6, "{actual} {expected}");
    }
}

#[test]
fn pretraining_puts_a_deep_network_where_it_already_reconstructs() {
    let rows = data(60);
    let sizes = "4,6,5,2,5,6,4";
    let deep = || {
        let architecture = Architecture::new(sizes.parse().unwrap(), Activations::hidden(Activation::Tanh), true);
        Network::new(architecture, Initialisation::FanIn, 1)
    };
    let options = TrainOptions {
        epochs: 200,
        batch_size: 10,
        rate: LearningRate::constant(0.01),
        ..options(OptimizerChoice::Adam)
    };
    let mut network = deep();
    let before = evaluate(&network, &rows).unwrap().error_per_row;
    pretrain(&mut network, &rows, &options, &mut ()).unwrap();
    let after = evaluate(&network, &rows).unwrap().error_per_row;
    assert!(after < 0.3 * before, "from {before} to {after}");

    let uneven = Architecture::new("4,3,2,4".parse().unwrap(), Activations::hidden(Activation::Tanh), true);
    let error = pretrain(&mut Network::zeros(uneven), &rows, &options, &mut ()).unwrap_err().to_string();
    assert!(error.contains("do not mirror each other"), "{error}");
}

#[test]
fn the_learning_rate_that_is_found_is_about_as_good_as_the_best_of_a_grid() {
    let rows = data(60);
    for optimizer in [SGD, OptimizerChoice::Adam] {
        let options = TrainOptions { epochs: 60, batch_size: 10, optimizer, ..options(optimizer) };
        let error = |learning_rate| {
            let mut network = network(Activation::Tanh, Activation::Linear);
            run(&mut network, &rows, &options.with_learning_rate(learning_rate)).ok()?;
            Some(evaluate(&network, &rows).unwrap().error_per_row).filter(|error| error.is_finite())
        };
        let best = (0..14).filter_map(|step| error(1e-4 * 2_f32.powi(step))).fold(f64::INFINITY, f64::min);
        let start = network(Activation::Tanh, Activation::Linear);
        let found = find_learning_rate(&start, &rows, &options, &mut ()).unwrap();
        assert!(error(found).unwrap() < 1.1 * best, "{optimizer:?}: {found}, {:?} against {best}", error(found));
    }
}

#[test]
fn the_search_for_a_learning_rate_leaves_out_what_decay_forbids() {
    let penalty = Penalty { weight_decay: 0.3, ..Penalty::default() };
    let options = TrainOptions { epochs: 20, batch_size: 10, penalty, ..options(OptimizerChoice::Adam) };
    let start = network(Activation::Tanh, Activation::Linear);
    let found = find_learning_rate(&start, &data(60), &options, &mut ()).unwrap();
    assert!(options.with_learning_rate(found).check().is_ok(), "{found}");
}
