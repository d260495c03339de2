"""Solves of growing size by NumPy and SciPy, on related regression tasks.

Usage: python3 benches/peers/growth.py OUT M,N,D [M,N,D ...] [--repeat K]

M tasks of N points with D features: a truth that the tasks share and one of their own, lambda1 = lambda2 =
0.01, squared loss. Writes OUT/MxNxD.csv for `patom solve`, and prints the lines of lower_level.py with `size`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

# First, for it sets the number of threads.
from problem import emit, stack, timed

import numpy as np
from lower_level import solve_numpy, solve_scipy

WEIGHT, EPSILON, TOLERANCE = 0.01, 1e-6, 1e-9
# With more, L-BFGS decomposes an m x m matrix in each of thousands of steps.
MOST_TASKS = 200


def related_tasks(m: int, n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """m x n x d points, m x n labels."""
    random = np.random.default_rng(1)
    shared = random.normal(size=(2, d))
    truth = random.normal(size=(m, 2)) @ shared + 0.3 * random.normal(size=(m, d))
    points = random.normal(size=(m, n, d)) / (2.0 * np.sqrt(d))
    labels = (points @ truth[:, :, None])[:, :, 0] + 0.1 * random.normal(size=(m, n))
    return points, labels


def write(path: Path, points: np.ndarray, labels: np.ndarray) -> None:
    m, n, d = points.shape
    rows = np.concatenate([np.repeat(np.arange(m), n)[:, None], labels.reshape(-1, 1), points.reshape(-1, d)], axis=1)
    header = ",".join(["task", "label", *(f"x{k + 1}" for k in range(d))])
    np.savetxt(path, rows, "%.17g", delimiter=",", header=header, comments="")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("sizes", nargs="+")
    parser.add_argument("--repeat", type=int, default=3)
    a = parser.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    import scipy.optimize  # noqa: F401 - before the clock runs

    for size in a.sizes:
        points, labels = related_tasks(*map(int, size.split(",")))
        write(a.out / f"{size.replace(',', 'x')}.csv", points, labels)
        # Gram matrices are part of the work.
        data = lambda: stack("squared", list(points), list(labels))  # noqa: E731
        seconds, (objective, bound) = timed(a.repeat, lambda: solve_numpy(data(), WEIGHT, WEIGHT, TOLERANCE))
        emit("lower level, numpy proximal gradient", seconds, objective, certificate=bound, size=size)
        if len(points) > MOST_TASKS:
            continue
        seconds, (objective, bound) = timed(a.repeat, lambda: solve_scipy(data(), WEIGHT, WEIGHT, EPSILON, TOLERANCE))
        emit("lower level, scipy L-BFGS-B", seconds, objective, certificate=bound, size=size)


if __name__ == "__main__":
    main()
