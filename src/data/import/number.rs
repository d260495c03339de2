//! Numbers as people write them: decimal commas, groups of three digits, typographic minus signs,
//! percentages, exponents of Fortran. Not here: which of them a file uses (`dialect`).

use super::mapping::Thousands;
use crate::data::is_unusable;

/// How the numbers of a column are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) decimal_comma: bool,
    pub(super) thousands: Option<Thousands>,
}

/// The number in a cell. The style decides between `1,5` and `1.5`, never both.
pub(super) fn read(text: &str, style: Style) -> Option<f64> {
    let number = plain(text, style.decimal_comma).or_else(|| rewritten(text, style));
    number.filter(|number| !is_unusable(*number))
}

fn plain(text: &str, decimal_comma: bool) -> Option<f64> {
    if !decimal_comma {
        text.parse().ok()
    } else if text.contains('.') {
        None
    } else {
        text.replace(',', ".").parse().ok()
    }
}

/// The same for what Rust does not read as a number.
fn rewritten(text: &str, style: Style) -> Option<f64> {
    // Most words end here.
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return match () {
            () if text.eq_ignore_ascii_case("true") => Some(1.0),
            () if text.eq_ignore_ascii_case("false") => Some(0.0),
            () => None,
        };
    }
    let text = with_plain_signs(text);
    let (text, percent) = match text.strip_suffix('%') {
        Some(rest) => (rest.trim_end(), true),
        None => (&*text, false),
    };
    let text = match style.thousands {
        Some(thousands) => ungrouped(text, thousands, style.decimal_comma)?,
        None => text.to_string(),
    };
    let text = fortran_exponent(&text).unwrap_or(text);
    if !percent {
        return plain(&text, style.decimal_comma);
    }
    // By the exponent, so that 13.7% has the bits of 0.137.
    if text.contains(['e', 'E']) {
        return plain(&text, style.decimal_comma).map(|number| number / 100.0);
    }
    plain(&format!("{text}e-2"), style.decimal_comma)
}

/// With the minus sign of ASCII.
fn with_plain_signs(text: &str) -> String {
    let sign = |character| match character {
        '\u{2212}' | '\u{2010}'..='\u{2013}' | '\u{FE63}' | '\u{FF0D}' => '-',
        other => other,
    };
    text.chars().map(sign).collect()
}

/// `1.5D+03`: a letter D after a decimal sign, or before a sign. (`1D5` is rather a name.)
fn fortran_exponent(text: &str) -> Option<String> {
    let (mantissa, exponent) = text.split_once(['d', 'D'])?;
    let is_number = mantissa.contains(['.', ',']) || exponent.starts_with(['+', '-']);
    is_number.then(|| format!("{mantissa}e{exponent}"))
}

/// A blank of any width that may separate groups of digits.
fn is_blank(character: char) -> bool {
    matches!(
        character,
        ' ' | '\u{A0}' | '\u{2007}' | '\u{2009}' | '\u{202F}'
    )
}

fn separates(character: char) -> Option<Thousands> {
    match character {
        ',' => Some(Thousands::Comma),
        '.' => Some(Thousands::Point),
        '\'' | '\u{2019}' => Some(Thousands::Apostrophe),
        blank if is_blank(blank) => Some(Thousands::Space),
        _ => None,
    }
}

/// Without the separators of its groups; none where they are no groups of three digits.
fn ungrouped(text: &str, thousands: Thousands, decimal_comma: bool) -> Option<String> {
    let decimal = if decimal_comma { ',' } else { '.' };
    let whole_end = text.find([decimal, 'e', 'E', 'd', 'D']);
    let (whole, rest) = text.split_at(whole_end.unwrap_or(text.len()));
    if !whole.chars().any(|c| separates(c) == Some(thousands)) {
        return Some(text.to_string());
    }
    let digits = whole.trim_start_matches(['+', '-']);
    let sign = &whole[..whole.len() - digits.len()];
    let groups: Vec<&str> = digits.split(|c| separates(c) == Some(thousands)).collect();
    are_groups(&groups).then(|| format!("{sign}{}{rest}", groups.concat()))
}

