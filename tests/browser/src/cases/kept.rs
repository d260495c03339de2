//! What is kept: recent results, a run that a reload cut short; and a browser that keeps nothing.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::failures::prepared;
use super::lab::{finished, iteration, notice, reached, state};
use super::runs::LONG;
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        results_survive_and_are_shown_without_a_run,
        a_reload_in_a_long_run_keeps_its_curve: 120,
        only_long_runs_are_warned_about: 120,
        two_tabs_lose_nothing_to_each_other: 120,
        a_file_is_kept_by_name_and_hash_alone,
        no_more_than_ten_results_are_kept: 120,
        records_of_another_version_are_passed_over: 120,
        a_browser_that_keeps_nothing_is_good_enough: 180,
    ]
}

async fn items(page: &Page) -> Result<Vec<String>> {
    let script = "return [...document.querySelectorAll('.recent-list button')] \
        .map(button => button.dataset.link)";
    page.js(script, vec![]).await
}

async fn count(page: &Page, wanted: usize) -> Result<()> {
    page.until(&format!("{wanted} recent results"), async || {
        Ok(items(page).await?.len() == wanted)
    })
    .await
}

async fn open_item(page: &Page, part: &str) -> Result<()> {
    let script = "document.querySelector('.recent').open = true; \
        [...document.querySelectorAll('.recent-list button')] \
          .find(button => button.dataset.link.includes(arguments[0])).click(); return null";
    page.js(script, vec![json!(part)]).await
}

async fn results_survive_and_are_shown_without_a_run(page: &Page) -> Result<()> {
    page.open("#k=indirect&i=5").await?;
    let digest = finished(page).await?;
    count(page, 1).await?;
    page.open("").await?;
    finished(page).await?;
    count(page, 1).await?;
    page.js::<()>("performance.clearMarks(); return null", vec![])
        .await?;
    open_item(page, "k=indirect").await?;
    ensure!(finished(page).await? == digest);
    page.wait_text("status", "not computed again").await?;
    page.wait_text("where-words", "By iteration 5").await?;
    let runs: usize = page
        .js("return performance.getEntriesByName('run').length", vec![])
        .await?;
    ensure!(runs == 0, "it was computed again");
    ensure!(page.property("field-iterations", "value").await?.as_deref() == Some("5"));
    page.until("the link in the address", async || {
        Ok(page.fragment().await?.contains(&format!("r={digest}")))
    })
    .await?;
    page.screenshot_whole("recent").await?;
    page.click("run").await?;
    notice(page, "Reproduced bit for bit").await?;
    ensure!(finished(page).await? == digest);
    page.click("forget-all").await?;
    count(page, 0).await?;
    page.wait_hidden("recent").await?;
    Ok(())
}

async fn a_reload_in_a_long_run_keeps_its_curve(page: &Page) -> Result<()> {
    // A user is asked; a script that has touched nothing is not.
    page.expect_console_error("Blocked attempt to show a 'beforeunload'");
    page.open(LONG).await?;
    iteration(page, 5).await?;
    // What keeps results is loaded within three seconds, and notes how far a run is every second.
    tokio::time::sleep(Duration::from_millis(4500)).await;
    ensure!(
        state(page).await? == "running",
        "the run is too short for this"
    );
    page.reload().await?;
    notice(page, "Interrupted at iteration").await?;
    reached(page, "cancelled", Duration::from_secs(10)).await?;
    page.wait_text("headline", "of 1000").await?;
    let script = "return document.querySelector('#curve canvas').getAttribute('aria-label')";
    let label: String = page.js(script, vec![]).await?;
    ensure!(label.starts_with("Interrupted at iteration"), "{label}");
    count(page, 1).await?;
    page.screenshot_whole("interrupted").await?;
    page.click("act-run").await?;
    reached(page, "running", Duration::from_secs(5)).await?;
    page.click("cancel").await?;
    // A reload after that is an ordinary one.
    page.reload().await?;
    reached(page, "running", Duration::from_secs(10)).await?;
    page.click("cancel").await?;
    Ok(())
}

