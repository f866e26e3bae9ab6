//! Cleaning corrupted rows.

use super::check_clean;
use crate::augment::Corruption;
use crate::data::Dataset;
use crate::error::Result;
use crate::evaluate::Reconstruct;
use crate::kernels::{Isa, squared_distance};
use crate::matrix::Matrix;
use crate::model::Model;
use crate::rows::Rows;

/// The errors of rows before and after they were cleaned, in the units that the model sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Improvement {
    /// The number of rows.
    pub rows: usize,
    /// The range of the clean rows: 1 for pixels that were bytes, else their largest value less their smallest.
    pub peak: f64,
    /// The mean of (x − clean)² over all elements.
    pub mse_before: f64,
    /// The mean of (f(x) − clean)² over all elements.
    pub mse_after: f64,
}

impl Improvement {
    /// The peak signal-to-noise ratio before, in decibels.
    pub fn psnr_before(&self) -> f64 {
        psnr(self.mse_before, self.peak)
    }

    /// The peak signal-to-noise ratio after, in decibels.
    pub fn psnr_after(&self) -> f64 {
        psnr(self.mse_after, self.peak)
    }
}

/// The peak signal-to-noise ratio in decibels, 10 log₁₀(peak² / mse): infinite without an error.
pub fn psnr(mse: f64, peak: f64) -> f64 {
    10.0 * (peak * peak / mse).log10()
}

/// Cleans rows: visits f(x) for all, in the user's units, some rows at a time, and measures the improvement where the clean
/// rows are known.
///
/// # Errors
/// When the rows do not have the model's width, or their values are out of all proportion; when the clean rows do not have
/// the same shape; and the errors of `visit`.
pub fn denoise(
    model: &Model,
    dataset: &Dataset,
    clean: Option<&Dataset>,
    visit: impl FnMut(&Matrix) -> Result<()>,
) -> Result<Option<Improvement>> {
    model.check_width(dataset)?;
    let clean = clean.map(|clean| check_clean(clean, dataset).map(|()| model.scaling.scaled(clean))).transpose()?;
    let mut measure = clean.as_ref().map(|clean| Measure::new(model, clean));
    denoise_rows(model, &model.scaling.scaled(dataset), measure.as_mut(), visit)
        .map_err(|error| error.of(dataset.source()))?;
    Ok(measure.map(Measure::finish))
}

/// Corrupts clean rows by a seed, in the units that the model sees, and cleans them as [`denoise()`] does. The
/// corruption is drawn for epoch 0, which no training uses.
///
/// # Errors
/// The errors of [`denoise()`] and of [`Corruption::check`].
pub fn denoise_corrupted(
    model: &Model,
    clean: &Dataset,
    corruption: Corruption,
    seed: u64,
    visit: impl FnMut(&Matrix) -> Result<()>,
) -> Result<Improvement> {
    model.check_width(clean)?;
    let rows = model.scaling.scaled(clean);
    let named = |error: crate::Error| error.of(clean.source());
    corruption.check(&rows).map_err(named)?;
    let mut measure = Measure::new(model, &rows);
    let corrupted = corruption.corrupted(&rows, seed, 0);
    denoise_rows(model, &corrupted, Some(&mut measure), visit).map_err(named)?;
    Ok(measure.finish())
}

fn denoise_rows(
    model: &Model,
    corrupted: &dyn Rows,
    mut measure: Option<&mut Measure<'_>>,
    visit: impl FnMut(&Matrix) -> Result<()>,
) -> Result<()> {
    let denoise = |chunk: &Matrix| {
        let cleaned = model.body.reconstruct(chunk);
        if let Some(measure) = &mut measure {
            measure.note(chunk, &cleaned)?;
        }
        Ok(cleaned)
    };
    model.each_in_units(corrupted, denoise, visit)
}

/// Sums over the rows that were cleaned so far.
struct Measure<'a> {
    isa: Isa,
    clean: &'a dyn Rows,
    /// The known range of the clean rows; without it, they are searched for their extremes.
    peak: Option<f64>,
    rows: usize,
    least: f32,
    greatest: f32,
    before: f64,
    after: f64,
}

impl<'a> Measure<'a> {
    fn new(model: &Model, clean: &'a dyn Rows) -> Self {
        let peak = (model.scaling.name() == "bytes").then_some(1.0);
        Self {
            isa: model.body.isa(),
            clean,
            peak,
            rows: 0,
            least: f32::INFINITY,
            greatest: f32::NEG_INFINITY,
            before: 0.0,
            after: 0.0,
        }
    }

