//! What each defence is worth for one specification, beside no defence, single-task learning and an
//! oracle, against the standard attacker and attackers who know the defence.
//!
//! [`jobs`] lists small pieces of work, each a run of a specification of its own; the caller does
//! them in any order, on workers or threads, with [`JobResult::of`]; [`DefenceStudy::of`] puts together
//! what is there. `measure` is the work of a job, `verdict` the sentences, `table` the CSV files. Not here: threads, files,
//! pictures.

mod claims;
pub mod document;
mod measure;
pub mod plan;
pub mod published;
mod table;
mod verdict;

use serde::{Deserialize, Serialize};

use crate::attack::{FeatureDomain, InjectedFeatures, InjectedLabels, Method};
use crate::choice::choice;
use crate::defence::detection::{Dropped, ScoreCurves, ScoreFigures};
use crate::defence::sanitise::Sanitise;
use crate::error::{Error, Result};
use crate::metrics::MetricName;
use crate::mtrl::{Learner, Solver};
use crate::report::Digester;
use crate::spec::{Radius, RadiusQuantile, Spec};

/// The caps μ of a study, from close to single-task learning to close to multi-task learning. That of
/// the specification is added to them.
pub const CAPS: [f64; 7] = [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0];

/// The sanitisers of a study, and whether they drop the attacker's share of each task (budget b:
/// b / (1 + b)), or what lies beyond the fence.
const SANITISERS: [(Sanitise, bool); 5] = [
    (Sanitise::Norm, false),
    (Sanitise::Norm, true),
    (Sanitise::Vouch, false),
    (Sanitise::Vouch, true),
    (Sanitise::Trim, true),
];

choice! {
    /// Whose points they are.
    Attacker {
        /// That of the specification, who attacks multi-task learning without a defence.
        Standard = "standard" => "standard attacker",
        /// Knows filters: injects copies of other tasks' rows.
        Copied = "copied" => "attacker who copies rows of other tasks",
        /// Knows filters: keeps to the radius of three of four clean points.
        Q75 = "q75" => "attacker who keeps within the norms of 75 % of the clean points",
        /// Knows the cap: follows the gradient through the capped learner.
        ThroughCap = "through_cap" => "attacker who goes through the cap",
        /// Knows that each task is learned alone.
        SingleTask = "single_task" => "attacker of single-task learning",
    }
}

choice! {
    /// What tasks are ranked by: the higher, the more suspicious.
    TaskScore {
        /// Mean training loss of the task.
        OwnLoss = "own_loss" => "own training loss",
        /// By how much other tasks' training losses fall without it.
        LeftOutGain = "left_out_gain" => "gain of the others when left out",
        /// The paper's clue: mean |correlation| with the other tasks.
        MeanCorrelation = "mean_correlation" => "mean |correlation| (the paper's clue)",
        /// The paper's second clue: |correlation| with a task that is known to be malicious.
        KnownCorrelation = "known_correlation" => "|correlation| with a task known to be malicious",
    }
}

choice! {
    /// What training points are ranked by: the higher, the more suspicious.
    PointScore {
        /// |x|.
        Norm = "norm" => "norm",
        /// Loss under the attacked model.
        Loss = "loss" => "training loss",
        /// Distance to other tasks' points.
        Vouch = "vouch" => "distance to other tasks",
    }
}

/// One piece of work: a run and what is measured on its points.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Job {
    /// Unique within the study; good as a file name.
    pub id: String,
    /// For people.
    pub title: String,
    /// Whose points the run computes.
    pub attacker: Attacker,
    /// What is run. A link to it opens the run in the lab.
    pub spec: Spec,
}

/// The specification of a study: that of a run without its defence and without what an attacker who
/// knows defences changes.
///
/// # Errors
/// A random attack, no budget, or the alternating solver: there is nothing to defend against, or
/// defences cannot be trained.
pub fn base(spec: &Spec) -> Result<Spec> {
    if spec.method == Method::Random {
        let reason = "random does not optimise: defences would be shown against luck; use patom";
        return Err(Error::invalid("method", reason));
    }
    if spec.budget == 0.0 {
        let reason = "0 injects nothing to defend against; must be above 0";
        return Err(Error::invalid("budget", reason));
    }
    if spec.solver == Solver::Alternating {
        let reason = "alternating has no pull cap; a study of defences needs certified";
        return Err(Error::invalid("solver", reason));
    }
    let radius = match spec.radius {
        Radius::Fixed(_) => spec.radius,
        Radius::Quantile(_) => Radius::Fixed(1.0),
    };
    Ok(Spec {
        learner: Learner::MultiTask,
        pull_cap: None,
        sanitise: Sanitise::None,
        sanitise_share: None,
        injected_features: InjectedFeatures::Free,
        radius,
        ..spec.clone()
    })
}

