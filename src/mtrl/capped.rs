//! The lower level with a pull cap μ: a learner whose tasks cannot be dragged far by other tasks.
//!
//! A task's model is w_i = z_i + g_i. Only Z is coupled through Ω; stepping aside from it costs
//! μ |g_i|, not its square (δ = [`SMOOTHING`] rounds the corner off):
//!
//! ```text
//! P_μ(W) = min over Z of J(W, Z),    J = Σ_i f_i(w_i) + R(Z) + μ Σ_i sqrt(|w_i - z_i|² + δ²)
//! f_i(w) = 1/N_i Σ_j l(y_ij, w'x_ij) + λ1/2 |w|²,    R(Z) = λ2/2 (tr S)²,  S = (Z'Z + εI)^(1/2)
//! ```
//!
//! It is convex. For μ -> ∞ it is multi-task relationship learning, for μ -> 0 each task alone.
//!
//! **What it promises.** At the minimum over g_i, ∇f_i(w_i) = -μ g_i / sqrt(|g_i|² + δ²), so
//! |∇f_i(w_i)| <= μ for every Z, whatever the points of other tasks are: those act through Z only.
//! f_i is λ1-strongly convex, so w_i is within μ / λ1 of what task i learns alone. The solver
//! minimises over G to rounding for whatever Z it has; the promise does not depend on how far Z
//! is from its optimum. (`defence::certificate` makes intervals and worst cases of it.)
//!
//! **Method.** G is eliminated task by task (`aside`), which leaves Σ F_i(z_i) + R(Z) and Newton
//! systems of the size of those without a cap: F_i'' takes the place of curvature and λ1.
//! R is treated as in [`crate::mtrl::certified`].
//!
//! **Certificate.** Let Y = ∇R(Z) with |y_i| <= μ. By Fenchel and Young
//!
//! ```text
//! R(Z')           >= R(Z) + <Y, Z' - Z>                          convexity
//! μ ρ(g')         >= y'g' + δ sqrt(μ² - |y|²)                    Cauchy and Schwarz on (g', δ)
//! f_i(w') + y'w'  >= f_i(w_i) + y'w_i - |∇f_i(w_i) + y|² / (2 λ1)    λ1-strong convexity
//! ```
//!
//! Their sum at the minimiser bounds min P_μ from below without Z' or g', and with κ = μ / ρ(g_i)
//!
//! ```text
//! J(W, Z) - min P_μ <= Σ_i |∇f_i(w_i) + y_i|² / (2 λ1)
//!                    + Σ_i ρ(g_i) / (2 μ) [ |y_i - κ g_i|² + (sqrt(μ² - |y_i|²) - κ δ)² ].
//! ```
//!
//! All terms are squares: nothing cancels. Where max |y_i| = μ / s with s < 1, s Y takes the place
//! of Y, and (1 - s) (R(Z) - R(0)) is added, because R* is convex and R*(0) = -R(0). Since
//! P_μ <= J, the same number bounds P_μ(W) - min P_μ, and |W - W*|² <= 2/λ1 times it.

use crate::error::{Error, Result};
use crate::linalg::{add_scaled, dot, norm_squared};
use crate::mtrl::aside::{Aside, Cap, Elimination};
use crate::mtrl::certified::{DIRECT_STEPS, Dual, MIN_EPSILON, SMALL_LAMBDA1, uncoupled};
use crate::mtrl::recovery::{conditions, recover};
use crate::mtrl::system::{Coupling, Quadratic, System};
use crate::mtrl::{Limits, Problem, Solution, Spectrum, Start, Status, certified};

/// δ: below this length stepping aside costs its square, above it its length.
pub const SMOOTHING: f64 = 1e-3;

/// G is minimised to this share of the gradient by Z, and at the end to [`EXACT`].
const INNER_SHARE: f64 = 0.1;

/// Gradient by g, relative to μ and to the gradient of the losses, at which G is exact.
const EXACT: f64 = 1e-14;

/// Solves to a certificate of at most `limits.tolerance` max(1, J), from `start` where given.
///
/// # Errors
/// A problem without a pull cap; ε below [`MIN_EPSILON`]; limits out of range; numbers that stop
/// being finite.
pub fn solve(problem: &mut Problem, start: Option<&Solution>, limits: &Limits) -> Result<Solution> {
    solve_from(problem, start.map(Start::at), limits)
}

