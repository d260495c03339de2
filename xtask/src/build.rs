//! `cargo xtask build`: from a checkout to a finished `dist`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::settings::Settings;
use crate::site::{self, Files};
use crate::workspace::Workspace;
use crate::{data, setup, wasm};

/// Builds everything, says what it came to, and returns the folder to publish.
///
/// # Errors
/// When a step fails; the old `dist` is then untouched.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    let start = Instant::now();
    let settings = Settings::read(&workspace.root)?;
    setup::wasm_target(&settings.build.target)?;

    let staged = workspace.cache().join("data");
    data::prepare(&workspace.root, &staged).context("preparing the data")?;
    wasm::build(workspace, &settings).context("building the wasm")?;

    let www = workspace.root.join(&settings.output.www);
    let pkg = settings
        .output
        .pkg
        .strip_prefix(&format!("{}/", settings.output.www))
        .context("output.pkg lies inside output.www")?
        .to_owned();
    let mut bundles = Files::new();
    if staged.is_dir() {
        bundles = site::read_folder(&staged)?;
    }
    let files = site::assemble(site::read_folder(&www)?, &pkg, &bundles, version())?;
    // tsc checks the page's sources against the same generated module.
    if let Some((_, module)) = files
        .iter()
        .find(|(path, _)| path.ends_with("pkg/build.js"))
    {
        let path = www.join(&pkg).join("build.js");
        if std::fs::read(&path).ok().as_ref() != Some(module) {
            std::fs::write(&path, module)?;
        }
    }
    let dist = workspace.root.join(&settings.output.dist);
    let changed = site::write(&files, &dist)?;

    println!(
        "dist/ {} in {:.1} s: {} files",
        if changed {
            "built"
        } else {
            "is up to date, checked"
        },
        start.elapsed().as_secs_f64(),
        files.len(),
    );
    for share in site::budget(&files) {
        println!(
            "  {:<11}{:>8.1} kB gzip of {} kB{}",
            share.what,
            kilo(share.gzip),
            share.limit / 1000,
            if share.gzip > share.limit {
                "  OVER BUDGET"
            } else {
                ""
            },
        );
    }
    for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with("data/")) {
        println!("  {path}: {:.1} kB gzip", kilo(site::gzip_size(bytes)));
    }
    Ok(dist)
}

/// The engine's version, as links carry it.
pub fn version() -> &'static str {
    // xtask and the library are versioned together; the smoke test compares this with the wasm.
    env!("CARGO_PKG_VERSION")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of files, shown to one digit"
)]
fn kilo(bytes: usize) -> f64 {
    bytes as f64 / 1000.0
}
