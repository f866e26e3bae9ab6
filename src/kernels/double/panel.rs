//! The product of two panels in double precision, added to a tile: what a large Gram matrix is made of.
//!
//! A panel holds [`WIDTH`] columns of n rows, row after row, so that both factors of the product are read in order. It is
//! packed once and meets all other panels, which is what a general product cannot know.
//!
//! # The loops
//!
//! The tile is [`WIDTH`] × [`WIDTH`], column-major. It is cut into blocks of [`HIGH`] registers × 8 columns (4 where there
//! are only 16 registers):
//!
//! ```text
//! for each block of the tile         its sums stay in registers: 3 × 8 of the 32 there are
//!     for each of the n rows         load 3 registers of the left panel's row
//!         for each of its 8 columns  broadcast one element of the right panel's row, and 3 multiply-adds
//!     add the sums to the tile
//! ```
//!
//! The order of a sum's terms is that of the rows, whatever the block.

use pulp::{Simd, WithSimd};

use crate::kernels::Isa;

/// Columns of a panel, rows and columns of a tile: three AVX-512 registers.
pub const WIDTH: usize = 24;

/// Registers that a block of the tile is high.
const HIGH: usize = 3;

/// tile ← tile + leftᵀ · right, for panels of any number of rows; the tile is column-major.
///
/// # Panics
/// When the panels do not have the same number of whole rows, or `tile` does not have [`WIDTH`]² elements.
pub fn add_panel_product(isa: Isa, left: &[f64], right: &[f64], tile: &mut [f64]) {
    struct AddPanelProduct<'a>(&'a [f64], &'a [f64], &'a mut [f64]);
    impl WithSimd for AddPanelProduct<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self(left, right, tile) = self;
            if S::REGISTER_COUNT >= 32 {
                add_blocks::<S, 8>(simd, left, right, tile);
            } else {
                add_blocks::<S, 4>(simd, left, right, tile);
            }
        }
    }
    assert!(left.len() == right.len() && left.len().is_multiple_of(WIDTH) && tile.len() == WIDTH * WIDTH);
    isa.run(AddPanelProduct(left, right, tile));
}

/// All blocks of a tile, `WIDE` columns each.
#[inline(always)]
fn add_blocks<S: Simd, const WIDE: usize>(simd: S, left: &[f64], right: &[f64], tile: &mut [f64]) {
    let registers = WIDTH / S::F64_LANES;
    let left = S::as_simd_f64s(left).0;
    for high in (0..registers).step_by(HIGH) {
        for wide in (0..WIDTH).step_by(WIDE) {
            let mut sums = [[simd.splat_f64s(0.0); HIGH]; WIDE];
            for (left, right) in left.chunks_exact(registers).zip(right.chunks_exact(WIDTH)) {
                let (left, right) = (&left[high..][..HIGH], &right[wide..][..WIDE]);
                for j in 0..WIDE {
                    let factor = simd.splat_f64s(right[j]);
                    for i in 0..HIGH {
                        sums[j][i] = simd.mul_add_e_f64s(left[i], factor, sums[j][i]);
                    }
                }
            }
            for (column, sums) in tile[wide * WIDTH..].chunks_exact_mut(WIDTH).zip(sums) {
                for (to, sum) in S::as_mut_simd_f64s(column).0[high..].iter_mut().zip(sums) {
                    *to = simd.add_f64s(*to, sum);
                }
            }
        }
    }
}
