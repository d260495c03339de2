//! The learner and the attacker alone, on arrays as they are.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use serde_json::Value;

use super::work::{Progress, Reporter, interruptibly};
use super::{bytes, choice, exception, exception_of_all};
use crate::attack::{self, Attack, Domain, Injection, Iterate};
use crate::data::Kind;
use crate::data::sample::share_of;
use crate::error::{Error, Result};
use crate::mtrl::{self, Learner, Limits, Loss, Problem, Solution, Solver, Task, Weights};
use crate::spec::{Draft, Shape, Spec};

/// X (n x d, row by row, without a bias) and y of a task.
type TaskArrays = (PyBuffer<f64>, PyBuffer<f64>);

/// The settings of the learner.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct LearnerSettings {
    loss: String,
    learner: String,
    pull_cap: Option<f64>,
    lambda1: f64,
    lambda2: f64,
    epsilon: f64,
    solver: String,
    tolerance: f64,
    max_iterations: usize,
}

/// The same, with words understood.
struct Lower {
    weights: Weights,
    pull_cap: Option<f64>,
    solver: Solver,
    limits: Limits,
}

impl LearnerSettings {
    fn understood(&self, py: Python<'_>) -> PyResult<Lower> {
        let learner: Learner = choice(py, "learner", &self.learner, Learner::WORDS)?;
        let pull_cap = match (learner, self.pull_cap) {
            (Learner::Capped, None) => Some(0.1),
            (Learner::Capped, cap) => cap,
            (_, None) => None,
            (_, Some(_)) => {
                let error = Error::invalid("pull_cap", "only with the learner capped");
                return Err(exception(py, &error));
            }
        };
        Ok(Lower {
            weights: Weights {
                loss: choice(py, "loss", &self.loss, Loss::WORDS)?,
                lambda1: self.lambda1,
                lambda2: lambda2_of(learner, self.lambda2),
                epsilon: self.epsilon,
            },
            pull_cap,
            solver: choice(py, "solver", &self.solver, Solver::WORDS)?,
            limits: Limits {
                tolerance: self.tolerance,
                max_iterations: self.max_iterations,
            },
        })
    }
}

/// Single-task learning is multi-task learning without coupling.
fn lambda2_of(learner: Learner, lambda2: f64) -> f64 {
    match learner {
        Learner::SingleTask => 0.0,
        Learner::MultiTask | Learner::Capped => lambda2,
    }
}

impl Lower {
    fn problem(&self, features: usize, tasks: Vec<Task>) -> Result<Problem> {
        Problem::new(self.weights, features + 1, tasks)?.with_pull_cap(self.pull_cap)
    }
}

/// With the bias appended to each row.
fn read_tasks(py: Python<'_>, features: usize, given: &[TaskArrays]) -> PyResult<Vec<Task>> {
    let task = |(x, y): &TaskArrays| {
        let (x, labels) = (x.to_vec(py)?, y.to_vec(py)?);
        let rows = x.chunks_exact(features.max(1));
        Ok(Task {
            points: rows
                .flat_map(|row| row.iter().copied().chain([1.0]))
                .collect(),
            clean: labels.len(),
            labels,
        })
    };
    given.iter().map(task).collect()
}

fn solution<'py>(py: Python<'py>, solution: &Solution) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("weights", bytes(py, &solution.w))?;
    out.set_item("omega", bytes(py, &solution.spectrum.omega()))?;
    out.set_item("correlation", bytes(py, &solution.spectrum.correlation()))?;
    out.set_item("objective", solution.objective)?;
    out.set_item("certificate", solution.certificate)?;
    out.set_item("iterations", solution.iterations)?;
    out.set_item("status", solution.status.word())?;
    Ok(out)
}

/// The learner alone.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "PyO3 hands over owned values"
)]
pub fn solve(
    py: Python<'_>,
    features: usize,
    given: Vec<TaskArrays>,
    settings: LearnerSettings,
) -> PyResult<Bound<'_, PyDict>> {
    let lower = settings.understood(py)?;
    let tasks = read_tasks(py, features, &given)?;
    drop(given);
    let solved = interruptibly(py, None, move |_| {
        let mut problem = lower.problem(features, tasks)?;
        mtrl::solve(lower.solver, &mut problem, None, &lower.limits)
    })?;
    solution(py, &solved)
}

