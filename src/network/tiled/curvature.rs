//! What second-order optimizers ask of a minibatch: inputs, deltas towards random targets, and curvatures.
//!
//! The curvature is that of the Gauss-Newton matrix G = Jᵀ H J, where J is how the output layer's sums depend on the
//! parameters, and H how a row's loss is curved by those sums (and not by how they bend): Martens and Grosse, "Optimizing
//! neural networks with Kronecker-factored approximate curvature", 2015, §2 and §6.

use rand::Rng;

use super::{TILE_ROWS, Tile, TiledBatch, Trace, pieces_that_count};
use crate::kernels::{self, with_denormals_flushed};
use crate::matrix::{AlignedBuffer, Matrix, MatrixView};
use crate::network::{Loss, Network, Objective};
use crate::parallel::for_each_piece;
use crate::random::{Generator, Purpose, generator_of_row};

impl TiledBatch {
    /// As [`Batch::inputs`](crate::network::Batch::inputs).
    pub(in crate::network) fn inputs(&self, layer: usize) -> Matrix {
        self.features(|tile| layer.checked_sub(1).map_or(&tile.input, |before| &tile.traces[before].output))
    }

    /// As [`Batch::deltas`](crate::network::Batch::deltas).
    pub(in crate::network) fn deltas(&self, layer: usize) -> Matrix {
        self.features(|tile| &tile.traces[layer].delta)
    }

    /// What the tiles of the last trace hold, features × rows.
    fn features<'a>(&'a self, of: impl Fn(&'a Tile) -> &'a [f32]) -> Matrix {
        let tiles = &self.tiles[..self.filled];
        let mut features = Matrix::zeros(tiles.first().map_or(0, |tile| of(tile).len() / TILE_ROWS), self.rows);
        for feature in 0..features.rows() {
            for (to, tile) in features.row_mut(feature).chunks_mut(TILE_ROWS).zip(tiles) {
                to.copy_from_slice(&of(tile)[feature * TILE_ROWS..][..to.len()]);
            }
        }
        features
    }

    /// As [`Batch::aim_at_random`](crate::network::Batch::aim_at_random).
    pub(in crate::network) fn aim_at_random(&mut self, network: &Network, loss: Loss, turn: u64) {
        let objective = Objective { loss, code_l1: 0.0, beta: 0.0 };
        let work = self.rows * network.architecture.parameters();
        for_each_piece(&mut self.tiles[..self.filled], 1, work, |index, tile| {
            tile[0].aim_at_random(loss, turn, index * TILE_ROWS);
            network.backward(&mut tile[0], objective, 1);
        });
    }

    /// As [`Batch::curvature`](crate::network::Batch::curvature).
    pub(in crate::network) fn curvature(
        &mut self,
        network: &Network,
        loss: Loss,
        rows: usize,
        directions: &[&[f32]],
    ) -> (Vec<f64>, usize) {
        let tiles = &mut self.tiles[..self.filled.min(rows.div_ceil(TILE_ROWS))];
        let rows = self.rows.min(tiles.len() * TILE_ROWS);
        let work = 4 * rows * network.architecture.parameters();
        for_each_piece(tiles, 1, work, |_, tile| {
            with_denormals_flushed(|| network.curvature(&mut tile[0], loss, directions));
        });
        let mut sums = vec![0.0; directions.len() * (directions.len() + 1) / 2];
        for tile in tiles {
            sums.iter_mut().zip(&tile.curvature).for_each(|(sum, here)| *sum += here);
        }
        (sums, rows)
    }
}

