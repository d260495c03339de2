//! Everywhere: installed, without a server, and from one version to the next.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use xtask::server::FaultKind;
use xtask::site::{self, Files};
use xtask::workspace::Workspace;

use super::failures::altered;
use super::lab::{finished, iteration, needs, reached, state};
use super::runs::LONG;
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        after_one_visit_the_page_works_without_a_server: 120,
        a_run_does_not_keep_the_page_from_being_kept: 120,
        data_that_were_fetched_work_without_a_server: 120,
        data_that_come_late_on_a_first_visit_are_kept: 120,
        all_data_are_kept_on_request: 120,
        a_host_that_hangs_does_not_keep_a_known_page_waiting: 120,
        a_new_version_leaves_an_open_tab_its_files_and_its_run: 240,
        what_a_host_altered_is_not_kept: 120,
        a_browser_whose_store_of_files_is_broken_loads_them: 120,
        the_page_can_be_installed,
    ]
}

/// What a browser says in its console when there is no connection.
fn without_a_server(page: &Page) {
    for error in [
        "ERR_CONNECTION_REFUSED",
        "ERR_FAILED",
        "when fetching the script",
    ] {
        page.expect_console_error(error);
    }
}

/// Waits until the page says that it is kept.
async fn kept(page: &Page) -> Result<()> {
    page.wait_text("offline", "Works without a connection")
        .await
}

/// The caches of the page: name and number of files.
async fn caches(page: &Page) -> Result<Vec<(String, usize)>> {
    let script = "const done = arguments[0]; caches.keys().then(names => Promise.all(names.map( \
        async name => [name, (await (await caches.open(name)).keys()).length]))).then(done)";
    page.js_later(script, vec![]).await
}

/// How many versions of the page are kept.
async fn versions(page: &Page) -> Result<usize> {
    let all = caches(page).await?;
    Ok(all
        .iter()
        .filter(|(name, _)| !name.ends_with(" data"))
        .count())
}

async fn after_one_visit_the_page_works_without_a_server(page: &Page) -> Result<()> {
    without_a_server(page);
    page.open("").await?;
    let digest = finished(page).await?;
    kept(page).await?;
    page.server.stop();
    for address in ["", "#k=indirect&i=4"] {
        page.open_kept(address).await?;
        let now = finished(page).await?;
        ensure!((now == digest) == address.is_empty(), "{address}: {now}");
    }
    page.reload_itself().await?;
    finished(page).await?;
    // Files of the page that were not needed before.
    page.open_kept("#view=figure1").await?;
    page.wait_text("figure-claim", "a").await?;
    // What was never fetched is said in words, and nothing breaks.
    needs("landmine")?;
    page.open_kept("#d=landmine").await?;
    reached(page, "failed", Duration::from_secs(20)).await?;
    page.wait_text("error-dataset", "no connection").await?;
    page.screenshot("offline-without-data").await?;
    page.open_kept("").await?;
    ensure!(finished(page).await? == digest);
    page.server.resume()?;
    page.open("#d=landmine&i=2").await?;
    finished(page).await?;
    Ok(())
}

async fn a_run_does_not_keep_the_page_from_being_kept(page: &Page) -> Result<()> {
    // Its worker hears nothing for as long as it runs.
    page.open(&format!("{LONG}&b=1")).await?;
    iteration(page, 1).await?;
    let script = "const done = arguments[0]; const look = setInterval(async () => { \
        const registration = await navigator.serviceWorker.getRegistration(); \
        const { state } = registration?.active ?? {}; \
        const { state: run } = document.getElementById('results').dataset; \
        if (state !== 'activated' && run === 'running') return; \
        clearInterval(look); done(state + ', ' + run); }, 100)";
    let seen: String = page.js_later(script, vec![]).await?;
    ensure!(seen == "activated, running", "{seen}");
    // What the page asks for now goes by way of the service worker.
    let script = "const [done] = arguments; \
        fetch(document.querySelector('script[type=module]').src).then(({ ok }) => done(ok))";
    ensure!(page.js_later::<bool>(script, vec![]).await?);
    kept(page).await?;
    ensure!(state(page).await? == "running", "it came after the run");
    Ok(())
}

