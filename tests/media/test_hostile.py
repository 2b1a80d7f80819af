"""Files made to do harm. Each ends with its reason or as a playable result, and leaves nothing: no
file outside the output folder, no process, no packet.

What is no clip at all, lies in its header or is turned is in test_probing.py; here is what takes a
real encoder to make, what attacks by way of ffmpeg, and a fuzzer.
"""

from __future__ import annotations

import os
import random
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jhalak.border import PROGRAM_WALLS, Rules, Wall, start
from jhalak.media import (
    Limits,
    Posters,
    Reason,
    Refused,
    Rendition,
    make_first,
    make_posters,
    plan,
    probe,
)
from jhalak.media.process import ffmpeg
from tests.media.making import bare, clip
from tests.media.test_process import _children

pytestmark = pytest.mark.slow

_FUZZ_SECONDS = float(os.environ.get("JHALAK_FUZZ_SECONDS", "20"))

Take = Callable[..., Reason | Rendition]


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """What becomes of a file; looks after it whether anything was left."""
    out = tmp_path / "out"

    def run(source: Path, limits: Limits | None = None) -> Reason | Rendition:
        before = {path: path.stat().st_mtime_ns for path in _outside(tmp_path, out)}
        made: Rendition | None = None
        posters: Posters | None = None
        try:
            made_plan = plan(probe(source, limits), limits)
            posters = make_posters(source, out, probe=made_plan.probe)
            made = make_first(made_plan, source, out)
        except Refused as refused:
            return refused.reason
        else:
            return made
        finally:
            wanted = {made.path} if made else set()
            wanted |= {posters.webp, posters.jpeg} if posters else set()
            there = set(out.iterdir()) if out.exists() else set()
            assert there == wanted, f"left behind: {there - wanted}"
            for path in there:
                path.unlink()
            assert before == {path: path.stat().st_mtime_ns for path in _outside(tmp_path, out)}
            assert _children() == set(), "a process is left"

    return run


def _outside(folder: Path, out: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if out not in (path, *path.parents)]


def _patched(source: Path, target: Path, after: bytes, offset: int, value: bytes) -> Path:
    """A copy with other bytes `offset` bytes after the first `after`."""
    data = bytearray(source.read_bytes())
    at = data.index(after) + len(after) + offset
    data[at : at + len(value)] = value
    target.write_bytes(data)
    return target


def test_a_list_inside_an_avi_opens_nothing(tmp_path: Path, take: Take) -> None:
    # HLS in the subtitles of an AVI read /etc/passwd into the picture (CVE-2017-9993).
    avi = clip(tmp_path / "a.avi", seconds=1, sound=False, video=("-c:v", "mpeg4"))
    at = avi.read_bytes().index(b"movi") + 4
    data = avi.read_bytes()
    inner = b"GAB2\0\2\0" + b"#EXTM3U\n#EXTINF:1.0,\nconcat:file:///etc/passwd\n#EXT-X-ENDLIST\n"
    chunk = b"00sb" + struct.pack("<I", len(inner)) + inner
    (tmp_path / "both.mp4").write_bytes(data[:at] + chunk + data[at:])
    assert take(tmp_path / "both.mp4") == Reason.WRONG_CONTAINER


