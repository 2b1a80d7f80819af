"""What a worker does for the border's log: each second, it moves there what waits."""

from __future__ import annotations

import logging

from jhalak.border.log.notes import NoteError
from jhalak.border.log.writer import LogError
from jhalak.records.ledger import drain
from jhalak.records.registry import every

logger = logging.getLogger(__name__)


@every(1.0, "records.ledger")
def move_to_the_log() -> None:
    """A log that cannot be written stops nothing else: entries wait, and are tried again."""
    try:
        drain()
    except (LogError, NoteError) as error:
        logger.error("entries wait for the border's log: %s", error)
