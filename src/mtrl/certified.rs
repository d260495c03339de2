//! The joint convex problem to a certificate: primal-dual Newton with a line search.
//!
//! A Newton model of P is poor where singular values of W are far above the floor but belong at
//! zero: there tr S is nearly linear and bends sharply at sqrt(ε). As Chan, Golub and Mulet (1999)
//! did for total variation, W S⁻¹ is therefore treated as a variable U* of its own, linearised
//! from U* S = W, and kept at spectral norm at most 1. Near the optimum U* = W S⁻¹ and the step is
//! Newton's. Only the diagonal of U* in the basis of the singular vectors of W enters the model, so
//! that its regulariser stays explicit there. Where the gradient has not halved over two steps, the
//! numbers are taken from the optimality conditions instead.

use crate::error::{Error, Result};
use crate::linalg::{
    add_combination, add_gram, add_scaled, dot, largest_eigenvalue, mirror, multiply, norm_squared,
};
use crate::mtrl::system::{Coupling, Quadratic, System};
use crate::mtrl::{Limits, Point, Problem, Solution, Spectrum, Status};

/// The smallest floor the certified solver takes.
pub const MIN_EPSILON: f64 = 1e-12;

/// Steps at the problem's own floor before the solver approaches it from larger ones.
pub(crate) const DIRECT_STEPS: usize = 25;

/// Below this λ1 the linear systems are solved more exactly, in proportion.
pub(crate) const SMALL_LAMBDA1: f64 = 1e-4;

/// Solves to a certificate of at most `limits.tolerance` max(1, P), from `start` where given.
///
/// # Errors
/// ε below [`MIN_EPSILON`]; limits out of range; numbers that stop being finite.
pub fn solve(problem: &mut Problem, start: Option<&Solution>, limits: &Limits) -> Result<Solution> {
    let start = start.map(|start| start.w.clone());
    Ok(solve_judged(problem, start, limits, &mut |_, _| false)?.0)
}

/// The same from weights alone. `give_up` is asked at every iterate; where it answers true the
/// solve ends there, with the status of an iteration limit. And whether it did.
pub(crate) fn solve_judged(
    problem: &mut Problem,
    start: Option<Vec<f64>>,
    limits: &Limits,
    give_up: &mut dyn FnMut(&Problem, &Point) -> bool,
) -> Result<(Solution, bool)> {
    limits.check()?;
    let epsilon = problem.weights().epsilon;
    if epsilon.is_nan() || epsilon < MIN_EPSILON {
        let range = "at least 1e-12 for the certified solver";
        return Err(Error::out_of_range("epsilon", epsilon, range));
    }
    let mut state = match start {
        // The weights are thought to be near the optimum, where U* = W S⁻¹.
        Some(w) => State {
            dual: Dual::OfWeights,
            w,
            best: None,
            iterations: 0,
            products: 0,
        },
        None => {
            let w = uncoupled(problem);
            State {
                dual: Dual::Tracked(vec![0.0; w.len()]),
                w,
                best: None,
                iterations: 0,
                products: 0,
            }
        }
    };
    let direct = DIRECT_STEPS.min(limits.max_iterations);
    let mut given_up = false;
    let mut watch = |problem: &Problem, point: &Point| {
        given_up = give_up(problem, point);
        given_up
    };
    let (mut point, mut status) =
        state.descend(problem, epsilon, limits.tolerance, direct, &mut watch)?;
    if status != Status::Converged && !given_up {
        // Hard: singular values that must fall by orders of magnitude. A larger floor is easier,
        // and its optimum a good start for a smaller one.
        let mut never = |_: &Problem, _: &Point| false;
        let most = limits.max_iterations;
        let largest = point.spectrum.values.last().copied().unwrap_or(0.0);
        let mut floor = 1e-2 * largest * largest;
        while floor > 10.0 * epsilon && state.iterations < limits.max_iterations {
            state.descend(problem, floor, 1e-4, most, &mut never)?;
            floor /= 10.0;
        }
        (point, status) = state.descend(problem, epsilon, limits.tolerance, most, &mut never)?;
    }
    // P falls at every step, the certificate need not: with a tiny λ1 it goes up and down by orders
    // of magnitude.
    let lambda1 = problem.weights().lambda1;
    if status != Status::Converged
        && !given_up
        && let Some(best) = state.best
        && best.certificate(lambda1) < point.certificate(lambda1)
    {
        point = best;
    }
    let certificate = point.certificate(lambda1);
    let solution = Solution {
        w: point.w,
        shared: None,
        spectrum: point.spectrum,
        objective: point.value,
        certificate,
        iterations: state.iterations,
        products: state.products,
        status,
    };
    Ok((solution, given_up))
}

