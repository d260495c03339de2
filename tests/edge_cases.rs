//! Numerical edge cases, each with its defined answer, through the whole engine: a CSV text and a
//! specification in, a report out. Both losses where the labels allow both, both solvers.

mod common;

use std::fmt::Write as _;

use common::relative_error;
use patom::Error;
use patom::data::formats::csv::Table;
use patom::data::{DataSet, Kind};
use patom::experiment::{self, Unobserved};
use patom::mtrl::{Loss, Problem, Status, Task, Weights};
use patom::report::{Model, Report};
use patom::rng::{Random, Stream};
use patom::spec::{Draft, Shape, Spec};
use serde_json::{Value, json};

/// A row of a table: task, whether it is for training, label, features.
type Row = (usize, bool, f64, Vec<f64>);

/// Tasks with linear truths of their own: `train` points and 8 test points each.
fn rows(kind: Kind, m: usize, d: usize, train: usize) -> Vec<Row> {
    let mut random = Random::new(5, Stream::Synthetic, 3000);
    let mut rows = Vec::new();
    for task in 0..m {
        let truth: Vec<f64> = (0..d).map(|_| random.normal() + 1.0).collect();
        for at in 0..train + 8 {
            let x: Vec<f64> = (0..d).map(|_| random.normal()).collect();
            let score: f64 = x.iter().zip(&truth).map(|(x, w)| x * w).sum();
            let noisy = score + 0.3 * random.normal();
            let label = match kind {
                Kind::Regression => noisy,
                Kind::Classification => noisy.signum(),
            };
            rows.push((task, at < train, label, x));
        }
    }
    rows
}

fn data(rows: &[Row]) -> DataSet {
    let mut text = String::from("task,split,label");
    for k in 1..=rows[0].3.len() {
        write!(text, ",x{k}").unwrap();
    }
    for (task, train, label, x) in rows {
        let split = if *train { "train" } else { "test" };
        write!(text, "\n{task},{split},{label}").unwrap();
        for x in x {
            write!(text, ",{x}").unwrap();
        }
    }
    let table = Table::read(text.as_bytes()).unwrap();
    table.into_data_set("edge.csv", text.as_bytes()).unwrap()
}

fn check(data: &DataSet, fields: &Value) -> Result<Spec, Vec<Error>> {
    let mut fields = fields.clone();
    fields["dataset"] = json!({"name": data.name, "sha256": data.sha256});
    // What is expected is computed from the features as they are.
    if fields.get("feature_scaling").is_none() {
        fields["feature_scaling"] = json!("none");
    }
    Draft::from_value(fields).unwrap().check(&Shape::of(data))
}

fn run(data: &DataSet, fields: &Value) -> Report {
    let spec = check(data, fields).unwrap();
    let outcome = experiment::run(&spec, data, &mut Unobserved).unwrap();
    let text = outcome.points_csv();
    assert!(!text.contains("NaN") && !text.contains("inf"));
    outcome.report
}

fn numbers(report: &Report) -> Vec<f64> {
    let mut all = Vec::new();
    for model in [&report.clean, &report.attacked] {
        all.extend(model.weights.iter().flatten());
        all.extend(model.correlation.iter().flatten());
        all.extend([model.objective, model.certificate]);
        all.extend(model.metric_per_task.iter().flatten());
    }
    for point in &report.trace {
        all.extend([point.utility, point.objective, point.certificate]);
        all.extend(point.metric);
        all.extend(point.metric_per_task.iter().flatten());
    }
    all
}

