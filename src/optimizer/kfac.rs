//! K-FAC: steps along the natural gradient, as long as the curvature of the loss says.

use std::ops::Range;

use rayon::prelude::*;

use super::lbfgs::Lbfgs;
use super::needs::Needs;
use super::step::{Optimizer, Step};
use crate::gemm::gemm;
use crate::kernels::{Isa, Update, axpy, dot, scale, with_denormals_flushed};
use crate::linalg::inverse::inverse;
use crate::matrix::{AlignedBuffer, Matrix, MatrixView, MatrixViewMut};
use crate::network::{Architecture, CurvatureBatch, Gradient, Layer, Network};

/// The share of the moments that a minibatch leaves as they were, once there are enough.
const KEPT: f32 = 0.9;

/// γ: the damping of both factors.
const FACTOR_DAMPING: Damping = Damping { decay: 0.99, of_a_row: 0.45, power: 0.5 };

/// λ: the damping of the curvature that the length of a step is found by.
const STEP_DAMPING: Damping = Damping { decay: 0.98, of_a_row: 2.0, power: 1.0 };

/// Between two updates of the moments.
const UPDATE: Interval = Interval { rows: 16_000, steps: 8 };

/// Between two inversions of them.
const INVERT: Interval = Interval { rows: 40_000, steps: 20 };

/// The curvature is taken over one in this number of a minibatch's rows.
const CURVATURE_DIVISOR: usize = 8;

/// The share of dᵀ G d · vᵀ G v that the determinant of the two directions' products must exceed, lest they are one.
const SAME_DIRECTION: f64 = 1e-9;

/// Rows of a matrix that one task computes.
const TASK_ROWS: usize = 256;

/// A damping that falls from 0.1 to a least value, which is larger for minibatches of fewer rows: their noise would pass
/// for slopes in directions of little curvature.
struct Damping {
    /// The share that a step leaves of it.
    decay: f64,
    /// The least value for a minibatch of one row, and the power of the number of rows that it falls with.
    of_a_row: f64,
    power: f64,
}

impl Damping {
    fn of(&self, step: Step) -> f64 {
        let steps = i32::try_from(step.number).unwrap_or(i32::MAX);
        (self.of_a_row / (step.rows as f64).powf(self.power)).max(0.1 * self.decay.powi(steps))
    }
}

/// How often something is done once the first steps are over: every `rows` rows, or `steps` steps if these come first.
struct Interval {
    rows: usize,
    steps: usize,
}

impl Interval {
    fn ends_at(&self, step: Step) -> bool {
        let steps = (self.rows / step.rows.max(1)).clamp(1, self.steps);
        step.number.is_multiple_of(steps as u64)
    }
}

/// D ← Ḡ⁻¹ ∇ Ā⁻¹ for the gradient ∇ of each layer, V ← a D + b V, W ← W − α V: K-FAC (Martens and Grosse, "Optimizing
/// neural networks with Kronecker-factored approximate curvature", 2015).
///
/// Ā and Ḡ are the moving means of the second moments of a layer's inputs, with a 1 for its biases, and of its deltas
/// towards random targets (§2 to §5); their Kronecker product approximates the Gauss-Newton matrix of the layer, and each
/// is damped by γ, shared between them as in §6.3. a and b minimise the quadratic model of the loss over the last and the new
/// direction, with that matrix itself, of an eighth of the minibatch, and λ in it (§6.4 and §7). So a learning rate of 1 is
/// a whole step, and none need be searched for; an average of the weights takes the minibatches' noise out. Minibatches
/// should be large, a thousand rows or more: a step costs several times one of Adam's, whatever their size.
///
/// Near the end they can have all rows. From one such step to the next the gradient changes with the parameters alone, and
/// so the last ten changes correct Ḡ⁻¹ ∇ Ā⁻¹ by L-BFGS (Nocedal, "Updating quasi-Newton matrices with limited storage",
/// 1980): where the product of two moments is far from the curvature, the changes show it, of all rows. b is 0 then.
///
/// γ falls from 0.1 to 0.45 / √rows and λ from 0.1 to 2 / rows in the first steps, for the rows of a minibatch. The moments
/// are updated, from a part of the minibatch, in each of the first 30 steps and then every 16,000 rows, or eight steps; they
/// are inverted in each of the first 20 steps, in every tenth of the first hundred, and then every 40,000 rows, or 20
/// steps.
#[derive(Clone, Debug)]
pub struct Kfac {
    layers: Vec<Layer>,
    gradient: AlignedBuffer,
    direction: AlignedBuffer,
    velocity: AlignedBuffer,
    /// Ā and Ḡ of each layer.
    moments: AlignedBuffer,
    /// The inverses of both, damped.
    inverses: AlignedBuffer,
    /// The number of minibatches in the moments.
    seen: AlignedBuffer,
    /// The pairs of the last exact steps; without elements if no step will be exact.
    lbfgs: Lbfgs,
    has_exact_steps: bool,
}

