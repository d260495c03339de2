//! Runs the targets on any toolchain: every seed of the corpus, then inputs made of them, the same
//! ones each time. Prints what came of it, and writes it as JSON.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Parser;
use fuzz::mutate::{self, Dice};
use fuzz::targets::TARGETS;
use serde_json::json;

/// An input that takes longer is a finding.
const SLOW: Duration = Duration::from_secs(5);
/// So is a process that came to hold more (the readers' own limits are 256 MiB twice).
const MOST_MEBIBYTES: u64 = 1024;
/// Findings of a target that are kept; one bug is met again and again.
const MOST_FINDINGS: usize = 10;

/// Tries hostile input on the readers of files, links and specifications.
#[derive(Parser)]
struct Arguments {
    /// Inputs for each target
    #[arg(long, default_value_t = 20_000)]
    executions: u64,
    /// Instead of a number of inputs: seconds for all targets together
    #[arg(long)]
    seconds: Option<u64>,
    /// Only this target
    #[arg(long)]
    target: Option<String>,
    /// Another seed makes other inputs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder with a folder of seeds for each target
    #[arg(long)]
    corpus: PathBuf,
    /// Where the findings go, an input each
    #[arg(long)]
    findings: PathBuf,
    /// Where the result goes
    #[arg(long)]
    out: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let chosen: Vec<_> = (TARGETS.iter())
        .filter(|(name, _)| {
            arguments
                .target
                .as_ref()
                .is_none_or(|wanted| wanted == name)
        })
        .collect();
    let known = TARGETS.map(|(name, _)| name).join(", ");
    if chosen.is_empty() {
        eprintln!("error: no such target; there are {known}");
        return ExitCode::from(2);
    }
    // Panics are findings: what they say is kept, not printed.
    let said = Arc::new(Mutex::new(String::new()));
    let hook = Arc::clone(&said);
    std::panic::set_hook(Box::new(move |panic| {
        *hook.lock().expect("no panic while it is held") = panic.to_string();
    }));
    let mut results = Vec::new();
    let mut found = 0;
    for (name, target) in &chosen {
        let corpus = match read_corpus(&arguments.corpus.join(name)) {
            Ok(corpus) => corpus,
            Err(error) => {
                eprintln!("error: the corpus of {name}: {error}");
                return ExitCode::from(2);
            }
        };
        let mut dice = Dice::new(arguments.seed);
        let start = Instant::now();
        let until = arguments
            .seconds
            .map(|seconds| Duration::from_secs(seconds) / u32::try_from(chosen.len()).unwrap_or(1));
        let mut executions = 0u64;
        let mut findings = Vec::new();
        loop {
            let done = match until {
                Some(until) => start.elapsed() >= until,
                None => executions >= arguments.executions,
            };
            if done || findings.len() >= MOST_FINDINGS {
                break;
            }
            let input = match usize::try_from(executions).ok().and_then(|k| corpus.get(k)) {
                Some(seed) => seed.clone(),
                None => mutate::input(&corpus, &mut dice),
            };
            executions += 1;
            let began = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| target(&input)));
            let what = match outcome {
                Err(_) => said.lock().expect("no panic while it is held").clone(),
                Ok(()) if began.elapsed() > SLOW => format!("took {:?}", began.elapsed()),
                Ok(()) => continue,
            };
            let file = arguments.findings.join(format!("{name}-{executions}"));
            let kept = std::fs::create_dir_all(&arguments.findings)
                .and_then(|()| std::fs::write(&file, &input));
            if let Err(error) = kept {
                eprintln!("error: {}: {error}", file.display());
            }
            println!("{name}: {what}\n    input: {}", file.display());
            findings.push(json!({"what": what, "input": file}));
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{name}: {executions} executions, {} findings ({seconds:.1} s)",
            findings.len()
        );
        found += findings.len();
        results.push(json!({
            "target": name,
            "seeds": corpus.len(),
            "executions": executions,
            "seconds": seconds,
            "findings": findings,
        }));
    }
    let mut result = json!({"engine": "runner", "seed": arguments.seed, "targets": results});
    if let Some(mebibytes) = peak_mebibytes() {
        println!("memory: at most {mebibytes} MiB");
        result["peak_mebibytes"] = json!(mebibytes);
        if mebibytes > MOST_MEBIBYTES {
            println!("memory: expected at most {MOST_MEBIBYTES} MiB");
            found += 1;
        }
    }
    if let Err(error) = std::fs::write(&arguments.out, format!("{result:#}\n")) {
        eprintln!("error: {}: {error}", arguments.out.display());
        return ExitCode::from(2);
    }
    if found == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The seeds, in the order of their names.
fn read_corpus(folder: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let mut paths = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    paths.iter().map(std::fs::read).collect()
}

/// The most memory that this process held, where the system says so (Linux).
fn peak_mebibytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1024)
}
