//! How likely a variational network holds rows to be, in nats.
//!
//! Its decoder says of a code z what rows are likely: with cross-entropy each column is 1 with the probability that the
//! output is, with squared error each is normal around the output with variance ½, so that the loss is −ln p(x|z) but for
//! a constant. Its prior is the standard normal. The likelihood p(x) of a row is the integral over all codes, for which
//! there are bounds from below.

use rayon::prelude::*;

use crate::error::Result;
use crate::kernels::{self, Normals};
use crate::linalg::moments::ColumnMoments;
use crate::matrix::Matrix;
use crate::network::{Loss, Network};
use crate::rows::{NormalRows, Rows, RowsInMemory, Subset, for_each_chunk};

/// Bounds on the mean log-likelihood of rows, in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogLikelihood {
    /// The number of rows.
    pub rows: usize,
    /// The number of codes drawn for each row.
    pub samples: usize,
    /// The bound by importance sampling, which becomes exact with many samples (Burda et al., "Importance weighted
    /// autoencoders", 2016, eq. 8).
    pub log_likelihood: f64,
    /// The standard error of `log_likelihood`, a mean over the rows.
    pub standard_error: f64,
    /// The variational bound (ELBO): the expected log-likelihood given the code, less the divergence.
    pub elbo: f64,
    /// The divergence of the codes' distributions from the prior.
    pub divergence: f64,
    /// The number of active elements of the code: see [`active_codes`].
    pub active_codes: usize,
}

/// Codes that are decoded together, so that their rows take some megabytes.
const TOGETHER: usize = 1 << 20;

/// The turn of the first row's noise, beyond the epochs of any training, which drew other noise.
const FIRST_TURN: u64 = 1 << 31;

/// Draws `samples` codes for each row, and says how likely the rows are. The result depends on the arguments alone.
///
/// ```
/// use diabolo::data::{self, ReadOptions, ScalingChoice};
/// use diabolo::likelihood::log_likelihood;
/// use diabolo::model::{AutoencoderOptions, Body, Validation, fit_autoencoder};
/// use diabolo::train::{LearningRate, TrainOptions};
///
/// let iris = data::read("iris", &ReadOptions::default())?;
/// let train = TrainOptions { epochs: 20, rate: LearningRate::constant(0.01), ..TrainOptions::default() };
/// let scaling = ScalingChoice::Standard;
/// let options = AutoencoderOptions { train, scaling, variational: true, ..AutoencoderOptions::new("4,8,1,8,4".parse()?) };
/// let model = fit_autoencoder(&iris, &options, Validation::None, &mut ())?.model;
/// let Body::Autoencoder(network) = &model.body else { unreachable!() };
/// let found = log_likelihood(network, &model.scaling.scaled(&iris), train.loss, 50, 1)?;
/// assert!(found.elbo < found.log_likelihood && found.log_likelihood < 0.0);
/// # Ok::<(), diabolo::Error>(())
/// ```
///
/// # Errors
/// When rows cannot be read.
///
/// # Panics
/// When the network is not variational, there are no rows or no samples, or the rows are not as wide as the input.
pub fn log_likelihood(
    network: &Network,
    rows: &dyn Rows,
    loss: Loss,
    samples: usize,
    seed: u64,
) -> Result<LogLikelihood> {
    assert!(rows.rows() > 0 && samples > 0, "some rows and some samples");
    let (mut sum, mut sum_of_squares, mut elbo, mut divergence) = (0.0, 0.0, 0.0, 0.0);
    let mut done = 0;
    for_each_chunk(rows, |chunk| {
        let distributions = network.encode_distribution(chunk);
        for row in 0..chunk.rows() {
            let of = RowLikelihood { network, loss, row: chunk.row(row), distribution: distributions.row(row) };
            // A turn of its own for each row: its noise does not depend on how rows are cut into chunks.
            let noise = NormalRows::new(samples, network.architecture().sizes().code(), seed, FIRST_TURN + done);
            let divergence_here = of.divergence();
            let weights = of.log_weights(&noise);
            let bound = log_sum_exp(weights.iter().map(|[given, ratio]| given + ratio)) - (samples as f64).ln();
            // ln (1/k Σ p(x|z) p(z) / q(z|x)): the mean of the weights is unbiased, its logarithm is a lower bound.
            sum += bound;
            sum_of_squares += bound * bound;
            elbo += weights.iter().map(|[given, _]| given).sum::<f64>() / samples as f64 - divergence_here;
            divergence += divergence_here;
            done += 1;
        }
        Ok(())
    })?;
    let count = rows.rows() as f64;
    let mean = sum / count;
    let variance = (sum_of_squares / count - mean * mean).max(0.0);
    Ok(LogLikelihood {
        rows: rows.rows(),
        samples,
        log_likelihood: mean,
        standard_error: (variance / count).sqrt(),
        elbo: elbo / count,
        divergence: divergence / count,
        active_codes: active_codes(network, rows)?,
    })
}

