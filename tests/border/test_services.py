"""From inside a service's seal, and from inside its child: every way out that a process of the site
could try is refused, and with which error. What can be tried outside is first seen to be open.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jhalak.border import SERVICE_WALLS, Rules, Seal, Wall, reported, sealed, survey
from jhalak.border.services import attempts, how_to_allow, service_rules
from tests.border.conftest import in_a_poor_kernel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's"),
]
LEAVING = Path(__file__).with_name("leaving.py")
Try = Callable[..., str]
INET, INET6, STREAM = int(socket.AF_INET), int(socket.AF_INET6), int(socket.SOCK_STREAM)
RAW = int(socket.SOCK_RAW)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def rules(data: Path) -> Rules:
    rules = service_rules(data, reads=[LEAVING.parent], seals=True)
    found = survey(rules)
    if not found.shut:
        pytest.skip(f"the kernel refuses it: {found}")
    return rules


@pytest.fixture(scope="module")
def leave(rules: Rules) -> Try:
    return trying(rules)


def trying(rules: Rules) -> Try:
    """What came of one of leaving.py's ways, tried in the seal."""

    def run(name: str, *arguments: object) -> str:
        report, told = os.pipe()
        words = [sys.executable, "-I", "-S", str(LEAVING), name, *map(str, arguments)]
        done = subprocess.run(
            sealed(words, rules, told), pass_fds=[told], capture_output=True, text=True, check=False
        )
        os.close(told)
        with os.fdopen(report) as lines:
            assert reported(lines.read()).standing == SERVICE_WALLS
        return done.stdout.strip() or done.stderr

    return run


def outside(name: str, *arguments: object) -> str:
    words = [sys.executable, "-I", "-S", str(LEAVING), name, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """Services of this machine that nobody declared."""
    folder = tmp_path_factory.mktemp("neighbour")
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as named,
        subprocess.Popen(["sleep", "300"]) as process,
    ):
        abstract.bind(f"\0jhalak-{os.getpid()}")
        abstract.listen(100)
        named.bind(str(folder / "socket"))
        named.listen(100)
        yield {
            "port": tcp.getsockname()[1],
            "abstract": f"@jhalak-{os.getpid()}",
            "path": folder / "socket",
            "pid": process.pid,
        }
        process.kill()


def test_no_way_out_is_open(leave: Try, neighbour: dict[str, object]) -> None:
    port, pid = neighbour["port"], neighbour["pid"]
    net, user = f"/proc/{pid}/ns/net", f"/proc/{pid}/ns/user"
    ways: list[tuple[str, tuple[object, ...], set[str]]] = [
        ("connect", (INET, STREAM, "192.0.2.1", 443), {"ENETUNREACH"}),
        ("connect", (INET, STREAM, "127.0.0.1", port), {"ENETUNREACH"}),
        ("connect", (INET6, STREAM, "2001:db8::1", 443), {"ENETUNREACH", "EADDRNOTAVAIL"}),
        ("connect", (INET6, STREAM, "::1", port), {"ENETUNREACH", "EADDRNOTAVAIL"}),
        ("datagram", (INET, "192.0.2.1", 53), {"ENETUNREACH"}),
        ("datagram", (INET, "255.255.255.255", 67), {"ENETUNREACH", "EACCES"}),
        ("datagram", (INET6, "ff02::1", 9), {"ENETUNREACH", "EADDRNOTAVAIL"}),
        ("dns", (), {"EAI_AGAIN"}),
        ("netlink", (), {"EPERM"}),
        ("family", (INET, RAW), {"EPERM", "EPROTONOSUPPORT"}),
        ("family", (INET6, RAW), {"EPERM", "EPROTONOSUPPORT"}),
        ("families", (), {"opened []"}),
        ("family", (17, RAW), {"EAFNOSUPPORT"}),
        ("family", (40, STREAM), {"EAFNOSUPPORT"}),
        ("unix", (neighbour["abstract"],), {"ECONNREFUSED"}),
        ("unix", (neighbour["path"],), {"ENOENT"}),
        ("setns", (net,), {"EACCES", "ENOENT", "EPERM"}),
        ("own_then_back", (net,), {"EACCES", "ENOENT", "EPERM"}),
        ("setns", (user,), {"EACCES", "ENOENT", "EPERM"}),
        ("unshare", ("0x40000000",), {"EPERM"}),
        ("unshare", ("0x00020000",), {"EPERM"}),
        ("own_then_umount", ("/tmp",), {"EINVAL"}),
        ("ring", (), {"EPERM"}),
        ("trace", (pid,), {"EPERM"}),
        ("descriptor", (pid,), {"EPERM"}),
        ("write", ("/etc/hosts",), {"EROFS", "EACCES"}),
        ("write", ("/proc/sys/kernel/core_pattern",), {"EROFS", "EACCES"}),
        ("device", ("/dev/kmsg",), {"ENOENT"}),
    ]
    asked = json.dumps([[name, *map(str, arguments)] for name, arguments, _ in ways])
    told = json.loads(leave("each", asked))
    came = zip(ways, told, strict=True)
    assert [(*way, found) for way, found in came if found not in way[2]] == []
    # Not only its children: itself too.
    assert leave("connect", INET, STREAM, "192.0.2.1", 443) == "ENETUNREACH"
    assert leave("setns", net) in {"EACCES", "ENOENT", "EPERM"}
    # What a machine has without the seal, so that the test could fail.
    assert outside("connect", INET, STREAM, "127.0.0.1", port) == "done"
    assert outside("unix", neighbour["abstract"]) == "done"
    assert outside("unix", neighbour["path"]) == "done"
    assert outside("family", INET, 2) == "done"


