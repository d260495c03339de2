"""The verifier verified: honest reports made in Python pass, each kind of wrong one is caught. NumPy alone.

The honest reports come from a small PATOM of our own (total gradient, backtracking), so
this also shows that the contract can be met without the engine.
"""

from __future__ import annotations

import contextlib
import copy
import csv
import io
import json
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import attack_reference
import reference
import verify_report
from attack_reference import Attack
from reference import Problem

Rows = list[list[Any]]


def draw_points(kind: str, tasks: int, features: int, seed: int) -> tuple[list, list, list, list]:
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal(features)
    x = [rng.standard_normal((30, features)) for _ in range(tasks)]
    scores = [p @ (shared + 0.5 * rng.standard_normal(features)) + 0.2 * rng.standard_normal(30) for p in x]
    scale = max(float(np.linalg.norm(p, axis=1).max()) for p in x)
    x = [p / scale for p in x]
    if kind == "nmse":
        y = [(s - s[:12].mean()) / s[:12].std() for s in scores]
    else:
        y = [np.where(s > 0, 1.0, -1.0) for s in scores]
    return [p[:12] for p in x], [s[:12] for s in y], [p[12:] for p in x], [s[12:] for s in y]


def ascend(attack: Attack, iterations: int) -> tuple[Attack, list[np.ndarray]]:
    """Backtracking ascent of the utility; the weights of every accepted iterate."""
    step = 1.0
    weights = reference.solve_newton(attack.poisoned())
    history = [weights]
    for _ in range(iterations):
        gradients = attack_reference.implicit_gradients(attack, weights, omega_moves=True)
        utility = attack_reference.utility(attack.clean, attack.targets, weights)
        for _ in range(20):
            moved = []
            for x, g in zip(attack.injected, gradients):
                new = x + step * g
                moved.append(new / np.maximum(1.0, np.linalg.norm(new, axis=1, keepdims=True)))
            trial = Attack(attack.clean, moved, attack.injected_labels, attack.targets)
            solved = reference.solve_newton(trial.poisoned(), weights)
            if attack_reference.utility(attack.clean, attack.targets, solved) > utility:
                break
            step *= 0.5
        else:
            break
        attack, weights, step = trial, solved, 2.0 * step
        history.append(weights)
    return attack, history


