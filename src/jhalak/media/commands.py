"""ffmpeg's words for a copy, for rungs of the ladder, for stills, and for sound alone.

Key frames stand at 0, 1, 2, 4, 6, ... seconds in every rendition, whatever the frame rate: the
first piece is ready after one second of picture, later ones are large enough to be worth a request,
and all renditions of a clip can be switched between at the same times.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from jhalak.media.colour import scaled_to_bt709
from jhalak.media.model import AS_IT_IS, Audio, Codec, Gain, Plan, Probe, Rung
from jhalak.media.process import SOUND_OPENING, Command

_KEY_TIMES = "expr:gte(t,if(lte(n_forced,2),n_forced,2*(n_forced-1)))"
_FRAGMENTS = "+frag_keyframe+delay_moov+default_base_moof+skip_trailer"
_SHORTEST_COPIED_US = "1000000"
_SOUND_FRAGMENT_US = "2000000"
_STEREO = "aformat=sample_fmts=flt|fltp:channel_layouts=stereo"  # nothing clips in floats
_LIMIT = 0.7  # -3 dB of samples: what lies between them, and the encoder, were seen to add 1.6 dB


def opening(probe: Probe, *options: str) -> tuple[str, ...]:
    """Options of the input: one demuxer, no protocol but the descriptors that it was given."""
    words: list[str] = []
    if probe.container == "mov":
        words += ["-enable_drefs", "0", "-use_absolute_path", "0"]
        # The moov tells all that is needed where a clip begins at 0, and ffmpeg need not decode
        # seven frames before it begins.
        if -_AT_ZERO_MS <= probe.start_ms <= 0:
            words.append("-nofind_stream_info")
    return (
        *("-protocol_whitelist", "fd,pipe", "-f", probe.container, *words),
        *("-max_pixels", str(probe.coded_width * probe.coded_height + _SLACK_PIXELS), *options),
    )


_AT_ZERO_MS = 50
"""An AAC encoder's priming stands this far before 0 at most."""

_SLACK_PIXELS = 64 * 8192
"""Codecs round sizes up to their blocks; a stream that grows beyond this is not what was probed."""

_VMAF = "libvmaf=n_threads=1:n_subsample=2:ts_sync_mode=nearest"

_CLEAN = ("-map_metadata", "-1", "-map_metadata:s", "-1", "-map_chapters", "-1")
_MUXING = ("-fflags", "+bitexact", "-movflags", _FRAGMENTS, "-max_muxing_queue_size", "4096")


def copy_command(
    plan: Plan, source: Path, gain: Gain = AS_IT_IS, sound: Path | None = None
) -> Command:
    """The source's own picture in fragments; its sound too, or encoded when it is not plain AAC.

    `sound`: what is heard instead, at `gain`.
    """
    output = _copying(plan.probe, _sound(plan, plan.audio, gain, sound))
    return Command(source, opening(plan.probe), (output,), sound=sound)


def ladder_command(
    plan: Plan,
    rungs: Sequence[Rung],
    source: Path,
    gain: Gain = AS_IT_IS,
    sound: Path | None = None,
) -> Command:
    """Rungs in one process: decoded once, each scaled from the next larger one. A copy among them,
    the first, has its picture copied beside and the same sound as the others. `sound`: what is
    heard instead of the clip's own.
    """
    probe = plan.probe
    heard = _one_sound(probe, gain, sound, len(rungs))
    seconds = _most_seconds(probe)
    scaled = [rung for rung in rungs if not rung.copy]
    outputs: list[tuple[str, ...]] = []
    for at, rung in enumerate(rungs):
        coder = _OPUS if rung.codec is Codec.AV1 else _coder(probe, sound)
        words = ("-map", f"[a{at}]", *coder) if heard else ()
        if rung.copy:
            outputs.append(_copying(probe, words))
        else:
            outputs.append(_encoding(rung, f"[v{scaled.index(rung)}]", words, seconds))
    graph = ";".join(part for part in (filter_graph(probe, scaled), heard) if part)
    return Command(source, opening(probe), tuple(outputs), graph, sound)


def _copying(probe: Probe, sound: Sequence[str]) -> tuple[str, ...]:
    return (
        *("-map", f"0:{probe.video_index}", *sound, *_CLEAN),
        # SEI messages can hold positions and text of their own; no player needs them.
        *("-c:v", "copy", "-bsf:v", "filter_units=remove_types=6", "-tag:v", "avc1"),
        *("-t", f"{_most_seconds(probe):.3f}", *_MUXING),
        *("-min_frag_duration", _SHORTEST_COPIED_US, "-f", "mp4"),
    )


def _encoding(rung: Rung, end: str, sound: Sequence[str], seconds: float) -> tuple[str, ...]:
    return (
        *("-map", end, *sound, *_CLEAN),
        *_picture(rung),
        *("-maxrate", f"{rung.max_kbps}k", "-bufsize", f"{2 * rung.max_kbps}k"),
        *("-force_key_frames", _KEY_TIMES, "-fps_mode", "vfr"),
        *("-color_primaries", "bt709", "-color_trc", "bt709"),
        *("-colorspace", "bt709", "-color_range", "tv"),
        *("-t", f"{seconds:.3f}", *_MUXING, "-f", "mp4"),
    )


