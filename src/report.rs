//! What a run gives: the report, its digest, and the text of its files. Not here: writing files.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::attack::Stop;
use crate::data::hex;
use crate::defence::certificate::Certified;
use crate::defence::detection::{Dropped, ScoreFigures};
use crate::metrics::MetricName;
use crate::mtrl::Status;
use crate::spec::link::Claim;
use crate::spec::{DatasetRef, Spec};
use crate::warning::{LeftOut, Warning};

/// A trained model and what it is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Model {
    /// m arrays of D numbers, the bias last.
    pub weights: Vec<Vec<f64>>,
    /// Laid out as `weights`: the part that tasks share, where there is a pull cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_weights: Option<Vec<Vec<f64>>>,
    /// m x m: Ω_ij / sqrt(Ω_ii Ω_jj).
    pub correlation: Vec<Vec<f64>>,
    /// P(W) of the lower level.
    pub objective: f64,
    /// Bound on P(W) - P*.
    pub certificate: f64,
    /// Test metric of each task; none where it is not defined (AUC with one class only).
    pub metric_per_task: Vec<Option<f64>>,
    /// How the solver ended.
    pub solver_status: Status,
}

impl Model {
    /// Mean metric over the given tasks; tasks that have none do not count.
    pub fn mean_metric(&self, tasks: &[usize]) -> Option<f64> {
        mean_metric(&self.metric_per_task, tasks)
    }
}

/// What a sanitiser does: the models that are trained on what it keeps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Defence {
    /// Of the clean training set: what the defence costs.
    pub clean: Model,
    /// Of the poisoned training set.
    pub attacked: Model,
}

/// How well scores find the injected points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Detection {
    /// |x|.
    pub norm: ScoreFigures,
    /// Loss under the attacked model.
    pub loss: ScoreFigures,
    /// The score of the sanitiser, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sanitiser: Option<ScoreFigures>,
    /// What the sanitiser dropped of the poisoned training set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Dropped>,
    /// How well scores find the attacked tasks; only from a build with defences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<TaskDetection>,
}

/// How well scores of tasks find the attacked ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskDetection {
    /// Mean training loss.
    pub own_loss: TaskScores,
    /// Mean |correlation| with the other tasks: the paper's clue.
    pub mean_correlation: TaskScores,
}

/// A score of the tasks, the higher the more suspicious.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskScores {
    /// Of each task in the clean model: something ranks first there, too.
    pub clean: Vec<f64>,
    /// Of each task in the attacked model.
    pub attacked: Vec<f64>,
    /// How well the latter finds the attacked tasks.
    #[serde(flatten)]
    pub figures: ScoreFigures,
}

/// Mean of a metric over the given tasks; tasks that have none do not count.
pub fn mean_metric(metric_per_task: &[Option<f64>], tasks: &[usize]) -> Option<f64> {
    let values: Vec<f64> = (tasks.iter())
        .filter_map(|&task| metric_per_task[task])
        .collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// What single-task learning is worth: each task alone, the same λ1, no coupling.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SingleTask {
    /// Trained on the clean points.
    pub clean: SingleTaskModel,
    /// Trained on clean and injected points, those of the last iteration.
    pub attacked: SingleTaskModel,
}

/// The models of single-task learning on one training set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SingleTaskModel {
    /// Test metric of each task; none where it is not defined.
    pub metric_per_task: Vec<Option<f64>>,
}

/// The units of a feature column: `value = centre + scale * x` for x in the space of points.csv.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureUnits {
    /// Name of the column.
    pub name: String,
    /// Its value at zero.
    pub centre: f64,
    /// Its change for one unit; 0 for a column that is constant in the training points.
    pub scale: f64,
    /// All training values are whole numbers.
    pub whole: bool,
}

