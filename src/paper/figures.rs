//! The paper's figures as sweeps of specifications, and their results as panels and tables.
//!
//! [`plan`] lists the runs of a figure; the caller runs them in any order, on workers or threads;
//! [`Measured`] is what a figure keeps of a report; [`panels`], [`csv()`] and the drawing in
//! `chart::sweep` take the results. Not here: running, files, drawing.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::attack::{Attack, Gradient, Method, Step};
use crate::data::hex;
use crate::error::{Error, Result};
use crate::metrics::MetricName;
use crate::report::Report;
use crate::rng::{Random, Stream};
use crate::spec::{MAX_SEED, Spec};

/// Most seeds of one figure.
pub const MAX_SEEDS: u64 = 100;

/// Budgets of Figure 2.
pub const BUDGETS: [f64; 6] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5];

/// Pairs of target and attacking tasks of Figure 2, and attacks of Figure 3.
const PAIRS: usize = 4;
const HYBRIDS: usize = 3;

/// Iterations of Figures 2 and 3: the paper sees convergence in less than 10.
const ITERATIONS: usize = 10;

/// A figure of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Figure 1: metric over iterations.
    Convergence,
    /// Figure 2: metric over budgets.
    Quality,
    /// Figure 3: task correlations.
    Correlations,
}

impl Figure {
    /// The figure of this number, 1 to 3.
    ///
    /// # Errors
    /// Another number.
    pub fn of(number: u32) -> Result<Self> {
        match number {
            1 => Ok(Self::Convergence),
            2 => Ok(Self::Quality),
            3 => Ok(Self::Correlations),
            _ => Err(Error::field("figure", number, "1, 2 or 3")),
        }
    }

    /// Its number in the paper.
    pub fn number(self) -> u32 {
        match self {
            Self::Convergence => 1,
            Self::Quality => 2,
            Self::Correlations => 3,
        }
    }

    /// What it shows, in two words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Convergence => "Convergence",
            Self::Quality => "Solution quality",
            Self::Correlations => "Task correlations",
        }
    }

    /// The data sets that the paper shows in it.
    pub fn datasets(self) -> &'static [&'static str] {
        match self {
            Self::Quality => &["sarcos", "landmine", "mnist"],
            Self::Convergence | Self::Correlations => &["sarcos", "landmine"],
        }
    }

    /// The paper's claim, in its own words where they are short.
    pub fn claim(self) -> &'static str {
        match self {
            Self::Convergence => {
                "PATOM converges to local optima in less than 10 iterations, for all three attacks \
                 on both data sets."
            }
            Self::Quality => {
                "Direct attacks are more effective than indirect and random ones; both PATOM \
                 attacks significantly outperform random ones; 30\u{a0}% direct on Sarcos gives about \
                 50\u{a0}% higher NMSE; indirect attacks have almost no effect on MNIST."
            }
            Self::Correlations => {
                "The task correlations are subverted (tasks 2 and 3 of Sarcos from -0.99 to 0.99); \
                 attacking tasks are highly positively correlated with each other."
            }
        }
    }
}

/// One run of a figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Planned {
    /// Unique within the figure; good as a file name.
    pub id: String,
    /// Data set.
    pub dataset: &'static str,
    /// Which panel of the data set, from 0.
    pub panel: usize,
    /// Title of the panel.
    pub title: String,
    /// Position on the horizontal axis (Figure 2: budget).
    pub x: f64,
    /// Which repeat, from 0.
    pub repeat: u64,
    /// What is run.
    pub spec: Spec,
}

/// The runs of one figure on one data set with `seeds` repeats, the first seed being `first_seed`.
///
/// # Errors
/// A data set that the figure does not have; a number of seeds, or a seed, out of range.
pub fn plan(figure: Figure, dataset: &str, seeds: u64, first_seed: u64) -> Result<Vec<Planned>> {
    let known = figure.datasets();
    let Some(&dataset) = known.iter().find(|name| **name == dataset) else {
        let expected = format!("one of {} in figure {}", known.join(", "), figure.number());
        return Err(Error::field("dataset", dataset, expected));
    };
    if !(1..=MAX_SEEDS).contains(&seeds) {
        return Err(Error::out_of_range(
            "seeds",
            seeds,
            format!("1 to {MAX_SEEDS}"),
        ));
    }
    let last = MAX_SEED - (seeds - 1);
    if first_seed > last {
        let expected = format!("at most {last}, as there are {seeds} seeds");
        return Err(Error::out_of_range("first_seed", first_seed, expected));
    }
    let mut runs = Vec::new();
    for repeat in 0..seeds {
        let base = Spec {
            seed: first_seed + repeat,
            ..Spec::default_of(dataset)
        };
        match figure {
            Figure::Convergence => convergence(&base, repeat, dataset, &mut runs),
            Figure::Quality => quality(&base, repeat, dataset, &mut runs),
            Figure::Correlations => correlations(&base, repeat, dataset, &mut runs),
        }
    }
    Ok(runs)
}