/// One to three digits, then groups of three.
fn are_groups(groups: &[&str]) -> bool {
    let is_digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
    let (first, rest) = groups.split_first().unwrap_or((&"", &[]));
    groups.iter().all(is_digits)
        && (1..=3).contains(&first.len())
        && rest.iter().all(|group| group.len() == 3)
}

/// What a number tells of the style in which it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The decimal sign is a comma (true) or a point.
    pub(super) decimal_comma: Option<bool>,
    /// Groups of digits are separated so.
    pub(super) thousands: Option<Thousands>,
    /// One comma (true) or point, three digits after it: `7,341` is 7341 or 7.341.
    pub(super) ambiguous: Option<bool>,
}

impl Evidence {
    /// None for what is no number in any style.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = with_plain_signs(text.trim());
        let text = text.strip_suffix('%').map_or(&*text, str::trim_end);
        if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
            return Some(Self::default());
        }
        let body = text.trim_start_matches(['+', '-']);
        if text.len() > body.len() + 1 {
            return None;
        }
        let end = body.find(['e', 'E', 'd', 'D']).unwrap_or(body.len());
        let (digits, exponent) = body.split_at(end);
        let exponent = exponent.get(1..).unwrap_or_default();
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let is_digit = |c: char| c.is_ascii_digit();
        if !digits.contains(is_digit)
            || !digits
                .chars()
                .all(|c| is_digit(c) || separates(c).is_some())
            || (end < body.len() && (exponent.is_empty() || !exponent.chars().all(is_digit)))
        {
            return None;
        }
        let mut kinds: Vec<Thousands> = digits.chars().filter_map(separates).collect();
        let Some(last) = kinds.pop() else {
            return Some(Self::default());
        };
        let decimal = |kind: Thousands| match kind {
            Thousands::Comma => Some(true),
            Thousands::Point => Some(false),
            Thousands::Space | Thousands::Apostrophe => None,
        };
        let groups = |text: &str| -> bool {
            let groups: Vec<&str> = text.split(|c| separates(c).is_some()).collect();
            are_groups(&groups)
        };
        let at = digits.rfind(|c| separates(c) == Some(last))?;
        let (whole, fraction) = digits.split_at(at);
        let one_kind = kinds.iter().all(|kind| *kind == last);
        match decimal(last) {
            Some(_) if !kinds.is_empty() && one_kind => groups(digits).then_some(Self {
                thousands: Some(last),
                ..Self::default()
            }),
            // `1,` is the end of a cell rather than a number.
            Some(true) if fraction.len() == 1 => None,
            Some(comma) if kinds.is_empty() => {
                let is_group = fraction.len() == 4 && groups(digits) && !whole.starts_with('0');
                let is_group = is_group && end == body.len();
                Some(Self {
                    decimal_comma: (!is_group).then_some(comma),
                    ambiguous: is_group.then_some(comma),
                    thousands: None,
                })
            }
            Some(comma) => {
                let same = kinds.iter().all(|kind| *kind == kinds[0]) && kinds[0] != last;
                (same && groups(whole)).then_some(Self {
                    decimal_comma: Some(comma),
                    thousands: Some(kinds[0]),
                    ambiguous: None,
                })
            }
            None => (one_kind && groups(digits)).then_some(Self {
                thousands: Some(last),
                ..Self::default()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POINT: Style = Style {
        decimal_comma: false,
        thousands: None,
    };

    fn style(decimal_comma: bool, thousands: Thousands) -> Style {
        Style {
            decimal_comma,
            thousands: Some(thousands),
        }
    }

    #[test]
    fn numbers_of_other_programs_are_read() {
        for (text, expected) in [
            ("1.5", 1.5),
            ("\u{2212}0.979", -0.979),
            ("1.5e\u{2212}3", 1.5e-3),
            ("13.0%", 0.13),
            ("13.7 %", 0.137),
            ("-6.2%", -0.062),
            ("2e1%", 0.2),
            ("1.5D+03", 1500.0),
            ("0.15d4", 1500.0),
            ("2D-1", 0.2),
            ("TRUE", 1.0),
            ("False", 0.0),
        ] {
            assert_eq!(read(text, POINT), Some(expected), "{text}");
        }
        for text in [
            "", "1D5", "T", "yes", "1,5", "7,341", "1.2.3", "inf", "NaN", "%", "1e999", "--1",
            "1 000", "0x1F", "1.5Dx",
        ] {
            assert_eq!(read(text, POINT), None, "{text}");
        }
    }

    #[test]
    fn groups_of_three_digits_are_joined_and_nothing_else() {
        use Thousands::{Apostrophe, Comma, Point, Space};
        for (text, comma, thousands, expected) in [
            ("7,341", false, Comma, 7341.0),
            ("-1,234,567.5", false, Comma, -1_234_567.5),
            ("13.040,00", true, Point, 13040.0),
            ("410,5", true, Point, 410.5),
            ("1\u{202F}234,5", true, Space, 1234.5),
            ("1 234 567", false, Space, 1_234_567.0),
            ("1'234.5", false, Apostrophe, 1234.5),
            ("1\u{2019}234", false, Apostrophe, 1234.0),
            ("950", false, Comma, 950.0),
            ("1,234%", false, Comma, 12.34),
        ] {
            assert_eq!(
                read(text, style(comma, thousands)),
                Some(expected),
                "{text}"
            );
        }
        for (text, comma, thousands) in [
            ("1,5", false, Comma),
            ("12,34", false, Comma),
            ("1234,567", false, Comma),
            ("1.5", true, Point),
            ("1,234.5", true, Point),
            (",123", false, Comma),
            ("1 23", false, Space),
        ] {
            assert_eq!(read(text, style(comma, thousands)), None, "{text}");
        }
    }

    #[test]
    fn a_number_tells_its_style_or_that_it_may_be_either() {
        use Thousands::{Comma, Point, Space};
        let evidence = |decimal_comma, thousands, ambiguous| {
            Some(Evidence {
                decimal_comma,
                thousands,
                ambiguous,
            })
        };
        for (text, expected) in [
            ("5", evidence(None, None, None)),
            ("1.5", evidence(Some(false), None, None)),
            ("-0,979", evidence(Some(true), None, None)),
            ("7,341", evidence(None, None, Some(true))),
            ("1.304", evidence(None, None, Some(false))),
            ("0.947", evidence(Some(false), None, None)),
            ("1234,567", evidence(Some(true), None, None)),
            ("1,234,567", evidence(None, Some(Comma), None)),
            ("1,234.5", evidence(Some(false), Some(Comma), None)),
            ("13.040,00", evidence(Some(true), Some(Point), None)),
            ("1 234,5", evidence(Some(true), Some(Space), None)),
            ("12 345", evidence(None, Some(Space), None)),
            ("1.5e3", evidence(Some(false), None, None)),
            ("1.2.3", None),
            ("2024-01-02", None),
            ("12:30", None),
            ("x1", None),
            ("-", None),
            ("", None),
            ("e5", None),
            ("1,", None),
        ] {
            assert_eq!(Evidence::of(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_usable_number_or_none(
            text in "([0-9.,' %eEdD+−-]|\\PC){0,12}",
            comma in any::<bool>(),
            kind in prop::sample::select(vec![
                None,
                Some(Thousands::Comma),
                Some(Thousands::Point),
                Some(Thousands::Space),
                Some(Thousands::Apostrophe),
            ]),
        ) {
            let style = Style { decimal_comma: comma, thousands: kind };
            if let Some(number) = read(&text, style) {
                prop_assert!(!is_unusable(number));
            }
            let _ = Evidence::of(&text);
        }

        #[test]
        fn what_rust_prints_is_read_bit_for_bit(number in -1e99f64..1e99) {
            prop_assert_eq!(read(&number.to_string(), POINT), Some(number));
            prop_assert_eq!(read(&format!("{number:e}"), POINT), Some(number));
        }
    }
}
