//! Reading a result: the injected points, pictures and tables that point at each other, lines of
//! single targets, two runs side by side.

use anyhow::{Result, ensure};
use serde_json::json;
use thirtyfour::Key;

use super::lab::{finished, needs, notice};
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        injected_points_follow_the_cursor_of_the_curve_and_lead_it,
        injected_points_can_be_seen_task_by_task,
        nothing_moves_until_it_is_asked_to,
        a_run_that_goes_on_shows_its_points_live,
        a_task_pointed_at_is_outlined_in_every_picture,
        a_cell_pointed_at_marks_its_tasks_in_the_table,
        each_target_gets_a_line_on_request,
        a_kept_run_is_compared_with_the_next_and_the_address_holds_both,
        pasted_links_are_run_and_compared: 120,
        hostile_links_of_a_comparison_are_refused_in_words,
        a_comparison_can_be_cancelled,
        views_of_reading_have_their_pictures_taken: 240,
    ]
}

async fn picture(page: &Page, selector: &str) -> Result<String> {
    page.settle().await?;
    page.js(
        "return document.querySelector(arguments[0]).toDataURL()",
        vec![json!(selector)],
    )
    .await
}

const POINTS: &str = "[data-testid=where-picture]";
const CURVE: &str = "#curve canvas";
const ATTACKED: &str = "[data-map=attacked]";

/// Opens the lab and waits until the card of the points is there.
async fn open(page: &Page, link: &str) -> Result<String> {
    page.open(link).await?;
    let digest = finished(page).await?;
    page.wait_text("where-iteration", "Iteration").await?;
    Ok(digest)
}

async fn focus(page: &Page, selector: &str) -> Result<()> {
    page.js(
        "document.querySelector(arguments[0]).focus(); return null",
        vec![json!(selector)],
    )
    .await
}

async fn injected_points_follow_the_cursor_of_the_curve_and_lead_it(page: &Page) -> Result<()> {
    open(page, "").await?;
    page.wait_text("where-iteration", "Iteration 15 of 15")
        .await?;
    page.wait_text("where-words", "have moved").await?;
    let end = picture(page, POINTS).await?;
    page.set("where-slider", "3").await?;
    page.wait_text("where-iteration", "Iteration 3 of 15")
        .await?;
    page.wait_text("curve-readout", "Iteration 3:").await?;
    let third = picture(page, POINTS).await?;
    ensure!(end != third, "iterations 3 and 15 look the same");
    focus(page, CURVE).await?;
    page.press(Key::Right).await?;
    page.wait_text("curve-readout", "Iteration 4:").await?;
    page.wait_text("where-iteration", "Iteration 4 of 15")
        .await?;
    page.press(Key::Home).await?;
    page.wait_text("where-iteration", "Random start").await?;
    page.wait_text("where-words", "where chance put them")
        .await?;
    page.click("where-next").await?;
    page.wait_text("where-iteration", "Iteration 1 of 15")
        .await?;
    page.wait_text("curve-readout", "Iteration 1:").await?;
    // The table tells the same.
    let (rows, injected): (usize, usize) = page
        .js(
            "const table = document.querySelector('[data-testid=where-table]'); \
             table.parentElement.open = true; \
             const label = document.querySelector('[data-testid=where-picture]').ariaLabel; \
             return new Promise(r => setTimeout(r, 200)).then(() => \
               [table.querySelectorAll('tbody tr').length, Number(/(\\d+) injected/.exec(label)[1])])",
            vec![],
        )
        .await?;
    ensure!(
        rows == injected && rows > 0,
        "{rows} rows for {injected} points"
    );
    page.wait_text("where-table", "at iteration 1;").await
}

async fn injected_points_can_be_seen_task_by_task(page: &Page) -> Result<()> {
    open(page, "#k=indirect").await?;
    let all = picture(page, POINTS).await?;
    let first: String = page
        .js(
            "return document.querySelector('[data-testid=where-task]').options[1].value",
            vec![],
        )
        .await?;
    page.set("where-task", &first).await?;
    ensure!(
        all != picture(page, POINTS).await?,
        "one task looks like all"
    );
    Ok(())
}

