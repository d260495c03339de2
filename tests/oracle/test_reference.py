"""The oracle doubted: reference.py against central differences and against closed forms. NumPy alone."""

from __future__ import annotations

import unittest

import numpy as np

import attack_reference
import reference
from attack_reference import Attack
from reference import Problem


def random_problem(loss: str, tasks: int, features: int, epsilon: float, seed: int = 0) -> Problem:
    rng = np.random.default_rng(seed)
    points = [rng.uniform(-0.6, 0.6, (9 + i, features)) for i in range(tasks)]
    labels = [rng.standard_normal(len(x)) for x in points]
    if loss == "squared_hinge":
        labels = [np.where(y > 0, 1.0, -1.0) for y in labels]
    return Problem(loss, 0.03, 0.07, epsilon, points, labels)


class Derivatives(unittest.TestCase):
    def test_gradient_and_hessian_equal_central_differences(self) -> None:
        for loss in reference.LOSSES:
            for tasks, features in ((2, 4), (6, 2)):
                problem = random_problem(loss, tasks, features, 1e-2)
                rng = np.random.default_rng(1)
                at, direction = rng.standard_normal((2, *problem.shape))
                h = 1e-6
                ahead, behind = at + h * direction, at - h * direction
                slope = (reference.objective(problem, ahead) - reference.objective(problem, behind)) / (2 * h)
                self.assertAlmostEqual(slope, float(np.sum(reference.gradient(problem, at) * direction)), delta=1e-7)
                turn = (reference.gradient(problem, ahead) - reference.gradient(problem, behind)) / (2 * h)
                image = reference.hessian(problem, at) @ reference.flatten(direction)
                np.testing.assert_allclose(reference.flatten(turn), image, atol=1e-6)


class Solvers(unittest.TestCase):
    def test_without_coupling_newton_is_ridge_regression(self) -> None:
        problem = random_problem("squared", 3, 3, 1e-6)
        problem.lambda2 = 0.0
        weights = reference.solve_newton(problem)
        for i, (x, y) in enumerate(zip(problem.features, problem.labels)):
            normal = 2.0 * x.T @ x / len(y) + problem.lambda1 * np.eye(x.shape[1])
            np.testing.assert_allclose(weights[:, i], np.linalg.solve(normal, 2.0 * x.T @ y / len(y)), atol=1e-12)

    def test_proximal_solution_is_the_limit_of_newtons(self) -> None:
        exact = random_problem("squared_hinge", 5, 2, 0.0)
        floored = Problem(exact.loss, exact.lambda1, exact.lambda2, 1e-10, exact.points, exact.labels)
        solution = reference.solve_proximal(exact)
        self.assertLess(solution.subgradient_norm, 1e-10)
        weights = reference.solve_newton(floored)
        trace = reference.spectrum(weights, 1e-10).trace
        room = exact.lambda2 * trace * exact.tasks * 1e-5
        gap = reference.objective(floored, weights) - reference.objective(exact, solution.weights)
        self.assertGreaterEqual(gap, -1e-12)
        self.assertLessEqual(gap, room)

    def test_prox_beats_its_neighbours(self) -> None:
        rng = np.random.default_rng(2)
        for weight in (0.05, 0.5, 5.0):
            matrix = rng.standard_normal((4, 3))

            def value(v: np.ndarray) -> float:
                return 0.5 * np.sum((v - matrix) ** 2) + 0.5 * weight * np.linalg.svd(v)[1].sum() ** 2

            best = reference.prox_squared_trace_norm(matrix, weight)
            for _ in range(50):
                self.assertLess(value(best), value(best + 1e-3 * rng.standard_normal(best.shape)))


class Gradients(unittest.TestCase):
    def test_published_gradient_is_that_of_the_dual_weights_with_alpha_held(self) -> None:
        for loss in reference.LOSSES:
            clean = random_problem(loss, 4, 2, 1e-2)
            rng = np.random.default_rng(3)
            injected = [rng.uniform(-0.5, 0.5, (2, 2)) if i in (1, 2) else np.zeros((0, 2)) for i in range(4)]
            attack = Attack(clean, injected, [np.array([1.0, -1.0])[: len(x)] for x in injected], [0, 1])
            poisoned = attack.poisoned()
            weights = reference.solve_newton(poisoned)
            omega = reference.omega(weights, clean.epsilon)
            phi = omega @ np.linalg.inv(clean.lambda1 * omega + clean.lambda2 * np.eye(4))
            alphas = [
                -reference.loss_slopes(loss, x @ weights[:, i], y) / len(y)
                for i, (x, y) in enumerate(zip(poisoned.features, poisoned.labels))
            ]

            def dual_weights(moved: Attack) -> np.ndarray:
                parts = [x.T @ alpha for x, alpha in zip(moved.poisoned().features, alphas)]
                return np.column_stack(parts) @ phi

            np.testing.assert_allclose(dual_weights(attack), weights, atol=1e-10)
            gradients = attack_reference.published_gradients(attack, weights)
            for task, point, k in np.ndindex(4, 2, 2):
                if len(injected[task]):
                    h = np.zeros(2)
                    h[k] = 1e-5
                    values = [
                        attack_reference.utility(clean, attack.targets, dual_weights(attack.moved(task, point, s * h)))
                        for s in (1.0, -1.0)
                    ]
                    slope = (values[0] - values[1]) / 2e-5
                    self.assertAlmostEqual(slope, gradients[task][point, k], delta=1e-7)


class Metrics(unittest.TestCase):
    def test_auc_counts_ties_one_half_and_needs_both_classes(self) -> None:
        self.assertEqual(reference.auc(np.zeros(4), np.array([1.0, -1.0, 1.0, -1.0])), 0.5)
        self.assertEqual(reference.auc(np.array([2.0, 1.0, 1.0]), np.array([1.0, 1.0, -1.0])), 0.75)
        self.assertIsNone(reference.auc(np.array([2.0, 1.0]), np.array([1.0, 1.0])))

    def test_nmse_of_the_mean_is_one(self) -> None:
        labels = np.array([1.0, 2.0, 6.0])
        self.assertAlmostEqual(reference.nmse(np.full(3, 3.0), labels), 1.0, delta=1e-15)
        self.assertIsNone(reference.nmse(labels, np.ones(3)))


if __name__ == "__main__":
    unittest.main()