def make_report(
    kind: str = "nmse",
    attack_kind: str = "direct",
    budget: float = 0.25,
    epsilon: float = 1e-4,
    standard: bool = False,
):
    """An honest report and the rows of its points.csv."""
    m, d = 4, 3
    train_x, train_y, test_x, test_y = draw_points(kind, m, d, seed=5)
    if standard:
        together = np.vstack(train_x)
        centre, deviation = together.mean(axis=0), together.std(axis=0)
        everything = [(x - centre) / deviation for x in train_x + test_x]
        norm = max(float(np.linalg.norm(x, axis=1).max()) for x in everything)
        train_x, test_x = [x / norm for x in everything[:m]], [x / norm for x in everything[m:]]
    if kind == "auc":
        test_y[3] = np.ones_like(test_y[3])
    loss = "squared" if kind == "nmse" else "squared_hinge"
    targets = [0, 1]
    attackers = {"direct": [0, 1], "indirect": [2, 3], "hybrid": [1, 2]}[attack_kind]
    rng = np.random.default_rng(6)
    injected, injected_labels = [], []
    for k in range(m):
        count = int(np.floor(budget * 12)) if k in attackers else 0
        z = rng.standard_normal((count, d))
        injected.append(0.7 * z / np.linalg.norm(z, axis=1, keepdims=True))
        drawn = rng.uniform(train_y[k].min(), train_y[k].max(), count)
        injected_labels.append(drawn if kind == "nmse" else np.where(drawn > 0, 1.0, -1.0))
    clean = Problem(loss, 0.05, 0.05, epsilon, train_x, train_y)
    attack, history = ascend(Attack(clean, injected, injected_labels, targets), 4 if budget > 0 else 0)

    def metrics(weights: np.ndarray) -> list[float | None]:
        measure = reference.nmse if kind == "nmse" else reference.auc
        return [measure(reference.add_bias(test_x[k]) @ weights[:, k], test_y[k]) for k in range(m)]

    def model(problem: Problem, weights: np.ndarray) -> dict[str, Any]:
        return {
            "weights": weights.T.tolist(),
            "correlation": reference.correlation(weights, epsilon).tolist(),
            "objective": reference.objective(problem, weights),
            "certificate": reference.certificate(problem, weights),
            "metric_per_task": metrics(weights),
            "solver_status": "converged",
        }

    trace = []
    for k, weights in enumerate(history):
        per_task = metrics(weights)
        trace.append(
            {
                "iteration": k,
                "utility": attack_reference.utility(clean, targets, weights),
                "metric": verify_report.mean_over_targets(per_task, targets),
                "metric_per_task": per_task,
                "objective": 1.0,
                "certificate": 1e-12,
                "seconds": 0.1 * k,
            }
        )
    clean_weights = reference.solve_newton(clean)
    attacked_problem = attack.poisoned()
    report = {
        "spec": {
            "version": 2,
            "dataset": "synthetic",
            "targets": targets,
            "attackers": attackers,
            "attack": attack_kind,
            "method": "patom",
            "gradient": "implicit_total",
            "step": "backtracking",
            "iterations": 4,
            "budget": budget,
            "radius": 1.0,
            "injected_labels": "uniform",
            "loss": loss,
            "lambda1": 0.05,
            "lambda2": 0.05,
            "epsilon": epsilon,
            "solver": "certified",
            "target_scaling": "standardised",
            "feature_scaling": "standard" if standard else "none",
            "feature_domain": "ball",
            "seed": 1,
        },
        "engine": "test",
        "data_sha256": "0" * 64,
        "task_names": [f"T{k + 1}" for k in range(m)],
        "target_tasks": targets,
        "attacking_tasks": attackers,
        "metric_name": kind,
        "clean": model(clean, clean_weights),
        "attacked": model(attacked_problem, history[-1]),
        "single_task": {
            name: {
                "metric_per_task": metrics(
                    np.column_stack([verify_report.single_task_weights(problem, k) for k in range(m)])
                )
            }
            for name, problem in (("clean", clean), ("attacked", attacked_problem))
        },
        "trace": trace,
        "stop": "iterations",
    }
    defined = [v for v in report["clean"]["metric_per_task"] if v is not None]
    bad = [v for v in defined if (v >= 1.0 if kind == "nmse" else v <= 0.5)]
    codes = (["no_better_than_guessing"] if bad else []) + ["few_test_points"]
    report["warnings"] = [{"code": code, "message": "..."} for code in codes]
    for field in ("objective", "certificate"):
        trace[-1][field] = report["attacked"][field]
    report["digest"] = verify_report.digest(report)
    rows: Rows = []
    for k in range(m):
        splits = (("train", train_x, train_y), ("test", test_x, test_y), ("injected", attack.injected, injected_labels))
        for split, xs, ys in splits:
            rows += [[str(k), split, float(y), *map(float, x)] for x, y in zip(xs[k], ys[k])]
    return report, rows


def findings(report: dict[str, Any], rows: Rows, known: bool = False) -> verify_report.Findings:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), report, rows, known)
        return verify_report.verify(Path(folder))


def write(folder: Path, report: dict[str, Any], rows: Rows, known: bool = False) -> None:
    (folder / "report.json").write_text(json.dumps(report))
    with (folder / "points.csv").open("w", newline="") as file:
        d = len(rows[0]) - 3 - known
        csv.writer(file).writerows([["task", "split", "label", *(f"x{k + 1}" for k in range(d)), *["known"] * known], *rows])


class HonestReports(unittest.TestCase):
    def test_pass(self) -> None:
        for kind in ("nmse", "auc"):
            for attack in ("direct", "indirect", "hybrid"):
                for epsilon in (1e-6, 1e-2):
                    found = findings(*make_report(kind, attack, epsilon=epsilon))
                    self.assertEqual(found.discrepancies, [], f"{kind}, {attack}")
                    self.assertGreater(found.checks, 50)

    def test_pass_without_injected_points(self) -> None:
        report, rows = make_report(budget=0.05)
        self.assertFalse(any(row[1] == "injected" for row in rows))
        self.assertEqual(findings(report, rows).discrepancies, [])

    def test_pass_with_standardised_features(self) -> None:
        self.assertEqual(findings(*make_report(standard=True)).discrepancies, [])

    def test_pass_with_observed_values(self) -> None:
        self.assertEqual(findings(*make_observed()).discrepancies, [])

    def test_pass_with_a_budget_that_floating_point_misses(self) -> None:
        # 0.28 * 25 is 7.000000000000001 and 0.29 * 100 is 28.999999999999996; 12 points: 0.25 gives 3 in both.
        report, rows = make_report(budget=0.25)
        report["spec"]["budget"] = 0.25000000000000006
        self.assertEqual(findings(report, rows).discrepancies, [])

    def test_pass_with_tasks_by_name(self) -> None:
        report, rows = make_report()
        for row in rows:
            row[0] = f"T{int(row[0]) + 1}"
        self.assertEqual(findings(report, rows).discrepancies, [])


