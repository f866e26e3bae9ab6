//! What to read of a file: which columns, which label, which rows.

/// What to read of a file.
///
/// A column is asked for by the name that the header gives it, or else by its number, counted from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The columns to learn from.
    pub columns: Columns,
    /// The column to keep aside as [`Labels`](crate::data::Labels).
    pub label: Option<String>,
}

/// Which columns to learn from, in the order wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Columns {
    /// All but the label.
    #[default]
    All,
    /// Those asked for, by name or by number.
    Chosen(Vec<String>),
    /// Those of these names where there is a header, else all but the label: what a fitted model takes.
    Named(Vec<String>),
}

impl Columns {
    /// The names and numbers that are asked for.
    pub(super) fn asked(&self) -> &[String] {
        match self {
            Self::All => &[],
            Self::Chosen(columns) | Self::Named(columns) => columns,
        }
    }
}

/// Which rows to take, chosen by their labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RowChoice {
    /// All.
    #[default]
    All,
    /// Those with one of these labels.
    Only(Vec<String>),
    /// Those with none of these labels.
    Without(Vec<String>),
}

impl RowChoice {
    /// The labels that it names.
    pub fn names(&self) -> &[String] {
        match self {
            Self::All => &[],
            Self::Only(names) | Self::Without(names) => names,
        }
    }

    /// Whether it takes the rows of a label.
    pub fn takes(&self, label: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|name| name == label),
            Self::Without(names) => names.iter().all(|name| name != label),
        }
    }
}
