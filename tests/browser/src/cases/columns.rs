//! Files of a user whose columns have other names: the dialog that asks which is what.

use anyhow::{Result, ensure};
use serde_json::json;
use thirtyfour::Key;

use super::lab::{finished, native_report, notice, state};
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

pub fn cases() -> Vec<Case> {
    cases![
        a_messy_file_is_mapped_and_runs_and_its_link_maps_it_again: 60,
        label_columns_are_tasks_and_columns_can_be_changed_later: 60,
        two_words_are_classes_and_errors_stand_beside_their_column: 60,
        variables_of_a_mat_file_are_chosen: 60,
        what_cannot_be_a_table_is_refused_in_words,
        the_dialog_works_by_keyboard_alone_and_on_a_phone: 60,
        the_example_can_be_saved_and_opened,
    ]
}

/// Semicolons, decimal commas, a quoted name, empty lines, CRLF, a row without a value.
fn messy() -> String {
    let mut text = String::from("\u{feff}Nr;School;\"Score; final\";hours;IQ;set\r\n");
    for row in 0..60u32 {
        let (hours, iq) = (f64::from(row * 7 % 11) / 4.0, 90 + row * 5 % 23);
        let score = hours * 2.0 - f64::from(iq) / 50.0 + f64::from(row % 3);
        let school = ["north", "south", "west"][(row % 3) as usize];
        let set = if row % 4 == 0 { "TEST" } else { "train" };
        let iq = if row == 20 {
            "NA".to_string()
        } else {
            iq.to_string()
        };
        let line = format!("{row};{school};{score:.3};{hours:.2};{iq};{set}\r\n");
        text += &line.replace('.', ",");
        if row % 30 == 7 {
            text += "\r\n";
        }
    }
    text
}

async fn summary(page: &Page, part: &str) -> Result<()> {
    page.wait_text("mapper-summary", part).await
}

async fn axe_finds_nothing(page: &Page) -> Result<()> {
    let violations = page.axe().await?;
    ensure!(violations.is_empty(), "{}", violations.join("\n"));
    Ok(())
}

async fn a_messy_file_is_mapped_and_runs_and_its_link_maps_it_again(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    page.upload_bytes("file", "scores.csv", messy().as_bytes())
        .await?;
    page.wait_visible("mapper").await?;
    page.wait_text("mapper-size", "60 rows, 6 columns").await?;
    page.wait_text("mapper-size", "At most 256 MiB, 512 tasks")
        .await?;
    page.wait_text("mapper-size", "stays on your computer")
        .await?;
    for (id, value) in [
        ("mapper-separator", "semicolon"),
        ("mapper-decimal", "comma"),
        ("mapper-role-0", "none"),
        ("mapper-role-1", "task"),
        ("mapper-role-5", "split"),
        ("mapper-test", "TEST"),
    ] {
        let found = page.property(id, "value").await?;
        ensure!(found.as_deref() == Some(value), "{id}: {found:?}");
    }
    // The guess cannot know that the score is the label.
    page.set("mapper-role-4", "feature").await?;
    page.wait_text("mapper-problem", "without a label").await?;
    page.set("mapper-role-2", "label").await?;
    // Two empty lines and the header stand before row 20.
    page.wait_text("mapper-error-4", "line 23").await?;
    page.wait_text("mapper-error-4", "`IQ` (column 5) has no value")
        .await?;
    page.click("mapper-use").await?;
    ensure!(page.is_visible("mapper").await?, "a wrong choice was used");
    axe_finds_nothing(page).await?;
    page.screenshot("mapper-error").await?;
    page.set("mapper-drop", "true").await?;
    summary(page, "3 tasks (north, south, west), 2 features, 59 points").await?;
    summary(page, "regression, measured by NMSE").await?;
    summary(page, "1 row without a value is left out").await?;
    axe_finds_nothing(page).await?;
    page.screenshot("mapper").await?;
    if page.has_media() {
        page.dark(true).await?;
        axe_finds_nothing(page).await?;
        page.screenshot("mapper-dark").await?;
        page.dark(false).await?;
    }
    page.click("mapper-use").await?;
    page.wait_hidden("mapper").await?;
    page.wait_text("data-note", "scores.csv: 3 tasks, 2 features, 59 points")
        .await?;
    let digest = finished(page).await?;
    let columns = "c=sep:semicolon;decimal:comma;task:2;label:3;split:6,TEST;x:4-5;missing:drop";
    page.until("the columns in the address", async || {
        let address = page.fragment().await?;
        Ok(address.contains(columns) && address.contains(&format!("r={digest}")))
    })
    .await?;
    page.wait_text("command", "--columns 'sep:semicolon;")
        .await?;
    let address = page.fragment().await?;
    let native = native_report(page, &address)?;
    ensure!(
        native["digest"] == digest.as_str(),
        "natively {}",
        native["digest"]
    );
    page.open(&address).await?;
    notice(page, "open scores.csv").await?;
    page.drop_file("results", "scores.csv", messy().as_bytes())
        .await?;
    ensure!(finished(page).await? == digest, "another digest");
    notice(page, "Reproduced bit for bit").await?;
    ensure!(!page.is_visible("mapper").await?, "it asked again");
    // The same file by another link, read in another way, without opening it again.
    let other = address
        .replace("x:4-5;missing:drop", "x:4")
        .replace(&format!("&r={digest}"), "");
    page.set_fragment(&other).await?;
    page.wait_text("data-note", "3 tasks, 1 features, 60 points")
        .await?;
    ensure!(finished(page).await? != digest, "the columns had no effect");
    Ok(())
}

