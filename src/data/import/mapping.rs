//! What the columns of a user's file are, and a short text for it, which links and the command
//! line carry. Not here: reading the file (`collect`).
//!
//! The text is `key:value` pairs with `;` between them, columns numbered from 1, in any order:
//!
//! | key | value | without it |
//! | --- | --- | --- |
//! | `x` | the feature columns: `2-8,11` | an error |
//! | `label` | the label column, or several: each is a task, and all share the features | an error |
//! | `task` | the column that names the task of a row | one task |
//! | `split` | a column, the word that marks test points, and words of rows that are left out: `10,test,val` | training and test points are drawn |
//! | `class` | a classification: the words for -1 and +1: `benign,mine`; three or more words are a task each, one against the rest | a regression |
//! | `missing` | `drop`: rows that lack a value are left out; then further words for a missing value: `drop,-999` | such a row is an error |
//! | `sep` | `comma`, `semicolon`, `tab`, `space` (any number of blanks) or `pipe` | `comma` |
//! | `skip` | the number of lines before the table | 0 |
//! | `decimal` | `comma` or `point`; `comma,2-3`: a comma in these columns only | `point` |
//! | `thousands` | between groups of three digits: `comma`, `point`, `space` or `apostrophe` | no groups |
//! | `header` | `no`: the first row is data | the first row names the columns |
//! | `from` | the variables of a MAT file, put side by side: `X,y` | an error for a MAT file |
//! | `rules` | `1`: read as engine 0.1.0 did (see `Mapping::legacy`) | the rules of today |
//!
//! In words, `%`, `,`, `;` and control characters are written as `%` and two hex digits a byte.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::number::Style;
use crate::data::formats::csv::shorten;
use crate::data::{MAX_FEATURES, MAX_TASKS};
use crate::ranges;
use crate::{Error, Result};

/// Most columns of a file: features, labels, task and split.
pub const MAX_COLUMNS: usize = MAX_FEATURES + MAX_TASKS + 2;
/// Longest text of a mapping, in bytes.
pub const MAX_TEXT: usize = 8192;
/// Most lines before the table.
const MAX_SKIP: usize = 1_000_000;

/// The delimiter of a CSV file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// A tabulator.
    Tab,
    /// `|`
    Pipe,
    /// Any number of blanks and tabulators; those at the ends of a line separate nothing.
    Space,
}

impl Separator {
    /// In the order in which they are tried: a tabulator before blanks, which include it.
    pub(super) const ALL: [Self; 5] = [
        Self::Comma,
        Self::Semicolon,
        Self::Tab,
        Self::Pipe,
        Self::Space,
    ];

    /// For `csv::Records`: a blank stands for any number of them.
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
            Self::Space => b' ',
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
            Self::Pipe => "pipe",
            Self::Space => "space",
        }
    }
}

/// What separates groups of three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
#[serde(rename_all = "snake_case")]
pub enum Thousands {
    /// `22,112`
    Comma,
    /// `22.112`, with a decimal comma.
    Point,
    /// `22 112`, with a blank of any width.
    Space,
    /// `22'112`
    Apostrophe,
}

impl Thousands {
    const ALL: [Self; 4] = [Self::Comma, Self::Point, Self::Space, Self::Apostrophe];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Comma => "comma",
            Self::Point => "point",
            Self::Space => "space",
            Self::Apostrophe => "apostrophe",
        }
    }
}

/// How a file becomes a table of cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// CSV: between the columns.
    pub separator: Separator,
    /// CSV: lines before the table.
    pub skip: usize,
    /// CSV: numbers are written 1,5.
    pub decimal_comma: bool,
    /// CSV: only those of these columns, from 0 and ascending; empty: all.
    pub comma_columns: Vec<usize>,
    /// CSV: between groups of three digits.
    pub thousands: Option<Thousands>,
    /// CSV: the first row names the columns.
    pub header: bool,
    /// MAT: the variables that are put side by side.
    pub variables: Vec<String>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            separator: Separator::Comma,
            skip: 0,
            decimal_comma: false,
            comma_columns: Vec::new(),
            thousands: None,
            header: true,
            variables: Vec::new(),
        }
    }
}

