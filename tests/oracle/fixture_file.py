"""Writing fixtures: JSON that a person can read, one row of numbers a line, every digit kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


def plain(value: Any) -> Any:
    """NumPy out, Python in; -0.0 becomes 0.0."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value + 0.0
    return value


def render(value: Any, indent: int = 0) -> str:
    is_row = isinstance(value, list) and not any(isinstance(entry, (list, dict)) for entry in value)
    if not isinstance(value, (list, dict)) or is_row or not value:
        return json.dumps(value, ensure_ascii=True, allow_nan=False)
    pad, end = "\n" + " " * (indent + 1), "\n" + " " * indent
    if isinstance(value, dict):
        entries = [f"{json.dumps(key)}: {render(entry, indent + 1)}" for key, entry in value.items()]
        return "{" + pad + ("," + pad).join(entries) + end + "}"
    return "[" + pad + ("," + pad).join(render(entry, indent + 1) for entry in value) + end + "]"


def write(name: str, content: dict[str, Any], limit: int = 200_000) -> Path:
    text = render(plain(content)) + "\n"
    if len(text) > limit:
        raise SystemExit(f"{name}: {len(text)} bytes, limit {limit}")
    path = FIXTURES / name
    path.write_text(text, encoding="ascii")
    print(f"wrote {name}, {len(text)} bytes")
    return path
