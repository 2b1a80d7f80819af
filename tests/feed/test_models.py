"""The registry of artefacts: nothing is loaded that is not what its manifest says, to the byte."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from jhalak.feed import models
from jhalak.feed.models import Manifest, ModelError, Span, read, write

ARTEFACT = b"weights" * 100


def manifest(**facts: object) -> Manifest:
    given = {
        "kind": "places",
        "sha256": models.sha256(ARTEFACT),
        "size": len(ARTEFACT),
        "data": Span(1, 900, 800, "ab" * 32),
        "code": "cd" * 32,
        "seed": 1,
        "settings": {"size": 64},
        "gate": {"auc": 0.7, "against": "content"},
        "libraries": {"numpy": "2"},
    }
    return Manifest(**(given | facts))  # type: ignore[arg-type]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    digest = write(tmp_path, ARTEFACT, manifest())
    assert read(tmp_path, "places", digest) == ARTEFACT
    assert models.read_manifest(tmp_path, digest) == manifest()
    assert write(tmp_path, ARTEFACT, manifest()) == digest
    assert [path.name for path in tmp_path.iterdir()] == [digest]


def test_the_digest_names_the_story_and_not_only_the_bytes(tmp_path: Path) -> None:
    one, other = (write(tmp_path, ARTEFACT, manifest(seed=seed)) for seed in (1, 2))
    assert one != other
    assert read(tmp_path, "places", one) == read(tmp_path, "places", other)


def test_a_manifest_of_other_bytes_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not of this artefact"):
        write(tmp_path, ARTEFACT + b"!", manifest())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [models.ARTEFACT, models.MANIFEST])
@pytest.mark.parametrize("at", [0, 17, -1])
def test_one_flipped_byte_is_refused_and_said(tmp_path: Path, name: str, at: int) -> None:
    digest = write(tmp_path, ARTEFACT, manifest())
    path = tmp_path / digest / name
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="altered"):
        read(tmp_path, "places", digest)
    assert write(tmp_path, ARTEFACT, manifest()) == digest  # and written anew it is whole again
    assert read(tmp_path, "places", digest) == ARTEFACT


@pytest.mark.parametrize("name", [models.ARTEFACT, models.MANIFEST])
@pytest.mark.parametrize("change", [b"", b"weights", ARTEFACT + b"!", None])
def test_cut_off_longer_or_gone_is_refused(tmp_path: Path, name: str, change: bytes | None) -> None:
    digest = write(tmp_path, ARTEFACT, manifest())
    if change is None:
        (tmp_path / digest / name).unlink()
    else:
        (tmp_path / digest / name).write_bytes(change)
    with pytest.raises(ModelError):
        read(tmp_path, "places", digest)


def test_a_manifest_that_another_wrote_in_its_place_is_refused(tmp_path: Path) -> None:
    """True in itself, but not what the log named."""
    digest = write(tmp_path, ARTEFACT, manifest())
    other = write(tmp_path, ARTEFACT, manifest(code="ef" * 32))
    for name in (models.ARTEFACT, models.MANIFEST):
        (tmp_path / digest / name).write_bytes((tmp_path / other / name).read_bytes())
    with pytest.raises(ModelError, match="altered"):
        read(tmp_path, "places", digest)


@pytest.mark.parametrize(
    "digest", ["", "x", "../" + "a" * 61, "A" * 64, "a" * 64, "a" * 63 + "\n", "\0" * 64]
)
def test_no_digest_and_an_unknown_one_are_refused(tmp_path: Path, digest: str) -> None:
    with pytest.raises(ModelError):
        read(tmp_path / "nowhere", "places", digest)


def test_another_kind_is_refused(tmp_path: Path) -> None:
    digest = write(tmp_path, ARTEFACT, manifest())
    with pytest.raises(ModelError, match="not 'ranker'"):
        read(tmp_path, "ranker", digest)


@pytest.mark.parametrize(
    "story",
    [
        b"[]",
        b"{}",
        b"\xff",
        msgspec.json.encode(msgspec.to_builtins(manifest()) | {"more": 1}),
        msgspec.json.encode(msgspec.to_builtins(manifest()) | {"size": -1}),
        msgspec.json.encode(msgspec.to_builtins(manifest()) | {"size": 2**60}),
    ],
)
def test_a_hostile_manifest_is_refused_in_words(tmp_path: Path, story: bytes) -> None:
    digest = models.sha256(story)
    (tmp_path / digest).mkdir()
    (tmp_path / digest / models.MANIFEST).write_bytes(story)
    (tmp_path / digest / models.ARTEFACT).write_bytes(ARTEFACT)
    with pytest.raises(ModelError, match="manifest"):
        read(tmp_path, "places", digest)
