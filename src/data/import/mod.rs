//! A user's own file. [`inspect`] shows what is in it, with a guess of what each column is; [`open`] reads
//! it by our names or by a guess that is sure, [`read_mapped`] with a [`mapping`], [`read_file`] where its
//! columns are named as ours are. Not here: file formats (`formats`), opening files.

use serde::Serialize;

use super::formats::csv::{Table, shorten};
use super::formats::matlab_tasks;
use super::formats::variable::Variable;
use super::{DataSet, Layout, MAX_FEATURES, MAX_FILE_BYTES, MAX_TASKS, MAX_VALUES, sha256_hex};
use crate::warning::{Warning, WarningCode};
use crate::{Error, Result};

mod collect;
mod column;
mod dialect;
mod format;
mod guess;
pub mod mapping;
mod missing;
mod number;
mod sheet;
mod summary;
mod tasks;
#[cfg(test)]
mod tests;
mod variables;
mod warnings;

pub use column::{Column, ColumnKind, OutlierCell};
use format::Content;
pub use format::ENDINGS;
use mapping::{Dialect, Mapping, Separator};
use sheet::Sheet;
use summary::Survey;
pub use summary::{Preview, Summary, TaskSummary};

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
    /// The mapping that read it; none: its columns are named as ours are.
    pub mapping: Option<Mapping>,
    /// One name a column of the file; empty where its columns are named as ours are.
    pub column_names: Vec<String>,
    /// All rows but the header.
    pub rows: usize,
    /// How many of them were left out because they lack a value.
    pub dropped: usize,
}

