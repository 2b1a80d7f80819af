"""A sound's page, its use in an upload, and the line that leads there from the feed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from jhalak import media
from tests.browser.conftest import PHONE, WIDE, Open, World
from tests.browser.feed_page import wait_playing
from tests.browser.test_pages import NAMELESS, SIDEWAYS, SMALL, settle
from tests.live import PASSWORD, clip, eventually, states, upload
from tests.media.making import AAC, H264, bare

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PITCH, OTHER = 1500, 440  # hertz


def tone(path: Path, pitch: int, seconds: float) -> Path:
    picture = f"testsrc2=s=180x320:r=30:d={seconds}"
    heard = f"sine=f={pitch}:r=48000:d={seconds}"
    bare("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", heard, *H264, *AAC, str(path))
    return path


def pitch_of(file: Path) -> float:
    samples = media.speech.sound_of(file)
    assert samples is not None
    spectrum = np.abs(np.fft.rfft(samples[: 2 * media.speech.RATE]))
    return int(spectrum.argmax()) / 2


@pytest.fixture
def known(world: World, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A video of the author's, and the sound that it gave."""
    with httpx.Client(base_url=world.url) as author:
        author.post("/api/session", json={"handle": world.author, "password": PASSWORD})
        video = upload(author, tone(tmp_path / "loud.mp4", PITCH, 4), caption="whistle")
        assert list(states(author, video))[-1] == "complete"

        def sound() -> str:
            return (author.get(f"/api/videos/{video}").json()["sound"] or {}).get("id", "")

        yield video, eventually(sound, 60, "its sound")
        author.delete(f"/api/videos/{video}")


def test_a_sound_is_heard_taken_and_published(
    visit: Open, world: World, known: tuple[str, str], somebody: str, tmp_path: Path
) -> None:
    video, sound = known
    page = visit(f"/v/{video}", somebody)
    wait_playing(page)
    line = page.locator(".slide.current .sound-line")
    expect(line).to_have_text(f"Original sound · @{world.author}")
    line.click()
    expect(page).to_have_url(re.compile(f"/s/{sound}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Original sound · @{world.author}")
    expect(page.locator("#tiles .tile")).to_have_count(1)
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.2")
    length = page.evaluate("document.querySelector('#sound').duration")
    assert abs(length - 4) < 0.2
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()

    page.get_by_role("link", name="Use this sound").click()
    expect(page.locator("#chosen")).to_contain_text(f"Original sound · @{world.author}")
    page.locator("#file").set_input_files(tone(tmp_path / "mine.mp4", OTHER, 3))
    expect(page.get_by_role("link", name="Without this sound")).to_be_hidden()  # it has begun
    page.get_by_label("Words to it").fill("with a whistle")
    frame = page.locator("#frame")
    expect(frame).to_have_attribute("src", re.compile(r"^/media/"))
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Everybody can see it now.")).to_be_visible()

    used = str(frame.get_attribute("src")).split("/")[2]
    card = httpx.get(f"{world.url}/api/videos/{used}").json()
    assert card["sound"] == {"id": sound, "handle": world.author}
    served = tmp_path / "served.mp4"
    served.write_bytes(httpx.get(world.url + card["src"]).content)
    assert abs(pitch_of(served) - PITCH) < 10
    page.goto(f"/s/{sound}")
    expect(page.locator("#tiles .tile")).to_have_count(2)
    expect(page.get_by_text("2 clips")).to_be_visible()


@pytest.mark.parametrize("size", [PHONE, WIDE, {"width": 360, "height": 640}], ids=str)
@pytest.mark.parametrize("language", ["en", "hi"])
def test_its_screens_are_whole(
    visit: Open, known: tuple[str, str], somebody: str, size: dict[str, int], language: str
) -> None:
    video, sound = known
    page = visit("/", somebody, viewport=size, locale=language)
    for path in (f"/s/{sound}", f"/upload?sound={sound}", f"/v/{video}"):
        page.goto(path)
        settle(page)
        for problems in (NAMELESS, SMALL):
            assert page.evaluate(problems) == [], path
        assert page.evaluate(SIDEWAYS) <= 0, path


def test_without_it_a_clip_keeps_its_own(
    visit: Open, known: tuple[str, str], somebody: str
) -> None:
    page = visit(f"/upload?sound={known[1]}", somebody)
    page.get_by_role("link", name="Without this sound").click()
    expect(page).to_have_url(re.compile("/upload$"))
    expect(page.locator("#chosen")).to_have_count(0)


def test_a_guest_logs_in_first_and_comes_back(
    visit: Open, known: tuple[str, str], somebody: str
) -> None:
    page = visit(f"/s/{known[1]}")
    page.get_by_role("link", name="Use this sound").click()
    page.get_by_label("Handle").fill(somebody)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#chosen")).to_be_visible()


def test_one_that_is_closed_says_so(
    visit: Open, world: World, known: tuple[str, str], somebody: str, tmp_path: Path
) -> None:
    video, sound = known
    with httpx.Client(base_url=world.url) as me:
        me.post("/api/session", json={"handle": somebody, "password": PASSWORD})
        used = upload(me, clip(tmp_path / "mine.mp4", seconds=2), sound=sound)
        assert list(states(me, used))[-1] == "complete"
    with httpx.Client(base_url=world.url) as author:
        author.post("/api/session", json={"handle": world.author, "password": PASSWORD})
        author.delete(f"/api/videos/{video}")
    page = visit(f"/s/{sound}", somebody)
    expect(page.get_by_role("heading", level=1)).to_have_text("Original sound")
    expect(page.get_by_text("is not there any more")).to_be_visible()
    expect(page.get_by_role("link", name="Use this sound")).to_have_count(0)
    expect(page.locator("#tiles .tile")).to_have_count(1)
    page.goto(f"/upload?sound={sound}")
    expect(page.get_by_text("Your clip keeps its own.")).to_be_visible()
