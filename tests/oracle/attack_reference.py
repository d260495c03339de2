"""The upper level in NumPy: utility of the attack and its gradients by the injected points.

Here: the poisoned problem, the utility, the three gradients of the design document and,
to doubt two of them, the utility as a function of the injected points with the lower
level solved again (Omega free or held).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

import reference
from reference import Problem


@dataclass
class Attack:
    """`clean` is the problem without injected points; `injected[i]` and `injected_labels[i]` belong to
    task i and are empty for tasks that are not attacked."""

    clean: Problem
    injected: list[np.ndarray]
    injected_labels: list[np.ndarray]
    targets: list[int]

    @property
    def attackers(self) -> list[int]:
        return [i for i, y in enumerate(self.injected_labels) if len(y)]

    def poisoned(self) -> Problem:
        clean = self.clean
        return Problem(
            clean.loss,
            clean.lambda1,
            clean.lambda2,
            clean.epsilon,
            [np.vstack(pair) for pair in zip(clean.points, self.injected)],
            [np.concatenate(pair) for pair in zip(clean.labels, self.injected_labels)],
        )

    def moved(self, task: int, point: int, direction: np.ndarray) -> Attack:
        injected = [x.copy() for x in self.injected]
        injected[task][point] += direction
        return replace(self, injected=injected)


def utility(clean: Problem, targets: list[int], weights: np.ndarray) -> float:
    """Sum of the losses of the clean training points of the targets."""
    return sum(
        float(np.sum(reference.loss_values(clean.loss, clean.features[i] @ weights[:, i], clean.labels[i])))
        for i in targets
    )


def utility_gradient(clean: Problem, targets: list[int], weights: np.ndarray) -> np.ndarray:
    slope = np.zeros(clean.shape)
    for i in targets:
        x = clean.features[i]
        slope[:, i] = x.T @ reference.loss_slopes(clean.loss, x @ weights[:, i], clean.labels[i])
    return slope


def implicit_gradients(attack: Attack, weights: np.ndarray, omega_moves: bool) -> list[np.ndarray]:
    """dU/dx of every injected point, by the optimality conditions of the lower level; one n x d array a task."""
    poisoned = attack.poisoned()
    right = reference.flatten(utility_gradient(attack.clean, attack.targets, weights))
    solution = np.linalg.solve(reference.hessian(poisoned, weights, omega_moves), right)
    v = reference.unflatten(solution, poisoned.shape)
    gradients = []
    for i, (points, y) in enumerate(zip(attack.injected, attack.injected_labels)):
        x = reference.add_bias(points)
        w_i, v_i, share = weights[:, i], v[:, i], 1.0 / len(poisoned.labels[i])
        scores = x @ w_i
        slopes = reference.loss_slopes(poisoned.loss, scores, y)
        curvatures = reference.loss_curvatures(poisoned.loss, scores, y)
        # The gradient of the lower level by w_i holds share * slope(x'w_i) x for this point; its derivative by x,
        # along v_i, is what enters, with the sign of the implicit function theorem.
        full = -share * (slopes[:, None] * v_i[None, :] + (curvatures * (x @ v_i))[:, None] * w_i[None, :])
        gradients.append(full[:, :-1])
    return gradients


def published_gradients(attack: Attack, weights: np.ndarray) -> list[np.ndarray]:
    """The paper's per-sample gradients (15) and (16), summed over all clean points of the targets."""
    poisoned = attack.poisoned()
    omega = reference.omega(weights, poisoned.epsilon)
    phi = omega @ np.linalg.inv(poisoned.lambda1 * omega + poisoned.lambda2 * np.eye(poisoned.tasks))
    gradients = []
    for i, (points, y_hat) in enumerate(zip(attack.injected, attack.injected_labels)):
        scores = reference.add_bias(points) @ weights[:, i]
        n = len(poisoned.labels[i])
        rows = np.zeros_like(points)
        for j, label in enumerate(y_hat):
            for p in attack.targets:
                for x, y in zip(attack.clean.points[p], attack.clean.labels[p]):
                    score = float(np.append(x, 1.0) @ weights[:, p])
                    if poisoned.loss == "squared":
                        alpha = 2.0 * (label - scores[j]) / n
                        rows[j] += 2.0 * (score - y) * x * alpha * phi[i, p]
                    else:
                        alpha = 2.0 * max(0.0, 1.0 - label * scores[j]) / n
                        rows[j] += -2.0 * max(0.0, 1.0 - y * score) * y * x * label * alpha * phi[i, p]
        gradients.append(rows)
    return gradients


def solve_with_omega_held(problem: Problem, omega: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Minimiser over W alone: piecewise quadratic, so Newton ends in a few steps."""
    inverse = np.linalg.inv(omega)

    def slope(weights: np.ndarray) -> np.ndarray:
        coupling = problem.lambda2 * weights @ inverse
        return reference.data_gradient(problem, weights) + problem.lambda1 * weights + coupling

    weights = start
    for _ in range(50):
        rest = slope(weights)
        blocks = reference.data_hessians(problem, weights)
        dense = np.kron(problem.lambda1 * np.eye(problem.tasks) + problem.lambda2 * inverse, np.eye(problem.dimension))
        for i, block in enumerate(blocks):
            where = slice(i * problem.dimension, (i + 1) * problem.dimension)
            dense[where, where] += block
        step = reference.unflatten(np.linalg.solve(dense, -reference.flatten(rest)), problem.shape)
        weights = weights + step
        if np.linalg.norm(step) < 1e-13:
            break
    return weights


def utility_by_differences(attack: Attack, weights: np.ndarray, omega_moves: bool, step: float) -> list[np.ndarray]:
    """dU/dx of every injected point by fourth-order central differences, the lower level solved again for each."""
    omega = reference.omega(weights, attack.clean.epsilon)

    def value(task: int, point: int, direction: np.ndarray) -> float:
        problem = attack.moved(task, point, direction).poisoned()
        if omega_moves:
            solved = reference.solve_newton(problem, weights, tolerance=1e-14, iterations=30)
        else:
            solved = solve_with_omega_held(problem, omega, weights)
        return utility(attack.clean, attack.targets, solved)

    gradients = []
    for i, points in enumerate(attack.injected):
        rows = np.zeros_like(points)
        for j, k in np.ndindex(points.shape):
            h = np.zeros(points.shape[1])
            h[k] = step
            near = value(i, j, h) - value(i, j, -h)
            far = value(i, j, 2 * h) - value(i, j, -2 * h)
            rows[j, k] = (8.0 * near - far) / (12.0 * step)
        gradients.append(rows)
    return gradients
