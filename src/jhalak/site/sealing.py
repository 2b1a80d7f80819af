"""Which processes of the site are started sealed, what each may reach, and the register of it.

A process that must reach a service over TCP cannot be sealed. That is said in one line at the
start, with the option that asks for it and how it may be mended, and stands in the register.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from jhalak.border import Rules, Seal, SealError, Wall, sealed, survey
from jhalak.border.egress.destinations import secrets_folder
from jhalak.border.log.entries import Kind
from jhalak.border.log.keys import signing_folder, spool_folder
from jhalak.border.log.spool import Spool
from jhalak.border.services import (
    EXCUSED,
    HIDDEN,
    Process,
    Processes,
    how_to_allow,
    service_rules,
    walls_of,
)
from jhalak.options import Options
from jhalak.site.supervisor import Program, say

_OBJECTS = (
    "objects_url names a bucket over TCP; the folder objects in the data folder (the default)"
    " needs none"
)
_DATABASE = (
    "database_url names a host over TCP; name the server's Unix socket instead:"
    " postgres://user@%2Frun%2Fpostgresql/db"
)
_WORK = {
    "front": "it takes what comes in by the sockets it was given, and copies bytes",
    **EXCUSED,
}
# Who speaks to what.
# The others may not write where the operator declares what may leave, and where that is kept, nor
# see the key that signs it.
_WRITES_LOG = ("worker", "migrate", "demo-prepare")
_WITHOUT_DATABASE, _WITHOUT_OBJECTS = ("front",), ("feed",)


class Sealing:
    """Puts the seal around programs, and writes down what became of it."""

    def __init__(self, given: Options, sockets: Path, *, name: str = "supervisor") -> None:
        self._given = given
        self._sockets = sockets
        self._folder = folder = given.folder.resolve()
        self._border, self._keys = folder / "border", folder / "border" / "keys"
        self._signing, self._secrets = signing_folder(folder), secrets_folder(folder)
        for path in (self._keys, spool_folder(folder), self._signing, self._secrets):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)  # to be opened, or hidden
        self._settings = folder / "jhalak.toml"
        self._settings.touch(0o600)  # else who took over a process makes one for the next start
        self._processes = Processes(given.folder)
        self._spool = Spool(spool_folder(given.folder), "supervisor")
        self._said: set[str] = set()
        self._processes.clear()
        self._put(name, os.getpid(), None, "supervisor", _WORK["supervisor"])

    def front_keeps_user(self) -> bool:
        """Whether the front will be the user that it was started as, and so can change to none."""
        try:
            return bool(self._obstacle("front")) or not survey(self._rules("front")).shut
        except SealError:
            return True

    def around(self, program: Program) -> Program:
        """The program as it will be started."""
        if program.name == "broker":
            return replace(program, seal=self._broker(), exception="broker")
        if why := self._obstacle(program.name):
            return replace(program, unsealed=why)
        exception = "front" if program.name == "front" else ""
        # Where it is told as a path from here it may not be found from there.
        env = {**program.env, "JHALAK_DATA": str(self._given.folder)}
        seal = self._rules(program.name)
        return replace(program, env=env, seal=seal, exception=exception)

    def _rules(self, name: str) -> Rules:
        shut, opened, unseen = [self._settings], [], [self._secrets]
        if name not in _WRITES_LOG:
            shut += [self._border]
            opened += [self._keys, self._spool.folder]
            unseen += [self._signing]
        if name == "front":
            unseen += [self._keys]
        return service_rules(
            self._folder,
            reads=self._reads(name),
            shut=shut,
            opened=opened,
            unseen=unseen,
            seals=name == "worker",
        )

    def _broker(self) -> Rules:
        """It has a network: of the data folder it sees the declarations and their secrets, and
        writes the spool alone.
        """
        rules = service_rules(
            self._spool.folder.resolve(),
            reads=[self._border, self._settings, Path("/etc/resolv.conf").resolve()],
            unseen=[self._folder, self._keys, self._signing],
        )
        walls = rules.walls - {Wall.NETWORK, Wall.IPC}
        return msgspec.structs.replace(rules, walls=walls)

    def run(self, name: str, words: Sequence[str], *, quiet: bool) -> tuple[int, str]:
        """Runs a program to its end as `name` would be run; its exit code and, where `quiet`, what
        it said.
        """
        if self._obstacle(name):
            done = subprocess.run(words, check=False, capture_output=quiet, text=True)
            return done.returncode, done.stderr or ""
        report, told = os.pipe()  # takes all that is told at once, and what stands is known already
        try:
            done = subprocess.run(
                sealed(words, self._rules(name), told),
                check=False,
                capture_output=quiet,
                text=True,
                pass_fds=(told,),
            )
        finally:
            os.close(report)
            os.close(told)
        return done.returncode, done.stderr or ""

    def note(self, program: Program, pid: int, seal: Seal | None) -> None:
        """Called with each start."""
        why = program.unsealed or _WORK.get(program.exception, "")
        if seal is not None and not seal.shut and program.exception != "broker":
            why = how_to_allow(seal)
        told = self._put(program.name, pid, seal, program.exception, why)
        if why and not told.as_declared and why not in self._said:
            self._said.add(why)
            say(f"{program.name} and its like are not sealed and could call out: {why}.")

    def _put(self, name: str, pid: int, seal: Seal | None, exception: str, why: str) -> Process:
        told = Process(
            name=name,
            pid=pid,
            started_ms=time.time_ns() // 1_000_000,
            sealed=seal is not None and seal.shut,
            walls={} if seal is None else walls_of(seal),
            exception=exception,
            why=why,
        )
        self._processes.put(told)
        try:
            self._spool.write(Kind.SEAL, msgspec.to_builtins(told))
        except OSError as error:  # a full disk stops no start; that it is missing will be seen
            say(f"{name}: its seal could not be entered in the log: {error}")
        return told

    def _obstacle(self, name: str) -> str:
        if self._given.objects_url and name not in _WITHOUT_OBJECTS:
            return _OBJECTS
        if name in _WITHOUT_DATABASE or not self._given.database_url:
            return ""
        host = _database_host(self._given.database_url)
        return _DATABASE if host and not host.startswith("/") else ""

    def _reads(self, name: str) -> list[Path]:
        """What lies where a seal hides things, and is needed."""
        found = [self._sockets]
        if name == "worker" and self._given.speech_model:
            found.append(Path(self._given.speech_model).absolute())
        if name in _WITHOUT_DATABASE:
            return found
        if self._given.kms_socket:
            # Its folder, where it is found again when its service was; alone in a system's own.
            place = Path(self._given.kms_socket).absolute()
            found.append(place if place.parent in HIDDEN else place.parent)
        if self._given.database_url:
            host = _database_host(self._given.database_url)
            port = urlsplit(self._given.database_url).port or 5432
            standard = [Path("/run/postgresql"), Path(f"/tmp/.s.PGSQL.{port}")]  # noqa: S108
            found += [Path(host)] if host else standard
        return found


def _database_host(url: str) -> str:
    return unquote(urlsplit(url).hostname or "")