fn task_count(base: &Spec) -> usize {
    let crate::spec::DatasetRef::Named(name) = &base.dataset else {
        return 0;
    };
    crate::spec::Shape::named(name).map_or(0, |shape| shape.tasks)
}

fn others(tasks: &[usize], m: usize) -> Vec<usize> {
    (0..m).filter(|task| !tasks.contains(task)).collect()
}

fn drawn(random: &mut Random, m: usize, count: usize) -> Vec<usize> {
    let mut tasks = random.choose(m, count);
    tasks.sort_unstable();
    tasks
}

/// Three step rules, three attacks each: the paper's setting, and ours for comparison.
fn convergence(base: &Spec, repeat: u64, dataset: &'static str, runs: &mut Vec<Planned>) {
    let m = task_count(base);
    let rest = others(&base.targets, m);
    let mut random = Random::new(base.seed, Stream::Attackers, 0);
    // By chance the draw may be the tasks of another attack: then it would show nothing of its own.
    let hybrid = loop {
        let tasks = drawn(&mut random, m, rest.len());
        if tasks != rest && tasks != base.targets {
            break tasks;
        }
    };
    let variants = [
        (
            "the paper: published gradient, constant step",
            Gradient::Published,
            Step::Constant,
        ),
        (
            "published gradient, backtracking",
            Gradient::Published,
            Step::Backtracking,
        ),
        (
            "exact gradient, backtracking",
            Gradient::ImplicitTotal,
            Step::Backtracking,
        ),
    ];
    for (panel, (title, gradient, step)) in variants.into_iter().enumerate() {
        for (attack, attackers) in [
            (Attack::Direct, base.targets.clone()),
            (Attack::Indirect, rest.clone()),
            (Attack::Hybrid, hybrid.clone()),
        ] {
            runs.push(Planned {
                id: format!("{dataset}-{panel}-{}-s{}", attack.word(), base.seed),
                dataset,
                panel,
                title: title.to_string(),
                x: 0.0,
                repeat,
                spec: Spec {
                    attackers,
                    attack,
                    gradient,
                    step,
                    ..base.clone()
                },
            });
        }
    }
}

/// Four random pairs of targets and attackers, four attacks each, at every budget.
fn quality(base: &Spec, repeat: u64, dataset: &'static str, runs: &mut Vec<Planned>) {
    let m = task_count(base);
    for panel in 0..PAIRS {
        // The pairs are part of the figure: the same for every seed.
        let mut random = Random::new(panel as u64, Stream::Figures, m as u64);
        let targets = drawn(&mut random, m, m.div_ceil(2));
        let rest = others(&targets, m);
        for (attack, attackers) in [
            (Attack::Direct, targets.clone()),
            (Attack::Indirect, rest.clone()),
        ] {
            for method in [Method::Patom, Method::Random] {
                for budget in BUDGETS {
                    let name = format!("{}-{}", attack.word(), method.word());
                    runs.push(Planned {
                        id: format!("{dataset}-{panel}-{name}-b{budget}-s{}", base.seed),
                        dataset,
                        panel,
                        title: format!("targets {}", names(&targets)),
                        x: budget,
                        repeat,
                        spec: Spec {
                            targets: targets.clone(),
                            attackers: attackers.clone(),
                            attack,
                            method,
                            budget,
                            iterations: ITERATIONS,
                            ..base.clone()
                        },
                    });
                }
            }
        }
    }
}

