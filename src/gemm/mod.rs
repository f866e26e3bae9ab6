//! Matrix products: the general one, on `matrixmultiply`'s run-time dispatched kernels, and those of a training step, on
//! our own.
//!
//! A general product packs both of its operands. A layer's weights meet a tile of 32 rows at a time, too few to pay for
//! that: [`tile_product`] and [`update_weights`] use the weights where they lie. `double` has the products of the
//! decompositions.

pub(crate) mod double;
mod general;
#[cfg(test)]
mod tests;
mod tile;
mod transpose;
mod weight_update;

pub use general::gemm;
pub use tile::{NonzeroFeatures, TILE_ROWS, tile_product};
pub use transpose::transpose;
pub use weight_update::{TileGradient, TileRows, update_biases, update_weights};
