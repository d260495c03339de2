//! "Is my data at risk?": what direct, indirect and random attacks of several budgets do to the target
//! tasks, over several seeds, and what each remedy leaves of it under an attacker who knows it.

use serde::{Deserialize, Serialize};

use super::curve::{alone, with_cap};
use super::study::Subject;
use super::{NOTABLE, damage};
use crate::attack::{Attack, Method};
use crate::metrics::MetricName;
use crate::mtrl::Learner;
use crate::paper::figures::{Panel, Series, mean};
use crate::paper::plan::names;
use crate::spec::{MAX_SEED, Spec};

/// Budgets of the attacks.
pub const BUDGETS: [f64; 4] = [0.05, 0.1, 0.2, 0.3];
/// The budget at which remedies are compared.
pub const REMEDY_BUDGET: f64 = 0.2;
/// Seeds: that of the specification and those after it.
pub const SEEDS: u64 = 3;

/// What the answer keeps of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Ended {
    /// Mean metric of the targets without an attack.
    pub clean: Option<f64>,
    /// At the last iteration.
    pub attacked: Option<f64>,
    /// Whether every solve met the tolerance of its solver.
    pub converged: bool,
    /// The digest of the report.
    pub digest: String,
}

/// A run of the answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned {
    pub spec: Spec,
    /// Of `spec`, unless the learner is another one.
    remedy: Option<usize>,
}

/// What may help, each measured.
fn remedies(spec: &Spec) -> Vec<(String, Spec)> {
    let mut all = vec![
        ("pull cap 0.1".to_string(), with_cap(spec, 0.1)),
        ("pull cap 0.03".to_string(), with_cap(spec, 0.03)),
        ("single-task learning".to_string(), alone(spec)),
    ];
    if spec.learner != Learner::SingleTask && spec.lambda2 > 0.0 {
        let lambda2 = spec.lambda2 / 10.0;
        let smaller = Spec {
            lambda2,
            ..spec.clone()
        };
        all.push((format!("λ2 = {lambda2}"), smaller));
    }
    all.retain(|(_, other)| other != spec);
    all
}

/// The tasks that are attacked, and those that are used against them.
fn sides(spec: &Spec, tasks: usize) -> (Vec<usize>, Vec<usize>) {
    let mut targets = spec.targets.clone();
    if targets.len() == tasks && tasks > 1 {
        // Somebody must be left to attack them.
        targets.truncate(tasks / 2);
    }
    let others = (0..tasks).filter(|task| !targets.contains(task));
    let others = others.collect();
    (targets, others)
}

/// The runs, in their order.
pub(crate) fn plan(spec: &Spec, tasks: usize) -> Vec<Planned> {
    let (targets, others) = sides(spec, tasks);
    let mut runs = Vec::new();
    let mut push = |base: &Spec, attack, method, budget, seed, remedy| {
        let attackers = match attack {
            Attack::Direct => &targets,
            _ => &others,
        };
        if attackers.is_empty() {
            return;
        }
        let spec = Spec {
            targets: targets.clone(),
            attackers: attackers.clone(),
            attack,
            method,
            budget,
            seed: (base.seed + seed) % (MAX_SEED + 1),
            ..base.clone()
        };
        runs.push(Planned { spec, remedy });
    };
    let attacks = [Attack::Direct, Attack::Indirect];
    for seed in 0..SEEDS {
        for attack in attacks {
            for method in [Method::Patom, Method::Random] {
                for budget in BUDGETS {
                    push(spec, attack, method, budget, seed, None);
                }
            }
        }
        for (number, (_, other)) in remedies(spec).iter().enumerate() {
            for attack in attacks {
                push(
                    other,
                    attack,
                    Method::Patom,
                    REMEDY_BUDGET,
                    seed,
                    Some(number),
                );
            }
        }
    }
    runs
}

/// A learner: as it is now, or a remedy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Remedy {
    /// Which one.
    pub name: String,
    /// Mean metric of the targets without an attack, over the seeds.
    pub clean: Option<f64>,
    /// Under the indirect attack, from other tasks.
    pub indirect: Option<f64>,
    /// Under the direct attack.
    pub direct: Option<f64>,
}

/// The answer, of the runs that are there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exposure {
    /// The specification that every run varies.
    pub spec: Spec,
    /// Version of the engine.
    pub engine: String,
    /// SHA-256 of the data set.
    pub data_sha256: String,
    /// The tasks that are attacked, from 0.
    pub targets: Vec<usize>,
    /// The tasks of the indirect attacks, from 0.
    pub attackers: Vec<usize>,
    /// Which metric.
    pub metric_name: MetricName,
    /// The runs: attack, method, budget, seed, remedy, and what came of them.
    pub runs: Vec<ExposureRun>,
    /// The learner as it is, then the remedies.
    pub learners: Vec<Remedy>,
    /// Whether every solve met the tolerance of its solver.
    pub converged: bool,
    /// Of all runs; none while some are missing.
    pub digest: Option<String>,
}

