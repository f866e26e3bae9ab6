//! Backward: the gradient of the loss over a minibatch, in two phases.
//!
//! First the rows run forward and back, and leave what the gradient by the parameters takes; then that is applied to
//! the parameters. Most networks take their rows in tiles ([`TiledBatch`]); narrow ones, whose steps are so short that
//! calls would be most of them, all rows at once ([`NarrowBatch`]). Which of the two it is depends on the network and the
//! size of the minibatch alone, and the bits of either are the same for any number of threads.

use std::sync::Arc;

use super::narrow::{self, NarrowBatch};
use super::tiled::TiledBatch;
use super::{Architecture, BatchError, Layer, Network, Objective};
use crate::error::Result;
use crate::kernels::{Isa, Update};
use crate::matrix::Matrix;
use crate::rows::Rows;

/// Rows, and what they should become: themselves, where there are no targets.
#[derive(Clone, Copy)]
pub struct Examples<'a> {
    /// What the network is given.
    pub inputs: &'a dyn Rows,
    /// What it should make of each.
    pub targets: Option<&'a dyn Rows>,
    /// The standard normal numbers that each row's code is drawn with (rows × code size), for a variational network;
    /// where there are none, codes are their distributions' means.
    pub noise: Option<&'a dyn Rows>,
}

impl<'a> From<&'a dyn Rows> for Examples<'a> {
    fn from(inputs: &'a dyn Rows) -> Self {
        Self { inputs, targets: None, noise: None }
    }
}

/// A minibatch on its way through a network, in buffers that are allocated once.
#[derive(Debug)]
pub struct Batch {
    architecture: Arc<Architecture>,
    isa: Isa,
    objective: Objective,
    /// How many rows there is room for.
    room: usize,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Narrow(NarrowBatch),
    Tiled(TiledBatch),
}

impl Batch {
    /// Room for up to `rows` rows on their way through a network like this one, to be trained for an objective (a
    /// [`Loss`](super::Loss), or more).
    ///
    /// # Panics
    /// When the loss does not go with the output layer (see [`Loss::check`](super::Loss::check)), there are no rows, or
    /// codes are to be sparse in a variational network.
    pub fn new(network: &Network, objective: impl Into<Objective>, rows: usize) -> Self {
        let objective = objective.into();
        let loss = objective.loss;
        assert!(rows > 0, "a batch has at least one row");
        let is_sparse = objective.code_l1 > 0.0;
        assert!(
            !(is_sparse && network.architecture.is_variational()),
            "variational codes have no sparsity of their own"
        );
        let architecture = network.architecture.clone();
        let output = architecture.layers().last().map(Layer::activation);
        assert!(output.is_some_and(|output| loss.check(output).is_ok()), "{loss} does not go with {output:?}");
        let way = if narrow::is_narrow(&architecture, rows) {
            Way::Narrow(NarrowBatch::new(&architecture, rows))
        } else {
            Way::Tiled(TiledBatch::new(&architecture, loss, rows))
        };
        Self { architecture, isa: network.isa, objective, room: rows, way }
    }

    /// The same, in tiles whatever the network: the inputs and deltas of its layers can then be had.
    pub(crate) fn in_tiles(mut self) -> Self {
        self.way = Way::Tiled(TiledBatch::new(&self.architecture, self.objective.loss, self.room));
        self
    }

    pub(super) fn isa(&self) -> Isa {
        self.isa
    }

    fn tiled(&self) -> &TiledBatch {
        let Way::Tiled(batch) = &self.way else { panic!("the batch is not in tiles") };
        batch
    }

    fn tiled_mut(&mut self) -> &mut TiledBatch {
        let Way::Tiled(batch) = &mut self.way else { panic!("the batch is not in tiles") };
        batch
    }

    /// The inputs of a layer, inputs × rows that were traced last.
    ///
    /// # Panics
    /// When the batch is not in tiles.
    pub(crate) fn inputs(&self, layer: usize) -> Matrix {
        self.tiled().inputs(layer)
    }

    /// The gradient of the loss by what a layer computes before its activation, outputs × rows that were traced last:
    /// that of each row's part of the mean loss, or what [`Batch::aim_at_random`] puts in its place.
    ///
    /// # Panics
    /// When the batch is not in tiles.
    pub(crate) fn deltas(&self, layer: usize) -> Matrix {
        self.tiled().deltas(layer)
    }

