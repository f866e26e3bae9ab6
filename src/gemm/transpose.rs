//! Transposing between rows and tiles.

use crate::kernels::Isa;
use pulp::{Simd, WithSimd};

/// Rows and columns that are read and written together.
const SIDE: usize = 4;

/// to[c][r] = from[r][c] for r < `rows` and c < `columns`; the elements of a row, and of a row of `to`, are neighbours,
/// and rows start `from_stride` and `to_stride` elements apart. What lies between them in `to` is left as it is.
///
/// # Panics
/// When one of the two slices ends too early, or rows overlap.
pub fn transpose(
    isa: Isa,
    [rows, columns]: [usize; 2],
    from: &[f32],
    from_stride: usize,
    to: &mut [f32],
    to_stride: usize,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(from_stride >= columns && to_stride >= rows, "rows overlap");
    assert!(from.len() >= (rows - 1) * from_stride + columns, "{rows} x {columns} from {} elements", from.len());
    assert!(to.len() >= (columns - 1) * to_stride + rows, "{rows} x {columns} to {} elements", to.len());
    isa.run(Transpose { rows, columns, from, from_stride, to, to_stride });
}

struct Transpose<'a> {
    rows: usize,
    columns: usize,
    from: &'a [f32],
    from_stride: usize,
    to: &'a mut [f32],
    to_stride: usize,
}

impl WithSimd for Transpose<'_> {
    type Output = ();

    /// [`Simd`] has no transposition; the compiler makes shuffles of a small square held in arrays.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { rows, columns, from, from_stride, to, to_stride } = self;
        let (whole_rows, whole_columns) = (rows / SIDE * SIDE, columns / SIDE * SIDE);
        for column in (0..whole_columns).step_by(SIDE) {
            for row in (0..whole_rows).step_by(SIDE) {
                let square: [[f32; SIDE]; SIDE] = std::array::from_fn(|i| {
                    let values = &from[(row + i) * from_stride + column..][..SIDE];
                    std::array::from_fn(|j| values[j])
                });
                for j in 0..SIDE {
                    let values: [f32; SIDE] = std::array::from_fn(|i| square[i][j]);
                    to[(column + j) * to_stride + row..][..SIDE].copy_from_slice(&values);
                }
            }
        }
        for row in 0..rows {
            let first = if row < whole_rows { whole_columns } else { 0 };
            for column in first..columns {
                to[column * to_stride + row] = from[row * from_stride + column];
            }
        }
    }
}
