//! `patom solve`: the contract of its output, and what it leaves out.

use serde_json::Value;

use crate::{Place, csv, keys, matrix};

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

    // The two solvers agree within their certificates, the options have an effect.
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

#[test]
fn solve_reads_what_run_reads() {
    let place = Place::new("solve_columns");
    place.write("tasks.csv", csv());
    let found = place.solve(&["tasks.csv"]);
    // The same table with other names, between semicolons.
    let (header, body) = csv()
        .split_once('\n')
        .map(|(h, b)| (h.to_string(), b.to_string()))
        .unwrap();
    let names = header
        .replace("task", "school")
        .replace("label", "score")
        .replace(',', ";");
    let other = format!("{names}\n{}", body.replace(',', ";"));
    place.write("other.txt", &other);
    let done = place.patom(
        &[
            "solve",
            "other.txt",
            "--columns",
            "sep:semicolon;task:1;label:2;x:3-4",
        ],
        "",
    );
    assert_eq!(done.code, 0, "{}", done.err);
    let again: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(again["weights"], found["weights"]);
    // Rows for testing are left out; a guess that is sure is printed.
    let split: String = body
        .lines()
        .flat_map(|row| [format!("{row},train\n"), format!("{row},test\n")])
        .collect();
    let text = format!("school,y,a,b,split\n{split}");
    place.write("split.csv", &text);
    let done = place.patom(&["solve", "split.csv"], "");
    assert!(
        done.err.contains("task:1;label:2;split:5,test;x:3-4"),
        "{}",
        done.err
    );
    let again: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(again["weights"], found["weights"]);
    let done = place.patom(&["solve", "-"], &text);
    assert_eq!(done.code, 0, "{}", done.err);
}
