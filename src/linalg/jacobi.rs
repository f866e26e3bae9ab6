//! One-sided Jacobi: rotate pairs of columns until all are orthogonal.
//!
//! For a matrix X, plane rotations of its columns make X V = U Σ, a matrix with orthogonal columns: their lengths are
//! the singular values of X, and their directions its left singular vectors (Hestenes 1958). A rotation is a backward
//! stable operation on its two columns, however different their lengths, which is why the method finds small singular
//! values to high *relative* accuracy where any method that first makes the matrix bidiagonal loses them in the
//! roundings of the large ones (Demmel & Veselić 1992). Everything here runs in double precision.
//!
//! # What comes first
//!
//! From an arbitrary matrix it takes some ten sweeps, each several times as dear as a matrix product. So X is first
//! multiplied by the eigenvectors of XᵀX that the conventional method finds ([`super::symmetric`]). That loses the small
//! singular values in the roundings of the large ones, but its vectors are orthogonal to the last bits all the same, and
//! a product with an orthogonal matrix from the right changes each row of X by a few roundings of *that row* at most: as
//! harmless as rotations. What it leaves is nearly orthogonal wherever it was right, and Jacobi does the rest, most often
//! in one or two sweeps (on preconditioning by an eigensolver: Gao, Ma & Shao, A Mixed Precision Jacobi SVD Algorithm,
//! 2025).
//!
//! # The order of a sweep
//!
//! The columns are taken in blocks of [`BLOCK`]. A sweep first takes the pairs inside each block, then meets every block
//! with every other one in rounds, as players in a tournament ("circle method"): the meetings of a round share no
//! column, so they run in parallel, and what they compute does not depend on how many of them do. Two blocks fit into
//! a core's second-level cache, where one column x stays in the first level while it meets all columns of the other
//! block. The longer column of a pair always goes to the front (de Rijk 1989), which sorts the columns on the way.
//!
//! # When it ends
//!
//! A sweep in which no pair met at a cosine above [`CONVERGED`] is the last: it has rotated those cosines away too, and
//! convergence is quadratic by then. At worst they have been moved to other pairs, and even then an `f32` cannot tell.
//! Rotations whose cosine is below [`NEGLIGIBLE`] are not made. After [`SWEEPS`] sweeps the method gives up with an
//! error.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::columns::{Columns, product};
use super::symmetric::eigenvectors;
use crate::error::{Error, Result};
use crate::kernels::Isa;
use crate::kernels::double::dot_simd;
use crate::kernels::double::rotation::{rotate_simd, rotate_then_dot_simd};

/// Columns in a block.
const BLOCK: usize = 32;

/// The largest cosine that a last sweep may meet.
const CONVERGED: f64 = 1e-7;

/// The largest cosine that is left as it is.
const NEGLIGIBLE: f64 = 1e-9;

/// Sweeps that are allowed.
const SWEEPS: usize = 60;

/// A matrix with orthogonal columns, split into directions and lengths.
pub(crate) struct Orthogonal {
    /// U: m × rank, orthonormal.
    pub(crate) directions: Columns,
    /// Σ: the largest first, none zero.
    pub(crate) lengths: Vec<f64>,
    /// V: n × rank, orthonormal, if it was asked for.
    pub(crate) rotations: Option<Columns>,
}

/// Rotates the columns of X (m × n) until they are orthogonal: X V = U Σ.
///
/// V costs rotations of its own, few after the preconditioning; U does not need it.
///
/// # Errors
/// [`Error::NotConverged`] after [`SWEEPS`] sweeps.
pub(crate) fn orthogonalise(isa: Isa, x: Columns, with_rotations: bool) -> Result<Orthogonal> {
    let (rows, count) = (x.rows(), x.columns());
    // The preconditioner: a rotation of all columns at once that is right but for the smallest singular values. A single
    // block is cheaper to rotate from scratch.
    let (x, v) = if count > BLOCK {
        let v = eigenvectors(isa, product(x.whole().transposed(), &x));
        (product(x.whole(), &v), with_rotations.then_some(v))
    } else {
        let v = with_rotations.then(|| Columns::from_fn(count, count, |i, j| if i == j { 1.0 } else { 0.0 }));
        (x, v)
    };
    // V lies below X in the same columns and is turned along with it; dot products see the first `height` elements alone.
    let height = x.stride();
    let mut both = match &v {
        None => x,
        Some(v) => Columns::from_fn(height + v.rows(), count, |i, j| match i.checked_sub(height) {
            None => x.column(j).get(i).copied().unwrap_or(0.0),
            Some(i) => v.column(j)[i],
        }),
    };
    let shape = Shape { height, stride: both.stride() };
    let mut squares = vec![0.0; count];
    // The blocks lie in place, so that a sweep moves no column but by rotating it. The squared lengths are recomputed
    // in every sweep, because the rotations update them by formula and their roundings would add up.
    for _ in 0..SWEEPS {
        let mut blocks: Vec<Block> = both
            .raw_mut(0..count)
            .chunks_mut(BLOCK * shape.stride)
            .zip(squares.chunks_mut(BLOCK))
            .enumerate()
            .map(|(index, (values, squares))| Block { index, values, squares })
            .collect();
        if sweep(isa, &mut blocks, shape) <= CONVERGED * CONVERGED {
            return Ok(split(&both, rows, v.map(|v| (height, v.rows()))));
        }
    }
    Err(Error::NotConverged { method: "one-sided Jacobi", limit: SWEEPS })
}

