"""The stores of this installation, opened once for each process."""

from __future__ import annotations

import atexit
import logging
import os
import threading

from django.utils.crypto import salted_hmac

from jhalak.border.log.keys import key_file, load_signers, log_folder
from jhalak.border.log.writer import Log, LogBusy
from jhalak.options import options
from jhalak.stores.events import Events, open_events
from jhalak.stores.objects import AlreadyThere, Objects, open_objects

OWNER = "owner/installation"

log = logging.getLogger(__name__)
_lock = threading.Lock()
_events: dict[tuple[int, str], Events] = {}
_objects: dict[tuple[int, str], Objects] = {}
_border_logs: dict[tuple[int, str], Log] = {}


def events_url() -> str:
    """Where the log of events is."""
    return f"sqlite:{options().folder / 'events.db'}"


def events() -> Events:
    """The log of events. A forked child opens its own: SQLite and threads do not survive a fork."""
    url = events_url()
    key = (os.getpid(), url)
    found = _events.get(key)
    if found is None:
        with _lock:
            found = _events.get(key)
            if found is None:
                found = _events[key] = open_events(url)
    return found


def border_log() -> Log | None:
    """The border's log, open for appending; None while another process writes it. Held until this
    process ends or `close_stores`. Raises LogError, NoteError, OSError.
    """
    data = options().folder
    key = (os.getpid(), str(data))
    with _lock:
        found = _border_logs.get(key)
        if found is None or found.closed:
            try:
                signer, *beside = load_signers(key_file(data))
                found = Log(log_folder(data), signer, beside=beside)
            except LogBusy:
                return None
            _border_logs[key] = found
        return found


def objects_url() -> str:
    """Where the objects are: the option, else the folder `objects` in the data folder."""
    return options().objects_url or folder_url()


def folder_url() -> str:
    return f"folder:{options().folder / 'objects'}"


def objects() -> Objects:
    """The store of objects. A forked child opens its own, as above."""
    url = objects_url()
    key = (os.getpid(), url)
    found = _objects.get(key)
    if found is None:
        with _lock:
            found = _objects.get(key)
            if found is None:
                found = _objects[key] = open_objects(url)
    return found


def may_sweep() -> bool:
    """Whether what no row of ours names is nobody's. The folder is ours alone. A bucket belongs to
    the installation that swept it first: another one, with other rows, would empty it.
    """
    if not options().objects_url:
        return True
    mine = salted_hmac("jhalak.objects.owner", "installation").hexdigest().encode()
    try:
        objects().put(OWNER, mine, content_type="text/plain", if_absent=True)
    except AlreadyThere:
        if objects().read(OWNER) != mine:
            log.error(
                "%s belongs to another installation: it is not swept. If it is ours after all (a"
                " new secret key), delete its object %s.",
                options().objects_url,
                OWNER,
            )
            return False
    return True


def close_stores() -> None:
    """Close what this process opened. The next `events()` opens again."""
    with _lock:
        for (pid, _), store in _events.items():
            if pid == os.getpid():
                store.close()
        for (pid, _), log_ in _border_logs.items():
            if pid == os.getpid():
                log_.close()
        _border_logs.clear()
        _events.clear()
        _objects.clear()


atexit.register(close_stores)
