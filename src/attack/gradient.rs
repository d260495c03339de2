//! The gradient of U by the injected features: the published one and the two exact ones.
//!
//! All are written with the residual r̂ = ŷ - w_i'x̃ of an injected point x̃ = (x̂, 1) of task i
//! (zero where the squared hinge does not see the point), and a matrix V with a column a task:
//!
//! - `published`, (15) and (16) of the paper: (2/N_i) r̂ v_i with v_i = Σ_p Φ_ip ∇_{w_p} U;
//! - `implicit` and `implicit_total`: (2/N_i) [ r̂ v_i - (v_i'x̃) w_i ] where the point counts,
//!   with H V = ∇_W U and the Hessian H for a fixed or a moving Ω. With a pull cap V is the
//!   response of [`crate::mtrl::capped`]; `published` ignores the cap.

use crate::attack::{Aim, Domain, Gradient, Injection};
use crate::error::Result;
use crate::linalg::{add_scaled, add_scaled_norm, dot};
use crate::mtrl::system::{Coupling, Quadratic, System};
use crate::mtrl::{MAX_SQUARES, Problem, Solution, Spectrum, capped, check_squares};

/// Relative residual to which an adjoint system is solved where it is too large to factor: three
/// digits more than the accuracy that the gradient needs.
const ADJOINT_TOLERANCE: f64 = 1e-10;

/// The same for a direction to go in: the steps are cruder by far.
const LOOSE_TOLERANCE: f64 = 1e-4;

/// The full gradient: for each injection n̂ x d numbers, row-major. `solution` must belong to
/// the points that `problem` holds now.
///
/// # Errors
/// The adjoint system cannot be solved.
pub fn full(
    kind: Gradient,
    problem: &mut Problem,
    solution: &Solution,
    aim: Aim,
    injections: &[Injection],
) -> Result<Vec<Vec<f64>>> {
    Ok(solved(kind, problem, solution, aim, injections, ADJOINT_TOLERANCE)?.slopes)
}

/// The gradient with the V that it is made of.
pub(crate) struct Ascent {
    /// As [`full`].
    pub(crate) slopes: Vec<Vec<f64>>,
    /// V, laid out as W.
    pub(crate) adjoint: Vec<f64>,
    /// Products with the Hessian that it took.
    pub(crate) products: usize,
}

/// The gradient as exactly as a step needs it.
///
/// # Errors
/// As [`full`].
pub(crate) fn ascent(
    kind: Gradient,
    problem: &mut Problem,
    solution: &Solution,
    aim: Aim,
    injections: &[Injection],
) -> Result<Ascent> {
    solved(kind, problem, solution, aim, injections, LOOSE_TOLERANCE)
}

fn solved(
    kind: Gradient,
    problem: &mut Problem,
    solution: &Solution,
    aim: Aim,
    injections: &[Injection],
    tolerance: f64,
) -> Result<Ascent> {
    let (adjoint, products) = adjoint(kind, problem, solution, aim, tolerance)?;
    let dimension = problem.dimension();
    let slopes = (injections.iter())
        .map(|injection| {
            let range = injection.task * dimension..(injection.task + 1) * dimension;
            let fixed = FixedPoint::new(kind, problem, solution, injection);
            let mut out = vec![0.0; injection.labels.len() * (dimension - 1)];
            for (j, row) in out.chunks_exact_mut(dimension - 1).enumerate() {
                fixed.add(1.0, j, &adjoint[range.clone()], row);
            }
            out
        })
        .collect();
    Ok(Ascent {
        slopes,
        adjoint,
        products,
    })
}

/// V, laid out as W, and how many products it took.
///
/// # Errors
/// The adjoint system cannot be solved.
pub(crate) fn response(
    kind: Gradient,
    problem: &mut Problem,
    solution: &Solution,
    aim: Aim,
) -> Result<(Vec<f64>, usize)> {
    adjoint(kind, problem, solution, aim, LOOSE_TOLERANCE)
}

fn adjoint(
    kind: Gradient,
    problem: &mut Problem,
    solution: &Solution,
    aim: Aim,
    tolerance: f64,
) -> Result<(Vec<f64>, usize)> {
    let slope = aim.gradient(problem, &solution.w);
    match kind {
        Gradient::Published => Ok((mix(&phi(problem, &solution.spectrum), &slope), 0)),
        Gradient::Implicit | Gradient::ImplicitTotal => {
            let forces = std::iter::once(slope);
            let options = (false, tolerance);
            let (mut solved, products) = adjoints(kind, problem, solution, options, forces)?;
            Ok((solved.remove(0), products))
        }
    }
}

