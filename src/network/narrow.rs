//! Minibatches of narrow networks: one dispatch a step, and everything below it inlined.
//!
//! With layers of a few features a step is too little arithmetic to pay for calls, transposed copies and register blocks.
//! That is why this is the one pass that does not go through `layer`: one kernel is dispatched for the whole step, and
//! its loops over layers are inlined.
//!
//! The minibatch is one tile, features × stride, where the stride is the number of rows, rounded up to whole
//! registers of the widest kind.
//! For a layer with weights W (outputs × inputs), inputs X (inputs × stride) and delta Δ (outputs × stride):
//!
//! ```text
//! forward        for each output, for each register of rows:   z = b + Σ over inputs  w · x,  y = f(z)
//! backward       for each input,  for each register of rows:  ∂x = Σ over outputs wᵀ · δ
//! gradient       for each output, for each input:             ∂w = Σ over registers δ · x, then over their lanes
//! ```
//!
//! The innermost loop sums in one register. The gradient is applied to all parameters at once at the end.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::architecture::{Architecture, Layer};
use super::examples::Examples;
use super::loss::{BatchError, Loss, Objective};
use super::parameters::Network;
use crate::error::Result;
use crate::kernels::{
    AddSigns, Isa, Kernel, MOST_LANES, Map, SigmoidCrossEntropy, SquaredDistance, SquaredError, Update, lanes_below,
    with_denormals_flushed,
};
use crate::matrix::AlignedBuffer;
use crate::parallel::is_worth_sharing;
use crate::rows::Rows;

/// The widest layer of a narrow network. In wider ones, the sums over the lanes cost more than the blocks save.
pub(super) const WIDEST: usize = 16;

/// A minibatch on its way through a narrow network.
///
/// The features are the columns of the input, then each layer's outputs. In a tile, the values of one feature for all
/// rows lie side by side.
#[derive(Debug)]
pub(super) struct NarrowBatch {
    /// The rows, one after another, as they are gathered.
    rows: AlignedBuffer,
    /// A tile of all features.
    values: AlignedBuffer,
    /// A tile of the targets, where they are not the input.
    targets: AlignedBuffer,
    /// What each layer computes before its activation; unused for the input.
    preactivations: AlignedBuffer,
    /// The gradient of the loss by the preactivations; unused for the input.
    deltas: AlignedBuffer,
    /// The gradient by every parameter, laid out as the parameters are; zero between the layers.
    gradient: AlignedBuffer,
}

/// Whether a step of `rows` rows should take this pass: the layers are narrow, no code is sampled, and it is not worth
/// sharing.
pub(super) fn is_narrow(architecture: &Architecture, rows: usize) -> bool {
    let work = rows.saturating_mul(2 * architecture.parameters());
    !architecture.is_variational()
        && architecture.sizes().as_slice().iter().all(|&size| size <= WIDEST)
        && !is_worth_sharing(work)
}

impl NarrowBatch {
    /// Room for up to `rows` rows.
    pub(super) fn new(architecture: &Architecture, rows: usize) -> Self {
        let features: usize = architecture.sizes().as_slice().iter().sum();
        let tile = || AlignedBuffer::zeros(features * rows.next_multiple_of(MOST_LANES));
        Self {
            rows: AlignedBuffer::zeros(rows * architecture.sizes().input()),
            values: tile(),
            targets: AlignedBuffer::default(),
            preactivations: tile(),
            deltas: tile(),
            gradient: AlignedBuffer::zeros(architecture.buffer_length()),
        }
    }

