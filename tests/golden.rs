//! The golden specifications natively. No result is pinned here, because the solver may become
//! faster and its last bits change; what must not change is that every machine computes the same:
//! `cargo xtask test` compares the digests of the command line with those of the wasm modules.

#[path = "common/golden.rs"]
mod golden;
#[path = "common/golden_links.rs"]
mod golden_links;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use golden::{PUBLISHED, SYNTHETIC, WORKERS};
use patom::data::{DataSet, published};
use patom::experiment::{self, Unobserved};
use patom::report::Report;
use patom::spec::link;
use patom::spec::{Draft, Shape, Spec};

fn spec_of(link: &str, dataset: &str) -> Spec {
    let shape = Shape::named(dataset).unwrap();
    link::decode(link).unwrap().draft.check(&shape).unwrap()
}

fn run(spec: &Spec, data: &DataSet) -> Report {
    experiment::run(spec, data, &mut Unobserved).unwrap().report
}

/// The data set, or a line with the name of the skipped test.
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
    match published::load(name, &find) {
        Ok(data) => Some(data),
        Err(error) => {
            println!("SKIPPED {test} with {name}: {error}");
            None
        }
    }
}

/// A golden specification with its data.
struct Golden {
    name: &'static str,
    spec: Spec,
    data: Arc<DataSet>,
}

/// All of them whose data are there.
fn all(test: &str) -> Vec<Golden> {
    let synthetic = SYNTHETIC.iter().map(|(name, link)| {
        let spec = spec_of(link, "synthetic");
        let data = Arc::new(experiment::load_synthetic(&spec).unwrap());
        Golden { name, spec, data }
    });
    let mut all: Vec<Golden> = synthetic.collect();
    for dataset in ["landmine", "sarcos", "mnist"] {
        let Some(data) = published(dataset, test).map(Arc::new) else {
            continue;
        };
        let of_it = PUBLISHED.iter().filter(|(of, ..)| *of == dataset);
        all.extend(of_it.map(|(_, name, link)| Golden {
            name,
            spec: spec_of(link, dataset),
            data: data.clone(),
        }));
    }
    all
}

/// Their digests by name, found by so many threads at once. The last come first, so that the runs
/// of a thread come after different ones each time.
fn digests(golden: &[Golden], threads: usize) -> HashMap<&'static str, String> {
    let every = |first: usize| {
        move || -> Vec<(&'static str, String)> {
            let chosen = golden.iter().rev().skip(first).step_by(threads);
            chosen
                .map(|one| (one.name, run(&one.spec, &one.data).digest))
                .collect()
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|at| scope.spawn(every(at))).collect();
        let found = workers.into_iter().map(|worker| worker.join().unwrap());
        found.flatten().collect()
    })
}

#[test]
fn every_golden_run_converges_and_repeats_itself_in_any_thread() {
    let golden = all("every_golden_run_converges_and_repeats_itself_in_any_thread");
    let mut first = HashMap::new();
    for one in &golden {
        let report = run(&one.spec, &one.data);
        assert!(report.converged(), "{}", one.name);
        first.insert(one.name, report.digest);
    }
    for threads in WORKERS {
        assert_eq!(digests(&golden, threads), first, "{threads} threads");
    }
    let different: HashSet<&String> = first.values().collect();
    assert_eq!(different.len(), golden.len(), "each choice has an effect");
}

#[test]
fn the_specification_that_a_report_writes_is_the_same_run() {
    for one in all("the_specification_that_a_report_writes_is_the_same_run") {
        let report = run(&one.spec, &one.data);
        let text = serde_json::to_string(&report.spec).unwrap();
        let draft = Draft::parse(&text).unwrap();
        let again = draft.check(&Shape::of(&one.data)).unwrap();
        assert_eq!(run(&again, &one.data).digest, report.digest, "{}", one.name);
    }
}

#[test]
fn the_digest_in_the_documents_is_that_of_this_engine() {
    let spec = spec_of("#k=indirect&i=3", "synthetic");
    let data = experiment::load_synthetic(&spec).unwrap();
    let Report { digest, .. } = run(&spec, &data);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for file in ["README.md", "docs/python.md", "python/patom/__init__.py"] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let mut lines = text.lines().map(str::trim);
        assert!(lines.any(|line| line == ">>> result.digest"), "{file}");
        assert_eq!(lines.next(), Some(&*format!("'{digest}'")), "{file}");
    }
}

#[test]
fn golden_links_mean_what_they_meant() {
    let links = golden_links::all();
    for (link, meaning) in &links {
        assert_eq!(golden_links::meaning(link), *meaning, "{link}");
        let rewritten = golden_links::rewritten(link);
        let again = golden_links::meaning(&rewritten);
        for part in ["spec", "columns"] {
            assert_eq!(again[part], meaning[part], "{link} -> {rewritten}");
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
        if let patom::spec::FieldKind::Choice { words, .. } = field.kind {
            for word in words {
                let reached = specs.iter().any(|spec| spec[field.name] == *word);
                assert!(reached, "{} {word}", field.name);
            }
        }
    }
}
