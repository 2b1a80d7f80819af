"""What comes late: endings told while the page goes away, and callbacks of a clip that was left."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import WIDE, Ear, Open, World
from tests.browser.feed_page import CURRENT, swipe, wait_playing
from tests.live import eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HIDE = """() => {
  Object.defineProperty(document, "visibilityState", {value: "hidden"});
  document.dispatchEvent(new Event("visibilitychange"));
}"""
PAUSED = re.compile(r"\bpaused\b")


def _endings(world: World, handle: str) -> list[bytes]:
    [(key,)] = world.site.rows(f"SELECT id FROM people_person WHERE handle = '{handle}'")
    rows = world.site.events("SELECT body FROM events WHERE key LIKE '%/end'")
    return [body for (body,) in rows if f'"m{key}"'.encode() in body]


def test_the_last_clip_s_ending_goes_with_the_page(
    visit: Open, world: World, somebody: str
) -> None:
    page = visit("/", somebody)
    wait_playing(page)
    page.goto("/discover")  # which sends nothing of what the feed had kept
    eventually(lambda: _endings(world, somebody), what="the ending of a skipped clip")


def test_a_watched_clip_s_ending_goes_when_the_app_is_switched(
    visit: Open, world: World, somebody: str
) -> None:
    page = visit("/", somebody)
    wait_playing(page)
    page.wait_for_function("() => document.querySelector('.current video').currentTime > 1.3")
    page.evaluate(HIDE)
    eventually(lambda: _endings(world, somebody), what="the ending of a watched clip")


def test_what_the_browser_only_queued_is_kept(visit: Open, ear: Ear) -> None:
    ear.expect("ERR_INTERNET_DISCONNECTED", "ERR_FAILED")
    page = visit("/")
    wait_playing(page)
    page.context.set_offline(True)
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert '"watched_ms"' in page.evaluate("() => sessionStorage['jhalak.events'] ?? ''")
    page.context.set_offline(False)
    page.wait_for_function("() => !sessionStorage['jhalak.events']")


def test_a_tap_before_a_swipe_does_not_pause_the_next(visit: Open) -> None:
    page = visit("/")
    wait_playing(page)
    page.locator(CURRENT).locator(".stage-hit").evaluate(
        """(stage) => {
          const at = {bubbles: true, button: 0, clientX: 150, clientY: 250};
          stage.dispatchEvent(new PointerEvent("pointerdown", at));
          stage.dispatchEvent(new PointerEvent("pointerup", at));
          const feed = document.querySelector("#feed");
          feed.scrollBy({top: feed.clientHeight, behavior: "instant"});
        }"""
    )
    page.wait_for_timeout(500)  # the tap is known to be single after 260 ms
    expect(page.locator(CURRENT)).not_to_have_class(PAUSED)
    wait_playing(page)


def test_a_held_line_of_a_clip_that_was_left_does_not_play_it(visit: Open) -> None:
    page = visit("/", viewport=WIDE, has_touch=False)
    first = wait_playing(page)
    box = page.locator(CURRENT).locator(".track").bounding_box()
    assert box
    page.mouse.move(box["x"] + 10, box["y"] + 18)
    page.mouse.down()
    page.keyboard.press("ArrowDown")
    expect(page.locator(CURRENT)).not_to_have_attribute("data-id", first)
    second = wait_playing(page)
    page.mouse.up()
    page.wait_for_timeout(300)
    assert wait_playing(page) == second


def test_a_player_that_fails_late_does_not_touch_another_clip(visit: Open, ear: Ear) -> None:
    ear.expect("ERR_FAILED")
    page = visit("/offline")
    held: list[Route] = []

    def lists(route: Route) -> None:
        answer = route.fetch()
        content = answer.json()
        content["items"][0]["src"] = content["items"][0]["hls"]
        route.fulfill(response=answer, json=content)

    page.route("**/api/feed*", lists, times=1)
    page.route("**/hls.light.min.mjs", lambda route: held.append(route))
    with page.expect_request("**/hls.light.min.mjs"):
        page.goto("/")
    for _ in range(5):  # the sixth clip has the slide of the first
        swipe(page)
    page.evaluate(
        """() => {
          const video = document.querySelector(".current video");
          video.addEventListener("emptied", () => { window.restarted = true; });
        }"""
    )
    held[0].abort()
    page.wait_for_timeout(500)
    assert page.evaluate("() => window.restarted") is None


def test_looking_again_at_the_end_plays_what_came(visit: Open) -> None:
    page = visit("/offline")
    served = 0
    most = 2

    def so_many(route: Route) -> None:
        nonlocal served
        answer = route.fetch()
        content = answer.json()
        content["items"] = content["items"][: most - served]
        served += len(content["items"])
        route.fulfill(response=answer, json=content)

    page.route("**/api/feed*", so_many)
    page.goto("/c/waves")
    wait_playing(page)
    swipe(page)
    expect(page.locator(".slide.last")).to_contain_text("That is all for now")
    page.keyboard.press("ArrowDown")
    again = page.get_by_role("button", name="Look again")
    expect(again).to_be_in_viewport()
    with page.expect_response("**/api/feed*"):
        again.click()
    page.wait_for_timeout(200)
    expect(again).to_be_focused()  # nothing new: it says the same, and can be pressed again
    most = 4
    again.click()
    wait_playing(page)
