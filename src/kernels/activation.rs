//! Activation functions and their derivatives.

use pulp::{Simd, WithSimd};

use super::Isa;
use super::functions::{at_least, at_most, expm1_of_negative, sigmoid, softplus, tanh};
use super::sweep::{Map, sweep_with};
use crate::settings::named_setting;

/// What a layer applies to each of its sums.
///
/// NaN in gives NaN out, in both directions; infinities give the limit. The largest error of `forward` over all 2³²
/// arguments, on every instruction set, is given in units in the last place (ULP) of the exact result.
///
/// ```
/// use diabolo::kernels::{Activation, Isa};
/// let mut values = [-1.0, 0.0, 1.0];
/// let activation: Activation = "tanh".parse()?;
/// activation.forward(Isa::best(), &mut values);
/// assert!((values[2] - 1f32.tanh()).abs() < 1e-6);
/// # Ok::<(), diabolo::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// x.
    Linear,
    /// max(x, 0); −0 gives 0, and the derivative at 0 is 0.
    Relu,
    /// x where it is positive, else 0.01 x; the derivative at 0 is 0.01.
    LeakyRelu,
    /// 1 / (1 + e⁻ˣ), the logistic function. At most 1.87 ULP.
    Sigmoid,
    /// tanh x; ±0 stay. At most 1.6 ULP.
    Tanh,
    /// ln(1 + eˣ). At most 1.82 ULP.
    Softplus,
    /// x where it is positive, else eˣ − 1 (Clevert et al., 2016, with α = 1). At most 1.14 ULP.
    Elu,
    /// x · sigmoid(x), also called swish. The absolute error is at most 4 ε (1 + |x|), ε = 2⁻²⁴.
    Silu,
    /// x · Φ(x) in its tanh form, ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks & Gimpel, 2016), which differs
    /// from the erf form by at most 5 · 10⁻⁴.
    Gelu,
}

impl Activation {
    /// Whether [`backward`](Self::backward) works from the input that `forward` had, not from its output.
    pub fn needs_input(self) -> bool {
        matches!(self, Self::Silu | Self::Gelu)
    }

    /// The gain of weights before this activation, squared: the variance of a layer's weights, times the number of its
    /// inputs, that keeps the size of a signal from layer to layer.
    ///
    /// It is 1 for functions that pass small sums on as they are or saturate (LeCun et al., "Efficient BackProp", 1998,
    /// §4.6), and 2 for those that pass half of their input on (He et al., "Delving deep into rectifiers", 2015, §2.2).
    /// For softplus and elu, between the two, it is 1 / E f(z)² of a standard normal z, by which the next layer's sums
    /// have the variance of this one's.
    pub fn squared_gain(self) -> f32 {
        match self {
            Self::Linear | Self::Sigmoid | Self::Tanh => 1.0,
            Self::Relu | Self::LeakyRelu | Self::Silu | Self::Gelu => 2.0,
            Self::Softplus => 1.085_486_5,
            Self::Elu => 1.550_518_8,
        }
    }

    /// Replaces every value by the function of it.
    pub fn forward(self, isa: Isa, values: &mut [f32]) {
        if self != Self::Linear {
            isa.run(Forwards { activation: self, values });
        }
    }

    /// Multiplies every gradient by the derivative.
    ///
    /// `saved` holds the outputs of `forward`, or its inputs where [`needs_input`](Self::needs_input) says so. Outputs
    /// that the function cannot give (a sigmoid of 2) give no particular result.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn backward(self, isa: Isa, saved: &[f32], gradient: &mut [f32]) {
        assert_eq!(saved.len(), gradient.len(), "slices of different lengths");
        if self != Self::Linear {
            isa.run(Backwards { activation: self, saved, gradient });
        }
    }

    /// As [`forward`](Self::forward), inside of a kernel that is already dispatched. It stays a function of its own, so
    /// that the constants of all activations do not fill the caller's registers.
    #[inline(always)]
    pub(crate) fn forward_with<S: Simd>(self, simd: S, values: &mut [f32]) {
        if self != Self::Linear {
            simd.vectorize(Forwards { activation: self, values });
        }
    }

    /// As [`backward`](Self::backward), inside of a kernel that is already dispatched.
    #[inline(always)]
    pub(crate) fn backward_with<S: Simd>(self, simd: S, saved: &[f32], gradient: &mut [f32]) {
        if self != Self::Linear {
            simd.vectorize(Backwards { activation: self, saved, gradient });
        }
    }
}

