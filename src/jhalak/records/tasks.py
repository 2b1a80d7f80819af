"""What a worker does for the border's log: each second, it moves there what waits; every ten
minutes it has the witnesses cosign what came in.
"""

from __future__ import annotations

import logging

from jhalak.border.log.notes import NoteError
from jhalak.border.log.writer import LogError
from jhalak.records.actions import enqueue
from jhalak.records.cosigning import cosign, wanted
from jhalak.records.ledger import drain
from jhalak.records.models import Job, Priority
from jhalak.records.registry import Progress, Retry, every, task

logger = logging.getLogger(__name__)


@every(1.0, "records.ledger")
def move_to_the_log() -> None:
    """A log that cannot be written stops nothing else: entries wait, and are tried again."""
    try:
        drain()
    except (LogError, NoteError) as error:
        logger.error("entries wait for the border's log: %s", error)


@every(600.0, "records.witnesses")
def ask_for_cosignatures() -> None:
    if wanted():
        enqueue("records.cosign", "log", priority=Priority.SOON)


@task("records.cosign")
def cosign_the_log(job: Job, progress: Progress) -> None:  # noqa: ARG001
    _, wrong = cosign()
    if wrong:
        logger.error("not cosigned: %s", "; ".join(wrong))
        raise Retry("not_cosigned", "; ".join(wrong)[:500])
