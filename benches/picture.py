"""Draws how time grows: `docs/images/growth.svg`.

`compare.py` starts this with a Python of the peers, which has Matplotlib. Standard input is a JSON object:
what grows, then who, then a list of [size, seconds].
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

COLORS = {"ours": "#0b6e4f", "NumPy": "#b5651d", "L-BFGS": "#6a4c93"}


def draw(panels: dict[str, dict[str, list[tuple[float, float]]]], path: Path) -> None:
    # The same numbers give the same file; text stays text.
    plt.rcParams.update({"svg.hashsalt": "growth", "svg.fonttype": "none", "font.size": 9})
    figure, places = plt.subplots(2, 3, figsize=(9, 5.2), layout="constrained")
    for place, (what, lines) in zip(places.flat, panels.items()):
        for who, points in lines.items():
            place.plot(*zip(*points), "o-", color=COLORS[who], markersize=4, linewidth=1.6, label=who)
        sizes = sorted({size for points in lines.values() for size, _ in points})
        if len(lines) > 1:
            place.set(xscale="log", yscale="log")
        else:
            place.set_ylim(bottom=0)
        place.set_xticks(sizes, [f"{size:,g}" for size in sizes])
        place.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
        place.set_title(what, fontsize=9)
        place.set_ylabel("seconds")
        place.grid(color="#dddddd", linewidth=0.6)
        place.spines[["top", "right"]].set_visible(False)
    for place in list(places.flat)[len(panels) :]:
        place.axis("off")
        place.legend(*places.flat[0].get_legend_handles_labels(), loc="center", frameon=False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    draw(json.load(sys.stdin), Path(sys.argv[1]))
