//! Draws from normal distributions, and the way back through them.
//!
//! The draw μ + σ ε of a standard normal ε can be differentiated by μ and by ln σ² (the reparameterisation of Kingma and
//! Welling, "Auto-encoding variational Bayes", 2014, §2.4).

use pulp::Simd;

use super::Isa;
use super::functions::exp;
use super::sweep::{Kernel, Map, sweep};

/// What stands for the draws of normal distributions: one element each.
#[derive(Clone, Copy, Debug)]
pub struct Normals<'a> {
    /// The means μ.
    pub mean: &'a [f32],
    /// The logarithms of the variances, l = ln σ².
    pub log_variance: &'a [f32],
    /// The standard normal numbers ε that were drawn.
    pub noise: &'a [f32],
}

/// `draws` = μ + e^(l/2) ε.
///
/// # Panics
/// When the lengths differ.
pub fn draw_normals(isa: Isa, normals: Normals<'_>, draws: &mut [f32]) {
    let Normals { mean, log_variance, noise } = normals;
    sweep(isa, [mean, log_variance, noise], [draws], Draw);
}

/// The gradients by μ and by l of a loss, given its gradient g by the draws, to which `scale` times the divergences from
/// the standard normal are added: `by_mean` = g + scale μ and `by_log_variance` = ½ (g ε e^(l/2) + scale (eˡ − 1)).
///
/// Returns Σ μ² + eˡ − l: the divergences are half of it, less ½ an element (the paper, appendix B). The sum is off by at
/// most 75 ε Σ (μ² + e^|l| − |l|), ε = 2⁻²⁴, however long the slices are.
///
/// # Panics
/// When the lengths differ.
pub fn normals_gradient(
    isa: Isa,
    normals: Normals<'_>,
    by_draws: &[f32],
    scale: f32,
    by_mean: &mut [f32],
    by_log_variance: &mut [f32],
) -> f64 {
    let Normals { mean, log_variance, noise } = normals;
    sweep(isa, [mean, log_variance, noise, by_draws], [by_mean, by_log_variance], Back { scale })
}

#[inline(always)]
fn deviation<S: Simd>(simd: S, log_variance: S::f32s) -> S::f32s {
    exp(simd, simd.mul_f32s(simd.splat_f32s(0.5), log_variance))
}

#[derive(Clone, Copy)]
struct Draw;

impl Map<3, 1> for Draw {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, [mean, log_variance, noise]: [S::f32s; 3], _: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.mul_add_e_f32s(deviation(simd, log_variance), noise, mean)]
    }
}

#[derive(Clone, Copy)]
struct Back {
    scale: f32,
}

impl Kernel<4, 2> for Back {
    #[inline(always)]
    fn apply<S: Simd>(
        self,
        simd: S,
        [mean, log_variance, noise, by_draws]: [S::f32s; 4],
        _: [S::f32s; 2],
    ) -> ([S::f32s; 2], S::f32s) {
        let scale = simd.splat_f32s(self.scale);
        let deviation = deviation(simd, log_variance);
        let variance = simd.mul_f32s(deviation, deviation);
        let by_mean = simd.mul_add_e_f32s(scale, mean, by_draws);
        let excess = simd.mul_f32s(scale, simd.sub_f32s(variance, simd.splat_f32s(1.0)));
        let by_log_variance = simd.mul_add_e_f32s(simd.mul_f32s(by_draws, noise), deviation, excess);
        let terms = simd.mul_add_e_f32s(mean, mean, simd.sub_f32s(variance, log_variance));
        ([by_mean, simd.mul_f32s(simd.splat_f32s(0.5), by_log_variance)], terms)
    }
}
