use rand::RngExt;

use super::*;
use crate::evaluate::Reconstruct;
use crate::kernels::{Activation, Isa, Update};
use crate::matrix::Matrix;
use crate::random::{Purpose, generator};
use crate::reference::network as reference;
use crate::rows::Rows;

/// Rows in [0, 1), the same for the same seed.
fn rows(count: usize, columns: usize, seed: u64) -> Matrix {
    let mut generator = generator(seed, Purpose::Split);
    let values: Vec<f32> = (0..count * columns).map(|_| generator.random()).collect();
    Matrix::from_slice(count, columns, &values)
}

fn network(sizes: &str, activation: Activation, loss: Loss, bias: bool) -> Network {
    let output = if loss == Loss::CrossEntropy { Activation::Sigmoid } else { activation };
    let activations = Activations { hidden: activation, code: activation, output };
    let architecture = Architecture::new(sizes.parse().unwrap(), activations, bias);
    let mut network = Network::new(architecture, Initialisation::Normal(0.5), 11);
    // Biases that are not zero, so that a mistake with them shows.
    let ranges: Vec<_> = network.architecture().layers().iter().map(Layer::bias_range).collect();
    for (index, parameter) in ranges.into_iter().flatten().enumerate() {
        network.parameters_mut()[parameter] = 0.1 * (index as f32).sin();
    }
    network
}

fn gradient(network: &Network, rows: &Matrix, loss: Loss) -> (Vec<f32>, BatchError) {
    let mut batch = Batch::new(network, loss, rows.rows());
    let mut gradient = vec![0.0; network.parameters().len()];
    let indices: Vec<usize> = (0..rows.rows()).collect();
    let error = network.gradient(rows, &indices, &mut batch, &mut gradient);
    (gradient, error.unwrap())
}

fn every_combination() -> impl Iterator<Item = (Activation, Loss, bool)> {
    Activation::ALL.into_iter().flat_map(|activation| {
        Loss::ALL.into_iter().flat_map(move |loss| [true, false].map(|bias| (activation, loss, bias)))
    })
}

#[test]
fn the_gradient_agrees_with_finite_differences_for_every_activation_and_loss_with_and_without_bias() {
    for (activation, loss, bias) in every_combination() {
        let network = network("5,4,2,3,5", activation, loss, bias);
        let rows = rows(3, 5, 1);
        let (actual, _) = gradient(&network, &rows, loss);
        let loss_at = |network: &Network| reference::error(network, &reference::as_vectors(&rows), loss).loss / 3.0;
        let slope = |index: usize| {
            let (mut up, mut down) = (network.clone(), network.clone());
            up.parameters_mut()[index] += 1e-3;
            down.parameters_mut()[index] -= 1e-3;
            let distance = f64::from(up.parameters()[index]) - f64::from(down.parameters()[index]);
            (loss_at(&up) - loss_at(&down)) / distance
        };
        let differences: Vec<f64> = (0..actual.len()).map(slope).collect();
        reference::assert_close(&actual, &differences, 1e-3, &format!("{activation}, {loss}, bias {bias}"));
    }
}

#[test]
fn gradient_and_errors_agree_with_the_reference_over_several_tiles_on_every_instruction_set() {
    for isa in Isa::available() {
        for (activation, loss, bias) in every_combination() {
            let network = network("19,70,3,20,19", activation, loss, bias).with_isa(isa);
            let rows = rows(131, 19, 2);
            reference::assert_gradient_agrees(&network, &rows, loss, 2e-5);
        }
    }
}

#[test]
fn narrow_networks_and_the_next_wider_ones_agree_with_the_reference_on_every_instruction_set() {
    for isa in Isa::available() {
        for (activation, loss, bias) in every_combination() {
            for width in [1, narrow::WIDEST, narrow::WIDEST + 1] {
                let network = network(&format!("{width},5,2,{width}"), activation, loss, bias).with_isa(isa);
                for count in [1, 7, 16, 45] {
                    reference::assert_gradient_agrees(&network, &rows(count, width, 7), loss, 2e-5);
                }
            }
        }
    }
}

#[test]
fn a_batch_of_a_narrow_network_agrees_with_the_reference_whether_it_is_worth_sharing_or_not() {
    let network = network("2,1,2", Activation::Tanh, Loss::SquaredError, true);
    let most = (1..).find(|&rows| !narrow::is_narrow(network.architecture(), rows)).unwrap() - 1;
    for count in [most, most + 1] {
        reference::assert_gradient_agrees(&network, &rows(count, 2, 8), Loss::SquaredError, 1e-4);
    }
}

