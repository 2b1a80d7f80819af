"""A real site with clips in it, and a real Chromium before it.

Every page of every test is listened to: a console error, an uncaught exception or a violation of
the content security policy fails the test in which it happened, unless the test says that it
expects one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.live import PASSWORD, Site, clip, states, upload

MOST_MS = 60_000  # that anything may take: machines of tests are slow, and waiting costs nothing
expect.set_options(timeout=MOST_MS)
PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 800}
CHANNELS = {"waves": "Waves", "cells": "Little Worlds", "letters": "Letters"}
OF_EACH = 24

LISTEN = """
window.refusedByPolicy = [];
addEventListener("securitypolicyviolation", (event) =>
  window.refusedByPolicy.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class World:
    """The site, and what is in it. `clips`: video ids by channel."""

    site: Site
    file: Path
    clips: dict[str, list[str]] = field(default_factory=dict)
    author: str = "asha.k"

    @property
    def url(self) -> str:
        return self.site.url

    def channel_of(self, video: str) -> str:
        """ "" for one that another test uploaded."""
        return next((slug for slug, ids in self.clips.items() if video in ids), "")


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    file = clip(folder / "clip.mp4", seconds=2.0, size="180x320")
    with Site(folder / "data") as site:
        listed = folder / "channels.json"
        listed.write_text(
            json.dumps(
                [
                    {
                        "slug": slug,
                        "name": name,
                        "name_hi": "",
                        "description": "",
                        "colour": "#12827C",
                    }
                    for slug, name in CHANNELS.items()
                ]
            )
        )
        subprocess.run(
            [sys.executable, "-m", "jhalak", "channels", "load", str(listed)],
            env=site.env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        world = World(site, file, {slug: [] for slug in CHANNELS})
        with contextlib.closing(site.client(world.author)) as author:
            author.patch("/api/me", json={"name": "आशा <b>K</b>", "bio": 'Clips & "quotes"'})
            for number in range(OF_EACH):
                for slug in CHANNELS:
                    caption = f"{CHANNELS[slug]} {number} #{slug} </script><b>"
                    world.clips[slug].append(
                        upload(author, file, channel=slug, caption=caption, language="en")
                    )
            for ids in world.clips.values():
                assert list(states(author, ids[-1], 240))[-1] == "complete"
        yield world


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    system = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=system,
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        yield browser
        browser.close()


@dataclass
class Ear:
    """What went wrong in pages, unasked."""

    heard: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def listen(self, page: Page) -> None:
        page.add_init_script(LISTEN)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.heard.append(str(error)))

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.heard.append(f"{said.text} ({said.location.get('url', '')})")

    def expect(self, *words: str) -> None:
        """Errors that hold one of these words belong to the test."""
        self.expected += words

    def unexpected(self) -> list[str]:
        return [one for one in self.heard if not any(word in one for word in self.expected)]


Open = Callable[..., Page]


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    assert ear.unexpected() == []


@pytest.fixture
def visit(world: World, chromium: Browser, ear: Ear) -> Iterator[Open]:
    """`visit(path, who="", **context)`: a page in a browser of its own, a phone unless said.

    The service worker is shut out unless `service_workers="allow"`: it begins at a moment of its
    own, and what it fetches or has cached by then goes past a test's routes.
    """
    contexts: list[BrowserContext] = []

    def start(path: str, who: str = "", **options: Any) -> Page:
        given = {
            "viewport": PHONE,
            "has_touch": True,
            "locale": "en",
            "base_url": world.url,
            "service_workers": "block",
        }
        context = chromium.new_context(**(given | options))
        contexts.append(context)
        context.set_default_timeout(MOST_MS)
        if who:
            answer = context.request.post(
                "/api/session", data={"handle": who, "password": PASSWORD}
            )
            assert answer.ok, answer.text()
        page = context.new_page()
        ear.listen(page)
        page.goto(path)
        return page

    yield start
    for context in contexts:
        context.unroute_all(behavior="ignoreErrors")  # a route under way is not the next test's
        for page in context.pages:
            page.unroute_all(behavior="ignoreErrors")
            if page.url.startswith(world.url):
                assert page.evaluate("window.refusedByPolicy ?? []") == []
        context.close()


@pytest.fixture
def somebody(world: World, request: pytest.FixtureRequest) -> str:
    """A fresh account's handle."""
    handle = f"p{abs(hash(request.node.nodeid)) % 10**9}"
    world.site.client(handle).close()
    return handle
