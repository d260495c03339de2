"""A whole PATOM attack in vectorised NumPy: direct, backtracking, exact gradient, warm-started Newton.

Usage: python3 benches/peers/whole_attack.py POINTS.csv [--loss L] [--lambda1 A] [--lambda2 B]
           [--epsilon E] [--targets 0,1,2] [--budget B] [--iterations N] [--seed S] [--repeat K]

POINTS.csv is a run's points.csv (task,split,label,x1..xd). Its train rows are the clean
points and its test rows give the metric. Where it holds injected rows of a target, their
number and labels are taken; else floor(budget n_i) labels are drawn uniformly between the
smallest and largest clean one (classification: -1 or +1). The first positions are drawn
uniformly in the unit ball here, so a run of the engine starts elsewhere: compare the time
an iteration, and damage only over seeds.

Prints one JSON line: what, seconds (median of K, the whole attack from the clean points on),
objective (P of the poisoned problem at the end), utility and mean target metric before and
after, iterations, lower-level solves.

What makes it fast: the Gram matrices of the clean points once, only the injected part
renewed; Newton on all of W with the Hessian assembled by einsum in the eigenbasis of S;
warm starts. What the design document calls `implicit_total`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

# First, for it sets the number of threads.
from problem import LOSSES, Stacked, emit, penalty_value_and_gradient, read_rows, stack, timed

import numpy as np


@dataclass
class Model:
    """The penalties of the lower level, and a count of its solves."""

    lambda1: float
    lambda2: float
    epsilon: float
    solves: int = 0

    def value_and_gradient(self, data: Stacked, weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = data.value_and_gradient(weights)
        penalty, slope = penalty_value_and_gradient(weights, self.lambda1, self.lambda2, self.epsilon)
        return value + penalty, gradient + slope

    def hessian(self, data: Stacked, weights: np.ndarray) -> np.ndarray:
        """(m D) x (m D), task after task."""
        m, rows = weights.shape
        values, basis = np.linalg.eigh(weights @ weights.T)
        s = np.sqrt(np.maximum(values, 0.0) + self.epsilon)
        turned = basis.T @ weights
        slope = (basis / s) @ turned
        # In the eigenbasis of S, with rows W_a: (K V)_b = V_b / s_b - sum over a of c_ab W_a (V_a.W_b + W_a.V_b).
        c = 1.0 / (s[:, None] * s[None, :] * (s[:, None] + s[None, :]))
        own = np.eye(rows) / s[:, None, None] - np.tensordot(c, turned[:, :, None] * turned[:, None, :], 1)
        k = -c[:, None, :, None] * turned.T[None, :, :, None] * turned[:, None, None, :]
        k[np.arange(m), :, np.arange(m), :] += own
        # k is [b, i, a, j]: the row (b, i) of the image by the entry (a, j) of V. Back to the tasks:
        k = np.tensordot(basis, k, (1, 0))
        k = np.tensordot(k, basis, (2, 1)).transpose(0, 1, 3, 2)
        h = self.lambda2 * (s.sum() * k + slope[:, :, None, None] * slope[None, None, :, :])
        h[np.arange(m), :, np.arange(m), :] += data.hessian_blocks(weights)
        flat = h.reshape(m * rows, m * rows)
        flat[np.diag_indices(m * rows)] += self.lambda1
        return flat

    def solve(self, data: Stacked, weights: np.ndarray, tolerance: float = 1e-9) -> np.ndarray:
        """Newton with halving to the certificate `tolerance` max(1, P)."""
        self.solves += 1
        value, gradient = self.value_and_gradient(data, weights)
        for _ in range(100):
            if float((gradient**2).sum()) / (2.0 * self.lambda1) <= tolerance * max(1.0, value):
                break
            step = np.linalg.solve(self.hessian(data, weights), -gradient.ravel()).reshape(weights.shape)
            decrease, length = float((gradient * step).sum()), 1.0
            while True:
                trial_value, trial_gradient = self.value_and_gradient(data, weights + length * step)
                if trial_value <= value + 1e-4 * length * decrease or length < 1e-6:
                    break
                length *= 0.5
            weights, value, gradient = weights + length * step, trial_value, trial_gradient
        return weights


def ascent_direction(injected: Stacked, hessian: np.ndarray, pull: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """dU/dx of the injected points, m x n x d: `pull` is dU/dW."""
    v = np.linalg.solve(hessian, pull.ravel()).reshape(weights.shape)
    scores = (injected.x @ weights[:, :, None])[:, :, 0]
    along = (injected.x @ v[:, :, None])[:, :, 0]
    if injected.loss == "squared":
        slopes, curvatures = 2.0 * (scores - injected.y), 2.0
    else:
        slack = np.maximum(0.0, 1.0 - injected.y * scores)
        slopes, curvatures = -2.0 * injected.y * slack, 2.0 * (slack > 0.0)
    first = (injected.share * slopes)[:, :, None] * v[:, None, :]
    second = (injected.share * curvatures * along)[:, :, None] * weights[:, None, :]
    return -(first + second)[:, :, :-1]


def project(points: np.ndarray) -> np.ndarray:
    return points / np.maximum(1.0, np.linalg.norm(points, axis=-1, keepdims=True))


@dataclass
class Start:
    """Clean points, and the injected ones before the attack."""

    points: list[np.ndarray]
    labels: list[np.ndarray]
    injected: list[np.ndarray]
    injected_labels: list[np.ndarray]
    targets: list[int]


def attack(loss: str, model: Model, start: Start, iterations: int) -> dict[str, object]:
    model.solves = 0
    sizes = [len(y) + len(z) for y, z in zip(start.labels, start.injected_labels)]
    clean = stack(loss, start.points, start.labels, sizes)
    injected = stack(loss, start.injected, start.injected_labels, sizes)
    share = np.zeros_like(clean.share)
    share[start.targets] = clean.share[start.targets] > 0.0
    # With share 1 for the targets' clean points and 0 elsewhere, the data part is the utility.
    targets = Stacked.of(loss, clean.x, clean.y, share)

    def moved(points: np.ndarray) -> Stacked:
        # The gradient of a padded point is 0, so it stays where it is.
        return Stacked.of(loss, np.concatenate([points, injected.x[:, :, -1:]], axis=2), injected.y, injected.share)

    data = clean.joined(injected)
    weights = model.solve(data, np.zeros(clean.shape))
    utility, pull = targets.value_and_gradient(weights)
    trace, length = [utility], 1.0
    for _ in range(iterations):
        direction = ascent_direction(injected, model.hessian(data, weights), pull, weights)
        for _ in range(30):
            trial = moved(project(injected.x[:, :, :-1] + length * direction))
            trial_data = clean.joined(trial)
            trial_weights = model.solve(trial_data, weights)
            trial_utility, trial_pull = targets.value_and_gradient(trial_weights)
            if trial_utility > utility:
                break
            length *= 0.25
        else:
            break
        injected, data, weights, utility, pull = trial, trial_data, trial_weights, trial_utility, trial_pull
        trace.append(utility)
        length *= 2.0
    return {"weights": weights, "trace": trace, "objective": model.value_and_gradient(data, weights)[0]}


def mean_metric(loss: str, weights: np.ndarray, test: list[tuple[np.ndarray, np.ndarray]], targets: list[int]) -> float:
    values = []
    for i in targets:
        x, y = test[i]
        scores = x @ weights[i, :-1] + weights[i, -1]
        if loss == "squared":
            values.append(float(((scores - y) ** 2).mean() / y.var()))
        elif len(set(y)) == 2:
            gaps = scores[y > 0][:, None] - scores[y < 0][None, :]
            values.append(float(((gaps > 0) + 0.5 * (gaps == 0)).mean()))
    return float(np.mean(values))


def read_start(a: argparse.Namespace) -> tuple[Start, list[tuple[np.ndarray, np.ndarray]]]:
    rows = read_rows(a.points)
    names = list(rows["train"])
    points, labels = [rows["train"][t][0] for t in names], [rows["train"][t][1] for t in names]
    d = points[0].shape[1]
    rng = np.random.default_rng(a.seed)
    injected, injected_labels = [], []
    for i, name in enumerate(names):
        known = rows.get("injected", {}).get(name)
        count = 0 if i not in a.targets else len(known[1]) if known else int(a.budget * len(labels[i]))
        x = rng.standard_normal((count, d))
        x *= rng.random((count, 1)) ** (1.0 / d) / np.linalg.norm(x, axis=1, keepdims=True)
        if known and count:
            y = known[1]
        elif a.loss == "squared":
            y = rng.uniform(labels[i].min(), labels[i].max(), count)
        else:
            y = rng.choice([-1.0, 1.0], count)
        injected.append(x)
        injected_labels.append(y)
    test = [rows["test"][t] for t in names]
    return Start(points, labels, injected, injected_labels, a.targets), test


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("points")
    parser.add_argument("--loss", choices=LOSSES, default="squared")
    parser.add_argument("--lambda1", type=float, default=0.1)
    parser.add_argument("--lambda2", type=float, default=0.1)
    parser.add_argument("--epsilon", type=float, default=1e-6)
    parser.add_argument("--targets", type=lambda text: [int(k) for k in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--budget", type=float, default=0.2)
    parser.add_argument("--iterations", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    a = parser.parse_args()
    start, test = read_start(a)
    model = Model(a.lambda1, a.lambda2, a.epsilon)
    clean = stack(a.loss, start.points, start.labels)
    clean_weights = model.solve(clean, np.zeros(clean.shape))
    seconds, result = timed(a.repeat, lambda: attack(a.loss, model, start, a.iterations))
    trace = result["trace"]
    emit(
        "whole direct attack, numpy",
        seconds,
        result["objective"],
        clean_objective=model.value_and_gradient(clean, clean_weights)[0],
        utility_start=trace[0],
        utility_end=trace[-1],
        metric_clean=mean_metric(a.loss, clean_weights, test, a.targets),
        metric_attacked=mean_metric(a.loss, result["weights"], test, a.targets),
        iterations=len(trace) - 1,
        lower_level_solves=model.solves,
    )


if __name__ == "__main__":
    main()
