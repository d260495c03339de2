//! Taking a result along: pictures that open again, tables, embeds, paper.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::failures::counting_workers;
use super::figures;
use super::lab::{finished, needs, notice, state};
use crate::cases;
use crate::engine::Engine;
use crate::harness::Case;
use crate::page::{FRAME, Page};

pub fn cases() -> Vec<Case> {
    cases![
        pictures_and_reports_open_again_when_dropped: 120,
        what_carries_no_specification_is_refused_with_words,
        nothing_in_a_picture_becomes_markup,
        a_figure_of_the_paper_is_saved_and_opens_again: 180,
        tables_and_the_citation_are_saved,
        the_poisoned_data_set_opens_as_a_file_of_ones_own,
        files_of_a_run_whose_worker_is_gone_are_made_again,
        menus_close_with_escape_and_give_the_focus_back,
        the_colours_of_the_paper_travel_in_the_link,
        a_link_names_the_picture_to_look_at,
        a_link_with_other_digits_says_by_how_much,
        the_embedded_view_is_bare_and_leads_to_the_page: 120,
        the_iframe_snippet_shows_the_result_in_another_page,
        a_frame_without_an_origin_says_what_it_needs,
        a_printed_page_is_light_and_complete: 120,
    ]
}

/// Chooses an item of a menu.
pub async fn choose_item(page: &Page, id: &str) -> Result<()> {
    let script = "const menu = document.querySelector(`[data-testid='${arguments[0]}']`)\
        .closest('details'); if (!menu.open) menu.querySelector('summary').click(); return null";
    page.js::<()>(script, vec![json!(id)]).await?;
    page.click(id).await
}

async fn saved(page: &Page, id: &str, name: &str) -> Result<Vec<u8>> {
    choose_item(page, id).await?;
    let path = page.downloaded(name).await?;
    let bytes = std::fs::read(&path)?;
    std::fs::remove_file(path)?;
    Ok(bytes)
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes
        .windows(part.len())
        .any(|found| found == part.as_bytes())
}

/// Keeps a picture beside the screenshots, to be looked at.
fn keep(name: &str, bytes: &[u8]) -> Result<()> {
    let root = xtask::workspace::Workspace::find()?.target;
    let folder = root.join("screenshots/chromium");
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(folder.join(name), bytes)?)
}

async fn pictures_and_reports_open_again_when_dropped(page: &Page) -> Result<()> {
    page.open("#k=indirect&b=0.3&i=4&map=paper").await?;
    let digest = finished(page).await?;
    let files = [
        ("save-curve-png", "curve.png"),
        ("save-curve-svg", "curve.svg"),
        ("save-heatmaps-png", "correlations.png"),
        ("save-heatmaps-svg", "correlations.svg"),
        ("save-report", "report.json"),
        ("save-spec", "spec.json"),
    ];
    let mut taken = Vec::new();
    for (id, name) in files {
        taken.push((name, saved(page, id, name).await?));
    }
    for (name, bytes) in taken {
        let picture = Path::new(name).extension().is_some_and(|end| end != "json");
        if picture {
            keep(&format!("taken-{name}"), &bytes)?;
            for part in [
                "\"spec\":{",
                &digest,
                "#v=1&d=synthetic&k=indirect",
                "&map=paper",
            ] {
                let escaped = part.replace('&', "&amp;");
                ensure!(
                    contains(&bytes, part) || contains(&bytes, &escaped),
                    "{name}: {part}"
                );
            }
        }
        page.open("#s=5&i=1").await?;
        ensure!(finished(page).await? != digest);
        page.drop_file("results", name, &bytes).await?;
        page.until(&format!("the result of {name}"), async || {
            Ok(state(page).await? == "done" && finished(page).await? == digest)
        })
        .await?;
        page.until("the short address", async || {
            Ok(page.fragment().await?.contains("k=indirect&i=4&b=0.3&e="))
        })
        .await?;
        let address = page.fragment().await?;
        ensure!(
            address.contains("map=paper") == picture,
            "{name}: {address}"
        );
        if name != "spec.json" {
            notice(page, "Reproduced bit for bit").await?;
        }
    }
    // By the button that opens files, too.
    let report = saved(page, "save-report", "report.json").await?;
    page.open("").await?;
    finished(page).await?;
    page.upload_bytes("file", "report.json", &report).await?;
    notice(page, "Reproduced bit for bit").await
}

