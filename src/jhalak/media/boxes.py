"""Reading the boxes of ISO base media files (MP4, MOV), by the names of ISO/IEC 14496-12.

Two readers stand on `children()`: `read_movie` takes the moov of somebody's file and tells its
tracks, and `read_fragment` takes one moof and tells how long it plays. Both take bytes that may be
hostile: every size is checked against its parent before it is used, nothing is read beyond it,
loops are bounded by the bytes that are there, and anything else raises BadBoxes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import msgspec

MAX_MOOV = 64 << 20
MAX_TRACKS = 64
MAX_DEPTH_CHILDREN = 10_000


class BadBoxes(ValueError):
    """The bytes are not what a box says they are."""


class TooManyTracks(BadBoxes):
    """More than MAX_TRACKS: not read further."""


class Box(NamedTuple):
    kind: bytes
    start: int
    """Offset of its header."""
    body: int
    """Offset of what follows the header."""
    end: int


def children(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets of `data`, in order. Raises BadBoxes on a size that lies."""
    if not 0 <= start <= end <= len(data):
        raise BadBoxes("range outside the data")
    count = 0
    while end - start >= 8:
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1:
            if end - start < 16:
                raise BadBoxes("a large box is cut")
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        elif size == 0:
            size = end - start
        if size < body - start or size > end - start:
            raise BadBoxes(f"box {kind!r} says {size} bytes of {end - start}")
        yield Box(kind, start, body, start + size)
        start += size
        count += 1
        if count > MAX_DEPTH_CHILDREN:
            raise BadBoxes("too many boxes")


def find(data: bytes, parent: Box, *path: bytes) -> Box | None:
    """The first box at `path` below `parent`, or None."""
    box: Box | None = parent
    for kind in path:
        if box is None:
            return None
        box = next((b for b in children(data, box.body, box.end) if b.kind == kind), None)
    return box


def whole(data: bytes) -> Box:
    """All of `data` as if it were one box's content."""
    return Box(b"", 0, 0, len(data))


def _read(data: bytes, box: Box, layout: str, at: int = 0) -> tuple[int, ...]:
    if at < 0 or box.body + at + struct.calcsize(layout) > box.end:
        raise BadBoxes(f"box {box.kind!r} is too short")
    values: tuple[int, ...] = struct.unpack_from(layout, data, box.body + at)
    return values


# ---------------------------------------------------------------------------------------- moov


