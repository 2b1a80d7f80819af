"""Training on a log: what is read from it, what comes of it, and what passes the gate."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from jhalak.feed import events as ev
from jhalak.feed import models, places_file
from jhalak.feed.taste import SIZE, by_content
from jhalak.feed.training import Answers, Proposal, Reader, TooFew, proposal, propose
from jhalak.feed.training.places import Settings, train
from jhalak.feed.training.words import words
from tests.feed.worlds import NOW, alike, crowd, video, watch

Log = list[tuple[int, bytes]]


def written(events: Iterable[ev.Event]) -> Log:
    return [(number, ev.encode(event)) for number, event in enumerate(events, 1)]


def read(events: Iterable[ev.Event]) -> Answers:
    reader = Reader()
    reader.read(written(events))
    return reader.answers()


class TestAnswers:
    clip, other = video(1), video(2)

    def felt(self, *events: ev.Event) -> list[float]:
        return read([self.clip, self.other, *events]).felt.tolist()

    def test_a_finish_is_good_and_a_skip_is_not(self) -> None:
        found = read([self.clip, self.other, watch("a", self.clip), watch("b", self.other, 0.05)])
        assert found.good.tolist() == [True, False]
        assert found.viewer.tolist() == [0, 1]
        assert [found.facts[number].video for number in found.video] == [1, 2]
        assert found.offset.tolist() == [3, 4]

    def test_parts_of_a_view_are_one_answer(self) -> None:
        part = watch("a", self.clip, 0.1, slate="s")
        assert self.felt(part)[0] < 0
        (found,) = self.felt(part, watch("a", self.clip, 1.0, slate="s"))
        assert found > 0
        assert len(self.felt(part, watch("a", self.clip, 1.0, slate="another"))) == 2

    def test_a_gesture_says_more_than_watching_until_it_is_taken_back(self) -> None:
        skip = watch("a", self.clip, 0.05)
        like, unlike = ev.Liked("a", 1, NOW), ev.Unliked("a", 1, NOW)
        assert self.felt(skip, like) == [1.0]
        assert self.felt(skip, like, unlike) == self.felt(skip)
        assert self.felt(watch("a", self.clip), ev.NotInterested("a", 1, NOW)) == [-1.0]
        assert self.felt(ev.Shared("a", 1, NOW)) == [1.0]

    def test_a_gesture_before_the_watch_is_told_is_taken_back_alone(self) -> None:
        """A clip is liked while it plays, and its watching is told when the viewer moves on."""
        told = watch("a", self.clip, 0.5)
        for said, undone in (
            (ev.Liked, ev.Unliked), (ev.Saved, ev.Unsaved),
            (ev.NotInterested, ev.NotInterestedUndone),
        ):  # fmt: skip
            first, last = said("a", 1, NOW), undone("a", 1, NOW)
            assert self.felt(first, told, last) == self.felt(told)
            assert self.felt(first, last) == []
        saved = ev.Saved("a", 1, NOW)
        assert self.felt(saved, ev.Liked("a", 1, NOW), ev.Unliked("a", 1, NOW)) == [1.0]

    def test_a_guests_answers_are_the_members(self) -> None:
        seen = [watch("g1", self.clip), watch("m2", self.other)]
        joined = ev.Joined("g1", "m2", NOW)
        found = read([self.clip, self.other, *seen, joined, watch("g1", self.other)])
        assert found.viewer[0] == found.viewer[1] != found.viewer[2]

    def test_what_was_forgotten_or_taken_out_teaches_nothing(self) -> None:
        seen = [watch("g1", self.clip), ev.Joined("g1", "m1", NOW), watch("m1", self.other)]
        later = [watch("m1", self.clip), watch("m2", self.clip)]
        for forgets in (ev.Forgotten("m1", NOW), ev.PersonalDeclined("m1", NOW)):
            accepts = ev.PersonalAccepted("m1", NOW)
            found = read([self.clip, self.other, *seen, forgets, accepts, *later])
            assert found.offset.tolist() == [8, 9]
        found = read([self.clip, self.other, *seen, *later, ev.Unwatched("m1", 1, NOW)])
        assert found.offset.tolist() == [5, 7]
        tag = ev.InterestRemoved("m1", ev.InterestKind.TAG, self.other.tags[0], NOW)
        author = ev.InterestRemoved("m1", ev.InterestKind.AUTHOR, str(self.clip.author), NOW)
        found = read([self.clip, self.other, *seen, *later, tag, author])
        assert found.offset.tolist() == [7]

    def test_while_paused_or_declined_nothing_is_learnt(self) -> None:
        for begins, ends in (
            (ev.LearningPaused("m1", NOW), ev.LearningResumed("m1", NOW)),
            (ev.PersonalDeclined("m1", NOW), ev.PersonalAccepted("m1", NOW)),
        ):
            during = [watch("m1", self.clip), ev.Liked("m1", 2, NOW), watch("m2", self.clip)]
            found = read([self.clip, self.other, begins, *during, ends, watch("m1", self.clip)])
            assert found.offset.tolist() == [6, 8]
        joined = ev.Joined("g1", "m1", NOW)
        paused = read([self.clip, ev.LearningPaused("g1", NOW), joined, watch("m1", self.clip)])
        declined = read([self.clip, watch("g1", self.clip), ev.PersonalDeclined("m1", NOW), joined])
        assert not len(paused.felt)
        assert not len(declined.felt)

    def test_what_is_not_known_or_not_understood_teaches_nothing(self) -> None:
        reader = Reader()
        reader.read([(1, b"{}"), (2, b"\xff"), (3, ev.encode(watch("a", self.clip)))])
        reader.read([(4, ev.encode(ev.Liked("a", 7, NOW)))])
        assert not len(reader.answers().felt)
        assert reader.answers().span.events == 4

    def test_the_root_says_which_log_it_was(self) -> None:
        log = written([self.clip, self.other, watch("a", self.clip), watch("b", self.other)])
        roots = set()
        for one in (log, log[:-1], [log[0], *log[2:]], [(9, log[0][1]), *log[1:]], log[::-1]):
            reader = Reader()
            reader.read(one)
            roots.add(reader.answers().span.root)
        assert len(roots) == 5
        again = Reader()
        for one in log:  # however it is handed over
            again.read([one])
        assert again.answers().span.root in roots


@pytest.fixture(scope="module")
def answers() -> Answers:
    return read(crowd())


@pytest.fixture(scope="module")
def made(answers: Answers) -> Proposal:
    return propose(answers)


def test_training_twice_gives_the_same_bytes(answers: Answers, made: Proposal) -> None:
    again = propose(answers)
    assert again.artefact == made.artefact
    assert again.manifest == made.manifest


@pytest.mark.slow
def test_another_seed_or_log_is_another_story(answers: Answers, made: Proposal) -> None:
    settings = Settings(watched=1.0)
    one, same, other = (propose(answers, settings=settings, seed=seed) for seed in (1, 1, 2))
    assert one.manifest == same.manifest != other.manifest
    longer = propose(read([*crowd(), watch("m1", video(1))]), settings=settings)
    assert longer.manifest.data != one.manifest.data


def test_what_watching_tells_is_found_where_words_tell_nothing(made: Proposal) -> None:
    verdict = made.verdict
    assert verdict.passed, verdict.why
    assert verdict.gain > 0.1
    assert verdict.interval[0] > 0
    places = places_file.decode(made.artefact)
    where = places.matrix()
    lot = places.ids() % 4
    close = where @ where.T
    same = lot[:, None] == lot[None, :]
    np.fill_diagonal(same, False)
    assert close[same].mean() > close[lot[:, None] != lot[None, :]].mean() + 0.1


def test_the_manifest_says_where_it_comes_from(made: Proposal, answers: Answers) -> None:
    manifest = made.manifest
    assert manifest.sha256 == models.sha256(made.artefact)
    assert manifest.data == answers.span
    assert manifest.settings["learnt_to"] < answers.span.last
    assert manifest.gate["auc"] == made.verdict.candidate.auc
    assert set(manifest.libraries) == {"msgspec", "numpy", "python"}
    assert manifest.code == proposal.code_hash()


@pytest.mark.slow
def test_where_nothing_is_to_learn_nothing_better_is_promoted(
    answers: Answers, made: Proposal
) -> None:
    """The same again is not better than what is in force, and noise is not either."""
    noise = read(crowd(5_000, sure=0.5, seed=3))
    served = ("in force", places_file.decode(made.artefact))
    assert not propose(answers, served).verdict.passed
    assert not propose(
        noise, ("in force", places_file.decode(propose(noise).artefact))
    ).verdict.passed


def test_what_is_worse_than_what_is_in_force_stays_out(answers: Answers, made: Proposal) -> None:
    found = propose(answers, ("in force", places_file.decode(made.artefact)), settings=Settings())
    assert "gains -" in found.verdict.why


def test_a_candidate_is_judged_on_what_neither_side_has_seen(
    answers: Answers, made: Proposal
) -> None:
    learnt_to = int(made.manifest.settings["learnt_to"])
    served = ("in force", places_file.decode(made.artefact))
    with pytest.raises(TooFew, match=r"not enough new answers .*: \d+ of 400"):
        propose(answers, served, after=answers.span.last - 100)
    found = propose(answers, served, after=learnt_to + 50, settings=Settings())
    assert found.verdict.views == (answers.offset > learnt_to + 50).sum()
    assert found.manifest.settings["learnt_to"] == learnt_to + 50


@pytest.mark.parametrize("count", [0, 1, 120])
def test_too_few_are_said(count: int) -> None:
    with pytest.raises(TooFew, match=f"not enough answers yet: {count} of 5000"):
        propose(read(crowd(count)))


def test_one_viewer_or_one_video_or_one_kind_of_answer_is_no_error() -> None:
    clips = [video(1), video(2)]
    for events in (
        [watch("m1", clips[n % 2], float(n % 3 == 0)) for n in range(6_000)],
        [watch(f"m{n % 50}", clips[0], float(n % 3 == 0)) for n in range(6_000)],
        [watch(f"m{n % 50}", clips[n % 2], 0.01) for n in range(6_000)],
    ):
        found = propose(read([*clips, *events]), settings=Settings(watched=1.0))
        places_file.decode(found.artefact)
        assert np.isfinite(found.verdict.gain)


def test_a_video_with_no_viewers_of_its_own_lies_where_its_words_do() -> None:
    few = [video(1), video(2), alike(3)]
    events = [watch(f"m{n}", clip) for n in range(2) for clip in few]
    found = places_file.decode(train(read([*few, *events]), Settings(watched=1.0), 1))
    assert not len(found.ids())
    events = [watch(f"m{n}", clip) for n in range(5) for clip in few]
    found = places_file.decode(train(read([*few, *events]), Settings(), 1))
    for clip in few:  # nothing is said by who watched: the feed's own place, to a rounding
        assert found.of(clip.video) == pytest.approx(by_content(words(clip)), abs=1e-6)
    assert found.size == SIZE
