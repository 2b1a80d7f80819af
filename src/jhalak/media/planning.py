"""From what a clip is to what is made of it. Pure arithmetic, no file is touched.

A phone's clip that browsers play as it is (H.264 8 bit 4:2:0 with AAC, upright, of moderate rate)
is copied: playable in a fraction of a second and nothing is lost. Anything else becomes 540p first,
because its first seconds are ready in about one, and 1080p, 720p and 360p after it.

A rung is named by the shorter side, so that 540p of a portrait clip is 540x960. To change the
ladder, change LADDER; docs/parts/media.md says what else depends on it.
"""

from __future__ import annotations

import msgspec

from jhalak.media.model import COPIED, Audio, Codec, Limits, Plan, Probe, Rung


class Step(msgspec.Struct, frozen=True):
    """One step of the ladder, before it meets a clip."""

    name: str
    side: int
    crf: int
    max_kbps: int
    max_frame_rate: float


LADDER = (
    Step("360", 360, 21, 700, 33.0),  # with its sound on half of a line of 1.6 Mb/s
    Step("540", 540, 21, 2200, 33.0),
    Step("720", 720, 23, 4000, 61.0),
    Step("1080", 1080, 23, 7000, 61.0),
)
FIRST = "540"
MODERN = ("540", "720")
"""Steps that are made in AV1 too: what is decoded without a chip for it, and the one above."""
_SAVES = 0.7
"""Of the peak rate: what AV1 is given of what H.264 may take."""
_AV1, _AV1_CRF = "av1", 40
_LONGEST = 2.4
"""The longer side is at most this many times a step's side: a panorama is scaled by its length."""
_APART = 1.2
"""A step less than this much larger than the one below it is not worth its bytes."""

_TOGETHER_MS = 100
"""Picture and sound may begin this far apart in a copy: players that know no edit list then show
them that far apart, which is hardly seen. B-frames without an edit list give 67 ms at 30 frames."""

_H264_PROFILES = ("Baseline", "Constrained Baseline", "Main", "High")
_PIXELS = ("yuv420p", "yuvj420p")


def plan(probe: Probe, limits: Limits | None = None) -> Plan:
    """What to make of a probed clip. Never fails on a Probe that `probe()` returned."""
    limits = limits or Limits()
    why = _why_not_copy(probe, limits)
    ladder = _ladder(probe)
    if why:
        first = next(rung for rung in ladder if rung.name == FIRST)
        rest = tuple(rung for rung in reversed(ladder) if rung is not first)
        audio = Audio.NONE if probe.audio_index is None else Audio.ENCODE
    else:
        first = Rung(name=COPIED, width=probe.width, height=probe.height, copy=True)
        # Smaller ones help a slow line; one of the source's own size would not.
        rest = tuple(rung for rung in reversed(ladder) if _side(rung) * _APART <= probe.short_side)
        audio = _sound_of_copy(probe)
        why = f"{probe.video_codec} {probe.audio_codec or 'without sound'} within limits"
    return Plan(
        probe=probe,
        limits=limits,
        remux=first.copy,
        first=first,
        rest=rest,
        modern=tuple(_in_av1(rung) for rung in reversed(ladder) if rung.name in MODERN),
        audio=audio,
        why=why,
    )


def _in_av1(rung: Rung) -> Rung:
    """The name of the step with `av1` behind it. Its CRF is found for each clip, see `quality`."""
    return msgspec.structs.replace(
        rung,
        name=f"{rung.name}{_AV1}",
        crf=_AV1_CRF,
        max_kbps=round(rung.max_kbps * _SAVES),
        codec=Codec.AV1,
    )


def in_h264(plan: Plan, rung: Rung) -> Rung:
    """The rung in H.264 that one in AV1 stands beside."""
    name = rung.name.removesuffix(_AV1)
    return next(one for one in _ladder(plan.probe) if one.name == name)


def phone(probe: Probe) -> Rung:
    """The rung that quality is measured at: as large as a phone shows it."""
    return _rung(next(step for step in LADDER if step.name == FIRST), probe)


def _side(rung: Rung) -> int:
    return min(rung.width, rung.height)


def _why_not_copy(probe: Probe, limits: Limits) -> str:
    """Why the picture cannot be copied, or "" when it can."""
    checks = (
        (probe.video_codec == "h264", f"codec {probe.video_codec}"),
        (probe.profile in _H264_PROFILES, f"profile {probe.profile}"),
        (probe.pixel_format in _PIXELS, f"pixels {probe.pixel_format}"),
        (not probe.hdr, f"transfer {probe.transfer}"),
        (not probe.wide, f"primaries {probe.primaries}"),
        (not probe.interlaced, "interlaced"),
        (probe.rotation == 0 and not probe.mirrored, f"turned by {probe.rotation}"),
        (probe.square_pixels, "pixels are not square"),
        (probe.width % 2 == 0 and probe.height % 2 == 0, "odd size"),
        (probe.short_side <= limits.remux_side, f"{probe.width}x{probe.height}"),
        (probe.frame_rate <= limits.remux_frame_rate, f"{probe.frame_rate:.0f} frames a second"),
        (
            probe.video_bits_per_second <= limits.remux_bits_per_second,
            f"{probe.video_bits_per_second // 1000} kb/s",
        ),
        (probe.clean_packets, "packets cannot be copied"),
        (probe.late_ms <= _TOGETHER_MS, f"the picture is {probe.late_ms} ms late"),
        (
            probe.longest_gop_ms <= limits.remux_gop_seconds * 1000,
            f"{probe.longest_gop_ms} ms between key frames",
        ),
    )
    return next((why for holds, why in checks if not holds), "")


def _sound_of_copy(probe: Probe) -> Audio:
    if probe.audio_index is None:
        return Audio.NONE
    plain = probe.audio_codec == "aac" and probe.audio_profile == "LC"
    # Sound that begins late is filled with silence, which needs an encode.
    together = probe.late_ms >= -_TOGETHER_MS
    return Audio.COPY if plain and together and probe.audio_channels <= 2 else Audio.ENCODE


def _ladder(probe: Probe) -> list[Rung]:
    """From the smallest up. The first one to be made is always among them."""
    rungs: list[Rung] = []
    for step in LADDER:
        rung = _rung(step, probe)
        if rungs and _side(rung) < _side(rungs[-1]) * _APART:
            if rung.name != FIRST:
                continue
            rungs.pop()
        rungs.append(rung)
    return rungs


def _rung(step: Step, probe: Probe) -> Rung:
    width, height = probe.width, probe.height
    short, long = min(width, height), max(width, height)
    scale = min(1.0, step.side / short, step.side * _LONGEST / long)
    rate = 0.0
    if probe.frame_rate > step.max_frame_rate:
        # A whole divisor keeps the steps of motion even: 60 -> 30, 50 -> 25, 120 -> 60.
        divisor = 2
        while probe.frame_rate / divisor > step.max_frame_rate:
            divisor += 1
        rate = round(probe.frame_rate / divisor, 3)
    return Rung(
        name=step.name,
        width=_even(width * scale),
        height=_even(height * scale),
        crf=step.crf,
        max_kbps=step.max_kbps,
        frame_rate=rate,
    )


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)
