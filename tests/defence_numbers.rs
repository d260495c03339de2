//! The measured study of defences: its numbers, found again. The expected values were measured by an
//! implementation in NumPy that shares no code with the engine. Tests on published data that is not
//! there say `SKIPPED name: reason`.

use std::path::PathBuf;

use patom::attack::Injection;
use patom::data::{DataSet, Kind, Layout, RawPoints, published};
use patom::defence::certificate::certify;
use patom::defence::detection::{Dropped, figures};
use patom::defence::ranking;
use patom::defence::sanitise::{self, Sanitise, sanitise, subset};
use patom::experiment::{self, Outcome, Unobserved};
use patom::linalg::dot;
use patom::metrics;
use patom::mtrl::{Limits, Problem, Solution, Solver, Task, Weights, solve};
use patom::spec::{Draft, Shape, Spec};

fn find(file: &str) -> Option<Vec<u8>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("PATOM_DATA").map(PathBuf::from);
    let beside = [root.join("../shared/data"), root.join("target/data")];
    let mut folders = named.into_iter().chain(beside);
    folders.find_map(|folder| std::fs::read(folder.join(file)).ok())
}

fn data_or_skip(name: &str, test: &str) -> Option<DataSet> {
    let source = published::find(name).expect("a published data set");
    if let Some(file) = source.files.iter().find(|file| find(file.name).is_none()) {
        println!("SKIPPED {test}: {} is not there", file.name);
        return None;
    }
    Some(
        source
            .assemble(&find)
            .expect("the published files are read"),
    )
}

fn spec(text: &str, data: Option<&DataSet>) -> Spec {
    let draft = Draft::parse(text).unwrap();
    let shape = match data {
        Some(data) => Shape::of(data),
        None => Shape::named("synthetic").unwrap(),
    };
    draft.check(&shape).unwrap()
}

/// A run of the undefended attack, and what a defence needs of it.
struct Run {
    spec: Spec,
    outcome: Outcome,
    weights: Weights,
    clean: Vec<Task>,
    poisoned: Vec<Task>,
}

