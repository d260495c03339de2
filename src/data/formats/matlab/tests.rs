//! Files written here byte by byte, whole and damaged; other tests use the writer, too.

use super::*;
use crate::data::formats::variable::{Matrix, Value, flatten};
use miniz_oxide::deflate::compress_to_vec_zlib;
use proptest::prelude::*;

/// Writes files in either byte order, from the description of the format.
#[derive(Clone, Copy)]
pub(in crate::data) struct Writer {
    pub(in crate::data) big_endian: bool,
}

impl Writer {
    fn bytes(self, little: &[u8]) -> Vec<u8> {
        let mut bytes = little.to_vec();
        if self.big_endian {
            bytes.reverse();
        }
        bytes
    }

    fn word(self, word: u32) -> Vec<u8> {
        self.bytes(&word.to_le_bytes())
    }

    pub(in crate::data) fn file(self, elements: &[Vec<u8>]) -> Vec<u8> {
        let mut file = b"MATLAB 5.0 MAT-file, made for a test".to_vec();
        file.resize(124, b' ');
        file.extend(self.bytes(&0x0100u16.to_le_bytes()));
        file.extend(if self.big_endian { b"MI" } else { b"IM" });
        file.extend(elements.concat());
        file
    }

    fn element(self, kind: u32, data: &[u8]) -> Vec<u8> {
        let size = u32::try_from(data.len()).unwrap();
        let mut element = [self.word(kind), self.word(size), data.to_vec()].concat();
        element.resize(element.len() + padding(data.len()), 0);
        element
    }

    /// Up to four bytes of data inside the tag.
    fn small(self, kind: u32, data: &[u8]) -> Vec<u8> {
        let size = u32::try_from(data.len()).unwrap();
        let mut element = [self.word(size << 16 | kind), data.to_vec()].concat();
        element.resize(8, 0);
        element
    }

    pub(in crate::data) fn array(
        self,
        class: u32,
        shape: &[u32],
        name: &str,
        parts: &[Vec<u8>],
    ) -> Vec<u8> {
        let flags = [self.word(class), self.word(0)].concat();
        let shape: Vec<u8> = shape.iter().flat_map(|size| self.word(*size)).collect();
        let content = [
            self.element(MI_UINT32, &flags),
            self.element(MI_INT32, &shape),
            self.element(MI_INT8, name.as_bytes()),
            parts.concat(),
        ]
        .concat();
        self.element(MI_MATRIX, &content)
    }

    pub(in crate::data) fn doubles(self, shape: &[u32], name: &str, values: &[f64]) -> Vec<u8> {
        let data: Vec<u8> = values
            .iter()
            .flat_map(|value| self.bytes(&value.to_le_bytes()))
            .collect();
        self.array(6, shape, name, &[self.element(MI_DOUBLE, &data)])
    }

    fn compressed(self, element: &[u8]) -> Vec<u8> {
        let deflated = compress_to_vec_zlib(element, 6);
        let size = u32::try_from(deflated.len()).unwrap();
        [self.word(MI_COMPRESSED), self.word(size), deflated].concat()
    }

    /// Something of everything.
    fn mixture(self) -> Vec<u8> {
        let inner = self.doubles(&[1, 2], "", &[5.0, 6.0]);
        let cell = self.array(
            1,
            &[1, 2],
            "c",
            &[inner.clone(), self.element(MI_MATRIX, &[])],
        );
        let nested = self.array(1, &[1, 1], "n", std::slice::from_ref(&cell));
        let text = self.array(4, &[1, 1], "t", &[self.small(MI_UINT8, b"x")]);
        self.file(&[
            self.doubles(&[2, 2], "a", &[1.0, 2.0, 3.0, 4.0]),
            text,
            self.compressed(&cell),
            nested,
            self.compressed(&self.sparse(&[3, 2], "s", &[0, 1, 2], &[0, 1, 3], &[1.0, 2.0, 3.0])),
            self.structure(&[1, 1], "d", &["p", "q"], &[inner.clone(), inner]),
        ])
    }

