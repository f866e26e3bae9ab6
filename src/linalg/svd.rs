//! The singular value decomposition A = U Σ Vᵀ, to high relative accuracy.
//!
//! # The method
//!
//! One-sided Jacobi, preconditioned after Drmač & Veselić, New Fast and Accurate Jacobi SVD Algorithm I and II, SIAM J.
//! Matrix Anal. Appl. 29 (2008), the method of LAPACK's `xGEJSV`. For A (m × n, m ≥ n; a wide matrix is transposed):
//!
//! 1. A = Q₀ R₀, a blocked QR, where A is taller than wide.
//! 2. R₀ P = Q₁ R₁, QR with column pivoting. It reveals the rank r, and leaves R₁ (r × n) with rows of falling length.
//! 3. The columns of X = R₁ᵀ (n × r) are closer to orthogonal than those of A were. X V₁ = U₁ Σ by one-sided Jacobi
//!    ([`super::jacobi`]).
//! 4. R₁ = V₁ Σ U₁ᵀ, so U = Q₀ Q₁ V₁ and V = P U₁. Where the rank is below n, the other columns of Q₁, and any others
//!    that are orthogonal to U₁, complete both bases.
//!
//! # How accurate it is
//!
//! Write A = B D with D diagonal and B's columns of length 1. All steps are backward stable column by column, so every
//! singular value, however small, has a relative error of at most a small multiple of ε κ(B), not ε κ(A) (Demmel &
//! Veselić 1992). All arithmetic here is in double precision, ε = 1.1 · 10⁻¹⁶, and results are rounded to single
//! precision at the end: unless κ(B) is above some 10⁷, what comes out is right to the last bit or two of an `f32`.
//! There is no scaling against overflow and underflow, because squares of `f32` cannot leave the range of `f64`.

use super::columns::Columns;
use super::eigen::complete;
use super::jacobi::{Orthogonal, orthogonalize};
use super::qr::{PivotedQr, pivoted_qr, qr};
use crate::error::{Error, Place, Result};
use crate::kernels::Isa;
use crate::matrix::{Matrix, MatrixView};

/// A = U Σ Vᵀ, with k = min(m, n) singular values of A (m × n).
///
/// The sign of each pair of vectors is fixed: in a row of `vt`, the element of largest absolute value (the first one
/// of those) is positive.
#[derive(Clone, Debug, PartialEq)]
pub struct Svd {
    /// The left singular vectors, as columns: m × k, orthonormal.
    pub u: Matrix,
    /// The singular values, the largest first, none negative.
    pub singular_values: Vec<f32>,
    /// The right singular vectors, as rows: k × n, orthonormal.
    pub vt: Matrix,
}

/// The singular value decomposition of a matrix of any shape and rank.
///
/// The results are the same bits for any number of threads.
///
/// # Errors
/// [`Error::Data`] for an element that is not finite, or a singular value beyond the range of `f32`;
/// [`Error::NotConverged`] if the iteration does not end, which no matrix is known to cause.
///
/// ```
/// use diabolo::{Matrix, linalg::svd};
/// let a = Matrix::from_rows(&[[3.0, 0.0], [0.0, -4.0], [0.0, 0.0]]);
/// let svd = svd(a.view())?;
/// assert_eq!(svd.singular_values, [4.0, 3.0]);
/// assert_eq!(svd.vt, Matrix::from_rows(&[[0.0, 1.0], [1.0, 0.0]]));
/// # Ok::<(), diabolo::Error>(())
/// ```
pub fn svd(a: MatrixView<'_>) -> Result<Svd> {
    if !a.as_slice().iter().fold(true, |finite, value| finite & value.is_finite()) {
        return Err(not_finite(a));
    }
    let isa = Isa::best();
    super::in_pool(|| decompose(isa, a))
}

