//! Exp and what is built on it, register in, register out.
//!
//! All of them reduce the argument as Cody and Waite do (*Software Manual for the Elementary Functions*, 1980):
//! x = n ln 2 + r with |r| ≤ ln 2 / 2, so that eˣ = 2ⁿ eʳ, where a minimax polynomial (Remez) gives eʳ − 1. Keeping the
//! −1 apart costs nothing and leaves eˣ − 1 exact to the last place near zero, for tanh and elu.
//!
//! Every function takes any bit pattern: NaN gives NaN, infinities give the limit, and results below the smallest
//! normal number are rounded to the nearest denormal (unless the caller has told the processor to flush them).
//! Multiplications and additions are fused where the instruction set can, so instruction sets may differ in the last
//! bit. The bounds are the largest errors over all 2³² arguments, in units in the last place of the exact result.

use pulp::Simd;

/// Adding it rounds a float below 2²² in magnitude to an integer, which is then in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;

/// The bias of the exponent field of an `f32`.
const BIAS: f32 = 127.0;

/// 2⁶⁴: exponentials of negative arguments are held multiplied by it, out of reach of the denormals.
const SCALE: f32 = 18_446_744_073_709_551_616.0;

/// ln 2 in two parts; the first has 15 bits, so that its product with n is exact without FMA too.
const LN_2_HIGH: f32 = 0.693_145_75;
const LN_2_LOW: f32 = 1.428_606_8e-6;

/// (eʳ − 1 − r) / r² on |r| ≤ ln 2 / 2.
const EXPM1: [f32; 5] = [0.499_999_97, 0.166_665_43, 0.041_667_2, 0.008_366_534_5, 0.001_388_252_5];

/// (tanh x − x) / x³ as a polynomial in x², on |x| ≤ 0.55.
const TANH: [f32; 4] = [-0.333_329_47, 0.133_207_25, -0.052_671_812, 0.016_437_58];

/// (ln(1 + w) − w) / w² on (√2 − 2) / 2 ≤ w ≤ √2 − 1.
const LOG1P: [f32; 9] =
    [-0.49999988, 0.33333325, -0.25001577, 0.20001972, -0.16609208, 0.14181925, -0.13242173, 0.12903583, -0.07622581];

/// c₀ + c₁ x + c₂ x² + …: Horner's rule in x² over pairs of coefficients, half as deep as in x.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, x: S::f32s, coefficients: [f32; N]) -> S::f32s {
    let square = simd.mul_f32s(x, x);
    let mut pairs = coefficients.chunks(2).rev().map(|pair| match *pair {
        [constant, slope] => simd.mul_add_e_f32s(x, simd.splat_f32s(slope), simd.splat_f32s(constant)),
        _ => simd.splat_f32s(pair[0]),
    });
    let highest = pairs.next().expect("at least one coefficient");
    pairs.fold(highest, |sum, pair| simd.mul_add_e_f32s(square, sum, pair))
}

/// The larger of `low` and x; NaN stays NaN.
#[inline(always)]
pub(super) fn at_least<S: Simd>(simd: S, low: f32, x: S::f32s) -> S::f32s {
    let low = simd.splat_f32s(low);
    if S::IS_SCALAR {
        simd.select_f32s(simd.less_than_f32s(x, low), low, x)
    } else {
        // Shorter than a comparison and a selection by the latency of one. Where x is NaN, x86 gives the second
        // operand and NEON the NaN; `f32::max` would give `low`.
        simd.max_f32s(low, x)
    }
}

/// The smaller of `high` and x; NaN stays NaN.
#[inline(always)]
pub(super) fn at_most<S: Simd>(simd: S, high: f32, x: S::f32s) -> S::f32s {
    simd.neg_f32s(at_least(simd, -high, simd.neg_f32s(x)))
}

/// −|x|.
#[inline(always)]
fn negative_abs<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    simd.or_f32s(x, simd.splat_f32s(-0.0))
}

/// x = n ln 2 + r: returns 2^(n + shift) and eʳ − 1. The power must be a normal number.
#[inline(always)]
fn reduce<S: Simd>(simd: S, x: S::f32s, shift: S::f32s) -> (S::f32s, S::f32s) {
    let round = simd.add_f32s(shift, simd.splat_f32s(ROUND + BIAS));
    let shifted = simd.mul_add_e_f32s(x, simd.splat_f32s(std::f32::consts::LOG2_E), round);
    let n = simd.sub_f32s(shifted, round);
    let r = simd.negate_mul_add_e_f32s(n, simd.splat_f32s(LN_2_HIGH), x);
    let r = simd.negate_mul_add_e_f32s(n, simd.splat_f32s(LN_2_LOW), r);
    let expm1 = simd.mul_add_e_f32s(simd.mul_f32s(r, r), polynomial(simd, r, EXPM1), r);
    // The low bits of `shifted` are n + shift + BIAS: moved into the exponent field, they are the power.
    let power = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    (simd.transmute_f32s_u32s(power), expm1)
}

