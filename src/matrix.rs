//! The flat buffer: 64-byte aligned `f32`, row-major, and borrowed views of it.

use std::fmt;
use std::ops::{Deref, DerefMut, Range};

/// One cache line, and one AVX-512 register.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; Line::LENGTH]);

impl Line {
    const LENGTH: usize = 16;
}

/// A slice of `f32` on the heap whose first element lies on a 64-byte boundary.
///
/// It dereferences to `[f32]`; its length is fixed when it is made.
#[derive(Clone, Default)]
pub struct AlignedBuffer {
    lines: Vec<Line>,
    length: usize,
}

impl AlignedBuffer {
    /// `length` zeros.
    pub fn zeros(length: usize) -> Self {
        Self { lines: vec![Line([0.0; Line::LENGTH]); length.div_ceil(Line::LENGTH)], length }
    }
}

impl From<&[f32]> for AlignedBuffer {
    fn from(values: &[f32]) -> Self {
        let mut buffer = Self::zeros(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: a `Line` is 16 consecutive `f32` without padding, and `lines` holds at least `length` of them.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.length) }
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`; `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.length) }
    }
}

impl PartialEq for AlignedBuffer {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for AlignedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// A dense matrix: one flat, 64-byte aligned buffer, row after row. Rows are observations, columns are features.
///
/// ```
/// use diabolo::Matrix;
/// let matrix = Matrix::from_rows(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
/// assert_eq!((matrix.rows(), matrix.columns()), (3, 2));
/// assert_eq!(matrix.row(1), [3.0, 4.0]);
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Matrix {
    values: AlignedBuffer,
    rows: usize,
    columns: usize,
}

impl Matrix {
    /// A matrix of zeros.
    ///
    /// # Panics
    /// When `rows * columns` overflows.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        let length = rows.checked_mul(columns).expect("a matrix has at most usize::MAX elements");
        Self { values: AlignedBuffer::zeros(length), rows, columns }
    }

    /// A matrix from its elements, row after row.
    ///
    /// # Panics
    /// When there are not `rows * columns` values.
    pub fn from_slice(rows: usize, columns: usize, values: &[f32]) -> Self {
        assert_eq!(Some(values.len()), rows.checked_mul(columns), "{rows} x {columns} elements are needed");
        Self { values: values.into(), rows, columns }
    }

    /// A matrix from an array of rows.
    pub fn from_rows<const COLUMNS: usize>(rows: &[[f32; COLUMNS]]) -> Self {
        Self::from_slice(rows.len(), COLUMNS, rows.as_flattened())
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All elements, row after row.
    pub fn as_slice(&self) -> &[f32] {
        &self.values
    }

    /// All elements, row after row.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// One row.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, row: usize) -> &[f32] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        &self.values[row * self.columns..][..self.columns]
    }

    /// One row.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        &mut self.values[row * self.columns..][..self.columns]
    }

    /// A copy of the rows of these indices, in this order.
    ///
    /// # Panics
    /// When there is no row of an index.
    pub fn select_rows(&self, indices: &[usize]) -> Self {
        let mut selected = Self::zeros(indices.len(), self.columns);
        for (to, &index) in indices.iter().enumerate() {
            selected.row_mut(to).copy_from_slice(self.row(index));
        }
        selected
    }

    /// A view of the whole.
    pub fn view(&self) -> MatrixView<'_> {
        MatrixView::new(&self.values, self.rows, self.columns)
    }

    /// A view of the whole.
    pub fn view_mut(&mut self) -> MatrixViewMut<'_> {
        MatrixViewMut::new(&mut self.values, self.rows, self.columns)
    }

    /// A view of some rows.
    ///
    /// # Panics
    /// When the range reaches past the last row.
    pub fn rows_view(&self, rows: Range<usize>) -> MatrixView<'_> {
        let values = &self.values[rows.start * self.columns..rows.end * self.columns];
        MatrixView::new(values, rows.len(), self.columns)
    }

    /// A view of some rows.
    ///
    /// # Panics
    /// When the range reaches past the last row.
    pub fn rows_view_mut(&mut self, rows: Range<usize>) -> MatrixViewMut<'_> {
        let values = &mut self.values[rows.start * self.columns..rows.end * self.columns];
        MatrixViewMut::new(values, rows.len(), self.columns)
    }
}

impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} ", self.rows, self.columns)?;
        f.debug_list().entries((0..self.rows).map(|row| self.row(row))).finish()
    }
}

/// A borrowed, possibly transposed matrix: a slice with a stride along each side.
#[derive(Clone, Copy, Debug)]
pub struct MatrixView<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> MatrixView<'a> {
    /// A row-major view of a slice.
    ///
    /// # Panics
    /// When the slice does not hold exactly `rows * columns` elements.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(Some(values.len()), rows.checked_mul(columns), "{rows} x {columns} elements are needed");
        Self { values, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same elements with rows and columns exchanged; nothing is moved.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Some of its columns; nothing is moved.
    ///
    /// # Panics
    /// When the range reaches past the last column.
    pub fn columns_view(self, columns: Range<usize>) -> Self {
        assert!(columns.start <= columns.end && columns.end <= self.columns, "{columns:?} of {}", self.columns);
        let start = if self.rows == 0 { 0 } else { columns.start * self.column_stride };
        Self { values: &self.values[start.min(self.values.len())..], columns: columns.len(), ..self }
    }

    /// Some of its rows; nothing is moved.
    ///
    /// # Panics
    /// When the range reaches past the last row.
    pub fn rows_view(self, rows: Range<usize>) -> Self {
        self.transposed().columns_view(rows).transposed()
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One element.
    ///
    /// # Panics
    /// When it lies outside.
    pub fn get(&self, row: usize, column: usize) -> f32 {
        assert!(row < self.rows && column < self.columns, "({row}, {column}) of {} x {}", self.rows, self.columns);
        self.values[row * self.row_stride + column * self.column_stride]
    }

    /// Elements between two neighbours of a column.
    pub fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// Elements between two neighbours of a row.
    pub fn column_stride(&self) -> usize {
        self.column_stride
    }

    /// The elements as they lie in memory.
    pub fn as_slice(&self) -> &'a [f32] {
        self.values
    }
}

/// A borrowed row-major matrix that can be written to.
#[derive(Debug)]
pub struct MatrixViewMut<'a> {
    values: &'a mut [f32],
    rows: usize,
    columns: usize,
}

impl<'a> MatrixViewMut<'a> {
    /// A row-major view of a slice.
    ///
    /// # Panics
    /// When the slice does not hold exactly `rows * columns` elements.
    pub fn new(values: &'a mut [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(Some(values.len()), rows.checked_mul(columns), "{rows} x {columns} elements are needed");
        Self { values, rows, columns }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All elements, row after row.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        self.values
    }
}
