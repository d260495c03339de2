//! `patom data list`: the data sets and where their files are.

use patom::data::{published, synthetic};
use serde_json::json;

use crate::Outcomes;
use crate::args::DataFolder;
use crate::input::find;
use crate::output::{print, to_json};

pub fn list(as_json: bool, folder: &DataFolder) -> Outcomes<()> {
    let mut entries = vec![json!({
        "name": synthetic::NAME, "title": "Synthetic tasks with known correlation",
        "available": true, "tasks": synthetic::TASKS, "features": synthetic::FEATURES, "message": null,
    })];
    for source in &published::CATALOGUE {
        let loaded = source.load(&|file| find(file, folder));
        entries.push(match loaded {
            Ok(data) => json!({
                "name": source.name, "title": source.title, "available": true,
                "tasks": data.task_count(), "features": data.features,
                "points": data.point_count(), "data_sha256": data.sha256, "message": null,
            }),
            Err(error) => json!({
                "name": source.name, "title": source.title, "available": false,
                "message": error.to_string(),
            }),
        });
    }
    if as_json {
        return print(&to_json(&entries));
    }
    for entry in &entries {
        let text = |key: &str| entry[key].as_str().unwrap_or_default().to_string();
        if entry["available"] == true {
            print(&format!(
                "{:<10} {} tasks, {} features  {}",
                text("name"),
                entry["tasks"],
                entry["features"],
                text("title")
            ))?;
        } else {
            print(&format!(
                "{:<10} not found: {}",
                text("name"),
                text("message")
            ))?;
        }
    }
    Ok(())
}
