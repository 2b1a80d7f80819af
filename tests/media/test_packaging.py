"""Playlists, as RFC 8216 wants them."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.media import (
    Fragment,
    Piece,
    Rendition,
    growing_playlist,
    master_playlist,
    media_playlist,
)


def _rendition(durations: list[int], init: int = 900) -> Rendition:
    at = init + 100
    index = []
    for duration in durations:
        index.append(Fragment(at, duration + 7, duration))
        at += duration + 7
    return Rendition(
        name="540",
        path=Path("540.mp4"),
        width=540,
        height=960,
        bitrate_bps=1_200_000,
        average_bps=900_000,
        codecs="avc1.64001f,mp4a.40.2",
        frame_rate=30.0,
        duration_ms=sum(durations),
        size=at,
        init_size=init,
        index=tuple(index),
    )


@given(st.lists(st.integers(1, 9000), min_size=1, max_size=30))
def test_a_finished_playlist_covers_the_file_once(durations: list[int]) -> None:
    rendition = _rendition(durations)
    text = media_playlist(rendition, "540.mp4")
    assert text.startswith("#EXTM3U\n#EXT-X-VERSION:7\n")
    assert text.endswith("#EXT-X-ENDLIST\n")
    assert '#EXT-X-MAP:URI="540.mp4",BYTERANGE="900@0"' in text
    ranges = [(int(a), int(b)) for a, b in re.findall(r"#EXT-X-BYTERANGE:(\d+)@(\d+)", text)]
    assert ranges == [(f.size, f.offset) for f in rendition.index]
    lengths = [float(value) for value in re.findall(r"#EXTINF:([\d.]+),", text)]
    assert sum(lengths) == pytest.approx(rendition.duration_ms / 1000, abs=0.001)
    target = int(re.findall(r"TARGETDURATION:(\d+)", text)[0])
    assert all(round(length) <= target for length in lengths)


@given(st.lists(st.integers(100, 2500), max_size=20), st.booleans())
def test_a_growing_playlist_only_gets_longer(durations: list[int], ended: bool) -> None:
    pieces = [Piece(0, Path("0"), 0, True)]
    pieces += [Piece(n + 1, Path(str(n)), d, False) for n, d in enumerate(durations)]
    urls = [f"piece-{p.number}.m4s" for p in pieces]
    texts = [growing_playlist(pieces[:n], urls[:n], False) for n in range(1, len(pieces) + 1)]
    for shorter, longer in itertools.pairwise(texts):
        assert longer.startswith(shorter)
    last = growing_playlist(pieces, urls, ended)
    assert ("#EXT-X-ENDLIST" in last) == ended
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in last
    assert last.count("#EXTINF") == len(durations)


def test_a_growing_playlist_begins_with_its_init_piece() -> None:
    with pytest.raises(ValueError, match="init"):
        growing_playlist([], [], False)
    with pytest.raises(ValueError, match="init"):
        growing_playlist([Piece(1, Path("1"), 1000, False)], ["a"], False)
    with pytest.raises(ValueError, match="URL"):
        growing_playlist([Piece(0, Path("0"), 0, True)], [], False)


def test_the_master_playlist_tells_what_to_choose_by() -> None:
    text = master_playlist([(_rendition([2000]), "540.m3u8")])
    assert (
        "#EXT-X-STREAM-INF:BANDWIDTH=1200000,AVERAGE-BANDWIDTH=900000,"
        'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=540x960,FRAME-RATE=30.000\n540.m3u8\n'
    ) in text


@pytest.mark.parametrize("url", ['a"b', "a\nb", "a\r", "\x00"])
def test_a_url_cannot_break_out_of_its_line(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        media_playlist(_rendition([1000]), url)
    with pytest.raises(ValueError, match="URL"):
        master_playlist([(_rendition([1000]), url)])
