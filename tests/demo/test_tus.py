"""Resumable upload: lost lines, damaged chunks, an upload that is no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from jhalak.demo import tus
from jhalak.demo.client import Client, Refused, Unreachable, sign_in

from .platform_double import Platform


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "clip.mp4"
    file.write_bytes(bytes(range(256)) * 500)
    return file


@pytest.fixture
def client(platform: Platform) -> Client:
    client = Client(platform.url, sleep=lambda _s: None)
    sign_in(client, "asha", "pass word 1", new=True)
    return client


WORDS = {"filename": "clip.mp4", "caption": "ஒரு துளி, ஒரு ஸ்வரம்", "tags": "a,கோலம்"}


def test_a_file_arrives_whole_with_its_words(
    platform: Platform, client: Client, source: Path
) -> None:
    location, reply = tus.upload(client, "/api/uploads", source, WORDS)
    upload = platform.uploads["u1"]
    assert location == "/api/uploads/u1"
    assert upload.data == source.read_bytes()
    assert upload.meta == WORDS
    assert reply is not None
    assert reply.headers["jhalak-video"] == upload.video
    assert tus.send(client, location, source) is None  # nothing is left to send
    client.close()


def test_a_lost_line_and_a_damaged_chunk_go_on_where_the_server_is(
    platform: Platform, client: Client, source: Path
) -> None:
    platform.drop_patches, platform.damage_patches = 2, 1
    location = tus.create(client, "/api/uploads", source.stat().st_size, WORDS)
    seen: list[int] = []
    tus.send(client, location, source, chunk=20_000, progress=seen.append)
    assert platform.uploads["u1"].data == source.read_bytes()
    assert seen == sorted(seen)
    client.close()


def test_an_upload_that_is_gone_is_refused_and_one_that_stands_still_given_up(
    platform: Platform, client: Client, source: Path
) -> None:
    with pytest.raises(Refused) as gone:
        tus.send(client, "/api/uploads/nothing", source)
    assert gone.value.status == 404
    platform.damage_patches = 10_000
    client.patience = 0.2
    location = tus.create(client, "/api/uploads", source.stat().st_size, WORDS)
    with pytest.raises(Unreachable, match="does not move"):
        tus.send(client, location, source)
    client.close()
