//! From the rows of a table to a data set, by a mapping. Not here: the table (`sheet`), the mapping.

use std::borrow::Cow;
use std::collections::HashMap;

use super::mapping::{Mapping, TestColumn};
use super::sheet::{Cells, Row, Sheet, parse};
use super::{ImportError, ImportResult};
use crate::data::formats::csv::{Split, Table, shorten};
use crate::data::{DataSet, Kind, Layout, MAX_MAGNITUDE, MAX_VALUES, RawPoints, sha256_hex};
use crate::{Error, Result};

type Checked<T> = std::result::Result<T, ImportError>;

pub(super) fn collect(
    sheet: &Sheet<'_>,
    name: &str,
    bytes: &[u8],
    mapping: &Mapping,
) -> Checked<ImportResult> {
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
                let error = row.error(what, "a value (or leave rows with missing values out)");
                return Err(ImportError::of(error, *column));
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
            unreachable!("a checked mapping has a label, and here not several");
        };
        let label = reader.label(&row, column)?;
        let task_name = match mapping.task {
            Some(column) => row.text(column)?,
            None => Cow::Borrowed(reader.names[column].as_str()),
        };
        let task = table
            .task(&task_name, &mut index)
            .map_err(|(found, expected)| ImportError {
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
                _ => format!("all {dropped} rows have missing values"),
            };
            return Err(Error::data(format!("{name}: {what}; expected at least one point")).into());
        }
        table.sort_numerically();
        table.into_kind(name, kind, bytes)?
    };
    data.sha256 = sha256_hex(bytes);
    data.columns = Some(mapping.to_string());
    Ok(ImportResult {
        data,
        rows,
        dropped,
    })
}

/// Reads cells by a mapping.
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
        Err(ImportError::of(row.error(found, expected), column))
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
        Err(ImportError::of(row.error(found, expected), column))
    }

    /// Every word but the test word means training. A word that differs from it in case only is an
    /// error: it probably means test.
    fn split(&self, row: &Row<'_>, TestColumn { column, test }: &TestColumn) -> Checked<Split> {
        let text = row.text(*column)?;
        if *text == **test {
            return Ok(Split::Test);
        }
        if text.to_lowercase() != test.to_lowercase() {
            return Ok(Split::Train);
        }
        let found = format!("{} is `{}`", self.title(*column), shorten(&text));
        let expected = format!(
            "exactly `{}` for test points, or a different word",
            shorten(test)
        );
        Err(ImportError::of(row.error(found, expected), *column))
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
        let tasks = labels.into_iter().map(|labels| RawPoints {
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
