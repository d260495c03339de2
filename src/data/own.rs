//! A user's own file whose columns are not named as ours are: looked at (`inspect`), and read as a
//! `mapping` says (`read`). Not here: the text of mappings, files that need none (`sources`).
//!
//! Every file becomes a table. For CSV the rows are those of the file, with commas, semicolons or
//! tabs, quoted or not, with or without a header. For MAT, matrices with equally many rows stand
//! side by side, a column each (a vector of as many numbers is a column, too); or cell arrays of
//! equally many such matrices do, after a column `cell` with the number of the cell, which is the
//! task as a rule.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::csv::{Records, Split, Table, shorten, utf8};
use super::mapping::{MAX_COLUMNS, Mapping, Reading, Separator, TestColumn};
use super::matlab::{self, Value, Variable};
use super::{
    DataSet, Kind, Layout, MAX_FEATURES, MAX_FILE_BYTES, MAX_MAGNITUDE, MAX_TASKS, MAX_VALUES,
    ending_of, is_unusable, sha256_hex, synthetic,
};
use crate::{Error, Result};

/// Rows that a preview shows.
const SHOWN_ROWS: usize = 8;
/// Different words of a column are counted up to here.
const MAX_DISTINCT: usize = 100;
/// Different words of a column that a preview lists.
const SHOWN_WORDS: usize = 20;
/// Rows by which separator, decimal sign and header are told.
const SAMPLED_ROWS: usize = 200;

/// The limits of a user's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FileLimits {
    /// Bytes of the file, and of what a compressed one inflates to.
    pub bytes: usize,
    /// Tasks.
    pub tasks: usize,
    /// Features.
    pub features: usize,
    /// Numbers, features and labels together.
    pub values: usize,
}

/// The limits of a user's file.
pub const LIMITS: FileLimits = FileLimits {
    bytes: MAX_FILE_BYTES,
    tasks: MAX_TASKS,
    features: MAX_FEATURES,
    values: MAX_VALUES,
};

/// What most cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// Words.
    Text,
    /// Nothing.
    Empty,
}

/// A cell that is not like the others of its column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Oddity {
    /// Line of the file, from 1; row of a MAT file.
    pub line: u64,
    /// What stands there.
    pub text: String,
}

/// What is known of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// As the header says, or `column 3`.
    pub name: String,
    /// What most of its cells are.
    pub kind: ColumnKind,
    /// Number of different words; none: more than 100.
    pub distinct: Option<usize>,
    /// The words, most frequent first, and how often they stand there; none if there are more
    /// than 20.
    pub words: Vec<(String, usize)>,
    /// Smallest number.
    pub min: Option<f64>,
    /// Largest number.
    pub max: Option<f64>,
    /// Cells without a value.
    pub missing: usize,
    /// Line of the first of them.
    pub first_missing: Option<u64>,
    /// The first word in a column of numbers.
    pub first_word: Option<Oddity>,
}

/// What a file looks like.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preview {
    /// A CSV file whose header names the columns as ours are named: it needs no mapping.
    pub has_our_names: bool,
    /// A CSV file, whose reading may be changed; otherwise a MAT file.
    pub is_text: bool,
    /// How it was read.
    pub reading: Reading,
    /// MAT: the variables that may stand side by side instead.
    pub choices: Vec<Vec<String>>,
    /// At least one.
    pub columns: Vec<Column>,
    /// Line and cells of the first rows.
    pub rows: Vec<(u64, Vec<String>)>,
    /// All rows but the header.
    pub row_count: usize,
    /// Which column seems to be what. It may lack a label or features.
    pub guess: Mapping,
}

/// What a mapping makes of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Reckoning {
    /// The data set.
    pub data: DataSet,
    /// All rows but the header.
    pub rows: usize,
    /// How many of them were left out because they lack a value.
    pub dropped: usize,
}

/// Why a mapping does not fit a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong, with its line.
    pub error: Error,
    /// The column that it is about.
    pub column: Option<usize>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self {
            error,
            column: None,
        }
    }
}

impl Refusal {
    fn of(error: Error, column: usize) -> Self {
        Self {
            error,
            column: Some(column),
        }
    }
}

type Checked<T> = std::result::Result<T, Refusal>;

/// A row of the table.
struct Row<'a> {
    line: u64,
    cells: Cells<'a>,
}

#[derive(Clone, Copy)]
enum Cells<'a> {
    Text {
        record: &'a ::csv::ByteRecord,
        decimal_comma: bool,
    },
    Numbers(&'a [f64]),
}

impl Row<'_> {
    fn error(&self, found: impl std::fmt::Display, expected: impl std::fmt::Display) -> Error {
        match self.cells {
            Cells::Text { .. } => Error::line(self.line, found, expected),
            Cells::Numbers(_) => {
                Error::data(format!("row {}: {found}; expected {expected}", self.line))
            }
        }
    }

    fn text(&self, column: usize) -> Result<Cow<'_, str>> {
        match self.cells {
            Cells::Text { record, .. } => {
                let bytes = record.get(column).unwrap_or_default();
                utf8(bytes)
                    .map(Cow::Borrowed)
                    .map_err(|(found, expected)| self.error(found, expected))
            }
            Cells::Numbers(numbers) => Ok(Cow::Owned(numbers[column].to_string())),
        }
    }

    fn is_missing(&self, column: usize) -> Result<bool> {
        const WORDS: [&str; 5] = ["na", "n/a", "nan", "null", "?"];
        match self.cells {
            Cells::Numbers(numbers) => Ok(numbers[column].is_nan()),
            Cells::Text { .. } => {
                let text = self.text(column)?;
                let is_word = |word: &&str| text.eq_ignore_ascii_case(word);
                Ok(text.is_empty() || WORDS.iter().any(is_word))
            }
        }
    }

    fn number(&self, column: usize) -> Result<Option<f64>> {
        Ok(match self.cells {
            Cells::Numbers(numbers) => Some(numbers[column]).filter(|n| !is_unusable(*n)),
            Cells::Text { decimal_comma, .. } => parse(&self.text(column)?, decimal_comma),
        })
    }
}

