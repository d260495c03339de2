//! `patom run` and `patom link`: the report, its files, the summary.

use serde_json::{Value, json};

use crate::{Place, SMALL, SMALL_LINK, csv, keys, matrix, sorted, timeless};

#[test]
fn a_file_standard_input_and_every_form_of_a_link_are_the_same_specification() {
    let place = Place::new("forms");
    place.write("spec.json", SMALL);
    let digest = place.report(SMALL, &[])["digest"].clone();
    let address = format!("https://example.org/lab/#{SMALL_LINK}&embed=1");
    let hash = format!("#{SMALL_LINK}");
    let bare = format!("127.0.0.1:8080/{hash}");
    for spec in ["spec.json", SMALL_LINK, &hash, &address, &bare] {
        let out = place.quiet(&["run", spec, "--json"], "");
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(report["digest"], digest, "{spec}");
    }
    assert_eq!(place.report(&format!("{address}\n"), &[])["digest"], digest);
    assert_eq!(
        place.report(&format!("\u{feff}{SMALL}"), &[])["digest"],
        digest
    );
}

#[test]
fn an_unknown_key_of_a_link_is_a_warning() {
    let place = Place::new("unknown_key");
    let done = place.patom(&["run", &format!("{SMALL_LINK}&zzz=1")], "");
    assert_eq!(done.code, 0);
    assert_eq!(
        done.complaints(),
        "patom: link: unknown key zzz has no effect\n"
    );
}

#[test]
fn the_report_has_every_field_of_the_contract_in_its_shape() {
    let place = Place::new("report");
    let report = place.report(
        r#"{"train_per_task":12,"test_per_task":20,"iterations":3,"attack":"indirect"}"#,
        &["--out", "out/deeper"],
    );
    let (m, dimension) = (8, 11);
    let written: Value = serde_json::from_str(&place.read("out/deeper/report.json")).unwrap();
    assert_eq!(written, report, "--json prints what --out writes");

    let fields = [
        "version",
        "dataset",
        "train_per_task",
        "train_share",
        "test_per_task",
        "shared_rows",
        "targets",
        "attackers",
        "attack",
        "method",
        "utility",
        "gradient",
        "step",
        "step_size",
        "iterations",
        "starts",
        "batch_factor",
        "budget",
        "knowledge",
        "radius",
        "injected_labels",
        "loss",
        "lambda1",
        "lambda2",
        "epsilon",
        "solver",
        "target_scaling",
        "feature_scaling",
        "feature_domain",
        "injected_features",
        "learner",
        "pull_cap",
        "sanitise",
        "sanitise_share",
        "seed",
    ];
    assert_eq!(keys(&report["spec"]), fields, "complete, in order");
    assert_eq!(report["spec"]["attackers"], json!([3, 4, 5, 6, 7]));
    assert_eq!(report["target_tasks"], json!([0, 1, 2]));
    assert_eq!(report["attacking_tasks"], json!([3, 4, 5, 6, 7]));
    assert_eq!(report["engine"], env!("CARGO_PKG_VERSION"));
    let hexadecimal = |value: &Value, digits: usize| {
        let text = value.as_str().unwrap();
        text.len() == digits
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    assert!(hexadecimal(&report["data_sha256"], 64));
    assert!(hexadecimal(&report["digest"], 16));
    for model in [&report["clean"], &report["attacked"]] {
        matrix(&model["weights"], m, dimension);
        let correlation = matrix(&model["correlation"], m, m);
        for i in 0..m {
            assert_eq!(correlation[i][i], 1.0);
            for j in 0..m {
                assert!((correlation[i][j] - correlation[j][i]).abs() < 1e-12);
                assert!(correlation[i][j].abs() <= 1.0 + 1e-12);
            }
        }
        assert!(model["objective"].as_f64().unwrap() > 0.0);
        let certificate = model["certificate"].as_f64().unwrap();
        assert!((0.0..=1e-8).contains(&certificate));
        assert_eq!(model["metric_per_task"].as_array().unwrap().len(), m);
        assert_eq!(model["solver_status"], "converged");
    }
    let trace = report["trace"].as_array().unwrap();
    assert_eq!(trace.len(), 4, "the random start and three iterations");
    for (iteration, point) in trace.iter().enumerate() {
        assert_eq!(
            sorted(keys(point)),
            [
                "certificate",
                "iteration",
                "metric",
                "metric_per_task",
                "objective",
                "seconds",
                "utility"
            ]
        );
        assert_eq!(point["iteration"], iteration);
        let per_task: Vec<f64> = serde_json::from_value(point["metric_per_task"].clone()).unwrap();
        let mean = per_task[..3].iter().sum::<f64>() / 3.0;
        assert!((point["metric"].as_f64().unwrap() - mean).abs() < 1e-12);
    }
    assert_eq!(trace[3]["objective"], report["attacked"]["objective"]);
    assert_eq!(
        trace[3]["metric_per_task"],
        report["attacked"]["metric_per_task"]
    );
}

#[test]
fn points_csv_holds_every_point_that_the_run_used() {
    let place = Place::new("points");
    let spec =
        r#"{"train_per_task":13,"test_per_task":7,"iterations":1,"budget":0.3,"radius":0.5}"#;
    place.report(spec, &["--out", "."]);
    let text = place.read("points.csv");
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("task,split,label,x1,x2,x3,x4,x5,x6,x7,x8,x9,x10")
    );
    let mut counts = std::collections::BTreeMap::new();
    for line in lines {
        let (cells, numbers) = (line.split(','), line.split(',').skip(2));
        let cells: Vec<&str> = cells.take(2).collect();
        let numbers: Vec<f64> = numbers.map(|number| number.parse().unwrap()).collect();
        assert_eq!(numbers.len(), 11);
        let norm = numbers[1..].iter().map(|x| x * x).sum::<f64>().sqrt();
        let radius = if cells[1] == "injected" { 0.5 } else { 1.0 };
        // Written and read without loss; one rounding of the sum of squares.
        assert!(norm <= radius * (1.0 + 1e-15), "{line}");
        *counts
            .entry((cells[0].parse::<usize>().unwrap(), cells[1].to_string()))
            .or_insert(0) += 1;
    }
    let mut expected = std::collections::BTreeMap::new();
    for task in 0..8 {
        expected.insert((task, "train".to_string()), 13);
        expected.insert((task, "test".to_string()), 7);
        if task < 3 {
            // floor(0.3 * 13)
            expected.insert((task, "injected".to_string()), 3);
        }
    }
    assert_eq!(counts, expected);
}

