//! The recognition of a header.

use super::cell::resembles_number;
use super::records::Records;
use crate::data::options::{Columns, ReadOptions};
use crate::error::Result;

/// The names of the columns, if the record, being the first, is a header.
///
/// # Errors
/// When a name is not UTF-8 text.
pub(super) fn header(records: &Records<'_>, options: &ReadOptions) -> Result<Option<Vec<String>>> {
    if !is_header(records, options) {
        return Ok(None);
    }
    let name = |column: usize| {
        let place = || records.place().at_column((column + 1).to_string());
        records.cell(column).map(str::to_owned).ok_or_else(|| place().error(records.not_text()))
    };
    (0..records.width()).map(name).collect::<Result<_>>().map(Some)
}

/// Whether the record holds text and no number, or one of the chosen names, or all names that a model knows.
fn is_header(records: &Records<'_>, options: &ReadOptions) -> bool {
    let cells = (0..records.width()).map(|column| records.cell(column).unwrap_or("not UTF-8"));
    let holds = |name: &str| cells.clone().any(|cell| cell == name);
    let holds_text = cells.clone().any(|cell| !cell.is_empty());
    let holds_no_number = cells.clone().all(|cell| !resembles_number(cell));
    let is_known = match &options.columns {
        Columns::Named(names) => names.iter().all(|name| holds(name)),
        _ => false,
    };
    // A choice that is a number means the number of a column, so a cell equal to it makes no header.
    let mut asked = options.columns.asked().iter().chain(&options.label).map(|name| name.trim());
    (holds_no_number && holds_text) || is_known || asked.any(|name| !resembles_number(name) && holds(name))
}