/// The jobs of a study of a specification. The first is the standard attacker, without whom there is
/// nothing to show.
///
/// # Errors
/// Those of [`base`].
pub fn jobs(spec: &Spec) -> Result<Vec<Job>> {
    let base = base(spec)?;
    let mut jobs = Vec::new();
    let mut add = |id: String, attacker: Attacker, spec: Spec| {
        let title = match spec.pull_cap {
            Some(cap) => format!("{}, μ = {cap}", attacker.text()),
            None => attacker.text().to_string(),
        };
        jobs.push(Job {
            id,
            title,
            attacker,
            spec,
        });
    };
    add("standard".to_string(), Attacker::Standard, base.clone());
    let copied = Spec {
        injected_features: InjectedFeatures::Copied,
        injected_labels: InjectedLabels::Uniform,
        ..base.clone()
    };
    add("copied".to_string(), Attacker::Copied, copied);
    // Possible values are nowhere outside of the clean points' anyway.
    if base.feature_domain == FeatureDomain::Ball {
        let short = Spec {
            radius: Radius::Quantile(RadiusQuantile::Q75),
            ..base.clone()
        };
        add("q75".to_string(), Attacker::Q75, short);
    }
    let alone = Spec {
        learner: Learner::SingleTask,
        ..base.clone()
    };
    add("single_task".to_string(), Attacker::SingleTask, alone);
    for cap in caps(spec) {
        let capped = Spec {
            learner: Learner::Capped,
            pull_cap: Some(cap),
            ..base.clone()
        };
        add(format!("cap-{cap}"), Attacker::ThroughCap, capped);
    }
    Ok(jobs)
}

/// [`CAPS`] and that of the specification, ascending.
fn caps(spec: &Spec) -> Vec<f64> {
    let mut caps: Vec<f64> = CAPS.into_iter().chain(spec.pull_cap).collect();
    caps.sort_by(f64::total_cmp);
    caps.dedup();
    caps
}

/// What a job found. Every metric is the mean over the target tasks of the test metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct JobResult {
    /// That of the job.
    pub id: String,
    /// Version of the engine.
    pub engine: String,
    /// SHA-256 of the data set.
    pub data_sha256: String,
    /// Which metric the numbers are.
    pub metric_name: MetricName,
    /// Names of the tasks.
    pub task_names: Vec<String>,
    /// Over the digest of the run and all numbers that follow.
    pub digest: String,
    /// Every solve met its stopping rule.
    pub converged: bool,
    /// The learner of the job without injected points.
    pub clean: Option<f64>,
    /// The learner of the job with the injected points of the last iteration.
    pub attacked: Option<f64>,
    /// Single-task learning on the clean points.
    pub single_task_clean: Option<f64>,
    /// Single-task learning on clean and injected points.
    pub single_task_attacked: Option<f64>,
    /// The capped learner on these points; of the standard attacker only.
    pub caps: Vec<CapResult>,
    /// The sanitisers on these points; of the attackers who know filters and the standard one.
    pub sanitisers: Vec<SanitiserResult>,
    /// Rankings of the tasks, of the same.
    pub tasks: Vec<TaskRanking>,
    /// Rankings of the training points, of the same.
    pub points: Vec<PointRanking>,
}

/// The capped learner on the points of the standard attacker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct CapResult {
    /// μ.
    pub pull_cap: f64,
    /// Without injected points.
    pub clean: Option<f64>,
    /// With them.
    pub attacked: Option<f64>,
    /// No points in other tasks can make it worse; none where a target holds injected points itself.
    pub certified: Option<f64>,
    /// Target tasks that the cap holds back, with the injected points.
    pub binds: usize,
}

/// One sanitiser on the points of one attacker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct SanitiserResult {
    /// Which.
    pub rule: Sanitise,
    /// The share that it drops of each task; none: what lies beyond the fence.
    pub share: Option<f64>,
    /// Why it cannot be used on this data; then there is nothing else.
    pub refused: Option<String>,
    /// Trained on what it keeps of the clean training set: its price. Of the standard attacker only.
    pub clean: Option<f64>,
    /// Trained on what it keeps of the poisoned training set.
    pub attacked: Option<f64>,
    /// What it drops of the clean training set. Of the standard attacker only.
    pub dropped_clean: Option<Dropped>,
    /// What it drops of the poisoned training set.
    pub dropped: Option<Dropped>,
}

