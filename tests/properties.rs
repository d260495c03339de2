//! Properties that hold for any specification and any link, on random ones.

mod common;

use std::ops::ControlFlow;

use patom::Error;
use patom::attack::{
    Attack, FeatureDomain, Gradient, InjectedFeatures, InjectedLabels, Injection, Method, Step,
    Utility,
};
use patom::data::sample::{FeatureScaling, Sample, TargetScaling};
use patom::data::synthetic;
use patom::defence::sanitise::Sanitise;
use patom::experiment::{self, Observer, Outcome, Unobserved};
use patom::linalg::norm_squared;
use patom::mtrl::{self, Learner, Limits, Loss, Problem, Solution, Solver, Status, Weights};
use patom::report::{Model, Report, TracePoint};
use patom::spec::link;
use patom::spec::{Draft, FIELDS, FieldKind, RadiusQuantile, Shape, Spec};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::{Map, Value, json};

/// Cases of each property.
const SPECS: u32 = 48;
const LOWERS: u32 = 400;
const CANCELLED: u32 = 32;
const TEXTS: u32 = 512;

fn shape() -> Shape {
    Shape::named("synthetic").unwrap()
}

/// A number of the range, of any magnitude in it, or a bound.
fn magnitude(min: f64, max: f64) -> impl Strategy<Value = Value> {
    let (low, high) = (min.log10(), max.log10());
    prop_oneof![
        8 => (low..high).prop_map(|exponent| 10f64.powf(exponent)),
        1 => Just(min),
        1 => Just(max),
    ]
    .prop_map(move |value| json!(value.clamp(min, max)))
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    select(words).prop_map(|word| json!(word))
}

fn tasks() -> impl Strategy<Value = Value> {
    let all: Vec<usize> = (0..synthetic::TASKS).collect();
    subsequence(all, 1..=synthetic::TASKS)
        .prop_shuffle()
        .prop_map(|tasks| json!(tasks))
}

/// Some fields of a specification of the synthetic data, each in its range; together they may
/// contradict each other. Sizes are kept small: these tests are about truth, not speed.
fn drafts() -> impl Strategy<Value = Map<String, Value>> {
    let sizes = (
        proptest::option::of((1u64..30).prop_map(|n| json!(n))),
        proptest::option::weighted(0.1, (0.001..0.2).prop_map(|share: f64| json!(share))),
        proptest::option::of((1u64..150).prop_map(|n| json!(n))),
        proptest::option::of(tasks()),
        proptest::option::weighted(0.2, tasks()),
        (0u64..4).prop_map(|n| json!(n)),
        prop_oneof![0u64..1 << 53, (0u32..16).prop_map(|zeros| 10u64.pow(zeros))]
            .prop_map(|seed| json!(seed)),
    );
    let choices = (
        word(Attack::WORDS),
        proptest::option::weighted(0.3, word(Method::WORDS)),
        word(Gradient::WORDS),
        word(Step::WORDS),
        word(InjectedLabels::WORDS),
        word(Loss::WORDS),
        proptest::option::weighted(0.4, word(Solver::WORDS)),
        proptest::option::weighted(0.2, word(TargetScaling::WORDS)),
    );
    let numbers = (
        magnitude(1e-9, 1e9),
        magnitude(0.01, 3.0),
        prop_oneof![
            Just(json!(0)),
            (0.0..1.5).prop_map(|b: f64| json!(b)),
            Just(json!(5.0))
        ],
        prop_oneof![4 => magnitude(1e-6, 100.0), 1 => word(RadiusQuantile::WORDS)],
        magnitude(1e-12, 1e6),
        prop_oneof![Just(json!(0.0)), magnitude(1e-12, 1e6)],
        prop_oneof![1 => Just(json!(0.0)), 9 => magnitude(1e-12, 1.0)],
    );
    let defence = (
        proptest::option::weighted(0.2, word(FeatureScaling::WORDS)),
        proptest::option::weighted(0.2, word(FeatureDomain::WORDS)),
        proptest::option::weighted(0.2, word(InjectedFeatures::WORDS)),
        proptest::option::weighted(0.5, word(Learner::WORDS)),
        proptest::option::weighted(0.3, magnitude(1e-6, 1e3)),
        proptest::option::weighted(0.4, word(Sanitise::WORDS)),
        proptest::option::weighted(0.3, (0.0..0.5).prop_map(|share: f64| json!(share))),
    );
    let attacker = (
        proptest::option::weighted(0.1, any::<bool>().prop_map(|flag| json!(flag))),
        proptest::option::weighted(0.4, word(Utility::WORDS)),
        proptest::option::weighted(0.2, (1u64..4).prop_map(|n| json!(n))),
        proptest::option::weighted(0.3, (0.05..1.0).prop_map(|share: f64| json!(share))),
    );
    (sizes, choices, numbers, defence, attacker).prop_map(
        |(sizes, choices, numbers, defence, attacker)| {
            let written = [
                ("train_per_task", sizes.0),
                ("train_share", sizes.1),
                ("test_per_task", sizes.2),
                ("targets", sizes.3),
                ("attackers", sizes.4),
                ("iterations", Some(sizes.5)),
                ("seed", Some(sizes.6)),
                ("attack", Some(choices.0)),
                ("method", choices.1),
                ("gradient", Some(choices.2)),
                ("step", Some(choices.3)),
                ("injected_labels", Some(choices.4)),
                ("loss", Some(choices.5)),
                ("solver", choices.6),
                ("target_scaling", choices.7),
                ("step_size", Some(numbers.0)),
                ("batch_factor", Some(numbers.1)),
                ("budget", Some(numbers.2)),
                ("radius", Some(numbers.3)),
                ("lambda1", Some(numbers.4)),
                ("lambda2", Some(numbers.5)),
                ("epsilon", Some(numbers.6)),
                ("feature_scaling", defence.0),
                ("feature_domain", defence.1),
                ("injected_features", defence.2),
                ("learner", defence.3),
                ("pull_cap", defence.4),
                ("sanitise", defence.5),
                ("sanitise_share", defence.6),
                ("shared_rows", attacker.0),
                ("utility", attacker.1),
                ("starts", attacker.2),
                ("knowledge", attacker.3),
            ];
            (written.into_iter())
                .filter_map(|(name, value)| Some((name.to_string(), value?)))
                .collect()
        },
    )
}

