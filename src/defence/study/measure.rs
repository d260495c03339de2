//! The work of a job: its run, and every defence and ranking on its points.

use super::{
    Attacker, CapResult, Job, JobResult, PointRanking, PointScore, SANITISERS, SanitiserResult,
    TaskRanking, TaskScore, caps,
};
use crate::data::DataSet;
use crate::defence::certificate::certify;
use crate::defence::detection::{self, Dropped, ScoreCurves, ScoreFigures};
use crate::defence::ranking::{TaskScores, score_tasks};
use crate::defence::sanitise::{self, Sanitise, losses, norms, tasks_of, vouch};
use crate::error::{Error, Result};
use crate::experiment::{self, ENGINE, Observer, Outcome};
use crate::mtrl::{self, Limits, Problem, Solution, Solver, Status};
use crate::report::{Digester, mean_metric};
use crate::spec::Spec;

impl JobResult {
    /// Does a job on the data set of its specification. `observer` is that of its run, the longest
    /// part of most jobs.
    ///
    /// # Errors
    /// Those of a run.
    pub fn of(job: &Job, data: &DataSet, observer: &mut dyn Observer) -> Result<Self> {
        let outcome = experiment::run(&job.spec, data, observer)?;
        let report = &outcome.report;
        let mean = |metrics: &[Option<f64>]| mean_metric(metrics, &report.target_tasks);
        let mut result = Self {
            id: job.id.clone(),
            engine: ENGINE.to_string(),
            data_sha256: data.sha256.clone(),
            metric_name: report.metric_name,
            task_names: report.task_names.clone(),
            digest: String::new(),
            converged: report.converged(),
            clean: mean(&report.clean.metric_per_task),
            attacked: mean(&report.attacked.metric_per_task),
            single_task_clean: mean(&report.single_task.clean.metric_per_task),
            single_task_attacked: mean(&report.single_task.attacked.metric_per_task),
            caps: Vec::new(),
            sanitisers: Vec::new(),
            tasks: Vec::new(),
            points: Vec::new(),
        };
        if matches!(
            job.attacker,
            Attacker::Standard | Attacker::Copied | Attacker::Q75
        ) {
            let is_standard = job.attacker == Attacker::Standard;
            let mut points = PointsOf::new(&job.spec, &outcome, is_standard)?;
            if is_standard {
                for cap in caps(&job.spec) {
                    result.caps.push(points.cap(cap)?);
                }
            }
            let share = job.spec.budget / (1.0 + job.spec.budget);
            for (rule, with_share) in SANITISERS {
                let share = with_share.then_some(share.min(0.5));
                let found = points.sanitiser(rule, share);
                result.sanitisers.push(found?);
            }
            result.tasks = points.task_rankings()?;
            result.points = points.point_rankings();
            result.converged &= points.converged;
        }
        result.digest = digest(&result, &report.digest);
        Ok(result)
    }
}

/// Clean points, and those of an attacker, of a run.
struct PointsOf<'a> {
    spec: &'a Spec,
    outcome: &'a Outcome,
    /// What concerns clean points only is measured for the standard attacker only.
    is_standard: bool,
    clean: Problem,
    poisoned: Problem,
    clean_solution: Solution,
    solution: Solution,
    /// Distances to other tasks of the clean and of the poisoned points, or why there are none.
    distances: [Result<Vec<Vec<f64>>>; 2],
    /// Every solve so far met its stopping rule.
    converged: bool,
}

impl<'a> PointsOf<'a> {
    fn new(spec: &'a Spec, outcome: &'a Outcome, is_standard: bool) -> Result<Self> {
        let mut clean = experiment::problem(spec, &outcome.sample, &[])?;
        let mut poisoned = experiment::problem(spec, &outcome.sample, &outcome.injections)?;
        let limits = Limits::default();
        let clean_solution = mtrl::solve(Solver::Certified, &mut clean, None, &limits)?;
        let start = Some(&clean_solution);
        let solution = mtrl::solve(Solver::Certified, &mut poisoned, start, &limits)?;
        // They are slow, and the same for every share.
        let distances = [(&clean, is_standard), (&poisoned, true)].map(|(problem, is_needed)| {
            if is_needed {
                vouch(problem.dimension(), &tasks_of(problem))
            } else {
                Ok(Vec::new())
            }
        });
        let mut points = Self {
            spec,
            outcome,
            is_standard,
            clean,
            poisoned,
            converged: true,
            clean_solution,
            solution,
            distances,
        };
        points.converged = met(points.clean_solution.status) && met(points.solution.status);
        Ok(points)
    }

