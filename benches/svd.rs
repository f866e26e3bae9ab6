//! Decompositions by wall clock: square matrices with both sets of vectors, and PCA of 60,000 rows of 784 bytes.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use diabolo::Matrix;
use diabolo::linalg::svd;
use diabolo::pca::{Components, Pca, PcaOptions, Solver};
use diabolo::rows::{Rows, RowsInMemory};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use std::hint::black_box;

fn square(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("svd");
    group.sample_size(10);
    for size in [64, 128, 256, 512, 1024] {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(0);
        let values: Vec<f32> = (0..size * size).map(|_| generator.sample(StandardNormal)).collect();
        let matrix = Matrix::from_slice(size, size, &values);
        group.bench_with_input(BenchmarkId::from_parameter(size), &matrix, |bencher, matrix| {
            bencher.iter(|| svd(black_box(matrix).view()).expect("it converges"));
        });
    }
    group.finish();
}

/// Bytes whose columns depend on their neighbours, as pixels do.
struct Pixels(Vec<u8>);

const COLUMNS: usize = 784;

impl Pixels {
    fn new(rows: usize) -> Self {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(0);
        let mut last = 0u8;
        Self(
            (0..rows * COLUMNS)
                .map(|_| {
                    last = last.wrapping_add(generator.random_range(0..32));
                    last
                })
                .collect(),
        )
    }
}

impl Rows for Pixels {
    fn rows(&self) -> usize {
        self.0.len() / COLUMNS
    }

    fn columns(&self) -> usize {
        COLUMNS
    }

    fn gather(&self, indices: &[usize], out: &mut [f32]) -> diabolo::Result<()> {
        self.copy_rows(indices, out);
        Ok(())
    }
}

impl RowsInMemory for Pixels {
    fn copy_row(&self, row: usize, out: &mut [f32]) {
        for (to, &byte) in out.iter_mut().zip(&self.0[row * COLUMNS..]) {
            *to = f32::from(byte) / 255.0;
        }
    }
}

fn tall(criterion: &mut Criterion) {
    let rows = Pixels::new(60_000);
    let mut group = criterion.benchmark_group("pca_60000x784");
    group.sample_size(10);
    for (solver, count) in
        [(Solver::Jacobi, COLUMNS), (Solver::Jacobi, 30), (Solver::Randomized, 30), (Solver::Randomized, 2)]
    {
        let options = PcaOptions { components: Components::Count(count), solver, ..PcaOptions::default() };
        group.bench_with_input(BenchmarkId::new(solver.name(), count), &options, |bencher, options| {
            bencher.iter(|| Pca::fit(black_box(&rows), options).expect("finite numbers"));
        });
    }
    group.finish();
}

criterion_group!(benches, square, tall);
criterion_main!(benches);
