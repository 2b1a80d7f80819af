"""What the media engine takes and gives: plain frozen structs, no behaviour but small sums.

    MediaError
    ├── Refused    the clip is at fault: a reason a person understands; trying again changes nothing
    ├── Stopped    the caller asked to stop; nothing is left behind
    └── Failed     the machine is at fault (no disk, killed, no ffmpeg): worth another try

Times are milliseconds in results and seconds in limits; sizes are bytes; pixels are as shown:
turned upright and square.
"""

from __future__ import annotations

import enum
from pathlib import Path

import msgspec


class Reason(enum.StrEnum):
    """Why a clip is refused. The value is stable (it is stored and shown through translations)."""

    EMPTY_FILE = "empty_file"
    NOT_A_VIDEO = "not_a_video"
    STILL_IMAGE = "still_image"
    ONLY_SOUND = "no_picture"
    WRONG_CONTAINER = "wrong_container"
    WRONG_CODEC = "wrong_codec"
    WRONG_SOUND = "wrong_sound"
    WRONG_COLOURS = "wrong_colours"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    TOO_BIG = "too_big"
    TOO_SMALL = "too_small"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_FRAMES = "too_many_frames"
    TOO_MANY_TRACKS = "too_many_tracks"
    TOO_HEAVY = "too_heavy"


TEXTS: dict[Reason, str] = {
    Reason.EMPTY_FILE: "The file is empty. Please choose the video again.",
    Reason.NOT_A_VIDEO: "This file is not a video. Please choose an MP4, MOV, MKV or WebM file.",
    Reason.STILL_IMAGE: "This is a picture, not a video. Please choose a video.",
    Reason.ONLY_SOUND: "This file has sound but no picture. Please choose a video.",
    Reason.WRONG_CONTAINER: "This kind of video file is not taken. Please save it as MP4.",
    Reason.WRONG_CODEC: "The picture in this video is in a form that cannot be read here. "
    "Please save it as MP4 with H.264.",
    Reason.WRONG_SOUND: "The sound in this video is in a form that cannot be read here. "
    "Please save it as MP4 with AAC sound.",
    Reason.WRONG_COLOURS: "This video is in a form of Dolby Vision whose colours cannot be shown "
    "elsewhere. Please save it as MP4 without Dolby Vision.",
    Reason.ENCRYPTED: "This video is locked by its maker and cannot be read.",
    Reason.DAMAGED: "The video is damaged or not complete. Please export or record it again.",
    Reason.TOO_LONG: "The video is too long. Please cut it and try again.",
    Reason.TOO_SHORT: "The video is too short to watch.",
    Reason.TOO_BIG: "The file is too large. Please cut the video or save it smaller.",
    Reason.TOO_SMALL: "The picture is too small to watch.",
    Reason.TOO_MANY_PIXELS: "The picture is too large. Please save the video in 4K or less.",
    Reason.TOO_MANY_FRAMES: "The video has too many frames. Please cut it or lower its frame rate.",
    Reason.TOO_MANY_TRACKS: "The file holds too many tracks. Please save it with one picture "
    "and one sound.",
    Reason.TOO_HEAVY: "The video takes too long to prepare. Please save it smaller and try again.",
}
"""Plain default words for each reason, in English; the apps translate by the reason's value."""


class MediaError(Exception):
    """Base of everything that the media engine raises on purpose."""


class Refused(MediaError):
    """The clip cannot be taken. `reason` is for people (see TEXTS), `detail` for the log."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail

    @property
    def text(self) -> str:
        return TEXTS[self.reason]


class Stopped(MediaError):
    """The caller's stop event was set; the work was ended and its files are gone."""


