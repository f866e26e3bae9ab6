//! Auto-encoder networks: layers, flat parameters, inference, and the gradient of a minibatch.
//!
//! From the ground up: [`Architecture`] says where parameters lie, [`Network`] holds them, and `layer` computes one layer
//! of a tile of rows, forward, backward and along a tangent. `inference` encodes and decodes with it. In training, `tile`
//! runs 32 rows through all layers and back, `tiled` a minibatch of such tiles, and `narrow` a minibatch of a network whose
//! layers are too narrow for tiles; [`Batch`] chooses between the two. `curvature` is what second-order optimizers ask of
//! a minibatch beside the [`Gradient`].

mod architecture;
mod batch;
mod curvature;
mod examples;
mod gradient;
mod inference;
mod initialisation;
mod layer;
mod loss;
mod narrow;
mod parameter_blocks;
mod parameters;
mod reparameterisation;
mod tile;
mod tiled;

pub use architecture::{Activations, Architecture, Layer, LayerSizes};
pub use batch::Batch;
pub(crate) use curvature::{CurvatureBatch, RandomSigns};
pub use examples::Examples;
pub use gradient::Gradient;
pub use initialisation::Initialisation;
pub use loss::{BatchError, Loss, Objective};
pub use parameters::Network;

#[cfg(test)]
mod tests;
