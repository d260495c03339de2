//! A column of a user's file: counts of its cells and a summary of them. Not here: what the column
//! means (`guess`).

use std::collections::HashMap;

use serde::Serialize;

use super::sheet::Row;
use crate::Result;
use crate::data::formats::csv::shorten;

/// Different words of a column are counted up to here.
const MAX_DISTINCT: usize = 100;
/// Different words of a column that a preview lists.
const SHOWN_WORDS: usize = 20;

/// What most cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// Words.
    Text,
    /// Nothing.
    Empty,
}

/// A cell that differs from the others of its column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct OutlierCell {
    /// Line of the file, from 1; row of a MAT file.
    pub line: u64,
    /// Its text.
    pub text: String,
}

/// What is known of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Column {
    /// From the header, or `column 3`.
    pub name: String,
    /// What most of its cells are.
    pub kind: ColumnKind,
    /// Number of different words; none: more than 100.
    pub distinct: Option<usize>,
    /// The words with their counts, most frequent first; empty if there are more than 20.
    pub words: Vec<(String, usize)>,
    /// Smallest number.
    pub min: Option<f64>,
    /// Largest number.
    pub max: Option<f64>,
    /// Cells without a value.
    pub missing: usize,
    /// Line of the first of them.
    pub first_missing: Option<u64>,
    /// The first word in a column of numbers.
    pub first_word: Option<OutlierCell>,
}

/// Counts of a column's cells.
#[derive(Default)]
pub(super) struct Counter {
    words: HashMap<String, usize>,
    /// There are more words than are counted.
    many: bool,
    numbers: usize,
    texts: usize,
    range: Option<(f64, f64)>,
    missing: usize,
    first_missing: Option<u64>,
    first_word: Option<OutlierCell>,
}

impl Counter {
    /// Counts the cell of a row.
    pub(super) fn count(&mut self, row: &Row<'_>, column: usize) -> Result<()> {
        if row.is_missing(column)? {
            self.missing += 1;
            self.first_missing.get_or_insert(row.line);
            return Ok(());
        }
        let text = row.text(column)?;
        if let Some(number) = row.number(column)? {
            self.numbers += 1;
            let (low, high) = self.range.unwrap_or((number, number));
            self.range = Some((low.min(number), high.max(number)));
        } else {
            self.texts += 1;
            self.first_word.get_or_insert_with(|| OutlierCell {
                line: row.line,
                text: shorten(&text),
            });
        }
        if self.many {
            return Ok(());
        }
        if let Some(count) = self.words.get_mut(&*text) {
            *count += 1;
        } else if self.words.len() == MAX_DISTINCT {
            self.many = true;
            self.words = HashMap::new();
        } else {
            self.words.insert(text.into_owned(), 1);
        }
        Ok(())
    }

    /// The summary of the column with this name.
    pub(super) fn column(self, name: &str) -> Column {
        let kind = match (self.numbers, self.texts) {
            (0, 0) => ColumnKind::Empty,
            (numbers, texts) if numbers >= texts => ColumnKind::Number,
            _ => ColumnKind::Text,
        };
        let distinct = (!self.many).then_some(self.words.len());
        let mut words: Vec<(String, usize)> = self.words.into_iter().collect();
        if words.len() > SHOWN_WORDS {
            words.clear();
        }
        words.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
        let range = self.range.filter(|_| kind == ColumnKind::Number);
        Column {
            name: name.to_string(),
            kind,
            distinct,
            words,
            min: range.map(|(low, _)| low),
            max: range.map(|(_, high)| high),
            missing: self.missing,
            first_missing: self.first_missing,
            first_word: self.first_word.filter(|_| kind == ColumnKind::Number),
        }
    }
}
