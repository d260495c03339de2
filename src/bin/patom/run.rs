//! `patom run`: a specification to report.json and points.csv, or to a summary.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use indicatif::ProgressBar;
use patom::attack::Injection;
use patom::error::visible;
use patom::experiment::{self, Observer, Outcome};
use patom::report::{TracePoint, mean_metric};

use crate::args::{ColumnsArgument, DataFolder};
use crate::input::{load, read_spec};
use crate::output::{bar, failed, partial, print, print_warnings, replace, to_json, warn, write};
use crate::{Failure, Outcomes};

pub fn run(
    spec: &str,
    out: Option<&Path>,
    as_json: bool,
    columns: ColumnsArgument,
    folder: &DataFolder,
) -> Outcomes<()> {
    let link = read_spec(spec, columns)?;
    let (spec, data) = load(&link, folder)?;
    // Before the run, which can take hours.
    out.map_or(Ok(()), prepare_folder)?;
    let mut progress = Progress::new(spec.iterations, spec.starts);
    let outcome = experiment::run(&spec, &data, &mut progress)?;
    progress.bar.finish_and_clear();
    let written = out.map(|out| write_files(out, &outcome));
    let report = &outcome.report;
    print_warnings(&report.warnings);
    let comparison = link.claim.compare(&report.claim(), report.metric_name);
    if injected_count(&outcome) == 0 && spec.budget > 0.0 {
        warn(&format!(
            "no points are injected: a budget of {} of so few training points rounds down to 0",
            spec.budget
        ));
    }
    if as_json {
        print(&to_json(report))?;
        if let Some(comparison) = comparison {
            warn(&comparison.words);
        }
    } else {
        print(&summary(&outcome))?;
        if let Some(comparison) = comparison {
            print(&comparison.words)?;
        }
        if let (Some(out), Some(Ok(()))) = (out, &written) {
            print(&format!(
                "Written: {0}/report.json, {0}/points.csv",
                out.display()
            ))?;
        }
    }
    written.unwrap_or(Ok(()))?;
    if report.converged() {
        Ok(())
    } else {
        Err(Failure::Work(format!(
            "the lower level did not converge (clean: {}, attack: {}); the certificates in the \
             report bound the distance from the optimum",
            report.clean.solver_status.text(),
            report.worst_solver_status.text()
        )))
    }
}

/// The files of a run.
const FILES: [&str; 2] = ["report.json", "points.csv"];

/// Makes the folder of a run, and makes sure that its files can be written.
fn prepare_folder(out: &Path) -> Outcomes<()> {
    std::fs::create_dir_all(out).map_err(|error| failed(out, error))?;
    for name in FILES {
        let path = out.join(name);
        if path.is_dir() {
            return Err(failed(&path, "a folder; expected a file, or nothing"));
        }
        let partial = partial(&path);
        write(&partial, "")?;
        std::fs::remove_file(&partial).map_err(|error| failed(&partial, error))?;
    }
    Ok(())
}

/// Both files or none: the points are those of the report.
fn write_files(out: &Path, outcome: &Outcome) -> Outcomes<()> {
    let texts = [to_json(&outcome.report) + "\n", outcome.points_csv()];
    let paths = FILES.map(|name| out.join(name));
    let written = (paths.iter().zip(&texts))
        .try_for_each(|(path, text)| write(&partial(path), text))
        .and_then(|()| paths.iter().try_for_each(|path| replace(path)));
    if written.is_err() {
        for path in &paths {
            // As far as it is there.
            let _ = std::fs::remove_file(partial(path));
        }
    }
    written
}

fn injected_count(outcome: &Outcome) -> usize {
    (outcome.injections.iter())
        .map(|injection| injection.labels.len())
        .sum()
}

/// Widest column of names.
const MAX_WIDTH: usize = 200;

