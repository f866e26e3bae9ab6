//! Corrupted rows: the inputs of a denoising auto-encoder, whose targets are the clean rows.

use std::fmt;

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::draw::Draw;
use super::hiding::{Hiding, share};
use crate::error::Result;
use crate::random::Purpose;
use crate::rows::{ChangedRows, Rows, check_unit_interval};
use crate::settings::text_setting;

/// A corruption of the elements of a row (Vincent et al., "Stacked denoising autoencoders", 2010, §3.3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Corruption {
    /// Adds normal noise of this standard deviation to each element.
    Gaussian(f32),
    /// Adds the same noise, and clips the sum to [0, 1], the range of pixels.
    ClippedGaussian(f32),
    /// Sets hidden elements to 0.
    Hidden(Hiding),
    /// Sets each element, with this probability, to 0 or 1, both equally likely.
    SaltPepper(f32),
}

impl Corruption {
    /// Its forms in text.
    pub const FORMS: &'static str =
        "gaussian:STDDEV|clipped-gaussian:STDDEV|mask:SHARE|block:HxW|middle:HxW|salt-pepper:SHARE";

    fn read(text: &str) -> std::result::Result<Option<Self>, String> {
        let Some((kind, size)) = text.split_once(':') else { return Ok(None) };
        match kind {
            "gaussian" => deviation(size).map(Self::Gaussian).map(Some),
            "clipped-gaussian" => deviation(size).map(Self::ClippedGaussian).map(Some),
            "salt-pepper" => share(size).map(Self::SaltPepper).map(Some),
            _ => Hiding::of_kind(kind, size).transpose().map(|hiding| hiding.map(Self::Hidden)),
        }
    }

    /// Checks that these rows can be corrupted.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) for a block where rows are no images or smaller ones, and for clipped noise where values do not
    /// lie in [0, 1].
    pub fn check(self, rows: &dyn Rows) -> Result<()> {
        match self {
            Self::Hidden(hiding) => hiding.check(rows),
            Self::ClippedGaussian(deviation) => {
                check_unit_interval(rows, &self.to_string(), &format!("use gaussian:{deviation}"))
            }
            Self::Gaussian(_) | Self::SaltPepper(_) => Ok(()),
        }
    }

    /// Whether it applies to any rows, not only to images or to values in [0, 1].
    pub fn takes_any_rows(self) -> bool {
        matches!(self, Self::Gaussian(_) | Self::SaltPepper(_) | Self::Hidden(Hiding::Mask(_)))
    }

    /// The corrupted rows of an epoch, counted from 1 in training; each epoch draws again.
    ///
    /// They cannot be gathered where [`check`](Self::check) fails.
    pub fn corrupted(self, rows: &dyn Rows, seed: u64, epoch: u64) -> impl Rows {
        let draw = Draw { image_shape: rows.image_shape(), seed, epoch };
        ChangedRows::new(rows, move |index, row: &mut [f32]| self.apply(index, row, draw))
    }

    /// Corrupts the row with this index.
    ///
    /// # Panics
    /// When [`check`](Self::check) would fail for a block.
    pub(super) fn apply(self, index: usize, row: &mut [f32], draw: Draw) {
        let mut generator = draw.generator(Purpose::Corruption, index);
        let mut add_noise = |row: &mut [f32], deviation: f32, [least, most]: [f32; 2]| {
            for value in row {
                let normal: f32 = StandardNormal.sample(&mut generator);
                *value = (*value + deviation * normal).clamp(least, most);
            }
        };
        match self {
            Self::Gaussian(deviation) => add_noise(row, deviation, [f32::NEG_INFINITY, f32::INFINITY]),
            Self::ClippedGaussian(deviation) => add_noise(row, deviation, [0.0, 1.0]),
            Self::Hidden(hiding) => hiding.apply(row, 0.0, draw.image_shape, &mut generator),
            Self::SaltPepper(share) => {
                for value in row {
                    let draw = generator.random::<f32>();
                    if draw < share {
                        *value = f32::from(u8::from(draw < share / 2.0));
                    }
                }
            }
        }
    }
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gaussian(deviation) => write!(f, "gaussian:{deviation}"),
            Self::ClippedGaussian(deviation) => write!(f, "clipped-gaussian:{deviation}"),
            Self::Hidden(hiding) => hiding.fmt(f),
            Self::SaltPepper(share) => write!(f, "salt-pepper:{share}"),
        }
    }
}

