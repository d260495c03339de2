//! Compiles the wasm modules, and generates their JavaScript and types. Nothing about the page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};
use patom::data::sha256_hex;
use wasm_bindgen_cli_support::Bindgen;

use crate::settings::Settings;
use crate::workspace::{Workspace, cargo, run};

/// The version of the code generator, compiled in; the root manifest pins the same.
const BINDGEN_VERSION: &str = "0.2.130";

/// Compiles the modules and writes them with their JavaScript into `output.pkg`. Quick when nothing
/// changed.
///
/// # Errors
/// When the compiler or the generator fails.
pub fn build(workspace: &Workspace, settings: &Settings) -> Result<()> {
    let names = &settings.build.modules;
    // Side by side: the last step of each, link-time optimisation, keeps one core busy.
    let compiled = thread::scope(|scope| {
        let threads: Vec<_> = names
            .iter()
            .map(|name| scope.spawn(|| compile(workspace, settings, name, "release")))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("compiling does not panic"))
            .collect::<Result<Vec<_>>>()
    })?;
    let pkg = workspace.root.join(&settings.output.pkg);

    // The stamp lies beside what it describes, so that several build folders can share it.
    let stamp_path = pkg.join(".stamp");
    let mut stamp = BINDGEN_VERSION.to_owned();
    for (name, wasm) in names.iter().zip(&compiled) {
        stamp += &format!(" {name} {}", sha256_hex(wasm));
    }
    if fs::read_to_string(&stamp_path).is_ok_and(|old| old == stamp) {
        return Ok(());
    }
    if pkg.exists() {
        fs::remove_dir_all(&pkg).with_context(|| format!("cannot clear {}", pkg.display()))?;
    }
    fs::create_dir_all(&pkg)?;
    for (name, wasm) in names.iter().zip(compiled) {
        generate(wasm, name, &pkg)?;
    }
    fs::write(&stamp_path, stamp)?;
    Ok(())
}

/// A module with the exports of the benchmarks alone, into `pkg`: bench.js, bench_bg.wasm.
///
/// # Errors
/// When the compiler or the generator fails.
pub fn build_for_bench(workspace: &Workspace, settings: &Settings, pkg: &Path) -> Result<()> {
    let wasm = compile(workspace, settings, "bench", "release")?;
    fs::create_dir_all(pkg)?;
    // Node reads the glue as a module only where a manifest says so.
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
    // Cargo locks its build folder for as long as it runs, and keeps one cdylib of a package.
    let folder = workspace.target.join("wasm").join(feature);
    let mut command = cargo();
    command
        .args(["rustc", "--package", "patom", "--lib", "--profile", profile])
        .args(["--crate-type", "cdylib"])
        .args(["--no-default-features", "--features", feature])
        .args(["--target", target])
        .arg("--target-dir")
        .arg(&folder)
        .current_dir(&workspace.root);
    with_flags(&mut command, settings, true);
    run(&mut command)?;
    let wasm = folder.join(target).join(profile).join("patom.wasm");
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
    }
}
