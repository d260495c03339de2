//! What can go wrong around a run: each is said in words, and the next run works.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use xtask::server::{FaultKind, Server};
use xtask::site::{self, Files};
use xtask::workspace::Workspace;

use super::lab::{finished, needs, notice, raw_file, reached};
use crate::cases;
use crate::engine::Engine;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        a_panic_is_shown_and_survived,
        a_run_that_broke_down_begins_again: 60,
        a_wrong_result_is_noticed_where_runs_are_computed_twice: 60,
        a_second_computation_is_said_and_can_be_cancelled: 120,
        a_killed_worker_is_noticed_and_survived,
        a_data_set_that_is_missing_says_where_to_put_which_file: 120,
        a_bundle_that_cannot_be_loaded_is_explained,
        an_altered_bundle_is_refused,
        a_bundle_that_breaks_off_is_explained_and_loaded_anew,
        too_little_memory_is_said_and_survived,
        a_worker_that_cannot_start_is_said_and_not_tried_for_ever,
        an_old_link_reproduces_and_a_newer_one_is_refused,
        values_out_of_range_are_explained_beside_the_field,
        a_host_that_sends_wasm_with_a_wrong_type_is_good_enough,
        a_page_whose_parts_do_not_come_says_so,
        parts_that_did_not_come_are_asked_for_again,
    ]
}

const SOON: Duration = Duration::from_secs(20);

async fn a_panic_is_shown_and_survived(page: &Page) -> Result<()> {
    page.expect_console_error("a panic was asked for");
    page.open("?fail=panic&fail=panic").await?;
    reached(page, "failed", SOON).await?;
    notice(page, "a panic was asked for").await?;
    page.screenshot("panic").await?;
    page.click("run").await?;
    finished(page).await?;
    let left = page.text("notices").await?;
    ensure!(left.is_empty(), "{left}");
    Ok(())
}

async fn a_run_that_broke_down_begins_again(page: &Page) -> Result<()> {
    page.expect_console_error("a panic was asked for");
    page.expect_console_error("RuntimeError");
    const RUN: &str = "#i=3&r=67cbf802fc80d3bf";
    // The first attempts at the first and the second run.
    page.open(&format!("?fail=panic&fail=&fail=panic{RUN}"))
        .await?;
    let digest = finished(page).await?;
    notice(page, "this run began again").await?;
    notice(page, "Reproduced bit for bit").await?;
    page.screenshot("broke-down-once").await?;
    // Where the host does not give the engine once more, that of the page has to do.
    page.expect_console_error("404");
    page.server.fault("engine_bg", FaultKind::Status(404));
    page.click("run").await?;
    ensure!(finished(page).await? == digest);
    notice(page, "this run began again").await?;
    page.click("run").await?;
    ensure!(finished(page).await? == digest);
    let left = page.text("notices").await?;
    ensure!(left.is_empty(), "{left}");
    Ok(())
}

/// Has any engine compute each run twice; WebKit does so of itself.
pub(super) const fn twice(engine: Engine) -> &'static str {
    match engine {
        Engine::Webkit => "",
        Engine::Chromium | Engine::Firefox => "twice&",
    }
}

async fn a_wrong_result_is_noticed_where_runs_are_computed_twice(page: &Page) -> Result<()> {
    const RUN: &str = "#i=3&r=67cbf802fc80d3bf";
    const WORDS: &str = "two computations of this run had different results";
    let twice = twice(page.engine);
    page.open(&format!("?{twice}fail=wrong{RUN}")).await?;
    let digest = finished(page).await?;
    ensure!(digest.starts_with("67cbf802fc80d3bf"), "{digest}");
    notice(page, WORDS).await?;
    notice(page, "this run began again").await?;
    notice(page, "Reproduced bit for bit").await?;
    // Wrong twice: no result is better than one of two.
    page.open(&format!("?{twice}fail=wrong&fail=wrong{RUN}"))
        .await?;
    reached(page, "failed", SOON).await?;
    notice(page, WORDS).await?;
    page.screenshot("two-results").await?;
    page.click("run").await?;
    ensure!(finished(page).await? == digest);
    let left = page.text("notices").await?;
    ensure!(!left.contains(WORDS), "{left}");
    Ok(())
}

async fn a_second_computation_is_said_and_can_be_cancelled(page: &Page) -> Result<()> {
    page.open(&format!("?{}#p=constant&i=1000", twice(page.engine)))
        .await?;
    page.until_within(
        Duration::from_mins(1),
        "the second computation",
        async || Ok(page.text("status").await?.contains("Once more, to compare")),
    )
    .await?;
    page.screenshot("computed-once-more").await?;
    page.click("cancel").await?;
    reached(page, "cancelled", SOON).await?;
    page.set("field-iterations", "3").await?;
    page.click("run").await?;
    finished(page).await?;
    Ok(())
}