/// A ranking of the tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct TaskRanking {
    /// By what.
    pub score: TaskScore,
    /// Of each task, learned from the clean points: something ranks first there, too. Empty for
    /// `known_correlation`, and in results of other attackers than the standard one.
    pub clean: Vec<f64>,
    /// Of each task, learned from the poisoned points. Empty for `known_correlation`.
    pub attacked: Vec<f64>,
    /// How well it finds the attacked tasks; of `known_correlation` the means over the attacked
    /// tasks, each known in turn.
    pub figures: ScoreFigures,
    /// The curves behind them; none for `known_correlation`.
    pub curves: ScoreCurves,
}

/// A ranking of the training points of all tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct PointRanking {
    /// By what.
    pub score: PointScore,
    /// How well it finds the injected points.
    pub figures: ScoreFigures,
    /// The curves behind them.
    pub curves: ScoreCurves,
}

/// A whole study, or what is there of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct DefenceStudy {
    /// That of the standard attacker: no defence.
    pub spec: Spec,
    /// Version of the engine.
    pub engine: String,
    /// SHA-256 of the data set.
    pub data_sha256: String,
    /// Which metric the numbers are: means over the target tasks.
    pub metric_name: MetricName,
    /// Names of the tasks.
    pub task_names: Vec<String>,
    /// Jobs of the study.
    pub jobs: usize,
    /// Jobs that are done; where some are missing, so are their numbers.
    pub done: usize,
    /// Every solve met its stopping rule.
    pub converged: bool,
    /// Some target holds injected points itself: nothing is certified, and the cap cannot help it.
    pub targets_attacked: bool,
    /// Injected points removed exactly, which no filter can do: the clean model.
    pub oracle: Option<f64>,
    /// Multi-task learning without a defence.
    pub undefended: Learned,
    /// Single-task learning.
    pub single_task: Learned,
    /// From single-task learning over the caps to multi-task learning.
    pub caps: Vec<CapPoint>,
    /// A row for each sanitiser.
    pub sanitisers: Vec<SanitiserStudy>,
    /// Rankings of tasks and points, for each attacker.
    pub rankings: Vec<Rankings>,
    /// One or two sentences: what helps here.
    pub verdict: String,
    /// What else the numbers say, a sentence each.
    pub findings: Vec<String>,
    /// Over the digests of the jobs that are done.
    pub digest: String,
}

/// What is learned without a filter or a cap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Learned {
    /// Without injected points.
    pub clean: Option<f64>,
    /// With those of each attacker.
    pub against: Vec<Against>,
}

/// A defence against one attacker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Against {
    /// Whose points.
    pub attacker: Attacker,
    /// Does this attacker know the defence?
    pub knows: bool,
    /// Test metric.
    pub attacked: Option<f64>,
    /// The share of the damage that the standard attacker does without a defence that is left: 1 all of
    /// it, 0 none, below 0 better than the undefended clean model. None where there is no damage.
    pub remaining: Option<f64>,
    /// With a sanitiser: what it drops of the poisoned training set.
    pub dropped: Option<Dropped>,
}

/// A point of the curves over the pull cap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct CapPoint {
    /// `single_task` at the left end, `multi_task` at the right one.
    pub learner: Learner,
    /// μ; none at the ends.
    pub pull_cap: Option<f64>,
    /// Without injected points.
    pub clean: Option<f64>,
    /// With those of the standard attacker.
    pub standard: Option<f64>,
    /// With those of the attacker who knows this learner.
    pub knowing: Option<f64>,
    /// No points in other tasks can make it worse than this.
    pub certified: Option<f64>,
    /// Target tasks that the cap holds back under the standard attack; none at the ends.
    pub binds: Option<usize>,
}

/// A sanitiser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct SanitiserStudy {
    /// Which.
    pub rule: Sanitise,
    /// The share that it drops of each task, which is the attacker's; none: what lies beyond the fence.
    pub share: Option<f64>,
    /// For people.
    pub title: String,
    /// Why it cannot be used on this data; then there are no numbers.
    pub refused: Option<String>,
    /// On the clean training set.
    pub clean: Option<f64>,
    /// By how much that is worse than without it: positive is harm, for NMSE and AUC alike.
    pub price: Option<f64>,
    /// What it drops of the clean training set.
    pub dropped_clean: Option<Dropped>,
    /// The standard attacker and those who know filters.
    pub against: Vec<Against>,
}

