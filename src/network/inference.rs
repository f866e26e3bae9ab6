//! Inference: rows to codes, codes to rows.
//!
//! Rows run through the layers in tiles of 32, features × 32, of which each thread holds two: what a layer takes in, and
//! what it gives out. Tiles are the work that is shared; a wide layer's product is shared besides.

use std::ops::Range;

use rayon::prelude::*;

use super::layer::TileInput;
use super::parameters::Network;
use crate::evaluate::Reconstruct;
use crate::gemm::{NonzeroFeatures, TILE_ROWS, transpose};
use crate::kernels::Isa;
use crate::matrix::{AlignedBuffer, Matrix};

/// What is wanted of the last layer that rows run through.
#[derive(Clone, Copy, PartialEq)]
enum Output {
    /// Its outputs.
    Activated,
    /// What it computes before its activation.
    Preactivation,
}

impl Network {
    /// Encodes rows (rows × input size) to codes (rows × code size).
    ///
    /// A row's code does not depend, to the last bit, on the rows beside it or on the number of threads. In a
    /// variational network it is the mean of its distribution.
    ///
    /// # Panics
    /// When the rows are not as wide as the input layer.
    pub fn encode(&self, rows: &Matrix) -> Matrix {
        self.run(0..self.architecture().encoder_depth(), rows)
    }

    /// The distribution of each row's code in a variational network (rows × twice the code size): the means of the code's
    /// elements, then the logarithms of their variances. [`Network::encode`] gives the means alone.
    ///
    /// # Panics
    /// When the network is not variational, or the rows are not as wide as the input layer.
    pub fn encode_distribution(&self, rows: &Matrix) -> Matrix {
        assert!(self.architecture().is_variational(), "a variational network");
        let depth = self.architecture().encoder_depth();
        self.run_to(0..depth, 2 * self.architecture().sizes().code(), Output::Activated, rows)
    }

    /// What the output layer computes before its activation (rows × input size): the logits of a sigmoid.
    ///
    /// # Panics
    /// As [`Network::decode`].
    pub(crate) fn decode_logits(&self, codes: &Matrix) -> Matrix {
        let depth = self.architecture().encoder_depth()..self.architecture().layers().len();
        self.run_to(depth, self.architecture().sizes().input(), Output::Preactivation, codes)
    }

    /// The outputs of a layer (rows × its size) for rows (rows × input size). Layers are numbered as the sizes are: layer 0
    /// is the input.
    ///
    /// # Panics
    /// When there is no such layer, or the rows are not as wide as the input layer.
    pub fn layer_outputs(&self, rows: &Matrix, layer: usize) -> Matrix {
        self.run(0..layer, rows)
    }

    /// Decodes codes (rows × code size) to rows (rows × input size).
    ///
    /// # Panics
    /// When the codes are not as wide as the bottleneck.
    pub fn decode(&self, codes: &Matrix) -> Matrix {
        self.run(self.architecture().encoder_depth()..self.architecture().layers().len(), codes)
    }

    /// Runs rows through the layers of `depth`.
    fn run(&self, depth: Range<usize>, input: &Matrix) -> Matrix {
        let outputs = self.architecture().sizes().as_slice()[depth.end];
        self.run_to(depth, outputs, Output::Activated, input)
    }

    /// Runs rows through the layers of `depth`, tile by tile, up to the first `outputs` outputs of the last. What a
    /// variational encoder gives beyond the code's means is left out, unless it is asked for here.
    fn run_to(&self, depth: Range<usize>, outputs: usize, last: Output, input: &Matrix) -> Matrix {
        let sizes = self.architecture().sizes().as_slice();
        let inputs = sizes[depth.start];
        assert_eq!(input.columns(), inputs, "the columns of the rows and the layer's inputs");
        let mut output = Matrix::zeros(input.rows(), outputs);
        let widest = sizes[depth.start..=depth.end].iter().copied().fold(outputs, usize::max);
        let buffer = || AlignedBuffer::zeros(widest * TILE_ROWS);
        let tiles = output.as_mut_slice().par_chunks_mut(TILE_ROWS * outputs).enumerate();
        tiles.for_each_init(
            || (buffer(), buffer(), NonzeroFeatures::new(inputs)),
            |(values, next, nonzero), (tile, output)| {
                let (start, rows) = (tile * TILE_ROWS, output.len() / outputs);
                let from = input.rows_view(start..start + rows).as_slice();
                transpose(self.isa(), [rows, inputs], from, inputs, values, TILE_ROWS);
                nonzero.find(self.isa(), &values[..inputs * TILE_ROWS]);
                for index in depth.clone() {
                    let is_last = index + 1 == depth.end;
                    let wanted = if is_last { outputs } else { sizes[index + 1] };
                    let layer = self.tile_layer(index).first_outputs(wanted);
                    let nonzero = (index == depth.start).then_some(&*nonzero);
                    let input = TileInput { values: &values[..sizes[index] * TILE_ROWS], nonzero, rows };
                    let output = &mut next[..wanted * TILE_ROWS];
                    match is_last && last == Output::Preactivation {
                        true => layer.preactivation(input, output),
                        false => layer.forward(input, None, output),
                    }
                    std::mem::swap(values, next);
                }
                transpose(self.isa(), [outputs, rows], values, TILE_ROWS, output, outputs);
            },
        );
        output
    }
}

impl Reconstruct for Network {
    /// The same to the last bit as [`Network::encode`], then [`Network::decode`].
    fn reconstruct(&self, rows: &Matrix) -> Matrix {
        self.run(0..self.architecture().layers().len(), rows)
    }

    fn isa(&self) -> Isa {
        self.isa()
    }
}
