//! What training does to its rows before the network sees them.

use serde::{Deserialize, Serialize};

use super::{Binarisation, Corruption};

/// What training does to its rows, in this order: it shifts images, draws zeros and ones, and corrupts what the network is
/// given.
///
/// Nothing by default; fill it in with `..Default::default()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Augmentation {
    /// The most pixels by which an image is moved each way, drawn again in each epoch; 0 leaves images where they are.
    pub shift: usize,
    /// How values in [0, 1] become zeros and ones; `None` leaves them as they are.
    #[serde(rename = "binarise")]
    pub binarisation: Option<Binarisation>,
    /// How the network's inputs are corrupted; its targets are the rows without this corruption.
    #[serde(rename = "corrupt")]
    pub corruption: Option<Corruption>,
}

impl Augmentation {
    /// Whether the rows of one epoch are others than those of the next.
    pub fn is_random(&self) -> bool {
        self.shift > 0 || self.binarisation == Some(Binarisation::Stochastic) || self.corruption.is_some()
    }
}
