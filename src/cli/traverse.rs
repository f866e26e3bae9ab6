//! `diabolo traverse`

use std::path::PathBuf;

use clap::Args;

use super::arguments::at_least_one;
use super::generated::GeneratedOutput;
use crate::error::Result;
use crate::model::Model;

/// Generate rows along one element of the code, from three standard deviations below its mean to three above
#[derive(Debug, Args)]
pub struct Traverse {
    /// A model file, as written by `train` or `pca`
    model: PathBuf,
    /// The element of the code, counted from 1; the others are at their means
    #[arg(long, short = 'c', value_name = "CODE", value_parser = at_least_one)]
    code: usize,
    /// The number of rows
    #[arg(long, default_value_t = 11, allow_negative_numbers = true, value_parser = at_least_one)]
    steps: usize,
    #[command(flatten)]
    output: GeneratedOutput,
}

impl Traverse {
    pub fn run(&self) -> Result<()> {
        self.output.check(&[&self.model])?;
        let model = Model::load(&self.model)?;
        let codes = model.traverse(self.code - 1, self.steps)?;
        self.output.write(&model, &codes, self.steps)
    }
}
