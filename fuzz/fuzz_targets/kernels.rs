//! Any kernel, on any instruction set, with any arguments, against its twin.
#![no_main]

use diabolo::kernels::Isa;
use diabolo::reference::pairs::{Element, Pair, double_pairs, pairs};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SINGLE: LazyLock<Vec<Pair<f32>>> = LazyLock::new(pairs);
static DOUBLE: LazyLock<Vec<Pair<f64>>> = LazyLock::new(double_pairs);

fuzz_target!(|data: &[u8]| {
    let &[pair, ref rest @ ..] = data else { return };
    let pair = usize::from(pair) % (SINGLE.len() + DOUBLE.len());
    match SINGLE.get(pair) {
        Some(pair) => check(pair, rest),
        None => check(&DOUBLE[pair - SINGLE.len()], rest),
    }
});

fn check<T: Element>(pair: &Pair<T>, data: &[u8]) {
    let &[isa, offset, exact, low, high, ref rest @ ..] = data else { return };
    let sets = Isa::available();
    let isa = sets[usize::from(isa) % sets.len()];
    let (length, offset) = (usize::from(u16::from_le_bytes([low, high])) % 5000, usize::from(offset) % 17);
    // What the input does not say is zero.
    let mut words = rest.chunks(4);
    let bits = || words.next().map_or(0, |word| word.iter().fold(0, |bits, &byte| bits << 8 | u32::from(byte)));
    let case = if exact % 2 == 1 {
        let Some(case) = pair.draw_exact(length, offset, bits) else { return };
        case
    } else {
        pair.draw(length, offset, bits)
    };
    pair.check(isa, &case).unwrap_or_else(|difference| panic!("{difference}"));
}
