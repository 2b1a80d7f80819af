"""The closed loop as a picture: `python -m bench.judge.plots` draws what closed.keep wrote.

SVG by hand: lines, bands and words are all it takes. One panel a beginning, one line an entry:
likes on each page of ten, with the 95 % band of the mean over viewers. Ours and the strongest
baseline have colours; the others are grey. The names stand in the order of likes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "feed-loop.svg"
WIDTH, HEIGHT = 474, 420  # of a panel, in pixels
LEFT, TOP, RIGHT, BOTTOM = 46, 64, 190, 44  # around its lines
LINE = 15  # between two names
OURS, BEST, OTHER, INK = "#c2410c", "#1d4ed8", "#8a8f98", "#1f2328"
NAME = "Jhalak"  # what the names of ours begin with
LIMIT = "limit"  # a beginning of the results that is no contest

Band = Sequence[Sequence[float]]  # of each page: mean, low, high


def draw(kept: dict[str, Any]) -> str:
    """The SVG of one results file (closed.keep). Raises ValueError when there is nothing in it."""
    panels = {
        beginning: {name: one["likes_on_page"] for name, one in entries.items()}
        for beginning, entries in kept["results"].items()
        if beginning != LIMIT and entries
    }
    if not panels:
        raise ValueError("no results to draw")
    most = max(point[2] for lines in panels.values() for band in lines.values() for point in band)
    word = "SYNTHETIC, " if kept["synthetic"] else ""
    title = f"{word}{kept['world']}: likes on each page of 10, mean and 95 % band over viewers"
    width = WIDTH * len(panels)
    size = f'viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>',
        _text(LEFT, 22, title, size=15),
    ]
    for place, (beginning, lines) in enumerate(panels.items()):
        parts.append(f'<g transform="translate({place * WIDTH} 0)">')
        parts += _panel(beginning, lines, most)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def _panel(beginning: str, lines: dict[str, Band], most: float) -> list[str]:
    pages = max(len(band) for band in lines.values())
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(page: float) -> float:
        return LEFT + (right - LEFT) * page / max(pages - 1, 1)

    def y(likes: float) -> float:
        return bottom - (bottom - TOP) * likes / most

    parts = [_text(LEFT, TOP - 16, beginning, size=13)]
    for likes in range(int(most) + 1):
        parts.append(_line(LEFT, y(likes), right, y(likes), "#e5e7eb"))
        parts.append(_text(LEFT - 8, y(likes) + 4, str(likes), anchor="end"))
    parts += [_text(x(page), bottom + 16, str(page + 1), anchor="middle") for page in range(pages)]
    parts.append(_text((LEFT + right) / 2, bottom + 34, "page", anchor="middle"))
    sums = {name: sum(point[0] for point in band) for name, band in lines.items()}
    theirs = [name for name in lines if not name.startswith(NAME)]
    colours = {name: OTHER if name in theirs else OURS for name in lines}
    if theirs:
        colours[max(theirs, key=sums.__getitem__)] = BEST
    mine = [name for name in lines if name not in theirs]
    # What has a colour is drawn last, on top.
    for name in sorted(lines, key=lambda name: [OTHER, BEST, OURS].index(colours[name])):
        band, colour = lines[name], colours[name]
        upper = [(x(page), y(point[2])) for page, point in enumerate(band)]
        lower = [(x(page), y(point[1])) for page, point in enumerate(band)]
        middle = [(x(page), y(point[0])) for page, point in enumerate(band)]
        strong = colour != OTHER
        dashes = ' stroke-dasharray="5 3"' if name in mine[1:] else ""
        parts.append(
            f'<polygon points="{_points([*upper, *reversed(lower)])}" fill="{colour}"'
            f' fill-opacity="{0.2 if strong else 0.08}"/>'
        )
        parts.append(
            f'<polyline points="{_points(middle)}" fill="none" stroke="{colour}"'
            f' stroke-width="{2 if strong else 1}"{dashes}><title>{escape(name)}</title></polyline>'
        )
    parts.append(_text(right + 15, TOP - 16, "likes per 100 swipes"))
    for place, name in enumerate(sorted(lines, key=sums.__getitem__, reverse=True)):
        likes = sums[name] * 10 / len(lines[name])
        down = TOP + 4 + LINE * place
        parts.append(_text(right + 38, down, f"{likes:.1f}", anchor="end", colour=colours[name]))
        parts.append(_text(right + 44, down, name, colour=colours[name]))
    return parts


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" fill="none"/>'


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", size: int = 11, colour: str = INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
        f' fill="{colour}">{escape(words)}</text>'
    )


def write(results: Path, picture: Path = PICTURE) -> None:
    """Draws the results file at `results`."""
    picture.write_text(draw(json.loads(results.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    from bench.judge.closed import RESULT

    write(RESULT)
