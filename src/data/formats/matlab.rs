//! MATLAB v5 files (`save -v6` and `-v7`): numeric matrices, logical ones, and cells of them,
//! compressed or not, of both byte orders, in every storage type.
//!
//! A variable of another class (text, structures, sparse or complex matrices, objects) is named
//! but not read, so the others stay readable. Files of version 7.3 (HDF5) and version 4 are refused
//! by name. Not here: which variables make a data set (`matlab_tasks`, `import`).
//!
//! Nothing is allocated for a size that the file claims unless its bytes are there, and never more
//! than the limits of `data` in one file.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use crate::data::{MAX_FILE_BYTES, MAX_VALUES};
use crate::{Error, Result};

/// Greatest depth of cells within cells.
const MAX_DEPTH: usize = 16;
/// Most cells and variables of a file, nested ones included.
const MAX_CELLS: usize = 1 << 18;
const MAX_DIMENSIONS: usize = 32;
const HEADER_BYTES: usize = 128;

const MI_INT8: u32 = 1;
const MI_UINT8: u32 = 2;
const MI_INT16: u32 = 3;
const MI_UINT16: u32 = 4;
const MI_INT32: u32 = 5;
const MI_UINT32: u32 = 6;
const MI_SINGLE: u32 = 7;
const MI_DOUBLE: u32 = 9;
const MI_INT64: u32 = 12;
const MI_UINT64: u32 = 13;
const MI_MATRIX: u32 = 14;
const MI_COMPRESSED: u32 = 15;
const MI_UTF8: u32 = 16;

const FLAG_COMPLEX: u32 = 0x0800;

/// A variable of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name; empty for what MATLAB keeps for itself.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// The value of a variable or a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A numeric or logical array.
    Matrix(Matrix),
    /// A cell array, column-major.
    Cell {
        /// At least two sizes.
        shape: Vec<usize>,
        /// The product of the sizes.
        items: Vec<Value>,
    },
    /// Something that is not read; in words, for example `text` or `a sparse matrix`.
    Unread {
        /// What it is.
        what: String,
    },
}

/// A numeric array. Numbers may be NaN or infinite here: `DataSet` refuses them with their place.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// At least two sizes.
    pub shape: Vec<usize>,
    /// The product of the sizes, column-major.
    pub values: Vec<f64>,
}

impl Matrix {
    /// Number of rows and columns, where there are exactly two sizes.
    pub fn rows_and_columns(&self) -> Option<(usize, usize)> {
        match self.shape[..] {
            [rows, columns] => Some((rows, columns)),
            _ => None,
        }
    }

    /// The values row by row. Only for two sizes; other arrays give their order in the file.
    pub fn row_major(&self) -> Vec<f64> {
        let Some((rows, columns)) = self.rows_and_columns() else {
            return self.values.clone();
        };
        let mut values = Vec::with_capacity(self.values.len());
        // A matrix without columns may claim any number of rows.
        for row in 0..if columns == 0 { 0 } else { rows } {
            values.extend((0..columns).map(|column| self.values[column * rows + row]));
        }
        values
    }
}

impl Value {
    /// The kind and the sizes in a few words, for messages: `4449x28 matrix`.
    pub fn describe(&self) -> String {
        let sizes = |shape: &[usize]| {
            let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
            sizes.join("x")
        };
        match self {
            Self::Matrix(matrix) => format!("{} matrix", sizes(&matrix.shape)),
            Self::Cell { shape, .. } => format!("{} cell array", sizes(shape)),
            Self::Unread { what } => what.clone(),
        }
    }
}

/// Reads all variables of a file.
///
/// # Errors
/// With the byte offset and what was expected there: of a truncated or malformed element, a size
/// that passes a limit, a version other than 5. In a compressed variable the offset is that of the
/// variable, and the message has the offset within what it inflates to.
pub fn read(bytes: &[u8]) -> Result<Vec<Variable>> {
    let big_endian = read_header(bytes)?;
    let mut budget = Budget {
        bytes: MAX_FILE_BYTES,
        values: MAX_VALUES,
        cells: MAX_CELLS,
    };
    let mut reader = Reader {
        bytes,
        position: HEADER_BYTES,
        end: bytes.len(),
        big_endian,
    };
    let mut variables = Vec::new();
    while reader.position < reader.end {
        let start = reader.position;
        let (kind, size) = reader.long_tag()?;
        match kind {
            MI_MATRIX => {
                let mut element = reader.take(size, start)?;
                reader.position = (reader.position + padding(size)).min(reader.end);
                variables.push(element.variable(&mut budget)?);
            }
            MI_COMPRESSED => {
                let element = reader.take(size, start)?;
                let inflated = inflate(element.rest(), start, &mut budget)?;
                let mut inner = Reader {
                    bytes: &inflated,
                    position: 0,
                    end: inflated.len(),
                    big_endian,
                };
                let variable = inner
                    .compressed_variable(&mut budget)
                    .map_err(|error| within_compressed(&error, start))?;
                variables.push(variable);
            }
            other => {
                return Err(Error::offset(
                    start,
                    format!("an element of type {other}"),
                    "a matrix (14) or a compressed element (15)",
                ));
            }
        }
    }
    Ok(variables)
}