/// 2⁶⁴ eˣ for x ≤ 0.
#[inline(always)]
fn scaled_exp_of_negative<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // Below −104 the exponential is less than half the smallest denormal.
    let (power, expm1) = reduce(simd, at_least(simd, -104.0, x), simd.splat_f32s(64.0));
    simd.mul_add_e_f32s(power, expm1, power)
}

/// eˣ. At most 1.07 ULP.
#[inline(always)]
pub(super) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // Where x is positive the power would overflow before the result does, else it would be a denormal: it is held
    // 2^∓64 times too large, and the last multiplication rounds once, to infinity or to a denormal if need be.
    let positive = simd.greater_than_f32s(x, simd.splat_f32s(0.0));
    let shift = simd.select_f32s(positive, simd.splat_f32s(-64.0), simd.splat_f32s(64.0));
    let unscale = simd.select_f32s(positive, simd.splat_f32s(SCALE), simd.splat_f32s(1.0 / SCALE));
    let x = at_most(simd, 89.0, at_least(simd, -104.0, x));
    let (power, expm1) = reduce(simd, x, shift);
    simd.mul_f32s(simd.mul_add_e_f32s(power, expm1, power), unscale)
}

/// eˣ − 1 for x ≤ 0; −0 gives 0.
#[inline(always)]
pub(super) fn expm1_of_negative<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // Below −40 the exponential is lost beside the 1.
    let (power, expm1) = reduce(simd, at_least(simd, -40.0, x), simd.splat_f32s(0.0));
    simd.mul_add_e_f32s(power, expm1, simd.sub_f32s(power, simd.splat_f32s(1.0)))
}

/// z = e^−|x|, times 2⁶⁴, and z / (1 + z), which is sigmoid(−|x|) but for three roundings.
#[inline(always)]
fn logistic_tail<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let z = scaled_exp_of_negative(simd, negative_abs(simd, x));
    (z, simd.div_f32s(z, simd.add_f32s(simd.splat_f32s(SCALE), z)))
}

/// 1 / (1 + e⁻ˣ). At most 1.87 ULP, far into the negative tail too.
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // With q = z / (1 + z) it is 1 − 1 q or z − z q: the errors of q come in times q or z q only.
    let (z, q) = logistic_tail(simd, x);
    let base = simd.select_f32s(simd.less_than_f32s(x, simd.splat_f32s(0.0)), z, simd.splat_f32s(SCALE));
    simd.mul_f32s(simd.negate_mul_add_e_f32s(base, q, base), simd.splat_f32s(1.0 / SCALE))
}

/// tanh x; ±0 stay. At most 1.6 ULP.
#[inline(always)]
pub(super) fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // A polynomial near zero, else 1 − 2 sigmoid(−2|x|) with the sign of x.
    let (_, q) = logistic_tail(simd, simd.add_f32s(x, x));
    let large = simd.negate_mul_add_e_f32s(simd.splat_f32s(2.0), q, simd.splat_f32s(1.0));
    let square = simd.mul_f32s(x, x);
    let small = simd.mul_add_e_f32s(simd.mul_f32s(square, x), polynomial(simd, square, TANH), x);
    let either = simd.select_f32s(simd.less_than_f32s(square, simd.splat_f32s(0.55 * 0.55)), small, large);
    simd.or_f32s(either, simd.and_f32s(x, simd.splat_f32s(-0.0)))
}

/// `offset` + ln(1 + e^−|x|), for an offset that is zero or positive.
#[inline(always)]
pub(super) fn softplus_of_negative_abs<S: Simd>(simd: S, x: S::f32s, offset: S::f32s) -> S::f32s {
    let z = scaled_exp_of_negative(simd, negative_abs(simd, x));
    let z = simd.mul_f32s(z, simd.splat_f32s(1.0 / SCALE));
    // Where z is above √2 − 1: ln(1 + z) = ln 2 + ln(1 + w), w = (z − 1) / 2.
    let half = simd.splat_f32s(0.5);
    let large = simd.greater_than_f32s(z, simd.splat_f32s(0.414_213_57));
    let w = simd.select_f32s(large, simd.mul_add_e_f32s(half, z, simd.splat_f32s(-0.5)), z);
    let base = simd.select_f32s(large, simd.splat_f32s(std::f32::consts::LN_2), simd.splat_f32s(0.0));
    let rest = simd.mul_add_e_f32s(simd.mul_f32s(w, w), polynomial(simd, w, LOG1P), simd.add_f32s(offset, w));
    simd.add_f32s(base, rest)
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|). At most 1.82 ULP.
#[inline(always)]
pub(super) fn softplus<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    softplus_of_negative_abs(simd, x, at_least(simd, 0.0, x))
}
