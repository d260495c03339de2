//! `patom figure`: the runs of a figure in parallel, its tables, pictures and specifications.
//!
//! Every finished run is kept in `runs/`, so that an interrupted figure goes on where it stopped.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use patom::chart::{Style, sweep};
use patom::data::DataSet;
use patom::experiment::{self, ENGINE, Observer};
use patom::paper::figures::{self, Measured};
use patom::paper::plan::{Figure, Planned, Protocol, plan};
use patom::pool;
use patom::spec::{Draft, Shape};
use plotters::prelude::{IntoDrawingArea, SVGBackend};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::args::FigureArguments;
use crate::input::load_named;
use crate::output::{bar, failed, partial, print, replace, to_json, write};
use crate::{Failure, Outcomes};

/// Width of the pictures, in pixels.
const WIDTH: u32 = 1200;

/// A finished run on disk: the specification, so that a stale file is noticed, and its result.
#[derive(Serialize, Deserialize)]
struct Finished {
    spec: Value,
    measured: Measured,
}

/// A figure that is done.
pub struct Done {
    /// Where its files are.
    pub folder: PathBuf,
    /// Its runs ...
    pub runs: Vec<Planned>,
    /// ... and their results, in the same order.
    pub results: Vec<Measured>,
    /// How many of them were there before.
    reused: usize,
}

impl Done {
    /// Each run with its result.
    pub fn runs(&self) -> Vec<(&Planned, &Measured)> {
        self.runs.iter().zip(&self.results).collect()
    }
}

pub fn figure(arguments: &FigureArguments) -> Outcomes<()> {
    let start = Instant::now();
    let done = run_figure(arguments)?;
    let unfinished = done
        .results
        .iter()
        .filter(|measured| !measured.converged)
        .count();
    print(&format!(
        "Figure {}: {} runs ({} from an earlier call) in {:.1} s, {unfinished} with a solve that \
         did not converge; written to {}",
        arguments.number,
        done.runs.len(),
        done.reused,
        start.elapsed().as_secs_f64(),
        done.folder.display()
    ))?;
    verdict(unfinished)
}

/// As that of a run.
fn verdict(unfinished: usize) -> Outcomes<()> {
    match unfinished {
        0 => Ok(()),
        _ => Err(Failure::Work(format!(
            "the lower level did not converge in {unfinished} of the runs"
        ))),
    }
}

/// The requested data sets, each once; else those of the figure.
fn wanted(figure: Figure, given: &[String]) -> Vec<&str> {
    if given.is_empty() {
        return figure.datasets().to_vec();
    }
    let mut wanted: Vec<&str> = Vec::new();
    for name in given {
        if !wanted.contains(&name.as_str()) {
            wanted.push(name);
        }
    }
    wanted
}

/// The name of a figure's folder, and the first part of its files' names.
pub fn stem(figure: Figure, method: Protocol) -> String {
    format!("figure{}-{}", figure.number(), method.word())
}

/// Makes a figure: runs what is not there yet, writes everything.
pub fn run_figure(arguments: &FigureArguments) -> Outcomes<Done> {
    let figure = Figure::of(arguments.number)?;
    let wanted = wanted(figure, &arguments.dataset);
    let mut runs = Vec::new();
    for dataset in &wanted {
        runs.extend(plan(
            figure,
            arguments.method,
            dataset,
            arguments.seeds,
            arguments.first_seed,
        )?);
    }
    let data: Vec<(&str, DataSet)> = (wanted.iter())
        .map(|&name| Ok((name, load_named(name, &arguments.data)?)))
        .collect::<Outcomes<_>>()?;

    let stem = stem(figure, arguments.method);
    let folder = arguments.out.join(&stem);
    for part in ["specs", "runs"] {
        std::fs::create_dir_all(folder.join(part)).map_err(|error| failed(&folder, error))?;
    }
    for run in &runs {
        write(
            &folder.join("specs").join(format!("{}.json", run.id)),
            &to_json(&run.spec),
        )?;
    }
    let (results, reused) = run_all(&runs, &data, &folder, arguments.threads)?;
    let pairs: Vec<(&Planned, &Measured)> = runs.iter().zip(&results).collect();
    write(
        &folder.join(format!("{stem}.csv")),
        &figures::csv(figure, &pairs),
    )?;
    for dataset in &wanted {
        let path = folder.join(format!("{stem}-{dataset}.svg"));
        write(&path, &picture(figure, arguments.method, dataset, &pairs)?)?;
    }
    Ok(Done {
        folder,
        runs,
        results,
        reused,
    })
}