async fn nothing_moves_until_it_is_asked_to(page: &Page) -> Result<()> {
    open(page, "#i=4").await?;
    page.click("where-back").await?;
    page.wait_text("where-iteration", "Iteration 3 of 4")
        .await?;
    tokio::time::sleep(std::time::Duration::from_millis(900)).await;
    page.wait_text("where-iteration", "Iteration 3 of 4")
        .await?;
    page.click("where-play").await?;
    page.wait_text("where-iteration", "Iteration 4 of 4")
        .await?;
    page.wait_for("where-play", "Play", |text| text == "Play")
        .await?;
    // From the end it begins again.
    page.click("where-play").await?;
    page.wait_text("where-iteration", "Iteration 2 of 4")
        .await?;
    page.click("where-play").await?;
    if page.has_media() {
        page.media(&[("prefers-reduced-motion", "reduce")]).await?;
        ensure!(
            !page.is_visible("where-play").await?,
            "it can still be played"
        );
    }
    page.set("where-slider", "0").await?;
    page.click("where-next").await?;
    page.wait_text("where-iteration", "Iteration 1 of 4").await
}

async fn a_run_that_goes_on_shows_its_points_live(page: &Page) -> Result<()> {
    needs("mnist")?;
    open(page, "#i=1").await?;
    page.set_fragment("#d=mnist&i=200").await?;
    page.wait_for("where-iteration", "an iteration of MNIST", |text| {
        text.starts_with("Iteration") && text != "Iteration 1 of 1"
    })
    .await?;
    page.click("cancel").await?;
    ensure!(
        page.is_visible("where").await?,
        "the points are gone with the run"
    );
    Ok(())
}

async fn a_task_pointed_at_is_outlined_in_every_picture(page: &Page) -> Result<()> {
    open(page, "").await?;
    page.set("each-target", "true").await?;
    let (map, curve) = (picture(page, ATTACKED).await?, picture(page, CURVE).await?);
    focus(page, "#task-table tbody tr").await?;
    page.wait_text("task-readout", "T1 is outlined: NMSE")
        .await?;
    let first = picture(page, ATTACKED).await?;
    ensure!(first != map, "no outline");
    ensure!(curve != picture(page, CURVE).await?, "no line stands out");
    page.press(Key::Down).await?;
    page.wait_text("task-readout", "T2 is outlined: NMSE")
        .await?;
    ensure!(first != picture(page, ATTACKED).await?, "the outline stays");
    page.press(Key::Escape).await?;
    page.wait_for("task-readout", "nothing", str::is_empty)
        .await?;
    ensure!(
        map == picture(page, ATTACKED).await?,
        "the outline is left behind"
    );
    // The same with a pointer.
    let row = page.find("task-table").await?;
    let script = "arguments[0].querySelector('tbody tr:nth-child(3) td').dispatchEvent( \
        new PointerEvent('pointerover', { bubbles: true })); return null";
    page.js::<()>(script, vec![row.to_json()?]).await?;
    page.wait_text("task-readout", "T3 is outlined").await
}

async fn a_cell_pointed_at_marks_its_tasks_in_the_table(page: &Page) -> Result<()> {
    open(page, "").await?;
    let marked = "return [...document.querySelectorAll('#task-table tbody tr')] \
        .flatMap((row, k) => row.classList.contains('linked') ? [k] : [])";
    focus(page, ATTACKED).await?;
    page.press(Key::Down).await?;
    page.press(Key::Down).await?;
    page.press(Key::Right).await?;
    page.press(Key::Right).await?;
    page.press(Key::Right).await?;
    page.wait_text("cell-readout", "T2 and T4").await?;
    let rows: Vec<usize> = page.js(marked, vec![]).await?;
    ensure!(rows == [1, 3], "{rows:?}");
    page.press(Key::Escape).await?;
    let rows: Vec<usize> = page.js(marked, vec![]).await?;
    ensure!(rows.is_empty(), "{rows:?}");
    Ok(())
}

