//! ARFF, the format of Weka, MULAN and OpenML: attributes with their names and types, then rows, dense
//! or sparse. `?` is no value; a place that a sparse row leaves out is 0, or the first value of a
//! nominal attribute. Not here: what a column means.

use std::collections::HashSet;

use super::csv::shorten;
use super::grid::{Cell, Grid, text_of};
use crate::data::is_unusable;
use crate::{Error, Result};

/// The type of an attribute.
enum Kind {
    Numeric,
    Nominal(HashSet<String>),
    Text,
}

struct Attribute {
    name: String,
    kind: Kind,
}

/// Is this ARFF? It begins with `@relation`, perhaps after comments.
pub(in crate::data) fn recognises(bytes: &[u8]) -> bool {
    const WORD: &[u8] = b"@relation";
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"%"));
    first.is_some_and(|line| {
        line.get(..WORD.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(WORD))
    })
}

/// Reads a file.
///
/// # Errors
/// With the line: of an attribute whose type is unknown or relational, a row of another length, a
/// number that is none, a value that its attribute does not declare, a quote that is not closed.
pub(in crate::data) fn read(bytes: &[u8]) -> Result<Grid> {
    let mut grid = Grid::default();
    let mut attributes: Vec<Attribute> = Vec::new();
    let mut is_data = false;
    for (line, text) in (1u64..).zip(text_of(bytes)?.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('%') {
            continue;
        }
        if is_data {
            row(&mut grid, &attributes, line, text)?;
            continue;
        }
        let word = text.split(char::is_whitespace).next().unwrap_or_default();
        match word.to_ascii_lowercase().as_str() {
            "@relation" => {}
            "@attribute" => {
                let (attribute, first) = attribute(line, text[word.len()..].trim())?;
                let fill = match &attribute.kind {
                    Kind::Numeric => Cell::Number(0.0),
                    _ => Cell::Word(&first),
                };
                grid.add_column(line, shorten(&attribute.name), fill)?;
                attributes.push(attribute);
            }
            "@data" => is_data = true,
            _ => {
                let found = format!("`{}`", shorten(text));
                return Err(Error::line(line, found, "@relation, @attribute or @data"));
            }
        }
    }
    grid.check()?;
    Ok(grid)
}

/// An attribute, and the first of its nominal values.
fn attribute(line: u64, text: &str) -> Result<(Attribute, String)> {
    let expected = "@attribute, a name, and numeric, string, date or {values}";
    let wrong = || Error::line(line, format!("attribute `{}`", shorten(text)), expected);
    let (name, rest) = if text.starts_with(['\'', '"']) {
        let (name, length) = quoted(text).ok_or_else(wrong)?;
        (name, &text[length..])
    } else {
        let end = text.find(|c: char| c.is_whitespace() || c == '{');
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        (name.to_string(), rest)
    };
    let rest = rest.trim();
    let mut first = String::new();
    let kind = if let Some(values) = rest.strip_prefix('{') {
        let values = values.strip_suffix('}').ok_or_else(wrong)?;
        let values = cells(line, values, true)?;
        if let Some((value, _)) = values.first() {
            first.clone_from(value);
        }
        Kind::Nominal(values.into_iter().map(|(value, _)| value).collect())
    } else {
        let word = rest.split(char::is_whitespace).next().unwrap_or_default();
        match word.to_ascii_lowercase().as_str() {
            "numeric" | "real" | "integer" => Kind::Numeric,
            "string" | "date" => Kind::Text,
            "relational" => {
                let found = format!("the relational attribute `{}`", shorten(&name));
                return Err(Error::line(
                    line,
                    found,
                    "one row a point, without bags of rows",
                ));
            }
            _ => return Err(wrong()),
        }
    };
    if name.is_empty() {
        return Err(wrong());
    }
    Ok((Attribute { name, kind }, first))
}

