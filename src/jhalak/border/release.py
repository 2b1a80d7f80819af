"""The release manifest: what code an installation is meant to run, and whether it does.

It names the SHA-256 of each file of the package and, of each library that it needs, that of the
library's RECORD, in which its installer wrote the hash of each of its files (PyPA, "Recording
installed projects"). A quick check reads our own files and the RECORDs, a deep one each file that
a RECORD names too. Caches of byte code and of machine code (numba's, of the learner) are not
hashed: they come after the release, each is taken only with the time and size of its source, and
who can forge that owns the account. Byte code elsewhere is no cache: Python would import it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import msgspec

FORMAT = "jhalak/release/v1"
FILE = "release.json"  # in <data>/border
PACKAGE = "jhalak"
_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_MOST_FILE = 64 << 20
_CACHES = (".pyc", ".nbi", ".nbc")


class ReleaseError(Exception):
    """No release manifest; the message says why."""


class Dependency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    record: str  # SHA-256 of its RECORD


class Release(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`files`: path below the folder that holds the package -> SHA-256."""

    format: str
    version: str
    files: dict[str, str]
    dependencies: dict[str, Dependency]

    def encode(self) -> bytes:
        data = msgspec.json.encode(self, order="sorted")
        return msgspec.json.format(data, indent=1) + b"\n"

    def digest(self) -> str:
        return hashlib.sha256(self.encode()).hexdigest()


def package_folder() -> Path:
    """The folder of the package that runs."""
    return Path(__file__).parents[1]


def make(folder: Path | None = None) -> Release:
    """The manifest of what stands here now. Raises OSError."""
    return Release(
        format=FORMAT,
        version=metadata.version(PACKAGE),
        files=_files(folder or package_folder()),
        dependencies={
            name: Dependency(found.version, _record_hash(found))
            for name, found in sorted(needed().items())
        },
    )


def decode(data: bytes) -> Release:
    """Raises ReleaseError for bytes that are no release manifest."""
    try:
        found = msgspec.json.decode(data, type=Release)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReleaseError(f"it is no release manifest: {error}") from error
    if found.format != FORMAT or not found.files:
        raise ReleaseError("it is a release manifest of another format")
    return found


def read(path: Path) -> Release:
    """Raises ReleaseError."""
    try:
        with path.open("rb") as file:
            return decode(file.read(_MOST_FILE))
    except OSError as error:
        raise ReleaseError(f"{path.name} cannot be read: {error.strerror}") from error


def compare(release: Release, folder: Path | None = None, *, deep: bool = False) -> list[str]:
    """How what stands here differs from the manifest, one sentence for each file. `deep`: reads
    every file of the libraries too.
    """
    differences = []
    here = _files(folder or package_folder())
    for name in sorted(here.keys() | release.files.keys()):
        if name not in here:
            differences.append(f"{name} is missing")
        elif name not in release.files:
            differences.append(f"{name} is not of the release")
        elif here[name] != release.files[name]:
            differences.append(f"{name} was altered")
    return [*differences, *_compare_libraries(release, deep)]


def _compare_libraries(release: Release, deep: bool) -> Iterator[str]:
    libraries = needed()
    for name in sorted(libraries.keys() | release.dependencies.keys()):
        wanted, found = release.dependencies.get(name), libraries.get(name)
        if found is None:
            yield f"library {name} is missing"
        elif wanted is None:
            yield f"library {name} is not of the release"
        elif found.version != wanted.version:
            yield f"library {name} is {found.version} and not {wanted.version}"
        elif _record_hash(found) != wanted.record:
            yield f"library {name}: its RECORD was altered"
        elif deep:
            yield from (f"library {name}: {said}" for said in altered(found))


def needed() -> dict[str, metadata.Distribution]:
    """The installed libraries that the package needs, and those that these need, by normalised
    name; without what only an extra adds, save an extra that a library is needed with.
    """
    found: dict[str, metadata.Distribution] = {}
    seen: set[tuple[str, str]] = set()
    wanted = [(PACKAGE, "")]
    while wanted:
        name, extra = wanted.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            library = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another system
        if name != PACKAGE:
            found[name] = library
        for other, extras in requirements(library, extra):
            wanted += [(other, extra) for extra in ("", *extras)]
    return found


def requirements(
    library: metadata.Distribution, extra: str = ""
) -> Iterator[tuple[str, list[str]]]:
    """(normalised name, extras) of what a library needs, with one of its extras or without."""
    for requirement in library.requires or ():
        match = _REQUIREMENT.match(requirement)
        only = _EXTRA.search(requirement.partition(";")[2])
        if match and (not only or normal(only[1]) == extra):
            names = (match[2] or "").split(",")
            yield normal(match[1]), [normal(name.strip()) for name in names if name.strip()]


def normal(name: str) -> str:
    """A package's name as PyPA normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def altered(library: metadata.Distribution) -> Iterator[str]:
    """What in an installed library is not as its RECORD says, one sentence for each file."""
    for file in library.files or ():
        if file.hash is None or file.suffix == ".pyc":
            continue
        try:
            data = Path(str(file.locate())).read_bytes()
        except OSError:
            yield f"{file} is missing"
            continue
        digest = base64.urlsafe_b64encode(hashlib.new(file.hash.mode, data).digest())
        if digest.rstrip(b"=").decode() != file.hash.value:
            yield f"{file} was altered"


def _record_hash(library: metadata.Distribution) -> str:
    record = library.read_text("RECORD")
    return hashlib.sha256((record or "").encode()).hexdigest()


def _files(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        cached = path.parent.name == "__pycache__" and path.suffix in _CACHES
        if path.is_file() and not cached:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found[path.relative_to(folder.parent).as_posix()] = digest
    return found
