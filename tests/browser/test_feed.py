"""The feed in a real browser: swipes, keys, taps, and that it notices."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import WIDE, Ear, Open, World
from tests.browser.feed_page import CURRENT, swipe, wait_playing, wait_untold

PAUSED = re.compile(r"\bpaused\b")
pytestmark = [pytest.mark.browser, pytest.mark.slow]

FAILURES = """async () => {
  const reel = document.querySelector("link[href$='js/feed/reel.js']").href;
  const { attach } = await import(reel.replace("reel.js", "source.js"));
  const failures = [];
  const list = { src: "/media/x/list.m3u8" };
  const start = (failed) => attach(document.createElement("video"), list, failed);
  start(() => failures.push("gone")).release();
  await new Promise((told) => start(() => told(failures.push("here"))));
  return failures;
}"""


# A skip is quick: from outside it could come when a slow machine has played the whole clip.
SKIPS = """
if (location.pathname === %s) {
  window.skipped = 0;
  const look = setInterval(() => {
    const slide = document.querySelector(".slide.current");
    const video = slide?.querySelector("video");
    if (!video?.currentTime || slide.dataset.id === window.last) return;
    window.last = slide.dataset.id;
    const feed = document.querySelector("#feed");
    feed.scrollBy({ top: feed.clientHeight });
    if (++window.skipped === 3) clearInterval(look);
  }, 20);
}"""


def test_a_swipe_plays_the_next_and_stops_the_one_before(visit: Open) -> None:
    page = visit("/")
    first = wait_playing(page)
    second = swipe(page)
    assert second != first
    assert wait_playing(page) == second
    for _ in range(6):
        swipe(page)
    assert page.locator("#feed video").count() <= 7  # recycled
    page.locator("#feed").evaluate("feed => feed.scrollBy({top: -feed.clientHeight})")
    wait_playing(page)


def test_the_next_clip_is_loaded_before_it_is_asked_for(visit: Open) -> None:
    page = visit("/")
    wait_playing(page)
    page.wait_for_function(
        """() => [...document.querySelectorAll(".slide:not(.current) video")]
          .some((video) => video.readyState >= 2 && video.preload === "auto")"""
    )


def test_everything_has_a_key(visit: Open, somebody: str) -> None:
    page = visit("/", somebody, viewport=WIDE, has_touch=False)
    first = wait_playing(page)
    slide = page.locator(CURRENT)
    page.keyboard.press("Space")
    expect(slide).to_have_class(PAUSED)
    page.keyboard.press("Space")
    expect(slide).not_to_have_class(PAUSED)
    expect(slide.locator(".sound")).to_have_attribute("aria-pressed", "true")  # a touch allows it
    page.keyboard.press("m")
    expect(slide.locator(".sound")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("m")
    expect(slide.locator(".sound")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("l")
    expect(slide.locator(".like")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("s")
    expect(slide.locator(".save")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("f")
    expect(slide.locator(".follow-chip")).to_have_text("Following")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Next clip")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    expect(slide).not_to_have_attribute("data-id", first)
    page.keyboard.press("k")
    expect(slide).to_have_attribute("data-id", first)


def test_taps_pause_and_two_like(visit: Open, world: World, somebody: str) -> None:
    page = visit("/", somebody)
    wait_playing(page)
    slide = page.locator(CURRENT)
    stage = slide.locator(".stage-hit")
    stage.click(position={"x": 150, "y": 250})
    expect(slide).to_have_class(PAUSED)
    stage.click(position={"x": 150, "y": 250})
    expect(slide).not_to_have_class(PAUSED)
    page.wait_for_timeout(400)
    with page.expect_response("**/like") as answer:
        stage.dblclick(position={"x": 150, "y": 250})
    assert answer.value.ok
    expect(slide.locator(".like")).to_have_attribute("aria-pressed", "true")
    liked = slide.get_attribute("data-id")
    page.goto("/saved")
    expect(page.locator(f'[data-list="/me/liked"] a[href="/v/{liked}"]')).to_be_visible()


def test_a_like_that_is_refused_is_taken_back(visit: Open, ear: Ear, somebody: str) -> None:
    ear.expect("503")
    page = visit("/", somebody)
    wait_playing(page)

    def refuse(route: Route) -> None:
        error = {"error": {"code": "away", "message": "Try again in a moment."}}
        route.fulfill(status=503, content_type="application/json", body=json.dumps(error))

    page.route("**/like", refuse)
    like = page.locator(CURRENT).locator(".like")
    before = like.inner_text()
    like.click()
    expect(page.locator(".toast")).to_contain_text("Try again in a moment.")
    expect(like).to_have_attribute("aria-pressed", "false")
    assert like.inner_text() == before


def test_a_guest_is_led_to_log_in_and_back(visit: Open) -> None:
    page = visit("/")
    video = wait_playing(page)
    page.locator(CURRENT).locator(".like").click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text("Log in to like this")
    sheet.get_by_role("link", name="Log in").click()
    assert f"next=%2Fv%2F{video}" in page.url


def test_not_interested_moves_on_and_can_be_undone(visit: Open) -> None:
    page = visit("/")
    first = wait_playing(page)
    with page.expect_request(lambda one: "not_interested" in (one.post_data or "")):
        page.locator(CURRENT).locator(".menu").click()
        page.get_by_role("button", name="Not interested").click()
    expect(page.locator(CURRENT)).not_to_have_attribute("data-id", first)
    with page.expect_request(lambda one: '"interested"' in (one.post_data or "")):
        page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(CURRENT)).to_have_attribute("data-id", first)


def test_a_long_press_opens_the_menu(visit: Open) -> None:
    page = visit("/")
    wait_playing(page)
    page.mouse.move(180, 300)
    page.mouse.down()
    expect(page.get_by_role("dialog")).to_contain_text("Not interested")
    page.mouse.up()


def test_the_line_can_be_dragged_and_stepped(visit: Open) -> None:
    page = visit("/")
    wait_playing(page)
    track = page.locator(CURRENT).locator(".track")
    box = track.bounding_box()
    assert box
    page.mouse.move(box["x"] + 10, box["y"] + 18)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 18)
    at = page.locator(CURRENT).locator("video").evaluate("video => video.currentTime")
    assert at > 1.2
    page.mouse.up()
    track.focus()
    page.keyboard.press("Home")
    assert int(track.get_attribute("aria-valuenow") or 99) < 20


def test_a_clip_that_fails_says_so_and_lets_one_go_on(visit: Open, ear: Ear) -> None:
    ear.expect("404")
    page = visit("/offline")  # a context without a feed yet
    broken: dict[str, str] = {}

    def spoil(route: Route) -> None:
        answer = route.fetch()
        content = answer.json()
        broken["id"] = content["items"][0]["id"]
        for one in (content["items"][0], *content["items"][0]["sources"]):
            one["src"] = "/media/nothing/540.mp4"
        route.fulfill(response=answer, json=content)

    page.route("**/api/feed*", spoil, times=1)
    page.goto("/")
    notice = page.locator(CURRENT).locator(".notice")
    expect(notice).to_contain_text("This clip does not play")
    expect(notice.get_by_role("button", name="Try again")).to_be_visible()
    notice.get_by_role("button", name="Next clip").click()
    expect(page.locator(CURRENT)).not_to_have_attribute("data-id", broken["id"])
    wait_playing(page)


@pytest.mark.parametrize("native", [True, False], ids=["the browser's HLS", "hls.js"])
def test_a_list_plays_like_a_file(visit: Open, native: bool) -> None:
    page = visit("/offline")
    if native:  # as on an iPhone
        page.add_init_script("delete window.MediaSource")

    def lists(route: Route) -> None:
        answer = route.fetch()
        content = answer.json()
        for item in content["items"]:
            item["src"] = item["hls"]
        route.fulfill(response=answer, json=content)

    page.route("**/api/feed*", lists)
    page.goto("/")
    first = wait_playing(page)
    assert swipe(page) != first
    source = str(page.locator(CURRENT).locator("video").evaluate("video => video.src"))
    assert source.endswith(".m3u8") if native else source.startswith("blob:")


def test_a_failure_that_comes_late_hits_no_other_clip(visit: Open, ear: Ear) -> None:
    """The player of lists cannot be fetched: that is told of the clip that is here, not of one
    that was taken away meanwhile.
    """
    ear.expect("ERR_FAILED")
    page = visit(
        "/t/nothing_has_this_tag"
    )  # a feed where no growing clip has fetched that player yet
    page.route("**/hls.light.min.mjs", lambda route: route.abort())
    assert page.evaluate(FAILURES) == ["here"]


def test_the_end_of_a_channel_says_so(visit: Open, world: World) -> None:
    page = visit("/t/nothing_has_this_tag")
    expect(page.locator(".slide.last")).to_contain_text("Nothing here yet")
    page.goto("/following")
    expect(page.locator(".slide.last")).to_contain_text("The people you follow")


def test_a_channel_plays_its_own(visit: Open, world: World) -> None:
    page = visit("/c/waves")
    expect(page.get_by_role("heading", name="Waves")).to_be_visible()
    seen = {wait_playing(page)} | {swipe(page) for _ in range(3)}
    assert seen <= set(world.clips["waves"])


def test_events_wait_while_the_network_is_away(visit: Open, ear: Ear) -> None:
    ear.expect("ERR_INTERNET_DISCONNECTED", "ERR_FAILED")
    page = visit("/")
    wait_playing(page)
    page.wait_for_timeout(500)
    page.context.set_offline(True)
    page.locator("#feed").evaluate("feed => feed.scrollBy({top: feed.clientHeight})")
    expect(page.get_by_text("You are offline.")).to_be_visible()
    wait_untold(page)
    with page.expect_response("**/api/events") as answer:
        page.context.set_offline(False)
    assert answer.value.json()["accepted"] >= 1
    page.wait_for_function("() => !sessionStorage['jhalak.events']")


def test_three_skips_of_one_channel_and_three_full_watches_of_another_change_the_next_page(
    visit: Open, world: World
) -> None:
    """Beside somebody new, who sees all channels alike."""
    shunned, wanted = "cells", "waves"
    page = visit("/offline")
    page.add_init_script(SKIPS % json.dumps(f"/c/{shunned}"))
    page.goto(f"/c/{shunned}")
    page.wait_for_function("() => window.skipped === 3")
    wait_playing(page)
    page.goto(f"/c/{wanted}")
    wait_playing(page)
    for _ in range(3):
        _watch_to_the_end(page)
        with page.expect_response("**/api/events") as answer:
            swipe(page)
        assert answer.value.json()["accepted"] >= 1
    with page.expect_response("**/api/feed*scope=for_you*") as answer:
        page.goto("/")
    noticed = [world.channel_of(item["id"]) for item in answer.value.json()["items"]]
    assert noticed.count(shunned) <= 1  # one to explore by is allowed
    assert noticed.count(wanted) > noticed.count(shunned)
    assert swipe(page)  # and it plays
    new = [world.channel_of(item["id"]) for _ in range(12) for item in _page_of_a_newcomer(world)]
    assert new.count(shunned) / 12 > 1, "so that the page above has something to differ from"


def _page_of_a_newcomer(world: World) -> list[dict[str, Any]]:
    return list(httpx.get(f"{world.url}/api/feed", params={"n": 5}).json()["items"])


def _watch_to_the_end(page: Page) -> None:
    page.locator(CURRENT).locator("video").evaluate(
        """video => new Promise((done) => video.addEventListener("ended", done, {once: true}))"""
    )