/// Runs a case with both solvers and with both losses that its labels allow, and checks what holds
/// of every report. Returns the reports of the certified solver, then those of the alternation.
fn examine(case: &str, rows: &[Row], fields: &Value) -> Vec<Report> {
    let data = data(rows);
    let losses: &[&str] = match data.kind {
        Kind::Regression => &["squared"],
        Kind::Classification => &["squared", "squared_hinge"],
    };
    let mut reports = Vec::new();
    for solver in ["certified", "alternating"] {
        for loss in losses {
            let mut fields = fields.clone();
            fields["solver"] = json!(solver);
            fields["loss"] = json!(loss);
            if fields.get("iterations").is_none() {
                fields["iterations"] = json!(2);
            }
            let what = format!("{case}, {solver}, {loss}");
            let report = run(&data, &fields);
            assert!(numbers(&report).iter().all(|x| x.is_finite()), "{what}");
            assert_eq!(run(&data, &fields).digest, report.digest, "{what}");
            for model in [&report.clean, &report.attacked] {
                let good = model.certificate <= 1e-9 * model.objective.max(1.0);
                // The status agrees with the certificate.
                assert_eq!(model.solver_status == Status::Converged, good, "{what}");
                if solver == "certified" {
                    assert!(good, "{what}: {:?}", model.solver_status);
                } else {
                    assert_ne!(model.solver_status, Status::Stalled, "{what}");
                }
            }
            reports.push(report);
        }
    }
    // The alternation on the clean points: above the certified optimum by at most its certificate.
    for (certified, alternating) in reports.iter().zip(&reports[losses.len()..]) {
        let (certified, alternating) = (&certified.clean, &alternating.clean);
        let gap = alternating.objective - certified.objective;
        let rounding = 1e-12 * certified.objective.max(1.0);
        assert!(gap >= -certified.certificate - rounding, "{case}: {gap:e}");
        assert!(
            gap <= alternating.certificate + rounding,
            "{case}: {gap:e}, certificate {:e}",
            alternating.certificate
        );
    }
    reports
}

fn weights(model: &Model) -> Vec<f64> {
    model.weights.concat()
}

const KINDS: [Kind; 2] = [Kind::Regression, Kind::Classification];

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Regression => "regression",
        Kind::Classification => "classification",
    }
}

#[test]
fn identical_tasks_have_one_model_and_are_fully_correlated() {
    for kind in KINDS {
        let one = rows(kind, 1, 3, 20);
        let same: Vec<Row> = (0..4)
            .flat_map(|task| {
                one.iter()
                    .cloned()
                    .map(move |(_, train, label, x)| (task, train, label, x))
            })
            .collect();
        let case = format!("identical tasks, {}", word(kind));
        for report in examine(&case, &same, &json!({"epsilon": 1e-9})) {
            let model = &report.clean;
            let first = &model.weights[0];
            for row in &model.weights {
                assert!(relative_error(row, first) < 1e-6);
            }
            // W = w 1': S has the eigenvalues s = sqrt(4 |w|² + ε) once and sqrt(ε) three times.
            let square: f64 = first.iter().map(|w| w * w).sum();
            let (s, floor) = ((4.0 * square + 1e-9).sqrt(), 1e-9f64.sqrt());
            let exact = (s - floor) / (s + 3.0 * floor);
            for (i, row) in model.correlation.iter().enumerate() {
                for (j, entry) in row.iter().enumerate() {
                    let expected = if i == j { 1.0 } else { exact };
                    assert!((entry - expected).abs() < 1e-6, "{entry} {expected}");
                }
            }
        }
    }
}

#[test]
fn a_constant_feature_shares_the_weight_of_the_bias() {
    for kind in KINDS {
        let mut rows = rows(kind, 3, 3, 20);
        for (.., x) in &mut rows {
            x[1] = 2.0;
        }
        let data = data(&rows);
        let largest = patom::data::sample::largest_norm(&data);
        let case = format!("a constant feature, {}", word(kind));
        for report in examine(&case, &rows, &json!({})) {
            for w in &report.clean.weights {
                // Both rows of W see the same residuals, one of them times the constant.
                let expected = 2.0 / largest * w[3];
                assert!(
                    (w[1] - expected).abs() < 1e-4 * w[3].abs(),
                    "{} {expected}",
                    w[1]
                );
            }
        }
    }
}

#[test]
fn all_features_zero_leave_the_bias() {
    let mut rows = rows(Kind::Regression, 3, 2, 20);
    for (.., x) in &mut rows {
        x.fill(0.0);
    }
    for report in examine("all features zero", &rows, &json!({})) {
        for w in &report.clean.weights {
            assert_eq!(&w[..2], [0.0, 0.0]);
        }
    }
}

