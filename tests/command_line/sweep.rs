//! `patom sweep`: what a folder of results holds, and that nothing is lost or run twice.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Place;

/// So many small runs.
fn grid(seeds: usize) -> String {
    format!(
        r#"{{"spec": {{"train_per_task": 12, "test_per_task": 20, "iterations": 2}},
            "grid": {{"attack": ["direct", "indirect"], "budget": [0.25, 0.5], "seed": "1..{seeds}"}}}}"#
    )
}

impl Place {
    /// All whole rows of all parts.
    fn rows(&self, folder: &str) -> Vec<Value> {
        let parts = format!("{folder}/parts");
        if !self.0.join(&parts).exists() {
            return Vec::new();
        }
        let mut rows = Vec::new();
        for name in self.names(&parts) {
            let text = self.read(&format!("{parts}/{name}"));
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            rows.extend(
                whole
                    .lines()
                    .map(|line| serde_json::from_str::<Value>(line).unwrap()),
            );
        }
        rows
    }

    /// results.csv without the column of the seconds.
    fn table(&self, folder: &str) -> Vec<Vec<String>> {
        let text = self.read(&format!("{folder}/results.csv"));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        let rows = std::iter::once(header.clone()).chain(reader.records().map(Result::unwrap));
        let timeless = |row: csv::StringRecord| {
            let cells = header.iter().zip(row.iter());
            let cells = cells.filter(|(name, _)| *name != "seconds");
            cells.map(|(_, cell)| cell.to_string()).collect()
        };
        rows.map(timeless).collect()
    }

    fn begin(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_patom"))
            .args(arguments)
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

/// The cells of a column.
fn column<'a>(table: &'a [Vec<String>], name: &str) -> Vec<&'a str> {
    let at = table[0].iter().position(|column| column == name).unwrap();
    table[1..].iter().map(|row| row[at].as_str()).collect()
}

#[test]
fn a_row_is_the_run_of_its_link() {
    let place = Place::new("sweep");
    let out = place.quiet(&["sweep", "-", "--out", "all", "--threads", "2"], &grid(3));
    assert!(
        out.contains("0 runs from earlier calls, 12 run in "),
        "{out}"
    );
    assert!(out.contains("all/results.csv, 12 of 12 runs"), "{out}");
    assert_eq!(place.names("all"), ["parts", "plan.jsonl", "results.csv"]);
    assert_eq!(place.read("all/plan.jsonl").lines().count(), 12);
    let table = place.table("all");
    assert_eq!(table.len(), 1 + 12);
    assert_eq!(column(&table, "seed")[..4], ["1", "2", "3", "1"]);
    assert_eq!(
        column(&table, "budget")[..4],
        ["0.25", "0.25", "0.25", "0.5"]
    );
    for row in [0, 5, 11] {
        let link = column(&table, "link")[row];
        let report: Value =
            serde_json::from_str(&place.patom(&["run", link, "--json"], "").out).unwrap();
        assert_eq!(report["digest"], column(&table, "digest")[row]);
        let metric: f64 = column(&table, "attacked_metric")[row].parse().unwrap();
        assert_eq!(report["trace"][2]["metric"].as_f64(), Some(metric));
        let text = place.quiet(&["run", link], "");
        assert!(text.contains("Reproduced bit for bit"), "{text}");
    }
}

#[test]
fn what_is_there_is_not_run_again() {
    let place = Place::new("sweep_again");
    place.quiet(&["sweep", "-", "--out", "all"], &grid(2));
    let first = place.table("all");
    let parts = place.names("all/parts");
    let out = place.quiet(&["sweep", "-", "--out", "all"], &grid(2));
    assert!(
        out.contains("8 runs from earlier calls, 0 run in "),
        "{out}"
    );
    assert_eq!(place.table("all"), first);
    assert_eq!(place.names("all/parts"), parts, "nothing was written");
    // A larger grid into the same folder.
    let plan = place.quiet(&["sweep", "-", "--out", "all", "--plan"], &grid(3));
    assert_eq!(
        plan.trim(),
        "12 runs, 12 in this shard: 8 from earlier calls, 4 to do"
    );
    assert_eq!(place.table("all"), first, "a plan writes nothing");
    let out = place.quiet(&["sweep", "-", "--out", "all"], &grid(3));
    assert!(
        out.contains("8 runs from earlier calls, 4 run in "),
        "{out}"
    );
    assert_eq!(place.table("all").len(), 1 + 12);
    // Written twice in one grid, run once.
    let twice = format!("[{0},{0}]", grid(2));
    let out = place.quiet(&["sweep", "-", "--out", "all"], &twice);
    assert!(out.contains("results.csv, 8 of 8 runs"), "{out}");
    let plan = place.quiet(&["sweep", "-", "--out", "new", "--plan"], &grid(3));
    assert_eq!(
        plan.trim(),
        "12 runs, 12 in this shard: 0 from earlier calls, 12 to do"
    );
    assert!(!place.0.join("new").exists());
}

