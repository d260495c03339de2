"""What a report says of defences, derived again: the pull cap with its certificates, sanitisers, detection.

Used by verify_report.py. Knows nothing of the engine; the worst test error comes from a root search on the
trust-region problem, the AUC bound from all pairs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import defence_reference
import reference
from reference import Problem

# Worst cases carry the rounding of two linear solves.
WORST_TOLERANCE = 1e-7


def effective(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification whose lambda2 is the one that was used."""
    return {**spec, "lambda2": 0.0} if spec.get("learner") == "single_task" else spec


def radius(spec: dict[str, Any], clean: list[np.ndarray]) -> float:
    if spec["radius"] in ("q75", "q95"):
        norms = np.concatenate([np.linalg.norm(x, axis=1) for x in clean])
        return float(np.quantile(norms, float(spec["radius"][1:]) / 100.0))
    return float(spec["radius"])


# ---------------------------------------------------------------- the pull cap


def gap(problem: Problem, cap: float, z: np.ndarray, g: np.ndarray) -> float:
    """Bound on J(W, Z) - min from Fenchel and Young, with Y = grad R(Z)."""
    weights = z + g
    s = reference.spectrum(z, problem.epsilon)
    y = problem.lambda2 * s.trace * (z @ s.inverse)
    longest = float(np.linalg.norm(y, axis=0).max())
    share = min(1.0, cap * (1.0 - 1e-15) / longest) if longest > 0.0 else 1.0
    y = share * y
    own = reference.data_gradient(problem, weights) + problem.lambda1 * weights
    roots = np.sqrt(np.sum(g**2, axis=0) + defence_reference.SMOOTHING**2)
    rest = np.sqrt(np.maximum(0.0, cap**2 - np.sum(y**2, axis=0))) - cap * defence_reference.SMOOTHING / roots
    total = float(np.sum((own + y) ** 2)) / (2.0 * problem.lambda1)
    total += float(np.sum(roots / (2.0 * cap) * (np.sum((y - cap * g / roots) ** 2, axis=0) + rest**2)))
    coupling = 0.5 * problem.lambda2 * (s.trace**2 - problem.tasks**2 * problem.epsilon)
    return total + (1.0 - share) * max(0.0, coupling)


def check_capped(found: Any, name: str, model: dict[str, Any], problem: Problem, cap: float, weights: np.ndarray) -> None:
    shared = np.array(model["shared_weights"], dtype=float).T
    if not found.check(shared.shape == weights.shape, f"{name}: shared_weights are {shared.T.shape}"):
        return
    g = weights - shared
    value = defence_reference.objective(problem, cap, shared, g)
    room = 1e-11 * (value + reference.objective(problem, np.zeros(problem.shape)))
    found.close(f"{name}: objective", model["objective"], value, room)
    bound = gap(problem, cap, shared, g)
    stated = model["certificate"]
    found.check(
        bound <= stated * (1.0 + 1e-6) + 1e-11 * max(1.0, value),
        f"{name}: certificate {stated!r}, derived {bound!r}",
    )
    if model["solver_status"] == "converged":
        found.check(stated <= 1e-9 * max(1.0, value), f"{name}: converged, but the certificate is {stated!r}")
    slopes = own_slopes(problem, weights)
    found.check(
        (slopes <= cap * (1.0 + 1e-9)).all(), f"{name}: other tasks pull by {float(slopes.max())!r}, the cap is {cap}"
    )


def own_slopes(problem: Problem, weights: np.ndarray) -> np.ndarray:
    own = reference.data_gradient(problem, weights) + problem.lambda1 * weights
    return np.linalg.norm(own, axis=0)


def worst_error(points: np.ndarray, labels: np.ndarray, single: np.ndarray, inverse: np.ndarray, pull: float) -> float:
    """Largest mean squared error over w = single + inverse v, |v| <= pull."""
    rows = points @ inverse
    residual = points @ single - labels
    n = len(labels)
    values, vectors = np.linalg.eigh(rows.T @ rows / n)
    squares = (vectors.T @ (rows.T @ residual / n)) ** 2
    top = max(0.0, float(values[-1]))
    low, high = 1e-16 * (top + math.sqrt(squares.sum()) / pull), math.sqrt(squares.sum()) / pull
    spread = top - values

    def too_long(room: float) -> bool:
        return float(np.sum(squares / (room + spread) ** 2)) > pull**2

    if too_long(low):
        for _ in range(300):
            middle = 0.5 * (low + high) if high < 4.0 * low else math.sqrt(low * high)
            low, high = (middle, high) if too_long(middle) else (low, middle)
        low = high
    return float(np.mean(residual**2) + (top + low) * pull**2 + np.sum(squares / (low + spread)))


