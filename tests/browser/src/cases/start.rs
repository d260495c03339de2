//! The first minute.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use xtask::server::FaultKind;

use super::failures::altered;
use super::lab::{complete, finished, state};
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        the_page_opens_with_a_finished_synthetic_result,
        nothing_jumps_when_the_first_result_comes,
        nothing_jumps_when_the_rest_of_the_page_comes,
        nothing_jumps_on_a_phone_either,
        nothing_that_is_seen_shifts_while_a_slow_machine_starts,
        nothing_that_is_seen_shifts_when_the_page_comes_in_parts,
        every_example_runs,
        pictures_have_a_summary_and_a_table,
        the_heatmap_is_read_with_the_keyboard,
        a_run_is_made_and_cancelled_with_the_keyboard,
    ]
}

async fn the_page_opens_with_a_finished_synthetic_result(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    let headline = page.text("headline").await?;
    ensure!(headline.contains("NMSE"), "{headline}");
    let tiles = page.text("tiles").await?;
    ensure!(tiles.contains("NMSE before"), "{tiles}");
    let tasks = page.text("task-table").await?;
    ensure!(tasks.contains("T8") && tasks.contains("target"), "{tasks}");
    let maps: Vec<String> = page
        .js(
            "return [...document.querySelectorAll('#heatmaps canvas')].map(c => c.dataset.map)",
            vec![],
        )
        .await?;
    ensure!(
        maps == ["true", "clean", "attacked", "difference"],
        "{maps:?}"
    );
    // The promise is a second; a shared test machine gets three.
    let ready: f64 = page
        .js(
            "return performance.getEntriesByName('done')[0].startTime",
            vec![],
        )
        .await?;
    page.within("the first result", ready, 3000.0)?;
    Ok(())
}

/// From the first paint on there is room for what comes, however wide the page is. The document is
/// fetched again for what stood there at first.
async fn nothing_jumps_when_the_first_result_comes(page: &Page) -> Result<()> {
    page.elastic_viewport(1400, 900).await?;
    page.open("").await?;
    finished(page).await?;
    page.until("the rest of the page", async || complete(page).await)
        .await?;
    let script = "const done = arguments[arguments.length - 1]; \
        fetch(location.pathname).then(answer => answer.text()).then(text => { \
          const first = new DOMParser().parseFromString(text, 'text/html'); \
          const tops = () => ['headline', 'tour', 'status', 'tiles', 'keep-row', 'curve-card'].map(id => \
            Math.round(document.getElementById(id).getBoundingClientRect().top + scrollY)); \
          const after = tops(); \
          const back = ['presets', 'headline', 'scale', 'tiles', 'tour'].map(id => { \
            const shown = document.getElementById(id); \
            const old = document.importNode(first.getElementById(id), true); \
            shown.replaceWith(old); \
            return () => old.replaceWith(shown); }); \
          const before = tops(); \
          back.forEach(restore => restore()); \
          done([before, after]); })";
    for width in [360, 400, 600, 800, 1024, 1400] {
        page.resize(width, 900).await?;
        let (before, after): (Vec<i32>, Vec<i32>) = page.js_later(script, vec![]).await?;
        ensure!(before == after, "{width}: {before:?}, then {after:?}");
    }
    Ok(())
}

async fn nothing_jumps_when_the_rest_of_the_page_comes(page: &Page) -> Result<()> {
    nothing_jumps(page, 1400).await
}

async fn nothing_jumps_on_a_phone_either(page: &Page) -> Result<()> {
    nothing_jumps(page, 400).await
}

/// What is clicked right after the first result must still be where it was.
async fn nothing_jumps(page: &Page, width: u32) -> Result<()> {
    page.viewport(width, 900).await?;
    page.server
        .fault("/reading.js", FaultKind::Slow(Duration::from_secs(2)));
    page.open("").await?;
    finished(page).await?;
    page.settle().await?;
    ensure!(!complete(page).await?, "too early");
    let tops = "return [...document.querySelectorAll('#results > .card, #results .menu')] \
        .filter(e => e.checkVisibility() && !e.matches('.recent')) \
        .map(e => Math.round(e.getBoundingClientRect().top + scrollY))";
    let before: Vec<i32> = page.js(tops, vec![]).await?;
    page.until("the rest of the page", async || complete(page).await)
        .await?;
    page.settle().await?;
    let after: Vec<i32> = page.js(tops, vec![]).await?;
    ensure!(
        before.len() > 5 && before == after,
        "{before:?}, then {after:?}"
    );
    Ok(())
}

/// The form comes before the words on the data that stand above it, and what is said of the run needs
/// its room from the beginning. Layout shift as browsers count it, cold and with a warm cache.
async fn nothing_that_is_seen_shifts_while_a_slow_machine_starts(page: &Page) -> Result<()> {
    page.cdp("Emulation.setCPUThrottlingRate", json!({ "rate": 4 }))
        .await?;
    for width in [320, 400, 1024, 1400].repeat(2) {
        page.viewport(width, 900).await?;
        page.open("").await?;
        finished(page).await?;
        page.until("the rest of the page", async || complete(page).await)
            .await?;
        page.settle().await?;
        shifts_little(page, width).await?;
    }
    page.cdp("Emulation.setCPUThrottlingRate", json!({ "rate": 1 }))
        .await?;
    Ok(())
}

