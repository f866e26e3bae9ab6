//! Some rows of a data set, chosen by their labels.

use super::dataset::{Dataset, Labels};
use crate::error::{Error, Place, Result};

/// Which rows to take.
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

impl Dataset {
    /// The rows that a choice takes, with all that is known about them. A label that no row has is passed over; see
    /// [`Labels::check_known`].
    ///
    /// ```
    /// use diabolo::data::{ReadOptions, RowChoice, read};
    /// let iris = read("iris", &ReadOptions::default())?.choose(RowChoice::Without(vec!["setosa".into()]))?;
    /// assert_eq!(iris.rows(), 100);
    /// # Ok::<(), diabolo::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the rows have no labels to choose by, or none is left.
    pub fn choose(self, choice: RowChoice) -> Result<Self> {
        if choice == RowChoice::All {
            return Ok(self);
        }
        let Some(labels) = self.labels() else {
            let problem = "its rows have no labels to choose by; name them with --label or --labels";
            return Err(Place::named(self.source()).error(problem));
        };
        let rows: Vec<usize> = (0..self.rows()).filter(|&row| choice.takes(&labels.values[row])).collect();
        if rows.is_empty() {
            let problem = format!("no row is left; it has the labels {}", labels.listed());
            return Err(Place::named(self.source()).error(problem));
        }
        Ok(self.select(&rows)?.chosen_by(choice))
    }
}

impl Labels {
    /// How many labels a message lists.
    const LISTED: usize = 20;

    /// The labels that there are, each once: numbers by size, then texts.
    pub fn classes(&self) -> Vec<&str> {
        let mut classes: Vec<&str> = self.values.iter().map(String::as_str).collect();
        classes.sort_unstable();
        classes.dedup();
        let number = |label: &&str| label.parse().ok().filter(|number: &f64| !number.is_nan()).unwrap_or(f64::INFINITY);
        classes.sort_by(|first, second| number(first).total_cmp(&number(second)));
        classes
    }

    /// Refuses a label that no row has.
    ///
    /// # Errors
    /// When there is one among `names`; the message lists those that rows have.
    pub fn check_known(&self, names: &[String]) -> Result<()> {
        match names.iter().find(|name| !self.values.contains(name)) {
            None => Ok(()),
            Some(name) => {
                Err(Error::Mismatch(format!("no row has the label `{name}`; the labels are {}", self.listed())))
            }
        }
    }

    /// The labels that there are, for a message.
    fn listed(&self) -> String {
        let classes = self.classes();
        let mut text = classes.iter().take(Self::LISTED).copied().collect::<Vec<_>>().join(", ");
        if classes.len() > Self::LISTED {
            text += &format!(" and {} more", classes.len() - Self::LISTED);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    fn labels(values: &[&str]) -> Labels {
        Labels { name: None, values: names(values) }
    }

    fn numbered(values: &[&str]) -> Dataset {
        let matrix = Matrix::from_slice(values.len(), 1, &(0..values.len()).map(|i| i as f32).collect::<Vec<_>>());
        Dataset::from_matrix("rows", matrix, None).unwrap().with_labels(labels(values)).unwrap()
    }

    #[test]
    fn rows_are_taken_or_left_out_by_label_in_their_order() {
        let rows = numbered(&["a", "b", "a", "c"]);
        let taken = |choice: RowChoice| rows.clone().choose(choice).unwrap().labels().unwrap().values.clone();
        assert_eq!(taken(RowChoice::All), ["a", "b", "a", "c"]);
        assert_eq!(taken(RowChoice::Only(names(&["c", "a"]))), ["a", "a", "c"]);
        assert_eq!(taken(RowChoice::Without(names(&["a", "unknown"]))), ["b", "c"]);
        let choice = RowChoice::Only(names(&["b"]));
        assert_eq!(rows.clone().choose(choice.clone()).unwrap().row_choice(), &choice);
        assert_eq!(rows.select(&[1]).unwrap().values(), rows.choose(choice).unwrap().values());
    }

    #[test]
    fn a_choice_that_cannot_be_made_is_an_error() {
        let message = |rows: Dataset, choice| rows.choose(choice).unwrap_err().to_string();
        let rows = numbered(&["a", "b"]);
        assert_eq!(
            message(rows.clone(), RowChoice::Without(names(&["a", "b"]))),
            "rows: no row is left; it has the labels a, b"
        );
        assert_eq!(message(rows, RowChoice::Only(vec![])), "rows: no row is left; it has the labels a, b");
        let bare = Dataset::from_bytes("bare", 1, 1, vec![1]).unwrap();
        assert!(message(bare, RowChoice::Only(names(&["a"]))).contains("bare: its rows have no labels"));
    }

    #[test]
    fn an_unknown_label_is_an_error_that_lists_those_there_are() {
        let few = labels(&["10", "9", "x", "9"]);
        few.check_known(&names(&["9", "x"])).unwrap();
        let message = few.check_known(&names(&["9", "8"])).unwrap_err().to_string();
        assert_eq!(message, "no row has the label `8`; the labels are 9, 10, x");
        let many = Labels { name: None, values: (0..100).map(|number| number.to_string()).collect() };
        let message = many.check_known(&names(&["x"])).unwrap_err().to_string();
        assert!(message.ends_with("17, 18, 19 and 80 more"), "{message}");
    }
}
