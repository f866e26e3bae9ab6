//! Instructions that the main kernels, the matrix product and a training step take, counted by Callgrind: the same on every run, so
//! that a small loss shows. `benches/check-instructions.py` compares them with the record beside it.
//!
//! Valgrind knows no AVX-512 and hides it: the counts are those of the AVX2 kernels.

// The macros make items that cannot carry documentation.
#![allow(missing_docs)]

use diabolo::gemm::{TILE_ROWS, TileGradient, TileRows, gemm, tile_product, update_weights};
use diabolo::kernels::{Activation, Isa, Update};
use diabolo::matrix::{AlignedBuffer, Matrix};
use diabolo::network::{Activations, Architecture, Batch, Gradient, Initialisation, Loss, Network};
use diabolo::optimizer::{Optimizer, OptimizerChoice, Step};
use diabolo::reference::pairs::{Case, Pair, pairs};
use gungraun::{library_benchmark, library_benchmark_group, main};
use std::hint::black_box;

/// Not a multiple of a register, so that the ragged end counts too.
const LENGTH: usize = 4099;

fn prepare(name: &str) -> (Pair<f32>, Case<f32>) {
    let pair = pairs().into_iter().find(|pair| pair.name == name).expect("a kernel of the table");
    let mut state = 1u32;
    let case = pair.draw(LENGTH, 0, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state
    });
    (pair, case)
}

#[library_benchmark(setup = prepare)]
#[bench::relu("activation::relu forward")]
#[bench::sigmoid("activation::sigmoid forward")]
#[bench::sigmoid_backward("activation::sigmoid backward")]
#[bench::tanh("activation::tanh forward")]
#[bench::softplus("activation::softplus forward")]
#[bench::silu("activation::silu forward")]
#[bench::silu_backward("activation::silu backward")]
#[bench::gelu("activation::gelu forward")]
#[bench::squared_error("loss::squared_error")]
#[bench::sigmoid_cross_entropy("loss::sigmoid_cross_entropy")]
#[bench::sgd("update::sgd")]
#[bench::momentum("update::momentum")]
#[bench::adam("update::adam")]
#[bench::axpy("slice::axpy")]
#[bench::dot("slice::dot")]
fn kernel((pair, mut case): (Pair<f32>, Case<f32>)) -> [f64; 3] {
    let read: Vec<&[f32]> = case.read.iter().map(Vec::as_slice).collect();
    let mut write: Vec<&mut [f32]> = case.write.iter_mut().map(Vec::as_mut_slice).collect();
    pair.run(Isa::best(), &case.scalars, black_box(&read), black_box(&mut write))
}

/// A (m × k), B (k × n) and C (m × n).
fn matrices((m, k, n): (usize, usize, usize)) -> [Matrix; 3] {
    [(m, k), (k, n), (m, n)].map(|(rows, columns)| {
        let values: Vec<f32> = (0..rows * columns).map(|i| (i % 17) as f32).collect();
        Matrix::from_slice(rows, columns, &values)
    })
}

#[library_benchmark(setup = matrices)]
#[bench::hidden_layer((128, 784, 100))]
#[bench::bottleneck((128, 100, 2))]
fn product([a, b, mut c]: [Matrix; 3]) -> Matrix {
    gemm(1.0, black_box(a.view()), black_box(b.view()), 0.0, c.view_mut());
    c
}

/// A tile of inputs and one of outputs (or their deltas), of a layer with weights outputs × inputs.
fn layer((outputs, inputs): (usize, usize)) -> (Matrix, AlignedBuffer, AlignedBuffer) {
    let tile = |features: usize| {
        let values: Vec<f32> = (0..features * TILE_ROWS).map(|i| (i % 17) as f32).collect();
        AlignedBuffer::from(&values[..])
    };
    let [weights, ..] = matrices((outputs, inputs, 1));
    (weights, tile(inputs), tile(outputs))
}

#[library_benchmark(setup = layer)]
#[bench::hidden_layer((100, 784))]
#[bench::bottleneck((2, 100))]
fn tile_forward((weights, input, mut output): (Matrix, AlignedBuffer, AlignedBuffer)) -> AlignedBuffer {
    tile_product(Isa::best(), weights.view(), &[], black_box(&input), None, TILE_ROWS, &mut output);
    output
}

#[library_benchmark(setup = layer)]
#[bench::hidden_layer((100, 784))]
fn tile_backward((weights, mut input, output): (Matrix, AlignedBuffer, AlignedBuffer)) -> AlignedBuffer {
    tile_product(Isa::best(), weights.view().transposed(), &[], black_box(&output), None, TILE_ROWS, &mut input);
    input
}

fn gradient_of(sizes: (usize, usize)) -> (Matrix, TileRows, AlignedBuffer) {
    let (weights, input, delta) = layer(sizes);
    let mut inputs = TileRows::zeros(weights.columns());
    inputs.set(Isa::best(), TILE_ROWS, &input);
    (weights, inputs, delta)
}

#[library_benchmark(setup = gradient_of)]
#[bench::hidden_layer((100, 784))]
fn weight_update_sgd((mut weights, inputs, delta): (Matrix, TileRows, AlignedBuffer)) -> Matrix {
    let (outputs, columns) = (weights.rows(), weights.columns());
    let tile = |_| TileGradient { delta: &delta, inputs: &inputs, rows: TILE_ROWS };
    update_weights(Isa::best(), 0..outputs, columns, 1, tile, Update::sgd(weights.as_mut_slice(), 0.01));
    weights
}

/// A network, a minibatch of rows, and the buffers of a step. It is small enough to stay on one thread.
struct Training {
    network: Network,
    rows: Matrix,
    batch: Batch,
    optimizer: Box<dyn Optimizer>,
}

fn prepare_step(optimizer: OptimizerChoice) -> Training {
    let architecture =
        Architecture::new("64,40,2,40,64".parse().expect("sizes"), Activations::hidden(Activation::Sigmoid), true);
    let network = Network::new(architecture, Initialisation::FanIn, 1);
    Training {
        rows: Matrix::from_slice(64, 64, &(0..64 * 64).map(|i| (i % 17) as f32 / 16.0).collect::<Vec<_>>()),
        batch: optimizer.needs().batch(&network, Loss::SquaredError, 64),
        optimizer: optimizer.build(network.architecture(), false),
        network,
    }
}

#[library_benchmark(setup = prepare_step)]
#[bench::sgd(OptimizerChoice::SGD)]
#[bench::adam(OptimizerChoice::Adam)]
fn training_step(mut training: Training) -> Training {
    let rows: Vec<usize> = (0..64).collect();
    training.network.trace(&training.rows, black_box(&rows), &mut training.batch).expect("rows in memory");
    let step = Step { number: 1, learning_rate: 0.01, rows: rows.len(), is_exact: false };
    training.optimizer.step(&mut training.network, Gradient::traced(&mut training.batch), step);
    training
}

library_benchmark_group!(
    name = kernels,
    benchmarks = [kernel, product, tile_forward, tile_backward, weight_update_sgd, training_step]
);
main!(library_benchmark_groups = kernels);
