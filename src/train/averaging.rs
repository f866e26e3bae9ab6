//! Averages of the weights over the steps of a run, which are often better than the last weights.

use std::fmt;

use crate::error::{Error, Result};
use crate::settings::text_setting;

/// The average of the weights that is kept, measured and, at the end of the run, becomes the network.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Averaging {
    /// None: the current weights.
    #[default]
    None,
    /// The exponential moving average, which keeps this share of itself at every step. In step t the share is at most
    /// (1 + t) / (10 + t), so that the first weights are soon forgotten.
    Ema(f32),
    /// The mean over this share of the steps, the last ones (Polyak and Juditsky, "Acceleration of stochastic approximation
    /// by averaging", 1992).
    Tail(f32),
}

impl Averaging {
    /// Its forms in text.
    pub const FORMS: &'static str = "none|ema:DECAY|tail:SHARE";

    /// The weight of the current weights in the average after step `number` (from 1) of `steps`; `None` while there is no
    /// average.
    pub(super) fn share(self, number: u64, steps: u64) -> Option<f32> {
        match self {
            Self::None => None,
            Self::Ema(decay) => {
                let warm = (1 + number) as f32 / (10 + number) as f32;
                Some(1.0 - decay.min(warm))
            }
            Self::Tail(share) => {
                let first = steps - ((steps as f64 * f64::from(share)).round() as u64).clamp(1, steps);
                (number > first).then(|| 1.0 / (number - first) as f32)
            }
        }
    }

    fn read(text: &str) -> std::result::Result<Option<Self>, String> {
        let known = match text.split_once(':') {
            None if text == "none" => Some(Self::None),
            Some(("ema", decay)) => decay.parse().ok().map(Self::Ema),
            Some(("tail", share)) => share.parse().ok().map(Self::Tail),
            _ => None,
        };
        known.and_then(Self::problem).map_or(Ok(known), Err)
    }

    /// Checks the number.
    ///
    /// # Errors
    /// When it does not lie between 0 and 1.
    pub fn check(self) -> Result<()> {
        self.problem().map_or(Ok(()), |problem| Err(Error::Setting { name: "average", problem }))
    }

    fn problem(self) -> Option<String> {
        match self {
            Self::Ema(number) | Self::Tail(number) if !(number > 0.0 && number < 1.0) => {
                Some(format!("{number} does not lie between 0 and 1"))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Averaging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Ema(decay) => write!(f, "ema:{decay}"),
            Self::Tail(share) => write!(f, "tail:{share}"),
        }
    }
}

text_setting!(Averaging, "average");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_over_the_tail_weighs_its_steps_the_same() {
        let mut average = f32::NAN;
        let weights = [9.0, 9.0, 1.0, 2.0, 6.0];
        for (number, weight) in (1..).zip(weights) {
            if let Some(share) = Averaging::Tail(0.6).share(number, 5) {
                average = if average.is_nan() { weight } else { average + share * (weight - average) };
            }
        }
        assert_eq!(average, 3.0);
    }

    #[test]
    fn a_moving_average_starts_near_the_weights_and_ends_at_its_decay() {
        assert!(Averaging::Ema(0.999).share(1, 10).unwrap() > 0.8);
        assert!((Averaging::Ema(0.999).share(1_000_000, 10).unwrap() - 0.001).abs() < 1e-6);
    }

    #[test]
    fn an_average_is_read_as_it_is_written() {
        for text in ["none", "ema:0.999", "tail:0.25"] {
            assert_eq!(text.parse::<Averaging>().unwrap().to_string(), text);
        }
        assert!("ema:1".parse::<Averaging>().unwrap_err().to_string().contains("between 0 and 1"));
        assert!("mean".parse::<Averaging>().unwrap_err().to_string().contains("there are none, ema"));
    }
}
