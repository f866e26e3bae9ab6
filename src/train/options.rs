//! The settings of a training run, in groups.

use serde::{Deserialize, Serialize};

use super::{Averaging, LearningRate, ranges};
use crate::augment::Augmentation;
use crate::error::Result;
use crate::network::Loss;
use crate::optimizer::OptimizerChoice;

/// The settings of a training run.
///
/// Fill it in with `..Default::default()`. Its serde form is one flat map of settings, where all but the seed have the
/// names of the command line's options; what is left out takes its default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct TrainOptions {
    /// Passes over the training rows.
    pub epochs: usize,
    /// The number of rows of a minibatch; the last one of an epoch may have fewer.
    pub batch_size: usize,
    /// The number of epochs after which the rows of a minibatch double, again and again until it has all rows (Smith et
    /// al., "Don't decay the learning rate, increase the batch size", 2018).
    pub double_batch: Option<usize>,
    /// The update rule.
    #[serde(flatten)]
    pub optimizer: OptimizerChoice,
    /// The loss that is minimised.
    pub loss: Loss,
    /// The step size and its schedule over the run.
    #[serde(flatten)]
    pub rate: LearningRate,
    /// The changes of rows before the network sees them.
    #[serde(flatten)]
    pub augmentation: Augmentation,
    /// The weight of the divergence in a variational network.
    #[serde(flatten)]
    pub variational: VariationalLoss,
    /// The penalties of large weights and codes.
    #[serde(flatten)]
    pub penalty: Penalty,
    /// The largest norm of a gradient; one that exceeds it is scaled down to it (Pascanu et al., "On the difficulty of
    /// training recurrent neural networks", 2013, algorithm 1).
    pub clip_norm: Option<f32>,
    /// Whether the decoder's weights are the encoder's, transposed.
    pub tied: bool,
    /// The average of the weights that is measured and becomes the network.
    #[serde(rename = "average")]
    pub averaging: Averaging,
    /// The conditions of early stopping, and the retries after divergence.
    #[serde(flatten)]
    pub stopping: Stopping,
    /// The seed of the order of the rows in each epoch, and of augmentation.
    #[serde(skip)]
    pub seed: u64,
}

/// The divergence of variational codes from the prior, as a part of the loss.
///
/// Fill it in with `..Default::default()`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct VariationalLoss {
    /// The weight β of the divergence beside the reconstruction loss. With 1, their sum is the negative lower bound of the
    /// log-likelihood (Higgins et al., "beta-VAE", 2017, eq. 4).
    pub beta: f32,
    /// The epochs over which β first grows linearly from 0 (Sønderby et al., "Ladder variational autoencoders",
    /// 2016).
    pub beta_warm_up: f64,
}

impl Default for VariationalLoss {
    fn default() -> Self {
        Self { beta: 1.0, beta_warm_up: 0.0 }
    }
}

impl VariationalLoss {
    fn check(&self) -> Result<()> {
        ranges::not_negative("beta", self.beta.into())?;
        ranges::not_negative("beta-warm-up", self.beta_warm_up)
    }
}

/// The conditions of early stopping, and the retries after divergence. All of these may change when a run resumes from a
/// checkpoint.
///
/// Fill it in with `..Default::default()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Stopping {
    /// The number of epochs without a smaller error on the held-out rows after which training stops. However the run ends,
    /// the network then gets the weights with the smallest error. The error excludes the divergence of variational codes.
    pub patience: Option<usize>,
    /// The seconds of training after which the run stops. The result then depends on the machine's speed.
    #[serde(rename = "max-time")]
    pub max_seconds: Option<f64>,
    /// The number of times that a diverging run goes back to its last good epoch, each time with half the step size, before
    /// divergence is an error.
    pub retries: usize,
}

impl Stopping {
    fn check(&self) -> Result<()> {
        self.max_seconds.map_or(Ok(()), |seconds| ranges::positive("max-time", seconds))?;
        match self.patience {
            Some(0) => ranges::wrong("patience", "0 epochs leave no time for a smaller error; at least 1 is needed"),
            _ => Ok(()),
        }
    }
}

/// The penalties of large weights and codes; biases have none.
///
/// Fill it in with `..Default::default()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Penalty {
    /// The share of itself, times the learning rate, that a weight loses at every step: the decoupled decay of AdamW
    /// (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2).
    pub weight_decay: f32,
    /// λ in a loss of λ Σ|w|.
    pub l1: f32,
    /// λ in a loss of λ Σ w².
    pub l2: f32,
    /// λ in a loss of λ Σ|c| for the code c of a row, which makes codes sparse.
    pub code_l1: f32,
}

impl Penalty {
    /// Whether a step with this learning rate would decay a weight to nothing.
    pub(super) fn leaves_nothing(&self, learning_rate: f32) -> bool {
        self.weight_decay * learning_rate >= 1.0
    }

    fn check(&self, learning_rate: f32) -> Result<()> {
        let Self { weight_decay, l1, l2, code_l1 } = *self;
        for (name, number) in [("weight-decay", weight_decay), ("l1", l1), ("l2", l2), ("code-l1", code_l1)] {
            ranges::not_negative(name, number.into())?;
        }
        match self.leaves_nothing(learning_rate) {
            true => ranges::wrong(
                "weight-decay",
                format!("{weight_decay} times the learning rate {learning_rate} leaves nothing of a weight"),
            ),
            false => Ok(()),
        }
    }
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            epochs: 100,
            batch_size: 32,
            double_batch: None,
            optimizer: OptimizerChoice::default(),
            loss: Loss::default(),
            rate: LearningRate::default(),
            augmentation: Augmentation::default(),
            variational: VariationalLoss::default(),
            penalty: Penalty::default(),
            clip_norm: None,
            tied: false,
            averaging: Averaging::default(),
            stopping: Stopping::default(),
            seed: 1,
        }
    }
}

impl TrainOptions {
    /// The same with another learning rate; schedule and warm-up are kept.
    pub fn with_learning_rate(&self, base: f32) -> Self {
        Self { rate: LearningRate { base, ..self.rate }, ..*self }
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// When a number is not in its range; the message gives the range.
    pub fn check(&self) -> Result<()> {
        if self.epochs == 0 {
            return ranges::wrong("epochs", "0 epochs train nothing; at least 1 is needed");
        }
        if self.batch_size == 0 {
            return ranges::wrong("batch-size", "a minibatch has at least 1 row");
        }
        if self.double_batch == Some(0) {
            return ranges::wrong("double-batch", "at least 1 epoch lies between two sizes");
        }
        self.rate.check()?;
        self.variational.check()?;
        self.penalty.check(self.rate.base)?;
        self.clip_norm.map_or(Ok(()), |longest| ranges::positive("clip-norm", longest.into()))?;
        self.stopping.check()?;
        self.averaging.check()?;
        self.optimizer.check()
    }
}
