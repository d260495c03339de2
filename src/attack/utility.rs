//! The attacker's utility U: summed loss of the clean training points of the target tasks.

use crate::linalg::{add_scaled, norm_squared};
use crate::mtrl::Problem;

/// U at the weights `w` (m rows of D entries).
pub fn value(problem: &Problem, targets: &[usize], w: &[f64]) -> f64 {
    let dimension = problem.dimension();
    targets
        .iter()
        .map(|&p| {
            let w = &w[p * dimension..(p + 1) * dimension];
            norm_squared(&problem.residuals(p, w, 0..problem.task(p).clean))
        })
        .sum()
}

/// ∇_W U, laid out as `w`; zero outside the targets.
pub fn gradient(problem: &Problem, targets: &[usize], w: &[f64]) -> Vec<f64> {
    let dimension = problem.dimension();
    let mut out = vec![0.0; w.len()];
    for &p in targets {
        let range = p * dimension..(p + 1) * dimension;
        let task = problem.task(p);
        let residuals = problem.residuals(p, &w[range.clone()], 0..task.clean);
        let target = &mut out[range];
        for (x, residual) in task.points.chunks_exact(dimension).zip(residuals) {
            add_scaled(target, -2.0 * residual, x);
        }
    }
    out
}
