//! Colours of signed numbers, for people with any colour vision. The colours of classes are in `figure.css`.

/// White for 0, blue at −1, orange at 1.
pub(super) fn diverging(value: f32) -> [u8; 3] {
    let (share, end) = match value {
        _ if value < 0.0 => (-value, [33.0, 102.0, 172.0]),
        _ => (value, [217.0, 95.0, 2.0]),
    };
    end.map(|end| (247.0 + (end - 247.0) * share.min(1.0)).round() as u8)
}

/// The same for CSS.
pub(super) fn diverging_css(value: f32) -> String {
    let [red, green, blue] = diverging(value);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_nearly_white_and_the_ends_are_far_apart() {
        assert_eq!(diverging_css(0.0), "#f7f7f7");
        assert_eq!((diverging_css(-1.0), diverging_css(2.0)), ("#2166ac".into(), "#d95f02".into()));
    }
}
