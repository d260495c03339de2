//! Compiles the wasm modules, and generates their JavaScript and types. Nothing about the page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use patom::data::sha256_hex;
use wasm_bindgen_cli_support::Bindgen;

use crate::settings::Settings;
use crate::workspace::{Workspace, cargo, output, run};

/// Compiles the modules and writes them with their JavaScript into `output.pkg`, unless those there
/// are made from the same sources.
///
/// # Errors
/// When the compiler or the generator fails.
pub fn build(workspace: &Workspace, settings: &Settings) -> Result<()> {
    let pkg = workspace.root.join(&settings.output.pkg);
    let stamp_path = pkg.join(".stamp");
    let stamp = stamp(&workspace.root, settings)?;
    if fs::read_to_string(&stamp_path).is_ok_and(|old| old == stamp) {
        return Ok(());
    }
    // One after the other in one build folder: the packages that both need take two thirds of the
    // time of a first build, and two folders would compile them twice.
    let names = &settings.build.modules;
    let modules = names
        .iter()
        .map(|name| compile(workspace, settings, name, "release"))
        .collect::<Result<Vec<_>>>()?;
    if pkg.exists() {
        fs::remove_dir_all(&pkg).with_context(|| format!("cannot clear {}", pkg.display()))?;
    }
    fs::create_dir_all(&pkg)?;
    for (name, wasm) in names.iter().zip(modules) {
        generate(wasm, name, &pkg)?;
    }
    fs::write(&stamp_path, stamp)?;
    Ok(())
}

