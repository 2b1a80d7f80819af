"""Every page: no error, no breach of the policy, names on everything; doors, languages, offline."""

from __future__ import annotations

import contextlib
import json
import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, WIDE, Ear, Open, World
from tests.browser.feed_page import swipe, wait_playing
from tests.live import PASSWORD, upload

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FOR_ALL = ("/", "/following", "/discover", "/c/waves", "/t/waves", "/login", "/signup", "/offline")
FOR_MEMBERS = ("/upload", "/studio", "/saved", "/settings")

# What a screen reader needs, found by its absence. Own checks after the rules of axe-core.
NAMELESS = """() => {
  const problems = [];
  const seen = (node) => node.checkVisibility({checkVisibilityCSS: true});
  const label = (node) => {
    const by = (node.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean)
      .map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
    const named = node.labels ? [...node.labels].map((one) => one.textContent).join(" ") : "";
    const inside = node.matches("input, select, textarea") ? "" : node.textContent;
    const alt = [...node.querySelectorAll("img[alt]")].map((one) => one.alt).join(" ");
    return (node.getAttribute("aria-label") || by || named || inside || alt || "").trim();
  };
  for (const node of document.querySelectorAll(
    "button, a[href], input:not([type=hidden]), select, textarea, [role=slider], dialog[open]")) {
    if (seen(node) && !label(node)) problems.push(`no name: ${node.outerHTML.slice(0, 120)}`);
  }
  for (const image of document.querySelectorAll("img:not([alt])"))
    problems.push(`no alt: ${image.outerHTML.slice(0, 120)}`);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids))
    if (ids.filter((one) => one === id).length > 1) problems.push(`twice: #${id}`);
  for (const node of document.querySelectorAll("[aria-describedby]"))
    for (const id of node.getAttribute("aria-describedby").split(" "))
      if (!document.getElementById(id)) problems.push(`describes nothing: ${id}`);
  if (!document.documentElement.lang) problems.push("no language");
  if (document.querySelectorAll("main").length !== 1) problems.push("not one main");
  if (document.querySelectorAll("h1").length !== 1) problems.push("not one h1");
  if (!document.title) problems.push("no title");
  for (const node of document.querySelectorAll("[style]"))
    if (!node.style.length) problems.push("a style attribute in markup");
  return problems;
}"""

# Visible things that are tapped, smaller than 48 px (links in running text and what is drawn inside
# a larger label are let be, as WCAG 2.5.8 lets them be).
SMALL = """() => [...document.querySelectorAll("button, a[href], select, .input, .choice")]
  .filter((node) => node.checkVisibility() && !node.closest("p, .unseen, .skip-link, [inert]") &&
    !node.matches(".skip-link, .more-words, .chip, .nav-home, .unseen"))
  .map((node) => [node, node.getBoundingClientRect()])
  .filter(([, box]) => box.width && box.height && (box.height < 47.5 || box.width < 47.5))
  .map(([node, box]) => `${box.width | 0}x${box.height | 0} ${node.outerHTML.slice(0, 100)}`)"""

SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def settle(page: Page) -> None:
    if page.locator("#feed").count():
        page.wait_for_timeout(400)
    else:
        page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("size", [PHONE, WIDE, {"width": 360, "height": 640}], ids=str)
@pytest.mark.parametrize("language", ["en", "hi"])
def test_every_page_is_whole(
    visit: Open, world: World, somebody: str, size: dict[str, int], language: str
) -> None:
    page = visit("/", somebody, viewport=size, locale=language)
    paths = [*FOR_ALL, *FOR_MEMBERS, f"/v/{world.clips['waves'][0]}", f"/@{world.author}"]
    for path in paths:
        page.goto(path)
        settle(page)
        assert page.locator("html").get_attribute("lang") == language, path
        assert page.evaluate(NAMELESS) == [], path
        assert page.evaluate(SMALL) == [], path
        assert page.evaluate(SIDEWAYS) <= 0, path
        assert page.evaluate("window.refusedByPolicy") == [], path


def test_hindi_is_spoken_and_can_be_chosen(visit: Open, somebody: str) -> None:
    page = visit("/", locale="hi-IN")
    expect(page.get_by_role("link", name="खोजें").first).to_be_visible()
    page = visit("/settings", somebody)
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.get_by_label("Language").select_option("hi")
    expect(page.get_by_role("heading", name="सेटिंग")).to_be_visible()


