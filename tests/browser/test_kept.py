"""What a whole journey leaves in the browser is what the data map declares, and no more."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from jhalak.site.data_map import BROWSER
from tests.browser.conftest import Open, World
from tests.browser.feed_page import CURRENT, swipe, wait_playing
from tests.live import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BOXES = """async () => [
  ...Object.keys(localStorage).map((name) => ["localStorage", name]),
  ...Object.keys(sessionStorage).map((name) => ["sessionStorage", name]),
  ...(await caches.keys()).map((name) => ["cache", name]),
  ...(await indexedDB.databases()).map((one) => ["indexedDB", one.name]),
]"""


def kept(page: Page) -> set[str]:
    found = {("cookie", str(one.get("name"))) for one in page.context.cookies()}
    found |= {(box, name) for box, name in page.evaluate(BOXES)}
    return {declared_as(box, name) for box, name in found}


def declared_as(box: str, name: str) -> str:
    """The map's name of it: the cache bears the release's version, a draft its
    clip's id, a place that was left its page's path.
    """
    if box == "cache":
        name = name.partition("-")[0]
    return f"{box} {re.split('[ /]', name)[0]}"


def test_a_journey_leaves_what_is_declared(visit: Open, world: World) -> None:
    page = visit("/signup?next=/upload", service_workers="allow")
    seen = kept(page)
    page.get_by_label("Handle").fill("journey.k")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url(f"{world.url}/upload")
    page.locator("#file").set_input_files(world.file)
    page.get_by_label("Words to it").fill("the way")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Everybody can see it now.")).to_be_visible()
    seen |= kept(page)
    page.goto("/")
    wait_playing(page)
    swipe(page)
    with page.expect_response("**/like"):
        page.locator(CURRENT).locator(".like").click()
    seen |= kept(page)
    page.goto("/settings")
    page.locator("label", has_text="Dark").click()
    with page.expect_response("**/api/me/downloads*"):
        page.locator("#download-password").fill(PASSWORD)
        page.get_by_role("button", name="Get everything").click()
    seen |= kept(page)
    page.goto("/border")
    expect(page.get_by_role("heading", name="The border", exact=True)).to_be_visible()
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    seen |= kept(page)
    assert {"cookie jhalak_session", "cookie jhalak_theme", "cache jhalak"} <= seen
    assert not seen - BROWSER.keys()
    # The walk itself can fail: what nobody declared is found in each kind of box.
    page.evaluate(
        """async () => { localStorage.stray = 1; sessionStorage.stray = 1;
          document.cookie = "stray=1"; await caches.open("stray"); }"""
    )
    assert kept(page) - BROWSER.keys() == {
        f"{box} stray" for box in ("cookie", "localStorage", "sessionStorage", "cache")
    }
