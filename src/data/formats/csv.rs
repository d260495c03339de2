//! CSV: `task,label,x1..xd` and, optionally, `split`. Columns are found by their names in the header
//! row, in any order. Not here: opening files, writing them.

use std::collections::HashMap;

use crate::data::{
    DataSet, Kind, Layout, MAX_FEATURES, MAX_FILE_BYTES, MAX_MAGNITUDE, MAX_TASKS, MAX_VALUES,
    RawPoints, classify_labels, sha256_hex,
};
use crate::error::excerpt;
use crate::{Error, Result};

/// What was found, and what was expected instead.
pub(in crate::data) type Refused = (String, String);

/// Most characters of the name of a task.
const MAX_NAME: usize = 200;

/// The role of a point, from the `split` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// A clean training point.
    Train,
    /// A test point.
    Test,
    /// A point that an attack added to the training points.
    Injected,
}

/// The points of one task, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct TableTask {
    /// The text of the `task` column.
    pub name: String,
    /// The points; labels as in the file.
    pub points: RawPoints,
    /// One entry a point; empty where the file has no `split` column.
    pub splits: Vec<Split>,
}

/// A CSV file. Tasks are in numeric order if the names of all are whole numbers, otherwise in
/// the order of their first appearance.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// d.
    pub features: usize,
    /// At least one.
    pub tasks: Vec<TableTask>,
    /// Has the file a `split` column?
    pub has_split: bool,
}

/// Which column holds what.
struct Columns {
    task: usize,
    label: usize,
    split: Option<usize>,
    /// Column of x1, x2, ...
    features: Vec<usize>,
    count: usize,
}

/// Line numbers of byte positions that only grow.
struct Lines<'a> {
    text: &'a [u8],
    position: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the first character that is no line end, at or after `position`: a record
    /// begins there, after the empty lines that the reader skips.
    fn line_of(&mut self, position: usize) -> u64 {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let blank = self.text[position.min(self.text.len())..]
            .iter()
            .take_while(|byte| is_end(byte))
            .count();
        let end = (position + blank).min(self.text.len());
        for at in self.position..end {
            let ends_line = match self.text[at] {
                b'\n' => true,
                b'\r' => self.text.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends_line);
        }
        self.position = end.max(self.position);
        self.line
    }
}

/// The rows of a CSV file, each with the line that it begins on. The separator blank stands for any
/// number of blanks and tabulators.
pub(in crate::data) struct Records<'a> {
    reader: ::csv::Reader<&'a [u8]>,
    /// Where rows between blanks are read up to.
    position: usize,
    separator: u8,
    lines: Lines<'a>,
    record: ::csv::ByteRecord,
}

impl<'a> Records<'a> {
    /// A byte order mark, CRLF and empty lines are skipped; rows may differ in length.
    pub(in crate::data) fn new(bytes: &'a [u8], separator: u8) -> Result<Self> {
        Self::after(bytes, separator, 0)
    }