#[test]
fn a_constant_label_has_no_nmse_and_standardised_no_weights() {
    // 0.1 is no binary fraction: the mean of such labels differs from them in the last bit.
    for scaling in ["standardised", "raw"] {
        let mut rows = rows(Kind::Regression, 3, 3, 20);
        rows.iter_mut()
            .filter(|row| row.0 == 1)
            .for_each(|row| row.2 = 0.1);
        let case = format!("a constant label, {scaling}");
        for report in examine(
            &case,
            &rows,
            &json!({"target_scaling": scaling, "targets": [1]}),
        ) {
            let metrics = &report.clean.metric_per_task;
            assert!(metrics[0].is_some() && metrics[1].is_none(), "{metrics:?}");
            assert!(report.trace.iter().all(|point| point.metric.is_none()));
            // Uniform between the smallest and the largest clean label, which are one.
            if scaling == "standardised" {
                assert!(
                    report.trace[0].utility < 1e-3,
                    "{}",
                    report.trace[0].utility
                );
            }
        }
        // Every task alike: the optimum is W = 0 where the mean has been taken away.
        rows.iter_mut().for_each(|row| row.2 = 0.1);
        let case = format!("only constant labels, {scaling}");
        for report in examine(&case, &rows, &json!({"target_scaling": scaling})) {
            assert_eq!(report.clean.metric_per_task, [None, None, None]);
            if scaling == "standardised" {
                assert!(weights(&report.clean).iter().all(|w| *w == 0.0));
            }
        }
    }
}

#[test]
fn one_point_to_train_on_is_enough() {
    for kind in KINDS {
        let mut rows = rows(kind, 3, 3, 1);
        // And one to test on.
        let mut seen = [0; 3];
        rows.retain(|row| {
            seen[row.0] += 1;
            seen[row.0] <= 2
        });
        let case = format!("one point, {}", word(kind));
        for report in examine(&case, &rows, &json!({"budget": 1.0})) {
            // Neither NMSE nor AUC is defined on one test point.
            assert_eq!(report.clean.metric_per_task, [None, None, None]);
            if kind == Kind::Regression {
                // Its label is its own mean.
                assert!(weights(&report.clean).iter().all(|w| *w == 0.0));
            }
        }
        // Not even one is left to inject with the usual budget: nothing changes.
        for report in examine(
            &format!("{case}, no budget"),
            &rows,
            &json!({"budget": 0.5}),
        ) {
            assert_eq!(report.clean, report.attacked);
        }
    }
}

#[test]
fn one_point_in_all_is_too_few_to_train_and_to_test_on() {
    let text = "task,label,x1\n1,0.5,2";
    let table = Table::read(text.as_bytes()).unwrap();
    let data = table.into_data_set("edge.csv", text.as_bytes()).unwrap();
    for (fields, words) in [
        (json!({}), "train_share: 0.5 of the 1 points"),
        (
            json!({"train_per_task": 1}),
            "train_per_task: 1 is out of range; must be at most 0",
        ),
    ] {
        let error = match check(&data, &fields) {
            Err(errors) => errors[0].clone(),
            Ok(spec) => experiment::run(&spec, &data, &mut Unobserved).unwrap_err(),
        };
        assert!(error.to_string().starts_with(words), "{error}");
    }
}

#[test]
fn lambda1_of_zero_is_refused_and_lambda2_of_zero_decouples_the_tasks() {
    for kind in KINDS {
        let rows = rows(kind, 3, 3, 20);
        let table = data(&rows);
        let errors = check(&table, &json!({"lambda1": 0})).unwrap_err();
        assert_eq!(errors[0].field_name(), Some("lambda1"), "{}", errors[0]);
        let unchecked = Weights {
            loss: Loss::Squared,
            lambda1: 0.0,
            lambda2: 0.1,
            epsilon: 1e-6,
        };
        let task = Task {
            points: vec![1.0],
            labels: vec![1.0],
            clean: 1,
        };
        let error = Problem::new(unchecked, 1, vec![task]).unwrap_err();
        assert_eq!(error.field_name(), Some("lambda1"));

        let case = format!("no lambda2, {}", word(kind));
        let fields = json!({"lambda2": 0, "lambda1": 0.2});
        let together = examine(&case, &rows, &fields);
        for number in 0..3 {
            let alone: Vec<Row> = (rows.iter())
                .filter(|row| row.0 == number)
                .cloned()
                // Features are scaled by the largest norm of all tasks: keep it.
                .chain([
                    (9, true, 1.0, longest(&rows)),
                    (9, false, 1.0, longest(&rows)),
                ])
                .collect();
            let case = format!("{case}, task {number}");
            for (alone, together) in examine(&case, &alone, &fields).iter().zip(&together) {
                let (alone, together) = (&alone.clean.weights[0], &together.clean.weights[number]);
                assert!(relative_error(alone, together) < 1e-4);
            }
        }
    }
}

