//! Products with a tile: some rows of a minibatch, held feature by feature.
//!
//! A tile is features × [`TILE_ROWS`]: the values of one feature for all rows of the tile lie side by side, and fill
//! whole registers. A layer reads its weights in place, one at a time: forward (W · X) along the rows of W, backward
//! (Wᵀ · Δ) down its columns. A packed product copies both operands first, which a minibatch is too short to pay for.
//!
//! C (m × 32) ← A (m × k) · X (k × 32) + b, for A = W or Wᵀ. The loops, from the outside in:
//!
//! ```text
//! for a stretch of 1024 of the k features          its part of X, 128 KiB, stays in the second-level cache
//!   for a block of features                        8 features of C (6 with 16 registers), then 4 (2), then 1
//!     for 2 registers of the tile's rows           with AVX-512 these are all 32
//!       load the block of C                        or the biases, in the first stretch
//!       for each k of the stretch                  load 2 registers of X; for each feature of C: C += a · X, a broadcast
//!       store the block of C
//! ```
//!
//! 8 × 2 sums, 2 registers of X and a broadcast leave some of 32 registers free, but 12 × 2 sums spill once zeros are
//! skipped.
//!
//! Features of X that are zero in all rows can be left out of the stretches: see [`NonzeroFeatures`].

use pulp::{Simd, WithSimd};

use crate::kernels::{Isa, prefetch_line};
use crate::matrix::MatrixView;

/// Rows of a tile: two AVX-512 registers.
pub const TILE_ROWS: usize = 32;

/// The number of terms of k between two visits to the output: their part of X, 1024 × 32 floats, has 128 KiB and stays in
/// the second-level cache.
const DEPTH: usize = 1024;

/// The distance, in terms of k, at which the weights of a block's first feature are prefetched. It pays in Wᵀ, where they
/// lie a stride apart; along the rows of W the processor fetches ahead by itself.
const AHEAD: usize = 32;

/// The width of a block of the output in registers.
const WIDE: usize = 2;

/// The features of a tile that are not zero in all of its rows. A product with the tile can leave out the others, which
/// are many in images with margins and in one-hot columns.
#[derive(Clone, Debug, Default)]
pub struct NonzeroFeatures {
    indices: Vec<u32>,
    /// The features of the tile; every index is below.
    features: usize,
}

impl NonzeroFeatures {
    /// None yet, of a tile of `features` features.
    ///
    /// # Panics
    /// When there are 2³² or more.
    pub fn new(features: usize) -> Self {
        assert!(u32::try_from(features).is_ok(), "{features} features");
        Self { indices: Vec::with_capacity(features), features }
    }

    /// Finds the features of a tile.
    ///
    /// # Panics
    /// When the tile has another number of features.
    pub fn find(&mut self, isa: Isa, tile: &[f32]) {
        struct Find<'a>(&'a [f32], &'a mut Vec<u32>);
        impl WithSimd for Find<'_> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                let Self(tile, indices) = self;
                for (index, feature) in (0..).zip(tile.chunks_exact(TILE_ROWS)) {
                    let lanes = S::as_simd_f32s(feature).0.iter().copied();
                    let any = lanes.fold(simd.splat_f32s(0.0), |any, values| simd.or_f32s(any, values));
                    // As bits, so that NaN counts; the sign does not.
                    let magnitude = simd.transmute_u32s_f32s(simd.abs_f32s(any));
                    let nonzero = simd.greater_than_u32s(magnitude, simd.splat_u32s(0));
                    if simd.first_true_m32s(nonzero) < S::F32_LANES {
                        indices.push(index);
                    }
                }
            }
        }
        assert_eq!(tile.len(), self.features * TILE_ROWS, "a tile of {} features", self.features);
        self.indices.clear();
        isa.run(Find(tile, &mut self.indices));
    }
}

/// C ← A · X + b for a tile X (k × 32) and the first `rows` of its rows: C is a tile too, m × 32, and A is m × k.
///
/// A may be a transposed view. `bias` has m elements, or none for zeros. The other rows of C hold anything after. Where
/// `nonzero` names the features of X that are not zero, the others are not read: as long as A is finite that changes
/// no bit, and an element of C depends on its row of A, its bias and its row of the tile alone. The sum runs over k in
/// order, in single precision; its error is at most about (k + 1) ε (Σ|a||x| + |b|).
///
/// # Panics
/// When the shapes do not fit together.
pub fn tile_product(
    isa: Isa,
    a: MatrixView<'_>,
    bias: &[f32],
    x: &[f32],
    nonzero: Option<&NonzeroFeatures>,
    rows: usize,
    c: &mut [f32],
) {
    let (m, k) = (a.rows(), a.columns());
    assert!(
        Some(x.len()) == k.checked_mul(TILE_ROWS)
            && Some(c.len()) == m.checked_mul(TILE_ROWS)
            && (bias.is_empty() || bias.len() == m),
        "({m} x {k}) times a tile of {} into a tile of {}, with {} biases",
        x.len(),
        c.len(),
        bias.len()
    );
    assert!(rows <= TILE_ROWS, "{rows} rows of a tile");
    assert!(nonzero.is_none_or(|nonzero| nonzero.features == k), "the nonzero features of another tile");
    isa.run(TileProduct { a, bias, x, nonzero, rows, c });
}