/// What may still be allocated for this file.
struct Budget {
    bytes: usize,
    values: usize,
    cells: usize,
}

impl Budget {
    fn spend(left: &mut usize, amount: usize, what: &str, offset: usize) -> Result<()> {
        match left.checked_sub(amount) {
            Some(rest) => {
                *left = rest;
                Ok(())
            }
            None => Err(Error::offset(
                offset,
                format!("{amount} {what} more"),
                format!("at most {left} more {what} within the limit of a file"),
            )),
        }
    }
}

/// The byte order: true for big-endian.
fn read_header(bytes: &[u8]) -> Result<bool> {
    const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
    const EXPECTED: &str = "a MATLAB file of version 5 (in MATLAB: save -v7)";
    if bytes.len() > MAX_FILE_BYTES {
        return Err(Error::offset(
            0,
            format!("a file of {} bytes", bytes.len()),
            format!("at most {MAX_FILE_BYTES} bytes"),
        ));
    }
    let is_hdf5 = |at: usize| bytes.get(at..at + HDF5.len()) == Some(HDF5);
    if is_hdf5(0) || is_hdf5(512) || bytes.starts_with(b"MATLAB 7.3") {
        return Err(Error::offset(
            0,
            "a MATLAB file of version 7.3 (HDF5)",
            EXPECTED,
        ));
    }
    // Version 4 begins with a small number (at most 4052), so one of its first bytes is zero;
    // later versions begin with text.
    if bytes.len() >= 20 && bytes[..4].contains(&0) {
        return Err(Error::offset(
            0,
            "no MATLAB header; perhaps a file of version 4",
            EXPECTED,
        ));
    }
    let Some(header) = bytes.get(..HEADER_BYTES) else {
        return Err(Error::offset(
            0,
            format!("a file of {} bytes", bytes.len()),
            "a MATLAB header of 128 bytes",
        ));
    };
    let (version, big_endian) = match &header[126..] {
        b"IM" => (u16::from_le_bytes([header[124], header[125]]), false),
        b"MI" => (u16::from_be_bytes([header[124], header[125]]), true),
        _ => {
            return Err(Error::offset(
                126,
                "no byte order mark `IM` or `MI`",
                EXPECTED,
            ));
        }
    };
    match version >> 8 {
        1 => Ok(big_endian),
        2 => Err(Error::offset(
            124,
            "a MATLAB file of version 7.3 (HDF5)",
            EXPECTED,
        )),
        _ => Err(Error::offset(
            124,
            format!("version 0x{version:04x}"),
            EXPECTED,
        )),
    }
}

fn inflate(deflated: &[u8], offset: usize, budget: &mut Budget) -> Result<Vec<u8>> {
    let inflated = decompress_to_vec_zlib_with_limit(deflated, budget.bytes).map_err(|error| {
        use miniz_oxide::inflate::TINFLStatus as Status;
        let (found, expected) = match error.status {
            Status::HasMoreOutput => (
                "a compressed variable that inflates beyond the limit".to_string(),
                format!("at most {MAX_FILE_BYTES} bytes in a file"),
            ),
            Status::Adler32Mismatch => (
                "a compressed variable with a wrong checksum".to_string(),
                "data as they were written".to_string(),
            ),
            _ => (
                "a compressed variable that is damaged or cut short".to_string(),
                "a complete zlib stream".to_string(),
            ),
        };
        Error::offset(offset, found, expected)
    })?;
    Budget::spend(&mut budget.bytes, inflated.len(), "inflated bytes", offset)?;
    Ok(inflated)
}

fn within_compressed(error: &Error, start: usize) -> Error {
    match error {
        Error::Offset {
            offset,
            value,
            expected,
        } => Error::offset(
            start,
            format!("in the compressed variable, inflated byte {offset}: {value}"),
            expected,
        ),
        other => other.clone(),
    }
}

/// Elements begin at multiples of eight bytes.
fn padding(size: usize) -> usize {
    size.wrapping_neg() % 8
}

/// A part of the file, or of what a compressed element inflates to: `position..end`.
#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    end: usize,
    big_endian: bool,
}

