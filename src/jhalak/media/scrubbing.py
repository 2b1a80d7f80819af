"""What shows a clip before it is opened, and where a finger is on its way through it.

    make_storyboard   one picture of many small ones, for the bar that is dragged
    make_preview      three muted seconds at 240 wide, for a grid

The preview is MP4 and not an animated picture: measured on four clips, H.264 at 15 frames a second
takes a fifth to two thirds of what animated WebP takes at 8.
"""

from __future__ import annotations

import math
import threading
from pathlib import Path

from PIL import Image

from jhalak.media.boxes import BadBoxes
from jhalak.media.commands import preview_command
from jhalak.media.fragments import FragmentedFile
from jhalak.media.frames import fitted, read_frames
from jhalak.media.model import Failed, Limits, Probe, Reason, Refused, Storyboard
from jhalak.media.posters import save
from jhalak.media.probing import probe as read_probe
from jhalak.media.process import Budget, run

_MOST_CELLS = 40
_COLUMNS = 8
_CELL_SHORT, _CELL_LONG = 90, 160
PREVIEW_SECONDS = 3.0
_PREVIEW_SIDE = 240
_NICE = 10
"""Nobody waits for these."""


def make_storyboard(
    source: Path,
    out: Path,
    *,
    probe: Probe | None = None,
    limits: Limits | None = None,
    stop: threading.Event | None = None,
) -> Storyboard:
    """`out`/storyboard.webp: key frames at even steps, 40 at most, of a source or a rendition.

    No finer than one a second, nor than there are key frames. Raises as make_posters does.
    """
    limits = limits or Limits()
    probe = probe or read_probe(source, limits)
    cells = max(1, min(_MOST_CELLS, probe.keys, probe.duration_ms // 1000))
    step_ms = math.ceil(probe.duration_ms / cells)
    upright = probe.height > probe.width
    wide, high = (_CELL_SHORT, _CELL_LONG) if upright else (_CELL_LONG, _CELL_SHORT)
    width, height = fitted(probe, wide, high)
    pictures = read_frames(
        *(probe, source, (width, height)),
        keys=True,
        seconds=probe.duration_ms / 1000 + 0.5,
        most=cells,
        rate=round(1000 / step_ms, 6),
        limits=limits,
        stop=stop,
        nice=_NICE,
    )
    if not pictures:
        raise Refused(Reason.DAMAGED, "no key frame can be decoded")
    pictures += pictures[-1:] * (cells - len(pictures))  # the last one stands to the end
    columns = min(_COLUMNS, cells)
    sheet = Image.new("RGB", (columns * width, math.ceil(cells / columns) * height))
    for at, picture in enumerate(pictures):
        sheet.paste(picture, (at % columns * width, at // columns * height))
    path = out / "storyboard.webp"
    save(sheet, path, "WEBP", quality=60, method=2)
    return Storyboard(path, width, height, columns, cells, step_ms)


def storyboard_track(board: Storyboard, url: str) -> str:
    """The same as WebVTT, which many players read: for each cell its time and its place."""
    cues = ["WEBVTT"]
    for at in range(board.cells):
        begin, end = (_clock(n * board.step_ms) for n in (at, at + 1))
        x, y = at % board.columns * board.width, at // board.columns * board.height
        cues.append(f"{begin} --> {end}\n{url}#xywh={x},{y},{board.width},{board.height}")
    return "\n\n".join(cues) + "\n"


def _clock(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"


def make_preview(
    source: Path,
    out: Path,
    *,
    probe: Probe | None = None,
    limits: Limits | None = None,
    stop: threading.Event | None = None,
) -> Path:
    """`out`/preview.mp4: three seconds without sound, 240 on the short side, H.264.

    Raises Refused, Stopped, Failed, and then leaves no file behind.
    """
    limits = limits or Limits()
    probe = probe or read_probe(source, limits)
    path = out / "preview.mp4"
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = FragmentedFile(out / ".preview.part", room=4)
    except OSError as error:
        raise Failed(f"cannot write a preview: {error}") from error
    try:
        command = preview_command(probe, source, _PREVIEW_SIDE, PREVIEW_SECONDS)
        budget = Budget.of(limits, 1000 * round(PREVIEW_SECONDS), nice=_NICE)
        run(command, [file.feed], budget, stop=stop)
        file.finish()
        file.path.replace(path)
    except BaseException as error:
        file.abandon()
        if isinstance(error, BadBoxes):
            raise Refused(Reason.DAMAGED, f"no whole stream came: {error}") from error
        if isinstance(error, OSError):
            raise Failed(f"cannot write a preview: {error}") from error
        raise
    return path
