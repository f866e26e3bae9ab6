//! Backward: the gradient of the loss over a minibatch, in two phases.
//!
//! First each tile of rows runs forward and back on its own, and keeps every layer's inputs and deltas (the gradient
//! of the loss by what the layer computes before its activation). Then each tile of a layer's weights sums its
//! gradient δᵀ · inputs over all rows. No gradient is ever copied or reduced between threads, and the bits are the
//! same for any number of them.

use super::forward::TILE_ROWS;
use super::{Architecture, BatchError, Layer, Loss, Network};
use crate::data::Rows;
use crate::gemm::gemm;
use crate::kernels;
use crate::matrix::{AlignedBuffer, Matrix, MatrixView, MatrixViewMut};
use crate::parallel::for_each_piece;

/// Rows of a weight matrix (outputs of a layer) whose gradient is summed together, on one thread.
const GRADIENT_ROWS: usize = 64;

/// The buffers of a minibatch: every layer's activations and deltas, allocated once.
#[derive(Debug)]
pub struct Batch {
    tiles: Vec<Tile>,
    loss: Loss,
}

impl Batch {
    /// Room for up to `rows` rows, to be trained with `loss`.
    ///
    /// # Panics
    /// When the loss does not go with the output layer (see [`Loss::check`]) or there are no rows.
    pub fn new(architecture: &Architecture, loss: Loss, rows: usize) -> Self {
        assert!(rows > 0, "a batch has at least one row");
        let output = architecture.layers().last().map(Layer::activation);
        assert!(output.is_some_and(|output| loss.check(output).is_ok()), "{loss} does not go with {output:?}");
        let tile = |start| Tile::new(architecture, loss, TILE_ROWS.min(rows - start));
        Self { tiles: (0..rows).step_by(TILE_ROWS).map(tile).collect(), loss }
    }
}

/// Some rows on their way through all layers.
#[derive(Debug)]
struct Tile {
    rows: usize,
    input: Matrix,
    traces: Vec<Trace>,
    error: BatchError,
}

/// What a layer left behind for the way back; each matrix is rows × outputs.
#[derive(Debug)]
struct Trace {
    /// W · inputs + b, where the way back needs it.
    preactivation: Option<Matrix>,
    output: Matrix,
    delta: Matrix,
}

impl Tile {
    fn new(architecture: &Architecture, loss: Loss, rows: usize) -> Self {
        let layers = architecture.layers();
        let trace = |(index, layer): (usize, &Layer)| {
            let buffer = || Matrix::zeros(rows, layer.outputs());
            let logits = loss == Loss::CrossEntropy && index + 1 == layers.len();
            let preactivation = (logits || layer.activation().needs_input()).then(buffer);
            Trace { preactivation, output: buffer(), delta: buffer() }
        };
        Self {
            rows,
            input: Matrix::zeros(rows, architecture.sizes().input()),
            traces: layers.iter().enumerate().map(trace).collect(),
            error: BatchError::default(),
        }
    }

    /// The inputs of a layer.
    fn inputs(&self, layer: usize) -> MatrixView<'_> {
        let matrix = if layer == 0 { &self.input } else { &self.traces[layer - 1].output };
        matrix.rows_view(0..self.rows)
    }
}

impl Network {
    /// The gradient of the mean loss of some rows by every parameter, written to `gradient` (laid out as the
    /// parameters are), and the sums of their errors.
    ///
    /// # Panics
    /// When the batch has no room for the rows or was made for another network, the rows do not exist or are not as
    /// wide as the input, or `gradient` is not as long as the parameters.
    pub fn gradient(&self, data: &dyn Rows, rows: &[usize], batch: &mut Batch, gradient: &mut [f32]) -> BatchError {
        assert_eq!(gradient.len(), self.parameters.len(), "one gradient element for each parameter");
        assert_eq!(data.columns(), self.architecture.sizes().input(), "the columns of the rows and the input size");
        let work = rows.len() * self.architecture.parameters();
        let tiles = rows.len().div_ceil(TILE_ROWS);
        assert!(tiles <= batch.tiles.len(), "the batch has room for the rows");
        let (tiles, loss) = (&mut batch.tiles[..tiles], batch.loss);
        for_each_piece(tiles, 1, 2 * work, |index, tile| {
            let tile = &mut tile[0];
            let start = index * TILE_ROWS;
            let here = &rows[start..rows.len().min(start + TILE_ROWS)];
            tile.rows = here.len();
            data.gather(here, &mut tile.input.as_mut_slice()[..here.len() * data.columns()]);
            self.forward(tile);
            self.backward(tile, loss, rows.len());
        });
        for (index, layer) in self.architecture.layers().iter().enumerate() {
            self.layer_gradient(index, layer, tiles, gradient);
        }
        let mut error = BatchError::default();
        tiles.iter().for_each(|tile| error += tile.error);
        error
    }

