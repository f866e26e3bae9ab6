//! `diabolo decode`

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{ColumnArguments, check_output};
use super::table::{Table, write_rows};
use crate::data::{Columns, Scaling};
use crate::error::Result;
use crate::model::Model;

/// Decode codes: write their rows as CSV in the training data's units
#[derive(Debug, Args)]
pub struct Decode {
    /// A model file, as written by `train` or `pca`
    model: PathBuf,
    /// Codes, as written by `encode`
    codes: String,
    #[command(flatten)]
    columns: ColumnArguments,
    /// Where to write the rows [default: standard output]
    #[arg(long, short = 'o', value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Decode {
    pub fn run(&self) -> Result<()> {
        check_output(self.out.as_deref(), &[&self.model, Path::new(&self.codes)])?;
        let model = Model::load(&self.model)?;
        let codes = self.columns.read(&self.codes, Columns::Named(model.code_names()))?;
        let labels = self.columns.asked_labels(&codes);
        let table = Table { header: model.column_names.as_deref(), columns: model.body.columns(), labels };
        write_rows(self.out.as_deref(), &table, |visit| {
            model.decode_each(&Scaling::none().scaled(&codes), visit).map_err(|error| error.of(codes.source()))
        })
    }
}
