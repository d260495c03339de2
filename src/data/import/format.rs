//! What a user's file is: recognised by its content, then by the ending of its name. A file that
//! cannot be read as a table is named, with the way to turn it into one. Not here: the readers
//! (`formats`).

use std::borrow::Cow;

use crate::data::ending_of;
use crate::data::formats::grid::Grid;
use crate::data::formats::variable::{self, Variable};
use crate::data::formats::{arff, encoding, gzip, json, matlab, npy, svmlight};
use crate::warning::{Warning, WarningCode};
use crate::{Error, Result};

/// The endings of files that hold tables. Other names are fine where the content is text.
pub const ENDINGS: [&str; 18] = [
    "csv", "tsv", "txt", "data", "dat", "tab", "psv", "mat", "npy", "npz", "svm", "svmlight",
    "libsvm", "arff", "json", "jsonl", "ndjson", "gz",
];

/// The content of a file.
pub(super) enum Content<'a> {
    /// A text with a separator, and what was assumed about its encoding.
    Text(Cow<'a, [u8]>, Option<Warning>),
    /// The variables of a MAT or NumPy file.
    Variables(Vec<Variable>),
    /// Named columns.
    Grid(Grid),
}

/// The name of the only array of a `.npy` file, for `from`.
const ARRAY: &str = "array";

/// Reads a file of any format.
///
/// # Errors
/// Of a file that is too large, that is no table, or that its reader refuses.
pub(super) fn read<'a>(name: &str, bytes: &'a [u8]) -> Result<Content<'a>> {
    let ending = ending_of(name, bytes)?;
    if !gzip::recognises(bytes) {
        return content(&ending, Cow::Borrowed(bytes));
    }
    let inner = gzip::read(bytes)?;
    if gzip::recognises(&inner) {
        return Err(refusal("compressed twice", "a file compressed once"));
    }
    let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
    content(&ending_of(stem, &inner)?, Cow::Owned(inner))
}

fn content<'a>(ending: &str, bytes: Cow<'a, [u8]>) -> Result<Content<'a>> {
    if is_mat(&bytes) {
        return mat(&bytes);
    }
    if npy::recognises(&bytes) {
        let variable = Variable {
            name: ARRAY.to_string(),
            value: npy::read(&bytes)?,
        };
        return Ok(Content::Variables(vec![variable]));
    }
    if bytes.starts_with(b"PK") {
        return archive(&bytes);
    }
    if let Some((what, instead)) = known(&bytes) {
        return Err(refusal(what, instead));
    }
    match ending {
        "mat" => return mat(&bytes),
        "npy" | "npz" => {
            let found = "no NumPy file";
            return Err(refusal(
                found,
                "an array by numpy.save or arrays by numpy.savez",
            ));
        }
        _ => {}
    }
    if encoding::is_utf16(&bytes) {
        return content(ending, Cow::Owned(encoding::from_utf16(&bytes)?));
    }
    let sample = &bytes[..bytes.len().min(1 << 13)];
    if sample.contains(&0) {
        let expected = "a text such as CSV, or a MAT, NumPy, ARFF, JSON or svmlight file";
        return Err(refusal("binary, in a format that is not known", expected));
    }
    if ending == "arff" || arff::recognises(&bytes) {
        return Ok(Content::Grid(arff::read(&bytes)?));
    }
    if matches!(ending, "json" | "jsonl" | "ndjson") || json::recognises(&bytes) {
        return Ok(Content::Grid(json::read(&bytes)?));
    }
    if matches!(ending, "svm" | "svmlight" | "libsvm") || svmlight::recognises(&bytes) {
        return Ok(Content::Grid(svmlight::read(&bytes)?));
    }
    let (text, is_guess) = encoding::to_utf8(bytes);
    let warning = is_guess.then(|| {
        Warning::new(
            WarningCode::Interpreted,
            "The text is not UTF-8: it was read as Windows-1252 (Western European). If names look wrong, \
             save the file as CSV UTF-8.",
        )
    });
    Ok(Content::Text(text, warning))
}

fn refusal(what: &str, expected: &str) -> Error {
    Error::data(format!("the file is {what}; expected {expected}"))
}

/// A header of version 5 ends with a version and a mark of the byte order.
fn is_mat(bytes: &[u8]) -> bool {
    matches!(bytes.get(124..128), Some(b"\0\x01IM" | b"\x01\0MI"))
}

fn mat<'a>(bytes: &[u8]) -> Result<Content<'a>> {
    Ok(Content::Variables(variable::flatten(matlab::read(bytes)?)))
}

