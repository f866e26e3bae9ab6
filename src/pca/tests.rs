use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;

use super::*;
use crate::kernels::Isa;
use crate::matrix::Matrix;
use crate::reference;

/// Rows of falling variance about a mean far from zero, in no particular direction.
fn cloud(rows: usize, columns: usize, seed: u64) -> Matrix {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mixing: Vec<f32> = (0..columns * columns).map(|_| generator.sample(StandardNormal)).collect();
    let mut out = Matrix::zeros(rows, columns);
    for i in 0..rows {
        let source: Vec<f32> =
            (0..columns).map(|k| 0.8f32.powi(k as i32) * generator.sample::<f32, _>(StandardNormal)).collect();
        for (j, value) in out.row_mut(i).iter_mut().enumerate() {
            *value = 20.0 + j as f32 + source.iter().zip(&mixing[j * columns..]).map(|(a, b)| a * b).sum::<f32>();
        }
    }
    out
}

fn options(components: Components, solver: Solver) -> PcaOptions {
    PcaOptions { components, solver, ..PcaOptions::default() }
}

fn count(count: usize) -> PcaOptions {
    options(Components::Count(count), Solver::Auto)
}

/// Means, singular values and components by the textbook, in double precision.
fn truth(rows: &Matrix, center: bool) -> (Vec<f64>, Vec<f64>, Vec<Vec<f64>>) {
    let columns: Vec<Vec<f64>> =
        (0..rows.columns()).map(|j| (0..rows.rows()).map(|i| f64::from(rows.row(i)[j])).collect()).collect();
    let mean: Vec<f64> = columns
        .iter()
        .map(|column| if center { column.iter().sum::<f64>() / rows.rows() as f64 } else { 0.0 })
        .collect();
    let centered: Vec<Vec<f64>> =
        columns.iter().zip(&mean).map(|(column, mean)| column.iter().map(|value| value - mean).collect()).collect();
    let (_, values, vectors) = reference::svd(&centered);
    (mean, values, vectors)
}

fn error_per_row(rows: &Matrix, back: &Matrix) -> f64 {
    let squares = rows.as_slice().iter().zip(back.as_slice()).map(|(a, b)| f64::from(a - b).powi(2));
    squares.sum::<f64>() / rows.rows() as f64
}

fn assert_close(actual: &[f32], expected: &[f64], relative: f64, absolute: f64) {
    for (k, (&actual, &expected)) in actual.iter().zip(expected).enumerate() {
        let bound = relative * expected.abs() + absolute;
        assert!((f64::from(actual) - expected).abs() <= bound, "{k}: {actual} for {expected}");
    }
}

#[test]
fn every_solver_finds_the_textbooks_components_on_every_instruction_set() {
    for (rows, columns) in [(200, 12), (13, 12), (12, 12), (12, 30), (600, 7), (5, 140), (2, 3)] {
        let data = cloud(rows, columns, 1);
        for center in [true, false] {
            let (mean, values, vectors) = truth(&data, center);
            // The last value of centred data with no more rows than columns is zero, and its vector any.
            let most = rows.min(columns).min(if center { rows - 1 } else { rows });
            let solvers = [Solver::Jacobi, Solver::Randomized];
            for (isa, solver) in Isa::available().into_iter().flat_map(|isa| solvers.map(|solver| (isa, solver))) {
                let options = PcaOptions { center, ..options(Components::Count(most), solver) };
                let pca = fit::fit(isa, &data, &options).unwrap();
                assert_eq!(pca.isa().name(), isa.name());
                // The random projection is as wide as the data here, so it loses nothing but single precision.
                let rounding = if solver == Solver::Randomized { 1e-6 * values[0] } else { 0.0 };
                assert_close(pca.mean(), &mean, 1e-6, 0.0);
                assert_close(pca.singular_values(), &values, 1e-6, rounding);
                let variances: Vec<f64> = values.iter().map(|value| value * value / (rows as f64 - 1.0)).collect();
                let rounding = rounding * values[0] / (rows as f64 - 1.0);
                assert_close(pca.explained_variance(), &variances, 2e-6, rounding);
                assert!((pca.total_variance() / variances.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                for (k, vector) in vectors[..most].iter().enumerate() {
                    let row = pca.components().row(k);
                    let cosine: f64 = row.iter().zip(vector).map(|(a, b)| f64::from(*a) * b).sum();
                    assert!(cosine.abs() > 1.0 - 1e-6, "{isa}, {solver}, {rows} x {columns}, component {k}: {cosine}");
                    let largest = row.iter().fold(0.0f32, |best, &v| if v.abs() > best.abs() { v } else { best });
                    assert!(largest > 0.0, "component {k} has the wrong sign");
                }
            }
        }
    }
}

#[test]
fn a_stream_gives_the_same_bits_however_it_is_cut() {
    let data = cloud(1500, 9, 2);
    let whole = Pca::fit(&data, &options(Components::Count(5), Solver::Jacobi)).unwrap();
    for piece in [1, 7, 511, 512, 513, 1500] {
        let mut stream = PcaAccumulator::new(9, count(5)).unwrap();
        for start in (0..1500).step_by(piece) {
            let names: Vec<usize> = (start..1500.min(start + piece)).collect();
            stream.partial_fit(&crate::rows::Subset::new(&data, &names)).unwrap();
        }
        assert_eq!(stream.rows(), 1500);
        assert!(stream.finish().unwrap() == whole, "pieces of {piece}");
    }
}

#[test]
fn the_bits_do_not_depend_on_threads() {
    let (tall, wide) = (cloud(3000, 150, 3), cloud(60, 200, 3));
    for (data, solver) in [(&tall, Solver::Jacobi), (&tall, Solver::Randomized), (&wide, Solver::Jacobi)] {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let pca = Pca::fit(data, &options(Components::Count(20), solver)).unwrap();
                let back = pca.reconstruct(data);
                (pca, back)
            })
        };
        let one = with(1);
        for threads in [2, 5] {
            assert!(with(threads) == one, "{solver}, {threads} threads");
        }
    }
}

