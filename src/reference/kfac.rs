//! K-FAC as its formulas say, in double precision, with moments and curvatures summed a row at a time.

use crate::matrix::Matrix;
use crate::network::{Loss, Network, RandomSigns};
use crate::reference::network::{as_vectors, curvature_root, gradient, gradient_of_examples, layer_inputs};
use crate::reference::rotation::dot;

type Square = Vec<Vec<f64>>;

/// The twin of [`crate::optimizer::Kfac`] for its first steps, in all of which it updates the moments and inverts them, of
/// squared error behind a linear output.
#[derive(Debug)]
pub struct Kfac {
    /// For each layer, the second moments of its inputs and of its deltas.
    moments: Vec<[Square; 2]>,
    velocity: Vec<f64>,
    steps: u64,
    /// Whether all steps are exact: then the parameters and the gradient of each.
    is_exact: bool,
    points: Vec<[Vec<f64>; 2]>,
}

impl Kfac {
    /// For a network, and for steps that are all exact or none.
    pub fn new(network: &Network, is_exact: bool) -> Self {
        let velocity = vec![0.0; network.parameters().len()];
        Self { moments: Vec::new(), velocity, steps: 0, is_exact, points: Vec::new() }
    }

    /// The parameters after a step over all `rows`.
    pub fn step(&mut self, network: &Network, rows: &Matrix, learning_rate: f64) -> Vec<f64> {
        self.steps += 1;
        let rows = as_vectors(rows);
        self.update_moments(network, &rows);
        let (gradient, _) = gradient(network, &rows, Loss::SquaredError);
        if self.is_exact {
            let parameters = network.parameters().iter().copied().map(f64::from).collect();
            self.points.push([parameters, gradient.clone()]);
        }
        let pairs = pairs(&self.points);
        let inverse = |vector: &[f64]| self.direction(network, vector, rows.len());
        let scale = pairs.last().map_or(1.0, |[step, change]| dot(step, change) / dot(change, &inverse(change)));
        let scaled = |vector: &[f64]| inverse(vector).iter().map(|value| scale * value).collect();
        let direction = multiply_by_inverse(&pairs, &gradient, &scaled);
        let [new, old] = self.shares(network, &rows, &gradient, &direction);
        for (velocity, direction) in self.velocity.iter_mut().zip(direction) {
            *velocity = new * direction + old * *velocity;
        }
        let parameters = network.parameters().iter().copied().map(f64::from);
        parameters.zip(&self.velocity).map(|(parameter, velocity)| parameter - learning_rate * velocity).collect()
    }

    fn update_moments(&mut self, network: &Network, rows: &[Vec<f32>]) {
        let kept = 0.9_f64.min(1.0 - 1.0 / self.steps as f64);
        for (index, layer) in network.architecture().layers().iter().enumerate() {
            let mut fresh = [layer.inputs() + usize::from(layer.has_bias()), layer.outputs()]
                .map(|size| vec![vec![0.0; size]; size]);
            for (number, row) in rows.iter().enumerate() {
                let mut inputs = layer_inputs(network, row);
                let mut signs = RandomSigns::new(self.steps, number);
                let target: Vec<f32> = inputs[inputs.len() - 1]
                    .iter()
                    .map(|output| (output - f64::from(signs.next()) * 0.5_f64.sqrt()) as f32)
                    .collect();
                let mut input = inputs.swap_remove(index);
                if layer.has_bias() {
                    input.push(1.0);
                }
                let delta = delta(network, index, row, target);
                for (moments, values) in fresh.iter_mut().zip([input, delta]) {
                    for (moments, value) in moments.iter_mut().zip(&values) {
                        for (moment, other) in moments.iter_mut().zip(&values) {
                            *moment += value * other / rows.len() as f64;
                        }
                    }
                }
            }
            if self.moments.len() == index {
                self.moments.push(fresh.clone());
            }
            for (moments, fresh) in self.moments[index].iter_mut().zip(fresh) {
                for (moment, fresh) in moments.iter_mut().flatten().zip(fresh.into_iter().flatten()) {
                    *moment = kept * *moment + (1.0 - kept) * fresh;
                }
            }
        }
    }

    fn direction(&self, network: &Network, gradient: &[f64], rows: usize) -> Vec<f64> {
        let mut direction = vec![0.0; gradient.len()];
        let damping = (0.45 / (rows as f64).sqrt()).max(0.1 * 0.99_f64.powi(self.steps as i32));
        for (layer, [inputs, deltas]) in network.architecture().layers().iter().zip(&self.moments) {
            let share = (mean_diagonal(inputs) / mean_diagonal(deltas)).sqrt();
            let (inputs, deltas) = (inverse(inputs, damping * share), inverse(deltas, damping / share));
            let place = |output: usize, input: usize| match input < layer.inputs() {
                true => layer.weight_range().start + output * layer.inputs() + input,
                false => layer.bias_range().start + output,
            };
            for i in 0..deltas.len() {
                for j in 0..inputs.len() {
                    for k in 0..deltas.len() {
                        for l in 0..inputs.len() {
                            direction[place(i, j)] += deltas[i][k] * gradient[place(k, l)] * inputs[l][j];
                        }
                    }
                }
            }
        }
        direction
    }

