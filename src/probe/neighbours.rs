//! k nearest neighbours (Cover and Hart, "Nearest neighbor pattern classification", 1967), from inner products.
//!
//! ‖x − z‖² = ‖x‖² − 2 x·z + ‖z‖², and ‖x‖² is the same for all neighbours z of a row x: the rest orders them.

use crate::matrix::Matrix;

/// The numbers of neighbours to choose from.
const NUMBERS: [usize; 8] = [1, 3, 5, 7, 9, 13, 19, 29];

/// Labelled rows, the nearest of which vote on the class of others.
#[derive(Debug)]
pub(super) struct Neighbours<'a> {
    squared_norms: Vec<f32>,
    classes: &'a [usize],
    /// The number of neighbours that vote.
    number: usize,
}

impl<'a> Neighbours<'a> {
    /// Labelled rows of these classes, by their products with each other. The number of neighbours that vote is chosen from
    /// [`NUMBERS`] by leave-one-out cross-validation: the one with the fewest errors, of equals the smallest.
    pub(super) fn choose(products: &Matrix, classes: &'a [usize]) -> Self {
        let rows = classes.len();
        let numbers = NUMBERS.map(|number| number.min(rows - 1));
        let squared_norms = (0..rows).map(|row| products.row(row)[row]).collect();
        let mut neighbours = Self { squared_norms, classes, number: numbers[0] };
        let mut wrong = [0_usize; NUMBERS.len()];
        for (row, &class) in classes.iter().enumerate() {
            let nearest = neighbours.nearest(products.row(row), numbers[numbers.len() - 1], Some(row));
            for (wrong, number) in wrong.iter_mut().zip(numbers) {
                *wrong += usize::from(vote(&nearest[..number]) != class);
            }
        }
        neighbours.number = numbers.into_iter().zip(wrong).min_by_key(|&(_, wrong)| wrong).map_or(1, |(best, _)| best);
        neighbours
    }

    /// The class of a row by its products with the labelled rows.
    pub(super) fn classify(&self, products: &[f32]) -> usize {
        vote(&self.nearest(products, self.number, None))
    }

    /// The classes of the `number` nearest labelled rows other than `but`, the nearest first; of equally near ones the
    /// first.
    fn nearest(&self, products: &[f32], number: usize, but: Option<usize>) -> Vec<usize> {
        let mut nearest: Vec<(f32, usize)> = Vec::with_capacity(number + 1);
        for (row, (product, squared_norm)) in products.iter().zip(&self.squared_norms).enumerate() {
            let distance = squared_norm - 2.0 * product;
            let is_near = nearest.len() < number || distance < nearest[number - 1].0;
            if is_near && Some(row) != but {
                let place = nearest.partition_point(|&(other, _)| other <= distance);
                nearest.insert(place, (distance, self.classes[row]));
                nearest.truncate(number);
            }
        }
        nearest.into_iter().map(|(_, class)| class).collect()
    }
}

/// The class that most of the neighbours have; of several, the nearest one's.
fn vote(nearest: &[usize]) -> usize {
    let mut best = (0, 0);
    for &class in nearest {
        let votes = nearest.iter().filter(|&&other| other == class).count();
        if votes > best.1 {
            best = (class, votes);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole numbers, whose distances are exact.
    fn rows(count: usize, seed: usize) -> Vec<[f32; 5]> {
        let value =
            |row: usize, column: usize| ((row * 37 + column * 101 + seed * 53 + row * row * column) % 19) as f32;
        (0..count).map(|row| std::array::from_fn(|column| value(row, column))).collect()
    }

    fn products(left: &[[f32; 5]], right: &[[f32; 5]]) -> Matrix {
        let product = |a: &[f32; 5], b: &[f32; 5]| a.iter().zip(b).map(|(a, b)| a * b).sum();
        let all: Vec<f32> = left.iter().flat_map(|a| right.iter().map(move |b| product(a, b))).collect();
        Matrix::from_slice(left.len(), right.len(), &all)
    }

    /// By the definition: all rows sorted by their distance, the classes of the first few counted.
    fn naive(row: &[f32; 5], labelled: &[([f32; 5], usize)], number: usize) -> usize {
        let distance = |other: &[f32; 5]| row.iter().zip(other).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
        let mut sorted: Vec<_> = labelled.iter().map(|(other, class)| (distance(other), *class)).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        sorted.truncate(number);
        let votes = |class| sorted.iter().filter(|other| other.1 == class).count();
        let most = sorted.iter().map(|&(_, class)| votes(class)).max().unwrap();
        sorted.iter().map(|&(_, class)| class).find(|&class| votes(class) == most).unwrap()
    }

    #[test]
    fn the_choice_and_the_classes_are_those_of_the_naive_loop() {
        let mut chosen = std::collections::BTreeSet::new();
        for (count, classes) in [(2, 2), (3, 2), (24, 3), (60, 2), (90, 5)] {
            for seed in 0..6 {
                let labelled: Vec<_> = rows(count, seed)
                    .into_iter()
                    .enumerate()
                    // Nearly by the first column, so that some number of neighbours is better than another.
                    .map(|(at, row)| (row, if at % 4 == 3 { at % classes } else { row[0] as usize * classes / 19 }))
                    .collect();
                let (points, of): (Vec<_>, Vec<_>) = labelled.iter().copied().unzip();
                let wrong = |number: usize| {
                    (0..count)
                        .filter(|&left_out| {
                            let mut others = labelled.clone();
                            let (row, class) = others.remove(left_out);
                            naive(&row, &others, number) != class
                        })
                        .count()
                };
                let numbers = NUMBERS.map(|number| number.min(count - 1));
                let best = numbers.into_iter().min_by_key(|&number| wrong(number)).unwrap();
                let neighbours = Neighbours::choose(&products(&points, &points), &of);
                assert_eq!(neighbours.number, best, "{count} rows, seed {seed}");
                chosen.insert(best);
                let new = rows(50, seed + 10);
                let products = products(&new, &points);
                for (index, row) in new.iter().enumerate() {
                    assert_eq!(neighbours.classify(products.row(index)), naive(row, &labelled, best), "row {index}");
                }
            }
        }
        assert!(chosen.len() > 3, "{chosen:?}");
    }

    #[test]
    fn among_equal_votes_the_nearest_wins() {
        assert_eq!(vote(&[4, 7, 7, 4, 1]), 4);
        assert_eq!(vote(&[1, 7, 7, 4, 4]), 7);
        assert_eq!(vote(&[3]), 3);
    }
}
