"""A witness: remembers the last checkpoint of each log that it knows, and cosigns the next only if
that one continues it (C2SP tlog-witness, add-checkpoint; cosignatures are C2SP tlog-cosignature).

What it signed is on disk before the signature leaves: a witness that forgot could sign a fork. A
signed checkpoint that does not continue what it saw is the log's own confession; it is kept, with
both signatures, as `fork-<size>-<size>.txt`.
"""

from __future__ import annotations

import base64
import fcntl
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from jhalak.border.log import durable
from jhalak.border.log.checkpoints import Checkpoint, decimal, read_signed, read_text
from jhalak.border.log.hashing import (
    EMPTY,
    HASH_BYTES,
    LONGEST,
    ProofError,
    verify_consistency,
)
from jhalak.border.log.notes import LONGEST as LONGEST_NOTE
from jhalak.border.log.notes import NoteError, Signer, Type, Verifier, decode64, parse
from jhalak.border.log.rotation import newest_first

MOST_BYTES = LONGEST_NOTE + 64 * 50  # of a request
SIZE_TYPE = "text/x.tlog.size"


class Refused(Exception):
    """A request that is not cosigned. `status`: the HTTP status that tlog-witness wants."""

    def __init__(self, status: int, why: str, body: str = "", content_type: str = "") -> None:
        super().__init__(why)
        self.status = status
        self.body = body or f"{why}\n"
        self.content_type = content_type or "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """What a log asks a witness."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def to_bytes(self) -> bytes:
        lines = [f"old {self.old}", *(base64.b64encode(step).decode() for step in self.proof)]
        return "\n".join([*lines, "", ""]).encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> Request:
        """Raises Refused with 400 for whatever is no request."""
        try:
            if len(data) > MOST_BYTES:
                raise NoteError(f"a request has at most {MOST_BYTES} bytes")
            head, gap, checkpoint = data.partition(b"\n\n")
            first, *steps = head.decode("ascii").split("\n")
            word, _, old = first.partition(" ")
            if not gap or word != "old" or len(steps) > LONGEST:
                raise NoteError("a request is an old size, at most 63 hashes, and a checkpoint")
            proof = tuple(decode64(step) for step in steps)
            if any(len(step) != HASH_BYTES for step in proof):
                raise NoteError(f"a hash has {HASH_BYTES} bytes")
            return cls(decimal(old), proof, checkpoint)
        except (NoteError, UnicodeDecodeError) as error:
            raise Refused(400, str(error)) from error


class Witness:
    """One witness, with a folder of its own that no other process writes. `logs`: the keys of the
    logs that it knows. `now`: seconds since the epoch.
    """

    def __init__(
        self,
        folder: Path,
        signer: Signer,
        logs: Sequence[Verifier],
        now: Callable[[], int],
        rotations: Sequence[bytes] = (),
    ) -> None:
        """Raises BlockingIOError if another process has the folder, NoteError if what lies there
        is not what this witness wrote. `rotations`: records that lead from these keys to newer
        ones (jhalak.border.log.rotation), in order; the newest alone is answered.
        """
        if signer.type is not Type.COSIGNATURE:
            raise NoteError("a witness signs with a key of type 4")
        self.folder = folder
        self.signer = signer
        self._logs: Mapping[str, tuple[Verifier, ...]] = {
            log.name: newest_first(log, rotations) for log in logs
        }
        self._now = now
        self._one = threading.Lock()
        durable.make_folder(folder, 0o700)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._seen = {name: self._read(keys) for name, keys in self._logs.items()}
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        os.close(self._lock)

    def _path(self, origin: str) -> Path:
        return self.folder / f"{sha256(origin.encode()).hexdigest()[:32]}.checkpoint"

    def _read(self, keys: tuple[Verifier, ...]) -> bytes | None:
        try:
            data = self._path(keys[0].name).read_bytes()
        except FileNotFoundError:
            return None
        read_signed(data, *keys)
        return data

    def last(self, origin: str) -> Checkpoint:
        """What it cosigned last of a log; size 0 if nothing."""
        data = self._seen.get(origin)
        return read_text(parse(data).text) if data else Checkpoint(origin, 0, EMPTY)

    def add_checkpoint(self, data: bytes) -> str:
        """Cosign a checkpoint: the signature's line. Raises Refused; OSError if it cannot be
        written down: nothing is signed then.
        """
        request = Request.parse(data)
        try:
            origin = read_text(parse(request.checkpoint).text).origin
        except NoteError as error:
            raise Refused(400, str(error)) from error
        keys = self._logs.get(origin)
        if keys is None:
            raise Refused(404, f"{origin} is no log that this witness knows")
        try:
            head, note = read_signed(request.checkpoint, keys[0])
        except NoteError as error:
            raise Refused(403, str(error)) from error
        with self._one:
            self._check(request, head)
            durable.replace(self._path(origin), request.checkpoint, 0o600)
            self._seen[origin] = request.checkpoint
            return str(self.signer.sign(note.text, self._now()))

    def _check(self, request: Request, head: Checkpoint) -> None:
        if request.old > head.size:
            raise Refused(400, f"the old size {request.old} is greater than {head.size}")
        last = self.last(head.origin)
        if head.size == last.size and head.root != last.root:
            self._keep_fork(request, head, last)
            raise Refused(409, f"a fork: two roots for size {head.size}")
        if request.old != last.size:
            raise Refused(409, "another size was seen last", f"{last.size}\n", SIZE_TYPE)
        try:
            verify_consistency(last.size, head.size, request.proof, last.root, head.root)
        except ProofError as error:
            raise Refused(422, str(error)) from error

    def _keep_fork(self, request: Request, head: Checkpoint, last: Checkpoint) -> None:
        before = self._seen[head.origin] or b""
        name = sha256(head.origin.encode() + head.root).hexdigest()[:16]
        path = self.folder / f"fork-{last.size}-{head.size}-{name}.txt"
        if not path.exists():
            durable.replace(path, fork_text(before, request.checkpoint), 0o600)


def fork_text(one: bytes, other: bytes) -> bytes:
    """Two signed checkpoints as one file, for `is_fork` and for people."""
    return one + b"\n=====\n\n" + other


def is_fork(one: bytes, other: bytes, log: Verifier) -> bool:
    """Whether two checkpoints, both signed by the log, cannot both be true: one size, two roots.

    Of different sizes a consistency proof says it (`hashing.verify_consistency`). Raises NoteError
    if one of them is not the log's.
    """
    first, _ = read_signed(one, log)
    second, _ = read_signed(other, log)
    return first.size == second.size and first.root != second.root
