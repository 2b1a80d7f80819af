"""A sound by itself: its file, when two are one, what has none, and what is no fingerprint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak import media
from jhalak.media import Limits, sounds
from jhalak.media.boxes import BadBoxes
from jhalak.media.fragments import FragmentedFile
from tests.media.making import bare, clip

pytestmark = pytest.mark.slow

WORDS = st.lists(st.integers(0, 2**32 - 1), min_size=40, max_size=200, unique=True)
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=192x320:r=30:d=12")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30")


def fingerprint(words: list[int]) -> bytes:
    return np.array(words, "<u4").tobytes()


# What a fingerprint is.


@given(WORDS)
def test_a_sound_is_itself(words: list[int]) -> None:
    one = fingerprint(words)
    assert sounds.difference(one, one) == 0.0
    assert sounds.same(one, one) is sounds.telling(one)


@given(WORDS, WORDS)
def test_the_order_does_not_matter(a: list[int], b: list[int]) -> None:
    one, other = fingerprint(a), fingerprint(b)
    assert sounds.difference(one, other) == sounds.difference(other, one)
    assert 0.0 <= sounds.difference(one, other) <= 1.0


@given(WORDS, st.integers(0, 30), st.data())
def test_cut_and_worn_it_is_the_same(words: list[int], start: int, data: st.DataObject) -> None:
    """Of half of it, one bit in ten is turned."""
    whole = np.array(words, np.uint32)
    cut = whole[min(start, len(whole) // 3) :][: max(20, len(whole) // 2)]
    turned = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    worn = cut ^ np.packbits(turned.random((len(cut), 32)) < 0.1, axis=1).view(np.uint32).ravel()
    assert sounds.difference(fingerprint(words), worn.astype("<u4").tobytes()) < 0.2


@given(st.integers(0, 2**32), st.integers(60, 300), st.integers(60, 300))
def test_strangers_are_not(seed: int, long: int, short: int) -> None:
    random = np.random.default_rng(seed)
    one, other = (random.integers(0, 2**32, n, np.uint32).tobytes() for n in (long, short))
    assert sounds.telling(one)
    assert not sounds.same(one, other)


@given(WORDS)
def test_a_small_part_is_not_the_whole(words: list[int]) -> None:
    part = words[: len(words) // 4]
    assert sounds.difference(fingerprint(words), fingerprint(part)) == 1.0


@given(WORDS)
def test_it_is_found_by_few_words_of_its_own(words: list[int]) -> None:
    one = fingerprint(words)
    found = sounds.index_words(one)
    assert len(found) == (min(32, len(set(words))) if sounds.telling(one) else 0)
    assert {word & 0xFFFFFFFF for word in found} <= set(words)
    assert all(-(2**31) <= word < 2**31 for word in found)
    assert sounds.index_words(fingerprint(words[::-1])) == found  # whenever they are heard


@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
def test_what_never_changes_tells_nothing(word: int, count: int) -> None:
    steady = fingerprint([word] * count)
    assert not sounds.telling(steady)
    assert not sounds.same(steady, steady)
    assert sounds.index_words(steady) == []


@given(st.binary(max_size=64))
def test_what_is_no_fingerprint_is_refused(data: bytes) -> None:
    good = fingerprint(list(range(1, 50)))
    if len(data) >= 4 and len(data) % 4 == 0:
        assert 0.0 <= sounds.difference(data, good) <= 1.0
        return
    for ask in (sounds.index_words, sounds.telling, lambda a: sounds.difference(a, good)):
        with pytest.raises(ValueError, match="no fingerprint"):
            ask(data)


def test_one_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="no fingerprint"):
        sounds.telling(bytes(4 * (sounds.MOST_WORDS + 1)))


@pytest.mark.parametrize("lead", ["vide", "soun"])
def test_a_stream_without_what_leads_it_is_refused(tmp_path: Path, lead: str) -> None:
    """A file of the other kind, as ffmpeg would never write it here."""
    other = tmp_path / "other.mp4"
    only = ("-an",) if lead == "soun" else ("-vn",)
    source = ("-f", "lavfi", "-i", "testsrc2=d=1", "-f", "lavfi", "-i", "sine=d=1")
    fragmented = ("-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "500000")
    bare(*source, *only, *fragmented, str(other))
    file = FragmentedFile(tmp_path / "out", room=4, lead=lead)
    with pytest.raises(BadBoxes):
        file.feed(other.read_bytes())
    file.abandon()


# Real encodes.


def melody(seed: int, seconds: float = 12.0) -> str:
    """Notes of a scale with overtones, as a source of ffmpeg's."""
    random = np.random.default_rng(seed)
    rate, parts = 22_050, []
    while sum(map(len, parts)) < seconds * rate:
        pitch = 220 * 2 ** (random.choice([0, 2, 4, 5, 7, 9, 11, 12, 14, 16]) / 12)
        at = np.arange(int(rate * random.uniform(0.15, 0.6))) / rate
        tones = sum(np.sin(2 * np.pi * pitch * n * at) / n for n in (1, 2, 3, 4))
        parts.append(tones * np.exp(-3 * at) * 0.2)
    whole = np.concatenate(parts)[: int(seconds * rate)]
    path = Path(f"melody-{seed}.f32")
    path.write_bytes(whole.astype("<f4").tobytes())
    return str(path.resolve())


@pytest.fixture
def tune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return melody(1)


