//! Where the paper is silent: the paper's method with other choices, judged by every claim.
//!
//! A [`Variant`] changes what the paper leaves open. [`jobs`] lists its runs, [`trace`] does one of them,
//! and [`Table`] judges the claims at the end or at the best iterate, after 10 or 15 iterations. Not
//! here: threads, files.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::claims::{self, Claim, Judged, Verdict};
use super::figures::{self, Measured};
use super::plan::{Figure, Planned, Protocol, plan};
use crate::attack::{self, InjectedLabels, Iterate};
use crate::data::sample::TargetScaling;
use crate::data::{DataSet, hex};
use crate::error::Result;
use crate::experiment::{self, ENGINE, Prepared};
use crate::mtrl::{self, Loss, Status};
use crate::spec::Spec;

/// The figures whose claims are judged.
pub const FIGURES: [Figure; 3] = [Figure::Convergence, Figure::Quality, Figure::Correlations];

/// A run on MNIST takes as long as 50 others: half of the budgets of Figure 2.
const MNIST_BUDGETS: [f64; 4] = [0.0, 0.1, 0.3, 0.5];

/// A choice that the paper leaves open, other than as printed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Regression labels as they are.
    RawLabels,
    /// Injected labels from the clean ones: resampled (regression) or flipped (classification).
    CleanLabels,
    /// A floor ε.
    Floor(f64),
    /// So many rounds of the alternation, settled or not.
    Rounds(usize),
    /// The squared loss for classification, as the paper's formula says without the maximum.
    SquaredLoss,
}

/// The choices of which one can be made; of two floors not both.
const CHANGES: [Change; 6] = [
    Change::RawLabels,
    Change::CleanLabels,
    Change::Floor(1e-6),
    Change::Floor(1e-2),
    Change::Rounds(5),
    Change::SquaredLoss,
];

impl Change {
    fn text(self) -> String {
        match self {
            Self::RawLabels => "raw regression labels".to_string(),
            Self::CleanLabels => "injected labels resampled or flipped".to_string(),
            Self::Floor(epsilon) => format!("floor \u{3b5} = {epsilon:e}"),
            Self::Rounds(rounds) => format!("{rounds} rounds of the alternation"),
            Self::SquaredLoss => "squared loss for classification".to_string(),
        }
    }

    /// Are these two answers to one question?
    fn excludes(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }

    fn apply(self, spec: &mut Spec, regression: bool) {
        match self {
            Self::RawLabels if regression => spec.target_scaling = TargetScaling::Raw,
            Self::CleanLabels if regression => spec.injected_labels = InjectedLabels::Resampled,
            Self::CleanLabels => spec.injected_labels = InjectedLabels::Flipped,
            Self::Floor(epsilon) => spec.epsilon = epsilon,
            Self::SquaredLoss => spec.loss = Loss::Squared,
            Self::RawLabels | Self::Rounds(_) => {}
        }
    }
}

/// The paper's method with some changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant(Vec<Change>);

impl Variant {
    /// In words.
    pub fn text(&self) -> String {
        if self.0.is_empty() {
            return "as printed".to_string();
        }
        let parts: Vec<String> = self.0.iter().map(|change| change.text()).collect();
        parts.join(", ")
    }

    fn rounds(&self) -> Option<usize> {
        let rounds = |change: &Change| match change {
            Change::Rounds(rounds) => Some(*rounds),
            _ => None,
        };
        self.0.iter().find_map(rounds)
    }
}

/// As printed, and with each change alone.
pub fn variants() -> Vec<Variant> {
    let alone = CHANGES.into_iter().map(|change| Variant(vec![change]));
    std::iter::once(Variant(Vec::new())).chain(alone).collect()
}

/// One run of a variant.
#[derive(Clone, Debug, Serialize)]
pub struct Job {
    figure: u32,
    planned: Planned,
    rounds: Option<usize>,
}

