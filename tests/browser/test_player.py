"""The player on lines that are slow, dead or dear, in a real browser, and its pure parts there."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from bench.relay import Line, line
from playwright.sync_api import Error, Page, Route, expect

from tests.browser.conftest import Ear, Open, World
from tests.browser.feed_page import CURRENT, swipe, wait_playing, wait_untold
from tests.live import clip, states, upload

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FAST = 50_000_000
SECONDS = 8
SHARP = {"device_scale_factor": 2}  # a screen that shows more than 360 lines


@pytest.fixture(scope="module")
def long_clips(world: World, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Clips of eight seconds with a rendition for slow lines, all of one tag."""
    file = clip(tmp_path_factory.mktemp("long") / "long.mp4", seconds=SECONDS, size="540x960")
    author = world.site.client("long.clips")
    videos = [upload(author, file, caption="#long", visibility="public") for _ in range(6)]
    for video in videos:
        assert list(states(author, video, 120))[-1] == "complete"
    return videos


@pytest.fixture
def slow(world: World) -> Iterator[Line]:
    with line(world.site.port, bps=FAST, rtt=0.02) as made:
        yield made


@pytest.fixture
def tuned(long_clips: list[str], slow: Line, visit: Open) -> Open:
    """`tuned(path)`: a page that reaches the site through the line."""

    def start(path: str = "/t/long", **options: Any) -> Page:
        return visit(path, base_url=f"http://127.0.0.1:{slow.port}", **options)

    return start


def asked(page: Page) -> list[tuple[str, str]]:
    """(clip, file) of every request for media from now on, as they are made."""
    found: list[tuple[str, str]] = []

    def note(url: str) -> None:
        if url.endswith(".mp4"):
            *_, video, name = url.split("/")
            found.append((video, name))

    page.on("request", lambda request: note(request.url))
    return found


def run(page: Page, module: str, body: str, *given: Any) -> Any:
    """`body` with a module of the player's as `m` and what is given as `given`."""
    code = f"""async (given) => {{
      const reel = document.querySelector("link[href$='js/feed/reel.js']").href;
      const m = await import(reel.replace("reel.js", "{module}"));
      {body}
    }}"""
    return page.evaluate(code, list(given))


SOURCES = [
    {"src": str(side), "width": side, "height": side * 16 // 9, "bps": bps, "peak_bps": bps,
     "codecs": "avc1", "start": bps // 8}
    for side, bps in ((360, 500_000), (540, 1_200_000), (720, 2_400_000), (1080, 6_000_000))
]  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "chosen"),
    [
        ({"bps": 300_000}, "360"),  # something must play
        ({"bps": 1_600_000}, "360"),
        ({"bps": 50_000_000}, "1080"),
        ({"bps": 50_000_000, "side": 480}, "540"),  # the screen shows no more
        ({"bps": 50_000_000, "saving": True}, "360"),
        ({"bps": 2_000_000}, "360"),  # the first part would take too long
        ({"bps": 2_000_000, "current": "360", "ahead": 2}, "540"),  # and later it would not
        ({"bps": 2_000_000, "current": "360", "ahead": 1}, "360"),
        ({"bps": 1_500_000, "current": "540", "ahead": 5}, "540"),  # it goes well: it stays
        ({"bps": 1_500_000, "current": "540", "ahead": 1}, "360"),
        ({"bps": 1_000_000, "current": "1080", "ahead": 5}, "360"),
    ],
)
def test_what_is_played_fits_line_and_screen(
    player_page: Page, seen: dict[str, Any], chosen: str
) -> None:
    known = {"side": 1080, "saving": False, "ahead": 0} | seen
    body = """
      const [sources, seen] = given;
      seen.current = sources.find(({ src }) => src === seen.current);
      return m.choose(sources, seen).src;"""
    assert run(player_page, "choice.js", body, SOURCES, known) == chosen


def test_of_equal_pictures_the_cheaper_is_played(player_page: Page) -> None:
    cheaper = SOURCES[1] | {"src": "av1", "codecs": "av01", "bps": 700_000, "peak_bps": 700_000}
    body = "return m.choose(given[0], { bps: 3e7, side: 540, saving: false, ahead: 0 }).src;"
    assert run(player_page, "choice.js", body, [*SOURCES, cheaper]) == "av1"
    assert run(player_page, "choice.js", body, SOURCES) == "540"


