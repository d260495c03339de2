//! λ1 and λ2 by cross-validation on the clean training points of a specification.
//!
//! The training points of each task are dealt to folds. For each pair of the grid the learner is
//! trained without a fold and predicts it. The NMSE of a task is over the predictions of all its
//! points, its AUC over the pairs of points in the same fold: models of different folds have
//! different biases. The metric of a pair is the mean over the tasks. λ2 = 0 is
//! single-task learning. Test points and injected points are never seen. Neighbours on the grid are
//! warm starts. Everything is drawn from a stream of the specification's seed: the same choice
//! everywhere.
//!
//! Not here: files, threads. Progress is reported, and may end the work.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::data::sample::{Points, Sample};
use crate::data::{DataSet, Kind};
use crate::error::{Error, Result};
use crate::experiment;
use crate::linalg::dot;
use crate::metrics::{self, MetricName};
use crate::mtrl::certified::{self, MIN_EPSILON};
use crate::mtrl::{Limits, Problem, Solution, Status, Task, Weights, single_task};
use crate::rng::{Random, Stream};
use crate::spec::{Shape, Spec, link};

/// How λ1 and λ2 are chosen.
///
/// | field | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `folds` | 5 | parts of each task's training points | 2 to 20 |
/// | `lambda1` | 1, 0.1, ..., 1e-6 | values of λ1 | 1 to 50 values from 1e-12 to 1e6 |
/// | `lambda2` | 1, 0.1, ..., 1e-6 | values of λ2 beside 0 | the same |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct Grid {
    /// Parts of each task's training points.
    pub folds: usize,
    /// Values of λ1.
    pub lambda1: Vec<f64>,
    /// Values of λ2 beside 0.
    pub lambda2: Vec<f64>,
}

impl Default for Grid {
    fn default() -> Self {
        let powers = vec![1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6];
        Self {
            folds: 5,
            lambda1: powers.clone(),
            lambda2: powers,
        }
    }
}

impl Grid {
    /// Checked, each list without repeats and from large to small.
    fn checked(&self) -> Result<Self> {
        if !(2..=20).contains(&self.folds) {
            return Err(Error::out_of_range("folds", self.folds, "between 2 and 20"));
        }
        let sorted = |field: &str, values: &[f64]| {
            if !(1..=50).contains(&values.len()) {
                let found = format!("{} values", values.len());
                return Err(Error::out_of_range(field, found, "1 to 50 values"));
            }
            let is_bad = |value: &&f64| !(**value >= 1e-12 && **value <= 1e6);
            if let Some(bad) = values.iter().find(is_bad) {
                return Err(Error::out_of_range(field, bad, "between 1e-12 and 1e6"));
            }
            let mut values = values.to_vec();
            values.sort_by(|a, b| b.total_cmp(a));
            values.dedup();
            Ok(values)
        };
        Ok(Self {
            folds: self.folds,
            lambda1: sorted("lambda1", &self.lambda1)?,
            lambda2: sorted("lambda2", &self.lambda2)?,
        })
    }
}

/// The error of one pair of the grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Trial {
    /// λ1.
    pub lambda1: f64,
    /// λ2; 0 is single-task learning.
    pub lambda2: f64,
    /// Mean over the tasks that have a metric; none where no task has one.
    pub metric: Option<f64>,
    /// How many of these tasks are predicted no better than by guessing (NMSE of 1 or more, AUC of
    /// 0.5 or less).
    pub no_better_than_guessing: usize,
    /// Whether every solve met the stopping rule.
    pub converged: bool,
}

/// The choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Tuning {
    /// The specification with the chosen λ1 and λ2: those of `multi_task`.
    pub spec: Spec,
    /// Its link.
    pub link: String,
    /// The metric; NMSE is to be low, AUC high.
    pub metric_name: MetricName,
    /// Parts of each task's training points.
    pub folds: usize,
    /// The best pair with λ2 above 0; of equals the largest λ1, then the largest λ2.
    pub multi_task: Trial,
    /// The best λ1 of single-task learning.
    pub single_task: Trial,
    /// The best pair is at the edge of the grid: a wider one may have a better pair.
    pub at_edge: bool,
    /// What the specification has, where that is a pair of the grid.
    pub given: Option<Trial>,
    /// Every pair, λ1 from large to small, for each λ2 from large to small, 0 last.
    pub trials: Vec<Trial>,
}

impl Tuning {
    /// For each λ1, from large to small: the best metric over the values of λ2, and that of single-task
    /// learning.
    pub fn curves(&self) -> Vec<(f64, Option<f64>, Option<f64>)> {
        let is_row = |a: &Trial, b: &Trial| a.lambda1 == b.lambda1;
        let better = |a: f64, b: f64| match self.metric_name {
            MetricName::Nmse => a.min(b),
            MetricName::Auc => a.max(b),
        };
        (self.trials.chunk_by(is_row))
            .map(|row| {
                let coupled = row.iter().filter(|trial| trial.lambda2 > 0.0);
                let best = coupled.filter_map(|trial| trial.metric).reduce(better);
                let single = row.iter().find(|trial| trial.lambda2 == 0.0);
                (row[0].lambda1, best, single.and_then(|trial| trial.metric))
            })
            .collect()
    }
}

