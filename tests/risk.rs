//! The risk study: entries of its map are runs, what it says follows from its entries, and the published
//! results are of this engine.

use std::path::Path;

use patom::data::DataSet;
use patom::experiment::{self, Unobserved};
use patom::metrics::MetricName;
use patom::risk::curve::Knob;
use patom::risk::exposure::{BUDGETS, Ended, REMEDY_BUDGET, SEEDS};
use patom::risk::study::{Published, Work};
use patom::risk::{Found, MapRow, Part, RiskMap, Runner, Study, cell_spec};
use patom::spec::{Draft, Shape, Spec};

fn spec(text: &str) -> Spec {
    let shape = Shape::named("synthetic").unwrap();
    Draft::parse(text).unwrap().check(&shape).unwrap()
}

fn study(spec: &Spec) -> (Study, DataSet) {
    let data = experiment::load_synthetic(spec).unwrap();
    (Study::of(spec, &data).unwrap(), data)
}

/// Runs a part.
fn run(study: &mut Study, part: Part, data: &DataSet) {
    let mut runner = Runner::default();
    for (number, job) in study.jobs(part).to_vec().iter().enumerate() {
        let found = runner.run(job, data).unwrap();
        study.add(part, number, found).unwrap();
    }
}

fn map_of(text: &str) -> RiskMap {
    let (mut study, data) = study(&spec(text));
    run(&mut study, Part::Map, &data);
    study.map()
}

#[test]
fn an_entry_is_the_run_of_its_specification_bit_for_bit() {
    for text in [
        r#"{"iterations": 3}"#,
        r#"{"iterations": 3, "loss": "squared_hinge"}"#,
        r#"{"iterations": 2, "learner": "capped"}"#,
        r#"{"iterations": 2, "injected_features": "copied"}"#,
    ] {
        let spec = spec(text);
        let (study, data) = study(&spec);
        let mut runner = Runner::default();
        for (attacker, target) in [(0, 0), (5, 1), (1, 5)] {
            let job = &study.jobs(Part::Map)[attacker];
            let Found::Row(row) = runner.run(job, &data).unwrap() else {
                panic!("a row");
            };
            let spec = cell_spec(&spec, attacker, target);
            let report = experiment::run(&spec, &data, &mut Unobserved)
                .unwrap()
                .report;
            assert_eq!(
                row.attacked[target], report.attacked.metric_per_task[target],
                "{text}"
            );
            assert_eq!(row.clean, report.clean.metric_per_task, "{text}");
            assert_eq!(row.correlation, report.clean.correlation[attacker]);
            let worse = row.attacked[target].unwrap() - row.clean[target].unwrap();
            let (metric, expected) = if text.contains("hinge") {
                (MetricName::Auc, -worse)
            } else {
                (MetricName::Nmse, worse)
            };
            assert_eq!(row.damage(target, metric), Some(expected), "{text}");
            assert!(row.converged);
        }
    }
}