/// The rankings for one attacker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Rankings {
    /// Whose points.
    pub attacker: Attacker,
    /// Of the tasks.
    pub tasks: Vec<TaskRanking>,
    /// Of the training points.
    pub points: Vec<PointRanking>,
}

/// A defence in one line: what tables and bar charts show.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Row {
    /// For people.
    pub title: String,
    /// Without injected points.
    pub clean: Option<f64>,
    /// Against the standard attacker.
    pub standard: Option<f64>,
    /// Against the worst attacker who knows it.
    pub knowing: Option<f64>,
    /// Nothing in other tasks can make it worse.
    pub certified: Option<f64>,
}

/// By how much `after` is worse than `before`.
fn harm(metric_name: MetricName, before: Option<f64>, after: Option<f64>) -> Option<f64> {
    Some(match metric_name {
        MetricName::Nmse => after? - before?,
        MetricName::Auc => before? - after?,
    })
}

/// Less damage than this (NMSE or AUC) is none: shares of it would be noise.
const LEAST_DAMAGE: f64 = 0.01;

impl DefenceStudy {
    /// Puts together the results of the jobs of a specification, in their order; none for what is not
    /// done. None while the first is missing.
    ///
    /// # Panics
    /// If the results are not those of the jobs.
    pub fn of(jobs: &[Job], results: &[Option<JobResult>]) -> Option<Self> {
        assert_eq!(jobs.len(), results.len(), "a place for each job");
        let in_order = (jobs.iter().zip(results))
            .all(|(job, result)| result.as_ref().is_none_or(|result| result.id == job.id));
        assert!(in_order, "in the order of the jobs");
        let spec = &jobs.first()?.spec;
        let standard = results[0].as_ref()?;
        let metric_name = standard.metric_name;
        let ends = (standard.clean, standard.attacked);
        let remaining = |attacked| remaining(metric_name, ends, attacked);
        let against = |attacker, knows, attacked, dropped| Against {
            attacker,
            knows,
            attacked,
            remaining: remaining(attacked),
            dropped,
        };
        let done = || {
            let pairs = jobs.iter().zip(results);
            pairs.filter_map(|(job, result)| Some((job, result.as_ref()?)))
        };
        let filtered = || done().filter(|(_, result)| !result.sanitisers.is_empty());
        let targets_attacked = (spec.targets.iter()).any(|task| spec.attackers.contains(task));

        let undefended = Learned {
            clean: standard.clean,
            against: filtered()
                // There is no defence to know.
                .map(|(job, result)| against(job.attacker, true, result.attacked, None))
                .collect(),
        };
        let alone = done().find(|(job, _)| job.attacker == Attacker::SingleTask);
        let knowing_alone = alone.and_then(|(_, result)| result.attacked);
        let mut single_task = Learned {
            clean: standard.single_task_clean,
            against: filtered()
                .map(|(job, result)| {
                    against(job.attacker, false, result.single_task_attacked, None)
                })
                .collect(),
        };
        if alone.is_some() {
            let knowing = against(Attacker::SingleTask, true, knowing_alone, None);
            single_task.against.push(knowing);
        }
        let mut caps = vec![CapPoint {
            learner: Learner::SingleTask,
            pull_cap: None,
            clean: standard.single_task_clean,
            standard: standard.single_task_attacked,
            knowing: knowing_alone,
            // Nothing in other tasks reaches it.
            certified: standard.single_task_clean.filter(|_| !targets_attacked),
            binds: None,
        }];
        for cap in &standard.caps {
            let through = done().find(|(job, _)| job.spec.pull_cap == Some(cap.pull_cap));
            caps.push(CapPoint {
                learner: Learner::Capped,
                pull_cap: Some(cap.pull_cap),
                clean: cap.clean,
                standard: cap.attacked,
                knowing: through.and_then(|(_, result)| result.attacked),
                certified: cap.certified,
                binds: Some(cap.binds),
            });
        }
        caps.push(CapPoint {
            learner: Learner::MultiTask,
            pull_cap: None,
            clean: standard.clean,
            standard: standard.attacked,
            knowing: standard.attacked,
            certified: None,
            binds: None,
        });
        let sanitisers = (standard.sanitisers.iter().enumerate())
            .map(|(row, first)| SanitiserStudy {
                rule: first.rule,
                share: first.share,
                title: sanitiser_title(first.rule, first.share),
                refused: first.refused.clone(),
                clean: first.clean,
                price: harm(metric_name, standard.clean, first.clean),
                dropped_clean: first.dropped_clean,
                against: filtered()
                    .filter(|_| first.refused.is_none())
                    .map(|(job, result)| {
                        let knows = job.attacker != Attacker::Standard;
                        let found = &result.sanitisers[row];
                        against(job.attacker, knows, found.attacked, found.dropped)
                    })
                    .collect(),
            })
            .collect();
        let rankings = filtered()
            .map(|(job, result)| Rankings {
                attacker: job.attacker,
                // The clean points are the same for every attacker.
                tasks: (result.tasks.iter().zip(&standard.tasks))
                    .map(|(ranking, standard)| TaskRanking {
                        clean: standard.clean.clone(),
                        ..ranking.clone()
                    })
                    .collect(),
                points: result.points.clone(),
            })
            .collect();
        let mut digester = Digester::default();
        for (job, result) in done() {
            digester.text(&format!("{} {}\n", job.id, result.digest));
        }
        let mut study = Self {
            spec: spec.clone(),
            engine: standard.engine.clone(),
            data_sha256: standard.data_sha256.clone(),
            metric_name,
            task_names: standard.task_names.clone(),
            jobs: jobs.len(),
            done: done().count(),
            converged: done().all(|(_, result)| result.converged),
            targets_attacked,
            oracle: standard.clean,
            undefended,
            single_task,
            caps,
            sanitisers,
            rankings,
            verdict: String::new(),
            findings: Vec::new(),
            digest: digester.finish(),
        };
        study.verdict = verdict::verdict(&study);
        study.findings = verdict::findings(&study);
        Some(study)
    }

