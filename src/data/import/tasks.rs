//! The tasks of a user's file: labels that share their points, one class against the rest, and tasks
//! that are left out because they have too few points. Not here: reading rows (`collect`).

use super::collect::list;
use super::mapping::Mapping;
use crate::data::formats::csv::{Split, TableTask, shorten};
use crate::data::{Layout, MAX_VALUES, RawPoints};
use crate::warning::{LeftOut, Warning, WarningCode};
use crate::{Error, Result};

/// Names that a message lists.
const SHOWN: usize = 5;

/// Tasks before they are a data set.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) names: Vec<String>,
    pub(super) layout: Layout,
}

impl Gathered {
    /// Tasks with points of their own.
    pub(super) fn separate(table: Vec<TableTask>, has_split: bool) -> Self {
        let mut gathered = (Vec::new(), Vec::new(), Vec::new());
        for task in table {
            gathered.0.push(task.name);
            gathered.1.push(task.points);
            gathered
                .2
                .push(task.splits.iter().map(|s| *s == Split::Test).collect());
        }
        let (names, tasks, is_test) = gathered;
        Self {
            names,
            layout: Layout::Separate {
                tasks,
                is_test: has_split.then_some(is_test),
            },
        }
    }
}

/// For each class, 1 for its points and -1 for those of the others.
pub(super) fn one_against_the_rest(classes: &[f64], count: usize) -> Vec<Vec<f64>> {
    let sign = |class: f64, own: usize| if class == own as f64 { 1.0 } else { -1.0 };
    (0..count)
        .map(|own| classes.iter().map(|class| sign(*class, own)).collect())
        .collect()
}

/// Each vector of labels is a task; all share the features. Where one lacks some labels, or where
/// there is a split, every task has a copy of its points.
pub(super) fn share(
    file: &str,
    names: Vec<String>,
    mapping: &Mapping,
    features: Vec<f64>,
    labels: Vec<Vec<f64>>,
    splits: &[Split],
) -> Result<Gathered> {
    let width = mapping.features.len();
    let total: usize = (labels.iter().flatten())
        .filter(|label| !label.is_nan())
        .count();
    let has_gaps = total < labels.iter().map(Vec::len).sum();
    let has_split = mapping.split.is_some();
    if !has_gaps && !has_split {
        let layout = Layout::Shared { features, labels };
        return Ok(Gathered { names, layout });
    }
    let numbers = total.saturating_mul(width + 1);
    if numbers > MAX_VALUES {
        return Err(Error::data(format!(
            "{file}: {numbers} numbers, since with a split or with missing labels every task has its \
             copy of the features; expected at most {MAX_VALUES}"
        )));
    }
    let mut tasks = Vec::with_capacity(labels.len());
    let mut is_test = Vec::with_capacity(labels.len());
    for labels in labels {
        let mut points = RawPoints::default();
        let mut tests = Vec::new();
        for (row, label) in labels.into_iter().enumerate() {
            if label.is_nan() {
                continue;
            }
            points.labels.push(label);
            points
                .features
                .extend(&features[row * width..(row + 1) * width]);
            tests.extend(splits.get(row).map(|split| *split == Split::Test));
        }
        tasks.push(points);
        is_test.push(tests);
    }
    let layout = Layout::Separate {
        tasks,
        is_test: has_split.then_some(is_test),
    };
    Ok(Gathered { names, layout })
}

/// Tasks that a run can use, and what is to be said of the others.
#[derive(Debug)]
pub(super) struct Usable {
    pub(super) gathered: Gathered,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) warnings: Vec<Warning>,
}

