//! The lower level: derivatives, invariances, and the two solvers against each other.

mod common;

use common::{TIGHT, random_problem, random_tasks, random_weights, relative_error, weights};
use patom::linalg::dot;
use patom::mtrl::{
    Limits, Loss, Point, Problem, Spectrum, Status, Task, Weights, alternating, certified,
};

const LOSSES: [Loss; 2] = [Loss::Squared, Loss::SquaredHinge];
/// (m, d): more tasks than entries, and fewer.
const SIZES: [(usize, usize); 2] = [(7, 3), (4, 9)];
/// Fewer points than entries, of which there are many: products go through the points.
const FEW_POINTS: (usize, usize) = (3, 60);

#[test]
fn the_gradient_is_the_derivative_of_the_objective() {
    for loss in LOSSES {
        for (m, d) in SIZES.into_iter().chain([FEW_POINTS]) {
            let problem = random_problem(1, weights(loss, 0.1, 1e-3), m, d, 20, 0);
            let w = random_weights(2, m * (d + 1));
            let point = Point::new(&problem, w.clone()).unwrap();
            let v = random_weights(3, w.len());
            // Central differences: error of order h² + 1e-16 / h, about 1e-10 at this step.
            let h = 1e-5;
            let at = |sign: f64| {
                let moved = w.iter().zip(&v).map(|(w, v)| w + sign * h * v).collect();
                Point::new(&problem, moved).unwrap().value
            };
            let numeric = (at(1.0) - at(-1.0)) / (2.0 * h);
            let exact: f64 = point.gradient.iter().zip(&v).map(|(g, v)| g * v).sum();
            assert!(
                (numeric - exact).abs() < 1e-7 * exact.abs().max(1.0),
                "{numeric} {exact}"
            );
        }
    }
}

#[test]
fn the_hessian_product_is_the_derivative_of_the_gradient() {
    for loss in LOSSES {
        for (m, d) in SIZES.into_iter().chain([FEW_POINTS]) {
            let mut problem = random_problem(4, weights(loss, 0.1, 1e-3), m, d, 20, 0);
            let w = random_weights(5, m * (d + 1));
            let v = random_weights(6, w.len());
            let point = Point::new(&problem, w.clone()).unwrap();
            let product = point.hessian_product(&mut problem, &v);
            // Small enough that no point crosses the kink of the hinge (checked by the agreement).
            let h = 1e-6;
            let at = |sign: f64| {
                let moved = w.iter().zip(&v).map(|(w, v)| w + sign * h * v).collect();
                Point::new(&problem, moved).unwrap().gradient
            };
            let numeric: Vec<f64> = at(1.0)
                .iter()
                .zip(at(-1.0))
                .map(|(a, b)| (a - b) / (2.0 * h))
                .collect();
            assert!(
                relative_error(&product, &numeric) < 1e-7,
                "{loss:?} {m} {d}"
            );
        }
    }
}

#[test]
fn the_certified_solver_reaches_its_tolerance() {
    for loss in LOSSES {
        for (m, d) in SIZES {
            for lambda in [0.1, 0.01, 0.001] {
                for epsilon in [1e-2, 1e-4, 1e-6, 1e-9, 1e-12] {
                    let mut problem =
                        random_problem(7, weights(loss, lambda, epsilon), m, d, 25, 0);
                    let solution =
                        certified::solve(&mut problem, None, &Limits::default()).unwrap();
                    assert_eq!(
                        solution.status,
                        Status::Converged,
                        "{loss:?} {m} {d} {lambda} {epsilon}: {} after {}",
                        solution.certificate,
                        solution.iterations
                    );
                    assert!(
                        solution.iterations <= 60,
                        "{loss:?} {m} {d} {lambda} {epsilon}: {}",
                        solution.iterations
                    );
                }
            }
        }
    }
}