/// A ZIP archive: arrays of NumPy, or something by the names in it.
fn archive<'a>(bytes: &[u8]) -> Result<Content<'a>> {
    let names = npy::names(bytes).unwrap_or_default();
    if names.iter().any(|name| npy::array_name(name).is_some()) {
        return Ok(Content::Variables(npy::read_archive(bytes)?));
    }
    let has = |start: &str| names.iter().any(|name| name.starts_with(start));
    if has("xl/") {
        return Err(refusal("an Excel workbook", SPREADSHEET));
    }
    if has("content.xml") {
        return Err(refusal("an OpenDocument spreadsheet", SPREADSHEET));
    }
    if has("word/") || has("ppt/") {
        return Err(refusal("an Office document", SPREADSHEET));
    }
    match names.iter().find(|name| !name.ends_with('/')) {
        Some(_) => Err(refusal(
            "a ZIP archive",
            "one of the files in it: unpack it",
        )),
        None => Err(refusal(
            "a ZIP archive, perhaps an Excel workbook, that is damaged or empty",
            SPREADSHEET,
        )),
    }
}

const SPREADSHEET: &str = "a text; in the spreadsheet program: save as CSV UTF-8";
const DOWNLOAD: &str = "the data file itself: download it again";
const UNPACK: &str = "the file in it: unpack it, or compress it with gzip";

