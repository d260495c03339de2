//! A guess of what each column is, by its name and its values, and whether it is sure. Not here: reading
//! the file.

use super::column::{Column, ColumnKind};
use super::mapping::{Dialect, Mapping, TestColumn};
use super::missing::{Known, MissingWords};
use super::number::{self, Style};
use crate::data::formats::csv::shorten;
use crate::data::formats::roles::plain;
use crate::warning::{LeftOut, Warning, WarningCode};

const TASKS: [&str; 54] = [
    "task",
    "cell",
    "group",
    "subject",
    "user",
    "school",
    "site",
    "patient",
    "domain",
    "person",
    "hospital",
    "country",
    "store",
    "shop",
    "region",
    "county",
    "state",
    "city",
    "district",
    "batch",
    "device",
    "sensor",
    "station",
    "plant",
    "clinic",
    "center",
    "centre",
    "laboratory",
    "participant",
    "individual",
    "animal",
    "client",
    "customer",
    "speaker",
    "writer",
    "session",
    "area",
    "location",
    "field",
    "farm",
    "machine",
    "family",
    "cohort",
    "study",
    "dataset",
    "source",
    "chunk",
    "qid",
    "tasks",
    "taskid",
    "groups",
    "subjects",
    "chunks",
    "domains",
];
const LABELS: [&str; 18] = [
    "label",
    "labels",
    "y",
    "target",
    "class",
    "outcome",
    "output",
    "response",
    "diagnosis",
    "species",
    "targets",
    "classes",
    "gnd",
    "outputs",
    "class_label",
    "target_class",
    "endog",
    "dv",
];
const SPLITS: [&str; 11] = [
    "split",
    "set",
    "subset",
    "fold",
    "partition",
    "is_test",
    "is_train",
    "istest",
    "istrain",
    "train_test",
    "kfold",
];
/// When, rather than which task.
const TIMES: [&str; 14] = [
    "date",
    "time",
    "datetime",
    "timestamp",
    "day",
    "month",
    "hour",
    "weekday",
    "year",
    "quarter",
    "week",
    "period",
    "minute",
    "yyyymm",
];
const IDENTIFIERS: [&str; 20] = [
    "id",
    "index",
    "idx",
    "row",
    "nr",
    "rownames",
    "row_names",
    "obs",
    "level_0",
    "#",
    "rowid",
    "no",
    "identifier",
    "case",
    "record",
    "observation",
    "rownum",
    "row_number",
    "s.no",
    "serial",
];
/// Words for -1, and words whose opposite is no name of a task.
const NEGATIVE: [&str; 14] = [
    "no", "false", "negative", "neg", "benign", "normal", "healthy", "clutter", "ham", "n", "f",
    "absent", "inactive", "-",
];
/// More classes are not guessed, since they are not counted.
const MAX_CLASSES: usize = 20;
/// Two values are classes, whatever they are, from so many rows on.
const ENOUGH_ROWS: usize = 20;

/// What each column seems to be.
pub(super) struct Guess {
    pub(super) mapping: Mapping,
    /// What a person should decide; none: the guess is sure.
    pub(super) questions: Vec<String>,
    /// Columns that are not used.
    pub(super) left_out: Vec<LeftOut>,
    pub(super) warnings: Vec<Warning>,
}

/// Why a column is neither label, nor task, nor feature.
fn reason(note: Note) -> &'static str {
    match note {
        Note::Index => "an index of the rows",
        Note::Identifier => "an identifier: different in every row",
        Note::Split => "a split or fold",
        Note::Empty => "no values",
        Note::MostlyEmpty => "more than half of its values are missing",
        Note::Words => "words, not numbers",
        Note::Label => "another label",
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Note {
    Index,
    Identifier,
    Split,
    Empty,
    MostlyEmpty,
    Words,
    Label,
}

/// A name without number and `id`: `Y 2` and `label_3` are labels, `task_id` and `subject#` tasks.
fn stem(name: &str) -> String {
    let is_separator = |c: char| matches!(c, ' ' | '_' | '-' | '.' | '#');
    let name = name.trim();
    let camel = (name.strip_suffix("ID").or(name.strip_suffix("Id")))
        .filter(|rest| rest.ends_with(|c: char| c.is_lowercase()));
    let name = camel.unwrap_or(name).to_lowercase();
    if IDENTIFIERS.contains(&name.as_str()) {
        return name;
    }
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || is_separator(c));
    let name = match name.strip_suffix("id") {
        Some(rest) if rest.ends_with(is_separator) => rest.trim_end_matches(is_separator),
        _ => name,
    };
    let name = name.trim_end_matches(is_separator);
    name.replace([' ', '-', '.'], "_")
}

