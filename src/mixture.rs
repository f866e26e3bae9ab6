//! Where codes lie: a mixture of normal distributions, to draw others like them.

use rand::RngExt;
use rand::seq::index;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::error::Result;
use crate::matrix::Matrix;
use crate::random::{Purpose, generator, generator_of};
use crate::rows::{Rows, RowsInMemory};

/// Normal distributions of a mixture at most, and the widest codes for which there are several: beyond, a single one tells
/// as much as the rows can.
const MOST_PARTS: usize = 10;
const WIDEST_OF_SEVERAL: usize = 64;

/// Rows for each number of a mean that a part wants at least.
const ROWS_A_NUMBER: usize = 10;

/// Passes of expectation and maximisation.
const PASSES: usize = 20;

/// What is added to each variance, as a share of their mean: it keeps codes that never change from having none.
const LEAST_VARIANCE: f64 = 1e-6;

/// A mixture of normal distributions over codes.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    /// The share of each part; they sum to 1.
    weights: Vec<f32>,
    /// Parts × code size.
    means: Matrix,
    /// (Parts · code size) × code size: the lower triangle L of each part's covariance L Lᵀ. None for the standard
    /// normal, whose factor is the identity, however wide codes are.
    factors: Option<Matrix>,
}

impl Mixture {
    /// The widest codes that a mixture is fitted to.
    pub const WIDEST: usize = 512;

    /// Fits a mixture to codes (rows × code size) by expectation maximisation (Dempster et al., "Maximum likelihood from
    /// incomplete data via the EM algorithm", 1977, §4.3), from means at random rows. The more rows there are for each
    /// number of a code, the more parts it has, up to ten.
    ///
    /// Nothing when there are no rows, or the codes are wider than [`Mixture::WIDEST`] or out of all proportion.
    pub fn fit(codes: &Matrix, seed: u64) -> Option<Self> {
        let (rows, size) = (codes.rows(), codes.columns());
        if rows == 0 || size > Self::WIDEST || codes.as_slice().iter().any(|value| !value.is_finite()) {
            return None;
        }
        let count = match size <= WIDEST_OF_SEVERAL {
            true => (rows / (ROWS_A_NUMBER * size)).clamp(1, MOST_PARTS),
            false => 1,
        };
        let rows: Vec<Vec<f64>> =
            (0..rows).map(|row| codes.row(row).iter().copied().map(f64::from).collect()).collect();
        let mut whole = Part::of(&rows, &vec![1.0; rows.len()], 0.0)?;
        // Rows that are the same must not draw a part to themselves: its density would grow without bound.
        let least = LEAST_VARIANCE * whole.variance() + f64::MIN_POSITIVE;
        whole = Part::of(&rows, &vec![1.0; rows.len()], least)?;
        let starts = index::sample(&mut generator(seed, Purpose::Generation), rows.len(), count);
        let mut parts: Vec<Part> = match count {
            1 => vec![whole],
            _ => starts.iter().map(|row| Part { mean: rows[row].clone(), ..whole.clone() }).collect(),
        };
        for _ in 0..if count > 1 { PASSES } else { 0 } {
            let shares: Vec<Vec<f64>> = rows.par_iter().map(|row| shares(&parts, row)).collect();
            parts = (0..count)
                .into_par_iter()
                .map(|part| {
                    let of_part: Vec<f64> = shares.iter().map(|shares| shares[part]).collect();
                    // A part that no row is left to keeps what it was.
                    Part::of(&rows, &of_part, least).unwrap_or_else(|| Part { weight: 0.0, ..parts[part].clone() })
                })
                .collect();
        }
        let all = |each: fn(&Part) -> &[f64]| -> Vec<f32> {
            parts.iter().flat_map(|part| each(part).iter().map(|&value| value as f32)).collect()
        };
        let total: f64 = parts.iter().map(|part| part.weight).sum();
        let weights: Vec<f32> = parts.iter().map(|part| (part.weight / total) as f32).collect();
        let (means, factors) = (all(|part| &part.mean), all(|part| &part.factor));
        let is_finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        (is_finite(&weights) && is_finite(&means) && is_finite(&factors)).then(|| Self {
            weights,
            means: Matrix::from_slice(count, size, &means),
            factors: Some(Matrix::from_slice(count * size, size, &factors)),
        })
    }