/// A finished run of the answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExposureRun {
    /// Direct or indirect.
    pub attack: Attack,
    /// PATOM or random.
    pub method: Method,
    /// Attack budget.
    pub budget: f64,
    /// Seed.
    pub seed: u64,
    /// The remedy; none: the learner as it is.
    pub remedy: Option<String>,
    /// Mean metric of the targets without an attack.
    pub clean: Option<f64>,
    /// At the last iteration.
    pub attacked: Option<f64>,
    /// The digest of its report.
    pub digest: String,
}

impl Exposure {
    pub(crate) fn new(
        subject: &Subject,
        plan: &[Planned],
        results: &[Option<&Ended>],
        digest: Option<String>,
    ) -> Self {
        let (targets, attackers) = sides(&subject.spec, subject.task_names.len());
        let remedies = remedies(&subject.spec);
        let runs: Vec<ExposureRun> = (plan.iter().zip(results))
            .filter_map(|(planned, result)| {
                let result = (*result)?;
                let Spec {
                    attack,
                    method,
                    budget,
                    seed,
                    ..
                } = planned.spec;
                Some(ExposureRun {
                    attack,
                    method,
                    budget,
                    seed,
                    remedy: planned.remedy.map(|number| remedies[number].0.clone()),
                    clean: result.clean,
                    attacked: result.attacked,
                    digest: result.digest.clone(),
                })
            })
            .collect();
        let of = |remedy: Option<&str>, attack: Attack| {
            let mine: Vec<&ExposureRun> = (runs.iter())
                .filter(|run| {
                    run.remedy.as_deref() == remedy
                        && run.attack == attack
                        && run.method == Method::Patom
                        && run.budget == REMEDY_BUDGET
                })
                .collect();
            let column = |pick: fn(&ExposureRun) -> Option<f64>| {
                let values: Vec<f64> = mine.iter().filter_map(|run| pick(run)).collect();
                mean(&values)
            };
            (column(|run| run.clean), column(|run| run.attacked))
        };
        let learner = |name: &str, remedy: Option<&str>| {
            let (clean, direct) = of(remedy, Attack::Direct);
            let (_, indirect) = of(remedy, Attack::Indirect);
            Remedy {
                name: name.to_string(),
                clean,
                indirect,
                direct,
            }
        };
        let learners = std::iter::once(learner("as it is", None))
            .chain(remedies.iter().map(|(name, _)| learner(name, Some(name))))
            .filter(|learner| learner.clean.is_some())
            .collect();
        Self {
            spec: subject.spec.clone(),
            engine: subject.engine.clone(),
            data_sha256: subject.data_sha256.clone(),
            targets,
            attackers,
            metric_name: subject.metric_name,
            converged: results.iter().flatten().all(|result| result.converged),
            runs,
            learners,
            digest,
        }
    }

    /// Mean over the seeds of the learner as it is.
    fn attacked(&self, attack: Attack, method: Method, budget: f64) -> Option<f64> {
        let values: Vec<f64> = (self.runs.iter())
            .filter(|run| {
                run.remedy.is_none()
                    && (run.attack, run.method, run.budget) == (attack, method, budget)
            })
            .filter_map(|run| run.attacked)
            .collect();
        mean(&values)
    }

    /// Is the data at risk? One sentence; none while runs are missing.
    pub fn verdict(&self) -> Option<String> {
        let now = self.learners.first()?;
        let (clean, direct) = (now.clean?, now.direct?);
        let metric = self.metric_name.text();
        let targets = names(&self.targets);
        let random = |attack| self.attacked(attack, Method::Random, REMEDY_BUDGET);
        let percent = 100.0 * REMEDY_BUDGET;
        let harm = |attacked| damage(self.metric_name, clean, attacked).unwrap_or(0.0);
        let Some(indirect) = now.indirect else {
            let is_hit = harm(direct) >= NOTABLE;
            return Some(format!(
                "{}: {percent} % poisoned points in {targets} move its {metric} from {clean:.3} to \
                 {direct:.3}; there is no other task to attack it through.",
                if is_hit { "Yes" } else { "Hardly" },
            ));
        };
        let (own, others) = (random(Attack::Direct)?, random(Attack::Indirect)?);
        let answer = match (harm(indirect) >= NOTABLE, harm(direct) >= NOTABLE) {
            (true, _) => "Yes, also through other tasks",
            (false, true) => "Yes, but only through their own points",
            (false, false) => "Hardly",
        };
        Some(format!(
            "{answer}: {percent} % poisoned points in {} move the {metric} of {targets} from \
             {clean:.3} to {indirect:.3}, and in {targets} to {direct:.3} (random points: \
             {others:.3} and {own:.3}).",
            names(&self.attackers),
        ))
    }

