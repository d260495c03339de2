//! The pictures of the README: `cargo xtask screenshots` copies them into docs/images/.

use anyhow::Result;

use super::lab::{complete, finished, needs};
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![the_page_has_its_picture_taken: 120]
}

async fn the_page_has_its_picture_taken(page: &Page) -> Result<()> {
    page.needs_pictures()?;
    needs("sarcos")?;
    page.viewport(1280, 1520).await?;
    page.open("#v=1&d=sarcos&k=hybrid&b=0.3").await?;
    finished(page).await?;
    page.until("the injected points", async || complete(page).await)
        .await?;
    page.screenshot("readme-page").await?;
    Ok(())
}
