"""Makes tests/fixtures/gradients.json: utility and its three gradients by the injected points.

Usage: python3 tests/oracle/make_gradients.py   (NumPy alone; about 20 seconds)

The two implicit gradients come from the optimality conditions by dense linear algebra and
are checked against fourth-order central differences with the lower level solved again
(for `implicit` with Omega held). The published one is the sum of the paper's per-sample
formula over all clean points of the targets. For the squared hinge, seeds are tried in
order until no training point, clean or injected, lies within 1e-3 of the kink.
Points and labels are rounded to 4 decimals, so that the file holds them exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import attack_reference
import reference
from attack_reference import Attack
from fixture_file import write
from reference import Problem

KINK_GAP = 1e-3
DIFFERENCE_TOLERANCE = 1e-6


def draw_attack(
    seed: int,
    loss: str,
    tasks: int,
    features: int,
    targets: list[int],
    attackers: list[int],
    lambdas: tuple[float, float],
    epsilon: float,
) -> Attack:
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal(features + 1)
    points, labels, injected, injected_labels = [], [], [], []
    for task in range(tasks):
        count = int(rng.integers(7, 13))
        x = rng.standard_normal((count, features))
        weights = (-1.0 if task % 3 == 2 else 1.0) * shared + 0.6 * rng.standard_normal(features + 1)
        score = x @ weights[:-1] + weights[-1] + 0.3 * rng.standard_normal(count)
        y = np.round(score, 4) if loss == "squared" else np.where(score > np.median(score), 1.0, -1.0)
        extra = int(rng.integers(2, 4)) if task in attackers else 0
        z = rng.standard_normal((extra, features))
        z *= rng.random((extra, 1)) ** (1.0 / features) / np.linalg.norm(z, axis=1, keepdims=True)
        if loss == "squared":
            z_labels = np.round(rng.uniform(y.min(), y.max(), extra), 4)
        else:
            z_labels = np.where(rng.random(extra) < 0.5, 1.0, -1.0)
        points.append(x)
        labels.append(y)
        injected.append(np.round(0.9999 * z, 4))
        injected_labels.append(z_labels)
    scale = max(float(np.linalg.norm(x, axis=1).max()) for x in points) * 1.0001
    points = [np.round(x / scale, 4) for x in points]
    return Attack(Problem(loss, *lambdas, epsilon, points, labels), injected, injected_labels, targets)


def solve(attack: Attack) -> np.ndarray:
    return reference.solve_newton(attack.poisoned(), tolerance=1e-14)


CASES = [
    ("squared, m < D, direct, floor 1e-2", "squared", 3, 4, [0, 1], [0, 1], (0.1, 0.1), 1e-2),
    ("squared, m > D, direct, floor 1e-4", "squared", 6, 2, [0, 1, 2], [0, 1, 2], (0.01, 0.01), 1e-4),
    ("squared, m < D, indirect, floor 1e-6", "squared", 4, 4, [0, 1], [2, 3], (0.1, 0.1), 1e-6),
    ("squared, m > D, indirect, floor 1e-6", "squared", 5, 2, [0, 1], [2, 3, 4], (0.01, 0.1), 1e-6),
    ("squared, m < D, hybrid, floor 1e-4", "squared", 3, 5, [0, 1], [1, 2], (1e-3, 0.01), 1e-4),
    ("squared hinge, m < D, direct, floor 1e-2", "squared_hinge", 3, 4, [0, 1], [0, 1], (0.1, 0.1), 1e-2),
    ("squared hinge, m > D, direct, floor 1e-4", "squared_hinge", 6, 2, [0, 1, 2], [0, 1, 2], (0.01, 0.01), 1e-4),
    ("squared hinge, m < D, indirect, floor 1e-4", "squared_hinge", 4, 4, [0, 1], [2, 3], (0.1, 0.01), 1e-4),
    ("squared hinge, m > D, indirect, floor 1e-6", "squared_hinge", 5, 3, [0, 1], [2, 3, 4], (0.1, 0.1), 1e-6),
]


def draw_off_the_kink(first_seed: int, *case: Any) -> tuple[int, Attack, np.ndarray]:
    for seed in range(first_seed, first_seed + 200):
        attack = draw_attack(seed, *case)
        weights = solve(attack)
        poisoned = attack.poisoned()
        if attack.clean.loss == "squared" or reference.smallest_margin_gap(poisoned, weights) > KINK_GAP:
            return seed, attack, weights
    raise SystemExit("no seed keeps off the kink")


def relative_error(measured: list[np.ndarray], expected: list[np.ndarray]) -> float:
    a, b = np.concatenate([x.ravel() for x in measured]), np.concatenate([x.ravel() for x in expected])
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def cosine(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    a, b = np.concatenate([x.ravel() for x in one]), np.concatenate([x.ravel() for x in other])
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def describe(first_seed: int, name: str, *case: Any) -> dict[str, Any]:
    seed, attack, weights = draw_off_the_kink(first_seed, *case)
    clean, poisoned = attack.clean, attack.poisoned()
    gradients = {
        "published": attack_reference.published_gradients(attack, weights),
        "implicit": attack_reference.implicit_gradients(attack, weights, omega_moves=False),
        "implicit_total": attack_reference.implicit_gradients(attack, weights, omega_moves=True),
    }
    checks = {}
    for gradient, omega_moves in (("implicit", False), ("implicit_total", True)):
        errors = [
            relative_error(
                attack_reference.utility_by_differences(attack, weights, omega_moves, step), gradients[gradient]
            )
            for step in (1e-4, 3e-5, 1e-5)
        ]
        checks[gradient] = min(errors)
        if checks[gradient] > DIFFERENCE_TOLERANCE:
            raise SystemExit(f"{name}: {gradient} is off its differences by {errors}")
    norm = float(np.linalg.norm(reference.gradient(poisoned, weights)))
    cosines = [cosine(gradients[name], gradients["implicit_total"]) for name in ("published", "implicit")]
    print(
        f"{name}: seed {seed}, gradient of P {norm:.1e}, off the differences by {checks['implicit']:.1e} (implicit), "
        f"{checks['implicit_total']:.1e} (total); cosine with the total: published {cosines[0]:.3f}, "
        f"implicit {cosines[1]:.3f}"
    )
    return {
        "name": name,
        "loss": clean.loss,
        "lambda1": clean.lambda1,
        "lambda2": clean.lambda2,
        "epsilon": clean.epsilon,
        "targets": attack.targets,
        "attackers": attack.attackers,
        "tasks": [
            {
                "labels": clean.labels[i],
                "points": clean.points[i],
                "injected_labels": attack.injected_labels[i],
                "injected_points": attack.injected[i],
            }
            for i in range(clean.tasks)
        ],
        "smallest_margin_gap": reference.smallest_margin_gap(poisoned, weights) if clean.loss != "squared" else None,
        "objective": reference.objective(poisoned, weights),
        "gradient_norm": norm,
        "weights": weights.T,
        "utility": attack_reference.utility(clean, attack.targets, weights),
        "gradients": gradients,
        "relative_error_against_differences": checks,
    }


TOLERANCES = {
    "relative": 1e-7,
    "reason": "Of |difference| / |gradient| over all injected points of a problem. The values here are exact to about "
    "1e-8 (weights good to gradient_norm / lambda1, then one dense solve with a Hessian whose condition grows as "
    "1 / sqrt(epsilon)); central differences confirmed them to relative_error_against_differences. A reader solves the "
    "lower level itself and must do so to a gradient of 1e-10 or less to come this near; from a looser solve the "
    "gradients differ by as much as the weights do, times the Hessian's change over that distance.",
}


def main() -> None:
    content = {
        "about": "Utility U and dU/dx of the injected points at the optimum of the poisoned lower level; made by "
        "tests/oracle/make_gradients.py, which says how. weights: one row a task, bias last. gradients: for each task "
        "one row an injected point, d entries; empty where nothing is injected. N_i counts clean and injected points.",
        "tolerances": TOLERANCES,
        "problems": [describe(100 * (i + 1), *case) for i, case in enumerate(CASES)],
    }
    write("gradients.json", content)


if __name__ == "__main__":
    main()
