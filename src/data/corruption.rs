//! Corrupted rows: what a denoising auto-encoder is given, while the clean rows are its targets.

use std::fmt;
use std::str::FromStr;

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::Rows;
use crate::error::{Error, Result};
use crate::random::{self, Purpose};

/// What is done to the elements of a row (Vincent et al., "Stacked denoising autoencoders", 2010, §3.3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Corruption {
    /// Normal noise of this standard deviation is added to each.
    Gaussian(f32),
    /// Each becomes 0 with this probability.
    Mask(f32),
    /// Each becomes, with this probability, 0 or 1, either as often.
    SaltPepper(f32),
}

impl Corruption {
    /// How it is written.
    pub const FORMS: &'static str = "gaussian:STDDEV|mask:SHARE|salt-pepper:SHARE";

    /// Corrupts a row, with random numbers that depend on `seed` and `turn` alone.
    pub fn apply(self, row: &mut [f32], seed: u64, turn: u64) {
        let mut generator = random::generator_of(seed, Purpose::Corruption, turn);
        match self {
            Self::Gaussian(deviation) => {
                for value in row {
                    let normal: f32 = StandardNormal.sample(&mut generator);
                    *value += deviation * normal;
                }
            }
            Self::Mask(share) => {
                row.iter_mut().filter(|_| generator.random::<f32>() < share).for_each(|value| *value = 0.0);
            }
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
            Self::Mask(share) => write!(f, "mask:{share}"),
            Self::SaltPepper(share) => write!(f, "salt-pepper:{share}"),
        }
    }
}

impl FromStr for Corruption {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |problem| Error::Setting { name: "corrupt", problem };
        let forms = || wrong(format!("`{text}` is none; there are {}", Self::FORMS.replace('|', ", ")));
        let (kind, number) = text.split_once(':').ok_or_else(forms)?;
        let number: f32 = number.parse().map_err(|_| forms())?;
        let (corruption, most) = match kind {
            "gaussian" => (Self::Gaussian(number), f32::MAX),
            "mask" => (Self::Mask(number), 1.0),
            "salt-pepper" => (Self::SaltPepper(number), 1.0),
            _ => return Err(forms()),
        };
        if number > 0.0 && number <= most {
            return Ok(corruption);
        }
        Err(wrong(match most {
            1.0 => format!("{number} is no share of the elements; it lies above 0 and up to 1"),
            _ => format!("{number} is not a finite number above 0"),
        }))
    }
}

/// Rows as they are corrupted in one epoch; in the next, they are so anew.
#[derive(Clone, Copy)]
pub struct CorruptedRows<'a> {
    of: &'a dyn Rows,
    corruption: Corruption,
    seed: u64,
    epoch: u64,
}

impl<'a> CorruptedRows<'a> {
    /// What the seed makes of `of` in an epoch.
    pub fn new(of: &'a dyn Rows, corruption: Corruption, seed: u64, epoch: u64) -> Self {
        Self { of, corruption, seed, epoch }
    }
}

impl Rows for CorruptedRows<'_> {
    fn rows(&self) -> usize {
        self.of.rows()
    }

    fn columns(&self) -> usize {
        self.of.columns()
    }

    fn copy_row(&self, row: usize, out: &mut [f32]) {
        self.of.copy_row(row, out);
        self.corruption.apply(out, self.seed, (self.epoch << 32).wrapping_add(row as u64));
    }

    fn prefetch(&self, row: usize) {
        self.of.prefetch(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    fn corrupted(corruption: &str, epoch: u64) -> Vec<f32> {
        let clean = Matrix::from_slice(2, 10_000, &[0.5; 20_000]);
        let mut row = vec![f32::NAN; 10_000];
        CorruptedRows::new(&clean, corruption.parse().unwrap(), 1, epoch).copy_row(1, &mut row);
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
        for text in ["gaussian:0.3", "mask:0.25", "salt-pepper:0.1"] {
            assert_eq!(text.parse::<Corruption>().unwrap().to_string(), text);
        }
        for (text, problem) in [
            ("noise", "there are gaussian:STDDEV"),
            ("mask:x", "there are gaussian:STDDEV"),
            ("mask:1.5", "no share of the elements"),
            ("gaussian:-1", "finite number above 0"),
            ("gaussian:inf", "finite number above 0"),
        ] {
            let message = text.parse::<Corruption>().unwrap_err().to_string();
            assert!(message.contains(problem), "{message}");
        }
    }
}
