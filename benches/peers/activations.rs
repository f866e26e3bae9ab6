//! Elements per second of sigmoid and tanh on one core, a line each: `name floats elements-per-second`.
//!
//! `benches/peers/activations.py` runs it beside PyTorch.

use diabolo::kernels::{Activation, Isa};
use diabolo::matrix::AlignedBuffer;
use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() {
    for activation in [Activation::Sigmoid, Activation::Tanh] {
        for floats in [1 << 12, 1 << 16] {
            let mut values = AlignedBuffer::zeros(floats);
            let mut best = Duration::MAX;
            for _ in 0..200 {
                // From −6 to 6, as sums in a network are; in place they change with every call.
                for (i, value) in values.iter_mut().enumerate() {
                    *value = (i * 7919 % floats) as f32 / floats as f32 * 12.0 - 6.0;
                }
                let start = Instant::now();
                for _ in 0..10 {
                    activation.forward(Isa::best(), black_box(&mut values));
                }
                best = best.min(start.elapsed() / 10);
            }
            println!("{activation} {floats} {:e}", floats as f64 / best.as_secs_f64());
        }
    }
}
