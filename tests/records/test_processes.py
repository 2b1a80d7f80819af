"""Names of processes, and whether they live."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from jhalak.records.processes import is_gone, own_host, own_name

CHILD = "from jhalak.records.processes import own_name; print(own_name(), flush=True); input()"


def test_a_process_lives_until_it_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        name = child.stdout.readline().strip()
        assert name.startswith(own_host())
        assert not is_gone(name)
        assert not is_gone(f"{name}:3")
        child.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(name)  # dead, and not yet buried by its parent
    assert is_gone(f"{name}:3")


def test_what_cannot_be_known_counts_as_alive() -> None:
    assert not is_gone(own_name())
    for name in ("", "elsewhere/1:1:1", own_host(), own_host() + "x:1", own_name() + ":1:2:3"):
        assert not is_gone(name)


def test_a_number_that_was_given_out_again() -> None:
    assert is_gone(f"{own_host()}{os.getpid()}:1:1")