/// Sorts the columns by the length of their first rows, and takes them apart; V starts at a row and has some.
fn split(both: &Columns, rows: usize, v: Option<(usize, usize)>) -> Orthogonal {
    let length = |j: usize| both.column(j)[..rows].iter().map(|value| value * value).sum::<f64>().sqrt();
    let mut order: Vec<(f64, usize)> = (0..both.columns()).map(|j| (length(j), j)).collect();
    order.retain(|&(length, _)| length > 0.0);
    order.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    Orthogonal {
        directions: Columns::from_fn(rows, order.len(), |i, j| both.column(order[j].1)[i] / order[j].0),
        lengths: order.iter().map(|&(length, _)| length).collect(),
        rotations: v
            .map(|(start, rows)| Columns::from_fn(rows, order.len(), |i, j| both.column(order[j].1)[start + i])),
    }
}

/// Neighbouring columns, and the squares of their lengths.
struct Block<'a> {
    index: usize,
    values: &'a mut [f64],
    squares: &'a mut [f64],
}

/// How columns lie in memory.
#[derive(Clone, Copy)]
struct Shape {
    /// The number of elements from a column's start that its length and products count; the rest is only carried along.
    height: usize,
    /// From the start of one column to the start of the next.
    stride: usize,
}

/// Meets every pair of columns once; returns the square of the largest cosine met.
fn sweep(isa: Isa, blocks: &mut [Block], shape: Shape) -> f64 {
    // The pairs inside each block come first. Blocks share no column, and a maximum has the same bits in any order.
    let mut largest = blocks
        .par_iter_mut()
        .map(|block| isa.run(Within { values: block.values, squares: block.squares, shape }))
        .reduce(|| 0.0, f64::max);
    // The circle method wants an even number of players; with an odd one, each round one of them rests.
    let players = blocks.len().next_multiple_of(2);
    let mut seats: Vec<Option<&mut Block>> = blocks.iter_mut().map(Some).collect();
    seats.resize_with(players, || None);
    for _ in 1..players {
        let met = seats
            .par_chunks_mut(2)
            .map(|pair| match pair {
                // Seats wander, but the block that comes first in memory keeps the longer column of a pair.
                [Some(a), Some(b)] => {
                    let (a, b) = if a.index < b.index { (a, b) } else { (b, a) };
                    isa.run(Between {
                        left: a.values,
                        left_squares: a.squares,
                        right: b.values,
                        right_squares: b.squares,
                        shape,
                    })
                }
                _ => 0.0,
            })
            .reduce(|| 0.0, f64::max);
        largest = largest.max(met);
        advance(&mut seats);
    }
    largest
}

/// The next round of a tournament: seats 2i and 2i + 1 face each other, seat 0 stays, all others move on by one around
/// the table.
fn advance<T>(seats: &mut [T]) {
    let tables = seats.len() / 2;
    // Along the near side to the last table, then back along the far side.
    for table in 1..tables {
        seats.swap(1, 2 * table);
    }
    for table in (1..tables).rev() {
        seats.swap(1, 2 * table + 1);
    }
}

/// All pairs of a block.
struct Within<'a> {
    values: &'a mut [f64],
    squares: &'a mut [f64],
    shape: Shape,
}

impl WithSimd for Within<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Self { values, squares, shape } = self;
        let stride = shape.stride;
        for (column, square) in values.chunks_exact(stride).zip(&mut *squares) {
            let column = &column[..shape.height];
            *square = dot_simd(simd, column, column);
        }
        let mut largest = 0.0;
        for p in 0..squares.len().saturating_sub(1) {
            let (left, right) = values.split_at_mut((p + 1) * stride);
            let (left_squares, right_squares) = squares.split_at_mut(p + 1);
            let met = meet(simd, &mut left[p * stride..], &mut left_squares[p], right, right_squares, shape);
            largest = f64::max(largest, met);
        }
        largest
    }
}

/// All pairs of a column of one block with a column of another.
struct Between<'a> {
    left: &'a mut [f64],
    left_squares: &'a mut [f64],
    right: &'a mut [f64],
    right_squares: &'a mut [f64],
    shape: Shape,
}

