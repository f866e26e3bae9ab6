//! Augmentation: what training does to rows before the network is given them.
//!
//! Each kind has a file, which says what it does to one row: the draw depends on the seed, the epoch and the row's index
//! alone, so that a row is the same whenever it is gathered. [`Augmentation`] puts them together, and is all that training
//! knows. A new kind is a file here, and a field of [`Augmentation`] with its line in each of the methods.

mod binarisation;
mod corruption;
mod examples;
mod hiding;
mod shift;

pub use binarisation::Binarisation;
pub use corruption::Corruption;
pub use examples::AugmentedExamples;
pub use hiding::{BlockSize, Hiding};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::rows::{Rows, check_unit_interval};

/// What training does to its rows, in this order: it shifts images, draws zeros and ones, and corrupts the network's inputs.
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

    /// Whether the rows of one epoch differ from those of the next.
    pub fn is_random(&self) -> bool {
        self.shift > 0 || self.binarisation == Some(Binarisation::Stochastic) || self.corruption.is_some()
    }

    /// What of it makes sense for codes, which are neither images nor in [0, 1].
    pub fn of_codes(&self) -> Self {
        let corruption = self.corruption.filter(|corruption| corruption.takes_any_rows());
        Self { corruption, ..Self::default() }
    }

    /// Changes the row of an index, as gathered, into the target that it is in an epoch.
    fn apply_to_target(
        &self,
        index: usize,
        row: &mut [f32],
        image_shape: Option<(usize, usize)>,
        seed: u64,
        epoch: u64,
    ) {
        if self.shift > 0 {
            shift::apply(self.shift, index, row, image_shape, seed, epoch);
        }
        if let Some(binarisation) = self.binarisation {
            binarisation.apply(index, row, seed, epoch);
        }
    }

    /// Whether targets differ from the rows as they are.
    fn changes_targets(&self) -> bool {
        self.shift > 0 || self.binarisation.is_some()
    }
}
