//! `diabolo interpolate`

use clap::Args;

use super::arguments::{ModelAndData, at_least_one};
use super::generated::GeneratedOutput;
use crate::error::{Error, Result};

/// Generate the rows between two rows, on the straight line from one's code to the other's
#[derive(Debug, Args)]
pub struct Interpolate {
    #[command(flatten)]
    input: ModelAndData,
    /// The two rows, counted from 1
    #[arg(long, value_name = "I,J", value_delimiter = ',', num_args = 1, required = true, value_parser = at_least_one)]
    rows: Vec<usize>,
    /// The number of rows, the two ends included
    #[arg(long, default_value_t = 10, allow_negative_numbers = true, value_parser = at_least_one)]
    steps: usize,
    #[command(flatten)]
    output: GeneratedOutput,
}

impl Interpolate {
    pub fn run(&self) -> Result<()> {
        let [from, to] = self.rows[..] else {
            let problem = format!("two rows are needed, as in 1,2, not {}", self.rows.len());
            return Err(Error::Setting { name: "rows", problem });
        };
        let inputs = self.input.paths();
        self.output.check(&inputs)?;
        let (model, dataset) = self.input.read()?;
        let codes = model.interpolate(&dataset, [from - 1, to - 1], self.steps)?;
        self.output.write(&model, &codes, self.steps)
    }
}