    fn shares(&self, network: &Network, rows: &[Vec<f32>], gradient: &[f64], direction: &[f64]) -> [f64; 2] {
        let damping = (2.0 / rows.len() as f64).max(0.1 * 0.98_f64.powi(self.steps as i32));
        let some = &rows[..rows.len().min(rows.len().div_ceil(8).div_ceil(32) * 32)];
        let curvature = |one: &[f64], other: &[f64]| {
            let root = |row: &Vec<f32>, direction| curvature_root(network, row, direction, Loss::SquaredError);
            let of_row = |row| dot(&root(row, one), &root(row, other));
            some.iter().map(of_row).sum::<f64>() / some.len() as f64 + damping * dot(one, other)
        };
        let (dd, slope) = (curvature(direction, direction), dot(gradient, direction));
        if self.points.len() > 1 {
            return [slope / dd, 0.0];
        }
        let dv = curvature(direction, &self.velocity);
        let vv = curvature(&self.velocity, &self.velocity);
        let old_slope = dot(gradient, &self.velocity);
        match dd * vv - dv * dv {
            0.0 => [slope / dd, 0.0],
            determinant => [(slope * vv - old_slope * dv) / determinant, (old_slope * dd - slope * dv) / determinant],
        }
    }
}

/// The pairs (s, y) of L-BFGS: the steps between points, and the changes of the gradient along them.
fn pairs(points: &[[Vec<f64>; 2]]) -> Vec<[Vec<f64>; 2]> {
    let difference = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x - y).collect();
    let pair = |pair: &[[Vec<f64>; 2]]| [0, 1].map(|which| difference(&pair[1][which], &pair[0][which]));
    points.windows(2).map(pair).collect()
}

/// H⁺ v by the update of BFGS, H⁺ = (I − ρ s yᵀ) H (I − ρ y sᵀ) + ρ s sᵀ with ρ = 1 / sᵀ y, for one pair after another.
fn multiply_by_inverse(pairs: &[[Vec<f64>; 2]], vector: &[f64], first: &dyn Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let Some(([step, change], before)) = pairs.split_last() else { return first(vector) };
    let add = |x: &[f64], a: f64, y: &[f64]| -> Vec<f64> { x.iter().zip(y).map(|(x, y)| x + a * y).collect() };
    let product = dot(step, change);
    let share = dot(step, vector) / product;
    let moved = multiply_by_inverse(before, &add(vector, -share, change), first);
    add(&moved, share - dot(change, &moved) / product, step)
}

/// The gradient of a row's own loss towards a target, by what a layer computes before its activation.
fn delta(network: &Network, index: usize, row: &[f32], target: Vec<f32>) -> Vec<f64> {
    let layer = &network.architecture().layers()[index];
    let example = [&[row.to_vec()][..], &[target], &[]];
    let (gradient, _) = gradient_of_examples(network, example, Loss::SquaredError.into());
    let inputs = layer_inputs(network, row).swap_remove(index);
    // Of the weights from the largest input, which is δ times that input.
    let largest = (0..inputs.len()).max_by(|&i, &j| inputs[i].abs().total_cmp(&inputs[j].abs())).expect("an input");
    let place = |output: usize| layer.weight_range().start + output * layer.inputs() + largest;
    (0..layer.outputs()).map(|output| gradient[place(output)] / inputs[largest]).collect()
}

fn mean_diagonal(matrix: &Square) -> f64 {
    (0..matrix.len()).map(|i| matrix[i][i]).sum::<f64>() / matrix.len() as f64
}

/// The inverse of a matrix with something added to its diagonal, by elimination.
fn inverse(matrix: &Square, damping: f64) -> Square {
    let (size, mut matrix) = (matrix.len(), matrix.clone());
    (0..size).for_each(|i| matrix[i][i] += damping);
    let mut inverse: Square = (0..size).map(|i| (0..size).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for pivot in 0..size {
        let divisor = matrix[pivot][pivot];
        for column in 0..size {
            matrix[pivot][column] /= divisor;
            inverse[pivot][column] /= divisor;
        }
        for other in (0..size).filter(|&other| other != pivot) {
            let times = matrix[other][pivot];
            for column in 0..size {
                matrix[other][column] -= times * matrix[pivot][column];
                inverse[other][column] -= times * inverse[pivot][column];
            }
        }
    }
    inverse
}
