//! Minibatches in tiles of rows.
//!
//! First each tile runs forward and back on its own, and keeps every layer's inputs and deltas (the gradient of the loss
//! by what the layer computes before its activation). Then each piece of a layer's weights sums its gradient
//! δᵀ · inputs over all rows, and is updated at once. No gradient is ever copied or reduced between threads, and the bits
//! are the same for any number of them.

mod curvature;

pub(crate) use curvature::Signs;

use std::ops::Range;

use super::pieces::Piece;
use super::{Architecture, BatchError, Examples, Layer, Loss, Network, Objective, pieces};
use crate::error::Result;
use crate::gemm::{NonzeroFeatures, TILE_ROWS, TileGradient, TileRows, fold_biases, fold_weights};
use crate::kernels::{self, Isa, Normals, Update, with_denormals_flushed};
use crate::matrix::AlignedBuffer;
use crate::parallel::{for_each_piece, is_worth_sharing};
use crate::rows::Rows;

/// How many rows before it is gathered a row is fetched into the cache.
const ROWS_AHEAD: usize = 4;

/// A minibatch on its way through a network: every layer's inputs and deltas.
#[derive(Debug)]
pub(super) struct TiledBatch {
    tiles: Vec<Tile>,
    /// How many tiles the rows of the last trace fill, and how many rows those are.
    filled: usize,
    rows: usize,
    pieces: Vec<Piece>,
}

/// Some rows of the minibatch.
#[derive(Debug)]
struct Tile {
    rows: usize,
    /// One row, as the data gives it.
    row: AlignedBuffer,
    /// The rows, feature by feature.
    input: AlignedBuffer,
    /// What they should become, in the same order; empty as long as that is themselves.
    target: AlignedBuffer,
    nonzero: NonzeroFeatures,
    /// Whether the rows could be read.
    gathered: Result<()>,
    traces: Vec<Trace>,
    /// The codes that were drawn, where they are.
    drawn: Option<DrawnCodes>,
    error: BatchError,
    /// The sums over the rows, when the curvature along some directions was asked for last.
    curvature: Vec<f64>,
}

/// Codes that are draws from distributions; each buffer is a tile of them.
#[derive(Debug)]
struct DrawnCodes {
    /// One row's noise, as it is given.
    row: AlignedBuffer,
    noise: AlignedBuffer,
    codes: AlignedBuffer,
    /// The gradient of the loss by the codes.
    delta: AlignedBuffer,
}

/// What a layer left behind for the way back; each buffer is a tile of its outputs.
#[derive(Debug)]
struct Trace {
    /// Its inputs, row by row.
    inputs: TileRows,
    /// W · inputs + b, where the way back needs it.
    preactivation: Option<AlignedBuffer>,
    output: AlignedBuffer,
    delta: AlignedBuffer,
}

impl TiledBatch {
    /// Room for up to `rows` rows.
    pub(super) fn new(architecture: &Architecture, loss: Loss, rows: usize) -> Self {
        let tiles = (0..rows.div_ceil(TILE_ROWS)).map(|_| Tile::new(architecture, loss)).collect();
        Self { tiles, filled: 0, rows: 0, pieces: pieces::of(architecture) }
    }

    /// As [`Network::trace`].
    pub(super) fn trace(
        &mut self,
        network: &Network,
        objective: Objective,
        examples: Examples<'_>,
        rows: &[usize],
    ) -> Result<BatchError> {
        self.filled = rows.len().div_ceil(TILE_ROWS);
        self.rows = rows.len();
        let tiles = &mut self.tiles[..self.filled];
        let work = 2 * rows.len() * network.architecture.parameters();
        for_each_piece(tiles, 1, work, |index, tile| {
            let tile = &mut tile[0];
            let start = index * TILE_ROWS;
            tile.gathered = tile.gather(network.isa, examples, &rows[start..rows.len().min(start + TILE_ROWS)]);
            if tile.gathered.is_err() {
                return;
            }
            let pass = |tile: &mut Tile| {
                network.forward(tile);
                network.backward(tile, objective, rows.len());
            };
            // Once, where nothing is shared with other threads and so nothing waits for them.
            if is_worth_sharing(work) { pass(tile) } else { with_denormals_flushed(|| pass(tile)) }
        });
        let mut error = BatchError::default();
        for tile in tiles {
            std::mem::replace(&mut tile.gathered, Ok(()))?;
            error += tile.error;
        }
        Ok(error)
    }

