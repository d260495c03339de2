//! What the pull cap promises to a task whose own points are clean, whatever other tasks contain.
//!
//! Let f be the task's own objective, w_s its minimiser (single-task learning) and w the task's model
//! under the cap: |∇f(w)| <= μ (see [`crate::mtrl::capped`]). With v = ∇f(w) - ∇f(w_s),
//!
//! ```text
//! |v| <= p,    p = μ + (by how much the solver missed the cap) + |∇f(w_s)|.
//! ```
//!
//! - Squared loss: w = w_s + H⁻¹ v with H = 2/N X'X + λ1 I. A prediction for x̃ is within p |H⁻¹ x̃|
//!   of the single-task one. Worst test error: with B = X_t H⁻¹, r = X_t w_s - y_t, A = B'B / n_t,
//!   c = B'r / n_t, for any ν above the eigenvalues e_k of A,
//!
//!   ```text
//!   mean (X_t w - y_t)² = mean r² + 2 c'v + v'A v <= mean r² + ν p² + Σ_k (u_k'c)² / (ν - e_k),
//!   ```
//!
//!   which is smallest, and attained, where |(ν I - A)⁻¹ c| = p.
//! - Squared hinge: f is λ1-strongly convex, so |w - w_s| <= p / λ1, and a prediction is within
//!   (p / λ1) |x̃|. Curvature of the points does not count: they may stop being active.
//! - Worst AUC, both losses: a pair of a positive and a negative test point is counted as won only
//!   where the difference of their scores stays positive for every such w.
//!
//! The worst test error uses test labels: it evaluates the defence. The intervals do not.

use crate::data::{Kind, Spread};
use crate::error::{Error, Result};
use crate::linalg::{
    Eigen, add_gram, add_scaled, cholesky, cholesky_solve, dot, mirror, norm_squared,
};
use crate::metrics;
use crate::mtrl::{Limits, Loss, Problem, Solution, capped, single_task};

/// Of what is computed here; added on the safe side.
const ROUNDING: f64 = 1e-12;

/// Halvings in the search for ν.
const HALVINGS: usize = 200;

/// What is promised to one task.
#[derive(Clone, Debug)]
pub struct Certificate {
    dimension: usize,
    /// w_s.
    single: Vec<f64>,
    /// p.
    pull: f64,
    /// Cholesky factor of H; none with the squared hinge.
    factor: Option<Vec<f64>>,
    lambda1: f64,
}

/// The certificates of all tasks, for the points that `problem` holds and the weights `w` that were
/// learned under its cap. That of a task holds if all of its own points are clean.
///
/// # Errors
/// A problem without a pull cap; a numerical breakdown.
pub fn of_tasks(problem: &Problem, w: &[f64]) -> Result<Vec<Certificate>> {
    let Some(cap) = problem.pull_cap() else {
        return Err(Error::invalid(
            "pull_cap",
            "missing; only a pull cap gives a certificate",
        ));
    };
    let dimension = problem.dimension();
    let weights = *problem.weights();
    let mut alone = problem.clone();
    let limits = Limits {
        tolerance: 1e-20,
        ..Limits::default()
    };
    let single = single_task::solve(&mut alone, w, &limits)?;
    let missed = capped::residuals(problem, w);
    let left = capped::own_slopes(problem, &single);
    (single.chunks_exact(dimension).enumerate())
        .map(|(i, single)| {
            let factor = match weights.loss {
                Loss::SquaredHinge => None,
                Loss::Squared => {
                    let mut factor = alone.curvature(i).into_owned();
                    for k in 0..dimension {
                        factor[k * (dimension + 1)] += weights.lambda1;
                    }
                    if !cholesky(&mut factor, dimension) {
                        return Err(breakdown("the curvature is not positive definite"));
                    }
                    Some(factor)
                }
            };
            Ok(Certificate {
                dimension,
                single: single.to_vec(),
                pull: (cap + missed[i] + left[i]) * (1.0 + ROUNDING),
                factor,
                lambda1: weights.lambda1,
            })
        })
        .collect()
}

