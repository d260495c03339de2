//! Runs with a defence and with an attacker who knows it: what the report and the files say.

use patom::attack::InjectedFeatures;
use patom::data::synthetic;
use patom::defence::sanitise;
use patom::experiment::{self, Outcome, Unobserved};
use patom::linalg::norm_squared;
use patom::mtrl::{Learner, Task};
use patom::report::TaskScores;
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

#[test]
fn single_task_learning_is_the_baseline_of_every_report_and_immune_to_indirect_attacks() {
    let multi = run(r#"{"attack": "indirect", "iterations": 3}"#).report;
    let single = run(r#"{"attack": "indirect", "iterations": 3, "learner": "single_task"}"#).report;
    for task in 0..synthetic::TASKS {
        let (a, b) = (
            single.clean.metric_per_task[task].unwrap(),
            multi.single_task.clean.metric_per_task[task].unwrap(),
        );
        // Both solved to 1e-9: their weights to sqrt(2e-9 / λ1) = 1.4e-4 at worst.
        assert!((a - b).abs() < 1e-3, "T{}: {a} {b}", task + 1);
    }
    for &task in &single.target_tasks {
        let pairs = single.clean.weights[task].iter();
        let pairs = pairs.zip(&single.attacked.weights[task]);
        let off = pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
        // Twice what the tolerance of the solver allows: sqrt(2e-9 P / λ1), P below 10.
        assert!(off < 1e-3, "T{}: {off:e}", task + 1);
    }
}

#[test]
fn an_attacker_who_knows_the_cap_stays_within_the_certificate() {
    for cap in ["0.03", "0.1"] {
        let text = format!(
            r#"{{"attack": "indirect", "learner": "capped", "pull_cap": {cap}, "budget": 1, "radius": 5}}"#
        );
        let outcome = run(&text);
        let report = &outcome.report;
        let certified = report.certified.as_ref().unwrap();
        assert!(report.trace.len() > 2, "the attack does something");
        assert!(report.converged());
        for &task in &report.target_tasks {
            let worst = certified.metric_per_task[task].unwrap();
            for point in &report.trace {
                assert!(point.metric_per_task[task].unwrap() <= worst);
            }
            assert!(report.clean.metric_per_task[task].unwrap() <= worst);
        }
        for &task in &report.attacking_tasks {
            assert_eq!(
                certified.metric_per_task[task], None,
                "it has injected points"
            );
        }
        let cap: f64 = cap.parse().unwrap();
        assert!(
            certified
                .pull
                .iter()
                .all(|&pull| pull <= cap + certified.residual)
        );
        assert!(certified.residual < 1e-12);
        let shared = report.attacked.shared_weights.as_ref().unwrap();
        assert_eq!(shared.len(), synthetic::TASKS);
    }
    let plain = run(r#"{"iterations": 1}"#).report;
    assert!(plain.certified.is_none() && plain.attacked.shared_weights.is_none());
}

#[test]
fn copied_points_are_rows_of_other_tasks_with_extreme_labels() {
    for loss in ["squared", "squared_hinge"] {
        let text =
            format!(r#"{{"loss": "{loss}", "injected_features": "copied", "attack": "hybrid"}}"#);
        let outcome = run(&text);
        let tasks = &outcome.sample.tasks;
        let dimension = outcome.sample.features + 1;
        for injection in &outcome.injections {
            let mut labels = tasks[injection.task].train.labels.clone();
            labels.sort_by(f64::total_cmp);
            let (least, most) = (labels[0], labels[labels.len() - 1]);
            let rows = injection.points.chunks_exact(dimension);
            for (x, &label) in rows.zip(&injection.labels) {
                let is_row = |task: usize| {
                    let mut rows = tasks[task].train.features.chunks_exact(dimension);
                    task != injection.task && rows.any(|row| row == x)
                };
                assert!((0..tasks.len()).any(is_row), "T{}", injection.task + 1);
                assert!((least..=most).contains(&label));
            }
            let mut different = injection.labels.clone();
            different.sort_by(f64::total_cmp);
            different.dedup();
            assert!(different.len() <= 2, "two labels: {different:?}");
        }
        let utilities: Vec<f64> = (outcome.report.trace.iter())
            .map(|point| point.utility)
            .collect();
        assert!(
            utilities.len() > 1 && utilities.is_sorted(),
            "{utilities:?}"
        );
    }
}

#[test]
fn a_greedy_choice_of_rows_harms_more_than_a_random_one() {
    let text = r#"{"injected_features": "copied", "iterations": 15}"#;
    let report = run(text).report;
    let (first, last) = (&report.trace[0], report.trace.last().unwrap());
    assert!(
        last.utility > 1.2 * first.utility,
        "{} {}",
        first.utility,
        last.utility
    );
    assert!(last.metric > first.metric);
}

#[test]
fn a_quantile_radius_is_that_of_the_clean_training_points() {
    for (word, share) in [("q75", 0.75), ("q95", 0.95)] {
        let outcome = run(&format!(r#"{{"radius": "{word}", "iterations": 4}}"#));
        let d = outcome.sample.features;
        let radius = experiment::radius(&outcome.report.spec, &outcome.sample);
        let norm = |x: &[f64]| norm_squared(&x[..d]).sqrt();
        let clean: Vec<f64> = (outcome.sample.tasks.iter())
            .flat_map(|task| task.train.features.chunks_exact(d + 1).map(norm))
            .collect();
        let within = clean.iter().filter(|&&norm| norm <= radius).count() as f64;
        assert!((within / clean.len() as f64 - share).abs() <= 1.0 / clean.len() as f64 + 1e-12);
        for injection in &outcome.injections {
            for x in injection.points.chunks_exact(d + 1) {
                assert!(norm(x) <= radius);
            }
        }
    }
}

#[test]
fn points_csv_marks_what_was_dropped_and_the_report_counts_it() {
    let outcome = run(r#"{"sanitise": "norm", "sanitise_share": 0.2, "iterations": 5}"#);
    let detection = outcome.report.detection.as_ref().unwrap();
    let dropped = detection.dropped.unwrap();
    let text = outcome.points_csv();
    let mut lines = text.lines();
    assert!(lines.next().unwrap().ends_with(",x10,kept"));
    let (mut caught, mut lost) = (0, 0);
    let mut longest_kept = [0.0; synthetic::TASKS];
    let mut shortest_dropped = [f64::INFINITY; synthetic::TASKS];
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let task: usize = cells[0].parse().unwrap();
        let features = cells[3..13].iter().map(|cell| cell.parse::<f64>().unwrap());
        let norm = features.map(|x| x * x).sum::<f64>().sqrt();
        let kept = cells[13] == "1";
        match cells[1] {
            "test" => assert!(kept),
            split => {
                if kept {
                    longest_kept[task] = f64::max(longest_kept[task], norm);
                } else {
                    shortest_dropped[task] = f64::min(shortest_dropped[task], norm);
                    caught += usize::from(split == "injected");
                    lost += usize::from(split == "train");
                }
            }
        }
    }
    assert_eq!((caught, lost), (dropped.caught, dropped.lost));
    // 48 points in each attacked task, 40 in the others.
    assert_eq!(caught + lost, 3 * 9 + 5 * 8);
    for task in 0..synthetic::TASKS {
        assert!(
            longest_kept[task] <= shortest_dropped[task] + 1e-15,
            "T{}",
            task + 1
        );
    }
    // The models without the defence are those of the same run without it.
    let plain = run(r#"{"iterations": 5}"#);
    assert_eq!(plain.report.attacked, outcome.report.attacked);
    assert_eq!(plain.report.clean, outcome.report.clean);
    assert!(plain.points_csv().lines().next().unwrap().ends_with(",x10"));
    let defence = outcome.report.defence.as_ref().unwrap();
    let targets = &outcome.report.target_tasks;
    // Points on the surface of the ball: norm finds them, at a price on clean data.
    let [attacked, defended, clean, price] = [
        &outcome.report.attacked,
        &defence.attacked,
        &outcome.report.clean,
        &defence.clean,
    ]
    .map(|model| model.mean_metric(targets).unwrap());
    assert!(defended < attacked && price > clean);
}

#[test]
fn detection_is_reported_where_points_are_injected() {
    assert!(
        run(r#"{"budget": 0, "iterations": 1}"#)
            .report
            .detection
            .is_none()
    );
    let report = run(r#"{"iterations": 10}"#).report;
    let detection = report.detection.unwrap();
    assert_eq!(detection.norm.roc_auc, Some(1.0), "all are on the surface");
    assert!(detection.loss.precision.unwrap() > 0.0);
    assert!(detection.dropped.is_none() && detection.sanitiser.is_none());
    // A direct attack shows in the losses of its tasks; before it their tasks were like others.
    let tasks = detection.tasks.unwrap();
    let sizes = |scores: &TaskScores| [scores.clean.len(), scores.attacked.len()];
    assert_eq!(sizes(&tasks.own_loss), [synthetic::TASKS; 2]);
    assert_eq!(tasks.own_loss.figures.roc_auc, Some(1.0));
    let first = &report.attacked.correlation[0];
    let mean = first[1..].iter().map(|value| value.abs()).sum::<f64>() / 7.0;
    assert!((tasks.mean_correlation.attacked[0] - mean).abs() < 1e-12);
}

#[test]
fn fields_of_defences_that_contradict_each_other_are_named() {
    let shape = Shape::named("synthetic").unwrap();
    let refused = |text: &str| {
        let errors = Draft::parse(text).unwrap().check(&shape).unwrap_err();
        errors[0].to_string()
    };
    for (text, start) in [
        (
            r#"{"pull_cap": 0.1}"#,
            "pull_cap: 0.1 counts with `learner: capped` only",
        ),
        (
            r#"{"learner": "capped", "solver": "alternating"}"#,
            "solver: alternating is for",
        ),
        (
            r#"{"sanitise_share": 0.1}"#,
            "sanitise_share: needs a sanitiser",
        ),
        (
            r#"{"sanitise": "trim"}"#,
            "sanitise: trim drops a fixed share",
        ),
        (
            r#"{"injected_features": "copied", "injected_labels": "resampled"}"#,
            "injected_labels: copied points",
        ),
        (
            r#"{"radius": "q50"}"#,
            "radius: \"q50\" is invalid; expected a number between 1e-6 and 100, or q75, or q95",
        ),
        (
            r#"{"version": 1, "learner": "capped"}"#,
            "learner: not a field of version 1",
        ),
    ] {
        let found = match Draft::parse(text) {
            Ok(_) => refused(text),
            Err(error) => error.to_string(),
        };
        assert!(found.starts_with(start), "{text}: {found}");
    }
    let defaults = spec("{}");
    assert_eq!(defaults.learner, Learner::MultiTask);
    assert_eq!(defaults.injected_features, InjectedFeatures::Free);
    assert_eq!(defaults.pull_cap, None);
    assert_eq!(spec(r#"{"learner": "capped"}"#).pull_cap, Some(0.1));
}

#[test]
fn rows_that_half_of_another_task_has_count_as_shared() {
    let task = |rows: &[f64]| Task {
        points: rows.iter().flat_map(|&x| [x, 1.0]).collect(),
        labels: vec![0.0; rows.len()],
        clean: rows.len(),
    };
    let apart = [task(&[1.0, 2.0, 3.0]), task(&[1.0, 4.0, 5.0])];
    assert_eq!(sanitise::shared_rows(2, &[&apart[0], &apart[1]]), None);
    let shared = [
        task(&[9.0]),
        task(&[1.0, 2.0, 3.0]),
        task(&[2.0, 1.0, 5.0, 6.0]),
    ];
    assert_eq!(
        sanitise::shared_rows(2, &shared.iter().collect::<Vec<_>>()),
        Some((1, 2))
    );
}
