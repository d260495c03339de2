//! An attacker beyond the paper's: another utility, several starts, limited knowledge.

use std::ops::ControlFlow;
use std::path::PathBuf;

use patom::attack::{Injection, Utility};
use patom::data::{DataSet, Kind, Layout, RawPoints, published};
use patom::experiment::{self, Observer, Outcome, Unobserved};
use patom::linalg::dot;
use patom::report::TracePoint;
use patom::spec::{Draft, Shape, Spec};

fn spec(text: &str) -> Spec {
    let shape = Shape::named("synthetic").unwrap();
    Draft::parse(text).unwrap().check(&shape).unwrap()
}

fn run(text: &str) -> Outcome {
    let spec = spec(text);
    let data = experiment::load_synthetic(&spec).unwrap();
    experiment::run(&spec, &data, &mut Unobserved).unwrap()
}

/// Mean over the pairs of max(0, 1 - (s₊ - s₋))², summed over the targets, pair by pair.
fn ranking(outcome: &Outcome, weights: &[Vec<f64>], seen: impl Fn(usize, usize) -> bool) -> f64 {
    let size = outcome.sample.features + 1;
    let targets = outcome.report.target_tasks.iter();
    targets
        .map(|&task| {
            let train = &outcome.sample.tasks[task].train;
            let rows = train.features.chunks_exact(size).zip(&train.labels);
            let scores: Vec<(f64, f64)> = (rows.enumerate())
                .filter(|(j, _)| seen(task, *j))
                .map(|(_, (x, &label))| (dot(x, &weights[task]), label))
                .collect();
            let (mut sum, mut pairs) = (0.0, 0.0);
            for (a, _) in scores.iter().filter(|(_, label)| *label > 0.0) {
                for (b, _) in scores.iter().filter(|(_, label)| *label < 0.0) {
                    sum += (1.0 - (a - b)).max(0.0).powi(2);
                    pairs += 1.0;
                }
            }
            if pairs > 0.0 { sum / pairs } else { 0.0 }
        })
        .sum()
}

#[test]
fn the_ranking_utility_is_that_of_all_pairs_and_never_falls() {
    for gradient in ["published", "implicit", "implicit_total"] {
        for attack in ["direct", "indirect"] {
            let outcome = run(&format!(
                r#"{{"loss": "squared_hinge", "utility": "ranking", "gradient": "{gradient}",
                    "attack": "{attack}", "iterations": 6}}"#
            ));
            let report = &outcome.report;
            let utilities: Vec<f64> = report.trace.iter().map(|point| point.utility).collect();
            assert!(utilities.is_sorted(), "{utilities:?}");
            let expected = ranking(&outcome, &report.attacked.weights, |_, _| true);
            let found = utilities[utilities.len() - 1];
            assert!((found - expected).abs() < 1e-12 * expected, "{found}");
            if gradient == "implicit_total" {
                assert!(utilities.len() == 7 && found > 1.05 * utilities[0]);
            }
        }
    }
}

/// Few mines among much clutter: a training loss is hardly about their order. Measured in NumPy on two
/// pairs of tasks: AUC 0.587 and 0.292 with the training loss, 0.278 and 0.303 with pairs.
#[test]
fn where_classes_are_unbalanced_the_attacker_who_ranks_lowers_the_auc_more() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("PATOM_DATA").map(PathBuf::from);
    let beside = [root.join("../shared/data"), root.join("target/data")];
    let folders: Vec<PathBuf> = named.into_iter().chain(beside).collect();
    let find =
        |file: &str| (folders.iter()).find_map(|folder| std::fs::read(folder.join(file)).ok());
    let data = match published::load("landmine", &find) {
        Ok(data) => data,
        Err(error) => {
            println!("SKIPPED where_classes_are_unbalanced: {error}");
            return;
        }
    };
    let auc = |utility: Utility, seed: u64| {
        let spec = Spec {
            utility,
            seed,
            budget: 0.3,
            iterations: 8,
            ..Spec::default_of("landmine")
        };
        let report = experiment::run(&spec, &data, &mut Unobserved)
            .unwrap()
            .report;
        report.trace.last().unwrap().metric.unwrap()
    };
    for seed in [1, 2] {
        let (loss, ranking) = (
            auc(Utility::TrainingLoss, seed),
            auc(Utility::Ranking, seed),
        );
        // Found: 0.196 against 0.521, 0.210 against 0.588.
        assert!(ranking < 0.3 && ranking < 0.6 * loss, "{ranking} {loss}");
    }
}

#[test]
fn a_target_without_both_classes_has_nothing_to_rank() {
    let task = |sign: f64| RawPoints {
        features: (0..40).map(|k| f64::from(k) / 40.0).collect(),
        labels: (0..40)
            .map(|k| if k % 2 == 0 { 1.0 } else { sign })
            .collect(),
    };
    let layout = Layout::Separate {
        tasks: vec![task(1.0), task(-1.0)],
        is_test: None,
    };
    let names = vec!["one".to_string(), "both".to_string()];
    let data = DataSet::new("a.csv", Kind::Classification, 1, names, layout).unwrap();
    let attack = |targets: &str| {
        let text = format!(
            r#"{{"dataset": {{"name": "a.csv", "sha256": "{}"}}, "targets": {targets},
                "utility": "ranking", "iterations": 2}}"#,
            data.sha256
        );
        let spec = Draft::parse(&text).unwrap().check(&Shape::of(&data));
        experiment::run(&spec.unwrap(), &data, &mut Unobserved)
    };
    assert_eq!(attack("[0]").unwrap_err().field_name(), Some("utility"));
    // Of two targets the other one counts.
    let report = attack("[0, 1]").unwrap().report;
    assert!(report.trace[0].utility > 0.0);
}

