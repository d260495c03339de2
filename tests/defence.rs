//! The pull cap: the learner against independent solvers and its limits, what it promises against
//! whatever other tasks contain, and the attack through it against central differences.

mod common;

use common::{TIGHT, random_problem, random_tasks, relative_error, weights};
use patom::attack::{Aim, Gradient, Injection, gradient};
use patom::data::Kind;
use patom::defence::certificate;
use patom::linalg::{add_scaled, dot, norm_squared};
use patom::metrics;
use patom::mtrl::{Limits, Loss, Problem, Status, Task, Weights, capped, certified};
use patom::rng::{Random, Stream};
use proptest::prelude::*;
use serde_json::Value;

const LOSSES: [Loss; 2] = [Loss::Squared, Loss::SquaredHinge];

fn numbers(value: &Value) -> Vec<f64> {
    let entries = value.as_array().unwrap().iter();
    entries.map(|entry| entry.as_f64().unwrap()).collect()
}

fn flat(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().flat_map(numbers).collect()
}

fn capped_problem(weights: Weights, dimension: usize, tasks: Vec<Task>, cap: f64) -> Problem {
    let problem = Problem::new(weights, dimension, tasks).unwrap();
    problem.with_pull_cap(Some(cap)).unwrap()
}

/// The problems of `fixtures/capped.json`, made by `oracle/make_capped.py`.
fn fixture() -> Vec<(Problem, Value)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/capped.json");
    let fixture: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let problems = fixture["problems"].as_array().unwrap();
    assert!(problems.len() >= 8);
    let number = |given: &Value, key: &str| given[key].as_f64().unwrap();
    let read = |given: &Value| {
        let weights = Weights {
            loss: match given["loss"].as_str().unwrap() {
                "squared" => Loss::Squared,
                _ => Loss::SquaredHinge,
            },
            lambda1: number(given, "lambda1"),
            lambda2: number(given, "lambda2"),
            epsilon: number(given, "epsilon"),
        };
        let tasks: Vec<Task> = (given["tasks"].as_array().unwrap().iter())
            .map(|task| {
                let rows = task["points"].as_array().unwrap().iter();
                let labels = numbers(&task["labels"]);
                Task {
                    points: rows
                        .flat_map(|row| numbers(row).into_iter().chain([1.0]))
                        .collect(),
                    clean: labels.len(),
                    labels,
                }
            })
            .collect();
        let dimension = tasks[0].points.len() / tasks[0].labels.len();
        capped_problem(weights, dimension, tasks, number(given, "pull_cap"))
    };
    (problems.iter())
        .map(|given| (read(given), given.clone()))
        .collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
    squares.sum::<f64>().sqrt()
}

#[test]
fn the_cap_finds_the_optima_of_independent_solvers() {
    for (mut problem, given) in fixture() {
        let name = &given["name"];
        for limits in [Limits::default(), TIGHT] {
            let solution = capped::solve(&mut problem, None, &limits).unwrap();
            for (key, bound) in [("objective", 1e-12), ("cvxpy_objective", 1e-7)] {
                let optimum = given[key].as_f64().unwrap();
                let gap = solution.objective - optimum;
                let allowed = solution.certificate + bound * optimum.max(1.0);
                assert!(gap >= -bound * optimum.max(1.0), "{name}: {gap:e}");
                assert!(gap <= allowed, "{name}: {gap:e} above {allowed:e}");
            }
            // λ1-strong convexity.
            let lambda1 = given["lambda1"].as_f64().unwrap();
            let found = distance(&solution.w, &flat(&given["weights"]));
            let bound = (2.0 * solution.certificate / lambda1).sqrt() + 1e-8;
            assert!(
                found <= bound,
                "{name}: W is {found:e} off, bound {bound:e}"
            );
            if limits == TIGHT {
                assert!(found < 1e-7, "{name}: W is {found:e} off");
                let slopes = capped::own_slopes(&problem, &solution.w);
                let found = distance(&slopes, &numbers(&given["own_slopes"]));
                assert!(found < 1e-7, "{name}: pulls are {found:e} off");
            }
        }
    }
}

