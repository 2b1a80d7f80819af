"""Turns ffmpeg's stream of fragments, read from a pipe, into pieces and into one indexed file.

ffmpeg writes `ftyp moov (moof mdat)*` and never goes back, so it needs no right to write a file.
What a player wants is known only at the end: how long it lasts (mehd) and where each fragment
stands (sidx). Room for both is kept in front and filled in last:

    ftyp moov[mvex[mehd ...]] sidx free (moof mdat)*

so that nothing is copied twice. Boxes: ISO/IEC 14496-12, 8.8.2 (mehd), 8.16.3 (sidx).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from jhalak.media.boxes import (
    BadBoxes,
    Movie,
    Track,
    children,
    read_defaults,
    read_fragment,
    read_header,
    read_movie,
)
from jhalak.media.model import Fragment, Piece

MAX_HEADER = 16 << 20
"""A moov or moof of ours is a few kilobytes; more means that the stream is not one."""

_MAX_SECONDS = 86_400


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a finished file."""

    size: int
    init_size: int
    duration_ms: int
    index: tuple[Fragment, ...]
    codecs: str
    frame_rate: float


class _Span(NamedTuple):
    offset: int
    size: int
    duration: int
    """In the leading track's timescale."""


class FragmentedFile:
    """Takes the stream by `feed`, writes `path`, and calls `on_piece` for each whole part.

    `room`: how many fragments the index has place for; more are indexed in groups.
    `piece_path`: where the piece of a number goes, or None for no pieces. `lead`: the kind of track
    that fragments are told by, "vide", or "soun" where there is no picture.
    Raises BadBoxes when the stream is not what ffmpeg should have written; OSError from the disk.
    """

    def __init__(
        self,
        path: Path,
        *,
        room: int,
        piece_path: Callable[[int], Path] | None = None,
        on_piece: Callable[[Piece], None] | None = None,
        lead: str = "vide",
    ) -> None:
        self.path = path
        self._leading = lead
        self._room = max(4, room)
        self._piece_path = piece_path
        self._on_piece = on_piece
        self._file: BinaryIO = path.open("wb")
        self._piece: BinaryIO | None = None
        self._head = bytearray()
        self._left = 0  # bytes of the present mdat, or of a box without interest, still to come
        self._keep = False
        self._ftyp = b""
        self._moov = b""
        self._movie: Movie | None = None
        self._lead: Track | None = None
        self._defaults: dict[int, int] = {}
        self._moof = b""
        self._start = 0
        self._body = 0
        self._at = 0
        self._duration = 0
        self._spans: list[_Span] = []
        self._ends: dict[int, int] = {}
        self._samples = 0

    @property
    def fragments(self) -> int:
        return len(self._spans)

    # ------------------------------------------------------------------------------- reading

    def feed(self, data: bytes) -> None:
        """The next bytes of the stream, cut anywhere."""
        at = 0
        while at < len(data):
            if self._left:
                part = data[at : at + self._left]
                at += len(part)
                self._left -= len(part)
                if self._keep:
                    self._write(part)
                    if not self._left:
                        self._end_fragment()
                continue
            need = self._need()
            part = data[at : at + need - len(self._head)]
            at += len(part)
            self._head += part
            if len(self._head) == need and self._need() == need:
                self._box(bytes(self._head))

    def _need(self) -> int:
        """How many bytes must be in hand: a box header, or the whole of a box that is read."""
        head = self._head
        if len(head) < 8:
            return 8
        size, kind = struct.unpack_from(">I4s", head)
        if size == 1:
            return 16
        if kind in (b"ftyp", b"moov", b"moof"):
            if not 8 <= size <= MAX_HEADER:
                raise BadBoxes(f"box {kind!r} of {size} bytes in the stream")
            return int(size)
        return 8

    def _box(self, head: bytes) -> None:
        self._head.clear()
        size, kind = struct.unpack_from(">I4s", head)
        if size == 1:
            (size,) = struct.unpack_from(">Q", head, 8)
        if size < len(head):
            raise BadBoxes(f"box {kind!r} of {size} bytes in the stream")
        if kind == b"ftyp":
            self._ftyp = head
        elif kind == b"moov":
            self._begin(head)
        elif kind == b"moof":
            self._begin_fragment(head)
        elif kind == b"mdat" and self._moof:
            self._write(head)
            self._left, self._keep = size - len(head), True
            if not self._left:
                self._end_fragment()
        else:
            self._left, self._keep = size - len(head), False

    def _begin(self, moov: bytes) -> None:
        if self._movie is not None or not self._ftyp:
            raise BadBoxes("a second moov, or one without ftyp")
        box = next(children(moov, 0, len(moov)))
        movie = read_movie(moov, box)
        self._defaults = read_defaults(moov, box)
        leads = [track for track in movie.tracks if track.handler == self._leading]
        if not leads or leads[0].timescale < 1:
            raise BadBoxes("no picture, or no sound, in the stream")
        self._movie, self._lead = movie, leads[0]
        self._moov = moov
        header = len(self._ftyp) + len(_plain(moov, 0))
        self._body = self._at = header + _sidx_size(self._room) + 8
        self._file.write(bytes(self._body))
        if self._piece_path is not None:
            path = self._piece_path(0)
            path.write_bytes(self._ftyp + _plain(moov))
            self._tell(Piece(0, path, 0, True))

    def _begin_fragment(self, moof: bytes) -> None:
        if self._lead is None or self._moof:
            raise BadBoxes("a moof out of place")
        self._duration = 0
        box = next(children(moof, 0, len(moof)))
        for part in read_fragment(moof, box, self._defaults):
            begun = self._ends.get(part.track, 0) if part.start is None else part.start
            self._ends[part.track] = begun + part.duration
            if part.track == self._lead.id:
                self._duration = part.duration
                self._samples += part.samples
        self._moof = moof
        self._start = self._at
        if self._piece_path is not None:
            self._piece = self._piece_path(len(self._spans) + 1).open("wb")
        self._write(moof)

    def _write(self, part: bytes) -> None:
        self._file.write(part)
        self._at += len(part)
        if self._piece is not None:
            self._piece.write(part)

    def _end_fragment(self) -> None:
        assert self._lead is not None
        self._spans.append(_Span(self._start, self._at - self._start, self._duration))
        self._moof, self._keep = b"", False
        if self._piece is not None and self._piece_path is not None:
            self._piece.close()
            self._piece = None
            number = len(self._spans)
            milliseconds = round(self._duration * 1000 / self._lead.timescale)
            self._tell(Piece(number, self._piece_path(number), milliseconds, False))

    def _tell(self, piece: Piece) -> None:
        if self._on_piece is not None:
            self._on_piece(piece)

    # ------------------------------------------------------------------------------- the end

    def finish(self) -> Finished:
        """Write what stands in front and close. Raises BadBoxes when no whole fragment came."""
        lead, movie = self._lead, self._movie
        if lead is None or movie is None or not self._spans:
            raise BadBoxes("no fragment came")
        if self._moof or self._head:
            raise BadBoxes("the stream ended inside a fragment")
        seconds = max(self._seconds(track) for track in movie.tracks)
        total = round(seconds * lead.timescale)
        # Sound may go on after the last picture: the last fragment lasts as long as both.
        spans = self._spans
        before = sum(span.duration for span in spans[:-1])
        last = spans[-1]
        spans[-1] = last._replace(duration=max(last.duration, total - before))
        total = before + spans[-1].duration
        spans = _grouped(spans, self._room)
        if seconds > _MAX_SECONDS or any(s.duration >> 32 or s.size >> 31 for s in spans):
            raise BadBoxes("longer or larger than an index can tell")
        moov = _plain(self._moov, max(1, round(seconds * movie.timescale)))
        front = self._ftyp + moov
        free = self._body - len(front) - _sidx_size(len(spans))
        first = free  # the distance from the end of the sidx to the first fragment
        front += _sidx(lead.id, lead.timescale, first, spans)
        front += struct.pack(">I4s", free, b"free") + bytes(free - 8)
        self._file.seek(0)
        self._file.write(front)
        self._file.close()
        millis = 1000 / lead.timescale
        shown = self._ends.get(lead.id, 0)
        codecs = [track.codec for track in movie.tracks if track.codec]
        return Finished(
            size=self._at,
            init_size=len(self._ftyp) + len(moov),
            duration_ms=round(total * millis),
            index=tuple(Fragment(s.offset, s.size, round(s.duration * millis)) for s in spans),
            codecs=",".join(codecs),
            frame_rate=self._samples * lead.timescale / shown if shown else 0.0,
        )

    def _seconds(self, track: Track) -> float:
        """How long a track is shown or heard."""
        if track.timescale < 1:
            return 0.0
        # A sound's edit leaves out what its encoder put in front; a picture's only puts the first
        # frame shown, which B-frames have moved, back to 0.
        skipped = track.skipped if track.handler == "soun" else 0
        delay = (
            track.delayed / self._movie.timescale if self._movie and self._movie.timescale else 0
        )
        return delay + max(0, self._ends.get(track.id, 0) - skipped) / track.timescale

    def abandon(self) -> None:
        """Close and remove everything that was written."""
        self._file.close()
        self.path.unlink(missing_ok=True)
        if self._piece is not None:
            self._piece.close()
        if self._piece_path is not None:
            for number in range(len(self._spans) + 2):
                self._piece_path(number).unlink(missing_ok=True)


