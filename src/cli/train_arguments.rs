//! Arguments of training, which `train`, `compare` and `bench` share.

use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::arguments::at_least_one;
use crate::augment::{Augmentation, Binarisation, Corruption};
use crate::data::ScalingChoice;
use crate::error::Result;
use crate::kernels::Activation;
use crate::model::AutoencoderOptions;
use crate::network::{Activations, Initialisation, LayerSizes, Loss};
use crate::optimizer::OptimizerChoice;
use crate::train::{Averaging, LearningRate, Penalty, Schedule, Stopping, TrainOptions, VariationalLoss};

/// The arguments that matter only to a whole run, not to the speed of a step, which `bench` measures.
pub const WHOLE_RUN: [&str; 7] = ["epochs", "patience", "max_time", "retries", "pretrain", "schedule", "warm_up"];

/// The network and its training, except for the layer sizes.
#[derive(Debug, Args)]
pub struct TrainArguments {
    #[command(flatten)]
    network: NetworkArguments,
    /// The loss to minimise; cross-entropy is for data in [0, 1]
    #[arg(long, default_value_t = TrainOptions::default().loss, value_name = Loss::FORMS)]
    loss: Loss,
    /// Passes over the data
    #[arg(long, short = 'e', default_value_t = TrainOptions::default().epochs, allow_negative_numbers = true, value_parser = at_least_one)]
    epochs: usize,
    /// The number of rows of a minibatch
    #[arg(long, short = 'b', default_value_t = TrainOptions::default().batch_size, allow_negative_numbers = true, value_parser = at_least_one)]
    batch_size: usize,
    /// Double the rows of a minibatch every time this many epochs have passed, until it has all rows
    #[arg(long, value_name = "EPOCHS", allow_negative_numbers = true, value_parser = at_least_one)]
    double_batch: Option<usize>,
    /// The step size, or auto to search for one first [default: 0.001 for adam, 0.003 for muon, 0.01 for sgd, 1 for kfac]
    #[arg(long, short = 'r', allow_negative_numbers = true, value_name = "RATE|auto")]
    learning_rate: Option<RateArgument>,
    /// The schedule of the step size over the run
    #[arg(long, default_value_t = LearningRate::default().schedule, value_name = Schedule::FORMS)]
    schedule: Schedule,
    /// Epochs over which the step size first grows from 0
    #[arg(long, default_value_t = LearningRate::default().warm_up, value_name = "EPOCHS", allow_negative_numbers = true, value_parser = not_negative::<f64>)]
    warm_up: f64,
    /// The update rule [default: adam, or sgd with --momentum]; adamw is adam with --weight-decay 0.01
    #[arg(long, value_parser = optimizer_names())]
    optimizer: Option<String>,
    /// The momentum of sgd and nesterov, from 0 to below 1 [default: 0, or 0.9 for nesterov]
    #[arg(long, allow_negative_numbers = true, value_parser = momentum)]
    momentum: Option<f32>,
    #[command(flatten)]
    regularisation: RegularisationArguments,
    /// Epochs for which each pair of layers, from the outermost to the bottleneck, is first trained on its own
    #[arg(long, default_value_t = 0, value_name = "EPOCHS", allow_negative_numbers = true)]
    pretrain: usize,
    /// Epochs without a smaller error on held-out rows after which training stops; the model gets the best weights
    #[arg(long, value_name = "EPOCHS", allow_negative_numbers = true, value_parser = at_least_one)]
    patience: Option<usize>,
    /// Stop training after this time: seconds, or as in 90s, 15m, 2h
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = seconds)]
    max_time: Option<f64>,
    /// The number of times that a diverging run repeats its epoch with half the step size
    #[arg(long, default_value_t = Stopping::default().retries, value_name = "TIMES", allow_negative_numbers = true)]
    retries: usize,
}

/// A step size, or the search for one.
#[derive(Clone, Copy, Debug)]
enum RateArgument {
    Auto,
    Fixed(f32),
}

impl FromStr for RateArgument {
    type Err = String;

    fn from_str(text: &str) -> Parsed<Self> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        positive(text).map(Self::Fixed).map_err(|problem| format!("{problem}, or auto"))
    }
}

