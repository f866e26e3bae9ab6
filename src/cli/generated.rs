//! Generated rows, decoded from codes: as CSV, or images as one PNG sheet.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::check_output;
use super::table::{Table, write_rows};
use crate::error::{Error, Result};
use crate::file::write_whole;
use crate::model::Model;
use crate::report::{BYTES, png_sheet, value_range};
use crate::rows::Rows;

/// The most pixels of a sheet.
const MOST_PIXELS: usize = 100_000_000;

/// Where generated rows go.
#[derive(Debug, Args)]
pub struct GeneratedOutput {
    /// Where to write the rows: a CSV file, or for images FILE.png, one sheet of them [default: standard output]
    #[arg(long, short = 'o', value_name = "FILE")]
    out: Option<PathBuf>,
}

impl GeneratedOutput {
    /// Fails now, rather than after the work, where the file cannot be written.
    pub fn check(&self, inputs: &[&Path]) -> Result<()> {
        check_output(self.out.as_deref(), inputs)
    }

    /// Decodes codes and writes the rows, as images `in_line` side by side where the file is a PNG.
    pub fn write(&self, model: &Model, codes: &dyn Rows, in_line: usize) -> Result<()> {
        match &self.out {
            Some(path) if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) => {
                self.write_sheet(path, model, codes, in_line)
            }
            out => {
                let header = model.column_names.as_deref();
                let table = Table { header, columns: model.body.columns(), labels: None };
                write_rows(out.as_deref(), &table, |visit| model.decode_each(codes, visit))
            }
        }
    }

    fn write_sheet(&self, path: &Path, model: &Model, codes: &dyn Rows, in_line: usize) -> Result<()> {
        let shape = model.image_shape.ok_or_else(|| {
            Error::Mismatch(format!(
                "{}: the model's rows are no images, of which a sheet could be made; write a CSV file",
                path.display()
            ))
        })?;
        let lines = codes.rows().div_ceil(in_line);
        let pixels = lines.checked_mul(in_line).and_then(|places| places.checked_mul(model.body.columns()));
        if pixels.is_none_or(|pixels| pixels > MOST_PIXELS) {
            return Err(Error::Mismatch(format!(
                "{} images make a sheet of more than {MOST_PIXELS} pixels; ask for fewer, or write a CSV file",
                codes.rows()
            )));
        }
        let rows = model.decode(codes)?;
        let range = if model.scaling.name() == "bytes" { BYTES } else { value_range(rows.as_slice()) };
        let bytes = png_sheet(&rows, shape, range, in_line);
        write_whole(path, |out| out.write_all(&bytes))
    }
}
