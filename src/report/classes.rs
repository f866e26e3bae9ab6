//! Labels as classes with a colour each.

use std::collections::BTreeMap;

use super::chart::Mark;
use super::number::digits;
use crate::data::{Dataset, Labels};

/// The largest number of classes that can be distinguished: ten colours, as round and as square dots.
const MOST: usize = 20;

/// The steps of the scale for labels that are numbers, and too many to be names.
const STEPS: usize = 10;

/// The class of each row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Classes {
    /// The name of the labels.
    pub title: String,
    /// The names of the classes; one, which is empty, when there are no labels.
    pub names: Vec<String>,
    /// For each row the index of its class.
    pub of_row: Vec<usize>,
    /// Whether the classes are steps of a scale.
    pub ordered: bool,
}

impl Classes {
    pub fn new(dataset: &Dataset) -> Self {
        match dataset.labels() {
            None => Self {
                title: String::new(),
                names: vec![String::new()],
                of_row: vec![0; dataset.rows()],
                ordered: false,
            },
            Some(labels) => Self::of(labels),
        }
    }

    fn of(labels: &Labels) -> Self {
        let title = labels.name.clone().unwrap_or_else(|| "label".into());
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for label in &labels.values {
            *counts.entry(label).or_default() += 1;
        }
        let numbers: Option<Vec<f64>> = labels.values.iter().map(|label| label.parse().ok()).collect();
        let numbers = numbers.filter(|numbers| numbers.iter().all(|number| number.is_finite()));
        match numbers {
            Some(numbers) if counts.len() > MOST => Self::steps(title, &numbers),
            numbers => Self::named(title, &labels.values, counts, numbers.is_some()),
        }
    }

    /// Classes by name, numbers in their order; the rarest are taken together when there are too many.
    fn named(title: String, labels: &[String], counts: BTreeMap<&str, usize>, numbers: bool) -> Self {
        let mut names: Vec<&str> = counts.keys().copied().collect();
        if numbers {
            let value = |name: &&str| name.parse::<f64>().unwrap_or(0.0);
            names.sort_by(|a, b| value(a).total_cmp(&value(b)));
        }
        if names.len() > MOST {
            let mut often = names.clone();
            often.sort_by_key(|name| std::cmp::Reverse(counts[name]));
            often.truncate(MOST - 1);
            names.retain(|name| often.contains(name));
        }
        let places: BTreeMap<&str, usize> = names.iter().enumerate().map(|(place, &name)| (name, place)).collect();
        let others = names.len();
        let of_row: Vec<usize> =
            labels.iter().map(|label| places.get(label.as_str()).copied().unwrap_or(others)).collect();
        let mut names: Vec<String> = names.into_iter().map(String::from).collect();
        if of_row.contains(&others) {
            names.push("all others".into());
        }
        Self { title, names, of_row, ordered: false }
    }

    /// Steps of equal width from the least to the greatest.
    fn steps(title: String, numbers: &[f64]) -> Self {
        let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let step = (high - low) / STEPS as f64;
        let bound = |index: usize| digits(low + step * index as f64, 3);
        let names = (0..STEPS).map(|index| format!("{} to {}", bound(index), bound(index + 1))).collect();
        let of_row = numbers.iter().map(|number| (((number - low) / step) as usize).min(STEPS - 1)).collect();
        Self { title, names, of_row, ordered: true }
    }

    /// The colour of a class, as `figure.css` names it.
    pub fn colour(&self, class: usize) -> String {
        let letter = if self.ordered { 'r' } else { 'c' };
        format!("{letter}{}", class % 10)
    }

    /// The shape of its dots.
    pub fn mark(class: usize) -> Mark {
        if (class / 10).is_multiple_of(2) { Mark::Dots } else { Mark::Squares }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(labels: &[&str]) -> Classes {
        Classes::of(&Labels { name: None, values: labels.iter().map(|label| label.to_string()).collect() })
    }

    #[test]
    fn numbers_are_sorted_as_numbers_and_names_as_names() {
        assert_eq!(classes(&["10", "9", "10"]).names, ["9", "10"]);
        assert_eq!(classes(&["10", "9", "10"]).of_row, [1, 0, 1]);
        assert_eq!(classes(&["b", "a", "10"]).names, ["10", "a", "b"]);
    }

    #[test]
    fn many_numbers_become_steps_of_a_scale() {
        let labels: Vec<String> = (0..=100).map(|number| number.to_string()).collect();
        let classes = classes(&labels.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(classes.ordered);
        assert_eq!(classes.names[0], "0 to 10.0");
        assert_eq!((classes.of_row[0], classes.of_row[55], classes.of_row[100]), (0, 5, 9));
    }

    #[test]
    fn the_rarest_of_many_names_are_taken_together() {
        let mut labels: Vec<String> = (0..30).map(|number| format!("name {number:02}")).collect();
        labels.extend((10..29).map(|number| format!("name {number:02}")));
        let classes = classes(&labels.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(classes.names.len(), 20);
        assert_eq!((classes.names[0].as_str(), classes.names[19].as_str()), ("name 10", "all others"));
        assert_eq!(classes.of_row[0], 19);
    }
}
