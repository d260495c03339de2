"""Sweeps: a grid of specifications, a folder of results. Keys, rows and tables are made by the engine."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from . import _native
from ._data import DataSet, PathLike, _plain, resolve

# What a worker needs for a run: its key, its link, and the file or folder of its data.
Item = tuple[str, str, str | None]

# Most runs that a worker takes at a time: it reports after each, but a dead worker's are all begun again.
MOST_AT_A_TIME = 50


@dataclass(frozen=True)
class Sweep:
    """The results of :func:`patom.sweep`."""

    folder: Path
    """The folder, laid out as docs/sweeps.md says."""
    planned: int
    """Different runs of the grid."""
    reused: int
    """How many of them were there before."""
    unfinished: list[tuple[str, str]]
    """Link and reason of each run that has no row, because what computed it died. A further call begins
    these again."""
    _rows: list[str] = field(repr=False)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A dictionary for each run that is there, in the order of the grid. A run that failed has
        ``error`` in place of ``digest``. ``link`` opens the result: :func:`patom.run` and the page take it."""
        return [json.loads(row) for row in self._rows]

    @property
    def columns(self) -> list[str]:
        """The names of the columns: digest, metrics (means over the targets), specification, lists."""
        return list(_native.SWEEP_COLUMNS)

    def __getitem__(self, column: str) -> np.ndarray:
        """A column as an array, an entry for each row: floats with NaN for what is missing, or objects
        where some are no numbers."""
        if column not in _native.SWEEP_COLUMNS:
            raise KeyError(column)
        values = [row.get(column) for row in self.rows]
        if all(isinstance(value, int | float | None) for value in values):
            return np.array(values, dtype=np.float64)
        out = np.empty(len(values), dtype=object)
        out[:] = values
        return out

    def __len__(self) -> int:
        return len(self._rows)

    def to_parquet(self, path: PathLike | None = None) -> Path:
        """Writes the rows as Parquet, by default ``results.parquet`` in the folder; needs pyarrow. Lists
        stay lists; a radius is text where some are words."""
        import pyarrow
        import pyarrow.parquet

        path = self.folder / "results.parquet" if path is None else Path(path)
        table = {}
        for name in _native.SWEEP_COLUMNS:
            values = [row.get(name) for row in self.rows]
            if any(isinstance(value, str) for value in values):
                values = [None if value is None else str(value) for value in values]
            table[name] = values
        pyarrow.parquet.write_table(pyarrow.table(table), path)
        return path


def sweep(
    grid: Mapping[str, Any] | Sequence[Mapping[str, Any]] | PathLike,
    folder: PathLike,
    *,
    data: DataSet | PathLike | None = None,
    threads: int | None = None,
    client: Any = None,
    batch: int | None = None,
    retries: int = 3,
    progress: Callable[[int, int], object] | None = None,
) -> Sweep:
    """Runs a grid of specifications, except what the folder has already.

    Parameters
    ----------
    grid
        ``{"spec": {...}, "grid": {"budget": [0.1, 0.2], "seed": "1..10"}}``, a list of such, or a JSON file
        with one. ``spec`` may be a share link.
    folder
        Where the results are. Every finished run is a line in one of its files at once, so a sweep that is
        interrupted or killed continues with the next call. ``patom sweep`` of the command line, and
        other machines with the same disk, may work on the same folder at the same time.
    data
        A file, or the folder in which the data sets are; without a client also a :class:`DataSet`.
    threads
        One for each core without; results do not depend on it. Not with a client.
    client
        A ``dask.distributed.Client``: its workers compute the runs. They must see `folder` and the data
        under the same paths.
    batch
        Runs that a worker takes at a time. Without it at most 50, and several batches for each worker.
    retries
        How often Dask begins a batch again that failed because of its worker.
    progress
        Called as ``progress(done, planned)``.

    Raises
    ------
    PatomError
        A grid or a specification that is wrong, before anything runs; two digests for one run.
    ConnectionError
        The scheduler is gone. What is finished is in the folder.

    Notes
    -----
    A run that fails by itself, such as by a numerical breakdown, is a row with its ``error``: it would fail
    everywhere. A run whose worker dies is begun again; if it dies every time, it is in
    :attr:`Sweep.unfinished`, and the others go on.
    """
    if client is not None and threads is not None:
        raise TypeError("threads: with a client its workers say how many")
    folder = Path(folder).absolute()
    if client is not None and isinstance(data, DataSet):
        raise TypeError("data: a DataSet stays in this process; with a client give a file or a folder")
    plan = _plan(grid, data)
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    _replace(folder / "plan.jsonl", "".join(run.line + "\n" for run, *_ in plan))
    done = _finished(folder)
    todo = [one for one in plan if not done.contains(one[0].key)]
    reused = len(plan) - len(todo)

    def report(count: int) -> None:
        if progress is not None:
            progress(reused + count, len(plan))

    unfinished: list[tuple[str, str]] = []
    if client is None:
        writer = _Part(folder)
        counts = itertools.count(1)

        def add(row: str) -> None:
            writer.add(row)
            report(next(counts))

        _native.run_planned([(run, source) for run, source, _ in todo], threads, add)
    else:
        items = [(run.key, run.link, place) for run, _, place in todo]
        unfinished = _distribute(items, folder, client, batch, retries, report)
    done = _finished(folder)
    rows = [row for run, *_ in plan if (row := done.row(run.key)) is not None]
    _replace(folder / "results.csv", _native.sweep_csv(rows))
    return Sweep(folder, len(plan), reused, unfinished, rows)