impl Dialect {
    /// How numbers of a column are written.
    pub(super) fn style(&self, column: usize) -> Style {
        let all = self.comma_columns.is_empty();
        Style {
            decimal_comma: self.decimal_comma && (all || self.comma_columns.contains(&column)),
            thousands: self.thousands,
        }
    }
}

/// The column that marks the test points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
#[serde(deny_unknown_fields)]
pub struct TestColumn {
    /// From 0.
    pub column: usize,
    /// The word that marks test points. Every other word means training; one that differs in case
    /// only is refused.
    pub test: String,
    /// Words of rows that are left out: `val`.
    pub leave: Vec<String>,
}

/// What each column is. Columns count from 0 and are ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// How the file becomes columns.
    pub reading: Dialect,
    /// Names the task of a row.
    pub task: Option<usize>,
    /// One column, or one a task.
    pub labels: Vec<usize>,
    /// Marks the test points.
    pub split: Option<TestColumn>,
    /// The numbers that the label is predicted from.
    pub features: Vec<usize>,
    /// The words for -1 and +1; three or more words are a task each, one against the rest; none:
    /// the labels are numbers, a regression.
    pub classes: Option<Vec<String>>,
    /// Rows that lack a value are left out; otherwise they are errors. (Where there are several
    /// labels, a row without one of them is left out of that task in any case.)
    pub drop_missing: bool,
    /// Further words, or numbers, that mean a missing value: `-999`.
    pub missing: Vec<String>,
    /// The file is read as engine 0.1.0 did: fewer words mean a missing value, but also in the task
    /// column; a row without one of several labels is left out of all tasks; no task is left out.
    pub legacy: bool,
}

fn refuse<T>(reason: impl Display) -> Result<T> {
    Err(Error::invalid("columns", reason))
}

impl Mapping {
    /// Checks that it makes sense for a file of so many columns.
    ///
    /// # Errors
    /// Of the field `columns`: no label, no feature, a column that is not there or has two roles,
    /// several labels with a task, two equal class words, a limit that is passed.
    pub fn check(&self, columns: usize) -> Result<()> {
        if self.labels.is_empty() {
            return refuse("no label column; choose the column to predict");
        }
        if self.features.is_empty() {
            return refuse("no feature columns; choose at least one");
        }
        if self.features.len() > MAX_FEATURES {
            let found = self.features.len();
            return refuse(format!("{found} features; at most {MAX_FEATURES}"));
        }
        let labels = self.labels.len();
        if labels > MAX_TASKS {
            return refuse(format!(
                "{labels} labels; at most {MAX_TASKS}, since each is a task"
            ));
        }
        if labels > 1 && self.task.is_some() {
            return refuse(format!(
                "{labels} labels and a task column; use one label with a task column, or several \
                 labels that are a task each"
            ));
        }
        let mut used = vec![false; columns];
        let split = self.split.as_ref().map(|split| split.column);
        let all = [&self.labels[..], &self.features].concat();
        for column in all.into_iter().chain(self.task).chain(split) {
            let number = column + 1;
            match used.get_mut(column) {
                None if columns == 1 => {
                    return refuse(format!(
                        "column {number} not found; the file has only one column; is the delimiter \
                         right (sep)?"
                    ));
                }
                None => {
                    return refuse(format!(
                        "column {number} not found; the file has {columns} columns"
                    ));
                }
                Some(true) => {
                    return refuse(format!(
                        "column {number} is given twice; a column has one role"
                    ));
                }
                Some(used) => *used = true,
            }
        }
        if let Some(split) = &self.split {
            if split.test.is_empty() {
                return refuse("the split column has no word for test points");
            }
            if split.leave.contains(&split.test) {
                let word = shorten(&split.test);
                return refuse(format!(
                    "`{word}` marks both test points and rows that are left out"
                ));
            }
        }
        self.check_reading(columns)?;
        match &self.classes {
            Some(classes) => self.check_classes(classes),
            None => Ok(()),
        }
    }

