//! The minus sign in what people read: texts, charts, tables. What programs read or a user types (CSV, JSON,
//! links, commands, quoted input) has the hyphen.

use std::fmt::Arguments;

/// A number with the minus sign U+2212, in its exponent too. One that is rounded to zero has no sign.
pub(crate) fn minus(number: Arguments<'_>) -> String {
    let text = number.to_string();
    let is_zero = !text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    match text.strip_prefix('-') {
        Some(zero) if is_zero => zero.to_string(),
        _ => text.replace('-', "\u{2212}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_minus_sign_and_zero_has_none() {
        for (value, text) in [(-0.25, "\u{2212}0.25"), (0.25, "0.25"), (-0.001, "0.00")] {
            assert_eq!(minus(format_args!("{value:.2}")), text);
        }
        assert_eq!(
            minus(format_args!("{:.1e}", -2e-7)),
            "\u{2212}2.0e\u{2212}7"
        );
    }
}
