//! Rows in JSON: an object a line (JSON lines), or one array of objects. The keys are the columns, in
//! the order of their first appearance. Numbers, words, true and false (1 and 0) and null (no value)
//! are cells; anything else is an error. Not here: what a column means.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::csv::shorten;
use super::grid::{Cell, Grid, text_of};
use crate::{Error, Result};

/// Does the text begin as JSON does?
pub(in crate::data) fn recognises(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut rest = bytes.trim_ascii_start().iter();
    match rest.next() {
        Some(b'{') => true,
        // `[1,2]` may be the first cell of a text.
        Some(b'[') => rest.find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{'),
        _ => false,
    }
}

/// Reads a file.
///
/// # Errors
/// With the line: of a text that is no JSON, a row that is no object, a value that is no cell, a key
/// that is given twice.
pub(in crate::data) fn read(bytes: &[u8]) -> Result<Grid> {
    let text = text_of(bytes)?;
    let is_array = text.trim_start().starts_with('[');
    let mut grid = Grid::default();
    grid.is_numbered = is_array;
    let mut keys = Keys::default();
    // An array is one document, which errors name the line of; its rows are numbered.
    let documents: Vec<(u64, &str)> = if is_array {
        vec![(1, text)]
    } else {
        let lines = (1u64..).zip(text.lines());
        lines.filter(|(_, line)| !line.trim().is_empty()).collect()
    };
    for (line, document) in documents {
        let mut rows = Rows {
            grid: &mut grid,
            keys: &mut keys,
            line,
            refused: None,
        };
        let mut reader = serde_json::Deserializer::from_str(document);
        let read = if is_array {
            reader.deserialize_seq(&mut rows)
        } else {
            (&mut rows).deserialize(&mut reader)
        };
        if let Err(error) = read.and_then(|()| reader.end()) {
            // What the table refuses comes through the reader as a text.
            return Err(rows
                .refused
                .unwrap_or_else(|| syntax(&error, line, document, is_array)));
        }
    }
    grid.check()?;
    Ok(grid)
}

fn syntax(error: &serde_json::Error, line: u64, document: &str, is_array: bool) -> Error {
    let row = document.lines().nth(error.line().saturating_sub(1));
    let rest = row.and_then(|row| row.get(error.column().saturating_sub(1)..));
    let is_not_finite = |rest: &str| {
        let words = ["NaN", "Infinity", "-Infinity"];
        words.iter().any(|word| rest.starts_with(word))
    };
    let line = if is_array { error.line() as u64 } else { line };
    if rest.is_some_and(is_not_finite) {
        // Python writes it.
        let found = format!("NaN or Infinity at column {}", error.column());
        return Error::line(line, found, "null for a missing value, as JSON has it");
    }
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let found = format!("{} at column {}", shorten(message), error.column());
    let expected = "one object a line, or an array of objects, such as {\"label\": 1, \"x1\": 2}";
    Error::line(line, found, expected)
}

/// The keys that are known.
#[derive(Default)]
struct Keys {
    /// The column of a key.
    columns: HashMap<String, usize>,
    /// The object that gave a column last.
    given: Vec<usize>,
    /// The number of the object that is read.
    object: usize,
}

/// Takes objects as rows.
struct Rows<'g> {
    grid: &'g mut Grid,
    keys: &'g mut Keys,
    /// The line of the object that is read, or its number in an array.
    line: u64,
    refused: Option<Error>,
}

impl<'de> DeserializeSeed<'de> for &mut Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> std::result::Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Rows<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> std::result::Result<(), A::Error> {
        while rows.next_element_seed(&mut *self)?.is_some() {
            self.line += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut cells: A) -> std::result::Result<(), A::Error> {
        self.keys.object += 1;
        while let Some(key) = cells.next_key::<String>()? {
            let value: serde_json::Value = cells.next_value()?;
            self.push(&key, &value).map_err(|error| {
                let text = error.to_string();
                self.refused = Some(error);
                A::Error::custom(text)
            })?;
        }
        self.grid.end_row(self.line);
        Ok(())
    }
}

