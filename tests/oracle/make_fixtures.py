"""Makes tests/fixtures/lower_level.json: small lower-level problems with their optima, and metrics.

Usage: python3 tests/oracle/make_fixtures.py   (requirements.txt beside this file)

Every optimum is found twice by methods that share nothing but the problem:
 1. floor > 0: SciPy's `trust-exact` on P(W), then Newton steps to |grad P| <= 1e-10;
    floor 0: accelerated proximal gradient with the exact prox of the squared trace norm,
    to a subgradient of norm <= 1e-10;
 2. CVXPY with Clarabel, on lambda2/2 * square(normNuc([W; sqrt(epsilon) I])), which is P
    for every floor, 0 included.
The generator refuses to write if the two disagree by more than CVXPY_TOLERANCE in the value.
Points and labels are rounded to 4 decimals, so that the file holds them exactly.
"""

from __future__ import annotations

from typing import Any

import cvxpy
import numpy as np
import scipy.optimize
import scipy.stats

import reference
from fixture_file import write
from reference import Problem

GRADIENT_TOLERANCE = 1e-10
# Clarabel's interior point stops at relative gaps of about 1e-9 on these semidefinite programs.
CVXPY_TOLERANCE = 1e-8
# Tried in turn: the tightest is out of reach on some problems.
CLARABEL_TOLERANCES = (1e-11, 1e-10, 1e-9)


# ---------------------------------------------------------------- problems


