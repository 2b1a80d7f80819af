"""A feed process as a thread of the test: the same server, engine and socket, stopped at will."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from jhalak.viewing.engine_server import EngineServer
from jhalak.viewing.host import LocalHost, feed_folder


class FeedProcess:
    """Listens as the supervisor does: the socket stays open while nobody answers on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen(64)
        self.host: LocalHost
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop = threading.Event()
        self.host = LocalHost(feed_folder())
        server = EngineServer(self.listener, self.host)
        self._thread = threading.Thread(target=server.run, args=(self._stop.is_set,))
        self._thread.start()

    def stop(self) -> None:
        """Nobody answers any more, and nothing was kept: as after a kill."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None

    def end(self) -> None:
        self.stop()
        self.listener.close()


def eventually(look: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 60
    while not look():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.02)
