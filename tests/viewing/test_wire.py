"""Hostile and broken bytes at the feed process's socket, and at its client's."""

from __future__ import annotations

import contextlib
import socket
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.feed import Query
from jhalak.viewing import wire
from jhalak.viewing.engine_client import EngineAway, EngineClient, NoAnswer
from tests.viewing.feed_process import FeedProcess

pytestmark = pytest.mark.django_db(transaction=True)
QUERY = Query(viewer="g1", now_ms=1)
PATIENCE = 60.0


@pytest.fixture
def feed() -> Iterator[FeedProcess]:
    with tempfile.TemporaryDirectory() as folder:
        process = FeedProcess(Path(folder) / "feed.sock")
        process.start()
        try:
            yield process
        finally:
            process.end()


def replies(feed: FeedProcess, sent: bytes, *, end: bool = True) -> list[object]:
    """What comes back for these bytes, until the server closes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(str(feed.path))
        sock.sendall(sent)
        if end:
            sock.shutdown(socket.SHUT_WR)
        received = bytearray()
        while chunk := sock.recv(1 << 16):
            received += chunk
    found: list[object] = []
    while (body := wire.take(received, wire.MOST_ANSWERED)) is not None:
        found.append(wire.read_reply(body))
    return found


def head(length: int, version: int = wire.VERSION) -> bytes:
    return struct.pack("<3sBI", b"jhf", version, length)


BAD_FRAMES = (
    (b"GET / HTTP/1.1\r\n\r\n", "no question"),
    (head(3, version=9) + b"abc", "version 9 is spoken here; the feed engine speaks 1"),
    (head(1 << 31), "at most 262144"),
    (head(3) + b"abc", "cannot be read"),
    (head(0), "cannot be read"),
    (head(3) + b"\xff\xfe\xfd", "cannot be read"),
    (wire.frame(wire.Ask("ring", 0, msgspec.Raw(b"\xc1"))), "cannot be read"),
)


def test_what_is_no_question_is_refused_and_its_connection_closed(feed: FeedProcess) -> None:
    for sent, words in BAD_FRAMES:
        (refusal,) = replies(feed, sent, end=False)
        assert isinstance(refusal, wire.Refusal)
        assert refusal.kind is wire.Kind.FRAME
        assert words in refusal.words
    with contextlib.closing(EngineClient(feed.path)) as client:
        assert client.ask("slate", 0, QUERY, within_s=PATIENCE).picks == ()


BAD_QUESTIONS: tuple[tuple[str, int, list[object], str], ...] = (
    ("snapshot", 0, ["/tmp"], "value"),
    ("slate", 0, [], "value"),
    ("slate", 0, [QUERY, QUERY], "value"),
    ("slate", 0, [{"viewer": 3, "now_ms": 1}], "value"),
    ("slate", 0, [Query(viewer="g1", now_ms=1, n=10**6)], "value"),
    ("score", 0, [QUERY, ["x"]], "value"),
    ("slate", 10**9, [QUERY], "failed"),
)


def test_what_cannot_be_asked_is_refused_and_the_connection_goes_on(feed: FeedProcess) -> None:
    for name, offset, arguments, kind in BAD_QUESTIONS:
        body = msgspec.Raw(msgspec.msgpack.encode(arguments))
        ask = wire.frame(wire.Ask(name, offset, body))
        refusal, answer = replies(feed, ask + wire.question("report", 0, ()))
        assert isinstance(refusal, wire.Refusal), (name, arguments)
        assert refusal.kind == kind, (name, arguments, refusal)
        assert isinstance(answer, wire.Answer)


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_make_a_reader_fail_otherwise(sent: bytes, framed: bool) -> None:
    received = bytearray(head(len(sent)) + sent if framed else sent)
    try:
        body = wire.take(received, wire.MOST_ASKED)
        if body is not None:
            ask = wire.read_ask(body)
            wire.CALLS["slate"].arguments(ask.arguments)
    except (wire.BadFrame, msgspec.DecodeError):
        return


def test_half_a_question_and_an_answer_nobody_reads_keep_nobody_waiting(feed: FeedProcess) -> None:
    whole = wire.question("slate", 0, (QUERY,))
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as half,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf,
    ):
        half.connect(str(feed.path))
        half.sendall(whole[:-1])
        deaf.connect(str(feed.path))
        deaf.settimeout(0.5)
        many = wire.question("report", 0, ()) * 50_000
        with pytest.raises(TimeoutError):  # nothing more is taken from who takes nothing
            deaf.sendall(many)
        with contextlib.closing(EngineClient(feed.path)) as client:
            assert client.ask("slate", 0, QUERY, within_s=PATIENCE).picks == ()
        half.sendall(whole[-1:])
        half.settimeout(PATIENCE)
        assert half.recv(3) == b"jhf"


def test_a_client_that_is_closed_does_not_connect_again() -> None:
    asked = threading.Event()
    errors: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "feed.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(place))
            listener.listen()
            listener.settimeout(PATIENCE)
            client = EngineClient(place)

            def ask() -> None:
                for _ in range(2):  # on the connection that is kept, and after it
                    try:
                        client.ask("bound", 0, "g1", 0, 1, 1, 1.0, within_s=PATIENCE)
                    except EngineAway as error:
                        errors.append(str(error))
                    else:
                        asked.set()

            asking = threading.Thread(target=ask)
            asking.start()
            with listener.accept()[0] as sock:
                sock.recv(1 << 16)
                sock.sendall(wire.frame(wire.Answer(1, msgspec.Raw(msgspec.msgpack.encode(5)))))
                assert asked.wait(PATIENCE)
                sock.recv(1 << 16)
                client.close()  # while the second question waits
                asking.join(PATIENCE)
            with pytest.raises(EngineAway, match="is closed"):
                client.ask("report", 0, within_s=PATIENCE)
            listener.settimeout(0.0)
            with pytest.raises(BlockingIOError):  # nobody else has come
                listener.accept()
    assert errors == ["the way to the feed process is closed"]  # and not twice


def test_a_thread_that_ends_takes_its_connection_with_it(feed: FeedProcess) -> None:
    with contextlib.closing(EngineClient(feed.path)) as client:

        def ask() -> None:
            client.ask("report", 0, within_s=PATIENCE)

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        assert not client._open


def test_a_client_has_no_answer_from_what_is_no_engine(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "feed.sock"
        with pytest.raises(EngineAway, match="No such file"):
            EngineClient(place).ask("report", 0, within_s=PATIENCE)
        bad = wire.frame(wire.Answer(1, msgspec.Raw(b"\x01")))
        for reply, error in (
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", EngineAway),
            (head(1 << 30), EngineAway),
            (b"", EngineAway),
            (bad, NoAnswer),
        ):
            place.unlink(missing_ok=True)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
                listener.bind(str(place))
                listener.listen()

                def serve(listener: socket.socket = listener, reply: bytes = reply) -> None:
                    sock, _ = listener.accept()
                    sock.recv(1 << 16)
                    sock.sendall(reply)
                    sock.close()

                thread = threading.Thread(target=serve)
                thread.start()
                with contextlib.closing(EngineClient(place)) as client, pytest.raises(error):
                    client.ask("slate", 0, QUERY, within_s=PATIENCE)
                thread.join()
