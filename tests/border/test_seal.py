"""Each way out is seen to work without the seal, and to be shut by every wall that should shut it,
alone and with the others.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jhalak.border import PROGRAM_WALLS, Rules, Seal, SealError, Wall, python, start
from tests.border.conftest import NONE, ROOT, Attempt, in_a_poor_kernel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's"),
]
FILES = [Wall.MOUNT, Wall.LANDLOCK]


def _landlock_version() -> int:
    return int(ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1))


def _shut(
    attempt: Attempt, name: str, *arguments: object, alone: list[Wall | set[Wall]], **rules: int
) -> None:
    """By each of `alone`, and by all walls. That it is open otherwise is the caller's to show."""
    for walls in [*alone, PROGRAM_WALLS]:
        if walls == Wall.LANDLOCK and _landlock_version() < _SINCE.get(name, 1):
            continue
        wanted = {walls} if isinstance(walls, Wall) else walls
        outcome = attempt(name, *arguments, walls=wanted, **rules)
        assert not outcome.done, f"{name} {arguments} behind {wanted}: {outcome.text}"
        assert outcome.text, f"{name} behind {wanted} ended without a word"


_SINCE = {"tcp": 4, "unix": 6, "kill": 6}
"""The version of Landlock that shuts it."""


def test_all_that_this_kernel_can_do_is_wanted_by_default(kernel: Seal) -> None:
    print(kernel)
    assert kernel.standing | set(kernel.refused) == PROGRAM_WALLS
    assert {Wall.PRIVILEGES, Wall.CALLS, Wall.LIMITS} <= kernel.standing
    assert Rules(cpu_seconds=1, memory_bytes=1).walls == PROGRAM_WALLS