#[test]
fn without_coupling_each_task_is_ridge_regression() {
    let (m, d) = (3, 4);
    let settings = Weights {
        lambda2: 0.0,
        ..weights(Loss::Squared, 0.2, 1e-6)
    };
    let tasks = random_tasks(8, Loss::Squared, m, d, 15, 0);
    let mut problem = Problem::new(settings, d + 1, tasks.clone()).unwrap();
    for solution in [
        certified::solve(&mut problem, None, &TIGHT).unwrap(),
        alternating::solve(&mut problem, None, &TIGHT).unwrap(),
    ] {
        for (task, w) in tasks.iter().zip(solution.w.chunks_exact(d + 1)) {
            // (X'X 2/N + λ1 I) w = 2/N X'y, solved by nalgebra.
            let n = task.labels.len();
            let x = nalgebra::DMatrix::from_row_slice(n, d + 1, &task.points);
            let y = nalgebra::DVector::from_row_slice(&task.labels);
            let scale = 2.0 / n as f64;
            let mut a = x.tr_mul(&x) * scale;
            for k in 0..=d {
                a[(k, k)] += 0.2;
            }
            let exact = a.cholesky().unwrap().solve(&(x.tr_mul(&y) * scale));
            assert!(relative_error(w, exact.as_slice()) < 1e-9);
        }
    }
}

#[test]
fn permuting_the_tasks_permutes_the_result() {
    for loss in LOSSES {
        let (m, d) = (5, 3);
        let tasks = random_tasks(9, loss, m, d, 20, 0);
        let order = [3, 1, 4, 0, 2];
        let permuted = order.map(|i| tasks[i].clone()).to_vec();
        let solve = |tasks| {
            let mut problem = Problem::new(weights(loss, 0.05, 1e-4), d + 1, tasks).unwrap();
            certified::solve(&mut problem, None, &TIGHT).unwrap()
        };
        let (plain, permuted) = (solve(tasks), solve(permuted));
        let correlation = plain.spectrum.correlation();
        for (new, &old) in order.iter().enumerate() {
            let rows = |w: &[f64], i: usize| w[i * (d + 1)..(i + 1) * (d + 1)].to_vec();
            assert!(relative_error(&rows(&permuted.w, new), &rows(&plain.w, old)) < 1e-7);
            for (other_new, &other_old) in order.iter().enumerate() {
                let difference = permuted.spectrum.correlation()[new * m + other_new]
                    - correlation[old * m + other_old];
                assert!(difference.abs() < 1e-6);
            }
        }
    }
}

#[test]
fn doubling_every_point_changes_nothing() {
    for loss in LOSSES {
        let (m, d) = (4, 3);
        let tasks = random_tasks(10, loss, m, d, 20, 0);
        let doubled = tasks.iter().cloned().map(|mut task| {
            task.points.extend(task.points.clone());
            task.labels.extend(task.labels.clone());
            task.clean *= 2;
            task
        });
        let doubled = doubled.collect();
        let solve = |tasks| {
            let mut problem = Problem::new(weights(loss, 0.05, 1e-4), d + 1, tasks).unwrap();
            certified::solve(&mut problem, None, &TIGHT).unwrap()
        };
        let (plain, doubled) = (solve(tasks), solve(doubled));
        assert!((plain.objective - doubled.objective).abs() < 1e-12);
        assert!(relative_error(&doubled.w, &plain.w) < 1e-7);
    }
}

#[test]
fn the_alternation_converges_to_the_certified_optimum() {
    for loss in LOSSES {
        for (m, d) in SIZES {
            let mut problem = random_problem(11, weights(loss, 0.05, 1e-2), m, d, 25, 0);
            let certified = certified::solve(&mut problem, None, &TIGHT).unwrap();
            let limits = Limits {
                tolerance: 1e-24,
                max_iterations: 5000,
            };
            let alternating = alternating::solve(&mut problem, None, &limits).unwrap();
            assert_ne!(alternating.status, Status::IterationLimit);
            // W moves by at most 1e-12 a round at the end, and the rounds contract.
            assert!(relative_error(&alternating.w, &certified.w) < 1e-8);
            assert!(alternating.objective >= certified.objective - 1e-12);
        }
    }
}

