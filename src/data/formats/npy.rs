//! NumPy arrays: one in a `.npy` file, several with their names in a `.npz` file (a ZIP archive of
//! such files). Numbers of every width, truth values and text are read; objects, complex numbers,
//! dates and structured arrays are named. An array of one dimension is a column.
//!
//! Nothing is allocated for a shape that the file claims unless its bytes are there. Not here: which
//! arrays make a data set (`import`).

use miniz_oxide::inflate::decompress_to_vec_with_limit;
use rawzip::{CompressionMethod, ZipArchive, ZipSliceArchive, ZipVerification};

use super::csv::shorten;
use super::variable::{Matrix, Value, Variable};
use crate::data::{MAX_FILE_BYTES, MAX_VALUES};
use crate::{Error, Result};

const MAGIC: &[u8] = b"\x93NUMPY";
/// Most files of an archive that are looked at.
const MAX_ENTRIES: usize = 1 << 12;
/// What a string costs of the numbers that a file may hold.
const TEXT_COST: usize = 8;

/// Is this an array?
pub(in crate::data) fn recognises(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The name of an array of an archive, from the name of its file.
pub(in crate::data) fn array_name(file: &str) -> Option<&str> {
    file.strip_suffix(".npy")
}

/// Reads one array.
///
/// # Errors
/// With the byte offset: of a header that is none, a shape that the bytes do not fit, too many
/// numbers.
pub(in crate::data) fn read(bytes: &[u8]) -> Result<Value> {
    array(bytes, &mut MAX_VALUES.clone())
}

/// The names of the files in a ZIP archive; none where it is damaged.
pub(in crate::data) fn names(bytes: &[u8]) -> Option<Vec<String>> {
    let archive = ZipArchive::from_slice(bytes).ok()?;
    let mut entries = archive.entries();
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().ok()? {
        if names.len() == MAX_ENTRIES {
            break;
        }
        names.push(String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned());
    }
    Some(names)
}

/// Reads the arrays of an archive. A file in it that is no array is named.
///
/// # Errors
/// Of an archive that is damaged, encrypted or compressed in another way than by deflate; of an array
/// as `read`, with its name; of more bytes or numbers than the limits of a file.
pub(in crate::data) fn read_archive(bytes: &[u8]) -> Result<Vec<Variable>> {
    let damaged = |error: rawzip::Error| {
        let found = format!("a ZIP archive that is damaged ({error})");
        Error::offset(0, found, "a complete .npz file")
    };
    let archive = ZipArchive::from_slice(bytes).map_err(damaged)?;
    let mut entries = archive.entries();
    let mut variables = Vec::new();
    let (mut left, mut values) = (MAX_FILE_BYTES, MAX_VALUES);
    while let Some(entry) = entries.next_entry().map_err(damaged)? {
        if variables.len() == MAX_ENTRIES {
            let expected = format!("at most {MAX_ENTRIES} arrays");
            return Err(Error::offset(0, "more arrays", expected));
        }
        let file = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
        let name = array_name(&file);
        let value = match name {
            None => Value::Unread {
                what: "a file that is no array".into(),
            },
            Some(name) => {
                let content =
                    content(&archive, &entry, &mut left).map_err(|error| within(name, &error))?;
                array(&content, &mut values).map_err(|error| within(name, &error))?
            }
        };
        let name = name.unwrap_or(&file).to_string();
        variables.push(Variable { name, value });
    }
    let has = |wanted: &str| variables.iter().any(|one| one.name == wanted);
    if has("indptr") && has("indices") && has("shape") {
        return Err(Error::data(
            "a sparse matrix of SciPy; expected full arrays: np.savez('name.npz', X=X.toarray(), y=y)",
        ));
    }
    Ok(variables)
}

fn within(name: &str, error: &Error) -> Error {
    Error::data(format!("array `{}`: {error}", shorten(name)))
}

/// The bytes of a file in an archive.
fn content(
    archive: &ZipSliceArchive<&[u8]>,
    entry: &rawzip::ZipFileHeaderRecord<'_>,
    left: &mut usize,
) -> Result<Vec<u8>> {
    let damaged = |what: &dyn std::fmt::Display| {
        let offset = usize::try_from(entry.local_header_offset()).unwrap_or(usize::MAX);
        Error::offset(offset, what, "an array as it was written")
    };
    let packed = archive
        .get_entry(entry.wayfinder())
        .map_err(|error| damaged(&error))?;
    let method = entry.compression_method();
    let content = match method {
        CompressionMethod::STORE if packed.data().len() <= *left => packed.data().to_vec(),
        CompressionMethod::DEFLATE => decompress_to_vec_with_limit(packed.data(), *left)
            .map_err(|_| damaged(&"an array that is damaged or inflates beyond the limit"))?,
        CompressionMethod::STORE => return Err(damaged(&"an array beyond the limit of a file")),
        _ => {
            let what = format!("compression by method {}", method.as_u16());
            return Err(damaged(&what));
        }
    };
    let found = ZipVerification {
        crc: rawzip::crc32(&content),
        uncompressed_size: content.len() as u64,
    };
    packed
        .claim_verifier()
        .valid(found)
        .map_err(|error| damaged(&error))?;
    *left -= content.len();
    Ok(content)
}

/// What the header of an array says.
struct Header {
    /// The type of an entry, for example `<f8`; none: a structured one.
    kind: Option<String>,
    by_column: bool,
    shape: Vec<usize>,
}

fn array(bytes: &[u8], left: &mut usize) -> Result<Value> {
    let malformed = || Error::offset(0, "no header of a NumPy array", "an array by numpy.save");
    let prefix = MAGIC.len() + 2;
    let (version, rest) = match bytes.get(MAGIC.len()..prefix) {
        Some([version, _]) if bytes.starts_with(MAGIC) => (*version, &bytes[prefix..]),
        _ => return Err(malformed()),
    };
    let (length, size): (usize, usize) = match (version, rest) {
        (1, &[a, b, ..]) => (usize::from(u16::from_le_bytes([a, b])), 2),
        (2 | 3, &[a, b, c, d, ..]) => (u32::from_le_bytes([a, b, c, d]) as usize, 4),
        _ => return Err(malformed()),
    };
    let end = size.checked_add(length);
    let text = end.and_then(|end| rest.get(size..end));
    let header = text.and_then(|text| header(std::str::from_utf8(text).ok()?));
    let Some(Header {
        kind,
        by_column,
        shape,
    }) = header
    else {
        return Err(malformed());
    };
    let data = &rest[size + length..];
    // As Python writes shapes: (60,) or (60, 3).
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let what = format!("array of shape ({}{comma})", sizes.join(", "));
    let unread = |of: &str| {
        let what = format!("an {what} with {of}");
        Ok(Value::Unread { what })
    };
    let Some(kind) = kind else {
        return unread("records (a structured type); save each field as an array of its own");
    };
    let big_endian = kind.starts_with('>');
    let kind = kind.trim_start_matches(['<', '>', '|', '=']);
    let (code, width) = kind.split_at(kind.chars().next().map_or(0, char::len_utf8));
    let width: usize = width.parse().unwrap_or(0);
    let width = if code == "U" {
        width.saturating_mul(4)
    } else {
        width
    };
    match (code, width) {
        ("f", 2 | 4 | 8) | ("i" | "u", 1 | 2 | 4 | 8) | ("b", 1) | ("U" | "S", 1..) => {}
        ("O", _) => return unread("objects (pickled); save it as numbers or text"),
        ("c", _) => return unread("complex numbers"),
        ("U" | "S", 0) => return unread("empty text"),
        _ => return unread(&format!("type {}", shorten(kind))),
    }
    let (rows, columns) = match shape[..] {
        [] => (1, 1),
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        _ => {
            return Ok(Value::Unread {
                what: format!("an {what}"),
            });
        }
    };
    let count = rows.checked_mul(columns);
    if count.and_then(|count| count.checked_mul(width)) != Some(data.len()) {
        let found = format!("{} bytes for an {what} of {width} bytes each", data.len());
        return Err(Error::offset(
            prefix + size + length,
            found,
            "as many bytes as the shape says",
        ));
    }
    let count = data.len() / width;
    let is_text = matches!(code, "U" | "S");
    if is_text && columns > 1 {
        return unread("text");
    }
    let cost = count.saturating_mul(if is_text { TEXT_COST } else { 1 });
    *left = left.checked_sub(cost).ok_or_else(|| {
        let expected = format!("at most {MAX_VALUES} numbers in a file");
        Error::offset(0, format!("an {what}"), expected)
    })?;
    let items = data.chunks_exact(width);
    if is_text {
        let rows = items.map(|item| text_of(code, item, big_endian)).collect();
        return Ok(Value::Text { rows });
    }
    let numbers: Option<Vec<f64>> = items.map(|item| number(code, item, big_endian)).collect();
    let Some(numbers) = numbers else {
        return unread("64-bit integers beyond 2^53");
    };
    let values = if by_column || rows < 2 || columns < 2 {
        numbers
    } else {
        let places = (0..columns).flat_map(|c| (0..rows).map(move |r| r * columns + c));
        places.map(|at| numbers[at]).collect()
    };
    let shape = vec![rows, columns];
    Ok(Value::Matrix(Matrix { shape, values }))
}

/// The header, a dictionary as Python writes it.
fn header(text: &str) -> Option<Header> {
    let mut rest = text.trim().strip_prefix('{')?;
    let (mut kind, mut by_column, mut shape) = (None, None, None);
    loop {
        rest = rest.trim_start().trim_start_matches(',').trim_start();
        if rest == "}" {
            break;
        }
        let key;
        (key, rest) = quoted(rest)?;
        rest = rest.trim_start().strip_prefix(':')?.trim_start();
        match key {
            "descr" if rest.starts_with('[') => {
                // A list of fields, perhaps with shapes and lists of their own; the other keys follow.
                let end = rest.rfind(']')?;
                rest = &rest[end + 1..];
                kind = Some(None);
            }
            "descr" => {
                let word;
                (word, rest) = quoted(rest)?;
                kind = Some(Some(word.to_string()));
            }
            "fortran_order" => {
                let word;
                (word, rest) = rest.split_at(rest.find([',', '}'])?);
                by_column = Some(match word.trim() {
                    "True" => true,
                    "False" => false,
                    _ => return None,
                });
            }
            "shape" => {
                let sizes;
                (sizes, rest) = rest.strip_prefix('(')?.split_once(')')?;
                let sizes = sizes
                    .split(',')
                    .map(|size| size.trim().trim_end_matches('L'));
                let sizes = sizes.filter(|size| !size.is_empty());
                shape = Some(sizes.map(|size| size.parse().ok()).collect::<Option<_>>()?);
            }
            _ => return None,
        }
    }
    Some(Header {
        kind: kind?,
        by_column: by_column?,
        shape: shape?,
    })
}

/// A text in quotes, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let mark = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(mark)
}

