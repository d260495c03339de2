//! What `cargo xtask audit` needs a browser session for: axe in every view, how quickly the page
//! answers, whom it asks for what.

use std::collections::BTreeSet;

use anyhow::Result;
use xtask::audit::Row;
use xtask::site::{self, gzip_size};

use crate::cases::everyone::VIEWS;
use crate::cases::lab::{finished, reached};
use crate::engine::{Browser, Engine};
use crate::harness::{self, Plan};
use crate::page::Page;

/// A run that takes seconds.
const LONG: &str = "#p=constant&i=1000&g=implicit_total";

/// Times a thing is done; the middle one counts.
const REPEATS: usize = 5;

/// Measures everything.
pub async fn run(plan: &Plan) -> Result<Vec<Row>> {
    let mut browser = Browser::start(Engine::Chromium, &plan.workspace).await?;
    let (_folder, page) = harness::open(plan, &mut browser).await?;
    let mut rows = requests(&page, plan).await?;
    rows.extend(answers(&page).await?);
    rows.extend(axe(&page).await?);
    browser.quit().await;
    Ok(rows)
}

/// Whom the page asks, and whether the first load is what the build counts.
async fn requests(page: &Page, plan: &Plan) -> Result<Vec<Row>> {
    page.server.take_requests();
    page.open("").await?;
    finished(page).await?;
    page.wait_visible("where-picture").await?;
    let files = site::read_folder(&plan.dist)?;
    let counted = site::first_load(&files);
    let asked: BTreeSet<String> = (page.server.take_requests().into_iter())
        .filter_map(|path| Some(path.split_once("/some/folder/")?.1.to_owned()))
        .filter(|path| files.contains_key(path) && !counted.contains(path))
        .collect();
    // What is on its way has no entry yet. Files of the workers never get one, so they are never
    // taken for later ones.
    page.wait_text("offline", "Works without a connection")
        .await?;
    let later = "const report = performance.getEntriesByName('report')[0].startTime; \
        return performance.getEntriesByType('resource') \
          .filter(({ startTime }) => startTime > report) \
          .map(({ name }) => name.split('/some/folder/')[1])";
    let later: Vec<String> = page.js(later, vec![]).await?;
    let (later, uncounted): (Vec<String>, Vec<String>) =
        asked.into_iter().partition(|path| later.contains(path));
    let bytes: usize = later.iter().map(|path| gzip_size(&files[path])).sum();
    let mut strangers: Vec<String> = Vec::new();
    for view in VIEWS {
        view.open(page).await?;
        let script = "return performance.getEntriesByType('resource').map(({ name }) => name) \
            .filter((name) => !name.startsWith(location.origin))";
        strangers.extend(page.js::<Vec<String>>(script, vec![]).await?);
    }
    let count = |list: &[String]| u32::try_from(list.len()).map_or(f64::INFINITY, f64::from);
    Ok(vec![
        Row::at_most(
            "files before the first result, not counted above",
            "files",
            0.0,
            count(&uncounted),
        )
        .noted(format!(
            "{} after it, by itself, {} files of {:.1} kB gzip",
            uncounted.join(" "),
            later.len(),
            site::kilo(bytes)
        )),
        Row::at_most(
            "requests to third parties",
            "requests",
            0.0,
            count(&strangers),
        )
        .noted(strangers.join(" ")),
    ])
}

/// How quickly the page answers.
async fn answers(page: &Page) -> Result<Vec<Row>> {
    page.open("").await?;
    finished(page).await?;
    let observe = "globalThis.longest = 0; \
        new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => \
          (globalThis.longest = Math.max(globalThis.longest, duration)))) \
          .observe({ type: 'longtask' }); return null";
    let mut first_points = Vec::new();
    let mut longest = Vec::new();
    page.js::<()>(observe, vec![]).await?;
    for _ in 0..REPEATS {
        // In one script, so that the click is not the driver's.
        let click = "performance.clearMarks(); globalThis.longest = 0; \
            globalThis.clicked = performance.now(); \
            document.getElementById('run').click(); return null";
        page.js::<()>(click, vec![]).await?;
        page.until("the first point", async || {
            let script = "return performance.getEntriesByName('first-point').length > 0";
            page.js(script, vec![]).await
        })
        .await?;
        finished(page).await?;
        page.settle().await?;
        let script = "return [performance.getEntriesByName('first-point')[0].startTime \
            - globalThis.clicked, globalThis.longest]";
        let (point, task): (f64, f64) = page.js(script, vec![]).await?;
        first_points.push(point);
        longest.push(task);
    }

    let mut cancels = Vec::new();
    for _ in 0..REPEATS {
        page.open(LONG).await?;
        page.wait_text("status", "Iteration").await?;
        let script = "const start = performance.now(); \
            document.getElementById('cancel').click(); return performance.now() - start";
        cancels.push(page.js(script, vec![]).await?);
        reached(page, "cancelled", Page::PATIENCE).await?;
    }
    let note = format!("middle of {REPEATS}");
    Ok(vec![
        Row::at_most(
            "click on Run to first point",
            "ms",
            150.0,
            middle(first_points),
        )
        .noted(&note),
        Row::at_most("cancel", "ms", 100.0, middle(cancels)).noted(&note),
        Row::at_most("longest task during a run", "ms", 50.0, middle(longest))
            .noted(format!("{note}; browsers report those above 50 ms alone")),
    ])
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What axe finds in every view, light and dark.
async fn axe(page: &Page) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for view in VIEWS {
        for dark in [false, true] {
            page.dark(dark).await?;
            if !view.open(page).await? {
                continue;
            }
            let found = page.axe().await?;
            let count = u32::try_from(found.len()).map_or(f64::INFINITY, f64::from);
            let look = if dark { "dark" } else { "light" };
            let what = format!("axe, {}, {look}", view.name);
            rows.push(Row::at_most(what, "violations", 0.0, count).noted(found.join(", ")));
        }
    }
    page.dark(false).await?;
    Ok(rows)
}