/// What the gradient by the points of one injection needs besides V, as of the last solve: it
/// stays fixed throughout a batch of the constant step.
pub(crate) struct FixedPoint<'a> {
    exact: bool,
    /// w_i.
    w: &'a [f64],
    /// (2/N_i) r̂ of each point.
    linear_term: Vec<f64>,
    /// 2/N_i where the point counts, else 0.
    weight: Vec<f64>,
    /// x̃ of each point.
    points: Vec<f64>,
}

impl<'a> FixedPoint<'a> {
    pub(crate) fn new(
        kind: Gradient,
        problem: &Problem,
        solution: &'a Solution,
        injection: &Injection,
    ) -> Self {
        let dimension = problem.dimension();
        let task = problem.task(injection.task);
        let total = task.labels.len();
        let w = &solution.w[injection.task * dimension..(injection.task + 1) * dimension];
        let residuals = problem.residuals(injection.task, w, task.clean..total);
        let scale = 2.0 / total as f64;
        Self {
            exact: kind != Gradient::Published,
            w,
            weight: residuals
                .iter()
                .map(|&r| if r == 0.0 { 0.0 } else { scale })
                .collect(),
            linear_term: residuals.iter().map(|r| scale * r).collect(),
            points: task.points[task.clean * dimension..].to_vec(),
        }
    }

    /// Adds `factor` times the gradient by point `j` for the column `v` of V to `target` (d).
    pub(crate) fn add(&self, factor: f64, j: usize, v: &[f64], target: &mut [f64]) {
        add_scaled(target, factor * self.linear_term[j], v);
        if self.exact {
            let x = &self.points[j * v.len()..(j + 1) * v.len()];
            add_scaled(target, -factor * self.weight[j] * dot(v, x), self.w);
        }
    }

    /// Moves `point` (d), which began the batch as point `j`, by `step` times that gradient, and
    /// confines it to the domain. Rounding may leave it outside a ball by some 1e-16 of the radius.
    pub(crate) fn advance(
        &self,
        step: f64,
        j: usize,
        v: &[f64],
        point: &mut [f64],
        domain: &Domain,
    ) {
        if self.weight[j] == 0.0 {
            return;
        }
        if self.exact {
            let x = &self.points[j * v.len()..(j + 1) * v.len()];
            add_scaled(point, -step * self.weight[j] * dot(v, x), self.w);
        }
        let square = add_scaled_norm(point, step * self.linear_term[j], &v[..point.len()]);
        match domain {
            // The norm is known already.
            Domain::Ball { radius } if square > radius * radius => {
                let factor = radius / square.sqrt();
                point.iter_mut().for_each(|entry| *entry *= factor);
            }
            Domain::Ball { .. } => {}
            Domain::Observed(_) => domain.confine(point),
        }
    }
}

/// V as a linear function of the gradient of the loss of one target point: for target p the
/// matrix that takes ∇_{w_p} l to v_i, for the attacking tasks i.
pub(crate) struct Response {
    kind: Gradient,
    dimension: usize,
    m: usize,
    phi: Vec<f64>,
    /// For each target in turn, for each entry k: all rows of H⁻¹ e_(p,k).
    columns: Vec<Vec<f64>>,
}

impl Response {
    /// Prepares the response at a solution.
    ///
    /// # Errors
    /// More columns than fit in 1 GiB; the adjoint systems cannot be solved.
    pub(crate) fn new(
        kind: Gradient,
        problem: &mut Problem,
        solution: &Solution,
        targets: &[usize],
    ) -> Result<Self> {
        let (m, dimension) = (problem.task_count(), problem.dimension());
        let mut columns = Vec::new();
        if kind != Gradient::Published {
            // One matrix each: 1 GiB.
            let what = "pairs of target and task in an exact constant step";
            check_squares(what, targets.len() * m, dimension - 1, 4 * MAX_SQUARES)?;
            let units = (targets.iter()).flat_map(|&p| {
                (0..dimension).map(move |k| {
                    let mut unit = vec![0.0; m * dimension];
                    unit[p * dimension + k] = 1.0;
                    unit
                })
            });
            let options = (true, ADJOINT_TOLERANCE);
            (columns, _) = adjoints(kind, problem, solution, options, units)?;
        }
        Ok(Self {
            kind,
            dimension,
            m,
            phi: phi(problem, &solution.spectrum),
            columns,
        })
    }

