"""Re-derives report.json from points.csv, in NumPy, knowing nothing of the engine.

Usage: python3 tests/oracle/verify_report.py DIR [DIR...]

Each DIR holds the two files that `patom run` writes. From the points alone come the ball or the
observed values, the budget, the scaling of features and labels, single-task learning; with the
stated weights also objective, certificate, correlation, metrics and utility. The rest of the report (trace, attack relation, digest) is
checked for agreement with that and with itself. Every discrepancy is named; the exit code
is 0 without any, 1 with some, 2 without arguments. Lines marked `note` are no discrepancies.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
import struct
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import defence_reference
import reference
import verify_attacker
import verify_defence
from reference import Problem

# Unit roundoff, with room for the constants of sums and decompositions.
ROUNDING = 64 * np.finfo(float).eps
# Points are written with all digits, but a norm computed in another order may exceed 1 by an ulp or two.
BALL_TOLERANCE = 1e-12
# Means and deviations of some hundred standardised labels.
SCALING_TOLERANCE = 1e-9
# NMSE and AUC from the same weights and points differ by rounding only.
METRIC_TOLERANCE = 1e-9
# The contract's tolerance of the certified solver, relative to max(1, P).
CERTIFIED_TOLERANCE = 1e-9
MODEL_FIELDS = ("weights", "correlation", "objective", "certificate", "metric_per_task", "solver_status")
TRACE_FIELDS = ("iteration", "utility", "metric", "metric_per_task", "objective", "certificate", "seconds")
REPORT_FIELDS = (
    "spec",
    "engine",
    "data_sha256",
    "target_tasks",
    "attacking_tasks",
    "clean",
    "attacked",
    "trace",
    "digest",
)


class Findings:
    """What one report was found to be."""

    def __init__(self) -> None:
        self.checks = 0
        self.discrepancies: list[str] = []
        self.notes: list[str] = []

    def check(self, holds: bool | np.bool_, words: str) -> bool:
        """`holds` must be written so that NaN makes it false."""
        self.checks += 1
        if not holds:
            self.discrepancies.append(words)
        return bool(holds)

    def close(self, name: str, stated: float | None, derived: float | None, tolerance: float) -> bool:
        if stated is None or derived is None:
            return self.check(stated is derived, f"{name}: stated {stated}, derived {derived}")
        error = abs(stated - derived)
        return self.check(
            error <= tolerance, f"{name}: stated {stated!r}, derived {derived!r}, tolerance {tolerance:.1e}"
        )


# ---------------------------------------------------------------- points.csv


class Points:
    """The rows of points.csv: for each split one array of features and one of labels a task."""

    SPLITS = ("train", "test", "injected")

    def __init__(self, path: Path) -> None:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        header, rows = rows[0], rows[1:]
        # Last columns: which training points a sanitiser keeps, which ones the attacker sees.
        marks: dict[str, np.ndarray] = {}
        for name in ("kept", "known"):
            if header[-1] == name:
                marks[name] = np.array([row[-1] for row in rows])
                if not np.isin(marks[name], ("0", "1")).all():
                    raise ValueError(f"points.csv: an entry of {name} that is neither 0 nor 1")
                header, rows = header[:-1], [row[:-1] for row in rows]
        d = len(header) - 3
        if header != ["task", "split", "label", *(f"x{k + 1}" for k in range(d))] or d < 1:
            raise ValueError(f"points.csv: header {header[:6]}... instead of task,split,label,x1,...,xd")
        for line, row in enumerate(rows, start=2):
            if len(row) != len(header) or row[1] not in self.SPLITS:
                raise ValueError(f"points.csv, line {line}: {len(row)} entries, split {row[1:2]}")
        self.names = list(dict.fromkeys(row[0] for row in rows))
        order = {name: k for k, name in enumerate(self.names)}
        numbers = np.array([row[2:] for row in rows], dtype=float)
        if not np.isfinite(numbers).all():
            raise ValueError("points.csv: a number that is not finite")
        task = np.array([order[row[0]] for row in rows])
        split = np.array([row[1] for row in rows])
        self.features: dict[str, list[np.ndarray]] = {}
        self.labels: dict[str, list[np.ndarray]] = {}
        flags = {name: marks[name] == "1" if name in marks else np.ones(len(rows), bool) for name in ("kept", "known")}
        self.kept: dict[str, list[np.ndarray]] = {}
        self.known: dict[str, list[np.ndarray]] = {}
        for word in self.SPLITS:
            where = [(task == k) & (split == word) for k in range(len(self.names))]
            self.features[word] = [numbers[rows_of, 1:] for rows_of in where]
            self.labels[word] = [numbers[rows_of, 0] for rows_of in where]
            self.kept[word] = [flags["kept"][rows_of] for rows_of in where]
            self.known[word] = [flags["known"][rows_of] for rows_of in where]
        self.has_kept, self.has_known = "kept" in marks, "known" in marks

    @property
    def tasks(self) -> int:
        return len(self.names)

    def count(self, split: str, task: int) -> int:
        return len(self.labels[split][task])

    def problem(
        self, spec: dict[str, Any], with_injected: bool, only: dict[str, list[np.ndarray]] | None = None
    ) -> Problem:
        """Of all training points, or of those that are `kept` or `known` only."""
        splits = ("train", "injected") if with_injected else ("train",)
        spec = verify_defence.effective(spec)

        def of(blocks: dict[str, list[np.ndarray]], k: int) -> list[np.ndarray]:
            return [blocks[s][k][only[s][k]] if only else blocks[s][k] for s in splits]

        return Problem(
            spec["loss"],
            float(spec["lambda1"]),
            float(spec["lambda2"]),
            float(spec["epsilon"]),
            [np.vstack(of(self.features, k)) for k in range(self.tasks)],
            [np.concatenate(of(self.labels, k)) for k in range(self.tasks)],
        )


# ---------------------------------------------------------------- the points themselves


def check_task_names(found: Findings, report: dict[str, Any], points: Points) -> None:
    m = points.tasks
    if all(name.isdigit() for name in points.names) and {int(name) for name in points.names} == set(range(m)):
        found.check(points.names == [str(k) for k in range(m)], "points.csv: task numbers do not appear in order")
    elif "task_names" in report:
        found.check(points.names == report["task_names"], "points.csv: tasks appear in another order than task_names")
    if "task_names" in report:
        found.check(len(report["task_names"]) == m, "task_names: not one a task")
    found.check(all(points.count("train", k) for k in range(m)), "points.csv: a task without training points")


def check_balls(found: Findings, spec: dict[str, Any], points: Points) -> None:
    allowed = {"train": 1.0, "test": 1.0}
    if spec.get("feature_domain") != "observed":
        seen = [x[flags] for x, flags in zip(points.features["train"], points.known["train"])]
        allowed["injected"] = verify_defence.radius(spec, seen)
    for split, radius in allowed.items():
        norms = [float(np.linalg.norm(x, axis=1).max(initial=0.0)) for x in points.features[split]]
        for k, norm in enumerate(norms):
            found.check(
                norm <= radius * (1.0 + BALL_TOLERANCE), f"ball: task {k}, {split}: a norm of {norm!r}, radius {radius}"
            )


def check_observed(found: Findings, report: dict[str, Any], points: Points) -> None:
    """Injected values between the smallest and largest clean training value of their column, whole where they are."""
    if report["spec"].get("feature_domain", "ball") != "observed":
        return
    clean = np.vstack(points.features["train"])
    low, high = clean.min(axis=0), clean.max(axis=0)
    units = report.get("feature_units") or []
    if not found.check(len(units) == clean.shape[1], f"feature_units: {len(units)} of {clean.shape[1]} columns"):
        return
    scale, centre = np.array([u["scale"] for u in units]), np.array([u["centre"] for u in units])
    whole = np.array([u["whole"] for u in units])

    def distance(x: np.ndarray) -> float:
        """Largest distance of a value of a whole column from a whole number, beyond rounding."""
        values = (centre + scale * x)[:, whole]
        excess = np.abs(values - np.round(values)) - 1e-9 * np.maximum(1.0, np.abs(values))
        return float(excess.max(initial=0.0))

    found.check(distance(clean) <= 0.0, "feature_units: a whole column with a clean value that is not whole")
    for k, x in enumerate(points.features["injected"]):
        inside = (x >= low).all() and (x <= high).all()
        found.check(inside, f"observed: task {k}: an injected value outside the range of the clean ones")
        found.check(distance(x) <= 0.0, f"observed: task {k}: an injected value that is not whole")


def check_feature_scaling(found: Findings, report: dict[str, Any], points: Points) -> None:
    """Standardised columns: mean 0 over the training points of all tasks, all deviations the same (the common norm
    divides them), constant ones zero, and the point of the largest norm on the sphere where all points were drawn."""
    if report["spec"].get("feature_scaling", "none") != "standard":
        return
    clean = np.vstack(points.features["train"])
    size = float(np.abs(clean).max())
    means, deviations = clean.mean(axis=0), clean.std(axis=0)
    for k, mean in enumerate(means):
        found.check(abs(mean) <= SCALING_TOLERANCE * size, f"feature scaling: column {k + 1}: mean {mean!r}")
    moving = deviations > 0.0
    everything = np.vstack(points.features["train"] + points.features["test"])
    found.check((everything[:, ~moving] == 0.0).all(), "feature scaling: a constant column is not zero")
    if moving.any():
        spread = float(np.ptp(deviations[moving]) / deviations[moving].max())
        found.check(
            spread <= SCALING_TOLERANCE, f"feature scaling: the standard deviations differ by {spread:.1e} of them"
        )


def share_of_shared_rows(points: Points) -> float:
    """Share of the training rows whose features are those of a row of another task."""
    owners: dict[bytes, set[int]] = {}
    for k, rows in enumerate(points.features["train"]):
        for row in rows:
            owners.setdefault(row.tobytes(), set()).add(k)
    shared = [len(owners[row.tobytes()]) > 1 for rows in points.features["train"] for row in rows]
    return float(np.mean(shared))


def check_shared_rows(found: Findings, report: dict[str, Any], points: Points) -> None:
    """Rows apart: those of Sarcos are all different but for a few pairs of equal ones in the file."""
    if report["spec"].get("shared_rows", True):
        return
    share = share_of_shared_rows(points)
    found.check(share <= 0.01, f"shared rows: {share:.1%} of the training rows are in another task, too")
    tests = points.features["test"]
    found.check(all(np.array_equal(x, tests[0]) for x in tests), "shared rows: the tasks have different test rows")


def check_budget(found: Findings, report: dict[str, Any], points: Points) -> None:
    budget = report["spec"]["budget"]
    for k in range(points.tasks):
        injected, clean = points.count("injected", k), points.count("train", k)
        if k not in report["attacking_tasks"]:
            found.check(injected == 0, f"budget: task {k} is not attacked but holds {injected} injected points")
            continue
        # As a person reads the number: 0.29 * 100 is 28.999... in floating point, which engine 0.1.0 took.
        exact = math.floor(Fraction(str(budget)) * clean + Fraction(1, 10**9))
        allowed = {exact, math.floor(budget * clean)} if report["engine"].startswith("0.1.") else {exact}
        found.check(
            injected in allowed,
            f"budget: task {k} holds {injected} injected points, floor({budget} x {clean}) is {exact}",
        )


def check_injected_labels(found: Findings, report: dict[str, Any], points: Points) -> None:
    rule = report["spec"].get("injected_labels")
    for k in range(points.tasks):
        injected, clean = points.labels["injected"][k], points.labels["train"][k]
        if not len(injected) or not len(clean):
            continue
        if report["metric_name"] == "auc":
            found.check(np.isin(injected, (-1.0, 1.0)).all(), f"injected labels: task {k}: not all -1 or +1")
        else:
            room = SCALING_TOLERANCE * max(1.0, float(np.abs(clean).max()))
            inside = (injected >= clean.min() - room) & (injected <= clean.max() + room)
            found.check(inside.all(), f"injected labels: task {k}: outside the range of the clean ones")
            if rule == "resampled":
                found.check(np.isin(injected, clean).all(), f"injected labels: task {k}: not drawn from the clean ones")


def check_label_scaling(found: Findings, report: dict[str, Any], points: Points) -> None:
    if report["metric_name"] == "auc":
        labels = np.concatenate(points.labels["train"] + points.labels["test"])
        found.check(np.isin(labels, (-1.0, 1.0)).all(), "labels: a classification label that is not -1 or +1")
        return
    if report["spec"].get("target_scaling") != "standardised":
        return
    matching = {0: True, 1: True}
    for k, labels in enumerate(points.labels["train"]):
        found.check(abs(labels.mean()) <= SCALING_TOLERANCE, f"scaling: task {k}: mean {labels.mean()!r} of the labels")
        if np.ptp(labels) == 0.0:
            continue
        for ddof in matching:
            deviation = float(labels.std(ddof=ddof)) if len(labels) > ddof else math.nan
            matching[ddof] = matching[ddof] and abs(deviation - 1.0) <= SCALING_TOLERANCE
    found.check(
        matching[0],
        "scaling: labels do not have population standard deviation 1 (ddof 0); sample standard deviation 1 (ddof 1): "
        + ("yes" if matching[1] else "no"),
    )
    if matching[0]:
        found.notes.append("scaling: labels are standardised with the population standard deviation (ddof 0)")


# ---------------------------------------------------------------- models


def gradient_rounding(problem: Problem, weights: np.ndarray) -> float:
    """How far two honest computations of |grad P(W)| may differ. The data part: sums of terms of size
    |x| (|w'x| + |y|). The coupling: an engine that takes S from the eigenvalues of W'W, as the formulas say,
    has errors of u |W|^2 in them, which W S^-1 amplifies by up to 1 / epsilon."""
    data = sum(
        2.0 * float(np.mean(np.linalg.norm(x, axis=1) * (np.abs(x @ weights[:, k]) + np.abs(y))))
        for k, (x, y) in enumerate(zip(problem.features, problem.labels))
    )
    size = float(np.linalg.norm(weights))
    trace = reference.spectrum(weights, problem.epsilon).trace
    coupling = trace * (problem.tasks + size**2 / problem.epsilon)
    return float(ROUNDING * (data + problem.lambda1 * size + problem.lambda2 * coupling))


def check_certificate(
    found: Findings, name: str, model: dict[str, Any], problem: Problem, weights: np.ndarray, solver: str
) -> None:
    stated, status, value = model["certificate"], model["solver_status"], model["objective"]
    converged = status == "converged"
    if problem.epsilon == 0.0:
        if stated is None:
            found.notes.append(f"{name}: floor 0, no certificate stated")
            return
        better = reference.solve_proximal(problem, start=weights, tolerance=1e-9, iterations=2000).weights
        gain = reference.objective(problem, weights) - reference.objective(problem, better)
        found.check(
            gain <= stated + 1e-12 * max(1.0, value), f"{name}: certificate {stated!r}, but P can fall by {gain!r}"
        )
        return
    if problem.lambda1 == 0.0:
        found.notes.append(f"{name}: lambda1 = 0, no certificate exists")
        return
    norm = float(np.linalg.norm(reference.gradient(problem, weights)))
    rounding = gradient_rounding(problem, weights)
    stated_norm = math.sqrt(2.0 * problem.lambda1 * stated) if stated is not None and stated >= 0.0 else math.nan
    # Near the optimum the square hides how far apart two gradients are, so the norms are compared.
    found.check(
        abs(norm - stated_norm) <= rounding + 1e-6 * norm,
        f"{name}: certificate {stated!r} is that of a gradient of {stated_norm!r}, derived {norm!r}, "
        f"tolerance {rounding + 1e-6 * norm:.1e}",
    )
    if solver == "certified":
        surely = max(0.0, norm - rounding) ** 2 / (2.0 * problem.lambda1)
        reached = surely <= CERTIFIED_TOLERANCE * max(1.0, value)
        if converged:
            found.check(reached, f"{name}: converged, but the certificate is at least {surely!r} at P = {value!r}")
        else:
            found.notes.append(
                f"{name}: solver_status {status!r}, derived certificate {norm**2 / (2 * problem.lambda1):.2e}"
            )


def check_correlation(found: Findings, name: str, stated: Any, problem: Problem, weights: np.ndarray) -> None:
    m = problem.tasks
    matrix = np.array([[math.nan if e is None else e for e in row] for row in stated], dtype=float)
    if not found.check(matrix.shape == (m, m), f"{name}: correlation is {matrix.shape}, not {m} x {m}"):
        return
    s = reference.spectrum(weights, problem.epsilon)
    size = float(np.linalg.norm(weights))
    # An S from the eigenvalues of W'W: error u |W|^2 / (2 s) in an eigenvalue s, at floor 0 its root.
    error = (
        ROUNDING * (1.0 + size**2 / s.values.min()) if problem.epsilon > 0.0 else math.sqrt(ROUNDING) * max(1.0, size)
    )
    diagonal = np.diag(s.matrix)
    # An entry beside a vanishing diagonal has no defined value.
    defined = np.logical_and.outer(diagonal > 10.0 * error, diagonal > 10.0 * error)
    scale = np.sqrt(np.outer(diagonal, diagonal), out=np.ones((m, m)), where=defined)
    difference = np.abs(matrix - reference.correlation(weights, problem.epsilon))
    excess = np.where(defined, np.nan_to_num(difference, nan=np.inf) / (4.0 * error / scale + 1e-12), 0.0)
    i, j = np.unravel_index(int(np.argmax(excess)), excess.shape)
    found.check(
        excess[i, j] <= 1.0,
        f"{name}: correlation ({i}, {j}): stated {float(matrix[i, j])!r}, off by {difference[i, j]:.1e}, "
        f"{int((excess > 1.0).sum())} such entries",
    )


def auc_room(scores: np.ndarray, labels: np.ndarray, points: np.ndarray) -> float:
    """How much of the AUC hangs on pairs that rounding may order either way: equal scores of unequal points."""
    positive = labels > 0
    if not positive.any() or positive.all():
        return 0.0
    _, identity = np.unique(points, axis=0, return_inverse=True)
    identity = identity.ravel()
    near = np.abs(scores[positive][:, None] - scores[~positive][None, :]) <= ROUNDING * max(
        1.0, float(np.abs(scores).max())
    )
    near &= identity[positive][:, None] != identity[~positive][None, :]
    return 0.5 * float(near.mean())


def derive_metrics(metric: str, points: Points, weights: np.ndarray) -> list[tuple[float | None, float]]:
    """Metric of each task on its test points, and its tolerance."""
    derived: list[tuple[float | None, float]] = []
    for k, (x, y) in enumerate(zip(points.features["test"], points.labels["test"])):
        if not len(y):
            derived.append((None, 0.0))
            continue
        # Row by row, so that equal points have equal scores.
        scores = np.array([float(np.dot(row, weights[:-1, k])) for row in x]) + weights[-1, k]
        if metric == "auc":
            derived.append((reference.auc(scores, y), METRIC_TOLERANCE + auc_room(scores, y, x)))
        else:
            value = reference.nmse(scores, y)
            # Labels far from 0 lose digits of their variance.
            lost = 0.0 if value is None else ROUNDING * float(np.abs(y).max() ** 2 / y.var())
            derived.append((value, (METRIC_TOLERANCE + lost) * max(1.0, value or 0.0)))
    return derived


def check_metrics(found: Findings, name: str, stated: list[Any], derived: list[tuple[float | None, float]]) -> None:
    if found.check(len(stated) == len(derived), f"{name}: metric_per_task has {len(stated)} entries"):
        for k, (value, tolerance) in enumerate(derived):
            found.close(f"{name}: metric of task {k}", stated[k], value, tolerance)


def weights_of(found: Findings, name: str, model: dict[str, Any], shape: tuple[int, int]) -> np.ndarray | None:
    weights = np.array(model["weights"], dtype=float).T
    if not found.check(weights.shape == shape, f"{name}: weights are {weights.T.shape}, not {shape[::-1]}"):
        return None
    return weights if found.check(np.isfinite(weights).all(), f"{name}: a weight that is not finite") else None


def objective_tolerance(problem: Problem, weights: np.ndarray) -> float:
    """Rounding of residuals y - w'x, whose terms are as large as the labels."""
    return 1e-11 * (reference.objective(problem, weights) + reference.objective(problem, np.zeros(problem.shape)))


def check_model(found: Findings, name: str, report: dict[str, Any], points: Points) -> np.ndarray | None:
    """`name`: clean, attacked; defence.attacked, which is trained on the kept points; surrogate, on the known ones."""
    spec = report["spec"]
    model = report["defence"]["attacked"] if name == "defence.attacked" else report[name]
    only = {"defence.attacked": points.kept, "surrogate": points.known}.get(name)
    problem = points.problem(spec, with_injected=name != "clean", only=only)
    weights = weights_of(found, name, model, problem.shape)
    if weights is None:
        return None
    covariance = weights
    if spec.get("learner") == "capped" and problem.lambda2 > 0.0:
        verify_defence.check_capped(found, name, model, problem, float(spec["pull_cap"]), weights)
        covariance = np.array(model["shared_weights"], dtype=float).T
    else:
        value = reference.objective(problem, weights)
        capped = spec.get("learner") == "capped"
        value += problem.tasks * float(spec["pull_cap"]) * defence_reference.SMOOTHING if capped else 0.0
        found.close(f"{name}: objective", model["objective"], value, objective_tolerance(problem, weights))
        check_certificate(found, name, model, problem, weights, spec["solver"])
    check_correlation(found, name, model["correlation"], problem, covariance)
    check_metrics(found, name, model["metric_per_task"], derive_metrics(report["metric_name"], points, weights))
    return weights


def check_defence(found: Findings, report: dict[str, Any], points: Points, weights: np.ndarray | None) -> None:
    sanitised = report["spec"].get("sanitise", "none") != "none"
    found.check(points.has_kept == sanitised, "points.csv: kept is there without a sanitiser, or lacks with one")
    if sanitised and found.check("defence" in report, "report.json: missing defence"):
        check_model(found, "defence.attacked", report, points)
        verify_defence.check_dropped(found, report, points)
    if weights is None:
        return
    if report["spec"].get("learner") == "capped" and found.check("certified" in report, "report.json: missing certified"):
        verify_defence.check_certified(found, report, points, weights)
    if "learner" in report["spec"]:
        verify_defence.check_detection(found, report, points, weights)


def single_task_weights(problem: Problem, task: int) -> np.ndarray:
    """Minimiser of the mean loss of one task + lambda1 / 2 |w|^2."""
    x, y = problem.features[task], problem.labels[task]
    n, dimension = x.shape
    active = np.ones(n, dtype=bool)
    w = np.zeros(dimension)

    def value(w: np.ndarray) -> float:
        return float(reference.loss_values(problem.loss, x @ w, y).mean()) + 0.5 * problem.lambda1 * float(w @ w)

    for _ in range(200):
        if problem.loss != "squared":
            active = y * (x @ w) < 1.0
        matrix = 2.0 / n * x[active].T @ x[active] + problem.lambda1 * np.eye(dimension)
        step = np.linalg.solve(matrix, 2.0 / n * x[active].T @ y[active]) - w
        length = 1.0
        while length > 1e-12 and value(w + length * step) > value(w):
            length *= 0.5
        w = w + length * step
        if problem.loss == "squared" or np.linalg.norm(step) <= 1e-13 * max(1.0, float(np.linalg.norm(w))):
            break
    return w


def check_single_task(found: Findings, report: dict[str, Any], points: Points) -> None:
    if "single_task" not in report:
        found.check(report["spec"].get("version", 1) == 1, "single_task: missing")
        return
    for name in ("clean", "attacked"):
        problem = points.problem(report["spec"], with_injected=name == "attacked")
        weights = np.column_stack([single_task_weights(problem, k) for k in range(points.tasks)])
        derived = []
        for k, (value, tolerance) in enumerate(derive_metrics(report["metric_name"], points, weights)):
            # The engine stops at a certificate of 1e-9 max(1, objective): so far w may be from the optimum, and
            # scores, since |x| with the bias is at most sqrt(2), by sqrt(2) times that.
            objective = float(
                reference.loss_values(problem.loss, problem.features[k] @ weights[:, k], problem.labels[k]).mean()
            )
            objective += 0.5 * problem.lambda1 * float(weights[:, k] @ weights[:, k])
            room = math.sqrt(4.0 * CERTIFIED_TOLERANCE * max(1.0, objective) / problem.lambda1)
            y = points.labels["test"][k]
            if report["metric_name"] == "auc":
                scores = points.features["test"][k] @ weights[:-1, k]
                positive = y > 0
                near = np.abs(scores[positive][:, None] - scores[~positive][None, :]) <= 2.0 * room
                tolerance += float(near.mean()) if near.size else 0.0
            elif value is not None:
                variance = float(y.var())
                tolerance += (2.0 * math.sqrt(value * variance) * room + room**2) / variance
            derived.append((value, tolerance))
        check_metrics(found, f"single_task.{name}", report["single_task"][name]["metric_per_task"], derived)


def check_warnings(found: Findings, report: dict[str, Any], points: Points) -> None:
    """The warnings that the report itself and the points decide."""
    if "warnings" not in report:
        return
    stated = {warning["code"] for warning in report["warnings"]}
    metrics = [value for value in report["clean"]["metric_per_task"] if value is not None]
    guessing = (lambda v: v >= 1.0) if report["metric_name"] == "nmse" else (lambda v: v <= 0.5)
    squares = np.square(np.vstack(points.features["train"])).sum(axis=0)
    few = any(points.count("test", k) < 20 for k in report["target_tasks"])
    expected = {
        "no_better_than_guessing": any(map(guessing, metrics)),
        "few_test_points": few,
        "one_task": points.tasks == 1,
        "shared_rows": points.tasks > 1 and share_of_shared_rows(points) > 0.5,
        "dominant_column": len(squares) > 1 and bool(squares.max() > 0.99 * squares.sum()),
    }
    for code, holds in expected.items():
        found.check((code in stated) == holds, f"warnings: {code}: stated {code in stated}, derived {holds}")


def check_nothing_injected(found: Findings, report: dict[str, Any], points: Points) -> None:
    if any(points.count("injected", k) for k in range(points.tasks)):
        return
    same = all(report["clean"][field] == report["attacked"][field] for field in MODEL_FIELDS)
    found.check(same, "nothing is injected, but the attacked model is not the clean one")


# ---------------------------------------------------------------- attack and trace


def check_relation(found: Findings, report: dict[str, Any], points: Points) -> None:
    spec, targets, attackers = report["spec"], report["target_tasks"], report["attacking_tasks"]
    for name, tasks in (("target_tasks", targets), ("attacking_tasks", attackers)):
        distinct = len(set(tasks)) == len(tasks)
        found.check(distinct and all(0 <= k < points.tasks for k in tasks), f"{name}: {tasks} of {points.tasks} tasks")
    found.check(len(targets) > 0, "target_tasks: none")
    if spec.get("targets"):
        found.check(set(spec["targets"]) == set(targets), f"target_tasks: {targets}, the spec says {spec['targets']}")
    if spec.get("attackers") and spec["attack"] != "direct":
        found.check(
            set(spec["attackers"]) == set(attackers), f"attacking_tasks: {attackers}, the spec says {spec['attackers']}"
        )
    if spec["attack"] == "direct":
        found.check(set(targets) == set(attackers), f"direct attack: targets {targets}, attackers {attackers}")
    elif spec["attack"] == "indirect":
        found.check(not set(targets) & set(attackers), f"indirect attack: targets {targets}, attackers {attackers}")
    else:
        found.check(spec["attack"] == "hybrid", f"attack: {spec['attack']!r} is none of the three")


def mean_over_targets(metrics: list[float | None], targets: list[int]) -> float | None:
    values = [value for value in (metrics[k] for k in targets) if value is not None]
    return sum(values) / len(values) if values else None


def check_trace(found: Findings, report: dict[str, Any], points: Points, weights: np.ndarray | None) -> None:
    spec, trace, targets = report["spec"], report["trace"], report["target_tasks"]
    if not found.check(
        1 <= len(trace) <= spec["iterations"] + 1, f"trace: {len(trace)} points, iterations {spec['iterations']}"
    ):
        return
    found.check([t["iteration"] for t in trace] == list(range(len(trace))), "trace: iterations are not 0, 1, 2, ...")
    seconds = [t["seconds"] for t in trace]
    found.check(min(seconds) >= 0.0 and seconds == sorted(seconds), "trace: seconds fall")
    if spec["method"] == "random":
        found.check(len(trace) == 1, f"trace: {len(trace)} points of a random baseline")
    for t in trace:
        name = f"trace {t['iteration']}"
        if found.check(
            len(t["metric_per_task"]) == points.tasks,
            f"{name}: metric_per_task has {len(t['metric_per_task'])} entries",
        ):
            mean = mean_over_targets(t["metric_per_task"], targets)
            found.close(f"{name}: metric", t["metric"], mean, METRIC_TOLERANCE * max(1.0, abs(mean or 0.0)))
        if spec["solver"] == "certified" and (
            t["certificate"] is None or t["certificate"] > CERTIFIED_TOLERANCE * max(1.0, t["objective"])
        ):
            found.notes.append(f"{name}: certificate {t['certificate']} above the solver's tolerance")
    utilities = [t["utility"] for t in trace]
    if spec["step"] == "backtracking":
        for k, (before, after) in enumerate(zip(utilities, utilities[1:]), start=1):
            found.check(
                after >= before * (1.0 - 1e-12),
                f"trace {k}: utility falls from {before!r} to {after!r} with backtracking",
            )
    last, attacked = trace[-1], report["attacked"]
    for field in ("objective", "certificate", "metric_per_task"):
        found.check(last[field] == attacked[field], f"trace: the last {field} is not that of the attacked model")
    if weights is not None:
        seen = points.problem(spec, with_injected=False, only=points.known)
        derived, tolerance = verify_attacker.utility(spec, seen, targets, weights)
        found.close("trace: the last utility", last["utility"], derived, tolerance)


# ---------------------------------------------------------------- form


def digest_parts(report: dict[str, Any]) -> Iterator[bytes]:
    """What the digest is over, in order: all numeric results but the seconds, an optional one preceded by a byte."""

    def number(value: float) -> bytes:
        return struct.pack("<d", value + 0.0)

    def optional(value: float | None) -> bytes:
        return bytes([value is not None]) + number(0.0 if value is None else value)

    def of_model(model: dict[str, Any]) -> Iterator[bytes]:
        for row in model["weights"] + model["correlation"]:
            yield from map(number, row)
        yield number(model["objective"]) + number(model["certificate"])
        yield from map(optional, model["metric_per_task"])
    for name in ("clean", "attacked"):
        yield from of_model(report[name])
    for t in report["trace"]:
        yield number(float(t["iteration"])) + number(t["utility"]) + optional(t["metric"])
        yield from map(optional, t["metric_per_task"])
        yield number(t["objective"]) + number(t["certificate"])
    if "defence" in report:
        for name in ("clean", "attacked"):
            yield from of_model(report["defence"][name])
    if "certified" in report:
        yield from map(optional, report["certified"]["metric_per_task"])
        yield from map(number, report["certified"]["pull"])
    if "surrogate" in report:
        yield from of_model(report["surrogate"])
    if "starts" in report:
        yield number(float(report["starts"]["won"]))
        for result in report["starts"]["results"]:
            yield number(result["utility"]) + optional(result["metric"])


def digest(report: dict[str, Any]) -> str:
    """First 64 bits of the SHA-256."""
    return hashlib.sha256(b"".join(digest_parts(report))).hexdigest()[:16]


def check_form(found: Findings, report: dict[str, Any]) -> bool:
    missing = [field for field in REPORT_FIELDS if field not in report]
    for name in ("clean", "attacked"):
        missing += [f"{name}.{field}" for field in MODEL_FIELDS if field not in report.get(name, {})]
    for k, t in enumerate(report.get("trace", [])):
        missing += [f"trace[{k}].{field}" for field in TRACE_FIELDS if field not in t]
    if not found.check(not missing, f"report.json: missing {', '.join(missing)}"):
        return False
    found.check(
        re.fullmatch("[0-9a-f]{64}", str(report["data_sha256"])) is not None, "data_sha256: not 64 hexadecimal digits"
    )
    found.check(isinstance(report["engine"], str) and report["engine"] != "", "engine: no version")
    if found.check(
        re.fullmatch("[0-9a-f]{16}", str(report["digest"])) is not None, "digest: not 16 hexadecimal digits"
    ):
        try:
            derived = digest(report)
        except TypeError:
            found.notes.append("digest: not derived, a number of the report is null")
        else:
            found.check(derived == report["digest"], f"digest: stated {report['digest']}, derived {derived}")
    default = "nmse" if report["spec"]["loss"] == "squared" else "auc"
    report.setdefault("metric_name", default)
    found.check(report["metric_name"] in ("nmse", "auc"), f"metric_name: {report['metric_name']!r}")
    found.check(
        report["spec"]["loss"] != "squared_hinge" or report["metric_name"] == "auc",
        "metric_name: NMSE of a squared hinge",
    )
    return True


def verify(directory: Path) -> Findings:
    found = Findings()
    try:
        report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
        points = Points(directory / "points.csv")
        if not check_form(found, report):
            return found
        check_task_names(found, report, points)
        check_relation(found, report, points)
        check_balls(found, report["spec"], points)
        check_observed(found, report, points)
        check_feature_scaling(found, report, points)
        check_shared_rows(found, report, points)
        check_budget(found, report, points)
        check_label_scaling(found, report, points)
        check_injected_labels(found, report, points)
        check_model(found, "clean", report, points)
        weights = check_model(found, "attacked", report, points)
        check_nothing_injected(found, report, points)
        check_defence(found, report, points, weights)
        check_single_task(found, report, points)
        check_warnings(found, report, points)
        verify_attacker.check_known(found, report, points)
        # The utility is that of the attacker's own model, where it does not see all points.
        own = check_model(found, "surrogate", report, points) if "surrogate" in report else weights
        verify_attacker.check_starts(found, report)
        check_trace(found, report, points, own)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        found.check(False, f"cannot be read to the end: {type(error).__name__}: {error}")
    return found


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    failed = 0
    for argument in arguments:
        found = verify(Path(argument))
        for note in dict.fromkeys(found.notes):
            print(f"{argument}: note: {note}")
        for discrepancy in found.discrepancies:
            print(f"{argument}: {discrepancy}")
        verdict = f"{len(found.discrepancies)} discrepancies" if found.discrepancies else "verified"
        print(f"{argument}: {verdict}, {found.checks} checks")
        failed += bool(found.discrepancies)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
