//! A user's own files.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::lab::{finished, iteration, notice, raw_file, state};
use super::runs::LONG;
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        a_csv_file_runs_and_its_link_reproduces,
        a_dropped_file_runs,
        bad_files_are_refused_with_the_place,
        a_raw_file_of_a_published_set_is_recognised: 120,
        a_bad_file_leaves_a_run_alone,
        a_bad_file_leaves_a_working_lab,
        reading_takes_long_and_can_be_cancelled,
        a_link_to_a_file_is_held_to_its_own_settings,
        settings_that_a_file_does_not_allow_are_said_and_left_out,
        a_name_does_not_turn_the_page_round,
    ]
}

/// Three related tasks, one feature a little apart.
fn csv() -> String {
    let mut text = String::from("task,label,x1,x2\n");
    for task in 0..3 {
        for k in 0..24 {
            let x1 = f64::from((k * 7 + task) % 11) / 11.0 - 0.5;
            let x2 = f64::from((k * 5 + 2 * task) % 13) / 13.0 - 0.5;
            let label = 2.0 * x1 - x2 + 0.1 * f64::from((k * 3) % 5) + f64::from(task) * 0.2;
            text += &format!("task {task},{label},{x1},{x2}\n");
        }
    }
    text
}

async fn a_csv_file_runs_and_its_link_reproduces(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    page.upload_bytes("file", "mine.csv", csv().as_bytes())
        .await?;
    page.wait_text("data-note", "3 tasks, 2 features, 72 points")
        .await?;
    let digest = finished(page).await?;
    page.until("the file in the address", async || {
        let address = page.fragment().await?;
        Ok(address.contains("d=file:mine.csv:") && address.contains(&format!("r={digest}")))
    })
    .await?;
    let address = page.fragment().await?;
    page.open(&address).await?;
    notice(page, "open mine.csv").await?;
    page.upload_bytes("file", "mine.csv", csv().as_bytes())
        .await?;
    ensure!(finished(page).await? == digest);
    notice(page, "Reproduced bit for bit").await?;
    page.screenshot("own-file").await?;
    Ok(())
}

async fn a_dropped_file_runs(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    page.drop_file("results", "dropped.csv", csv().as_bytes())
        .await?;
    page.wait_text("data-note", "dropped.csv: 3 tasks").await?;
    finished(page).await?;
    Ok(())
}