async fn each_target_gets_a_line_on_request(page: &Page) -> Result<()> {
    open(page, "").await?;
    let mean = picture(page, CURVE).await?;
    page.set("each-target", "true").await?;
    ensure!(mean != picture(page, CURVE).await?, "nothing is added");
    let heads = "return document.querySelector('#trace-table thead').textContent";
    let text: String = page.js(heads, vec![]).await?;
    ensure!(text.contains("T1T2"), "{text}");
    page.set("each-target", "false").await?;
    ensure!(mean == picture(page, CURVE).await?, "the lines stay");
    // With one target its line is the mean.
    open(page, "#t=2").await?;
    ensure!(!page.is_visible("each-target").await?);
    Ok(())
}

async fn state(page: &Page, wanted: &str) -> Result<()> {
    page.until(&format!("the comparison to be {wanted}"), async || {
        let found: String = page
            .js(
                "return document.querySelector('[data-testid=compare-view]')?.dataset.state ?? ''",
                vec![],
            )
            .await?;
        Ok(found == wanted)
    })
    .await
}

async fn a_kept_run_is_compared_with_the_next_and_the_address_holds_both(
    page: &Page,
) -> Result<()> {
    let first = open(page, "").await?;
    page.click("keep").await?;
    page.wait_text("kept", "Kept").await?;
    page.set_fragment("#k=indirect&i=5").await?;
    page.wait_visible("compare").await?;
    let second = finished(page).await?;
    page.click("compare").await?;
    state(page, "done").await?;
    let address = page.fragment().await?;
    ensure!(
        address.starts_with("#view=compare&left=v=1%26d=synthetic")
            && address.contains("&right=v=1%26d=synthetic%26k=indirect"),
        "{address}"
    );
    page.wait_text("compare-verdict", &first).await?;
    page.wait_text("compare-verdict", &second).await?;
    // WebKit's driver gives the text of a table in one piece.
    let script = "return [...document.querySelectorAll('[data-testid=compare-differences] tr')] \
        .map(row => [...row.cells].map(cell => cell.textContent).join(' '))";
    let rows: Vec<String> = page.js(script, vec![]).await?;
    ensure!(
        rows.len() == 1 + 3,
        "heads, attack, attackers, iterations: {rows:?}"
    );
    for part in ["indirect", "Iterations 15 5"] {
        ensure!(
            rows.iter().any(|row| row.contains(part)),
            "{part}: {rows:?}"
        );
    }
    let maps: Vec<String> = page
        .js(
            "return [...document.querySelectorAll('[data-testid=compare-view] [data-map]')] \
             .map(map => map.ariaLabel)",
            vec![],
        )
        .await?;
    ensure!(
        maps.len() == 3 && maps[2].starts_with("Difference: B − A"),
        "{maps:?}"
    );
    // The address alone brings the same back, and says so.
    page.reload().await?;
    state(page, "done").await?;
    page.wait_text("compare-status", "A: Reproduced bit for bit")
        .await?;
    page.wait_text("compare-status", "B: Reproduced bit for bit")
        .await?;
    page.wait_text("compare-verdict", &second).await?;
    page.click("compare-swap").await?;
    page.until("A and B to change places", async || {
        Ok(page
            .fragment()
            .await?
            .contains("left=v=1%26d=synthetic%26k=indirect"))
    })
    .await?;
    state(page, "done").await?;
    page.click("to-lab").await?;
    finished(page).await?;
    Ok(())
}