def make_observed() -> tuple[dict[str, Any], Rows]:
    """An honest report of a random baseline whose injected features are those of clean points."""
    report, rows = make_report()
    clean = [row[3:] for row in rows if row[1] == "train"]
    for number, row in enumerate(row for row in rows if row[1] == "injected"):
        row[3:] = clean[number]
    report["spec"]["feature_domain"] = "observed"
    report["spec"]["method"] = "random"
    # The third column is nearly zero in units in which it is counted.
    report["feature_units"] = [
        {"name": f"x{k + 1}", "centre": 0.0, "scale": 1.0 if k < 2 else 1e-12, "whole": k == 2} for k in range(3)
    ]
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), report, rows)
        points = verify_report.Points(Path(folder) / "points.csv")
    problem = points.problem(report["spec"], with_injected=True)
    clean_problem = points.problem(report["spec"], with_injected=False)
    weights = reference.solve_newton(problem)

    def metrics(weights: np.ndarray) -> list[float | None]:
        return [value for value, _ in verify_report.derive_metrics("nmse", points, weights)]

    report["attacked"] = {
        "weights": weights.T.tolist(),
        "correlation": reference.correlation(weights, problem.epsilon).tolist(),
        "objective": reference.objective(problem, weights),
        "certificate": reference.certificate(problem, weights),
        "metric_per_task": metrics(weights),
        "solver_status": "converged",
    }
    alone = [verify_report.single_task_weights(problem, k) for k in range(problem.tasks)]
    report["single_task"]["attacked"]["metric_per_task"] = metrics(np.column_stack(alone))
    targets = report["target_tasks"]
    report["trace"] = [
        {
            "iteration": 0,
            "utility": attack_reference.utility(clean_problem, targets, weights),
            "metric": verify_report.mean_over_targets(report["attacked"]["metric_per_task"], targets),
            "metric_per_task": report["attacked"]["metric_per_task"],
            "objective": report["attacked"]["objective"],
            "certificate": report["attacked"]["certificate"],
            "seconds": 0.0,
        }
    ]
    report["digest"] = verify_report.digest(report)
    return report, rows


Change = Callable[[dict[str, Any], Rows], None]


def first(rows: Rows, split: str) -> list[Any]:
    return next(row for row in rows if row[1] == split)


def put(path: str, value: Any) -> Change:
    """Sets report[a][b]... = value, or = value(old)."""

    def change(report: dict[str, Any], rows: Rows) -> None:
        *parents, leaf = [int(word) if word.lstrip("-").isdigit() else word for word in path.split(".")]
        place: Any = report
        for word in parents:
            place = place[word]
        place[leaf] = value(place[leaf]) if callable(value) else value

    return change


def stretch(split: str, norm: float) -> Change:
    def change(report: dict[str, Any], rows: Rows) -> None:
        row = first(rows, split)
        row[3:] = list(np.array(row[3:]) / np.linalg.norm(row[3:]) * norm)

    return change


def move_label(split: str, value: float) -> Change:
    return lambda report, rows: first(rows, split).__setitem__(2, value)


def sample_deviation(report: dict[str, Any], rows: Rows) -> None:
    for row in rows:
        row[2] *= np.sqrt(11 / 12)


# The weights moved a little and everything derived from them stated again: only the optimum is missed.
def unconverged(report: dict[str, Any], rows: Rows) -> None:
    weights = np.array(report["clean"]["weights"]).T * 1.001
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), report, rows)
        points = verify_report.Points(Path(folder) / "points.csv")
    problem = points.problem(report["spec"], with_injected=False)
    report["clean"]["weights"] = weights.T.tolist()
    report["clean"]["objective"] = reference.objective(problem, weights)
    report["clean"]["certificate"] = reference.certificate(problem, weights)
    report["clean"]["correlation"] = reference.correlation(weights, problem.epsilon).tolist()
    report["clean"]["metric_per_task"] = [v for v, _ in verify_report.derive_metrics("nmse", points, weights)]