/// The runs of a variant on a data set: the three figures' plans, 15 iterations each.
///
/// # Errors
/// Those of a plan.
pub fn jobs(variant: &Variant, dataset: &str, seeds: u64) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for figure in FIGURES {
        if !figure.datasets().contains(&dataset) {
            continue;
        }
        for mut planned in plan(figure, Protocol::Paper, dataset, seeds, 1)? {
            let is_other = figure == Figure::Convergence && planned.panel > 0;
            let is_left_out = figure == Figure::Quality
                && dataset == "mnist"
                && !MNIST_BUDGETS.contains(&planned.x);
            if is_other || is_left_out {
                continue;
            }
            let regression = planned.spec.loss == Loss::Squared;
            for change in &variant.0 {
                change.apply(&mut planned.spec, regression);
            }
            planned.spec.iterations = LONG;
            jobs.push(Job {
                figure: figure.number(),
                planned,
                rounds: variant.rounds(),
            });
        }
    }
    Ok(jobs)
}

/// A name for what determines the results of some runs.
///
/// # Panics
/// Never: a planned run is plain data.
pub fn key(jobs: &[Job], data: &DataSet) -> String {
    let jobs = serde_json::to_string(jobs).expect("plain data");
    let all = format!("{ENGINE} {} {jobs}", data.sha256);
    hex(&Sha256::digest(all)[..12])
}

const SHORT: usize = 10;
const LONG: usize = 15;

/// Which iterate of a run counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    iterations: usize,
    /// The iterate of the largest utility; otherwise the last one.
    best: bool,
}

/// All of them.
pub const ENDINGS: [Ending; 4] = [
    Ending {
        iterations: SHORT,
        best: false,
    },
    Ending {
        iterations: SHORT,
        best: true,
    },
    Ending {
        iterations: LONG,
        best: false,
    },
    Ending {
        iterations: LONG,
        best: true,
    },
];

impl Ending {
    /// In words.
    pub fn text(self) -> String {
        let which = if self.best { "best" } else { "last" };
        format!("{which} of {}", self.iterations)
    }
}

/// What is kept of a run. `correlation` (Figure 3 only): m x m of the clean model, then that of each
/// ending.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Traced {
    clean: Option<f64>,
    metric: Vec<Option<f64>>,
    utility: Vec<f64>,
    converged: bool,
    correlation: Vec<Vec<f64>>,
}

/// Does one run.
///
/// # Errors
/// Those of the run.
pub fn trace(job: &Job, data: &DataSet) -> Result<Traced> {
    let spec = &job.planned.spec;
    let Prepared {
        sample,
        mut clean,
        mut poisoned,
        injections,
        ..
    } = experiment::prepare(spec, data, None)?;
    let mut settings = experiment::attack_settings(spec, &sample)?;
    if let Some(rounds) = job.rounds {
        settings.limits.max_iterations = rounds;
    }
    let of_targets = |w: &[f64]| {
        let metrics = experiment::metric_per_task(w, &sample);
        let targets = spec.targets.iter();
        let values: Vec<f64> = targets.filter_map(|&task| metrics[task]).collect();
        figures::mean(&values)
    };
    let solution = mtrl::solve(spec.solver, &mut clean, None, &settings.limits)?;
    let clean = of_targets(&solution.w);
    let mut worst = solution.status;
    let keeps = job.figure == Figure::Correlations.number();
    let mut all = Vec::new();
    if keeps {
        all.push(solution.spectrum.correlation());
    }
    let (mut metric, mut utility) = (Vec::new(), Vec::new());
    attack::run(
        &mut poisoned,
        injections,
        &settings,
        &mut |iterate: Iterate| {
            metric.push(of_targets(&iterate.solution.w));
            utility.push(iterate.utility);
            worst = worst.max(iterate.solution.status);
            if keeps {
                all.push(iterate.solution.spectrum.correlation());
            }
            ControlFlow::Continue(())
        },
    )?;
    let correlation = if keeps {
        let of_endings = ENDINGS.map(|ending| all[1 + ending.place(&utility)].clone());
        std::iter::once(all[0].clone()).chain(of_endings).collect()
    } else {
        Vec::new()
    };
    Ok(Traced {
        clean,
        metric,
        utility,
        converged: matches!(worst, Status::Converged | Status::Settled),
        correlation,
    })
}

fn plural(seeds: u64) -> String {
    match seeds {
        1 => "1 seed".to_string(),
        _ => format!("{seeds} seeds"),
    }
}

/// The first place of the largest value.
fn best(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, k| if values[k] > values[best] { k } else { best })
}