    /// The same after so many lines of the file, whatever they hold.
    pub(in crate::data) fn after(bytes: &'a [u8], separator: u8, skip: usize) -> Result<Self> {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(Error::line(
                1,
                format!("a file of {} bytes", bytes.len()),
                format!("at most {MAX_FILE_BYTES} bytes"),
            ));
        }
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let (text, line) = skip_lines(text, skip);
        let reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(text);
        Ok(Self {
            reader,
            position: 0,
            separator,
            lines: Lines {
                text,
                position: 0,
                line,
            },
            record: ::csv::ByteRecord::new(),
        })
    }

    pub(in crate::data) fn next(&mut self) -> Result<Option<(u64, &::csv::ByteRecord)>> {
        if self.separator == b' ' {
            return self.next_between_blanks();
        }
        let start = usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
        let more = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|error| {
                Error::line(self.lines.line_of(start), error, "a row of a CSV file")
            })?;
        if !more {
            return Ok(None);
        }
        // The reader takes the end of the file for the end of the quotes: all that follows a quote
        // which is not closed would be one cell.
        let text = self.lines.text;
        if self.reader.position().byte() == text.len() as u64
            && let Some(at) = open_quote(&text[start..], self.separator)
        {
            return Err(Error::line(
                self.lines.line_of(start + at),
                "a quote that is not closed",
                "a closing quote",
            ));
        }
        Ok(Some((self.lines.line_of(start), &self.record)))
    }

    fn next_between_blanks(&mut self) -> Result<Option<(u64, &::csv::ByteRecord)>> {
        let text = self.lines.text;
        loop {
            let rest = &text[self.position..];
            if rest.is_empty() {
                return Ok(None);
            }
            let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
            let end = rest.iter().position(is_end).unwrap_or(rest.len());
            let start = self.position;
            self.position += (end + 1).min(rest.len());
            self.record.clear();
            if split_at_blanks(&rest[..end], &mut self.record).is_err() {
                return Err(Error::line(
                    self.lines.line_of(start),
                    "a quote that is not closed",
                    "a closing quote on the same line",
                ));
            }
            if !self.record.is_empty() {
                return Ok(Some((self.lines.line_of(start), &self.record)));
            }
        }
    }

    /// The line on which the file ends.
    pub(in crate::data) fn last_line(&mut self) -> u64 {
        self.lines.line_of(self.lines.text.len())
    }
}

/// The text after so many lines, and the number of its first line.
fn skip_lines(text: &[u8], skip: usize) -> (&[u8], u64) {
    let mut rest = text;
    let mut line = 1;
    while line <= skip as u64 && !rest.is_empty() {
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let end = end.unwrap_or(rest.len());
        let ends_twice = rest[end..].starts_with(b"\r\n");
        rest = &rest[(end + 1 + usize::from(ends_twice)).min(rest.len())..];
        line += 1;
    }
    (rest, line)
}

/// The cells of a line between blanks. A cell may be quoted with either quote; two of them within are
/// one. A `#` that stands alone at the beginning belongs to the cell after it.
fn split_at_blanks(
    line: &[u8],
    record: &mut ::csv::ByteRecord,
) -> std::result::Result<(), UnclosedQuote> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut rest = line;
    let mut cell = Vec::new();
    loop {
        let blanks = rest.iter().take_while(|byte| is_blank(byte)).count();
        rest = &rest[blanks..];
        let Some(&first) = rest.first() else {
            return Ok(());
        };
        if first == b'"' || first == b'\'' {
            let mut at = 1;
            loop {
                match rest.get(at) {
                    None if first == b'"' => return Err(UnclosedQuote),
                    // An apostrophe that opens nothing.
                    None => {
                        cell.clear();
                        break;
                    }
                    Some(&byte) if byte == first && rest.get(at + 1) == Some(&first) => {
                        cell.push(first);
                        at += 2;
                    }
                    Some(&byte) if byte == first => {
                        at += 1;
                        break;
                    }
                    Some(&byte) => {
                        cell.push(byte);
                        at += 1;
                    }
                }
            }
            if at <= rest.len() && rest.get(at).is_none_or(is_blank) && rest[at - 1] == first {
                record.push_field(&cell);
                cell.clear();
                rest = &rest[at..];
                continue;
            }
            cell.clear();
        }
        let mut end = rest.iter().position(is_blank).unwrap_or(rest.len());
        if record.is_empty() && &rest[..end] == b"#" {
            let next = rest[end..].iter().take_while(|byte| is_blank(byte)).count();
            let word = &rest[end + next..];
            end += next + word.iter().position(is_blank).unwrap_or(word.len());
        }
        record.push_field(&rest[..end]);
        rest = &rest[end..];
    }
}

/// A quote has no end on its line.
struct UnclosedQuote;

/// Where the quotes open in which a record ends. Quotes count at the beginning of a cell only, and
/// two of them within are one.
fn open_quote(record: &[u8], separator: u8) -> Option<usize> {
    let mut opened = None;
    let mut begins_cell = true;
    let mut bytes = record.iter().enumerate().peekable();
    while let Some((at, &byte)) = bytes.next() {
        if opened.is_some() {
            if byte == b'"' && bytes.next_if(|(_, next)| **next == b'"').is_none() {
                opened = None;
            }
        } else if begins_cell && byte == b'"' {
            opened = Some(at);
            begins_cell = false;
        } else {
            begins_cell = byte == separator || matches!(byte, b'\r' | b'\n');
        }
    }
    opened
}

