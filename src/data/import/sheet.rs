//! A user's file as a table of cells: the rows of a text, with a separator and with or without a
//! header; the variables of a MAT or NumPy file (`variables`); the rows of a file that names its
//! columns (`formats::grid`). Not here: what a column means.

use std::borrow::Cow;

use super::mapping::{Dialect, MAX_COLUMNS};
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
        decimal_comma: bool,
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

    pub(super) fn is_missing(&self, column: usize) -> Result<bool> {
        const WORDS: [&str; 5] = ["na", "n/a", "nan", "null", "?"];
        match self.cells {
            Cells::Values { cells, .. } if matches!(cells[column], Cell::Number(_)) => {
                Ok(matches!(cells[column], Cell::Number(number) if number.is_nan()))
            }
            _ => {
                let text = self.text(column)?;
                let is_word = |word: &&str| text.eq_ignore_ascii_case(word);
                Ok(text.is_empty() || WORDS.iter().any(is_word))
            }
        }
    }

    pub(super) fn number(&self, column: usize) -> Result<Option<f64>> {
        Ok(match self.cells {
            Cells::Values { cells, .. } => match cells[column] {
                Cell::Number(number) => Some(number).filter(|number| !is_unusable(*number)),
                Cell::Word(word) => parse(word, false),
            },
            Cells::Text { decimal_comma, .. } => parse(&self.text(column)?, decimal_comma),
        })
    }
}

/// A number with the one decimal sign.
pub(super) fn parse(text: &str, decimal_comma: bool) -> Option<f64> {
    let number = if !decimal_comma {
        text.parse()
    } else if text.contains('.') {
        return None;
    } else {
        text.replace(',', ".").parse()
    };
    number.ok().filter(|number: &f64| !is_unusable(*number))
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
        let mut records = Records::new(bytes, reading.separator.byte())?;
        let Some((line, record)) = records.next()? else {
            return Err(Error::line(1, "the end of the file", "rows of a table"));
        };
        let row = Row {
            line,
            cells: Cells::Text {
                record,
                decimal_comma: false,
            },
        };
        if record.len() > MAX_COLUMNS {
            let found = format!("{} columns", record.len());
            return Err(row.error(found, format!("at most {MAX_COLUMNS} columns")));
        }
        let mut names = Vec::with_capacity(record.len());
        for column in 0..record.len() {
            let name = if reading.header {
                row.text(column)?
            } else {
                Cow::Borrowed("")
            };
            names.push(match &*name {
                "" => format!("column {}", column + 1),
                name => shorten(name),
            });
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

    /// Hands over all rows but the header.
    pub(super) fn rows<E: From<Error>>(
        &self,
        mut take: impl FnMut(Row<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        match &self.source {
            Source::Text { bytes, reading } => {
                let mut records = Records::new(bytes, reading.separator.byte())?;
                let mut is_header = reading.header;
                while let Some((line, record)) = records.next()? {
                    let cells = Cells::Text {
                        record,
                        decimal_comma: reading.decimal_comma,
                    };
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
