//! FOOF as its formulas say, in double precision, with the inputs' moments and the gradient summed a row at a time.

use crate::matrix::Matrix;
use crate::network::{Loss, Network};
use crate::reference::network::{gradient, layer_inputs};

/// The twin of [`crate::optimizer::Foof`], for its first steps, in all of which it looks at the moments.
#[derive(Debug)]
pub struct Foof {
    /// For each layer, the second moments of its inputs with a 1 behind them.
    moments: Vec<Vec<Vec<f64>>>,
    /// The damped inverses.
    inverses: Vec<Vec<Vec<f64>>>,
    velocity: Vec<f64>,
    steps: u32,
}

impl Foof {
    /// For a network.
    pub fn new(network: &Network) -> Self {
        Self { moments: Vec::new(), inverses: Vec::new(), velocity: vec![0.0; network.parameters().len()], steps: 0 }
    }

    /// The parameters after a step of squared error over all `rows`.
    pub fn step(&mut self, network: &Network, rows: &Matrix, learning_rate: f64) -> Vec<f64> {
        self.steps += 1;
        let rows: Vec<Vec<f32>> = (0..rows.rows()).map(|row| rows.row(row).to_vec()).collect();
        self.look(network, &rows);
        if self.steps.is_power_of_two() {
            self.inverses = self.moments.iter().map(|moments| invert(damped(moments))).collect();
        }
        let (plain, _) = gradient(network, &rows, Loss::SquaredError);
        let steps = f64::from(self.steps);
        let momentum = 0.9_f64.min(steps / (steps + 20.0));
        let mut parameters: Vec<f64> = network.parameters().iter().copied().map(f64::from).collect();
        for (layer, inverse) in network.architecture().layers().iter().zip(&self.inverses) {
            let mut moved = Vec::new();
            for output in 0..layer.outputs() {
                let places: Vec<usize> = (0..layer.inputs())
                    .map(|input| layer.weight_range().start + output * layer.inputs() + input)
                    .chain(layer.bias_range().nth(output))
                    .collect();
                for (i, &place) in places.iter().enumerate() {
                    let slope: f64 = places.iter().enumerate().map(|(j, &other)| plain[other] * inverse[j][i]).sum();
                    self.velocity[place] = momentum * self.velocity[place] + slope;
                }
                moved.extend(places);
            }
            let norm = |values: &[f64]| moved.iter().map(|&place| values[place].powi(2)).sum::<f64>().sqrt();
            let length = (1.0 - momentum) * norm(&self.velocity);
            let shorter = (0.125 * norm(&parameters) / length).min(1.0);
            for &place in &moved {
                parameters[place] -= learning_rate * (1.0 - momentum) * shorter * self.velocity[place];
            }
        }
        parameters
    }

    fn look(&mut self, network: &Network, rows: &[Vec<f32>]) {
        let kept = 0.95_f64.min(1.0 - 1.0 / f64::from(self.steps));
        for layer in 0..network.architecture().layers().len() {
            let size = network.architecture().layers()[layer].inputs() + 1;
            let mut fresh = vec![vec![0.0; size]; size];
            for row in rows {
                let mut input = layer_inputs(network, row).swap_remove(layer);
                input.push(1.0);
                for i in 0..size {
                    for j in 0..size {
                        fresh[i][j] += input[i] * input[j] / rows.len() as f64;
                    }
                }
            }
            if self.moments.len() == layer {
                self.moments.push(fresh.clone());
            }
            for (moments, fresh) in self.moments[layer].iter_mut().flatten().zip(fresh.iter().flatten()) {
                *moments = kept * *moments + (1.0 - kept) * fresh;
            }
        }
    }
}

/// Moments whose covariance has a tenth of its mean diagonal added to its diagonal.
fn damped(moments: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let size = moments.len() - 1;
    let variance = (0..size).map(|i| moments[i][i] - moments[i][size].powi(2)).sum::<f64>() / size as f64;
    let mut damped = moments.to_vec();
    (0..size).for_each(|i| damped[i][i] += 0.1 * variance);
    damped
}

/// The inverse, by elimination.
fn invert(mut matrix: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let size = matrix.len();
    let mut inverse: Vec<Vec<f64>> =
        (0..size).map(|i| (0..size).map(|j| f64::from(u8::from(i == j))).collect()).collect();
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