/// The network, except for the layer sizes.
#[derive(Debug, Args)]
struct NetworkArguments {
    /// The activation of the hidden layers, except for the bottleneck
    #[arg(long, short = 'a', default_value = Activation::Silu.name(), value_name = "NAME", value_parser = activation())]
    activation: Activation,
    /// The activation of the bottleneck
    #[arg(long, default_value = Activation::Linear.name(), value_name = "NAME", value_parser = activation())]
    code_activation: Activation,
    /// The activation of the output [default: linear, or sigmoid with cross-entropy]
    #[arg(long, value_name = "NAME", value_parser = activation())]
    output_activation: Option<Activation>,
    /// Leave out the biases
    #[arg(long)]
    no_bias: bool,
    /// Train a variational auto-encoder: codes are drawn from normal distributions whose means and variances the encoder
    /// gives, held close to the standard normal
    #[arg(long)]
    variational: bool,
    /// The distribution of the initial weights
    #[arg(long, default_value_t = Initialisation::default(), value_name = Initialisation::FORMS)]
    init: Initialisation,
}

/// Regularisation: what keeps a network from overfitting the training rows.
#[derive(Debug, Args)]
struct RegularisationArguments {
    /// The share of itself, times the step size, that a weight loses at every step
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, value_parser = not_negative::<f32>)]
    weight_decay: Option<f32>,
    /// λ in a penalty of λ Σ|w|
    #[arg(long, default_value_t = Penalty::default().l1, value_name = "λ", allow_negative_numbers = true, value_parser = not_negative::<f32>)]
    l1: f32,
    /// λ in a penalty of λ Σ w²
    #[arg(long, default_value_t = Penalty::default().l2, value_name = "λ", allow_negative_numbers = true, value_parser = not_negative::<f32>)]
    l2: f32,
    /// λ in a penalty of λ Σ|c| for the code c of a row, which makes codes sparse
    #[arg(long, default_value_t = Penalty::default().code_l1, value_name = "λ", allow_negative_numbers = true, value_parser = not_negative::<f32>)]
    code_l1: f32,
    /// The weight β of the divergence of variational codes from the standard normal, beside the loss
    #[arg(long, default_value_t = VariationalLoss::default().beta, value_name = "β", allow_negative_numbers = true, value_parser = not_negative::<f32>)]
    beta: f32,
    /// Epochs over which β first grows from 0
    #[arg(long, default_value_t = VariationalLoss::default().beta_warm_up, value_name = "EPOCHS", allow_negative_numbers = true, value_parser = not_negative::<f64>)]
    beta_warm_up: f64,
    /// Augment images: shift each by up to this many pixels in every direction, drawn again in each epoch
    #[arg(long, default_value_t = Augmentation::default().shift, value_name = "PIXELS", allow_negative_numbers = true)]
    shift: usize,
    /// Turn each value x in [0, 1] into 1 with probability x, else into 0: once, or again in each epoch
    #[arg(long, value_name = Binarisation::FORMS)]
    binarise: Option<Binarisation>,
    /// Corrupt the network's inputs, drawn again in each epoch; the targets are the clean rows
    #[arg(long, value_name = Corruption::FORMS)]
    corrupt: Option<Corruption>,
    /// Scale gradients down to this norm where they exceed it
    #[arg(long, value_name = "LENGTH", allow_negative_numbers = true, value_parser = positive::<f32>)]
    clip_norm: Option<f32>,
    /// Tie the weights: the decoder's are the encoder's, transposed
    #[arg(long)]
    tied: bool,
    /// The average of the weights that is measured and saved
    #[arg(long, default_value_t = TrainOptions::default().averaging, value_name = Averaging::FORMS)]
    average: Averaging,
}

impl TrainArguments {
    /// Rows of a minibatch.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// All options of a fit.
    ///
    /// # Errors
    /// When the optimizer has no momentum to choose, or the loss does not go with the output's activation.
    pub fn options(&self, layers: LayerSizes, scaling: ScalingChoice, seed: u64) -> Result<AutoencoderOptions> {
        let NetworkArguments { no_bias, variational, init, .. } = self.network;
        let activations = self.network.activations(self.loss);
        self.loss.check(activations.output)?;
        Ok(AutoencoderOptions {
            layers,
            activations,
            bias: !no_bias,
            variational,
            initialisation: init,
            scaling,
            pretraining_epochs: self.pretrain,
            find_learning_rate: matches!(self.learning_rate, Some(RateArgument::Auto)),
            train: self.train_options(seed)?,
        })
    }