    /// The standard normal distribution: the prior of variational codes.
    pub fn standard(size: usize) -> Self {
        Self { weights: vec![1.0], means: Matrix::zeros(1, size), factors: None }
    }

    /// What [`Mixture::weights`], [`Mixture::means`] and [`Mixture::factors`] gave; nothing when they do not fit together.
    pub(crate) fn from_parts(weights: Vec<f32>, means: Matrix, factors: Matrix) -> Option<Self> {
        let (count, size) = (means.rows(), means.columns());
        let shapes_fit = weights.len() == count && factors.rows() == count * size && factors.columns() == size;
        let sum: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
        let fits = count > 0 && shapes_fit && weights.iter().all(|&weight| weight >= 0.0) && (sum - 1.0).abs() < 1e-3;
        fits.then_some(Self { weights, means, factors: Some(factors) })
    }

    /// The share of each part.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The mean of each part: parts × code size.
    pub fn means(&self) -> &Matrix {
        &self.means
    }

    /// The lower triangles L of the parts' covariances L Lᵀ, one under the other: (parts · code size) × code size. None
    /// for the standard normal.
    pub fn factors(&self) -> Option<&Matrix> {
        self.factors.as_ref()
    }

    /// The mean and the standard deviation of each element of a code.
    pub fn mean_and_deviation(&self) -> Vec<(f32, f32)> {
        let size = self.means.columns();
        let of_element = |element: usize| {
            let (mut mean, mut square) = (0.0, 0.0);
            for (part, &weight) in self.weights.iter().enumerate() {
                let (weight, centre) = (f64::from(weight), f64::from(self.means.row(part)[element]));
                let variance = match &self.factors {
                    Some(factors) => {
                        factors.row(part * size + element).iter().map(|&value| f64::from(value).powi(2)).sum()
                    }
                    None => 1.0,
                };
                mean += weight * centre;
                square += weight * (centre * centre + variance);
            }
            (mean as f32, (square - mean * mean).max(0.0).sqrt() as f32)
        };
        (0..size).map(of_element).collect()
    }

    /// `count` draws, reproducible by `seed`.
    pub fn draws(&self, count: usize, seed: u64) -> Draws<'_> {
        Draws { of: self, count, seed }
    }
}

/// Codes drawn from a mixture: each depends on the seed and its number alone.
#[derive(Clone, Copy, Debug)]
pub struct Draws<'a> {
    of: &'a Mixture,
    count: usize,
    seed: u64,
}

impl Rows for Draws<'_> {
    fn rows(&self) -> usize {
        self.count
    }

    fn columns(&self) -> usize {
        self.of.means.columns()
    }

    fn gather(&self, indices: &[usize], out: &mut [f32]) -> Result<()> {
        self.copy_rows(indices, out);
        Ok(())
    }
}

impl RowsInMemory for Draws<'_> {
    fn copy_row(&self, row: usize, out: &mut [f32]) {
        let Mixture { weights, means, factors } = self.of;
        let mut generator = generator_of(self.seed, Purpose::Generation, row as u64 + 1);
        let mut left: f32 = generator.random();
        let chosen = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        // Roundings may leave a little of the last share.
        let part = chosen.unwrap_or_else(|| weights.iter().rposition(|&weight| weight > 0.0).unwrap_or(0));
        let normals: Vec<f32> = (0..out.len()).map(|_| StandardNormal.sample(&mut generator)).collect();
        for (element, out) in out.iter_mut().enumerate() {
            let moved: f32 = match factors {
                Some(factors) => {
                    let factor = &factors.row(part * normals.len() + element)[..=element];
                    factor.iter().zip(&normals).map(|(factor, normal)| factor * normal).sum()
                }
                None => normals[element],
            };
            *out = means.row(part)[element] + moved;
        }
    }
}

/// One normal distribution on its way.
#[derive(Clone, Debug)]
struct Part {
    weight: f64,
    mean: Vec<f64>,
    /// Size × size, row-major, zero above the diagonal.
    factor: Vec<f64>,
}