/// Leaves out tasks that have no two points, or `by_split` no point for training or testing. `title` is
/// that of the task column, `vanished` are tasks that lost all their rows before.
///
/// # Errors
/// Where no task is left.
pub(super) fn usable(
    gathered: Gathered,
    title: Option<&str>,
    vanished: Vec<String>,
    by_split: bool,
) -> Result<Usable> {
    let Gathered { names, layout } = gathered;
    let count = names.len();
    let note = |names: Vec<String>, reason: &str, out: &mut (Vec<LeftOut>, Vec<Warning>)| {
        if names.is_empty() {
            return;
        }
        let (tasks, verb) = match names.len() {
            1 => ("Task", "was"),
            _ => ("Tasks", "were"),
        };
        let shown: Vec<String> = names.iter().map(|name| shorten(name)).collect();
        let question = match title {
            Some(title) if names.len() * 2 > count => format!(" Is {title} really the task?"),
            _ => String::new(),
        };
        let list = list(&shown, SHOWN);
        let text = format!("{tasks} {list} {verb} left out: {reason}.{question}");
        out.1.push(Warning::new(WarningCode::LeftOut, text));
        out.0.push(LeftOut {
            what: "task",
            count: names.len(),
            names: shown.into_iter().take(4 * SHOWN).collect(),
            reason: reason.to_string(),
        });
    };
    let mut out = (Vec::new(), Vec::new());
    note(vanished, "no row with all values", &mut out);
    let (names, layout) = match layout {
        Layout::Separate { tasks, is_test } => {
            let reason = |task: usize| {
                let tests = is_test.as_ref().filter(|_| by_split).map(|is_test| {
                    let tests = is_test[task].iter().filter(|test| **test).count();
                    (tests, is_test[task].len() - tests)
                });
                match (tasks[task].count(), tests) {
                    (0, _) => Some("no point"),
                    (1, _) => Some("a single point"),
                    (_, Some((0, _))) => Some("no test point"),
                    (_, Some((_, 0))) => Some("no training point"),
                    _ => None,
                }
            };
            let reasons: Vec<Option<&str>> = (0..names.len()).map(reason).collect();
            if reasons.iter().all(Option::is_some) {
                return Err(no_task(&names, reasons[0].unwrap_or_default(), title));
            }
            for wanted in [
                "no point",
                "a single point",
                "no test point",
                "no training point",
            ] {
                let is = |at: &usize| reasons[*at] == Some(wanted);
                let found = (0..names.len()).filter(is);
                note(
                    found.map(|at| names[at].clone()).collect(),
                    wanted,
                    &mut out,
                );
            }
            let is_kept = |at: usize| reasons[at].is_none();
            let is_pair = |at: &usize| is_kept(*at) && tasks[*at].count() == 2;
            let pairs = (0..names.len()).filter(is_pair);
            let pairs: Vec<String> = pairs.map(|at| shorten(&names[at])).collect();
            if !pairs.is_empty() {
                let text = format!(
                    "Two points only, at most one of them for testing: {}. Such a task has no metric.",
                    list(&pairs, SHOWN)
                );
                out.1.push(Warning::new(WarningCode::FewTestPoints, text));
            }
            let layout = Layout::Separate {
                tasks: keep(tasks, is_kept),
                is_test: is_test.map(|is_test| keep(is_test, is_kept)),
            };
            (keep(names, is_kept), layout)
        }
        Layout::Shared { features, labels } => {
            if labels.first().is_some_and(|labels| labels.len() < 2) {
                return Err(no_task(&names, "a single point", None));
            }
            (names, Layout::Shared { features, labels })
        }
        other @ Layout::Classes { .. } => (names, other),
    };
    let (left_out, warnings) = out;
    Ok(Usable {
        gathered: Gathered { names, layout },
        left_out,
        warnings,
    })
}

fn keep<T>(items: Vec<T>, is_kept: impl Fn(usize) -> bool) -> Vec<T> {
    let kept = items.into_iter().enumerate().filter(|(at, _)| is_kept(*at));
    kept.map(|(_, item)| item).collect()
}

/// The error where all tasks are too small.
fn no_task(names: &[String], reason: &str, title: Option<&str>) -> Error {
    let first = shorten(names.first().map_or("", String::as_str));
    let what = match reason {
        "a single point" => "a single row; each task needs two or more".to_string(),
        other => format!("{other}; each task needs one to train and one to test"),
    };
    let others = match names.len() {
        1 => String::new(),
        count => format!(" (and so it is with all {count} tasks)"),
    };
    Error::data(match title {
        Some(title) => {
            format!("Task {first} has {what}{others}. Is {title} really the task?")
        }
        None => format!("Task {first} has {what}{others}"),
    })
}
