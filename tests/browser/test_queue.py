"""The operator's queue in a real browser, and an author's place in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, WIDE, Open, World
from tests.browser.test_pages import NAMELESS, SIDEWAYS, SMALL
from tests.live import PASSWORD, eventually, upload

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def command(world: World, *words: str, given: str = "") -> None:
    subprocess.run(
        [sys.executable, "-m", "jhalak", *words],
        env=world.site.env,
        input=given,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@pytest.fixture
def boss(world: World, somebody: str) -> str:
    command(world, "person", "role", somebody, "operator")
    return somebody


@pytest.fixture
def no_worker(world: World) -> Iterator[None]:
    """The worker is stopped in its tracks, so that what is uploaded waits."""
    pids = world.site.pause("jhalak", "worker")
    yield
    world.site.resume(pids)


@pytest.mark.usefixtures("no_worker")
def test_the_queue_moves_by_keyboard_and_back(world: World, visit: Open, boss: str) -> None:
    page = visit("/operator/queue", boss, viewport=WIDE)
    client = world.site.client(f"q{boss}")
    video = upload(client, world.file, caption="waits")
    row = page.locator(f"#queue tr:has-text('{video}')")
    expect(row).to_be_visible()  # by itself: the page looks again
    studio = visit("/studio", f"q{boss}")
    expect(studio.get_by_text("Waiting. Yours is next")).to_be_visible()
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)
        assert page.evaluate(NAMELESS) == []
        assert page.evaluate(SMALL) == []
        assert page.evaluate(SIDEWAYS) <= 0
        if shots := os.environ.get("JHALAK_SHOTS"):
            page.screenshot(path=f"{shots}/queue-{size['width']}.png", full_page=True)
            studio.screenshot(path=f"{shots}/studio-{size['width']}.png")
    while page.evaluate("document.activeElement.closest('tr')?.textContent ?? ''").find(video) < 0:
        page.keyboard.press("j")
    page.keyboard.press("x")
    page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    failed = page.locator("section:has(#failed-head)")
    expect(failed.get_by_text(video, exact=True)).to_be_visible()
    assert client.get(f"/api/videos/{video}").json()["failure"]["code"] == "cancelled"
    expect(studio.get_by_text("The operator of this site stopped it.")).to_be_visible()
    if shots := os.environ.get("JHALAK_SHOTS"):
        page.screenshot(path=f"{shots}/queue-failed.png", full_page=True)
    again = failed.get_by_role("button", name=f"Try again videos.process {video}")
    with page.expect_response("**/retry") as answer:
        again.dispatch_event("click")
    assert answer.value.ok, answer.value.text()
    waiting = page.locator(f"section:has(#waiting-head) tr:has-text('{video}')")
    # What tidies up after it waits there too.
    expect(waiting.filter(has_text="videos.process")).to_be_visible()
    card = f"/api/videos/{video}"
    eventually(lambda: client.get(card).json()["state"] == "received", 60, "another try")


def test_a_runner_is_let_in_and_out(world: World, visit: Open, boss: str) -> None:
    page = visit("/operator/queue", boss, viewport=WIDE)
    expect(page.get_by_text("jhalak runner add box")).to_be_visible()
    command(world, "runner", "add", "attic")
    row = page.locator("#queue tr:has-text('attic')")
    expect(row).to_contain_text("Silent")  # the page looked again
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)
        assert page.evaluate(NAMELESS) == []
        assert page.evaluate(SMALL) == []
        assert page.evaluate(SIDEWAYS) <= 0
    row.focus()
    page.keyboard.press("x")
    page.get_by_role("dialog").get_by_role("button", name="Remove the runner").click()
    expect(page.get_by_text("jhalak runner add box")).to_be_visible()


def test_the_feed_page_draws_and_fits(world: World, visit: Open, boss: str) -> None:
    with world.site.client() as client:
        items = client.get("/api/feed?n=8").json()["items"]
        said = [{"token": item["token"], "kind": "skipped", "watched_ms": 9} for item in items]
        assert client.post("/api/events", json={"events": said}).json()["accepted"] == 8
    for scheme in ("light", "dark"):
        page = visit("/operator/feed", boss, viewport=PHONE, color_scheme=scheme)
        plots = page.locator("svg.plot")
        expect(plots.first).to_be_visible()
        fill = "node => getComputedStyle(node).fill"
        assert plots.first.locator("rect").first.evaluate(fill) != "rgb(0, 0, 0)"
        for size in (PHONE, WIDE):
            page.set_viewport_size(size)
            assert page.evaluate(NAMELESS) == []
            assert page.evaluate(SMALL) == []
            assert page.evaluate(SIDEWAYS) <= 0
            if shots := os.environ.get("JHALAK_SHOTS"):
                page.screenshot(path=f"{shots}/feed-{scheme}-{size['width']}.png", full_page=True)
    page.get_by_text("Numbers").first.press("Enter")
    expect(page.get_by_role("columnheader", name="From (UTC)").first).to_be_visible()


def test_it_is_done_after_all(world: World, boss: str) -> None:
    """What waited behind the stopped worker of the test before is made."""
    with world.site.client() as client:
        client.post("/api/session", json={"handle": boss, "password": PASSWORD})
        eventually(
            lambda: (
                not client.get("/api/operator/jobs").json()["waiting_count"]
                or all(job["due_s"] for job in client.get("/api/operator/jobs").json()["waiting"])
            ),
            60,
            "an empty queue",
        )