/// Would the browser ask before the page is left?
async fn asks(page: &Page) -> Result<bool> {
    let script = "const event = new Event('beforeunload', { cancelable: true }); \
        dispatchEvent(event); return event.defaultPrevented";
    page.js(script, vec![]).await
}

async fn only_long_runs_are_warned_about(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    ensure!(!asks(page).await?, "nothing goes on");
    page.expect_console_error("Blocked attempt to show a 'beforeunload'");
    page.open(LONG).await?;
    page.wait_text("status", "Iteration").await?;
    ensure!(!asks(page).await?, "the run has just begun");
    page.until("the warning", async || asks(page).await).await?;
    page.click("cancel").await?;
    ensure!(!asks(page).await?, "it is over");
    super::lab::needs("landmine")?;
    page.open("?workers=1#view=figure2").await?;
    page.wait_text("figure-status", "runs on").await?;
    page.click("figure-run").await?;
    page.until("the warning", async || asks(page).await).await?;
    page.click("figure-cancel").await?;
    ensure!(!asks(page).await?, "the sweep is over");
    Ok(())
}

async fn two_tabs_lose_nothing_to_each_other(page: &Page) -> Result<()> {
    page.open("#i=4").await?;
    finished(page).await?;
    let first = page.driver.window().await?;
    let second = page.driver.new_tab().await?;
    page.driver.switch_to_window(second.clone()).await?;
    page.open("#i=5").await?;
    finished(page).await?;
    count(page, 2).await?;
    for round in 6..10 {
        for tab in [&first, &second] {
            page.driver.switch_to_window(tab.clone()).await?;
            let iterations = if *tab == first { round } else { round + 10 };
            page.set("field-iterations", &iterations.to_string())
                .await?;
            page.click("run").await?;
        }
    }
    count(page, 10).await?;
    // Another version of the page may change the store while both tabs are open, as soon as what
    // they write is written.
    let script = "const done = arguments[0]; const opening = indexedDB.open('patom-lab', 2); \
        opening.onsuccess = () => { opening.result.close(); done('open'); }; \
        opening.onerror = () => done(String(opening.error))";
    let outcome: String = page.js_later(script, vec![]).await?;
    ensure!(outcome == "open", "{outcome}");
    page.set("field-iterations", "3").await?;
    page.click("run").await?;
    finished(page).await?;
    page.wait_text("recent-problem", "Results are not kept")
        .await?;
    page.driver.close_window().await?;
    page.driver.switch_to_window(first).await?;
    Ok(())
}

async fn a_file_is_kept_by_name_and_hash_alone(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    let mut csv = String::from("task,label,x1,x2\n");
    for task in 1..=3 {
        for k in 0..12 {
            let x = f64::from(k) / 7.0 + f64::from(task) * 0.01;
            csv += &format!("task-{task},{},{x},0.7364512\n", x * 2.0);
        }
    }
    page.upload_bytes("file", "private.csv", csv.as_bytes())
        .await?;
    page.wait_text("data-note", "private.csv").await?;
    let digest = finished(page).await?;
    count(page, 1).await?;
    let script = "const done = arguments[0]; const opening = indexedDB.open('patom-lab'); \
        opening.onsuccess = () => { const request = opening.result.transaction('results') \
          .objectStore('results').getAll(); \
          request.onsuccess = () => { opening.result.close(); done(JSON.stringify(request.result, \
            (_, value) => ArrayBuffer.isView(value) ? [...value] : value)); }; }";
    let stored: String = page.js_later(script, vec![]).await?;
    ensure!(stored.contains("private.csv") && stored.contains(&digest));
    ensure!(!stored.contains("0.7364512"), "the file's numbers are kept");
    // Shown again in a tab that does not have the file.
    page.open("").await?;
    finished(page).await?;
    count(page, 1).await?;
    open_item(page, "private.csv").await?;
    ensure!(finished(page).await? == digest);
    page.wait_text("data-note", "Open private.csv").await?;
    ensure!(page.property("run", "disabled").await?.as_deref() == Some("true"));
    Ok(())
}

