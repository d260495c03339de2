//! Specification and data in, report out: the one entry of all front ends.
//!
//! Not here: files, clocks, threads. An [`Observer`] provides the time, is called at every iteration and
//! may end the run.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use crate::attack::{
    self, Domain, FeatureDomain, InjectedFeatures, Injection, Interval, Iterate, Pool,
};
use crate::data::sample::FeatureScaling;
use crate::data::sample::{self, Points, Sample, SampleSettings, TaskSample, share_of};
use crate::data::{DataSet, Kind, synthetic};
use crate::defence::certificate::certify;
use crate::defence::detection::{self, Dropped};
use crate::defence::sanitise::{self, Sanitise, Sanitised};
use crate::diagnosis::Findings;
use crate::error::{Error, Result};
use crate::linalg::dot;
use crate::metrics;
use crate::metrics::MetricName;
use crate::mtrl::{self, Learner, Limits, Problem, Solution, Task, Weights, single_task};
use crate::report::{
    self, Defence, Detection, FeatureUnits, Model, Report, SingleTask, SingleTaskModel, TracePoint,
};
use crate::spec::{DatasetRef, Radius, Shape, Spec};
use crate::warning::Warning;

/// The version of the engine, as written in reports and links.
pub const ENGINE: &str = env!("CARGO_PKG_VERSION");

/// Observes a run: provides the time and can end it.
pub trait Observer {
    /// Seconds since some fixed moment; only differences are used, and only for display.
    fn now(&mut self) -> f64 {
        0.0
    }

    /// Called once the sample and the random start of the injected points are drawn and the clean
    /// model is solved.
    fn clean(
        &mut self,
        _model: &Model,
        _sample: &Sample,
        _injections: &[Injection],
    ) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Called with the model of each iteration, before `iteration`.
    fn solved(&mut self, _solution: &Solution) {}

    /// Called after each iteration with its injected points. `Break` ends the run with
    /// `Error::Cancelled`.
    fn iteration(&mut self, _point: &TracePoint, _injections: &[Injection]) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// An observer that does nothing.
pub struct Unobserved;
impl Observer for Unobserved {}

/// A report and the points behind it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The report.
    pub report: Report,
    /// Clean training and test points, scaled.
    pub sample: Sample,
    /// Injected points of the last iteration, one entry for each attacking task.
    pub injections: Vec<Injection>,
    /// With a sanitiser: which training points of each task it keeps, injected ones behind clean
    /// ones.
    pub kept: Option<Vec<Vec<bool>>>,
}

impl Outcome {
    /// The text of `points.csv`: `task,split,label,x1,...,xd`, numbers as short as they can be
    /// without losing a bit. With a sanitiser a last column `kept`: 1, or 0 where it drops a
    /// training point.
    pub fn points_csv(&self) -> String {
        let last = if self.kept.is_some() { ",kept" } else { "" };
        let mut text = format!("task,split,label{}{last}\n", self.feature_names());
        // Points of a task come in the order of its flags: training points, then injected ones.
        let mut seen = vec![0; self.sample.tasks.len()];
        self.each_point(|task, split, label, x| {
            let _ = write!(text, "{task},{split},{label}");
            write_row(&mut text, x);
            if let Some(kept) = &self.kept {
                let is_kept = split == "test" || {
                    seen[task] += 1;
                    kept[task][seen[task] - 1]
                };
                text.push_str(if is_kept { ",1" } else { ",0" });
            }
            text.push('\n');
        });
        text
    }

    /// The poisoned data set, `task,label,x1,...,xd,split`: as the learner sees it. Injected
    /// points are training points like any other.
    pub fn poisoned_csv(&self) -> String {
        let mut text = format!("task,label{},split\n", self.feature_names());
        self.each_point(|task, split, label, x| {
            let _ = write!(text, "{task},{label}");
            write_row(&mut text, x);
            text.push_str(if split == "test" {
                ",test\n"
            } else {
                ",train\n"
            });
        });
        text
    }

    fn feature_names(&self) -> String {
        (1..=self.sample.features).fold(String::new(), |mut text, k| {
            let _ = write!(text, ",x{k}");
            text
        })
    }