/// The same of a variable: `y` of `data.Y`, of `Y 2` and of `Y_train`.
fn stem_in(reading: &Dialect, name: &str) -> String {
    let is_number = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
    match name.rsplit_once(' ') {
        _ if reading.variables.is_empty() => stem(name),
        Some((variable, number)) if is_number(number) => stem(&plain(variable).0),
        _ => stem(&plain(name).0),
    }
}

/// `mol_id`, `sampleID`, `id`.
fn is_id_name(name: &str) -> bool {
    let lower = name.trim().to_lowercase();
    let is_camel = name.ends_with("ID") || name.ends_with("Id");
    let parts = ["_id", "-id", " id", ".id"];
    IDENTIFIERS.contains(&lower.as_str())
        || (is_camel && name.len() > 2)
        || parts.iter().any(|part| lower.ends_with(part))
}

fn is_missing_word(word: &str) -> bool {
    MissingWords::known(Known::All).has(word, Style::default())
}

/// A guess of what each column is.
pub(super) fn guess(columns: &[Column], rows: usize, reading: &Dialect) -> Guess {
    Guesser {
        columns,
        rows,
        reading,
        stems: columns
            .iter()
            .map(|column| stem_in(reading, &column.name))
            .collect(),
        notes: vec![None; columns.len()],
        questions: Vec::new(),
        warnings: Vec::new(),
    }
    .guess()
}

struct Guesser<'a> {
    columns: &'a [Column],
    rows: usize,
    reading: &'a Dialect,
    stems: Vec<String>,
    notes: Vec<Option<Note>>,
    questions: Vec<String>,
    warnings: Vec<Warning>,
}