/// The report for a reader at a terminal.
fn summary(outcome: &Outcome) -> String {
    let report = &outcome.report;
    let metric = report.metric_name.text();
    let number = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.4}"));
    let mut lines = vec![format!(
        "{:>5}  {:>10}  {:>12}  {:>9}",
        "iter", metric, "utility", "seconds"
    )];
    lines.extend(report.trace.iter().map(|point| {
        format!(
            "{:>5}  {:>10}  {:>12.4}  {:>9.4}",
            point.iteration,
            number(point.metric),
            point.utility,
            point.seconds
        )
    }));
    lines.push(String::new());
    let names: Vec<String> = report.task_names.iter().map(|name| visible(name)).collect();
    let width = (names.iter())
        .map(|name| name.chars().count())
        .fold(4, usize::max)
        .min(MAX_WIDTH);
    lines.push(format!(
        "{:>5}  {:<width$}  {:>10}  {:>10}  role",
        "", "task", "clean", "attacked"
    ));
    for (task, name) in names.iter().enumerate() {
        let role = match (
            report.target_tasks.contains(&task),
            report.attacking_tasks.contains(&task),
        ) {
            (true, true) => "target, attacking",
            (true, false) => "target",
            (false, true) => "attacking",
            (false, false) => "",
        };
        let missing = report.clean.metric_per_task[task].is_none();
        let note = if missing {
            " (no metric: its test labels are all equal)"
        } else {
            ""
        };
        lines.push(format!(
            "{:>5}  {name:<width$}  {:>10}  {:>10}  {role}{note}",
            format!("T{}", task + 1),
            number(report.clean.metric_per_task[task]),
            number(report.attacked.metric_per_task[task])
        ));
    }
    lines.push(String::new());
    let [clean, attacked] = [&report.single_task.clean, &report.single_task.attacked]
        .map(|model| number(mean_metric(&model.metric_per_task, &report.target_tasks)));
    lines.push(format!(
        "Single-task learning, mean {metric} of the targets: {clean} (clean), {attacked} (attacked)"
    ));
    lines.extend(attacker_lines(outcome));
    lines.extend(defence_lines(outcome));
    lines.push(format!("Injected points: {}", injected_count(outcome)));
    lines.push(format!(
        "Lower level: {} (clean), {} (attack), certificate {:.1e}",
        report.clean.solver_status.text(),
        report.worst_solver_status.text(),
        report.attacked.certificate
    ));
    lines.push(format!(
        "Digest: {}   engine {}",
        report.digest, report.engine
    ));
    lines.join("\n")
}

/// What there is to say of an attacker beyond the paper's.
fn attacker_lines(outcome: &Outcome) -> Vec<String> {
    let report = &outcome.report;
    let mut lines = Vec::new();
    if let Some(starts) = &report.starts {
        let utilities = starts.results.iter().map(|result| result.utility);
        lines.push(format!(
            "Start {} of {} has the largest utility; the smallest is {:.4}",
            starts.won + 1,
            starts.results.len(),
            utilities.fold(f64::INFINITY, f64::min)
        ));
    }
    if report.surrogate.is_some() {
        lines.push(format!(
            "The attacker sees {} % of the clean training points; the utility is that of its own model",
            100.0 * report.spec.knowledge
        ));
    }
    lines
}

/// What defences do, where there are some: always beside the same without them.
fn defence_lines(outcome: &Outcome) -> Vec<String> {
    let report = &outcome.report;
    let metric = report.metric_name.text();
    let targets = &report.target_tasks;
    let number = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.4}"));
    let mut lines = Vec::new();
    if let Some(certified) = &report.certified {
        lines.push(format!(
            "Certified, mean {metric} of the targets without injected points: {} at worst, whatever \
             other tasks contain",
            number(mean_metric(&certified.metric_per_task, targets))
        ));
    }
    if let Some(defence) = &report.defence {
        let [clean, attacked] = [&defence.clean, &defence.attacked]
            .map(|model| number(mean_metric(&model.metric_per_task, targets)));
        let dropped = (report.detection.as_ref()).and_then(|detection| detection.dropped);
        let counts = dropped.map_or(String::new(), |dropped| {
            format!(
                "; drops {} of {} injected and {} of {} clean points",
                dropped.caught, dropped.injected, dropped.lost, dropped.clean
            )
        });
        lines.push(format!(
            "With the sanitiser {}: {clean} (clean), {attacked} (attacked){counts}",
            report.spec.sanitise.word()
        ));
    }
    lines
}

/// A bar on a terminal, nothing elsewhere.
struct Progress {
    start: Instant,
    iterations: usize,
    /// Iterations of the starts before this one.
    before: usize,
    bar: ProgressBar,
}

impl Progress {
    fn new(iterations: usize, starts: usize) -> Self {
        Self {
            start: Instant::now(),
            iterations,
            before: 0,
            bar: bar((iterations * starts) as u64),
        }
    }
}

impl Observer for Progress {
    fn now(&mut self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    fn start(&mut self, number: usize) -> ControlFlow<()> {
        self.before = number * self.iterations;
        ControlFlow::Continue(())
    }

    fn iteration(&mut self, point: &TracePoint, _: &[Injection]) -> ControlFlow<()> {
        self.bar
            .set_position((self.before + point.iteration) as u64);
        if let Some(metric) = point.metric {
            self.bar.set_message(format!("metric {metric:.4}"));
        }
        ControlFlow::Continue(())
    }
}