def with_tune(path: Path, tune: str, *words: str) -> Path:
    heard = ("-f", "f32le", "-ar", "22050", "-ac", "1", "-i", tune)
    how = words or ("-c:a", "aac", "-b:a", "128k")
    bare(*PICTURE, *heard, *H264, *how, "-shortest", str(path))
    return path


def kept(clip: Path) -> sounds.Sound:
    found = sounds.keep_sound(clip, clip.with_suffix(".m4a"))
    assert found is not None
    return found


CHANGES = {
    "encoded again": ("-c:a", "aac", "-b:a", "48k"),
    "quiet": ("-af", "volume=-18dB", "-c:a", "aac", "-b:a", "96k"),
    "loud and limited": ("-af", "volume=12dB,alimiter=level=false:limit=0.7", "-c:a", "aac"),
    "cut": ("-af", "atrim=start=1.3:end=9.5,asetpts=PTS-STARTPTS", "-c:a", "aac", "-b:a", "64k"),
}


def test_the_same_sound_is_one_sound_and_others_are_not(tmp_path: Path, tune: str) -> None:
    mine = kept(with_tune(tmp_path / "mine.mp4", tune))
    assert sounds.telling(mine.fingerprint)
    for name, how in CHANGES.items():
        other = kept(with_tune(tmp_path / f"{name}.mp4", tune, *how))
        assert sounds.same(mine.fingerprint, other.fingerprint), name
        words = [set(sounds.index_words(one.fingerprint)) for one in (mine, other)]
        assert words[0] & words[1], name
    stranger = kept(with_tune(tmp_path / "stranger.mp4", melody(2)))
    assert sounds.difference(mine.fingerprint, stranger.fingerprint) > 0.3


def test_it_is_a_file_of_its_own_without_a_new_encode(tmp_path: Path, tune: str) -> None:
    import av

    source = with_tune(tmp_path / "mine.mp4", tune)
    made = kept(source)
    assert made.path.stat().st_size == made.size
    assert abs(made.duration_ms - 12_000) < 100
    with av.open(str(made.path)) as file, av.open(str(source)) as before:
        (stream,) = file.streams
        assert (stream.type, stream.codec_context.name) == ("audio", "aac")
        assert file.duration is not None
        assert abs(file.duration / 1000 - 12_000) < 100  # told in front
        packets = [bytes(packet) for packet in file.demux(stream) if packet.size]
        heard = before.streams.audio[0]
        assert packets == [bytes(packet) for packet in before.demux(heard) if packet.size]


@pytest.mark.parametrize("heard", ["anullsrc=d=6", "sine=d=2.5", None])
def test_silence_and_too_little_give_none(tmp_path: Path, heard: str | None) -> None:
    source = tmp_path / "clip.mp4"
    if heard:
        bare(*PICTURE, "-f", "lavfi", "-i", heard, *H264, "-c:a", "aac", "-t", "6", str(source))
    else:
        clip(source, sound=False)
    assert sounds.keep_sound(source, tmp_path / "out.m4a") is None
    assert not (tmp_path / "out.m4a").exists()


@pytest.mark.parametrize("remux", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_a_clip_takes_a_sound_instead_of_its_own(
    tmp_path: Path, tune: str, remux: bool, own: bool
) -> None:
    taken = kept(with_tune(tmp_path / "mine.mp4", tune))
    source = clip(tmp_path / "other.mp4", seconds=8, sound=own)
    limits = Limits() if remux else Limits(remux_side=100)
    plan = media.plan(media.probe(source, limits), limits)
    assert plan.remux is remux
    out = tmp_path / "out"
    made = [media.make_first(plan, source, out, sound=taken.path)]
    made += media.make_rest(plan, source, out, sound=taken.path)
    for rendition in made:
        assert abs(rendition.duration_ms - 8000) < 60
        assert rendition.codecs.endswith("mp4a.40.2")
        heard = sounds.keep_sound(rendition.path, tmp_path / "heard.m4a")
        assert heard is not None
        assert sounds.same(heard.fingerprint, taken.fingerprint)
        assert abs(heard.duration_ms - 8000) < 60


def test_after_its_end_there_is_silence(tmp_path: Path) -> None:
    taken = kept(clip(tmp_path / "short.mp4", seconds=4))
    source = clip(tmp_path / "long.mp4", seconds=8)
    plan = media.plan(media.probe(source))
    made = media.make_first(plan, source, tmp_path / "out", sound=taken.path)
    assert abs(made.duration_ms - 8000) < 60
    samples = media.speech.sound_of(made.path)
    assert samples is not None
    loud, silent = samples[: 3 * media.speech.RATE], samples[5 * media.speech.RATE :]
    assert np.abs(loud).max() > 0.1
    assert len(silent) > 2.5 * media.speech.RATE
    assert np.abs(silent).max() < 0.001


def test_a_sound_that_is_none_is_refused(tmp_path: Path) -> None:
    """What stands in the store was spoiled: the clip fails in words, and nothing is left."""
    source, spoiled = clip(tmp_path / "clip.mp4", seconds=2), tmp_path / "spoiled.m4a"
    spoiled.write_bytes(b"\0\0\0\x18ftypisom" + b"\xff" * 5000)
    plan = media.plan(media.probe(source))
    with pytest.raises(media.Refused):
        media.make_first(plan, source, tmp_path / "out", sound=spoiled)
    assert not list((tmp_path / "out").iterdir())
