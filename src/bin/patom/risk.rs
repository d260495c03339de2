//! `patom risk`: the risk map of a specification, as a summary, CSV, JSON and SVG.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use patom::chart::Style;
use patom::chart::heatmap::{self, Heatmap};
use patom::error::visible;
use patom::risk::{Base, Cell, RiskMap};
use plotters::prelude::{IntoDrawingArea as _, SVGBackend};

use crate::args::{ColumnsArgument, DataFolder};
use crate::input::{load, read_spec};
use crate::output::{bar, failed, print, to_json, write_all};
use crate::{Failure, Outcomes};

/// Width of the picture.
const WIDTH: u32 = 720;

pub fn risk(
    spec: &str,
    out: Option<&Path>,
    as_json: bool,
    threads: Option<usize>,
    columns: ColumnsArgument,
    folder: &DataFolder,
) -> Outcomes<()> {
    let link = read_spec(spec, columns)?;
    let (spec, data) = load(&link, folder)?;
    // Before the work, which can take minutes.
    if let Some(out) = out {
        std::fs::create_dir_all(out).map_err(|error| failed(out, error))?;
    }
    let base = Base::new(&spec, &data)?;
    let cells = run_all(&base, threads)?;
    let map = base.map(&cells);
    if let Some(out) = out {
        write_files(out, &map)?;
    }
    if as_json {
        print(&to_json(&map))?;
    } else {
        print(&summary(&map))?;
        if let Some(out) = out {
            print(&format!(
                "Written: {0}/risk.json, {0}/risk.csv, {0}/risk.svg",
                out.display()
            ))?;
        }
    }
    if map.converged {
        Ok(())
    } else {
        Err(Failure::Work(
            "the lower level did not converge in every run of the map".to_string(),
        ))
    }
}

/// All entries in the order of their rows, whichever thread made them.
fn run_all(base: &Base, threads: Option<usize>) -> Outcomes<Vec<Cell>> {
    let m = base.task_count();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = threads.unwrap_or(cores).clamp(1, 64);
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<patom::Result<Cell>>>> =
        (0..m * m).map(|_| Mutex::new(None)).collect();
    let bar = bar((m * m) as u64);
    let worker = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(result) = results.get(number) else {
                return;
            };
            let cell = base.cell(number / m, number % m);
            if cell.is_err() {
                // The others need not begin.
                next.store(m * m, Ordering::Relaxed);
            }
            *result.lock().expect("no thread panics with the lock") = Some(cell);
            bar.inc(1);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(worker);
        }
    });
    bar.finish_and_clear();
    let mut cells = Vec::with_capacity(m * m);
    for result in results {
        // An entry that was skipped because another one failed has no result.
        if let Some(result) = result.into_inner().expect("no thread panics with the lock") {
            cells.push(result?);
        }
    }
    Ok(cells)
}

fn write_files(out: &Path, map: &RiskMap) -> Outcomes<()> {
    let files = [
        ("risk.json", to_json(map) + "\n"),
        ("risk.csv", map.csv()),
        ("risk.svg", picture(map)?),
    ];
    write_all(out, &files)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixels"
)]
fn picture(map: &RiskMap) -> Outcomes<String> {
    let m = map.task_names.len();
    let values: Vec<f64> = (map.damage.iter().flatten())
        .map(|damage| damage.unwrap_or(f64::NAN))
        .collect();
    let title = format!(
        "Damage ({}) by one attacked task (row) to one target (column)",
        map.metric_name.text()
    );
    let heatmap = Heatmap {
        names: &[],
        values: &values,
        tasks: m,
        targets: &[],
        attackers: &[],
        title: &title,
        open_ended: true,
        cursor: None,
        task: None,
    };
    let mut text = String::new();
    let height = heatmap::layout(f64::from(WIDTH), m).height as u32;
    let area = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
    heatmap::draw(&area, &heatmap, Style::default())?;
    drop(area);
    Ok(text)
}

/// For a reader at a terminal.
fn summary(map: &RiskMap) -> String {
    let metric = map.metric_name.text();
    let title = |task: usize| format!("T{} ({})", task + 1, visible(&map.task_names[task]));
    let mut lines = vec![format!(
        "What one attacked task does to the {metric} of another, budget {}",
        map.spec.budget
    )];
    if let Some((attacker, target, damage)) = map.worst_indirect {
        lines.push(format!(
            "Worst indirect: {} harms {} by {damage:.4}",
            title(attacker),
            title(target)
        ));
    }
    if let Some((task, damage)) = map.worst_direct {
        lines.push(format!("Worst direct: {} by {damage:.4}", title(task)));
    }
    if let Some(task) = map.most_exposed {
        lines.push(format!("Most exposed to other tasks: {}", title(task)));
    }
    if let Some(task) = map.most_dangerous {
        lines.push(format!("Most dangerous to other tasks: {}", title(task)));
    }
    if let Some(rank) = map.rank_correlation {
        lines.push(format!(
            "Rank correlation of |task correlation| with damage: {rank:.2}"
        ));
    }
    lines.join("\n")
}
