//! Links: they reproduce, and what is wrong with them is said.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::failures::prepared;
use super::lab::{finished, notice, state};
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        the_address_reproduces_the_result,
        a_link_to_another_result_says_what_differs,
        bad_links_are_explained_and_leave_a_working_page: 180,
        an_unknown_key_is_reported_and_kept,
        a_link_pasted_into_the_address_runs,
        a_link_to_a_file_asks_for_the_file,
        nothing_in_a_link_becomes_markup,
        the_link_is_that_of_what_is_shown,
        what_is_said_of_a_link_goes_with_it,
    ]
}

async fn address_with_digest(page: &Page) -> Result<String> {
    page.until_within(
        Duration::from_secs(5),
        "the digest in the address",
        async || Ok(page.fragment().await?.contains("&r=")),
    )
    .await?;
    page.fragment().await
}

async fn the_address_reproduces_the_result(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    page.set("field-budget", "0.35").await?;
    page.set("field-seed", "11").await?;
    page.js::<()>(
        "document.getElementById('field-attack-hybrid').click(); return null",
        vec![],
    )
    .await?;
    page.click("run").await?;
    let digest = finished(page).await?;
    let address = address_with_digest(page).await?;
    ensure!(
        address.contains("b=0.35") && address.contains("s=11"),
        "{address}"
    );
    ensure!(address.contains(&format!("r={digest}")), "{address}");
    page.open(&address).await?;
    ensure!(finished(page).await? == digest);
    notice(page, "Reproduced bit for bit").await?;
    ensure!(page.property("field-budget", "value").await?.as_deref() == Some("0.35"));
    page.screenshot("reproduced").await?;
    Ok(())
}

async fn a_link_to_another_result_says_what_differs(page: &Page) -> Result<()> {
    page.open("#v=1&e=0.0.1&h=00ff&r=0123456789abcdef").await?;
    finished(page).await?;
    notice(page, "Not the result of the link").await?;
    let said = page.text("notices").await?;
    ensure!(said.contains("0123456789abcdef"), "{said}");
    ensure!(
        said.contains("engine 0.0.1") && said.contains("data are not the same"),
        "{said}"
    );
    Ok(())
}

async fn bad_links_are_explained_and_leave_a_working_page(page: &Page) -> Result<()> {
    let many = format!("#t={}", "1,".repeat(5000));
    let long = format!("#s={}", "9".repeat(100_000));
    // What is refused, and in which words, the tests of the links themselves have more of.
    for (link, part) in [
        ("#l1=NaN", "lambda1"),
        ("#b=1e999", "budget"),
        ("#i=99999999999999999999", "iterations"),
        ("#d=cifar", "dataset"),
        ("#k=indirect&a=0", "attackers"),
        ("#v=99", "version"),
        ("#b=0.1&b=0.2", "twice"),
        ("#b=%ff%fe", ""),
        ("#d=__proto__", "dataset"),
        ("#targets=1&constructor=2", "constructor"),
        (many.as_str(), ""),
        (long.as_str(), ""),
    ] {
        page.open(link).await?;
        finished(page).await?;
        let said = page.text("notices").await?;
        let short: String = link.chars().take(60).collect();
        ensure!(!said.is_empty(), "{short}: nothing was said");
        ensure!(said.contains(part), "{short}: {said}");
        ensure!(
            said.len() < 2000,
            "{short}: {} characters were said",
            said.len()
        );
    }
    page.screenshot("bad-link").await?;
    page.set("field-budget", "0.1").await?;
    page.click("run").await?;
    finished(page).await?;
    Ok(())
}

async fn an_unknown_key_is_reported_and_kept(page: &Page) -> Result<()> {
    page.open("#b=0.3&wobble=7").await?;
    finished(page).await?;
    notice(page, "wobble").await?;
    let address = address_with_digest(page).await?;
    ensure!(
        address.contains("wobble=7") && address.contains("b=0.3"),
        "{address}"
    );
    Ok(())
}