    /// Every defence in one line, no defence first, the oracle second. Sanitisers that are refused are
    /// left out.
    pub fn rows(&self) -> Vec<Row> {
        let standard = |against: &[Against]| against.first().and_then(|found| found.attacked);
        let knowing = |against: &[Against]| self.worst_knowing(against);
        let ends = [
            Row {
                title: "no defence".to_string(),
                clean: self.undefended.clean,
                standard: standard(&self.undefended.against),
                knowing: knowing(&self.undefended.against),
                certified: None,
            },
            Row {
                title: "oracle (exact removal)".to_string(),
                clean: self.oracle,
                standard: self.oracle,
                knowing: self.oracle,
                certified: None,
            },
        ];
        let learners = (self.caps.iter())
            .filter(|point| point.learner != Learner::MultiTask)
            .map(|point| Row {
                title: match point.pull_cap {
                    Some(cap) => format!("pull cap {cap}"),
                    None => "single-task learning".to_string(),
                },
                clean: point.clean,
                standard: point.standard,
                knowing: point.knowing,
                certified: point.certified,
            });
        let sanitisers = (self.sanitisers.iter())
            .filter(|row| row.refused.is_none())
            .map(|row| Row {
                title: row.title.clone(),
                clean: row.clean,
                standard: standard(&row.against),
                knowing: knowing(&row.against),
                certified: None,
            });
        (ends.into_iter().chain(learners).chain(sanitisers)).collect()
    }

    /// The worst that attackers who know a defence do to it.
    fn worst_knowing(&self, against: &[Against]) -> Option<f64> {
        let known = against.iter().filter(|found| found.knows);
        let metrics = known.filter_map(|found| found.attacked);
        metrics.reduce(|worst, value| match self.metric_name {
            MetricName::Nmse => worst.max(value),
            MetricName::Auc => worst.min(value),
        })
    }

    /// [`Against::remaining`] of any metric.
    pub fn remaining(&self, attacked: Option<f64>) -> Option<f64> {
        let standard = self.undefended.against.first();
        let undefended = standard.and_then(|standard| standard.attacked);
        remaining(
            self.metric_name,
            (self.undefended.clean, undefended),
            attacked,
        )
    }
}

/// The share of the undefended damage that is left; none where there is hardly any.
fn remaining(
    metric_name: MetricName,
    (clean, undefended): (Option<f64>, Option<f64>),
    attacked: Option<f64>,
) -> Option<f64> {
    let damage = harm(metric_name, clean, undefended)?;
    (damage >= LEAST_DAMAGE).then_some(harm(metric_name, clean, attacked)? / damage)
}

/// Such as `norm, fence` or `trim, 16.7 % of each task`.
fn sanitiser_title(rule: Sanitise, share: Option<f64>) -> String {
    match share {
        Some(share) => format!("{}, {:.1} % of each task", rule.word(), 100.0 * share),
        None => format!("{}, fence", rule.word()),
    }
}