impl ImportResult {
    /// What each column is, in a line for people.
    pub fn roles(&self) -> String {
        let Some(mapping) = &self.mapping else {
            return String::new();
        };
        let names = |columns: &[usize], shown: usize| {
            let names: Vec<String> = columns
                .iter()
                .map(|at| shorten(self.column_names.get(*at).map_or("", String::as_str)))
                .collect();
            collect::list(&names, shown)
        };
        let mut parts = Vec::new();
        if let Some(task) = mapping.task {
            parts.push(format!("task = {}", names(&[task], 1)));
        }
        parts.push(format!("label = {}", names(&mapping.labels, 8)));
        if let Some(split) = &mapping.split {
            let test = shorten(&split.test);
            parts.push(format!(
                "split = {} (test: {test})",
                names(&[split.column], 1)
            ));
        }
        if let Some(classes) = &mapping.classes {
            let words: Vec<String> = classes.iter().map(|word| shorten(word)).collect();
            parts.push(match classes.len() {
                2 => format!("classes = {} (\u{2212}1), {} (+1)", words[0], words[1]),
                _ => format!(
                    "classes, one against the rest = {}",
                    collect::list(&words, 8)
                ),
            });
        }
        parts.push(format!("features = {}", names(&mapping.features, 8)));
        parts.join(", ")
    }
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

type Made = std::result::Result<ImportResult, ImportError>;

/// A file as it looks, and what the guess or our names make of it.
struct Look {
    preview: Preview,
    made: Made,
    /// What the guess put before what was read: entries of `left_out`, and the warnings from one to another.
    added: (usize, std::ops::Range<usize>),
}

/// The columns and first rows of a file, and a guess of what each column is. `reading` sets the
/// dialect; without it, the dialect is detected.
///
/// # Errors
/// A file that is no table: too large, not UTF-8, nothing in it, no matrix in it.
pub fn inspect(name: &str, bytes: &[u8], reading: Option<&Dialect>) -> Result<Preview> {
    look(name, bytes, reading).map(|look| look.preview)
}

/// As `inspect`, with what [`read_with`] makes of the file by the guess, or by our names where the file needs
/// no mapping: to look at a file has to read it. None where it cannot be read so.
///
/// # Errors
/// As `inspect`.
pub fn inspect_and_read(
    name: &str,
    bytes: &[u8],
    reading: Option<&Dialect>,
) -> Result<(Preview, Option<ImportResult>)> {
    let Look {
        preview,
        made,
        added: (left_out, warnings),
    } = look(name, bytes, reading)?;
    let made = made.ok().map(|mut made| {
        if !preview.has_our_names {
            made.data.left_out.drain(..left_out);
            made.data.warnings.drain(warnings);
        }
        made
    });
    Ok((preview, made))
}

fn look(name: &str, bytes: &[u8], reading: Option<&Dialect>) -> Result<Look> {
    let (text, encoding) = match format::read(name, bytes)? {
        Content::Text(text, encoding) => (text, encoding),
        Content::Grid(grid) => {
            let reading = reading.cloned().unwrap_or_default();
            let sheet = Sheet::grid(&grid);
            let survey = summary::survey(&sheet, &reading)?;
            let made = by_guess(&sheet, &survey, name, bytes);
            let added = survey.added(0);
            let preview = survey.preview(Vec::new(), false, &made);
            return Ok(Look {
                preview,
                made,
                added,
            });
        }
        Content::Variables(variables) => return look_at(name, bytes, &variables, reading),
    };
    let file = bytes;
    let bytes = &text[..];
    let (dialect, detected) = match reading {
        Some(reading) => (reading.clone(), None),
        None => {
            let detected = dialect::detect_dialect(bytes)?;
            (
                detected.dialect,
                Some((detected.questions, detected.skipped)),
            )
        }
    };
    let sheet = Sheet::text(bytes, &dialect)?;
    let mut survey = summary::survey(&sheet, &dialect)?;
    if let Some((questions, skipped)) = detected {
        survey.guess.questions.splice(0..0, questions);
        if let Some(skipped) = skipped {
            survey.guess.warnings.push(Warning::new(
                WarningCode::Interpreted,
                match dialect.skip {
                    1 => format!("Line 1 (`{skipped}`) was skipped: the table begins after it."),
                    lines => format!(
                        "The first {lines} lines (`{skipped}`) were skipped: the table begins after \
                         them."
                    ),
                },
            ));
        }
    }
    let read = usize::from(encoding.is_some());
    survey.guess.warnings.splice(0..0, encoding);
    let has_our_names = needs_no_mapping(bytes, &dialect, &survey);
    let made = if has_our_names {
        read_strictly(name, file, Some(&survey)).map_err(ImportError::from)
    } else {
        by_guess(&sheet, &survey, name, file)
    };
    let added = survey.added(read);
    let preview = survey.preview(Vec::new(), has_our_names, &made);
    Ok(Look {
        preview,
        made,
        added,
    })
}

/// The same of the variables of a file.
fn look_at(
    name: &str,
    bytes: &[u8],
    variables: &[Variable],
    reading: Option<&Dialect>,
) -> Result<Look> {
    let reading = match reading {
        Some(reading) => reading.clone(),
        None => Dialect {
            variables: variables::best_choice(variables)?,
            ..Dialect::default()
        },
    };
    let sheet = Sheet::variables(variables, &reading)?;
    let survey = summary::survey(&sheet, &reading)?;
    let is_ours = is_ours(variables, &reading.variables);
    let made = if is_ours {
        read_strictly(name, bytes, None).map_err(ImportError::from)
    } else {
        by_guess(&sheet, &survey, name, bytes).map(|made| with_rest(made, variables, &reading))
    };
    let added = survey.added(0);
    let preview = survey.preview(variables::choices(variables), is_ours, &made);
    Ok(Look {
        preview,
        made,
        added,
    })
}

/// Do these variables need no mapping? They are the two of a known layout, and no other one has a role
/// in the file.
fn is_ours(variables: &[Variable], chosen: &[String]) -> bool {
    let used = matlab_tasks::used(variables);
    let is_chosen = |name: &&str| chosen.iter().any(|chosen| chosen == name);
    used.is_some_and(|used| chosen.len() == 2 && used.iter().all(is_chosen))
}

/// The same with the variables that are not used.
fn with_rest(mut made: ImportResult, variables: &[Variable], reading: &Dialect) -> ImportResult {
    let (left_out, warning) = variables::not_used(variables, &reading.variables);
    made.data.left_out.extend(left_out);
    made.data.warnings.extend(warning);
    made
}

/// Our names in the header, and labels that are numbers and not just two others than ours.
fn needs_no_mapping(bytes: &[u8], dialect: &Dialect, survey: &Survey) -> bool {
    if dialect.separator != Separator::Comma || !Table::is_ours(bytes) {
        return false;
    }
    // A poisoned table is refused as such.
    let is_poisoned = |column: &Column| {
        column.name.eq_ignore_ascii_case("split")
            && column.words.iter().any(|(word, _)| word == "injected")
    };
    if survey.columns.iter().any(is_poisoned) {
        return true;
    }
    let is_label = |column: &&Column| column.name.eq_ignore_ascii_case("label");
    let Some(label) = survey.columns.iter().find(is_label) else {
        return false;
    };
    if label.kind != ColumnKind::Number || label.first_word.is_some() {
        // Words; or nothing at all, which has no guess either.
        return label.kind == ColumnKind::Empty;
    }
    let numbers: Option<Vec<f64>> = (label.words.iter())
        .map(|(word, _)| word.parse().ok())
        .collect();
    let Some(mut numbers) = numbers else {
        // TRUE and FALSE.
        return false;
    };
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    let is_ours = |low: f64| numbers == [low, 1.0];
    let are_two_others = numbers.len() == 2 && !is_ours(-1.0) && !is_ours(0.0);
    !are_two_others || survey.guess.mapping.classes.is_none()
}

/// What the guess makes of a file; the columns that it does not use are named.
fn by_guess(sheet: &Sheet<'_>, survey: &Survey, name: &str, bytes: &[u8]) -> Made {
    let mut made = collect::collect(sheet, name, bytes, &survey.guess.mapping)?;
    let data = &mut made.data;
    data.left_out.splice(0..0, survey.guess.left_out.clone());
    data.warnings.splice(0..0, survey.guess.warnings.clone());
    Ok(made)
}

/// Reads a file that a person opens and says nothing about: by our names, or by a guess that is sure.
///
/// # Errors
/// A file that cannot be read; one whose guess is not sure, with the question and the guess.
pub fn open(name: &str, bytes: &[u8]) -> Result<ImportResult> {
    let Look { preview, made, .. } = look(name, bytes, None)?;
    let columns = &preview.guess;
    let is_guess = columns.check(preview.columns.len()).is_ok();
    let with_cure = |text: String| {
        if is_guess {
            format!("{text}\n       To name the columns: --columns '{columns}'")
        } else {
            text
        }
    };
    match (made, preview.question) {
        (Ok(made), None) => Ok(made),
        (Ok(_), Some(question)) => Err(Error::data(with_cure(format!("{name}: {question}")))),
        (Err(refusal), None) if is_guess => Err(Error::data(with_cure(refusal.error.to_string()))),
        (Err(refusal), None) => Err(refusal.error),
        (Err(refusal), Some(question)) => {
            let refusal = refusal.error;
            Err(Error::data(with_cure(format!(
                "{name}: {question} ({refusal})"
            ))))
        }
    }
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
        let made = collect::collect(&sheet, name, bytes, mapping)?;
        return Ok(with_rest(made, variables, &mapping.reading));
    }
    if !mapping.reading.variables.is_empty() {
        let reason = "`from` applies only to MAT files and NumPy files";
        return Err(Error::invalid("columns", reason).into());
    }
    match content {
        Content::Grid(grid) => collect::collect(&Sheet::grid(&grid), name, bytes, mapping),
        Content::Text(text, encoding) => {
            let sheet = Sheet::text(&text, &mapping.reading)?;
            let mut made = collect::collect(&sheet, name, bytes, mapping)?;
            made.data.warnings.splice(0..0, encoding);
            Ok(made)
        }
        Content::Variables(_) => unreachable!("variables were read above"),
    }
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
    own_data(name, bytes, &format::read(name, bytes)?)
}

