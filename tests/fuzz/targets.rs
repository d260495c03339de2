//! Hostile input: the readers of files, links and specifications, each with what must hold of it.
//!
//! A target returns, or panics where a promise is broken. `hostile_input.rs` tries the targets in
//! `cargo test`, `libfuzzer.rs` for as long as one likes. Not here: property tests of valid
//! specifications (`tests/properties.rs`).
#![expect(clippy::missing_panics_doc, reason = "targets panic on purpose")]

use miniz_oxide::deflate::compress_to_vec;
use patom::data::formats::csv::Table;
use patom::data::formats::variable::{self, Value};
use patom::data::formats::{bundle, idx, matlab};
use patom::data::published::mnist;
use patom::data::{DataSet, Kind, Layout, MAX_MAGNITUDE, RawPoints, import, published};
use patom::spec::link;
use patom::spec::{DatasetRef, Draft, FIELDS, Shape};
use sha2::{Digest as _, Sha256};

/// Runs a target, named as the folder of its corpus.
pub fn run(target: &str, bytes: &[u8]) {
    match target {
        "matlab" => matlab(bytes),
        "csv" => csv(bytes),
        "arff" => own_file("fuzz.arff", bytes),
        "gzip" => own_file("fuzz.csv.gz", bytes),
        "json" => own_file("fuzz.jsonl", bytes),
        "numpy" => own_file("fuzz.npz", bytes),
        "svmlight" => own_file("fuzz.svm", bytes),
        "idx" => idx(bytes),
        "link" => link(bytes),
        "spec" => spec(bytes),
        "bundle" => bundle(bytes),
        _ => panic!("no target {target}"),
    }
}

/// Deflate makes at most 1032 bytes of one. What a reader keeps of a file of `bytes` is bounded by
/// this many numbers, so memory is.
fn most_numbers(bytes: &[u8]) -> usize {
    1032 * bytes.len()
}

/// The MATLAB reader, and what makes a data set of variables.
fn matlab(bytes: &[u8]) {
    fn check(value: &Value) -> usize {
        match value {
            Value::Matrix(matrix) => {
                let product: usize = matrix.shape.iter().product();
                assert_eq!(product, matrix.values.len(), "sizes and numbers agree");
                assert_eq!(matrix.row_major().len(), product);
                product
            }
            Value::Cell { shape, items } => {
                assert_eq!(shape.iter().product::<usize>(), items.len());
                items.len() + items.iter().map(check).sum::<usize>()
            }
            Value::Text { rows } => rows.len(),
            Value::Struct { shape, fields } => {
                let product: usize = shape.iter().product();
                let count = |(_, items): &(String, Vec<Value>)| {
                    assert_eq!(items.len(), product, "each structure has every field");
                    product + items.iter().map(check).sum::<usize>()
                };
                fields.len() + fields.iter().map(count).sum::<usize>()
            }
            Value::Unread { what } => {
                assert!(!what.is_empty(), "what is not read is named");
                0
            }
        }
    }
    if let Ok(variables) = matlab::read(bytes) {
        let numbers: usize = variables.iter().map(|v| check(&v.value)).sum();
        assert!(numbers <= most_numbers(bytes), "{numbers} numbers");
        for flat in variable::flatten(variables) {
            assert!(
                !matches!(flat.value, Value::Struct { .. }),
                "a structure is its fields"
            );
        }
    }
    own_file("fuzz.mat", bytes);
}

/// A user's file of any format: what it looks like, and what its guess makes of it.
fn own_file(name: &str, bytes: &[u8]) {
    user_file(name, bytes);
    match import::inspect(name, bytes, None) {
        Err(error) => check_error(&error),
        Ok(preview) => {
            assert!(preview.rows.len() <= preview.row_count);
            match import::read_mapped(name, bytes, &preview.guess) {
                Ok(made) => {
                    assert_eq!(made.data.sha256, patom::data::sha256_hex(bytes));
                    assert!(made.dropped <= made.rows && made.rows == preview.row_count);
                    check_data(&made.data);
                }
                Err(refusal) => check_error(&refusal.error),
            }
        }
    }
}

/// The reader of tables: a user's file, points.csv, the tasks of `patom solve`.
fn csv(bytes: &[u8]) {
    if let Ok(table) = Table::read(bytes) {
        let all = table.select(|_| true);
        let training = table.training_points();
        for ((task, all), training) in table.tasks.iter().zip(&all).zip(&training) {
            assert_eq!(&task.points, all);
            assert!(training.count() <= all.count());
            assert_eq!(all.features.len(), all.count() * table.features);
            assert!(all.count() > 0);
            assert!(task.splits.len() == if table.has_split { all.count() } else { 0 });
        }
    }
    own_file("fuzz.csv", bytes);
}

fn user_file(name: &str, bytes: &[u8]) {
    match import::read_file(name, bytes) {
        Ok(data) => {
            assert_eq!(data.sha256, patom::data::sha256_hex(bytes));
            check_data(&data);
            // What is read is kept by a bundle bit by bit, but not what was noticed on the way.
            let kept = DataSet {
                warnings: Vec::new(),
                left_out: Vec::new(),
                ..data
            };
            assert_eq!(bundle::decode(&bundle::encode(&kept)).as_ref(), Ok(&kept));
        }
        Err(error) => check_error(&error),
    }
}

/// The IDX reader, and what makes images and labels of two such files (the first two bytes contain
/// where the second begins).
fn idx(bytes: &[u8]) {
    if let Ok(array) = idx::read(bytes) {
        assert_eq!(array.shape.iter().product::<usize>(), array.values.len());
    }
    let [high, low, rest @ ..] = bytes else {
        return;
    };
    let at = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
    let (images, labels) = rest.split_at(at);
    if let (Ok(images), Ok(labels)) = (idx::read(images), idx::read(labels)) {
        match mnist::assemble(&images, &labels, &images, &labels) {
            Ok(data) => check_data(&data),
            Err(error) => check_error(&error),
        }
    }
}