impl Kfac {
    pub(super) const NEEDS: Needs = Needs::Curvature { divisor: CURVATURE_DIVISOR };

    /// For a network's layers, and for steps of which some will be exact ([`Step::is_exact`]) or none.
    pub fn new(architecture: &Architecture, has_exact_steps: bool) -> Self {
        let zeros = AlignedBuffer::zeros(architecture.buffer_length());
        let factors = AlignedBuffer::zeros(factors_length(architecture.layers()));
        Self {
            layers: architecture.layers().to_vec(),
            gradient: zeros.clone(),
            direction: zeros.clone(),
            velocity: zeros,
            moments: factors.clone(),
            inverses: factors,
            seen: AlignedBuffer::zeros(1),
            lbfgs: Lbfgs::new(if has_exact_steps { architecture.buffer_length() } else { 0 }),
            has_exact_steps,
        }
    }

    /// The number of elements held for a network's layers.
    pub(super) fn elements(architecture: &Architecture, has_exact_steps: bool) -> usize {
        let parameters = architecture.buffer_length();
        let factors = factors_length(architecture.layers()).saturating_mul(2);
        let lbfgs = if has_exact_steps { Lbfgs::elements(parameters) } else { 0 };
        parameters.saturating_mul(3).saturating_add(factors).saturating_add(lbfgs)
    }

    /// Adds the inputs and deltas of the rows that were traced last to the moments.
    fn update_moments(&mut self, batch: &CurvatureBatch<'_>) {
        self.seen[0] += 1.0;
        let kept = KEPT.min(1.0 - 1.0 / self.seen[0]);
        for (index, [inputs, deltas]) in pairs(&self.layers, &mut self.moments).into_iter().enumerate() {
            let features = batch.inputs(index);
            let features = if self.layers[index].has_bias() { and_ones(&features) } else { features };
            add_moments(inputs, kept, &features);
            add_moments(deltas, kept, &batch.deltas(index));
        }
    }

    /// Inverts the damped moments.
    fn invert_moments(&mut self, damping: f32) {
        let moments = pairs(&self.layers, &mut self.moments);
        let inverses = pairs(&self.layers, &mut self.inverses);
        // γ is shared between the two factors by their sizes (§6.3), so that neither drowns in it.
        let tasks = moments.into_iter().zip(inverses).flat_map(|([inputs, deltas], [of_inputs, of_deltas])| {
            let share = (mean_diagonal(inputs) / mean_diagonal(deltas)).sqrt();
            [(inputs, damping * share, of_inputs), (deltas, damping / share, of_deltas)]
        });
        let tasks: Vec<_> = tasks.collect();
        tasks.into_par_iter().with_max_len(1).for_each(|(moments, damping, out)| {
            with_denormals_flushed(|| {
                let size = moments.len().isqrt();
                let mut damped = Matrix::from_slice(size, size, moments);
                (0..size).for_each(|i| damped.row_mut(i)[i] += damping);
                out.copy_from_slice(inverse(damped.view()).as_slice());
            });
        });
    }

