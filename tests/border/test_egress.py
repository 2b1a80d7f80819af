"""The broker, with servers that answer on this machine."""

from __future__ import annotations

import base64
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jhalak.border.egress import messages
from jhalak.border.egress.broker import BUSY, MOST
from jhalak.border.egress.client import NotSent
from jhalak.border.egress.line import Limits
from jhalak.border.egress.messages import Mail, Post, Refusal
from jhalak.border.log.entries import Kind
from tests.border.egress_world import HOST, Server, World, certificate, https, smtp

pytestmark = pytest.mark.slow
CODE = Post("/send?to=1", msgspec.Raw(b'{"text":"123456"}'))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def serve(both: tuple[Path, Path]) -> Iterator[Callable[[Any], Server]]:
    running: list[Server] = []

    def start(answer: Any) -> Server:
        running.append(Server(both[0], answer))
        return running[-1]

    yield start
    for server in running:
        server.close()


def test_a_post_arrives_and_every_byte_of_it_is_in_the_ledger(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server]
) -> None:
    server = serve(https())
    with World(tmp_path) as world:
        world.internal(server, both[1])
        (tmp_path / "border" / "egress-secrets").mkdir()
        (tmp_path / "border" / "egress-secrets" / "gateway").write_text("Bearer abc\n")
        answer = world.send(CODE)
    assert (answer.status, answer.body) == (200, b'{"ok":true}')
    assert server.heard[0] == b"POST /send?to=1 HTTP/1.1"
    assert f"Host: {HOST}:{server_port(world)}".encode() in server.heard
    assert b"Authorization: Bearer abc" in server.heard
    assert server.heard[-1] == b'{"text":"123456"}'
    opening, end = world.of(Kind.EGRESS_FLOW)
    assert opening["outcome"] == "opening"
    assert opening["flow"] == end["flow"]
    assert end["outcome"] == "answered 200"
    server.close()
    assert (end["bytes_out"], end["bytes_in"]) == (server.bytes_in, server.bytes_out)
    assert end["bytes_out"] > 500  # the handshake is on the wire too
    assert end["address"] == "127.0.0.1"
    assert end["purpose"] == "codes to log in"
    (declared,) = world.of(Kind.DESTINATION)
    assert declared["host"] == HOST
    assert "abc" not in str(world.entries)


def server_port(world: World) -> int:
    return int(world.of(Kind.EGRESS_FLOW)[0]["port"])


@pytest.mark.parametrize("starttls", [False, True])
def test_a_mail_is_submitted(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server], starttls: bool
) -> None:
    server = serve(smtp(starttls=starttls))
    with World(tmp_path) as world:
        world.internal(server, both[1], kind="mail", sender="codes@example.in", starttls=starttls)
        (tmp_path / "border" / "egress-secrets").mkdir()
        (tmp_path / "border" / "egress-secrets" / "gateway").write_text("user:pass:word")
        mail = Mail("asha@example.in", "आपका कोड", "123456\n.\nनमस्ते")
        assert world.send(mail).status == 250
    text = b"\n".join(server.heard)
    assert b"MAIL FROM:<codes@example.in>" in text or b"mail FROM:<codes@example.in>" in text
    assert b"<asha@example.in>" in text
    assert base64.b64encode(b"\0user\0pass:word") in text
    end = world.of(Kind.EGRESS_FLOW)[-1]
    server.close()
    assert (end["bytes_out"], end["bytes_in"]) == (server.bytes_in, server.bytes_out)
    assert "asha" not in str(world.entries)  # whom it went to is nobody's business


def refused(world: World, why: str, request: Mail | Post = CODE, name: str = "gateway") -> None:
    before = len(world.of(Kind.EGRESS_REFUSAL))
    with pytest.raises(NotSent, match=why) as error:
        world.send(request, name)
    assert not error.value.left
    assert len(world.of(Kind.EGRESS_REFUSAL)) == before + 1
    assert str(error.value) == world.of(Kind.EGRESS_REFUSAL)[-1]["reason"]


