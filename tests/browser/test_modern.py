"""A clip in AV1 with Opus, made by the site's own worker and played by its own player."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, World
from tests.browser.feed_page import CURRENT, swipe, wait_playing
from tests.live import eventually, states, upload

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PICTURE = """() => {
  const video = document.querySelector(".slide.current video");
  return video.currentTime > 0.5 && video.readyState > 2 && {
    error: video.error?.message ?? "",
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    size: [video.videoWidth, video.videoHeight],
    src: video.src.slice(0, 5),
  };
}"""


def back(page: Page) -> str:
    """One swipe down; the id of the clip that plays then."""
    before = page.locator(CURRENT).get_attribute("data-id")
    page.locator("#feed").evaluate("feed => feed.scrollBy({top: -feed.clientHeight})")
    expect(page.locator(CURRENT)).not_to_have_attribute("data-id", before or "")
    return wait_playing(page)


def test_av1_is_played_once_it_is_known_to_be_decoded(visit: Open, world: World) -> None:
    """The first clip of a page is begun before the browser has said what it decodes well."""
    author = world.site.client("modern.clips")
    video = upload(author, world.file, visibility="public")
    assert list(states(author, video, 120))[-1] == "complete"
    world.site.enqueue("videos.modern", video)

    def made() -> dict[str, Any] | None:
        sources = author.get(f"/api/videos/{video}").json()["sources"]
        return next((one for one in sources if one["codecs"].startswith("av01")), None)

    source = eventually(made, 120, "a rendition in AV1")
    assert source["src"].endswith("/540av1.mp4")
    assert source["codecs"].endswith(",opus")
    page = visit(f"/v/{video}")
    assert wait_playing(page) == video
    swipe(page)
    swipe(page)
    files: list[str] = []
    page.on("request", lambda request: files.append(request.url))
    back(page)
    assert back(page) == video
    seen = page.wait_for_function(PICTURE).json_value()
    assert seen["size"] == [180, 320]
    assert (seen["error"], seen["src"]) == ("", "blob:")
    assert seen["frames"] > 0
    mine = {url.rpartition("/")[2] for url in files if f"{video}/" in url and ".mp4" in url}
    assert mine == {"540av1.mp4"}