    /// Calls with task, split, label and features of every point.
    fn each_point(&self, mut visit: impl FnMut(usize, &str, f64, &[f64])) {
        let d = self.sample.features;
        let mut block = |task: usize, split: &str, points: &[f64], labels: &[f64]| {
            for (row, &label) in points.chunks_exact(d + 1).zip(labels) {
                visit(task, split, label, &row[..d]);
            }
        };
        for (number, task) in self.sample.tasks.iter().enumerate() {
            block(number, "train", &task.train.features, &task.train.labels);
            block(number, "test", &task.test.features, &task.test.labels);
        }
        for Injection {
            task,
            points,
            labels,
        } in &self.injections
        {
            block(*task, "injected", points, labels);
        }
    }
}

fn write_row(text: &mut String, x: &[f64]) {
    for x in x {
        let _ = write!(text, ",{x}");
    }
}

/// The synthetic data set of a specification (determined by its loss and seed).
///
/// # Errors
/// Those of the generator.
pub fn load_synthetic(spec: &Spec) -> Result<DataSet> {
    let shape = Shape {
        tasks: synthetic::TASKS,
        kind: None,
        has_split: false,
    };
    synthetic::generate(spec.kind(&shape), spec.seed)
}

/// The start of a run.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Clean training and test points, scaled.
    pub sample: Sample,
    /// Injected points at iteration 0, one entry for each attacking task.
    pub injections: Vec<Injection>,
    /// The lower level with the clean points alone.
    pub clean: Problem,
    /// The lower level with the injected points behind the clean ones.
    pub poisoned: Problem,
}

/// Draws the sample and the injected points of a specification. `start_seed` draws the features of
/// the injected points (and nothing else) with another seed: another start for the same data.
///
/// # Errors
/// Data other than the specification names; too few points; too many injected ones, or too many
/// tasks of too many features.
pub fn prepare(spec: &Spec, data: &DataSet, start_seed: Option<u64>) -> Result<Prepared> {
    check_identity(spec, data)?;
    if !cfg!(feature = "defence") && spec.to_draft().is_defended() {
        return Err(Error::invalid(
            "learner",
            "defences are not part of this build of the engine",
        ));
    }
    let sample = sample::draw(
        data,
        &SampleSettings {
            train_per_task: spec.train_per_task,
            train_share: spec.train_share,
            test_per_task: spec.test_per_task,
            target_scaling: spec.target_scaling,
            feature_scaling: spec.feature_scaling,
            shared_rows: spec.shared_rows,
            seed: spec.seed,
        },
    )?;
    let counts = (spec.attackers.iter()).map(|&task| injected_count(spec, &sample, task));
    sample::check_numbers(counts.sum(), sample.features)?;
    let mut injections = draw_injections(spec, &sample, spec.seed)?;
    if let Some(seed) = start_seed {
        for (injection, other) in injections
            .iter_mut()
            .zip(draw_injections(spec, &sample, seed)?)
        {
            injection.points = other.points;
        }
    }
    Ok(Prepared {
        clean: problem(spec, &sample, &[])?,
        poisoned: problem(spec, &sample, &injections)?,
        sample,
        injections,
    })
}

/// The lower level of a specification: its learner on the clean training points of a sample, and
/// injected ones behind them.
///
/// # Errors
/// Points that do not fit the specification.
pub fn problem(spec: &Spec, sample: &Sample, injections: &[Injection]) -> Result<Problem> {
    let weights = Weights {
        loss: spec.loss,
        lambda1: spec.lambda1,
        lambda2: match spec.learner {
            Learner::SingleTask => 0.0,
            Learner::MultiTask | Learner::Capped => spec.lambda2,
        },
        epsilon: spec.epsilon,
    };
    Problem::new(weights, sample.features + 1, tasks(sample, injections))?
        .with_pull_cap(spec.pull_cap)
}

/// The settings of the attack in a specification.
///
/// # Errors
/// No row to copy.
pub fn attack_settings(spec: &Spec, sample: &Sample) -> Result<attack::Settings> {
    Ok(attack::Settings {
        targets: spec.targets.clone(),
        method: spec.method,
        gradient: spec.gradient,
        step: spec.step,
        step_size: spec.step_size,
        iterations: spec.iterations,
        batch_factor: spec.batch_factor,
        domain: domain(spec, sample),
        solver: spec.solver,
        limits: Limits::default(),
        pools: pools(spec, sample)?,
        seed: spec.seed,
    })
}