/// Called with the number of solved problems and how many there are; `Break` ends the work.
pub type OnProgress<'a> = dyn FnMut(usize, usize) -> ControlFlow<()> + 'a;

/// Chooses λ1 and λ2 for a specification. `data` must be the data set that it names.
///
/// # Errors
/// As `experiment::prepare`; a grid out of range; `Error::Data` where no task has points enough to
/// be predicted; a numerical breakdown; `Error::Cancelled` where `on_progress` breaks.
pub fn tune(
    spec: &Spec,
    data: &DataSet,
    grid: &Grid,
    on_progress: &mut OnProgress,
) -> Result<Tuning> {
    let grid = grid.checked()?;
    // Nothing is injected.
    let clean = Spec {
        budget: 0.0,
        ..spec.clone()
    };
    let sample = experiment::prepare(&clean, data, None)?.sample;
    let folds = deal(&sample, grid.folds, spec.seed);
    if folds.iter().flatten().all(Option::is_none) {
        return Err(Error::data(
            "no task has two training points; cross-validation needs at least two in a task",
        ));
    }
    let pairs: Vec<(f64, f64)> = (grid.lambda1.iter())
        .flat_map(|&lambda1| {
            let multi_task = grid.lambda2.iter().copied();
            multi_task
                .chain([0.0])
                .map(move |lambda2| (lambda1, lambda2))
        })
        .collect();
    // For each pair, for each task: the prediction of each training point.
    let blank: Vec<Vec<f64>> = (sample.tasks.iter())
        .map(|task| vec![0.0; task.train.count()])
        .collect();
    let mut predictions = vec![blank; pairs.len()];
    let mut converged = vec![true; pairs.len()];
    let total = grid.folds * pairs.len();
    for fold in 0..grid.folds {
        let mut problem = without(spec, &sample, &folds, fold)?;
        let mut start: Option<Solution> = None;
        // The first pair of a λ1 starts from the first pair of the one before.
        let mut first: Option<Solution> = None;
        for (at, &(lambda1, lambda2)) in pairs.iter().enumerate() {
            problem.set_lambdas(lambda1, lambda2)?;
            let w = if lambda2 > 0.0 {
                if lambda2 == grid.lambda2[0] {
                    start = first.take();
                }
                let limits = Limits::default();
                let solution = certified::solve(&mut problem, start.as_ref(), &limits)?;
                converged[at] &= solution.status == Status::Converged;
                if lambda2 == grid.lambda2[0] {
                    first = Some(solution.clone());
                }
                start.insert(solution).w.clone()
            } else {
                let w = match &start {
                    Some(last) => last.w.clone(),
                    None => vec![0.0; sample.tasks.len() * (sample.features + 1)],
                };
                single_task::solve(&mut problem, &w, &Limits::default())?
            };
            predict(&sample, &folds, fold, &w, &mut predictions[at]);
            let done = fold * pairs.len() + at + 1;
            if on_progress(done, total).is_break() {
                return Err(Error::Cancelled);
            }
        }
    }
    let trials: Vec<Trial> = (pairs.iter().zip(predictions).zip(converged))
        .map(|((&(lambda1, lambda2), predictions), converged)| {
            let metrics = metrics_of(&sample, &folds, &predictions);
            Trial {
                lambda1,
                lambda2,
                no_better_than_guessing: (metrics.iter())
                    .filter(|&&value| is_guessing(sample.kind, value))
                    .count(),
                metric: (!metrics.is_empty())
                    .then(|| metrics.iter().sum::<f64>() / metrics.len() as f64),
                converged,
            }
        })
        .collect();
    let metric_name = MetricName::of(sample.kind);
    let best = |wanted: fn(&Trial) -> bool| {
        best_of(metric_name, trials.iter().filter(|trial| wanted(trial)))
            .ok_or_else(|| Error::data("no task has a metric: its labels are all equal"))
    };
    let multi_task = best(|trial| trial.lambda2 > 0.0)?;
    let single_task = best(|trial| trial.lambda2 == 0.0)?;
    let chosen = Spec {
        lambda1: multi_task.lambda1,
        lambda2: multi_task.lambda2,
        ..spec.clone()
    };
    let given = (trials.iter())
        .find(|trial| trial.lambda1 == spec.lambda1 && trial.lambda2 == spec.lambda2);
    let is_end =
        |values: &[f64], value: f64| value == values[0] || value == values[values.len() - 1];
    let at_edge =
        is_end(&grid.lambda1, multi_task.lambda1) || is_end(&grid.lambda2, multi_task.lambda2);
    let fragment = link::encode(&chosen, &Shape::of(data));
    Ok(Tuning {
        link: link::with_columns(&fragment, data.columns.as_deref()),
        spec: chosen,
        metric_name,
        folds: grid.folds,
        at_edge,
        given: given.cloned(),
        multi_task,
        single_task,
        trials,
    })
}

