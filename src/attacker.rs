//! The attacker of a specification: what it sees of the training set, where its points may lie, where
//! they start, and its attack. Not here: the loop of the attack (`attack`), what a run reports.

use std::ops::ControlFlow;

use crate::attack::{
    self, Domain, FeatureDomain, InjectedFeatures, Injection, Interval, Iterate, Pool, Stop,
    Utility,
};
use crate::data::Kind;
use crate::data::sample::{Points, Sample, TaskSample, share_of};
use crate::defence::sanitise;
use crate::error::{Error, Result};
use crate::mtrl::{self, Limits, Problem, Solution, Task};
use crate::rng::{Random, Stream};
use crate::spec::{Radius, Spec};

/// The clean training points that an attacker of limited knowledge sees. It knows the scaling and the
/// range of each column, and the number of points of each task.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// For each task, for each clean training point: is it seen?
    pub flags: Vec<Vec<bool>>,
    /// The sample with these training points alone.
    pub sample: Sample,
}

impl Known {
    /// Draws them; none where all are seen. At least one of each task.
    pub(crate) fn draw(spec: &Spec, sample: &Sample) -> Option<Self> {
        if !cfg!(feature = "beyond_paper") || spec.knowledge >= 1.0 {
            return None;
        }
        let size = sample.features + 1;
        let mut known = sample.clone();
        let flags = (known.tasks.iter_mut().enumerate())
            .map(|(number, task)| {
                let count = task.train.count();
                let seen = share_of(spec.knowledge, count).max(1);
                let mut random = Random::new(spec.seed, Stream::Knowledge, number as u64);
                let mut flags = vec![false; count];
                for row in random.choose(count, seen) {
                    flags[row] = true;
                }
                let rows = task.train.features.chunks_exact(size);
                let seen = rows
                    .zip(&task.train.labels)
                    .zip(&flags)
                    .filter(|(_, seen)| **seen);
                let mut train = Points::default();
                for ((row, &label), _) in seen {
                    train.features.extend(row);
                    train.labels.push(label);
                }
                task.train = train;
                flags
            })
            .collect();
        Some(Self {
            flags,
            sample: known,
        })
    }
}

/// The seed of a start, from 0; the first is that of the specification.
pub(crate) fn start_seed(seed: u64, start: usize) -> u64 {
    if start == 0 {
        return seed;
    }
    let mut random = Random::new(seed, Stream::Starts, start as u64);
    let half = |random: &mut Random| random.below(1 << 26) as u64;
    // 52 bits: a seed that a specification may have, too.
    (half(&mut random) << 26) | half(&mut random)
}

/// The settings of the attack in a specification; `sample`: what the attacker sees.
///
/// # Errors
/// No row to copy; no pair to rank.
pub fn settings(spec: &Spec, sample: &Sample) -> Result<attack::Settings> {
    if spec.utility == Utility::Ranking {
        let is_pair = |&task: &usize| {
            let labels = &sample.tasks[task].train.labels;
            labels.iter().any(|label| *label > 0.0) && labels.iter().any(|label| *label < 0.0)
        };
        if !spec.targets.iter().any(is_pair) {
            let reason = "ranking needs a target task with clean training points of both classes, seen \
                          by the attacker; use training_loss, or more training points";
            return Err(Error::invalid("utility", reason));
        }
    }
    Ok(attack::Settings {
        targets: spec.targets.clone(),
        utility: spec.utility,
        method: spec.method,
        gradient: spec.gradient,
        step: spec.step,
        step_size: spec.step_size,
        iterations: spec.iterations,
        batch_factor: spec.batch_factor,
        domain: domain(spec, sample),
        solver: spec.solver,
        limits: Limits::default(),
        pools: pools(spec, sample)?,
        seed: spec.seed,
    })
}

/// What may be copied into each attacking task, where only copies are injected.
fn pools(spec: &Spec, sample: &Sample) -> Result<Option<Vec<Pool>>> {
    if !cfg!(feature = "beyond_paper") || spec.injected_features == InjectedFeatures::Free {
        return Ok(None);
    }
    let radius = radius(spec, sample);
    let clean = tasks(sample, &[]);
    let kind = (spec.loss, sample.features + 1);
    let of_task = |&task: &usize| Pool::new(&clean, kind, task, radius);
    spec.attackers
        .iter()
        .map(of_task)
        .collect::<Result<Vec<Pool>>>()
        .map(Some)
}

/// The radius of the ball of the injected points; quantiles are those of all clean training points
/// of the sample.
pub fn radius(spec: &Spec, sample: &Sample) -> f64 {
    match spec.radius {
        Radius::Fixed(radius) => radius,
        Radius::Quantile(quantile) => {
            let clean = tasks(sample, &[]);
            let clean: Vec<&Task> = clean.iter().collect();
            let mut norms = sanitise::norms(sample.features + 1, &clean).concat();
            norms.sort_by(f64::total_cmp);
            attack::quantile(&norms, quantile.share())
        }
    }
}

