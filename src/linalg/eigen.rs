//! The eigenvectors of a Gram matrix, from its Cholesky factor.

use super::cholesky::pivoted_cholesky;
use super::columns::Columns;
use super::jacobi::{Orthogonal, orthogonalize};
use super::qr::qr;
use crate::error::Result;
use crate::kernels::Isa;

/// Eigenvectors and the square roots of eigenvalues of G = XᵀX: right singular vectors and singular values of X.
pub(crate) struct GramFactors {
    /// The largest first, as many as the rank.
    pub(crate) singular_values: Vec<f64>,
    /// As columns: d × rank.
    pub(crate) vectors: Columns,
}

/// Decomposes a Gram matrix: G = L Lᵀ, L V = U Σ, G = U Σ² Uᵀ.
pub(crate) fn decompose_gram(isa: Isa, gram: Columns) -> Result<GramFactors> {
    let Orthogonal { directions, lengths, .. } = orthogonalize(isa, pivoted_cholesky(gram), false)?;
    Ok(GramFactors { singular_values: lengths, vectors: directions })
}

/// Orthonormal columns continued by more of them, up to the given number.
///
/// # Panics
/// When `count` is above the number of rows.
pub(crate) fn complete(isa: Isa, vectors: Columns, count: usize) -> Columns {
    let (rows, given) = (vectors.rows(), vectors.columns());
    assert!(count <= rows, "{count} orthonormal columns of {rows} rows");
    if count <= given {
        return vectors;
    }
    let mut rest = Columns::from_fn(rows, count - given, |i, j| if i == given + j { 1.0 } else { 0.0 });
    qr(isa, vectors.clone()).apply(&mut rest);
    Columns::from_fn(rows, count, |i, j| if j < given { vectors.column(j)[i] } else { rest.column(j - given)[i] })
}
