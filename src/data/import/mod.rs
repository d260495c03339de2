//! A user's own file. [`inspect`] shows what is in it, with a guess of what each column is; [`read_mapped`]
//! reads it with a [`mapping`], [`read_file`] where its columns are named as ours are. Not here:
//! file formats (`formats`), opening files.

use serde::Serialize;

use super::formats::csv::{Records, Table};
use super::formats::{matlab, matlab_tasks};
use super::{DataSet, MAX_FEATURES, MAX_FILE_BYTES, MAX_TASKS, MAX_VALUES, ending_of, sha256_hex};
use crate::{Error, Result};

mod collect;
mod column;
mod dialect;
mod guess;
pub mod mapping;
mod sheet;
mod summary;
#[cfg(test)]
mod tests;

pub use column::{Column, ColumnKind, OutlierCell};
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

fn is_mat(name: &str, bytes: &[u8]) -> Result<bool> {
    match ending_of(name, bytes)?.as_str() {
        "mat" => Ok(true),
        "csv" | "tsv" | "txt" => Ok(false),
        _ => Err(Error::field(
            "dataset",
            name,
            "a file whose name ends in .csv, .tsv, .txt or .mat",
        )),
    }
}

/// The columns and first rows of a file, and a guess of what each column is. `reading` sets the
/// dialect; without it, the dialect is detected.
///
/// # Errors
/// A file that is no table: too large, not UTF-8, nothing in it, no matrix in it.
pub fn inspect(name: &str, bytes: &[u8], reading: Option<&Dialect>) -> Result<Preview> {
    if is_mat(name, bytes)? {
        let variables = matlab::read(bytes)?;
        let choices: Vec<Vec<String>> = sheet::choices(&variables)
            .into_iter()
            .map(|(names, _, _)| names)
            .collect();
        let first = Dialect {
            variables: choices.first().cloned().unwrap_or_default(),
            ..Dialect::default()
        };
        let reading = reading.unwrap_or(&first);
        let sheet = Sheet::cells(&variables, reading)?;
        return summary::summarise(&sheet, reading, choices, false);
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(Error::line(
            1,
            "text in UTF-16",
            "a file that is saved as CSV UTF-8",
        ));
    }
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
    if is_mat(name, bytes)? {
        let variables = matlab::read(bytes)?;
        let sheet = Sheet::cells(&variables, &mapping.reading)?;
        return collect::collect(&sheet, name, bytes, mapping);
    }
    if !mapping.reading.variables.is_empty() {
        return Err(Error::invalid("columns", "`from` applies only to MAT files").into());
    }
    collect::collect(&Sheet::text(bytes, &mapping.reading)?, name, bytes, mapping)
}

/// Reads a user's own file by the ending of its name: `.csv` (see `csv`) or `.mat`.
///
/// A MAT file holds either cells `feature` and `label` (one n x d matrix and n labels a task)
/// or matrices `X` (n x d) and `Y` (n x m: all tasks share the points). Labels that are all -1 or 1,
/// or all 0 or 1, make a classification. The SHA-256 is that of the file.
///
/// # Errors
/// With line, byte offset or the variables found, and what was expected.
pub fn read_file(name: &str, bytes: &[u8]) -> Result<DataSet> {
    match ending_of(name, bytes)?.as_str() {
        "csv" => Table::read(bytes)?.into_data_set(name, bytes),
        "mat" => {
            let mut data = matlab_tasks::data_set(name, &matlab::read(bytes)?)?;
            data.sha256 = sha256_hex(bytes);
            Ok(data)
        }
        _ => Err(Error::field(
            "dataset",
            name,
            "a file whose name ends in .csv or .mat",
        )),
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
