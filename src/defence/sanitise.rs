//! Sanitisers: drop suspicious training points of each task before training.
//!
//! A point gets a score; what scores too high is dropped. `norm` scores |x|; `vouch` the median over
//! the other tasks of the distance to that task's nearest point; `trim` (Jagielski and others 2018)
//! trains, keeps the points of least loss, and repeats until the kept set does. They know nothing of
//! which points are injected. An attacker who knows them gets past all three: never show one without
//! that attacker.

use crate::attack::quantile;
use crate::choice::choice;
use crate::error::{Error, Result};
use crate::linalg::{ascending, dot, norm_squared};
use crate::mtrl::{Limits, Loss, Problem, Solver, Task, solve};

/// Rounds of `trim` at most.
const MAX_ROUNDS: usize = 30;

/// Tukey's fence: so many interquartile ranges above the third quartile.
const FENCE: f64 = 1.5;

choice! {
    /// Which points are dropped before training.
    Sanitise {
        /// None.
        None = "none" => "no points are dropped",
        /// The longest.
        Norm = "norm" => "drop points of large norm",
        /// Those far from every other task's points.
        Vouch = "vouch" => "drop points far from those of other tasks",
        /// Those of largest loss, again and again.
        Trim = "trim" => "drop points of large loss (TRIM)",
    }
}

/// Which points of each task are kept, and the score of each: the higher, the more suspicious.
#[derive(Clone, Debug, PartialEq)]
pub struct Sanitised {
    /// One flag a point.
    pub kept: Vec<Vec<bool>>,
    /// One number a point.
    pub scores: Vec<Vec<f64>>,
    /// Fits that `trim` took.
    pub rounds: usize,
}

/// Scores the points of a problem and drops the `share` of largest score in each
/// task, rounded down; without a share those above Tukey's fence of all tasks' scores together.
/// Of equal scores the later point is dropped first.
///
/// # Errors
/// A share that is not from 0 to 0.5; `trim` without one; `vouch` with one task, or with tasks that
/// share rows; a numerical breakdown.
pub fn sanitise(rule: Sanitise, share: Option<f64>, problem: &Problem) -> Result<Sanitised> {
    let dimension = problem.dimension();
    let tasks = tasks_of(problem);
    if let Some(share) = share
        && !(0.0..=0.5).contains(&share)
    {
        return Err(Error::out_of_range(
            "sanitise_share",
            share,
            "between 0 and 0.5",
        ));
    }
    match rule {
        Sanitise::None => Ok(Sanitised {
            kept: all_of(&tasks),
            scores: tasks
                .iter()
                .map(|task| vec![0.0; task.labels.len()])
                .collect(),
            rounds: 0,
        }),
        Sanitise::Trim => {
            let Some(share) = share else {
                return Err(Error::invalid(
                    "sanitise_share",
                    "missing; trim drops a fixed share of each task",
                ));
            };
            trim(share, problem, &tasks)
        }
        Sanitise::Norm => Ok(by_scores(norms(dimension, &tasks), share)),
        Sanitise::Vouch => Ok(by_scores(vouch(dimension, &tasks)?, share)),
    }
}

/// Drops by scores that are known: the `share`, which is from 0 to 0.5, of largest score in each
/// task, or those above the fence.
pub fn by_scores(scores: Vec<Vec<f64>>, share: Option<f64>) -> Sanitised {
    let kept = match share {
        Some(share) => scores.iter().map(|scores| keep(scores, share)).collect(),
        None => {
            let all: Vec<f64> = scores.iter().flatten().copied().collect();
            let fence = fence(all);
            let inside = |scores: &Vec<f64>| scores.iter().map(|&score| score <= fence).collect();
            scores.iter().map(inside).collect()
        }
    };
    Sanitised {
        kept: keep_one(kept, &scores),
        scores,
        rounds: 0,
    }
}

/// The points of a problem.
pub fn tasks_of(problem: &Problem) -> Vec<&Task> {
    (0..problem.task_count())
        .map(|number| problem.task(number))
        .collect()
}