/// Where the injected points may lie.
fn domain(spec: &Spec, sample: &Sample) -> Domain {
    match spec.feature_domain {
        FeatureDomain::Ball => Domain::Ball {
            radius: radius(spec, sample),
        },
        FeatureDomain::Observed => {
            let intervals = sample.columns.iter().map(|column| Interval {
                low: column.units.scaled(column.low),
                high: column.units.scaled(column.high),
                whole: column.whole.then_some(column.units),
            });
            Domain::Observed(intervals.collect())
        }
    }
}

/// floor(b n_i) for each attacking task.
pub(crate) fn counts(spec: &Spec, sample: &Sample) -> Vec<usize> {
    let count = |&task: &usize| share_of(spec.budget, sample.tasks[task].train.count());
    spec.attackers.iter().map(count).collect()
}

/// The injected points of each attacking task, so many of each: uniform in the ball, then moved into
/// the domain. `sample`: what the attacker sees.
pub(crate) fn draw(
    spec: &Spec,
    sample: &Sample,
    counts: &[usize],
    seed: u64,
) -> Result<Vec<Injection>> {
    let tasks = spec.attackers.iter().zip(counts);
    if let Some(pools) = pools(spec, sample)? {
        let draw = |((&task, &count), pool): ((&usize, &usize), &Pool)| {
            pool.draw(task, count, sample.features + 1, seed)
        };
        return Ok(tasks.zip(&pools).map(draw).collect());
    }
    let radius = radius(spec, sample);
    let classes = sample.kind == Kind::Classification;
    let domain = domain(spec, sample);
    Ok(tasks
        .map(|(&task, &count)| {
            let labels = &sample.tasks[task].train.labels;
            let rule = (spec.injected_labels, classes, labels.as_slice());
            let d = sample.features;
            let mut injection = Injection::draw(task, count, d, radius, rule, seed);
            for point in injection.points.chunks_exact_mut(d + 1) {
                domain.project(&mut point[..d]);
            }
            injection
        })
        .collect())
}

/// The tasks of the lower level: clean training points, injected ones behind them.
pub(crate) fn tasks(sample: &Sample, injections: &[Injection]) -> Vec<Task> {
    let mut tasks: Vec<Task> = (sample.tasks.iter())
        .map(
            |TaskSample {
                 train: Points { features, labels },
                 ..
             }| Task {
                points: features.clone(),
                labels: labels.clone(),
                clean: labels.len(),
            },
        )
        .collect();
    for injection in injections {
        tasks[injection.task].points.extend(&injection.points);
        tasks[injection.task].labels.extend(&injection.labels);
    }
    tasks
}

/// How an attack ended.
pub(crate) struct Ended {
    /// The victim's model.
    pub solution: Solution,
    /// The attacker's own, where it does not see all points.
    pub surrogate: Option<Solution>,
    pub injections: Vec<Injection>,
    pub stop: Stop,
}

/// Runs the attack of one start. `victim` holds these injected points behind all clean ones, and so it
/// does with the last ones at the end. `observe` is called with each iteration, as the attacker sees
/// it, and with the victim's model.
///
/// # Errors
/// A numerical breakdown; cancelled by `observe`.
pub(crate) fn run(
    victim: &mut Problem,
    known: Option<&Known>,
    injections: Vec<Injection>,
    settings: &attack::Settings,
    observe: &mut dyn FnMut(&Iterate, &Solution) -> ControlFlow<()>,
) -> Result<Ended> {
    let Some(known) = known.filter(|_| cfg!(feature = "beyond_paper")) else {
        let (solution, injections, stop) =
            attack::run(victim, injections, settings, &mut |iterate| {
                observe(&iterate, iterate.solution)
            })?;
        return Ok(Ended {
            solution,
            surrogate: None,
            injections,
            stop,
        });
    };
    let tasks = tasks(&known.sample, &injections);
    let mut surrogate = victim.with_tasks(tasks)?;
    let mut trained: Option<Solution> = None;
    let mut failed = None;
    let attacked = attack::run(&mut surrogate, injections, settings, &mut |iterate| {
        attack::place(victim, iterate.injections);
        let solved = mtrl::solve(settings.solver, victim, trained.as_ref(), &settings.limits);
        match solved {
            Ok(solution) => {
                let flow = observe(&iterate, &solution);
                trained = Some(solution);
                flow
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let (own, injections, stop) = attacked?;
    Ok(Ended {
        solution: trained.expect("iteration 0 is always observed"),
        surrogate: Some(own),
        injections,
        stop,
    })
}
