"""Data sets: the published ones, files, arrays. Only this module opens files to read data."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _native

Array = npt.NDArray[np.float64]
PathLike = str | os.PathLike[str]


class DataWarning(UserWarning):
    """What can make a result meaningless: a column that dominates, too few test points, ..."""


class DataSet:
    """A checked data set: m tasks, points with d features and a label each.

    Made by :meth:`read` (a file), :meth:`from_arrays`, or :func:`patom.load` (a published one). Tasks have
    numbers from 0 in specifications (``targets``, ``attackers``), in the order of ``task_names``.
    """

    def __init__(self, native: _native.DataSet):
        self._native = native

    @property
    def name(self) -> str:
        """Name of the published data set, of the file, or of the arrays."""
        return self._native.name

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits: of the file, or of the numbers where there is none."""
        return self._native.sha256

    @property
    def kind(self) -> str:
        """``regression``, or ``classification`` (labels -1 and +1)."""
        return self._native.kind

    @property
    def task_names(self) -> list[str]:
        """m names."""
        return self._native.task_names

    @property
    def feature_names(self) -> list[str]:
        """d names."""
        return self._native.feature_names

    @property
    def columns(self) -> str | None:
        """The mapping that read the file, as ``columns=`` takes it; None where its own names said it."""
        return self._native.columns

    @cached_property
    def _notes(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        noticed, left_out = json.loads(self._native.notes())
        return noticed, left_out

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """What was noticed in the file: ``code``, ``message``, and ``task`` or ``column``."""
        return self._notes[0]

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """What of the file is not used, and why."""
        return self._notes[1]

    def training_points(self) -> tuple[Array, Array, npt.NDArray[np.int64]]:
        """The points that a model may be trained on, in their own units: those that are not marked for
        testing.

        Returns
        -------
        X : (n, d), y : (n,), task : (n,)
            ``task`` holds numbers from 0.
        """
        xs, ys, tasks = [], [], []
        for number, (x, y) in enumerate(self._native.training_points()):
            labels = np.frombuffer(y)
            xs.append(np.frombuffer(x).reshape(len(labels), -1))
            ys.append(labels)
            tasks.append(np.full(len(labels), number, dtype=np.int64))
        return np.concatenate(xs), np.concatenate(ys), np.concatenate(tasks)

    def __repr__(self) -> str:
        m, d = len(self.task_names), len(self.feature_names)
        return f"<DataSet {self.name}: {self.kind}, {m} tasks, {d} features>"

    @classmethod
    def read(cls, path: PathLike, columns: str | None = None) -> DataSet:
        """Reads a file: text table, MAT, NumPy, svmlight, ARFF, JSON, compressed or not.

        Parameters
        ----------
        path
            The file.
        columns
            What its columns are, where their names do not say it, for example
            ``"task:1;label:9;split:10,test;x:2-8"`` (the page, and ``patom run --columns``, take the same).
            Without it the columns are guessed; a guess that is not sure is an error that asks.

        Raises
        ------
        PatomError
            With the line or row and what was expected there.
        """
        path = Path(path)
        return cls(_native.DataSet.read(path.name, path.read_bytes(), columns))

    @classmethod
    def from_arrays(
        cls,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        task: npt.ArrayLike | None = None,
        *,
        split: npt.ArrayLike | None = None,
        kind: str | None = None,
        name: str = "arrays",
        feature_names: Sequence[str] | None = None,
        task_names: Sequence[str] | None = None,
    ) -> DataSet:
        """A data set of arrays, in their own units.

        Parameters
        ----------
        X : (n, d)
            Features; a DataFrame gives the names as well.
        y : (n,) or (n, m)
            Labels: any finite numbers, or classes -1 and +1 (or 0 and 1). With two dimensions each column
            is a task on the same points.
        task : (n,)
            The task of each row: numbers or names. Tasks are sorted. Not with a y of two dimensions.
        split : (n,)
            ``"train"`` or ``"test"`` for each row (or True for testing). Without it, runs draw.
        kind
            ``"regression"`` or ``"classification"``. Without it the labels decide.
        name
            What results call it.
        feature_names, task_names
            d and m names.

        Raises
        ------
        PatomError
            A number that is not finite, a size beyond the limits, a label that is no class.
        """
        if feature_names is None:
            feature_names = getattr(X, "columns", None)
        if task_names is None and getattr(y, "ndim", 1) == 2:
            task_names = getattr(y, "columns", None)
        x, labels = matrix(X), np.asarray(y, dtype=np.float64)
        about = {
            "name": name,
            "kind": kind,
            "feature_names": None if feature_names is None else [str(one) for one in feature_names],
        }
        if labels.ndim == 2:
            if task is not None or split is not None:
                raise ValueError("task and split need a y of one dimension")
            if len(labels) != len(x):
                raise ValueError(f"X {x.shape}, y {labels.shape}; expected (n, d), (n, m)")
            names = range(1, labels.shape[1] + 1) if task_names is None else task_names
            about["task_names"] = [str(one) for one in names]
            columns = [np.ascontiguousarray(column) for column in labels.T]
            return cls(_native.DataSet.from_columns(about, x.shape[1], x, columns))
        if task is None:
            task = np.zeros(len(x), dtype=np.int64)
        x, labels, task = checked(x, labels, task)
        flags = None
        if split is not None:
            flags = np.asarray(split)
            if flags.shape != (len(x),):
                raise ValueError(f"split {flags.shape}; expected ({len(x)},)")
            if flags.dtype != bool:
                unknown = [one for one in np.unique(flags) if one not in ("train", "test")]
                if unknown:
                    raise ValueError(f"split: {unknown[0]!r}; expected 'train' or 'test'")
                flags = flags == "test"
        values, blocks = by_task(x, labels, task)
        names = values.tolist() if task_names is None else task_names
        about["task_names"] = [str(one) for one in names]
        tasks = [
            (x, y, None if flags is None else flags[task == value].tolist())
            for value, (x, y) in zip(values, blocks)
        ]
        return cls(_native.DataSet.from_arrays(about, x.shape[1], tasks))


def matrix(X: npt.ArrayLike) -> Array:
    """X as the engine takes it."""
    x = np.ascontiguousarray(X, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"X {x.shape}; expected (n, d) with at least one feature")
    return x


def checked(
    X: npt.ArrayLike, y: npt.ArrayLike, task: npt.ArrayLike
) -> tuple[Array, Array, npt.NDArray[Any]]:
    """Arrays whose shapes fit together."""
    x, labels, tasks = matrix(X), np.ascontiguousarray(y, dtype=np.float64), np.asarray(task)
    if labels.shape != (len(x),) or tasks.shape != (len(x),):
        raise ValueError(
            f"X {x.shape}, y {labels.shape}, task {tasks.shape}; expected (n, d), (n,), (n,)"
        )
    for name, array in (("X", x), ("y", labels)):
        if not np.isfinite(array).all():
            at = tuple(int(k[0]) for k in np.nonzero(~np.isfinite(array)))
            where = ", ".join(map(str, at))
            raise refusal(None, f"{name}[{where}] is {array[at]}; expected finite numbers")
    return x, labels, tasks


def refusal(field: str | None, message: str) -> _native.PatomError:
    """An error as those of the engine."""
    error = _native.PatomError(message if field is None else f"{field}: {message}")
    error.code = "data" if field is None else "field"
    error.field = field
    return error


def to_json(fields: Mapping[str, Any]) -> str:
    """Fields of a specification as the engine reads them."""
    for name, value in fields.items():
        if isinstance(value, float | np.floating) and not np.isfinite(value):
            raise refusal(name, f"{value} is invalid; expected a finite number")
    return json.dumps(fields, default=_plain, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, range):
        return list(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} in a specification; expected text, numbers or lists")


def by_task(
    X: Array, y: Array, task: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], list[tuple[Array, Array]]]:
    """The tasks, sorted, and the points of each."""
    names = np.unique(task)
    blocks = []
    for name in names:
        rows = task == name
        blocks.append((np.ascontiguousarray(X[rows]), np.ascontiguousarray(y[rows])))
    return names, blocks


