"""A moderator takes a clip down and brings it back, where it plays."""

from __future__ import annotations

import contextlib

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Ear, Open, World
from tests.browser.feed_page import CURRENT

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def open_menu(page: Page, video: str) -> None:
    page.locator(f'{CURRENT}[data-id="{video}"] .menu').click()


def test_a_clip_is_taken_down_and_brought_back_with_reasons(
    world: World, visit: Open, somebody: str, ear: Ear
) -> None:
    ear.expect("status of 422")  # no reason given
    video = world.clips["letters"][0]
    page = visit(f"/v/{video}", who=somebody)
    open_menu(page, video)
    menu = page.get_by_role("dialog", name="This clip")
    expect(menu.get_by_role("button", name="Share")).to_be_visible()
    expect(menu.get_by_role("button", name="Take down")).to_have_count(0)
    world.site.change("UPDATE people_person SET role = 'moderator' WHERE handle = ?", somebody)
    page.reload()
    open_menu(page, video)
    menu.get_by_role("button", name="Take down").click()
    form = page.get_by_role("dialog", name="Take this clip down")
    form.get_by_role("button", name="Take down").click()
    expect(form.get_by_label("Why")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Why").fill("Shows a <b>number</b> plate.")
    form.get_by_role("button", name="Take down").click()
    expect(page.get_by_text("Taken down.", exact=True)).to_be_visible()
    with contextlib.closing(world.site.client()) as guest:
        assert guest.get(f"/api/videos/{video}").status_code == 404
        page.get_by_role("button", name="Look at it").click()
        expect(page.get_by_text("Taken down: Shows a <b>number</b> plate.")).to_be_visible()
        open_menu(page, video)
        menu.get_by_role("button", name="Bring back").click()
        form = page.get_by_role("dialog", name="Bring this clip back")
        form.get_by_label("Why").fill("It does not.")
        form.get_by_role("button", name="Bring back").click()
        expect(page.get_by_text("Brought back.")).to_be_visible()
        expect(page.get_by_text("Taken down: Shows")).to_have_count(0)
        assert guest.get(f"/api/videos/{video}").status_code == 200
