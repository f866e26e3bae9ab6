//! Numbers for people.

use serde_json::Value;

/// A value for people: numbers to six digits, lists with commas.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => number.as_f64().map_or(String::new(), significant),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Six significant digits.
pub fn significant(number: f64) -> String {
    digits(number, 6)
}

/// `count` significant digits.
pub(super) fn digits(number: f64, count: usize) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    let magnitude = number.abs().log10().floor();
    if !(-4.0..15.0).contains(&magnitude) {
        return format!("{number:.*e}", count - 1);
    }
    format!("{number:.*}", (count as f64 - 1.0 - magnitude).max(0.0) as usize)
}

/// Whole numbers with commas between thousands.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people_have_six_digits() {
        for (number, text) in [
            (0.0, "0"),
            (43.64512345, "43.6451"),
            (0.00123456789, "0.00123457"),
            (123456789.4, "123456789"),
            (1.5e-9, "1.50000e-9"),
        ] {
            assert_eq!(plain(&number.into()), text);
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1234567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
    }
}
