//! `diabolo compare`

use clap::Args;

use super::arguments::{DataArguments, ValidationArgument};
use super::config::ConfigArgument;
use super::facts::{Facts, print_side_by_side};
use super::progress::Progress;
use super::train_arguments::TrainArguments;
use crate::error::Result;
use crate::model::{Body, Fitted, fit_autoencoder, fit_pca};
use crate::network::LayerSizes;
use crate::pca::{Components, PcaOptions};

/// The width of the hidden layers on each side of the waist: that of the lectures' 784-100-2-100-784.
const HIDDEN: usize = 100;

/// Fit an auto-encoder and PCA of the same code size, side by side
#[derive(Debug, Args)]
pub struct Compare {
    #[command(flatten)]
    config: ConfigArgument,
    #[command(flatten)]
    data: DataArguments,
    /// The width of the code, and the number of components
    #[arg(long, short = 'k', default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    code: u32,
    /// The auto-encoder's layer sizes [default: columns,100,CODE,100,columns]
    #[arg(long, short = 'L', value_name = "SIZES", conflicts_with = "code")]
    layers: Option<LayerSizes>,
    #[command(flatten)]
    train: TrainArguments,
    /// Rows to hold out: a share of them between 0 and 1, or a file
    #[arg(long, short = 'v', allow_negative_numbers = true, value_name = "SHARE|FILE", default_value = "0.1")]
    validation: ValidationArgument,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// No progress
    #[arg(long, short = 'q')]
    quiet: bool,
}

impl Compare {
    pub fn run(&self) -> Result<()> {
        let (dataset, validation) = self.data.read(Some(&self.validation))?;
        let validation = ValidationArgument::resolve(Some(&self.validation), validation.as_ref());
        let layers = self.layers(dataset.columns())?;
        let pca =
            PcaOptions { components: Components::Count(layers.code()), seed: self.data.seed, ..PcaOptions::default() };
        let options = self.train.options(layers, self.data.scale, self.data.seed)?;
        let pca = fit_pca(&dataset, self.data.scale, &pca, validation)?;
        let mut progress = Progress::new(options.train.epochs, dataset.rows(), self.quiet);
        let autoencoder = fit_autoencoder(&dataset, &options, validation, &mut progress)?;
        progress.finish();
        let variance = variance_per_row(&pca);
        let columns = [("auto-encoder", facts(&autoencoder, variance)), ("PCA", facts(&pca, variance))];
        if self.json {
            let mut all = Facts::default();
            all.add("columns", dataset.columns());
            all.add("rows", autoencoder.model.provenance.rows);
            all.add("held_out_rows", autoencoder.model.provenance.validation.map(|errors| errors.rows));
            all.add("code", autoencoder.model.body.code_size());
            let [(_, autoencoder), (_, pca)] = columns;
            all.add("autoencoder", autoencoder.into_json());
            all.add("pca", pca.into_json());
            return all.print(true);
        }
        print_side_by_side(&columns.map(|(title, facts)| (title.to_string(), facts)))
    }

    fn layers(&self, columns: usize) -> Result<LayerSizes> {
        match &self.layers {
            Some(layers) => Ok(layers.clone()),
            None => LayerSizes::new(vec![columns, HIDDEN, self.code as usize, HIDDEN, columns]),
        }
    }
}

/// The squared distance of a training row to the mean of all, on average: what PCA explains a share of.
fn variance_per_row(pca: &Fitted) -> f64 {
    match &pca.model.body {
        Body::Pca(pca) => pca.total_variance() * (pca.rows() - 1) as f64 / pca.rows() as f64,
        Body::Autoencoder(_) => f64::NAN,
    }
}

fn facts(fitted: &Fitted, variance_per_row: f64) -> Facts {
    let Fitted { model, seconds, .. } = fitted;
    let provenance = &model.provenance;
    let mut facts = Facts::default();
    facts.add("layers", model.body.layer_sizes());
    facts.add("columns", model.body.columns());
    facts.add("parameters", model.body.parameters());
    facts.add("seconds", *seconds);
    facts.add("error_per_row", provenance.training.error_per_row);
    facts.add("validation_error_per_row", provenance.validation.map(|errors| errors.error_per_row));
    facts.add("mse", provenance.training.mse);
    facts.add("variance_explained", 1.0 - provenance.training.error_per_row / variance_per_row);
    facts
}
