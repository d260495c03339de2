//! Long use of one tab: nothing piles up.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use xtask::trust;
use xtask::workspace::Workspace;

use super::figures;
use super::lab::{finished, needs};
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        a_thousand_runs_leave_the_memory_as_it_was: 600,
        fifty_cancelled_sweeps_leave_no_worker: 300,
    ]
}

/// Runs in one tab.
const RUNS: u32 = 1000;
/// The bound on what they may add to the memory of all processes of the browser, in MiB: a
/// leak of one report a run (weights, matrices, texts: about 200 kB) would be three times as much.
/// Most of what is measured is garbage of the worker: asking for a collection reaches the page alone.
const GROWTH: f64 = 64.0;

/// Presses Run so many times (a multiple of 50), with another seed each time, and waits for each result.
async fn runs(page: &Page, count: u32) -> Result<()> {
    let script = "const [count, done] = arguments; \
        const results = document.getElementById('results'); \
        const seed = document.getElementById('field-seed'); \
        const ended = () => new Promise((resolve) => { \
          const watch = new MutationObserver(() => { \
            if (results.dataset.state === 'running') return; \
            watch.disconnect(); \
            resolve(results.dataset.state); \
          }); \
          watch.observe(results, { attributeFilter: ['data-state'] }); \
        }); \
        (async () => { \
          for (let k = 0; k < count; k++) { \
            seed.value = String((k % 40) + 1); \
            seed.dispatchEvent(new Event('input', { bubbles: true })); \
            seed.dispatchEvent(new Event('change', { bubbles: true })); \
            const state = ended(); \
            document.getElementById('controls').requestSubmit(); \
            const how = await state; \
            if (how !== 'done') return `run ${k} ended as ${how}`; \
          } \
          return ''; \
        })().then(done, (error) => done(String(error)))";
    // A request to the driver takes a minute at most, however busy the machine is.
    const AT_ONCE: u32 = 50;
    for _ in 0..count / AT_ONCE {
        let problem: String = page.js_later(script, vec![json!(AT_ONCE)]).await?;
        ensure!(problem.is_empty(), "{problem}");
    }
    Ok(())
}

/// What all processes of this browser hold, in MiB, after a collection of garbage.
async fn memory(page: &Page) -> Result<f64> {
    page.cdp("HeapProfiler.collectGarbage", json!({})).await?;
    let profile = page.browser.join("profile");
    let mut parents = HashMap::new();
    let mut resident = HashMap::new();
    let mut own = HashSet::new();
    for process in std::fs::read_dir("/proc")?.flatten() {
        let read = |name: &str| std::fs::read_to_string(process.path().join(name));
        let (Ok(command), Ok(stat), Ok(statm)) = (read("cmdline"), read("stat"), read("statm"))
        else {
            continue;
        };
        let Ok(id) = process.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        // After the name, which may hold anything: state, then the parent.
        let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let parent = after_name.split(' ').nth(1).and_then(|id| id.parse().ok());
        let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
        parents.insert(id, parent.unwrap_or(0_u32));
        resident.insert(id, pages.unwrap_or(0.0_f64));
        if command.contains(&*profile.to_string_lossy()) {
            own.insert(id);
        }
    }
    let belongs = |mut id: u32| {
        while let Some(&parent) = parents.get(&id) {
            if own.contains(&id) {
                return true;
            }
            id = parent;
        }
        false
    };
    let pages = resident.iter().filter(|(id, _)| belongs(**id));
    Ok(pages.map(|(_, pages)| pages * 4096.0).sum::<f64>() / f64::from(1 << 20))
}

async fn a_thousand_runs_leave_the_memory_as_it_was(page: &Page) -> Result<()> {
    page.driver
        .set_script_timeout(Duration::from_mins(1))
        .await?;
    page.open("#i=2&n=20&nt=20").await?;
    finished(page).await?;
    // Until caches, and the results that the browser keeps, are as large as they become.
    runs(page, RUNS / 2).await?;
    let before = memory(page).await?;
    runs(page, RUNS / 2).await?;
    let between = memory(page).await?;
    runs(page, RUNS / 2).await?;
    let after = memory(page).await?;
    println!(
        "    MiB after {} runs: {before:.0}, then {between:.0}, then {after:.0}",
        RUNS / 2
    );
    trust::record(
        &Workspace::find()?,
        "soak",
        &json!({
            "warm_up": RUNS / 2, "runs": RUNS, "bound": GROWTH,
            "mebibytes": [before.round(), between.round(), after.round()],
        }),
    )?;
    ensure!(before > 10.0, "{before} MiB: no process was found");
    ensure!(
        after - before < GROWTH,
        "{RUNS} runs added {:.0} MiB to {before:.0} MiB",
        after - before
    );
    ensure!(figures::workers(page).await? == 1);
    let marks: usize = page
        .js("return performance.getEntriesByType('mark').length", vec![])
        .await?;
    ensure!(marks <= 4, "{marks} marks of runs long gone");
    Ok(())
}

async fn fifty_cancelled_sweeps_leave_no_worker(page: &Page) -> Result<()> {
    needs("sarcos")?;
    figures::open(page, 2, "?workers=2").await?;
    figures::choose(page, &["sarcos"]).await?;
    page.set("figure-seeds", "10").await?;
    for _ in 0..50 {
        page.click("figure-run").await?;
        page.until("two workers at work", async || {
            Ok(figures::workers(page).await? >= 2)
        })
        .await?;
        page.click("figure-cancel").await?;
    }
    figures::no_worker_is_left(page).await
}