    fn train_options(&self, seed: u64) -> Result<TrainOptions> {
        let optimizer = OptimizerChoice::named(self.optimizer.as_deref(), self.momentum)?;
        // The name decides, for adamw is adam with another default.
        let usual_decay = self.optimizer.as_deref().map_or(0.0, OptimizerChoice::usual_weight_decay);
        let regularisation = &self.regularisation;
        Ok(TrainOptions {
            epochs: self.epochs,
            batch_size: self.batch_size,
            double_batch: self.double_batch,
            rate: self.rate(optimizer),
            optimizer,
            loss: self.loss,
            augmentation: regularisation.augmentation(),
            variational: regularisation.variational(),
            penalty: regularisation.penalty(usual_decay),
            clip_norm: regularisation.clip_norm,
            tied: regularisation.tied,
            averaging: regularisation.average,
            stopping: Stopping { patience: self.patience, max_seconds: self.max_time, retries: self.retries },
            seed,
        })
    }

    fn rate(&self, optimizer: OptimizerChoice) -> LearningRate {
        let base = match self.learning_rate {
            Some(RateArgument::Fixed(rate)) => rate,
            Some(RateArgument::Auto) | None => optimizer.usual_learning_rate(),
        };
        LearningRate { base, schedule: self.schedule, warm_up: self.warm_up }
    }
}

impl NetworkArguments {
    /// The activations; the default of the output is the one that the loss asks for.
    fn activations(&self, loss: Loss) -> Activations {
        let output = self.output_activation.unwrap_or(loss.usual_output());
        Activations { hidden: self.activation, code: self.code_activation, output }
    }
}

impl RegularisationArguments {
    fn augmentation(&self) -> Augmentation {
        Augmentation { shift: self.shift, binarisation: self.binarise, corruption: self.corrupt }
    }

    fn variational(&self) -> VariationalLoss {
        VariationalLoss { beta: self.beta, beta_warm_up: self.beta_warm_up }
    }

    fn penalty(&self, usual_decay: f32) -> Penalty {
        let Self { weight_decay, l1, l2, code_l1, .. } = *self;
        Penalty { weight_decay: weight_decay.unwrap_or(usual_decay), l1, l2, code_l1 }
    }
}

/// An activation by its name; help lists them all.
fn activation() -> impl TypedValueParser<Value = Activation> {
    PossibleValuesParser::new(Activation::ALL.map(Activation::name)).try_map(|name| name.parse::<Activation>())
}

fn optimizer_names() -> PossibleValuesParser {
    PossibleValuesParser::new(OptimizerChoice::NAMES)
}

type Parsed<T> = std::result::Result<T, String>;

fn positive<T: FromStr + Into<f64> + Copy>(text: &str) -> Parsed<T> {
    finite(text).filter(|&number: &T| number.into() > 0.0).ok_or_else(|| "a finite number above 0 is needed".into())
}

fn not_negative<T: FromStr + Into<f64> + Copy>(text: &str) -> Parsed<T> {
    finite(text).filter(|&number: &T| number.into() >= 0.0).ok_or_else(|| "a finite number from 0 on is needed".into())
}

fn finite<T: FromStr + Into<f64> + Copy>(text: &str) -> Option<T> {
    text.parse().ok().filter(|&number: &T| number.into().is_finite())
}

fn momentum(text: &str) -> Parsed<f32> {
    finite(text).filter(|momentum| (0.0..1.0).contains(momentum)).ok_or("a number from 0 to below 1 is needed".into())
}

/// `90`, `90s`, `15m` or `2h`.
pub fn seconds(text: &str) -> Parsed<f64> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        _ => (text, 1.0),
    };
    finite(number)
        .map(|number: f64| number * unit)
        .filter(|seconds| *seconds > 0.0 && seconds.is_finite())
        .ok_or("a time above 0 is needed, as in 90s, 15m or 2h".into())
}
