//! A minibatch: the gradient of its mean loss, in two phases.
//!
//! [`Network::trace`] runs the rows forward and backward, and the batch keeps what the gradient by the parameters takes.
//! [`Batch::apply`] then sums that gradient and applies it to the parameters. Most networks take their rows in tiles
//! ([`TiledBatch`]); narrow ones, whose steps are so short that calls would be most of them, all rows at once
//! ([`NarrowBatch`]). Which of the two it is depends on the network and the size of the minibatch alone, and the bits of
//! either are the same for any number of threads.

use std::sync::Arc;

use super::architecture::{Architecture, Layer};
use super::curvature::CurvatureBatch;
use super::examples::Examples;
use super::loss::{BatchError, Objective};
use super::narrow::{self, NarrowBatch};
use super::parameters::Network;
use super::tiled::TiledBatch;
use crate::error::Result;
use crate::kernels::{Isa, Update};
use crate::rows::Rows;

/// A minibatch on its way through a network, in buffers that are allocated once.
#[derive(Debug)]
pub struct Batch {
    architecture: Arc<Architecture>,
    isa: Isa,
    objective: Objective,
    /// The number of rows that there is room for.
    capacity: usize,
    layout: Layout,
}

#[derive(Debug)]
enum Layout {
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
        match narrow::is_narrow(network.architecture(), rows) {
            true => {
                let layout = Layout::Narrow(NarrowBatch::new(network.architecture(), rows));
                Self::with_layout(network, objective.into(), rows, layout)
            }
            false => Self::in_tiles(network, objective, rows),
        }
    }

    /// As [`Batch::new`], in tiles whatever the network: the curvature of the loss can then be had.
    ///
    /// # Panics
    /// As [`Batch::new`].
    pub fn in_tiles(network: &Network, objective: impl Into<Objective>, rows: usize) -> Self {
        let objective = objective.into();
        let layout = Layout::Tiled(TiledBatch::new(network.architecture(), objective.loss, rows));
        Self::with_layout(network, objective, rows, layout)
    }

    fn with_layout(network: &Network, objective: Objective, rows: usize, layout: Layout) -> Self {
        let (architecture, loss) = (network.architecture.clone(), objective.loss);
        assert!(rows > 0, "a batch has at least one row");
        assert!(
            objective.code_l1 <= 0.0 || !architecture.is_variational(),
            "variational codes have no sparsity of their own"
        );
        let output = architecture.layers().last().map(Layer::activation);
        assert!(output.is_some_and(|output| loss.check(output).is_ok()), "{loss} does not go with {output:?}");
        Self { architecture, isa: network.isa(), objective, capacity: rows, layout }
    }

    pub(super) fn isa(&self) -> Isa {
        self.isa
    }

    /// The rows that were traced last, for optimizers that need the curvature of their loss; `None` when they are not in
    /// tiles.
    ///
    /// # Panics
    /// When the batch was made for another network.
    pub(crate) fn curvature<'a>(&'a mut self, network: &'a Network) -> Option<CurvatureBatch<'a>> {
        assert_eq!(network.architecture, self.architecture, "the network that the batch was made for");
        match &mut self.layout {
            Layout::Narrow(_) => None,
            Layout::Tiled(batch) => Some(CurvatureBatch::new(network, self.objective.loss, batch)),
        }
    }

    /// Sets what the divergence of a row's code costs from the next trace on (see [`Objective::beta`]).
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
        match &self.layout {
            Layout::Narrow(batch) => batch.apply(self.isa, update),
            Layout::Tiled(batch) => batch.apply(self.isa, &self.architecture, update),
        }
    }
}

impl Network {
    /// Runs the rows of `indices` through the network and the gradient of their mean loss back, and returns the sums of
    /// their errors. The batch then knows the gradient by every parameter: see [`Batch::apply`].
    ///
    /// # Errors
    /// When rows cannot be read; the batch must then not be applied.
    ///
    /// # Panics
    /// When the batch has no room for the rows or was made for another network, or the rows do not exist or are not as
    /// wide as the input.
    pub fn trace(&self, data: &dyn Rows, indices: &[usize], batch: &mut Batch) -> Result<BatchError> {
        self.trace_examples(data.into(), indices, batch)
    }

    /// As [`Network::trace`], for rows with targets of their own.
    ///
    /// # Errors
    /// As [`Network::trace`].
    ///
    /// # Panics
    /// As [`Network::trace`], and when there is not a target for each row, or noise as wide as its code.
    pub fn trace_examples(&self, examples: Examples<'_>, indices: &[usize], batch: &mut Batch) -> Result<BatchError> {
        let columns = self.architecture.sizes().input();
        for data in [Some(examples.inputs), examples.targets].into_iter().flatten() {
            assert_eq!(data.columns(), columns, "the columns of the rows and the input size");
        }
        if let Some(noise) = examples.noise {
            assert_eq!(noise.columns(), self.architecture.sizes().code(), "the columns of the noise and the code size");
        }
        assert!(indices.len() <= batch.capacity, "the batch has room for the rows");
        assert_eq!(self.architecture, batch.architecture, "the network that the batch was made for");
        match &mut batch.layout {
            Layout::Narrow(narrow) => narrow.trace(self, batch.objective, examples, indices),
            Layout::Tiled(tiled) => tiled.trace(self, batch.objective, examples, indices),
        }
    }

    /// The gradient of the mean loss of the rows of `indices` by every parameter, written to `gradient` (laid out as the
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
        indices: &[usize],
        batch: &mut Batch,
        gradient: &mut [f32],
    ) -> Result<BatchError> {
        let error = self.trace(data, indices, batch)?;
        batch.apply(Update::write(gradient));
        Ok(error)
    }
}