    /// As [`Network::trace`].
    pub(super) fn trace(
        &mut self,
        network: &Network,
        objective: Objective,
        examples: Examples<'_>,
        rows: &[usize],
    ) -> Result<BatchError> {
        let stride = rows.len().next_multiple_of(MOST_LANES);
        gather(examples.inputs, rows, stride, &mut self.rows, &mut self.values)?;
        if let Some(targets) = examples.targets {
            if self.targets.is_empty() {
                self.targets = AlignedBuffer::zeros(self.values.len());
            }
            gather(targets, rows, stride, &mut self.rows, &mut self.targets)?;
        }
        // One kernel has all buffers: the whole step is one dispatch.
        let pass = Pass {
            layers: network.architecture().layers(),
            parameters: network.parameters(),
            objective,
            code_layer: network.architecture().encoder_depth() - 1,
            rows: rows.len(),
            stride,
            values: &mut self.values,
            targets: examples.targets.map(|_| &self.targets[..]),
            preactivations: &mut self.preactivations,
            deltas: &mut self.deltas,
            gradient: &mut self.gradient,
        };
        Ok(with_denormals_flushed(|| network.isa().run(pass)))
    }

    /// As [`Batch::apply`](super::Batch::apply).
    pub(super) fn apply(&self, isa: Isa, update: Update<'_>) {
        with_denormals_flushed(|| update.apply(isa, &self.gradient));
    }
}

/// Lays rows out as a tile. `buffer` has room for all of them.
fn gather(data: &dyn Rows, rows: &[usize], stride: usize, buffer: &mut [f32], tile: &mut [f32]) -> Result<()> {
    let mut set_row = |index: usize, row: &[f32]| {
        for (column, &value) in row.iter().enumerate() {
            tile[column * stride + index] = value;
        }
    };
    if let Some(matrix) = data.as_matrix() {
        rows.iter().enumerate().for_each(|(index, &row)| set_row(index, matrix.row(row)));
    } else {
        let columns = data.columns();
        data.gather(rows, &mut buffer[..rows.len() * columns])?;
        (0..rows.len()).for_each(|index| set_row(index, &buffer[index * columns..][..columns]));
    }
    Ok(())
}

/// The forward and backward pass.
struct Pass<'a> {
    layers: &'a [Layer],
    parameters: &'a [f32],
    objective: Objective,
    /// The layer whose outputs are the code.
    code_layer: usize,
    rows: usize,
    /// From a feature to the next one in a tile.
    stride: usize,
    values: &'a mut [f32],
    /// The targets; the input, where there are none.
    targets: Option<&'a [f32]>,
    preactivations: &'a mut [f32],
    deltas: &'a mut [f32],
    gradient: &'a mut [f32],
}

impl WithSimd for Pass<'_> {
    type Output = BatchError;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> BatchError {
        self.repeat_first_row(simd);
        let layers = self.layers;
        // The feature that is the first input of a layer.
        let mut first = 0;
        for layer in layers {
            self.forward(simd, layer, first);
            first += layer.inputs();
        }
        let error = self.output_delta(simd, first);
        for (index, layer) in layers.iter().enumerate().rev() {
            first -= layer.inputs();
            if index == self.code_layer && self.objective.code_l1 > 0.0 {
                self.code_delta(simd, layer, first);
            }
            // The deltas of cross-entropy are by the preactivations already.
            if index + 1 < layers.len() || self.objective.loss == Loss::SquaredError {
                let outputs = self.span(first + layer.inputs(), layer.outputs());
                let saved = if layer.activation().needs_input() { &self.preactivations } else { &self.values };
                layer.activation().backward_with(simd, &saved[outputs.clone()], &mut self.deltas[outputs]);
            }
            self.layer_gradient(simd, layer, first);
            if index > 0 {
                self.input_delta(simd, layer, first);
            }
        }
        error
    }
}