#[test]
fn the_default_limits_are_met_from_any_start() {
    for (mut problem, given) in fixture() {
        let cold = capped::solve(&mut problem, None, &Limits::default()).unwrap();
        assert_eq!(cold.status, Status::Converged, "{}", given["name"]);
        let plain = problem.clone().with_pull_cap(None).unwrap();
        let other = certified::solve(&mut plain.clone(), None, &Limits::default()).unwrap();
        for start in [&cold, &other] {
            let warm = capped::solve(&mut problem, Some(start), &Limits::default()).unwrap();
            assert_eq!(warm.status, Status::Converged, "{}", given["name"]);
            let allowed = warm.certificate + cold.certificate + 1e-13;
            assert!((warm.objective - cold.objective).abs() <= allowed);
        }
    }
}

#[test]
fn a_large_cap_is_multi_task_and_a_small_one_single_task_learning() {
    for loss in LOSSES {
        for (m, d) in [(6, 3), (4, 8)] {
            let settings = weights(loss, 0.1, 1e-4);
            let tasks = random_tasks(41, loss, m, d, 20, 0);
            let solve_plain = |lambda2: f64| {
                let settings = Weights {
                    lambda2,
                    ..settings
                };
                let mut problem = Problem::new(settings, d + 1, tasks.clone()).unwrap();
                certified::solve(&mut problem, None, &TIGHT).unwrap().w
            };
            for (cap, lambda2) in [(1e4, 0.1), (1e-8, 0.0)] {
                let mut problem = capped_problem(settings, d + 1, tasks.clone(), cap);
                let solution = capped::solve(&mut problem, None, &Limits::default()).unwrap();
                assert_eq!(solution.status, Status::Converged);
                // μ / λ1 = 1e-7 from single-task; δ max |∇R| / μ = 1e-7 from multi-task learning;
                // and what the tolerance of the solver leaves of the rest.
                let exact = capped::solve(&mut problem, Some(&solution), &TIGHT).unwrap();
                let error = relative_error(&exact.w, &solve_plain(lambda2));
                assert!(error < 1e-6, "{loss:?}, cap {cap}: {error:e}");
            }
        }
    }
}

#[test]
fn without_coupling_the_cap_changes_nothing() {
    for loss in LOSSES {
        let settings = Weights {
            lambda2: 0.0,
            ..weights(loss, 0.1, 1e-4)
        };
        let tasks = random_tasks(42, loss, 4, 3, 12, 0);
        let mut plain = Problem::new(settings, 4, tasks.clone()).unwrap();
        let alone = certified::solve(&mut plain, None, &TIGHT).unwrap();
        let mut problem = capped_problem(settings, 4, tasks, 0.1);
        let solution = capped::solve(&mut problem, None, &TIGHT).unwrap();
        assert_eq!(solution.w, alone.w);
        // μ δ for each task that does not step aside.
        assert!((solution.objective - alone.objective - 4.0 * 0.1 * 1e-3).abs() < 1e-14);
    }
}

/// Solves two forms of one problem, cold and from the solution of another cap, and compares W.
fn assert_same(forms: &[Problem; 2], what: &str) {
    let kept = forms[0].dimension();
    let mut start = [None, None];
    for cap in [0.02, 0.5] {
        let [a, b] = [0, 1].map(|k| {
            let problem = forms[k].clone().with_pull_cap(Some(cap));
            let mut problem = problem.unwrap();
            let solution = capped::solve(&mut problem, start[k].as_ref(), &TIGHT).unwrap();
            // 1e-13 may be below what rounding lets through.
            assert!(solution.certificate < 1e-11, "{what}, cap {cap}");
            start[k] = Some(solution.clone());
            solution
        });
        let cut: Vec<f64> = (b.w.chunks_exact(b.w.len() / forms[1].task_count()))
            .flat_map(|row| row[..kept].to_vec())
            .collect();
        let error = relative_error(&a.w, &cut);
        assert!(error < 1e-6, "{what}, cap {cap}: {error:e}");
        let gap = (a.objective - b.objective).abs();
        assert!(gap < 1e-11, "{what}, cap {cap}: {gap:e}");
    }
}

#[test]
fn the_cap_finds_the_same_optimum_where_tasks_keep_no_sums_of_their_points() {
    // Three times each point is as many points as entries: sums of them are kept.
    for loss in LOSSES {
        let (m, d, n) = (4, 60, 25);
        let tasks = random_tasks(46, loss, m, d, n, 0);
        let repeated = tasks.iter().map(|task| Task {
            points: task.points.repeat(3),
            labels: task.labels.repeat(3),
            clean: 3 * task.clean,
        });
        let settings = weights(loss, 0.05, 1e-6);
        let sums = Problem::new(settings, d + 1, repeated.collect()).unwrap();
        let products = Problem::new(settings, d + 1, tasks).unwrap();
        assert_same(&[products, sums], &format!("{loss:?}"));
    }
}