fn row(grid: &mut Grid, attributes: &[Attribute], line: u64, text: &str) -> Result<()> {
    if let Some(inner) = text.strip_prefix('{') {
        let inner = inner.strip_suffix('}');
        let Some(inner) = inner else {
            let expected = "a sparse row such as {0 1.5, 3 low}";
            return Err(Error::line(line, format!("`{}`", shorten(text)), expected));
        };
        for pair in parts(line, inner, |c| c == ',')? {
            let pair = pair.trim();
            if pair.is_empty() {
                continue;
            }
            let (index, value) = pair.split_once(char::is_whitespace).unwrap_or((pair, ""));
            let at = index.parse().ok().filter(|at| *at < attributes.len());
            let value = cells(line, value, true)?.pop();
            let value = value.filter(|(text, is_quoted)| *is_quoted || !text.is_empty());
            let (Some(at), Some(value)) = (at, value) else {
                let expected = format!(
                    "an attribute from 0 to {} and its value",
                    attributes.len().saturating_sub(1)
                );
                return Err(Error::line(line, format!("`{}`", shorten(pair)), expected));
            };
            put(grid, attributes, line, at, &value)?;
        }
        grid.end_row(line);
        return Ok(());
    }
    let by_comma = parts(line, text, |c| c == ',')?.len() > 1;
    let cells = cells(line, text, by_comma)?;
    if cells.len() != attributes.len() {
        let found = format!("{} values", cells.len());
        let expected = format!("{} values, one for each attribute", attributes.len());
        return Err(Error::line(line, found, expected));
    }
    for (at, cell) in cells.iter().enumerate() {
        put(grid, attributes, line, at, cell)?;
    }
    grid.end_row(line);
    Ok(())
}

fn put(
    grid: &mut Grid,
    attributes: &[Attribute],
    line: u64,
    at: usize,
    (text, is_quoted): &(String, bool),
) -> Result<()> {
    if text == "?" && !is_quoted {
        return grid.push(line, at, Cell::MISSING);
    }
    let Attribute { name, kind } = &attributes[at];
    let wrong = |expected: &str| {
        let found = format!("`{}` is `{}`", shorten(name), shorten(text));
        Error::line(line, found, expected)
    };
    let cell = match kind {
        Kind::Numeric => match text.parse() {
            Ok(number) if !is_unusable(number) => Cell::Number(number),
            _ => return Err(wrong("a finite number, or ? for no value")),
        },
        Kind::Nominal(values) if !values.contains(text) => {
            return Err(wrong("one of the values that its attribute declares"));
        }
        Kind::Nominal(_) | Kind::Text => Cell::Word(text),
    };
    grid.push(line, at, cell)
}

/// The cells of a text between commas or blanks, each with whether it was quoted.
fn cells(line: u64, text: &str, by_comma: bool) -> Result<Vec<(String, bool)>> {
    let is_end = |c: char| {
        if by_comma {
            c == ','
        } else {
            c.is_whitespace()
        }
    };
    let mut cells = Vec::new();
    for part in parts(line, text, is_end)? {
        let part = part.trim();
        if part.is_empty() && !by_comma {
            continue;
        }
        cells.push(match quoted(part) {
            Some((value, _)) => (value, true),
            None => (part.to_string(), false),
        });
    }
    Ok(cells)
}

/// The parts of a text between separators outside of quotes.
fn parts(line: u64, text: &str, is_end: impl Fn(char) -> bool) -> Result<Vec<&str>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quote = None;
    let mut begins = true;
    let mut is_escaped = false;
    for (at, character) in text.char_indices() {
        if let Some(mark) = quote {
            if is_escaped {
                is_escaped = false;
            } else if character == '\\' {
                is_escaped = true;
            } else if character == mark {
                quote = None;
            }
        } else if begins && matches!(character, '\'' | '"') {
            quote = Some(character);
            begins = false;
        } else if is_end(character) {
            parts.push(&text[start..at]);
            start = at + character.len_utf8();
            begins = true;
        } else {
            // A quote within a word is an apostrophe; one after blanks opens.
            begins = character.is_whitespace();
        }
    }
    if quote.is_some() {
        return Err(Error::line(
            line,
            "a quote that is not closed",
            "a closing quote",
        ));
    }
    parts.push(&text[start..]);
    Ok(parts)
}