/// Checked specifications: contradictions are resolved by leaving out what the check names.
fn specs() -> impl Strategy<Value = Spec> {
    drafts().prop_map(|mut written| {
        for _ in 0..FIELDS.len() {
            let draft = Draft::from_value(Value::Object(written.clone())).unwrap();
            match draft.check(&shape()) {
                Ok(spec) => return spec,
                Err(errors) => {
                    let named = errors[0]
                        .field_name()
                        .expect("a field is named")
                        .to_string();
                    assert!(
                        written.remove(&named).is_some() || named == "targets",
                        "{named} was not written: {errors:?}"
                    );
                    if named == "targets" || named == "attackers" {
                        written.remove("targets");
                        written.remove("attackers");
                    }
                }
            }
        }
        panic!("the empty specification is valid")
    })
}

fn run(spec: &Spec) -> patom::Result<Outcome> {
    let data = experiment::load_synthetic(spec)?;
    experiment::run(spec, &data, &mut Unobserved)
}

fn all_finite(report: &Report) -> bool {
    let models = [&report.clean, &report.attacked].into_iter().all(|model| {
        (model.weights.iter().chain(&model.correlation).flatten()).all(|value| value.is_finite())
            && model.objective.is_finite()
            && model.certificate.is_finite()
            && (model.metric_per_task.iter().flatten()).all(|value| value.is_finite())
    });
    models
        && report.trace.iter().all(|point| {
            [point.utility, point.objective, point.certificate]
                .iter()
                .chain(&point.metric)
                .chain(point.metric_per_task.iter().flatten())
                .all(|value| value.is_finite())
        })
}

/// The sample with the training points that the attacker sees: its quantiles are those of these points.
fn seen(outcome: &Outcome) -> Sample {
    let mut sample = outcome.sample.clone();
    let size = sample.features + 1;
    for (task, flags) in sample.tasks.iter_mut().zip(outcome.known.iter().flatten()) {
        let rows = task.train.features.chunks_exact(size).zip(flags);
        let rows: Vec<&[f64]> = rows
            .filter(|(_, known)| **known)
            .map(|(row, _)| row)
            .collect();
        task.train.features = rows.concat();
        let labels = task.train.labels.iter().zip(flags);
        task.train.labels = labels
            .filter(|(_, known)| **known)
            .map(|(y, _)| *y)
            .collect();
    }
    sample
}

