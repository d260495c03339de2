//! The arrays of a MAT file: numbers, cells, structures, texts, sparse matrices. Not here: their data
//! elements (`reader`).

use super::reader::{Element, Reader, padding};
use super::{
    Budget, FLAG_COMPLEX, FLAG_LOGICAL, MAX_DEPTH, MAX_DIMENSIONS, MI_DOUBLE, MI_INT8, MI_INT16,
    MI_INT32, MI_INT64, MI_MATRIX, MI_SINGLE, MI_UINT8, MI_UINT16, MI_UINT32, MI_UINT64, MI_UTF8,
    MI_UTF16, MI_UTF32,
};
use crate::data::formats::variable::{Matrix, Value};
use crate::{Error, Result};

impl Reader<'_> {
    /// The content of a matrix element: its name and value.
    pub(super) fn matrix(&mut self, depth: usize, budget: &mut Budget) -> Result<(String, Value)> {
        let start = self.position;
        Budget::spend(&mut budget.cells, 1, "cells", start)?;
        if self.rest().is_empty() {
            let empty = Matrix {
                shape: vec![0, 0],
                values: Vec::new(),
            };
            return Ok((String::new(), Value::Matrix(empty)));
        }
        let flags = self.element("the class of an array")?;
        if flags.kind != MI_UINT32 || flags.bytes.len() != 8 {
            return Err(Error::offset(
                start,
                format!("type {} with {} bytes", flags.kind, flags.bytes.len()),
                "the flags of an array: type 6 with 8 bytes",
            ));
        }
        let flags = self.word(flags.bytes, 0);
        let class = flags & 0xFF;
        if class == 17 {
            // An opaque object has no shape; its name comes next.
            let name = self.name()?;
            return Ok((name, unread("an object")));
        }
        let shape = self.shape()?;
        let name = self.name()?;
        let what = match class {
            1 => return Ok((name, self.cell(shape, depth, budget)?)),
            2 => return Ok((name, self.structure(shape, depth, budget)?)),
            3 => "an object",
            4 => return Ok((name, self.text(&shape, budget)?)),
            5..=15 if flags & FLAG_COMPLEX != 0 => "a complex matrix",
            5 => {
                let is_logical = flags & FLAG_LOGICAL != 0;
                return Ok((name, self.sparse(shape, is_logical, budget)?));
            }
            6..=15 => return Ok((name, self.numbers(shape, class, budget)?)),
            16 => "a function handle",
            other => {
                return Err(Error::offset(
                    start,
                    format!("class {other}"),
                    "a class of MATLAB from 1 to 17",
                ));
            }
        };
        Ok((name, unread(what)))
    }

    fn shape(&mut self) -> Result<Vec<usize>> {
        let element = self.element("the sizes of an array")?;
        let count = element.bytes.len() / 4;
        // MATLAB writes signed numbers; some other writers unsigned ones.
        if !matches!(element.kind, MI_INT32 | MI_UINT32)
            || !element.bytes.len().is_multiple_of(4)
            || !(2..=MAX_DIMENSIONS).contains(&count)
        {
            return Err(Error::offset(
                element.offset,
                format!("type {} with {} bytes", element.kind, element.bytes.len()),
                format!("the sizes of an array: type 5, 2 to {MAX_DIMENSIONS} numbers"),
            ));
        }
        let mut shape = Vec::with_capacity(count);
        for at in 0..count {
            let size = self.word(element.bytes, 4 * at);
            if size > i32::MAX as u32 {
                return Err(Error::offset(
                    element.offset + 4 * at,
                    "a negative size",
                    "a size of an array",
                ));
            }
            shape.push(size as usize);
        }
        Ok(shape)
    }

    fn name(&mut self) -> Result<String> {
        let element = self.element("a name")?;
        if !matches!(element.kind, MI_INT8 | MI_UINT8 | MI_UTF8) {
            return Err(Error::offset(
                element.offset,
                format!("type {}", element.kind),
                "a name: type 1",
            ));
        }
        match std::str::from_utf8(element.bytes) {
            Ok(name) if name.is_ascii() => Ok(name.to_string()),
            _ => Err(Error::offset(
                element.offset,
                "a name that is not ASCII",
                "letters, digits and underscores",
            )),
        }
    }

    /// How many values follow for these sizes. Each needs the eight bytes of a tag.
    fn count(&self, shape: &[usize], each: usize, what: &str, depth: usize) -> Result<usize> {
        let start = self.position;
        if depth == MAX_DEPTH {
            return Err(Error::offset(
                start,
                "cells in cells in cells",
                format!("at most {MAX_DEPTH} levels"),
            ));
        }
        let count = product(shape).and_then(|count| count.checked_mul(each));
        count
            .filter(|count| *count <= self.rest().len() / 8)
            .ok_or_else(|| {
                Error::offset(
                    start,
                    format!("a {what} of sizes {shape:?}"),
                    format!("cells within the {} bytes that follow", self.rest().len()),
                )
            })
    }

    /// A matrix within another.
    fn item(&mut self, depth: usize, budget: &mut Budget) -> Result<Value> {
        let start = self.position;
        let (kind, size) = self.long_tag()?;
        if kind != MI_MATRIX {
            return Err(Error::offset(
                start,
                format!("an element of type {kind} in a cell"),
                "a matrix (14)",
            ));
        }
        let mut element = self.take(size, start)?;
        self.position = (self.position + padding(size)).min(self.end);
        let (_, value) = element.matrix(depth + 1, budget)?;
        Ok(value)
    }

    fn cell(&mut self, shape: Vec<usize>, depth: usize, budget: &mut Budget) -> Result<Value> {
        let count = self.count(&shape, 1, "cell array", depth)?;
        let items = (0..count).map(|_| self.item(depth, budget));
        let items = items.collect::<Result<_>>()?;
        Ok(Value::Cell { shape, items })
    }

    /// Names of equal length, then the values, structure by structure.
    fn structure(&mut self, shape: Vec<usize>, depth: usize, budget: &mut Budget) -> Result<Value> {
        let length = self.element("the length of the names of fields")?;
        let names = self.element("the names of fields")?;
        let width = match length.bytes.len() {
            4 => self.word(length.bytes, 0) as usize,
            _ => 0,
        };
        if width == 0 || !names.bytes.len().is_multiple_of(width) {
            return Err(Error::offset(
                length.offset,
                format!("{} bytes of names of {width} bytes", names.bytes.len()),
                "names of fields of equal length",
            ));
        }
        let mut fields: Vec<(String, Vec<Value>)> = Vec::new();
        for name in names.bytes.chunks(width) {
            Budget::spend(&mut budget.cells, 1, "cells", names.offset)?;
            let end = name.iter().position(|byte| *byte == 0);
            let name = String::from_utf8_lossy(&name[..end.unwrap_or(width)]);
            fields.push((name.into_owned(), Vec::new()));
        }
        let all = self.count(&shape, fields.len(), "structure array", depth)?;
        for at in 0..all {
            let value = self.item(depth, budget)?;
            let field = at % fields.len();
            fields[field].1.push(value);
        }
        Ok(Value::Struct { shape, fields })
    }

    /// Characters, column by column. Text in an encoding that its sizes do not fit is named, and so is
    /// text beyond the limits: most files have it only beside their numbers.
    fn text(&mut self, shape: &[usize], budget: &mut Budget) -> Result<Value> {
        let element = self.element("the characters of a text")?;
        let chunks = |width: usize| element.bytes.chunks_exact(width);
        let characters: Vec<char> = match element.kind {
            MI_UTF8 => String::from_utf8_lossy(element.bytes).chars().collect(),
            // Latin-1.
            MI_INT8 | MI_UINT8 => element.bytes.iter().map(|b| char::from(*b)).collect(),
            MI_UINT16 | MI_UTF16 => {
                #[expect(clippy::cast_possible_truncation, reason = "two bytes")]
                let units = chunks(2).map(|unit| self.number([unit[0], unit[1]]) as u16);
                char::decode_utf16(units)
                    .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect()
            }
            MI_UTF32 => chunks(4)
                .map(|unit| char::from_u32(self.word(unit, 0)))
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect(),
            _ => return Ok(unread("text in an unknown encoding")),
        };
        let (rows, width) = match shape[..] {
            // Its sizes count units of another encoding where characters have several.
            [1, _] => (1, characters.len()),
            [rows, width] if rows.checked_mul(width) == Some(characters.len()) => (rows, width),
            _ if characters.is_empty() => (0, 0),
            _ => return Ok(unread("text of several dimensions")),
        };
        let rows = if width == 0 { 0 } else { rows };
        if characters.len() > budget.values || rows > budget.cells {
            return Ok(unread("a long text"));
        }
        budget.values -= characters.len();
        budget.cells -= rows;
        let row = |row: usize| {
            let text: String = (0..width).map(|at| characters[at * rows + row]).collect();
            text.trim_end_matches([' ', '\0']).to_string()
        };
        let rows = (0..rows).map(row).collect();
        Ok(Value::Text { rows })
    }

    /// A sparse matrix, with its zeros filled in. One that is too large for that is named.
    fn sparse(
        &mut self,
        shape: Vec<usize>,
        is_logical: bool,
        budget: &mut Budget,
    ) -> Result<Value> {
        let rows = self.element("the rows of a sparse matrix")?;
        let starts = self.element("the columns of a sparse matrix")?;
        let mut values = self.element("the numbers of a sparse matrix")?;
        let [n, columns] = shape[..] else {
            return Ok(unread("a sparse array of several dimensions"));
        };
        let malformed = |found: String| {
            let expected = format!("the entries of a {n}x{columns} sparse matrix");
            Error::offset(rows.offset, found, expected)
        };
        let index = |element: &Element<'_>, at: usize| self.word(element.bytes, 4 * at) as usize;
        if starts.bytes.len() / 4 != columns + 1 {
            let found = format!("{} starts of columns", starts.bytes.len() / 4);
            return Err(malformed(found));
        }
        let count = index(&starts, columns);
        // MATLAB writes truth values as bytes under the type of doubles.
        if is_logical && values.kind == MI_DOUBLE && values.bytes.len() < count.saturating_mul(8) {
            values.kind = MI_UINT8;
        }
        let Some(entries) = self.decode(&values)? else {
            return Ok(unread("a matrix of 64-bit integers beyond 2^53"));
        };
        if count > entries.len() || count > rows.bytes.len() / 4 {
            return Err(malformed(format!(
                "{count} entries, with {} rows and {} numbers",
                rows.bytes.len() / 4,
                entries.len()
            )));
        }
        let size = product(&shape).filter(|size| *size <= budget.values);
        let Some(size) = size else {
            let what = format!("a {n}x{columns} sparse matrix, too large to fill in its zeros");
            return Ok(unread(&what));
        };
        budget.values -= size;
        let mut dense = vec![0.0; size];
        for column in 0..columns {
            let (start, end) = (index(&starts, column), index(&starts, column + 1));
            if start > end || end > count {
                return Err(malformed(format!("entries {start} to {end} in a column")));
            }
            for entry in start..end {
                let row = index(&rows, entry);
                if row >= n {
                    return Err(malformed(format!("an entry in row {}", row + 1)));
                }
                // Entries of one place add up.
                dense[column * n + row] += entries[entry];
            }
        }
        Ok(Value::Matrix(Matrix {
            shape,
            values: dense,
        }))
    }

    /// The numbers of an element; none where an integer is beyond 2^53.
    fn decode(&self, element: &Element<'_>) -> Result<Option<Vec<f64>>> {
        let width = width_of(element)?;
        let chunks = element.bytes.chunks_exact(width);
        Ok(chunks
            .map(|chunk| self.value(element.kind, chunk))
            .collect())
    }

    fn numbers(&mut self, shape: Vec<usize>, class: u32, budget: &mut Budget) -> Result<Value> {
        let element = self.element("the numbers of a matrix")?;
        let width = width_of(&element)?;
        let count = element.bytes.len() / width;
        if !element.bytes.len().is_multiple_of(width) || product(&shape) != Some(count) {
            return Err(Error::offset(
                element.offset,
                format!(
                    "{} bytes of numbers of {width} bytes for sizes {shape:?}",
                    element.bytes.len()
                ),
                "as many numbers as given by the sizes",
            ));
        }
        Budget::spend(&mut budget.values, count, "numbers", element.offset)?;
        let Some(mut values) = self.decode(&element)? else {
            return Ok(unread("a matrix of 64-bit integers beyond 2^53"));
        };
        if class == 7 {
            // Class single may be stored as double by other writers; its precision is single.
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the class is single precision"
            )]
            for value in &mut values {
                *value = f64::from(*value as f32);
            }
        }
        Ok(Value::Matrix(Matrix { shape, values }))
    }

    /// None: an integer that f64 cannot hold exactly.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "the width is that of the type, the sign is in its highest bit"
    )]
    fn value(&self, kind: u32, chunk: &[u8]) -> Option<f64> {
        const LARGEST: u64 = 1 << 53;
        let raw = match *chunk {
            [a] => u64::from(a),
            [a, b] => self.number([a, b]),
            [a, b, c, d] => self.number([a, b, c, d]),
            [a, b, c, d, e, f, g, h] => self.number([a, b, c, d, e, f, g, h]),
            _ => return None,
        };
        Some(match kind {
            MI_INT8 => f64::from(raw as i8),
            MI_INT16 => f64::from(raw as i16),
            MI_INT32 => f64::from(raw as i32),
            MI_SINGLE => f64::from(f32::from_bits(raw as u32)),
            MI_DOUBLE => f64::from_bits(raw),
            MI_INT64 if (raw as i64).unsigned_abs() > LARGEST => return None,
            MI_INT64 => raw as i64 as f64,
            MI_UINT64 if raw > LARGEST => return None,
            _ => raw as f64,
        })
    }
}

fn width_of(element: &Element<'_>) -> Result<usize> {
    Ok(match element.kind {
        MI_INT8 | MI_UINT8 | MI_UTF8 => 1,
        MI_INT16 | MI_UINT16 => 2,
        MI_INT32 | MI_UINT32 | MI_SINGLE => 4,
        MI_DOUBLE | MI_INT64 | MI_UINT64 => 8,
        other => {
            return Err(Error::offset(
                element.offset,
                format!("numbers of type {other}"),
                "one of the numeric types 1 to 7, 9, 12, 13",
            ));
        }
    })
}

fn unread(what: &str) -> Value {
    Value::Unread { what: what.into() }
}

fn product(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |product, size| product.checked_mul(*size))
}