/// The same from W and Z alone; without Z the tasks have not stepped aside.
pub(crate) fn solve_from(
    problem: &mut Problem,
    start: Option<Start>,
    limits: &Limits,
) -> Result<Solution> {
    limits.check()?;
    let weights = *problem.weights();
    let epsilon = weights.epsilon;
    if epsilon.is_nan() || epsilon < MIN_EPSILON {
        let range = "at least 1e-12 with a pull cap";
        return Err(Error::out_of_range("epsilon", epsilon, range));
    }
    let Some(pull) = problem.pull_cap() else {
        return Err(Error::invalid("pull_cap", "missing; the learner needs one"));
    };
    if weights.lambda2 == 0.0 {
        // Nothing is coupled, so nothing steps aside.
        let start = start.map(|start| start.w);
        let (alone, _) = certified::solve_judged(problem, start, limits, &mut |_, _| false)?;
        return Ok(Solution {
            objective: alone.objective + pull * SMOOTHING * problem.task_count() as f64,
            shared: Some(alone.w.clone()),
            ..alone
        });
    }
    let dimension = problem.dimension();
    let mut state = match start {
        // Thought to be near the optimum, where U* = Z S⁻¹.
        Some(Start { w, shared }) => {
            let z = shared.unwrap_or_else(|| w.clone());
            let mut g = w;
            add_scaled(&mut g, -1.0, &z);
            State {
                z,
                g: g.chunks_exact(dimension).map(<[f64]>::to_vec).collect(),
                dual: Dual::OfWeights,
                iterations: 0,
                products: 0,
            }
        }
        None => {
            let z = uncoupled(problem);
            State {
                g: vec![vec![0.0; dimension]; problem.task_count()],
                dual: Dual::Zero,
                z,
                iterations: 0,
                products: 0,
            }
        }
    };
    let cap = Cap {
        pull,
        smoothing: SMOOTHING,
    };
    let direct = DIRECT_STEPS.min(limits.max_iterations);
    let (mut here, mut status) = state.descend(problem, epsilon, cap, limits.tolerance, direct)?;
    if status != Status::Converged {
        // A larger floor and a rounder corner are easier, and their optimum a good start.
        let largest = here.spectrum.values.last().copied().unwrap_or(0.0);
        let mut floor = 1e-2 * largest * largest;
        let mut smoothing = 1.0;
        while (floor > 10.0 * epsilon || smoothing > 5.0 * SMOOTHING)
            && state.iterations < limits.max_iterations
        {
            let rounder = Cap { pull, smoothing };
            let floor_now = floor.max(epsilon);
            state.descend(problem, floor_now, rounder, 1e-4, limits.max_iterations)?;
            floor /= 10.0;
            smoothing = (smoothing / 10.0).max(SMOOTHING);
        }
        (here, status) = state.descend(
            problem,
            epsilon,
            cap,
            limits.tolerance,
            limits.max_iterations,
        )?;
    }
    if status != Status::Converged {
        here = here.exact(problem, epsilon, cap)?;
    }
    let certificate = here.certificate(weights.lambda1, cap, weights.lambda2, epsilon);
    Ok(Solution {
        w: here.weights(),
        shared: Some(here.z),
        spectrum: here.spectrum,
        objective: here.value,
        certificate,
        iterations: state.iterations,
        products: state.products,
        status,
    })
}

/// How far the promise |∇f_i(w_i)| <= μ is missed at the weights of a solution: what rounding left,
/// to be added to μ. Zero where it holds; one number a task.
pub fn residuals(problem: &Problem, w: &[f64]) -> Vec<f64> {
    let pull = problem.pull_cap().unwrap_or(f64::INFINITY);
    (own_slopes(problem, w).iter())
        .map(|slope| (slope - pull).max(0.0))
        .collect()
}

/// |∇f_i(w_i)| of each task: how hard other tasks pull at it.
pub fn own_slopes(problem: &Problem, w: &[f64]) -> Vec<f64> {
    let lambda1 = problem.weights().lambda1;
    (w.chunks_exact(problem.dimension()).enumerate())
        .map(|(i, w)| {
            let mut gradient: Vec<f64> = w.iter().map(|w| lambda1 * w).collect();
            problem.add_data_part(i, w, &mut gradient);
            norm_squared(&gradient).sqrt()
        })
        .collect()
}