/// [`Activation::forward`], to be dispatched.
struct Forwards<'a> {
    activation: Activation,
    values: &'a mut [f32],
}

impl WithSimd for Forwards<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { activation, values } = self;
        match activation {
            Activation::Linear => {}
            Activation::Relu => forward(simd, values, Relu),
            Activation::LeakyRelu => forward(simd, values, LeakyRelu),
            Activation::Sigmoid => forward(simd, values, Sigmoid),
            Activation::Tanh => forward(simd, values, Tanh),
            Activation::Softplus => forward(simd, values, Softplus),
            Activation::Elu => forward(simd, values, Elu),
            Activation::Silu => forward(simd, values, Silu),
            Activation::Gelu => forward(simd, values, Gelu),
        }
    }
}

/// [`Activation::backward`], to be dispatched.
struct Backwards<'a> {
    activation: Activation,
    saved: &'a [f32],
    gradient: &'a mut [f32],
}

impl WithSimd for Backwards<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { activation, saved, gradient } = self;
        match activation {
            Activation::Linear => {}
            Activation::Relu => backward(simd, saved, gradient, Relu),
            Activation::LeakyRelu => backward(simd, saved, gradient, LeakyRelu),
            Activation::Sigmoid => backward(simd, saved, gradient, Sigmoid),
            Activation::Tanh => backward(simd, saved, gradient, Tanh),
            Activation::Softplus => backward(simd, saved, gradient, Softplus),
            Activation::Elu => backward(simd, saved, gradient, Elu),
            Activation::Silu => backward(simd, saved, gradient, Silu),
            Activation::Gelu => backward(simd, saved, gradient, Gelu),
        }
    }
}

named_setting!(Activation, "activation", {
    Linear = "linear",
    Relu = "relu",
    LeakyRelu = "leaky-relu",
    Sigmoid = "sigmoid",
    Tanh = "tanh",
    Softplus = "softplus",
    Elu = "elu",
    Silu = "silu",
    Gelu = "gelu",
});

/// An activation on one register.
trait Function: Copy {
    fn value<S: Simd>(simd: S, x: S::f32s) -> S::f32s;
    /// From what is saved: the output, or the input.
    fn derivative<S: Simd>(simd: S, saved: S::f32s) -> S::f32s;
}

#[derive(Clone, Copy)]
struct Forward<F>(F);

impl<F: Function> Map<0, 1> for Forward<F> {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, []: [S::f32s; 0], [x]: [S::f32s; 1]) -> [S::f32s; 1] {
        [F::value(simd, x)]
    }
}

#[derive(Clone, Copy)]
struct Backward<F>(F);

impl<F: Function> Map<1, 1> for Backward<F> {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, [saved]: [S::f32s; 1], [gradient]: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.mul_f32s(gradient, F::derivative(simd, saved))]
    }
}

#[inline(always)]
fn forward<S: Simd, F: Function>(simd: S, values: &mut [f32], function: F) {
    sweep_with(simd, [], [values], Forward(function));
}

#[inline(always)]
fn backward<S: Simd, F: Function>(simd: S, saved: &[f32], gradient: &mut [f32], function: F) {
    sweep_with(simd, [saved], [gradient], Backward(function));
}

/// `below` where x is zero or negative, 1 where it is positive, NaN where it is NaN.
#[inline(always)]
fn step<S: Simd>(simd: S, below: f32, x: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    let rest = simd.select_f32s(simd.less_than_or_equal_f32s(x, zero), simd.splat_f32s(below), x);
    simd.select_f32s(simd.greater_than_f32s(x, zero), simd.splat_f32s(1.0), rest)
}

#[derive(Clone, Copy)]
struct Relu;

impl Function for Relu {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
        let zero = simd.splat_f32s(0.0);
        simd.select_f32s(simd.less_than_or_equal_f32s(x, zero), zero, x)
    }

    #[inline(always)]
    fn derivative<S: Simd>(simd: S, output: S::f32s) -> S::f32s {
        step(simd, 0.0, output)
    }
}

#[derive(Clone, Copy)]
struct LeakyRelu;

impl LeakyRelu {
    const SLOPE: f32 = 0.01;
}

impl Function for LeakyRelu {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
        let negative = simd.less_than_f32s(x, simd.splat_f32s(0.0));
        simd.select_f32s(negative, simd.mul_f32s(x, simd.splat_f32s(Self::SLOPE)), x)
    }

    #[inline(always)]
    fn derivative<S: Simd>(simd: S, output: S::f32s) -> S::f32s {
        step(simd, Self::SLOPE, output)
    }
}