/// In the tiles, element `feature * step + register` of a layer's inputs or outputs is a register of a feature. These are
/// indices, because the divisions in `chunks_exact` would take longer than the arithmetic.
impl Pass<'_> {
    /// The range of `count` features of a tile, from feature `first` on.
    #[inline(always)]
    fn span(&self, first: usize, count: usize) -> Range<usize> {
        first * self.stride..(first + count) * self.stride
    }

    /// The number of registers of a feature, and of those that hold rows.
    #[inline(always)]
    fn registers<S: Simd>(&self) -> (usize, usize) {
        (self.stride / S::F32_LANES, self.rows.div_ceil(S::F32_LANES))
    }

    /// Fills the lanes past the last row with the first row, so that what is computed there is as finite as that.
    #[inline(always)]
    fn repeat_first_row<S: Simd>(&mut self, simd: S) {
        let (last, rest) = (self.rows / S::F32_LANES, self.rows % S::F32_LANES);
        if rest > 0 {
            let inside = lanes_below(simd, rest);
            for feature in 0..self.layers[0].inputs() {
                let span = self.span(feature, 1);
                let values = &mut self.values[span];
                let first = simd.splat_f32s(values[0]);
                let last = &mut S::as_mut_simd_f32s(values).0[last];
                *last = simd.select_f32s(inside, *last, first);
            }
        }
    }

    /// The outputs of a layer, whose first input is feature `first`.
    #[inline(always)]
    fn forward<S: Simd>(&mut self, simd: S, layer: &Layer, first: usize) {
        let (step, registers) = self.registers::<S>();
        let parameters = self.parameters;
        let (weights, biases) = (&parameters[layer.weight_range()], &parameters[layer.bias_range()]);
        let (inputs, outputs) = (self.span(first, layer.inputs()), self.span(first + layer.inputs(), layer.outputs()));
        let (before, after) = self.values.split_at_mut(outputs.start);
        let after = &mut after[..outputs.len()];
        let input = S::as_simd_f32s(&before[inputs]).0;
        let (values, sums) = (S::as_mut_simd_f32s(after).0, S::as_mut_simd_f32s(&mut self.preactivations[outputs]).0);
        for output in 0..layer.outputs() {
            let weights = &weights[output * layer.inputs()..][..layer.inputs()];
            let bias = simd.splat_f32s(biases.get(output).copied().unwrap_or(0.0));
            for register in 0..registers {
                let mut sum = bias;
                for (feature, &weight) in weights.iter().enumerate() {
                    sum = simd.mul_add_e_f32s(simd.splat_f32s(weight), input[feature * step + register], sum);
                }
                sums[output * step + register] = sum;
                values[output * step + register] = sum;
            }
        }
        layer.activation().forward_with(simd, after);
    }

    /// The gradient of the mean loss by the outputs (by the preactivations, for cross-entropy), zero in the lanes past
    /// the last row; and the errors. The first output is feature `first`.
    #[inline(always)]
    fn output_delta<S: Simd>(&mut self, simd: S, first: usize) -> BatchError {
        let (step, registers) = self.registers::<S>();
        let (columns, zero) = (self.layers[0].inputs(), simd.splat_f32s(0.0));
        let scale = 1.0 / self.rows as f32;
        let (inputs, outputs) = (self.span(0, columns), self.span(first, columns));
        let targets = self.targets.unwrap_or(&self.values[inputs]);
        let (targets, values) = (S::as_simd_f32s(targets).0, S::as_simd_f32s(&self.values[outputs.clone()]).0);
        let (sums, deltas) = (
            S::as_simd_f32s(&self.preactivations[outputs.clone()]).0,
            S::as_mut_simd_f32s(&mut self.deltas[outputs]).0,
        );
        // A register of rows at a time goes down the columns: its sums then lose the lanes past the last row, and go into
        // doubles.
        let mut error = BatchError::default();
        for register in 0..registers {
            let inside = lanes_below(simd, self.rows - register * S::F32_LANES);
            let sum_inside = |terms| f64::from(simd.reduce_sum_f32s(simd.select_f32s(inside, terms, zero)));
            let (mut losses, mut distances) = (zero, zero);
            for at in (0..columns).map(|column| column * step + register) {
                let (output, target) = (values[at], targets[at]);
                let ([gradient], loss) = match self.objective.loss {
                    Loss::SquaredError => SquaredError::new(scale).apply(simd, [output, target], [zero]),
                    Loss::CrossEntropy => {
                        let ([], distance) = SquaredDistance.apply(simd, [output, target], []);
                        distances = simd.add_f32s(distances, distance);
                        SigmoidCrossEntropy::new(scale).apply(simd, [sums[at], target], [zero])
                    }
                };
                losses = simd.add_f32s(losses, loss);
                deltas[at] = simd.select_f32s(inside, gradient, zero);
            }
            let loss = sum_inside(losses);
            // Cross-entropy is another loss: the squared error has sums of its own.
            let squared_error = if self.objective.loss == Loss::SquaredError { loss } else { sum_inside(distances) };
            error += BatchError { loss, squared_error, divergence: 0.0 };
        }
        error
    }

    /// Adds the code's sparsity cost to the gradient by the code, which stays zero in the lanes past the last row.
    #[inline(always)]
    fn code_delta<S: Simd>(&mut self, simd: S, layer: &Layer, first: usize) {
        let (step, registers) = self.registers::<S>();
        let codes = self.span(first + layer.inputs(), layer.outputs());
        let values = S::as_simd_f32s(&self.values[codes.clone()]).0;
        let deltas = S::as_mut_simd_f32s(&mut self.deltas[codes]).0;
        let signs = AddSigns { a: self.objective.code_l1 / self.rows as f32 };
        for register in 0..registers {
            let inside = lanes_below(simd, self.rows - register * S::F32_LANES);
            for at in (0..layer.outputs()).map(|output| output * step + register) {
                let [delta] = signs.map(simd, [values[at]], [deltas[at]]);
                deltas[at] = simd.select_f32s(inside, delta, deltas[at]);
            }
        }
    }

    /// The gradient by a layer's weights and biases.
    #[inline(always)]
    fn layer_gradient<S: Simd>(&mut self, simd: S, layer: &Layer, first: usize) {
        let (step, registers) = self.registers::<S>();
        let (inputs, outputs) = (self.span(first, layer.inputs()), self.span(first + layer.inputs(), layer.outputs()));
        let inputs = S::as_simd_f32s(&self.values[inputs]).0;
        let deltas = S::as_simd_f32s(&self.deltas[outputs]).0;
        let (weights, biases) = (layer.weight_range().start, layer.bias_range());
        for output in 0..layer.outputs() {
            let deltas = &deltas[output * step..][..registers];
            let weights = &mut self.gradient[weights + output * layer.inputs()..][..layer.inputs()];
            for (feature, gradient) in weights.iter_mut().enumerate() {
                let products = deltas.iter().zip(&inputs[feature * step..][..registers]);
                let zero = simd.splat_f32s(0.0);
                let sum = products.fold(zero, |sum, (&delta, &input)| simd.mul_add_e_f32s(delta, input, sum));
                *gradient = simd.reduce_sum_f32s(sum);
            }
            if layer.has_bias() {
                let sum = deltas.iter().fold(simd.splat_f32s(0.0), |sum, &delta| simd.add_f32s(sum, delta));
                self.gradient[biases.start + output] = simd.reduce_sum_f32s(sum);
            }
        }
    }

    /// The gradient by a layer's inputs.
    #[inline(always)]
    fn input_delta<S: Simd>(&mut self, simd: S, layer: &Layer, first: usize) {
        let (step, registers) = self.registers::<S>();
        let weights = &self.parameters[layer.weight_range()];
        let (inputs, outputs) = (self.span(first, layer.inputs()), self.span(first + layer.inputs(), layer.outputs()));
        let (before, after) = self.deltas.split_at_mut(outputs.start);
        let (before, after) = (S::as_mut_simd_f32s(&mut before[inputs]).0, S::as_simd_f32s(&after[..outputs.len()]).0);
        for feature in 0..layer.inputs() {
            for register in 0..registers {
                let mut sum = simd.splat_f32s(0.0);
                for output in 0..layer.outputs() {
                    let weight = simd.splat_f32s(weights[output * layer.inputs() + feature]);
                    sum = simd.mul_add_e_f32s(weight, after[output * step + register], sum);
                }
                before[feature * step + register] = sum;
            }
        }
    }
}