async fn label_columns_are_tasks_and_columns_can_be_changed_later(page: &Page) -> Result<()> {
    let mut text = String::from("a,b,y1,y2,y3\n");
    for row in 0..40 {
        let (a, b) = (
            f64::from(row * 7 % 11) / 11.0,
            f64::from(row * 5 % 13) / 13.0,
        );
        text += &format!("{a},{b},{},{},{}\n", a + b, a - b, 2.0 * a + 0.5 * b);
    }
    page.open("").await?;
    finished(page).await?;
    page.upload_bytes("file", "shared.csv", text.as_bytes())
        .await?;
    summary(page, "3 tasks (y1, y2, y3), 2 features, 40 points").await?;
    page.click("mapper-use").await?;
    page.wait_text("data-note", "shared.csv: 3 tasks").await?;
    let digest = finished(page).await?;
    page.click("change-columns").await?;
    summary(page, "3 tasks").await?;
    page.click("mapper-as-text").await?;
    page.set("mapper-text", "label:3,5;x:1-2;x:4").await?;
    page.wait_text("mapper-problem", "`x` twice").await?;
    page.set("mapper-text", "label:3,5;x:1-2").await?;
    summary(page, "2 tasks (y1, y3)").await?;
    page.set("mapper-role-3", "feature").await?;
    summary(page, "2 tasks (y1, y3), 3 features").await?;
    let text = page.property("mapper-text", "value").await?;
    ensure!(text.as_deref() == Some("label:3,5;x:1-2,4"), "{text:?}");
    page.click("mapper-cancel").await?;
    ensure!(finished(page).await? == digest, "cancel changed something");
    page.click("change-columns").await?;
    summary(page, "3 tasks").await?;
    page.set("mapper-role-3", "none").await?;
    summary(page, "2 tasks").await?;
    page.click("mapper-use").await?;
    page.wait_text("data-note", "shared.csv: 2 tasks").await?;
    page.until("another result", async || {
        Ok(state(page).await? == "done" && finished(page).await? != digest)
    })
    .await?;
    Ok(())
}

