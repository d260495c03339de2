//! Files of a user: found by path or by hash, read with and without a mapping.

use std::fs;

use serde_json::{Value, json};

use crate::{Place, SMALL_LINK, csv, mat, timeless};

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
    assert!(done.err.contains(r"Task \u{1b}[31m"), "{}", done.err);
    assert!(!done.err.contains('\u{1b}'), "{}", done.err);
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
    assert!(
        done.err.contains("more than 67108864 bytes"),
        "{}",
        done.err
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

    // A guess that is sure is used and printed.
    let done = place.patom(&["run", "-", "--json"], spec);
    assert_eq!(done.code, 0, "{}", done.err);
    let guessed: Value = serde_json::from_str(&done.out).unwrap();
    let first = done.err.lines().next().unwrap();
    let start = "Columns: task = school, label = iq, split = set (test: held out), features = score, \
                 hours  (--columns '";
    assert!(first.starts_with(start), "{first}");
    let guess = first.split('\'').nth(1).unwrap().to_string();
    assert_eq!(
        guess,
        "sep:semicolon;decimal:comma;task:1;label:4;split:5,held out;x:2-3"
    );
    assert_eq!(guessed["columns"], guess);
    let report = place.report(spec, &["--columns", &guess]);
    assert_eq!(report["digest"], guessed["digest"]);
    let link = place.patom(&["link", "-"], spec);
    let tail = "&c=sep:semicolon;decimal:comma;task:1;label:4;split:5,held%20out;x:2-3\n";
    assert!(link.out.ends_with(tail), "{}", link.out);
    // What is not sure is asked, with the guess.
    let (_, nameless) = text.split_once('\n').unwrap();
    place.write("nameless.csv", nameless);
    let asked = place.patom(&["run", "-"], r#"{"dataset":"nameless.csv"}"#);
    assert_eq!(asked.code, 2);
    let cure = "--columns 'sep:semicolon;decimal:comma;header:no;";
    for part in ["do not say which one is to be predicted", cure] {
        assert!(asked.err.contains(part), "{}", asked.err);
    }

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

    // Rows that are left out are reported.
    place.write("folder/scores.csv", format!("{text}west;1,5;;100;train\n"));
    let columns = format!("{columns};missing:drop");
    let done = place.patom(&["run", "-", "--columns", &columns], spec);
    assert_eq!(done.code, 0, "{}", done.err);
    let expected = "warning: 1 of 61 rows were left out: no value in `hours` (1, first line 62).";
    assert!(done.err.contains(expected), "{}", done.err);
    assert_eq!(done.complaints(), "");

    // Columns that would be refused are not proposed: here all are labels.
    let whole = mat(20, 2, 3);
    let size = u32::from_le_bytes(whole[132..136].try_into().unwrap());
    let rest = 128 + 8 + usize::try_from(size).unwrap();
    place.write("labels.mat", [&whole[..128], &whole[rest..]].concat());
    let done = place.patom(&["run", "-"], r#"{"dataset":"labels.mat"}"#);
    assert_eq!(done.code, 2);
    assert!(
        done.err.contains("No column of numbers is left"),
        "{}",
        done.err
    );
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
