"""The log is the truth: the same events give the same state, byte for byte, however they come."""

from __future__ import annotations

import hashlib
import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.feed import Config, Engine, Query, snapshot
from jhalak.feed import events as ev
from jhalak.feed.orderings import HOT
from jhalak.feed.snapshot import FILE, LENGTH, MAGIC, SEAL
from tests.feed.test_eligibility import events as any_event
from tests.feed.test_eligibility import published
from tests.feed.worlds import HOUR, MINUTE, NOW, patient, started, video, watch

SMALL = Config(members=3, guests=2, seen=5, refused=3, interests=4)


def long_log(count: int, videos: int = 700, seed: int = 7) -> list[tuple[int, ev.Event]]:
    """A log in which everything happens: orders are pruned, caps are met, time jumps, gaps."""
    chance = random.Random(seed)
    clips = [
        video(n, published_ms=NOW - chance.randrange(400 * HOUR)) for n in range(1, videos + 1)
    ]
    log: list[ev.Event] = list(clips)
    now = NOW
    sources = ["", "link", "channel", "random", *(f"source {n}" for n in range(40))]
    for _ in range(count):
        now += chance.choice([0, 1, 1000, 1000, MINUTE, HOUR])
        clip, viewer = chance.choice(clips), chance.choice(["m1", "m2", "g1", "g2", "g3", "m9"])
        trial = f"t{chance.randrange(4)}"
        share = chance.random() * 1.4
        log.append(
            chance.choices(
                [
                    watch(
                        viewer,
                        clip,
                        share,
                        at=now - chance.choice([0, 0, HOUR]),
                        slate=chance.choice(["", "a", "b"]),
                        source=chance.choice(sources),
                        score=chance.choice([None, -900, -7, 0, 260, 2**15 - 1]),
                        arms=chance.choice(["", "1a", "1b2a", "2b9z"]),
                    ),
                    ev.Withdrawn(clip.video, chance.choice(list(ev.Removal))),
                    clip,
                    ev.NotInterested(viewer, clip.video, now),
                    ev.NotInterestedUndone(viewer, clip.video, now),
                    ev.Liked(viewer, clip.video, now),
                    ev.Unliked(viewer, clip.video, now),
                    ev.Followed(viewer, clip.author, now),
                    ev.Unfollowed(viewer, clip.author, now),
                    ev.Blocked(viewer, clip.author, now),
                    ev.Unblocked(viewer, clip.author, now),
                    ev.Joined("g1", "m1", now),
                    ev.InterestRemoved(viewer, ev.InterestKind.CHANNEL, clip.channel, now),
                    ev.InterestRemoved(viewer, ev.InterestKind.TAG, clip.tags[0], now),
                    ev.Unwatched(viewer, clip.video, now),
                    ev.LearningPaused(viewer, now),
                    ev.LearningResumed(viewer, now),
                    ev.Forgotten(viewer, now),
                    ev.PersonalDeclined("m9", now),
                    ev.PersonalAccepted("m9", now),
                    ev.Tuned({"weights.tag": share, "gone": 1.0}, "Tried.", now),
                    started(trial, at=now, interleaved=trial == "t1"),
                    ev.ExperimentStopped(trial, "Enough.", now),
                ],
                [60, 6, 4, 2, 1, 2, 1, 1, 1, 1, 1, 1, 2, 2, 2, 0.5, 2, 0.2, 0.2, 1, 1, 2, 1],
            )[0]
        )
    offset, pairs = 0, []
    for event in log:
        offset += chance.choice([1, 1, 1, 5])
        pairs.append((offset, event))
    return pairs


def observed(log, config=None) -> Engine:
    engine = Engine.new(patient(config))
    engine.observe(log)
    return engine


@pytest.mark.parametrize("config", [None, SMALL])
@pytest.mark.slow
def test_snapshot_and_replay_from_anywhere_is_the_same_state(tmp_path, config):
    log = long_log(2500)
    whole = observed(log, config)
    for cut in (0, 703, 1500, 2600, len(log)):
        folder = tmp_path / str(cut)
        observed(log[:cut], config).snapshot(folder)
        for events in (log, log[cut:], lambda after: [pair for pair in log if pair[0] > after]):
            again = Engine.load(folder, events, patient(config))
            assert again.offset == whole.offset
            assert again.state_bytes() == whole.state_bytes()
        assert again.report()["began"] == f"snapshot at {log[cut - 1][0] if cut else 0}"
        unasked = observed(log, config)
        for seed in range(3):
            query = Query(viewer="m1", now_ms=NOW + 900 * HOUR + seed, seed=seed)
            assert again.slate(query).picks == unasked.slate(query).picks


