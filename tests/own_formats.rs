//! Files of every format that people have: MAT variables, NumPy, svmlight, ARFF, JSON, gzip, and files
//! that are no tables. Each is opened as a person opens it, without a mapping.

use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use patom::data::import::{self, ImportResult};
use patom::data::{DataSet, Kind, Layout, sha256_hex};
use patom::warning::{Warning, WarningCode};

// A writer of MAT files, from the description of the format.

fn element(kind: u32, data: &[u8]) -> Vec<u8> {
    let size = u32::try_from(data.len()).unwrap();
    let mut out = [&kind.to_le_bytes()[..], &size.to_le_bytes(), data].concat();
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

fn words(values: &[u32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn numbers(values: &[f64]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// An array of a class: 1 cells, 2 a structure, 4 text, 5 sparse, 6 doubles, 9 bytes.
fn array(class: u32, shape: &[usize], name: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let shape: Vec<u32> = shape
        .iter()
        .map(|size| u32::try_from(*size).unwrap())
        .collect();
    let content = [
        element(6, &words(&[class, 0])),
        element(5, &words(&shape)),
        element(1, name.as_bytes()),
        parts.concat(),
    ];
    element(14, &content.concat())
}

/// A matrix from its rows.
fn matrix(name: &str, rows: &[&[f64]]) -> Vec<u8> {
    let columns = rows.first().map_or(0, |row| row.len());
    let by_column: Vec<f64> = (0..columns)
        .flat_map(|c| rows.iter().map(move |row| row[c]))
        .collect();
    array(
        6,
        &[rows.len(), columns],
        name,
        &[element(9, &numbers(&by_column))],
    )
}

/// A matrix from a function of row and column.
fn table(name: &str, rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Vec<u8> {
    let rows: Vec<Vec<f64>> = (0..rows)
        .map(|row| (0..columns).map(|column| value(row, column)).collect())
        .collect();
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    matrix(name, &rows)
}

fn cells(name: &str, items: &[Vec<u8>]) -> Vec<u8> {
    array(1, &[1, items.len()], name, items)
}

fn text(name: &str, word: &str) -> Vec<u8> {
    let units: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    array(4, &[1, word.len()], name, &[element(4, &units)])
}

fn structure(name: &str, count: usize, fields: &[&str], values: &[Vec<u8>]) -> Vec<u8> {
    let names: Vec<u8> = fields
        .iter()
        .flat_map(|field| {
            let mut name = field.as_bytes().to_vec();
            name.resize(16, 0);
            name
        })
        .collect();
    let mut parts = vec![element(5, &words(&[16])), element(1, &names)];
    parts.extend_from_slice(values);
    array(2, &[1, count], name, &parts)
}

fn mat(variables: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"MATLAB 5.0 MAT-file".to_vec();
    out.resize(124, b' ');
    out.extend(b"\0\x01IM");
    for variable in variables {
        // As MATLAB does by default.
        let packed = compress_to_vec_zlib(variable, 6);
        out.extend(words(&[15, u32::try_from(packed.len()).unwrap()]));
        out.extend(packed);
    }
    out
}

fn open(name: &str, bytes: &[u8]) -> ImportResult {
    let (preview, kept) = import::inspect_and_read(name, bytes, None).unwrap();
    let columns = (!preview.has_our_names).then_some(preview.guess);
    let read = import::read_with(name, bytes, columns.as_ref());
    assert_eq!(kept, read.ok(), "a look keeps what reading gives");
    import::open(name, bytes).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn refused(name: &str, bytes: &[u8]) -> String {
    match import::open(name, bytes) {
        Ok(made) => panic!("{name} was read: {:?}", made.data.columns),
        Err(error) => error.to_string(),
    }
}

/// The tasks of a file, each with its labels and its features.
fn tasks(data: &DataSet) -> Vec<(&str, &[f64], &[f64])> {
    let Layout::Separate { tasks, .. } = &data.layout else {
        panic!("tasks have points of their own");
    };
    (data.task_names.iter().zip(tasks))
        .map(|(name, task)| (name.as_str(), &task.labels[..], &task.features[..]))
        .collect()
}

fn columns(made: &ImportResult) -> &str {
    made.data.columns.as_deref().unwrap_or("none")
}

const X: fn(usize, usize) -> f64 = |row, column| ((row * 7 + column * 5) % 11) as f64 / 4.0;
const Y: fn(usize, usize) -> f64 = |row, _| ((row * 3) % 7) as f64 + 0.25;
/// Tasks 1 to 3, five points each.
const TASK: fn(usize, usize) -> f64 = |row, _| (row / 5 + 1) as f64;

#[test]
fn a_variable_with_the_task_of_each_row_is_used() {
    // CoSMoMVPA's chunks, and MAT files with a vector of tasks.
    let file = mat(&[
        table("X", 15, 2, X),
        table("Y", 15, 1, Y),
        table("task", 15, 1, TASK),
    ]);
    let made = open("d.mat", &file);
    assert_eq!(columns(&made), "from:task,X,Y;task:1;label:4;x:2-3");
    let data = &made.data;
    assert_eq!(data.task_names, ["1", "2", "3"]);
    let (_, labels, features) = tasks(data)[1];
    assert_eq!(
        labels,
        [1.25, 4.25, 0.25, 3.25, 6.25],
        "3 row mod 7 + 1/4 for rows 5 to 9"
    );
    assert_eq!(
        features[..2],
        [0.5, 1.75],
        "(35 mod 11) / 4 and (40 mod 11) / 4"
    );
    assert_eq!(data.sha256, sha256_hex(&file));
    assert!(data.left_out.is_empty());
    let inner = |fields: &[&str], values: &[Vec<u8>]| structure("", 1, fields, values);
    let sa = inner(
        &["targets", "chunks"],
        &[table("", 15, 1, Y), table("", 15, 1, TASK)],
    );
    let file = mat(&[structure(
        "ds",
        1,
        &["samples", "sa"],
        &[table("", 15, 2, X), sa],
    )]);
    let expected = "from:ds.sa.chunks,ds.samples,ds.sa.targets;task:1;label:4;x:2-3";
    assert_eq!(columns(&open("d.mat", &file)), expected);
}

#[test]
fn variables_that_are_not_used_are_named_with_their_sizes() {
    let file = mat(&[
        table("X", 15, 2, X),
        table("Y", 15, 1, Y),
        table("w", 15, 1, TASK),
        table("n", 1, 1, TASK),
        text("note", "made in May"),
    ]);
    let made = open("d.mat", &file);
    assert_eq!(columns(&made), "none", "X and Y need no mapping");
    let [left_out] = &made.data.left_out[..] else {
        panic!("{:?}", made.data.left_out);
    };
    assert_eq!((left_out.what, left_out.count), ("variable", 3));
    assert_eq!(
        left_out.names,
        ["w (15x1 matrix)", "n (1x1 matrix)", "note (text)"]
    );
    let warning = &made.data.warnings[0].message;
    assert!(
        warning.starts_with("Not used: w (15x1 matrix). To use"),
        "{warning}"
    );
    let mapped = "from:X,Y;label:3;x:1-2".parse().unwrap();
    let made = import::read_mapped("d.mat", &file, &mapped).unwrap();
    assert_eq!(made.data.left_out[0].count, 3);
}

#[test]
fn labels_that_do_not_fit_are_an_error_with_both_sizes() {
    let error = refused("d.mat", &mat(&[table("X", 15, 3, X), table("Y", 12, 1, Y)]));
    assert!(
        error.contains("`X` is a 15x3 matrix, `Y` a 12x1 matrix; expected as many labels"),
        "{error}"
    );
    assert!(
        !error.contains("--columns"),
        "no guess that takes a feature as the label: {error}"
    );
    let error = refused("d.mat", &mat(&[table("X", 3, 15, X), table("Y", 1, 15, Y)]));
    assert!(error.contains("save X = X'"), "{error}");
    // A vector may lie.
    let made = open(
        "d.mat",
        &mat(&[table("X", 15, 3, X), table("y", 1, 15, |_, k| k as f64)]),
    );
    assert_eq!(tasks(&made.data)[0].1[14], 14.0);
}

#[test]
fn cells_are_tasks_and_one_of_an_odd_size_is_named() {
    let x = |rows: usize| table("", rows, 2, X);
    let y = |rows: usize| table("", rows, 1, Y);
    let file = |xs: &[Vec<u8>], ys: &[Vec<u8>]| mat(&[cells("X", xs), cells("Y", ys)]);
    let made = open("d.mat", &file(&[x(5), x(4)], &[y(5), y(4)]));
    assert_eq!(columns(&made), "from:X,Y;task:1;label:4;x:2-3");
    assert_eq!(tasks(&made.data)[1].1.len(), 4);
    let error = refused(
        "d.mat",
        &file(&[x(20), x(19), x(20)], &[y(20), y(20), y(20)]),
    );
    assert!(
        error.contains("cell 2 of `X` has 19 rows, of `Y` 20"),
        "{error}"
    );
    let empty = || array(6, &[0, 3], "", &[element(9, &[])]);
    let error = refused("d.mat", &file(&[x(5), empty()], &[y(5), empty()]));
    assert!(error.contains("cell 2 of `X` is empty (0x3)"), "{error}");
    let narrow = table("", 4, 1, X);
    let error = refused("d.mat", &file(&[x(5), narrow], &[y(5), y(4)]));
    assert!(
        error.contains("cell 2 of `X` has 1 columns, cell 1 has 2"),
        "{error}"
    );
    let error = refused("d.mat", &file(&[x(5), x(4)], &[y(5)]));
    assert!(error.contains("`X` has 2 cells, `Y` 1"), "{error}");
}

#[test]
fn sparse_matrices_are_read_with_their_zeros() {
    // Every third entry of 15 x 2 is given; the rest are zeros.
    let entries: Vec<u32> = (0..15).step_by(3).collect();
    let both = [&entries[..], &entries].concat();
    let values: Vec<f64> = (1..=10).map(f64::from).collect();
    let parts = [
        element(5, &words(&both)),
        element(5, &words(&[0, 5, 10])),
        element(9, &numbers(&values)),
    ];
    let file = mat(&[
        array(5, &[15, 2], "fea", &parts),
        table("gnd", 15, 1, |row, _| (row % 2) as f64),
    ]);
    let made = open("d.mat", &file);
    assert_eq!(columns(&made), "from:fea,gnd;label:3;x:1-2;class:0,1");
    assert_eq!(made.data.kind, Kind::Classification);
    let (_, labels, features) = tasks(&made.data)[0];
    assert_eq!(features[..8], [1.0, 6.0, 0.0, 0.0, 0.0, 0.0, 2.0, 7.0]);
    assert_eq!(labels[..3], [-1.0, 1.0, -1.0]);
}

#[test]
fn fields_of_a_structure_are_variables_and_structure_arrays_are_tasks() {
    let one = [table("", 15, 2, X), table("", 15, 1, Y)];
    let made = open("d.mat", &mat(&[structure("data", 1, &["X", "Y"], &one)]));
    assert_eq!(columns(&made), "from:data.X,data.Y;label:3;x:1-2");
    assert_eq!(made.rows, 15);
    let three: Vec<Vec<u8>> = [5, 4, 3]
        .into_iter()
        .flat_map(|rows| [table("", rows, 2, X), table("", rows, 1, Y)])
        .collect();
    let made = open("d.mat", &mat(&[structure("data", 3, &["X", "Y"], &three)]));
    assert_eq!(columns(&made), "from:data.X,data.Y;task:1;label:4;x:2-3");
    let sizes: Vec<usize> = tasks(&made.data).iter().map(|task| task.1.len()).collect();
    assert_eq!(sizes, [5, 4, 3]);
}

#[test]
fn words_and_truth_values_are_labels() {
    let word = |row: usize| if row.is_multiple_of(3) { "yes" } else { "no" };
    let column: Vec<Vec<u8>> = (0..15).map(|row| text("", word(row))).collect();
    let names: Vec<Vec<u8>> = (0..15)
        .map(|row| text("", ["north", "south", "west"][row / 5]))
        .collect();
    let truth: Vec<u8> = (0..15).map(|row| u8::from(row % 3 == 0)).collect();
    let logical = array(9 | 0x0200, &[15, 1], "Y", &[element(2, &truth)]);
    for (label, classes) in [
        (array(1, &[15, 1], "Y", &column), "no,yes"),
        (logical, "0,1"),
    ] {
        let task = array(1, &[15, 1], "task", &names);
        let made = open("d.mat", &mat(&[table("X", 15, 2, X), label, task]));
        let expected = format!("from:task,X,Y;task:1;label:4;x:2-3;class:{classes}");
        assert_eq!(columns(&made), expected);
        assert_eq!(made.data.task_names, ["north", "south", "west"]);
        assert_eq!(tasks(&made.data)[0].1, [1.0, -1.0, -1.0, 1.0, -1.0]);
    }
}

#[test]
fn arrays_of_three_dimensions_and_other_versions_say_how_to_save_them() {
    let cube = array(6, &[5, 3, 2], "X", &[element(9, &numbers(&[0.5; 30]))]);
    let error = refused("d.mat", &mat(&[cube, table("Y", 5, 2, Y)]));
    assert!(error.contains("X = {X(:,:,1), X(:,:,2)}"), "{error}");
    for (bytes, part) in [
        (&b"MATLAB 7.3 MAT-file"[..], "save('name.mat', '-v7')"),
        (b"\x89HDF\r\n\x1A\n", "save('name.mat', '-v7')"),
        (
            b"# Created by Octave 8.4.0\n# name: X\n",
            "save('-v7', 'name.mat')",
        ),
        (&[0; 64], "version 4"),
    ] {
        let error = refused("d.mat", bytes);
        assert!(error.contains(part), "{error}");
    }
}

// NumPy.

fn npy(kind: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), data].concat()
}

/// An archive of deflated files, as `numpy.savez_compressed` writes it.
fn npz(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let packed = compress_to_vec(content, 6);
        let sizes = [packed.len(), content.len()].map(|size| u32::try_from(size).unwrap());
        let common = [
            &[20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0][..],
            &rawzip::crc32(content).to_le_bytes(),
            &words(&sizes),
            &u16::try_from(name.len()).unwrap().to_le_bytes(),
            &[0, 0],
        ]
        .concat();
        let offset = u32::try_from(out.len()).unwrap().to_le_bytes();
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), &packed].concat());
        directory.extend(
            [
                b"PK\x01\x02\x14\0",
                &common[..],
                &[0; 10],
                &offset,
                name.as_bytes(),
            ]
            .concat(),
        );
    }
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    let place = [directory.len(), out.len()].map(|size| u32::try_from(size).unwrap());
    out.extend(directory);
    out.extend(
        [
            b"PK\x05\x06\0\0\0\0",
            &count[..],
            &count,
            &words(&place),
            &[0, 0],
        ]
        .concat(),
    );
    out
}

