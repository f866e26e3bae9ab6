//! A tile of rows on its way through all layers and back.
//!
//! ```text
//! gather     a row ─▶ traces[0].inputs, row by row ─ transposed ─▶ input, columns × 32
//! forward    layer i: Yᵢ₋₁ ─ W · X + b, f ─▶ Yᵢ (outputs × 32) ─ transposed ─▶ traces[i + 1].inputs
//! output     Yₙ and the target ─ loss ─▶ Δₙ
//! backward   layer i, from the last: Δᵢ ─ Wᵀ · Δ ─▶ ∂Yᵢ₋₁ ∘ f′ ─▶ Δᵢ₋₁
//! ```
//!
//! A layer's inputs are held twice: features × 32 for `tile_product`, row by row for `update_weights`.

use super::architecture::{Architecture, Layer};
use super::examples::Examples;
use super::layer::{TileInput, counted_ranges};
use super::loss::{BatchError, Loss, Objective};
use super::parameters::Network;
use super::reparameterisation::SampledCodes;
use crate::error::Result;
use crate::gemm::{NonzeroFeatures, TILE_ROWS, TileGradient, TileRows};
use crate::kernels::{self, Isa, with_denormals_flushed};
use crate::matrix::AlignedBuffer;
use crate::rows::Rows;

/// The elements that are gathered at a time, in whole rows: they stay in the first-level cache until they are laid out.
const GATHERED: usize = 4096;

/// Up to 32 rows of a minibatch, and what each layer keeps of them.
#[derive(Debug)]
pub(super) struct Tile {
    pub(super) rows: usize,
    /// Some rows, as they are gathered.
    gathered: AlignedBuffer,
    /// The rows, features × 32.
    pub(super) input: AlignedBuffer,
    /// Their targets, likewise; empty as long as these are the rows themselves.
    pub(super) target: AlignedBuffer,
    pub(super) nonzero: NonzeroFeatures,
    /// The errors of the rows, unless they could not be read.
    pub(super) traced: Result<BatchError>,
    pub(super) traces: Vec<Trace>,
    /// The codes, in a variational network.
    sampled: Option<SampledCodes>,
    /// The Gauss-Newton products that were last computed, summed over the rows.
    pub(super) products: Vec<f64>,
}

/// What a layer keeps for the backward pass and the parameters' gradient; each buffer but `inputs` is outputs × 32.
#[derive(Debug)]
pub(super) struct Trace {
    /// Its inputs, row by row.
    inputs: TileRows,
    /// W · inputs + b, where the backward pass needs it.
    preactivation: Option<AlignedBuffer>,
    pub(super) output: AlignedBuffer,
    /// The gradient of the loss by the preactivation.
    pub(super) delta: AlignedBuffer,
}

impl Trace {
    /// What the activation's derivative is computed from, and the delta.
    pub(super) fn saved_and_delta(&mut self) -> (&[f32], &mut [f32]) {
        (self.preactivation.as_ref().unwrap_or(&self.output), &mut self.delta)
    }
}

impl Tile {
    pub(super) fn new(architecture: &Architecture, loss: Loss) -> Self {
        let layers = architecture.layers();
        let trace = |(index, layer): (usize, &Layer)| {
            let buffer = || AlignedBuffer::zeros(layer.outputs() * TILE_ROWS);
            let logits = loss == Loss::CrossEntropy && index + 1 == layers.len();
            let preactivation = (logits || layer.activation().needs_input()).then(buffer);
            Trace { inputs: TileRows::zeros(layer.inputs()), preactivation, output: buffer(), delta: buffer() }
        };
        let columns = architecture.sizes().input();
        Self {
            rows: 0,
            gathered: AlignedBuffer::zeros(rows_together(columns) * columns),
            input: AlignedBuffer::zeros(columns * TILE_ROWS),
            target: AlignedBuffer::default(),
            nonzero: NonzeroFeatures::new(columns),
            traced: Ok(BatchError::default()),
            traces: layers.iter().enumerate().map(trace).collect(),
            sampled: architecture.is_variational().then(|| SampledCodes::new(architecture.sizes().code())),
            products: Vec::new(),
        }
    }

    /// Gathers the rows of `indices`, their targets and their noise.
    pub(super) fn gather(&mut self, isa: Isa, examples: Examples<'_>, indices: &[usize]) -> Result<()> {
        self.rows = indices.len();
        // Targets pass through the first layer's inputs, which transpose rows to a tile; the rows themselves then stay
        // there for the gradient.
        match examples.targets {
            Some(targets) => {
                if self.target.is_empty() {
                    self.target = AlignedBuffer::zeros(self.input.len());
                }
                self.gather_inputs(targets, indices)?;
                self.traces[0].inputs.copy_to(isa, self.rows, &mut self.target);
            }
            None => self.target = AlignedBuffer::default(),
        }
        self.gather_inputs(examples.inputs, indices)?;
        self.traces[0].inputs.copy_to(isa, self.rows, &mut self.input);
        self.nonzero.find(isa, &self.input);
        if let Some(sampled) = &mut self.sampled {
            sampled.gather(examples.noise, indices)?;
        }
        Ok(())
    }

