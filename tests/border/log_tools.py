"""What the tests of the log share: folders in memory, entries, a disk whose power is cut."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jhalak.border.log import durable
from jhalak.border.log.entries import Kind, entry
from jhalak.border.log.notes import Signer

# A key for tests: the seed is 32 times "k".
KEY = Signer.parse(
    "PRIVATE+KEY+jhalak.example/test+1bbe65a3+AWtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr"
)
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
AT = 1_764_500_000_000


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that costs no fsync, where the system has one."""
    path = Path(tempfile.mkdtemp(prefix="jhalak-log-", dir=_MEMORY))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def made(start: int, end: int) -> list[bytes]:
    """Entries with these numbers."""
    return [
        entry(Kind.EGRESS_FLOW, {"n": number}, at_ms=AT + number, id=f"e{number}")
        for number in range(start, end)
    ]


class Cut(BaseException):
    """The machine ends here."""


class Disk:
    """Stands in for `durable`'s four ways to touch the disk; ends the machine at the n-th of them.

    `power`: what was not yet forced to the disk is lost with it (a file that was being written is
    half there, a name whose folder was not synced is not), else only what was not done.
    """

    def __init__(self, monkeypatch, cut_at: int, *, power: bool) -> None:
        self.left = cut_at
        self.power = power
        self.steps = 0
        self.undo: list[tuple[Path, Path | None, bytes | None]] = []  # names not yet synced
        self.real = {name: getattr(durable, name) for name in ("write", "rename", "make")}
        self.real_sync = durable.sync_folder
        monkeypatch.setattr(durable, "write", self.write)
        monkeypatch.setattr(durable, "rename", self.rename)
        monkeypatch.setattr(durable, "make", self.make)
        monkeypatch.setattr(durable, "sync_folder", self.sync_folder)

    def _step(self) -> bool:
        """True at the step that is cut; later ones never begin."""
        self.steps += 1
        self.left -= 1
        if self.left < 0:
            raise Cut
        return self.left == 0

    def write(self, path: Path, data: bytes, mode: int = 0o644) -> None:
        cut, new = self._step(), not path.exists()
        if new:
            self.undo.append((path, None, None))
        if cut:
            path.write_bytes(data[: len(data) // 2])
            raise Cut
        self.real["write"](path, data, mode)

    def rename(self, old: Path, new: Path) -> None:
        cut = self._step()
        if cut:
            raise Cut
        before = new.read_bytes() if new.exists() else None
        self.undo.append((new, old, before))
        self.real["rename"](old, new)

    def make(self, path: Path, mode: int = 0o755) -> None:
        if self._step():
            raise Cut
        if not path.exists():
            self.undo.append((path, None, None))
        self.real["make"](path, mode)

    def sync_folder(self, path: Path) -> None:
        if self._step():
            raise Cut
        self.real_sync(path)
        self.undo = [done for done in self.undo if done[0].parent != path]

    def lose(self) -> None:
        """What the cut of the power takes with it."""
        if not self.power:
            return
        for path, old, before in reversed(self.undo):
            if old is not None and path.exists():
                old.write_bytes(path.read_bytes())
            if before is not None:
                path.write_bytes(before)
            elif path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
