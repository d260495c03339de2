//! The work that is timed, the same natively and in wasm (feature `bench`; no part of the product).
//!
//! Here: what one repetition does. Not here: clocks, statistics, tables.

use crate::attack::{Aim, Gradient, gradient};
use crate::data::DataSet;
use crate::error::{Error, Result};
use crate::experiment::{self, Prepared, Unobserved};
use crate::linalg::add_gram;
use crate::mtrl::{Limits, Problem, Solution, Task, certified};
use crate::paper::plan::{Figure, Protocol, plan};
use crate::spec::Spec;

/// Names of the kinds of work.
pub const KINDS: [&str; 5] = ["solve", "hypergradient", "run", "gram", "product"];

/// One specification, ready to be worked on again and again.
pub struct Workload<'a> {
    spec: Spec,
    data: &'a DataSet,
    prepared: Prepared,
    clean: Vec<Task>,
    solution: Solution,
}

impl<'a> Workload<'a> {
    /// Prepares the default specification of a named data set.
    ///
    /// # Errors
    /// As `experiment::prepare`.
    pub fn new(data: &'a DataSet) -> Result<Self> {
        let spec = Spec::default_of(&data.name);
        let mut prepared = experiment::prepare(&spec, data, None)?;
        let clean = (0..data.task_count())
            .map(|number| prepared.clean.task(number).clone())
            .collect();
        let solution = certified::solve(&mut prepared.poisoned, None, &Limits::default())?;
        Ok(Self {
            spec,
            data,
            prepared,
            clean,
            solution,
        })
    }

    /// Does one repetition of a kind of [`KINDS`]; the number it gives keeps the work from being
    /// optimised away.
    ///
    /// # Errors
    /// An unknown kind; those of the work itself.
    pub fn repeat(&mut self, kind: &str) -> Result<f64> {
        match kind {
            // Cold, from the points: their sums are part of it.
            "solve" => {
                let dimension = self.prepared.sample.features + 1;
                let weights = *self.prepared.clean.weights();
                let mut problem = Problem::new(weights, dimension, self.clean.clone())?;
                Ok(certified::solve(&mut problem, None, &Limits::default())?.objective)
            }
            "hypergradient" => {
                let full = gradient::full(
                    Gradient::ImplicitTotal,
                    &mut self.prepared.poisoned,
                    &self.solution,
                    Aim::training_loss(&self.spec.targets),
                    &self.prepared.injections,
                )?;
                Ok(full[0][0])
            }
            "run" => {
                let outcome = experiment::run(&self.spec, self.data, &mut Unobserved)?;
                Ok(outcome.report.attacked.objective)
            }
            // The Gram matrices of the clean points.
            "gram" => {
                let dimension = self.prepared.sample.features + 1;
                let mut gram = vec![0.0; dimension * dimension];
                for task in &self.clean {
                    let rows: Vec<&[f64]> = task.points.chunks_exact(dimension).collect();
                    add_gram(&mut gram, dimension, 1.0, &rows);
                }
                Ok(gram[0])
            }
            // Of the curvature of each task with its weights.
            "product" => {
                let dimension = self.prepared.sample.features + 1;
                let mut product = vec![0.0; dimension];
                for (i, w) in self.solution.w.chunks_exact(dimension).enumerate() {
                    (self.prepared.poisoned).multiply_curvature(i, &mut product, w);
                }
                Ok(product[0])
            }
            _ => Err(Error::field(
                "kind",
                kind,
                format!("one of {}", KINDS.join(", ")),
            )),
        }
    }
}

/// How many runs Figure 2 has on a data set with one seed.
///
/// # Errors
/// A data set that is not in the figure.
pub fn figure_runs(dataset: &str) -> Result<usize> {
    Ok(plan(Figure::Quality, Protocol::Exact, dataset, 1, 1)?.len())
}

/// Does one run of Figure 2.
///
/// # Errors
/// Those of the run.
pub fn figure_run(data: &DataSet, number: usize) -> Result<f64> {
    let runs = plan(Figure::Quality, Protocol::Exact, &data.name, 1, 1)?;
    let run = runs
        .get(number)
        .ok_or_else(|| Error::field("number", number, "a planned run"))?;
    Ok(experiment::run(&run.spec, data, &mut Unobserved)?
        .report
        .attacked
        .objective)
}

/// Seconds of each repetition: at least `least` of them, then until `seconds` are over.
///
/// # Errors
/// Those of the work.
pub fn time(
    work: &mut dyn FnMut() -> Result<f64>,
    least: usize,
    seconds: f64,
    now: &dyn Fn() -> f64,
) -> Result<Vec<f64>> {
    let begin = now();
    let mut times = Vec::new();
    let mut last = begin;
    while times.len() < least || last - begin < seconds {
        let sum = work()?;
        if sum.is_nan() {
            return Err(Error::data("the work gave no number"));
        }
        let after = now();
        times.push(after - last);
        last = after;
    }
    Ok(times)
}