    fn forward(&self, tile: &mut Tile) {
        for (index, layer) in self.architecture.layers().iter().enumerate() {
            let length = tile.rows * layer.outputs();
            let (before, rest) = tile.traces.split_at_mut(index);
            let input = before.last().map_or(&tile.input, |trace| &trace.output).rows_view(0..tile.rows);
            let output = &mut rest[0].output.as_mut_slice()[..length];
            self.preactivate(index, input, output);
            if let Some(preactivation) = &mut rest[0].preactivation {
                preactivation.as_mut_slice()[..length].copy_from_slice(output);
            }
            layer.activation().forward(self.isa, output);
        }
    }

    fn backward(&self, tile: &mut Tile, loss: Loss, batch_rows: usize) {
        let layers = self.architecture.layers();
        let target = &tile.input.as_slice()[..tile.rows * tile.input.columns()];
        tile.error = self.output_delta(&mut tile.traces[layers.len() - 1], target, loss, batch_rows);
        for index in (1..layers.len()).rev() {
            let layer = &layers[index];
            let (before, rest) = tile.traces.split_at_mut(index);
            let Trace { preactivation, output, delta } = &mut before[index - 1];
            let length = tile.rows * layer.inputs();
            let delta = &mut delta.as_mut_slice()[..length];
            gemm(
                1.0,
                rest[0].delta.rows_view(0..tile.rows),
                self.weights(index),
                0.0,
                MatrixViewMut::new(delta, tile.rows, layer.inputs()),
            );
            let saved = &preactivation.as_ref().unwrap_or(output).as_slice()[..length];
            layers[index - 1].activation().backward(self.isa, saved, delta);
        }
    }

    /// Fills the output layer's delta for the mean loss over the whole batch, and sums the errors of these rows.
    fn output_delta(&self, trace: &mut Trace, target: &[f32], loss: Loss, batch_rows: usize) -> BatchError {
        let scale = 1.0 / batch_rows as f32;
        let Trace { preactivation, output, delta } = trace;
        let (output, delta) = (&output.as_slice()[..target.len()], &mut delta.as_mut_slice()[..target.len()]);
        let saved = preactivation.as_ref().map_or(output, |preactivation| &preactivation.as_slice()[..target.len()]);
        match loss {
            Loss::SquaredError => {
                let squared_error = kernels::squared_error(self.isa, output, target, scale, delta);
                let activation = self.architecture.layers()[self.architecture.layers().len() - 1].activation();
                activation.backward(self.isa, saved, delta);
                BatchError { loss: squared_error, squared_error }
            }
            Loss::CrossEntropy => BatchError {
                loss: kernels::sigmoid_cross_entropy(self.isa, saved, target, scale, delta),
                squared_error: kernels::squared_distance(self.isa, output, target),
            },
        }
    }

    fn layer_gradient(&self, index: usize, layer: &Layer, tiles: &[Tile], gradient: &mut [f32]) {
        let rows: usize = tiles.iter().map(|tile| tile.rows).sum();
        let weights = &mut gradient[layer.weight_range()];
        for_each_piece(weights, GRADIENT_ROWS * layer.inputs(), rows * layer.parameters(), |piece, weights| {
            let start = piece * GRADIENT_ROWS;
            let outputs = weights.len() / layer.inputs();
            for (number, tile) in tiles.iter().enumerate() {
                let delta = tile.traces[index].delta.rows_view(0..tile.rows);
                gemm(
                    1.0,
                    delta.columns_view(start..start + outputs).transposed(),
                    tile.inputs(index),
                    if number == 0 { 0.0 } else { 1.0 },
                    MatrixViewMut::new(weights, outputs, layer.inputs()),
                );
            }
        });
        if layer.has_bias() {
            self.bias_gradient(index, tiles, &mut gradient[layer.bias_range()]);
        }
    }

    fn bias_gradient(&self, index: usize, tiles: &[Tile], gradient: &mut [f32]) {
        let mut sums = AlignedBuffer::zeros(gradient.len());
        gradient.fill(0.0);
        for tile in tiles {
            kernels::column_sums(self.isa, tile.traces[index].delta.rows_view(0..tile.rows).as_slice(), &mut sums);
            kernels::axpy(self.isa, 1.0, &sums, gradient);
        }
    }
}
