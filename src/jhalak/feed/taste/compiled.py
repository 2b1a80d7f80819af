"""How `kernel` is compiled: at import, for the types said, and kept for the next process.

numba keeps machine code beside the source, but looks for it only where it may write. A sealed
process may not, so `Kept` reads what `serve` had compiled before the seal stood; where nothing is
kept and nothing may be, each process compiles for itself, in three seconds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import InTreeCacheLocator

Function = TypeVar("Function", bound=Callable[..., Any])


class Kept(InTreeCacheLocator):
    """Beside the source, though it may only be read."""

    @classmethod
    def from_function(cls, function: Any, file: str) -> Kept | None:
        folder = Path(file).parent / "__pycache__"
        writable = os.access(folder if folder.is_dir() else folder.parent, os.W_OK)
        return cls(function, file) if writable or any(folder.glob("*.nbi")) else None


_njit: Any = numba.njit
_config: Any = numba.config
_config.CACHE_LOCATOR_CLASSES = f"{__name__}.{Kept.__name__}"


def part(function: Function) -> Function:
    """A function of others that are compiled: compiled with them, for their types."""
    found: Function = _njit(function)
    return found


def compiled(signature: str) -> Callable[[Function], Function]:
    """Compiles a function for these types of arguments, unless that was done before."""

    def compile_now(function: Function) -> Function:
        try:
            found: Function = _njit(signature, cache=True, nogil=True)(function)
        except (RuntimeError, OSError):  # nowhere to keep it
            found = _njit(signature, nogil=True)(function)
        return found

    return compile_now
