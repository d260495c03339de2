//! How far an iteration with the full gradient goes: trials of a step, each solved, until U rises.
//!
//! The first trial is the step of Barzilai and Borwein (1988), from how the gradient changed along
//! the last one. Where U does not rise, the next trial goes where a parabola through the gain that
//! the gradient promised and the gain that was found has its top. A trial is given up before it is
//! solved where U will clearly not rise; only a step whose solve ended, and that raised U, is taken.
//! Not here: the gradient, the loop over iterations.

use crate::attack::gradient::Ascent;
use crate::attack::patom::{Settings, place};
use crate::attack::{Domain, Gradient, Injection};
use crate::error::Result;
use crate::linalg::{add_scaled, dot};
use crate::mtrl::{Problem, Solution, Start, solve_from};

/// The step is no longer than this, so that it stays finite: points on the surface of the ball
/// accept any.
const LARGEST_STEP: f64 = 1e100;
/// How much the first trial may differ from the step before.
const MOST_CHANGE: f64 = 16.0;
/// A trial after a rejected one goes this share of its way at least and at most.
const SHORTEST: f64 = 0.1;
const LONGEST: f64 = 0.6;
/// Trials of one iteration: the last one goes at most 0.6^30 of the first one's way.
const MAX_TRIALS: usize = 30;
/// Halvings of a step until the way is so much shorter: points on the surface of the ball hardly
/// move with the step.
const MAX_HALVINGS: usize = 400;
/// And how often the last one is bisected.
const BISECTIONS: usize = 4;

/// What is carried from one iteration to the next.
pub(crate) struct StepControl {
    step: f64,
    /// The points before the last step, and the gradient there.
    last: Option<(Vec<Injection>, Vec<Vec<f64>>)>,
}

/// An iteration that raised U.
pub(crate) struct Taken {
    pub(crate) injections: Vec<Injection>,
    pub(crate) solution: Solution,
    pub(crate) utility: f64,
}

/// A trial that was rejected.
struct Rejected {
    /// |x̂' - x̂| over all points.
    way: f64,
    /// W of it, and Z.
    at: Start,
}

impl StepControl {
    /// `step`: the first trial.
    pub(crate) fn new(step: f64) -> Self {
        Self { step, last: None }
    }

    /// One iteration from a solution, its U and its points: None where no step raises U. Adds to
    /// `work` what it took.
    ///
    /// # Errors
    /// A numerical breakdown of the lower level.
    pub(crate) fn advance(
        &mut self,
        problem: &mut Problem,
        (solution, utility, injections): (&Solution, f64, &[Injection]),
        settings: &Settings,
        ascent: Ascent,
        work: &mut Work,
    ) -> Result<Option<Taken>> {
        let path = Path {
            from: injections,
            slopes: &ascent.slopes,
            domain: &settings.domain,
            features: problem.dimension() - 1,
        };
        if let Some((points, slopes)) = &self.last
            && let Some(step) = path.curvature_step(points, slopes)
        {
            let (least, most) = (self.step / MOST_CHANGE, self.step * MOST_CHANGE);
            self.step = step.clamp(least, most.min(LARGEST_STEP));
        }
        let mut rejected: Option<Rejected> = None;
        for _ in 0..MAX_TRIALS {
            let moved = path.at(self.step);
            if moved == injections {
                return Ok(None);
            }
            let (way, promised) = path.way(&moved);
            place(problem, &moved);
            // The optimum moves about in proportion.
            let start = match &rejected {
                Some(rejected) => {
                    let share = (way / rejected.way).min(1.0);
                    Start::between(solution, &rejected.at, share)
                }
                None => Start::at(solution),
            };
            let judge = Judge {
                settings,
                adjoint: &ascent.adjoint,
                utility,
            };
            let trial = judge.solve(problem, start)?;
            work.add(&trial.solution);
            if trial.solved && trial.utility > utility {
                self.last = Some((injections.to_vec(), ascent.slopes));
                return Ok(Some(Taken {
                    injections: moved,
                    solution: trial.solution,
                    utility: trial.utility,
                }));
            }
            // The gain along the way, as a parabola: promised t + (found - promised) t².
            let ratio = (trial.utility - utility) / promised;
            let top = if ratio < 1.0 {
                0.5 / (1.0 - ratio)
            } else {
                LONGEST
            };
            self.step = path.shorter(self.step, way * top.clamp(SHORTEST, LONGEST));
            rejected = Some(Rejected {
                way,
                at: Start::at(&trial.solution),
            });
        }
        Ok(None)
    }
}

/// Work of the lower level, as counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Solves, whether they ended or were given up.
    pub trials: usize,
    /// Newton steps, or rounds of the alternation.
    pub steps: usize,
    /// Products with the Hessian.
    pub products: usize,
}

impl Work {
    pub(crate) fn of(solution: &Solution) -> Self {
        let mut work = Self::default();
        work.add(solution);
        work
    }

