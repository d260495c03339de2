//! The vocabulary of the cases does what it says: otherwise a case could pass for nothing.

use anyhow::{Result, ensure};
use serde_json::json;
use thirtyfour::Key;
use xtask::server::FaultKind;

use crate::cases;
use crate::engine::Engine;
use crate::harness::Case;
use crate::page::{FRAME, Page};

pub fn cases() -> Vec<Case> {
    cases![
        inputs_are_set_and_the_page_hears_of_it,
        files_go_in_and_out,
        the_page_sees_the_viewport_it_is_given,
        media_and_pixel_ratio_reach_the_page,
        faults_and_a_dead_server_reach_the_page,
    ]
}

/// Replaces the page's content; events of its elements are noted in `document.title`.
async fn content(page: &Page, html: &str) -> Result<()> {
    // Not in the lab's own page, which answers what happens to it.
    let address = format!("{}{}", page.server.url(), FRAME.0);
    page.driver.goto(address).await?;
    let script = "document.body.innerHTML = arguments[0]; \
        for (const type of ['input', 'change', 'drop']) document.body.addEventListener(type, \
          event => { event.preventDefault(); document.title += ' ' + type; }); \
        document.title = ''; return null";
    page.js(script, vec![json!(html)]).await
}

async fn inputs_are_set_and_the_page_hears_of_it(page: &Page) -> Result<()> {
    content(
        page,
        "<input data-testid=number type=number><input data-testid=check type=checkbox>\
         <select data-testid=choice><option value=a>A<option value=b>B</select>\
         <p data-testid=words>some words</p><p data-testid=hidden hidden>none</p>",
    )
    .await?;
    page.set("number", "0.25").await?;
    ensure!(page.property("number", "value").await?.as_deref() == Some("0.25"));
    page.set("choice", "b").await?;
    ensure!(page.property("choice", "value").await?.as_deref() == Some("b"));
    ensure!(
        page.set("choice", "c").await.is_err(),
        "an option that is not there was chosen"
    );
    page.set("check", "true").await?;
    page.set("check", "true").await?;
    ensure!(page.property("check", "checked").await?.as_deref() == Some("true"));
    page.click("number").await?;
    page.type_into("number", "7").await?;
    ensure!(page.property("number", "value").await?.as_deref() == Some("0.257"));
    let title: String = page.js("return document.title", vec![]).await?;
    ensure!(
        title.matches("change").count() >= 3,
        "the page heard only: {title}"
    );
    ensure!(page.focused().await?.as_deref() == Some("number"));
    page.press(Key::Tab).await?;
    ensure!(page.focused().await?.as_deref() == Some("check"));
    page.wait_text("words", "some").await?;
    page.wait_hidden("hidden").await?;
    ensure!(page.find("nothing").await.is_err());
    page.set_fragment("#a=1").await?;
    ensure!(page.fragment().await? == "#a=1");
    Ok(())
}

async fn files_go_in_and_out(page: &Page) -> Result<()> {
    content(
        page,
        "<input data-testid=file type=file><div data-testid=area>drop here</div>\
         <a data-testid=save download=out.csv href='data:text/csv,a%2Cb'>save</a>",
    )
    .await?;
    page.upload_bytes("file", "in.csv", b"task,label,x1\n")
        .await?;
    let script = "const done = arguments[0]; const [file] = \
        document.querySelector('[data-testid=file]').files; \
        file.text().then(text => done(file.name + ' ' + text))";
    let seen: String = page.js_later(script, vec![]).await?;
    ensure!(seen == "in.csv task,label,x1\n", "the page saw {seen}");
    page.drop_file("area", "in.mat", &[1, 2, 3]).await?;
    let title: String = page.js("return document.title", vec![]).await?;
    ensure!(title.contains("drop"), "the page heard only: {title}");
    page.click("save").await?;
    let path = page.downloaded("out.csv").await?;
    ensure!(std::fs::read_to_string(path)? == "a,b");
    Ok(())
}

async fn the_page_sees_the_viewport_it_is_given(page: &Page) -> Result<()> {
    for (width, height) in [(1400, 900), (400, 800)] {
        page.viewport(width, height).await?;
        page.open("").await?;
        page.wait_text("engine-version", ".").await?;
        let inner: (u32, u32) = page.js("return [innerWidth, innerHeight]", vec![]).await?;
        ensure!(
            inner == (width, height),
            "asked for {width} x {height}, the page sees {inner:?}"
        );
        page.screenshot(&format!("viewport-{width}")).await?;
        page.screenshot_whole(&format!("viewport-{width}-whole"))
            .await?;
    }
    Ok(())
}

async fn media_and_pixel_ratio_reach_the_page(page: &Page) -> Result<()> {
    page.pixel_ratio(2.0).await?;
    page.media(&[
        ("prefers-color-scheme", "dark"),
        ("prefers-reduced-motion", "reduce"),
    ])
    .await?;
    page.open("").await?;
    let script = "return [devicePixelRatio, matchMedia('(prefers-color-scheme: dark)').matches, \
        matchMedia('(prefers-reduced-motion: reduce)').matches]";
    let seen: (f64, bool, bool) = page.js(script, vec![]).await?;
    ensure!(seen == (2.0, true, true), "the page sees {seen:?}");
    page.dark(false).await?;
    let seen: (f64, bool, bool) = page.js(script, vec![]).await?;
    ensure!(seen == (2.0, false, false), "the page sees {seen:?}");
    Ok(())
}

async fn faults_and_a_dead_server_reach_the_page(page: &Page) -> Result<()> {
    page.expect_console_error("Failed to load resource");
    page.open("").await?;
    ensure!(
        page.server
            .take_requests()
            .iter()
            .any(|path| path.contains("_bg.wasm"))
    );
    let script = "const done = arguments[0]; fetch('build.json', { cache: 'no-store' }) \
        .then(async answer => done(answer.status + ' ' + (await answer.text()).length)) \
        .catch(error => done('network error'))";
    page.server.fault("build.json", FaultKind::Truncated(7));
    let seen: String = page.js_later(script, vec![]).await?;
    ensure!(seen == "200 7", "{seen}");
    page.server.heal();
    page.server.fault("build.json", FaultKind::Status(503));
    let seen: String = page.js_later(script, vec![]).await?;
    ensure!(seen.starts_with("503"), "{seen}");
    page.server.heal();
    page.server.stop();
    let seen: String = page.js_later(script, vec![]).await?;
    ensure!(seen == "network error", "{seen}");
    page.server.resume()?;
    let seen: String = page.js_later(script, vec![]).await?;
    ensure!(seen.starts_with("200"), "{seen}");
    if page.engine == Engine::Chromium {
        page.js::<()>("console.error('on purpose'); return null", vec![])
            .await?;
        page.settle().await?;
        let errors = page.console_errors().await?;
        ensure!(
            errors.iter().any(|error| error.contains("on purpose")),
            "{errors:?}"
        );
    }
    Ok(())
}
