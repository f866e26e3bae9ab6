//! Transposing between rows and tiles.
//!
//! A matrix of rows × columns is transposed square by square, with sides of one register, 16 lanes in AVX-512 and 8 in AVX2:
//!
//! ```text
//! for a register's lanes of columns
//!   for as many rows          load the square, a row a register; exchange halves, quarters, …; store it, a column a register
//! for the elements that are left at the right and at the bottom: one by one
//! ```
//!
//! Squares go down the rows first, so that the stores of one stretch of columns lie side by side in the result.

use pulp::{Simd, WithSimd};

use crate::kernels::{Isa, LANE_NUMBERS};

/// The lanes of the widest register.
const MOST_LANES: usize = LANE_NUMBERS.len();

/// `to[c][r] = from[r][c]` for r < `rows` and c < `columns`; the elements of a row, and of a row of `to`, are neighbours,
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
    let end = |count: usize, stride: usize, width| (count - 1).checked_mul(stride)?.checked_add(width);
    let holds = |length: usize, end: Option<usize>| end.is_some_and(|end| end <= length);
    assert!(holds(from.len(), end(rows, from_stride, columns)), "{rows} x {columns} from {} elements", from.len());
    assert!(holds(to.len(), end(columns, to_stride, rows)), "{rows} x {columns} to {} elements", to.len());
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
        let whole = |length: usize| length / S::F32_LANES * S::F32_LANES;
        let (rows, columns) = (whole(self.rows), whole(self.columns));
        for column in (0..columns).step_by(S::F32_LANES) {
            for row in (0..rows).step_by(S::F32_LANES) {
                self.square(simd, row, column);
            }
        }
        for row in 0..self.rows {
            for column in if row < rows { columns } else { 0 }..self.columns {
                self.to[column * self.to_stride + row] = self.from[row * self.from_stride + column];
            }
        }
    }
}

impl Transpose<'_> {
    /// As many rows as a register has lanes, and as many columns.
    ///
    /// It exchanges the off-diagonal halves of the square, then those of its quarters, and so on down to single elements
    /// (Eklundh, "A fast computer method for matrix transposing", 1972): a rotation and a selection a register each time.
    #[inline(always)]
    fn square<S: Simd>(&mut self, simd: S, row: usize, column: usize) {
        let lanes = S::F32_LANES;
        assert!(row + lanes <= self.rows && column + lanes <= self.columns);
        // SAFETY: the square lies inside of both slices, as the assertions here and in `transpose` say. Loops of fixed
        // lengths, so that the compiler unrolls them and keeps the square in registers.
        unsafe {
            let from = self.from.as_ptr().add(row * self.from_stride + column);
            let mut square: [S::f32s; MOST_LANES] = std::array::from_fn(|i| match i < lanes {
                true => from.add(i * self.from_stride).cast::<S::f32s>().read_unaligned(),
                false => simd.splat_f32s(0.0),
            });
            exchange::<S, 8>(simd, &mut square);
            exchange::<S, 4>(simd, &mut square);
            exchange::<S, 2>(simd, &mut square);
            exchange::<S, 1>(simd, &mut square);
            let to = self.to.as_mut_ptr().add(column * self.to_stride + row);
            for (j, values) in square.into_iter().enumerate() {
                if j < lanes {
                    to.add(j * self.to_stride).cast::<S::f32s>().write_unaligned(values);
                }
            }
        }
    }
}

/// Exchanges, in each square of twice `DISTANCE` rows and lanes along the diagonal, the two quarters off the diagonal.
#[inline(always)]
fn exchange<S: Simd, const DISTANCE: usize>(simd: S, square: &mut [S::f32s; MOST_LANES]) {
    if DISTANCE >= S::F32_LANES {
        return;
    }
    let bits = simd.and_u32s(pulp::cast_lossy(LANE_NUMBERS), simd.splat_u32s(DISTANCE as u32));
    let upper = simd.greater_than_u32s(bits, simd.splat_u32s(0));
    for i in 0..MOST_LANES {
        if i < S::F32_LANES && i & DISTANCE == 0 {
            let (first, second) = (square[i], square[i + DISTANCE]);
            square[i] = simd.select_f32s(upper, simd.rotate_right_f32s(second, DISTANCE), first);
            square[i + DISTANCE] = simd.select_f32s(upper, second, simd.rotate_left_f32s(first, DISTANCE));
        }
    }
}