/// What H⁻¹ is without a cap: how W answers, to first order, to forces on W. For each force u, rows
/// by task, V = P + Q with
///
/// ```text
/// [ A + R''   A     ] [ P ]   [ u ]          (R'' + F'') P = B (A + B)⁻¹ u
/// [ A         A + B ] [ Q ] = [ u ],   so        V = (A + B)⁻¹ (u + B P).
/// ```
///
/// `whole`: there are many forces. With `moving` false Ω is held fixed. And how many products with
/// the operator it took.
///
/// # Errors
/// The systems cannot be solved.
pub(crate) fn responses(
    problem: &mut Problem,
    solution: &Solution,
    (moving, whole): (bool, bool),
    forces: impl Iterator<Item = Vec<f64>>,
    tolerance: f64,
) -> Result<(Vec<Vec<f64>>, usize)> {
    let dimension = problem.dimension();
    let lambda2 = problem.weights().lambda2;
    let cap = Cap {
        pull: problem.pull_cap().unwrap_or(f64::INFINITY),
        smoothing: SMOOTHING,
    };
    problem.activate_all(&solution.w);
    let z = solution.shared.as_ref().unwrap_or(&solution.w);
    let mut eliminations = Vec::with_capacity(problem.task_count());
    let rows = z
        .chunks_exact(dimension)
        .zip(solution.w.chunks_exact(dimension));
    for (i, (z, w)) in rows.enumerate() {
        let g = w.iter().zip(z).map(|(w, z)| w - z).collect();
        let aside = Aside::at(problem, i, z, g, cap);
        eliminations.push(Elimination::new(problem, i, &aside, cap)?);
    }
    let curvatures: Vec<Vec<f64>> = eliminations.iter().map(Elimination::curvature).collect();
    let data = Quadratic::from_matrices(dimension, &curvatures, lambda2);
    let spectrum = &solution.spectrum;
    let dual = spectrum.unit();
    let coupling = if moving {
        Coupling::Moving { dual: &dual }
    } else {
        Coupling::Fixed
    };
    let system = System::new(data, spectrum, coupling);
    let factored = if whole {
        system.factor_whole()?
    } else {
        system.factor()?
    };
    let by_task = |rows: &mut [f64], change: &dyn Fn(&Elimination, &mut [f64])| {
        for (row, elimination) in rows.chunks_exact_mut(dimension).zip(&eliminations) {
            change(elimination, row);
        }
    };
    let mut products = 0;
    let responses = forces
        .map(|force| {
            let mut rhs = force.clone();
            by_task(&mut rhs, &|elimination, row| {
                elimination.solve(row);
                row.copy_from_slice(&elimination.cap_product(row));
            });
            let (solved, taken) = factored.solve(&spectrum.to_eigenbasis(&rhs), tolerance)?;
            products += taken;
            let mut v = spectrum.from_eigenbasis(&solved);
            by_task(&mut v, &|elimination, row| {
                row.copy_from_slice(&elimination.cap_product(row));
            });
            add_scaled(&mut v, 1.0, &force);
            by_task(&mut v, &|elimination, row| elimination.solve(row));
            Ok(v)
        })
        .collect::<Result<_>>()?;
    Ok((responses, products))
}

/// State of the solver.
struct State {
    z: Vec<f64>,
    /// A row a task.
    g: Vec<Vec<f64>>,
    dual: Dual,
    iterations: usize,
    products: usize,
}

/// J at one Z and G.
struct Here {
    z: Vec<f64>,
    asides: Vec<Aside>,
    spectrum: Spectrum,
    value: f64,
    /// Y = ∇R(Z), rows by task.
    pull: Vec<f64>,
    /// ∇_Z J = ∇f + Y, rows by task.
    gradient: Vec<f64>,
}

impl Here {
    /// J at Z with G near its minimum, found from `start`.
    fn new(
        problem: &mut Problem,
        z: Vec<f64>,
        start: impl Fn(usize) -> Vec<f64>,
        epsilon: f64,
        cap: Cap,
        tolerance: f64,
    ) -> Result<Self> {
        let (m, dimension) = (problem.task_count(), problem.dimension());
        let lambda2 = problem.weights().lambda2;
        let spectrum = Spectrum::new(&z, m, epsilon)?;
        let pull = spectrum.coupling_gradient(lambda2, epsilon);
        let mut gradient = pull.clone();
        let mut value = 0.5 * lambda2 * spectrum.trace * spectrum.trace;
        let mut asides = Vec::with_capacity(m);
        for (i, (z, gradient)) in (z.chunks_exact(dimension))
            .zip(gradient.chunks_exact_mut(dimension))
            .enumerate()
        {
            let aside = Aside::minimise(problem, i, z, start(i), cap, tolerance)?;
            value += aside.value;
            add_scaled(gradient, 1.0, &aside.gradient);
            asides.push(aside);
        }
        if !value.is_finite() || gradient.iter().any(|g| !g.is_finite()) {
            return Err(Error::Numerical {
                place: "the objective with a pull cap",
                what: format!("its value or gradient is not finite (value {value})"),
            });
        }
        Ok(Self {
            z,
            asides,
            spectrum,
            value,
            pull,
            gradient,
        })
    }

