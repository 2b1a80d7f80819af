"""The pack of a real installation: its rows, its folder, its log; and the commands around it."""

from __future__ import annotations

import datetime
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from tests.border import wires
from tests.feed.test_models import ARTEFACT, manifest
from tests.people.factories import make_person
from typer.testing import CliRunner, Result

from jhalak.border import exceptions, release
from jhalak.border.log import checkpoints, notes
from jhalak.border.log.entries import Entry, Kind, entry, read_entry
from jhalak.border.log.keys import key_file, load_signer, log_folder, spool_folder
from jhalak.border.log.tiles import Tiles
from jhalak.border.log.writer import Log
from jhalak.cli.border import border
from jhalak.feed import models
from jhalak.options import options
from jhalak.people.roles import Role
from jhalak.site.lifetime import lifetime
from jhalak.verify import verify

HOUR = 3_600_000
GAP = '[[exception]]\nkind="gap"\nsubject="a"\nreason="b"\nowner="c"\nexpires=2027-01-01\n'
FLOW = {"destination": "mail", "purpose": "codes", "address": wires.MAIL, "port": 587}


def fill(*more: tuple[Kind, dict[str, object]], hours: int = 3) -> int:
    """A log of the last hours with a control in each, then these entries; returns when it began."""
    data = options().folder
    now = time.time_ns() // 1_000_000
    begin = now - hours * HOUR
    control = {"attempt": "tcp", "blocked": True, "seen": True, "process": "web", "errno": ""}
    told = [(begin, Kind.START, {})]
    told += [(begin + n * HOUR, Kind.CONTROL, control) for n in range(hours)]
    told += [(now, kind, body) for kind, body in more]
    with Log(log_folder(data), load_signer(key_file(data))) as log:
        log.append([entry(kind, body, at_ms=at) for at, kind, body in told])
    return begin


def logged() -> list[tuple[int, Entry]]:
    """What the log holds, by number."""
    tiles = Tiles(log_folder(options().folder))
    size = checkpoints.read_text(notes.parse(tiles.checkpoint()).text).size
    return [(number, read_entry(leaf)) for number, leaf in tiles.entries(0, size)]


def run(*words: str) -> Result:
    return CliRunner().invoke(border, list(words))


@pytest.fixture
def made(db: None, tmp_path: Path) -> Callable[[], verify.Report]:
    """Makes the pack with `jhalak border evidence` and has it verified by its own key."""
    data = options().folder
    data.mkdir(parents=True)
    assert run("release").exit_code == 0

    def make() -> verify.Report:
        out = tmp_path / os.urandom(4).hex()
        done = run("evidence", "--since", "2h", "--out", str(out))
        key = str(load_signer(key_file(data)).verifier)
        report = verify.Pack(out, log_keys=[key], processes=1).run()
        assert done.exit_code == (0 if report.green else 1), (done.output, done.exception)
        return report

    return make


@pytest.fixture
def sealed() -> None:
    folder = options().folder / "border" / "processes"
    folder.mkdir(parents=True)
    for name, exception in (("web", ""), ("supervisor", "supervisor")):
        told = {"name": name, "pid": 1, "started_ms": 1, "sealed": not exception}
        (folder / f"{name}.json").write_text(json.dumps({**told, "exception": exception}))


@pytest.mark.slow
def test_a_pack_of_an_installation_in_order_is_green(made, sealed: None) -> None:
    make_person("asha", role=Role.OPERATOR)
    make_person("ravi")
    fill()
    report = made()
    assert report.green, report.reasons
    assert report.facts["people"] == [{"name": "asha", "roles": ["operator"]}]
    assert report.facts["controls"] == 3
    (options().folder / "border" / release.FILE).unlink()
    report = made()
    assert set(report.reasons) == {"release"}


