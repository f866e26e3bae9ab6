//! The general product, on `matrixmultiply`'s run-time dispatched kernels.
//!
//! `matrixmultiply` follows Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008): it packs a
//! panel of B (k × n) for the outer caches and a block of A (m × k) for the second-level cache, and runs a kernel that
//! keeps a tile of C (m × n) in registers over the panel's depth. Packing pays from some tens of rows on; strides cost
//! nothing then, so that a transposed operand is a view. It runs on the calling thread: callers split the rows of A.

use crate::matrix::{MatrixView, MatrixViewMut};

/// C ← α A B + β C, with A (m × k), B (k × n) and C (m × n).
///
/// Transposed operands are transposed views. With β = 0, C is written without being read, so it may hold anything.
/// An element of C depends on its row of A and its column of B alone: splitting the rows of A among several calls
/// gives the same bits. The sum over k runs in single precision; its error is at most about k ε Σ|a||b|.
///
/// # Panics
/// When the shapes do not fit together.
pub fn gemm(alpha: f32, a: MatrixView<'_>, b: MatrixView<'_>, beta: f32, c: MatrixViewMut<'_>) {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    assert!(
        b.rows() == k && c.rows() == m && c.columns() == n,
        "({m} x {k}) times ({} x {n}) into ({} x {})",
        b.rows(),
        c.rows(),
        c.columns()
    );
    // C is a whole row-major matrix; A and B may be transposed, which their strides say.
    let mut c = c;
    let stride = c.columns() as isize;
    // SAFETY: a view's slice holds every element that its shape and strides address (both constructors check it, and
    // `transposed` exchanges them together), and C is borrowed exclusively, so it overlaps neither A nor B.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            alpha,
            a.as_slice().as_ptr(),
            a.row_stride() as isize,
            a.column_stride() as isize,
            b.as_slice().as_ptr(),
            b.row_stride() as isize,
            b.column_stride() as isize,
            beta,
            c.as_mut_slice().as_mut_ptr(),
            stride,
            1,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;
    use crate::reference;

    /// Small integers: every product and sum is exact, so the two must agree to the bit.
    fn integers(rows: usize, columns: usize, seed: usize) -> Matrix {
        let values: Vec<f32> = (0..rows * columns).map(|i| ((i * 7 + seed * 13) % 17) as f32 - 8.0).collect();
        Matrix::from_slice(rows, columns, &values)
    }

    fn transpose(matrix: &Matrix) -> Matrix {
        let view = matrix.view().transposed();
        let mut out = Matrix::zeros(view.rows(), view.columns());
        for row in 0..view.rows() {
            for column in 0..view.columns() {
                out.row_mut(row)[column] = view.get(row, column);
            }
        }
        out
    }

    #[test]
    fn every_shape_transpose_alpha_and_beta_agrees_with_the_reference() {
        let sizes = [0, 1, 2, 3, 15, 16, 17, 33, 65];
        for m in sizes {
            for k in sizes.into_iter().chain([257]) {
                for n in sizes {
                    let (a, b, c) = (integers(m, k, 1), integers(k, n, 2), integers(m, n, 3));
                    let (at, bt) = (transpose(&a), transpose(&b));
                    for (alpha, beta) in [(1.0, 0.0), (-2.0, 1.0), (0.5, -1.0)] {
                        let mut expected = c.clone();
                        reference::gemm(alpha, a.view(), b.view(), beta, expected.view_mut());
                        for a in [a.view(), at.view().transposed()] {
                            for b in [b.view(), bt.view().transposed()] {
                                let mut actual = c.clone();
                                gemm(alpha, a, b, beta, actual.view_mut());
                                assert_eq!(actual, expected, "{m} x {k} x {n}, alpha {alpha}, beta {beta}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn beta_zero_ignores_what_the_output_held() {
        let mut c = Matrix::from_slice(1, 1, &[f32::NAN]);
        gemm(1.0, Matrix::from_rows(&[[2.0]]).view(), Matrix::from_rows(&[[3.0]]).view(), 0.0, c.view_mut());
        assert_eq!(c.as_slice(), [6.0]);
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours() {
        let a = Matrix::from_slice(70, 300, &(0..21000).map(|i| (i as f32 * 0.37).sin()).collect::<Vec<_>>());
        let b = Matrix::from_slice(300, 35, &(0..10500).map(|i| (i as f32 * 0.73).cos()).collect::<Vec<_>>());
        let mut whole = Matrix::zeros(70, 35);
        gemm(1.0, a.view(), b.view(), 0.0, whole.view_mut());
        for row in 0..70 {
            let mut alone = Matrix::zeros(1, 35);
            gemm(1.0, a.rows_view(row..row + 1), b.view(), 0.0, alone.view_mut());
            assert_eq!(alone.row(0), whole.row(row), "row {row}");
        }
    }

    #[test]
    #[should_panic(expected = "(2 x 3) times (2 x 2)")]
    fn shapes_that_do_not_fit_panic() {
        gemm(1.0, integers(2, 3, 0).view(), integers(2, 2, 0).view(), 0.0, integers(2, 2, 0).view_mut());
    }
}
