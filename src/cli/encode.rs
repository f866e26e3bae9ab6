//! `diabolo encode`

use std::path::PathBuf;

use clap::Args;

use super::arguments::{ModelAndData, check_output};
use super::table::{Table, write_rows};
use crate::error::Result;

/// Write the code of each row, or the output of another layer, as CSV
#[derive(Debug, Args)]
pub struct Encode {
    #[command(flatten)]
    input: ModelAndData,
    /// The layer whose output is written: code, or layer_1, layer_2, … from the input on, as `inspect` lists them
    #[arg(long, value_name = "NAME", default_value = "code")]
    layer: String,
    /// Where to write the codes [default: standard output]
    #[arg(long, short = 'o', value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Encode {
    pub fn run(&self) -> Result<()> {
        check_output(self.out.as_deref(), &self.input.paths())?;
        let (model, dataset) = self.input.read()?;
        let layer = model.layer(&self.layer)?;
        let header = model.layer_column_names(layer);
        let labels = self.input.asked_labels(&dataset);
        let table = Table { header: Some(&header), columns: header.len(), labels };
        write_rows(self.out.as_deref(), &table, |visit| model.encode_layer_each(&dataset, layer, visit))
    }
}