impl Tile {
    /// Gives each row a target as far from its output, one way or the other, as makes the square of the loss' slope there
    /// the loss' curvature: with a sign at random for each output, the deltas' second moments are then the curvature's, as
    /// they are with targets that are drawn from what the network predicts, and vary less.
    fn aim_at_random(&mut self, loss: Loss, turn: u64, first: usize) {
        let output = &self.traces.last().expect("a trace for each layer").output;
        self.target = AlignedBuffer::zeros(output.len());
        for row in 0..self.rows {
            let mut signs = Signs::new(turn, first + row);
            for (target, output) in self.target.chunks_exact_mut(TILE_ROWS).zip(output.chunks_exact(TILE_ROWS)) {
                let distance = match loss {
                    Loss::SquaredError => std::f32::consts::FRAC_1_SQRT_2,
                    Loss::CrossEntropy => deviation(output[row]),
                };
                target[row] = output[row] - signs.next() * distance;
            }
        }
    }
}

impl Network {
    /// The curvature of the loss along directions and between them, summed over a tile's rows. Deltas are lost.
    fn curvature(&self, tile: &mut Tile, loss: Loss, directions: &[&[f32]]) {
        let mut pushed: Vec<AlignedBuffer> = Vec::new();
        tile.curvature.clear();
        for direction in directions {
            self.push(tile, loss, direction);
            pushed.push(tile.traces.last().expect("a trace for each layer").delta.clone());
            let last = &pushed[pushed.len() - 1];
            for other in &pushed {
                let pieces = pieces_that_count(last.len(), tile.rows);
                tile.curvature.push(pieces.map(|here| kernels::dot(self.isa, &other[here.clone()], &last[here])).sum());
            }
        }
    }

    /// How fast what each layer gives changes as the parameters move in a direction, in place of its deltas; for the last
    /// layer, how fast its sums change, times the root of the loss' curvature.
    fn push(&self, tile: &mut Tile, loss: Loss, direction: &[f32]) {
        let layers = self.architecture.layers();
        let mut scratch = AlignedBuffer::default();
        for (index, layer) in layers.iter().enumerate() {
            let (before, rest) = tile.traces.split_at_mut(index);
            let Trace { preactivation, output, delta, .. } = &mut rest[0];
            let weights = MatrixView::new(&direction[layer.weight_range()], layer.outputs(), layer.inputs());
            let biases = &direction[layer.bias_range()];
            match before.last() {
                None => self.product(weights, biases, &tile.input, Some(&tile.nonzero), tile.rows, delta),
                Some(before) => {
                    self.product(weights, biases, &before.output, None, tile.rows, delta);
                    if scratch.len() < delta.len() {
                        scratch = AlignedBuffer::zeros(delta.len());
                    }
                    let from_before = &mut scratch[..delta.len()];
                    self.product(self.weights(index), &[], &before.delta, None, tile.rows, from_before);
                    kernels::axpy(self.isa, 1.0, from_before, delta);
                }
            }
            let is_last = index + 1 == layers.len();
            if is_last && loss == Loss::CrossEntropy {
                delta.iter_mut().zip(&**output).for_each(|(delta, &output)| *delta *= deviation(output));
            } else {
                layer.activation().backward(self.isa, preactivation.as_ref().unwrap_or(output), delta);
            }
            if is_last && loss == Loss::SquaredError {
                kernels::scale(self.isa, std::f32::consts::SQRT_2, delta);
            }
        }
    }
}

/// The standard deviation of what is 1 with a probability, else 0.
fn deviation(probability: f32) -> f32 {
    (probability * (1.0 - probability)).sqrt()
}

/// Signs at random, one for each output of a row: they depend on the turn and the row's place in the minibatch alone.
#[derive(Debug)]
pub(crate) struct Signs {
    generator: Generator,
    bits: u64,
    left: u32,
}

impl Signs {
    pub(crate) fn new(turn: u64, row: usize) -> Self {
        Self { generator: generator_of_row(0, Purpose::Curvature, turn, row), bits: 0, left: 0 }
    }

    /// 1 or −1.
    pub(crate) fn next(&mut self) -> f32 {
        if self.left == 0 {
            (self.bits, self.left) = (self.generator.next_u64(), u64::BITS);
        }
        let sign = if self.bits & 1 == 0 { 1.0 } else { -1.0 };
        (self.bits, self.left) = (self.bits >> 1, self.left - 1);
        sign
    }
}
