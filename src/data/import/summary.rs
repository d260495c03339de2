//! A summary of a user's file: its columns and its first rows. Not here: what a column means (`guess`).

use serde::Serialize;

use super::column::{Column, Counter};
use super::guess::guess;
use super::mapping::{Dialect, Mapping};
use super::sheet::{Sheet, Source};
use crate::Result;
use crate::data::formats::csv::shorten;

/// Rows that a preview shows.
const SHOWN_ROWS: usize = 8;

/// What a file looks like.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Preview {
    /// A CSV file whose header names the columns as ours are named: it needs no mapping.
    pub has_our_names: bool,
    /// A CSV file, whose reading may be changed; otherwise a MAT file.
    pub is_text: bool,
    /// How it was read.
    pub reading: Dialect,
    /// MAT: other choices of variables that fit together.
    pub choices: Vec<Vec<String>>,
    /// At least one.
    pub columns: Vec<Column>,
    /// Line and cells of the first rows.
    pub rows: Vec<(u64, Vec<String>)>,
    /// All rows but the header.
    pub row_count: usize,
    /// A guess of what each column is. It may lack a label or features.
    pub guess: Mapping,
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
            counter.count(&row, column)?;
        }
        Ok(())
    })?;
    let columns: Vec<Column> = (sheet.names.iter().zip(counters))
        .map(|(name, counter)| counter.column(name))
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