/// The same problem with the kept points only.
///
/// # Errors
/// A task of which no point is kept.
pub fn subset(problem: &Problem, kept: &[Vec<bool>]) -> Result<Problem> {
    let dimension = problem.dimension();
    let tasks = (kept.iter().enumerate()).map(|(number, kept)| (problem.task(number), kept));
    let tasks = tasks
        .map(|(task, kept)| {
            let mut out = Task {
                clean: kept[..task.clean].iter().filter(|&&kept| kept).count(),
                ..Task::default()
            };
            let points = task.points.chunks_exact(dimension).zip(&task.labels);
            for ((x, y), _) in points.zip(kept).filter(|(_, kept)| **kept) {
                out.points.extend_from_slice(x);
                out.labels.push(*y);
            }
            out
        })
        .collect();
    problem.with_tasks(tasks)
}

/// |x| of each point, without the bias.
pub fn norms(dimension: usize, tasks: &[&Task]) -> Vec<Vec<f64>> {
    let norm = |x: &[f64]| norm_squared(&x[..dimension - 1]).sqrt();
    let of_task = |task: &&Task| task.points.chunks_exact(dimension).map(norm).collect();
    tasks.iter().map(of_task).collect()
}

/// Median over the other tasks of the distance to that task's nearest point.
///
/// # Errors
/// One task only; two tasks with the same row of features: each such row vouches for itself, and
/// every point that is in one task only looks suspicious.
pub fn vouch(dimension: usize, tasks: &[&Task]) -> Result<Vec<Vec<f64>>> {
    if tasks.len() < 2 {
        return Err(Error::invalid(
            "sanitise",
            "vouch needs at least two tasks; use norm",
        ));
    }
    if let Some((a, b)) = shared_rows(dimension, tasks) {
        return Err(Error::invalid(
            "sanitise",
            format!(
                "vouch is meaningless where tasks share rows, as tasks T{} and T{} do; use norm, or \
                 data whose tasks have rows of their own",
                a + 1,
                b + 1
            ),
        ));
    }
    let features = dimension - 1;
    let lengths = norms(dimension, tasks);
    Ok((tasks.iter().enumerate())
        .map(|(own, task)| {
            (task.points.chunks_exact(dimension).zip(&lengths[own]))
                .map(|(x, &length)| {
                    let mut distances: Vec<f64> = (tasks.iter().zip(&lengths).enumerate())
                        .filter(|&(other, _)| other != own)
                        .map(|(_, (other, lengths))| {
                            nearest((&x[..features], length), other, lengths, dimension)
                        })
                        .collect();
                    distances.sort_by(f64::total_cmp);
                    quantile(&distances, 0.5)
                })
                .collect()
        })
        .collect())
}

/// Distance to the nearest point, from differences: products of sums would cancel. Both points come
/// with their norms.
fn nearest((x, length): (&[f64], f64), task: &Task, lengths: &[f64], dimension: usize) -> f64 {
    /// Features between two looks at the sum.
    const BLOCK: usize = 16;
    /// More than rounding can do to a norm.
    const ROOM: f64 = 1.0 - 1e-9;
    let mut least = f64::INFINITY;
    for (other, other_length) in task.points.chunks_exact(dimension).zip(lengths) {
        // Norms that differ by more than the least distance: it is farther.
        let apart = length - other_length;
        if apart * apart * ROOM > least {
            continue;
        }
        let mut square = 0.0;
        for (x, other) in x.chunks(BLOCK).zip(other.chunks(BLOCK)) {
            for (a, b) in x.iter().zip(other) {
                square += (a - b) * (a - b);
            }
            if square >= least {
                break;
            }
        }
        least = least.min(square);
    }
    least.sqrt()
}

/// The first two tasks of which more than half of the smaller one's clean rows are rows of the other.
pub fn shared_rows(dimension: usize, tasks: &[&Task]) -> Option<(usize, usize)> {
    let rows = |task: &&Task| {
        let mut rows: Vec<Vec<u64>> = (task.points.chunks_exact(dimension))
            .take(task.clean)
            .map(|x| {
                x[..dimension - 1]
                    .iter()
                    .map(|x| (x + 0.0).to_bits())
                    .collect()
            })
            .collect();
        rows.sort_unstable();
        rows
    };
    let sorted: Vec<Vec<Vec<u64>>> = tasks.iter().map(rows).collect();
    for b in 1..sorted.len() {
        for a in 0..b {
            let (few, many) = if sorted[a].len() < sorted[b].len() {
                (&sorted[a], &sorted[b])
            } else {
                (&sorted[b], &sorted[a])
            };
            let common = few.iter().filter(|row| many.binary_search(row).is_ok());
            if 2 * common.count() > few.len() {
                return Some((a, b));
            }
        }
    }
    None
}

