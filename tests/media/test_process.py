"""ffmpeg gets few rights, ends when asked, and never outlives us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from jhalak.border import Wall, survey
from jhalak.media import Failed, Limits, Reason, Refused, Stopped, plan, probe
from jhalak.media.arguments import check
from jhalak.media.commands import copy_command, ladder_command, still_command
from jhalak.media.process import Budget, Command, Usage, ffmpeg, run
from tests.border.conftest import in_a_poor_kernel

pytestmark = pytest.mark.slow

_BUDGET = Budget(cpu_seconds=60, wall_seconds=60, memory_bytes=6 << 30)


def _endless(source: Path) -> Command:
    """Decodes far more than a test may take: the clip at a rate that makes millions of frames."""
    outputs = (("-map", "[v0]", "-c:v", "rawvideo", "-f", "rawvideo"),)
    return Command(source, ("-f", "mov"), outputs, "[0:0]fps=100000[v0]")


def test_only_words_of_the_list_are_allowed(plain: Path) -> None:
    found = probe(plain)
    for command in (
        copy_command(plan(found), plain),
        ladder_command(plan(found, Limits(remux_side=1)), [plan(found).first], plain),
        still_command(found, plain, 100, 100, keys=True, seconds=1, most=1),
    ):
        graph = ["-filter_complex", command.graph] if command.graph else []
        check([*command.opening, "-i", "fd:", *graph, *command.outputs[0], "pipe:5"])
    for words in (
        ["-filter_script", "file:/etc/passwd"],
        ["-i", "http://example.org/a.mp4"],
        ["-i", "concat:/etc/passwd"],
        ["-i", "/etc/passwd"],
        ["-i", "file:/etc/passwd"],
        ["-fd", "/etc/passwd"],
        ["-f", "lavfi"],
        ["-f", "hls"],
        ["-map", "1:1"],
        ["-fp_format", "base64"],
        ["-y"],
        ["file:/tmp/out.mp4"],
        ["/tmp/out.mp4"],
        ["-protocol_whitelist", "fd,pipe,file"],
        ["-filter_complex", "[0:0]scale=2:2[a];movie=secret[v0]"],
        ["-filter_complex", "subtitles=f=secret"],
        ["-af", "volume=1,amovie=secret"],
        ["-c:v", "libx264;rm"],
        ["-preset"],
        ["-dump_attachment:t", "secret"],
    ):
        with pytest.raises(ValueError, match=r"allowed|without|pipe"):
            check(words)


def test_a_word_outside_of_the_list_starts_nothing(plain: Path) -> None:
    bad = Command(plain, (), (("-f", "mp4", "-report"),))
    with pytest.raises(ValueError, match="not allowed"):
        run(bad, [lambda _: None], _BUDGET)


def test_bytes_come_to_their_sink_and_progress_only_rises(plain: Path) -> None:
    found = probe(plain)
    got = bytearray()
    shares: list[float] = []
    command = ladder_command(plan(found, Limits(remux_side=1)), [plan(found).first], plain)
    usage = run(
        command, [got.extend], _BUDGET, duration_ms=found.duration_ms, on_progress=shares.append
    )
    assert got[4:8] == b"ftyp"
    assert isinstance(usage, Usage)
    assert usage.cpu_seconds > 0
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all(0 < share <= 1 for share in shares)


@pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
def test_ffmpeg_runs_behind_every_wall_that_stands_here(plain: Path) -> None:
    class Seen(Exception):
        pass

    spaces = {
        Wall.USER: "user",
        Wall.NETWORK: "net",
        Wall.IPC: "ipc",
        Wall.MOUNT: "mnt",
        Wall.PID: "pid",
    }

    def look(_: bytes) -> None:
        (pid,) = (pid for pid in _descendants() if _is_ffmpeg(pid))
        standing = survey().standing
        for wall, space in spaces.items():
            ours, its = (Path(f"/proc/{who}/ns/{space}").readlink() for who in ("self", pid))
            assert (ours != its) == (wall in standing), wall
        status = Path(f"/proc/{pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert ("Seccomp:\t2" in status) == (Wall.CALLS in standing)
        for kind in ("Inh", "Prm", "Eff", "Amb"):
            assert f"Cap{kind}:\t{0:016x}" in status
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        assert str(plain).encode() not in words
        raise Seen

    with pytest.raises(Seen):
        run(_endless(plain), [look], _BUDGET)


@pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
def test_where_the_kernel_gives_no_namespaces_it_still_works(plain: Path, tmp_path: Path) -> None:
    if Wall.USER in survey().refused:
        pytest.skip("the kernel gives none at all: every other test is this one")
    told = in_a_poor_kernel(
        ["user", "net", "ipc", "mnt", "pid"],
        f"""
        from pathlib import Path
        from jhalak.border import survey
        from jhalak.media import make_first, plan, probe
        source = Path({str(plain)!r})
        made = make_first(plan(probe(source)), source, Path({str(tmp_path)!r}))
        print(len(survey().refused), made.name)
        """,
    )
    assert told.split() == ["5", "source"]
    assert [path.name for path in tmp_path.iterdir()] == ["source.mp4"]


def test_it_ends_promptly_when_asked(plain: Path) -> None:
    stop = threading.Event()
    begun = threading.Event()

    def sink(_: bytes) -> None:
        begun.set()

    def ask() -> None:
        begun.wait(20)
        stop.set()

    threading.Thread(target=ask).start()
    with pytest.raises(Stopped):
        run(_endless(plain), [sink], _BUDGET, stop=stop)
    assert _children() == set()
    with pytest.raises(Stopped):
        run(_endless(plain), [sink], _BUDGET, stop=stop)


def test_it_ends_when_its_time_is_over(plain: Path) -> None:
    with pytest.raises(Refused) as caught:
        run(_endless(plain), [lambda _: None], Budget(60, 1.0, 6 << 30))
    assert caught.value.reason == Reason.TOO_HEAVY
    with pytest.raises(Refused) as caught:
        run(_endless(plain), [lambda _: None], Budget(1, 60.0, 6 << 30))
    assert caught.value.reason == Reason.TOO_HEAVY
    assert _children() == set()


def test_too_little_memory_is_told_and_not_a_crash(plain: Path) -> None:
    found = probe(plain)
    command = ladder_command(plan(found, Limits(remux_side=1)), [plan(found).first], plain)
    with pytest.raises((Refused, Failed)):
        run(command, [lambda _: None], Budget(60, 60.0, 64 << 20))


def test_a_sink_that_fails_ends_it(plain: Path) -> None:
    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="space"):
        run(_endless(plain), [full], _BUDGET)
    assert _children() == set()


def test_killed_by_another_hand_is_worth_another_try(plain: Path) -> None:
    def kill(_: bytes) -> None:
        for child in _children():
            os.kill(child, signal.SIGKILL)

    with pytest.raises(Failed):
        run(_endless(plain), [kill], _BUDGET)


def test_what_cannot_be_read_is_refused_with_ffmpegs_words(tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"nothing of the kind" * 20)
    with pytest.raises(Refused, match=r"Invalid data|moov") as caught:
        run(_endless(tmp_path / "no.mp4"), [lambda _: None], _BUDGET)
    assert caught.value.reason == Reason.DAMAGED


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_no_orphan_survives_a_killed_parent(plain: Path) -> None:
    program = textwrap.dedent(
        f"""
        from tests.media.test_process import _BUDGET, _descendants, _endless
        from jhalak.media.process import run
        from pathlib import Path
        told = False
        def sink(data):
            global told
            if not told:
                told = True
                print(*_descendants(), flush=True)
        run(_endless(Path({str(plain)!r})), [sink], _BUDGET)
        """
    )
    path = os.pathsep.join(["src", ".", *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        cwd=Path(__file__).parents[2],
    ) as parent:
        assert parent.stdout is not None
        children = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
    assert children
    deadline = time.monotonic() + 10
    while any(_alive(child) for child in children):
        assert time.monotonic() < deadline, "ffmpeg outlived its parent"
        time.sleep(0.02)


def _children(of: int | None = None) -> set[int]:
    """Processes whose parent we are (or that a killed test of ours left)."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == (of or os.getpid()) and words[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def _descendants() -> set[int]:
    found = more = _children()
    while more := {pid for parent in more for pid in _children(parent)}:
        found = found | more
    return found


def _is_ffmpeg(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(ffmpeg().encode())


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
