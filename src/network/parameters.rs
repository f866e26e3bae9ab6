//! An auto-encoder's parameters, in one flat buffer.

use std::sync::Arc;

use super::architecture::Architecture;
use super::initialisation::Initialisation;
use crate::kernels::Isa;
use crate::matrix::{AlignedBuffer, MatrixView};

/// An auto-encoder: its layers and one flat buffer with all their weights and biases.
///
/// The layers up to the bottleneck are the encoder, the others the decoder.
#[derive(Clone, Debug)]
pub struct Network {
    /// Shared with the batches that are made for it, so that a step finds at once that they fit.
    pub(super) architecture: Arc<Architecture>,
    parameters: AlignedBuffer,
    isa: Isa,
}

impl Network {
    /// A network with random weights and zero biases; the same seed gives the same weights.
    pub fn new(architecture: Architecture, initialisation: Initialisation, seed: u64) -> Self {
        Self::zeros(architecture).initialised(initialisation, seed)
    }

    /// A network whose weights and biases are all zero: a frame to load parameters into.
    pub fn zeros(architecture: Architecture) -> Self {
        let parameters = AlignedBuffer::zeros(architecture.buffer_length());
        Self { architecture: Arc::new(architecture), parameters, isa: Isa::best() }
    }

    /// The same network on another instruction set than [`Isa::best`].
    pub fn with_isa(self, isa: Isa) -> Self {
        Self { isa, ..self }
    }

    /// The same network with random weights and zero biases, as [`new`](Self::new) draws them, but on its own instruction
    /// set: orthogonal weights come from a decomposition.
    pub fn initialised(mut self, initialisation: Initialisation, seed: u64) -> Self {
        self.parameters.fill(0.0);
        initialisation.fill(self.isa, &self.architecture, &mut self.parameters, seed);
        self
    }

    /// Its layers and their sizes.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The instruction set that its kernels run on.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// All parameters, where the architecture places them; elements between the layers are zero.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// All parameters, to be changed. The elements between the layers must stay zero.
    pub fn parameters_mut(&mut self) -> &mut [f32] {
        &mut self.parameters
    }

    /// The weights of a layer, outputs × inputs.
    ///
    /// # Panics
    /// When there is no such layer.
    pub fn weights(&self, layer: usize) -> MatrixView<'_> {
        let layer = &self.architecture.layers()[layer];
        MatrixView::new(&self.parameters[layer.weight_range()], layer.outputs(), layer.inputs())
    }

    /// The biases of a layer, one an output; none when it has no bias.
    ///
    /// # Panics
    /// When there is no such layer.
    pub fn biases(&self, layer: usize) -> &[f32] {
        &self.parameters[self.architecture.layers()[layer].bias_range()]
    }
}