struct TileProduct<'a> {
    a: MatrixView<'a>,
    bias: &'a [f32],
    x: &'a [f32],
    nonzero: Option<&'a NonzeroFeatures>,
    rows: usize,
    c: &'a mut [f32],
}

impl WithSimd for TileProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        match self.nonzero {
            Some(nonzero) => {
                let mut stretches = nonzero.indices.chunks(DEPTH);
                self.stretch(simd, true, stretches.next().unwrap_or(&[]).iter().map(|&k| k as usize));
                stretches.for_each(|stretch| self.stretch(simd, false, stretch.iter().map(|&k| k as usize)));
            }
            None => {
                let depth = self.a.columns();
                self.stretch(simd, true, 0..DEPTH.min(depth));
                for start in (DEPTH..depth).step_by(DEPTH) {
                    self.stretch(simd, false, start..depth.min(start + DEPTH));
                }
            }
        }
    }
}

impl TileProduct<'_> {
    /// Adds the products of some weights and their part of the tile to C, or to the biases at `first`.
    #[inline(always)]
    fn stretch<S: Simd>(&mut self, simd: S, first: bool, terms: impl Iterator<Item = usize> + Clone) {
        if S::REGISTER_COUNT >= 32 {
            self.blocks::<S, 8, 4>(simd, first, terms);
        } else {
            self.blocks::<S, 6, 2>(simd, first, terms);
        }
    }

    /// Blocks of `HIGH` features, then of `LOW`, then of one.
    #[inline(always)]
    fn blocks<S: Simd, const HIGH: usize, const LOW: usize>(
        &mut self,
        simd: S,
        first: bool,
        terms: impl Iterator<Item = usize> + Clone,
    ) {
        let mut feature = 0;
        while feature + HIGH <= self.a.rows() {
            self.block::<S, HIGH>(simd, feature, first, terms.clone());
            feature += HIGH;
        }
        while feature + LOW <= self.a.rows() {
            self.block::<S, LOW>(simd, feature, first, terms.clone());
            feature += LOW;
        }
        while feature < self.a.rows() {
            self.block::<S, 1>(simd, feature, first, terms.clone());
            feature += 1;
        }
    }

    /// Features from `feature` on, for all rows of the tile.
    #[inline(always)]
    fn block<S: Simd, const HIGH: usize>(
        &mut self,
        simd: S,
        feature: usize,
        first: bool,
        terms: impl Iterator<Item = usize> + Clone,
    ) {
        let mut row = 0;
        while row + S::F32_LANES < self.rows {
            self.registers::<S, HIGH, WIDE>(simd, [feature, row], first, terms.clone());
            row += WIDE * S::F32_LANES;
        }
        if row < self.rows {
            self.registers::<S, HIGH, 1>(simd, [feature, row], first, terms);
        }
    }

    /// `HIGH` features of as many rows as `WIDE` registers hold.
    #[inline(always)]
    fn registers<S: Simd, const HIGH: usize, const WIDE: usize>(
        &mut self,
        simd: S,
        [feature, row]: [usize; 2],
        first: bool,
        terms: impl Iterator<Item = usize>,
    ) {
        let (row_stride, column_stride) = (self.a.row_stride(), self.a.column_stride());
        assert!(feature + HIGH <= self.a.rows() && row + WIDE * S::F32_LANES <= TILE_ROWS);
        // SAFETY: by the assertions here and in `tile_product`, the block lies inside A, X and C: A's view holds every
        // element of its rows and columns, X and C hold `TILE_ROWS` elements a column and a row of A, and the terms are
        // columns of A.
        unsafe {
            let c = self.c.as_mut_ptr().add(feature * TILE_ROWS + row);
            let at = |i: usize, j: usize| c.add(i * TILE_ROWS + j * S::F32_LANES).cast::<S::f32s>();
            let mut sums = [[simd.splat_f32s(0.0); WIDE]; HIGH];
            for (i, sums) in sums.iter_mut().enumerate() {
                for (j, sum) in sums.iter_mut().enumerate() {
                    if !first {
                        *sum = at(i, j).read_unaligned();
                    } else if !self.bias.is_empty() {
                        *sum = simd.splat_f32s(self.bias[feature + i]);
                    }
                }
            }
            // Without terms, these may point past the end of nothing.
            let a = self.a.as_slice().as_ptr().wrapping_add(feature * row_stride);
            let x = self.x.as_ptr().wrapping_add(row);
            for k in terms {
                let (a, x) = (a.add(k * column_stride), x.add(k * TILE_ROWS));
                prefetch_line(a.wrapping_add(AHEAD * column_stride));
                let column: [S::f32s; WIDE] =
                    std::array::from_fn(|j| x.add(j * S::F32_LANES).cast::<S::f32s>().read_unaligned());
                for (i, sums) in sums.iter_mut().enumerate() {
                    let weight = simd.splat_f32s(*a.add(i * row_stride));
                    for (sum, value) in sums.iter_mut().zip(column) {
                        *sum = simd.mul_add_e_f32s(weight, value, *sum);
                    }
                }
            }
            for (i, sums) in sums.into_iter().enumerate() {
                for (j, sum) in sums.into_iter().enumerate() {
                    // −0 becomes 0, as it does when the product with a zero is added.
                    at(i, j).write_unaligned(simd.add_f32s(sum, simd.splat_f32s(0.0)));
                }
            }
        }
    }
}
