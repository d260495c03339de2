//! `cargo xtask audit`: the budgets, each beside what is measured, as a table and a file.
//!
//! The sizes and Lighthouse are measured here; what needs a browser session is measured by the
//! end-to-end harness (`tests/browser/src/audit.rs`), which hands its rows back as JSON.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::server::{Options, Server};
use crate::workspace::Workspace;
use crate::{build, setup, site, test};

/// Pinned: scores of different versions do not compare.
const LIGHTHOUSE: &str = "lighthouse@12.8.2";

/// Most bytes of a data set.
const DATA_LIMIT: f64 = 600.0;

/// A budget and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What is measured.
    pub what: String,
    /// Of limit and measure.
    pub unit: String,
    /// Most that is allowed, or least where `at_least` is set.
    pub limit: f64,
    /// The limit is a lower one.
    pub at_least: bool,
    /// What was found.
    pub measured: f64,
    /// What stands behind the number, where there is more to say.
    pub note: String,
}

impl Row {
    /// A measure that may be `limit` at most.
    pub fn at_most(what: impl Into<String>, unit: &str, limit: f64, measured: f64) -> Self {
        Self {
            what: what.into(),
            unit: unit.into(),
            limit,
            at_least: false,
            measured,
            note: String::new(),
        }
    }

    /// A measure that must be `limit` at least.
    pub fn at_least(what: impl Into<String>, unit: &str, limit: f64, measured: f64) -> Self {
        Self {
            at_least: true,
            ..Self::at_most(what, unit, limit, measured)
        }
    }

    /// The same with a note.
    #[must_use]
    pub fn noted(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Does the measure keep to the limit? What could not be measured does not.
    pub fn met(&self) -> bool {
        if self.at_least {
            self.measured >= self.limit
        } else {
            self.measured <= self.limit
        }
    }
}

/// Builds, measures, prints the table and writes `target/audit.json`; true when all budgets are met.
///
/// # Errors
/// When something cannot be measured at all.
pub fn run(workspace: &Workspace) -> Result<bool> {
    let dist = build::build(workspace)?;
    setup::node_packages(workspace)?;
    let mut rows = sizes(&dist)?;
    rows.extend(in_the_browser(workspace)?);
    rows.extend(lighthouse(workspace, &dist)?);
    print!("\n{}", table(&rows));
    let path = workspace.target.join("audit.json");
    std::fs::write(&path, serde_json::to_string_pretty(&rows)? + "\n")?;
    let missed = rows.iter().filter(|row| !row.met()).count();
    println!(
        "\n{} met, {missed} missed; target/audit.json",
        rows.len() - missed
    );
    Ok(missed == 0)
}

fn sizes(dist: &Path) -> Result<Vec<Row>> {
    let files = site::read_folder(dist)?;
    let mut rows: Vec<Row> = site::budget(&files)
        .into_iter()
        .map(|share| {
            let what = format!("first load, {}", share.what);
            Row::at_most(
                what,
                "kB gzip",
                site::kilo(share.limit),
                site::kilo(share.gzip),
            )
        })
        .collect();
    for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with("data/")) {
        let name = path.split(['/', '-']).nth(1).unwrap_or(path);
        let size = site::kilo(site::gzip_size(bytes));
        rows.push(Row::at_most(
            format!("data set {name}"),
            "kB gzip",
            DATA_LIMIT,
            size,
        ));
    }
    Ok(rows)
}

fn in_the_browser(workspace: &Workspace) -> Result<Vec<Row>> {
    setup::chromium()?;
    let mut command = Command::new(test::browser_program(workspace)?);
    command.arg("audit").current_dir(&workspace.root);
    let text = crate::workspace::output(&mut command)?;
    serde_json::from_str(&text).context("the harness prints rows as JSON")
}

fn lighthouse(workspace: &Workspace, dist: &Path) -> Result<Vec<Row>> {
    let chromium = setup::chromium()?;
    let server = Server::start(dist, &Options::default())?;
    let mut rows = Vec::new();
    for (form, least) in [("mobile", 0.98), ("desktop", 1.0)] {
        println!("Lighthouse, {form}");
        let path = workspace.target.join(format!("lighthouse-{form}.json"));
        let mut command = Command::new("npx");
        command
            .args(["--yes", LIGHTHOUSE, &server.url(), "--quiet", "--output=json"])
            .arg(format!("--output-path={}", path.display()))
            .args(["--no-enable-error-reporting"])
            .args(["--only-categories=performance,accessibility,best-practices"])
            .args((form == "desktop").then_some("--preset=desktop"))
            .arg("--chrome-flags=--headless --no-sandbox --disable-gpu --disable-quic --no-first-run")
            .env("CHROME_PATH", &chromium.browser)
            .current_dir(&workspace.root)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        crate::workspace::run(&mut command)?;
        let report: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        let values = |name: &str| {
            report["audits"][name]["displayValue"]
                .as_str()
                .unwrap_or("?")
        };
        let note = format!(
            "first paint {}, largest {}, blocked {}, shift {}",
            values("first-contentful-paint"),
            values("largest-contentful-paint"),
            values("total-blocking-time"),
            values("cumulative-layout-shift"),
        );
        let categories = [
            ("performance", least),
            ("accessibility", 1.0),
            ("best-practices", 1.0),
        ];
        for (category, least) in categories {
            let score = report["categories"][category]["score"].as_f64();
            let Some(score) = score else {
                bail!(
                    "Lighthouse gave no score for {category}: {}",
                    path.display()
                );
            };
            let what = format!("Lighthouse {form}, {category}");
            let row = Row::at_least(what, "points", 100.0 * least, (100.0 * score).round());
            rows.push(if category == "performance" {
                row.noted(&note)
            } else {
                row
            });
        }
    }
    Ok(rows)
}

fn table(rows: &[Row]) -> String {
    let width = rows
        .iter()
        .map(|row| row.what.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(
            text,
            "{:<6}  {:<width$}  {:>8.1} {} ({} {})  {}",
            if row.met() { "met" } else { "MISSED" },
            row.what,
            row.measured,
            row.unit,
            if row.at_least { "at least" } else { "at most" },
            row.limit,
            row.note,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_met_at_its_limit_and_missed_where_nothing_was_measured() {
        assert!(Row::at_most("a", "ms", 100.0, 100.0).met());
        assert!(!Row::at_most("a", "ms", 100.0, 100.1).met());
        assert!(!Row::at_most("a", "ms", 100.0, f64::NAN).met());
        assert!(Row::at_least("a", "points", 98.0, 98.0).met());
        assert!(!Row::at_least("a", "points", 98.0, 97.0).met());
    }

    #[test]
    fn the_table_says_what_is_missed() {
        let rows = [
            Row::at_most("cancel", "ms", 100.0, 3.0),
            Row::at_most("data set mnist", "kB gzip", 600.0, 1268.1).noted("large"),
        ];
        let text = table(&rows);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("met ") && lines[0].contains("3.0 ms (at most 100)"));
        assert!(lines[1].starts_with("MISSED") && lines[1].ends_with("large"));
    }
}