/// A hash of all that the modules are made from. Cargo cannot say that both are up to date: it keeps
/// one cdylib of a package, and links it again whenever the features change.
fn stamp(root: &Path, settings: &Settings) -> Result<String> {
    let mut files = vec![root.join("Cargo.toml"), root.join("Cargo.lock")];
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            // The programs are no part of the modules.
            if !path.is_dir() {
                files.push(path);
            } else if !path.ends_with("bin") {
                folders.push(path);
            }
        }
    }
    files.sort();
    // This file holds the options of the compiler and of the generator.
    let mut all = include_bytes!("wasm.rs").to_vec();
    all.extend(output(cargo().arg("--version"))?.bytes());
    all.extend(format!("{:?}", settings.build).bytes());
    for file in files {
        all.extend(file.strip_prefix(root)?.to_string_lossy().bytes());
        all.extend(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    Ok(sha256_hex(&all))
}

/// A module with the exports of the benchmarks alone, into `pkg`: bench.js, bench_bg.wasm.
///
/// # Errors
/// When the compiler or the generator fails.
pub fn build_for_bench(workspace: &Workspace, settings: &Settings, pkg: &Path) -> Result<()> {
    let wasm = compile(workspace, settings, "bench", "release")?;
    fs::create_dir_all(pkg)?;
    // Node reads a .js file as a module only where a manifest says so.
    fs::write(pkg.join("package.json"), "{\"type\": \"module\"}\n")?;
    generate(wasm, "bench", pkg)
}

/// Writes the type declarations of the modules into `output.pkg`, from an unoptimised build.
///
/// # Errors
/// When the compiler or the generator fails.
pub fn declarations(workspace: &Workspace, settings: &Settings) -> Result<()> {
    let scratch = workspace.target.join("types-pkg");
    fs::create_dir_all(&scratch)?;
    for name in &settings.build.modules {
        generate(compile(workspace, settings, name, "types")?, name, &scratch)?;
        let file = format!("{name}.d.ts");
        let pkg = workspace.root.join(&settings.output.pkg);
        fs::copy(scratch.join(&file), pkg.join(&file))?;
    }
    Ok(())
}

fn compile(
    workspace: &Workspace,
    settings: &Settings,
    feature: &str,
    profile: &str,
) -> Result<Vec<u8>> {
    let target = &settings.build.target;
    let mut command = cargo();
    command
        .args(["rustc", "--package", "patom", "--lib", "--profile", profile])
        .args(["--crate-type", "cdylib"])
        .args(["--no-default-features", "--features", feature])
        .args(["--target", target])
        .current_dir(&workspace.root);
    with_flags(&mut command, settings, true);
    run(&mut command)?;
    // The next module overwrites it.
    let wasm = workspace
        .target
        .join(target)
        .join(profile)
        .join("patom.wasm");
    fs::read(&wasm).with_context(|| format!("cannot read {}", wasm.display()))
}

/// Gives the command the flags of `wasm-pack.toml`, whatever the caller's environment says:
/// one source of the flags, one wasm.
pub fn with_flags(command: &mut Command, settings: &Settings, published: bool) {
    let mut flags = vec![format!(
        "-Ctarget-feature={}",
        settings.build.target_features.join(",")
    )];
    if published {
        flags.push(format!(
            "-Cllvm-args=-inline-threshold={}",
            settings.build.inline_threshold
        ));
        // Panic messages carry file names: no folder of the builder's machine belongs into a
        // published file, and two machines should produce the same bytes.
        for (folder, name) in source_folders() {
            flags.push(format!("--remap-path-prefix={}={name}", folder.display()));
        }
    }
    command
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
}

fn source_folders() -> Vec<(PathBuf, &'static str)> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let Some(home) = home else { return Vec::new() };
    // Later flags win, so the general folder comes first.
    let mut folders = vec![(home.clone(), "cargo")];
    if let Ok(entries) = fs::read_dir(home.join("registry").join("src")) {
        let mut sources: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        sources.sort();
        folders.extend(sources.into_iter().map(|source| (source, "crates")));
    }
    folders
}

fn generate(wasm: Vec<u8>, name: &str, pkg: &Path) -> Result<()> {
    // An ES module that fetches the wasm beside it, and its types, against which tsc checks the page.
    Bindgen::new()
        .web(true)?
        .input_bytes(name, wasm)
        .typescript(true)
        .omit_default_module_path(false)
        // Symbol names and compiler versions.
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(pkg)
        .context(
            "the JavaScript could not be generated; `wasm-bindgen` in Cargo.toml and \
             `wasm-bindgen-cli-support` in xtask/Cargo.toml must have the same version",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The generator reads what the macros of exactly its own version write.
    const BINDGEN_VERSION: &str = "0.2.130";

    #[test]
    fn every_manifest_pins_the_code_generator_to_the_same_version() {
        for (manifest, text, name) in [
            ("the root", include_str!("../../Cargo.toml"), "wasm-bindgen"),
            (
                "xtask",
                include_str!("../Cargo.toml"),
                "wasm-bindgen-cli-support",
            ),
            (
                "the runner of the wasm tests",
                include_str!("../../tests/wasm_runner/Cargo.toml"),
                "wasm-bindgen-cli",
            ),
        ] {
            let line = text
                .lines()
                .find(|line| line.starts_with(&format!("{name} = ")));
            let pin = format!("\"={BINDGEN_VERSION}\"");
            assert!(
                line.is_some_and(|line| line.contains(&pin)),
                "{manifest}: {line:?}"
            );
        }
    }

    #[test]
    fn the_stamp_follows_the_library_and_not_the_programs() {
        let root = std::env::temp_dir().join(format!("stamp-test-{}", std::process::id()));
        fs::create_dir_all(root.join("src/bin/patom")).unwrap();
        for name in ["Cargo.toml", "Cargo.lock", "src/lib.rs"] {
            fs::write(root.join(name), name).unwrap();
        }
        let settings = Settings::parse(include_str!("../../wasm-pack.toml")).unwrap();
        let before = stamp(&root, &settings).unwrap();
        fs::write(root.join("src/bin/patom/main.rs"), "fn main() {}").unwrap();
        assert_eq!(stamp(&root, &settings).unwrap(), before);
        fs::write(root.join("src/lib.rs"), "//! Changed.").unwrap();
        assert_ne!(stamp(&root, &settings).unwrap(), before);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn the_flags_say_the_features_and_no_folder_of_this_machine_stays() {
        let settings = Settings::parse(include_str!("../../wasm-pack.toml")).unwrap();
        let mut command = Command::new("true");
        with_flags(&mut command, &settings, true);
        let flags = command
            .get_envs()
            .find(|(name, _)| *name == "CARGO_ENCODED_RUSTFLAGS")
            .and_then(|(_, value)| value)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        assert!(flags.contains("target-feature=+simd128"), "{flags}");
        assert!(flags.contains("--remap-path-prefix="), "{flags}");
        let threshold = settings.build.inline_threshold;
        let inlining = format!("-inline-threshold={threshold}");
        assert!(flags.contains(&inlining), "{flags}");
    }
}
