//! `cargo xtask test`: the tiers, which steps each has, and the closing lines.
//!
//! Not here: what a step does (`steps`), and how tests are counted (`tally`).

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::setup;
use crate::steps::{self, Session};
use crate::tally::Tally;
use crate::tier::Arguments;
use crate::tier::Tier::{self, Full, Normal, Quick};
use crate::workspace::Workspace;

type Step = (&'static str, Tier, fn(&mut Session) -> Result<Tally>);

/// Name, first tier and function of each step, in their order.
const STEPS: [Step; 23] = [
    ("Rust formatting", Quick, steps::rust_formatting),
    (
        "JavaScript formatting and lint",
        Quick,
        steps::javascript_lint,
    ),
    ("clippy", Quick, steps::clippy),
    ("data", Quick, steps::data_sets),
    ("native tests", Quick, steps::native_tests),
    ("types", Quick, steps::types),
    ("page modules in Node", Quick, steps::page_modules),
    ("clippy for wasm", Normal, steps::clippy_for_wasm),
    ("clippy for Python", Normal, steps::clippy_for_python),
    ("reports verified in Python", Normal, steps::verify_reports),
    ("build", Normal, steps::build_site),
    ("golden digests in Node", Normal, steps::golden_in_node),
    ("end-to-end", Normal, steps::end_to_end),
    ("clippy for benchmarks", Full, steps::clippy_for_benchmarks),
    ("documentation", Full, steps::documentation),
    ("packages", Full, steps::packages),
    ("reference in Python", Full, steps::reference_in_python),
    ("MATLAB files against SciPy", Full, steps::matlab_files),
    ("Python package", Full, steps::python_package),
    ("hostile input at length", Full, steps::hostile_input),
    (
        "wasm tests in a Chromium worker",
        Full,
        steps::wasm_in_chromium,
    ),
    ("wasm tests in Node", Full, steps::wasm_in_node),
    ("audit", Full, steps::audit),
];

/// Runs the chosen steps; true when nothing failed.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<bool> {
    let chosen = choose(arguments)?;
    let mut session = Session::new(workspace, arguments)?;
    if arguments.only.is_empty() {
        session.start_early();
    }
    let mut total = Tally::default();
    let mut summary = String::new();
    let begin = Instant::now();
    for (name, _, step) in &chosen {
        println!("\n=== {name}");
        let start = Instant::now();
        let tally = step(&mut session).unwrap_or_else(|error| {
            println!("{error:#}");
            let first = format!("{error:#}").lines().next().map(str::to_owned);
            Tally {
                failed: vec![first.unwrap_or_default()],
                ..Tally::default()
            }
        });
        let line = format!("{name}: {}", tally.line());
        println!("=== {line}");
        summary += &format!("  {:>8}  {line}\n", seconds(start.elapsed()));
        total.add(name, tally);
    }
    println!("\nsteps\n{summary}  {:>8}  all", seconds(begin.elapsed()));
    for (title, names) in [("skipped", &total.skipped), ("failed", &total.failed)] {
        if !names.is_empty() {
            println!("\n{title}\n  {}", names.join("\n  "));
        }
    }
    println!("\n{}\n{}", scope(arguments, &chosen), total.line());
    Ok(total.failed.is_empty())
}

fn choose(arguments: &Arguments) -> Result<Vec<Step>> {
    for part in &arguments.only {
        if !STEPS.iter().any(|(name, ..)| name.contains(part.as_str())) {
            let names = STEPS.map(|(name, ..)| name).join(", ");
            bail!("--only {part}: no such step; available: {names}");
        }
    }
    let named = |name: &str| {
        arguments
            .only
            .iter()
            .any(|part| name.contains(part.as_str()))
    };
    Ok(STEPS
        .into_iter()
        .filter(|&(name, tier, _)| match arguments.only.as_slice() {
            [] => tier <= arguments.tier(),
            _ => named(name),
        })
        .collect())
}

/// The line that names the tier and what was left out.
fn scope(arguments: &Arguments, chosen: &[Step]) -> String {
    let ran = |name: &str| chosen.iter().any(|(chosen, ..)| *chosen == name);
    let mut left_out: Vec<String> = STEPS
        .iter()
        .filter(|(name, ..)| !ran(name))
        .map(|(name, ..)| (*name).to_owned())
        .collect();
    if ran("end-to-end") {
        if !arguments.full {
            left_out.push("end-to-end cases of the full tier".into());
        }
        let engines = arguments.engines();
        let missing = setup::ENGINES
            .split(',')
            .filter(|one| !engines.contains(one));
        left_out.extend(missing.map(|engine| format!("end-to-end cases in {engine}")));
        if let Some(case) = &arguments.case {
            left_out.push(format!("end-to-end cases without `{case}` in their name"));
        }
    }
    let left_out = if left_out.is_empty() {
        "nothing".to_owned()
    } else {
        left_out.join(", ")
    };
    format!("tier: {}; not run: {left_out}", arguments.tier().name())
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(quick: bool, full: bool, only: &[&str]) -> Arguments {
        Arguments {
            quick,
            full,
            only: only.iter().map(|name| (*name).to_owned()).collect(),
            ..Arguments::default()
        }
    }

    fn closing(arguments: &Arguments) -> String {
        scope(arguments, &choose(arguments).unwrap())
    }

    #[test]
    fn the_closing_lines_name_the_tier_and_what_was_not_run() {
        let quick = closing(&arguments(true, false, &[]));
        assert!(
            quick.starts_with("tier: quick; not run: clippy for wasm, "),
            "{quick}"
        );
        let default = closing(&arguments(false, false, &[]));
        assert!(
            default.starts_with("tier: default; not run: clippy for benchmarks, "),
            "{default}"
        );
        assert!(
            default.ends_with("in firefox, end-to-end cases in webkit"),
            "{default}"
        );
        let full = closing(&arguments(false, true, &[]));
        assert_eq!(full, "tier: full; not run: nothing");
    }

    #[test]
    fn only_chooses_from_the_steps_of_every_tier() {
        let chosen = choose(&arguments(true, false, &["audit", "data"])).unwrap();
        assert_eq!(
            chosen.iter().map(|step| step.0).collect::<Vec<_>>(),
            ["data", "audit"]
        );
        let message = choose(&arguments(false, false, &["nonsense"])).unwrap_err();
        assert!(
            message.to_string().contains("available: Rust formatting, "),
            "{message}"
        );
    }
}
