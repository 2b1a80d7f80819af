"""What `jhalak serve` says about the seals of its processes, and whether it is so."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from jhalak.border import SealError, sealed, survey
from jhalak.border.log import spool
from jhalak.border.services import Process, Processes, built_in_exceptions, service_rules
from jhalak.options import Options
from jhalak.site.sealing import Sealing
from jhalak.site.serve import ServeError, _broker
from jhalak.site.supervisor import Program
from tests.house.running import House, eventually, kill

pytestmark = pytest.mark.slow
SERVICES = {"front", "web", "intake", "worker"}


@pytest.fixture(scope="module")
def shut(tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        found = survey(service_rules(tmp_path_factory.mktemp("data")))
    except SealError as error:
        pytest.skip(str(error))
    if not found.shut:
        pytest.skip(f"the kernel refuses it: {found}")


def _network(pid: int) -> int:
    return Path(f"/proc/{pid}/ns/net").stat().st_ino


@pytest.mark.usefixtures("shut")
def test_every_process_is_sealed_and_stays_so_when_it_is_started_again(tmp_path: Path) -> None:
    with House(tmp_path / "data") as house:
        found = {one.name: one for one in Processes(house.data).all()}
        assert set(found) == SERVICES | {"supervisor"}
        assert house.process is not None
        for name in SERVICES:
            assert found[name].sealed, found[name]
            assert found[name].pid == house.child(name).pid
            # By the kernel's word too, and all that they started with them.
            for process in (house.child(name), *house.child(name).children(recursive=True)):
                assert _network(process.pid) != _network(house.process.pid)
                lines = Path(f"/proc/{process.pid}/net/dev").read_text().splitlines()[2:]
                assert [line.split(":")[0].strip() for line in lines] == ["lo"]
        assert found["supervisor"].exception == "supervisor"
        assert house.get("/").status_code == 200
        before = house.child("web")
        kill(before)
        assert house.get("/").status_code == 200
        eventually(
            lambda: {p.name: p for p in Processes(house.data).all()}["web"].pid != before.pid,
            "web anew",
        )
        assert _network(house.child("web").pid) != _network(house.process.pid)
        told = _jhalak(house.data, "border", "status")
        assert told.returncode == 0, told.stdout + told.stderr
        assert told.stdout.count(" sealed ") == len(SERVICES)
        made = _jhalak(house.data, "border", "control")
        assert made.returncode == 0, made.stdout + made.stderr
        assert "Last control" in _jhalak(house.data, "border", "status").stdout
    files = spool.waiting(house.data / "border" / "spool")
    entries = [msgspec.json.decode(line) for file in files for line in spool.read(file)]
    seals = [entry["body"]["name"] for entry in entries if entry["kind"] == "seal"]
    assert sorted(set(seals)) == sorted(SERVICES | {"supervisor"})
    assert seals.count("web") == 2
    controls = [entry["body"] for entry in entries if entry["kind"] == "control"]
    assert controls
    assert all(body["blocked"] and body["seen"] for body in controls)


def _jhalak(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jhalak", *words],
        env=os.environ | {"JHALAK_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("shut")
def test_a_worker_of_its_own_is_sealed_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jhalak", "worker"]
    environment = os.environ | {"JHALAK_DATA": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as keeper:
        name = f"worker-{keeper.pid}"
        try:
            eventually(
                lambda: name in {one.name for one in Processes(tmp_path).all()}, "its register"
            )
        finally:
            keeper.terminate()
        (told,) = (one for one in Processes(tmp_path).all() if one.name == name)
        assert told.sealed
        assert keeper.wait(60) == 0
    Processes(tmp_path).clear()
    assert Processes(tmp_path).all() == []


@pytest.mark.usefixtures("shut")
def test_secrets_are_seen_by_who_needs_them(tmp_path: Path) -> None:
    """Each process tries to read one of each kind, and to leave options for the next start."""
    secrets = {
        "log": tmp_path / "border" / "signing" / "log.key",
        "people": tmp_path / "border" / "keys" / "keys.db",
        "mail": tmp_path / "border" / "egress-secrets" / "mail",
        "rows": tmp_path / "jhalak.db",
        "declared": tmp_path / "border" / "destinations.toml",
    }
    settings = tmp_path / "jhalak.toml"
    sealing = Sealing(Options(data=str(tmp_path)), tmp_path)
    seen = {
        "front": {"rows", "declared"},
        "web": {"people", "rows", "declared"},
        "intake": {"people", "rows", "declared"},
        "feed": {"people", "rows", "declared"},
        "worker": {"log", "people", "rows", "declared"},
        "migrate": {"log", "people", "rows", "declared"},
        "broker": {"mail", "declared"},
    }
    code = "import sys\nfor path in sys.argv[1:]:\n"
    code += " try: print(open(path).read())\n except OSError: pass\n"
    code += "import os\nmade = sys.argv[1] + '.mine'\n"
    code += "for change in (lambda: open(sys.argv[1], 'w'), lambda: os.unlink(sys.argv[1]),"
    code += " lambda: (open(made, 'w'), os.rename(made, sys.argv[1]))):\n"
    code += " try: change(); print('changed')\n except OSError: pass"
    for name, wanted in seen.items():
        rules = sealing.around(Program(name, ("true",))).seal
        assert rules is not None
        for what, path in secrets.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(what)
        report, told = os.pipe()
        words = [sys.executable, "-I", "-S", "-c", code, str(settings), *map(str, secrets.values())]
        done = subprocess.run(
            sealed(words, rules, told), pass_fds=[told], capture_output=True, text=True, check=True
        )
        os.close(report)
        os.close(told)
        assert set(done.stdout.split()) == wanted, name


@pytest.mark.parametrize(
    ("name", "given", "option"),
    [
        ("web", {"database_url": "postgres://a@db.example/x"}, "database_url"),
        ("worker", {"database_url": "postgres://a@127.0.0.1:5432/x"}, "database_url"),
        ("feed", {"database_url": "postgres://a@[::1]/x"}, "database_url"),
        ("feed-2", {"database_url": "postgres://a@db/x"}, "database_url"),
        ("front", {"objects_url": "s3://b?endpoint=http://o:9000"}, "objects_url"),
        ("intake", {"objects_url": "s3://b?endpoint=http://o:9000"}, "objects_url"),
        ("front", {"database_url": "postgres://a@db.example/x"}, ""),
        ("feed", {"objects_url": "s3://b?endpoint=http://o:9000"}, ""),
        ("web", {"database_url": "postgres://a@%2Frun%2Fpostgresql/x"}, ""),
        ("web", {"database_url": "postgres:///x"}, ""),
        ("web", {}, ""),
    ],
)
def test_what_needs_tcp_is_not_sealed_and_the_option_is_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    given: dict[str, str],
    option: str,
) -> None:
    options = Options(data=str(tmp_path), **given)  # type: ignore[arg-type]
    sealing = Sealing(options, tmp_path)
    program = sealing.around(Program(name, ("sleep", "1")))
    assert (program.seal is None) == bool(option)
    sealing.note(program, 1, None)
    sealing.note(program, 1, None)
    told: Process = {one.name: one for one in Processes(tmp_path).all()}[name]
    assert not told.sealed
    if option:
        assert option in told.why
        assert capsys.readouterr().err.count(option) == 1  # in one line, once


def test_a_declaration_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "border").mkdir()
    (tmp_path / "border" / "destinations.toml").write_text("[[destination]]\nname = 1\n")
    with pytest.raises(ServeError, match=r"destinations\.toml.*Nothing was started"):
        _broker(Options(data=str(tmp_path)), tmp_path, ExitStack())


def test_what_cannot_be_sealed_is_in_the_register_and_the_front_is_not() -> None:
    names = {one["subject"] for one in built_in_exceptions()}
    assert {"supervisor", "broker"} <= names
    assert names.isdisjoint(SERVICES)