impl Table {
    /// Is this the header of a file that needs no mapping?
    pub(in crate::data) fn knows(header: &::csv::ByteRecord) -> bool {
        Columns::find(header, 1).is_ok()
    }

    /// Does the first row of a file name its columns as ours are named?
    pub fn is_ours(bytes: &[u8]) -> bool {
        let first = Records::new(bytes, b',');
        first.is_ok_and(|mut records| {
            let first = records.next();
            first.is_ok_and(|row| row.is_some_and(|(_, header)| Self::knows(header)))
        })
    }

    /// The task of this name, which is new where no earlier point was of it.
    pub(in crate::data) fn task(
        &mut self,
        name: &str,
        index: &mut HashMap<String, usize>,
    ) -> std::result::Result<&mut TableTask, Refused> {
        let at = if let Some(at) = index.get(name) {
            *at
        } else {
            if name.chars().count() > MAX_NAME {
                return Err((
                    format!("a task of {} characters", name.chars().count()),
                    format!("a name of at most {MAX_NAME}"),
                ));
            }
            let at = self.tasks.len();
            if at == MAX_TASKS {
                return Err((
                    format!("task number {}", at + 1),
                    format!("at most {MAX_TASKS} tasks"),
                ));
            }
            index.insert(name.to_string(), at);
            self.tasks.push(TableTask {
                name: name.to_string(),
                points: RawPoints::default(),
                splits: Vec::new(),
            });
            at
        };
        Ok(&mut self.tasks[at])
    }