#[test]
fn moved_injected_points_count_as_if_they_had_been_there() {
    for loss in LOSSES {
        let (m, d) = (4, 3);
        let mut problem = random_problem(12, weights(loss, 0.05, 1e-4), m, d, 20, 5);
        certified::solve(&mut problem, None, &TIGHT).unwrap();
        let mut tasks = random_tasks(12, loss, m, d, 20, 5);
        for (number, task) in tasks.iter_mut().enumerate() {
            let first = task.clean * (d + 1);
            for (k, entry) in task.points[first..].iter_mut().enumerate() {
                if k % (d + 1) != d {
                    *entry = -0.5 * *entry + 0.01;
                }
            }
            problem.move_injected(number, &task.points[first..]);
        }
        let moved = certified::solve(&mut problem, None, &TIGHT).unwrap();
        let mut fresh = Problem::new(weights(loss, 0.05, 1e-4), d + 1, tasks).unwrap();
        let fresh = certified::solve(&mut fresh, None, &TIGHT).unwrap();
        assert!(relative_error(&moved.w, &fresh.w) < 1e-7);
    }
}

#[test]
fn points_injected_later_count_as_if_they_had_been_there() {
    // Tasks with sums and, in 60 features, without them.
    for loss in LOSSES {
        for d in [3, 60] {
            let settings = weights(loss, 0.05, 1e-4);
            let tasks = random_tasks(13, loss, 4, d, 20, 5);
            let clean = tasks.iter().map(|task| Task {
                points: task.points[..task.clean * (d + 1)].to_vec(),
                labels: task.labels[..task.clean].to_vec(),
                clean: task.clean,
            });
            let mut problem = Problem::new(settings, d + 1, clean.collect()).unwrap();
            let before = certified::solve(&mut problem, None, &TIGHT).unwrap();
            // In two parts, the second behind injected points.
            for (number, task) in tasks.iter().enumerate() {
                let rows = &task.points[task.clean * (d + 1)..];
                let labels = &task.labels[task.clean..];
                for part in [0..2, 2..labels.len()] {
                    let entries = part.start * (d + 1)..part.end * (d + 1);
                    problem.inject(number, &rows[entries], &labels[part]);
                }
            }
            let later = certified::solve(&mut problem, Some(&before), &TIGHT).unwrap();
            let mut fresh = Problem::new(settings, d + 1, tasks.clone()).unwrap();
            let at_once = certified::solve(&mut fresh, None, &TIGHT).unwrap();
            assert!(relative_error(&later.w, &at_once.w) < 1e-7, "{loss:?} {d}");
            // And so they do with other places and labels.
            for problem in [&mut problem, &mut fresh] {
                for (number, task) in tasks.iter().enumerate() {
                    let rows: Vec<f64> = (task.points[task.clean * (d + 1)..].iter())
                        .enumerate()
                        .map(|(k, x)| if k % (d + 1) == d { 1.0 } else { -0.5 * x })
                        .collect();
                    let labels: Vec<f64> = task.labels[task.clean..].iter().map(|y| -y).collect();
                    problem.replace_injected(number, &rows, &labels);
                }
            }
            let later = certified::solve(&mut problem, Some(&later), &TIGHT).unwrap();
            let at_once = certified::solve(&mut fresh, None, &TIGHT).unwrap();
            assert!(relative_error(&later.w, &at_once.w) < 1e-7, "{loss:?} {d}");
            let reference: Vec<Task> = (0..4).map(|i| problem.task(i).clone()).collect();
            let mut reference = Problem::new(settings, d + 1, reference).unwrap();
            let reference = certified::solve(&mut reference, None, &TIGHT).unwrap();
            assert!(
                relative_error(&later.w, &reference.w) < 1e-7,
                "{loss:?} {d}"
            );
        }
    }
}

