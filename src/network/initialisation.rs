//! The first values of the weights.

use std::fmt;

use rand::RngExt;
use rand::seq::index;
use rand_distr::{Distribution, StandardNormal};

use super::architecture::{Architecture, Layer};
use crate::kernels::{Activation, Isa};
use crate::linalg::columns::Columns;
use crate::linalg::qr::qr;
use crate::random::{self, Generator, Purpose};
use crate::settings::{text_setting, unknown};

/// How the weights are drawn; biases start at zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Initialisation {
    /// Normal with variance g² / inputs, for the [squared gain](Activation::squared_gain) g² of the layer's activation: as
    /// [`LeCun`](Self::LeCun) before linear, sigmoid and tanh, as [`He`](Self::He) before relu and its kin, between the two
    /// before softplus and elu.
    #[default]
    FanIn,
    /// Normal with variance 2 / inputs, for relu and its kin, which pass half of their input on (He et al., "Delving
    /// deep into rectifiers", 2015, §2.2).
    He,
    /// Uniform in ±√(6 / (inputs + outputs)), a compromise between keeping the size of the signal and of its gradient
    /// (Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, eq. 16).
    Glorot,
    /// Normal with variance 1 / inputs (LeCun et al., "Efficient BackProp", 1998, §4.6).
    LeCun,
    /// Orthonormal rows, or columns where there are fewer of them, drawn uniformly from all such matrices, times the gain
    /// of the layer's activation, √2 for relu (Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep
    /// linear neural networks", 2014).
    Orthogonal,
    /// A given number of weights of each unit are normal, the others zero: units differ more, yet do not saturate, and
    /// their sums have the same size however many inputs there are (Martens, "Deep learning via Hessian-free
    /// optimization", 2010, §5, with 15 weights).
    ///
    /// The deviation is 1 where the units are sigmoid, as the paper's. As tanh(x) = 2 sigmoid(2x) − 1, it is half of
    /// that before tanh, and half again after tanh: ¼ in between, as in Sutskever et al., "On the importance of
    /// initialization and momentum in deep learning", 2013, §3.1. Units that cannot saturate would let the signal grow
    /// from layer to layer: their variance is as in [`FanIn`](Self::FanIn), with the number of weights for the
    /// number of inputs.
    Sparse(usize),
    /// Normal with this standard deviation, around zero.
    Normal(f32),
}

/// The weights of a sparse unit where no other number is given: as in Martens' experiments.
const SPARSE_WEIGHTS: usize = 15;

impl Initialisation {
    /// Its forms in text, as [`str::parse`] reads them.
    pub const FORMS: &'static str = "fan-in|he|glorot|lecun|orthogonal|sparse[:COUNT]|normal:STDDEV";

    fn read(text: &str) -> std::result::Result<Option<Self>, String> {
        let (kind, number) = text.split_once(':').map_or((text, None), |(kind, number)| (kind, Some(number)));
        let wrong = || format!("{}, with numbers above 0", unknown(text, Self::FORMS));
        let above_0 = |number: &f32| *number > 0.0 && number.is_finite();
        Ok(Some(match (kind, number) {
            ("fan-in", None) => Self::FanIn,
            ("he", None) => Self::He,
            ("glorot", None) => Self::Glorot,
            ("lecun", None) => Self::LeCun,
            ("orthogonal", None) => Self::Orthogonal,
            ("sparse", None) => Self::Sparse(SPARSE_WEIGHTS),
            ("sparse", Some(count)) => Self::Sparse(count.parse().ok().filter(|&count| count > 0).ok_or_else(wrong)?),
            ("normal", deviation) => {
                let deviation = deviation.and_then(|number| number.parse().ok()).filter(above_0);
                Self::Normal(deviation.ok_or_else(wrong)?)
            }
            _ => return Ok(None),
        }))
    }

