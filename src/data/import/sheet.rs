//! A user's file as a table of cells. For CSV the rows are those of the file, with commas, semicolons or
//! tabs, quoted or not, with or without a header. For MAT, matrices with equally many rows are put
//! side by side, a column each (a vector of as many numbers is a column, too); or cell arrays of
//! equally many such matrices are, after a column `cell` with the number of the cell, which is
//! usually the task. Not here: what a column means.

use std::borrow::Cow;

use super::dialect::{self, Edge};
use super::mapping::{Dialect, MAX_COLUMNS};
use super::missing::MissingWords;
use super::number;
use crate::data::formats::csv::{Records, shorten, utf8};
use crate::data::formats::matlab::{Value, Variable};
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
    Numbers(&'a [f64]),
}

impl Row<'_> {
    pub(super) fn error(
        &self,
        found: impl std::fmt::Display,
        expected: impl std::fmt::Display,
    ) -> Error {
        match self.cells {
            Cells::Text { .. } => Error::line(self.line, found, expected),
            Cells::Numbers(_) => {
                Error::data(format!("row {}: {found}; expected {expected}", self.line))
            }
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
            Cells::Numbers(numbers) => Ok(Cow::Owned(numbers[column].to_string())),
        }
    }

    /// Whether a cell has no value; the words that say so differ by what the column is for.
    pub(super) fn is_missing(&self, column: usize, words: MissingWords<'_>) -> Result<bool> {
        match self.cells {
            Cells::Numbers(numbers) => {
                Ok(numbers[column].is_nan() || words.has_number(numbers[column]))
            }
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
            Cells::Numbers(numbers) => Some(numbers[column]).filter(|n| !is_unusable(*n)),
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
    Cells {
        blocks: Blocks<'a>,
    },
}

/// Matrices side by side, one block below the other.
pub(super) struct Blocks<'a> {
    /// Rows of each block.
    counts: Vec<usize>,
    /// For each variable, its columns in each block.
    parts: Vec<(&'a str, Vec<Part<'a>>)>,
    /// The blocks are cells: their number is the first column.
    numbered: bool,
}

/// A matrix, n x d, column-major.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    columns: usize,
    values: &'a [f64],
}

impl Part<'_> {
    pub(super) fn rows(&self) -> usize {
        self.values.len() / self.columns
    }
}

/// The matrices of a variable, and whether they are cells. Row vectors are columns, unless the rows
/// of the blocks are known and differ. None for anything but non-empty matrices of two dimensions.
pub(super) fn parts<'a>(
    value: &'a Value,
    counts: Option<&[usize]>,
) -> Option<(Vec<Part<'a>>, bool)> {
    let (items, cells) = match value {
        Value::Cell { items, .. } => (&items[..], true),
        value => (std::slice::from_ref(value), false),
    };
    let sizes = items.iter().map(|item| match item {
        Value::Matrix(matrix) => matrix.rows_and_columns().filter(|(n, d)| n * d > 0),
        _ => None,
    });
    let sizes: Vec<(usize, usize)> = sizes.collect::<Option<_>>()?;
    let lie = match counts {
        None => true,
        Some(counts) => sizes.iter().map(|(_, d)| d).eq(counts),
    };
    let lie = lie && sizes.iter().all(|(n, _)| *n == 1);
    let part = |(item, (_, d)): (&'a Value, &(usize, usize))| match item {
        Value::Matrix(matrix) => Some(Part {
            columns: if lie { 1 } else { *d },
            values: &matrix.values,
        }),
        _ => None,
    };
    let parts: Vec<Part> = items.iter().zip(&sizes).filter_map(part).collect();
    (!parts.is_empty()).then_some((parts, cells))
}

/// Which variables of a MAT file have the same rows: names, rows of each block, are they cells.
pub(super) fn choices(variables: &[Variable]) -> Vec<(Vec<String>, Vec<usize>, bool)> {
    let mut found: Vec<(Vec<String>, Vec<usize>, bool, usize)> = Vec::new();
    for variable in variables
        .iter()
        .filter(|variable| !variable.name.is_empty())
    {
        let Some((parts, numbered)) = parts(&variable.value, None) else {
            continue;
        };
        let counts: Vec<usize> = parts.iter().map(Part::rows).collect();
        let size = parts.len() + parts.iter().map(|part| part.values.len()).sum::<usize>();
        let same = found
            .iter_mut()
            .find(|(_, other, cells, _)| *other == counts && *cells == numbered);
        match same {
            Some((names, _, _, total)) => {
                names.push(variable.name.clone());
                *total += size;
            }
            None => found.push((vec![variable.name.clone()], counts, numbered, size)),
        }
    }
    // The largest first: it is the one that is meant.
    found.sort_by_key(|(_, _, _, size)| std::cmp::Reverse(*size));
    let plain = |(names, counts, cells, _)| (names, counts, cells);
    found.into_iter().map(plain).collect()
}

