//! How to train.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::batches::{Batches, part_rows, parts_of};
use super::{Averaging, Schedule, penalty};
use crate::data::{Binarisation, Corruption};
use crate::error::{Error, Result};
use crate::network::{Architecture, Loss};
use crate::optimizer::OptimizerChoice;

/// How to train.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainOptions {
    /// Passes over the training rows.
    pub epochs: usize,
    /// Rows of a minibatch; the last one of an epoch may be shorter.
    pub batch_size: usize,
    /// Epochs after which the rows of a minibatch double, and so on until it has all rows (Smith et al., "Don't decay the
    /// learning rate, increase the batch size", 2018).
    pub double_batch: Option<usize>,
    /// The step size α, for the gradient of the mean loss of a row.
    pub learning_rate: f32,
    /// How the step size changes over the run.
    pub schedule: Schedule,
    /// Epochs over which the step size first grows from nothing, in a straight line.
    pub warm_up: f64,
    /// The update rule.
    pub optimizer: OptimizerChoice,
    /// What to make small.
    pub loss: Loss,
    /// By how many pixels images are moved at most, anew in each epoch, before all else; 0 leaves them where they are.
    pub shift: usize,
    /// How rows in [0, 1] become rows of zeros and ones, where they do.
    pub binarisation: Option<Binarisation>,
    /// What is done to the rows before the network is given them; its targets are the rows as they are.
    pub corruption: Option<Corruption>,
    /// β: how many times the divergence of a code from the prior counts beside the loss, in a variational network. 1 makes
    /// the two together the negative bound on the log-likelihood (Higgins et al., "beta-VAE", 2017, eq. 4).
    pub beta: f32,
    /// Epochs over which β first grows from nothing, in a straight line (Sønderby et al., "Ladder variational
    /// autoencoders", 2016).
    pub beta_warm_up: f64,
    /// What large weights and codes cost.
    pub penalty: Penalty,
    /// The longest gradient that is taken as it is; a longer one is cut to this length (Pascanu et al., "On the difficulty
    /// of training recurrent neural networks", 2013, algorithm 1).
    pub clip_norm: Option<f32>,
    /// Whether the decoder's weights are the encoder's, transposed.
    pub tied: bool,
    /// Which average of the weights is measured and taken.
    pub averaging: Averaging,
    /// How many epochs may pass without a smaller error on the held-out rows before training stops. The weights with
    /// the smallest are then taken, also when it ends otherwise. That error does not see the divergence of variational
    /// codes.
    pub patience: Option<usize>,
    /// Seconds of training after which it stops. The result then depends on the machine's speed.
    pub max_seconds: Option<f64>,
    /// How often a run that diverges goes back to its last good epoch, each time with half the step size, before that is
    /// an error.
    pub retries: usize,
    /// Decides the order of the rows in each epoch.
    pub seed: u64,
}

/// What large weights and codes cost; biases cost nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Penalty {
    /// The share of itself, times the learning rate, that a weight loses at every step: the decoupled decay of AdamW
    /// (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2).
    pub weight_decay: f32,
    /// λ in a loss of λ Σ|w|.
    pub l1: f32,
    /// λ in a loss of λ Σ w².
    pub l2: f32,
    /// λ in a loss of λ Σ|c| for the code c of a row, which makes many elements of codes small.
    pub code_l1: f32,
}

impl Default for TrainOptions {
    fn default() -> Self {
        let optimizer = OptimizerChoice::Adam;
        Self {
            epochs: 100,
            batch_size: 32,
            double_batch: None,
            learning_rate: optimizer.usual_learning_rate(),
            schedule: Schedule::Constant,
            warm_up: 0.0,
            optimizer,
            loss: Loss::SquaredError,
            shift: 0,
            binarisation: None,
            corruption: None,
            beta: 1.0,
            beta_warm_up: 0.0,
            penalty: Penalty::default(),
            clip_norm: None,
            tied: false,
            averaging: Averaging::None,
            patience: None,
            max_seconds: None,
            retries: 0,
            seed: 1,
        }
    }
}

impl TrainOptions {
    /// Checks the numbers.
    ///
    /// # Errors
    /// When a number is not in its range; the message tells the range.
    pub fn check(&self) -> Result<()> {
        let wrong = |name, problem: String| Err(Error::Setting { name, problem });
        if self.epochs == 0 {
            return wrong("epochs", "0 epochs train nothing; at least 1 is needed".into());
        }
        if self.batch_size == 0 {
            return wrong("batch size", "a minibatch has at least 1 row".into());
        }
        if self.double_batch == Some(0) {
            return wrong("double batch", "at least 1 epoch lies between two sizes".into());
        }
        let positive = [
            ("learning rate", Some(f64::from(self.learning_rate))),
            ("clip norm", self.clip_norm.map(f64::from)),
            ("max time", self.max_seconds),
        ];
        for (name, number) in positive {
            if let Some(number) = number.filter(|&number| !(number > 0.0 && number.is_finite())) {
                return wrong(name, format!("{number} is not a finite number above 0"));
            }
        }
        let Penalty { weight_decay, l1, l2, code_l1 } = self.penalty;
        let not_negative = [
            ("warm up", self.warm_up),
            ("beta", self.beta.into()),
            ("beta warm up", self.beta_warm_up),
            ("weight decay", weight_decay.into()),
            ("l1", l1.into()),
            ("l2", l2.into()),
            ("code l1", code_l1.into()),
        ];
        for (name, number) in not_negative {
            if !(number >= 0.0 && number.is_finite()) {
                return wrong(name, format!("{number} is not a finite number from 0 on"));
            }
        }
        if self.patience == Some(0) {
            return wrong("patience", "0 epochs leave no time for a smaller error; at least 1 is needed".into());
        }
        if weight_decay * self.learning_rate >= 1.0 {
            let rate = self.learning_rate;
            return wrong(
                "weight decay",
                format!("{weight_decay} times the learning rate {rate} leaves nothing of a weight"),
            );
        }
        self.schedule.check()?;
        self.averaging.check()?;
        self.optimizer.check()
    }