    /// Reads a CSV file. A byte order mark, CRLF and empty lines are tolerated; unknown columns
    /// are not.
    ///
    /// # Errors
    /// With the line number: of a missing or unknown column, a short or long row, a quote that is
    /// not closed, a number that is none or is not finite, a long name of a task, an unknown split.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut records = Records::new(bytes, b',')?;
        let mut columns: Option<Columns> = None;
        let mut table = Self {
            features: 0,
            tasks: Vec::new(),
            has_split: false,
        };
        let mut index = HashMap::new();
        let mut values = 0;
        while let Some((line, record)) = records.next()? {
            let Some(columns) = &columns else {
                let found = Columns::find(record, line)?;
                table.features = found.features.len();
                table.has_split = found.split.is_some();
                columns = Some(found);
                continue;
            };
            values += columns.features.len() + 1;
            if values > MAX_VALUES {
                return Err(Error::line(
                    line,
                    "too many numbers",
                    format!("at most {MAX_VALUES} numbers in a file"),
                ));
            }
            table.push(columns, record, line, &mut index)?;
        }
        if table.tasks.is_empty() {
            return Err(Error::line(
                records.last_line(),
                "the end of the file",
                "a header row `task,label,x1,...` and at least one point",
            ));
        }
        table.sort_numerically();
        Ok(table)
    }

    fn push(
        &mut self,
        columns: &Columns,
        record: &::csv::ByteRecord,
        line: u64,
        index: &mut HashMap<String, usize>,
    ) -> Result<()> {
        if record.len() != columns.count {
            return Err(Error::line(
                line,
                format!("{} columns", record.len()),
                format!("{} columns as in the header", columns.count),
            ));
        }
        let name = cell(record, columns.task, line)?;
        if name.is_empty() {
            return Err(Error::line(
                line,
                "an empty task",
                "a number or a name of the task",
            ));
        }
        let split = match columns.split {
            None => None,
            Some(column) => Some(match cell(record, column, line)? {
                "train" => Split::Train,
                "test" => Split::Test,
                "injected" => Split::Injected,
                other => {
                    return Err(Error::line(
                        line,
                        format!("split {}", shorten(other)),
                        "train, test or injected",
                    ));
                }
            }),
        };
        let label = number(record, columns.label, line, "label")?;
        let task = self
            .task(name, index)
            .map_err(|(value, expected)| Error::line(line, value, expected))?;
        for (feature, column) in columns.features.iter().enumerate() {
            let value = number(record, *column, line, format_args!("x{}", feature + 1))?;
            task.points.features.push(value);
        }
        task.points.labels.push(label);
        task.splits.extend(split);
        Ok(())
    }

    pub(in crate::data) fn sort_numerically(&mut self) {
        let numbers: Option<Vec<i64>> = self.tasks.iter().map(|t| t.name.parse().ok()).collect();
        if numbers.is_some() {
            self.tasks
                .sort_by_key(|task| task.name.parse::<i64>().unwrap_or(i64::MAX));
        }
    }

    /// The points that a model is trained on, task by task: those of the splits `train` and
    /// `injected`, or all where there is no `split` column. A task may be left with none.
    pub fn training_points(&self) -> Vec<RawPoints> {
        self.select(|split| split != Split::Test)
    }

    /// The points of the wanted splits, task by task; all where there is no `split`
    /// column.
    pub fn select(&self, wanted: impl Fn(Split) -> bool) -> Vec<RawPoints> {
        let select = |task: &TableTask| {
            if !self.has_split {
                return task.points.clone();
            }
            let mut points = RawPoints::default();
            for (at, split) in task.splits.iter().enumerate() {
                if wanted(*split) {
                    let row = at * self.features..(at + 1) * self.features;
                    points.features.extend(&task.points.features[row]);
                    points.labels.push(task.points.labels[at]);
                }
            }
            points
        };
        self.tasks.iter().map(select).collect()
    }

    /// The table as a data set to draw samples from. Classification where all labels are -1 or 1,
    /// or all are 0 or 1 (0 becomes -1); otherwise regression. `bytes` is the file that was read:
    /// its SHA-256 names the data set.
    ///
    /// # Errors
    /// Where points are `injected`: a poisoned table is no clean data. Where a limit of `DataSet`
    /// is passed.
    pub fn into_data_set(self, name: &str, bytes: &[u8]) -> Result<DataSet> {
        for task in &self.tasks {
            let injected = task.splits.iter().filter(|s| **s == Split::Injected);
            if let count @ 1.. = injected.count() {
                return Err(Error::data(format!(
                    "{name}: {count} points of task {} are of split injected; expected only \
                     train and test points (a poisoned table can be solved, not attacked again)",
                    task.name
                )));
            }
        }
        let mut table = self;
        let labels = table.tasks.iter_mut().flat_map(|t| &mut t.points.labels);
        let kind = classify_labels(labels);
        table.into_kind(name, kind, bytes)
    }

    /// The same with labels that are known to be of this kind.
    pub(in crate::data) fn into_kind(
        self,
        name: &str,
        kind: Kind,
        bytes: &[u8],
    ) -> Result<DataSet> {
        let mut names = Vec::new();
        let mut tasks = Vec::new();
        let mut is_test = Vec::new();
        for task in self.tasks {
            names.push(task.name);
            tasks.push(task.points);
            is_test.push(task.splits.iter().map(|s| *s == Split::Test).collect());
        }
        let layout = Layout::Separate {
            tasks,
            is_test: self.has_split.then_some(is_test),
        };
        let mut data = DataSet::new(name, kind, self.features, names, layout)?;
        data.sha256 = sha256_hex(bytes);
        Ok(data)
    }
}

