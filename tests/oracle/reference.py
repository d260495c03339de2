"""The mathematics of multi-task relationship learning, written a second time, in NumPy.

Here: losses, objective, gradient and Hessian of the lower level, two plain solvers
(Newton for a floor above 0, accelerated proximal gradient for floor 0), the task
covariance, the metrics. Everything else under tests/oracle and tests/fixtures is built
on it. It was written from the design document alone, never from the Rust code, and it
takes other roads where there are any: singular values of W instead of eigenvalues of
W'W, dense Hessians instead of products, no warm starts, no Gram matrices.

W is D x m, one column a task, D = d + 1 with the bias last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

LOSSES = ("squared", "squared_hinge")


@dataclass
class Problem:
    """One lower-level problem: `points` and `labels` hold one array a task, the points without the bias entry."""

    loss: str
    lambda1: float
    lambda2: float
    epsilon: float
    points: list[np.ndarray]
    labels: list[np.ndarray]

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"loss: {self.loss!r} is none of {LOSSES}")
        self.features = [add_bias(x) for x in self.points]

    @property
    def tasks(self) -> int:
        return len(self.points)

    @property
    def dimension(self) -> int:
        return self.features[0].shape[1]

    @property
    def shape(self) -> tuple[int, int]:
        return self.dimension, self.tasks


def add_bias(points: np.ndarray) -> np.ndarray:
    return np.hstack([points, np.ones((len(points), 1))])


# ---------------------------------------------------------------- losses


def loss_values(loss: str, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    if loss == "squared":
        return (labels - scores) ** 2
    return np.maximum(0.0, 1.0 - labels * scores) ** 2


def loss_slopes(loss: str, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Derivative of each loss by its score."""
    if loss == "squared":
        return 2.0 * (scores - labels)
    return -2.0 * labels * np.maximum(0.0, 1.0 - labels * scores)