    fn metric(&self, w: &[f64]) -> Option<f64> {
        let metrics = experiment::metric_per_task(w, &self.outcome.sample);
        mean_metric(&metrics, &self.spec.targets)
    }

    fn solve(&mut self, problem: &mut Problem, start: Option<&Solution>) -> Result<Solution> {
        let solution = mtrl::solve(Solver::Certified, problem, start, &Limits::default())?;
        self.converged &= met(solution.status);
        Ok(solution)
    }

    /// The capped learner, clean and attacked, with what it certifies.
    fn cap(&mut self, cap: f64) -> Result<CapResult> {
        let mut problem = self.clean.clone().with_pull_cap(Some(cap))?;
        let clean = self.solve(&mut problem, None)?;
        let mut problem = self.poisoned.clone().with_pull_cap(Some(cap))?;
        let attacked = self.solve(&mut problem, Some(&clean))?;
        let sample = &self.outcome.sample;
        let tests = experiment::tests(sample);
        let certified = certify(&problem, &attacked, sample.kind, &tests)?;
        let targets = &self.spec.targets;
        // A mean over some of the targets would be none of the metric that it stands beside.
        let metrics = experiment::metric_per_task(&attacked.w, sample);
        let all = (targets.iter())
            .all(|&task| certified.metric_per_task[task].is_some() == metrics[task].is_some());
        Ok(CapResult {
            pull_cap: cap,
            clean: self.metric(&clean.w),
            attacked: self.metric(&attacked.w),
            certified: mean_metric(&certified.metric_per_task, targets).filter(|_| all),
            binds: (targets.iter())
                .filter(|&&task| certified.cap_binds[task])
                .count(),
        })
    }

    /// A sanitiser on clean and poisoned points; where the data does not allow it, why.
    fn sanitiser(&mut self, rule: Sanitise, share: Option<f64>) -> Result<SanitiserResult> {
        let mut out = SanitiserResult {
            rule,
            share,
            refused: None,
            clean: None,
            attacked: None,
            dropped_clean: None,
            dropped: None,
        };
        for poisoned in [false, true] {
            // The price on clean data is the same for every attacker.
            if !poisoned && !self.is_standard {
                continue;
            }
            match self.sanitised(poisoned, rule, share) {
                Ok((metric, dropped)) if poisoned => {
                    (out.attacked, out.dropped) = (metric, Some(dropped));
                }
                Ok((metric, dropped)) => {
                    (out.clean, out.dropped_clean) = (metric, Some(dropped));
                }
                Err(Error::Field { reason, .. }) => out.refused = Some(reason),
                Err(error) => return Err(error),
            }
        }
        Ok(out)
    }

    fn sanitised(
        &mut self,
        poisoned: bool,
        rule: Sanitise,
        share: Option<f64>,
    ) -> Result<(Option<f64>, Dropped)> {
        let problem = if poisoned {
            &self.poisoned
        } else {
            &self.clean
        };
        let sanitised = match (rule, &self.distances[usize::from(poisoned)]) {
            (Sanitise::Vouch, Ok(distances)) => sanitise::by_scores(distances.clone(), share),
            (Sanitise::Vouch, Err(error)) => return Err(error.clone()),
            _ => sanitise::sanitise(rule, share, problem)?,
        };
        let counts: Vec<usize> = tasks_of(problem).iter().map(|task| task.clean).collect();
        let dropped = Dropped::count(&sanitised.kept, &counts);
        let mut kept = sanitise::subset(problem, &sanitised.kept)?;
        let solution = self.solve(&mut kept, None)?;
        Ok((self.metric(&solution.w), dropped))
    }

