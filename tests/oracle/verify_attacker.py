"""What a report says of its attacker, derived again: the points that it sees, its own model, its utility, its starts.

Used by verify_report.py. Knows nothing of the engine; the ranking utility is the sum over all pairs.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

import reference
from reference import Problem


def ranking(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the pairs of a positive and a negative point of max(0, 1 - (s+ - s-))^2."""
    positive, negative = scores[labels > 0.0], scores[labels < 0.0]
    if not len(positive) or not len(negative):
        return 0.0
    gaps = 1.0 - (positive[:, None] - negative[None, :])
    return float(np.mean(np.maximum(gaps, 0.0) ** 2))


def utility(spec: dict[str, Any], seen: Problem, targets: list[int], weights: np.ndarray) -> tuple[float, float]:
    """The utility of the clean points that the attacker sees, and its tolerance."""
    value, scale = 0.0, 0.0
    for k in targets:
        x, y = seen.features[k], seen.labels[k]
        scores = x @ weights[:, k]
        if spec.get("utility", "training_loss") == "ranking":
            value += ranking(scores, y)
            scale += 1.0
        else:
            value += float(reference.loss_values(seen.loss, scores, y).sum())
            scale += float(reference.loss_values(seen.loss, np.zeros(len(y)), y).sum())
    return value, 1e-11 * (value + scale)


def check_known(found: Any, report: dict[str, Any], points: Any) -> None:
    """The share of each task's clean training points that the attacker sees, at least one."""
    share = report["spec"].get("knowledge", 1.0)
    limited = share < 1.0
    found.check(points.has_known == limited, "points.csv: known is there with full knowledge, or lacks without it")
    found.check(("surrogate" in report) == limited, "surrogate: there with full knowledge, or missing without it")
    if not (limited and points.has_known):
        return
    for k, flags in enumerate(points.known["train"]):
        expected = max(1, int(Fraction(str(share)) * len(flags) + Fraction(1, 10**9)))
        found.check(int(flags.sum()) == expected, f"known: task {k}: {flags.sum()} of {len(flags)}, share {share}")
    for split in ("test", "injected"):
        found.check(all(flags.all() for flags in points.known[split]), f"known: a {split} point is marked unseen")


def check_starts(found: Any, report: dict[str, Any]) -> None:
    """The largest utility wins, the first of equals, and the rest of the report is of that start."""
    count = report["spec"].get("starts", 1)
    if count == 1 or "starts" not in report:
        found.check("starts" not in report and count == 1, "starts: there with one start, or missing with several")
        return
    won, results = report["starts"]["won"], report["starts"]["results"]
    utilities = [result["utility"] for result in results]
    found.check(len(results) == count, f"starts: {len(results)} results of {count} starts")
    if found.check(won == utilities.index(max(utilities)), f"starts: {won} won with utilities {utilities}"):
        last = report["trace"][-1]
        for field in ("utility", "metric"):
            found.check(results[won][field] == last[field], f"starts: the winner's {field} is not the last of the trace")
