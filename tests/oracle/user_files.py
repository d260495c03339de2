"""Makes random user files and specifications for the verifier of reports.

Usage: python3 tests/oracle/user_files.py FOLDER [COUNT]

Writes FOLDER/NAME.csv and FOLDER/NAME.json (a specification that names it) for NAME user_0 and so
on, the same ones every time: regression and classification, with a split column and without, few and
many tasks of odd sizes, columns in any order, labels of any size, both solvers, every attack.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def table(random: np.random.Generator, classes: bool, split: bool, sizes: list[int], d: int, scale: float) -> str:
    shared = random.normal(size=d)
    columns = ["task", "label", *(f"x{k + 1}" for k in range(d)), *(["split"] if split else [])]
    order = random.permutation(len(columns))
    rows = []
    for task, size in enumerate(sizes):
        weights = shared + 0.5 * random.normal(size=d)
        for at in range(size):
            x = random.normal(size=d) * 10.0 ** random.integers(-1, 2)
            score = float(x @ weights + 0.3 * random.normal())
            label = ("1" if score > 0 else "0") if classes else repr(scale * score)
            part = ["train", "test"][at % 2 if at < 2 else int(random.integers(0, 2))]
            cells = [f"t{task}", label, *map(repr, map(float, x)), *([part] if split else [])]
            rows.append(",".join(cells[k] for k in order))
    random.shuffle(rows)
    return "\n".join([",".join(columns[k] for k in order), *rows]) + "\n"


def specification(random: np.random.Generator, classes: bool, split: bool, m: int) -> dict[str, Any]:
    def choice(words: str) -> str:
        return str(random.choice(words.split()))

    def magnitude(low: float, high: float) -> float:
        return float(10.0 ** random.uniform(low, high))

    spec: dict[str, Any] = {
        "attack": choice("direct indirect hybrid") if m > 1 else "direct",
        "method": choice("patom patom random"),
        "gradient": choice("published implicit implicit_total"),
        "step": choice("constant backtracking"),
        "solver": choice("certified certified alternating"),
        "loss": choice("squared squared_hinge") if classes else "squared",
        "injected_labels": choice("uniform flipped" if classes else "uniform resampled"),
        "iterations": int(random.integers(0, 4)),
        "budget": float(random.uniform(0, 1)),
        "radius": magnitude(-1, 0.5),
        "lambda1": magnitude(-3, 1),
        "lambda2": float(random.choice([0.0, magnitude(-3, 1)])),
        "epsilon": magnitude(-8, -1),
        "seed": int(random.integers(0, 2**53)),
    }
    if not classes:
        spec["target_scaling"] = choice("standardised raw")
    if not split:
        spec["train_share"] = float(random.uniform(0.3, 0.8))
    if m > 1:
        targets = random.permutation(m)[: int(random.integers(1, m))]
        spec["targets"] = sorted(map(int, targets))
    return spec


def main(arguments: list[str]) -> int:
    folder, count = Path(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 24
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        random = np.random.default_rng([20261122, number])
        classes, split = bool(number % 2), bool(number // 2 % 2)
        sizes = [int(n) for n in random.integers(5, 40, size=int(random.integers(1, 7)))]
        scale = float(10.0 ** random.integers(-4, 5))
        text = table(random, classes, split, sizes, int(random.integers(1, 9)), scale)
        spec = specification(random, classes, split, len(sizes))
        (folder / f"user_{number}.csv").write_text(text, encoding="utf-8")
        spec["dataset"] = str(folder / f"user_{number}.csv")
        (folder / f"user_{number}.json").write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
