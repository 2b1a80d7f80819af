"""The installation key in a key service over a Unix socket, against a stand-in for OpenBao."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jhalak.border.keys import (
    Installation,
    KeyMissing,
    KeyRefused,
    KeysAway,
    PersonKeys,
    Service,
    Shredded,
)
from tests.border.transit_double import TOKEN, TransitDouble


@pytest.fixture
def double(tmp_path: Path) -> Iterator[TransitDouble]:
    with TransitDouble(tmp_path / "bao.sock") as server:
        yield server


@pytest.fixture
def service(double: TransitDouble, tmp_path: Path) -> Service:
    return Service(str(tmp_path / "bao.sock"), token=TOKEN)


def test_the_key_stays_in_the_service(
    tmp_path: Path, double: TransitDouble, service: Service
) -> None:
    folder = tmp_path / "keys"
    with closing(Installation.load(folder, {}, service)) as installation:
        keys = PersonKeys(folder, installation)
        kept = {who: keys.encrypt(who, "contact", who.encode()) for who in ("m1", "m2", "m3")}
        assert keys.decrypt("m1", "contact", kept["m1"]) == b"m1"
        with pytest.raises(KeyRefused):
            keys.decrypt("m2", "contact", kept["m1"])
        found = installation.lookup_hash("mail", "a@b.in")
        assert found != installation.lookup_hash("phone", "a@b.in")
        keys.shred("m3")
        # A wrapped key in another person's row does not open: the service says so.
        rows = {who: installation.store.find("people", keys._subject(who)) for who in kept}
        moved = rows["m1"]._replace(wrapped=rows["m2"].wrapped)  # type: ignore[union-attr]
        installation.store.replace("people", [(rows["m1"], moved)])  # type: ignore[list-item]
        with pytest.raises(KeyRefused):
            keys.decrypt("m1", "contact", kept["m1"])
        installation.store.replace("people", [(moved, rows["m1"])])  # type: ignore[list-item]
        done = keys.rewrap()
        assert (done.old, done.new, done.keys) == ([1], 2, 3)  # two people and "hashes"
        assert double.engine.oldest == 2
    assert not list(folder.glob("*.key"))
    disk = b"".join(path.read_bytes() for path in folder.iterdir())
    assert not [key for key in double.engine.versions.values() if key in disk]
    with closing(Installation.load(folder, {}, service)) as installation:
        keys = PersonKeys(folder, installation)
        assert installation.lookup_hash("mail", "a@b.in") == found
        assert keys.decrypt("m1", "contact", kept["m1"]) == b"m1"
        with pytest.raises(Shredded):
            keys.decrypt("m3", "contact", kept["m3"])
    with pytest.raises(KeyMissing):  # a file's key is not the service's
        Installation.load(folder, {})


def test_a_service_that_is_away_or_says_no(
    tmp_path: Path, double: TransitDouble, service: Service
) -> None:
    folder = tmp_path / "keys"
    with pytest.raises(KeyRefused, match="permission denied"):
        Installation.load(folder, {}, service._replace(token="guess"))
    with pytest.raises(KeyMissing):
        Installation.load(folder, {}, service._replace(name="other"))
    with pytest.raises(KeysAway, match="does not answer"):
        Installation.load(folder, {}, Service(str(tmp_path / "nobody.sock")))
    with closing(Installation.load(folder, {}, service)) as installation:
        keys = PersonKeys(folder, installation)
        kept = keys.encrypt("m1", "contact", b"x")
        ok = b"HTTP/1.1 200 OK\r\nContent-Length: "
        for broken in (
            b"",
            b"no HTTP at all\r\n\r\n",
            ok + b"100\r\n\r\n{",
            ok + b"1\r\n\r\n{",
            ok + b"2\r\n\r\n[]",
            ok + b"2\r\n\r\n{}",
            ok + b'29\r\n\r\n{"data":{"batch_results":[]}}',
            ok + b'13\r\n\r\n{"data":null}',
            ok + b'23\r\n\r\n{"data":{"hmac":"v:\xff"}}',
            b"HTTP/1.1 503 sealed\r\nContent-Length: 0\r\n\r\n",
        ):
            double.engine.broken = broken
            with pytest.raises(KeysAway):
                keys.decrypt("m1", "contact", kept)
        double.engine.broken = None
        assert keys.decrypt("m1", "contact", kept) == b"x"
