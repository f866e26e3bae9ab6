//! The division of an epoch's rows into minibatches, and of these into parts.

use super::TrainOptions;

/// The largest number of rows that go through a network at once: the activations of more would leave the caches before the
/// gradient is summed. Larger minibatches go through the network in parts.
const PART_ROWS: usize = 2048;

/// The number of rows of the minibatches of each epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batches {
    rows: usize,
    first: usize,
    /// The number of epochs after which the size doubles.
    double: Option<usize>,
}

/// Epochs with minibatches of one size.
struct Stage {
    /// The epochs before it.
    before: usize,
    /// Its own epochs; the last stage has no end.
    epochs: Option<usize>,
    /// The minibatches of an epoch.
    batches: usize,
}

impl Batches {
    /// The minibatches of a run over `rows` rows.
    pub fn new(options: &TrainOptions, rows: usize) -> Self {
        Self { rows, first: options.batch_size, double: options.double_batch }
    }

    /// The number of rows of a minibatch in an epoch, counted from 1; the last minibatch may have fewer.
    pub fn size(&self, epoch: usize) -> usize {
        let doublings = self.double.map_or(0, |double| (epoch - 1) / double);
        let times = 2_usize.saturating_pow(doublings.try_into().unwrap_or(u32::MAX));
        self.first.saturating_mul(times).min(self.rows)
    }

    /// The number of rows of the largest minibatch.
    pub fn largest(&self) -> usize {
        if self.double.is_some() { self.rows } else { self.first.min(self.rows) }
    }

    /// The number of minibatches of an epoch, counted from 1.
    pub fn of_epoch(&self, epoch: usize) -> usize {
        self.rows.div_ceil(self.size(epoch))
    }

    /// The number of minibatches of the first `epochs` epochs.
    pub fn of_epochs(&self, epochs: usize) -> u64 {
        let stages = self.stages().take_while(|stage| stage.before < epochs);
        stages.fold(0, |sum, Stage { before, epochs: here, batches }| {
            let here = (epochs - before).min(here.unwrap_or(usize::MAX));
            (batches as u64).saturating_mul(here as u64).saturating_add(sum)
        })
    }

    /// The number of epochs, with a fraction, that the first `steps` minibatches make up.
    pub fn epochs(&self, steps: u64) -> f64 {
        let mut left = steps;
        for Stage { before, epochs, batches } in self.stages() {
            match epochs.map(|epochs| (batches as u64).saturating_mul(epochs as u64)) {
                Some(here) if here < left => left -= here,
                _ => return before as f64 + left as f64 / batches as f64,
            }
        }
        unreachable!("the last stage has no end")
    }

    fn stages(&self) -> impl Iterator<Item = Stage> {
        let double = self.double.unwrap_or(usize::MAX);
        let starts = (0..).map(move |stage: usize| stage.saturating_mul(double));
        let mut ended = false;
        starts.map_while(move |before| {
            let size = self.size(before.saturating_add(1));
            let is_last = self.double.is_none() || size == self.rows;
            let stage = Stage { before, epochs: (!is_last).then_some(double), batches: self.rows.div_ceil(size) };
            (!std::mem::replace(&mut ended, is_last)).then_some(stage)
        })
    }
}

/// The parts of a minibatch, about equally long.
pub(super) fn parts(rows: &[usize]) -> impl Iterator<Item = &[usize]> {
    rows.chunks(rows.len().div_ceil(parts_of(rows.len())).max(1))
}

/// The number of parts in which a minibatch of `rows` rows goes through the network.
pub(super) fn parts_of(rows: usize) -> usize {
    rows.div_ceil(PART_ROWS).max(1)
}

/// The number of rows of the longest part of minibatches of up to `largest` rows.
pub(super) fn part_rows(largest: usize) -> usize {
    largest.min(PART_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(rows: usize, batch_size: usize, double_batch: Option<usize>) -> Batches {
        Batches::new(&TrainOptions { batch_size, double_batch, ..TrainOptions::default() }, rows)
    }

    #[test]
    fn minibatches_double_until_they_have_all_rows() {
        let batches = batches(100, 16, Some(2));
        let sizes: Vec<usize> = (1..=9).map(|epoch| batches.size(epoch)).collect();
        assert_eq!(sizes, [16, 16, 32, 32, 64, 64, 100, 100, 100]);
        assert_eq!((batches.size(usize::MAX), batches.largest()), (100, 100));
        let counts: Vec<u64> = (0..=9).map(|epochs| batches.of_epochs(epochs)).collect();
        assert_eq!(counts, [0, 7, 14, 18, 22, 24, 26, 27, 28, 29]);
    }

    #[test]
    fn steps_and_epochs_are_counted_alike() {
        for batches in
            [batches(100, 16, Some(3)), batches(100, 16, None), batches(7, 100, Some(1)), batches(5, 1, None)]
        {
            for epochs in 0..20 {
                assert_eq!(batches.epochs(batches.of_epochs(epochs)), epochs as f64, "{batches:?}");
                let half = batches.of_epoch(epochs + 1) as f64 / 2.0;
                let share = half.floor() / (2.0 * half);
                let steps = batches.of_epochs(epochs) + half as u64;
                assert!((batches.epochs(steps) - epochs as f64 - share).abs() < 1e-12, "{batches:?}, {epochs}");
            }
            assert!(batches.of_epochs(usize::MAX) >= usize::MAX as u64);
        }
    }

    #[test]
    fn parts_are_all_rows_in_turn_and_about_equally_long() {
        for count in [1, PART_ROWS, PART_ROWS + 1, 60_000] {
            let rows: Vec<usize> = (0..count).collect();
            let parts: Vec<&[usize]> = parts(&rows).collect();
            assert_eq!(parts.concat(), rows);
            assert!(parts.iter().all(|part| part.len() <= part_rows(count)));
            assert_eq!(parts.len(), parts_of(count));
            let [longest, shortest] = [parts[0].len(), parts[parts.len() - 1].len()];
            assert!(longest - shortest < parts.len(), "{longest} and {shortest}");
        }
    }
}
