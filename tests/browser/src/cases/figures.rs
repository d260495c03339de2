//! The figures of the paper: they fill while runs come in, can be cancelled, and do not depend on
//! the number of workers.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use thirtyfour::Key;

use super::failures::twice;
use super::lab::{finished, needs, notice};
use super::take::choose_item;
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        figure_1_on_sarcos_completes: 180,
        figure_2_fills_while_runs_come_in_and_cancel_keeps_them: 180,
        figure_3_shows_correlations: 180,
        figures_do_not_depend_on_the_number_of_workers: 300,
        a_run_of_a_figure_opens_in_the_lab_and_reproduces: 180,
        back_and_forward_go_between_the_views: 120,
        a_worker_that_dies_fails_its_run_alone: 180,
        a_worker_that_breaks_down_once_fails_no_run: 180,
        a_wrong_result_of_one_run_changes_no_figure: 180,
        figures_work_with_the_keyboard_alone: 120,
        figures_without_data_say_so,
        what_was_done_of_a_figure_is_kept_and_continued: 180,
        a_figure_survives_a_reload: 180,
        a_sweep_without_a_result_leaves_the_one_before: 180,
    ]
}

/// What a figure may take where the machine has much else to do.
const LONG: Duration = Duration::from_secs(150);

/// Opens a figure and waits until it can be run.
pub(super) async fn open(page: &Page, figure: u32, query: &str) -> Result<()> {
    page.open(&format!("{query}#view=figure{figure}")).await?;
    page.wait_for("figure-status", "something", |text| !text.is_empty())
        .await
}

/// Leaves only these data sets chosen.
pub(super) async fn choose(page: &Page, datasets: &[&str]) -> Result<()> {
    for name in datasets {
        needs(name)?;
    }
    let script = "for (const box of document.querySelectorAll('[data-testid^=figure-data-]')) \
        if (!box.disabled && box.checked !== arguments[0].includes(box.name)) box.click(); \
        return null";
    page.js(script, vec![json!(datasets)]).await
}

/// Runs to the end; returns the digest and the seconds.
async fn run(page: &Page) -> Result<(String, f64)> {
    let start = std::time::Instant::now();
    page.click("figure-run").await?;
    page.until_within(LONG, "the figure to be done", async || {
        Ok(state(page).await? == "done")
    })
    .await?;
    let script = "return document.querySelector('[data-testid=figure]').dataset.digest";
    let digest: String = page.js(script, vec![]).await?;
    ensure!(digest.len() == 16, "no digest: {digest}");
    Ok((digest, start.elapsed().as_secs_f64()))
}

/// Waits until the runs that go on are over, and the figure says so.
pub(super) async fn ends_with(page: &Page, words: &str) -> Result<()> {
    page.until_within(LONG, "the figure to be done", async || {
        Ok(page.text("figure-status").await?.contains(words))
    })
    .await
}

async fn state(page: &Page) -> Result<String> {
    let script = "return document.querySelector('[data-testid=figure]').dataset.state";
    page.js(script, vec![]).await
}

async fn picture(page: &Page, dataset: &str) -> Result<(String, String)> {
    let script = "const canvas = document.querySelector( \
        `[data-testid=figure-picture-${arguments[0]}]`); \
        return [canvas.getAttribute('aria-label'), canvas.toDataURL()]";
    page.js(script, vec![json!(dataset)]).await
}

/// How many workers live: each holds a lock.
pub(super) async fn workers(page: &Page) -> Result<usize> {
    let script = "const done = arguments[0]; navigator.locks.query().then(({ held }) => \
        done(held.filter(({ name }) => name.startsWith('patom-')).length))";
    page.js_later(script, vec![]).await
}

/// Nothing but the lab's own worker is left.
pub(super) async fn no_worker_is_left(page: &Page) -> Result<()> {
    page.until("the workers to be gone", async || {
        Ok(workers(page).await? <= 1)
    })
    .await
}

