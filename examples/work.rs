//! The work of the numerics, as counts that no other load on the machine can change, and as times.
//!
//! - `work figure FOLDER DATASET SEEDS [CAP]` reads `FOLDER/DATASET.bundle` and prints one line for
//!   each run of Figure 2, with a pull cap where one is given: iterations, first and final utility,
//!   digest of the final weights, trial steps, Newton steps and products with the Hessian (of the
//!   clean model, too), seconds of the attack.
//! - `work solve TASKS POINTS FEATURES [REPEATS]` solves related random regression tasks cold.
//! - `work tasks FILE [REPEATS]` does so with the regression tasks of a CSV file.
//! - `work published FOLDER DATASET [REPEATS]` does so with the clean points of the default run, and
//!   `work alternating ...` by the paper's solver.
//!
//! The solves print one JSON object: Newton steps or rounds, products with the Hessian, the certificate,
//! a digest of the weights, the best and the median of the times.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use patom::attack;
use patom::data::DataSet;
use patom::data::formats::csv::Table;
use patom::data::published::CATALOGUE;
use patom::experiment;
use patom::mtrl::{self, Limits, Loss, Problem, Solver, Task, Weights};
use patom::paper::plan::{Figure, Protocol, plan};
use patom::rng::{Random, Stream};
use patom::spec::Spec;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Of the random tasks.
const REGRESSION: Weights = Weights {
    loss: Loss::Squared,
    lambda1: 0.01,
    lambda2: 0.01,
    epsilon: 1e-6,
};

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["figure", folder, dataset, seeds, ref rest @ ..] => {
            let cap = rest.first().map(|cap| cap.parse()).transpose()?;
            figure(&read(folder, dataset)?, seeds.parse()?, cap)
        }
        ["solve", m, n, d, ref rest @ ..] => {
            let tasks = random_tasks(m.parse()?, n.parse()?, d.parse()?);
            let dimension = d.parse::<usize>()? + 1;
            solve(Solver::Certified, REGRESSION, dimension, &tasks, rest)
        }
        ["tasks", path, ref rest @ ..] => {
            let table = Table::read(&std::fs::read(path)?)?;
            let tasks: Vec<Task> = (table.training_points().into_iter())
                .map(|points| Task {
                    points: (points.features.chunks_exact(table.features))
                        .flat_map(|row| row.iter().copied().chain([1.0]))
                        .collect(),
                    clean: points.labels.len(),
                    labels: points.labels,
                })
                .collect();
            let dimension = table.features + 1;
            solve(Solver::Certified, REGRESSION, dimension, &tasks, rest)
        }
        [how @ ("published" | "alternating"), folder, dataset, ref rest @ ..] => {
            let data = read(folder, dataset)?;
            let spec = Spec::default_of(dataset);
            let clean = experiment::prepare(&spec, &data, None)?.clean;
            let tasks: Vec<Task> = (0..clean.task_count())
                .map(|number| clean.task(number).clone())
                .collect();
            let solver = match how {
                "published" => Solver::Certified,
                _ => Solver::Alternating,
            };
            solve(solver, *clean.weights(), clean.dimension(), &tasks, rest)
        }
        _ => Err("expected figure, solve, tasks, published or alternating; see the first lines of the source".into()),
    }
}

fn read(folder: &str, dataset: &str) -> Result<DataSet, Box<dyn std::error::Error>> {
    let source = (CATALOGUE.iter().find(|source| source.name == dataset)).ok_or("no such set")?;
    let bytes = std::fs::read(Path::new(folder).join(source.bundle_name()))?;
    Ok(source.read_bundle(&bytes)?)
}

fn figure(data: &DataSet, seeds: u64, pull_cap: Option<f64>) -> Outcome {
    println!("run,iterations,start,end,weights,trials,steps,products,seconds");
    for mut run in plan(Figure::Quality, Protocol::Exact, &data.name, seeds, 1)? {
        run.spec.pull_cap = pull_cap;
        let spec = &run.spec;
        let mut prepared = experiment::prepare(spec, data, None)?;
        let settings = experiment::attack_settings(spec, &prepared.sample)?;
        let mut utilities = Vec::new();
        let limits = Limits::default();
        let clean = mtrl::solve(Solver::Certified, &mut prepared.clean, None, &limits)?;
        let (mut trials, mut steps, mut products) = (0, clean.iterations, clean.products);
        let begin = Instant::now();
        let (solution, ..) = attack::run(
            &mut prepared.poisoned,
            prepared.injections,
            &settings,
            &mut |iterate| {
                if iterate.iteration > 0 {
                    trials += iterate.work.trials;
                }
                steps += iterate.work.steps;
                products += iterate.work.products;
                utilities.push(iterate.utility);
                ControlFlow::Continue(())
            },
        )?;
        let seconds = begin.elapsed().as_secs_f64();
        println!(
            "{},{},{},{},{:016x},{trials},{steps},{products},{seconds:.4}",
            run.id,
            utilities.len() - 1,
            utilities[0],
            utilities[utilities.len() - 1],
            digest(&solution.w),
        );
    }
    Ok(())
}

fn solve(
    solver: Solver,
    weights: Weights,
    dimension: usize,
    tasks: &[Task],
    rest: &[&str],
) -> Outcome {
    let repeats: usize = rest.first().map_or(Ok(5), |word| word.parse())?;
    let mut times = Vec::new();
    let mut outcome = serde_json::Value::Null;
    for _ in 0..repeats {
        let tasks = tasks.to_vec();
        let begin = Instant::now();
        let mut problem = Problem::new(weights, dimension, tasks)?;
        let solution = mtrl::solve(solver, &mut problem, None, &Limits::default())?;
        times.push(begin.elapsed().as_secs_f64());
        outcome = serde_json::json!({
            "iterations": solution.iterations,
            "products": solution.products,
            "objective": solution.objective,
            "certificate": solution.certificate,
            "weights": format!("{:016x}", digest(&solution.w)),
        });
    }
    times.sort_by(f64::total_cmp);
    outcome["best"] = times[0].into();
    outcome["median"] = times[times.len() / 2].into();
    println!("{outcome}");
    Ok(())
}

/// In one number, to see whether two programs give the same bits.
fn digest(numbers: &[f64]) -> u64 {
    numbers.iter().fold(0xcbf2_9ce4_8422_2325, |hash, number| {
        (hash ^ number.to_bits()).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Related tasks: features in the unit ball, a truth that they share and one of their own.
fn random_tasks(m: usize, n: usize, d: usize) -> Vec<Task> {
    let mut random = Random::new(1, Stream::Synthetic, 0);
    let mut normals = |count: usize| -> Vec<f64> { (0..count).map(|_| random.normal()).collect() };
    let shared = normals(2 * d);
    (0..m)
        .map(|_| {
            let mix = normals(2);
            let own = normals(d);
            let mut task = Task {
                clean: n,
                ..Task::default()
            };
            for _ in 0..n {
                let x = normals(d);
                let noise = normals(1)[0];
                let scale = 1.0 / (2.0 * (d as f64).sqrt());
                let truth = |k: usize| mix[0] * shared[k] + mix[1] * shared[d + k] + 0.3 * own[k];
                let score: f64 = x
                    .iter()
                    .enumerate()
                    .map(|(k, x)| scale * x * truth(k))
                    .sum();
                task.points.extend(x.iter().map(|x| scale * x));
                task.points.push(1.0);
                task.labels.push(score + 0.1 * noise);
            }
            task
        })
        .collect()
}
