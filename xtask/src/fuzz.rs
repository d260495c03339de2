//! `cargo xtask fuzz`: hostile input for the readers, and the same for `cargo xtask test`.
//!
//! The targets and the inputs are those of the package `fuzz`; here: which program runs them, for
//! how long, and what it found. A fixed number of inputs runs on any toolchain; a long run is
//! libFuzzer's where a nightly toolchain and cargo-fuzz are installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::test::program;
use crate::trust;
use crate::workspace::{Workspace, output, typed};

/// Inputs for each target in `cargo xtask test`.
pub const EXECUTIONS: u64 = 20_000;
/// The functions of `fuzz::targets`.
pub(crate) const TARGETS: [&str; 6] = ["matlab", "csv", "idx", "link", "spec", "bundle"];

/// What `cargo xtask fuzz` understands.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// How long, all targets together
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// Only this target: matlab, csv, idx, link, spec or bundle
    #[arg(long, value_name = "NAME", value_parser = TARGETS)]
    pub target: Option<String>,
    /// Another seed makes other inputs
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Keep what came of it in fuzz/records/, for docs/trust.md
    #[arg(long)]
    pub record: bool,
}

/// Where the records of long runs are kept, with the sources: no machine has all of them.
pub(crate) fn records(workspace: &Workspace) -> PathBuf {
    workspace.root.join("fuzz/records")
}

/// A run of some seconds; what came of each target goes to `target/fuzz/NAME.json` (or to the
/// records) when its time is over. True where nothing was found.
///
/// # Errors
/// When nothing can be run.
pub fn fuzz(workspace: &Workspace, arguments: &Arguments) -> Result<bool> {
    let chosen: Vec<&str> = (TARGETS.into_iter())
        .filter(|name| arguments.target.as_ref().is_none_or(|t| t == name))
        .collect();
    let each = (arguments.seconds / chosen.len() as u64).max(1);
    let libfuzzer_is_here = libfuzzer_is_here(workspace);
    if !libfuzzer_is_here {
        println!("libFuzzer needs a nightly toolchain and cargo-fuzz; the runner does without");
    }
    let folder = if arguments.record {
        records(workspace)
    } else {
        workspace.target.join("fuzz")
    };
    std::fs::create_dir_all(&folder)?;
    let mut found = 0;
    for name in chosen {
        let path = folder.join(format!("{name}.json"));
        let result = if libfuzzer_is_here {
            let result = libfuzzer(workspace, name, each, arguments.seed)?;
            std::fs::write(&path, format!("{result:#}\n"))?;
            result
        } else {
            let words = [
                format!("--target={name}"),
                format!("--seconds={each}"),
                format!("--seed={}", arguments.seed),
            ];
            runner(workspace, &words, &path)?
        };
        found += findings(&result);
    }
    println!("\nwritten: {}", folder.display());
    Ok(found == 0)
}

/// The same inputs every time; what the runner says of each target.
///
/// # Errors
/// When the runner cannot be built or run.
pub fn fixed(workspace: &Workspace) -> Result<Value> {
    let words = [format!("--executions={EXECUTIONS}")];
    let path = trust::folder(workspace).join("hostile_input.json");
    std::fs::create_dir_all(trust::folder(workspace))?;
    runner(workspace, &words, &path)
}

/// How many findings a result has.
pub fn findings(result: &Value) -> usize {
    let of = |target: &Value| target["findings"].as_array().map_or(0, Vec::len);
    result["targets"]
        .as_array()
        .into_iter()
        .flatten()
        .map(of)
        .sum()
}

fn findings_path(workspace: &Workspace) -> PathBuf {
    workspace.target.join("fuzz-findings")
}

