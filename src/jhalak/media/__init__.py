"""The media engine: what a clip is, what to make of it, and the making. Pure: no Django, no HTTP.

    probe(path, limits) -> Probe                 refuses with a reason; decodes nothing
    plan(probe, limits) -> Plan                  copy as it is, or 540p first and the rest after
    make_first(plan, source, out, ...)           -> Rendition; pieces appear while it is being made
    make_rest(plan, source, out, ...)            -> renditions of the other rungs, in one process
    make_modern(plan, source, out, ...)          -> the same to look at, in AV1 with Opus
    make_posters(source_or_rendition, out)       -> Posters
    make_storyboard, make_preview                -> small pictures to drag over; three muted seconds
    media_playlist / growing_playlist / master_playlist -> text of HLS playlists
    webvtt.parse / checked / write               captions
    sounds.keep_sound / same / index_words   the sound by itself, and by what it is known again
    speech.sound_of / whisper / lines            what is said, heard by a machine

Every output is one fragmented MP4 with a global index; `<video src>` and HLS byte ranges share it.
See docs/parts/media.md.
"""

from __future__ import annotations

from jhalak.media import sounds, speech, webvtt
from jhalak.media.model import (
    COPIED,
    LEVELLED,
    TEXTS,
    Audio,
    Codec,
    Failed,
    Fragment,
    Limits,
    MediaError,
    Piece,
    Plan,
    Posters,
    Probe,
    Reason,
    Refused,
    Rendition,
    Rung,
    Stopped,
    Storyboard,
)
from jhalak.media.packaging import growing_playlist, master_playlist, media_playlist
from jhalak.media.planning import plan
from jhalak.media.posters import make_posters
from jhalak.media.probing import probe
from jhalak.media.renditions import make_first, make_modern, make_rest
from jhalak.media.scrubbing import make_preview, make_storyboard, storyboard_track

__all__ = [
    "COPIED",
    "LEVELLED",
    "TEXTS",
    "Audio",
    "Codec",
    "Failed",
    "Fragment",
    "Limits",
    "MediaError",
    "Piece",
    "Plan",
    "Posters",
    "Probe",
    "Reason",
    "Refused",
    "Rendition",
    "Rung",
    "Stopped",
    "Storyboard",
    "growing_playlist",
    "make_first",
    "make_modern",
    "make_posters",
    "make_preview",
    "make_rest",
    "make_storyboard",
    "master_playlist",
    "media_playlist",
    "plan",
    "probe",
    "sounds",
    "speech",
    "storyboard_track",
    "webvtt",
]
