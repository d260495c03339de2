//! `patom tune`: λ1 and λ2 by cross-validation, as a table, files, and a specification to run.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use patom::metrics::MetricName;
use patom::tuning::{self, Grid, Trial, Tuning};

use crate::args::{ColumnsArgument, DataFolder};
use crate::input::{load, read_spec};
use crate::output::{bar, failed, print, to_json, write_all};
use crate::{Failure, Outcomes};

pub fn tune(
    spec: &str,
    out: Option<&Path>,
    as_json: bool,
    folds: usize,
    columns: ColumnsArgument,
    folder: &DataFolder,
) -> Outcomes<()> {
    let link = read_spec(spec, columns)?;
    let (spec, data) = load(&link, folder)?;
    // Before the work, which can take minutes.
    if let Some(out) = out {
        std::fs::create_dir_all(out).map_err(|error| failed(out, error))?;
    }
    let grid = Grid {
        folds,
        ..Grid::default()
    };
    let progress = bar(1);
    let tuning = tuning::tune(&spec, &data, &grid, &mut |done, total| {
        progress.set_length(total as u64);
        progress.set_position(done as u64);
        ControlFlow::Continue(())
    })?;
    progress.finish_and_clear();
    if let Some(out) = out {
        write_files(out, &tuning)?;
    }
    if as_json {
        print(&to_json(&tuning))?;
    } else {
        print(&summary(&tuning))?;
        if let Some(out) = out {
            print(&format!(
                "Written: {0}/tuning.json, {0}/trials.csv, {0}/spec.json",
                out.display()
            ))?;
        }
    }
    if tuning.multi_task.converged {
        Ok(())
    } else {
        Err(Failure::Work(
            "the best pair did not converge in every fold; its error is not certain".to_string(),
        ))
    }
}

fn write_files(out: &Path, tuning: &Tuning) -> Outcomes<()> {
    let files = [
        ("tuning.json", to_json(tuning) + "\n"),
        ("trials.csv", trials_csv(tuning)),
        ("spec.json", to_json(&tuning.spec) + "\n"),
    ];
    write_all(out, &files)
}

/// A row for each pair; a metric that is not defined is empty.
fn trials_csv(tuning: &Tuning) -> String {
    let metric = tuning.metric_name.word();
    let mut text = format!("lambda1,lambda2,{metric},no_better_than_guessing,converged\n");
    for trial in &tuning.trials {
        let value = trial
            .metric
            .map_or(String::new(), |value| value.to_string());
        let Trial {
            lambda1,
            lambda2,
            no_better_than_guessing,
            converged,
            ..
        } = trial;
        let _ = writeln!(
            text,
            "{lambda1},{lambda2},{value},{no_better_than_guessing},{converged}"
        );
    }
    text
}

/// For a reader at a terminal: a row for each λ1, a column for each λ2.
fn summary(tuning: &Tuning) -> String {
    let metric = tuning.metric_name.text();
    let number = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.4}"));
    let first = tuning.trials.first().map_or(0.0, |trial| trial.lambda1);
    let width = (tuning.trials.iter())
        .take_while(|trial| trial.lambda1 == first)
        .count()
        .max(1);
    let mut lines = vec![format!(
        "Mean {metric} over the tasks, {}-fold cross-validation on the clean training points",
        tuning.folds
    )];
    lines.push(String::new());
    let mut header = format!("{:>9}", "λ1 \\ λ2");
    for trial in &tuning.trials[..width] {
        let title = match trial.lambda2 {
            0.0 => "single".to_string(),
            lambda2 => format!("{lambda2:e}"),
        };
        let _ = write!(header, "  {title:>8}");
    }
    lines.push(header);
    for row in tuning.trials.chunks(width) {
        let mut line = format!("{:>9}", format!("{:e}", row[0].lambda1));
        for trial in row {
            let _ = write!(line, "  {:>8}", number(trial.metric));
        }
        lines.push(line);
    }
    lines.push(String::new());
    let Tuning {
        multi_task,
        single_task,
        ..
    } = tuning;
    lines.push(format!(
        "Multi-task learning: λ1 = {:e}, λ2 = {:e}, {metric} {}",
        multi_task.lambda1,
        multi_task.lambda2,
        number(multi_task.metric)
    ));
    lines.push(format!(
        "Single-task learning: λ1 = {:e}, {metric} {}",
        single_task.lambda1,
        number(single_task.metric)
    ));
    if let Some(given) = &tuning.given {
        lines.push(format!(
            "As specified: λ1 = {:e}, λ2 = {:e}, {metric} {}",
            given.lambda1,
            given.lambda2,
            number(given.metric)
        ));
    }
    if tuning.at_edge {
        lines.push("The best pair is at the edge of the grid.".to_string());
    }
    let is_better = match (single_task.metric, multi_task.metric, tuning.metric_name) {
        (Some(single), Some(multi), MetricName::Nmse) => single < multi,
        (Some(single), Some(multi), MetricName::Auc) => single > multi,
        _ => false,
    };
    if is_better {
        lines.push(
            "Single-task learning is better on these data: sharing does not help.".to_string(),
        );
    }
    lines.push(format!("Link (multi-task): #{}", tuning.link));
    lines.join("\n")
}
