//! `patom risk`: its summary and its files.

use serde_json::Value;

use crate::{Place, SMALL};

#[test]
fn risk_writes_a_map_of_every_pair_whatever_the_number_of_threads() {
    let place = Place::new("risk");
    let out = place.quiet(&["risk", "-", "--out", "map", "--threads", "1"], SMALL);
    for part in [
        "Worst indirect: T",
        "Worst direct: T",
        "Most exposed",
        "Most dangerous",
        "Rank correlation",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert_eq!(
        place.names("map"),
        [
            "exposure.csv",
            "exposure.json",
            "exposure.svg",
            "risk.csv",
            "risk.json",
            "risk.svg"
        ]
    );
    // The answer comes first.
    assert!(out.starts_with("Is this data at risk?\n  "), "{out}");
    assert_eq!(place.read("map/exposure.csv").lines().count(), 1 + 72);
    let map: Value = serde_json::from_str(&place.read("map/risk.json")).unwrap();
    assert_eq!(map["damage"].as_array().unwrap().len(), 8);
    assert_eq!(place.read("map/risk.csv").lines().count(), 1 + 64);
    assert!(place.read("map/risk.svg").starts_with("<svg"));
    let json = place.quiet(&["risk", "-", "--json", "--threads", "3"], SMALL);
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), map);

    // The same as the run of an entry.
    let spec = r#"{"train_per_task":12,"test_per_task":20,"iterations":2,"budget":0.25,
        "attack":"indirect","targets":[2],"attackers":[6]}"#;
    let run = place.quiet(&["run", "-", "--json"], spec);
    let run: Value = serde_json::from_str(&run).unwrap();
    let metric = |model: &str| run[model]["metric_per_task"][2].as_f64().unwrap();
    let damage = map["damage"][6][2].as_f64().unwrap();
    assert_eq!(damage, metric("attacked") - metric("clean"));
}

#[test]
fn risk_draws_what_sharing_costs_over_a_knob() {
    let place = Place::new("risk-curve");
    let out = place.quiet(&["risk", "-", "--curve", "pull_cap", "--out", "c"], SMALL);
    assert!(
        out.contains("Single-task learning: mean clean NMSE"),
        "{out}"
    );
    let stem = "curve-pull_cap";
    assert_eq!(
        place.names("c"),
        ["csv", "json", "svg"].map(|ending| format!("{stem}.{ending}"))
    );
    let csv = place.read("c/curve-pull_cap.csv");
    // Six caps, and none.
    assert_eq!(csv.lines().count(), 1 + 6 + 1);
    assert!(csv.lines().last().unwrap().starts_with("none,"), "{csv}");
    let curve: Value = serde_json::from_str(&place.read("c/curve-pull_cap.json")).unwrap();
    assert_eq!(curve["points"].as_array().unwrap().len(), 7);
    let refused = place.patom(&["risk", "-", "--curve", "lambda1"], SMALL);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("lambda2"), "{}", refused.err);
}