#[test]
fn rows_with_targets_of_their_own_and_sparse_codes_agree_with_the_reference_on_every_instruction_set() {
    for isa in Isa::available() {
        for (activation, loss, bias) in every_combination() {
            for (sizes, columns) in [("5,4,2,4,5", 5), ("19,40,6,19", 19)] {
                let network = network(sizes, activation, loss, bias).with_isa(isa);
                let (inputs, targets) = (rows(45, columns, 4), rows(45, columns, 5));
                let objective = Objective { code_l1: 0.3, ..loss.into() };
                let mut batch = Batch::new(&network, objective, 45);
                let examples = Examples { targets: Some(&targets), ..(&inputs as &dyn Rows).into() };
                let indices: Vec<usize> = (0..45).collect();
                let error = network.trace_examples(examples, &indices, &mut batch).unwrap();
                let mut actual = vec![0.0; network.parameters().len()];
                batch.apply(Update::write(&mut actual));
                let (expected, expected_error) = reference::gradient_of_examples(
                    &network,
                    [&reference::as_vectors(&inputs), &reference::as_vectors(&targets), &[]],
                    objective,
                );
                reference::assert_close(&actual, &expected, 2e-5, &format!("{isa}, {activation}, {loss}"));
                assert!((error.loss / expected_error.loss - 1.0).abs() < 1e-5, "{isa}, {activation}, {loss}");
            }
        }
    }
}

/// A variational network, rows, and noise for their codes.
fn variational(sizes: &str, loss: Loss, bias: bool, count: usize) -> (Network, [Matrix; 2]) {
    let plain = network(sizes, Activation::Tanh, loss, bias);
    let choices: Vec<_> = plain.architecture().layers().iter().map(|layer| (layer.activation(), bias)).collect();
    let mut choices = choices;
    choices[plain.architecture().encoder_depth() - 1].0 = Activation::Linear;
    let sizes = plain.architecture().sizes().clone();
    let [columns, code] = [sizes.input(), sizes.code()];
    let architecture = Architecture::from_layers(sizes, &choices).into_variational();
    let network = Network::new(architecture, Initialisation::Normal(0.4), 12);
    let mut noise = rows(count, code, 9);
    noise.as_mut_slice().iter_mut().for_each(|value| *value = 4.0 * *value - 2.0);
    (network, [rows(count, columns, 8), noise])
}

fn variational_gradient(
    network: &Network,
    [rows, noise]: &[Matrix; 2],
    objective: Objective,
) -> (Vec<f32>, BatchError) {
    let mut batch = Batch::new(network, objective, rows.rows());
    let examples = Examples { noise: Some(noise), ..(rows as &dyn Rows).into() };
    let error = network.trace_examples(examples, &(0..rows.rows()).collect::<Vec<_>>(), &mut batch);
    let mut gradient = vec![0.0; network.parameters().len()];
    batch.apply(Update::write(&mut gradient));
    (gradient, error.unwrap())
}

#[test]
fn the_gradient_of_the_variational_bound_agrees_with_finite_differences() {
    for loss in Loss::ALL {
        for bias in [true, false] {
            let (network, data) = variational("5,4,2,3,5", loss, bias, 3);
            let objective = Objective { beta: 0.7, ..loss.into() };
            let (actual, _) = variational_gradient(&network, &data, objective);
            let vectors = data.each_ref().map(reference::as_vectors);
            let cost_at = |network: &Network| {
                let error =
                    reference::gradient_of_examples(network, [&vectors[0], &vectors[0], &vectors[1]], objective).1;
                (error.loss + f64::from(objective.beta) * error.divergence) / 3.0
            };
            let slope = |index: usize| {
                let (mut up, mut down) = (network.clone(), network.clone());
                up.parameters_mut()[index] += 1e-3;
                down.parameters_mut()[index] -= 1e-3;
                let distance = f64::from(up.parameters()[index]) - f64::from(down.parameters()[index]);
                (cost_at(&up) - cost_at(&down)) / distance
            };
            let differences: Vec<f64> = (0..actual.len()).map(slope).collect();
            reference::assert_close(&actual, &differences, 1e-3, &format!("{loss}, bias {bias}"));
        }
    }
}

#[test]
fn the_variational_bound_agrees_with_the_reference_over_several_tiles_on_every_instruction_set() {
    for isa in Isa::available() {
        for (loss, sizes, count) in [
            (Loss::SquaredError, "19,40,6,30,19", 75),
            (Loss::CrossEntropy, "19,40,6,30,19", 64),
            (Loss::CrossEntropy, "3,1,3", 5),
        ] {
            let (network, data) = variational(sizes, loss, true, count);
            let network = network.with_isa(isa);
            let objective = Objective { beta: 1.5, ..loss.into() };
            let (actual, error) = variational_gradient(&network, &data, objective);
            let vectors = data.each_ref().map(reference::as_vectors);
            let (expected, expected_error) =
                reference::gradient_of_examples(&network, [&vectors[0], &vectors[0], &vectors[1]], objective);
            reference::assert_close(&actual, &expected, 2e-5, &format!("{isa}, {loss}, {sizes}"));
            let close = |actual: f64, expected: f64| (actual / expected - 1.0).abs() < 1e-5;
            assert!(close(error.loss, expected_error.loss) && close(error.divergence, expected_error.divergence));
        }
    }
}

