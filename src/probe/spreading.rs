//! Labels that spread from few rows to all others along a graph of neighbours (Zhou, Bousquet, Lal, Weston and Schölkopf,
//! "Learning with local and global consistency", 2003).
//!
//! The rows to draw from are the nodes, whether they have a label or not; an edge joins a row and each of its nearest
//! neighbours (two edges, where each is one of the other's). Labels y spread by F ← α S F + (1 − α) y with
//! S = D^(−1/2) W D^(−1/2), W the edges and D their numbers. For H = D^(−1/2) F that is H ← α (mean of the neighbours' H) +
//! (1 − α) D^(−1/2) y. A new row gets the class that its nearest neighbours have the most of.

use rayon::prelude::*;

use crate::gemm::gemm;
use crate::matrix::{Matrix, MatrixViewMut};

/// Nearest neighbours of a row.
const NEIGHBOURS: usize = 10;

/// α: the share of what a row has from its neighbours.
const SHARE: f32 = 0.9;

/// Rounds of spreading: what is left to come is α to this power of the whole, below 10⁻⁴.
const ROUNDS: usize = 100;

/// Rows whose neighbours one task looks for, and rows among which it looks at a time.
const TASK: usize = 512;
const CHUNK: usize = 1024;

/// Rows that one task spreads labels to.
const SPREAD_TASK: usize = 1024;

/// Rows to draw from, and which are neighbours.
pub(super) struct Graph {
    /// The neighbours of a row lie from one of these on, up to the next.
    starts: Vec<usize>,
    neighbours: Vec<u32>,
    /// The nearest rows of each row to test on, [`NEIGHBOURS`] or all there are.
    of_test: Vec<Vec<u32>>,
}

impl Graph {
    /// The graph of some rows, and where others stand beside it.
    pub(super) fn new(rows: &Matrix, test: &Matrix) -> Self {
        let nearest = nearest(rows, rows, true);
        let mut counts = vec![0; rows.rows() + 1];
        for (row, others) in nearest.iter().enumerate() {
            counts[row + 1] += others.len();
            others.iter().for_each(|&other| counts[other as usize + 1] += 1);
        }
        let mut ends = counts;
        for row in 0..rows.rows() {
            ends[row + 1] += ends[row];
        }
        let starts = ends.clone();
        let mut neighbours = vec![0; starts[rows.rows()]];
        for (row, others) in (0..).zip(&nearest) {
            for &other in others {
                for (from, to) in [(row, other), (other, row)] {
                    neighbours[ends[from as usize]] = to;
                    ends[from as usize] += 1;
                }
            }
        }
        Self { starts, neighbours, of_test: self::nearest(test, rows, false) }
    }

    fn neighbours(&self, row: usize) -> &[u32] {
        &self.neighbours[self.starts[row]..self.starts[row + 1]]
    }

    /// The class of each row to test on, when some rows are of these classes; none where no label reaches.
    pub(super) fn classify(&self, labelled: &[usize], classes: &[usize], count: usize) -> Vec<Option<usize>> {
        let spread = self.spread(labelled, classes, count);
        let of_row = |nearest: &Vec<u32>| {
            let mut votes = vec![0.0; count];
            for &row in nearest {
                let shares = &spread[row as usize * count..][..count];
                let sum: f32 = shares.iter().sum();
                if sum > 0.0 {
                    votes.iter_mut().zip(shares).for_each(|(vote, share)| *vote += share / sum);
                }
            }
            let best = (1..count).fold(0, |best, class| if votes[class] > votes[best] { class } else { best });
            (votes[best] > 0.0).then_some(best)
        };
        self.of_test.par_iter().map(of_row).collect()
    }

    /// H: what each row has of each class, rows × classes.
    fn spread(&self, labelled: &[usize], classes: &[usize], count: usize) -> Vec<f32> {
        let rows = self.starts.len() - 1;
        let mut given = vec![0.0; rows * count];
        for (&row, &class) in labelled.iter().zip(classes) {
            // A row always has edges.
            given[row * count + class] = (1.0 - SHARE) / (self.neighbours(row).len() as f32).sqrt();
        }
        let (mut here, mut next) = (given.clone(), vec![0.0; rows * count]);
        for _ in 0..ROUNDS {
            next.par_chunks_mut(SPREAD_TASK * count).enumerate().for_each(|(task, next)| {
                for (row, next) in (task * SPREAD_TASK..).zip(next.chunks_exact_mut(count)) {
                    next.fill(0.0);
                    let neighbours = self.neighbours(row);
                    for &other in neighbours {
                        let other = &here[other as usize * count..][..count];
                        next.iter_mut().zip(other).for_each(|(sum, value)| *sum += value);
                    }
                    let times = SHARE / neighbours.len() as f32;
                    let given = &given[row * count..][..count];
                    next.iter_mut().zip(given).for_each(|(sum, given)| *sum = times * *sum + given);
                }
            });
            std::mem::swap(&mut here, &mut next);
        }
        here
    }
}

