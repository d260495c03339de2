//! What a test tried, how often, and what came of it, in `target/trust/NAME.json`: the tables of
//! docs/trust.md are made from these files.

use std::path::Path;

use serde_json::Value;

/// Writes the record; `name` may begin with folders.
pub fn record(name: &str, value: &Value) {
    let build = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
    let path = build.join(format!("trust/{name}.json"));
    let folder = path.parent().expect("a file is in a folder");
    std::fs::create_dir_all(folder).expect("the build folder can be written");
    let text = serde_json::to_string_pretty(value).expect("a JSON value is text");
    std::fs::write(path, text + "\n").expect("the build folder can be written");
}