/// A number with the one decimal sign.
fn parse(text: &str, decimal_comma: bool) -> Option<f64> {
    let number = if !decimal_comma {
        text.parse()
    } else if text.contains('.') {
        return None;
    } else {
        text.replace(',', ".").parse()
    };
    number.ok().filter(|number: &f64| !is_unusable(*number))
}

/// A file as a table.
struct Sheet<'a> {
    names: Vec<String>,
    source: Source<'a>,
}

enum Source<'a> {
    Text {
        bytes: &'a [u8],
        reading: &'a Reading,
    },
    Cells {
        blocks: Blocks<'a>,
    },
}

/// Matrices side by side, one block below the other.
struct Blocks<'a> {
    /// Rows of each block.
    counts: Vec<usize>,
    /// For each variable, its columns in each block.
    parts: Vec<(&'a str, Vec<Part<'a>>)>,
    /// The blocks are cells: their number is the first column.
    numbered: bool,
}

/// A matrix, n x d, column-major.
#[derive(Clone, Copy)]
struct Part<'a> {
    columns: usize,
    values: &'a [f64],
}

impl Part<'_> {
    fn rows(&self) -> usize {
        self.values.len() / self.columns
    }
}

/// The matrices of a variable, and whether they are cells. Row vectors are columns, unless the rows
/// of the blocks are known and say otherwise. None for what is no matrix of two sizes, or is empty.
fn parts<'a>(value: &'a Value, counts: Option<&[usize]>) -> Option<(Vec<Part<'a>>, bool)> {
    let (items, cells) = match value {
        Value::Cell { items, .. } => (&items[..], true),
        value => (std::slice::from_ref(value), false),
    };
    let sizes = items.iter().map(|item| match item {
        Value::Matrix(matrix) => matrix.rows_and_columns().filter(|(n, d)| n * d > 0),
        _ => None,
    });
    let sizes: Vec<(usize, usize)> = sizes.collect::<Option<_>>()?;
    let lie = match counts {
        None => true,
        Some(counts) => sizes.iter().map(|(_, d)| d).eq(counts),
    };
    let lie = lie && sizes.iter().all(|(n, _)| *n == 1);
    let part = |(item, (_, d)): (&'a Value, &(usize, usize))| match item {
        Value::Matrix(matrix) => Some(Part {
            columns: if lie { 1 } else { *d },
            values: &matrix.values,
        }),
        _ => None,
    };
    let parts: Vec<Part> = items.iter().zip(&sizes).filter_map(part).collect();
    (!parts.is_empty()).then_some((parts, cells))
}

/// Which variables of a MAT file have the same rows: names, rows of each block, are they cells.
fn choices(variables: &[Variable]) -> Vec<(Vec<String>, Vec<usize>, bool)> {
    let mut found: Vec<(Vec<String>, Vec<usize>, bool, usize)> = Vec::new();
    for variable in variables
        .iter()
        .filter(|variable| !variable.name.is_empty())
    {
        let Some((parts, numbered)) = parts(&variable.value, None) else {
            continue;
        };
        let counts: Vec<usize> = parts.iter().map(Part::rows).collect();
        let size = parts.len() + parts.iter().map(|part| part.values.len()).sum::<usize>();
        let same = found
            .iter_mut()
            .find(|(_, other, cells, _)| *other == counts && *cells == numbered);
        match same {
            Some((names, _, _, total)) => {
                names.push(variable.name.clone());
                *total += size;
            }
            None => found.push((vec![variable.name.clone()], counts, numbered, size)),
        }
    }
    // The largest first: it is the one that is meant.
    found.sort_by_key(|(_, _, _, size)| std::cmp::Reverse(*size));
    let plain = |(names, counts, cells, _)| (names, counts, cells);
    found.into_iter().map(plain).collect()
}

impl<'a> Blocks<'a> {
    fn find(variables: &'a [Variable], wanted: &[String]) -> Result<Self> {
        let expected = || {
            let known: Vec<String> = choices(variables)
                .into_iter()
                .map(|(names, _, _)| {
                    let names: Vec<String> = names.iter().map(|name| shorten(name)).collect();
                    names.join(" with ")
                })
                .collect();
            if known.is_empty() {
                let all = variables.iter().take(12).map(|variable| {
                    format!(
                        "{} ({})",
                        shorten(&variable.name),
                        variable.value.describe()
                    )
                });
                let all = all.collect::<Vec<_>>().join(", ");
                return format!("a file with a matrix or a cell array of matrices; it has: {all}");
            }
            format!("one of {}", known.join("; "))
        };
        let wrong = |found: String| Error::field("columns", found, expected());
        let mut counts: Option<(Vec<usize>, bool)> = None;
        let mut parts = Vec::new();
        for name in wanted {
            let variable = variables.iter().find(|variable| variable.name == *name);
            let Some(variable) = variable else {
                return Err(wrong(format!(
                    "the variable `{}`, which is not there,",
                    shorten(name)
                )));
            };
            let rows = counts.as_ref().map(|(counts, _)| &counts[..]);
            let Some((found, cells)) = self::parts(&variable.value, rows) else {
                let what = variable.value.describe();
                return Err(wrong(format!("the variable `{}` ({what})", shorten(name))));
            };
            let columns = found[0].columns;
            let rows: Vec<usize> = found.iter().map(Part::rows).collect();
            let known = counts.get_or_insert((rows.clone(), cells));
            if *known != (rows, cells) || found.iter().any(|part| part.columns != columns) {
                return Err(wrong(format!(
                    "the variable `{}` ({}), whose rows or columns differ,",
                    shorten(name),
                    variable.value.describe()
                )));
            }
            parts.push((variable.name.as_str(), found));
        }
        let Some((counts, numbered)) = counts else {
            return Err(wrong(
                "a MAT file without the names of variables (from:X,y)".to_string(),
            ));
        };
        Ok(Self {
            counts,
            parts,
            numbered,
        })
    }

    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        if self.numbered {
            names.push("cell".to_string());
        }
        for (name, parts) in &self.parts {
            let name = shorten(name);
            match parts[0].columns {
                1 => names.push(name),
                columns => names.extend((1..=columns).map(|column| format!("{name} {column}"))),
            }
        }
        names
    }
}

