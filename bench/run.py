"""Runs benches and keeps their figures: `scripts/bench NAME ...`, or `all`.

A bench is a module here with `run()`, which returns a list of figures (bench.figures.figure). They
are printed as a table and written to bench/results/NAME.json. The exit code is 1 when a figure does
not hold its limit.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
KEYS = ("figure", "value", "unit", "baseline", "limit", "holds", "at")


def names() -> list[str]:
    """Every module here that has a function `run` without required arguments, by name."""
    found = []
    for file in sorted(HERE.glob("*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name == "run":
                required = len(node.args.args) - len(node.args.defaults)
                if required == 0 and not [d for d in node.args.kw_defaults if d is None]:
                    found.append(file.stem)
    return found


def keep(name: str, figures: list[dict[str, Any]]) -> None:
    """Writes bench/results/NAME.json. Raises ValueError on a figure of another shape."""
    for figure in figures:
        if tuple(figure) != KEYS:
            raise ValueError(f"{name}: a figure has {tuple(figure)}, and should have {KEYS}")
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", "utf-8")


def table(rows: list[dict[str, Any]]) -> str:
    """Figures as aligned columns: what, how much, against what, whether it holds."""
    words = [["figure", "value", "unit", "baseline", "limit", "holds"]]
    for row in rows:
        holds = {True: "yes", False: "NO", None: "-"}[row["holds"]]
        words.append([_word(row[key]) for key in KEYS[:5]] + [holds])
    widths = [max(len(line[column]) for line in words) for column in range(6)]
    lines = ["  ".join(w.ljust(n) for w, n in zip(line, widths, strict=True)) for line in words]
    return "\n".join(line.rstrip() for line in lines)


def _word(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,.4g}" if isinstance(value, float) and abs(value) < 1000 else f"{value}"


def main(given: list[str]) -> int:
    every = names()
    unknown = [name for name in given if name not in {"all", *every}]
    if not given or unknown:
        print(f"scripts/bench NAME ... or all; there are: {', '.join(every)}", file=sys.stderr)
        return 2
    wanted = every if "all" in given else given
    rows: list[dict[str, Any]] = []
    broken = []
    for name in wanted:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            figures = importlib.import_module(f"bench.{name}").run()
            keep(name, figures)
        except Exception:  # one bench that breaks is reported, and the others still run
            traceback.print_exc()
            broken.append(name)
            continue
        print(table(figures), flush=True)
        rows += figures
    if len(wanted) > 1:
        print("\n" + table(rows))
    for name in broken:
        print(f"{name} broke: its error is above", file=sys.stderr)
    return 1 if broken or any(row["holds"] is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
