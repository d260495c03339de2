//! Units, offsets and possible values of a user's file, and the warnings of a run: what decides a
//! result must be the data, not the units that they are written in.

mod common;

use std::fmt::Write as _;
use std::path::PathBuf;

use common::relative_error;
use patom::data::formats::csv::Table;
use patom::data::{DataSet, published};
use patom::experiment::{self, Outcome, Unobserved};
use patom::mtrl::{Limits, Loss, Solver, single_task, solve};
use patom::rng::{Random, Stream};
use patom::spec::{Draft, Shape, Spec};
use patom::warning::WarningCode;
use serde_json::{Value, json};

/// A row: task, whether it is for training, label, features.
#[derive(Clone)]
struct Row {
    task: usize,
    train: bool,
    label: f64,
    x: Vec<f64>,
}

/// Three related tasks of 20 training and 25 test points; three features of standard deviation 1.
fn rows() -> Vec<Row> {
    let mut random = Random::new(3, Stream::Synthetic, 4000);
    let shared = [1.0, -0.7, 0.8];
    let mut rows = Vec::new();
    for task in 0..3 {
        let truth = shared.map(|w| w + 0.2 * random.normal());
        for at in 0..45 {
            let x: Vec<f64> = (0..3).map(|_| random.normal()).collect();
            let score: f64 = x.iter().zip(&truth).map(|(x, w)| x * w).sum();
            rows.push(Row {
                task,
                train: at < 20,
                label: score + 0.3 * random.normal(),
                x,
            });
        }
    }
    rows
}

fn data(rows: &[Row]) -> DataSet {
    let mut text = String::from("task,split,label");
    for k in 1..=rows[0].x.len() {
        write!(text, ",x{k}").unwrap();
    }
    for row in rows {
        let split = if row.train { "train" } else { "test" };
        write!(text, "\n{},{split},{}", row.task, row.label).unwrap();
        for x in &row.x {
            write!(text, ",{x}").unwrap();
        }
    }
    let table = Table::read(text.as_bytes()).unwrap();
    table.into_data_set("own.csv", text.as_bytes()).unwrap()
}

fn spec(data: &DataSet, fields: &Value) -> Spec {
    let mut fields = fields.clone();
    fields["dataset"] = json!({"name": data.name, "sha256": data.sha256});
    let draft = Draft::from_value(fields).unwrap();
    draft.check(&Shape::of(data)).unwrap()
}

fn run(rows: &[Row], fields: &Value) -> Outcome {
    let data = data(rows);
    experiment::run(&spec(&data, fields), &data, &mut Unobserved).unwrap()
}

fn mean(values: &[Option<f64>]) -> f64 {
    values.iter().flatten().sum::<f64>() / values.len() as f64
}

fn codes(outcome: &Outcome) -> Vec<WarningCode> {
    let warnings = outcome.report.warnings.iter();
    warnings.map(|warning| warning.code).collect()
}

fn message(outcome: &Outcome, code: WarningCode) -> String {
    let warnings = &outcome.report.warnings;
    let found = warnings.iter().find(|warning| warning.code == code);
    found.expect("the warning is there").message.clone()
}

/// The third column in units of a ten-thousandth, from 50,000.
fn in_other_units(rows: &[Row]) -> Vec<Row> {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        row.x[2] = 50_000.0 + 10_000.0 * row.x[2];
    }
    rows
}

#[test]
fn units_do_not_decide_the_result_of_a_users_file() {
    let (plain, mixed) = (rows(), in_other_units(&rows()));
    let fields = json!({"iterations": 4});
    let expected = run(&plain, &fields);
    let found = run(&mixed, &fields);
    for (model, same) in [
        (&found.report.clean, &expected.report.clean),
        (&found.report.attacked, &expected.report.attacked),
    ] {
        // The same points but for the rounding of numbers near 50,000: 1e-11 of 10,000. The attack
        // multiplies it.
        let error = relative_error(&model.weights.concat(), &same.weights.concat());
        assert!(error < 1e-7, "{error:e}");
    }
    assert!(mean(&found.report.clean.metric_per_task) < 0.6);
    assert!(mean(&found.report.attacked.metric_per_task[..2]) > 0.8);
    let unscaled = run(&mixed, &json!({"iterations": 4, "feature_scaling": "none"}));
    // What engine 0.1.0 did, and said nothing of.
    assert!(mean(&unscaled.report.clean.metric_per_task) > 0.95);
    let name = |code| {
        let warnings = unscaled.report.warnings.iter();
        let mut names = warnings.filter(|warning| warning.code == code);
        names.next().and_then(|warning| warning.column.clone())
    };
    assert_eq!(name(WarningCode::DominantColumn).as_deref(), Some("x3"));
    assert!(codes(&unscaled).contains(&WarningCode::NoBetterThanGuessing));
    assert!(!codes(&found).contains(&WarningCode::DominantColumn));
    assert!(!codes(&found).contains(&WarningCode::NoBetterThanGuessing));
}

