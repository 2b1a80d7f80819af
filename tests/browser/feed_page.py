"""What tests ask of the feed's page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

CURRENT = ".slide.current"


def wait_playing(page: Page) -> str:
    """The id of the clip that plays, once exactly the visible one does and has moved."""
    handle = page.wait_for_function(
        """() => {
          const slide = document.querySelector(".slide.current");
          const videos = [...document.querySelectorAll("#feed video")];
          const playing = videos.filter((one) => !one.paused);
          return slide && playing.length === 1 && slide.contains(playing[0]) &&
            playing[0].currentTime > 0 && slide.classList.contains("shown") && slide.dataset.id;
        }"""
    )
    return str(handle.json_value())


def swipe(page: Page) -> str:
    """One swipe up; the id of the clip that plays then."""
    before = page.locator(CURRENT).get_attribute("data-id")
    page.locator("#feed").evaluate("feed => feed.scrollBy({top: feed.clientHeight})")
    expect(page.locator(CURRENT)).not_to_have_attribute("data-id", before or "")
    return wait_playing(page)


def wait_untold(page: Page) -> None:
    """Until an ending waits for the network: a skip, or more where the machine was slow."""
    page.wait_for_function(
        "() => sessionStorage['jhalak.events']?.includes('\"watched_ms\"') ?? false"
    )
