//! The first screen, the story, the terms and the examples: what helps to understand.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use thirtyfour::Key;

use super::lab::{finished, finished_within, native_report, needs, notice, state};
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        the_first_screen_says_what_is_seen_and_has_one_thing_to_press,
        what_the_story_says_is_true_of_its_runs: 600,
        the_story_is_read_with_the_keyboard,
        the_story_never_hides_what_it_speaks_about: 180,
        a_step_of_the_story_opens_from_its_link,
        the_story_lives_with_other_settings,
        terms_explain_themselves,
        an_example_pressed_during_a_run_takes_its_place,
        every_example_of_the_gallery_opens: 300,
        the_paper_and_our_number_stand_side_by_side: 300,
        examples_without_data_say_why,
        guides_are_accessible: 180,
        guides_have_their_pictures_taken: 180,
    ]
}

const STEPS: usize = 6;

/// What the story says of its numbers, once it says anything.
async fn found(page: &Page) -> Result<String> {
    page.wait_for("story-found", "sentences", |text| !text.is_empty())
        .await?;
    page.text("story-found").await
}

async fn step(page: &Page, number: usize) -> Result<()> {
    page.open(&format!("#story={number}")).await?;
    reached(page, number).await
}

/// Waits until this step has found its result.
async fn reached(page: &Page, number: usize) -> Result<()> {
    page.wait_text("story-count", &format!("Step {number} of {STEPS}"))
        .await?;
    page.wait_hidden("story-changed").await?;
    finished(page).await?;
    found(page).await?;
    Ok(())
}

async fn calm(page: &Page, dark: bool) -> Result<()> {
    if !page.has_media() {
        return Ok(());
    }
    page.media(&[
        ("prefers-reduced-motion", "reduce"),
        ("prefers-color-scheme", if dark { "dark" } else { "light" }),
    ])
    .await
}

async fn the_first_screen_says_what_is_seen_and_has_one_thing_to_press(page: &Page) -> Result<()> {
    for (width, height) in [(1400, 1000), (400, 800)] {
        page.viewport(width, height).await?;
        page.open("").await?;
        finished(page).await?;
        let headline = page.text("headline").await?;
        let [plain, metric] = [
            headline.find("their error rose from"),
            headline.find("NMSE"),
        ];
        ensure!(
            plain.is_some() && plain < metric,
            "plain words first: {headline}"
        );
        // All that look like the thing to press, and whether they are in sight and on top.
        let script = "const accent = getComputedStyle(document.getElementById('tour')).backgroundColor; \
            return [...document.querySelectorAll('button, a')].filter(b => b.checkVisibility() && \
                getComputedStyle(b).backgroundColor === accent).map(b => { \
              const { left, right, top, bottom } = b.getBoundingClientRect(); \
              return [b.id, b === document.elementFromPoint((left + right) / 2, (top + bottom) / 2) \
                && top >= 0 && bottom <= innerHeight]; })";
        let pressed: Vec<(String, bool)> = page.js(script, vec![]).await?;
        ensure!(pressed == [("tour".to_string(), true)], "{pressed:?}");
        let done: f64 = page
            .js(
                "return performance.getEntriesByName('done')[0].startTime",
                vec![],
            )
            .await?;
        println!("first result at {width} x {height}: {done:.0} ms");
        page.screenshot(&format!("first-{width}")).await?;
    }
    // Settings that were changed want to be run.
    page.set("field-seed", "5").await?;
    let color = "return [getComputedStyle(document.getElementById('run')).backgroundColor, \
        getComputedStyle(document.getElementById('tour')).backgroundColor]";
    let [run, tour]: [String; 2] = page.js(color, vec![]).await?;
    ensure!(run == tour, "{run} against {tour}");
    Ok(())
}