    fn check_reading(&self, columns: usize) -> Result<()> {
        let reading = &self.reading;
        if reading.skip > MAX_SKIP {
            return refuse(format!("skip:{}; at most {MAX_SKIP} lines", reading.skip));
        }
        if let Some(column) = reading.comma_columns.iter().find(|at| **at >= columns) {
            let number = column + 1;
            return refuse(format!(
                "column {number} of decimal:comma not found; the file has {columns} columns"
            ));
        }
        let some_point = !reading.decimal_comma || !reading.comma_columns.is_empty();
        match reading.thousands {
            Some(Thousands::Comma) if reading.decimal_comma => {
                refuse("a comma as decimal sign and as thousands separator; choose one")
            }
            Some(Thousands::Point) if some_point => refuse(
                "a point as decimal sign and as thousands separator; with thousands:point, numbers \
                 have a decimal comma (decimal:comma)",
            ),
            _ => Ok(()),
        }
    }

    fn check_classes(&self, classes: &[String]) -> Result<()> {
        let twice = (classes.iter().enumerate()).find(|(at, word)| classes[..*at].contains(word));
        if classes.len() < 2 || classes.iter().any(String::is_empty) || twice.is_some() {
            let words: Vec<String> = classes.iter().map(|word| shorten(word)).collect();
            return refuse(format!(
                "the classes `{}` must be two or more different words: of two, the first becomes -1 \
                 and the second +1",
                words.join("`, `")
            ));
        }
        if classes.len() > 2 && (self.labels.len() > 1 || self.task.is_some()) {
            return refuse(format!(
                "{} classes are a task each, one against the rest; remove the task column and all \
                 labels but one",
                classes.len()
            ));
        }
        if classes.len() > MAX_TASKS {
            let found = classes.len();
            return refuse(format!(
                "{found} classes; at most {MAX_TASKS}, since each is a task"
            ));
        }
        Ok(())
    }

    /// Is each class a task of its own?
    pub fn is_one_against_the_rest(&self) -> bool {
        self.classes.as_ref().is_some_and(|words| words.len() > 2)
    }

    /// The same mapping for a link or a specification of version 1: it keeps its meaning.
    #[must_use]
    pub fn with_rules_of_version_1(mut self) -> Self {
        let tasks = self.task.is_some() || self.labels.len() > 1;
        // Elsewhere version 2 only reads what version 1 refused.
        self.legacy |= (tasks && self.drop_missing) || self.split.is_some();
        self
    }
}

impl Display for Mapping {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Dialect {
            separator,
            skip,
            decimal_comma,
            comma_columns,
            thousands,
            header,
            variables,
        } = &self.reading;
        let numbers = |columns: &[usize]| ranges::write(columns.iter().map(|c| *c as u64 + 1));
        let words = |words: &[String]| -> String {
            let words: Vec<String> = words.iter().map(|word| escape(word)).collect();
            words.join(",")
        };
        let mut parts = Vec::new();
        if !variables.is_empty() {
            parts.push(format!("from:{}", words(variables)));
        }
        if *separator != Separator::Comma {
            parts.push(format!("sep:{}", separator.word()));
        }
        if *skip > 0 {
            parts.push(format!("skip:{skip}"));
        }
        if *decimal_comma {
            let mut part = "decimal:comma".to_string();
            if !comma_columns.is_empty() {
                part = format!("{part},{}", numbers(comma_columns));
            }
            parts.push(part);
        }
        if let Some(thousands) = thousands {
            parts.push(format!("thousands:{}", thousands.word()));
        }
        if !*header {
            parts.push("header:no".to_string());
        }
        if let Some(task) = self.task {
            parts.push(format!("task:{}", task + 1));
        }
        parts.push(format!("label:{}", numbers(&self.labels)));
        if let Some(split) = &self.split {
            let TestColumn {
                column,
                test,
                leave,
            } = split;
            let all = words(&[std::slice::from_ref(test), leave].concat());
            parts.push(format!("split:{},{all}", column + 1));
        }
        parts.push(format!("x:{}", numbers(&self.features)));
        if let Some(classes) = &self.classes {
            parts.push(format!("class:{}", words(classes)));
        }
        if self.drop_missing || !self.missing.is_empty() {
            let first = if self.drop_missing { "drop" } else { "refuse" };
            let mut part = format!("missing:{first}");
            if !self.missing.is_empty() {
                part = format!("{part},{}", words(&self.missing));
            }
            parts.push(part);
        }
        if self.legacy {
            parts.push("rules:1".to_string());
        }
        formatter.write_str(&parts.join(";"))
    }
}