    /// Finds the direction: the gradient, preconditioned.
    fn find_direction(&mut self, isa: Isa) {
        self.direction.copy_from_slice(&self.gradient);
        let Self { layers, inverses, lbfgs, direction, .. } = self;
        lbfgs.multiply(isa, direction, |vector| precondition(layers, inverses, vector));
    }

    /// The Gauss-Newton products dᵀ G d, dᵀ G v and vᵀ G v of the new direction and the velocity, in the mean over `rows`
    /// rows of some parts of the minibatch. With pairs of exact steps, dᵀ G d alone: the new direction has all that the velocity could
    /// add.
    fn curvature(&self, batches: &mut [CurvatureBatch<'_>], rows: usize) -> Vec<f64> {
        let directions = [&self.direction[..], &self.velocity];
        let directions = if self.lbfgs.is_empty() { &directions } else { &directions[..1] };
        let (mut sums, mut seen) = (Vec::new(), 0);
        for batch in batches {
            if seen < rows {
                let (here, count) = batch.gauss_newton_products(rows - seen, directions);
                sums.resize(here.len(), 0.0);
                sums.iter_mut().zip(here).for_each(|(sum, here)| *sum += here);
                seen += count;
            }
        }
        sums.iter_mut().for_each(|sum| *sum /= seen as f64);
        sums
    }

    /// How much of the new direction d and of the velocity v the step is made of: what minimises
    /// −∇ᵀ(a d + b v) + ½ (a d + b v)ᵀ (G + λ) (a d + b v), where `curvature` is dᵀ G d, and dᵀ G v and vᵀ G v if the
    /// velocity has a share.
    fn shares(&self, isa: Isa, curvature: &[f64], damping: f64) -> [f64; 2] {
        let [d, v, gradient] = [&self.direction, &self.velocity, &self.gradient].map(|buffer| &buffer[..]);
        let (dd, slope) = (curvature[0] + damping * dot(isa, d, d), dot(isa, gradient, d));
        if let [_, dv, vv] = curvature {
            let dv = dv + damping * dot(isa, d, v);
            let vv = vv + damping * dot(isa, v, v);
            let old_slope = dot(isa, gradient, v);
            let determinant = dd * vv - dv * dv;
            if determinant > SAME_DIRECTION * dd * vv {
                return [(slope * vv - old_slope * dv) / determinant, (old_slope * dd - slope * dv) / determinant];
            }
        }
        if dd > 0.0 { [slope / dd, 0.0] } else { [0.0; 2] }
    }
}

impl Optimizer for Kfac {
    fn needs(&self) -> Needs {
        Self::NEEDS
    }

    fn step(&mut self, network: &mut Network, gradient: Gradient<'_>, step: Step) {
        let isa = network.isa();
        gradient.apply(Update::write(&mut self.gradient));
        let batches = gradient.into_curvature(network);
        let mut batches = batches.expect("batches with what K-FAC needs: see `Needs::batch`");
        // Sampled targets replace the deltas, and Gauss-Newton products do after them: the gradient is written down by now.
        if updates_moments(step) {
            batches[0].sample_targets(step.number);
            self.update_moments(&batches[0]);
        }
        if inverts_moments(step) {
            self.invert_moments(FACTOR_DAMPING.of(step) as f32);
        }
        if step.is_exact && self.has_exact_steps {
            self.lbfgs.add(isa, network.parameters(), &self.gradient);
        } else {
            self.lbfgs.clear();
        }
        self.find_direction(isa);
        let curvature = self.curvature(&mut batches, step.rows.div_ceil(CURVATURE_DIVISOR));
        let [new, old] = self.shares(isa, &curvature, STEP_DAMPING.of(step));
        scale(isa, old as f32, &mut self.velocity);
        axpy(isa, new as f32, &self.direction, &mut self.velocity);
        axpy(isa, -step.learning_rate, &self.velocity, network.parameters_mut());
    }

