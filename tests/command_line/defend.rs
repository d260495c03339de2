//! `patom defend`: its summary and its files.

use serde_json::Value;

use crate::{Place, SMALL};

#[test]
fn defend_writes_the_same_study_whatever_the_number_of_threads() {
    let place = Place::new("defend");
    let out = place.quiet(&["defend", "-", "--out", "study", "--threads", "1"], SMALL);
    for part in ["knowing", "certified", "oracle", "pull cap 0.1", "trim"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let study: Value = serde_json::from_str(&place.read("study/defence.json")).unwrap();
    assert!(out.starts_with(study["verdict"].as_str().unwrap()));
    assert_eq!(study["jobs"], study["done"]);
    assert!(
        place
            .read("study/defence.csv")
            .starts_with("defence,setting,")
    );
    for picture in ["caps", "filters", "rankings"] {
        let text = place.read(&format!("study/{picture}.svg"));
        assert!(text.starts_with("<svg") && text.len() > 5_000, "{picture}");
    }
    assert!(place.read("study/rankings.csv").starts_with("attacker,of,"));
    let json = place.quiet(&["defend", "-", "--json", "--threads", "3"], SMALL);
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), study);
}

#[test]
fn defend_refuses_an_attack_that_does_not_optimise() {
    let place = Place::new("defend-random");
    let done = place.patom(&["defend", "-"], r#"{"method": "random"}"#);
    assert_eq!(done.code, 2);
    assert!(
        done.err.contains("method: random does not optimise"),
        "{}",
        done.err
    );
}
