//! Bytes into floats.

use pulp::{Simd, WithSimd};

use super::Isa;

/// Bytes that fill less than the widest register.
const FEW: usize = 16;

/// `out` = byte / divisor, correctly rounded.
///
/// It divides, because byte · (1 / 255) is a rounding away from byte / 255 for half of all bytes; a vector division
/// keeps up with the stores. A few bytes are not worth a call: they are divided one by one, to the same bits.
///
/// # Panics
/// When the lengths differ.
pub fn bytes_to_floats(isa: Isa, bytes: &[u8], divisor: f32, out: &mut [f32]) {
    assert_eq!(bytes.len(), out.len(), "slices of different lengths");
    if bytes.len() < FEW {
        out.iter_mut().zip(bytes).for_each(|(out, &byte)| *out = f32::from(byte) / divisor);
    } else {
        isa.run(BytesToFloats { bytes, divisor, out });
    }
}

struct BytesToFloats<'a> {
    bytes: &'a [u8],
    divisor: f32,
    out: &'a mut [f32],
}

impl WithSimd for BytesToFloats<'_> {
    type Output = ();

    /// [`Simd`] has no conversion from bytes; the compiler vectorises this loop for the instruction set dispatched to.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (out, &byte) in self.out.iter_mut().zip(self.bytes) {
            *out = f32::from(byte) / self.divisor;
        }
    }
}
