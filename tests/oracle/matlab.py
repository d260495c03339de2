"""Compares our MATLAB reader with SciPy on SciPy's own test files.

    cargo build --example matlab_dump
    python3 tests/oracle/matlab.py target/debug/examples/matlab_dump [FOLDER] [--verbose]

FOLDER is scipy/io/matlab/tests/data; without it that of the installed SciPy. Every file must end in
the values that SciPy reads, bit by bit, or in a refusal: a variable of a class that is not read
(named), or an error in words for a file that is of another version or damaged. A file that SciPy
reads and we refuse as damaged is a failure. Writes copies of real matrices with SciPy as well, in
every storage type, sparse ones, structures and text, and reads them back.
"""

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import scipy.io
import scipy.sparse

# Files of other versions: refused by name.
OTHER_VERSIONS = ("version 4", "7.3")


def expected_unread(value):
    """The words for a value that is not read, or None where it is."""
    from scipy.io.matlab import MatlabFunction, MatlabObject, MatlabOpaque

    if scipy.sparse.issparse(value):
        return "a complex matrix" if value.dtype.kind == "c" else None
    if isinstance(value, MatlabFunction):
        return "a function handle"
    if isinstance(value, (MatlabObject, MatlabOpaque)):
        return "an object"
    if not isinstance(value, np.ndarray):
        return f"SciPy gives {type(value)}"
    if value.dtype.kind == "c":
        return "a complex matrix"
    return None


def compare(ours, theirs, where):
    """The differences, as sentences."""
    words = expected_unread(theirs)
    if words or "unread" in ours:
        found = ours.get("unread")
        if words == found:
            return []
        # Whole numbers that a double cannot hold.
        big = isinstance(theirs, np.ndarray) and theirs.dtype.kind in "iu"
        if big and found and "2^53" in found and np.abs(theirs.astype(object)).max() > 2**53:
            return []
        return [f"{where}: {found!r}, SciPy: {words!r}"]
    if scipy.sparse.issparse(theirs):
        theirs = theirs.toarray()
    if theirs.dtype.kind == "U":
        # SciPy keeps the blanks at the end of a row; of no text it makes one empty row, or none.
        rows = [str(row).rstrip(" \0") for row in theirs.ravel(order="F")]
        same = ours.get("text") == rows or (not any(rows) and not any(ours.get("text", ["?"])))
        return [] if same else [f"{where}: text {ours.get('text')}, SciPy: {rows}"]
    if "fields" in ours and not theirs.dtype.names:
        # A structure without fields or of no elements comes from SciPy as an array without names.
        is_empty = theirs.size == 0 or not ours["fields"]
        return [] if is_empty else [f"{where}: a structure, SciPy: {theirs.dtype}"]
    if list(theirs.shape) != ours.get("shape"):
        return [f"{where}: shape {ours.get('shape')}, SciPy: {theirs.shape}"]
    if theirs.dtype.names:
        # SciPy renames fields of the same name: _1_a.
        names = [re.sub(r"^_\d+_", "", name) for name in theirs.dtype.names]
        if [name for name, _ in ours.get("fields", [])] != names:
            return [f"{where}: fields differ, SciPy: {theirs.dtype.names}"]
        return [
            line
            for name, (_, items) in zip(theirs.dtype.names, ours["fields"])
            for k, (a, b) in enumerate(zip(items, theirs.ravel(order="F"), strict=True))
            for line in compare(a, b[name], f"{where}({k}).{name}")
        ]
    if theirs.dtype == object:
        if "items" not in ours:
            return [f"{where}: no cells, SciPy: cells"]
        flat = theirs.ravel(order="F")
        return [
            line
            for k, (a, b) in enumerate(zip(ours["items"], flat))
            for line in compare(a, b, f"{where}{{{k}}}")
        ]
    if "bits" not in ours:
        return [f"{where}: cells, SciPy: {theirs.dtype}"]
    bits = np.array(ours["bits"], np.uint64)
    values = bits.view(np.float64)
    wanted = theirs.ravel(order="F").astype(np.float64)
    same = (values == wanted) | (np.isnan(values) & np.isnan(wanted))
    return [] if same.all() else [f"{where}: {(~same).sum()} of {same.size} values differ"]