/// Mean of a metric over the targets.
fn mean(report: &Value, model: &str) -> Result<f64> {
    let targets = report["target_tasks"].as_array().context("targets")?;
    let mut sum = 0.0;
    for task in targets {
        let task = usize::try_from(task.as_u64().context("a task")?)?;
        sum += report[model]["metric_per_task"][task]
            .as_f64()
            .context("a metric")?;
    }
    Ok(sum / targets.len() as f64)
}

fn correlation(report: &Value, model: &str, a: usize, b: usize) -> Result<f64> {
    report[model]["correlation"][a][b]
        .as_f64()
        .context("a correlation")
}

async fn what_the_story_says_is_true_of_its_runs(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    page.click("tour").await?;
    for number in 1..=STEPS {
        page.wait_text("story-count", &format!("Step {number} of {STEPS}"))
            .await?;
        page.wait_hidden("story-changed").await?;
        let said = found(page).await?;
        let digest = finished(page).await?;
        page.until("the address to follow", async || {
            Ok(page.fragment().await?.contains(&format!("r={digest}")))
        })
        .await?;
        let link = page.fragment().await?;
        ensure!(link.contains(&format!("story={number}")), "{link}");
        let report = native_report(page, &link)?;
        ensure!(report["digest"] == digest.as_str(), "step {number}: {link}");
        let (clean, attacked) = (mean(&report, "clean")?, mean(&report, "attacked")?);
        let start = report["trace"][0]["metric"].as_f64().context("a start")?;
        let says = |value: f64| {
            let text = format!("{value:.3}");
            ensure!(said.contains(&text), "step {number}: {text} not in: {said}");
            Ok(())
        };
        let formula: usize = page
            .js(
                "return document.querySelectorAll('.story-formula math *').length",
                vec![],
            )
            .await?;
        ensure!(formula > 5, "step {number} has no formula");
        match number {
            1 => {
                // Alone, no penalty on the models does better than the one that the story takes.
                let base = "#n=12&m=random&i=0&b=0&l2=0&s=3&l1=";
                let mut alone = Vec::new();
                for penalty in ["0.02", "0.01", "0.03", "0.05"] {
                    alone.push(mean(
                        &native_report(page, &format!("{base}{penalty}"))?,
                        "clean",
                    )?);
                }
                ensure!(alone.iter().all(|&other| alone[0] <= other), "{alone:?}");
                says(alone[0])?;
                says(clean)?;
                ensure!(
                    clean < 0.8 * alone[0],
                    "together {clean}, alone {}",
                    alone[0]
                );
            }
            2 => {
                ensure!(correlation(&report, "clean", 0, 1)? > 0.5);
                ensure!(correlation(&report, "clean", 0, 3)? < -0.5);
                ensure!(correlation(&report, "clean", 0, 7)?.abs() < 0.3);
                ensure!(
                    said.contains("in truth 0.90") && said.contains("in truth −0.90"),
                    "{said}"
                );
            }
            3 => {
                ensure!(report["spec"]["method"] == "random");
                ensure!(
                    attacked > 1.1 * clean,
                    "random points: {clean} to {attacked}"
                );
                says(attacked)?;
                ensure!(said.contains("2 points beside the 12"), "{said}");
            }
            4 => {
                ensure!(attacked > 1.0 && attacked > 1.5 * start && start > clean);
                says(start)?;
                says(attacked)?;
                ensure!(said.contains("The same 6 points"), "{said}");
            }
            5 => {
                let attackers = report["attacking_tasks"].as_array().context("tasks")?;
                ensure!(attackers.iter().all(|task| task.as_u64() > Some(2)));
                ensure!(attacked > 1.2 * clean && attacked > 1.2 * start);
                says(attacked)?;
                ensure!(
                    said.contains("Points put into T1\u{2060}–\u{2060}T3: none"),
                    "{said}"
                );
            }
            _ => {
                let (mut most, mut pair) = (0.0, (0, 0));
                for a in 0..8 {
                    for b in a + 1..8 {
                        let change = (correlation(&report, "attacked", a, b)?
                            - correlation(&report, "clean", a, b)?)
                        .abs();
                        if change > most {
                            (most, pair) = (change, (a, b));
                        }
                    }
                }
                ensure!(most > 0.8, "{most}");
                let words = format!("T{} and T{}", pair.0 + 1, pair.1 + 1);
                ensure!(said.contains(&words), "{words} not in: {said}");
            }
        }
        page.click("story-next").await?;
    }
    page.until("the story to end", async || {
        Ok(!page.is_visible("story").await? && !page.fragment().await?.contains("story"))
    })
    .await
}

