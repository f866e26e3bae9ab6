//! The fused weight gradient and update: a gradient changes the parameters while it is still in registers.
//!
//! The gradient of a layer's weights is G = Σ Δ · X over the tiles of a minibatch, with Δ (outputs × 32) and X (32 ×
//! columns, row by row; `layer` calls it Xᵀ). A block of G is summed in registers over the whole minibatch, and then
//! changes the parameters, or is written out, at once: no gradient buffer is written and read again. From the optimizer
//! to the kernel:
//!
//! ```text
//! Optimizer::step                an optimizer makes an `Update`: a rule and its flat buffers
//!  └ Gradient::apply             G is summed here; one that lies in a buffer goes to `Update::apply`
//!     └ Batch::apply             the minibatch as tiles; a narrow one has a loop of its own
//!        └ TiledBatch::apply     halves the parameter blocks, and the update with them: rayon::join
//!           └ update_weights     one block of outputs × columns, on one thread
//!              └ Update::with_rule  one compiled copy for each rule, `Map`
//!                 └ Isa::run        and one for each instruction set
//!                    └ run → block → registers   the loops below: G in registers, then `Map` on w and its state
//! ```
//!
//! Shapes: the deltas Δ of a tile are outputs × 32, feature by feature, so that a delta is broadcast; its inputs X are
//! [`TileRows`], blocks of 32 rows × 32 columns, row by row, so that a block is read from one end to the other whatever the
//! width of the layer. The loops, from the outside in:
//!
//! ```text
//! for 256 columns                          their inputs stay in the second-level cache for all outputs
//!   for 8 outputs (6 with 16 registers)    then 4 (2), then 1
//!     for 2 registers of columns           16 (12) sums G in registers
//!       for each tile of the minibatch
//!         for each row that may hold anything but zeros    load 2 registers of X; for each output: G += δ · X
//!       apply the rule to 8 × 2 registers of w and its state
//! ```

use std::ops::Range;

use pulp::{MemMask, Simd, WithSimd};

use super::tile::TILE_ROWS;
use super::transpose::transpose;
use crate::kernels::{Isa, Map, Update, WithRule, lanes_below, prefetch_line};
use crate::matrix::AlignedBuffer;

/// Columns of a block of inputs: two AVX-512 registers.
const BLOCK_COLUMNS: usize = 32;

/// Elements of a block.
const BLOCK: usize = TILE_ROWS * BLOCK_COLUMNS;

/// Columns that are updated for all outputs before the next ones: the inputs of 128 rows have 128 KiB there, and stay in
/// the second-level cache.
const COLUMNS_TOGETHER: usize = 256;

/// The width of a block of the gradient in registers.
const WIDE: usize = 2;

/// The number of outputs whose bias gradients are summed before they are applied.
const BIASES: usize = 64;

/// The rows of a tile, row by row, in blocks of columns.
#[derive(Clone, Debug)]
pub struct TileRows {
    values: AlignedBuffer,
    columns: usize,
    /// For each block, a bit for each row that may hold anything but zeros: no other row adds to a gradient. `set_row`
    /// checks the values; `set` marks every row.
    nonzero: Vec<u32>,
}

impl TileRows {
    /// An empty tile of `columns` columns.
    ///
    /// # Panics
    /// When these are more elements than a slice can have.
    pub fn zeros(columns: usize) -> Self {
        let blocks = columns.div_ceil(BLOCK_COLUMNS);
        let length = blocks.checked_mul(BLOCK).expect("a tile has at most usize::MAX elements");
        Self { values: AlignedBuffer::zeros(length), columns, nonzero: vec![0; blocks] }
    }

