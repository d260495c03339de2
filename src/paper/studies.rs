//! What the figures do not show: several starts by both methods, and the three gradients, as Markdown.
//! Not here: files, printing.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use super::claims::Verdict;
use super::figures::Measured;
use super::plan::Protocol;
use super::reproduction::{Spread, header};
use crate::attack::{self, Aim, Attack, Gradient, gradient};
use crate::data::DataSet;
use crate::error::Result;
use crate::experiment::{self, Prepared, Unobserved};
use crate::linalg::{dot, norm_squared};
use crate::minus::minus;
use crate::mtrl::{self, Limits, Solver};
use crate::spec::Spec;

const LAMBDAS: [f64; 3] = [0.1, 0.01, 0.001];
const STARTS: u64 = 5;

/// Several starts and the three gradients on the named data sets. `progress` is called with the number
/// of finished and of all comparisons.
///
/// # Errors
/// Those of the runs.
pub fn studies(
    data: &[(&str, DataSet)],
    seeds: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<String> {
    let mut text = String::new();
    let all = data.len() as u64 * (4 + 2 * LAMBDAS.len() as u64);
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(done, all);
    };
    starts(&mut text, data, &mut step)?;
    gradients(&mut text, data, seeds, &mut step)?;
    Ok(text)
}

/// Final metric, final utility and clean metric of a run.
struct End {
    clean: f64,
    metric: f64,
    utility: f64,
}

fn end(spec: &Spec, data: &DataSet) -> Result<End> {
    let report = experiment::run(spec, data, &mut Unobserved)?.report;
    let measured = Measured::of(&report);
    Ok(End {
        clean: measured.clean.unwrap_or(f64::NAN),
        metric: measured.attacked().unwrap_or(f64::NAN),
        utility: measured.utility.last().copied().unwrap_or(f64::NAN),
    })
}

fn indirect(spec: &mut Spec, m: usize) {
    spec.attack = Attack::Indirect;
    spec.attackers = (0..m).filter(|task| !spec.targets.contains(task)).collect();
}

/// Several starts for the same data.
fn starts(text: &mut String, data: &[(&str, DataSet)], step: &mut dyn FnMut()) -> Result<()> {
    text.push_str(
        "\n## Similar local optima from several starts\n\nClaim: very similar local optima from \
         several start points. Same data and injected labels, five draws of the injected points, \
         15 iterations, 20 % budget. *Spread* is largest minus smallest utility over the mean: below \
         2 % at the end agrees, below 10 % in part.\n\n",
    );
    header(
        text,
        &[
            "data",
            "method",
            "attack",
            "utility at the start",
            "at the end",
            "spread at the start",
            "at the end",
            "claim",
        ],
    );
    for (name, data) in data {
        for (&method, attack) in (Protocol::ALL.iter())
            .flat_map(|method| [(method, Attack::Direct), (method, Attack::Indirect)])
        {
            let mut spec = method.applied(Spec {
                seed: 1,
                ..Spec::default_of(name)
            });
            if attack == Attack::Indirect {
                indirect(&mut spec, data.task_count());
            }
            let mut utilities = Vec::new();
            for start in 0..STARTS {
                let Prepared {
                    sample,
                    mut poisoned,
                    injections,
                    ..
                } = experiment::prepare(&spec, data, Some(1000 + start))?;
                let mut trace = Vec::new();
                let settings = experiment::attack_settings(&spec, &sample)?;
                attack::run(&mut poisoned, injections, &settings, &mut |iterate| {
                    trace.push(iterate.utility);
                    ControlFlow::Continue(())
                })?;
                utilities.push((trace[0], trace[trace.len() - 1]));
            }
            let first = Spread::of(utilities.iter().map(|(first, _)| *first));
            let last = Spread::of(utilities.iter().map(|(_, last)| *last));
            let spread = |s: Spread| (s.high - s.low) / s.mean;
            let _ = writeln!(
                text,
                "| {name} | {} | {} | {} | {} | {:.2} % | {:.2} % | {} |",
                method.text(),
                attack.word(),
                first.text(),
                last.text(),
                100.0 * spread(first),
                100.0 * spread(last),
                match spread(last) {
                    spread if spread < 0.02 => Verdict::Agrees,
                    spread if spread < 0.1 => Verdict::InPart,
                    _ => Verdict::Differs,
                }
                .text()
            );
            step();
        }
    }
    Ok(())
}

