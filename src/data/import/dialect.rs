//! How a text table is written, detected from its first rows: delimiter, lines before the table,
//! decimal sign, groups of digits, header. Not here: what its columns mean (`guess`).

use super::mapping::{Dialect, Separator, Thousands};
use super::missing::{Known, MissingWords};
use super::number::{Evidence, Style};
use crate::Result;
use crate::data::formats::csv::{Records, shorten};

/// Rows that are looked at.
const SAMPLED_ROWS: usize = 200;
/// Most rows of another width before the table.
const MAX_LEADING: usize = 20;

/// A dialect, and what a person should decide about it.
pub(super) struct Detected {
    pub(super) dialect: Dialect,
    pub(super) questions: Vec<String>,
    /// What was skipped, for people.
    pub(super) skipped: Option<String>,
}

/// A row of the sample.
struct Sampled {
    line: u64,
    cells: Vec<String>,
}

impl Sampled {
    fn is_comment(&self) -> bool {
        self.cells[0].starts_with(['#', '%']) || self.cells[0].starts_with("//")
    }

    fn has_number(&self) -> bool {
        self.cells.iter().any(|cell| is_number(cell))
    }
}

fn is_number(cell: &str) -> bool {
    Evidence::of(cell).is_some()
}

fn is_missing(cell: &str) -> bool {
    MissingWords::known(Known::All).has(cell, Style::default())
}

fn sample(bytes: &[u8], separator: Separator, skip: usize) -> (Vec<Sampled>, Result<()>) {
    let mut rows = Vec::new();
    let result = Records::after(bytes, separator.byte(), skip).and_then(|mut records| {
        while rows.len() < SAMPLED_ROWS {
            let Some((line, record)) = records.next()? else {
                break;
            };
            let cell = |cell: &[u8]| String::from_utf8_lossy(cell).trim().to_string();
            rows.push(Sampled {
                line,
                cells: record.iter().map(cell).collect(),
            });
        }
        Ok(())
    });
    (rows, result)
}

/// The most frequent number of cells; the larger of two.
fn usual_width(rows: &[Sampled]) -> usize {
    let widths = || rows.iter().map(|row| row.cells.len());
    let count = |width: usize| widths().filter(|other| *other == width).count();
    widths()
        .max_by_key(|width| (count(*width), *width))
        .unwrap_or(0)
}

/// `sep=;` in the first line, as spreadsheets write it.
fn declared_separator(bytes: &[u8]) -> Option<Separator> {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let end = text.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
    let line = text[..end].trim_ascii();
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    let is_key = line.len() >= 4 && line[..4].eq_ignore_ascii_case(b"sep=");
    let &[byte] = line.get(4..).filter(|_| is_key)? else {
        // A tabulator at the end of the line was trimmed.
        return (is_key && line.len() == 4 && text[..end].ends_with(b"\t"))
            .then_some(Separator::Tab);
    };
    let is = |separator: &Separator| separator.byte() == byte;
    Separator::ALL.into_iter().find(is)
}

