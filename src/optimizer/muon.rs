//! Muon: steps in which all directions of a layer's weights are equally long.

use std::ops::Range;

use rayon::prelude::*;

use super::step::{Optimizer, Step};
use crate::gemm::gemm;
use crate::kernels::{AdamStep, Isa, Update, axpy, scale, squared_norm, with_denormals_flushed};
use crate::matrix::{AlignedBuffer, Matrix, MatrixView, MatrixViewMut};
use crate::network::{Architecture, Gradient, Network};

/// The momentum.
const MOMENTUM: f32 = 0.95;

/// The most outputs whose weights are made orthogonal to each other.
const MOST_OUTPUTS: usize = 64;

/// The root mean square of a step's elements, for a learning rate of 1: about what Adam's have.
const STEP: f32 = 0.2;

/// The polynomials a x + b x³ + c x⁵ that, one after another, bring all x from 1/50 to 1 to within a tenth of 1.
///
/// Each is the best that there is for what the one before leaves, by Remez' exchange: Amsel, Persson, Musco and Gower, "The
/// Polar Express: optimal matrix sign methods and their application to the Muon algorithm", 2025, §3.
const POLYNOMIALS: [[f32; 3]; 3] =
    [[7.71097, -22.1138, 16.2487], [3.21528, -2.41117, 0.5013], [2.21831, -1.59399, 0.410748]];

/// V ← μV + G, W ← W − α s U, where U is what G + μV becomes when its singular values become 1: Muon (Jordan et al., "Muon:
/// an optimizer for hidden layers in neural networks", 2024), with s so that α means what it means to Adam (Liu et al., "Muon
/// is scalable for LLM training", 2025, §2.2). Biases are updated by [`Adam`](super::Adam).
///
/// The weights of every 64 outputs of a layer are taken by themselves: that costs a fraction of the whole matrix's products,
/// which grow with the square of the outputs, and trains no worse. Singular values become 1 only to within a tenth, and
/// stay smaller when they are less than 1/50 of all together.
#[derive(Clone, Debug)]
pub struct Muon {
    blocks: Vec<Block>,
    /// The gradient, and then room to turn it into a direction.
    gradient: AlignedBuffer,
    direction: AlignedBuffer,
    /// The momentum of weights, and the first moment of biases.
    velocity: AlignedBuffer,
    /// Of the biases alone.
    second_moment: AlignedBuffer,
}

/// Parameters that are updated together.
#[derive(Clone, Debug)]
struct Block {
    range: Range<usize>,
    /// The number of inputs of each output; none for biases.
    inputs: Option<usize>,
}

impl Muon {
    /// For a network's layers.
    pub fn new(architecture: &Architecture) -> Self {
        let zeros = AlignedBuffer::zeros(architecture.buffer_length());
        let blocks = blocks(architecture);
        let biases = blocks.iter().filter(|block| block.inputs.is_none()).map(|block| block.range.len()).sum();
        let second_moment = AlignedBuffer::zeros(biases);
        Self { blocks, gradient: zeros.clone(), direction: zeros.clone(), velocity: zeros, second_moment }
    }
}

/// All parameters of a network, in the order of the flat buffer. A block has no more outputs than inputs.
fn blocks(architecture: &Architecture) -> Vec<Block> {
    let mut blocks = Vec::new();
    for layer in architecture.layers() {
        let (outputs, inputs) = (layer.outputs(), layer.inputs());
        let count = outputs.div_ceil(MOST_OUTPUTS.min(inputs));
        let first = |block: usize| layer.weight_range().start + block * outputs / count * inputs;
        blocks.extend((0..count).map(|block| Block { range: first(block)..first(block + 1), inputs: Some(inputs) }));
        if layer.has_bias() {
            blocks.push(Block { range: layer.bias_range(), inputs: None });
        }
    }
    blocks
}

impl Optimizer for Muon {
    fn step(&mut self, network: &mut Network, gradient: Gradient<'_>, step: Step) {
        let isa = network.isa();
        gradient.apply(Update::write(&mut self.gradient));
        let parameters = parts(network.parameters_mut(), &self.blocks);
        let gradients = parts(&mut self.gradient, &self.blocks);
        let directions = parts(&mut self.direction, &self.blocks);
        let velocities = parts(&mut self.velocity, &self.blocks);
        let mut second_moments = &mut self.second_moment[..];
        let buffers = parameters.into_iter().zip(gradients).zip(directions).zip(velocities);
        let tasks: Vec<_> = self
            .blocks
            .iter()
            .zip(buffers)
            .map(|(block, (((parameters, gradient), direction), velocity))| {
                let moments = if block.inputs.is_none() { block.range.len() } else { 0 };
                let second_moment = second_moments.split_off_mut(..moments).expect("one for each bias");
                Task { inputs: block.inputs, parameters, gradient, direction, velocity, second_moment }
            })
            .collect();
        tasks.into_par_iter().with_max_len(1).for_each(|task| with_denormals_flushed(|| task.step(isa, step)));
    }

    fn memory(&mut self) -> Vec<(&'static str, &mut [f32])> {
        vec![("velocity", &mut self.velocity), ("second_moment", &mut self.second_moment)]
    }
}

/// The blocks of a buffer that is laid out as the parameters are.
fn parts<'a>(mut rest: &'a mut [f32], blocks: &[Block]) -> Vec<&'a mut [f32]> {
    let mut before = 0;
    let mut part = |block: &Block| {
        let (_, from) = std::mem::take(&mut rest).split_at_mut(block.range.start - before);
        let (part, after) = from.split_at_mut(block.range.len());
        (rest, before) = (after, block.range.end);
        part
    };
    blocks.iter().map(&mut part).collect()
}

