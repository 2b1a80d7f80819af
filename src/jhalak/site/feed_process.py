"""The feed process: the engine for several web processes, on a Unix socket that the supervisor
opened.

The listening socket is inherited (`--fd`), so questions that come while the process is being
started again wait in its queue. What it must not lose stands in the event log; a snapshot at an
orderly stop only spares the next start the replay.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import threading

import django


def main() -> None:
    parser = argparse.ArgumentParser(prog="jhalak.site.feed_process")
    parser.add_argument("--fd", type=int, required=True)
    given = parser.parse_args()
    stop = threading.Event()
    # Heard between two questions, so that the snapshot never holds half an event.
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jhalak.site.settings")
    django.setup()
    from jhalak.viewing.engine_server import EngineServer
    from jhalak.viewing.host import LocalHost, feed_folder

    host = LocalHost(feed_folder())
    EngineServer(socket.socket(fileno=given.fd), host).run(stop.is_set)
    host.close()


if __name__ == "__main__":
    main()
