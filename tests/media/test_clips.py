"""Real clips from phones, cameras and bug reports: each becomes playable and looks right, or is
refused for the right reason. `scripts/test` prints a line for each.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import av
import pytest

from jhalak.media import (
    LEVELLED,
    TEXTS,
    Reason,
    Refused,
    make_first,
    make_posters,
    make_rest,
    plan,
    probe,
)
from tests.media.seeing import PLAYED, Heard, Look, heard, likeness

_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "clips"
_LIST = _FOLDER / "clips.json"
_CLIPS: list[str] = [c["file"] for c in json.loads(_LIST.read_text())] if _LIST.exists() else []


class Seen(NamedTuple):
    look: Look
    size: tuple[int, int]
    """As it should be shown."""
    least: float = 0.9
    """SSIM; less where the source is a few pixels wide or has noise that no encoder keeps."""


_HLG = Look("2020", transfer="hlg", wide="2020")
_PQ = Look("2020", transfer="pq", wide="2020")
_HD = Look()
_SD = Look("601")
_FULL = Look("601", full=True)

# What each is, as a person who looked at them wrote it down; the probe is not asked.
_EXPECTED: dict[str, Seen | Reason] = {
    "ax_portrait_4k60.mp4": Seen(_FULL._replace(turn=90), (2160, 3840)),
    "ax_sample_portrait.mp4": Seen(_HD, (720, 1080)),
    "ax_sample_rotate_and_reflect.mp4": Seen(_HD._replace(turn=270, mirrored=True), (720, 1080)),
    "ax_internal_emulator_transformer_output_270_rotated.mp4": Seen(
        _HD._replace(turn=270), (720, 1280)
    ),
    "ax_pixel7_videoOnly_cleaned.mp4": Seen(Look(full=True, turn=180), (1920, 1080)),
    "ax_pixel-motion-photo-2-hevc-tracks.mp4": Seen(Look(full=True, turn=90), (768, 1024)),
    "ax_h265_with_metadata_track.mp4": Seen(_FULL._replace(turn=90), (1080, 1920)),
    "ax_sample_edit_list_no_sync_frame_before_edit.mp4": Seen(_HLG._replace(turn=90), (1080, 1920)),
    "ax_hdr10-av1.mp4": Seen(_PQ, (720, 1280)),
    "ax_hdr10-video-with-sdr-container.mp4": Seen(_PQ, (1920, 1080)),
    "ax_video_dovi_3840x2160_30fps_dav1_10.mp4": Reason.WRONG_COLOURS,
    "ax_long_1080p_lowbitrate.mp4": Reason.TOO_LONG,
    "ax_long_180p_av1.mp4": Reason.TOO_LONG,
    "ax_bbb_960x540_60fps_vp8.webm": Seen(_SD, (960, 540)),
    "ax_bbb_800x640_768kbps_30fps_avc_2b_firstpts_10_sec.mp4": Seen(_SD, (1137, 640)),
    "ax_sample_av1.mp4": Seen(_HD, (1080, 720)),
    "ax_sample_av1.mkv": Seen(_HLG, (720, 1280)),
    "ax_sample_vvc.mp4": Seen(_SD, (320, 180), 0.85),
    "ax_bbb_176x144_128kbps_15fps_h263.3gp": Seen(_SD, (176, 144)),
    "ax_bbb_176x144_192kbps_15fps_mpeg4.mp4": Seen(_SD, (176, 144)),
    "ax_bbb_mono_8kHz_12.2kbps_amrnb.3gp": Reason.ONLY_SOUND,
    "ax_sample_audio_only.mp4": Reason.ONLY_SOUND,
    "ax_sample_empty_track.mp4": Seen(_HD, (1080, 720)),
    "ax_sample_sef_slow_motion.mp4": Seen(_SD, (320, 240)),
    "ax_edit_list_positive_shift.mp4": Seen(_HD, (1920, 1080)),
    "ax_sample_partially_fragmented.mp4": Seen(_HD, (1080, 720)),
    "ax_sowt-with-video.mov": Seen(_HD, (1920, 1080)),
    "ax_sample_with_fake_auxiliary_tracks.mp4": Reason.TOO_SMALL,
    "ax_water_180_mvhevc_5frames.mov": Reason.TOO_SHORT,
    "ax_silent-black-10s.mp4": Seen(_SD, (320, 240)),
    "ax_preroll-5s.mp4": Seen(_SD, (640, 360)),
    "ax_sample.flv": Reason.WRONG_CONTAINER,
    "ax_sample.avi": Reason.WRONG_CONTAINER,
    "ax_sample-with-large-length.avi": Reason.WRONG_CONTAINER,
    "ax_sample_h264_no_access_unit_delimiters.ts": Reason.WRONG_CONTAINER,
    "ax_sample_malformed_free_box.mp4": Reason.DAMAGED,
    "ax_sample_with_invalid_nalu.mp4": Seen(_HD, (1080, 720)),
    "ax_sample_missing_stsd.mp4": Reason.WRONG_SOUND,
    "ax_subsample_encrypted_altref.webm": Reason.DAMAGED,
    "tc_nasa_13013.mp4": Seen(_HD, (320, 180)),
    "tc_nasa_13013_hdr.mp4": Seen(_HD, (320, 180)),
    "tc_bt2020_10bit.mp4": Seen(_PQ, (320, 240)),
    "tc_testsrc2_444_12bit_hevc.mp4": Seen(_SD, (321, 241), 0.85),
    "tc_testsrc2_odd_height_and_width_vp9_10bit.mp4": Seen(_SD, (321, 241), 0.85),
    "tc_testsrc2_odd_height_and_width_444.mp4": Seen(_SD, (321, 241), 0.85),
    "tc_testsrc2_odd_height_and_width_mpeg2.mp4": Seen(_SD, (121, 81), 0.85),
    "tc_test_non_zero_start.mp4": Seen(_SD, (200, 112)),
    "tc_sine_stereo_mp2.mpg": Reason.WRONG_CONTAINER,
    "tc_animated.gif": Reason.STILL_IMAGE,
    "tc_bt601_full_range.mp4": Seen(_FULL, (320, 240)),
    "sk_bigbuckbunny.mp4": Seen(_HD, (1280, 720)),
    "sk_bikes.mp4": Seen(_SD, (640, 272)),
    "sk_carphone_pristine.mp4": Seen(_SD, (193, 144)),
    "sk_carphone_distorted.mp4": Seen(_SD, (193, 144)),
    "dm_issue_180__party.mp4": Seen(_SD, (426, 240)),
    "zero_bytes.mp4": Reason.EMPTY_FILE,
    "text_named.mp4": Reason.NOT_A_VIDEO,
    "gif_named.mp4": Reason.STILL_IMAGE,
}
_FLAT = frozenset(
    [
        "ax_edit_list_positive_shift.mp4",
        "ax_pixel7_videoOnly_cleaned.mp4",
        "ax_sample_av1.mkv",
        "ax_silent-black-10s.mp4",
    ]
)
"""Black or white all over: no way to hold them looks better than another."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not _CLIPS, reason="the folder of real clips is not beside this checkout"),
]