#[test]
fn with_a_cap_no_task_can_be_used_against_another() {
    let worst = |text: &str| {
        let map = map_of(text);
        assert!(map.converged);
        (map.worst_indirect.unwrap().2, map.worst_direct.unwrap().1)
    };
    let (indirect, direct) = worst(r#"{"iterations": 8}"#);
    let (capped, capped_direct) =
        worst(r#"{"iterations": 8, "learner": "capped", "pull_cap": 0.03}"#);
    assert!(capped < 0.1 * indirect, "{capped} {indirect}");
    // Against direct attacks it does not help.
    assert!(capped_direct > 0.5 * direct, "{capped_direct} {direct}");
    let (alone, _) = worst(r#"{"iterations": 8, "learner": "single_task"}"#);
    // What the tolerance of the solver leaves.
    assert!(alone.abs() < 1e-3, "{alone}");
}

/// A row with this damage to each task, of NMSE.
fn row(attacker: usize, damage: impl Fn(usize) -> f64, converged: bool) -> Found {
    Found::Row(MapRow {
        attacker,
        clean: vec![Some(1.0); 8],
        attacked: (0..8).map(|target| Some(1.0 + damage(target))).collect(),
        correlation: vec![0.5; 8],
        converged,
    })
}

#[test]
fn the_map_names_the_worst_of_its_entries() {
    let (mut study, _) = study(&spec(r#"{"iterations": 1}"#));
    // Task 2 harms all others, most of all task 6; everyone harms task 4; task 7 hurts itself.
    let damage = |i: usize, j: usize| match (i, j) {
        (7, 7) => 2.0,
        (i, j) if i == j => 0.5,
        (2, 6) => 1.0,
        (2, _) => 0.25,
        (_, 4) => 0.375,
        _ => 0.0,
    };
    for attacker in 0..8 {
        let missing = study.map();
        assert_eq!(missing.digest, None, "a row is missing");
        study
            .add(
                Part::Map,
                attacker,
                row(attacker, |j| damage(attacker, j), true),
            )
            .unwrap();
    }
    let map = study.map();
    assert_eq!(map.worst_indirect, Some((2, 6, 1.0)));
    assert_eq!(map.worst_direct, Some((7, 2.0)));
    assert_eq!(map.most_dangerous, Some(2));
    assert_eq!(map.most_exposed, Some(4));
    assert!(map.converged);
    // Most damage to others is 0.375 at most: neither 1 nor the direct 2 makes it pale.
    assert_eq!(map.range(), (0.4, true));
    let text = map.csv();
    assert_eq!(text.lines().count(), 1 + 64);
    let header = "attacker,target,clean_nmse,attacked_nmse,damage,correlation";
    assert_eq!(text.lines().next(), Some(header));
    assert!(
        map.cell(2, 6).contains("1.000 \u{2192} 2.000"),
        "{}",
        map.cell(2, 6)
    );
    study
        .add(Part::Map, 5, row(5, |j| damage(5, j), false))
        .unwrap();
    assert!(!study.map().converged);
}

#[test]
fn a_map_of_random_points_or_of_a_sanitiser_is_refused_and_a_page_leaves_both_out() {
    for (text, start) in [
        (
            r#"{"method": "random"}"#,
            "method: random does not optimise",
        ),
        (
            r#"{"sanitise": "norm"}"#,
            "sanitise: a risk map is of a learner without",
        ),
    ] {
        let spec = spec(text);
        let data = experiment::load_synthetic(&spec).unwrap();
        let message = Study::of(&spec, &data).err().unwrap().to_string();
        assert!(message.starts_with(start), "{message}");
        assert!(Study::of(&Study::studied(&spec), &data).is_ok());
    }
}

#[test]
fn the_result_of_another_job_is_refused() {
    let (mut study, _) = study(&spec("{}"));
    for (part, number, found, start) in [
        (Part::Map, 8, row(0, |_| 0.0, true), "job: 8 "),
        (
            Part::Map,
            1,
            row(0, |_| 0.0, true),
            "result: does not fit job 1",
        ),
        (
            Part::Exposure,
            0,
            row(0, |_| 0.0, true),
            "result: does not fit job 0",
        ),
    ] {
        let message = study.add(part, number, found).unwrap_err().to_string();
        assert!(message.starts_with(start), "{message}");
    }
    let message = Work::Row
        .read(serde_json::json!({"attacker": 0}))
        .unwrap_err();
    assert!(message.to_string().starts_with("result: "), "{message}");
}

#[test]
fn a_curve_has_the_worst_entry_of_the_map_at_its_value() {
    let text = r#"{"iterations": 2, "train_per_task": 12, "test_per_task": 20}"#;
    let (mut study, data) = study(&spec(text));
    run(&mut study, Part::Lambda2, &data);
    let curve = study.curve(Knob::Lambda2);
    assert_eq!(curve.points.len(), Knob::Lambda2.values().len());
    let map = map_of(text);
    let now = (curve.points.iter())
        .find(|point| point.value == Some(0.1))
        .unwrap();
    assert_eq!(now.worst_indirect, map.worst_indirect);
    assert_eq!(now.worst_direct, map.worst_direct);
    let alone = map_of(&text.replace('}', r#", "learner": "single_task"}"#));
    let metrics: Vec<f64> = alone.clean.iter().copied().flatten().collect();
    let mean = metrics.iter().sum::<f64>() / metrics.len() as f64;
    assert_eq!(curve.single_task, Some(mean));
    // A row for each value.
    assert_eq!(curve.csv().lines().count(), 1 + curve.points.len());
    let findings = curve.findings();
    assert!(findings[0].starts_with("λ2 = 0.1, as now"), "{findings:?}");
}

/// The answer where attacks lead to these metrics at 20 %, of NMSE 0.5 without an attack.
fn answer(indirect: f64, direct: f64, capped: f64) -> (Option<String>, Vec<String>) {
    let (mut study, _) = study(&spec(r#"{"iterations": 1}"#));
    let jobs = study.jobs(Part::Exposure).to_vec();
    for (number, job) in jobs.iter().enumerate() {
        let spec = &job.spec;
        let is_direct = spec.attackers == spec.targets;
        let attacked = match (spec.method.word(), spec.learner.word()) {
            ("random", _) => 0.5,
            (_, "multi_task") if spec.lambda2 == 0.1 && is_direct => direct,
            (_, "multi_task") if spec.lambda2 == 0.1 => indirect,
            (_, "capped") if !is_direct && spec.pull_cap == Some(0.1) => capped,
            _ => direct.max(indirect),
        };
        let ended = Ended {
            clean: Some(0.5),
            attacked: Some(attacked),
            converged: true,
            digest: String::new(),
        };
        study
            .add(Part::Exposure, number, Found::Ended(ended))
            .unwrap();
    }
    let exposure = study.exposure();
    (exposure.verdict(), exposure.advice())
}

#[test]
fn the_answer_says_through_whom_the_data_is_at_risk_and_what_was_measured_against_it() {
    let (verdict, advice) = answer(0.8, 0.9, 0.52);
    let verdict = verdict.unwrap();
    assert_eq!(
        verdict,
        "Yes, also through other tasks: 20 % poisoned points in T4–T8 move the NMSE of T1–T3 from \
         0.500 to 0.800, and in T1–T3 to 0.900 (random points: 0.500 and 0.500)."
    );
    assert!(
        advice[0].contains("pull cap 0.1") && advice[0].contains("0.520"),
        "{advice:?}"
    );
    assert!(
        advice[1].contains("none of these learners helps"),
        "{advice:?}"
    );
    let (verdict, advice) = answer(0.51, 0.9, 0.52);
    assert!(
        verdict
            .unwrap()
            .starts_with("Yes, but only through their own points")
    );
    assert!(
        advice[0].contains("no remedy tried here is better"),
        "{advice:?}"
    );
    let (verdict, _) = answer(0.51, 0.54, 0.52);
    assert!(verdict.unwrap().starts_with("Hardly: "));
}

#[test]
fn the_answer_has_every_attack_budget_and_seed_and_knows_who_is_left_to_attack() {
    let all = r#"{"targets": [0, 1, 2, 3, 4, 5, 6, 7]}"#;
    for (text, targets) in [("{}", 3), (all, 4)] {
        let spec = spec(text);
        let (study, _) = study(&spec);
        let jobs = study.jobs(Part::Exposure);
        // Two attacks, random or not, at each budget; four remedies against two attacks.
        let each = 2 * 2 * BUDGETS.len() + 4 * 2;
        assert_eq!(jobs.len() as u64, SEEDS * each as u64);
        for job in jobs {
            assert_eq!(job.spec.targets.len(), targets);
            // A run of it is valid.
            let shape = Shape::named("synthetic").unwrap();
            assert_eq!(job.spec.to_draft().check(&shape).unwrap(), job.spec);
        }
        assert!(jobs.iter().any(|job| job.spec.budget == REMEDY_BUDGET));
    }
}

/// The published results of a data set.
fn published(dataset: &str) -> Published {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/public/published");
    let path = folder.join(format!("risk-{dataset}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; `patom risk --page`", path.display()));
    Published::read(&text).unwrap()
}

/// Data sets whose results come with the page.
const PUBLISHED: [&str; 4] = ["synthetic", "landmine", "sarcos", "mnist"];

#[test]
fn published_results_are_of_this_engine_and_of_the_default_settings() {
    for dataset in PUBLISHED {
        let published = published(dataset);
        assert_eq!(
            published.engine,
            experiment::ENGINE,
            "{dataset}: make them again with `patom risk --page`"
        );
        // Checks every digest.
        let study = published.study().unwrap();
        assert_eq!(study.subject.spec, Spec::default_of(dataset));
        for &part in Part::ALL {
            assert!(study.digest(part).is_some(), "{dataset} {}", part.word());
            assert!(
                !study.findings(part).is_empty(),
                "{dataset} {}",
                part.word()
            );
        }
    }
}

#[test]
fn published_results_of_the_synthetic_data_are_computed_again_bit_for_bit() {
    let published = published("synthetic");
    let (mut study, data) = study(&Spec::default_of("synthetic"));
    assert_eq!(published.data_sha256, data.sha256);
    for &part in &[Part::Map, Part::Exposure] {
        run(&mut study, part, &data);
        assert_eq!(study.digest(part), published.study().unwrap().digest(part));
    }
}

#[test]
fn altered_published_results_are_refused() {
    let mut altered = published("synthetic");
    let map = (altered.parts.iter_mut())
        .find(|published| published.part == Part::Map)
        .unwrap();
    map.results[0]["attacked"][1] = serde_json::json!(0.5);
    let message = altered.study().err().unwrap().to_string();
    assert!(message.starts_with("digest: map differs"), "{message}");
    assert!(Published::read("{}").is_err());
}
