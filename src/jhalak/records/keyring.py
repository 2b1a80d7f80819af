"""The keys of this installation, opened once for each process."""

from __future__ import annotations

import atexit
import os
import threading
from pathlib import Path

from jhalak.border.keys import Installation, PersonKeys, Service
from jhalak.border.log.entries import Kind
from jhalak.options import options
from jhalak.records.ledger import enter

_lock = threading.Lock()
_opened: dict[tuple[int, Path], Installation] = {}


def keys_folder() -> Path:
    return options().folder / "border" / "keys"


def _service() -> Service | None:
    given = options()
    if not given.kms_socket:
        return None
    return Service(given.kms_socket, given.kms_key, os.environ.get("BAO_TOKEN", ""))


def installation() -> Installation:
    """The installation's key. A forked child opens its own. Raises KeysError."""
    place = (os.getpid(), keys_folder())
    with _lock:
        found = _opened.get(place)
        if found is None:
            found = _opened[place] = Installation.load(place[1], os.environ, _service())
    if found.made:
        found.made = False
        enter(Kind.KEY, {"event": "made", "generation": found.newest().number})
    return found


def person_keys() -> PersonKeys:
    """Keys of people. Raises KeysError. Not for inside a transaction: it may ask a key service."""
    return PersonKeys(keys_folder(), installation())


def subject_of(key_name: str) -> str:
    """A person's name in the border's log, in hex: nobody without the key finds out whose it is.
    Raises KeysError. Not for inside a transaction: it may ask a key service.
    """
    return installation().subject_hash(key_name).hex()


def shred(key_name: str) -> None:
    """Destroys a person's key for ever, and has it in the log. Idempotent: what was destroyed is
    entered once. Raises KeysAway: call it again then.
    """
    if person_keys().shred(key_name):
        enter(Kind.KEY, {"event": "shredded", "subject": subject_of(key_name)})


def close_keys() -> None:
    """Close what this process opened. The next call opens again."""
    with _lock:
        for (pid, _), opened in _opened.items():
            if pid == os.getpid():
                opened.close()
        _opened.clear()


atexit.register(close_keys)
