//! What the project stands on: licences, sources and advisories of its packages, the development
//! tools of package.json, and that no package of ours may hold unsafe code. `deny.toml` holds the
//! rules of cargo-deny.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::setup::Tool;
use crate::test::Tally;
use crate::workspace::{Workspace, cargo, output, run, typed};

/// The program that reads `deny.toml`.
pub const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    words: &["--no-default-features"],
};

/// Every check; what the network is needed for is skipped by name where there is none.
///
/// # Errors
/// When cargo-deny is missing and cannot be built.
pub fn check(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    let deny = CARGO_DENY.get(workspace)?;
    // The packages of other platforms too: cargo-deny reads them all.
    run(cargo()
        .args(["fetch", "--locked"])
        .current_dir(&workspace.root))?;
    for rules in ["licenses", "bans", "sources"] {
        let done = run(deny_command(workspace, &deny).args(["--offline", "check", rules]));
        tally.note(&format!("cargo-deny {rules}"), done);
    }
    match output(deny_command(workspace, &deny).args(["fetch", "db"])) {
        Ok(_) => {
            let words = ["check", "--disable-fetch", "advisories"];
            tally.note(
                "cargo-deny advisories",
                run(deny_command(workspace, &deny).args(words)),
            );
        }
        Err(_) => tally
            .skipped
            .push("cargo-deny advisories: the advisory database cannot be fetched here".into()),
    }
    npm_audit(workspace, &mut tally)?;
    tally.note(
        "no package may hold unsafe code",
        unsafe_code_is_forbidden(workspace),
    );
    Ok(tally)
}

fn deny_command(workspace: &Workspace, program: &PathBuf) -> Command {
    let mut command = Command::new(program);
    command.arg("--workspace").current_dir(&workspace.root);
    command
}

fn npm_audit(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    let mut command = Command::new("npm");
    command
        .args(["audit", "--json"])
        .current_dir(&workspace.root)
        .stdin(Stdio::null());
    let done = command
        .output()
        .with_context(|| format!("cannot start `{}`", typed(&command)))?;
    let answer = serde_json::from_slice(&done.stdout).unwrap_or_default();
    match findings_of_npm(&answer) {
        None => tally
            .skipped
            .push("npm audit: the registry gives no answer to it here".into()),
        Some(found) if found.is_empty() => tally.hold("npm audit"),
        Some(found) => tally
            .failed
            .push(format!("npm audit: {}", found.join(", "))),
    }
    Ok(())
}

/// The packages that `npm audit --json` complains of; none where it could not ask.
fn findings_of_npm(answer: &Value) -> Option<Vec<String>> {
    answer.get("auditReportVersion")?;
    let found = answer.get("vulnerabilities")?.as_object()?;
    Some(found.keys().cloned().collect())
}

/// Not merely denied, which a line in the code could lift: forbidden, in every package.
fn unsafe_code_is_forbidden(workspace: &Workspace) -> Result<()> {
    let root: toml::Value = read_manifest(&workspace.root.join("Cargo.toml"))?;
    let lint = &root["workspace"]["lints"]["rust"]["unsafe_code"];
    ensure!(
        lint.as_str() == Some("forbid"),
        "Cargo.toml: unsafe_code: {lint:?}"
    );
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--offline", "--format-version=1"]);
    let metadata: Value = serde_json::from_str(&output(command.current_dir(&workspace.root))?)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    for package in packages {
        let path = package["manifest_path"].as_str().context("no path")?;
        let manifest = read_manifest(path.as_ref())?;
        let inherits = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        ensure!(
            inherits.and_then(toml::Value::as_bool) == Some(true),
            "{}: `[lints] workspace = true` is missing",
            package["name"]
        );
    }
    Ok(())
}

fn read_manifest(path: &std::path::Path) -> Result<toml::Value> {
    let text = std::fs::read_to_string(path)?;
    toml::from_str(&text).with_context(|| format!("{}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn findings_of_npm_are_told_from_no_answer() {
        let good = json!({"auditReportVersion": 2, "vulnerabilities": {}});
        assert_eq!(findings_of_npm(&good), Some(Vec::new()));
        let bad = json!({"auditReportVersion": 2, "vulnerabilities": {"left-pad": {}}});
        assert_eq!(findings_of_npm(&bad), Some(vec!["left-pad".into()]));
        let refused = json!({"message": "405 Method Not Allowed", "error": {}});
        assert_eq!(findings_of_npm(&refused), None);
        assert_eq!(findings_of_npm(&Value::Null), None);
    }
}
