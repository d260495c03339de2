//! The joint convex problem to a certificate: primal-dual Newton with a line search.
//!
//! A Newton model of P is poor where singular values of W are far above the floor but belong at
//! zero: there tr S is nearly linear and bends sharply at sqrt(ε). As Chan, Golub and Mulet (1999)
//! did for total variation, W S⁻¹ is therefore treated as a variable U* of its own in the model.
//! They linearise U* S = W; here U* is what the optimality conditions say, which needs no state.
//! Near the optimum U* = W S⁻¹ and the step is Newton's. Only the diagonal of U* in the basis of
//! the singular vectors of W enters the model, so that its regulariser stays explicit there.
//! Between two steps singular values that belong near the floor are put there (`recovery`).

use crate::error::{Error, Result};
use crate::linalg::{add_scaled, dot, norm_squared};
use crate::mtrl::recovery::{conditions, recover};
use crate::mtrl::system::{Coupling, Quadratic, System};
use crate::mtrl::{Limits, Point, Problem, Solution, Spectrum, Status, Weights};

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
        Some(w) => State::new(w, Dual::OfWeights),
        None => State::new(uncoupled(problem), Dual::Zero),
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
#[derive(Clone, Copy)]
pub(crate) enum Dual {
    /// Ω as if fixed: a model from above.
    Zero,
    /// W S⁻¹.
    OfWeights,
    /// The optimality conditions.
    OfConditions,
    /// The larger of both, after a recovery: W S⁻¹ is cut short where U* turns out to be large.
    Larger,
}

impl State {
    fn new(w: Vec<f64>, dual: Dual) -> Self {
        Self {
            w,
            dual,
            best: None,
            iterations: 0,
            products: 0,
        }
    }

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
        let Weights {
            lambda1, lambda2, ..
        } = *problem.weights();
        self.best = None;
        let mut recovered = false;
        let status = loop {
            if point.certificate(lambda1) <= tolerance * point.value.max(1.0) {
                break Status::Converged;
            }
            if self.iterations >= max_iterations || give_up(problem, &point) {
                break Status::IterationLimit;
            }
            let spectrum = &point.spectrum;
            let gradient = spectrum.to_eigenbasis(&point.gradient);
            let dual = conditions(spectrum, &gradient, lambda2);
            if !recovered
                && let Some(dual) = &dual
                && let Some(w) = recover(spectrum, &gradient, dual, epsilon)?
            {
                problem.activate_all(&w);
                let next = Point::with_floor(problem, w, epsilon)?;
                if next.value <= point.value {
                    self.advance(&mut point, next, lambda1);
                    self.dual = Dual::Larger;
                    recovered = true;
                    continue;
                }
            }
            recovered = false;
            // The gradient at which the certificate is just good enough.
            let wanted = (2.0 * lambda1 * tolerance * point.value.max(1.0)).sqrt();
            let dual = self.dual.numbers(spectrum, dual.as_deref());
            let next = step(
                problem,
                &point,
                &gradient,
                epsilon,
                dual,
                wanted,
                &mut self.products,
            )?;
            let Some(next) = next else {
                break Status::Stalled;
            };
            self.advance(&mut point, next, lambda1);
            self.dual = Dual::OfConditions;
            self.iterations += 1;
        };
        self.w.clone_from(&point.w);
        Ok((point, status))
    }

    fn advance(&mut self, point: &mut Point, next: Point, lambda1: f64) {
        let before = std::mem::replace(point, next);
        let best = self.best.as_ref().unwrap_or(point).certificate(lambda1);
        if before.certificate(lambda1) < best {
            self.best = Some(before);
        }
    }
}

impl Dual {
    /// The numbers d_a of the model at a point; `conditions` gives U* there (rows in the
    /// eigenbasis).
    pub(crate) fn numbers(self, spectrum: &Spectrum, conditions: Option<&[f64]>) -> Vec<f64> {
        let conditions = conditions.map(|dual| spectrum.diagonal(dual));
        let mut d = match (self, conditions) {
            (Self::Zero, _) => vec![0.0; spectrum.rows()],
            (Self::OfConditions, Some(numbers)) => numbers,
            (Self::Larger, Some(mut numbers)) => {
                for (number, unit) in numbers.iter_mut().zip(spectrum.unit()) {
                    *number = number.max(unit);
                }
                numbers
            }
            _ => spectrum.unit(),
        };
        d.iter_mut().for_each(|d| *d = d.clamp(0.0, 1.0));
        d
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

/// One step: the next point, or none where P cannot be lowered. `gradient` is that of the point in
/// its eigenbasis, `dual` the numbers of the model, `wanted` the size of gradient that would do.
fn step(
    problem: &mut Problem,
    point: &Point,
    gradient: &[f64],
    epsilon: f64,
    mut dual: Vec<f64>,
    wanted: f64,
    products: &mut usize,
) -> Result<Option<Point>> {
    problem.activate_all(&point.w);
    let spectrum = &point.spectrum;
    let rhs: Vec<f64> = gradient.iter().map(|g| -g).collect();
    // Inexact Newton: a loose solve far from the optimum, a tight one near it, but none tighter
    // than what is wanted. Directions that only a small λ1 holds need all of it tighter: what is
    // left of the gradient there moves W by its multiple 1 / λ1.
    let size = norm_squared(&rhs).sqrt();
    let hold = (problem.weights().lambda1 / SMALL_LAMBDA1).min(1.0);
    let tolerance = hold * size.max(0.1 * wanted / size).clamp(1e-6, 0.1);
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
            return Ok(Some(next));
        }
        length *= 0.5;
        if length < 1e-12 {
            return Ok(None);
        }
    }
}