/// What may be copied into each attacking task, where only copies are injected.
fn pools(spec: &Spec, sample: &Sample) -> Result<Option<Vec<Pool>>> {
    if !cfg!(feature = "defence") || spec.injected_features == InjectedFeatures::Free {
        return Ok(None);
    }
    let radius = radius(spec, sample);
    let clean = tasks(sample, &[]);
    let kind = (spec.loss, sample.features + 1);
    let of_task = |&task: &usize| Pool::new(&clean, kind, task, radius);
    spec.attackers
        .iter()
        .map(of_task)
        .collect::<Result<Vec<Pool>>>()
        .map(Some)
}

/// The radius of the ball of the injected points; quantiles are those of all clean training points.
pub fn radius(spec: &Spec, sample: &Sample) -> f64 {
    match spec.radius {
        Radius::Fixed(radius) => radius,
        Radius::Quantile(quantile) => {
            let clean = tasks(sample, &[]);
            let clean: Vec<&Task> = clean.iter().collect();
            let mut norms = sanitise::norms(sample.features + 1, &clean).concat();
            norms.sort_by(f64::total_cmp);
            attack::quantile(&norms, quantile.share())
        }
    }
}

/// Runs a specification. `data` must be the data set that the specification names; for
/// `synthetic` use [`load_synthetic`].
///
/// # Errors
/// Data other than the specification names; too few points; a numerical breakdown; cancelled by
/// the observer.
pub fn run(spec: &Spec, data: &DataSet, observer: &mut dyn Observer) -> Result<Outcome> {
    let start = observer.now();
    let prepared = prepare(spec, data, None)?;
    let Prepared {
        sample,
        injections,
        clean: mut unpoisoned,
        mut poisoned,
    } = prepared;
    let settings = attack_settings(spec, &sample)?;
    let limits = &settings.limits;
    let clean_solution = mtrl::solve(spec.solver, &mut unpoisoned, None, limits)?;
    let clean = model(&clean_solution, &sample);
    cancelled(observer.clean(&clean, &sample, &injections))?;

    let mut trace = Vec::new();
    let mut worst = mtrl::Status::Converged;
    let (solution, injections, stop) = attack::run(
        &mut poisoned,
        injections,
        &settings,
        &mut |iterate: Iterate| {
            let metric_per_task = metric_per_task(&iterate.solution.w, &sample);
            worst = worst.max(iterate.solution.status);
            let point = TracePoint {
                iteration: iterate.iteration,
                utility: iterate.utility,
                metric: mean(
                    spec.targets
                        .iter()
                        .filter_map(|&task| metric_per_task[task]),
                ),
                metric_per_task,
                objective: iterate.solution.objective,
                certificate: iterate.solution.certificate,
                seconds: observer.now() - start,
            };
            observer.solved(iterate.solution);
            let flow = observer.iteration(&point, iterate.injections);
            trace.push(point);
            flow
        },
    )?;
    let attacked = model(&solution, &sample);
    let alone = |problem: &mut Problem, start: &Solution| -> Result<SingleTaskModel> {
        let w = single_task::solve(problem, &start.w, limits)?;
        Ok(SingleTaskModel {
            metric_per_task: metric_per_task(&w, &sample),
        })
    };
    let single_task = SingleTask {
        clean: alone(&mut unpoisoned, &clean_solution)?,
        attacked: alone(&mut poisoned, &solution)?,
    };
    let findings = Findings {
        spec,
        layout: &data.layout,
        sample: &sample,
        injections: &injections,
        clean: &clean,
        single_task: &single_task,
    };
    // What was noticed in the file already is not said twice.
    let mut warnings = data.warnings.clone();
    for found in findings.warnings() {
        let is_known = |known: &Warning| (known.code, &known.column) == (found.code, &found.column);
        if !data.warnings.iter().any(is_known) {
            warnings.push(found);
        }
    }
    let certified = match spec.learner {
        Learner::Capped if cfg!(feature = "defence") => {
            Some(certify(&poisoned, &solution, sample.kind, &tests(&sample))?)
        }
        _ => None,
    };
    let (defence, kept) = match spec.sanitise {
        Sanitise::None => (None, None),
        _ if cfg!(feature = "defence") => defend(spec, &sample, &unpoisoned, &poisoned)?,
        _ => (None, None),
    };
    let detection = detect(&poisoned, &solution, kept.as_ref());
    let models = [&clean, &attacked];
    let digest = report::digest(models, &trace, defence.as_ref(), certified.as_ref());
    let report = Report {
        spec: spec.clone(),
        engine: ENGINE.to_string(),
        data_sha256: data.sha256.clone(),
        columns: data.columns.clone(),
        task_names: data.task_names.clone(),
        target_tasks: spec.targets.clone(),
        attacking_tasks: spec.attackers.clone(),
        warnings,
        data_left_out: data.left_out.clone(),
        metric_name: MetricName::of(sample.kind),
        true_correlation: data
            .true_correlation
            .as_ref()
            .map(|values| report::rows(values, data.task_count())),
        clean,
        attacked,
        single_task,
        feature_units: feature_units(spec, &sample),
        worst_solver_status: worst,
        stop,
        certified,
        defence,
        detection,
        trace,
        digest,
    };
    Ok(Outcome {
        report,
        sample,
        injections,
        kept: kept.map(|sanitised| sanitised.kept),
    })
}