class Failed(MediaError):
    """The machine, not the clip, is at fault: the same clip may pass at the next try."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken, and what is copied without a new encode."""

    bytes: int = 512 << 20
    seconds: float = 180.0
    min_seconds: float = 0.1
    pixels: int = 4096 * 2304
    """Width x height of one coded picture: 4K in either direction."""
    min_side: int = 16
    frames: int = 180 * 60
    tracks: int = 16
    remux_side: int = 1088
    """Shorter side of a picture that may be copied as it is."""
    remux_bits_per_second: int = 12_000_000
    remux_frame_rate: float = 61.0
    remux_gop_seconds: float = 6.0
    cpu_seconds_base: int = 60
    cpu_seconds_per_second: int = 40
    """CPU time one ffmpeg process may take: base + this for each second of the clip."""
    wall_factor: float = 4.0
    """Wall time it may take, as a multiple of that CPU time (other work shares the machine)."""
    memory_bytes: int = 6 << 30


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What a clip is, read from its container and packets; nothing of it was decoded for this."""

    container: str
    """"mov" or "matroska": the one demuxer that ffmpeg is allowed to open it with."""
    size: int
    duration_ms: int
    """From the first to the end of the last frame that is there, not what the header says."""
    video_index: int
    video_codec: str
    profile: str
    pixel_format: str
    coded_width: int
    coded_height: int
    width: int
    """As shown: turned upright, square pixels."""
    height: int
    rotation: int
    """Degrees clockwise that a player turns the coded picture: 0, 90, 180, 270."""
    mirrored: bool
    square_pixels: bool
    interlaced: bool
    frame_rate: float
    frames: int
    video_bits_per_second: int
    longest_gop_ms: int
    keys: int = 1
    """Key frames."""
    clean_packets: bool
    """H.264 in AVCC form, each key packet an IDR, none to be thrown away, starting with a key."""
    matrix: str
    """Colour matrix as ffmpeg names it: bt709, smpte170m, bt2020nc, ... or "" when untold."""
    transfer: str
    """Of light to signal: smpte2084 (PQ), arib-std-b67 (HLG), bt709, or "" for any other."""
    primaries: str = ""
    """bt709, bt2020, smpte432 (P3), ... or "" when untold."""
    full_range: bool
    start_ms: int = 0
    """Time stamp of what is shown or heard first; what is made begins at 0."""
    late_ms: int
    """How much later than the sound the first frame is shown (below 0: the sound is later)."""
    audio_index: int | None
    audio_codec: str
    audio_profile: str
    audio_channels: int
    audio_rate: int

    @property
    def short_side(self) -> int:
        return min(self.width, self.height)

    @property
    def hdr(self) -> bool:
        return self.transfer in ("smpte2084", "arib-std-b67")

    @property
    def wide(self) -> bool:
        """More colours than BT.709 has, at ordinary brightness or high."""
        return self.hdr or self.primaries in ("bt2020", "smpte431", "smpte432")


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What the sealed process that reads a clip says: a probe, or why not."""

    probe: Probe | None
    refused: Reason | None = None
    detail: str = ""


class Audio(enum.StrEnum):
    NONE = "none"
    COPY = "copy"
    ENCODE = "encode"


class Gain(msgspec.Struct, frozen=True):
    """What is done to the loudness of a clip's sound."""

    db: float = 0.0
    limited: bool = False
    """Whether a limiter holds the peaks."""


AS_IT_IS = Gain()


class Codec(enum.StrEnum):
    """Of a picture, with the sound that goes with it."""

    H264 = "h264"
    """With AAC: plays everywhere."""
    AV1 = "av1"
    """With Opus: the same to look at and listen to, in fewer bits."""


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One rendition to make. `copy`: the picture's packets are kept as they are."""

    name: str
    width: int
    height: int
    crf: int = 23
    max_kbps: int = 0
    frame_rate: float = 0.0
    """0: the source's own frame times are kept."""
    copy: bool = False
    codec: Codec = Codec.H264


COPIED = "source"
"""Name of a rendition that is the source's own picture and sound in new boxes."""
LEVELLED = "levelled"
"""The same with its loudness put right: takes that one's place when it is made."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    probe: Probe
    limits: Limits
    remux: bool
    first: Rung
    rest: tuple[Rung, ...]
    modern: tuple[Rung, ...]
    """In AV1, of what is watched much; made by `make_modern`."""
    audio: Audio
    """For the first rendition; the rest always encode sound when there is any."""
    why: str
    """Why it is (not) a remux, for the log: "h264/aac within limits", "codec hevc", ..."""

    @property
    def more(self) -> bool:
        """Whether make_rest may have something to make."""
        return bool(self.rest) or (self.remux and self.audio is not Audio.NONE)


class Piece(msgspec.Struct, frozen=True):
    """A part of a rendition that is still being made. Number 0 is the init part, 1.. are media."""

    number: int
    path: Path
    duration_ms: int
    init: bool


class Fragment(msgspec.Struct, frozen=True):
    """One moof+mdat of a rendition's file; starts with a key frame and can be played alone."""

    offset: int
    size: int
    duration_ms: int


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """One finished fragmented MP4 file with an index of its fragments."""

    name: str
    path: Path
    width: int
    height: int
    bitrate_bps: int
    """The peak over its fragments, as HLS's BANDWIDTH wants it."""
    average_bps: int
    codecs: str
    """RFC 6381, such as "avc1.640020,mp4a.40.2"."""
    frame_rate: float
    duration_ms: int
    size: int
    init_size: int
    """Bytes 0..init_size are ftyp+moov: HLS's EXT-X-MAP."""
    index: tuple[Fragment, ...]


class Posters(msgspec.Struct, frozen=True):
    webp: Path
    jpeg: Path
    width: int
    height: int
    colour: str
    """Dominant colour, "#rrggbb": shown while the poster loads."""


class Storyboard(msgspec.Struct, frozen=True):
    """Small pictures of a clip in one, row by row; the n-th stands for n x step_ms."""

    path: Path
    width: int
    height: int
    """Of one cell, in pixels."""
    columns: int
    cells: int
    step_ms: int