/// Three hybrid attacks from different tasks at 30 %.
fn correlations(base: &Spec, repeat: u64, dataset: &'static str, runs: &mut Vec<Planned>) {
    let m = task_count(base);
    let mut random = Random::new(100, Stream::Figures, m as u64);
    let mut sets: Vec<Vec<usize>> = Vec::new();
    while sets.len() < HYBRIDS {
        let attackers = drawn(&mut random, m, m - base.targets.len());
        if !sets.contains(&attackers) {
            sets.push(attackers);
        }
    }
    for (panel, attackers) in sets.into_iter().enumerate() {
        runs.push(Planned {
            id: format!("{dataset}-{panel}-s{}", base.seed),
            dataset,
            panel,
            title: format!("attackers {}", names(&attackers)),
            x: 0.3,
            repeat,
            spec: Spec {
                attack: Attack::Hybrid,
                attackers,
                budget: 0.3,
                iterations: ITERATIONS,
                ..base.clone()
            },
        });
    }
}

/// Task numbers for people: T1, T2, with runs drawn together.
pub fn names(tasks: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &task in tasks {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == task => *last = task,
            _ => parts.push((task, task)),
        }
    }
    let parts = parts.into_iter().map(|(first, last)| match last - first {
        0 => format!("T{}", first + 1),
        1 => format!("T{}, T{}", first + 1, last + 1),
        _ => format!("T{}-T{}", first + 1, last + 1),
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// What a figure keeps of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Measured {
    /// Version of the engine.
    pub engine: String,
    /// SHA-256 of the data.
    pub data_sha256: String,
    /// Digest of the run.
    pub digest: String,
    /// Did every solve meet its stopping rule?
    pub converged: bool,
    /// Wall time of the run.
    pub seconds: f64,
    /// Mean metric of the targets without an attack.
    pub clean: Option<f64>,
    /// Metric of the targets, iteration by iteration.
    pub metric: Vec<Option<f64>>,
    /// Utility, iteration by iteration.
    pub utility: Vec<f64>,
    /// m x m, row-major.
    pub clean_correlation: Vec<f64>,
    /// m x m, row-major.
    pub attacked_correlation: Vec<f64>,
    /// With a sanitiser: the metric of the targets at the last iteration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sanitised: Option<f64>,
}

impl Measured {
    /// From the report of a run.
    pub fn of(report: &Report) -> Self {
        let clean: Vec<f64> = (report.target_tasks.iter())
            .filter_map(|&task| report.clean.metric_per_task[task])
            .collect();
        Self {
            engine: report.engine.clone(),
            data_sha256: report.data_sha256.clone(),
            digest: report.digest.clone(),
            converged: report.converged(),
            seconds: report.trace.last().map_or(0.0, |point| point.seconds),
            clean: mean(&clean),
            metric: report.trace.iter().map(|point| point.metric).collect(),
            utility: report.trace.iter().map(|point| point.utility).collect(),
            clean_correlation: report.clean.correlation.concat(),
            attacked_correlation: report.attacked.correlation.concat(),
            sanitised: (report.defence.as_ref())
                .and_then(|defence| defence.attacked.mean_metric(&report.target_tasks)),
        }
    }

    /// The metric at the end of the attack.
    pub fn attacked(&self) -> Option<f64> {
        self.metric.last().copied().flatten()
    }
}

pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// One line of a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Text of the legend.
    pub name: String,
    /// Marker.
    pub attack: Attack,
    /// Solid or dashed.
    pub method: Method,
    /// Horizontal positions.
    pub x: Vec<f64>,
    /// For each repeat that is there, a value (or none) for each position.
    pub repeats: Vec<Vec<Option<f64>>>,
}

impl Series {
    /// Mean, smallest and largest over the repeats at a position; none where no repeat has a value.
    pub fn summary(&self, position: usize) -> Option<(f64, f64, f64)> {
        let values: Vec<f64> = (self.repeats.iter())
            .filter_map(|repeat| repeat[position])
            .collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        mean(&values).map(|mean| (mean, low, high))
    }
}

/// One panel of Figure 1 or 2.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Its title.
    pub title: String,
    /// What is on the vertical axis.
    pub metric_name: MetricName,
    /// What is on the horizontal axis.
    pub x_name: &'static str,
    /// Mean metric without an attack.
    pub clean: Option<f64>,
    /// The lines.
    pub series: Vec<Series>,
}

/// The metric of a named data set.
pub fn metric_name(dataset: &str) -> MetricName {
    if dataset == "sarcos" {
        MetricName::Nmse
    } else {
        MetricName::Auc
    }
}

