//! A text for each row.

use crate::data::messages;
use crate::error::{Error, Result};

/// A text for each row, such as a species or a digit: kept aside, never learned from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// The name of the column they come from, where it has one.
    pub name: Option<String>,
    /// The label of each row.
    pub values: Vec<String>,
}

impl Labels {
    /// The distinct labels: numbers by size, then texts.
    pub fn classes(&self) -> Vec<&str> {
        let mut classes: Vec<&str> = self.values.iter().map(String::as_str).collect();
        classes.sort_unstable();
        classes.dedup();
        let number = |label: &&str| label.parse().ok().filter(|number: &f64| !number.is_nan()).unwrap_or(f64::INFINITY);
        classes.sort_by(|first, second| number(first).total_cmp(&number(second)));
        classes
    }

    /// Checks that each of `names` is the label of some row.
    ///
    /// # Errors
    /// When one is not; the message lists the rows' labels.
    pub fn check_known(&self, names: &[String]) -> Result<()> {
        match names.iter().find(|name| !self.values.contains(name)) {
            None => Ok(()),
            Some(name) => {
                Err(Error::Mismatch(format!("no row has the label `{name}`; the labels are {}", self.listed())))
            }
        }
    }

    /// The distinct labels, for a message.
    pub(super) fn listed(&self) -> String {
        messages::labels(&self.classes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn an_unknown_label_is_an_error_that_lists_those_there_are() {
        let few = Labels { name: None, values: names(&["10", "9", "x", "9"]) };
        few.check_known(&names(&["9", "x"])).unwrap();
        let message = few.check_known(&names(&["9", "8"])).unwrap_err().to_string();
        assert_eq!(message, "no row has the label `8`; the labels are 9, 10, x");
        let many = Labels { name: None, values: (0..100).map(|number| number.to_string()).collect() };
        let message = many.check_known(&names(&["x"])).unwrap_err().to_string();
        assert!(message.ends_with("17, 18, 19 and 80 more"), "{message}");
    }
}
