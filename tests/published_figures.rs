//! The published results of the paper's figures, which come with the page, are those of this engine.

use std::path::{Path, PathBuf};

use patom::data::{DataSet, published};
use patom::experiment::{self, ENGINE, Unobserved};
use patom::paper::claims::claims;
use patom::paper::plan::{Figure, Planned, Protocol, plan};
use serde_json::Value;

const FIGURES: [Figure; 3] = [Figure::Convergence, Figure::Quality, Figure::Correlations];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Calls with the published file of each figure and method.
fn each(mut visit: impl FnMut(Figure, Protocol, &Value)) {
    for figure in FIGURES {
        for &method in Protocol::ALL {
            let name = format!("figure{}-{}.json", figure.number(), method.word());
            let path = root().join("www/public/published").join(name);
            let text = std::fs::read_to_string(&path).unwrap();
            visit(figure, method, &serde_json::from_str(&text).unwrap());
        }
    }
}

/// The published data sets of a figure: name, planned runs, published runs.
fn datasets(figure: Figure, method: Protocol, file: &Value) -> Vec<(&str, Vec<Planned>, &[Value])> {
    let seeds = file["seeds"].as_u64().unwrap();
    let all = file["datasets"].as_array().unwrap().iter();
    all.map(|data| {
        let name = data["dataset"].as_str().unwrap();
        let planned = plan(figure, method, name, seeds, 1).unwrap();
        (name, planned, data["runs"].as_array().unwrap().as_slice())
    })
    .collect()
}

#[test]
fn published_figures_are_complete_and_of_this_engine() {
    each(|figure, method, file| {
        let number = figure.number();
        assert_eq!(
            file["engine"], ENGINE,
            "figure {number}: run `patom reproduce`"
        );
        assert_eq!(file["method"], method.word());
        let judged = file["claims"].as_array().unwrap();
        assert_eq!(judged.len(), claims(figure).len());
        for claim in judged {
            assert!(claim["verdict"].is_string(), "figure {number}: {claim}");
        }
        let found = datasets(figure, method, file);
        let names: Vec<&str> = found.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, figure.datasets(), "figure {number}");
        for (name, planned, runs) in found {
            assert_eq!(runs.len(), planned.len(), "figure {number}, {name}");
        }
    });
}

fn load(name: &str) -> Option<DataSet> {
    let named = std::env::var_os("PATOM_DATA").map(PathBuf::from);
    let beside = [root().join("../shared/data"), root().join("target/data")];
    let folders: Vec<PathBuf> = named.into_iter().chain(beside).collect();
    let find = |file: &str| {
        let mut folders = folders.iter();
        folders.find_map(|folder| std::fs::read(folder.join(file)).ok())
    };
    published::load(name, &find).ok()
}

#[test]
fn published_digests_are_those_that_the_engine_computes() {
    for name in ["sarcos", "landmine"] {
        let Some(data) = load(name) else {
            println!("SKIPPED published_digests_are_those_that_the_engine_computes with {name}");
            continue;
        };
        each(|figure, method, file| {
            for (_, planned, runs) in datasets(figure, method, file)
                .into_iter()
                .filter(|(dataset, ..)| *dataset == name)
            {
                // Two of the first seed: the last one of Figure 2 is a random attack.
                let seeds = file["seeds"].as_u64().unwrap();
                let first = planned.len() / usize::try_from(seeds).unwrap();
                for k in [first / 3, first - 1] {
                    let outcome = experiment::run(&planned[k].spec, &data, &mut Unobserved);
                    let digest = outcome.unwrap().report.digest;
                    assert_eq!(runs[k]["digest"], digest, "{}", planned[k].id);
                }
            }
        });
    }
}
