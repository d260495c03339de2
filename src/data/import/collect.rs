//! From the rows of a table to a data set, by a mapping. Not here: the table (`sheet`), the mapping,
//! the form of the tasks (`tasks`).

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use super::mapping::{Mapping, Separator, TestColumn, Thousands, escape};
use super::number::{self, Evidence, Style};
use super::sheet::{Cells, Row, Sheet};
use super::tasks::{self, Gathered};
use super::warnings::Watch;
use super::{ImportError, ImportResult};
use crate::data::formats::csv::{Split, Table, shorten};
use crate::data::{DataSet, Kind, MAX_MAGNITUDE, MAX_TASKS, MAX_VALUES, sha256_hex};
use crate::warning::{LeftOut, Warning, WarningCode};
use crate::{Error, Result};

pub(super) type Checked<T> = std::result::Result<T, ImportError>;

/// Names in a list for people.
const SHOWN: usize = 5;
/// A regression on so few different labels may be meant as a classification.
const FEW_LABELS: usize = 5;

/// Stands for a label that a row does not have, until the tasks are made.
pub(super) const NO_LABEL: f64 = f64::NAN;

pub(super) fn collect(
    sheet: &Sheet<'_>,
    name: &str,
    bytes: &[u8],
    mapping: &Mapping,
) -> Checked<ImportResult> {
    mapping.check(sheet.names.len())?;
    let mut collector = Collector::new(sheet, mapping);
    sheet.rows(|row| collector.row(&row))?;
    collector.finish(name, bytes)
}

/// What has been read so far.
struct Collector<'a> {
    reader: Reader<'a>,
    mapping: &'a Mapping,
    /// Columns that every row must fill.
    needed: Vec<usize>,
    /// Labels are not in tasks of their own: several columns, or classes.
    shared: bool,
    table: Table,
    index: HashMap<String, usize>,
    features: Vec<f64>,
    labels: Vec<Vec<f64>>,
    splits: Vec<Split>,
    rows: usize,
    values: usize,
    /// By column: rows that were left out because it has no value, and the first of them.
    no_value: Vec<(usize, u64)>,
    dropped: usize,
    comments: usize,
    /// By word of the split column.
    words: Vec<(String, usize)>,
    /// Tasks of rows that were left out.
    touched: BTreeSet<String>,
    watches: Vec<Watch>,
    /// Different labels, as long as they are few.
    values_of_label: Vec<f64>,
}

impl<'a> Collector<'a> {
    fn new(sheet: &'a Sheet<'_>, mapping: &'a Mapping) -> Self {
        let several = mapping.labels.len() > 1;
        let split = mapping.split.as_ref().map(|split| split.column);
        let labels: &[usize] = if several && !mapping.legacy {
            &[]
        } else {
            &mapping.labels
        };
        let needed = (labels.iter().chain(&mapping.features).copied())
            .chain(mapping.task)
            .chain(split);
        Self {
            reader: Reader {
                names: &sheet.names,
                mapping,
                unit: sheet.unit(),
            },
            mapping,
            needed: needed.collect(),
            shared: several || mapping.is_one_against_the_rest(),
            table: Table {
                features: mapping.features.len(),
                tasks: Vec::new(),
                has_split: mapping.split.is_some(),
            },
            index: HashMap::new(),
            features: Vec::new(),
            labels: vec![Vec::new(); mapping.labels.len()],
            splits: Vec::new(),
            rows: 0,
            values: 0,
            no_value: vec![(0, 0); sheet.names.len()],
            dropped: 0,
            comments: 0,
            words: Vec::new(),
            touched: BTreeSet::new(),
            watches: vec![Watch::new(); mapping.features.len() + mapping.labels.len()],
            values_of_label: Vec::new(),
        }
    }

    fn row(&mut self, row: &Row<'_>) -> Checked<()> {
        if self.is_comment(row)? {
            self.comments += 1;
            return Ok(());
        }
        self.rows += 1;
        if let Some(split) = &self.mapping.split {
            let word = row.text(split.column)?;
            let is_left = split.leave.iter().any(|leave| **leave == *word);
            self.count_word(&word);
            if is_left {
                return Ok(());
            }
        }
        if self.lacks_a_value(row)? {
            return Ok(());
        }
        self.values += self.mapping.features.len() + self.mapping.labels.len();
        if self.values > MAX_VALUES {
            let expected = format!("at most {MAX_VALUES} numbers in a file");
            return Err(row.error("too many numbers", expected).into());
        }
        let split = match &self.mapping.split {
            None => None,
            Some(split) => Some(self.reader.split(row, split)?),
        };
        if self.shared {
            self.push_shared(row, split)
        } else {
            self.push(row, split)
        }
    }

