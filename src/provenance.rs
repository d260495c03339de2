//! Files that carry their specification: pictures (a text chunk of a PNG, the metadata of an SVG),
//! `report.json`, a bare specification. It is embedded here, and read back as a link. What is read is
//! untrusted: it becomes a link and is checked as one. Not here: what a link means (`spec::link`),
//! drawing (`chart`).

use serde_json::Value;

use crate::data::import::mapping::Mapping;
use crate::spec::Draft;
use crate::spec::link;
use crate::{Error, Result};

/// Largest file that is read.
pub const MAX_BYTES: usize = 64 << 20;

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A];
/// A PNG begins with its signature and a chunk of its size, colours and so on: 13 bytes in a frame.
const HEAD: usize = SIGNATURE.len() + 12 + 13;
/// Keyword of our text chunk.
const KEYWORD: &str = "patom";
/// Where our note begins and ends in an SVG.
const METADATA: (&str, &str) = ("<metadata id=\"patom\">", "</metadata>");

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// A text chunk: keyword, not compressed, no language, no translation, text.
fn text_chunk(keyword: &str, text: &str) -> Result<Vec<u8>> {
    let mut body = b"iTXt".to_vec();
    body.extend(keyword.bytes());
    body.extend([0; 5]);
    body.extend(text.bytes());
    let length = u32::try_from(body.len() - 4)
        .map_err(|_| Error::data("the text is too long for a picture"))?;
    let mut chunk = length.to_be_bytes().to_vec();
    chunk.extend(&body);
    chunk.extend(crc32(&body).to_be_bytes());
    Ok(chunk)
}

/// Puts a title and a note (JSON with a `link`) into a PNG.
///
/// # Errors
/// Bytes that are no PNG.
pub fn into_png(png: &[u8], title: &str, note: &str) -> Result<Vec<u8>> {
    if !png.starts_with(&SIGNATURE) || png.len() < HEAD {
        return Err(Error::data("not a PNG"));
    }
    let (head, rest) = png.split_at(HEAD);
    let texts = [text_chunk("Title", title)?, text_chunk(KEYWORD, note)?];
    Ok([head, &texts.concat(), rest].concat())
}