/// One iteration of the attack; 0 is the random start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TracePoint {
    /// From 0.
    pub iteration: usize,
    /// U: the utility that the specification names, as the attacker computes it.
    pub utility: f64,
    /// Mean metric of the target tasks that have one.
    pub metric: Option<f64>,
    /// Test metric of each task.
    pub metric_per_task: Vec<Option<f64>>,
    /// P(W) of the lower level.
    pub objective: f64,
    /// Bound on P(W) - P*.
    pub certificate: f64,
    /// Wall time since the start of the run; no part of the digest.
    pub seconds: f64,
}

/// How one start of the attack ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StartResult {
    /// U, the attacker's utility.
    pub utility: f64,
    /// Mean metric of the target tasks that have one.
    pub metric: Option<f64>,
}

/// Several starts of the attack: the largest utility wins, the first of equals.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Starts {
    /// Which start the trace and the models are of, from 0.
    pub won: usize,
    /// How each ended.
    pub results: Vec<StartResult>,
}

/// The whole result of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Complete specification, defaults filled in.
    pub spec: Spec,
    /// Version of the engine.
    pub engine: String,
    /// SHA-256 of the data set (see `DataSet::sha256`).
    pub data_sha256: String,
    /// The mapping that read a user's file, where one did (see `data::mapping`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<String>,
    /// Names of the tasks.
    pub task_names: Vec<String>,
    /// Target tasks, from 0.
    pub target_tasks: Vec<usize>,
    /// Attacking tasks, from 0.
    pub attacking_tasks: Vec<usize>,
    /// What can make the result meaningless.
    pub warnings: Vec<Warning>,
    /// What a user's file holds that the run did not use.
    pub data_left_out: Vec<LeftOut>,
    /// Which metric the numbers are.
    pub metric_name: MetricName,
    /// Correlation of the tasks, m x m, where it is known (synthetic).
    pub true_correlation: Option<Vec<Vec<f64>>>,
    /// Trained on the clean points.
    pub clean: Model,
    /// Trained on clean and injected points, at the last iteration.
    pub attacked: Model,
    /// What single-task learning is worth on the same points; no part of the digest.
    pub single_task: SingleTask,
    /// Units of the features, where they are standardised or held to observed values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature_units: Option<Vec<FeatureUnits>>,
    /// Status of every solve of the attack: `converged` only if all of them were.
    pub worst_solver_status: Status,
    /// Why the attack ended.
    pub stop: Stop,
    /// With several starts: how each ended, and which one the rest of the report is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<Starts>,
    /// With an attacker of limited knowledge: its own model of the points that it sees and those that
    /// it injects, at the last iteration. The utility is that of this model on the points that it sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surrogate: Option<Model>,
    /// With the capped learner: what no points in other tasks can exceed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certified: Option<Certified>,
    /// With a sanitiser: the models of what it keeps. `clean` and `attacked` are without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defence: Option<Defence>,
    /// Where points are injected: how well scores find them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection: Option<Detection>,
    /// Iteration by iteration.
    pub trace: Vec<TracePoint>,
    /// 16 hexadecimal digits over the bits of all numeric results but the seconds.
    pub digest: String,
}

impl Report {
    /// The claim that a link to this result makes. A user's file is identified by the specification.
    pub fn claim(&self) -> Claim {
        let named = matches!(self.spec.dataset, DatasetRef::Named(_));
        let last = self.trace.last();
        Claim {
            engine: Some(self.engine.clone()),
            data_sha256: named.then(|| self.data_sha256.chars().take(12).collect()),
            digest: Some(self.digest.clone()),
            metric: last.and_then(|point| point.metric),
            utility: last.map(|point| point.utility),
        }
    }

    /// Every solve behind the report met the stopping rule of its solver.
    pub fn converged(&self) -> bool {
        [self.clean.solver_status, self.worst_solver_status]
            .iter()
            .all(|status| matches!(status, Status::Converged | Status::Settled))
    }