#[test]
fn arrays_of_numpy_are_put_side_by_side() {
    let x: Vec<f64> = (0..15).flat_map(|row| [X(row, 0), X(row, 1)]).collect();
    let y: Vec<u8> = (0..15i32).flat_map(|row| (row % 4).to_le_bytes()).collect();
    let task: Vec<u8> = (0..15)
        .flat_map(|row| ['a', 'b', 'c'][row / 5].to_string().into_bytes())
        .collect();
    let x = npy("<f8", "(15, 2)", &numbers(&x));
    let files = [
        ("X.npy", x.clone()),
        ("y.npy", npy("<i4", "(15,)", &y)),
        ("task.npy", npy("|S1", "(15,)", &task)),
    ];
    let made = open("d.npz", &npz(&files));
    assert_eq!(columns(&made), "from:task,X,y;task:1;label:4;x:2-3");
    assert_eq!(made.data.task_names, ["a", "b", "c"]);
    let (_, labels, features) = tasks(&made.data)[1];
    assert_eq!(labels, [1.0, 2.0, 3.0, 0.0, 1.0]);
    assert_eq!(features[..2], [X(5, 0), X(5, 1)]);
    // One array: its columns have numbers, and what they are is asked.
    let error = refused("d.npy", &x);
    assert!(
        error.contains("--columns 'from:array;label:2;x:1'"),
        "{error}"
    );
    let mapped = "from:array;label:2;x:1".parse().unwrap();
    let made = import::read_mapped("d.npy", &x, &mapped).unwrap();
    assert_eq!(tasks(&made.data)[0].1[..2], [X(0, 1), X(1, 1)]);
    // Objects are not read, and that is said.
    let objects = npy("|O", "(15,)", b"pickle");
    let files = [&files[..2], &[("task.npy", objects)]].concat();
    let made = open("d.npz", &npz(&files));
    let warning = &made.data.warnings[0].message;
    assert!(
        warning.contains("task (an array of shape (15,) with objects"),
        "{warning}"
    );
}

