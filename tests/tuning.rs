//! λ1 and λ2 by cross-validation.

use std::ops::ControlFlow;

use patom::Error;
use patom::data::formats::csv::Table;
use patom::data::{DataSet, Kind, Layout, RawPoints};
use patom::experiment::{self, Unobserved};
use patom::metrics::MetricName;
use patom::mtrl::Loss;
use patom::rng::{Random, Stream};
use patom::spec::{Draft, Shape, Spec, link};
use patom::tuning::{self, Grid, Tuning};
use serde_json::json;

fn tune(spec: &Spec, data: &DataSet) -> Tuning {
    let grid = Grid::default();
    tuning::tune(spec, data, &grid, &mut |_, _| ControlFlow::Continue(())).unwrap()
}

fn synthetic(fields: &str) -> (Spec, DataSet) {
    let draft = Draft::parse(fields).unwrap();
    let spec = draft.check(&Shape::named("synthetic").unwrap()).unwrap();
    let data = experiment::load_synthetic(&spec).unwrap();
    (spec, data)
}

fn mean_clean(spec: &Spec, data: &DataSet) -> f64 {
    let report = experiment::run(spec, data, &mut Unobserved).unwrap().report;
    let metrics: Vec<f64> = report
        .clean
        .metric_per_task
        .iter()
        .flatten()
        .copied()
        .collect();
    metrics.iter().sum::<f64>() / metrics.len() as f64
}

