//! The instruction set that a kernel runs on.

use std::fmt;

/// An instruction set that this machine has: a token that every kernel takes first.
///
/// [`Isa::best`] is what everything uses; the others are for tests and benches.
#[derive(Clone, Copy, Debug)]
pub struct Isa(pulp::Arch);

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
        Self(pulp::Arch::new())
    }

    /// Every instruction set of this machine, the best first; scalar code is always the last.
    pub fn available() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(pulp::x86::V4::try_new().map(pulp::Arch::V4));
            all.extend(pulp::x86::V3::try_new().map(pulp::Arch::V3));
        }
        #[cfg(target_arch = "aarch64")]
        all.extend(pulp::aarch64::Neon::try_new().map(pulp::Arch::Neon));
        all.push(pulp::Arch::Scalar);
        all.into_iter().map(Self).collect()
    }

    /// Its name: `avx512`, `avx2`, `neon` or `scalar`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            pulp::Arch::V4(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            pulp::Arch::V3(_) => "avx2",
            #[cfg(target_arch = "aarch64")]
            pulp::Arch::Neon(_) => "neon",
            _ => "scalar",
        }
    }

    /// Runs a kernel on it.
    #[inline(always)]
    pub(crate) fn run<K: pulp::WithSimd>(self, kernel: K) -> K::Output {
        self.0.dispatch(kernel)
    }
}

impl Default for Isa {
    fn default() -> Self {
        Self::best()
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
        assert_eq!(names[0], Isa::default().to_string());
    }
}
