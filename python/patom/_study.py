"""Studies of a specification: the choice of λ, the risk map, the study of defences."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from . import _native
from ._data import Array, DataSet, PathLike
from ._result import Finding, Svg, numbers, save, table
from ._run import Spec, native, request_of


class _Study(Finding):
    @property
    def link(self) -> str:
        """The link of :attr:`spec`."""
        return self._native.link

    @property
    def converged(self) -> bool:
        """Every solve met its stopping rule."""
        return self._json["converged"]

    def _repr_svg_(self) -> str:
        return self.svg()


class Tuning(_Study):
    """The result of :func:`patom.tune`. Its ``spec`` has the chosen λ1 and λ2:
    ``patom.run(tuning.spec, data=...)``."""

    _native: _native.Tuning

    @property
    def multi_task(self) -> dict[str, Any]:
        """The best pair: ``lambda1``, ``lambda2``, ``metric`` and others."""
        return self._json["multi_task"]

    @property
    def single_task(self) -> dict[str, Any]:
        """The best λ1 of single-task learning (λ2 = 0)."""
        return self._json["single_task"]

    @property
    def at_edge(self) -> bool:
        """The best pair is at the edge of the grid: a wider one may have a better pair."""
        return self._json["at_edge"]

    @property
    def converged(self) -> bool:
        """Every solve of the best pair met its stopping rule."""
        return self._json["multi_task"]["converged"]

    @cached_property
    def trials(self) -> np.ndarray:
        """A structured array, a row for each pair of the grid: ``lambda1``, ``lambda2`` (0: single-task
        learning), ``metric`` (mean over the tasks), ``converged``."""
        columns = {"lambda1": "f8", "lambda2": "f8", "metric": "f8", "converged": "?"}
        return table(self._json["trials"], columns)

    def svg(self, *, width: float = 560, dark: bool = False) -> Svg:
        """Error over λ1, multi-task and single-task learning."""
        return Svg(self._native.svg(width, dark))

    def __repr__(self) -> str:
        best, metric = self.multi_task, self.metric_name.upper()
        return (
            f"<Tuning λ1 = {best['lambda1']:g}, λ2 = {best['lambda2']:g}: {metric} {best['metric']:.4f}; "
            f"single-task learning {self.single_task['metric']:.4f}>"
        )


def tune(
    spec: Spec = None,
    /,
    *,
    data: DataSet | PathLike | None = None,
    folds: int = 5,
    lambda1_grid: Sequence[float] | None = None,
    lambda2_grid: Sequence[float] | None = None,
    progress: Callable[[int, int], object] | None = None,
    **fields: Any,
) -> Tuning:
    """Chooses λ1 and λ2 by cross-validation on the clean training points.

    Parameters
    ----------
    spec, data, **fields
        As those of :func:`patom.run`. What the specification says of the attack does not matter.
    folds
        Parts of each task's training points, 2 to 20.
    lambda1_grid, lambda2_grid
        1 to 50 values from 1e-12 to 1e6 each; 1, 0.1, ..., 1e-6 without. λ2 = 0, single-task learning, is
        tried as well.
    progress
        Called as ``progress(done, total)``.

    Raises
    ------
    PatomError
        As :func:`patom.run`; a grid out of range; no task with two training points.
    """
    request, source = request_of(spec, fields, data)
    first, second = (
        None if grid is None else [float(value) for value in grid]
        for grid in (lambda1_grid, lambda2_grid)
    )
    return Tuning(_native.Tuning(request, native(source), folds, first, second, progress))


class RiskMap(_Study):
    """The result of :func:`patom.risk`. Row i, column j: what an attacker who injects into task i alone
    does to task j. Every entry varies the targets, attackers and attack of ``spec``."""

    _native: _native.RiskMap

    @property
    def task_names(self) -> list[str]:
        """m names."""
        return self._json["task_names"]

    @cached_property
    def clean(self) -> Array:
        """(m,): metric of each task without an attack."""
        return numbers(self._json["clean"])

    @cached_property
    def damage(self) -> Array:
        """(m, m): by how much the metric of task j gets worse when task i is attacked; positive is harm,
        for NMSE and AUC alike. NaN where the metric is not defined."""
        return np.array(self._json["damage"], dtype=np.float64)

    @cached_property
    def correlation(self) -> Array:
        """(m, m): learned correlation of the tasks on clean data."""
        return np.array(self._json["correlation"], dtype=np.float64)

    @property
    def rank_correlation(self) -> float | None:
        """Spearman's, of \\|correlation\\| with damage off the diagonal."""
        return self._json["rank_correlation"]

    @property
    def most_exposed(self) -> int | None:
        """The task that single other tasks harm most in the mean."""
        return self._json["most_exposed"]

    @property
    def most_dangerous(self) -> int | None:
        """The task that harms single other tasks most in the mean."""
        return self._json["most_dangerous"]

    @property
    def worst_indirect(self) -> tuple[int, int, float] | None:
        """The largest damage off the diagonal: attacking task, target, damage."""
        worst = self._json["worst_indirect"]
        return None if worst is None else tuple(worst)

    @property
    def worst_direct(self) -> tuple[int, float] | None:
        """The largest damage on the diagonal: task, damage."""
        worst = self._json["worst_direct"]
        return None if worst is None else tuple(worst)

    def csv(self) -> str:
        """A row for each entry."""
        return self._native.csv()

    def svg(self, *, width: float = 560, dark: bool = False) -> Svg:
        """The map."""
        return Svg(self._native.svg(width, dark))

    def save(self, folder: PathLike) -> None:
        """Writes ``risk.json``, ``risk.csv`` and ``risk.svg``."""
        files = {"risk.json": self._native.json(), "risk.csv": self.csv(), "risk.svg": self.svg()}
        save(folder, files)

    def __repr__(self) -> str:
        text = f"<RiskMap of {len(self.task_names)} tasks"
        if self.worst_indirect is not None:
            attacker, target, damage = self.worst_indirect
            text += f"; worst indirect: T{attacker + 1} harms T{target + 1} by {damage:.4f}"
        return text + ">"


