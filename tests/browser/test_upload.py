"""From a file to a clip that plays, and what stands in the way said in words."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import WIDE, Ear, Open, World
from tests.browser.feed_page import wait_playing
from tests.live import clip, eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_clip_is_uploaded_published_and_plays(
    visit: Open, world: World, somebody: str, tmp_path: Path
) -> None:
    page = visit("/upload", somebody)
    page.locator("#file").set_input_files(clip(tmp_path / "mine.mp4", seconds=2))
    page.get_by_label("Words to it").fill("मेरी पहली क्लिप <b>bold</b>")
    page.locator("#tag").fill("mela ")
    expect(page.get_by_role("button", name="Remove tag mela")).to_be_visible()
    page.get_by_label("Language in it").select_option("hi")
    page.get_by_label("Channel").select_option("waves")
    # The clip plays in its frame, from the server, the moment that it can.
    frame = page.locator("#frame")
    expect(frame).to_have_attribute("src", re.compile(r"^/media/"))
    page.wait_for_function("() => document.querySelector('#frame').currentTime > 0")
    video = str(frame.get_attribute("src")).split("/")[2]
    assert httpx.get(f"{world.url}/api/videos/{video}").status_code == 404  # until it is published
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Everybody can see it now.")).to_be_visible()
    card = httpx.get(f"{world.url}/api/videos/{video}").json()
    assert (card["caption"], card["tags"], card["language"]) == (
        "मेरी पहली क्लिप <b>bold</b>",
        ["mela"],
        "hi",
    )
    page.get_by_role("link", name="See it").click()
    assert wait_playing(page) == video
    expect(page.locator(".slide.current .caption")).to_have_text("मेरी पहली क्लिप <b>bold</b>")
    page.goto("/studio")
    row = page.locator(f'[data-id="{video}"]')
    expect(row).to_contain_text("For everybody")


def test_a_file_chosen_before_the_script_is_there_is_taken(
    visit: Open, somebody: str, tmp_path: Path
) -> None:
    page = visit("/", somebody)
    held: list[Route] = []
    page.route("**/js/pages/upload*.js", lambda route: held.append(route))
    page.goto("/upload", wait_until="commit")
    page.locator("#file").set_input_files(clip(tmp_path / "mine.mp4", seconds=2))
    while not held:
        page.wait_for_timeout(20)
    expect(page.get_by_role("heading", name="Show something")).to_be_visible()
    held[0].continue_()
    expect(page.get_by_label("Words to it")).to_be_focused()


def test_what_is_no_video_says_so(visit: Open, somebody: str, tmp_path: Path) -> None:
    page = visit("/upload", somebody)
    text = tmp_path / "text.mp4"
    text.write_text("words, and no picture\n" * 200)
    page.locator("#file").set_input_files(text)
    expect(page.get_by_role("alert").filter(has_text="not a video")).to_be_visible()
    page.get_by_role("button", name="Choose another video").click()
    expect(page.get_by_role("heading", name="Show something")).to_be_visible()
    empty = tmp_path / "empty.mp4"
    empty.touch()
    page.locator("#file").set_input_files(empty)
    expect(page.get_by_text("This file is empty. Choose a video.")).to_be_visible()


def test_an_upload_goes_on_where_it_stopped(
    visit: Open, ear: Ear, somebody: str, tmp_path: Path
) -> None:
    ear.expect("ERR_FAILED", "ERR_INTERNET_DISCONNECTED")
    big = tmp_path / "big.mp4"
    source = clip(tmp_path / "small.mp4", seconds=2)
    # A free box at the end: bytes that every reader passes over.
    size = 9_000_000
    big.write_bytes(source.read_bytes() + size.to_bytes(4, "big") + b"free" + bytes(size - 8))
    page = visit("/upload", somebody)
    sent: list[int] = []

    def note(request: object) -> None:
        offset = request.headers.get("upload-offset")  # type: ignore[attr-defined]
        if request.method == "PATCH" and offset is not None:  # type: ignore[attr-defined]
            assert request.headers.get("upload-checksum", "").startswith("sha1 ")  # type: ignore[attr-defined]
            sent.append(int(offset))

    page.on("request", note)
    page.route("**/api/uploads/*", lambda route: _after_first(route, sent))
    page.locator("#file").set_input_files(big)
    page.wait_for_function("() => Object.keys(localStorage).some((key) => key.startsWith('tus::'))")
    eventually(lambda: page.wait_for_timeout(50) or any(sent), what="the first piece")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.unroute("**/api/uploads/*")
    before = len(sent)
    page.locator("#file").set_input_files(big)
    expect(page.locator("#frame")).to_have_attribute("src", re.compile(r"^/media/"))
    assert sent[before] >= 4 * 1024 * 1024  # not from the start


def _after_first(route: object, sent: list[int]) -> None:
    """The first piece arrives, then the line breaks."""
    if sent and sent[-1] > 0:
        route.abort()  # type: ignore[attr-defined]
    else:
        route.continue_()  # type: ignore[attr-defined]


def test_a_recording_is_uploaded(visit: Open, somebody: str) -> None:
    page = visit("/upload", somebody, permissions=["camera", "microphone"])
    page.locator("#record").click()
    page.get_by_role("dialog").get_by_role("button", name="Record").click()
    page.wait_for_timeout(2500)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#making")).to_be_visible()
    # What a browser records has to be encoded: the frame plays the served pieces as they come.
    expect(page.locator("#frame-box.ready")).to_be_visible()
    expect(page.locator("#frame")).to_have_attribute("poster", re.compile(r"^/media/"))
    page.wait_for_function("() => document.querySelector('#frame').currentTime > 0.5")


def test_the_studio_edits_and_deletes(visit: Open, world: World, somebody: str) -> None:
    from tests.live import PASSWORD, states, upload

    with httpx.Client(base_url=world.url) as client:
        client.post("/api/session", json={"handle": somebody, "password": PASSWORD})
        video = upload(client, world.file, caption="before")
        assert list(states(client, video))[-1] == "complete"
        page = visit("/studio", somebody, viewport=WIDE, has_touch=False)
        row = page.locator(f'[data-id="{video}"]')
        expect(row).to_contain_text("before")
        row.get_by_role("button", name="Edit").click()
        page.get_by_role("dialog").get_by_label("Words to it").fill("after")
        page.get_by_role("dialog").get_by_label("Only me").check(force=True)
        page.get_by_role("dialog").get_by_role("button", name="Save").click()
        expect(row).to_contain_text("after")
        expect(row).to_contain_text("Only for you")
        row.get_by_role("button", name="Delete").click()
        page.get_by_role("button", name="Delete for good").click()
        expect(page.get_by_text("Your clips will be here")).to_be_visible()
        expect(page.get_by_text("Deleted.")).to_be_visible()  # the server has answered
        assert client.get(f"/api/videos/{video}").status_code == 404


def test_cancelling_throws_away(visit: Open, somebody: str, tmp_path: Path) -> None:
    page: Page = visit("/upload", somebody)
    page.route("**/api/uploads/*", lambda route: _slowly(route))
    page.locator("#file").set_input_files(clip(tmp_path / "mine.mp4", seconds=2))
    page.locator("#cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop and throw away").click()
    expect(page.get_by_role("heading", name="Show something")).to_be_visible()


def _slowly(route: object) -> None:
    if route.request.method == "DELETE":  # type: ignore[attr-defined]
        route.continue_()  # type: ignore[attr-defined]