impl Run {
    fn new(dataset: &str, attack: &str, seed: u64, data: Option<&DataSet>) -> Self {
        let text = format!(r#"{{"dataset": "{dataset}", "attack": "{attack}", "seed": {seed}}}"#);
        Self::of(&text, data)
    }

    fn of(text: &str, data: Option<&DataSet>) -> Self {
        let spec = spec(text, data);
        let own;
        let data = match data {
            Some(data) => data,
            None => {
                own = experiment::load_synthetic(&spec).unwrap();
                &own
            }
        };
        let outcome = experiment::run(&spec, data, &mut Unobserved).unwrap();
        let clean: Vec<Task> = (outcome.sample.tasks.iter())
            .map(|task| Task {
                points: task.train.features.clone(),
                labels: task.train.labels.clone(),
                clean: task.train.labels.len(),
            })
            .collect();
        let mut poisoned = clean.clone();
        for Injection {
            task,
            points,
            labels,
        } in &outcome.injections
        {
            poisoned[*task].points.extend(points);
            poisoned[*task].labels.extend(labels);
        }
        let weights = Weights {
            loss: spec.loss,
            lambda1: spec.lambda1,
            lambda2: spec.lambda2,
            epsilon: spec.epsilon,
        };
        Self {
            spec,
            outcome,
            weights,
            clean,
            poisoned,
        }
    }

    fn dimension(&self) -> usize {
        self.outcome.sample.features + 1
    }

    fn solve(&self, tasks: &[Task], cap: Option<f64>) -> (Problem, Solution) {
        let problem = Problem::new(self.weights, self.dimension(), tasks.to_vec()).unwrap();
        let mut problem = problem.with_pull_cap(cap).unwrap();
        let solution = solve(Solver::Certified, &mut problem, None, &Limits::default()).unwrap();
        (problem, solution)
    }

    /// Mean metric of the targets.
    fn metric(&self, w: &[f64]) -> f64 {
        let dimension = self.dimension();
        let metric = match self.outcome.sample.kind {
            Kind::Regression => metrics::nmse,
            Kind::Classification => metrics::auc,
        };
        let values: Vec<f64> = (self.spec.targets.iter())
            .filter_map(|&i| {
                let test = &self.outcome.sample.tasks[i].test;
                let w = &w[i * dimension..(i + 1) * dimension];
                let scores: Vec<f64> = (test.features.chunks_exact(dimension))
                    .map(|x| dot(x, w))
                    .collect();
                metric(&scores, &test.labels)
            })
            .collect();
        values.iter().sum::<f64>() / values.len() as f64
    }

    fn tests(&self) -> Vec<(&[f64], &[f64])> {
        let tasks = self.outcome.sample.tasks.iter();
        tasks
            .map(|task| (task.test.features.as_slice(), task.test.labels.as_slice()))
            .collect()
    }

    /// Mean certified metric of the targets, for the clean training set.
    fn certified(&self, cap: f64) -> f64 {
        let (problem, solution) = self.solve(&self.clean, Some(cap));
        let kind = self.outcome.sample.kind;
        let certified = certify(&problem, &solution, kind, &self.tests()).unwrap();
        let targets = self.spec.targets.iter();
        let values: Vec<f64> = targets
            .filter_map(|&i| certified.metric_per_task[i])
            .collect();
        values.iter().sum::<f64>() / values.len() as f64
    }

    fn clean_counts(&self) -> Vec<usize> {
        self.clean.iter().map(|task| task.labels.len()).collect()
    }
}

const SEEDS: [u64; 2] = [42, 1];

/// The attacker's share of a poisoned task at the default budget of 0.2.
const SHARE: f64 = 0.2 / 1.2;

fn assert_near(found: f64, expected: f64, bound: f64, what: &str) {
    let off = (found - expected).abs();
    assert!(
        off <= bound,
        "{what}: {found}, expected {expected} ± {bound}"
    );
}

/// Clean, attacked by the points of the undefended run, and certified.
fn check_cap(run: &Run, cap: f64, [clean, attacked, certified]: [f64; 3], bound: f64, what: &str) {
    let found = run.metric(&run.solve(&run.clean, Some(cap)).1.w);
    assert_near(found, clean, bound, &format!("{what}, clean"));
    let found = run.metric(&run.solve(&run.poisoned, Some(cap)).1.w);
    assert_near(found, attacked, bound, &format!("{what}, attacked"));
    assert_near(
        run.certified(cap),
        certified,
        bound,
        &format!("{what}, certified"),
    );
    assert!(
        found <= run.certified(cap),
        "{what}: the certificate is exceeded"
    );
}

#[test]
fn the_cap_stops_indirect_attacks_on_synthetic_tasks() {
    // Clean, attacked, certified.
    let expected = [[0.5060, 0.5173, 0.5981], [0.4948, 0.4983, 0.6118]];
    for (seed, expected) in SEEDS.into_iter().zip(expected) {
        let run = Run::new("synthetic", "indirect", seed, None);
        check_cap(&run, 0.1, expected, 0.002, &format!("seed {seed}"));
    }
}

#[test]
fn the_cap_stops_indirect_attacks_on_sarcos_and_certifies_it() {
    let test = "the_cap_stops_indirect_attacks_on_sarcos_and_certifies_it";
    let Some(data) = data_or_skip("sarcos", test) else {
        return;
    };
    let expected = [[0.7344, 0.7351, 0.7384], [0.7256, 0.7265, 0.7294]];
    // Cap 0.03: the attacked error was not stated; it is between clean and certified.
    let small = [[0.6498, 0.6506], [0.6485, 0.6495]];
    for ((seed, expected), [clean, certified]) in SEEDS.into_iter().zip(expected).zip(small) {
        let run = Run::new("sarcos", "indirect", seed, Some(&data));
        check_cap(&run, 0.1, expected, 0.001, &format!("seed {seed}"));
        let middle = [clean, f64::midpoint(clean, certified), certified];
        check_cap(&run, 0.03, middle, 0.001, &format!("seed {seed}, cap 0.03"));
        let mut alone = Problem::new(run.weights, run.dimension(), run.clean.clone()).unwrap();
        alone.set_lambdas(run.weights.lambda1, 0.0).unwrap();
        let alone = solve(Solver::Certified, &mut alone, None, &Limits::default()).unwrap();
        let single = [0.6167, 0.6184][usize::from(seed == 1)];
        assert_near(run.metric(&alone.w), single, 1e-4, "single-task learning");
    }
}

#[test]
fn the_cap_does_not_help_against_direct_attacks() {
    let test = "the_cap_does_not_help_against_direct_attacks";
    let Some(data) = data_or_skip("sarcos", test) else {
        return;
    };
    for (seed, expected) in SEEDS.into_iter().zip([1.1706, 1.1664]) {
        let run = Run::new("sarcos", "direct", seed, Some(&data));
        let attacked = run.metric(&run.solve(&run.poisoned, Some(0.1)).1.w);
        assert_near(attacked, expected, 0.001, &format!("seed {seed}"));
        // Tasks with points of an attacker have no certificate.
        let (problem, solution) = run.solve(&run.poisoned, Some(0.1));
        let certified = certify(&problem, &solution, Kind::Regression, &run.tests()).unwrap();
        for (task, worst) in certified.metric_per_task.iter().enumerate() {
            assert_eq!(
                worst.is_none(),
                run.spec.attackers.contains(&task),
                "T{}",
                task + 1
            );
        }
    }
}

#[test]
fn the_hinge_certificate_is_empty_on_landmine_at_the_default_strength() {
    let test = "the_hinge_certificate_is_empty_on_landmine_at_the_default_strength";
    let Some(data) = data_or_skip("landmine", test) else {
        return;
    };
    // μ / λ1 = 1 is longer than what single-task learning learns: an AUC of 0 is not excluded.
    let run = Run::new("landmine", "indirect", 42, Some(&data));
    assert_eq!(run.certified(0.1), 0.0);
    // A hundredth of that leaves some: between 0 and the AUC itself.
    let certified = run.certified(1e-3);
    let clean = run.metric(&run.solve(&run.clean, Some(1e-3)).1.w);
    assert!(certified > 0.5 && certified < clean, "{certified} {clean}");
}

fn sanitised_metric(
    run: &Run,
    rule: Sanitise,
    share: Option<f64>,
    tasks: &[Task],
) -> (f64, Dropped) {
    let problem = Problem::new(run.weights, run.dimension(), tasks.to_vec()).unwrap();
    let sanitised = sanitise(rule, share, &problem).unwrap();
    let mut kept = subset(&problem, &sanitised.kept).unwrap();
    let kept = solve(Solver::Certified, &mut kept, None, &Limits::default()).unwrap();
    let metric = run.metric(&kept.w);
    (metric, Dropped::count(&sanitised.kept, &run.clean_counts()))
}

#[test]
fn trim_and_norm_on_sarcos_do_what_the_study_measured() {
    let test = "trim_and_norm_on_sarcos_do_what_the_study_measured";
    let Some(data) = data_or_skip("sarcos", test) else {
        return;
    };
    // Of trim: error, caught, error on clean data. Of norm: precision, error. The study's attack
    // took other steps, so other points: with those trim caught 0.428 and 0.539, and on seed 1 norm
    // had a precision of 0.828 and an error of 0.821. These four are for the points of this program.
    let trim = [[1.0036, 0.417, 0.864], [0.9578, 0.550, 0.882]];
    let norm = [[0.872, 0.801], [0.861, 0.812]];
    for ((seed, trim), norm) in SEEDS.into_iter().zip(trim).zip(norm) {
        let run = Run::new("sarcos", "direct", seed, Some(&data));
        let (error, dropped) = sanitised_metric(&run, Sanitise::Trim, Some(SHARE), &run.poisoned);
        assert_near(error, trim[0], 0.01, "trim");
        let caught = dropped.caught as f64 / dropped.injected as f64;
        assert_near(caught, trim[1], 0.01, "trim caught");
        let (error, dropped) = sanitised_metric(&run, Sanitise::Trim, Some(SHARE), &run.clean);
        assert_near(error, trim[2], 0.01, "trim on clean data");
        assert_eq!((dropped.injected, dropped.lost), (0, 350));

        let poisoned: Vec<&Task> = run.poisoned.iter().collect();
        let norms = sanitise::norms(run.dimension(), &poisoned);
        let truth: Vec<bool> = (norms.iter().zip(run.clean_counts()))
            .flat_map(|(norms, clean)| (0..norms.len()).map(move |j| j >= clean))
            .collect();
        let precision = figures(&norms.concat(), &truth).precision.unwrap();
        assert_near(precision, norm[0], 0.006, "norm, precision");
        let (error, _) = sanitised_metric(&run, Sanitise::Norm, Some(SHARE), &run.poisoned);
        assert_near(error, norm[1], 0.006, "norm");
    }
}

#[test]
fn vouch_finds_every_point_of_the_standard_attack_on_landmine() {
    let test = "vouch_finds_every_point_of_the_standard_attack_on_landmine";
    let Some(data) = data_or_skip("landmine", test) else {
        return;
    };
    // Undefended, the study's direct attack, which took other steps, reached 0.4515.
    for (attack, injected, lost, before, after) in [
        ("direct", 335, 133, 0.4397, 0.7804),
        ("indirect", 241, 157, 0.1645, 0.7789),
    ] {
        let run = Run::new("landmine", attack, 42, Some(&data));
        let undefended = run.metric(&run.solve(&run.poisoned, None).1.w);
        assert_near(undefended, before, 1e-3, attack);
        let (auc, dropped) = sanitised_metric(&run, Sanitise::Vouch, None, &run.poisoned);
        assert_near(auc, after, 1e-3, attack);
        assert_eq!((dropped.caught, dropped.injected), (injected, injected));
        assert_eq!(dropped.clean, 2949);
        assert!(
            dropped.lost.abs_diff(lost) <= 1,
            "{attack}: {}",
            dropped.lost
        );
    }
}

#[test]
fn vouch_finds_nothing_on_synthetic_tasks_and_is_refused_where_rows_are_shared() {
    for (attack, injected) in [("direct", 24), ("indirect", 40)] {
        let run = Run::new("synthetic", attack, 42, None);
        let (_, dropped) = sanitised_metric(&run, Sanitise::Vouch, None, &run.poisoned);
        assert_eq!(
            (dropped.caught, dropped.injected),
            (0, injected),
            "{attack}"
        );
        // Tasks 0 and 4 made to have the same rows.
        let mut shared = run.clean.clone();
        shared[4].points = shared[0].points.clone();
        let problem = Problem::new(run.weights, run.dimension(), shared).unwrap();
        let refused = sanitise(Sanitise::Vouch, None, &problem);
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("tasks T1 and T5 do"), "{message}");
    }
}

