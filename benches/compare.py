"""Times the same work natively, in wasm under Node and by Python peers, and writes docs/performance.md.

`cargo xtask bench` builds everything and starts this; the work itself is `patom::workload`. Criterion
(`cargo bench -p patom-benches`) times parts of it natively. Text below the mark in the file is kept.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benches/peers"
OUT = ROOT / "docs/performance.md"
MARK = "<!-- below: written by hand -->"

# Key, words, and the goals of native and wasm in seconds.
GOALS = [
    ("solve/sarcos", "certified solve, Sarcos, cold", 0.5e-3, 0.75e-3),
    ("solve/landmine", "certified solve, Landmine, cold", 2e-3, 3e-3),
    ("solve/mnist", "certified solve, MNIST, cold", 10e-3, 15e-3),
    ("hypergradient/sarcos", "total hypergradient, Sarcos", 0.2e-3, 0.3e-3),
    ("hypergradient/landmine", "total hypergradient, Landmine", None, None),
    ("hypergradient/mnist", "total hypergradient, MNIST", 5e-3, 8e-3),
    ("run/sarcos", "Figure 1 run, Sarcos direct, 15 iterations", 15e-3, 25e-3),
    ("run/landmine", "the same, Landmine", None, None),
    ("run/mnist", "the same, MNIST", None, None),
    ("figure2", "Figure 2 whole, one seed, 2 workers", 5.0, 8.0),
]
# The median of wasm / native.
RATIO_GOAL = 1.3


def output(*command: object) -> str:
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout


def json_lines(*command: object) -> list[dict]:
    return [json.loads(line) for line in output(*command).splitlines() if line.startswith("{")]


def duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs"


def against(text: str, value: float, goal: float | None, goal_text: str) -> str:
    return text if goal is None else f"{text} ({goal_text}, {'met' if value <= goal else 'missed'})"


def time_native(release: Path, data: Path, seconds: float) -> dict[str, float]:
    times = json.loads(output(release / "examples/timing", data, seconds))
    figures = release.parent / "bench-figures"
    shutil.rmtree(figures, ignore_errors=True)
    start = time.perf_counter()
    output(release / "patom", "figure", 2, "--seeds", 1, "--threads", 2, "--out", figures, "--data", data)
    times["figure2"] = time.perf_counter() - start
    return times


def table(native: dict[str, float], wasm: dict[str, float]) -> str:
    lines = [
        "# Speed",
        "",
        "Measured by `cargo xtask bench`: medians of one run on one machine, with the goal in parentheses; "
        "the wasm is compiled as for the page and runs in Node.",
        "",
        "| work | native | wasm | wasm / native |",
        "| --- | --- | --- | --- |",
    ]
    ratios = []
    for key, words, *goals in GOALS:
        if key not in native or key not in wasm:
            continue
        times = native[key], wasm[key]
        cells = [against(duration(t), t, goal, goal and duration(goal)) for t, goal in zip(times, goals)]
        ratios.append(wasm[key] / native[key])
        lines.append(f"| {words} | {' | '.join(cells)} | {ratios[-1]:.2f} |")
    if ratios:
        median = statistics.median_high(ratios)
        lines.append(f"| median | | | {against(f'{median:.2f}', median, RATIO_GOAL, str(RATIO_GOAL))} |")
    return "\n".join(lines) + "\n"


def peers(python: Path, release: Path, data: Path, native: dict[str, float]) -> str:
    """The scripts of benches/peers on the same problems."""
    patom, work = release / "patom", release.parent / "bench-peers"
    work.mkdir(exist_ok=True)
    rows = []

    def add(words: str, line: dict, ours: float) -> None:
        theirs = line["seconds"]
        rows.append(
            f"| {words} | {line['what']} | {duration(theirs)} | {duration(ours)} | {theirs / ours:.0f} |"
        )

    for name in ["sarcos", "landmine", "mnist"]:
        if f"solve/{name}" not in native:
            continue
        spec = work / f"{name}.json"
        spec.write_text(json.dumps({"dataset": name, "budget": 0}))
        output(patom, "run", spec, "--data", data, "--out", work / name)
        # At MNIST's size the semidefinite program of CVXPY exceeds the memory of most machines.
        which = "numpy,scipy" if name == "mnist" else "numpy,scipy,cvxpy"
        loss = "squared" if name == "sarcos" else "squared_hinge"
        options = ["--loss", loss, "--lambda1", 0.1, "--lambda2", 0.1, "--peers", which]
        for line in json_lines(python, PEERS / "lower_level.py", work / name / "points.csv", *options):
            add(f"lower level, {name}", line, native[f"solve/{name}"])
    if "run/sarcos" in native:
        options = ["--targets", "0,1,2", "--epsilon", "1e-6"]
        for line in json_lines(python, PEERS / "whole_attack.py", work / "sarcos/points.csv", *options):
            add("whole attack, sarcos direct", line, native["run/sarcos"])

    ridge = work / "ridge"
    theirs = json_lines(python, PEERS / "ridge_poisoning.py", "--out", ridge)
    words = [patom, "run", "diabetes.spec.json", "--out", ridge / "run"]
    subprocess.run([str(word) for word in words], check=True, cwd=ridge)
    report = json.loads((ridge / "run/report.json").read_text())
    for line in theirs:
        add("one-task ridge poisoning, diabetes", line, report["trace"][-1]["seconds"])
    check = ["--out", ridge, "--repeat", 1, "--check", ridge / "run/points.csv"]
    ours = json_lines(python, PEERS / "ridge_poisoning.py", *check)[1:]
    # The script names the file, whose path is of no interest to others.
    damage = theirs + [{**line, "what": "ridge poisoning, ours"} for line in ours]
    return "\n".join(
        [
            "\n## Comparison with other tools",
            "",
            "The same problems, in the same run (benches/peers describes each script).",
            "",
            "| work | peer | its time | ours, native | ratio |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            "Damage of ridge poisoning, both measured by the script:",
            "",
            "```json",
            *(json.dumps(line, separators=(",", ":")) for line in damage),
            "```",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", type=Path, required=True, help="folder of the native programs")
    parser.add_argument("--pkg", type=Path, required=True, help="folder of the wasm module `bench`")
    parser.add_argument("--data", type=Path, required=True, help="folder of the bundles")
    parser.add_argument("--seconds", type=float, default=1, help="for each kind of work")
    parser.add_argument("--peers", type=Path, help="a Python with the packages of benches/peers")
    args = parser.parse_args()

    native = time_native(args.release, args.data, args.seconds)
    wasm = json.loads(output("node", ROOT / "benches/node.mjs", args.pkg, args.data, args.seconds, 2))
    text = table(native, wasm)
    if args.peers:
        text += peers(args.peers, args.release, args.data, native)
    by_hand = OUT.read_text().partition(MARK)[2] if OUT.exists() else ""
    OUT.write_text(f"{text}\n{MARK}{by_hand or chr(10)}")
    print(text)


if __name__ == "__main__":
    main()
