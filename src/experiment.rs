//! Specification and data in, report out: the one entry of all front ends.
//!
//! Not here: files, clocks, threads. An [`Observer`] provides the time, is called at every iteration and
//! may end the run.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use crate::attack::{self, FeatureDomain, Injection};
use crate::attacker::{self, Ended, Known, start_seed};
use crate::data::sample::FeatureScaling;
use crate::data::sample::{self, Sample, SampleSettings, TaskSample};
use crate::data::{DataSet, Kind, synthetic};
use crate::defence::certificate::certify;
use crate::defence::detection::{self, Dropped};
use crate::defence::ranking;
use crate::defence::sanitise::{self, Sanitise, Sanitised};
use crate::diagnosis::Findings;
use crate::error::{Error, Result};
use crate::linalg::dot;
use crate::metrics;
use crate::metrics::MetricName;
use crate::mtrl::{self, Learner, Limits, Problem, Solution, Weights, single_task};
use crate::report::{
    self, Defence, Detection, FeatureUnits, Model, Report, SingleTask, SingleTaskModel,
    StartResult, Starts, TaskDetection, TaskScores, TracePoint,
};
use crate::spec::{DatasetRef, Shape, Spec};
use crate::warning::Warning;

pub use crate::attacker::{radius, settings as attack_settings};

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

    /// Called before each start of the attack, where there are several; from 0. Then `iteration` counts
    /// from 0 again.
    fn start(&mut self, _number: usize) -> ControlFlow<()> {
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
    /// With an attacker of limited knowledge: which clean training points of each task it sees.
    pub known: Option<Vec<Vec<bool>>>,
    /// With a sanitiser: which training points of each task it keeps, injected ones behind clean
    /// ones.
    pub kept: Option<Vec<Vec<bool>>>,
}

impl Outcome {
    /// The points behind the report.
    pub fn points(&self) -> RunPoints<'_> {
        RunPoints {
            features: self.sample.features,
            tasks: &self.sample.tasks,
            injections: &self.injections,
            known: self.known.as_deref(),
            kept: self.kept.as_deref(),
        }
    }

    /// As [`RunPoints::csv`].
    pub fn points_csv(&self) -> String {
        self.points().csv()
    }

    /// As [`RunPoints::poisoned_csv`].
    pub fn poisoned_csv(&self) -> String {
        self.points().poisoned_csv()
    }
}

/// The points of a run; the fields are those of [`Outcome`].
#[derive(Clone, Copy, Debug)]
pub struct RunPoints<'a> {
    /// d.
    pub features: usize,
    /// Clean points.
    pub tasks: &'a [TaskSample],
    /// Injected ones.
    pub injections: &'a [Injection],
    /// Which clean training points the attacker sees.
    pub known: Option<&'a [Vec<bool>]>,
    /// Which training points a sanitiser keeps.
    pub kept: Option<&'a [Vec<bool>]>,
}