    /// The most rows that are kept on their way through the network at once, where there are so many in all: larger
    /// minibatches go through it in parts.
    pub fn rows_at_once(&self, rows: usize) -> usize {
        self.part_rows(rows).saturating_mul(self.kept_parts(rows))
    }

    /// The rows of the longest part of a minibatch, of so many in all.
    pub(super) fn part_rows(&self, rows: usize) -> usize {
        part_rows(Batches::new(self, rows).largest())
    }

    /// How many parts of a minibatch are kept at once, of so many rows in all.
    pub(super) fn kept_parts(&self, rows: usize) -> usize {
        self.optimizer.needs().kept_parts(parts_of(Batches::new(self, rows).largest()))
    }

    /// How many elements the buffers of a run over so many rows hold at most: the parameters, the optimizer's, and what else
    /// the options ask to be kept; `usize::MAX` when they are more.
    pub fn elements(&self, architecture: &Architecture, rows: usize) -> usize {
        let copies = |count: usize| architecture.buffer_length().saturating_mul(count);
        let kept = 1 + usize::from(self.averaging != Averaging::None) + usize::from(self.patience.is_some());
        let kept = copies(kept).saturating_add(self.optimizer.elements(architecture, self.has_exact_steps(rows)));
        let to_go_back_to = if self.retries > 0 { kept } else { 0 };
        let gradient = copies(usize::from(self.writes_gradient(rows)));
        kept.saturating_add(to_go_back_to).saturating_add(gradient)
    }

    /// Whether some steps over so many rows in all are exact ([`Step::is_exact`](crate::optimizer::Step::is_exact)).
    pub(super) fn has_exact_steps(&self, rows: usize) -> bool {
        self.is_exact(Batches::new(self, rows).largest(), rows)
    }

    /// Whether a step by a minibatch of so many rows, of so many in all, is.
    pub(super) fn is_exact(&self, batch: usize, rows: usize) -> bool {
        let is_drawn = self.binarisation == Some(Binarisation::Stochastic);
        let is_noisy = self.shift > 0 || is_drawn || self.corruption.is_some();
        batch >= rows && !is_noisy && self.clip_norm.is_none()
    }

    /// Whether the gradient must be written down before a step, over so many rows in all.
    pub(super) fn writes_gradient(&self, rows: usize) -> bool {
        penalty::changes_gradient(self) || parts_of(Batches::new(self, rows).largest()) > 1
    }

    /// All of them by the names of the command line's options, the seed excepted.
    pub fn settings(&self) -> BTreeMap<String, Value> {
        let entries = [
            ("epochs", json!(self.epochs)),
            ("batch-size", json!(self.batch_size)),
            ("double-batch", json!(self.double_batch)),
            ("learning-rate", decimal(self.learning_rate)),
            ("schedule", json!(self.schedule.to_string())),
            ("warm-up", json!(self.warm_up)),
            ("optimizer", json!(self.optimizer.name())),
            ("momentum", self.optimizer.momentum().map_or(Value::Null, decimal)),
            ("loss", json!(self.loss.name())),
            ("shift", json!(self.shift)),
            ("binarise", json!(self.binarisation.map(Binarisation::name))),
            ("beta", decimal(self.beta)),
            ("beta-warm-up", json!(self.beta_warm_up)),
            ("corrupt", json!(self.corruption.map(|corruption| corruption.to_string()))),
            ("weight-decay", decimal(self.penalty.weight_decay)),
            ("l1", decimal(self.penalty.l1)),
            ("l2", decimal(self.penalty.l2)),
            ("code-l1", decimal(self.penalty.code_l1)),
            ("clip-norm", self.clip_norm.map_or(Value::Null, decimal)),
            ("tied", json!(self.tied)),
            ("average", json!(self.averaging.to_string())),
            ("patience", json!(self.patience)),
            ("max-time", json!(self.max_seconds)),
            ("retries", json!(self.retries)),
        ];
        entries.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
    }
}

/// A setting as the user wrote it: the shortest decimal that reads back to the same `f32`.
fn decimal(value: f32) -> Value {
    json!(value.to_string().parse::<f64>().ok())
}