    pub(crate) fn add(&mut self, solution: &Solution) {
        self.trials += 1;
        self.steps += solution.iterations;
        self.products += solution.products;
    }
}

/// Steps up the gradient, projected to the domain: x̂(t) = ProjX(x̂ + t slope).
struct Path<'a> {
    from: &'a [Injection],
    slopes: &'a [Vec<f64>],
    domain: &'a Domain,
    features: usize,
}

impl Path<'_> {
    fn at(&self, step: f64) -> Vec<Injection> {
        let mut moved = self.from.to_vec();
        for (injection, slopes) in moved.iter_mut().zip(self.slopes) {
            let points = injection.points.chunks_exact_mut(self.features + 1);
            for (point, slope) in points.zip(slopes.chunks_exact(self.features)) {
                let point = &mut point[..self.features];
                add_scaled(point, step, slope);
                self.domain.project(point);
            }
        }
        moved
    }

    /// Calls with the features of each point here and in `other`, and with its slope.
    fn each(&self, other: &[Injection], mut visit: impl FnMut(&[f64], &[f64], &[f64])) {
        let size = self.features + 1;
        for ((here, there), slopes) in self.from.iter().zip(other).zip(self.slopes) {
            let points = here
                .points
                .chunks_exact(size)
                .zip(there.points.chunks_exact(size));
            for ((here, there), slope) in points.zip(slopes.chunks_exact(self.features)) {
                visit(&here[..self.features], &there[..self.features], slope);
            }
        }
    }

    /// How far it is to `moved`, and what the gradient promises there.
    fn way(&self, moved: &[Injection]) -> (f64, f64) {
        let (mut square, mut promised) = (0.0, 0.0);
        self.each(moved, |here, there, slope| {
            for ((a, b), g) in here.iter().zip(there).zip(slope) {
                square += (b - a) * (b - a);
                promised += (b - a) * g;
            }
        });
        (square.sqrt(), promised)
    }

    /// The step of Barzilai and Borwein from the points and the gradient before the last one: s's
    /// over -s'y, the inverse of the curvature along it; the longest where U bends upwards. None
    /// where the points did not move.
    fn curvature_step(&self, before: &[Injection], slopes: &[Vec<f64>]) -> Option<f64> {
        let (mut square, mut bend) = (0.0, 0.0);
        let mut old_slopes = slopes
            .iter()
            .flat_map(|all| all.chunks_exact(self.features));
        self.each(before, |here, there, slope| {
            let Some(old) = old_slopes.next() else {
                return;
            };
            for (((b, a), h), g) in here.iter().zip(there).zip(slope).zip(old) {
                square += (b - a) * (b - a);
                bend += (b - a) * (h - g);
            }
        });
        if square > 0.0 {
            Some(if bend < 0.0 {
                square / -bend
            } else {
                LARGEST_STEP
            })
        } else {
            None
        }
    }

    /// A step below `step` that goes no farther than `way`, and not much less.
    fn shorter(&self, step: f64, way: f64) -> f64 {
        let goes = |step: f64| self.way(&self.at(step)).0;
        let (mut low, mut high) = (0.5 * step, step);
        for _ in 0..MAX_HALVINGS {
            if goes(low) <= way {
                break;
            }
            (low, high) = (0.5 * low, low);
        }
        for _ in 0..BISECTIONS {
            let middle = 0.5 * (low + high);
            if goes(middle) <= way {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Solves the lower level of a trial, and gives up where U will clearly not rise.
struct Judge<'a> {
    settings: &'a Settings,
    /// V of the gradient.
    adjoint: &'a [f64],
    /// U before the step.
    utility: f64,
}

struct Trial {
    solution: Solution,
    /// Whether the solve ended; else `utility` is the estimate for which it was given up.
    solved: bool,
    utility: f64,
}

impl Judge<'_> {
    fn solve(&self, problem: &mut Problem, start: Start) -> Result<Trial> {
        let aim = self.settings.aim();
        let Settings {
            gradient,
            solver,
            limits,
            ..
        } = self.settings;
        let mut estimate = f64::NAN;
        let mut seen = 0;
        let (solution, given_up) =
            solve_from(*solver, problem, start, limits, &mut |problem, point| {
                seen += 1;
                // Only the full derivative knows what the rest of the way does to U; and where the
                // solve begins it is too far away to be believed. With a pull cap this is never
                // asked: there V answers forces on W, and the rest of the way is one of Z.
                if *gradient != Gradient::ImplicitTotal || seen == 1 {
                    return false;
                }
                // To first order U* = U - V'∇P. It need not be exact: what is taken is solved.
                let value = aim.value(problem, &point.w);
                let rest = -dot(self.adjoint, &point.gradient);
                estimate = value + rest;
                estimate.max(value) + rest.abs() < self.utility
            })?;
        let utility = if given_up {
            estimate
        } else {
            aim.value(problem, &solution.w)
        };
        Ok(Trial {
            solution,
            solved: !given_up,
            utility,
        })
    }
}
