//! The textbook training step: one row at a time, sums in double precision, straight from the chain rule.

use super::activation;
use crate::kernels::Activation;
use crate::matrix::Matrix;
use crate::network::{Batch, BatchError, Layer, Loss, Network, Objective};

/// The rows of a matrix, as the reference takes them.
pub fn as_vectors(rows: &Matrix) -> Vec<Vec<f32>> {
    (0..rows.rows()).map(|row| rows.row(row).to_vec()).collect()
}

/// The twin of [`Network::gradient`] for rows given as slices: the gradient of the mean loss, laid out as the
/// parameters are, and the sums of the errors.
pub fn gradient(network: &Network, rows: &[Vec<f32>], loss: Loss) -> (Vec<f64>, BatchError) {
    gradient_of_examples(network, [rows, rows, &[]], loss.into())
}

/// As [`gradient`], for rows that should become others, and any objective. The three are inputs, targets, and the noise
/// that codes are drawn with, none for a network that is not variational.
pub fn gradient_of_examples(
    network: &Network,
    [inputs, targets, noise]: [&[Vec<f32>]; 3],
    objective: Objective,
) -> (Vec<f64>, BatchError) {
    let mut gradient = vec![0.0; network.parameters().len()];
    let mut error = BatchError::default();
    let double = |row: &[f32]| row.iter().copied().map(f64::from).collect::<Vec<_>>();
    for (index, (input, target)) in inputs.iter().zip(targets).enumerate() {
        let noise = noise.get(index).map_or(Vec::new(), |noise| double(noise));
        let example = [double(input), double(target), noise];
        error += row_gradient(network, &example, objective, inputs.len() as f64, &mut gradient);
    }
    (gradient, error)
}

/// The twin of a plain step of descent.
pub fn step(network: &Network, rows: &[Vec<f32>], loss: Loss, learning_rate: f64) -> Vec<f64> {
    let (gradient, _) = gradient(network, rows, loss);
    let parameters = network.parameters().iter().copied().map(f64::from);
    parameters.zip(gradient).map(|(parameter, gradient)| parameter - learning_rate * gradient).collect()
}

/// The loss of rows and their squared error, from the same forward pass.
pub fn error(network: &Network, rows: &[Vec<f32>], loss: Loss) -> BatchError {
    gradient(network, rows, loss).1
}

/// Panics unless [`Network::gradient`] and its twin agree on the gradient and the errors of all `rows`: each to
/// `tolerance` of the largest element.
pub fn assert_gradient_agrees(network: &Network, rows: &Matrix, loss: Loss, tolerance: f64) {
    let vectors = as_vectors(rows);
    let (expected, expected_error) = gradient(network, &vectors, loss);
    let mut batch = Batch::new(network, loss, rows.rows());
    let mut actual = vec![0.0; network.parameters().len()];
    let indices: Vec<usize> = (0..rows.rows()).collect();
    let error = network.gradient(rows, &indices, &mut batch, &mut actual).expect("rows in memory");
    let what = format!("{}, {loss}, {:?}", network.isa(), network.architecture());
    assert_close(&actual, &expected, tolerance, &what);
    for (actual, expected) in [(error.loss, expected_error.loss), (error.squared_error, expected_error.squared_error)] {
        assert!((actual - expected).abs() <= tolerance * expected.abs().max(1.0), "{what}: {actual}, not {expected}");
    }
}

/// Panics unless each element is as expected, to `tolerance` of the largest that is expected.
pub fn assert_close(actual: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    for (index, (&actual, expected)) in actual.iter().zip(expected).enumerate() {
        let difference = (f64::from(actual) - expected).abs();
        assert!(difference <= tolerance * largest, "{what}: element {index} is {actual}, not {expected}");
    }
}

/// What each layer takes in for a row, and then what the last gives out.
pub fn layer_inputs(network: &Network, row: &[f32]) -> Vec<Vec<f64>> {
    let parameters: Vec<f64> = network.parameters().iter().copied().map(f64::from).collect();
    let mut inputs = vec![row.iter().copied().map(f64::from).collect::<Vec<_>>()];
    for layer in network.architecture().layers() {
        let sums = weighted_sums(layer, &parameters, &inputs[inputs.len() - 1]);
        inputs.push(sums.iter().map(|&sum| activation::function(layer.activation(), sum)).collect());
    }
    inputs
}

/// How fast the output layer's sums change for a row as the parameters move in a direction, each times the root of how the
/// loss is curved by it: the squares' sum is the curvature of the Gauss-Newton matrix along the direction.
pub fn curvature_root(network: &Network, row: &[f32], direction: &[f64], loss: Loss) -> Vec<f64> {
    let parameters: Vec<f64> = network.parameters().iter().copied().map(f64::from).collect();
    let inputs = layer_inputs(network, row);
    let layers = network.architecture().layers();
    let mut speed = vec![0.0; row.len()];
    for (index, layer) in layers.iter().enumerate() {
        let by_inputs = weighted_sums(layer, &weights_alone(layer, &parameters), &speed);
        let by_parameters = weighted_sums(layer, direction, &inputs[index]);
        let sums = weighted_sums(layer, &parameters, &inputs[index]);
        let outputs = &inputs[index + 1];
        let root = |i: usize| match loss {
            Loss::CrossEntropy if index + 1 == layers.len() => (outputs[i] * (1.0 - outputs[i])).sqrt(),
            Loss::SquaredError if index + 1 == layers.len() => {
                2_f64.sqrt() * derivative(layer.activation(), sums[i], outputs[i])
            }
            _ => derivative(layer.activation(), sums[i], outputs[i]),
        };
        speed = (0..layer.outputs()).map(|i| root(i) * (by_inputs[i] + by_parameters[i])).collect();
    }
    speed
}