fn longest(rows: &[Row]) -> Vec<f64> {
    let square = |row: &Row| row.3.iter().map(|x| x * x).sum::<f64>();
    let longest = rows.iter().max_by(|a, b| square(a).total_cmp(&square(b)));
    longest.unwrap().3.clone()
}

#[test]
fn the_smallest_lambdas_fit_the_data_and_the_largest_leave_nothing() {
    for kind in KINDS {
        let rows = rows(kind, 4, 3, 20);
        for (lambda1, lambda2) in [
            (1e-12f64, 0.0),
            (1e-12, 1e-12),
            (1e-12, 1e-6),
            (1e-12, 1.0),
            (1e-6, 1e-12),
        ] {
            let case = format!("lambda1 {lambda1:e}, lambda2 {lambda2:e}, {}", word(kind));
            let tiny = examine(
                &case,
                &rows,
                &json!({"lambda1": lambda1, "lambda2": lambda2}),
            );
            let ridge = examine(
                &format!("{case}, beside 1e-3"),
                &rows,
                &json!({"lambda1": lambda1.max(1e-3), "lambda2": lambda2}),
            );
            for (tiny, ridge) in tiny.iter().zip(ridge) {
                // Less penalty, lower objective.
                assert!(
                    tiny.clean.objective <= ridge.clean.objective * (1.0 + 1e-9),
                    "{case}"
                );
            }
        }
        // The penalty of W is at most the objective of W = 0, which is at most 1 a task.
        for (lambda1, lambda2) in [(1e6, 0.0), (1e6, 1e-12), (1e-12, 1e6)] {
            let case = format!("lambda1 {lambda1:e}, lambda2 {lambda2:e}, {}", word(kind));
            let fields = json!({"lambda1": lambda1, "lambda2": lambda2});
            for report in examine(&case, &rows, &fields) {
                let most = (2.0 * 4.0 / 1e6f64).sqrt();
                assert!(weights(&report.clean).iter().all(|w| w.abs() < most));
            }
        }
        let case = format!("lambdas of 1e6, {}", word(kind));
        for report in examine(&case, &rows, &json!({"lambda1": 1e6, "lambda2": 1e6})) {
            // |W| is at most |b| / λ1, where the linear term b of a task is at most 2 max |y| sqrt(2).
            assert!(weights(&report.clean).iter().all(|w| w.abs() < 1e-4));
        }
    }
}

#[test]
fn labels_of_1e9_are_solved() {
    let small = rows(Kind::Regression, 3, 3, 20);
    let mut large = small.clone();
    large.iter_mut().for_each(|row| row.2 *= 1e9);
    // Standardised they are the same labels, up to rounding.
    let plain = examine("labels of 1, standardised", &small, &json!({}));
    let scaled = examine("labels of 1e9, standardised", &large, &json!({}));
    for (plain, scaled) in plain.iter().zip(&scaled) {
        assert!(relative_error(&weights(&scaled.clean), &weights(&plain.clean)) < 1e-6);
        assert!((scaled.clean.objective - plain.clean.objective).abs() < 1e-9);
    }
    // Raw, W is 1e9 times as large; only the floor does not grow along.
    let fields = |epsilon: f64| json!({"target_scaling": "raw", "epsilon": epsilon});
    let plain = examine("labels of 1, raw", &small, &fields(1e-12));
    let scaled = examine("labels of 1e9, raw", &large, &fields(1.0));
    let shrunk: Vec<f64> = weights(&scaled[0].clean).iter().map(|w| w * 1e-9).collect();
    // The certified solver only: the alternation may come to rest elsewhere with such floors.
    assert!(relative_error(&shrunk, &weights(&plain[0].clean)) < 1e-3);
    let objective = |report: &Report| report.clean.objective * 1e-18;
    assert!((objective(&scaled[0]) / plain[0].clean.objective - 1.0).abs() < 1e-6);
    // sqrt(ε) = 1e-6 is about the rounding of such weights: singular values that belong at the
    // floor cannot be brought there. The status shows it, and the certificate stays a bound.
    let hopeless = run(&data(&large), &fields(1e-12));
    let certificate = hopeless.clean.certificate * 1e-18;
    assert_eq!(hopeless.clean.solver_status, Status::Stalled);
    assert!(numbers(&hopeless).iter().all(|x| x.is_finite()));
    assert!(objective(&hopeless) <= plain[0].clean.objective + certificate);
    assert!((objective(&hopeless) / plain[0].clean.objective - 1.0).abs() < 1e-6);
}

