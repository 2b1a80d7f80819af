"""The release manifest names what differs; the bill of materials keeps to CycloneDX 1.6."""

from __future__ import annotations

import json
import re
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jhalak.border import release
from jhalak.border.materials import locked, materials

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made() -> release.Release:
    return release.make()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small package folder, and nothing of ours in it."""
    folder = tmp_path / "jhalak"
    (folder / "feed").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "feed/engine.py").write_text("x = 1\n")
    return folder


def test_what_stands_here_is_what_was_made(made: release.Release) -> None:
    assert not release.compare(made)
    assert release.decode(made.encode()) == made
    assert "jhalak/border/release.py" in made.files
    assert {"django", "cryptography", "psycopg-binary"} <= made.dependencies.keys()
    assert "pytest" not in made.dependencies


def test_a_flipped_byte_is_named(package: Path) -> None:
    made = release.make(package)
    assert not release.compare(made, package)
    (package / "feed/engine.py").write_text("x = 2\n")
    assert release.compare(made, package) == ["jhalak/feed/engine.py was altered"]
    (package / "feed/engine.py").unlink()
    (package / "more.py").write_text("")
    (package / "bare.pyc").write_text("")
    (package / "__pycache__").mkdir()
    for name in ("more.pyc", "more.nbi", "more.1.nbc"):
        (package / "__pycache__" / name).write_text("")
    (package / "__pycache__/hidden.py").write_text("")
    assert release.compare(made, package) == [
        "jhalak/__pycache__/hidden.py is not of the release",
        "jhalak/bare.pyc is not of the release",
        "jhalak/feed/engine.py is missing",
        "jhalak/more.py is not of the release",
    ]


def test_other_libraries_are_named(made: release.Release) -> None:
    libraries = dict(made.dependencies)
    django = libraries["django"]
    libraries["django"] = msgspec.structs.replace(django, version="1.0")
    libraries["granian"] = msgspec.structs.replace(libraries["granian"], record="0" * 64)
    libraries["left-pad"] = django
    del libraries["typer"]
    other = msgspec.structs.replace(made, dependencies=libraries)
    assert release.compare(other) == [
        f"library django is {django.version} and not 1.0",
        "library granian: its RECORD was altered",
        "library left-pad is missing",
        "library typer is not of the release",
    ]


def test_a_flipped_byte_in_a_library_is_named(tmp_path: Path) -> None:
    found = metadata.distribution("annotated-doc")
    for file in found.files or ():
        target = tmp_path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(file.locate()), target)
    copied = next(iter(metadata.distributions(path=[str(tmp_path)])))
    assert not list(release.altered(copied))
    with (tmp_path / "annotated_doc/__init__.py").open("a") as file:
        file.write(" ")
    assert list(release.altered(copied)) == ["annotated_doc/__init__.py was altered"]


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"format":1}'])
def test_what_is_no_release_manifest_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(release.ReleaseError):
        release.decode(data)
    with pytest.raises(release.ReleaseError):
        release.read(tmp_path / "absent.json")


def test_the_digest_is_of_every_line(made: release.Release) -> None:
    other = msgspec.structs.replace(made, files={**made.files, "jhalak/x.py": "0" * 64})
    assert made.digest() != other.digest()
    assert release.make().digest() == made.digest()


# The bill of materials ----------------------------------------------------------------------------

_TYPES = {"application", "framework", "library"}
_FIELDS = {"type", "bom-ref", "name", "version", "purl", "licenses", "externalReferences"}


def check_component(found: dict[str, Any]) -> None:
    """The rules of CycloneDX 1.6 for the fields that we write."""
    assert found.keys() <= _FIELDS
    assert found["type"] in _TYPES
    assert found["name"]
    assert re.fullmatch(r"pkg:pypi/[a-z0-9-]+@\S+", found["purl"])
    licences = found.get("licenses", [])
    if any("expression" in item for item in licences):  # one expression, or else licences
        assert len(licences) == 1
    for item in licences:
        assert item.keys() in ({"expression"}, {"license"})
        assert item.get("expression") or item["license"].keys() in ({"id"}, {"name"})
    for item in found.get("externalReferences", []):
        assert item.keys() == {"type", "url", "hashes"}
        assert item["type"] == "distribution"
        for digest in item["hashes"]:
            assert digest["alg"] == "SHA-256"
            assert re.fullmatch(r"[0-9a-f]{64}", digest["content"])


def test_the_bill_keeps_to_the_rules_of_its_format() -> None:
    bill = materials(ROOT / "requirements.lock")
    assert bill == json.loads(json.dumps(bill))
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    every = [bill["metadata"]["component"], *bill["components"]]
    for component in every:
        check_component(component)
    references = [component["bom-ref"] for component in every]
    assert len(set(references)) == len(references)
    assert [item["ref"] for item in bill["dependencies"]] == references
    for item in bill["dependencies"]:
        assert set(item["dependsOn"]) <= set(references)
        assert len(set(item["dependsOn"])) == len(item["dependsOn"])
    assert materials(ROOT / "requirements.lock") == bill


def test_every_library_of_the_bill_has_its_licence_and_hashes() -> None:
    for component in materials(ROOT / "requirements.lock")["components"]:
        assert component.get("licenses"), component["name"]
        assert component.get("externalReferences"), component["name"]
    assert "externalReferences" not in materials()["components"][0]


def test_a_lock_is_read_as_pip_reads_it() -> None:
    hashes = [f"    --hash=sha256:{digit * 64}" for digit in "01"]
    lock = " \\\n".join(["a_B==1 ; x == 'y'", *hashes]) + "\nc==2\n"
    assert locked(lock) == {("a-b", "1"): ["0" * 64, "1" * 64], ("c", "2"): []}
