//! The choice of columns, label and rows that are read.

/// The part of a file that is read.
///
/// A column is chosen by its name in the header, or else by its number, counted from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The columns that are features.
    pub columns: Columns,
    /// The column to keep aside as [`Labels`](crate::data::Labels).
    pub label: Option<String>,
}

/// The columns that are features, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Columns {
    /// All but the label.
    #[default]
    All,
    /// The columns with these names or numbers.
    Chosen(Vec<String>),
    /// The columns with these names where there is a header, else all but the label: the choice of a fitted model.
    Named(Vec<String>),
}

impl Columns {
    /// The names and numbers of the choice.
    pub(super) fn asked(&self) -> &[String] {
        match self {
            Self::All => &[],
            Self::Chosen(columns) | Self::Named(columns) => columns,
        }
    }
}

/// A choice of rows by their labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RowChoice {
    /// All.
    #[default]
    All,
    /// The rows with one of these labels.
    Only(Vec<String>),
    /// The rows with none of these labels.
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

    /// Whether it includes the rows with a label.
    pub fn takes(&self, label: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|name| name == label),
            Self::Without(names) => names.iter().all(|name| name != label),
        }
    }
}
