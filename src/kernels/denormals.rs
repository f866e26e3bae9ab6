//! Denormals flushed to zero while a kernel runs.
//!
//! Saturated sigmoids, and moments of weights that no longer change, make numbers below the smallest normal one. Many
//! processors take a hundred times as long over them, and nothing here needs them: a training step treats them as zero.
//!
//! Rust assumes that arithmetic runs in the processor's default mode, and knows no way to say otherwise; this is a
//! deliberate breach, as of every program that flushes. It is safe in practice because the mode changes the results of
//! instructions and nothing else, and because no call is inlined across the change: arithmetic stays on its side of it.

/// Runs `work` on this thread with denormals flushed to zero, as arguments and as results, where the processor can
/// (x86-64 and AArch64), and then leaves the thread as it was, also when `work` panics.
///
/// `work` must not wait for other threads: whatever else rayon runs on this one meanwhile would be flushed too.
#[inline(never)]
pub fn with_denormals_flushed<T>(work: impl FnOnce() -> T) -> T {
    #[inline(never)]
    fn call<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    let before = control::read();
    if before & control::FLUSH == control::FLUSH {
        return call(work);
    }
    struct Restore(control::Register);
    impl Drop for Restore {
        fn drop(&mut self) {
            control::write(self.0);
        }
    }
    control::write(before | control::FLUSH);
    let _restore = Restore(before);
    call(work)
}

/// The control register of floating-point arithmetic.
#[cfg(target_arch = "x86_64")]
mod control {
    use std::arch::asm;

    pub type Register = u32;

    /// Flush to zero (results), and denormals are zeros (arguments).
    pub const FLUSH: Register = 1 << 15 | 1 << 6;

    pub fn read() -> Register {
        let mut value = 0;
        // SAFETY: stores the register to a local variable.
        unsafe { asm!("stmxcsr [{}]", in(reg) &mut value, options(nostack, preserves_flags)) };
        value
    }

    pub fn write(value: Register) {
        // SAFETY: the value was read from the register, with or without the two bits of `FLUSH`, which change how
        // denormals are treated and nothing else; the page of this module says what that means for Rust.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &value, options(nostack, preserves_flags)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod control {
    use std::arch::asm;

    pub type Register = u64;

    /// Flush to zero, arguments and results.
    pub const FLUSH: Register = 1 << 24;

    pub fn read() -> Register {
        let value;
        // SAFETY: reads the register.
        unsafe { asm!("mrs {}, fpcr", out(reg) value, options(nomem, nostack, preserves_flags)) };
        value
    }

    pub fn write(value: Register) {
        // SAFETY: as on x86-64.
        unsafe { asm!("msr fpcr, {}", in(reg) value, options(nostack, preserves_flags)) };
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod control {
    pub type Register = u32;

    /// Nothing is known to flush: as if it were done.
    pub const FLUSH: Register = 0;

    pub fn read() -> Register {
        0
    }

    pub fn write(_: Register) {}
}

#[cfg(test)]
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod tests {
    use super::{control, with_denormals_flushed};
    use std::hint::black_box;

    fn half_of_the_smallest() -> f32 {
        black_box(f32::MIN_POSITIVE) * black_box(0.5)
    }

    /// By the bits: where arguments are flushed, a comparison takes a denormal for zero.
    fn flushes_arguments_and_results() -> bool {
        (black_box(1e-40_f32) * black_box(1e30)).to_bits() == 0 && half_of_the_smallest().to_bits() == 0
    }

    #[test]
    fn denormals_are_zero_inside_and_back_outside_even_after_a_panic() {
        assert!(half_of_the_smallest() > 0.0);
        assert!(with_denormals_flushed(flushes_arguments_and_results));
        assert_eq!(with_denormals_flushed(|| with_denormals_flushed(|| 1) as f32 + half_of_the_smallest()), 1.0);
        assert!(half_of_the_smallest() > 0.0);
        let panic = std::panic::catch_unwind(|| with_denormals_flushed(|| panic!("inside")));
        assert!(panic.is_err() && half_of_the_smallest() > 0.0);
    }

    #[test]
    fn a_nested_call_leaves_the_outer_one_flushed() {
        with_denormals_flushed(|| {
            with_denormals_flushed(|| ());
            assert_eq!(half_of_the_smallest(), 0.0);
        });
    }

    #[test]
    fn a_thread_that_flushes_in_part_does_so_fully_inside_and_in_part_again_after() {
        let before = control::read();
        // The highest bit of the mode: of two on x86-64, the one for results; on AArch64 the only one.
        let part = before | 1 << control::FLUSH.ilog2();
        control::write(part);
        assert!(with_denormals_flushed(flushes_arguments_and_results));
        assert_eq!(control::read() & control::FLUSH, part & control::FLUSH);
        control::write(before);
    }
}
