//! Counting: what `cargo test`, node:test, unittest and the verifier of reports print.
//!
//! Not here: which tests run (`test`).

use std::collections::BTreeSet;

use anyhow::Result;

/// What a step, or a whole run, came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Checks and tests that passed.
    pub passed: usize,
    /// The names of those that failed.
    pub failed: Vec<String>,
    /// The names of those that could not run, with the reason where one was given.
    pub skipped: Vec<String>,
}

impl Tally {
    /// Adds one check.
    pub fn note(&mut self, name: &str, outcome: Result<()>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(error) => {
                println!("{name}: {error:#}");
                self.failed.push(name.to_owned());
            }
        }
    }

    /// Adds the results of a step; its name precedes theirs.
    pub fn add(&mut self, step: &str, other: Self) {
        let named = |name: String| format!("{step}: {name}");
        self.passed += other.passed;
        self.failed.extend(other.failed.into_iter().map(named));
        self.skipped.extend(other.skipped.into_iter().map(named));
    }

    /// The closing line.
    pub fn line(&self) -> String {
        let mut line = format!("{} passed, {} failed", self.passed, self.failed.len());
        if !self.skipped.is_empty() {
            line += &format!(", {} skipped", self.skipped.len());
        }
        line
    }
}

/// Reads the output of `cargo test -- --show-output` line by line.
#[derive(Debug, Default)]
pub struct CargoTests {
    passed: Vec<String>,
    failed: Vec<String>,
    ignored: Vec<String>,
    /// What tests print of themselves: `SKIPPED name: reason`, or `SKIPPED name with data: reason`.
    skips: Vec<String>,
    /// Inside the list of the names of passed tests, which is not shown.
    in_successes: bool,
}

impl CargoTests {
    /// Counts a line. Returns whether to show it.
    pub fn read(&mut self, line: &str) -> bool {
        if line == "successes:" {
            self.in_successes = true;
            return false;
        }
        if self.in_successes {
            if line.starts_with("    ") {
                return false;
            }
            self.in_successes = line.is_empty();
        }
        if let Some(skip) = line.strip_prefix("SKIPPED ") {
            self.skips.push(skip.to_owned());
        } else if let Some(rest) = line.strip_prefix("test ")
            && let Some((name, outcome)) = rest.split_once(" ... ")
        {
            // wasm-bindgen-test says FAIL, cargo test FAILED.
            let list = match outcome {
                _ if outcome.starts_with("FAIL") => &mut self.failed,
                _ if outcome.starts_with("ignored") => &mut self.ignored,
                _ => &mut self.passed,
            };
            list.push(name.trim().to_owned());
        }
        true
    }

    /// The counts. A test that skips itself although its data set is `there` fails.
    pub fn finish(mut self, there: &[String]) -> Tally {
        // `cargo test` counts a test that skips itself, or a part of itself, as passed.
        let skips = &self.skips;
        self.passed.retain(|name| {
            let name = name.rsplit("::").next().unwrap_or(name);
            let mut rests = skips.iter().filter_map(|skip| skip.strip_prefix(name));
            !rests.any(|rest| rest.starts_with(": ") || rest.starts_with(" with "))
        });
        let (wrong, skipped): (Vec<_>, Vec<_>) = self.skips.into_iter().partition(|skip| {
            let skip = skip.to_lowercase();
            there.iter().any(|name| skip.contains(name.as_str()))
        });
        let wrong = wrong
            .into_iter()
            .map(|skip| format!("{skip} [skipped although the data are there]"));
        Tally {
            passed: self.passed.len(),
            failed: self.failed.into_iter().chain(wrong).collect(),
            skipped: self.ignored.into_iter().chain(skipped).collect(),
        }
    }
}

/// Between the name of a suite and that of its test.
pub const INSIDE: &str = " > ";

/// Between the name of a failed test and the first line of its error.
pub const EXPLAINED: &str = "\n    ";

/// Counts what node:test writes as TAP: tests, not the suites and files that contain them.
pub fn node_tests(tap: &str) -> Tally {
    let mut tally = Tally::default();
    // The suites and the test that are open, each with whether it contains others.
    let mut open: Vec<(String, bool)> = Vec::new();
    // Is the failed test before this line without its error?
    let mut unexplained = false;
    let mut lines = tap.lines();
    while let Some(line) = lines.next() {
        let text = line.trim_start();
        if let (true, Some(error)) = (unexplained, text.strip_prefix("error: "))
            && let Some(name) = tally.failed.last_mut()
        {
            // A text of several lines begins on the next one.
            let error = match error {
                "|-" => lines.next().unwrap_or_default().trim(),
                error => error.trim_matches('\''),
            };
            *name += EXPLAINED;
            *name += error;
            unexplained = false;
            continue;
        }
        let depth = (line.len() - text.len()) / 4;
        if let Some(name) = text.strip_prefix("# Subtest: ") {
            open.truncate(depth);
            if let Some((_, contains)) = open.last_mut() {
                *contains = true;
            }
            open.push((name.replace("\\#", "#"), false));
            continue;
        }
        let (passed, rest) = match (text.strip_prefix("ok "), text.strip_prefix("not ok ")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => continue,
        };
        open.truncate(depth + 1);
        unexplained = false;
        let Some((title, false)) = open.last() else {
            continue;
        };
        let names: Vec<&str> = open.iter().map(|(name, _)| name.as_str()).collect();
        let name = names.join(INSIDE);
        // A `#` in a title is written as `\#`.
        if let Some((_, reason)) = rest.split_once(" # SKIP") {
            tally.skipped.push(format!("{name} ({})", reason.trim()));
        } else if !passed {
            tally.failed.push(name);
            unexplained = true;
        } else if !title.contains(".test.") {
            // Else a file without tests, which passes.
            tally.passed += 1;
        }
    }
    tally
}

