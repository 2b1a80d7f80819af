"""Dolby Vision: which of its forms can be shown without it.

Most carry a base layer that is plain HDR10, HLG or SDR and is treated as such (phones: profile 8.4
with HLG, 8.1 with HDR10). Profile 5 and 10.0 have a base in a colour space of their own (IPT),
which shows green and purple when it is taken for YCbCr; nothing here converts it.

The record is that of "Dolby Vision Streams Within the ISO Base Media File Format" 2.5, 3.2.
"""

from __future__ import annotations

from jhalak.media.boxes import Box, children, find
from jhalak.media.model import Reason, Refused

_RECORDS = (b"dvcC", b"dvvC", b"dvwC")
_ENTRIES = (b"dvh1", b"dvhe", b"dva1", b"dvav", b"dav1")
"""Names of sample entries that only a player of Dolby Vision should open."""
_ENTRY_FIELDS = 78  # of a VisualSampleEntry, before the boxes in it
_TWO_LAYERS = (4, 7)  # their compatibility was not yet written down in early files


def check_dolby_vision(data: bytes, moov: Box) -> None:
    """Raise Refused when a picture of this movie would show wrong colours; BadBoxes."""
    for trak in children(data, moov.body, moov.end):
        if trak.kind != b"trak":
            continue
        described = find(data, trak, b"mdia", b"minf", b"stbl", b"stsd")
        if described is None:
            continue
        for entry in children(data, min(described.body + 8, described.end), described.end):
            record = _record(data, entry)
            if record is not None:
                profile, compatible, base = record
                shown = base and profile != 5 and (compatible > 0 or profile in _TWO_LAYERS)
            else:
                profile, shown = 0, entry.kind not in _ENTRIES
            if not shown:
                raise Refused(
                    Reason.WRONG_COLOURS, f"{entry.kind!r}, Dolby Vision profile {profile}"
                )


def _record(data: bytes, entry: Box) -> tuple[int, int, bool] | None:
    """Profile, what the base layer is compatible with (0: nothing), and whether there is one."""
    inside = entry.body + _ENTRY_FIELDS
    at = next((i for k in _RECORDS if (i := data.find(k, inside, entry.end)) >= 0), -1)
    fields = data[at + 4 : min(at + 9, entry.end)] if at >= 0 else b""
    if len(fields) < 5:
        return None
    return fields[2] >> 1, fields[4] >> 4, bool(fields[3] & 1)
