//! The textbook matrix product.

use crate::gemm::TILE_ROWS;
use crate::matrix::{MatrixView, MatrixViewMut};

/// The twin of [`crate::gemm::gemm`]: three loops, and sums in double precision, rounded once.
///
/// # Panics
/// When the shapes do not fit together.
pub fn gemm(alpha: f32, a: MatrixView<'_>, b: MatrixView<'_>, beta: f32, mut c: MatrixViewMut<'_>) {
    assert!(a.columns() == b.rows() && a.rows() == c.rows() && b.columns() == c.columns());
    let columns = c.columns();
    for row in 0..a.rows() {
        for column in 0..columns {
            let mut sum = 0.0;
            for k in 0..a.columns() {
                sum += f64::from(a.get(row, k)) * f64::from(b.get(k, column));
            }
            let element = &mut c.as_mut_slice()[row * columns + column];
            let kept = if beta == 0.0 { 0.0 } else { f64::from(beta) * f64::from(*element) };
            *element = (f64::from(alpha) * sum + kept) as f32;
        }
    }
}

/// The twin of [`crate::gemm::tile_product`], for all rows of a tile.
///
/// # Panics
/// When the shapes do not fit together.
pub fn tile_product(a: MatrixView<'_>, bias: &[f32], x: &[f32]) -> Vec<f32> {
    let mut c: Vec<f32> = (0..a.rows() * TILE_ROWS).map(|i| bias.get(i / TILE_ROWS).copied().unwrap_or(0.0)).collect();
    let x = MatrixView::new(x, a.columns(), TILE_ROWS);
    gemm(1.0, a, x, 1.0, MatrixViewMut::new(&mut c, a.rows(), TILE_ROWS));
    c
}
