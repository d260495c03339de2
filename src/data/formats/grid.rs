//! A table of numbers and words, as svmlight, ARFF and JSON files hold it: named columns, rows with
//! their lines. Only the cells that the file gives are stored. Not here: reading files, what a column
//! means (`import`).

use std::collections::HashMap;

use crate::data::{MAX_FEATURES, MAX_TASKS, MAX_VALUES};
use crate::{Error, Result};

/// Most columns: features, labels, task and split.
const MAX_COLUMNS: usize = MAX_FEATURES + MAX_TASKS + 2;

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::data) enum Cell<'a> {
    /// A number; NaN: no value.
    Number(f64),
    /// A word; empty: no value.
    Word(&'a str),
}

impl Cell<'_> {
    /// No value.
    pub(in crate::data) const MISSING: Self = Self::Word("");
}

/// A cell as it is stored.
#[derive(Clone, Copy)]
struct Entry {
    column: u32,
    /// Its place among the words; none: a number.
    word: u32,
    number: f64,
}

/// Entries that are numbers.
const NUMBER: u32 = u32::MAX;

struct GridColumn {
    name: String,
    /// What a row has that gives no cell.
    fill: Entry,
}

/// The table.
#[derive(Default)]
pub(in crate::data) struct Grid {
    /// Rows have numbers instead of lines.
    pub(in crate::data) is_numbered: bool,
    columns: Vec<GridColumn>,
    /// Line of each row, and where its entries end.
    rows: Vec<(u64, usize)>,
    entries: Vec<Entry>,
    words: Vec<String>,
    index: HashMap<String, u32>,
}

impl Grid {
    /// The names of the columns.
    pub(in crate::data) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|one| one.name.clone()).collect()
    }

    /// Number of columns.
    pub(in crate::data) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Adds a column; `fill` is what a row has that gives no cell.
    pub(in crate::data) fn add_column(
        &mut self,
        line: u64,
        name: impl Into<String>,
        fill: Cell<'_>,
    ) -> Result<usize> {
        let column = self.columns.len();
        if column == MAX_COLUMNS {
            let found = format!("column number {}", column + 1);
            return Err(Error::line(line, found, format!("at most {MAX_COLUMNS}")));
        }
        let fill = self.entry(line, column, fill)?;
        let name = name.into();
        self.columns.push(GridColumn { name, fill });
        Ok(column)
    }

    /// Adds a cell to the row that is being read; it ends with `end_row`.
    pub(in crate::data) fn push(&mut self, line: u64, column: usize, cell: Cell<'_>) -> Result<()> {
        if self.entries.len() == MAX_VALUES {
            return Err(too_many(line));
        }
        let entry = self.entry(line, column, cell)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Ends a row.
    pub(in crate::data) fn end_row(&mut self, line: u64) {
        self.rows.push((line, self.entries.len()));
    }

    fn entry(&mut self, line: u64, column: usize, cell: Cell<'_>) -> Result<Entry> {
        let column = u32::try_from(column).map_err(|_| too_many(line))?;
        let (word, number) = match cell {
            Cell::Number(number) => (NUMBER, number),
            Cell::Word(word) => match self.index.get(word) {
                Some(at) => (*at, 0.0),
                None => {
                    let at = u32::try_from(self.words.len()).map_err(|_| too_many(line))?;
                    self.words.push(word.to_string());
                    self.index.insert(word.to_string(), at);
                    (at, 0.0)
                }
            },
        };
        Ok(Entry {
            column,
            word,
            number,
        })
    }

    fn cell(&self, entry: &Entry) -> Cell<'_> {
        match self.words.get(entry.word as usize) {
            Some(word) => Cell::Word(word),
            None => Cell::Number(entry.number),
        }
    }

    /// Checks that the table is not too large with all its cells, and has a row.
    pub(in crate::data) fn check(&self) -> Result<()> {
        let Some((line, _)) = self.rows.last() else {
            return Err(Error::line(1, "the end of the file", "rows of a table"));
        };
        match self.rows.len().checked_mul(self.width()) {
            Some(cells) if cells <= MAX_VALUES => Ok(()),
            _ => Err(too_many(*line)),
        }
    }

    /// Hands over the rows, each with its line and all cells. The last of two cells in one place wins.
    pub(in crate::data) fn rows<E>(
        &self,
        mut take: impl FnMut(u64, &[Cell<'_>]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let fill: Vec<Cell<'_>> = self
            .columns
            .iter()
            .map(|one| self.cell(&one.fill))
            .collect();
        let mut row = fill.clone();
        let mut start = 0;
        for (line, end) in &self.rows {
            row.copy_from_slice(&fill);
            for entry in &self.entries[start..*end] {
                row[entry.column as usize] = self.cell(entry);
            }
            start = *end;
            take(*line, &row)?;
        }
        Ok(())
    }
}

fn too_many(line: u64) -> Error {
    let expected = format!("at most {MAX_VALUES} cells in a file");
    Error::line(line, "too many cells", expected)
}

/// The text of a file in UTF-8, without a byte order mark.
pub(in crate::data) fn text_of(bytes: &[u8]) -> Result<&str> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count() as u64;
        Error::line(
            line,
            "text that is not UTF-8",
            "a file that is saved as UTF-8",
        )
    })
}

#[cfg(test)]
pub(in crate::data) mod tests {
    use super::*;

    /// A line a row: `3: 1.5 'word' ''`.
    pub(in crate::data) fn cells(grid: &Grid) -> Vec<String> {
        let mut rows = Vec::new();
        let all: Result<()> = grid.rows(|line, row| {
            let cells = row.iter().map(|cell| match cell {
                Cell::Number(number) => number.to_string(),
                Cell::Word(word) => format!("'{word}'"),
            });
            rows.push(format!("{line}: {}", cells.collect::<Vec<_>>().join(" ")));
            Ok(())
        });
        all.unwrap();
        rows
    }

    #[test]
    fn a_cell_that_is_not_given_has_the_value_of_its_column() {
        let mut grid = Grid::default();
        let a = grid.add_column(1, "a", Cell::Number(0.0)).unwrap();
        let b = grid.add_column(1, "b", Cell::Word("low")).unwrap();
        grid.push(2, b, Cell::Word("high")).unwrap();
        grid.end_row(2);
        grid.push(5, a, Cell::Number(1.5)).unwrap();
        grid.end_row(5);
        assert_eq!(cells(&grid), ["2: 0 'high'", "5: 1.5 'low'"]);
        assert_eq!(grid.check(), Ok(()));
    }

    #[test]
    fn too_many_columns_and_cells_are_refused() {
        let mut grid = Grid::default();
        for column in 0..MAX_COLUMNS {
            grid.add_column(1, column.to_string(), Cell::MISSING)
                .unwrap();
        }
        let error = grid.add_column(1, "more", Cell::MISSING).unwrap_err();
        assert!(error.to_string().contains("column number 4611"), "{error}");
        for line in 0..MAX_VALUES.div_ceil(MAX_COLUMNS) as u64 {
            grid.end_row(line);
        }
        let error = grid.check().unwrap_err().to_string();
        assert!(error.contains("too many cells"), "{error}");
        assert!(Grid::default().check().is_err());
    }
}