def scipy_read(path):
    """Name to value, or the exception."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return scipy.io.loadmat(path, chars_as_strings=True, struct_as_record=True), None
    except Exception as error:  # noqa: BLE001: SciPy raises many kinds for damaged files
        return None, error


def check(line):
    """(status, sentences) of one file."""
    path = line["path"]
    theirs, refused = scipy_read(path)
    if "error" in line:
        message = line["error"]
        if any(version in message for version in OTHER_VERSIONS):
            return "other version", [message]
        if refused is not None:
            return "refused by both", [message, f"SciPy: {type(refused).__name__}: {refused}"]
        return "FAILED", [message, "but SciPy reads it"]
    if refused is not None:
        return "read by us alone", [f"SciPy: {type(refused).__name__}: {refused}"]
    skipped = {"__header__", "__version__", "__globals__", "__function_workspace__"}
    theirs = {name: value for name, value in theirs.items() if name not in skipped}
    # SciPy calls the names of objects "None", and keeps the last of two equal names.
    ours = {}
    for name, value in line["variables"]:
        if name or "unread" in value:
            ours[name] = value
    lines = []
    for name, value in theirs.items():
        if name not in ours:
            if name == "None" and any(v.get("unread") == "an object" for v in ours.values()):
                continue
            lines.append(f"{name}: not there")
        else:
            lines += compare(ours[name], value, name)
    for name in ours:
        if name not in theirs and ours[name].get("unread") != "an object":
            lines.append(f"{name}: SciPy has no such variable")
    unread = any("unread" in json.dumps(value) for value in ours.values())
    return ("FAILED", lines) if lines else ("equal, some named" if unread else "equal", [])


def written_by_scipy(folder):
    """Matrices of every type, plain and compressed, in cells and not."""
    random = np.random.default_rng(1)
    paths = []
    for kind in "bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64".split():
        values = (random.normal(size=(4, 3, 2)) * 50).astype(kind)
        cells = np.empty((1, 3), object)
        cells[:] = [values[0], values[:1, :1, 0], np.empty((0, 2), kind)]
        for compress in (False, True):
            path = os.path.join(folder, f"written_{kind}_{compress}.mat")
            variables = {"a": values[:, :, 0], "b": values, "c": cells}
            scipy.io.savemat(path, variables, do_compression=compress)
            paths.append(path)
    words = np.empty((3, 1), object)
    words[:, 0] = ["low", "", "h\u00e4h"]
    records = np.array([(1.5, "a"), (np.eye(2), "b")], [("x", object), ("y", object)])
    for compress in (False, True):
        path = os.path.join(folder, f"written_others_{compress}.mat")
        variables = {
            "s": scipy.sparse.random(30, 7, 0.2, random_state=1, format="csc"),
            "b": scipy.sparse.csc_matrix(np.eye(3) > 0),
            "t": np.array(["ab ", "c"]),
            "w": words,
            "r": records,
            "n": {"p": {"q": values[:, :, 0]}, "t": "text"},
        }
        scipy.io.savemat(path, variables, do_compression=compress)
        paths.append(path)
    return paths


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    dump = arguments[0]
    folder = (
        arguments[1]
        if len(arguments) > 1
        else os.path.join(os.path.dirname(scipy.__file__), "io/matlab/tests/data")
    )
    names = sorted(n for n in os.listdir(folder) if n.endswith(".mat")) if os.path.isdir(folder) else []
    if not names:
        print(f"no MAT files in {folder}")
        return 1
    paths = [os.path.join(folder, name) for name in names]
    counts = {}
    with tempfile.TemporaryDirectory() as written:
        paths += written_by_scipy(written)
        output = subprocess.run([dump, *paths], check=True, capture_output=True, text=True).stdout
        for line in io.StringIO(output):
            line = json.loads(line)
            status, lines = check(line)
            counts[status] = counts.get(status, 0) + 1
            if status == "FAILED" or "--verbose" in sys.argv:
                print(f"{status}: {os.path.basename(line['path'])}")
                for sentence in lines:
                    print(f"    {sentence}")
    print(f"{len(paths)} files: " + ", ".join(f"{n} {s}" for s, n in sorted(counts.items())))
    return 1 if counts.get("FAILED") or sum(counts.values()) != len(paths) else 0


if __name__ == "__main__":
    sys.exit(main())