/// The nearest of `others` for each row, the nearest first and of equals the first; a row is no neighbour of itself where
/// both are `the_same`.
fn nearest(rows: &Matrix, others: &Matrix, the_same: bool) -> Vec<Vec<u32>> {
    let squared_norms: Vec<f32> = (0..others.rows()).map(|row| others.row(row).iter().map(|x| x * x).sum()).collect();
    let number = NEIGHBOURS.min(others.rows() - usize::from(the_same));
    let mut nearest = vec![Vec::new(); rows.rows()];
    nearest.par_chunks_mut(TASK).enumerate().for_each(|(task, nearest)| {
        let start = task * TASK;
        let mut kept: Vec<Vec<(f32, u32)>> = vec![Vec::with_capacity(number + 1); nearest.len()];
        let mut buffer = vec![0.0; nearest.len() * CHUNK.min(others.rows())];
        for first in (0..others.rows()).step_by(CHUNK) {
            let range = first..others.rows().min(first + CHUNK);
            let products = &mut buffer[..nearest.len() * range.len()];
            let left = rows.rows_view(start..start + nearest.len());
            gemm(
                -2.0,
                left,
                others.rows_view(range.clone()).transposed(),
                0.0,
                MatrixViewMut::new(products, nearest.len(), range.len()),
            );
            for ((index, kept), products) in kept.iter_mut().enumerate().zip(products.chunks_exact(range.len())) {
                let itself = the_same.then_some(start + index);
                let mut farthest = if kept.len() == number { kept[number - 1].0 } else { f32::INFINITY };
                let candidates = products.iter().zip(&squared_norms[range.clone()]).zip(range.clone());
                for ((product, squared_norm), other) in candidates {
                    let distance = squared_norm + product;
                    if distance < farthest && Some(other) != itself {
                        let place = kept.partition_point(|&(nearer, _)| nearer <= distance);
                        kept.insert(place, (distance, other as u32));
                        kept.truncate(number);
                        if kept.len() == number {
                            farthest = kept[number - 1].0;
                        }
                    }
                }
            }
        }
        for (nearest, kept) in nearest.iter_mut().zip(kept) {
            *nearest = kept.into_iter().map(|(_, other)| other).collect();
        }
    });
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rings, one inside the other.
    fn rings(count: usize, offset: f32) -> Matrix {
        let mut rows = Matrix::zeros(count, 2);
        for row in 0..count {
            let radius = if row % 2 == 0 { 1.0 } else { 3.0 };
            let (sine, cosine) = ((row as f32 + offset) * 0.618).sin_cos();
            rows.row_mut(row).copy_from_slice(&[radius * cosine, radius * sine]);
        }
        rows
    }

    fn distance(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
    }

    fn naive_nearest(rows: &Matrix, others: &Matrix, row: usize, the_same: bool) -> Vec<usize> {
        let mut all: Vec<usize> = (0..others.rows()).filter(|&other| !(the_same && other == row)).collect();
        all.sort_by(|&a, &b| distance(rows.row(row), others.row(a)).total_cmp(&distance(rows.row(row), others.row(b))));
        all.truncate(NEIGHBOURS);
        all
    }

    #[test]
    fn neighbours_are_those_of_the_naive_loop_across_tasks_and_chunks() {
        // Whole numbers, whose distances are exact.
        let whole = |count: usize, seed: usize| {
            let value = |at: usize| ((at * at * 31 + at * 7 + seed) % 1009) as f32;
            Matrix::from_slice(count, 3, &(0..3 * count).map(value).collect::<Vec<_>>())
        };
        let others = whole(CHUNK + 77, 0);
        for (rows, the_same) in [(&others, true), (&whole(TASK + 5, 5), false)] {
            let actual = nearest(rows, &others, the_same);
            assert_eq!(actual.len(), rows.rows());
            for row in (0..rows.rows()).step_by(13) {
                let actual: Vec<usize> = actual[row].iter().map(|&other| other as usize).collect();
                assert_eq!(actual, naive_nearest(rows, &others, row, the_same), "row {row}");
            }
        }
        assert_eq!(nearest(&whole(3, 1), &whole(3, 1), true)[0].len(), 2);
    }

    #[test]
    fn labels_spread_as_the_linear_system_says() {
        let rows = rings(40, 0.0);
        let graph = Graph::new(&rows, &rings(4, 0.3));
        let (labelled, classes) = ([0, 1, 6, 11], [0, 1, 0, 1]);
        let spread = graph.spread(&labelled, &classes, 2);
        let edges = |a: usize, b: usize| {
            let has = |a, b| usize::from(naive_nearest(&rows, &rows, a, true).contains(&b));
            (has(a, b) + has(b, a)) as f64
        };
        let edges: Vec<Vec<f64>> = (0..40).map(|a| (0..40).map(|b| edges(a, b)).collect()).collect();
        let degrees: Vec<f64> = edges.iter().map(|edges| edges.iter().sum()).collect();
        // F = D^(1/2) H solves F − α S F = (1 − α) y.
        let f = |row: usize, class: usize| degrees[row].sqrt() * f64::from(spread[row * 2 + class]);
        for class in 0..2 {
            for row in 0..40 {
                let from = |other: usize| edges[row][other] / (degrees[row] * degrees[other]).sqrt() * f(other, class);
                let near: f64 = (0..40).map(from).sum();
                let given = labelled.iter().zip(&classes).any(|(&at, &of)| at == row && of == class);
                let expected = if given { 1.0 - f64::from(SHARE) } else { 0.0 };
                let left = f(row, class) - f64::from(SHARE) * near;
                assert!((left - expected).abs() < 1e-5, "row {row}, class {class}: {left}");
            }
        }
    }

    #[test]
    fn one_label_is_enough_for_a_ring() {
        let (rows, test) = (rings(400, 0.0), rings(100, 0.5));
        let graph = Graph::new(&rows, &test);
        for (row, class) in graph.classify(&[0, 1], &[0, 1], 2).into_iter().enumerate() {
            assert_eq!(class, Some(row % 2), "row {row}");
        }
        let unreached = graph.classify(&[0], &[0], 2);
        assert!(unreached.iter().enumerate().all(|(row, class)| *class == (row % 2 == 0).then_some(0)));
    }
}
