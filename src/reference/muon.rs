//! Muon as its formulas say, in double precision.

use crate::matrix::Matrix;
use crate::network::{Loss, Network};
use crate::reference::network::{as_vectors, gradient};

/// The twin of [`crate::optimizer::Muon`].
#[derive(Debug)]
pub struct Muon {
    velocity: Vec<f64>,
    second_moment: Vec<f64>,
    steps: i32,
}

impl Muon {
    /// For a network.
    pub fn new(network: &Network) -> Self {
        let zeros = vec![0.0; network.parameters().len()];
        Self { velocity: zeros.clone(), second_moment: zeros, steps: 0 }
    }

    /// The parameters after a step of squared error over all `rows`.
    pub fn step(&mut self, network: &Network, rows: &Matrix, learning_rate: f64) -> Vec<f64> {
        self.steps += 1;
        let rows = as_vectors(rows);
        let (gradient, _) = gradient(network, &rows, Loss::SquaredError);
        let mut parameters: Vec<f64> = network.parameters().iter().copied().map(f64::from).collect();
        for layer in network.architecture().layers() {
            let (inputs, outputs) = (layer.inputs(), layer.outputs());
            let blocks = outputs.div_ceil(inputs.min(64));
            for block in 0..blocks {
                let outputs = block * outputs / blocks..(block + 1) * outputs / blocks;
                let place = |output: usize, input: usize| layer.weight_range().start + output * inputs + input;
                let mut direction = Vec::new();
                for output in outputs.clone() {
                    direction.push(
                        (0..inputs)
                            .map(|input| {
                                let place = place(output, input);
                                self.velocity[place] = 0.95 * self.velocity[place] + gradient[place];
                                gradient[place] + 0.95 * self.velocity[place]
                            })
                            .collect(),
                    );
                }
                for (output, row) in outputs.zip(orthogonalised(direction)) {
                    for (input, value) in row.into_iter().enumerate() {
                        parameters[place(output, input)] -= learning_rate * 0.2 * (inputs as f64).sqrt() * value;
                    }
                }
            }
            for place in layer.bias_range() {
                let slope = gradient[place];
                self.velocity[place] = 0.9 * self.velocity[place] + 0.1 * slope;
                self.second_moment[place] = 0.999 * self.second_moment[place] + 0.001 * slope * slope;
                let first = self.velocity[place] / (1.0 - 0.9_f64.powi(self.steps));
                let second = self.second_moment[place] / (1.0 - 0.999_f64.powi(self.steps));
                parameters[place] -= learning_rate * first / (second.sqrt() + 1e-8);
            }
        }
        parameters
    }
}

/// Rows that are made orthonormal, about.
fn orthogonalised(mut rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let norm = rows.iter().flatten().map(|value| value * value).sum::<f64>().sqrt();
    rows.iter_mut().flatten().for_each(|value| *value /= norm);
    for [a, b, c] in [[7.71097, -22.1138, 16.2487], [3.21528, -2.41117, 0.5013], [2.21831, -1.59399, 0.410748]] {
        let transposed =
            (0..rows[0].len()).map(|column| rows.iter().map(|row| row[column]).collect()).collect::<Vec<_>>();
        let gram = product(&rows, &transposed);
        let once = product(&gram, &rows);
        let twice = product(&gram, &once);
        for ((row, once), twice) in rows.iter_mut().flatten().zip(once.iter().flatten()).zip(twice.iter().flatten()) {
            *row = a * *row + b * once + c * twice;
        }
    }
    rows
}

fn product(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let element = |row: &[f64], column: usize| row.iter().zip(b).map(|(value, other)| value * other[column]).sum();
    a.iter().map(|row| (0..b[0].len()).map(|column| element(row, column)).collect()).collect()
}