async fn a_link_pasted_into_the_address_runs(page: &Page) -> Result<()> {
    page.open("").await?;
    let first = finished(page).await?;
    address_with_digest(page).await?;
    page.set_fragment("#s=5").await?;
    page.until("another result", async || {
        Ok(state(page).await? == "done" && finished(page).await? != first)
    })
    .await?;
    ensure!(page.property("field-seed", "value").await?.as_deref() == Some("5"));
    Ok(())
}

async fn a_link_to_a_file_asks_for_the_file(page: &Page) -> Result<()> {
    let link = format!("#d=file:mine.csv:{}", "ab".repeat(32));
    page.open(&link).await?;
    notice(page, "open mine.csv").await?;
    ensure!(state(page).await? == "idle");
    page.wait_text("headline", "mine.csv").await?;
    Ok(())
}

async fn nothing_in_a_link_becomes_markup(page: &Page) -> Result<()> {
    for link in [
        "#%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E=1",
        "#d=%3Cscript%3Ealert(1)%3C/script%3E",
        "#k=%3Cb%3Ebold%3C/b%3E",
    ] {
        page.open(link).await?;
        finished(page).await?;
        let found: usize = page
            .js(
                "return document.querySelectorAll('#notices img, #notices script, #notices b').length",
                vec![],
            )
            .await?;
        ensure!(found == 0, "{link}");
    }
    Ok(())
}

async fn the_link_is_that_of_what_is_shown(page: &Page) -> Result<()> {
    // What is copied, whether or not the browser lets us read it again.
    let script = "navigator.clipboard.writeText = async text => { window.copied = text; }";
    let server = prepared(page, "copied", script)?;
    page.driver.goto(format!("{}#i=4", server.url())).await?;
    let digest = finished(page).await?;
    page.set("field-budget", "abc").await?;
    page.click("copy-link").await?;
    let copied: String = page.js("return window.copied", vec![]).await?;
    ensure!(
        copied.contains("&i=4&") && copied.contains(&format!("r={digest}")),
        "{copied}"
    );
    page.set("field-budget", "0.2").await?;
    // Who presses where they are stays there, also in a run.
    page.set("field-iterations", "5").await?;
    page.click("run").await?;
    let second = finished(page).await?;
    address_with_digest(page).await?;
    page.click("to-figures").await?;
    page.wait_text("figure-claim", "a").await?;
    page.click("to-lab").await?;
    page.set("field-iterations", "6").await?;
    page.click("run").await?;
    let third = finished(page).await?;
    ensure!(second != third);
    page.until("the link in the address", async || {
        Ok(page.fragment().await?.contains(&third))
    })
    .await?;
    page.click("to-lab").await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    ensure!(finished(page).await? == third, "the lab went back");
    ensure!(page.property("field-iterations", "value").await?.as_deref() == Some("6"));
    Ok(())
}

async fn what_is_said_of_a_link_goes_with_it(page: &Page) -> Result<()> {
    page.open("#b=99").await?;
    finished(page).await?;
    notice(page, "budget").await?;
    page.set_fragment("#i=4").await?;
    page.until("the notice to go", async || {
        Ok(page.text("notices").await?.is_empty())
    })
    .await?;
    finished(page).await?;
    address_with_digest(page).await?;
    let link = format!("#d=file:mine.csv:{}", "ab".repeat(32));
    page.set_fragment(&link).await?;
    notice(page, "open mine.csv").await?;
    page.js::<()>(
        "document.getElementById('dataset-synthetic').click(); return null",
        vec![],
    )
    .await?;
    page.until("the notice to go", async || {
        Ok(page.text("notices").await?.is_empty())
    })
    .await?;
    let keys: Vec<String> = (0..1500).map(|k| format!("k{k}=1")).collect();
    page.set_fragment(&format!("#i=3&{}", keys.join("&")))
        .await?;
    notice(page, "and 1496 more").await?;
    let count: usize = page
        .js(
            "return document.getElementById('notices').children.length",
            vec![],
        )
        .await?;
    ensure!(count == 1, "{count} notices");
    Ok(())
}