def risk(
    spec: Spec = None,
    /,
    *,
    data: DataSet | PathLike | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    **fields: Any,
) -> RiskMap:
    """Which task can be used against which: one attack for each pair of tasks.

    Parameters
    ----------
    spec, data, **fields
        As those of :func:`patom.run`; targets, attackers and attack are set for each pair.
    threads
        One for each core without; the result does not depend on it.
    progress
        Called as ``progress(done, total)``.

    Raises
    ------
    PatomError, NumericalError
        As :func:`patom.run`; ``method="random"``, which optimises nothing.
    """
    request, source = request_of(spec, fields, data)
    return RiskMap(_native.RiskMap(request, native(source), threads, progress))


_METRICS = dict.fromkeys(("clean", "standard", "knowing", "certified"), "f8")


class DefenceStudy(_Study):
    """The result of :func:`patom.defend`. Metrics are means over the target tasks, on test points. Its
    ``spec`` is the attack without a defence; ``link`` is that of the specification that was given."""

    _native: _native.DefenceStudy

    @property
    def verdict(self) -> str:
        """One to three sentences: what helps here."""
        return self._json["verdict"]

    @property
    def findings(self) -> list[str]:
        """What else the numbers say, a sentence each."""
        return self._json["findings"]

    @property
    def digest(self) -> str:
        """16 hexadecimal digits over all numbers."""
        return self._json["digest"]

    @cached_property
    def table(self) -> np.ndarray:
        """A structured array, a row for each defence: ``title``, metrics ``clean`` (no attack), ``standard``
        (the attacker who does not know the defence), ``knowing`` (the worst who does) and ``certified``
        (no points in other tasks can exceed it). NaN where there is none."""
        return table(json.loads(self._native.rows()), {"title": "U", **_METRICS})

    @cached_property
    def caps(self) -> np.ndarray:
        """The same over the pull cap: ``learner``, ``pull_cap`` (NaN for single-task and multi-task learning,
        the ends), ``clean``, ``standard``, ``knowing``, ``certified``."""
        return table(self._json["caps"], {"learner": "U", "pull_cap": "f8", **_METRICS})

    def csv(self) -> str:
        """The table of the defences, as the command line writes it."""
        return self._native.csv()

    def rankings_csv(self) -> str:
        """How well scores find attacked tasks and injected points."""
        return self._native.rankings_csv()

    def svg(self, kind: str = "caps", *, width: float = 720, dark: bool = False) -> Svg:
        """A chart: the metric over the pull ``caps``, the ``sanitisers``, or the ``rankings`` of tasks and
        points by suspicion, as ROC and precision-recall curves."""
        return Svg(self._native.svg(kind, width, dark))

    def save(self, folder: PathLike) -> None:
        """Writes ``defence.json``, ``defence.csv`` and ``rankings.csv``."""
        files = {"defence.json": self._native.json(), "defence.csv": self.csv()}
        save(folder, {**files, "rankings.csv": self.rankings_csv()})

    def __repr__(self) -> str:
        return f"<DefenceStudy: {self.verdict}>"


def defend(
    spec: Spec = None,
    /,
    *,
    data: DataSet | PathLike | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    **fields: Any,
) -> DefenceStudy:
    """What each defence is worth for an attack: the pull cap, sanitisers and single-task learning, beside no
    defence, against the attacker of the specification and attackers who know the defence.

    Parameters
    ----------
    spec, data, **fields
        As those of :func:`patom.run`. A defence in it does not count, but its pull cap is tried as well.
    threads
        One for each core without; the result does not depend on it.
    progress
        Called as ``progress(done, total)``.

    Raises
    ------
    PatomError, NumericalError
        As :func:`patom.run`; ``method="random"``, no budget, or the alternating solver.
    """
    request, source = request_of(spec, fields, data)
    return DefenceStudy(_native.DefenceStudy(request, native(source), threads, progress))
