//! The part of the table in double precision: what the Jacobi methods do to columns.

use super::{Argument, Element, Pair, Sums, Tolerance};
use crate::kernels::rotation as kernels;
use crate::reference::rotation as reference;

impl Element for f64 {
    const EPSILON: f64 = f64::EPSILON / 2.0;
    const GUARD: Self = Self::from_bits(0x7ff8_0000_0000_5afe);

    fn from_f32(value: f32) -> Self {
        value.into()
    }

    fn with_sign(self, sign: f32) -> Self {
        self.copysign(sign.into())
    }

    fn is_guard(self) -> bool {
        self.to_bits() == Self::GUARD.to_bits()
    }

    /// Four accumulators of at least one lane.
    fn roundings(length: usize) -> f64 {
        length as f64 / 4.0 + 20.0
    }
}

impl Sums for [f64; 3] {
    fn list(self) -> [f64; 3] {
        self
    }
}

/// The kernels in double precision beside their twins.
pub fn rotation_pairs() -> Vec<Pair<f64>> {
    use Tolerance::ExactTerms;
    let number = Argument::within(-4.0, 4.0);
    let finite = Argument::within(-1000.0, 1000.0);
    // Of c x and s y, at most 4000 each, no sign makes both rotated slices add up: five roundings of their sum.
    let turned = Tolerance::Near(5.0 * 8000.0);
    vec![
        Pair::new("rotation::dot", [], [finite, finite], [], ExactTerms(0.0), |isa, [], [x, y], []| match isa {
            Some(isa) => kernels::dot(isa, x, y),
            None => reference::dot(x, y),
        }),
        Pair::new("rotation::three_dots", [], [finite, finite], [], ExactTerms(0.0), |isa, [], [x, y], []| match isa {
            Some(isa) => kernels::three_dots(isa, x, y),
            None => [reference::dot(x, x), reference::dot(x, y), reference::dot(y, y)],
        }),
        Pair::new("rotation::rotate", [number, number], [], [finite, finite], turned, |isa, [c, s], [], [x, y]| {
            match isa {
                Some(isa) => kernels::rotate(isa, x, y, c, s),
                None => reference::rotate(x, y, c, s),
            }
        }),
        Pair::new(
            "rotation::rotate_then_dot",
            [number, number.negated()],
            [finite],
            [finite, finite],
            turned,
            |isa, [c, s], [next], [x, y]| match isa {
                Some(isa) => kernels::rotate_then_dot(isa, x, y, c, s, next),
                None => {
                    reference::rotate(x, y, c, s);
                    reference::dot(x, next)
                }
            },
        ),
        Pair::new("rotation::axpy", [number], [finite], [finite], ExactTerms(2.0), |isa, [a], [x], [y]| match isa {
            Some(isa) => kernels::axpy(isa, a, x, y),
            None => reference::axpy(a, x, y),
        }),
    ]
}
