//! Errors in units in the last place.

/// How far a float is from the exact result, in units in the last place of that result (2⁻¹⁴⁹ among the denormals).
///
/// Two NaNs, and an infinity where the exact result is one or rounds to it, are no error; a NaN or an infinity where it
/// should not be is an infinite one.
pub fn ulps(actual: f32, exact: f64) -> f64 {
    if actual.is_nan() || exact.is_nan() {
        return if actual.is_nan() && exact.is_nan() { 0.0 } else { f64::INFINITY };
    }
    let rounded = exact as f32;
    if actual == rounded && (rounded.is_infinite() || f64::from(rounded) == exact) {
        return 0.0;
    }
    if actual.is_infinite() || rounded.is_infinite() {
        return f64::INFINITY;
    }
    // The exponent field of a double, without logarithms, which round.
    let exponent = ((exact.abs().to_bits() >> 52) as i32 - 1023).max(-126);
    (f64::from(actual) - exact).abs() / 2f64.powi(exponent - 23)
}

#[cfg(test)]
mod tests {
    use super::ulps;

    #[test]
    fn a_unit_is_the_distance_to_the_next_float() {
        assert_eq!(ulps(1.0, 1.0 + f64::from(f32::EPSILON)), 1.0);
        assert_eq!(ulps(1.0 - f32::EPSILON / 2.0, 1.0), 0.5);
        assert_eq!(ulps(3.0, 3.0), 0.0);
        assert_eq!(ulps(f32::from_bits(5), f64::from(f32::from_bits(3))), 2.0);
        assert_eq!(ulps(1e-45, 0.0), 1.0);
    }

    #[test]
    fn what_is_not_finite_must_be_so_exactly() {
        assert_eq!(ulps(f32::NAN, f64::NAN), 0.0);
        assert_eq!(ulps(f32::INFINITY, 1e300), 0.0);
        assert_eq!(ulps(f32::INFINITY, f64::INFINITY), 0.0);
        assert_eq!(ulps(f32::NAN, 1.0), f64::INFINITY);
        assert_eq!(ulps(1.0, f64::NAN), f64::INFINITY);
        assert_eq!(ulps(f32::NEG_INFINITY, 1e300), f64::INFINITY);
        assert_eq!(ulps(f32::MAX, 1e300), f64::INFINITY);
        assert_eq!(ulps(f32::INFINITY, 1.0), f64::INFINITY);
    }
}
