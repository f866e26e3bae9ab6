//! Forward: rows to codes, codes to rows.

use std::ops::Range;

use rayon::prelude::*;

use super::{Layer, Network};
use crate::evaluate::Reconstruct;
use crate::gemm::{NonzeroFeatures, TILE_ROWS, tile_product, transpose};
use crate::kernels::with_denormals_flushed;
use crate::matrix::{AlignedBuffer, Matrix, MatrixView};
use crate::parallel::for_each_piece;

/// Features whose sums one thread computes together: a multiple of what stays in registers, so that none is left over.
const PIECE_FEATURES: usize = 96;

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
        let layers = &self.architecture.layers()[depth.clone()];
        let (inputs, outputs) = (layers[0].inputs(), layers[layers.len() - 1].outputs());
        assert_eq!(input.columns(), inputs, "the columns of the rows and the layer's inputs");
        let mut output = Matrix::zeros(input.rows(), outputs);
        let widest = layers.iter().map(Layer::outputs).fold(inputs, usize::max);
        let buffer = || AlignedBuffer::zeros(widest * TILE_ROWS);
        let pieces = output.as_mut_slice().par_chunks_mut(TILE_ROWS * outputs).enumerate();
        pieces.for_each_init(
            || (buffer(), buffer(), NonzeroFeatures::new(inputs)),
            |(here, next, nonzero), (tile, output)| {
                let (start, rows) = (tile * TILE_ROWS, output.len() / outputs);
                let from = input.rows_view(start..start + rows).as_slice();
                transpose(self.isa, [rows, inputs], from, inputs, here, TILE_ROWS);
                nonzero.find(self.isa, &here[..inputs * TILE_ROWS]);
                for (layer, index) in layers.iter().zip(depth.clone()) {
                    let input = &here[..layer.inputs() * TILE_ROWS];
                    let output = &mut next[..layer.outputs() * TILE_ROWS];
                    let nonzero = (index == depth.start).then_some(&*nonzero);
                    self.product(self.weights(index), self.biases(index), input, nonzero, rows, output);
                    with_denormals_flushed(|| layer.activation().forward(self.isa, output));
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
