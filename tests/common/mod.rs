//! Random problems for the native tests.
#![allow(dead_code, reason = "each test file uses a part")]

use patom::mtrl::{Limits, Loss, Problem, Task, Weights};
use patom::rng::{Random, Stream};

/// To the limit of floating point: for comparisons of optima with each other.
pub const TIGHT: Limits = Limits {
    tolerance: 1e-22,
    max_iterations: 300,
};

/// A random problem: related tasks, features in the unit ball, bias last; `injected` of each
/// task's points count as injected.
pub fn random_problem(
    seed: u64,
    weights: Weights,
    m: usize,
    d: usize,
    points: usize,
    injected: usize,
) -> Problem {
    Problem::new(
        weights,
        d + 1,
        random_tasks(seed, weights.loss, m, d, points, injected),
    )
    .unwrap()
}

pub fn random_tasks(
    seed: u64,
    loss: Loss,
    m: usize,
    d: usize,
    points: usize,
    injected: usize,
) -> Vec<Task> {
    let mut random = Random::new(seed, Stream::Synthetic, 1000);
    let shared: Vec<f64> = (0..d).map(|_| random.normal()).collect();
    (0..m)
        .map(|task| {
            let sign = if task % 3 == 2 { -1.0 } else { 1.0 };
            let truth: Vec<f64> = shared
                .iter()
                .map(|w| sign * 2.0 * w + 0.5 * random.normal())
                .collect();
            let n = points + task % 2;
            let mut out = Task {
                clean: n - injected,
                ..Task::default()
            };
            for _ in 0..n {
                let x: Vec<f64> = (0..d).map(|_| random.normal()).collect();
                let norm = x.iter().map(|v| v * v).sum::<f64>().sqrt();
                let radius = random.uniform().sqrt() / norm;
                let score: f64 = x
                    .iter()
                    .zip(&truth)
                    .map(|(x, w)| x * radius * w)
                    .sum::<f64>()
                    + 0.2;
                out.points.extend(x.iter().map(|x| x * radius));
                out.points.push(1.0);
                let noisy = score + 0.3 * random.normal();
                out.labels.push(match loss {
                    Loss::Squared => noisy,
                    Loss::SquaredHinge => {
                        if noisy > 0.0 {
                            1.0
                        } else {
                            -1.0
                        }
                    }
                });
            }
            out
        })
        .collect()
}

/// A random W of m rows of D entries.
pub fn random_weights(seed: u64, size: usize) -> Vec<f64> {
    let mut random = Random::new(seed, Stream::Synthetic, 2000);
    (0..size).map(|_| random.normal()).collect()
}

pub fn weights(loss: Loss, lambda: f64, epsilon: f64) -> Weights {
    Weights {
        loss,
        lambda1: lambda,
        lambda2: lambda,
        epsilon,
    }
}

/// |a - b| / |b|.
pub fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let difference: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    let size: f64 = b.iter().map(|b| b * b).sum();
    (difference / size.max(1e-300)).sqrt()
}
