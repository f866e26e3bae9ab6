//! Forward: rows to codes, codes to rows.

use std::ops::Range;

use super::Network;
use crate::evaluate::Reconstruct;
use crate::gemm::gemm;
use crate::kernels;
use crate::matrix::{AlignedBuffer, Matrix, MatrixView, MatrixViewMut};
use crate::parallel::for_each_piece;

/// Rows that pass through the network together, on one thread: few enough that a tile's activations stay in cache,
/// enough to pay for reading the weights.
pub(super) const TILE_ROWS: usize = 64;

impl Network {
    /// Encodes rows (rows × input size) to codes (rows × code size).
    ///
    /// A row's code does not depend, to the last bit, on the rows beside it or on the number of threads.
    ///
    /// # Panics
    /// When the rows are not as wide as the input layer.
    pub fn encode(&self, rows: &Matrix) -> Matrix {
        self.run(0..self.architecture.encoder_depth(), rows)
    }

    /// Decodes codes (rows × code size) to rows (rows × input size).
    ///
    /// # Panics
    /// When the codes are not as wide as the waist.
    pub fn decode(&self, codes: &Matrix) -> Matrix {
        self.run(self.architecture.encoder_depth()..self.architecture.layers().len(), codes)
    }

    fn run(&self, depth: Range<usize>, input: &Matrix) -> Matrix {
        let layers = &self.architecture.layers()[depth.clone()];
        let (first, last) = (&layers[0], &layers[layers.len() - 1]);
        assert_eq!(input.columns(), first.inputs(), "the columns of the rows and the layer's inputs");
        let mut output = Matrix::zeros(input.rows(), last.outputs());
        let widest = layers.iter().map(|layer| layer.outputs()).max().unwrap_or(0);
        let operations = input.rows() * layers.iter().map(|layer| layer.parameters()).sum::<usize>();
        for_each_piece(output.as_mut_slice(), TILE_ROWS * last.outputs(), operations, |tile, output| {
            let rows = output.len() / last.outputs();
            let start = tile * TILE_ROWS;
            let mut here = AlignedBuffer::zeros(rows * widest);
            let mut next = AlignedBuffer::zeros(rows * widest);
            for (step, index) in depth.clone().enumerate() {
                let (inputs, outputs) = (layers[step].inputs(), layers[step].outputs());
                let input = match step {
                    0 => input.rows_view(start..start + rows),
                    _ => MatrixView::new(&here[..rows * inputs], rows, inputs),
                };
                let out = if step + 1 == layers.len() { &mut *output } else { &mut next[..rows * outputs] };
                self.preactivate(index, input, out);
                layers[step].activation().forward(self.isa, out);
                std::mem::swap(&mut here, &mut next);
            }
        });
        output
    }

    /// What a layer computes before its activation: W · inputs + b, for each row.
    pub(super) fn preactivate(&self, layer: usize, input: MatrixView<'_>, output: &mut [f32]) {
        let outputs = self.architecture.layers()[layer].outputs();
        gemm(1.0, input, self.weights(layer).transposed(), 0.0, MatrixViewMut::new(output, input.rows(), outputs));
        let biases = self.biases(layer);
        if !biases.is_empty() {
            kernels::add_row(self.isa, biases, output);
        }
    }
}

impl Reconstruct for Network {
    /// The same to the last bit as [`Network::encode`], then [`Network::decode`].
    fn reconstruct(&self, rows: &Matrix) -> Matrix {
        self.decode(&self.encode(rows))
    }
}
