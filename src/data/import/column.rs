//! A column of a user's file: counts of its cells and a summary of them. Not here: what the column
//! means (`guess`).

use std::collections::HashMap;

use serde::Serialize;

use super::missing::{Known, MissingWords};
use super::sheet::Row;
use crate::Result;
use crate::data::MAX_TASKS;
use crate::data::formats::csv::shorten;

/// Different words of a column are counted up to here: a column of more cannot name the tasks.
pub(super) const MAX_DISTINCT: usize = MAX_TASKS;
/// The same where there are many columns, which would take much memory.
const FEW_DISTINCT: usize = 100;
/// More columns than this are many.
const MANY_COLUMNS: usize = 256;
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
    /// Number of different words; none: more than 512 (100 in a file of more than 256 columns).
    pub distinct: Option<usize>,
    /// The words with their counts, most frequent first; empty if there are more than 20.
    pub words: Vec<(String, usize)>,
    /// Smallest number.
    pub min: Option<f64>,
    /// Largest number.
    pub max: Option<f64>,
    /// Cells without a value. In a column of words only empty ones: `NA` may be a name.
    pub missing: usize,
    /// Line of the first of them.
    pub first_missing: Option<u64>,
    /// The first word in a column of numbers.
    pub first_word: Option<OutlierCell>,
    /// Are all its numbers whole?
    pub whole: bool,
    /// Does it number the rows: 0, 1, 2, ... or 1, 2, 3, ...?
    pub counts_rows: bool,
    /// Different words with a single row.
    pub single: usize,
}

/// Counts of a column's cells.
pub(super) struct Counter {
    most: usize,
    words: HashMap<String, usize>,
    /// There are more words than are counted.
    many: bool,
    rows: usize,
    numbers: usize,
    texts: usize,
    range: Option<(f64, f64)>,
    empty: usize,
    first_empty: Option<u64>,
    /// `NA` and the like, which have no value in a column of numbers.
    no_value: usize,
    first_no_value: Option<u64>,
    first_word: Option<OutlierCell>,
    whole: bool,
    /// Where the numbers of the rows begin.
    counts_from: Option<f64>,
}

impl Counter {
    /// For a file of so many columns.
    pub(super) fn new(columns: usize) -> Self {
        Self {
            most: if columns > MANY_COLUMNS {
                FEW_DISTINCT
            } else {
                MAX_DISTINCT
            },
            words: HashMap::new(),
            many: false,
            rows: 0,
            numbers: 0,
            texts: 0,
            range: None,
            empty: 0,
            first_empty: None,
            no_value: 0,
            first_no_value: None,
            first_word: None,
            whole: true,
            counts_from: None,
        }
    }

    /// Counts the cell of a row.
    pub(super) fn count(&mut self, row: &Row<'_>, column: usize) -> Result<()> {
        let at = self.rows as f64;
        self.rows += 1;
        if row.is_missing(column, MissingWords::known(Known::Empty))? {
            self.empty += 1;
            self.first_empty.get_or_insert(row.line);
            return Ok(());
        }
        let text = row.text(column)?;
        if row.is_missing(column, MissingWords::known(Known::All))? {
            self.no_value += 1;
            self.first_no_value.get_or_insert(row.line);
        } else if let Some(number) = row.number(column)? {
            self.numbers += 1;
            let (low, high) = self.range.unwrap_or((number, number));
            self.range = Some((low.min(number), high.max(number)));
            self.whole &= number.fract() == 0.0;
            if at == 0.0 {
                self.counts_from = Some(number).filter(|number| [0.0, 1.0].contains(number));
            }
            self.counts_from = self.counts_from.filter(|first| number == first + at);
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
        } else if self.words.len() == self.most {
            self.many = true;
            self.words = HashMap::new();
        } else {
            self.words.insert(text.into_owned(), 1);
        }
        Ok(())
    }

    /// The summary of the column with this name.
    pub(super) fn column(mut self, name: &str) -> Column {
        let kind = match (self.numbers, self.texts) {
            (0, 0) if self.no_value == 0 => ColumnKind::Empty,
            (0, 0) => ColumnKind::Text,
            (numbers, texts) if numbers >= texts => ColumnKind::Number,
            _ => ColumnKind::Text,
        };
        let is_number = kind == ColumnKind::Number;
        let (mut missing, mut first_missing) = (self.empty, self.first_empty);
        if is_number {
            missing += self.no_value;
            first_missing = match (first_missing, self.first_no_value) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            let no_value = MissingWords::known(Known::All);
            let style = super::number::Style::default();
            self.words.retain(|word, _| !no_value.has(word, style));
        }
        let distinct = (!self.many).then_some(self.words.len());
        let single = self.words.values().filter(|count| **count == 1).count();
        let mut words: Vec<(String, usize)> = self.words.into_iter().collect();
        if words.len() > SHOWN_WORDS {
            words.clear();
        }
        words.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
        let range = self.range.filter(|_| is_number);
        Column {
            name: name.to_string(),
            kind,
            distinct,
            words,
            min: range.map(|(low, _)| low),
            max: range.map(|(_, high)| high),
            missing,
            first_missing,
            first_word: self.first_word.filter(|_| is_number),
            whole: is_number && self.whole,
            counts_rows: is_number
                && self.numbers == self.rows
                && self.rows > 1
                && self.counts_from.is_some(),
            single,
        }
    }
}
