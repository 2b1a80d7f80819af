"""AV1 with Opus: what is made can be played, has the same cuts as the rest, and looks no worse."""

from __future__ import annotations

import threading
from pathlib import Path

import av
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.media import Codec, Limits, Rendition, Stopped, make_first, make_modern, plan, probe
from jhalak.media.boxes import children, load_moov, read_movie
from jhalak.media.commands import ladder_command
from jhalak.media.quality import AV1_FINEST, AV1_TRIED, av1_crf_for
from tests.media.making import clip
from tests.media.test_loudness import heard
from tests.media.test_planning import GOOD
from tests.media.test_quality import vmaf
from tests.media.test_renditions import check_rendition

_SCORE = st.floats(0, 100)
_PLACE = st.tuples(_SCORE, st.lists(_SCORE, min_size=3, max_size=3).map(sorted)).map(
    lambda pair: [pair[0], *reversed(pair[1])]
)
_PLACES = st.lists(_PLACE, min_size=1, max_size=3)


@given(_PLACES)
def test_the_bounds_are_kept(scores: list[list[float]]) -> None:
    assert AV1_FINEST <= av1_crf_for(scores) <= AV1_TRIED[-1]


@given(_PLACES, st.floats(0, 20))
def test_what_h264_shows_better_is_never_made_coarser(
    scores: list[list[float]], better: float
) -> None:
    finer = [[h264 + better, *av1] for h264, *av1 in scores]
    assert av1_crf_for(finer) <= av1_crf_for(scores)


def test_a_crf_lies_between_those_that_were_tried() -> None:
    assert av1_crf_for([[95, 99, 95, 90]]) == 44
    assert av1_crf_for([[97, 99, 95, 90]]) == 38
    assert av1_crf_for([[92.5, 99, 95, 90]]) == 50
    assert av1_crf_for([[80, 99, 95, 90]]) == 56
    assert av1_crf_for([[99, 98, 95, 90]]) == 27
    assert av1_crf_for([[94, 99, 95, 90], [96, 99, 95, 90]]) == 44


def test_the_steps_that_are_made_of_what_is_there() -> None:
    def of(width: int, height: int, **changes: object) -> list[tuple[str, int, int]]:
        found = msgspec.structs.replace(GOOD, width=width, height=height, **changes)
        return [(rung.name, rung.width, rung.height) for rung in plan(found).modern]

    both = [("720av1", 720, 1280), ("540av1", 540, 960)]
    assert of(1080, 1920) == of(1080, 1920, video_codec="hevc") == both
    assert of(720, 1280) == both
    assert of(540, 960) == [("540av1", 540, 960)]
    assert of(180, 320) == [("540av1", 180, 320)]


def test_their_words_are_allowed_and_the_sound_is_filtered_once() -> None:
    made = plan(GOOD)
    command = ladder_command(made, made.modern, Path("clip"))
    assert command.graph.count("asplit=2[a0][a1]") == 1
    for words, rung in zip(command.outputs, made.modern, strict=True):
        assert rung.codec is Codec.AV1
        assert "libsvtav1" in words
        assert "libopus" in words
        assert "libx264" not in words


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Rendition:
    """From a sound of 44,100 samples a second, which Opus does not know, and too quiet."""
    folder = tmp_path_factory.mktemp("modern")
    extra = ("-ar", "44100", "-af", "volume=-6dB", "-color_range", "tv")
    source = clip(folder / "a.mp4", size="180x320", seconds=2.5, extra=extra)
    told: list[float] = []
    (one,) = make_modern(plan(probe(source)), source, folder / "out", told.append)
    assert told[-1] == 1.0
    assert [path.name for path in (folder / "out").iterdir()] == ["540av1.mp4"]
    return one


@pytest.mark.slow
def test_they_play_and_have_the_cuts_and_the_loudness_of_the_rest(made: Rendition) -> None:
    check_rendition(made)
    assert (made.name, made.codecs) == ("540av1", "av01.0.00M.08,opus")
    assert [f.duration_ms for f in made.index] == [1000, 1000, pytest.approx(500, abs=20)]
    assert made.duration_ms == pytest.approx(2500, abs=30)
    loud = heard(made.path)
    assert loud is not None
    assert loud.lufs == pytest.approx(-14, abs=1.5)
    with av.open(str(made.path)) as file:
        assert file.streams.audio[0].sample_rate == 48000
        assert file.streams.video[0].codec_context.name in ("libdav1d", "av1")
        frames = list(file.decode(video=0))
    assert len(frames) == 75
    assert frames[0].colorspace == 1  # BT.709


@pytest.mark.slow
def test_a_codec_is_named_by_what_its_record_says(made: Rendition) -> None:
    data = bytearray(made.path.read_bytes())
    at = data.index(b"av1C") + 4
    for record, named in (
        ((0x81, 0x0D, 0x4C), "av01.0.13M.10"),
        ((0x81, 0x4D, 0xEC), "av01.2.13H.12"),
        ((0x81, 0x05, 0x0C), "av01.0.05M.08"),
    ):
        data[at : at + 3] = bytes(record)
        moov = next(box for box in children(data, 0, len(data)) if box.kind == b"moov")
        assert read_movie(bytes(data), moov).tracks[0].codec == named
    with made.path.open("rb") as file:
        assert read_movie(*load_moov(file, made.size)).tracks[0].entries == ("av01",)


@pytest.mark.slow
def test_they_look_no_worse_than_the_rest_in_fewer_bits(tmp_path: Path) -> None:
    extra = ("-crf", "12", "-vf", "gblur=2,noise=alls=5:allf=t")
    source = clip(tmp_path / "a.mp4", size="270x480", seconds=2, sound=False, extra=extra)
    made_plan = plan(probe(source), Limits(remux_side=200))
    assert made_plan.first.name == "540"  # its CRF is fixed: what is to be met is what it is
    (modern,) = make_modern(made_plan, source, tmp_path / "av1")
    beside = make_first(made_plan, source, tmp_path / "h264")
    assert vmaf(modern.path, source) >= vmaf(beside.path, source) - 1.5
    assert modern.average_bps < 0.8 * beside.average_bps


@pytest.mark.slow
def test_a_stop_leaves_nothing(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", seconds=1)
    stop = threading.Event()
    out = tmp_path / "out"
    with pytest.raises(Stopped):
        make_modern(plan(probe(source)), source, out, lambda _: stop.set(), stop=stop)
    assert list(out.iterdir()) == []
