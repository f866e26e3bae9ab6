//! What training makes small.

use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernels::Activation;

/// The loss of a row, summed over its columns; training minimises its mean over the rows of a minibatch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// Σ (f(x) − x)²
    #[default]
    SquaredError,
    /// −Σ x ln f(x) + (1 − x) ln(1 − f(x)), for a sigmoid output and data in [0, 1].
    CrossEntropy,
}

impl Loss {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::SquaredError, Self::CrossEntropy];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SquaredError => "squared-error",
            Self::CrossEntropy => "cross-entropy",
        }
    }

    /// Checks that it can stand behind an output layer with this activation.
    ///
    /// # Errors
    /// Cross-entropy needs a sigmoid.
    pub fn check(self, output: Activation) -> Result<()> {
        if self == Self::CrossEntropy && output != Activation::Sigmoid {
            let problem = format!("cross-entropy needs a sigmoid output, not {output}");
            return Err(Error::Setting { name: "loss", problem });
        }
        Ok(())
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Loss {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|loss| loss.name() == text).ok_or_else(|| Error::Setting {
            name: "loss",
            problem: format!("`{text}` is no loss; there are {}", Self::ALL.map(Self::name).join(", ")),
        })
    }
}

/// What training makes small: the loss, and what else a minibatch's rows cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// The loss of a row.
    pub loss: Loss,
    /// λ in a cost of λ Σ|c| for a row's code c, which keeps codes sparse.
    pub code_l1: f32,
    /// β in a cost of β times the divergence of a row's code from the standard normal, in a variational network; 1 for
    /// the bound on the likelihood itself.
    pub beta: f32,
}

impl From<Loss> for Objective {
    fn from(loss: Loss) -> Self {
        Self { loss, code_l1: 0.0, beta: 1.0 }
    }
}

/// Sums over the rows of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchError {
    /// The loss that is being trained; what codes cost is not in it.
    pub loss: f64,
    /// The squared error, whatever the loss.
    pub squared_error: f64,
    /// The divergences of the codes' distributions from the standard normal, in nats; 0 where codes have none.
    #[serde(default)]
    pub divergence: f64,
}

impl AddAssign for BatchError {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.squared_error += other.squared_error;
        self.divergence += other.divergence;
    }
}
