use proptest::prelude::*;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;

use super::*;
use crate::reference;

fn normal(rows: usize, columns: usize, seed: u64) -> Matrix {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    let values: Vec<f32> = (0..rows * columns).map(|_| generator.sample(StandardNormal)).collect();
    Matrix::from_slice(rows, columns, &values)
}

fn map(matrix: &Matrix, element: impl Fn(usize, usize, f32) -> f32) -> Matrix {
    let mut out = matrix.clone();
    for row in 0..matrix.rows() {
        for (column, value) in out.row_mut(row).iter_mut().enumerate() {
            *value = element(row, column, *value);
        }
    }
    out
}

/// The largest |Q Qᵀ − I| over the rows of Q.
fn departure(rows: &[Vec<f64>]) -> f64 {
    let mut largest = 0.0f64;
    for (i, p) in rows.iter().enumerate() {
        for (j, q) in rows[..=i].iter().enumerate() {
            let expected = if i == j { 1.0 } else { 0.0 };
            largest = largest.max((reference::rotation::dot(p, q) - expected).abs());
        }
    }
    largest
}

fn rows_of(view: MatrixView<'_>) -> Vec<Vec<f64>> {
    (0..view.rows()).map(|i| (0..view.columns()).map(|j| f64::from(view.get(i, j))).collect()).collect()
}

/// Both bases orthonormal, values sorted, none negative, and the product within roundings of the matrix.
fn check(a: &Matrix) -> Svd {
    let svd = svd(a.view()).unwrap();
    let count = a.rows().min(a.columns());
    assert_eq!((svd.u.rows(), svd.u.columns()), (a.rows(), count));
    assert_eq!((svd.vt.rows(), svd.vt.columns()), (count, a.columns()));
    assert_eq!(svd.singular_values.len(), count);
    assert!(svd.singular_values.is_sorted_by(|a, b| a >= b) && svd.singular_values.iter().all(|&value| value >= 0.0));
    let (left, right) = (rows_of(svd.u.view().transposed()), rows_of(svd.vt.view()));
    assert!(departure(&left) <= 1e-6, "U: {}", departure(&left));
    assert!(departure(&right) <= 1e-6, "V: {}", departure(&right));
    let scale = f64::from(svd.singular_values.first().copied().unwrap_or(0.0));
    let product = |i: usize, j: usize| -> f64 {
        (0..count).map(|k| left[k][i] * f64::from(svd.singular_values[k]) * right[k][j]).sum()
    };
    for i in 0..a.rows() {
        for (j, &element) in a.row(i).iter().enumerate() {
            let difference = (product(i, j) - f64::from(element)).abs();
            assert!(difference <= 1e-6 * scale, "({i}, {j}) of {} x {}: {difference}", a.rows(), a.columns());
        }
    }
    svd
}

/// The singular values by the textbook method, in double precision.
fn truth(a: &Matrix) -> Vec<f64> {
    let view = if a.columns() > a.rows() { a.view() } else { a.view().transposed() };
    reference::svd(&rows_of(view)).1
}

fn assert_relative(actual: &[f32], expected: &[f64], bound: f64) {
    for (k, (&actual, &expected)) in actual.iter().zip(expected).enumerate() {
        let error = (f64::from(actual) - expected).abs();
        assert!(error <= bound * expected, "value {k}: {actual:e} for {expected:e}, off by {:e}", error / expected);
    }
}

#[test]
fn every_shape_agrees_with_the_textbook_method() {
    for (rows, columns) in [(1, 1), (1, 7), (7, 1), (2, 2), (5, 3), (33, 33), (40, 65), (100, 31), (70, 70), (130, 97)]
    {
        let a = normal(rows, columns, 1);
        assert_relative(&check(&a).singular_values, &truth(&a), 1e-6);
    }
}

#[test]
fn an_empty_matrix_has_no_singular_values() {
    for (rows, columns) in [(0, 0), (0, 3), (3, 0)] {
        assert!(check(&Matrix::zeros(rows, columns)).singular_values.is_empty());
    }
}

#[test]
fn a_matrix_of_zeros_still_gets_two_orthonormal_bases() {
    for (rows, columns) in [(1, 1), (4, 4), (3, 8), (8, 3)] {
        assert!(check(&Matrix::zeros(rows, columns)).singular_values.iter().all(|&value| value == 0.0));
    }
}

#[test]
fn dependent_columns_give_values_of_exactly_zero() {
    for rank in [1, 5, 20] {
        let (left, right) = (normal(60, rank, 2), normal(rank, 40, 3));
        // Small integers: the product is exact, and so is its rank.
        let (left, right) = (map(&left, |_, _, x| (4.0 * x).round()), map(&right, |_, _, x| (4.0 * x).round()));
        let mut a = Matrix::zeros(60, 40);
        reference::gemm(1.0, left.view(), right.view(), 0.0, a.view_mut());
        let values = check(&a).singular_values;
        assert!(values[rank - 1] > 1.0 && values[rank..].iter().all(|&value| value == 0.0), "rank {rank}: {values:?}");
    }
}

#[test]
fn repeated_values_are_found_as_often_as_they_occur() {
    let identity = map(&Matrix::zeros(40, 40), |i, j, _| if i == j { -3.0 } else { 0.0 });
    assert!(check(&identity).singular_values.iter().all(|&value| value == 3.0));
    // 2 I − (2/n) 1 1ᵀ and its like: reflections, whose values are all 1.
    let reflection = map(&Matrix::zeros(64, 64), |i, j, _| (if i == j { 1.0 } else { 0.0 }) - 1.0 / 32.0);
    assert!(check(&reflection).singular_values.iter().all(|&value| (value - 1.0).abs() <= 1e-6));
}

