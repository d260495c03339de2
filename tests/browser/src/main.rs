//! The browser tests: end to end against the finished page, and the runner of the wasm tests.

// A binary of tests: its items are explained where they are not obvious.
#![allow(missing_docs, clippy::missing_errors_doc, clippy::format_push_string)]

mod audit;
mod cases;
mod engine;
mod harness;
mod page;
mod runner;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use xtask::workspace::Workspace;

use crate::engine::Engine;
use crate::harness::Plan;

#[derive(Parser)]
#[command(about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Special>,
    #[command(flatten)]
    end_to_end: EndToEnd,
}

#[derive(Subcommand)]
enum Special {
    /// Run a wasm test binary in Chromium or Node (cargo calls this as its runner)
    #[command(disable_help_flag = true)]
    WasmTestRunner {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure what budgets need a browser for; rows as JSON (for `cargo xtask audit`)
    Audit,
}

#[derive(Args)]
struct EndToEnd {
    /// Run only the cases whose name contains this
    filter: Option<String>,
    /// The finished page [default: dist/ of the checkout]
    #[arg(long)]
    dist: Option<PathBuf>,
    /// The engines, separated by commas
    #[arg(long, value_delimiter = ',', default_value = xtask::setup::ENGINES)]
    engines: Vec<Engine>,
    /// Save what the cases show, to be looked at: target/screenshots/
    #[arg(long)]
    pictures: bool,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse() {
        Cli {
            command: Some(Special::WasmTestRunner { arguments }),
            ..
        } => runner::run(&arguments).map(|()| true),
        Cli {
            command: Some(Special::Audit),
            end_to_end,
        } => audit_rows(end_to_end).map(|()| true),
        Cli { end_to_end, .. } => end_to_end_tests(end_to_end),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn end_to_end_tests(arguments: EndToEnd) -> Result<bool> {
    let plan = plan(arguments)?;
    harness::run(&plan, &cases::all())
}

fn audit_rows(arguments: EndToEnd) -> Result<()> {
    let plan = plan(arguments)?;
    let rows = harness::runtime()?.block_on(audit::run(&plan))?;
    println!("{}", serde_json::to_string(&rows)?);
    Ok(())
}

fn plan(arguments: EndToEnd) -> Result<Plan> {
    let workspace = Workspace::find()?;
    Ok(Plan {
        dist: arguments
            .dist
            .unwrap_or_else(|| workspace.root.join("dist")),
        pictures: arguments.pictures,
        screenshots: workspace.target.join("screenshots"),
        engines: arguments.engines,
        filter: arguments.filter,
        workspace,
    })
}