impl<'a> Sheet<'a> {
    fn text(bytes: &'a [u8], reading: &'a Reading) -> Result<Self> {
        let mut records = Records::new(bytes, reading.separator.byte())?;
        let Some((line, record)) = records.next()? else {
            return Err(Error::line(1, "the end of the file", "rows of a table"));
        };
        let row = Row {
            line,
            cells: Cells::Text {
                record,
                decimal_comma: false,
            },
        };
        if record.len() > MAX_COLUMNS {
            let found = format!("{} columns", record.len());
            return Err(row.error(found, format!("at most {MAX_COLUMNS} columns")));
        }
        let mut names = Vec::with_capacity(record.len());
        for column in 0..record.len() {
            let name = if reading.header {
                row.text(column)?
            } else {
                Cow::Borrowed("")
            };
            names.push(match &*name {
                "" => format!("column {}", column + 1),
                name => shorten(name),
            });
        }
        Ok(Self {
            names,
            source: Source::Text { bytes, reading },
        })
    }

    fn cells(variables: &'a [Variable], reading: &Reading) -> Result<Self> {
        let blocks = Blocks::find(variables, &reading.variables)?;
        let names = blocks.names();
        if names.len() > MAX_COLUMNS {
            let found = format!("{} columns", names.len());
            return Err(Error::field(
                "columns",
                found,
                format!("at most {MAX_COLUMNS}"),
            ));
        }
        Ok(Self {
            names,
            source: Source::Cells { blocks },
        })
    }

