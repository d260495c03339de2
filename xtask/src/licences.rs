//! `licences.txt` of the site: the licence texts of everything that is linked into the wasm.
//!
//! Which licences are acceptable is not decided here: `deny.toml` says that.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Our own licences, then those of the packages; packages that share a text share its copy.
///
/// # Errors
/// When cargo cannot describe the packages, or a licence file cannot be read.
pub fn text(root: &Path) -> Result<String> {
    let tree = "tree --locked --package=patom --no-default-features --features=engine,extras \
                --target=wasm32-unknown-unknown --edges=normal,no-proc-macro --prefix=none";
    let tree = cargo(root, tree)?;
    let first_words = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let linked: BTreeSet<String> = tree.lines().map(first_words).collect();
    let metadata = "metadata --locked --format-version=1 --filter-platform=wasm32-unknown-unknown";
    let metadata: Value = serde_json::from_str(&cargo(root, metadata)?)?;
    let packages = metadata["packages"].as_array().context("no packages")?;

    let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // A package of this workspace has no source: its licence is ours.
    for package in packages
        .iter()
        .filter(|package| !package["source"].is_null())
    {
        let field = |name: &str| package[name].as_str().unwrap_or_default();
        let name = format!("{} v{}", field("name"), field("version"));
        if linked.contains(&name) {
            // "MIT OR ..." is a choice; where there is an AND, every text counts.
            let is_choice = !field("license").contains(" AND ");
            let mut body = licence_files(Path::new(field("manifest_path")), is_choice)?;
            if body.is_empty() {
                body = format!("No licence file; its source: {}", field("repository"));
            }
            let names = sections.entry(body).or_default();
            names.push(format!("{name} ({})", field("license")));
        }
    }
    let own = |name: &str| fs::read_to_string(root.join(name)).with_context(|| name.to_owned());
    let mut out = format!(
        "PATOM Lab (MIT OR Apache-2.0)\nThe Rust standard library, copyright its contributors \
         (MIT OR Apache-2.0)\n\n{}\n{}",
        own("LICENSE-MIT")?,
        own("LICENSE-APACHE")?
    );
    for (body, names) in sections {
        out += &format!("\n{}\n{}\n\n{body}\n", "-".repeat(72), names.join("\n"));
    }
    Ok(out)
}

/// The licence texts beside a manifest; of a choice that offers MIT, that one.
fn licence_files(manifest: &Path, is_choice: bool) -> Result<String> {
    let folder = manifest.parent().context("a manifest lies in a folder")?;
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_uppercase();
        if ["LICEN", "COPYING", "NOTICE", "UNLICENSE"]
            .iter()
            .any(|start| name.starts_with(start))
        {
            texts.insert(name, fs::read_to_string(path)?.trim().replace("\r\n", "\n"));
        }
    }
    let is_mit = |name: &str| name.starts_with("LICENSE-MIT");
    if is_choice && texts.keys().any(|name| is_mit(name)) {
        texts.retain(|name, _| is_mit(name) || name.starts_with("NOTICE"));
    }
    Ok(texts.into_values().collect::<Vec<_>>().join("\n\n"))
}

fn cargo(root: &Path, arguments: &str) -> Result<String> {
    let done = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments.split(' '))
        .current_dir(root)
        .output()
        .context("cannot start cargo")?;
    let message = String::from_utf8_lossy(&done.stderr);
    ensure!(
        done.status.success(),
        "`cargo {arguments}` failed:\n{message}"
    );
    Ok(String::from_utf8(done.stdout)?)
}
