//! The study of defences: its jobs, their results put together, its tables and sentences.

use patom::defence::sanitise::Sanitise;
use patom::defence::study::{Attacker, CAPS, DefenceStudy, Job, JobResult, TaskScore, jobs};
use patom::experiment::{self, Unobserved};
use patom::mtrl::Learner;
use patom::spec::{Draft, Shape, Spec, link};

fn spec(text: &str) -> Spec {
    let shape = Shape::named("synthetic").unwrap();
    Draft::parse(text).unwrap().check(&shape).unwrap()
}

fn done(text: &str) -> (Vec<Job>, Vec<Option<JobResult>>, DefenceStudy) {
    let spec = spec(text);
    let data = experiment::load_synthetic(&spec).unwrap();
    let jobs = jobs(&spec).unwrap();
    let of = |job| Some(JobResult::of(job, &data, &mut Unobserved).unwrap());
    let results: Vec<Option<JobResult>> = jobs.iter().map(of).collect();
    let study = DefenceStudy::of(&jobs, &results).unwrap();
    (jobs, results, study)
}

const INDIRECT: &str = r#"{"attack": "indirect", "iterations": 6}"#;

#[test]
fn every_job_is_a_valid_specification_with_an_id_of_its_own() {
    let shape = Shape::named("synthetic").unwrap();
    for text in [
        "{}",
        r#"{"attack": "hybrid", "loss": "squared_hinge", "injected_labels": "flipped"}"#,
        r#"{"learner": "capped", "pull_cap": 0.05, "sanitise": "norm", "radius": "q95"}"#,
        r#"{"feature_domain": "observed"}"#,
    ] {
        let jobs = jobs(&spec(text)).unwrap();
        assert_eq!(jobs[0].attacker, Attacker::Standard);
        let mut ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), jobs.len(), "{text}");
        for job in &jobs {
            let checked = job.spec.to_draft().check(&shape);
            assert_eq!(checked.as_ref(), Ok(&job.spec), "{text}: {}", job.id);
            assert_eq!(job.spec.sanitise, Sanitise::None, "filters come afterwards");
        }
        let has = |cap| jobs.iter().any(|job| job.spec.pull_cap == Some(cap));
        assert!(CAPS.into_iter().all(has));
        assert_eq!(has(0.05), text.contains("0.05"), "its own cap is added");
    }
}

