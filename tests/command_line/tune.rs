//! `patom tune`: its summary, its files, and the specification that it gives.

use serde_json::Value;

use crate::{Place, SMALL};

#[test]
fn tune_writes_a_specification_that_runs() {
    let place = Place::new("tune");
    let out = place.quiet(&["tune", "-", "--out", "tuned", "--folds", "3"], SMALL);
    for part in [
        "3-fold",
        "single",
        "Multi-task learning: λ1 = ",
        "As specified: λ1 = 1e-1",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert_eq!(
        place.names("tuned"),
        ["spec.json", "trials.csv", "tuning.json"]
    );
    let tuning: Value = serde_json::from_str(&place.read("tuned/tuning.json")).unwrap();
    let spec: Value = serde_json::from_str(&place.read("tuned/spec.json")).unwrap();
    assert_eq!(tuning["spec"], spec);
    assert_eq!(spec["lambda1"], tuning["multi_task"]["lambda1"]);
    let trials = tuning["trials"].as_array().unwrap();
    assert_eq!(
        place.read("tuned/trials.csv").lines().count(),
        1 + trials.len()
    );
    let json = place.quiet(&["tune", "-", "--json", "--folds", "3"], SMALL);
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), tuning);

    let link = out
        .lines()
        .find_map(|line| line.strip_prefix("Link (multi-task): "));
    let by_link = place.quiet(&["run", link.unwrap(), "--json"], "");
    let by_link: Value = serde_json::from_str(&by_link).unwrap();
    assert_eq!(by_link["spec"], spec);
    let by_file = place.quiet(&["run", "tuned/spec.json", "--json"], "");
    let by_file: Value = serde_json::from_str(&by_file).unwrap();
    assert_eq!(by_file["digest"], by_link["digest"]);

    let done = place.patom(&["tune", "-", "--folds", "1"], SMALL);
    assert_eq!(done.code, 2);
    assert!(
        done.err.contains("folds: 1 is out of range"),
        "{}",
        done.err
    );
}