/// State of the solver.
struct State {
    w: Vec<f64>,
    dual: Dual,
    /// A point of the last descent with a smaller certificate than the one at its end.
    best: Option<Point>,
    iterations: usize,
    products: usize,
}

/// Where the U* of the next step comes from.
pub(crate) enum Dual {
    /// Rows by task.
    Tracked(Vec<f64>),
    /// W S⁻¹.
    OfWeights,
    /// The optimality conditions.
    OfConditions,
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
        give_up: &mut dyn FnMut(&Problem, &Point) -> bool,
    ) -> Result<(Point, Status)> {
        problem.activate_all(&self.w);
        let mut point = Point::with_floor(problem, std::mem::take(&mut self.w), epsilon)?;
        let lambda1 = problem.weights().lambda1;
        self.best = None;
        let mut norms = Vec::new();
        let status = loop {
            if point.certificate(lambda1) <= tolerance * point.value.max(1.0) {
                break Status::Converged;
            }
            if self.iterations >= max_iterations || give_up(problem, &point) {
                break Status::IterationLimit;
            }
            norms.push(norm_squared(&point.gradient));
            if let [.., before, _, now] = norms[..]
                && now > 0.25 * before
            {
                self.dual = Dual::OfConditions;
            }
            // The gradient at which the certificate is just good enough.
            let wanted = (2.0 * lambda1 * tolerance * point.value.max(1.0)).sqrt();
            let next = step(
                problem,
                &point,
                epsilon,
                &self.dual,
                wanted,
                &mut self.products,
            )?;
            let Some((next, dual)) = next else {
                break Status::Stalled;
            };
            let before = std::mem::replace(&mut point, next);
            let best = self.best.as_ref().unwrap_or(&point).certificate(lambda1);
            if before.certificate(lambda1) < best {
                self.best = Some(before);
            }
            self.dual = Dual::Tracked(dual);
            self.iterations += 1;
        };
        self.w.clone_from(&point.w);
        Ok((point, status))
    }
}

/// Steps of conjugate gradients towards the start: it need not be exact.
const START_STEPS: usize = 30;

/// About the optimum with λ2 m in place of the coupling, which is what one Newton step from W = 0
/// with a dual of zero gives: one system a task.
pub(crate) fn uncoupled(problem: &mut Problem) -> Vec<f64> {
    let (m, dimension) = (problem.task_count(), problem.dimension());
    let weights = *problem.weights();
    let diagonal = weights.lambda1 + weights.lambda2 * m as f64;
    let mut w = vec![0.0; m * dimension];
    problem.activate_all(&w);
    let mut product = vec![0.0; dimension];
    for (i, row) in w.chunks_exact_mut(dimension).enumerate() {
        let mut residual = vec![0.0; dimension];
        problem.add_linear_term(i, &mut residual);
        let mut direction = residual.clone();
        let mut rho = norm_squared(&residual);
        let enough = 1e-8 * rho;
        for _ in 0..START_STEPS {
            if rho <= enough {
                break;
            }
            problem.multiply_curvature(i, &mut product, &direction);
            add_scaled(&mut product, diagonal, &direction);
            let step = rho / dot(&direction, &product);
            add_scaled(row, step, &direction);
            add_scaled(&mut residual, -step, &product);
            let next = norm_squared(&residual);
            for (d, r) in direction.iter_mut().zip(&residual) {
                *d = r + next / rho * *d;
            }
            rho = next;
        }
    }
    w
}

/// The numbers d_a of the model at a point: the tracked dual as the singular vectors see it; that
/// of the weights; or the dual that the optimality conditions give if the rest were optimal,
/// λ2 τ U* = λ2 τ W S⁻¹ - ∇P.
pub(crate) fn dual_numbers(
    lambda2: f64,
    spectrum: &Spectrum,
    gradient: &[f64],
    dual: &Dual,
) -> Vec<f64> {
    let mut d = match dual {
        Dual::Tracked(dual) => spectrum.diagonal(&spectrum.to_eigenbasis(dual)),
        Dual::OfWeights => spectrum.unit(),
        Dual::OfConditions => {
            let stiffness = lambda2 * spectrum.trace;
            let mut d = spectrum.unit();
            if stiffness > 0.0 {
                let gradient = spectrum.diagonal(&spectrum.to_eigenbasis(gradient));
                add_scaled(&mut d, -1.0 / stiffness, &gradient);
            }
            d
        }
    };
    d.iter_mut().for_each(|d| *d = d.clamp(0.0, 1.0));
    d
}