#[test]
fn duplicated_points_change_nothing() {
    for kind in KINDS {
        let once = rows(kind, 3, 3, 20);
        let twice: Vec<Row> = once
            .iter()
            .flat_map(|row| [row.clone(), row.clone()])
            .collect();
        let case = format!("duplicate points, {}", word(kind));
        let plain = examine(&format!("{case}, once"), &once, &json!({}));
        for (plain, doubled) in plain.iter().zip(examine(&case, &twice, &json!({}))) {
            assert!(relative_error(&weights(&doubled.clean), &weights(&plain.clean)) < 1e-5);
            for (a, b) in (plain.clean.metric_per_task.iter()).zip(&doubled.clean.metric_per_task) {
                assert!((a.unwrap() - b.unwrap()).abs() < 1e-5);
            }
        }
    }
    // All points one and the same.
    let mut rows = rows(Kind::Regression, 3, 3, 20);
    rows.iter_mut().for_each(|row| row.3 = vec![1.0, 2.0, 3.0]);
    examine("one point many times", &rows, &json!({}));
}

#[test]
fn one_class_only_has_no_auc_and_is_predicted() {
    let mut rows = rows(Kind::Classification, 3, 3, 20);
    rows.iter_mut()
        .filter(|row| row.0 == 0)
        .for_each(|row| row.2 = 1.0);
    for report in examine("one class in one task", &rows, &json!({})) {
        let metrics = &report.clean.metric_per_task;
        assert!(metrics[0].is_none() && metrics[1].is_some());
    }
    rows.iter_mut().for_each(|row| row.2 = -1.0);
    for report in examine(
        "one class everywhere",
        &rows,
        &json!({"injected_labels": "flipped"}),
    ) {
        assert_eq!(report.clean.metric_per_task, [None, None, None]);
        // The bias alone says so.
        for w in &report.clean.weights {
            assert!(*w.last().unwrap() < 0.0);
        }
    }
}

#[test]
fn one_task_is_a_ridge_regression_with_both_penalties() {
    for kind in KINDS {
        let rows = rows(kind, 1, 3, 20);
        let case = format!("one task, {}", word(kind));
        let both = examine(&case, &rows, &json!({"lambda1": 0.1, "lambda2": 0.3}));
        let one = examine(
            &format!("{case}, one penalty"),
            &rows,
            &json!({"lambda1": 0.4, "lambda2": 0.0}),
        );
        for (both, one) in both.iter().zip(&one) {
            // (tr S)² = |w|² + ε.
            assert!(relative_error(&weights(&both.clean), &weights(&one.clean)) < 1e-6);
            let floor = 0.5 * 0.3 * 1e-6;
            assert!((both.clean.objective - one.clean.objective - floor).abs() < 1e-9);
            assert_eq!(both.clean.correlation, [[1.0]]);
        }
        let errors = check(&data(&rows), &json!({"attack": "indirect"})).unwrap_err();
        assert_eq!(errors[0].field_name(), Some("targets"), "{}", errors[0]);
    }
}

#[test]
fn two_hundred_tasks_are_solved() {
    for kind in KINDS {
        let case = format!("200 tasks, {}", word(kind));
        let fields = json!({"targets": [0, 1, 2], "iterations": 1});
        for report in examine(&case, &rows(kind, 200, 3, 6), &fields) {
            assert_eq!(report.clean.correlation.len(), 200);
        }
    }
}

#[test]
fn a_thousand_features_are_solved() {
    for kind in KINDS {
        let case = format!("1000 features, {}", word(kind));
        // The random attack: a thousand features make each solve of the alternation slow.
        let fields = json!({"method": "random"});
        for report in examine(&case, &rows(kind, 2, 1000, 10), &fields) {
            assert_eq!(report.clean.weights[0].len(), 1001);
        }
    }
}
