//! The paper's solver (Zhang and Yeung 2010): in turn the exact W for a fixed Ω, and the closed
//! form Ω = (W'W + εI)^(1/2) / tr for a fixed W, starting from Ω = I / m.

use crate::error::Result;
use crate::linalg::{Eigen, add_gram, add_scaled, dot, mirror, multiply, norm_squared};
use crate::mtrl::line::Line;
use crate::mtrl::system::{Coupling, Quadratic, System};
use crate::mtrl::{Limits, Point, Problem, Solution, Spectrum, Status};

/// Active sets in one W-step before it is left as it is.
const MAX_ACTIVE_SETS: usize = 50;

/// Of the linear systems, relative to their right-hand side.
const SOLVE_TOLERANCE: f64 = 1e-10;

/// A W-step ends where the gain still promised is less than this share of the value.
const ROUNDING: f64 = 1e-15;

/// Alternates until a round changes W by at most sqrt(tolerance) |W|, from `start`'s Ω where given.
///
/// # Errors
/// Limits out of range; numbers that stop being finite.
pub fn solve(problem: &mut Problem, start: Option<&Solution>, limits: &Limits) -> Result<Solution> {
    let (w, spectrum) = match start {
        Some(start) => (start.w.clone(), start.spectrum.clone()),
        None => {
            let m = problem.task_count();
            let w = vec![0.0; m * problem.dimension()];
            // At W = 0 and ε = 0 there is no S; any positive floor gives Ω = I / m.
            let spectrum = Spectrum::new(&w, m, problem.weights().epsilon.max(1e-6))?;
            (w, spectrum)
        }
    };
    solve_from(problem, w, spectrum, limits)
}

/// The same from weights and their spectrum.
pub(crate) fn solve_from(
    problem: &mut Problem,
    mut w: Vec<f64>,
    mut spectrum: Spectrum,
    limits: &Limits,
) -> Result<Solution> {
    limits.check()?;
    let m = problem.task_count();
    let weights = *problem.weights();
    let (mut iterations, mut products) = (0, 0);
    let mut status = Status::IterationLimit;
    while iterations < limits.max_iterations {
        let step = best_weights(problem, &spectrum, &w)?;
        products += step.products;
        let next = step.w;
        iterations += 1;
        let change: f64 = next.iter().zip(&w).map(|(a, b)| (a - b) * (a - b)).sum();
        let settled = step.exact && change <= limits.tolerance * norm_squared(&next);
        w = next;
        spectrum = Spectrum::new(&w, m, weights.epsilon)?;
        if settled {
            status = Status::Settled;
            break;
        }
    }
    let (point, certificate) = if weights.epsilon > 0.0 {
        let point = Point::new(problem, w)?;
        let certificate = point.certificate(weights.lambda1);
        (point, certificate)
    } else {
        cut(problem, w)?
    };
    if certificate <= limits.tolerance * point.value.max(1.0) {
        status = Status::Converged;
    }
    Ok(Solution {
        objective: point.value,
        certificate,
        w: point.w,
        shared: None,
        spectrum: point.spectrum,
        iterations,
        products,
        status,
    })
}