/// Counts what it is told of starts and iterations.
#[derive(Default)]
struct Counter {
    starts: Vec<usize>,
    iterations: Vec<usize>,
    last: usize,
}

impl Observer for Counter {
    fn start(&mut self, number: usize) -> ControlFlow<()> {
        self.starts.push(number);
        if number == self.last {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn iteration(&mut self, point: &TracePoint, _: &[Injection]) -> ControlFlow<()> {
        self.iterations.push(point.iteration);
        ControlFlow::Continue(())
    }
}

#[test]
fn the_best_of_several_starts_wins_and_the_first_start_is_that_of_one() {
    let one = run(r#"{"attack": "indirect", "iterations": 3}"#).report;
    assert!(one.starts.is_none());
    let outcome = run(r#"{"attack": "indirect", "iterations": 3, "starts": 4}"#);
    let report = &outcome.report;
    let starts = report.starts.as_ref().unwrap();
    let last = |report: &patom::report::Report| {
        let point = report.trace.last().unwrap();
        (point.utility, point.metric)
    };
    assert_eq!(starts.results.len(), 4);
    assert_eq!(
        (starts.results[0].utility, starts.results[0].metric),
        last(&one)
    );
    let utilities: Vec<f64> = starts.results.iter().map(|result| result.utility).collect();
    let most = utilities.iter().copied().fold(0.0, f64::max);
    assert_eq!(
        starts.won,
        utilities.iter().position(|u| *u == most).unwrap()
    );
    assert_eq!(last(report).0, most);
    assert_eq!(
        report.trace.last().unwrap().metric_per_task,
        report.attacked.metric_per_task
    );
    for (at, utility) in utilities.iter().enumerate() {
        assert!(!utilities[..at].contains(utility), "starts differ");
    }
    // Detection and single-task learning see the points of the winner.
    let again = run(r#"{"attack": "indirect", "iterations": 3, "starts": 4}"#);
    assert_eq!(again.report.digest, report.digest);
    assert_eq!(again.injections, outcome.injections);
    assert!(report.converged());
}

#[test]
fn equal_starts_are_won_by_the_first() {
    // Nothing is injected: every start is the same.
    let report = run(r#"{"budget": 0, "starts": 3}"#).report;
    assert_eq!(report.starts.unwrap().won, 0);
}

#[test]
fn an_observer_follows_the_starts_and_can_end_the_run_at_one() {
    let spec = spec(r#"{"iterations": 2, "starts": 3}"#);
    let data = experiment::load_synthetic(&spec).unwrap();
    let mut counter = Counter {
        last: 2,
        ..Counter::default()
    };
    let ended = experiment::run(&spec, &data, &mut counter);
    assert!(matches!(ended, Err(patom::Error::Cancelled)));
    assert_eq!(counter.starts, [0, 1, 2]);
    assert_eq!(counter.iterations, [0, 1, 2, 0, 1, 2]);
}

#[test]
fn an_attacker_of_limited_knowledge_trains_its_own_model_on_what_it_sees() {
    let outcome = run(
        r#"{"loss": "squared_hinge", "utility": "ranking", "knowledge": 0.5, "budget": 0.3,
            "injected_labels": "flipped", "iterations": 4}"#,
    );
    let report = &outcome.report;
    let known = outcome.known.as_ref().unwrap();
    for (flags, task) in known.iter().zip(&outcome.sample.tasks) {
        assert_eq!(flags.len(), task.train.count());
        assert_eq!(flags.iter().filter(|seen| **seen).count(), 20, "half of 40");
    }
    assert_ne!(known[0], known[1], "each task is drawn");
    // The budget is a share of all points, not of the seen ones.
    assert!(outcome.injections.iter().all(|one| one.labels.len() == 12));
    let surrogate = report.surrogate.as_ref().unwrap();
    let expected = ranking(&outcome, &surrogate.weights, |task, j| known[task][j]);
    let utility = report.trace.last().unwrap().utility;
    assert!((utility - expected).abs() < 1e-12 * expected);
    // The metrics are the victim's.
    let last = report.trace.last().unwrap();
    assert_eq!(last.metric_per_task, report.attacked.metric_per_task);
    assert_ne!(surrogate.metric_per_task, report.attacked.metric_per_task);
    assert!(report.converged());
    let all = run(r#"{"loss": "squared_hinge", "utility": "ranking", "budget": 0.3}"#);
    assert!(all.known.is_none() && all.report.surrogate.is_none());
}

#[test]
fn points_csv_says_what_the_attacker_sees() {
    let outcome = run(r#"{"knowledge": 0.25, "iterations": 1, "sanitise": "norm"}"#);
    let text = outcome.points_csv();
    let mut lines = text.lines();
    assert!(lines.next().unwrap().ends_with(",x10,known,kept"));
    let known = outcome.known.as_ref().unwrap();
    let mut seen = vec![0; known.len()];
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let task: usize = cells[0].parse().unwrap();
        let flag = cells[cells.len() - 2] == "1";
        if cells[1] == "train" {
            assert_eq!(flag, known[task][seen[task]], "{line}");
            seen[task] += 1;
        } else {
            assert!(flag, "{line}");
        }
    }
    assert_eq!(seen, vec![40; 8]);
}

#[test]
fn the_least_knowledge_is_one_point_of_each_task() {
    let outcome = run(r#"{"train_per_task": 3, "knowledge": 0.05, "budget": 1, "iterations": 2}"#);
    for flags in outcome.known.unwrap() {
        assert_eq!(flags.iter().filter(|seen| **seen).count(), 1);
    }
}
