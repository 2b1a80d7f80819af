"""What a clip is, asked of a sealed process: libavformat never parses a stranger's file in ours.

reading.py does the work there; this side hands over an open file and takes one answer.
"""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from pathlib import Path

import msgspec

from jhalak.border import python
from jhalak.media.model import Answer, Failed, Limits, Probe, Reason, Refused
from jhalak.media.process import Budget, Ended, run_sealed

_PROGRAM = Path(__file__).with_name("reading_program.py")
_MEMORY_BYTES = 1 << 30
_ANSWER_BYTES = 1 << 16


def probe(path: Path, limits: Limits | None = None) -> Probe:
    """Read a clip. Raises Refused with the reason when it is not taken; Failed, or OSError from the
    disk, when the machine is at fault.
    """
    limits = limits or Limits()
    size = path.stat().st_size
    if size == 0:
        raise Refused(Reason.EMPTY_FILE)
    if size > limits.bytes:
        raise Refused(Reason.TOO_BIG, f"{size} bytes, at most {limits.bytes}")
    answer = bytearray()

    def take(data: bytes) -> None:
        answer.extend(data)
        if len(answer) > _ANSWER_BYTES:
            raise Refused(Reason.DAMAGED, "an answer that goes on and on")

    program, library = python()
    folders = _folders()
    told = msgspec.json.encode(limits).decode()

    def words(files: list[int], pipes: list[int]) -> list[str]:
        numbers = [str(files[0]), str(pipes[0])]
        return [program, "-I", "-S", str(_PROGRAM), *numbers, told, *map(str, folders)]

    ended = run_sealed(
        words,
        [path],
        [take],
        Budget(
            limits.cpu_seconds_base, limits.cpu_seconds_base * limits.wall_factor, _MEMORY_BYTES
        ),
        reads=(*library, *folders),
    )
    found = _judge(ended, bytes(answer))
    if not _believable(found, limits):
        raise Refused(Reason.DAMAGED, "the reading answers beyond the limits")
    return found


@cache
def _folders() -> tuple[Path, ...]:
    """Where the sealed process finds what it imports; our own folder first."""
    # Once here too: Python keeps what it compiles beside the sources, and there it cannot write.
    importlib.import_module("jhalak.media.reading")
    found = [importlib.util.find_spec(name) for name in ("av", "msgspec")]
    origins = [Path(spec.origin).resolve() for spec in found if spec and spec.origin]
    return (_PROGRAM.resolve().parent, *sorted({origin.parents[1] for origin in origins}))


def _believable(found: Probe, limits: Limits) -> bool:
    """What is built on it stays within bounds, even if whoever read the file was taken over."""
    sides = (found.coded_width, found.coded_height, found.width, found.height)
    return (
        found.container in ("mov", "matroska")
        and min(sides) > 0
        and found.coded_width * found.coded_height <= limits.pixels
        and found.width * found.height <= 4 * limits.pixels  # square pixels
        and 0 <= found.duration_ms <= 1000 * (limits.seconds + 1)
        and 0 < found.frames <= limits.frames
    )


def _judge(ended: Ended, answer: bytes) -> Probe:
    if ended.out_of_time:
        raise Refused(Reason.TOO_HEAVY, "out of CPU time")
    if ended.status == 0:
        try:
            said = msgspec.msgpack.decode(answer, type=Answer)
        except msgspec.DecodeError as error:
            raise Refused(Reason.DAMAGED, f"no answer that can be read: {error}") from error
        if said.probe is not None:
            return said.probe
        raise Refused(said.refused or Reason.DAMAGED, said.detail)
    if "Cannot allocate memory" in ended.complaint or "MemoryError" in ended.complaint:
        raise Refused(Reason.TOO_HEAVY, ended.complaint)
    if ended.crashed:
        raise Refused(Reason.DAMAGED, f"reading it ended with {ended.status}: {ended.complaint}")
    raise Failed(f"the reading ended with {ended.status}: {ended.complaint}")
