//! The results of a figure of the paper as panels and tables.
//!
//! [`Measured`] is what a figure keeps of a report; [`panels`], [`csv()`] and the drawing in
//! `chart::sweep` take the results. Not here: which runs a figure consists of (`plan`), running, files,
//! drawing.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::plan::{BUDGETS, Figure, Planned};
use crate::attack::{Attack, Method};
use crate::data::hex;
use crate::metrics::MetricName;
use crate::report::Report;
use crate::spec::Spec;

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
    /// The same lines of the published results, to compare with; their means are drawn behind.
    pub published: Vec<Series>,
    /// A number of the paper: horizontal position, value, words.
    pub paper: Option<(f64, f64, &'static str)>,
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
                published: Vec::new(),
                paper: paper_number(figure, dataset, mean(&clean)),
            }
        })
        .collect()
}

/// What the paper says in numbers about a figure's panels: 30 % injected directly raise the NMSE on
/// Sarcos by about half.
fn paper_number(
    figure: Figure,
    dataset: &str,
    clean: Option<f64>,
) -> Option<(f64, f64, &'static str)> {
    match (figure, dataset, clean) {
        (Figure::Quality, "sarcos", Some(clean)) => Some((0.3, 1.5 * clean, "paper: +50 %")),
        _ => None,
    }
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
                published: Vec::new(),
                paper: None,
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

/// Numbers of tasks from 1, separated by blanks: one cell of a CSV file.
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
    use crate::paper::plan::{Protocol, plan};

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
        let runs = plan(Figure::Convergence, Protocol::Exact, "sarcos", 2, 1).unwrap();
        let results: Vec<Measured> = runs
            .iter()
            .map(|run| measured(&[1.0, 2.0 + run.repeat as f64]))
            .collect();
        let pairs: Vec<_> = runs.iter().zip(&results).collect();
        let panels = panels(Figure::Convergence, "sarcos", &pairs);
        assert_eq!(panels.len(), 2);
        let series = &panels[0].series[0];
        assert_eq!(series.x.len(), 16);
        assert_eq!(series.summary(0), Some((1.0, 1.0, 1.0)));
        assert_eq!(
            series.summary(15),
            Some((2.5, 2.0, 3.0)),
            "a stopped run stays where it is"
        );
        let table = csv(Figure::Convergence, &pairs);
        assert_eq!(table.lines().count(), 1 + 12 * 2);
    }

    #[test]
    fn tables_of_figures_count_tasks_from_1() {
        let row = |figure, column: &str| {
            let runs = plan(figure, Protocol::Exact, "sarcos", 1, 1).unwrap();
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
