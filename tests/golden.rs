//! The golden specifications natively. No result is pinned here, because the solver may become
//! faster and its last bits change; what must not change is that every machine agrees. So this file
//! hands its digests to the wasm tests: with `PATOM_DIGESTS_FILE` set, it writes them there, a line
//! `name digest` each (`cargo xtask test` does that and compiles them into `tests/wasm.rs`).

#[path = "common/golden.rs"]
mod golden;
#[path = "common/golden_links.rs"]
mod golden_links;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use golden::{PUBLISHED, SYNTHETIC};
use patom::data::{DataSet, sources};
use patom::experiment::{self, Unobserved};
use patom::link;
use patom::report::Report;
use patom::spec::{Draft, Shape, Spec};

fn spec_of(link: &str, dataset: &str) -> Spec {
    let shape = Shape::named(dataset).unwrap();
    link::decode(link).unwrap().draft.check(&shape).unwrap()
}

fn run(spec: &Spec, data: &DataSet) -> Report {
    experiment::run(spec, data, &mut Unobserved).unwrap().report
}

fn run_synthetic(link: &str) -> Report {
    let spec = spec_of(link, "synthetic");
    run(&spec, &experiment::load_synthetic(&spec).unwrap())
}

/// The data set, or a line that says which test is skipped.
fn published(name: &str, test: &str) -> Option<DataSet> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("PATOM_DATA").map(PathBuf::from);
    let beside = [root.join("../shared/data"), root.join("target/data")];
    let folders: Vec<PathBuf> = named.into_iter().chain(beside).collect();
    let find = |file: &str| {
        folders
            .iter()
            .find_map(|folder| std::fs::read(folder.join(file)).ok())
    };
    match sources::load(name, &find) {
        Ok(data) => Some(data),
        Err(error) => {
            println!("SKIPPED {test} with {name}: {error}");
            None
        }
    }
}

#[test]
fn every_golden_run_converges_and_repeats_itself_in_any_thread() {
    let reports: Vec<Report> = SYNTHETIC
        .iter()
        .map(|(_, link)| run_synthetic(link))
        .collect();
    for ((name, _), report) in SYNTHETIC.iter().zip(&reports) {
        assert!(report.converged(), "{name}");
    }
    // All at once, and in another order, so that the runs of a thread come after different ones.
    for threads in [2, 4] {
        let again: HashMap<&str, String> = std::thread::scope(|scope| {
            let run_every = |first: usize| {
                move || -> Vec<(&str, String)> {
                    let chosen = SYNTHETIC.iter().rev().skip(first).step_by(threads);
                    chosen
                        .map(|(name, link)| (*name, run_synthetic(link).digest))
                        .collect()
                }
            };
            let workers: Vec<_> = (0..threads)
                .map(|first| scope.spawn(run_every(first)))
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap())
                .collect()
        });
        for ((name, _), report) in SYNTHETIC.iter().zip(&reports) {
            assert_eq!(again[name], report.digest, "{name}, {threads} threads");
        }
    }
    let different: HashSet<&String> = reports.iter().map(|report| &report.digest).collect();
    assert_eq!(
        different.len(),
        SYNTHETIC.len(),
        "each choice has an effect"
    );
}

#[test]
fn the_digests_are_handed_to_the_wasm_tests() {
    let Some(path) = std::env::var_os("PATOM_DIGESTS_FILE") else {
        return;
    };
    let mut lines: Vec<String> = SYNTHETIC
        .iter()
        .map(|(name, link)| format!("{name} {}\n", run_synthetic(link).digest))
        .collect();
    for dataset in ["landmine", "sarcos", "mnist"] {
        let Some(data) = published(dataset, "the_digests_are_handed_to_the_wasm_tests") else {
            continue;
        };
        for (_, name, link) in PUBLISHED.iter().filter(|(of, ..)| *of == dataset) {
            let digest = run(&spec_of(link, dataset), &data).digest;
            lines.push(format!("{name} {digest}\n"));
        }
    }
    std::fs::write(path, lines.concat()).unwrap();
}

#[test]
fn golden_runs_on_published_data_converge_and_repeat_themselves() {
    let test = "golden_runs_on_published_data_converge_and_repeat_themselves";
    for dataset in ["landmine", "sarcos", "mnist"] {
        let Some(data) = published(dataset, test) else {
            continue;
        };
        for (_, name, link) in PUBLISHED.iter().filter(|(of, ..)| *of == dataset) {
            let spec = spec_of(link, dataset);
            let report = run(&spec, &data);
            assert!(report.converged(), "{name}");
            // The specification that the report writes is the same run.
            let text = serde_json::to_string(&report.spec).unwrap();
            let draft = Draft::parse(&text).unwrap();
            let again = draft.check(&Shape::named(dataset).unwrap()).unwrap();
            assert_eq!(run(&again, &data).digest, report.digest, "{name}");
        }
    }
}

#[test]
fn golden_links_mean_what_they_meant() {
    let links = golden_links::all();
    for (link, meaning) in &links {
        assert_eq!(golden_links::meaning(link), *meaning, "{link}");
        let anew = golden_links::written_anew(link);
        let again = golden_links::meaning(&anew);
        for part in ["spec", "columns"] {
            assert_eq!(again[part], meaning[part], "{link} -> {anew}");
        }
    }
    // Every key there is was written at some time.
    for field in &patom::spec::FIELDS {
        let key = format!("{}=", field.key);
        let used = links.iter().any(|(link, _)| {
            let fragment = link.rsplit('#').next().unwrap_or(link);
            fragment.split('&').any(|pair| pair.starts_with(&key))
        });
        assert!(used, "no golden link has the key {}", field.key);
    }
}

#[test]
fn the_table_reaches_every_choice() {
    let links: Vec<&str> = (SYNTHETIC.iter().map(|(_, link)| *link))
        .chain(PUBLISHED.iter().map(|(_, _, link)| *link))
        .collect();
    let specs: Vec<serde_json::Value> = (links.iter())
        .map(|link| {
            let draft = link::decode(link).unwrap().draft;
            let name = draft.get("dataset").unwrap().as_str().unwrap().to_string();
            serde_json::to_value(spec_of(link, &name)).unwrap()
        })
        .collect();
    for field in &patom::spec::FIELDS {
        if let patom::spec::FieldKind::Choice { words } = field.kind {
            for word in words {
                let reached = specs.iter().any(|spec| spec[field.name] == *word);
                assert!(reached, "{} {word}", field.name);
            }
        }
    }
}