@settings(max_examples=60, deadline=None)
@given(st.lists(published, min_size=1, max_size=10), st.lists(any_event, max_size=40), st.data())
def test_any_log_cut_anywhere_is_the_same_state(tmp_path_factory, catalogue, history, data):
    log = list(enumerate([*catalogue, *history], 1))
    cut = data.draw(st.integers(0, len(log)))
    folder = tmp_path_factory.mktemp("snapshot")
    observed(log[:cut]).snapshot(folder)
    assert Engine.load(folder, log).state_bytes() == observed(log).state_bytes()


@settings(max_examples=60, deadline=None)
@given(st.lists(published, min_size=1, max_size=10), st.lists(any_event, max_size=60), st.data())
def test_what_happens_while_a_snapshot_is_written_is_not_in_it(catalogue, history, data):
    """It is taken at once and made into bytes later, while events go on."""
    log = list(enumerate([*catalogue, *history], 1))
    cut, again = sorted(data.draw(st.tuples(*[st.integers(0, len(log))] * 2)))
    engine = observed(log[:cut])
    first = snapshot.dumps(engine._frozen())
    engine.observe(log[cut:again])
    second = snapshot.dumps(engine._frozen())
    engine.observe(log[again:])
    assert b"".join(first) == observed(log[:cut]).state_bytes()
    assert b"".join(second) == observed(log[:again]).state_bytes()
    assert engine.state_bytes() == observed(log).state_bytes()


def test_a_guest_who_joins_while_a_snapshot_is_written_is_in_it_as_before():
    clip = video(1)
    log = list(enumerate([clip, watch("g1", clip), ev.NotInterested("g1", 1, NOW)], 1))
    engine = observed(log)
    kept = snapshot.dumps(engine._frozen())
    later = NOW + 500 * HOUR
    engine.observe([(4, watch("m1", clip, at=later)), (5, ev.Joined("g1", "m1", later))])
    assert b"".join(kept) == observed(log).state_bytes()


def test_a_catalogue_that_has_grown_comes_back(tmp_path):
    log = long_log(100, videos=2500)
    engine = observed(log)
    engine.snapshot(tmp_path)
    again = Engine.load(tmp_path, ())
    assert again.report()["began"] == f"snapshot at {log[-1][0]}"
    assert again.state_bytes() == engine.state_bytes()


def test_asking_for_pages_changes_no_state():
    log = long_log(1000)
    quiet, asked = observed(log), observed(log)
    for n in range(100):
        asked.slate(Query(viewer=f"g{n % 7}", now_ms=NOW + n))
    assert asked.state_bytes() == quiet.state_bytes()


def test_an_event_counts_once_however_often_it_comes():
    log = long_log(1500)
    once, often = Engine.new(), Engine.new()
    once.observe(log)
    for start in range(0, len(log), 100):
        part = log[max(0, start - 70) : start + 100]
        often.observe(part)
        assert often.observe(part) == 0
        often.observe(log[:start])
    assert often.state_bytes() == once.state_bytes()
    assert often.report()["events"]["repeated"] > 1000


def test_batches_make_no_difference():
    log = long_log(500)
    one_by_one = Engine.new()
    for pair in log:
        one_by_one.observe([pair])
    assert one_by_one.state_bytes() == observed(log).state_bytes()


def test_the_log_itself_keeps_every_event():
    log = long_log(800)
    read = [(offset, ev.decode(ev.encode(event))) for offset, event in log]
    assert observed(read).state_bytes() == observed(log).state_bytes()


def sealed(rest: bytes) -> bytes:
    return MAGIC + rest + hashlib.sha256(MAGIC + rest).digest()


