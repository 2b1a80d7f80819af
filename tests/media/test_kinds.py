"""A clip of each kind, made by ffmpeg: it comes out upright, in the right colours and in step.

What a screen should show is known here without decoding the clip: `testsrc2` in plain RGB. Each
kind is made from that by its own encoder words, so the way there is not the engine's way back.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import av
import pytest
from PIL import Image, ImageStat

from jhalak.media import Reason, Refused, make_first, make_posters, plan, probe
from jhalak.media.boxes import children, find, whole
from tests.media.making import AAC, H264, bare, box, clip, with_matrix
from tests.media.seeing import PLAYED, Look, heard, likeness, ssim

pytestmark = pytest.mark.slow

_X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params")


def _x265(primaries: str, transfer: str, matrix: str, extra: str = "") -> tuple[str, ...]:
    told = f"log-level=none:colorprim={primaries}:transfer={transfer}:colormatrix={matrix}"
    return (*_X265, told + extra, "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1")


def _colours(matrix: str, full: bool, primaries: str = "bt709") -> tuple[str, ...]:
    ends = "pc" if full else "tv"
    told = ("-colorspace", matrix, "-color_range", ends, "-color_primaries", primaries)
    return ("-vf", f"scale=out_color_matrix={matrix}:out_range={ends},format=yuv420p", *told)


class Kind(NamedTuple):
    look: Look
    video: tuple[str, ...]
    size: str = "320x192"
    shown: tuple[int, int] = (320, 192)
    copied: bool = False
    extra: tuple[str, ...] = ()


_WIDE = Look("2020", wide="2020")
_KINDS = {
    "HDR10": Kind(_WIDE._replace(transfer="pq"), _x265("bt2020", "smpte2084", "bt2020nc")),
    "HDR10 full range": Kind(
        _WIDE._replace(transfer="pq", full=True),
        _x265("bt2020", "smpte2084", "bt2020nc", ":range=full"),
        extra=("-color_range", "pc"),
    ),
    "HLG": Kind(_WIDE._replace(transfer="hlg"), _x265("bt2020", "arib-std-b67", "bt2020nc")),
    "BT.2020 SDR": Kind(_WIDE, _x265("bt2020", "bt2020-10", "bt2020nc")),
    "P3": Kind(Look("709", wide="p3"), _x265("smpte432", "bt709", "bt709")),
    "BT.601": Kind(Look("601"), (*H264, *_colours("smpte170m", False)), copied=True),
    "BT.601, encoded": Kind(
        Look("601"), (*_X265, "log-level=none", *_colours("smpte170m", False))
    ),
    "full range": Kind(Look("709", True), (*H264, *_colours("bt709", True)), copied=True),
    "full range, encoded": Kind(
        Look("601", True), (*_X265, "log-level=none:range=full", *_colours("smpte170m", True)),
    ),
    "10 bit": Kind(Look("601"), ("-c:v", "libx264", "-pix_fmt", "yuv420p10le")),
    "12 bit 4:4:4": Kind(Look("601"), (*_X265, "log-level=none", "-pix_fmt", "yuv444p12le")),
    "odd size": Kind(
        Look("601"),
        ("-vf", "scale=321:193,format=yuv444p", "-c:v", "libx264"),
        shown=(321, 193),
    ),
    "anamorphic": Kind(Look("601"), (*H264, "-vf", "setsar=4/3"), "240x192", (320, 192)),
    "long frames": Kind(
        Look("601"), (*H264, "-vf", "select='mod(n,7)'", "-fps_mode", "vfr"), copied=True
    ),
    "slow motion": Kind(Look("601"), (*H264, "-vf", "setpts=4*PTS", "-g", "60"), copied=True),
}  # fmt: skip


@pytest.mark.parametrize("name", list(_KINDS))
def test_a_kind_comes_out_as_it_looks(name: str, tmp_path: Path) -> None:
    kind = _KINDS[name]
    words = {"size": kind.size, "seconds": 1.5, "video": kind.video, "extra": kind.extra}
    source = clip(tmp_path / "a.mp4", sound=False, **words)  # type: ignore[arg-type]
    made_plan = plan(probe(source))
    assert (made_plan.probe.width, made_plan.probe.height) == kind.shown
    assert made_plan.remux == kind.copied, made_plan.why
    made = make_first(made_plan, source, tmp_path / "out")
    found = likeness(source, kind.look, made.path, kind.look if kind.copied else PLAYED)
    assert found.ssim > 0.85
    assert found.colour < 8
    assert found.lead > 0.1
    with av.open(str(made.path)) as file:
        frame = next(file.decode(video=0))
    assert frame.format.name in ("yuv420p", "yuvj420p")
    if not kind.copied:
        assert (int(frame.colorspace), int(frame.color_range)) == (1, 1)  # BT.709, limited


_TURNS = {
    "90": ((0, 1, -1, 0), Look("601", turn=90)),
    "180": ((-1, 0, 0, -1), Look("601", turn=180)),
    "270": ((0, -1, 1, 0), Look("601", turn=270)),
    "mirrored": ((-1, 0, 0, 1), Look("601", mirrored=True)),
    "upside down": ((1, 0, 0, -1), Look("601", turn=180, mirrored=True)),
    "turned and mirrored": ((0, 1, 1, 0), Look("601", turn=270, mirrored=True)),
    "mirrored and turned": ((0, -1, -1, 0), Look("601", turn=90, mirrored=True)),
}


@pytest.mark.parametrize("container", ["mp4", "mkv"])
@pytest.mark.parametrize("name", list(_TURNS))
def test_a_turned_picture_stands_upright(
    plain: Path, tmp_path: Path, name: str, container: str
) -> None:
    matrix, look = _TURNS[name]
    source = with_matrix(plain, tmp_path / "a.mp4", matrix)
    if container == "mkv":
        bare("-i", str(source), "-map", "0", "-c", "copy", str(tmp_path / "a.mkv"))
        source = tmp_path / "a.mkv"
    found = probe(source)
    assert (found.width, found.height) == ((320, 192) if look.turn % 180 else (192, 320))
    made = make_first(plan(found), source, tmp_path / "out")
    alike = likeness(plain, look, made.path)
    assert alike.ssim > 0.9
    assert alike.lead > 0.2


def test_an_edit_list_and_a_start_offset_leave_no_hole(plain: Path, tmp_path: Path) -> None:
    """The first second is cut off by an edit list; the time stamps begin at 10 s."""
    cut, late = tmp_path / "cut.mp4", tmp_path / "late.mkv"
    bare("-ss", "1", "-i", str(plain), "-c", "copy", str(cut))
    bare("-i", str(plain), "-c", "copy", "-output_ts_offset", "10", str(late))
    for source, seconds in ((cut, 2.0), (late, 3.0)):
        made = make_first(plan(probe(source)), source, tmp_path / source.stem)
        assert made.duration_ms == pytest.approx(seconds * 1000, abs=120)
        with av.open(str(made.path)) as file:
            for stream in file.streams:
                assert abs(float((stream.start_time or 0) * stream.time_base)) < 0.1
    assert likeness(late, Look("601"), tmp_path / "late" / "source.mp4", Look("601")).ssim > 0.99


def test_fragments_and_several_tracks(tmp_path: Path) -> None:
    """An unfinished recording's form; a second picture and sound are left out."""
    one = clip(tmp_path / "one.mp4", seconds=2)
    other = clip(tmp_path / "two.mp4", seconds=2, size="320x192", video=(*H264, "-vf", "hue=h=90"))
    both = tmp_path / "both.mp4"
    maps = ("-map", "0:v", "-map", "1:v", "-map", "0:a", "-map", "1:a")
    flags = ("-movflags", "frag_keyframe+empty_moov")
    bare("-i", str(one), "-i", str(other), *maps, "-c", "copy", *flags, str(both))
    found = probe(both)
    assert (found.width, found.height, found.audio_index) == (192, 320, 2)
    made = make_first(plan(found), both, tmp_path / "out")
    assert likeness(both, Look("601"), made.path, Look("601")).ssim > 0.99
    with av.open(str(made.path)) as file:
        assert [stream.type for stream in file.streams] == ["video", "audio"]


