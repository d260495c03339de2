"""Makes tests/fuzz/corpus: a few small seeds for each target, none of them from a published data set.

Usage: python3 tests/fuzz/make_corpus.py   (NumPy and SciPy: tests/oracle/requirements.txt)

The same files every time: SciPy's MAT header holds a date, which is overwritten.
"""

from __future__ import annotations

import io
import shutil
import struct
from pathlib import Path

import numpy as np
import scipy.io

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
    idx()
    links_and_specs()
    bundle()
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    print(f"{len(files)} seeds, {sum(path.stat().st_size for path in files)} bytes")


if __name__ == "__main__":
    main()