#[derive(Clone, Copy)]
struct Sigmoid;

impl Function for Sigmoid {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
        sigmoid(simd, x)
    }

    /// y (1 − y).
    #[inline(always)]
    fn derivative<S: Simd>(simd: S, output: S::f32s) -> S::f32s {
        simd.mul_f32s(output, simd.sub_f32s(simd.splat_f32s(1.0), output))
    }
}

#[derive(Clone, Copy)]
struct Tanh;

impl Function for Tanh {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
        tanh(simd, x)
    }

    /// 1 − y² as (1 − y) (1 + y), which keeps its digits near ±1.
    #[inline(always)]
    fn derivative<S: Simd>(simd: S, output: S::f32s) -> S::f32s {
        let one = simd.splat_f32s(1.0);
        simd.mul_f32s(simd.sub_f32s(one, output), simd.add_f32s(one, output))
    }
}

#[derive(Clone, Copy)]
struct Softplus;

impl Function for Softplus {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
        softplus(simd, x)
    }

    /// sigmoid(x) = 1 − e⁻ʸ.
    #[inline(always)]
    fn derivative<S: Simd>(simd: S, output: S::f32s) -> S::f32s {
        simd.neg_f32s(expm1_of_negative(simd, simd.neg_f32s(output)))
    }
}

#[derive(Clone, Copy)]
struct Elu;

impl Function for Elu {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
        simd.select_f32s(simd.less_than_f32s(x, simd.splat_f32s(0.0)), expm1_of_negative(simd, x), x)
    }

    /// eˣ = y + 1 below zero.
    #[inline(always)]
    fn derivative<S: Simd>(simd: S, output: S::f32s) -> S::f32s {
        let one = simd.splat_f32s(1.0);
        let positive = simd.greater_than_f32s(output, simd.splat_f32s(0.0));
        simd.select_f32s(positive, one, simd.add_f32s(output, one))
    }
}

#[derive(Clone, Copy)]
struct Silu;

impl Function for Silu {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
        simd.mul_f32s(at_least(simd, -GATE_BOUND, x), sigmoid(simd, x))
    }

    #[inline(always)]
    fn derivative<S: Simd>(simd: S, input: S::f32s) -> S::f32s {
        gated_derivative(simd, input, sigmoid(simd, input), simd.splat_f32s(1.0))
    }
}

/// Beyond it sigmoid(x) and the gate of [`Gelu`] are 0 or 1. Infinities, which must not meet that 0, are cut to it.
const GATE_BOUND: f32 = 128.0;

/// The derivative of x s with s = sigmoid(u(x)): s + x s (1 − s) u′.
#[inline(always)]
fn gated_derivative<S: Simd>(simd: S, x: S::f32s, s: S::f32s, inner: S::f32s) -> S::f32s {
    let x = at_most(simd, GATE_BOUND, at_least(simd, -GATE_BOUND, x));
    let slope = simd.mul_f32s(s, simd.sub_f32s(simd.splat_f32s(1.0), s));
    simd.mul_add_e_f32s(simd.mul_f32s(x, inner), slope, s)
}

/// x sigmoid(u(x)), because ½ (1 + tanh(u / 2)) = sigmoid(u), with u = 2 √(2/π) (x + 0.044715 x³).
#[derive(Clone, Copy)]
struct Gelu;

impl Gelu {
    /// 2 √(2/π).
    const LINEAR: f32 = 1.595_769;
    /// 2 √(2/π) · 0.044715.
    const CUBIC: f32 = 0.071_354_814;

    /// LINEAR + c CUBIC x²: u / x with c = 1, u′ with c = 3.
    #[inline(always)]
    fn quadratic<S: Simd>(simd: S, x: S::f32s, c: f32) -> S::f32s {
        simd.mul_add_e_f32s(simd.mul_f32s(x, x), simd.splat_f32s(c * Self::CUBIC), simd.splat_f32s(Self::LINEAR))
    }

    #[inline(always)]
    fn gate<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
        sigmoid(simd, simd.mul_f32s(x, Self::quadratic(simd, x, 1.0)))
    }
}

impl Function for Gelu {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
        simd.mul_f32s(at_least(simd, -GATE_BOUND, x), Self::gate(simd, x))
    }

    #[inline(always)]
    fn derivative<S: Simd>(simd: S, input: S::f32s) -> S::f32s {
        let bounded = at_most(simd, GATE_BOUND, at_least(simd, -GATE_BOUND, input));
        gated_derivative(simd, bounded, Self::gate(simd, input), Self::quadratic(simd, bounded, 3.0))
    }
}