impl Columns {
    fn find(header: &::csv::ByteRecord, line: u64) -> Result<Self> {
        let (mut task, mut label, mut split) = (None, None, None);
        let mut features: Vec<Option<usize>> = Vec::new();
        if header.len() > MAX_FEATURES + 3 {
            return Err(Error::line(
                line,
                format!("{} columns", header.len()),
                format!("at most {MAX_FEATURES} features"),
            ));
        }
        features.resize(header.len(), None);
        for column in 0..header.len() {
            let name = cell(header, column, line)?.to_ascii_lowercase();
            let slot = match name.as_str() {
                "task" => &mut task,
                "label" => &mut label,
                "split" => &mut split,
                other => {
                    let number = other
                        .strip_prefix('x')
                        .and_then(|digits| digits.parse::<usize>().ok())
                        .filter(|number| (1..=header.len()).contains(number));
                    match number {
                        Some(number) => &mut features[number - 1],
                        None => {
                            return Err(Error::line(
                                line,
                                format!("column `{}`", shorten(other)),
                                "columns task, label, x1 to xd and, if wanted, split, separated \
                                 by commas",
                            ));
                        }
                    }
                }
            };
            if slot.replace(column).is_some() {
                return Err(Error::line(
                    line,
                    format!("column `{}` twice", shorten(&name)),
                    "each column once",
                ));
            }
        }
        let missing = |name: &str| {
            Error::line(
                line,
                format!("no column `{name}`"),
                "columns task, label, x1 to xd",
            )
        };
        let task = task.ok_or_else(|| missing("task"))?;
        let label = label.ok_or_else(|| missing("label"))?;
        let count = features.iter().flatten().count();
        let columns: Vec<usize> = features.iter().map_while(|column| *column).collect();
        if columns.len() < count.max(1) {
            return Err(missing(&format!("x{}", columns.len() + 1)));
        }
        Ok(Self {
            task,
            label,
            split,
            features: columns,
            count: header.len(),
        })
    }
}

/// The text of a cell.
pub(in crate::data) fn utf8(bytes: &[u8]) -> std::result::Result<&str, Refused> {
    std::str::from_utf8(bytes).map(str::trim).map_err(|_| {
        (
            "text that is not UTF-8, UTF-16 or Windows-1252".to_string(),
            "a file that is saved as CSV UTF-8 (in a spreadsheet: Save as, CSV UTF-8)".to_string(),
        )
    })
}

fn cell(record: &::csv::ByteRecord, column: usize, line: u64) -> Result<&str> {
    let bytes = record.get(column).unwrap_or_default();
    utf8(bytes).map_err(|(found, expected)| Error::line(line, found, expected))
}

fn number(
    record: &::csv::ByteRecord,
    column: usize,
    line: u64,
    name: impl std::fmt::Display,
) -> Result<f64> {
    let text = cell(record, column, line)?;
    match text.parse::<f64>() {
        Ok(value) if value.abs() <= MAX_MAGNITUDE => Ok(value),
        _ => Err(Error::line(
            line,
            format!("{name} is `{}`", shorten(text)),
            format!("a finite number of at most {MAX_MAGNITUDE:e}"),
        )),
    }
}

