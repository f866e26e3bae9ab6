//! Random draws of labelled rows, the same number from each class.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;

use crate::data::{Dataset, Labels};
use crate::error::{Error, Result};
use crate::random::{Purpose, generator_of};

/// The classes of the rows to draw from and of the test rows.
#[derive(Debug)]
pub(super) struct Classes {
    /// The rows to draw from in each class, in the order of the labels.
    rows: Vec<Vec<usize>>,
    /// The class of each test row.
    pub(super) test: Vec<usize>,
}

impl Classes {
    /// The classes that labels name.
    ///
    /// # Errors
    /// When a data set has no labels, there is only one class to draw from, or a test row belongs to none of them.
    pub(super) fn new(train: &Dataset, test: &Dataset) -> Result<Self> {
        let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (row, label) in labels(train)?.values.iter().enumerate() {
            rows.entry(label).or_default().push(row);
        }
        if rows.len() < 2 {
            let (source, label) = (train.source(), &labels(train)?.values[0]);
            let problem = format!("{source}: all rows have the label `{label}`; at least two classes are needed");
            return Err(Error::Mismatch(problem));
        }
        let places: BTreeMap<&str, usize> = rows.keys().copied().zip(0..).collect();
        let place = |(row, label): (usize, &String)| {
            places.get(label.as_str()).copied().ok_or_else(|| {
                let (test, train) = (test.source(), train.source());
                Error::Mismatch(format!("{test}: row {} has the label `{label}`, which no row of {train} has", row + 1))
            })
        };
        let test = labels(test)?.values.iter().enumerate().map(place).collect::<Result<_>>()?;
        Ok(Self { rows: rows.into_values().collect(), test })
    }

    /// The number of classes.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// The rows of a draw: `per_class` of each class, one class after another. Draws depend only on the seed and their
    /// number.
    ///
    /// # Errors
    /// When a class has fewer.
    pub(super) fn draw(&self, per_class: usize, train: &Dataset, seed: u64, number: u64) -> Result<Vec<usize>> {
        let mut generator = generator_of(seed, Purpose::Labels, number);
        let mut drawn = Vec::new();
        for rows in &self.rows {
            if rows.len() < per_class {
                let label = &labels(train)?.values[rows[0]];
                let (source, count) = (train.source(), rows.len());
                let problem = format!("{per_class} are too many: of class `{label}`, {source} has {count} rows");
                return Err(Error::Setting { name: "labels-per-class", problem });
            }
            let mut rows = rows.clone();
            let (some, _) = rows.partial_shuffle(&mut generator, per_class);
            some.sort_unstable();
            drawn.extend_from_slice(some);
        }
        Ok(drawn)
    }
}

fn labels(dataset: &Dataset) -> Result<&Labels> {
    dataset.labels().ok_or_else(|| Error::Mismatch(format!("{}: its rows have no labels", dataset.source())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(name: &str, labels: &[&str]) -> Dataset {
        let labels = labels.iter().map(|label| label.to_string()).collect::<Vec<_>>();
        let dataset = Dataset::from_bytes(name, labels.len(), 1, vec![0; labels.len()]).unwrap();
        dataset.with_labels(Labels { name: None, values: labels }).unwrap()
    }

    #[test]
    fn a_draw_has_so_many_different_rows_of_each_class() {
        let labels: Vec<&str> = (0..60).map(|row| ["b", "a", "c"][row * row % 7 % 3]).collect();
        let train = dataset("train", &labels);
        let classes = Classes::new(&train, &dataset("test", &["c", "a", "b"])).unwrap();
        assert_eq!((classes.count(), classes.test.as_slice()), (3, &[2, 0, 1][..]));
        let draws: Vec<Vec<usize>> = (0..100).map(|number| classes.draw(4, &train, 1, number).unwrap()).collect();
        for rows in &draws {
            let drawn: Vec<&str> = rows.iter().map(|&row| labels[row]).collect();
            assert_eq!(drawn, ["a"; 4].into_iter().chain(["b"; 4]).chain(["c"; 4]).collect::<Vec<_>>());
            assert!(rows.chunks(4).all(|rows| rows.is_sorted_by(|a, b| a < b)));
        }
        assert_eq!(draws[7], classes.draw(4, &train, 1, 7).unwrap());
        assert_ne!(draws[7], draws[8]);
        assert_ne!(draws[7], classes.draw(4, &train, 2, 7).unwrap());
        for row in 0..60 {
            assert!(draws.iter().any(|rows| rows.contains(&row)), "row {row} is never drawn");
        }
    }

    #[test]
    fn labels_that_cannot_be_probed_are_errors_that_say_why() {
        let message = |train: &[&str], test: &[&str]| {
            Classes::new(&dataset("train", train), &dataset("test", test)).unwrap_err().to_string()
        };
        assert_eq!(message(&["x", "x"], &["x"]), "train: all rows have the label `x`; at least two classes are needed");
        assert_eq!(message(&["x", "y"], &["x", "z"]), "test: row 2 has the label `z`, which no row of train has");
        let bare = Dataset::from_bytes("bare", 2, 1, vec![0; 2]).unwrap();
        let message = Classes::new(&dataset("train", &["x", "y"]), &bare).unwrap_err().to_string();
        assert_eq!(message, "bare: its rows have no labels");
        let train = dataset("train", &["x", "y", "x"]);
        let classes = Classes::new(&train, &dataset("test", &["x"])).unwrap();
        let message = classes.draw(2, &train, 1, 0).unwrap_err().to_string();
        assert_eq!(message, "labels-per-class: 2 are too many: of class `y`, train has 1 rows");
    }
}