async fn two_words_are_classes_and_errors_stand_beside_their_column(page: &Page) -> Result<()> {
    let mut text = String::from("id,size,colour,diagnosis\n");
    for row in 0..40 {
        let (size, colour) = (f64::from(row * 7 % 11), f64::from(row * 5 % 13));
        let word = if size > colour { "malignant" } else { "benign" };
        text += &format!("{row},{size},{colour},{word}\n");
    }
    page.open("").await?;
    finished(page).await?;
    let wrong = text.replace("\n7,5,9,benign", "\n7,oops,9,benign");
    ensure!(wrong != text);
    page.upload_bytes("file", "tumours.csv", wrong.as_bytes())
        .await?;
    page.wait_text("mapper-error-1", "line 9: `size` (column 2) is `oops`")
        .await?;
    let invalid: Option<String> = page
        .js(
            "return document.getElementById('mapper-role-1').getAttribute('aria-invalid')",
            vec![],
        )
        .await?;
    ensure!(invalid.as_deref() == Some("true"));
    page.press(Key::Escape).await?;
    page.wait_hidden("mapper").await?;
    page.upload_bytes("file", "tumours.csv", text.as_bytes())
        .await?;
    summary(
        page,
        "1 task (diagnosis), 2 features, 40 points: classification, measured by AUC",
    )
    .await?;
    let low = page.property("mapper-low", "value").await?;
    ensure!(low.as_deref() == Some("benign"), "{low:?}");
    page.set("mapper-low", "malignant").await?;
    page.until("the words to change places", async || {
        Ok(page.property("mapper-high", "value").await?.as_deref() == Some("benign"))
    })
    .await?;
    summary(page, "classification").await?;
    page.set("mapper-kind", "numbers").await?;
    page.wait_text("mapper-error-3", "or a classification by two words")
        .await?;
    page.set("mapper-kind", "classes").await?;
    summary(page, "classification").await?;
    page.click("mapper-use").await?;
    page.wait_text("data-note", "Labels: classification")
        .await?;
    finished(page).await?;
    page.until("the classes in the address", async || {
        Ok(page.fragment().await?.contains("class:benign,malignant"))
    })
    .await?;
    Ok(())
}

/// A matrix of a MAT file, column by column.
fn matrix(name: &str, rows: u32, columns: u32, value: impl Fn(u32, u32) -> f64) -> Vec<u8> {
    let element = |kind: u32, data: &[u8]| {
        let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let mut bytes = [kind.to_le_bytes(), size.to_le_bytes()].concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    };
    let sizes = [rows.to_le_bytes(), columns.to_le_bytes()].concat();
    let cells = (0..columns).flat_map(|column| (0..rows).map(move |row| (row, column)));
    let numbers: Vec<u8> = cells
        .flat_map(|(row, column)| value(row, column).to_le_bytes())
        .collect();
    let parts = [
        element(6, &[6, 0, 0, 0, 0, 0, 0, 0]),
        element(5, &sizes),
        element(1, name.as_bytes()),
        element(9, &numbers),
    ];
    element(14, &parts.concat())
}

async fn variables_of_a_mat_file_are_chosen(page: &Page) -> Result<()> {
    let mut file = vec![b' '; 128];
    file[..19].copy_from_slice(b"MATLAB 5.0 MAT-file");
    file[124..].copy_from_slice(&[0, 1, b'I', b'M']);
    let wave = |row: u32, column: u32| f64::from((row * 7 + column * 5) % 11) / 11.0;
    file.extend(matrix("more", 60, 9, wave));
    file.extend(matrix("inputs", 40, 3, wave));
    file.extend(matrix("targets", 40, 2, |row, column| {
        wave(row, 0) + f64::from(column) * wave(row, 1)
    }));
    page.open("").await?;
    finished(page).await?;
    page.upload_bytes("file", "mine.mat", &file).await?;
    page.wait_text("mapper-size", "60 rows, 9 columns").await?;
    page.set("mapper-variables", "1").await?;
    page.wait_text("mapper-size", "40 rows, 5 columns").await?;
    for column in 3..5 {
        page.set(&format!("mapper-role-{column}"), "label").await?;
    }
    summary(
        page,
        "2 tasks (targets 1, targets 2), 3 features, 40 points",
    )
    .await?;
    page.click("mapper-use").await?;
    page.wait_text("data-note", "mine.mat: 2 tasks").await?;
    finished(page).await?;
    page.until("the variables in the address", async || {
        Ok(page
            .fragment()
            .await?
            .contains("c=from:inputs,targets;label:4-5;x:1-3"))
    })
    .await?;
    Ok(())
}