@pytest.mark.slow
def test_each_cause_is_named(made, sealed: None, capfd: pytest.CaptureFixture[str]) -> None:
    """One installation with everything wrong at once: a pack reads all libraries, which takes its
    time, and each cause alone is tried in tests/verify.
    """
    data = options().folder
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE people_person ADD COLUMN blood_group text")
        cursor.execute("CREATE TABLE shadow (watched text)")
    folder = data / "feed" / "models"
    digest = models.write(folder, ARTEFACT, manifest())
    (folder / digest / models.ARTEFACT).write_bytes(b"W" + ARTEFACT[1:])
    with pytest.raises(models.ModelError, match="altered"):
        models.read(folder, "places", digest)
    day = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
    exceptions.path_of(data).write_text(
        '[[exception]]\nkind = "unsealed"\nsubject = "worker"\nreason = "GPU"\nowner = "x"\n'
        f"expires = {day}\n"
    )
    path = data / "border" / release.FILE
    real = release.read(path).files["jhalak/options.py"]
    path.write_bytes(path.read_bytes().replace(real.encode(), b"0" * 64))
    with lifetime(data):
        pass
    assert "NOT THE RELEASED CODE: jhalak/options.py was altered" in capfd.readouterr().err
    told = [
        read_entry(line)
        for file in sorted(spool_folder(data).iterdir())
        for line in file.read_bytes().splitlines()
    ]
    assert [one.kind for one in told] == [Kind.START, Kind.RELEASE, Kind.STOP]
    fill(
        (Kind.MODEL, {"kind": "places", "digest": digest, "verdict": "promoted"}),
        (Kind.MODEL, {"kind": "places", "digest": "ab" * 32, "verdict": "promoted"}),
    )
    report = made()
    at = {one.kind: number for number, one in logged()}
    (reported,) = (one.at for _, one in logged() if one.kind is Kind.RESIDENCY_REPORT)
    lines = [
        f"columns: {name} is not declared: say in COLUMNS of its room's data_map.py what it holds,"
        " why, for how long, and how it ends"
        for name in ("Person.blood_group", "shadow.watched")
    ]
    assert report.reasons == {
        "map": [
            "columns:Person.blood_group is stored and not declared",
            "columns:shadow.watched is stored and not declared",
            *(f"entry {at[Kind.MAP]}: {line}" for line in lines),
            *(f"the residency report of {verify.when(reported)}: {line}" for line in lines),
        ],
        "exceptions": [f"the exception unsealed of worker expired on {day}"],
        "release": [
            "jhalak/options.py was altered",
            f"entry {at[Kind.RELEASE]}: jhalak/options.py was altered",
        ],
        "models": [
            f"model places {digest[:12]}: the artefact of {digest[:12]} is cut off or was altered",
            "model places abababababab (entry 5) has no manifest",
        ],
    }
    checked = run("release", "--check")
    assert (checked.exit_code, checked.output) == (1, "jhalak/options.py was altered\n")


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        "[[exception]]",
        GAP,
        '[[exception]]\nkind="party"\nsubject="a"\nreason="b"\nowner="c"\nexpires=2027-01-01',
        '[[exception]]\nkind="unsealed"\nsubject="a"\nreason="b"\nowner="c"\nexpires="soon"',
        f"{GAP}from=2026-01-02T00:00:00\nuntil=2026-01-03T00:00:00",
        f"{GAP}from=2026-01-02T00:00:00Z\nuntil=2026-01-01T00:00:00Z",
        "\x00",
    ],
)
def test_a_register_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(exceptions.ExceptionsError):
        exceptions.parse(text.encode())


def test_a_gap_is_told_in_ms() -> None:
    text = f"{GAP}from=2026-01-01T00:00:00Z\nuntil=2026-01-01T00:00:01Z"
    (found,) = exceptions.parse(text.encode())
    assert found.said()["until_ms"] - found.said()["from_ms"] == 1000


@pytest.mark.slow
def test_one_hidden_packet_in_a_capture(made, sealed: None, tmp_path: Path) -> None:
    """The auditor's capture, reconciled and put into the pack."""
    now = time.time_ns() // 1_000_000
    times = {"opened": now, "closed": now + 30, "bytes_in": 20, "bytes_out": 10, "outcome": "sent"}
    declared = {"name": "mail", "expires": "2100-01-01"}
    fill((Kind.DESTINATION, declared), (Kind.EGRESS_FLOW, {**FLOW, **times}))
    good = wires.talk((wires.OURS, 40_000), (wires.MAIL, 587), 10, 20)
    capture, found = tmp_path / "tap.pcap", tmp_path / "tap.json"
    capture.write_bytes(wires.pcap(good, now))
    done = run("reconcile", str(capture), "--json", str(found))
    assert done.exit_code == 0
    assert done.output.startswith(f"{len(good)} packets: 1 flows agree with the ledger, 0 conn")
    hidden = wires.udp((wires.OURS, 1), ("192.0.2.9", 53), b"x")
    capture.write_bytes(wires.pcap([*good, hidden], now))
    done = run("reconcile", str(capture), "--json", str(found))
    assert done.exit_code == 1
    assert done.output.startswith("a leak: 1 packet of UDP to 192.0.2.9 port 53\n")
    out = tmp_path / "evidence"
    run("evidence", "--since", "2h", "--out", str(out), "--capture", str(found))
    (said,) = verify.Pack(out, processes=1).run().reasons["capture"]
    assert said == "tap.pcap: a leak: 1 packet of UDP to 192.0.2.9 port 53"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["evidence", "--out", "x", "--since", "a year"], "180d or 48h"),
        (["reconcile", "pyproject.toml"], "neither pcap nor pcapng"),
        (["reconcile", "absent.pcap"], "absent.pcap"),
        (["release", "--check"], "release.json cannot be read"),
        (["nftables"], "either a user or a cgroup"),
        (["materials", "--lock", "absent.lock"], "absent.lock"),
    ],
)
def test_what_cannot_be_done_is_said(db: None, words: list[str], says: str) -> None:
    options().folder.mkdir(parents=True)
    fill()
    done = run(*words)
    assert done.exit_code == 1
    assert says in done.output
    assert "Traceback" not in done.output
