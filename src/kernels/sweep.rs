//! The one loop under the kernels: whole registers four at a time, then one at a time, then a masked one.
//!
//! A kernel says what it does to one register of each slice ([`Map`]), and what it adds to a sum if it makes one
//! ([`Kernel`]). Loading, storing, unrolling, the ragged end and the order of the sum are settled here, once.
//!
//! # The loops
//!
//! IN slices are read and OUT slices overwritten, n elements each; a register holds L lanes. From front to back:
//!
//! ```text
//! while 4 L elements or more are left           a block of at most 64 steps, for the error of the sum
//!     for each step: for each of 4 registers    load IN + OUT registers, apply, store OUT; terms go to its own sum
//!     add the 4 sums, then their lanes, into the double
//! while L elements or more are left             one register at a time
//! if any are left                               one masked register, whose lanes past the end add nothing
//! ```
//!
//! The kernel is inlined into all three loops, so a step of a [`Map`] is its loads, its arithmetic and its stores.
//!
//! # How the error of a sum grows
//!
//! Terms are added in single precision into four registers, at most [`STEPS`] times each; then the lanes are added up and
//! the sum of that block goes into a double. With L ≤ 16 lanes a term passes through at most `STEPS + 2 + log2 L` ≤ 70
//! single-precision additions, however long the slice is, so the sum of n terms t is off by at most 71 ε Σ|t| (ε = 2⁻²⁴,
//! the last one for the rounding of the term itself), plus at most n / 256 + 1 roundings in double precision. The order
//! depends on the length and the instruction set alone, never on threads or on alignment.

use pulp::{MemMask, Simd, WithSimd};

use super::Isa;

/// The number of registers in flight; a sum has as many accumulators, to hide the latency of the addition.
const UNROLL: usize = 4;

/// The number of additions to an accumulator before its block goes into the double.
const STEPS: usize = 64;

/// A kernel on one register of each slice: `IN` that it reads, `OUT` that it reads and overwrites.
pub(crate) trait Map<const IN: usize, const OUT: usize>: Copy {
    /// The new values of the slices that are overwritten.
    fn map<S: Simd>(self, simd: S, input: [S::f32s; IN], output: [S::f32s; OUT]) -> [S::f32s; OUT];
}

/// As [`Map`], with a sum over all elements.
pub(crate) trait Kernel<const IN: usize, const OUT: usize>: Copy {
    /// The new values, and the terms that the lanes add to the sum.
    fn apply<S: Simd>(self, simd: S, input: [S::f32s; IN], output: [S::f32s; OUT]) -> ([S::f32s; OUT], S::f32s);
}

impl<const IN: usize, const OUT: usize, K: Map<IN, OUT>> Kernel<IN, OUT> for K {
    /// The terms are the constant zero: the compiler drops the sum.
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, input: [S::f32s; IN], output: [S::f32s; OUT]) -> ([S::f32s; OUT], S::f32s) {
        (self.map(simd, input, output), simd.splat_f32s(0.0))
    }
}

/// Runs a kernel over slices of one length and returns its sum.
///
/// # Panics
/// When the lengths differ.
#[inline(always)]
pub(super) fn sweep<const IN: usize, const OUT: usize>(
    isa: Isa,
    input: [&[f32]; IN],
    output: [&mut [f32]; OUT],
    kernel: impl Kernel<IN, OUT>,
) -> f64 {
    isa.run(Sweep { streams: Streams::new(input, output), kernel })
}

/// As [`sweep`], inside of a kernel that is already dispatched.
#[inline(always)]
pub(super) fn sweep_with<S: Simd, const IN: usize, const OUT: usize>(
    simd: S,
    input: [&[f32]; IN],
    output: [&mut [f32]; OUT],
    kernel: impl Kernel<IN, OUT>,
) -> f64 {
    Sweep { streams: Streams::new(input, output), kernel }.with_simd(simd)
}

/// The lanes of the widest register.
pub(crate) const MOST_LANES: usize = 16;

/// The numbers of the lanes of the widest register; a narrower one takes the first of them.
pub(crate) const LANE_NUMBERS: [u32; MOST_LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// A mask of the first `count` lanes. Not pulp's `mask_between_m32s`, which jumps through a table of loads.
#[inline(always)]
pub(crate) fn lanes_below<S: Simd>(simd: S, count: usize) -> S::m32s {
    simd.less_than_u32s(pulp::cast_lossy(LANE_NUMBERS), simd.splat_u32s(count as u32))
}

/// Slices of one length that a kernel walks side by side.
struct Streams<'a, const IN: usize, const OUT: usize> {
    input: [*const f32; IN],
    output: [*mut f32; OUT],
    length: usize,
    borrow: std::marker::PhantomData<(&'a [f32], &'a mut [f32])>,
}