async fn the_story_is_read_with_the_keyboard(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    page.js::<()>(
        "document.getElementById('tour').focus(); return null",
        vec![],
    )
    .await?;
    page.press(Key::Enter).await?;
    page.wait_visible("story").await?;
    page.until("the title to have the focus", async || {
        Ok(page.focused().await?.as_deref() == Some("story-title"))
    })
    .await?;
    // Arrows belong to the page.
    page.press(Key::Right).await?;
    page.wait_text("story-count", "Step 1").await?;
    page.press(Key::Tab).await?;
    ensure!(page.focused().await?.as_deref() == Some("story-next"));
    for number in 2..=STEPS {
        page.press(Key::Enter).await?;
        page.wait_text("story-count", &format!("Step {number}"))
            .await?;
        ensure!(page.focused().await?.as_deref() == Some("story-next"));
        let spoken = "return document.querySelector('#story [role=status]').textContent";
        let words: String = page.js(spoken, vec![]).await?;
        ensure!(words.starts_with(&format!("Step {number}")), "{words}");
    }
    page.press(Key::Escape).await?;
    page.wait_hidden("story").await?;
    ensure!(
        page.focused().await?.as_deref() == Some("tour"),
        "{:?}",
        page.focused().await?
    );
    Ok(())
}

async fn the_story_never_hides_what_it_speaks_about(page: &Page) -> Result<()> {
    calm(page, false).await?;
    for (width, height) in [(1400, 1000), (768, 1000), (400, 800)] {
        page.viewport(width, height).await?;
        for number in 1..=STEPS {
            if number == 1 {
                step(page, 1).await?;
            } else {
                page.click("story-next").await?;
                reached(page, number).await?;
            }
            page.still().await?;
            let script = "const panel = document.getElementById('story').getBoundingClientRect(); \
                const card = document.querySelector('.looked-at').getBoundingClientRect(); \
                const seen = Math.min(card.bottom, panel.top) - Math.max(card.top, 0); \
                return [panel.height / innerHeight, panel.bottom - innerHeight, \
                  seen / Math.min(card.height, panel.top), panel.width]";
            let (share, below, seen, wide): (f64, f64, f64, f64) = page.js(script, vec![]).await?;
            let place = format!("step {number} at {width} x {height}");
            ensure!(
                // Less than a hundredth of a pixel is rounding.
                share <= 0.451 && below < 0.01,
                "{place}: the panel takes {share:.2}, {below} pixels are below the screen"
            );
            ensure!(
                seen > 0.85,
                "{place}: {seen:.2} of what fits of the card is seen"
            );
            ensure!(wide <= f64::from(width), "{place}: {wide} pixels wide");
        }
    }
    Ok(())
}

async fn a_step_of_the_story_opens_from_its_link(page: &Page) -> Result<()> {
    step(page, 5).await?;
    let digest = finished(page).await?;
    page.until("the address to follow", async || {
        Ok(page.fragment().await?.contains(&digest))
    })
    .await?;
    let link = page.fragment().await?;
    ensure!(
        link.contains("story=5") && link.contains("k=indirect"),
        "{link}"
    );
    page.open(&link).await?;
    ensure!(finished(page).await? == digest);
    notice(page, "Reproduced bit for bit").await?;
    page.wait_text("story-count", "Step 5").await?;
    ensure!(!page.text("notices").await?.contains("does not know"));
    // Out of range, or no number: the nearest step, or no story.
    page.open("#story=99").await?;
    page.wait_text("story-count", &format!("Step {STEPS}"))
        .await?;
    page.open("#story=x").await?;
    finished(page).await?;
    ensure!(!page.is_visible("story").await?);
    Ok(())
}