HEADS = """
  const file = new Uint8Array(await (await fetch(given[0])).arrayBuffer());
  const told = (bytes) => {
    try {
      return m.readHead(bytes);
    } catch (reason) {
      return reason.constructor.name;
    }
  };
  const view = (at, size, value) => {
    const copy = file.slice(0, 5000);
    for (let byte = 0; byte < size; byte += 1) copy[at + byte] = value;
    return copy;
  };
  const head = m.readHead(file);
  const index = head.init;
  const lies = [];
  for (const size of [1, 4]) {
    for (const value of [0, 1, 127, 255]) {
      for (let at = 0; at < head.fragments[0].from; at += 1) lies.push(told(view(at, size, value)));
    }
  }
  return {
    size: file.length,
    head,
    cut: [0, 1, 7, 8, index, index + 31].map((at) => told(file.subarray(0, at))),
    zeros: told(new Uint8Array(100)),
    text: told(new TextEncoder().encode("#EXTM3U and more than eight bytes of it")),
    lies: [...new Set(lies.filter((one) => typeof one === "string"))],
    beyond: lies.some((one) => one?.fragments?.some(({ from, to }) => !(from >= 0 && to >= from))),
    bodiless: told(file.slice(head.fragments[0].from)),
  };"""


def test_the_head_of_a_file_is_read_and_a_lying_one_refused(
    player_page: Page, world: World, long_clips: list[str]
) -> None:
    card = world.site.client().get(f"/api/videos/{long_clips[0]}").json()
    source = card["sources"][0]
    told = run(player_page, "sidx.js", HEADS, source["src"])
    fragments = told["head"]["fragments"]
    assert fragments[0]["to"] + 1 == source["start"]
    assert fragments[-1]["to"] + 1 == told["size"]
    assert fragments[-1]["end"] == pytest.approx(SECONDS, abs=0.1)
    for one, after in pairwise(fragments):
        assert one["to"] + 1 == after["from"]
        assert one["end"] == after["begin"]
    assert told["cut"] == [None] * 6
    assert told["zeros"] == told["text"] == told["bodiless"] == "RangeError"
    assert told["lies"] == ["RangeError"]
    assert told["beyond"] is False


@pytest.fixture
def player_page(visit: Open) -> Page:
    return visit("/t/nothing_has_this_tag")


# What the line is taken to bring is what a test says, however slow the machine is and whatever
# lines the browser remembers from other tests: only time is made up, and that memory. Nor does
# the line ever count as dead by its silence alone.
SAID = """(bps) => {
  window.line = bps;
  Object.defineProperty(navigator.connection, "downlink", { get: () => 10 });
  localStorage.setItem("jhalak.line", JSON.stringify({ bps, at: Date.now() }));
  Object.defineProperty(PerformanceResourceTiming.prototype, "responseEnd", {
    get() {
      return this.requestStart + (this.encodedBodySize * 8000) / window.line;
    },
  });
  const later = window.setTimeout;
  window.setTimeout = (act, ms, ...given) => (ms === 8000 ? 0 : later(act, ms, ...given));
}"""


def said(page: Page, bps: float) -> None:
    """From the next page on."""
    page.add_init_script(f"({SAID})({json.dumps(bps)})")


def ahead(page: Page, clips: int, seconds: float) -> None:
    """Waits until this many of the clips that come next have so much."""
    page.wait_for_function(
        """([clips, seconds]) => {
          const here = document.querySelector(".slide.current");
          const at = (slide) => Number(slide.style.getPropertyValue("--at"));
          return [...document.querySelectorAll(".slide:not(.last)")].filter((slide) => {
            const { buffered } = slide.querySelector("video");
            return at(slide) > at(here) && buffered.length && buffered.end(0) >= seconds;
          }).length >= clips;
        }""",
        arg=[clips, seconds],
        timeout=90_000,
    )


def test_a_slow_line_gets_the_small_picture(
    tuned: Open, slow: Line, world: World, long_clips: list[str]
) -> None:
    small, large = world.site.client().get(f"/api/videos/{long_clips[0]}").json()["sources"]
    assert (small["height"], large["height"]) == (640, 960)
    slow.bps, slow.rtt = small["peak_bps"] * 1.6, 0.05
    page = tuned("/offline", **SHARP)
    said(page, slow.bps)
    files = asked(page)
    page.goto("/t/long")
    wait_playing(page)
    swipe(page)
    page.wait_for_timeout(1000)
    assert {name for _, name in files} == {"360.mp4"}


def test_what_comes_next_plays_when_the_line_is_dead(tuned: Open, slow: Line, ear: Ear) -> None:
    ear.expect("net::ERR_")
    page = tuned("/offline")
    said(page, FAST)  # a busy machine takes its slowness for the line's, and stores nothing
    page.goto("/t/long")
    seen = {wait_playing(page)}
    ahead(page, 3, SECONDS - 0.5)
    slow.up = False
    for _ in range(3):
        seen.add(swipe(page))
    assert len(seen) == 4
    expect(page.locator(CURRENT).locator(".notice")).to_be_hidden()
    wait_untold(page)
    slow.up = True
    page.wait_for_function("() => !sessionStorage['jhalak.events']")