/// Parameters with a layer's biases at 0.
fn weights_alone(layer: &Layer, parameters: &[f64]) -> Vec<f64> {
    let mut parameters = parameters.to_vec();
    parameters[layer.bias_range()].fill(0.0);
    parameters
}

fn row_gradient(
    network: &Network,
    [input, target, noise]: &[Vec<f64>; 3],
    objective: Objective,
    rows: f64,
    gradient: &mut [f64],
) -> BatchError {
    let layers = network.architecture().layers();
    let parameters: Vec<f64> = network.parameters().iter().copied().map(f64::from).collect();
    let mut inputs = vec![input.clone()];
    let mut sums = Vec::new();
    // The means and the logarithms of the variances of a drawn code.
    let mut distribution = Vec::new();
    let code_size = noise.len();
    for layer in layers {
        let sum = weighted_sums(layer, &parameters, &inputs[inputs.len() - 1]);
        inputs.push(sum.iter().map(|&sum| activation::function(layer.activation(), sum)).collect());
        sums.push(sum);
        if inputs.len() - 1 == network.architecture().encoder_depth() && code_size > 0 {
            distribution = inputs.pop().expect("what was pushed last");
            let draw = |i: usize| distribution[i] + (distribution[code_size + i] / 2.0).exp() * noise[i];
            inputs.push((0..code_size).map(draw).collect());
        }
    }
    let output = &inputs[layers.len()];
    let logits = &sums[layers.len() - 1];
    let squared_error = output.iter().zip(target).map(|(output, target)| (output - target).powi(2)).sum();
    let (loss_value, mut delta): (f64, Vec<f64>) = match objective.loss {
        Loss::SquaredError => {
            let activation = layers[layers.len() - 1].activation();
            let slope = |index: usize| derivative(activation, logits[index], output[index]);
            (squared_error, (0..target.len()).map(|i| 2.0 * (output[i] - target[i]) / rows * slope(i)).collect())
        }
        Loss::CrossEntropy => {
            // −x ln σ(z) − (1 − x) ln(1 − σ(z)) = ln(1 + eᶻ) − xz, and its derivative is σ(z) − x.
            let softplus = |z: f64| z.max(0.0) + (-z.abs()).exp().ln_1p();
            let value = logits.iter().zip(target).map(|(&z, x)| softplus(z) - x * z).sum();
            (value, (0..target.len()).map(|i| (output[i] - target[i]) / rows).collect())
        }
    };
    for (index, layer) in layers.iter().enumerate().rev() {
        let (weights, biases) = (layer.weight_range().start, layer.bias_range().start);
        let mut before = vec![0.0; layer.inputs()];
        for (output, &delta) in delta.iter().enumerate() {
            for input in 0..layer.inputs() {
                let weight = weights + output * layer.inputs() + input;
                gradient[weight] += delta * inputs[index][input];
                before[input] += delta * parameters[weight];
            }
            if layer.has_bias() {
                gradient[biases + output] += delta;
            }
        }
        if index == network.architecture().encoder_depth() {
            for (before, code) in before.iter_mut().zip(&inputs[index]) {
                let sign = if *code == 0.0 { 0.0 } else { code.signum() };
                *before += f64::from(objective.code_l1) / rows * sign;
            }
        }
        let mut outputs_before = &inputs[index];
        if index == network.architecture().encoder_depth() && code_size > 0 {
            let beta = f64::from(objective.beta) / rows;
            let by_mean = |i: usize| before[i] + beta * distribution[i];
            let by_log_variance = |i: usize| {
                let log_variance = distribution[code_size + i];
                (before[i] * noise[i] * (log_variance / 2.0).exp() + beta * log_variance.exp_m1()) / 2.0
            };
            before = (0..code_size).map(by_mean).chain((0..code_size).map(by_log_variance)).collect();
            outputs_before = &distribution;
        }
        if index > 0 {
            let activation = layers[index - 1].activation();
            let slopes = sums[index - 1].iter().zip(outputs_before).map(|(&z, &y)| derivative(activation, z, y));
            delta = before.iter().zip(slopes).map(|(before, slope)| before * slope).collect();
        }
    }
    let divergence_of = |i: usize| {
        let log_variance = distribution[code_size + i];
        (distribution[i].powi(2) + log_variance.exp_m1() - log_variance) / 2.0
    };
    BatchError { loss: loss_value, squared_error, divergence: (0..code_size).map(divergence_of).sum() }
}

fn weighted_sums(layer: &Layer, parameters: &[f64], input: &[f64]) -> Vec<f64> {
    let sum = |output: usize| {
        let start = layer.weight_range().start + output * layer.inputs();
        let bias = if layer.has_bias() { parameters[layer.bias_range().start + output] } else { 0.0 };
        let products =
            parameters[start..start + layer.inputs()].iter().zip(input).map(|(weight, input)| weight * input);
        bias + products.sum::<f64>()
    };
    (0..layer.outputs()).map(sum).collect()
}

/// The derivative by the input z, given also the output y.
fn derivative(activation: Activation, z: f64, y: f64) -> f64 {
    activation::derivative(activation, if activation.needs_input() { z } else { y })
}