    /// Takes the next rows: corrupted, and as they were cleaned.
    fn note(&mut self, corrupted: &Matrix, cleaned: &Matrix) -> Result<()> {
        let mut clean = Matrix::zeros(corrupted.rows(), corrupted.columns());
        let indices: Vec<usize> = (self.rows..self.rows + corrupted.rows()).collect();
        self.clean.gather(&indices, clean.as_mut_slice())?;
        let clean = clean.as_slice();
        self.rows += indices.len();
        self.least = clean.iter().copied().fold(self.least, f32::min);
        self.greatest = clean.iter().copied().fold(self.greatest, f32::max);
        self.before += squared_distance(self.isa, corrupted.as_slice(), clean);
        self.after += squared_distance(self.isa, cleaned.as_slice(), clean);
        Ok(())
    }

    fn finish(self) -> Improvement {
        let elements = (self.rows * self.clean.columns()) as f64;
        Improvement {
            rows: self.rows,
            peak: self.peak.unwrap_or(f64::from(self.greatest) - f64::from(self.least)),
            mse_before: self.before / elements,
            mse_after: self.after / elements,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ScalingChoice;
    use crate::restore::fixtures::{digits, pca};

    #[test]
    fn the_ratio_is_that_of_the_textbook() {
        assert!((psnr(0.01, 1.0) - 20.0).abs() < 1e-12);
        assert!((psnr(4.0, 20.0) - 20.0).abs() < 1e-12);
        assert_eq!(psnr(0.0, 1.0), f64::INFINITY);
    }

    #[test]
    fn rows_come_back_as_reconstructions_and_are_measured_against_the_clean_ones() {
        let clean = digits();
        let model = pca(&clean, 20, ScalingChoice::Unit);
        let scaled = model.scaling.scaled(&clean);
        let mut noisy = Matrix::zeros(clean.rows(), clean.columns());
        let corrupted = "gaussian:0.3".parse::<Corruption>().unwrap().corrupted(&scaled, 5, 0);
        for row in 0..clean.rows() {
            corrupted.gather(&[row], noisy.row_mut(row)).unwrap();
            model.scaling.invert(noisy.row_mut(row));
        }
        let noisy = Dataset::from_matrix("noisy", noisy, None).unwrap();
        let mut rows = Vec::new();
        let by_file = denoise(&model, &noisy, Some(&clean), |some| {
            rows.extend_from_slice(some.as_slice());
            Ok(())
        });
        let by_file = by_file.unwrap().unwrap();
        assert_eq!(rows, model.reconstruct(&noisy).unwrap().as_slice());
        let by_seed = denoise_corrupted(&model, &clean, "gaussian:0.3".parse().unwrap(), 5, |_| Ok(())).unwrap();
        assert_eq!((by_file.rows, by_file.peak), (1797, 1.0));
        assert!((by_file.mse_before / 0.09 - 1.0).abs() < 0.02, "{by_file:?}");
        assert!((by_file.mse_before / by_seed.mse_before - 1.0).abs() < 1e-4, "{by_file:?} {by_seed:?}");
        assert!((by_file.mse_after / by_seed.mse_after - 1.0).abs() < 1e-4, "{by_file:?} {by_seed:?}");
        assert!(by_seed.psnr_after() > by_seed.psnr_before() + 3.0, "{by_seed:?}");
        assert_eq!(denoise(&model, &noisy, None, |_| Ok(())).unwrap(), None);
    }

    #[test]
    fn the_peak_of_bytes_is_one_and_of_all_else_the_range() {
        let images = Dataset::from_bytes("images", 3, 2, vec![0, 10, 20, 30, 50, 40]).unwrap();
        let clean = |dataset: &Dataset| {
            let model = pca(dataset, 1, ScalingChoice::Auto);
            denoise(&model, dataset, Some(dataset), |_| Ok(())).unwrap().unwrap()
        };
        assert_eq!((clean(&images).peak, clean(&images).mse_before), (1.0, 0.0));
        assert_eq!(clean(&digits()).peak, 16.0);
    }

    #[test]
    fn what_does_not_fit_together_is_an_error() {
        let (clean, model) = (digits(), pca(&digits(), 2, ScalingChoice::Auto));
        let short = clean.select(&[0, 1]).unwrap();
        let message = denoise(&model, &clean, Some(&short), |_| Ok(())).unwrap_err().to_string();
        assert!(message.contains("2 clean rows of 64 columns, but digits has 1797 rows"), "{message}");
        let narrow = Dataset::from_bytes("narrow", 1, 3, vec![0; 3]).unwrap();
        assert!(denoise(&model, &narrow, None, |_| Ok(())).unwrap_err().to_string().contains("the model takes 64"));
        for (corruption, expected) in [
            ("block:9x8", "digits: block:9x8 is larger"),
            ("clipped-gaussian:1", "digits: clipped-gaussian:1 needs data"),
        ] {
            let error = denoise_corrupted(&model, &clean, corruption.parse().unwrap(), 1, |_| Ok(())).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }
}
