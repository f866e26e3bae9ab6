//! Work over disjoint pieces of a slice, on rayon's threads when there is enough of it.
//!
//! Pieces have a fixed size, whatever the number of threads, and no piece depends on another: that is what makes
//! results the same to the bit for any number of threads.

use rayon::prelude::*;

/// Multiply-adds below which handing work to other threads costs more than it saves (about 20 µs on one core).
const WORTH_SHARING: usize = 1 << 20;

/// Whether about `operations` multiply-adds are enough to share between threads.
pub fn is_worth_sharing(operations: usize) -> bool {
    operations >= WORTH_SHARING
}

/// Calls `work` with each piece of `length` elements (the last may be shorter) and its index.
///
/// `operations` is about how many multiply-adds all pieces take together.
///
/// # Panics
/// When `length` is 0.
pub fn for_each_piece<T: Send>(
    values: &mut [T],
    length: usize,
    operations: usize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    if is_worth_sharing(operations) && values.len() > length {
        values.par_chunks_mut(length).enumerate().for_each(|(index, piece)| work(index, piece));
    } else {
        values.chunks_mut(length).enumerate().for_each(|(index, piece)| work(index, piece));
    }
}
