"""Runners: other machines of the operator that prepare videos, and what each may open.

A runner is known by a token, of which only a hash is here. With it it claims a job, and gets a
token for that one job: signed, and good as long as its lease and its run are. That opens this job's
original and this run's results, nothing else. A runner that falls silent loses the lease, another
one or the site's own worker begins anew, and what the first still sends is refused.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import NamedTuple

import msgspec
from django.core import signing
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jhalak import records
from jhalak.border.log.entries import Kind
from jhalak.problems import Conflict, Gone, Invalid, NotFound, SignInNeeded
from jhalak.records.actions import Actor
from jhalak.records.leases import do_blame, do_claim, do_fail, do_finish, do_release
from jhalak.records.ledger import enter
from jhalak.records.models import Job
from jhalak.records.states import JobState
from jhalak.videos import processing, sounds, sweeping
from jhalak.videos.actions import LADDER, MODERN, PROCESS, SCRUBBING
from jhalak.videos.house import start_of
from jhalak.videos.making import Start
from jhalak.videos.models import Runner, Video

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SALT = "jhalak.runner.job"
_BEGIN = {
    PROCESS: processing.do_begin,
    LADDER: processing.do_begin_rest,
    MODERN: processing.do_begin_modern,
    SCRUBBING: processing.do_begin_scrubbing,
}


SEEN_EVERY_S = 5.0
SILENT_S = 30.0  # it asks once a second


class Claimed(NamedTuple):
    """A job in the hands of a runner, and the video whose run it is."""

    job: Job
    video: Video


class Given(NamedTuple):
    """What a runner gets: a job, where its run sets out, and the token that opens it."""

    claimed: Claimed
    start: Start
    sound: bool
    """Whether its clip takes another sound than its own."""
    token: str


class RunnerJob(msgspec.Struct, frozen=True):
    """What a runner does: `running_s` since it took the job up."""

    kind: str
    subject: str
    progress: float
    running_s: float


class RunnerRow(msgspec.Struct, frozen=True):
    """A runner as the operator reads it. `seen_s`: since it was last heard of, None for never;
    `silent`: for longer than one that works would be.
    """

    name: str
    seen_s: float | None
    silent: bool
    done_today: int
    jobs: list[RunnerJob]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def do_add_runner(name: str) -> str:
    """A new runner; returns its token, which is shown this once. Raises Invalid, Conflict."""
    if not NAME.fullmatch(name):
        raise Invalid("bad_name", _("A runner's name has 1 to 40 letters a-z, digits or -."))
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        if Runner.objects.filter(name=name).exists():
            raise Conflict("name_taken", _("There is a runner of this name already."))
        Runner.objects.create(name=name, token_hash=_hash(token))
        records.audit(None, "runner.add", f"runner:{name}")
        _except(name, "declared")
    return token


def do_remove_runner(actor: Actor | None, name: str) -> None:
    """Its token, and those of the jobs that it has, open nothing from now on; the jobs are given
    back. Raises NotFound.
    """
    with transaction.atomic():
        if not Runner.objects.filter(name=name).delete()[0]:
            raise NotFound("no_such_runner", _("There is no runner of this name."))
        for job in _jobs_of(name):
            do_release(job)
        records.audit(actor, "runner.remove", f"runner:{name}")
        _except(name, "withdrawn")


def _except(name: str, event: str) -> None:
    """A runner holds originals on another machine, outside this one's seal: that is on record."""
    enter(Kind.EXCEPTION, {"exception": "runner", "name": name, "event": event})


def _jobs_of(name: str) -> QuerySet[Job]:
    held = Job.objects.filter(state=JobState.RUNNING, leased_by__startswith=f"runner:{name}:")
    return held.order_by("claimed")


def runners() -> list[RunnerRow]:
    """Every runner that was let in, by name."""
    now, today = timezone.now(), timezone.localdate()
    rows = []
    for one in Runner.objects.order_by("name"):
        seen_s = (now - one.seen).total_seconds() if one.seen else None
        jobs = [
            RunnerJob(
                kind=job.kind,
                subject=job.subject,
                progress=job.progress,
                running_s=round((now - (job.claimed or now)).total_seconds(), 1),
            )
            for job in _jobs_of(one.name)
        ]
        rows.append(
            RunnerRow(
                name=one.name,
                seen_s=None if seen_s is None else round(seen_s, 1),
                silent=seen_s is None or seen_s > SILENT_S,
                done_today=one.done if one.done_on == today else 0,
                jobs=jobs,
            )
        )
    return rows


def _refused() -> SignInNeeded:
    return SignInNeeded("no_such_token", _("This token opens nothing here."))


def access_runner(token: str) -> Runner:
    """The runner of a token. Raises SignInNeeded."""
    runner = Runner.objects.filter(token_hash=_hash(token)).first()
    if runner is None:
        raise _refused()
    do_see(runner)
    return runner


def do_see(runner: Runner) -> None:
    """It was heard of just now. Written down every few seconds, not every time."""
    now = timezone.now()
    if runner.seen is None or (now - runner.seen).total_seconds() > SEEN_EVERY_S:
        Runner.objects.filter(pk=runner.pk).update(seen=now)


def do_claim_for(runner: Runner) -> Given | None:
    """The next job for a runner, its run begun, with the job's token; None when nothing waits.

    What keeps us from giving it out (the store is away) is raised, and the job waits for that.
    """
    while True:
        job = do_claim(f"runner:{runner.name}:{secrets.token_hex(4)}", remote=True)
        if job is None:
            return None
        try:
            given = _begun(job)
        except Exception as error:
            do_blame(job, error)
            raise
        if given is not None:
            return given


def _begun(job: Job) -> Given | None:
    """None: there is nothing to do, and the job has ended."""
    video = _BEGIN[job.kind](job.subject)
    if video is None:  # deleted, or made already
        do_finish(job)
        return None
    borrows = job.kind != SCRUBBING and video.borrowed
    if borrows and not sounds.borrowed_key(video):
        do_fail(job, sounds.GONE, "its sound is not open any more")
        return None
    sweeping.tidy(video.public_id)
    names = [job.pk, job.attempts, job.leased_by, video.pk, video.run]
    token = signing.dumps(names, salt=_SALT)
    return Given(Claimed(job, video), start_of(video), borrows, token)


def do_end_well(claimed: Claimed) -> None:
    """A runner has done its job; it is counted for the operator."""
    if do_finish(claimed.job):
        today = timezone.localdate()
        mine = Runner.objects.filter(name=runner_of(claimed.job))
        if not mine.filter(done_on=today).update(done=F("done") + 1):
            mine.update(done_on=today, done=1)


def runner_of(job: Job) -> str:
    return job.leased_by.split(":")[1]


def access_claimed(token: str) -> Claimed:
    """The job of a job's token, as long as it is its runner's. Raises SignInNeeded, Gone."""
    try:
        pk, attempts, leased_by, video_pk, run = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError) as error:
        raise _refused() from error
    job = Job.objects.filter(
        pk=pk, attempts=attempts, leased_by=leased_by, state=JobState.RUNNING
    ).first()
    video = Video.objects.select_related("author").filter(pk=video_pk, run=run).first()
    runner = Runner.objects.filter(name=runner_of(job)).first() if job else None
    if job is None or video is None or runner is None:
        raise Gone("not_yours", _("This job is no longer this runner's."))
    do_see(runner)
    return Claimed(job, video)