    /// Copies `values` to one row.
    ///
    /// # Panics
    /// When there is no such row, or it has another width.
    pub fn set_row(&mut self, row: usize, values: &[f32]) {
        assert!(row < TILE_ROWS && values.len() == self.columns, "row {row} of {} columns", values.len());
        let blocks = self.values.chunks_exact_mut(BLOCK).zip(&mut self.nonzero);
        for ((block, nonzero), values) in blocks.zip(values.chunks(BLOCK_COLUMNS)) {
            block[row * BLOCK_COLUMNS..][..values.len()].copy_from_slice(values);
            // The sign of a zero is shifted out.
            let any = values.iter().fold(0, |any, value| any | value.to_bits()) << 1 != 0;
            *nonzero = *nonzero & !(1 << row) | u32::from(any) << row;
        }
    }

    /// Copies the first `rows` rows of a tile, transposed.
    ///
    /// # Panics
    /// When the tile has another number of features, or not as many rows.
    pub fn set(&mut self, isa: Isa, rows: usize, tile: &[f32]) {
        assert!(tile.len() == self.columns * TILE_ROWS && rows <= TILE_ROWS, "a tile of {} features", self.columns);
        self.nonzero.fill(u32::MAX);
        for (block, tile) in self.values.chunks_exact_mut(BLOCK).zip(tile.chunks(BLOCK)) {
            transpose(isa, [tile.len() / TILE_ROWS, rows], tile, TILE_ROWS, block, BLOCK_COLUMNS);
        }
    }

    /// Copies the first `rows` rows to a tile, transposed.
    ///
    /// # Panics
    /// When the tile has another number of features, or not as many rows.
    pub fn copy_to(&self, isa: Isa, rows: usize, tile: &mut [f32]) {
        assert!(tile.len() == self.columns * TILE_ROWS && rows <= TILE_ROWS, "a tile of {} features", self.columns);
        for (block, tile) in self.values.chunks_exact(BLOCK).zip(tile.chunks_mut(BLOCK)) {
            transpose(isa, [rows, tile.len() / TILE_ROWS], block, BLOCK_COLUMNS, tile, TILE_ROWS);
        }
    }
}

/// The factors of a tile's part of a layer's gradient.
#[derive(Clone, Copy, Debug)]
pub struct TileGradient<'a> {
    /// The tile of deltas, outputs × 32.
    pub delta: &'a [f32],
    /// The inputs of the layer.
    pub inputs: &'a TileRows,
    /// The number of rows that count, at least one; what the others hold does not matter.
    pub rows: usize,
}

impl TileGradient<'_> {
    fn check(&self, outputs: usize, columns: usize) {
        assert!(
            self.delta.len() / TILE_ROWS >= outputs
                && self.inputs.columns == columns
                && (1..=TILE_ROWS).contains(&self.rows),
            "{} rows of a tile of {} deltas and {} inputs for {outputs} outputs and {columns} inputs",
            self.rows,
            self.delta.len(),
            self.inputs.columns
        );
    }
}

/// Applies `update` to the weights (row-major, `columns` wide) of some outputs of a layer, with the gradient
/// G = Σ Δ · X over the first `count` tiles.
///
/// Rows whose inputs are zero over a block of columns are left out, which changes no bit as long as the deltas are finite.
/// An element depends on its output's deltas and its column's inputs alone. The sum runs over the rows in order, in
/// single precision; its error is at most about n ε Σ|delta||input| for n rows.
///
/// # Panics
/// When the shapes do not fit together.
pub fn update_weights<'a>(
    isa: Isa,
    outputs: Range<usize>,
    columns: usize,
    count: usize,
    tile: impl Fn(usize) -> TileGradient<'a>,
    update: Update<'_>,
) {
    let length = outputs.len().checked_mul(columns).filter(|_| outputs.end <= usize::MAX / TILE_ROWS);
    assert_eq!(Some(update.length()), length, "one parameter for each of {outputs:?} x {columns}");
    update.with_rule(WeightUpdate { isa, outputs, columns, count, tile });
}