#[test]
fn the_work_of_a_solve_is_bounded() {
    // Counts instead of times: (m, d, loss, λ, ε) with the most Newton steps and Hessian products
    // allowed, about a half more than they take today.
    for (m, d, loss, lambda, epsilon, steps, products) in WORK {
        let mut problem = random_problem(31, weights(loss, lambda, epsilon), m, d, 60, 10);
        let cold = certified::solve(&mut problem, None, &Limits::default()).unwrap();
        assert_eq!(cold.status, Status::Converged);
        let what = format!("{m} {d} {loss:?} {lambda} {epsilon:e}");
        assert!(
            cold.iterations <= steps && cold.products <= products,
            "{what}: {} steps, {} products",
            cold.iterations,
            cold.products
        );
        // From a solution no step is needed; from one of points that moved a little, few are.
        let again = certified::solve(&mut problem, Some(&cold), &Limits::default()).unwrap();
        assert_eq!((again.iterations, again.products), (0, 0), "{what}");
        let task = problem.task(0);
        let mut rows = task.points[task.clean * (d + 1)..].to_vec();
        for row in rows.chunks_exact_mut(d + 1) {
            row[..d].iter_mut().for_each(|x| *x *= 0.9);
        }
        problem.move_injected(0, &rows);
        let warm = certified::solve(&mut problem, Some(&cold), &Limits::default()).unwrap();
        assert!(
            warm.iterations <= steps.div_ceil(2) && warm.products <= products.div_ceil(2),
            "{what}, warm: {} steps, {} products",
            warm.iterations,
            warm.products
        );
    }
}

#[test]
fn large_blocks_and_whole_blocks_precondition_alike() {
    // More than 48 entries: the preconditioner keeps a small space of each block.
    for loss in LOSSES {
        let mut problem = random_problem(32, weights(loss, 0.01, 1e-6), 5, 60, 150, 0);
        let solution = certified::solve(&mut problem, None, &TIGHT).unwrap();
        assert_eq!(solution.status, Status::Converged);
        assert!(solution.iterations <= 25, "{}", solution.iterations);
        assert!(solution.products <= 400, "{}", solution.products);
    }
}

#[test]
fn the_spectrum_is_exact_however_small_the_floor() {
    // W of rank two plus 1e-7: W'W has lost the small directions, W has not.
    for (m, dimension) in [(7, 12), (12, 5)] {
        let mut w = vec![0.0; m * dimension];
        for (seed, size) in [(33, 5.0), (34, 1.0)] {
            let (left, right) = (
                random_weights(seed, m),
                random_weights(seed + 10, dimension),
            );
            for (row, l) in w.chunks_exact_mut(dimension).zip(&left) {
                for (entry, r) in row.iter_mut().zip(&right) {
                    *entry += size * l * r;
                }
            }
        }
        for (entry, noise) in w.iter_mut().zip(random_weights(35, m * dimension)) {
            *entry += 1e-7 * noise;
        }
        let epsilon = 1e-12;
        let spectrum = Spectrum::new(&w, m, epsilon).unwrap();
        // With more tasks than entries the null space is one number, held in a row for each task.
        let null_rows = spectrum.null_rows();
        assert_eq!(null_rows, if m > dimension { m } else { 0 });
        let (null, s) = spectrum.values.split_at(null_rows);
        assert!(null.iter().all(|&s| s == epsilon.sqrt()) && s.is_sorted());
        let rotated = &spectrum.rotated;
        assert_eq!(s.len(), m.min(dimension));
        assert_eq!(rotated.len(), s.len() * dimension);
        let trace = (m - s.len()) as f64 * epsilon.sqrt() + s.iter().sum::<f64>();
        assert!((spectrum.trace - trace).abs() < 1e-15 * trace);
        for a in 0..s.len() {
            for b in 0..s.len() {
                let row =
                    |rows: &[f64], a: usize, size: usize| rows[a * size..(a + 1) * size].to_vec();
                let q = dot(&row(&spectrum.vectors, a, m), &row(&spectrum.vectors, b, m));
                assert!(
                    (q - if a == b { 1.0 } else { 0.0 }).abs() < 1e-13,
                    "Q'Q at {a} {b}: {q}"
                );
                let z = dot(&row(rotated, a, dimension), &row(rotated, b, dimension));
                // Rounding of W itself, 1e-15 in each z, against the floor of 1e-6.
                let exact = if a == b { s[a] * s[a] - epsilon } else { 0.0 };
                assert!((z - exact).abs() < 1e-8 * s[a] * s[b], "{a} {b}: {z:e}");
            }
        }
        let mut whole = vec![0.0; null_rows * dimension];
        whole.extend_from_slice(rotated);
        let back = spectrum.from_eigenbasis(&whole);
        // Null directions are taken as exactly zero: rounding of the largest.
        let error: f64 = (back.iter().zip(&w))
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        assert!(error < 1e-13, "{error:e}");
    }
}