#[test]
fn the_cap_finds_the_same_optimum_with_more_tasks_than_entries() {
    // With features of zero behind the others there are no more tasks than entries.
    for loss in LOSSES {
        let (m, d) = (12, 4);
        let tasks = random_tasks(47, loss, m, d, 20, 0);
        let padded = tasks.iter().cloned().map(|mut task| {
            let rows = task.points.chunks_exact(d + 1);
            task.points = rows.flat_map(|row| [row, &[0.0; 8][..]].concat()).collect();
            task
        });
        let settings = weights(loss, 0.05, 1e-6);
        let full = Problem::new(settings, d + 9, padded.collect()).unwrap();
        let thin = Problem::new(settings, d + 1, tasks).unwrap();
        assert_same(&[thin, full], &format!("{loss:?}"));
    }
}

#[test]
fn a_cap_on_more_tasks_of_many_features_than_memory_holds_is_refused() {
    // Without a cap tasks of few points need no matrix; with one each needs its own.
    let tasks = random_tasks(48, Loss::Squared, 3, 4096, 2, 0);
    let problem = Problem::new(weights(Loss::Squared, 0.1, 1e-6), 4097, tasks).unwrap();
    let error = problem.with_pull_cap(Some(0.1)).unwrap_err().to_string();
    let expected = "3 capped tasks of 4096 features; expected at most 33554432";
    assert!(error.starts_with(expected), "{error}");
}

/// The injected points that a problem holds in these tasks.
fn injections(problem: &Problem, attackers: &[usize]) -> Vec<Injection> {
    let injection = |&task: &usize| {
        let points = problem.task(task);
        Injection {
            task,
            points: points.points[points.clean * problem.dimension()..].to_vec(),
            labels: points.labels[points.clean..].to_vec(),
        }
    };
    attackers.iter().map(injection).collect()
}

#[test]
fn the_attack_through_the_cap_follows_the_derivative_of_the_utility() {
    for loss in LOSSES {
        // A cap that binds, one that nearly does, and one far away.
        for cap in [0.02, 0.15, 5.0] {
            for attackers in [vec![0, 1], vec![2, 3]] {
                let targets = [0, 1];
                let mut problem = random_problem(43, weights(loss, 0.1, 1e-2), 5, 3, 14, 3)
                    .with_pull_cap(Some(cap))
                    .unwrap();
                let injections = injections(&problem, &attackers);
                let solution = capped::solve(&mut problem, None, &TIGHT).unwrap();
                let kind = Gradient::ImplicitTotal;
                let exact = gradient::full(
                    kind,
                    &mut problem,
                    &solution,
                    Aim::training_loss(&targets),
                    &injections,
                )
                .unwrap()
                .concat();
                let dimension = problem.dimension();
                // Fourth order, because a binding cap bends W sharply: an error of h^4, and of the
                // solver's over h.
                let h = 1e-4;
                let mut numeric = Vec::new();
                for injection in &injections {
                    for j in 0..injection.labels.len() {
                        for k in 0..dimension - 1 {
                            let mut at = |steps: f64| {
                                let mut rows = injection.points.clone();
                                rows[j * dimension + k] += steps * h;
                                problem.move_injected(injection.task, &rows);
                                let solved =
                                    capped::solve(&mut problem, Some(&solution), &TIGHT).unwrap();
                                Aim::training_loss(&targets).value(&problem, &solved.w)
                            };
                            let near = at(1.0) - at(-1.0);
                            let far = at(2.0) - at(-2.0);
                            numeric.push((8.0 * near - far) / (12.0 * h));
                        }
                    }
                    problem.move_injected(injection.task, &injection.points);
                }
                // Rounding of U over h, where next to nothing gets past the cap.
                let size = norm_squared(&exact).sqrt();
                let rounding =
                    1e-14 * Aim::training_loss(&targets).value(&problem, &solution.w) / h;
                let error = distance(&exact, &numeric);
                let bound = 1e-6 * size + 4.0 * rounding;
                assert!(
                    error < bound,
                    "{loss:?}, cap {cap}, {attackers:?}: {error:e} of {size:e}"
                );
            }
        }
    }
}

