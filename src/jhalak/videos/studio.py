"""One's own videos as their author sees them: cards, and how processing goes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.db.models import Count, Min
from django.utils.translation import get_language

from jhalak.people.access import Viewer
from jhalak.records.models import Job
from jhalak.records.states import LIVE, JobState
from jhalak.videos import reasons
from jhalak.videos.actions import LADDER, PROCESS
from jhalak.videos.cards import Card, card, rows
from jhalak.videos.models import Video
from jhalak.videos.states import State


class Failure(msgspec.Struct, frozen=True):
    code: str
    text: str


class InLine(msgspec.Struct, frozen=True):
    """A place in the queue. `ahead`: about how many are taken before this one."""

    ahead: int
    many_today: bool


class StudioCard(Card, frozen=True):
    """A card, and what concerns its author alone."""

    state_text: str
    progress: float
    queue: InLine | None
    failure: Failure | None
    retry: bool
    full_watches: int
    withdrawn: str | None


def studio_cards(viewer: Viewer, ids: Sequence[int]) -> list[StudioCard]:
    """Of videos (primary keys) that are this viewer's own: the caller saw to that. Newest first."""
    videos = Video.objects.filter(pk__in=ids).order_by("-pk")
    language = get_language() or "en"
    shown = [card(row, language) for row in rows(viewer, videos)]
    more = videos.only(
        "public_id", "state", "failure", "full_watches", "withdrawn_at", "withdrawn_reason"
    )
    done = _progress([one.id for one in shown])
    lines = _lines([one.id for one in shown])
    found = {video.public_id: video for video in more}  # one may be deleted between the two looks
    return [
        _studio_card(one, found[one.id], done.get(one.id, 0.0), lines.get(one.id))
        for one in shown
        if one.id in found
    ]


def _progress(public_ids: Sequence[str]) -> dict[str, float]:
    live = Job.objects.filter(kind__in=(PROCESS, LADDER), subject__in=public_ids, state__in=LIVE)
    return dict(live.order_by("-kind").values_list("subject", "progress"))


def _lines(public_ids: Sequence[str]) -> dict[str, InLine]:
    """Places in the queue of those of these videos that wait for their first rendition."""
    waiting = Job.objects.filter(kind=PROCESS, state=JobState.QUEUED)
    mine = list(waiting.filter(subject__in=public_ids))
    if not mine:
        return {}
    owner = mine[0].owner  # one person's studio: the same for all of them
    own = list(waiting.filter(owner=owner).values_list("over_budget", "turn", "pk"))
    others = waiting.exclude(owner=owner).order_by().values("owner", "over_budget")
    firsts = [
        (one["over_budget"], one["turn"], one["first"], one["many"])
        for one in others.annotate(many=Count("pk"), turn=Min("turn"), first=Min("pk"))
    ]
    return {job.subject: InLine(_ahead(job, own, firsts), job.over_budget) for job in mine}


def _ahead(
    job: Job, own: Sequence[tuple[bool, int, int]], others: Sequence[tuple[bool, int, int, int]]
) -> int:
    """Shares are fair: before somebody's third go two of each other owner, and a third one of those
    who stand before. What is over a budget comes after all that is not.
    """
    place = (job.over_budget, job.turn, job.pk)
    before = [one for one in own if one < place]
    in_band = sum(over == job.over_budget for over, _, _ in before)
    # It may have been taken up between the two looks; then it is its own front.
    front = min((one for one in own if one[0] == job.over_budget), default=place)
    ahead = len(before)
    for over, turn, first, many in others:
        if over == job.over_budget:
            ahead += min(many, in_band + ((over, turn, first) < front))
        elif job.over_budget:
            ahead += many
    return ahead


def _studio_card(shown: Card, video: Video, progress: float, line: InLine | None) -> StudioCard:
    state = State(video.state)
    failed = state is State.FAILED
    return StudioCard(
        **{name: getattr(shown, name) for name in shown.__struct_fields__},
        state_text=str(state.label),
        progress=1.0 if state is State.COMPLETE else progress,
        queue=line,
        failure=Failure(video.failure, reasons.text(video.failure)) if failed else None,
        retry=failed,
        full_watches=video.full_watches,
        withdrawn=video.withdrawn_reason if video.withdrawn_at else None,
    )