async fn a_killed_worker_is_noticed_and_survived(page: &Page) -> Result<()> {
    page.open("?fail=close#p=constant&i=1000").await?;
    reached(page, "failed", SOON).await?;
    notice(page, "The browser ended the calculation").await?;
    page.set("field-iterations", "3").await?;
    page.click("run").await?;
    finished(page).await?;
    Ok(())
}

/// The site as it is built where no data set can be had.
pub(super) fn without_data(page: &Page) -> Result<Arc<Server>> {
    altered(page, "without-data", |files| {
        files.retain(|path, _| !path.starts_with("data/"));
        for (path, bytes) in files {
            if path.ends_with("pkg/build.js") {
                *bytes = site::build_module("0.1.0", &serde_json::Map::new()).into_bytes();
            }
        }
    })
}

/// The site with a script that runs before all others: for what a browser lacks or refuses.
pub(super) fn prepared(page: &Page, name: &str, script: &str) -> Result<Arc<Server>> {
    altered(page, name, |files| {
        for (path, bytes) in files {
            if path.ends_with("/early.js") {
                bytes.splice(0..0, format!("{{ {script} }}\n").into_bytes());
            }
        }
    })
}

/// The site, which lists its workers in `workers`.
pub(super) fn counting_workers(page: &Page) -> Result<Arc<Server>> {
    let script = "const Plain = Worker; window.workers = []; \
        window.Worker = class extends Plain { \
          constructor(...all) { super(...all); workers.push(this); } };";
    prepared(page, "counted-workers", script)
}

/// A copy of the site with some files changed, on a server of its own.
pub(super) fn altered(
    page: &Page,
    name: &str,
    change: impl FnOnce(&mut Files),
) -> Result<Arc<Server>> {
    let mut files = site::read_folder(&Workspace::find()?.root.join("dist"))?;
    change(&mut files);
    let copy = page.folder.join(name);
    site::write(&files, &copy)?;
    page.serve(&copy, "/")
}

async fn a_data_set_that_is_missing_says_where_to_put_which_file(page: &Page) -> Result<()> {
    let server = without_data(page)?;
    page.driver.goto(server.url()).await?;
    finished(page).await?;
    page.leave(&server).await?;
    page.driver
        .goto(format!("{}#d=sarcos", server.url()))
        .await?;
    reached(page, "idle", SOON).await?;
    page.wait_text("data-note", "sarcos_inv_test.mat").await?;
    let said = page.text("data-note").await?;
    ensure!(said.contains("PATOM_DATA"), "{said}");
    ensure!(page.property("run", "disabled").await?.as_deref() == Some("true"));
    page.screenshot("missing-data").await?;
    let path = raw_file("sarcos_inv_test.mat")?;
    // The button opens the browser's own dialogue, which nobody answers here.
    let script = "HTMLInputElement.prototype.click = () => {}; \
        document.querySelector('[data-testid=open-raw]').click(); return null";
    page.js::<()>(script, vec![]).await?;
    page.upload("file", &path).await?;
    finished(page).await?;
    page.wait_text("headline", "NMSE").await?;
    Ok(())
}

async fn a_bundle_that_cannot_be_loaded_is_explained(page: &Page) -> Result<()> {
    needs("landmine")?;
    page.expect_console_error("404");
    page.server.fault("landmine", FaultKind::Status(404));
    page.open("#d=landmine").await?;
    reached(page, "failed", SOON).await?;
    page.wait_text("error-dataset", "404").await?;
    page.wait_text("data-note", "LandmineData.mat").await?;
    page.server.heal();
    page.click("run").await?;
    finished(page).await?;
    Ok(())
}

async fn an_altered_bundle_is_refused(page: &Page) -> Result<()> {
    needs("sarcos")?;
    for fault in [FaultKind::Truncated(1000), FaultKind::Altered(5000)] {
        page.server.fault("sarcos", fault.clone());
        page.open("#d=sarcos").await?;
        reached(page, "failed", SOON).await?;
        page.wait_text("error-dataset", "sarcos").await?;
        page.server.heal();
    }
    Ok(())
}

async fn a_bundle_that_breaks_off_is_explained_and_loaded_anew(page: &Page) -> Result<()> {
    needs("landmine")?;
    page.expect_console_error("Failed to load resource");
    page.server.fault("landmine", FaultKind::Broken(100_000));
    page.open("#d=landmine&i=2").await?;
    reached(page, "failed", SOON).await?;
    page.wait_text("error-dataset", "the connection broke off")
        .await?;
    page.server.heal();
    page.click("run").await?;
    finished(page).await?;
    page.wait_hidden("error-dataset").await?;
    Ok(())
}

async fn too_little_memory_is_said_and_survived(page: &Page) -> Result<()> {
    page.open("?fail=memory#i=2").await?;
    reached(page, "failed", SOON).await?;
    notice(page, "not enough memory").await?;
    page.screenshot("no-memory").await?;
    page.click("run").await?;
    finished(page).await?;
    let left = page.text("notices").await?;
    ensure!(left.is_empty(), "{left}");
    Ok(())
}

