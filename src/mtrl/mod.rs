//! The lower level: multi-task relationship learning, equation (1) of the paper in the joint form
//! of the crate docs: minimise P(W), convex, with Ω = S / tr S, S = (W'W + εI)^(1/2).
//!
//! [`Problem`] holds the tasks and the weights of the terms, `task` what is kept of their points;
//! [`Point`] is a W with everything that the formulas need there; `system` is the linear algebra of
//! Newton steps and implicit gradients; [`certified`] and [`alternating`] are the two solvers, and
//! `recovery` finds small singular values between the steps of the first;
//! [`Solution`] what they give; [`single_task`] is the learner without the coupling, [`capped`] the
//! one with a pull cap.
//! Not here: attacks, metrics, where points come from.

use crate::choice::choice;

pub mod alternating;
mod aside;
pub mod capped;
pub mod certified;
mod line;
mod point;
mod problem;
mod recovery;
pub mod single_task;
mod solution;
mod spectrum;
pub(crate) mod system;
mod task;

pub use point::Point;
pub(crate) use problem::{MAX_SQUARES, check_squares};
pub use problem::{Problem, Weights};
pub(crate) use solution::Start;
pub use solution::{Limits, Solution, Status};
pub use spectrum::Spectrum;
pub use task::Task;

choice! {
    /// The loss of a point.
    Loss {
        /// (y - w'x)^2.
        Squared = "squared" => "squared loss",
        /// max(0, 1 - y w'x)^2, labels -1 or +1.
        SquaredHinge = "squared_hinge" => "squared hinge loss",
    }
}

choice! {
    /// Which solver answers the lower level.
    Solver {
        /// The joint convex problem to a certificate.
        Certified = "certified" => "joint problem, with an error bound",
        /// The paper's alternation of weights and task covariance (Zhang and Yeung 2010).
        Alternating = "alternating" => "alternating (the paper's)",
    }
}

choice! {
    /// What is learned.
    Learner {
        /// Multi-task relationship learning.
        MultiTask = "multi_task" => "multi-task relationship learning",
        /// Each task alone: λ2 = 0.
        SingleTask = "single_task" => "single-task learning",
        /// Multi-task learning in which other tasks can pull a task only so far.
        Capped = "capped" => "multi-task learning with a pull cap",
    }
}

/// Solves from a start that is thought to be near the optimum. The certified solver asks `give_up`
/// at every iterate, and ends where it answers true; with a pull cap it does not ask. And whether
/// it did.
///
/// # Errors
/// As [`solve`].
pub(crate) fn solve_from(
    solver: Solver,
    problem: &mut Problem,
    start: Start,
    limits: &Limits,
    give_up: &mut dyn FnMut(&Problem, &Point) -> bool,
) -> crate::Result<(Solution, bool)> {
    check_combination(solver, problem)?;
    match solver {
        Solver::Certified if problem.pull_cap().is_some() => {
            Ok((capped::solve_from(problem, Some(start), limits)?, false))
        }
        Solver::Certified => certified::solve_judged(problem, Some(start.w), limits, give_up),
        Solver::Alternating => {
            let w = start.w;
            let spectrum = Spectrum::new(&w, problem.task_count(), problem.weights().epsilon)?;
            Ok((
                alternating::solve_from(problem, w, spectrum, limits)?,
                false,
            ))
        }
    }
}

/// Solves the lower level with the solver of that name.
///
/// # Errors
/// A numerical breakdown; settings that the solver refuses; a pull cap with the alternation.
pub fn solve(
    solver: Solver,
    problem: &mut Problem,
    start: Option<&Solution>,
    limits: &Limits,
) -> crate::Result<Solution> {
    check_combination(solver, problem)?;
    match solver {
        Solver::Certified if problem.pull_cap().is_some() => capped::solve(problem, start, limits),
        Solver::Certified => certified::solve(problem, start, limits),
        Solver::Alternating => alternating::solve(problem, start, limits),
    }
}

fn check_combination(solver: Solver, problem: &Problem) -> crate::Result<()> {
    if solver == Solver::Alternating && problem.pull_cap().is_some() {
        return Err(crate::Error::invalid(
            "solver",
            "alternating cannot be combined with a pull cap; use certified",
        ));
    }
    Ok(())
}
