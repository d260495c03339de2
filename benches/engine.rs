//! The work of a run, piece by piece, on the real data: `cargo bench`. A data set that is not
//! there is left out by name.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use patom::attack::{Gradient, InjectedLabels, Injection, gradient};
use patom::data::sample::{self, Sample, SampleSettings, TargetScaling};
use patom::data::sources;
use patom::experiment::{self, Unobserved};
use patom::mtrl::{Limits, Loss, Problem, Task, Weights, certified};
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
    }
}

/// Sarcos with more points, and with more features: cost must grow as the mathematics says.
fn scaling(criterion: &mut Criterion) {
    let Some(data) = load("sarcos") else { return };
    for points in [300, 600, 1200, 2400] {
        let mut spec = Spec::default_of("sarcos");
        spec.train_per_task = Some(points);
        spec.target_scaling = TargetScaling::Standardised;
        let sample = draw(&spec, &data);
        let clean = tasks(&sample, &[]);
        criterion.bench_function(&format!("scaling/points/{points}"), |bench| {
            bench.iter(|| {
                let mut problem =
                    Problem::new(weights(&spec), sample.features + 1, clean.clone()).unwrap();
                certified::solve(&mut problem, None, &Limits::default()).unwrap()
            });
        });
    }
}

criterion_group!(benches, engine, scaling);
criterion_main!(benches);
