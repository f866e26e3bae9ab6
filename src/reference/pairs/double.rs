//! The part of the table in double precision: what decompositions do to columns.

use super::{Argument, Element, Pair, Tolerance};
use crate::kernels::double::{self, panel, rotation};
use crate::reference::{panel as reference_panel, rotation as reference};

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

/// The most columns that a chain of rotations is drawn for.
const CHAIN: usize = 6;

/// The kernels in double precision beside their twins.
pub fn double_pairs() -> Vec<Pair<f64>> {
    use Tolerance::{ExactTerms, Near};
    let number = Argument::within(-4.0, 4.0);
    let unit = Argument::within(-1.0, 1.0);
    let finite = Argument::within(-1000.0, 1000.0);
    // Of c x and s y, at most 4000 each, no sign makes both rotated slices add up: five roundings of their sum.
    let turned = Near(5.0 * 8000.0);
    // Each rotation at most doubles what it turns, and rounds it five times.
    let chained = Near(5.0 * CHAIN as f64 * 1000.0 * (1 << CHAIN) as f64);
    vec![
        Pair::new("double::dot", [], [finite, finite], [], ExactTerms(0.0), |isa, [], [x, y], []| match isa {
            Some(isa) => double::dot(isa, x, y),
            None => reference::dot(x, y),
        }),
        Pair::new(
            "double::rotate",
            [number, number],
            [],
            [finite, finite],
            turned,
            |isa, [c, s], [], [x, y]| match isa {
                Some(isa) => rotation::rotate(isa, x, y, c, s),
                None => reference::rotate(x, y, c, s),
            },
        ),
        Pair::new(
            "double::rotate_then_dot",
            [number, number.negated()],
            [finite],
            [finite, finite],
            turned,
            |isa, [c, s], [next], [x, y]| match isa {
                Some(isa) => rotation::rotate_then_dot(isa, x, y, c, s, next),
                None => {
                    reference::rotate(x, y, c, s);
                    reference::dot(x, next)
                }
            },
        ),
        // As many whole columns as the slice has room for; what is left must not be touched.
        Pair::new("double::rotate_chain", [unit, unit], [], [finite], chained, |isa, [c, s], [], [columns]| {
            let count = (columns.len() / rotation::HEIGHT).min(CHAIN);
            let rotations = vec![[c, s]; count.saturating_sub(2)];
            match (isa, count.checked_sub(1)) {
                (_, None) => {}
                (Some(isa), Some(last)) => rotation::rotate_chain(isa, columns, last, &rotations),
                (None, Some(last)) => reference::rotate_chain(columns, rotation::HEIGHT, last, &rotations),
            }
        }),
        Pair::new("double::axpy", [number], [finite], [finite], ExactTerms(3.0), |isa, [a], [x], [y]| match isa {
            Some(isa) => double::axpy(isa, a, x, y),
            None => reference::axpy(a, x, y),
        }),
        Pair::new(
            "double::update_then_dot",
            [number, number],
            [finite, finite, finite],
            [finite],
            ExactTerms(6.0),
            |isa, [a, b], [x, w, next], [y]| match isa {
                Some(isa) => double::update_then_dot(isa, y, [(a, x), (b, w)], next),
                None => {
                    reference::axpy(a, x, y);
                    reference::axpy(b, w, y);
                    reference::dot(y, next)
                }
            },
        ),
        // Whole rows of panels, where the last slice has room for a tile; what is left must not be touched.
        Pair::new(
            "double::add_panel_product",
            [],
            [finite, finite],
            [finite],
            ExactTerms(700.0),
            |isa, [], [left, right], [tile]| {
                let Some(tile) = tile.get_mut(..panel::WIDTH * panel::WIDTH) else { return };
                let whole = left.len() / panel::WIDTH * panel::WIDTH;
                let (left, right) = (&left[..whole], &right[..whole]);
                match isa {
                    Some(isa) => panel::add_panel_product(isa, left, right, tile),
                    None => reference_panel::add_panel_product(left, right, tile, panel::WIDTH),
                }
            },
        ),
    ]
}