def test_it_writes_its_data_and_reads_the_rest(leave: Try, data: Path) -> None:
    assert leave("write", data / "kept") == "done"
    assert (data / "kept").exists()
    assert leave("write", "/tmp/of-its-own") == "done"
    assert not Path("/tmp/of-its-own").exists()
    assert leave("write", "/dev/null") == "done"


def test_what_is_declared_it_may_not_write(rules: Rules, tmp_path: Path) -> None:
    """Who took over a web process would else declare where the broker sends things."""
    border = tmp_path / "border"
    opened = [border / "keys", border / "spool"]
    for folder in opened:
        folder.mkdir(parents=True)
    file = border / "destinations.toml"
    file.write_text("")
    leave = trying(service_rules(tmp_path, reads=[LEAVING.parent], shut=[border], opened=opened))
    fresh = border / "fresh"
    fresh.write_text("")
    asked = [
        ["write", str(file)],
        ["write", str(border / "new")],
        ["rename", str(border), str(tmp_path / "away")],
        ["rename", str(opened[0]), str(tmp_path / "away")],
        ["write", str(opened[0] / "kept")],
        ["write", str(opened[1] / "kept")],
        ["write", str(tmp_path / "kept")],
    ]
    told = json.loads(leave("each", json.dumps(asked)))
    assert told[:2] == ["EROFS", "EROFS"]
    assert {*told[2:4]} <= {"EBUSY", "EXDEV", "EROFS"}
    assert told[4:] == ["done"] * 3
    fresh.rename(file)  # as an editor saves it
    assert leave("write", file) == "EROFS"