def loss_curvatures(loss: str, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Second derivative of each loss by its score (squared hinge: 2 strictly inside the margin, else 0)."""
    if loss == "squared":
        return np.full_like(scores, 2.0)
    return np.where(labels * scores < 1.0, 2.0, 0.0)


def smallest_margin_gap(problem: Problem, weights: np.ndarray) -> float:
    """Distance of the nearest training point from the kink of the squared hinge."""
    return min(
        float(np.min(np.abs(1.0 - y * (x @ weights[:, i]))))
        for i, (x, y) in enumerate(zip(problem.features, problem.labels))
    )


# ---------------------------------------------------------------- task covariance


class Spectrum(NamedTuple):
    """S = (W'W + epsilon I)^(1/2) as basis diag(values) basis'."""

    basis: np.ndarray
    values: np.ndarray

    @property
    def trace(self) -> float:
        return float(self.values.sum())

    @property
    def matrix(self) -> np.ndarray:
        return (self.basis * self.values) @ self.basis.T

    @property
    def inverse(self) -> np.ndarray:
        return (self.basis / self.values) @ self.basis.T


def spectrum(weights: np.ndarray, epsilon: float) -> Spectrum:
    """Through the singular values of W: W'W would halve the digits of the small ones."""
    m = weights.shape[1]
    _, sigma, basis_t = np.linalg.svd(weights, full_matrices=True)
    padded = np.zeros(m)
    padded[: len(sigma)] = sigma
    return Spectrum(basis_t.T, np.sqrt(padded**2 + epsilon))


def omega(weights: np.ndarray, epsilon: float) -> np.ndarray:
    s = spectrum(weights, epsilon)
    return s.matrix / s.trace


def correlation(weights: np.ndarray, epsilon: float) -> np.ndarray:
    s = spectrum(weights, epsilon).matrix
    scale = np.sqrt(np.diag(s))
    with np.errstate(divide="ignore", invalid="ignore"):
        return s / np.outer(scale, scale)


# ---------------------------------------------------------------- objective


def data_value(problem: Problem, weights: np.ndarray) -> float:
    return sum(
        float(np.mean(loss_values(problem.loss, x @ weights[:, i], y)))
        for i, (x, y) in enumerate(zip(problem.features, problem.labels))
    )


def data_gradient(problem: Problem, weights: np.ndarray) -> np.ndarray:
    return np.column_stack(
        [
            x.T @ loss_slopes(problem.loss, x @ weights[:, i], y) / len(y)
            for i, (x, y) in enumerate(zip(problem.features, problem.labels))
        ]
    )


def data_hessians(problem: Problem, weights: np.ndarray) -> list[np.ndarray]:
    """One D x D block a task."""
    return [
        (x.T * loss_curvatures(problem.loss, x @ weights[:, i], y)) @ x / len(y)
        for i, (x, y) in enumerate(zip(problem.features, problem.labels))
    ]


def objective(problem: Problem, weights: np.ndarray) -> float:
    """P(W), at epsilon = 0 with the squared trace norm."""
    trace = spectrum(weights, problem.epsilon).trace
    ridge = 0.5 * problem.lambda1 * float(np.sum(weights**2))
    return data_value(problem, weights) + ridge + 0.5 * problem.lambda2 * trace**2


def gradient(problem: Problem, weights: np.ndarray) -> np.ndarray:
    """Gradient of P; needs epsilon > 0."""
    s = spectrum(weights, problem.epsilon)
    coupling = s.trace * (weights @ s.inverse)
    return data_gradient(problem, weights) + problem.lambda1 * weights + problem.lambda2 * coupling


def certificate(problem: Problem, weights: np.ndarray) -> float:
    """Upper bound of P(W) - min P, from strong convexity; needs epsilon > 0 and lambda1 > 0."""
    return float(np.sum(gradient(problem, weights) ** 2)) / (2.0 * problem.lambda1)


def coupling_derivative(weights: np.ndarray, direction: np.ndarray, s: Spectrum) -> np.ndarray:
    """Derivative of (tr S) W S^-1 along `direction`."""
    q, values, inverse = s.basis, s.values, s.inverse
    right = direction.T @ weights + weights.T @ direction
    d_s = q @ ((q.T @ right @ q) / (values[:, None] + values[None, :])) @ q.T
    return np.trace(d_s) * (weights @ inverse) + s.trace * (direction - weights @ inverse @ d_s) @ inverse


def hessian(problem: Problem, weights: np.ndarray, omega_moves: bool = True) -> np.ndarray:
    """Dense Hessian in the order of `flatten`. With `omega_moves` false, Omega is held at Omega(W)."""
    rows, m = problem.shape
    s = spectrum(weights, problem.epsilon)
    blocks = data_hessians(problem, weights)
    columns = []
    for task in range(m):
        for row in range(rows):
            direction = np.zeros((rows, m))
            direction[row, task] = 1.0
            image = problem.lambda1 * direction
            image[:, task] += blocks[task][:, row]
            if omega_moves:
                image = image + problem.lambda2 * coupling_derivative(weights, direction, s)
            else:
                image = image + problem.lambda2 * s.trace * (direction @ s.inverse)
            columns.append(flatten(image))
    dense = np.column_stack(columns)
    return 0.5 * (dense + dense.T)


def flatten(weights: np.ndarray) -> np.ndarray:
    """Task after task."""
    return weights.T.ravel()


def unflatten(vector: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return vector.reshape(shape[1], shape[0]).T


# ---------------------------------------------------------------- solvers


def solve_newton(
    problem: Problem, start: np.ndarray | None = None, tolerance: float = 1e-11, iterations: int = 500
) -> np.ndarray:
    """Minimiser of P for epsilon > 0: Newton with a halving line search, to |grad P| <= tolerance
    or as far as rounding lets it go; the caller looks at the gradient it got."""
    weights = np.zeros(problem.shape) if start is None else start.copy()
    slope = gradient(problem, weights)
    for _ in range(iterations):
        size = np.linalg.norm(slope)
        if size <= tolerance:
            break
        step = unflatten(np.linalg.solve(hessian(problem, weights), -flatten(slope)), problem.shape)
        value, decrease = objective(problem, weights), float(np.sum(slope * step))
        length = 1.0
        while length > 1e-12:
            trial = weights + length * step
            trial_slope = gradient(problem, trial)
            # Close to the optimum the value is blind to the step and the gradient is the judge.
            falls = objective(problem, trial) <= value + 1e-4 * length * decrease
            if falls or (np.linalg.norm(trial_slope) < 0.9 * size and size < 1e-5):
                break
            length *= 0.5
        else:
            break
        weights, slope = trial, trial_slope
    return weights


def prox_squared_trace_norm(matrix: np.ndarray, weight: float) -> np.ndarray:
    """argmin over V of |V - matrix|^2 / 2 + weight / 2 * (sum of singular values of V)^2, exact."""
    left, sigma, right = np.linalg.svd(matrix, full_matrices=False)
    sums = np.cumsum(sigma) / (1.0 + weight * np.arange(1, len(sigma) + 1))
    # With k values kept, their sum is sums[k-1]; the right k is the one that keeps exactly those above the threshold.
    kept = np.flatnonzero(sigma > weight * sums)
    total = sums[kept[-1]] if len(kept) else 0.0
    return (left * np.maximum(sigma - weight * total, 0.0)) @ right


class ProximalSolution(NamedTuple):
    weights: np.ndarray
    subgradient_norm: float
    iterations: int


def solve_proximal(
    problem: Problem, start: np.ndarray | None = None, tolerance: float = 1e-11, iterations: int = 400_000
) -> ProximalSolution:
    """Minimiser for epsilon = 0 by accelerated proximal gradient with restarts. Its measure of
    optimality is the norm of a subgradient of P at the returned point, so that norm^2 / (2 lambda1)
    bounds the error of the value."""
    lipschitz = problem.lambda1 + max(2.0 * float(np.linalg.norm(x, 2)) ** 2 / len(x) for x in problem.features)
    step = 1.0 / lipschitz

    def smooth_gradient(at: np.ndarray) -> np.ndarray:
        return data_gradient(problem, at) + problem.lambda1 * at

    weights = np.zeros(problem.shape) if start is None else start.copy()
    ahead, momentum, norm, count = weights, 1.0, np.inf, 0
    for count in range(1, iterations + 1):
        ahead_gradient = smooth_gradient(ahead)
        new = prox_squared_trace_norm(ahead - step * ahead_gradient, step * problem.lambda2)
        subgradient = smooth_gradient(new) - ahead_gradient + (ahead - new) / step
        norm = float(np.linalg.norm(subgradient))
        if np.sum((ahead - new) * (new - weights)) > 0.0:
            momentum = 1.0
        next_momentum = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        ahead = new + (momentum - 1.0) / next_momentum * (new - weights)
        weights, momentum = new, next_momentum
        if norm <= tolerance:
            break
    return ProximalSolution(weights, norm, count)


# ---------------------------------------------------------------- metrics


def nmse(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Mean squared error over the (population) variance of the labels; None where they are all equal."""
    variance = float(np.mean((labels - labels.mean()) ** 2))
    # The mean of equal numbers can differ from them in the last bit.
    if variance == 0.0 or (labels == labels[0]).all():
        return None
    return float(np.mean((scores - labels) ** 2)) / variance


def auc(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Area under the ROC curve by mid-ranks, so ties count one half; None with one class only."""
    positive = labels > 0
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if n_positive == 0 or n_negative == 0:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last_rank = np.cumsum(counts)
    mid_rank = last_rank - 0.5 * (counts - 1)
    rank_sum = float(mid_rank[inverse][positive].sum())
    return (rank_sum - 0.5 * n_positive * (n_positive + 1)) / (n_positive * n_negative)