#[test]
fn standard_scaling_is_what_standardising_the_columns_by_hand_gives() {
    let mixed = in_other_units(&rows());
    let mut by_hand = mixed.clone();
    for k in 0..3 {
        let values: Vec<f64> = (mixed.iter().filter(|row| row.train))
            .map(|row| row.x[k])
            .collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        for row in &mut by_hand {
            row.x[k] = (row.x[k] - mean) / deviation;
        }
    }
    let found = run(&mixed, &json!({"iterations": 0}));
    let expected = run(
        &by_hand,
        &json!({"iterations": 0, "feature_scaling": "none"}),
    );
    for (task, same) in found.sample.tasks.iter().zip(&expected.sample.tasks) {
        for (points, same) in [(&task.train, &same.train), (&task.test, &same.test)] {
            // Rounding of numbers near 50,000 with a deviation of 10,000.
            assert!(relative_error(&points.features, &same.features) < 1e-12);
        }
    }
    let units = found.report.feature_units.unwrap();
    let row = &found.sample.tasks[0].train.features[..3];
    for k in 0..3 {
        let back = units[k].centre + units[k].scale * row[k];
        assert!((back - mixed[0].x[k]).abs() < 1e-9 * (1.0 + mixed[0].x[k].abs()));
    }
    assert_eq!(expected.report.feature_units, None);
}

#[test]
fn every_point_lies_in_the_unit_ball_and_one_reaches_it() {
    let mut rows = in_other_units(&rows());
    // A test point far outside of what was trained on.
    rows[44].x[0] = 1e6;
    let outcome = run(&rows, &json!({"iterations": 1}));
    let points = (outcome.sample.tasks.iter()).flat_map(|task| [&task.train, &task.test]);
    let norms: Vec<f64> = points
        .flat_map(|points| points.features.chunks_exact(4))
        .map(|row| row[..3].iter().map(|x| x * x).sum::<f64>().sqrt())
        .collect();
    let largest = norms.iter().copied().fold(0.0, f64::max);
    // Two roundings.
    assert!((largest - 1.0).abs() < 1e-15, "{largest}");
}

#[test]
fn a_constant_column_becomes_zero_and_is_named() {
    let mut rows = rows();
    for row in &mut rows {
        // Not constant among the test points: there is nothing to learn from them.
        row.x.push(if row.train { 7.0 } else { row.label });
    }
    let outcome = run(&rows, &json!({"iterations": 2}));
    for task in &outcome.sample.tasks {
        let points = [&task.train, &task.test];
        let rows = points
            .iter()
            .flat_map(|points| points.features.chunks_exact(5));
        assert!(rows.clone().all(|row| row[3] == 0.0) && rows.count() == 45);
    }
    let warning = (outcome.report.warnings.iter())
        .find(|warning| warning.code == WarningCode::ConstantColumn)
        .unwrap();
    assert_eq!(warning.column.as_deref(), Some("x4"));
    assert!(warning.message.contains("x4"), "{}", warning.message);
}

#[test]
fn points_too_far_away_to_standardise_are_refused_by_name() {
    let mut rows = rows();
    for row in &mut rows {
        row.x[0] = if row.train { row.x[0] * 1e-150 } else { 1e99 };
    }
    let data = data(&rows);
    let error = experiment::run(&spec(&data, &json!({})), &data, &mut Unobserved).unwrap_err();
    assert_eq!(error.field_name(), Some("feature_scaling"), "{error}");
}

#[test]
fn labels_and_columns_near_1e10_are_standardised_to_their_last_digit() {
    let mut rows = rows();
    for row in &mut rows {
        row.label += 1e10;
        row.x[1] += 1e10;
    }
    let outcome = run(&rows, &json!({"iterations": 1}));
    for task in &outcome.sample.tasks {
        let labels = &task.train.labels;
        let n = labels.len() as f64;
        let mean = labels.iter().sum::<f64>() / n;
        let square = labels.iter().map(|y| y * y).sum::<f64>() / n;
        assert!(mean.abs() < 1e-12, "{mean:e}");
        assert!((square - 1.0).abs() < 1e-12, "{square}");
    }
    let column = |outcome: &Outcome| -> Vec<f64> {
        let tasks = outcome.sample.tasks.iter();
        let rows = tasks.flat_map(|task| task.train.features.chunks_exact(4));
        rows.map(|row| row[1]).collect()
    };
    let found = column(&outcome);
    let largest = found.iter().copied().fold(0.0, f64::max);
    assert!(found.iter().sum::<f64>().abs() < 1e-12 * largest * found.len() as f64);
    // 1e10 keeps six digits behind the point.
    let expected = column(&run(&self::rows(), &json!({"iterations": 1})));
    assert!(relative_error(&found, &expected) < 1e-5);
}