async fn data_that_were_fetched_work_without_a_server(page: &Page) -> Result<()> {
    needs("sarcos")?;
    without_a_server(page);
    // On the very first visit, before there is a service worker.
    page.open("#d=sarcos&i=3").await?;
    let digest = finished(page).await?;
    page.wait_text("offline", "1 of").await?;
    page.server.stop();
    page.open_kept("#d=sarcos&i=3").await?;
    ensure!(finished(page).await? == digest);
    page.server.resume()?;
    Ok(())
}

async fn data_that_come_late_on_a_first_visit_are_kept(page: &Page) -> Result<()> {
    needs("sarcos")?;
    // Asked for before there is a service worker, there when it is.
    let late = FaultKind::Slow(Duration::from_secs(8));
    page.server.fault("sarcos", late);
    page.open("#d=sarcos&i=3").await?;
    kept(page).await?;
    page.server.heal();
    finished(page).await?;
    page.wait_text("offline", "1 of").await
}

async fn all_data_are_kept_on_request(page: &Page) -> Result<()> {
    needs("landmine")?;
    without_a_server(page);
    page.open("").await?;
    finished(page).await?;
    kept(page).await?;
    page.click("keep-data").await?;
    page.wait_text("offline", "all data sets").await?;
    page.server.stop();
    page.open_kept("#d=landmine&i=2").await?;
    finished(page).await?;
    page.server.resume()?;
    Ok(())
}

async fn a_host_that_hangs_does_not_keep_a_known_page_waiting(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    kept(page).await?;
    page.server
        .fault("", FaultKind::Slow(Duration::from_secs(25)));
    let begun = std::time::Instant::now();
    page.open_kept("#i=2").await?;
    finished(page).await?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(seconds < 15.0, "{seconds} s");
    page.server.heal();
    page.server.fault("/some/folder/", FaultKind::Status(503));
    page.expect_console_error("503");
    page.open_kept("#i=3").await?;
    finished(page).await?;
    page.server.heal();
    Ok(())
}

/// The site as the next version: one more file.
fn version(mark: &str) -> Result<Files> {
    let root = Workspace::find()?.root;
    let mut www = site::read_folder(&root.join("www"))?;
    www.insert("version.txt".into(), mark.as_bytes().to_vec());
    let data = site::read_folder(&root.join("dist/data"))?;
    let landmine = data
        .into_iter()
        .filter(|(name, _)| name.starts_with("landmine"));
    let bundles = landmine.map(|(_, bytes)| ("landmine.bundle".into(), bytes));
    site::assemble(www, "pkg", &bundles.collect(), "0.1.0")
}

async fn a_new_version_leaves_an_open_tab_its_files_and_its_run(page: &Page) -> Result<()> {
    needs("landmine")?;
    let folder = page.folder.join("site");
    site::write(&version("one")?, &folder)?;
    let server = page.serve(&folder, "/lab/")?;
    page.driver.goto(format!("{}#i=2", server.url())).await?;
    finished(page).await?;
    page.wait_text("offline", "Works without").await?;
    let address = "return document.querySelector('script[src]').src";
    let old: String = page.js(address, vec![]).await?;
    ensure!(versions(page).await? == 1, "{:?}", caches(page).await?);
    page.js::<()>(
        "document.getElementById('dataset-landmine').click(); return null",
        vec![],
    )
    .await?;
    page.js::<()>(
        "document.getElementById('field-step-constant').click(); return null",
        vec![],
    )
    .await?;
    page.set("field-iterations", "1000").await?;
    page.click("run").await?;
    page.wait_text("status", "Iteration").await?;
    site::write(&version("two")?, &folder)?;
    // As a browser does from time to time.
    let script = "navigator.serviceWorker.getRegistration() \
        .then(registration => registration.update()); return null";
    page.js::<()>(script, vec![]).await?;
    // The run takes what the machine has.
    page.until_within(Duration::from_secs(90), "the notice", async || {
        Ok(page
            .text("notices")
            .await?
            .contains("A new version of this page is ready"))
    })
    .await?;
    ensure!(state(page).await? == "running", "the run was disturbed");
    let before = iteration(page, 1).await?;
    iteration(page, before + 1).await?;
    page.screenshot("new-version").await?;
    // The host has these files no more; this tab has.
    let script =
        "const done = arguments[1]; fetch(arguments[0]).then(answer => done(answer.status))";
    let status: u32 = page.js_later(script, vec![json!(old)]).await?;
    ensure!(status == 200, "{status}");
    page.click("cancel").await?;
    page.click("to-figures").await?;
    page.wait_text("figure-claim", "a").await?;
    page.click("to-lab").await?;

    page.click("act-version").await?;
    page.until("the new version", async || {
        Ok(page.js::<String>(address, vec![]).await? != old)
    })
    .await?;
    page.until("the old files to go", async || {
        Ok(versions(page).await? == 1)
    })
    .await?;
    Ok(())
}

