//! The encoding of a text file: UTF-8, UTF-16 with a byte order mark (Excel's "Unicode text"), or
//! Windows-1252 (what a Western European Excel saves as CSV). Not here: what stands in the text.

use std::borrow::Cow;

use crate::{Error, Result};

/// Bytes 0x80 to 0x9F in Windows-1252; the others are those of Latin-1. Five are not assigned.
/// Source: the Unicode Consortium's mapping table CP1252.TXT.
const WINDOWS_1252: [Option<char>; 32] = [
    Some('€'),
    None,
    Some('‚'),
    Some('ƒ'),
    Some('„'),
    Some('…'),
    Some('†'),
    Some('‡'),
    Some('ˆ'),
    Some('‰'),
    Some('Š'),
    Some('‹'),
    Some('Œ'),
    None,
    Some('Ž'),
    None,
    None,
    Some('‘'),
    Some('’'),
    Some('“'),
    Some('”'),
    Some('•'),
    Some('–'),
    Some('—'),
    Some('˜'),
    Some('™'),
    Some('š'),
    Some('›'),
    Some('œ'),
    None,
    Some('ž'),
    Some('Ÿ'),
];

/// A text in UTF-16, which begins with a byte order mark.
pub fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF")
}

/// A text in UTF-16 as UTF-8, without the mark.
///
/// # Errors
/// Of line 1: half a character at the end, or a surrogate without its pair.
pub fn from_utf16(bytes: &[u8]) -> Result<Vec<u8>> {
    let broken = || {
        Error::line(
            1,
            "text in UTF-16 that is damaged",
            "a file that is saved as CSV UTF-8",
        )
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    let unit = if bytes.starts_with(b"\xFF") {
        u16::from_le_bytes
    } else {
        u16::from_be_bytes
    };
    let units = pairs.iter().skip(1).map(|pair| unit(*pair));
    let text: std::result::Result<String, _> = char::decode_utf16(units).collect();
    match (text, rest) {
        (Ok(text), []) => Ok(text.into_bytes()),
        _ => Err(broken()),
    }
}

/// A text that is not UTF-8, read as Windows-1252; none if it has a byte that is no character there.
pub fn from_windows_1252(bytes: &[u8]) -> Option<Vec<u8>> {
    let text: Option<String> = bytes
        .iter()
        .map(|byte| match byte {
            0x80..=0x9F => WINDOWS_1252[usize::from(byte - 0x80)],
            _ => Some(char::from(*byte)),
        })
        .collect();
    text.map(String::into_bytes)
}

/// The text as UTF-8, and whether that took a guess: Windows-1252. A text that is in neither is left as
/// it is, for its reader to name the line.
pub fn to_utf8(bytes: Cow<'_, [u8]>) -> (Cow<'_, [u8]>, bool) {
    if std::str::from_utf8(&bytes).is_ok() {
        return (bytes, false);
    }
    match from_windows_1252(&bytes) {
        Some(text) => (Cow::Owned(text), true),
        None => (bytes, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_of_both_byte_orders_is_read() {
        // printf 'a;ü€😀' | iconv -t UTF-16LE, and UTF-16BE.
        let little = b"\xFF\xFEa\0;\0\xFC\0\xAC\x20\x3D\xD8\x00\xDE";
        let big = b"\xFE\xFF\0a\0;\0\xFC\x20\xAC\xD8\x3D\xDE\x00";
        assert_eq!(from_utf16(little).unwrap(), "a;ü€😀".as_bytes());
        assert_eq!(from_utf16(big).unwrap(), "a;ü€😀".as_bytes());
        for damaged in [&b"\xFF\xFEa"[..], b"\xFF\xFE\x3D\xD8", b"\xFF\xFE\x00\xDE"] {
            let message = from_utf16(damaged).unwrap_err().to_string();
            assert!(message.contains("UTF-16 that is damaged"), "{message}");
        }
    }

    #[test]
    fn windows_1252_is_read_and_said_to_be_a_guess() {
        // printf 'M\xFCnchen 5 \x80 \x96 x' | iconv -f WINDOWS-1252
        let (text, is_guess) = to_utf8(Cow::Borrowed(b"M\xFCnchen 5 \x80 \x96 x"));
        assert_eq!(&*text, "München 5 € – x".as_bytes());
        assert!(is_guess);
        let (text, is_guess) = to_utf8(Cow::Borrowed("München".as_bytes()));
        assert_eq!((&*text, is_guess), ("München".as_bytes(), false));
        // 0x81 is not assigned.
        let (text, is_guess) = to_utf8(Cow::Borrowed(b"M\x81nchen"));
        assert_eq!((&*text, is_guess), (&b"M\x81nchen"[..], false));
    }
}