    /// The same Z with G at its minimum: the promise of the cap is for such G.
    fn exact(self, problem: &mut Problem, epsilon: f64, cap: Cap) -> Result<Self> {
        let start = |i: usize| self.asides[i].g.clone();
        Self::new(
            problem,
            self.z.clone(),
            start,
            epsilon,
            cap,
            EXACT * cap.pull.min(1.0),
        )
    }

    /// W, rows by task.
    fn weights(&self) -> Vec<f64> {
        self.asides
            .iter()
            .flat_map(|aside| aside.w.iter().copied())
            .collect()
    }

    /// To what gradient the G of the next point is minimised.
    fn inner(&self, cap: Cap) -> f64 {
        (INNER_SHARE * norm_squared(&self.gradient).sqrt()).min(0.1 * cap.pull.min(1.0))
    }

    /// Bound on J - min P_μ: see the module.
    fn certificate(&self, lambda1: f64, cap: Cap, lambda2: f64, epsilon: f64) -> f64 {
        let m = self.asides.len();
        let dimension = self.z.len() / m;
        let rows = || self.pull.chunks_exact(dimension).zip(&self.asides);
        let longest = rows()
            .map(|(y, _)| norm_squared(y).sqrt())
            .fold(0.0, f64::max);
        // A hair less than μ, for rounding.
        let most = cap.pull * (1.0 - 1e-15);
        let share = if longest > most { most / longest } else { 1.0 };
        let tasks: f64 = rows()
            .map(|(y, aside)| {
                let y: Vec<f64> = y.iter().map(|y| share * y).collect();
                let mut slope = aside.gradient.clone();
                add_scaled(&mut slope, 1.0, &y);
                let mut off = y.clone();
                add_scaled(&mut off, -aside.stiffness, &aside.g);
                let rest = (cap.pull * cap.pull - norm_squared(&y)).max(0.0).sqrt()
                    - aside.stiffness * cap.smoothing;
                norm_squared(&slope) / (2.0 * lambda1)
                    + aside.root / (2.0 * cap.pull) * (norm_squared(&off) + rest * rest)
            })
            .sum();
        let trace = self.spectrum.trace;
        let coupling = 0.5 * lambda2 * (trace * trace - (m * m) as f64 * epsilon);
        tasks + (1.0 - share) * coupling.max(0.0)
    }
}

impl State {
    /// Newton steps until the certificate is at most `tolerance` max(1, J) or `max_iterations` in
    /// all are done.
    fn descend(
        &mut self,
        problem: &mut Problem,
        epsilon: f64,
        cap: Cap,
        tolerance: f64,
        max_iterations: usize,
    ) -> Result<(Here, Status)> {
        let weights = *problem.weights();
        let z = std::mem::take(&mut self.z);
        let scale = cap.pull.min(1.0);
        let g = std::mem::take(&mut self.g);
        let start = |i: usize| g[i].clone();
        let mut here = Here::new(problem, z, start, epsilon, cap, 0.1 * scale)?;
        let mut recovered = false;
        let status = loop {
            let certificate = here.certificate(weights.lambda1, cap, weights.lambda2, epsilon);
            if certificate <= tolerance * here.value.max(1.0) {
                here = here.exact(problem, epsilon, cap)?;
                let certificate = here.certificate(weights.lambda1, cap, weights.lambda2, epsilon);
                if certificate <= tolerance * here.value.max(1.0) {
                    break Status::Converged;
                }
            }
            if self.iterations >= max_iterations {
                break Status::IterationLimit;
            }
            let spectrum = &here.spectrum;
            let gradient = spectrum.to_eigenbasis(&here.gradient);
            let dual = conditions(spectrum, &gradient, weights.lambda2);
            if !recovered
                && let Some(dual) = &dual
                && let Some(z) = recover(spectrum, &gradient, dual, epsilon)?
            {
                let start = |i: usize| here.asides[i].g.clone();
                let next = Here::new(problem, z, start, epsilon, cap, here.inner(cap))?;
                if next.value <= here.value {
                    here = next;
                    self.dual = Dual::Larger;
                    recovered = true;
                    continue;
                }
            }
            recovered = false;
            let dual = self.dual.numbers(spectrum, dual.as_deref());
            let next = step(problem, &here, epsilon, cap, dual, &mut self.products)?;
            let Some(next) = next else {
                break Status::Stalled;
            };
            here = next;
            self.dual = Dual::OfConditions;
            self.iterations += 1;
        };
        self.z.clone_from(&here.z);
        self.g = here.asides.iter().map(|aside| aside.g.clone()).collect();
        Ok((here, status))
    }
}