async fn figure_1_on_sarcos_completes(page: &Page) -> Result<()> {
    needs("sarcos")?;
    open(page, 1, "").await?;
    page.wait_text("figure-claim", "less than 10 iterations")
        .await?;
    choose(page, &["sarcos"]).await?;
    page.wait_text("figure-status", "9 runs").await?;
    let (_, seconds) = run(page).await?;
    println!("    figure 1, sarcos: {seconds:.1} s");
    let (label, _) = picture(page, "sarcos").await?;
    ensure!(label.contains("9 of 9 runs"), "{label}");
    let said = page.text("figure-findings-sarcos").await?;
    ensure!(said.contains("settled at iteration"), "{said}");
    let script = "for (const box of document.querySelectorAll('.figure-cards details')) \
        box.open = true; return null";
    page.js::<()>(script, vec![]).await?;
    page.wait_text("figure-numbers-sarcos", "indirect").await?;
    page.wait_text("figure-runs-sarcos", "budget 20 %, seed 1")
        .await?;
    page.screenshot_whole("figure-1").await?;
    page.click("figure-csv").await?;
    let csv = std::fs::read_to_string(page.downloaded("figure1.csv").await?)?;
    ensure!(csv.starts_with("dataset,gradient,step,attack"), "{csv}");
    ensure!(csv.lines().count() > 9 * 2, "{csv}");
    choose_item(page, "figure-png-sarcos").await?;
    page.downloaded("figure1-sarcos.png").await?;
    no_worker_is_left(page).await
}

async fn figure_2_fills_while_runs_come_in_and_cancel_keeps_them(page: &Page) -> Result<()> {
    needs("sarcos")?;
    open(page, 2, "?workers=2").await?;
    choose(page, &["sarcos"]).await?;
    page.set("figure-seeds", "10").await?;
    page.wait_text("figure-status", "960 runs on 2 workers")
        .await?;
    page.click("figure-run").await?;
    let mut last = picture(page, "sarcos").await?.1;
    for _ in 0..3 {
        page.until("another picture while runs come in", async || {
            Ok(picture(page, "sarcos").await?.1 != last)
        })
        .await?;
        last = picture(page, "sarcos").await?.1;
        ensure!(state(page).await? == "running");
    }
    ensure!(page.is_visible("figure-progress").await?);
    page.screenshot("figure-running").await?;
    ensure!(
        workers(page).await? >= 2,
        "workers are known by their locks"
    );
    page.click("figure-cancel").await?;
    page.wait_text("figure-status", "Cancelled after").await?;
    ensure!(state(page).await? == "cancelled");
    no_worker_is_left(page).await?;
    let kept = picture(page, "sarcos").await?;
    ensure!(!kept.0.contains(": 0 of 960"), "{}", kept.0);
    page.click("figure-csv").await?;
    let csv = std::fs::read_to_string(page.downloaded("figure2.csv").await?)?;
    ensure!(csv.lines().count() > 4, "{csv}");
    // And it can be run again.
    page.set("figure-seeds", "1").await?;
    run(page).await?;
    Ok(())
}

async fn figure_3_shows_correlations(page: &Page) -> Result<()> {
    needs("sarcos")?;
    open(page, 3, "").await?;
    let (_, seconds) = run(page).await?;
    println!("    figure 3: {seconds:.1} s");
    let said = page.text("figure-findings-sarcos").await?;
    ensure!(said.contains("T2 and T3"), "{said}");
    page.screenshot_whole("figure-3").await?;
    Ok(())
}

async fn figures_do_not_depend_on_the_number_of_workers(page: &Page) -> Result<()> {
    needs("sarcos")?;
    for figure in [1, 2, 3] {
        let mut digests = Vec::new();
        // (1, 2 and 4 are compared by the golden case.)
        for workers in [1, 4] {
            open(page, figure, &format!("?workers={workers}")).await?;
            choose(page, &["sarcos"]).await?;
            // More runs than workers, several of one setting once, and few enough for the slowest
            // engine: 18, 96 and 9.
            match figure {
                1 => page.set("figure-seeds", "2").await?,
                2 => page.set("figure-seeds", "1").await?,
                _ => {}
            }
            let (digest, seconds) = run(page).await?;
            println!("    figure {figure}, {workers} workers: {seconds:.1} s, {digest}");
            digests.push(digest);
        }
        ensure!(
            digests.iter().all(|digest| *digest == digests[0]),
            "{digests:?}"
        );
    }
    Ok(())
}

async fn a_run_of_a_figure_opens_in_the_lab_and_reproduces(page: &Page) -> Result<()> {
    needs("sarcos")?;
    open(page, 3, "").await?;
    choose(page, &["sarcos"]).await?;
    let (digest, _) = run(page).await?;
    let script = "const runs = document.querySelector('[data-testid=figure-runs-sarcos]'); \
        runs.closest('details').open = true; return null";
    page.js::<()>(script, vec![]).await?;
    page.wait_text("figure-runs-sarcos", "hybrid").await?;
    let script =
        "document.querySelector('[data-testid=figure-runs-sarcos] a').click(); return null";
    page.js::<()>(script, vec![]).await?;
    finished(page).await?;
    notice(page, "Reproduced bit for bit").await?;
    ensure!(page.property("field-budget", "value").await?.as_deref() == Some("0.3"));
    page.driver.back().await?;
    page.wait_text("figure-status", &digest).await?;
    Ok(())
}

