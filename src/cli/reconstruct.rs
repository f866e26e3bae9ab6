//! `diabolo reconstruct`

use std::path::PathBuf;

use clap::Args;

use super::arguments::{ModelAndData, check_output};
use super::table::{Table, write_rows};
use crate::error::Result;

/// Write the model's reconstruction of each row, as CSV in the data's own units
#[derive(Debug, Args)]
pub struct Reconstruct {
    #[command(flatten)]
    input: ModelAndData,
    /// Where to write the rows [default: standard output]
    #[arg(long, short = 'o', value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Reconstruct {
    pub fn run(&self) -> Result<()> {
        check_output(self.out.as_deref(), &self.input.paths())?;
        let (model, dataset) = self.input.read()?;
        let labels = self.input.asked_labels(&dataset);
        let table = Table { header: model.column_names.as_deref(), columns: model.body.columns(), labels };
        write_rows(self.out.as_deref(), &table, |visit| model.reconstruct_each(&dataset, visit))
    }
}
