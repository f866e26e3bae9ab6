//! The rules that there are, and their settings.

use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::kfac::Kfac;
use super::muon::Muon;
use super::needs::Needs;
use super::sgd::Sgd;
use super::step::Optimizer;
use crate::error::{Error, Result};
use crate::network::Architecture;
use crate::settings::unknown;

/// Which rule, and its settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Named", into = "Named")]
pub enum OptimizerChoice {
    /// [`Sgd`]
    Sgd {
        /// The share of the last step that is kept: 0 for plain descent, below 1.
        momentum: f32,
        /// Whether the momentum is Nesterov's.
        nesterov: bool,
    },
    /// [`Adam`]
    #[default]
    Adam,
    /// [`Muon`]
    Muon,
    /// [`Kfac`]
    Kfac,
}

/// The two settings that choose a rule.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Named {
    optimizer: Option<String>,
    momentum: Option<f32>,
}

impl From<OptimizerChoice> for Named {
    fn from(choice: OptimizerChoice) -> Self {
        Self { optimizer: Some(choice.name().into()), momentum: choice.momentum() }
    }
}

impl TryFrom<Named> for OptimizerChoice {
    type Error = Error;

    /// As [`OptimizerChoice::named`]; `adamw` is refused, because its weight decay is a setting of its own.
    fn try_from(Named { optimizer, momentum }: Named) -> Result<Self> {
        if optimizer.as_deref() == Some(ADAMW) {
            let problem = format!("{ADAMW} is adam with a weight decay; write both (optimizer, weight-decay)");
            return Err(Error::Setting { name: "optimizer", problem });
        }
        Self::named(optimizer.as_deref(), momentum)
    }
}

/// Adam with a weight decay, under the name that its paper gives it.
const ADAMW: &str = "adamw";
const ADAMW_DECAY: f32 = 0.01;

/// The momentum of nesterov where none is given.
const NESTEROV_MOMENTUM: f32 = 0.9;

impl OptimizerChoice {
    /// Plain stochastic gradient descent.
    pub const SGD: Self = Self::Sgd { momentum: 0.0, nesterov: false };

    /// The names that [`named`](Self::named) takes.
    pub const NAMES: [&'static str; 6] = ["sgd", "nesterov", "adam", "muon", "kfac", ADAMW];

    /// The rule of a name and a momentum, where they are given: adam by default, or sgd with a momentum; the momentum of sgd
    /// is 0 by default, and of nesterov 0.9. `adamw` is adam with a weight decay, by default the
    /// [usual one](Self::usual_weight_decay).
    ///
    /// # Errors
    /// When the name is unknown, or its rule has no momentum to choose, or the momentum does not lie in [0, 1).
    pub fn named(name: Option<&str>, momentum: Option<f32>) -> Result<Self> {
        let choice = match (name, momentum) {
            (Some("adam" | ADAMW) | None, None) => Self::Adam,
            (Some("muon"), None) => Self::Muon,
            (Some("kfac"), None) => Self::Kfac,
            (Some("nesterov"), momentum) => {
                Self::Sgd { momentum: momentum.unwrap_or(NESTEROV_MOMENTUM), nesterov: true }
            }
            (Some("sgd") | None, momentum) => Self::Sgd { momentum: momentum.unwrap_or(0.0), nesterov: false },
            (Some(name), Some(_)) if Self::NAMES.contains(&name) => {
                let problem = format!("{name} has none of its own to choose; use sgd or nesterov (optimizer)");
                return Err(Error::Setting { name: "momentum", problem });
            }
            (Some(name), _) => {
                return Err(Error::Setting { name: "optimizer", problem: unknown(name, &Self::NAMES.join("|")) });
            }
        };
        choice.check().map(|()| choice)
    }

    /// The weight decay of the rule of a name, where no other is given: 0.01 for `adamw`, 0 for all others.
    pub fn usual_weight_decay(name: &str) -> f32 {
        if name == ADAMW { ADAMW_DECAY } else { 0.0 }
    }

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

    /// The number of elements held for a network of this architecture, if some steps will be
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_a_rule_and_each_rule_has_its_name() {
        for name in OptimizerChoice::NAMES {
            let choice = OptimizerChoice::named(Some(name), None).unwrap();
            assert_eq!(OptimizerChoice::named(Some(choice.name()), choice.momentum()).unwrap(), choice);
            assert_eq!(choice.name(), if name == ADAMW { "adam" } else { name });
        }
        let message = OptimizerChoice::named(Some("lion"), None).unwrap_err().to_string();
        assert_eq!(message, "optimizer: `lion` is unknown; there are sgd, nesterov, adam, muon, kfac, adamw");
    }

    #[test]
    fn settings_choose_as_names_do_and_adamw_needs_its_decay_beside_it() {
        let read = |text: &str| serde_json::from_str::<OptimizerChoice>(text);
        assert_eq!(read("{}").unwrap(), OptimizerChoice::Adam);
        let momentum = OptimizerChoice::Sgd { momentum: 0.9, nesterov: false };
        assert_eq!(read(r#"{"momentum": 0.9}"#).unwrap(), momentum);
        for choice in [momentum, OptimizerChoice::Adam, OptimizerChoice::Muon, OptimizerChoice::Kfac] {
            assert_eq!(read(&serde_json::to_string(&choice).unwrap()).unwrap(), choice);
        }
        assert!(read(r#"{"optimizer": "adamw"}"#).unwrap_err().to_string().contains("weight-decay"));
    }

    #[test]
    fn a_momentum_belongs_to_sgd_and_nesterov_alone() {
        let named = OptimizerChoice::named;
        assert_eq!(named(None, Some(0.5)).unwrap(), OptimizerChoice::Sgd { momentum: 0.5, nesterov: false });
        assert_eq!(named(Some("nesterov"), None).unwrap().momentum(), Some(0.9));
        for name in ["adam", "adamw", "muon", "kfac"] {
            assert!(named(Some(name), Some(0.5)).unwrap_err().to_string().starts_with("momentum: "), "{name}");
        }
        assert!(named(Some("sgd"), Some(1.0)).is_err());
    }
}