async fn back_and_forward_go_between_the_views(page: &Page) -> Result<()> {
    page.open("#b=0.35").await?;
    let digest = finished(page).await?;
    page.click("to-figures").await?;
    page.wait_visible("figure").await?;
    ensure!(page.fragment().await? == "#view=figure1");
    ensure!(!page.is_visible("results").await?);
    page.click("to-figure3").await?;
    page.wait_text("figure-claim", "subverted").await?;
    page.driver.back().await?;
    page.wait_text("figure-claim", "converges").await?;
    page.driver.back().await?;
    page.wait_visible("results").await?;
    // As it was left: nothing is run again.
    ensure!(finished(page).await? == digest);
    ensure!(page.property("field-budget", "value").await?.as_deref() == Some("0.35"));
    page.driver.forward().await?;
    page.wait_text("figure-claim", "converges").await?;
    page.click("to-lab").await?;
    page.wait_visible("results").await?;
    ensure!(page.fragment().await?.contains("b=0.35"));
    // A link to a figure that also has a specification leads to the lab with it.
    page.open("#d=synthetic&s=5&view=figure2").await?;
    page.wait_text("figure-claim", "30 %").await?;
    page.click("to-lab").await?;
    finished(page).await?;
    ensure!(page.property("field-seed", "value").await?.as_deref() == Some("5"));
    Ok(())
}

async fn a_worker_that_dies_fails_its_run_alone(page: &Page) -> Result<()> {
    needs("sarcos")?;
    page.expect_console_error("a panic was asked for");
    page.expect_console_error("RuntimeError");
    for (how, words) in [
        ("panic&fail=panic", "a panic was asked for"),
        ("close", "ended the calculation"),
    ] {
        open(page, 1, &format!("?workers=2&fail={how}")).await?;
        choose(page, &["sarcos"]).await?;
        run(page).await?;
        page.wait_text("figure", words).await?;
        let (label, _) = picture(page, "sarcos").await?;
        ensure!(label.contains("9 of 9"), "{label}");
        let said = page.text("figure-findings-sarcos").await?;
        ensure!(said.contains("hybrid"), "{said}");
        page.screenshot_whole(&format!("figure-worker-{}", &how[..5]))
            .await?;
    }
    Ok(())
}

async fn a_worker_that_breaks_down_once_fails_no_run(page: &Page) -> Result<()> {
    needs("sarcos")?;
    page.expect_console_error("a panic was asked for");
    page.expect_console_error("RuntimeError");
    open(page, 1, "?workers=2&fail=panic").await?;
    choose(page, &["sarcos"]).await?;
    run(page).await?;
    let said = page.text("figure").await?;
    ensure!(!said.contains("failed"), "{said}");
    let (label, _) = picture(page, "sarcos").await?;
    ensure!(label.contains("9 of 9"), "{label}");
    Ok(())
}

async fn a_wrong_result_of_one_run_changes_no_figure(page: &Page) -> Result<()> {
    needs("sarcos")?;
    let mut digests = Vec::new();
    for how in ["", "fail=wrong"] {
        open(page, 1, &format!("?{}workers=2&{how}", twice(page.engine))).await?;
        choose(page, &["sarcos"]).await?;
        page.set("figure-seeds", "1").await?;
        digests.push(run(page).await?.0);
    }
    ensure!(digests[0] == digests[1], "{digests:?}");
    Ok(())
}

async fn figures_work_with_the_keyboard_alone(page: &Page) -> Result<()> {
    needs("sarcos")?;
    page.open("").await?;
    finished(page).await?;
    let tab_to = async |wanted: &str| -> Result<()> {
        for _ in 0..80 {
            if page.focused().await?.as_deref() == Some(wanted) {
                return Ok(());
            }
            page.press(Key::Tab).await?;
        }
        anyhow::bail!("the focus never came to {wanted}")
    };
    tab_to("to-figures").await?;
    page.press(Key::Enter).await?;
    page.wait_visible("figure").await?;
    tab_to("to-figure3").await?;
    page.press(Key::Enter).await?;
    page.wait_text("figure-claim", "subverted").await?;
    tab_to("figure-run").await?;
    page.press(Key::Enter).await?;
    page.until_within(
        Duration::from_mins(1),
        "the figure to be done",
        async || Ok(state(page).await? == "done"),
    )
    .await?;
    Ok(())
}