#[test]
fn shards_that_run_at_the_same_time_together_are_the_whole() {
    let place = Place::new("sweep_shards");
    place.write("grid.json", grid(5));
    place.quiet(&["sweep", "grid.json", "--out", "whole"], "");
    let shards = ["1/3", "2/3", "3/3"].map(|shard| {
        place.begin(&[
            "sweep",
            "grid.json",
            "--out",
            "parts",
            "--shard",
            shard,
            "--threads",
            "1",
        ])
    });
    for mut shard in shards {
        assert!(shard.wait().unwrap().success());
    }
    assert_eq!(place.rows("parts").len(), 20, "no run twice");
    assert_eq!(place.names("parts/parts").len(), 3);
    assert_eq!(place.table("parts"), place.table("whole"));
    assert_eq!(
        place.read("parts/plan.jsonl"),
        place.read("whole/plan.jsonl")
    );
    assert_eq!(place.names("parts"), ["parts", "plan.jsonl", "results.csv"]);
}

#[cfg(unix)]
#[test]
fn a_sweep_that_is_killed_three_times_loses_nothing() {
    let place = Place::new("sweep_killed");
    place.write("grid.json", grid(40));
    let arguments = ["sweep", "grid.json", "--out", "killed", "--threads", "2"];
    let (mut kept, mut counts) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let mut child = place.begin(&arguments);
        let start = Instant::now();
        let wanted = kept.len() + 15;
        while place.rows("killed").len() < wanted {
            assert!(start.elapsed() < Duration::from_mins(2), "{counts:?}");
            assert!(child.try_wait().unwrap().is_none(), "over too early");
            std::thread::sleep(Duration::from_millis(2));
        }
        // Signal 9.
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        let rows = place.rows("killed");
        for row in &kept {
            assert!(rows.contains(row), "a finished run is lost");
        }
        counts.push(rows.len());
        kept = rows;
    }
    assert!(kept.len() < 160, "{counts:?}");
    let out = place.quiet(&arguments, "");
    let reused = format!(
        "{} runs from earlier calls, {} run",
        kept.len(),
        160 - kept.len()
    );
    assert!(out.contains(&reused), "{reused}: {out}");
    assert_eq!(place.rows("killed").len(), 160, "no run twice");
    place.quiet(&["sweep", "grid.json", "--out", "whole"], "");
    assert_eq!(place.table("killed"), place.table("whole"));
}

#[test]
fn a_cut_last_line_is_run_again() {
    let place = Place::new("sweep_cut");
    place.quiet(&["sweep", "-", "--out", "all", "--threads", "1"], &grid(2));
    let first = place.table("all");
    let part = format!("all/parts/{}", place.names("all/parts")[0]);
    let text = place.read(&part);
    place.write(&part, &text[..text.len() - 200]);
    let out = place.quiet(&["sweep", "-", "--out", "all"], &grid(2));
    assert!(
        out.contains("7 runs from earlier calls, 1 run in "),
        "{out}"
    );
    assert_eq!(place.table("all"), first);
    assert_eq!(
        place.read(&part),
        text[..text.len() - 200],
        "nothing is added to the part of another"
    );
    // A line that is damaged in the middle of a file was not cut by the end of its writer.
    place.write(&part, text.replacen("\"digest\"", "\"digest", 1));
    let done = place.patom(&["sweep", "-", "--out", "all"], &grid(2));
    assert_eq!(done.code, 1);
    assert!(done.err.contains(".jsonl, line 1: "), "{}", done.err);
}

#[test]
fn two_digests_of_one_run_stop_the_sweep() {
    let place = Place::new("sweep_digests");
    place.quiet(&["sweep", "-", "--out", "all"], &grid(1));
    let row = &place.rows("all")[2];
    let (key, digest) = (
        row["key"].as_str().unwrap(),
        row["digest"].as_str().unwrap(),
    );
    let other = row.to_string().replace(digest, "0123456789abcdef");
    place.write("all/parts/zzz.jsonl", other + "\n");
    let done = place.patom(&["sweep", "-", "--out", "all"], &grid(3));
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    for part in [key, digest, "0123456789abcdef", "zzz.jsonl, line 1"] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
    assert_eq!(place.rows("all").len(), 5, "nothing was run");
}