/// The panels of Figure 1 or 2 on one data set, of the runs that are done so far.
pub fn panels(figure: Figure, dataset: &str, runs: &[(&Planned, &Measured)]) -> Vec<Panel> {
    let mine = || {
        runs.iter()
            .filter(|(planned, _)| planned.dataset == dataset)
    };
    let count = mine()
        .map(|(planned, _)| planned.panel + 1)
        .max()
        .unwrap_or(0);
    (0..count)
        .map(|panel| {
            let here: Vec<_> = mine()
                .filter(|(planned, _)| planned.panel == panel)
                .collect();
            let clean: Vec<f64> = here
                .iter()
                .filter_map(|(_, measured)| measured.clean)
                .collect();
            let mut series = Vec::new();
            for attack in [Attack::Direct, Attack::Indirect, Attack::Hybrid] {
                for method in [Method::Patom, Method::Random] {
                    let line: Vec<_> = (here.iter())
                        .filter(|(planned, _)| {
                            planned.spec.attack == attack && planned.spec.method == method
                        })
                        .collect();
                    if !line.is_empty() {
                        series.push(one_series(figure, attack, method, &line));
                    }
                }
            }
            Panel {
                title: here
                    .first()
                    .map_or_else(String::new, |(planned, _)| planned.title.clone()),
                metric_name: metric_name(dataset),
                x_name: match figure {
                    Figure::Convergence => "iteration (0: random start)",
                    _ => "budget (injected / clean points)",
                },
                clean: mean(&clean),
                series,
            }
        })
        .collect()
}

/// The same with every panel of the plan, finished or not, so that a picture keeps its size while runs
/// finish.
pub fn planned_panels(
    figure: Figure,
    dataset: &str,
    plan: &[Planned],
    runs: &[(&Planned, &Measured)],
) -> Vec<Panel> {
    let mut panels = panels(figure, dataset, runs);
    for planned in plan.iter().filter(|planned| planned.dataset == dataset) {
        while panels.len() <= planned.panel {
            panels.push(Panel {
                title: String::new(),
                metric_name: metric_name(dataset),
                x_name: "",
                clean: None,
                series: Vec::new(),
            });
        }
        if panels[planned.panel].title.is_empty() {
            panels[planned.panel].title.clone_from(&planned.title);
        }
    }
    panels
}

fn one_series(
    figure: Figure,
    attack: Attack,
    method: Method,
    runs: &[&&(&Planned, &Measured)],
) -> Series {
    let last_repeat = runs
        .iter()
        .map(|(planned, _)| planned.repeat)
        .max()
        .unwrap_or(0);
    let x: Vec<f64> = match figure {
        Figure::Convergence => {
            let end = runs
                .iter()
                .map(|(planned, _)| planned.spec.iterations)
                .max()
                .unwrap_or(0);
            (0..=end).map(|iteration| iteration as f64).collect()
        }
        Figure::Quality | Figure::Correlations => BUDGETS.to_vec(),
    };
    let value = |repeat: u64, position: usize| {
        let mut of_repeat = runs.iter().filter(|(planned, _)| planned.repeat == repeat);
        match figure {
            Figure::Convergence => {
                let (_, measured) = of_repeat.next()?;
                // A run that found nothing better stays where it is.
                let last = measured.metric.len().checked_sub(1)?;
                measured.metric[position.min(last)]
            }
            Figure::Quality | Figure::Correlations => of_repeat
                .find(|(planned, _)| planned.x == BUDGETS[position])
                .and_then(|(_, measured)| measured.attacked()),
        }
    };
    let name = match method {
        Method::Patom => attack.word().to_string(),
        Method::Random => format!("{}, random", attack.word()),
    };
    let repeats = (0..=last_repeat)
        .map(|repeat| {
            (0..x.len())
                .map(|position| value(repeat, position))
                .collect()
        })
        .collect();
    Series {
        name,
        attack,
        method,
        x,
        repeats,
    }
}

/// One attack of Figure 3.
#[derive(Clone, Debug, PartialEq)]
pub struct CorrelationRow {
    /// Its title.
    pub title: String,
    /// Target tasks.
    pub targets: Vec<usize>,
    /// Attacking tasks.
    pub attackers: Vec<usize>,
    /// m x m, row-major, of the clean model.
    pub before: Vec<f64>,
    /// m x m, of the attacked one.
    pub after: Vec<f64>,
    /// After minus before.
    pub difference: Vec<f64>,
}

