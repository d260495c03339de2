"""Makes tests/fuzz/corpus: a few small seeds for each target, none of them from a published data set.

Usage: python3 tests/fuzz/make_corpus.py   (NumPy and SciPy: tests/oracle/requirements.txt)

The same files every time: SciPy's MAT header holds a date, which is overwritten.
"""

from __future__ import annotations

import gzip
import io
import shutil
import struct
import zipfile
from pathlib import Path

import numpy as np
import scipy.io
import scipy.sparse

CORPUS = Path(__file__).parent / "corpus"
HEADER_TEXT = b"MATLAB 5.0 MAT-file, a seed".ljust(116)


def write(target: str, name: str, content: bytes | str) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def mat(name: str, variables: dict[str, object], compress: bool) -> None:
    file = io.BytesIO()
    scipy.io.savemat(file, variables, do_compression=compress)
    write("matlab", f"{name}{'-compressed' if compress else ''}", HEADER_TEXT + file.getvalue()[116:])


def cells(items: list[np.ndarray]) -> np.ndarray:
    out = np.empty((1, len(items)), object)
    out[0, :] = items
    return out


def matlab() -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(size=(4, 2)), np.array([[0.0, 1, 1], [1, 0, 1], [0, 0, 1], [1, 1, 0]])
    for compress in (False, True):
        mat("shared", {"X": x, "Y": y}, compress)
        mat("cells", {"feature": cells([x, x[:2]]), "label": cells([y[:, :1], y[:2, 1:2]])}, compress)
        mat("integers", {k: (x * 9).astype(k) for k in ("int8", "uint16", "int32", "uint64", "float32")}, compress)
        fields = {"X": x, "Y": y[:, 0]}
        mat("structures", {"data": fields, "tasks": np.array([(x, "a"), (x, "b")], [("X", "O"), ("n", "O")])}, compress)
        names = np.array(["low", "high", "", "low"], object)
        mat("words", {"X": scipy.sparse.csc_matrix(np.round(x)), "Y": names.reshape(-1, 1), "task": y[:, 0] > 0}, compress)
        mat("unread", {"s": {"a": x}, "t": "text", "z": x + 1j, "e": np.empty((0, 3)), "b": x > 0}, compress)
    mat("nested", {"c": cells([cells([cells([x[:1]])]), x[:, :1]])}, False)
    # SciPy writes little-endian only.
    parts = [(6, struct.pack(">II", 6, 0)), (5, struct.pack(">ii", 1, 2)), (1, b"X"), (9, struct.pack(">dd", 1.5, -2))]
    body = b"".join(struct.pack(">II", kind, len(data)) + data + b"\0" * (-len(data) % 8) for kind, data in parts)
    big = HEADER_TEXT + b"\0" * 8 + b"\x01\x00MI" + struct.pack(">II", 14, len(body)) + body
    write("matlab", "big-endian", big)


def csv() -> None:
    write("csv", "plain", "task,label,x1,x2\n0,1.5,0.25,-1\n0,-2,1e-3,4\n1,0.5,3,0\n")
    write("csv", "classes", "label,x1,task\n0,1,a\n1,2,b\n1,3,a\n0,4,b\n")
    write("csv", "split", "task,split,label,x1\n0,train,1,0.5\n0,injected,-1,0.25\n0,test,1,-0.5\n")
    write("csv", "windows", "\ufefftask,label,x1\r\n1,1,1\r\n\r\n2,-1,1\r\n")
    write("csv", "quoted", 'task,label,x1\n"a, b",1,2\n"c\nd",-1,"3"\n')


