//! How the commands print and write. Not here: the texts.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use patom::error::visible;
use patom::warning::Warning;

use crate::{Failure, Outcomes};

/// Writes a message to standard error. Control characters from files and links are escaped, so that
/// a terminal obeys none of them.
pub fn warn(message: &str) {
    note(&format!("patom: {message}"));
}

/// The same without the name of the program before it.
pub fn note(message: &str) {
    let lines: Vec<String> = message.split('\n').map(visible).collect();
    let _ = writeln!(std::io::stderr(), "{}", lines.join("\n"));
}

/// Writes what can make a result meaningless to standard error, a line each.
pub fn print_warnings(warnings: &[Warning]) {
    for warning in warnings {
        let kind = if warning.code.is_note() {
            "note"
        } else {
            "warning"
        };
        // A name in a message must not begin a line of its own.
        let cure = if warning.code.asks_for_tuning() {
            " (`patom tune` chooses λ1 and λ2.)"
        } else {
            ""
        };
        note(&format!("{kind}: {}{cure}", visible(&warning.message)));
    }
}

/// Prints to standard output. A closed pipe (`patom ... | head`) is no failure.
pub fn print(text: &str) -> Outcomes<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Work(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// What did not work with a file or a folder.
pub fn failed(path: &Path, error: impl Display) -> Failure {
    Failure::Work(format!("{}: {error}", path.display()))
}

/// Where a file is written before it is renamed, so that an interrupted write leaves no half file.
pub fn partial(path: &Path) -> PathBuf {
    path.with_added_extension("part")
}

pub fn write(path: &Path, text: &str) -> Outcomes<()> {
    std::fs::write(path, text).map_err(|error| failed(path, error))
}

/// Renames the partial file to its final name.
pub fn replace(path: &Path) -> Outcomes<()> {
    std::fs::rename(partial(path), path).map_err(|error| failed(path, error))
}

/// Writes files into a folder, each whole or not at all.
pub fn write_all(folder: &Path, files: &[(&str, String)]) -> Outcomes<()> {
    files.iter().try_for_each(|(name, text)| {
        let path = folder.join(name);
        write(&partial(&path), text)?;
        replace(&path)
    })
}

pub fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("reports hold strings and finite numbers only")
}

pub fn bar(length: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed}, {eta} left {msg}")
        .expect("the template is valid");
    ProgressBar::new(length).with_style(style)
}