async fn the_story_lives_with_other_settings(page: &Page) -> Result<()> {
    // A link's own settings stay.
    page.open("#b=0.4&story=4").await?;
    page.wait_visible("story-changed").await?;
    finished(page).await?;
    ensure!(page.property("field-budget", "value").await?.as_deref() == Some("0.4"));
    page.click("story-restore").await?;
    page.wait_hidden("story-changed").await?;
    let before = found(page).await?;
    page.wait_text("story-found", "The same 6 points").await?;
    // The user changes a control and runs: the step still speaks of its own run.
    page.set("field-budget", "0.5").await?;
    page.wait_visible("story-changed").await?;
    page.click("run").await?;
    finished(page).await?;
    ensure!(found(page).await? == before);
    page.click("story-next").await?;
    page.wait_hidden("story-changed").await?;
    page.wait_text("story-found", "none").await?;
    page.click("story-back").await?;
    page.wait_text("story-count", "Step 4").await?;
    finished(page).await?;
    ensure!(found(page).await? == before);
    ensure!(page.property("field-budget", "value").await?.as_deref() == Some("0.2"));
    page.click("story-close").await?;
    page.wait_hidden("story").await
}

/// The line of a term in a part of the page, opened by what `press` does to its button.
async fn line_of(page: &Page, part: &str, word: &str) -> Result<String> {
    let script = "const button = [...document.querySelectorAll(`${arguments[0]} .term`)]\
          .find(b => b.textContent.includes(arguments[1])); \
        button?.scrollIntoView({ block: 'center' }); button?.focus(); return Boolean(button)";
    page.until(&format!("{word} to be a term in {part}"), async || {
        page.js(script, vec![json!(part), json!(word)]).await
    })
    .await?;
    page.settle().await?;
    page.press(Key::Enter).await?;
    page.wait_visible("term-note").await?;
    let script = "const { left, right, top, bottom } = \
        document.getElementById('term-note').getBoundingClientRect(); \
        return left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight";
    ensure!(
        page.js::<bool>(script, vec![]).await?,
        "the line of {word} leaves the screen"
    );
    page.text("term-note").await
}

async fn terms_explain_themselves(page: &Page) -> Result<()> {
    for (width, height) in [(1400, 1000), (400, 800)] {
        page.viewport(width, height).await?;
        page.open("").await?;
        finished(page).await?;
        for (part, word, says) in [
            (".summary", "NMSE", "Normalised mean squared error"),
            (".summary", "poisoned points", "adds to the training data"),
            ("#curve-card", "teration", "One round of the attack"),
            ("#heat-card", "correlation", "+1 the same"),
            ("#heat-card", "ttack", "inject points into"),
            ("#facts-card", "igest", "equal digests"),
            ("#facts-card", "above the optimum", "certificate"),
            ("#facts-card", "backtracking", "never falls"),
        ] {
            let line = line_of(page, part, word).await?;
            ensure!(line.contains(says), "{word} in {part}: {line}");
            let spoken = "return [...document.querySelectorAll('[role=status]')]\
                .some(s => s.textContent === arguments[0])";
            ensure!(
                page.js::<bool>(spoken, vec![json!(line)]).await?,
                "{word} is not spoken"
            );
            page.press(Key::Escape).await?;
            page.wait_hidden("term-note").await?;
        }
    }
    // By pointer: another term takes the place of the first, the same one closes it.
    page.viewport(1400, 1000).await?;
    page.open("").await?;
    finished(page).await?;
    line_of(page, ".summary", "NMSE").await?;
    page.press(Key::Escape).await?;
    let click = "return [...document.querySelectorAll('.summary .term')].map(b => { \
        const { left, right, top, bottom } = b.getBoundingClientRect(); \
        return [Math.round((left + right) / 2), Math.round((top + bottom) / 2)]; })";
    page.js::<()>("scrollTo(0, 0); return null", vec![]).await?;
    let places: Vec<(i64, i64)> = page.js(click, vec![]).await?;
    let (first, last) = places
        .first()
        .zip(places.last())
        .context("terms in the summary")?;
    let mut lines = Vec::new();
    for &(x, y) in [first, last] {
        let chain = page.driver.action_chain();
        chain.move_to(x, y).click().perform().await?;
        page.wait_visible("term-note").await?;
        lines.push(page.text("term-note").await?);
    }
    ensure!(lines[0] != lines[1], "{lines:?}");
    let &(x, y) = last;
    let chain = page.driver.action_chain();
    chain.move_to(x, y).click().perform().await?;
    page.wait_hidden("term-note").await?;
    // Every term has a line.
    let script = "return [...document.querySelectorAll('.term')].map(b => { b.click(); \
        const text = document.getElementById('term-note').textContent; b.click(); return text; })";
    let lines: Vec<String> = page.js(script, vec![]).await?;
    ensure!(
        lines.len() > 12 && lines.iter().all(|line| line.len() > 20),
        "{lines:?}"
    );
    Ok(())
}

