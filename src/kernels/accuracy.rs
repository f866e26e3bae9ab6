//! The error bounds that the documentation states, in units in the last place.
//!
//! The sampled tests always run. The exhaustive ones take all 2³² arguments and print the largest error:
//! `cargo test --release --lib accuracy -- --ignored --nocapture --test-threads 1`.

use rayon::prelude::*;

use super::tests::{exp, instruction_sets};
use super::{Activation, Isa};
use crate::reference::{self, ulps};

/// Bit patterns that are walked together.
const CHUNK: u32 = 1 << 12;

/// Asserts a bound at every `stride`-th float, and prints the largest error found on each instruction set.
fn bound(
    name: &str,
    bound: f64,
    stride: u32,
    kernel: impl Fn(Isa, &mut [f32]) + Sync,
    exact: impl Fn(f64) -> f64 + Sync,
) {
    let sets = instruction_sets();
    let worst = (0..=u32::MAX / (CHUNK * stride))
        .into_par_iter()
        .map(|chunk| {
            let first = chunk * CHUNK * stride;
            let x: Vec<f32> =
                (0..CHUNK).map(|i| f32::from_bits(first.wrapping_add(i * stride + chunk % stride))).collect();
            let y: Vec<f64> = x.iter().map(|&x| exact(f64::from(x))).collect();
            let error_on = |&isa: &Isa| {
                let mut values = x.clone();
                kernel(isa, &mut values);
                let errors = values.iter().zip(&y).map(|(&actual, &exact)| ulps(actual, exact));
                errors.zip(&x).fold((0.0, 0.0), |worst, (error, &x)| if error > worst.0 { (error, x) } else { worst })
            };
            sets.iter().map(error_on).collect::<Vec<_>>()
        })
        .reduce(
            || vec![(0.0, 0.0); sets.len()],
            |a, b| a.into_iter().zip(b).map(|(a, b)| if b.0 > a.0 { b } else { a }).collect(),
        );
    for (isa, (error, x)) in sets.iter().zip(&worst) {
        println!("{name} on {isa}: at most {error:.4} ULP, at {x:e}");
    }
    for (isa, (error, x)) in sets.iter().zip(worst) {
        assert!(error <= bound, "{name}({x:e}) is {error} ULP off on {isa}");
    }
}

fn bound_exp(stride: u32) {
    bound("exp", 1.07, stride, exp, f64::exp);
}

fn bound_activation(activation: Activation, ulps: f64, stride: u32) {
    let kernel = |isa, values: &mut [f32]| activation.forward(isa, values);
    bound(activation.name(), ulps, stride, kernel, |x| reference::activation::function(activation, x));
}

/// A prime, so that the low bits vary; about four million floats.
const SAMPLED: u32 = 1021;

#[test]
fn exp_sampled() {
    bound_exp(SAMPLED);
}

#[test]
fn sigmoid_sampled() {
    bound_activation(Activation::Sigmoid, 1.87, SAMPLED);
}

#[test]
fn tanh_sampled() {
    bound_activation(Activation::Tanh, 1.6, SAMPLED);
}

#[test]
fn softplus_sampled() {
    bound_activation(Activation::Softplus, 1.82, SAMPLED);
}

#[test]
fn elu_sampled() {
    bound_activation(Activation::Elu, 1.14, SAMPLED);
}

#[test]
#[ignore = "all floats: a minute"]
fn exp_exhaustive() {
    bound_exp(1);
}

#[test]
#[ignore = "all floats: a minute"]
fn sigmoid_exhaustive() {
    bound_activation(Activation::Sigmoid, 1.87, 1);
}

#[test]
#[ignore = "all floats: a minute"]
fn tanh_exhaustive() {
    bound_activation(Activation::Tanh, 1.6, 1);
}

#[test]
#[ignore = "all floats: two minutes"]
fn softplus_exhaustive() {
    bound_activation(Activation::Softplus, 1.82, 1);
}

#[test]
#[ignore = "all floats: a minute"]
fn elu_exhaustive() {
    bound_activation(Activation::Elu, 1.14, 1);
}
