"""The still pictures of a clip: shown before it plays, and as the preview of its link.

The first key frame, so that poster and beginning agree, if it is sharp, neither dark nor pale, in
no fade. Else of the key frames, as many as are soon decoded, the one that shows most.
"""

from __future__ import annotations

import math
import threading
from pathlib import Path

from PIL import Image, ImageFilter, ImageStat

from jhalak.media.frames import fitted, read_frames
from jhalak.media.model import Failed, Limits, Posters, Probe, Reason, Refused
from jhalak.media.probing import probe as read_probe

_WEBP_WIDTH = 540
_JPEG_WIDTH = 720
_LONGEST = 2048
_LIVELY = 24.0
"""Standard deviation of brightness (0..255) from which a picture is not black, white or fog."""
_DECODED_PIXELS = 10_500_000
"""Of all key frames together: 5 of 1080p or 2 of 4K, in about 0.1 s."""
_MOST = 5
_SHARP = 8.0
"""Of detail: first pictures of real clips nearly all have 8 to 68, blurred ones 2 to 7."""
_BETTER = 1.3
_EDGES = ImageFilter.Kernel((3, 3), (0, -1, 0, -1, 4, -1, 0, -1, 0), 1, 128)


def make_posters(
    source: Path,
    out: Path,
    *,
    probe: Probe | None = None,
    limits: Limits | None = None,
    stop: threading.Event | None = None,
) -> Posters:
    """`out`/poster.webp (540 wide at most) and `out`/poster.jpg (720), of a source or a rendition.

    `probe` saves reading the file again. Raises Refused, Stopped, Failed as probe() and ffmpeg do.
    """
    limits = limits or Limits()
    probe = probe or read_probe(source, limits)
    pictures: list[Image.Image] = []
    most = min(_MOST, max(2, _DECODED_PIXELS // (probe.coded_width * probe.coded_height)))
    seconds = probe.duration_ms / 1000
    size = fitted(probe, _JPEG_WIDTH, _LONGEST)
    # Nearly always the first key frame will do, and a copy waits for it. Key frames will do but for
    # a clip that begins with a long black, or does not mark them.
    steps = ((1, True, 0.0, _is_sharp), (most, True, 0.0, _is_lively), (_MOST, False, 2.0, None))
    for count, keys, rate, is_good in steps:
        whole = seconds * min(1.0, count / probe.keys) if keys else min(8.0, seconds)
        try:
            pictures += read_frames(
                *(probe, source, size),
                keys=keys,
                seconds=whole + 0.5,
                most=count,
                rate=rate,
                limits=limits,
                stop=stop,
            )
        except Refused:
            if not keys and not pictures:
                raise
        if is_good and any(map(is_good, pictures)):
            break
    if not pictures:
        raise Refused(Reason.DAMAGED, "no picture can be decoded")
    return _write(best(pictures), out)


def best(pictures: list[Image.Image]) -> Image.Image:
    """The one that shows most; the first unless another is clearly better."""
    worth = [_worth(picture) for picture in pictures]
    at = max(range(len(pictures)), key=worth.__getitem__)
    return pictures[0] if worth[at] < worth[0] * _BETTER else pictures[at]


def _worth(picture: Image.Image) -> float:
    """Contrast, up to where more of it says nothing, times fine detail (a Laplacian's spread)."""
    return min(_spread(picture), 2 * _LIVELY) * math.sqrt(_detail(picture))


def _detail(picture: Image.Image) -> float:
    small = picture.convert("L").resize(_thumbnail(picture))
    inner = (1, 1, small.width - 1, small.height - 1)  # the outermost pixels are left as they were
    return ImageStat.Stat(small.filter(_EDGES).crop(inner)).stddev[0]


def _is_lively(picture: Image.Image) -> bool:
    return _spread(picture) >= _LIVELY


def _is_sharp(picture: Image.Image) -> bool:
    return _is_lively(picture) and _detail(picture) >= _SHARP


def _thumbnail(picture: Image.Image) -> tuple[int, int]:
    scale = min(1.0, 256 / min(picture.size))
    return max(3, round(picture.width * scale)), max(3, round(picture.height * scale))


def _spread(picture: Image.Image) -> float:
    return ImageStat.Stat(picture.convert("L").resize((64, 64))).stddev[0]


def _write(picture: Image.Image, out: Path) -> Posters:
    webp, jpeg = out / "poster.webp", out / "poster.jpg"
    scale = min(1.0, _WEBP_WIDTH / picture.width)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    small = picture.resize(size, Image.Resampling.LANCZOS) if scale < 1 else picture
    save(small, webp, "WEBP", quality=78, method=0)
    save(picture, jpeg, "JPEG", quality=82)
    return Posters(webp, jpeg, size[0], size[1], dominant_colour(picture))


def save(picture: Image.Image, path: Path, form: str, **how: int) -> None:
    """Where `path` is, it is whole. Raises Failed."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(part, form, **how)
        part.replace(path)
    except OSError as error:
        raise Failed(f"cannot write {path.name}: {error}") from error


def dominant_colour(picture: Image.Image) -> str:
    """The commonest of eight colours that stand for the picture, as "#rrggbb"."""
    small = picture.convert("RGB").resize((48, 48)).quantize(8)
    counts = small.histogram()
    commonest = counts.index(max(counts))
    red, green, blue = (small.getpalette() or [0, 0, 0])[3 * commonest : 3 * commonest + 3]
    return f"#{red:02x}{green:02x}{blue:02x}"
