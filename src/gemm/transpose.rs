//! Transposing between rows and tiles.

use crate::kernels::{Isa, LANE_NUMBERS, lanes_below};
use pulp::{MemMask, Simd, WithSimd};

/// The lanes of the widest register.
const MOST_LANES: usize = LANE_NUMBERS.len();

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

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for column in (0..self.columns).step_by(S::F32_LANES) {
            for row in (0..self.rows).step_by(S::F32_LANES) {
                self.square(simd, row, column);
            }
        }
    }
}

impl Transpose<'_> {
    /// As many rows as a register has lanes, and as many columns, or what is left of them.
    ///
    /// It exchanges the off-diagonal halves of the square, then those of its quarters, and so on down to single elements
    /// (Eklundh, "A fast computer method for matrix transposing", 1972): a rotation and a selection a register each time.
    #[inline(always)]
    fn square<S: Simd>(&mut self, simd: S, row: usize, column: usize) {
        let lanes = S::F32_LANES;
        let (rows, columns) = ((self.rows - row).min(lanes), (self.columns - column).min(lanes));
        let (some_columns, some_rows) =
            (MemMask::new(lanes_below(simd, columns)), MemMask::new(lanes_below(simd, rows)));
        let mut square = [simd.splat_f32s(0.0); MOST_LANES];
        for i in 0..rows {
            let from = &self.from[(row + i) * self.from_stride + column..][..columns];
            // SAFETY: the slice holds the columns, which the mask stops at; a whole register where they fill one.
            square[i] = unsafe {
                if columns == lanes {
                    from.as_ptr().cast::<S::f32s>().read_unaligned()
                } else {
                    simd.mask_load_ptr_f32s(some_columns, from.as_ptr())
                }
            };
        }
        let mut distance = lanes / 2;
        while distance > 0 {
            let upper = upper_of_pairs(simd, distance);
            for i in (0..lanes).filter(|i| i & distance == 0) {
                let (first, second) = (square[i], square[i + distance]);
                square[i] = simd.select_f32s(upper, simd.rotate_right_f32s(second, distance), first);
                square[i + distance] = simd.select_f32s(upper, second, simd.rotate_left_f32s(first, distance));
            }
            distance /= 2;
        }
        for j in 0..columns {
            let to = &mut self.to[(column + j) * self.to_stride + row..][..rows];
            // SAFETY: the slice holds the rows, which the mask stops at; a whole register where they fill one.
            unsafe {
                if rows == lanes {
                    to.as_mut_ptr().cast::<S::f32s>().write_unaligned(square[j]);
                } else {
                    simd.mask_store_ptr_f32s(some_rows, to.as_mut_ptr(), square[j]);
                }
            }
        }
    }
}

/// A mask of the lanes whose number has the bit `distance`.
#[inline(always)]
fn upper_of_pairs<S: Simd>(simd: S, distance: usize) -> S::m32s {
    let bits = simd.and_u32s(pulp::cast_lossy(LANE_NUMBERS), simd.splat_u32s(distance as u32));
    simd.greater_than_u32s(bits, simd.splat_u32s(0))
}