#[test]
fn own_loss_ranks_the_targets_of_a_direct_attack_first() {
    let sarcos = data_or_skip(
        "sarcos",
        "own_loss_ranks_the_targets_of_a_direct_attack_first",
    );
    let sets = [("synthetic", None), ("sarcos", sarcos.as_ref())];
    for (name, data) in sets {
        if name == "sarcos" && data.is_none() {
            continue;
        }
        for seed in SEEDS {
            let run = Run::new(name, "direct", seed, data);
            let (problem, solution) = run.solve(&run.poisoned, None);
            let scores = ranking::score_tasks(&problem, &solution).unwrap();
            let attacked: Vec<bool> = (0..run.clean.len())
                .map(|task| run.spec.attackers.contains(&task))
                .collect();
            assert_eq!(
                figures(&scores.own_loss, &attacked).roc_auc,
                Some(1.0),
                "{name} {seed}"
            );
        }
    }
}

#[test]
fn leaving_tasks_out_ranks_the_attackers_of_an_indirect_attack_first() {
    let test = "leaving_tasks_out_ranks_the_attackers_of_an_indirect_attack_first";
    let Some(data) = data_or_skip("sarcos", test) else {
        return;
    };
    for seed in SEEDS {
        let run = Run::new("sarcos", "indirect", seed, Some(&data));
        let (problem, solution) = run.solve(&run.poisoned, None);
        let scores = ranking::score_tasks(&problem, &solution).unwrap();
        let attacked: Vec<bool> = (0..run.clean.len())
            .map(|task| run.spec.attackers.contains(&task))
            .collect();
        assert_eq!(
            figures(&scores.left_out_gain, &attacked).roc_auc,
            Some(1.0),
            "seed {seed}"
        );
    }
}