    fn memory(&mut self) -> Vec<(&'static str, &mut [f32])> {
        let own = [
            ("velocity", &mut self.velocity[..]),
            ("moments", &mut self.moments),
            ("inverses", &mut self.inverses),
            ("seen", &mut self.seen),
        ];
        own.into_iter().chain(self.lbfgs.memory()).collect()
    }
}

/// Whether the moments are updated in this step.
fn updates_moments(step: Step) -> bool {
    step.number <= 30 || UPDATE.ends_at(step)
}

/// Whether they are inverted in this step.
fn inverts_moments(step: Step) -> bool {
    let number = step.number;
    number <= 20 || number < 100 && number.is_multiple_of(10) || INVERT.ends_at(step)
}

/// The sizes of a layer's two factors: of its inputs, with a 1 for its biases, and of its deltas.
fn sizes(layer: &Layer) -> [usize; 2] {
    [layer.inputs() + usize::from(layer.has_bias()), layer.outputs()]
}

fn factors_length(layers: &[Layer]) -> usize {
    let square = |size: usize| size.saturating_mul(size);
    layers.iter().flat_map(sizes).map(square).fold(0, usize::saturating_add)
}

/// The two factors of each layer.
fn pairs<'a>(layers: &[Layer], mut rest: &'a mut [f32]) -> Vec<[&'a mut [f32]; 2]> {
    let mut part = |size: usize| rest.split_off_mut(..size * size).expect("room for the factors of all layers");
    layers.iter().map(|layer| sizes(layer).map(&mut part)).collect()
}

/// Features × rows, with a feature of ones behind them: the inputs of biases.
fn and_ones(features: &Matrix) -> Matrix {
    let mut all = Matrix::zeros(features.rows() + 1, features.columns());
    let (here, ones) = all.as_mut_slice().split_at_mut(features.as_slice().len());
    here.copy_from_slice(features.as_slice());
    ones.fill(1.0);
    all
}

/// V ← Ḡ⁻¹ V Ā⁻¹ for the part V of `vector` that belongs to each layer; `vector` is laid out as the parameters are.
fn precondition(layers: &[Layer], inverses: &mut [f32], vector: &mut [f32]) {
    for (layer, [of_inputs, of_deltas]) in layers.iter().zip(pairs(layers, inverses)) {
        let [columns, rows] = sizes(layer);
        let of_inputs = MatrixView::new(of_inputs, columns, columns);
        let of_deltas = MatrixView::new(of_deltas, rows, rows);
        let weights = MatrixView::new(&vector[layer.weight_range()], rows, layer.inputs());
        let biases = &vector[layer.bias_range()];
        // V Ā⁻¹ first, in which the biases are one more column of V, which lies elsewhere in the vector.
        let mut half = Matrix::zeros(rows, columns);
        for_rows(half.as_mut_slice(), columns, |here, half| {
            let out = MatrixViewMut::new(half, here.len(), columns);
            gemm(1.0, weights.rows_view(here.clone()), of_inputs.rows_view(0..layer.inputs()), 0.0, out);
            if layer.has_bias() {
                let biases = MatrixView::new(&biases[here.clone()], here.len(), 1);
                let out = MatrixViewMut::new(half, here.len(), columns);
                gemm(1.0, biases, of_inputs.rows_view(layer.inputs()..columns), 1.0, out);
            }
        });
        // Then Ḡ⁻¹ from the left, back to where weights and biases lie.
        let half = half.view();
        let parts = [(layer.weight_range(), 0..layer.inputs()), (layer.bias_range(), layer.inputs()..columns)];
        for (range, of_half) in parts {
            let width = of_half.len();
            for_rows(&mut vector[range], width, |here, vector| {
                let out = MatrixViewMut::new(vector, here.len(), width);
                gemm(1.0, of_deltas.rows_view(here), half.columns_view(of_half.clone()), 0.0, out);
            });
        }
    }
}

/// M ← κ M + (1 − κ) X Xᵀ / rows, for features × rows.
fn add_moments(moments: &mut [f32], kept: f32, features: &Matrix) {
    let share = (1.0 - kept) / features.columns() as f32;
    for_rows(moments, features.rows(), |here, moments| {
        let out = MatrixViewMut::new(moments, here.len(), features.rows());
        gemm(share, features.rows_view(here), features.view().transposed(), kept, out);
    });
}