    /// A row of another width is an error, unless it is a comment.
    fn is_comment(&self, row: &Row<'_>) -> Checked<bool> {
        let width = self.reader.names.len();
        if row.has_width(width) {
            return Ok(false);
        }
        if row.is_comment(width) {
            return Ok(true);
        }
        let Cells::Text { record, .. } = row.cells else {
            return Ok(false);
        };
        let expected = format!("{width} columns as in the first row");
        let found = format!("{} columns", record.len());
        Err(row.error(found, expected).into())
    }

    fn count_word(&mut self, word: &str) {
        if let Some((_, count)) = self.words.iter_mut().find(|(other, _)| other == word) {
            *count += 1;
        } else if self.words.len() < SHOWN * 4 {
            self.words.push((word.to_string(), 1));
        }
    }

    /// Whether the row is left out because a cell has no value.
    fn lacks_a_value(&mut self, row: &Row<'_>) -> Checked<bool> {
        for column in &self.needed {
            if !self.reader.is_missing(row, *column)? {
                continue;
            }
            if !self.mapping.drop_missing {
                return Err(self.reader.no_value(row, *column)?);
            }
            self.dropped += 1;
            let (count, line) = &mut self.no_value[*column];
            *count += 1;
            if *count == 1 {
                *line = row.line;
            }
            if let Some(task) = self.mapping.task
                && task != *column
                && self.touched.len() < MAX_TASKS
            {
                self.touched.insert(row.text(task)?.into_owned());
            }
            return Ok(true);
        }
        if self.shared && !self.mapping.legacy {
            for column in &self.mapping.labels {
                if !self.reader.is_missing(row, *column)? {
                    return Ok(false);
                }
            }
            // No label at all.
            let column = self.mapping.labels[0];
            self.dropped += 1;
            let (count, line) = &mut self.no_value[column];
            *count += 1;
            if *count == 1 {
                *line = row.line;
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn push_shared(&mut self, row: &Row<'_>, split: Option<Split>) -> Checked<()> {
        let watched = self.mapping.features.len();
        for (at, column) in self.mapping.labels.iter().enumerate() {
            if !self.mapping.legacy && self.reader.is_missing(row, *column)? {
                self.labels[at].push(NO_LABEL);
                continue;
            }
            let label = self.reader.label(row, *column)?;
            self.watches[watched + at].add(row.line, label);
            self.labels[at].push(label);
        }
        for (at, column) in self.mapping.features.iter().enumerate() {
            let value = self.reader.number(row, *column)?;
            self.watches[at].add(row.line, value);
            self.features.push(value);
        }
        self.splits.extend(split);
        Ok(())
    }

    fn push(&mut self, row: &Row<'_>, split: Option<Split>) -> Checked<()> {
        let [column] = self.mapping.labels[..] else {
            unreachable!("a checked mapping has a label, and here not several");
        };
        let label = self.reader.label(row, column)?;
        let task_name = match self.mapping.task {
            Some(column) => row.text(column)?,
            None => Cow::Borrowed(self.reader.names[column].as_str()),
        };
        let task =
            (self.table.task(&task_name, &mut self.index)).map_err(|(found, expected)| {
                let question = match self.mapping.task {
                    Some(column) => format!(
                        "{expected} (is {} really the task?)",
                        self.reader.title(column)
                    ),
                    None => expected,
                };
                ImportError {
                    error: row.error(found, question),
                    column: self.mapping.task,
                }
            })?;
        for (at, column) in self.mapping.features.iter().enumerate() {
            let value = self.reader.number(row, *column)?;
            self.watches[at].add(row.line, value);
            task.points.features.push(value);
        }
        self.watches[self.mapping.features.len()].add(row.line, label);
        if self.values_of_label.len() <= FEW_LABELS && !self.values_of_label.contains(&label) {
            self.values_of_label.push(label);
        }
        task.points.labels.push(label);
        task.splits.extend(split);
        Ok(())
    }

    fn finish(mut self, name: &str, bytes: &[u8]) -> Checked<ImportResult> {
        let kept = if self.shared {
            self.labels.first().map_or(0, Vec::len)
        } else {
            self.table.tasks.len()
        };
        if kept == 0 {
            let left = self.rows - self.dropped;
            let what = match (self.dropped, left) {
                (0, 0) => "no row below the header".to_string(),
                (dropped, 0) => format!("all {dropped} rows have missing values"),
                (dropped, left) => format!(
                    "{dropped} rows have missing values and {left} are left out by their split"
                ),
            };
            return Err(Error::data(format!("{name}: {what}; expected at least one point")).into());
        }
        let kind = match self.mapping.classes {
            Some(_) => Kind::Classification,
            None => Kind::Regression,
        };
        let mut left_out = Vec::new();
        let mut warnings = Vec::new();
        self.left_out_rows(&mut left_out, &mut warnings);
        self.split_words(&mut warnings);
        self.watched(&mut warnings);
        let gathered = if self.shared {
            let names = self.task_names();
            let labels = std::mem::take(&mut self.labels);
            let labels = match &self.mapping.classes {
                Some(classes) if classes.len() > 2 => {
                    tasks::one_against_the_rest(&labels[0], classes.len())
                }
                _ => labels,
            };
            let features = std::mem::take(&mut self.features);
            tasks::share(name, names, self.mapping, features, labels, &self.splits)?
        } else {
            self.table.sort_numerically();
            let has_split = self.table.has_split;
            Gathered::separate(std::mem::take(&mut self.table.tasks), has_split)
        };
        let gathered = if self.mapping.legacy {
            gathered
        } else {
            let title = self.mapping.task.map(|column| self.reader.title(column));
            let vanished = self.vanished(&gathered);
            let found = tasks::usable(gathered, title.as_deref(), vanished, true);
            let found = found.map_err(|error| ImportError {
                error,
                column: self.mapping.task,
            })?;
            left_out.extend(found.left_out);
            warnings.extend(found.warnings);
            found.gathered
        };
        let mut data = DataSet::new(
            name,
            kind,
            self.mapping.features.len(),
            gathered.names,
            gathered.layout,
        )?;
        data.feature_names = (self.mapping.features.iter())
            .map(|column| self.reader.names[*column].clone())
            .collect();
        data.sha256 = sha256_hex(bytes);
        data.columns = Some(self.mapping.to_string());
        data.warnings = warnings;
        data.left_out = left_out;
        Ok(ImportResult {
            data,
            mapping: Some(self.mapping.clone()),
            column_names: self.reader.names.to_vec(),
            rows: self.rows,
            dropped: self.dropped,
        })
    }

    fn task_names(&self) -> Vec<String> {
        match &self.mapping.classes {
            Some(classes) if classes.len() > 2 => classes.clone(),
            _ => {
                let names = self.mapping.labels.iter();
                names.map(|at| self.reader.names[*at].clone()).collect()
            }
        }
    }

    /// Tasks none of whose rows has all values.
    fn vanished(&self, gathered: &Gathered) -> Vec<String> {
        let is_lost = |name: &&String| !gathered.names.contains(name);
        self.touched.iter().filter(is_lost).cloned().collect()
    }

    fn left_out_rows(&self, left_out: &mut Vec<LeftOut>, warnings: &mut Vec<Warning>) {
        let mut parts = Vec::new();
        for (column, (count, line)) in self.no_value.iter().enumerate() {
            if *count > 0 {
                let name = &self.reader.names[column];
                let several = self.shared && self.mapping.labels[0] == column;
                let reason = if several && self.mapping.labels.len() > 1 && !self.mapping.legacy {
                    "no label".to_string()
                } else {
                    format!("no value in `{name}`")
                };
                parts.push(format!(
                    "{reason} ({count}, first {} {line})",
                    self.reader.unit
                ));
                left_out.push(LeftOut {
                    what: "row",
                    names: vec![format!("{} {line}", self.reader.unit)],
                    count: *count,
                    reason,
                });
            }
        }
        if self.dropped > 0 {
            let text = format!(
                "{} of {} rows were left out: {}.",
                self.dropped,
                self.rows,
                list(&parts, SHOWN)
            );
            warnings.push(Warning::new(WarningCode::LeftOut, text));
        }
        if self.comments > 0 {
            left_out.push(LeftOut {
                what: "row",
                names: Vec::new(),
                count: self.comments,
                reason: "a comment".to_string(),
            });
        }
        if self.reader.unit == "line" && self.mapping.reading.skip > 0 {
            left_out.push(LeftOut {
                what: "row",
                names: Vec::new(),
                count: self.mapping.reading.skip,
                reason: "before the table".to_string(),
            });
        }
    }

    /// Rows that are neither called training nor test.
    fn split_words(&self, warnings: &mut Vec<Warning>) {
        const TRAINING: [&str; 12] = [
            "train", "training", "trn", "tr", "fit", "learn", "0", "1", "false", "true", "no",
            "yes",
        ];
        let Some(split) = &self.mapping.split else {
            return;
        };
        let title = self.reader.title(split.column);
        let mut others = Vec::new();
        for (word, count) in &self.words {
            let is_training = TRAINING.contains(&word.to_lowercase().as_str());
            if split.leave.contains(word) {
                let text = format!(
                    "{count} rows with `{}` in {title} were left out.",
                    shorten(word)
                );
                warnings.push(Warning::new(WarningCode::LeftOut, text));
            } else if *word != split.test && !is_training && !word.is_empty() {
                others.push((word, count));
            }
        }
        // One word besides that for test means training, whatever it is.
        if others.len() + usize::from(self.words.len() > others.len() + 1) < 2 {
            return;
        }
        for (word, count) in others {
            let mut with = self.mapping.clone();
            if let Some(split) = &mut with.split {
                split.leave.push(word.clone());
            }
            let text = with.to_string();
            let part = text.split(';').find(|part| part.starts_with("split:"));
            let text = format!(
                "{count} rows with `{}` in {title} are training points. To leave them out: {}",
                shorten(word),
                part.unwrap_or_default()
            );
            warnings.push(Warning::new(WarningCode::Interpreted, text));
        }
    }

    fn watched(&self, warnings: &mut Vec<Warning>) {
        let columns = self.mapping.features.iter().chain(&self.mapping.labels);
        for (at, column) in columns.enumerate() {
            let is_feature = at < self.mapping.features.len();
            if is_feature || self.mapping.classes.is_none() {
                let name = &self.reader.names[*column];
                warnings.extend(self.watches[at].warnings(name, self.reader.unit, is_feature));
            }
        }
        let labels = &self.values_of_label;
        let is_whole = labels.iter().all(|label| label.fract() == 0.0);
        if self.mapping.classes.is_none()
            && (2..=FEW_LABELS).contains(&labels.len())
            && is_whole
            && self.rows >= 4 * labels.len()
        {
            let mut labels = labels.clone();
            labels.sort_by(f64::total_cmp);
            let words: Vec<String> = labels.iter().map(ToString::to_string).collect();
            let text = format!(
                "`{}` has only the values {} and is read as a number (regression). If they are \
                 classes: class:{}",
                self.reader.names[self.mapping.labels[0]],
                words.join(", "),
                words.join(",")
            );
            warnings.push(Warning::new(WarningCode::Interpreted, text));
        }
    }
}

/// The first of some names, and how many more there are.
pub(super) fn list(names: &[String], shown: usize) -> String {
    let mut text = names
        .iter()
        .take(shown)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > shown {
        text.push_str(&format!(" and {} more", names.len() - shown));
    }
    text
}

/// Reads cells by a mapping.
struct Reader<'a> {
    names: &'a [String],
    mapping: &'a Mapping,
    /// What rows are called in messages.
    unit: &'static str,
}

impl Reader<'_> {
    fn title(&self, column: usize) -> String {
        format!("`{}` (column {})", self.names[column], column + 1)
    }

    /// Whether a cell has no value. A class may be called `-` or `none`.
    fn is_missing(&self, row: &Row<'_>, column: usize) -> Result<bool> {
        let missing = row.is_missing(column, self.mapping.missing_words(column))?;
        if missing
            && !self.mapping.legacy
            && self.mapping.labels.contains(&column)
            && let Some(classes) = &self.mapping.classes
        {
            let text = row.text(column)?;
            return Ok(!classes.iter().any(|class| **class == *text));
        }
        Ok(missing)
    }

    /// The error of a cell that has no value.
    fn no_value(&self, row: &Row<'_>, column: usize) -> Result<ImportError> {
        let text = row.text(column)?;
        let what = match &*text {
            "" | "NaN" => format!("{} has no value", self.title(column)),
            word => format!(
                "{} is `{}`, which means a missing value",
                self.title(column),
                shorten(word)
            ),
        };
        let expected = "a value (to leave rows with missing values out: missing:drop)";
        Ok(ImportError::of(row.error(what, expected), column))
    }

    fn number(&self, row: &Row<'_>, column: usize) -> Checked<f64> {
        if let Some(number) = row.number(column)? {
            return Ok(number);
        }
        let text = row.text(column)?;
        let style = self.mapping.reading.style(column);
        let is_label = self.mapping.labels.contains(&column);
        let expected = self.expected(&text, style, is_label);
        let found = format!("{} is `{}`", self.title(column), shorten(&text));
        Err(ImportError::of(row.error(found, expected), column))
    }

    /// What a cell should be instead, and how to read it as it is.
    fn expected(&self, text: &str, style: Style, is_label: bool) -> String {
        let sign = if style.decimal_comma {
            "comma"
        } else {
            "point"
        };
        let other = if style.decimal_comma {
            "point"
        } else {
            "comma"
        };
        if let Some(evidence) = Evidence::of(text) {
            let with_comma = if style.decimal_comma {
                ""
            } else {
                "decimal:comma;"
            };
            if let Some(thousands) = evidence.thousands {
                let decimal = match evidence.decimal_comma {
                    Some(true) => with_comma,
                    _ if thousands == Thousands::Point => with_comma,
                    _ => "",
                };
                return format!(
                    "a number without thousands separators (to read them: {decimal}thousands:{})",
                    thousands.word()
                );
            }
            if evidence.ambiguous == Some(true) && !style.decimal_comma {
                let joined = text.replace(',', "");
                if self.mapping.reading.separator == Separator::Comma {
                    return format!(
                        "a number without thousands separators (to read it as {joined}: \
                         thousands:comma)"
                    );
                }
                return format!(
                    "a number with a decimal point (to read it as {joined}: thousands:comma; as {}: \
                     decimal:comma)",
                    text.replace(',', ".")
                );
            }
            if evidence.ambiguous.is_some() || evidence.decimal_comma.is_some() {
                let part = match (style.decimal_comma, evidence.ambiguous) {
                    (true, Some(_)) => "thousands:point, or no decimal:comma".to_string(),
                    (true, None) => "no decimal:comma, or decimal:comma,2-3 for some".to_string(),
                    _ => "decimal:comma, or decimal:comma,2-3 for some".to_string(),
                };
                return format!(
                    "a number with a decimal {sign} (a decimal {other}: {part} of the columns)"
                );
            }
        }
        let usable = format!("a finite number of at most {MAX_MAGNITUDE:e}");
        let number = text.parse::<f64>();
        if number.as_ref().is_ok_and(|number| number.is_finite()) {
            return usable;
        }
        if is_label && number.is_err() {
            return "a number, or a classification by words (class:no,yes)".to_string();
        }
        format!(
            "{usable} (if it means a missing value: missing:drop,{})",
            escape(&shorten(text))
        )
    }

    /// -1 or 1 of two classes, else the number of the class, or the number that stands there.
    fn label(&self, row: &Row<'_>, column: usize) -> Checked<f64> {
        let Some(classes) = &self.mapping.classes else {
            return self.number(row, column);
        };
        let text = row.text(column)?;
        // 1 and 1.0 are one class.
        let style = self.mapping.reading.style(column);
        let found = classes.iter().position(|word| **word == *text).or_else(|| {
            let number = number::read(&text, style)?;
            classes
                .iter()
                .position(|word| number::read(word, style) == Some(number))
        });
        match found {
            Some(at) if classes.len() > 2 => Ok(at as f64),
            Some(0) => Ok(-1.0),
            Some(_) => Ok(1.0),
            None => {
                let found = format!("{} is `{}`", self.title(column), shorten(&text));
                let words: Vec<String> = classes
                    .iter()
                    .map(|word| format!("`{}`", shorten(word)))
                    .collect();
                let expected = match &words[..] {
                    [low, high] => format!("{low} or {high}"),
                    _ => format!("one of {}", list(&words, 20)),
                };
                Err(ImportError::of(row.error(found, expected), column))
            }
        }
    }

    /// Every word but the test word means training. A word that differs from it in case only is an
    /// error: it probably means test.
    fn split(&self, row: &Row<'_>, split: &TestColumn) -> Checked<Split> {
        let TestColumn { column, test, .. } = split;
        let text = row.text(*column)?;
        if *text == **test {
            return Ok(Split::Test);
        }
        if text.to_lowercase() != test.to_lowercase() {
            return Ok(Split::Train);
        }
        let found = format!("{} is `{}`", self.title(*column), shorten(&text));
        let expected = format!(
            "exactly `{}` for test points, or a different word",
            shorten(test)
        );
        Err(ImportError::of(row.error(found, expected), *column))
    }
}
