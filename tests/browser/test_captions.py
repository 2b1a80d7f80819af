"""Captions: a file is added in the studio, shown in the player, and one line of it is changed."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import WIDE, Ear, Open, World
from tests.browser.feed_page import wait_playing
from tests.browser.test_pages import NAMELESS, SMALL
from tests.live import PASSWORD, clip, states, upload

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FILE = """WEBVTT

00:00.000 --> 00:02.000
पानी गिर रहा है <script>

00:02.000 --> 00:09.000
and it does not stop
"""
SHOWN = """() => [...document.querySelectorAll(".slide.current video")[0].textTracks]
  .filter((track) => track.mode === "showing")
  .flatMap((track) => [...(track.cues ?? [])].map((cue) => `${track.language} ${cue.text}`))"""


@pytest.fixture
def mine(world: World, somebody: str, tmp_path: Path) -> str:
    """A clip of somebody's, four seconds long."""
    with httpx.Client(base_url=world.url, timeout=30) as client:
        client.post("/api/session", json={"handle": somebody, "password": PASSWORD})
        video = upload(client, clip(tmp_path / "long.mp4", seconds=4.0), language="hi")
        assert list(states(client, video))[-1] == "complete"
    return video


def open_sheet(page: Page) -> Locator:
    page.get_by_role("button", name="Captions").click()
    return page.get_by_role("dialog")


def whole(page: Page) -> None:
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(SMALL) == []


def choose(sheet: Locator, path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    sheet.locator("input[type=file]").set_input_files(path)


def test_captions_from_a_file_are_shown_edited_and_deleted(
    visit: Open, ear: Ear, mine: str, somebody: str, tmp_path: Path
) -> None:
    ear.expect("422")
    page = visit("/studio", somebody)
    sheet = open_sheet(page)
    expect(sheet.get_by_text("No captions yet.")).to_be_visible()
    expect(sheet.get_by_label("Language of the captions")).to_have_value("hi")
    whole(page)
    choose(sheet, tmp_path / "not.srt", "only words")
    expect(sheet.get_by_role("alert")).to_contain_text("No captions with words")
    choose(sheet, tmp_path / "far.vtt", FILE.replace("00:02.000 --> 00:09", "08:02.000 --> 08:09"))
    expect(sheet.get_by_role("alert")).to_contain_text("Caption 2 begins when the clip is over.")
    choose(sheet, tmp_path / "good.vtt", FILE)
    expect(sheet.get_by_role("status")).to_have_text("Saved: हिन्दी.")
    whole(page)

    page.goto(f"/v/{mine}")
    assert wait_playing(page) == mine
    page.wait_for_function(f"() => ({SHOWN})().length === 2")
    assert page.evaluate(SHOWN) == [
        "hi पानी गिर रहा है &lt;script&gt;",
        "hi and it does not stop",
    ]
    page.keyboard.press("c")
    assert page.evaluate(SHOWN) == []
    page.keyboard.press("c")
    page.wait_for_function(f"() => ({SHOWN})().length === 2")

    page.goto("/studio")
    sheet = open_sheet(page)
    sheet.get_by_role("button", name="Edit: हिन्दी").click()
    expect(sheet.get_by_label("Line 1: words")).to_be_focused()
    expect(sheet.get_by_label("Line 2: to")).to_have_value("0:04.000")
    whole(page)
    sheet.get_by_role("button", name="Line 2: play from here").click()
    page.wait_for_function("() => document.querySelector('.caption-video').currentTime > 2")
    sheet.get_by_label("Line 2: words").fill("and it goes on")
    sheet.get_by_label("Line 2: from").fill("soon")
    sheet.get_by_role("button", name="Save").click()
    expect(sheet.get_by_role("alert")).to_contain_text("Line 2: write times like")
    expect(sheet.get_by_label("Line 2: from")).to_be_focused()
    sheet.get_by_label("Line 2: from").fill("3.5")
    sheet.get_by_label("Line 2: to").fill("3")
    sheet.get_by_role("button", name="Save").click()
    expect(sheet.get_by_role("alert")).to_contain_text("Caption 2 ends before it begins.")
    sheet.get_by_label("Line 2: to").fill("0:04")
    sheet.get_by_role("button", name="Save").click()
    expect(sheet.get_by_role("status")).to_have_text("Saved: हिन्दी.")

    page.goto(f"/v/{mine}")
    wait_playing(page)
    page.wait_for_function(f"() => ({SHOWN})().length === 2")
    assert page.evaluate(SHOWN)[1] == "hi and it goes on"

    page.goto("/studio")
    sheet = open_sheet(page)
    sheet.get_by_role("button", name="Delete: हिन्दी").click()
    expect(sheet.get_by_role("status")).to_have_text("Deleted: हिन्दी.")
    sheet.get_by_role("button", name="Undo").click()
    expect(sheet.get_by_role("button", name="Edit: हिन्दी")).to_be_visible()
    sheet.get_by_role("button", name="Delete: हिन्दी").click()
    expect(sheet.get_by_text("No captions yet.")).to_be_visible()


def test_captions_are_written_by_hand_and_not_lost_with_the_sheet(
    visit: Open, mine: str, somebody: str
) -> None:
    page = visit("/studio", somebody, viewport=WIDE, has_touch=False)
    sheet = open_sheet(page)
    sheet.get_by_label("Language of the captions").select_option("ta")
    sheet.get_by_role("button", name="Write them here").click()
    sheet.get_by_role("button", name="Add a line").press("Enter")
    expect(sheet.get_by_label("Line 1: words")).to_be_focused()
    page.keyboard.type("மழை")
    sheet.get_by_role("button", name="Add a line").click()
    expect(sheet.get_by_label("Line 2: from")).to_have_value("0:02.000")
    page.keyboard.type("rain")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    sheet = open_sheet(page)
    sheet.get_by_label("Language of the captions").select_option("ta")
    sheet.get_by_role("button", name="Write them here").click()
    expect(sheet.get_by_label("Line 1: words")).to_have_value("மழை")
    sheet.get_by_role("button", name="Line 2: remove").click()
    expect(sheet.get_by_label("Line 1: words")).to_be_focused()
    sheet.get_by_role("button", name="Save").click()
    expect(sheet.get_by_role("status")).to_have_text("Saved: தமிழ்.")
    page.keyboard.press("Escape")
    sheet = open_sheet(page)
    expect(sheet.get_by_role("button", name="Edit: தமிழ்")).to_be_visible()
    (track,) = page.context.request.get(f"/api/videos/{mine}").json()["captions"]
    assert page.context.request.get(track["src"]).text().endswith("மழை\n")


def test_captions_in_the_language_that_the_viewer_chose(
    visit: Open, world: World, mine: str, somebody: str
) -> None:
    with httpx.Client(base_url=world.url) as client:
        client.post("/api/session", json={"handle": somebody, "password": PASSWORD})
        for language in ("en", "hi"):
            cues = [{"start_ms": 0, "end_ms": 3000, "text": f"in {language}"}]
            answer = client.put(f"/api/videos/{mine}/captions/{language}", json={"cues": cues})
            assert answer.status_code == 200
    page = visit(f"/v/{mine}", locale="en")
    wait_playing(page)
    page.wait_for_function(f"() => ({SHOWN})().join() === 'en in en'")
    page.locator(".slide.current .menu").click()
    page.get_by_role("button", name="Captions: हिन्दी").click()
    page.wait_for_function(f"() => ({SHOWN})().join() === 'hi in hi'")
    page.reload()
    wait_playing(page)
    page.wait_for_function(f"() => ({SHOWN})().join() === 'hi in hi'")
