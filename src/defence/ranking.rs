//! Ranking of tasks by how suspicious they look, for the reader of a report; it decides nothing.
//!
//! On clean data something always ranks first, so a ranking means little without the same one of a
//! clean run beside it. The paper's clue, the mean correlation of a task, is among the scores
//! because people will look for it: measured, it does not find poisoned tasks.

use serde::Serialize;

use crate::defence::sanitise::{losses, tasks_of};
use crate::error::Result;
use crate::mtrl::{Limits, Problem, Solution, Solver, Task, solve};

/// Scores of each task, the higher the more suspicious.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct TaskScores {
    /// Mean training loss of the task.
    pub own_loss: Vec<f64>,
    /// By how much the other tasks' mean training losses fall, in sum, where this task is left out.
    pub left_out_gain: Vec<f64>,
    /// Mean |correlation| with the other tasks: the paper's clue.
    pub mean_correlation: Vec<f64>,
}

/// Mean of each task's losses.
pub fn own_losses(losses: &[Vec<f64>]) -> Vec<f64> {
    let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    losses.iter().map(mean).collect()
}

/// Mean |correlation| of each of m tasks with the others, from the m x m matrix.
pub fn mean_correlations(correlation: &[f64], m: usize) -> Vec<f64> {
    let others = m.saturating_sub(1).max(1) as f64;
    (0..m)
        .map(|i| {
            let row = correlation[i * m..(i + 1) * m].iter().enumerate();
            let sizes = row.filter(|&(j, _)| j != i).map(|(_, value)| value.abs());
            sizes.sum::<f64>() / others
        })
        .collect()
}

/// Scores the tasks of a problem from its solution, with one further solve a task.
///
/// # Errors
/// A numerical breakdown.
pub fn score_tasks(problem: &Problem, solution: &Solution) -> Result<TaskScores> {
    let m = problem.task_count();
    let tasks = tasks_of(problem);
    let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let own_loss = own_losses(&losses(problem, &tasks, &solution.w));
    let mean_correlation = mean_correlations(&solution.spectrum.correlation(), m);
    let mut left_out_gain = vec![0.0; m];
    for (i, gain) in left_out_gain.iter_mut().enumerate() {
        if m < 2 {
            break;
        }
        let rest: Vec<&Task> = (tasks.iter().enumerate())
            .filter(|&(j, _)| j != i)
            .map(|(_, &task)| task)
            .collect();
        let mut smaller = problem.with_tasks(rest.iter().copied().cloned().collect())?;
        let without = solve(Solver::Certified, &mut smaller, None, &Limits::default())?;
        let after = losses(problem, &rest, &without.w);
        let before = own_loss.iter().enumerate().filter(|&(j, _)| j != i);
        *gain = (before.zip(&after))
            .map(|((_, before), after)| before - mean(after))
            .sum();
    }
    Ok(TaskScores {
        own_loss,
        left_out_gain,
        mean_correlation,
    })
}
