"""The life of a video: every pair of states, and what the feed is told."""

from __future__ import annotations

import itertools

import pytest

from jhalak.feed.events import Published, Removal, Withdrawn, decode
from jhalak.problems import NotFound
from jhalak.records.models import Job, OutboxEvent
from jhalak.videos.actions import (
    Changes,
    WrongState,
    do_advance,
    do_announce,
    do_change_video,
    do_count_views,
    do_delete_video,
)
from jhalak.videos.models import Video
from jhalak.videos.states import FOLLOWS, WATCHABLE, State
from tests.factories import person, video

pytestmark = pytest.mark.django_db  # rows stay in the outbox: a rolled-back test relays nothing


def told() -> list[Published | Withdrawn]:
    events = [decode(bytes(row.body)) for row in OutboxEvent.objects.order_by("pk")]
    OutboxEvent.objects.all().delete()
    return events  # type: ignore[return-value]


@pytest.fixture
def made() -> Video:
    one = Video.objects.create(
        author=person(), upload_id="u", visibility="public", source_key="originals/u",
        source_size=1, duration_ms=5000, tags=["mela"],
    )  # fmt: skip
    told()
    return one


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_every_pair_of_states(made: Video, before: State, after: State) -> None:
    Video.objects.update(state=before)
    if after not in FOLLOWS[before]:
        with pytest.raises(WrongState):
            do_advance(made.pk, after)
        made.refresh_from_db()
        assert made.state == before
        assert told() == []
        return
    do_advance(made.pk, after)
    made.refresh_from_db()
    assert made.state == after
    events = told()
    if after in WATCHABLE and before not in WATCHABLE:
        assert [type(event) for event in events] == [Published]
        assert made.published_at is not None
    elif before in WATCHABLE and after not in WATCHABLE:
        assert events == [Withdrawn(made.pk, Removal.FAILED)]
    else:
        assert events == []


def test_every_state_can_be_reached_and_only_the_good_end_stays() -> None:
    reached = set(itertools.chain.from_iterable(FOLLOWS.values()))
    assert reached == set(State) == set(FOLLOWS)
    assert [state for state in State if not FOLLOWS[state]] == [State.COMPLETE]


def test_an_overtaken_run_changes_nothing(made: Video) -> None:
    Video.objects.update(state=State.CHECKING, run="second")
    with pytest.raises(WrongState):
        do_advance(made.pk, State.PREPARING, run="first")
    do_advance(made.pk, State.PREPARING, run="second")


def test_what_the_feed_is_told(made: Video) -> None:
    Video.objects.update(state=State.PREPARING)
    do_advance(made.pk, State.PLAYABLE)
    (event,) = told()
    assert isinstance(event, Published)
    assert (event.video, event.tags, event.duration_ms) == (made.pk, ("mela",), 5000)
    assert event.visibility == "public"
    made.refresh_from_db()
    first = made.published_at
    do_change_video(made.author, made, Changes(visibility="private"))
    assert told() == [Withdrawn(made.pk, Removal.PRIVATE)]
    do_change_video(made.author, made, Changes(caption="still private"))
    assert told() == []
    do_change_video(made.author, made, Changes(visibility="followers", tags=["sea"]))
    (event,) = told()
    assert isinstance(event, Published)
    assert (event.visibility, event.tags) == ("followers", ("sea",))
    made.refresh_from_db()
    assert made.published_at == first  # publishing again does not make it new
    do_delete_video(made.author, made)
    assert told() == [Withdrawn(made.pk, Removal.DELETED)]
    with pytest.raises(NotFound):
        do_delete_video(made.author, made)


def test_a_private_account_is_told_as_for_followers(made: Video) -> None:
    Video.objects.update(state=State.COMPLETE)
    made.author.private = True
    made.author.save()
    do_announce(made.author)
    (event,) = told()
    assert isinstance(event, Published)
    assert event.visibility == "followers"


def test_private_first_is_published_when_it_is_opened(made: Video) -> None:
    Video.objects.update(state=State.PREPARING, visibility="private")
    do_advance(made.pk, State.PLAYABLE)
    assert told() == []
    made.refresh_from_db()
    assert made.published_at is None
    changed = do_change_video(made.author, made, Changes(visibility="public"))
    assert changed.published_at is not None
    assert len(told()) == 1


def test_deleting_takes_the_jobs_back(made: Video) -> None:
    from jhalak import records

    records.enqueue("videos.process", made.public_id)
    do_delete_video(made.author, made)
    states = dict(Job.objects.values_list("kind", "state"))
    assert states == {"videos.process": "cancelled", "videos.tidy": "queued"}


def test_views_add_up() -> None:
    author = person()
    one, two = video(author), video(author)
    do_count_views({one.pk: (3, 1), two.pk: (1, 0), 10**9: (5, 5)})
    do_count_views({one.pk: (1, 1)})
    counted = {row.pk: (row.views, row.full_watches) for row in Video.objects.all()}
    assert counted == {one.pk: (4, 2), two.pk: (1, 0)}