/// Sarcos with rows of its own for each task: every seventh row.
fn task_disjoint(data: &DataSet) -> DataSet {
    let Layout::Shared { features, labels } = &data.layout else {
        panic!("the tasks of Sarcos share their rows");
    };
    let (m, d) = (data.task_count(), data.features);
    let tasks = (0..m)
        .map(|task| {
            let rows = || (task..labels[task].len()).step_by(m);
            RawPoints {
                features: rows()
                    .flat_map(|row| features[row * d..(row + 1) * d].iter().copied())
                    .collect(),
                labels: rows().map(|row| labels[task][row]).collect(),
            }
        })
        .collect();
    let layout = Layout::Separate {
        tasks,
        is_test: None,
    };
    let names = data.task_names.clone();
    DataSet::new("disjoint.csv", data.kind, d, names, layout).unwrap()
}

#[test]
fn vouch_stops_the_standard_attack_but_not_the_attacker_who_knows_it() {
    let test = "vouch_stops_the_standard_attack_but_not_the_attacker_who_knows_it";
    let Some(data) = data_or_skip("sarcos", test) else {
        return;
    };
    let data = task_disjoint(&data);
    // Means over two seeds, without and with vouch: standard attack, radius q75, copied rows. The
    // study drew other rows (1.115 and 0.815; 0.943 and 0.962; 1.019 and 1.027).
    let mut means = Vec::new();
    for fields in [
        "",
        r#", "radius": "q75""#,
        r#", "injected_features": "copied""#,
    ] {
        let mut mean = [0.0; 2];
        for seed in SEEDS {
            let text = format!(
                r#"{{"dataset": {{"name": "disjoint.csv", "sha256": "{}"}}, "train_per_task": 300,
                    "targets": [0, 1, 2], "feature_scaling": "none", "seed": {seed}{fields}}}"#,
                data.sha256
            );
            let run = Run::of(&text, Some(&data));
            mean[0] += 0.5 * run.metric(&run.solve(&run.poisoned, None).1.w);
            mean[1] += 0.5 * sanitised_metric(&run, Sanitise::Vouch, None, &run.poisoned).0;
        }
        println!("{fields}: {mean:?}");
        means.push(mean);
    }
    let [standard, quantile, copied] = means[..] else {
        panic!("three attackers");
    };
    assert_near(standard[0], 1.115, 0.1, "standard");
    assert!(
        standard[1] < 0.8 * standard[0],
        "vouch stops it: {standard:?}"
    );
    for known in [quantile, copied] {
        assert!(known[1] > 0.95 * known[0], "vouch does nothing: {known:?}");
        assert!(
            known[0] > 1.1 * standard[1],
            "what is left of the damage: {known:?}"
        );
    }
}