def _plan(grid: Any, data: Any) -> list[tuple[_native.Planned, _native.DataSet | None, str | None]]:
    """The checked runs, each once, with their data sets, and where workers find those."""
    if isinstance(grid, str | os.PathLike):
        text = Path(grid).read_text(encoding="utf-8")
    else:
        text = json.dumps(grid, default=_plain)
    known: dict[Any, tuple[_native.DataSet | None, str | None]] = {}
    plan: dict[str, tuple[_native.Planned, _native.DataSet | None, str | None]] = {}
    for number, request in enumerate(_native.expand(text), 1):
        try:
            name = (request.dataset(), request.columns, request.was_version_1)
            if name not in known:
                known[name] = _source(request, data)
            source, place = known[name]
            run = request.planned(source)
        except _native.PatomError as error:
            error.args = (f"run {number} of the grid: {error.args[0]}",)
            raise
        plan.setdefault(run.key, (run, source, place))
    return list(plan.values())


def _source(request: _native.Request, data: Any) -> tuple[_native.DataSet | None, str | None]:
    found = resolve(request, data)
    if isinstance(data, DataSet):
        return found._native if found else None, None
    if data is not None:
        place = str(Path(data).absolute())
    else:
        # A path in the specification: its link has the name only.
        asked, _ = request.dataset() or ("", None)
        path = Path(asked)
        place = str(path.parent.absolute()) if asked not in _native.DATASETS and path.is_file() else None
    return found._native if found else None, place


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _finished(folder: Path) -> _native.Finished:
    """Every row that is there. A line that was cut off when its writer died does not count."""
    finished = _native.Finished()
    for path in sorted((folder / "parts").glob("*.jsonl")):
        finished.read(str(path), path.read_bytes())
    return finished


class _Part:
    """The file that one process adds rows to; no other ever does."""

    def __init__(self, folder: Path):
        self.process = os.getpid()
        name = f"{time.time_ns():x}-{self.process}-{uuid.uuid4().hex[:8]}.jsonl"
        self.path = folder / "parts" / name
        self.lock = threading.Lock()

    def add(self, row: str) -> None:
        # Opened and closed for each row: closing makes it visible to others on a network disk.
        with self.lock, open(self.path, "ab", buffering=0) as file:
            file.write(row.encode() + b"\n")


# Of a worker: its files by folder, and the data sets that it has read.
_parts: dict[str, _Part] = {}
_sources: dict[Any, _native.DataSet | None] = {}
_making = threading.Lock()


def _run_one(item: Item, folder: str) -> None:
    """On a worker: computes a run and adds its row."""
    key, link, place = item
    request = _native.Request("#" + link)
    name = (request.dataset(), request.columns, place)
    with _making:
        if name not in _sources:
            found = resolve(request, place)
            _sources[name] = found._native if found else None
        part = _parts.get(folder)
        if part is None or part.process != os.getpid():
            part = _parts[folder] = _Part(Path(folder))
    source = _sources[name]
    run = request.planned(source)
    if run.key != key:
        raise RuntimeError(f"#{link}: this worker has another engine (here {_native.__version__}) or other data")
    _native.run_planned([(run, source)], 1, part.add)


def _run_batch(batch: list[Item], folder: str) -> None:
    """The unit of work of Dask. Nothing is returned: results are read from the folder, because the worker
    that holds an answer may be gone."""
    for item in batch:
        _run_one(item, folder)


def _batches(items: list[Item], size: int) -> Iterator[list[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _distribute(
    items: list[Item],
    folder: Path,
    client: Any,
    batch: int | None,
    retries: int,
    report: Callable[[int], None],
) -> list[tuple[str, str]]:
    """Runs on the workers of Dask, in batches: a task of Dask costs as much as a small run."""
    from distributed import as_completed

    workers = max(1, len(client.nthreads()))
    size = batch or max(1, min(MOST_AT_A_TIME, len(items) // (8 * workers)))
    waiting: dict[str, list[Item]] = {}
    suspects: list[Item] = []
    unfinished: list[tuple[str, str]] = []
    count = 0

    def submit(some: list[Item]) -> Any:
        # Not pure: what is there is known from the folder, not from Dask's memory.
        future = client.submit(_run_batch, some, str(folder), pure=False, retries=retries)
        waiting[future.key] = some
        return future

    def left_of(future: Any) -> list[Item]:
        """The runs of an ended batch that have no row."""
        nonlocal count
        some = waiting.pop(future.key)
        if future.status not in ("finished", "error"):
            raise ConnectionError(
                f"the scheduler of Dask is gone ({future.status}); what is finished is in {folder}"
            )
        left = []
        if future.status == "error":
            there = _finished(folder)
            left = [item for item in some if not there.contains(item[0])]
        count += len(some) - len(left)
        future.release()
        report(count)
        return left

    ended = as_completed([submit(some) for some in _batches(items, size)])
    for future in ended:
        # A batch is run in order, and each row is written at once: the first run that has none is the one
        # that failed, or it waited for a worker that another run ended. The others go on.
        if left := left_of(future):
            suspects.append(left[0])
            if left[1:]:
                ended.add(submit(left[1:]))
    # Alone, so that nothing else ends its worker.
    for suspect in suspects:
        future = submit([suspect])
        for _ in as_completed([future]):
            reason = str(future.exception()) if future.status == "error" else ""
            if left_of(future):
                unfinished.append(("#" + suspect[1], reason))
    return unfinished