def _picture(rung: Rung) -> tuple[str, ...]:
    if rung.codec is Codec.AV1:
        return (
            *("-c:v", "libsvtav1", "-preset", _AV1_PRESET, "-crf", str(rung.crf), "-g", "600"),
            *("-svtav1-params", "lp=2"),  # else each output takes all cores, and memory for each
        )
    return (
        *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-crf", str(rung.crf)),
        *("-g", "600", "-sc_threshold", "0", "-forced-idr", "1"),
    )


def _sound(plan: Plan, audio: Audio, gain: Gain, other: Path | None) -> tuple[str, ...]:
    """Of the one output of a copy."""
    if audio is Audio.COPY and other is None:
        return ("-map", f"0:{plan.probe.audio_index}", "-c:a", "copy")
    if audio is Audio.NONE and other is None:
        return ()
    stream, steps = _heard(plan.probe, gain, other)
    return ("-map", stream, *_coder(plan.probe, other), "-af", ",".join(steps))


def _one_sound(probe: Probe, gain: Gain, other: Path | None, outputs: int) -> str:
    """The sound of several outputs, [a0], [a1], ...; "" for none. Filtered once: besides its cost,
    a filter of its own for each was seen to stop ffmpeg for ever, each thread waiting for another,
    in one of three runs of a clip whose picture is late (FFmpeg 9.0).
    """
    if other is None and probe.audio_index is None:
        return ""
    stream, steps = _heard(probe, gain, other)
    ends = "".join(f"[a{at}]" for at in range(outputs))
    return f"[{stream}]{','.join([*steps, f'asplit={outputs}'])}{ends}"


def _heard(probe: Probe, gain: Gain, other: Path | None) -> tuple[str, list[str]]:
    """The stream that is heard, and what is done to it."""
    stream, steps = f"0:{probe.audio_index}", [_FILLED, _STEREO]
    if other is not None:
        # From its beginning; silence after its end; cut where the clip ends.
        seconds = f"{probe.duration_ms / 1000:.3f}"
        stream = "1:0"
        steps += [f"apad=whole_dur={seconds}", f"atrim=end={seconds}"]
    if gain.db:
        steps.append(f"volume={gain.db}dB")
    if gain.limited:
        steps.append(f"alimiter=level=false:latency=true:limit={_LIMIT}")
    return stream, steps


def _coder(probe: Probe, other: Path | None) -> tuple[str, ...]:
    rate = "44100" if other is None and probe.audio_rate == 44100 else "48000"
    # The fast coder is the better one at this rate (FFmpeg commit fcb681ac), at half the time.
    return ("-c:a", "aac", "-aac_coder", "fast", "-b:a", "128k", "-ac", "2", "-ar", rate)


_OPUS = ("-c:a", "libopus", "-b:a", "96k", "-ac", "2", "-ar", "48000")  # it knows no 44,100
_AV1_PRESET = "6"  # measured, docs/parts/media.md

# Sound that begins late or has holes is filled with silence, so that it stays with the picture.
_FILLED = "aresample=async=1:first_pts=0"


def sound_command(probe: Probe, source: Path, rate: int) -> Command:
    """The sound alone, one channel of 16-bit samples, `rate` of them a second."""
    output = ("-map", f"0:{probe.audio_index}", "-ac", "1", "-ar", str(rate), "-af", _FILLED)
    end = ("-t", f"{_most_seconds(probe):.3f}", "-c:a", "pcm_s16le", "-f", "s16le")
    return Command(source, opening(probe), ((*output, *end),))


def measure_command(probe: Probe, source: Path) -> Command:
    """The sound as it will be heard, as samples for loudness.Meter."""
    return Command(source, opening(probe), (_measured(f"0:{probe.audio_index}"),))


def measure_sound_command(sound: Path, seconds: float) -> Command:
    """The same of the beginning of a file that `keep_command` made."""
    return Command(sound, (*SOUND_OPENING, "-t", f"{seconds:.3f}"), (_measured("0:0"),))


def _measured(stream: str) -> tuple[str, ...]:
    output = ("-map", stream, "-af", _STEREO, "-ar", "48000", "-ac", "2")
    return (*output, "-c:a", "pcm_f32le", "-f", "f32le")


def keep_command(probe: Probe, rendition: Path, rate: int) -> Command:
    """Of a rendition of ours: its sound as a file of its own, not encoded again; its fingerprint;
    and samples, one channel of 16 bit, `rate` a second, that tell where it is silent.
    """
    stream = ("-map", f"0:{probe.audio_index}")
    file = (*stream, *_CLEAN, "-c:a", "copy", *_MUXING, "-frag_duration", _SOUND_FRAGMENT_US)
    samples = (*stream, "-ac", "1", "-ar", str(rate), "-af", _FILLED, "-c:a", "pcm_s16le")
    outputs = (
        (*file, "-f", "mp4"),
        (*samples, "-f", "chromaprint", "-fp_format", "raw"),
        (*samples, "-f", "s16le"),
    )
    return Command(rendition, opening(probe), outputs)


