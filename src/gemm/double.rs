//! Double-precision matrix products over strided slices, on `matrixmultiply`'s run-time dispatched kernels.
//!
//! C (m × n) ← α A B + β C for A (m × k) and B (k × n). A and B are [`Strided`]: element (i, j) lies at
//! i · row stride + j · column stride, so a transpose costs nothing. C is [`StridedMut`]: whole columns, one `stride` apart.
//!
//! The loops are those of [`gemm`](super::gemm()), in `f64`. A product uses one thread: a caller that wants more gives each a
//! range of C's columns.

/// A borrowed matrix of `f64` with a stride along each side.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a> {
    values: &'a [f64],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Strided<'a> {
    /// A view of `rows` × `columns` elements whose columns lie `stride` apart.
    ///
    /// # Panics
    /// When an element lies past the end of the slice.
    pub(crate) fn columns(values: &'a [f64], rows: usize, columns: usize, stride: usize) -> Self {
        assert_holds(values.len(), rows, columns, stride);
        Self { values, rows, columns, row_stride: 1, column_stride: stride }
    }

    /// The number of rows.
    pub(crate) fn rows(self) -> usize {
        self.rows
    }

    /// The same elements with rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// A borrowed matrix of `f64` that can be written to: whole columns, some stride apart.
pub(crate) struct StridedMut<'a> {
    values: &'a mut [f64],
    rows: usize,
    columns: usize,
    stride: usize,
}

impl<'a> StridedMut<'a> {
    /// A view of `rows` × `columns` elements whose columns lie `stride` apart.
    ///
    /// # Panics
    /// When an element lies past the end of the slice, or columns overlap.
    pub(crate) fn columns(values: &'a mut [f64], rows: usize, columns: usize, stride: usize) -> Self {
        assert_holds(values.len(), rows, columns, stride);
        assert!(stride >= rows, "columns of {rows} elements overlap at a stride of {stride}");
        Self { values, rows, columns, stride }
    }
}

fn assert_holds(length: usize, rows: usize, columns: usize, stride: usize) {
    if rows > 0 && columns > 0 {
        let end = (columns - 1).checked_mul(stride).and_then(|start| start.checked_add(rows));
        assert!(end.is_some_and(|end| end <= length), "{rows} x {columns} at stride {stride} in {length} elements");
    }
}

/// C ← α A B + β C. With β = 0, C is written without being read.
///
/// # Panics
/// When the shapes do not fit together.
pub(crate) fn dgemm(alpha: f64, a: Strided<'_>, b: Strided<'_>, beta: f64, c: StridedMut<'_>) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    assert!(b.rows == k && c.rows == m && c.columns == n, "({m} x {k}) times ({} x {n})", b.rows);
    // SAFETY: each view's constructor checked that its slice holds every element that its shape and strides address;
    // the columns of C do not overlap, and C is borrowed exclusively, so it overlaps neither A nor B.
    unsafe {
        matrixmultiply::dgemm(
            m,
            k,
            n,
            alpha,
            a.values.as_ptr(),
            a.row_stride as isize,
            a.column_stride as isize,
            b.values.as_ptr(),
            b.row_stride as isize,
            b.column_stride as isize,
            beta,
            c.values.as_mut_ptr(),
            1,
            c.stride as isize,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_and_transposes_address_the_right_elements() {
        // A = [1 2; 3 4; 5 6] in columns 4 apart, B = Aᵀ.
        let a = [1.0, 3.0, 5.0, f64::NAN, 2.0, 4.0, 6.0];
        let view = Strided::columns(&a, 3, 2, 4);
        let mut c = [f64::NAN; 11];
        dgemm(1.0, view, view.transposed(), 0.0, StridedMut::columns(&mut c, 3, 3, 4));
        assert_eq!(c[..3], [5.0, 11.0, 17.0]);
        assert_eq!(c[4..7], [11.0, 25.0, 39.0]);
        assert_eq!(c[8..], [17.0, 39.0, 61.0]);
        assert!(c[3].is_nan() && c[7].is_nan());
        assert_eq!((view.rows(), view.transposed().rows()), (3, 2));
    }

    #[test]
    fn what_is_empty_needs_no_elements() {
        for (rows, columns) in [(0, 3), (3, 0), (0, 0)] {
            assert_eq!(Strided::columns(&[], rows, columns, 4).rows(), rows);
        }
    }

    #[test]
    #[should_panic(expected = "3 x 2 at stride 4 in 6 elements")]
    fn a_slice_that_is_too_short_panics() {
        Strided::columns(&[0.0; 6], 3, 2, 4);
    }
}
