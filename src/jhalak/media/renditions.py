"""Making the renditions of a plan, so that a failed run leaves nothing behind.

Every stream of ffmpeg goes into a file with a name of its own that is renamed only when its index
is written: where `out`/<name>.mp4 is, it is whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from jhalak.media import quality
from jhalak.media.boxes import BadBoxes
from jhalak.media.commands import copy_command, ladder_command
from jhalak.media.fragments import Finished, FragmentedFile
from jhalak.media.loudness import gain, measure, measure_sound
from jhalak.media.model import (
    AS_IT_IS,
    LEVELLED,
    Failed,
    Gain,
    Piece,
    Plan,
    Reason,
    Refused,
    Rendition,
    Rung,
)
from jhalak.media.process import Budget, Command, run

_HEARD_DB = 1.0
_LATER_NICE = 5
"""The rest is made behind the first renditions of other clips."""
_LAST_NICE = 10


def make_first(
    plan: Plan,
    source: Path,
    out: Path,
    on_piece: Callable[[Piece], None] | None = None,
    on_progress: Callable[[float], None] | None = None,
    *,
    sound: Path | None = None,
    stop: threading.Event | None = None,
) -> Rendition:
    """The first playable rendition, as `out`/<name>.mp4. `sound`: a file of `keep_sound` that is
    heard instead of the clip's own.

    While 540p is being encoded `out`/<name>-0.mp4 (init) and `out`/<name>-<n>.m4s appear one by one
    through `on_piece`; a remux gives no pieces. Raises Refused, Stopped or Failed, and then leaves
    no file behind; an exception of `on_piece` or `on_progress` ends the work and is passed on.
    """
    plain = plan.remux and sound is None  # at once; its loudness is for `make_rest`
    level = AS_IT_IS if plain else _gain(plan, source, sound, stop)
    if plan.remux:
        command, on_piece = copy_command(plan, source, level, sound), None
    else:
        command = ladder_command(plan, [plan.first], source, level, sound)
    work = _Work(plan, [plan.first], out, on_piece)
    return work.make(command, on_progress, stop, nice=0)[0]


def make_rest(
    plan: Plan,
    source: Path,
    out: Path,
    on_progress: Callable[[float], None] | None = None,
    *,
    sound: Path | None = None,
    stop: threading.Event | None = None,
) -> tuple[Rendition, ...]:
    """All other rungs in one ffmpeg process, as fine as the clip needs (`quality`); `()` at once
    when there is nothing to make.

    Of a copy whose loudness is wrong there is also `LEVELLED`, first: the copy was playable at
    once with the sound it had, and no rendition may be louder than another for long. `sound`: as in
    `make_first`.
    """
    rungs, level = quality.fitted(plan, plan.rest, source, stop, nice=_LATER_NICE), AS_IT_IS
    if rungs or (plan.more and sound is None):
        level = _gain(plan, source, sound, stop)
    if plan.remux and sound is None:
        if _heard(level):
            rungs = (msgspec.structs.replace(plan.first, name=LEVELLED), *rungs)
        else:
            level = AS_IT_IS
    if not rungs:
        return ()
    command = ladder_command(plan, rungs, source, level, sound)
    work = _Work(plan, rungs, out, None)
    return work.make(command, on_progress, stop, nice=_LATER_NICE)


def make_modern(
    plan: Plan,
    source: Path,
    out: Path,
    on_progress: Callable[[float], None] | None = None,
    *,
    sound: Path | None = None,
    stop: threading.Event | None = None,
) -> tuple[Rendition, ...]:
    """The rungs in AV1 with Opus, in one ffmpeg process, behind all other work; each looks like its
    step in H.264 (`quality`). `sound` and what is raised: as in `make_first`.
    """
    rungs = quality.alike(plan, plan.modern, source, stop, nice=_LAST_NICE)
    command = ladder_command(plan, rungs, source, _gain(plan, source, sound, stop), sound)
    return _Work(plan, rungs, out, None).make(command, on_progress, stop, nice=_LAST_NICE)


def _gain(plan: Plan, source: Path, sound: Path | None, stop: threading.Event | None) -> Gain:
    if sound is not None:
        return gain(measure_sound(sound, plan.probe.duration_ms, plan.limits, stop))
    return gain(measure(plan.probe, source, plan.limits, stop))


def _heard(level: Gain) -> bool:
    """Whether somebody who swipes from clip to clip would hear that it was not put right."""
    return level.limited or abs(level.db) >= _HEARD_DB


class _Work:
    """The files of one run."""

    def __init__(
        self,
        plan: Plan,
        rungs: Sequence[Rung],
        out: Path,
        on_piece: Callable[[Piece], None] | None,
    ) -> None:
        self.plan = plan
        self.rungs = rungs
        self.out = out
        self.on_piece = on_piece
        self.done: list[Path] = []

    def make(
        self,
        command: Command,
        on_progress: Callable[[float], None] | None,
        stop: threading.Event | None,
        *,
        nice: int,
    ) -> tuple[Rendition, ...]:
        duration_ms = self.plan.probe.duration_ms
        budget = Budget.of(self.plan.limits, duration_ms, nice=nice)
        files: list[FragmentedFile] = []
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            files += [self._open(rung) for rung in self.rungs]
            run(
                command,
                [file.feed for file in files],
                budget,
                duration_ms=duration_ms,
                on_progress=on_progress,
                stop=stop,
            )
            pairs = zip(self.rungs, files, strict=True)
            return tuple(self._finish(rung, file) for rung, file in pairs)
        except BaseException as error:
            for file in files:
                file.abandon()
            for path in self.done:
                path.unlink(missing_ok=True)
            if isinstance(error, BadBoxes):
                raise Refused(Reason.DAMAGED, f"no whole stream came: {error}") from error
            if isinstance(error, OSError):
                raise Failed(f"cannot write: {error}") from error
            raise

    def _open(self, rung: Rung) -> FragmentedFile:
        def piece_path(number: int) -> Path:
            return self.out / f"{rung.name}-{number}.{'m4s' if number else 'mp4'}"

        return FragmentedFile(
            self.out / f".{rung.name}.part",
            # Fragments last a second or more; the second term is for the ragged ends.
            room=self.plan.probe.duration_ms // 1000 + 8,
            piece_path=piece_path if self.on_piece else None,
            on_piece=self.on_piece,
        )

    def _finish(self, rung: Rung, file: FragmentedFile) -> Rendition:
        made = file.finish()
        path = self.out / f"{rung.name}.mp4"
        file.path.replace(path)
        self.done.append(path)
        return Rendition(
            name=rung.name,
            path=path,
            width=rung.width,
            height=rung.height,
            bitrate_bps=_peak(made),
            average_bps=_bits_per_second(made.size, made.duration_ms),
            codecs=made.codecs,
            frame_rate=round(made.frame_rate, 3),
            duration_ms=made.duration_ms,
            size=made.size,
            init_size=made.init_size,
            index=made.index,
        )


def _bits_per_second(size: int, duration_ms: int) -> int:
    return round(size * 8000 / max(1, duration_ms))


def _peak(made: Finished) -> int:
    # A last fragment of two frames would say nothing about what a line must carry.
    long_enough = [f for f in made.index if f.duration_ms >= 500]
    rates = [_bits_per_second(f.size, f.duration_ms) for f in long_enough]
    return max(rates, default=_bits_per_second(made.size, made.duration_ms))