def test_what_does_not_go_with_the_declaration_is_refused(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server]
) -> None:
    server = serve(https())
    with World(tmp_path) as world:
        refused(world, "no such destination")
        world.internal(server, both[1])
        world.internal(server, both[1], name="old", expires="2020-01-01")
        world.internal(server, both[1], name="mail", kind="mail", sender="a@example.in")
        refused(world, r"destinations\.toml")  # a date in quotes is none
        text = (tmp_path / "border" / "destinations.toml").read_text()
        fixed = text.replace('"2020-01-01"', "2020-01-01")
        (tmp_path / "border" / "destinations.toml").write_text(fixed)
        refused(world, "until 2020-01-01", name="old")
        refused(world, "declared for https", Mail("a@example.in", "a", "b"))
        refused(world, "declared for mail", name="mail")
        for path in ("send", "//other.example/", "/a b", "/a\r\nX: y", "/" + "a" * 2001):
            refused(world, "path", Post(path, msgspec.Raw(b"{}")))
        for to in ("a", "a@b,c@d", "a@b\r\nBcc: c@d", "<a@b>", "", "ä@b"):
            refused(world, "addressed", Mail(to, "a", "b"), "mail")
        refused(world, "subject", Mail("a@b", "a\r\nBcc: c@d", "b"), "mail")
        assert server.connections == 0
        assert world.send(CODE).status == 200  # it lives


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("https://elsewhere.example/", "elsewhere.example:443, which is not declared"),
        ("http://gateway.example.in/", "not declared"),
        ("https://169.254.169.254/latest", "not declared"),
        ("/again", "sent on more than"),
    ],
)
def test_a_redirect_leads_nowhere_else(
    tmp_path: Path,
    both: tuple[Path, Path],
    serve: Callable[[Any], Server],
    location: str,
    why: str,
) -> None:
    server = serve(https("307 Go", f"Location: {location}\r\n"))
    with World(tmp_path) as world:
        world.internal(server, both[1])
        refused(world, why)
        assert world.of(Kind.EGRESS_FLOW)[-1]["outcome"] == "sent on"


def test_a_redirect_to_a_declared_destination_is_a_flow_of_its_own(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server]
) -> None:
    last = serve(https(body=b"there"))
    first = serve(https("308 Go", f"Location: https://{HOST}:{last.port}/next\r\n"))
    with World(tmp_path) as world:
        world.internal(first, both[1])
        world.internal(last, both[1], name="next")
        assert world.send(CODE).body == b"there"
    assert last.heard[0] == b"POST /next HTTP/1.1"
    assert last.heard[-1] == b'{"text":"123456"}'
    ends = [flow for flow in world.of(Kind.EGRESS_FLOW) if flow["outcome"] != "opening"]
    assert [flow["destination"] for flow in ends] == ["gateway", "next"]


@pytest.mark.parametrize(
    "other",
    [{"purpose": "alerts to staff"}, {"classes": ["technical"]}],
    ids=["purpose", "classes"],
)
def test_a_redirect_leads_to_no_destination_that_is_declared_for_something_else(
    tmp_path: Path,
    both: tuple[Path, Path],
    serve: Callable[[Any], Server],
    other: dict[str, Any],
) -> None:
    """Else whoever answers at one could have any of the others called, with its credentials and
    the body that was meant for the first.
    """
    last = serve(https())
    first = serve(https("307 Go", f"Location: https://{HOST}:{last.port}/wipe\r\n"))
    with World(tmp_path) as world:
        world.internal(first, both[1])
        world.internal(last, both[1], name="other", **other)
        refused(world, "declared for something else")
    assert last.connections == 0


