//! Rows of standard normal numbers: the noise that codes are drawn with.

use rand_distr::{Distribution, StandardNormal};

use super::{Rows, RowsInMemory};
use crate::error::Result;
use crate::random::{Purpose, generator_of_row};

/// Rows of independent standard normal numbers, which are the same whenever they are read: a row depends on the seed, the
/// turn (an epoch, say) and its number alone.
#[derive(Clone, Copy, Debug)]
pub struct NormalRows {
    rows: usize,
    columns: usize,
    seed: u64,
    turn: u64,
}

impl NormalRows {
    /// The noise of a seed in a turn, rows × columns.
    pub fn new(rows: usize, columns: usize, seed: u64, turn: u64) -> Self {
        Self { rows, columns, seed, turn }
    }
}

impl Rows for NormalRows {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn gather(&self, indices: &[usize], out: &mut [f32]) -> Result<()> {
        self.copy_rows(indices, out);
        Ok(())
    }
}

impl RowsInMemory for NormalRows {
    fn copy_row(&self, row: usize, out: &mut [f32]) {
        assert!(row < self.rows && out.len() == self.columns, "row {row} of {} by {}", self.rows, self.columns);
        let mut generator = generator_of_row(self.seed, Purpose::Codes, self.turn, row);
        out.fill_with(|| StandardNormal.sample(&mut generator));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seed: u64, turn: u64, row: usize) -> Vec<f32> {
        let mut values = vec![f32::NAN; 10_000];
        NormalRows::new(3, 10_000, seed, turn).copy_row(row, &mut values);
        values
    }

    #[test]
    fn the_numbers_have_mean_0_and_variance_1() {
        let values: Vec<f64> = row(1, 1, 2).into_iter().map(f64::from).collect();
        let mean = values.iter().sum::<f64>() / 1e4;
        let variance = values.iter().map(|value| value * value).sum::<f64>() / 1e4 - mean * mean;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    #[test]
    fn a_row_is_the_same_again_and_another_in_another_turn_row_or_seed() {
        assert_eq!(row(1, 1, 2), row(1, 1, 2));
        for other in [row(2, 1, 2), row(1, 2, 2), row(1, 1, 1)] {
            assert_ne!(other, row(1, 1, 2));
        }
    }
}