/// Runs what is not on disk yet. The results are in the order of `runs`, whichever thread made them.
fn run_all(
    runs: &[Planned],
    data: &[(&str, DataSet)],
    folder: &Path,
    threads: Option<usize>,
) -> Outcomes<(Vec<Measured>, usize)> {
    let reused = AtomicUsize::new(0);
    let bar = bar(runs.len() as u64);
    let measured = pool::run_all(runs, threads, |run| -> Outcomes<_> {
        let of_run = |(name, _): &&(&str, DataSet)| *name == run.dataset;
        let (_, data) = data.iter().find(of_run).expect("loaded above");
        let measured = one(run, data, folder, &reused)?;
        bar.inc(1);
        bar.set_message(run.id.clone());
        Ok(measured)
    })?;
    bar.finish_and_clear();
    Ok((measured, reused.into_inner()))
}

fn one(run: &Planned, data: &DataSet, folder: &Path, reused: &AtomicUsize) -> Outcomes<Measured> {
    let path = folder.join("runs").join(format!("{}.json", run.id));
    let spec = serde_json::to_value(&run.spec).expect("a specification is plain data");
    let kept = std::fs::read_to_string(&path)
        .ok()
        .and_then(|text| serde_json::from_str::<Finished>(&text).ok())
        .filter(|kept| {
            is_of(&kept.spec, run)
                && kept.measured.engine == ENGINE
                && kept.measured.data_sha256 == data.sha256
        });
    if let Some(kept) = kept {
        reused.fetch_add(1, Ordering::Relaxed);
        return Ok(kept.measured);
    }
    let outcome = experiment::run(&run.spec, data, &mut Clock(Instant::now()))?;
    let measured = Measured::of(&outcome.report);
    write(
        &partial(&path),
        &to_json(&Finished {
            spec,
            measured: measured.clone(),
        }),
    )?;
    replace(&path)?;
    Ok(measured)
}

/// Is this the specification of a run? A field that is newer than it has its default.
fn is_of(kept: &Value, run: &Planned) -> bool {
    let shape = Shape::named(run.dataset).expect("a plan is of known data sets");
    Draft::from_value(kept.clone()).is_ok_and(|draft| draft.check(&shape).as_ref() == Ok(&run.spec))
}

struct Clock(Instant);

impl Observer for Clock {
    fn now(&mut self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixels"
)]
fn picture(
    figure: Figure,
    method: Protocol,
    dataset: &str,
    runs: &[(&Planned, &Measured)],
) -> Outcomes<String> {
    let number = figure.number();
    let title = format!("Figure {number} of the paper, {dataset}, {}", method.text());
    let width = f64::from(WIDTH);
    let mut text = String::new();
    if figure == Figure::Correlations {
        let rows = figures::correlation_rows(dataset, runs);
        let size = (WIDTH, sweep::correlations_height(width, &rows) as u32);
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        sweep::draw_correlations(&area, &title, &rows, Style::default())?;
    } else {
        let panels = figures::panels(figure, dataset, runs);
        let size = (WIDTH, sweep::height(width, panels.len()) as u32);
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        sweep::draw(&area, &title, &panels, Style::default())?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_set_that_is_given_twice_is_run_once() {
        let given = ["sarcos", "mnist", "sarcos"].map(String::from);
        assert_eq!(wanted(Figure::Quality, &given), ["sarcos", "mnist"]);
        let all = Figure::Quality.datasets();
        assert_eq!(wanted(Figure::Quality, &[]), all);
    }

    #[test]
    fn a_figure_with_a_run_that_did_not_converge_ends_with_1() {
        assert!(verdict(0).is_ok());
        assert!(matches!(verdict(1), Err(Failure::Work(_))));
    }
}
