"""The small picture above the progress line, and previews that play in grids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import PHONE, WIDE, Ear, Open, World
from tests.browser.feed_page import CURRENT, wait_playing
from tests.live import PASSWORD, clip, eventually, states, upload

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOVING = ".moving.shown"
EDGE = 8  # pixels that the picture keeps from the sides of the screen


@pytest.fixture(scope="module")
def long(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """Card of a clip of twelve seconds, with its storyboard; its author has no other."""
    with httpx.Client(base_url=world.url, timeout=30) as client:
        client.post("/api/people", json={"handle": "moments", "password": PASSWORD})
        file = clip(tmp_path_factory.mktemp("moments") / "long.mp4", seconds=12.0)
        video = upload(client, file, caption="Twelve seconds")
        assert list(states(client, video))[-1] == "complete"

        def made() -> dict[str, object]:
            card: dict[str, object] = client.get(f"/api/videos/{video}").json()
            return card if card["storyboard"] else {}

        card = eventually(made, 120, "a storyboard")
        for ids in world.clips.values():  # their newest, made in turn with all before them
            newest = f"/api/videos/{ids[-1]}"
            eventually(lambda where=newest: client.get(where).json()["preview"], 240, "previews")
        yield card


def at(page: Page, part: float) -> tuple[float, float]:
    """A point on the line, `part` of the way from where it begins to be read."""
    track = page.locator(CURRENT).locator(".track")
    box = track.bounding_box()
    assert box
    rtl = track.evaluate("track => getComputedStyle(track).direction") == "rtl"
    return box["x"] + box["width"] * ((1 - part) if rtl else part), box["y"] + box["height"] - 6


def cell_for(card: dict[str, object], seconds: float) -> str:
    board = card["storyboard"]
    assert isinstance(board, dict)
    n = min(board["cells"] - 1, int(seconds * 1000 // board["step_ms"]))
    x, y = n % board["columns"] * board["width"], n // board["columns"] * board["height"]
    return f"{-x}px {-y}px"


def look(page: Page) -> Locator:
    return page.locator(CURRENT).locator(".track-look")


def shown(page: Page, card: dict[str, object], seconds: float) -> None:
    """The picture stands there, is the right one, and is inside the screen."""
    expect(look(page)).to_have_css("opacity", "1")
    cell = look(page).locator(".track-cell")
    expect(cell).to_have_css("background-position", cell_for(card, seconds))
    whole = look(page).bounding_box()
    viewport = page.viewport_size
    assert whole
    assert viewport
    stage = page.locator(CURRENT).locator(".stage").bounding_box()
    assert stage
    assert whole["x"] >= stage["x"] + EDGE - 1
    assert whole["x"] + whole["width"] <= stage["x"] + stage["width"] - EDGE + 1
    assert whole["y"] + whole["height"] <= viewport["height"]


@pytest.mark.parametrize("language", ["en", "ur"])
@pytest.mark.parametrize("viewport", [PHONE, WIDE])
def test_dragging_shows_the_moment(
    visit: Open, long: dict[str, object], viewport: dict[str, int], language: str
) -> None:
    page = visit("/offline", viewport=viewport)
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.goto(f"/v/{long['id']}")
    wait_playing(page)
    if language == "ur":  # no language of the interface is written from the right yet
        page.evaluate("document.documentElement.dir = 'rtl'")
    assert not [one for one in asked if "storyboard" in one]  # only when it is looked at
    length = page.locator(CURRENT).locator("video").evaluate("video => video.duration")
    page.mouse.move(*at(page, 0.4))
    page.mouse.down()
    for part in (0.4, 0.02, 0.55, 0.98):
        page.mouse.move(*at(page, part))
        shown(page, long, part * length)
        now = page.locator(CURRENT).locator("video").evaluate("video => video.currentTime")
        assert abs(now - part * length) < 0.2
    page.wait_for_function(
        """address => performance.getEntriesByName(new URL(address, location).href)
          .some((one) => one.responseEnd > 0)""",
        arg=long["storyboard"]["src"],  # type: ignore[index]
    )
    page.mouse.move(*at(page, 0.5))
    time = look(page).locator(".track-time")
    expect(time).to_have_text("0:06 / 0:12")
    page.mouse.up()
    page.mouse.move(viewport["width"] / 2, 200)
    expect(look(page)).to_have_css("opacity", "0")
    assert len([one for one in asked if "storyboard" in one]) == 1


def test_a_mouse_over_the_line_and_arrow_keys_show_it_too(
    visit: Open, long: dict[str, object]
) -> None:
    page = visit(f"/v/{long['id']}", viewport=WIDE, has_touch=False)
    wait_playing(page)
    video = page.locator(CURRENT).locator("video")
    length = video.evaluate("video => video.duration")
    before = video.evaluate("video => video.currentTime")
    page.mouse.move(*at(page, 0.8))
    shown(page, long, 0.8 * length)
    assert video.evaluate("video => video.currentTime") < 0.8 * length - 1 or before > 8
    page.mouse.move(640, 200)
    expect(look(page)).to_have_css("opacity", "0")
    track = page.locator(CURRENT).locator(".track")
    video.evaluate("video => video.pause()")
    track.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(look(page)).to_have_css("opacity", "1")
    now = video.evaluate("video => video.currentTime")
    expect(look(page).locator(".track-cell")).to_have_css(
        "background-position", cell_for(long, now)
    )
    expect(track).to_have_attribute("aria-valuetext", "0:01 / 0:12")
    assert look(page).get_attribute("aria-hidden") == "true"
    expect(look(page)).to_have_css("opacity", "0")  # after a moment


def test_without_a_storyboard_the_time_stands_alone(visit: Open, long: dict[str, object]) -> None:
    page = visit("/offline")

    def without(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        body = answer.text().replace('"storyboard": {', '"storyboard": null, "was": {')
        route.fulfill(response=answer, body=body)  # type: ignore[attr-defined]

    page.route("**/v/*", without)
    page.goto(f"/v/{long['id']}")
    wait_playing(page)
    page.mouse.move(*at(page, 0.5))
    page.mouse.down()
    expect(look(page)).to_have_css("opacity", "1")
    expect(look(page).locator(".track-cell")).to_be_hidden()
    expect(look(page).locator(".track-time")).to_have_text("0:06 / 0:12")
    page.mouse.up()


def test_a_tile_plays_its_preview_under_the_mouse_and_with_focus(
    visit: Open, long: dict[str, object]
) -> None:
    page = visit("/@moments", viewport=WIDE, has_touch=False)
    tile = page.locator(".tile").first
    tile.hover()
    assert page.locator("video").count() == 0  # not at once
    expect(tile.locator(MOVING)).to_be_visible()
    playing = tile.locator("video")
    assert playing.evaluate("video => video.muted && video.loop")
    page.wait_for_function("() => document.querySelector('.tile video').currentTime > 0.2")
    page.mouse.move(10, 790)
    expect(page.locator("video")).to_have_count(0)
    page.locator("#person-menu").focus()
    page.keyboard.press("Tab")
    expect(tile).to_be_focused()
    expect(tile.locator(MOVING)).to_be_visible()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("video")).to_have_count(0)


def test_one_plays_at_a_time_in_discover_too(visit: Open, long: dict[str, object]) -> None:
    page = visit("/discover", viewport=WIDE, has_touch=False)
    door = page.locator("[data-slug]").first
    expect(door).to_have_attribute("data-preview", re.compile("."))
    door.hover()
    expect(door.locator(MOVING)).to_be_visible()
    page.locator("#search").fill("Little")
    tiles = page.locator(".tile")
    expect(tiles.nth(1)).to_be_visible()
    for number in (0, 1):
        tiles.nth(number).hover()
        expect(tiles.nth(number).locator(MOVING)).to_be_visible()
        assert page.locator("video").count() == 1


def test_a_door_looked_at_before_its_preview_came_plays_it(
    visit: Open, long: dict[str, object]
) -> None:
    page = visit("/offline", viewport=WIDE, has_touch=False)
    held: list[Route] = []
    page.route("**/api/channels/waves/videos*", lambda route: held.append(route))
    page.goto("/discover")
    door = page.locator("[data-slug=waves]")
    door.hover()
    eventually(lambda: page.wait_for_timeout(50) or held, 60, "the question for its newest clip")
    page.wait_for_timeout(500)  # longer than a look must last
    expect(page.locator("video")).to_have_count(0)
    held[0].continue_()
    expect(door.locator(MOVING)).to_be_visible()
    assert page.locator("video").count() == 1


def test_on_a_touch_screen_the_one_in_the_middle_plays_once(
    visit: Open, world: World, long: dict[str, object]
) -> None:
    page = visit(f"/@{world.author}", is_mobile=True)
    page.evaluate("scrollTo(0, 500)")
    page.wait_for_function(
        """() => document.elementFromPoint(innerWidth / 2, innerHeight / 2)
          .closest(".tile")?.querySelector(".moving.shown")"""
    )
    assert page.locator("video").count() == 1
    assert not page.locator("video").evaluate("video => video.loop")
    expect(page.locator("video")).to_have_count(0)  # three seconds later


@pytest.mark.parametrize("saving", ["motion", "data"])
def test_never_where_it_is_not_wanted(
    chromium: Browser, world: World, ear: Ear, long: dict[str, object], saving: str
) -> None:
    context = chromium.new_context(
        viewport=WIDE,
        base_url=world.url,
        reduced_motion="reduce" if saving == "motion" else "no-preference",
    )
    page = context.new_page()
    ear.listen(page)
    if saving == "data":
        page.add_init_script(
            "Object.defineProperty(navigator, 'connection', {value: {saveData: true}})"
        )
    page.goto("/@moments")
    page.locator(".tile").first.hover()
    page.wait_for_timeout(900)
    assert page.locator("video").count() == 0
    context.close()


def test_the_studio_s_rows_move_too(visit: Open, long: dict[str, object], tmp_path: Path) -> None:
    page = visit("/studio", "moments", viewport=WIDE, has_touch=False)
    row = page.locator(".clip-row").first
    row.locator(".thumb").hover()
    expect(row.locator(MOVING)).to_be_visible()
    page.mouse.move(10, 790)
    expect(page.locator("video")).to_have_count(0)
