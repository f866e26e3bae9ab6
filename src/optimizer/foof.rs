//! Descent with layers' inputs decorrelated: the input side of K-FAC.

use rayon::prelude::*;

use super::{Optimizer, Step};
use crate::gemm::gemm;
use crate::kernels::{Isa, Update, axpy, squared_norm};
use crate::linalg::inverse::inverse;
use crate::matrix::{AlignedBuffer, Matrix, MatrixView, MatrixViewMut};
use crate::network::{Architecture, Batch, Gradient, Layer, Network, Preconditioner};

/// The share of a layer's weights, by their norms, that a step may be long, for a learning rate of 1.
const LONGEST: f64 = 0.125;

/// The damping, as a share of the inputs' mean variance.
const DAMPING: f32 = 0.1;

/// The share of the moments that a minibatch leaves as they were, once there are enough.
const KEPT: f32 = 0.95;

/// The momentum.
const MOMENTUM: f32 = 0.9;

/// Rows of a moment matrix that one task adds to.
const TASK_ROWS: usize = 128;

/// G ← Ā⁻¹ G, V ← μV + G, W ← W − α (1 − μ) V, where Ā is the moving mean of the second moments of a layer's inputs, with
/// a 1 for the biases: K-FAC (Martens and Grosse, "Optimizing neural networks with Kronecker-factored approximate
/// curvature", 2015) with its input factor alone, which is FOOF (Benzing, "Gradient descent on neurons and its link to
/// approximate second-order optimization", 2022, §5).
///
/// Ā's covariance block is damped by a tenth of its mean diagonal. No layer moves by more than α/8 of its weights' norm.
/// The moments are looked at in each of the first 30 steps and then in every eighth, and inverted in steps 1, 2, 4, … and in
/// every sixtieth.
#[derive(Clone, Debug)]
pub struct Foof {
    layers: Vec<Layer>,
    velocity: AlignedBuffer,
    /// For each layer, the second moments of its inputs and then their means; and the inverse of the damped covariance and
    /// then minus its product with the means.
    moments: AlignedBuffer,
    inverses: AlignedBuffer,
    /// How many minibatches the moments have seen.
    seen: AlignedBuffer,
}

impl Foof {
    /// For a network's layers.
    pub fn new(architecture: &Architecture) -> Self {
        let layers = architecture.layers().to_vec();
        let length = layers.iter().map(|layer| factor_length(layer.inputs())).sum();
        let zeros = AlignedBuffer::zeros(length);
        let velocity = AlignedBuffer::zeros(architecture.buffer_length());
        Self { layers, velocity, moments: zeros.clone(), inverses: zeros, seen: AlignedBuffer::zeros(1) }
    }

    /// Adds the inputs of the rows that were traced last to the moments.
    fn look(&mut self, batch: &Batch) {
        self.seen[0] += 1.0;
        let kept = KEPT.min(1.0 - 1.0 / self.seen[0]);
        for (index, factor) in factors(&self.layers, &mut self.moments).into_iter().enumerate() {
            let inputs = batch.inputs(index);
            let (size, share) = (inputs.rows(), (1.0 - kept) / inputs.columns() as f32);
            let (moments, means) = factor.split_at_mut(size * size);
            moments.par_chunks_mut(TASK_ROWS * size).enumerate().for_each(|(task, moments)| {
                let rows = moments.len() / size;
                let some = inputs.rows_view(task * TASK_ROWS..task * TASK_ROWS + rows);
                gemm(share, some, inputs.view().transposed(), kept, MatrixViewMut::new(moments, rows, size));
            });
            for (row, mean) in means.iter_mut().enumerate() {
                *mean = kept * *mean + share * inputs.row(row).iter().sum::<f32>();
            }
        }
    }

    /// Inverts the damped covariances.
    fn invert(&mut self) {
        let moments = factors(&self.layers, &mut self.moments);
        let inverses = factors(&self.layers, &mut self.inverses);
        self.layers.par_iter().zip(moments).zip(inverses).for_each(|((layer, moments), inverses)| {
            let size = layer.inputs();
            let (moments, means) = moments.split_at(size * size);
            let mut covariance = Matrix::from_slice(size, size, moments);
            for (row, mean) in means.iter().enumerate() {
                covariance.row_mut(row).iter_mut().zip(means).for_each(|(value, other)| *value -= mean * other);
            }
            let variance = (0..size).map(|i| covariance.row(i)[i]).sum::<f32>() / size as f32;
            let damping = (DAMPING * variance).max(f32::MIN_POSITIVE.sqrt());
            (0..size).for_each(|i| covariance.row_mut(i)[i] += damping);
            let inverse = inverse(covariance.view());
            let (matrix, shift) = inverses.split_at_mut(size * size);
            matrix.copy_from_slice(inverse.as_slice());
            for (row, shift) in shift.iter_mut().enumerate() {
                *shift = -inverse.row(row).iter().zip(means).map(|(inverse, mean)| inverse * mean).sum::<f32>();
            }
        });
    }

