"""What the log is told when the site begins and ends: that it did, and whether the code that runs
is the released one. A start that differs goes on, for a site that is down helps nobody, and says
so; the report is red from then on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jhalak import __version__
from jhalak.border import release
from jhalak.border.log.entries import Kind
from jhalak.border.log.keys import spool_folder
from jhalak.border.log.spool import Spool
from jhalak.site.supervisor import say

MOST = 50  # differences that an entry lists


@contextmanager
def lifetime(data: Path) -> Iterator[None]:
    """Around the whole run of a site."""
    spool = Spool(spool_folder(data), "site")
    _enter(spool, Kind.START, {"version": __version__})
    _enter(spool, Kind.RELEASE, _released(data))
    try:
        yield
    finally:
        _enter(spool, Kind.STOP, {"version": __version__})


def _released(data: Path) -> dict[str, Any]:
    path = data / "border" / release.FILE
    if not path.exists():
        return {"version": __version__, "digest": "", "differences": []}  # the report says so
    try:
        made = release.read(path)
        digest, found = made.digest(), release.compare(made)
    except (release.ReleaseError, OSError) as error:
        digest, found = "", [f"the release manifest cannot be used: {error}"]
    for difference in found[:MOST]:
        say(f"NOT THE RELEASED CODE: {difference}")
    return {"version": __version__, "digest": digest, "differences": found[:MOST]}


def _enter(spool: Spool, kind: Kind, body: dict[str, Any]) -> None:
    try:
        spool.write(kind, body)
    except OSError as error:  # a full disk stops no start; the gap will be seen
        say(f"{kind.value} could not be entered in the log: {error}")
