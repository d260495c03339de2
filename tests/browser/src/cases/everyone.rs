//! For everyone: each view of the page under axe, with the keyboard, in every theme and width.
//!
//! A new view is one more line of [`VIEWS`]: how to get there, and from then on everything here
//! holds for it.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use thirtyfour::Key;

use super::lab::{complete, finished, needs, notice, reached, state};
use super::runs::LONG;
use crate::cases;
use crate::harness::Case;
use crate::page::{Page, Skipped};

pub fn cases() -> Vec<Case> {
    cases![
        axe_finds_nothing_in_any_view_in_light_and_dark: 600,
        views_are_in_order_have_names_fit_and_ask_no_other_host: 500,
        pictures_can_be_told_from_the_page_in_forced_colours: 120,
        the_whole_path_works_with_the_keyboard_alone: 180,
        settings_are_a_sheet_on_a_phone: 120,
        a_phone_page_is_not_endless,
        nothing_moves_when_motion_is_unwanted,
    ]
}

/// A view: its name, its address, the data set it needs, and what is done there after it opened.
pub struct View {
    pub name: &'static str,
    link: &'static str,
    needs: Option<&'static str>,
    then: Then,
}

enum Then {
    /// Wait for the result.
    Finished,
    /// A result of the lab is there, and this is pressed by its test id.
    Press(&'static str),
    /// A run goes on.
    Running,
    /// A run has been cancelled.
    Cancelled,
    /// The lab waits for something, and says this.
    Waits(&'static str),
    /// Two runs stand side by side.
    Compared,
    /// A figure is there; nothing has run.
    Figure,
    /// A figure has run to its end.
    FigureDone,
}

const fn view(
    name: &'static str,
    link: &'static str,
    needs: Option<&'static str>,
    then: Then,
) -> View {
    View {
        name,
        link,
        needs,
        then,
    }
}

const FILE: &str =
    "#d=file:mine.csv:abababababababababababababababababababababababababababababababab";

/// Every view of the page.
pub const VIEWS: &[View] = &[
    view("lab", "", None, Then::Finished),
    view(
        "lab-landmine",
        "#d=landmine&i=2&k=indirect",
        Some("landmine"),
        Then::Finished,
    ),
    view("lab-running", LONG, None, Then::Running),
    view("lab-cancelled", LONG, None, Then::Cancelled),
    view("lab-bad-link", "#b=7&wobble=1&i=2", None, Then::Finished),
    view(
        "lab-failed",
        "?fail=panic&fail=panic",
        None,
        Then::Waits("internal error"),
    ),
    view(
        "lab-waits-for-a-file",
        FILE,
        None,
        Then::Waits("open mine.csv"),
    ),
    view("lab-settings", "#i=2", None, Then::Press("to-settings")),
    view("tour", "#story=2", None, Then::Finished),
    view("embedded", "#i=2&embed=1&view=curve", None, Then::Finished),
    view(
        "compare",
        "#view=compare&left=d=synthetic%26i=6&right=d=synthetic%26k=indirect",
        None,
        Then::Compared,
    ),
    view("figure-1", "#view=figure1", None, Then::Figure),
    view(
        "figure-1-done",
        "#view=figure1",
        Some("sarcos"),
        Then::FigureDone,
    ),
    view(
        "figure-2-done",
        "#view=figure2&seeds=1",
        Some("sarcos"),
        Then::FigureDone,
    ),
    view(
        "figure-3-done",
        "#view=figure3",
        Some("sarcos"),
        Then::FigureDone,
    ),
];

impl View {
    /// Goes there, with all disclosures open. False: it cannot be had here.
    pub async fn open(&self, page: &Page) -> Result<bool> {
        if let Some(name) = self.needs
            && needs(name).is_err_and(|error| error.is::<Skipped>())
        {
            return Ok(false);
        }
        page.expect_console_error("a panic was asked for");
        // What still goes on in the view before would be shown as interrupted.
        let script = "document.querySelector('#cancel:not([hidden])')?.click(); return null";
        page.js::<()>(script, vec![]).await?;
        page.open(self.link).await?;
        match self.then {
            Then::Finished => {
                finished(page).await?;
            }
            Then::Press(id) => {
                finished(page).await?;
                // A button of narrow screens alone.
                if page.is_visible(id).await? {
                    page.click(id).await?;
                }
            }
            Then::Running | Then::Cancelled => {
                page.wait_text("status", "Iteration").await?;
                if matches!(self.then, Then::Cancelled) {
                    page.click("cancel").await?;
                }
            }
            Then::Waits(words) => notice(page, words).await?,
            Then::Compared => {
                page.wait_text("compare-status", "Both runs are done")
                    .await?;
            }
            Then::Figure | Then::FigureDone => {
                page.wait_text("figure-claim", " ").await?;
                if matches!(self.then, Then::Figure)
                    && !page.text("figure-status").await?.contains("runs on")
                {
                    // What is kept of an earlier visit is another view.
                    let forget = "const done = arguments[0]; \
                        indexedDB.deleteDatabase('patom-lab-figures').onsuccess = () => done(null)";
                    page.js_later::<()>(forget, vec![]).await?;
                    page.open(self.link).await?;
                    page.wait_text("figure-status", "runs on").await?;
                }
                if matches!(self.then, Then::FigureDone) {
                    let script = "for (const box of \
                        document.querySelectorAll('[data-testid^=figure-data-]')) \
                        if (!box.disabled && box.checked !== (box.name === 'sarcos')) box.click(); \
                        return null";
                    page.js::<()>(script, vec![]).await?;
                    page.click("figure-run").await?;
                    let done =
                        "return document.querySelector('[data-testid=figure]').dataset.state";
                    page.until_within(Duration::from_secs(90), "the figure", async || {
                        Ok(page.js::<String>(done, vec![]).await? == "done")
                    })
                    .await?;
                }
            }
        }
        // What is loaded later is part of the view.
        page.until("the rest of the page", async || {
            let script = "const where = document.getElementById('where-card'); \
                return document.querySelector('.recent') !== null && \
                (!where.checkVisibility() || where.querySelector('canvas') !== null)";
            page.js(script, vec![]).await
        })
        .await?;
        let script = "for (const box of document.querySelectorAll('details')) box.open = true; \
            return null";
        page.js::<()>(script, vec![]).await?;
        page.settle().await?;
        Ok(true)
    }
}

async fn axe_finds_nothing_in_any_view_in_light_and_dark(page: &Page) -> Result<()> {
    let mut found = Vec::new();
    for view in VIEWS {
        // What is opened on a phone alone closes by itself where there is room.
        page.viewport(400, 900).await?;
        page.dark(false).await?;
        if !view.open(page).await? {
            continue;
        }
        for width in [400, 1400] {
            page.viewport(width, 900).await?;
            for &dark in page.themes() {
                page.dark(dark).await?;
                page.settle().await?;
                let theme = if dark { "dark" } else { "light" };
                let name = format!("view-{}-{width}-{theme}", view.name);
                // Only colours differ from what was looked at in the light.
                let violations = if dark {
                    page.axe_colors().await?
                } else {
                    page.axe().await?
                };
                for violation in violations {
                    found.push(format!("{name}: {violation}"));
                }
                page.screenshot_whole(&name).await?;
            }
        }
        if matches!(view.then, Then::Running) {
            ensure!(state(page).await? == "running", "the run was too short");
        }
    }
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

/// From 320 pixels to 2,560 nothing stands beyond the screen.
async fn no_screen_is_too_narrow(page: &Page, view: &View) -> Result<()> {
    for width in [320, 400, 768, 901, 1400, 2560] {
        page.resize(width, 900).await?;
        page.settle().await?;
        // Pictures follow a frame or two later, on a busy machine more.
        let what = format!("{} to fit a screen of {width}", view.name);
        page.until(&what, async || {
            let script = "const most = document.documentElement.clientWidth; \
                return [document.documentElement.scrollWidth, \
                  [...document.querySelectorAll('body *')] \
                  .filter(e => e.getBoundingClientRect().right > most + 1 && \
                    !e.closest('.scroll, .heatmaps, .visually-hidden, .chips, .presets, math')) \
                  .map(e => `${e.localName}#${e.id}.${e.className}`).slice(0, 5)]";
            let (wide, who): (u32, Vec<String>) = page.js(script, vec![]).await?;
            ensure!(wide <= width, "{wide} pixels: {who:?}");
            Ok(true)
        })
        .await?;
        if [320, 2560].contains(&width) {
            page.screenshot_whole(&format!("view-{}-{width}", view.name))
                .await?;
        }
    }
    Ok(())
}

async fn views_are_in_order_have_names_fit_and_ask_no_other_host(page: &Page) -> Result<()> {
    for view in VIEWS {
        page.elastic_viewport(1400, 900).await?;
        if !view.open(page).await? {
            continue;
        }
        headings_and_landmarks_are_in_order(page, view).await?;
        every_picture_has_a_name_and_a_table(page, view).await?;
        let script = "return performance.getEntriesByType('resource').map(({ name }) => name) \
            .filter(name => !name.startsWith(location.origin) && !/^(data|blob):/.test(name))";
        let elsewhere: Vec<String> = page.js(script, vec![]).await?;
        ensure!(elsewhere.is_empty(), "{}: {elsewhere:?}", view.name);
        no_screen_is_too_narrow(page, view).await?;
    }
    // Nor could it: the browser would refuse.
    let script = "const done = arguments[0]; fetch('http://127.0.0.2:9/').then(() => done('sent'), \
        problem => setTimeout(done, 3000, 'nothing')); document.addEventListener('securitypolicyviolation', \
          event => done(event.effectiveDirective))";
    page.expect_console_error("Content Security Policy");
    page.expect_console_error("Failed to fetch");
    let refused: String = page.js_later(script, vec![]).await?;
    ensure!(refused == "connect-src", "{refused}");
    Ok(())
}

async fn headings_and_landmarks_are_in_order(page: &Page, view: &View) -> Result<()> {
    let script = "const seen = element => element.checkVisibility(); \
        return [[...document.querySelectorAll('h1, h2, h3, h4')].filter(seen).map(h => +h.localName[1]), \
          [...document.querySelectorAll('main')].filter(seen).length, \
          [...document.querySelectorAll('header, footer, main, nav')].filter(seen).length, \
          [...document.querySelectorAll('[aria-live=assertive]')].length, \
          document.title]";
    let (levels, mains, landmarks, loud, title): (Vec<u8>, usize, usize, usize, String) =
        page.js(script, vec![]).await?;
    ensure!(levels.first() == Some(&1), "{}: {levels:?}", view.name);
    ensure!(
        levels.windows(2).all(|pair| pair[1] <= pair[0] + 1),
        "{}: {levels:?}",
        view.name
    );
    ensure!(
        // An embedded view has no header, footer and navigation to show.
        mains == 1 && (landmarks >= 4 || view.name == "embedded"),
        "{}: {mains} {landmarks}",
        view.name
    );
    ensure!(loud == 0, "{}: {loud} regions interrupt", view.name);
    ensure!(title.contains("PATOM Lab"), "{title}");
    Ok(())
}

async fn every_picture_has_a_name_and_a_table(page: &Page, view: &View) -> Result<()> {
    let script = "return [...document.querySelectorAll('canvas')].filter(c => c.checkVisibility()) \
        .filter(c => c.getAttribute('role') !== 'img' || !c.getAttribute('aria-label') || \
          !c.closest('.card').querySelector('table')) \
        .map(c => c.getAttribute('aria-label') ?? c.outerHTML)";
    let bare: Vec<String> = page.js(script, vec![]).await?;
    // While a run goes on its numbers are spoken and in the status; the table comes at the end.
    let unfinished = matches!(view.then, Then::Running | Then::Cancelled);
    ensure!(bare.is_empty() || unfinished, "{}: {bare:?}", view.name);
    Ok(())
}

async fn pictures_can_be_told_from_the_page_in_forced_colours(page: &Page) -> Result<()> {
    for (theme, dark) in [("light", false), ("dark", true)] {
        page.media(&[("forced-colors", "active"), ("prefers-color-scheme", theme)])
            .await?;
        for view in VIEWS {
            if !["lab", "figure-1-done", "lab-settings"].contains(&view.name)
                || !view.open(page).await?
            {
                continue;
            }
            let script = "return [...document.querySelectorAll('canvas')] \
                .filter(c => c.checkVisibility()).map(c => { \
                  const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height); \
                  let [least, most] = [255, 0]; \
                  for (let k = 0; k < data.length; k += 4) { \
                    least = Math.min(least, data[k + 1]); most = Math.max(most, data[k + 1]); } \
                  return [data[5], most - least, getComputedStyle(c).outlineStyle]; })";
            let pictures: Vec<(u32, u32, String)> = page.js(script, vec![]).await?;
            ensure!(!pictures.is_empty());
            for (background, contrast, edge) in pictures {
                ensure!(
                    (background < 128) == dark,
                    "{theme}: background {background}"
                );
                ensure!(contrast > 120, "{theme}: contrast {contrast}");
                ensure!(edge == "solid", "{edge}");
            }
            page.screenshot_whole(&format!("view-{}-forced-{theme}", view.name))
                .await?;
        }
    }
    Ok(())
}

/// Presses Tab until the focus is on an element that the selector names.
async fn tab_to(page: &Page, selector: &str) -> Result<()> {
    for _ in 0..120 {
        page.press(Key::Tab).await?;
        let script = "const at = document.activeElement; \
            const { outlineStyle } = getComputedStyle(at.matches('.segments input, .chips input, \
              .datasets input') ? at.nextElementSibling : at); \
            return [at.matches(arguments[0]), outlineStyle !== 'none' || at === document.body, at.outerHTML.slice(0, 80)]";
        let (there, marked, who): (bool, bool, String) =
            page.js(script, vec![selector.into()]).await?;
        // Checkboxes, sliders and boxes that scroll may have the browser's own ring.
        ensure!(marked, "the focus cannot be seen: {who}");
        if there {
            return Ok(());
        }
    }
    bail!("{selector} cannot be reached with Tab")
}

async fn top(page: &Page) -> Result<()> {
    let script = "document.activeElement?.blur(); getSelection().removeAllRanges(); \
        document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex'); \
        return null";
    page.js(script, vec![]).await
}

async fn the_whole_path_works_with_the_keyboard_alone(page: &Page) -> Result<()> {
    needs("sarcos")?;
    page.open("").await?;
    finished(page).await?;
    // Skip to the result.
    tab_to(page, ".skip").await?;
    page.press(Key::Enter).await?;
    let script = "return document.activeElement.id";
    ensure!(page.js::<String>(script, vec![]).await? == "results");
    // Choose data.
    top(page).await?;
    tab_to(page, "#dataset-synthetic").await?;
    page.press(Key::Right).await?;
    page.press(Key::Right).await?;
    page.wait_text("data-note", "7 tasks").await?;
    // Change the attack, run.
    tab_to(page, "#field-attack-direct").await?;
    page.press(Key::Right).await?;
    tab_to(page, "#run").await?;
    page.press(Key::Enter).await?;
    page.until("the run to end", async || {
        Ok(state(page).await? == "done" && page.text("status").await?.starts_with("Done"))
    })
    .await?;
    ensure!(page.fragment().await?.contains("k=indirect"));
    // Read a heatmap.
    top(page).await?;
    tab_to(page, "#heatmaps canvas").await?;
    page.press(Key::Right).await?;
    page.press(Key::Right).await?;
    page.wait_text("cell-readout", "T1 and T2").await?;
    // Take the link along.
    tab_to(page, "#copy-link").await?;
    page.press(Key::Enter).await?;
    page.wait_for("copied", "an answer", |text| !text.is_empty())
        .await?;
    // A long run, cancelled.
    page.set("field-iterations", "1000").await?;
    top(page).await?;
    tab_to(page, "#field-step-backtracking").await?;
    page.press(Key::Left).await?;
    tab_to(page, "#run").await?;
    page.press(Key::Enter).await?;
    page.wait_text("status", "Iteration").await?;
    page.press(Key::Enter).await?;
    reached(page, "cancelled", Duration::from_secs(5)).await?;
    ensure!(page.focused().await?.as_deref() == Some("run"));
    // The figures.
    top(page).await?;
    tab_to(page, "#to-figures").await?;
    page.press(Key::Enter).await?;
    page.wait_text("figure-claim", " ").await?;
    tab_to(page, "#to-figure2").await?;
    page.press(Key::Enter).await?;
    tab_to(page, "[data-testid=figure-run]").await?;
    page.expect_console_error("Blocked attempt to show a 'beforeunload'");
    Ok(())
}

async fn settings_are_a_sheet_on_a_phone(page: &Page) -> Result<()> {
    page.viewport(400, 850).await?;
    page.open("").await?;
    finished(page).await?;
    ensure!(
        !page.is_visible("field-seed").await?,
        "the settings lie open"
    );
    page.click("to-settings").await?;
    page.wait_visible("field-seed").await?;
    let expanded = "return [document.getElementById('to-settings').getAttribute('aria-expanded'), \
        document.getElementById('results').inert]";
    ensure!(page.js::<(String, bool)>(expanded, vec![]).await? == ("true".into(), true));
    page.screenshot("sheet-400").await?;
    page.press(Key::Escape).await?;
    page.wait_hidden("field-seed").await?;
    let focused = "return document.activeElement.id";
    ensure!(page.js::<String>(focused, vec![]).await? == "to-settings");
    page.press(Key::Enter).await?;
    page.set("field-seed", "9").await?;
    page.click("run").await?;
    page.wait_hidden("field-seed").await?;
    finished(page).await?;
    ensure!(page.fragment().await?.contains("s=9"));
    ensure!(page.js::<(String, bool)>(expanded, vec![]).await? == ("false".into(), false));
    Ok(())
}

async fn a_phone_page_is_not_endless(page: &Page) -> Result<()> {
    page.viewport(400, 850).await?;
    page.open("").await?;
    finished(page).await?;
    // All of it: what comes later is part of the page.
    page.until("the rest of the page", async || complete(page).await)
        .await?;
    page.settle().await?;
    let script = "return document.documentElement.scrollHeight";
    let long: u32 = page.js(script, vec![]).await?;
    page.screenshot_whole("phone").await?;
    // It was 6,700.
    ensure!(long < 3600, "{long} pixels");
    Ok(())
}

async fn nothing_moves_when_motion_is_unwanted(page: &Page) -> Result<()> {
    page.media(&[("prefers-reduced-motion", "reduce")]).await?;
    page.open("").await?;
    finished(page).await?;
    let script = "return [...document.querySelectorAll('*')].filter(e => { \
        const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(e); \
        return transitionDuration !== '0s' || animationName !== 'none' || scrollBehavior === 'smooth'; \
      }).map(e => e.outerHTML.slice(0, 60))";
    let moving: Vec<String> = page.js(script, vec![]).await?;
    ensure!(moving.is_empty(), "{moving:?}");
    Ok(())
}