impl Ending {
    /// The iterate that counts, of a run that may have ended early.
    fn place(self, utility: &[f64]) -> usize {
        let last = self.iterations.min(utility.len().saturating_sub(1));
        if self.best {
            best(&utility[..=last])
        } else {
            last
        }
    }

    /// The number of this ending among all.
    fn number(self) -> usize {
        let same = |ending: &Self| *ending == self;
        ENDINGS.iter().position(same).expect("one of all")
    }
}

impl Traced {
    /// As the result of a run that ended so.
    fn measured(&self, ending: Ending) -> Measured {
        let last = ending.iterations.min(self.metric.len().saturating_sub(1));
        let metric = (0..=last).map(|k| {
            let place = if ending.best {
                best(&self.utility[..=k])
            } else {
                k
            };
            self.metric[place]
        });
        let matrix = |number: usize| self.correlation.get(number).cloned().unwrap_or_default();
        Measured {
            engine: ENGINE.to_string(),
            data_sha256: String::new(),
            digest: String::new(),
            converged: self.converged,
            seconds: 0.0,
            clean: self.clean,
            metric: metric.collect(),
            utility: self.utility[..=last].to_vec(),
            clean_correlation: matrix(0),
            attacked_correlation: matrix(1 + ending.number()),
            sanitised: None,
        }
    }
}

/// A row: a variant and an ending, with the verdict of each claim.
struct Row {
    variant: Variant,
    ending: Ending,
    judged: Vec<Judged>,
}

impl Row {
    fn count(&self, verdict: Verdict) -> usize {
        let is_it = |judged: &&Judged| judged.verdict == verdict;
        self.judged.iter().filter(is_it).count()
    }

    /// Most claims that hold, then most that hold in part.
    fn score(&self) -> (usize, usize) {
        (self.count(Verdict::Agrees), self.count(Verdict::InPart))
    }

    fn name(&self) -> String {
        format!("{}; {}", self.variant.text(), self.ending.text())
    }

    fn verdict(&self, claim: &Claim) -> Option<&Judged> {
        self.judged.iter().find(|judged| judged.claim == claim)
    }
}

/// Settings by claims.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    runs: usize,
    unconverged: usize,
}

impl Table {
    /// Adds a variant: its runs and what came of them, on all data sets.
    pub fn add(&mut self, variant: &Variant, runs: &[(Job, Traced)]) {
        self.runs += runs.len();
        self.unconverged += runs.iter().filter(|(_, traced)| !traced.converged).count();
        for ending in ENDINGS {
            let mut judged = Vec::new();
            for figure in FIGURES {
                let (planned, measured): (Vec<Planned>, Vec<Measured>) = (runs.iter())
                    .filter(|(job, _)| job.figure == figure.number())
                    .map(|(job, traced)| {
                        let mut planned = job.planned.clone();
                        planned.spec.iterations = ending.iterations;
                        (planned, traced.measured(ending))
                    })
                    .unzip();
                let pairs: Vec<_> = planned.iter().zip(&measured).collect();
                judged.extend(claims::judge(figure, &pairs));
            }
            self.rows.push(Row {
                variant: variant.clone(),
                ending,
                judged,
            });
        }
    }

    /// The best score of a variant over the endings.
    fn score(&self, variant: &Variant) -> (usize, usize) {
        let rows = self.rows.iter().filter(|row| row.variant == *variant);
        rows.map(Row::score).max().unwrap_or_default()
    }

    /// All changes together that alone are better than as printed; none where they are fewer than two.
    pub fn combination(&self) -> Option<Variant> {
        let printed = self.score(&Variant(Vec::new()));
        let score = |change: Change| self.score(&Variant(vec![change]));
        let mut chosen: Vec<Change> = Vec::new();
        for change in CHANGES {
            let rivals = CHANGES.into_iter().filter(|other| other.excludes(change));
            let is_best = rivals.rev().max_by_key(|&other| score(other)) == Some(change);
            if is_best && score(change) > printed {
                chosen.push(change);
            }
        }
        (chosen.len() > 1).then_some(Variant(chosen))
    }