    /// Rows and numbers of the entries, and where each column begins.
    fn sparse(
        self,
        shape: &[u32],
        name: &str,
        rows: &[u32],
        starts: &[u32],
        values: &[f64],
    ) -> Vec<u8> {
        let words =
            |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| self.word(*w)).collect() };
        let values: Vec<u8> = values
            .iter()
            .flat_map(|value| self.bytes(&value.to_le_bytes()))
            .collect();
        let parts = [
            self.element(MI_INT32, &words(rows)),
            self.element(MI_INT32, &words(starts)),
            self.element(MI_DOUBLE, &values),
        ];
        self.array(5, shape, name, &parts)
    }

    pub(in crate::data) fn structure(
        self,
        shape: &[u32],
        name: &str,
        fields: &[&str],
        values: &[Vec<u8>],
    ) -> Vec<u8> {
        let mut names = Vec::new();
        for field in fields {
            names.extend(field.as_bytes());
            names.resize(names.len().next_multiple_of(8), 0);
        }
        let mut parts = vec![
            self.small(MI_INT32, &self.word(8)),
            self.element(MI_INT8, &names),
        ];
        parts.extend_from_slice(values);
        self.array(2, shape, name, &parts)
    }

    /// A character array, in two bytes a character as MATLAB writes it.
    pub(in crate::data) fn text(self, shape: &[u32], name: &str, by_column: &str) -> Vec<u8> {
        let units = by_column.encode_utf16();
        let data: Vec<u8> = units
            .flat_map(|unit| self.bytes(&unit.to_le_bytes()))
            .collect();
        self.array(4, shape, name, &[self.element(MI_UINT16, &data)])
    }
}

const BOTH: [Writer; 2] = [Writer { big_endian: false }, Writer { big_endian: true }];

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
fn matrices_cells_and_compressed_cells_are_read_in_both_byte_orders() {
    for writer in BOTH {
        let variables = read(&writer.mixture()).unwrap();
        let cell = Value::Cell {
            shape: vec![1, 2],
            items: vec![matrix(&[1, 2], &[5.0, 6.0]), matrix(&[0, 0], &[])],
        };
        let values: Vec<(&str, &Value)> = variables
            .iter()
            .map(|variable| (variable.name.as_str(), &variable.value))
            .collect();
        let nested = Value::Cell {
            shape: vec![1, 1],
            items: vec![cell.clone()],
        };
        let expected = [
            ("a", &matrix(&[2, 2], &[1.0, 2.0, 3.0, 4.0])),
            (
                "t",
                &Value::Text {
                    rows: vec!["x".into()],
                },
            ),
            ("c", &cell),
            ("n", &nested),
            ("s", &matrix(&[3, 2], &[1.0, 0.0, 0.0, 0.0, 2.0, 3.0])),
            (
                "d",
                &Value::Struct {
                    shape: vec![1, 1],
                    fields: vec![
                        ("p".into(), vec![matrix(&[1, 2], &[5.0, 6.0])]),
                        ("q".into(), vec![matrix(&[1, 2], &[5.0, 6.0])]),
                    ],
                },
            ),
        ];
        assert_eq!(values, expected);
    }
}

#[test]
fn every_storage_type_is_read_whatever_the_class() {
    for writer in BOTH {
        let types: [(u32, Vec<u8>, f64); 10] = [
            (MI_INT8, vec![0xFE], -2.0),
            (MI_UINT8, vec![0xFE], 254.0),
            (MI_INT16, (-300i16).to_le_bytes().to_vec(), -300.0),
            (MI_UINT16, 65_000u16.to_le_bytes().to_vec(), 65_000.0),
            (MI_INT32, (-70_000i32).to_le_bytes().to_vec(), -70_000.0),
            (MI_UINT32, 4_000_000_000u32.to_le_bytes().to_vec(), 4e9),
            (MI_SINGLE, 0.1f32.to_le_bytes().to_vec(), f64::from(0.1f32)),
            (MI_DOUBLE, 0.1f64.to_le_bytes().to_vec(), 0.1),
            (MI_INT64, (-5i64).to_le_bytes().to_vec(), -5.0),
            (
                MI_UINT64,
                (1u64 << 53).to_le_bytes().to_vec(),
                9_007_199_254_740_992.0,
            ),
        ];
        for (kind, little, value) in types {
            let data = writer.bytes(&little);
            let mut elements = vec![writer.element(kind, &data)];
            if data.len() <= 4 {
                elements.push(writer.small(kind, &data));
            }
            for element in elements {
                let file = writer.file(&[writer.array(6, &[1, 1], "v", &[element])]);
                let variables = read(&file).unwrap();
                assert_eq!(variables[0].value, matrix(&[1, 1], &[value]), "type {kind}");
            }
        }
    }
}

