//! Minibatches in tiles of rows: a training step in two phases.
//!
//! ```text
//! 1  parallel over tiles of 32 rows          X → Y₁ → … → Yₙ, then Δₙ → … → Δ₁: each layer keeps its inputs and its delta
//! 2  parallel over blocks of parameters      ∇W = Σ Δ · Xᵀ over all tiles, in registers; W changes at once
//! ```
//!
//! Within a tile, a wide layer's product is shared besides, 96 features a task (`layer`).
//!
//! In the first phase a tile (features × 32) runs through all layers while it is in the cache: see `tile` and `layer`. In
//! the second, a block of a layer's weights (some outputs × all inputs) contracts the layer's deltas (outputs × 32) with its
//! inputs (32 × inputs) over the whole minibatch, and the fused gradient and update applies the rule to each weight as
//! soon as its gradient is summed. No gradient is ever copied or reduced between threads, and the bits are the same for
//! any number of them.

use super::architecture::Architecture;
use super::examples::Examples;
use super::loss::{BatchError, Loss, Objective};
use super::parameter_blocks::{self, ParameterBlock};
use super::parameters::Network;
use super::tile::Tile;
use crate::error::Result;
use crate::gemm::{TILE_ROWS, update_biases, update_weights};
use crate::kernels::{Isa, Update, with_denormals_flushed};
use crate::parallel::{for_each_piece, is_worth_sharing};

/// The tiles of a minibatch.
#[derive(Debug)]
pub(super) struct TiledBatch {
    tiles: Vec<Tile>,
    /// The number of tiles that the rows traced last fill, and the number of those rows.
    filled: usize,
    rows: usize,
    blocks: Vec<ParameterBlock>,
}

impl TiledBatch {
    /// Room for up to `rows` rows.
    pub(super) fn new(architecture: &Architecture, loss: Loss, rows: usize) -> Self {
        let tiles = (0..rows.div_ceil(TILE_ROWS)).map(|_| Tile::new(architecture, loss)).collect();
        Self { tiles, filled: 0, rows: 0, blocks: parameter_blocks::of(architecture) }
    }

    /// The number of rows traced last.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The tiles that hold them.
    pub(super) fn traced(&self) -> &[Tile] {
        &self.tiles[..self.filled]
    }

    /// The tiles that hold them.
    pub(super) fn traced_mut(&mut self) -> &mut [Tile] {
        &mut self.tiles[..self.filled]
    }

    /// The first phase: see [`Network::trace`].
    pub(super) fn trace(
        &mut self,
        network: &Network,
        objective: Objective,
        examples: Examples<'_>,
        indices: &[usize],
    ) -> Result<BatchError> {
        self.rows = indices.len();
        self.filled = self.rows.div_ceil(TILE_ROWS);
        let tiles = &mut self.tiles[..self.filled];
        let work = 2 * self.rows * network.architecture().parameters();
        for_each_piece(tiles, 1, work, |index, tile| {
            let tile = &mut tile[0];
            let start = index * TILE_ROWS;
            let here = &indices[start..indices.len().min(start + TILE_ROWS)];
            let pass = |tile: &mut Tile| {
                tile.forward(network);
                tile.backward(network, objective, indices.len())
            };
            tile.traced = tile.gather(network.isa(), examples, here).map(|()| {
                // Once, where nothing is shared with other threads and so nothing waits for them.
                if is_worth_sharing(work) { pass(tile) } else { with_denormals_flushed(|| pass(tile)) }
            });
        });
        // In the order of the tiles, so that the sums have the same bits whoever computed them.
        let mut error = BatchError::default();
        for tile in tiles {
            error += std::mem::replace(&mut tile.traced, Ok(BatchError::default()))?;
        }
        Ok(error)
    }

    /// The second phase: see [`Batch::apply`](super::Batch::apply).
    pub(super) fn apply(&self, isa: Isa, architecture: &Architecture, update: Update<'_>) {
        if is_worth_sharing(self.rows * architecture.parameters()) {
            self.apply_in_parallel(isa, &self.blocks, 0, update);
        } else {
            with_denormals_flushed(|| self.apply_in_turn(isa, &self.blocks, 0, update));
        }
    }

    /// Halves the blocks, by their work, until one is left. `update` starts at parameter `start`.
    fn apply_in_parallel(&self, isa: Isa, blocks: &[ParameterBlock], start: usize, update: Update<'_>) {
        if blocks.len() < 2 {
            return with_denormals_flushed(|| self.apply_in_turn(isa, blocks, start, update));
        }
        let (first, second) = blocks.split_at(parameter_blocks::middle(blocks));
        let from = second[0].start();
        let (update, rest) = update.split_at(from - start);
        rayon::join(
            || self.apply_in_parallel(isa, first, start, update),
            || self.apply_in_parallel(isa, second, from, rest),
        );
    }

    /// Updates one block after another. `update` starts at parameter `start`.
    fn apply_in_turn(&self, isa: Isa, blocks: &[ParameterBlock], mut start: usize, mut update: Update<'_>) {
        for block in blocks {
            let (_, from) = update.split_at(block.start() - start);
            let (here, rest) = from.split_at(block.length());
            (start, update) = (block.start() + block.length(), rest);
            let tile = |tile: usize| self.tiles[tile].gradient(block.layer());
            match block {
                ParameterBlock::Weights { outputs, columns, .. } => {
                    update_weights(isa, outputs.clone(), *columns, self.filled, tile, here);
                }
                ParameterBlock::Biases { .. } => update_biases(isa, self.filled, tile, here),
            }
        }
    }
}
