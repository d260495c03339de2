"""What a run gives."""

from __future__ import annotations

import html
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _native
from ._data import Array, PathLike


class Svg(str):
    """The text of an SVG; notebooks show it as a picture."""

    __slots__ = ()

    def _repr_svg_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"<Svg of {len(self)} characters>"

    def save(self, path: PathLike) -> None:
        """Writes it to a file."""
        Path(path).write_text(self, encoding="utf-8")


class Comparison(NamedTuple):
    """How a result compares with what its link says."""

    same: bool
    """Bit for bit."""
    text: str
    """The same for people."""


class Points(NamedTuple):
    """Points of a run, in the scaled space that the learner saw: the largest norm is 1."""

    X: Array
    """(n, d), without the bias."""
    y: Array
    """(n,)"""
    task: npt.NDArray[np.int64]
    """(n,), numbers from 0."""
    split: npt.NDArray[np.str_]
    """(n,): ``train``, ``test`` or ``injected``."""
    kept: npt.NDArray[np.bool_]
    """(n,): False where a sanitiser drops the point."""
    known: npt.NDArray[np.bool_]
    """(n,): False for clean training points that an attacker of limited knowledge does not see."""


@dataclass(frozen=True)
class Model:
    """A trained model of m tasks, in the scaled space of :meth:`Result.points`."""

    coef: Array
    """(m, d)"""
    intercept: Array
    """(m,)"""
    correlation: Array
    """(m, m): correlation of the tasks, from their learned covariance."""
    metric_per_task: Array
    """(m,): NMSE or AUC on test points; NaN where it is not defined."""
    objective: float
    """What the learner minimises."""
    certificate: float
    """Bound on the objective less its minimum."""
    status: str
    """``converged``, ``settled``, ``iteration_limit`` or ``stalled``."""

    @classmethod
    def of(cls, model: dict[str, Any]) -> Model:
        weights = np.array(model["weights"], dtype=np.float64)
        return cls(
            coef=weights[:, :-1],
            intercept=weights[:, -1],
            correlation=np.array(model["correlation"], dtype=np.float64),
            metric_per_task=numbers(model["metric_per_task"]),
            objective=model["objective"],
            certificate=model["certificate"],
            status=model["solver_status"],
        )


def numbers(values: list[Any]) -> Array:
    """With NaN for what is not defined."""
    return np.array(values, dtype=np.float64)


class Finding:
    """What the engine found, as JSON and in its own form. It can be pickled and copied."""

    def __init__(self, native: Any):
        self._native = native

    def __getstate__(self) -> dict[str, Any]:
        # What is cached follows from it.
        return {"_native": self._native}

    @cached_property
    def _json(self) -> dict[str, Any]:
        return json.loads(self._native.json())

    def to_dict(self) -> dict[str, Any]:
        """The JSON file of the command line; docs/command-line.md has its keys."""
        return json.loads(self._native.json())

    @property
    def spec(self) -> dict[str, Any]:
        """The complete specification."""
        return self._json["spec"]

    @property
    def metric_name(self) -> str:
        """``nmse`` (regression; low is good) or ``auc`` (classification; high is good)."""
        return self._json["metric_name"]


_TRACE = dict.fromkeys(("metric", "utility", "objective", "certificate", "seconds"), "f8")


