//! What decides how a row is augmented.

use crate::random::{Generator, Purpose, generator_of_row};

/// What decides how a row is augmented, beside its index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw {
    /// Height and width in pixels, where rows are images.
    pub image_shape: Option<(usize, usize)>,
    pub seed: u64,
    pub epoch: u64,
}

impl Draw {
    /// The random numbers for the row with this index: the same whenever it is gathered.
    pub fn generator(self, purpose: Purpose, index: usize) -> Generator {
        generator_of_row(self.seed, purpose, self.epoch, index)
    }
}