fn breakdown(what: &str) -> Error {
    Error::Numerical {
        place: "a certificate",
        what: what.to_string(),
    }
}

impl Certificate {
    /// The weights of single-task learning, around which everything is.
    pub fn single(&self) -> &[f64] {
        &self.single
    }

    /// Adds to p: for weights that miss the cap by this much.
    pub fn widen(&mut self, missed: f64) {
        self.pull += missed.max(0.0);
    }

    /// No larger distance between the task's weights and those of single-task learning is possible.
    pub fn weight_distance(&self) -> f64 {
        self.pull / self.lambda1
    }

    /// H⁻¹ x̃, or x̃ / λ1: how a score answers to v.
    fn response(&self, x: &[f64]) -> Vec<f64> {
        match &self.factor {
            Some(factor) => {
                let mut solved = x.to_vec();
                cholesky_solve(factor, self.dimension, &mut solved);
                solved
            }
            None => x.iter().map(|x| x / self.lambda1).collect(),
        }
    }

    /// Smallest and largest prediction for a point with its bias entry.
    pub fn interval(&self, x: &[f64]) -> (f64, f64) {
        let middle = dot(x, &self.single);
        let reach = self.pull * norm_squared(&self.response(x)).sqrt();
        let reach = reach + ROUNDING * (reach + middle.abs());
        (middle - reach, middle + reach)
    }

    /// No NMSE on these test points (rows with bias) can be larger. None where it is not defined, and
    /// with the squared hinge.
    ///
    /// # Errors
    /// A numerical breakdown.
    pub fn worst_nmse(&self, points: &[f64], labels: &[f64]) -> Result<Option<f64>> {
        let dimension = self.dimension;
        if self.factor.is_none() || labels.is_empty() {
            return Ok(None);
        }
        let scores: Vec<f64> = (points.chunks_exact(dimension))
            .map(|x| dot(x, &self.single))
            .collect();
        // NMSE of single-task learning, and what a mean squared error of 1 is in its unit.
        let (Some(single), Some(spread)) = (metrics::nmse(&scores, labels), Spread::of(labels))
        else {
            return Ok(None);
        };
        let unit = 1.0 / (spread.scale * spread.scale * spread.variance);
        let n = labels.len() as f64;
        let rows: Vec<Vec<f64>> = (points.chunks_exact(dimension))
            .map(|x| self.response(x))
            .collect();
        let mut gram = vec![0.0; dimension * dimension];
        let slices: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        add_gram(&mut gram, dimension, 1.0 / n, &slices);
        mirror(&mut gram, dimension);
        let mut slope = vec![0.0; dimension];
        for ((row, score), y) in rows.iter().zip(&scores).zip(labels) {
            add_scaled(&mut slope, (score - y) / n, row);
        }
        let mut eigen = Eigen::default();
        if !eigen.decompose(&gram, dimension) {
            return Err(breakdown("the test points are not finite"));
        }
        let along: Vec<f64> = (eigen.vectors.chunks_exact(dimension))
            .map(|u| {
                let c = dot(u, &slope);
                c * c
            })
            .collect();
        let more = largest_gain(&eigen.values, &along, self.pull);
        Ok(Some((single + unit * more) * (1.0 + ROUNDING)))
    }

    /// No AUC on these test points (rows with bias) can be smaller. None where it is not defined.
    pub fn worst_auc(&self, points: &[f64], labels: &[f64]) -> Option<f64> {
        let rows: Vec<(f64, Vec<f64>)> = (points.chunks_exact(self.dimension))
            .map(|x| (dot(x, &self.single), self.response(x)))
            .collect();
        let of_class = |positive: bool| {
            let class = rows.iter().zip(labels);
            class
                .filter(move |(_, y)| (**y > 0.0) == positive)
                .map(|(row, _)| row)
        };
        let (positives, negatives) = (of_class(true).count(), of_class(false).count());
        if positives == 0 || negatives == 0 {
            return None;
        }
        let mut wins = 0u64;
        for (high, up) in of_class(true) {
            for (low, down) in of_class(false) {
                let square: f64 = up.iter().zip(down).map(|(a, b)| (a - b) * (a - b)).sum();
                let reach = self.pull * square.sqrt();
                let room = ROUNDING * (high.abs() + low.abs() + reach);
                wins += u64::from(high - low > reach + room);
            }
        }
        Some(wins as f64 / (positives as f64 * negatives as f64))
    }
}