/// Links: what is understood is written as a link that means the same, and written so again.
fn link(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let link = match link::decode(text) {
        Ok(link) => link,
        Err(error) => {
            assert!(error.field_name().is_some(), "{error}");
            return check_error(&error);
        }
    };
    let Some(shape) = shape_of(&link.draft) else {
        return;
    };
    match link.draft.check(&shape) {
        Ok(spec) => {
            let text = link::encode(&spec, &shape);
            let again = link::decode(&text).expect("what was encoded is decoded");
            let again = again.draft.check(&shape).expect("and is valid");
            assert_eq!(again, spec, "{text}");
            assert_eq!(link::encode(&again, &shape), text);
        }
        Err(errors) => errors.iter().for_each(check_field_error),
    }
}

/// Specifications in JSON: what is valid is written as JSON that means the same, in short as well.
fn spec(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let draft = match Draft::parse(text) {
        Ok(draft) => draft,
        Err(error) => return check_error(&error),
    };
    let Some(shape) = shape_of(&draft) else {
        return;
    };
    match draft.check(&shape) {
        Ok(spec) => {
            let written = serde_json::to_string(&spec).expect("a specification is JSON");
            let again = Draft::parse(&written).expect("which is read");
            assert_eq!(again.check(&shape).as_ref(), Ok(&spec), "{written}");
            let short = spec.differences(&shape);
            assert_eq!(short.check(&shape).as_ref(), Ok(&spec), "{written}");
        }
        Err(errors) => errors.iter().for_each(check_field_error),
    }
}

fn shape_of(draft: &Draft) -> Option<Shape> {
    match draft.dataset() {
        Ok(DatasetRef::Named(name)) => Shape::named(&name),
        Ok(DatasetRef::File { .. }) => Some(Shape {
            tasks: 5,
            kind: Some(Kind::Regression),
            has_split: true,
        }),
        Err(error) => {
            check_field_error(&error);
            None
        }
    }
}

/// Bundles, in three ways: the bytes as a bundle; as the payload of one, behind a header that fits;
/// as changes (position, value) of a good bundle, which never give other points.
fn bundle(bytes: &[u8]) {
    let [way, rest @ ..] = bytes else {
        return;
    };
    let decoded = match way % 3 {
        0 => bundle::decode(rest),
        1 => bundle::decode(&behind_header(rest)),
        _ => {
            let good = good_bundle();
            let mut altered = bundle::encode(&good);
            for change in rest.chunks_exact(3) {
                let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
                let at = at % altered.len();
                altered[at] ^= change[2];
            }
            altered.truncate(altered.len() - usize::from(rest.len() % 3 == 1));
            let decoded = bundle::decode(&altered);
            if let Ok(data) = &decoded {
                assert_eq!(data, &good, "altered bytes gave other points");
            }
            decoded
        }
    };
    match decoded {
        Ok(data) => {
            check_data(&data);
            assert_eq!(bundle::decode(&bundle::encode(&data)).as_ref(), Ok(&data));
            if let Some(published) = published::find(&data.name)
                && let Ok(data) = published.read_bundle(&bundle::encode(&data))
            {
                assert_eq!(data.sha256, data.canonical_sha256());
            }
        }
        Err(error) => check_error(&error),
    }
}

fn behind_header(payload: &[u8]) -> Vec<u8> {
    let deflated = compress_to_vec(payload, 1);
    let mut bytes = b"PATOMDAT".to_vec();
    bytes.extend_from_slice(&bundle::VERSION.to_le_bytes());
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(&deflated));
    bytes.extend_from_slice(&deflated);
    bytes
}

fn good_bundle() -> DataSet {
    let task = |shift: f64| RawPoints {
        features: vec![0.5 + shift, 1.0, -2.0, 0.25],
        labels: vec![1.0, -1.0],
    };
    DataSet::new(
        "good",
        Kind::Classification,
        2,
        vec!["a".into(), "b".into()],
        Layout::Separate {
            tasks: vec![task(0.0), task(0.1)],
            is_test: Some(vec![vec![false, true], vec![true, false]]),
        },
    )
    .expect("good data")
}

/// What `DataSet` promises.
fn check_data(data: &DataSet) {
    let usable = |numbers: &[f64]| {
        let good = numbers.iter().all(|x| x.abs() <= MAX_MAGNITUDE);
        assert!(good, "a number that is not usable");
    };
    let points = |points: &RawPoints| {
        assert_eq!(points.features.len(), points.count() * data.features);
        usable(&points.features);
        usable(&points.labels);
    };
    match &data.layout {
        Layout::Separate { tasks, .. } => {
            assert_eq!(tasks.len(), data.task_count());
            tasks.iter().for_each(points);
        }
        Layout::Shared { features, labels } => {
            assert_eq!(labels.len(), data.task_count());
            usable(features);
            labels.iter().for_each(|labels| usable(labels));
        }
        Layout::Classes { train, test, .. } => {
            points(train);
            points(test);
        }
    }
}

fn check_field_error(error: &patom::Error) {
    let name = error.field_name().expect("a field is named");
    assert!(FIELDS.iter().any(|field| field.name == name), "{error}");
    check_error(error);
}

/// Messages can be shown: they are not empty, and a hostile text does not fill the page.
fn check_error(error: &patom::Error) {
    let message = error.to_string();
    assert!(
        (1..=2000).contains(&message.len()),
        "{} bytes: {message}",
        message.len()
    );
}
