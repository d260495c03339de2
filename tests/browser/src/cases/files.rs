//! A user's own files.

use anyhow::{Result, ensure};

use super::lab::{finished, notice, raw_file, state};
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        a_csv_file_runs_and_its_link_reproduces,
        a_dropped_file_runs,
        bad_files_are_refused_with_the_place,
        a_raw_file_of_a_published_set_is_recognised: 120,
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