impl Part {
    /// What is likeliest for rows that belong to it by these shares, with variances of `least` and more; nothing when it has
    /// none of them.
    fn of(rows: &[Vec<f64>], shares: &[f64], least: f64) -> Option<Self> {
        let size = rows[0].len();
        let weight: f64 = shares.iter().sum();
        if weight.is_nan() || weight < 1e-6 {
            return None;
        }
        let mut mean = vec![0.0; size];
        for (row, share) in rows.iter().zip(shares) {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += share / weight * value);
        }
        let mut covariance = vec![0.0; size * size];
        let mut centred = vec![0.0; size];
        for (row, share) in rows.iter().zip(shares).filter(|(_, share)| **share > 1e-12) {
            centred.iter_mut().zip(row.iter().zip(&mean)).for_each(|(centred, (value, mean))| *centred = value - mean);
            for (element, line) in covariance.chunks_exact_mut(size).enumerate() {
                let times = share / weight * centred[element];
                line[..=element].iter_mut().zip(&centred).for_each(|(sum, other)| *sum += times * other);
            }
        }
        covariance.iter_mut().step_by(size + 1).for_each(|variance| *variance += least);
        Some(Self { weight, mean, factor: cholesky(covariance, size) })
    }

    /// The mean variance of the elements.
    fn variance(&self) -> f64 {
        self.factor.iter().map(|value| value * value).sum::<f64>() / self.mean.len() as f64
    }

    /// ln of the weight times the density, but for a constant.
    fn log_density(&self, row: &[f64], solved: &mut [f64]) -> f64 {
        let size = row.len();
        let (mut distance, mut log_determinant) = (0.0, 0.0);
        for element in 0..size {
            let line = &self.factor[element * size..][..=element];
            let before: f64 = line[..element].iter().zip(&*solved).map(|(factor, solved)| factor * solved).sum();
            solved[element] = (row[element] - self.mean[element] - before) / line[element];
            distance += solved[element] * solved[element];
            log_determinant += line[element].ln();
        }
        self.weight.ln() - log_determinant - 0.5 * distance
    }
}

/// How much of a row belongs to each part.
fn shares(parts: &[Part], row: &[f64]) -> Vec<f64> {
    let mut solved = vec![0.0; row.len()];
    let mut shares: Vec<f64> = parts.iter().map(|part| part.log_density(row, &mut solved)).collect();
    let largest = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    shares.iter_mut().for_each(|share| *share = (*share - largest).exp());
    let sum: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}

