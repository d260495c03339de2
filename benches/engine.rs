//! The parts of a run, each timed on the published data: `cargo bench -p patom-benches`. A data set
//! that is not there is left out by name.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use patom::attack::{self, Aim, Gradient, Step, gradient};
use patom::data::published;
use patom::experiment::{self, Prepared, Unobserved};
use patom::linalg::{dot, norm_squared};
use patom::mtrl::{Limits, Loss, Problem, Task, Weights, certified};
use patom::rng::{Random, Stream};
use patom::spec::Spec;

fn find(name: &str) -> Option<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = std::env::var_os("PATOM_DATA")
        .map(std::path::PathBuf::from)
        .into_iter();
    folders
        .chain([root.join("../shared/data"), root.join("target/data")])
        .find_map(|folder| std::fs::read(folder.join(name)).ok())
}

fn load(name: &str) -> Option<patom::data::DataSet> {
    match published::load(name, &find) {
        Ok(data) => Some(data),
        Err(error) => {
            println!("SKIPPED {name}: {error}");
            None
        }
    }
}

fn engine(criterion: &mut Criterion) {
    for name in ["sarcos", "landmine", "mnist"] {
        let Some(data) = load(name) else { continue };
        let spec = Spec::default_of(name);
        let prepared = experiment::prepare(&spec, &data, None).expect("the defaults fit the data");
        let Prepared {
            clean,
            poisoned: mut problem,
            injections,
            sample,
        } = prepared;
        let (weights, dimension) = (*clean.weights(), clean.dimension());
        let clean: Vec<Task> = (0..clean.task_count())
            .map(|number| clean.task(number).clone())
            .collect();
        // From the points, sums included: what a user waits for.
        criterion.bench_function(&format!("solve/{name}"), |bench| {
            bench.iter(|| {
                let mut problem =
                    Problem::new(weights, dimension, black_box(clean.clone())).unwrap();
                certified::solve(&mut problem, None, &Limits::default()).unwrap()
            });
        });
        let solution = certified::solve(&mut problem, None, &Limits::default()).unwrap();
        criterion.bench_function(&format!("hypergradient/{name}"), |bench| {
            bench.iter(|| {
                gradient::full(
                    Gradient::ImplicitTotal,
                    &mut problem,
                    &solution,
                    Aim::training_loss(&spec.targets),
                    &injections,
                )
                .unwrap()
            });
        });
        criterion.bench_function(&format!("run/{name}"), |bench| {
            bench.iter(|| experiment::run(&spec, &data, &mut Unobserved).unwrap());
        });
        // The paper's rule: one batch, then one solve.
        let one_step = Spec {
            gradient: Gradient::Published,
            step: Step::Constant,
            iterations: 1,
            ..spec.clone()
        };
        let settings =
            experiment::attack_settings(&one_step, &sample).expect("free points need no pool");
        criterion.bench_function(&format!("constant_step/{name}"), |bench| {
            bench.iter(|| {
                let observe = &mut |_: attack::Iterate| ControlFlow::Continue(());
                attack::run(&mut problem, injections.clone(), &settings, observe).unwrap()
            });
        });
    }
}

/// Related tasks with points in the unit ball, the bias last.
fn synthetic_tasks(m: usize, features: usize, points: usize) -> Vec<Task> {
    let mut random = Random::new(1, Stream::Synthetic, 0);
    let shared: Vec<f64> = (0..features).map(|_| random.normal()).collect();
    let task = |_| {
        let truth: Vec<f64> = shared.iter().map(|w| w + 0.3 * random.normal()).collect();
        let mut task = Task {
            clean: points,
            ..Task::default()
        };
        for _ in 0..points {
            let x: Vec<f64> = (0..features).map(|_| random.normal()).collect();
            let norm = norm_squared(&x).sqrt();
            task.points.extend(x.iter().map(|x| x / norm));
            task.points.push(1.0);
            let score = dot(&x, &truth) / norm;
            task.labels.push(score + 0.1 * random.normal());
        }
        task
    };
    (0..m).map(task).collect()
}

/// More points, more features, more tasks, the others held: cost must grow as the mathematics
/// says. Points: linear. Features: quadratic (the sums Σ x x'). Tasks: linear to quadratic.
fn scaling(criterion: &mut Criterion) {
    let weights = Weights {
        loss: Loss::Squared,
        lambda1: 0.1,
        lambda2: 0.1,
        epsilon: 1e-6,
    };
    let mut solve = |name: String, (m, features, points): (usize, usize, usize)| {
        let tasks = synthetic_tasks(m, features, points);
        criterion.bench_function(&name, |bench| {
            bench.iter(|| {
                let mut problem =
                    Problem::new(weights, features + 1, black_box(tasks.clone())).unwrap();
                certified::solve(&mut problem, None, &Limits::default()).unwrap()
            });
        });
    };
    for points in [250, 500, 1000, 2000] {
        solve(format!("scaling/points/{points}"), (7, 21, points));
    }
    for features in [15, 31, 63, 127] {
        solve(format!("scaling/features/{features}"), (7, features, 500));
    }
    for tasks in [5, 10, 20, 40] {
        solve(format!("scaling/tasks/{tasks}"), (tasks, 21, 200));
    }
}

criterion_group!(benches, engine, scaling);
criterion_main!(benches);