def test_six_channels_and_short_sound(tmp_path: Path) -> None:
    """5.1 is mixed down, no channel is lost; sound may end before the picture."""
    six = tmp_path / "six.mp4"
    pan = "pan=5.1|FC=c0"  # only the middle speaks
    picture = ("-f", "lavfi", "-i", "testsrc2=s=192x320:r=30:d=3")
    sound = ("-f", "lavfi", "-i", "sine=f=440:r=48000:d=1.2")
    bare(*picture, *sound, "-af", pan, *H264, *AAC, "-b:a", "256k", str(six))
    found = probe(six)
    assert found.audio_channels == 6
    made = make_first(plan(found), six, tmp_path / "out")
    assert made.duration_ms == pytest.approx(3000, abs=60)
    with av.open(str(made.path)) as file:
        audio = file.streams.audio[0]
        assert audio.codec_context.channels == 2
        assert sum(frame.samples for frame in file.decode(audio)) / 48000 < 1.4
    sounded = heard(made.path)
    assert sounded is not None
    assert sounded.lufs > -25  # silence would be -70


def _with_dolby_record(source: Path, target: Path, profile: int, compatible: int) -> Path:
    """The same file, its sample entry carrying a Dolby Vision record."""
    data = source.read_bytes()
    record = struct.pack(">BBBBB19x", 1, 0, profile << 1, 0b101, compatible << 4)
    added = box(b"dvcC" if profile < 8 else b"dvvC", record)
    path = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    at = find(data, whole(data), *path)
    assert at is not None
    entry = next(children(data, at.body + 8, at.end))
    grown = bytearray(data)
    grown[entry.end : entry.end] = added
    parents = [find(data, whole(data), *path[:n]) for n in range(1, len(path) + 1)]
    for parent in (*parents, entry):
        assert parent is not None
        struct.pack_into(">I", grown, parent.start, parent.end - parent.start + len(added))
    target.write_bytes(grown)
    return target


