//! What second-order optimizers ask of a minibatch: inputs, deltas towards sampled targets, and Gauss-Newton products.
//!
//! The Gauss-Newton matrix is G = Jᵀ H J, with the Jacobian J of the output layer's preactivations by the parameters, and
//! the Hessian H of a row's loss by these preactivations: Martens and Grosse, "Optimizing neural networks with
//! Kronecker-factored approximate curvature", 2015, §2 and §6.

use rand::Rng;

use super::layer::{TileInput, TileLayer, counted_ranges};
use super::loss::{Loss, Objective};
use super::parameters::Network;
use super::tile::Tile;
use super::tiled::TiledBatch;
use crate::gemm::TILE_ROWS;
use crate::kernels::{self, with_denormals_flushed};
use crate::matrix::{AlignedBuffer, Matrix};
use crate::parallel::for_each_piece;
use crate::random::{Generator, Purpose, generator_of_row};

/// The rows of a minibatch that were traced last, in tiles: made by [`Batch::curvature`](super::Batch::curvature).
#[derive(Debug)]
pub(crate) struct CurvatureBatch<'a> {
    network: &'a Network,
    loss: Loss,
    batch: &'a mut TiledBatch,
}

impl<'a> CurvatureBatch<'a> {
    /// `batch` was made for this network and this loss.
    pub(super) fn new(network: &'a Network, loss: Loss, batch: &'a mut TiledBatch) -> Self {
        Self { network, loss, batch }
    }

    /// The inputs of a layer, inputs × rows.
    pub(crate) fn inputs(&self, layer: usize) -> Matrix {
        self.features(|tile| layer.checked_sub(1).map_or(&tile.input, |before| &tile.traces[before].output))
    }

    /// The gradient of the loss by a layer's preactivation, outputs × rows: of each row's part of the mean loss, or of its
    /// own loss towards the targets of [`CurvatureBatch::sample_targets`].
    pub(crate) fn deltas(&self, layer: usize) -> Matrix {
        self.features(|tile| &tile.traces[layer].delta)
    }

    /// What a buffer of each tile holds, features × rows.
    fn features<'t>(&'t self, of: impl Fn(&'t Tile) -> &'t [f32]) -> Matrix {
        let tiles = self.batch.traced();
        let mut features = Matrix::zeros(tiles.first().map_or(0, |tile| of(tile).len() / TILE_ROWS), self.batch.rows());
        for feature in 0..features.rows() {
            for (to, tile) in features.row_mut(feature).chunks_mut(TILE_ROWS).zip(tiles) {
                to.copy_from_slice(&of(tile)[feature * TILE_ROWS..][..to.len()]);
            }
        }
        features
    }

    /// Replaces the deltas by those of each row's own loss towards targets that are random, and differ from step to step:
    /// their second moments are then those of the loss' curvature. The gradient of the rows is lost.
    pub(crate) fn sample_targets(&mut self, step: u64) {
        let (network, loss) = (self.network, self.loss);
        let objective = Objective { loss, code_l1: 0.0, beta: 0.0 };
        let work = self.batch.rows() * network.architecture().parameters();
        for_each_piece(self.batch.traced_mut(), 1, work, |index, tile| {
            tile[0].sample_targets(loss, step, index * TILE_ROWS);
            tile[0].backward(network, objective, 1);
        });
    }

    /// dᵀ G e for each direction d in the space of the parameters, and e each direction up to d itself, where G is the
    /// Gauss-Newton matrix of the summed loss of the first `rows` rows, rounded up to whole tiles; and how many rows those
    /// are. The deltas are lost.
    pub(crate) fn gauss_newton_products(&mut self, rows: usize, directions: &[&[f32]]) -> (Vec<f64>, usize) {
        let (network, loss, traced) = (self.network, self.loss, self.batch.rows());
        let tiles = self.batch.traced_mut();
        let count = tiles.len().min(rows.div_ceil(TILE_ROWS));
        let (tiles, rows) = (&mut tiles[..count], traced.min(count * TILE_ROWS));
        let work = 4 * rows * network.architecture().parameters();
        for_each_piece(tiles, 1, work, |_, tile| tile[0].gauss_newton_products(network, loss, directions));
        let mut sums = vec![0.0; directions.len() * (directions.len() + 1) / 2];
        for tile in tiles {
            sums.iter_mut().zip(&tile.products).for_each(|(sum, here)| *sum += here);
        }
        (sums, rows)
    }
}