def numpy() -> None:
    def file(value: object, **options: object) -> bytes:
        content = io.BytesIO()
        np.lib.format.write_array(content, np.asarray(value), **options)
        return content.getvalue()

    def archive(arrays: dict[str, object], method: int) -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", method) as out:
            for name, value in arrays.items():
                # The time of a fixed day: the same files every time.
                out.writestr(zipfile.ZipInfo(f"{name}.npy", (2026, 1, 1, 0, 0, 0)), file(value), method)
        return content.getvalue()

    x = np.random.default_rng(4).normal(size=(4, 2))
    y, task = np.array([0, 1, 1, 0]), np.array(["a", "b", "a", "b"])
    write("numpy", "array", file(np.column_stack([task == "a", y, x])))
    write("numpy", "by-column", file(np.asfortranarray(x.astype(">f4")), version=(2, 0)))
    write("numpy", "stored", archive({"X": x, "y": y, "task": task}, zipfile.ZIP_STORED))
    write("numpy", "deflated", archive({"X": x.astype("f2"), "Y": np.column_stack([y, y]) > 0}, zipfile.ZIP_DEFLATED))
    write("numpy", "named", archive({"r": np.array([(1, 2.0)], "i4,f8"), "z": x + 1j, "d": x[:, :, None]}, zipfile.ZIP_DEFLATED))
    sparse = io.BytesIO()
    scipy.sparse.save_npz(sparse, scipy.sparse.csr_matrix(x), compressed=False)
    names = {name[:-4]: np.load(io.BytesIO(zipfile.ZipFile(sparse).read(name))) for name in zipfile.ZipFile(sparse).namelist()}
    write("numpy", "sparse", archive(names, zipfile.ZIP_STORED))


def rows() -> None:
    write("svmlight", "plain", "-1 1:0.43 3:0.12\n+1 2:0.2 # note\n1 1:1\n-1 3:-2e-1\n")
    write("svmlight", "qid", "# comment\n3 qid:1 0:1 1:2\n2 qid:1 1:4\n1.5 qid:2 0:2\n2 qid:2 0:1\n")
    write("svmlight", "windows", "1 1:1\r\n0 1:2\r\n")
    write("svmlight", "labels", "1 1:1\n2 2:2\n3 3:3\n")
    head = "% note\n@relation 'a b'\n@attribute x numeric\n@attribute 'k l' {low, 'very high'}\n@attribute s string\n@data\n"
    write("arff", "dense", head + "1.5,low,a\n?,'very high','b, c'\n2,low,?\n")
    write("arff", "sparse", head + "{0 2.5, 1 'very high'}\n{}\n{0 1}\n")
    write("arff", "blanks", "@RELATION r\n@ATTRIBUTE a REAL\n@ATTRIBUTE b{0,1}\n@DATA\n1\t0\n2\t1\n")
    write("arff", "escapes", head + "-1e-3,low,'it\\'s'\n4,\"very high\",\"x\"\n")
    write("json", "lines", '{"task": "a", "y": 1, "x": 0.5}\n{"task": "b", "x": null, "y": 2}\n{"y": 0, "x": 1}\n')
    write("json", "array", '[{"a": 1, "b": true, "c": "u"},\n {"c": "v", "b": false, "a": -2e3}]\n')
    write("json", "ours", '{"task":1,"label":0.5,"x1":1}\n{"task":1,"label":1,"x1":2}\n')
    write("json", "escapes", '\ufeff{"\\u00e9": "\\n", "k": 1}\r\n{"k": 2}\r\n')
    table = b"task,label,x1\n1,1,1\n1,-1,2\n2,1,0\n2,-1,3\n"
    write("gzip", "table", gzip.compress(table, mtime=0))
    write("gzip", "parts", gzip.compress(table[:20], mtime=0) + gzip.compress(table[20:], mtime=0) + b"\0\0")
    write("gzip", "svmlight", gzip.compress(b"1 1:1\n-1 2:1\n", mtime=0))
    named = gzip.compress(table, mtime=0)
    write("gzip", "named", named[:3] + b"\x08" + named[4:10] + b"d.csv\0" + named[10:])


def idx() -> None:
    def file(sizes: list[int], values: bytes, kind: int = 8) -> bytes:
        return bytes([0, 0, kind, len(sizes)]) + b"".join(struct.pack(">I", n) for n in sizes) + values

    write("idx", "labels", file([4], bytes([0, 1, 2, 9])))
    write("idx", "images", file([2, 2, 3], bytes(range(12))))
    write("idx", "floats", file([1], bytes(4), kind=0x0D))
    # Images of 12 x 11 pixels, enough for 128 components, two of each digit, and their labels.
    pixels = np.random.default_rng(2).integers(0, 256, size=20 * 132, dtype=np.uint8).tobytes()
    images = file([20, 12, 11], pixels)
    write("idx", "pair", struct.pack(">H", len(images)) + images + file([20], bytes(k % 10 for k in range(20))))