/// A text in quotes at the beginning, and its length with them; `\` escapes.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut characters = text.char_indices();
    let (_, mark) = characters.next().filter(|(_, c)| matches!(c, '\'' | '"'))?;
    let mut value = String::new();
    let mut is_escaped = false;
    for (at, character) in characters {
        if is_escaped {
            value.push(character);
            is_escaped = false;
        } else if character == '\\' {
            is_escaped = true;
        } else if character == mark {
            return Some((value, at + 1));
        } else {
            value.push(character);
        }
    }
    None
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

    const HEAD: &str = "% a comment\n@RELATION 'two words'\n\n@attribute 'a b' REAL\n\
        @ATTRIBUTE kind {low, 'very high',it's}\n@attribute note string\n@DATA\n";

    #[test]
    fn names_types_quotes_and_missing_values_are_read() {
        let text =
            format!("{HEAD}1.5, low, x\n% between\n?,'very high','a, \\'b\\''\n2,it's,'?'\n");
        assert!(recognises(text.as_bytes()));
        let grid = read(text.as_bytes()).unwrap();
        assert_eq!(grid.names(), ["a b", "kind", "note"]);
        let expected = [
            "8: 1.5 'low' 'x'",
            "10: '' 'very high' 'a, 'b''",
            "11: 2 'it's' '?'",
        ];
        assert_eq!(cells(&grid), expected);
    }

    #[test]
    fn sparse_rows_leave_out_zeros_and_first_values() {
        // As in the description of the format by Weka: a value that is left out is 0, which for a
        // nominal attribute is its first one.
        let text = format!("{HEAD}{{0 2.5, 1 'very high'}}\n{{}}\n{{2 ?}}\n");
        let grid = read(text.as_bytes()).unwrap();
        assert_eq!(
            cells(&grid),
            ["8: 2.5 'very high' ''", "9: 0 'low' ''", "10: 0 'low' ''"]
        );
    }

    #[test]
    fn blanks_and_tabs_separate_where_there_is_no_comma() {
        let text = "@relation r\n@attribute a numeric\n@attribute b integer\n@data\n1\t2\n3   4\n";
        assert_eq!(cells(&read(text.as_bytes()).unwrap()), ["5: 1 2", "6: 3 4"]);
    }

    #[test]
    fn errors_name_line_and_attribute() {
        for (rows, part) in [
            ("1,low\n", "line 8: 2 values; expected 3 values"),
            (
                "x,low,y\n",
                "line 8: `a b` is `x`; expected a finite number",
            ),
            ("1e999,low,y\n", "`1e999`"),
            (
                "1,medium,y\n",
                "`kind` is `medium`; expected one of the values",
            ),
            ("1,low,'y\n", "a quote that is not closed"),
            ("{3 1}\n", "`3 1`; expected an attribute from 0 to 2"),
            ("{0}\n", "`0`"),
            ("{0 1\n", "expected a sparse row"),
            ("", "the end of the file"),
        ] {
            let text = format!("{HEAD}{rows}");
            assert!(error(&text).contains(part), "{rows}: {}", error(&text));
        }
        for (text, part) in [
            (
                "@relation r\n@attribute a relational\n",
                "line 2: the relational attribute `a`",
            ),
            ("@relation r\n@attribute a colour\n", "attribute `a colour`"),
            ("@relation r\n@attribute a {b\n", "attribute `a {b`"),
            ("@relation r\n1,2\n", "line 2: `1,2`; expected @relation"),
        ] {
            assert!(error(text).contains(part), "{text}: {}", error(text));
        }
    }
}
