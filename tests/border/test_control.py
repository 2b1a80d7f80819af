"""The positive control on a process that is sealed, on one that is not, and with a meter that is
dead.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest

from jhalak.border import SERVICE_WALLS, Rules, Wall, reported, sealed
from jhalak.border.control import WAYS, ControlError, choose, control, last, make
from jhalak.border.services import Process, Processes, is_there, service_rules, walls_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's"),
]


@contextmanager
def running(name: str, rules: Rules) -> Iterator[Process]:
    report, told = os.pipe()
    with subprocess.Popen(sealed(["/bin/sleep", "300"], rules, told), pass_fds=[told]) as process:
        os.close(told)
        try:
            with os.fdopen(report) as lines:
                seal = reported(lines.read())
            if seal.refused:
                pytest.skip(f"the kernel refuses it: {seal}")
            yield Process(
                name=name,
                pid=process.pid,
                started_ms=time.time_ns() // 1_000_000,
                sealed=seal.shut,
                walls=walls_of(seal),
            )
        finally:
            process.kill()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    with ExitStack() as stack:

        def start(name: str, walls: frozenset[Wall] = SERVICE_WALLS) -> Process:
            rules = service_rules(tmp_path)
            return stack.enter_context(running(name, _with(rules, walls)))

        yield start


def _with(rules: Rules, walls: frozenset[Wall]) -> Rules:
    return msgspec.structs.replace(rules, walls=walls)


def test_each_way_out_of_a_sealed_process_is_blocked_and_seen(run: Callable[..., Process]) -> None:
    process = run("web")
    assert process.sealed
    found = control(process)
    assert [one.attempt for one in found] in (list(WAYS), ["tcp", "udp", "dns"])
    assert [one for one in found if not one.green] == []
    assert {one.errno for one in found if one.attempt != "dns"} == {"ENETUNREACH"}


def test_a_dead_meter_is_red(run: Callable[..., Process]) -> None:
    process = run("web")
    for meter in (lambda _pid: 7, lambda _pid: None):
        found = control(process, meter=meter)
        assert all(one.blocked for one in found)
        assert not any(one.seen or one.green for one in found)


OPEN = """
import ctypes, fcntl, socket, struct, sys, time
from jhalak.border.launcher import own_user
own_user()
if ctypes.CDLL(None).unshare(0x40000000):
    sys.exit("no network namespace")
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def ask(what, given):
    fcntl.ioctl(line, what, struct.pack("16s24s", b"lo", given))
address = lambda text: struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(text))
ask(0x8914, struct.pack("H", 0x41))  # up
ask(0x8916, address("192.0.2.2"))
ask(0x891C, address("255.255.255.0"))
print("open", flush=True)
time.sleep(300)
"""


def test_what_gets_out_is_red() -> None:
    """A namespace that says it is sealed and has a way out, which here ends in itself."""
    with subprocess.Popen([sys.executable, "-c", OPEN], stdout=subprocess.PIPE, text=True) as leaky:
        try:
            assert leaky.stdout is not None
            if leaky.stdout.readline() != "open\n":
                pytest.skip("no network namespace can be made here")
            now = time.time_ns() // 1_000_000
            process = Process(name="web", pid=leaky.pid, started_ms=now, sealed=True)
            found = {one.attempt: one for one in control(process)}
        finally:
            leaky.kill()
    assert not found["udp"].blocked
    assert not found["udp"].seen
    assert not found["udp"].green


def test_a_control_that_cannot_be_made_is_red(tmp_path: Path, run: Callable[..., Process]) -> None:
    processes = Processes(tmp_path)
    processes.clear()
    assert make(tmp_path).error == "no sealed process runs here"
    assert not make(tmp_path).green
    processes.put(run("open", SERVICE_WALLS - {Wall.NETWORK}))
    assert choose(processes.all()) is None
    gone = run("web")
    processes.put(gone)
    assert make(tmp_path).green
    kept = last(tmp_path)
    assert kept is not None
    assert kept.process == "web"
    os.kill(gone.pid, 9)
    os.waitid(os.P_PID, gone.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(ControlError, match="web cannot be entered"):
        control(gone)


def test_a_pid_that_was_given_again_is_another(run: Callable[..., Process]) -> None:
    process = run("web")
    assert is_there(process)
    assert not is_there(msgspec.structs.replace(process, started_ms=process.started_ms - 3_600_000))
    assert not is_there(msgspec.structs.replace(process, pid=2**22 + 1))
