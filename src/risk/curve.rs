//! What sharing costs: the clean error and the worst that one task can do to another, over λ2 or the
//! pull cap.

use serde::{Deserialize, Serialize};

use super::study::Subject;
use super::{MapRow, titled};
use crate::choice::choice;
use crate::metrics::MetricName;
use crate::minus::minus;
use crate::mtrl::{Learner, Solver};
use crate::paper::figures::mean;
use crate::spec::Spec;

choice! {
    /// What is varied.
    Knob {
        /// The strength of the task relationship.
        Lambda2 = "lambda2" => "λ2",
        /// How hard other tasks can pull at a task, with the capped learner.
        PullCap = "pull_cap" => "pull cap μ",
    }
}

impl Knob {
    /// Its values.
    pub fn values(self) -> &'static [f64] {
        match self {
            Self::Lambda2 => &[3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0],
            Self::PullCap => &[3e-3, 0.01, 0.03, 0.1, 0.3, 1.0],
        }
    }

    /// The specification with a value; none: multi-task learning without a cap.
    pub(crate) fn spec(self, spec: &Spec, value: Option<f64>) -> Spec {
        match (self, value) {
            (Self::Lambda2, Some(value)) => Spec {
                lambda2: value,
                ..spec.clone()
            },
            (Self::PullCap, Some(value)) => with_cap(spec, value),
            (_, None) => Spec {
                learner: Learner::MultiTask,
                pull_cap: None,
                ..spec.clone()
            },
        }
    }

    /// The places of the curve: its values, and multi-task learning without a cap.
    pub(crate) fn places(self) -> Vec<Option<f64>> {
        let values = self.values().iter().copied().map(Some);
        match self {
            Self::Lambda2 => values.collect(),
            Self::PullCap => values.chain([None]).collect(),
        }
    }
}

/// The capped learner in place of the one of a specification.
pub(crate) fn with_cap(spec: &Spec, cap: f64) -> Spec {
    Spec {
        learner: Learner::Capped,
        pull_cap: Some(cap),
        ..certified(spec)
    }
}

/// Each task alone.
pub(crate) fn alone(spec: &Spec) -> Spec {
    Spec {
        learner: Learner::SingleTask,
        pull_cap: None,
        ..certified(spec)
    }
}

/// These learners need the certified solver, and that a floor.
fn certified(spec: &Spec) -> Spec {
    Spec {
        solver: Solver::Certified,
        epsilon: if spec.epsilon > 0.0 {
            spec.epsilon
        } else {
            1e-6
        },
        ..spec.clone()
    }
}

/// What a curve keeps of a row of the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Harm {
    /// The task with injected points, from 0.
    pub attacker: usize,
    /// Mean test metric of all tasks without an attack.
    pub clean: Option<f64>,
    /// The other task that it harms most.
    pub target: Option<usize>,
    /// By how much.
    pub worst: Option<f64>,
    /// Mean damage to the other tasks.
    pub mean: Option<f64>,
    /// Damage to itself.
    pub direct: Option<f64>,
    /// Whether every solve met the tolerance of its solver.
    pub converged: bool,
}

impl Harm {
    pub(crate) fn of(row: &MapRow, metric: MetricName) -> Self {
        let mut worst: Option<(usize, f64)> = None;
        let mut others = Vec::new();
        for target in 0..row.clean.len() {
            if target == row.attacker {
                continue;
            }
            if let Some(damage) = row.damage(target, metric) {
                others.push(damage);
                if worst.is_none_or(|(_, most)| damage > most) {
                    worst = Some((target, damage));
                }
            }
        }
        let clean: Vec<f64> = row.clean.iter().copied().flatten().collect();
        Self {
            attacker: row.attacker,
            clean: mean(&clean),
            target: worst.map(|(target, _)| target),
            worst: worst.map(|(_, damage)| damage),
            mean: mean(&others),
            direct: row.damage(row.attacker, metric),
            converged: row.converged,
        }
    }
}

/// One value of the curve, with all its rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct CurvePoint {
    /// λ2 or the cap; none: without a cap.
    pub value: Option<f64>,
    /// Mean test metric of all tasks without an attack.
    pub clean: Option<f64>,
    /// The largest damage by one task to another: attacker, target, damage.
    pub worst_indirect: Option<(usize, usize, f64)>,
    /// The mean damage over all pairs of tasks.
    pub mean_indirect: Option<f64>,
    /// The largest damage of a task by its own points: task, damage.
    pub worst_direct: Option<(usize, f64)>,
    /// Whether every solve met the tolerance of its solver.
    pub converged: bool,
}

impl CurvePoint {
    fn of(value: Option<f64>, rows: &[&Harm]) -> Self {
        let mut worst_indirect: Option<(usize, usize, f64)> = None;
        let mut worst_direct: Option<(usize, f64)> = None;
        for row in rows {
            if let (Some(target), Some(damage)) = (row.target, row.worst)
                && worst_indirect.is_none_or(|(.., most)| damage > most)
            {
                worst_indirect = Some((row.attacker, target, damage));
            }
            if let Some(damage) = row.direct
                && worst_direct.is_none_or(|(_, most)| damage > most)
            {
                worst_direct = Some((row.attacker, damage));
            }
        }
        let means: Vec<f64> = rows.iter().filter_map(|row| row.mean).collect();
        Self {
            value,
            clean: rows.first().and_then(|row| row.clean),
            worst_indirect,
            mean_indirect: mean(&means),
            worst_direct,
            converged: rows.iter().all(|row| row.converged),
        }
    }
}