def broken_snapshots(good: bytes):
    rest = good[len(MAGIC) : -SEAL]
    first = LENGTH + int.from_bytes(rest[:LENGTH], "little")
    yield "empty", b""
    yield "one byte", b"\x00"
    yield "half", good[: len(good) // 2]
    yield "all but one byte", good[:-1]
    yield "one more byte", good + b"\x00"
    yield "a changed byte", good[:-50] + bytes([good[-50] ^ 1]) + good[-49:]
    yield "head only", MAGIC
    yield "no head", rest
    yield "alien", b'{"model": "other"}' * 100
    yield "a later version", good.replace(b"feed 6\n", b"feed 7\n", 1)
    yield "sealed nothing", sealed(b"")
    yield "sealed rubbish", sealed(b"\xff" * 1000)
    yield "sealed, the first part altered", sealed(rest[:LENGTH] + b"\x80" + rest[LENGTH + 1 :])
    yield "sealed, without its first part", sealed(rest[first:])
    yield "sealed, its first part only", sealed(rest[:first])
    yield "sealed, half", sealed(rest[: len(rest) // 2])


@pytest.mark.slow
def test_a_bad_snapshot_is_named_and_everything_replayed(tmp_path, caplog):
    log = long_log(500)
    whole = observed(log)
    good = whole.snapshot(tmp_path).read_bytes()
    for name, data in broken_snapshots(good):
        (tmp_path / FILE).write_bytes(data)
        caplog.clear()
        again = Engine.load(tmp_path, log)
        assert again.state_bytes() == whole.state_bytes(), name
        assert again.report()["began"].startswith("snapshot refused: it "), name
        assert "is not used" in caplog.text
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    assert Engine.load(tmp_path, log).report()["began"].startswith("snapshot refused")


def test_a_snapshot_of_other_settings_is_not_used(tmp_path):
    log = long_log(300)
    observed(log).snapshot(tmp_path)
    other = Config(trending_half_ms=HOUR)
    engine = Engine.load(tmp_path, log, other)
    assert engine.report()["began"] == "snapshot refused: it was made with other settings"
    assert engine.state_bytes() == observed(log, other).state_bytes()
    same = Engine.load(tmp_path, (), Config(explore=0.5))  # shapes pages, not the state
    assert same.report()["began"].startswith("snapshot at")


def test_no_snapshot_is_a_beginning(tmp_path):
    engine = Engine.load(tmp_path / "nowhere", ())
    assert engine.report()["began"] == "new"
    assert engine.offset == 0
    assert not (tmp_path / "nowhere").exists()


def test_a_snapshot_replaces_the_one_before_and_leaves_nothing_else(tmp_path):
    log = long_log(300)
    engine = Engine.new()
    for start in range(0, len(log), 250):
        engine.observe(log[start : start + 250])
        engine.snapshot(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert Engine.load(tmp_path, ()).state_bytes() == engine.state_bytes()


def test_the_hottest_are_exact_however_they_are_kept():
    """Against a full sort: after pruning, withdrawals that empty the kept set, and restorations."""
    chance = random.Random(3)
    clips = [video(n, language="hi", published_ms=NOW - n * HOUR) for n in range(1, 1501)]
    engine = observed(list(enumerate(clips, 1)))
    catalogue = engine._state.catalogue
    offset, gone = len(clips), set()
    for turn in range(3000):
        clip = chance.choice(clips)
        event: ev.Event = watch(f"m{turn}", clip, 1.0, at=NOW + turn)
        if turn % 3 == 0:
            hottest = int(catalogue.ids[catalogue.hot.order(catalogue.heat)[0]])
            event = ev.Withdrawn(hottest, ev.Removal.WITHDRAWN)
            gone.add(hottest)
        elif turn % 50 == 1 and gone:
            event = clips[gone.pop() - 1]
        offset += 1
        engine.observe([(offset, event)])
        if turn % 100 == 0 or turn > 2990:
            for hot in (catalogue.hot, *catalogue.hot_by_language.values()):
                kept = hot.order(catalogue.heat)
                rows = catalogue.newest.all()
                heats = sorted(catalogue.heat[rows].tolist(), reverse=True)
                assert catalogue.heat[kept].tolist() == heats[: len(kept)]
                assert min(len(rows), HOT // 2) <= len(kept) <= 2 * HOT


@pytest.mark.slow
def test_pages_and_events_from_many_threads_at_once(tmp_path):
    log = long_log(3000)
    engine, wrong = Engine.new(patient()), []
    engine.observe(log[:700])
    done = threading.Event()

    def ask(viewer: str) -> None:
        try:
            turn = 0
            while not done.is_set() or turn < 20:
                picks = engine.slate(Query(viewer=viewer, now_ms=NOW + turn)).picks
                assert len({pick.video for pick in picks}) == len(picks) == 8
                turn += 1
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask, args=(f"g{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for start in range(700, len(log), 50):
        engine.observe(log[start : start + 50])
        if start % 500 == 0:
            engine.snapshot(tmp_path)
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert engine.state_bytes() == observed(log).state_bytes()
