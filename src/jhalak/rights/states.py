"""The states of a person's leaving and of a download, and what each may become."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class LeavingState(models.TextChoices):
    ASKED = "asked", _("Waiting")  # hidden; a log-in takes it back
    TAKEN_BACK = "taken_back", _("Taken back")
    ERASING = "erasing", _("Being erased")  # no way back
    ERASED = "erased", _("Erased")


LEAVING_FOLLOWS: dict[LeavingState, frozenset[LeavingState]] = {
    LeavingState.ASKED: frozenset({LeavingState.TAKEN_BACK, LeavingState.ERASING}),
    LeavingState.TAKEN_BACK: frozenset(),  # asking again is a new row
    LeavingState.ERASING: frozenset({LeavingState.ERASED}),
    LeavingState.ERASED: frozenset(),
}


class DownloadState(models.TextChoices):
    ASKED = "asked", _("Being made")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Could not be made")
    ENDED = "ended", _("No longer kept")


DOWNLOAD_FOLLOWS: dict[DownloadState, frozenset[DownloadState]] = {
    DownloadState.ASKED: frozenset({DownloadState.READY, DownloadState.FAILED}),
    DownloadState.READY: frozenset({DownloadState.ENDED}),
    DownloadState.FAILED: frozenset({DownloadState.ASKED}),  # the operator has it tried again
    DownloadState.ENDED: frozenset(),
}


def may_follow(before: str, after: LeavingState | DownloadState) -> bool:
    """By the table of the kind that `after` is of."""
    if isinstance(after, LeavingState):
        return after in LEAVING_FOLLOWS[LeavingState(before)]
    return after in DOWNLOAD_FOLLOWS[DownloadState(before)]