/// The attacks of Figure 3 on one data set, of the first seed: matrices are shown, not their means.
pub fn correlation_rows(dataset: &str, runs: &[(&Planned, &Measured)]) -> Vec<CorrelationRow> {
    (runs.iter())
        .filter(|(planned, _)| planned.dataset == dataset && planned.repeat == 0)
        .map(|(planned, measured)| {
            let (before, after) = (&measured.clean_correlation, &measured.attacked_correlation);
            CorrelationRow {
                title: planned.title.clone(),
                targets: planned.spec.targets.clone(),
                attackers: planned.spec.attackers.clone(),
                difference: after
                    .iter()
                    .zip(before)
                    .map(|(after, before)| after - before)
                    .collect(),
                before: before.clone(),
                after: after.clone(),
            }
        })
        .collect()
}

/// A digest over the digests of all runs, in the order of the plan, wherever they ran and in
/// whichever order, it is the same.
pub fn digest(runs: &[(&Planned, &Measured)]) -> String {
    let mut all = Sha256::new();
    for (planned, measured) in runs {
        all.update(format!("{} {}\n", planned.id, measured.digest));
    }
    hex(&all.finalize()[..8])
}

/// The results of a figure as a table. Tasks count from 1, as in its drawing.
pub fn csv(figure: Figure, runs: &[(&Planned, &Measured)]) -> String {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let mut text = String::new();
    text.push_str(match figure {
        Figure::Convergence => {
            "dataset,gradient,step,attack,seed,iteration,clean,metric,utility,digest\n"
        }
        Figure::Quality => {
            "dataset,pair,targets,attackers,attack,method,budget,seed,clean,start,metric,digest\n"
        }
        Figure::Correlations => {
            "dataset,attack_set,attackers,seed,i,j,clean,attacked,difference,digest\n"
        }
    });
    for (planned, measured) in runs {
        let Spec {
            seed,
            gradient,
            step,
            attack,
            method,
            budget,
            targets,
            attackers,
            ..
        } = &planned.spec;
        let dataset = planned.dataset;
        let clean = number(measured.clean);
        let digest = &measured.digest;
        match figure {
            Figure::Convergence => {
                for (iteration, (metric, utility)) in
                    measured.metric.iter().zip(&measured.utility).enumerate()
                {
                    let metric = number(*metric);
                    let _ = writeln!(
                        text,
                        "{dataset},{},{},{},{seed},{iteration},{clean},{metric},{utility},{digest}",
                        gradient.word(),
                        step.word(),
                        attack.word(),
                    );
                }
            }
            Figure::Quality => {
                let (start, metric) = (
                    number(measured.metric.first().copied().flatten()),
                    number(measured.attacked()),
                );
                let _ = writeln!(
                    text,
                    "{dataset},{},{},{},{},{},{budget},{seed},{clean},{start},{metric},{digest}",
                    planned.panel + 1,
                    joined(targets),
                    joined(attackers),
                    attack.word(),
                    method.word(),
                );
            }
            Figure::Correlations => {
                let m = measured.clean_correlation.len().isqrt();
                for (k, (before, after)) in (measured.clean_correlation.iter())
                    .zip(&measured.attacked_correlation)
                    .enumerate()
                {
                    let _ = writeln!(
                        text,
                        "{dataset},{},{},{seed},{},{},{before},{after},{},{digest}",
                        planned.panel + 1,
                        joined(attackers),
                        k / m + 1,
                        k % m + 1,
                        after - before,
                    );
                }
            }
        }
    }
    text
}