impl FromStr for Mapping {
    type Err = Error;

    /// Reads the text; it may come from anywhere.
    fn from_str(text: &str) -> Result<Self> {
        if text.len() > MAX_TEXT {
            return refuse(format!("{} bytes; at most {MAX_TEXT}", text.len()));
        }
        let mut mapping = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let (key, value) = part.trim().split_once(':').unwrap_or((part, ""));
            let (key, value) = (key.trim(), value.trim());
            if seen.contains(&key) {
                return refuse(format!("`{}` is given twice", shorten(key)));
            }
            seen.push(key);
            let wrong = |expected: &str| {
                let part = shorten(part.trim());
                refuse(format!("`{part}` is invalid; expected {expected}"))
            };
            match (key, value) {
                ("x", _) => match columns(value) {
                    Some(columns) => mapping.features = columns,
                    None => return wrong(COLUMNS),
                },
                ("label", _) => match columns(value) {
                    Some(columns) => mapping.labels = columns,
                    None => return wrong(COLUMNS),
                },
                ("task", _) => match columns(value).as_deref() {
                    Some([column]) => mapping.task = Some(*column),
                    _ => return wrong("one column number such as task:1"),
                },
                ("split", _) => match test_column(value) {
                    Some(split) => mapping.split = Some(split),
                    None => {
                        return wrong(
                            "a column, the word for test, and words of rows to leave out: \
                             split:10,test or split:10,test,val",
                        );
                    }
                },
                ("class", _) => match words(value).filter(|words| words.len() > 1) {
                    Some(words) => mapping.classes = Some(words),
                    None => return wrong("the words for -1 and +1: class:no,yes"),
                },
                ("from", _) => match words(value) {
                    Some(names) => mapping.reading.variables = names,
                    None => return wrong("names of variables: from:X,y"),
                },
                ("sep", word) => match Separator::ALL.iter().find(|s| s.word() == word) {
                    Some(separator) => mapping.reading.separator = *separator,
                    None => return wrong("comma, semicolon, tab, space or pipe"),
                },
                ("skip", _) => match value.parse() {
                    Ok(lines) if lines <= MAX_SKIP => mapping.reading.skip = lines,
                    _ => return wrong("the number of lines before the table: skip:2"),
                },
                ("decimal", "comma") => mapping.reading.decimal_comma = true,
                ("decimal", _) if value.starts_with("comma,") => match columns(&value[6..]) {
                    Some(columns) => {
                        mapping.reading.decimal_comma = true;
                        mapping.reading.comma_columns = columns;
                    }
                    None => return wrong("columns with a decimal comma: decimal:comma,2-3"),
                },
                ("thousands", word) => match Thousands::ALL.iter().find(|t| t.word() == word) {
                    Some(thousands) => mapping.reading.thousands = Some(*thousands),
                    None => return wrong("comma, point, space or apostrophe"),
                },
                ("header", "no") => mapping.reading.header = false,
                ("missing", _) => {
                    let (first, more) = value.split_once(',').unwrap_or((value, ""));
                    mapping.drop_missing = first.trim() == "drop";
                    let known = mapping.drop_missing || first.trim() == "refuse";
                    match words(more).filter(|_| known) {
                        Some(words) => {
                            let is_some = |word: &String| !word.is_empty();
                            mapping.missing = words.into_iter().filter(is_some).collect();
                        }
                        None => {
                            return wrong(
                                "drop or refuse, and further words that mean a missing value: \
                                 missing:drop,-999",
                            );
                        }
                    }
                }
                ("rules", "1") => mapping.legacy = true,
                // These are so without the words.
                ("decimal", "point") | ("header", "yes") | ("rules", "2") => {}
                ("decimal", _) => return wrong("comma or point"),
                ("header", _) => return wrong("yes or no"),
                ("rules", _) => return wrong("1 or 2"),
                _ => {
                    return wrong(
                        "x, label, task, split, class, missing, sep, skip, decimal, thousands, \
                         header, from or rules, as in task:1;label:9;x:2-8",
                    );
                }
            }
        }
        mapping.check(MAX_COLUMNS)?;
        Ok(mapping)
    }
}