def test_no_other_file_is_read_or_seen(attempt: Attempt, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for path in ("/etc/passwd", str(secret)):
        assert attempt("read", path, walls=NONE).done
        _shut(attempt, "read", path, alone=[*FILES])
    assert attempt("look", tmp_path, walls=NONE).text == "done ['secret']"
    _shut(attempt, "look", tmp_path, alone=[*FILES])
    assert attempt("look", "/etc", walls={Wall.MOUNT}).text in ("done ['ld.so.cache']", "done []")


def test_nothing_is_written_but_in_the_output_folder(attempt: Attempt, tmp_path: Path) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    for folder in (out, outside):
        folder.mkdir()
    for walls in (NONE, {Wall.MOUNT}, {Wall.LANDLOCK}, PROGRAM_WALLS):
        inside = attempt("write", out / "a", walls=walls, writes=[out], file_bytes=1 << 20)
        assert inside.done, (walls, inside.text)
        assert (out / "a").stat().st_size == 1
        (out / "a").unlink()
    (outside / "b").write_text("mine")
    for path in (outside / "a", out / ".." / "outside" / "a"):
        assert attempt("write", path, walls=NONE).done
        (outside / "a").unlink()
        for walls in ({Wall.MOUNT}, {Wall.LANDLOCK}, PROGRAM_WALLS):
            shut = attempt("write", path, walls=walls, writes=[out], file_bytes=1 << 20)
            assert not shut.done, (walls, shut.text)
        assert not (outside / "a").exists()
    _shut(attempt, "remove", outside / "b", alone=[*FILES])
    assert attempt("remove", outside / "b", walls=NONE).done


def test_a_write_beyond_the_limit_ends_there(attempt: Attempt, tmp_path: Path) -> None:
    rules = {"writes": [tmp_path], "file_bytes": 1 << 20}
    assert attempt("write", tmp_path / "a", 4 << 20, walls=NONE, **rules).done
    assert (tmp_path / "a").stat().st_size == 4 << 20
    for walls in ({Wall.LIMITS}, PROGRAM_WALLS):
        assert not attempt("write", tmp_path / "b", 4 << 20, walls=walls, **rules).done
        assert (tmp_path / "b").stat().st_size <= 1 << 20
        assert attempt("write", tmp_path / "b", 1 << 20, walls=walls, **rules).done


def test_no_connection_and_no_packet(attempt: Attempt, tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as named,
    ):
        udp.bind(("127.0.0.1", 0))
        name = f"jhalak-test-{os.getpid()}"
        abstract.bind(f"\0{name}")
        named.bind(str(tmp_path / "socket"))
        ways: list[tuple[str, object, socket.socket, list[Wall]]] = [
            ("tcp", tcp.getsockname()[1], tcp, [Wall.NETWORK, Wall.LANDLOCK, Wall.CALLS]),
            ("udp", udp.getsockname()[1], udp, [Wall.NETWORK, Wall.CALLS]),
            ("unix", f"@{name}", abstract, [Wall.NETWORK, Wall.LANDLOCK, Wall.CALLS]),
            ("unix", tmp_path / "socket", named, [Wall.MOUNT, Wall.CALLS]),
        ]
        for way, where, listener, alone in ways:
            listener.settimeout(5)
            if way != "udp":
                listener.listen()
            assert attempt(way, where, walls=NONE).done
            assert _arrives(listener)
            listener.settimeout(0.05)
            _shut(attempt, way, where, alone=[*alone])
            assert not _arrives(listener)


def _arrives(listener: socket.socket) -> bool:
    try:
        if listener.type == socket.SOCK_DGRAM:
            return listener.recv(10) == b"out"
        line, _ = listener.accept()
    except TimeoutError:
        return False
    with line:
        return True


def test_no_other_process_is_seen_or_ended(attempt: Attempt) -> None:
    assert attempt("processes", walls=NONE).done
    _shut(attempt, "processes", alone=[*FILES])
    with subprocess.Popen(["sleep", "300"]) as victim:
        _shut(attempt, "kill", victim.pid, alone=[Wall.PID, Wall.LANDLOCK, Wall.CALLS])
        _shut(attempt, "kill", os.getpid(), alone=[Wall.PID, Wall.LANDLOCK, Wall.CALLS])
        assert victim.poll() is None
        assert attempt("kill", victim.pid, walls=NONE).done
        assert victim.wait(60) == -9


def test_a_fork_bomb_makes_nothing(attempt: Attempt) -> None:
    assert attempt("fork", 30, walls=NONE).text == "done 30"
    _shut(attempt, "fork", 30, alone=[Wall.CALLS])
    assert attempt("threads", 30, walls=PROGRAM_WALLS).text == "done 30"


@pytest.mark.skipif(os.geteuid() == 0, reason="the kernel does not count the threads of root")
def test_processes_and_threads_are_counted(attempt: Attempt) -> None:
    counted = {Wall.USER, Wall.LIMITS}
    for name in ("fork", "threads"):
        assert attempt(name, 30, walls={Wall.USER}, threads=10).text == "done 30"
        _shut(attempt, name, 30, alone=[counted], threads=10)
        assert attempt(name, 8, walls=counted, threads=10).text == "done 8"


def test_what_it_leaves_behind_ends_with_it(attempt: Attempt) -> None:
    mark = f"mark-{time.monotonic_ns()}"
    assert attempt("linger", mark, walls=NONE).done
    (left,) = _with_word(mark)
    os.kill(left, 9)
    assert attempt("linger", mark, walls={Wall.PID}).done
    assert _with_word(mark) == []
    assert not attempt("linger", mark, walls=PROGRAM_WALLS).done
    assert _with_word(mark) == []


def _with_word(word: str) -> list[int]:
    """Live processes that have it in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_memory_ends_at_its_limit(attempt: Attempt) -> None:
    assert attempt("allocate", 200 << 20, walls=NONE, memory_bytes=150 << 20).done
    _shut(attempt, "allocate", 200 << 20, alone=[Wall.LIMITS], memory_bytes=150 << 20)
    assert attempt("allocate", 50 << 20, walls=PROGRAM_WALLS, memory_bytes=150 << 20).done


def test_cpu_time_ends_at_its_limit_even_if_it_does_not_want_to(attempt: Attempt) -> None:
    assert attempt("spin", 2.6, walls=NONE, cpu_seconds=1).done
    for walls in ({Wall.LIMITS}, PROGRAM_WALLS):
        outcome = attempt("spin", 2.6, walls=walls, cpu_seconds=1)
        assert not outcome.done
        assert outcome.status == -9
        assert outcome.cpu_seconds < 2.5


def test_open_files_end_at_their_limit(attempt: Attempt) -> None:
    assert attempt("open_files", 60, walls=NONE, open_files=30).done
    assert not attempt("open_files", 60, walls={Wall.LIMITS}, open_files=30).done


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to lose")
def test_root_keeps_no_privilege(attempt: Attempt) -> None:
    assert attempt("regain", walls=NONE).done
    _shut(attempt, "regain", alone=[Wall.USER, Wall.PRIVILEGES])


def test_it_inherits_what_it_is_given_and_no_other_descriptor(attempt: Attempt) -> None:
    with Path(__file__).open("rb") as ours:
        os.set_inheritable(ours.fileno(), True)
        found = attempt("inherited", walls=PROGRAM_WALLS).text
    numbers = found.removeprefix("done [").removesuffix("]").split(", ")
    assert numbers[:3] == ["0", "1", "2"]
    assert len(numbers) == 4, found


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    for name in ("absent", "text"):
        with pytest.raises(SealError, match=name):
            start([str(tmp_path / name)], Rules(cpu_seconds=1, memory_bytes=1 << 30))


def test_its_own_end_is_passed_on(attempt: Attempt) -> None:
    for code, status in (("raise SystemExit(7)", 7), ("import os; os.abort()", -6)):
        program, library = python()
        rules = Rules(reads=library, cpu_seconds=10, memory_bytes=1 << 30)
        process = start([program, "-I", "-S", "-c", code], rules).process
        process.communicate()
        assert process.returncode in (status, -11)  # the first process of a namespace aborts so


_SPACES = {"user": Wall.USER, "net": Wall.NETWORK, "ipc": Wall.IPC, "mnt": Wall.MOUNT}
_SPACES |= {"pid": Wall.PID}


@pytest.mark.parametrize("refused", [["net"], [*_SPACES]])
def test_a_wall_that_the_kernel_refuses_is_told_and_the_others_stand(
    kernel: Seal, refused: list[str]
) -> None:
    for wall in _SPACES.values():
        if wall in kernel.refused:
            pytest.skip(f"the kernel refuses {wall}: {kernel.refused[wall]}")
    told = in_a_poor_kernel(
        refused,
        """
        from jhalak.border import survey
        seal = survey()
        print(*seal.standing)
        print(*seal.refused)
        print(seal)
        """,
    ).splitlines()
    missing = {_SPACES[name] for name in refused}
    assert set(told[0].split()) == kernel.standing - missing
    assert set(told[1].split()) == missing
    assert f"{_SPACES[refused[0]]} (No space left on device)" in told[2]


def test_the_command_tells_what_was_tried(kernel: Seal) -> None:
    command = [sys.executable, "-m", "jhalak", "border", "seal"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = dict(line.split(maxsplit=1) for line in told.stdout.splitlines())
    assert {wall for wall, state in lines.items() if state == "stands"} == kernel.standing
    assert set(lines) == set(PROGRAM_WALLS)
    assert told.returncode == (1 if kernel.refused else 0)


def test_it_ends_with_the_thread_that_started_it(tmp_path: Path) -> None:
    mark = f"mark-{time.monotonic_ns()}"
    program, library = python()
    code = "import time; time.sleep(300)"
    rules = Rules(reads=library, cpu_seconds=10, memory_bytes=1 << 30)
    started = []

    def work() -> None:
        started.append(start([program, "-I", "-S", "-c", code, mark], rules))
        assert len(_with_word(mark)) == 2  # the program, and what waits for it outside

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    process = started[0].process
    assert process.wait(60) == -9
    process.stderr.close()
    deadline = time.monotonic() + 10
    while _with_word(mark):
        assert time.monotonic() < deadline, "it outlived its launcher"
        time.sleep(0.01)