def _grouped(spans: list[_Span], room: int) -> list[_Span]:
    """At most `room` spans: neighbours are joined, which loses only fineness of seeking."""
    while len(spans) > room:
        pairs = [spans[i : i + 2] for i in range(0, len(spans), 2)]
        spans = [
            _Span(p[0].offset, sum(s.size for s in p), sum(s.duration for s in p)) for p in pairs
        ]
    return spans


def _sidx_size(count: int) -> int:
    return 40 + 12 * count


def _sidx(track: int, timescale: int, first: int, spans: list[_Span]) -> bytes:
    parts = [
        struct.pack(
            ">I4sIIIQQHH",
            *(_sidx_size(len(spans)), b"sidx", 1 << 24, track, timescale, 0, first, 0, len(spans)),
        )
    ]
    # 0x9...: starts with a stream access point of type 1 (a closed group of pictures).
    parts += [struct.pack(">III", s.size, s.duration, 0x90000000) for s in spans]
    return b"".join(parts)


def _plain(moov: bytes, duration: int | None = None) -> bytes:
    """The moov without udta (no use to a player), with a mehd where the whole duration is known."""
    top = next(children(moov, 0, len(moov)))
    parts = []
    for box in children(moov, top.body, top.end):
        part = moov[box.start : box.end]
        if box.kind == b"mvex" and duration is not None:
            mehd = struct.pack(">I4sIQ", 20, b"mehd", 1 << 24, duration)
            inner = mehd + b"".join(
                moov[b.start : b.end]
                for b in children(moov, box.body, box.end)
                if b.kind != b"mehd"
            )
            part = struct.pack(">I4s", 8 + len(inner), b"mvex") + inner
        if box.kind != b"udta":
            parts.append(part)
    inner = b"".join(parts)
    return struct.pack(">I4s", 8 + len(inner), b"moov") + inner


