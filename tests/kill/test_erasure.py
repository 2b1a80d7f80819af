"""Kill -9 of the worker while somebody is erased: it goes on until nothing of them is left, in any
file of the data folder or table, and nothing of anybody else is gone.
"""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from tests.live import PASSWORD, Site, clip, eventually, states, upload

pytestmark = pytest.mark.slow

HANDLE, CAPTION, BIO = "udaipurleaver", "twelveindigoparrots", "bornbeneathamonsoon"
WORKER = ("jhalak", "worker")
KILLS = 4  # the supervisor gives a program up that ended seven times in a row


def holding(site: Site, *words: str) -> list[str]:
    """Where in the data folder, and in a database outside of it, one of the words stands, in any
    case and as UTF-8.
    """
    places = {str(path): path.read_bytes() for path in site.data.rglob("*") if path.is_file()}
    if site.env["JHALAK_DATABASE_URL"]:
        tables = site.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            rows = site.rows(f'SELECT t::text FROM "{table}" t')
            places[table] = "\n".join(row for (row,) in rows).encode()
    return [
        f"{word} in {place}"
        for place, content in places.items()
        for word in words
        if word.encode() in content.lower()
    ]


def erasing(site: Site) -> tuple[str, str]:
    """State and steps of the one erasure there is."""
    ((state, steps),) = site.rows("SELECT state, steps FROM rights_leaving")
    return state, str(steps)


def waiting(site: Site) -> bool:
    found = "SELECT 1 FROM records_job WHERE kind = 'rights.erase' AND state = 'queued'"
    found += " AND run_after > created"
    return bool(site.rows(found))


def test_an_erasure_survives_its_worker(tmp_path: Path) -> None:
    source = clip(tmp_path / "clip.mp4", seconds=1)
    with Site(tmp_path / "data", erasure_grace=0) as site:
        stays, leaves = site.client("staysbehind"), site.client(HANDLE)
        kept = upload(stays, source, caption="stays", visibility="public")
        gone = [upload(leaves, source, caption=CAPTION, visibility="public") for _ in range(2)]
        for client, video in ((stays, kept), *((leaves, one) for one in gone)):
            assert list(states(client, video, 90))[-1] == "complete"
        assert leaves.patch("/api/me", json={"bio": BIO}).status_code == 200
        for _ in range(20):
            swipe(leaves)
        swipe(stays)
        assert holding(site, HANDLE, CAPTION, BIO), "the search finds what is there"
        said = leaves.post("/api/me/leaving", json={"password": PASSWORD})
        assert said.status_code == 202, said.text
        site.kill(*WORKER)  # its successor looks at once for who is due, and not in a minute
        killed = strike(site)
        assert killed, "the erasure was never met"
        eventually(lambda: erasing(site)[0] == "erased", 120, "the end of the erasure")
        receipt = site.client().get(said.json()["receipt"] + "?as=json").json()["receipt"]
        assert receipt["steps"]["videos"] == {"Video": len(gone)} or len(killed) > 1
        assert stays.get(f"/api/videos/{kept}").status_code == 200
        for video in gone:
            assert stays.get(f"/api/videos/{video}").status_code == 404
        assert len(site.rows("SELECT 1 FROM people_person")) == 1
        swipe(stays)
    assert holding(site, HANDLE, CAPTION, BIO) == []


def swipe(client: httpx.Client) -> None:
    items = client.get("/api/feed?n=4").json()["items"]
    events = [{"token": one["token"], "kind": "watched", "watched_ms": 900} for one in items]
    assert client.post("/api/events", json={"events": events}).status_code == 200


def strike(site: Site) -> list[str]:
    """Kills the worker when the erasure has come a step further, KILLS times; after which steps."""
    met: list[str] = []
    end = time.monotonic() + 180
    while time.monotonic() < end:
        state, steps = erasing(site)
        if state == "erased":
            return met
        new = state == "erasing" and len(met) < KILLS and steps not in met
        if new and site.kill(*WORKER):
            met.append(steps)
        if waiting(site):  # the pause of a job that has ended its worker so often
            site.change("UPDATE records_job SET run_after = created WHERE kind = 'rights.erase'")
        time.sleep(0.002)
    raise AssertionError(f"no end of the erasure: {met}")