    /// v_i for the loss gradient `factor` x of a point x of the target with index `position` in
    /// the list of targets and number `target`, into `v`.
    pub(crate) fn column(
        &self,
        (position, target): (usize, usize),
        task: usize,
        factor: f64,
        x: &[f64],
        v: &mut [f64],
    ) {
        v.fill(0.0);
        if self.kind == Gradient::Published {
            add_scaled(v, factor * self.phi[task * self.m + target], x);
            return;
        }
        let range = task * self.dimension..(task + 1) * self.dimension;
        for (k, x) in x.iter().enumerate() {
            let column = &self.columns[position * self.dimension + k][range.clone()];
            add_scaled(v, factor * x, column);
        }
    }
}

/// H⁻¹ u for each force u on W; with a pull cap what takes its place. `whole`: there are many. And
/// how many products it took.
fn adjoints(
    kind: Gradient,
    problem: &mut Problem,
    solution: &Solution,
    (whole, tolerance): (bool, f64),
    forces: impl Iterator<Item = Vec<f64>>,
) -> Result<(Vec<Vec<f64>>, usize)> {
    // Tasks that are not coupled do not step aside.
    if problem.pull_cap().is_some() && problem.weights().lambda2 > 0.0 {
        let moving = kind == Gradient::ImplicitTotal;
        let options = (moving, whole);
        return capped::responses(problem, solution, options, forces, tolerance);
    }
    problem.activate_all(&solution.w);
    let spectrum = &solution.spectrum;
    let dual = spectrum.unit();
    let system = System::new(Quadratic::of(problem), spectrum, coupling(kind, &dual));
    let factored = if whole {
        system.factor_whole()?
    } else {
        system.factor()?
    };
    let mut products = 0;
    let solved = forces
        .map(|force| {
            let (solved, taken) = factored.solve(&spectrum.to_eigenbasis(&force), tolerance)?;
            products += taken;
            Ok(spectrum.from_eigenbasis(&solved))
        })
        .collect::<Result<_>>()?;
    Ok((solved, products))
}

fn coupling(kind: Gradient, dual: &[f64]) -> Coupling<'_> {
    match kind {
        Gradient::ImplicitTotal => Coupling::Moving { dual },
        Gradient::Published | Gradient::Implicit => Coupling::Fixed,
    }
}

fn phi(problem: &Problem, spectrum: &Spectrum) -> Vec<f64> {
    spectrum.phi(problem.weights().lambda1, problem.weights().lambda2)
}

/// Row i: Σ_p matrix_ip row_p.
fn mix(matrix: &[f64], rows: &[f64]) -> Vec<f64> {
    let m = matrix.len().isqrt();
    let dimension = rows.len() / m;
    let mut out = vec![0.0; rows.len()];
    for (target, weights) in out.chunks_exact_mut(dimension).zip(matrix.chunks_exact(m)) {
        for (row, &weight) in rows.chunks_exact(dimension).zip(weights) {
            add_scaled(target, weight, row);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtrl::{self, Limits, Loss, Solver, Task, Weights};

    #[test]
    fn more_columns_than_memory_holds_are_refused() {
        let weights = Weights {
            loss: Loss::Squared,
            lambda1: 0.1,
            lambda2: 0.1,
            epsilon: 1e-6,
        };
        let dimension = 33;
        let task = Task {
            points: vec![1.0; dimension],
            labels: vec![1.0],
            clean: 1,
        };
        let mut problem = Problem::new(weights, dimension, vec![task; 2]).unwrap();
        let limits = Limits::default();
        let solution = mtrl::solve(Solver::Certified, &mut problem, None, &limits).unwrap();
        let mut prepare =
            |kind, targets: &[usize]| Response::new(kind, &mut problem, &solution, targets).err();
        let many = vec![0; 1 << 16];
        assert_eq!(prepare(Gradient::Published, &many), None);
        assert_eq!(prepare(Gradient::ImplicitTotal, &[0, 1]), None);
        let more = vec![0; (1 << 16) + 1];
        for kind in [Gradient::Implicit, Gradient::ImplicitTotal] {
            let error = prepare(kind, &more).unwrap();
            let expected =
                "131074 pairs of target and task in an exact constant step of 32 features";
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }
}
