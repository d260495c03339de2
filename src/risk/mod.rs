//! The risk of a set of tasks: which task can be used against which, what sharing costs, and what helps.
//!
//! [`map`]: entry (i, j) is what an attacker who injects into task i alone does to task j, by how much
//! the test metric of j gets worse when j is the target (on the diagonal a direct attack). [`curve`]: the
//! clean error and the worst such entry over λ2 or the pull cap. [`exposure`]: what attacks of several
//! budgets do to the target tasks, and what each remedy leaves of it. [`study`]: all of them as jobs that
//! can be run anywhere, in any order. Not here: threads, files, pictures.

pub mod curve;
pub mod exposure;
pub mod map;
pub mod study;

use serde::{Deserialize, Serialize};

use crate::attack::{self, Attack, Method};
use crate::data::DataSet;
use crate::data::sample::Sample;
use crate::defence::sanitise::Sanitise;
use crate::error::{Error, Result};
use crate::experiment::{self, Prepared};
use crate::metrics::MetricName;
use crate::mtrl::{self, Problem, Status};
use crate::spec::Spec;

pub use map::{RiskMap, spearman};
pub use study::{Found, Job, Part, Runner, Study};

/// A change of the metric that counts, of NMSE or AUC: smaller ones are about what another draw of the
/// points changes.
pub const NOTABLE: f64 = 0.05;

/// What all entries of a map share: the sample, the sums of its clean points, the clean solve.
pub struct Base {
    spec: Spec,
    sample: Sample,
    clean: Problem,
    clean_metric: Vec<Option<f64>>,
    correlation: Vec<f64>,
    status: Status,
}

/// What one attacked task does to every task: a row of the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct MapRow {
    /// The task with injected points, from 0.
    pub attacker: usize,
    /// Test metric of each task without an attack.
    pub clean: Vec<Option<f64>>,
    /// Test metric of each task at the end of the attack that targets it.
    pub attacked: Vec<Option<f64>>,
    /// Learned correlation of the attacked task with each task, on clean data.
    pub correlation: Vec<f64>,
    /// Whether every solve met the tolerance of its solver.
    pub converged: bool,
}

impl MapRow {
    /// By how much the metric of a task is worse than without the attack.
    pub fn damage(&self, target: usize, metric: MetricName) -> Option<f64> {
        damage(metric, self.clean[target]?, self.attacked[target]?)
    }
}

/// By how much a metric is worse: positive is harm, for NMSE and AUC alike.
fn damage(metric: MetricName, clean: f64, attacked: f64) -> Option<f64> {
    let value = match metric {
        MetricName::Nmse => attacked - clean,
        MetricName::Auc => clean - attacked,
    };
    value.is_finite().then_some(value)
}

/// The specification of an entry: a run of it gives the same numbers.
pub fn cell_spec(spec: &Spec, attacker: usize, target: usize) -> Spec {
    Spec {
        targets: vec![target],
        attackers: vec![attacker],
        attack: if attacker == target {
            Attack::Direct
        } else {
            Attack::Indirect
        },
        ..spec.clone()
    }
}

fn met(status: Status) -> bool {
    matches!(status, Status::Converged | Status::Settled)
}

impl Base {
    /// Draws the sample and solves without an attack.
    ///
    /// # Errors
    /// Those of a run; a method that optimises nothing; a sanitiser, which the map does not use.
    pub fn new(spec: &Spec, data: &DataSet) -> Result<Self> {
        check(spec)?;
        let first = cell_spec(spec, 0, 0);
        let Prepared { sample, clean, .. } = experiment::prepare(&first, data, None)?;
        let settings = experiment::attack_settings(&first, &sample)?;
        let mut solved = clean.clone();
        let solution = mtrl::solve(spec.solver, &mut solved, None, &settings.limits)?;
        Ok(Self {
            clean_metric: experiment::metric_per_task(&solution.w, &sample),
            correlation: solution.spectrum.correlation(),
            status: solution.status,
            spec: spec.clone(),
            sample,
            clean,
        })
    }

    /// m.
    pub fn task_count(&self) -> usize {
        self.sample.tasks.len()
    }

    /// Test metric of each task without an attack.
    pub fn clean_metric(&self) -> &[Option<f64>] {
        &self.clean_metric
    }

    /// Whether the clean solve met the tolerance of its solver.
    pub fn converged(&self) -> bool {
        met(self.status)
    }

    /// Attacks each task in turn through this one. The injected points of all these attacks start at the
    /// same place, since what is drawn does not depend on the target.
    ///
    /// # Errors
    /// A numerical breakdown.
    pub fn row(&self, attacker: usize) -> Result<MapRow> {
        let m = self.task_count();
        let spec = cell_spec(&self.spec, attacker, attacker);
        let injections = experiment::draw_injections(&spec, &self.sample, spec.seed)?;
        let mut settings = experiment::attack_settings(&spec, &self.sample)?;
        let mut poisoned = self.clean.clone();
        for injection in &injections {
            poisoned.inject(injection.task, &injection.points, &injection.labels);
        }
        let mut status = self.status;
        let mut attacked = Vec::with_capacity(m);
        for target in 0..m {
            settings.targets = vec![target];
            let (solution, ..) = attack::run(
                &mut poisoned.clone(),
                injections.clone(),
                &settings,
                &mut |iterate| {
                    status = status.max(iterate.solution.status);
                    std::ops::ControlFlow::Continue(())
                },
            )?;
            attacked.push(experiment::metric_per_task(&solution.w, &self.sample)[target]);
        }
        Ok(MapRow {
            attacker,
            clean: self.clean_metric.clone(),
            attacked,
            correlation: self.correlation[attacker * m..(attacker + 1) * m].to_vec(),
            converged: met(status),
        })
    }
}

/// What a risk map can be made of.
fn check(spec: &Spec) -> Result<()> {
    if spec.method == Method::Random {
        return Err(Error::invalid(
            "method",
            "random does not optimise: a risk map would show luck; use patom",
        ));
    }
    if spec.sanitise != Sanitise::None {
        return Err(Error::invalid(
            "sanitise",
            "a risk map is of a learner without a sanitiser; use none",
        ));
    }
    for (field, is_plain) in [
        ("starts", spec.starts == 1),
        ("knowledge", spec.knowledge == 1.0),
    ] {
        if !is_plain {
            return Err(Error::invalid(
                field,
                "a risk map is of one start of an attacker who sees all points; leave it out",
            ));
        }
    }
    Ok(())
}

/// Tn (name), for people.
fn titled(task: usize, names: &[String]) -> String {
    match names.get(task) {
        Some(name) => format!("T{} ({})", task + 1, crate::error::visible(name)),
        None => format!("T{}", task + 1),
    }
}
