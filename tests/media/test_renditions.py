"""What is made can be played: whole, indexed, upright, in step, and with nothing of its maker."""

from __future__ import annotations

import threading
from pathlib import Path

import av
import pytest
from PIL import Image

from jhalak.media import (
    Failed,
    Limits,
    Piece,
    Plan,
    Reason,
    Refused,
    Rendition,
    Stopped,
    make_first,
    make_posters,
    make_rest,
    plan,
    probe,
)
from jhalak.media.boxes import children
from jhalak.media.fragments import read_index
from jhalak.media.posters import dominant_colour
from tests.media.making import bare, clip, with_matrix

pytestmark = pytest.mark.slow

_NO_COPY = Limits(remux_side=1)


def _decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as file:
        return list(file.decode(video=0))


def check_rendition(made: Rendition) -> None:
    """The file is what its Rendition says."""
    data = made.path.read_bytes()
    kinds = [box.kind for box in children(data, 0, len(data))]
    assert kinds[:4] == [b"ftyp", b"moov", b"sidx", b"free"]
    assert kinds[4:] == [b"moof", b"mdat"] * len(made.index)
    assert len(data) == made.size
    init, found = read_index(made.path)
    assert init == made.init_size
    assert [(f.offset, f.size) for f in found] == [(f.offset, f.size) for f in made.index]
    assert sum(f.duration_ms for f in made.index) == pytest.approx(made.duration_ms, abs=20)
    with av.open(str(made.path)) as file:
        assert file.duration / 1000 == pytest.approx(made.duration_ms, abs=60)
        for stream in file.streams:
            assert abs(float((stream.start_time or 0) * stream.time_base)) < 0.1
    frames = _decoded(made.path)
    assert (frames[0].width, frames[0].height) == (made.width, made.height)
    assert frames[0].format.name in ("yuv420p", "yuvj420p")
    assert frames[0].rotation == 0


def test_a_copy_keeps_every_frame_and_no_secret(plain: Path, tmp_path: Path) -> None:
    told: list[float] = []
    pieces: list[Piece] = []
    assert b"SECRET-sei" in plain.read_bytes()
    made = make_first(plan(probe(plain)), plain, tmp_path / "out", pieces.append, told.append)
    check_rendition(made)
    assert (made.name, made.codecs.split(",")[1]) == ("source", "mp4a.40.2")
    assert len(_decoded(made.path)) == 90
    assert pieces == []
    assert told[-1] == 1.0
    data = made.path.read_bytes()
    for secret in (b"SECRET", b"+12.97", b"Lavf"):
        assert secret not in data
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["source.mp4"]


def test_pieces_can_be_played_as_they_come_and_are_the_file_in_the_end(
    other: Path, tmp_path: Path
) -> None:
    """Each piece is there, whole, when it is told of; together they are what the file holds."""
    made_plan = plan(probe(other))
    seen: list[Piece] = []
    joined = bytearray()

    def arrived(piece: Piece) -> None:
        seen.append(piece)
        joined.extend(piece.path.read_bytes())
        if piece.number == 1:
            (tmp_path / "start.mp4").write_bytes(joined)
            assert not (tmp_path / "out" / "540.mp4").exists()
            assert len(_decoded(tmp_path / "start.mp4")) == 30

    made = make_first(made_plan, other, tmp_path / "out", arrived)
    check_rendition(made)
    assert [(piece.number, piece.init) for piece in seen[:2]] == [(0, True), (1, False)]
    assert [piece.duration_ms for piece in seen[1:]] == [1000, 1000, 2000, 1000]
    assert [fragment.duration_ms for fragment in made.index] == [1000, 1000, 2000, 1000]
    init = len(seen[0].path.read_bytes())
    assert joined[init:] == made.path.read_bytes()[made.index[0].offset :]
    (tmp_path / "joined.mp4").write_bytes(joined)
    assert len(_decoded(tmp_path / "joined.mp4")) == len(_decoded(made.path)) == 150


def test_the_rest_comes_out_of_one_process_with_the_same_cuts(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", size="1080x1920", seconds=1.5, rate=10)
    made_plan = plan(probe(source), _NO_COPY)
    assert [rung.name for rung in made_plan.rest] == ["1080", "720", "360"]
    made = make_rest(made_plan, source, tmp_path / "out")
    assert [(r.name, r.width, r.height) for r in made] == [
        ("1080", 1080, 1920),
        ("720", 720, 1280),
        ("360", 360, 640),
    ]
    for rendition in made:
        check_rendition(rendition)
        assert [f.duration_ms for f in rendition.index] == [1000, 500]
    small = clip(tmp_path / "b.mp4", seconds=1)
    assert make_rest(plan(probe(small), _NO_COPY), small, tmp_path / "none") == ()
    assert not (tmp_path / "none").exists()


def test_a_turned_clip_comes_out_upright(plain: Path, tmp_path: Path) -> None:
    upright = _decoded(plain)[0].to_image()
    for turn, back in (
        ((0, 1, -1, 0), Image.Transpose.ROTATE_270),
        ((-1, 0, 0, -1), Image.Transpose.ROTATE_180),
        ((0, -1, 1, 0), Image.Transpose.ROTATE_90),
        ((-1, 0, 0, 1), Image.Transpose.FLIP_LEFT_RIGHT),
    ):
        source = with_matrix(plain, tmp_path / "turned.mp4", turn)
        made = make_first(plan(probe(source)), source, tmp_path)
        check_rendition(made)
        shown = _decoded(made.path)[0].to_image()
        expected = upright.transpose(back)
        assert shown.size == expected.size
        assert _difference(shown, expected) < 12
        poster = make_posters(source, tmp_path / "posters")
        assert _difference(Image.open(poster.jpeg), expected) < 14


def _difference(one: Image.Image, two: Image.Image) -> float:
    small = [image.convert("L").resize((24, 24)).tobytes() for image in (one, two)]
    return sum(abs(a - b) for a, b in zip(*small, strict=True)) / len(small[0])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("no sound", {"sound": False}),
        ("odd size", {"size": "321x241", "video": ("-c:v", "libx264", "-pix_fmt", "yuv444p")}),
        ("wide pixels", {"extra": ("-vf", "setsar=4/3")}),
        ("ten bits", {"video": ("-c:v", "libx264", "-pix_fmt", "yuv420p10le")}),
        ("frames at odd times", {"extra": ("-vf", "select='mod(n,7)'", "-fps_mode", "vfr")}),
        ("six channels", {"extra": ("-ac", "6")}),
        ("late sound", {"before": (), "extra": ("-af", "asetpts=PTS+0.5/TB")}),
        ("interlaced", {"extra": ("-flags", "+ildct+ilme", "-x264-params", "tff=1")}),
    ],
)  # fmt: skip
def test_odd_clips_come_out_even(tmp_path: Path, name: str, options: dict[str, object]) -> None:
    source = clip(tmp_path / "a.mp4", seconds=2, **options)  # type: ignore[arg-type]
    found = probe(source)
    made = make_first(plan(found), source, tmp_path / "out")
    check_rendition(made)
    assert made.duration_ms == pytest.approx(found.duration_ms, abs=150)
    assert ("mp4a" in made.codecs) == (name != "no sound")