/// Works on some rows of a matrix at a time, given which ones they are.
fn for_rows(matrix: &mut [f32], columns: usize, work: impl Fn(Range<usize>, &mut [f32]) + Sync) {
    matrix.par_chunks_mut(TASK_ROWS * columns.max(1)).enumerate().for_each(|(task, rows)| {
        let first = task * TASK_ROWS;
        with_denormals_flushed(|| work(first..first + rows.len() / columns, rows));
    });
}

/// The mean of a square matrix' diagonal, and something above 0 if that is none.
fn mean_diagonal(matrix: &[f32]) -> f32 {
    let size = matrix.len().isqrt();
    let sum = matrix.iter().step_by(size + 1).sum::<f32>();
    (sum / size as f32).max(f32::MIN_POSITIVE.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Activation;
    use crate::network::{Activations, Initialisation, Loss};
    use crate::reference::kfac as reference;
    use crate::reference::network::assert_close;

    fn rows(count: usize) -> Matrix {
        Matrix::from_slice(count, 5, &(0..5 * count).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>())
    }

    fn network(bias: bool) -> Network {
        let activations = Activations::hidden(Activation::Tanh);
        Network::new(Architecture::new("5,4,2,4,5".parse().unwrap(), activations, bias), Initialisation::FanIn, 3)
    }

    #[test]
    fn its_steps_are_those_of_the_reference() {
        for (bias, count, is_exact) in
            [(true, 300, false), (true, 7, false), (false, 40, false), (true, 300, true), (false, 40, true)]
        {
            let (mut network, rows) = (network(bias), rows(count));
            let mut expected = reference::Kfac::new(&network, is_exact);
            let mut kfac = Kfac::new(network.architecture(), is_exact);
            let mut batch = kfac.needs().batch(&network, Loss::SquaredError, count);
            let indices: Vec<usize> = (0..count).collect();
            for number in 1..=5 {
                let after = expected.step(&network, &rows, 0.5);
                network.trace(&rows, &indices, &mut batch).unwrap();
                let step = Step { number, learning_rate: 0.5, rows: count, is_exact };
                kfac.step(&mut network, Gradient::traced(&mut batch), step);
                let what = format!("step {number} of {count} rows, exact: {is_exact}");
                assert_close(network.parameters(), &after, 1e-3, &what);
            }
        }
    }

    #[test]
    fn no_gradient_is_no_step() {
        let mut network = network(true);
        network.parameters_mut().fill(0.0);
        let mut kfac = Kfac::new(network.architecture(), true);
        let rows = Matrix::zeros(9, 5);
        let mut batch = kfac.needs().batch(&network, Loss::SquaredError, 9);
        for number in 1..=3 {
            network.trace(&rows, &[0, 1, 2, 3, 4, 5, 6, 7, 8], &mut batch).unwrap();
            let step = Step { number, learning_rate: 1.0, rows: 9, is_exact: true };
            kfac.step(&mut network, Gradient::traced(&mut batch), step);
            assert!(network.parameters().iter().all(|&parameter| parameter == 0.0), "step {number}");
        }
    }

    #[test]
    fn exact_steps_are_as_others_to_one_that_was_made_for_none() {
        let rows = rows(9);
        let run = |is_exact| {
            let mut network = network(true);
            let mut kfac = Kfac::new(network.architecture(), false);
            let mut batch = kfac.needs().batch(&network, Loss::SquaredError, 9);
            for number in 1..=3 {
                network.trace(&rows, &[0, 1, 2, 3, 4, 5, 6, 7, 8], &mut batch).unwrap();
                let step = Step { number, learning_rate: 1.0, rows: 9, is_exact };
                kfac.step(&mut network, Gradient::traced(&mut batch), step);
            }
            network.parameters().to_vec()
        };
        assert_eq!(run(true), run(false));
    }
}