#[test]
fn a_point_far_out_that_shrinks_all_others_is_named() {
    let mut rows = rows();
    rows[44].x[1] = 1e15;
    for scaling in ["standard", "none"] {
        let outcome = run(&rows, &json!({"iterations": 1, "feature_scaling": scaling}));
        let warnings = outcome.report.warnings.iter();
        let mut far = warnings.filter(|warning| warning.code == WarningCode::ImplausibleValues);
        let warning = far.next().expect("one of test points, too");
        assert_eq!(warning.column.as_deref(), Some("x2"), "{scaling}");
        let text = &warning.message;
        assert!(text.contains("the value 1000000000000000,"), "{text}");
    }
    rows[44].x[1] = 9.0;
    let outcome = run(&rows, &json!({"iterations": 1}));
    assert!(!codes(&outcome).contains(&WarningCode::ImplausibleValues));
}

/// Labels of classes, features yes or no, a count and a measurement.
fn with_whole_numbers() -> Vec<Row> {
    let mut rows = rows();
    for row in &mut rows {
        row.label = row.label.signum();
        row.x[0] = if row.x[0] > 0.0 { 1.0 } else { 0.0 };
        row.x[1] = (4.0 + 2.0 * row.x[1]).round().max(0.0);
    }
    rows
}

#[test]
fn observed_features_stay_possible_and_the_utility_never_falls() {
    let rows = with_whole_numbers();
    for (scaling, attack) in [("standard", "direct"), ("none", "indirect")] {
        let fields = json!({
            "feature_domain": "observed", "feature_scaling": scaling, "attack": attack,
            "iterations": 6, "budget": 0.5,
        });
        let outcome = run(&rows, &fields);
        assert!(!codes(&outcome).contains(&WarningCode::ImpossibleValues));
        let clean = |k: usize| -> Vec<f64> {
            let tasks = outcome.sample.tasks.iter();
            let rows = tasks.flat_map(|task| task.train.features.chunks_exact(4));
            rows.map(move |row| row[k]).collect()
        };
        let columns = [clean(0), clean(1), clean(2)];
        let range = |values: &[f64]| {
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            (
                least,
                values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            )
        };
        let mut count = 0;
        for injection in &outcome.injections {
            for point in injection.points.chunks_exact(4) {
                count += 1;
                // Yes or no, to the bit.
                assert!(columns[0].contains(&point[0]), "{}", point[0]);
                for k in 0..3 {
                    let (low, high) = range(&columns[k]);
                    assert!((low..=high).contains(&point[k]));
                }
                let units = outcome.report.feature_units.as_ref().unwrap();
                let original = units[1].centre + units[1].scale * point[1];
                assert!((original - original.round()).abs() < 1e-9, "{original}");
            }
        }
        assert_eq!(count, if attack == "direct" { 20 } else { 10 });
        let trace = &outcome.report.trace;
        assert!(
            trace
                .windows(2)
                .all(|pair| pair[1].utility >= pair[0].utility)
        );
        assert!(
            trace[trace.len() - 1].utility > trace[0].utility,
            "{attack}"
        );
    }
}

#[test]
fn the_constant_step_keeps_to_observed_features_too() {
    let fields = json!({
        "feature_domain": "observed", "step": "constant", "step_size": 1.0, "iterations": 3,
    });
    let outcome = run(&with_whole_numbers(), &fields);
    let units = outcome.report.feature_units.unwrap();
    assert_eq!(outcome.report.trace.len(), 4);
    for injection in &outcome.injections {
        for point in injection.points.chunks_exact(4) {
            for k in 0..2 {
                let original = units[k].centre + units[k].scale * point[k];
                assert!((original - original.round()).abs() < 1e-9, "{original}");
            }
        }
    }
}

#[test]
fn in_a_ball_impossible_values_are_warned_of() {
    let outcome = run(&with_whole_numbers(), &json!({"iterations": 1}));
    let text = message(&outcome, WarningCode::ImpossibleValues);
    assert!(
        text.contains("x1, x2.") && text.contains("observed"),
        "{text}"
    );
    // Nothing is injected: nothing is impossible.
    let harmless = run(&with_whole_numbers(), &json!({"budget": 0.0}));
    assert!(!codes(&harmless).contains(&WarningCode::ImpossibleValues));
}