    /// Preconditions the gradient of the rows that were traced last.
    fn precondition(&mut self, batch: &mut Batch) {
        let moments = factors(&self.layers, &mut self.moments);
        let inverses = factors(&self.layers, &mut self.inverses);
        let preconditioners: Vec<_> = self
            .layers
            .iter()
            .zip(moments.iter().zip(&inverses))
            .map(|(layer, (moments, inverses))| {
                let size = layer.inputs();
                let (matrix, shift) = inverses.split_at(size * size);
                Preconditioner { matrix: MatrixView::new(matrix, size, size), shift, mean: &moments[size * size..] }
            })
            .collect();
        batch.precondition(&preconditioners);
    }
}

impl Optimizer for Foof {
    fn prepare(&self, batch: Batch) -> Batch {
        batch.in_tiles()
    }

    fn step(&mut self, network: &mut Network, mut gradient: Gradient<'_>, step: Step) {
        let Step { number, learning_rate } = step;
        if number < 30 || number % 8 == 0 {
            self.look(gradient.batch());
        }
        if number.is_power_of_two() && number < 60 || number % 60 == 0 {
            self.invert();
        }
        self.precondition(gradient.batch());
        let (isa, warm) = (network.isa(), number as f32 / (number as f32 + 20.0));
        let momentum = MOMENTUM.min(warm);
        // A step of nothing: the velocity alone changes.
        gradient.apply(Update::momentum(network.parameters_mut(), &mut self.velocity, 0.0, momentum));
        let rate = f64::from(learning_rate);
        let parameters = by_layer(&self.layers, network.parameters_mut());
        let velocities = by_layer(&self.layers, &mut self.velocity);
        parameters.into_par_iter().zip(velocities).for_each(|(parameters, velocity)| {
            let share = longest_share(isa, parameters, velocity, f64::from(1.0 - momentum));
            axpy(isa, -(rate * share) as f32, velocity, parameters);
        });
    }

    fn memory(&mut self) -> Vec<(&'static str, &mut [f32])> {
        vec![
            ("velocity", &mut self.velocity),
            ("moments", &mut self.moments),
            ("inverses", &mut self.inverses),
            ("seen", &mut self.seen),
        ]
    }
}

/// What a layer's velocity is multiplied by: `share`, or less where that would be too long a step.
fn longest_share(isa: Isa, parameters: &[f32], velocity: &[f32], share: f64) -> f64 {
    let (norm, length) = (squared_norm(isa, parameters).sqrt(), share * squared_norm(isa, velocity).sqrt());
    if length > LONGEST * norm { share * LONGEST * norm / length } else { share }
}

/// How many elements a factor has: a square matrix and a vector.
fn factor_length(size: usize) -> usize {
    size * (size + 1)
}

/// The factors of all layers.
fn factors<'a>(layers: &[Layer], buffer: &'a mut [f32]) -> Vec<&'a mut [f32]> {
    cut(buffer, layers.iter().map(|layer| factor_length(layer.inputs())))
}

/// The weights and biases of each layer.
fn by_layer<'a>(layers: &[Layer], buffer: &'a mut [f32]) -> Vec<&'a mut [f32]> {
    let starts = layers.iter().skip(1).map(|layer| layer.weight_range().start).chain([buffer.len()]);
    let mut before = 0;
    let lengths: Vec<usize> = starts.map(|start| start - std::mem::replace(&mut before, start)).collect();
    cut(buffer, lengths.into_iter())
}

fn cut(mut rest: &mut [f32], lengths: impl Iterator<Item = usize>) -> Vec<&mut [f32]> {
    lengths.map(|length| rest.split_off_mut(..length).expect("the lengths are those of the buffer")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Activation;
    use crate::network::{Activations, Initialisation, Loss};
    use crate::reference::foof as reference;

    #[test]
    fn its_steps_are_those_of_the_reference() {
        let architecture = Architecture::new("5,4,2,4,5".parse().unwrap(), Activations::hidden(Activation::Tanh), true);
        let mut network = Network::new(architecture, Initialisation::FanIn, 3);
        let rows = Matrix::from_slice(40, 5, &(0..200).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>());
        let mut expected = reference::Foof::new(&network);
        let mut foof = Foof::new(network.architecture());
        let mut batch = foof.prepare(Batch::new(&network, Loss::SquaredError, 40));
        let indices: Vec<usize> = (0..40).collect();
        for number in 1..=5 {
            let after = expected.step(&network, &rows, 0.1);
            network.trace(&rows, &indices, &mut batch);
            foof.step(&mut network, Gradient::traced(&mut batch), Step { number, learning_rate: 0.1 });
            for (actual, expected) in network.parameters().iter().zip(after) {
                assert!((f64::from(*actual) - expected).abs() < 1e-4, "step {number}: {actual}, not {expected}");
            }
        }
    }
}
