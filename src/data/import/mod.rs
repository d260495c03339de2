//! A user's own file. [`inspect`] shows what is in it, with a guess of what each column is; [`read_mapped`]
//! reads it with a [`mapping`], [`read_file`] where its columns are named as ours are. Not here:
//! file formats (`formats`), opening files.

use serde::Serialize;

use super::formats::csv::{self, Records, Table};
use super::formats::matlab_tasks;
use super::formats::variable::Variable;
use super::{DataSet, MAX_FEATURES, MAX_FILE_BYTES, MAX_TASKS, MAX_VALUES, sha256_hex};
use crate::{Error, Result};

mod collect;
mod column;
mod dialect;
mod format;
mod guess;
pub mod mapping;
mod sheet;
mod summary;
#[cfg(test)]
mod tests;
mod variables;

pub use column::{Column, ColumnKind, OutlierCell};
use format::Content;
pub use format::ENDINGS;
use mapping::{Dialect, Mapping, Separator};
use sheet::Sheet;
pub use summary::Preview;

/// The limits of a user's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct FileLimits {
    /// Bytes of the file, and of what a compressed one inflates to.
    pub bytes: usize,
    /// Tasks.
    pub tasks: usize,
    /// Features.
    pub features: usize,
    /// Numbers, features and labels together.
    pub values: usize,
}

/// The limits of a user's file.
pub const LIMITS: FileLimits = FileLimits {
    bytes: MAX_FILE_BYTES,
    tasks: MAX_TASKS,
    features: MAX_FEATURES,
    values: MAX_VALUES,
};

/// What a mapping makes of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportResult {
    /// The data set.
    pub data: DataSet,
    /// All rows but the header.
    pub rows: usize,
    /// How many of them were left out because they lack a value.
    pub dropped: usize,
}

/// Why a mapping does not fit a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// What is wrong, with its line.
    pub error: Error,
    /// The column that it is about.
    pub column: Option<usize>,
}

impl From<Error> for ImportError {
    fn from(error: Error) -> Self {
        Self {
            error,
            column: None,
        }
    }
}

impl ImportError {
    pub(self) fn of(error: Error, column: usize) -> Self {
        Self {
            error,
            column: Some(column),
        }
    }
}

/// The columns and first rows of a file, and a guess of what each column is. `reading` sets the
/// dialect; without it, the dialect is detected.
///
/// # Errors
/// A file that is no table: too large, not UTF-8, nothing in it, no matrix in it.
pub fn inspect(name: &str, bytes: &[u8], reading: Option<&Dialect>) -> Result<Preview> {
    let bytes = match format::read(name, bytes)? {
        Content::Text(bytes) => bytes,
        Content::Grid(grid) => {
            let reading = Dialect::default();
            return summary::summarise(&Sheet::grid(&grid), &reading, Vec::new(), false);
        }
        Content::Variables(variables) => {
            let first = match reading {
                Some(reading) => reading.clone(),
                None => Dialect {
                    variables: variables::best_choice(&variables)?,
                    ..Dialect::default()
                },
            };
            let is_ours = is_ours(&variables, &first.variables);
            let sheet = Sheet::variables(&variables, &first)?;
            return summary::summarise(&sheet, &first, variables::choices(&variables), is_ours);
        }
    };
    let bytes = &bytes[..];
    let dialect = match reading {
        Some(reading) => reading.clone(),
        None => dialect::detect_dialect(bytes)?,
    };
    let has_our_names = dialect.separator == Separator::Comma
        && (Records::new(bytes, b',')?.next()?).is_some_and(|(_, header)| Table::knows(header));
    summary::summarise(
        &Sheet::text(bytes, &dialect)?,
        &dialect,
        Vec::new(),
        has_our_names,
    )
}

/// Reads a file with a mapping. The SHA-256 is that of the file; the text of the mapping goes
/// with the data set.
///
/// # Errors
/// With the line or row and the column: of a row that is short or long, a quote that is not
/// closed, a number that is none, a label that is no class, a word that is that for test but for
/// its case, a value that is missing (unless such rows are dropped), a limit that is passed.
/// Of the field `columns` where the mapping does not fit the file. As `DataSet::new`.
pub fn read_mapped(
    name: &str,
    bytes: &[u8],
    mapping: &Mapping,
) -> std::result::Result<ImportResult, ImportError> {
    let content = format::read(name, bytes)?;
    if let Content::Variables(variables) = &content {
        let sheet = Sheet::variables(variables, &mapping.reading)?;
        let mut made = collect::collect(&sheet, name, bytes, mapping)?;
        let used = &mapping.reading.variables;
        made.data.left_out.extend(variables::not_used(variables, used));
        return Ok(made);
    }
    if !mapping.reading.variables.is_empty() {
        return Err(Error::invalid("columns", "`from` applies only to MAT files and NumPy files").into());
    }
    match &content {
        Content::Grid(grid) => collect::collect(&Sheet::grid(grid), name, bytes, mapping),
        Content::Text(text) => {
            let sheet = Sheet::text(text, &mapping.reading)?;
            collect::collect(&sheet, name, bytes, mapping)
        }
        Content::Variables(_) => unreachable!("variables were read above"),
    }
}

/// Do these variables need no mapping? They are the two of a known layout, and no other one has a role
/// in the file.
fn is_ours(variables: &[Variable], chosen: &[String]) -> bool {
    let used = matlab_tasks::used(variables);
    used.is_some_and(|used| chosen.len() == 2 && used.iter().all(|name| chosen.iter().any(|c| c == name)))
}

/// Reads a user's own file whose columns need no mapping: a text as `csv` describes, or a MAT file.
///
/// A MAT file holds either cells `feature` and `label` (one n x d matrix and n labels a task)
/// or matrices `X` (n x d) and `Y` (n x m: all tasks share the points). Labels that are all -1 or 1,
/// or all 0 or 1, make a classification. The SHA-256 is that of the file.
///
/// # Errors
/// With line, byte offset or the variables found, and what was expected.
pub fn read_file(name: &str, bytes: &[u8]) -> Result<DataSet> {
    match format::read(name, bytes)? {
        Content::Text(text) => Table::read(&text)?.into_data_set(name, bytes),
        Content::Variables(variables) => {
            let mut data = matlab_tasks::data_set(name, &variables)?;
            data.sha256 = sha256_hex(bytes);
            let used = matlab_tasks::used(&variables).unwrap_or_default();
            let used = used.map(str::to_string);
            data.left_out.extend(variables::not_used(&variables, &used));
            Ok(data)
        }
        Content::Grid(grid) => Err(Error::data(format!(
            "{name}: columns {} need a mapping",
            csv::shorten(&grid.names().join(", "))
        ))),
    }
}

/// Reads a file with or without a mapping; without one, no row is left out.
///
/// # Errors
/// As `read_file`, or with a mapping as `read_mapped`.
pub fn read_with(name: &str, bytes: &[u8], columns: Option<&Mapping>) -> Result<ImportResult> {
    match columns {
        None => {
            let data = read_file(name, bytes)?;
            Ok(ImportResult {
                rows: data.point_count(),
                data,
                dropped: 0,
            })
        }
        Some(columns) => read_mapped(name, bytes, columns).map_err(|refusal| refusal.error),
    }
}
