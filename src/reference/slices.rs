//! The losses, updates, sums and other kernels over slices, an element at a time in double precision.
//!
//! Each function is the twin of the kernel or update rule of its name in [`crate::kernels`], and panics as it does.

use crate::kernels::{AdamStep, Normals};

/// Walks two slices of one length.
fn pairs<'a>(a: &'a [f32], b: &'a [f32]) -> impl Iterator<Item = (f64, f64)> + 'a {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a), f64::from(b)))
}

/// Σ (output − target)², and its gradient times scale.
pub fn squared_error(output: &[f32], target: &[f32], scale: f32, gradient: &mut [f32]) -> f64 {
    assert_eq!(output.len(), gradient.len());
    for (gradient, (output, target)) in gradient.iter_mut().zip(pairs(output, target)) {
        *gradient = (f64::from(scale) * 2.0 * (output - target)) as f32;
    }
    squared_distance(output, target)
}

/// Σ (a − b)².
pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    pairs(a, b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// The cross-entropy of targets and the sigmoid of logits, and its gradient times scale.
pub fn sigmoid_cross_entropy(logits: &[f32], target: &[f32], scale: f32, gradient: &mut [f32]) -> f64 {
    assert_eq!(logits.len(), gradient.len());
    let mut sum = 0.0;
    for (gradient, (logit, target)) in gradient.iter_mut().zip(pairs(logits, target)) {
        *gradient = (f64::from(scale) * (1.0 / (1.0 + (-logit).exp()) - target)) as f32;
        sum += (logit.max(0.0) - target * logit) + (-logit.abs()).exp().ln_1p();
    }
    sum
}

/// μ + e^(l/2) ε.
pub fn draw_normals(normals: Normals<'_>, draws: &mut [f32]) {
    let Normals { mean, log_variance, noise } = normals;
    assert_eq!([mean.len(), log_variance.len()], [noise.len(); 2]);
    assert_eq!(mean.len(), draws.len());
    for (i, draw) in draws.iter_mut().enumerate() {
        *draw = (f64::from(mean[i]) + (f64::from(log_variance[i]) / 2.0).exp() * f64::from(noise[i])) as f32;
    }
}

/// The gradients through draws, with the divergence's times `scale`; and Σ μ² + eˡ − l.
pub fn normals_gradient(
    normals: Normals<'_>,
    by_draws: &[f32],
    scale: f32,
    by_mean: &mut [f32],
    by_log_variance: &mut [f32],
) -> f64 {
    let Normals { mean, log_variance, noise } = normals;
    assert_eq!([mean.len(), log_variance.len()], [noise.len(); 2]);
    assert_eq!([by_draws.len(), by_mean.len(), by_log_variance.len()], [noise.len(); 3]);
    let mut sum = 0.0;
    for i in 0..noise.len() {
        let [mean, log_variance, noise, by_draw] = [mean[i], log_variance[i], noise[i], by_draws[i]].map(f64::from);
        by_mean[i] = (by_draw + f64::from(scale) * mean) as f32;
        let through_the_draw = by_draw * noise * (log_variance / 2.0).exp() / 2.0;
        by_log_variance[i] = (through_the_draw + f64::from(scale) * log_variance.exp_m1() / 2.0) as f32;
        sum += mean * mean + log_variance.exp() - log_variance;
    }
    sum
}

/// w ← w − α g.
pub fn sgd(parameters: &mut [f32], gradient: &[f32], learning_rate: f32) {
    axpy(-learning_rate, gradient, parameters);
}

/// v ← μ v + g, then w ← w − α v.
pub fn momentum(parameters: &mut [f32], velocity: &mut [f32], gradient: &[f32], learning_rate: f32, momentum: f32) {
    assert!(parameters.len() == gradient.len() && velocity.len() == gradient.len());
    for i in 0..gradient.len() {
        let v = f64::from(momentum) * f64::from(velocity[i]) + f64::from(gradient[i]);
        velocity[i] = v as f32;
        parameters[i] = (f64::from(parameters[i]) - f64::from(learning_rate) * v) as f32;
    }
}

/// v ← μ v + g, then w ← w − α (g + μ v).
pub fn nesterov(parameters: &mut [f32], velocity: &mut [f32], gradient: &[f32], learning_rate: f32, momentum: f32) {
    assert!(parameters.len() == gradient.len() && velocity.len() == gradient.len());
    for i in 0..gradient.len() {
        let g = f64::from(gradient[i]);
        let v = f64::from(momentum) * f64::from(velocity[i]) + g;
        velocity[i] = v as f32;
        let ahead = g + f64::from(momentum) * v;
        parameters[i] = (f64::from(parameters[i]) - f64::from(learning_rate) * ahead) as f32;
    }
}

/// Algorithm 1 of Kingma & Ba (2015).
pub fn adam(
    parameters: &mut [f32],
    first_moment: &mut [f32],
    second_moment: &mut [f32],
    gradient: &[f32],
    step: AdamStep,
) {
    let length = gradient.len();
    assert!(parameters.len() == length && first_moment.len() == length && second_moment.len() == length);
    let (beta1, beta2) = (f64::from(step.beta1), f64::from(step.beta2));
    for i in 0..length {
        let g = f64::from(gradient[i]);
        let m = beta1 * f64::from(first_moment[i]) + (1.0 - beta1) * g;
        let v = beta2 * f64::from(second_moment[i]) + (1.0 - beta2) * g * g;
        let m_hat = m / (1.0 - beta1.powf(step.step as f64));
        let v_hat = v / (1.0 - beta2.powf(step.step as f64));
        let change = f64::from(step.learning_rate) * m_hat / (v_hat.sqrt() + f64::from(step.epsilon));
        first_moment[i] = m as f32;
        second_moment[i] = v as f32;
        parameters[i] = (f64::from(parameters[i]) - change) as f32;
    }
}

/// y ← a x + y.
pub fn axpy(a: f32, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    for (y, &x) in y.iter_mut().zip(x) {
        *y = (f64::from(a) * f64::from(x) + f64::from(*y)) as f32;
    }
}

/// x ← a x.
pub fn scale(a: f32, x: &mut [f32]) {
    for x in x {
        *x = (f64::from(a) * f64::from(*x)) as f32;
    }
}

/// y ← y + a (x − y).
pub fn approach(a: f32, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    for (y, &x) in y.iter_mut().zip(x) {
        *y = (f64::from(*y) + f64::from(a) * (f64::from(x) - f64::from(*y))) as f32;
    }
}

/// y ← y + a sign(x).
pub fn add_signs(a: f32, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    for (y, &x) in y.iter_mut().zip(x) {
        let sign = f64::from(u8::from(x > 0.0)) - f64::from(u8::from(x < 0.0));
        if sign != 0.0 {
            *y = (f64::from(*y) + f64::from(a) * sign) as f32;
        }
    }
}

/// Σ x.
pub fn sum(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x)).sum()
}

/// Σ x y.
pub fn dot(x: &[f32], y: &[f32]) -> f64 {
    pairs(x, y).map(|(x, y)| x * y).sum()
}

/// Σ x².
pub fn squared_norm(x: &[f32]) -> f64 {
    dot(x, x)
}

/// byte / divisor.
pub fn bytes_to_floats(bytes: &[u8], divisor: f32, out: &mut [f32]) {
    assert_eq!(bytes.len(), out.len());
    for (out, &byte) in out.iter_mut().zip(bytes) {
        *out = (f64::from(byte) / f64::from(divisor)) as f32;
    }
}
