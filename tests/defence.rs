//! The pull cap: the learner against independent solvers and its limits, what it promises against
//! whatever other tasks contain, and the attack through it against central differences.

mod common;

use common::{TIGHT, random_problem, random_tasks, relative_error, weights};
use patom::attack::{Gradient, Injection, gradient, utility};
use patom::linalg::norm_squared;
use patom::mtrl::{Limits, Loss, Problem, Solver, Status, Task, Weights, capped, certified, solve};
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
            assert!(found <= bound, "{name}: W is {found:e} off, bound {bound:e}");
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
                let settings = Weights { lambda2, ..settings };
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
                let exact = gradient::full(kind, &mut problem, &solution, &targets, &injections)
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
                                utility::value(&problem, &targets, &solved.w)
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
                let rounding = 1e-14 * utility::value(&problem, &targets, &solution.w) / h;
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