/// Trains, keeps the points of least loss in each task, and again.
fn trim(share: f64, problem: &Problem, tasks: &[&Task]) -> Result<Sanitised> {
    let mut kept = all_of(tasks);
    let mut seen: Vec<Vec<Vec<bool>>> = Vec::new();
    let mut rounds = 0;
    loop {
        let mut smaller = subset(problem, &kept)?;
        let solution = solve(Solver::Certified, &mut smaller, None, &Limits::default())?;
        rounds += 1;
        let scores = losses(problem, tasks, &solution.w);
        let next: Vec<Vec<bool>> = scores.iter().map(|scores| keep(scores, share)).collect();
        if seen.contains(&next) || rounds == MAX_ROUNDS {
            return Ok(Sanitised {
                kept: next,
                scores,
                rounds,
            });
        }
        seen.push(next.clone());
        kept = next;
    }
}

/// The loss that the problem has for each point of these tasks at the weights `w`.
pub fn losses(problem: &Problem, tasks: &[&Task], w: &[f64]) -> Vec<Vec<f64>> {
    let dimension = problem.dimension();
    let hinge = problem.weights().loss == Loss::SquaredHinge;
    (tasks.iter().zip(w.chunks_exact(dimension)))
        .map(|(task, w)| {
            (task.points.chunks_exact(dimension).zip(&task.labels))
                .map(|(x, y)| {
                    let residual = y - dot(x, w);
                    if hinge && y * residual <= 0.0 {
                        0.0
                    } else {
                        residual * residual
                    }
                })
                .collect()
        })
        .collect()
}

fn all_of(tasks: &[&Task]) -> Vec<Vec<bool>> {
    tasks
        .iter()
        .map(|task| vec![true; task.labels.len()])
        .collect()
}

/// Keeps all but the floor(share n) points of largest score; of equal ones the earlier.
fn keep(scores: &[f64], share: f64) -> Vec<bool> {
    let n = scores.len();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and half of n; a product that only rounding keeps below a whole number \
                  counts as that number"
    )]
    let dropped = (share * n as f64 + 1e-9).floor() as usize;
    let order = ascending(scores);
    let mut kept = vec![false; n];
    for &j in &order[..n - dropped] {
        kept[j] = true;
    }
    kept
}

/// A task must keep a point to be trained: that of least score where the fence left none.
fn keep_one(mut kept: Vec<Vec<bool>>, scores: &[Vec<f64>]) -> Vec<Vec<bool>> {
    for (kept, scores) in kept.iter_mut().zip(scores) {
        if !kept.contains(&true) {
            kept[ascending(scores)[0]] = true;
        }
    }
    kept
}

/// Third quartile and 1.5 interquartile ranges.
fn fence(mut scores: Vec<f64>) -> f64 {
    scores.sort_by(f64::total_cmp);
    let (low, high) = (quantile(&scores, 0.25), quantile(&scores, 0.75));
    high + FENCE * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.quantile([1, 2, 4, 8], [0, 0.25, 0.5, 0.75, 1])
        let sorted = [1.0, 2.0, 4.0, 8.0];
        for (share, value) in [
            (0.0, 1.0),
            (0.25, 1.75),
            (0.5, 3.0),
            (0.75, 5.0),
            (1.0, 8.0),
        ] {
            assert_eq!(quantile(&sorted, share), value);
        }
        assert_eq!(quantile(&[3.0], 0.75), 3.0);
    }

    #[test]
    fn of_equal_scores_the_later_is_dropped() {
        assert_eq!(keep(&[1.0, 2.0, 2.0, 0.0], 0.25), [true, true, false, true]);
        assert_eq!(keep(&[1.0, 2.0], 0.4), [true, true]);
        // 0.2 / 1.2 of 6 is one point, whatever the division rounds to.
        assert_eq!(
            keep(&[0.0; 6], 0.2 / 1.2).iter().filter(|k| !**k).count(),
            1
        );
    }
}