async fn what_a_host_altered_is_not_kept(page: &Page) -> Result<()> {
    needs("sarcos")?;
    page.server.fault("favicon.svg", FaultKind::Altered(10));
    page.server.fault("sarcos", FaultKind::Altered(5000));
    page.open("").await?;
    finished(page).await?;
    let script = "const done = arguments[0]; navigator.serviceWorker \
        .register('sw.js').then(async registration => { \
          const worker = registration.installing; \
          if (worker) await new Promise(end => worker.onstatechange = () => \
            worker.state === 'redundant' && end()); \
          done(registration.active === null); })";
    let none: bool = page.js_later(script, vec![]).await?;
    ensure!(none, "a version with an altered file was installed");
    ensure!(page.text("offline").await?.is_empty());
    page.server.heal();
    page.server.fault("sarcos", FaultKind::Altered(5000));
    page.open("#d=sarcos").await?;
    reached(page, "failed", Duration::from_secs(20)).await?;
    page.wait_text("offline", "0 of").await?;
    // Now through the service worker.
    page.open("#d=sarcos").await?;
    reached(page, "failed", Duration::from_secs(20)).await?;
    let data: usize = caches(page)
        .await?
        .iter()
        .filter(|(name, _)| name.ends_with("data"))
        .map(|(_, files)| files)
        .sum();
    ensure!(data == 0, "{data} altered data sets are kept");
    Ok(())
}

async fn a_browser_whose_store_of_files_is_broken_loads_them(page: &Page) -> Result<()> {
    needs("sarcos")?;
    let script = "let broken = false; \
        addEventListener('message', ({ data }) => { if (data === 'break') broken = true; }); \
        for (const name of ['open', 'keys']) { const works = caches[name].bind(caches); \
          caches[name] = (...all) => broken ? Promise.reject(new Error('broken')) : works(...all); }";
    let server = altered(page, "broken-store", |files| {
        if let Some(worker) = files.get_mut("sw.js") {
            worker.splice(0..0, format!("{script}\n").into_bytes());
        }
    })?;
    page.driver.goto(server.url()).await?;
    finished(page).await?;
    kept(page).await?;
    let script = "navigator.serviceWorker.controller.postMessage('break'); return null";
    page.js::<()>(script, vec![]).await?;
    page.reload_itself().await?;
    finished(page).await?;
    page.js::<()>(
        "document.getElementById('try-sarcos').click(); return null",
        vec![],
    )
    .await?;
    page.wait_text("data-note", "7 tasks").await?;
    finished(page).await?;
    Ok(())
}

async fn the_page_can_be_installed(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    kept(page).await?;
    let manifest = page.cdp("Page.getAppManifest", json!({})).await?;
    let errors = manifest["errors"].as_array().context("errors")?;
    ensure!(errors.is_empty(), "{errors:?}");
    ensure!(
        manifest["data"]
            .as_str()
            .is_some_and(|text| text.contains("PATOM"))
    );
    let problems = page.cdp("Page.getInstallabilityErrors", json!({})).await?;
    let problems: Vec<Value> = problems["installabilityErrors"]
        .as_array()
        .context("installability")?
        .iter()
        // A window without traces installs nothing, whatever the page.
        .filter(|problem| problem["errorId"] != "in-incognito")
        .cloned()
        .collect();
    ensure!(problems.is_empty(), "{problems:?}");
    Ok(())
}