def test_a_redirect_to_the_same_place_keeps_the_declaration(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server]
) -> None:
    """Two destinations may be at one host, each with credentials of its own."""
    server = serve(https())
    server._answer = https("307 Go", f"Location: https://{HOST}:{server.port}/again\r\n")
    with World(tmp_path) as world:
        world.internal(server, both[1], name="first")
        world.internal(server, both[1])
        refused(world, "sent on more than")
        ends = [flow for flow in world.of(Kind.EGRESS_FLOW) if flow["outcome"] != "opening"]
    assert {flow["destination"] for flow in ends} == {"gateway"}


def test_who_asks_a_byte_at_a_time_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jhalak.border.egress.broker.READ_S", 0.3)
    with World(tmp_path) as world, socket.socket(socket.AF_UNIX) as line:
        line.connect(str(world.place))
        line.sendall((1 << 20).to_bytes(4, "little"))
        line.settimeout(0.05)
        answer = b""
        for _ in range(400):  # 20 s at least
            try:
                line.sendall(b" ")
                answer = line.recv(1 << 16)
                break
            except TimeoutError:
                continue
            except BrokenPipeError:
                answer = line.recv(1 << 16)
                break
    assert b"cannot be read" in answer
    assert "cannot be read" in world.of(Kind.EGRESS_REFUSAL)[-1]["reason"]


def test_another_name_or_authority_is_not_talked_to(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server]
) -> None:
    server = serve(https())
    with World(tmp_path) as world:
        world.internal(server, both[1], host="other.example.in")
        world.internal(server, both[1], name="untrusted", ca="")
        for name in ("gateway", "untrusted"):
            with pytest.raises(NotSent, match=r"TLS: .*(ostname|self.signed)") as error:
                world.send(CODE, name)
            assert error.value.left  # the beginning of a handshake did
            end = world.of(Kind.EGRESS_FLOW)[-1]
            assert end["bytes_out"] > 0
            assert "TLS" in end["outcome"]
    assert server.heard == []


def test_an_authority_that_cannot_be_read_is_named(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server]
) -> None:
    server = serve(https())
    bad = tmp_path / "bad.pem"
    bad.write_text("none")
    with World(tmp_path) as world:
        for number, ca in enumerate((tmp_path / "absent.pem", bad)):
            world.internal(server, ca, name=f"way-{number}")
            with pytest.raises(NotSent, match=rf"{ca.name}, cannot be read") as error:
                world.send(CODE, f"way-{number}")
            assert not error.value.left
    assert server.heard == []


def test_limits_of_size_and_time_end_a_flow(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server]
) -> None:
    large = serve(https(body=bytes(200_000)))
    closed = threading.Event()
    silent = serve(lambda line, _server: (line.start_tls(), closed.wait(30)))
    limits = Limits(seconds=2.0, bytes_in=100_000, bytes_out=20_000)
    with World(tmp_path, limits=limits) as world:
        world.internal(large, both[1])
        world.internal(silent, both[1], name="silent")
        with pytest.raises(NotSent, match="more than 100000 bytes in"):
            world.send(CODE)
        with pytest.raises(NotSent, match="more than 20000 bytes out"):
            world.send(Post("/", msgspec.Raw(b'"' + b"a" * 50_000 + b'"')))
        with pytest.raises(NotSent, match=r"too long|not done in"):
            world.send(CODE, "silent")
        closed.set()
        for end in world.of(Kind.EGRESS_FLOW):
            assert end["bytes_in"] <= 100_000 + (16 << 10)


def test_where_nobody_listens_and_what_hangs_up_is_told(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server]
) -> None:
    mute = serve(lambda line, _server: None)
    rude = serve(lambda line, _server: (line.start_tls(), line.write(b"\0\1\2 no HTTP\r\n\r\n")))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]
    with World(tmp_path) as world:
        world.internal(mute, both[1])
        world.internal(rude, both[1], name="rude")
        world.internal(mute, both[1], name="nobody", port=nobody)
        ways = [
            ("nobody", "no connection"),
            ("gateway", r"hung up|broke"),
            ("rude", r"it answered|broke"),
        ]
        for name, why in ways:
            with pytest.raises(NotSent, match=why):
                world.send(CODE, name)
        assert len(world.of(Kind.EGRESS_FLOW)) == 6


