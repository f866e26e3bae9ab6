//! Augmentation: random changes of training rows before the network sees them.
//!
//! Each kind has a file, which changes one row. Its draw depends only on the seed, the epoch and the row's index, so
//! that a row is the same whenever it is gathered. [`Augmentation`] combines the kinds, and is all that training knows
//! of them. A new kind is a file here, and a field of [`Augmentation`] with its line in each of the methods.

mod binarisation;
mod corruption;
mod draw;
mod examples;
mod hiding;
mod shift;

pub use binarisation::Binarisation;
pub use corruption::Corruption;
use draw::Draw;
pub use examples::AugmentedExamples;
pub use hiding::{BlockSize, Hiding};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::rows::{Rows, check_unit_interval};

/// The augmentation of training rows, in this order: images are shifted, values binarised, and the network's inputs
/// corrupted.
///
/// Nothing by default; fill it in with `..Default::default()`.
///
/// ```
/// use diabolo::Matrix;
/// use diabolo::augment::Augmentation;
/// use diabolo::rows::Rows;
///
/// let rows = Matrix::from_rows(&[[0.0, 1.0], [1.0, 1.0]]);
/// let augmentation = Augmentation { corruption: Some("mask:1".parse()?), ..Augmentation::default() };
/// augmentation.check(&rows)?;
/// let examples = augmentation.examples(&rows, 1, 1); // of seed 1, in epoch 1
/// let (mut input, mut target) = ([9.0; 2], [9.0; 2]);
/// examples.inputs().gather(&[1], &mut input)?;
/// examples.targets().unwrap().gather(&[1], &mut target)?;
/// assert_eq!((input, target), ([0.0, 0.0], [1.0, 1.0]));
/// # Ok::<(), diabolo::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Augmentation {
    /// The largest number of pixels by which an image is shifted in any direction, drawn again in each epoch; 0 for no
    /// shift.
    pub shift: usize,
    /// The binarisation of values in [0, 1]; `None` leaves them unchanged.
    #[serde(rename = "binarise")]
    pub binarisation: Option<Binarisation>,
    /// The corruption of the network's inputs; its targets are the rows without it.
    #[serde(rename = "corrupt")]
    pub corruption: Option<Corruption>,
}

impl Augmentation {
    /// Checks that these rows can be augmented.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) for a shift or a block where rows are no images, or too small ones, and
    /// where values must lie in [0, 1] and do not; and when rows cannot be read.
    pub fn check(&self, rows: &dyn Rows) -> Result<()> {
        if self.shift > 0 {
            shift::check(rows, self.shift)?;
        }
        self.corruption.map_or(Ok(()), |corruption| corruption.check(rows))?;
        match self.binarisation {
            Some(_) => check_unit_interval(rows, "binarise", "leave it out"),
            None => Ok(()),
        }
    }

    /// Whether rows differ from epoch to epoch.
    pub fn is_random(&self) -> bool {
        self.shift > 0 || self.binarisation == Some(Binarisation::Stochastic) || self.corruption.is_some()
    }

    /// The part of it that applies to codes, which are neither images nor in [0, 1].
    pub fn of_codes(&self) -> Self {
        let corruption = self.corruption.filter(|corruption| corruption.takes_any_rows());
        Self { corruption, ..Self::default() }
    }

    /// Augments the gathered row with this index.
    fn apply(&self, index: usize, row: &mut [f32], draw: Draw) {
        if self.shift > 0 {
            shift::apply(self.shift, index, row, draw);
        }
        if let Some(binarisation) = self.binarisation {
            binarisation.apply(index, row, draw);
        }
        if let Some(corruption) = self.corruption {
            corruption.apply(index, row, draw);
        }
    }

    /// Whether targets differ from the rows themselves.
    fn changes_targets(&self) -> bool {
        self.shift > 0 || self.binarisation.is_some()
    }
}
