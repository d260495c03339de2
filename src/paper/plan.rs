//! The paper's figures as sweeps of specifications, by the paper's method or by the exact one.
//!
//! [`plan`] lists the runs of a figure; the caller runs them in any order, on workers or threads. Not
//! here: running, and what comes of the results (`figures`).

use serde::Serialize;

use crate::attack::{Attack, Gradient, InjectedLabels, Method, Step};
use crate::choice::choice;
use crate::error::{Error, Result};
use crate::mtrl::Solver;
use crate::rng::{Random, Stream};
use crate::spec::{MAX_SEED, Spec};

/// Most seeds of one figure.
pub const MAX_SEEDS: u64 = 100;

/// Budgets of Figure 2.
pub const BUDGETS: [f64; 6] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5];

/// Pairs of target and attacking tasks of Figure 2, and attacks of Figure 3.
const PAIRS: usize = 4;
pub(super) const HYBRIDS: usize = 3;

/// ε where there is a floor.
const FLOOR: f64 = 1e-6;

/// Iterations of Figures 2 and 3: the paper sees convergence in less than 10.
const ITERATIONS: usize = 10;

choice! {
    /// By which method the attacks of a figure are computed.
    Protocol {
        /// As printed: published gradient, constant step of 100, batch of three times the clean
        /// points, alternation without a floor, uniform injected labels.
        Paper = "paper" => "the paper's method",
        /// Exact gradient, backtracking, certified solver with a floor of 1e-6.
        Exact = "exact" => "exact gradient",
    }
}

impl Protocol {
    /// What it consists of, as one line.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Paper => {
                "published gradient, constant step of 100, batch of three times the clean points, \
                 alternation without a floor (\u{3b5} = 0), uniform injected labels"
            }
            Self::Exact => {
                "exact gradient (implicit_total), backtracking, certified solver with \u{3b5} = 1e-6, \
                 uniform injected labels"
            }
        }
    }

    /// A specification with the settings of this method.
    pub(super) fn applied(self, spec: Spec) -> Spec {
        let (gradient, step, solver, epsilon) = match self {
            Self::Paper => (
                Gradient::Published,
                Step::Constant,
                Solver::Alternating,
                0.0,
            ),
            Self::Exact => (
                Gradient::ImplicitTotal,
                Step::Backtracking,
                Solver::Certified,
                FLOOR,
            ),
        };
        Spec {
            gradient,
            step,
            solver,
            epsilon,
            step_size: 100.0,
            batch_factor: 3.0,
            injected_labels: InjectedLabels::Uniform,
            ..spec
        }
    }
}

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

/// The runs of one figure by one method on one data set with `seeds` repeats, the first seed being
/// `first_seed`.
///
/// # Errors
/// A data set that the figure does not have; a number of seeds, or a seed, out of range.
pub fn plan(
    figure: Figure,
    protocol: Protocol,
    dataset: &str,
    seeds: u64,
    first_seed: u64,
) -> Result<Vec<Planned>> {
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
        let base = protocol.applied(Spec {
            seed: first_seed + repeat,
            ..Spec::default_of(dataset)
        });
        match figure {
            Figure::Convergence => convergence(&base, protocol, repeat, dataset, &mut runs),
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

/// The method, and beside it one with a single other setting; three attacks each.
fn convergence(
    base: &Spec,
    protocol: Protocol,
    repeat: u64,
    dataset: &'static str,
    runs: &mut Vec<Planned>,
) {
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
    let variants = match protocol {
        Protocol::Paper => [
            ("alternation without a floor", base.clone()),
            (
                "alternation with a floor of 1e-6",
                Spec {
                    epsilon: FLOOR,
                    ..base.clone()
                },
            ),
        ],
        Protocol::Exact => [
            ("exact gradient, backtracking", base.clone()),
            (
                "published gradient, backtracking",
                Spec {
                    gradient: Gradient::Published,
                    ..base.clone()
                },
            ),
        ],
    };
    for (panel, (title, base)) in variants.into_iter().enumerate() {
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
        _ => format!("T{}–T{}", first + 1, last + 1),
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Shape;

    #[test]
    fn the_last_seed_is_one_that_a_specification_takes() {
        let seeds = |seeds, first| {
            plan(
                Figure::Correlations,
                Protocol::Exact,
                "sarcos",
                seeds,
                first,
            )
        };
        assert_eq!(seeds(2, MAX_SEED - 1).unwrap()[3].spec.seed, MAX_SEED);
        for (count, first) in [(2, MAX_SEED), (1, MAX_SEED + 1), (2, u64::MAX)] {
            let error = seeds(count, first).unwrap_err();
            assert_eq!(error.field_name(), Some("first_seed"));
        }
    }

    #[test]
    fn every_planned_run_is_a_valid_specification_with_an_id_of_its_own() {
        for (figure, per_seed) in [
            (Figure::Convergence, 6),
            (Figure::Quality, 4 * 4 * BUDGETS.len()),
            (Figure::Correlations, 3),
        ] {
            let methods = Protocol::ALL.iter();
            for (dataset, &protocol) in (figure.datasets().iter())
                .flat_map(|dataset| methods.clone().map(move |method| (dataset, method)))
            {
                let runs = plan(figure, protocol, dataset, 2, 1).unwrap();
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
        assert!(plan(Figure::Convergence, Protocol::Paper, "mnist", 1, 1).is_err());
        assert!(plan(Figure::Quality, Protocol::Paper, "mnist", 0, 1).is_err());
    }

    #[test]
    fn the_sizes_are_those_of_the_paper() {
        let sizes = |dataset| {
            let run =
                &plan(Figure::Quality, Protocol::Paper, dataset, 1, 1).unwrap()[2 * BUDGETS.len()];
            assert_eq!(run.spec.attack, Attack::Indirect);
            (run.spec.targets.len(), run.spec.attackers.len())
        };
        assert_eq!(
            (sizes("sarcos"), sizes("landmine"), sizes("mnist")),
            ((4, 3), (15, 14), (5, 5))
        );
        assert_eq!(names(&[0, 1, 2, 5, 7, 8]), "T1–T3, T6, T8, T9");
    }

    #[test]
    fn the_hybrid_attack_of_figure_1_has_tasks_of_its_own() {
        for dataset in Figure::Convergence.datasets() {
            for run in plan(Figure::Convergence, Protocol::Paper, dataset, 100, 1).unwrap() {
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
}