#[test]
fn almost_no_penalty_and_the_squared_hinge_end_within_bounds() {
    // Full Newton steps cycle through active sets here: the alternation took its 200 rounds of 50
    // systems each, a million products, and ended worse than it began; the certified solver
    // stalled at a certificate of 1e-2 to 1e3.
    for lambda1 in [1e-4, 1e-6, 1e-8, 1e-10, 1e-12] {
        for lambda2 in [0.0, 1e-12, 1e-6] {
            let settings = Weights {
                lambda1,
                lambda2,
                ..weights(Loss::SquaredHinge, 0.0, 1e-6)
            };
            let mut problem = random_problem(36, settings, 8, 10, 40, 0);
            let what = format!("λ1 {lambda1:e}, λ2 {lambda2:e}");
            let certified = certified::solve(&mut problem, None, &Limits::default()).unwrap();
            // At 1e-12 a gradient of 1e-10 makes a certificate of 5e-9: rounding may be in the
            // way, and the status says so.
            if lambda1 > 1e-12 || lambda2 == 0.0 {
                assert_eq!(certified.status, Status::Converged, "{what}");
            } else {
                assert!(
                    certified.certificate <= 1e-3,
                    "{what}: {:e}",
                    certified.certificate
                );
            }
            let slow = alternating::solve(&mut problem, None, &Limits::default()).unwrap();
            assert_ne!(slow.status, Status::IterationLimit, "{what}");
            assert!(slow.products <= 40_000, "{what}: {}", slow.products);
            // Certificates are bounds, and that of λ1 = 1e-12 is a weak one: the objectives agree, up to
            // rounding.
            let gap = slow.objective - certified.objective;
            assert!(
                gap >= -certified.certificate - 1e-12 && gap <= slow.certificate + 1e-12,
                "{what}: {gap:e}"
            );
            // Where the tasks are coupled the alternation ends while it still creeps (by its own
            // stopping rule, a change of W by 3e-5).
            let creep = if lambda2 > 1e-12 { 1e-4 } else { 1e-7 };
            assert!(gap <= creep, "{what}: {gap:e}");
        }
    }
}

/// (m, d, loss, λ, ε, steps, products).
const WORK: [(usize, usize, Loss, f64, f64, usize, usize); 6] = [
    (7, 21, Loss::Squared, 0.1, 1e-6, 12, 50),
    (7, 21, Loss::Squared, 0.01, 1e-6, 14, 80),
    (7, 21, Loss::Squared, 0.001, 1e-9, 20, 120),
    (29, 9, Loss::SquaredHinge, 0.1, 1e-6, 12, 50),
    (29, 9, Loss::SquaredHinge, 0.01, 1e-6, 14, 80),
    (29, 9, Loss::SquaredHinge, 0.001, 1e-9, 24, 190),
];

