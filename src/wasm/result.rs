//! Part of the module `engine`: what a run reports, as plain objects. No exports.

use serde::Serialize;
use tsify::Tsify;

use super::convert::{Numbers, Scene};
use crate::attack::Stop;
use crate::defence::detection::Dropped;
use crate::metrics::MetricName;
use crate::mtrl::Status;
use crate::projection::{Plane, Snapshot};
use crate::report::{self, TracePoint, mean_metric};
use crate::spec::Spec;
use crate::warning::{LeftOut, Warning};

/// A trained model.
#[derive(Serialize, Tsify)]
pub struct Model {
    /// Row-major, a row for each task, the bias last.
    weights: Numbers,
    /// Row-major.
    correlation: Numbers,
    objective: f64,
    /// Bound on the distance of the objective from the optimum.
    certificate: f64,
    metric_per_task: Numbers,
    /// Mean over the targets.
    metric: f64,
    solver_status: Status,
}

impl Model {
    pub(super) fn new(model: &report::Model, targets: &[usize]) -> Self {
        Self {
            weights: Numbers::matrix(&model.weights),
            correlation: Numbers::matrix(&model.correlation),
            objective: model.objective,
            certificate: model.certificate,
            metric_per_task: Numbers::optional(&model.metric_per_task),
            metric: model.mean_metric(targets).unwrap_or(f64::NAN),
            solver_status: model.solver_status,
        }
    }
}

/// An iteration of a run.
#[derive(Serialize, Tsify)]
pub struct Progress {
    /// Two numbers for each injected point of the scene: its place along both directions.
    places: Numbers,
    /// Mean distance of these points from where they started.
    moved: f64,
    /// How many of these points lie on the surface of the ball.
    on_surface: usize,
    iteration: usize,
    utility: f64,
    metric: f64,
    metric_per_task: Numbers,
    objective: f64,
    certificate: f64,
    seconds: f64,
    /// Row-major; empty where there are more than [`FOLLOWED_TASKS`] tasks.
    correlation: Numbers,
}

/// Up to this many tasks each iteration reports its correlations: of more, a long run would fill the memory.
pub(super) const FOLLOWED_TASKS: usize = 40;

impl Progress {
    pub(super) fn new(point: &TracePoint, snapshot: &Snapshot, correlation: &[f64]) -> Self {
        Self {
            correlation: Numbers::of(correlation),
            places: Numbers::of(&snapshot.places),
            moved: snapshot.moved,
            on_surface: snapshot.on_surface,
            iteration: point.iteration,
            utility: point.utility,
            metric: point.metric.unwrap_or(f64::NAN),
            metric_per_task: Numbers::optional(&point.metric_per_task),
            objective: point.objective,
            certificate: point.certificate,
            seconds: point.seconds,
        }
    }
}

/// What a run reports while it lasts: the clean model once, then every iteration.
#[derive(Serialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunEvent {
    Clean { model: Model, scene: Scene },
    Progress(Progress),
}

pub(super) fn scene(plane: &Plane) -> Scene {
    let scene = plane.scene();
    let [along, across] = scene.names.clone();
    Scene {
        along,
        across,
        radius: scene.radius,
        classes: scene.classes,
        targets: scene.targets.clone(),
        attackers: scene.attackers.clone(),
        clean: Numbers::of(&scene.clean),
        injected: Numbers::of(&scene.injected),
        count: scene.count,
    }
}

/// A column for each quantity of a trace, an entry for each iteration.
#[derive(Serialize, Tsify)]
pub struct Trace {
    iteration: Numbers,
    utility: Numbers,
    metric: Numbers,
    objective: Numbers,
    certificate: Numbers,
    seconds: Numbers,
    /// Row-major, a row for each iteration.
    metric_per_task: Numbers,
}

/// What single-task learning is worth on the same points.
#[derive(Serialize, Tsify)]
pub struct SingleTask {
    /// Test metric of each task, trained on the clean points.
    clean: Numbers,
    /// The same, trained on clean and injected points.
    attacked: Numbers,
    /// Mean over the targets of `attacked`.
    metric: f64,
}

/// What a sanitiser brings: mean metrics of the targets.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Sanitised {
    clean: Option<f64>,
    attacked: Option<f64>,
    /// Of each task, under attack.
    per_task: Numbers,
    dropped: Option<Dropped>,
}

