//! A guess of what each column is. Not here: reading the file.

use super::column::{Column, ColumnKind};
use super::mapping::{Dialect, Mapping, TestColumn};
use super::sheet::parse;

/// A guess of what each column is, by its name and its values.
pub(super) fn guess(columns: &[Column], reading: &Dialect) -> Mapping {
    const TASKS: [&str; 12] = [
        "task", "cell", "group", "subject", "user", "school", "site", "patient", "domain",
        "person", "hospital", "country",
    ];
    const LABELS: [&str; 9] = [
        "label",
        "labels",
        "y",
        "target",
        "class",
        "outcome",
        "output",
        "response",
        "diagnosis",
    ];
    const SPLITS: [&str; 6] = ["split", "set", "subset", "fold", "partition", "is_test"];
    const IDENTIFIERS: [&str; 4] = ["id", "index", "row", "nr"];
    // `Y 2` and `label_3` are labels, `task_id` is a task.
    let stem = |column: &Column| {
        let name = column.name.to_lowercase();
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let name = name.trim_end_matches([' ', '_', '-', '.']);
        let name = name.strip_suffix("_id").unwrap_or(name);
        name.to_string()
    };
    let stems: Vec<String> = columns.iter().map(stem).collect();
    let named = |names: &[&str]| -> Vec<usize> {
        let is = |at: &usize| names.contains(&stems[*at].as_str());
        (0..columns.len()).filter(is).collect()
    };
    let mut split = None;
    for at in named(&SPLITS) {
        let words = columns[at].words.iter().map(|(word, _)| word);
        let test = words
            .clone()
            .find(|word| word.to_lowercase().contains("test"));
        let test = test.or(words
            .clone()
            .find(|word| *word == "1" && stems[at] == "is_test"));
        if let Some(test) = test.cloned() {
            split = Some(TestColumn { column: at, test });
            break;
        }
    }
    let taken = |at: usize| split.as_ref().is_some_and(|split| split.column == at);
    let is_open = |at: &usize| !taken(*at) && columns[*at].kind != ColumnKind::Empty;
    let called_label: Vec<usize> = named(&LABELS).into_iter().filter(is_open).collect();
    let mut labels = called_label.clone();
    let mut task = named(&TASKS)
        .into_iter()
        .find(|at| is_open(at) && !labels.contains(at));
    let several = |at: &usize| columns[*at].distinct.is_none_or(|count| count > 1);
    if labels.is_empty() {
        let is_label = |at: &usize| {
            let column = &columns[*at];
            is_open(at)
                && task != Some(*at)
                && several(at)
                && (column.kind == ColumnKind::Number || column.distinct == Some(2))
        };
        labels.extend((0..columns.len()).rev().find(is_label));
    }
    if task.is_none() && labels.len() == 1 {
        // Words that come again are names of tasks.
        task = (0..columns.len()).find(|at| {
            columns[*at].kind == ColumnKind::Text
                && is_open(at)
                && several(at)
                && columns[*at].distinct.is_some()
                && !labels.contains(at)
        });
    }
    if labels.len() > 1 && task.is_some() {
        labels.truncate(1);
    }
    let features = (0..columns.len()).filter(|at| {
        columns[*at].kind == ColumnKind::Number
            && is_open(at)
            && task != Some(*at)
            && !labels.contains(at)
            && !called_label.contains(at)
            && !IDENTIFIERS.contains(&stems[*at].as_str())
    });
    Mapping {
        reading: reading.clone(),
        task,
        features: features.collect(),
        classes: guess_classes(columns, &labels, reading.decimal_comma),
        labels,
        split,
        drop_missing: false,
    }
}

/// The two words of labels that have only two, the one for -1 first.
fn guess_classes(columns: &[Column], labels: &[usize], comma: bool) -> Option<[String; 2]> {
    const NEGATIVE: [&str; 10] = [
        "no", "false", "negative", "neg", "benign", "normal", "healthy", "clutter", "ham", "n",
    ];
    let words = |at: usize| -> Option<[String; 2]> {
        let words: Vec<String> = columns[at]
            .words
            .iter()
            .map(|(word, _)| word.clone())
            .collect();
        let mut words = <[String; 2]>::try_from(words).ok()?;
        match (parse(&words[0], comma), parse(&words[1], comma)) {
            (Some(first), Some(second)) => {
                if first > second {
                    words.reverse();
                }
                // Two other numbers may be all that a small file happens to hold.
                let low_and_high = (first.min(second), first.max(second));
                if ![(0.0, 1.0), (-1.0, 1.0), (1.0, 2.0)].contains(&low_and_high) {
                    return None;
                }
            }
            _ if columns[at].kind == ColumnKind::Number => return None,
            _ => {
                words.sort();
                if NEGATIVE.contains(&words[1].to_lowercase().as_str()) {
                    words.reverse();
                }
            }
        }
        Some(words)
    };
    let first = words(*labels.first()?)?;
    let same = labels.iter().all(|at| words(*at).as_ref() == Some(&first));
    same.then_some(first)
}