    fn task_rankings(&self) -> Result<Vec<TaskRanking>> {
        let m = self.poisoned.task_count();
        let truth: Vec<bool> = (0..m)
            .map(|task| self.spec.attackers.contains(&task))
            .collect();
        let clean = if self.is_standard {
            score_tasks(&self.clean, &self.clean_solution)?
        } else {
            TaskScores::default()
        };
        let attacked = score_tasks(&self.poisoned, &self.solution)?;
        let mut rankings: Vec<TaskRanking> = [
            (TaskScore::OwnLoss, clean.own_loss, attacked.own_loss),
            (
                TaskScore::LeftOutGain,
                clean.left_out_gain,
                attacked.left_out_gain,
            ),
            (
                TaskScore::MeanCorrelation,
                clean.mean_correlation,
                attacked.mean_correlation,
            ),
        ]
        .into_iter()
        .map(|(score, clean, attacked)| TaskRanking {
            score,
            figures: detection::figures(&attacked, &truth),
            curves: detection::curves(&attacked, &truth),
            clean,
            attacked,
        })
        .collect();
        rankings.push(TaskRanking {
            score: TaskScore::KnownCorrelation,
            clean: Vec::new(),
            attacked: Vec::new(),
            figures: known(&self.solution.spectrum.correlation(), &truth),
            curves: ScoreCurves::default(),
        });
        Ok(rankings)
    }

    fn point_rankings(&self) -> Vec<PointRanking> {
        let tasks = tasks_of(&self.poisoned);
        let dimension = self.poisoned.dimension();
        let truth: Vec<bool> = (tasks.iter())
            .flat_map(|task| (0..task.labels.len()).map(|j| j >= task.clean))
            .collect();
        let mut scores = vec![
            (PointScore::Norm, norms(dimension, &tasks)),
            (
                PointScore::Loss,
                losses(&self.poisoned, &tasks, &self.solution.w),
            ),
        ];
        // Refused where tasks share rows.
        if let Ok(distances) = &self.distances[1] {
            scores.push((PointScore::Vouch, distances.clone()));
        }
        (scores.into_iter())
            .map(|(score, values)| {
                let values = values.concat();
                PointRanking {
                    score,
                    figures: detection::figures(&values, &truth),
                    curves: detection::curves(&values, &truth),
                }
            })
            .collect()
    }
}

fn met(status: Status) -> bool {
    matches!(status, Status::Converged | Status::Settled)
}

/// How well |correlation| with one attacked task finds the others, each attacked task known in turn.
fn known(correlation: &[f64], attacked: &[bool]) -> ScoreFigures {
    let m = attacked.len();
    let (mut roc_aucs, mut precisions) = (Vec::new(), Vec::new());
    for known in (0..m).filter(|&task| attacked[task]) {
        let rest = (0..m).filter(|&task| task != known);
        let (scores, truth): (Vec<f64>, Vec<bool>) = rest
            .map(|task| (correlation[known * m + task].abs(), attacked[task]))
            .unzip();
        let figures = detection::figures(&scores, &truth);
        roc_aucs.extend(figures.roc_auc);
        precisions.extend(figures.precision);
    }
    let mean = |values: &[f64]| {
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    ScoreFigures {
        roc_auc: mean(&roc_aucs),
        precision: mean(&precisions),
    }
}

/// Over the digest of the run and every number that was measured on its points.
fn digest(result: &JobResult, of_run: &str) -> String {
    let mut digester = Digester::default();
    digester.text(of_run);
    let metrics = [
        result.clean,
        result.attacked,
        result.single_task_clean,
        result.single_task_attacked,
    ];
    metrics.iter().for_each(|&value| digester.optional(value));
    for cap in &result.caps {
        digester.number(cap.pull_cap);
        let metrics = [cap.clean, cap.attacked, cap.certified];
        metrics.iter().for_each(|&value| digester.optional(value));
        digester.number(cap.binds as f64);
    }
    for found in &result.sanitisers {
        digester.optional(found.clean);
        digester.optional(found.attacked);
        for dropped in [found.dropped_clean, found.dropped].into_iter().flatten() {
            let counts = [dropped.caught, dropped.lost];
            digester.numbers(&counts.map(|count| count as f64));
        }
    }
    let tasks = result.tasks.iter().map(|ranking| &ranking.figures);
    let points = result.points.iter().map(|ranking| &ranking.figures);
    for figures in tasks.chain(points) {
        digester.optional(figures.roc_auc);
        digester.optional(figures.precision);
    }
    digester.finish()
}
