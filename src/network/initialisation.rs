//! The first values of the weights.

use std::fmt;
use std::str::FromStr;

use rand_distr::{Distribution, StandardNormal};

use super::Architecture;
use crate::error::{Error, Result};
use crate::kernels::Activation;
use crate::random::{self, Purpose};

/// How the weights are drawn; biases start at zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Initialisation {
    /// Normal with variance 1 / inputs (LeCun et al., "Efficient BackProp", 1998, §4.6), or 2 / inputs before relu
    /// and its kin, which pass half of their input on (He et al., "Delving deep into rectifiers", 2015, §2.2).
    #[default]
    FanIn,
    /// Normal with this standard deviation: the lectures' "random weights close to zero".
    Normal(f32),
}

impl Initialisation {
    pub(super) fn fill(self, architecture: &Architecture, parameters: &mut [f32], seed: u64) {
        let mut generator = random::generator(seed, Purpose::Initialisation);
        for layer in architecture.layers() {
            let deviation = match self {
                Self::FanIn => (gain(layer.activation()) / layer.inputs() as f32).sqrt(),
                Self::Normal(deviation) => deviation,
            };
            for weight in &mut parameters[layer.weight_range()] {
                let normal: f32 = StandardNormal.sample(&mut generator);
                *weight = deviation * normal;
            }
        }
    }
}

/// The variance, times the number of inputs, that keeps a signal's size from layer to layer.
fn gain(activation: Activation) -> f32 {
    match activation {
        Activation::Relu | Activation::LeakyRelu | Activation::Silu | Activation::Gelu => 2.0,
        _ => 1.0,
    }
}

impl fmt::Display for Initialisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FanIn => f.write_str("fan-in"),
            Self::Normal(deviation) => write!(f, "normal:{deviation}"),
        }
    }
}

impl FromStr for Initialisation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::Setting {
            name: "init",
            problem: format!(
                "`{text}` is neither `fan-in` nor `normal:STDDEV` with a number above 0, as in normal:0.1"
            ),
        };
        match text.split_once(':') {
            None if text == "fan-in" => Ok(Self::FanIn),
            Some(("normal", number)) => match number.parse::<f32>() {
                Ok(deviation) if deviation > 0.0 && deviation.is_finite() => Ok(Self::Normal(deviation)),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activations, Network};

    fn deviation(initialisation: Initialisation, activation: Activation) -> f64 {
        let architecture = Architecture::new(
            "400,100,400".parse().unwrap(),
            Activations { code: activation, ..Activations::hidden(activation) },
            true,
        );
        let network = Network::new(architecture, initialisation, 3);
        let weights = network.weights(0);
        let squares: f64 = weights.as_slice().iter().map(|&weight| f64::from(weight).powi(2)).sum();
        assert!(network.biases(0).iter().all(|&bias| bias == 0.0));
        (squares / weights.as_slice().len() as f64).sqrt()
    }

    #[test]
    fn weights_have_the_deviation_that_was_asked_for() {
        let close = |actual: f64, expected: f64| assert!((actual / expected - 1.0).abs() < 0.02, "{actual} {expected}");
        close(deviation(Initialisation::FanIn, Activation::Tanh), (1.0_f64 / 400.0).sqrt());
        close(deviation(Initialisation::FanIn, Activation::Relu), (2.0_f64 / 400.0).sqrt());
        close(deviation(Initialisation::Normal(0.01), Activation::Relu), 0.01);
    }

    #[test]
    fn names_read_back_and_nonsense_is_refused() {
        for initialisation in [Initialisation::FanIn, Initialisation::Normal(0.25)] {
            assert_eq!(initialisation.to_string().parse::<Initialisation>().unwrap(), initialisation);
        }
        for text in
            ["", "normal", "normal:", "normal:0", "normal:-1", "normal:nan", "normal:inf", "fan-in:2", "uniform"]
        {
            assert!(text.parse::<Initialisation>().is_err(), "{text}");
        }
    }
}