/// A cell or a name for a message.
pub(in crate::data) fn shorten(text: &str) -> String {
    excerpt(text, 40)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(text: &str) -> String {
        Table::read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let text = "\u{feff}x2,task,split,x1,label\r\n2,b,train,1,10\r\n\r\n4, a ,test,3,20\r\n";
        let table = Table::read(text.as_bytes()).unwrap();
        assert_eq!(table.features, 2);
        assert_eq!(table.tasks[0].name, "b");
        assert_eq!(table.tasks[0].points.features, [1.0, 2.0]);
        assert_eq!(table.tasks[0].points.labels, [10.0]);
        assert_eq!(table.tasks[1].name, "a");
        assert_eq!(table.tasks[1].splits, [Split::Test]);
    }

    #[test]
    fn tasks_with_numbers_as_names_are_in_numeric_order() {
        let names = |text: &str| -> Vec<String> {
            let table = Table::read(text.as_bytes()).unwrap();
            table.tasks.into_iter().map(|task| task.name).collect()
        };
        assert_eq!(
            names("task,label,x1\n10,1,1\n9,1,1\n-1,1,1\n"),
            ["-1", "9", "10"]
        );
        assert_eq!(
            names("task,label,x1\n10,1,1\nb,1,1\n9,1,1\n"),
            ["10", "b", "9"]
        );
    }

    #[test]
    fn errors_name_the_line_and_what_was_expected() {
        assert!(error("").contains("line 1: the end of the file"));
        assert!(error("task,label\n").contains("line 1: no column `x1`"));
        assert!(error("task,label,x1,x3\n").contains("no column `x2`"));
        assert!(error("task,x1\n").contains("no column `label`"));
        assert!(error("task;label;x1\n").contains("separated by commas"));
        assert!(error("task,label,x1,x1\n").contains("twice"));
        assert!(error("task,label,x1,weight\n").contains("column `weight`"));
        assert!(error("\n\ntask,label,x1\n1,1,1\n\n\n1,1\n").contains("line 7: 2 columns"));
        assert!(error("task,label,x1\r\n1,1,1\r\n\r\n1,1,\r\n").contains("line 4: x1 is ``"));
        assert!(error("task,label,x1\n1,NaN,1\n").contains("line 2: label is `NaN`"));
        assert!(error("task,label,x1\n1,1,inf\n").contains("line 2"));
        assert!(error("task,label,x1\n1,1,1e999\n").contains("line 2"));
        assert!(error("task,label,x1\n,1,1\n").contains("line 2: an empty task"));
        assert!(error("task,label,x1,split\n1,1,1,both\n").contains("train, test or injected"));
        assert!(error("task,label,x1\n").contains("at least one point"));
    }

    #[test]
    fn a_row_after_a_quoted_line_end_still_has_its_true_line() {
        let message = error("task,label,x1\n\"a\nb\",1,1\nc,1,z\n");
        assert!(message.contains("line 4: x1 is `z`"), "{message}");
    }

    #[test]
    fn an_unclosed_quote_is_reported_with_its_line() {
        let expected = "line 4: a quote that is not closed; expected a closing quote";
        let opened = "task,label,x1\n\"a\",1,1\n\"a \"\"b\",1,1\n\"c,1,1\nd,1,1\n";
        for end in ["", "\n", "\r\n\r\n", "e,1,\"\"", "\"\"", "\"\"\n"] {
            assert_eq!(error(&format!("{opened}{end}")), expected, "{end:?}");
        }
        assert_eq!(error("task,label,x1\n\"a\nb\",1,1\nb,1,\"1"), expected);
        // These are closed, or are no quotes since the cell does not begin with them.
        for row in [
            "\"c\"",
            "\"c\nd\"",
            "\"c \"\"d\"\"\"",
            "\"\"\"\"",
            "c\"",
            "c \"d",
            "\"c\"d\"",
        ] {
            for end in ["", "\n", "\r\n"] {
                let text = format!("label,x1,task\n1,1,{row}{end}");
                assert!(Table::read(text.as_bytes()).is_ok(), "{text:?}");
            }
        }
    }

    #[test]
    fn a_task_has_a_name_that_fits_on_a_screen() {
        let named = |length: usize| {
            let text = format!("task,label,x1\n{},1,1\n", "ä".repeat(length));
            Table::read(text.as_bytes()).map(|table| table.tasks.len())
        };
        assert_eq!(named(200), Ok(1));
        assert_eq!(
            named(70_000).unwrap_err().to_string(),
            "line 2: a task of 70000 characters; expected a name of at most 200"
        );
    }

    #[test]
    fn messages_have_no_control_characters() {
        let message = error("task,label,x1\n1,a\u{1b}]0;title\u{7}\u{202e},1\n");
        assert!(
            message.contains(r"`a\u{1b}]0;title\u{7}\u{202e}`"),
            "{message}"
        );
    }

    #[test]
    fn a_file_in_another_encoding_is_to_be_saved_as_utf_8() {
        for (bytes, line) in [
            (&b"task,label,x1\nM\xFCnchen,1,1\n"[..], 2),
            (b"\xFF\xFEt\0a\0s\0k\0", 1),
        ] {
            let message = Table::read(bytes).unwrap_err().to_string();
            let start = format!("line {line}: text that is not UTF-8");
            assert!(message.starts_with(&start), "{message}");
            assert!(
                message.contains("saved as CSV UTF-8 (in a spread"),
                "{message}"
            );
        }
    }

    #[test]
    fn zero_and_one_become_classes_and_anything_else_regression() {
        let data = |text: &str| {
            let table = Table::read(text.as_bytes()).unwrap();
            table.into_data_set("file.csv", text.as_bytes())
        };
        let classes = data("task,label,x1\n1,0,1\n1,1,2\n").unwrap();
        assert_eq!(classes.kind, Kind::Classification);
        assert_eq!(
            data("task,label,x1\n1,0.5,1\n1,1,2\n").unwrap().kind,
            Kind::Regression
        );
        let poisoned = data("task,label,x1,split\n1,0,1,train\n1,1,2,injected\n");
        assert!(poisoned.unwrap_err().to_string().contains("injected"));
    }

    #[test]
    fn training_points_are_train_and_injected() {
        let text = "task,label,x1,split\n1,0,1,train\n1,1,2,injected\n1,1,3,test\n";
        let table = Table::read(text.as_bytes()).unwrap();
        assert_eq!(table.training_points()[0].features, [1.0, 2.0]);
        let clean = table.select(|split| split == Split::Train);
        assert_eq!(clean[0].features, [1.0]);
    }

    fn rows(text: &str, separator: u8, skip: usize) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::after(text.as_bytes(), separator, skip).unwrap();
        let mut rows = Vec::new();
        while let Some((line, record)) = records.next().unwrap() {
            let cells = record
                .iter()
                .map(|cell| String::from_utf8_lossy(cell).into());
            rows.push((line, cells.collect()));
        }
        rows
    }

    #[test]
    fn lines_before_the_table_are_skipped_and_counted() {
        let text = "\u{feff}sep=;\r\n# \"open\r\n\r\na;b\r\n1;2\r\n";
        let rows = rows(text, b';', 2);
        assert_eq!(rows[0], (4, vec!["a".to_string(), "b".to_string()]));
        assert_eq!(rows[1].0, 5);
        assert!(
            Records::after(b"a\n", b',', 9)
                .unwrap()
                .next()
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn any_number_of_blanks_separates_cells() {
        let text = "  18.0   8\t\"chevrolet \"\"malibu\"\"\"  \r\n\r\n \t\n'a b' it's 3\n# x y";
        let cells = |row: &[&str]| row.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            rows(text, b' ', 0),
            [
                (1, cells(&["18.0", "8", "chevrolet \"malibu\""])),
                (4, cells(&["a b", "it's", "3"])),
                (5, cells(&["# x", "y"])),
            ]
        );
        let open = Records::new(b"a b\n1 \"2\n", b' ').and_then(|mut records| {
            records.next()?;
            records.next().map(|_| ())
        });
        assert!(open.unwrap_err().to_string().starts_with("line 2: a quote"));
    }

    proptest! {
        #[test]
        fn any_bytes_between_blanks_end_in_rows_or_an_error(
            text in "([ab1#\"' \t\r\n]|\\PC){0,40}",
            skip in 0usize..4,
        ) {
            let mut records = Records::after(text.as_bytes(), b' ', skip).unwrap();
            while let Ok(Some((line, record))) = records.next() {
                prop_assert!(line >= 1 && !record.is_empty());
            }
        }

        #[test]
        fn any_text_ends_in_a_table_or_an_error(
            text in "(task|label|x1|x2|split|train|[0-9\"a,.\r\n-]){0,60}"
        ) {
            let _ = Table::read(text.as_bytes());
        }

        #[test]
        fn any_bytes_after_a_header_end_in_a_table_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..80)
        ) {
            let mut text = b"task,label,x1\n1,1,1\n".to_vec();
            text.extend(bytes);
            let _ = Table::read(&text);
        }

        #[test]
        fn what_was_written_is_read_back(
            rows in prop::collection::vec((0usize..4, -1e9f64..1e9, -1e9f64..1e9), 1..20)
        ) {
            use std::fmt::Write as _;
            let mut text = String::from("task,label,x1\n");
            for (task, label, x) in &rows {
                writeln!(text, "{task},{label},{x}").unwrap();
            }
            let table = Table::read(text.as_bytes()).unwrap();
            for task in &table.tasks {
                let wanted: Vec<f64> = rows
                    .iter()
                    .filter(|row| row.0.to_string() == task.name)
                    .map(|row| row.2)
                    .collect();
                prop_assert_eq!(&task.points.features, &wanted);
            }
        }
    }
}
