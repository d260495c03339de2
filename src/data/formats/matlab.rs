//! MATLAB v5 files (`save -v6` and `-v7`): numeric and logical matrices, sparse ones, text, structures,
//! and cells of all these, compressed or not, of both byte orders, in every storage type.
//!
//! A variable of another class (complex matrices, objects) is named but not read, so the others stay
//! readable. Files of version 7.3 (HDF5) and version 4, and Octave's text, are refused by name, with
//! what to type instead. Not here: which variables make a data set (`matlab_tasks`, `import`).
//!
//! Nothing is allocated for a size that the file claims unless its bytes are there, and never more
//! than the limits of `data` in one file. The zeros of a sparse matrix are the exception: they may be
//! as many as the zeros that a compressed file of the same length could hold.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::variable::Variable;
use crate::data::{MAX_FILE_BYTES, MAX_VALUES};
use crate::{Error, Result};

mod array;
mod reader;

use reader::{Reader, padding};

/// Greatest depth of cells within cells.
const MAX_DEPTH: usize = 16;
/// Most cells and variables of a file, nested ones included.
const MAX_CELLS: usize = 1 << 18;
const MAX_DIMENSIONS: usize = 32;
const HEADER_BYTES: usize = 128;
/// Deflate makes at most so many bytes of one.
const MAX_INFLATION: usize = 1032;

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
const MI_UTF16: u32 = 17;
const MI_UTF32: u32 = 18;

const FLAG_COMPLEX: u32 = 0x0800;
const FLAG_LOGICAL: u32 = 0x0200;

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
        values: MAX_VALUES.min(MAX_INFLATION.saturating_mul(bytes.len())),
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

/// What to type for a file of the version that is read.
const SAVE: &str =
    "a MATLAB file of version 5 to 7; in MATLAB: load it, then save('name.mat', '-v7')";

/// The byte order: true for big-endian.
fn read_header(bytes: &[u8]) -> Result<bool> {
    const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
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
            SAVE,
        ));
    }
    if bytes.starts_with(b"# Created by Octave") {
        return Err(Error::offset(
            0,
            "variables in Octave's text format",
            "a MATLAB file of version 5 to 7; in Octave: load it, then save('-v7', 'name.mat')",
        ));
    }
    // Version 4 begins with a small number (at most 4052), so one of its first bytes is zero;
    // later versions begin with text.
    if bytes.len() >= 20 && bytes[..4].contains(&0) {
        return Err(Error::offset(
            0,
            "no MATLAB header; perhaps a file of version 4",
            SAVE,
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
            return Err(Error::offset(126, "no byte order mark `IM` or `MI`", SAVE));
        }
    };
    match version >> 8 {
        1 => Ok(big_endian),
        2 => Err(Error::offset(
            124,
            "a MATLAB file of version 7.3 (HDF5)",
            SAVE,
        )),
        _ => Err(Error::offset(124, format!("version 0x{version:04x}"), SAVE)),
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

#[cfg(test)]
pub(in crate::data) mod tests;