#[test]
fn the_thin_spectrum_and_the_full_one_lead_to_the_same_optimum() {
    // With features of zero behind the others there are no more tasks than entries, and the null
    // space is no longer one number; the problem is the same.
    for loss in LOSSES {
        let (m, d) = (12, 4);
        let tasks = random_tasks(37, loss, m, d, 20, 0);
        let padded = || -> Vec<Task> {
            let pad = |mut task: Task| {
                let rows = task.points.chunks_exact(d + 1);
                task.points = rows.flat_map(|row| [row, &[0.0; 8][..]].concat()).collect();
                task
            };
            tasks.iter().cloned().map(pad).collect()
        };
        let cut = |w: &[f64]| -> Vec<f64> {
            w.chunks_exact(d + 9)
                .flat_map(|row| row[..=d].to_vec())
                .collect()
        };
        let settings = weights(loss, 0.05, 1e-6);
        let mut full = Problem::new(settings, d + 9, padded()).unwrap();
        let mut thin = Problem::new(settings, d + 1, tasks.clone()).unwrap();
        let full_solution = certified::solve(&mut full, None, &TIGHT).unwrap();
        let thin_solution = certified::solve(&mut thin, None, &TIGHT).unwrap();
        assert_eq!(full_solution.spectrum.null_rows(), 0);
        assert_eq!(thin_solution.spectrum.null_rows(), m);
        assert!(
            relative_error(&thin_solution.w, &cut(&full_solution.w)) < 1e-8,
            "{loss:?}"
        );
        let omegas = [&thin_solution, &full_solution].map(|s| s.spectrum.omega());
        assert!(relative_error(&omegas[0], &omegas[1]) < 1e-8, "{loss:?}");
        let phis = [&thin_solution, &full_solution].map(|s| s.spectrum.phi(0.05, 0.02));
        assert!(relative_error(&phis[0], &phis[1]) < 1e-8, "{loss:?}");
        // So do the rounds of the alternation without a floor, where the null space has no part.
        let limits = Limits {
            max_iterations: 5,
            ..Limits::default()
        };
        let [full, thin] = [padded(), tasks].map(|tasks| {
            let dimension = tasks[0].points.len() / tasks[0].labels.len();
            let mut problem = Problem::new(weights(loss, 0.05, 0.0), dimension, tasks).unwrap();
            alternating::solve(&mut problem, None, &limits).unwrap().w
        });
        assert!(relative_error(&thin, &cut(&full)) < 1e-8, "{loss:?}");
    }
}

#[test]
fn products_through_the_points_and_through_their_sums_lead_to_the_same_optimum() {
    // Three times each point is as many points as entries: sums of them are kept.
    for loss in LOSSES {
        let (m, d, n, injected) = (4, 60, 25, 5);
        let tasks = random_tasks(38, loss, m, d, n, injected);
        let repeated = tasks.iter().map(|task| {
            let (clean, moved) = task.points.split_at(task.clean * (d + 1));
            let (labels, others) = task.labels.split_at(task.clean);
            Task {
                points: [clean.repeat(3), moved.repeat(3)].concat(),
                labels: [labels.repeat(3), others.repeat(3)].concat(),
                clean: 3 * task.clean,
            }
        });
        let settings = weights(loss, 0.01, 1e-6);
        let mut sums = Problem::new(settings, d + 1, repeated.collect()).unwrap();
        let mut products = Problem::new(settings, d + 1, tasks.clone()).unwrap();
        let mut start = [None, None];
        for factor in [1.0, -0.5] {
            for (number, task) in tasks.iter().enumerate() {
                let mut rows = task.points[task.clean * (d + 1)..].to_vec();
                for row in rows.chunks_exact_mut(d + 1) {
                    row[..d].iter_mut().for_each(|x| *x *= factor);
                }
                products.move_injected(number, &rows);
                sums.move_injected(number, &rows.repeat(3));
            }
            let [a, b] = [(&mut products, 0), (&mut sums, 1)].map(|(problem, k)| {
                let solution = certified::solve(problem, start[k].as_ref(), &TIGHT).unwrap();
                assert_eq!(solution.status, Status::Converged, "{loss:?} {factor}");
                assert!(
                    solution.iterations <= 25,
                    "{loss:?}: {}",
                    solution.iterations
                );
                assert!(solution.products <= 400, "{loss:?}: {}", solution.products);
                start[k] = Some(solution.clone());
                solution
            });
            assert!(relative_error(&a.w, &b.w) < 1e-8, "{loss:?} {factor}");
            assert!(
                (a.objective - b.objective).abs() < 1e-12,
                "{loss:?} {factor}"
            );
        }
    }
}
