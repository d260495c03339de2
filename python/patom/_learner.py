"""The learner and the attacker alone, on arrays as they are: nothing is scaled or drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _native
from ._data import Array, by_task, checked, refusal, to_json


@dataclass(frozen=True)
class Solution:
    """A trained model of m tasks: the prediction of row x of task i is ``coef[i] @ x + intercept[i]``."""

    tasks: npt.NDArray[Any]
    """(m,): the tasks, sorted, as they were given."""
    coef: Array
    """(m, d)"""
    intercept: Array
    """(m,)"""
    covariance: Array
    """(m, m): Ω, of trace 1; zero without coupling only where all models are zero."""
    correlation: Array
    """(m, m): Ω_ij / sqrt(Ω_ii Ω_jj)"""
    objective: float
    """P(W), what the learner minimises."""
    certificate: float
    """Bound on the objective less its minimum."""
    iterations: int
    """Newton steps, or rounds of the alternation."""
    status: str
    """``converged``, ``settled`` (the alternation, above the tolerance), ``iteration_limit``, ``stalled``."""

    @property
    def converged(self) -> bool:
        """The solve met the stopping rule of its solver."""
        return self.status in ("converged", "settled")

    @classmethod
    def of(cls, raw: dict[str, Any], tasks: npt.NDArray[Any]) -> Solution:
        m = len(tasks)
        weights = np.frombuffer(raw["weights"]).reshape(m, -1)
        return cls(
            tasks=tasks,
            coef=weights[:, :-1].copy(),
            intercept=weights[:, -1].copy(),
            covariance=np.frombuffer(raw["omega"]).reshape(m, m).copy(),
            correlation=np.frombuffer(raw["correlation"]).reshape(m, m).copy(),
            objective=raw["objective"],
            certificate=raw["certificate"],
            iterations=raw["iterations"],
            status=raw["status"],
        )


def solve(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    task: npt.ArrayLike,
    *,
    loss: str = "squared",
    learner: str = "multi_task",
    pull_cap: float | None = None,
    lambda1: float = 0.1,
    lambda2: float = 0.1,
    epsilon: float = 1e-6,
    solver: str = "certified",
    tolerance: float = 1e-9,
    max_iterations: int = 200,
) -> Solution:
    """Multi-task relationship learning: minimises over W and the task covariance Ω (trace 1)

    ::

        Σ_i 1/N_i Σ_j l(y_ij, w_i'x_ij) + λ1/2 |W|² + λ2/2 tr(W Ω⁻¹ W')

    where x has a 1 appended for the bias, which is penalised like the other weights.

    Parameters
    ----------
    X : (n, d), y : (n,), task : (n,)
        Points, labels and the task of each row (numbers or names). Standardise X first.
    loss
        ``squared``: (y - w'x)²; ``squared_hinge``: max(0, 1 - y w'x)², labels -1 and +1.
    learner
        ``multi_task``; ``single_task`` (λ2 = 0); ``capped``: other tasks can pull a task only so far.
    pull_cap
        μ > 0, with ``capped`` only; 0.1 without. Small: single-task, large: multi-task learning.
    lambda1, lambda2, epsilon
        λ1 > 0, λ2 >= 0, floor ε >= 0 of the covariance (at least 1e-12 for the certified solver).
    solver
        ``certified``: the joint convex problem to a certificate; ``alternating``: that of Zhang and Yeung.
    tolerance
        Certificate, relative to max(1, objective), at which a solve has converged.
    max_iterations
        Newton steps, or rounds of the alternation.

    Raises
    ------
    PatomError, NumericalError, KeyboardInterrupt
        As :func:`patom.run`. Not to converge is no error: see :attr:`Solution.status`.

    References
    ----------
    Y. Zhang, D.-Y. Yeung, "A Convex Formulation for Learning Task Relationships in Multi-Task Learning",
    UAI 2010.
    """
    x, labels, tasks = checked(X, y, task)
    names, blocks = by_task(x, labels, tasks)
    settings = {
        "loss": loss,
        "learner": learner,
        "pull_cap": None if pull_cap is None else float(pull_cap),
        "lambda1": float(lambda1),
        "lambda2": float(lambda2),
        "epsilon": float(epsilon),
        "solver": solver,
        "tolerance": float(tolerance),
        "max_iterations": int(max_iterations),
    }
    return Solution.of(_native.solve(x.shape[1], blocks, settings), names)


@dataclass(frozen=True)
class Poisoned:
    """A poisoned training set, from :func:`poison`. It unpacks as ``X, y, task``."""

    X: Array
    """(n + p, d): the clean rows as they were given, then the injected ones."""
    y: Array
    """(n + p,)"""
    task: npt.NDArray[Any]
    """(n + p,)"""
    is_poison: npt.NDArray[np.bool_]
    """(n + p,): True for injected rows."""
    utility: Array
    """(iterations + 1,): what the attacker raises, from the random start on."""
    stop: str
    """``iterations``, ``no_ascent`` (no step raises the utility), or ``nothing_to_optimise``."""
    clean: Solution = field(repr=False)
    """The model of the clean points."""
    poisoned: Solution = field(repr=False)
    """The model of all points."""

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        return iter((self.X, self.y, self.task))


def poison(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    task: npt.ArrayLike,
    *,
    targets: Sequence[Any],
    attackers: Sequence[Any] | None = None,
    utility: str = "training_loss",
    budget: float = 0.2,
    radius: float | None = None,
    injected_labels: str = "uniform",
    method: str = "patom",
    gradient: str = "implicit_total",
    step: str = "backtracking",
    step_size: float = 100.0,
    iterations: int = 15,
    batch_factor: float = 3.0,
    seed: int = 42,
    loss: str = "squared",
    learner: str = "multi_task",
    pull_cap: float | None = None,
    lambda1: float = 0.1,
    lambda2: float = 0.1,
    epsilon: float = 1e-6,
    solver: str = "certified",
    tolerance: float = 1e-9,
    max_iterations: int = 200,
    progress: Callable[[int, None, float], object] | None = None,
) -> Poisoned:
    """Training points that an attacker adds so that the models of the target tasks become as bad as
    possible, for these points, in their own units.

    Parameters
    ----------
    X : (n, d), y : (n,), task : (n,)
        Clean training points; as those of :func:`solve`.
    targets
        Tasks that the attacker wants to harm, as they are in `task`.
    attackers
        Tasks that get injected points; the targets without.
    utility
        What the attacker raises: ``training_loss`` of the targets, or ``ranking`` (squared hinge): pairs of
        clean points that are ranked wrongly.
    budget
        Injected points of an attacking task, as a share of its clean ones, 0 to 5 (rounded down).
    radius
        Injected points lie in a ball of this radius about 0; the norm of the longest row of X without.
    injected_labels
        ``uniform`` over the task's range of labels (classes: equal odds), ``resampled`` from its clean
        labels (squared loss), ``flipped`` (squared hinge).
    method
        ``patom``, or ``random``: the random start, not optimised.
    gradient, step, step_size, iterations, batch_factor, seed
        As the fields of a specification: :func:`patom.fields`.
    loss, learner, pull_cap, lambda1, lambda2, epsilon, solver, tolerance, max_iterations
        The learner that is attacked: :func:`solve`.
    progress
        Called as ``progress(iteration, None, utility)``.

    Raises
    ------
    PatomError, NumericalError, KeyboardInterrupt
        As :func:`patom.run`.

    Examples
    --------
    >>> import numpy as np, patom
    >>> X, y, task = patom.load("synthetic").training_points()
    >>> X2, y2, task2 = poisoned = patom.poison(X, y, task, targets=[0, 1], attackers=[5, 6, 7], iterations=2)
    >>> bool(np.all(X2[~poisoned.is_poison] == X))
    True
    """
    x, labels, tasks = checked(X, y, task)
    names, blocks = by_task(x, labels, tasks)
    numbers = {name: number for number, name in enumerate(names.tolist())}
    spec = {
        "targets": _numbers("targets", targets, numbers),
        "attackers": _numbers("attackers", targets if attackers is None else attackers, numbers),
        "utility": utility,
        "budget": float(budget),
        "injected_labels": injected_labels,
        "method": method,
        "gradient": gradient,
        "step": step,
        "step_size": float(step_size),
        "iterations": int(iterations),
        "batch_factor": float(batch_factor),
        "seed": int(seed),
        "loss": loss,
        "learner": learner,
        "pull_cap": None if pull_cap is None else float(pull_cap),
        "lambda1": float(lambda1),
        "lambda2": float(lambda2),
        "epsilon": float(epsilon),
        "solver": solver,
    }
    if radius is None:
        radius = float(np.sqrt(np.einsum("nd,nd->n", x, x).max(initial=0.0)))
    limits = (float(tolerance), int(max_iterations))
    raw = _native.poison(x.shape[1], blocks, to_json(spec), float(radius), limits, progress)
    xs, ys, ts = [x], [labels], [tasks]
    for number, points, drawn in raw["injections"]:
        drawn = np.frombuffer(drawn)
        xs.append(np.frombuffer(points).reshape(len(drawn), -1)[:, : x.shape[1]])
        ys.append(drawn)
        ts.append(np.full(len(drawn), names[number], dtype=tasks.dtype))
    everything = np.concatenate(xs)
    return Poisoned(
        X=everything,
        y=np.concatenate(ys),
        task=np.concatenate(ts),
        is_poison=np.arange(len(everything)) >= len(x),
        utility=np.frombuffer(raw["utility"]).copy(),
        stop=raw["stop"],
        clean=Solution.of(raw["clean"], names),
        poisoned=Solution.of(raw["poisoned"], names),
    )


def _numbers(what: str, wanted: Sequence[Any], numbers: dict[Any, int]) -> list[int]:
    """Of tasks, as they were given."""
    found = []
    for name in np.asarray(wanted).ravel().tolist():
        if name not in numbers:
            known = ", ".join(map(str, list(numbers)[:20]))
            raise refusal(what, f"no task {name!r}; available: {known}")
        found.append(numbers[name])
    return found
