//! A row beside every row of a row-major matrix: biases and their gradients.

use super::Isa;
use super::sweep::{Map, sweep_with};
use pulp::{Simd, WithSimd};

/// How many rows are added to the sums at a time.
const TOGETHER: usize = 8;

/// Adds `row` to each row of the row-major `values`.
///
/// # Panics
/// When `values` is no whole number of rows.
pub fn add_row(isa: Isa, row: &[f32], values: &mut [f32]) {
    check(row.len(), values.len());
    isa.run(AddRow { row, values });
}

/// Writes the sums of the columns of the row-major `values`, which is `sums.len()` columns wide; no rows give zeros.
///
/// Eight rows at a time are added to the sums, in single precision: a sum over n rows is off by at most
/// (n / 8 + 10) ε Σ|value|, ε = 2⁻²⁴.
///
/// # Panics
/// When `values` is no whole number of rows.
pub fn column_sums(isa: Isa, values: &[f32], sums: &mut [f32]) {
    check(sums.len(), values.len());
    sums.fill(0.0);
    isa.run(ColumnSums { values, sums });
}

fn check(columns: usize, length: usize) {
    assert!(length.is_multiple_of(columns), "{length} values are no rows of {columns}");
}

struct AddRow<'a> {
    row: &'a [f32],
    values: &'a mut [f32],
}

impl WithSimd for AddRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for values in self.values.chunks_exact_mut(self.row.len().max(1)) {
            sweep_with(simd, [self.row], [values], Add);
        }
    }
}

struct ColumnSums<'a> {
    values: &'a [f32],
    sums: &'a mut [f32],
}

impl WithSimd for ColumnSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let columns = self.sums.len().max(1);
        let mut together = self.values.chunks_exact(TOGETHER * columns);
        for rows in &mut together {
            let rows: [&[f32]; TOGETHER] = std::array::from_fn(|row| &rows[row * columns..][..columns]);
            sweep_with(simd, rows, [&mut *self.sums], AddEight);
        }
        for row in together.remainder().chunks_exact(columns) {
            sweep_with(simd, [row], [&mut *self.sums], Add);
        }
    }
}

#[derive(Clone, Copy)]
struct Add;

impl Map<1, 1> for Add {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, [row]: [S::f32s; 1], [sums]: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.add_f32s(sums, row)]
    }
}

#[derive(Clone, Copy)]
struct AddEight;

impl Map<TOGETHER, 1> for AddEight {
    #[inline(always)]
    fn map<S: Simd>(self, simd: S, rows: [S::f32s; TOGETHER], [sums]: [S::f32s; 1]) -> [S::f32s; 1] {
        let [a, b, c, d, e, f, g, h] = rows;
        let add = |x, y| simd.add_f32s(x, y);
        [add(sums, add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h))))]
    }
}