// Texts of other formats.

/// A line for each of 15 rows.
fn lines(line: impl Fn(usize) -> String) -> String {
    let lines: Vec<String> = (0..15).map(line).collect();
    lines.join("\n") + "\n"
}

fn svmlight() -> String {
    lines(|row| {
        let (label, qid, x) = (Y(row, 0), row / 5 + 7, X(row, 0) + 1.0);
        format!("{label} qid:{qid} 1:{x} 3:0.5")
    })
}

#[test]
fn svmlight_gives_label_qid_and_features() {
    for name in ["d.txt", "d.svm", "d.csv", "d"] {
        let made = open(name, svmlight().as_bytes());
        assert_eq!(columns(&made), "task:2;label:1;x:3-5");
        assert_eq!(made.data.task_names, ["7", "8", "9"]);
        assert_eq!(tasks(&made.data)[0].2[..3], [1.0, 0.0, 0.5]);
    }
    let classes = lines(|k| format!("{} 1:{}", ["-1", "+1"][k % 2], X(k, 1)));
    let made = open("d.txt", classes.as_bytes());
    assert_eq!(columns(&made), "label:1;x:2;class:-1,1");
    let mapped = "label:1;x:2;sep:space;from:X".parse().unwrap();
    let error = import::read_mapped("d.txt", classes.as_bytes(), &mapped).unwrap_err();
    assert!(error.error.to_string().contains("`from` applies only"));
}