#[test]
fn warnings_say_how_many_and_which() {
    let mut rows = rows();
    // In two of three tasks the test points contradict the training points.
    for row in rows.iter_mut().filter(|row| row.task > 0 && !row.train) {
        row.label = -row.label;
    }
    rows.retain(|row| row.train || row.task != 0 || row.x[0] > 0.5);
    let outcome = run(&rows, &json!({"iterations": 1, "targets": [0, 1]}));
    let text = message(&outcome, WarningCode::NoBetterThanGuessing);
    assert!(text.contains("in 2 of 3 tasks: T2 1, T3 2."), "{text}");
    let tests = rows
        .iter()
        .filter(|row| !row.train && row.task == 0)
        .count();
    let text = message(&outcome, WarningCode::FewTestPoints);
    let expected = format!("in 1 of 2 target tasks: T1 0 ({tests})");
    assert!(text.contains(&expected), "{text}");
    assert!(!codes(&outcome).contains(&WarningCode::SharedRows));
    assert!(!codes(&outcome).contains(&WarningCode::OneTask));
}

#[test]
fn one_task_and_shared_rows_are_warned_of() {
    let mut rows = rows();
    rows.retain(|row| row.task == 0);
    let outcome = run(&rows, &json!({"iterations": 1}));
    assert!(codes(&outcome).contains(&WarningCode::OneTask));
    let copies = rows.clone().into_iter().map(|mut row| {
        row.task = 1;
        row.label = -row.label;
        row
    });
    rows.extend(copies.collect::<Vec<_>>());
    let outcome = run(&rows, &json!({"iterations": 1}));
    let text = message(&outcome, WarningCode::SharedRows);
    assert!(text.starts_with("100 %"), "{text}");
    assert!(!text.contains("indirect"), "{text}");
    let settings = json!({"iterations": 1, "targets": [0], "attack": "indirect"});
    let text = message(&run(&rows, &settings), WarningCode::SharedRows);
    assert!(
        text.contains("knows the features of the targets'"),
        "{text}"
    );
}

#[test]
fn twenty_nine_percent_of_a_hundred_points_are_twenty_nine() {
    let mut random = Random::new(9, Stream::Synthetic, 4002);
    let rows: Vec<Row> = (0..240)
        .map(|at| Row {
            task: at / 120,
            train: at % 120 < 100,
            label: random.normal(),
            x: vec![random.normal()],
        })
        .collect();
    // 0.29 * 100 is 28.999999999999996 in floating point.
    let outcome = run(
        &rows,
        &json!({"budget": 0.29, "method": "random", "targets": [0]}),
    );
    assert_eq!(outcome.injections[0].labels.len(), 29);
}

#[test]
fn single_task_learning_is_the_multi_task_learner_without_its_coupling() {
    for (loss, dimension) in [
        (Loss::Squared, 6),
        (Loss::SquaredHinge, 6),
        (Loss::SquaredHinge, 280),
    ] {
        let weights = common::weights(loss, 0.02, 1e-6);
        let mut problem = common::random_problem(8, weights, 4, dimension, 25, 5);
        let start = solve(Solver::Certified, &mut problem, None, &Limits::default()).unwrap();
        let mut uncoupled = problem.clone();
        uncoupled.set_lambdas(0.02, 0.0).unwrap();
        let expected = solve(Solver::Certified, &mut uncoupled, None, &common::TIGHT).unwrap();
        let limits = Limits {
            tolerance: 1e-18,
            ..Limits::default()
        };
        let found = single_task::solve(&mut problem, &start.w, &limits).unwrap();
        // |W - W*|² is at most certificate times 2 / λ1: 1e-8.
        assert!(
            relative_error(&found, &expected.w) < 1e-7,
            "{loss:?}, D {dimension}"
        );
    }
}

/// Ridge regression on the standardised labels, computed in NumPy: mean NMSE of the targets.
#[test]
fn single_task_learning_on_sarcos_has_the_known_errors() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("PATOM_DATA").map(PathBuf::from);
    let beside = [root.join("../shared/data"), root.join("target/data")];
    let folders: Vec<PathBuf> = named.into_iter().chain(beside).collect();
    let find =
        |file: &str| (folders.iter()).find_map(|folder| std::fs::read(folder.join(file)).ok());
    let data = match published::load("sarcos", &find) {
        Ok(data) => data,
        Err(error) => {
            println!("SKIPPED single_task_learning_on_sarcos_has_the_known_errors: {error}");
            return;
        }
    };
    for (seed, expected) in [(42, 0.6167), (1, 0.6184)] {
        let spec = Spec {
            seed,
            iterations: 0,
            ..Spec::default_of("sarcos")
        };
        let report = experiment::run(&spec, &data, &mut Unobserved)
            .unwrap()
            .report;
        let found = mean(&report.single_task.clean.metric_per_task[..3]);
        // The digits that are known.
        assert!((found - expected).abs() < 1e-4, "{seed}: {found}");
        let worse =
            |warning: &patom::warning::Warning| warning.code == WarningCode::WorseThanSingleTask;
        assert!(report.warnings.iter().any(worse));
    }
}
