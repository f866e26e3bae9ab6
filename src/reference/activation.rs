//! The activation functions as they are defined.

use std::f64::consts::FRAC_2_PI;

use crate::kernels::Activation;

/// The twin of [`Activation::forward`].
pub fn forward(activation: Activation, values: &mut [f32]) {
    for value in values {
        *value = function(activation, f64::from(*value)) as f32;
    }
}

/// The twin of [`Activation::backward`].
///
/// # Panics
/// When the lengths differ.
pub fn backward(activation: Activation, saved: &[f32], gradient: &mut [f32]) {
    assert_eq!(saved.len(), gradient.len());
    for (gradient, &saved) in gradient.iter_mut().zip(saved) {
        *gradient = (f64::from(*gradient) * derivative(activation, f64::from(saved))) as f32;
    }
}

/// f(x).
pub fn function(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Linear => x,
        Activation::Relu if x <= 0.0 => 0.0,
        Activation::LeakyRelu if x <= 0.0 => f64::from(0.01f32) * x,
        Activation::Relu | Activation::LeakyRelu => x,
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
        Activation::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Activation::Elu if x > 0.0 => x,
        Activation::Elu => x.exp_m1(),
        Activation::Silu | Activation::Gelu if x == f64::NEG_INFINITY => 0.0,
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Gelu => 0.5 * x * (1.0 + gelu_argument(x).tanh()),
    }
}

/// f′ at what is saved: the output y = f(x), or the input x where [`Activation::needs_input`] says so.
pub fn derivative(activation: Activation, saved: f64) -> f64 {
    let y = saved;
    // The derivatives by x are constant out there; infinities have the same limit.
    let x = saved.clamp(-1e3, 1e3);
    match activation {
        Activation::Linear => 1.0,
        Activation::Relu | Activation::LeakyRelu if y.is_nan() => y,
        Activation::Relu if y <= 0.0 => 0.0,
        Activation::LeakyRelu if y <= 0.0 => f64::from(0.01f32),
        Activation::Relu | Activation::LeakyRelu => 1.0,
        Activation::Sigmoid => y * (1.0 - y),
        Activation::Tanh => 1.0 - y * y,
        Activation::Softplus => -(-y).exp_m1(),
        Activation::Elu if y > 0.0 => 1.0,
        Activation::Elu => y + 1.0,
        Activation::Silu => {
            let s = 1.0 / (1.0 + (-x).exp());
            s + x * s * (1.0 - s)
        }
        Activation::Gelu => {
            let t = gelu_argument(x).tanh();
            let inner = FRAC_2_PI.sqrt() * (1.0 + 3.0 * 0.044715 * x * x);
            0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner
        }
    }
}

/// √(2/π) (x + 0.044715 x³).
fn gelu_argument(x: f64) -> f64 {
    FRAC_2_PI.sqrt() * (x + 0.044715 * x * x * x)
}