/// The three gradients side by side.
fn gradients(
    text: &mut String,
    data: &[(&str, DataSet)],
    seeds: u64,
    step: &mut dyn FnMut(),
) -> Result<()> {
    text.push_str(
        "\n## The three gradients side by side\n\nOur own result. The same attack (backtracking, \
         20 %, 15 iterations) with the published gradient, the one that is exact for a fixed Ω \
         (`implicit`), and the exact one (`implicit_total`): the mean metric of the targets at the \
         end, the utility at the end relative to that of `implicit_total`, and the cosine of each \
         gradient with the exact one at the start.\n\n",
    );
    header(
        text,
        &[
            "data",
            "λ",
            "attack",
            "clean",
            "published",
            "implicit",
            "total",
            "utility published",
            "implicit",
            "cosine published",
            "implicit",
        ],
    );
    let kinds = [
        Gradient::Published,
        Gradient::Implicit,
        Gradient::ImplicitTotal,
    ];
    for (name, data) in data {
        for lambda in LAMBDAS {
            for attack in [Attack::Direct, Attack::Indirect] {
                let mut clean = Vec::new();
                let mut metrics = [Vec::new(), Vec::new(), Vec::new()];
                let mut utilities = [Vec::new(), Vec::new()];
                let mut cosines = [Vec::new(), Vec::new()];
                for seed in 1..=seeds {
                    let mut spec = Spec {
                        seed,
                        lambda1: lambda,
                        lambda2: lambda,
                        ..Spec::default_of(name)
                    };
                    if attack == Attack::Indirect {
                        indirect(&mut spec, data.task_count());
                    }
                    let mut ends = Vec::new();
                    for (kind, metrics) in kinds.into_iter().zip(&mut metrics) {
                        spec.gradient = kind;
                        let end = end(&spec, data)?;
                        metrics.push(end.metric);
                        ends.push(end);
                    }
                    clean.push(ends[0].clean);
                    for k in 0..2 {
                        utilities[k].push(ends[k].utility / ends[2].utility);
                    }
                    for (k, cosine) in cosines_at_start(&spec, data)?.into_iter().enumerate() {
                        cosines[k].push(cosine);
                    }
                }
                let mean = |values: &[f64]| Spread::of(values.iter().copied()).mean;
                let _ = writeln!(
                    text,
                    "| {name} | {lambda} | {} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {} | {} |",
                    attack.word(),
                    mean(&clean),
                    mean(&metrics[0]),
                    mean(&metrics[1]),
                    mean(&metrics[2]),
                    mean(&utilities[0]),
                    mean(&utilities[1]),
                    minus(format_args!("{:.2}", mean(&cosines[0]))),
                    minus(format_args!("{:.2}", mean(&cosines[1]))),
                );
                step();
            }
        }
    }
    Ok(())
}

/// Cosine of the published and of the implicit gradient with the total one at iteration 0.
fn cosines_at_start(spec: &Spec, data: &DataSet) -> Result<[f64; 2]> {
    let Prepared {
        mut poisoned,
        injections,
        ..
    } = experiment::prepare(spec, data, None)?;
    let solution = mtrl::solve(Solver::Certified, &mut poisoned, None, &Limits::default())?;
    let mut full = |kind| {
        let aim = Aim::training_loss(&spec.targets);
        let parts = gradient::full(kind, &mut poisoned, &solution, aim, &injections);
        parts.map(|parts| parts.concat())
    };
    let total = full(Gradient::ImplicitTotal)?;
    let mut cosine = |kind| -> Result<f64> {
        let other = full(kind)?;
        Ok(dot(&other, &total) / (norm_squared(&other) * norm_squared(&total)).sqrt())
    };
    Ok([cosine(Gradient::Published)?, cosine(Gradient::Implicit)?])
}