def test_data_is_saved_where_that_is_wanted(tuned: Open, somebody: str) -> None:
    page = tuned("/settings", who=somebody)
    expect(page.get_by_role("radio", name="As the device").last).to_be_checked()
    page.get_by_role("radio", name="On", exact=True).check()
    page.reload()
    expect(page.get_by_role("radio", name="On", exact=True)).to_be_checked()
    files = asked(page)
    page.goto("/t/long")
    first = wait_playing(page)
    ahead(page, 1, 0.5)
    page.wait_for_timeout(1500)  # nothing more comes
    assert {name for _, name in files} == {"360.mp4"}
    others = [video for video, _ in files if video != first]
    assert len(others) == 1, "one part of the next clip, nothing of others"


def of_current(page: Page, condition: str) -> None:
    """Waits until it holds of the visible clip's `video`."""
    page.wait_for_function(
        f"""() => {{
          const video = document.querySelector(".slide.current video");
          return {condition};
        }}""",
        timeout=90_000,
    )


@pytest.fixture
def sizes(world: World, long_clips: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    small, large = world.site.client().get(f"/api/videos/{long_clips[0]}").json()["sources"]
    return small, large


def test_a_line_that_becomes_fast_brings_more_pixels(
    visit: Open, sizes: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    small, large = sizes
    page = visit("/offline", **SHARP)
    said(page, small["peak_bps"] * 1.6)
    page.goto("/t/long")
    wait_playing(page)
    seen = page.evaluate("() => document.querySelector('.slide.current video').videoHeight")
    assert seen == small["height"]
    page.evaluate("(bps) => { window.line = bps; }", FAST)
    for _ in range(4):
        ahead(page, 1, SECONDS - 0.5)
        swipe(page)
    of_current(page, f"video.videoHeight === {large['height']}")


def test_playing_goes_on_when_a_lost_line_comes_back(
    tuned: Open, slow: Line, sizes: tuple[dict[str, Any], dict[str, Any]], ear: Ear
) -> None:
    ear.expect("net::ERR_")
    page = tuned("/offline")
    said(page, sizes[0]["peak_bps"] * 1.6)
    seen: list[str] = []

    def cut(route: Route) -> None:
        video = route.request.url.split("/")[-2]
        seen.append(video)
        if seen.count(seen[0]) == 4 and video == seen[0]:  # of the five parts of the visible clip
            slow.up = False
            route.abort("internetdisconnected")
        else:
            route.continue_()

    page.route("**/media/**/*.mp4", cut)
    page.goto("/t/long")
    clip = wait_playing(page)
    of_current(page, "!video.paused && video.readyState < 3 && video.currentTime > 1")
    expect(page.locator(CURRENT).locator(".notice")).to_be_hidden()
    slow.up = True
    of_current(page, f"video.currentTime > {SECONDS - 1.5} && !video.paused")
    assert page.locator(CURRENT).get_attribute("data-id") == clip
    swipe(page)


def test_what_loads_ahead_gives_way_to_the_visible_clip(
    visit: Open, sizes: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    page = visit("/offline")
    said(page, sizes[0]["peak_bps"] * 1.6)
    page.add_init_script(
        """(() => {
          const play = HTMLMediaElement.prototype.play;
          const begun = new Promise((begin) => { window.begin = begin; });
          HTMLMediaElement.prototype.play = function () {
            return begun.then(() => play.call(this));
          };
        })()"""
    )
    asked_for: list[str] = []
    held: list[Route] = []

    def hold(route: Route) -> None:
        video = route.request.url.split("/")[-2]
        asked_for.append(video)
        if video == asked_for[0]:
            route.continue_()
        else:
            held.append(route)  # which gets no answer

    page.route("**/media/**/*.mp4", hold)
    files = asked(page)
    with page.expect_request(lambda _: len({video for video, _ in files}) > 1):
        page.goto("/t/long")
    page.evaluate("() => window.begin()")
    of_current(page, f"video.currentTime > {SECONDS - 1.5}")
    first_ahead = next(at for at, video in enumerate(asked_for) if video != asked_for[0])
    assert asked_for[0] in asked_for[first_ahead:]
    page.goto("/offline")
    for route in held:
        with contextlib.suppress(Error):  # the page let go of it
            route.abort()