/// Task numbers from 0, separated by blanks: one cell of a CSV file.
/// Numbers of tasks from 1.
fn joined(tasks: &[usize]) -> String {
    tasks
        .iter()
        .map(|task| (task + 1).to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::spec::Shape;

    #[test]
    fn the_last_seed_is_one_that_a_specification_takes() {
        let seeds = |seeds, first| plan(Figure::Correlations, "sarcos", seeds, first);
        assert_eq!(seeds(2, MAX_SEED - 1).unwrap()[3].spec.seed, MAX_SEED);
        for (count, first) in [(2, MAX_SEED), (1, MAX_SEED + 1), (2, u64::MAX)] {
            let error = seeds(count, first).unwrap_err();
            assert_eq!(error.field_name(), Some("first_seed"));
        }
    }

    #[test]
    fn every_planned_run_is_a_valid_specification_with_an_id_of_its_own() {
        for (figure, per_seed) in [
            (Figure::Convergence, 9),
            (Figure::Quality, 4 * 4 * BUDGETS.len()),
            (Figure::Correlations, 3),
        ] {
            for dataset in figure.datasets() {
                let runs = plan(figure, dataset, 2, 1).unwrap();
                assert_eq!(runs.len(), 2 * per_seed);
                let shape = Shape::named(dataset).unwrap();
                let mut ids: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
                ids.sort_unstable();
                ids.dedup();
                assert_eq!(ids.len(), runs.len());
                for run in &runs {
                    let checked = run.spec.to_draft().check(&shape);
                    assert_eq!(checked.as_ref(), Ok(&run.spec), "{}", run.id);
                }
            }
        }
        assert!(plan(Figure::Convergence, "mnist", 1, 1).is_err());
        assert!(plan(Figure::Quality, "mnist", 0, 1).is_err());
    }

    #[test]
    fn the_sizes_are_those_of_the_paper() {
        let sizes = |dataset| {
            let run = &plan(Figure::Quality, dataset, 1, 1).unwrap()[2 * BUDGETS.len()];
            assert_eq!(run.spec.attack, Attack::Indirect);
            (run.spec.targets.len(), run.spec.attackers.len())
        };
        assert_eq!(
            (sizes("sarcos"), sizes("landmine"), sizes("mnist")),
            ((4, 3), (15, 14), (5, 5))
        );
        assert_eq!(names(&[0, 1, 2, 5, 7, 8]), "T1-T3, T6, T8, T9");
    }

    #[test]
    fn the_hybrid_attack_of_figure_1_has_tasks_of_its_own() {
        for dataset in Figure::Convergence.datasets() {
            for run in plan(Figure::Convergence, dataset, 100, 1).unwrap() {
                let Spec {
                    attack,
                    targets,
                    attackers,
                    ..
                } = &run.spec;
                let mixed = attackers.iter().any(|task| targets.contains(task));
                assert!(*attack != Attack::Hybrid || mixed, "{}", run.id);
            }
        }
    }

    /// A result with this course of the metric.
    pub fn measured(metric: &[f64]) -> Measured {
        Measured {
            engine: String::new(),
            data_sha256: String::new(),
            digest: "d".to_string(),
            converged: true,
            seconds: 0.0,
            clean: Some(0.5),
            metric: metric.iter().map(|&value| Some(value)).collect(),
            utility: vec![1.0; metric.len()],
            clean_correlation: vec![1.0],
            attacked_correlation: vec![0.5],
            sanitised: None,
        }
    }

    #[test]
    fn repeats_are_summed_up_by_mean_and_extremes() {
        let runs = plan(Figure::Convergence, "sarcos", 2, 1).unwrap();
        let results: Vec<Measured> = runs
            .iter()
            .map(|run| measured(&[1.0, 2.0 + run.repeat as f64]))
            .collect();
        let pairs: Vec<_> = runs.iter().zip(&results).collect();
        let panels = panels(Figure::Convergence, "sarcos", &pairs);
        assert_eq!(panels.len(), 3);
        let series = &panels[0].series[0];
        assert_eq!(series.x.len(), 16);
        assert_eq!(series.summary(0), Some((1.0, 1.0, 1.0)));
        assert_eq!(
            series.summary(15),
            Some((2.5, 2.0, 3.0)),
            "a stopped run stays where it is"
        );
        let table = csv(Figure::Convergence, &pairs);
        assert_eq!(table.lines().count(), 1 + 18 * 2);
    }

    #[test]
    fn tables_of_figures_count_tasks_from_1() {
        let row = |figure, column: &str| {
            let runs = plan(figure, "sarcos", 1, 1).unwrap();
            let result = measured(&[1.0]);
            let pairs = [(&runs[0], &result)];
            let table = csv(figure, &pairs);
            let mut lines = table.lines().map(|line| line.split(','));
            let place = lines.next().unwrap().position(|name| name == column);
            let cell = lines
                .next()
                .unwrap()
                .nth(place.unwrap())
                .unwrap()
                .to_string();
            (cell, runs[0].spec.clone())
        };
        let (targets, spec) = row(Figure::Quality, "targets");
        let numbers = spec.targets.iter().map(|task| (task + 1).to_string());
        assert_eq!(targets, numbers.collect::<Vec<_>>().join(" "));
        for column in ["i", "j"] {
            assert_eq!(row(Figure::Correlations, column).0, "1");
        }
    }
}