async fn bad_files_are_refused_with_the_place(page: &Page) -> Result<()> {
    page.open("").await?;
    let digest = finished(page).await?;
    let mat = {
        let mut bytes = vec![b' '; 128];
        bytes[..19].copy_from_slice(b"MATLAB 5.0 MAT-file");
        bytes[124..128].copy_from_slice(&[0, 1, b'I', b'M']);
        // A matrix that claims four gigabytes.
        bytes.extend_from_slice(&[14, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
        bytes
    };
    let cases: [(&str, &[u8], &str); 7] = [
        ("words.csv", b"task,label,x1\na,1,2\na,oops,3\n", "line 3"),
        ("ragged.csv", b"task,label,x1\na,1,2\na,1\n", "line 3"),
        ("huge.csv", b"task,label,x1\na,1,1e999\n", "line 2"),
        ("empty.csv", b"", "empty.csv"),
        ("cut.mat", &mat, "byte 1"),
        ("noise.mat", &[7; 300], "byte"),
        ("picture.png", &[137, 80, 78, 71], "picture.png"),
    ];
    for (name, bytes, part) in cases {
        page.upload_bytes("file", name, bytes).await?;
        page.wait_text("error-dataset", name).await?;
        let said = page.text("error-dataset").await?;
        ensure!(said.contains(part), "{name}: {said}");
        ensure!(
            state(page).await? == "done",
            "{name}: {}",
            state(page).await?
        );
    }
    page.screenshot("bad-file").await?;
    page.click("run").await?;
    ensure!(
        finished(page).await? == digest,
        "the page forgot what it had"
    );
    Ok(())
}

async fn a_raw_file_of_a_published_set_is_recognised(page: &Page) -> Result<()> {
    let path = raw_file("sarcos_inv_test.mat")?;
    page.open("").await?;
    finished(page).await?;
    page.upload("file", &path).await?;
    page.wait_text("data-note", "7 tasks").await?;
    finished(page).await?;
    page.until("the data set in the address", async || {
        Ok(page.fragment().await?.contains("d=sarcos"))
    })
    .await?;
    Ok(())
}

const BAD: &[u8] = b"task,label,x1\na,1,2\na,oops,3\n";

async fn a_bad_file_leaves_a_run_alone(page: &Page) -> Result<()> {
    page.open(LONG).await?;
    let before = iteration(page, 1).await?;
    page.drop_file("results", "bad.csv", BAD).await?;
    page.wait_text("error-dataset", "line 3").await?;
    iteration(page, before + 1).await?;
    // A question about columns is asked meanwhile, and taken back.
    page.drop_file("results", "odd.csv", b"height,weight\n1,2\n2,3\n")
        .await?;
    page.wait_visible("mapper").await?;
    page.wait_text("mapper-size", "2 columns").await?;
    page.click("mapper-cancel").await?;
    ensure!(state(page).await? == "running", "the run was disturbed");
    page.drop_file("results", "mine.csv", csv().as_bytes())
        .await?;
    page.wait_text("data-note", "mine.csv: 3 tasks").await?;
    finished(page).await?;
    Ok(())
}

async fn a_bad_file_leaves_a_working_lab(page: &Page) -> Result<()> {
    page.open("#view=figure1").await?;
    page.wait_text("figure-claim", "a").await?;
    page.drop_file("figure", "bad.csv", BAD).await?;
    page.wait_text("error-dataset", "line 3").await?;
    finished(page).await?;
    page.click("run").await?;
    finished(page).await?;
    // Two at once: one is opened, the other is named.
    let make = "return ['train.csv', 'test.csv'].map((name) => new File([given], name))";
    page.drop_made("results", make, csv().into()).await?;
    notice(page, "not test.csv").await?;
    page.wait_text("data-note", "train.csv: 3 tasks").await?;
    Ok(())
}

async fn reading_takes_long_and_can_be_cancelled(page: &Page) -> Result<()> {
    page.open("").await?;
    let digest = finished(page).await?;
    // 200 MB: on no machine read in a second.
    let make = "const rows = 'task 1,0.25,0.125,0.5\\n'.repeat(100000); \
        return [new File(['task,label,x1,x2\\n', ...Array(90).fill(rows)], 'large.csv')]";
    page.drop_made("results", make, json!(null)).await?;
    page.wait_text("status", "Reading large.csv").await?;
    // A run goes on beside it, to its end.
    page.click("run").await?;
    ensure!(finished(page).await? == digest);
    notice(page, "Reading large.csv").await?;
    page.click("act-reading-file").await?;
    page.wait_text("status", "large.csv was not opened").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ensure!(state(page).await? == "done");
    Ok(())
}

async fn a_link_to_a_file_is_held_to_its_own_settings(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    page.upload_bytes("file", "mine.csv", csv().as_bytes())
        .await?;
    page.wait_text("data-note", "3 tasks").await?;
    let digest = finished(page).await?;
    page.until("the file in the address", async || {
        Ok(page.fragment().await?.contains(&format!("r={digest}")))
    })
    .await?;
    let address = page.fragment().await?;
    page.open(&address).await?;
    notice(page, "open mine.csv").await?;
    page.set("field-seed", "7").await?;
    page.upload_bytes("file", "mine.csv", csv().as_bytes())
        .await?;
    ensure!(finished(page).await? != digest);
    let said = page.text("notices").await?;
    ensure!(!said.contains("altered"), "{said}");
    let is_kept =
        "return document.querySelector('.recent-list [data-link*=\"mine.csv\"]') !== null";
    page.until("the result to be kept", async || {
        page.js(is_kept, vec![]).await
    })
    .await?;
    // Shown again without the file, it has its link all the same.
    page.open_kept("").await?;
    finished(page).await?;
    page.until("the kept result", async || page.js(is_kept, vec![]).await)
        .await?;
    let script =
        "document.querySelector('.recent-list [data-link*=\"mine.csv\"]').click(); return null";
    page.js::<()>(script, vec![]).await?;
    page.until("the file in the address", async || {
        Ok(page.fragment().await?.contains("d=file:mine.csv"))
    })
    .await?;
    Ok(())
}

async fn settings_that_a_file_does_not_allow_are_said_and_left_out(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    page.upload_bytes("file", "mine.csv", csv().as_bytes())
        .await?;
    page.wait_text("data-note", "3 tasks").await?;
    finished(page).await?;
    page.until("the file in the address", async || {
        let address = page.fragment().await?;
        Ok(address.contains("d=file") && address.contains("&r="))
    })
    .await?;
    let address = page.fragment().await?;
    let file = (address.trim_start_matches('#').split('&'))
        .find(|part| part.starts_with("d=file"))
        .unwrap_or_default();
    page.open(&format!("#{file}&t=0-9")).await?;
    notice(page, "open mine.csv").await?;
    page.upload_bytes("file", "mine.csv", csv().as_bytes())
        .await?;
    notice(page, "does not allow").await?;
    let said = page.text("notices").await?;
    ensure!(said.contains("targets"), "{said}");
    finished(page).await?;
    Ok(())
}

async fn a_name_does_not_turn_the_page_round(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    page.drop_file("results", "a\u{202e}vsc.csv", csv().as_bytes())
        .await?;
    page.wait_text("data-note", "3 tasks").await?;
    finished(page).await?;
    let turned: usize = page
        .js(
            "return document.body.innerText.split('\\u202e').length - 1",
            vec![],
        )
        .await?;
    ensure!(turned == 0, "{turned} places");
    Ok(())
}