/// Test points (rows with bias) and labels of each task.
pub(crate) fn tests(sample: &Sample) -> Vec<(&[f64], &[f64])> {
    let tests = sample.tasks.iter().map(|task| &task.test);
    tests
        .map(|test| (test.features.as_slice(), test.labels.as_slice()))
        .collect()
}

/// The models of what the sanitiser keeps, and what it keeps of the poisoned training set.
fn defend(
    spec: &Spec,
    sample: &Sample,
    unpoisoned: &Problem,
    poisoned: &Problem,
) -> Result<(Option<Defence>, Option<Sanitised>)> {
    let train = |problem: &Problem| {
        let sanitised = sanitise::sanitise(spec.sanitise, spec.sanitise_share, problem)?;
        let mut kept = sanitise::subset(problem, &sanitised.kept)?;
        let solution = mtrl::solve(spec.solver, &mut kept, None, &Limits::default())?;
        Ok::<_, Error>((model(&solution, sample), sanitised))
    };
    let (clean, _) = train(unpoisoned)?;
    let (attacked, sanitised) = train(poisoned)?;
    Ok((Some(Defence { clean, attacked }), Some(sanitised)))
}

/// How well scores find the injected points; none where there are none.
fn detect(poisoned: &Problem, solution: &Solution, kept: Option<&Sanitised>) -> Option<Detection> {
    let tasks = sanitise::tasks_of(poisoned);
    let truth: Vec<bool> = (tasks.iter())
        .flat_map(|task| (0..task.labels.len()).map(|j| j >= task.clean))
        .collect();
    let figures = |scores: Vec<Vec<f64>>| detection::figures(&scores.concat(), &truth);
    let clean: Vec<usize> = tasks.iter().map(|task| task.clean).collect();
    truth.contains(&true).then(|| Detection {
        norm: figures(sanitise::norms(poisoned.dimension(), &tasks)),
        loss: figures(sanitise::losses(poisoned, &tasks, &solution.w)),
        sanitiser: kept.map(|sanitised| figures(sanitised.scores.clone())),
        dropped: kept.map(|sanitised| Dropped::count(&sanitised.kept, &clean)),
    })
}

/// Given where the specification uses them.
fn feature_units(spec: &Spec, sample: &Sample) -> Option<Vec<FeatureUnits>> {
    let needed =
        spec.feature_scaling != FeatureScaling::None || spec.feature_domain != FeatureDomain::Ball;
    let units = sample.columns.iter().map(|column| FeatureUnits {
        name: column.name.clone(),
        centre: column.units.original(0.0),
        scale: column.units.deviation * column.units.norm,
        whole: column.whole,
    });
    needed.then(|| units.collect())
}

