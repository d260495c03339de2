//! The joint convex problem to a certificate: primal-dual Newton with a line search.
//!
//! A Newton model of P is poor where singular values of W are far above the floor but belong at
//! zero: there tr S is nearly linear and bends sharply at sqrt(ε). As Chan, Golub and Mulet (1999)
//! did for total variation, W S⁻¹ is therefore treated as a variable U* of its own, linearised
//! from U* S = W, and kept at spectral norm at most 1. Near the optimum U* = W S⁻¹ and the step is
//! Newton's. If the gradient has not shrunk over two steps, U* is put back to W S⁻¹.

use crate::error::{Error, Result};
use crate::linalg::{add_scaled, cholesky, cholesky_solve, dot, largest_eigenvalue, norm_squared};
use crate::mtrl::system::{Coupling, System};
use crate::mtrl::{Limits, Point, Problem, Solution, Spectrum, Status};

/// The smallest floor the certified solver takes.
pub const MIN_EPSILON: f64 = 1e-12;

/// Solves to a certificate of at most `limits.tolerance` max(1, P), from `start` where given.
///
/// # Errors
/// ε below [`MIN_EPSILON`]; limits out of range; numbers that stop being finite.
pub fn solve(problem: &mut Problem, start: Option<&Solution>, limits: &Limits) -> Result<Solution> {
    limits.check()?;
    let weights = *problem.weights();
    if weights.epsilon < MIN_EPSILON {
        let expected = "at least 1e-12 for the certified solver";
        return Err(Error::field("epsilon", weights.epsilon, expected));
    }
    let (mut point, mut dual) = match start {
        // A start that is nearly right: W S⁻¹ is a good dual.
        Some(start) => (Point::new(problem, start.w.clone())?, None),
        None => {
            let w = uncoupled(problem)?;
            let size = w.len();
            (Point::new(problem, w)?, Some(vec![0.0; size]))
        }
    };
    let mut norms = Vec::new();
    let mut iterations = 0;
    let status = loop {
        let certificate = point.certificate(weights.lambda1);
        if certificate <= limits.tolerance * point.value.max(1.0) {
            break Status::Converged;
        }
        if iterations == limits.max_iterations {
            break Status::IterationLimit;
        }
        norms.push(norm_squared(&point.gradient));
        if let [.., before, _, now] = norms[..]
            && now > before
        {
            dual = None;
        }
        let Some((next, next_dual)) = step(problem, &point, dual)? else {
            break Status::Stalled;
        };
        point = next;
        dual = Some(next_dual);
        iterations += 1;
    };
    let certificate = point.certificate(weights.lambda1);
    Ok(Solution {
        w: point.w,
        spectrum: point.spectrum,
        objective: point.value,
        certificate,
        iterations,
        status,
    })
}

/// The optimum with λ2 m in place of the coupling: what one Newton step from W = 0 with a dual of
/// zero gives, and a block a task instead of one large system.
fn uncoupled(problem: &mut Problem) -> Result<Vec<f64>> {
    let (m, dimension) = (problem.task_count(), problem.dimension());
    let weights = *problem.weights();
    let diagonal = weights.lambda1 + weights.lambda2 * m as f64;
    let mut w = vec![0.0; m * dimension];
    for (i, row) in w.chunks_exact_mut(dimension).enumerate() {
        problem.activate(i, row);
        let mut matrix = problem.curvature(i).to_vec();
        for k in 0..dimension {
            matrix[k * dimension + k] += diagonal;
        }
        if !cholesky(&mut matrix, dimension) {
            return Err(Error::Numerical {
                place: "the start of the certified solver",
                what: format!("the points of task {i} overflow"),
            });
        }
        problem.add_pull(i, row);
        cholesky_solve(&matrix, dimension, row);
    }
    Ok(w)
}

/// One step: the next point and the dual there (rows by task), or none where P cannot be lowered.
fn step(
    problem: &mut Problem,
    point: &Point,
    dual: Option<Vec<f64>>,
) -> Result<Option<(Point, Vec<f64>)>> {
    point.activate(problem);
    let spectrum = &point.spectrum;
    let rhs: Vec<f64> = spectrum
        .to_eigenbasis(&point.gradient)
        .iter()
        .map(|g| -g)
        .collect();
    // Inexact Newton: a loose solve far from the optimum, a tight one near it.
    let tolerance = norm_squared(&rhs).sqrt().clamp(1e-4, 0.1);
    let mut dual = dual.map(|dual| spectrum.to_eigenbasis(&dual));
    let direction = {
        let attempt = |dual: Option<&[f64]>| {
            let system = System::new(problem, spectrum, Coupling::Moving { dual });
            system.factor()?.solve(&rhs, tolerance)
        };
        match attempt(dual.as_deref()) {
            Err(_) if dual.is_some() => {
                dual = None;
                attempt(None)?
            }
            result => result?,
        }
    };
    let v = spectrum.from_eigenbasis(&direction);
    let slope = point.slope(&v);
    let mut length = 1.0;
    loop {
        let mut w = point.w.clone();
        add_scaled(&mut w, length, &v);
        let next = Point::new(problem, w)?;
        // The slack lets steps pass whose gain is below the rounding of P.
        let slack = 4.0 * f64::EPSILON * point.value.abs();
        if next.value <= point.value + 1e-4 * length * slope + slack {
            let stuck = next.value >= point.value
                && norm_squared(&next.gradient) >= norm_squared(&point.gradient);
            if stuck {
                return Ok(None);
            }
            let dual = next_dual(spectrum, dual, &direction, length);
            return Ok(Some((next, dual)));
        }
        length *= 0.5;
        if length < 1e-12 {
            return Ok(None);
        }
    }
}

/// U* + length (dU*), with U* + dU* = (W + V - U* dS) S⁻¹, scaled to spectral norm at most 1.
fn next_dual(
    spectrum: &Spectrum,
    dual: Option<Vec<f64>>,
    direction: &[f64],
    length: f64,
) -> Vec<f64> {
    let Spectrum {
        values: s,
        rotated: z,
        ..
    } = spectrum;
    let m = s.len();
    let dimension = z.len() / m;
    let row = |a: usize| a * dimension..(a + 1) * dimension;
    let dual = dual.unwrap_or_else(|| {
        let mut unit = z.clone();
        for (row, s) in unit.chunks_exact_mut(dimension).zip(s) {
            row.iter_mut().for_each(|entry| *entry /= s);
        }
        unit
    });
    let mut next = vec![0.0; z.len()];
    for b in 0..m {
        let target = &mut next[row(b)];
        add_scaled(target, 1.0, &z[row(b)]);
        add_scaled(target, 1.0, &direction[row(b)]);
        for a in 0..m {
            let moved = (dot(&direction[row(a)], &z[row(b)]) + dot(&z[row(a)], &direction[row(b)]))
                / (s[a] + s[b]);
            add_scaled(target, -moved, &dual[row(a)]);
        }
        for (target, old) in target.iter_mut().zip(&dual[row(b)]) {
            *target = old + length * (*target / s[b] - old);
        }
    }
    let mut inner = vec![0.0; m * m];
    for a in 0..m {
        for b in 0..m {
            inner[a * m + b] = dot(&next[row(a)], &next[row(b)]);
        }
    }
    let norm = largest_eigenvalue(&inner, m).sqrt();
    if norm > 1.0 {
        next.iter_mut().for_each(|entry| *entry /= norm);
    }
    spectrum.from_eigenbasis(&next)
}
