//! `diabolo evaluate`

use clap::Args;

use super::arguments::{ModelAndData, at_least_one};
use super::facts::Facts;
use crate::error::Result;

/// Measure the error of the reconstructions
#[derive(Debug, Args)]
pub struct Evaluate {
    #[command(flatten)]
    input: ModelAndData,
    /// For a variational model: bound the log-likelihood of the rows with this many codes drawn for each
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true, value_parser = at_least_one)]
    samples: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    pub fn run(&self) -> Result<()> {
        let (model, dataset) = self.input.read()?;
        let errors = model.evaluate(&dataset)?;
        let mut facts = Facts::default();
        facts.add("rows", errors.rows);
        facts.add("error_per_row", errors.error_per_row);
        facts.add("mse", errors.mse);
        if let Some(samples) = self.samples {
            let found = model.log_likelihood(&dataset, samples)?;
            facts.add("samples", found.samples);
            facts.add("log_likelihood", found.log_likelihood);
            facts.add("standard_error", found.standard_error);
            facts.add("elbo", found.elbo);
            facts.add("divergence", found.divergence);
            facts.add("active_codes", found.active_codes);
        }
        facts.print(self.json)
    }
}