async fn a_worker_that_cannot_start_is_said_and_not_tried_for_ever(page: &Page) -> Result<()> {
    page.expect_console_error("404");
    let server = counting_workers(page)?;
    server.fault("worker.js", FaultKind::Status(404));
    page.driver.goto(format!("{}#i=2", server.url())).await?;
    reached(page, "failed", SOON).await?;
    notice(page, "The browser ended the calculation").await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    // One for the page, one for the run, if the first was given up before the run was asked for.
    let tries: usize = page.js("return workers.length", vec![]).await?;
    ensure!((1..=2).contains(&tries), "{tries} workers were started");
    server.heal();
    page.click("run").await?;
    finished(page).await?;
    Ok(())
}

async fn an_old_link_reproduces_and_a_newer_one_is_refused(page: &Page) -> Result<()> {
    // As it was written by the first version: it stays true for ever.
    page.open("#v=1&i=3&e=0.1.0&r=67cbf802fc80d3bf").await?;
    finished(page).await?;
    notice(page, "Reproduced bit for bit").await?;
    page.open("#v=2&i=3&new-thing=7&r=67cbf802fc80d3bf").await?;
    finished(page).await?;
    let said = page.text("notices").await?;
    ensure!(
        said.contains("cannot be used") && said.contains("newer"),
        "{said}"
    );
    page.screenshot("newer-link").await?;
    page.set("field-iterations", "3").await?;
    page.click("run").await?;
    ensure!(finished(page).await? == "67cbf802fc80d3bf");
    Ok(())
}

async fn values_out_of_range_are_explained_beside_the_field(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    for (field, value, part) in [
        ("budget", "-1", "a number from 0"),
        ("budget", "much", "a number from 0"),
        ("iterations", "2.5", "a whole number"),
        ("lambda1", "0", "a number from"),
        ("epsilon", "1e-13", "1e-12"),
        ("seed", "9007199254740992", "a whole number"),
    ] {
        let (input, error) = (format!("field-{field}"), format!("error-{field}"));
        let before = page.property(&input, "value").await?.unwrap_or_default();
        page.set(&input, value).await?;
        page.wait_text(&error, part).await?;
        let script = "const input = document.getElementById(arguments[0]); return [\
            input.getAttribute('aria-invalid'), \
            input.getAttribute('aria-describedby').split(' ').includes(arguments[1]), \
            document.getElementById('run').disabled]";
        let seen: (String, bool, bool) = page
            .js(script, vec![input.as_str().into(), error.as_str().into()])
            .await?;
        ensure!(seen == ("true".into(), true, true), "{field}: {seen:?}");
        if field == "budget" {
            page.screenshot("bad-value").await?;
        }
        page.set(&input, &before).await?;
        page.wait_hidden(&error).await?;
    }
    for task in 0..8 {
        let id = format!("targets-{task}");
        let script = "const box = document.getElementById(arguments[0]); \
            if (box.checked) box.click(); return null";
        page.js::<()>(script, vec![id.into()]).await?;
    }
    page.wait_text("error-targets", "task numbers").await?;
    Ok(())
}

async fn a_host_that_sends_wasm_with_a_wrong_type_is_good_enough(page: &Page) -> Result<()> {
    page.server.fault(
        "_bg.wasm",
        FaultKind::Header("content-type", "application/octet-stream"),
    );
    page.open("").await?;
    finished(page).await?;
    Ok(())
}

async fn a_page_whose_parts_do_not_come_says_so(page: &Page) -> Result<()> {
    page.expect_console_error("503");
    page.server.fault("form.js", FaultKind::Status(503));
    page.open("").await?;
    page.wait_text("headline", "could not be loaded").await?;
    page.wait_text("status", "reload").await?;
    page.wait_hidden("tour").await?;
    page.screenshot("missing-part").await?;
    page.server.heal();
    page.open("").await?;
    finished(page).await?;
    Ok(())
}

async fn parts_that_did_not_come_are_asked_for_again(page: &Page) -> Result<()> {
    page.expect_console_error("503");
    // Not from what the browser keeps.
    let script = "Object.defineProperty(navigator, 'serviceWorker', { value: undefined })";
    let server = prepared(page, "no-service-worker", script)?;
    for part in ["story.js", "examples.js"] {
        server.fault(part, FaultKind::Status(503));
    }
    page.driver.goto(server.url()).await?;
    finished(page).await?;
    page.click("tour").await?;
    notice(page, "The tour could not be loaded").await?;
    page.click("all-examples").await?;
    notice(page, "The examples could not be loaded").await?;
    page.set("field-iterations", "3").await?;
    page.click("run").await?;
    finished(page).await?;
    let said = page.text("notices").await?;
    ensure!(!said.contains("Something went wrong"), "{said}");
    server.heal();
    if page.engine == Engine::Firefox {
        // A module that did not come is not asked for again, whatever the page does: the notice
        // says what helps.
        page.reload().await?;
        finished(page).await?;
    }
    page.click("tour").await?;
    page.wait_visible("story").await?;
    let said = page.text("notices").await?;
    ensure!(!said.contains("tour could not"), "{said}");
    Ok(())
}