def test_ffmpeg_itself_follows_no_list_in_the_seal(tmp_path: Path) -> None:
    """Should a list come as far as ffmpeg, with nothing of what we say before it."""
    secret = clip(tmp_path / "secret.ts", seconds=1, extra=("-f", "mpegts"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        port = listener.getsockname()[1]
        for line, reaches in ((f"http://127.0.0.1:{port}/a.ts", True), (secret.as_uri(), False)):
            text = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + line + "\n#EXT-X-ENDLIST\n"
            (tmp_path / "list.m3u8").write_text(text)
            words = [ffmpeg(), "-loglevel", "error", "-f", "hls"]
            words += ["-protocol_whitelist", "file,fd,pipe,http,tcp", "-allowed_extensions", "ALL"]
            words += ["-extension_picky", "0"]
            bare_words = [*words, "-i", str(tmp_path / "list.m3u8"), "-f", "framemd5", "-"]
            with subprocess.Popen(
                bare_words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
            ) as process:
                if reaches:
                    listener.accept()[0].close()
                    process.kill()
                assert process.stdout is not None
                told = process.stdout.read()
            assert reaches or b"\n0," in told  # pictures of the other file
            listener.settimeout(0.05)
            for wall in (*_THAT_SHUT[reaches], None):
                told = _sealed(words, tmp_path / "list.m3u8", PROGRAM_WALLS if not wall else {wall})
                assert b"\n0," not in told, wall
                with pytest.raises(TimeoutError):
                    listener.accept()
            listener.settimeout(5)


_THAT_SHUT = {True: (Wall.CALLS,), False: (Wall.LANDLOCK, Wall.MOUNT)}


def _sealed(words: list[str], source: Path, walls: frozenset[Wall] | set[Wall]) -> bytes:
    if Wall.USER not in walls and os.geteuid():
        walls = walls | {Wall.USER}
    read, write = os.pipe()
    with source.open("rb") as file:
        keep = [file.fileno(), write]
        words = [*words, "-fd", str(keep[0]), "-i", "fd:", "-f", "framemd5", f"pipe:{write}"]
        rules = Rules(cpu_seconds=20, memory_bytes=6 << 30, walls=frozenset(walls))
        started = start(words, rules, keep=keep)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        told = answer.read()
    started.process.communicate()
    return told


def test_a_hundred_tracks_are_too_many(plain: Path, tmp_path: Path, take: Take) -> None:
    for name in ("many.mp4", "many.mkv"):
        bare("-i", str(plain), *["-map", "0:0"] * 100, "-c", "copy", str(tmp_path / name))
        assert take(tmp_path / name) == Reason.TOO_MANY_TRACKS


def test_what_is_really_encrypted_is_told(plain: Path, tmp_path: Path, take: Take) -> None:
    key = ("-encryption_key", "00" * 16, "-encryption_kid", "11" * 16)
    scheme = ("-encryption_scheme", "cenc-aes-ctr")
    bare("-i", str(plain), "-c", "copy", *scheme, *key, str(tmp_path / "locked.mp4"))
    assert take(tmp_path / "locked.mp4") == Reason.ENCRYPTED


def test_times_that_lie(plain: Path, tmp_path: Path, take: Take) -> None:
    hours = 36_000_000  # ten hours in the units of mvhd and tkhd here, milliseconds
    whole = _patched(plain, tmp_path / "whole.mp4", b"mvhd", 16, struct.pack(">I", hours))
    track = _patched(whole, tmp_path / "track.mp4", b"tkhd", 20, struct.pack(">I", hours))
    made = take(track)
    assert isinstance(made, Rendition)
    assert made.duration_ms == pytest.approx(3000, abs=50)
    # No time passes from frame to frame: no rate, or an endless one. The sound still tells time.
    still = _patched(plain, tmp_path / "still.mp4", b"stts", 12, struct.pack(">I", 0))
    made = take(still)
    assert isinstance(made, Rendition)
    assert made.duration_ms == pytest.approx(3000, abs=50)
    slow = _patched(plain, tmp_path / "slow.mp4", b"stts", 12, struct.pack(">I", 0x7FFFFFFF))
    assert take(slow) == Reason.TOO_LONG
    empty = _patched(plain, tmp_path / "edit.mp4", b"elst", 8, struct.pack(">Ii", hours, -1))
    assert take(empty) == Reason.DAMAGED  # ten hours of nothing before the first picture


def test_a_matroska_header_lies(tmp_path: Path, take: Take) -> None:
    source = clip(tmp_path / "a.mkv", size="192x320", seconds=1)
    size = b"\xb0\x81\xc0\xba\x82\x01\x40"  # PixelWidth 192, PixelHeight 320
    assert source.read_bytes().count(size) == 1
    wide = _patched(source, tmp_path / "wide.mkv", size, -2, struct.pack(">H", 32768))
    made = take(wide)
    assert isinstance(made, Rendition)
    assert (made.width, made.height) == (192, 320)  # as the stream itself says
    # The duration is a float of 8 bytes, in milliseconds.
    hours = struct.pack(">d", 36_000_000.0)
    long = _patched(source, tmp_path / "long.mkv", b"\x44\x89\x88", 0, hours)
    made = take(long)
    assert isinstance(made, Rendition)
    assert made.duration_ms == pytest.approx(1000, abs=50)


def test_a_picture_larger_than_its_header_says(tmp_path: Path, take: Take) -> None:
    video = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    black = ("-f", "lavfi", "-i", "color=s=7680x4320:r=10:d=0.3")
    bare(*black, *video, str(tmp_path / "8k.mp4"))
    assert take(tmp_path / "8k.mp4") == Reason.TOO_MANY_PIXELS
    small = _patched(
        tmp_path / "8k.mp4", tmp_path / "small.mp4", b"avc1\0\0\0", 21, struct.pack(">HH", 192, 320)
    )
    assert take(small) == Reason.TOO_MANY_PIXELS


def test_a_small_file_that_is_much_to_decode(tmp_path: Path, take: Take) -> None:
    video = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "60")
    black = ("-f", "lavfi", "-i", "color=s=3840x2160:r=60:d=1")
    bare(*black, *video, str(tmp_path / "one.mp4"))
    for seconds in (170, 300):
        name = tmp_path / f"{seconds}.mp4"
        loops = ("-stream_loop", str(seconds - 1))
        bare(*loops, "-i", str(tmp_path / "one.mp4"), "-c", "copy", str(name))
    assert (tmp_path / "170.mp4").stat().st_size < 8 << 20  # 10,200 pictures of 4K
    assert take(tmp_path / "300.mp4") == Reason.TOO_LONG
    few = Limits(cpu_seconds_base=3, cpu_seconds_per_second=0)
    assert take(tmp_path / "170.mp4", few) == Reason.TOO_HEAVY


def test_spoiled_clips_are_refused_or_played(plain: Path, tmp_path: Path, take: Take) -> None:
    """A fuzzer; each number makes one spoiled file. JHALAK_FUZZ_SECONDS=3600: for an hour."""
    sources = [plain.read_bytes(), *_others(tmp_path)]
    ends: dict[str, int] = {}
    limits = Limits(cpu_seconds_base=10, cpu_seconds_per_second=5)
    spoiled = tmp_path / "spoiled.mp4"
    deadline = time.monotonic() + _FUZZ_SECONDS
    number = 0
    while time.monotonic() < deadline or number < 10:
        spoiled.write_bytes(_spoil(sources[number % len(sources)], random.Random(number)))
        try:
            end = take(spoiled, limits)
        except BaseException as error:
            error.add_note(f"file number {number}: {spoiled}")
            raise
        name = end.value if isinstance(end, Reason) else "playable"
        ends[name] = ends.get(name, 0) + 1
        number += 1
    print(number, "files:", dict(sorted(ends.items())))
    assert ends.get("playable"), "nothing came far enough to tell something"
    assert len(ends) > 1


def _others(folder: Path) -> list[bytes]:
    parts = ("-movflags", "frag_keyframe+empty_moov")
    made = [
        clip(folder / "a.mp4", seconds=1, extra=parts),
        clip(folder / "a.mkv", seconds=1, video=("-c:v", "libvpx", "-deadline", "realtime")),
        clip(
            folder / "a.webm",
            seconds=1,
            sound=False,
            video=("-c:v", "libvpx-vp9", "-cpu-used", "8"),
        ),
        clip(folder / "b.mov", seconds=1, video=("-c:v", "mpeg4"), extra=("-c:a", "pcm_s16le")),
        clip(folder / "c.mp4", seconds=1, size="192x320", video=_HEVC),
    ]
    return [path.read_bytes() for path in made]


_HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")


def _spoil(data: bytes, chance: random.Random) -> bytes:
    """Some of: bytes and numbers changed, a part removed, doubled or moved, the end cut."""
    spoiled = bytearray(data)
    heads = [at for at in _heads(data) if at < len(data) - 8] or [0]
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at = chance.choice(heads) + chance.randrange(-4, 40)
        if chance.random() < 0.3:
            at = chance.randrange(len(spoiled))
        at = max(0, min(at, len(spoiled) - 9))
        length = chance.choice([1, 4, 40, 1000])
        match chance.randrange(6):
            case 0:
                spoiled[at] ^= 1 << chance.randrange(8)
            case 1:
                odd = chance.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, len(data)])
                struct.pack_into(">I", spoiled, at, odd)
            case 2:
                spoiled[at : at + length] = chance.randbytes(length)
            case 3:
                del spoiled[at : at + length]
            case 4:
                spoiled[at:at] = spoiled[at : at + length]
            case 5 if chance.random() < 0.1:
                del spoiled[at:]
    return bytes(spoiled)


def _heads(data: bytes) -> list[int]:
    """Where something of a container's begins: spoiling there reaches further than in pictures."""
    kinds = [
        b"moov",
        b"trak",
        b"tkhd",
        b"mdhd",
        b"elst",
        b"stsd",
        b"stts",
        b"stsz",
        b"stco",
        b"stsc",
    ]
    kinds += [b"ctts", b"avcC", b"hvcC", b"esds", b"moof", b"traf", b"trun", b"tfhd", b"mvex"]
    kinds += [b"\x1a\x45\xdf\xa3", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75"]
    found = []
    for kind in kinds:
        at = data.find(kind)
        while at >= 0:
            found.append(at)
            at = data.find(kind, at + 1)
    return found