def test_each_clip_of_the_folder_is_expected_to_be_something() -> None:
    assert sorted(_CLIPS) == sorted(_EXPECTED)


@pytest.mark.parametrize("name", [n for n, e in _EXPECTED.items() if isinstance(e, Reason)])
def test_a_clip_is_refused_for_a_reason_that_a_person_understands(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    with pytest.raises(Refused) as caught:
        probe(_FOLDER / name)
    assert caught.value.reason == _EXPECTED[name]
    text = TEXTS[caught.value.reason]
    record_property("clip", f"{name:58} refused    {text}")


@pytest.mark.parametrize("name", [n for n, e in _EXPECTED.items() if isinstance(e, Seen)])
def test_a_clip_is_playable_and_looks_right(
    name: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    source = _FOLDER / name
    seen = _EXPECTED[name]
    assert isinstance(seen, Seen)
    made_plan = plan(probe(source))
    made = [make_first(made_plan, source, tmp_path), *make_rest(made_plan, source, tmp_path)]
    make_posters(source, tmp_path, probe=made_plan.probe)
    assert (made_plan.probe.width, made_plan.probe.height) == seen.size
    for rendition in made:
        with av.open(str(rendition.path)) as file:
            frames = 0
            for frame in file.decode(video=0):
                frames += 1
                assert (frame.width, frame.height) == (rendition.width, rendition.height)
                assert frame.rotation == 0
                assert frame.format.name in ("yuv420p", "yuvj420p")
            assert file.duration / 1000 == pytest.approx(rendition.duration_ms, abs=70)
        assert rendition.width / rendition.height == pytest.approx(
            seen.size[0] / seen.size[1], rel=0.02
        )
        share = 0.5 if rendition.frame_rate < made_plan.probe.frame_rate * 0.7 else 1.0
        # A clip whose first key frame stands after its edit loses what nobody could decode.
        assert frames >= made_plan.probe.frames * share * 0.8
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".part") == []
    played = seen.look._replace(turn=0) if made_plan.remux else PLAYED
    # An untold matrix of small pictures is BT.601 for players, and so it stays in a copy.
    alike = likeness(source, seen.look, made[0].path, played)
    final = next((one for one in made if one.name == LEVELLED), made[0])
    before, after = heard(source), heard(final.path)
    record_property(
        "clip",
        f"{name:58} {'copied' if made_plan.remux else 'encoded':8} {alike.ssim:6.3f} "
        f"{alike.colour:5.1f}  {_loudness(before)} -> {_loudness(after)}",
    )
    assert alike.ssim >= seen.least
    assert alike.colour <= 8
    if name not in _FLAT:
        assert alike.lead > 0.02
    if after is not None and not (made_plan.remux and final is made[0]):
        assert after.peak_db <= -0.9


def _loudness(found: Heard | None) -> str:
    return "no sound" if found is None else f"{found.lufs:5.1f}"