class Track(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    handler: str
    """"vide", "soun", ..."""
    timescale: int
    duration: int
    samples: int
    entries: tuple[str, ...]
    """Sample entry names: "avc1", "hvc1", "encv", ..."""
    width: int
    height: int
    rotation: int
    """Degrees clockwise, to the nearest quarter turn."""
    mirrored: bool
    upright: bool
    """The matrix is the identity: a player shows the pixels as they are."""
    codec: str
    """RFC 6381, or "" where this reader does not know."""
    skipped: int
    """Media time that the edit list leaves out before the first sample, in the timescale."""
    delayed: int
    """Time that the edit list puts before it, in the movie's timescale."""


class Movie(msgspec.Struct, frozen=True):
    tracks: tuple[Track, ...]
    fragmented: bool
    timescale: int


_Matrix = tuple[int, ...]
_IDENTITY: _Matrix = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


def read_movie(data: bytes, moov: Box) -> Movie:
    """What a moov box says of its tracks. Raises BadBoxes."""
    header = find(data, moov, b"mvhd")
    if header is None:
        raise BadBoxes("no mvhd")
    wide = _read(data, header, ">B")[0] == 1
    movie_matrix = _read(data, header, ">9i", 48 if wide else 36)
    (timescale,) = _read(data, header, ">I", 20 if wide else 12)
    tracks: list[Track] = []
    fragmented = False
    for box in children(data, moov.body, moov.end):
        if box.kind == b"trak":
            if len(tracks) >= MAX_TRACKS:
                raise TooManyTracks(f"more than {MAX_TRACKS}")
            tracks.append(_track(data, box, movie_matrix))
        elif box.kind == b"mvex":
            fragmented = True
    return Movie(tuple(tracks), fragmented, timescale)


def _track(data: bytes, trak: Box, movie_matrix: _Matrix) -> Track:
    tkhd = find(data, trak, b"tkhd")
    mdhd = find(data, trak, b"mdia", b"mdhd")
    hdlr = find(data, trak, b"mdia", b"hdlr")
    if tkhd is None or mdhd is None or hdlr is None:
        raise BadBoxes("a track without tkhd, mdhd or hdlr")
    wide = _read(data, tkhd, ">B")[0] == 1
    (track_id,) = _read(data, tkhd, ">I", 20 if wide else 12)
    matrix = _read(data, tkhd, ">9i", 52 if wide else 40)
    if _read(data, mdhd, ">B")[0] == 1:
        timescale, duration = _read(data, mdhd, ">IQ", 20)
    else:
        timescale, duration = _read(data, mdhd, ">II", 12)
    handler = data[hdlr.body + 8 : min(hdlr.body + 12, hdlr.end)]
    samples = 0
    sizes = find(data, trak, b"mdia", b"minf", b"stbl", b"stsz")
    if sizes is not None:
        (samples,) = _read(data, sizes, ">I", 8)
    entries: list[str] = []
    width = height = 0
    codec = ""
    described = find(data, trak, b"mdia", b"minf", b"stbl", b"stsd")
    if described is not None:
        for entry in children(data, min(described.body + 8, described.end), described.end):
            entries.append(entry.kind.decode("latin-1"))
            if handler == b"vide" and len(entries) == 1:
                width, height = _read(data, entry, ">HH", 24)
            if len(entries) == 1:
                codec = _codec(data, entry, handler)
    skipped, delayed = _edits(data, trak)
    rotation, mirrored = _quarter_turn(_multiply(matrix, movie_matrix))
    upright = (
        matrix[:2] + matrix[3:5]
        == movie_matrix[:2] + movie_matrix[3:5]
        == (_IDENTITY[:2] + _IDENTITY[3:5])
    )
    return Track(
        id=track_id,
        handler=handler.decode("latin-1"),
        timescale=timescale,
        duration=duration,
        samples=samples,
        entries=tuple(entries),
        width=width,
        height=height,
        rotation=rotation,
        mirrored=mirrored,
        upright=upright,
        codec=codec,
        skipped=skipped,
        delayed=delayed,
    )


def _edits(data: bytes, trak: Box) -> tuple[int, int]:
    """Media time of the first edit that shows something, and the empty time before it (8.6.6)."""
    elst = find(data, trak, b"edts", b"elst")
    if elst is None:
        return 0, 0
    wide = _read(data, elst, ">B")[0] == 1
    (count,) = _read(data, elst, ">I", 4)
    empty = 0
    for number in range(min(count, 8)):
        if wide:
            lasts, time = _read(data, elst, ">Qq", 8 + 20 * number)
        else:
            lasts, time = _read(data, elst, ">Ii", 8 + 12 * number)
        if time >= 0:
            return time, empty
        empty += lasts
    return 0, empty


def _multiply(track: _Matrix, movie: _Matrix) -> _Matrix:
    """The upper 2x2 of track x movie in 16.16, as players combine them."""
    a, b, _, c, d, *_ = track
    e, f, _, g, h, *_ = movie
    return tuple(v >> 16 for v in (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h))


def turn_of(matrix: _Matrix) -> tuple[int, bool]:
    """Degrees clockwise and mirrored, of nine values as a tkhd (and libavutil) has them."""
    return _quarter_turn(matrix[:2] + matrix[3:5])


def _quarter_turn(matrix: _Matrix) -> tuple[int, bool]:
    a, b, c, d = matrix
    if a == b == c == d == 0:
        return 0, False
    angle = math.degrees(math.atan2(b, a)) if (a or b) else math.degrees(math.atan2(-c, d))
    return round(angle / 90) % 4 * 90, a * d - b * c < 0


def _codec(data: bytes, entry: Box, handler: bytes) -> str:
    """RFC 6381 name of a sample entry, for the codecs that renditions are made of."""
    if handler == b"vide" and entry.kind in (b"avc1", b"avc3"):
        inner = Box(entry.kind, entry.start, min(entry.body + 78, entry.end), entry.end)
        avcc = find(data, inner, b"avcC")
        if avcc is not None:
            _, profile, compatible, level = _read(data, avcc, ">BBBB")
            return f"{entry.kind.decode()}.{profile:02x}{compatible:02x}{level:02x}"
    if handler == b"vide" and entry.kind == b"av01":
        inner = Box(entry.kind, entry.start, min(entry.body + 78, entry.end), entry.end)
        av1c = find(data, inner, b"av1C")
        if av1c is not None:
            return _av1(*_read(data, av1c, ">BBB"))
    if handler == b"soun" and entry.kind == b"Opus":
        return "opus"
    if handler == b"soun" and entry.kind == b"mp4a":
        inner = Box(entry.kind, entry.start, min(entry.body + 28, entry.end), entry.end)
        try:
            esds = find(data, inner, b"esds")
        except BadBoxes:  # a QuickTime sound description of version 1 or 2: not one of ours
            return ""
        if esds is not None:
            return _aac(data[esds.body + 4 : esds.end])
    return ""


def _av1(_marker: int, first: int, second: int) -> str:
    """av01.<profile>.<level><tier>.<depth> out of an AV1CodecConfigurationRecord ("AV1 Codec ISO
    Media File Format Binding", 2.3.3 and 5).
    """
    tier = "H" if second & 0x80 else "M"
    depth = (12 if second & 0x20 else 10) if second & 0x40 else 8
    return f"av01.{first >> 5}.{first & 31:02d}{tier}.{depth:02d}"


def _aac(descriptor: bytes) -> str:
    """mp4a.40.<object type> out of an ES_Descriptor (ISO/IEC 14496-1, 7.2.6)."""
    at = _inside(descriptor, 0, 0x03) + 3  # ES_ID and flags
    at = _inside(descriptor, at, 0x04)
    if at < 0 or descriptor[at : at + 1] != b"\x40":  # not MPEG-4 sound
        return ""
    at = _inside(descriptor, at + 13, 0x05)
    if at < 0 or at + 1 >= len(descriptor):
        return ""
    kind = descriptor[at] >> 3
    if kind == 31:
        kind = 32 + ((descriptor[at] & 7) << 3 | descriptor[at + 1] >> 5)
    return f"mp4a.40.{kind}"


def _inside(descriptor: bytes, at: int, tag: int) -> int:
    """Where the content of the descriptor `tag` at `at` begins; far below 0 when it is none."""
    if at < 0 or descriptor[at : at + 1] != bytes([tag]):
        return -100
    at += 1
    # Its length: 7 bits a byte, at most four; the high bit says that another follows.
    for _ in range(4):
        at += 1
        if at > len(descriptor) or descriptor[at - 1] < 0x80:
            break
    return at


# ---------------------------------------------------------------------------------------- moof


class Part(msgspec.Struct, frozen=True):
    """What one track brings to one fragment, in its own timescale."""

    track: int
    start: int | None
    duration: int
    samples: int


def read_fragment(data: bytes, moof: Box, defaults: dict[int, int]) -> tuple[Part, ...]:
    """The parts of a moof. `defaults`: default sample duration of each track (trex)."""
    parts: list[Part] = []
    for traf in children(data, moof.body, moof.end):
        if traf.kind != b"traf":
            continue
        if len(parts) >= MAX_TRACKS:
            raise BadBoxes("too many parts")
        tfhd = find(data, traf, b"tfhd")
        if tfhd is None:
            raise BadBoxes("a traf without tfhd")
        flags, track = _read(data, tfhd, ">II")
        default = defaults.get(track, 0)
        if flags & 0x08:
            at = 8 + (8 if flags & 0x01 else 0) + (4 if flags & 0x02 else 0)
            (default,) = _read(data, tfhd, ">I", at)
        start: int | None = None
        tfdt = find(data, traf, b"tfdt")
        if tfdt is not None:
            (start,) = _read(data, tfdt, ">Q" if _read(data, tfdt, ">B")[0] == 1 else ">I", 4)
        duration = samples = 0
        for run in children(data, traf.body, traf.end):
            if run.kind == b"trun":
                added, count = _run(data, run, default)
                duration += added
                samples += count
        parts.append(Part(track, start, duration, samples))
    return tuple(parts)


def _run(data: bytes, trun: Box, default: int) -> tuple[int, int]:
    flags, count = _read(data, trun, ">II")
    flags &= 0xFFFFFF
    at = trun.body + 8 + (4 if flags & 0x01 else 0) + (4 if flags & 0x04 else 0)
    width = sum(4 for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit)
    if at + width * count > trun.end:
        raise BadBoxes("a trun counts more samples than it holds")
    if not flags & 0x100:
        if width == 0 and count > 1 << 20:
            raise BadBoxes("a trun counts too many samples")
        return default * count, count
    step = width // 4
    values = struct.unpack_from(f">{step * count}I", data, at)
    return sum(values[::step]), count


def read_defaults(data: bytes, moov: Box) -> dict[int, int]:
    """Default sample duration of each track, from mvex/trex."""
    mvex = find(data, moov, b"mvex")
    found: dict[int, int] = {}
    for trex in children(data, mvex.body, mvex.end) if mvex is not None else ():
        if trex.kind == b"trex":
            track, _, duration = _read(data, trex, ">III", 4)
            found[track] = duration
    return found


# --------------------------------------------------------------------------------------- files


def load_moov(file: BinaryIO, size: int, max_moov: int = MAX_MOOV) -> tuple[bytes, Box]:
    """Find the moov of a file of `size` bytes, wherever it stands, and read only that.

    Raises BadBoxes when there is none, when a box lies about its size, or when it is too large.
    """
    at = 0
    for _ in range(MAX_DEPTH_CHILDREN):
        kind, header, length = read_header(file, at, size)
        if kind == b"moov":
            if length > min(size - at, max_moov):
                raise BadBoxes("the moov is cut or too large")
            file.seek(at)
            data = file.read(length)
            if len(data) < length:
                raise BadBoxes("the moov is cut")
            return data, Box(kind, 0, header, length)
        at += length
    raise BadBoxes("too many boxes")


def read_header(file: BinaryIO, at: int, size: int) -> tuple[bytes, int, int]:
    """Kind, header length and whole length of the box at `at` in a file of `size` bytes.

    The length may reach beyond the file: a file that was cut still tells where its parts stand.
    """
    file.seek(at)
    head = file.read(16) if size - at >= 8 else b""
    if len(head) < 8:
        raise BadBoxes("the boxes end early")
    length, kind = struct.unpack_from(">I4s", head)
    header = 8
    if length == 1 and len(head) == 16:
        (length,) = struct.unpack_from(">Q", head, 8)
        header = 16
    elif length == 0:
        length = size - at
    if length < header:
        raise BadBoxes(f"box {kind!r} says {length} bytes")
    return kind, header, length