impl RunPoints<'_> {
    /// The text of `points.csv`: `task,split,label,x1,...,xd`, numbers as short as they can be
    /// without losing a bit. With an attacker of limited knowledge a column `known`: 0 for a clean
    /// training point that it does not see, else 1. With a sanitiser a last column `kept`: 1, or 0
    /// where it drops a training point.
    pub fn csv(&self) -> String {
        let known = if self.known.is_some() { ",known" } else { "" };
        let last = if self.kept.is_some() { ",kept" } else { "" };
        let mut text = format!("task,split,label{}{known}{last}\n", self.feature_names());
        // Points of a task come in the order of its flags: training points, then injected ones.
        let mut seen = vec![0; self.tasks.len()];
        self.each_point(|task, split, label, x| {
            let _ = write!(text, "{task},{split},{label}");
            write_row(&mut text, x);
            // What the flags say of the next training point of the task; others have none.
            let at = seen[task];
            seen[task] += usize::from(split != "test");
            for flags in [self.known, self.kept].into_iter().flatten() {
                let flag = split == "test" || flags[task].get(at).is_none_or(|flag| *flag);
                text.push_str(if flag { ",1" } else { ",0" });
            }
            text.push('\n');
        });
        text
    }

    /// The poisoned data set, `task,label,x1,...,xd,split`: as the learner sees it. Injected
    /// points are training points like any other. Tasks count from 1, as people see them.
    pub fn poisoned_csv(&self) -> String {
        let mut text = format!("task,label{},split\n", self.feature_names());
        self.each_point(|task, split, label, x| {
            let _ = write!(text, "{},{label}", task + 1);
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
        (1..=self.features).fold(String::new(), |mut text, k| {
            let _ = write!(text, ",x{k}");
            text
        })
    }

    /// Calls with task, split, label and features of every point.
    fn each_point(&self, mut visit: impl FnMut(usize, &str, f64, &[f64])) {
        let d = self.features;
        let mut block = |task: usize, split: &str, points: &[f64], labels: &[f64]| {
            for (row, &label) in points.chunks_exact(d + 1).zip(labels) {
                visit(task, split, label, &row[..d]);
            }
        };
        for (number, task) in self.tasks.iter().enumerate() {
            block(number, "train", &task.train.features, &task.train.labels);
            block(number, "test", &task.test.features, &task.test.labels);
        }
        for Injection {
            task,
            points,
            labels,
        } in self.injections
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
    if !cfg!(feature = "beyond_paper") && spec.to_draft().needs_extras() {
        return Err(Error::data(
            "this build of the engine has the paper's learner and attacker only",
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
    let counts = attacker::counts(spec, &sample);
    sample::check_numbers(counts.iter().sum(), sample.features)?;
    let known = Known::draw(spec, &sample);
    let seen = known.as_ref().map_or(&sample, |known| &known.sample);
    let draw = |seed| attacker::draw(spec, seen, &counts, seed);
    let mut injections = draw(spec.seed)?;
    if let Some(seed) = start_seed {
        for (injection, other) in injections.iter_mut().zip(draw(seed)?) {
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
    let tasks = attacker::tasks(sample, injections);
    Problem::new(weights, sample.features + 1, tasks)?.with_pull_cap(spec.pull_cap)
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
    let known = Known::draw(spec, &sample);
    let limits = &Limits::default();
    let clean_solution = mtrl::solve(spec.solver, &mut unpoisoned, None, limits)?;
    let clean = model(&clean_solution, &sample);
    cancelled(observer.clean(&clean, &sample, &injections))?;

    let Strongest {
        ended,
        trace,
        worst,
        starts,
    } = strongest_start(
        spec,
        (&sample, known.as_ref()),
        &mut poisoned,
        &injections,
        (observer, start),
    )?;
    let Ended {
        solution,
        surrogate,
        injections,
        stop,
    } = ended;
    let surrogate = surrogate.map(|solution| model(&solution, &sample));
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
        Learner::Capped if cfg!(feature = "beyond_paper") => {
            Some(certify(&poisoned, &solution, sample.kind, &tests(&sample))?)
        }
        _ => None,
    };
    let (defence, kept) = match spec.sanitise {
        Sanitise::None => (None, None),
        _ if cfg!(feature = "beyond_paper") => defend(spec, &sample, &unpoisoned, &poisoned)?,
        _ => (None, None),
    };
    let detection = detect(
        (&unpoisoned, &clean_solution),
        (&poisoned, &solution),
        kept.as_ref(),
    );
    let models = [&clean, &attacked];
    let digest = report::digest(
        models,
        &trace,
        (defence.as_ref(), certified.as_ref()),
        (surrogate.as_ref(), starts.as_ref()),
    );
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
        starts,
        surrogate,
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
        known: known.map(|known| known.flags),
        kept: kept.map(|sanitised| sanitised.kept),
    })
}

/// The attack of the start that won.
struct Strongest {
    ended: Ended,
    trace: Vec<TracePoint>,
    /// Over all starts.
    worst: mtrl::Status,
    starts: Option<Starts>,
}

/// Runs the attack from every start; `poisoned` holds the points of the one that won at the end.
/// `injections` are those of the first.
fn strongest_start(
    spec: &Spec,
    (sample, known): (&Sample, Option<&Known>),
    poisoned: &mut Problem,
    injections: &[Injection],
    (observer, begin): (&mut dyn Observer, f64),
) -> Result<Strongest> {
    let seen = known.map_or(sample, |known| &known.sample);
    let mut settings = attack_settings(spec, seen)?;
    let starts = if cfg!(feature = "beyond_paper") {
        spec.starts
    } else {
        1
    };
    let mut worst = mtrl::Status::Converged;
    let mut results = Vec::with_capacity(starts);
    let mut best: Option<(usize, Ended, Vec<TracePoint>)> = None;
    // Sums that have moved have other last bits: no start depends on those before it.
    let unmoved = (starts > 1).then(|| poisoned.clone());
    for number in 0..starts {
        let mut injections = injections.to_vec();
        if let Some(unmoved) = &unmoved {
            cancelled(observer.start(number))?;
            poisoned.clone_from(unmoved);
            settings.seed = start_seed(spec.seed, number);
            injections =
                attacker::draw(spec, seen, &attacker::counts(spec, sample), settings.seed)?;
            attack::place(poisoned, &injections);
        }
        let mut trace = Vec::new();
        let ended = attacker::run(
            poisoned,
            known,
            injections,
            &settings,
            &mut |iterate, solution| {
                let metric_per_task = metric_per_task(&solution.w, sample);
                worst = worst.max(iterate.solution.status).max(solution.status);
                let point = TracePoint {
                    iteration: iterate.iteration,
                    utility: iterate.utility,
                    metric: report::mean_metric(&metric_per_task, &spec.targets),
                    metric_per_task,
                    objective: solution.objective,
                    certificate: solution.certificate,
                    seconds: observer.now() - begin,
                };
                observer.solved(solution);
                let flow = observer.iteration(&point, iterate.injections);
                trace.push(point);
                flow
            },
        )?;
        let last = trace.last().expect("iteration 0 is always observed");
        let result = StartResult {
            utility: last.utility,
            metric: last.metric,
        };
        // The first of equals.
        let better = |(won, ..): &(usize, Ended, _)| {
            let best: &StartResult = &results[*won];
            result.utility > best.utility
        };
        if best.as_ref().is_none_or(better) {
            best = Some((number, ended, trace));
        }
        results.push(result);
    }
    let (won, ended, trace) = best.expect("there is a start");
    if won + 1 < starts {
        attack::place(poisoned, &ended.injections);
    }
    Ok(Strongest {
        ended,
        trace,
        worst,
        starts: (starts > 1).then_some(Starts { won, results }),
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

/// How well scores find the injected points and the attacked tasks; none where there are none. Clean
/// and poisoned problem, each with its solution.
fn detect(
    (unpoisoned, clean): (&Problem, &Solution),
    (poisoned, solution): (&Problem, &Solution),
    kept: Option<&Sanitised>,
) -> Option<Detection> {
    let tasks = sanitise::tasks_of(poisoned);
    let truth: Vec<bool> = (tasks.iter())
        .flat_map(|task| (0..task.labels.len()).map(|j| j >= task.clean))
        .collect();
    if !truth.contains(&true) {
        return None;
    }
    let figures = |scores: Vec<Vec<f64>>| detection::figures(&scores.concat(), &truth);
    let counts: Vec<usize> = tasks.iter().map(|task| task.clean).collect();
    let losses = sanitise::losses(poisoned, &tasks, &solution.w);
    let of_tasks = cfg!(feature = "beyond_paper").then(|| {
        let attacked: Vec<bool> = (tasks.iter())
            .map(|task| task.clean < task.labels.len())
            .collect();
        let scores = |clean: Vec<f64>, now: Vec<f64>| TaskScores {
            figures: detection::figures(&now, &attacked),
            clean,
            attacked: now,
        };
        let before = sanitise::losses(unpoisoned, &sanitise::tasks_of(unpoisoned), &clean.w);
        let [before_correlation, correlation] = [clean, solution]
            .map(|model| ranking::mean_correlations(&model.spectrum.correlation(), tasks.len()));
        TaskDetection {
            own_loss: scores(ranking::own_losses(&before), ranking::own_losses(&losses)),
            mean_correlation: scores(before_correlation, correlation),
        }
    });
    Some(Detection {
        norm: figures(sanitise::norms(poisoned.dimension(), &tasks)),
        loss: figures(losses),
        sanitiser: kept.map(|sanitised| figures(sanitised.scores.clone())),
        dropped: kept.map(|sanitised| Dropped::count(&sanitised.kept, &counts)),
        tasks: of_tasks,
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

/// The injected points that an attacker who sees the sample begins with.
pub(crate) fn draw_injections(spec: &Spec, sample: &Sample, seed: u64) -> Result<Vec<Injection>> {
    attacker::draw(spec, sample, &attacker::counts(spec, sample), seed)
}

pub(crate) fn model(solution: &Solution, sample: &Sample) -> Model {
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
