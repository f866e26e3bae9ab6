//! The learning rate and its schedules.

use std::f64::consts::PI;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ranges;
use crate::error::{Error, Result};
use crate::optimizer::OptimizerChoice;
use crate::settings::text_setting;

/// The step size of a run.
///
/// Fill it in with `..Default::default()`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct LearningRate {
    /// The step size α for the gradient of the mean loss of a row, before schedule and warm-up.
    #[serde(rename = "learning-rate")]
    pub base: f32,
    /// The schedule of the step size over the run.
    pub schedule: Schedule,
    /// The epochs over which the step size first grows linearly from 0.
    pub warm_up: f64,
}

impl LearningRate {
    /// The same step size from the first step to the last.
    pub const fn constant(base: f32) -> Self {
        Self { base, schedule: Schedule::Constant, warm_up: 0.0 }
    }

    pub(super) fn check(&self) -> Result<()> {
        ranges::positive("learning-rate", self.base.into())?;
        ranges::not_negative("warm-up", self.warm_up)?;
        self.schedule.check()
    }
}

impl Default for LearningRate {
    fn default() -> Self {
        Self::constant(OptimizerChoice::default().usual_learning_rate())
    }
}

/// The share of the learning rate with which a step is taken, from the first step to the last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Schedule {
    /// All of it, always.
    #[default]
    Constant,
    /// Half a cosine down to 0 at the last step (Loshchilov and Hutter, "SGDR", 2017, eq. 5, without restarts).
    Cosine,
    /// Up from 1/25 over the first 30 % of the steps, then down to 0, each along half a cosine (Smith and Topin,
    /// "Super-convergence", 2018).
    OneCycle,
    /// Multiplied by `factor` every `every` epochs.
    Step {
        /// The epochs between two changes.
        every: usize,
        /// The factor of the rate, in (0, 1).
        factor: f32,
    },
    /// Times `factor` when the error (on held-out rows, where there are some) has not become smaller for `patience`
    /// epochs.
    Plateau {
        /// The epochs without a smaller error, at least 1.
        patience: usize,
        /// The factor of the rate, in (0, 1).
        factor: f32,
    },
}

/// The share of a one-cycle run in which the rate rises, and the share of the rate with which it starts.
const RISE: f64 = 0.3;
const FIRST: f64 = 1.0 / 25.0;

impl Schedule {
    /// Its forms in text, as [`str::parse`] reads them.
    pub const FORMS: &'static str = "constant|cosine|one-cycle|step:EPOCHS:FACTOR|plateau:EPOCHS:FACTOR";

    /// The share of the rate when `done` of `epochs` epochs are done. It is 1 for plateaus: only the trainer knows the
    /// errors.
    pub fn share(self, done: f64, epochs: f64) -> f64 {
        let half_cosine = |from: f64, to: f64, position: f64| to + (from - to) * 0.5 * (1.0 + (PI * position).cos());
        let position = done / epochs;
        match self {
            Self::Constant | Self::Plateau { .. } => 1.0,
            Self::Cosine => half_cosine(1.0, 0.0, position),
            Self::OneCycle if position < RISE => half_cosine(FIRST, 1.0, position / RISE),
            Self::OneCycle => half_cosine(1.0, 0.0, (position - RISE) / (1.0 - RISE)),
            Self::Step { every, factor } => f64::from(factor).powf((done / every as f64).floor()),
        }
    }

    /// The same schedule for a run of this share of the epochs.
    pub(super) fn shortened(self, share: f64) -> Self {
        let shorter = |epochs: usize| ((share * epochs as f64).round() as usize).max(1);
        match self {
            Self::Step { every, factor } => Self::Step { every: shorter(every), factor },
            Self::Plateau { patience, factor } => Self::Plateau { patience: shorter(patience), factor },
            Self::Constant | Self::Cosine | Self::OneCycle => self,
        }
    }

    fn read(text: &str) -> std::result::Result<Option<Self>, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let numbers = |epochs: &str, factor: &str| Some((epochs.parse().ok()?, factor.parse().ok()?));
        let known = match parts[..] {
            ["constant"] => Some(Self::Constant),
            ["cosine"] => Some(Self::Cosine),
            ["one-cycle"] => Some(Self::OneCycle),
            ["step", every, factor] => numbers(every, factor).map(|(every, factor)| Self::Step { every, factor }),
            ["plateau", patience, factor] => {
                numbers(patience, factor).map(|(patience, factor)| Self::Plateau { patience, factor })
            }
            _ => None,
        };
        known.and_then(Self::problem).map_or(Ok(known), Err)
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// When a factor does not lie between 0 and 1, or there is no epoch between two steps.
    pub fn check(self) -> Result<()> {
        self.problem().map_or(Ok(()), |problem| Err(Error::Setting { name: "schedule", problem }))
    }

    fn problem(self) -> Option<String> {
        match self {
            Self::Step { every: 0, .. } => Some("at least 1 epoch lies between two steps".into()),
            Self::Plateau { patience: 0, .. } => Some("a plateau is at least 1 epoch long".into()),
            Self::Step { factor, .. } | Self::Plateau { factor, .. } if !(factor > 0.0 && factor < 1.0) => {
                Some(format!("the factor {factor} does not lie between 0 and 1"))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant => f.write_str("constant"),
            Self::Cosine => f.write_str("cosine"),
            Self::OneCycle => f.write_str("one-cycle"),
            Self::Step { every, factor } => write!(f, "step:{every}:{factor}"),
            Self::Plateau { patience, factor } => write!(f, "plateau:{patience}:{factor}"),
        }
    }
}

text_setting!(Schedule, "schedule");

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn each_schedule_goes_where_its_paper_says() {
        assert!(close(Schedule::Constant.share(7.0, 10.0), 1.0));
        assert!(close(Schedule::Cosine.share(0.0, 10.0), 1.0));
        assert!(close(Schedule::Cosine.share(5.0, 10.0), 0.5));
        assert!(close(Schedule::Cosine.share(10.0, 10.0), 0.0));
        assert!(close(Schedule::OneCycle.share(0.0, 10.0), 0.04));
        assert!(close(Schedule::OneCycle.share(3.0, 10.0), 1.0));
        assert!(close(Schedule::OneCycle.share(6.5, 10.0), 0.5));
        let step = Schedule::Step { every: 3, factor: 0.5 };
        assert_eq!([0.0, 2.9, 3.0, 6.5].map(|done| step.share(done, 10.0)), [1.0, 1.0, 0.5, 0.25]);
    }

    #[test]
    fn a_shorter_run_has_its_steps_sooner() {
        let shortened = |text: &str, share| text.parse::<Schedule>().unwrap().shortened(share).to_string();
        assert_eq!(shortened("step:10:0.5", 0.2), "step:2:0.5");
        assert_eq!(shortened("plateau:3:0.1", 0.01), "plateau:1:0.1");
        assert_eq!(shortened("cosine", 0.2), "cosine");
    }

    #[test]
    fn a_schedule_is_read_as_it_is_written() {
        for text in ["constant", "cosine", "one-cycle", "step:10:0.5", "plateau:3:0.1"] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        for (text, problem) in [
            ("linear", "there are constant, cosine"),
            ("step:10", "is unknown"),
            ("step:0:0.5", "at least 1 epoch"),
            ("plateau:3:1", "does not lie between"),
            ("step:3:NaN", "does not lie between"),
        ] {
            let message = text.parse::<Schedule>().unwrap_err().to_string();
            assert!(message.contains(problem), "{message}");
        }
    }
}
