//! What a network is made of: layer sizes, activations, and where each parameter lies in the flat buffer.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernels::Activation;

/// Each layer's weights and biases start at a multiple of this many elements: a cache line.
const ALIGNMENT: usize = 16;

/// The most elements that the flat parameter buffer may have (16 GiB of `f32`).
const MOST_PARAMETERS: usize = 1 << 32;

/// The sizes of an auto-encoder's layers, input and output included: `784,100,2,100,784`.
///
/// There are at least three, none is 0, and the last is like the first.
///
/// ```
/// use diabolo::network::LayerSizes;
/// let sizes: LayerSizes = "784,100,2,100,784".parse()?;
/// assert_eq!(sizes.code(), 2);
/// assert!("784,100,2".parse::<LayerSizes>().is_err());
/// # Ok::<(), diabolo::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<usize>", into = "Vec<usize>")]
pub struct LayerSizes(Vec<usize>);

impl LayerSizes {
    /// Checks the sizes.
    ///
    /// # Errors
    /// When they are fewer than three, contain 0, do not start and end alike, or need more than 2³² weights.
    pub fn new(sizes: Vec<usize>) -> Result<Self> {
        let wrong = |problem: String| Err(Error::Setting { name: "layers", problem });
        let text = || join(&sizes);
        if sizes.len() < 3 {
            return wrong(format!("`{}` has no hidden layer; at least three sizes are needed, as in 64,2,64", text()));
        }
        if sizes.contains(&0) {
            return wrong(format!("`{}` has a layer of size 0; each size is at least 1", text()));
        }
        if sizes.first() != sizes.last() {
            return wrong(format!("`{}` does not start and end alike; an auto-encoder gives back its input", text()));
        }
        let weights = sizes.windows(2).try_fold(0_usize, |sum, pair| {
            sum.checked_add((pair[0].checked_add(1)?).checked_mul(pair[1])?.checked_add(2 * ALIGNMENT)?)
        });
        if weights.is_none_or(|weights| weights > MOST_PARAMETERS) {
            return wrong(format!("`{}` needs more than 2^32 parameters", text()));
        }
        Ok(Self(sizes))
    }

    /// The sizes, from input to output.
    pub fn as_slice(&self) -> &[usize] {
        &self.0
    }

    /// The number of columns of a row.
    pub fn input(&self) -> usize {
        self.0[0]
    }

    /// The number of columns of a code.
    pub fn code(&self) -> usize {
        self.0[self.bottleneck()]
    }

    /// The index of the bottleneck: the narrowest hidden layer; of several, the one nearest to the middle.
    pub fn bottleneck(&self) -> usize {
        let last = self.0.len() - 1;
        (1..last).min_by_key(|&index| (self.0[index], (2 * index).abs_diff(last))).expect("there is a hidden layer")
    }

    /// Whether the sizes read backwards as they do forwards, around a bottleneck in the middle.
    pub fn is_mirrored(&self) -> bool {
        self.0.len() % 2 == 1 && self.0.iter().eq(self.0.iter().rev())
    }
}

fn join(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

impl fmt::Display for LayerSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&join(&self.0))
    }
}

impl FromStr for LayerSizes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let size = |part: &str| {
            part.trim().parse().map_err(|_| Error::Setting {
                name: "layers",
                problem: format!("`{part}` in `{text}` is no size; give whole numbers and commas: 784,100,2,100,784"),
            })
        };
        Self::new(text.split(',').map(size).collect::<Result<_>>()?)
    }
}

impl TryFrom<Vec<usize>> for LayerSizes {
    type Error = Error;

    fn try_from(sizes: Vec<usize>) -> Result<Self> {
        Self::new(sizes)
    }
}

impl From<LayerSizes> for Vec<usize> {
    fn from(sizes: LayerSizes) -> Self {
        sizes.0
    }
}

/// Which activation follows which layer: by default silu the hidden layers, and none the bottleneck and the output.
///
/// Fill it in with `..Default::default()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activations {
    /// After each hidden layer but the bottleneck.
    #[serde(rename = "activation")]
    pub hidden: Activation,
    /// After the bottleneck.
    #[serde(rename = "code-activation")]
    pub code: Activation,
    /// After the output layer.
    #[serde(rename = "output-activation")]
    pub output: Activation,
}