def _folders(folder: PathLike | None) -> Iterator[Path]:
    """Where data is looked for, in the order of the command line."""
    if folder is not None:
        yield Path(folder)
    if given := os.environ.get("PATOM_DATA"):
        yield Path(given)
    yield Path("../shared/data")
    yield Path("target/data")


_loaded: dict[tuple[str, tuple[Path, ...]], DataSet] = {}


def load(name: str, folder: PathLike | None = None) -> DataSet:
    """A published data set, ``landmine``, ``sarcos`` or ``mnist``; or ``synthetic``.

    Its files, or the bundles that ``cargo xtask data`` makes, are looked for in `folder`, ``$PATOM_DATA``,
    ``../shared/data`` and ``target/data``.

    Raises
    ------
    PatomError
        An unknown name; files that are not there, with where to get them; a file that is damaged.
    """
    if name == "synthetic":
        return DataSet(_native.DataSet.synthetic())
    folders = tuple(_folders(folder))
    key = (name, tuple(folder.absolute() for folder in folders))
    if key not in _loaded:

        def find(file: str) -> bytes | None:
            paths = (folder / file for folder in folders)
            return next((path.read_bytes() for path in paths if path.is_file()), None)

        _loaded[key] = DataSet(_native.DataSet.published(name, find))
    return _loaded[key]


def resolve(request: _native.Request, data: DataSet | PathLike | None) -> DataSet | None:
    """The data set of a request; None for the synthetic one, which its specification determines."""
    if isinstance(data, DataSet):
        return data
    asked = request.dataset()
    folder = None
    if data is not None:
        path = Path(data)
        if not path.is_dir():
            # A file, or an error that names it.
            return DataSet.read(path, request.columns)
        folder = path
    if asked in (None, ("synthetic", None)):
        return None
    name, sha256 = asked
    if sha256 is None and name in _native.DATASETS:
        return load(name, folder)
    places = list(_folders(folder))
    places.insert(0 if folder is None else 1, Path())
    found = []
    for path in (place / name for place in places):
        if not path.is_file():
            continue
        strict = request.was_version_1 or sha256 is not None
        content = path.read_bytes()
        if sha256 is None:
            return DataSet(_native.DataSet.read(path.name, content, request.columns, strict))
        digest = hashlib.sha256(content).hexdigest()
        if digest == sha256:
            return DataSet(_native.DataSet.read(path.name, content, request.columns, strict))
        found.append(f"{path} has {digest}")
    which = "" if sha256 is None else f" with SHA-256 {sha256}"
    reason = "; ".join(found) or "not found"
    raise refusal(
        "dataset",
        f"{name}: {reason}; expected a file{which}, or one of {', '.join(_native.DATASETS)} "
        "(give data=, a DataSet, a file or its folder)",
    )


def warn_of(found: list[dict[str, Any]], stacklevel: int) -> None:
    """Raises what can make a result meaningless as warnings; notes only stay in the list."""
    for one in found:
        if one["code"] not in ("worse_than_single_task", "shared_rows"):
            warnings.warn(one["message"], DataWarning, stacklevel=stacklevel + 1)
