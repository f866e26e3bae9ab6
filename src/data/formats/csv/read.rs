//! Reading a table of numbers.

use super::cell::{is_missing, number};
use super::header::header;
use super::records::Records;
use crate::data::columns::{ColumnNames, Selection};
use crate::data::dataset::Dataset;
use crate::data::formats::format::Request;
use crate::data::input::Input;
use crate::data::labels::Labels;
use crate::error::{Place, Result};
use crate::matrix::Matrix;

/// Reads a table of numbers, and the labels beside them.
pub(in crate::data::formats) fn read(input: Input<'_>, request: Request<'_>) -> Result<Dataset> {
    let mut records = Records::new(input, request.ruled_out);
    if !records.advance()? {
        return Err(Place::named(records.source()).error("holds no rows"));
    }
    let source = records.source().to_owned();
    let header = header(&records, request.options)?;
    let names = ColumnNames::new(&source, records.width(), header.as_deref());
    let mut table = Table::new(&names, Selection::new(&names, request.options)?, request.missing);

    // Without a header the cursor is on the first row already.
    if header.is_none() {
        table.add(&records, "; the first line counts as data, for a header holds names and no number")?;
    }
    while records.advance()? {
        table.add(&records, "")?;
    }
    table.into_dataset(&source, header.as_deref())
}

/// The cells read from the chosen columns.
struct Table<'a> {
    names: &'a ColumnNames<'a>,
    selection: Selection,
    /// See [`Request::missing`].
    missing: Option<&'a mut Vec<bool>>,
    /// Rows × features.
    values: Vec<f32>,
    labels: Vec<String>,
}

impl<'a> Table<'a> {
    fn new(names: &'a ColumnNames<'a>, selection: Selection, missing: Option<&'a mut Vec<bool>>) -> Self {
        Self { names, selection, missing, values: Vec::new(), labels: Vec::new() }
    }

    /// Adds the row of a record; the error about a bad number ends with `hint`.
    fn add(&mut self, records: &Records<'_>, hint: &str) -> Result<()> {
        let (found, width) = (records.width(), self.names.width());
        if found != width {
            let problem = format!("number of cells: {found} found, {width} expected as in the first line");
            return Err(records.place().error(problem));
        }
        let at = |column| records.place().at_column(self.names.display(column));
        for &column in &self.selection.features {
            let cell = records.cell(column).ok_or_else(|| at(column).error(records.not_text() + hint))?;
            let is_missing = self.missing.as_mut().is_some_and(|missing| {
                missing.push(is_missing(cell));
                is_missing(cell)
            });
            let value = if is_missing { Ok(0.0) } else { number(cell) };
            self.values.push(value.map_err(|problem| at(column).error(problem + hint))?);
        }
        if let Some(column) = self.selection.label {
            let label = records.cell(column).ok_or_else(|| at(column).error(records.not_text()))?;
            self.labels.push(label.to_owned());
        }
        Ok(())
    }

    fn into_dataset(self, source: &str, header: Option<&[String]>) -> Result<Dataset> {
        if self.values.is_empty() {
            return Err(Place::named(source).error("holds a header but no rows"));
        }
        let Selection { features, label } = self.selection;
        let name = |column: usize| header.map(|header| header[column].clone());
        let matrix = Matrix::from_slice(self.values.len() / features.len(), features.len(), &self.values);
        let dataset = Dataset::from_matrix(source, matrix, features.iter().map(|&column| name(column)).collect())?;
        match label {
            Some(column) => dataset.with_labels(Labels { name: name(column), values: self.labels }),
            None => Ok(dataset),
        }
    }
}

#[cfg(test)]
mod tests;