def test_sign_up_log_out_and_in(visit: Open, world: World, ear: Ear) -> None:
    ear.expect("422")
    page = visit("/signup?next=/discover")
    page.get_by_label("Handle").fill("A B")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator("[data-error=handle]")).not_to_be_empty()
    page.get_by_label("Handle").fill("nila.k")
    page.get_by_label("Name").fill("நிலா")
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/discover")
    page.get_by_role("link", name="Me", exact=True).click()
    expect(page.get_by_role("heading", name="நிலா")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    page.wait_for_load_state("networkidle")  # else what it still asks for is refused
    page.get_by_role("button", name="Log out", exact=True).click()
    page.wait_for_url(f"{world.url}/")
    page.goto("/login?next=//elsewhere.example/")
    page.get_by_label("Handle").fill("nila.k")
    page.get_by_label("Password", exact=True).fill("wrong one")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{world.url}/")


def test_doors_open_without_javascript(visit: Open, world: World, somebody: str, ear: Ear) -> None:
    ear.expect("422")
    page = visit("/login?next=/discover", java_script_enabled=False)
    page.get_by_label("Handle").fill(somebody)
    page.get_by_label("Password", exact=True).fill("not this one")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    assert page.url == f"{world.url}/discover"
    page.goto("/settings")
    page.get_by_role("button", name="Log out", exact=True).click()
    page.goto("/settings")
    assert "/login" in page.url


def test_a_clip_and_a_profile_without_javascript(visit: Open, world: World) -> None:
    video = world.clips["waves"][0]
    page = visit(f"/v/{video}", java_script_enabled=False)
    clip = page.locator("video[controls]")
    expect(clip).to_be_visible()
    assert page.context.request.get(str(clip.get_attribute("src"))).ok
    expect(page.get_by_text("Waves 0 #waves </script><b>")).to_be_visible()
    page.get_by_role("link", name="आशा").click()
    expect(page.get_by_role("heading", name="आशा <b>K</b>")).to_be_visible()
    assert page.locator(".tile").count() >= 8
    page.get_by_role("link", name="More clips").click()
    assert page.locator(".tile").count() >= 8


def test_a_clip_s_address_carries_a_preview(world: World) -> None:
    video = world.clips["letters"][1]
    page = httpx.get(f"{world.url}/v/{video}").text
    tags = dict(re.findall(r'<meta property="(og:[\w:]+)" content="([^"]*)"', page))
    assert tags["og:video"] == f"{world.url}/media/{video}/{tags['og:video'].rsplit('/')[-1]}"
    assert httpx.get(tags["og:image"]).headers["content-type"] == "image/jpeg"
    assert "&lt;/script&gt;" in tags["og:title"]
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert data["@type"] == "VideoObject"
    assert data["name"].endswith("</script><b>")
    assert "<b>" not in page


def test_a_private_clip_looks_like_none(world: World, somebody: str) -> None:
    with httpx.Client(base_url=world.url) as owner:
        owner.post("/api/session", json={"handle": somebody, "password": PASSWORD})
        secret = "a secret caption"
        video = upload(owner, world.file, caption=secret, visibility="private")
    hidden, absent = (httpx.get(f"{world.url}/v/{one}") for one in (video, "nothingAtAll"))
    assert hidden.status_code == absent.status_code == 404
    assert secret not in hidden.text
    assert hidden.text.replace(video, "") == absent.text.replace("nothingAtAll", "")


def test_without_network_there_is_still_a_page(visit: Open, ear: Ear) -> None:
    ear.expect("ERR_INTERNET_DISCONNECTED", "ERR_FAILED")
    page = visit("/discover", service_workers="allow")
    page.wait_for_function("() => navigator.serviceWorker.controller")
    page.wait_for_function("() => caches.keys().then((names) => names.length === 1)")
    page.goto("/")  # through the service worker, like each later page of a viewer
    wait_playing(page)
    swipe(page)
    page.context.set_offline(True)
    page.goto("/saved")
    expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
    kept = page.evaluate(
        """async () => {
          const [name] = await caches.keys();
          return (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname);
        }"""
    )
    assert not [path for path in kept if path.startswith(("/api", "/media"))]
    page.context.set_offline(False)


def test_it_installs(world: World) -> None:
    manifest = httpx.get(f"{world.url}/manifest.webmanifest")
    assert manifest.headers["content-type"].startswith("application/manifest+json")
    for icon in manifest.json()["icons"]:
        assert httpx.get(f"{world.url}{icon['src']}").headers["content-type"] == "image/png"


def test_follow_private_request_and_block(visit: Open, world: World, somebody: str) -> None:
    shy = f"{somebody}x"
    with contextlib.closing(world.site.client(shy)) as closed:
        closed.patch("/api/me", json={"private": True})
    page = visit(f"/@{shy}", somebody)
    expect(page.get_by_role("heading", name="This account is private")).to_be_visible()
    page.get_by_role("button", name="Follow").click()
    expect(page.get_by_role("button", name="Requested")).to_be_visible()
    answering = visit("/settings", shy)
    answering.get_by_role("button", name="Agree").click()
    expect(answering.get_by_text("Nobody waits for your answer.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Following")).to_be_visible()
    page.get_by_role("button", name="More about this person").click()
    page.get_by_role("button", name="Block").click()
    page.get_by_role("dialog").get_by_role("button", name="Block", exact=True).last.click()
    page.wait_for_url(f"{world.url}/")
    page.goto("/settings")
    page.get_by_role("button", name="Unblock").click()
    expect(page.get_by_text("You blocked nobody.")).to_be_visible()


def test_search_finds_clips_people_and_tags(visit: Open, world: World) -> None:
    page = visit("/discover")
    page.get_by_label("Search clips, people and tags").fill("waves")
    expect(page.locator("#results .tile").first).to_be_visible()
    expect(page.locator("#results a.chip", has_text="#waves")).to_be_visible()
    page.get_by_label("Search clips, people and tags").fill("asha")
    expect(page.locator("#results .person-row")).to_contain_text("@asha.k")
    page.get_by_label("Search clips, people and tags").fill("zzzzqqqq")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()


def test_themes_and_calm(visit: Open, somebody: str) -> None:
    page = visit("/settings", somebody, color_scheme="light", reduced_motion="reduce")
    back = "() => getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(back)
    page.get_by_label("Dark", exact=True).check()
    assert page.evaluate(back) != light
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate(back) != light


def test_keyboard_alone_reaches_everything(visit: Open, world: World) -> None:
    page = visit("/", viewport=WIDE, has_touch=False)
    wait_playing(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.className"))
    for wanted in ("like", "save", "share", "sound", "menu", "track", "stage-hit"):
        assert wanted in reached


def test_zoomed_to_twice_the_size(chromium: Browser, visit: Open, somebody: str) -> None:
    # 200 % zoom of a 1280 px window is a page of 640 px.
    page = visit("/settings", somebody, viewport={"width": 640, "height": 400})
    assert page.evaluate(SIDEWAYS) <= 0
    page.goto("/discover")
    assert page.evaluate(SIDEWAYS) <= 0