class Result(Finding):
    """The result of :func:`patom.run`.

    Tasks are numbered from 0, in the order of `task_names`; iteration 0 is the random start of the
    injected points.
    """

    _native: _native.Outcome

    @property
    def digest(self) -> str:
        """16 hexadecimal digits over the bits of all numeric results: equal if and only if they are."""
        return self._native.digest

    @property
    def link(self) -> str:
        """``#v=2&...``, with what was found: the page, or :func:`patom.run`, repeats it and compares."""
        return self._native.link

    @property
    def comparison(self) -> Comparison | None:
        """How the result compares with what the link that was run says; None where it says nothing."""
        found = self._native.comparison
        return None if found is None else Comparison(*found)

    @property
    def converged(self) -> bool:
        """Every solve met the stopping rule of its solver."""
        return self._native.converged

    @property
    def engine(self) -> str:
        """Version of the engine."""
        return self._json["engine"]

    @property
    def task_names(self) -> list[str]:
        """m names."""
        return self._json["task_names"]

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """What can make the result meaningless: ``code``, ``message``, and ``task`` or ``column``."""
        return self._json["warnings"]

    @cached_property
    def clean(self) -> Model:
        """Trained on the clean points."""
        return Model.of(self._json["clean"])

    @cached_property
    def attacked(self) -> Model:
        """Trained on clean and injected points, at the last iteration."""
        return Model.of(self._json["attacked"])

    @property
    def single_task(self) -> dict[str, Array]:
        """Metric of each task with single-task learning: ``clean`` and ``attacked``, (m,)."""
        models = self._json["single_task"]
        return {key: numbers(model["metric_per_task"]) for key, model in models.items()}

    @property
    def certified(self) -> dict[str, Any] | None:
        """With the capped learner: what no points in other tasks can exceed."""
        return self._json.get("certified")

    @property
    def detection(self) -> dict[str, Any] | None:
        """How well scores find the injected points; None where there are none."""
        return self._json.get("detection")

    @cached_property
    def defence(self) -> dict[str, Model] | None:
        """With a sanitiser: the models of what it keeps, ``clean`` and ``attacked``."""
        models = self._json.get("defence")
        return models and {key: Model.of(models[key]) for key in ("clean", "attacked")}

    @cached_property
    def trace(self) -> np.ndarray:
        """The attack by iteration, a structured array: ``iteration``, ``metric`` (mean of the targets; NaN
        where it is not defined), ``utility``, ``objective``, ``certificate``, ``seconds``."""
        return table(self._json["trace"], {"iteration": "i8", **_TRACE})

    @cached_property
    def metric_per_task(self) -> Array:
        """(iterations + 1, m): test metric of each task in each iteration."""
        return np.array(
            [point["metric_per_task"] for point in self._json["trace"]], dtype=np.float64
        )

    def points(self, *splits: str) -> Points:
        """Points of the run, those of ``train``, ``test`` and ``injected`` or only of the given splits."""
        unknown = [one for one in splits if one not in ("train", "test", "injected")]
        if unknown:
            raise ValueError(f"split: {unknown[0]!r}; expected 'train', 'test' or 'injected'")
        d = self.clean.coef.shape[1]
        parts: list[tuple[npt.NDArray[Any], ...]] = [
            (np.empty((0, d)), *(np.empty(0, kind) for kind in ("f8", "i8", "U8", "?", "?")))
        ]
        for task, split, x, y, *flags in self._native.blocks():
            if splits and split not in splits:
                continue
            labels = np.frombuffer(y)
            n = len(labels)
            parts.append(
                (
                    np.frombuffer(x).reshape(n, d + 1)[:, :d],
                    labels,
                    np.full(n, task, "i8"),
                    np.full(n, split, "U8"),
                    *(np.ones(n, "?") if flag is None else np.array(flag, "?") for flag in flags),
                )
            )
        return Points(*(np.concatenate(column) for column in zip(*parts)))

    def save(self, folder: PathLike) -> None:
        """Writes ``report.json`` and ``points.csv``, as ``patom run --out`` does: each whole or not at
        all."""
        save(folder, {"report.json": self._native.json(), "points.csv": self._native.points_csv()})

    def poisoned_csv(self) -> str:
        """The poisoned data set as the learner sees it: ``task,label,x1,...,xd,split``."""
        return self._native.poisoned_csv()

    def svg(self, kind: str = "curve", *, width: float = 760, dark: bool = False) -> Svg:
        """A chart of the page. It carries the specification: dropped on the page, it opens again.

        Parameters
        ----------
        kind
            ``curve`` (metric and utility by iteration), ``correlations`` (of the tasks, before and
            after) or ``points`` (clean and injected points in a plane).
        width
            In CSS pixels, 200 to 4000.
        """
        return Svg(self._native.svg(kind, width, dark))

    def __repr__(self) -> str:
        return f"<Result {self._native.title}; digest {self.digest}>"

    def _repr_html_(self) -> str:
        rows = []
        for task, name in enumerate(self.task_names):
            roles = [
                word
                for word, key in (("target", "target_tasks"), ("attacking", "attacking_tasks"))
                if task in self._json[key]
            ]
            values = (self.clean.metric_per_task[task], self.attacked.metric_per_task[task])
            cells = "".join(f"<td>{value:.4f}</td>" for value in values)
            rows.append(
                f"<tr><td>T{task + 1}</td><td>{html.escape(name)}</td>{cells}"
                f"<td>{', '.join(roles)}</td></tr>"
            )
        notes = "".join(f"<li>{html.escape(one['message'])}</li>" for one in self.warnings)
        return (
            f"<div>{self.svg('curve')}</div>"
            f"<table><thead><tr><th></th><th>task</th><th>{self.metric_name.upper()} clean</th>"
            f"<th>attacked</th><th>role</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
            f"{'<ul>' + notes + '</ul>' if notes else ''}"
            f"<p>Digest <code>{self.digest}</code>, link <code>{html.escape(self.link)}</code></p>"
        )


def table(rows: list[dict[str, Any]], columns: dict[str, str]) -> np.ndarray:
    """A structured array of some columns, with NaN for what is not defined; kind ``U``: text of any length."""
    kinds = [
        (name, f"U{max(len(row[name]) for row in rows)}" if kind == "U" else kind)
        for name, kind in columns.items()
    ]
    values = [tuple(np.nan if row[name] is None else row[name] for name in columns) for row in rows]
    return np.array(values, dtype=kinds)


def save(folder: PathLike, files: dict[str, str]) -> None:
    """Files that are whole or not there."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        part = folder / f"{name}.part"
        # Line ends as the command line writes them, everywhere.
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, folder / name)
