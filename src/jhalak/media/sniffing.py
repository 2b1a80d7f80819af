"""What a file is by its first bytes, before any library looks at it.

Only two families go on to a demuxer, and each to one demuxer by name, so that what a file calls
itself, or what a library would guess, opens nothing else (a playlist or a concat script named .mp4
is text here). The rest is told apart only to give a person the right words.
"""

from __future__ import annotations

from jhalak.media.model import Reason, Refused

HEAD_BYTES = 4096

_MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid", b"styp")
_STILL_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
_IMAGES = (b"GIF8", b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\x00", b"MM\x00*", b"8BPS")
_SOUNDS = (b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"\xff\xf9", b"#!AMR")
_VIDEOS = (b"FLV", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"\x30\x26\xb2\x75", b".RMF")


def sniff(head: bytes) -> str:
    """ "mov" or "matroska" by the first HEAD_BYTES of a file; raises Refused for anything else."""
    if not head:
        raise Refused(Reason.EMPTY_FILE)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head[4:8] in _MOV_BOXES:
        if head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS:
            raise Refused(Reason.STILL_IMAGE, f"brand {head[8:12]!r}")
        return "mov"
    if head.startswith(_IMAGES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        raise Refused(Reason.STILL_IMAGE, "an image file")
    if head.startswith(_SOUNDS) or head[:4] == b"OggS" or (head[8:12] == b"WAVE"):
        raise Refused(Reason.ONLY_SOUND, "a sound file")
    if head.startswith(_VIDEOS) or (head[:4] == b"RIFF" and head[8:11] == b"AVI"):
        raise Refused(Reason.WRONG_CONTAINER, f"starts with {head[:12]!r}")
    if len(head) > 188 and head[0] == head[188] == 0x47:
        raise Refused(Reason.WRONG_CONTAINER, "an MPEG transport stream")
    raise Refused(Reason.NOT_A_VIDEO, f"starts with {head[:12]!r}")
