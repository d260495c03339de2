//! The paper's solver (Zhang and Yeung 2010): in turn the exact W for a fixed Ω, and the closed
//! form Ω = (W'W + εI)^(1/2) / tr for a fixed W, starting from Ω = I / m.

use crate::error::Result;
use crate::linalg::norm_squared;
use crate::mtrl::system::{Coupling, System};
use crate::mtrl::{Limits, Point, Problem, Solution, Spectrum, Status};

/// Changes of active sets in one W-step before it is left as it is.
const MAX_ACTIVE_SET_CHANGES: usize = 50;

/// Alternates until a round changes W by at most sqrt(tolerance) |W|, from `start`'s Ω where given.
///
/// # Errors
/// Limits out of range; numbers that stop being finite.
pub fn solve(problem: &mut Problem, start: Option<&Solution>, limits: &Limits) -> Result<Solution> {
    limits.check()?;
    let (m, dimension) = (problem.task_count(), problem.dimension());
    let weights = *problem.weights();
    let mut w = start.map_or_else(|| vec![0.0; m * dimension], |start| start.w.clone());
    // At W = 0 and ε = 0 there is no S; any positive floor gives Ω = I / m.
    let mut spectrum = match start {
        Some(start) => start.spectrum.clone(),
        None => Spectrum::new(&w, m, weights.epsilon.max(1e-6))?,
    };
    let mut iterations = 0;
    let mut status = Status::IterationLimit;
    while iterations < limits.max_iterations {
        let next = best_weights(problem, &spectrum, &w)?;
        iterations += 1;
        let change: f64 = next.iter().zip(&w).map(|(a, b)| (a - b) * (a - b)).sum();
        let settled = change <= limits.tolerance * norm_squared(&next);
        w = next;
        spectrum = Spectrum::new(&w, m, weights.epsilon)?;
        if settled {
            status = Status::Converged;
            break;
        }
    }
    let point = Point::new(problem, w)?;
    let certificate = point.certificate(weights.lambda1);
    Ok(Solution {
        objective: point.value,
        certificate,
        w: point.w,
        spectrum: point.spectrum,
        iterations,
        status,
    })
}

/// The minimiser over W with Ω fixed: one linear system for each active set that is met.
fn best_weights(problem: &mut Problem, spectrum: &Spectrum, start: &[f64]) -> Result<Vec<f64>> {
    let (m, dimension) = (problem.task_count(), problem.dimension());
    let mut w = start.to_vec();
    for i in 0..m {
        problem.activate(i, &w[i * dimension..(i + 1) * dimension]);
    }
    for _ in 0..MAX_ACTIVE_SET_CHANGES {
        let mut pull = vec![0.0; w.len()];
        for (i, row) in pull.chunks_exact_mut(dimension).enumerate() {
            problem.add_pull(i, row);
        }
        let system = System::new(problem, spectrum, Coupling::Fixed);
        let solved = system
            .factor()?
            .solve(&spectrum.to_eigenbasis(&pull), 1e-10)?;
        w = spectrum.from_eigenbasis(&solved);
        let mut changed = false;
        for i in 0..m {
            changed |= problem.activate(i, &w[i * dimension..(i + 1) * dimension]);
        }
        if !changed {
            break;
        }
    }
    Ok(w)
}
