"""Where the installation key comes from: a file, an environment variable, or a key service. Each
answers the same four questions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from jhalak.border.keys import keyfiles, transit
from jhalak.border.keys.errors import KeyMissing
from jhalak.border.keys.roots import Root
from jhalak.border.keys.store import Generation


class Source(Protocol):
    def first(self) -> Root:
        """The root of a new installation. Raises KeysError."""

    def find(self, key_id: bytes) -> Root | None:
        """The root of that name, None when it is not here."""

    def following(self, now: Generation) -> Root:
        """The root that comes after: the same one when asked again. Raises KeysError."""

    def end(self, older: list[int], now: Generation) -> str:
        """Destroys the roots before `now`; what is left for the operator to do, in words, or ""."""


class FileSource:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def first(self) -> Root:
        return keyfiles.make_file(self._folder, 1)

    def find(self, key_id: bytes) -> Root | None:
        return next((r for r in keyfiles.from_files(self._folder) if r.key_id == key_id), None)

    def following(self, now: Generation) -> Root:
        return keyfiles.make_file(self._folder, now.number + 1)

    def end(self, older: list[int], now: Generation) -> str:  # noqa: ARG002
        for number in older:
            keyfiles.destroy_file(self._folder, number)
        return ""


class EnvironmentSource:
    def __init__(self, env: Mapping[str, str]) -> None:
        self._roots = keyfiles.from_environment(env)

    def first(self) -> Root:
        return self._roots[0]

    def find(self, key_id: bytes) -> Root | None:
        return next((r for r in self._roots if r.key_id == key_id), None)

    def following(self, now: Generation) -> Root:
        if self._roots[0].key_id == now.key_id:
            raise KeyMissing(
                f"Put the new key before the old one in {keyfiles.VARIABLE}, with a space between,"
                " restart the site, and rotate then."
            )
        return self._roots[0]

    def end(self, older: list[int], now: Generation) -> str:  # noqa: ARG002
        return f"Take the old key out of {keyfiles.VARIABLE} now, and destroy every copy of it."


class TransitSource:
    def __init__(self, service: transit.Service) -> None:
        self.service = service
        self._key_id = re.compile(rf"transit/{re.escape(service.name)}/v([0-9]+)".encode())

    def first(self) -> Root:
        return transit.TransitRoot(self.service, transit.latest_version(self.service))

    def find(self, key_id: bytes) -> Root | None:
        named = self._key_id.fullmatch(key_id)
        return transit.TransitRoot(self.service, int(named[1])) if named else None

    def following(self, now: Generation) -> Root:
        named = self._key_id.fullmatch(now.key_id)
        version = transit.latest_version(self.service)
        if named and version == int(named[1]):
            version = transit.rotate(self.service)
        return transit.TransitRoot(self.service, version)

    def end(self, older: list[int], now: Generation) -> str:  # noqa: ARG002
        named = self._key_id.fullmatch(now.key_id)
        if named:
            transit.end_versions_before(self.service, int(named[1]))
        return ""


def source(folder: Path, env: Mapping[str, str], service: transit.Service | None) -> Source:
    """The service if there is one, else the variable if it is set, else files in the folder."""
    if service is not None:
        return TransitSource(service)
    if env.get(keyfiles.VARIABLE, "").strip():
        return EnvironmentSource(env)
    return FileSource(folder)
