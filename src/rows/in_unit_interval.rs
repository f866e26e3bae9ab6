//! Whether rows lie in [0, 1].

use super::{Rows, for_each_chunk};
use crate::error::{Error, Result};

/// Checks that all elements lie in [0, 1]. `what` names what needs it, `or_else` says what else to do.
///
/// # Errors
/// [`Error::Mismatch`] otherwise; and when rows cannot be read.
pub(crate) fn check_unit_interval(rows: &dyn Rows, what: &str, or_else: &str) -> Result<()> {
    for_each_chunk(rows, |chunk| {
        let Some(index) = chunk.as_slice().iter().position(|value| !(0.0..=1.0).contains(value)) else {
            return Ok(());
        };
        Err(Error::Mismatch(format!(
            "{what} needs data in [0, 1], but column {} has {}; scale it (unit), or {or_else}",
            index % chunk.columns() + 1,
            chunk.as_slice()[index]
        )))
    })
}