    /// As [`Batch::apply`](super::Batch::apply).
    pub(super) fn apply(&self, isa: Isa, architecture: &Architecture, update: Update<'_>) {
        if is_worth_sharing(self.rows * architecture.parameters()) {
            self.apply_halves(isa, &self.pieces, 0, update);
        } else {
            with_denormals_flushed(|| self.apply_in_turn(isa, &self.pieces, 0, update));
        }
    }

    /// Halves the pieces, by the work that they are, until there is one. `update` starts at parameter `start`.
    fn apply_halves(&self, isa: Isa, pieces: &[Piece], start: usize, update: Update<'_>) {
        if pieces.len() < 2 {
            return with_denormals_flushed(|| self.apply_in_turn(isa, pieces, start, update));
        }
        let (first, second) = pieces.split_at(pieces::middle(pieces));
        let from = second[0].start();
        let (update, rest) = update.split_at(from - start);
        rayon::join(|| self.apply_halves(isa, first, start, update), || self.apply_halves(isa, second, from, rest));
    }

    /// Updates one piece after another. `update` starts at parameter `start`.
    fn apply_in_turn(&self, isa: Isa, pieces: &[Piece], mut start: usize, mut update: Update<'_>) {
        for piece in pieces {
            let (_, from) = update.split_at(piece.start() - start);
            let (here, rest) = from.split_at(piece.length());
            (start, update) = (piece.start() + piece.length(), rest);
            let tile = |tile: usize| self.tiles[tile].gradient(piece.layer());
            match piece {
                Piece::Weights { outputs, columns, .. } => {
                    fold_weights(isa, outputs.clone(), *columns, self.filled, tile, here);
                }
                Piece::Biases { .. } => fold_biases(isa, self.filled, tile, here),
            }
        }
    }
}

impl Tile {
    fn new(architecture: &Architecture, loss: Loss) -> Self {
        let layers = architecture.layers();
        let trace = |(index, layer): (usize, &Layer)| {
            let buffer = || AlignedBuffer::zeros(layer.outputs() * TILE_ROWS);
            let logits = loss == Loss::CrossEntropy && index + 1 == layers.len();
            let preactivation = (logits || layer.activation().needs_input()).then(buffer);
            Trace { inputs: TileRows::zeros(layer.inputs()), preactivation, output: buffer(), delta: buffer() }
        };
        let columns = architecture.sizes().input();
        Self {
            rows: 0,
            row: AlignedBuffer::zeros(columns),
            input: AlignedBuffer::zeros(columns * TILE_ROWS),
            target: AlignedBuffer::default(),
            nonzero: NonzeroFeatures::new(columns),
            gathered: Ok(()),
            traces: layers.iter().enumerate().map(trace).collect(),
            drawn: architecture.is_variational().then(|| DrawnCodes::new(architecture.sizes().code())),
            error: BatchError::default(),
            curvature: Vec::new(),
        }
    }

    fn gather(&mut self, isa: Isa, examples: Examples<'_>, rows: &[usize]) -> Result<()> {
        self.rows = rows.len();
        match examples.targets {
            Some(targets) => {
                if self.target.is_empty() {
                    self.target = AlignedBuffer::zeros(self.input.len());
                }
                self.gather_rows(targets, rows)?;
                self.traces[0].inputs.copy_to(isa, self.rows, &mut self.target);
            }
            None => self.target = AlignedBuffer::default(),
        }
        self.gather_rows(examples.inputs, rows)?;
        self.traces[0].inputs.copy_to(isa, self.rows, &mut self.input);
        self.nonzero.find(isa, &self.input);
        if let Some(drawn) = &mut self.drawn {
            drawn.gather(examples.noise, rows)?;
        }
        Ok(())
    }

