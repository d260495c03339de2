//! Single-task learning, to compare with: each task alone, with λ1 and without the coupling.
//!
//! ```text
//! min over w_i   1/N_i Σ_j l(y_ij, w_i'x_ij) + λ1/2 |w_i|²
//! ```
//!
//! This is ridge regression, or its squared hinge. It works on the sums that the problem keeps for the
//! multi-task learner: Newton's method, one D x D system a step, which for the squared loss ends
//! after the first. Not here: what the comparison means.

use crate::error::{Error, Result};
use crate::interrupt;
use crate::linalg::{add_scaled, cholesky, cholesky_solve, dot, norm_squared};
use crate::mtrl::{Limits, Problem};

/// Up to this D a system is factored, beyond it solved by conjugate gradients.
const FACTOR_LIMIT: usize = 256;

/// Minimises each task's objective from the weights `start` (m rows of D entries), until each
/// certificate is within `limits.tolerance` max(1, objective), the iterations are used up, or floating
/// point allows no progress. The weights are laid out as those of the multi-task learner.
///
/// # Errors
/// Limits out of range; numbers that stop being finite.
pub fn solve(problem: &mut Problem, start: &[f64], limits: &Limits) -> Result<Vec<f64>> {
    limits.check()?;
    let dimension = problem.dimension();
    let mut w = start.to_vec();
    for (task, row) in w.chunks_exact_mut(dimension).enumerate() {
        descend(problem, task, row, limits)?;
    }
    Ok(w)
}

/// Newton's method with a line search for one task.
fn descend(problem: &mut Problem, task: usize, w: &mut [f64], limits: &Limits) -> Result<()> {
    let lambda1 = problem.weights().lambda1;
    problem.activate(task, w);
    let (mut value, mut gradient) = evaluate(problem, task, w)?;
    for _ in 0..limits.max_iterations {
        interrupt::check()?;
        let enough = 2.0 * lambda1 * limits.tolerance * value.max(1.0);
        let size = norm_squared(&gradient);
        if size <= enough {
            break;
        }
        let Some(direction) = newton_direction(problem, task, &gradient, enough) else {
            break;
        };
        let slope = dot(&gradient, &direction);
        let mut length = 1.0;
        loop {
            let mut next = w.to_vec();
            add_scaled(&mut next, length, &direction);
            problem.activate(task, &next);
            let (next_value, next_gradient) = evaluate(problem, task, &next)?;
            let slack = 4.0 * f64::EPSILON * value.abs();
            if next_value <= value + 1e-4 * length * slope + slack {
                // Below the rounding of the value only the gradient can say whether it helps.
                if next_value >= value && norm_squared(&next_gradient) >= size {
                    problem.activate(task, w);
                    return Ok(());
                }
                w.copy_from_slice(&next);
                (value, gradient) = (next_value, next_gradient);
                break;
            }
            length *= 0.5;
            if length < 1e-12 {
                problem.activate(task, w);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Objective and gradient of one task.
fn evaluate(problem: &Problem, task: usize, w: &[f64]) -> Result<(f64, Vec<f64>)> {
    let lambda1 = problem.weights().lambda1;
    let mut gradient: Vec<f64> = w.iter().map(|w| lambda1 * w).collect();
    let data = problem.add_data_part(task, w, &mut gradient);
    let value = data + 0.5 * lambda1 * norm_squared(w);
    if !value.is_finite() || gradient.iter().any(|g| !g.is_finite()) {
        return Err(Error::Numerical {
            place: "single-task learning",
            what: format!("the objective or gradient of task {task} is not finite (value {value})"),
        });
    }
    Ok((value, gradient))
}

/// -(curvature + λ1 I)⁻¹ gradient; none where rounding makes the matrix indefinite. `enough` is the
/// square of the gradient that ends the solve.
fn newton_direction(
    problem: &Problem,
    task: usize,
    gradient: &[f64],
    enough: f64,
) -> Option<Vec<f64>> {
    let dimension = gradient.len();
    let lambda1 = problem.weights().lambda1;
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    if dimension <= FACTOR_LIMIT {
        let mut matrix = vec![0.0; dimension * dimension];
        problem.add_curvature(task, 1.0, &mut matrix);
        for k in 0..dimension {
            matrix[k * (dimension + 1)] += lambda1;
        }
        if !cholesky(&mut matrix, dimension) {
            return None;
        }
        cholesky_solve(&matrix, dimension, &mut direction);
        return Some(direction);
    }
    let mut residual = std::mem::replace(&mut direction, vec![0.0; dimension]);
    let mut search = residual.clone();
    let mut product = vec![0.0; dimension];
    let mut rho = norm_squared(&residual);
    for _ in 0..2 * dimension {
        if rho <= 0.25 * enough {
            break;
        }
        problem.multiply_curvature(task, &mut product, &search);
        add_scaled(&mut product, lambda1, &search);
        let step = rho / dot(&search, &product);
        add_scaled(&mut direction, step, &search);
        add_scaled(&mut residual, -step, &product);
        let next = norm_squared(&residual);
        for (s, r) in search.iter_mut().zip(&residual) {
            *s = r + next / rho * *s;
        }
        rho = next;
    }
    Some(direction)
}
