//! Seeded generators: one seed, and an independent stream for each purpose.

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

/// The generator of this crate, xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators",
/// 2021): named, so that a seed means the same in every version.
pub type Generator = Xoshiro256PlusPlus;

/// What random numbers are drawn for. Each purpose has a stream of its own, so that a change to one (another network,
/// say) leaves the others (the split of the rows) as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The first values of the parameters.
    Initialisation = 1,
    /// The order of the rows in each epoch.
    Shuffling = 2,
    /// Which rows are held out.
    Split = 3,
    /// Data to measure speed with.
    Bench = 4,
    /// How rows are corrupted in each epoch.
    Corruption = 5,
    /// Which rows a report shows.
    #[cfg(feature = "report")]
    Report = 6,
    /// The codes that a variational network draws.
    Codes = 7,
    /// Which values become 1, where those are probabilities.
    Binarisation = 8,
    /// Which rows have a label in a probe.
    Labels = 9,
    /// How far images are moved in each epoch.
    Shift = 10,
    /// Rows that are generated, and what distributions of codes are fitted with.
    Generation = 11,
    /// Targets that show how a loss is curved.
    Curvature = 12,
}

/// The generator for a purpose.
pub fn generator(seed: u64, purpose: Purpose) -> Generator {
    let mixed = Generator::seed_from_u64(seed).next_u64();
    Generator::seed_from_u64(mixed.wrapping_add(purpose as u64))
}

/// The generator for a purpose in a turn (an epoch, say): it needs none of the turns before.
pub fn generator_of(seed: u64, purpose: Purpose, turn: u64) -> Generator {
    let mixed = generator(seed, purpose).next_u64();
    Generator::seed_from_u64(mixed.wrapping_add(turn))
}

/// The generator for a row in a turn (an epoch, say): it needs none of the rows or turns before.
pub fn generator_of_row(seed: u64, purpose: Purpose, turn: u64, row: usize) -> Generator {
    generator_of(seed, purpose, (turn << 32).wrapping_add(row as u64))
}

/// Splits `0..rows` at random into those to train on and `held_out` others, each in rising order.
///
/// # Panics
/// When more are to be held out than there are.
pub fn split(rows: usize, held_out: usize, seed: u64) -> (Vec<usize>, Vec<usize>) {
    assert!(held_out <= rows);
    let mut order: Vec<usize> = (0..rows).collect();
    order.shuffle(&mut generator(seed, Purpose::Split));
    let mut training = order.split_off(held_out);
    training.sort_unstable();
    order.sort_unstable();
    (training, order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_and_seeds_have_streams_of_their_own() {
        let draw = |seed, purpose| generator(seed, purpose).next_u64();
        assert_eq!(draw(1, Purpose::Split), draw(1, Purpose::Split));
        assert_ne!(draw(1, Purpose::Split), draw(1, Purpose::Shuffling));
        assert_ne!(draw(1, Purpose::Split), draw(2, Purpose::Split));
    }

    #[test]
    fn the_stream_of_a_seed_is_pinned() {
        assert_eq!(generator(1, Purpose::Initialisation).next_u64(), 10_628_603_985_217_462_894);
    }

    #[test]
    fn a_split_holds_every_row_once() {
        let (training, held_out) = split(100, 30, 7);
        assert_eq!((training.len(), held_out.len()), (70, 30));
        let mut all = [training, held_out].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }
}