fn text_of(code: &str, item: &[u8], big_endian: bool) -> String {
    let text: String = if code == "S" {
        item.iter().map(|byte| char::from(*byte)).collect()
    } else {
        let units = item.chunks_exact(4).map(|unit| raw(unit, big_endian));
        units
            .map(|unit| u32::try_from(unit).ok().and_then(char::from_u32))
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    text.trim_end_matches('\0').to_string()
}

/// The bytes as one number without a sign.
fn raw(bytes: &[u8], big_endian: bool) -> u64 {
    let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    if big_endian {
        bytes.iter().fold(0, fold)
    } else {
        bytes.iter().rev().fold(0, fold)
    }
}

/// None: an integer that f64 cannot hold exactly.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the width is that of the type, the sign is in its highest bit"
)]
fn number(code: &str, item: &[u8], big_endian: bool) -> Option<f64> {
    const LARGEST: u64 = 1 << 53;
    let bits = raw(item, big_endian);
    Some(match (code, item.len()) {
        ("f", 2) => half(bits as u16),
        ("f", 4) => f64::from(f32::from_bits(bits as u32)),
        ("f", _) => f64::from_bits(bits),
        ("b", _) => f64::from(u8::from(bits != 0)),
        ("i", 1) => f64::from(bits as i8),
        ("i", 2) => f64::from(bits as i16),
        ("i", 4) => f64::from(bits as i32),
        ("i", _) if (bits as i64).unsigned_abs() > LARGEST => return None,
        ("i", _) => bits as i64 as f64,
        _ if bits > LARGEST => return None,
        _ => bits as f64,
    })
}