#[test]
fn values_of_a_graded_matrix_have_high_relative_accuracy() {
    for (rows, columns) in [(50, 50), (200, 60), (101, 100)] {
        let scale = |j: usize| 10f32.powf(-15.0 * j as f32 / (columns - 1) as f32);
        let graded = map(&normal(rows, columns, 4), |_, j, x| x * scale(j));
        let shuffled = map(&graded, |i, j, _| graded.row(i)[j * 17 % columns]);
        for a in [&graded, &shuffled] {
            let values = svd(a.view()).unwrap().singular_values;
            assert!(values[columns - 1] < 1e-14 * values[0]);
            assert_relative(&values, &truth(a), 1e-6);
        }
    }
    let wide = map(&normal(60, 200, 5), |i, _, x| x * 10f32.powf(-0.25 * i as f32));
    assert_relative(&svd(wide.view()).unwrap().singular_values, &truth(&wide), 1e-6);
}

#[test]
fn the_vectors_of_a_graded_matrix_are_orthonormal() {
    for columns in [60, 61] {
        let a = map(&normal(60, columns, 6), |_, j, x| x * 10f32.powf(-0.5 * (j * 7 % columns) as f32));
        check(&a);
    }
}

#[test]
fn values_at_both_ends_of_the_range_neither_overflow_nor_vanish() {
    for scale in [1e-38f32, 1e36] {
        let a = normal(30, 20, 7);
        let scaled = map(&a, |_, _, x| x * scale);
        let values = check(&scaled).singular_values;
        assert_relative(&values, &truth(&scaled), 1e-6);
    }
    let tiny = Matrix::from_slice(1, 1, &[f32::from_bits(1)]);
    assert_eq!(check(&tiny).singular_values, [f32::from_bits(1)]);
}

#[test]
fn a_value_beyond_f32_is_an_error() {
    let error = svd(Matrix::from_slice(2, 2, &[f32::MAX; 4]).view()).unwrap_err();
    assert!(error.to_string().contains("beyond the range of f32"), "{error}");
}

#[test]
fn an_element_that_is_not_finite_is_an_error_that_names_it() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let a = map(&normal(4, 5, 8), |i, j, x| if (i, j) == (2, 3) { value } else { x });
        let error = svd(a.view()).unwrap_err().to_string();
        assert!(error.contains("row 3, column 4"), "{error}");
    }
}

#[test]
fn a_badly_conditioned_triangle_does_not_cost_orthogonality() {
    // Kahan's matrix, on which column pivoting fails to tell the rank.
    let (s, c) = (0.6f32, 0.8f32);
    let kahan = map(&Matrix::zeros(90, 90), |i, j, _| {
        s.powi(i as i32)
            * if i == j {
                1.0
            } else if i < j {
                -c
            } else {
                0.0
            }
    });
    check(&kahan);
    check(&map(&Matrix::zeros(40, 40), |i, j, _| 1.0 / (i + j + 1) as f32));
}

#[test]
fn the_bits_do_not_depend_on_threads() {
    let a = normal(150, 140, 9);
    let with = |threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| svd(a.view()).unwrap())
    };
    let one = with(1);
    for threads in [2, 3, 8] {
        assert!(with(threads) == one, "{threads} threads");
    }
}

#[test]
fn a_known_spectrum_is_found() {
    let (p, q) = (check(&normal(80, 80, 10)).vt, check(&normal(80, 80, 11)).vt);
    let values: Vec<f32> = (0..80).map(|k| 0.8f32.powi(k)).collect();
    let scaled = map(&p, |i, _, x| x * values[i]);
    let mut a = Matrix::zeros(80, 80);
    reference::gemm(1.0, scaled.view().transposed(), q.view(), 0.0, a.view_mut());
    for (actual, expected) in check(&a).singular_values.iter().zip(&values) {
        assert!((actual - expected).abs() <= 1e-6, "{actual} for {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_matrix_is_decomposed(rows in 1usize..24, columns in 1usize..24, zeros in 0usize..4, seed: u64) {
        let a = map(&normal(rows, columns, seed), |i, j, x| if (i + j) % 4 < zeros { 0.0 } else { x });
        check(&a);
    }

    #[test]
    fn values_do_not_change_under_permutation_transposition_and_sign(rows in 1usize..20, columns in 1usize..20, seed: u64) {
        let a = normal(rows, columns, seed);
        let values: Vec<f64> = svd(a.view()).unwrap().singular_values.into_iter().map(f64::from).collect();
        let turned = map(&a, |i, j, _| -a.row(rows - 1 - i)[(j + 1) % columns]);
        assert_relative(&svd(turned.view()).unwrap().singular_values, &values, 3e-7);
        assert_relative(&svd(a.view().transposed()).unwrap().singular_values, &values, 3e-7);
    }

    #[test]
    fn values_do_not_change_under_rotation(columns in 1usize..20, seed: u64) {
        let a = normal(24, columns, seed);
        let q = svd(normal(24, 24, !seed).view()).unwrap().vt;
        let mut rotated = Matrix::zeros(24, columns);
        reference::gemm(1.0, q.view(), a.view(), 0.0, rotated.view_mut());
        let (one, other) = (svd(a.view()).unwrap().singular_values, svd(rotated.view()).unwrap().singular_values);
        for (a, b) in one.iter().zip(&other) {
            prop_assert!((a - b).abs() <= 3e-6 * one[0]);
        }
    }
}