#[test]
fn integers_that_a_double_cannot_hold_are_named_not_rounded() {
    let writer = BOTH[0];
    let data = ((1u64 << 53) + 1).to_le_bytes();
    let large = writer.array(15, &[1, 1], "v", &[writer.element(MI_UINT64, &data)]);
    let variables = read(&writer.file(&[large])).unwrap();
    assert!(variables[0].value.describe().contains("2^53"));
}

#[test]
fn other_classes_are_named_and_leave_the_rest_readable() {
    let writer = BOTH[0];
    let content = writer.element(MI_INT32, &[0; 8]);
    for (class, what) in [
        (3, "an object"),
        (5 | FLAG_COMPLEX, "a complex matrix"),
        (6 | FLAG_COMPLEX, "a complex matrix"),
        (16, "a function handle"),
    ] {
        let other = writer.array(class, &[1, 2], "other", std::slice::from_ref(&content));
        let file = writer.file(&[other, writer.doubles(&[1, 1], "a", &[7.0])]);
        let variables = read(&file).unwrap();
        assert_eq!(variables[0].value.describe(), what);
        assert_eq!(variables[1].value, matrix(&[1, 1], &[7.0]));
    }
}

#[test]
fn malformed_sparse_matrices_are_errors_and_huge_ones_are_named() {
    for writer in BOTH {
        let read_one = |rows: &[u32], starts: &[u32], values: &[f64]| {
            let sparse = writer.sparse(&[3, 2], "s", rows, starts, values);
            read(&writer.file(&[sparse])).map(|variables| variables[0].value.clone())
        };
        // Entries of one place add up, as in MATLAB's sparse().
        assert_eq!(
            read_one(&[2, 2], &[0, 0, 2], &[1.0, 0.5]).unwrap(),
            matrix(&[3, 2], &[0.0, 0.0, 0.0, 0.0, 0.0, 1.5])
        );
        for (rows, starts, values, part) in [
            (&[3][..], &[0, 1, 1][..], &[1.0][..], "an entry in row 4"),
            (&[0], &[0, 1], &[1.0], "2 starts of columns"),
            (&[0], &[0, 2, 1], &[1.0], "entries 0 to 2"),
            (&[0], &[0, 1, 5], &[1.0], "5 entries, with 1 rows"),
            (&[0, 1], &[0, 1, 2], &[1.0], "2 entries"),
        ] {
            let error = read_one(rows, starts, values).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let most = i32::MAX.cast_unsigned();
        let huge = writer.sparse(&[most, 1], "s", &[], &[0, 0], &[]);
        let large = writer.sparse(&[1 << 20, 1], "s", &[], &[0, 0], &[]);
        let variables =
            read(&writer.file(&[huge, large, writer.doubles(&[1, 1], "a", &[7.0])])).unwrap();
        let what = "a 2147483647x1 sparse matrix, too large to fill in its zeros";
        assert_eq!(variables[0].value.describe(), what);
        assert!(variables[1].value.describe().contains("too large"));
        assert_eq!(variables[2].value, matrix(&[1, 1], &[7.0]));
    }
}

#[test]
fn a_sparse_matrix_of_truth_values_has_a_byte_for_each() {
    // As MATLAB writes it: the type of the numbers is that of doubles. Found in SciPy's
    // logical_sparse.mat.
    let writer = BOTH[0];
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_le_bytes()).collect() };
    let parts = [
        writer.element(MI_INT32, &words(&[1, 0])),
        writer.element(MI_INT32, &words(&[0, 1, 2])),
        writer.element(MI_DOUBLE, &[1, 1]),
    ];
    let file = writer.file(&[writer.array(5 | FLAG_LOGICAL, &[2, 2], "b", &parts)]);
    let expected = matrix(&[2, 2], &[0.0, 1.0, 1.0, 0.0]);
    assert_eq!(read(&file).unwrap()[0].value, expected);
}

