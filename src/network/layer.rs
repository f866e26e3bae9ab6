//! One layer of a tile of rows: forward, backward, and the tangent.
//!
//! A tile holds 32 rows feature by feature, features × 32, so that the values of one feature fill whole registers. With
//! weights W (outputs × inputs, row-major), biases b and activation f, a layer computes
//!
//! ```text
//! forward    Z = W · X + b,  Y = f(Z)         X: inputs × 32    Z, Y: outputs × 32
//! backward   Δ = ∂Y ∘ f′(Z)                   Δ = ∂Z: outputs × 32, the layer's delta
//!            ∂X = Wᵀ · Δ                      the ∂Y of the layer before
//! tangent    Ż = Ẇ · X + ḃ + W · Ẋ            as the parameters move along (Ẇ, ḃ) and the inputs along Ẋ
//!            Ẏ = Ż ∘ f′(Z)
//! ```
//!
//! where ∂ is the gradient of the loss. The gradient by W and b, Δ · Xᵀ, is summed over all tiles of a minibatch: see
//! `tiled`. Both products of a pass, W · X and Wᵀ · Δ, go through [`product`].

use std::ops::Range;

use super::architecture::Layer;
use super::parameters::Network;
use crate::gemm::{NonzeroFeatures, TILE_ROWS, tile_product};
use crate::kernels::{self, Activation, Isa, with_denormals_flushed};
use crate::matrix::MatrixView;
use crate::parallel::for_each_piece;

/// Features that one thread computes together: a multiple of what stays in registers, so that none is left over.
const FEATURES_TOGETHER: usize = 96;

/// A tile that a product takes in.
#[derive(Clone, Copy, Debug)]
pub(super) struct TileInput<'a> {
    /// Features × 32.
    pub values: &'a [f32],
    /// The features that are not zero in all rows, where they are known.
    pub nonzero: Option<&'a NonzeroFeatures>,
    /// The number of rows that count; the others hold anything.
    pub rows: usize,
}

impl<'a> TileInput<'a> {
    pub(super) fn new(values: &'a [f32], rows: usize) -> Self {
        Self { values, nonzero: None, rows }
    }
}

/// A layer with its parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct TileLayer<'a> {
    isa: Isa,
    activation: Activation,
    weights: MatrixView<'a>,
    /// One an output, or none.
    biases: &'a [f32],
}

impl Network {
    /// The layer of this index, with its parameters.
    pub(super) fn tile_layer(&self, index: usize) -> TileLayer<'_> {
        TileLayer::new(self.isa(), &self.architecture().layers()[index], self.parameters())
    }
}

impl<'a> TileLayer<'a> {
    /// The layer with its part of `parameters`, which are laid out as the network's are: these, or a direction in their
    /// space.
    pub(super) fn new(isa: Isa, layer: &Layer, parameters: &'a [f32]) -> Self {
        let weights = MatrixView::new(&parameters[layer.weight_range()], layer.outputs(), layer.inputs());
        Self { isa, activation: layer.activation(), weights, biases: &parameters[layer.bias_range()] }
    }

    /// The same layer with its first `outputs` outputs alone.
    pub(super) fn first_outputs(self, outputs: usize) -> Self {
        let biases = &self.biases[..outputs.min(self.biases.len())];
        Self { weights: self.weights.rows_view(0..outputs), biases, ..self }
    }

    /// Z = W · X + b.
    pub(super) fn preactivation(self, input: TileInput<'_>, preactivation: &mut [f32]) {
        product(self.isa, self.weights, self.biases, input, preactivation);
    }

    /// Y = f(Z), and Z where there is a buffer for it.
    pub(super) fn forward(self, input: TileInput<'_>, preactivation: Option<&mut [f32]>, output: &mut [f32]) {
        self.preactivation(input, output);
        if let Some(preactivation) = preactivation {
            preactivation.copy_from_slice(output);
        }
        with_denormals_flushed(|| self.activation.forward(self.isa, output));
    }

    /// The gradient by the inputs, Wᵀ · Δ, for the first `rows` rows.
    pub(super) fn backward(self, delta: &[f32], rows: usize, input_gradient: &mut [f32]) {
        product(self.isa, self.weights.transposed(), &[], TileInput::new(delta, rows), input_gradient);
    }

    /// Multiplies by f′: turns the gradient by the outputs into the delta, and the preactivation's tangent into the
    /// outputs'. `saved` is what the activation needs for it, Z or Y (see [`Activation::backward`]).
    pub(super) fn backward_activation(self, saved: &[f32], gradient: &mut [f32]) {
        with_denormals_flushed(|| self.activation.backward(self.isa, saved, gradient));
    }

    /// The tangent of the preactivation, Ẇ · X + ḃ + W · Ẋ: the Jacobian-vector product for a direction, which is this
    /// layer with Ẇ and ḃ for its parameters. Without an input tangent, Ẋ is zero. `scratch` is as long as `tangent`, or
    /// longer.
    pub(super) fn tangent(
        self,
        direction: Self,
        input: TileInput<'_>,
        input_tangent: Option<&[f32]>,
        scratch: &mut [f32],
        tangent: &mut [f32],
    ) {
        direction.preactivation(input, tangent);
        if let Some(input_tangent) = input_tangent {
            let from_inputs = &mut scratch[..tangent.len()];
            product(self.isa, self.weights, &[], TileInput::new(input_tangent, input.rows), from_inputs);
            with_denormals_flushed(|| kernels::axpy(self.isa, 1.0, from_inputs, tangent));
        }
    }
}

/// C ← A · X + b for a tile X, shared between threads where it is large: the one place where forward, backward and
/// tangent choose their product (another instruction set, or bfloat16). The gradient's is chosen in `tiled`.
///
/// Each task computes some features of C (rows of A) for all rows of the tile, and an element of C depends neither on
/// the others nor on who computes them.
fn product(isa: Isa, a: MatrixView<'_>, bias: &[f32], input: TileInput<'_>, output: &mut [f32]) {
    let operations = input.rows * a.rows() * a.columns();
    for_each_piece(output, FEATURES_TOGETHER * TILE_ROWS, operations, |task, output| {
        let start = task * FEATURES_TOGETHER;
        let features = start..start + output.len() / TILE_ROWS;
        let bias = if bias.is_empty() { bias } else { &bias[features.clone()] };
        with_denormals_flushed(|| {
            tile_product(isa, a.rows_view(features), bias, input.values, input.nonzero, input.rows, output);
        });
    });
}

/// The ranges of a tile of `length` elements that hold the first `rows` rows: one range for a full tile, else one for each
/// feature, so that what the other rows hold does not count.
pub(super) fn counted_ranges(length: usize, rows: usize) -> impl Iterator<Item = Range<usize>> {
    let (step, counted) = if rows == TILE_ROWS { (length, length) } else { (TILE_ROWS, rows) };
    (0..length).step_by(step).map(move |start| start..start + counted)
}