text_setting!(Corruption, "corrupt");

/// Parses a standard deviation; the error says what is wrong with it.
fn deviation(text: &str) -> std::result::Result<f32, String> {
    let deviation = text.parse().ok().filter(|&deviation: &f32| deviation > 0.0 && deviation.is_finite());
    deviation.ok_or_else(|| format!("`{text}` is not a finite number above 0"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    fn corrupted(corruption: &str, epoch: u64) -> Vec<f32> {
        let clean = Matrix::from_slice(2, 10_000, &[0.5; 20_000]);
        let mut row = vec![f32::NAN; 10_000];
        corruption.parse::<Corruption>().unwrap().corrupted(&clean, 1, epoch).gather(&[1], &mut row).unwrap();
        row
    }

    fn share(row: &[f32], value: f32) -> f64 {
        row.iter().filter(|&&element| element == value).count() as f64 / row.len() as f64
    }

    #[test]
    fn each_kind_does_what_it_says_to_about_its_share() {
        assert!((share(&corrupted("mask:0.25", 1), 0.0) - 0.25).abs() < 0.02);
        let row = corrupted("salt-pepper:0.2", 1);
        assert!((share(&row, 0.0) - 0.1).abs() < 0.015 && (share(&row, 1.0) - 0.1).abs() < 0.015);
        assert!((share(&row, 0.5) - 0.8).abs() < 0.02);
        let row = corrupted("clipped-gaussian:0.5", 1);
        // Each tail beyond one standard deviation is 15.9 % of all.
        assert!((share(&row, 0.0) - 0.159).abs() < 0.015 && (share(&row, 1.0) - 0.159).abs() < 0.015);
        assert!(row.iter().all(|value| (0.0..=1.0).contains(value)));
        let noise: Vec<f64> = corrupted("gaussian:0.3", 1).iter().map(|value| f64::from(value - 0.5)).collect();
        let mean = noise.iter().sum::<f64>() / 1e4;
        let deviation = (noise.iter().map(|noise| noise * noise).sum::<f64>() / 1e4).sqrt();
        assert!(mean.abs() < 0.01 && (deviation - 0.3).abs() < 0.01, "{mean} {deviation}");
    }

    #[test]
    fn it_is_the_same_in_the_same_epoch_and_new_in_the_next() {
        assert_eq!(corrupted("gaussian:0.3", 1), corrupted("gaussian:0.3", 1));
        assert_ne!(corrupted("gaussian:0.3", 1), corrupted("gaussian:0.3", 2));
    }

    #[test]
    fn a_corruption_is_read_as_it_is_written() {
        for text in ["gaussian:0.3", "clipped-gaussian:0.5", "mask:0.25", "block:14x7", "middle:2x2", "salt-pepper:0.1"]
        {
            assert_eq!(text.parse::<Corruption>().unwrap().to_string(), text);
        }
        for (text, problem) in [
            ("noise", "there are gaussian:STDDEV"),
            ("noise:1", "there are gaussian:STDDEV"),
            ("mask:x", "no share of the elements"),
            ("block:3", "as in 14x14"),
            ("mask:1.5", "no share of the elements"),
            ("gaussian:-1", "finite number above 0"),
            ("clipped-gaussian:inf", "finite number above 0"),
        ] {
            let message = text.parse::<Corruption>().unwrap_err().to_string();
            assert!(message.contains(problem), "{message}");
        }
    }
}