async fn an_example_pressed_during_a_run_takes_its_place(page: &Page) -> Result<()> {
    page.open("#p=constant&i=1000").await?;
    page.wait_text("status", "Iteration").await?;
    page.js::<()>(
        "document.querySelectorAll('#presets button')[1].click(); return null",
        vec![],
    )
    .await?;
    finished(page).await?;
    page.until("the address of the example", async || {
        Ok(page.fragment().await?.contains("k=indirect&e="))
    })
    .await
}

async fn open_gallery(page: &Page) -> Result<()> {
    page.click("all-examples").await?;
    page.wait_visible("examples").await
}

async fn every_example_of_the_gallery_opens(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    open_gallery(page).await?;
    let script = "return [...document.querySelectorAll('.example h4 button')].map(b => \
        [b.dataset.testid, b.disabled])";
    let examples: Vec<(String, bool)> = page.js(script, vec![]).await?;
    ensure!(examples.len() >= 15, "{examples:?}");
    page.press(Key::Escape).await?;
    page.wait_hidden("examples").await?;
    ensure!(page.focused().await?.as_deref() == Some("all-examples"));
    for (id, disabled) in &examples {
        if *disabled {
            continue; // A data set that this build lacks.
        }
        open_gallery(page).await?;
        page.click(id).await?;
        finished_within(page, Duration::from_mins(1)).await?;
        let problems = page.text("notices").await?;
        ensure!(problems.is_empty(), "{id}: {problems}");
    }
    for number in 1..=3 {
        page.open("").await?;
        finished(page).await?;
        open_gallery(page).await?;
        page.click(&format!("example-figure{number}")).await?;
        page.wait_text("figure", &format!("Figure {number}"))
            .await?;
        ensure!(!page.is_visible("examples").await?);
    }
    Ok(())
}