def draw_problem(
    seed: int,
    loss: str,
    tasks: int,
    features: int,
    sizes: tuple[int, int],
    lambda1: float,
    lambda2: float,
    epsilon: float,
    unrelated: float = 0.5,
    noise: float = 0.3,
) -> Problem:
    """Tasks share one direction up to sign; `unrelated` is the size of what each has of its own."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal(features + 1)
    points, labels = [], []
    for task in range(tasks):
        count = int(rng.integers(sizes[0], sizes[1] + 1))
        x = rng.standard_normal((count, features))
        sign = -1.0 if task % 3 == 2 else 1.0
        weights = sign * shared + unrelated * rng.standard_normal(features + 1)
        score = x @ weights[:-1] + weights[-1] + noise * rng.standard_normal(count)
        if loss == "squared":
            y = np.round(score, 4)
        else:
            y = np.where(score > np.median(score), 1.0, -1.0)
        points.append(x)
        labels.append(y)
    scale = max(float(np.linalg.norm(x, axis=1).max()) for x in points) * 1.0001
    points = [np.round(x / scale, 4) for x in points]
    return Problem(loss, lambda1, lambda2, epsilon, points, labels)


def one_class_task() -> Problem:
    problem = draw_problem(10, "squared_hinge", 4, 3, (10, 16), 0.01, 0.01, 1e-4)
    labels = [y.copy() for y in problem.labels]
    labels[1] = np.ones_like(labels[1])
    return Problem("squared_hinge", 0.01, 0.01, 1e-4, problem.points, labels)


def duplicated(problem: Problem) -> Problem:
    """Every point twice: the means, so the optimum, stay."""
    return Problem(
        problem.loss,
        problem.lambda1,
        problem.lambda2,
        problem.epsilon,
        [np.vstack([x, x]) for x in problem.points],
        [np.concatenate([y, y]) for y in problem.labels],
    )


def problems() -> list[tuple[str, Problem]]:
    draw = draw_problem
    few_points = draw(6, "squared", 8, 2, (5, 9), 0.01, 0.01, 1e-4)
    return [
        ("squared, floor 0, m < D", draw(1, "squared", 3, 5, (12, 20), 0.1, 0.1, 0.0)),
        ("squared, floor 0, m > D", draw(2, "squared", 7, 2, (5, 10), 0.01, 0.01, 0.0)),
        ("squared hinge, floor 0, m < D", draw(3, "squared_hinge", 3, 6, (15, 25), 0.01, 0.1, 0.0)),
        ("squared hinge, floor 0, m > D", draw(4, "squared_hinge", 8, 3, (8, 14), 0.1, 0.01, 0.0)),
        ("squared, nearly rank one, floor 1e-6", draw(5, "squared", 4, 5, (15, 25), 0.1, 0.1, 1e-6, unrelated=0.05)),
        ("squared, m > D, floor 1e-4", few_points),
        ("squared, m > D, floor 1e-4, every point twice", duplicated(few_points)),
        ("squared, small lambda, floor 1e-2", draw(7, "squared", 5, 6, (8, 30), 1e-3, 1e-3, 1e-2)),
        ("squared hinge, m > D, floor 1e-6", draw(8, "squared_hinge", 8, 3, (8, 16), 0.1, 0.1, 1e-6)),
        ("squared hinge, small lambda, floor 1e-2", draw(9, "squared_hinge", 4, 6, (15, 30), 1e-3, 1e-3, 1e-2)),
        ("squared hinge, a task of one class, floor 1e-4", one_class_task()),
        ("squared hinge, small lambda, m > D, floor 1e-6", draw(13, "squared_hinge", 6, 2, (10, 20), 1e-3, 0.01, 1e-6)),
        ("squared, lambda2 = 0", draw(11, "squared", 3, 3, (8, 12), 0.1, 0.0, 1e-6)),
        ("squared hinge, lambda2 = 0", draw(12, "squared_hinge", 3, 3, (10, 15), 0.01, 0.0, 1e-6)),
        ("squared, one task", draw(14, "squared", 1, 4, (12, 12), 0.01, 0.01, 1e-4)),
    ]


# ---------------------------------------------------------------- solutions


def solve_first(problem: Problem) -> tuple[np.ndarray, float]:
    """Weights and the norm of the gradient (floor 0: of a subgradient) reached."""
    if problem.epsilon == 0.0:
        solution = reference.solve_proximal(problem, tolerance=1e-12)
        return solution.weights, solution.subgradient_norm

    def weights_of(vector: np.ndarray) -> np.ndarray:
        return reference.unflatten(vector, problem.shape)

    outcome = scipy.optimize.minimize(
        lambda v: reference.objective(problem, weights_of(v)),
        np.zeros(problem.dimension * problem.tasks),
        jac=lambda v: reference.flatten(reference.gradient(problem, weights_of(v))),
        hess=lambda v: reference.hessian(problem, weights_of(v)),
        method="trust-exact",
        options={"gtol": 1e-7, "maxiter": 2000},
    )
    weights = reference.solve_newton(problem, weights_of(outcome.x), tolerance=1e-14, iterations=20)
    return weights, float(np.linalg.norm(reference.gradient(problem, weights)))


def solve_second(problem: Problem) -> tuple[float, np.ndarray]:
    """CVXPY's value and weights."""
    weights = cvxpy.Variable(problem.shape)
    terms = [0.5 * problem.lambda1 * cvxpy.sum_squares(weights)]
    for i, (x, y) in enumerate(zip(problem.features, problem.labels)):
        score = x @ weights[:, i]
        residual = score - y if problem.loss == "squared" else cvxpy.pos(1.0 - cvxpy.multiply(y, score))
        terms.append(cvxpy.sum_squares(residual) / len(y))
    if problem.lambda2 > 0.0:
        stacked = weights
        if problem.epsilon > 0.0:
            stacked = cvxpy.vstack([weights, np.sqrt(problem.epsilon) * np.eye(problem.tasks)])
        terms.append(0.5 * problem.lambda2 * cvxpy.square(cvxpy.normNuc(stacked)))
    program = cvxpy.Problem(cvxpy.Minimize(sum(terms)))
    for tolerance in CLARABEL_TOLERANCES:
        settings = {key: tolerance for key in ("tol_gap_abs", "tol_gap_rel", "tol_feas")}
        try:
            program.solve(solver=cvxpy.CLARABEL, max_iter=500, **settings)
        except cvxpy.error.SolverError:
            continue
        if program.status == cvxpy.OPTIMAL:
            return float(program.value), np.asarray(weights.value)
    raise SystemExit("Clarabel met none of its tolerances")


def describe(name: str, problem: Problem) -> dict[str, Any]:
    weights, norm = solve_first(problem)
    value = reference.objective(problem, weights)
    other_value, other_weights = solve_second(problem)
    other_at_weights = reference.objective(problem, other_weights)
    gap = max(abs(other_value - value), other_at_weights - value)
    print(f"{name}: P = {value:.12f}, gradient {norm:.1e}, CVXPY differs by {gap:.1e}")
    if norm > GRADIENT_TOLERANCE or gap > CVXPY_TOLERANCE * max(1.0, value) or other_at_weights < value - 1e-12:
        raise SystemExit(f"{name}: the two solutions disagree")
    return {
        "name": name,
        "loss": problem.loss,
        "lambda1": problem.lambda1,
        "lambda2": problem.lambda2,
        "epsilon": problem.epsilon,
        "tasks": [{"labels": y, "points": x} for x, y in zip(problem.points, problem.labels)],
        "objective": value,
        "gradient_norm": norm,
        "objective_error_bound": norm**2 / (2.0 * problem.lambda1),
        "weights_error_bound": norm / problem.lambda1,
        "cvxpy_objective": other_value,
        "weights": weights.T,
        "omega": reference.omega(weights, problem.epsilon),
    }


# ---------------------------------------------------------------- metrics