    /// The course of the attack as CSV: a row for each iteration. A metric that is not defined is
    /// empty.
    pub fn trace_csv(&self) -> String {
        let metric = self.metric_name.word();
        let mut text = format!("iteration,{metric},utility,objective,certificate,seconds");
        for task in 1..=self.task_names.len() {
            let _ = write!(text, ",{metric}_T{task}");
        }
        text.push('\n');
        let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        for point in &self.trace {
            let _ = write!(
                text,
                "{},{},{},{},{},{}",
                point.iteration,
                optional(point.metric),
                point.utility,
                point.objective,
                point.certificate,
                point.seconds
            );
            for &value in &point.metric_per_task {
                let _ = write!(text, ",{}", optional(value));
            }
            text.push('\n');
        }
        text
    }

    /// The task correlations as CSV: a row for each task of each model; `true` where it is known.
    pub fn correlations_csv(&self) -> String {
        let mut text = String::from("model,task");
        for task in 1..=self.task_names.len() {
            let _ = write!(text, ",T{task}");
        }
        text.push('\n');
        let models = [
            ("true", self.true_correlation.as_ref()),
            ("clean", Some(&self.clean.correlation)),
            ("attacked", Some(&self.attacked.correlation)),
        ];
        for (name, rows) in models {
            for (task, row) in rows.into_iter().flatten().enumerate() {
                let _ = write!(text, "{name},T{}", task + 1);
                for value in row {
                    let _ = write!(text, ",{value}");
                }
                text.push('\n');
            }
        }
        text
    }
}

/// Collects numbers for a digest: the first 64 bits of a SHA-256 over their bits, in order.
#[derive(Default)]
pub(crate) struct Digester(Sha256);

impl Digester {
    pub(crate) fn number(&mut self, value: f64) {
        // -0 and 0 are the same number to a reader.
        self.0.update((value + 0.0).to_bits().to_le_bytes());
    }

    pub(crate) fn numbers(&mut self, values: &[f64]) {
        values.iter().for_each(|&value| self.number(value));
    }

    pub(crate) fn optional(&mut self, value: Option<f64>) {
        self.0.update([u8::from(value.is_some())]);
        self.number(value.unwrap_or(0.0));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.0.update(text.as_bytes());
    }

    fn model(&mut self, model: &Model) {
        model.weights.iter().for_each(|row| self.numbers(row));
        model.correlation.iter().for_each(|row| self.numbers(row));
        self.numbers(&[model.objective, model.certificate]);
        model
            .metric_per_task
            .iter()
            .for_each(|&value| self.optional(value));
    }

    pub(crate) fn finish(self) -> String {
        hex(&self.0.finalize()[..8])
    }
}

/// A row-major matrix of `count` rows as a list of rows.
pub(crate) fn rows(values: &[f64], count: usize) -> Vec<Vec<f64>> {
    values
        .chunks_exact(values.len() / count)
        .map(<[f64]>::to_vec)
        .collect()
}

/// The digest of a result; with a sanitiser the models of what it keeps are part of it, with a pull
/// cap what is certified, with limited knowledge the attacker's model, with several starts their
/// results.
pub fn digest(
    [clean, attacked]: [&Model; 2],
    trace: &[TracePoint],
    (defence, certified): (Option<&Defence>, Option<&Certified>),
    (surrogate, starts): (Option<&Model>, Option<&Starts>),
) -> String {
    let mut digester = Digester::default();
    digester.model(clean);
    digester.model(attacked);
    for point in trace {
        digester.number(point.iteration as f64);
        digester.number(point.utility);
        digester.optional(point.metric);
        point
            .metric_per_task
            .iter()
            .for_each(|&value| digester.optional(value));
        digester.numbers(&[point.objective, point.certificate]);
    }
    if let Some(defence) = defence {
        digester.model(&defence.clean);
        digester.model(&defence.attacked);
    }
    if let Some(certified) = certified {
        let metrics = certified.metric_per_task.iter();
        metrics.for_each(|&value| digester.optional(value));
        digester.numbers(&certified.pull);
    }
    if let Some(surrogate) = surrogate {
        digester.model(surrogate);
    }
    if let Some(starts) = starts {
        digester.number(starts.won as f64);
        for result in &starts.results {
            digester.number(result.utility);
            digester.optional(result.metric);
        }
    }
    digester.finish()
}
