//! The meaning of a cell's text.

use crate::data::messages::{TEXT_BELONGS_ASIDE, beyond_single_precision, not_finite};

/// The finite number that a cell holds.
///
/// # Errors
/// A description of what is wrong with it.
pub(super) fn number(cell: &str) -> Result<f32, String> {
    let value = cell.parse::<f32>();
    value.ok().filter(|value| value.is_finite()).ok_or_else(|| why_no_number(cell))
}

/// Whether a cell is missing.
pub(super) fn is_missing(cell: &str) -> bool {
    cell.is_empty() || cell.eq_ignore_ascii_case("na") || cell.eq_ignore_ascii_case("nan")
}

/// Whether a cell is meant as a number, usable or not.
pub(super) fn resembles_number(cell: &str) -> bool {
    cell.parse::<f32>().is_ok() || has_decimal_comma(cell)
}

fn has_decimal_comma(cell: &str) -> bool {
    cell.matches(',').count() == 1 && cell.replace(',', ".").parse::<f32>().is_ok()
}

#[cold]
fn why_no_number(cell: &str) -> String {
    let shown = shown(cell);
    let mut parts = cell.split_whitespace();
    if cell.is_empty() {
        "the cell is empty; a number is needed".to_owned()
    } else if cell.parse::<f32>().is_ok() {
        // It parses, so it is infinite or NaN: by its digits, or by its name.
        if cell.bytes().any(|byte| byte.is_ascii_digit()) { beyond_single_precision(shown) } else { not_finite(shown) }
    } else if has_decimal_comma(cell) {
        format!("{shown} has a decimal comma; write {}", cell.replace(',', "."))
    } else if parts.clone().count() > 1 && parts.all(resembles_number) {
        format!("{shown} is several numbers; separate cells by commas, semicolons or tabs")
    } else {
        format!("{shown} is not a number; {TEXT_BELONGS_ASIDE}")
    }
}

/// The beginning of a cell for a message, with control characters made visible.
fn shown(cell: &str) -> String {
    const SHOWN: usize = 40;
    let beginning: String = cell.chars().take(SHOWN).collect();
    let more = if beginning.len() < cell.len() { "…" } else { "" };
    format!("`{}{more}`", beginning.escape_debug())
}
