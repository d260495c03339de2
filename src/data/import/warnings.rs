//! What is no error in a user's file but can make a result meaningless: codes for missing values,
//! damaged cells, an index among the features. Not here: what a run notices (scales, metrics).

use crate::minus::minus;
use crate::warning::{Warning, WarningCode};

/// Numbers that are often written for a missing value.
const CODES: [f64; 12] = [
    -9.0, -99.0, -200.0, -888.0, -999.0, -9999.0, -99999.0, -999_999.0, 99.0, 999.0, 9999.0,
    99999.0,
];
/// A cell is implausible if it is this many binary digits above nine tenths of its column.
const DIGITS_ABOVE: i16 = 17;
/// Fewer cells tell nothing.
const FEW_CELLS: usize = 5;

/// Cells, and where the first of them is.
#[derive(Clone, Copy, Debug, Default)]
struct Cells {
    count: usize,
    line: u64,
    value: f64,
}

impl Cells {
    fn add(&mut self, line: u64, value: f64) {
        if self.count == 0 {
            (self.line, self.value) = (line, value);
        }
        self.count += 1;
    }
}

/// The numbers of a column, as they are read.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    cells: usize,
    /// By binary exponent.
    sizes: Vec<(i16, Cells)>,
    codes: [Cells; CODES.len()],
    /// Of all but the codes.
    range: Option<(f64, f64)>,
    /// Where the numbers of the rows begin.
    counts_from: Option<f64>,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            cells: 0,
            sizes: Vec::new(),
            codes: [Cells::default(); CODES.len()],
            range: None,
            counts_from: None,
        }
    }

    pub(super) fn add(&mut self, line: u64, value: f64) {
        if self.cells == 0 {
            self.counts_from = Some(value).filter(|first| [0.0, 1.0].contains(first));
        }
        let counts = |first: &f64| *first + self.cells as f64 == value;
        self.counts_from = self.counts_from.filter(counts);
        self.cells += 1;
        if value != 0.0 {
            let exponent = i16::try_from((value.to_bits() >> 52) & 0x7FF).unwrap_or(i16::MAX);
            match self.sizes.iter_mut().find(|(other, _)| *other == exponent) {
                Some((_, cells)) => cells.add(line, value),
                None => {
                    let mut cells = Cells::default();
                    cells.add(line, value);
                    self.sizes.push((exponent, cells));
                }
            }
        }
        if let Some(at) = CODES.iter().position(|code| *code == value) {
            self.codes[at].add(line, value);
        } else {
            let (low, high) = self.range.unwrap_or((value, value));
            self.range = Some((low.min(value), high.max(value)));
        }
    }

    /// Of the column with this name. `unit` is what its lines are: `line`, `row`.
    pub(super) fn warnings(&self, name: &str, unit: &str, is_feature: bool) -> Vec<Warning> {
        let mut warnings: Vec<Warning> = self.missing_codes(name, unit).collect();
        if warnings.is_empty() {
            warnings.extend(self.implausible(name, unit));
        }
        if is_feature && self.cells >= FEW_CELLS && self.counts_from.is_some() {
            let text = format!(
                "`{name}` numbers the rows. An index gives away the order of the rows and is usually \
                 no feature: remove it from the features."
            );
            warnings.push(Warning::new(WarningCode::IndexFeature, text).of_column(name));
        }
        warnings
    }

    fn missing_codes(&self, name: &str, unit: &str) -> impl Iterator<Item = Warning> {
        let is_code = |code: f64, count: usize| {
            let Some((low, high)) = self.range else {
                return false;
            };
            let distance = if code < 0.0 { low - code } else { code - high };
            let is_far = distance > high - low && distance > low.abs().max(high.abs());
            let is_other_sign = code < 0.0 && low >= 0.0 && code.abs() >= 99.0;
            count > usize::from(code.abs() < 999.0) && (is_far || is_other_sign)
        };
        CODES.iter().zip(&self.codes).filter_map(move |(code, cells)| {
            if !is_code(*code, cells.count) {
                return None;
            }
            let (low, high) = self.range?;
            let [read, low, high] = [*code, low, high].map(|value| minus(format_args!("{value}")));
            let text = format!(
                "`{name}` is {read} in {} of {} rows (first in {unit} {}); its other values are {low} \
                 to {high}. If {read} means a missing value, leave such rows out: missing:drop,{code}",
                cells.count, self.cells, cells.line
            );
            Some(Warning::new(WarningCode::MissingCodes, text).of_column(name))
        })
    }

    /// Cells far above nine tenths of the column.
    fn implausible(&self, name: &str, unit: &str) -> Option<Warning> {
        if self.cells < FEW_CELLS {
            return None;
        }
        let mut sizes = self.sizes.clone();
        sizes.sort_by_key(|(exponent, _)| *exponent);
        let total: usize = sizes.iter().map(|(_, cells)| cells.count).sum();
        let mut below = 0;
        let (usual, _) = sizes.iter().find(|(_, cells)| {
            below += cells.count;
            below * 10 >= total * 9
        })?;
        let most = usual + DIGITS_ABOVE;
        let mut first: Option<Cells> = None;
        let mut count = 0;
        for (_, cells) in sizes.iter().filter(|(exponent, _)| *exponent > most) {
            count += cells.count;
            if first.is_none_or(|other| cells.line < other.line) {
                first = Some(*cells);
            }
        }
        let Cells { line, value, .. } = first?;
        let others = match count {
            1 => String::new(),
            _ => format!(" ({count} cells are of this kind)"),
        };
        let text = format!(
            "`{name}` is {} in {unit} {line}, more than 100000 times its usual size{others}. \
             Such a cell may be damaged, for example by a decimal comma; it outweighs all others.",
            minus(format_args!("{value:e}"))
        );
        Some(Warning::new(WarningCode::ImplausibleValues, text).of_column(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(values: impl IntoIterator<Item = f64>) -> Vec<(WarningCode, String)> {
        let mut watch = Watch::new();
        for (row, value) in values.into_iter().enumerate() {
            watch.add(row as u64 + 2, value);
        }
        let warnings = watch.warnings("b", "line", true).into_iter();
        warnings.map(|w| (w.code, w.message)).collect()
    }

    fn wave(count: u32) -> impl Iterator<Item = f64> {
        (0..count).map(|k| f64::from(k * 7 % 23) / 4.0 - 2.5)
    }

    #[test]
    fn codes_for_missing_values_are_named_with_column_value_and_count() {
        let found = watch(wave(20).chain([-999.0, 1.0, -999.0]));
        assert_eq!(found[0].0, WarningCode::MissingCodes);
        let expected = "`b` is \u{2212}999 in 2 of 23 rows (first in line 22)";
        assert!(found[0].1.starts_with(expected), "{found:?}");
        assert!(found[0].1.ends_with("missing:drop,-999"), "{found:?}");
        // Air quality: positive readings of up to 2000 and -200.
        let positive = wave(20).map(|value| 1000.0 + 300.0 * value);
        let found = watch(positive.chain([-200.0, -200.0]));
        assert_eq!(found[0].0, WarningCode::MissingCodes);
        // Within the range of the others, and a single small one, they are values.
        assert_eq!(
            watch((0..40).map(|k| f64::from(k * 53 % 2000) - 1000.0)),
            []
        );
        assert_eq!(watch(wave(20).chain([-9.0])), []);
        assert_eq!(watch((0..120).map(|k| f64::from(k * 37 % 120))), []);
    }

    #[test]
    fn cells_beyond_reason_are_named_with_line_and_column() {
        let found = watch(wave(20).chain([1e14, 1.0, 3e14]));
        assert_eq!(found[0].0, WarningCode::ImplausibleValues);
        let expected = "`b` is 1e14 in line 22, more than 100000 times its usual size (2 cells";
        assert!(found[0].1.starts_with(expected), "{found:?}");
        // Heavy tails are no damage.
        assert_eq!(
            watch((0..60).map(|k| libm::exp(f64::from(k * 13 % 60) / 8.0))),
            []
        );
        assert_eq!(watch([0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 1.0]), []);
    }

    #[test]
    fn an_index_among_the_features_is_named() {
        for start in [0, 1] {
            let found = watch((start..start + 9).map(f64::from));
            assert_eq!(found[0].0, WarningCode::IndexFeature);
        }
        assert_eq!(watch((2..11).map(f64::from)), []);
        assert_eq!(watch((0..3).map(f64::from)), []);
    }
}
