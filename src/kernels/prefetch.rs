//! A hint to fetch what will be read soon.

/// Bytes of a cache line.
const LINE: usize = 64;

/// Lines that are asked for; the processor sees by then where the reader is heading.
const LINES: usize = 16;

/// Asks for the beginning of a slice to be fetched into the cache, where the processor can be asked; nothing else
/// happens.
#[inline]
pub fn prefetch<T>(values: &[T]) {
    let line = (LINE / size_of::<T>().max(1)).max(1);
    values.chunks(line).take(LINES).for_each(|line| prefetch_line(line.as_ptr()));
}

/// Asks for the cache line of an address, which need not be one that may be read.
#[inline(always)]
pub(crate) fn prefetch_line<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch touches no memory, whatever the address, and SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