/// The result of a run, for showing.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Report {
    spec: Spec,
    engine: String,
    data_sha256: String,
    /// Text of the mapping that read an opened file, where one did.
    columns: Option<String>,
    task_names: Vec<String>,
    target_tasks: Vec<usize>,
    attacking_tasks: Vec<usize>,
    /// What can make the result meaningless.
    warnings: Vec<Warning>,
    /// What is worth knowing of the data, and no reason for doubt.
    notes: Vec<Warning>,
    /// What a user's file holds that the run did not use.
    data_left_out: Vec<LeftOut>,
    metric_name: MetricName,
    /// Row-major, where it is known.
    true_correlation: Option<Numbers>,
    clean: Model,
    attacked: Model,
    single_task: SingleTask,
    /// With a pull cap: the worst metric of each task that points in other tasks can cause.
    certified: Option<Numbers>,
    /// Its mean over the targets, where all of them have one.
    certified_metric: Option<f64>,
    /// With a sanitiser: what is learned from the points that it keeps.
    sanitised: Option<Sanitised>,
    /// With several starts: the one that the result is of, from 0.
    won: Option<usize>,
    converged: bool,
    stop: Stop,
    trace: Trace,
    digest: String,
    /// What a link to this result says of it.
    claim: String,
    /// How many points the attacker injected.
    injected: usize,
}

impl Report {
    pub(super) fn new(report: &report::Report, injected: usize) -> Self {
        let column = |value: fn(&TracePoint) -> f64| report.trace.iter().map(value).collect();
        let per_task = report.trace.iter().flat_map(|point| &point.metric_per_task);
        let (notes, warnings) =
            (report.warnings.iter().cloned()).partition(|warning| warning.code.is_note());
        Self {
            spec: report.spec.clone(),
            engine: report.engine.clone(),
            data_sha256: report.data_sha256.clone(),
            columns: report.columns.clone(),
            task_names: report.task_names.clone(),
            target_tasks: report.target_tasks.clone(),
            attacking_tasks: report.attacking_tasks.clone(),
            warnings,
            notes,
            data_left_out: report.data_left_out.clone(),
            metric_name: report.metric_name,
            true_correlation: report.true_correlation.as_deref().map(Numbers::matrix),
            clean: Model::new(&report.clean, &report.target_tasks),
            attacked: Model::new(&report.attacked, &report.target_tasks),
            single_task: SingleTask {
                clean: Numbers::optional(&report.single_task.clean.metric_per_task),
                attacked: Numbers::optional(&report.single_task.attacked.metric_per_task),
                metric: mean_metric(
                    &report.single_task.attacked.metric_per_task,
                    &report.target_tasks,
                )
                .unwrap_or(f64::NAN),
            },
            certified: (report.certified.as_ref())
                .map(|certified| Numbers::optional(&certified.metric_per_task)),
            certified_metric: (report.certified.as_ref())
                .map(|certified| &certified.metric_per_task)
                .filter(|metrics| (report.target_tasks.iter()).all(|&task| metrics[task].is_some()))
                .and_then(|metrics| mean_metric(metrics, &report.target_tasks)),
            sanitised: report.defence.as_ref().map(|defence| Sanitised {
                clean: mean_metric(&defence.clean.metric_per_task, &report.target_tasks),
                attacked: mean_metric(&defence.attacked.metric_per_task, &report.target_tasks),
                per_task: Numbers::optional(&defence.attacked.metric_per_task),
                dropped: (report.detection.as_ref()).and_then(|detection| detection.dropped),
            }),
            won: report.starts.as_ref().map(|starts| starts.won),
            converged: report.converged(),
            stop: report.stop,
            trace: Trace {
                iteration: column(|point| point.iteration as f64),
                utility: column(|point| point.utility),
                metric: column(|point| point.metric.unwrap_or(f64::NAN)),
                objective: column(|point| point.objective),
                certificate: column(|point| point.certificate),
                seconds: column(|point| point.seconds),
                metric_per_task: per_task.map(|value| value.unwrap_or(f64::NAN)).collect(),
            },
            digest: report.digest.clone(),
            claim: report.claim().write(),
            injected,
        }
    }
}