fn check_identity(spec: &Spec, data: &DataSet) -> Result<()> {
    let same = match &spec.dataset {
        DatasetRef::Named(name) => *name == data.name,
        DatasetRef::File { sha256, .. } => *sha256 == data.sha256,
    };
    if same {
        return Ok(());
    }
    let found = format!("{} (SHA-256 {})", data.name, data.sha256);
    let expected = match &spec.dataset {
        DatasetRef::Named(name) => name.clone(),
        DatasetRef::File { name, sha256 } => format!("{name} (SHA-256 {sha256})"),
    };
    Err(Error::field("dataset", found, expected))
}

fn cancelled(flow: ControlFlow<()>) -> Result<()> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}

/// floor(b n_i).
fn injected_count(spec: &Spec, sample: &Sample, task: usize) -> usize {
    share_of(spec.budget, sample.tasks[task].train.count())
}

/// Where the injected points may lie.
fn domain(spec: &Spec, sample: &Sample) -> Domain {
    match spec.feature_domain {
        FeatureDomain::Ball => Domain::Ball {
            radius: radius(spec, sample),
        },
        FeatureDomain::Observed => {
            let intervals = sample.columns.iter().map(|column| Interval {
                low: column.units.scaled(column.low),
                high: column.units.scaled(column.high),
                whole: column.whole.then_some(column.units),
            });
            Domain::Observed(intervals.collect())
        }
    }
}

/// The injected points of each attacking task: uniform in the ball, then moved into the domain.
pub(crate) fn draw_injections(spec: &Spec, sample: &Sample, seed: u64) -> Result<Vec<Injection>> {
    if let Some(pools) = pools(spec, sample)? {
        let tasks = spec.attackers.iter().zip(&pools);
        let draw = |(&task, pool): (&usize, &Pool)| {
            let count = injected_count(spec, sample, task);
            pool.draw(task, count, sample.features + 1, seed)
        };
        return Ok(tasks.map(draw).collect());
    }
    let radius = radius(spec, sample);
    let classes = sample.kind == Kind::Classification;
    let domain = domain(spec, sample);
    Ok(spec
        .attackers
        .iter()
        .map(|&task| {
            let labels = &sample.tasks[task].train.labels;
            let count = injected_count(spec, sample, task);
            let rule = (spec.injected_labels, classes, labels.as_slice());
            let d = sample.features;
            let mut injection = Injection::draw(task, count, d, radius, rule, seed);
            for point in injection.points.chunks_exact_mut(d + 1) {
                domain.project(&mut point[..d]);
            }
            injection
        })
        .collect())
}

/// The tasks of the lower level: clean training points, injected ones behind them.
fn tasks(sample: &Sample, injections: &[Injection]) -> Vec<Task> {
    let mut tasks: Vec<Task> = (sample.tasks.iter())
        .map(
            |TaskSample {
                 train: Points { features, labels },
                 ..
             }| Task {
                points: features.clone(),
                labels: labels.clone(),
                clean: labels.len(),
            },
        )
        .collect();
    for injection in injections {
        tasks[injection.task].points.extend(&injection.points);
        tasks[injection.task].labels.extend(&injection.labels);
    }
    tasks
}

fn model(solution: &Solution, sample: &Sample) -> Model {
    let m = sample.tasks.len();
    Model {
        weights: report::rows(&solution.w, m),
        shared_weights: (solution.shared.as_ref()).map(|shared| report::rows(shared, m)),
        correlation: report::rows(&solution.spectrum.correlation(), m),
        objective: solution.objective,
        certificate: solution.certificate,
        metric_per_task: metric_per_task(&solution.w, sample),
        solver_status: solution.status,
    }
}

pub(crate) fn metric_per_task(w: &[f64], sample: &Sample) -> Vec<Option<f64>> {
    let dimension = sample.features + 1;
    let metric = match sample.kind {
        Kind::Regression => metrics::nmse,
        Kind::Classification => metrics::auc,
    };
    sample
        .tasks
        .iter()
        .zip(w.chunks_exact(dimension))
        .map(|(TaskSample { test, .. }, w)| {
            let scores: Vec<f64> = test
                .features
                .chunks_exact(dimension)
                .map(|x| dot(x, w))
                .collect();
            metric(&scores, &test.labels)
        })
        .collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| {
        (sum + value, count + 1)
    });
    (count > 0).then(|| sum / count as f64)
}