WRONG: list[tuple[str, Change]] = [
    ("ball: task 0, injected", stretch("injected", 1.0 + 1e-9)),
    ("ball: task 0, train", stretch("train", 1.001)),
    ("ball: task 0, test", stretch("test", 1.001)),
    ("budget: task 0", lambda report, rows: rows.remove(first(rows, "injected"))),
    ("budget: task 3 is not attacked", lambda report, rows: rows.append(["3", "injected", 0.0, 0.1, 0.1, 0.1])),
    ("scaling: task 0", move_label("train", 0.123)),
    ("sample standard deviation 1 (ddof 1): yes", sample_deviation),
    ("injected labels: task 0", move_label("injected", 100.0)),
    ("single_task.clean: metric of task 1", put("single_task.clean.metric_per_task.1", lambda v: v + 0.01)),
    ("single_task.attacked: metric of task 0", put("single_task.attacked.metric_per_task.0", None)),
    ("single_task: missing", lambda report, rows: report.__delitem__("single_task") or None),
    ("warnings: few_test_points: stated False", put("warnings", [])),
    ("warnings: one_task: stated True", put("warnings", lambda w: [*w, {"code": "one_task", "message": ""}])),
    ("feature scaling: column 1: mean", put("spec.feature_scaling", "standard")),
    ("feature_units: 0 of 3 columns", put("spec.feature_domain", "observed")),
    ("clean: objective", put("clean.objective", lambda v: v * (1 + 1e-9))),
    ("attacked: objective", put("attacked.weights.0.0", lambda v: v + 1e-3)),
    ("attacked: certificate", put("attacked.weights.0.0", lambda v: v + 1e-7)),
    ("clean: certificate", put("clean.certificate", 1e-10)),
    ("clean: certificate", put("clean.certificate", None)),
    ("clean: converged, but", unconverged),
    ("clean: correlation (0, 1)", put("clean.correlation.0.1", lambda v: v + 1e-6)),
    ("clean: correlation (2, 1)", put("clean.correlation.2.1", None)),
    ("clean: metric of task 2", put("clean.metric_per_task.2", lambda v: v + 1e-6)),
    ("attacked: metric of task 2", put("attacked.metric_per_task.2", None)),
    ("attacked: weights are", put("attacked.weights", lambda w: [row[:-1] for row in w])),
    ("the last utility", put("trace.-1.utility", lambda v: v * (1 + 1e-6))),
    ("utility falls", put("trace.0.utility", 1e6)),
    ("trace 1: metric", put("trace.1.metric", lambda v: v + 1e-6)),
    ("trace: the last metric_per_task", put("trace.-1.metric_per_task.3", 0.5)),
    ("trace: 5 points, iterations 3", put("spec.iterations", 3)),
    ("iterations are not 0, 1, 2", put("trace.1.iteration", 2)),
    ("seconds fall", put("trace.0.seconds", 9.0)),
    ("direct attack", put("attacking_tasks", [0, 2])),
    ("indirect attack", put("spec.attack", "indirect")),
    ("target_tasks: [0, 2]", put("target_tasks", [0, 2])),
    ("digest: not 16", put("digest", "xyz")),
    ("digest: stated", put("digest", "0" * 16)),
    ("data_sha256", put("data_sha256", "abc")),
    ("missing clean.certificate", lambda report, rows: report["clean"].__delitem__("certificate") or None),
    ("cannot be read", lambda report, rows: rows[3].__setitem__(4, "nonsense")),
    ("not finite", lambda report, rows: rows[3].__setitem__(4, "nan")),
    ("split ['other']", lambda report, rows: rows[3].__setitem__(1, "other")),
    ("do not appear in order", lambda report, rows: rows.reverse()),
]