async fn what_carries_no_specification_is_refused_with_words(page: &Page) -> Result<()> {
    page.open("").await?;
    let digest = finished(page).await?;
    let png: Vec<u8> = page
        .js_later(
            "const done = arguments[0]; const canvas = document.createElement('canvas'); \
             canvas.toBlob(async blob => done([...new Uint8Array(await blob.arrayBuffer())]))",
            vec![],
        )
        .await?;
    let newer = br#"<svg><metadata id="patom">{"link":"v=99"}</metadata></svg>"#;
    let cases: [(&str, &[u8], &str); 8] = [
        ("photo.png", &png, "this PNG carries no specification"),
        ("cut.png", &png[..40], "the end of the file"),
        (
            "logo.svg",
            b"<svg></svg>",
            "this SVG carries no specification",
        ),
        ("newer.svg", newer, "newer version"),
        ("package.json", br#"{"name":"x"}"#, "name: unknown field"),
        ("list.json", b"[1,2]", "neither a picture"),
        ("broken.json", b"{\"budget\":", "line 1"),
        ("bad.json", br#"{"spec":{"budget":"lots"}}"#, "budget"),
    ];
    for (name, bytes, part) in cases {
        page.drop_file("results", name, bytes).await?;
        page.wait_text("error-dataset", name).await?;
        let said = page.text("error-dataset").await?;
        ensure!(said.contains(part), "{name}: {said}");
        ensure!(
            finished(page).await? == digest,
            "{name}: the result is gone"
        );
    }
    page.screenshot("carries-nothing").await?;
    Ok(())
}

async fn nothing_in_a_picture_becomes_markup(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    let svg = br##"<svg><script>document.title = "taken over"</script><metadata id="patom">
        {"link":"#v=1&lt;img src=x onerror=alert(1)&gt;=1&amp;s=3&amp;i=1"}</metadata></svg>"##;
    page.drop_file("results", "evil.svg", svg).await?;
    page.wait_text("error-dataset", "version").await?;
    let svg = br##"<svg><metadata id="patom">
        {"link":"#s=3&amp;i=1&amp;%3Cimg%20src%3Dx%3E=1"}</metadata></svg>"##;
    page.drop_file("results", "evil.svg", svg).await?;
    notice(page, "<img src=x>").await?;
    finished(page).await?;
    let found: (usize, String) = page
        .js(
            "return [document.querySelectorAll('main img, main script').length, document.title]",
            vec![],
        )
        .await?;
    ensure!(found == (0, "PATOM Lab".to_string()), "{found:?}");
    Ok(())
}

async fn a_figure_of_the_paper_is_saved_and_opens_again(page: &Page) -> Result<()> {
    needs("sarcos")?;
    page.open("#view=figure3").await?;
    page.wait_text("figure-status", "runs on").await?;
    let script = "for (const box of document.querySelectorAll('[data-testid^=figure-data-]')) \
        if (!box.disabled && box.checked !== (box.name === 'sarcos')) box.click(); return null";
    page.js::<()>(script, vec![]).await?;
    page.set("figure-seeds", "2").await?;
    page.click("figure-run").await?;
    page.until_within(
        std::time::Duration::from_mins(2),
        "the figure to be done",
        async || Ok(page.text("figure-status").await?.starts_with("Done")),
    )
    .await?;
    let script = "return document.querySelector('[data-testid=figure]').dataset.digest";
    let digest: String = page.js(script, vec![]).await?;
    for end in ["png", "svg"] {
        let name = format!("figure3-sarcos.{end}");
        let bytes = saved(page, &format!("figure-{end}-sarcos"), &name).await?;
        ensure!(contains(&bytes, "view=figure3"), "{name} carries no link");
        keep(&format!("taken-{name}"), &bytes)?;
        page.open("").await?;
        finished(page).await?;
        if end == "svg" {
            // As in a browser that never ran it.
            let forget = "const done = arguments[0]; \
                indexedDB.deleteDatabase('patom-lab-figures').onsuccess = () => done(null)";
            page.js_later::<()>(forget, vec![]).await?;
            page.drop_file("results", &name, &bytes).await?;
            page.wait_text("figure-status", "runs on").await?;
            let script = "return [...document.querySelectorAll('[data-testid^=figure-data-]')] \
                .filter(({ checked }) => checked).map(({ name }) => name)";
            let chosen: Vec<String> = page.js(script, vec![]).await?;
            ensure!(chosen == ["sarcos"], "{chosen:?}");
            page.click("figure-run").await?;
        } else {
            page.drop_file("results", &name, &bytes).await?;
            page.wait_text("figure-status", "not computed again")
                .await?;
            page.open("#view=figure3").await?;
        }
        figures::ends_with(page, &digest).await?;
    }
    Ok(())
}

async fn tables_and_the_citation_are_saved(page: &Page) -> Result<()> {
    page.open("#i=3").await?;
    let digest = finished(page).await?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).context("UTF-8");
    let trace = text(saved(page, "save-trace", "trace.csv").await?)?;
    ensure!(trace.starts_with("iteration,nmse,utility,objective,certificate,seconds,nmse_T1,"));
    ensure!(trace.lines().count() == 5, "{trace}");
    let correlations = text(saved(page, "save-correlations", "correlations.csv").await?)?;
    ensure!(correlations.starts_with("model,task,T1,T2,"));
    ensure!(correlations.lines().count() == 1 + 3 * 8, "{correlations}");
    let bibtex = text(saved(page, "save-bibtex", ".bib").await?)?;
    for part in [
        "@inproceedings{",
        "@misc{",
        &digest,
        "#v=1&d=synthetic&i=3&e=",
    ] {
        ensure!(bibtex.contains(part), "{part}: {bibtex}");
    }
    let open = bibtex.matches('{').count();
    ensure!(open == bibtex.matches('}').count(), "{bibtex}");
    Ok(())
}

async fn the_poisoned_data_set_opens_as_a_file_of_ones_own(page: &Page) -> Result<()> {
    page.open("#i=3").await?;
    finished(page).await?;
    let points = saved(page, "save-points", "points.csv").await?;
    let poisoned = saved(page, "save-poisoned", "poisoned.csv").await?;
    let text = String::from_utf8(poisoned.clone())?;
    ensure!(text.starts_with("task,label,x1,x2,") && text.contains(",x10,split\n"));
    ensure!(!text.contains("injected"));
    ensure!(text.lines().count() == String::from_utf8(points)?.lines().count());
    page.upload_bytes("file", "poisoned.csv", &poisoned).await?;
    page.wait_text("data-note", "8 tasks, 10 features").await?;
    finished(page).await?;
    Ok(())
}

async fn files_of_a_run_whose_worker_is_gone_are_made_again(page: &Page) -> Result<()> {
    let server = counting_workers(page)?;
    page.driver.goto(format!("{}#i=3", server.url())).await?;
    finished(page).await?;
    let first = saved(page, "save-points", "points.csv").await?;
    page.js::<()>("workers[0].terminate(); return null", vec![])
        .await?;
    page.until("another worker", async || {
        page.js("return workers.length > 1", vec![]).await
    })
    .await?;
    let again = saved(page, "save-points", "points.csv").await?;
    ensure!(first == again, "the points are not the same");
    ensure!(!page.text("notices").await?.contains("made again"));
    Ok(())
}

async fn menus_close_with_escape_and_give_the_focus_back(page: &Page) -> Result<()> {
    page.open("#i=1").await?;
    finished(page).await?;
    let open = "return document.querySelectorAll('details.menu[open]').length";
    let summary = "const all = document.querySelectorAll('.menu summary'); \
        all[arguments[0]].focus(); return null";
    page.js::<()>(summary, vec![json!(0)]).await?;
    page.press(Key::Enter).await?;
    page.press(Key::Tab).await?;
    ensure!(page.focused().await?.as_deref() == Some("save-curve-png"));
    ensure!(page.js::<u32>(open, vec![]).await? == 1);
    page.screenshot("save-menu").await?;
    page.press(Key::Escape).await?;
    ensure!(page.js::<u32>(open, vec![]).await? == 0);
    let focus = "return document.activeElement.localName";
    ensure!(page.js::<String>(focus, vec![]).await? == "summary");
    page.press(Key::Enter).await?;
    page.click("headline").await?;
    ensure!(page.js::<u32>(open, vec![]).await? == 0);
    Ok(())
}

async fn the_colours_of_the_paper_travel_in_the_link(page: &Page) -> Result<()> {
    page.open("#i=2").await?;
    finished(page).await?;
    let press = "document.getElementById('paper-colors').click(); return null";
    page.js::<()>(press, vec![]).await?;
    page.until("the colours in the address", async || {
        Ok(page.fragment().await?.ends_with("&map=paper"))
    })
    .await?;
    let address = page.fragment().await?;
    page.open(&address).await?;
    finished(page).await?;
    notice(page, "Reproduced bit for bit").await?;
    let checked = "return document.getElementById('paper-colors').checked";
    ensure!(page.js::<bool>(checked, vec![]).await?);
    // The middle of a diagonal cell: yellow, not the red of the other map.
    page.settle().await?;
    let script = "const canvas = document.querySelector('#heatmaps canvas'); \
        const scale = canvas.width / canvas.clientWidth; \
        return [...canvas.getContext('2d').getImageData(43 * scale, 37 * scale, 1, 1).data]";
    let color: Vec<u32> = page.js(script, vec![]).await?;
    ensure!(
        color[0] > 180 && color[1] > 160 && color[2] < 120,
        "{color:?}"
    );
    page.js::<()>(press, vec![]).await?;
    page.until("the address without them", async || {
        Ok(!page.fragment().await?.contains("map="))
    })
    .await
}

async fn a_link_names_the_picture_to_look_at(page: &Page) -> Result<()> {
    page.viewport(1400, 700).await?;
    page.open("#i=2&view=heatmaps").await?;
    finished(page).await?;
    page.until("the heatmaps in view", async || {
        let script = "return document.querySelector('[data-card=heatmaps]')\
            .getBoundingClientRect().top";
        Ok(page.js::<f64>(script, vec![]).await?.abs() < 40.0)
    })
    .await?;
    ensure!(page.fragment().await?.contains("view=heatmaps"));
    Ok(())
}

async fn a_link_with_other_digits_says_by_how_much(page: &Page) -> Result<()> {
    page.open("#i=3").await?;
    finished(page).await?;
    page.until("the metric in the address", async || {
        Ok(page.fragment().await?.contains("&q="))
    })
    .await?;
    let address = page.fragment().await?;
    let (before, after) = address.split_once("&q=").context("q")?;
    let (metric, utility) = after.split_once("&u=").context("u")?;
    let metric: f64 = metric.parse()?;
    let utility: f64 = utility.parse()?;
    let other = format!("{before}&q={}&u={utility}", metric * 1.0002).replace("&r=", "&r=00");
    page.open(&other).await?;
    finished(page).await?;
    notice(page, "Not the result of the link").await?;
    let said = page.text("notices").await?;
    ensure!(
        said.contains("they differ in the 4th digit (by 2e-4"),
        "{said}"
    );
    ensure!(said.contains("is the same to the last digit"), "{said}");
    page.screenshot("other-digits").await?;
    Ok(())
}

async fn the_embedded_view_is_bare_and_leads_to_the_page(page: &Page) -> Result<()> {
    let mut links = BTreeSet::new();
    for (view, shown, hidden) in [
        ("&view=curve", vec!["curve"], vec!["heatmaps", "task-table"]),
        (
            "&view=heatmaps",
            vec!["heatmaps"],
            vec!["curve", "task-table"],
        ),
        (
            "&view=tasks,curve",
            vec!["task-table", "curve"],
            vec!["heatmaps"],
        ),
        ("", vec!["curve", "heatmaps"], vec!["task-table"]),
    ] {
        page.viewport(900, 700).await?;
        page.open(&format!("#k=indirect&i=4&embed=1{view}")).await?;
        finished(page).await?;
        for id in shown.into_iter().chain(["headline"]) {
            ensure!(page.is_visible(id).await?, "{view}: {id} is not shown");
        }
        for id in hidden
            .into_iter()
            .chain(["controls", "run", "copy-link", "to-figures", "tiles"])
        {
            ensure!(!page.is_visible(id).await?, "{view}: {id} is shown");
        }
        let name = if view.is_empty() { "both" } else { &view[6..] };
        page.screenshot_whole(&format!("embed-{}", name.replace(',', "-")))
            .await?;
        if view == "&view=curve" && page.needs_pictures().is_ok() {
            page.viewport(400, 800).await?;
            page.open("#k=indirect&i=4&embed=1&view=curve").await?;
            finished(page).await?;
            for &dark in page.themes() {
                page.dark(dark).await?;
                let look = if dark { "dark" } else { "light" };
                page.screenshot(&format!("embed-{look}-400")).await?;
            }
            page.dark(false).await?;
        }
        let script = "const link = document.querySelector('.embed-link'); \
            return [link.href, link.target, link.rel]";
        let (href, target, rel): (String, String, String) = page.js(script, vec![]).await?;
        ensure!(target == "_blank" && rel == "noopener");
        links.insert(href);
    }
    // One for all: the view is no part of it.
    ensure!(links.len() == 1, "{links:?}");
    let link = links.pop_first().context("a link")?;
    let (_, fragment) = link.split_once('#').context("a link with settings")?;
    ensure!(
        !fragment.contains("embed") && !fragment.contains("view"),
        "{link}"
    );
    page.open(&format!("#{fragment}")).await?;
    finished(page).await?;
    notice(page, "Reproduced bit for bit").await?;
    ensure!(page.is_visible("controls").await?);
    Ok(())
}

/// Replaces the clipboard, which browsers do not give to tests, and returns what was copied.
async fn copied(page: &Page, id: &str) -> Result<String> {
    let script = "window.copied = ''; Object.defineProperty(navigator, 'clipboard', { \
        configurable: true, value: { writeText: async text => { window.copied = text; } } }); \
        return null";
    page.js::<()>(script, vec![]).await?;
    let in_menu = "return Boolean(document.querySelector(`[data-testid='${arguments[0]}']`)\
        .closest('details.menu'))";
    if page.js(in_menu, vec![json!(id)]).await? {
        choose_item(page, id).await?;
    } else {
        page.click(id).await?;
    }
    page.until("something copied", async || {
        Ok(!page
            .js::<String>("return window.copied", vec![])
            .await?
            .is_empty())
    })
    .await?;
    page.js("return window.copied", vec![]).await
}

async fn the_iframe_snippet_shows_the_result_in_another_page(page: &Page) -> Result<()> {
    page.open("#k=indirect&i=4").await?;
    let digest = finished(page).await?;
    for id in ["embed-curve", "embed-heatmaps", "copy-embed"] {
        page.open("#k=indirect&i=4").await?;
        finished(page).await?;
        let snippet = copied(page, id).await?;
        ensure!(snippet.contains("title=\"PATOM Lab: "), "{snippet}");
        page.driver
            .goto(format!("{}{}", page.server.url(), FRAME.0))
            .await?;
        let script = "document.body.innerHTML = arguments[0]; return null";
        page.js::<()>(script, vec![json!(snippet)]).await?;
        let inner = "const inside = document.querySelector('iframe').contentDocument; \
            return [inside.getElementById('results')?.dataset.digest ?? '', \
              inside.documentElement.scrollHeight, document.querySelector('iframe').clientHeight]";
        page.until("the result in the frame", async || {
            let (found, _, _): (String, f64, f64) = page.js(inner, vec![]).await?;
            Ok(found == digest)
        })
        .await?;
        page.settle().await?;
        let (_, needed, given): (String, f64, f64) = page.js(inner, vec![]).await?;
        ensure!(
            needed <= given,
            "{id}: {needed} pixels in a frame of {given}"
        );
        ensure!(
            needed > given - 160.0,
            "{id}: {needed} pixels in a frame of {given}"
        );
        page.screenshot_whole(&format!("iframe-{id}")).await?;
    }
    Ok(())
}

async fn a_frame_without_an_origin_says_what_it_needs(page: &Page) -> Result<()> {
    // What the sandbox forbids, the browser reports.
    page.expect_console_error("CORS");
    page.expect_console_error("ERR_FAILED");
    page.driver
        .goto(format!("{}{}", page.server.url(), FRAME.0))
        .await?;
    let script = "document.body.innerHTML = `<iframe title='page' id='frame' width='900' \
        height='300' sandbox='allow-scripts' src='./#i=3&embed=1'></iframe>`; return null";
    page.js::<()>(script, vec![]).await?;
    let frame = page.driver.find(By::Id("frame")).await?;
    frame.enter_frame().await?;
    // WebKit refuses it all files, style and scripts alike.
    if page.engine == Engine::Webkit {
        page.wait_text("unstyled", "allow-same-origin").await?;
    } else {
        page.wait_text("headline", "cannot run here").await?;
        page.wait_text("status", "allow-same-origin").await?;
        page.wait_hidden("unstyled").await?;
    }
    page.driver.enter_default_frame().await?;
    page.screenshot("embed-sandboxed").await?;
    Ok(())
}

async fn a_printed_page_is_light_and_complete(page: &Page) -> Result<()> {
    page.dark(true).await?;
    page.open("#k=indirect&i=4").await?;
    let digest = finished(page).await?;
    // What comes after the first result: the injected points, and the settings for paper.
    page.wait_visible("where-picture").await?;
    page.until("the settings on paper", async || {
        let script = "dispatchEvent(new Event('beforeprint')); \
            dispatchEvent(new Event('afterprint')); \
            return document.querySelector('[data-testid=print-settings]').textContent !== ''";
        page.js(script, vec![]).await
    })
    .await?;
    page.settle().await?;
    let pdf = page
        .cdp("Page.printToPDF", json!({ "printBackground": false }))
        .await?;
    let pdf = pdf["data"].as_str().unwrap_or_default();
    ensure!(pdf.len() > 20_000, "a PDF of {} bytes", pdf.len());
    // What the paper got, on a screen as wide as A4 is.
    page.viewport(720, 1000).await?;
    page.cdp(
        "Emulation.setEmulatedMedia",
        json!({ "media": "print", "features": [{ "name": "prefers-color-scheme", "value": "dark" }] }),
    )
    .await?;
    page.settle().await?;
    // The paper takes what there is at once: no frame of the screen comes in between.
    let script = "dispatchEvent(new Event('beforeprint')); \
        return [...document.querySelectorAll('canvas')].map(picture => [ \
          picture.getBoundingClientRect().right, \
          picture.getContext('2d').getImageData(2, 2, 1, 1).data[0]])";
    let pictures: Vec<(f64, u32)> = page.js(script, vec![]).await?;
    let words = page.text("print-settings").await?;
    for part in [
        "Budget",
        "indirect",
        "Seed",
        "42",
        "#v=1&d=synthetic&k=indirect",
        &digest,
    ] {
        ensure!(words.contains(part), "{part}: {words}");
    }
    for id in ["controls", "copy-link", "save-report", "run"] {
        ensure!(!page.is_visible(id).await?, "{id} is on paper");
    }
    ensure!(pictures.len() == 6, "{}", pictures.len());
    for (right, paper) in pictures {
        ensure!(right <= 720.0, "a picture ends at {right}");
        ensure!(paper > 240, "a picture is dark: {paper}");
    }
    page.screenshot_whole("print").await?;
    page.js::<()>(
        "dispatchEvent(new Event('afterprint')); return null",
        vec![],
    )
    .await?;
    let _: Value = page
        .cdp("Emulation.setEmulatedMedia", json!({ "media": "" }))
        .await?;
    Ok(())
}
