//! The inverse of a symmetric positive definite matrix, mostly by matrix products.
//!
//! With A⁻¹ and the inverse of the Schur complement S = D − B A⁻¹ Bᵀ, the inverse of [A Bᵀ; B D] takes four products
//! (Banachiewicz, 1937); both inverses are found in the same way. Small blocks are inverted by elimination in double
//! precision (Gauss and Jordan), which needs no pivots here.

use std::ops::Range;

use crate::gemm::gemm;
use crate::matrix::{Matrix, MatrixView};

/// Rows of a block that is inverted by elimination.
const DIRECT: usize = 48;

/// The inverse, in single precision: its relative error grows with the condition number.
pub(crate) fn inverse(matrix: MatrixView<'_>) -> Matrix {
    let size = matrix.rows();
    assert_eq!(matrix.columns(), size, "only square matrices have an inverse");
    if size <= DIRECT {
        return eliminate(matrix);
    }
    // The matrix is [A Bᵀ; B D]. The halves' inverses cost an eighth each, the products the rest.
    let half = size / 2;
    let b = block(matrix, half..size, 0..half);
    let a = inverse(block(matrix, 0..half, 0..half).view());
    let ba = product(&b, &a);
    let mut schur = block(matrix, half..size, half..size);
    gemm(-1.0, ba.view(), b.view().transposed(), 1.0, schur.view_mut());
    // The recursion uses Bᵀ for the block opposite to B, so it needs a symmetric matrix to the last bit.
    symmetrise(&mut schur);
    let schur = inverse(schur.view());
    // With S for the Schur complement, the corner is S⁻¹ B A⁻¹ and the top A⁻¹ + (B A⁻¹)ᵀ S⁻¹ B A⁻¹.
    let corner = product(&schur, &ba);
    let mut top = a;
    gemm(1.0, ba.view().transposed(), corner.view(), 1.0, top.view_mut());

    let mut inverse = Matrix::zeros(size, size);
    for row in 0..half {
        inverse.row_mut(row)[..half].copy_from_slice(top.row(row));
        for column in half..size {
            inverse.row_mut(row)[column] = -corner.row(column - half)[row];
        }
    }
    for row in half..size {
        let (left, right) = inverse.row_mut(row).split_at_mut(half);
        left.iter_mut().zip(corner.row(row - half)).for_each(|(left, corner)| *left = -corner);
        right.copy_from_slice(schur.row(row - half));
    }
    inverse
}

fn block(matrix: MatrixView<'_>, rows: Range<usize>, columns: Range<usize>) -> Matrix {
    let mut block = Matrix::zeros(rows.len(), columns.len());
    for (to, from) in rows.enumerate() {
        block.row_mut(to).copy_from_slice(&matrix.as_slice()[from * matrix.row_stride()..][columns.clone()]);
    }
    block
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let mut product = Matrix::zeros(a.rows(), b.columns());
    gemm(1.0, a.view(), b.view(), 0.0, product.view_mut());
    product
}

/// Takes the rounding errors that make a symmetric matrix uneven out of it.
fn symmetrise(matrix: &mut Matrix) {
    for row in 0..matrix.rows() {
        for column in 0..row {
            let mean = 0.5 * (matrix.row(row)[column] + matrix.row(column)[row]);
            matrix.row_mut(row)[column] = mean;
            matrix.row_mut(column)[row] = mean;
        }
    }
}

fn eliminate(matrix: MatrixView<'_>) -> Matrix {
    let size = matrix.rows();
    let all = block(matrix, 0..size, 0..size);
    let mut values: Vec<f64> = all.as_slice().iter().copied().map(f64::from).collect();
    for pivot in 0..size {
        let reciprocal = 1.0 / values[pivot * size + pivot];
        values[pivot * size + pivot] = 1.0;
        values[pivot * size..][..size].iter_mut().for_each(|value| *value *= reciprocal);
        let row = values[pivot * size..][..size].to_vec();
        for other in (0..size).filter(|&other| other != pivot) {
            let times = std::mem::take(&mut values[other * size + pivot]);
            values[other * size..][..size].iter_mut().zip(&row).for_each(|(value, row)| *value -= times * row);
        }
    }
    Matrix::from_slice(size, size, &values.iter().map(|&value| value as f32).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_times_the_matrix_is_the_identity_at_every_size_around_a_block() {
        for size in [1, 2, 5, 47, 48, 49, 97, 130] {
            // Of the second moments of more waves than there are rows, and something on the diagonal.
            let wave = Matrix::from_slice(
                size,
                2 * size,
                &(0..2 * size * size).map(|i| (i as f32 * i as f32 * 0.37).sin()).collect::<Vec<_>>(),
            );
            let mut matrix = Matrix::zeros(size, size);
            gemm(1.0 / size as f32, wave.view(), wave.view().transposed(), 0.0, matrix.view_mut());
            (0..size).for_each(|i| matrix.row_mut(i)[i] += 0.1);
            let identity = product(&inverse(matrix.view()), &matrix);
            for row in 0..size {
                for column in 0..size {
                    let expected = f32::from(u8::from(row == column));
                    assert!((identity.row(row)[column] - expected).abs() < 1e-4, "{size}: ({row}, {column})");
                }
            }
        }
    }
}