async fn the_paper_and_our_number_stand_side_by_side(page: &Page) -> Result<()> {
    for name in ["sarcos", "landmine", "mnist"] {
        needs(name)?;
    }
    page.open("").await?;
    finished(page).await?;
    ensure!(
        !page.is_visible("claim").await?,
        "the default is none of the paper's"
    );
    open_gallery(page).await?;
    page.click("examples-fill").await?;
    page.until_within(Duration::from_mins(2), "all numbers", async || {
        Ok(page
            .text("examples-status")
            .await?
            .starts_with("All numbers"))
    })
    .await?;
    let script = "return [...document.querySelectorAll('[data-testid^=here-]')].map(d => \
        [d.dataset.testid, d.textContent])";
    let numbers: Vec<(String, String)> = page.js(script, vec![]).await?;
    for (id, text) in &numbers {
        ensure!(
            text.contains(|c: char| c.is_ascii_digit()) && !text.contains('–'),
            "{id}: {text}"
        );
        println!("{id}: {text}");
    }
    page.click("example-sarcos-30").await?;
    finished(page).await?;
    page.wait_text("claim", "about 50% higher averaged NMSE")
        .await?;
    page.wait_text("claim", "Figure 2").await?;
    let report = native_report(page, &page.fragment().await?)?;
    let (clean, attacked) = (mean(&report, "clean")?, mean(&report, "attacked")?);
    let change = format!("{:.0} % higher", 100.0 * (attacked / clean - 1.0));
    page.wait_text("claim-here", &change).await?;
    // A comparison with a second run arrives by itself.
    page.open("#d=landmine&k=indirect").await?;
    finished(page).await?;
    page.wait_text("claim", "Direct attacks are more effective")
        .await?;
    page.wait_text("claim-here", "direct").await?;
    page.wait_for("claim-here", "both numbers", |text| {
        text.matches("→").count() == 2
    })
    .await?;
    // It goes with the run.
    page.set("field-seed", "4").await?;
    page.click("run").await?;
    finished(page).await?;
    page.wait_hidden("claim").await
}

async fn examples_without_data_say_why(page: &Page) -> Result<()> {
    let server = super::failures::without_data(page)?;
    page.driver.goto(server.url()).await?;
    finished(page).await?;
    open_gallery(page).await?;
    page.wait_text("examples", "not in this copy").await?;
    for (id, expected) in [("example-sarcos-30", "true"), ("example-hybrid", "false")] {
        let disabled = page.property(id, "disabled").await?;
        ensure!(disabled.as_deref() == Some(expected), "{id}");
    }
    page.wait_text("here-sarcos-30", "not there").await
}

async fn guides_are_accessible(page: &Page) -> Result<()> {
    for (width, height) in [(1400, 1000), (400, 800)] {
        page.viewport(width, height).await?;
        calm(page, false).await?;
        page.open("").await?;
        finished(page).await?;
        line_of(page, ".summary", "NMSE").await?;
        axe_in_all_themes(page, &format!("{width}, first screen")).await?;
        page.press(Key::Escape).await?;
        open_gallery(page).await?;
        axe_in_all_themes(page, &format!("{width}, gallery")).await?;
        for number in [1, 6] {
            step(page, number).await?;
            axe_in_all_themes(page, &format!("{width}, step {number}")).await?;
        }
    }
    Ok(())
}

async fn axe_in_all_themes(page: &Page, place: &str) -> Result<()> {
    for &dark in page.themes() {
        calm(page, dark).await?;
        page.settle().await?;
        let found = if dark {
            page.axe_colors().await?
        } else {
            page.axe().await?
        };
        ensure!(found.is_empty(), "{place}, dark: {dark}: {found:#?}");
    }
    calm(page, false).await
}

async fn guides_have_their_pictures_taken(page: &Page) -> Result<()> {
    page.needs_pictures()?;
    for (width, height, dark) in [
        (1400, 1000, false),
        (1400, 1000, true),
        (400, 800, false),
        (400, 800, true),
    ] {
        page.viewport(width, height).await?;
        calm(page, dark).await?;
        let name = format!("{width}-{}", if dark { "dark" } else { "light" });
        for number in 1..=STEPS {
            step(page, number).await?;
            page.screenshot(&format!("story-{number}-{name}")).await?;
        }
        page.open("#d=sarcos").await?;
        if state(page).await? == "starting" {
            finished(page).await?;
        }
        if needs("sarcos").is_ok() {
            page.wait_visible("claim").await?;
        }
        line_of(page, ".summary", "NMSE").await?;
        page.screenshot(&format!("term-{name}")).await?;
        page.press(Key::Escape).await?;
        open_gallery(page).await?;
        page.screenshot(&format!("examples-{name}")).await?;
    }
    Ok(())
}
