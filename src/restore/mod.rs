//! Restoration of rows with a fitted model: corrupted rows are cleaned, missing cells filled in.
//!
//! Reconstructions lie near the rows on which a model was fitted. A reconstruction f(x) is a step from x towards
//! these: along the gradient of their log-density, for an auto-encoder that learned to undo small noise (Vincent et al.,
//! "Stacked denoising autoencoders", 2010, §3.2; Alain and Bengio, "What regularized auto-encoders learn from the
//! data-generating distribution", 2014, theorem 1), and onto the plane of the components for PCA. So [`denoise()`]
//! gives f(x), and [`fill()`] repeats x ← f(x) for the cells that are missing while the known ones stay. With PCA, that
//! is iterative PCA (Josse and Husson, "Handling missing values in exploratory multivariate data analysis methods",
//! 2012) with components that are known: the expectation step for missing data of Roweis, "EM algorithms for PCA and
//! SPCA" (1998).
//!
//! ```
//! use diabolo::data::{self, Missing, ReadOptions, ScalingChoice};
//! use diabolo::model::{Validation, fit_pca};
//! use diabolo::pca::{Components, PcaOptions};
//! use diabolo::restore::{FillOptions, Truth, denoise_corrupted, fill};
//!
//! let digits = data::read("digits", &ReadOptions::default())?;
//! let options = PcaOptions { components: Components::Count(10), ..PcaOptions::default() };
//! let model = fit_pca(&digits, ScalingChoice::Auto, &options, Validation::None)?.model;
//!
//! // Noise of standard deviation 4, on pixels from 0 to 16.
//! let improvement = denoise_corrupted(&model, &digits, "gaussian:4".parse()?, 1, |_rows| Ok(()))?;
//! assert!(improvement.psnr_after() > improvement.psnr_before() + 3.0); // decibels
//!
//! // A square of 2 × 2 pixels is hidden somewhere in each image, and filled in.
//! let missing = Missing::hidden(&digits, "block:2x2".parse()?, 1)?;
//! let truth = Truth { rows: &digits, cells: &missing };
//! let filling = fill(&model, &digits, &missing, Some(truth), &FillOptions::default(), |_rows| Ok(()))?;
//! let errors = filling.errors.unwrap();
//! assert!(errors.mse < 0.7 * errors.mse_of_means);
//! # Ok::<(), diabolo::Error>(())
//! ```

mod denoise;
mod fill;

pub use denoise::{Improvement, denoise, denoise_corrupted, psnr};
pub use fill::{FillErrors, FillOptions, Filling, Start, Truth, fill};

use crate::data::Dataset;
use crate::error::{Error, Result};

/// Checks that clean rows have the shape of the rows to restore.
fn check_clean(clean: &Dataset, dataset: &Dataset) -> Result<()> {
    if (clean.rows(), clean.columns()) == (dataset.rows(), dataset.columns()) {
        return Ok(());
    }
    Err(Error::Mismatch(format!(
        "{}: {} clean rows of {} columns, but {} has {} rows of {} columns; each row needs its own",
        clean.source(),
        clean.rows(),
        clean.columns(),
        dataset.source(),
        dataset.rows(),
        dataset.columns()
    )))
}

/// What the tests of this room share.
#[cfg(test)]
mod fixtures {
    use crate::data::{self, Dataset, ReadOptions, ScalingChoice};
    use crate::model::{Model, Validation, fit_pca};
    use crate::pca::{Components, PcaOptions};

    pub fn digits() -> Dataset {
        data::read("digits", &ReadOptions::default()).unwrap()
    }

    pub fn pca(dataset: &Dataset, components: usize, scaling: ScalingChoice) -> Model {
        let options = PcaOptions { components: Components::Count(components), ..PcaOptions::default() };
        fit_pca(dataset, scaling, &options, Validation::None).unwrap().model
    }
}
