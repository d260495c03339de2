//! The work of a run, piece by piece, on the real data: `cargo bench`. A data set that is not
//! there is left out by name.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use patom::attack::{self, Gradient, InjectedLabels, Injection, Method, Settings, Step, gradient};
use patom::data::sample::{self, Sample, SampleSettings};
use patom::data::sources;
use patom::experiment::{self, Unobserved};
use patom::linalg::{dot, norm_squared};
use patom::mtrl::{Limits, Loss, Problem, Solver, Task, Weights, certified};
use patom::rng::{Random, Stream};
use patom::spec::Spec;

fn find(name: &str) -> Option<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = std::env::var_os("PATOM_DATA")
        .map(std::path::PathBuf::from)
        .into_iter();
    folders
        .chain([root.join("../shared/data"), root.join("target/data")])
        .find_map(|folder| std::fs::read(folder.join(name)).ok())
}

fn load(name: &str) -> Option<patom::data::DataSet> {
    match sources::load(name, &find) {
        Ok(data) => Some(data),
        Err(error) => {
            println!("SKIPPED {name}: {error}");
            None
        }
    }
}

fn draw(spec: &Spec, data: &patom::data::DataSet) -> Sample {
    let settings = SampleSettings {
        train_per_task: spec.train_per_task,
        train_share: spec.train_share,
        test_per_task: spec.test_per_task,
        target_scaling: spec.target_scaling,
        seed: spec.seed,
    };
    sample::draw(data, &settings).expect("the defaults fit the data")
}

fn tasks(sample: &Sample, injections: &[Injection]) -> Vec<Task> {
    let mut tasks: Vec<Task> = (sample.tasks.iter())
        .map(|task| Task {
            points: task.train.features.clone(),
            labels: task.train.labels.clone(),
            clean: task.train.labels.len(),
        })
        .collect();
    for injection in injections {
        tasks[injection.task].points.extend(&injection.points);
        tasks[injection.task].labels.extend(&injection.labels);
    }
    tasks
}

fn weights(spec: &Spec) -> Weights {
    Weights {
        loss: spec.loss,
        lambda1: spec.lambda1,
        lambda2: spec.lambda2,
        epsilon: spec.epsilon,
    }
}

fn engine(criterion: &mut Criterion) {
    for name in ["sarcos", "landmine", "mnist"] {
        let Some(data) = load(name) else { continue };
        let spec = Spec::default_of(name);
        let sample = draw(&spec, &data);
        let dimension = sample.features + 1;
        let clean = tasks(&sample, &[]);
        // From the points, sums included: what a user waits for.
        criterion.bench_function(&format!("solve/{name}"), |bench| {
            bench.iter(|| {
                let mut problem =
                    Problem::new(weights(&spec), dimension, black_box(clean.clone())).unwrap();
                certified::solve(&mut problem, None, &Limits::default()).unwrap()
            });
        });
        let injections: Vec<Injection> = (spec.attackers.iter())
            .map(|&task| {
                let labels = &sample.tasks[task].train.labels;
                let rule = (
                    InjectedLabels::Uniform,
                    spec.loss == Loss::SquaredHinge,
                    &labels[..],
                );
                Injection::draw(task, labels.len() / 5, sample.features, 1.0, rule, 42)
            })
            .collect();
        let mut problem =
            Problem::new(weights(&spec), dimension, tasks(&sample, &injections)).unwrap();
        let solution = certified::solve(&mut problem, None, &Limits::default()).unwrap();
        criterion.bench_function(&format!("hypergradient/{name}"), |bench| {
            bench.iter(|| {
                gradient::full(
                    Gradient::ImplicitTotal,
                    &mut problem,
                    &solution,
                    &spec.targets,
                    &injections,
                )
                .unwrap()
            });
        });
        criterion.bench_function(&format!("run/{name}"), |bench| {
            bench.iter(|| experiment::run(&spec, &data, &mut Unobserved).unwrap());
        });
        // The paper's rule: one batch, then one solve.
        let settings = Settings {
            targets: spec.targets.clone(),
            method: Method::Patom,
            gradient: Gradient::Published,
            step: Step::Constant,
            step_size: 100.0,
            iterations: 1,
            batch_factor: 3.0,
            radius: 1.0,
            solver: Solver::Certified,
            limits: Limits::default(),
            seed: 42,
        };
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