    pub(super) fn fill(self, isa: Isa, architecture: &Architecture, parameters: &mut [f32], seed: u64) {
        let mut generator = random::generator(seed, Purpose::Initialisation);
        // One generator for all layers, in their order: the seed alone decides every weight. The layer before matters to
        // sparse weights only.
        let mut before = Activation::Linear;
        for layer in architecture.layers() {
            let weights = &mut parameters[layer.weight_range()];
            let (inputs, squared_gain) = (layer.inputs() as f32, layer.activation().squared_gain());
            let mut normal = |deviation: f32| fill_normal(&mut generator, deviation, weights);
            match self {
                Self::FanIn => normal((squared_gain / inputs).sqrt()),
                Self::He => normal((2.0 / inputs).sqrt()),
                Self::LeCun => normal((1.0 / inputs).sqrt()),
                Self::Normal(deviation) => normal(deviation),
                Self::Glorot => {
                    let limit = (6.0 / (inputs + layer.outputs() as f32)).sqrt();
                    weights.fill_with(|| generator.random_range(-limit..=limit));
                }
                Self::Orthogonal => fill_orthogonal(isa, &mut generator, squared_gain.sqrt(), layer, weights),
                Self::Sparse(count) => {
                    let count = count.min(layer.inputs());
                    let deviation = sparse_deviation(before, layer.activation(), count);
                    // The other weights stay zero.
                    for unit in weights.chunks_exact_mut(layer.inputs()) {
                        for input in index::sample(&mut generator, layer.inputs(), count) {
                            fill_normal(&mut generator, deviation, &mut unit[input..=input]);
                        }
                    }
                }
            }
            before = layer.activation();
        }
    }
}

fn fill_normal(generator: &mut Generator, deviation: f32, weights: &mut [f32]) {
    for weight in weights {
        let normal: f32 = StandardNormal.sample(generator);
        *weight = deviation * normal;
    }
}

/// The Q of a matrix of normal numbers is uniform once its columns have the signs that make R's diagonal positive
/// (Mezzadri, "How to generate random matrices from the classical compact groups", 2007).
fn fill_orthogonal(isa: Isa, generator: &mut Generator, scale: f32, layer: &Layer, weights: &mut [f32]) {
    let (inputs, outputs) = (layer.inputs(), layer.outputs());
    let mut normal = Columns::zeros(inputs.max(outputs), inputs.min(outputs));
    let (rows, columns) = (normal.rows(), normal.columns());
    for column in 0..columns {
        normal.column_mut(column).fill_with(|| StandardNormal.sample(generator));
    }
    let factors = qr(isa, normal);
    let triangle = factors.upper_triangle(columns);
    let mut q = Columns::zeros(rows, columns);
    for column in 0..columns {
        q.column_mut(column)[column] = triangle.column(column)[column].signum();
    }
    factors.apply(&mut q);
    for (output, unit) in weights.chunks_exact_mut(inputs).enumerate() {
        for (input, weight) in unit.iter_mut().enumerate() {
            let (row, column) = if outputs > inputs { (output, input) } else { (input, output) };
            *weight = scale * q.column(column)[row] as f32;
        }
    }
}

fn sparse_deviation(before: Activation, after: Activation, count: usize) -> f32 {
    let of_inputs = if before == Activation::Tanh { 0.5 } else { 1.0 };
    match after {
        Activation::Sigmoid => of_inputs,
        Activation::Tanh => 0.5 * of_inputs,
        _ => (after.squared_gain() / count as f32).sqrt(),
    }
}

impl fmt::Display for Initialisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FanIn => f.write_str("fan-in"),
            Self::He => f.write_str("he"),
            Self::Glorot => f.write_str("glorot"),
            Self::LeCun => f.write_str("lecun"),
            Self::Orthogonal => f.write_str("orthogonal"),
            Self::Sparse(count) => write!(f, "sparse:{count}"),
            Self::Normal(deviation) => write!(f, "normal:{deviation}"),
        }
    }
}

