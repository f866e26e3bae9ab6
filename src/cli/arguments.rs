//! Arguments that several subcommands share.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::data::{self, Columns, Dataset, Labels, ReadOptions, ScalingChoice};
use crate::error::{Error, Place, Result};
use crate::file;
use crate::kernels::Activation;
use crate::model::{AutoencoderOptions, Model, Validation};
use crate::network::{Activations, Initialisation, LayerSizes, Loss};
use crate::optimizer::OptimizerChoice;
use crate::train::TrainOptions;

/// Which columns of a data file are what.
#[derive(Debug, Args)]
pub struct ColumnArguments {
    /// The columns to use, by name or number (from 1), in this order [default: all but the label]
    #[arg(long, short = 'c', value_delimiter = ',', value_name = "A,B,…")]
    pub columns: Option<Vec<String>>,
    /// A column that is no feature: it is kept aside, and written beside codes and rows
    #[arg(long, short = 'l', value_name = "COLUMN")]
    pub label: Option<String>,
}

impl ColumnArguments {
    /// Reads a file or a built-in set; `usual` columns, if no others are asked for.
    pub fn read(&self, source: &str, usual: Columns) -> Result<Dataset> {
        data::read(source, &self.options(usual))
    }

    /// What to read; `usual` columns, if no others are asked for.
    pub fn options(&self, usual: Columns) -> ReadOptions {
        let columns = self.columns.clone().map_or(usual, Columns::Chosen);
        ReadOptions { columns, label: self.label.clone() }
    }

    /// The labels, where they were asked for: built-in sets have some, asked for or not.
    pub fn asked_labels<'a>(&self, dataset: &'a Dataset) -> Option<&'a Labels> {
        self.label.as_ref().and(dataset.labels())
    }
}

/// A fitted model, and data to use it on.
#[derive(Debug, Args)]
pub struct ModelAndData {
    /// A model file, as written by `train` or `pca`
    pub model: PathBuf,
    /// A CSV or IDX file, plain or gzipped, or a built-in set: iris, digits
    pub data: String,
    #[command(flatten)]
    pub columns: ColumnArguments,
}

impl ModelAndData {
    /// The files that are read.
    pub fn paths(&self) -> [&Path; 2] {
        [&self.model, Path::new(&self.data)]
    }

    /// Reads both; of the data, the columns that the model takes.
    pub fn read(&self) -> Result<(Model, Dataset)> {
        let model = Model::load(&self.model)?;
        let dataset = self.columns.read(&self.data, model.columns())?;
        Ok((model, dataset))
    }
}

/// What is learned from, and what is held out.
#[derive(Debug, Args)]
pub struct DataArguments {
    /// A CSV or IDX file, plain or gzipped, or a built-in set: iris, digits
    pub data: String,
    #[command(flatten)]
    pub columns: ColumnArguments,
    /// How to scale: auto divides bytes by 255 and leaves all else; unit maps each column to [0, 1]; standard to mean
    /// 0 and deviation 1
    #[arg(long, default_value_t = ScalingChoice::Auto, value_name = "auto|none|unit|standard")]
    pub scale: ScalingChoice,
    /// The seed of every random choice
    #[arg(long, default_value_t = 1, allow_negative_numbers = true)]
    pub seed: u64,
}

impl DataArguments {
    /// The file that is read.
    pub fn path(&self) -> &Path {
        Path::new(&self.data)
    }

    /// Reads the data, and the validation file where one is named.
    pub fn read(&self, validation: Option<&ValidationArgument>) -> Result<(Dataset, Option<Dataset>)> {
        let dataset = self.columns.read(&self.data, Columns::All)?;
        let usual = || dataset.column_names().map_or(Columns::All, |names| Columns::Named(names.to_vec()));
        let validation = match validation {
            Some(ValidationArgument::File(path)) => Some(self.columns.read(path, usual())?),
            _ => None,
        };
        Ok((dataset, validation))
    }
}

/// Rows to hold out: `0.1`, or a file.
#[derive(Clone, Debug)]
pub enum ValidationArgument {
    Fraction(f64),
    File(String),
}

impl FromStr for ValidationArgument {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.parse() {
            Ok(fraction) if fraction > 0.0 && fraction < 1.0 => Ok(Self::Fraction(fraction)),
            Ok(_) => Err("a share of the rows lies between 0 and 1, as in 0.1".into()),
            Err(_) => Ok(Self::File(text.into())),
        }
    }
}

impl ValidationArgument {
    /// What it asks for; `file` is what was read of a file.
    pub fn resolve<'a>(argument: Option<&Self>, file: Option<&'a Dataset>) -> Validation<'a> {
        match (argument, file) {
            (Some(Self::Fraction(fraction)), _) => Validation::Fraction(*fraction),
            (_, Some(dataset)) => Validation::Rows(dataset),
            _ => Validation::None,
        }
    }
}

