"""What is made of a clip, as properties over every clip that a probe could tell of."""

from __future__ import annotations

import itertools

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from jhalak.media import Audio, Limits, Plan, Probe, plan
from jhalak.media.commands import filter_graph

GOOD = Probe(
    container="mov",
    size=20_000_000,
    duration_ms=20_000,
    video_index=0,
    video_codec="h264",
    profile="High",
    pixel_format="yuv420p",
    coded_width=1080,
    coded_height=1920,
    width=1080,
    height=1920,
    rotation=0,
    mirrored=False,
    square_pixels=True,
    interlaced=False,
    frame_rate=30.0,
    frames=600,
    video_bits_per_second=8_000_000,
    longest_gop_ms=1000,
    clean_packets=True,
    matrix="bt709",
    transfer="bt709",
    full_range=False,
    late_ms=0,
    audio_index=1,
    audio_codec="aac",
    audio_profile="LC",
    audio_channels=2,
    audio_rate=48000,
)


def _with(**changes: object) -> Plan:
    return plan(msgspec.structs.replace(GOOD, **changes))


def test_a_phones_clip_is_copied_and_smaller_ones_follow() -> None:
    made = plan(GOOD)
    assert made.remux
    assert made.audio == Audio.COPY
    assert (made.first.name, made.first.width, made.first.height) == ("source", 1080, 1920)
    assert [(r.name, r.width, r.height) for r in made.rest] == [
        ("720", 720, 1280),
        ("540", 540, 960),
        ("360", 360, 640),
    ]


def test_what_cannot_be_copied_becomes_540_first_and_says_why() -> None:
    for changes, why in (
        ({"video_codec": "hevc"}, "codec hevc"),
        ({"pixel_format": "yuv420p10le"}, "pixels yuv420p10le"),
        ({"profile": "High 10"}, "profile High 10"),
        ({"transfer": "arib-std-b67"}, "transfer arib-std-b67"),
        ({"rotation": 90}, "turned by 90"),
        ({"mirrored": True}, "turned by 0"),
        ({"square_pixels": False}, "pixels are not square"),
        ({"interlaced": True}, "interlaced"),
        ({"width": 2160, "height": 3840}, "2160x3840"),
        ({"frame_rate": 120.0}, "120 frames a second"),
        ({"video_bits_per_second": 20_000_000}, "20000 kb/s"),
        ({"longest_gop_ms": 8333}, "8333 ms between key frames"),
        ({"clean_packets": False}, "packets cannot be copied"),
        ({"late_ms": 400}, "the picture is 400 ms late"),
    ):
        made = _with(**changes)
        assert not made.remux
        assert made.why == why
        assert made.first.name == "540"
        assert [rung.name for rung in made.rest] == ["1080", "720", "360"]
        assert made.audio == Audio.ENCODE


def test_sound_that_is_not_plain_is_encoded_beside_a_copied_picture() -> None:
    for changes in (
        {"audio_codec": "pcm_s16le"},
        {"audio_channels": 6},
        {"audio_profile": "HE-AAC"},
        {"late_ms": -400},
    ):
        made = _with(**changes)
        assert made.remux
        assert made.audio == Audio.ENCODE
    assert _with(audio_index=None).audio == Audio.NONE


def test_fast_clips_are_halved_for_the_small_renditions_only() -> None:
    made = _with(video_codec="hevc", frame_rate=60.0)
    assert made.first.frame_rate == 30.0
    assert [rung.frame_rate for rung in made.rest] == [0.0, 0.0, 30.0]
    assert _with(video_codec="hevc", frame_rate=240.0).rest[0].frame_rate == 60.0


_PROBES = st.builds(
    lambda width, height, codec, rate, late: msgspec.structs.replace(
        GOOD,
        width=width,
        height=height,
        coded_width=width,
        coded_height=height,
        video_codec=codec,
        frame_rate=rate,
        late_ms=late,
    ),
    st.integers(16, 8192),
    st.integers(16, 8192),
    st.sampled_from(["h264", "hevc"]),
    st.floats(0.1, 1000),
    st.integers(-5000, 5000),
)


@given(_PROBES)
def test_nothing_is_ever_scaled_up_or_odd(found: Probe) -> None:
    made = plan(found)
    names = [made.first.name, *(rung.name for rung in made.rest)]
    assert len(set(names)) == len(names)
    for rung in (made.first, *made.rest, *made.modern):
        if not rung.copy:
            assert rung.width % 2 == rung.height % 2 == 0
        # One pixel more may come of rounding an odd size to an even one.
        assert rung.width <= found.width + 1
        assert rung.height <= found.height + 1
        assert min(rung.width, rung.height) >= 2
        if rung.name != "source":
            assert min(rung.width, rung.height) <= int(rung.name.removesuffix("av1"))
    sides = [min(rung.width, rung.height) for rung in made.rest]
    assert sides == sorted(sides, reverse=True)
    ladder = sorted(sides if made.remux else [*sides, min(made.first.width, made.first.height)])
    assert all(more >= less * 1.2 for less, more in itertools.pairwise(ladder))


def test_a_clip_hardly_larger_than_a_step_is_made_once() -> None:
    small = _with(video_codec="hevc", width=400, height=710)
    assert (small.first.name, small.first.width, small.rest) == ("540", 400, ())
    assert _with(width=400, height=710).rest == ()
    assert [rung.name for rung in _with(width=540, height=960).rest] == ["360"]


@given(_PROBES)
def test_every_graph_is_within_the_allowed_words(found: Probe) -> None:
    from jhalak.media.arguments import check

    made = plan(found, Limits(remux_side=1))
    assert made.modern
    for rungs in ([made.first, *made.rest], made.modern):
        check(["-filter_complex", filter_graph(found, rungs)])
        assert filter_graph(found, rungs).count("[v") == len(rungs)
