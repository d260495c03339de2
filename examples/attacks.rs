//! The measurements of docs/attacks.md: which attack is strongest by the test metric, damage against
//! the attacker's knowledge, and Sarcos with and without shared rows.
//!
//!     cargo run --release --example attacks -- DATA strongest|knowledge|rows SEEDS DATASET...
//!
//! DATA is a folder with the files of the data sets (or their bundles). Prints CSV: what was run, the
//! number of runs, mean clean metric, mean metric under attack and the standard error of that mean.
//! Targets and attackers are the pairs of Figure 2, the budget is 0.3.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use patom::attack::{Attack, Gradient, Method, Step, Utility};
use patom::data::{DataSet, Kind, published, synthetic};
use patom::experiment::{self, Unobserved};
use patom::paper::plan::{Figure, Protocol, plan};
use patom::rng::{Random, Stream};
use patom::spec::Spec;

/// Clean and attacked metric of the runs of each attack and variant.
type Groups = BTreeMap<(Attack, String), Vec<(f64, f64)>>;
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const BUDGET: f64 = 0.3;
const KNOWLEDGE: [f64; 7] = [0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0];

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, study, seeds, datasets @ ..] = words.as_slice() else {
        return Err("expected DATA strongest|knowledge|rows SEEDS DATASET...".into());
    };
    let seeds: u64 = seeds.parse()?;
    println!("dataset,attack,variant,runs,clean,attacked,standard_error");
    for dataset in datasets {
        let data = match dataset.as_str() {
            synthetic::NAME => None,
            name => Some(published::load(name, &|file| {
                std::fs::read(Path::new(folder).join(file)).ok()
            })?),
        };
        let mut runs = Vec::new();
        for base in bases(dataset, seeds)? {
            runs.extend(match study.as_str() {
                "strongest" => strongest(&base),
                "knowledge" => knowledge(&base),
                "rows" => rows(&base),
                _ => return Err("expected strongest, knowledge or rows".into()),
            });
        }
        for ((attack, variant), found) in measure(&runs, data.as_ref())? {
            let n = found.len() as f64;
            let mean = |pick: fn(&(f64, f64)) -> f64| found.iter().map(pick).sum::<f64>() / n;
            let (clean, attacked) = (mean(|pair| pair.0), mean(|pair| pair.1));
            let squares = found.iter().map(|pair| (pair.1 - attacked).powi(2));
            let error = (squares.sum::<f64>() / (n - 1.0).max(1.0) / n).sqrt();
            println!(
                "{dataset},{},{},{n},{clean:.4},{attacked:.4},{error:.4}",
                attack.word(),
                &variant[2..]
            );
        }
    }
    Ok(())
}

/// Each attack on each pair of Figure 2 with each seed.
fn bases(dataset: &str, seeds: u64) -> Outcome<Vec<Spec>> {
    if dataset == synthetic::NAME {
        let of_attack = |attack| {
            let draft =
                serde_json::json!({"attack": attack, "budget": BUDGET, "loss": "squared_hinge"});
            let draft = patom::spec::Draft::from_value(draft).expect("fields of the table");
            let shape = patom::spec::Shape::named(dataset).expect("it is known");
            let spec = draft.check(&shape).expect("valid");
            (1..=seeds).map(move |seed| Spec {
                seed,
                ..spec.clone()
            })
        };
        return Ok(["direct", "indirect"]
            .into_iter()
            .flat_map(of_attack)
            .collect());
    }
    let mut bases = Vec::new();
    for run in plan(Figure::Quality, Protocol::Exact, dataset, seeds, 1)? {
        let spec = run.spec;
        if spec.method != Method::Patom || (spec.budget - BUDGET).abs() > 1e-9 {
            continue;
        }
        if spec.attack == Attack::Direct {
            // As many attackers as there are other tasks, drawn from all.
            let m = published::find(dataset).ok_or("no such data set")?.tasks;
            let mut random = Random::new(run.panel as u64, Stream::Attackers, m as u64);
            let mut attackers = random.choose(m, m - spec.targets.len());
            attackers.sort_unstable();
            bases.push(Spec {
                attack: Attack::Hybrid,
                attackers,
                ..spec.clone()
            });
        }
        bases.push(spec);
    }
    Ok(bases)
}