/// What a specification with these fields says of the learner and the attacker. Only its radius does not
/// count: here it is in the units of the points.
fn read_spec(py: Python<'_>, spec: &str, tasks: usize) -> PyResult<Spec> {
    let mut draft = Draft::parse(spec).map_err(|error| exception(py, &error))?;
    draft.set("attack", Attack::Hybrid.word().into());
    let loss = draft.get("loss").and_then(Value::as_str);
    let shape = Shape {
        tasks,
        kind: loss.and_then(Loss::from_word).map(|loss| match loss {
            Loss::Squared => Kind::Regression,
            Loss::SquaredHinge => Kind::Classification,
        }),
        has_split: false,
    };
    (draft.check(&shape)).map_err(|errors| exception_of_all(py, &errors))
}

/// Task, X with the bias last, y.
type Block<'py> = (usize, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// The attacker alone, on points as they are. `spec` is JSON.
#[pyfunction]
#[pyo3(signature = (features, given, spec, radius, limits, progress=None))]
pub fn poison<'py>(
    py: Python<'py>,
    features: usize,
    given: Vec<TaskArrays>,
    spec: &str,
    radius: f64,
    limits: (f64, usize),
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let spec = read_spec(py, spec, given.len())?;
    if !(radius > 0.0 && radius.is_finite()) {
        let error = Error::out_of_range("radius", radius, "positive and finite");
        return Err(exception(py, &error));
    }
    let lower = Lower {
        weights: Weights {
            loss: spec.loss,
            lambda1: spec.lambda1,
            lambda2: lambda2_of(spec.learner, spec.lambda2),
            epsilon: spec.epsilon,
        },
        pull_cap: spec.pull_cap,
        solver: spec.solver,
        limits: Limits {
            tolerance: limits.0,
            max_iterations: limits.1,
        },
    };
    let mut tasks = read_tasks(py, features, &given)?;
    drop(given);
    let work = move |reporter: &mut Reporter| {
        // Checks the points as well, before anything is drawn from them.
        let mut unpoisoned = lower.problem(features, tasks.clone())?;
        let clean = mtrl::solve(lower.solver, &mut unpoisoned, None, &lower.limits)?;
        let draw = |&task: &usize| {
            let labels = tasks[task].labels.as_slice();
            let count = share_of(spec.budget, labels.len());
            let classes = spec.loss == Loss::SquaredHinge;
            let rule = (spec.injected_labels, classes, labels);
            Injection::draw(task, count, features, radius, rule, spec.seed)
        };
        let injections: Vec<Injection> = spec.attackers.iter().map(draw).collect();
        for injection in &injections {
            tasks[injection.task].points.extend(&injection.points);
            tasks[injection.task].labels.extend(&injection.labels);
        }
        let settings = attack::Settings {
            targets: spec.targets,
            utility: spec.utility,
            method: spec.method,
            gradient: spec.gradient,
            step: spec.step,
            step_size: spec.step_size,
            iterations: spec.iterations,
            batch_factor: spec.batch_factor,
            domain: Domain::Ball { radius },
            solver: lower.solver,
            limits: lower.limits,
            pools: None,
            seed: spec.seed,
        };
        let mut utility = Vec::new();
        let mut problem = lower.problem(features, tasks)?;
        let observe = &mut |iterate: Iterate| {
            utility.push(iterate.utility);
            let (iteration, utility) = (iterate.iteration, iterate.utility);
            reporter.report(Progress::Iteration(iteration, None, utility))
        };
        let (last, injections, stop) = attack::run(&mut problem, injections, &settings, observe)?;
        Ok((clean, last, utility, injections, stop))
    };
    let (clean, poisoned, utility, injections, stop) = interruptibly(py, progress, work)?;
    let block = |injection: &Injection| -> Block<'py> {
        let (x, y) = (&injection.points, &injection.labels);
        (injection.task, bytes(py, x), bytes(py, y))
    };
    let out = PyDict::new(py);
    out.set_item("clean", solution(py, &clean)?)?;
    out.set_item("poisoned", solution(py, &poisoned)?)?;
    out.set_item("utility", bytes(py, &utility))?;
    out.set_item(
        "injections",
        injections.iter().map(block).collect::<Vec<_>>(),
    )?;
    out.set_item("stop", stop.word())?;
    Ok(out)
}
