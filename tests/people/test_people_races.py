"""Two things at once: the same handle taken twice, a follow that meets a block or an opening."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tests.people.factories import PASSWORD, make_person
from tests.people.test_people_profile import photo
from tests.people.threads import at_once, on_a_file

from jhalak.people.actions import Browser, do_make_private, do_set_picture, do_sign_up
from jhalak.people.models import Block, Follow, Person
from jhalak.people.sessions import SessionStore
from jhalak.problems import Invalid, NotFound
from jhalak.social.ties import do_block, do_follow

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_handle_goes_to_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_person("somebody_else")
    on_a_file(monkeypatch, tmp_path)
    one = partial(do_sign_up, browser=Browser(), handle="asha", password=PASSWORD)
    results = at_once([partial(one, SessionStore()) for _ in range(6)])
    won = [result for result in results if isinstance(result, Person)]
    lost = [result for result in results if isinstance(result, Invalid)]
    assert (len(won), len(lost)) == (1, 5)
    assert {problem.code for problem in lost} == {"handle_taken"}


def test_a_follow_never_outlives_a_block(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pairs = [(make_person(), make_person()) for _ in range(6)]
    on_a_file(monkeypatch, tmp_path)
    works = []
    for one, other in pairs:
        works += [partial(do_follow, one, other), partial(do_block, other, one)]
        works += [partial(do_follow, other, one)]
    results = at_once(works)
    assert all(result is None or isinstance(result, Follow | NotFound) for result in results)
    (left,) = at_once([lambda: (Follow.objects.count(), Block.objects.count())])
    assert left == (0, 6)


def test_nobody_waits_at_an_open_door(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    author = make_person(private=True)
    fans = [make_person() for _ in range(6)]
    on_a_file(monkeypatch, tmp_path)
    asks = [partial(do_follow, fan, author) for fan in fans]
    results = at_once([*asks[:3], partial(do_make_private, author, private=False), *asks[3:]])
    assert not [result for result in results if isinstance(result, Exception)]
    (agreed,) = at_once([lambda: list(Follow.objects.values_list("pending", flat=True))])
    assert agreed == [False] * 6


def test_of_two_pictures_one_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from jhalak import records

    person = make_person()
    on_a_file(monkeypatch, tmp_path)
    picture = photo("PNG")
    results = at_once([lambda: do_set_picture(Person.objects.get(), picture) for _ in range(4)])
    assert all(isinstance(result, str) for result in results)
    (kept,) = at_once([lambda: Person.objects.get(pk=person.pk).picture])
    assert [found.key for found in records.objects().list("people/")] == [kept]