#[test]
fn arff_gives_names_and_nominal_values() {
    let mut text = String::from(
        "% iris-like\n@RELATION r\n@ATTRIBUTE width REAL\n@ATTRIBUTE site {north,'far south'}\n\
         @ATTRIBUTE class {no,yes}\n@DATA\n",
    );
    for row in 0..16 {
        let (site, class) = (["north", "'far south'"][row / 8], ["no", "yes"][row % 2]);
        let width = if row == 3 {
            "?".to_string()
        } else {
            X(row, 0).to_string()
        };
        text += &format!("{width},{site},{class}\n");
    }
    let made = open("d.arff", text.as_bytes());
    assert_eq!(
        columns(&made),
        "task:2;label:3;x:1;class:no,yes;missing:drop"
    );
    assert_eq!(made.data.task_names, ["north", "far south"]);
    assert_eq!((made.rows, made.dropped), (16, 1));
    let error = refused(
        "d.csv",
        text.replacen("0,north", "none,north", 1).as_bytes(),
    );
    assert!(error.contains("line 7: `width` is `none`"), "{error}");
}

#[test]
fn rows_in_json_have_their_keys_as_columns() {
    let row = |row: usize| {
        let site = ["north", "south", "west"][row / 5];
        format!(
            "{{\"site\": \"{site}\", \"y\": {}, \"a\": {}}}",
            Y(row, 0),
            X(row, 0)
        )
    };
    let rows: Vec<String> = (0..15).map(row).collect();
    let array = format!("[{}]\n", rows.join(",\n"));
    for (name, text) in [("d.jsonl", rows.join("\n")), ("d.json", array)] {
        let made = open(name, text.as_bytes());
        assert_eq!(columns(&made), "task:1;label:2;x:3");
        assert_eq!(made.data.task_names, ["north", "south", "west"]);
        assert_eq!(tasks(&made.data)[2].1[0], Y(10, 0));
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap();
    [
        &[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255][..],
        &compress_to_vec(content, 6),
        &words(&[rawzip::crc32(content), size]),
    ]
    .concat()
}

#[test]
fn compressed_files_are_what_is_in_them() {
    let text = lines(|row| format!("{},{},{}", TASK(row, 0), Y(row, 0), X(row, 0)));
    let text = format!("task,label,x1\n{text}");
    let plain = open("d.csv", text.as_bytes()).data;
    let packed = gzip(text.as_bytes());
    let made = open("d.csv.gz", &packed).data;
    assert_eq!(made.layout, plain.layout);
    assert_eq!(made.columns, None, "our names need no mapping");
    assert_eq!(
        made.sha256,
        sha256_hex(&packed),
        "of the file, not of what is in it"
    );
    let made = open("d.svm.gz", &gzip(svmlight().as_bytes())).data;
    assert_eq!(made.task_names, ["7", "8", "9"]);
}

#[test]
fn a_download_that_is_no_table_is_named() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n";
    for (bytes, what) in [
        (
            pointer.as_bytes(),
            "a Git LFS pointer; expected the file it stands for: run git lfs pull",
        ),
        (
            b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\0\x01\x02",
            "perhaps an Excel workbook",
        ),
        (
            b"\r\n <!doctype HTML>\n<title>Not found</title>",
            "a web page",
        ),
        (
            b"PAR1\x15\x04\x15",
            "a Parquet file; expected CSV or JSON lines; in Python: pandas.read_parquet",
        ),
        (b"%PDF-1.4\n", "a PDF document"),
    ] {
        let error = refused("d.csv", bytes);
        assert!(error.contains(what), "{error}");
    }
    let sheet = npz(&[
        ("[Content_Types].xml", b"<x/>".to_vec()),
        ("xl/workbook.xml", b"<x/>".to_vec()),
    ]);
    let error = refused("d.csv", &sheet);
    assert!(
        error.contains("an Excel workbook") && error.contains("save as CSV UTF-8"),
        "{error}"
    );
    let error = refused("d.zip", &npz(&[("d.csv", b"a,b\n1,2\n".to_vec())]));
    assert!(
        error.contains("a ZIP archive; expected one of the files in it"),
        "{error}"
    );
}