    /// Runs the gradient of each row's own loss towards random targets back, in place of that of the mean loss: the second
    /// moments of the deltas are then those of the loss' curvature. The rows' own gradient is lost.
    ///
    /// # Panics
    /// When the batch is not in tiles, or was made for another network.
    pub(crate) fn aim_at_random(&mut self, network: &Network, turn: u64) {
        assert_eq!(network.architecture, self.architecture, "the network that the batch was made for");
        let loss = self.objective.loss;
        self.tiled_mut().aim_at_random(network, loss, turn);
    }

    /// dᵀ G e for each of some directions d in the space of the parameters, and e each one up to it, where G is the
    /// Gauss-Newton matrix of the summed loss of the first `rows` of the rows that were traced last, in whole tiles; and how
    /// many rows those are. Their gradient is lost.
    ///
    /// # Panics
    /// When the batch is not in tiles, or was made for another network.
    pub(crate) fn curvature(&mut self, network: &Network, rows: usize, directions: &[&[f32]]) -> (Vec<f64>, usize) {
        assert_eq!(network.architecture, self.architecture, "the network that the batch was made for");
        let loss = self.objective.loss;
        self.tiled_mut().curvature(network, loss, rows, directions)
    }

    /// Changes what the divergence of a row's code costs from now on (see [`Objective::beta`]).
    pub fn set_beta(&mut self, beta: f32) {
        self.objective.beta = beta;
    }

    /// Applies an update to all parameters (laid out as the architecture says), with the gradient of the mean loss of
    /// the rows that were traced last. What lies between the layers stays as it is, or becomes what a gradient of zero
    /// makes of it.
    ///
    /// # Panics
    /// When there are not as many parameters.
    pub fn apply(&self, update: Update<'_>) {
        assert_eq!(update.length(), self.architecture.buffer_length(), "the parameters of the network");
        match &self.way {
            Way::Narrow(batch) => batch.apply(self.isa, update),
            Way::Tiled(batch) => batch.apply(self.isa, &self.architecture, update),
        }
    }
}

impl Network {
    /// Runs some rows through the network and the gradient of their mean loss back, and returns the sums of their
    /// errors. The batch then knows the gradient by every parameter: see [`Batch::apply`].
    ///
    /// # Errors
    /// When rows cannot be read; the batch must then not be applied.
    ///
    /// # Panics
    /// When the batch has no room for the rows or was made for another network, or the rows do not exist or are not as
    /// wide as the input.
    pub fn trace(&self, data: &dyn Rows, rows: &[usize], batch: &mut Batch) -> Result<BatchError> {
        self.trace_examples(data.into(), rows, batch)
    }

    /// As [`Network::trace`], for rows that should become others.
    ///
    /// # Errors
    /// As [`Network::trace`].
    ///
    /// # Panics
    /// As [`Network::trace`], and when there is not a target for each row, or noise as wide as its code.
    pub fn trace_examples(&self, examples: Examples<'_>, rows: &[usize], batch: &mut Batch) -> Result<BatchError> {
        let columns = self.architecture.sizes().input();
        for data in [Some(examples.inputs), examples.targets].into_iter().flatten() {
            assert_eq!(data.columns(), columns, "the columns of the rows and the input size");
        }
        if let Some(noise) = examples.noise {
            assert_eq!(noise.columns(), self.architecture.sizes().code(), "the columns of the noise and the code size");
        }
        assert!(rows.len() <= batch.room, "the batch has room for the rows");
        assert_eq!(self.architecture, batch.architecture, "the network that the batch was made for");
        match &mut batch.way {
            Way::Narrow(narrow) => narrow.trace(self, batch.objective, examples, rows),
            Way::Tiled(tiled) => tiled.trace(self, batch.objective, examples, rows),
        }
    }

    /// The gradient of the mean loss of some rows by every parameter, written to `gradient` (laid out as the
    /// parameters are), and the sums of their errors.
    ///
    /// # Errors
    /// As [`Network::trace`].
    ///
    /// # Panics
    /// As [`Network::trace`], and when `gradient` is not as long as the parameters.
    pub fn gradient(
        &self,
        data: &dyn Rows,
        rows: &[usize],
        batch: &mut Batch,
        gradient: &mut [f32],
    ) -> Result<BatchError> {
        let error = self.trace(data, rows, batch)?;
        batch.apply(Update::write(gradient));
        Ok(error)
    }
}