#[test]
fn what_cannot_be_defended_is_refused_by_name() {
    for (text, field) in [
        (r#"{"method": "random"}"#, "method"),
        (r#"{"budget": 0}"#, "budget"),
        (
            r#"{"solver": "alternating", "gradient": "published"}"#,
            "solver",
        ),
    ] {
        let error = jobs(&spec(text)).unwrap_err();
        assert_eq!(error.field_name(), Some(field), "{text}");
    }
}

#[test]
fn the_numbers_of_a_study_are_those_of_runs_with_these_defences() {
    let (_, _, study) = done(INDIRECT);
    let run = |fields: &str| {
        let spec = spec(&INDIRECT.replace('}', fields));
        let data = experiment::load_synthetic(&spec).unwrap();
        let report = experiment::run(&spec, &data, &mut Unobserved).unwrap();
        report.report
    };
    // The same problem, from other starts: 1e-9 of the objective is 1e-4 of the weights.
    let near = |a: Option<f64>, b: Option<f64>| {
        let (a, b) = (a.unwrap(), b.unwrap());
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    };
    let plain = run("}");
    let targets = &plain.target_tasks;
    near(study.undefended.clean, plain.clean.mean_metric(targets));
    near(study.oracle, plain.clean.mean_metric(targets));
    let standard = &study.undefended.against[0];
    near(standard.attacked, plain.attacked.mean_metric(targets));
    assert_eq!(standard.remaining, Some(1.0));

    let capped = run(r#", "learner": "capped", "pull_cap": 0.1}"#);
    let point = study.caps.iter().find(|point| point.pull_cap == Some(0.1));
    let point = point.unwrap();
    near(point.clean, capped.clean.mean_metric(targets));
    near(point.knowing, capped.attacked.mean_metric(targets));
    let certified = capped.certified.unwrap();
    let worst = targets
        .iter()
        .map(|&task| certified.metric_per_task[task].unwrap());
    near(
        point.certified,
        Some(worst.sum::<f64>() / targets.len() as f64),
    );

    let filtered = run(r#", "sanitise": "norm", "injected_features": "copied"}"#);
    let row = &study.sanitisers[0];
    assert_eq!((row.rule, row.share), (Sanitise::Norm, None));
    let defence = filtered.defence.unwrap();
    near(row.clean, defence.clean.mean_metric(targets));
    let copied = row
        .against
        .iter()
        .find(|found| found.attacker == Attacker::Copied);
    let copied = copied.unwrap();
    assert!(copied.knows);
    near(copied.attacked, defence.attacked.mean_metric(targets));
    assert_eq!(copied.dropped, filtered.detection.unwrap().dropped);
}

#[test]
fn nothing_exceeds_what_is_certified_and_a_certificate_needs_clean_targets() {
    let (_, _, study) = done(INDIRECT);
    assert!(study.converged && !study.targets_attacked);
    let ends: Vec<Learner> = [&study.caps[0], study.caps.last().unwrap()]
        .map(|point| point.learner)
        .into();
    assert_eq!(ends, [Learner::SingleTask, Learner::MultiTask]);
    for point in &study.caps[..study.caps.len() - 1] {
        let certified = point.certified.unwrap();
        // Single-task learning is solved from several starts.
        let slack = 1e-4;
        for metric in [point.clean, point.standard, point.knowing] {
            assert!(metric.unwrap() <= certified + slack, "{point:?}");
        }
    }
    let (_, _, direct) = done(r#"{"iterations": 3}"#);
    assert!(direct.targets_attacked);
    assert!(direct.caps.iter().all(|point| point.certified.is_none()));
    assert!(direct.verdict.contains("cannot protect targets"));
}

#[test]
fn a_part_of_a_study_grows_into_the_whole_in_any_order() {
    let (jobs, results, whole) = done(r#"{"iterations": 2}"#);
    let mut some = vec![None; jobs.len()];
    assert_eq!(DefenceStudy::of(&jobs, &some), None);
    for number in [0, 5, 2] {
        some[number].clone_from(&results[number]);
    }
    let part = DefenceStudy::of(&jobs, &some).unwrap();
    assert_eq!((part.done, part.jobs), (3, jobs.len()));
    assert_eq!(part.caps.len(), whole.caps.len());
    assert!(!part.verdict.is_empty());
    assert_ne!(part.digest, whole.digest);
    // Through JSON, as workers hand results over.
    let text = serde_json::to_string(&results).unwrap();
    let read: Vec<Option<JobResult>> = serde_json::from_str(&text).unwrap();
    assert_eq!(DefenceStudy::of(&jobs, &read), Some(whole));
}

#[test]
fn rankings_know_the_truth_and_tables_have_a_row_for_each_defence_and_attacker() {
    let (_, _, study) = done(r#"{"iterations": 10}"#);
    let attackers: Vec<Attacker> = study.rankings.iter().map(|r| r.attacker).collect();
    assert_eq!(
        attackers,
        [Attacker::Standard, Attacker::Copied, Attacker::Q75]
    );
    let standard = &study.rankings[0];
    let own = &standard.tasks[0];
    assert_eq!(own.score, TaskScore::OwnLoss);
    assert_eq!(
        own.figures.roc_auc,
        Some(1.0),
        "a direct attack shows in the loss"
    );
    assert_eq!(own.curves.roc.first(), Some(&[0.0, 0.0]));
    assert_eq!(own.curves.roc.last(), Some(&[1.0, 1.0]));
    assert_eq!(
        standard.points[0].figures.roc_auc,
        Some(1.0),
        "on the surface of the ball"
    );

    let table = study.csv();
    let columns = table.lines().next().unwrap().split(',').count();
    assert!(table.lines().all(|line| line.split(',').count() == columns));
    // No defence and single-task learning: 3 and 4; the oracle; 7 caps and 5 sanitisers.
    assert_eq!(table.lines().count(), 1 + 3 + 1 + 4 + 7 * 2 + 5 * 3);
    assert_eq!(study.rankings_csv().lines().count(), 1 + 3 * (4 + 3));
    assert_eq!(study.rows().len(), 2 + 8 + 5);
}

/// The data sets whose studies the page shows at once.
const PUBLISHED: [&str; 4] = ["synthetic", "sarcos", "landmine", "mnist"];

/// What the page shows of a data set before it computes anything.
fn published(name: &str) -> serde_json::Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/www/public/published");
    let path = format!("{folder}/defence-{name}.json");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}; made by `patom reproduce --defence`"));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn published_studies_are_of_this_engine_and_complete() {
    for name in PUBLISHED {
        let file = published(name);
        assert_eq!(
            file["engine"],
            experiment::ENGINE,
            "{name}: made by another engine"
        );
        assert_eq!(file["dataset"], name);
        let shape = Shape::named(name).unwrap();
        let studies = file["studies"].as_array().unwrap();
        assert_eq!(studies.len(), 3, "{name}: direct, indirect, hybrid");
        for study in studies {
            let link = link::decode(study["link"].as_str().unwrap()).unwrap();
            let jobs = jobs(&link.draft.check(&shape).unwrap()).unwrap();
            let results: Vec<Option<JobResult>> =
                serde_json::from_value(study["results"].clone()).unwrap();
            for result in results.iter().flatten() {
                assert_eq!(result.engine, experiment::ENGINE, "{name}: {}", result.id);
                assert_eq!(file["data_sha256"], result.data_sha256.as_str());
            }
            let study = DefenceStudy::of(&jobs, &results).unwrap();
            assert_eq!(study.done, jobs.len(), "{name}");
        }
    }
}

#[test]
fn published_numbers_are_found_again() {
    // Synthetic data is always there; the digest is over every number but the curves.
    let file = published("synthetic");
    for study in file["studies"].as_array().unwrap() {
        let link = link::decode(study["link"].as_str().unwrap()).unwrap();
        let spec = link
            .draft
            .check(&Shape::named("synthetic").unwrap())
            .unwrap();
        let data = experiment::load_synthetic(&spec).unwrap();
        for (job, published) in jobs(&spec)
            .unwrap()
            .iter()
            .zip(study["results"].as_array().unwrap())
        {
            let found = JobResult::of(job, &data, &mut Unobserved).unwrap();
            assert_eq!(published["digest"], found.digest.as_str(), "{}", job.id);
        }
    }
}
