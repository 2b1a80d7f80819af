"""The operator tries something on a part of the viewers, in a real browser."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, WIDE, Ear, Open, World
from tests.browser.test_pages import NAMELESS, SIDEWAYS, SMALL
from tests.browser.test_queue import command

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_an_experiment_is_started_and_stopped(
    world: World, visit: Open, ear: Ear, somebody: str
) -> None:
    ear.expect("422")  # what is refused
    command(world, "person", "role", somebody, "operator")
    page = visit("/operator/experiments", somebody, viewport=WIDE)
    page.get_by_label("Name").fill("calmer-draw")
    values = page.get_by_label("What it tries, one in a line")
    values.fill("temperature: 0.5")
    page.get_by_label("Why").fill("Is a calmer draw better?")
    start = page.get_by_role("button", name="Start", exact=True)
    start.click()
    expect(page.get_by_text("Each line needs a name, = and a number.")).to_be_visible()
    values.fill("temprature = 0.5")
    start.click()
    expect(page.get_by_text("There is no temprature. Is temperature meant?")).to_be_visible()
    values.fill("temperature = 0.5\nweights.fresh = 1.2")
    start.click()
    one = page.locator("section[data-name=calmer-draw]")
    expect(one.get_by_role("heading", name="calmer-draw running")).to_be_visible()
    expect(one.get_by_text("weights.fresh = 1.2")).to_be_visible()
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)
        assert page.evaluate(NAMELESS) == []
        assert page.evaluate(SMALL) == []
        assert page.evaluate(SIDEWAYS) <= 0
    if shots := os.environ.get("JHALAK_SHOTS"):
        page.screenshot(path=f"{shots}/experiments.png", full_page=True)
    one.get_by_role("button", name="Stop calmer-draw").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Stop it").click()
    expect(dialog.get_by_text("Say why: it is kept in the audit log.")).to_be_visible()
    dialog.get_by_label("Why").fill("Seen enough.")
    dialog.get_by_role("button", name="Stop it").click()
    expect(one.get_by_role("heading", name="calmer-draw stopped")).to_be_visible()
    expect(one.get_by_text("Stopped: Seen enough.")).to_be_visible()