fn own_data(name: &str, bytes: &[u8], content: &Content<'_>) -> Result<DataSet> {
    match content {
        Content::Text(text, encoding) => {
            let mut data = Table::read(text)?.into_data_set(name, bytes)?;
            data.warnings.splice(0..0, encoding.clone());
            Ok(data)
        }
        Content::Variables(variables) => {
            let mut data = matlab_tasks::data_set(name, variables)?;
            data.sha256 = sha256_hex(bytes);
            let used = matlab_tasks::used(variables).unwrap_or_default();
            let used = used.map(str::to_string);
            let (left_out, warning) = variables::not_used(variables, &used);
            data.left_out.extend(left_out);
            data.warnings.extend(warning);
            Ok(data)
        }
        Content::Grid(grid) => Err(Error::data(format!(
            "{name}: the columns {} need a mapping",
            shorten(&grid.names().join(", "))
        ))),
    }
}

/// Reads a file with or without a mapping; without one by our names only, as `read_file` does, and
/// tasks of a single point are left out.
///
/// # Errors
/// As `read_file`, or with a mapping as `read_mapped`.
pub fn read_with(name: &str, bytes: &[u8], columns: Option<&Mapping>) -> Result<ImportResult> {
    match columns {
        None => read_strictly(name, bytes, None),
        Some(columns) => read_mapped(name, bytes, columns).map_err(|refusal| refusal.error),
    }
}

/// By our names. The survey is that of the file where there is one already.
fn read_strictly(name: &str, bytes: &[u8], survey: Option<&Survey>) -> Result<ImportResult> {
    let content = format::read(name, bytes)?;
    let mut data = own_data(name, bytes, &content)?;
    let rows = data.point_count();
    if let Content::Text(bytes, _) = &content {
        // The same numbers once more, with the lines of those that are odd.
        let reading = Dialect::default();
        let sheet = Sheet::text(bytes, &reading)?;
        let made = match survey {
            Some(survey) => collect::collect(&sheet, name, bytes, &survey.guess.mapping),
            None => {
                let survey = summary::survey(&sheet, &reading)?;
                collect::collect(&sheet, name, bytes, &survey.guess.mapping)
            }
        };
        if let Ok(made) = made {
            let is_odd = |warning: &Warning| {
                matches!(
                    warning.code,
                    WarningCode::MissingCodes
                        | WarningCode::ImplausibleValues
                        | WarningCode::IndexFeature
                        | WarningCode::Interpreted
                )
            };
            data.warnings
                .extend(made.data.warnings.into_iter().filter(is_odd));
        }
    }
    let gathered = tasks::Gathered {
        names: std::mem::take(&mut data.task_names),
        layout: std::mem::replace(
            &mut data.layout,
            Layout::Separate {
                tasks: Vec::new(),
                is_test: None,
            },
        ),
    };
    // A task without test points is kept: the sizes of a specification can override the split.
    let kept = tasks::usable(gathered, Some("`task`"), Vec::new(), false)?;
    data.task_names = kept.gathered.names;
    data.layout = kept.gathered.layout;
    data.warnings.extend(kept.warnings);
    data.left_out.extend(kept.left_out);
    Ok(ImportResult {
        data,
        mapping: None,
        column_names: Vec::new(),
        rows,
        dropped: 0,
    })
}
