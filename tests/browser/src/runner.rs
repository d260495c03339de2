//! The runner of the wasm tests: `wasm-bindgen-test-runner` as a library, with our Chromium.

use anyhow::{Context, Result};
use serde_json::json;
use wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args;

use crate::engine::chromium_switches;

/// Runs one test binary; cargo passes its path and the filters.
pub fn run(arguments: &[String]) -> Result<()> {
    // The driver is told the same switches as in the end-to-end tests.
    let folder = tempfile::tempdir()?;
    if let Some(found) = xtask::setup::Chromium::find() {
        let options = json!({ "goog:chromeOptions": {
            "binary": found.browser,
            "args": chromium_switches(&folder.path().join("profile")),
        }});
        let path = folder.path().join("webdriver.json");
        std::fs::write(&path, options.to_string())?;
        let name = "WASM_BINDGEN_TEST_WEBDRIVER_JSON";
        if std::env::var_os(name).is_none() {
            return again_with(arguments, &[(name, &path), ("CHROMEDRIVER", &found.driver)]);
        }
    }
    let words = std::iter::once("wasm-test-runner".to_owned()).chain(arguments.iter().cloned());
    run_cli_with_args(words)
}

/// The library reads its settings from the environment of the process, which cannot be changed
/// safely from within: so this starts itself once more.
fn again_with(arguments: &[String], environment: &[(&str, &std::path::PathBuf)]) -> Result<()> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.arg("wasm-test-runner").args(arguments);
    for (name, value) in environment {
        command.env(name, value);
    }
    let status = command.status().context("cannot start the runner")?;
    anyhow::ensure!(status.success(), "the wasm tests failed");
    Ok(())
}
