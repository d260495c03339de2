//! An attacker who hides among clean points: it injects copies of other tasks' rows.
//!
//! A copied row has a clean point's norm and lies where clean points do, so no filter that looks at
//! features alone can tell it from a clean one. Only the choice of the rows and of their labels is
//! the attacker's: labels are the 5 % or the 95 % quantile of the attacked task's clean labels
//! (classes: -1 or +1). To first order, one more point (x̃, y) of task i raises U by
//!
//! ```text
//! -v_i'∇l(x̃, y) / N_i = (2 / N_i) r v_i'x̃,    r = y - w_i'x̃ (zero where the loss is flat),
//! ```
//!
//! with V as in [`crate::attack::gradient`]. An iteration swaps the injected points of least gain for
//! the candidates of largest gain: all, a half, a quarter, ... until U rises. It is greedy: what it
//! reaches is a lower bound on what such an attacker can do.

use std::collections::BTreeSet;

use crate::attack::step::{Taken, Work};
use crate::attack::{Injection, Settings, gradient};
use crate::choice::choice;
use crate::error::{Error, Result};
use crate::linalg::{ascending, dot, norm_squared};
use crate::mtrl::{self, Loss, Problem, Solution, Task};
use crate::rng::{Random, Stream};

choice! {
    /// Where the features of injected points come from.
    InjectedFeatures {
        /// Anywhere in the domain.
        Free = "free" => "any features",
        /// Rows of other tasks.
        Copied = "copied" => "copies of other tasks' rows (hard to detect)",
    }
}

/// The quantiles of the clean labels that injected labels have.
const LABELS: (f64, f64) = (0.05, 0.95);

/// What may be injected into one task: different rows of the other tasks' clean points, with bias,
/// and two labels.
#[derive(Clone, Debug)]
pub struct Pool {
    rows: Vec<f64>,
    labels: [f64; 2],
}

impl Pool {
    /// Of a task; only rows of a norm of at most `radius`.
    ///
    /// # Errors
    /// No such row.
    pub fn new(
        tasks: &[Task],
        (loss, dimension): (Loss, usize),
        number: usize,
        radius: f64,
    ) -> Result<Self> {
        let mut seen = BTreeSet::new();
        let mut rows = Vec::new();
        for (_, task) in tasks
            .iter()
            .enumerate()
            .filter(|&(other, _)| other != number)
        {
            for x in task.points.chunks_exact(dimension).take(task.clean) {
                let bits: Vec<u64> = x.iter().map(|x| (x + 0.0).to_bits()).collect();
                // The largest clean norm is 1 up to rounding.
                let fits = norm_squared(&x[..dimension - 1]).sqrt() <= radius * (1.0 + 1e-12);
                if fits && seen.insert(bits) {
                    rows.extend_from_slice(x);
                }
            }
        }
        if rows.is_empty() {
            let reason = format!(
                "no row of a task other than T{} has a norm of at most {radius}, to be copied; use a \
                 larger one, or injected_features: free",
                number + 1
            );
            return Err(Error::invalid("radius", reason));
        }
        let task = &tasks[number];
        let labels = if loss == Loss::SquaredHinge {
            [-1.0, 1.0]
        } else {
            let mut sorted = task.labels[..task.clean].to_vec();
            sorted.sort_by(f64::total_cmp);
            [LABELS.0, LABELS.1].map(|share| quantile(&sorted, share))
        };
        Ok(Self { rows, labels })
    }

    /// `count` rows drawn without replacement, as far as there are so many, each with one of the
    /// labels.
    pub fn draw(&self, task: usize, count: usize, dimension: usize, seed: u64) -> Injection {
        let available = self.rows.len() / dimension;
        let mut random = Random::new(seed, Stream::InitialPoints, task as u64);
        let order = random.choose(available, available);
        let mut random = Random::new(seed, Stream::InjectedLabels, task as u64);
        let mut injection = Injection {
            task,
            points: Vec::with_capacity(count * dimension),
            labels: Vec::with_capacity(count),
        };
        for j in 0..count {
            let row = order[j % available] * dimension;
            injection
                .points
                .extend_from_slice(&self.rows[row..row + dimension]);
            injection.labels.push(self.labels[random.below(2)]);
        }
        injection
    }
}