/// What the German Excel writes: semicolons, decimal commas and Windows-1252, or UTF-16 as
/// "Unicode text".
#[test]
fn windows_1252_is_read_with_a_note_and_utf_16_without() {
    let rows = "München;1,5;2\nMünchen;2,5;1\nKöln;1,25;3\nKöln;3;4\n".repeat(2);
    let text = format!("Ort;Größe;a\n{rows}");
    let mut latin = Vec::new();
    for character in text.chars() {
        latin.push(u8::try_from(u32::from(character)).unwrap());
    }
    let expected = import::open("d.csv", text.as_bytes()).unwrap();
    assert_eq!(expected.data.task_names, ["München", "Köln"]);
    let made = import::open("d.csv", &latin).unwrap();
    assert_eq!(made.data.task_names, expected.data.task_names);
    assert_eq!(made.data.layout, expected.data.layout);
    assert_eq!(made.column_names[1], "Größe");
    let note = &made.data.warnings[0];
    assert_eq!(note.code, WarningCode::Interpreted);
    assert!(
        note.message.contains("read as Windows-1252"),
        "{}",
        note.message
    );
    // With its mapping, as a link has it.
    let mapping = made.mapping.unwrap();
    let again = import::read_mapped("d.csv", &latin, &mapping).unwrap();
    assert_eq!(again.data.layout, expected.data.layout);
    assert!(again.data.warnings[0].message.contains("Windows-1252"));

    for big in [false, true] {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        let bytes: Vec<u8> = units
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect();
        let made = import::open("d.txt", &bytes).unwrap();
        assert_eq!(made.data.task_names, expected.data.task_names);
        assert_eq!(made.data.layout, expected.data.layout);
        let encoding = |warning: &Warning| warning.message.contains("Windows-1252");
        assert!(!made.data.warnings.iter().any(encoding));
    }
}

#[test]
fn bytes_of_no_known_encoding_are_named_with_their_line() {
    let text = b"site,y,a\nM\x81nchen,1,2\nM\x81nchen,2,1\n";
    let message = import::open("d.csv", text).unwrap_err().to_string();
    assert!(
        message.starts_with("line 2: text that is not UTF-8"),
        "{message}"
    );
    assert!(message.contains("saved as CSV UTF-8"), "{message}");
}
