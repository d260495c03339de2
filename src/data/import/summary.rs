//! A summary of a user's file: its columns and its first rows, a guess of what they mean, and what
//! comes of it. Not here: what a column means (`guess`).

use serde::Serialize;

use super::column::{Column, Counter};
use super::guess::{Guess, guess};
use super::mapping::{Dialect, Mapping};
use super::sheet::{Sheet, Source};
use super::{ImportError, ImportResult};
use crate::Result;
use crate::data::formats::csv::shorten;
use crate::data::{DataSet, Kind, Layout};
use crate::warning::{LeftOut, Warning};

/// Rows that a preview shows.
const SHOWN_ROWS: usize = 8;

/// What a file looks like.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Preview {
    /// A CSV file whose header names the columns as ours are named and whose labels need no choice:
    /// it is read without a mapping.
    pub has_our_names: bool,
    /// A text table, whose reading may be changed; otherwise for example a MAT file.
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
    /// The guess, or our names, can be used without asking.
    pub sure: bool,
    /// What to ask otherwise.
    pub question: Option<String>,
    /// Why the file cannot be read by the guess, or by our names.
    pub problem: Option<String>,
    /// The column that the problem is about.
    pub problem_column: Option<usize>,
    /// What comes of the guess, or of our names.
    pub summary: Option<Summary>,
}

/// What a mapping makes of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Summary {
    /// What the labels are.
    pub kind: Kind,
    /// At least one.
    pub tasks: Vec<TaskSummary>,
    /// All tasks have the same points.
    pub shared_points: bool,
    /// Names of the features.
    pub features: Vec<String>,
    /// Words of the classes, those for -1 and +1 or one for each task; empty: a regression, or
    /// classes that are numbers already.
    pub classes: Vec<String>,
    /// All rows but the header.
    pub rows: usize,
    /// What can make a result meaningless.
    pub warnings: Vec<Warning>,
    /// What is not used.
    pub left_out: Vec<LeftOut>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct TaskSummary {
    /// Its name.
    pub name: String,
    /// Its points.
    pub points: usize,
    /// Those that the file marks as test points; none: it marks none.
    pub test: Option<usize>,
    /// Those of class +1; none: a regression.
    pub positive: Option<usize>,
}

impl Summary {
    /// Of what was read.
    pub fn of(made: &ImportResult) -> Self {
        let data = &made.data;
        let classes = made
            .mapping
            .as_ref()
            .and_then(|mapping| mapping.classes.clone());
        Self {
            kind: data.kind,
            tasks: tasks(data),
            shared_points: !matches!(data.layout, Layout::Separate { .. }),
            features: data.feature_names.clone(),
            classes: classes.unwrap_or_default(),
            rows: made.rows,
            warnings: data.warnings.clone(),
            left_out: data.left_out.clone(),
        }
    }
}

fn tasks(data: &DataSet) -> Vec<TaskSummary> {
    let is_classification = data.kind == Kind::Classification;
    let positive = |labels: &[f64]| {
        let count = labels.iter().filter(|label| **label > 0.0).count();
        is_classification.then_some(count)
    };
    let task = |at: usize| {
        let (points, test, positive) = match &data.layout {
            Layout::Separate { tasks, is_test } => {
                let test = (is_test.as_ref())
                    .map(|is_test| is_test[at].iter().filter(|test| **test).count());
                let labels = &tasks[at].labels;
                (labels.len(), test, positive(labels))
            }
            Layout::Shared { labels, .. } => (labels[at].len(), None, positive(&labels[at])),
            Layout::Classes { train, test, .. } => {
                let own = |labels: &[f64]| labels.iter().filter(|l| **l == at as f64).count();
                let all = train.count() + test.count();
                (
                    all,
                    Some(test.count()),
                    Some(own(&train.labels) + own(&test.labels)),
                )
            }
        };
        TaskSummary {
            name: data.task_names[at].clone(),
            points,
            test,
            positive,
        }
    };
    (0..data.task_count()).map(task).collect()
}

/// A file as it was looked at once, and the columns as they seem to be.
pub(super) struct Survey {
    pub(super) columns: Vec<Column>,
    pub(super) guess: Guess,
    rows: Vec<(u64, Vec<String>)>,
    row_count: usize,
    is_text: bool,
}

/// Looks at all rows.
pub(super) fn survey(sheet: &Sheet<'_>, reading: &Dialect) -> Result<Survey> {
    let width = sheet.names.len();
    let mut counters: Vec<Counter> = Vec::new();
    counters.resize_with(width, || Counter::new(width));
    let mut rows = Vec::new();
    let mut row_count = 0;
    sheet.rows(|row| -> Result<()> {
        if row.is_comment(width) {
            return Ok(());
        }
        row_count += 1;
        if rows.len() < SHOWN_ROWS {
            let cells = (0..width).map(|column| Ok(shorten(&row.text(column)?)));
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
    let guess = guess(&columns, row_count, reading);
    Ok(Survey {
        columns,
        guess,
        rows,
        row_count,
        is_text: matches!(sheet.source, Source::Text { .. }),
    })
}

impl Survey {
    /// What the guess adds to what is read: so many entries of `left_out`, and these warnings; the first `read`
    /// of them are of the reading itself.
    pub(super) fn added(&self, read: usize) -> (usize, std::ops::Range<usize>) {
        let Guess {
            left_out, warnings, ..
        } = &self.guess;
        (left_out.len(), read..warnings.len())
    }

    /// With what was made of the file, by the guess or by our names.
    pub(super) fn preview(
        self,
        choices: Vec<Vec<String>>,
        has_our_names: bool,
        made: &std::result::Result<ImportResult, ImportError>,
    ) -> Preview {
        let mut questions = self.guess.questions;
        if has_our_names {
            questions.clear();
        }
        if let Ok(made) = made
            && made.dropped * 2 > made.rows
        {
            questions.push(format!(
                "{} of {} rows lack a value: are all features needed?",
                made.dropped, made.rows
            ));
        }
        let problem = made.as_ref().err();
        Preview {
            has_our_names,
            is_text: self.is_text,
            reading: self.guess.mapping.reading.clone(),
            choices,
            columns: self.columns,
            rows: self.rows,
            row_count: self.row_count,
            guess: self.guess.mapping,
            sure: questions.is_empty() && problem.is_none(),
            question: (!questions.is_empty()).then(|| questions.join(" ")),
            problem: problem.map(|problem| problem.error.to_string()),
            problem_column: problem.and_then(|problem| problem.column),
            summary: made.as_ref().ok().map(Summary::of),
        }
    }
}