impl WithSimd for Between<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let mut largest = 0.0;
        for (x, square) in self.left.chunks_exact_mut(self.shape.stride).zip(self.left_squares) {
            largest = f64::max(largest, meet(simd, x, square, self.right, self.right_squares, self.shape));
        }
        largest
    }
}

/// Makes the columns of `others`, one after another, orthogonal to x, rotating x with each; returns the square of the
/// largest cosine.
#[inline(always)]
fn meet<S: Simd>(
    simd: S,
    x: &mut [f64],
    xx: &mut f64,
    others: &mut [f64],
    squares: &mut [f64],
    Shape { height, stride }: Shape,
) -> f64 {
    let (x, carried_x) = x[..stride].split_at_mut(height);
    let mut largest = 0.0;
    let mut xy = dot_simd(simd, x, &others[..height]);
    for (j, yy) in squares.iter_mut().enumerate() {
        let (y, rest) = others[j * stride..].split_at_mut(stride);
        let (y, carried_y) = y.split_at_mut(height);
        let next = rest.get(..height);
        let square = xy * xy / (*xx * *yy);
        // Also false for NaN, which a column of zeros makes.
        if square > NEGLIGIBLE * NEGLIGIBLE {
            largest = f64::max(largest, square);
            let (c, s, gain) = annihilate(*xx, xy, *yy);
            xy = match next {
                Some(next) => rotate_then_dot_simd(simd, x, y, c, s, next),
                None => {
                    rotate_simd(simd, x, y, c, s);
                    0.0
                }
            };
            rotate_simd(simd, carried_x, carried_y, c, s);
            let shorter = f64::min(*xx, *yy);
            *xx = f64::max(*xx, *yy) + gain;
            // A difference that cancels tells nothing.
            *yy = if gain < 0.9 * shorter { shorter - gain } else { dot_simd(simd, y, y) };
        } else if let Some(next) = next {
            xy = dot_simd(simd, x, next);
        }
    }
    largest
}

/// The rotation that makes x and y orthogonal and gives x the longer one of the results, from x·x, x·y and y·y: its
/// cosine and sine, and by how much it lengthens the square of the longer one.
#[inline(always)]
fn annihilate(xx: f64, xy: f64, yy: f64) -> (f64, f64, f64) {
    // The smaller of the two angles that do it leaves the longer column longer. Where that is y, a quarter turn more
    // brings it to the front. In this form, two roots and two divisions follow one another, and nothing cancels.
    let apart = (xx - yy).abs();
    let double = 2.0 * xy;
    let hypotenuse = (apart * apart + double * double).sqrt();
    let sum = hypotenuse + apart;
    let c = (0.5 * sum / hypotenuse).sqrt();
    let t = if xx >= yy { -double / sum } else { double / sum };
    let s = c * t;
    let gain = (t * xy).abs();
    if xx >= yy { (c, s, gain) } else { (s, -c, gain) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn in_a_tournament_everyone_meets_everyone_once() {
        for players in [2, 4, 6, 12, 34] {
            let mut seats: Vec<usize> = (0..players).collect();
            let mut met = HashSet::new();
            for _ in 1..players {
                for pair in seats.chunks(2) {
                    assert!(met.insert((pair[0].min(pair[1]), pair[0].max(pair[1]))), "{pair:?} meet twice");
                }
                advance(&mut seats);
            }
            assert_eq!(met.len(), players * (players - 1) / 2);
        }
    }

    #[test]
    fn a_rotation_makes_a_pair_orthogonal_and_puts_the_longer_one_first() {
        for (x, y) in
            [([3.0, 1.0], [1.0, 2.0]), ([1.0, 2.0], [3.0, 1.0]), ([1.0, 0.5], [0.5, 1.0]), ([1.0, 0.0], [1e-9, 1.0])]
        {
            for sign in [1.0, -1.0] {
                let y = y.map(|value| value * sign);
                let dot = |x: [f64; 2], y: [f64; 2]| x[0] * y[0] + x[1] * y[1];
                let (xx, xy, yy) = (dot(x, x), dot(x, y), dot(y, y));
                let (c, s, gain) = annihilate(xx, xy, yy);
                let (p, q) = ([c * x[0] - s * y[0], c * x[1] - s * y[1]], [s * x[0] + c * y[0], s * x[1] + c * y[1]]);
                assert!(dot(p, q).abs() < 1e-15, "{x:?} {y:?}");
                assert!(dot(p, p) >= dot(q, q));
                assert!((dot(p, p) - xx.max(yy) - gain).abs() < 1e-14);
                assert!((c * c + s * s - 1.0).abs() < 1e-15);
            }
        }
    }
}
