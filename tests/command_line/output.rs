//! Output that cannot be written: exit code 1, and nothing half-written is left.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Place, SMALL_LINK};

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
