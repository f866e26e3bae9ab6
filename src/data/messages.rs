//! The texts of errors about data that several files share. They name settings by the library's names.

use std::fmt::Display;

/// The remedy for rows without labels.
pub(super) const NAME_THE_LABELS: &str = "name a column of them (label), or a file (labels)";

/// The remedy for a label column in a format that has none.
pub(super) const LEAVE_OUT_THE_LABEL: &str = "ask for none (label)";

/// The remedy for a column that holds no numbers.
pub(super) const TEXT_BELONGS_ASIDE: &str =
    "keep a column of text aside as the label, or choose other columns (label, columns)";

/// The remedy for two columns with one name.
pub(super) const RENAME_OR_LEAVE_OUT: &str = "rename one, or choose columns without one of them (columns)";

/// A value that is NaN or infinite.
pub(super) fn not_finite(value: impl Display) -> String {
    format!("{value} is not a finite number")
}

/// A finite value that no `f32` holds.
pub(super) fn beyond_single_precision(value: impl Display) -> String {
    format!("{value} is beyond the range of single precision (about 3.4e38)")
}

/// Names, each in backticks; of a long list only the beginning.
pub(super) fn quoted_names(names: &[String]) -> String {
    listed(names.iter().map(|name| format!("`{name}`")), 12)
}

/// Labels; of a long list only the beginning.
pub(super) fn labels(labels: &[&str]) -> String {
    listed(labels.iter().map(|label| (*label).to_owned()), 20)
}

/// The first `most` of some items, and how many more there are.
fn listed(items: impl ExactSizeIterator<Item = String>, most: usize) -> String {
    let more = items.len().saturating_sub(most);
    let listed = items.take(most).collect::<Vec<_>>().join(", ");
    if more == 0 { listed } else { format!("{listed} and {more} more") }
}

/// Words as alternatives: "CSV, NPY or IDX".
pub(super) fn alternatives(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
