//! The rows that a report shows.

use rand::seq::index;

use super::number::count;
use crate::data::Dataset;
use crate::error::Result;
use crate::random::{Purpose, generator};

/// The largest number of rows that are shown, and of their elements in all.
const MOST_ROWS: usize = 10_000;
const MOST_ELEMENTS: usize = 1 << 24;

/// The rows of a data set: all of them, or a random sample where a page cannot hold them all.
#[derive(Clone, Debug)]
pub struct Sample {
    dataset: Dataset,
    numbers: Vec<usize>,
    held_out: Vec<bool>,
    of: usize,
    of_held_out: usize,
    all_held_out: bool,
}

impl Sample {
    /// Rows of a data set, of which those named in `held_out` were not learned from.
    ///
    /// # Errors
    /// When the data set is too wide for a single row to be shown.
    pub fn new(dataset: &Dataset, held_out: &[usize]) -> Result<Self> {
        let most = MOST_ROWS.min(MOST_ELEMENTS / dataset.columns()).max(1);
        let numbers: Vec<usize> = if dataset.rows() <= most {
            (0..dataset.rows()).collect()
        } else {
            let mut numbers = index::sample(&mut generator(1, Purpose::Report), dataset.rows(), most).into_vec();
            numbers.sort_unstable();
            numbers
        };
        let mut is_held_out = vec![false; dataset.rows()];
        held_out.iter().for_each(|&row| is_held_out[row] = true);
        Ok(Self {
            dataset: dataset.select(&numbers)?,
            held_out: numbers.iter().map(|&number| is_held_out[number]).collect(),
            numbers,
            of: dataset.rows(),
            of_held_out: held_out.len(),
            all_held_out: false,
        })
    }

    /// The same, with all rows held out: they come from another data set than the training rows.
    pub fn all_held_out(self) -> Self {
        Self { held_out: vec![true; self.numbers.len()], of_held_out: self.of, all_held_out: true, ..self }
    }

    /// The rows.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The number of a row in its data set, counted from 1.
    pub fn number(&self, row: usize) -> usize {
        self.numbers[row] + 1
    }

    /// Whether a row was held out.
    pub fn is_held_out(&self, row: usize) -> bool {
        self.held_out[row]
    }

    /// The rows by which models are judged: those held out, if there are any.
    pub fn judged(&self) -> Vec<usize> {
        let all = 0..self.numbers.len();
        if self.held_out.contains(&true) { all.filter(|&row| self.held_out[row]).collect() } else { all.collect() }
    }

    /// A description of the rows: "1,797 rows of digits".
    pub fn describe(&self) -> String {
        let held_out = if self.all_held_out { "held-out " } else { "" };
        self.describe_some(self.numbers.len(), self.of, held_out)
    }

    /// A description of the rows by which models are judged: "180 held-out rows of digits".
    pub fn describe_judged(&self) -> String {
        if self.held_out.contains(&true) {
            return self.describe_some(self.judged().len(), self.of_held_out, "held-out ");
        }
        self.describe()
    }

    fn describe_some(&self, shown: usize, of: usize, held_out: &str) -> String {
        let source = self.dataset.source();
        let rows = if of == 1 { "row" } else { "rows" };
        if shown == of {
            return format!("{} {held_out}{rows} of {source}", count(of));
        }
        format!("{} of {} {held_out}{rows} of {source}, drawn at random", count(shown), count(of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_says_what_it_is() {
        let dataset = Dataset::from_bytes("some", 4, 1, vec![1, 2, 3, 4]).unwrap();
        let sample = Sample::new(&dataset, &[]).unwrap();
        assert_eq!(sample.describe_judged(), "4 rows of some");
        assert_eq!(sample.judged(), [0, 1, 2, 3]);
        let sample = Sample::new(&dataset, &[1, 3]).unwrap();
        assert_eq!(
            (sample.describe(), sample.describe_judged()),
            ("4 rows of some".into(), "2 held-out rows of some".into())
        );
        assert_eq!(sample.judged(), [1, 3]);
        assert_eq!(Sample::new(&dataset, &[]).unwrap().all_held_out().describe(), "4 held-out rows of some");
    }

    #[test]
    fn too_many_rows_are_drawn_from_and_keep_their_numbers() {
        let bytes: Vec<u8> = (0..20_000).map(|row| (row % 251) as u8).collect();
        let sample = Sample::new(&Dataset::from_bytes("many", 20_000, 1, bytes.clone()).unwrap(), &[0]).unwrap();
        assert_eq!(sample.describe(), "10,000 of 20,000 rows of many, drawn at random");
        let crate::data::Values::Bytes(shown) = sample.dataset().values() else { panic!() };
        assert!((0..10_000).all(|row| shown[row] == bytes[sample.number(row) - 1]));
    }
}