def test_hdr_comes_out_as_something_that_plays(tmp_path: Path) -> None:
    video = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le")
    tags = (
        "-x265-params",
        "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc",
    )
    source = clip(tmp_path / "a.mp4", seconds=1, video=(*video, *tags))
    found = probe(source)
    assert found.hdr
    made = make_first(plan(found), source, tmp_path / "out")
    check_rendition(made)


def test_sound_of_a_late_picture_stays_in_step(tmp_path: Path) -> None:
    """The picture begins 1 s after the sound: its first frame stands until then."""
    clip(tmp_path / "a.mp4", seconds=2)
    late = tmp_path / "late.mp4"
    both = ("-itsoffset", "1", "-i", str(tmp_path / "a.mp4"), "-i", str(tmp_path / "a.mp4"))
    bare(*both, "-map", "0:v", "-map", "1:a", "-c", "copy", str(late))
    found = probe(late)
    assert found.late_ms == pytest.approx(1000, abs=40)
    made = make_first(plan(found), late, tmp_path / "out")
    check_rendition(made)
    assert made.duration_ms == pytest.approx(3000, abs=60)
    assert len(_decoded(made.path)) == 90


def test_a_stop_leaves_nothing_behind(other: Path, tmp_path: Path) -> None:
    stop = threading.Event()

    def arrived(piece: Piece) -> None:
        if piece.number == 1:
            stop.set()

    with pytest.raises(Stopped):
        make_first(plan(probe(other)), other, tmp_path / "out", arrived, stop=stop)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_error_of_the_caller_is_passed_on_and_leaves_nothing(
    other: Path, tmp_path: Path
) -> None:
    def arrived(_: Piece) -> None:
        raise KeyError("the row is gone")

    with pytest.raises(KeyError):
        make_first(plan(probe(other)), other, tmp_path / "out", arrived)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_clip_that_ffmpeg_cannot_read_leaves_nothing(plain: Path, tmp_path: Path) -> None:
    """It was probed, and then its bytes were spoiled: no half rendition is left."""
    found = probe(plain)
    (tmp_path / "spoiled.mp4").write_bytes(b"\0" * 5000)
    for limits in (Limits(), _NO_COPY):
        with pytest.raises(Refused) as caught:
            make_first(plan(found, limits), tmp_path / "spoiled.mp4", tmp_path / "out")
        assert caught.value.reason == Reason.DAMAGED
    with pytest.raises(Refused):
        make_posters(tmp_path / "spoiled.mp4", tmp_path / "out", probe=found)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_disk_that_cannot_be_written_is_no_fault_of_the_clip(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Failed):
        make_first(_plan_of(plain), plain, tmp_path / "file")
    with pytest.raises(Failed):
        make_posters(plain, tmp_path / "file")


def _plan_of(path: Path) -> Plan:
    return plan(probe(path))


def test_posters_show_the_clip(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", size="1080x608", seconds=1, rate=10, sound=False)
    made = make_posters(source, tmp_path / "out")
    with Image.open(made.webp) as webp, Image.open(made.jpeg) as jpeg:
        assert (webp.format, webp.size) == ("WEBP", (540, 304))
        assert (jpeg.format, jpeg.size) == ("JPEG", (720, 405))
        assert _difference(jpeg, _decoded(source)[0].to_image()) < 12
    assert (made.width, made.height) == (540, 304)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "poster.jpg",
        "poster.webp",
    ]


def test_a_clip_that_begins_black_shows_something_later(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", seconds=3, extra=("-vf", "fade=in:st=0.9:d=0.05"))
    with Image.open(make_posters(source, tmp_path).webp) as poster:
        low, high = poster.convert("L").getextrema()
    assert high - low > 100
    dull = clip(tmp_path / "b.mp4", seconds=2, extra=("-vf", "lutyuv=y=16:u=128:v=128"))
    assert make_posters(dull, tmp_path).colour == "#000000"


def test_the_dominant_colour_is_the_commonest() -> None:
    picture = Image.new("RGB", (100, 100), (200, 30, 40))
    picture.paste((0, 0, 255), (0, 0, 100, 30))
    assert dominant_colour(picture) == "#c81e28"