impl Rows<'_> {
    fn error(&self, found: &str, expected: &str) -> Error {
        if self.grid.is_numbered {
            Error::data(format!("row {}: {found}; expected {expected}", self.line))
        } else {
            Error::line(self.line, found, expected)
        }
    }

    fn push(&mut self, key: &str, value: &serde_json::Value) -> Result<()> {
        use serde_json::Value;
        let cell = match value {
            Value::Null => Cell::MISSING,
            Value::Bool(flag) => Cell::Number(f64::from(u8::from(*flag))),
            Value::Number(number) => Cell::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(word) => Cell::Word(word),
            other => {
                let found = format!("`{}` is {}", shorten(key), shorten(&other.to_string()));
                let expected = "a number, a word, true, false or null";
                return Err(self.error(&found, expected));
            }
        };
        let Keys {
            columns,
            given,
            object,
        } = &mut *self.keys;
        let column = match columns.get(key) {
            Some(column) => *column,
            None => {
                let column = self
                    .grid
                    .add_column(self.line, shorten(key), Cell::MISSING)?;
                columns.insert(key.to_string(), column);
                given.push(0);
                column
            }
        };
        if std::mem::replace(&mut given[column], *object) == *object {
            let found = format!("`{}` twice", shorten(key));
            return Err(self.error(&found, "each key once"));
        }
        self.grid.push(self.line, column, cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::formats::grid::tests::cells;

    fn error(text: &str) -> String {
        match read(text.as_bytes()) {
            Ok(_) => panic!("{text} was read"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn keys_are_columns_and_keys_that_are_not_given_have_no_value() {
        let text = "{\"task\": \"a\", \"x\": 1.5}\r\n\n{\"x\": null, \"y\": true}\n";
        let grid = read(text.as_bytes()).unwrap();
        assert_eq!(grid.names(), ["task", "x", "y"]);
        assert_eq!(cells(&grid), ["1: 'a' 1.5 ''", "3: '' '' 1"]);
        assert!(recognises(text.as_bytes()));
    }

    #[test]
    fn an_array_of_objects_is_a_table_too() {
        let text = "\u{feff}[\n {\"a\": 1, \"b\": \"u\"},\n {\"b\": \"v\", \"a\": -2e3}\n]\n";
        assert!(recognises(text.as_bytes()));
        let grid = read(text.as_bytes()).unwrap();
        assert_eq!(grid.names(), ["a", "b"]);
        assert_eq!(cells(&grid), ["1: 1 'u'", "2: -2000 'v'"]);
    }

    #[test]
    fn errors_name_the_line_and_what_is_expected() {
        for (text, part) in [
            (
                "{\"a\": 1}\n{\"a\": }\n",
                "line 2: expected value at column 7",
            ),
            (
                "{\"a\": 1}\n{\"a\": NaN}\n",
                "line 2: NaN or Infinity at column 7; expected null",
            ),
            ("[{\"a\": 1},\n{\"a\": -Infinity}]", "line 2: NaN"),
            ("{\"a\": [1]}\n", "line 1: `a` is [1]; expected a number"),
            ("{\"a\": 1}\n[2]\n", "line 2: invalid type: sequence"),
            ("{\"a\": 1, \"a\": 2}\n", "line 1: `a` twice"),
            ("{\"a\": 1} {\"a\": 2}\n", "trailing characters"),
            ("[{\"a\": 1},\n2]", "line 2"),
            ("[{\"a\": 1}", "EOF while parsing a list"),
            ("[]", "the end of the file"),
            ("{\n\"a\": 1\n}", "line 1: EOF"),
        ] {
            assert!(error(text).contains(part), "{text}: {}", error(text));
        }
    }
}
