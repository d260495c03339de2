//! A user's file as a table of cells: the rows of a text, with a separator and with or without a
//! header; the variables of a MAT or NumPy file (`variables`); the rows of a file that names its
//! columns (`formats::grid`). Not here: what a column means.

use std::borrow::Cow;

use super::dialect::{self, Edge};
use super::mapping::{Dialect, MAX_COLUMNS};
use super::missing::MissingWords;
use super::number::{self, Style};
use super::variables::Blocks;
use crate::data::formats::csv::{Records, shorten, utf8};
use crate::data::formats::grid::{Cell, Grid};
use crate::data::formats::variable::Variable;
use crate::data::is_unusable;
use crate::{Error, Result};

/// A row of the table.
pub(super) struct Row<'a> {
    pub(super) line: u64,
    pub(super) cells: Cells<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Cells<'a> {
    Text {
        record: &'a ::csv::ByteRecord,
        reading: &'a Dialect,
    },
    Values {
        cells: &'a [Cell<'a>],
        /// Rows have numbers, but no lines.
        is_numbered: bool,
    },
}

impl Row<'_> {
    pub(super) fn error(
        &self,
        found: impl std::fmt::Display,
        expected: impl std::fmt::Display,
    ) -> Error {
        match self.cells {
            Cells::Values {
                is_numbered: true, ..
            } => Error::data(format!("row {}: {found}; expected {expected}", self.line)),
            _ => Error::line(self.line, found, expected),
        }
    }

    pub(super) fn text(&self, column: usize) -> Result<Cow<'_, str>> {
        match self.cells {
            Cells::Text { record, .. } => {
                let bytes = record.get(column).unwrap_or_default();
                utf8(bytes)
                    .map(Cow::Borrowed)
                    .map_err(|(found, expected)| self.error(found, expected))
            }
            Cells::Values { cells, .. } => Ok(match cells[column] {
                Cell::Number(number) => Cow::Owned(number.to_string()),
                Cell::Word(word) => Cow::Borrowed(word),
            }),
        }
    }

    /// Whether a cell has no value; the words that say so differ by what the column is for.
    pub(super) fn is_missing(&self, column: usize, words: MissingWords<'_>) -> Result<bool> {
        match self.cells {
            Cells::Values { cells, .. } => Ok(match cells[column] {
                Cell::Number(number) => number.is_nan() || words.has_number(number),
                Cell::Word(word) => words.has(word, Style::default()),
            }),
            Cells::Text { reading, .. } => {
                Ok(words.has(&self.text(column)?, reading.style(column)))
            }
        }
    }

    /// Empty cells after the last column come from delimiters at the end of the rows.
    pub(super) fn has_width(&self, width: usize) -> bool {
        let Cells::Text { record, .. } = self.cells else {
            return true;
        };
        let is_blank = |cell: &[u8]| cell.trim_ascii().is_empty();
        record.len() >= width && record.iter().skip(width).all(is_blank)
    }

    /// A row of another width that begins with `#`.
    pub(super) fn is_comment(&self, width: usize) -> bool {
        let Cells::Text { record, .. } = self.cells else {
            return false;
        };
        let begins = |cell: &[u8]| cell.trim_ascii().starts_with(b"#");
        !self.has_width(width) && record.get(0).is_some_and(begins)
    }

    pub(super) fn number(&self, column: usize) -> Result<Option<f64>> {
        Ok(match self.cells {
            Cells::Values { cells, .. } => match cells[column] {
                Cell::Number(number) => Some(number).filter(|number| !is_unusable(*number)),
                Cell::Word(word) => number::read(word, Style::default()),
            },
            Cells::Text { reading, .. } => number::read(&self.text(column)?, reading.style(column)),
        })
    }
}

/// A file as a table.
pub(super) struct Sheet<'a> {
    pub(super) names: Vec<String>,
    pub(super) source: Source<'a>,
}

pub(super) enum Source<'a> {
    Text {
        bytes: &'a [u8],
        reading: &'a Dialect,
    },
    Blocks(Blocks<'a>),
    Grid(&'a Grid),
}

impl<'a> Sheet<'a> {
    pub(super) fn text(bytes: &'a [u8], reading: &'a Dialect) -> Result<Self> {
        let mut records = Records::after(bytes, reading.separator.byte(), reading.skip)?;
        let Some((line, record)) = records.next()? else {
            return Err(Error::line(
                1,
                "the end of the file",
                "a header row such as `task,label,x1,...`, and rows below it",
            ));
        };
        let row = Row {
            line,
            cells: Cells::Text { record, reading },
        };
        if record.len() > MAX_COLUMNS {
            let found = format!("{} columns", record.len());
            return Err(row.error(found, format!("at most {MAX_COLUMNS} columns")));
        }
        let mut names = Vec::with_capacity(record.len() + 1);
        for column in 0..record.len() {
            let name = if reading.header {
                row.text(column)?
            } else {
                Cow::Borrowed("")
            };
            let name = match column {
                // A header that is a comment.
                0 => name.trim_start_matches(['#', ' ']),
                _ => &*name,
            };
            names.push(shorten(name));
        }
        if reading.header {
            match dialect::edge(bytes, reading, names.len())? {
                Edge::RowNames => names.insert(0, String::new()),
                Edge::EmptyName => {
                    names.pop();
                }
                Edge::Straight => {}
            }
        }
        for (column, name) in names.iter_mut().enumerate() {
            if name.is_empty() {
                *name = format!("column {}", column + 1);
            }
        }
        Ok(Self {
            names,
            source: Source::Text { bytes, reading },
        })
    }

    pub(super) fn variables(variables: &'a [Variable], reading: &Dialect) -> Result<Self> {
        let blocks = Blocks::find(variables, &reading.variables)?;
        let names = blocks.names();
        if names.len() > MAX_COLUMNS {
            let found = format!("{} columns", names.len());
            return Err(Error::field(
                "columns",
                found,
                format!("at most {MAX_COLUMNS}"),
            ));
        }
        Ok(Self {
            names,
            source: Source::Blocks(blocks),
        })
    }

    pub(super) fn grid(grid: &'a Grid) -> Self {
        Self {
            names: grid.names(),
            source: Source::Grid(grid),
        }
    }

    /// What its rows are called in messages.
    pub(super) fn unit(&self) -> &'static str {
        match self.source {
            Source::Blocks(_) => "row",
            Source::Grid(grid) if grid.is_numbered => "row",
            Source::Text { .. } | Source::Grid(_) => "line",
        }
    }

    /// Hands over all rows but the header.
    pub(super) fn rows<E: From<Error>>(
        &self,
        mut take: impl FnMut(Row<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        match &self.source {
            Source::Text { bytes, reading } => {
                let mut records = Records::after(bytes, reading.separator.byte(), reading.skip)?;
                let mut is_header = reading.header;
                while let Some((line, record)) = records.next()? {
                    let cells = Cells::Text { record, reading };
                    if !std::mem::take(&mut is_header) {
                        take(Row { line, cells })?;
                    }
                }
            }
            Source::Blocks(blocks) => blocks.rows(|line, cells| {
                let is_numbered = true;
                let cells = Cells::Values { cells, is_numbered };
                take(Row { line, cells })
            })?,
            Source::Grid(grid) => grid.rows(|line, cells| {
                let is_numbered = grid.is_numbered;
                let cells = Cells::Values { cells, is_numbered };
                take(Row { line, cells })
            })?,
        }
        Ok(())
    }
}
