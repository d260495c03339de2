"""Makes tests/fixtures/capped.json: small problems with a pull cap, and their optima.

Usage: python3 tests/oracle/make_capped.py   (requirements.txt beside this file)

Every optimum is found twice: by Newton's method on Z and G together (defence_reference.py) and by CVXPY with
Clarabel, where the problem is a few lines. The generator refuses to write where they disagree.
"""

from __future__ import annotations

from typing import Any

import cvxpy
import numpy as np

import defence_reference
import reference
from fixture_file import write
from make_fixtures import CLARABEL_TOLERANCES, draw_problem
from reference import Problem

CVXPY_TOLERANCE = 1e-7
GRADIENT_TOLERANCE = 1e-9


def problems() -> list[tuple[str, Problem, float]]:
    draw = draw_problem
    return [
        ("squared, the cap binds", draw(31, "squared", 4, 3, (10, 16), 0.1, 0.1, 1e-4), 0.1),
        ("squared, the cap does not bind", draw(31, "squared", 4, 3, (10, 16), 0.1, 0.1, 1e-4), 3.0),
        ("squared, m > D", draw(32, "squared", 6, 2, (6, 12), 0.05, 0.1, 1e-4), 0.1),
        ("squared, small cap", draw(33, "squared", 3, 4, (10, 14), 0.1, 0.3, 1e-2), 0.01),
        ("squared, small lambda", draw(34, "squared", 4, 4, (8, 20), 1e-3, 1e-2, 1e-4), 0.02),
        ("squared hinge, the cap binds", draw(35, "squared_hinge", 4, 3, (12, 20), 0.1, 0.1, 1e-4), 0.05),
        ("squared hinge, m > D", draw(36, "squared_hinge", 6, 2, (8, 14), 0.02, 0.1, 1e-4), 0.1),
        ("squared hinge, small lambda", draw(37, "squared_hinge", 3, 4, (14, 20), 1e-3, 1e-2, 1e-2), 0.01),
    ]


def solve_second(problem: Problem, pull_cap: float) -> float:
    """CVXPY's value."""
    z, g = cvxpy.Variable(problem.shape), cvxpy.Variable(problem.shape)
    weights = z + g
    terms = [0.5 * problem.lambda1 * cvxpy.sum_squares(weights)]
    for i, (x, y) in enumerate(zip(problem.features, problem.labels)):
        score = x @ weights[:, i]
        residual = score - y if problem.loss == "squared" else cvxpy.pos(1.0 - cvxpy.multiply(y, score))
        terms.append(cvxpy.sum_squares(residual) / len(y))
        terms.append(pull_cap * cvxpy.norm(cvxpy.hstack([g[:, i], defence_reference.SMOOTHING])))
    stacked = cvxpy.vstack([z, np.sqrt(problem.epsilon) * np.eye(problem.tasks)])
    terms.append(0.5 * problem.lambda2 * cvxpy.square(cvxpy.normNuc(stacked)))
    program = cvxpy.Problem(cvxpy.Minimize(sum(terms)))
    for tolerance in CLARABEL_TOLERANCES:
        settings = {key: tolerance for key in ("tol_gap_abs", "tol_gap_rel", "tol_feas")}
        try:
            program.solve(solver=cvxpy.CLARABEL, max_iter=500, **settings)
        except cvxpy.error.SolverError:
            continue
        if program.status == cvxpy.OPTIMAL:
            return float(program.value)
    raise SystemExit("Clarabel met none of its tolerances")


def describe(name: str, problem: Problem, pull_cap: float) -> dict[str, Any]:
    z, g, norm = defence_reference.solve(problem, pull_cap)
    value = defence_reference.objective(problem, pull_cap, z, g)
    other = solve_second(problem, pull_cap)
    own = reference.data_gradient(problem, z + g) + problem.lambda1 * (z + g)
    slopes = np.linalg.norm(own, axis=0)
    print(f"{name}: {value:.12f}, gradient {norm:.1e}, CVXPY differs by {other - value:.1e}, pulls {np.round(slopes, 4)}")
    if norm > GRADIENT_TOLERANCE or abs(other - value) > CVXPY_TOLERANCE * max(1.0, value):
        raise SystemExit(f"{name}: the two solutions disagree")
    return {
        "name": name,
        "loss": problem.loss,
        "lambda1": problem.lambda1,
        "lambda2": problem.lambda2,
        "epsilon": problem.epsilon,
        "pull_cap": pull_cap,
        "tasks": [{"labels": y, "points": x} for x, y in zip(problem.points, problem.labels)],
        "objective": value,
        "gradient_norm": norm,
        "cvxpy_objective": other,
        "weights": (z + g).T,
        "shared": z.T,
        "own_slopes": slopes,
        "single_task": defence_reference.single_task(problem).T,
    }


def main() -> None:
    write(
        "capped.json",
        {
            "about": "Optima with a pull cap by two independent solvers; made by tests/oracle/make_capped.py, which "
            "says how. One row a task, bias last.",
            "problems": [describe(*given) for given in problems()],
        },
    )


if __name__ == "__main__":
    main()