async fn no_more_than_ten_results_are_kept(page: &Page) -> Result<()> {
    page.open("#i=1").await?;
    finished(page).await?;
    count(page, 1).await?;
    for iterations in 2..=12 {
        page.set("field-iterations", &iterations.to_string())
            .await?;
        page.click("run").await?;
        finished(page).await?;
    }
    page.until("the newest result", async || {
        Ok(items(page)
            .await?
            .first()
            .is_some_and(|link| link.contains("i=12")))
    })
    .await?;
    count(page, 10).await?;
    ensure!(
        !items(page)
            .await?
            .iter()
            .any(|link| link.ends_with("i=1") || link.ends_with("i=2"))
    );
    Ok(())
}

async fn records_of_another_version_are_passed_over(page: &Page) -> Result<()> {
    page.open("#i=2").await?;
    finished(page).await?;
    count(page, 1).await?;
    // As a version that is no more, or not yet, may have left them.
    let script = "const done = arguments[0]; const put = (name, table, records) => \
        new Promise(end => { const opening = indexedDB.open(name); opening.onsuccess = () => { \
          const change = opening.result.transaction(table, 'readwrite'); \
          for (const record of records) change.objectStore(table).put(record); \
          change.oncomplete = () => { opening.result.close(); end(); }; }; }); \
        put('patom-lab', 'results', [{ id: 'a', state: 'done', at: 1e12, run: {}, \
          report: { digest: 'x' } }, { id: 'b' }]).then(() => done(null))";
    page.js_later::<()>(script, vec![]).await?;
    page.open("#i=3").await?;
    finished(page).await?;
    count(page, 2).await?;
    page.js::<()>(
        "document.querySelector('.recent').open = true; return null",
        vec![],
    )
    .await?;
    page.wait_text("recent-list", "2 more of another version")
        .await?;
    page.wait_hidden("recent-problem").await?;
    super::figures::open(page, 1, "").await?;
    for plan in [
        "undefined",
        "{ engine: arguments[0] }",
        "{ engine: arguments[0], datasets: ['x'], seeds: 1 }",
    ] {
        let script = format!(
            "const done = arguments[1]; const opening = indexedDB.open('patom-lab-figures', 1); \
             opening.onsuccess = () => {{ const change = opening.result.transaction('runs', 'readwrite'); \
               change.objectStore('runs').put({{ figure: 1, sweep: 'old', run: -1, plan: {plan} }}); \
               change.oncomplete = () => {{ opening.result.close(); done(null); }}; }}"
        );
        let version = page.text("engine-version").await?;
        page.js_later::<()>(&script, vec![json!(version)]).await?;
        super::figures::open(page, 1, "").await?;
        page.wait_text("figure-status", "runs on").await?;
    }
    Ok(())
}

async fn a_browser_that_keeps_nothing_is_good_enough(page: &Page) -> Result<()> {
    for (k, (script, words)) in [
        (
            "Object.defineProperty(window, 'indexedDB', { value: undefined })",
            "Results are not kept",
        ),
        (
            "IDBFactory.prototype.open = () => { throw new DOMException('denied', 'SecurityError') }",
            "denied",
        ),
        ("IDBFactory.prototype.open = () => ({})", "does not answer"),
        (
            "IDBObjectStore.prototype.put = () => { \
               throw new DOMException('the quota is used up', 'QuotaExceededError') }",
            "the quota is used up",
        ),
        (
            "for (const name of ['indexedDB', 'sessionStorage', 'localStorage', 'caches']) \
               Object.defineProperty(window, name, { get() { \
                 throw new DOMException('blocked by the user', 'SecurityError') } })",
            "blocked by the user",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let server = prepared(page, &format!("keeps-nothing-{k}"), script)?;
        page.driver.goto(format!("{}#i=3", server.url())).await?;
        finished(page).await?;
        page.wait_text("recent-problem", words).await?;
        page.wait_text("recent-problem", "All else works").await?;
        page.set("field-iterations", "4").await?;
        page.click("run").await?;
        finished(page).await?;
        page.wait_text("status", "4 iterations").await?;
        let left = page.text("notices").await?;
        ensure!(left.is_empty(), "{words}: {left}");
        ensure!(state(page).await? == "done");
    }
    Ok(())
}