#[test]
fn on_synthetic_data_a_small_lambda_is_chosen_and_helps_on_test_points() {
    // The labels have an NMSE of 0.2 at best; with λ = 0.1 both terms shrink the models to a third.
    let (spec, data) = synthetic(r#"{"train_per_task":25,"iterations":0}"#);
    let tuning = tune(&spec, &data);
    assert_eq!(tuning.metric_name, MetricName::Nmse);
    assert!(tuning.multi_task.lambda1 <= 0.01 && tuning.multi_task.lambda2 <= 0.01);
    let given = tuning.given.as_ref().unwrap();
    assert_eq!((given.lambda1, given.lambda2), (0.1, 0.1));
    let best = tuning.multi_task.metric.unwrap();
    assert!(best < 0.6 * given.metric.unwrap());
    // Tasks are related, and points few: sharing helps.
    assert!(best < tuning.single_task.metric.unwrap());
    assert_eq!(tuning.single_task.lambda2, 0.0);
    // The choice is one for points that were not seen.
    let (before, after) = (mean_clean(&spec, &data), mean_clean(&tuning.spec, &data));
    assert!(after < 0.6 * before && after > 0.2, "{before} {after}");
    // The error estimate is about that on test points: 8 x 25 training points.
    assert!((best - after).abs() < 0.1, "{best} {after}");
    assert!(tuning.trials.iter().all(|trial| trial.converged));
    assert_eq!(tuning.trials.len(), 7 * 8);
    let least = (tuning.trials.iter())
        .filter_map(|trial| trial.metric)
        .fold(f64::INFINITY, f64::min);
    assert_eq!(best, least);
}

#[test]
fn the_choice_is_the_same_each_time_and_does_not_depend_on_the_attack() {
    let (spec, data) = synthetic(r#"{"train_per_task":12,"iterations":0}"#);
    let tuning = tune(&spec, &data);
    assert_eq!(tune(&spec, &data), tuning);
    let attacked = Spec {
        budget: 1.0,
        iterations: 9,
        lambda1: 0.02,
        ..spec.clone()
    };
    let other = tune(&attacked, &data);
    assert_eq!(other.trials, tuning.trials);
    assert_eq!(other.given, None);
    assert_eq!((other.spec.budget, other.spec.iterations), (1.0, 9));
    let read = link::decode(&tuning.link).unwrap().draft;
    assert_eq!(read.check(&Shape::of(&data)).unwrap(), tuning.spec);
    let another = tune(&Spec { seed: 43, ..spec }, &data);
    assert_ne!(another.trials, tuning.trials);
}

#[test]
fn test_points_do_not_matter() {
    let mut random = Random::new(2, Stream::Synthetic, 5000);
    let truth = [1.0, -0.5, 0.3];
    let mut rows = |count: usize, sign: f64| {
        let mut points = RawPoints::default();
        for _ in 0..count {
            let x = truth.map(|_| random.uniform() - 0.5);
            let score: f64 = x.iter().zip(truth).map(|(x, w)| x * w).sum();
            points.features.extend(x);
            points.labels.push(sign * score + 0.05 * random.normal());
        }
        points
    };
    let train: Vec<RawPoints> = (0..3).map(|_| rows(16, 1.0)).collect();
    let mut data = |sign: f64| {
        let tasks: Vec<RawPoints> = (train.iter().cloned())
            .map(|mut points| {
                let test = rows(6, sign);
                points.features.extend(test.features);
                points.labels.extend(test.labels);
                points
            })
            .collect();
        let is_test: Vec<bool> = (0..22).map(|at| at >= 16).collect();
        let layout = Layout::Separate {
            tasks,
            is_test: Some(vec![is_test; 3]),
        };
        let names = ["a", "b", "c"].map(String::from).to_vec();
        DataSet::new("own.csv", Kind::Regression, 3, names, layout).unwrap()
    };
    let errors = [data(1.0), data(-1.0)].map(|data| {
        let fields = json!({
            "dataset": {"name": "own.csv", "sha256": data.sha256},
            // Test points would change the common norm: keep to the one of the cube.
            "target_scaling": "raw",
        });
        let spec = Draft::from_value(fields).unwrap();
        let spec = spec.check(&Shape::of(&data)).unwrap();
        let tuning = tune(&spec, &data);
        let test = mean_clean(&tuning.spec, &data);
        (tuning.multi_task.metric.unwrap(), test)
    });
    // Labels of test points are turned around: only the test error notices.
    assert!((errors[0].0 - errors[1].0).abs() < 0.05, "{errors:?}");
    assert!(errors[0].1 < 0.5 && errors[1].1 > 1.5, "{errors:?}");
}

#[test]
fn classes_are_tuned_by_auc_and_equal_trials_go_to_the_larger_lambda() {
    let (spec, data) = synthetic(r#"{"loss":"squared_hinge","train_per_task":30}"#);
    let tuning = tune(&spec, &data);
    assert_eq!(tuning.metric_name, MetricName::Auc);
    assert!(tuning.multi_task.metric.unwrap() > 0.8);
    assert_eq!(spec.loss, Loss::SquaredHinge);
    // One feature, well separated: every pair ranks all points right.
    let mut random = Random::new(2, Stream::Synthetic, 5001);
    let tasks = ["a", "b"].map(|_| {
        let labels: Vec<f64> = (0..20)
            .map(|k| if k % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        RawPoints {
            features: (labels.iter())
                .map(|label| label + 0.1 * random.uniform())
                .collect(),
            labels,
        }
    });
    let layout = Layout::Separate {
        tasks: tasks.to_vec(),
        is_test: None,
    };
    let names = vec!["a".to_string(), "b".to_string()];
    let data = DataSet::new("easy.csv", Kind::Classification, 1, names, layout).unwrap();
    let fields = json!({"dataset": {"name": "easy.csv", "sha256": data.sha256}});
    let spec = Draft::from_value(fields).unwrap();
    let tuning = tune(&spec.check(&Shape::of(&data)).unwrap(), &data);
    let best = &tuning.multi_task;
    assert_eq!(
        (best.metric, best.lambda1, best.lambda2),
        (Some(1.0), 1.0, 1.0)
    );
    assert!(tuning.at_edge);
}

/// Many tasks of few points, columns in units of their own, as in MALSAR's School data.
#[test]
fn many_small_tasks_in_mixed_units_are_better_than_their_mean_once_tuned() {
    let mut random = Random::new(6, Stream::Synthetic, 5002);
    let shared: Vec<f64> = (0..6).map(|_| random.normal()).collect();
    let mut text = String::from("task,label,x1,x2,x3,x4,x5,x6\n");
    let units = [1.0, 1.0, 100.0, 1.0, 0.01, 30_000.0];
    for task in 0..60 {
        let own: Vec<f64> = shared.iter().map(|w| w + 0.3 * random.normal()).collect();
        for _ in 0..24 {
            let x: Vec<f64> = (0..6).map(|_| random.normal()).collect();
            let score: f64 = x.iter().zip(&own).map(|(x, w)| x * w).sum();
            // As much noise as signal: at best an NMSE of about a half.
            let label = 20.0 + 4.0 * (score + 2.0 * random.normal());
            text += &format!("{task},{label}");
            for (x, unit) in x.iter().zip(units) {
                text += &format!(",{}", unit * (x + 5.0));
            }
            text.push('\n');
        }
    }
    let table = Table::read(text.as_bytes()).unwrap();
    let data = table.into_data_set("school.csv", text.as_bytes()).unwrap();
    let spec = |scaling: &str| {
        let fields = json!({
            "dataset": {"name": data.name, "sha256": data.sha256},
            "feature_scaling": scaling, "iterations": 0,
        });
        let draft = Draft::from_value(fields).unwrap();
        draft.check(&Shape::of(&data)).unwrap()
    };
    // What engine 0.1.0 did: no better than the mean.
    assert!(mean_clean(&spec("none"), &data) > 0.95);
    let tuning = tune(&spec("standard"), &data);
    let (found, estimate) = (
        mean_clean(&tuning.spec, &data),
        tuning.multi_task.metric.unwrap(),
    );
    assert!(found < 0.8 && estimate < 0.8, "{found} {estimate}");
    assert!(estimate < tuning.single_task.metric.unwrap());
    assert!(tuning.multi_task.no_better_than_guessing < 15);
}

#[test]
fn tuning_reports_progress_and_can_be_cancelled() {
    let (spec, data) = synthetic(r#"{"train_per_task":8}"#);
    let grid = Grid {
        folds: 3,
        lambda1: vec![0.01, 0.1],
        lambda2: vec![0.1, 0.1, 0.001],
    };
    let mut seen = Vec::new();
    let tuning = tuning::tune(&spec, &data, &grid, &mut |done, total| {
        seen.push((done, total));
        ControlFlow::Continue(())
    });
    // Two λ1, two different λ2 and none, three folds.
    assert_eq!(seen, (1..=18).map(|done| (done, 18)).collect::<Vec<_>>());
    let pairs: Vec<(f64, f64)> = (tuning.unwrap().trials.iter())
        .map(|trial| (trial.lambda1, trial.lambda2))
        .collect();
    let expected = [0.1, 0.01].map(|lambda1| [0.1, 0.001, 0.0].map(|lambda2| (lambda1, lambda2)));
    assert_eq!(pairs, expected.concat());
    let cancelled = tuning::tune(&spec, &data, &grid, &mut |done, _| {
        if done < 4 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    assert_eq!(cancelled, Err(Error::Cancelled));
}

#[test]
fn a_grid_out_of_range_is_refused_by_field() {
    let (spec, data) = synthetic(r#"{"train_per_task":8}"#);
    let good = Grid::default();
    let bad = [
        (
            "folds",
            Grid {
                folds: 1,
                ..good.clone()
            },
        ),
        (
            "folds",
            Grid {
                folds: 21,
                ..good.clone()
            },
        ),
        (
            "lambda1",
            Grid {
                lambda1: vec![],
                ..good.clone()
            },
        ),
        (
            "lambda1",
            Grid {
                lambda1: vec![0.0],
                ..good.clone()
            },
        ),
        (
            "lambda1",
            Grid {
                lambda1: vec![f64::NAN],
                ..good.clone()
            },
        ),
        (
            "lambda2",
            Grid {
                lambda2: vec![1e7],
                ..good.clone()
            },
        ),
        (
            "lambda2",
            Grid {
                lambda2: vec![0.1; 51],
                ..good
            },
        ),
    ];
    for (field, grid) in bad {
        let error = tuning::tune(&spec, &data, &grid, &mut |_, _| ControlFlow::Continue(()));
        assert_eq!(error.unwrap_err().field_name(), Some(field));
    }
    // A point a task cannot be predicted from the others.
    let (spec, data) = synthetic(r#"{"train_per_task":1}"#);
    let error = tuning::tune(&spec, &data, &Grid::default(), &mut |_, _| {
        ControlFlow::Continue(())
    });
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("two training points")
    );
}