/// A curve, of the values whose rows are all there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// The specification that is varied.
    pub spec: Spec,
    /// Version of the engine.
    pub engine: String,
    /// SHA-256 of the data set.
    pub data_sha256: String,
    /// Names of the tasks.
    pub task_names: Vec<String>,
    /// Which metric.
    pub metric_name: MetricName,
    /// What is varied.
    pub knob: Knob,
    /// Mean test metric of single-task learning without an attack; no other task can harm it.
    pub single_task: Option<f64>,
    /// From the smallest value; without a cap is last.
    pub points: Vec<CurvePoint>,
    /// Whether every solve met the tolerance of its solver.
    pub converged: bool,
    /// Of all its numbers; none while some are missing.
    pub digest: Option<String>,
}

impl Curve {
    pub(crate) fn new(
        subject: &Subject,
        knob: Knob,
        single_task: Option<f64>,
        rows: &[Option<&Harm>],
        digest: Option<String>,
    ) -> Self {
        let m = subject.task_names.len();
        let points = (knob.places().into_iter().zip(rows.chunks_exact(m)))
            .filter_map(|(value, rows)| {
                let rows: Option<Vec<&Harm>> = rows.iter().copied().collect();
                Some(CurvePoint::of(value, &rows?))
            })
            .collect();
        Self {
            spec: subject.spec.clone(),
            engine: subject.engine.clone(),
            data_sha256: subject.data_sha256.clone(),
            task_names: subject.task_names.clone(),
            metric_name: subject.metric_name,
            knob,
            single_task,
            points,
            converged: rows.iter().flatten().all(|row| row.converged),
            digest,
        }
    }

    /// What the curve shows, a sentence each.
    pub fn findings(&self) -> Vec<String> {
        let metric = self.metric_name.text();
        let place = |point: &CurvePoint| match point.value {
            Some(value) => format!("{} = {value}", self.knob.text()),
            None => "No cap".to_string(),
        };
        let harm = |point: &CurvePoint| match point.worst_indirect {
            Some((attacker, target, damage)) => format!(
                "one task worsens another by up to {} ({} against {})",
                minus(format_args!("{damage:.3}")),
                titled(attacker, &self.task_names),
                titled(target, &self.task_names)
            ),
            None => "no task can be measured against another".to_string(),
        };
        let clean = |value: Option<f64>| {
            value.map_or("not defined".to_string(), |value| format!("{value:.3}"))
        };
        let sentence = |words: &str, point: &CurvePoint| {
            format!(
                "{}{words}: mean clean {metric} {}, {}.",
                place(point),
                clean(point.clean),
                harm(point)
            )
        };
        let mut lines = Vec::new();
        let now = match self.knob {
            Knob::Lambda2 => Some(self.spec.lambda2),
            Knob::PullCap => self.spec.pull_cap,
        };
        if let Some(point) = self.points.iter().find(|point| point.value == now) {
            lines.push(sentence(", as now", point));
        }
        let better = |a: f64, b: f64| match self.metric_name {
            MetricName::Nmse => a < b,
            MetricName::Auc => a > b,
        };
        let mut best: Option<&CurvePoint> = None;
        for point in &self.points {
            if let Some(clean) = point.clean
                && best
                    .and_then(|best| best.clean)
                    .is_none_or(|least| better(clean, least))
            {
                best = Some(point);
            }
        }
        if let Some(point) = best.filter(|point| point.value != now || now.is_none()) {
            lines.push(sentence(", the best without an attack", point));
        }
        if self.single_task.is_some() {
            lines.push(format!(
                "Single-task learning: mean clean {metric} {}; other tasks cannot harm it.",
                clean(self.single_task)
            ));
        }
        lines
    }

    /// A row a value. What is not defined is empty.
    pub fn csv(&self) -> String {
        let metric = self.metric_name.word();
        let mut text = format!(
            "{},clean_{metric},worst_indirect,attacker,target,mean_indirect,worst_direct,task\n",
            self.knob.word()
        );
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let task =
            |task: Option<usize>| task.map_or_else(String::new, |task| format!("T{}", task + 1));
        for point in &self.points {
            let (indirect, direct) = (point.worst_indirect, point.worst_direct);
            text.push_str(&format!(
                "{},{},{},{},{},{},{},{}\n",
                point
                    .value
                    .map_or_else(|| "none".to_string(), |value| value.to_string()),
                number(point.clean),
                number(indirect.map(|(.., damage)| damage)),
                task(indirect.map(|(attacker, ..)| attacker)),
                task(indirect.map(|(_, target, _)| target)),
                number(point.mean_indirect),
                number(direct.map(|(_, damage)| damage)),
                task(direct.map(|(task, _)| task)),
            ));
        }
        text
    }
}
