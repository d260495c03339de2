//! `patom solve`: the lower level alone, for the tasks of a CSV file.

use std::time::Instant;

use patom::Error;
use patom::data::formats::csv::Table;
use patom::data::{MAX_FILE_BYTES, RawPoints};
use patom::mtrl::{self, Limits, Problem, Status, Task, Weights};
use serde_json::json;

use crate::args::Solve;
use crate::input::read_bytes;
use crate::output::{print, to_json};
use crate::{Failure, Outcomes};

pub fn solve(options: &Solve) -> Outcomes<()> {
    let table = Table::read(&read_bytes(&options.tasks, MAX_FILE_BYTES)?)?;
    let training = table.training_points();
    for (task, points) in table.tasks.iter().zip(&training) {
        if points.labels.is_empty() {
            return Err(Error::data(format!("task {} has no training points", task.name)).into());
        }
    }
    let dimension = table.features + 1;
    let tasks = training
        .into_iter()
        .map(|points| task(points, dimension - 1));
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
