//! What a user's file looks like: its columns, what is in them, its first rows. Not here: which column
//! is what (`guess`).

use std::collections::HashMap;

use serde::Serialize;

use super::guess::guess;
use super::mapping::{Dialect, Mapping};
use super::sheet::{Sheet, Source};
use crate::Result;
use crate::data::formats::csv::shorten;

/// Rows that a preview shows.
const SHOWN_ROWS: usize = 8;
/// Different words of a column are counted up to here.
const MAX_DISTINCT: usize = 100;
/// Different words of a column that a preview lists.
const SHOWN_WORDS: usize = 20;

/// What most cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// Words.
    Text,
    /// Nothing.
    Empty,
}

/// A cell that is not like the others of its column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutlierCell {
    /// Line of the file, from 1; row of a MAT file.
    pub line: u64,
    /// What stands there.
    pub text: String,
}

/// What is known of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// As the header says, or `column 3`.
    pub name: String,
    /// What most of its cells are.
    pub kind: ColumnKind,
    /// Number of different words; none: more than 100.
    pub distinct: Option<usize>,
    /// The words, most frequent first, and how often they stand there; none if there are more
    /// than 20.
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

/// What a file looks like.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preview {
    /// A CSV file whose header names the columns as ours are named: it needs no mapping.
    pub has_our_names: bool,
    /// A CSV file, whose reading may be changed; otherwise a MAT file.
    pub is_text: bool,
    /// How it was read.
    pub reading: Dialect,
    /// MAT: the variables that may stand side by side instead.
    pub choices: Vec<Vec<String>>,
    /// At least one.
    pub columns: Vec<Column>,
    /// Line and cells of the first rows.
    pub rows: Vec<(u64, Vec<String>)>,
    /// All rows but the header.
    pub row_count: usize,
    /// Which column seems to be what. It may lack a label or features.
    pub guess: Mapping,
}

/// What is counted of a column.
#[derive(Default)]
struct Counter {
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

pub(super) fn summarise(
    sheet: &Sheet<'_>,
    reading: &Dialect,
    choices: Vec<Vec<String>>,
    has_our_names: bool,
) -> Result<Preview> {
    let mut counters: Vec<Counter> = Vec::new();
    counters.resize_with(sheet.names.len(), Counter::default);
    let mut rows = Vec::new();
    let mut row_count = 0;
    sheet.rows(|row| -> Result<()> {
        row_count += 1;
        if rows.len() < SHOWN_ROWS {
            let cells = (0..counters.len()).map(|column| Ok(shorten(&row.text(column)?)));
            rows.push((row.line, cells.collect::<Result<_>>()?));
        }
        for (column, counter) in counters.iter_mut().enumerate() {
            if row.is_missing(column)? {
                counter.missing += 1;
                counter.first_missing.get_or_insert(row.line);
                continue;
            }
            let text = row.text(column)?;
            if let Some(number) = row.number(column)? {
                counter.numbers += 1;
                let (low, high) = counter.range.unwrap_or((number, number));
                counter.range = Some((low.min(number), high.max(number)));
            } else {
                counter.texts += 1;
                counter.first_word.get_or_insert_with(|| OutlierCell {
                    line: row.line,
                    text: shorten(&text),
                });
            }
            if counter.many {
                continue;
            }
            if let Some(count) = counter.words.get_mut(&*text) {
                *count += 1;
            } else if counter.words.len() == MAX_DISTINCT {
                counter.many = true;
                counter.words = HashMap::new();
            } else {
                counter.words.insert(text.into_owned(), 1);
            }
        }
        Ok(())
    })?;
    let columns: Vec<Column> = (sheet.names.iter().zip(counters))
        .map(|(name, counter)| column(name, counter))
        .collect();
    let guess = guess(&columns, reading);
    Ok(Preview {
        has_our_names,
        is_text: matches!(sheet.source, Source::Text { .. }),
        reading: reading.clone(),
        choices,
        columns,
        rows,
        row_count,
        guess,
    })
}

fn column(name: &str, counter: Counter) -> Column {
    let kind = match (counter.numbers, counter.texts) {
        (0, 0) => ColumnKind::Empty,
        (numbers, texts) if numbers >= texts => ColumnKind::Number,
        _ => ColumnKind::Text,
    };
    let distinct = (!counter.many).then_some(counter.words.len());
    let mut words: Vec<(String, usize)> = counter.words.into_iter().collect();
    if words.len() > SHOWN_WORDS {
        words.clear();
    }
    words.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    let range = counter.range.filter(|_| kind == ColumnKind::Number);
    Column {
        name: name.to_string(),
        kind,
        distinct,
        words,
        min: range.map(|(low, _)| low),
        max: range.map(|(_, high)| high),
        missing: counter.missing,
        first_missing: counter.first_missing,
        first_word: counter.first_word.filter(|_| kind == ColumnKind::Number),
    }
}