impl<'a, const IN: usize, const OUT: usize> Streams<'a, IN, OUT> {
    #[inline(always)]
    fn new(input: [&'a [f32]; IN], mut output: [&'a mut [f32]; OUT]) -> Self {
        let lengths = || input.iter().map(|slice| slice.len()).chain(output.iter().map(|slice| slice.len()));
        let length = lengths().next().unwrap_or(0);
        assert!(
            lengths().all(|other| other == length),
            "slices of different lengths: {:?}",
            lengths().collect::<Vec<_>>()
        );
        Self {
            input: input.map(<[f32]>::as_ptr),
            output: output.each_mut().map(|slice| slice.as_mut_ptr()),
            length,
            borrow: std::marker::PhantomData,
        }
    }
}

struct Sweep<'a, K, const IN: usize, const OUT: usize> {
    streams: Streams<'a, IN, OUT>,
    kernel: K,
}

impl<K: Kernel<IN, OUT>, const IN: usize, const OUT: usize> Sweep<'_, K, IN, OUT> {
    /// One register of each slice, from element `at` on; returns the terms.
    ///
    /// # Safety
    /// `at + S::F32_LANES` is at most the length.
    #[inline(always)]
    unsafe fn whole<S: Simd>(&self, simd: S, at: usize) -> S::f32s {
        // SAFETY: the caller keeps the register inside every slice.
        unsafe {
            let input = self.streams.input.map(|slice| slice.add(at).cast::<S::f32s>().read_unaligned());
            let output = self.streams.output.map(|slice| slice.add(at).cast::<S::f32s>().read_unaligned());
            let (output, terms) = self.kernel.apply(simd, input, output);
            for (slice, values) in self.streams.output.into_iter().zip(output) {
                slice.add(at).cast::<S::f32s>().write_unaligned(values);
            }
            terms
        }
    }

    /// The last elements, from `at` on: the kernel sees zeros in the lanes past the end, whose terms are dropped.
    ///
    /// # Safety
    /// `at` is at most the length.
    #[inline(always)]
    unsafe fn rest<S: Simd>(&self, simd: S, at: usize) -> S::f32s {
        let inside = lanes_below(simd, self.streams.length - at);
        let mask = MemMask::new(inside);
        // SAFETY: a masked load or store touches the lanes of `mask` alone, and those lie inside every slice.
        unsafe {
            let input = self.streams.input.map(|slice| simd.mask_load_ptr_f32s(mask, slice.add(at)));
            let output = self.streams.output.map(|slice| simd.mask_load_ptr_f32s(mask, slice.add(at)));
            let (output, terms) = self.kernel.apply(simd, input, output);
            for (slice, values) in self.streams.output.into_iter().zip(output) {
                simd.mask_store_ptr_f32s(mask, slice.add(at), values);
            }
            simd.select_f32s(inside, terms, simd.splat_f32s(0.0))
        }
    }
}

impl<K: Kernel<IN, OUT>, const IN: usize, const OUT: usize> WithSimd for Sweep<'_, K, IN, OUT> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let (lanes, length) = (S::F32_LANES, self.streams.length);
        let zero = simd.splat_f32s(0.0);
        let (mut total, mut at) = (0.0, 0);
        while length - at >= UNROLL * lanes {
            let steps = ((length - at) / (UNROLL * lanes)).min(STEPS);
            let mut sums = [zero; UNROLL];
            for _ in 0..steps {
                for sum in &mut sums {
                    // SAFETY: `steps` times UNROLL registers from `at` on are inside.
                    *sum = simd.add_f32s(*sum, unsafe { self.whole(simd, at) });
                    at += lanes;
                }
            }
            let [a, b, c, d] = sums;
            total += f64::from(simd.reduce_sum_f32s(simd.add_f32s(simd.add_f32s(a, b), simd.add_f32s(c, d))));
        }
        let mut sum = zero;
        while length - at >= lanes {
            // SAFETY: the condition of the loop.
            sum = simd.add_f32s(sum, unsafe { self.whole(simd, at) });
            at += lanes;
        }
        if at < length {
            // SAFETY: the condition above.
            sum = simd.add_f32s(sum, unsafe { self.rest(simd, at) });
        }
        total + f64::from(simd.reduce_sum_f32s(sum))
    }
}
