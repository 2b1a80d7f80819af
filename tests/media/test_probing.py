"""What is taken, and with which words the rest is refused."""

from __future__ import annotations

import struct
import textwrap
from pathlib import Path

import pytest
from PIL import Image

from jhalak.border import Wall, survey
from jhalak.media import TEXTS, Failed, Limits, Reason, Refused, plan, probe, probing
from tests.media.making import AAC, bare, box, clip, with_matrix

pytestmark = pytest.mark.slow


def _refused(path: Path, limits: Limits | None = None) -> Reason:
    with pytest.raises(Refused) as caught:
        probe(path, limits)
    assert caught.value.text == TEXTS[caught.value.reason]
    return caught.value.reason


def test_a_plain_clip_is_told_as_it_is(plain: Path) -> None:
    found = probe(plain)
    assert (found.container, found.video_codec, found.audio_codec) == ("mov", "h264", "aac")
    assert (found.width, found.height, found.frames) == (192, 320, 90)
    assert found.duration_ms == pytest.approx(3000, abs=30)
    assert found.frame_rate == pytest.approx(30, abs=0.1)
    assert found.longest_gop_ms == 1000
    assert found.clean_packets
    assert plan(found).remux


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", Reason.EMPTY_FILE),
        ("text.mp4", b"this is not a video\n" * 50, Reason.NOT_A_VIDEO),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", Reason.NOT_A_VIDEO),
        ("script.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", Reason.NOT_A_VIDEO),
        ("page.mp4", b"<!doctype html><script>alert(1)</script>", Reason.NOT_A_VIDEO),
        ("drawing.mp4", b'<svg xmlns="http://www.w3.org/2000/svg"/>', Reason.NOT_A_VIDEO),
        ("photo.mp4", b"\x89PNG\r\n\x1a\n" + bytes(40), Reason.STILL_IMAGE),
        ("phone.mp4", box(b"ftyp", b"heic\0\0\0\0mif1heic"), Reason.STILL_IMAGE),
        ("song.mp4", b"ID3\x04" + bytes(400), Reason.ONLY_SOUND),
        ("old.mp4", b"RIFF\x10\0\0\0AVI LIST" + bytes(40), Reason.WRONG_CONTAINER),
        ("tv.mp4", (b"\x47" + bytes(187)) * 3, Reason.WRONG_CONTAINER),
        ("head.mp4", box(b"ftyp", b"isom\0\0\2\0isom"), Reason.DAMAGED),
        ("zeros.mp4", bytes(5000), Reason.NOT_A_VIDEO),
        ("ebml.mkv", b"\x1a\x45\xdf\xa3" + bytes(300), Reason.DAMAGED),
    ],
)
def test_what_is_no_clip_is_refused_by_its_content(
    tmp_path: Path, name: str, content: bytes, reason: Reason
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert _refused(path) == reason


def test_a_moving_picture_file_is_no_video(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / "moving.mp4", "GIF", save_all=True, append_images=frames[1:])
    assert _refused(tmp_path / "moving.mp4") == Reason.STILL_IMAGE


def test_a_playlist_inside_a_container_opens_nothing(tmp_path: Path) -> None:
    # An m3u8 after an AVI or MP4 head was the way of CVE-2017-9993: only one demuxer is named here.
    path = tmp_path / "both.mp4"
    path.write_bytes(box(b"ftyp", b"isom\0\0\2\0isom") + b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")
    assert _refused(path) == Reason.DAMAGED


@pytest.mark.parametrize("keep", [0.02, 0.5, 0.95])
def test_a_cut_clip_is_damaged(plain: Path, tmp_path: Path, keep: float) -> None:
    data = plain.read_bytes()  # its moov stands at the end
    (tmp_path / "cut.mp4").write_bytes(data[: int(len(data) * keep)])
    assert _refused(tmp_path / "cut.mp4") == Reason.DAMAGED


def test_moov_in_front_or_at_the_end_is_the_same(plain: Path, tmp_path: Path) -> None:
    front = tmp_path / "front.mp4"
    bare("-i", str(plain), "-c", "copy", "-movflags", "faststart", str(front))
    assert plain.read_bytes().index(b"moov") > plain.read_bytes().index(b"mdat")
    assert front.read_bytes().index(b"moov") < front.read_bytes().index(b"mdat")
    assert probe(front).frames == probe(plain).frames


def test_limits_hold_before_a_picture_is_decoded(plain: Path) -> None:
    size = plain.stat().st_size
    assert _refused(plain, Limits(bytes=size - 1)) == Reason.TOO_BIG
    assert _refused(plain, Limits(seconds=2)) == Reason.TOO_LONG
    assert _refused(plain, Limits(frames=89)) == Reason.TOO_MANY_FRAMES
    assert _refused(plain, Limits(pixels=192 * 320 - 1)) == Reason.TOO_MANY_PIXELS
    assert _refused(plain, Limits(tracks=1)) == Reason.TOO_MANY_TRACKS
    assert _refused(plain, Limits(min_seconds=4)) == Reason.TOO_SHORT
    assert _refused(plain, Limits(min_side=200)) == Reason.TOO_SMALL
    tight = Limits(bytes=size, seconds=3, frames=90, pixels=192 * 320, tracks=2, min_side=192)
    assert probe(plain, tight).frames == 90


def test_a_header_cannot_hide_how_large_or_long_a_clip_is(plain: Path, tmp_path: Path) -> None:
    data = bytearray(plain.read_bytes())
    at = data.index(b"avc1", data.index(b"stsd")) + 4
    struct.pack_into(">HH", data, at + 24, 32768, 32768)
    (tmp_path / "huge.mp4").write_bytes(data)
    assert _refused(tmp_path / "huge.mp4") == Reason.TOO_MANY_PIXELS
    data = bytearray(plain.read_bytes())
    at = data.index(b"mdhd") + 4
    struct.pack_into(">I", data, at + 16, struct.unpack_from(">I", data, at + 12)[0] * 36_000)
    (tmp_path / "ten-hours.mp4").write_bytes(data)
    assert _refused(tmp_path / "ten-hours.mp4") == Reason.TOO_LONG


def test_packets_tell_how_long_a_clip_is_where_headers_do_not(tmp_path: Path) -> None:
    live = clip(tmp_path / "live.mkv", seconds=4, rate=10, extra=("-live", "1"))
    assert probe(live).duration_ms == pytest.approx(4000, abs=60)
    assert _refused(live, Limits(seconds=3)) == Reason.TOO_LONG


def test_one_frame_is_a_picture_and_sound_alone_is_none(tmp_path: Path) -> None:
    one = clip(tmp_path / "one.mp4", seconds=0.03, sound=False)
    assert _refused(one) == Reason.STILL_IMAGE
    bare("-f", "lavfi", "-i", "sine=d=1", *AAC, str(tmp_path / "sound.mp4"))
    assert _refused(tmp_path / "sound.mp4") == Reason.ONLY_SOUND
    silent = clip(tmp_path / "silent.mp4", seconds=1, sound=False)
    assert probe(silent).audio_index is None


def test_a_picture_of_one_pixel_is_too_small(tmp_path: Path) -> None:
    video = ("-vf", "scale=1:1", "-c:v", "libx264", "-pix_fmt", "yuv444p")
    one = clip(tmp_path / "pixel.mp4", seconds=1, sound=False, video=video)
    assert _refused(one) == Reason.TOO_SMALL


def test_a_locked_clip_is_told_as_locked(plain: Path, tmp_path: Path) -> None:
    data = bytearray(plain.read_bytes())
    at = data.index(b"avc1", data.index(b"stsd"))
    data[at : at + 4] = b"encv"
    (tmp_path / "locked.mp4").write_bytes(data)
    assert _refused(tmp_path / "locked.mp4") == Reason.ENCRYPTED


def test_codecs_that_are_not_taken_are_named_by_what_is_wrong(tmp_path: Path) -> None:
    odd = clip(tmp_path / "odd.mkv", seconds=1, video=("-c:v", "ffv1"))
    assert _refused(odd) == Reason.WRONG_CODEC
    wma = clip(tmp_path / "wma.mkv", seconds=1, extra=("-c:a", "wmav2"))
    assert _refused(wma) == Reason.WRONG_SOUND


@pytest.mark.parametrize(
    ("matrix", "rotation", "mirrored"),
    [
        ((1, 0, 0, 1), 0, False),
        ((0, 1, -1, 0), 90, False),
        ((-1, 0, 0, -1), 180, False),
        ((0, -1, 1, 0), 270, False),
        ((-1, 0, 0, 1), 180, True),
        ((0, 1, 1, 0), 90, True),
    ],
)
def test_a_turned_picture_is_measured_upright(
    plain: Path,
    tmp_path: Path,
    matrix: tuple[int, int, int, int],
    rotation: int,
    mirrored: bool,
) -> None:
    found = probe(with_matrix(plain, tmp_path / "turned.mp4", matrix))
    assert (found.rotation, found.mirrored) == (rotation, mirrored)
    assert (found.width, found.height) == ((320, 192) if rotation % 180 else (192, 320))
    assert plan(found).remux == (matrix == (1, 0, 0, 1))


def test_a_reader_that_is_taken_over_reaches_nothing(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program in the reader's place, where only the answer leads outside."""
    (tmp_path / "secret").write_text("secret")
    program = tmp_path / "reader" / "program.py"
    program.parent.mkdir()
    program.write_text(
        textwrap.dedent(
            f"""
            import os, sys
            source, answer, *rest = sys.argv[1:]
            sys.path += rest[2:]
            import msgspec
            reached = [str(len(os.read(int(source), 100)))]
            for path in {[str(plain), str(tmp_path / "secret"), "/etc/passwd"]!r}:
                try:
                    reached.append(open(path, "rb").read(1) and path)
                except OSError as error:
                    reached.append(type(error).__name__)
            said = [None, "damaged", " ".join(reached)]
            os.write(int(answer), msgspec.msgpack.encode(said))
            """
        )
    )
    monkeypatch.setattr(probing, "_PROGRAM", program)
    probing._folders.cache_clear()
    try:
        with pytest.raises(Refused) as caught:
            probe(plain)
    finally:
        probing._folders.cache_clear()
    read, *others = caught.value.detail.split()
    assert read == "100"
    if not {Wall.MOUNT, Wall.LANDLOCK}.isdisjoint(survey().standing):
        assert set(others) <= {"FileNotFoundError", "PermissionError"}, others


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("import os; os.abort()", Refused),
        ("os.write(int(sys.argv[2]), b'not an answer')", Refused),
        ("os.write(int(sys.argv[2]), bytes(1 << 20))", Refused),
        ("os.write(int(sys.argv[2]), b'\\x93\\xc0\\xa8no-words\\xa0')", Refused),
        ("import absent", Failed),
    ],
)
def test_a_reader_that_breaks_is_no_crash_of_ours(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, raised: type[Exception]
) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"import os, sys\n{code}\n")
    monkeypatch.setattr(probing, "_PROGRAM", program)
    probing._folders.cache_clear()
    try:
        with pytest.raises(raised) as caught:
            probe(plain)
    finally:
        probing._folders.cache_clear()
    if isinstance(caught.value, Refused):
        assert caught.value.reason == Reason.DAMAGED


def test_every_reason_has_words() -> None:
    assert set(TEXTS) == set(Reason)
    assert all(text.endswith(".") for text in TEXTS.values())
