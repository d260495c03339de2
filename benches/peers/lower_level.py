"""The lower level by what is at hand in Python: CVXPY, SciPy, and vectorised NumPy.

Usage: python3 benches/peers/lower_level.py TASKS.csv [--loss L] [--lambda1 A] [--lambda2 B]
           [--epsilon E] [--tolerance T] [--repeat K] [--peers numpy,scipy,cvxpy]

TASKS.csv has the columns task,label,x1..xd; a run's points.csv does too (its train rows are
taken). One JSON line a peer: what, seconds (median of K; reading the file is not timed),
objective, and how near the optimum it stopped.

 numpy   accelerated proximal gradient with restarts and the exact prox of the squared trace
         norm; floor 0; until its certificate (a subgradient's norm^2 / (2 lambda1)) is at most
         T max(1, P).
 scipy   L-BFGS-B on P(W) with the floor, until its certificate is at most T max(1, P) or it
         can do no more.
 cvxpy   Clarabel on the same convex problem with the floor, at Clarabel's own tolerances;
         `seconds` is all of `Problem.solve` (what a user waits for), `solver_seconds` Clarabel's part.

The optimum at floor 0 is a little below that with a floor, so objectives agree only to that.
"""

from __future__ import annotations

import argparse

# First, for it sets the number of threads.
from problem import LOSSES, Stacked, emit, penalty_value_and_gradient, read_rows, stack, timed

import numpy as np


def prox_squared_trace_norm(matrix: np.ndarray, weight: float) -> tuple[np.ndarray, float]:
    """Exact prox of weight/2 (sum of singular values)^2, by the eigenvalues of the smaller Gram matrix;
    also the trace norm of the result."""
    wide = matrix.shape[0] <= matrix.shape[1]
    values, basis = np.linalg.eigh(matrix @ matrix.T if wide else matrix.T @ matrix)
    sigma = np.sqrt(np.maximum(values[::-1], 0.0))
    sums = np.cumsum(sigma) / (1.0 + weight * np.arange(1, len(sigma) + 1))
    kept = int((sigma > weight * sums).sum())
    total = sums[kept - 1] if kept else 0.0
    shrunk = sigma[:kept] - weight * total
    basis = basis[:, ::-1][:, :kept]
    projector = (basis * (shrunk / sigma[:kept])) @ basis.T
    return (projector @ matrix if wide else matrix @ projector), float(shrunk.sum())


def solve_numpy(data: Stacked, lambda1: float, lambda2: float, tolerance: float) -> tuple[float, float]:
    """Objective at floor 0 and certificate."""
    step = 1.0 / (lambda1 + 2.0 * np.linalg.eigvalsh(data.gram)[:, -1].max())

    def smooth(weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = data.value_and_gradient(weights)
        return value + 0.5 * lambda1 * float((weights**2).sum()), gradient + lambda1 * weights

    weights = np.zeros(data.shape)
    ahead, momentum = weights, 1.0
    objective = bound = np.inf
    for count in range(1, 100_001):
        ahead_gradient = smooth(ahead)[1]
        new, norm = prox_squared_trace_norm(ahead - step * ahead_gradient, step * lambda2)
        # Judging an iterate costs as much as making one.
        if count % 10 == 0:
            value, gradient = smooth(new)
            subgradient = gradient - ahead_gradient + (ahead - new) / step
            objective = value + 0.5 * lambda2 * norm**2
            bound = float((subgradient**2).sum()) / (2.0 * lambda1)
            if bound <= tolerance * max(1.0, objective):
                break
        if ((ahead - new) * (new - weights)).sum() > 0.0:
            momentum = 1.0
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        ahead = new + (momentum - 1.0) / following * (new - weights)
        weights, momentum = new, following
    return objective, bound


def solve_scipy(data: Stacked, lambda1: float, lambda2: float, epsilon: float, tolerance: float) -> tuple[float, float]:
    """Objective with the floor and certificate."""
    import scipy.optimize

    def objective(vector: np.ndarray) -> tuple[float, np.ndarray]:
        weights = vector.reshape(data.shape)
        value, gradient = data.value_and_gradient(weights)
        penalty, penalty_gradient = penalty_value_and_gradient(weights, lambda1, lambda2, epsilon)
        return value + penalty, (gradient + penalty_gradient).ravel()

    size = data.shape[0] * data.shape[1]
    limits = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 0.0, "gtol": np.sqrt(2.0 * lambda1 * tolerance / size)}
    outcome = scipy.optimize.minimize(objective, np.zeros(size), jac=True, method="L-BFGS-B", options=limits)
    return float(outcome.fun), float((outcome.jac**2).sum()) / (2.0 * lambda1)


def solve_cvxpy(data: Stacked, lambda1: float, lambda2: float, epsilon: float) -> tuple[float, float, str]:
    """Objective with the floor, the solver's own seconds, and its status."""
    import cvxpy

    m, rows = data.shape
    weights = cvxpy.Variable((rows, m))
    terms = [0.5 * lambda1 * cvxpy.sum_squares(weights)]
    for i in range(m):
        real = data.share[i] > 0.0
        x, y = data.x[i][real], data.y[i][real]
        residual = x @ weights[:, i] - y
        if data.loss == "squared_hinge":
            residual = cvxpy.pos(1.0 - cvxpy.multiply(y, x @ weights[:, i]))
        terms.append(cvxpy.sum_squares(residual) / len(y))
    floored = cvxpy.vstack([weights, np.sqrt(epsilon) * np.eye(m)])
    terms.append(0.5 * lambda2 * cvxpy.square(cvxpy.normNuc(floored)))
    program = cvxpy.Problem(cvxpy.Minimize(sum(terms)))
    program.solve(solver=cvxpy.CLARABEL)
    return float(program.value), float(program.solver_stats.solve_time), program.status


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks")
    parser.add_argument("--loss", choices=LOSSES, default="squared")
    parser.add_argument("--lambda1", type=float, default=0.1)
    parser.add_argument("--lambda2", type=float, default=0.1)
    parser.add_argument("--epsilon", type=float, default=1e-6)
    parser.add_argument("--tolerance", type=float, default=1e-9)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--peers", default="numpy,scipy,cvxpy")
    a = parser.parse_args()
    train = read_rows(a.tasks)["train"].values()
    points, labels = [x for x, _ in train], [y for _, y in train]

    def data() -> Stacked:
        """Gram matrices are part of the work, so every run stacks them again."""
        return stack(a.loss, points, labels)

    if "numpy" in a.peers:
        seconds, (objective, bound) = timed(a.repeat, lambda: solve_numpy(data(), a.lambda1, a.lambda2, a.tolerance))
        emit("lower level, numpy proximal gradient", seconds, objective, certificate=bound, epsilon=0.0)
    weights_of_penalty = a.lambda1, a.lambda2, a.epsilon
    if "scipy" in a.peers:
        import scipy.optimize  # noqa: F401 - before the clock runs

        seconds, (objective, bound) = timed(a.repeat, lambda: solve_scipy(data(), *weights_of_penalty, a.tolerance))
        emit("lower level, scipy L-BFGS-B", seconds, objective, certificate=bound, epsilon=a.epsilon)
    if "cvxpy" in a.peers:
        import cvxpy  # noqa: F401 - before the clock runs

        seconds, (objective, own, status) = timed(a.repeat, lambda: solve_cvxpy(data(), *weights_of_penalty))
        rest = {"solver_seconds": own, "status": status, "epsilon": a.epsilon}
        emit("lower level, cvxpy with clarabel", seconds, objective, **rest)


if __name__ == "__main__":
    main()
