"""A slow line on loopback: a TCP relay in front of a site, for benches of what a phone sees.

All connections share one rate downwards; every byte travels half the round trip each way; a new
connection costs a round trip before its first byte, and its window begins at ten packets and grows
with what was received (RFC 6928, RFC 5681). The queue before the line is short, as in a line that
is well kept; what a client no longer wants and is still queued is sent in vain, as on a real one.
Upwards there is no limit: a player asks little. Nothing is lost on the way.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

PACKET = 1448
WINDOW = 10 * PACKET
QUEUE_S = 0.1


@dataclass
class Line:
    """`bps` bits a second downwards, `rtt` seconds. What is changed takes effect at once."""

    target: int
    bps: float
    rtt: float
    up: bool = True  # False: the line is dead; what is open ends, what is new is refused
    sent: int = 0  # bytes that went down
    port: int = 0
    _free: float = 0.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.up:
            writer.transport.abort()
            return
        try:
            theirs, ours = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        tasks = [
            asyncio.ensure_future(self._upwards(reader, ours)),
            asyncio.ensure_future(self._downwards(theirs, writer)),
            asyncio.ensure_future(self._watch()),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in (ours, writer):
            one.transport.abort()

    async def _watch(self) -> None:
        while self.up:
            await asyncio.sleep(0.02)

    async def _upwards(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        handshake = loop.time() + self.rtt

        def arrive(data: bytes) -> None:
            if not writer.transport.is_closing():
                writer.write(data)

        while data := await reader.read(65536):
            loop.call_at(max(handshake, loop.time()) + self.rtt / 2, arrive, data)

    async def _downwards(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        window, flying = float(WINDOW), 0
        room = asyncio.Event()

        def arrive(data: bytes) -> None:
            if not writer.transport.is_closing():
                writer.write(data)
            loop.call_later(self.rtt / 2, acknowledged, len(data))

        def acknowledged(size: int) -> None:
            nonlocal window, flying
            flying -= size
            window += size
            room.set()

        while data := await reader.read(PACKET):
            while flying >= window:
                room.clear()
                await room.wait()
            async with self._turn:  # its waiters take turns, so that connections share the line
                self._free = max(self._free, loop.time()) + len(data) * 8 / self.bps
                await asyncio.sleep(max(0.0, self._free - loop.time() - QUEUE_S))
            flying += len(data)
            self.sent += len(data)
            loop.call_at(self._free + self.rtt / 2, arrive, data)
        await asyncio.sleep(max(0.0, self._free - loop.time()) + self.rtt)  # the last bytes travel


@contextlib.contextmanager
def line(target: int, *, bps: float, rtt: float) -> Iterator[Line]:
    """A relay to `target` on a port of its own (`Line.port`), in a thread, until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def begin() -> tuple[Line, asyncio.Server]:
        made = Line(target, bps, rtt)
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0, limit=16 * PACKET)
        made.port = int(server.sockets[0].getsockname()[1])
        return made, server

    async def end() -> None:
        made.up = False
        server.close()
        while rest := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(rest)  # each ends when it sees that the line is dead
        await asyncio.sleep(0.01)  # and what was aborted is let go of

    made, server = asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
        with warnings.catch_warnings():  # of a line that was accepted while it ended
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
