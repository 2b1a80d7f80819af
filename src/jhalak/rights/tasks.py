"""Work of rights in the background."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from jhalak import records
from jhalak.border.keys import KeysAway
from jhalak.records.jobs import GiveUp, Job, Progress, Retry, every, task
from jhalak.rights import actions, downloading, erasing
from jhalak.rights.models import Download, Leaving
from jhalak.rights.states import DownloadState


@task(erasing.ERASE, alone=True)
def erase(job: Job, progress: Progress) -> None:
    leaving = Leaving.objects.filter(pk=job.subject).first()
    if leaving is None:
        raise GiveUp("gone", "there is no such erasure")
    try:
        erasing.erase(leaving, progress)
    except KeysAway as error:
        raise Retry("keys_away", str(error)) from error


def _failed(job: Job) -> None:
    Download.objects.filter(pk=job.subject, state=DownloadState.ASKED).update(
        state=DownloadState.FAILED
    )


def _again(job: Job) -> None:
    Download.objects.filter(pk=job.subject, state=DownloadState.FAILED).update(
        state=DownloadState.ASKED
    )


@task(actions.MAKE, alone=True, on_failed=_failed, on_retry=_again)
def make(job: Job, progress: Progress) -> None:
    download = Download.objects.select_related("person").filter(pk=job.subject).first()
    if download is None:
        raise GiveUp("gone", "whoever asked is gone")
    if download.state != DownloadState.ASKED:
        return
    downloading.make(download, job.payload.get("held", {}), progress)
    with transaction.atomic():  # what the feed held stands in the file now
        Job.objects.filter(pk=job.pk).update(payload={})


@every(60, "rights.due")
def begin_due() -> None:
    actions.do_begin_due(timezone.now())


@every(3600, "rights.ends")
def end() -> None:
    """What is kept for days or years, and whose time is over."""
    erasing.do_drop_kept()
    ended = Download.objects.filter(state=DownloadState.READY, ends__lte=timezone.now())
    ended.update(state=DownloadState.ENDED, key="")
    if records.may_sweep():
        downloading.sweep()