/// The promises of a report.
fn check(spec: &Spec, outcome: &Outcome) -> Result<(), TestCaseError> {
    let report = &outcome.report;
    prop_assert!(all_finite(report));
    prop_assert_eq!(&report.spec, spec);

    // The budget, floor(b n); a product that only rounding keeps below a whole number counts as it.
    let mut injected = [0; synthetic::TASKS];
    let radius = experiment::radius(spec, &seen(outcome));
    for injection in &outcome.injections {
        injected[injection.task] = injection.labels.len();
        for point in injection.points.chunks_exact(synthetic::FEATURES + 1) {
            let (bias, features) = point.split_last().unwrap();
            prop_assert_eq!(*bias, 1.0);
            // One rounding of the sum of squares.
            // Copied rows are those of clean points, of which the longest has length 1.
            let copied = spec.injected_features == InjectedFeatures::Copied;
            let rounding = if copied { 2e-12 } else { 1e-15 };
            if spec.feature_domain == FeatureDomain::Ball {
                prop_assert!(norm_squared(features).sqrt() <= radius * (1.0 + rounding));
            }
        }
    }
    for (task, sample) in outcome.sample.tasks.iter().enumerate() {
        let allowed = if spec.attackers.contains(&task) {
            spec.budget * sample.train.count() as f64
        } else {
            0.0
        };
        let count = injected[task] as f64;
        prop_assert!(count <= allowed + 1e-8 && count > allowed - 1.0 - 1e-8);
    }

    // The trace.
    let trace = &report.trace;
    prop_assert!((1..=spec.iterations + 1).contains(&trace.len()));
    prop_assert!(
        trace
            .iter()
            .enumerate()
            .all(|(at, point)| point.iteration == at)
    );
    if spec.method == Method::Random || injected.iter().all(|count| *count == 0) {
        prop_assert_eq!(trace.len(), 1);
    }
    let copied = spec.injected_features == InjectedFeatures::Copied;
    if spec.step == Step::Backtracking || copied {
        prop_assert!(
            trace
                .windows(2)
                .all(|pair| pair[0].utility < pair[1].utility)
        );
    } else if spec.method == Method::Patom && injected.iter().any(|count| *count > 0) {
        prop_assert_eq!(trace.len(), spec.iterations + 1);
    }
    let last = trace.last().unwrap();
    prop_assert_eq!(last.objective, report.attacked.objective);
    prop_assert_eq!(&last.metric_per_task, &report.attacked.metric_per_task);
    if injected.iter().all(|count| *count == 0) {
        prop_assert_eq!(&report.clean, &report.attacked);
    }

    // Numbers in their ranges, as far as mathematics bounds them.
    for model in [&report.clean, &report.attacked] {
        prop_assert!(model.certificate >= 0.0 && model.objective >= 0.0);
        for row in &model.correlation {
            prop_assert!(row.iter().all(|entry| entry.abs() <= 1.0 + 1e-9), "{row:?}");
        }
    }
    Ok(())
}

/// Ends the run at the `left`-th call, and must not be called afterwards.
struct Impatient {
    left: usize,
    calls: usize,
}

