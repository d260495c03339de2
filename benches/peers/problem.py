"""What the peers share: a CSV of tasks as padded arrays, losses for all tasks at once, timing.

Weights are m x D here, one row a task, the bias last. Tasks of unequal size are padded with
points of share 0, so that one batched product serves all of them.
"""

from __future__ import annotations

import csv
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# One thread, as a solve of the engine has: more only slow products of these sizes down. Read when NumPy loads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402

LOSSES = ("squared", "squared_hinge")


@dataclass
class Stacked:
    """Points of all tasks: `x` is m x n x D, `y` is m x n, `share` is 1 / N_i, or 0 where padded; and their moments."""

    loss: str
    x: np.ndarray
    y: np.ndarray
    share: np.ndarray
    gram: np.ndarray
    cross: np.ndarray
    square: float

    @classmethod
    def of(cls, loss: str, x: np.ndarray, y: np.ndarray, share: np.ndarray) -> Stacked:
        weighted = (x * share[:, :, None]).transpose(0, 2, 1)
        cross = (weighted @ y[:, :, None])[:, :, 0]
        return cls(loss, x, y, share, weighted @ x, cross, float((share * y**2).sum()))

    def joined(self, other: Stacked) -> Stacked:
        """Both sets of points; nothing is computed again."""
        parts = [
            np.concatenate(pair, axis=1) for pair in ((self.x, other.x), (self.y, other.y), (self.share, other.share))
        ]
        moments = self.gram + other.gram, self.cross + other.cross, self.square + other.square
        return Stacked(self.loss, *parts, *moments)

    @property
    def shape(self) -> tuple[int, int]:
        return self.x.shape[0], self.x.shape[2]

    def value_and_gradient(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        if self.loss == "squared":
            image = (self.gram @ weights[:, :, None])[:, :, 0]
            return float((weights * (image - 2.0 * self.cross)).sum()) + self.square, 2.0 * (image - self.cross)
        slack = np.maximum(0.0, 1.0 - self.y * (self.x @ weights[:, :, None])[:, :, 0])
        pull = self.share * slack
        return float((pull * slack).sum()), -2.0 * ((pull * self.y)[:, None, :] @ self.x)[:, 0, :]

    def hessian_blocks(self, weights: np.ndarray) -> np.ndarray:
        """m x D x D."""
        if self.loss == "squared":
            return 2.0 * self.gram
        active = self.y * (self.x @ weights[:, :, None])[:, :, 0] < 1.0
        return 2.0 * (self.x * (self.share * active)[:, :, None]).transpose(0, 2, 1) @ self.x


def read_rows(path: str) -> dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """TASKS.csv (task,label,x1..xd) or points.csv (task,split,label,x1..xd): split -> task -> points, labels."""
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    first = header.index("label")
    found: dict[str, dict[str, list[list[str]]]] = {}
    for row in rows:
        split = row[1] if first == 2 else "train"
        found.setdefault(split, {}).setdefault(row[0], []).append(row[first:])
    numbers = {s: {t: np.array(r, dtype=float) for t, r in tasks.items()} for s, tasks in found.items()}
    return {s: {t: (a[:, 1:], a[:, 0]) for t, a in tasks.items()} for s, tasks in numbers.items()}


def stack(loss: str, points: list[np.ndarray], labels: list[np.ndarray], sizes: Sequence[int] | None = None) -> Stacked:
    """`sizes` are the N_i, where they are not the number of points given."""
    m, n, d = len(points), max(map(len, labels)), points[0].shape[1]
    x, y, share = np.zeros((m, n, d + 1)), np.zeros((m, n)), np.zeros((m, n))
    for i, (p, label) in enumerate(zip(points, labels)):
        k = len(label)
        x[i, :k, :d], x[i, :k, d], y[i, :k] = p, 1.0, label
        share[i, :k] = 1.0 / (sizes[i] if sizes else k)
    return Stacked.of(loss, x, y, share)


def penalty_value_and_gradient(
    weights: np.ndarray, lambda1: float, lambda2: float, epsilon: float
) -> tuple[float, np.ndarray]:
    """lambda1/2 |W|^2 + lambda2/2 (tr S)^2 with S = (W W' + epsilon I)^(1/2) in this layout; epsilon > 0."""
    values, basis = np.linalg.eigh(weights @ weights.T)
    s = np.sqrt(np.maximum(values, 0.0) + epsilon)
    trace = s.sum()
    gradient = lambda1 * weights + lambda2 * trace * ((basis / s) @ (basis.T @ weights))
    return 0.5 * lambda1 * float((weights**2).sum()) + 0.5 * lambda2 * trace**2, gradient


def timed(repeat: int, work: Callable[[], Any]) -> tuple[float, Any]:
    """Median wall time of `repeat` runs, and the last result."""
    seconds, result = [], None
    for _ in range(repeat):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), result


def emit(what: str, seconds: float, objective: float, **more: Any) -> None:
    print(json.dumps({"what": what, "seconds": seconds, "objective": objective, **more}), flush=True)
