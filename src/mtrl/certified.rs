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

/// Steps at the problem's own floor before the solver approaches it from larger ones.
const DIRECT_STEPS: usize = 25;

/// Solves to a certificate of at most `limits.tolerance` max(1, P), from `start` where given.
///
/// # Errors
/// ε below [`MIN_EPSILON`]; limits out of range; numbers that stop being finite.
pub fn solve(problem: &mut Problem, start: Option<&Solution>, limits: &Limits) -> Result<Solution> {
    limits.check()?;
    let epsilon = problem.weights().epsilon;
    if epsilon < MIN_EPSILON {
        let expected = "at least 1e-12 for the certified solver";
        return Err(Error::field("epsilon", epsilon, expected));
    }
    let mut state = match start {
        // A start that is nearly right: W S⁻¹ is a good dual.
        Some(start) => State {
            w: start.w.clone(),
            dual: None,
            iterations: 0,
        },
        None => {
            let w = uncoupled(problem)?;
            State {
                dual: Some(vec![0.0; w.len()]),
                w,
                iterations: 0,
            }
        }
    };
    let direct = DIRECT_STEPS.min(limits.max_iterations);
    let (mut point, mut status) = state.descend(problem, epsilon, limits.tolerance, direct)?;
    if status != Status::Converged {
        // Hard: singular values that must fall by orders of magnitude. A larger floor is easier,
        // and its optimum a good start for a smaller one.
        let largest = point.spectrum.values.last().copied().unwrap_or(0.0);
        let mut floor = 1e-2 * largest * largest;
        while floor > 10.0 * epsilon && state.iterations < limits.max_iterations {
            state.descend(problem, floor, 1e-4, limits.max_iterations)?;
            floor /= 10.0;
        }
        (point, status) =
            state.descend(problem, epsilon, limits.tolerance, limits.max_iterations)?;
    }
    let certificate = point.certificate(problem.weights().lambda1);
    Ok(Solution {
        w: point.w,
        spectrum: point.spectrum,
        objective: point.value,
        certificate,
        iterations: state.iterations,
        status,
    })
}

/// Where the solver stands.
struct State {
    w: Vec<f64>,
    /// U*, rows by task; none: W S⁻¹.
    dual: Option<Vec<f64>>,
    iterations: usize,
}

impl State {
    /// Newton steps with the floor `epsilon`, until the certificate there is at most `tolerance`
    /// max(1, P) or `max_iterations` in all are done.
    fn descend(
        &mut self,
        problem: &mut Problem,
        epsilon: f64,
        tolerance: f64,
        max_iterations: usize,
    ) -> Result<(Point, Status)> {
        let mut point = Point::with_floor(problem, std::mem::take(&mut self.w), epsilon)?;
        let mut norms = Vec::new();
        let status = loop {
            if point.certificate(problem.weights().lambda1) <= tolerance * point.value.max(1.0) {
                break Status::Converged;
            }
            if self.iterations >= max_iterations {
                break Status::IterationLimit;
            }
            norms.push(norm_squared(&point.gradient));
            if let [.., before, _, now] = norms[..]
                && now > before
            {
                self.dual = None;
            }
            let Some((next, dual)) = step(problem, &point, epsilon, self.dual.take())? else {
                break Status::Stalled;
            };
            point = next;
            self.dual = Some(dual);
            self.iterations += 1;
        };
        self.w.clone_from(&point.w);
        Ok((point, status))
    }
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
    epsilon: f64,
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
        let next = Point::with_floor(problem, w, epsilon)?;
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
