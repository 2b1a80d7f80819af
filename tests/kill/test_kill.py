"""Kill -9 of web, worker and ffmpeg at each state: nothing acknowledged is lost, nothing left half.

Every test starts the real site, kills real processes, and looks at what is there afterwards from
outside: rows, objects, files, the event log.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.live import Site, clip, eventually, states, upload

pytestmark = pytest.mark.slow

RENDITIONS = "SELECT r.key FROM videos_rendition r JOIN videos_video v ON v.id = r.video_id"


def playable(site: Site, client: httpx.Client, video: str) -> None:
    """The bytes that the card promises are there: by range, as a player asks."""
    card = client.get(f"/api/videos/{video}").json()
    answer = client.get(card["src"], headers={"Range": "bytes=0-99"})
    assert answer.status_code == 206
    assert answer.content[4:8] == b"ftyp"
    assert client.get(card["poster"]).status_code == 200


def orphans(site: Site) -> set[str]:
    """Objects and upload files that no row names."""
    named = {key for (key,) in site.rows(RENDITIONS)}
    named |= {key for (key,) in site.rows("SELECT key FROM videos_piece")}
    named |= {key for (key,) in site.rows("SELECT key FROM videos_sound WHERE origin_id > 0")}
    named |= {key for (key,) in site.rows("SELECT source_key FROM videos_video")}
    posters = {base for (base,) in site.rows("SELECT poster_base FROM videos_video") if base}
    named |= {base + end for base in posters for end in (".webp", ".jpg")}
    scrub = {base for (base,) in site.rows("SELECT scrub_base FROM videos_video") if base}
    named |= {base + name for base in scrub for name in ("storyboard.webp", "preview.mp4")}
    objects = site.data / "objects"
    there = {
        str(path.relative_to(objects))
        for path in objects.rglob("*")
        if path.is_file() and not path.relative_to(objects).parts[0].startswith(".")
    }
    assert named <= there, f"rows name what is not there: {named - there}"
    return there - named


def grow_old(objects: Path) -> None:
    """As if an hour had passed: the sweep leaves young objects alone."""
    for path in objects.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - 3600, time.time() - 3600))


def test_killing_the_web_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    source = clip(tmp_path / "clip.mp4", seconds=1)
    with Site(tmp_path / "data") as site:
        author = site.client("author")
        videos = [upload(author, source, caption=str(n)) for n in range(4)]
        for video in videos:
            assert list(states(author, video))[-1] == "complete"
        client = site.client("fan")
        liked: set[str] = set()
        counted: set[str] = set()
        stop = threading.Event()

        def act() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                video = videos[number % len(videos)]
                try:
                    if client.put(f"/api/videos/{video}/like").status_code == 200:
                        liked.add(video)
                    for item in client.get("/api/feed?n=4").json()["items"]:
                        event = {"token": item["token"], "kind": "skipped", "watched_ms": 10}
                        answer = client.post("/api/events", json={"events": [event]})
                        if answer.status_code == 200 and answer.json()["accepted"] == 1:
                            counted.add(item["token"])
                except (httpx.HTTPError, ValueError, KeyError):
                    time.sleep(0.05)  # the web was down: not acknowledged, asked again

        thread = threading.Thread(target=act, daemon=True)
        thread.start()
        for _ in range(3):
            time.sleep(1.5)
            assert site.kill("granian") or site.kill("jhalak", "web")
            site.wait_healthy()
        most = max(10, len(counted))
        eventually(lambda: liked == set(videos) and len(counted) > most, what="all of it")
        stop.set()
        thread.join()
        mine = {item["id"] for item in client.get("/api/me/liked").json()["items"]}
        assert mine == liked
        kept = {key for (key,) in site.events("SELECT key FROM events WHERE key LIKE '%/end'")}
        assert len(kept) >= len(counted) > 10
        told = site.events(
            "SELECT count(*) FROM events WHERE CAST(body AS TEXT) LIKE '%\"liked\"%'"
        )[0][0]
        assert told == len(videos), "each like is told to the feed once"


def test_an_upload_goes_on_where_it_was_acknowledged(tmp_path: Path) -> None:
    source = clip(tmp_path / "clip.mp4", seconds=2)
    data = source.read_bytes()
    with Site(tmp_path / "data") as site:
        client = site.client("asha")
        tus = {"Tus-Resumable": "1.0.0"}
        begun = client.post(
            "/api/uploads",
            headers=tus
            | {
                "Upload-Length": str(len(data)),
                "Upload-Metadata": "filename Y2xpcC5tcDQ=,filetype dmlkZW8vbXA0",
            },
        )
        place = begun.headers["Location"]
        offset = 0
        step = len(data) // 5 + 1
        while offset < len(data):
            body = data[offset : offset + step]
            headers = tus | {
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
            }
            answer = client.patch(place, content=body, headers=headers)
            assert answer.status_code == 204, answer.text
            acknowledged = int(answer.headers["Upload-Offset"])
            if acknowledged < len(data):
                site.kill("granian")
                site.kill("jhalak", "intake")
                site.wait_healthy()
                seen = eventually(lambda: _head(client, place), 60, "the upload again")
                assert seen == acknowledged
            offset = acknowledged
        video = answer.headers["Jhalak-Video"]
        assert list(states(client, video))[-1] == "complete"
        original = site.rows("SELECT source_key FROM videos_video")[0][0]
        assert (site.data / "objects" / original).read_bytes() == data


def _head(client: httpx.Client, place: str) -> int | None:
    try:
        answer = client.head(place, headers={"Tus-Resumable": "1.0.0"})
    except httpx.HTTPError:
        return None
    return int(answer.headers["Upload-Offset"]) if answer.status_code == 200 else None
