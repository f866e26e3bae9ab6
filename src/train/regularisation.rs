//! Penalties, clipping, weight decay and tied weights: changes of gradients and weights beside the optimizer's rule.

use super::{Penalty, TrainOptions};
use crate::gemm::transpose;
use crate::kernels::{add_signs, axpy, scale, squared_norm};
use crate::network::Network;
use crate::parallel::for_each_piece;

/// The number of weights that one thread decays at a time.
const PIECE: usize = 1 << 16;

/// Whether the gradient is changed before the step.
pub(super) fn changes_gradient(options: &TrainOptions) -> bool {
    options.penalty.l1 > 0.0 || options.penalty.l2 > 0.0 || options.tied || options.clip_norm.is_some()
}

/// Adds the gradient of the penalties, sums the gradients of tied weights, and clips the whole to its largest norm.
pub(super) fn change_gradient(network: &Network, options: &TrainOptions, gradient: &mut [f32]) {
    let isa = network.isa();
    let Penalty { l1, l2, .. } = options.penalty;
    for layer in network.architecture().layers() {
        let (weights, gradient) = (&network.parameters()[layer.weight_range()], &mut gradient[layer.weight_range()]);
        if l1 > 0.0 {
            add_signs(isa, l1, weights, gradient);
        }
        if l2 > 0.0 {
            axpy(isa, 2.0 * l2, weights, gradient);
        }
    }
    if options.tied {
        tie_gradient(network, gradient);
    }
    if let Some(longest) = options.clip_norm {
        let mut square = squared_norm(isa, gradient);
        if options.tied {
            // Both layers of a tied pair hold the same gradient, which must count once.
            for [_, decoder] in mirrored(network) {
                square -= squared_norm(isa, &gradient[decoder.weight_range()]);
            }
        }
        let norm = square.sqrt();
        if norm > longest.into() {
            scale(isa, (f64::from(longest) / norm) as f32, gradient);
        }
    }
}

/// Multiplies the weights by 1 − α · decay: decoupled weight decay.
pub(super) fn decay(network: &mut Network, options: &TrainOptions, learning_rate: f32) {
    let share = 1.0 - learning_rate * options.penalty.weight_decay;
    if share != 1.0 {
        let (isa, layers) = (network.isa(), network.architecture().layers().to_vec());
        for layer in layers {
            let weights = &mut network.parameters_mut()[layer.weight_range()];
            // Loading a weight from memory takes as long as several multiply-adds in registers.
            let operations = 8 * weights.len();
            for_each_piece(weights, PIECE, operations, |_, weights| scale(isa, share, weights));
        }
    }
}

/// Copies the weights of each encoder layer, transposed, to the decoder layer that mirrors it.
pub(super) fn tie(network: &mut Network) {
    let isa = network.isa();
    for [encoder, decoder] in mirrored(network) {
        let shape = [encoder.outputs(), encoder.inputs()];
        let (from, to) = network.parameters_mut().split_at_mut(decoder.weight_range().start);
        let to = &mut to[..decoder.weight_range().len()];
        transpose(isa, shape, &from[encoder.weight_range()], shape[1], to, shape[0]);
    }
}

/// Gives the weights of each pair of mirrored layers the sum of their gradients.
fn tie_gradient(network: &Network, gradient: &mut [f32]) {
    for [encoder, decoder] in mirrored(network) {
        let (outputs, inputs) = (encoder.outputs(), encoder.inputs());
        let (first, second) = gradient.split_at_mut(decoder.weight_range().start);
        let first = &mut first[encoder.weight_range()];
        let second = &mut second[..decoder.weight_range().len()];
        for output in 0..outputs {
            for input in 0..inputs {
                let sum = first[output * inputs + input] + second[input * outputs + output];
                first[output * inputs + input] = sum;
                second[input * outputs + output] = sum;
            }
        }
    }
}

/// The encoder's layers, each with the decoder layer that mirrors it.
fn mirrored(network: &Network) -> Vec<[crate::network::Layer; 2]> {
    let layers = network.architecture().layers();
    let (encoder, decoder) = layers.split_at(layers.len() / 2);
    encoder.iter().cloned().zip(decoder.iter().rev().cloned()).map(|(encoder, decoder)| [encoder, decoder]).collect()
}