def read_index(path: Path) -> tuple[int, tuple[Fragment, ...]]:
    """init_size and fragments of a fragmented file on disk, read from its own boxes.

    The other way round from `finish`: for checks, and to find an index again that was lost.
    Raises BadBoxes.
    """
    size = path.stat().st_size
    reader = _IndexReader()
    with path.open("rb") as file:
        at = 0
        while size - at >= 8:
            kind, _, length = read_header(file, at, size)
            if length > size - at:
                raise BadBoxes(f"box {kind!r} is cut")
            data = b""
            if kind in (b"moov", b"moof"):
                if length > MAX_HEADER:
                    raise BadBoxes(f"box {kind!r} is too large")
                file.seek(at)
                data = file.read(length)
            reader.take(kind, at, length, data)
            at += length
    return reader.init_size, tuple(reader.found)


class _IndexReader:
    def __init__(self) -> None:
        self.init_size = 0
        self.found: list[Fragment] = []
        self._defaults: dict[int, int] = {}
        self._lead: Track | None = None
        self._open: tuple[int, int] | None = None  # offset of a moof, its duration

    def take(self, kind: bytes, at: int, length: int, data: bytes) -> None:
        if kind == b"moov":
            box = next(children(data, 0, length))
            pictures = [t for t in read_movie(data, box).tracks if t.handler == "vide"]
            if not pictures or pictures[0].timescale < 1:
                raise BadBoxes("no picture")
            self._lead = pictures[0]
            self._defaults = read_defaults(data, box)
            self.init_size = at + length
        elif kind == b"moof" and self._lead is not None:
            box = next(children(data, 0, length))
            parts = read_fragment(data, box, self._defaults)
            self._open = at, sum(p.duration for p in parts if p.track == self._lead.id)
        elif kind == b"mdat" and self._lead is not None and self._open is not None:
            start, duration = self._open
            self._open = None
            millis = round(duration * 1000 / self._lead.timescale)
            self.found.append(Fragment(start, at + length - start, millis))