    /// Fills the first layer's inputs.
    fn gather_rows(&mut self, data: &dyn Rows, rows: &[usize]) -> Result<()> {
        let inputs = &mut self.traces[0].inputs;
        for (index, &row) in rows.iter().enumerate() {
            if let Some(&soon) = rows.get(index + ROWS_AHEAD) {
                data.prefetch(soon);
            }
            data.gather(&[row], &mut self.row)?;
            inputs.set_row(index, &self.row);
        }
        Ok(())
    }

    fn gradient(&self, layer: usize) -> TileGradient<'_> {
        let Trace { inputs, delta, .. } = &self.traces[layer];
        TileGradient { delta, inputs, rows: self.rows }
    }
}

impl DrawnCodes {
    fn new(code_size: usize) -> Self {
        let tile = || AlignedBuffer::zeros(code_size * TILE_ROWS);
        Self { row: AlignedBuffer::zeros(code_size), noise: tile(), codes: tile(), delta: tile() }
    }

    /// Takes the noise of some rows; zeros, where there is none.
    fn gather(&mut self, noise: Option<&dyn Rows>, rows: &[usize]) -> Result<()> {
        self.noise.fill(0.0);
        let Some(noise) = noise else { return Ok(()) };
        for (index, &row) in rows.iter().enumerate() {
            noise.gather(&[row], &mut self.row)?;
            for (element, &value) in self.row.iter().enumerate() {
                self.noise[element * TILE_ROWS + index] = value;
            }
        }
        Ok(())
    }

    /// Draws from the distributions that the encoder's last layer gives.
    fn draw(&mut self, isa: Isa, distributions: &[f32]) {
        let (mean, log_variance) = distributions.split_at(self.codes.len());
        let normals = Normals { mean, log_variance, noise: &self.noise };
        kernels::draw_normals(isa, normals, &mut self.codes);
    }

    /// The way back from the gradient by the codes to that by the distributions, with what their divergence costs for the
    /// mean over the whole batch, and the sum of the divergences of `rows` rows.
    fn draw_back(&self, isa: Isa, distributions: &[f32], rows: usize, cost: f32, delta: &mut [f32]) -> f64 {
        let (mean, log_variance) = distributions.split_at(self.codes.len());
        let (by_mean, by_log_variance) = delta.split_at_mut(self.codes.len());
        let mut terms = 0.0;
        for here in pieces_that_count(mean.len(), rows) {
            let (mean, log_variance) = (&mean[here.clone()], &log_variance[here.clone()]);
            let normals = Normals { mean, log_variance, noise: &self.noise[here.clone()] };
            let (by_mean, by_log_variance) = (&mut by_mean[here.clone()], &mut by_log_variance[here.clone()]);
            terms += kernels::normals_gradient(isa, normals, &self.delta[here], cost, by_mean, by_log_variance);
        }
        (terms - (rows * self.row.len()) as f64) / 2.0
    }
}

/// Where, in a buffer of a tile, its rows are: a full tile is one piece; of another, each feature has rows that must not
/// count.
fn pieces_that_count(length: usize, rows: usize) -> impl Iterator<Item = Range<usize>> {
    let (step, counted) = if rows == TILE_ROWS { (length, length) } else { (TILE_ROWS, rows) };
    (0..length).step_by(step).map(move |start| start..start + counted)
}