impl<'a> Blocks<'a> {
    fn find(variables: &'a [Variable], wanted: &[String]) -> Result<Self> {
        let expected = || {
            let known: Vec<String> = choices(variables)
                .into_iter()
                .map(|(names, _, _)| {
                    let names: Vec<String> = names.iter().map(|name| shorten(name)).collect();
                    names.join(" with ")
                })
                .collect();
            if known.is_empty() {
                let all = variables.iter().take(12).map(|variable| {
                    format!(
                        "{} ({})",
                        shorten(&variable.name),
                        variable.value.describe()
                    )
                });
                let all = all.collect::<Vec<_>>().join(", ");
                return format!("a file with a matrix or a cell array of matrices; it has: {all}");
            }
            format!("one of {}", known.join("; "))
        };
        let wrong = |found: String| Error::field("columns", found, expected());
        let mut counts: Option<(Vec<usize>, bool)> = None;
        let mut parts = Vec::new();
        for name in wanted {
            let variable = variables.iter().find(|variable| variable.name == *name);
            let Some(variable) = variable else {
                let reason = format!(
                    "variable `{}` not found; expected {}",
                    shorten(name),
                    expected()
                );
                return Err(Error::invalid("columns", reason));
            };
            let rows = counts.as_ref().map(|(counts, _)| &counts[..]);
            let Some((found, cells)) = self::parts(&variable.value, rows) else {
                let what = variable.value.describe();
                return Err(wrong(format!("the variable `{}` ({what})", shorten(name))));
            };
            let columns = found[0].columns;
            let rows: Vec<usize> = found.iter().map(Part::rows).collect();
            let known = counts.get_or_insert((rows.clone(), cells));
            if *known != (rows, cells) || found.iter().any(|part| part.columns != columns) {
                return Err(wrong(format!(
                    "the variable `{}` ({}), whose numbers of rows or columns differ,",
                    shorten(name),
                    variable.value.describe()
                )));
            }
            parts.push((variable.name.as_str(), found));
        }
        let Some((counts, numbered)) = counts else {
            let reason = format!(
                "a MAT file needs the names of variables (from:X,y); expected {}",
                expected()
            );
            return Err(Error::invalid("columns", reason));
        };
        Ok(Self {
            counts,
            parts,
            numbered,
        })
    }

    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        if self.numbered {
            names.push("cell".to_string());
        }
        for (name, parts) in &self.parts {
            let name = shorten(name);
            match parts[0].columns {
                1 => names.push(name),
                columns => names.extend((1..=columns).map(|column| format!("{name} {column}"))),
            }
        }
        names
    }
}

impl<'a> Sheet<'a> {
    pub(super) fn text(bytes: &'a [u8], reading: &'a Dialect) -> Result<Self> {
        let mut records = Records::after(bytes, reading.separator.byte(), reading.skip)?;
        let Some((line, record)) = records.next()? else {
            return Err(Error::line(1, "the end of the file", "rows of a table"));
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

    pub(super) fn cells(variables: &'a [Variable], reading: &Dialect) -> Result<Self> {
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
            source: Source::Cells { blocks },
        })
    }

    /// What its rows are called in messages.
    pub(super) fn unit(&self) -> &'static str {
        match self.source {
            Source::Text { .. } => "line",
            Source::Cells { .. } => "row",
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
            Source::Cells { blocks } => {
                let mut numbers = Vec::new();
                let mut line = 0;
                for (block, count) in blocks.counts.iter().enumerate() {
                    for row in 0..*count {
                        line += 1;
                        numbers.clear();
                        if blocks.numbered {
                            numbers.push(block as f64 + 1.0);
                        }
                        for (_, parts) in &blocks.parts {
                            let part = &parts[block];
                            numbers.extend((0..part.columns).map(|c| part.values[c * count + row]));
                        }
                        take(Row {
                            line,
                            cells: Cells::Numbers(&numbers),
                        })?;
                    }
                }
            }
        }
        Ok(())
    }
}