/// What a file is that is no table, by its first bytes, and what to do.
fn known(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const HDF5: &str = "a MAT file of version 5 to 7 or CSV; in MATLAB: load it, then \
        save('name.mat', '-v7'); in Python: read it with h5py and save it with numpy.savez";
    const PARQUET: &str = "CSV or JSON lines; in Python: \
        pandas.read_parquet('name.parquet').to_csv('name.csv', index=False)";
    const R: &str = "a text; in R: write.csv(readRDS('name.rds'), 'name.csv', row.names = FALSE), or \
        load() and write.csv";
    const PICKLE: &str = "CSV or .npz; in Python: save a table with to_csv('name.csv', index=False), \
        arrays with numpy.savez";
    const STATA: &str = "CSV; in Python: pandas.read_stata, read_sas or read_spss, then \
        to_csv('name.csv', index=False)";
    const MAGIC: [(&[u8], &str, &str); 25] = [
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
            "an old Excel workbook (.xls)",
            SPREADSHEET,
        ),
        (
            b"\x89HDF\r\n\x1A\n",
            "HDF5, such as a MATLAB file of version 7.3",
            HDF5,
        ),
        (b"MATLAB 7.3", "a MATLAB file of version 7.3 (HDF5)", HDF5),
        (b"PAR1", "a Parquet file", PARQUET),
        (
            b"ARROW1",
            "a Feather (Arrow) file",
            "CSV; in Python: pandas.read_feather, then to_csv",
        ),
        (b"%PDF", "a PDF document", "the table in it as CSV"),
        (
            b"version https://git-lfs",
            "a Git LFS pointer",
            "the file it stands for: run git lfs pull",
        ),
        (b"RDX2\n", "R data (.RData)", R),
        (b"RDX3\n", "R data (.RData)", R),
        (b"X\n\0\0\0", "R data (.rds)", R),
        (b"A\n2\n", "R data (.rds)", R),
        (b"A\n3\n", "R data (.rds)", R),
        (b"BZh", "compressed by bzip2", UNPACK),
        (b"\xFD7zXZ", "compressed by xz", UNPACK),
        (b"\x28\xB5\x2F\xFD", "compressed by Zstandard", UNPACK),
        (b"7z\xBC\xAF", "a 7z archive", UNPACK),
        (b"Rar!", "a RAR archive", UNPACK),
        (
            b"SQLite format 3",
            "an SQLite database",
            "CSV: export a table",
        ),
        (b"\x80\x03", "a Python pickle", PICKLE),
        (b"\x80\x04", "a Python pickle", PICKLE),
        (b"\x80\x05", "a Python pickle", PICKLE),
        (b"<stata_dta>", "a Stata file", STATA),
        (b"$FL2", "an SPSS file", STATA),
        (b"\x89PNG", "a picture", "a table"),
        (b"\xFF\xD8\xFF", "a picture", "a table"),
    ];
    if let Some((_, what, instead)) = MAGIC.iter().find(|(magic, ..)| bytes.starts_with(magic)) {
        return Some((what, instead));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(("a tar archive", UNPACK));
    }
    if bytes.starts_with(b"# Created by Octave") {
        let instead = "a MAT file; in Octave: load it, then save('-v7', 'name.mat')";
        return Some(("in Octave's text format", instead));
    }
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = text.trim_ascii_start();
    let begins = |words: &[&[u8]]| {
        let is = |word: &&[u8]| {
            text.get(..word.len())
                .is_some_and(|t| t.eq_ignore_ascii_case(word))
        };
        words.iter().any(is)
    };
    if begins(&[
        b"<!doctype html",
        b"<html",
        b"<head",
        b"<body",
        b"<script",
        b"<table",
    ]) {
        return Some(("a web page", DOWNLOAD));
    }
    if begins(&[b"<?xml", b"<svg"]) {
        return Some(("XML", "a table as CSV"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::formats::gzip::tests::packed;

    fn message(name: &str, bytes: &[u8]) -> String {
        match read(name, bytes) {
            Ok(_) => panic!("{name} was read"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_no_table_is_named_with_what_to_do() {
        for (bytes, what, instead) in [
            (
                &b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0"[..],
                "old Excel workbook",
                "CSV UTF-8",
            ),
            (
                b"PK\x03\x04\x14\0\x06\0garbage",
                "perhaps an Excel workbook",
                "CSV UTF-8",
            ),
            (
                b"\n<!DOCTYPE html><title>404</title>",
                "a web page",
                "download it again",
            ),
            (b"<HTML>", "a web page", "download it again"),
            (b"<?xml version='1.0'?>", "XML", "CSV"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
                "Git LFS",
                "git lfs pull",
            ),
            (b"%PDF-1.7\n", "PDF", "CSV"),
            (b"PAR1\x15\x04", "Parquet", "read_parquet"),
            (b"\x89HDF\r\n\x1A\n", "HDF5", "-v7"),
            (b"MATLAB 7.3 MAT-file", "version 7.3", "-v7"),
            (
                b"# Created by Octave 8.4.0\n# name: X\n",
                "Octave's text",
                "save('-v7'",
            ),
            (b"BZh91AY", "bzip2", "unpack"),
            (b"\x80\x04\x95", "pickle", "numpy.savez"),
            (b"RDX3\nX\n", "R data", "write.csv"),
            (b"\x00\x01\x02", "binary", "CSV"),
            (b"\xFF\xFEa", "UTF-16", "UTF-8"),
        ] {
            for name in ["d.csv", "d", "d.txt"] {
                let message = message(name, bytes);
                assert!(
                    message.contains(what) && message.contains(instead),
                    "{message}"
                );
            }
        }
        let message = message("d.csv.gz", &packed(&packed(b"a", 0, b""), 0, b""));
        assert!(message.contains("compressed twice"), "{message}");
    }

    #[test]
    fn r_data_is_named_within_its_compression() {
        let message = message("d.rds", &packed(b"X\n\0\0\0\x03\0\x04", 0, b""));
        assert!(message.contains("R data (.rds)"), "{message}");
    }

    #[test]
    fn the_content_comes_before_the_name() {
        let is_grid = |name: &str, bytes: &[u8]| matches!(read(name, bytes), Ok(Content::Grid(_)));
        let is_text = |name: &str, bytes: &[u8]| matches!(read(name, bytes), Ok(Content::Text(..)));
        assert!(is_grid("d.csv", b"1 1:0.5 2:1\n-1 1:0.25\n"));
        assert!(is_grid(
            "d.txt",
            b"% c\n@relation r\n@attribute a real\n@data\n1\n"
        ));
        assert!(is_grid("d.data", b"{\"a\": 1}\n"));
        assert!(is_grid("d.svm.gz", &packed(b"1\n-1\n", 0, b"")));
        assert!(is_text("d.csv", b"a,b\n1,2\n"));
        assert!(is_text(
            "adult.test",
            b"|1x3 Cross validator\n25, Private\n"
        ));
        assert!(is_text("no ending", b"a b\n1 2\n"));
        assert!(is_text("d.csv.gz", &packed(b"a,b\n1,2\n", 0, b"")));
        for (name, part) in [
            ("d.mat", "MATLAB"),
            ("d.npy", "no NumPy file"),
            ("d.npz", "numpy.savez"),
            ("d.arff", "@relation"),
            ("d.jsonl", "line 1"),
            ("d.svm", "a label"),
        ] {
            let message = message(name, b"a,b\n1,2\n");
            assert!(message.contains(part), "{name}: {message}");
        }
    }
}