def quality_command(
    probe: Probe, source: Path, tried: Sequence[Rung], at: float, frames: int
) -> Command:
    """So many frames from the key frame before second `at`, encoded as each of these rungs of one
    size would be, decoded again and compared with what went in, all in one process.

    Nothing comes out; the log tells the VMAF of the n-th rung as that of Parsed_libvmaf_<n>.
    """
    numbers = range(len(tried))
    graph = filter_graph(msgspec.structs.replace(probe, late_ms=0), tried[:1]).removesuffix("[v0]")
    graph += f",trim=end_frame={frames},setpts=PTS-STARTPTS,split={2 * len(tried)}"
    graph += "".join(f"[e{n}][r{n}]" for n in numbers)
    compared = ";".join(f"[dec:{n}][r{n}]{_VMAF}[q{n}]" for n in numbers)
    outputs: list[tuple[str, ...]] = []
    before: tuple[str, ...] = ()
    for n, rung in enumerate(tried):
        words = ("-map", f"[e{n}]", *_picture(rung), "-force_key_frames", _KEY_TIMES)
        outputs.append((*before, *words, "-fps_mode", "vfr", "-f", "null"))
        before = ("-dec", f"{n}:0")  # decodes what the output before it encodes
    for n in numbers:
        before = (*before, "-filter_complex", compared) if n == 0 else ()
        outputs.append((*before, "-map", f"[q{n}]", "-c:v", "wrapped_avframe", "-f", "null"))
    begin = opening(probe, "-noaccurate_seek", "-ss", f"{at:.3f}")
    return Command(source, begin, tuple(outputs), graph)


def _most_seconds(probe: Probe) -> float:
    # A little more than it lasts: only a file that goes on beyond what was probed is cut.
    return probe.duration_ms / 1000 + 0.5


def filter_graph(probe: Probe, rungs: Sequence[Rung], *, rgb: bool = False) -> str:
    """[0:v] to [v0], [v1], ...: rungs from the largest down, each scaled from the one before."""
    chains = []
    at = f"0:{probe.video_index}"
    for number, rung in enumerate(rungs):
        steps = []
        if number == 0 and probe.interlaced:
            steps.append("bwdif=mode=send_frame:deint=interlaced")
        if number == 0 and probe.late_ms > 0:  # the first frame stands until the second comes
            steps.append(f"setpts=PTS-{probe.late_ms / 1000}/TB")
            steps.append(f"tpad=start_mode=clone:start_duration={probe.late_ms}ms")
        if rung.frame_rate:
            # Of a still's few frames each stands until the next, and a single one stands too.
            steps.append(f"fps={rung.frame_rate}{':round=up' if rgb else ''}")
        if number == 0:
            steps += scaled_to_bt709(probe, rung.width, rung.height, rgb=rgb)
        else:
            steps.append(f"scale={rung.width}:{rung.height}:flags=bicubic")
        last = number == len(rungs) - 1
        if not last:
            steps.append("split=2")
        ends = f"[v{number}]" if last else f"[v{number}][s{number}]"
        chains.append(f"[{at}]{','.join(steps)}{ends}")
        at = f"s{number}"
    return ";".join(chains)


def still_command(
    probe: Probe,
    source: Path,
    width: int,
    height: int,
    *,
    keys: bool,
    seconds: float,
    most: int,
    rate: float = 0.0,
) -> Command:
    """The first `most` key frames (or frames) of `seconds` as raw RGB of `width` x `height`."""
    skipping = ("-skip_frame", "nokey", "-threads", "1") if keys else ()
    rung = Rung(name="still", width=width, height=height, frame_rate=rate)
    graph = filter_graph(probe, [rung], rgb=True)
    output = ("-map", "[v0]", "-frames:v", str(most), "-fps_mode", "passthrough")
    outputs = ((*output, "-c:v", "rawvideo", "-f", "rawvideo"),)
    begin = opening(probe, *skipping, "-t", f"{seconds:.3f}")
    return Command(source, begin, outputs, graph)


def preview_command(probe: Probe, source: Path, side: int, seconds: float) -> Command:
    """The clip's beginning, small, muted, at 15 frames a second or fewer."""
    scale = min(1.0, side / probe.short_side)
    width, height = (max(2, round(n * scale / 2) * 2) for n in (probe.width, probe.height))
    rate = 15.0 if probe.frame_rate > 15 else 0.0
    rung = Rung(name="preview", width=width, height=height, crf=30, max_kbps=400, frame_rate=rate)
    outputs = (_encoding(rung, "[v0]", (), seconds),)
    graph = filter_graph(probe, [rung])
    return Command(source, opening(probe, "-t", f"{seconds:.3f}"), outputs, graph)
