//! Products with a tile: some rows of a minibatch, held feature by feature.
//!
//! A tile is features × [`TILE_ROWS`]: the values of one feature for all rows of the tile stand side by side, and fill
//! whole registers. A layer reads its weights in place, one at a time: forward (W · X) along the rows of W, backward
//! (Wᵀ · Δ) down its columns. A packed product copies both operands first, which a minibatch is too short to pay for.
//!
//! A block of the output, as many features high as there are registers for, stays in registers while the contraction
//! runs over a stretch of [`DEPTH`] weights, whose part of the tile stays in the cache for all blocks.

use crate::kernels::Isa;
use crate::matrix::MatrixView;
use pulp::{Simd, WithSimd};

/// Rows of a tile: two AVX-512 registers.
pub const TILE_ROWS: usize = 32;

/// Weights that are contracted with between two visits to the output: their part of a tile has 32 KiB.
const DEPTH: usize = 256;

/// Registers that a block of the output is wide.
const WIDE: usize = 2;

/// C ← A · X + b for a tile X (k × 32) and the first `rows` of its rows: C is a tile too, m × 32, and A is m × k.
///
/// A may be a transposed view. `bias` has m elements, or none for zeros. The other rows of C hold anything after. An
/// element of C depends on its row of A, its bias and its row of the tile alone. The sum runs over k in order, in single
/// precision; its error is at most about (k + 1) ε (Σ|a||x| + |b|).
///
/// # Panics
/// When the shapes do not fit together.
pub fn tile_product(isa: Isa, a: MatrixView<'_>, bias: &[f32], x: &[f32], rows: usize, c: &mut [f32]) {
    let (m, k) = (a.rows(), a.columns());
    assert!(
        x.len() == k * TILE_ROWS && c.len() == m * TILE_ROWS && (bias.is_empty() || bias.len() == m),
        "({m} x {k}) times a tile of {} into a tile of {}, with {} biases",
        x.len(),
        c.len(),
        bias.len()
    );
    assert!(rows <= TILE_ROWS, "{rows} rows of a tile");
    isa.run(TileProduct { a, bias, x, rows, c });
}

struct TileProduct<'a> {
    a: MatrixView<'a>,
    bias: &'a [f32],
    x: &'a [f32],
    rows: usize,
    c: &'a mut [f32],
}

impl WithSimd for TileProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 { self.run::<S, 12, 4>(simd) } else { self.run::<S, 6, 2>(simd) }
    }
}

impl TileProduct<'_> {
    /// Blocks of `HIGH` features, then of `LOW`, then of one.
    #[inline(always)]
    fn run<S: Simd, const HIGH: usize, const LOW: usize>(mut self, simd: S) {
        let mut start = 0;
        loop {
            let depth = (self.a.columns() - start).min(DEPTH);
            let mut feature = 0;
            while feature + HIGH <= self.a.rows() {
                self.block::<S, HIGH>(simd, feature, start, depth);
                feature += HIGH;
            }
            while feature + LOW <= self.a.rows() {
                self.block::<S, LOW>(simd, feature, start, depth);
                feature += LOW;
            }
            while feature < self.a.rows() {
                self.block::<S, 1>(simd, feature, start, depth);
                feature += 1;
            }
            start += depth;
            if start == self.a.columns() {
                return;
            }
        }
    }

    /// Features from `feature` on, and weights from `start` on, for all rows of the tile.
    #[inline(always)]
    fn block<S: Simd, const HIGH: usize>(&mut self, simd: S, feature: usize, start: usize, depth: usize) {
        let mut row = 0;
        while row + S::F32_LANES < self.rows {
            self.registers::<S, HIGH, WIDE>(simd, [feature, row], start, depth);
            row += WIDE * S::F32_LANES;
        }
        if row < self.rows {
            self.registers::<S, HIGH, 1>(simd, [feature, row], start, depth);
        }
    }

    /// `HIGH` features of as many rows as `WIDE` registers hold.
    #[inline(always)]
    fn registers<S: Simd, const HIGH: usize, const WIDE: usize>(
        &mut self,
        simd: S,
        [feature, row]: [usize; 2],
        start: usize,
        depth: usize,
    ) {
        let (row_stride, column_stride) = (self.a.row_stride(), self.a.column_stride());
        assert!(feature + HIGH <= self.a.rows() && start + depth <= self.a.columns());
        assert!(row + WIDE * S::F32_LANES <= TILE_ROWS);
        // SAFETY: by the assertions, and those of `tile_product`, the block lies inside A, X and C: A's view holds every
        // element of its rows and columns, and X and C hold `TILE_ROWS` elements a column and a row of A.
        unsafe {
            let c = self.c.as_mut_ptr().add(feature * TILE_ROWS + row);
            let at = |i: usize, j: usize| c.add(i * TILE_ROWS + j * S::F32_LANES).cast::<S::f32s>();
            let mut sums = [[simd.splat_f32s(0.0); WIDE]; HIGH];
            for i in 0..HIGH {
                for j in 0..WIDE {
                    if start > 0 {
                        sums[i][j] = at(i, j).read_unaligned();
                    } else if !self.bias.is_empty() {
                        sums[i][j] = simd.splat_f32s(self.bias[feature + i]);
                    }
                }
            }
            let mut a = self.a.as_slice().as_ptr().add(feature * row_stride + start * column_stride);
            let mut x = self.x.as_ptr().add(start * TILE_ROWS + row);
            for _ in 0..depth {
                let column: [S::f32s; WIDE] =
                    std::array::from_fn(|j| x.add(j * S::F32_LANES).cast::<S::f32s>().read_unaligned());
                for i in 0..HIGH {
                    let weight = simd.splat_f32s(*a.add(i * row_stride));
                    for j in 0..WIDE {
                        sums[i][j] = simd.mul_add_e_f32s(weight, column[j], sums[i][j]);
                    }
                }
                a = a.wrapping_add(column_stride);
                x = x.wrapping_add(TILE_ROWS);
            }
            for i in 0..HIGH {
                for j in 0..WIDE {
                    at(i, j).write_unaligned(sums[i][j]);
                }
            }
        }
    }
}