fn decompose(isa: Isa, a: MatrixView<'_>) -> Result<Svd> {
    let wide = a.columns() > a.rows();
    let tall = if wide { a.transposed() } else { a };
    let factors = factor(isa, Columns::from_fn(tall.rows(), tall.columns(), |i, j| f64::from(tall.get(i, j))))?;
    let singular_values: Vec<f32> = factors.singular_values.iter().map(|&value| value as f32).collect();
    if let Some(value) = factors.singular_values.iter().find(|&&value| value as f32 == f32::INFINITY) {
        let problem = format!("a singular value is {value:e}, beyond the range of f32; scale the matrix down");
        return Err(Place::named("matrix").error(problem));
    }
    let (u, v) = if wide { (factors.v, factors.u) } else { (factors.u, factors.v) };
    let signs: Vec<f64> = (0..v.columns()).map(|j| sign(v.column(j))).collect();
    Ok(Svd { u: u.to_matrix(&signs), singular_values, vt: signed_rows(&v, v.columns()) })
}

fn not_finite(a: MatrixView<'_>) -> Error {
    let places = (0..a.rows()).flat_map(|row| (0..a.columns()).map(move |column| (row, column)));
    let place = places.into_iter().find(|&(row, column)| !a.get(row, column).is_finite());
    let (row, column) = place.expect("a view's slice holds its elements and no others");
    Place::named(format!("row {}", row + 1))
        .at_column((column + 1).to_string())
        .error(format!("{} stands there; a decomposition needs finite numbers", a.get(row, column)))
}

/// The first columns of V as rows, each with the documented sign.
pub(crate) fn signed_rows(v: &Columns, count: usize) -> Matrix {
    let mut rows = Matrix::zeros(count, v.rows());
    for j in 0..count {
        let sign = sign(v.column(j));
        for (to, from) in rows.row_mut(j).iter_mut().zip(v.column(j)) {
            *to = (from * sign) as f32;
        }
    }
    rows
}

/// 1 if the first element of largest absolute value is positive, else −1.
///
/// Elements are compared as the `f32` that they become, so that the rule holds for what is returned.
fn sign(column: &[f64]) -> f64 {
    let mut largest = 0.0f32;
    for &value in column {
        if (value as f32).abs() > largest.abs() {
            largest = value as f32;
        }
    }
    if largest < 0.0 { -1.0 } else { 1.0 }
}

/// U (m × n), Σ in falling order, and V (n × n) of a matrix with m ≥ n.
pub(crate) struct Factors {
    pub(crate) u: Columns,
    pub(crate) singular_values: Vec<f64>,
    pub(crate) v: Columns,
}

/// The singular value decomposition in double precision of a matrix with at least as many rows as columns.
///
/// # Panics
/// When it has fewer.
pub(crate) fn factor(isa: Isa, a: Columns) -> Result<Factors> {
    let (rows, columns) = (a.rows(), a.columns());
    assert!(rows >= columns, "{rows} x {columns}");
    if rows > columns {
        let outer = qr(isa, a);
        let inner = factor_square(isa, outer.upper_triangle(columns))?;
        let mut u = embed(&inner.u, rows, columns);
        outer.apply(&mut u);
        return Ok(Factors { u, ..inner });
    }
    factor_square(isa, a)
}

fn factor_square(isa: Isa, a: Columns) -> Result<Factors> {
    let columns = a.columns();
    let PivotedQr { q, order, rank } = pivoted_qr(isa, a);
    let Orthogonal { directions, lengths, rotations } = orthogonalize(isa, q.upper_triangle(rank).transposed(), true)?;
    let mut u = embed(&rotations.expect("they were asked for"), columns, columns);
    q.apply(&mut u);
    let mut place = vec![0; columns];
    order.iter().enumerate().for_each(|(to, &from)| place[from] = to);
    let directions = complete(isa, directions, columns);
    let v = Columns::from_fn(columns, columns, |i, j| directions.column(j)[place[i]]);
    let mut singular_values = lengths;
    singular_values.resize(columns, 0.0);
    Ok(Factors { u, singular_values, v })
}

/// A matrix in the upper left corner of a larger one, which has ones along the rest of its diagonal.
fn embed(inner: &Columns, rows: usize, columns: usize) -> Columns {
    let mut outer = Columns::zeros(rows, columns);
    for j in 0..columns {
        let column = outer.column_mut(j);
        if j < inner.columns() {
            column[..inner.rows()].copy_from_slice(inner.column(j));
        } else {
            column[j] = 1.0;
        }
    }
    outer
}

#[cfg(test)]
mod tests;