class WrongReports(unittest.TestCase):
    def test_each_is_caught_by_name(self) -> None:
        honest = make_report()
        for words, change in WRONG:
            report, rows = copy.deepcopy(honest)
            change(report, rows)
            found = findings(report, rows)
            self.assertTrue(
                any(words in discrepancy for discrepancy in found.discrepancies), f"{words}: {found.discrepancies}"
            )

    def test_impossible_values_are_caught(self) -> None:
        honest = make_observed()
        wrong: list[tuple[str, Change]] = [
            ("outside the range of the clean ones", lambda report, rows: first(rows, "injected").__setitem__(3, 2.0)),
            ("an injected value that is not whole", put("feature_units.2.centre", 0.5)),
            ("a clean value that is not whole", put("feature_units.2.scale", 0.7)),
        ]
        for words, change in wrong:
            report, rows = copy.deepcopy(honest)
            change(report, rows)
            found = findings(report, rows)
            self.assertTrue(any(words in d for d in found.discrepancies), f"{words}: {found.discrepancies}")

    def test_a_wrong_attacker_is_caught(self) -> None:
        honest = make_report()
        last = honest[0]["trace"][-1]
        results = [{"utility": last["utility"], "metric": last["metric"]}, {"utility": 0.0, "metric": None}]
        honest[0]["spec"]["starts"] = 2
        honest[0]["starts"] = {"won": 0, "results": results}
        honest[0]["digest"] = verify_report.digest(honest[0])
        self.assertEqual(findings(*copy.deepcopy(honest)).discrepancies, [])

        def mark(count: int) -> Change:
            """Marks all but the first `count` training points of each task as unseen."""

            def change(report: dict[str, Any], rows: Rows) -> None:
                seen: dict[str, int] = {}
                for row in rows:
                    seen[row[0]] = seen.get(row[0], 0) + (row[1] == "train")
                    row.append(int(row[1] != "train" or seen[row[0]] <= count))
                report["spec"]["knowledge"] = 0.5

            return change

        wrong: list[tuple[str, Change]] = [
            ("starts: 2 results of 3", put("spec.starts", 3)),
            ("starts: 1 won", put("starts.won", 1)),
            ("starts: the winner's utility", put("starts.results.0.utility", lambda v: v + 1.0)),
            ("starts: there with one start", put("spec.starts", 1)),
            ("digest: stated", put("starts.results.1.utility", -1.0)),
            ("points.csv: known is there", put("spec.knowledge", 0.5)),
            ("surrogate: there with full knowledge, or missing", mark(6)),
            ("known: task 0: 5 of 12", mark(5)),
            ("the last utility", mark(6)),
            ("shared rows: the tasks have different test rows", put("spec.shared_rows", False)),
        ]
        for words, change in wrong:
            report, rows = copy.deepcopy(honest)
            change(report, rows)
            found = findings(report, rows, known=len(rows[0]) == 7)
            self.assertTrue(
                any(words in discrepancy for discrepancy in found.discrepancies), f"{words}: {found.discrepancies}"
            )

    def test_each_is_caught_in_classification_too(self) -> None:
        honest = make_report("auc", "indirect")
        self.assertIsNone(honest[0]["clean"]["metric_per_task"][3])
        wrong = [
            ("clean: metric of task 3", put("clean.metric_per_task.3", 0.5)),
            ("classification label", move_label("test", 0.0)),
            ("injected labels: task 2", move_label("injected", 0.5)),
            ("metric_name", put("metric_name", "nmse")),
            (
                "nothing is injected",
                lambda report, rows: rows.__setitem__(slice(None), [r for r in rows if r[1] != "injected"]),
            ),
        ]
        for words, change in wrong:
            report, rows = copy.deepcopy(honest)
            change(report, rows)
            found = findings(report, rows)
            self.assertTrue(any(words in d for d in found.discrepancies), f"{words}: {found.discrepancies}")


class CommandLine(unittest.TestCase):
    def test_exit_code_counts_directories_with_discrepancies(self) -> None:
        report, rows = make_report()
        with tempfile.TemporaryDirectory() as good, tempfile.TemporaryDirectory() as bad:
            write(Path(good), report, rows)
            report["clean"]["objective"] += 1.0
            write(Path(bad), report, rows)
            with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(verify_report.main([good]), 0)
                self.assertEqual(verify_report.main([good, bad]), 1)
                self.assertEqual(verify_report.main([good + "/nowhere"]), 1)
                self.assertEqual(verify_report.main([]), 2)
            self.assertIn("clean: objective", printed.getvalue())


if __name__ == "__main__":
    unittest.main()
