//! What training minimises.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernels::Activation;
use crate::settings::named_setting;

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
    /// The activation of the output layer that goes with it, where no other is asked for.
    pub fn usual_output(self) -> Activation {
        match self {
            Self::SquaredError => Activation::Linear,
            Self::CrossEntropy => Activation::Sigmoid,
        }
    }

    /// Checks that it can follow an output layer with this activation.
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

named_setting!(Loss, "loss", { SquaredError = "squared-error", CrossEntropy = "cross-entropy" });

/// What training minimises: the loss, and what else the rows of a minibatch cost.
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
    /// The loss that is minimised, without what codes cost.
    pub loss: f64,
    /// The squared error, whatever the loss.
    pub squared_error: f64,
    /// The divergences of the codes' distributions from the standard normal, in nats; 0 where codes have no distribution.
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
