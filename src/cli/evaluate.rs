//! `diabolo evaluate`

use clap::Args;

use super::arguments::ModelAndData;
use super::facts::Facts;
use crate::error::Result;

/// Measure how far reconstructions are from the rows
#[derive(Debug, Args)]
pub struct Evaluate {
    #[command(flatten)]
    input: ModelAndData,
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
        facts.print(self.json)
    }
}
