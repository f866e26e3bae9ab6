//! Checks of the numbers in training options.

use crate::error::{Error, Result};

/// An error about a setting.
pub(super) fn wrong<T>(name: &'static str, problem: impl Into<String>) -> Result<T> {
    Err(Error::Setting { name, problem: problem.into() })
}

/// Checks that a setting is a finite number above 0.
pub(super) fn positive(name: &'static str, number: f64) -> Result<()> {
    match number > 0.0 && number.is_finite() {
        true => Ok(()),
        false => wrong(name, format!("{number} is not a finite number above 0")),
    }
}

/// Checks that a setting is a finite number of at least 0.
pub(super) fn not_negative(name: &'static str, number: f64) -> Result<()> {
    match number >= 0.0 && number.is_finite() {
        true => Ok(()),
        false => wrong(name, format!("{number} is not a finite number from 0 on")),
    }
}
