//! `diabolo sample`

use std::path::PathBuf;

use clap::Args;

use super::arguments::at_least_one;
use super::generated::GeneratedOutput;
use crate::error::Result;
use crate::model::Model;

/// Generate rows like the training data, from codes drawn at random
#[derive(Debug, Args)]
pub struct Sample {
    /// A model file, as written by `train` or `pca`
    model: PathBuf,
    /// The number of rows
    #[arg(long, short = 'n', default_value_t = 100, allow_negative_numbers = true, value_parser = at_least_one)]
    count: usize,
    /// The seed of every random choice
    #[arg(long, default_value_t = 1, allow_negative_numbers = true)]
    seed: u64,
    #[command(flatten)]
    output: GeneratedOutput,
}

impl Sample {
    pub fn run(&self) -> Result<()> {
        self.output.check(&[&self.model])?;
        let model = Model::load(&self.model)?;
        let distribution = model.code_distribution()?;
        let in_line = (self.count as f64).sqrt().ceil() as usize;
        self.output.write(&model, &distribution.draws(self.count, self.seed), in_line)
    }
}
