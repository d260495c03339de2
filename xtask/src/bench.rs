//! `cargo xtask bench`: builds what benches/compare.py times, and starts it.

use anyhow::{Context, Result};
use clap::Args;

use crate::settings::Settings;
use crate::workspace::{Workspace, cargo, run, which};
use crate::{data, setup, wasm};

/// Options of `cargo xtask bench`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Seconds for each kind of work
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Leave out the Python peers
    #[arg(long)]
    no_peers: bool,
}

/// Times everything and writes docs/performance.md.
pub fn bench(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let settings = Settings::read(&workspace.root)?;
    let data = workspace.cache().join("data");
    data::prepare(&workspace.root, &data)?;
    let pkg = workspace.target.join("bench-pkg");
    wasm::build_for_bench(workspace, &settings, &pkg)?;
    let mut build = cargo();
    build
        .args(["build", "--release", "--features", "bench"])
        .args(["--bins", "--example", "timing", "--example", "work"])
        .current_dir(&workspace.root);
    run(&mut build)?;
    let python = which("python3").context("python3 is missing")?;
    let mut compare = std::process::Command::new(python);
    compare
        .arg(workspace.root.join("benches/compare.py"))
        .arg("--release")
        .arg(workspace.target.join("release"))
        .arg("--pkg")
        .arg(pkg)
        .arg("--data")
        .arg(data)
        .args(["--seconds", &arguments.seconds.to_string()]);
    if !arguments.no_peers {
        compare.arg("--peers").arg(setup::peers_python(workspace)?);
    }
    run(&mut compare)
}