#[test]
fn a_variational_code_is_the_mean_and_decodes_as_the_reconstruction_does() {
    let (network, [rows, _]) = variational("19,40,6,30,19", Loss::CrossEntropy, true, 70);
    let (codes, distributions) = (network.encode(&rows), network.encode_distribution(&rows));
    assert_eq!((codes.columns(), distributions.columns()), (6, 12));
    for row in 0..70 {
        assert_eq!(codes.row(row), &distributions.row(row)[..6]);
    }
    assert_eq!(network.decode(&codes), network.reconstruct(&rows));
    let logits = network.decode_logits(&codes);
    let mut probabilities = logits.as_slice().to_vec();
    Activation::Sigmoid.forward(network.isa(), &mut probabilities);
    assert_eq!(probabilities, network.decode(&codes).as_slice());
}

#[test]
fn lanes_without_a_row_do_not_spoil_the_gradient() {
    // For an input of 1 the hidden feature is 0; for 0, which a buffer holds at first, the output overflows.
    let mut network = network("1,1,1", Activation::Linear, Loss::SquaredError, true);
    let ranges: Vec<_> = network.architecture().layers().iter().map(|l| (l.weight_range(), l.bias_range())).collect();
    for (range, value) in ranges.into_iter().flat_map(|(w, b)| [w, b]).zip([-1e38, 1e38, 10.0, 0.0]) {
        network.parameters_mut()[range].fill(value);
    }
    for isa in Isa::available() {
        let rows = Matrix::from_rows(&[[1.0]]);
        reference::assert_gradient_agrees(&network.clone().with_isa(isa), &rows, Loss::SquaredError, 1e-6);
    }
}

#[test]
fn wide_layers_and_rows_with_zeros_agree_with_the_reference_on_every_instruction_set() {
    // Wider than what is contracted at once; a third of the columns are zero in every row, others in some.
    let mut rows = rows(70, 1100, 6);
    for row in 0..70 {
        for (column, value) in rows.row_mut(row).iter_mut().enumerate() {
            if column % 3 == 0 || (column / 100 + row) % 4 == 0 {
                *value = 0.0;
            }
        }
    }
    for isa in Isa::available() {
        let network = network("1100,30,1100", Activation::Sigmoid, Loss::SquaredError, true).with_isa(isa);
        reference::assert_gradient_agrees(&network, &rows, Loss::SquaredError, 1e-4);
    }
}

#[test]
fn a_short_batch_in_used_buffers_gives_the_gradient_of_its_rows_alone() {
    for columns in [6, 60] {
        let network = network(&format!("{columns},3,{columns}"), Activation::Tanh, Loss::SquaredError, true);
        let data = rows(100, columns, 3);
        let mut batch = Batch::new(&network, Loss::SquaredError, 100);
        let mut gradient = vec![0.0; network.parameters().len()];
        network.gradient(&data, &(0..100).collect::<Vec<_>>(), &mut batch, &mut gradient).unwrap();
        network.gradient(&data, &[7, 3], &mut batch, &mut gradient).unwrap();
        let (expected, _) =
            reference::gradient(&network, &[data.row(7).to_vec(), data.row(3).to_vec()], Loss::SquaredError);
        reference::assert_close(&gradient, &expected, 1e-5, "two rows");
    }
}

#[test]
fn the_gradient_has_the_same_bits_for_any_number_of_threads() {
    let network = network("64,96,8,96,64", Activation::Silu, Loss::SquaredError, true);
    let data = rows(300, 64, 4);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| gradient(&network, &data, Loss::SquaredError))
    };
    assert_eq!(run(1), run(2));
    assert_eq!(run(1), run(3));
}

#[test]
fn a_row_is_encoded_and_decoded_alike_alone_and_among_others() {
    let network = network("33,20,5,20,33", Activation::Gelu, Loss::SquaredError, true);
    let data = rows(150, 33, 5);
    let (codes, reconstructions) = (network.encode(&data), network.reconstruct(&data));
    assert_eq!(network.decode(&codes), reconstructions);
    for row in [0, 63, 64, 149] {
        let mut alone = Matrix::zeros(1, 33);
        data.gather(&[row], alone.as_mut_slice()).unwrap();
        assert_eq!(network.encode(&alone).row(0), codes.row(row));
        assert_eq!(network.reconstruct(&alone).row(0), reconstructions.row(row));
    }
}