const COLUMNS: &str = "column numbers from 1 and ranges such as 2-8,11";

/// Columns in rising order, from 0.
fn columns(text: &str) -> Option<Vec<usize>> {
    let numbers = ranges::read(text, MAX_COLUMNS as u64 + 1)?;
    let columns = numbers.into_iter().map(|number| {
        let column = number.checked_sub(1)?;
        usize::try_from(column).ok()
    });
    let mut columns = columns.collect::<Option<Vec<usize>>>()?;
    columns.sort_unstable();
    Some(columns)
}

/// Words between commas, without blanks around them.
fn words(text: &str) -> Option<Vec<String>> {
    text.split(',').map(unescape).collect()
}

fn test_column(text: &str) -> Option<TestColumn> {
    let (column, rest) = text.split_once(',').unwrap_or((text, ""));
    let &[column] = &columns(column)?[..] else {
        return None;
    };
    let mut leave = words(rest)?;
    let test = leave.remove(0);
    leave.retain(|word| !word.is_empty());
    Some(TestColumn {
        column,
        test,
        leave,
    })
}

pub(super) fn escape(word: &str) -> String {
    let mut out = String::new();
    for character in word.chars() {
        if matches!(character, '%' | ',' | ';') || character.is_control() {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        } else {
            out.push(character);
        }
    }
    out
}

