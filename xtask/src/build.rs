//! `cargo xtask build`: from a checkout to a finished `dist`.

use std::path::{Path, PathBuf};
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
    let prepared = data::prepare(&workspace.root, &staged).context("preparing the data")?;
    wasm::build(workspace, &settings).context("building the wasm")?;

    let www = workspace.root.join(&settings.output.www);
    let pkg = settings
        .output
        .pkg
        .strip_prefix(&format!("{}/", settings.output.www))
        .context("output.pkg lies inside output.www")?
        .to_owned();
    let bundles = bundles(&prepared, &staged)?;
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
            site::kilo(share.gzip),
            share.limit / 1000,
            if share.gzip > share.limit {
                "  OVER BUDGET"
            } else {
                ""
            },
        );
    }
    let first = site::first_load(&files);
    println!("later, when they are asked for:");
    for (path, bytes) in files.iter().filter(|(path, _)| !first.contains(*path)) {
        if path.starts_with("assets-") || path.starts_with("data/") {
            println!(
                "  {path}: {:.1} kB gzip",
                site::kilo(site::gzip_size(bytes))
            );
        }
    }
    Ok(dist)
}

/// The bundles alone: raw files and notes about them lie in the same folder, and are not published.
fn bundles(prepared: &[data::Prepared], folder: &Path) -> Result<Files> {
    let names = prepared
        .iter()
        .filter_map(|one| one.bundle.as_ref().ok())
        .map(|bundle| bundle.file.clone());
    names
        .map(|name| {
            let bytes = std::fs::read(folder.join(&name))
                .with_context(|| format!("cannot read the bundle {name}"))?;
            Ok((name, bytes))
        })
        .collect()
}

/// The engine's version, as links carry it.
pub fn version() -> &'static str {
    // xtask and the library are versioned together; the smoke test compares this with the wasm.
    env!("CARGO_PKG_VERSION")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_files_and_stamps_beside_the_bundles_are_not_published() {
        let root = std::env::temp_dir().join(format!("bundles-test-{}", std::process::id()));
        let staged = root.join("target/data");
        std::fs::create_dir_all(&staged).unwrap();
        for name in ["landmine.bundle", "landmine.stamp.json", "train-images"] {
            std::fs::write(staged.join(name), name).unwrap();
        }
        let entry = |file: Option<&str>| data::Prepared {
            name: String::new(),
            bundle: file.map_or(Err(String::new()), |file| {
                let file = file.to_owned();
                Ok(data::Bundle { file, bytes: 0 })
            }),
        };
        let found = bundles(&[entry(Some("landmine.bundle")), entry(None)], &staged).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["landmine.bundle"]);
        std::fs::remove_dir_all(root).unwrap();
    }
}