#[test]
fn two_runs_differ_in_their_seconds_only() {
    let place = Place::new("repeat");
    let hinge = SMALL.replace('{', r#"{"loss":"squared_hinge","step":"constant","#);
    for spec in [SMALL, &hinge] {
        let first = place.report(spec, &["--out", "first"]);
        let second = place.report(spec, &["--out", "second"]);
        assert_eq!(timeless(&first), timeless(&second));
        assert_eq!(
            place.read("first/points.csv"),
            place.read("second/points.csv")
        );
        let other = place.report(&spec.replace('{', r#"{"seed":7,"#), &[]);
        assert_ne!(first["digest"], other["digest"]);
    }
}

#[test]
fn seconds_are_no_part_of_the_digest() {
    let place = Place::new("seconds");
    let reports = [0, 1, 2, 3].map(|_| place.report(SMALL, &[]));
    let seconds = |report: &Value| report["trace"][2]["seconds"].as_f64().unwrap();
    assert!(
        reports
            .windows(2)
            .any(|pair| seconds(&pair[0]) != seconds(&pair[1])),
        "four runs that took the same time to the nanosecond prove nothing"
    );
    assert!(
        reports
            .iter()
            .all(|report| report["digest"] == reports[0]["digest"])
    );
}

#[test]
fn an_attack_without_a_point_is_a_warning() {
    let place = Place::new("no_point");
    place.write("mine.csv", csv());
    let run = |budget: &str| {
        let spec = format!(r#"{{"dataset":"mine.csv","train_per_task":4,"budget":{budget}}}"#);
        let done = place.patom(&["run", "-"], &spec);
        assert_eq!(done.code, 0, "{}", done.err);
        let complaints = done.complaints();
        (done.out, complaints)
    };
    let (out, err) = run("0.2");
    assert!(out.contains("Injected points: 0"), "{out}");
    assert!(
        err.starts_with("patom: no points are injected: a budget of 0.2"),
        "{err}"
    );
    let (out, err) = run("0.25");
    assert!(
        out.contains("Injected points: 2") && err.is_empty(),
        "{out}{err}"
    );
    assert_eq!(run("0").1, "");
}

#[test]
fn a_budget_of_zero_leaves_the_clean_model() {
    let place = Place::new("budget_0");
    for more in [
        "",
        r#""loss":"squared_hinge","#,
        r#""solver":"alternating","epsilon":0.01,"#,
    ] {
        let spec = format!(r#"{{{more}"budget":0,"train_per_task":20,"iterations":4}}"#);
        let report = place.report(&spec, &["--out", "."]);
        assert_eq!(report["clean"], report["attacked"], "{spec}");
        assert_eq!(report["trace"].as_array().unwrap().len(), 1, "{spec}");
        assert!(!place.read("points.csv").contains("injected"));
    }
}

#[test]
fn the_random_baseline_and_no_iterations_leave_one_point_of_the_trace() {
    let place = Place::new("random");
    let random = place.report(&SMALL.replace('{', r#"{"method":"random","#), &[]);
    let none = place.report(&SMALL.replace("\"iterations\":2", "\"iterations\":0"), &[]);
    let patom = place.report(SMALL, &[]);
    for report in [&random, &none] {
        assert_eq!(report["trace"].as_array().unwrap().len(), 1);
        assert_eq!(
            report["trace"][0]["utility"], patom["trace"][0]["utility"],
            "the baseline is where the attack starts"
        );
    }
    assert_eq!(random["digest"], none["digest"]);
    assert_ne!(random["digest"], patom["digest"]);
}

#[test]
fn a_run_that_did_not_converge_is_reported_and_still_writes_its_files() {
    let place = Place::new("not_converged");
    let spec = r#"{"solver":"alternating","lambda1":1e-6,"iterations":1}"#;
    let done = place.patom(&["run", "-", "--out", "."], spec);
    assert_eq!(done.code, 1);
    assert!(
        done.complaints()
            .starts_with("patom: the lower level did not converge")
    );
    assert!(done.err.contains("iteration limit"), "{}", done.err);
    let report: Value = serde_json::from_str(&place.read("report.json")).unwrap();
    assert_eq!(report["clean"]["solver_status"], "iteration_limit");
    assert!(report["clean"]["certificate"].as_f64().unwrap() > 1.0);
}

#[test]
fn the_summary_has_the_result_and_compares_it_with_the_link() {
    let place = Place::new("summary");
    let digest = place.report(SMALL, &[])["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let run = |more: &str| place.quiet(&["run", &format!("{SMALL_LINK}{more}")], "");
    let plain = run("");
    assert!(plain.contains(&format!("Digest: {digest}")) && plain.contains("NMSE"));
    assert!(!plain.contains("link"));
    assert!(run(&format!("&r={digest}")).contains("Reproduced bit for bit"));
    let other = run("&r=0123456789abcdef&e=0.0.1&u=1e9");
    for part in [
        "Differs from the result in the link",
        "0123456789abcdef",
        "engine 0.0.1",
        "utility 1000000000 in the link",
        "in the 1st digit",
    ] {
        assert!(other.contains(part), "{part}: {other}");
    }
    // With --json the comparison is on standard error.
    let link = format!("{SMALL_LINK}&r=0123456789abcdef");
    let done = place.patom(&["run", &link, "--json"], "");
    assert_eq!(done.code, 0);
    assert!(
        done.complaints()
            .starts_with("patom: Differs from the result in the link"),
        "{}",
        done.err
    );
    let report: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(report["digest"], digest);
}

#[test]
fn a_specification_and_its_link_give_the_same_result() {
    let place = Place::new("links");
    for more in [
        r#""seed":7"#,
        r#""attack":"hybrid","attackers":[1,6],"lambda1":0.012345678901234567,"radius":0.75"#,
        r#""attack":"indirect","targets":[7,2],"loss":"squared_hinge","injected_labels":"flipped""#,
        r#""step":"constant","gradient":"published","solver":"alternating","epsilon":0"#,
        r#""target_scaling":"raw","injected_labels":"resampled","method":"random""#,
    ] {
        let spec = SMALL.replace('{', &format!("{{{more},"));
        let report = place.report(&spec, &[]);
        let link = place.quiet(&["link", "-", "--base", "https://example.org/lab/"], &spec);
        let link = link.trim_end();
        assert!(
            link.starts_with("https://example.org/lab/#v=2&d=synthetic&"),
            "{link}"
        );
        let out = place.quiet(&["run", link, "--json"], "");
        let again: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(timeless(&again), timeless(&report), "{link}");
        // A link of a link is the same link.
        let fragment = &link[link.find('#').unwrap()..];
        assert_eq!(place.quiet(&["link", link], "").trim_end(), fragment);
    }
    // A named data set need not be there.
    let link = place.quiet(&["link", "-"], r#"{"dataset":"sarcos","budget":0.3}"#);
    assert_eq!(link.trim_end(), "#v=2&d=sarcos&b=0.3");
}

#[test]
fn a_report_can_be_run_again_and_is_compared_with_itself() {
    let place = Place::new("report_again");
    place.report(SMALL, &["--out", "first"]);
    let out = place.quiet(&["run", "first/report.json"], "");
    assert!(out.contains("Reproduced bit for bit"), "{out}");
    let link = place.quiet(&["link", "first/report.json"], "");
    assert!(link.starts_with("#v=2&d=synthetic&n=12&"), "{link}");

    // A user's file is found by its hash, and read by the mapping of the report.
    let header = "where;y;a;b\n";
    let rows = (0..24).map(|k| format!("t{};{};{};1\n", k % 2, k % 5, k % 7));
    let text = header.to_string() + &rows.collect::<String>();
    place.write("own.csv", text);
    let columns = "sep:semicolon;task:1;label:2;x:3-4";
    let spec = r#"{"dataset":"own.csv","iterations":2}"#;
    let report = place.report(spec, &["--columns", columns, "--out", "second"]);
    assert_eq!(report["columns"], columns);
    let out = place.quiet(&["run", "second/report.json"], "");
    assert!(out.contains("Reproduced bit for bit"), "{out}");

    // One of an older engine: what it says is compared, and the engine named.
    let old = place.read("first/report.json");
    let old = (old.replace(r#""version": 2"#, r#""version": 1"#))
        .replace(env!("CARGO_PKG_VERSION"), "0.1.0")
        .replace("\"shared_rows\": true,", "")
        .replace("\"utility\": \"training_loss\",", "")
        .replace("\"starts\": 1,", "")
        .replace("\"knowledge\": 1.0,", "")
        .replace("\"feature_scaling\": \"none\",", "")
        .replace("\"feature_domain\": \"ball\",", "")
        .replace("\"injected_features\": \"free\",", "")
        .replace("\"learner\": \"multi_task\",", "")
        .replace("\"pull_cap\": null,", "")
        .replace("\"sanitise\": \"none\",", "")
        .replace("\"sanitise_share\": null,", "");
    let digest = report_digest(&old);
    let old = old.replace(&digest, "0123456789abcdef");
    place.write("old.json", old);
    let out = place.quiet(&["run", "old.json"], "");
    assert!(out.contains("made by engine 0.1.0"), "{out}");
}

fn report_digest(text: &str) -> String {
    let report: Value = serde_json::from_str(text).unwrap();
    report["digest"].as_str().unwrap().to_string()
}

#[test]
fn warnings_of_a_result_are_in_the_report_and_on_standard_error() {
    let place = Place::new("warnings");
    // The labels have nothing to do with the feature.
    let rows = (0..40).map(|k| format!("{},{},{}\n", k % 2, (k * 7) % 11, (k * 5) % 13));
    place.write(
        "noise.csv",
        "task,label,x1\n".to_string() + &rows.collect::<String>(),
    );
    let done = place.patom(
        &["run", "-", "--json"],
        r#"{"dataset":"noise.csv","iterations":1}"#,
    );
    assert_eq!((done.code, done.complaints().as_str()), (0, ""));
    let report: Value = serde_json::from_str(&done.out).unwrap();
    let warnings = report["warnings"].as_array().unwrap();
    let codes: Vec<&str> = (warnings.iter())
        .map(|warning| warning["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"few_test_points"), "{codes:?}");
    for warning in warnings {
        let message = warning["message"].as_str().unwrap();
        assert!(done.err.contains(message), "{message}: {}", done.err);
    }
    assert_eq!(done.err.lines().count(), warnings.len());
    let per_task = &report["single_task"]["attacked"]["metric_per_task"];
    assert_eq!(per_task.as_array().unwrap().len(), 2);
}
