//! Every target on the seeds of its corpus, and on seeds that proptest has edited.
//!
//! `PROPTEST_CASES` sets the number of edited inputs for each target. For coverage-guided inputs
//! see `libfuzzer.rs`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The readers are linear in the size of their input: seconds mean that one of them is not.
const LONGEST: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 1 << 15;

/// Words of the formats, and numbers at the edges of what a field can hold.
const WORDS: [&[u8]; 54] = [
    b"task,",
    b"label,",
    b"split,",
    b"x1,x2",
    b"train",
    b"injected",
    b"\r\n",
    b"\"",
    b"\xEF\xBB\xBF",
    b"NaN",
    b"inf",
    b"1e308",
    b"-0",
    b"1e-320",
    b"v=1",
    b"&d=",
    b"synthetic",
    b"file:",
    b"%00",
    b"&t=0-99",
    b"&l1=",
    b"&k=hybrid",
    b"&eps=0",
    b"{",
    b"}",
    b"[0,1]",
    b"\"seed\":",
    b"null",
    b"\\u0000",
    b"PATOMDAT",
    b"MI",
    b"feature",
    b"\x0e\0\0\0",
    b"\x0f\0\0\0",
    b"\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff",
    b"\0\0\0\x01",
    b"\x78\x9c",
    b"\x1f\x8b\x08",
    b"\x93NUMPY\x01\0",
    b"'descr': '<f8'",
    b"'<U4'",
    b"'shape': (2, 3)",
    b"999999999999",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b".npy",
    b" 4096:1",
    b" qid:2",
    b"@attribute ",
    b"@data\n",
    b"{0 1}",
    b"'a\\'",
    b"\x05\0\0\0",
];

/// A change of an input.
#[derive(Clone, Debug)]
enum Edit {
    FlipBit(Index, u8),
    Set(Index, u8),
    Overwrite(Index, &'static [u8]),
    Insert(Index, &'static [u8]),
    Truncate(Index),
    Remove(Index, usize),
    Duplicate(Index, usize),
    /// The beginning of this input and the end of a seed.
    Splice(Index, Index, Index),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let at = any::<Index>;
    let word = || select(&WORDS[..]);
    let edit = prop_oneof![
        (at(), 0..8u8).prop_map(|(at, bit)| Edit::FlipBit(at, bit)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (at(), word()).prop_map(|(at, word)| Edit::Overwrite(at, word)),
        (at(), word()).prop_map(|(at, word)| Edit::Insert(at, word)),
        at().prop_map(Edit::Truncate),
        (at(), 1..16usize).prop_map(|(at, length)| Edit::Remove(at, length)),
        (at(), 1..64usize).prop_map(|(at, length)| Edit::Duplicate(at, length)),
        (at(), at(), at()).prop_map(|(at, seed, from)| Edit::Splice(at, seed, from)),
    ];
    vec(edit, 1..8)
}

fn apply(edit: &Edit, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let length = bytes.len();
    let position = |at: &Index| at.index(length + 1);
    let end = |start: usize, count: usize| (start + count).min(length);
    match edit {
        Edit::FlipBit(at, bit) => {
            if let Some(byte) = bytes.get_mut(position(at)) {
                *byte ^= 1 << bit;
            }
        }
        Edit::Set(at, new) => {
            if let Some(byte) = bytes.get_mut(position(at)) {
                *byte = *new;
            }
        }
        Edit::Overwrite(at, word) => {
            let at = position(at);
            bytes.splice(at..end(at, word.len()), word.iter().copied());
        }
        Edit::Insert(at, word) => {
            let at = position(at);
            bytes.splice(at..at, word.iter().copied());
        }
        Edit::Truncate(at) => bytes.truncate(position(at)),
        Edit::Remove(at, count) => {
            let at = position(at);
            bytes.drain(at..end(at, *count));
        }
        Edit::Duplicate(at, count) => {
            let at = position(at);
            let part = bytes[at..end(at, *count)].to_vec();
            bytes.splice(at..at, part);
        }
        Edit::Splice(at, seed, from) => {
            let seed = seed.get(corpus);
            bytes.truncate(position(at));
            bytes.extend_from_slice(&seed[from.index(seed.len() + 1)..]);
        }
    }
    bytes.truncate(MAX_BYTES);
}

/// The seeds of a target, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 3, "{target}: {} seeds", paths.len());
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// A target panics where a promise of its reader is broken.
fn check(target: &str) {
    let corpus = corpus(target);
    for seed in &corpus {
        patom_fuzz::run(target, seed);
    }
    // PROPTEST_CASES overrides the number of cases.
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let count = corpus.len();
    proptest!(config, |(seed in 0..count, edits in edits())| {
        let mut input = corpus[seed].clone();
        for edit in &edits {
            apply(edit, &mut input, &corpus);
        }
        let start = Instant::now();
        patom_fuzz::run(target, &input);
        prop_assert!(start.elapsed() < LONGEST, "{:?} on {input:?}", start.elapsed());
    });
}

#[test]
fn matlab_files_are_read_or_refused() {
    check("matlab");
}

#[test]
fn tables_are_read_or_refused() {
    check("csv");
}

#[test]
fn numpy_files_are_read_or_refused() {
    check("numpy");
}

#[test]
fn svmlight_files_are_read_or_refused() {
    check("svmlight");
}

#[test]
fn arff_files_are_read_or_refused() {
    check("arff");
}

#[test]
fn json_rows_are_read_or_refused() {
    check("json");
}

#[test]
fn gzip_files_are_read_or_refused() {
    check("gzip");
}

#[test]
fn idx_files_are_read_or_refused() {
    check("idx");
}

#[test]
fn links_are_understood_or_refused() {
    check("link");
}

#[test]
fn specifications_are_understood_or_refused() {
    check("spec");
}

#[test]
fn bundles_are_read_or_refused() {
    check("bundle");
}