#[test]
fn text_has_a_row_for_each_row_of_characters() {
    for writer in BOTH {
        let file = writer.file(&[
            // Two rows of three characters, column by column.
            writer.text(&[2, 3], "t", "aeb c "),
            writer.text(&[0, 0], "e", ""),
            writer.array(
                4,
                &[1, 1],
                "u",
                &[writer.small(MI_UTF8, "\u{e9}".as_bytes())],
            ),
            writer.array(4, &[1, 2], "l", &[writer.small(MI_INT8, b"x\xE9")]),
            writer.array(4, &[2, 2], "w", &[writer.small(MI_INT8, b"x")]),
            writer.array(
                4,
                &[i32::MAX.cast_unsigned(), 0],
                "m",
                &[writer.small(MI_INT8, b"")],
            ),
        ]);
        let rows: Vec<Value> = read(&file).unwrap().into_iter().map(|v| v.value).collect();
        let text = |rows: &[&str]| Value::Text {
            rows: rows.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(rows[0], text(&["abc", "e"]));
        assert_eq!(rows[1], text(&[]));
        assert_eq!(rows[2], text(&["\u{e9}"]));
        assert_eq!(rows[3], text(&["x\u{e9}"]));
        assert_eq!(rows[4].describe(), "text of several dimensions");
        assert_eq!(rows[5], text(&[]));
    }
}

#[test]
fn fields_of_structures_become_variables() {
    let writer = BOTH[0];
    let number = |value: f64| writer.doubles(&[1, 1], "", &[value]);
    let inner = writer.structure(&[1, 1], "", &["y"], &[number(3.0)]);
    let file = writer.file(&[
        writer.structure(&[1, 1], "d", &["x", "in"], &[number(1.0), inner]),
        writer.structure(&[1, 2], "a", &["x", "y"], &[1.0, 2.0, 3.0, 4.0].map(number)),
        writer.array(
            1,
            &[1, 2],
            "c",
            &[1.0, 2.0].map(|value| writer.structure(&[1, 1], "", &["x"], &[number(value)])),
        ),
    ]);
    let cell = |items: [f64; 2]| Value::Cell {
        shape: vec![1, 2],
        items: items.map(|value| matrix(&[1, 1], &[value])).to_vec(),
    };
    let flat: Vec<(String, Value)> = flatten(read(&file).unwrap())
        .into_iter()
        .map(|variable| (variable.name, variable.value))
        .collect();
    let expected = [
        ("d.x", matrix(&[1, 1], &[1.0])),
        ("d.in.y", matrix(&[1, 1], &[3.0])),
        ("a.x", cell([1.0, 3.0])),
        ("a.y", cell([2.0, 4.0])),
        ("c.x", cell([1.0, 2.0])),
    ];
    assert_eq!(
        flat,
        expected.map(|(name, value)| (name.to_string(), value))
    );
}

#[test]
fn malformed_structures_are_errors() {
    let writer = BOTH[0];
    let file =
        |parts: &[Vec<u8>], shape: &[u32]| writer.file(&[writer.array(2, shape, "d", parts)]);
    let length = |n: u32| writer.small(MI_INT32, &n.to_le_bytes());
    let names = |bytes: &[u8]| writer.element(MI_INT8, bytes);
    let most = i32::MAX.cast_unsigned();
    for (parts, shape, part) in [
        (vec![length(0), names(b"abcd")], [1, 1], "names of fields"),
        (
            vec![length(3), names(b"abcd")],
            [1, 1],
            "4 bytes of names of 3 bytes",
        ),
        (
            vec![length(4), names(b"abcd")],
            [1, 1],
            "a structure array of sizes",
        ),
        (
            vec![length(4), names(b"abcd")],
            [most, most],
            "a structure array of sizes",
        ),
        (vec![length(4)], [1, 1], "an element with the names"),
    ] {
        let message = message(&file(&parts, &shape));
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn other_versions_are_refused_by_name() {
    let mut file = BOTH[0].mixture();
    file[124..126].copy_from_slice(&[0, 2]);
    assert!(message(&file).contains("7.3"));
    assert!(message(b"MATLAB 7.3 MAT-file").contains("7.3"));
    assert!(message(b"\x89HDF\r\n\x1a\n").contains("7.3"));
    assert!(message(&[0; 64]).contains("version 4"));
    assert!(message(b"# Created by Octave 8.4.0\n").contains("save('-v7', 'name.mat')"));
    assert!(message(b"MATLAB 7.3 MAT-file").contains("save('name.mat', '-v7')"));
    file[126] = b'?';
    assert!(message(&file).contains("byte 126"));
    assert!(message(b"task,label,x1").contains("128 bytes"));
}

#[test]
fn every_truncation_is_an_error_or_drops_whole_variables() {
    for writer in BOTH {
        let file = writer.mixture();
        let whole = read(&file).unwrap();
        for length in 0..file.len() {
            if let Ok(variables) = read(&file[..length]) {
                assert_eq!(variables[..], whole[..variables.len()], "{length}");
                assert!(variables.len() < whole.len());
            }
        }
    }
}

#[test]
fn huge_claims_are_errors_before_anything_is_allocated() {
    let writer = BOTH[0];
    let most = i32::MAX.cast_unsigned();
    let data = writer.element(MI_DOUBLE, &[0; 8]);
    let matrix = writer.array(6, &[most, most, most], "v", std::slice::from_ref(&data));
    assert!(message(&writer.file(&[matrix])).contains("as given by the sizes"));
    let cell = writer.array(1, &[most, most], "v", &[]);
    assert!(message(&writer.file(&[cell])).contains("cell array"));
    let negative = writer.array(6, &[u32::MAX, 1], "v", &[data]);
    assert!(message(&writer.file(&[negative])).contains("negative"));
    let mut element = writer.doubles(&[1, 1], "v", &[1.0]);
    element[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(message(&writer.file(&[element])).contains("byte 128: an element of 4294967295"));
}

#[test]
fn an_empty_matrix_of_any_number_of_rows_takes_no_time() {
    // Going through its rows took seconds: found by the fuzzer.
    let most = i32::MAX.cast_unsigned();
    for writer in BOTH {
        let file = writer.file(&[writer.doubles(&[most, 0], "x", &[])]);
        for variable in read(&file).unwrap() {
            let Value::Matrix(mut matrix) = variable.value else {
                panic!("{}", variable.value.describe());
            };
            assert_eq!(matrix.shape, [most as usize, 0]);
            matrix.shape[0] = usize::MAX;
            assert_eq!(matrix.row_major(), [0.0; 0]);
        }
    }
}

#[test]
fn a_compressed_variable_cannot_inflate_beyond_the_limit() {
    let writer = BOTH[0];
    let bomb = writer.compressed(&vec![0; MAX_FILE_BYTES + 1]);
    assert!(bomb.len() < 1 << 20);
    let message = message(&writer.file(&[bomb]));
    assert!(message.contains("beyond the limit"), "{message}");
}

#[test]
fn cells_nested_too_deeply_are_refused() {
    let writer = BOTH[0];
    let mut value = writer.doubles(&[1, 1], "", &[1.0]);
    for _ in 0..MAX_DEPTH {
        value = writer.array(1, &[1, 1], "", &[value]);
    }
    assert!(read(&writer.file(std::slice::from_ref(&value))).is_ok());
    let deeper = writer.array(1, &[1, 1], "", &[value]);
    assert!(message(&writer.file(&[deeper])).contains("16 levels"));
}

proptest! {
    #[test]
    fn changed_bytes_end_in_variables_or_an_error(
        big_endian: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length: prop::sample::Index,
    ) {
        let mut file = Writer { big_endian }.mixture();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let _ = read(&file);
        let _ = read(&file[..length.index(file.len())]);
    }
}