/// Applies `update` to the biases of a layer, with the gradient Σ Δ over the first `count` tiles.
///
/// The sum runs over one lane of all tiles, then over the lanes, in single precision.
///
/// # Panics
/// When the shapes do not fit together.
pub fn update_biases<'a>(isa: Isa, count: usize, tile: impl Fn(usize) -> TileGradient<'a>, mut update: Update<'_>) {
    let mut start = 0;
    while update.length() > 0 {
        let outputs = update.length().min(BIASES);
        let mut sums = [0.0; BIASES];
        isa.run(BiasSums { start, count, tile: &tile, sums: &mut sums[..outputs] });
        let (here, rest) = update.split_at(outputs);
        here.apply(isa, &sums[..outputs]);
        update = rest;
        start += outputs;
    }
}

struct BiasSums<'s, T> {
    start: usize,
    count: usize,
    tile: T,
    sums: &'s mut [f32],
}

impl<'a, T: Fn(usize) -> TileGradient<'a>> WithSimd for BiasSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (output, sum) in (self.start..).zip(self.sums) {
            let mut lanes = simd.splat_f32s(0.0);
            for index in 0..self.count {
                let TileGradient { delta, rows, .. } = (self.tile)(index);
                assert!(rows <= TILE_ROWS, "{rows} rows of a tile");
                let (whole, rest) = S::as_simd_f32s(&delta[output * TILE_ROWS..][..rows]);
                for &values in whole {
                    lanes = simd.add_f32s(lanes, values);
                }
                if !rest.is_empty() {
                    let mask = MemMask::new(lanes_below(simd, rest.len()));
                    // SAFETY: the mask lets the elements of `rest` alone be touched.
                    lanes = simd.add_f32s(lanes, unsafe { simd.mask_load_ptr_f32s(mask, rest.as_ptr()) });
                }
            }
            *sum = simd.reduce_sum_f32s(lanes);
        }
    }
}

struct WeightUpdate<T> {
    isa: Isa,
    outputs: Range<usize>,
    columns: usize,
    count: usize,
    tile: T,
}

impl<'a, T: Fn(usize) -> TileGradient<'a>> WithRule for WeightUpdate<T> {
    fn run<K: Map<1, N>, const N: usize>(self, kernel: K, mut buffers: [&mut [f32]; N]) {
        let length = self.outputs.len() * self.columns;
        assert!(buffers.iter().all(|buffer| buffer.len() == length), "buffers of {length} elements");
        let buffers = buffers.each_mut().map(|buffer| buffer.as_mut_ptr());
        self.isa.run(WeightUpdateKernel { shape: self, kernel, buffers });
    }
}

/// The update for one rule. Each buffer holds an element for each output and column.
struct WeightUpdateKernel<T, K, const N: usize> {
    shape: WeightUpdate<T>,
    kernel: K,
    buffers: [*mut f32; N],
}

impl<'a, T: Fn(usize) -> TileGradient<'a>, K: Map<1, N>, const N: usize> WithSimd for WeightUpdateKernel<T, K, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 { self.run::<S, 8, 4>(simd) } else { self.run::<S, 6, 2>(simd) }
    }
}

impl<'a, T: Fn(usize) -> TileGradient<'a>, K: Map<1, N>, const N: usize> WeightUpdateKernel<T, K, N> {
    /// Blocks of `HIGH` outputs, then of `LOW`, then of one.
    #[inline(always)]
    fn run<S: Simd, const HIGH: usize, const LOW: usize>(self, simd: S) {
        let columns = self.shape.columns;
        for start in (0..columns).step_by(COLUMNS_TOGETHER) {
            let together = start..columns.min(start + COLUMNS_TOGETHER);
            let (mut output, end) = (self.shape.outputs.start, self.shape.outputs.end);
            while output + HIGH <= end {
                self.block::<S, HIGH>(simd, output, together.clone());
                output += HIGH;
            }
            while output + LOW <= end {
                self.block::<S, LOW>(simd, output, together.clone());
                output += LOW;
            }
            while output < end {
                self.block::<S, 1>(simd, output, together.clone());
                output += 1;
            }
        }
    }