    /// Fills the first layer's inputs.
    fn gather_inputs(&mut self, data: &dyn Rows, indices: &[usize]) -> Result<()> {
        let (inputs, columns) = (&mut self.traces[0].inputs, data.columns());
        let together = rows_together(columns);
        for (first, here) in (0..).step_by(together).zip(indices.chunks(together)) {
            // The next rows are on their way to the cache while these are laid out.
            indices.iter().skip(first + together).take(together).for_each(|&soon| data.prefetch(soon));
            let gathered = &mut self.gathered[..here.len() * columns];
            data.gather(here, gathered)?;
            for (place, row) in (first..).zip(gathered.chunks_exact(columns)) {
                inputs.set_row(place, row);
            }
        }
        Ok(())
    }

    /// Runs the rows through all layers, each of which keeps its inputs and outputs.
    pub(super) fn forward(&mut self, network: &Network) {
        let (isa, rows) = (network.isa(), self.rows);
        let code_layer = network.architecture().encoder_depth();
        for index in 0..self.traces.len() {
            let (before, rest) = self.traces.split_at_mut(index);
            let input = match (before.last(), &self.sampled) {
                (None, _) => TileInput { values: &self.input, nonzero: Some(&self.nonzero), rows },
                (Some(_), Some(sampled)) if index == code_layer => TileInput::new(&sampled.codes, rows),
                (Some(trace), _) => TileInput::new(&trace.output, rows),
            };
            let (here, after) = rest.split_first_mut().expect("a trace for each layer");
            network.tile_layer(index).forward(input, here.preactivation.as_deref_mut(), &mut here.output);
            // The decoder's input is the sampled code, not the distribution that the encoder ends in.
            let mut output = &here.output;
            if let Some(sampled) = self.sampled.as_mut().filter(|_| index + 1 == code_layer) {
                with_denormals_flushed(|| sampled.sample(isa, output));
                output = &sampled.codes;
            }
            if let Some(after) = after.first_mut() {
                after.inputs.set(isa, rows, output);
            }
        }
    }

    /// Runs the gradient of the objective back through all layers, each of which keeps its delta. The objective is the
    /// mean over a minibatch of `batch_rows` rows; returns these rows' share of the errors.
    pub(super) fn backward(&mut self, network: &Network, objective: Objective, batch_rows: usize) -> BatchError {
        let (isa, rows, code_layer) = (network.isa(), self.rows, network.architecture().encoder_depth());
        let mut error = with_denormals_flushed(|| self.output_delta(network, objective.loss, batch_rows));
        for index in (1..self.traces.len()).rev() {
            let (before, rest) = self.traces.split_at_mut(index);
            let (before, layer) = (&mut before[index - 1], network.tile_layer(index));
            let is_code = index == code_layer;
            if let Some(sampled) = self.sampled.as_mut().filter(|_| is_code) {
                // From the sampled code to the means and variances that it came from.
                layer.backward(&rest[0].delta, rows, &mut sampled.gradient);
                let cost = objective.beta / batch_rows as f32;
                error.divergence =
                    with_denormals_flushed(|| sampled.backward(isa, &before.output, rows, cost, &mut before.delta));
            } else {
                layer.backward(&rest[0].delta, rows, &mut before.delta);
            }
            if is_code && objective.code_l1 > 0.0 {
                kernels::add_signs(isa, objective.code_l1 / batch_rows as f32, &before.output, &mut before.delta);
            }
            let (saved, delta) = before.saved_and_delta();
            network.tile_layer(index - 1).backward_activation(saved, delta);
        }
        error
    }

    /// Fills the output layer's delta for the mean loss over the whole minibatch, and sums the errors of these rows.
    fn output_delta(&mut self, network: &Network, loss: Loss, batch_rows: usize) -> BatchError {
        let (isa, scale) = (network.isa(), 1.0 / batch_rows as f32);
        let layers = network.architecture().layers();
        let activation = layers[layers.len() - 1].activation();
        let Trace { preactivation, output, delta, .. } = self.traces.last_mut().expect("a trace for each layer");
        let saved: &[f32] = preactivation.as_ref().unwrap_or(output);
        let target = if self.target.is_empty() { &self.input } else { &self.target };
        let mut error = BatchError::default();
        for here in counted_ranges(output.len(), self.rows) {
            let (output, target) = (&output[here.clone()], &target[here.clone()]);
            let (saved, delta) = (&saved[here.clone()], &mut delta[here]);
            error += match loss {
                Loss::SquaredError => {
                    let squared_error = kernels::squared_error(isa, output, target, scale, delta);
                    activation.backward(isa, saved, delta);
                    BatchError { loss: squared_error, squared_error, divergence: 0.0 }
                }
                // Its gradient by the logits is simple, and needs no derivative of the sigmoid.
                Loss::CrossEntropy => BatchError {
                    loss: kernels::sigmoid_cross_entropy(isa, saved, target, scale, delta),
                    squared_error: kernels::squared_distance(isa, output, target),
                    divergence: 0.0,
                },
            };
        }
        error
    }

    /// What these rows add to the gradient of a layer's parameters.
    pub(super) fn gradient(&self, layer: usize) -> TileGradient<'_> {
        let Trace { inputs, delta, .. } = &self.traces[layer];
        TileGradient { delta, inputs, rows: self.rows }
    }
}

/// The number of rows of this many columns that are gathered at a time.
fn rows_together(columns: usize) -> usize {
    (GATHERED / columns.max(1)).clamp(1, TILE_ROWS)
}