async fn figures_without_data_say_so(page: &Page) -> Result<()> {
    let server = super::failures::without_data(page)?;
    let address = format!("{}#view=figure2", server.url());
    page.driver.goto(address).await?;
    page.wait_visible("figure").await?;
    let name = "sarcos";
    let disabled = page
        .property(&format!("figure-data-{name}"), "disabled")
        .await?
        .context("a property")?;
    ensure!(disabled == "true");
    page.wait_text("figure", "not in this copy").await
}

/// How many runs are done.
async fn done(page: &Page) -> Result<u32> {
    let script = "return [...document.querySelectorAll('[data-testid^=figure-picture-]')] \
        .reduce((sum, { ariaLabel }) => sum + Number(/: (\\d+) of/.exec(ariaLabel)[1]), 0)";
    page.js(script, vec![]).await
}

async fn what_was_done_of_a_figure_is_kept_and_continued(page: &Page) -> Result<()> {
    open(page, 1, "?workers=1").await?;
    choose(page, &["sarcos"]).await?;
    page.set("figure-seeds", "2").await?;
    let (whole, _) = run(page).await?;
    ensure!(
        !page.is_visible("figure-continue").await?,
        "nothing is left"
    );
    // Cancelled as soon as something is there.
    let script = "const byId = id => document.querySelector(`[data-testid=figure-${id}]`); \
        byId('run').click(); const timer = setInterval(() => { if (!(byId('progress').value > 0)) return; \
        clearInterval(timer); byId('cancel').click(); }, 5); return null";
    page.js::<()>(script, vec![]).await?;
    page.wait_text("figure-status", "Cancelled after").await?;
    let before = done(page).await?;
    ensure!((1..18).contains(&before), "{before} of 18");
    page.click("figure-continue").await?;
    ends_with(page, &whole).await?;
    ensure!(done(page).await? == 18);
    open(page, 1, "").await?;
    page.wait_text("figure-status", "not computed again")
        .await?;
    page.wait_text("figure-status", &whole).await?;
    ensure!(done(page).await? == 18);
    let seeds = page.property("figure-seeds", "value").await?;
    ensure!(seeds.as_deref() == Some("2"), "{seeds:?}");
    // Forgotten with all else.
    page.open("#i=2").await?;
    finished(page).await?;
    page.wait_visible("recent").await?;
    page.js::<()>(
        "document.querySelector('[data-testid=recent]').open = true; return null",
        vec![],
    )
    .await?;
    page.click("forget-all").await?;
    page.wait_hidden("recent").await?;
    open(page, 1, "").await?;
    page.wait_text("figure-status", "runs on").await
}

async fn a_figure_survives_a_reload(page: &Page) -> Result<()> {
    page.expect_console_error("Blocked attempt to show a 'beforeunload'");
    open(page, 2, "?workers=1").await?;
    choose(page, &["sarcos"]).await?;
    page.set("figure-seeds", "10").await?;
    page.click("figure-run").await?;
    page.until("some runs", async || Ok(done(page).await? >= 10))
        .await?;
    // Runs are saved every second.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    ensure!(state(page).await? == "running", "too short for this");
    open(page, 2, "?workers=1").await?;
    page.wait_text("figure-status", "Interrupted after").await?;
    let before = done(page).await?;
    ensure!((10..960).contains(&before), "{before} of 960");
    page.screenshot_whole("figure-interrupted").await?;
    page.click("figure-continue").await?;
    page.until("more runs", async || Ok(done(page).await? > before + 10))
        .await?;
    page.click("figure-cancel").await?;
    page.wait_text("figure-status", "Cancelled after").await?;
    let notices = page.text("notices").await?;
    ensure!(notices.is_empty(), "{notices}");
    Ok(())
}

async fn a_sweep_without_a_result_leaves_the_one_before(page: &Page) -> Result<()> {
    open(page, 1, "").await?;
    choose(page, &["sarcos"]).await?;
    let (whole, _) = run(page).await?;
    let script = "for (const id of ['run', 'cancel']) \
        document.querySelector(`[data-testid=figure-${id}]`).click(); return null";
    page.js::<()>(script, vec![]).await?;
    page.wait_text("figure-status", "Cancelled after 0 of 9")
        .await?;
    open(page, 1, "").await?;
    page.wait_text("figure-status", "Kept from before: 9 runs")
        .await?;
    page.wait_text("figure-status", &whole).await?;
    // Whoever is in a hurry presses twice, and means it once.
    let button = page.find("figure-run").await?;
    button.scroll_into_view().await?;
    let twice = page.driver.action_chain().double_click_element(&button);
    twice.perform().await?;
    ends_with(page, "Done: 9 runs").await?;
    page.wait_text("figure-status", &whole).await
}
