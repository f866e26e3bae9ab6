//! Codes sampled from the distributions that a variational encoder gives (Kingma and Welling, "Auto-encoding variational
//! Bayes", 2014, §2.4): c = μ + σ ε with ε from the standard normal, so that the gradient passes through μ and σ.

use super::layer::counted_ranges;
use crate::error::Result;
use crate::gemm::TILE_ROWS;
use crate::kernels::{self, Isa, Normals};
use crate::matrix::AlignedBuffer;
use crate::rows::Rows;

/// The sampled codes of a tile of rows; each buffer but `row` is a tile, code size × 32.
#[derive(Debug)]
pub(super) struct SampledCodes {
    /// The noise of one row, as it is gathered.
    row: AlignedBuffer,
    noise: AlignedBuffer,
    pub(super) codes: AlignedBuffer,
    /// The gradient of the loss by the codes.
    pub(super) gradient: AlignedBuffer,
}

impl SampledCodes {
    pub(super) fn new(code_size: usize) -> Self {
        let tile = || AlignedBuffer::zeros(code_size * TILE_ROWS);
        Self { row: AlignedBuffer::zeros(code_size), noise: tile(), codes: tile(), gradient: tile() }
    }

    /// Gathers the noise of the rows of `indices`; zeros, where there is none.
    pub(super) fn gather(&mut self, noise: Option<&dyn Rows>, indices: &[usize]) -> Result<()> {
        self.noise.fill(0.0);
        let Some(noise) = noise else { return Ok(()) };
        for (place, &index) in indices.iter().enumerate() {
            noise.gather(&[index], &mut self.row)?;
            for (element, &value) in self.row.iter().enumerate() {
                self.noise[element * TILE_ROWS + place] = value;
            }
        }
        Ok(())
    }

    /// Samples the codes. `distributions` is the encoder's output (twice the code size × 32): means, then log-variances.
    pub(super) fn sample(&mut self, isa: Isa, distributions: &[f32]) {
        let (mean, log_variance) = distributions.split_at(self.codes.len());
        let normals = Normals { mean, log_variance, noise: &self.noise };
        kernels::draw_normals(isa, normals, &mut self.codes);
    }

    /// Turns the gradient by the codes into the gradient by the distributions, which gains what their divergence from the
    /// prior costs (`cost` is its weight in the loss); gives the sum of the divergences of the first `rows` rows.
    pub(super) fn backward(
        &self,
        isa: Isa,
        distributions: &[f32],
        rows: usize,
        cost: f32,
        gradient: &mut [f32],
    ) -> f64 {
        let (mean, log_variance) = distributions.split_at(self.codes.len());
        let (by_mean, by_log_variance) = gradient.split_at_mut(self.codes.len());
        let mut terms = 0.0;
        for here in counted_ranges(mean.len(), rows) {
            let (mean, log_variance) = (&mean[here.clone()], &log_variance[here.clone()]);
            let normals = Normals { mean, log_variance, noise: &self.noise[here.clone()] };
            let (by_mean, by_log_variance) = (&mut by_mean[here.clone()], &mut by_log_variance[here.clone()]);
            terms += kernels::normals_gradient(isa, normals, &self.gradient[here], cost, by_mean, by_log_variance);
        }
        // Each element of a code adds (μ² + σ² − 1 − ln σ²) / 2; the kernel leaves out the 1 and the half.
        (terms - (rows * self.row.len()) as f64) / 2.0
    }
}