#[test]
fn a_row_has_the_same_code_alone_and_in_company() {
    let data = cloud(300, 40, 4);
    for whiten in [false, true] {
        let pca = Pca::fit(&data, &PcaOptions { whiten, ..count(7) }).unwrap();
        let (codes, back) = (pca.encode(&data), pca.reconstruct(&data));
        assert!(pca.decode(&codes) == back);
        for row in [0, 1, 127, 128, 299] {
            let alone = Matrix::from_slice(1, 40, data.row(row));
            assert_eq!(pca.encode(&alone).row(0), codes.row(row), "code of row {row}");
            assert_eq!(pca.reconstruct(&alone).row(0), back.row(row), "row {row}");
        }
    }
}

#[test]
fn whitened_codes_have_unit_variance_and_decode_to_the_same_rows() {
    let data = cloud(500, 10, 5);
    let plain = Pca::fit(&data, &count(4)).unwrap();
    let white = Pca::fit(&data, &PcaOptions { whiten: true, ..count(4) }).unwrap();
    let codes = white.encode(&data);
    for k in 0..4 {
        let squares: f64 = (0..500).map(|i| f64::from(codes.row(i)[k]).powi(2)).sum();
        assert!((squares / 499.0 - 1.0).abs() < 1e-5, "component {k}");
    }
    for (a, b) in white.decode(&codes).as_slice().iter().zip(plain.reconstruct(&data).as_slice()) {
        assert!((a - b).abs() < 1e-4, "{a} and {b}");
    }
}

#[test]
fn the_error_that_is_left_is_the_variance_that_is_left_out() {
    let data = cloud(400, 15, 6);
    for kept in [1, 3, 14, 15] {
        let pca = Pca::fit(&data, &count(kept)).unwrap();
        let explained: f64 = pca.explained_variance_ratio().iter().sum();
        let expected = (1.0 - explained) * pca.total_variance() * 399.0 / 400.0;
        let error = error_per_row(&data, &pca.reconstruct(&data));
        assert!((error - expected).abs() <= 1e-5 * pca.total_variance(), "{kept}: {error} for {expected}");
    }
}

#[test]
fn a_share_keeps_as_few_components_as_reach_it() {
    let data = cloud(400, 15, 7);
    let all = Pca::fit(&data, &count(15)).unwrap().explained_variance_ratio();
    for share in [0.01, 0.5, 0.9, 0.999, 1.0] {
        let pca = Pca::fit(&data, &options(Components::VarianceShare(share), Solver::Auto)).unwrap();
        let kept = pca.components().rows();
        assert!(all[..kept].iter().sum::<f64>() >= share - 1e-6, "{share}: {kept}");
        assert!(kept == 1 || all[..kept - 1].iter().sum::<f64>() < share, "{share}: {kept}");
    }
}