text_setting!(Initialisation, "init");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activations, Network};

    const NAMED: [Initialisation; 5] = [
        Initialisation::FanIn,
        Initialisation::He,
        Initialisation::Glorot,
        Initialisation::LeCun,
        Initialisation::Orthogonal,
    ];

    fn network(sizes: &str, initialisation: Initialisation, activation: Activation, seed: u64) -> Network {
        let activations = Activations { hidden: activation, code: activation, output: activation };
        Network::new(Architecture::new(sizes.parse().unwrap(), activations, true), initialisation, seed)
    }

    fn deviation(weights: &[f32]) -> f64 {
        let squares: f64 = weights.iter().map(|&weight| f64::from(weight).powi(2)).sum();
        (squares / weights.len() as f64).sqrt()
    }

    fn assert_close(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual / expected - 1.0).abs() < tolerance, "{actual} {expected}");
    }

    #[test]
    fn weights_have_the_deviation_that_was_asked_for() {
        for (initialisation, activation, variance) in [
            (Initialisation::FanIn, Activation::Tanh, 1.0 / 400.0),
            (Initialisation::FanIn, Activation::Relu, 2.0 / 400.0),
            (Initialisation::FanIn, Activation::Elu, 1.5505 / 400.0),
            (Initialisation::He, Activation::Tanh, 2.0 / 400.0),
            (Initialisation::LeCun, Activation::Relu, 1.0 / 400.0),
            (Initialisation::Glorot, Activation::Tanh, 2.0 / 500.0),
            (Initialisation::Normal(0.01), Activation::Relu, 1e-4),
        ] {
            let network = network("400,100,400", initialisation, activation, 3);
            let weights = network.weights(0).as_slice();
            let mean = weights.iter().sum::<f32>() / weights.len() as f32;
            assert_close(deviation(weights), f64::sqrt(variance), 0.02);
            assert!(f64::from(mean).abs() < 4.0 * f64::sqrt(variance / weights.len() as f64), "{mean}");
            assert!(network.biases(0).iter().all(|&bias| bias == 0.0));
        }
    }

    #[test]
    fn what_the_default_draws_is_pinned() {
        let network = network("3,2,3", Initialisation::FanIn, Activation::Silu, 1);
        assert_eq!(network.weights(0).as_slice()[..3], [0.206_468_1, 1.214_423_2, -0.918_070_44]);
    }

    #[test]
    fn glorots_weights_fill_their_bounds() {
        for (sizes, limit) in [("50,20,50", (6.0_f32 / 70.0).sqrt()), ("1,1,1", 3.0_f32.sqrt())] {
            let largest = |seed| {
                let network = network(sizes, Initialisation::Glorot, Activation::Tanh, seed);
                network.parameters().iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()))
            };
            let largest = (0..100).map(largest).fold(0.0, f32::max);
            assert!(largest <= limit && largest > 0.98 * limit, "{largest} {limit}");
        }
    }

    /// Both the layer and its mirror image are looked at.
    #[test]
    fn orthogonal_weights_are_orthonormal_times_the_gain_whatever_the_shape() {
        for sizes in ["70,40,70", "33,33,33", "5,200,5", "1,7,1", "7,1,7", "1,1,1"] {
            for (activation, square) in
                [(Activation::Tanh, 1.0), (Activation::Relu, 2.0), (Activation::Elu, 1.550_518_8)]
            {
                let network = network(sizes, Initialisation::Orthogonal, activation, 3);
                for layer in 0..2 {
                    let weights = network.weights(layer);
                    let (rows, columns) = (weights.rows(), weights.columns());
                    let at = |row: usize, column: usize| f64::from(weights.as_slice()[row * columns + column]);
                    let product = |i, j| -> f64 {
                        if rows <= columns {
                            (0..columns).map(|column| at(i, column) * at(j, column)).sum()
                        } else {
                            (0..rows).map(|row| at(row, i) * at(row, j)).sum()
                        }
                    };
                    for i in 0..rows.min(columns) {
                        for j in 0..=i {
                            let expected = if i == j { square } else { 0.0 };
                            assert!((product(i, j) - expected).abs() < 1e-6, "{sizes}, {layer}: ({i}, {j})");
                        }
                    }
                }
            }
        }
    }

    /// Without the signs of R's diagonal, the first element of Q would always be negative.
    #[test]
    fn orthogonal_weights_are_as_often_positive_as_negative() {
        for sizes in ["1,1,1", "4,3,4"] {
            let first =
                |seed| network(sizes, Initialisation::Orthogonal, Activation::Tanh, seed).weights(0).as_slice()[0];
            let positive = (0..400).filter(|&seed| first(seed) > 0.0).count();
            assert!((160..240).contains(&positive), "{sizes}: {positive}");
        }
    }

    #[test]
    fn each_sparse_unit_has_the_given_number_of_weights_or_as_many_as_inputs() {
        for (sizes, count) in [("400,100,400", 15), ("400,100,400", 1), ("20,4,20", 15), ("1,30,1", 3), ("1,1,1", 15)] {
            let network = network(sizes, Initialisation::Sparse(count), Activation::Sigmoid, 3);
            for layer in 0..2 {
                let weights = network.weights(layer);
                for unit in weights.as_slice().chunks_exact(weights.columns()) {
                    let found = unit.iter().filter(|&&weight| weight != 0.0).count();
                    assert_eq!(found, count.min(weights.columns()), "{sizes}, sparse:{count}, {layer}");
                }
            }
        }
    }

    #[test]
    fn every_input_is_as_likely_to_have_a_sparse_weight() {
        let network = network("40,3000,40", Initialisation::Sparse(10), Activation::Sigmoid, 3);
        let weights = network.weights(0);
        for input in 0..40 {
            let found = weights.as_slice()[input..].iter().step_by(40).filter(|&&weight| weight != 0.0).count();
            assert!((650..850).contains(&found), "{input}: {found}");
        }
    }

    #[test]
    fn sparse_weights_have_the_deviation_that_the_activations_ask_for() {
        for (activation, count, first, second) in [
            (Activation::Sigmoid, 15, 1.0, 1.0),
            (Activation::Tanh, 15, 0.5, 0.25),
            (Activation::Linear, 15, (1.0_f64 / 15.0).sqrt(), (1.0_f64 / 15.0).sqrt()),
            (Activation::Relu, 500, (2.0_f64 / 400.0).sqrt(), (2.0_f64 / 300.0).sqrt()),
        ] {
            let network = network("400,300,400", Initialisation::Sparse(count), activation, 3);
            for (layer, expected) in [first, second].into_iter().enumerate() {
                let weights = network.weights(layer);
                let drawn: Vec<f32> = weights.as_slice().iter().copied().filter(|&weight| weight != 0.0).collect();
                assert_close(deviation(&drawn), expected, 0.04);
            }
        }
    }

    #[test]
    fn names_read_back_and_nonsense_is_refused_with_the_forms() {
        for initialisation in NAMED.into_iter().chain([Initialisation::Normal(0.25), Initialisation::Sparse(7)]) {
            assert_eq!(initialisation.to_string().parse::<Initialisation>().unwrap(), initialisation);
        }
        assert_eq!("sparse".parse::<Initialisation>().unwrap(), Initialisation::Sparse(15));
        for text in [
            "",
            "normal",
            "normal:",
            "normal:0",
            "normal:-1",
            "normal:nan",
            "normal:inf",
            "fan-in:2",
            "uniform",
            "He",
            "he:",
            "orthogonal:2",
            "sparse:",
            "sparse:0",
            "sparse:-1",
            "sparse:1.5",
            "sparse:15:1",
        ] {
            let message = text.parse::<Initialisation>().unwrap_err().to_string();
            for form in Initialisation::FORMS.split('|') {
                assert!(message.contains(form), "{text}: {message}");
            }
        }
    }
}