/// Puts a title and a note (JSON with a `link`) into an SVG that the charts have drawn.
///
/// # Errors
/// Text that is no SVG.
pub fn into_svg(svg: &str, title: &str, note: &str) -> Result<String> {
    let (head, body) = (svg.split_once('>'))
        .filter(|(head, _)| head.starts_with("<svg"))
        .ok_or_else(|| Error::data("not an SVG"))?;
    let (start, end) = METADATA;
    let (title, note) = (escaped(title), escaped(note));
    Ok(format!(
        "{head} role=\"img\">\n<title>{title}</title>\n{start}{note}{end}{body}"
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn unescaped(text: &str) -> String {
    // Programs that rewrite an SVG escape quotes too.
    text.replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// The fragment of the link that a file carries, without `#`. The kind of a file is recognised by its
/// content.
///
/// # Errors
/// A file of another kind, too large, damaged, or without a specification.
pub fn read(bytes: &[u8]) -> Result<String> {
    if bytes.len() > MAX_BYTES {
        let limit = MAX_BYTES >> 20;
        return Err(Error::data(format_args!(
            "too large: at most {limit} MiB are read"
        )));
    }
    if bytes.starts_with(&SIGNATURE) {
        return note_link(&png_note(bytes)?);
    }
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('<') {
        return note_link(&svg_note(text)?);
    }
    if text.starts_with('{') {
        return json_link(text);
    }
    Err(Error::data(
        "unknown kind of file; expected a picture (PNG, SVG), a report or a specification (JSON)",
    ))
}

/// A file of the right kind without a specification.
fn foreign(kind: &str) -> Error {
    Error::data(format_args!(
        "this {kind} carries no specification: it was not saved by PATOM Lab, or another program \
         removed it"
    ))
}

fn png_note(png: &[u8]) -> Result<String> {
    let damaged = |offset: usize, what: &str| {
        Error::offset(offset, what, "the next chunk of an undamaged PNG")
    };
    let mut at = SIGNATURE.len();
    loop {
        let cut = || damaged(at, "the end of the file");
        let frame = png.get(at..at + 8).ok_or_else(cut)?;
        let (length, kind) = frame.split_at(4);
        let length = length
            .iter()
            .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        if kind == b"IEND" {
            return Err(foreign("PNG"));
        }
        // Up to 4 GiB are claimed: sums of it would overflow in wasm.
        let rest = &png[at + 8..];
        if length.checked_add(4).is_none_or(|end| end > rest.len()) {
            return Err(cut());
        }
        let ours = rest[..length]
            .strip_prefix(KEYWORD.as_bytes())
            .and_then(|text| text.strip_prefix(&[0; 5]))
            .filter(|_| kind == b"iTXt");
        if let Some(text) = ours {
            let sum = crc32(&png[at + 4..at + 8 + length]);
            if rest[length..length + 4] != sum.to_be_bytes() {
                return Err(damaged(at, "a text whose checksum does not fit"));
            }
            return String::from_utf8(text.to_vec())
                .map_err(|_| damaged(at, "a text that is not UTF-8"));
        }
        at += 12 + length;
    }
}

fn svg_note(svg: &str) -> Result<String> {
    let (start, end) = METADATA;
    let note = (svg.split_once(start)).and_then(|(_, rest)| Some(rest.split_once(end)?.0));
    note.map(unescaped).ok_or_else(|| foreign("SVG"))
}

fn note_link(note: &str) -> Result<String> {
    let note: Value = serde_json::from_str(note).unwrap_or_default();
    let link = note["link"].as_str().unwrap_or_default();
    if link.is_empty() {
        return Err(foreign("picture"));
    }
    link::decode(link)?;
    let fragment = link.split_once('#').map_or(link, |(_, fragment)| fragment);
    Ok(fragment.trim().to_string())
}

/// Whether this is the JSON of a report rather than of a specification.
pub fn is_report(text: &str) -> bool {
    // Most specifications are short: it costs nothing to read one twice.
    let value: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
    value.get("spec").is_some_and(Value::is_object)
}

/// A report, or a bare specification.
fn json_link(text: &str) -> Result<String> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let Some(spec) = value.get("spec") else {
        return checked(link::write(&Draft::parse(text)?));
    };
    let word = |name: &str| value[name].as_str().map(str::to_string);
    let last = value["trace"].as_array().and_then(|trace| trace.last());
    let number = |name: &str| last.and_then(|point| point[name].as_f64());
    let claim = link::Claim {
        engine: word("engine"),
        data_sha256: word("data_sha256").filter(|_| spec["dataset"].is_string()),
        digest: word("digest"),
        metric: number("metric"),
        utility: number("utility"),
    };
    let draft = Draft::from_value(spec.clone())?;
    let columns = word("columns").map(|text| match text.parse::<Mapping>() {
        Ok(mapping) if draft.was_version_1() => mapping.with_rules_of_version_1().to_string(),
        // What is no mapping is refused with the link.
        _ => text,
    });
    let fragment = link::with_columns(&link::write(&draft), columns.as_deref());
    checked([fragment, claim.write()].join("&"))
}

/// A link made from a file's values is checked like any other link.
fn checked(fragment: String) -> Result<String> {
    link::decode(&fragment)?;
    Ok(fragment)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "v=1&d=synthetic&b=0.3&r=0123456789abcdef";

    fn note() -> String {
        format!(r#"{{"link":"https://example.org/#{LINK}","spec":{{"a":"<&>"}}}}"#)
    }

    /// The smallest PNG there is: one white pixel.
    fn png() -> Vec<u8> {
        let chunk = |kind: &[u8], data: &[u8]| {
            let length = u32::try_from(data.len()).unwrap().to_be_bytes();
            let body = [kind, data].concat();
            [&length[..], &body, &crc32(&body).to_be_bytes()].concat()
        };
        let data = miniz_oxide::deflate::compress_to_vec_zlib(&[0, 255], 6);
        [
            &SIGNATURE[..],
            &chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]),
            &chunk(b"IDAT", &data),
            &chunk(b"IEND", &[]),
        ]
        .concat()
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        // The last chunk of every PNG.
        assert_eq!(crc32(b"IEND"), 0xAE42_6082);
    }

    #[test]
    fn a_picture_gives_back_the_link_that_was_put_in() {
        let with = into_png(&png(), "T1 – damaged", &note()).unwrap();
        assert_eq!(read(&with).unwrap(), LINK);
        assert!(
            with.windows(12)
                .any(|part| part == b"T1 \xE2\x80\x93 damag")
        );
        let svg = into_svg("<svg width=\"1\">\n<rect/></svg>", "a < b", &note()).unwrap();
        assert_eq!(read(svg.as_bytes()).unwrap(), LINK);
        assert!(svg.contains("<title>a &lt; b</title>") && svg.ends_with("<rect/></svg>"));
        // As another program rewrites it.
        let rewritten = format!("<?xml version=\"1.0\"?>\n{}", svg.replace("{\"", "{&quot;"));
        assert_eq!(read(rewritten.as_bytes()).unwrap(), LINK);
        assert!(into_png(b"GIF89a", "", "").is_err() && into_svg("text", "", "").is_err());
    }

    #[test]
    fn the_columns_of_a_report_travel_with_it() {
        let dataset = format!(r#"{{"name":"a.csv","sha256":"{}"}}"#, "ab".repeat(32));
        let report = |columns: &str| {
            format!(r#"{{"spec":{{"dataset":{dataset}}},"columns":"{columns}","digest":"0123"}}"#)
        };
        let dropping = "task:1;label:2;x:3;missing:drop";
        let old = report(dropping).replace(r#"{"spec":{"#, r#"{"spec":{"version":1,"#);
        let link = read(old.as_bytes()).unwrap();
        assert!(link.ends_with(";missing:drop;rules:1&r=0123"), "{link}");
        let link = read(report("label:1;x:2").as_bytes()).unwrap();
        assert!(link.ends_with("&c=label:1;x:2&r=0123"), "{link}");
        let error = read(report("<b>").as_bytes()).unwrap_err();
        assert_eq!(error.field_name(), Some("columns"));
    }

    #[test]
    fn reports_and_specifications_become_links() {
        let read = |text: &str| read(text.as_bytes());
        let spec = r#"{"version":1,"dataset":"sarcos","targets":[0,1,2],"budget":0.2}"#;
        assert_eq!(read(spec).unwrap(), "v=2&d=sarcos&t=0-2&b=0.2");
        let report = format!(
            r#"{{"spec":{spec},"engine":"0.1.0","data_sha256":"00ff","digest":"abcd",
                "trace":[{{"metric":1,"utility":2}},{{"metric":0.25,"utility":3.5}}]}}"#
        );
        let link = read(&report).unwrap();
        assert_eq!(
            link,
            "v=2&d=sarcos&t=0-2&b=0.2&e=0.1.0&h=00ff&r=abcd&q=0.25&u=3.5"
        );
        assert_eq!(read("\u{feff} {}").unwrap(), "v=2");
    }

    #[test]
    fn files_without_a_valid_specification_are_refused_with_a_reason() {
        let noted = |link: &str| {
            let note = serde_json::json!({ "link": link }).to_string();
            into_png(&png(), "", &note).unwrap()
        };
        let altered = |at: usize| {
            let mut bytes = noted(LINK);
            let place = bytes.windows(5).position(|part| part == b"patom").unwrap() + at;
            bytes[place] ^= 1;
            bytes
        };
        let huge = [&SIGNATURE[..], &[0xFF; 4], b"IDAT"].concat();
        let cases: [(&[u8], &str); 15] = [
            (b"", "unknown kind of file"),
            (b"task,label,x1\n", "unknown kind of file"),
            (&[0xFF; 40], "unknown kind of file"),
            (&png(), "this PNG carries no specification"),
            (&png()[..40], "the end of the file"),
            (&huge, "the end of the file"),
            (&altered(14), "checksum"),
            (b"<svg></svg>", "this SVG carries no specification"),
            (b"<svg><metadata id=\"patom\">", "this SVG carries"),
            (b"<svg><metadata id=\"patom\">{}</metadata>", "carries no"),
            (&noted("v=3"), "newer than"),
            (&noted("v=1&b=<script>"), "budget"),
            (br#"{"a":1}"#, "unknown field"),
            (br#"{"spec":{"budget":[]}}"#, "budget"),
            (br#"{"spec":{},"digest":"<b>"}"#, "digest"),
        ];
        for (bytes, part) in cases {
            let error = read(bytes).expect_err(part).to_string();
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(read(&vec![b' '; MAX_BYTES + 1]).is_err());
        let long = noted(&format!("v=1&x={}", "9".repeat(link::MAX_LENGTH)));
        assert!(read(&long).is_err());
    }
}