/// What is added to the negative loss of a row to give its log-likelihood.
pub fn constant(loss: Loss, columns: usize) -> f64 {
    match loss {
        Loss::CrossEntropy => 0.0,
        Loss::SquaredError => -0.5 * std::f64::consts::PI.ln() * columns as f64,
    }
}

/// The most rows from which the active elements of the code are found.
const ACTIVITY_ROWS: usize = 10_000;

/// The variance over rows from which on an element of codes is active.
const ACTIVE: f64 = 0.01;

/// The number of active elements of the code: those whose mean has a variance above 0.01 over the first 10,000 rows (Burda
/// et al., "Importance weighted autoencoders", 2016, §5). The others stay at the prior, whatever the row is.
///
/// # Errors
/// When rows cannot be read.
///
/// # Panics
/// When the rows are not as wide as the network's input.
pub fn active_codes(network: &Network, rows: &dyn Rows) -> Result<usize> {
    let first: Vec<usize> = (0..rows.rows().min(ACTIVITY_ROWS)).collect();
    let code_size = network.architecture().sizes().code();
    let mut moments = ColumnMoments::new(code_size);
    for_each_chunk(&Subset::new(rows, &first), |chunk| {
        moments.add(&network.encode(chunk));
        Ok(())
    })?;
    Ok(moments.variances().filter(|&variance| variance > ACTIVE).count())
}

struct RowLikelihood<'a> {
    network: &'a Network,
    loss: Loss,
    row: &'a [f32],
    /// The means of its code, then the logarithms of the variances.
    distribution: &'a [f32],
}

impl RowLikelihood<'_> {
    /// KL(q(z|x) ‖ p(z)) (Kingma and Welling, "Auto-encoding variational Bayes", 2014, appendix B).
    fn divergence(&self) -> f64 {
        let (means, log_variances) = self.distribution.split_at(self.distribution.len() / 2);
        let term = |(&mean, &log_variance): (&f32, &f32)| {
            let (mean, log_variance) = (f64::from(mean), f64::from(log_variance));
            0.5 * (mean * mean + log_variance.exp_m1() - log_variance)
        };
        means.iter().zip(log_variances).map(term).sum()
    }

    /// For each row of noise, and the code z that it draws: ln p(x|z) and ln p(z) − ln q(z|x).
    fn log_weights(&self, noise: &NormalRows) -> Vec<[f64; 2]> {
        let (columns, code_size) = (self.row.len(), noise.columns());
        let (mean, log_variance) = self.distribution.split_at(code_size);
        let isa = self.network.isa();
        let together = (TOGETHER / columns).max(32);
        let half_log_determinant = 0.5 * log_variance.iter().map(|&value| f64::from(value)).sum::<f64>();
        let mut weights = Vec::with_capacity(noise.rows());
        for start in (0..noise.rows()).step_by(together) {
            let mut numbers = Matrix::zeros(together.min(noise.rows() - start), code_size);
            let mut codes = numbers.clone();
            let rows =
                numbers.as_mut_slice().par_chunks_mut(code_size).zip(codes.as_mut_slice().par_chunks_mut(code_size));
            let ratios: Vec<f64> = rows
                .enumerate()
                .map(|(index, (numbers, code))| {
                    noise.copy_row(start + index, numbers);
                    kernels::draw_normals(isa, Normals { mean, log_variance, noise: numbers }, code);
                    let squared = |values: &[f32]| kernels::squared_norm(isa, values);
                    0.5 * (squared(numbers) - squared(code)) + half_log_determinant
                })
                .collect();
            let given = self.log_likelihoods(&codes);
            weights.extend(given.into_iter().zip(ratios).map(|(given, ratio)| [given, ratio]));
        }
        weights
    }

    /// ln p(x|z) for each code z.
    fn log_likelihoods(&self, codes: &Matrix) -> Vec<f64> {
        let (isa, columns) = (self.network.isa(), self.row.len());
        let losses = |outputs: Matrix, loss: fn(kernels::Isa, &[f32], &[f32], &mut [f32]) -> f64| -> Vec<f64> {
            let rows = outputs.as_slice().par_chunks(columns);
            rows.map_init(|| vec![0.0; columns], |unused, output| loss(isa, output, self.row, unused)).collect()
        };
        let losses = match self.loss {
            Loss::CrossEntropy => losses(self.network.decode_logits(codes), |isa, logits, row, unused| {
                kernels::sigmoid_cross_entropy(isa, logits, row, 1.0, unused)
            }),
            Loss::SquaredError => {
                losses(self.network.decode(codes), |isa, output, row, _| kernels::squared_distance(isa, output, row))
            }
        };
        let constant = constant(self.loss, columns);
        losses.into_iter().map(|loss| constant - loss).collect()
    }
}