fn runner(workspace: &Workspace, words: &[String], path: &Path) -> Result<Value> {
    let mut command = Command::new(program(workspace, "fuzz", "fuzz")?);
    // Never the result of an earlier run.
    let _ = std::fs::remove_file(path);
    command
        .args(words)
        .arg("--corpus")
        .arg(workspace.root.join("fuzz/corpus"))
        .arg("--findings")
        .arg(findings_path(workspace))
        .arg("--out")
        .arg(path)
        .stdin(Stdio::null());
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", typed(&command)))?;
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("`{}` ended with {status}", typed(&command)))?;
    let result: Value = serde_json::from_str(&text)?;
    if !status.success() && findings(&result) == 0 {
        bail!("`{}` ended with {status}", typed(&command));
    }
    Ok(result)
}

fn libfuzzer_is_here(workspace: &Workspace) -> bool {
    output(nightly(workspace).args(["fuzz", "--version"])).is_ok()
}

/// `cargo +nightly`: only rustup's own cargo understands that, not the one that it started.
fn nightly(workspace: &Workspace) -> Command {
    let mut command = Command::new("cargo");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") || ["CARGO", "RUSTUP_TOOLCHAIN"].contains(&text.as_ref()) {
            command.env_remove(&name);
        }
    }
    command
        .arg("+nightly")
        .current_dir(&workspace.root)
        .stdin(Stdio::null());
    command
}

fn libfuzzer(workspace: &Workspace, name: &str, seconds: u64, seed: u64) -> Result<Value> {
    // No address sanitizer: there is no unsafe code to watch. The profile of tests has overflow
    // checks, and is built in a fraction of the time.
    let how = ["--dev", "--sanitizer=none", "--features=libfuzzer"];
    let learned = workspace.target.join("fuzz-corpus").join(name);
    let artifacts = findings_path(workspace).join(name);
    std::fs::create_dir_all(&learned)?;
    std::fs::create_dir_all(&artifacts)?;
    let seeds = workspace.root.join("fuzz/corpus").join(name);
    let mut command = nightly(workspace);
    command
        .args(["fuzz", "run"])
        .args(how)
        .args([name])
        .args([&learned, &seeds])
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-seed={seed}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-max_len=32768", "-timeout=5", "-rss_limit_mb=1024"])
        .arg("-print_final_stats=1");
    let done = command
        .output()
        .with_context(|| format!("cannot start `{}`", typed(&command)))?;
    let log = String::from_utf8_lossy(&done.stderr);
    let executions = stat(&log, "number_of_executed_units")
        .with_context(|| format!("`{}` printed no statistics:\n{log}", typed(&command)))?;
    let mut found = Vec::new();
    if !done.status.success() {
        let artifacts = artifacts
            .strip_prefix(&workspace.root)
            .unwrap_or(&artifacts);
        for line in log.lines() {
            let what = ["panicked at", "ERROR: libFuzzer"];
            if what.iter().any(|words| line.contains(words)) {
                println!("{name}: {line}");
                found.push(json!({"what": line, "input": artifacts}));
            }
        }
        if found.is_empty() {
            found.push(json!({"what": "ended with an error", "input": artifacts}));
        }
    }
    println!(
        "{name}: {executions} executions, {} findings ({seconds} s)",
        found.len()
    );
    let target = json!({
        "target": name,
        "executions": executions,
        "seconds": seconds,
        "peak_mebibytes": stat(&log, "peak_rss_mb"),
        "findings": found,
    });
    Ok(json!({"engine": "libFuzzer", "seed": seed, "targets": [target]}))
}

/// A number that libFuzzer prints at its end, as `stat::NAME: 123`.
fn stat(log: &str, name: &str) -> Option<u64> {
    let start = format!("stat::{name}:");
    let value = log.lines().find_map(|line| line.strip_prefix(&start))?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_libfuzzer_are_read() {
        let log = "#3 DONE\nstat::number_of_executed_units: 123\nstat::peak_rss_mb:   45\n";
        assert_eq!(stat(log, "number_of_executed_units"), Some(123));
        assert_eq!(stat(log, "peak_rss_mb"), Some(45));
        assert_eq!(stat(log, "average_exec_per_sec"), None);
    }

    #[test]
    fn findings_are_counted_over_all_targets() {
        let result =
            json!({"targets": [{"findings": [1, 2]}, {"findings": []}, {"findings": [3]}]});
        assert_eq!(findings(&result), 3);
    }
}