    /// `HIGH` outputs and some columns.
    #[inline(always)]
    fn block<S: Simd, const HIGH: usize>(&self, simd: S, output: usize, columns: Range<usize>) {
        let mut column = columns.start;
        while column + S::F32_LANES < columns.end {
            self.registers::<S, HIGH, WIDE>(simd, output, column);
            column += WIDE * S::F32_LANES;
        }
        if column < columns.end {
            self.registers::<S, HIGH, 1>(simd, output, column);
        }
    }

    /// `HIGH` outputs and as many columns as `WIDE` registers hold.
    #[inline(always)]
    fn registers<S: Simd, const HIGH: usize, const WIDE: usize>(&self, simd: S, output: usize, column: usize) {
        let WeightUpdate { outputs, columns, count, tile, .. } = &self.shape;
        let (lanes, offset) = (S::F32_LANES, column % BLOCK_COLUMNS);
        assert!(output + HIGH <= outputs.end && offset + WIDE * lanes <= BLOCK_COLUMNS);
        let at = |i: usize, j: usize| (output - outputs.start + i) * columns + column + j * lanes;
        for i in 0..HIGH {
            // The parameters are needed when the sum is done, and are in the cache by then.
            self.buffers.iter().for_each(|buffer| (0..WIDE).for_each(|j| prefetch_line(buffer.wrapping_add(at(i, j)))));
        }
        let mut sums = [[simd.splat_f32s(0.0); WIDE]; HIGH];
        for index in 0..*count {
            let here = tile(index);
            here.check(outputs.end, *columns);
            // SAFETY: the deltas hold TILE_ROWS elements for each output, the inputs as many rows of BLOCK_COLUMNS for
            // each block of columns; the first check is above, and the constructor of `TileRows` sees to the second.
            unsafe {
                let delta = here.delta.as_ptr().add(output * TILE_ROWS);
                let block = column / BLOCK_COLUMNS;
                let inputs = here.inputs.values.as_ptr().add(block * BLOCK + offset);
                let mut rows = here.inputs.nonzero[block] & (u64::MAX >> (64 - here.rows)) as u32;
                while rows != 0 {
                    let row = rows.trailing_zeros() as usize;
                    rows &= rows - 1;
                    let values: [S::f32s; WIDE] = std::array::from_fn(|j| {
                        inputs.add(row * BLOCK_COLUMNS + j * lanes).cast::<S::f32s>().read_unaligned()
                    });
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let delta = simd.splat_f32s(*delta.add(i * TILE_ROWS + row));
                        for (sum, value) in sums.iter_mut().zip(values) {
                            *sum = simd.mul_add_e_f32s(delta, value, *sum);
                        }
                    }
                }
            }
        }
        for (i, sums) in sums.into_iter().enumerate() {
            for (j, sum) in sums.into_iter().enumerate() {
                if column + j * lanes < *columns {
                    // SAFETY: the output and the column are among those that the buffers hold.
                    unsafe { self.apply(simd, at(i, j), columns - column - j * lanes, sum) };
                }
            }
        }
    }

    /// Changes the parameters from element `at` on: as many as there are lanes, or `left` if they are fewer.
    ///
    /// # Safety
    /// The buffers hold them.
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, simd: S, at: usize, left: usize, gradient: S::f32s) {
        // Loops, not `map` over the arrays, which the compiler may leave out of line.
        let mut held = [simd.splat_f32s(0.0); N];
        let whole = left >= S::F32_LANES;
        let mask = MemMask::new(lanes_below(simd, left));
        // SAFETY: the caller's promise; the mask lets the first `left` elements alone be touched.
        unsafe {
            for (held, buffer) in held.iter_mut().zip(self.buffers) {
                let buffer = buffer.add(at);
                *held = match whole {
                    true => buffer.cast::<S::f32s>().read_unaligned(),
                    false => simd.mask_load_ptr_f32s(mask, buffer),
                };
            }
            for (values, buffer) in self.kernel.map(simd, [gradient], held).into_iter().zip(self.buffers) {
                let buffer = buffer.add(at);
                match whole {
                    true => buffer.cast::<S::f32s>().write_unaligned(values),
                    false => simd.mask_store_ptr_f32s(mask, buffer, values),
                }
            }
        }
    }
}
