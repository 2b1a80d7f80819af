"""Posters and middle frames of all clips of a folder, as one picture to look at.

    .venv/bin/python scripts/contact_sheet.py ../shared/data/clips docs/pictures/clips.jpg

Of each clip that is taken: its poster, and the middle frame of the first rendition that is made of
it. A clip that is refused shows why.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import av
from PIL import Image, ImageDraw, ImageFont

from jhalak import media

_CELL_WIDTH, _CELL_HEIGHT, _TEXT, _COLUMNS = 216, 150, 24, 8


def main(folder: Path, target: Path) -> None:
    cells = [_cell(path) for path in sorted(folder.iterdir()) if path.suffix != ".json"]
    rows = -(-len(cells) // _COLUMNS)
    high = _CELL_HEIGHT + _TEXT
    sheet = Image.new("RGB", (_COLUMNS * _CELL_WIDTH, rows * high), "#202020")
    for at, cell in enumerate(cells):
        sheet.paste(cell, (at % _COLUMNS * _CELL_WIDTH, at // _COLUMNS * high))
    sheet.save(target, quality=72, optimize=True)
    print(f"{target}: {len(cells)} clips, {target.stat().st_size // 1000} kB")


def _cell(path: Path) -> Image.Image:
    cell = Image.new("RGB", (_CELL_WIDTH, _CELL_HEIGHT + _TEXT), "#202020")
    draw = ImageDraw.Draw(cell)
    font = ImageFont.load_default(9)
    draw.text((3, _CELL_HEIGHT + 2), _fitting(path.name, font), "white", font)
    try:
        pictures = _pictures(path)
    except media.Refused as refused:
        words = refused.text.split()
        lines = [" ".join(words[n : n + 5]) for n in range(0, len(words), 5)]
        draw.text((6, 40), "\n".join(lines), "#ff9060", font)
        return cell
    half = _CELL_WIDTH // 2
    for at, picture in enumerate(pictures):
        picture.thumbnail((half - 4, _CELL_HEIGHT - 4), Image.Resampling.LANCZOS)
        left = at * half + (half - picture.width) // 2
        cell.paste(picture, (left, (_CELL_HEIGHT - picture.height) // 2))
    return cell


def _fitting(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The name, or its beginning and its end: what tells it from others may stand in either."""
    kept = len(name) // 2
    words = name
    while font.getlength(words) > _CELL_WIDTH - 6:
        kept -= 1
        words = f"{name[:kept]}…{name[-kept:]}"
    return words


def _pictures(path: Path) -> tuple[Image.Image, Image.Image]:
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        plan = media.plan(media.probe(path))
        posters = media.make_posters(path, out, probe=plan.probe)
        made = media.make_first(plan, path, out)
        with Image.open(posters.webp) as poster, av.open(str(made.path)) as file:
            frames = list(file.decode(video=0))
            return poster.convert("RGB"), frames[len(frames) // 2].to_image()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
