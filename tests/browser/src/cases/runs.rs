//! Runs: real data, the live curve, cancel, the same digest as natively.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::lab::{finished, finished_within, iteration, native_report, needs, reached, state};
use super::take::choose_item;
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        sarcos_runs: 120,
        landmine_runs: 120,
        mnist_runs: 300,
        the_curve_grows_while_the_run_goes_on,
        cancel_keeps_the_curve_and_the_next_run_works,
        a_double_press_runs_once,
        a_change_while_running_does_not_disturb_the_run,
        downloads_hold_the_report_and_the_points,
        page_and_command_line_agree_on_synthetic: 600,
        page_and_command_line_agree_on_sarcos: 600,
        page_and_command_line_agree_on_landmine: 600,
    ]
}

/// A run that takes long enough on any machine.
pub(super) const LONG: &str = "#p=constant&i=1000&g=implicit_total&pb=50";

async fn runs(page: &Page, name: &str, tasks: &str, metric: &str) -> Result<()> {
    needs(name)?;
    page.open("").await?;
    finished(page).await?;
    page.js::<()>(
        "document.getElementById(`dataset-${arguments[0]}`).click(); return null",
        vec![name.into()],
    )
    .await?;
    page.wait_text("data-note", &format!("{tasks} tasks"))
        .await?;
    page.click("run").await?;
    finished_within(page, Duration::from_secs(200)).await?;
    let headline = page.text("headline").await?;
    ensure!(headline.contains(metric), "{headline}");
    let table = page.text("task-table").await?;
    ensure!(table.contains(&format!("T{tasks}")), "{table}");
    page.screenshot_whole(&format!("run-{name}")).await?;
    Ok(())
}

async fn sarcos_runs(page: &Page) -> Result<()> {
    runs(page, "sarcos", "7", "NMSE").await
}

async fn landmine_runs(page: &Page) -> Result<()> {
    runs(page, "landmine", "29", "AUC").await
}

async fn mnist_runs(page: &Page) -> Result<()> {
    runs(page, "mnist", "10", "AUC").await
}

async fn drawn(page: &Page) -> Result<(String, String)> {
    let script = "const canvas = document.querySelector('#curve canvas'); \
        return [canvas.getAttribute('aria-label'), canvas.toDataURL()]";
    page.js(script, vec![]).await
}

async fn the_curve_grows_while_the_run_goes_on(page: &Page) -> Result<()> {
    page.open(LONG).await?;
    let mut pictures = Vec::new();
    let mut shown = 0;
    for _ in 0..3 {
        shown = iteration(page, shown + 1).await?;
        page.settle().await?;
        let (label, picture) = drawn(page).await?;
        ensure!(label.starts_with("Running"), "{label}");
        pictures.push(picture);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ensure!(pictures[0] != pictures[1] && pictures[1] != pictures[2]);
    let blocked: f64 = page
        .js(
            "return performance.getEntriesByName('first-point')[0].startTime - \
             performance.getEntriesByName('run')[0].startTime",
            vec![],
        )
        .await?;
    page.within("the first point", blocked, 3000.0)?;
    Ok(())
}

async fn cancel_keeps_the_curve_and_the_next_run_works(page: &Page) -> Result<()> {
    page.open(LONG).await?;
    page.wait_text("status", "Iteration").await?;
    page.until("a few points", async || {
        let (label, _) = drawn(page).await?;
        Ok(label
            .trim_end_matches('.')
            .rsplit(' ')
            .next()
            .and_then(|n| n.parse::<u32>().ok())
            >= Some(3))
    })
    .await?;
    page.wait_text("headline", "The attack is running").await?;
    let script = "const start = performance.now(); document.getElementById('cancel').click(); \
        return [performance.now() - start, document.getElementById('results').dataset.state]";
    let (milliseconds, now): (f64, String) = page.js(script, vec![]).await?;
    ensure!(now == "cancelled", "{now}");
    page.within("cancel", milliseconds, 100.0)?;
    page.settle().await?;
    let (label, before) = drawn(page).await?;
    ensure!(label.starts_with("Cancelled at iteration"), "{label}");
    page.wait_text("where-words", "injected points").await?;
    page.screenshot_whole("cancelled").await?;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let (_, after) = drawn(page).await?;
    ensure!(before == after, "the curve changed after the cancel");
    page.set("field-iterations", "4").await?;
    page.click("run").await?;
    finished(page).await?;
    page.wait_text("status", "4 iterations").await?;
    Ok(())
}

async fn a_double_press_runs_once(page: &Page) -> Result<()> {
    page.open(LONG).await?;
    iteration(page, 1).await?;
    page.click("cancel").await?;
    reached(page, "cancelled", Duration::from_secs(5)).await?;
    let button = page.find("run").await?;
    button.scroll_into_view().await?;
    let twice = page.driver.action_chain().double_click_element(&button);
    twice.perform().await?;
    iteration(page, 2).await?;
    page.click("cancel").await?;
    reached(page, "cancelled", Duration::from_secs(5)).await
}

async fn a_change_while_running_does_not_disturb_the_run(page: &Page) -> Result<()> {
    page.open("#p=constant&i=300&pb=20").await?;
    page.wait_text("status", "Iteration").await?;
    page.set("field-budget", "0.4").await?;
    ensure!(state(page).await? == "running");
    finished(page).await?;
    page.wait_text("status", "Settings changed").await?;
    page.click("run").await?;
    reached(page, "running", Duration::from_secs(5)).await?;
    finished(page).await?;
    ensure!(page.fragment().await?.contains("b=0.4"));
    Ok(())
}

async fn downloads_hold_the_report_and_the_points(page: &Page) -> Result<()> {
    page.open("#i=3").await?;
    let digest = finished(page).await?;
    choose_item(page, "save-report").await?;
    let text = std::fs::read_to_string(page.downloaded("report.json").await?)?;
    let report: serde_json::Value = serde_json::from_str(&text)?;
    ensure!(report["digest"] == digest.as_str(), "{}", report["digest"]);
    ensure!(report["spec"]["iterations"] == 3);
    choose_item(page, "save-points").await?;
    let points = std::fs::read_to_string(page.downloaded("points.csv").await?)?;
    ensure!(points.starts_with("task,split,label,x1,"));
    ensure!(points.contains(",injected,"), "no injected points");
    Ok(())
}

async fn agrees(page: &Page, links: &[&str]) -> Result<()> {
    for link in links {
        page.open(link).await?;
        let digest = finished_within(page, Duration::from_mins(2)).await?;
        let report = native_report(page, link)?;
        ensure!(
            report["digest"] == digest.as_str(),
            "{link}: {} natively, {digest} in the page",
            report["digest"]
        );
    }
    Ok(())
}

async fn page_and_command_line_agree_on_synthetic(page: &Page) -> Result<()> {
    agrees(
        page,
        &[
            "#v=1",
            "#k=indirect&g=published&p=constant&i=4&s=3",
            "#l=squared_hinge&k=hybrid&g=implicit&i=6",
            "#o=alternating&m=random&b=0.3",
        ],
    )
    .await
}

async fn page_and_command_line_agree_on_sarcos(page: &Page) -> Result<()> {
    needs("sarcos")?;
    agrees(page, &["#d=sarcos", "#d=sarcos&k=indirect&i=5"]).await
}

async fn page_and_command_line_agree_on_landmine(page: &Page) -> Result<()> {
    needs("landmine")?;
    agrees(page, &["#d=landmine&i=5", "#d=landmine&k=hybrid&i=3"]).await
}
