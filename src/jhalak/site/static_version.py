"""The version in the address of static files: a hash of the whole tree.

One prefix for all files, so that ES modules may import each other by relative address and still be
cached for ever; a changed tree is a new prefix.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"


@cache
def static_version() -> str:
    """12 hex digits over every file's path and content."""
    digest = hashlib.sha256()
    for file in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(STATIC)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