/// The dialect of a file.
///
/// # Errors
/// With its line: a quote that is not closed, a file that is too large.
pub(super) fn detect_dialect(bytes: &[u8]) -> Result<Detected> {
    let declared = declared_separator(bytes);
    let skip = usize::from(declared.is_some());
    let (mut best, mut best_score) = (None, None);
    for separator in Separator::ALL {
        if declared.is_some_and(|declared| declared != separator) {
            continue;
        }
        let (rows, result) = sample(bytes, separator, skip);
        let width = usual_width(&rows);
        let usual = || rows.iter().filter(|row| row.cells.len() == width);
        let even = usual().count() * 10 >= rows.len() * 9
            || rows.len() - usual().count() <= rows.len().min(4) / 2;
        let cells = || usual().flat_map(|row| &row.cells);
        let numbers = cells().filter(|cell| is_number(cell)).count();
        // Equal rows of several cells first, then the most numbers, then the most columns.
        let share = numbers * 1000 / cells().count().max(1);
        let score = (width > 1 && even, share, width);
        if best_score.is_none_or(|other| score > other) {
            best_score = Some(score);
            best = Some((separator, rows, result));
        }
    }
    let Some((separator, rows, result)) = best else {
        return Ok(Detected {
            dialect: Dialect::default(),
            questions: Vec::new(),
            skipped: None,
        });
    };
    result?;
    let width = usual_width(&rows);
    let mut questions = Vec::new();
    let leading = leading_rows(bytes, separator, skip, &rows, width);
    let table = &rows[leading..];
    let skip = match table.first() {
        Some(first) if leading > 0 => usize::try_from(first.line - 1).unwrap_or(skip),
        _ => skip,
    };
    for row in &rows[..leading] {
        if !row.is_comment() && row.cells.len() > 1 && !row.has_number() {
            questions.push(format!(
                "Line {} has {} cells and the rows have {width}. Does the table begin after it?",
                row.line,
                row.cells.len()
            ));
        }
    }
    let header = has_header(table);
    let data = &table[usize::from(header).min(table.len())..];
    let signs = Signs::of(data, separator, table.first().filter(|_| header));
    questions.extend(signs.question);
    Ok(Detected {
        dialect: Dialect {
            separator,
            skip,
            decimal_comma: signs.decimal_comma,
            comma_columns: signs.comma_columns,
            thousands: signs.thousands,
            header,
            variables: Vec::new(),
        },
        questions,
        skipped: (skip > 0).then(|| skipped_lines(bytes, skip)),
    })
}

/// A few words about the lines before the table.
fn skipped_lines(bytes: &[u8], skip: usize) -> String {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let end = text.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    let first = String::from_utf8_lossy(&text[..end.unwrap_or(text.len())]);
    shorten(first.trim_matches([' ', '"'])) + if skip > 1 { " ..." } else { "" }
}

/// Rows of the sample that are no part of the table.
fn leading_rows(
    bytes: &[u8],
    separator: Separator,
    skip: usize,
    rows: &[Sampled],
    width: usize,
) -> usize {
    if width < 2 {
        let comments = rows.iter().take_while(|row| row.is_comment()).count();
        return if comments < rows.len() { comments } else { 0 };
    }
    let fits = |at: usize| rows.get(at).is_some_and(|row| row.cells.len() == width);
    let mut leading = 0;
    while leading < rows.len().min(MAX_LEADING) {
        let row = &rows[leading];
        // R writes no name for the column of row names; and a header can lack its last delimiter.
        let is_short_header = row.cells.len() + 1 == width && fits(leading + 1);
        let is_before_header = row.is_comment()
            && rows.get(leading + 1).is_some_and(|next| !next.has_number())
            && rows.get(leading + 2).is_some_and(Sampled::has_number);
        let is_long_header = row.cells.len() == width + 1
            && row.cells.last().is_some_and(String::is_empty)
            && fits(leading + 1);
        let is_part = if row.is_comment() {
            fits(leading) && !is_before_header && !row.has_number()
        } else {
            fits(leading) || is_short_header || is_long_header
        };
        if is_part {
            break;
        }
        leading += 1;
    }
    if leading == rows.len().min(MAX_LEADING) {
        return 0;
    }
    // `150,4,setosa,versicolor,virginica`: rows, features, and the names of the classes.
    let row = &rows[leading];
    let count = |at: usize| {
        row.cells
            .get(at)
            .and_then(|cell| cell.parse::<usize>().ok())
    };
    let is_data = row.cells.len() == width
        && (width == 2 || row.cells.iter().skip(2).any(|cell| is_number(cell)));
    if !is_data
        && count(1).is_some_and(|features| features + 1 == width || features == width)
        && let Some(next) = rows.get(leading + 1)
        && let Some(below) = count_rows(bytes, separator, skip).checked_sub(leading + 1)
        && (count(0) == Some(below)
            || (count(0) == Some(below.saturating_sub(1)) && !next.has_number()))
    {
        leading += 1;
    } else if leading == 0 {
        return 0;
    }
    leading
}

