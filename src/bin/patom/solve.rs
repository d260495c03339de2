//! `patom solve`: the lower level alone, for the tasks of a file.

use std::path::Path;
use std::time::Instant;

use patom::Error;
use patom::data::formats::csv::Table;
use patom::data::{DataSet, Layout, MAX_FILE_BYTES, MAX_VALUES, RawPoints};
use patom::mtrl::{self, Limits, Problem, Status, Task, Weights};
use serde_json::json;

use crate::args::Solve;
use crate::input::{open, read_bytes};
use crate::output::{print, print_warnings, to_json};
use crate::{Failure, Outcomes};

pub fn solve(options: &Solve) -> Outcomes<()> {
    let (features, training) = read_tasks(options)?;
    let dimension = features + 1;
    let tasks = training.into_iter().map(|points| task(points, features));
    let weights = Weights {
        loss: options.loss,
        lambda1: options.lambda1,
        lambda2: options.lambda2,
        epsilon: options.epsilon,
    };
    let limits = Limits {
        tolerance: options.tolerance,
        max_iterations: options.max_iterations,
    };
    let start = Instant::now();
    let mut problem = Problem::new(weights, dimension, tasks.collect())?;
    let solution = mtrl::solve(options.solver, &mut problem, None, &limits)?;
    let seconds = start.elapsed().as_secs_f64();
    let m = problem.task_count();
    let rows = |values: &[f64]| -> Vec<Vec<f64>> {
        values
            .chunks_exact(values.len() / m)
            .map(<[f64]>::to_vec)
            .collect()
    };
    print(&to_json(&json!({
        "weights": rows(&solution.w),
        "omega": rows(&solution.spectrum.omega()),
        "correlation": rows(&solution.spectrum.correlation()),
        "objective": solution.objective,
        "certificate": solution.certificate,
        "iterations": solution.iterations,
        "solver_status": solution.status,
        "seconds": seconds,
    })))?;
    if matches!(solution.status, Status::Converged | Status::Settled) {
        Ok(())
    } else {
        Err(Failure::Work(format!(
            "not converged ({}), certificate {:.3e}",
            solution.status.text(),
            solution.certificate
        )))
    }
}

/// The training points of each task, and d.
fn read_tasks(options: &Solve) -> Outcomes<(usize, Vec<RawPoints>)> {
    let bytes = read_bytes(&options.tasks, MAX_FILE_BYTES)?;
    let columns = options.columns.columns.as_ref();
    let name = Path::new(&options.tasks).file_name();
    let name = name.map_or_else(String::new, |name| name.to_string_lossy().into());
    // A table from standard input, or from a file that does not say what it is.
    let name = match name.rsplit_once('.') {
        Some(_) => name,
        None => "tasks.csv".to_string(),
    };
    // Our own names need no guess: a task of one point and injected points are welcome here.
    let ours = match columns {
        None => Table::read(&bytes).ok(),
        Some(_) => None,
    };
    let (features, names, training) = if let Some(table) = ours {
        let names: Vec<String> = table.tasks.iter().map(|task| task.name.clone()).collect();
        (table.features, names, table.training_points())
    } else {
        let made = open(&name, &bytes, columns)?;
        print_warnings(&made.data.warnings);
        check_copies(&made.data)?;
        let training = made.data.training_points();
        (made.data.features, made.data.task_names, training)
    };
    for (task, points) in names.iter().zip(&training) {
        if points.labels.is_empty() {
            return Err(Error::data(format!("task {task} has no training points")).into());
        }
    }
    Ok((features, training))
}

/// Here, tasks that share their points have a copy each.
fn check_copies(data: &DataSet) -> Outcomes<()> {
    let (_, most) = data.points_per_task();
    let numbers = data
        .task_count()
        .saturating_mul(most)
        .saturating_mul(data.features + 1);
    if matches!(data.layout, Layout::Separate { .. }) || numbers <= MAX_VALUES {
        return Ok(());
    }
    Err(Error::data(format!(
        "{numbers} numbers, since each of {} tasks has a copy of its points; expected at most \
         {MAX_VALUES}",
        data.task_count()
    ))
    .into())
}

/// Appends the bias to each point.
fn task(points: RawPoints, features: usize) -> Task {
    let rows = points.features.chunks_exact(features);
    Task {
        points: rows
            .flat_map(|row| row.iter().copied().chain([1.0]))
            .collect(),
        clean: points.labels.len(),
        labels: points.labels,
    }
}
