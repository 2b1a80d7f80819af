"""By keyboard and screen reader: what has the focus, and what is told of a control."""

from __future__ import annotations

import contextlib
import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDE, Open, World
from tests.browser.feed_page import CURRENT, wait_playing
from tests.live import PASSWORD, upload

PAUSED = re.compile(r"\bpaused\b")
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def _client(world: World, handle: str) -> httpx.Client:
    client = httpx.Client(base_url=world.url)
    assert client.post("/api/session", json={"handle": handle, "password": PASSWORD}).is_success
    return client


def _go_on(page: Page) -> None:
    before = page.locator(CURRENT).get_attribute("data-id") or ""
    page.keyboard.press("ArrowDown")
    expect(page.locator(CURRENT)).not_to_have_attribute("data-id", before)


def test_the_next_clip_s_control_has_the_focus(visit: Open) -> None:
    page = visit("/", viewport=WIDE, has_touch=False)
    wait_playing(page)
    for control in (".like", ".track", ".stage-hit"):
        page.locator(CURRENT).locator(control).focus()
        _go_on(page)
        expect(page.locator(CURRENT).locator(control)).to_be_focused()


def test_a_plain_click_and_the_keys_of_a_button_pause(visit: Open) -> None:
    page = visit("/", viewport=WIDE, has_touch=False)
    wait_playing(page)
    slide = page.locator(CURRENT)
    stage = slide.locator(".stage-hit")
    stage.evaluate("stage => stage.click()")  # as a screen reader does
    expect(slide).to_have_class(PAUSED)
    stage.focus()
    for key, pauses in (("Enter", False), ("Space", True), ("Enter", False)):
        page.keyboard.press(key)
        if pauses:
            expect(slide).to_have_class(PAUSED)
        else:
            expect(slide).not_to_have_class(PAUSED)


def test_the_position_is_told_once_a_second(visit: Open) -> None:
    page = visit("/")
    wait_playing(page)
    told = (
        page.locator(CURRENT)
        .locator(".track")
        .evaluate(
            """track => new Promise((done) => {
          let times = 0;
          const watch = new MutationObserver((changes) => { times += changes.length; });
          watch.observe(track, {attributeFilter: ["aria-valuetext"]});
          setTimeout(() => done(times), 2000);
        })"""
        )
    )
    assert 1 <= told <= 6  # a clip of two seconds tells 0:00, 0:01, 0:02, and begins again


def test_undo_leaves_the_focus_on_the_page(visit: Open) -> None:
    page = visit("/", viewport=WIDE, has_touch=False)
    wait_playing(page)
    page.keyboard.press("n")
    undo = page.locator(".toast").get_by_role("button", name="Undo")
    undo.focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_answering_one_of_many_leaves_the_rest_and_the_focus(
    visit: Open, world: World, somebody: str
) -> None:
    with contextlib.closing(_client(world, somebody)) as closed:
        closed.patch("/api/me", json={"private": True})
    for number in range(22):  # more than a page of the list
        with contextlib.closing(world.site.client(f"{somebody}.{number}")) as fan:
            fan.put(f"/api/people/{somebody}/follow")
    page = visit("/settings", somebody)
    rows = page.locator("#requests .person-row")
    expect(rows).to_have_count(20)
    rows.last.scroll_into_view_if_needed()
    expect(rows).to_have_count(22)
    second = rows.nth(1).locator("small").inner_text()
    rows.nth(0).get_by_role("button", name="Agree").focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(21)
    expect(rows.nth(0)).to_contain_text(second)
    expect(rows.nth(0).get_by_role("button", name="Agree")).to_be_focused()
    page.locator("#private").uncheck()
    expect(page.get_by_text("Nobody waits for your answer.")).to_be_visible()


def test_the_studio_keeps_the_focus_where_it_was(visit: Open, world: World, somebody: str) -> None:
    with contextlib.closing(_client(world, somebody)) as author:
        for number in range(3):
            upload(author, world.file, caption=f"Clip {number}")
    page = visit("/studio", somebody, viewport=WIDE, has_touch=False)
    expect(page.locator(".clip-row .chip.good")).to_have_count(3)
    first, second = (page.locator(".clip-row").nth(at) for at in (0, 1))
    delete = second.get_by_role("button", name="Delete")
    delete.focus()
    with page.expect_response("**/api/me/videos"):
        page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(200)
    expect(delete).to_be_focused()  # nothing changed: not even a blur
    first.get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".clip-row")).to_have_count(2)
    expect(first.get_by_role("button", name="Delete")).to_be_focused()


def test_a_file_field_shows_where_the_focus_is(visit: Open, somebody: str) -> None:
    for path, field in (("/upload", "file"), ("/settings", "picture")):
        page = visit(path, somebody)
        label = page.locator(f"label[for={field}]")
        page.keyboard.press("Tab")
        page.locator(f"#{field}").focus()
        assert label.evaluate("label => getComputedStyle(label).outlineStyle") == "solid"


def test_a_guest_s_share_counts_nobody(visit: Open) -> None:
    page = visit("/", permissions=["clipboard-write"])
    wait_playing(page)
    share = page.locator(CURRENT).locator(".share")
    before = share.inner_text()
    with page.expect_response("**/share") as answer:
        share.click()
    assert answer.value.json() == {"shares": 0}
    expect(page.locator(".toast")).to_contain_text("Link copied")
    assert share.inner_text() == before
