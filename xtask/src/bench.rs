//! `cargo xtask bench`: the same work natively, in wasm and by the peers, in one run, as a table.
//!
//! The work is `patom::workload`; criterion (`cargo bench`) times it more finely but natively only.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::settings::Settings;
use crate::workspace::{Workspace, cargo, run};

/// Key, words, and the goals of native and wasm in seconds.
type Goal = (&'static str, &'static str, Option<(f64, f64)>);

const GOALS: [Goal; 10] = [
    (
        "solve/sarcos",
        "certified solve, Sarcos, cold",
        Some((0.5e-3, 0.75e-3)),
    ),
    (
        "solve/landmine",
        "certified solve, Landmine, cold",
        Some((2e-3, 3e-3)),
    ),
    (
        "solve/mnist",
        "certified solve, MNIST, cold",
        Some((10e-3, 15e-3)),
    ),
    (
        "hypergradient/sarcos",
        "total hypergradient, Sarcos",
        Some((0.2e-3, 0.3e-3)),
    ),
    (
        "hypergradient/landmine",
        "total hypergradient, Landmine",
        None,
    ),
    (
        "hypergradient/mnist",
        "total hypergradient, MNIST",
        Some((5e-3, 8e-3)),
    ),
    (
        "run/sarcos",
        "Figure 1 run, Sarcos direct, 15 iterations",
        Some((15e-3, 25e-3)),
    ),
    ("run/landmine", "the same, Landmine", None),
    ("run/mnist", "the same, MNIST", None),
    (
        "figure2",
        "Figure 2 whole, one seed, 2 workers",
        Some((5.0, 8.0)),
    ),
];

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub struct Arguments {
    /// Seconds for each kind of work
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Leave out the Python peers
    #[arg(long)]
    no_peers: bool,
}

type Times = BTreeMap<String, f64>;

/// Times everything and writes docs/performance.md.
///
/// # Errors
/// When something cannot be built or run.
pub fn bench(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let settings = Settings::read(&workspace.root)?;
    let data = workspace.cache().join("data");
    crate::data::prepare(&workspace.root, &data)?;
    let pkg = workspace.target.join("bench-pkg");
    crate::wasm::build_for_bench(workspace, &settings, &pkg)?;
    let mut build = cargo();
    build.args([
        "build",
        "--release",
        "--features",
        "bench",
        "--bins",
        "--example",
        "timing",
    ]);
    run(build.current_dir(&workspace.root))?;

    println!("bench: native");
    let release = workspace.target.join("release");
    let mut native = json(
        Command::new(release.join("examples").join("timing"))
            .arg(&data)
            .arg(arguments.seconds.to_string()),
    )?;
    let figures = workspace.target.join("bench-figures");
    if figures.exists() {
        fs::remove_dir_all(&figures)?;
    }
    let start = Instant::now();
    let mut figure = Command::new(release.join("patom"));
    figure
        .args(["figure", "2", "--seeds", "1", "--threads", "2", "--out"])
        .arg(&figures);
    run(figure.arg("--data").arg(&data).current_dir(&workspace.root))?;
    native.insert("figure2".to_string(), start.elapsed().as_secs_f64());

    println!("bench: wasm in Node");
    let wasm = json(
        Command::new("node")
            .arg(workspace.root.join("benches/node.mjs"))
            .arg(&pkg)
            .arg(&data)
            .arg(arguments.seconds.to_string())
            .arg("2"),
    )?;

    let mut text = table(&native, &wasm);
    if !arguments.no_peers {
        text.push_str(&peers(workspace, &native)?);
    }
    let path = workspace.root.join("docs/performance.md");
    fs::create_dir_all(workspace.root.join("docs"))?;
    // What stands below the mark is written by hand: what the time goes to.
    let by_hand = fs::read_to_string(&path)
        .ok()
        .and_then(|old| old.split_once(MARK).map(|(_, rest)| rest.to_string()))
        .unwrap_or_else(|| "\n".to_string());
    fs::write(&path, format!("{text}\n{MARK}{by_hand}"))?;
    println!("{text}\nWritten: docs/performance.md");
    Ok(())
}

const MARK: &str = "<!-- below: written by hand -->";

fn json(command: &mut Command) -> Result<Times> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("the timings are no JSON object")
}

fn duration(seconds: f64) -> String {
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 1e-3 {
        format!("{:.2} ms", seconds * 1e3)
    } else {
        format!("{:.0} µs", seconds * 1e6)
    }
}

