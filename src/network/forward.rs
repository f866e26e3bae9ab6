//! Forward: rows to codes, codes to rows.

use std::ops::Range;

use rayon::prelude::*;

use super::Network;
use crate::evaluate::Reconstruct;
use crate::gemm::{NonzeroFeatures, TILE_ROWS, tile_product, transpose};
use crate::kernels::with_denormals_flushed;
use crate::matrix::{AlignedBuffer, Matrix, MatrixView};
use crate::parallel::for_each_piece;

/// Features whose sums one thread computes together: a multiple of what stays in registers, so that none is left over.
const PIECE_FEATURES: usize = 96;

/// What is taken of the last layer that rows run through.
#[derive(Clone, Copy, PartialEq)]
enum Output {
    /// Its outputs.
    Activated,
    /// What it computes before its activation.
    Sums,
}

impl Network {
    /// Encodes rows (rows × input size) to codes (rows × code size).
    ///
    /// A row's code does not depend, to the last bit, on the rows beside it or on the number of threads. That of a
    /// variational network is the mean of its distribution.
    ///
    /// # Panics
    /// When the rows are not as wide as the input layer.
    pub fn encode(&self, rows: &Matrix) -> Matrix {
        self.run(0..self.architecture.encoder_depth(), rows)
    }

    /// What the encoder of a variational network says of each row (rows × twice the code size): the means of the code's
    /// elements, then the logarithms of their variances. [`Network::encode`] gives the means alone.
    ///
    /// # Panics
    /// When the network is not variational, or the rows are not as wide as the input layer.
    pub fn encode_distribution(&self, rows: &Matrix) -> Matrix {
        assert!(self.architecture.is_variational(), "a variational network");
        let depth = self.architecture.encoder_depth();
        self.run_to(0..depth, 2 * self.architecture.sizes().code(), Output::Activated, rows)
    }

    /// What the output layer computes before its activation (rows × input size): the logits of a sigmoid.
    ///
    /// # Panics
    /// As [`Network::decode`].
    pub(crate) fn decode_logits(&self, codes: &Matrix) -> Matrix {
        let depth = self.architecture.encoder_depth()..self.architecture.layers().len();
        self.run_to(depth, self.architecture.sizes().input(), Output::Sums, codes)
    }

    /// What a layer puts out for rows (rows × input size): rows × its size. Layers are numbered as the sizes are: that of
    /// number 0 is the input, which puts out nothing of its own.
    ///
    /// # Panics
    /// When there is no such layer, or the rows are not as wide as the input layer.
    pub fn layer_outputs(&self, rows: &Matrix, layer: usize) -> Matrix {
        self.run(0..layer, rows)
    }

    /// Decodes codes (rows × code size) to rows (rows × input size).
    ///
    /// # Panics
    /// When the codes are not as wide as the waist.
    pub fn decode(&self, codes: &Matrix) -> Matrix {
        self.run(self.architecture.encoder_depth()..self.architecture.layers().len(), codes)
    }

    /// Runs rows through some layers, tile by tile.
    fn run(&self, depth: Range<usize>, input: &Matrix) -> Matrix {
        let outputs = self.architecture.sizes().as_slice()[depth.end];
        self.run_to(depth, outputs, Output::Activated, input)
    }

    /// Runs rows through some layers, up to the first `outputs` outputs of the last: those of a variational encoder beyond
    /// the code's means are left out else.
    fn run_to(&self, depth: Range<usize>, outputs: usize, last: Output, input: &Matrix) -> Matrix {
        let sizes = self.architecture.sizes().as_slice();
        let inputs = sizes[depth.start];
        assert_eq!(input.columns(), inputs, "the columns of the rows and the layer's inputs");
        let mut output = Matrix::zeros(input.rows(), outputs);
        let widest = sizes[depth.start..=depth.end].iter().copied().fold(outputs, usize::max);
        let buffer = || AlignedBuffer::zeros(widest * TILE_ROWS);
        let pieces = output.as_mut_slice().par_chunks_mut(TILE_ROWS * outputs).enumerate();
        pieces.for_each_init(
            || (buffer(), buffer(), NonzeroFeatures::new(inputs)),
            |(here, next, nonzero), (tile, output)| {
                let (start, rows) = (tile * TILE_ROWS, output.len() / outputs);
                let from = input.rows_view(start..start + rows).as_slice();
                transpose(self.isa, [rows, inputs], from, inputs, here, TILE_ROWS);
                nonzero.find(self.isa, &here[..inputs * TILE_ROWS]);
                for index in depth.clone() {
                    let is_last = index + 1 == depth.end;
                    let wanted = if is_last { outputs } else { sizes[index + 1] };
                    let input = &here[..sizes[index] * TILE_ROWS];
                    let output = &mut next[..wanted * TILE_ROWS];
                    let nonzero = (index == depth.start).then_some(&*nonzero);
                    let (weights, biases) = (self.weights(index).rows_view(0..wanted), self.biases(index));
                    let biases = &biases[..wanted.min(biases.len())];
                    self.product(weights, biases, input, nonzero, rows, output);
                    if !(is_last && last == Output::Sums) {
                        let activation = self.architecture.layers()[index].activation();
                        with_denormals_flushed(|| activation.forward(self.isa, output));
                    }
                    std::mem::swap(here, next);
                }
                transpose(self.isa, [outputs, rows], here, TILE_ROWS, output, outputs);
            },
        );
        output
    }

    /// A tile product, shared between threads where it is large: what a layer computes before its activation, W · inputs
    /// + b, or its inputs' gradient Wᵀ · δ, for the first `rows` rows of a tile.
    pub(super) fn product(
        &self,
        a: MatrixView<'_>,
        bias: &[f32],
        input: &[f32],
        nonzero: Option<&NonzeroFeatures>,
        rows: usize,
        output: &mut [f32],
    ) {
        let operations = rows * a.rows() * a.columns();
        for_each_piece(output, PIECE_FEATURES * TILE_ROWS, operations, |piece, output| {
            let start = piece * PIECE_FEATURES;
            let features = start..start + output.len() / TILE_ROWS;
            let bias = if bias.is_empty() { bias } else { &bias[features.clone()] };
            with_denormals_flushed(|| {
                tile_product(self.isa, a.rows_view(features), bias, input, nonzero, rows, output)
            });
        });
    }
}

impl Reconstruct for Network {
    /// The same to the last bit as [`Network::encode`], then [`Network::decode`].
    fn reconstruct(&self, rows: &Matrix) -> Matrix {
        self.run(0..self.architecture.layers().len(), rows)
    }
}