/// The largest 2 c'v + v'A v over |v| <= p, from the eigenvalues of A and the squares of c in its
/// eigenbasis: the smallest ν p² + Σ (u'c)² / (ν - e) over ν above all e. Any ν gives a bound.
fn largest_gain(values: &[f64], along: &[f64], pull: f64) -> f64 {
    let top = values.last().copied().unwrap_or(0.0).max(0.0);
    let bound = |room: f64| {
        let sum: f64 = (values.iter().zip(along))
            .filter(|&(_, square)| *square > 0.0)
            .map(|(value, square)| square / (room + (top - value)))
            .sum();
        (top + room) * pull * pull + sum
    };
    // |(ν I - A)⁻¹ c| falls with the room between ν and the largest eigenvalue.
    let long = |room: f64| {
        let sum: f64 = (values.iter().zip(along))
            .filter(|&(_, square)| *square > 0.0)
            .map(|(value, square)| square / ((room + (top - value)) * (room + (top - value))))
            .sum();
        sum > pull * pull
    };
    let mut high = along.iter().sum::<f64>().sqrt() / pull;
    if high == 0.0 {
        return top * pull * pull;
    }
    let mut low = 1e-16 * (high + top);
    if !long(low) {
        return bound(low);
    }
    for _ in 0..HALVINGS {
        let middle = (low * high).sqrt();
        if long(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    bound(high)
}

/// What a report says of a model under the cap, one entry a task.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Certified {
    /// Worst test metric that points in other tasks can cause; none for attacked tasks, and where
    /// the metric is not defined.
    pub metric_per_task: Vec<Option<f64>>,
    /// |∇f_i(w_i)|: how hard other tasks pull.
    pub pull: Vec<f64>,
    /// |g_i|: how far the task steps aside from what it shares.
    pub aside: Vec<f64>,
    /// Whether the cap holds the task back: it steps aside by more than δ.
    pub cap_binds: Vec<bool>,
    /// By how much rounding misses the cap; included in the metrics.
    pub residual: f64,
}

/// The whole of it: for the points that `problem` holds and a solution under its cap. `tests` are the
/// test points (rows with bias) and labels of each task.
///
/// # Errors
/// A problem without a pull cap; a numerical breakdown.
pub fn certify(
    problem: &Problem,
    solution: &Solution,
    kind: Kind,
    tests: &[(&[f64], &[f64])],
) -> Result<Certified> {
    let dimension = problem.dimension();
    let certificates = of_tasks(problem, &solution.w)?;
    let mut metric_per_task = Vec::with_capacity(certificates.len());
    for (i, (certificate, (points, labels))) in certificates.iter().zip(tests).enumerate() {
        let task = problem.task(i);
        let worst = match kind {
            _ if task.clean < task.labels.len() => None,
            Kind::Regression => certificate.worst_nmse(points, labels)?,
            Kind::Classification => certificate.worst_auc(points, labels),
        };
        metric_per_task.push(worst);
    }
    let shared = solution.shared.as_ref().unwrap_or(&solution.w);
    let aside: Vec<f64> = (solution.w.chunks_exact(dimension))
        .zip(shared.chunks_exact(dimension))
        .map(|(w, z)| {
            let squares = w.iter().zip(z).map(|(w, z)| (w - z) * (w - z));
            squares.sum::<f64>().sqrt()
        })
        .collect();
    Ok(Certified {
        metric_per_task,
        pull: capped::own_slopes(problem, &solution.w),
        cap_binds: aside.iter().map(|&g| g > capped::SMOOTHING).collect(),
        aside,
        residual: (capped::residuals(problem, &solution.w).into_iter()).fold(0.0, f64::max),
    })
}