#[test]
fn no_rows_give_no_codes() {
    let network = network("4,2,4", Activation::Relu, Loss::SquaredError, true);
    assert_eq!(network.encode(&Matrix::zeros(0, 4)), Matrix::zeros(0, 2));
}

#[test]
fn the_same_seed_gives_the_same_network_and_another_seed_another() {
    let make = |seed| {
        let architecture = Architecture::new("9,4,9".parse().unwrap(), Activations::hidden(Activation::Relu), true);
        Network::new(architecture, Initialisation::FanIn, seed)
    };
    assert_eq!(make(5).parameters(), make(5).parameters());
    assert_ne!(make(5).parameters(), make(6).parameters());
}

#[test]
#[should_panic(expected = "cross-entropy does not go with")]
fn a_batch_for_cross_entropy_wants_a_sigmoid_output() {
    let network = network("4,2,4", Activation::Relu, Loss::SquaredError, true);
    Batch::new(&network, Loss::CrossEntropy, 1);
}

#[test]
fn the_curvature_along_two_directions_is_that_of_the_reference() {
    for (activation, loss, bias) in every_combination() {
        let network = network("7,5,3,5,7", activation, loss, bias);
        // Of 300 rows in tiles of 32, an eighth is in the first 64; of 20 rows, all count.
        for (count, counted) in [(300, 64), (20, 20)] {
            let rows = rows(count, 7, 3);
            let wave = |step: f32| -> Vec<f32> {
                (0..network.parameters().len()).map(|index| (index as f32 * step).sin()).collect()
            };
            let directions = [wave(0.37), wave(0.73)];
            let mut batch = Batch::in_tiles(&network, loss, count);
            network.trace(&rows, &(0..count).collect::<Vec<_>>(), &mut batch).unwrap();
            let mut batch = batch.curvature(&network).unwrap();
            let (actual, rows_of) = batch.gauss_newton_products(count.div_ceil(8), &[&directions[0], &directions[1]]);
            assert_eq!(rows_of, counted);
            let double = directions.map(|direction| direction.into_iter().map(f64::from).collect::<Vec<_>>());
            for (actual, [i, j]) in actual.into_iter().zip([[0, 0], [0, 1], [1, 1]]) {
                let of_row = |row: &Vec<f32>| -> f64 {
                    let root = |i: usize| reference::curvature_root(&network, row, &double[i], loss);
                    root(i).iter().zip(root(j)).map(|(x, y)| x * y).sum()
                };
                let expected = reference::as_vectors(&rows)[..counted].iter().map(of_row).sum::<f64>();
                let what = format!("{activation}, {loss}, {count} rows: {actual}, not {expected}");
                assert!((actual - expected).abs() < 1e-4 * expected.abs().max(1.0), "{what}");
            }
        }
    }
}

#[test]
fn a_narrow_batch_knows_no_curvature_unless_it_was_made_in_tiles() {
    let network = network("2,1,2", Activation::Tanh, Loss::SquaredError, true);
    assert!(Batch::new(&network, Loss::SquaredError, 3).curvature(&network).is_none());
    assert!(Batch::in_tiles(&network, Loss::SquaredError, 3).curvature(&network).is_some());
}

#[test]
fn deltas_towards_sampled_targets_are_as_large_as_the_loss_is_curved_and_of_either_sign() {
    let network = network("7,5,3,5,7", Activation::Tanh, Loss::CrossEntropy, true);
    let (rows, indices) = (rows(40, 7, 3), (0..40).collect::<Vec<_>>());
    let outputs = network.reconstruct(&rows);
    let mut batch = Batch::in_tiles(&network, Loss::CrossEntropy, 40);
    let mut deltas = |step| {
        network.trace(&rows, &indices, &mut batch).unwrap();
        let mut batch = batch.curvature(&network).unwrap();
        batch.sample_targets(step);
        batch.deltas(3)
    };
    let (first, again, second) = (deltas(1), deltas(1), deltas(2));
    assert_eq!(first, again);
    for deltas in [&first, &second] {
        for row in 0..40 {
            for column in 0..7 {
                let (delta, output) = (deltas.row(column)[row], outputs.row(row)[column]);
                assert!((delta * delta - output * (1.0 - output)).abs() < 1e-5, "({row}, {column}): {delta}");
            }
        }
        let positive = deltas.as_slice().iter().filter(|&&delta| delta > 0.0).count();
        assert!((100..180).contains(&positive), "{positive} of 280");
    }
    assert_ne!(first, second);
}
