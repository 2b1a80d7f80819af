"""Running attempts.py behind chosen walls."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec
import pytest

from jhalak.border import Rules, Seal, Wall, python, start, survey

ATTEMPTS = Path(__file__).with_name("attempts.py")
ROOT = Path(__file__).parents[2]
NONE: frozenset[Wall] = frozenset()
_NAMESPACES = frozenset([Wall.NETWORK, Wall.IPC, Wall.MOUNT, Wall.PID])


class Outcome(msgspec.Struct, frozen=True):
    text: str
    status: int
    cpu_seconds: float
    seal: Seal

    @property
    def done(self) -> bool:
        return self.text.startswith("done")


Attempt = Callable[..., Outcome]


@pytest.fixture(scope="session")
def kernel() -> Seal:
    """What this machine allows."""
    return survey()


@pytest.fixture
def attempt(kernel: Seal) -> Attempt:
    """Run one of attempts.py behind `walls`; skips, saying why, where the kernel refuses one."""

    def run(
        name: str,
        *arguments: object,
        walls: Collection[Wall],
        writes: Collection[Path] = (),
        **limits: int,
    ) -> Outcome:
        if os.geteuid() and not _NAMESPACES.isdisjoint(walls):
            walls = {Wall.USER, *walls}  # where alone an ordinary user may have the others
        for wall in walls:
            if wall in kernel.refused:
                pytest.skip(f"the kernel refuses {wall}: {kernel.refused[wall]}")
        program, library = python()
        given = {"cpu_seconds": 60, "memory_bytes": 1 << 30, **limits}
        rules = Rules(
            reads=(*library, ATTEMPTS), writes=tuple(writes), walls=frozenset(walls), **given
        )
        answer, told = os.pipe()
        words = [program, "-I", "-S", str(ATTEMPTS), str(told), name, *map(str, arguments)]
        started = start(words, rules, keep=[told])
        os.close(told)
        with os.fdopen(answer, "rb") as file:
            text = file.read().decode()
        process = started.process
        assert process.stderr is not None
        complaint = process.stderr.read().decode()
        process.stderr.close()
        _, raw, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(raw)
        assert started.seal.refused == {}
        assert started.seal.standing == frozenset(walls)
        cpu = usage.ru_utime + usage.ru_stime
        return Outcome(text or complaint, process.returncode, cpu, started.seal)

    return run


def in_a_poor_kernel(refused: Collection[str], program: str) -> str:
    """What a program prints where no namespace of these kinds can be made: a real refusal, from the
    limits of a user namespace.
    """
    limits = [f"/proc/sys/user/max_{name}_namespaces" for name in refused]
    before = f"""
        import pathlib
        from jhalak.border.launcher import own_user
        own_user()
        for name in {limits!r}:
            pathlib.Path(name).write_text("0")
        """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(before) + textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
