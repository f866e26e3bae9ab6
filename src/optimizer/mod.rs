//! Update rules over the flat parameter buffer.

mod adam;
mod sgd;

pub use adam::Adam;
pub use sgd::Sgd;

use std::fmt;

use crate::error::{Error, Result};
use crate::kernels::Update;

/// A rule that turns a gradient into a change of the parameters, and what it remembers from step to step.
pub trait Optimizer: Send + fmt::Debug {
    /// The next step: what it will do to the parameters when their gradient is known.
    ///
    /// # Panics
    /// When the parameters are not as many as the optimizer was made for.
    fn step<'a>(&'a mut self, learning_rate: f32, parameters: &'a mut [f32]) -> Update<'a>;
}

/// Which rule, and its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptimizerChoice {
    /// [`Sgd`]
    Sgd {
        /// The share of the last step that is kept: 0 for plain descent, below 1.
        momentum: f32,
    },
    /// [`Adam`]
    Adam,
}

impl OptimizerChoice {
    /// The names that there are.
    pub const NAMES: [&'static str; 2] = ["sgd", "adam"];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sgd { .. } => "sgd",
            Self::Adam => "adam",
        }
    }

    /// The momentum, for rules that have one to choose.
    pub fn momentum(self) -> Option<f32> {
        match self {
            Self::Sgd { momentum } => Some(momentum),
            Self::Adam => None,
        }
    }

    /// A learning rate that is a fair first try for rows of unit size.
    pub fn usual_learning_rate(self) -> f32 {
        match self {
            Self::Sgd { .. } => 0.01,
            Self::Adam => 0.001,
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// When the momentum does not lie in [0, 1).
    pub fn check(self) -> Result<()> {
        match self {
            Self::Sgd { momentum } if !(0.0..1.0).contains(&momentum) => {
                Err(Error::Setting { name: "momentum", problem: format!("{momentum} does not lie in [0, 1)") })
            }
            _ => Ok(()),
        }
    }

    /// A fresh optimizer for a buffer of so many parameters.
    pub fn build(self, parameters: usize) -> Box<dyn Optimizer> {
        match self {
            Self::Sgd { momentum } => Box::new(Sgd::new(momentum, parameters)),
            Self::Adam => Box::new(Adam::new(parameters)),
        }
    }
}