/// The quantile of sorted numbers, at least one, linear between neighbours.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the count"
    )]
    let before = position.floor() as usize;
    let after = (before + 1).min(sorted.len() - 1);
    let part = position - before as f64;
    sorted[before] + part * (sorted[after] - sorted[before])
}

/// N_i / 2 times the first-order gain of one more point.
fn gain(loss: Loss, x: &[f64], label: f64, w: &[f64], v: &[f64]) -> f64 {
    let residual = label - dot(x, w);
    if loss == Loss::SquaredHinge && label * residual <= 0.0 {
        return 0.0;
    }
    residual * dot(x, v)
}

/// One iteration from a solution, its U and its points: None where no swap raises U. Adds to `work`
/// what it took.
///
/// # Errors
/// A numerical breakdown of the lower level.
pub(crate) fn swap(
    problem: &mut Problem,
    (solution, utility, injections): (&Solution, f64, &[Injection]),
    pools: &[Pool],
    settings: &Settings,
    work: &mut Work,
) -> Result<Option<Taken>> {
    let dimension = problem.dimension();
    let loss = problem.weights().loss;
    let (v, products) = gradient::response(settings.gradient, problem, solution, settings.aim())?;
    work.products += products;
    // For each injection: its points from the least gain, the candidates from the largest.
    let ranked: Vec<_> = (injections.iter().zip(pools))
        .map(|(injection, pool)| {
            let range = injection.task * dimension..(injection.task + 1) * dimension;
            let (w, v) = (&solution.w[range.clone()], &v[range]);
            let points = injection.points.chunks_exact(dimension);
            let own: Vec<f64> = (points.zip(&injection.labels))
                .map(|(x, &label)| gain(loss, x, label, w, v))
                .collect();
            let best: Vec<(f64, f64)> = (pool.rows.chunks_exact(dimension))
                .map(|x| {
                    let [low, high] = pool.labels.map(|label| gain(loss, x, label, w, v));
                    // The first of the two where they are equal.
                    if high > low {
                        (high, pool.labels[1])
                    } else {
                        (low, pool.labels[0])
                    }
                })
                .collect();
            let mut order = ascending(&best.iter().map(|best| -best.0).collect::<Vec<_>>());
            let held: BTreeSet<Vec<u64>> = (injection.points.chunks_exact(dimension))
                .zip(&injection.labels)
                .map(|(x, &label)| key(x, label))
                .collect();
            order.retain(|&c| {
                let x = &pool.rows[c * dimension..(c + 1) * dimension];
                !held.contains(&key(x, best[c].1))
            });
            (ascending(&own), own, order, best)
        })
        .collect();
    let most = injections.iter().map(|injection| injection.labels.len());
    let mut count = most.max().unwrap_or(0);
    while count > 0 {
        let mut moved = injections.to_vec();
        for ((injection, pool), (worst, own, order, best)) in
            moved.iter_mut().zip(pools).zip(&ranked)
        {
            for (&j, &c) in worst.iter().zip(order).take(count) {
                if best[c].0 <= own[j] {
                    break;
                }
                let row = &pool.rows[c * dimension..(c + 1) * dimension];
                injection.points[j * dimension..(j + 1) * dimension].copy_from_slice(row);
                injection.labels[j] = best[c].1;
            }
        }
        if moved == injections {
            return Ok(None);
        }
        place(problem, &moved);
        let next = mtrl::solve(settings.solver, problem, Some(solution), &settings.limits)?;
        work.add(&next);
        let value = settings.aim().value(problem, &next.w);
        if value > utility {
            return Ok(Some(Taken {
                injections: moved,
                solution: next,
                utility: value,
            }));
        }
        count /= 2;
    }
    Ok(None)
}

fn key(x: &[f64], label: f64) -> Vec<u64> {
    x.iter()
        .chain([&label])
        .map(|x| (x + 0.0).to_bits())
        .collect()
}

/// Puts points and labels into the problem.
pub(crate) fn place(problem: &mut Problem, injections: &[Injection]) {
    for injection in injections {
        problem.replace_injected(injection.task, &injection.points, &injection.labels);
    }
}
