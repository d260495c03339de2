//! The page loads at all.

use anyhow::{Result, ensure};

use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        the_page_loads_and_the_engine_says_its_version,
        nothing_is_asked_of_another_host
    ]
}

async fn the_page_loads_and_the_engine_says_its_version(page: &Page) -> Result<()> {
    page.open("").await?;
    page.wait_text("engine-version", xtask::build::version())
        .await?;
    page.screenshot("first-load").await?;
    Ok(())
}

async fn nothing_is_asked_of_another_host(page: &Page) -> Result<()> {
    page.open("").await?;
    page.wait_text("engine-version", ".").await?;
    let script = "return performance.getEntriesByType('resource').map(entry => entry.name)";
    let asked: Vec<String> = page.js(script, vec![]).await?;
    ensure!(!asked.is_empty(), "not even its own files were asked for");
    for address in asked {
        ensure!(
            address.starts_with(&page.server.url()),
            "asked for {address}"
        );
    }
    Ok(())
}