/// ln Σ eˣ, however large the x are.
pub(crate) fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    largest + values.map(|value| (value - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Activation;
    use crate::network::{Activations, Architecture, Initialisation};

    fn network(sizes: &str, output: Activation, deviation: f32) -> Network {
        let activations = Activations { output, ..Activations::hidden(Activation::Tanh) };
        let architecture = Architecture::new(sizes.parse().unwrap(), activations, true).into_variational();
        Network::new(architecture, Initialisation::Normal(deviation), 3)
    }

    /// The integral over a single code, by the midpoint rule.
    fn integral(network: &Network, row: &[f32], loss: Loss) -> f64 {
        const STEPS: usize = 4000;
        let (low, width) = (-8.0, 16.0 / STEPS as f64);
        let at: Vec<f64> = (0..STEPS).map(|step| low + (step as f64 + 0.5) * width).collect();
        let codes: Vec<f32> = at.iter().map(|&z| z as f32).collect();
        let of = RowLikelihood { network, loss, row, distribution: &[] };
        let given = of.log_likelihoods(&Matrix::from_slice(STEPS, 1, &codes));
        let prior = |z: f64| (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        at.iter().zip(given).map(|(&z, given)| given.exp() * prior(z) * width).sum::<f64>().ln()
    }

    #[test]
    fn with_many_samples_the_bound_is_the_integral_over_all_codes() {
        for (loss, output) in [(Loss::CrossEntropy, Activation::Sigmoid), (Loss::SquaredError, Activation::Linear)] {
            let network = network("3,4,1,4,3", output, 0.3);
            let rows = Matrix::from_rows(&[[0.0, 1.0, 1.0], [1.0, 0.2, 0.0]]);
            let expected = (integral(&network, rows.row(0), loss) + integral(&network, rows.row(1), loss)) / 2.0;
            let found = log_likelihood(&network, &rows, loss, 50_000, 1).unwrap();
            assert!((found.log_likelihood - expected).abs() < 0.01, "{found:?} {expected}");
            assert!(found.elbo < found.log_likelihood && found.divergence > 0.0, "{found:?}");
        }
    }

    #[test]
    fn with_one_sample_the_bound_is_about_the_variational_one() {
        let network = network("3,4,2,4,3", Activation::Sigmoid, 0.5);
        let rows = Matrix::from_slice(2000, 3, &[1.0; 6000]);
        let found = log_likelihood(&network, &rows, Loss::CrossEntropy, 1, 1).unwrap();
        assert!((found.log_likelihood - found.elbo).abs() < 5.0 * found.standard_error, "{found:?}");
    }

    #[test]
    fn it_is_the_same_again_for_any_number_of_threads_and_another_for_another_seed() {
        let network = network("3,4,2,4,3", Activation::Sigmoid, 0.5);
        let rows = Matrix::from_rows(&[[0.0, 1.0, 1.0], [1.0, 0.2, 0.0]]);
        let run = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| log_likelihood(&network, &rows, Loss::CrossEntropy, 100, seed).unwrap())
        };
        assert_eq!(run(1, 1), run(3, 1));
        assert_ne!(run(1, 1), run(1, 2));
    }

    #[test]
    fn codes_that_no_row_moves_are_not_active() {
        let mut network = network("3,2,3", Activation::Sigmoid, 0.5);
        let rows = Matrix::from_rows(&[[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]);
        assert_eq!(active_codes(&network, &rows).unwrap(), 2);
        let weights = network.architecture().layers()[0].weight_range();
        network.parameters_mut()[weights][..3].fill(0.0);
        assert_eq!(active_codes(&network, &rows).unwrap(), 1);
    }
}