def links_and_specs() -> None:
    sha = "ab" * 32
    links = [
        "v=1&d=synthetic",
        "#v=1&d=sarcos&t=0,2&a=1,3-5&k=hybrid&g=published&p=constant&ps=10&i=3&l1=0.01&l2=0.5&eps=0.0001&s=7",
        "https://example.org/lab/#v=1&d=landmine&t=0-14&k=indirect&b=0.2&s=42&e=0.1.0&r=0123456789abcdef&embed=1",
        f"v=1&d=file:my%20data.csv:{sha}&ns=0.5&nt=3&y=resampled&z=raw",
        "v=1&d=mnist&i=2&k=indirect&m=random&o=alternating&eps=0&x=0.5&b=1&l2=0&pb=0.1&h=" + sha,
    ]
    specs = [
        '{"version":1}',
        '{"dataset":"sarcos","targets":[0,2],"attackers":[1,3],"attack":"hybrid","lambda1":0.01,"epsilon":1e-9}',
        f'{{"dataset":{{"name":"a.csv","sha256":"{sha}"}},"train_share":0.5,"target_scaling":"raw","seed":9}}',
        '{"dataset":"landmine","loss":"squared_hinge","solver":"alternating","gradient":"published","epsilon":0}',
        '\ufeff{"iterations":0,"budget":0.5,"injected_labels":"uniform","step":"constant","step_size":1e2,"radius":1}',
    ]
    for number, (link, spec) in enumerate(zip(links, specs)):
        write("link", str(number), link)
        write("spec", str(number), spec)


def bundle() -> None:
    def text(words: str) -> bytes:
        return struct.pack("<Q", len(words)) + words.encode()

    def size(number: int) -> bytes:
        return struct.pack("<Q", number)

    def doubles(values: np.ndarray) -> bytes:
        """By column, bytes of equal significance together."""
        by_column = np.asarray(values, "<f8").reshape(len(values), -1).T.tobytes()
        return b"\x08" + np.frombuffer(by_column, np.uint8).reshape(-1, 8).T.tobytes()

    random = np.random.default_rng(3)
    x = random.normal(size=(4, 2))
    labels = np.array([1.0, -1, -1, 1])

    def start(name: str, kind: int) -> bytes:
        return text(name) + text("cd" * 32) + bytes([kind]) + size(2) + size(2) + text("a") + text("b")

    separate = b"\0" + size(3) + size(1) + doubles(x) + doubles(labels) + b"\x01" + bytes([0, 1, 0, 1])
    shared = b"\x01" + size(2) + doubles(x[:2]) + doubles(labels)
    pool = size(2) + doubles(x[:2]) + doubles(np.array([0.0, 1.0]))
    correlation = b"\x01" + doubles(np.array([[1.0, 0.5], [0.5, 1.0]]))
    small = b"\x01" + struct.pack("<i", -3) + bytes([0, 1, 2, 255])
    # The first byte says how the rest is taken: see `bundle` in targets.rs.
    write("bundle", "separate", b"\x01" + start("mine.csv", 1) + separate + b"\0")
    write("bundle", "shared", b"\x01" + start("mine.mat", 0) + shared + correlation)
    write("bundle", "classes", b"\x01" + start("digits", 1) + b"\x02" + pool + pool + b"\0")
    write("bundle", "named", b"\x01" + start("landmine", 1) + separate + b"\0")
    write("bundle", "bytes", b"\x01" + start("mine.csv", 0) + b"\x01" + size(2) + small + small + b"\0")
    write("bundle", "altered", b"\x02" + struct.pack("<HB", 60, 1))
    write("bundle", "header", b"\0PATOMDAT" + struct.pack("<IQ", 1, 5) + bytes(32) + b"12345")


def main() -> None:
    shutil.rmtree(CORPUS, ignore_errors=True)
    matlab()
    csv()
    numpy()
    rows()
    idx()
    links_and_specs()
    bundle()
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    print(f"{len(files)} seeds, {sum(path.stat().st_size for path in files)} bytes")


if __name__ == "__main__":
    main()
