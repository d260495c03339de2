//! svmlight and libsvm: a label, `qid:` with a number, and the features that are not zero as
//! `index:value`, a point a line. The columns are `label`, `qid` where the file has it, and `x1` to
//! `xd`. Indices count from 1, or from 0 where an index 0 occurs. Not here: what a column means.

use super::csv::shorten;
use super::grid::{Cell, Grid, text_of};
use crate::data::{MAX_FEATURES, is_unusable};
use crate::{Error, Result};

/// A point, as written.
struct Point {
    label: f64,
    qid: Option<u64>,
    /// Index and value, indices rising.
    pairs: Vec<(usize, f64)>,
}

/// The first lines that `recognises` looks at, and the most bytes.
const SAMPLED_LINES: usize = 20;
const SAMPLED_BYTES: usize = 1 << 16;

/// Is this svmlight? The first lines are points, and one of them has a feature.
pub(in crate::data) fn recognises(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(SAMPLED_BYTES)];
    let mut has_pair = false;
    let mut lines = 0;
    for line in sample.split(|byte| *byte == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else {
            return false;
        };
        if content(line).is_empty() {
            continue;
        }
        match point(content(line)) {
            Ok(point) => has_pair |= !point.pairs.is_empty(),
            // The last line of a sample may be cut.
            Err(_) => return has_pair && lines > 0 && sample.len() == SAMPLED_BYTES,
        }
        lines += 1;
        if lines == SAMPLED_LINES {
            break;
        }
    }
    has_pair
}

/// Reads a file.
///
/// # Errors
/// With the line: of a cell that is no label, `qid` or feature, an index beyond the limit, indices
/// that do not rise, a number that is not finite.
pub(in crate::data) fn read(bytes: &[u8]) -> Result<Grid> {
    let text = text_of(bytes)?;
    let lines = || {
        let numbered = (1u64..).zip(text.lines());
        numbered.filter(|(_, line)| !content(line).is_empty())
    };
    let parse = |(line, text): (u64, &str)| {
        point(content(text)).map_err(|(found, expected)| Error::line(line, found, expected))
    };
    let (mut first, mut last, mut has_qid) = (1, 0, false);
    for line in lines() {
        let point = parse(line)?;
        has_qid |= point.qid.is_some();
        for (index, _) in point.pairs {
            first = first.min(index);
            last = last.max(index);
        }
    }
    let mut grid = Grid::default();
    grid.add_column(1, "label", Cell::MISSING)?;
    if has_qid {
        grid.add_column(1, "qid", Cell::MISSING)?;
    }
    let before = grid.width();
    for index in first..=last {
        grid.add_column(1, format!("x{index}"), Cell::Number(0.0))?;
    }
    for line in lines() {
        let point = parse(line)?;
        let line = line.0;
        grid.push(line, 0, Cell::Number(point.label))?;
        if let Some(qid) = point.qid {
            grid.push(line, 1, Cell::Word(&qid.to_string()))?;
        }
        for (index, value) in point.pairs {
            grid.push(line, before + index - first, Cell::Number(value))?;
        }
        grid.end_row(line);
    }
    grid.check()?;
    Ok(grid)
}

/// A line without its comment.
fn content(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim()
}

/// A line as a point, or what was found and what was expected.
fn point(line: &str) -> std::result::Result<Point, (String, String)> {
    let refuse = |cell: &str, expected: &str| {
        let found = format!("`{}`", shorten(cell));
        Err((found, expected.to_string()))
    };
    let mut cells = line.split_ascii_whitespace();
    let label = cells.next().unwrap_or_default();
    let Some(label) = number(label) else {
        return refuse(label, "a label, one number");
    };
    let mut point = Point {
        label,
        qid: None,
        pairs: Vec::new(),
    };
    for cell in cells {
        let (index, value) = cell.split_once(':').unwrap_or((cell, ""));
        if index == "qid" && point.pairs.is_empty() && point.qid.is_none() {
            match value.parse() {
                Ok(qid) => point.qid = Some(qid),
                Err(_) => return refuse(cell, "qid: and a whole number"),
            }
            continue;
        }
        let (Ok(index), Some(value)) = (index.parse(), number(value)) else {
            return refuse(cell, "a feature, index:value");
        };
        if index > MAX_FEATURES {
            return refuse(cell, &format!("an index of at most {MAX_FEATURES}"));
        }
        if point.pairs.last().is_some_and(|(last, _)| *last >= index) {
            return refuse(cell, "indices in rising order");
        }
        point.pairs.push((index, value));
    }
    Ok(point)
}

fn number(text: &str) -> Option<f64> {
    text.parse()
        .ok()
        .filter(|number: &f64| !is_unusable(*number))
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
    fn features_that_are_not_given_are_zero() {
        // From the description of the format: svmlight.joachims.org.
        let text = "# comment\n-1 1:0.43 3:0.12 # abc\n\n+1 2:2e-1\r\n";
        let grid = read(text.as_bytes()).unwrap();
        assert_eq!(grid.names(), ["label", "x1", "x2", "x3"]);
        assert_eq!(cells(&grid), ["2: -1 0.43 0 0.12", "4: 1 0 0.2 0"]);
        assert!(recognises(text.as_bytes()));
    }

    #[test]
    fn qid_is_a_column_and_indices_may_begin_at_0() {
        let grid = read(b"3 qid:1 0:1 1:2\n2 qid:2 1:4\n").unwrap();
        assert_eq!(grid.names(), ["label", "qid", "x0", "x1"]);
        assert_eq!(cells(&grid), ["1: 3 '1' 1 2", "2: 2 '2' 0 4"]);
    }

    #[test]
    fn errors_name_line_and_cell() {
        for (text, part) in [
            ("1 1:2\n1,2 1:1\n", "line 2: `1,2`; expected a label"),
            ("1 1:a\n", "line 1: `1:a`; expected a feature"),
            ("1 1:inf\n", "`1:inf`"),
            ("1 2:1 1:1\n", "rising order"),
            ("1 1:1 1:1\n", "rising order"),
            ("1 4097:1\n", "at most 4096"),
            ("1 qid:a 1:1\n", "whole number"),
            ("1 1:1 qid:1\n", "`qid:1`; expected a feature"),
            ("# nothing\n", "the end of the file"),
        ] {
            assert!(error(text).contains(part), "{text}: {}", error(text));
        }
    }

    #[test]
    fn other_tables_are_not_taken_for_svmlight() {
        for text in [
            "a,b\n1,2\n",
            "1 2 3\n4 5 6\n",
            "1\n2\n",
            "1 12:30 12:10\n",
            "",
        ] {
            assert!(!recognises(text.as_bytes()), "{text}");
        }
    }
}