def test_when_the_ledger_is_full_nothing_is_sent(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server]
) -> None:
    server = serve(https())
    with World(tmp_path) as world:
        world.internal(server, both[1])
        assert world.send(CODE).status == 200
        world.full = True
        with pytest.raises(NotSent, match="ledger cannot be written"):
            world.send(CODE)
        assert server.connections == 1
        world.full = False
        assert world.send(CODE).status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\1",
        b"\xff\xff\xff\xff",
        b"\2\0\0\0{}",
        b'\7\0\0\0{"a":1}',
        b"\4\0\0\0\xff\xfe\0\0",
        b"\x20\0\0\0" + b"[" * 32,
    ],
)
def test_a_question_that_is_none_is_refused(tmp_path: Path, sent: bytes) -> None:
    with World(tmp_path) as world:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(world.place))
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            body = messages.read(line, messages.MOST_ANSWERED, time.monotonic() + 60)
        assert "cannot be read" in msgspec.json.decode(body, type=Refusal).reason
        assert len(world.of(Kind.EGRESS_REFUSAL)) == 1


def test_ten_thousand_connections_are_refused_plainly_and_it_lives(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server]
) -> None:
    server = serve(https())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    with World(tmp_path) as world:
        world.internal(server, both[1])
        held = []
        try:
            for _ in range(MOST):  # say nothing, and hold every place
                held.append(socket.socket(socket.AF_UNIX))
                held[-1].connect(str(world.place))
            told = {_asked(world) for _ in range(10_000)}
        finally:
            for line in held:
                line.close()
        assert told == {BUSY}
        assert len([body for body in world.of(Kind.EGRESS_REFUSAL) if "count" in body]) < 1000
        for _ in range(200):
            try:
                assert world.send(CODE).status == 200
                break
            except NotSent as error:
                assert str(error) == BUSY  # noqa: PT017  until the places are free again
                threading.Event().wait(0.05)
        else:
            pytest.fail("it does not live")
    count = sum(body.get("count", 0) for body in world.of(Kind.EGRESS_REFUSAL))
    assert count >= 10_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _asked(world: World) -> str:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(str(world.place))
        return msgspec.json.decode(
            messages.read(line, 1 << 20, time.monotonic() + 60), type=Refusal
        ).reason


def test_a_broker_at_the_end_of_a_long_path_is_asked(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server]
) -> None:
    server = serve(https())
    with World(tmp_path) as world:
        world.internal(server, both[1])
        far = tmp_path / ("a" * 100) / ("b" * 100)
        far.mkdir(parents=True)
        (far / "broker.sock").symlink_to(world.place)
        world.place = far / "broker.sock"
        assert world.send(CODE).status == 200


def test_the_command_serves_and_what_it_says_is_in_the_spool(
    tmp_path: Path, both: tuple[Path, Path], serve: Callable[[Any], Server]
) -> None:
    from jhalak.border.log import spool

    server = serve(https())
    world = World(tmp_path)
    world.internal(server, both[1])
    world.place.unlink()
    with world:  # only to end it: nobody asks it
        command = [sys.executable, "-m", "jhalak", "broker", "--socket", str(tmp_path / "b.sock")]
        environment = os.environ | {"JHALAK_DATA": str(tmp_path)}
        with subprocess.Popen(command, env=environment) as process:
            try:
                world.place = tmp_path / "b.sock"
                for _ in range(600):
                    try:
                        assert world.send(CODE).status == 200
                        break
                    except NotSent as error:
                        assert "declared" in str(error)  # noqa: PT017  it is not there as yet
                        threading.Event().wait(0.05)
            finally:
                process.terminate()
            assert process.wait(30) == 0
    files = spool.waiting(tmp_path / "border" / "spool")
    kinds = [msgspec.json.decode(line)["kind"] for file in files for line in spool.read(file)]
    assert kinds == ["destination", "egress_flow", "egress_flow"]
