//! The matrix product against the textbook's, on small integers: exact, whatever the shapes and transposes.
#![no_main]

use diabolo::gemm::gemm;
use diabolo::matrix::{Matrix, MatrixView};
use diabolo::reference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let &[m, k, n, transposed, alpha, beta, ref rest @ ..] = data else { return };
    let [m, k, n] = [m, k, n].map(|size| usize::from(size) % 80);
    // What the input does not say is zero.
    let mut bytes = rest.iter();
    let mut integer = || f32::from(bytes.next().copied().unwrap_or(0) as i8 / 8);
    let mut matrix = |rows: usize, columns: usize, transposed: bool| {
        let values: Vec<f32> = (0..rows * columns).map(|_| integer()).collect();
        if transposed { Matrix::from_slice(columns, rows, &values) } else { Matrix::from_slice(rows, columns, &values) }
    };
    let flags = [transposed & 1 != 0, transposed & 2 != 0];
    let (a, b, mut actual) = (matrix(m, k, flags[0]), matrix(k, n, flags[1]), matrix(m, n, false));
    let (alpha, beta) = (f32::from(alpha as i8 % 3), f32::from(beta as i8 % 3));
    let mut expected = actual.clone();
    if beta == 0.0 {
        actual.as_mut_slice().fill(f32::NAN);
    }
    reference::gemm(alpha, view(&a, flags[0]), view(&b, flags[1]), beta, expected.view_mut());
    gemm(alpha, view(&a, flags[0]), view(&b, flags[1]), beta, actual.view_mut());
    assert_eq!(actual, expected, "{m} x {k} x {n}, alpha {alpha}, beta {beta}, transposed {flags:?}");
});

fn view(matrix: &Matrix, transposed: bool) -> MatrixView<'_> {
    if transposed { matrix.view().transposed() } else { matrix.view() }
}
