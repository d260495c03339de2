//! How it looks: themes, sharpness.

use anyhow::{Result, ensure};

use super::lab::finished;
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        pictures_are_sharp_at_any_pixel_ratio,
        dark_pictures_are_dark,
    ]
}

async fn pictures_are_sharp_at_any_pixel_ratio(page: &Page) -> Result<()> {
    for ratio in [1.0, 1.5, 2.0, 3.0] {
        page.pixel_ratio(ratio).await?;
        page.open("").await?;
        finished(page).await?;
        page.settle().await?;
        let script =
            "return [...document.querySelectorAll('canvas')].map(c => c.width / c.clientWidth)";
        let found: Vec<f64> = page.js(script, vec![]).await?;
        ensure!(!found.is_empty());
        ensure!(
            found.iter().all(|found| (found - ratio).abs() < 0.01),
            "{ratio}: {found:?}"
        );
    }
    Ok(())
}

async fn dark_pictures_are_dark(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    let script = "const canvas = document.querySelector('#curve canvas'); \
        return canvas.getContext('2d').getImageData(2, 2, 1, 1).data[0]";
    let light: u32 = page.js(script, vec![]).await?;
    page.dark(true).await?;
    page.settle().await?;
    let dark: u32 = page.js(script, vec![]).await?;
    ensure!(light > 200 && dark < 60, "light {light}, dark {dark}");
    page.screenshot_whole("dark-1400").await?;
    page.viewport(400, 850).await?;
    page.settle().await?;
    page.screenshot_whole("dark-400").await?;
    Ok(())
}