fn count_rows(bytes: &[u8], separator: Separator, skip: usize) -> usize {
    let mut count = 0;
    if let Ok(mut records) = Records::after(bytes, separator.byte(), skip) {
        while let Ok(Some(_)) = records.next() {
            count += 1;
        }
    }
    count
}

/// Does the first row name the columns?
fn has_header(rows: &[Sampled]) -> bool {
    let Some((first, data)) = rows.split_first() else {
        return true;
    };
    if !first.has_number() {
        return true;
    }
    // R's header lacks the name of the first column.
    let shift = match data.first() {
        Some(row) if row.cells.len() == first.cells.len() + 1 => 1,
        _ => 0,
    };
    let column = |at: usize| data.iter().filter_map(move |row| row.cells.get(at + shift));
    let is_mostly_numbers = |at: usize| {
        let known = || column(at).filter(|cell| !is_missing(cell));
        let numbers = known().filter(|cell| is_number(cell)).count();
        numbers > 0 && numbers * 2 > known().count()
    };
    let is_name = |(at, cell): (usize, &String)| {
        !is_number(cell) && !is_missing(cell) && is_mostly_numbers(at)
    };
    if first.cells.iter().enumerate().any(is_name) {
        return true;
    }
    // Names that are whole numbers: those of pandas, years, wavelengths.
    let names: Option<Vec<i64>> = (first.cells.iter().filter(|cell| is_number(cell)))
        .map(|cell| cell.parse().ok())
        .collect();
    let Some(names) = names.filter(|names| names.len() > 1) else {
        return false;
    };
    let steps: Vec<i64> = names
        .windows(2)
        .map(|two| two[1].wrapping_sub(two[0]))
        .collect();
    let even = steps[0] != 0 && steps.iter().all(|step| *step == steps[0]);
    let counts_from_zero = names[0] == 0 && steps[0] == 1;
    let is_year = |year: &i64| (1800..=2200).contains(year);
    let are_names = even && (names.len() > 2 || counts_from_zero || names.iter().all(is_year));
    if !are_names || data.is_empty() {
        return false;
    }
    // Rows that count in the same way show that the first one is a row, too.
    let counts = |row: &Sampled| {
        let numbers: Option<Vec<i64>> = (row.cells.iter().filter(|cell| is_number(cell)))
            .map(|cell| cell.parse().ok())
            .collect();
        numbers.is_some_and(|numbers| {
            numbers.len() >= names.len()
                && numbers[numbers.len() - names.len()..]
                    .windows(2)
                    .all(|two| two[1].wrapping_sub(two[0]) == steps[0])
        })
    };
    !data.iter().any(counts)
}

/// Decimal signs and groups of digits.
#[derive(Default)]
struct Signs {
    decimal_comma: bool,
    comma_columns: Vec<usize>,
    thousands: Option<Thousands>,
    question: Option<String>,
}

/// What the numbers of a column tell.
#[derive(Default)]
struct ColumnSigns {
    point: bool,
    comma: bool,
    /// `1.304`
    maybe_point: bool,
    /// `7,341`
    maybe_comma: Option<String>,
}