/// A block, and what belongs to it.
struct Task<'a> {
    inputs: Option<usize>,
    parameters: &'a mut [f32],
    gradient: &'a mut [f32],
    direction: &'a mut [f32],
    velocity: &'a mut [f32],
    second_moment: &'a mut [f32],
}

impl Task<'_> {
    fn step(self, isa: Isa, Step { number, learning_rate, .. }: Step) {
        let Self { inputs, parameters, gradient, direction, velocity, second_moment } = self;
        let Some(inputs) = inputs else {
            let step = AdamStep { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: number };
            return Update::adam(parameters, velocity, second_moment, step).apply(isa, gradient);
        };
        scale(isa, MOMENTUM, velocity);
        axpy(isa, 1.0, gradient, velocity);
        axpy(isa, MOMENTUM, velocity, gradient);
        orthogonalise(isa, inputs, gradient, direction);
        // Orthonormal rows have elements of 1/√inputs.
        axpy(isa, -learning_rate * STEP * (inputs as f32).sqrt(), direction, parameters);
    }
}

/// The matrix with orthonormal rows that is nearest to X, about: U Vᵀ of X = U Σ Vᵀ. X has `columns` columns and no more
/// rows, and is lost.
///
/// X ← (a + b X Xᵀ + c (X Xᵀ)²) X does to the singular values what a polynomial of [`POLYNOMIALS`] does.
fn orthogonalise(isa: Isa, columns: usize, x: &mut [f32], out: &mut [f32]) {
    let norm = squared_norm(isa, x).sqrt();
    if norm < f64::from(f32::MIN_POSITIVE) {
        return out.fill(0.0);
    }
    scale(isa, (1.0 / norm) as f32, x);
    let rows = x.len() / columns;
    let (mut gram, mut even) = (Matrix::zeros(rows, rows), Matrix::zeros(rows, rows));
    let (mut from, mut to) = (x, out);
    // As many polynomials as there are, an odd number: the last one writes to `out`.
    for [a, b, c] in POLYNOMIALS {
        let view = MatrixView::new(from, rows, columns);
        gemm(1.0, view, view.transposed(), 0.0, gram.view_mut());
        gemm(c, gram.view(), gram.view(), 0.0, even.view_mut());
        axpy(isa, b, gram.as_slice(), even.as_mut_slice());
        (0..rows).for_each(|row| even.row_mut(row)[row] += a);
        gemm(1.0, even.view(), view, 0.0, MatrixViewMut::new(to, rows, columns));
        std::mem::swap(&mut from, &mut to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Activation;
    use crate::linalg::svd;
    use crate::network::{Activations, Batch, Initialisation, Loss};
    use crate::reference::muon as reference;

    #[test]
    fn its_steps_are_those_of_the_reference() {
        let architecture = Architecture::new("5,4,2,4,5".parse().unwrap(), Activations::hidden(Activation::Tanh), true);
        let mut network = Network::new(architecture, Initialisation::FanIn, 3);
        let rows = Matrix::from_slice(40, 5, &(0..200).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>());
        let mut expected = reference::Muon::new(&network);
        let mut muon = Muon::new(network.architecture());
        let mut batch = Batch::new(&network, Loss::SquaredError, 40);
        let indices: Vec<usize> = (0..40).collect();
        for number in 1..=5 {
            let after = expected.step(&network, &rows, 0.1);
            network.trace(&rows, &indices, &mut batch).unwrap();
            muon.step(
                &mut network,
                Gradient::traced(&mut batch),
                Step { number, learning_rate: 0.1, rows: rows.rows(), is_exact: false },
            );
            for (actual, expected) in network.parameters().iter().zip(after) {
                assert!((f64::from(*actual) - expected).abs() < 1e-4, "step {number}: {actual}, not {expected}");
            }
        }
    }

    #[test]
    fn singular_values_become_one_to_within_a_tenth() {
        let values: Vec<f32> = (0..64 * 300).map(|i| ((i * i) as f32 * 0.37).sin()).collect();
        for (rows, columns) in [(1, 1), (1, 7), (3, 3), (30, 31), (64, 300)] {
            let mut matrix = Matrix::from_slice(rows, columns, &values[..rows * columns]);
            let before = svd(matrix.view()).unwrap().singular_values;
            let norm = before.iter().map(|value| value * value).sum::<f32>().sqrt();
            let mut out = Matrix::zeros(rows, columns);
            orthogonalise(Isa::best(), columns, matrix.as_mut_slice(), out.as_mut_slice());
            let after = svd(out.view()).unwrap().singular_values;
            let large = before.iter().filter(|&&value| value > norm / 50.0).count();
            assert!(after[..large].iter().all(|value| (0.9..1.1).contains(value)), "{rows} x {columns}: {after:?}");
        }
        let mut out = [f32::NAN; 15];
        orthogonalise(Isa::best(), 5, &mut [0.0; 15], &mut out);
        assert_eq!(out, [0.0; 15]);
    }

    #[test]
    fn blocks_hold_every_parameter_once_and_have_no_more_outputs_than_inputs() {
        for (sizes, bias) in [("784,1000,30,1000,784", true), ("5,300,5", false), ("2,1,2", true)] {
            let architecture = Architecture::new(sizes.parse().unwrap(), Activations::hidden(Activation::Relu), bias);
            let blocks = blocks(&architecture);
            assert_eq!(blocks.iter().map(|block| block.range.len()).sum::<usize>(), architecture.parameters());
            assert!(blocks.is_sorted_by(|a, b| a.range.end <= b.range.start));
            for block in blocks {
                let outputs =
                    block.inputs.map(|inputs| (block.range.len() / inputs, block.range.len() % inputs, inputs));
                assert!(outputs.is_none_or(|(outputs, rest, inputs)| outputs <= 64.min(inputs) && rest == 0));
            }
        }
    }
}
