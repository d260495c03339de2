"""A specification or a link to a result."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import _native
from ._data import DataSet, DataWarning, PathLike, resolve, to_json, warn_of
from ._result import Result

Spec = Mapping[str, Any] | str | os.PathLike[str] | None


def request_of(
    spec: Spec, fields: dict[str, Any], data: DataSet | PathLike | None
) -> tuple[_native.Request, DataSet | None]:
    """What is asked for, and its data set."""
    if isinstance(fields.get("dataset"), DataSet):
        given = fields.pop("dataset")
        if data is not None and data is not given:
            raise ValueError("dataset and data are different data sets")
        data = given
    more = to_json(fields) if fields else None
    if spec is None or isinstance(spec, Mapping):
        text = to_json(dict(spec or {}))
        request = _native.Request(text, more)
    elif isinstance(spec, str) and (_native.is_link(spec) or spec.lstrip().startswith("{")):
        request = _native.Request(spec, more)
    else:
        request = _native.Request.of_file(Path(spec).read_bytes(), more)
    for key in request.unknown_keys:
        warnings.warn(f"link: unknown key {key} has no effect", DataWarning, stacklevel=4)
    return request, resolve(request, data)


def native(data: DataSet | None) -> _native.DataSet | None:
    return None if data is None else data._native


def run(
    spec: Spec = None,
    /,
    *,
    data: DataSet | PathLike | None = None,
    progress: Callable[[int, float | None, float], object] | None = None,
    **fields: Any,
) -> Result:
    """Trains, attacks, trains again.

    Parameters
    ----------
    spec
        A dictionary of fields, a share link, or a file with one of them (JSON, ``report.json``, a picture
        that was saved with its specification). Fields that are not written have defaults.
    data
        A :class:`DataSet`, a file, or the folder in which the data set is. Without it the data set that
        the specification names is looked for as :func:`load` does.
    progress
        Called as ``progress(iteration, metric, utility)``, from iteration 0 (the random start). `metric` is
        the mean NMSE or AUC of the targets on test points, None where it is not defined; `utility` the
        summed training loss that the attacker raises. What it raises ends the run.
    **fields
        Fields of the specification, in place of those of `spec`: :func:`fields` lists them.

    Raises
    ------
    PatomError
        A field that is wrong, with its name and what is allowed; data that cannot be used.
    NumericalError
        A computation broke down.
    KeyboardInterrupt
        On Ctrl-C, in the middle of a solve as well.

    Notes
    -----
    A solver that does not converge is no error: see :attr:`Result.converged`. The same specification
    gives the same :attr:`Result.digest` on every platform, in the browser and on the command line.

    Examples
    --------
    >>> import patom
    >>> result = patom.run("#v=2&d=synthetic&k=indirect", iterations=2)
    >>> bool(result.trace["utility"][-1] > result.trace["utility"][0])
    True
    """
    request, source = request_of(spec, fields, data)
    result = Result(request.run(native(source), progress))
    warn_of(result.warnings, stacklevel=2)
    if not result.converged:
        warnings.warn(
            "the lower level did not converge; its certificates bound the distance from the optimum",
            DataWarning,
            stacklevel=2,
        )
    return result


def complete(
    spec: Spec = None, /, *, data: DataSet | PathLike | None = None, **fields: Any
) -> dict[str, Any]:
    """The complete specification, defaults filled in and checked; arguments as those of :func:`run`."""
    request, source = request_of(spec, fields, data)
    return json.loads(request.complete(native(source)))


def link(spec: Spec = None, /, *, data: DataSet | PathLike | None = None, **fields: Any) -> str:
    """The share link of a specification, ``#v=2&...``; arguments as those of :func:`run`. Put it behind
    the address of the page."""
    request, source = request_of(spec, fields, data)
    return "#" + request.link(native(source))


def fields() -> list[dict[str, Any]]:
    """The fields of a specification: ``name``, ``title``, ``purpose``, ``type``, and the range (``min``,
    ``max``) or the ``words`` that are allowed. Defaults: ``patom.complete()``."""
    return json.loads(_native.FIELDS)