impl Signs {
    fn of(rows: &[Sampled], separator: Separator, header: Option<&Sampled>) -> Self {
        let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let mut columns: Vec<ColumnSigns> = Vec::new();
        columns.resize_with(width, ColumnSigns::default);
        let mut groups: Vec<Thousands> = Vec::new();
        for (at, column) in columns.iter_mut().enumerate() {
            let cells = || {
                let cells = rows.iter().filter_map(|row| row.cells.get(at));
                cells.filter(|cell| !is_missing(cell))
            };
            let numbers = cells().filter(|cell| is_number(cell)).count();
            // Words of a text that look like numbers say nothing.
            if numbers * 2 < cells().count() {
                continue;
            }
            for cell in cells() {
                let Some(evidence) = Evidence::of(cell) else {
                    continue;
                };
                column.comma |= evidence.decimal_comma == Some(true);
                column.point |= evidence.decimal_comma == Some(false);
                column.maybe_point |= evidence.ambiguous == Some(false);
                if evidence.ambiguous == Some(true) {
                    column.maybe_comma.get_or_insert_with(|| cell.clone());
                }
                if let Some(kind) = evidence.thousands
                    && !groups.contains(&kind)
                {
                    groups.push(kind);
                }
            }
        }
        let mut thousands = match groups[..] {
            [kind] => Some(kind),
            _ => None,
        };
        let some_comma = columns.iter().any(|column| column.comma);
        let maybe = (columns.iter().enumerate())
            .find_map(|(at, column)| Some((at, column.maybe_comma.as_ref()?)));
        let mut question = None;
        if thousands.is_none()
            && !some_comma
            && let Some((at, cell)) = maybe
        {
            // Between commas nobody writes decimal commas, and has to quote them.
            if separator == Separator::Comma || columns[at].point {
                thousands = Some(Thousands::Comma);
            } else {
                let name = header
                    .and_then(|row| row.cells.get(at))
                    .filter(|n| !n.is_empty());
                let name = name.map_or(format!("column {}", at + 1), |name| {
                    format!("`{}`", shorten(name))
                });
                let (joined, decimal) = (cell.replace(',', ""), cell.replace(',', "."));
                question = Some(format!(
                    "`{cell}` in {name} can be {joined} (thousands:comma) or {decimal} \
                     (decimal:comma). Which?"
                ));
            }
        }
        let is_comma = |column: &ColumnSigns| {
            thousands != Some(Thousands::Comma)
                && (column.comma && !column.point || column.maybe_comma.is_some() && some_comma)
        };
        let all_commas = thousands == Some(Thousands::Point);
        let comma_columns: Vec<usize> = (0..width).filter(|at| is_comma(&columns[*at])).collect();
        let is_point = |at: &usize| {
            let column = &columns[*at];
            column.point || (column.maybe_point && !is_comma(column))
        };
        let points: Vec<usize> = (0..width).filter(is_point).collect();
        if !all_commas
            && !comma_columns.is_empty()
            && let Some(at) = points.iter().find(|at| !columns[**at].point)
        {
            question.get_or_insert_with(|| {
                format!(
                    "Column {} has decimal commas, and column {} points before three digits. Do the \
                     points separate thousands (thousands:point)?",
                    comma_columns[0] + 1,
                    at + 1
                )
            });
        }
        Self {
            decimal_comma: all_commas || !comma_columns.is_empty(),
            comma_columns: if all_commas || points.is_empty() {
                Vec::new()
            } else {
                comma_columns
            },
            thousands,
            question,
        }
    }
}

/// How a header fits its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// A name for every column.
    Straight,
    /// The rows begin with a name of their own, which has no name in the header (R's `write.table`).
    RowNames,
    /// The header ends with a delimiter, the rows do not.
    EmptyName,
}

/// How a header of so many names fits the rows below it.
pub(super) fn edge(bytes: &[u8], reading: &Dialect, names: usize) -> Result<Edge> {
    let mut records = Records::after(bytes, reading.separator.byte(), reading.skip)?;
    records.next()?;
    let mut first = Vec::new();
    let mut last_is_empty = true;
    for row in 0..SAMPLED_ROWS {
        // A row that cannot be read is reported where its values are read.
        let Ok(Some((_, record))) = records.next() else {
            break;
        };
        if row == 0 && record.len() + 1 == names {
            let header_ends_empty = sample(bytes, reading.separator, reading.skip).0;
            let is_empty = header_ends_empty.first().and_then(|row| row.cells.last());
            let is_empty = is_empty.is_some_and(String::is_empty);
            return Ok(if is_empty {
                Edge::EmptyName
            } else {
                Edge::Straight
            });
        }
        if record.len() != names + 1 {
            return Ok(Edge::Straight);
        }
        last_is_empty &= record
            .iter()
            .next_back()
            .is_some_and(|cell| cell.trim_ascii().is_empty());
        first.push(record[0].to_vec());
    }
    let count = first.len();
    first.sort_unstable();
    first.dedup();
    let all_different = count > 1 && first.len() == count;
    Ok(if all_different && !last_is_empty {
        Edge::RowNames
    } else {
        Edge::Straight
    })
}
