//! `diabolo compare`

use std::path::PathBuf;

use clap::Args;

use super::arguments::{DataArguments, ValidationArgument, check_output};
use super::config::ConfigArgument;
use super::facts::{Facts, print_side_by_side};
use super::progress::Progress;
use super::report::command_line;
use super::train_arguments::TrainArguments;
use crate::error::Result;
use crate::file::write_whole;
use crate::model::{fit_autoencoder, fit_pca};
use crate::network::LayerSizes;
use crate::pca::{Components, PcaOptions};
use crate::report::{Entry, Report, Sample, Summary};

/// The width of the hidden layers on each side of the waist: as in 784-100-2-100-784.
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

impl Compare {
    pub fn run(&self) -> Result<()> {
        let mut inputs = self.data.paths(Some(&self.validation));
        inputs.extend(self.config.path.as_deref());
        check_output(self.report.as_deref(), &inputs)?;
        let (dataset, validation_rows) = self.data.read(Some(&self.validation))?;
        let validation = ValidationArgument::resolve(Some(&self.validation), validation_rows.as_ref());
        let layers = self.layers(dataset.columns())?;
        let pca =
            PcaOptions { components: Components::Count(layers.code()), seed: self.data.seed, ..PcaOptions::default() };
        let options = self.train.options(layers, self.data.scale, self.data.seed)?;
        let pca = fit_pca(&dataset, self.data.scale, &pca, validation)?;
        let mut progress = Progress::new(options.train.epochs, self.quiet);
        let autoencoder = fit_autoencoder(&dataset, &options, validation, &mut progress)?;
        progress.finish();
        let variance = Summary::variance_per_row(&pca.model).unwrap_or(f64::NAN);
        let models = [("auto-encoder", autoencoder), ("PCA", pca)]
            .map(|(name, fitted)| (name, Summary::of_fit(&fitted, variance), fitted));
        if let Some(path) = &self.report {
            let sample = match &validation_rows {
                Some(rows) => Sample::new(rows, &[])?.all_held_out(),
                None => Sample::new(&dataset, &models[0].2.held_out)?,
            };
            let report = Report {
                title: format!("Auto-encoder and PCA: {}", dataset.source()),
                models: models
                    .iter()
                    .map(|(name, summary, fitted)| (Entry { name, model: &fitted.model }, summary.clone()))
                    .collect(),
                measured_on: "training rows".into(),
                sample,
                command: Some(command_line()),
            };
            let page = report.to_html()?;
            write_whole(path, |out| out.write_all(page.as_bytes()))?;
        }
        let columns = models.each_ref().map(|(name, summary, _)| {
            let mut facts = Facts::default();
            facts.extend(summary.facts());
            (name.to_string(), facts)
        });
        if self.json {
            let mut all = Facts::default();
            let provenance = &models[0].2.model.provenance;
            all.add("columns", dataset.columns());
            all.add("rows", provenance.rows);
            all.add("held_out_rows", provenance.validation.map(|errors| errors.rows));
            all.add("code", models[0].2.model.body.code_size());
            let [(_, autoencoder), (_, pca)] = columns;
            all.add("autoencoder", autoencoder.into_json());
            all.add("pca", pca.into_json());
            return all.print(true);
        }
        print_side_by_side(&columns)
    }

    fn layers(&self, columns: usize) -> Result<LayerSizes> {
        match &self.layers {
            Some(layers) => Ok(layers.clone()),
            None => LayerSizes::new(vec![columns, HIDDEN, self.code as usize, HIDDEN, columns]),
        }
    }
}