/// One step: the next point and the dual there (rows by task), or none where P cannot be lowered.
/// `wanted` is the size of the gradient that would do.
fn step(
    problem: &mut Problem,
    point: &Point,
    epsilon: f64,
    dual: &Dual,
    wanted: f64,
    products: &mut usize,
) -> Result<Option<(Point, Vec<f64>)>> {
    problem.activate_all(&point.w);
    let spectrum = &point.spectrum;
    let rhs: Vec<f64> = spectrum
        .to_eigenbasis(&point.gradient)
        .iter()
        .map(|g| -g)
        .collect();
    // Inexact Newton: a loose solve far from the optimum, a tight one near it, but none tighter
    // than what is wanted. Directions that only a small λ1 holds need all of it tighter: what is
    // left of the gradient there moves W by its multiple 1 / λ1.
    let size = norm_squared(&rhs).sqrt();
    let hold = (problem.weights().lambda1 / SMALL_LAMBDA1).min(1.0);
    let tolerance = hold * size.max(0.1 * wanted / size).clamp(1e-6, 0.1);
    let lambda2 = problem.weights().lambda2;
    let mut dual = dual_numbers(lambda2, spectrum, &point.gradient, dual);
    let attempt = |dual: &[f64]| {
        let system = System::new(Quadratic::of(problem), spectrum, Coupling::Moving { dual });
        system.factor()?.solve(&rhs, tolerance)
    };
    let (direction, taken) = attempt(&dual).or_else(|_| {
        // Rounding; the model with Ω fixed is positive definite by a wide margin.
        dual.fill(0.0);
        attempt(&dual)
    })?;
    *products += taken;
    let v = spectrum.from_eigenbasis(&direction);
    let slope = point.slope(&v);
    let mut length = 1.0;
    loop {
        let mut w = point.w.clone();
        add_scaled(&mut w, length, &v);
        problem.activate_all(&w);
        let next = Point::with_floor(problem, w, epsilon)?;
        // The slack lets steps pass whose gain is below the rounding of P. Where that is larger
        // than the slack, slopes decide: P is convex, so it has fallen where it does not rise yet.
        let slack = 4.0 * f64::EPSILON * point.value.abs();
        let falling = next.slope(&v) <= 0.0;
        if falling || next.value <= point.value + 1e-4 * length * slope + slack {
            let stuck = next.value >= point.value
                && norm_squared(&next.gradient) >= norm_squared(&point.gradient)
                && !falling;
            if stuck {
                return Ok(None);
            }
            let dual = next_dual(spectrum, &dual, &direction, length);
            return Ok(Some((next, dual)));
        }
        length *= 0.5;
        if length < 1e-12 {
            return Ok(None);
        }
    }
}

/// U* + length (dU*), with U* + dU* = (W + V - U* dS) S⁻¹, scaled to spectral norm at most 1.
pub(crate) fn next_dual(
    spectrum: &Spectrum,
    d: &[f64],
    direction: &[f64],
    length: f64,
) -> Vec<f64> {
    let Spectrum {
        values: s,
        rotated: z,
        singular,
        first,
        left,
        ..
    } = spectrum;
    let (rows, first) = (s.len(), *first);
    let (dimension, count) = (z.len() / rows, rows - first);
    let mut c = vec![0.0; rows * count];
    if count > 0 {
        for (c, row) in (c.chunks_exact_mut(count)).zip(direction.chunks_exact(dimension)) {
            multiply(c, left, row);
        }
    }
    let mut next = vec![0.0; z.len()];
    for (b, target) in next.chunks_exact_mut(dimension).enumerate() {
        let range = b * dimension..(b + 1) * dimension;
        for ((target, z), v) in (target.iter_mut().zip(&z[range.clone()])).zip(&direction[range]) {
            *target = length * (z + v) / s[b];
        }
        // d_a p_a dS_ab, and the part of the old dual that stays.
        let coefficient = |k: usize| {
            let a = first + k;
            let (moved, kept) = if b < first {
                (singular[a] * c[b * count + k], 0.0)
            } else {
                let moved = singular[b] * c[a * count + b - first] + singular[a] * c[b * count + k];
                (moved, if a == b { 1.0 - length } else { 0.0 })
            };
            d[a] * (kept - length * moved / ((s[a] + s[b]) * s[b]))
        };
        let coefficients: Vec<f64> = (0..count).map(coefficient).collect();
        add_combination(target, left, &coefficients);
    }
    // U*'U* or U* U*', whichever is smaller.
    let size = rows.min(dimension);
    let mut inner = vec![0.0; size * size];
    if rows <= dimension {
        for (products, row) in (inner.chunks_exact_mut(rows)).zip(next.chunks_exact(dimension)) {
            multiply(products, &next, row);
        }
    } else {
        let rows: Vec<&[f64]> = next.chunks_exact(dimension).collect();
        add_gram(&mut inner, dimension, 1.0, &rows);
        mirror(&mut inner, dimension);
    }
    let norm = largest_eigenvalue(&inner, size).sqrt();
    if norm > 1.0 {
        next.iter_mut().for_each(|entry| *entry /= norm);
    }
    spectrum.from_eigenbasis(&next)
}