#[test]
fn constant_columns_and_constant_data_have_a_clear_result() {
    let mut data = cloud(50, 6, 8);
    for row in 0..50 {
        data.row_mut(row)[2] = 7.1;
        data.row_mut(row)[4] = -0.3;
    }
    let pca = Pca::fit(&data, &count(6)).unwrap();
    assert_eq!(pca.singular_values()[4..], [0.0, 0.0]);
    assert!((0..4).all(|k| pca.components().row(k)[2] == 0.0 && pca.components().row(k)[4] == 0.0));
    assert!(error_per_row(&data, &pca.reconstruct(&data)) < 1e-8);
    let all = Pca::fit(&data, &options(Components::VarianceShare(1.0), Solver::Auto)).unwrap();
    assert_eq!(all.components().rows(), 4);

    let constant = Matrix::from_slice(30, 4, &[0.1f32; 120]);
    for solver in [Solver::Jacobi, Solver::Randomized] {
        let options = PcaOptions { whiten: true, ..options(Components::Count(3), solver) };
        let pca = Pca::fit(&constant, &options).unwrap();
        assert_eq!(pca.total_variance(), 0.0, "{solver}");
        assert_eq!(pca.explained_variance_ratio(), [0.0; 3], "{solver}");
        assert!(pca.reconstruct(&constant) == constant, "{solver}");
    }
    let share = options(Components::VarianceShare(0.5), Solver::Auto);
    assert_eq!(Pca::fit(&constant, &share).unwrap().components().rows(), 1);
}

#[test]
fn components_are_orthonormal_even_where_the_rank_ends() {
    let data = cloud(10, 8, 9);
    for wide in [false, true] {
        let data = if wide { cloud(10, 30, 9) } else { data.clone() };
        let most = data.rows().min(data.columns());
        let pca = Pca::fit(&data, &count(most)).unwrap();
        for i in 0..most {
            for j in 0..most {
                let (p, q) = (pca.components().row(i), pca.components().row(j));
                let product: f64 = p.iter().zip(q).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-6, "({i}, {j}): {product}");
            }
        }
    }
}

#[test]
fn what_cannot_be_fitted_is_a_clear_error() {
    let data = cloud(5, 3, 10);
    let error = |rows: &Matrix, options: &PcaOptions| Pca::fit(rows, options).unwrap_err().to_string();
    assert_eq!(error(&data, &count(4)), "components: 5 rows of 3 columns have at most 3, not 4");
    assert_eq!(error(&data, &count(0)), "components: 0 are none; at least 1 is needed");
    for share in [0.0, -0.5, 1.01, f64::NAN, f64::INFINITY] {
        let message = error(&data, &options(Components::VarianceShare(share), Solver::Jacobi));
        assert!(message.contains("above 0 and at most 1"), "{message}");
    }
    for (rows, columns) in [(0, 3), (1, 3), (3, 0), (0, 0)] {
        let message = error(&Matrix::zeros(rows, columns), &count(1));
        assert!(message.contains("at least 2 rows and 1 column"), "{message}");
    }
    let mut bad = data.clone();
    bad.row_mut(3)[1] = f32::NAN;
    bad.row_mut(4)[0] = f32::INFINITY;
    for solver in [Solver::Jacobi, Solver::Randomized] {
        let message = error(&bad, &options(Components::Count(1), solver));
        assert!(message.starts_with("row 4, column 2: NaN"), "{message}");
    }
    let huge = Matrix::from_rows(&[[1e30, 1.0], [-1e30, 2.0], [3e30, 0.0]]);
    let message = error(&huge, &count(1));
    assert!(message.contains("beyond the range of f32"), "{message}");
    let message = error(&data, &options(Components::VarianceShare(0.5), Solver::Randomized));
    assert!(message.starts_with("solver: randomized needs a count"), "{message}");
    let mut stream = PcaAccumulator::new(4, count(1)).unwrap();
    assert!(stream.partial_fit(&data).unwrap_err().to_string().contains("3 columns for a PCA of 4"));
    assert!(PcaAccumulator::new(4, options(Components::Count(1), Solver::Randomized)).is_err());
}

#[test]
fn parts_make_the_same_pca_again_and_broken_parts_are_refused() {
    let pca = Pca::fit(&cloud(50, 6, 11), &count(3)).unwrap();
    let parts = pca.clone().into_parts();
    assert!(Pca::from_parts(parts.clone()).unwrap() == pca);
    let broken = |change: fn(&mut PcaParts)| {
        let mut parts = parts.clone();
        change(&mut parts);
        Pca::from_parts(parts).is_err()
    };
    assert!(broken(|parts| parts.mean.truncate(5)));
    assert!(broken(|parts| parts.singular_values.push(0.0)));
    assert!(broken(|parts| parts.explained_variance.clear()));
    assert!(broken(|parts| parts.singular_values.reverse()));
    assert!(broken(|parts| parts.explained_variance[2] = -1.0));
    assert!(broken(|parts| parts.components.row_mut(1)[1] = f32::INFINITY));
    assert!(broken(|parts| parts.total_variance = f64::NAN));
    assert!(broken(|parts| parts.rows = 1));
    assert!(broken(|parts| parts.center = false));
    assert!(broken(|parts| parts.components = Matrix::zeros(0, 6)));
}
