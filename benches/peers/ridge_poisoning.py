"""One-task ridge poisoning: holisticai's RidgeGDPoisoner on the diabetes data, and the same problem for `patom`.

Usage: python3 benches/peers/ridge_poisoning.py --out DIR [--repeat K] [--seed S] [--check POINTS.csv ...]

Attacks 300 of the 442 points of scikit-learn's diabetes data (features and label scaled to
[0, 1] by smallest and largest value) with 75 injected ones at the class's default settings,
and writes into DIR
 diabetes.csv            the very same data, task,split,label,x1..x10, features minus 1/2: 300 train, 142 test;
 diabetes.spec.json      the same problem in the terms of `patom run` (README.md says why it is the same);
 holisticai_points.csv   its injected points, in the same coordinates.
Prints one JSON line: what, seconds (median of K), objective (mean squared error of the poisoned
model on the clean training points), and the same with test error and the class's own objective
for no injected points (clean), for those the attack starts from and for those it ends with.

--check judges a run of `patom` by the same measure: the injected rows of its points.csv are
put back into the coordinates above, tested against the box, and scikit-learn's Ridge is
fitted on them and the clean points; one more JSON line each.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
from pathlib import Path

# First, for it sets the number of threads.
from problem import emit, read_rows, timed

import numpy as np
import pandas as pd
from holisticai.robustness.attackers.regression.gb_attackers import RidgeGDPoisoner
from holisticai.robustness.attackers.regression.initializers import inf_flip
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

TRAIN, INJECTED = 300, 75
ALPHA = 0.1  # fixed inside the class


def load(seed: int) -> tuple[np.ndarray, np.ndarray]:
    data = load_diabetes()
    x, y = data.data, data.target
    x = (x - x.min(0)) / (x.max(0) - x.min(0))
    y = (y - y.min()) / (y.max() - y.min())
    order = np.random.default_rng(seed).permutation(len(y))
    return x[order], y[order]


def damage(x: np.ndarray, y: np.ndarray, extra_x: np.ndarray, extra_y: np.ndarray) -> dict[str, float]:
    """What a ridge regression on clean and extra points is worth: mean squared errors on the clean training points
    and the test points, and what the class itself maximises."""
    model = Ridge(alpha=ALPHA).fit(np.vstack([x[:TRAIN], extra_x]), np.concatenate([y[:TRAIN], extra_y]))
    errors = (model.predict(x) - y) ** 2
    train, test = float(errors[:TRAIN].mean()), float(errors[TRAIN:].mean())
    own = train + ALPHA * float(np.linalg.norm(model.coef_)) / 2.0
    return {"train_mse": train, "test_mse": test, "its_objective": own}


def attack(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    # It draws from NumPy's global generator. Its proportion is of all points: 75 of 375.
    np.random.seed(seed)
    poisoner = RidgeGDPoisoner(poison_proportion=INJECTED / (TRAIN + INJECTED))
    extra_x, extra_y = poisoner.generate(pd.DataFrame(x[:TRAIN]), pd.Series(y[:TRAIN]), return_only_poisoned=True)
    return np.asarray(extra_x, dtype=float), np.asarray(extra_y, dtype=float)


def start(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The points that the attack starts from, drawn again."""
    np.random.seed(seed)
    extra_x, extra_y = inf_flip(x[:TRAIN], y[:TRAIN], INJECTED / (TRAIN + INJECTED))
    return np.asarray(extra_x), np.asarray(extra_y)


def write_points(path: Path, parts: list[tuple[str, np.ndarray, np.ndarray]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["task", "split", "label", *(f"x{k + 1}" for k in range(10))])
        for split, x, y in parts:
            writer.writerows(["diabetes", split, float(b), *map(float, a - 0.5)] for a, b in zip(x, y))


def spec(x: np.ndarray) -> dict[str, object]:
    scale = largest_norm(x)
    half = ALPHA / ((TRAIN + INJECTED) * scale**2)
    return {
        "dataset": "diabetes.csv",
        "targets": [0],
        "attackers": [0],
        "attack": "direct",
        "method": "patom",
        "gradient": "implicit_total",
        "step": "backtracking",
        "iterations": 15,
        "budget": INJECTED / TRAIN,
        "radius": 0.5 / scale,
        "injected_labels": "uniform",
        "loss": "squared",
        "lambda1": half,
        "lambda2": half,
        "epsilon": 1e-6,
        "solver": "certified",
        "target_scaling": "raw",
        "seed": 1,
    }


def largest_norm(x: np.ndarray) -> float:
    """What `patom` divides the features of diabetes.csv by."""
    return float(np.linalg.norm(x - 0.5, axis=1).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", nargs="*", default=[])
    a = parser.parse_args()
    logging.getLogger().setLevel(logging.WARNING)
    x, y = load(a.seed)
    a.out.mkdir(parents=True, exist_ok=True)
    write_points(a.out / "diabetes.csv", [("train", x[:TRAIN], y[:TRAIN]), ("test", x[TRAIN:], y[TRAIN:])])
    (a.out / "diabetes.spec.json").write_text(json.dumps(spec(x), indent=1) + "\n")

    clean = damage(x, y, x[:0], y[:0])
    if a.repeat:
        seconds, (extra_x, extra_y) = timed(a.repeat, lambda: attack(x, y, a.seed))
        write_points(a.out / "holisticai_points.csv", [("injected", extra_x, extra_y)])
        after = damage(x, y, extra_x, extra_y)
        before = damage(x, y, *start(x, y, a.seed))
        what = "ridge poisoning, holisticai RidgeGDPoisoner"
        emit(what, seconds, after["train_mse"], injected=len(extra_y), clean=clean, start=before, end=after)
    for path in a.check:
        ((extra, extra_y),) = read_rows(path)["injected"].values()
        extra_x = extra * largest_norm(x) + 0.5
        # Positive where a feature or a label leaves [0, 1].
        outside = float(max(np.max(np.abs(extra_x - 0.5)), np.max(np.abs(extra_y - 0.5)))) - 0.5
        after = damage(x, y, extra_x, extra_y)
        line = {"what": f"ridge poisoning, {path}", "objective": after["train_mse"], "injected": len(extra_y)}
        print(json.dumps({**line, "outside_box": outside, "clean": clean, "end": after}))


if __name__ == "__main__":
    main()