/// A word as cells are compared with it: without blanks around it.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let value = 16 * digit()? + digit()?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let word = String::from_utf8(bytes).ok()?;
    Some(word.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Mapping {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_text_is_short_and_means_the_same_when_read_again() {
        for text in [
            "task:1;label:9;x:2-8",
            "label:22-28;x:1-21",
            "sep:semicolon;decimal:comma;header:no;task:3;label:1;split:4,test set;x:2,5-7;\
             class:b%2Ca%3Bb,100%25;missing:drop",
            "sep:tab;label:1;x:2",
            "from:X,y;label:4;x:1-3",
            "label:1;x:2;class:né,да",
            "sep:space;skip:2;label:1;x:2",
            "sep:pipe;decimal:comma,2-3;thousands:space;label:1;x:2-3",
            "decimal:comma;thousands:point;label:1;x:2",
            "task:1;label:2;split:3,test,val,dev;x:4;missing:drop,-999,n%2Ca",
            "label:1;x:2;class:a,b,c;missing:refuse,none",
            "task:1;label:2;x:3;missing:drop;rules:1",
        ] {
            assert_eq!(read(text).to_string(), text);
        }
        let mapping = read(" x : 8,2-4 ; missing:refuse;header:yes;decimal:point; label:1 ");
        assert_eq!(mapping.features, [1, 2, 3, 7]);
        assert_eq!(mapping.to_string(), "label:1;x:2-4,8");
    }

    #[test]
    fn a_mapping_of_version_1_keeps_its_rules_where_they_differ() {
        for (text, differs) in [
            ("task:1;label:2;x:3;missing:drop", true),
            ("label:1-2;x:3;missing:drop", true),
            ("label:1;split:2,test;x:3", true),
            ("task:1;label:2;x:3", false),
            ("label:2;x:3;missing:drop", false),
        ] {
            let mapping = read(text).with_rules_of_version_1();
            assert_eq!(mapping.legacy, differs, "{text}");
            assert_eq!(mapping.clone().with_rules_of_version_1(), mapping);
        }
    }

    #[test]
    fn contradictory_mappings_are_refused_with_a_reason() {
        for (text, part) in [
            ("", "no label column"),
            ("label:1", "no feature columns"),
            ("x:1", "no label column"),
            ("label:1;x:1-3", "column 1 is given twice"),
            ("label:1;x:2;task:2", "column 2 is given twice"),
            ("label:1,2;x:3;task:4", "2 labels and a task"),
            ("label:0;x:1", "numbers from 1"),
            ("label:1;x:2-99999999999", "numbers from 1"),
            ("label:1;x:3-2", "numbers from 1"),
            ("label:1;x:2;x:3", "`x` is given twice"),
            ("label:1;x:2;split:3", "no word for test"),
            ("label:1;x:2;task:3,4", "one column number"),
            ("label:1;x:2;class:a", "words for -1 and +1"),
            ("label:1;x:2;class:a,a", "two or more different words"),
            ("label:1;x:2;class:a,b,a", "two or more different words"),
            ("task:3;label:1;x:2;class:a,b,c", "a task each"),
            ("label:1-2;x:3;class:a,b,c", "a task each"),
            ("label:1;x:2;split:3,a,a", "both test points and"),
            ("label:1;x:2;skip:-1", "number of lines"),
            ("label:1;x:2;skip:1000001", "number of lines"),
            ("label:1;x:2;decimal:comma,0", "decimal:comma,2-3"),
            ("label:1;x:2;decimal:comma,9999", "decimal:comma,2-3"),
            ("label:1;x:2;thousands:tab", "comma, point, space"),
            ("label:1;x:2;thousands:comma;decimal:comma", "choose one"),
            ("label:1;x:2;thousands:point", "decimal:comma"),
            ("label:1;x:2;rules:3", "1 or 2"),
            ("label:1;x:2;class:a,%zz", "words for -1 and +1"),
            ("label:1;x:2;class:a,%FF", "words for -1 and +1"),
            ("label:1;x:2;sep:|", "tab, space or pipe"),
            ("label:1;x:2;decimal:x", "comma or point"),
            ("label:1;x:2;header:", "yes or no"),
            ("label:1;x:2;missing:0", "drop or refuse"),
            ("label:1;x:2;<script>", "`<script>`"),
            ("label:1-513;x:514", "each is a task"),
            ("label:1;x:2-4098", "4097 features"),
        ] {
            let error = text.parse::<Mapping>().expect_err(text);
            assert_eq!(error.field_name(), Some("columns"), "{text}");
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
        assert!("x".repeat(MAX_TEXT + 1).parse::<Mapping>().is_err());
        let error = read("label:1;x:5").check(4).unwrap_err().to_string();
        assert!(
            error.contains("column 5") && error.contains("4 columns"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn any_words_survive_the_text(low in "\\PC{1,9}", high in "[ -~\\n\\t]{1,9}") {
            let (low, high) = (low.trim().to_string(), high.trim().to_string());
            prop_assume!(!low.is_empty() && !high.is_empty() && low != high);
            let mapping = Mapping { classes: Some(vec![low, high]), ..read("label:1;x:2") };
            prop_assert_eq!(mapping.to_string().parse::<Mapping>().unwrap(), mapping);
        }

        #[test]
        fn any_text_is_a_mapping_or_an_error_of_columns(
            text in "((label|x|task|split|class|from|sep|missing:drop|decimal:comma|\\PC{0,4}):?[0-9,%a-c-]{0,6};?){0,4}",
        ) {
            match text.parse::<Mapping>() {
                Ok(mapping) => {
                    prop_assert_eq!(mapping.to_string().parse::<Mapping>().unwrap(), mapping);
                }
                Err(error) => prop_assert_eq!(error.field_name(), Some("columns")),
            }
        }
    }
}