async fn what_cannot_be_a_table_is_refused_in_words(page: &Page) -> Result<()> {
    page.open("").await?;
    let digest = finished(page).await?;
    let cases: [(&str, &[u8], &str); 3] = [
        ("utf16.csv", b"\xFF\xFEa\0,\0b\0", "CSV UTF-8"),
        (
            "latin.csv",
            b"name,b\nJos\xE9,2\n",
            "line 2: text that is not UTF-8",
        ),
        ("mine.xlsx", b"PK", ".csv, .tsv, .txt or .mat"),
    ];
    for (name, bytes, part) in cases {
        page.upload_bytes("file", name, bytes).await?;
        page.wait_text("error-dataset", name).await?;
        page.wait_text("error-dataset", part).await?;
        ensure!(!page.is_visible("mapper").await?);
    }
    // A row too short in a file with our names: told as it is, and the dialog is there if wanted.
    page.upload_bytes("file", "ours.csv", b"task,label,x1\na,1,2\na,1,\na,1,3\n")
        .await?;
    page.wait_text("error-dataset", "line 3: x1 is ``").await?;
    page.click("change-columns").await?;
    page.wait_text("mapper-error-2", "line 3").await?;
    page.press(Key::Escape).await?;
    page.wait_hidden("mapper").await?;
    // Larger than any file may be, without writing one.
    let make = "const part = new Blob([new Uint8Array(1 << 20)]); \
        return [new File(Array(257).fill(part), 'huge.csv')]";
    page.drop_made("results", make, json!(null)).await?;
    page.wait_text("error-dataset", "huge.csv is too large: at most 256 MiB")
        .await?;
    ensure!(finished(page).await? == digest, "something was lost");
    Ok(())
}

async fn the_dialog_works_by_keyboard_alone_and_on_a_phone(page: &Page) -> Result<()> {
    page.viewport(400, 800).await?;
    page.open("").await?;
    finished(page).await?;
    page.upload_bytes("file", "scores.csv", messy().as_bytes())
        .await?;
    page.wait_visible("mapper").await?;
    page.wait_text("mapper-summary", "needs another look")
        .await?;
    let reach = async |id: &str| -> Result<()> {
        for _ in 0..40 {
            if page.focused().await?.as_deref() == Some(id) {
                return Ok(());
            }
            page.press(Key::Tab).await?;
        }
        anyhow::bail!("the keyboard does not reach {id}")
    };
    reach("mapper-role-2").await?;
    page.press("L").await?;
    page.until("score to be a label", async || {
        Ok(page.property("mapper-role-2", "value").await?.as_deref() == Some("label"))
    })
    .await?;
    reach("mapper-role-4").await?;
    page.press("F").await?;
    reach("mapper-drop").await?;
    page.press(" ").await?;
    summary(page, "3 tasks").await?;
    let focused = page.focused().await?;
    ensure!(
        focused.as_deref() == Some("mapper-drop"),
        "the focus went to {focused:?}"
    );
    let wide: bool = page
        .js(
            "const form = document.querySelector('dialog form'); \
             return form.scrollWidth > form.clientWidth || \
               document.documentElement.scrollWidth > innerWidth",
            vec![],
        )
        .await?;
    ensure!(!wide, "the dialog is wider than the phone");
    axe_finds_nothing(page).await?;
    page.screenshot("mapper-phone").await?;
    if page.has_media() {
        page.dark(true).await?;
        page.screenshot("mapper-phone-dark").await?;
    }
    reach("mapper-use").await?;
    page.press(Key::Enter).await?;
    page.wait_hidden("mapper").await?;
    // The settings are folded up on a phone.
    page.until("the file in the address", async || {
        Ok(page.fragment().await?.contains("d=file:scores.csv:"))
    })
    .await?;
    finished(page).await?;
    Ok(())
}

async fn the_example_can_be_saved_and_opened(page: &Page) -> Result<()> {
    page.open("").await?;
    finished(page).await?;
    let requests: usize = page
        .js(
            "return performance.getEntriesByType('resource').filter(({ name }) => \
             name.endsWith('mapper.js')).length",
            vec![json!(null)],
        )
        .await?;
    ensure!(requests == 0, "the dialog was loaded before it was needed");
    page.js::<serde_json::Value>(
        "document.getElementById('file-help').open = true; return null",
        vec![],
    )
    .await?;
    page.wait_text(
        "file-help-text",
        "At most 256 MiB, 512 tasks, 4,096 features",
    )
    .await?;
    page.wait_text("file-help-text", "Nothing leaves your computer")
        .await?;
    axe_finds_nothing(page).await?;
    page.screenshot("file-help").await?;
    page.click("example-csv").await?;
    let path = page.downloaded("example.csv").await?;
    page.upload("file", &path).await?;
    page.wait_text("data-note", "example.csv: 8 tasks, 10 features, 240 points")
        .await?;
    finished(page).await?;
    Ok(())
}