    /// Hands over all rows but the header.
    fn rows<E: From<Error>>(
        &self,
        mut take: impl FnMut(Row<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        match &self.source {
            Source::Text { bytes, reading } => {
                let mut records = Records::new(bytes, reading.separator.byte())?;
                let mut is_header = reading.header;
                while let Some((line, record)) = records.next()? {
                    let cells = Cells::Text {
                        record,
                        decimal_comma: reading.decimal_comma,
                    };
                    if !std::mem::take(&mut is_header) {
                        take(Row { line, cells })?;
                    }
                }
            }
            Source::Cells { blocks } => {
                let mut numbers = Vec::new();
                let mut line = 0;
                for (block, count) in blocks.counts.iter().enumerate() {
                    for row in 0..*count {
                        line += 1;
                        numbers.clear();
                        if blocks.numbered {
                            numbers.push(block as f64 + 1.0);
                        }
                        for (_, parts) in &blocks.parts {
                            let part = &parts[block];
                            numbers.extend((0..part.columns).map(|c| part.values[c * count + row]));
                        }
                        take(Row {
                            line,
                            cells: Cells::Numbers(&numbers),
                        })?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn is_mat(name: &str, bytes: &[u8]) -> Result<bool> {
    match ending_of(name, bytes)?.as_str() {
        "mat" => Ok(true),
        "csv" | "tsv" | "txt" => Ok(false),
        _ => Err(Error::field(
            "dataset",
            name,
            "a file whose name ends in .csv, .tsv, .txt or .mat",
        )),
    }
}

/// Looks at a file: its columns, its first rows, and which column seems to be what. `reading` says
/// how to read it; without, that is told from the file.
///
/// # Errors
/// A file that is no table: too large, not UTF-8, nothing in it, no matrix in it.
pub fn inspect(name: &str, bytes: &[u8], reading: Option<&Reading>) -> Result<Preview> {
    if is_mat(name, bytes)? {
        let variables = matlab::read(bytes)?;
        let choices: Vec<Vec<String>> = choices(&variables)
            .into_iter()
            .map(|(names, _, _)| names)
            .collect();
        let first = Reading {
            variables: choices.first().cloned().unwrap_or_default(),
            ..Reading::default()
        };
        let reading = reading.unwrap_or(&first);
        let sheet = Sheet::cells(&variables, reading)?;
        return summarise(&sheet, reading, choices, false);
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(Error::line(
            1,
            "text in UTF-16",
            "a file that is saved as CSV UTF-8",
        ));
    }
    let told = match reading {
        Some(reading) => reading.clone(),
        None => tell_reading(bytes)?,
    };
    let has_our_names = told.separator == Separator::Comma
        && (Records::new(bytes, b',')?.next()?).is_some_and(|(_, header)| Table::knows(header));
    summarise(
        &Sheet::text(bytes, &told)?,
        &told,
        Vec::new(),
        has_our_names,
    )
}

/// Separator, decimal sign and header from the first rows.
fn tell_reading(bytes: &[u8]) -> Result<Reading> {
    let mut best = None;
    for separator in Separator::ALL {
        let mut records = Records::new(bytes, separator.byte())?;
        let (mut width, mut even, mut cells, mut numbers) = (0, true, 0, 0);
        for _ in 0..SAMPLED_ROWS {
            let Ok(Some((_, record))) = records.next() else {
                break;
            };
            if width == 0 {
                width = record.len();
            }
            even &= record.len() == width;
            cells += record.len();
            let is_number = |cell: &&[u8]| {
                let text = String::from_utf8_lossy(cell);
                parse(text.trim(), false)
                    .or(parse(text.trim(), true))
                    .is_some()
            };
            numbers += record.iter().filter(is_number).count();
        }
        // Equal rows of several cells first, then the most numbers, then the most columns.
        let share = numbers * 1000 / cells.max(1);
        let score = (width > 1 && even, share, width);
        if best.is_none_or(|(other, _)| score > other) {
            best = Some((score, separator));
        }
    }
    let separator = best.map_or(Separator::Comma, |(_, separator)| separator);
    let mut records = Records::new(bytes, separator.byte())?;
    let mut header = false;
    let (mut commas, mut points) = (false, false);
    for row in 0..SAMPLED_ROWS {
        let Some((_, record)) = records.next()? else {
            break;
        };
        let mut has_number = false;
        for cell in record {
            let text = String::from_utf8_lossy(cell);
            let text = text.trim();
            has_number |= parse(text, false).or(parse(text, true)).is_some();
            if parse(text, false).is_some() {
                points |= text.contains('.');
            } else if parse(text, true).is_some() {
                // 1,234 may be meant either way, so it says nothing.
                commas |= text.split_once(',').is_some_and(|(whole, rest)| {
                    rest.len() != 3 || whole.trim_start_matches('-') == "0"
                });
            }
        }
        if row == 0 {
            header = !has_number;
        }
    }
    Ok(Reading {
        separator,
        decimal_comma: commas && !points,
        header,
        variables: Vec::new(),
    })
}

/// What is counted of a column.
#[derive(Default)]
struct Counter {
    words: HashMap<String, usize>,
    /// There are more words than are counted.
    many: bool,
    numbers: usize,
    texts: usize,
    range: Option<(f64, f64)>,
    missing: usize,
    first_missing: Option<u64>,
    first_word: Option<Oddity>,
}

fn summarise(
    sheet: &Sheet<'_>,
    reading: &Reading,
    choices: Vec<Vec<String>>,
    has_our_names: bool,
) -> Result<Preview> {
    let mut counters: Vec<Counter> = Vec::new();
    counters.resize_with(sheet.names.len(), Counter::default);
    let mut rows = Vec::new();
    let mut row_count = 0;
    sheet.rows(|row| -> Result<()> {
        row_count += 1;
        if rows.len() < SHOWN_ROWS {
            let cells = (0..counters.len()).map(|column| Ok(shorten(&row.text(column)?)));
            rows.push((row.line, cells.collect::<Result<_>>()?));
        }
        for (column, counter) in counters.iter_mut().enumerate() {
            if row.is_missing(column)? {
                counter.missing += 1;
                counter.first_missing.get_or_insert(row.line);
                continue;
            }
            let text = row.text(column)?;
            if let Some(number) = row.number(column)? {
                counter.numbers += 1;
                let (low, high) = counter.range.unwrap_or((number, number));
                counter.range = Some((low.min(number), high.max(number)));
            } else {
                counter.texts += 1;
                counter.first_word.get_or_insert_with(|| Oddity {
                    line: row.line,
                    text: shorten(&text),
                });
            }
            if counter.many {
                continue;
            }
            if let Some(count) = counter.words.get_mut(&*text) {
                *count += 1;
            } else if counter.words.len() == MAX_DISTINCT {
                counter.many = true;
                counter.words = HashMap::new();
            } else {
                counter.words.insert(text.into_owned(), 1);
            }
        }
        Ok(())
    })?;
    let columns: Vec<Column> = (sheet.names.iter().zip(counters))
        .map(|(name, counter)| column(name, counter))
        .collect();
    let guess = guess(&columns, reading);
    Ok(Preview {
        has_our_names,
        is_text: matches!(sheet.source, Source::Text { .. }),
        reading: reading.clone(),
        choices,
        columns,
        rows,
        row_count,
        guess,
    })
}

fn column(name: &str, counter: Counter) -> Column {
    let kind = match (counter.numbers, counter.texts) {
        (0, 0) => ColumnKind::Empty,
        (numbers, texts) if numbers >= texts => ColumnKind::Number,
        _ => ColumnKind::Text,
    };
    let distinct = (!counter.many).then_some(counter.words.len());
    let mut words: Vec<(String, usize)> = counter.words.into_iter().collect();
    if words.len() > SHOWN_WORDS {
        words.clear();
    }
    words.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    let range = counter.range.filter(|_| kind == ColumnKind::Number);
    Column {
        name: name.to_string(),
        kind,
        distinct,
        words,
        min: range.map(|(low, _)| low),
        max: range.map(|(_, high)| high),
        missing: counter.missing,
        first_missing: counter.first_missing,
        first_word: counter.first_word.filter(|_| kind == ColumnKind::Number),
    }
}

/// Which column seems to be what, by the names and by what stands in them.
fn guess(columns: &[Column], reading: &Reading) -> Mapping {
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

/// Reads a file as a mapping says. The SHA-256 is that of the file; the text of the mapping goes
/// with the data set.
///
/// # Errors
/// With the line or row and the column: of a row that is short or long, a quote that is not
/// closed, a number that is none, a label that is no class, a word that is that for test but for
/// its case, a value that is missing (unless such rows are dropped), a limit that is passed.
/// Of the field `columns` where the mapping does not fit the file. As `DataSet::new`.
pub fn read(name: &str, bytes: &[u8], mapping: &Mapping) -> Checked<Reckoning> {
    if is_mat(name, bytes)? {
        let variables = matlab::read(bytes)?;
        let sheet = Sheet::cells(&variables, &mapping.reading)?;
        return collect(&sheet, name, bytes, mapping);
    }
    if !mapping.reading.variables.is_empty() {
        return Err(Error::field("columns", "variables", "`from` only for a MAT file").into());
    }
    collect(&Sheet::text(bytes, &mapping.reading)?, name, bytes, mapping)
}

fn collect(sheet: &Sheet<'_>, name: &str, bytes: &[u8], mapping: &Mapping) -> Checked<Reckoning> {
    let width = sheet.names.len();
    mapping.check(width)?;
    let shared = mapping.labels.len() > 1;
    let split_column = mapping.split.as_ref().map(|split| split.column);
    let needed: Vec<usize> = (mapping.labels.iter())
        .chain(&mapping.features)
        .copied()
        .chain(mapping.task)
        .chain(split_column)
        .collect();
    let reader = Reader {
        names: &sheet.names,
        mapping,
    };
    let mut table = Table {
        features: mapping.features.len(),
        tasks: Vec::new(),
        has_split: mapping.split.is_some(),
    };
    let mut index = HashMap::new();
    // Of tasks that share their features.
    let (mut features, mut labels) = (Vec::new(), vec![Vec::new(); mapping.labels.len()]);
    let (mut splits, mut rows, mut dropped, mut values) = (Vec::new(), 0, 0, 0);
    sheet.rows(|row| -> Checked<()> {
        rows += 1;
        if let Cells::Text { record, .. } = row.cells
            && record.len() != width
        {
            let expected = format!("{width} columns as in the first row");
            return Err(row
                .error(format!("{} columns", record.len()), expected)
                .into());
        }
        for column in &needed {
            if row.is_missing(*column)? {
                if mapping.drop_missing {
                    dropped += 1;
                    return Ok(());
                }
                let what = format!("{} has no value", reader.title(*column));
                let error = row.error(what, "a value, or that rows without one are left out");
                return Err(Refusal::of(error, *column));
            }
        }
        values += mapping.features.len() + mapping.labels.len();
        if values > MAX_VALUES {
            let expected = format!("at most {MAX_VALUES} numbers in a file");
            return Err(row.error("too many numbers", expected).into());
        }
        let split = match &mapping.split {
            None => None,
            Some(split) => Some(reader.split(&row, split)?),
        };
        if shared {
            for (column, labels) in mapping.labels.iter().zip(&mut labels) {
                labels.push(reader.label(&row, *column)?);
            }
            for column in &mapping.features {
                features.push(reader.number(&row, *column)?);
            }
            splits.extend(split);
            return Ok(());
        }
        let [column] = mapping.labels[..] else {
            unreachable!("a mapping that was checked has a label");
        };
        let label = reader.label(&row, column)?;
        let task_name = match mapping.task {
            Some(column) => row.text(column)?,
            None => Cow::Borrowed(reader.names[column].as_str()),
        };
        let task = table
            .task(&task_name, &mut index)
            .map_err(|(found, expected)| Refusal {
                error: row.error(found, expected),
                column: mapping.task,
            })?;
        for column in &mapping.features {
            task.points.features.push(reader.number(&row, *column)?);
        }
        task.points.labels.push(label);
        task.splits.extend(split);
        Ok(())
    })?;
    let kind = match mapping.classes {
        Some(_) => Kind::Classification,
        None => Kind::Regression,
    };
    let mut data = if shared {
        reader.share(name, kind, features, labels, &splits)?
    } else {
        if table.tasks.is_empty() {
            let what = match dropped {
                0 => "no row below the header".to_string(),
                _ => format!("all {dropped} rows lack a value"),
            };
            return Err(Error::data(format!("{name}: {what}; expected at least one point")).into());
        }
        table.sort_numerically();
        table.into_kind(name, kind, bytes)?
    };
    data.sha256 = sha256_hex(bytes);
    data.columns = Some(mapping.to_string());
    Ok(Reckoning {
        data,
        rows,
        dropped,
    })
}

/// Reads cells as a mapping says.
struct Reader<'a> {
    names: &'a [String],
    mapping: &'a Mapping,
}

impl Reader<'_> {
    fn title(&self, column: usize) -> String {
        format!("`{}` (column {})", self.names[column], column + 1)
    }

    fn number(&self, row: &Row<'_>, column: usize) -> Checked<f64> {
        if let Some(number) = row.number(column)? {
            return Ok(number);
        }
        let text = row.text(column)?;
        let comma = self.mapping.reading.decimal_comma;
        let expected = if parse(&text, !comma).is_some() {
            let sign = if comma { "comma" } else { "point" };
            format!("a number with a decimal {sign}; is the decimal sign the right one?")
        } else if self.mapping.labels.contains(&column) && text.parse::<f64>().is_err() {
            "a number, or a classification by two words".to_string()
        } else {
            format!("a finite number of at most {MAX_MAGNITUDE:e}")
        };
        let found = format!("{} is `{}`", self.title(column), shorten(&text));
        Err(Refusal::of(row.error(found, expected), column))
    }

    fn label(&self, row: &Row<'_>, column: usize) -> Checked<f64> {
        let Some([low, high]) = &self.mapping.classes else {
            return self.number(row, column);
        };
        let text = row.text(column)?;
        // 1 and 1.0 are one class.
        let comma = self.mapping.reading.decimal_comma;
        let is = |word: &String| {
            *text == **word || parse(&text, comma).is_some_and(|n| parse(word, comma) == Some(n))
        };
        if is(low) {
            return Ok(-1.0);
        }
        if is(high) {
            return Ok(1.0);
        }
        let found = format!("{} is `{}`", self.title(column), shorten(&text));
        let expected = format!("`{}` or `{}`", shorten(low), shorten(high));
        Err(Refusal::of(row.error(found, expected), column))
    }

    /// Every word but that for test says training: but not one that differs from it in case only,
    /// which would be taken for the opposite of what it says.
    fn split(&self, row: &Row<'_>, TestColumn { column, test }: &TestColumn) -> Checked<Split> {
        let text = row.text(*column)?;
        if *text == **test {
            return Ok(Split::Test);
        }
        if text.to_lowercase() != test.to_lowercase() {
            return Ok(Split::Train);
        }
        let found = format!("{} is `{}`", self.title(*column), shorten(&text));
        let expected = format!("`{}` as it says test, or another word", shorten(test));
        Err(Refusal::of(row.error(found, expected), *column))
    }

    /// Each label column is a task; all share the features.
    fn share(
        &self,
        name: &str,
        kind: Kind,
        features: Vec<f64>,
        labels: Vec<Vec<f64>>,
        splits: &[Split],
    ) -> Result<DataSet> {
        let names: Vec<String> = (self.mapping.labels.iter())
            .map(|column| self.names[*column].clone())
            .collect();
        let width = self.mapping.features.len();
        if self.mapping.split.is_none() {
            return DataSet::new(
                name,
                kind,
                width,
                names,
                Layout::Shared { features, labels },
            );
        }
        // Points with a split belong to a task: every task has its copy.
        let total = (features.len() + splits.len()).saturating_mul(names.len());
        if total > MAX_VALUES {
            return Err(Error::data(format!(
                "{name}: {total} numbers, since with a split every task has its copy of the \
                 features; expected at most {MAX_VALUES}"
            )));
        }
        let tasks = labels.into_iter().map(|labels| super::RawPoints {
            features: features.clone(),
            labels,
        });
        let is_test: Vec<bool> = splits.iter().map(|split| *split == Split::Test).collect();
        let layout = Layout::Separate {
            tasks: tasks.collect(),
            is_test: Some(vec![is_test; names.len()]),
        };
        DataSet::new(name, kind, width, names, layout)
    }
}

/// A file that needs no mapping, for people to look at: points of the synthetic data set.
///
/// # Errors
/// Those of the generator.
pub fn example_csv() -> Result<String> {
    const POINTS: usize = 30;
    let data = synthetic::generate(Kind::Regression, 1)?;
    let mut text = String::from("task,label");
    for feature in 1..=data.features {
        let _ = write!(text, ",x{feature}");
    }
    text.push('\n');
    if let Layout::Separate { tasks, .. } = &data.layout {
        for (task, points) in tasks.iter().enumerate() {
            let rows = points.features.chunks_exact(data.features);
            for (row, label) in rows.zip(&points.labels).take(POINTS) {
                let _ = write!(text, "{},{label:.4}", task + 1);
                for value in row {
                    let _ = write!(text, ",{value:.4}");
                }
                text.push('\n');
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::matlab::tests::Writer;
    use super::super::sources::read_user_file;
    use super::*;
    use proptest::prelude::*;

    fn look(text: &str) -> Preview {
        inspect("mine.csv", text.as_bytes(), None).unwrap()
    }

    fn guessed(text: &str) -> String {
        look(text).guess.to_string()
    }

    fn map(text: &str, columns: &str) -> Checked<Reckoning> {
        read("mine.csv", text.as_bytes(), &columns.parse().unwrap())
    }

    fn refused(text: &str, columns: &str) -> (String, Option<usize>) {
        let refusal = map(text, columns).unwrap_err();
        (refusal.error.to_string(), refusal.column)
    }

    const MESSY: &str = "\u{feff}Nr;School;\"Score; final\";hours;IQ;set\r\n\
        1;north;3,5;1,25;100;train\r\n\
        2;south;2,25;-0,5;96;TEST\r\n\r\n\
        3;north;\" 1,75 \";2;NA;train\r\n";

    #[test]
    fn a_messy_semicolon_file_is_understood() {
        let preview = look(MESSY);
        assert_eq!(preview.reading.separator, Separator::Semicolon);
        assert!(preview.reading.decimal_comma && preview.reading.header);
        assert!(!preview.has_our_names);
        assert_eq!(preview.row_count, 3);
        assert_eq!(preview.rows[2].0, 5, "lines are those of the file");
        let score = &preview.columns[2];
        assert_eq!(score.name, "Score; final");
        assert_eq!((score.min, score.max), (Some(1.75), Some(3.5)));
        let iq = &preview.columns[4];
        assert_eq!((iq.missing, iq.first_missing), (1, Some(5)));
        assert_eq!(preview.columns[1].words[0], ("north".to_string(), 2));
        assert_eq!(
            preview.guess.to_string(),
            "sep:semicolon;decimal:comma;task:2;label:5;split:6,TEST;x:3-4"
        );
    }

    #[test]
    fn a_mapping_makes_tasks_and_leaves_rows_out_only_when_told_to() {
        let columns = "sep:semicolon;decimal:comma;task:2;label:3;split:6,TEST;x:4-5";
        let (message, column) = refused(MESSY, columns);
        assert_eq!(
            message,
            "line 5: `IQ` (column 5) has no value; expected a value, or that rows without one are \
             left out"
        );
        assert_eq!(column, Some(4));
        let made = map(MESSY, &format!("{columns};missing:drop")).unwrap();
        assert_eq!((made.dropped, made.rows), (1, 3));
        let data = made.data;
        assert_eq!(data.task_names, ["north", "south"]);
        assert_eq!(data.kind, Kind::Regression);
        assert_eq!(data.sha256, sha256_hex(MESSY.as_bytes()));
        assert_eq!(data.columns, Some(format!("{columns};missing:drop")));
        let Layout::Separate { tasks, is_test } = data.layout else {
            panic!("tasks have points of their own");
        };
        assert_eq!(tasks[0].features, [1.25, 100.0]);
        assert_eq!(tasks[0].labels, [3.5]);
        assert_eq!(is_test, Some(vec![vec![false], vec![true]]));
    }

    #[test]
    fn label_columns_are_tasks_that_share_the_features() {
        let text = "a,b,y1,y2\n1,2,3,4\n5,6,7,8\n";
        assert_eq!(guessed(text), "label:3-4;x:1-2");
        let data = map(text, "label:3-4;x:1-2").unwrap().data;
        assert_eq!(data.task_names, ["y1", "y2"]);
        let Layout::Shared { features, labels } = data.layout else {
            panic!("tasks share their points");
        };
        assert_eq!(features, [1.0, 2.0, 5.0, 6.0]);
        assert_eq!(labels, [[3.0, 7.0], [4.0, 8.0]]);
        let text = "a,y1,y2,fold\n1,3,4,train\n5,7,8,test\n";
        assert_eq!(guessed(text), "label:2-3;split:4,test;x:1");
        let data = map(text, &guessed(text)).unwrap().data;
        assert!(data.has_split());
        assert_eq!((data.task_count(), data.point_count()), (2, 4));
    }

    #[test]
    fn two_words_are_classes() {
        let text = "id,size,colour,diagnosis\n1,2,3,malignant\n2,5,6,benign\n3,8,9,benign\n";
        assert_eq!(guessed(text), "label:4;x:2-3;class:benign,malignant");
        let data = map(text, &guessed(text)).unwrap().data;
        assert_eq!(data.kind, Kind::Classification);
        assert_eq!(data.task_names, ["diagnosis"]);
        let Layout::Separate { tasks, .. } = data.layout else {
            panic!("one task");
        };
        assert_eq!(tasks[0].labels, [1.0, -1.0, -1.0]);
        let other = text.replace("3,8,9,benign", "3,8,9,unclear");
        assert_eq!(
            refused(&other, "label:4;x:2-3;class:benign,malignant"),
            (
                "line 4: `diagnosis` (column 4) is `unclear`; expected `benign` or `malignant`"
                    .to_string(),
                Some(3)
            )
        );
        let (message, _) = refused(&other, "label:4;x:2-3");
        assert!(
            message.contains("or a classification by two words"),
            "{message}"
        );
        // Numbers are compared as numbers.
        let numbers = "x,y\n1,1.0\n2,2\n3,01\n";
        let data = map(numbers, "label:2;x:1;class:1,2").unwrap().data;
        let Layout::Separate { tasks, .. } = data.layout else {
            panic!("one task");
        };
        assert_eq!(tasks[0].labels, [-1.0, 1.0, -1.0]);
        assert_eq!(guessed("y,a\n0,1.5\n1,2.5\n1,3\n"), "label:1;x:2;class:0,1");
    }

    #[test]
    fn separator_header_and_decimal_sign_are_told_from_the_rows() {
        for (text, expected) in [
            ("1,2,3\n4,5,6\n", "header:no;label:3;x:1-2"),
            ("a\tb\n1.5\t2\n2\t3\n", "sep:tab;label:2;x:1"),
            (
                "1,5;2,5\n3,5;4,25\n",
                "sep:semicolon;decimal:comma;header:no;label:2;x:1",
            ),
            ("a;b\n1.5;2\n3;4\n", "sep:semicolon;label:2;x:1"),
            // Both signs, or a comma that may part thousands: a point, until someone says else.
            ("a;b\n1.5;2,5\n3;4\n", "sep:semicolon;label:2;x:1"),
            ("a;b\n1,500;2\n3;4\n", "sep:semicolon;label:2;x:1"),
            (
                "a;b\n0,500;2\n3;4\n",
                "sep:semicolon;decimal:comma;label:2;x:1",
            ),
        ] {
            let mut guess = look(text).guess;
            // Only the reading is looked at here.
            if guess.features.is_empty() {
                guess.features = vec![0];
            }
            assert_eq!(guess.to_string(), expected, "{text}");
        }
        let (message, column) = refused("a;b\n1,500;2\n", "sep:semicolon;label:2;x:1");
        assert!(
            message.contains("line 2: `a` (column 1) is `1,500`"),
            "{message}"
        );
        assert!(
            message.contains("is the decimal sign the right one?"),
            "{message}"
        );
        assert_eq!(column, Some(0));
        let (message, _) = refused("a;b\n1.5;2,5\n", "sep:semicolon;decimal:comma;label:2;x:1");
        assert!(message.contains("with a decimal comma"), "{message}");
    }

    #[test]
    fn a_file_with_our_names_gives_the_same_data_with_its_own_guess() {
        let text = "x2,task,split,x1,label\n2,10,train,1,10\n4,9,test,3,20\n5,9,train,3,2\n";
        let preview = look(text);
        assert!(preview.has_our_names);
        let plain = read_user_file("mine.csv", text.as_bytes()).unwrap();
        let mapped = map(text, "task:2;label:5;split:3,test;x:1,4").unwrap().data;
        assert_eq!(
            preview.guess.to_string(),
            "task:2;label:5;split:3,test;x:1,4"
        );
        assert_eq!(mapped.task_names, plain.task_names);
        assert_eq!(mapped.sha256, plain.sha256);
        assert_eq!(plain.columns, None);
        let in_order = "task,label,x1,x2\n10,0,1,2\n9,1,3,4\n";
        let plain = read_user_file("mine.csv", in_order.as_bytes()).unwrap();
        let mapped = map(in_order, "task:1;label:2;x:3-4;class:0,1")
            .unwrap()
            .data;
        assert_eq!(mapped.layout, plain.layout);
        assert_eq!(mapped.kind, plain.kind);
    }

    #[test]
    fn what_is_wrong_is_told_by_line_and_column() {
        for (text, columns, part, column) in [
            (
                "a,b\n1,2\n1\n",
                "label:1;x:2",
                "line 3: 1 columns; expected 2",
                None,
            ),
            (
                "a,b\n1,oops\n",
                "label:1;x:2",
                "line 2: `b` (column 2) is `oops`",
                Some(1),
            ),
            ("a,b\n1,inf\n", "label:1;x:2", "is `inf`", Some(1)),
            ("a,b\n1,\n", "label:1;x:2", "has no value", Some(1)),
            (
                "a,b\n,1\n",
                "label:1;x:2;missing:drop",
                "all 1 rows lack a value",
                None,
            ),
            ("a,b\n", "label:1;x:2", "no row below the header", None),
            ("a,b\n1,2\n", "label:1;x:3", "one of the 2 columns", None),
            (
                "a,b\n1,2\n",
                "from:X;label:1;x:2",
                "only for a MAT file",
                None,
            ),
            ("a,b\n\"1\n2\",3\n", "label:1;x:2", "line 2", Some(0)),
        ] {
            let (message, found) = refused(text, columns);
            assert!(message.contains(part), "{text}: {message}");
            assert_eq!(found, column, "{text}");
        }
        let (message, column) = refused(
            &format!("t,a,b\n{},1,2", "t".repeat(201)),
            "task:1;label:2;x:3",
        );
        assert!(
            message.starts_with("line 2: a task of 201 characters"),
            "{message}"
        );
        assert_eq!(column, Some(0));
        let many: Vec<String> = (0..=MAX_TASKS).map(|k| format!("t{k},1,2")).collect();
        let many = many.join("\n");
        let (message, column) = refused(&format!("t,a,b\n{many}"), "task:1;label:2;x:3");
        assert!(
            message.contains("line 514: task number 513; expected at most 512"),
            "{message}"
        );
        assert_eq!(column, Some(0));
        let wide = vec!["1"; MAX_COLUMNS + 1].join(",");
        let error = inspect("mine.csv", wide.as_bytes(), None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("4611 columns; expected at most 4610"),
            "{error}"
        );
        for (bytes, part) in [
            (&b"a,b\n1,\xE9\n"[..], "line 2: text that is not UTF-8"),
            (b"\xFF\xFEa\0", "UTF-16"),
            (b"", "the end of the file"),
        ] {
            let error = inspect("mine.csv", bytes, None).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(inspect("mine.png", b"", None).is_err());
    }

    #[test]
    fn a_quote_that_is_not_closed_is_seen_before_and_after_a_mapping() {
        let mut text = String::from("school;score;note\n");
        for row in 2..=200 {
            let note = if row == 42 { "\"ok" } else { "ok" };
            text += &format!("{};{row};{note}\n", row % 3);
        }
        let expected = "line 42: a quote that is not closed; expected a closing quote";
        let error = inspect("mine.csv", text.as_bytes(), None).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(refused(&text, "sep:semicolon;label:2;x:1").0, expected);
        // With another separator that quote would be none: it does not matter there.
        assert_eq!(look("a;b\n1;\"2,3\"\n4;5\n").row_count, 2);
    }

    #[test]
    fn a_word_that_differs_from_that_for_test_in_case_only_is_refused() {
        let text = "x,y,set\n1,2,test\n3,4,train\n5,6,Test\n";
        assert_eq!(
            refused(text, "x:1;label:2;split:3,test"),
            (
                "line 4: `set` (column 3) is `Test`; expected `test` as it says test, or another \
                 word"
                    .to_string(),
                Some(2)
            )
        );
        let other = text.replace("Test", "Train");
        assert!(map(&other, "x:1;label:2;split:3,test").is_ok());
    }

    #[test]
    fn what_a_preview_and_a_message_show_has_no_control_characters() {
        let text = "a\u{1b}[31m,b\n\"1\n\",2\n\u{202e}3,4\n";
        let preview = look(text);
        assert_eq!(preview.columns[0].name, r"a\u{1b}[31m");
        assert_eq!(preview.rows[1].1[0], r"\u{202e}3");
        let (message, _) = refused(text, "x:1;label:2");
        assert!(
            message.starts_with(r"line 4: `a\u{1b}[31m` (column 1) is `\u{202e}3`"),
            "{message}"
        );
    }

    const WRITER: Writer = Writer { big_endian: false };

    #[test]
    fn matrices_of_a_mat_file_stand_side_by_side() {
        let file = WRITER.file(&[
            WRITER.doubles(&[1, 3], "y", &[0.5, 1.5, 2.5]),
            WRITER.doubles(&[3, 2], "data", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            WRITER.doubles(&[1, 1], "n", &[3.0]),
        ]);
        let preview = inspect("mine.mat", &file, None).unwrap();
        assert_eq!(preview.choices, [vec!["y", "data"], vec!["n"]]);
        let names: Vec<&str> = preview.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["y", "data 1", "data 2"]);
        assert_eq!(preview.guess.to_string(), "from:y,data;label:1;x:2-3");
        let data = read("mine.mat", &file, &preview.guess).unwrap().data;
        assert_eq!(
            (data.task_count(), data.features, data.point_count()),
            (1, 2, 3)
        );
        let Layout::Separate { tasks, .. } = data.layout else {
            panic!("one task");
        };
        assert_eq!(tasks[0].features, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        for (columns, part) in [
            ("from:X;label:1;x:2", "`X`, which is not there"),
            ("from:y,n;label:1;x:2", "rows or columns differ"),
            ("label:1;x:2", "without the names"),
        ] {
            let refusal = read("mine.mat", &file, &columns.parse().unwrap()).unwrap_err();
            let message = refusal.error.to_string();
            assert!(
                message.contains(part) && message.contains("y with data"),
                "{message}"
            );
        }
        let nan = WRITER.file(&[WRITER.doubles(&[2, 2], "m", &[1.0, f64::NAN, 3.0, 4.0])]);
        let refusal = read("m.mat", &nan, &"from:m;label:2;x:1".parse().unwrap()).unwrap_err();
        let message = refusal.error.to_string();
        assert!(
            message.starts_with("row 2: `m 1` (column 1) has no value"),
            "{message}"
        );
    }

    #[test]
    fn cells_of_a_mat_file_are_tasks() {
        let cells = |name: &str, items: &[Vec<u8>]| WRITER.array(1, &[1, 2], name, items);
        let matrix = |shape: &[u32], values: &[f64]| WRITER.doubles(shape, "", values);
        let file = WRITER.file(&[
            cells(
                "pts",
                &[
                    matrix(&[2, 2], &[1.0, 2.0, 3.0, 4.0]),
                    matrix(&[1, 2], &[5.0, 6.0]),
                ],
            ),
            cells(
                "out",
                &[matrix(&[2, 1], &[0.1, 0.2]), matrix(&[1, 1], &[0.3])],
            ),
        ]);
        let preview = inspect("mine.mat", &file, None).unwrap();
        let guess = preview.guess;
        assert_eq!(guess.to_string(), "from:pts,out;task:1;label:4;x:2-3");
        let data = read("mine.mat", &file, &guess).unwrap().data;
        assert_eq!(data.task_names, ["1", "2"]);
        let Layout::Separate { tasks, .. } = data.layout else {
            panic!("tasks have points of their own");
        };
        assert_eq!(tasks[0].features, [1.0, 3.0, 2.0, 4.0]);
        assert_eq!(tasks[1].features, [5.0, 6.0]);
        assert_eq!(tasks[1].labels, [0.3]);
    }

    #[test]
    fn the_example_needs_no_mapping() {
        let text = example_csv().unwrap();
        let data = read_user_file("example.csv", text.as_bytes()).unwrap();
        assert_eq!((data.task_count(), data.features), (8, 10));
        assert_eq!(data.points_per_task(), (30, 30));
    }

    proptest! {
        #[test]
        fn any_text_ends_in_a_preview_or_an_error(text in "([a-c0-9.,;\t\"\n -]|\\PC){0,80}") {
            if let Ok(preview) = inspect("mine.csv", text.as_bytes(), None) {
                let _ = read("mine.csv", text.as_bytes(), &preview.guess);
            }
        }

        #[test]
        fn a_mapping_of_any_other_file_ends_in_data_or_an_error(
            rows in prop::collection::vec("[0-9a,.;\t]{0,12}", 0..8),
            columns in "(sep:tab;)?(header:no;)?label:[1-4];x:[5-6];task:7(;split:8,a)?",
        ) {
            let text = rows.join("\n");
            if let Ok(mapping) = columns.parse() {
                let _ = read("mine.csv", text.as_bytes(), &mapping);
            }
        }
    }
}