/// The fold of each training point of each task; none: a task of one point, which always trains.
type Folds = Vec<Vec<Option<usize>>>;

/// Deals the training points of each task to folds, as evenly as possible, and each class as evenly
/// as possible. Tasks that have the same rows share their folds: a row that one task predicts, no
/// task trains on.
fn deal(sample: &Sample, folds: usize, seed: u64) -> Folds {
    let tasks = &sample.tasks;
    (0..tasks.len())
        .map(|task| {
            let points = &tasks[task].train;
            let n = points.count();
            if n < 2 {
                return vec![None; n];
            }
            let same_rows = |other: &usize| tasks[*other].train.features == points.features;
            let stream = (0..task).find(same_rows).unwrap_or(task);
            let mut order = Random::new(seed, Stream::Folds, stream as u64).choose(n, n);
            if sample.kind == Kind::Classification {
                let labels = &tasks[stream].train.labels;
                order.sort_by_key(|&row| labels[row] > 0.0);
            }
            let mut dealt = vec![None; n];
            for (place, row) in order.into_iter().enumerate() {
                dealt[row] = Some(place % folds);
            }
            dealt
        })
        .collect()
}

/// The lower level without the points of a fold.
fn without(spec: &Spec, sample: &Sample, folds: &Folds, fold: usize) -> Result<Problem> {
    let dimension = sample.features + 1;
    let tasks = (sample.tasks.iter().zip(folds)).map(|(task, folds)| {
        let Points { features, labels } = &task.train;
        let kept: Vec<usize> = (0..labels.len())
            .filter(|&row| folds[row] != Some(fold))
            .collect();
        Task {
            points: (kept.iter())
                .flat_map(|row| &features[row * dimension..(row + 1) * dimension])
                .copied()
                .collect(),
            labels: kept.iter().map(|&row| labels[row]).collect(),
            clean: kept.len(),
        }
    });
    let weights = Weights {
        loss: spec.loss,
        lambda1: spec.lambda1,
        lambda2: spec.lambda2,
        // The choice is made with the certified solver, whatever the specification uses.
        epsilon: spec.epsilon.max(MIN_EPSILON),
    };
    Problem::new(weights, dimension, tasks.collect())
}

/// Fills in the predictions of the points of a fold.
fn predict(sample: &Sample, folds: &Folds, fold: usize, w: &[f64], predictions: &mut [Vec<f64>]) {
    let dimension = sample.features + 1;
    for (task, w) in w.chunks_exact(dimension).enumerate() {
        let rows = sample.tasks[task].train.features.chunks_exact(dimension);
        let places = predictions[task].iter_mut().zip(&folds[task]);
        for (row, (prediction, of)) in rows.zip(places) {
            if *of == Some(fold) {
                *prediction = dot(row, w);
            }
        }
    }
}

/// The metrics of the tasks that have one.
fn metrics_of(sample: &Sample, folds: &Folds, predictions: &[Vec<f64>]) -> Vec<f64> {
    (sample.tasks.iter().zip(folds).zip(predictions))
        .filter(|((_, folds), _)| folds.iter().all(Option::is_some))
        .filter_map(|((task, folds), predictions)| {
            let labels = &task.train.labels;
            match sample.kind {
                Kind::Regression => metrics::nmse(predictions, labels),
                Kind::Classification => auc_within(folds, predictions, labels),
            }
        })
        .collect()
}

/// The share of pairs of a positive and a negative point of the same fold that are ranked right.
fn auc_within(folds: &[Option<usize>], predictions: &[f64], labels: &[f64]) -> Option<f64> {
    let last = folds.iter().flatten().max()?;
    let (mut right, mut pairs) = (0.0, 0.0);
    for fold in 0..=*last {
        let rows = || (0..labels.len()).filter(|&row| folds[row] == Some(fold));
        let scores: Vec<f64> = rows().map(|row| predictions[row]).collect();
        let labels: Vec<f64> = rows().map(|row| labels[row]).collect();
        if let Some(auc) = metrics::auc(&scores, &labels) {
            let positives = labels.iter().filter(|&&label| label > 0.0).count();
            let count = (positives * (labels.len() - positives)) as f64;
            right += auc * count;
            pairs += count;
        }
    }
    (pairs > 0.0).then(|| right / pairs)
}

fn is_guessing(kind: Kind, value: f64) -> bool {
    match kind {
        Kind::Regression => value >= 1.0,
        Kind::Classification => value <= 0.5,
    }
}

/// The best of trials that come from large to small λ: the first of equals.
fn best_of<'a>(metric: MetricName, trials: impl Iterator<Item = &'a Trial>) -> Option<Trial> {
    let is_better = |a: f64, b: f64| match metric {
        MetricName::Nmse => a < b,
        MetricName::Auc => a > b,
    };
    let mut best: Option<(&Trial, f64)> = None;
    for trial in trials {
        let Some(value) = trial.metric else { continue };
        if best.is_none_or(|(_, least)| is_better(value, least)) {
            best = Some((trial, value));
        }
    }
    best.map(|(trial, _)| trial.clone())
}
