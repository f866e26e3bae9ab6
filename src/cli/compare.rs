//! `diabolo compare`

use std::path::PathBuf;

use clap::Args;

use super::arguments::{DataArguments, ValidationArgument, check_output};
use super::config::ConfigArgument;
use super::facts::{Facts, print_side_by_side};
use super::progress::Progress;
use super::report::command_line;
use super::train_arguments::TrainArguments;
use crate::data::Dataset;
use crate::error::Result;
use crate::file::write_whole;
use crate::model::{Fitted, fit_autoencoder, fit_pca};
use crate::network::LayerSizes;
use crate::pca::{Components, PcaOptions};
use crate::report::{Entry, Report, Sample, Summary};

/// The width of the hidden layers on each side of the bottleneck: as in 784-100-2-100-784.
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
    /// Write a page with pictures of both: one HTML file that needs no network
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// No progress
    #[arg(long, short = 'q')]
    quiet: bool,
}

/// A fitted model, its name in the report, and its errors.
type Named = (&'static str, Summary, Fitted);

impl Compare {
    pub fn run(&self) -> Result<()> {
        let mut inputs = self.data.paths(Some(&self.validation));
        inputs.extend(self.config.path.as_deref());
        check_output(self.report.as_deref(), &inputs)?;
        let (dataset, validation_rows) = self.data.read(Some(&self.validation))?;
        let models = self.fit(&dataset, validation_rows.as_ref())?;
        if let Some(path) = &self.report {
            let page = report(&dataset, validation_rows.as_ref(), &models)?.to_html()?;
            write_whole(path, |out| out.write_all(page.as_bytes()))?;
        }
        self.print(&dataset, &models)
    }

    /// The auto-encoder and PCA, in this order.
    fn fit(&self, dataset: &Dataset, validation_rows: Option<&Dataset>) -> Result<[Named; 2]> {
        let validation = ValidationArgument::resolve(Some(&self.validation), validation_rows);
        let (scaling, seed) = (self.data.scale, self.data.seed);
        let layers = self.layers(dataset.columns())?;
        let components = Components::Count(layers.code());
        // All options are checked before anything is fitted. PCA comes first: it takes less time to fail.
        let options = self.train.options(layers, scaling, seed)?;
        let pca = fit_pca(dataset, scaling, &PcaOptions { components, seed, ..PcaOptions::default() }, validation)?;
        let mut progress = Progress::new(options.train.epochs, self.quiet);
        let autoencoder = fit_autoencoder(dataset, &options, validation, &mut progress)?;
        progress.finish();
        let variance = Summary::variance_per_row(&pca.model).unwrap_or(f64::NAN);
        Ok([("auto-encoder", autoencoder), ("PCA", pca)]
            .map(|(name, fitted)| (name, Summary::of_fit(&fitted, variance), fitted)))
    }

    fn print(&self, dataset: &Dataset, models: &[Named; 2]) -> Result<()> {
        let columns = models.each_ref().map(|(name, summary, _)| {
            let mut facts = Facts::default();
            facts.extend(summary.facts());
            (name.to_string(), facts)
        });
        if !self.json {
            return print_side_by_side(&columns);
        }
        let mut all = Facts::default();
        let (_, _, Fitted { model, .. }) = &models[0];
        all.add("columns", dataset.columns());
        all.add("rows", model.provenance.rows);
        all.add("held_out_rows", model.provenance.validation.map(|errors| errors.rows));
        all.add("code", model.body.code_size());
        let [(_, autoencoder), (_, pca)] = columns;
        all.add("autoencoder", autoencoder.into_json());
        all.add("pca", pca.into_json());
        all.print(true)
    }

    fn layers(&self, columns: usize) -> Result<LayerSizes> {
        match &self.layers {
            Some(layers) => Ok(layers.clone()),
            None => LayerSizes::new(vec![columns, HIDDEN, self.code as usize, HIDDEN, columns]),
        }
    }
}

/// The page about both models, with pictures of held-out rows where there are any.
fn report<'a>(dataset: &Dataset, validation_rows: Option<&Dataset>, models: &'a [Named; 2]) -> Result<Report<'a>> {
    let sample = match validation_rows {
        Some(rows) => Sample::new(rows, &[])?.all_held_out(),
        None => Sample::new(dataset, &models[0].2.held_out)?,
    };
    Ok(Report {
        title: format!("Auto-encoder and PCA: {}", dataset.source()),
        models: models
            .iter()
            .map(|(name, summary, fitted)| (Entry { name, model: &fitted.model }, summary.clone()))
            .collect(),
        measured_on: "training rows".into(),
        sample,
        command: Some(command_line()),
    })
}