/// The network and its training, the layer sizes excepted.
#[derive(Debug, Args)]
pub struct TrainArguments {
    /// The activation of the hidden layers, the waist excepted
    #[arg(long, short = 'a', default_value = Activation::Silu.name(), value_name = "NAME", value_parser = activation())]
    activation: Activation,
    /// The activation of the waist
    #[arg(long, default_value = Activation::Linear.name(), value_name = "NAME", value_parser = activation())]
    code_activation: Activation,
    /// The activation of the output [default: linear, or sigmoid with cross-entropy]
    #[arg(long, value_name = "NAME", value_parser = activation())]
    output_activation: Option<Activation>,
    /// Leave out the biases
    #[arg(long)]
    no_bias: bool,
    /// What to minimise; cross-entropy is for data in [0, 1]
    #[arg(long, default_value_t = Loss::SquaredError, value_name = "squared-error|cross-entropy")]
    loss: Loss,
    /// Passes over the data
    #[arg(long, short = 'e', default_value_t = 100, allow_negative_numbers = true, value_parser = at_least_one)]
    epochs: usize,
    /// Rows of a minibatch
    #[arg(long, short = 'b', default_value_t = 32, allow_negative_numbers = true, value_parser = at_least_one)]
    batch_size: usize,
    /// The step size [default: 0.001 for adam, 0.01 for sgd]
    #[arg(long, short = 'r', allow_negative_numbers = true, value_parser = learning_rate)]
    learning_rate: Option<f32>,
    /// The update rule [default: adam, or sgd with --momentum]
    #[arg(long, value_parser = OptimizerChoice::NAMES)]
    optimizer: Option<String>,
    /// The momentum of sgd, from 0 to below 1 [default: 0]
    #[arg(long, allow_negative_numbers = true, value_parser = momentum)]
    momentum: Option<f32>,
    /// How weights start: fan-in, or normal:STDDEV
    #[arg(long, default_value_t = Initialisation::FanIn, value_name = "fan-in|normal:STDDEV")]
    init: Initialisation,
}

impl TrainArguments {
    /// Rows of a minibatch.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// All options of a training run.
    pub fn options(&self, layers: LayerSizes, scaling: ScalingChoice, seed: u64) -> Result<AutoencoderOptions> {
        let output = match (self.output_activation, self.loss) {
            (Some(output), _) => output,
            (None, Loss::CrossEntropy) => Activation::Sigmoid,
            (None, Loss::SquaredError) => Activation::Linear,
        };
        self.loss.check(output)?;
        let optimizer = self.optimizer()?;
        let train = TrainOptions {
            epochs: self.epochs,
            batch_size: self.batch_size,
            learning_rate: self.learning_rate.unwrap_or(optimizer.usual_learning_rate()),
            optimizer,
            loss: self.loss,
            seed,
        };
        Ok(AutoencoderOptions {
            layers,
            activations: Activations { hidden: self.activation, code: self.code_activation, output },
            bias: !self.no_bias,
            initialisation: self.init,
            scaling,
            train,
        })
    }

    fn optimizer(&self) -> Result<OptimizerChoice> {
        match (self.optimizer.as_deref(), self.momentum) {
            (Some("adam"), Some(_)) => Err(Error::Setting {
                name: "momentum",
                problem: "adam has none of its own to choose; use --optimizer sgd".into(),
            }),
            (Some("adam") | None, None) => Ok(OptimizerChoice::Adam),
            (_, momentum) => Ok(OptimizerChoice::Sgd { momentum: momentum.unwrap_or(0.0) }),
        }
    }
}

/// An activation by its name; help lists them all.
fn activation() -> impl TypedValueParser<Value = Activation> {
    PossibleValuesParser::new(Activation::ALL.map(Activation::name)).try_map(|name| name.parse::<Activation>())
}

fn at_least_one(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 is needed".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("a whole number above 0 is needed".into()),
    }
}

fn learning_rate(text: &str) -> std::result::Result<f32, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f32::is_finite(rate) => Ok(rate),
        _ => Err("a finite number above 0 is needed".into()),
    }
}

fn momentum(text: &str) -> std::result::Result<f32, String> {
    match text.parse() {
        Ok(momentum) if (0.0..1.0).contains(&momentum) => Ok(momentum),
        _ => Err("a number from 0 to below 1 is needed".into()),
    }
}

/// Fails now, rather than after the work, where a file cannot be written, or would take the place of one of `others`.
pub fn check_output(path: Option<&Path>, others: &[&Path]) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    if others.iter().any(|other| file::is_same(path, other)) {
        let problem = "this file is read or written by the same command; write to another";
        return Err(Place::file(path).error(problem));
    }
    file::check_writable(path)
}