def worst_auc(points: np.ndarray, labels: np.ndarray, single: np.ndarray, inverse: np.ndarray, pull: float) -> float | None:
    scores, rows = points @ single, points @ inverse
    positive = labels > 0
    if not positive.any() or positive.all():
        return None
    margins = scores[positive][:, None] - scores[~positive][None, :]
    reach = pull * np.linalg.norm(rows[positive][:, None, :] - rows[~positive][None, :, :], axis=2)
    return float(np.mean(margins > reach))


def check_certified(found: Any, report: dict[str, Any], points: Any, weights: np.ndarray) -> None:
    spec, certified = report["spec"], report["certified"]
    problem = points.problem(spec, with_injected=True)
    cap = float(spec["pull_cap"])
    slopes = own_slopes(problem, weights)
    for k, slope in enumerate(slopes):
        found.close(f"certified: pull at task {k}", certified["pull"][k], float(slope), 1e-8)
    g = np.linalg.norm(weights - np.array(report["attacked"]["shared_weights"], dtype=float).T, axis=0)
    for k, length in enumerate(g):
        found.close(f"certified: aside of task {k}", certified["aside"][k], float(length), 1e-9)
        binds = certified["cap_binds"][k]
        found.check(binds == (length > defence_reference.SMOOTHING), f"certified: cap_binds of task {k} is {binds}")
    single = defence_reference.single_task(problem)
    for k in range(points.tasks):
        stated = certified["metric_per_task"][k]
        name = f"certified: metric of task {k}"
        if points.count("injected", k):
            found.check(stated is None, f"{name}: {stated}, but it has injected points")
            continue
        x, y = points.features["test"][k], points.labels["test"][k]
        features = reference.add_bias(x)
        hessian = problem.lambda1 * np.eye(problem.dimension)
        if spec["loss"] == "squared":
            own = problem.features[k]
            hessian = hessian + 2.0 * own.T @ own / len(own)
        inverse = np.linalg.inv(hessian)
        if report["metric_name"] == "auc":
            derived = worst_auc(features, y, single[:, k], inverse, cap)
            # A pair whose margin is the bound up to rounding may count either way.
            room = WORST_TOLERANCE + 2.0 / max(1, int((y > 0).sum()) * int((y <= 0).sum()))
        elif spec["loss"] == "squared" and np.ptp(y) > 0.0:
            derived = worst_error(features, y, single[:, k], inverse, cap) / float(y.var())
            room = WORST_TOLERANCE * max(1.0, derived)
        else:
            derived, room = None, 0.0
        found.close(name, stated, derived, room)
        actual = report["attacked"]["metric_per_task"][k]
        if stated is not None and actual is not None:
            holds = actual >= stated if report["metric_name"] == "auc" else actual <= stated
            found.check(holds, f"{name}: {actual} is worse than the certified {stated}")


# ---------------------------------------------------------------- sanitisers and detection


def scores_of(rule: str, features: list[np.ndarray]) -> list[np.ndarray] | None:
    if rule == "norm":
        return [np.linalg.norm(x, axis=1) for x in features]
    if rule != "vouch":
        return None
    scores = []
    for k, x in enumerate(features):
        nearest = [
            np.sqrt(((x[:, None, :] - other[None, :, :]) ** 2).sum(axis=2).min(axis=1))
            for j, other in enumerate(features)
            if j != k
        ]
        scores.append(np.median(nearest, axis=0))
    return scores


