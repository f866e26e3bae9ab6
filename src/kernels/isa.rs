//! The instruction set that a kernel runs on.
//!
//! A kernel is a [`WithSimd`]: a struct of its arguments with one generic function. [`Isa::run`] calls the copy of it
//! that is compiled for the instruction set. Every function under `with_simd` must be `#[inline(always)]`: any other is
//! compiled without the instruction set, and each of its vector instructions becomes a call (`benches/check-inlining.sh`
//! finds them).

use std::fmt;

use pulp::{Scalar, Simd, WithSimd};

/// An instruction set that this machine has: every kernel takes one first.
///
/// What computes holds the one it was made with, [`Isa::best`] unless it is given another. A variant other than `Scalar`
/// can only be made by [`Isa::best`] and [`Isa::available`], which ask the processor, so an `Isa` proves that its
/// instructions exist.
#[derive(Clone, Copy, Debug)]
pub enum Isa {
    /// AVX-512 with the extensions of x86-64-v4.
    #[cfg(target_arch = "x86_64")]
    Avx512(Token<pulp::x86::V4>),
    /// AVX2 and FMA, x86-64-v3.
    #[cfg(target_arch = "x86_64")]
    Avx2(Token<pulp::x86::V3>),
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon(Token<pulp::aarch64::Neon>),
    /// No vector instructions beyond those the compiler chooses.
    Scalar,
}

/// The proof that the processor has an instruction set; its field is private, so that only this file makes one.
#[derive(Clone, Copy, Debug)]
pub struct Token<S>(S);

impl Isa {
    /// The names of the instruction sets that there are kernels for on this architecture, the best first.
    pub const KNOWN: &[&str] = if cfg!(target_arch = "x86_64") {
        &["avx512", "avx2", "scalar"]
    } else if cfg!(target_arch = "aarch64") {
        &["neon", "scalar"]
    } else {
        &["scalar"]
    };

    /// The best instruction set of this machine.
    pub fn best() -> Self {
        Self::all().next().unwrap_or(Self::Scalar)
    }

    /// Every instruction set of this machine, the best first; scalar code is always the last.
    pub fn available() -> Vec<Self> {
        Self::all().collect()
    }

    /// Asks the processor for one instruction set after another, only as long as the caller wants more.
    fn all() -> impl Iterator<Item = Self> {
        let detect: &[fn() -> Option<Self>] = &[
            #[cfg(target_arch = "x86_64")]
            || pulp::x86::V4::try_new().map(|simd| Self::Avx512(Token(simd))),
            #[cfg(target_arch = "x86_64")]
            || pulp::x86::V3::try_new().map(|simd| Self::Avx2(Token(simd))),
            #[cfg(target_arch = "aarch64")]
            || pulp::aarch64::Neon::try_new().map(|simd| Self::Neon(Token(simd))),
            || Some(Self::Scalar),
        ];
        detect.iter().filter_map(|detect| detect())
    }

    /// Its name: `avx512`, `avx2`, `neon` or `scalar`.
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => "neon",
            Self::Scalar => "scalar",
        }
    }

    /// Runs a kernel on it: the kernel's code is compiled once for each instruction set, and this picks one.
    #[inline(always)]
    pub(crate) fn run<K: WithSimd>(self, kernel: K) -> K::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(Token(simd)) => Simd::vectorize(simd, kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(Token(simd)) => Simd::vectorize(simd, kernel),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(Token(simd)) => Simd::vectorize(simd, kernel),
            Self::Scalar => Simd::vectorize(Scalar::new(), kernel),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Isa;

    #[test]
    fn the_instruction_sets_are_known_by_name_and_the_best_comes_first() {
        let names: Vec<&str> = Isa::available().into_iter().map(Isa::name).collect();
        let known: Vec<&str> = Isa::KNOWN.iter().copied().filter(|name| names.contains(name)).collect();
        assert_eq!(names, known);
        assert_eq!(names.last(), Some(&"scalar"));
        assert_eq!(names[0], Isa::best().name());
        assert_eq!(names[0], Isa::best().to_string());
    }
}