/// A number of half precision: a sign, five bits of exponent, ten of fraction.
fn half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3FF) / 1024.0;
    let power = |exponent: u16| f64::from_bits((u64::from(exponent) + 1023 - 15) << 52);
    let size = match bits >> 10 & 0x1F {
        0 => fraction * power(1),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1.0 + fraction) * power(exponent),
    };
    if bits >> 15 == 0 { size } else { -size }
}

#[cfg(test)]
pub(in crate::data) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An array as `numpy.save` writes it.
    pub(in crate::data) fn file(kind: &str, shape: &str, order: &str, data: &[u8]) -> Vec<u8> {
        let mut header =
            format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}");
        while (10 + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [MAGIC, &[1, 0], &length, header.as_bytes(), data].concat()
    }

    pub(in crate::data) fn doubles(shape: &str, values: &[f64]) -> Vec<u8> {
        let data: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        file("<f8", shape, "False", &data)
    }

    /// An archive of stored files, as `numpy.savez` writes it.
    pub(in crate::data) fn archive(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, content) in files {
            let size = u32::try_from(content.len()).unwrap().to_le_bytes();
            let offset = u32::try_from(out.len()).unwrap().to_le_bytes();
            let length = u16::try_from(name.len()).unwrap().to_le_bytes();
            // Version, flags, method, time, date; checksum and sizes; lengths of name and extra field.
            let crc = rawzip::crc32(content).to_le_bytes();
            let common = [
                &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..],
                &crc,
                &size,
                &size,
                &length,
                &[0, 0],
            ]
            .concat();
            out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), content].concat());
            let more = [0; 10];
            directory.extend(
                [
                    b"PK\x01\x02\x14\0",
                    &common[..],
                    &more,
                    &offset,
                    name.as_bytes(),
                ]
                .concat(),
            );
        }
        let count = u16::try_from(files.len()).unwrap().to_le_bytes();
        let size = u32::try_from(directory.len()).unwrap().to_le_bytes();
        let start = u32::try_from(out.len()).unwrap().to_le_bytes();
        out.extend(directory);
        out.extend(
            [
                b"PK\x05\x06\0\0\0\0",
                &count[..],
                &count,
                &size,
                &start,
                &[0, 0],
            ]
            .concat(),
        );
        out
    }

    fn matrix(shape: &[usize], values: &[f64]) -> Value {
        Value::Matrix(Matrix {
            shape: shape.to_vec(),
            values: values.to_vec(),
        })
    }

    fn message(bytes: &[u8]) -> String {
        read(bytes).unwrap_err().to_string()
    }

    #[test]
    fn rows_and_columns_are_told_apart_in_both_orders() {
        let by_row = doubles("(2, 3)", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let expected = matrix(&[2, 3], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(read(&by_row), Ok(expected.clone()));
        let data: Vec<u8> = [1.0f64, 4.0, 2.0, 5.0, 3.0, 6.0]
            .iter()
            .flat_map(|value| value.to_be_bytes())
            .collect();
        assert_eq!(read(&file(">f8", "(2, 3)", "True", &data)), Ok(expected));
        assert_eq!(
            read(&doubles("(2,)", &[1.0, 2.0])),
            Ok(matrix(&[2, 1], &[1.0, 2.0]))
        );
        assert_eq!(read(&doubles("()", &[7.0])), Ok(matrix(&[1, 1], &[7.0])));
    }

    #[test]
    fn every_number_type_is_read() {
        // Half precision: 0x3555 is 0.333251953125, 0x0001 the smallest number 2^-24, 0x7C00 infinity.
        for (kind, bytes, value) in [
            ("|b1", &[2][..], 1.0),
            ("|i1", &[0xFE], -2.0),
            ("|u1", &[0xFE], 254.0),
            ("<i2", &(-300i16).to_le_bytes(), -300.0),
            (">u2", &65_000u16.to_be_bytes(), 65_000.0),
            ("<i4", &(-70_000i32).to_le_bytes(), -70_000.0),
            (">u4", &4_000_000_000u32.to_be_bytes(), 4e9),
            ("<i8", &(-5i64).to_le_bytes(), -5.0),
            ("=u8", &(1u64 << 53).to_le_bytes(), 9_007_199_254_740_992.0),
            ("<f2", &0x3555u16.to_le_bytes(), 0.333_251_953_125),
            ("<f2", &0x8001u16.to_le_bytes(), -1.0 / 16_777_216.0),
            ("<f2", &0x7C00u16.to_le_bytes(), f64::INFINITY),
            ("<f4", &0.1f32.to_le_bytes(), f64::from(0.1f32)),
        ] {
            let read = read(&file(kind, "(1,)", "False", bytes));
            assert_eq!(read, Ok(matrix(&[1, 1], &[value])), "{kind}");
        }
    }

    #[test]
    fn text_is_words_and_other_types_are_named() {
        let units: Vec<u8> = "ab\0\u{e9}\0\0"
            .chars()
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect();
        let rows = vec!["ab".to_string(), "\u{e9}".to_string()];
        assert_eq!(
            read(&file("<U3", "(2,)", "False", &units)),
            Ok(Value::Text { rows })
        );
        let rows = vec!["ab".to_string(), "c".to_string()];
        assert_eq!(
            read(&file("|S2", "(2,)", "False", b"abc\0")),
            Ok(Value::Text { rows })
        );
        for (kind, shape, size, part) in [
            ("|O", "(2,)", 9, "objects (pickled)"),
            ("<c16", "(1,)", 16, "complex"),
            ("<M8[ns]", "(1,)", 8, "type M8[ns]"),
            ("<U0", "(999999999999,)", 0, "empty text"),
            ("<U1", "(1, 2)", 8, "shape (1, 2) with text"),
            ("<f8", "(1, 1, 1)", 8, "an array of shape (1, 1, 1)"),
        ] {
            let value = read(&file(kind, shape, "False", &vec![0; size])).unwrap();
            assert!(value.describe().contains(part), "{}", value.describe());
        }
        let large = file("<u8", "(1,)", "False", &((1u64 << 53) + 1).to_le_bytes());
        assert!(read(&large).unwrap().describe().contains("2^53"));
        let mut records = doubles("(1,)", &[1.0]);
        let at = records.windows(5).position(|w| w == b"'<f8'").unwrap();
        records.splice(at..at + 5, *b"[('a', '<f8')]");
        let length = u16::from_le_bytes([records[8], records[9]]) + 9;
        records[8..10].copy_from_slice(&length.to_le_bytes());
        assert!(
            read(&records)
                .unwrap()
                .describe()
                .contains("structured type")
        );
    }

    #[test]
    fn shapes_that_the_bytes_do_not_fit_are_refused() {
        for shape in [
            "(2,)",
            "(99999999999999999999,)",
            "(4294967296, 4294967296)",
            "(0,)",
            "(-1,)",
        ] {
            assert!(read(&doubles(shape, &[1.0])).is_err(), "{shape}");
        }
        assert!(
            message(&doubles("(3, 2)", &[1.0])).contains("8 bytes for an array of shape (3, 2)")
        );
        let good = doubles("(2,)", &[1.0, 2.0]);
        for length in 0..good.len() {
            assert!(read(&good[..length]).is_err(), "{length}");
        }
        // No bytes claim any number of rows.
        assert_eq!(
            read(&doubles("(1000000000, 0)", &[])),
            Ok(matrix(&[1_000_000_000, 0], &[]))
        );
    }

    #[test]
    fn the_arrays_of_an_archive_have_the_names_of_their_files() {
        let x = doubles("(2, 1)", &[1.0, 2.0]);
        let bytes = archive(&[("X.npy", x.clone()), ("note.txt", b"x".to_vec())]);
        let variables = read_archive(&bytes).unwrap();
        assert_eq!(variables[0].name, "X");
        assert_eq!(variables[0].value, matrix(&[2, 1], &[1.0, 2.0]));
        assert_eq!(variables[1].value.describe(), "a file that is no array");
        assert_eq!(names(&bytes).unwrap(), ["X.npy", "note.txt"]);
        let mut damaged = bytes.clone();
        let at = damaged.windows(6).position(|w| w == MAGIC).unwrap() + 130;
        damaged[at] ^= 1;
        let error = read_archive(&damaged).unwrap_err().to_string();
        assert!(error.contains("array `X`"), "{error}");
        assert!(read_archive(&bytes[..bytes.len() / 2]).is_err());
        let wrong = archive(&[("y.npy", b"abc".to_vec())]);
        let error = read_archive(&wrong).unwrap_err().to_string();
        assert!(error.contains("array `y`: byte 0: no header"), "{error}");
        let sparse =
            ["indptr.npy", "indices.npy", "shape.npy", "data.npy"].map(|name| (name, x.clone()));
        let error = read_archive(&archive(&sparse)).unwrap_err().to_string();
        assert!(error.contains("toarray()"), "{error}");
    }

    proptest! {
        #[test]
        fn changed_bytes_end_in_arrays_or_an_error(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let x = doubles("(2, 1)", &[1.0, 2.0]);
            for mut bytes in [x.clone(), archive(&[("X.npy", x.clone()), ("y.npy", x)])] {
                for (at, byte) in &changes {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
                let _ = read(&bytes);
                let _ = read_archive(&bytes);
            }
        }
    }
}
