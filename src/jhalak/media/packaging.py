"""HLS playlists over one fragmented MP4 a rendition (RFC 8216; byte ranges, EXT-X-MAP).

Three kinds: `media_playlist` (a finished file, byte ranges), `growing_playlist` (pieces of a
rendition that is still being made: an EVENT playlist) and `master_playlist` (the choice).
URLs are given by the caller and written as they are; they must hold no line break or quote.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from jhalak.media.model import Piece, Rendition

_TYPE = "#EXTM3U\n#EXT-X-VERSION:7\n"


def _safe(url: str) -> str:
    if any(character in '"\r\n' or ord(character) < 32 for character in url):
        raise ValueError("a playlist's URL may hold no quote, line break or control character")
    return url


def _target(durations_ms: Sequence[int]) -> int:
    # RFC 8216 4.3.3.1: no segment, rounded to the nearest second, may be longer.
    return max(1, math.ceil(max(durations_ms, default=1000) / 1000))


def media_playlist(rendition: Rendition, url: str) -> str:
    """The finished file at `url`, cut by byte ranges into its fragments."""
    url = _safe(url)
    lines = [
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f"#EXT-X-TARGETDURATION:{_target([f.duration_ms for f in rendition.index])}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{url}",BYTERANGE="{rendition.init_size}@0"',
    ]
    for fragment in rendition.index:
        lines += [
            f"#EXTINF:{fragment.duration_ms / 1000:.3f},",
            f"#EXT-X-BYTERANGE:{fragment.size}@{fragment.offset}",
            url,
        ]
    lines.append("#EXT-X-ENDLIST")
    return _TYPE + "\n".join(lines) + "\n"


def growing_playlist(
    pieces: Sequence[Piece], urls: Sequence[str], ended: bool, *, target_ms: int = 4000
) -> str:
    """The pieces that are there by now; players ask again until `ended`.

    `pieces` in order, the init piece first, one URL each. `target_ms`: the longest piece that may
    still come; the header may not change while the list grows (RFC 8216 6.2.1).
    """
    if len(pieces) != len(urls):
        raise ValueError("one URL for each piece")
    if not pieces or not pieces[0].init:
        raise ValueError("the init piece comes first")
    lines = [
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        f"#EXT-X-TARGETDURATION:{_target([target_ms, *(p.duration_ms for p in pieces[1:])])}",
        "#EXT-X-MEDIA-SEQUENCE:1",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES",
        f'#EXT-X-MAP:URI="{_safe(urls[0])}"',
    ]
    for piece, url in zip(pieces[1:], urls[1:], strict=True):
        lines += [f"#EXTINF:{piece.duration_ms / 1000:.3f},", _safe(url)]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return _TYPE + "\n".join(lines) + "\n"


def master_playlist(choices: Sequence[tuple[Rendition, str]]) -> str:
    """The renditions to choose from; the first named is what a player starts with."""
    lines = ["#EXT-X-INDEPENDENT-SEGMENTS"]
    for rendition, url in choices:
        attributes = (
            f"BANDWIDTH={rendition.bitrate_bps}",
            f"AVERAGE-BANDWIDTH={rendition.average_bps}",
            f'CODECS="{_safe(rendition.codecs)}"',
            f"RESOLUTION={rendition.width}x{rendition.height}",
            f"FRAME-RATE={rendition.frame_rate:.3f}",
        )
        lines += [f"#EXT-X-STREAM-INF:{','.join(attributes)}", _safe(url)]
    return _TYPE + "\n".join(lines) + "\n"
