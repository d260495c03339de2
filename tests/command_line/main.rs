//! The contract of the command line, by running the built program: each test
//! in a folder of its own, without the data of this machine.

#![allow(clippy::format_push_string, reason = "short texts, made once")]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

mod bad_input;
mod defend;
mod output;
mod risk;
mod run;
mod solve;
mod sweep;
mod tune;
mod users_file;

/// A small spec, so that a run takes a moment.
const SMALL: &str = r#"{"train_per_task":12,"test_per_task":20,"iterations":2,"budget":0.25}"#;
/// The same as a link.
const SMALL_LINK: &str = "v=1&d=synthetic&n=12&nt=20&i=2&b=0.25";

struct Place(PathBuf);

struct Done {
    code: i32,
    out: String,
    err: String,
}

impl Done {
    /// Standard error without the warnings of a result.
    fn complaints(&self) -> String {
        let is_warning = |line: &&str| line.starts_with("warning: ") || line.starts_with("note: ");
        let others = self
            .err
            .split_inclusive('\n')
            .filter(|line| !is_warning(line));
        others.collect()
    }
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

    /// Runs to exit code 0, with nothing but the warnings of the result on standard error.
    fn quiet(&self, arguments: &[&str], input: &str) -> String {
        let done = self.patom(arguments, input);
        assert_eq!(
            (done.code, done.complaints().as_str()),
            (0, ""),
            "{arguments:?}"
        );
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