impl Network {
    fn forward(&self, tile: &mut Tile) {
        let waist = self.architecture.encoder_depth();
        for (index, layer) in self.architecture.layers().iter().enumerate() {
            let (before, rest) = tile.traces.split_at_mut(index);
            let input = match (before.last(), &tile.drawn) {
                (None, _) => &tile.input,
                (Some(_), Some(drawn)) if index == waist => &drawn.codes,
                (Some(trace), _) => &trace.output,
            };
            let (here, after) = rest.split_first_mut().expect("a trace for each layer");
            let nonzero = (index == 0).then_some(&tile.nonzero);
            self.product(self.weights(index), self.biases(index), input, nonzero, tile.rows, &mut here.output);
            if let Some(preactivation) = &mut here.preactivation {
                preactivation.copy_from_slice(&here.output);
            }
            with_denormals_flushed(|| layer.activation().forward(self.isa, &mut here.output));
            let mut output = &here.output;
            if let Some(drawn) = tile.drawn.as_mut().filter(|_| index + 1 == waist) {
                with_denormals_flushed(|| drawn.draw(self.isa, output));
                output = &drawn.codes;
            }
            if let Some(after) = after.first_mut() {
                after.inputs.set(self.isa, tile.rows, output);
            }
        }
    }

    fn backward(&self, tile: &mut Tile, objective: Objective, batch_rows: usize) {
        let layers = self.architecture.layers();
        tile.error = with_denormals_flushed(|| self.output_delta(tile, objective.loss, batch_rows));
        for index in (1..layers.len()).rev() {
            let (before, rest) = tile.traces.split_at_mut(index);
            let Trace { preactivation, output, delta, .. } = &mut before[index - 1];
            if let Some(drawn) = tile.drawn.as_mut().filter(|_| index == self.architecture.encoder_depth()) {
                self.product(self.weights(index).transposed(), &[], &rest[0].delta, None, tile.rows, &mut drawn.delta);
                let cost = objective.beta / batch_rows as f32;
                tile.error.divergence =
                    with_denormals_flushed(|| drawn.draw_back(self.isa, output, tile.rows, cost, delta));
            } else {
                self.product(self.weights(index).transposed(), &[], &rest[0].delta, None, tile.rows, delta);
            }
            if objective.code_l1 > 0.0 && index == self.architecture.encoder_depth() {
                kernels::add_signs(self.isa, objective.code_l1 / batch_rows as f32, output, delta);
            }
            let saved = preactivation.as_ref().unwrap_or(output);
            with_denormals_flushed(|| layers[index - 1].activation().backward(self.isa, saved, delta));
        }
    }

    /// Fills the output layer's delta for the mean loss over the whole batch, and sums the errors of these rows.
    fn output_delta(&self, tile: &mut Tile, loss: Loss, batch_rows: usize) -> BatchError {
        let (isa, scale) = (self.isa, 1.0 / batch_rows as f32);
        let activation = self.architecture.layers()[self.architecture.layers().len() - 1].activation();
        let Trace { preactivation, output, delta, .. } = tile.traces.last_mut().expect("a trace for each layer");
        let saved: &[f32] = preactivation.as_ref().unwrap_or(output);
        let target = if tile.target.is_empty() { &tile.input } else { &tile.target };
        let mut error = BatchError::default();
        for here in pieces_that_count(output.len(), tile.rows) {
            let (output, target) = (&output[here.clone()], &target[here.clone()]);
            let (saved, delta) = (&saved[here.clone()], &mut delta[here]);
            error += match loss {
                Loss::SquaredError => {
                    let squared_error = kernels::squared_error(isa, output, target, scale, delta);
                    activation.backward(isa, saved, delta);
                    BatchError { loss: squared_error, squared_error, divergence: 0.0 }
                }
                Loss::CrossEntropy => BatchError {
                    loss: kernels::sigmoid_cross_entropy(isa, saved, target, scale, delta),
                    squared_error: kernels::squared_distance(isa, output, target),
                    divergence: 0.0,
                },
            };
        }
        error
    }
}
