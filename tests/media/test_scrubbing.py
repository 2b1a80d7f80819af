"""What is made of single frames: the poster that shows most, a storyboard, a preview."""

from __future__ import annotations

import re
from pathlib import Path

import av
import pytest
from PIL import Image, ImageFilter

from jhalak.media import (
    Refused,
    Storyboard,
    make_posters,
    make_preview,
    make_storyboard,
    probe,
    storyboard_track,
)
from jhalak.media.posters import best
from tests.media.making import H264, clip
from tests.media.seeing import ssim


def _frame(path: Path, time: float) -> Image.Image:
    with av.open(str(path)) as file:
        return next(f for f in file.decode(video=0) if (f.time or 0) >= time - 0.01).to_image()


def test_the_best_picture_is_sharp_and_in_no_fade() -> None:
    sharp = Image.effect_mandelbrot((256, 256), (-2, -1.5, 1, 1.5), 60).convert("RGB")
    blurred = sharp.filter(ImageFilter.GaussianBlur(6))
    faded = Image.blend(sharp, Image.new("RGB", sharp.size), 0.8)
    black = Image.new("RGB", sharp.size)
    noise = Image.blend(black, Image.effect_noise(sharp.size, 90).convert("RGB"), 0.1)
    for order in ([blurred, faded, sharp, black], [noise, sharp], [black, sharp, blurred]):
        assert best(order) is sharp
    again = sharp.copy()
    assert best([again, sharp]) is again  # of equals the first
    assert best([black]) is black


@pytest.mark.slow
def test_a_poster_is_taken_from_where_there_is_something_to_see(tmp_path: Path) -> None:
    """Two seconds blurred, then sharp: of four key frames one of the later two is shown."""
    video = ("-vf", "gblur=sigma=12:enable='lt(t,2)'", *H264)
    source = clip(tmp_path / "a.mp4", seconds=4, sound=False, video=video)
    with Image.open(make_posters(source, tmp_path).jpeg) as poster:
        shown = poster.convert("RGB")
    assert max(ssim(shown, _frame(source, time)) for time in (2, 3)) > 0.9
    assert max(ssim(shown, _frame(source, time)) for time in (0, 1)) < 0.7


@pytest.mark.slow
def test_a_storyboard_shows_each_part_in_its_cell(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", seconds=10, sound=False)
    board = make_storyboard(source, tmp_path)
    assert (board.cells, board.step_ms, board.columns) == (10, 1000, 8)
    assert (board.width, board.height) == (90, 150)
    with Image.open(board.path) as sheet:
        assert (sheet.format, sheet.size) == ("WEBP", (8 * 90, 2 * 150))
        for at in (0, 4, 9):
            x, y = at % 8 * 90, at // 8 * 150
            cell = sheet.convert("RGB").crop((x, y, x + 90, y + 150))
            likes = [ssim(cell, _frame(source, time).resize(cell.size)) for time in range(10)]
            assert likes.index(max(likes)) == at
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_a_storyboard_is_bounded(tmp_path: Path) -> None:
    long = clip(tmp_path / "long.mp4", size="64x48", seconds=100, rate=5, sound=False)
    board = make_storyboard(long, tmp_path / "long")
    assert board.cells == probe(long).keys < 40
    keys = clip(
        tmp_path / "keys.mp4", size="64x48", seconds=100, rate=5, sound=False, extra=("-g", "5")
    )
    board = make_storyboard(keys, tmp_path / "keys")
    assert (board.cells, board.step_ms) == (40, 2500)
    short = clip(tmp_path / "short.mp4", size="64x48", seconds=0.5, sound=False)
    assert make_storyboard(short, tmp_path / "short").cells == 1


def test_the_track_names_every_cell() -> None:
    track = storyboard_track(Storyboard(Path("x"), 90, 160, 2, 3, 61_500), "/s.webp")
    assert track.startswith("WEBVTT\n\n00:00:00.000 --> 00:01:01.500\n/s.webp#xywh=0,0,90,160\n")
    assert re.findall(r"xywh=(.*)", track)[1:] == ["90,0,90,160", "0,160,90,160"]
    assert "00:02:03.000 --> 00:03:04.500" in track


@pytest.mark.slow
def test_a_preview_is_small_short_and_mute(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", size="720x1280", seconds=5)
    made = make_preview(source, tmp_path / "out")
    with av.open(str(made)) as file:
        assert [stream.type for stream in file.streams] == ["video"]
        frames = list(file.decode(video=0))
    assert (frames[0].width, frames[0].height, len(frames)) == (240, 426, 45)
    assert made.stat().st_size < 200_000
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["preview.mp4"]
    found = probe(source)
    source.write_bytes(b"\0" * 9000)
    for make in (make_preview, make_storyboard):
        with pytest.raises(Refused):
            make(source, tmp_path / "none", probe=found)
    assert not any((tmp_path / "none").glob("*"))
