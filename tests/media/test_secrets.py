"""Nothing that a phone wrote beside the picture leaves the house: no place, time, name, device."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from jhalak.media import (
    Limits,
    Piece,
    make_first,
    make_posters,
    make_preview,
    make_rest,
    make_storyboard,
    plan,
    probe,
)
from jhalak.media.boxes import Box, children, find, whole
from tests.media.making import AAC, H264, bare, box

pytestmark = pytest.mark.slow

_SECRETS = (b"SECRET", b"+12.97", b"12.9716", b"Lavf", b"2026-11")
_HOLDERS = (
    b"moov",
    b"trak",
    b"mdia",
    b"minf",
    b"dinf",
    b"stbl",
    b"edts",
    b"mvex",
    b"moof",
    b"traf",
)
_KNOWN = frozenset(
    b"ftyp moov sidx free moof mdat mvhd trak mvex tkhd edts elst mdia mdhd hdlr minf vmhd smhd "
    b"dinf dref stbl stsd stts stsc stsz stco mehd trex mfhd traf tfhd tfdt trun".split()
)
_KNOWN_ENTRIES = frozenset(b"avc1 mp4a avcC esds colr pasp btrt".split())


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that says where, when, by whom and with what it was taken, in every way we know."""
    folder = tmp_path_factory.mktemp("telling")
    chapters = folder / "chapters.txt"
    chapters.write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle=SECRET-chapter\n"
    )
    subtitles = folder / "subtitles.srt"
    subtitles.write_text("1\n00:00:00,000 --> 00:00:01,000\nSECRET-subtitle +12.9716+077.5946/\n")
    made = folder / "made.mp4"
    bare(
        *("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=15:d=1.5"),
        *("-f", "lavfi", "-i", "sine=f=440:r=48000:d=1.5", "-i", str(subtitles)),
        *("-i", str(chapters), "-map", "0", "-map", "1", "-map", "2", "-map_chapters", "3"),
        *(*H264, *AAC, "-c:s", "mov_text", "-metadata", "title=SECRET-title"),
        *("-metadata", "location=+12.9716+077.5946/", "-metadata", "artist=SECRET-artist"),
        *("-metadata", "com.apple.quicktime.location.ISO6709=+12.9716+077.5946+900/"),
        *("-metadata", "com.android.model=SECRET-phone", "-metadata", "comment=SECRET-comment"),
        *("-metadata", "creation_time=2026-11-24T08:00:00Z"),
        *("-metadata:s:v", "handler_name=SECRET-handler", "-metadata:s:a", "title=SECRET-sound"),
        *("-metadata:s:v", "encoder=SECRET-encoder", "-movflags", "use_metadata_tags"),
        *("-bsf:v", "h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+SECRET-sei"),
        str(made),
    )
    # Exif and XMP as cameras put them beside the boxes, and the ©xyz of Android in a udta.
    exif = box(b"uuid", b"JpgTiffExif->JP2" + b"Exif\0\0MM\0*SECRET-exif GPSLatitude 12.9716")
    xmp = box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + b"<x>SECRET-xmp</x>")
    place = box(b"udta", box(b"\xa9xyz", struct.pack(">HH", 18, 0x15C7) + b"+12.9716+077.5946/"))
    data = bytearray(made.read_bytes())
    moov = find(bytes(data), whole(bytes(data)), b"moov")
    assert moov is not None
    struct.pack_into(">I", data, moov.start, moov.end - moov.start + len(place))
    data[moov.end : moov.end] = place
    path = folder / "telling.mp4"
    path.write_bytes(bytes(data) + exif + xmp)
    held = path.read_bytes()
    for secret in (b"chapter", b"subtitle", b"title", b"artist", b"phone", b"comment", b"handler"):
        assert b"SECRET-" + secret in held
    for secret in (b"SECRET-sei", b"SECRET-exif", b"SECRET-xmp", b"\xa9xyz", b"+12.9716+077.5946+"):
        assert secret in held
    return path


def _walk(data: bytes, box: Box) -> Iterator[Box]:
    for child in children(data, box.body, box.end):
        yield child
        if child.kind in _HOLDERS:
            yield from _walk(data, child)


def _check(path: Path) -> None:
    data = path.read_bytes()
    for secret in _SECRETS:
        assert secret not in data, (path.name, secret)
    for found in _walk(data, whole(data)):
        assert found.kind in _KNOWN, (path.name, found)
        if found.kind in (b"mvhd", b"tkhd", b"mdhd"):
            assert data[found.body] == 0
            assert data[found.body + 4 : found.body + 12] == bytes(8)  # made, changed: never
        elif found.kind == b"hdlr":
            name = data[found.body + 24 : found.end].rstrip(b"\0")
            assert name in (b"VideoHandler", b"SoundHandler")
        elif found.kind == b"stsd":
            entry = next(children(data, found.body + 8, found.end))
            fields = 78 if entry.kind == b"avc1" else 28
            inner = {b.kind for b in children(data, entry.body + fields, entry.end)}
            assert {entry.kind, *inner} <= _KNOWN_ENTRIES
            if entry.kind == b"avc1":
                encoder = data[entry.body + 42 : entry.body + 74].strip(b"\0")
                assert encoder in (b"", b"\x0cLavc libx264"), encoder


def test_no_output_tells_of_its_maker(telling: Path, tmp_path: Path) -> None:
    found = probe(telling)
    copied = plan(found)
    assert copied.remux, copied.why
    encoded = plan(found, Limits(remux_side=1))
    pieces: list[Path] = []

    def arrived(piece: Piece) -> None:
        pieces.append(piece.path)

    made = [
        make_first(copied, telling, tmp_path / "copied").path,
        *(r.path for r in make_rest(copied, telling, tmp_path / "copied")),
        make_first(encoded, telling, tmp_path / "encoded", arrived).path,
        *(r.path for r in make_rest(encoded, telling, tmp_path / "encoded")),
        make_preview(telling, tmp_path, probe=found),
    ]
    assert len(made) == 8
    for path in made:
        _check(path)
    assert len(pieces) >= 2
    whole_stream = tmp_path / "pieces.mp4"
    whole_stream.write_bytes(b"".join(path.read_bytes() for path in pieces))
    _check(whole_stream)
    posters = make_posters(telling, tmp_path, probe=found)
    board = make_storyboard(telling, tmp_path, probe=found)
    for path in (posters.webp, posters.jpeg, board.path):
        assert not any(secret in path.read_bytes() for secret in _SECRETS)
        with Image.open(path) as picture:
            assert not picture.getexif()
            assert not {"xmp", "comment", "icc_profile", "exif"} & set(picture.info)
