"""Times the same work natively, in wasm under Node and by Python peers, and writes docs/performance.md.

`cargo xtask bench` builds everything and starts this; the work itself is `patom::workload`. Criterion
(`cargo bench -p patom-benches`) times parts of it natively. Text below the mark in the file is kept.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benches/peers"
OUT = ROOT / "docs/performance.md"
PICTURE = ROOT / "docs/images/growth.svg"
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
# wasm / native: the median of the above, and kernels by themselves.
RATIO_GOAL = 1.3
KERNELS = [("gram/mnist", "Gram matrices of MNIST", 1.1), ("product/mnist", "their products with a vector", 1.4)]
# Of them: tasks x points x entries on and below the diagonal.
MNIST_GRAM = 10 * 600 * 129 * 130 // 2
# Of the multiply-adds that one core does at most.
PEAK_GOAL = 0.55
# Trials an accepted step and Newton steps of the runs of Figure 2 with seed 1.
COUNT_GOALS = {"sarcos": (1.25, 2900), "landmine": (1.35, 2300), "mnist": (1.20, 3600)}
# What the peers take over what ours takes, at least.
SOLVE_GOALS = {("mnist", "numpy"): 3, ("139,110,27", "numpy"): 4, ("5,300,2000", "scipy"): 3}
SOLVE_GOALS |= {("500,40,20", "numpy"): 3, ("5,300,1000", "numpy"): 3, ("5,300,1000", "scipy"): 3}
ATTACK_GOAL = 25
# Tasks, points, features of the random problems that peers solve, too.
SIZES = ["5,10000,20", "139,110,27", "500,40,20", "5,300,1000", "5,300,2000"]
# And of those where one number grows.
GROWTH = {
    "points": [(7, n, 21) for n in (250, 1000, 4000, 16000)],
    "features, more points": [(7, 500, d) for d in (15, 31, 63, 127)],
    "features, fewer points": [(5, 200, d) for d in (250, 500, 1000, 2000)],
    "tasks": [(m, 100, 21) for m in (5, 50, 500)],
    "tasks, as many points in all": [(50, 400, 20), (500, 40, 20)],
}
# What each of them is measured by: its place in the size. (The last is too short for a picture.)
GROWING = {"points": 1, "features, more points": 2, "features, fewer points": 2, "tasks": 0}
WHO = {"numpy": "NumPy", "scipy": "L-BFGS"}
TASKS_GOAL = 3
LARGE = [(2, 500_000, 20), (50, 200, 4096)]


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


def at_least(value: float, goal: float | None) -> str:
    text = f"{value:.2g}" if value < 10 else f"{value:.0f}"
    return text if goal is None else f"{text} ({goal}, {'met' if value >= goal else 'missed'})"


def time_native(release: Path, data: Path, seconds: float) -> dict[str, float]:
    times = json.loads(output(release / "examples/timing", data, seconds))
    figures = release.parent / "bench-figures"
    shutil.rmtree(figures, ignore_errors=True)
    start = time.perf_counter()
    words = ["figure", 2, "--method", "exact", "--seeds", 1, "--threads", 2, "--out", figures, "--data", data]
    output(release / "patom", *words)
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
    for key, words, goal in KERNELS:
        if key in native and key in wasm:
            ratio = wasm[key] / native[key]
            cells = [duration(native[key]), duration(wasm[key]), against(f"{ratio:.2f}", ratio, goal, str(goal))]
            lines.append(f"| {words} | {' | '.join(cells)} |")
    if "gram/mnist" in native and "gram/mnist" in wasm:
        speeds = (f"{MNIST_GRAM / times['gram/mnist'] / 1e9:.1f}" for times in (native, wasm))
        share = MNIST_GRAM / native["gram/mnist"] / native["peak"]
        lines += [
            "",
            f"The Gram matrices take {' and '.join(speeds)} billion multiply-adds a second; natively "
            f"{at_least(share, PEAK_GOAL)} of what the core can do at most, measured in the same run.",
        ]
    return "\n".join(lines) + "\n"


def counts(release: Path, data: Path) -> str:
    """What no other load on the machine can change."""
    lines = [
        "\n## Work of the attack",
        "",
        "The runs of Figure 2 with seed 1 that optimise points, ten iterations each: counts, and seconds of the "
        "attacks on one core.",
        "",
        "| data | trials an accepted step | Newton steps | products with the Hessian | seconds |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, (trials_goal, steps_goal) in COUNT_GOALS.items():
        if not (data / f"{name}.bundle").exists():
            continue
        rows = figure_runs(release, data, name)
        iterations, trials, steps, products = (
            sum(int(row[key]) for row in rows) for key in ("iterations", "trials", "steps", "products")
        )
        ratio = trials / iterations
        cells = [
            against(f"{ratio:.2f}", ratio, trials_goal, f"{trials_goal:.2f}"),
            against(f"{steps:,}", steps, steps_goal, f"{steps_goal:,}"),
            f"{products:,}",
            f"{sum(float(row['seconds']) for row in rows):.2f}",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def solved(release: Path, *words: object) -> tuple[dict, float]:
    """What examples/work.rs prints of a solve, and the most memory that it took, in MB."""
    command = [str(word) for word in (release / "examples/work", *words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return json.loads(line), usage.ru_maxrss / 1024


def figure_runs(release: Path, data: Path, name: str) -> list[dict[str, str]]:
    """The runs of Figure 2 with seed 1 that optimise points."""
    rows = csv.DictReader(output(release / "examples/work", "figure", data, name, 1).splitlines())
    return [row for row in rows if int(row["iterations"]) > 0]


def budgets(release: Path, data: Path) -> list[tuple[float, float]]:
    """Budget and mean seconds of an attack on Sarcos."""
    seconds: dict[float, list[float]] = {}
    for row in figure_runs(release, data, "sarcos"):
        budget = float(row["run"].partition("-b")[2].partition("-")[0])
        seconds.setdefault(budget, []).append(float(row["seconds"]))
    return [(budget, statistics.mean(times)) for budget, times in sorted(seconds.items())]


def growth(release: Path, data: Path, python: Path | None) -> str:
    """Solves of growing size, and the paper's solver."""
    lines = [
        "\n## Growth",
        "",
        "Cold solves of related regression tasks with λ1 = λ2 = 0.01 on one core: ours the best of five, peers "
        "(Comparison, below) once, on problems of their own of the same kind.",
        "",
        "| what grows | tasks x points x features | ours | NumPy | L-BFGS |",
        "| --- | --- | --- | --- | --- |",
    ]
    times: dict[tuple, dict[str, float]] = {}
    for size in (size for sizes in GROWTH.values() for size in sizes):
        times[size] = {"ours": solved(release, "solve", *size, 5)[0]["best"]}
    if python:
        sizes = [",".join(map(str, size)) for size in times]
        for line in json_lines(python, PEERS / "growth.py", release.parent / "bench-peers/growth", *sizes, "--repeat", 1):
            times[tuple(map(int, line["size"].split(",")))][WHO[line["what"].split()[2]]] = line["seconds"]
    for what, sizes in GROWTH.items():
        for size in sizes:
            cells = [duration(times[size][who]) if who in times[size] else "" for who in ("ours", *WHO.values())]
            lines.append(f"| {what} | {' x '.join(f'{k:,}' for k in size)} | {' | '.join(cells)} |")
    if python:
        panels = {
            what: {
                who: [(size[k], times[size][who]) for size in GROWTH[what] if who in times[size]]
                for who in ("ours", *WHO.values())
            }
            for what, k in GROWING.items()
        }
        panels["budget, whole attacks"] = {"ours": budgets(release, data)}
        PICTURE.parent.mkdir(exist_ok=True)
        words = [str(python), str(ROOT / "benches/picture.py"), str(PICTURE)]
        subprocess.run(words, check=True, input=json.dumps(panels), text=True)
        lines += ["", "![The same as curves](images/growth.svg)"]
    few, many = GROWTH["tasks, as many points in all"]
    ratio = times[many]["ours"] / times[few]["ours"]
    lines += [
        "",
        f"500 tasks take {against(f'{ratio:.1f}', ratio, TASKS_GOAL, str(TASKS_GOAL))} times as long as 50 with as "
        "many points and features in all.",
        "",
        "| large problem | time | memory, a second copy of the points included |",
        "| --- | --- | --- |",
    ]
    for size in LARGE:
        found, megabytes = solved(release, "solve", *size, 1)
        lines.append(f"| {' x '.join(f'{k:,}' for k in size)} | {duration(found['best'])} | {megabytes:,.0f} MB |")
    lines += [
        "",
        "The alternation (the paper's solver) against the certified solver, clean points of the default runs:",
        "",
        "| data | alternation | its certificate | certified | its certificate |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in COUNT_GOALS:
        if not (data / f"{name}.bundle").exists():
            continue
        cells = [
            cell
            for how in ("alternating", "published")
            for found in [solved(release, how, data, name, 5)[0]]
            for cell in (duration(found["best"]), f"{found['certificate']:.0e}")
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def peers(python: Path, release: Path, data: Path, native: dict[str, float]) -> str:
    """The scripts of benches/peers on the same problems."""
    patom, work = release / "patom", release.parent / "bench-peers"
    work.mkdir(exist_ok=True)
    rows = []

    def add(words: str, line: dict, ours: float, goal: float | None = None) -> None:
        theirs = line["seconds"]
        ratio = at_least(theirs / ours, goal)
        rows.append(f"| {words} | {line['what']} | {duration(theirs)} | {duration(ours)} | {ratio} |")

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
            goal = SOLVE_GOALS.get((name, "numpy" if "numpy" in line["what"] else "scipy"))
            add(f"lower level, {name}", line, native[f"solve/{name}"], goal)
    for line in json_lines(python, PEERS / "growth.py", work / "growth", *SIZES):
        size = line["size"]
        ours = solved(release, "tasks", work / "growth" / f"{size.replace(',', 'x')}.csv", 5)[0]["median"]
        goal = SOLVE_GOALS.get((size, line["what"].split()[2]))
        add(f"lower level, {size.replace(',', ' x ')}", line, ours, goal)
    if "run/sarcos" in native:
        options = ["--targets", "0,1,2", "--epsilon", "1e-6"]
        for line in json_lines(python, PEERS / "whole_attack.py", work / "sarcos/points.csv", *options):
            add("whole attack, sarcos direct", line, native["run/sarcos"], ATTACK_GOAL)

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
            "The same problems, in the same run (benches/peers describes each script); sizes are tasks x points x "
            "features.",
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
    text = table(native, wasm) + counts(args.release, args.data) + growth(args.release, args.data, args.peers)
    if args.peers:
        text += peers(args.peers, args.release, args.data, native)
    by_hand = OUT.read_text().partition(MARK)[2] if OUT.exists() else ""
    OUT.write_text(f"{text}\n{MARK}{by_hand or chr(10)}")
    print(text)


if __name__ == "__main__":
    main()