/// Counts what `python3 -m unittest -v` prints.
pub fn unittest(text: &str) -> Tally {
    let mut failed = BTreeSet::new();
    let mut skipped = Vec::new();
    let mut ran = 0_usize;
    for line in text.lines() {
        let failure = line
            .strip_prefix("FAIL: ")
            .or_else(|| line.strip_prefix("ERROR: "));
        if let Some(name) = failure {
            // Each failed subtest has a line: the test counts once.
            failed.insert(name.split_inclusive(')').next().unwrap_or(name).to_owned());
        } else if let Some((name, reason)) = line.split_once(" ... skipped ") {
            skipped.push(format!("{name} ({reason})"));
        } else if let Some(rest) = line.strip_prefix("Ran ") {
            let number = rest.split(' ').next().and_then(|word| word.parse().ok());
            ran = number.unwrap_or(0);
        }
    }
    Tally {
        passed: ran.saturating_sub(failed.len() + skipped.len()),
        failed: failed.into_iter().collect(),
        skipped,
    }
}

/// Counts what tests/oracle/verify_report.py prints: a line a report.
pub fn verified(text: &str) -> Tally {
    let mut tally = Tally::default();
    for line in text.lines() {
        match line.split_once(": ") {
            Some((_, verdict)) if verdict.starts_with("verified, ") => tally.passed += 1,
            Some((_, verdict)) if verdict.contains(" discrepancies, ") => {
                tally.failed.push(line.to_owned());
            }
            _ => {}
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    const NATIVE: &str = "\
running 4 tests
test a ... ok
test b ... FAILED
test c ... ignored, slow
test x::d ... ok

successes:

---- d stdout ----
SKIPPED d: no landmine data

successes:
    a
    x::d

failures:
    b

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    fn cargo_tests(text: &str, there: &[&str]) -> (Tally, Vec<String>) {
        let mut tests = CargoTests::default();
        let shown = text.lines().filter(|line| tests.read(line));
        let shown = shown.map(str::to_owned).collect();
        let there: Vec<String> = there.iter().map(|name| (*name).to_owned()).collect();
        (tests.finish(&there), shown)
    }

    #[test]
    fn a_test_that_skips_itself_is_not_counted_as_passed() {
        let (tally, shown) = cargo_tests(NATIVE, &[]);
        assert_eq!(tally.line(), "1 passed, 1 failed, 2 skipped");
        assert_eq!(tally.failed, ["b"]);
        assert_eq!(tally.skipped, ["c", "d: no landmine data"]);
        assert!(!shown.iter().any(|line| line == "    a"), "{shown:?}");
        assert!(shown.iter().any(|line| line == "    b"), "{shown:?}");
    }

    #[test]
    fn a_test_that_skips_itself_although_its_data_are_there_fails() {
        let (tally, _) = cargo_tests(NATIVE, &["landmine"]);
        assert_eq!(tally.line(), "1 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn of_node_tests_the_leaves_count() {
        let tap = "\
TAP version 13
# Subtest: webkit
    # Subtest: works
    ok 1 - works
      ---
      duration_ms: 0.4
      ...
    # Subtest: breaks \\# odd
    not ok 2 - breaks \\# odd
      ---
      error: '1 == 2'
      ...
    # Subtest: breaks at length
    not ok 3 - breaks at length
      ---
      error: |-
        waited 15 s
        for nothing
      ...
    # Subtest: skipped
    ok 4 - skipped # SKIP no sound
    1..4
not ok 1 - webkit
  ---
  type: 'suite'
  ...
# Subtest: alone
ok 2 - alone
# Subtest: /a/empty.test.js
ok 3 - /a/empty.test.js
# Subtest: /a/crashes.test.js
not ok 4 - /a/crashes.test.js
1..4
# tests 6
";
        let tally = node_tests(tap);
        assert_eq!(tally.line(), "2 passed, 3 failed, 1 skipped");
        assert_eq!(
            tally.failed,
            [
                "webkit > breaks # odd\n    1 == 2",
                "webkit > breaks at length\n    waited 15 s",
                "/a/crashes.test.js",
            ]
        );
        assert_eq!(tally.skipped, ["webkit > skipped (no sound)"]);
    }

    #[test]
    fn a_python_test_counts_once_however_many_of_its_subtests_fail() {
        let text = "\
test_a (test_x.A.test_a)
What a does. ... ok
test_b (test_x.A.test_b) ... FAIL
test_c (test_x.A.test_c) ... skipped 'no data'
test_d (test_x.A.test_d) ... ERROR

======================================================================
FAIL: test_b (test_x.A.test_b) (k=1)
FAIL: test_b (test_x.A.test_b) (k=2)
ERROR: test_d (test_x.A.test_d)
Ran 4 tests in 0.1s

FAILED (failures=2, errors=1, skipped=1)
";
        let tally = unittest(text);
        assert_eq!(tally.line(), "1 passed, 2 failed, 1 skipped");
        assert_eq!(tally.failed[0], "test_b (test_x.A.test_b)");
    }

    #[test]
    fn without_skips_the_closing_line_has_two_numbers() {
        let tally = verified("a: verified, 12 values\nb: 2 discrepancies, first: x\n");
        assert_eq!(tally.line(), "1 passed, 1 failed");
    }
}