/// The lower triangle L of a positive definite L Lᵀ, whose own lower triangle is given.
fn cholesky(mut matrix: Vec<f64>, size: usize) -> Vec<f64> {
    for i in 0..size {
        let (above, rest) = matrix.split_at_mut(i * size);
        let line = &mut rest[..size];
        for j in 0..i {
            let other = &above[j * size..][..=j];
            let product: f64 = line[..j].iter().zip(other).map(|(a, b)| a * b).sum();
            line[j] = (line[j] - product) / other[j];
        }
        let squares: f64 = line[..i].iter().map(|value| value * value).sum();
        line[i] = (line[i] - squares).max(f64::MIN_POSITIVE).sqrt();
        line[i + 1..].fill(0.0);
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws from a mixture as a matrix.
    fn drawn(mixture: &Mixture, count: usize, seed: u64) -> Matrix {
        let draws = mixture.draws(count, seed);
        let mut all = Matrix::zeros(count, draws.columns());
        (0..count).for_each(|row| draws.copy_row(row, all.row_mut(row)));
        all
    }

    fn moments(codes: &Matrix) -> ([f64; 2], [f64; 3]) {
        let count = codes.rows() as f64;
        let mean = |f: &dyn Fn(&[f32]) -> f64| (0..codes.rows()).map(|row| f(codes.row(row))).sum::<f64>() / count;
        let [x, y] = [0, 1].map(|element| mean(&|row| row[element].into()));
        let product = |a: usize, b: usize| mean(&|row| f64::from(row[a]) * f64::from(row[b]));
        ([x, y], [product(0, 0) - x * x, product(0, 1) - x * y, product(1, 1) - y * y])
    }

    fn two_clouds() -> Mixture {
        let means = Matrix::from_rows(&[[-4.0, 0.0], [4.0, 1.0]]);
        let factors = Matrix::from_rows(&[[1.0, 0.0], [0.5, 0.2], [0.3, 0.0], [0.0, 2.0]]);
        Mixture::from_parts(vec![0.25, 0.75], means, factors).unwrap()
    }

    #[test]
    fn a_mixture_fitted_to_draws_has_the_moments_of_the_one_they_came_from() {
        let codes = drawn(&two_clouds(), 4000, 1);
        let fitted = Mixture::fit(&codes, 1).unwrap();
        let ((means, covariance), (again, covariance_again)) = (moments(&codes), moments(&drawn(&fitted, 40_000, 2)));
        for (first, second) in means.iter().zip(again).chain(covariance.iter().zip(covariance_again)) {
            assert!((first - second).abs() < 0.15, "{means:?} {covariance:?}, {again:?} {covariance_again:?}");
        }
        // Between the clouds there is nothing.
        let between = |codes: &Matrix| (0..codes.rows()).filter(|&row| codes.row(row)[0].abs() < 1.0).count();
        assert!(between(&codes) < 10);
        assert!(between(&drawn(&fitted, 4000, 3)) < 40);
    }

    #[test]
    fn the_mean_and_deviation_are_those_of_the_draws() {
        let (means, covariance) = moments(&drawn(&two_clouds(), 100_000, 1));
        let stated = two_clouds().mean_and_deviation();
        for (element, variance) in [(0, covariance[0]), (1, covariance[2])] {
            assert!((f64::from(stated[element].0) - means[element]).abs() < 0.05, "{stated:?}");
            assert!((f64::from(stated[element].1) / variance.sqrt() - 1.0).abs() < 0.02, "{stated:?}");
        }
        assert_eq!(Mixture::standard(3).mean_and_deviation(), [(0.0, 1.0); 3]);
    }

    #[test]
    fn the_factor_times_its_transpose_is_the_matrix() {
        let given = [4.0, 9.0, 9.0, 2.0, 5.0, 9.0, -1.0, 1.5, 3.0];
        let factor = cholesky(given.to_vec(), 3);
        for i in 0..3 {
            for j in 0..=i {
                let product: f64 = (0..3).map(|k| factor[i * 3 + k] * factor[j * 3 + k]).sum();
                assert!((product - given[i * 3 + j]).abs() < 1e-12, "({i}, {j})");
            }
        }
    }

    #[test]
    fn codes_without_a_spread_and_single_rows_are_drawn_again() {
        for rows in [1, 500] {
            let codes = Matrix::from_slice(rows, 2, &[3.0, -1.0].repeat(rows));
            let again = drawn(&Mixture::fit(&codes, 1).unwrap(), 5, 1);
            assert!((0..5).all(|row| again.row(row) == [3.0, -1.0]), "{again:?}");
        }
    }

    #[test]
    fn equal_codes_among_others_do_not_draw_a_part_to_themselves() {
        let mut codes = drawn(&Mixture::standard(2), 1000, 1);
        (0..300).for_each(|row| codes.row_mut(row).copy_from_slice(&[0.5, 0.5]));
        let again = drawn(&Mixture::fit(&codes, 1).unwrap(), 1000, 2);
        let verbatim = (0..1000).filter(|&row| again.row(row) == [0.5, 0.5]).count();
        assert!(verbatim < 5, "{verbatim}");
    }

    #[test]
    fn what_cannot_be_fitted_is_not() {
        assert_eq!(Mixture::fit(&Matrix::zeros(0, 2), 1), None);
        assert_eq!(Mixture::fit(&Matrix::zeros(2, Mixture::WIDEST + 1), 1), None);
        let mut codes = drawn(&Mixture::standard(1), 100, 1);
        codes.row_mut(7)[0] = f32::INFINITY;
        assert_eq!(Mixture::fit(&codes, 1), None);
    }

    #[test]
    fn draws_are_the_same_for_a_seed_and_others_for_another() {
        assert_eq!(drawn(&two_clouds(), 10, 1), drawn(&two_clouds(), 10, 1));
        assert_ne!(drawn(&two_clouds(), 10, 1), drawn(&two_clouds(), 10, 2));
    }
}