def check_dropped(found: Any, report: dict[str, Any], points: Any) -> None:
    """The kept points are those of least score: ties and rounding may choose either of two equal ones."""
    spec = report["spec"]
    features = [np.vstack([points.features[s][k] for s in ("train", "injected")]) for k in range(points.tasks)]
    kept = [np.concatenate([points.kept[s][k] for s in ("train", "injected")]) for k in range(points.tasks)]
    found.check(all(flags.all() for flags in points.kept["test"]), "points.csv: a test point is dropped")
    share = spec["sanitise_share"]
    if share is not None:
        for k, flags in enumerate(kept):
            count = math.floor(share * len(flags) + 1e-9)
            found.check(int((~flags).sum()) == count, f"sanitiser: task {k} drops {int((~flags).sum())} of {len(flags)}")
    scores = scores_of(spec["sanitise"], features)
    if scores is None:
        found.notes.append("sanitiser: trim is checked for its counts only")
    else:
        every = np.concatenate(scores)
        low, high = np.quantile(every, [0.25, 0.75])
        fence = high + 1.5 * (high - low)
        for k, (flags, score) in enumerate(zip(kept, scores)):
            edge = fence if share is None else score[flags].max(initial=-math.inf)
            outside = score[~flags].min(initial=math.inf)
            if share is None and int(flags.sum()) == 1:
                continue
            found.check(
                score[flags].max(initial=-math.inf) <= edge + 1e-12 and outside >= edge - 1e-12,
                f"sanitiser: task {k} keeps a score of {score[flags].max()} and drops one of {outside}",
            )
    dropped = report["detection"]["dropped"] if "detection" in report else None
    if dropped is not None:
        counts = {
            "caught": sum(int((~flags).sum()) for flags in points.kept["injected"]),
            "lost": sum(int((~flags).sum()) for flags in points.kept["train"]),
            "injected": sum(points.count("injected", k) for k in range(points.tasks)),
            "clean": sum(points.count("train", k) for k in range(points.tasks)),
        }
        found.check(dropped == counts, f"detection: dropped is {dropped}, derived {counts}")


def precision(scores: np.ndarray, truth: np.ndarray) -> float:
    """Of as many highest scores as there are injected points; a tie at the edge in proportion."""
    count = int(truth.sum())
    edge = np.sort(scores)[::-1][count - 1]
    above, tied = scores > edge, scores == edge
    share = (count - above.sum()) / tied.sum()
    return float((truth & above).sum() + share * (truth & tied).sum()) / count


def check_detection(found: Any, report: dict[str, Any], points: Any, weights: np.ndarray) -> None:
    problem = points.problem(report["spec"], with_injected=True)
    injected = [points.count("injected", k) for k in range(points.tasks)]
    if not sum(injected):
        found.check("detection" not in report, "detection: nothing is injected")
        return
    truth = np.concatenate(
        [np.arange(len(y)) >= len(y) - count for y, count in zip(problem.labels, injected)]
    )
    scores = {
        "norm": np.concatenate([np.linalg.norm(x, axis=1) for x in problem.points]),
        "loss": np.concatenate(
            [
                reference.loss_values(problem.loss, x @ weights[:, k], y)
                for k, (x, y) in enumerate(zip(problem.features, problem.labels))
            ]
        ),
    }
    # Equal scores that rounding orders: each of n injected points may pass a few clean ones.
    room = 4.0 / int(truth.sum())
    for name, values in scores.items():
        stated = report["detection"][name]
        roc = reference.auc(np.round(values, 12), np.where(truth, 1.0, -1.0))
        found.close(f"detection: ROC AUC of {name}", stated["roc_auc"], roc, 0.02)
        found.close(f"detection: precision of {name}", stated["precision"], precision(values, truth), room)
    check_task_scores(found, report, points)


def check_task_scores(found: Any, report: dict[str, Any], points: Any) -> None:
    tasks = report["detection"].get("tasks")
    if tasks is None:
        # The module that the page loads first does not have them.
        return
    truth = np.array([points.count("injected", k) > 0 for k in range(points.tasks)])
    for name, with_injected in (("clean", False), ("attacked", True)):
        problem = points.problem(report["spec"], with_injected=with_injected)
        weights = np.array(report[name]["weights"], dtype=float).T
        pairs = zip(problem.features, problem.labels)
        losses = [
            float(np.mean(reference.loss_values(problem.loss, x @ weights[:, k], y))) for k, (x, y) in enumerate(pairs)
        ]
        matrix = np.abs(np.array(report[name]["correlation"], dtype=float))
        others = max(1, points.tasks - 1)
        means = (matrix.sum(axis=1) - np.diag(matrix)) / others
        for k in range(points.tasks):
            # Labels that are not standardised have losses of any size.
            room = 1e-9 * max(1.0, losses[k])
            found.close(f"detection: own loss of task {k}, {name}", tasks["own_loss"][name][k], losses[k], room)
            stated = tasks["mean_correlation"][name][k]
            found.close(f"detection: mean correlation of task {k}, {name}", stated, float(means[k]), 1e-9)
    for score in ("own_loss", "mean_correlation"):
        stated = tasks[score]
        values = np.array(stated["attacked"])
        roc = reference.auc(values, np.where(truth, 1.0, -1.0))
        found.close(f"detection: ROC AUC of {score}", stated["roc_auc"], roc, 1e-12)
        found.close(f"detection: precision of {score}", stated["precision"], precision(values, truth), 1e-12)