impl Default for Activations {
    fn default() -> Self {
        Self::hidden(Activation::Silu)
    }
}

impl Activations {
    /// One activation for the hidden layers; bottleneck and output are linear.
    pub fn hidden(hidden: Activation) -> Self {
        Self { hidden, code: Activation::Linear, output: Activation::Linear }
    }
}

/// One layer: outputs = activation(W · inputs + b).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    inputs: usize,
    outputs: usize,
    bias: bool,
    activation: Activation,
    start: usize,
}

impl Layer {
    /// The number of its inputs.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of its outputs.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Whether it has biases.
    pub fn has_bias(&self) -> bool {
        self.bias
    }

    /// What is applied to its outputs.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The number of its weights and biases.
    pub fn parameters(&self) -> usize {
        self.weight_range().len() + self.bias_range().len()
    }

    /// Where its weights lie in the flat buffer, outputs × inputs, row-major.
    pub fn weight_range(&self) -> Range<usize> {
        self.start..self.start + self.inputs * self.outputs
    }

    /// Where its biases lie in the flat buffer; empty without.
    pub fn bias_range(&self) -> Range<usize> {
        let start = self.weight_range().end.next_multiple_of(ALIGNMENT);
        start..start + if self.bias { self.outputs } else { 0 }
    }
}

/// The layers of an auto-encoder, and where their parameters lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
    sizes: LayerSizes,
    layers: Vec<Layer>,
    variational: bool,
}

impl Architecture {
    /// Layers of the given sizes, each with a bias or none with one.
    pub fn new(sizes: LayerSizes, activations: Activations, bias: bool) -> Self {
        let last = sizes.0.len() - 1;
        let choose = |end: usize| match end {
            _ if end == last => activations.output,
            _ if end == sizes.bottleneck() => activations.code,
            _ => activations.hidden,
        };
        let chosen: Vec<_> = (1..=last).map(|end| (choose(end), bias)).collect();
        Self::from_layers(sizes, &chosen)
    }

    /// Layers of the given sizes, each with its own activation and with or without a bias.
    ///
    /// # Panics
    /// When there is not one choice for each size but the first.
    pub fn from_layers(sizes: LayerSizes, choices: &[(Activation, bool)]) -> Self {
        assert_eq!(choices.len(), sizes.0.len() - 1, "one choice for each layer");
        let layers = sizes.0.windows(2).zip(choices).map(|(pair, &(activation, bias))| Layer {
            inputs: pair[0],
            outputs: pair[1],
            bias,
            activation,
            start: 0,
        });
        let mut layers: Vec<Layer> = layers.collect();
        lay_out(&mut layers);
        Self { layers, sizes, variational: false }
    }

    /// The same with a variational encoder, which gives a normal distribution for each element of a code: its last layer
    /// gives the means, then the logarithms of the variances, and the code of a row is sampled from them (Kingma and
    /// Welling, "Auto-encoding variational Bayes", 2014, appendix C.2).
    ///
    /// That layer's outputs are twice the code size; it should be linear.
    pub fn into_variational(mut self) -> Self {
        self.layers[self.sizes.bottleneck() - 1].outputs = 2 * self.sizes.code();
        lay_out(&mut self.layers);
        Self { variational: true, ..self }
    }

    /// Whether its codes are sampled from distributions.
    pub fn is_variational(&self) -> bool {
        self.variational
    }

    /// The sizes of its layers.
    pub fn sizes(&self) -> &LayerSizes {
        &self.sizes
    }

    /// Its layers, from the input on.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The number of layers that make up the encoder.
    pub fn encoder_depth(&self) -> usize {
        self.sizes.bottleneck()
    }