/// Without a floor, singular values that belong at zero only tend to it, and the gradient there is
/// not small. So they are set to zero from one of several sizes downwards, and the certificate is
/// that of the smallest subgradient there; the best of the results is kept.
fn cut(problem: &Problem, w: Vec<f64>) -> Result<(Point, f64)> {
    let dimension = problem.dimension();
    let whole = Point::new(problem, w)?;
    let lambda1 = problem.weights().lambda1;
    let largest = whole.spectrum.values.last().copied().unwrap_or(0.0);
    let mut best_certificate = whole.certificate(lambda1);
    let mut best = None;
    let mut cut_before = 0;
    for threshold in [1e-12, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3] {
        let count = whole
            .spectrum
            .values
            .partition_point(|&s| s <= threshold * largest);
        if count == cut_before {
            continue;
        }
        cut_before = count;
        let mut rotated = whole.spectrum.weights();
        rotated[..count * dimension].fill(0.0);
        let point = Point::new(problem, whole.spectrum.from_eigenbasis(&rotated))?;
        // The part of the gradient that sees neither a kept column space nor a kept row space.
        let mut hidden = whole.spectrum.to_eigenbasis(&point.gradient);
        hidden[count * dimension..].fill(0.0);
        for kept in rotated[count * dimension..].chunks_exact(dimension) {
            let size = norm_squared(kept);
            for row in hidden[..count * dimension].chunks_exact_mut(dimension) {
                add_scaled(row, -dot(row, kept) / size, kept);
            }
        }
        // Its singular values, from the smaller of its two products with itself.
        let rows: Vec<&[f64]> = hidden.chunks_exact(dimension).collect();
        let size = rows.len().min(dimension);
        let mut inner = vec![0.0; size * size];
        if rows.len() <= dimension {
            for (products, row) in inner.chunks_exact_mut(size).zip(&rows) {
                multiply(products, &hidden, row);
            }
        } else {
            add_gram(&mut inner, size, 1.0, &rows);
            mirror(&mut inner, size);
        }
        let mut eigen = Eigen::default();
        if !eigen.decompose(&inner, size) {
            continue;
        }
        // A matrix of spectral norm at most λ2 tr S may be taken off it: its singular values shrink.
        let slack = problem.weights().lambda2 * point.spectrum.trace;
        let shrunk: f64 = (eigen.values.iter())
            .map(|&value| (value.max(0.0).sqrt() - slack).max(0.0))
            .map(|singular| singular * singular)
            .sum();
        let rest = (norm_squared(&point.gradient) - norm_squared(&hidden)).max(0.0);
        let certificate = (rest + shrunk) / (2.0 * lambda1);
        if certificate < best_certificate {
            best_certificate = certificate;
            best = Some(point);
        }
    }
    Ok((best.unwrap_or(whole), best_certificate))
}

/// What one W-step gives.
struct WeightStep {
    w: Vec<f64>,
    products: usize,
    /// W is the minimiser, as exactly as the linear systems are solved.
    exact: bool,
}

/// The minimiser over W with Ω fixed, from `start`, whose spectrum is given: Newton's method, one
/// linear system for each active set that is met. The objective is piecewise quadratic and strictly
/// convex; a step that does not lower it ends at its minimum along the way, so no active set comes
/// twice, and the method ends after finitely many (Mangasarian 2002).
fn best_weights(problem: &mut Problem, spectrum: &Spectrum, start: &[f64]) -> Result<WeightStep> {
    let dimension = problem.dimension();
    let mut step = WeightStep {
        w: start.to_vec(),
        products: 0,
        exact: false,
    };
    // W in the eigenbasis.
    let mut z = spectrum.weights();
    problem.activate_all(&step.w);
    for _ in 0..MAX_ACTIVE_SETS {
        let mut linear_term = vec![0.0; step.w.len()];
        for (i, row) in linear_term.chunks_exact_mut(dimension).enumerate() {
            problem.add_linear_term(i, row);
        }
        let linear_term = spectrum.to_eigenbasis(&linear_term);
        let system = System::new(Quadratic::of(problem), spectrum, Coupling::Fixed);
        let (solved, taken) = system.factor()?.solve(&linear_term, SOLVE_TOLERANCE)?;
        step.products += taken;
        let direction: Vec<f64> = solved.iter().zip(&z).map(|(end, z)| end - z).collect();
        let regulariser = [
            0.5 * system.regulariser(&z, &z),
            system.regulariser(&z, &direction),
            system.regulariser(&direction, &direction),
        ];
        let end = spectrum.from_eigenbasis(&solved);
        if !problem.activate_all(&end) {
            step.w = end;
            step.exact = true;
            break;
        }
        let line = Line::new(problem, &step.w, &end, regulariser);
        if -line.slope_at(0.0) <= ROUNDING * line.start() {
            step.exact = true;
            break;
        }
        let length = line.length();
        if length == 1.0 {
            (step.w, z) = (end, solved);
        } else {
            add_scaled(&mut z, length, &direction);
            step.w = spectrum.from_eigenbasis(&z);
            problem.activate_all(&step.w);
        }
    }
    Ok(step)
}