def test_dolby_vision_is_shown_by_its_base_or_refused(tmp_path: Path) -> None:
    """moov stands at the end, so that no offset moves with it."""
    hlg = _KINDS["HLG"]
    source = clip(tmp_path / "hlg.mp4", size=hlg.size, seconds=1, sound=False, video=hlg.video)
    shown = _with_dolby_record(source, tmp_path / "8.4.mp4", 8, 4)
    made = make_first(plan(probe(shown)), shown, tmp_path / "out")
    assert likeness(shown, hlg.look, made.path).ssim > 0.85
    for profile, compatible in ((5, 0), (10, 0), (8, 0)):
        wrong = _with_dolby_record(source, tmp_path / "wrong.mp4", profile, compatible)
        with pytest.raises(Refused) as caught:
            probe(wrong)
        assert caught.value.reason == Reason.WRONG_COLOURS
    entry = source.read_bytes().replace(b"hvc1", b"dvh1")
    (tmp_path / "dvh1.mp4").write_bytes(entry)
    with pytest.raises(Refused) as caught:
        probe(tmp_path / "dvh1.mp4")
    assert caught.value.reason == Reason.WRONG_COLOURS


def test_a_poster_of_hdr_looks_like_the_video_at_any_size(tmp_path: Path) -> None:
    hdr = ("-vf", "scale=321:193,setsar=1,format=yuv444p10le", *_KINDS["HDR10"].video[:-4])
    source = clip(tmp_path / "a.mp4", seconds=1, sound=False, video=hdr)
    made = make_posters(source, tmp_path / "out")
    shown = make_first(plan(probe(source)), source, tmp_path / "out")
    with Image.open(made.jpeg) as poster, av.open(str(shown.path)) as file:
        assert poster.size == (321, 193)
        picture = next(file.decode(video=0)).to_image().resize(poster.size)
        assert ssim(poster.convert("RGB"), picture) > 0.9
        means = (ImageStat.Stat(each).mean for each in (poster.convert("RGB"), picture))
        assert all(abs(one - two) < 6 for one, two in zip(*means, strict=True))
