"""A long bench in parts: each one's figures are printed when they are there, and one that breaks
does not take those of the others with it.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from bench.figures import figure
from bench.run import table

Part = Callable[[], list[dict[str, Any]]]


def each(parts: Mapping[str, Part]) -> list[dict[str, Any]]:
    """The figures of all parts, in their order, with the time that each took. A broken one is a
    figure that does not hold, and its error is on stderr.
    """
    rows = []
    for name, part in parts.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        started = time.perf_counter()
        try:
            found = part()
        except Exception:
            traceback.print_exc()
            found = [figure(f"{name}: broke, its error is above", None, "") | {"holds": False}]
        print(table(found), file=sys.stderr, flush=True)
        rows += [*found, figure(f"time: {name}", time.perf_counter() - started, "s")]
    return rows
