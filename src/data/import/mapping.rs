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
//! | `split` | a column, and the word that marks test points: `10,test` | training and test points are drawn |
//! | `class` | a classification: the words for -1 and +1: `benign,mine` | a regression |
//! | `missing` | `drop`: rows that lack a value are left out | such a row is an error |
//! | `sep` | `comma`, `semicolon` or `tab` | `comma` |
//! | `decimal` | `comma` or `point` | `point` |
//! | `header` | `no`: the first row is data | the first row names the columns |
//! | `from` | the variables of a MAT file, put side by side: `X,y` | an error for a MAT file |
//!
//! In words, `%`, `,`, `;` and control characters are written as `%` and two hex digits a byte.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::data::formats::csv::shorten;
use crate::data::{MAX_FEATURES, MAX_TASKS};
use crate::ranges;
use crate::{Error, Result};

/// Most columns of a file: features, labels, task and split.
pub const MAX_COLUMNS: usize = MAX_FEATURES + MAX_TASKS + 2;
/// Longest text of a mapping, in bytes.
pub const MAX_TEXT: usize = 8192;

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
}

impl Separator {
    pub(super) const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
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
    /// CSV: numbers are written 1,5.
    pub decimal_comma: bool,
    /// CSV: the first row names the columns.
    pub header: bool,
    /// MAT: the variables that are put side by side.
    pub variables: Vec<String>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            separator: Separator::Comma,
            decimal_comma: false,
            header: true,
            variables: Vec::new(),
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
    /// The words for -1 and +1; none: the labels are numbers, a regression.
    pub classes: Option<[String; 2]>,
    /// Rows that lack a value are left out; otherwise they are errors.
    pub drop_missing: bool,
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
        if self.split.as_ref().is_some_and(|s| s.test.is_empty()) {
            return refuse("the split column has no word for test points");
        }
        match &self.classes {
            Some([low, high]) if low.is_empty() || high.is_empty() || low == high => {
                refuse(format!(
                    "the classes `{}` and `{}` must be two different words: the first becomes -1, the \
                     second +1",
                    shorten(low),
                    shorten(high)
                ))
            }
            _ => Ok(()),
        }
    }
}

impl Display for Mapping {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Dialect {
            separator,
            decimal_comma,
            header,
            variables,
        } = &self.reading;
        let mut parts = Vec::new();
        if !variables.is_empty() {
            let names: Vec<String> = variables.iter().map(|name| escape(name)).collect();
            parts.push(format!("from:{}", names.join(",")));
        }
        if *separator != Separator::Comma {
            parts.push(format!("sep:{}", separator.word()));
        }
        if *decimal_comma {
            parts.push("decimal:comma".to_string());
        }
        if !*header {
            parts.push("header:no".to_string());
        }
        if let Some(task) = self.task {
            parts.push(format!("task:{}", task + 1));
        }
        let numbers = |columns: &[usize]| ranges::write(columns.iter().map(|c| *c as u64 + 1));
        parts.push(format!("label:{}", numbers(&self.labels)));
        if let Some(TestColumn { column, test }) = &self.split {
            parts.push(format!("split:{},{}", column + 1, escape(test)));
        }
        parts.push(format!("x:{}", numbers(&self.features)));
        if let Some([low, high]) = &self.classes {
            parts.push(format!("class:{},{}", escape(low), escape(high)));
        }
        if self.drop_missing {
            parts.push("missing:drop".to_string());
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
                ("split", _) => {
                    let (column, word) = value.split_once(',').unwrap_or((value, ""));
                    match (columns(column).as_deref(), unescape(word)) {
                        (Some([column]), Some(test)) => {
                            let column = *column;
                            mapping.split = Some(TestColumn { column, test });
                        }
                        _ => return wrong("a column and the word for test: split:10,test"),
                    }
                }
                ("class", _) => {
                    let words: Option<Vec<String>> = value.split(',').map(unescape).collect();
                    match words.and_then(|words| <[String; 2]>::try_from(words).ok()) {
                        Some(words) => mapping.classes = Some(words),
                        None => return wrong("the words for -1 and +1: class:no,yes"),
                    }
                }
                ("from", _) => {
                    let names: Option<Vec<String>> = value.split(',').map(unescape).collect();
                    match names {
                        Some(names) => mapping.reading.variables = names,
                        None => return wrong("names of variables: from:X,y"),
                    }
                }
                ("sep", word) => match Separator::ALL.iter().find(|s| s.word() == word) {
                    Some(separator) => mapping.reading.separator = *separator,
                    None => return wrong("comma, semicolon or tab"),
                },
                ("decimal", "comma") => mapping.reading.decimal_comma = true,
                ("header", "no") => mapping.reading.header = false,
                ("missing", "drop") => mapping.drop_missing = true,
                // These are so without the words.
                ("decimal", "point") | ("header", "yes") | ("missing", "refuse") => {}
                ("decimal", _) => return wrong("comma or point"),
                ("header", _) => return wrong("yes or no"),
                ("missing", _) => return wrong("drop or refuse"),
                _ => {
                    return wrong(
                        "x, label, task, split, class, missing, sep, decimal, header or from, as \
                         in task:1;label:9;x:2-8",
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

fn escape(word: &str) -> String {
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
        ] {
            assert_eq!(read(text).to_string(), text);
        }
        let mapping = read(" x : 8,2-4 ; missing:refuse;header:yes;decimal:point; label:1 ");
        assert_eq!(mapping.features, [1, 2, 3, 7]);
        assert_eq!(mapping.to_string(), "label:1;x:2-4,8");
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
            ("label:1;x:2;class:a,a", "two different words"),
            ("label:1;x:2;class:a,%zz", "words for -1 and +1"),
            ("label:1;x:2;class:a,%FF", "words for -1 and +1"),
            ("label:1;x:2;sep:|", "semicolon or tab"),
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
            let mapping = Mapping { classes: Some([low, high]), ..read("label:1;x:2") };
            prop_assert_eq!(mapping.to_string().parse::<Mapping>().unwrap(), mapping);
        }

        #[test]
        fn any_text_is_a_mapping_or_an_error_of_columns(
            text in "((label|x|task|split|class|from|sep|\\PC{0,4}):[0-9,%a-c-]{0,6};?){0,4}",
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
