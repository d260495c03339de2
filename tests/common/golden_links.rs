//! The golden links: every form that was ever written, and what it must mean for ever. The native
//! tests and the wasm tests read the same file.
#![allow(dead_code, reason = "each test file uses a part")]

use patom::data::Kind;
use patom::spec::link;
use patom::spec::{DatasetRef, Shape, Spec, VERSION};
use serde_json::{Value, json};

/// What specifications of version 1 mean in the fields of version 2, and those of version 2 in the
/// fields that came after their line was written: the lines of the file are never changed.
fn later() -> [(&'static str, Value); 11] {
    [
        ("feature_scaling", json!("none")),
        ("feature_domain", json!("ball")),
        ("injected_features", json!("free")),
        ("learner", json!("multi_task")),
        ("pull_cap", Value::Null),
        ("sanitise", json!("none")),
        ("sanitise_share", Value::Null),
        ("shared_rows", json!(true)),
        ("utility", json!("training_loss")),
        ("starts", json!(1)),
        ("knowledge", json!(1.0)),
    ]
}

/// Blocks of two lines, a link and its meaning; `//` begins a comment.
pub const FILE: &str = include_str!("../golden/links.txt");

/// Links and their meanings.
pub fn all() -> Vec<(&'static str, Value)> {
    let lines: Vec<&str> = (FILE.lines())
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .collect();
    let pairs = lines.chunks_exact(2);
    assert!(pairs.remainder().is_empty(), "a link without its meaning");
    pairs
        .map(|pair| (pair[0], migrated(serde_json::from_str(pair[1]).unwrap())))
        .collect()
}

/// A meaning of an earlier version, or of earlier fields, in the words of this version.
fn migrated(mut meaning: Value) -> Value {
    let is_version_1 = meaning["spec"]["version"] == 1;
    let spec = meaning["spec"].as_object_mut().unwrap();
    spec.insert("version".into(), json!(VERSION));
    for (field, value) in later() {
        let known = spec.contains_key(field);
        assert!(!(is_version_1 && known), "version 1 has no {field}");
        spec.entry(field).or_insert(value);
    }
    if is_version_1 {
        // Rows that lack a value were left out by other rules.
        if let Some(columns) = meaning.get_mut("columns") {
            *columns = json!(format!("{};rules:1", columns.as_str().unwrap()));
        }
    }
    meaning
}

/// The shape of the data that a link speaks of. A user's file is taken to have 5 tasks.
fn shape(dataset: &DatasetRef) -> Shape {
    match dataset {
        DatasetRef::Named(name) => Shape::named(name).unwrap(),
        DatasetRef::File { .. } => Shape {
            tasks: 5,
            kind: Some(Kind::Regression),
            has_split: false,
        },
    }
}

fn spec(text: &str) -> Spec {
    let draft = link::decode(text).unwrap().draft;
    let shape = shape(&draft.dataset().unwrap());
    draft.check(&shape).unwrap()
}

/// What a link means: the complete specification, what it says of the result, what the columns of
/// the file are, and the rest.
pub fn meaning(text: &str) -> Value {
    let link::Link {
        claim,
        others,
        columns,
        ..
    } = link::decode(text).unwrap();
    let mut meaning = json!({
        "spec": spec(text),
        "claim": {
            "engine": claim.engine, "data_sha256": claim.data_sha256, "digest": claim.digest,
            "metric": claim.metric, "utility": claim.utility,
        },
        "others": others,
    });
    // Most links have none.
    if let Some(columns) = columns {
        meaning["columns"] = json!(columns.to_string());
    }
    meaning
}

/// The link of the same specification as it is written today.
pub fn rewritten(text: &str) -> String {
    let spec = spec(text);
    let columns = link::decode(text).unwrap().columns;
    let columns = columns.map(|columns| columns.to_string());
    let fragment = link::encode(&spec, &shape(&spec.dataset));
    link::with_columns(&fragment, columns.as_deref())
}