    /// The number of weights and biases of all layers.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(Layer::parameters).sum()
    }

    /// Floating-point operations of the weights in the forward pass of a row: two a weight.
    pub fn forward_operations(&self) -> f64 {
        2.0 * self.weights()
    }

    /// Floating-point operations of the weights in a training step, for each row: forward, for the weights' gradient,
    /// and for the inputs' gradient of all layers but the first.
    pub fn training_operations(&self) -> f64 {
        6.0 * self.weights() - 2.0 * self.layers[0].weight_range().len() as f64
    }

    /// Bytes that training takes at most, in batches of `batch_rows` rows: `elements` elements of all other buffers, and for
    /// every row what each layer takes in, gives out and keeps; `usize::MAX` when they are more.
    pub fn training_bytes(&self, elements: usize, batch_rows: usize) -> usize {
        let row = self.layers.iter().map(|layer| 2 * layer.inputs() + 3 * layer.outputs()).sum::<usize>();
        let rows = batch_rows.saturating_add(32).saturating_mul(row);
        elements.saturating_add(rows).saturating_mul(size_of::<f32>())
    }

    fn weights(&self) -> f64 {
        self.layers.iter().map(|layer| layer.weight_range().len() as f64).sum()
    }

    /// The number of elements of the flat parameter buffer, including the ones between the layers.
    pub fn buffer_length(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.bias_range().end.next_multiple_of(ALIGNMENT))
    }
}

/// Places layers in the flat buffer, one behind the other.
fn lay_out(layers: &mut [Layer]) {
    let mut start = 0;
    for layer in layers {
        layer.start = start;
        start = layer.bias_range().end.next_multiple_of(ALIGNMENT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(text: &str) -> LayerSizes {
        text.parse().unwrap()
    }

    #[test]
    fn the_lectures_network_without_biases_has_2040_parameters() {
        let architecture = Architecture::new(sizes("100,10,2,10,100"), Activations::hidden(Activation::Sigmoid), false);
        assert_eq!(architecture.parameters(), 2040);
    }

    #[test]
    fn biases_count_as_parameters() {
        let architecture = Architecture::new(sizes("3,2,3"), Activations::hidden(Activation::Relu), true);
        assert_eq!(architecture.parameters(), 3 * 2 + 2 + 2 * 3 + 3);
    }

    #[test]
    fn the_bottleneck_is_the_narrowest_hidden_layer_nearest_the_middle() {
        for (text, bottleneck) in
            [("9,2,9", 1), ("9,4,2,4,9", 2), ("9,3,3,3,9", 2), ("4,8,4", 1), ("9,2,5,9", 1), ("9,3,3,9", 1)]
        {
            assert_eq!(sizes(text).bottleneck(), bottleneck, "{text}");
        }
    }

    #[test]
    fn each_layer_has_the_activation_that_was_chosen_for_it() {
        let activations = Activations { hidden: Activation::Relu, code: Activation::Tanh, output: Activation::Sigmoid };
        let architecture = Architecture::new(sizes("9,4,2,4,9"), activations, true);
        let found: Vec<_> = architecture.layers().iter().map(Layer::activation).collect();
        assert_eq!(found, [Activation::Relu, Activation::Tanh, Activation::Relu, Activation::Sigmoid]);
    }

    #[test]
    fn a_variational_encoder_gives_a_mean_and_a_variance_for_each_element_of_the_code() {
        let plain = Architecture::new(sizes("9,4,2,4,9"), Activations::hidden(Activation::Relu), true);
        let variational = plain.clone().into_variational();
        let shapes: Vec<_> = variational.layers().iter().map(|layer| (layer.inputs(), layer.outputs())).collect();
        assert_eq!(shapes, [(9, 4), (4, 4), (2, 4), (4, 9)]);
        assert_eq!(variational.parameters(), plain.parameters() + 2 * 5);
    }

    #[test]
    fn parameters_lie_aligned_and_apart() {
        let plain = Architecture::new(sizes("5,3,5"), Activations::hidden(Activation::Relu), true);
        for architecture in [plain.clone(), plain.into_variational()] {
            let mut end = 0;
            for layer in architecture.layers() {
                for range in [layer.weight_range(), layer.bias_range()] {
                    assert!(range.start >= end && range.start % 16 == 0, "{range:?} after {end}");
                    end = range.end;
                }
            }
            assert!(architecture.buffer_length() >= end);
        }
    }

    #[test]
    fn sizes_that_make_no_auto_encoder_are_errors_that_say_why() {
        for (text, expected) in [
            ("784", "at least three"),
            ("784,784", "at least three"),
            ("4,2,3", "start and end alike"),
            ("4,0,4", "size 0"),
            ("4,x,4", "`x`"),
            ("4,-2,4", "`-2`"),
            ("", "``"),
            ("4,,4", "no size"),
            ("70000,70000,70000", "2^32"),
            ("18446744073709551615,2,18446744073709551615", "2^32"),
        ] {
            let message = text.parse::<LayerSizes>().unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