impl Guesser<'_> {
    fn guess(mut self) -> Guess {
        self.note_columns();
        let split = self.split();
        let called = self.called_labels();
        let mut task = self.named(&TASKS).into_iter().find(|at| {
            let is_task = self.stems[*at] == "task" || self.repeats(*at);
            self.is_open(*at) && !called.contains(at) && is_task
        });
        let mut labels = called.clone();
        if labels.is_empty() {
            labels = self.labels_by_place(task);
        } else {
            self.check_called(&mut labels, task);
        }
        if labels.len() > 1 && task.is_some() {
            self.questions.push(format!(
                "{} label columns and a task column: which label is to be predicted?",
                labels.len()
            ));
            labels.truncate(1);
        }
        let classes = self.classes(&labels, &mut task);
        self.check_small_tasks(task);
        let is_rest = classes.as_ref().is_some_and(|classes| classes.len() > 2);
        if task.is_none() && labels.len() == 1 && !is_rest {
            task = self.task_by_words(labels[0]);
        }
        let features: Vec<usize> = (0..self.columns.len())
            .filter(|at| {
                let column = &self.columns[*at];
                let is_free = task != Some(*at) && !labels.contains(at);
                if !is_free || self.notes[*at].is_some() {
                    return false;
                }
                let note = match () {
                    () if called.contains(at) => Some(Note::Label),
                    () if column.kind != ColumnKind::Number => Some(Note::Words),
                    () if column.missing * 2 > self.rows => Some(Note::MostlyEmpty),
                    () => None,
                };
                self.notes[*at] = note;
                note.is_none()
            })
            .collect();
        self.check_complete(&labels, &features);
        let words = classes.as_deref().unwrap_or_default();
        let drop_missing = self.label_has_gaps(&labels, words)
            || (features
                .iter()
                .copied()
                .chain(task)
                .chain(split.as_ref().map(|s| s.column)))
            .any(|at| self.columns[at].missing > 0);
        if let Some(split) = &split {
            self.notes[split.column] = None;
        }
        let left_out = self.left_out();
        Guess {
            mapping: Mapping {
                reading: self.reading.clone(),
                task,
                labels,
                split,
                features,
                classes,
                drop_missing,
                missing: Vec::new(),
                legacy: false,
            },
            questions: self.questions,
            left_out,
            warnings: self.warnings,
        }
    }

    fn name(&self, at: usize) -> String {
        format!("`{}`", shorten(&self.columns[at].name))
    }

    fn names(&self, columns: &[usize]) -> String {
        let names: Vec<String> = columns.iter().map(|at| self.name(*at)).collect();
        super::collect::list(&names, 6)
    }

    fn named(&self, names: &[&str]) -> Vec<usize> {
        let is = |at: &usize| names.contains(&self.stems[*at].as_str());
        (0..self.columns.len()).filter(is).collect()
    }

    /// Columns that are called labels. The Y between X and Z is a coordinate where there are others.
    fn called_labels(&self) -> Vec<usize> {
        let mut called = self.named(&LABELS);
        called.retain(|at| self.is_open(*at));
        let is = |at: Option<&Column>, name: &str| at.is_some_and(|column| column.name == name);
        let is_coordinate = |at: &usize| {
            let after = self.columns.get(at + 1);
            let before = at.checked_sub(1).and_then(|at| self.columns.get(at));
            ["XYZ", "xyz"].iter().any(|names| {
                is(before, &names[..1])
                    && is(self.columns.get(*at), &names[1..2])
                    && is(after, &names[2..])
            })
        };
        if !called.iter().all(is_coordinate) {
            called.retain(|at| !is_coordinate(at));
        }
        called
    }

    fn is_unnamed(&self, at: usize) -> bool {
        let name = &self.columns[at].name;
        name.to_lowercase().starts_with("unnamed:")
            || name.starts_with("...")
            || (self.reading.header && *name == format!("column {}", at + 1))
    }

    /// Cells with a value, for a column of words or of numbers.
    fn filled(&self, at: usize) -> usize {
        self.rows.saturating_sub(self.columns[at].missing)
    }

    fn is_all_different(&self, at: usize) -> bool {
        let filled = self.filled(at);
        // Of a column of very many words nothing else is known.
        let distinct = self.columns[at].distinct;
        filled > 2 && distinct.is_none_or(|distinct| distinct == filled)
    }

    /// Do its words come again, so that they can name tasks?
    fn repeats(&self, at: usize) -> bool {
        let column = &self.columns[at];
        let is_name =
            column.kind == ColumnKind::Text || (column.whole && column.first_word.is_none());
        let Some(distinct) = column.distinct.filter(|distinct| *distinct > 1) else {
            return false;
        };
        is_name && (column.single * 2 <= distinct || self.rows < 5)
    }

    fn is_open(&self, at: usize) -> bool {
        self.notes[at].is_none()
    }

    fn has_several(&self, at: usize) -> bool {
        self.columns[at].distinct.is_none_or(|count| count > 1)
    }

    /// Columns that are nothing to learn from.
    fn note_columns(&mut self) {
        for at in 0..self.columns.len() {
            let column = &self.columns[at];
            let name = column.name.to_lowercase();
            let is_number = column.kind == ColumnKind::Number;
            let is_index = is_number
                && (self.is_unnamed(at) && column.whole
                    || IDENTIFIERS.contains(&name.as_str())
                        && (column.counts_rows || !self.repeats(at))
                    || column.counts_rows
                        && (column.name == "X" || (!self.reading.header && at == 0)));
            let is_identifier = match column.kind {
                // Nothing else was meant: that its tasks are too small is said.
                _ if self.stems[at] == "task" => false,
                ColumnKind::Text => self.is_all_different(at),
                ColumnKind::Number => {
                    let is_name =
                        is_id_name(&column.name) || TASKS.contains(&self.stems[at].as_str());
                    column.whole && is_name && self.is_all_different(at)
                }
                ColumnKind::Empty => false,
            };
            let is_split =
                SPLITS.contains(&self.stems[at].as_str()) || SPLITS.contains(&name.as_str());
            self.notes[at] = match () {
                () if column.kind == ColumnKind::Empty => Some(Note::Empty),
                () if is_index => Some(Note::Index),
                () if is_split => Some(Note::Split),
                () if is_identifier => Some(Note::Identifier),
                () => None,
            };
        }
    }

    /// The column that marks the test points, and its word for them.
    fn split(&mut self) -> Option<TestColumn> {
        const TRUE: [&str; 5] = ["true", "1", "yes", "y", "t"];
        const FALSE: [&str; 5] = ["false", "0", "no", "n", "f"];
        const HELD_OUT: [&str; 8] = [
            "held out",
            "heldout",
            "held-out",
            "hold out",
            "holdout",
            "hold-out",
            "eval",
            "evaluation",
        ];
        for at in 0..self.columns.len() {
            let name = self.columns[at].name.to_lowercase();
            let is_flag = |flag: &str| {
                let plain = name.replace([' ', '-', '.', '_'], "");
                plain == flag || plain == format!("is{flag}") || plain == format!("{flag}set")
            };
            let flags = match () {
                () if is_flag("test") => Some(TRUE),
                () if is_flag("train") || is_flag("training") => Some(FALSE),
                () => None,
            };
            if self.notes[at] != Some(Note::Split) && flags.is_none() {
                continue;
            }
            let words = || self.columns[at].words.iter().map(|(word, _)| word);
            let is = |word: &&String, list: &[&str]| list.contains(&word.to_lowercase().as_str());
            let test = words()
                .find(|word| word.eq_ignore_ascii_case("test"))
                .or_else(|| words().find(|word| word.to_lowercase().contains("test")))
                .or_else(|| words().find(|word| is(word, &HELD_OUT)))
                .or_else(|| flags.and_then(|flags| words().find(|word| is(word, &flags))));
            if let Some(test) = test.cloned() {
                self.notes[at] = Some(Note::Split);
                return Some(TestColumn {
                    column: at,
                    test,
                    leave: Vec::new(),
                });
            }
        }
        None
    }

    /// Without a name that says so, the label is the last column, or the last few where they look
    /// alike and have gaps.
    fn labels_by_place(&mut self, task: Option<usize>) -> Vec<usize> {
        let is_candidate = |at: &usize| self.is_open(*at) && task != Some(*at);
        let open: Vec<usize> = (0..self.columns.len()).filter(is_candidate).collect();
        let is_label = |at: usize, is_last: bool| {
            let column = &self.columns[at];
            let words = column.distinct.unwrap_or(usize::MAX);
            let are_classes = is_last
                && open.len() > 1
                && words <= MAX_CLASSES
                && self.repeats(at)
                && !TASKS.contains(&self.stems[at].as_str());
            let is_time = TIMES.contains(&self.stems[at].as_str());
            !is_time
                && self.has_several(at)
                && (column.kind == ColumnKind::Number || words == 2 || are_classes)
        };
        let last = open.last().copied();
        let Some(label) = open
            .iter()
            .rev()
            .copied()
            .find(|at| is_label(*at, Some(*at) == last))
        else {
            return Vec::new();
        };
        let values = |at: usize| {
            let mut words: Vec<&str> = self.columns[at]
                .words
                .iter()
                .map(|(w, _)| w.as_str())
                .collect();
            words.retain(|word| !is_missing_word(word));
            words.sort_unstable();
            words
        };
        let alike = |at: &usize| values(*at).len() == 2 && values(*at) == values(label);
        let mut labels: Vec<usize> = open.iter().rev().copied().take_while(alike).collect();
        let has_gaps = labels.iter().any(|at| self.columns[*at].missing > 0);
        if labels.len() < 2 || !has_gaps || Some(label) != last {
            labels = vec![label];
        }
        labels.reverse();
        // Two values with gaps, beside columns without any, are labels wherever they stand.
        let is_gappy = |at: &usize| {
            let values = values(*at);
            self.columns[*at].missing > 0 && values.len() == 2 && values[1] == "1"
        };
        let gappy: Vec<usize> = open.iter().copied().filter(is_gappy).collect();
        let has_others =
            (open.iter().filter(|at| !gappy.contains(at))).any(|at| self.columns[*at].missing == 0);
        if labels.len() == 1 && gappy.len() > 1 && has_others {
            let names = self.names(&gappy);
            self.questions.push(format!(
                "Are {names} the labels, each a task? They have two values, and gaps."
            ));
            return gappy;
        }
        let name = self.name(label);
        let names_are_numbers = !self.reading.header
            || self.columns[label].name.parse::<f64>().is_ok()
            || (self.columns.iter().enumerate())
                .all(|(at, column)| self.is_unnamed(at) || column.name.parse::<f64>().is_ok());
        if !self.reading.variables.is_empty() || names_are_numbers {
            self.questions.push(format!(
                "The names of the columns do not say which one is to be predicted: is it {name}?"
            ));
        } else if Some(label) != last {
            let last = last.map_or(String::new(), |at| format!(", not {}", self.name(at)));
            self.questions.push(format!(
                "Which column is to be predicted: is it {name}{last}?"
            ));
        } else if labels.len() == 1 {
            let text = format!("{name}, the last column, is taken as the label.");
            self.warnings
                .push(Warning::new(WarningCode::Interpreted, text));
        } else {
            let text = format!("{} are taken as labels, each a task.", self.names(&labels));
            self.warnings
                .push(Warning::new(WarningCode::Interpreted, text));
        }
        labels
    }

    /// Several columns that are called labels should have one name and different numbers.
    fn check_called(&mut self, labels: &mut Vec<usize>, task: Option<usize>) {
        let stems: Vec<&String> = labels.iter().map(|at| &self.stems[*at]).collect();
        if stems.iter().any(|stem| *stem != stems[0]) {
            let names = self.names(labels);
            self.questions.push(format!(
                "Which column is to be predicted, and are the others features: {names}?"
            ));
            if task.is_some() {
                labels.truncate(1);
            }
        }
    }

    /// A column that is called as tasks are, but most of whose words have a single row.
    fn check_small_tasks(&mut self, task: Option<usize>) {
        let is_small = |at: &usize| {
            let column = &self.columns[*at];
            column.kind == ColumnKind::Text
                && self.is_open(*at)
                && !self.repeats(*at)
                && column.distinct.is_some_and(|count| count > 1)
        };
        let small = self.named(&TASKS).into_iter().find(is_small);
        if let (None, Some(at)) = (task, small) {
            let column = &self.columns[at];
            self.questions.push(format!(
                "Does {} name the task of a row? {} of its {} values have a single row.",
                self.name(at),
                column.single,
                column.distinct.unwrap_or(0)
            ));
        }
    }

    /// Words that come again are names of tasks.
    fn task_by_words(&mut self, label: usize) -> Option<usize> {
        let is_candidate = |at: &usize| {
            let column = &self.columns[*at];
            let is_word = column.kind == ColumnKind::Text
                || (column.whole && is_id_name(&column.name) && column.kind == ColumnKind::Number);
            let is_time = TIMES.contains(&self.stems[*at].as_str());
            is_word && !is_time && self.is_open(*at) && *at != label && self.repeats(*at)
        };
        let candidates: Vec<usize> = (0..self.columns.len()).filter(is_candidate).collect();
        let first = *candidates.first()?;
        let names = self.names(&candidates);
        let is_flag = |at: usize| {
            let words = &self.columns[at].words;
            let is_negative = |word: &str| NEGATIVE.contains(&word.to_lowercase().as_str());
            words.len() == 2 && words.iter().any(|(word, _)| is_negative(word))
        };
        if candidates.len() > 1 {
            self.questions.push(format!(
                "Which column names the task of a row: {names}, or none of them?"
            ));
        } else if is_flag(first) || self.columns[first].kind == ColumnKind::Number {
            self.questions
                .push(format!("Does {names} name the task of a row?"));
        }
        Some(first)
    }

    /// The words of classes, of two the one for -1 first.
    fn classes(&mut self, labels: &[usize], task: &mut Option<usize>) -> Option<Vec<String>> {
        let first = self.class_words(*labels.first()?)?;
        let is_same = |at: &usize| self.class_words(*at).as_ref() == Some(&first);
        if !labels.iter().all(is_same) {
            return None;
        }
        if first.len() > 2 && (task.is_some() || labels.len() > 1) {
            let name = self.name(labels[0]);
            let other = task.map_or(labels[labels.len() - 1], |task| task);
            let words: Vec<String> = first.iter().map(|word| shorten(word)).collect();
            self.questions.push(format!(
                "{name} has {} classes ({}), each a task, one against the rest, but so is {}: which of \
                 them are the tasks?",
                words.len(),
                super::collect::list(&words, 6),
                self.name(other)
            ));
            // With the classes alone the guess can be used.
            *task = None;
            return (labels.len() == 1).then_some(first);
        }
        Some(first)
    }

    fn class_words(&self, at: usize) -> Option<Vec<String>> {
        let column = &self.columns[at];
        let comma = self.reading.style(at);
        let mut words: Vec<String> = column.words.iter().map(|(word, _)| word.clone()).collect();
        if words.iter().filter(|word| !is_missing_word(word)).count() > 1 {
            words.retain(|word| !is_missing_word(word));
        }
        if words.len() < 2 || words.len() > MAX_CLASSES {
            return None;
        }
        if column.kind != ColumnKind::Number {
            words.sort();
            if words.len() == 2 && NEGATIVE.contains(&words[1].to_lowercase().as_str()) {
                words.reverse();
            }
            return Some(words);
        }
        // 1 and 1.0 are one value.
        let mut numbers: Vec<(f64, String)> = Vec::new();
        for word in words {
            let number = number::read(&word, comma)?;
            if !numbers.iter().any(|(other, _)| *other == number) {
                numbers.push((number, word));
            }
        }
        numbers.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let [(low, _), (high, _)] = numbers[..] else {
            return None;
        };
        // Two other numbers may be all that a small file happens to hold.
        let is_pair = [(0.0, 1.0), (-1.0, 1.0), (1.0, 2.0)].contains(&(low, high));
        let is_sure = self.rows >= ENOUGH_ROWS && column.whole;
        (is_pair || is_sure).then(|| numbers.into_iter().map(|(_, word)| word).collect())
    }

    fn check_complete(&mut self, labels: &[usize], features: &[usize]) {
        if self.rows == 0 {
            self.questions = vec!["The file has no row below the header.".to_string()];
            return;
        }
        let Some(label) = labels.first() else {
            self.questions
                .push("No column looks like a label: which one is to be predicted?".to_string());
            return;
        };
        let column = &self.columns[*label];
        if column.kind == ColumnKind::Text && self.class_words(*label).is_none() {
            let name = self.name(*label);
            self.questions.push(format!(
                "{name} holds words, but not two to {MAX_CLASSES} classes: which column is to be \
                 predicted?"
            ));
        }
        if features.is_empty() {
            self.questions
                .push("No column of numbers is left as a feature.".to_string());
        }
    }

    /// Does the only label lack values? (`-` may be a class.)
    fn label_has_gaps(&self, labels: &[usize], classes: &[String]) -> bool {
        let &[label] = labels else {
            return false;
        };
        let column = &self.columns[label];
        let is_gap = |word: &String| is_missing_word(word) && !classes.contains(word);
        column.missing > 0
            || (column.kind == ColumnKind::Text
                && column.words.iter().any(|(word, _)| is_gap(word)))
    }

    fn left_out(&self) -> Vec<LeftOut> {
        const NOTES: [Note; 7] = [
            Note::Index,
            Note::Identifier,
            Note::Split,
            Note::Label,
            Note::Words,
            Note::MostlyEmpty,
            Note::Empty,
        ];
        let mut left_out = Vec::new();
        for note in NOTES {
            let is = |at: &usize| self.notes[*at] == Some(note);
            let columns: Vec<usize> = (0..self.columns.len()).filter(is).collect();
            if !columns.is_empty() {
                let names = columns.iter().take(20);
                left_out.push(LeftOut {
                    what: "column",
                    names: names.map(|at| self.columns[*at].name.clone()).collect(),
                    count: columns.len(),
                    reason: reason(note).to_string(),
                });
            }
        }
        left_out
    }
}