fn table(native: &Times, wasm: &Times) -> String {
    let mut text = String::from(
        "# Speed\n\nMade by `cargo xtask bench`; medians of one run on one machine. The goal in \
         brackets. wasm: as the page has it, in Node.\n\n\
         | work | native | wasm | wasm / native |\n| --- | --- | --- | --- |\n",
    );
    let mut ratios = Vec::new();
    for (key, words, goal) in GOALS {
        let (Some(&native), Some(&wasm)) = (native.get(key), wasm.get(key)) else {
            continue;
        };
        let cell = |seconds: f64, goal: Option<f64>| match goal {
            Some(goal) => {
                let met = if seconds <= goal { "met" } else { "missed" };
                format!("{} ({}, {met})", duration(seconds), duration(goal))
            }
            None => duration(seconds),
        };
        let ratio = wasm / native;
        ratios.push(ratio);
        let _ = writeln!(
            text,
            "| {words} | {} | {} | {ratio:.2} |",
            cell(native, goal.map(|goal| goal.0)),
            cell(wasm, goal.map(|goal| goal.1)),
        );
    }
    ratios.sort_by(f64::total_cmp);
    if let Some(median) = ratios.get(ratios.len() / 2) {
        let met = if *median <= 1.4 { "met" } else { "missed" };
        let _ = writeln!(
            text,
            "| median of the ratios | | | {median:.2} (1.40, {met}) |"
        );
    }
    text
}

/// The scripts of benches/peers on the same problems.
fn peers(workspace: &Workspace, native: &Times) -> Result<String> {
    let python = crate::setup::peers_python(workspace)?;
    let work = workspace.target.join("bench-peers");
    fs::create_dir_all(&work)?;
    let patom = workspace.target.join("release").join("patom");
    let mut text = String::from(
        "\n## Beside what a user could do otherwise\n\nThe same problems, in the same run \
         (benches/peers says what each script does).\n\n\
         | work | peer | its time | ours, native | ratio |\n| --- | --- | --- | --- | --- |\n",
    );
    let mut row = |words: &str, line: &serde_json::Value, ours: f64| {
        let seconds = line["seconds"].as_f64().unwrap_or(f64::NAN);
        let peer = line["what"].as_str().unwrap_or("?");
        let _ = writeln!(
            text,
            "| {words} | {peer} | {} | {} | {:.0} |",
            duration(seconds),
            duration(ours),
            seconds / ours
        );
    };
    for name in ["sarcos", "landmine", "mnist"] {
        let Some(&ours) = native.get(&format!("solve/{name}")) else {
            continue;
        };
        let out = work.join(name);
        let spec = work.join(format!("{name}.json"));
        fs::write(&spec, format!("{{\"dataset\":\"{name}\",\"budget\":0}}"))?;
        run(Command::new(&patom)
            .arg("run")
            .arg(&spec)
            .arg("--data")
            .arg(workspace.cache().join("data"))
            .arg("--out")
            .arg(&out)
            .current_dir(&workspace.root))?;
        let loss = if name == "sarcos" {
            "squared"
        } else {
            "squared_hinge"
        };
        // CVXPY's semidefinite program of MNIST's size wants more memory than most machines have.
        let which = if name == "mnist" {
            "numpy,scipy"
        } else {
            "numpy,scipy,cvxpy"
        };
        let script = workspace.root.join("benches/peers/lower_level.py");
        for line in lines(
            Command::new(&python)
                .arg(script)
                .arg(out.join("points.csv"))
                .args(["--loss", loss, "--lambda1", "0.1", "--lambda2", "0.1"])
                .args(["--peers", which]),
        )? {
            row(&format!("lower level, {name}"), &line, ours);
        }
    }
    if let Some(&ours) = native.get("run/sarcos") {
        let script = workspace.root.join("benches/peers/whole_attack.py");
        let points = work.join("sarcos/points.csv");
        let targets = ["--targets", "0,1,2", "--epsilon", "1e-6"];
        for line in lines(Command::new(&python).arg(script).arg(points).args(targets))? {
            row("whole attack, sarcos direct", &line, ours);
        }
    }
    let script = workspace.root.join("benches/peers/ridge_poisoning.py");
    let ridge = work.join("ridge");
    let theirs = lines(Command::new(&python).arg(&script).arg("--out").arg(&ridge))?;
    let out = ridge.join("run");
    run(Command::new(&patom)
        .args(["run", "diabetes.spec.json", "--out"])
        .arg(&out)
        .current_dir(&ridge))?;
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("report.json"))?)?;
    let seconds = report["trace"]
        .as_array()
        .and_then(|trace| trace.last())
        .and_then(|point| point["seconds"].as_f64())
        .context("the report has a trace")?;
    for line in &theirs {
        row("one-task ridge poisoning, diabetes", line, seconds);
    }
    let judged = lines(
        Command::new(&python)
            .arg(&script)
            .arg("--out")
            .arg(&ridge)
            .args(["--repeat", "1", "--check"])
            .arg(out.join("points.csv")),
    )?;
    text.push_str("\nDamage of ridge poisoning, as the script measures both:\n\n```json\n");
    for line in &theirs {
        let _ = writeln!(text, "{line}");
    }
    for line in judged.into_iter().skip(1) {
        let mut line = line;
        // The script names the file, which says where this computer keeps it.
        line["what"] = "ridge poisoning, ours".into();
        let _ = writeln!(text, "{line}");
    }
    text.push_str("```\n");
    Ok(text)
}

/// The JSON lines that a script prints.
fn lines(command: &mut Command) -> Result<Vec<serde_json::Value>> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let text = String::from_utf8_lossy(&output.stdout);
    (text.lines().filter(|line| line.starts_with('{')))
        .map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}")))
        .collect()
}