/// Random points anywhere: the radius and the labels of an attacker that nothing holds back.
fn anything(random: &mut Random, loss: Loss, d: usize, count: usize, task: &mut Task) {
    for _ in 0..count {
        let scale = 10.0 * random.uniform() / (d as f64).sqrt();
        task.points.extend((0..d).map(|_| scale * random.normal()));
        task.points.push(1.0);
        let label = 10.0 * random.normal();
        task.labels.push(match loss {
            Loss::Squared => label,
            Loss::SquaredHinge => label.signum(),
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn whatever_other_tasks_contain_the_certificate_is_never_exceeded(
        seed in 0u64..1_000_000,
        hinge in any::<bool>(),
        (m, d, points) in (2usize..6, 1usize..6, 4usize..14),
        (lambda1, lambda2) in (-3.0..0.0f64, -3.0..1.0f64),
        cap in -4.0..1.0f64,
        epsilon in -6.0..-1.0f64,
    ) {
        let loss = LOSSES[usize::from(hinge)];
        let power = |exponent: f64| libm::pow(10.0, exponent);
        let settings = Weights {
            loss,
            lambda1: power(lambda1),
            lambda2: power(lambda2),
            epsilon: power(epsilon),
        };
        let mut tasks = random_tasks(seed, loss, m, d, points, 0);
        let mut tests = random_tasks(seed + 1, loss, m, d, 9, 0);
        // Both classes, so that there is an AUC; they may be anything.
        tests[0].labels[0] = 1.0;
        tests[0].labels[1] = -1.0;
        let mut random = Random::new(seed, Stream::InitialPoints, 0);
        for task in &mut tasks[1..] {
            let count = 2 * task.labels.len();
            anything(&mut random, loss, d, count, task);
        }
        let mut problem = capped_problem(settings, d + 1, tasks, power(cap));
        let solution = capped::solve(&mut problem, None, &Limits::default()).unwrap();
        let kind = if hinge { Kind::Classification } else { Kind::Regression };
        // The certificate of the clean task from its own points alone.
        let own = Task { clean: problem.task(0).labels.len(), ..problem.task(0).clone() };
        let mut alone = capped_problem(settings, d + 1, vec![own], power(cap));
        let reference = capped::solve(&mut alone, None, &Limits::default()).unwrap();
        let mut certificate = certificate::of_tasks(&alone, &reference.w).unwrap().remove(0);
        let missed = capped::residuals(&problem, &solution.w)[0];
        certificate.widen(missed);

        let w = &solution.w[..=d];
        let slope = capped::own_slopes(&problem, &solution.w)[0];
        prop_assert!(slope <= power(cap) + missed);
        // What is promised is what was reached, and that is next to nothing more than the cap.
        prop_assert!(missed <= 1e-9 * power(cap), "missed by {missed:e} of {:e}", power(cap));
        let off = distance(w, certificate.single());
        prop_assert!(off <= certificate.weight_distance() * (1.0 + 1e-12));
        let mut scores = Vec::new();
        for x in tests[0].points.chunks_exact(d + 1) {
            let score = dot(x, w);
            let (low, high) = certificate.interval(x);
            prop_assert!(low <= score && score <= high, "{low} {score} {high}");
            scores.push(score);
        }
        let (points, labels) = (&tests[0].points, &tests[0].labels);
        match kind {
            Kind::Regression => {
                let worst = certificate.worst_nmse(points, labels).unwrap().unwrap();
                let found = metrics::nmse(&scores, labels).unwrap();
                prop_assert!(found <= worst, "{found} {worst}");
            }
            Kind::Classification => {
                let worst = certificate.worst_auc(points, labels).unwrap();
                let found = metrics::auc(&scores, labels).unwrap();
                prop_assert!(found >= worst, "{found} {worst}");
            }
        }
    }
}

#[test]
fn the_worst_test_error_is_attained() {
    // By the v of the trust-region problem, found here by projected gradient ascent from many starts.
    let (d, cap) = (3, 0.2);
    let settings = weights(Loss::Squared, 0.1, 1e-4);
    let task = random_tasks(44, Loss::Squared, 1, d, 12, 0);
    let test = &random_tasks(45, Loss::Squared, 1, d, 20, 0)[0];
    let mut problem = capped_problem(settings, d + 1, task, cap);
    let solution = capped::solve(&mut problem, None, &TIGHT).unwrap();
    let certificate = certificate::of_tasks(&problem, &solution.w)
        .unwrap()
        .remove(0);
    let worst = certificate
        .worst_nmse(&test.points, &test.labels)
        .unwrap()
        .unwrap();
    // H, column by column, by differences of the gradient of a quadratic.
    let dimension = d + 1;
    let slope_at = |w: &[f64]| {
        let task = problem.task(0);
        let mut slope: Vec<f64> = w.iter().map(|w| settings.lambda1 * w).collect();
        for (x, y) in task.points.chunks_exact(dimension).zip(&task.labels) {
            let factor = 2.0 * (dot(x, w) - y) / task.labels.len() as f64;
            add_scaled(&mut slope, factor, x);
        }
        slope
    };
    let mut hessian = nalgebra::DMatrix::zeros(dimension, dimension);
    let origin = slope_at(&vec![0.0; dimension]);
    for k in 0..dimension {
        let mut unit = vec![0.0; dimension];
        unit[k] = 1.0;
        for (row, (a, b)) in slope_at(&unit).iter().zip(&origin).enumerate() {
            hessian[(row, k)] = a - b;
        }
    }
    let inverse = hessian.try_inverse().unwrap();
    let error_at = |v: &nalgebra::DVector<f64>| {
        let w: Vec<f64> = (certificate.single().iter().zip((&inverse * v).iter()))
            .map(|(w, move_by)| w + move_by)
            .collect();
        let scores: Vec<f64> = (test.points.chunks_exact(dimension))
            .map(|x| dot(x, &w))
            .collect();
        metrics::nmse(&scores, &test.labels).unwrap()
    };
    let mut random = Random::new(9, Stream::InitialPoints, 0);
    let mut best: f64 = 0.0;
    for _ in 0..20 {
        let mut v = nalgebra::DVector::from_fn(dimension, |_, _| random.normal());
        v *= cap / v.norm();
        for _ in 0..3000 {
            let h = 1e-6;
            let slope = nalgebra::DVector::from_fn(dimension, |k, _| {
                let mut ahead = v.clone();
                ahead[k] += h;
                let mut behind = v.clone();
                behind[k] -= h;
                (error_at(&ahead) - error_at(&behind)) / (2.0 * h)
            });
            v += slope * 0.05;
            v *= cap / v.norm();
        }
        let found = error_at(&v);
        assert!(found <= worst, "{found} above {worst}");
        best = best.max(found);
    }
    // The ascent ends within its differences of the maximum.
    assert!(worst - best < 1e-6 * worst, "{best} attained of {worst}");
}

#[test]
fn random_problems_converge_and_a_solve_that_stops_early_knows_how_far_it_is() {
    let mut random = Random::new(77, Stream::InitialPoints, 0);
    for seed in 0..600 {
        let loss = LOSSES[usize::from(seed % 2 == 1)];
        let (m, d) = (2 + random.below(8), 1 + random.below(9));
        let points = 4 + random.below(20);
        let mut tasks = random_tasks(seed, loss, m, d, points, 0);
        if seed % 3 == 0 {
            for task in &mut tasks[1..] {
                let count = 2 * task.labels.len();
                anything(&mut random, loss, d, count, task);
            }
        }
        let mut between =
            |low: f64, high: f64| libm::pow(10.0, low + (high - low) * random.uniform());
        let settings = Weights {
            loss,
            lambda1: between(-4.0, 0.5),
            lambda2: between(-4.0, 1.0),
            epsilon: between(-9.0, -1.0),
        };
        let cap = between(-5.0, 2.0);
        let what = format!("seed {seed}, {settings:?}, cap {cap}");
        let mut problem = capped_problem(settings, d + 1, tasks, cap);
        let solution = capped::solve(&mut problem, None, &Limits::default()).unwrap();
        assert_eq!(solution.status, Status::Converged, "{what}");
        assert!(solution.iterations < 100, "{what}: {}", solution.iterations);
        // No minimum is above what was reached, none further below than the certificate.
        for max_iterations in [1, 2, 4] {
            let early = Limits {
                max_iterations,
                ..Limits::default()
            };
            let early = capped::solve(&mut problem, None, &early).unwrap();
            let gap = early.objective - solution.objective;
            let rounding = 1e-13 * solution.objective.max(1.0);
            assert!(gap <= early.certificate + rounding, "{what}: {gap:e}");
            // The promise holds for whatever Z there is.
            let slopes = capped::own_slopes(&problem, &early.w);
            assert!(
                slopes.iter().all(|&slope| slope <= cap * (1.0 + 1e-9)),
                "{what}"
            );
        }
    }
}