impl Impatient {
    fn call(&mut self) -> ControlFlow<()> {
        self.calls += 1;
        if self.calls > self.left {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Observer for Impatient {
    fn clean(&mut self, _: &Model, _: &Sample, _: &[Injection]) -> ControlFlow<()> {
        self.call()
    }

    fn iteration(&mut self, _: &TracePoint, _: &[Injection]) -> ControlFlow<()> {
        self.call()
    }
}

/// A small lower level of any shape and any weights in their ranges.
#[derive(Clone, Debug)]
struct Lower {
    m: usize,
    d: usize,
    points: usize,
    weights: Weights,
    label_size: f64,
    limits: Limits,
    seed: u64,
}

fn lowers() -> impl Strategy<Value = Lower> {
    let exponent = |low: f64, high: f64| (low..high).prop_map(|e: f64| 10f64.powf(e));
    let weights = (
        any::<bool>(),
        exponent(-12.0, 6.0),
        prop_oneof![1 => Just(0.0), 4 => exponent(-12.0, 6.0)],
        exponent(-12.0, 0.0),
    );
    let limits = (exponent(-14.0, 0.0), 1usize..250);
    let sizes = (1usize..9, 1usize..8, 1usize..30);
    (sizes, weights, exponent(-6.0, 6.0), limits, any::<u32>()).prop_map(
        |((m, d, points), (hinge, lambda1, lambda2, epsilon), size, limits, seed)| Lower {
            m,
            d,
            points,
            weights: Weights {
                loss: if hinge {
                    Loss::SquaredHinge
                } else {
                    Loss::Squared
                },
                lambda1,
                lambda2,
                epsilon,
            },
            label_size: if hinge { 1.0 } else { size },
            limits: Limits {
                tolerance: limits.0,
                max_iterations: limits.1,
            },
            seed: u64::from(seed),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: LOWERS, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_lower_level_ends_within_its_limits_and_its_certificate_is_a_bound(lower in lowers()) {
        let Lower { m, d, points, weights, limits, .. } = lower;
        let mut tasks = common::random_tasks(lower.seed, weights.loss, m, d, points, 0);
        for task in &mut tasks {
            task.labels.iter_mut().for_each(|y| *y *= lower.label_size);
        }
        let mut problem = Problem::new(weights, d + 1, tasks).unwrap();
        let mut least = f64::INFINITY;
        let mut bounds = Vec::new();
        for solver in [Solver::Certified, Solver::Alternating] {
            let solution = mtrl::solve(solver, &mut problem, None, &limits).unwrap();
            prop_assert!(solution.iterations <= limits.max_iterations);
            // Conjugate gradients stop after twice as many products as unknowns; a step of the
            // certified solver takes them once or twice, one of the alternation for each of at
            // most 50 active sets.
            let systems = if solver == Solver::Certified { 2 } else { 50 };
            prop_assert!(solution.products <= solution.iterations * systems * 2 * m * (d + 1));
            let Solution { objective, certificate, status, .. } = solution;
            prop_assert!(objective.is_finite() && objective >= 0.0);
            prop_assert!(certificate.is_finite() && certificate >= 0.0);
            prop_assert!(solution.w.iter().all(|w| w.is_finite()));
            prop_assert!(solution.spectrum.correlation().iter().all(|c| c.abs() <= 1.0));
            let within = certificate <= limits.tolerance * objective.max(1.0);
            prop_assert_eq!(status == Status::Converged, within);
            least = least.min(objective);
            bounds.push(objective - certificate);
        }
        // No lower bound lies above an objective, but for the rounding of sums that cancel.
        let rounding = 1e-9 * (least + lower.label_size * lower.label_size);
        for bound in bounds {
            prop_assert!(bound <= least + rounding, "{bound:e} above {least:e}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CANCELLED, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_can_be_cancelled_at_every_step(spec in specs()) {
        let data = experiment::load_synthetic(&spec).unwrap();
        let mut all = Impatient { left: usize::MAX, calls: 0 };
        if let Ok(outcome) = experiment::run(&spec, &data, &mut all) {
            let shown = 1 + outcome.report.trace.len();
            if spec.starts == 1 {
                prop_assert_eq!(all.calls, shown);
            } else {
                // Each other start has at least its iteration 0.
                prop_assert!(all.calls >= shown + spec.starts - 1);
            }
        }
        for left in 0..all.calls {
            let mut observer = Impatient { left, calls: 0 };
            let error = experiment::run(&spec, &data, &mut observer).unwrap_err();
            prop_assert_eq!(error, Error::Cancelled);
            prop_assert_eq!(observer.calls, left + 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: SPECS, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_specification_ends_in_a_valid_report_or_an_error_that_names_a_field(
        spec in specs()
    ) {
        match run(&spec) {
            Ok(outcome) => {
                check(&spec, &outcome)?;
                let again = run(&spec).unwrap();
                prop_assert_eq!(again.report.digest, outcome.report.digest);
                prop_assert_eq!(again.injections, outcome.injections);
            }
            Err(Error::Field { field, .. }) => {
                prop_assert!(patom::spec::field(&field).is_some(), "{field} is no field");
            }
            Err(Error::Numerical { .. }) => {}
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: TEXTS, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_specification_survives_json_its_link_and_its_shortest_form(spec in specs()) {
        let text = serde_json::to_string(&spec).unwrap();
        let again = Draft::parse(&text).unwrap().check(&shape()).unwrap();
        prop_assert_eq!(&again, &spec);
        let short = spec.differences(&shape()).check(&shape()).unwrap();
        prop_assert_eq!(&short, &spec);
        let fragment = link::encode(&spec, &shape());
        let decoded = link::decode(&fragment).unwrap().draft.check(&shape()).unwrap();
        prop_assert_eq!(&decoded, &spec, "{}", fragment);
    }

    #[test]
    fn fields_of_any_json_value_are_accepted_or_refused_by_their_name(
        mut written in drafts(),
        at in any::<Index>(),
        value in prop_oneof![
            any::<f64>().prop_map(|number| json!(number)),
            any::<i64>().prop_map(|number| json!(number)),
            any::<bool>().prop_map(|flag| json!(flag)),
            ".{0,8}".prop_map(|text| json!(text)),
            prop::collection::vec(-3i64..12, 0..4).prop_map(|list| json!(list)),
            Just(json!({"name": "a.csv"})),
            Just(Value::Null),
        ],
    ) {
        let field = &FIELDS[at.index(FIELDS.len())];
        written.insert(field.name.to_string(), value);
        let draft = Draft::parse(&Value::Object(written).to_string()).unwrap();
        match draft.check(&shape()) {
            Ok(spec) => {
                let again = spec.to_draft().check(&shape()).unwrap();
                prop_assert_eq!(again, spec);
            }
            Err(errors) => {
                for error in errors {
                    let name = error.field_name().expect("a field is named").to_string();
                    prop_assert!(FIELDS.iter().any(|field| field.name == name), "{name}");
                }
            }
        }
    }

    #[test]
    fn any_change_of_a_link_is_understood_or_refused_by_name(
        spec in specs(),
        changes in prop::collection::vec((any::<Index>(), "[ -~é]{0,3}", 0usize..3), 1..4),
    ) {
        let mut text: Vec<char> = link::encode(&spec, &shape()).chars().collect();
        for (at, new, removed) in changes {
            let at = at.index(text.len() + 1);
            let end = (at + removed).min(text.len());
            text.splice(at..end, new.chars());
        }
        let text: String = text.into_iter().collect();
        match link::decode(&text) {
            Err(error) => prop_assert!(error.field_name().is_some(), "{text}: {error}"),
            Ok(link) => match link.draft.check(&shape()) {
                Err(errors) => {
                    let named = errors.iter().all(|error| error.field_name().is_some());
                    prop_assert!(named, "{text}: {errors:?}");
                }
                // Another data set would have another shape.
                Ok(spec) if spec.dataset == Spec::default_of("synthetic").dataset => {
                    let again = link::encode(&spec, &shape());
                    let decoded = link::decode(&again).unwrap().draft.check(&shape());
                    prop_assert_eq!(decoded.unwrap(), spec, "{} -> {}", text, again);
                }
                Ok(_) => {}
            },
        }
    }

    #[test]
    fn any_text_is_a_link_a_specification_or_an_error(text in "(\\PC|[{}\\[\\]\":,#&=%0-9a-z]){0,60}") {
        let _ = link::decode(&text);
        let _ = Draft::parse(&text);
    }
}

#[test]
fn the_random_specifications_reach_every_choice() {
    // What the properties above promise, they promise for these fields.
    let names: Vec<&str> = FIELDS
        .iter()
        .filter(|field| !matches!(field.kind, FieldKind::Dataset))
        .map(|field| field.name)
        .filter(|name| *name != "version")
        .collect();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..200 {
        let tree = drafts().new_tree(&mut runner).unwrap();
        seen.extend(
            proptest::strategy::ValueTree::current(&tree)
                .keys()
                .cloned(),
        );
    }
    let missing: Vec<&&str> = names.iter().filter(|name| !seen.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
