//! What the MATLAB reader makes of files, one JSON object a line, for `tests/oracle/matlab.py`.

use patom::data::formats::matlab;
use patom::data::formats::variable::Value;
use serde_json::{Value as Json, json};

fn main() {
    for path in std::env::args().skip(1) {
        let line = match std::fs::read(&path) {
            Err(error) => json!({"path": path, "unreadable": error.to_string()}),
            Ok(bytes) => match matlab::read(&bytes) {
                Err(error) => json!({"path": path, "error": error.to_string()}),
                Ok(variables) => {
                    let variables: Vec<Json> = variables
                        .iter()
                        .map(|variable| json!([variable.name, dump(&variable.value)]))
                        .collect();
                    json!({"path": path, "variables": variables})
                }
            },
        };
        println!("{line}");
    }
}

fn dump(value: &Value) -> Json {
    match value {
        // As bits: JSON has no NaN, and every bit counts.
        Value::Matrix(matrix) => json!({
            "shape": matrix.shape,
            "bits": matrix.values.iter().map(|v| v.to_bits()).collect::<Vec<u64>>(),
        }),
        Value::Cell { shape, items } => json!({
            "shape": shape,
            "items": items.iter().map(dump).collect::<Vec<Json>>(),
        }),
        Value::Text { rows } => json!({ "text": rows }),
        Value::Struct { shape, fields } => json!({
            "shape": shape,
            "fields": fields
                .iter()
                .map(|(name, items)| json!([name, items.iter().map(dump).collect::<Vec<Json>>()]))
                .collect::<Vec<Json>>(),
        }),
        Value::Unread { what } => json!({ "unread": what }),
    }
}