    /// What to do: only what was measured on this data, a sentence each.
    pub fn advice(&self) -> Vec<String> {
        let Some(now) = self.learners.first() else {
            return Vec::new();
        };
        let metric = self.metric_name.text();
        let worse = |than: Option<f64>, value: Option<f64>| damage(self.metric_name, than?, value?);
        let mut lines = Vec::new();
        // The best under the indirect attack; a remedy must be better than what is there.
        let mut best = now;
        for learner in &self.learners {
            if worse(best.indirect, learner.indirect).is_some_and(|worse| worse < 0.0) {
                best = learner;
            }
        }
        if let (Some(clean), Some(indirect), Some(direct), Some(before)) =
            (best.clean, best.indirect, best.direct, now.indirect)
        {
            lines.push(if best.name == now.name {
                "Against other tasks: no remedy tried here is better than the learner as it is."
                    .to_string()
            } else {
                format!(
                    "Against other tasks: {}. Under the indirect attack its {metric} is {indirect:.3} \
                     rather than {before:.3}, without an attack {clean:.3} rather than {:.3}, under \
                     the direct attack {direct:.3}.",
                    best.name,
                    now.clean.unwrap_or(f64::NAN),
                )
            });
        }
        let hurt = |learner: &Remedy| {
            worse(learner.clean, learner.direct).is_some_and(|worse| worse >= NOTABLE)
        };
        if hurt(now) {
            let all = self.learners.iter().all(hurt);
            lines.push(format!(
                "Against poisoned points in {} themselves: {}",
                names(&self.targets),
                if all {
                    "none of these learners helps; control where their points come from."
                } else {
                    "compare the learners in the table."
                }
            ));
        }
        lines
    }

    /// The picture: the metric of the targets over the budget, a line an attack.
    pub fn panel(&self) -> Panel {
        let mut series = Vec::new();
        let clean: Vec<f64> = self.runs.iter().filter_map(|run| run.clean).collect();
        let clean = (self.learners.first().and_then(|now| now.clean)).or_else(|| mean(&clean));
        for (attack, method, name) in [
            (Attack::Direct, Method::Patom, "own points"),
            (Attack::Direct, Method::Random, "own points, random"),
            (Attack::Indirect, Method::Patom, "other tasks"),
            (Attack::Indirect, Method::Random, "other tasks, random"),
        ] {
            let mine = || {
                self.runs.iter().filter(move |run| {
                    run.remedy.is_none() && (run.attack, run.method) == (attack, method)
                })
            };
            let mut seeds: Vec<u64> = mine().map(|run| run.seed).collect();
            seeds.dedup();
            if seeds.is_empty() {
                continue;
            }
            let at = |seed: u64, budget: f64| {
                mine()
                    .find(|run| run.seed == seed && run.budget == budget)
                    .and_then(|run| run.attacked)
            };
            let start = |seed: u64| {
                mine()
                    .find(|run| run.seed == seed)
                    .and_then(|run| run.clean)
            };
            series.push(Series {
                name: name.to_string(),
                attack,
                method,
                x: std::iter::once(0.0).chain(BUDGETS).collect(),
                repeats: (seeds.iter())
                    .map(|&seed| {
                        std::iter::once(start(seed))
                            .chain(BUDGETS.map(|budget| at(seed, budget)))
                            .collect()
                    })
                    .collect(),
            });
        }
        Panel {
            title: format!("targets {}", names(&self.targets)),
            metric_name: self.metric_name,
            x_name: "budget (injected / clean points)",
            clean,
            series,
            published: Vec::new(),
            paper: None,
        }
    }

    /// A row a run.
    pub fn csv(&self) -> String {
        let metric = self.metric_name.word();
        let mut text =
            format!("learner,attack,method,budget,seed,clean_{metric},attacked_{metric},digest\n");
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        for run in &self.runs {
            text.push_str(&format!(
                "{},{},{},{},{},{},{},{}\n",
                run.remedy.as_deref().unwrap_or("as it is"),
                run.attack.word(),
                run.method.word(),
                run.budget,
                run.seed,
                number(run.clean),
                number(run.attacked),
                run.digest
            ));
        }
        text
    }
}