impl Tile {
    /// Gives each output a target on a random side of it, at the distance where the square of the loss' slope is the loss'
    /// curvature. With a random sign for each output, the deltas' second moments are the curvature's, as they are with
    /// targets that are sampled from what the network predicts, and vary less. `first` is the place of the tile's first row
    /// in the minibatch.
    fn sample_targets(&mut self, loss: Loss, step: u64, first: usize) {
        let output = &self.traces.last().expect("a trace for each layer").output;
        self.target = AlignedBuffer::zeros(output.len());
        for row in 0..self.rows {
            let mut signs = RandomSigns::new(step, first + row);
            for (target, output) in self.target.chunks_exact_mut(TILE_ROWS).zip(output.chunks_exact(TILE_ROWS)) {
                let distance = match loss {
                    Loss::SquaredError => std::f32::consts::FRAC_1_SQRT_2,
                    Loss::CrossEntropy => standard_deviation(output[row]),
                };
                target[row] = output[row] - signs.next() * distance;
            }
        }
    }

    /// As [`CurvatureBatch::gauss_newton_products`], for this tile's rows: dᵀ Jᵀ H J e is the scalar product of the scaled
    /// tangents √H J d and √H J e.
    fn gauss_newton_products(&mut self, network: &Network, loss: Loss, directions: &[&[f32]]) {
        let mut scratch = AlignedBuffer::zeros(self.traces.iter().map(|trace| trace.delta.len()).max().unwrap_or(0));
        let mut tangents: Vec<AlignedBuffer> = Vec::new();
        self.products.clear();
        for direction in directions {
            self.tangent(network, loss, direction, &mut scratch);
            tangents.push(self.traces.last().expect("a trace for each layer").delta.clone());
            let last = &tangents[tangents.len() - 1];
            for other in &tangents {
                let ranges = counted_ranges(last.len(), self.rows);
                let product =
                    || ranges.map(|here| kernels::dot(network.isa(), &other[here.clone()], &last[here])).sum();
                self.products.push(with_denormals_flushed(product));
            }
        }
    }

    /// Replaces each layer's delta by the tangent of its outputs, J d for the direction d of the parameters; the last
    /// layer's by √H times the tangent of its preactivation.
    fn tangent(&mut self, network: &Network, loss: Loss, direction: &[f32], scratch: &mut [f32]) {
        let (isa, rows, layers) = (network.isa(), self.rows, network.architecture().layers());
        for (index, layer) in layers.iter().enumerate() {
            let (before, rest) = self.traces.split_at_mut(index);
            let (input, input_tangent) = match before.last() {
                None => (TileInput { values: &self.input, nonzero: Some(&self.nonzero), rows }, None),
                Some(before) => (TileInput::new(&before.output, rows), Some(&before.delta[..])),
            };
            let (here, direction) = (network.tile_layer(index), TileLayer::new(isa, layer, direction));
            here.tangent(direction, input, input_tangent, scratch, &mut rest[0].delta);
            // √H is the deviation of the prediction for the cross-entropy of a logit, and √2 f′ for the squared error.
            if index + 1 == layers.len() && loss == Loss::CrossEntropy {
                let (tangent, output) = (&mut rest[0].delta, &rest[0].output);
                let scaled = || {
                    let pairs = tangent.iter_mut().zip(&**output);
                    pairs.for_each(|(tangent, &output)| *tangent *= standard_deviation(output));
                };
                with_denormals_flushed(scaled);
            } else {
                let (saved, tangent) = rest[0].saved_and_delta();
                here.backward_activation(saved, tangent);
            }
            if index + 1 == layers.len() && loss == Loss::SquaredError {
                with_denormals_flushed(|| kernels::scale(isa, std::f32::consts::SQRT_2, &mut rest[0].delta));
            }
        }
    }
}

/// The standard deviation of a variable that is 1 with this probability, else 0.
fn standard_deviation(probability: f32) -> f32 {
    (probability * (1.0 - probability)).sqrt()
}

/// Random signs, one for each output of a row: they depend on the step and the row's place in the minibatch alone.
#[derive(Debug)]
pub(crate) struct RandomSigns {
    generator: Generator,
    bits: u64,
    left: u32,
}

impl RandomSigns {
    pub(crate) fn new(step: u64, row: usize) -> Self {
        Self { generator: generator_of_row(0, Purpose::Curvature, step, row), bits: 0, left: 0 }
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