def auc_by_pairs(scores: np.ndarray, labels: np.ndarray) -> float:
    differences = scores[labels > 0][:, None] - scores[labels < 0][None, :]
    return float(np.mean((differences > 0) + 0.5 * (differences == 0)))


def metric_cases() -> dict[str, Any]:
    rng = np.random.default_rng(20)
    labels = np.array([1, -1, 1, -1, -1, 1, -1, 1, -1, -1.0])
    tied_labels = np.where(rng.random(40) < 0.3, 1.0, -1.0)
    tied_scores = np.round(0.4 * tied_labels + rng.standard_normal(40), 1)
    auc_cases = [
        ("no ties", np.array([0.9, 0.1, 0.4, 0.5, -0.2, 1.5, 0.3, 0.35, -1.0, 0.45]), labels),
        ("some ties", tied_scores, tied_labels),
        ("every score equal", np.zeros(10), labels),
        ("perfect", labels + 0.25, labels),
        ("reversed", -labels, labels),
        ("one positive, tied with one negative", np.array([1.0, 2.0, 2.0, 3.0]), np.array([-1.0, -1.0, 1.0, -1.0])),
        ("one class only", np.array([0.1, 0.2, 0.3]), np.array([1.0, 1.0, 1.0])),
    ]
    auc = []
    for name, scores, y in auc_cases:
        value = reference.auc(scores, y)
        if value is not None:
            ranks = scipy.stats.rankdata(scores)
            positives = int((y > 0).sum())
            by_ranks = (ranks[y > 0].sum() - positives * (positives + 1) / 2) / (positives * (len(y) - positives))
            assert abs(value - auc_by_pairs(scores, y)) < 1e-14 and abs(value - by_ranks) < 1e-14, name
        auc.append({"name": name, "scores": scores, "labels": y, "value": value})
    regression = np.round(3.0 + 2.0 * rng.standard_normal(25), 4)
    nmse_cases = [
        ("noisy", np.round(regression + rng.standard_normal(25), 4), regression),
        ("the mean for everyone", np.full(25, regression.mean()), regression),
        ("exact", regression, regression),
        ("worse than the mean", np.round(-regression, 4), regression),
        ("constant labels", np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])),
    ]
    nmse = [{"name": n, "scores": s, "labels": y, "value": reference.nmse(s, y)} for n, s, y in nmse_cases]
    return {"nmse": nmse, "auc": auc}


# ---------------------------------------------------------------- the file

TOLERANCES = {
    "objective": {
        "relative": 1e-12,
        "reason": "The stated optimum is exact to objective_error_bound (gradient_norm^2 / (2 lambda1), below 1e-17 "
        "everywhere), so only rounding separates it from min P: a solution W must have "
        "|P(W) - objective| <= its own certificate + 1e-12 max(1, objective).",
    },
    "weights": {
        "absolute": 1e-10,
        "reason": "P is lambda1-strongly convex: |W - W*|_F <= |grad P(W)|_F / lambda1. A solution must lie within "
        "that bound of its own + weights_error_bound + 1e-10 for rounding.",
    },
    "omega": {
        "absolute": 1e-9,
        "absolute_at_epsilon_zero": 1e-7,
        "reason": "|Omega - Omega*|_F <= sqrt 2 (1 + sqrt m) |W - W*|_F / tr S; beyond the weights' bound times that, "
        "rounding alone: an S taken from the eigenvalues of W'W carries about 1e-16 |W|^2 / (2 s) in a small "
        "eigenvalue s >= sqrt(epsilon), and sqrt(1e-16 |W|^2) where epsilon = 0 lets s vanish.",
    },
    "gradient_norm": {
        "absolute": GRADIENT_TOLERANCE,
        "reason": "What the generator demands; for epsilon = 0 it is the norm of a subgradient.",
    },
    "cvxpy_objective": {
        "relative": CVXPY_TOLERANCE,
        "reason": "Where the interior point method stops on these semidefinite programs.",
    },
    "metrics": {"absolute": 1e-12, "reason": "Rounding of at most 40 sums."},
    "epsilon_zero": {
        "reason": "The optimum at epsilon = 0 lies below that at epsilon > 0 by at most lambda2 (tr S) m "
        "sqrt(epsilon), tr S taken with the floor at the weights given, so a solver that needs a floor can be held "
        "against these too.",
    },
}


def main() -> None:
    content = {
        "about": "Optima of the lower level by independent solvers; made by tests/oracle/make_fixtures.py, which says "
        "how. weights: one row a task, bias last. omega: S / tr S. null: undefined.",
        "tolerances": TOLERANCES,
        "problems": [describe(name, problem) for name, problem in problems()],
        "metrics": metric_cases(),
    }
    write("lower_level.json", content)


if __name__ == "__main__":
    main()