    /// The document.
    pub fn text(&self, command: &str, seeds: (u64, u64)) -> String {
        let claims: Vec<&Claim> = (FIGURES.iter())
            .flat_map(|&figure| claims::claims(figure))
            .copied()
            .collect();
        let mut text = format!(
            "# Where the paper is silent\n\n\
             Made by `{command}` with engine {ENGINE}; do not edit by hand. The paper leaves open how \
             labels are scaled, how injected labels are chosen, whether \u{3a9} has a floor, when the \
             alternation stops, whether the loss for classification is the squared hinge that it names or \
             the squared loss that it prints, and which iterate after how many iterations counts. *As \
             printed* is the paper's method: {}; regression labels standardised, squared hinge loss, \
             alternation until a round changes W by less than 3e-5 of its norm (at most 200 rounds). Each \
             other setting changes one thing{}.\n\n\
             {} and 4 pairs; MNIST, where a run takes as long as 50 others: {}. {} of {} runs have a solve that ended at its limit. The claims \
             are judged as in [reproduction.md](reproduction.md).\n\n",
            Protocol::Paper.summary(),
            if self.rows.iter().any(|row| row.variant.0.len() > 1) {
                "; the last one combines all that help alone"
            } else {
                ""
            },
            plural(seeds.0),
            match seeds.1 {
                0 => "left out".to_string(),
                count => format!("{}, budgets of 10, 30 and 50 %", plural(count)),
            },
            self.unconverged,
            self.runs,
        );
        for (number, claim) in claims.iter().enumerate() {
            let _ = writeln!(
                text,
                "{}. {} (the paper: {}).",
                number + 1,
                claim.text,
                claim.paper
            );
        }
        self.conclusions(&mut text, &claims);
        let _ = writeln!(
            text,
            "\n## Settings by claims\n\nThe columns are the claims above; *best* is the iterate of the \
             largest utility.\n\n| setting | iterate | {} | agree | in part |\n|{}",
            (1..=claims.len())
                .map(|number| number.to_string())
                .collect::<Vec<_>>()
                .join(" | "),
            " --- |".repeat(claims.len() + 4)
        );
        for row in &self.rows {
            let cells: Vec<&str> = claims
                .iter()
                .map(|claim| {
                    row.verdict(claim)
                        .map_or("", |judged| judged.verdict.text())
                })
                .collect();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                row.variant.text(),
                row.ending.text(),
                cells.join(" | "),
                row.count(Verdict::Agrees),
                row.count(Verdict::InPart),
            );
        }
        text
    }

    fn conclusions(&self, text: &mut String, claims: &[&Claim]) {
        // Of equal ones the first: as printed before others.
        let Some(best) = (self.rows.iter().rev()).max_by_key(|row| row.score()) else {
            return;
        };
        let _ = writeln!(
            text,
            "\n## What this says\n\nMost claims hold with *{}*: {} of {} agree, {} in part.\n",
            best.name(),
            best.count(Verdict::Agrees),
            best.judged.len(),
            best.count(Verdict::InPart),
        );
        for (number, claim) in claims.iter().enumerate() {
            let judged: Vec<(&Row, &Judged)> = (self.rows.iter())
                .filter_map(|row| Some((row, row.verdict(claim)?)))
                .collect();
            let agreeing = judged
                .iter()
                .filter(|(_, judged)| judged.verdict == Verdict::Agrees);
            let (count, all) = (agreeing.count(), judged.len());
            // The smallest verdict is the best one.
            let number = number + 1;
            let Some((row, closest)) = judged.iter().min_by_key(|(_, judged)| judged.verdict)
            else {
                let _ = writeln!(
                    text,
                    "- Claim {number} is not judged: its data set is left out."
                );
                continue;
            };
            let _ = match count {
                0 => writeln!(
                    text,
                    "- Claim {number} holds with no setting. Closest, {}: {}",
                    row.name(),
                    closest.sentence()
                ),
                _ if count == all => writeln!(text, "- Claim {number} holds with every setting."),
                _ => writeln!(
                    text,
                    "- Claim {number} holds with {count} of {all} settings, first with *{}*.",
                    row.name()
                ),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::Method;
    use crate::spec::Shape;

    #[test]
    fn every_run_of_every_variant_is_a_valid_specification() {
        let all = Variant(vec![
            Change::RawLabels,
            Change::CleanLabels,
            Change::Floor(1e-2),
            Change::Rounds(5),
            Change::SquaredLoss,
        ]);
        for dataset in ["sarcos", "landmine", "mnist"] {
            let shape = Shape::named(dataset).unwrap();
            for variant in variants().into_iter().chain([all.clone()]) {
                for job in jobs(&variant, dataset, 1).unwrap() {
                    let spec = &job.planned.spec;
                    assert_eq!(spec.to_draft().check(&shape).as_ref(), Ok(spec));
                    assert_eq!(spec.iterations, LONG);
                }
            }
            let combined = &jobs(&all, dataset, 1).unwrap()[0].planned.spec;
            let labels = if dataset == "sarcos" {
                InjectedLabels::Resampled
            } else {
                InjectedLabels::Flipped
            };
            assert_eq!(
                (combined.injected_labels, combined.epsilon, combined.loss),
                (labels, 1e-2, Loss::Squared)
            );
        }
    }

    fn traced(utility: &[f64]) -> Traced {
        Traced {
            clean: Some(0.5),
            metric: utility.iter().map(|&value| Some(-value)).collect(),
            utility: utility.to_vec(),
            converged: true,
            correlation: Vec::new(),
        }
    }

    #[test]
    fn the_best_iterate_is_the_first_of_the_largest_utility() {
        let utility: Vec<f64> = (0..16).map(|k| f64::from([0, 3, 1, 3][k % 4])).collect();
        let run = traced(&utility);
        let last = |ending: Ending| run.measured(ending).attacked();
        assert_eq!(
            ENDINGS.map(last),
            [Some(-1.0), Some(-3.0), Some(-3.0), Some(-3.0)]
        );
        let curve = run.measured(ENDINGS[1]).metric;
        assert_eq!(curve.len(), 11);
        assert!(curve[1..].iter().all(|&value| value == Some(-3.0)));
        // A run that ended early stays where it is.
        assert_eq!(
            traced(&[1.0, 2.0]).measured(ENDINGS[2]).attacked(),
            Some(-2.0)
        );
    }

    #[test]
    fn the_combination_takes_what_helps_alone_and_one_of_two_floors() {
        let row = |changes: &[Change], agree: usize| Row {
            variant: Variant(changes.to_vec()),
            ending: ENDINGS[0],
            judged: vec![
                Judged {
                    claim: claims::claims(Figure::Convergence)[0],
                    verdict: Verdict::Agrees,
                    evidence: String::new(),
                    because: String::new(),
                };
                agree
            ],
        };
        let mut table = Table {
            rows: vec![
                row(&[], 1),
                row(&[Change::RawLabels], 2),
                row(&[Change::CleanLabels], 1),
                row(&[Change::Floor(1e-6)], 2),
                row(&[Change::Floor(1e-2)], 3),
            ],
            ..Table::default()
        };
        let both = Variant(vec![Change::RawLabels, Change::Floor(1e-2)]);
        assert_eq!(table.combination(), Some(both));
        table.rows.remove(1);
        assert_eq!(table.combination(), None, "one change is there already");
    }

    #[test]
    fn the_document_names_the_best_setting_and_claims_that_never_hold() {
        let mut table = Table::default();
        for variant in variants() {
            let mut runs = Vec::new();
            for job in jobs(&variant, "sarcos", 1).unwrap() {
                let Spec { method, budget, .. } = job.planned.spec;
                let optimised = method == Method::Patom && budget > 0.0;
                let value = if optimised { 2.0 } else { 1.0 };
                let mut traced = traced(&[1.0]);
                traced.metric = vec![Some(value)];
                traced.correlation = vec![vec![1.0; 49]; 5];
                runs.push((job, traced));
            }
            table.add(&variant, &runs);
        }
        let text = table.text("patom", (1, 1));
        assert!(
            text.contains("Most claims hold with *as printed; last of 10*"),
            "{text}"
        );
        assert!(text.contains("Claim 9 holds with no setting"), "{text}");
        assert!(
            text.contains("- Claim 1 holds with every setting."),
            "{text}"
        );
        assert_eq!(text.matches("| best of 15 |").count(), variants().len());
    }
}
