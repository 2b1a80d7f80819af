"""Which ranker a process serves by: the one that the log names, if it can be used.

The log alone decides which is in force, so replaying it needs no file. Whether this process can
serve it is another question: a file that is missing, damaged, of another version, trained on
places that are no longer in force, or that gives no numbers is said once in the process's log,
counted for each page, and the learner ranks alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from jhalak.feed.events import ModelKind
from jhalak.feed.models import ModelError
from jhalak.feed.ranker.model import Ranker

log = logging.getLogger(__name__)


class InForce:
    """`read_model`: kind, digest -> bytes; see models.read."""

    def __init__(self, read_model: Callable[[str, str], bytes]) -> None:
        self._read = read_model
        self._digest = ""
        self._ranker: Ranker | None = None
        self._why = ""  # it is not served, though in force
        self._pages = {"ranked": 0, "alone": 0}  # since the start of this process

    def ranker(self, models: Mapping[str, str]) -> Ranker | None:
        """`models`: the digest in force by kind. Loads what is new."""
        digest = models.get(ModelKind.RANKER, "")
        if digest != self._digest:
            self._digest, self._ranker, self._why = digest, None, ""
            if digest:
                self._load()
        if self._ranker is None:
            return None
        if self._ranker.places != models.get(ModelKind.PLACES, ""):
            self._say("it was trained on places that are not in force")
            return None
        self._why = ""
        return self._ranker

    def count(self, ranked: bool) -> None:
        if self._digest:
            self._pages["ranked" if ranked else "alone"] += 1

    def report(self) -> dict[str, Any]:
        return {"digest": self._digest, "why_not": self._why, "pages": dict(self._pages)}

    def _load(self) -> None:
        try:
            self._ranker = Ranker(self._read(ModelKind.RANKER, self._digest))
        except (ModelError, OSError) as error:
            self._say(str(error))

    def _say(self, why: str) -> None:
        if why != self._why:
            log.warning("ranker %s is not served, the learner is: %s", self._digest[:12], why)
            self._why = why