/// A data element: its type, its bytes, and where they begin.
struct Element<'a> {
    kind: u32,
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..self.end]
    }

    fn number<const N: usize>(&self, bytes: [u8; N]) -> u64 {
        let mut number = 0;
        for at in 0..N {
            let byte = bytes[if self.big_endian { at } else { N - 1 - at }];
            number = number << 8 | u64::from(byte);
        }
        number
    }

    fn word(&self, bytes: &[u8], at: usize) -> u32 {
        let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        #[expect(clippy::cast_possible_truncation, reason = "four bytes")]
        let word = self.number(word) as u32;
        word
    }

    /// A type and a size of four bytes each.
    fn long_tag(&mut self) -> Result<(u32, usize)> {
        let rest = self.rest();
        if rest.len() < 8 {
            return Err(Error::offset(
                self.position,
                format!("{} bytes", rest.len()),
                "the 8 bytes of type and size of an element",
            ));
        }
        let tag = (self.word(rest, 0), self.word(rest, 4) as usize);
        self.position += 8;
        Ok(tag)
    }

    /// The next `size` bytes as a part of its own.
    fn take(&mut self, size: usize, start: usize) -> Result<Self> {
        let left = self.end - self.position;
        if size > left {
            return Err(Error::offset(
                start,
                format!("an element of {size} bytes"),
                format!("at most the {left} bytes that follow"),
            ));
        }
        let part = Self {
            end: self.position + size,
            ..*self
        };
        self.position += size;
        Ok(part)
    }

    /// A data element inside a matrix: with a tag of eight bytes, or with up to four bytes of data
    /// inside the tag.
    fn element(&mut self, what: &str) -> Result<Element<'a>> {
        let start = self.position;
        let rest = self.rest();
        if rest.len() < 8 {
            return Err(Error::offset(
                start,
                format!("{} bytes", rest.len()),
                format!("an element with {what}"),
            ));
        }
        let first = self.word(rest, 0);
        let small_size = (first >> 16) as usize;
        if small_size > 0 {
            if small_size > 4 {
                return Err(Error::offset(
                    start,
                    format!("a small element of {small_size} bytes for {what}"),
                    "at most 4 bytes",
                ));
            }
            self.position += 8;
            return Ok(Element {
                kind: first & 0xFFFF,
                bytes: &rest[4..4 + small_size],
                offset: start + 4,
            });
        }
        let (kind, size) = self.long_tag()?;
        let element = self.take(size, start)?;
        // The last element of a file is not always padded.
        self.position = (self.position + padding(size)).min(self.end);
        Ok(Element {
            kind,
            bytes: element.rest(),
            offset: element.position,
        })
    }

    fn compressed_variable(&mut self, budget: &mut Budget) -> Result<Variable> {
        let (kind, size) = self.long_tag()?;
        if kind != MI_MATRIX {
            return Err(Error::offset(
                0,
                format!("an element of type {kind}"),
                "a matrix (14)",
            ));
        }
        self.take(size, 0)?.variable(budget)
    }

    /// The content of a matrix element of the top level.
    fn variable(&mut self, budget: &mut Budget) -> Result<Variable> {
        let (name, value) = self.matrix(0, budget)?;
        Ok(Variable { name, value })
    }

    /// The content of a matrix element: its name and value.
    fn matrix(&mut self, depth: usize, budget: &mut Budget) -> Result<(String, Value)> {
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
            2 => "a structure",
            3 => "an object",
            4 => "text",
            5 => "a sparse matrix",
            6..=15 if flags & FLAG_COMPLEX != 0 => "a complex matrix",
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

    fn cell(&mut self, shape: Vec<usize>, depth: usize, budget: &mut Budget) -> Result<Value> {
        let start = self.position;
        if depth == MAX_DEPTH {
            return Err(Error::offset(
                start,
                "cells in cells in cells",
                format!("at most {MAX_DEPTH} levels"),
            ));
        }
        // Each cell needs the eight bytes of a tag.
        let count = product(&shape).filter(|count| *count <= self.rest().len() / 8);
        let Some(count) = count else {
            return Err(Error::offset(
                start,
                format!("a cell array of sizes {shape:?}"),
                format!("cells within the {} bytes that follow", self.rest().len()),
            ));
        };
        let mut items = Vec::new();
        for _ in 0..count {
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
            items.push(value);
        }
        Ok(Value::Cell { shape, items })
    }

    fn numbers(&mut self, shape: Vec<usize>, class: u32, budget: &mut Budget) -> Result<Value> {
        let element = self.element("the numbers of a matrix")?;
        let width = match element.kind {
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
        };
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
        let mut values = Vec::with_capacity(count);
        for chunk in element.bytes.chunks_exact(width) {
            let Some(value) = self.value(element.kind, chunk) else {
                return Ok(unread("a matrix of 64-bit integers beyond 2^53"));
            };
            values.push(value);
        }
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

fn unread(what: &str) -> Value {
    Value::Unread { what: what.into() }
}

fn product(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |product, size| product.checked_mul(*size))
}

#[cfg(test)]
pub(in crate::data) mod tests;
