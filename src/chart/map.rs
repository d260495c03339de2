//! Colours of correlations: a number of [-1, 1] -> a colour.
//!
//! The numbers are samples of two published maps, between which is interpolated: `vik` (Fabio
//! Crameri, Scientific colour maps, MIT licence; diverging, perceptually uniform, safe for colour
//! blindness) and `cividis` (Nuñez, Anderton, Renslow 2018, CC0; the blue to yellow of the paper).

use plotters::style::RGBColor;

/// Which map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Map {
    /// Diverging: blue, near white at 0, red-brown.
    Vik,
    /// Blue to yellow, as in the paper.
    Paper,
}

const VIK: [(u8, u8, u8); 33] = [
    (0, 18, 97),
    (2, 31, 105),
    (2, 43, 113),
    (2, 55, 121),
    (3, 68, 129),
    (4, 80, 137),
    (12, 94, 146),
    (27, 109, 155),
    (47, 124, 166),
    (71, 141, 177),
    (96, 157, 188),
    (121, 173, 199),
    (146, 189, 210),
    (172, 204, 220),
    (197, 219, 229),
    (220, 229, 233),
    (236, 229, 225),
    (238, 218, 207),
    (233, 203, 185),
    (226, 187, 164),
    (220, 171, 143),
    (213, 156, 123),
    (207, 142, 104),
    (201, 127, 85),
    (195, 114, 67),
    (188, 99, 49),
    (179, 83, 31),
    (165, 64, 14),
    (147, 46, 6),
    (131, 33, 6),
    (116, 21, 6),
    (102, 10, 7),
    (89, 0, 8),
];

const CIVIDIS: [(u8, u8, u8); 17] = [
    (0, 34, 78),
    (0, 46, 106),
    (26, 56, 111),
    (50, 67, 109),
    (67, 78, 108),
    (82, 89, 109),
    (97, 101, 111),
    (111, 112, 115),
    (124, 123, 120),
    (139, 135, 120),
    (155, 147, 118),
    (171, 160, 114),
    (187, 173, 108),
    (204, 186, 100),
    (221, 201, 88),
    (239, 215, 72),
    (254, 232, 56),
];

impl Map {
    /// The colour of a correlation; beyond [-1, 1] that of the nearer end.
    pub fn color(self, value: f64) -> RGBColor {
        match self {
            Self::Vik => sample(&VIK, value),
            Self::Paper => sample(&CIVIDIS, value),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions in a short table, colours between 0 and 255"
)]
fn sample(table: &[(u8, u8, u8)], value: f64) -> RGBColor {
    let last = (table.len() - 1) as f64;
    let position = (f64::midpoint(value.clamp(-1.0, 1.0), 1.0) * last).clamp(0.0, last);
    let below = (position as usize).min(table.len() - 2);
    let share = position - below as f64;
    let mix = |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))).round() as u8;
    let (a, b) = (table[below], table[below + 1]);
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// Black or white, whichever is easier to read on a colour.
pub fn readable_on(color: RGBColor) -> RGBColor {
    // sRGB to linear light, as a polynomial: within 0.002 of the definition, which needs a power.
    let channel = |c: u8| {
        let c = f64::from(c) / 255.0;
        c * (c * (c * 0.305_306_011 + 0.682_171_111) + 0.012_522_878)
    };
    // Relative luminance of WCAG 2; at 0.179 black and white have the same contrast.
    let luminance =
        0.2126 * channel(color.0) + 0.7152 * channel(color.1) + 0.0722 * channel(color.2);
    if luminance > 0.179 {
        RGBColor(0, 0, 0)
    } else {
        RGBColor(255, 255, 255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middle_are_those_of_the_published_maps() {
        assert_eq!(Map::Vik.color(-1.0), RGBColor(0, 18, 97));
        assert_eq!(Map::Vik.color(0.0), RGBColor(236, 229, 225));
        assert_eq!(Map::Vik.color(1.0), RGBColor(89, 0, 8));
        assert_eq!(Map::Vik.color(7.0), Map::Vik.color(1.0));
        assert_eq!(Map::Paper.color(1.0), RGBColor(254, 232, 56));
        // Not a number: some colour, no panic.
        let _ = Map::Vik.color(f64::NAN);
    }

    #[test]
    fn readability_follows_the_definition_of_srgb() {
        let light = |c: u8| match f64::from(c) / 255.0 {
            c if c <= 0.040_45 => c / 12.92,
            c => libm::pow((c + 0.055) / 1.055, 2.4),
        };
        for map in [Map::Vik, Map::Paper] {
            for step in 0..=1000 {
                let color = map.color(f64::from(step) / 500.0 - 1.0);
                let luminance =
                    0.2126 * light(color.0) + 0.7152 * light(color.1) + 0.0722 * light(color.2);
                // Within a hair of the limit, both are equally readable.
                if (luminance - 0.179).abs() > 0.004 {
                    let expected = if luminance > 0.179 { 0 } else { 255 };
                    assert_eq!(readable_on(color).0, expected, "{color:?}");
                }
            }
        }
    }

    #[test]
    fn text_is_readable_on_both_ends_and_the_middle() {
        assert_eq!(readable_on(Map::Vik.color(-1.0)), RGBColor(255, 255, 255));
        assert_eq!(readable_on(Map::Vik.color(0.0)), RGBColor(0, 0, 0));
        assert_eq!(readable_on(Map::Vik.color(1.0)), RGBColor(255, 255, 255));
    }
}