#[test]
fn a_bad_grid_ends_with_2_before_anything_runs() {
    let place = Place::new("sweep_bad");
    for (grid, message) in [
        (
            r#"{"grid": {"budget": [0.1, 9]}}"#,
            "run 2 of the grid: budget: 9",
        ),
        (
            r#"{"grid": {"attack": ["direct", "Direct"]}}"#,
            "run 2 of the grid: attack: ",
        ),
        (
            r#"{"grid": {"attakc": ["direct"]}}"#,
            "attakc: unknown field",
        ),
        (r#"{"grid": {"seed": "1-9"}}"#, "seed: \"1-9\" is invalid"),
        (
            r#"{"spec": {"dataset": "mine.csv"}}"#,
            "run 1 of the grid: dataset: mine.csv: ",
        ),
        ("{\"grid\":\n", "line 2: EOF"),
        ("", "line 1: EOF"),
        (r#"{"spec": {"lambda1": NaN}}"#, "line 1: "),
    ] {
        let done = place.patom(&["sweep", "-", "--out", "all"], grid);
        assert_eq!(
            (done.code, done.out.as_str()),
            (2, ""),
            "{grid}: {}",
            done.err
        );
        assert!(done.err.contains(message), "{message}: {}", done.err);
    }
    for shard in ["0/3", "4/3", "3", "a/b", "1/0"] {
        let done = place.patom(&["sweep", "-", "--out", "all", "--shard", shard], &grid(1));
        assert_eq!(done.code, 2, "{shard}");
        assert!(done.err.contains("such as 3/16"), "{}", done.err);
    }
    assert!(!place.0.join("all").exists());
}

#[test]
fn a_run_that_fails_is_a_row_with_its_error_and_the_others_go_on() {
    let place = Place::new("sweep_failed");
    // More training points than the data set has, which only the sample finds out.
    place.write("mine.csv", crate::csv());
    let grid = r#"{"spec": {"dataset": "mine.csv", "iterations": 1, "targets": [0]},
        "grid": {"train_per_task": [4, 5000, 5]}}"#;
    let done = place.patom(&["sweep", "-", "--out", "all"], grid);
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(done.err.contains("1 of 3 runs failed"), "{}", done.err);
    let table = place.table("all");
    assert_eq!(table.len(), 1 + 3);
    let errors = column(&table, "error");
    assert_eq!((errors[0], errors[2]), ("", ""));
    assert!(!errors[1].is_empty());
    let digests = column(&table, "digest");
    assert_eq!(digests[1], "");
    assert_eq!((digests[0].len(), digests[2].len()), (16, 16));
    assert_eq!(column(&table, "train_per_task"), ["4", "5000", "5"]);
    assert_eq!(column(&table, "dataset"), ["mine.csv"; 3]);
    // It would fail again: it is not repeated, and the exit code is the same.
    let again = place.patom(&["sweep", "-", "--out", "all"], grid);
    assert_eq!(again.code, 1);
    assert!(
        again.out.contains("3 runs from earlier calls, 0 run"),
        "{}",
        again.out
    );
}

#[test]
fn a_folder_that_cannot_be_written_ends_with_1_before_anything_runs() {
    let place = Place::new("sweep_no_place");
    place.write("file", "");
    let done = place.patom(&["sweep", "-", "--out", "file/all"], &grid(1));
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert!(done.err.contains("file/all"), "{}", done.err);
    fs::create_dir_all(place.0.join("all/plan.jsonl")).unwrap();
    let done = place.patom(&["sweep", "-", "--out", "all"], &grid(1));
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert!(place.rows("all").is_empty());
}

#[cfg(unix)]
#[test]
fn the_jobs_of_the_array_script_together_run_the_grid() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/slurm-array.sh");
    let parsed = Command::new("bash").args(["-n", script]).status().unwrap();
    assert!(parsed.success());
    let place = Place::new("sweep_slurm");
    place.write("grid.json", grid(2));
    for job in ["1", "2", "3"] {
        let status = Command::new("bash")
            .args([script, "grid.json", "results"])
            .current_dir(&place.0)
            .env("PATOM", env!("CARGO_BIN_EXE_patom"))
            .env("SLURM_ARRAY_TASK_ID", job)
            .env("SLURM_ARRAY_TASK_COUNT", "3")
            .env("SLURM_CPUS_PER_TASK", "2")
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "job {job}");
    }
    assert_eq!(place.rows("results").len(), 8);
    assert_eq!(place.names("results/parts").len(), 3);
    assert_eq!(place.table("results").len(), 1 + 8);
}
