//! The choice of rows by their labels.

use crate::data::dataset::Dataset;
use crate::data::messages::NAME_THE_LABELS;
use crate::data::options::RowChoice;
use crate::error::{Place, Result};

impl Dataset {
    /// The chosen rows, with their labels and all other properties. A label that no row has is ignored; see
    /// [`Labels::check_known`](crate::data::Labels::check_known).
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
            let problem = format!("its rows have no labels to choose by; {NAME_THE_LABELS}");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::labels::Labels;
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
}
