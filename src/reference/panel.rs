//! The twin of the panel product.

/// tile ← tile + leftᵀ · right, for panels of `width` columns, row after row; the tile is column-major.
pub fn add_panel_product(left: &[f64], right: &[f64], tile: &mut [f64], width: usize) {
    for (left, right) in left.chunks(width).zip(right.chunks(width)) {
        for (column, factor) in tile.chunks_mut(width).zip(right) {
            for (sum, value) in column.iter_mut().zip(left) {
                *sum += value * factor;
            }
        }
    }
}
