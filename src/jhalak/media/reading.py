"""What a clip is: read from its boxes and packets, with no picture decoded by us. Runs sealed.

In this order, each step refusing with its own reason: size, first bytes (sniffing.py), boxes of the
moov (pixels, tracks, encryption, before any library opens the file), then libavformat through PyAV
with one demuxer named and the pixel limit handed to it, then all packets: how many, how long, how
often a key frame. Headers may lie about duration and frame rate; packets are what will be decoded.
Matroska's turn is told by the first frame alone, which is decoded for it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import cast

import av
import av.error
from av.audio.stream import AudioStream
from av.buffer import Buffer
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from jhalak.media.boxes import BadBoxes, Movie, TooManyTracks, load_moov, read_movie, turn_of
from jhalak.media.dolby import check_dolby_vision
from jhalak.media.model import Limits, Probe, Reason, Refused
from jhalak.media.packets import Tally, avcc_length_size
from jhalak.media.sniffing import HEAD_BYTES, sniff

VIDEO_CODECS = frozenset(
    "av1 h263 h264 hevc mjpeg mpeg2video mpeg4 prores vp8 vp9 vvc".split()  # noqa: SIM905
)
AUDIO_CODECS = frozenset(
    "aac ac3 alac amrnb amrwb eac3 flac mp2 mp3 opus vorbis".split()  # noqa: SIM905
)
_ENCRYPTED_ENTRIES = ("encv", "enca", "drmi", "drms")
_DEFAULT_TRACK = 0x1
_ATTACHED_PICTURE = 0x400
# The numbers of ITU-T H.273, as libavutil/pixfmt.h has them, to ffmpeg's names.
_MATRICES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc"}
_TRANSFERS = {1: "bt709", 16: "smpte2084", 18: "arib-std-b67"}
_PRIMARIES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020", 11: "smpte431", 12: "smpte432"}
_FULL_RANGE = 2
_PROGRESSIVE = (0, 1)


def read(source: int, limits: Limits) -> Probe:
    """Read the open file `source`. Raises Refused."""
    with os.fdopen(source, "rb", closefd=False) as file:
        size = os.fstat(source).st_size
        container = sniff(file.read(HEAD_BYTES))
        movie: Movie | None = None
        if container == "mov":
            try:
                data, moov = load_moov(file, size)
                movie = read_movie(data, moov)
                check_dolby_vision(data, moov)
            except TooManyTracks as error:
                raise Refused(Reason.TOO_MANY_TRACKS, str(error)) from error
            except BadBoxes as error:
                raise Refused(Reason.DAMAGED, str(error)) from error
            _check_movie(movie, limits)
    os.lseek(source, 0, os.SEEK_SET)  # libavformat goes on where we stand
    options = {
        "fd": str(source),
        "protocol_whitelist": "fd",
        "max_pixels": str(limits.pixels),
        "threads": "1",
        "analyzeduration": "2000000",
    }
    try:
        with av.open("fd:", format=container, options=options) as opened:
            return _Reading(opened, container, size, movie, limits).probe()
    except av.error.FFmpegError as error:
        raise Refused(Reason.DAMAGED, str(error)) from error


def _check_movie(movie: Movie, limits: Limits) -> None:
    if len(movie.tracks) > limits.tracks:
        raise Refused(Reason.TOO_MANY_TRACKS, f"{len(movie.tracks)} tracks")
    for track in movie.tracks:
        if any(entry in _ENCRYPTED_ENTRIES for entry in track.entries):
            raise Refused(Reason.ENCRYPTED, f"track {track.id}")
        if track.handler == "vide":
            _check_pixels(track.width, track.height, limits)
            if track.timescale and track.samples > 1 and not movie.fragmented:
                _check_seconds(track.duration / track.timescale, limits)
            if track.samples > limits.frames:
                raise Refused(Reason.TOO_MANY_FRAMES, f"{track.samples} frames")


def _check_pixels(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise Refused(Reason.TOO_MANY_PIXELS, f"{width}x{height}")


def _check_seconds(seconds: float, limits: Limits) -> None:
    if seconds > limits.seconds + 0.5:  # a clip cut to the limit may end a frame or two after it
        raise Refused(Reason.TOO_LONG, f"{seconds:.1f} s, at most {limits.seconds:.0f}")


class _Reading:
    """One open container on its way to a Probe."""

    def __init__(
        self,
        opened: InputContainer,
        container: str,
        size: int,
        movie: Movie | None,
        limits: Limits,
    ) -> None:
        self.opened = opened
        self.container = container
        self.size = size
        self.limits = limits
        self.movie = movie
        self.turn: tuple[int, bool] | None = None
        if len(opened.streams) > limits.tracks:
            raise Refused(Reason.TOO_MANY_TRACKS, f"{len(opened.streams)} streams")
        self.video = self._picture()
        self.audio = self._sound()

    def probe(self) -> Probe:
        video, audio = self.video, self.audio
        context = video.codec_context
        _check_pixels(context.width, context.height, self.limits)
        if min(context.width, context.height) < self.limits.min_side:
            raise Refused(Reason.TOO_SMALL, f"{context.width}x{context.height}")
        tally = self._count()
        rotation, mirrored = self.turn or (0, False)
        aspect = float(video.sample_aspect_ratio or 1) or 1.0
        if not 0.25 <= aspect <= 4:
            aspect = 1.0
        square = abs(aspect - 1) < 0.01
        width, height = float(context.width), float(context.height)
        if not square:
            width, height = (width * aspect, height) if aspect > 1 else (width, height / aspect)
        if rotation % 180:
            width, height = height, width
        return Probe(
            container=self.container,
            size=self.size,
            duration_ms=round(tally.seconds * 1000),
            video_index=video.index,
            video_codec=_plain_name(context.name),
            profile=str(context.profile or ""),
            pixel_format=str(context.pix_fmt or ""),
            coded_width=context.width,
            coded_height=context.height,
            width=round(width),
            height=round(height),
            rotation=rotation,
            mirrored=mirrored,
            square_pixels=square,
            interlaced=int(getattr(context, "field_order", 0)) not in _PROGRESSIVE,
            frame_rate=tally.frame_rate,
            frames=tally.frames,
            video_bits_per_second=tally.bits_per_second,
            longest_gop_ms=tally.longest_gop_ms,
            keys=max(1, tally.keys),
            clean_packets=tally.clean,
            matrix=_MATRICES.get(int(context.colorspace), ""),
            primaries=_PRIMARIES.get(int(context.color_primaries), ""),
            transfer=_TRANSFERS.get(int(context.color_trc), ""),
            full_range=int(context.color_range) == _FULL_RANGE,
            start_ms=tally.start_ms,
            late_ms=tally.late_ms,
            audio_index=audio.index if audio else None,
            audio_codec=_plain_name(audio.codec_context.name) if audio else "",
            audio_profile=str(audio.profile or "") if audio else "",
            audio_channels=audio.codec_context.channels if audio else 0,
            audio_rate=audio.codec_context.sample_rate if audio else 0,
        )

    def _picture(self) -> VideoStream:
        """The picture to show: the first whole one, not a cover or an empty track."""
        shown = [
            stream
            for stream in self.opened.streams.video
            if not int(stream.disposition) & _ATTACHED_PICTURE
        ]
        if not shown:
            raise Refused(Reason.ONLY_SOUND, "no video stream")
        readable = [s for s in shown if _plain_name(_context_name(s)) in VIDEO_CODECS]
        if not readable:
            raise Refused(Reason.WRONG_CODEC, f"codec {_context_name(shown[0]) or 'unknown'}")
        stream = max(readable, key=self._worth)
        if not stream.codec_context.pix_fmt:
            # libavformat decoded nothing of it: locked, cut before the first frame, or too large.
            raise Refused(Reason.DAMAGED, "the first picture cannot be read")
        return stream

    def _worth(self, stream: VideoStream) -> tuple[bool, bool, bool]:
        """Of several pictures the first is taken, as players do, but before it whatever is not an
        empty track, a thumbnail, or one that its maker turned off (a depth map, a second eye).
        """
        context = stream.codec_context
        large = min(context.width, context.height) >= self.limits.min_side
        return bool(context.pix_fmt), large, bool(int(stream.disposition) & _DEFAULT_TRACK)

    def _sound(self) -> AudioStream | None:
        streams = list(self.opened.streams.audio)
        for stream in streams:
            name = _plain_name(_context_name(stream))
            if (name in AUDIO_CODECS or name.startswith("pcm_")) and stream.codec_context.channels:
                return stream
        if streams:
            raise Refused(Reason.WRONG_SOUND, f"codec {_context_name(streams[0]) or 'unknown'}")
        return None

    def _turn(self, packet: Packet[Stream]) -> tuple[int, bool] | None:
        """Rotation and mirroring: the box's, or in Matroska the first frame's, once it is there."""
        if self.movie is not None:
            tracks = (track for track in self.movie.tracks if track.id == self.video.id)
            return next(((track.rotation, track.mirrored) for track in tracks), (0, False))
        for frame in self.video.decode(packet):
            matrix = cast(Buffer | None, frame.side_data.get("DISPLAYMATRIX"))
            return (0, False) if matrix is None else turn_of(struct.unpack("9i", matrix))
        return None

    def _count(self) -> Tally:
        """Every packet of the picture and the sound, up to the limits."""
        limits = self.limits
        avc = _plain_name(self.video.codec_context.name) == "h264"
        extradata = self.video.codec_context.extradata if avc else None
        tally = Tally(avcc_length_size(extradata or b""))
        for packet in self._packets():
            if packet.dts is None and packet.pts is None:
                continue  # the empty packet at the end
            if packet.stream_index == self.video.index:
                tally.picture(packet)
                if self.turn is None:
                    self.turn = self._turn(packet)
                if tally.frames > limits.frames:
                    raise Refused(Reason.TOO_MANY_FRAMES, f"more than {limits.frames}")
            else:
                tally.sound(packet)
            _check_seconds(tally.seconds, limits)
        if tally.frames == 0:
            raise Refused(Reason.DAMAGED, "no frame is there")
        if tally.frames == 1:
            raise Refused(Reason.STILL_IMAGE, "one frame")
        if tally.seconds < limits.min_seconds:
            raise Refused(Reason.TOO_SHORT, f"{tally.seconds:.3f} s")
        return tally

    def _packets(self) -> Iterator[Packet[Stream]]:
        streams = [self.video] if self.audio is None else [self.video, self.audio]
        return iter(self.opened.demux(*streams))


def _context_name(stream: VideoStream | AudioStream) -> str:
    # PyAV has no context for a codec that FFmpeg does not know.
    context = stream.codec_context
    return context.name if context is not None else ""


def _plain_name(name: str) -> str:
    """A decoder's name to its codec's: "libdav1d" is av1, "mp3float" is mp3."""
    known = {"libdav1d": "av1", "mp3float": "mp3", "mp2float": "mp2", "libopus": "opus"}
    return known.get(name, name)