async fn pasted_links_are_run_and_compared(page: &Page) -> Result<()> {
    page.open("#view=compare").await?;
    page.wait_text("compare-status", "Two links are needed")
        .await?;
    let address = format!("{}#v=1&d=synthetic&i=3", page.server.url());
    page.set("compare-A", &address).await?;
    page.set("compare-B", "v=1&d=synthetic&i=3").await?;
    page.click("compare-run").await?;
    state(page, "done").await?;
    page.wait_text("compare-verdict", "Equal bit for bit")
        .await?;
    page.wait_text("compare-differences", "Nothing").await?;
    // Other data: another metric, another number of tasks.
    needs("landmine")?;
    page.set("compare-B", "#d=landmine&i=2").await?;
    page.click("compare-run").await?;
    page.wait_text("compare-verdict", "Different results")
        .await?;
    page.wait_text("compare-tasks", "of B: AUC, so no difference is taken")
        .await?;
    let maps: usize = page
        .js(
            "return document.querySelectorAll('[data-testid=compare-view] [data-map]').length",
            vec![],
        )
        .await?;
    ensure!(maps == 2, "{maps} maps");
    Ok(())
}

async fn hostile_links_of_a_comparison_are_refused_in_words(page: &Page) -> Result<()> {
    for (left, words) in [
        ("v=9%26d=synthetic", "Run A: version"),
        ("b=NaN", "Run A: budget"),
        ("d=<img src=x onerror=alert(1)>", "Run A: dataset"),
        ("%25FF", "Run A: link"),
        ("d=file:a.csv:00", "Run A:"),
        ("view=compare%26left=b=0.1%26i=99999", "Run A: iterations"),
    ] {
        page.open(&format!("#view=compare&left={left}&right=i=2"))
            .await?;
        state(page, "failed").await?;
        page.wait_text("compare-problems", words).await?;
    }
    page.open("#view=compare&left=%&right=i=2").await?;
    page.wait_visible("lab")
        .await
        .or(notice(page, "cannot be used").await)?;
    Ok(())
}

async fn a_comparison_can_be_cancelled(page: &Page) -> Result<()> {
    needs("mnist")?;
    page.open("#view=compare&left=d=mnist%26i=1000&right=d=mnist%26i=999")
        .await?;
    page.wait_text("compare-status", "A: iteration").await?;
    page.click("compare-cancel").await?;
    page.wait_text("compare-status", "Cancelled").await?;
    page.until("the workers of both runs to go", async || {
        // One is the lab's.
        Ok(super::figures::workers(page).await? == 1)
    })
    .await
}

const COMPARISON: &str = "#view=compare&left=d=synthetic%26i=6&right=d=synthetic%26k=indirect";

async fn views_of_reading_have_their_pictures_taken(page: &Page) -> Result<()> {
    page.needs_pictures()?;
    for (width, height) in [(1400, 1000), (400, 850)] {
        page.viewport(width, height).await?;
        for &dark in page.themes() {
            page.dark(dark).await?;
            let look = if dark { "dark" } else { "light" };
            for (name, link) in [
                ("", ""),
                ("-indirect", "#k=indirect"),
                ("-classes", "#l=squared_hinge&k=indirect"),
            ] {
                page.open(link).await?;
                finished(page).await?;
                // On a phone the card is folded.
                let script = "document.getElementById('where-card').open = true; return null";
                page.js::<()>(script, vec![]).await?;
                page.wait_text("where-iteration", "Iteration").await?;
                page.set("where-slider", "9").await?;
                page.screenshot_of("where", &format!("where{name}-{look}-{width}"))
                    .await?;
            }
            focus(page, "#task-table tbody tr:nth-child(2)").await?;
            page.set("each-target", "true").await?;
            focus(page, "#task-table tbody tr:nth-child(2)").await?;
            page.screenshot_whole(&format!("reading-{look}-{width}"))
                .await?;
            page.open(COMPARISON).await?;
            state(page, "done").await?;
            page.screenshot_whole(&format!("compare-{look}-{width}"))
                .await?;
        }
    }
    Ok(())
}
