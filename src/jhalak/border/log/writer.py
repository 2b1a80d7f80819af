"""The one who appends.

What is appended is acknowledged when entries, tiles and the signed checkpoint are on disk. A call
is one commit, however many entries it brings, so whoever has many brings them together:

    1  entries and tiles beyond the checkpoint, under names that no checkpoint speaks of yet
    2  checkpoint.next, signed
    3  checkpoint.next takes the place of checkpoint

Cut off in 1 or while writing 2, nothing was signed that anybody could have seen: the files are
written anew by the next append. From the moment that checkpoint.next is on disk the next start goes
on from it, so that nobody can have seen a checkpoint which the log later contradicts.

One process writes (flock). Every entry has an id of its own; one that is brought again within
`WINDOW` entries is known and passed over, so that whoever is cut off between the acknowledgement
and forgetting what he brought may bring it again.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from jhalak.border.log import durable
from jhalak.border.log.checkpoints import Checkpoint, read_signed
from jhalak.border.log.entries import EntryError, Kind, entry, now_ms, read_entry
from jhalak.border.log.hashing import EMPTY, fold, leaf_hash, root_of
from jhalak.border.log.notes import Note, NoteError, Signer, Verifier
from jhalak.border.log.tiles import (
    CHECKPOINT,
    ENTRIES,
    HEIGHT,
    WIDTH,
    TileError,
    Tiles,
    cut,
    pack,
    path_of,
    peaks_of,
    widths,
)

NEXT = "checkpoint.next"
LOCK = "lock"
WINDOW = 8192  # entries, the newest, whose ids are known
BACK_MS = 1000  # the clock may go back so far before it is an entry
_SYNCS = 8  # fsyncs side by side


class LogError(Exception):
    """The log cannot be written; the message says why and what is to be done."""


class LogBusy(LogError):
    """Another process writes this log."""


class Log:
    """A log that is open for appending. Threads may share it; `close` it, or use `with`."""

    def __init__(
        self,
        folder: Path | str,
        signer: Signer,
        clock: Callable[[], int] = now_ms,
        beside: Sequence[Signer] = (),
    ) -> None:
        """Open a log, or begin one where there is none. `clock`: Unix time in ms. `beside`: keys
        that sign too, after the signer.

        Raises LogBusy; LogError if what lies there is not this signer's log, or is damaged.
        """
        self.folder = Path(folder)
        self.signer, self._beside = signer, tuple(beside)
        self.tiles = Tiles(self.folder)
        self._clock = clock
        self._one = threading.Lock()
        self._lock = self._hold()
        self._pool = ThreadPoolExecutor(_SYNCS, thread_name_prefix="log-sync")
        try:
            self._open()
        except (TileError, NoteError, EntryError) as error:
            self.close()
            raise LogError(f"the log in {self.folder} cannot be continued: {error}") from error
        except BaseException:
            self.close()
            raise

    def _hold(self) -> int:
        durable.make_folder(self.folder)
        fd = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise LogBusy(f"another process writes the log in {self.folder}") from error
        return fd

    def close(self) -> None:
        """Let another process write. Nothing is left to be done."""
        with self._one:
            self._pool.shutdown()
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    @property
    def closed(self) -> bool:
        """Whether it must be opened again: it was closed, or a checkpoint could not be written."""
        return self._lock < 0

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- opening

    def _open(self) -> None:
        if not (self.folder / CHECKPOINT).exists():
            self._begin()
        self._roll_forward()
        self.head, _ = read_signed(self.tiles.checkpoint(), *self._verifiers())
        size = self.head.size
        self._edge = [
            cut(self.tiles.tile(level, size >> HEIGHT * (level + 1), width)) if width else []
            for level, width in enumerate(widths(size))
        ]
        width = size % WIDTH
        self._bundle = self.tiles.bundle(size // WIDTH, width) if width else []
        if _root(self._edge) != self.head.root:
            raise TileError("the tiles of its right edge do not hash to the signed root")
        if width and [leaf_hash(data) for data in self._bundle] != self._edge[0]:
            raise TileError(f"{path_of(ENTRIES, size // WIDTH, width)} is not what the tile says")
        self._known: dict[str, tuple[int, bytes]] = {}
        self._latest = 0
        for index, data in self.tiles.entries(max(0, size - WINDOW), size):
            fields = json.loads(data)
            self._known[fields["id"]] = (index, data)
            back = fields["kind"] == Kind.CLOCK
            self._latest = fields["at"] if back else max(self._latest, fields["at"])

    def _begin(self) -> None:
        if (self.folder / "tile").exists():
            raise TileError("there are tiles and no checkpoint: it was taken away")
        empty = Checkpoint(self.signer.name, 0, EMPTY)
        durable.replace(self.folder / CHECKPOINT, self._signed(empty))

    def _roll_forward(self) -> None:
        """Go on from a checkpoint that was signed and not yet put in its place."""
        path = self.folder / NEXT
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return
        try:
            found, _ = read_signed(data, *self._verifiers())
            if self.tiles.root(found.size) != found.root:
                raise TileError("its tiles are not there")
        except (NoteError, TileError):  # cut off while it was written: nobody has seen it
            path.unlink()
            return
        durable.write(path, data)
        durable.rename(path, self.folder / CHECKPOINT)
        durable.sync_folder(self.folder)

    # --- appending

    def append(self, leaves: Sequence[bytes]) -> list[int]:
        """Append entries in this order; returns the index of each when all are on disk.

        Raises EntryError, before anything is written, if one of them is no entry or has the id of
        another; LogError if it cannot be written: nothing was acknowledged then, and the same may
        be brought again.
        """
        read = [read_entry(leaf) for leaf in leaves]
        with self._one:
            if self._lock < 0:
                raise LogError("the log is closed")
            if len(self._known) > 2 * WINDOW:
                self._known = dict(list(self._known.items())[-WINDOW:])
            fresh: dict[str, bytes] = {}
            for found, leaf in zip(read, leaves, strict=True):
                same = fresh.get(found.id) or self._known.get(found.id, (0, leaf))[1]
                if same != leaf:
                    raise EntryError(f"two entries have the id {found.id}")
                if found.id not in self._known:
                    fresh[found.id] = leaf
            now = self._clock()
            if fresh and now < self._latest - BACK_MS:
                note = entry(Kind.CLOCK, {"now": now, "was": self._latest}, at_ms=now)
                fresh = {read_entry(note).id: note, **fresh}
            if fresh:
                self._commit(list(fresh.values()))
                self._remember(fresh)
                self._latest = now
            return [self._known[found.id][0] for found in read]

    def _remember(self, fresh: dict[str, bytes]) -> None:
        first = self.head.size - len(fresh)
        for offset, (id_, leaf) in enumerate(fresh.items()):
            self._known[id_] = (first + offset, leaf)

    def _commit(self, leaves: list[bytes]) -> None:
        size = self.head.size + len(leaves)
        edge, files, full = self._grown(leaves)
        head = Checkpoint(self.head.origin, size, _root(edge))
        try:
            durable.write_new(files, self._pool)
        except OSError as error:
            raise LogError(
                f"{len(leaves)} entries cannot be written and are not acknowledged: {error}"
            ) from error
        try:
            durable.write(self.folder / NEXT, self._signed(head))
            durable.sync_folder(self.folder)
            durable.rename(self.folder / NEXT, self.folder / CHECKPOINT)
            durable.sync_folder(self.folder)
        except BaseException as error:
            # Whether it is signed is not known: the next start looks.
            self._pool.shutdown()
            os.close(self._lock)
            self._lock = -1
            if not isinstance(error, OSError):
                raise
            raise LogError(f"the checkpoint cannot be written, open again: {error}") from error
        width = len(self._bundle) + len(leaves)
        self._bundle = (self._bundle + leaves)[width - width % WIDTH :]
        self._edge, self.head = edge, head
        for path in full:
            shutil.rmtree(path.with_name(path.name + ".p"), ignore_errors=True)

    def _grown(
        self, leaves: list[bytes]
    ) -> tuple[list[list[bytes]], dict[Path, bytes], list[Path]]:
        """The right edge after these leaves, the files that are new, and those of them that are
        full.
        """
        files: dict[Path, bytes] = {}
        full: list[Path] = []

        def put(level: int | str, index: int, parts: list[bytes], data: bytes) -> None:
            path = self.folder / path_of(level, index, len(parts))
            files[path] = data
            if len(parts) == WIDTH:
                full.append(path)

        size = self.head.size
        bundle = self._bundle + leaves
        for start in range(0, len(bundle), WIDTH):
            part = bundle[start : start + WIDTH]
            put(ENTRIES, (size + start) // WIDTH, part, pack(part))
        edge = [list(level) for level in self._edge]
        level, rising = 0, [leaf_hash(leaf) for leaf in leaves]
        while rising:
            if level == len(edge):
                edge.append([])
            hashes = edge[level] + rising
            index = size >> HEIGHT * (level + 1)
            rising = []
            for start in range(0, len(hashes), WIDTH):
                part = hashes[start : start + WIDTH]
                put(level, index + start // WIDTH, part, b"".join(part))
                if len(part) == WIDTH:
                    rising.append(root_of(part))
            edge[level] = hashes[len(hashes) - len(hashes) % WIDTH :]
            level += 1
        return edge, files, full

    # --- keys

    def known(self, name: str) -> tuple[int, bytes] | None:
        """Number and bytes of the entry with this id, if it is among the newest `WINDOW`."""
        with self._one:
            return self._known.get(name)

    def sign_with(self, signers: Sequence[Signer]) -> None:
        """From now on these sign, beginning with the checkpoint that stands there. Raises LogError,
        OSError.
        """
        with self._one:
            if self._lock < 0:
                raise LogError("the log is closed")
            if any(one.name != self.head.origin for one in signers):
                raise LogError("a key of another log")
            self.signer, self._beside = signers[0], tuple(signers[1:])
            durable.replace(self.folder / CHECKPOINT, self._signed(self.head))

    def _verifiers(self) -> tuple[Verifier, *tuple[Verifier, ...]]:
        return self.signer.verifier, *(one.verifier for one in self._beside)

    def _signed(self, head: Checkpoint) -> bytes:
        signers = (self.signer, *self._beside)
        return str(Note(head.text, tuple(one.sign(head.text) for one in signers))).encode()


def _root(edge: list[list[bytes]]) -> bytes:
    """The root of a tree, from the hashes at its right edge, level 0 first."""
    return fold(peak for hashes in reversed(edge) for peak in peaks_of(hashes))
