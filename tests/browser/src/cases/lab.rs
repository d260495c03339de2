//! What the cases say about the lab: its states, its digests, its data. No cases here.

use std::cell::Cell;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use xtask::test::command_line_program;
use xtask::workspace::Workspace;

use crate::page::{Page, Skipped};

/// `starting`, `idle`, `running`, `done`, `cancelled` or `failed`.
pub async fn state(page: &Page) -> Result<String> {
    page.js(
        "return document.getElementById('results').dataset.state",
        vec![],
    )
    .await
}

/// Waits for the end of the run and returns its digest.
pub async fn finished(page: &Page) -> Result<String> {
    finished_within(page, Duration::from_secs(30)).await
}

/// The same with another limit.
pub async fn finished_within(page: &Page, limit: Duration) -> Result<String> {
    reached(page, "done", limit).await?;
    let digest: String = page
        .js(
            "return document.getElementById('results').dataset.digest",
            vec![],
        )
        .await?;
    ensure!(digest.len() == 16, "no digest: {digest}");
    Ok(digest)
}

/// Waits for a state.
pub async fn reached(page: &Page, wanted: &str, limit: Duration) -> Result<()> {
    page.until_within(limit, &format!("the state {wanted}"), async || {
        Ok(state(page).await? == wanted)
    })
    .await
}

/// Waits until a run has come to this iteration, and returns the one it has come to.
pub async fn iteration(page: &Page, least: u32) -> Result<u32> {
    let number = |status: &str| -> Option<u32> {
        let words = status.strip_prefix("Iteration ")?;
        words.split(' ').next()?.parse().ok()
    };
    let now = Cell::new(None);
    page.until(&format!("iteration {least} or a later one"), async || {
        now.set(number(&page.text("status").await?));
        Ok(now.get().is_some_and(|now| now >= least))
    })
    .await?;
    now.get().context("the iteration was there")
}

/// Waits until a notice says this.
pub async fn notice(page: &Page, part: &str) -> Result<()> {
    page.wait_text("notices", part).await
}

/// Ends the case unless this data set is in the site.
pub fn needs(name: &str) -> Result<()> {
    let path = Workspace::find()?.root.join("dist/build.json");
    let build: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    if build["data"].get(format!("{name}.bundle")).is_some() {
        Ok(())
    } else {
        Err(anyhow!(Skipped(format!("{name} is not in dist/"))))
    }
}

/// A raw file of a data set, if this machine has it.
pub fn raw_file(name: &str) -> Result<PathBuf> {
    let root = Workspace::find()?.root;
    xtask::data::folders(&root)
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| anyhow!(Skipped(format!("{name} is not on this machine"))))
}

/// The report of the native command line for a link.
pub fn native_report(page: &Page, link: &str) -> Result<Value> {
    // Built once, and that only where nothing did so before.
    static PROGRAM: Mutex<Option<PathBuf>> = Mutex::new(None);
    let workspace = Workspace::find()?;
    let mut built = PROGRAM.lock().unwrap_or_else(PoisonError::into_inner);
    let program = match &mut *built {
        Some(program) => program.clone(),
        none => none.insert(command_line_program(&workspace)?).clone(),
    };
    drop(built);
    let out = page.folder.join("native");
    let output = Command::new(program)
        .args(["run", link, "--out"])
        .arg(&out)
        // The files that the case has opened lie there.
        .arg("--data")
        .arg(&page.folder)
        .current_dir(&workspace.root)
        .output()?;
    // 1: a solver did not converge; the report is there all the same.
    ensure!(
        matches!(output.status.code(), Some(0 | 1)),
        "patom run {link}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read_to_string(out.join("report.json")).context("report.json")?;
    Ok(serde_json::from_str(&text)?)
}

/// Has all come that is loaded after the first result?
pub async fn complete(page: &Page) -> Result<bool> {
    let script = "return document.querySelector('#where canvas') !== null";
    page.js(script, vec![]).await
}
