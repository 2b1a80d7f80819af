"""What a worker does for the border's word: see standing."""

from __future__ import annotations

import logging

from jhalak import records
from jhalak.border.egress.destinations import DestinationsError
from jhalak.border.exceptions import ExceptionsError
from jhalak.border.log.entries import now_ms
from jhalak.options import options
from jhalak.records.jobs import Job, Priority, Progress, Retry, every, task
from jhalak.site import standing

STAND = "site.stand"
REPORT_MS = 24 * 3_600_000

logger = logging.getLogger(__name__)


@every(60.0, STAND)
def ask_how_things_stand() -> None:
    try:
        if due() or standing.changed(options().folder):
            records.enqueue(STAND, "border", priority=Priority.SOON)
    except (ExceptionsError, DestinationsError) as error:
        logger.error("the log cannot be told how things stand: %s", error)


def due() -> bool:
    return now_ms() - standing.told(options().folder).reported_ms >= REPORT_MS


@task(STAND, alone=True)
def tell_how_things_stand(job: Job, progress: Progress) -> None:  # noqa: ARG001
    folder = options().folder
    try:
        standing.do_tell_changes(folder)
        if due():
            standing.do_report_residency(folder, progress)
    except (ExceptionsError, DestinationsError) as error:
        raise Retry("not_told", str(error)[:500]) from error