/// The published method, and ours. The digit in front is the order.
fn strongest(base: &Spec) -> Vec<(String, Spec)> {
    let paper = Spec {
        gradient: Gradient::Published,
        step: Step::Constant,
        step_size: 100.0,
        ..base.clone()
    };
    let exact = Spec {
        gradient: Gradient::ImplicitTotal,
        step: Step::Backtracking,
        ..base.clone()
    };
    let ranking = |spec: &Spec| Spec {
        utility: Utility::Ranking,
        ..spec.clone()
    };
    let climbing = Spec {
        step: Step::Backtracking,
        ..paper.clone()
    };
    let starts = Spec {
        starts: 5,
        ..exact.clone()
    };
    let mut variants = vec![(
        "0 the paper: published gradient; constant step",
        paper.clone(),
    )];
    if published::find(&name(base)).is_some_and(|data| data.kind == Kind::Classification) {
        variants.push(("4 ranking; exact gradient; backtracking", ranking(&exact)));
        variants.push((
            "5 ranking; published gradient; constant step",
            ranking(&paper),
        ));
        variants.push((
            "6 ranking; published gradient; backtracking",
            ranking(&climbing),
        ));
    }
    variants.push(("1 published gradient; backtracking", climbing));
    variants.push(("2 exact gradient; backtracking", exact));
    variants.push(("3 exact gradient; backtracking; best of 5 starts", starts));
    (variants.into_iter())
        .map(|(name, spec)| (name.to_string(), spec))
        .collect()
}

fn name(spec: &Spec) -> String {
    match &spec.dataset {
        patom::spec::DatasetRef::Named(name) => name.clone(),
        patom::spec::DatasetRef::File { .. } => String::new(),
    }
}

/// The strongest attack, whose attacker sees a part of the clean points; last, random points.
fn knowledge(base: &Spec) -> Vec<(String, Spec)> {
    let classes = base.loss == patom::mtrl::Loss::SquaredHinge;
    let strongest = Spec {
        utility: if classes {
            Utility::Ranking
        } else {
            Utility::TrainingLoss
        },
        ..base.clone()
    };
    let mut variants: Vec<_> = (KNOWLEDGE.iter().enumerate())
        .map(|(at, &knowledge)| {
            let spec = Spec {
                knowledge,
                ..strongest.clone()
            };
            (format!("{at} {knowledge}"), spec)
        })
        .collect();
    let random = Spec {
        method: Method::Random,
        ..base.clone()
    };
    variants.push(("9 random points".to_string(), random));
    variants
}

fn rows(base: &Spec) -> Vec<(String, Spec)> {
    let variant = |order: &str, name: &str, spec: &Spec, shared_rows| {
        let kind = if shared_rows {
            "shared rows"
        } else {
            "rows apart"
        };
        let spec = Spec {
            shared_rows,
            ..spec.clone()
        };
        (format!("{order} {name}; {kind}"), spec)
    };
    let random = Spec {
        method: Method::Random,
        ..base.clone()
    };
    vec![
        variant("0", "exact gradient", base, true),
        variant("1", "exact gradient", base, false),
        variant("2", "random points", &random, true),
        variant("3", "random points", &random, false),
    ]
}

/// Clean and attacked metric of each run, by attack and variant, on all processors.
fn measure(runs: &[(String, Spec)], data: Option<&DataSet>) -> Outcome<Groups> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![None; runs.len()]);
    let take = || {
        let at = next.fetch_add(1, Ordering::Relaxed);
        runs.get(at).map(|run| (at, run))
    };
    let work = || -> patom::Result<()> {
        while let Some((at, (_, spec))) = take() {
            let own;
            let data = match data {
                Some(data) => data,
                None => {
                    own = experiment::load_synthetic(spec)?;
                    &own
                }
            };
            let report = match experiment::run(spec, data, &mut Unobserved) {
                Ok(outcome) => outcome.report,
                // An attacker who sees no pair to rank: the number of runs shows it.
                Err(error) if error.field_name() == Some("utility") => continue,
                Err(error) => return Err(error),
            };
            let clean = report.clean.mean_metric(&report.target_tasks);
            let attacked = report.attacked.mean_metric(&report.target_tasks);
            found.lock().expect("no thread panics")[at] = clean.zip(attacked);
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| -> patom::Result<()> {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().expect("no thread panics")?;
        }
        Ok(())
    })?;
    let mut groups = Groups::new();
    let found = found.into_inner()?;
    for ((variant, spec), pair) in runs.iter().zip(found) {
        if let Some(pair) = pair {
            let key = (spec.attack, variant.clone());
            groups.entry(key).or_default().push(pair);
        }
    }
    Ok(groups)
}