/// One Newton step: the next point, or none where J cannot be lowered. `dual`: the numbers of the
/// model.
fn step(
    problem: &mut Problem,
    here: &Here,
    epsilon: f64,
    cap: Cap,
    mut dual: Vec<f64>,
    products: &mut usize,
) -> Result<Option<Here>> {
    let weights = *problem.weights();
    let dimension = problem.dimension();
    let mut eliminations = Vec::with_capacity(here.asides.len());
    for (i, aside) in here.asides.iter().enumerate() {
        problem.activate(i, &aside.w);
        eliminations.push(Elimination::new(problem, i, aside, cap)?);
    }
    // -∇_Z J + A (A + B)⁻¹ r, where r is what is left of the gradient by G. A u = (A + B) u - B u.
    let mut rhs: Vec<f64> = here.gradient.iter().map(|g| -g).collect();
    let residuals: Vec<Vec<f64>> = here.asides.iter().map(Aside::residual).collect();
    for ((rhs, residual), elimination) in (rhs.chunks_exact_mut(dimension))
        .zip(&residuals)
        .zip(&eliminations)
    {
        add_scaled(rhs, 1.0, residual);
        let mut solved = residual.clone();
        elimination.solve(&mut solved);
        add_scaled(rhs, -1.0, &elimination.cap_product(&solved));
    }
    let spectrum = &here.spectrum;
    let rhs = spectrum.to_eigenbasis(&rhs);
    let size = norm_squared(&rhs).sqrt();
    let hold = (weights.lambda1 / SMALL_LAMBDA1).min(1.0);
    let tolerance = hold * size.clamp(1e-7, 0.1);
    let curvatures: Vec<Vec<f64>> = eliminations.iter().map(Elimination::curvature).collect();
    let attempt = |dual: &[f64]| {
        let data = Quadratic::from_matrices(dimension, &curvatures, weights.lambda2);
        let system = System::new(data, spectrum, Coupling::Moving { dual });
        system.factor()?.solve(&rhs, tolerance)
    };
    let (direction, taken) = attempt(&dual).or_else(|_| {
        dual.fill(0.0);
        attempt(&dual)
    })?;
    *products += taken;
    let p = spectrum.from_eigenbasis(&direction);
    // q = -(A + B)⁻¹ (r + A p) = (A + B)⁻¹ (B p - r) - p.
    let q: Vec<Vec<f64>> = (p.chunks_exact(dimension))
        .zip(&residuals)
        .zip(&eliminations)
        .map(|((p, residual), elimination)| {
            let mut q = elimination.cap_product(p);
            add_scaled(&mut q, -1.0, residual);
            elimination.solve(&mut q);
            add_scaled(&mut q, -1.0, p);
            q
        })
        .collect();
    let slope = dot(&here.gradient, &p)
        + (residuals.iter().zip(&q))
            .map(|(residual, q)| dot(residual, q))
            .sum::<f64>();
    let inner = here.inner(cap);
    let mut length = 1.0;
    loop {
        let mut z = here.z.clone();
        add_scaled(&mut z, length, &p);
        let start = |i: usize| {
            let mut g = here.asides[i].g.clone();
            add_scaled(&mut g, length, &q[i]);
            g
        };
        let next = Here::new(problem, z, start, epsilon, cap, inner * length.min(1.0))?;
        let slack = 4.0 * f64::EPSILON * here.value.abs();
        let falling = dot(&next.gradient, &p) <= 0.0;
        if falling || next.value <= here.value + 1e-4 * length * slope + slack {
            let stuck = next.value >= here.value
                && norm_squared(&next.gradient) >= norm_squared(&here.gradient)
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