/// A browser paints what it has of a page when the rest is late.
async fn nothing_that_is_seen_shifts_when_the_page_comes_in_parts(page: &Page) -> Result<()> {
    let places = [
        "<div id=\"fields\"",
        "<nav class=\"presets\"",
        "<p id=\"scale\"",
        "<div id=\"claim\"",
        "<dl id=\"tiles\"",
        "<section class=\"card\" data-card=\"curve\"",
    ];
    let server = altered(page, "in-parts", |files| {
        for k in 0..places.len() {
            files.insert(format!("late-{k}.js"), Vec::new());
        }
        if let Some(html) = files.get_mut("index.html") {
            let mut text = String::from_utf8_lossy(html).into_owned();
            for (k, place) in places.iter().enumerate() {
                let late = format!("<script src=\"late-{k}.js\"></script>{place}");
                text = text.replacen(place, &late, 1);
            }
            *html = text.into_bytes();
        }
    })?;
    for k in 0..places.len() {
        // All are asked for at once.
        let late = Duration::from_millis(200 * (k as u64 + 1));
        server.fault(format!("late-{k}.js"), FaultKind::Slow(late));
    }
    for width in [400, 1400] {
        page.viewport(width, 900).await?;
        page.leave(&server).await?;
        page.driver.goto(server.url()).await?;
        finished(page).await?;
        page.settle().await?;
        let late = "return document.querySelectorAll('script[src^=late]').length";
        let late: usize = page.js(late, vec![]).await?;
        ensure!(late == places.len(), "{late} parts are late");
        shifts_little(page, width).await?;
    }
    Ok(())
}

/// Layout shift so far, as browsers count it. In its words: which elements, from where to where.
async fn shifts_little(page: &Page, width: u32) -> Result<()> {
    let script = "const done = arguments[arguments.length - 1]; \
        new PerformanceObserver(list => done( \
          list.getEntries().map(({ value, sources }) => [value, sources.map( \
            ({ node, previousRect: a, currentRect: b }) => `${node?.id || node?.className} \
            from ${a.x}, ${a.y} to ${b.x}, ${b.y}`).join('; ')]))) \
          .observe({ type: 'layout-shift', buffered: true }); \
        setTimeout(() => done([]), 1000)";
    let shifts: Vec<(f64, String)> = page.js_later(script, vec![]).await?;
    let sum: f64 = shifts.iter().map(|(value, _)| value).sum();
    ensure!(sum < 0.01, "{width}: {sum}: {shifts:?}");
    Ok(())
}

async fn every_example_runs(page: &Page) -> Result<()> {
    page.open("").await?;
    let first = finished(page).await?;
    let script = "return [...document.querySelectorAll('#presets button')].map(b => b.textContent)";
    let examples: Vec<String> = page.js(script, vec![]).await?;
    ensure!(examples.len() >= 4, "{examples:?}");
    for (k, example) in examples.iter().enumerate() {
        let script = "document.querySelectorAll('#presets button')[arguments[0]].click(); \
            return document.getElementById('results').dataset.state";
        let after: String = page.js(script, vec![k.into()]).await?;
        if after == "idle" {
            continue; // A data set that this build lacks.
        }
        ensure!(after == "running", "{example}: {after}");
        let digest = finished(page).await?;
        ensure!((digest == first) == (k == 0), "{example}: {digest}");
    }
    Ok(())
}

async fn pictures_have_a_summary_and_a_table(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    page.wait_visible("where-picture").await?;
    let script = "return [...document.querySelectorAll('canvas')].map(c => \
        [c.getAttribute('role'), c.getAttribute('aria-label')])";
    let canvases: Vec<(String, String)> = page.js(script, vec![]).await?;
    ensure!(canvases.len() == 6, "{canvases:?}");
    for (role, label) in canvases {
        ensure!(role == "img", "{role}");
        ensure!(label.len() > 60 && label.ends_with('.'), "{label}");
    }
    let rows: usize = page
        .js(
            "return document.querySelectorAll('#trace-table tbody tr').length",
            vec![],
        )
        .await?;
    ensure!(rows >= 2, "{rows} rows");
    Ok(())
}

async fn the_heatmap_is_read_with_the_keyboard(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    page.js::<()>(
        "document.querySelector('#heatmaps canvas').focus(); return null",
        vec![],
    )
    .await?;
    page.press(thirtyfour::Key::Right).await?;
    page.wait_text("cell-readout", "T1 and T1").await?;
    page.press(thirtyfour::Key::Right).await?;
    page.press(thirtyfour::Key::Down).await?;
    page.wait_text("cell-readout", "T2 and T2").await?;
    let words = page.text("cell-readout").await?;
    ensure!(
        words.contains("true") && words.contains("attacked"),
        "{words}"
    );
    Ok(())
}

async fn a_run_is_made_and_cancelled_with_the_keyboard(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    page.set("field-seed", "7").await?;
    page.js::<()>(
        "document.getElementById('run').focus(); return null",
        vec![],
    )
    .await?;
    page.press(thirtyfour::Key::Enter).await?;
    finished(page).await?;
    page.js::<()>(
        "document.getElementById('field-attack-direct').focus(); return null",
        vec![],
    )
    .await?;
    page.press(thirtyfour::Key::Right).await?;
    page.until_within(
        Duration::from_secs(5),
        "the address to follow",
        async || Ok(page.fragment().await?.contains("k=indirect")),
    )
    .await?;
    ensure!(state(page).await? == "done");
    page.wait_text("status", "press Run").await?;
    Ok(())
}