def test_what_it_may_not_see_is_not_there(rules: Rules, tmp_path: Path) -> None:
    """Who took over a web process could else sign the log, or read a mail server's password."""
    border = tmp_path / "border"
    signing, keys = border / "signing", border / "keys"
    for folder in (signing, keys):
        folder.mkdir(parents=True)
        (folder / "a.key").write_text("secret")
    away, reads = tmp_path / "away", [LEAVING.parent]
    leave = trying(
        service_rules(tmp_path, reads=reads, shut=[border], opened=[keys], unseen=[signing])
    )
    asked = [
        ["read", str(signing / "a.key")],
        ["write", str(signing / "b.key")],
        ["rename", str(signing), str(border / "away")],
        ["own_then_umount", str(signing)],
        ["read", str(keys / "a.key")],
        ["write", str(keys / "b.key")],
    ]
    told = json.loads(leave("each", json.dumps(asked)))
    assert told[:2] == ["ENOENT", "EROFS"]
    assert told[2] in {"EBUSY", "EROFS", "EXDEV"}
    assert told[3] in {"EINVAL", "EPERM"}
    assert told[4:] == ["done"] * 2
    # All of the data hidden but for a part of it, as around the broker.
    other = tmp_path / "of-web"
    other.write_text("")
    spool = border / "spool"
    spool.mkdir()
    leave = trying(service_rules(spool, reads=[*reads, border], unseen=[tmp_path, keys, signing]))
    asked = [
        ["read", str(other)],
        ["read", str(keys / "a.key")],
        ["read", str(signing / "a.key")],
        ["write", str(border / "new")],
        ["rename", str(border), str(away)],
        ["write", str(spool / "kept")],
    ]
    told = json.loads(leave("each", json.dumps(asked)))
    assert told[:3] == ["ENOENT"] * 3
    assert told[3:] == ["EROFS", told[4], "done"]
    assert told[4] in {"EBUSY", "EXDEV", "EROFS"}
    fresh = tmp_path / "fresh"
    fresh.write_text("as an editor saves it")
    fresh.rename(border / "destinations.toml")
    assert leave("read", border / "destinations.toml") == "done"


def test_a_link_in_the_data_opens_nothing_that_the_seal_hides(tmp_path: Path) -> None:
    """It may have been put there by who took over a process, for the next start."""
    data, disk = tmp_path / "data", tmp_path / "disk"
    for folder in (data, disk):
        folder.mkdir()
    (data / "objects").symlink_to(disk)
    bad = ("/", "/run", "/run/none", "/tmp", "/dev/shm", "/etc", "/usr/lib", sys.prefix)
    code = Path(service_rules.__code__.co_filename).parents[1]
    for number, place in enumerate((*bad, str(code), str(tmp_path))):
        (data / f"link-{number}").symlink_to(place)
    assert set(service_rules(data).writes) == {data, disk}


def test_what_it_seals_stands_behind_every_wall_that_would_stand_outside(
    rules: Rules, kernel: Seal
) -> None:
    code = f"import sys; sys.path[:0] = {sys.path!r}\nfrom jhalak.border import survey\n"
    code += "print(*sorted(survey().standing))"
    report, told = os.pipe()
    words = sealed([sys.executable, "-c", code], rules, told)
    done = subprocess.run(words, pass_fds=[told], capture_output=True, text=True, check=True)
    os.close(told)
    os.close(report)
    assert done.stdout.split() == sorted(kernel.standing)


def test_the_kernel_counts_each_attempt(rules: Rules) -> None:
    code = "import socket, sys\nprint(flush=True)\n"
    code += "for line in sys.stdin:\n try: socket.create_connection(('192.0.2.1', 443))\n"
    code += " except OSError as error: print(error.errno, flush=True)\n"
    report, told = os.pipe()
    with subprocess.Popen(
        sealed([sys.executable, "-c", code], rules, told),
        pass_fds=[told],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(told)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        os.close(report)
        counts = [attempts(process.pid)]
        for _ in range(3):
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline().strip() == "101"
            counts.append(attempts(process.pid))
        assert counts == [0, 1, 2, 3]
        process.stdin.close()


def test_where_the_kernel_refuses_it_says_how_to_allow_it(rules: Rules, data: Path) -> None:
    for refused, wall, switch in (
        (["net"], Wall.NETWORK, "user.max_net_namespaces"),
        (["net", "user", "mnt"], Wall.USER, "user.max_user_namespaces"),
    ):
        told = in_a_poor_kernel(
            refused,
            f"""
            from pathlib import Path
            from jhalak.border import survey
            from jhalak.border.services import how_to_allow, service_rules
            seal = survey(service_rules(Path({str(data)!r})))
            print(seal.shut, how_to_allow(seal))
            """,
        )
        assert told.startswith(f"False the kernel refuses the wall {wall}"), told
        assert told.strip().endswith(f"sysctl -w {switch}=28633"), told
    assert how_to_allow(survey(rules)) == ""
