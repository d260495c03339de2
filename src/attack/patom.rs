//! PATOM, Algorithm 1 of the paper: solve, move the injected points up the gradient, solve again.

use std::ops::ControlFlow;

use crate::attack::gradient::{FixedPoint, Response};
use crate::attack::step::{StepControl, Taken, Work};
use crate::attack::{
    Aim, Domain, Gradient, Injection, Method, Pool, Step, Utility, copied, gradient,
};
use crate::choice::choice;
use crate::error::{Error, Result};
use crate::mtrl::{self, Limits, Problem, Solution, Solver};
use crate::rng::{Random, Stream};

/// Settings of the loop; ranges are those of the specification.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Target tasks.
    pub targets: Vec<usize>,
    /// What is raised.
    pub utility: Utility,
    /// PATOM or random.
    pub method: Method,
    /// Which gradient.
    pub gradient: Gradient,
    /// Which step rule.
    pub step: Step,
    /// η of the constant step, first trial of backtracking.
    pub step_size: f64,
    /// Iterations.
    pub iterations: usize,
    /// Sampled points of a batch over clean points of the targets.
    pub batch_factor: f64,
    /// Where the injected points may lie.
    pub domain: Domain,
    /// Solver of the lower level.
    pub solver: Solver,
    /// Its limits.
    pub limits: Limits,
    /// One for each injection where it may only copy rows: then an iteration swaps rows, and the
    /// step rule does not count.
    pub pools: Option<Vec<Pool>>,
    /// The seed of the batches.
    pub seed: u64,
}

impl Settings {
    /// U.
    pub fn aim(&self) -> Aim<'_> {
        Aim {
            utility: self.utility,
            targets: &self.targets,
        }
    }
}

/// One iteration, as shown to the observer.
pub struct Iterate<'a> {
    /// From 0, the random start.
    pub iteration: usize,
    /// U.
    pub utility: f64,
    /// The lower level solved with the injected points of this iteration.
    pub solution: &'a Solution,
    /// These points.
    pub injections: &'a [Injection],
    /// What the lower level took in this iteration.
    pub work: Work,
}

choice! {
    /// Why the loop ended.
    Stop {
        /// All iterations were done.
        Iterations = "iterations" => "all iterations were done",
        /// Backtracking found no step that raises the utility.
        NoAscent = "no_ascent" => "no step raises the utility further",
        /// Nothing to optimise: the random baseline, or no injected point.
        NothingToOptimise = "nothing_to_optimise" => "there was nothing to optimise",
    }
}

/// Runs the attack. `problem` must hold the injected points of `injections` behind the clean ones
/// of their tasks. `observe` is called at every iteration, 0 included, and may end the run.
///
/// # Errors
/// A numerical breakdown of the lower level; `Error::Cancelled` where `observe` breaks.
pub fn run(
    problem: &mut Problem,
    mut injections: Vec<Injection>,
    settings: &Settings,
    observe: &mut dyn FnMut(Iterate) -> ControlFlow<()>,
) -> Result<(Solution, Vec<Injection>, Stop)> {
    let mut solution = mtrl::solve(settings.solver, problem, None, &settings.limits)?;
    let mut utility = settings.aim().value(problem, &solution.w);
    let mut show =
        |iteration, utility, solution: &Solution, injections: &[Injection], work| match observe(
            Iterate {
                iteration,
                utility,
                solution,
                injections,
                work,
            },
        ) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        };
    show(0, utility, &solution, &injections, Work::of(&solution))?;
    let empty = injections
        .iter()
        .all(|injection| injection.labels.is_empty());
    if empty || settings.method == Method::Random {
        return Ok((solution, injections, Stop::NothingToOptimise));
    }
    let mut control = StepControl::new(settings.step_size);
    let mut batches = Random::new(settings.seed, Stream::Batches, 0);
    for iteration in 1..=settings.iterations {
        let mut work = Work::default();
        if let Some(pools) = &settings.pools {
            let here = (&solution, utility, injections.as_slice());
            let taken = copied::swap(problem, here, pools, settings, &mut work)?;
            let Some(taken) = taken else {
                copied::place(problem, &injections);
                return Ok((solution, injections, Stop::NoAscent));
            };
            Taken {
                injections,
                solution,
                utility,
            } = taken;
            show(iteration, utility, &solution, &injections, work)?;
            continue;
        }
        match settings.step {
            Step::Constant => {
                constant_step(problem, &solution, &mut injections, settings, &mut batches)?;
                place(problem, &injections);
                solution =
                    mtrl::solve(settings.solver, problem, Some(&solution), &settings.limits)?;
                utility = settings.aim().value(problem, &solution.w);
                work = Work::of(&solution);
            }
            Step::Backtracking => {
                let kind = settings.gradient;
                let ascent =
                    gradient::ascent(kind, problem, &solution, settings.aim(), &injections)?;
                work.products += ascent.products;
                let here = (&solution, utility, injections.as_slice());
                let taken = control.advance(problem, here, settings, ascent, &mut work)?;
                let Some(taken) = taken else {
                    place(problem, &injections);
                    return Ok((solution, injections, Stop::NoAscent));
                };
                Taken {
                    injections,
                    solution,
                    utility,
                } = taken;
            }
        }
        show(iteration, utility, &solution, &injections, work)?;
    }
    Ok((solution, injections, Stop::Iterations))
}

/// Puts the injected points into the problem.
pub(crate) fn place(problem: &mut Problem, injections: &[Injection]) {
    for injection in injections {
        problem.move_injected(injection.task, &injection.points);
    }
}

/// One iteration of the paper's rule: a step and a projection for each sampled point of a batch,
/// with W, Φ (or the Hessian) and the residuals of the last solve.
fn constant_step(
    problem: &mut Problem,
    solution: &Solution,
    injections: &mut [Injection],
    settings: &Settings,
    batches: &mut Random,
) -> Result<()> {
    let dimension = problem.dimension();
    let features = dimension - 1;
    let targets = &settings.targets;
    let response = Response::new(settings.gradient, problem, solution, targets)?;
    let fixed: Vec<FixedPoint> = (injections.iter())
        .map(|injection| FixedPoint::new(settings.gradient, problem, solution, injection))
        .collect();
    // The clean points of the targets in one row, to draw from: (position of the target, point).
    let pool: Vec<(usize, usize)> = (targets.iter().enumerate())
        .flat_map(|(position, &p)| (0..problem.task(p).clean).map(move |q| (position, q)))
        .collect();
    let slopes: Vec<Vec<f64>> = (targets.iter())
        .map(|&p| {
            let w = &solution.w[p * dimension..(p + 1) * dimension];
            settings.aim().slopes(problem, p, w)
        })
        .collect();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count"
    )]
    let batch = ((settings.batch_factor * pool.len() as f64).round() as usize).max(1);
    let mut v = vec![0.0; dimension];
    for _ in 0..batch {
        let (position, q) = pool[batches.below(pool.len())];
        let target = targets[position];
        let slope = slopes[position][q];
        if slope == 0.0 {
            continue;
        }
        let x = &problem.task(target).points[q * dimension..(q + 1) * dimension];
        for (injection, fixed) in injections.iter_mut().zip(&fixed) {
            response.column((position, target), injection.task, slope, x, &mut v);
            for (j, point) in injection.points.chunks_exact_mut(dimension).enumerate() {
                let point = &mut point[..features];
                fixed.advance(settings.step_size, j, &v, point, &settings.domain);
            }
        }
    }
    for injection in injections {
        for point in injection.points.chunks_exact_mut(dimension) {
            settings.domain.project(&mut point[..features]);
        }
    }
    Ok(())
}
