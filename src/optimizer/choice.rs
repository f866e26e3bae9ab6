//! The rules that there are, and their settings.

use super::adam::Adam;
use super::kfac::Kfac;
use super::muon::Muon;
use super::needs::Needs;
use super::sgd::Sgd;
use super::step::Optimizer;
use crate::error::{Error, Result};
use crate::network::Architecture;

/// Which rule, and its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptimizerChoice {
    /// [`Sgd`]
    Sgd {
        /// The share of the last step that is kept: 0 for plain descent, below 1.
        momentum: f32,
        /// Whether the momentum is Nesterov's.
        nesterov: bool,
    },
    /// [`Adam`]
    Adam,
    /// [`Muon`]
    Muon,
    /// [`Kfac`]
    Kfac,
}

impl OptimizerChoice {
    /// Plain stochastic gradient descent.
    pub const SGD: Self = Self::Sgd { momentum: 0.0, nesterov: false };

    /// The names that there are.
    pub const NAMES: [&'static str; 5] = ["sgd", "nesterov", "adam", "muon", "kfac"];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sgd { nesterov: false, .. } => "sgd",
            Self::Sgd { nesterov: true, .. } => "nesterov",
            Self::Adam => "adam",
            Self::Muon => "muon",
            Self::Kfac => "kfac",
        }
    }

    /// The momentum, for rules that have one to choose.
    pub fn momentum(self) -> Option<f32> {
        match self {
            Self::Sgd { momentum, .. } => Some(momentum),
            Self::Adam | Self::Muon | Self::Kfac => None,
        }
    }

    /// A learning rate that is a fair first try for rows of unit size.
    pub fn usual_learning_rate(self) -> f32 {
        match self {
            Self::Sgd { .. } => 0.01,
            Self::Adam => 0.001,
            Self::Muon => 0.003,
            Self::Kfac => 1.0,
        }
    }

    /// What it needs of a minibatch.
    pub fn needs(self) -> Needs {
        match self {
            Self::Sgd { .. } | Self::Adam | Self::Muon => Needs::Gradient,
            Self::Kfac => Kfac::NEEDS,
        }
    }

    /// How many elements it holds for a network of this architecture, if some steps will be
    /// [exact](crate::optimizer::Step::is_exact), or none.
    pub fn elements(self, architecture: &Architecture, has_exact_steps: bool) -> usize {
        let parameters = architecture.buffer_length();
        match self {
            Self::Sgd { .. } => parameters,
            Self::Adam => parameters.saturating_mul(2),
            Self::Muon => parameters.saturating_mul(3),
            Self::Kfac => Kfac::elements(architecture, has_exact_steps),
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// When the momentum does not lie in [0, 1).
    pub fn check(self) -> Result<()> {
        match self {
            Self::Sgd { momentum, .. } if !(0.0..1.0).contains(&momentum) => {
                Err(Error::Setting { name: "momentum", problem: format!("{momentum} does not lie in [0, 1)") })
            }
            _ => Ok(()),
        }
    }

    /// A fresh optimizer for a network of this architecture, for steps of which some will be
    /// [exact](crate::optimizer::Step::is_exact), or none.
    pub fn build(self, architecture: &Architecture, has_exact_steps: bool) -> Box<dyn Optimizer> {
        let parameters = architecture.buffer_length();
        match self {
            Self::Sgd { momentum, nesterov } => Box::new(Sgd::new(momentum, nesterov, parameters)),
            Self::Adam => Box::new(Adam::new(parameters)),
            Self::Muon => Box::new(Muon::new(architecture)),
            Self::Kfac => Box::new(Kfac::new(architecture, has_exact_steps)),
        }
    }
}
