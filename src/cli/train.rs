//! `diabolo train`

use std::path::PathBuf;

use clap::Args;

use super::arguments::{DataArguments, ValidationArgument, check_apart, check_output};
use super::config::{ConfigArgument, ParsedArguments};
use super::facts::{Facts, decimal, path, print};
use super::progress::Progress;
use super::train_arguments::TrainArguments;
use super::watch::CheckpointArguments;
use crate::error::Result;
use crate::file::write_whole;
use crate::model::{Fitted, fit_autoencoder, plan_autoencoder};
use crate::network::LayerSizes;
use crate::train::TensorBoard;

/// Train an auto-encoder and write its model file
#[derive(Debug, Args)]
pub struct Train {
    #[command(flatten)]
    parsed: ParsedArguments,
    #[command(flatten)]
    config: ConfigArgument,
    /// Check the data and the options, print them all as a file for --config, and train nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    data: DataArguments,
    /// Layer sizes with input and output, as in 784,100,2,100,784
    #[arg(long, short = 'L', value_name = "SIZES")]
    layers: LayerSizes,
    #[command(flatten)]
    train: TrainArguments,
    /// Rows to hold out: a share of them between 0 and 1, or a file
    #[arg(long, short = 'v', allow_negative_numbers = true, value_name = "SHARE|FILE")]
    validation: Option<ValidationArgument>,
    /// Where to write the model
    #[arg(long, short = 'o', default_value = "model.safetensors", value_name = "FILE")]
    out: PathBuf,
    /// Write the epochs' errors and times as CSV
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    #[command(flatten)]
    checkpoint: CheckpointArguments,
    /// Append the epochs' errors, learning rates and speeds to an event file in this directory, for TensorBoard
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// No progress
    #[arg(long, short = 'q')]
    quiet: bool,
}

impl Train {
    /// Runs the subcommand; a dry run lists the arguments that `program`, the whole command line, gives it.
    pub fn run(&self, program: fn() -> clap::Command) -> Result<()> {
        let mut options = self.train.options(self.layers.clone(), self.data.scale, self.data.seed)?;
        // No file may take the place of another, and none may turn out unwritable after hours of training.
        let mut files = self.data.paths(self.validation.as_ref());
        files.extend(self.config.path.as_deref());
        check_output(Some(&self.out), &files)?;
        files.push(&self.out);
        check_output(self.history.as_deref(), &files)?;
        files.extend(self.history.as_deref());
        for file in self.checkpoint.files() {
            check_apart(&file, &files)?;
        }
        let (dataset, validation) = self.data.read(self.validation.as_ref())?;
        let validation = ValidationArgument::resolve(self.validation.as_ref(), validation.as_ref());
        if self.dry_run {
            let settings = plan_autoencoder(&dataset, &options, validation)?;
            return print(&self.parsed.to_toml(program(), "train", &settings.by_name()));
        }
        // A resumed run keeps the rate that its first part found; a second search might find another.
        if options.find_learning_rate
            && let Some(found) = self.checkpoint.learning_rate(&self.out)?
        {
            (options.find_learning_rate, options.train.rate.base) = (false, found);
        }
        let progress = Progress::new(options.train.epochs, self.quiet);
        let board = self.tensorboard.as_deref().map(TensorBoard::create).transpose()?;
        // The watch comes first, because resuming changes the epoch at which the board starts.
        let mut observers = (self.checkpoint.watch(progress, &self.out)?, board);
        let fitted = fit_autoencoder(&dataset, &options, validation, &mut observers)?;
        observers.0.finish();
        fitted.model.save(&self.out)?;
        if let Some(path) = &self.history {
            write_whole(path, |out| fitted.history.write_csv(out))?;
        }
        self.facts(&fitted).print(self.json)
    }

    fn facts(&self, Fitted { model, seconds, history, .. }: &Fitted) -> Facts {
        let provenance = &model.provenance;
        let epochs = history.epochs.len();
        let mut facts = Facts::default();
        facts.add("model", path(&self.out));
        facts.add("layers", model.body.layer_sizes());
        facts.add("parameters", model.body.parameters());
        facts.add("rows", provenance.rows);
        facts.add("columns", model.body.columns());
        facts.add("epochs", epochs);
        facts.add("learning_rate", provenance.settings.train().map(|train| decimal(train.rate.base)));
        facts.add("seed", provenance.seed);
        facts.add("seconds", *seconds);
        facts.add("rows_per_second", history.rows_per_second());
        facts.add("error_per_row", provenance.training.error_per_row);
        facts.add("mse", provenance.training.mse);
        facts.add("validation_error_per_row", provenance.validation.map(|errors| errors.error_per_row));
        if let Some(last) = history.epochs.last().and_then(|epoch| epoch.variational) {
            facts.add("elbo", last.elbo);
            facts.add("log_likelihood", last.log_likelihood);
            facts.add("divergence", last.divergence);
            facts.add("active_codes", last.active_codes);
        }
        facts
    }
}
