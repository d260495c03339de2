//! gzip: one compressed file (RFC 1952), or several one after the other, which are one. Not here: what
//! is in it.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use crate::data::MAX_FILE_BYTES;
use crate::{Error, Result};

const MAGIC: &[u8] = b"\x1F\x8B";

/// Is this gzip?
pub(in crate::data) fn recognises(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// What is in the file.
///
/// # Errors
/// With the byte offset of the part: of a header that is none, a part that is damaged or cut short,
/// a wrong checksum, more bytes than the limit of a file.
pub(in crate::data) fn read(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut start = 0;
    loop {
        let part = &bytes[start..];
        let refuse = |found: &str, expected: &str| Err(Error::offset(start, found, expected));
        let Some(header) = header_length(part) else {
            return refuse("no complete gzip header", "a file compressed by gzip");
        };
        let most = MAX_FILE_BYTES - out.len();
        let (inflated, length) = match inflate(&part[header..], most) {
            Ok(inflated) => inflated,
            Err(TINFLStatus::HasMoreOutput) => {
                let expected = format!("at most {MAX_FILE_BYTES} bytes in a file");
                return refuse("a file that inflates beyond the limit", &expected);
            }
            Err(_) => {
                return refuse("gzip that is damaged or cut short", "a complete gzip file");
            }
        };
        let end = header + length;
        let Some(&[a, b, c, d, ..]) = part.get(end..end + 8) else {
            return refuse("gzip that is cut short", "a complete gzip file");
        };
        if rawzip::crc32(&inflated) != u32::from_le_bytes([a, b, c, d]) {
            return refuse("a wrong checksum", "data as they were written");
        }
        if out.is_empty() {
            out = inflated;
        } else {
            out.extend(inflated);
        }
        start += end + 8;
        // Zeros may follow: tapes are padded with them.
        if bytes[start..].iter().all(|byte| *byte == 0) {
            return Ok(out);
        }
    }
}

/// The length of a header: ten bytes, then what its flags announce.
fn header_length(part: &[u8]) -> Option<usize> {
    const DEFLATE: u8 = 8;
    let [0x1F, 0x8B, DEFLATE, flags, ..] = *part else {
        return None;
    };
    let has = |bit: u8| flags & 1 << bit != 0;
    let mut at = 10;
    if has(2) {
        let low = usize::from(*part.get(at)?);
        let high = usize::from(*part.get(at + 1)?);
        at += 2 + (high << 8 | low);
    }
    // A name and a comment, which end with a zero.
    for bit in [3, 4] {
        if has(bit) {
            at += 1 + part.get(at..)?.iter().position(|byte| *byte == 0)?;
        }
    }
    at += if has(1) { 2 } else { 0 };
    (at <= part.len()).then_some(at)
}

/// What a deflate stream at the beginning of `input` inflates to, and its length.
fn inflate(input: &[u8], most: usize) -> std::result::Result<(Vec<u8>, usize), TINFLStatus> {
    let mut state = Box::<DecompressorOxide>::default();
    let mut out = vec![0; input.len().saturating_mul(2).clamp(1024, most.max(1024))];
    let (mut read, mut written) = (0, 0);
    loop {
        let rest = input.get(read..).unwrap_or_default();
        let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, more_read, more_written) =
            decompress(&mut state, rest, &mut out, written, flags);
        read += more_read;
        written += more_written;
        match status {
            TINFLStatus::Done if written <= most && read <= input.len() => {
                out.truncate(written);
                return Ok((out, read));
            }
            TINFLStatus::HasMoreOutput if out.len() < most => {
                let length = out.len().saturating_mul(2).min(most);
                out.resize(length, 0);
            }
            TINFLStatus::Done => return Err(TINFLStatus::HasMoreOutput),
            other => return Err(other),
        }
    }
}

#[cfg(test)]
pub(in crate::data) mod tests {
    use super::*;
    use miniz_oxide::deflate::compress_to_vec;
    use proptest::prelude::*;

    /// A file of one part, as gzip writes it with `flags` and what they announce.
    pub(in crate::data) fn packed(content: &[u8], flags: u8, announced: &[u8]) -> Vec<u8> {
        let mut out = vec![0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 255];
        out.extend_from_slice(announced);
        out.extend(compress_to_vec(content, 6));
        out.extend_from_slice(&rawzip::crc32(content).to_le_bytes());
        out.extend_from_slice(&u32::try_from(content.len()).unwrap().to_le_bytes());
        out
    }

    #[test]
    fn what_was_compressed_is_read_with_any_header() {
        for (flags, announced) in [
            (0, &b""[..]),
            (8, b"d.csv\0"),
            (0b1_1110, b"\x03\0abcname\0comment\0\x12\x34"),
        ] {
            assert_eq!(
                read(&packed(b"a,b\n1,2\n", flags, announced)).unwrap(),
                b"a,b\n1,2\n"
            );
        }
        let two = [
            packed(b"a,b\n", 0, b""),
            packed(b"1,2\n", 0, b""),
            vec![0; 5],
        ]
        .concat();
        assert_eq!(read(&two).unwrap(), b"a,b\n1,2\n");
        assert_eq!(read(&packed(b"", 0, b"")).unwrap(), b"");
        // Written by gzip 1.12 (`printf 'x\n' | gzip -n`).
        let by_gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xe0\x02\x00\x1f\x08\xea\x46\x02\x00\x00\x00";
        assert_eq!(
            read(by_gzip).map_err(|e| e.to_string()),
            Ok(b"x\n".to_vec())
        );
    }

    #[test]
    fn damage_and_bombs_are_refused() {
        let good = packed(b"a,b\n1,2\n", 8, b"name\0");
        for length in 0..good.len() {
            assert!(read(&good[..length]).is_err(), "{length}");
        }
        let mut wrong = good.clone();
        let at = wrong.len() - 6;
        wrong[at] ^= 1;
        assert!(read(&wrong).unwrap_err().to_string().contains("checksum"));
        let bomb = packed(&vec![0; MAX_FILE_BYTES + 1], 0, b"");
        let error = read(&bomb).unwrap_err().to_string();
        assert!(error.contains("beyond the limit"), "{error}");
        let bombs = [
            packed(&vec![0; MAX_FILE_BYTES], 0, b""),
            packed(b"x", 0, b""),
        ]
        .concat();
        assert!(read(&bombs).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_after_the_mark_end_in_bytes_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..60)
        ) {
            let _ = read(&[&b"\x1F\x8B\x08"[..], &bytes].concat());
        }
    }
}
